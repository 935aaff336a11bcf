"""What is right and what is wrong in the corpus: the exact test on expressions.

Used by `corpus_wrong` and `corpus_right`. An equation counts as wrong only if it is wrong under
every customary reading that the judge knows: it must fail inside of its range, with initial
states that are zero as well, and with a loss that is a mean over time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from sympy import Integer, MatrixExpr

from rnnsym.errors import RnnsymError
from rnnsym.evaluate.field import FieldArithmetic
from rnnsym.evaluate.point import field_point
from rnnsym.evaluate.trajectory import Truth
from rnnsym.nodes import Adjoint, Gradient
from rnnsym.verify.adjoints import derived_system
from rnnsym.verify.steps import Checker

Ranges = tuple[tuple[Any, Any, Any], ...]


@dataclass(frozen=True)
class Equation:
    """left = right for every choice of the indices in their ranges."""

    left: MatrixExpr
    right: MatrixExpr
    where: Ranges = ()
    name: str = ""


class Ground:
    """Decides about equations of one network, at one length."""

    def __init__(self, net: Any) -> None:
        self.net = net
        self.checker = Checker(net)
        ar = FieldArithmetic(1)
        point = field_point(net, ar, self.checker.symbols, 1)
        zeros = {n: ar.full(*ar.shape(v), 0) for n, v in point.initial.items()}
        self.plain = Truth(net, point, ar)
        self.zero = Truth(net, replace(point, initial=zeros), ar)

    def right(self, equation: Equation) -> bool:
        """Whether it holds for all indices."""
        return all(not self._differs(self.plain, equation, c) for c in self._choices(equation))

    def wrong(self, equation: Equation) -> bool:
        """Whether it fails, and not only at a border or under one reading."""
        choices = self._choices(equation)
        for truth in (self.plain, self.zero):
            failing = [c for c in choices if self._differs(truth, equation, c)]
            if not failing or (len(choices) > 1 and self._border(failing, choices)):
                return False
        return not self._is_multiple(equation, choices)

    def _choices(self, equation: Equation) -> list[Any]:
        return self.checker.bindings(equation.where)

    def _differs(self, truth: Truth, equation: Equation, choice: Any) -> bool:
        evaluator = truth.evaluator(choice)
        return bool(evaluator(equation.left) != evaluator(equation.right))

    def _border(self, failing: list[Any], choices: list[Any]) -> bool:
        """Whether it fails at the first or last value of an index only."""
        for index in choices[0]:
            every = sorted({int(c[index]) for c in choices})
            found = {int(c[index]) for c in failing}
            if len(every) > 1 and (found <= {every[0], every[-1]}):
                return True
        return False

    def _is_multiple(self, equation: Equation, choices: list[Any]) -> bool:
        """Whether the sides differ by a factor T only: a mean where a sum is meant."""
        for c in choices:
            evaluator = self.plain.evaluator(c)
            a, b = evaluator(equation.left), evaluator(equation.right)
            if self.plain.base.shape(a) != self.plain.base.shape(b):
                return False
            t = Integer(max(self.checker.lengths.values()))
            scaled = [self.plain.base.scale(t, x) for x in (a, b)]
            if scaled[0] != b and scaled[1] != a:
                return False
        return True


def equations(net: Any) -> Iterator[Equation]:
    """The right equations of a network: steps of derivations, backward passes, gradients."""
    system = derived_system(net)
    for name, e in system.equations.items():
        span = net.spans[name]
        yield Equation(Adjoint(net.vectors[name].at(span.time)), e, span.where, f"δ_{name}")
    for name, e in system.gradients.items():
        yield Equation(Gradient(net.total_loss, net.parameters[name]), e, (), f"∇_{name}")
    seen = set()
    for name in net.parameters:
        for step in net.derive(name).steps:
            key = step.before, step.after
            if step.holds and key not in seen:
                seen.add(key)
                yield Equation(step.before, step.after, step.where, step.rule)


def decided(test: Any, equation: Equation) -> bool:
    """The answer of a test; False where it cannot be computed."""
    try:
        return bool(test(equation))
    except (RnnsymError, ZeroDivisionError, ValueError, TypeError, IndexError):
        return False
