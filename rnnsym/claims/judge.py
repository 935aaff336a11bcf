"""Judges a claim: is it true of a network, under which reading, and if not, where not?

Takes terms from the reader; what custom leaves open is tried, the likeliest first.
"""

from __future__ import annotations

from contextlib import suppress
from itertools import combinations
from typing import Any

import numpy as np

from rnnsym.claims import conditions
from rnnsym.claims.alternatives import further
from rnnsym.claims.deciding import AGREE, Deciding, Outcome
from rnnsym.claims.errors import (
    CannotError,
    MisfitError,
    NumbersNeededError,
    TooLargeError,
)
from rnnsym.claims.limiting import approached, is_limit
from rnnsym.claims.meanings import meanings
from rnnsym.claims.readings import LAYOUTS, Reading
from rnnsym.claims.scene import Scene, compare
from rnnsym.errors import RnnsymError
from rnnsym.reader import terms as u

#: relations that are sampled
ORDERS = {"<", ">", "≤", "≥", "≪", "≫", "≲", "≳"}
#: places that are read as immediate partials one by one, and those that are looked at
MAX_IMMEDIATE, MAX_AMBIGUOUS = 6, 24
#: meanings of customary names that are tried together with what else custom leaves open
MAX_MEANT = 12
#: the points at which an inequality is tried: any, steep functions, small weights
POINTS = ("", "", "", "", "steep", "steep", "small", "small")
#: so many more where numbers must lie in some range
MORE_POINTS = 24
#: the most steps that a sum is written out for
MAX_WRITTEN = 6


