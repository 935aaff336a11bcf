"""One relation under one reading: both sides at several points, equal or not.

Used by `judge`. The exact identity test decides: random points of a finite field, several lengths
and sizes, derivatives by dual numbers through the forward equations. What the field does not have
(norms, orders, relations between functions) is compared in 50-digit numbers.
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
from rnnsym.claims.conditions import Border, Condition
from rnnsym.claims.errors import (
    CannotError,
    MisfitError,
    NoValueError,
    NumbersNeededError,
    SizeNeededError,
)
from rnnsym.claims.ground_functions import EXTRA
from rnnsym.claims.readings import Reading
from rnnsym.claims.scene import Scene
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
class Deciding:
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
    supposed: tuple[u.Claim, ...] = ()  # what weights are like, where a claim is meant
    bounds: tuple[u.Claim, ...] = ()  # in which ranges the document has its numbers, 0 < α < 1
    vanishing: bool = False  # something is said to be zero: ∂ may be a partial that is
    _scenes: dict[Any, Scene] = field(default_factory=dict)
    _chosen: dict[Any, tuple[u.Term, u.Term, list[dict[str, int]]]] = field(default_factory=dict)

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
        self._deadline = time.process_time() + self.seconds

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
        every = self._choices(scene, left, right)
        choices = [c for c in every if not any(b.excludes(c, scene.steps) for b in outside)]
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

    def _choices(self, scene: Scene, left: u.Term, right: u.Term) -> list[dict[str, int]]:
        """The choices of the free indices, found once for two sides: readings do not change them.

        Kept by the sides themselves, which are held so that no others get their identity.
        """
        key = id(scene), id(left), id(right)
        if key not in self._chosen:
            found = conditions.choices(scene, (left, right), self.conditions)
            self._chosen[key] = left, right, found
        return self._chosen[key][2]

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


def u_free(*sides: u.Term) -> bool:
    """Whether any quantity of the network stands in a claim."""
    return any(isinstance(x, u.Leaf | u.Loss | u.Defined) for s in sides for x in u.walk(s))


def _sizes(net: Any, wide: bool) -> dict[str, int]:
    """Sizes in another order of magnitude: the largest first."""
    names = [n for n in net.sizes if n not in {str(c) for c in net.chunks}]
    return {name: len(names) + 1 - i for i, name in enumerate(names)}
