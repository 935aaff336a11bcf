"""Step and Derivation: the form in which the calculus hands on what it has derived."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sympy import Basic, MatrixExpr, Symbol

from rnnsym.network import Network

#: text with mathematics in it: strings and expressions in turn
Prose = tuple[str | Basic, ...]


@dataclass(frozen=True)
class Step:
    """One step: before (relation) after, by a rule.

    rule: the rule's short name; reason: why it applies, in words; relation: "=" or "≠";
    where: the range (index, first, last) of every time index that is free on either side;
    general: the step for symbolic time that this one is an instance of, if any.
    """

    before: MatrixExpr
    after: MatrixExpr
    rule: str
    reason: Prose
    relation: str = "="
    where: tuple[tuple[Symbol, Any, Any], ...] = ()
    section: str = ""
    general: Step | None = None

    @property
    def holds(self) -> bool:
        """Whether the step claims equality."""
        return self.relation == "="


@dataclass(frozen=True)
class Derivation:
    """A chain of steps that ends in a result.

    network; subject: what it is the derivative by; steps; result: the gradient, as a function of
    the forward values and the adjoints δ; formula: the gradient as the sum of Jacobian products;
    steps_in_time: the concrete T, or the length of each sequence by name; None if symbolic;
    tested_at: the numbers at which symbols of its own, such as the K of a chunk, are checked;
    given: inputs that the steps suppose to have a certain value.
    """

    network: Network
    subject: MatrixExpr
    steps: tuple[Step, ...]
    result: MatrixExpr
    formula: MatrixExpr
    steps_in_time: int | Mapping[str, int] | None = None
    notes: tuple[Prose, ...] = field(default=())
    tested_at: Mapping[Symbol, Any] = field(default_factory=dict)
    given: Mapping[str, int] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def section(self, name: str) -> tuple[Step, ...]:
        """The steps of one section."""
        return tuple(s for s in self.steps if s.section == name)

    @property
    def sections(self) -> list[str]:
        """The names of the sections, in order."""
        return list(dict.fromkeys(s.section for s in self.steps))


class Scribe:
    """Collects steps, section by section."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.title = ""

    def section(self, title: str) -> None:
        """Steps from now on belong to this section."""
        self.title = title

    def step(
        self,
        before: MatrixExpr,
        after: MatrixExpr,
        rule: str,
        *reason: str | Basic,
        relation: str = "=",
        where: Iterable[tuple[Symbol, Any, Any]] = (),
        general: Step | None = None,
    ) -> MatrixExpr:
        """Record a step and return what it leads to; a step that changes nothing is left out."""
        if before != after:
            ranges = tuple(where)
            self.steps.append(
                Step(before, after, rule, reason, relation, ranges, self.title, general)
            )
        return after

    def extend(self, steps: Iterable[Step]) -> None:
        """Take over steps derived elsewhere, under the current section."""
        self.steps += [replace(s, section=self.title) for s in steps]