class Judge(Deciding):
    """Judges relations between terms, of one network and table."""

    def relation(self, left: u.Term, op: str, right: u.Term) -> Outcome:
        """Whether left op right; the first reading that makes it true, or why none does.

        Raises TooLargeError where that takes more than the limits allow.
        """
        if is_limit(left, right):
            return self._limit(left, op, right)
        if op in ORDERS:
            return self._order(left, op, right)
        if op == "∝":
            return self._proportional(left, right)
        if op == "≠":
            return self._unequal(left, right)
        if op not in ("=", ":=", "≈", "←"):
            return Outcome("cannot", Reading(), f"the relation {op} is not judged")
        return self._equal(left, right)

    @staticmethod
    def tries_weights(left: u.Term, op: str, right: u.Term) -> bool:
        """Whether a relation is followed or sampled, at points that conditions may leave out."""
        return is_limit(left, right) or op in ORDERS

    def _equal(self, left: u.Term, right: u.Term) -> Outcome:
        outcomes: list[Outcome] = []
        plain, meant = self.base(left, right), meanings(self.net, self.table, left, right)
        base = [reading.with_(meant=m) for m in meant for reading in plain]
        for reading in base:
            outcomes.append(self.test(left, right, reading))
            if outcomes[-1].kind == "equal" and not outcomes[-1].idle:
                return outcomes[-1]
            if outcomes[-1].kind == "equal":  # perhaps it speaks of steps that there are not
                return self.of_some_length(left, right, base) or outcomes[-1]
        fitting = [o.reading for o in outcomes if o.kind not in ("misfit", "cannot")]
        for changes in further(self, (left, right), bool(fitting)):
            for reading in (fitting or base)[: 8 * min(len(meant), MAX_MEANT)]:
                outcome = self.test(left, right, reading.with_(**changes))
                if outcome.kind == "equal" and not self._silences(outcome.reading, left, right):
                    return outcome
                if outcome.kind != "equal":
                    outcomes.append(outcome)
        return self.of_some_length(left, right, fitting) or _worst(outcomes)

    def length(self, left: u.Term, right: u.Term) -> int:
        """The steps of the sequence that a claim speaks of in numbers, 0 where it does not: a sum
        that is written out for n steps, or up to step n, is of a sequence of n steps; so is a
        gradient at step n, where nothing later is spoken of."""
        last = _last_step(left, right)
        kinds = u.Loss | u.Ranged | u.Adjoint
        summed = any(isinstance(x, kinds) for s in (left, right) for x in u.walk(s))
        return last if 1 < last <= MAX_WRITTEN and summed and self._allows(last) else 0

    def of_some_length(self, left: u.Term, right: u.Term, fitting: list[Reading]) -> Outcome | None:
        """What is true of a sequence of as many steps as a claim speaks of in numbers."""
        last = self.length(left, right)
        if not last:
            return None
        for reading in fitting[:16]:
            scenes = [self.scene(last, zero=reading.zero, seed=seed) for seed in (0, 1)]
            try:
                found = [self._at(scene, left, right, reading) for scene in scenes]
            except (CannotError, NumbersNeededError, ZeroDivisionError):
                continue
            if all(o.kind == "equal" and not o.borders for o in found):
                more = (*reading.more, f"the sequence has {last} steps")
                found[0].reading, found[0].points = reading.with_(more=more), 2
                return found[0]
        return None

    def base(self, *sides: u.Term) -> list[Reading]:
        """The readings that differ in layouts and in which ∂ is the immediate partial."""
        derivatives = [d for s in sides for d in u.walk(s) if isinstance(d, u.Derivative)]
        layouts: tuple[str, ...] = LAYOUTS[:1]
        if any(d.kind in ("∂", "∂⁺") for d in derivatives):
            layouts = LAYOUTS if any(map(_has_row_inside, sides)) else LAYOUTS[:3]
        ambiguous = [] if self.explicit else self._ambiguous(derivatives)
        single, groups = ambiguous[:MAX_IMMEDIATE], _alike(ambiguous, derivatives, sides)
        chosen = [frozenset(c) for n in range(len(single) + 1) for c in combinations(single, n)]
        chosen[1:1] = [
            frozenset().union(*c)
            for n in range(1, min(len(groups), 3) + 1)
            for c in combinations(groups, n)
            if len(ambiguous) > len(single)
        ]
        subsets = [
            c for c in dict.fromkeys(chosen) if _consistent(sides, c, derivatives, ambiguous)
        ]
        return [
            Reading(layout=layout, immediate=chosen) for chosen in subsets for layout in layouts
        ]

    def _ambiguous(self, derivatives: list[u.Derivative]) -> list[int]:
        """Places of the derivatives whose total and immediate values differ."""
        found: list[int] = []
        scene = self.scene(self.main)
        for d in derivatives:
            of = d.of.body if isinstance(d.of, u.Component) else d.of
            if d.kind != "∂" or not isinstance(
                of, u.Leaf | u.Unknown | u.Apply | u.Sum | u.Product | u.Defined
            ):
                continue
            if isinstance(of, u.Leaf) and of.name == "L":
                continue
            if len(found) < MAX_AMBIGUOUS and self._differs(scene, d):
                found.append(d.start)
        return list(dict.fromkeys(found))

    def _differs(self, scene: Scene, d: u.Derivative) -> bool:
        free = sorted(u.letters(d) - set(scene.numbers))
        total, immediate = Reading(), Reading(immediate=frozenset({d.start}))
        entries = {
            n for x in u.walk(d) if isinstance(x, u.Component) for i in x.indices for n in i.names
        }
        times = [n for n in free if n not in entries]
        for first in (3, 2):  # at the border of the steps both may be one
            chosen = {n: max(1, min(first - k, scene.steps)) for k, n in enumerate(times)}
            numbers = {**scene.numbers, **dict.fromkeys(entries, 1), **chosen}
            try:
                a, *_ = scene.jacobian(scene.values(total), d, numbers)
                b, *_ = scene.jacobian(scene.values(immediate), d, numbers)
            except TooLargeError:
                raise
            except (RnnsymError, ZeroDivisionError):
                continue
            # a partial that is zero, because nothing depends directly, is nobody's reading
            if a != b and (self.vanishing or b != scene.ar.scale(0, b)):
                return True
        return False

    def _silences(self, reading: Reading, *sides: u.Term) -> bool:
        """Whether a derivative within a claim is zero if what step t adds is meant by it: nobody
        writes such a term."""
        if not reading.step:
            return False
        scene = self.scene(self.main)
        values = scene.values(reading)
        for side in sides:
            for d in u.walk(side):
                if not isinstance(d, u.Derivative) or d is side or isinstance(d.of, u.Loss):
                    continue
                numbers = {**scene.numbers, **dict.fromkeys(u.letters(d) - {*scene.numbers}, 3)}
                numbers[reading.step] = 3
                with suppress(RnnsymError, ZeroDivisionError):
                    value, *_ = scene.jacobian(values, d, numbers)
                    if scene.is_zero(value):
                        return True
        return False

    def _limit(self, left: u.Term, op: str, right: u.Term) -> Outcome:
        """A limit, by following it in numbers under each reading."""
        outcomes: list[Outcome] = []
        for reading in self.base(left, right):
            if reading.immediate:  # over many steps an immediate partial is zero
                continue
            outcomes.append(approached(self, left, op, right, reading))
            if outcomes[-1].kind == "equal":
                return outcomes[-1]
        return _worst(outcomes)

    # ---- other relations -----------------------------------------------------------------

    def _unequal(self, left: u.Term, right: u.Term) -> Outcome:
        """≠ holds where the sides differ under a reading whose shapes fit.

        Of a chain rule that some read as an equality, the reading with immediate partials counts.
        """
        plain, chosen, equal = None, None, None
        for reading in self.base(left, right):
            outcome = self.test(left, right, reading, quick=True)
            if outcome.kind == "equal":
                equal = equal or outcome
            elif outcome.kind == "differ" and reading.immediate:
                chosen = chosen or outcome
            elif outcome.kind == "differ":
                plain = plain or outcome
        found = chosen or (plain if equal is None else None)
        if found is not None:
            return Outcome("equal", found.reading, cases=found.cases, points=1)
        if equal is not None:
            why = "both sides are equal"
            return Outcome("differ", equal.reading, why, scene=self.scene(self.main))
        return Outcome("cannot", Reading(), "the shapes do not fit")

    def _order(self, left: u.Term, op: str, right: u.Term) -> Outcome:
        """An inequality, by samples: they refute, or support."""
        sign = {"≪": "<", "≫": ">", "≲": "≤", "≳": "≥"}.get(op, op)
        outcomes: list[Outcome] = []
        for reading in self.base(left, right):
            outcome = self._sampled(left, sign, right, reading)
            if outcome.kind == "equal":
                return outcome
            outcomes.append(outcome)
        return _worst(outcomes)

    def _sampled(self, left: u.Term, op: str, right: u.Term, reading: Reading) -> Outcome:
        cases, ends = 0, frozenset[conditions.Border]()
        points = (*POINTS, *("",) * MORE_POINTS) if self.bounds else POINTS
        for seed, extreme in enumerate(points):
            scene = self.scene(3, True, reading.zero, seed, extreme=extreme)
            values = scene.values(reading)
            try:
                if not scene.allows(values, (*self.supposed, *self.bounds)):
                    continue
                choices = conditions.choices(scene, (left, right), self.conditions)
                wrong = []
                for numbers in choices:
                    every = {**scene.numbers, **numbers}
                    x, y = values.pair(values(left, every), values(right, every))
                    cases += 1
                    slack = scene.ar.mp.mpf(10) ** -AGREE
                    pairs = zip(np.ravel(x), np.ravel(y), strict=True)
                    if not all(_holds(a, op, b, slack) for a, b in pairs):
                        wrong.append(numbers)
                found = conditions.borders(scene, wrong, choices) if wrong else ()
                if wrong and not (found and all(b.other for b in found)):  # k = t may be left out
                    return Outcome("differ", reading, at=wrong[0], scene=scene, numeric=True)
                ends |= set(found)
            except MisfitError as error:
                return Outcome("misfit", reading, str(error))
            except (CannotError, NumbersNeededError) as error:
                if extreme == "steep":  # a logarithm of something negative, say
                    continue
                return Outcome("cannot", reading, str(error))
            except ZeroDivisionError:
                return Outcome("cannot", reading, "a denominator vanishes")
        if not cases:
            return Outcome("none", reading, "no index lies in the range")
        return Outcome(
            "equal", reading, cases=cases, points=len(POINTS), borders=tuple(ends), numeric=True,
            why="sampled",
        )  # fmt: skip

    def _proportional(self, left: u.Term, right: u.Term) -> Outcome:
        return Outcome("cannot", Reading(), "proportionality is not judged: to what factor?")


