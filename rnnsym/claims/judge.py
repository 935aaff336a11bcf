"""Judges a claim: is it true of a network, under which reading, and if not, where not?

Takes terms from the reader. The exact identity test decides: both sides are evaluated at random
points of a finite field, at several lengths and sizes, derivatives by dual numbers through the
forward equations. What the field does not have (norms, orders, relations between functions) is
compared in 50-digit numbers.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np

from rnnsym.claims import conditions
from rnnsym.claims.alternatives import further
from rnnsym.claims.conditions import Border, Condition
from rnnsym.claims.errors import (
    CannotError,
    MisfitError,
    NoValueError,
    NumbersNeededError,
    SizeNeededError,
    TooLargeError,
)
from rnnsym.claims.ground_functions import EXTRA
from rnnsym.claims.meanings import meanings
from rnnsym.claims.readings import LAYOUTS, Reading
from rnnsym.claims.scene import Scene, compare
from rnnsym.errors import RnnsymError
from rnnsym.reader import terms as u
from rnnsym.reader.indices import Index
from rnnsym.reader.series import from_one
from rnnsym.reader.table import Table

#: lengths at which a claim is tested: first the main one
MAIN, MORE = 4, (1, 2, 3, 5, 8)
#: the longest sequence that a condition may ask for
LONGEST = 12
#: a network of more equations is tested at fewer lengths
LARGE = 14
#: 50-digit numbers that agree to so many are taken for equal
AGREE = 30
#: places that are read as immediate partials one by one, and those that are looked at
MAX_IMMEDIATE, MAX_AMBIGUOUS = 6, 24
#: meanings of customary names that are tried together with what else custom leaves open
MAX_MEANT = 12
#: the points at which an inequality is tried: any, steep functions, small weights
POINTS = ("", "", "", "", "steep", "steep", "small", "small")
#: the most steps that a sum is written out for
MAX_WRITTEN = 6
#: ways to divide zeros among several blocks that are tried
MAX_SPLITS = 30


@dataclass
class Outcome:
    """What came out for one reading: kind is "equal", "differ", "misfit" or "cannot"."""

    kind: str
    reading: Reading
    why: str = ""
    at: Mapping[str, int] | None = None
    scene: Scene | None = None
    cases: int = 0
    points: int = 0
    borders: tuple[Border, ...] = ()
    numeric: bool = False
    idle: bool = False  # both sides vanish at every choice of the main point

    @property
    def limited(self) -> str:
        """In words, for which steps a claim holds that fails at the first or the last one."""
        return ", ".join(b.words for b in self.borders if b.words)


@dataclass
class Judge:
    """Judges relations between terms, of one network and table.

    net: None for identities of functions alone. explicit: ∂⁺ is written where it is meant, so
    that ∂ is the total derivative. conditions: ranges of index letters that the text states.
    """

    net: Any
    table: Table
    explicit: bool = False
    conditions: tuple[Condition, ...] = ()
    seed: int = 0
    seconds: float = 10.0
    thorough: bool = True  # two things that custom leaves open are tried together, too
    vanishing: bool = False  # something is said to be zero: ∂ may be a partial that is
    _scenes: dict[Any, Scene] = field(default_factory=dict)

    def scene(
        self,
        steps: int,
        numeric: bool = False,
        zero: bool = False,
        seed: int = 0,
        wide: bool = False,
        extreme: str = "",
    ) -> Scene:
        """A point, made once."""
        key = steps, numeric, zero, seed, wide, extreme
        if key not in self._scenes:
            self._scenes[key] = Scene(
                self.net, self.table, steps, self.seed + seed, numeric, zero,
                _sizes(self.net, wide) if wide else None, extreme,
            )  # fmt: skip
            self._scenes[key].deadline = self._deadline
        return self._scenes[key]

    def __post_init__(self) -> None:
        self._deadline = time.monotonic() + self.seconds

    @property
    def lengths(self) -> set[str]:
        """The letters that stand for lengths of sequences."""
        return {"T", *(self.net.lengths if self.net is not None else ()), *self.table.lengths}

    @cached_property
    def main(self) -> int:
        """The length at which a claim is tested first, if its conditions say nothing else."""
        said = {abs(x.constant) for c in self.conditions for x in (c.left, c.right)}
        lengths = (MAIN, *reversed(MORE), *sorted(n for n in said if 0 < n <= LONGEST))
        return next((n for n in lengths if self._allows(n)), MAIN)

    def _allows(self, length: int) -> bool:
        """Whether the conditions allow sequences of a length."""
        names = self.lengths
        numbers = dict.fromkeys(names, length)
        only = [c for c in self.conditions if {*c.left.names, *c.right.names} <= names]
        return all(c.holds(numbers) for c in only)

    # ---- one relation --------------------------------------------------------------------

    def relation(self, left: u.Term, op: str, right: u.Term) -> Outcome:
        """Whether left op right; the first reading that makes it true, or why none does.

        Raises TooLargeError where that takes more than the limits allow.
        """
        if op in ("<", ">", "≤", "≥", "≪", "≫", "≲", "≳"):
            return self._order(left, op, right)
        if op == "∝":
            return self._proportional(left, right)
        if op == "≠":
            return self._unequal(left, right)
        if op not in ("=", ":=", "≈", "←"):
            return Outcome("cannot", Reading(), f"the relation {op} is not judged")
        return self._equal(left, right)

    def _equal(self, left: u.Term, right: u.Term) -> Outcome:
        outcomes: list[Outcome] = []
        plain, meant = self.base(left, right), meanings(self.net, self.table, left, right)
        base = [reading.with_(meant=m) for m in meant for reading in plain]
        for reading in base:
            outcomes.append(self.test(left, right, reading))
            if outcomes[-1].kind == "equal":
                return outcomes[-1]
        fitting = [o.reading for o in outcomes if o.kind not in ("misfit", "cannot")]
        for changes in further(self, (left, right), bool(fitting)):
            for reading in (fitting or base)[: 8 * min(len(meant), MAX_MEANT)]:
                outcome = self.test(left, right, reading.with_(**changes))
                if outcome.kind == "equal":
                    return outcome
                outcomes.append(outcome)
        return self._of_some_length(left, right, fitting) or _worst(outcomes)

    def _of_some_length(
        self, left: u.Term, right: u.Term, fitting: list[Reading]
    ) -> Outcome | None:
        """A sum that is written out for n steps, or up to step n, is of a sequence of n steps."""
        last = _last_step(left, right)
        summed = any(isinstance(x, u.Loss | u.Ranged) for s in (left, right) for x in u.walk(s))
        if not 1 < last <= MAX_WRITTEN or not summed or not self._allows(last):
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

    # ---- one reading ---------------------------------------------------------------------

    def test(self, left: u.Term, right: u.Term, reading: Reading, quick: bool = False) -> Outcome:
        """Whether two sides are equal under one reading, at several points."""
        if reading.whole:
            left = _of_the_whole(left)
        if reading.zero_based:
            left, right = (from_one(side, self.lengths) for side in (left, right))
        try:
            outcome = self._at(self.scene(self.main, zero=reading.zero), left, right, reading)
            if outcome.kind != "equal" or quick:
                return self._numerically(outcome, left, right, reading)
            small = self.net is not None and len(self.net.equations) <= LARGE
            lengths = [n for n in (MORE if small else MORE[:4]) if self._allows(n)]
            plans = [(n, 1, False) for n in lengths]
            plans.append((3 if self._allows(3) else self.main, 2, True))
            if not u_free(left, right):
                plans = [(3, 1, True)]
            first: Outcome | None = None
            for steps, seed, wide in plans:
                other = self._at(
                    self.scene(steps, zero=reading.zero, seed=seed, wide=wide),
                    left,
                    right,
                    reading,
                    outcome.borders,
                )
                if other.kind == "differ" and steps == 1 and not outcome.borders:
                    first = other  # δ⟨T⟩ + … + δ⟨1⟩ means two terms at least
                    continue
                if other.kind == "differ":
                    return other
                if other.kind == "equal":
                    outcome.cases += other.cases
                    outcome.points += 1
            if first is not None:
                outcome.borders = (Border("T", False, 1),)
            return outcome
        except NumbersNeededError:
            return self._in_numbers(left, right, reading)
        except CannotError as error:
            return Outcome("cannot", reading, str(error))
        except ZeroDivisionError:
            return Outcome("cannot", reading, "a denominator vanishes")

    def _at(
        self,
        scene: Scene,
        left: u.Term,
        right: u.Term,
        reading: Reading,
        outside: tuple[Border, ...] = (),
    ) -> Outcome:
        """Both sides at one point, for every choice of the free indices but those outside."""
        choices = [
            c
            for c in conditions.choices(scene, (left, right), self.conditions)
            if not any(b.excludes(c, scene.steps) for b in outside)
        ]
        if not choices:
            return Outcome("none", reading, "no index lies in the range")
        scene.identity_size = scene.split = None
        try:
            outcome = self._over(scene, left, right, reading, choices)
        except SizeNeededError:
            outcome = self._with_sizes(scene, left, right, reading, choices)
        if outcome.kind == "differ" and self._descends(scene):
            outcome = self._over(scene, left, right, reading, choices)
            if outcome.kind != "equal":
                scene.down.clear()
        return outcome

    def _with_sizes(
        self,
        scene: Scene,
        left: u.Term,
        right: u.Term,
        reading: Reading,
        choices: list[dict[str, int]],
    ) -> Outcome:
        """Both sides, where the sizes of blocks of zeros and of I are found by trial."""
        outcome = Outcome("cannot", reading, "the sizes of blocks are not determined")
        for size in scene.block_sizes:
            scene.identity_size, scene.splits, tried = size, 1, 0
            while tried < min(scene.splits, MAX_SPLITS):
                scene.split = tried
                found = self._over(scene, left, right, reading, choices)
                if found.kind == "equal":
                    return found
                if outcome.kind != "differ":
                    outcome = found
                tried += 1
        return outcome

    def _descends(self, scene: Scene) -> bool:
        """Whether some range only ever counts down; it is then read so."""
        found = {
            place
            for place, pairs in scene.trace.items()
            if all(a >= b for a, b in pairs) and any(a > b + 1 for a, b in pairs)
        }
        scene.trace.clear()
        new = found - scene.down
        scene.down |= found
        return bool(new)

    def _over(
        self,
        scene: Scene,
        left: u.Term,
        right: u.Term,
        reading: Reading,
        choices: list[dict[str, int]],
    ) -> Outcome:
        values = scene.values(reading)
        wrong: list[dict[str, int]] = []
        skipped: list[str] = []
        idle = True  # where both sides vanish throughout, nothing can be told
        # from everywhere, so that a difference shows soon that is not just at the border
        mixed = random.Random(len(choices)).sample(choices, len(choices))
        free = [n for n in choices[0] if len({c[n] for c in choices}) > 1] if choices else []
        for numbers in mixed:
            every = {**scene.numbers, **numbers}
            try:
                a, b = values(left, every), values(right, every)
                b = values.part(b, values.shape(a)) if reading.part else b
                x, y = values.pair(a, b)
            except MisfitError as error:
                return Outcome("misfit", reading, str(error), numbers, scene)
            except NoValueError as error:  # such indices are not meant
                skipped.append(str(error))
                continue
            same = self._same(scene, x, y)
            if same:
                idle = idle and "zero" not in (a.kind, b.kind) and scene.is_zero(x)
            if not same:
                wrong.append(numbers)
                if len(wrong) > 2 and _is_spread(wrong, free):
                    break  # it is not just the border
        if not choices:
            return Outcome("none", reading, "no index lies in the range")
        if len(skipped) == len(choices):
            return Outcome("cannot", reading, skipped[0])
        void = self._void(scene, values, left, right) if not wrong and reading.meant else ""
        if void:
            return Outcome("cannot", reading, f"{void} is zero at every step: nothing can be told")
        if not wrong:
            cases = len(choices) - len(skipped)
            return Outcome(
                "equal", reading, cases=cases, points=1, numeric=scene.numeric, idle=idle
            )
        found = () if idle else conditions.borders(scene, wrong, choices)
        own = all(b.other for b in found) and _of_one_loss(left, right)
        # what a name means does not change at the last step
        if found and (not reading.meant or own):
            return Outcome("equal", reading, cases=len(choices), points=1, borders=found)
        return Outcome(
            "differ", reading, at=wrong[0], scene=scene, cases=len(choices), numeric=scene.numeric
        )

    def _void(self, scene: Scene, values: Any, *sides: u.Term) -> str:
        """A gradient with a customary name that vanishes throughout, as where the network found
        has no loss that depends on it."""
        for x in {
            x.label: x for s in sides for x in u.walk(s) if isinstance(x, u.Adjoint)
        }.values():
            found = []
            for step in range(1, scene.steps + 1):
                try:
                    at = replace(x, time=Index(step), loss=x.loss and Index(scene.steps))
                    found.append(scene.is_zero(values(at, scene.numbers).m))
                except CannotError:
                    continue
            if found and all(found):
                return x.label
        return ""

    def _same(self, scene: Scene, x: Any, y: Any) -> bool:
        if not scene.numeric:
            return bool(x == y)
        mp = scene.ar.mp
        scale = max([mp.mpf(1), *(abs(v) for v in np.ravel(y))])
        return all(abs(d) <= scale * mp.mpf(10) ** -AGREE for d in np.ravel(x - y))

    def _numerically(
        self, outcome: Outcome, left: u.Term, right: u.Term, reading: Reading
    ) -> Outcome:
        """A difference in the field, looked at again in numbers where functions are related."""
        applied = [x for s in (left, right) for x in u.walk(s) if isinstance(x, u.Apply)]
        functions = {x.function for x in applied}
        related = functions & {"exp", "log", *EXTRA} or len(functions) > 1
        numbers = any(isinstance(x.argument, u.Num | u.Constant) for x in applied)  # tanh′(0)
        if outcome.kind != "differ" or not (related or numbers):
            return outcome
        found = self._in_numbers(left, right, reading)
        return found if found.kind == "equal" else outcome

    def _in_numbers(self, left: u.Term, right: u.Term, reading: Reading) -> Outcome:
        """Both sides in 50-digit numbers, at three points."""
        cases = 0
        try:
            for seed, length in ((0, 3), (1, 3), (2, 4)):
                steps = length if self._allows(length) else self.main
                outcome = self._at(
                    self.scene(steps, True, reading.zero, seed), left, right, reading
                )
                cases += outcome.cases
                if outcome.kind != "equal":
                    return outcome
        except (CannotError, NumbersNeededError) as error:
            return Outcome("cannot", reading, str(error))
        except ZeroDivisionError:
            return Outcome("cannot", reading, "a denominator vanishes")
        return Outcome("equal", reading, cases=cases, points=3, numeric=True)

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
        cases = 0
        for seed, extreme in enumerate(POINTS):
            scene = self.scene(3, True, reading.zero, seed, extreme=extreme)
            values = scene.values(reading)
            try:
                choices = conditions.choices(scene, (left, right), self.conditions)
                for numbers in choices:
                    every = {**scene.numbers, **numbers}
                    x, y = values.pair(values(left, every), values(right, every))
                    cases += 1
                    slack = scene.ar.mp.mpf(10) ** -AGREE
                    pairs = zip(np.ravel(x), np.ravel(y), strict=True)
                    if not all(_holds(a, op, b, slack) for a, b in pairs):
                        return Outcome("differ", reading, at=numbers, scene=scene, numeric=True)
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
            "equal", reading, cases=cases, points=len(POINTS), numeric=True, why="sampled"
        )

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


def _is_spread(wrong: list[dict[str, int]], free: list[str]) -> bool:
    """Whether choices of indices vary in each, and in how far any two are apart."""
    if any(len({w[n] for w in wrong}) < 2 for n in free):
        return False
    return all(len({w[a] - w[b] for w in wrong}) > 1 for a, b in combinations(free, 2))


def _of_one_loss(*sides: u.Term) -> bool:
    """Whether derivatives of the loss of a single step stand in a claim."""
    nodes = [x for s in sides for x in u.walk(s)]
    named = any(isinstance(x, u.Adjoint) and x.loss is not None for x in nodes)
    return named or any(
        isinstance(x, u.Derivative) and isinstance(x.of, u.Leaf) and x.of.name == "L" for x in nodes
    )


def _of_the_whole(left: u.Term) -> u.Term:
    return replace(left, of=u.Loss()) if isinstance(left, u.Derivative) else left


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


def u_free(*sides: u.Term) -> bool:
    """Whether any quantity of the network stands in a claim."""
    return any(isinstance(x, u.Leaf | u.Loss | u.Defined) for s in sides for x in u.walk(s))


def _sizes(net: Any, wide: bool) -> dict[str, int]:
    """Sizes in another order of magnitude: the largest first."""
    names = [n for n in net.sizes if n not in {str(c) for c in net.chunks}]
    return {name: len(names) + 1 - i for i, name in enumerate(names)}
