"""For which indices a claim is meant: ranges that are stated, and those that it makes sense for.

Used by `judge`. A free index t runs over the steps at which everything in the claim has a value.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import permutations, product
from math import prod
from typing import Any

from rnnsym.claims.errors import CannotError, TooLargeError
from rnnsym.reader import terms as u
from rnnsym.reader.indices import Index

#: choices that are tested, and choices that are gone through to find them
MAX_CHOICES, MAX_TRIED = 400, 100_000


@dataclass(frozen=True)
class Condition:
    """left op right between whole numbers, as in k < t or t = T, …, 1 (given as two of them)."""

    left: Index
    op: str
    right: Index

    def holds(self, numbers: dict[str, int]) -> bool:
        """Whether it holds; True where one of its letters has no value."""
        try:
            a, b = self.left.value(numbers), self.right.value(numbers)
        except KeyError:
            return True
        return {"<": a < b, ">": a > b, "≤": a <= b, "≥": a >= b, "=": a == b, "≠": a != b}[self.op]


def _letters(scene: Any, side: u.Term, depth: int = 0) -> set[str]:
    """The free index letters of a side, those of what the document defines among them."""
    found = u.letters(side)
    for x in u.walk(side):
        if isinstance(x, u.Defined) and depth < 5:
            definition = scene.table.definitions[x.name]
            if not definition.recursive:
                found = found | (
                    _letters(scene, definition.body, depth + 1) - set(definition.letters)
                )
    return found


def choices(
    scene: Any, sides: Sequence[u.Term], stated: Iterable[Condition]
) -> list[dict[str, int]]:
    """Every choice of the free indices of a claim at one point."""
    free = sorted(set().union(*(_letters(scene, s) for s in sides)) - set(scene.numbers))
    free = [n for n in free if n != "#"]
    # beyond the last step only what the loss does not depend on has a meaning: its derivative is 0
    vanishes = any(
        (isinstance(x, u.Derivative) and _of_loss(x)) or isinstance(x, u.Defined | u.Adjoint)
        for s in sides
        for x in u.walk(s)
    )
    bounds = [_bounds(scene, x, vanishes) for s in sides for x in u.walk(s)]
    bounds += [b for s in sides for x in u.walk(s) for b in _ends(scene, x, free)]
    limits = list(dict.fromkeys(b for b in bounds if b is not None))
    counted = {n: _count(scene, sides, n) for n in free}
    ranges = [range(1, counted[n] + 1) if counted[n] else range(0, scene.steps + 1) for n in free]
    if prod(map(len, ranges)) > MAX_TRIED:
        raise TooLargeError(f"too large: more than {MAX_TRIED:,} choices of the indices")
    found = []
    conditions = [*stated, *_ordered(sides)]
    for values in product(*ranges):
        scene.tick()
        numbers = {**scene.numbers, **dict(zip(free, values, strict=True))}
        if all(low <= _value(i, numbers, low) <= high for i, low, high in limits) and all(
            c.holds(numbers) for c in conditions
        ):
            found.append({n: numbers[n] for n in free})
    if len(found) > MAX_CHOICES:  # of too many some, from everywhere
        kept = sorted(random.Random(0).sample(range(len(found)), MAX_CHOICES))
        found = [found[i] for i in kept]
    return found


def _value(index: Index, numbers: dict[str, int], default: int) -> int:
    try:
        return index.value(numbers)
    except KeyError:  # a bound letter: its range is its own matter
        return default


def _of_loss(d: u.Derivative) -> bool:
    return isinstance(d.of, u.Loss) or (isinstance(d.of, u.Leaf) and d.of.name == "L")


def _bounds(scene: Any, term: u.Term, vanishes: bool) -> tuple[Index, int, int] | None:
    """Between which steps a quantity has a value: a state from its initial value on, a derivative
    by what comes after the last step is zero."""
    if isinstance(term, u.Adjoint) and scene.net is not None:
        if not term.names:
            return term.time, 1, scene.steps + 1
        term = u.Leaf(term.names[0], term.time)
    if not isinstance(term, u.Leaf) or term.time is None or scene.net is None:
        return None
    if term.name in scene.net.parameters:  # the copy of one step
        return term.time, 1, scene.steps
    if term.name not in scene.truth.plain.spans:
        raise CannotError(f"what gives {term.name}?")
    first, last = scene.truth.plain.spans[term.name]
    first, last = min(first, last), max(first, last)
    start = scene.truth.plain.starts.get(term.name)
    # before the first step only what an equation uses there has a value: zero, as a start token is
    back = max((max(lags) for (_, n), lags in scene.net.lags.items() if n == term.name), default=0)
    lowest = min(first - back, first if start is None else start)
    highest = max(last, start) if start is not None else last
    return term.time, lowest, max(highest, scene.steps + 1) if vanishes else highest


def _ends(scene: Any, term: u.Term, free: Sequence[str]) -> list[tuple[Index, int, int] | None]:
    """Between which steps the states lie at both ends of a product whose limits are free."""
    if not isinstance(term, u.Ranged) or term.op != "prod" or scene.net is None:
        return []
    ends = [i for i in (term.lower, term.upper) if set(i.names) & set(free)]
    found = []
    for d in u.walk(term.body):
        if isinstance(d, u.Derivative):
            for x in (d.of, *d.by):
                if isinstance(x, u.Leaf) and x.time is not None and x.name in scene.net.states:
                    for end in ends:
                        at = replace(x, time=x.time.put({term.index: end}))
                        found.append(_bounds(scene, at, False))
    return found


def _count(scene: Any, sides: Sequence[u.Term], name: str) -> int:
    """How many values an index that counts entries has; 0 for any other."""
    for side in sides:
        for x in u.walk(side):
            if isinstance(x, u.Component) and any(name in i.names for i in x.indices):
                if isinstance(x.body, u.Leaf):
                    place = next(k for k, i in enumerate(x.indices) if name in i.names)
                    v = (scene.net.vectors | scene.net.parameters)[x.body.name]
                    size = (v.rows, v.cols)[place]
                    return int(size.xreplace(scene.symbols)) if not size.is_Integer else int(size)
                return 2
    return 0


def _ordered(sides: Sequence[u.Term]) -> list[Condition]:
    """Limits in the right order: an empty range is the least that makes sense."""
    found = []
    for side in sides:
        for x in u.walk(side):
            if not (isinstance(x, u.Ranged) and x.step == 1 and x.op == "prod"):
                continue
            if "#" not in x.upper.names:
                found.append(Condition(x.lower, "≤", x.upper.plus(Index(1))))
    return found


@dataclass(frozen=True)
class Border:
    """A step at the end of the range at which a claim fails, while it holds inside of it.

    name: the index; last: at the upper end, where gap counts from T, or from another index; else
    gap is the step.
    """

    name: str
    last: bool
    gap: int
    other: str = ""

    def excludes(self, numbers: dict[str, int], steps: int) -> bool:
        """Whether a choice of the indices lies there."""
        if self.name not in numbers:
            return False
        value = numbers[self.name]
        if self.other:
            return self.other in numbers and value >= numbers[self.other] + self.gap
        return value >= steps + self.gap if self.last else value <= self.gap

    @property
    def words(self) -> str:
        """The range that is left; nothing for steps from 1, which is what everybody means."""
        if self.other:
            return f"for {self.name} < {self.other}{f'{self.gap:+d}' if self.gap else ''}"
        if self.last:
            return f"for {self.name} < T{f'+{self.gap}' if self.gap else ''}"
        return f"for {self.name} > {self.gap}" if self.gap > 0 else ""


def borders(
    scene: Any, wrong: Sequence[dict[str, int]], every: Sequence[dict[str, int]]
) -> tuple[Border, ...]:
    """Where a claim fails, if that is at the very first or very last step of an index only."""
    found: list[Border] = []
    left, rest = list(wrong), list(every)
    while left and len(found) < 2:
        border = _border(scene, left, rest)
        if border is None:
            return ()
        found.append(border)
        left = [w for w in left if not border.excludes(w, scene.steps)]
        rest = [e for e in rest if not border.excludes(e, scene.steps)]
    return () if left else tuple(found)


def _border(
    scene: Any, wrong: Sequence[dict[str, int]], every: Sequence[dict[str, int]]
) -> Border | None:
    if len(every) < 4 or len(wrong) * 2 > len(every) or scene.steps < 3:
        return None
    for name in sorted({n for choice in every for n in choice}):
        values = {w[name] for w in wrong if name in w}
        inside = {e[name] for e in every if name in e} - values
        if 0 in values and inside and min(inside) > 0:
            return Border(name, False, 0)
        if len(values) == 1 and len(inside) >= 2 and all(name in w for w in wrong):
            (value,) = values
            if value >= scene.steps and value > max(inside):
                return Border(name, True, value - scene.steps)
            if value <= 1 and value < min(inside):
                return Border(name, False, value)
    return _relative(wrong, every)


def _relative(wrong: Sequence[dict[str, int]], every: Sequence[dict[str, int]]) -> Border | None:
    """Where a claim about two indices fails, if that is where one reaches the other only: at k = t
    the loss of step t comes in."""
    for a, b in permutations(sorted({n for choice in every for n in choice}), 2):
        gaps = {w[a] - w[b] for w in wrong if a in w and b in w}
        inside = {e[a] - e[b] for e in every if a in e and b in e}
        if len(gaps) == 1 and all(a in w and b in w for w in wrong):
            (gap,) = gaps
            if len([g for g in inside if g < gap]) > 1:
                return Border(a, True, gap, b)
    return None