def _holds(a: Any, op: str, b: Any, slack: Any) -> bool:
    if op in ("≤", "≥"):
        return bool(a <= b + slack) if op == "≤" else bool(a + slack >= b)
    return compare(a, op, b)


def _worst(outcomes: list[Outcome]) -> Outcome:
    """What to tell, where no reading makes a claim true: a difference before a misfit."""
    for kind in ("differ", "misfit", "cannot", "none"):
        for outcome in outcomes:
            if outcome.kind == kind:
                if kind != "cannot" and any(o.kind == "cannot" for o in outcomes[:4]):
                    return next(o for o in outcomes if o.kind == "cannot")
                return outcome
    return Outcome("cannot", Reading(), "no reading could be tried")


def _alike(
    places: list[int], derivatives: list[u.Derivative], sides: tuple[u.Term, ...]
) -> list[frozenset[int]]:
    """Places where the same quantities stand, at whatever times: of s by W; no whole side."""
    whole = {s.start for s in sides if isinstance(s, u.Derivative)}
    groups: dict[Any, set[int]] = {}
    for d in derivatives:
        if d.start in places and d.start not in whole:
            key = getattr(d.of, "name", ""), *_varied(d)
            groups.setdefault(key, set()).add(d.start)
    return [frozenset(g) for g in groups.values()]


