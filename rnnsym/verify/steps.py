"""Every step of a derivation, checked by itself: the identity test on its two sides.

Takes the `Step`s that the calculus hands on. Both sides are evaluated at a random point of the
field of 2^61 - 1 elements, for every choice of the free time indices; derivatives in them are
computed by dual numbers through the forward equations, so no rule of the calculus is trusted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from sympy import Expr, Integer, MatrixExpr, Symbol

from rnnsym.derive.step import Derivation, Step
from rnnsym.errors import InputError
from rnnsym.evaluate.field import FieldArithmetic
from rnnsym.evaluate.point import Point, field_point
from rnnsym.evaluate.trajectory import Truth
from rnnsym.network import Network
from rnnsym.nodes import T
from rnnsym.sizes import choose_sizes
from rnnsym.verify.degree import (
    REQUIRED,
    DegreeArithmetic,
    chance,
    power_of_two,
    variable_point,
)

Bindings = dict[Symbol, Integer]
Ranges = Sequence[tuple[Symbol, Any, Any]]

#: T of the identity test: the fewest steps at which no index can hide behind another
STEPS = 4
MOST_POINTS = 6
#: a chunk of more steps is not left, and so its border not seen, by the test
LONGEST_CHUNK = 12
#: beyond this T, the steps of an unrolled derivation are checked as instances
LONG = 60


@dataclass(frozen=True)
class StepCheck:
    """The outcome for one step.

    lengths: the length of each sequence at which it was tested; bindings: how many choices of the
    free time indices were tried; probability: a bound on the chance that a wrong step passes;
    instance: what was tested is the step for symbolic time that this one is an instance of;
    counterexample: the indices where an equality fails, or where a claimed inequality shows.
    """

    step: Step
    ok: bool
    lengths: Mapping[str, int]
    bindings: int
    points: int
    probability: float
    counterexample: Mapping[Symbol, int] | None = None
    detail: str = ""
    instance: bool = False

    @property
    def steps(self) -> int:
        """The greatest length."""
        return max(self.lengths.values())

    @property
    def at(self) -> str:
        """The lengths of the sequences, in words."""
        return ", ".join(f"{name}={value}" for name, value in self.lengths.items())

    @property
    def text(self) -> str:
        """One line: what was tested, and how sure the answer is."""
        indices = ", ".join(str(index) for index, _, _ in self.step.where)
        what = "1 equation"
        if indices:
            what = f"{self.bindings} choices of {indices}"
        if self.instance:
            what += ", as a step for symbolic time"
        start = f"exact test, {self.at}, {what}"
        if self.counterexample is not None:
            at = ", ".join(f"{s}={v}" for s, v in self.counterexample.items())
            verb = "fails" if self.step.holds else "differs, as claimed"
            comma = "" if self.step.holds else ","
            return f"{start}: {verb}{f'{comma} at {at}' if at else ''}"
        if not self.ok:
            return f"{start}: {self.detail}"
        if self.probability == 0:  # both sides hold no variable
            return f"{start}, equal as numbers"
        return f"{start}, P(error) < {power_of_two(self.probability)}"


class Checker:
    """Checks expressions of one network, at one T and sizes that all differ.

    What is true at its random points is computed once and shared by all steps.
    """

    def __init__(
        self,
        net: Network,
        steps: int | Mapping[str, int] | None = None,
        seed: int = 0,
        sizes: Mapping[str, int] | None = None,
        more: Mapping[Any, Any] | None = None,
        given: Mapping[str, int] | None = None,
    ) -> None:
        self.net, self.seed, self.given = net, seed, dict(given or {})
        self.symbols = choose_sizes(net, steps or enough_steps(net), sizes) | dict(more or {})
        self._truths: dict[int, Truth] = {}
        self._values: dict[Any, Any] = {}
        self._degree_arithmetic = DegreeArithmetic()
        self._known: dict[Step, StepCheck] = {}

    @property
    def lengths(self) -> dict[str, int]:
        """The length of each sequence."""
        found = {name: int(self.symbols[s]) for name, s in self.net.lengths.items()}
        return found or {"T": int(self.symbols[T])}

    @property
    def more(self) -> dict[str, int]:
        """The numbers of steps in chunks, where those are symbols."""
        known = {*self.net.sizes.values(), *self.net.lengths.values(), T}
        return {str(s): int(v) for s, v in self.symbols.items() if s not in known}

    def truth(self, i: int) -> Truth:
        """What is true at the i-th random point."""
        if i not in self._truths:
            seed = MOST_POINTS * self.seed + i
            ar = FieldArithmetic(seed)
            point = self._supposed(field_point(self.net, ar, self.symbols, seed), ar)
            self._truths[i] = Truth(self.net, point, ar)
        return self._truths[i]

    def _supposed(self, point: Point, ar: Any) -> Point:
        """The point with the inputs that are supposed to have a certain value."""
        fixed = {
            name: [ar.full(*ar.shape(v), number) for v in point.sequences[name]]
            for name, number in self.given.items()
        }
        return replace(point, sequences={**point.sequences, **fixed})

    def bindings(self, where: Ranges) -> list[Bindings]:
        """Every choice of the free time indices; a range may depend on earlier indices."""
        choices: list[Bindings] = [{}]
        for index, first, last in where:
            choices = [
                {**choice, index: Integer(i)}
                for choice in choices
                for i in range(self._number(first, choice), self._number(last, choice) + 1)
            ]
        return choices

    def _number(self, e: Any, choice: Bindings) -> int:
        value = e.xreplace({**self.symbols, **choice}) if isinstance(e, Expr) else Integer(e)
        if not value.is_Integer:
            raise InputError(f"{e} has no value: the ranges must bind {value.free_symbols}")
        return int(value)

    def check(self, step: Step) -> StepCheck:
        """Check one step: an equality everywhere, or an inequality somewhere."""
        plain = Step(step.before, step.after, "", (), step.relation, step.where)
        if plain not in self._known:
            self._known[plain] = self._check(step)
        known = self._known[plain]
        return known if known.step is step else replace(known, step=step)

    def _check(self, step: Step) -> StepCheck:
        choices = self.bindings(step.where)
        if not choices:
            why = "no index lies in the range, so nothing was tested"
            return StepCheck(step, False, self.lengths, 0, 0, 1.0, None, why)
        probability, points, degree = 1.0, 0, None
        for i in range(MOST_POINTS):
            try:
                different = self._difference(step, choices, i)
            except ZeroDivisionError:  # a denominator vanishes at this point: take another
                continue
            points += 1
            if different is not None:
                at = {s: int(v) for s, v in different.items()}
                # a difference that was found is certain; only equality has a chance of error
                return StepCheck(step, not step.holds, self.lengths, len(choices), points, 0.0, at)
            if degree is None:
                degree = self._degree(step, choices)
            field: Any = self.truth(i).base
            probability *= chance(degree, self._degree_arithmetic.coincidences(field))
            if probability < REQUIRED:
                break
        detail = "" if points else "a denominator vanishes at every point tried"
        if not step.holds:
            detail = "both sides are equal everywhere"
        ok = step.holds and probability < REQUIRED
        return StepCheck(step, ok, self.lengths, len(choices), points, probability, None, detail)

    def _difference(self, step: Step, choices: list[Bindings], i: int) -> Bindings | None:
        """The first choice of indices at which the two sides differ."""
        truth = self.truth(i)
        for choice in choices:
            before, after = (self._value(truth, e, choice) for e in (step.before, step.after))
            if before != after:
                return choice
        return None

    def _degree(self, step: Step, choices: list[Bindings]) -> int:
        """A bound on the degree of the difference of the two sides, for every choice."""
        return max(
            self._degree_arithmetic.difference(
                *(self._value(self._degrees, e, choice) for e in (step.before, step.after))
            )
            for choice in choices
        )

    @cached_property
    def _degrees(self) -> Truth:
        ar = self._degree_arithmetic
        return Truth(self.net, self._supposed(variable_point(self.net, ar, self.symbols), ar), ar)

    def _value(self, truth: Truth, e: MatrixExpr, choice: Bindings) -> Any:
        """The value of one side; where a step begins with what the last one led to, it is known."""
        key = id(truth), e, *choice.items()
        if key not in self._values:
            self._values[key] = truth.evaluator(choice)(e)
        return self._values[key]


def enough_steps(net: Network) -> dict[str, int]:
    """T of the test: 4, or twice the greatest lag, so that every path through it is there, or two
    steps more than a chunk; where there are several lengths, no two are equal."""
    lag = max((abs(lag) for lags in net.lags.values() for lag in lags), default=1)
    chunks = [int(k) + 2 for k in net.chunks if k.is_Integer and k <= LONGEST_CHUNK]
    least = max(STEPS, 2 * lag, *chunks)
    return {name: least + i for i, name in enumerate(net.lengths)} or {"T": 1}


def check_step(
    step: Step,
    net: Network,
    steps: int | Mapping[str, int] | None = None,
    seed: int = 0,
    checker: Checker | None = None,
) -> StepCheck:
    """Check one step of a derivation of a network."""
    return (checker or Checker(net, steps, seed)).check(step)


def check(derivation: Derivation, seed: int = 0, checker: Checker | None = None) -> list[StepCheck]:
    """Check every step of a derivation, in order.

    A derivation for a concrete T is checked at that T, one for symbolic T at T = 4. Pass the same
    checker for several derivations of one network: steps that they share are checked once.
    """
    steps = derivation.steps_in_time
    longest = max(steps.values()) if isinstance(steps, Mapping) else steps or 0
    if longest > LONG:
        general = Checker(derivation.network, None, seed)
        return [_instance(general, step) for step in derivation.steps]
    if checker is None:
        checker = Checker(
            derivation.network, steps, seed, more=derivation.tested_at, given=derivation.given
        )
    return [checker.check(step) for step in derivation.steps]


def _instance(checker: Checker, step: Step) -> StepCheck:
    """The check of the step for symbolic time that a step of a long unrolled derivation is an
    instance of; one that is no instance is not checked, and says so."""
    if step.general is None:
        why = f"not checked: T is above {LONG}"
        return StepCheck(step, False, checker.lengths, 0, 0, 1.0, None, why)
    return replace(checker.check(step.general), step=step, instance=True)


def equal(checker: Checker, before: MatrixExpr, after: MatrixExpr, where: Ranges = ()) -> StepCheck:
    """Whether two expressions of a network are equal for all indices in their ranges."""
    return checker.check(Step(before, after, "claim", (), "=", tuple(where)))


def failures(checks: Sequence[StepCheck]) -> Iterator[StepCheck]:
    """The checks that do not hold."""
    return (c for c in checks if not c.ok)
