"""A point of a network at which terms are evaluated, and what is true there.

Used by `values`. Derivatives are dual numbers through the forward equations
(`rnnsym.evaluate`); no rule of the calculus takes part.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rnnsym.claims.errors import (
    CannotError,
    NumbersNeededError,
)
from rnnsym.claims.ground_derivatives import Derivatives
from rnnsym.claims.value_sums import Numbers
from rnnsym.claims.values import Values, dimension_of
from rnnsym.reader import terms as u
from rnnsym.reader.indices import Index
from rnnsym.reader.ranges import ENTRIES


class Scene(Derivatives):
    """One point: T, sizes, random numbers. numeric: in 50-digit numbers instead of the field.

    down: places of ranges that count down; trace: place -> the limits that occurred.
    """

    def range(self, values: Values, term: u.Ranged, numbers: Numbers) -> tuple[int, int]:
        """The limits of a sum or product here."""
        lower = values.number(term.lower, numbers)
        counted = dimension_of(term.body, term.index)
        if ENTRIES in term.upper.names or (
            counted is not None and not set(term.upper.names) <= {"T", *numbers}
        ):
            if counted is None:
                raise CannotError(f"up to what does {term.index} run?")
            assert isinstance(counted, u.Component)
            inner = {**numbers, **{n: 1 for n in u.letters(counted.body) if n not in numbers}}
            shape = values.shape(values(counted.body, inner))
            place = next(k for k, i in enumerate(counted.indices) if term.index in i.names)
            upper = max(shape) if len(counted.indices) == 1 else shape[place]
            return max(lower, 1), upper  # entries may be counted from 0
        upper = values.number(term.upper, numbers)
        if term.upper != term.lower:
            self.trace.setdefault(term.start, set()).add((lower, upper))
        return lower, upper

    def is_descending(self, values: Values, term: u.Ranged, numbers: Numbers) -> bool:
        return term.start in self.down

    def descends(self, term: u.Ranged) -> bool:
        """Whether a product is written with the highest index first, where nothing else is said:
        its factors chain so, ∂a⟨i⟩/∂a⟨i-1⟩; those of states that run backwards do not."""
        index = Index.of(term.index)
        steps = set()
        for node in u.walk(term.body):
            if isinstance(node, u.Derivative) and len(node.by) == 1:
                above, below = (_time(self, x, index) for x in (node.of, node.by[0]))
                if above is not None and below is not None and above != below:
                    steps.add(above > below)
        if len(steps) == 1:
            return steps.pop()
        names = {x.name for x in u.walk(term.body) if isinstance(x, u.Leaf) and x.time is not None}
        return not any(map(self._runs_back, names)) or any(map(self._runs_forth, names))

    def allows(self, values: Values, supposed: Sequence[u.Claim]) -> bool:
        """Whether everything that is supposed of weights is so here."""
        return all(self.holds(values, claim, self.numbers) for claim in supposed)

    def holds(self, values: Values, claim: u.Claim, numbers: Numbers) -> bool:
        """Whether a condition between numbers holds."""
        found: list[Any] = []
        for side in claim.sides:
            if isinstance(side, u.Whole):
                found.append(values.number(side.index, numbers))
            elif isinstance(side, u.Num):
                whole = side.value.denominator == 1
                found.append(int(side.value) if whole else float(side.value))
            elif self.numeric:
                found.append(values(side, numbers).m[0, 0])
            else:
                raise NumbersNeededError("a condition between values")
        return all(compare(a, op, b) for a, op, b in zip(found, claim.ops, found[1:], strict=False))


def _time(scene: Scene, term: u.Term, index: Index) -> int | None:
    """How far from an index the time of a quantity is."""
    found: tuple[Index, ...] = ()
    if isinstance(term, u.Leaf) and term.time is not None:
        found = (term.time,)
    elif isinstance(term, u.Defined):
        found = term.index
    gap = found[0].plus(index, -1) if found else None
    return None if gap is None or gap.letters else gap.constant


def compare(a: Any, op: str, b: Any) -> bool:
    """a op b between numbers."""
    table = {"=": a == b, "≠": a != b, "<": a < b, ">": a > b, "≤": a <= b, "≥": a >= b}
    if op not in table:
        raise CannotError(f"the relation {op} is not evaluated")
    return bool(table[op])