def _last_step(*sides: u.Term) -> int:
    """The greatest step that is named by its number, as s_3 and Σ_{t=1}^3 do."""
    found = [0]
    for x in (x for s in sides for x in u.walk(s)):
        times = [x.time] if isinstance(x, u.Leaf | u.Adjoint) else []
        times += [x.upper] if isinstance(x, u.Ranged) else []
        found += [t.constant for t in times if t is not None and not t.letters]
    return max(found)


def _consistent(
    sides: tuple[u.Term, ...],
    chosen: frozenset[int],
    derivatives: list[u.Derivative],
    every: list[int],
) -> bool:
    """Where a whole side is read as an immediate partial, so is each derivative by the same."""
    table = {d.start: d for d in derivatives}
    for side in sides:
        if isinstance(side, u.Derivative) and side.start in chosen:
            names = _varied(side)
            if any(p not in chosen and _varied(table[p]) == names for p in every):
                return False
    return True


def _varied(d: u.Derivative) -> list[str]:
    return [getattr(v, "name", "") for v in d.by]


def _has_row_inside(side: u.Term) -> bool:
    """Whether a derivative of a loss by a vector is a factor of something, or may be."""
    return any(isinstance(d, u.Defined) for d in u.walk(side)) or any(
        isinstance(d, u.Derivative) and d.kind == "∂" and d is not side
        and (isinstance(d.of, u.Loss) or (isinstance(d.of, u.Leaf) and d.of.name == "L"))
        and all(isinstance(v, u.Leaf) and v.time is not None for v in d.by)
        for d in u.walk(side)
    )  # fmt: skip
