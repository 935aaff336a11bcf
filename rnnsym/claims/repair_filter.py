"""Whether a patched formula can be true, at the price of what was changed.

Used by `repair` to leave out nearly all candidates before the judge is asked. Values of terms that
two candidates share are computed once.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from rnnsym.claims import conditions
from rnnsym.claims.blocks import Value
from rnnsym.claims.errors import MisfitError, SizeNeededError, TooLargeError
from rnnsym.claims.readings import Reading
from rnnsym.claims.repair_terms import Store
from rnnsym.claims.scene import Scene
from rnnsym.claims.value_sums import Numbers
from rnnsym.claims.values import Values
from rnnsym.errors import RnnsymError
from rnnsym.reader import terms as u
from rnnsym.reader.ranges import ENTRIES

#: the length of the point, and the lengths where only sums run over steps
STEPS, SUMMED = 4, (1, 2)
#: at most so many choices of indices at a point
MOST_CHOICES = 12
#: the length at which it shows whether a range counts down
LONGER = 4


class Memo(Values):
    """Values that remember those of every term of a store."""

    def __init__(self, scene: Scene, reading: Reading, store: Store) -> None:
        super().__init__(scene, scene.ar, scene._leaf, scene.truth.plain.total_loss, reading)
        self.store = store
        self.memo: dict[Any, Value | RnnsymError] = {}

    def __call__(self, term: u.Term, numbers: Numbers) -> Value:
        used = tuple(numbers.get(n) for n in self.store.letters(term))
        key = id(term), used, self.scene.identity_size
        found = self.memo.get(key)
        if found is None:
            try:
                found = super().__call__(term, numbers)
            except TooLargeError:
                raise
            except RnnsymError as error:
                found = error
            self.memo[key] = found
        if isinstance(found, RnnsymError):
            raise found
        return found


class SmallScene(Scene):
    """A point that need not look for the entries which a range might count."""

    store: Store

    def range(self, values: Values, term: u.Ranged, numbers: Numbers) -> tuple[int, int]:
        """The limits of a sum or product here."""
        if ENTRIES in term.upper.names or self.store.counts(term.body):
            return super().range(values, term, numbers)
        return values.number(term.lower, numbers), values.number(term.upper, numbers)


class Filter:
    """Whether a candidate can be true: both sides at small points, under some readings.

    Where only sums run over steps the first point has one step, which is soon done; the next has
    two. Where a formula is about a step t, there is one point with enough of them; where it speaks
    of steps in numbers, one of length steps, if that is given.
    """

    def __init__(
        self, judge: Any, sides: tuple[u.Term, u.Term], readings: Sequence[Reading], store: Store,
        numeric: bool, length: int = 0,
    ) -> None:  # fmt: skip
        self.judge, self.store, self.numeric = judge, store, numeric
        self.scenes: dict[tuple[int, bool], Scene] = {}
        free = {n for side in sides for n in store.letters(side)} - set(judge.scene(1).numbers)
        self.steps = (length,) if length else (STEPS,) if free else SUMMED
        self.choices: dict[Any, list[dict[str, int]]] = {}
        self.all = [
            (r, [Memo(self._scene(n, r.zero), r, store) for n in self.steps]) for r in readings
        ]
        alike = {self._looks(sides, memos[-1]): (r, memos) for r, memos in reversed(self.all)}
        self.readings = list(alike.values())[::-1]
        self._descending(sides)

    def _scene(self, steps: int, zero: bool) -> Scene:
        if (steps, zero) not in self.scenes:
            judge = self.judge
            scene = SmallScene(judge.net, judge.table, steps, judge.seed, self.numeric, zero)
            scene.deadline, scene.store = judge._deadline, self.store
            self.scenes[steps, zero] = scene
        return self.scenes[steps, zero]

    def _looks(self, sides: tuple[u.Term, u.Term], memo: Memo) -> Any:
        """What a reading makes of the derivatives: readings that look alike are one."""
        reading = memo.reading
        looks: list[Any] = [reading.with_(layout="", immediate=frozenset())]
        for x in (x for side in sides for x in u.walk(side)):
            if isinstance(x, u.Derivative):
                numbers = dict.fromkeys(u.letters(x), 2) | memo.scene.numbers
                try:
                    value = memo(x, numbers)
                    looks.append(str(value.m))
                except (RnnsymError, ZeroDivisionError) as error:
                    looks.append(str(error))
        return tuple(looks)

    def _descending(self, sides: tuple[u.Term, u.Term]) -> None:
        """Ranges that only ever count down are read so, as the judge does."""
        scene = self.judge.scene(LONGER)
        scene.trace.clear()
        choices = conditions.choices(scene, sides, self.judge.conditions)
        for reading, _ in self.readings[:2]:
            with suppress(RnnsymError, ZeroDivisionError):
                self.judge._over(scene, *sides, reading, choices)
        for place, pairs in scene.trace.items():
            if all(a >= b for a, b in pairs) and any(a > b + 1 for a, b in pairs):
                for mine in self.scenes.values():
                    mine.down.add(place)
        scene.trace.clear()

    def passing(self, sides: tuple[u.Term, u.Term], every: bool = False) -> list[Reading]:
        """The readings under which two sides agree at a point.

        every: also those that were alike before, but may not be for what a patch put in.
        """
        tried = self.all if every else self.readings
        return [r for r, memos in tried if all(self._agree(sides, m) for m in memos)]

    def _agree(self, sides: tuple[u.Term, u.Term], values: Memo) -> bool:
        scene = values.scene
        scene.identity_size = None
        try:
            return self._equal(sides, values)
        except SizeNeededError:
            for size in sorted({int(v) for v in scene.symbols.values()}):
                scene.identity_size = size
                if self._equal(sides, values):
                    return True
        return False

    def _equal(self, sides: tuple[u.Term, u.Term], values: Memo) -> bool:
        """Whether both sides are equal, but perhaps at one border of the steps."""
        compared = wrong = 0
        for numbers in self._choices(sides, values.scene):
            every = {**values.scene.numbers, **numbers}
            try:
                x, y = values.pair(values(sides[0], every), values(sides[1], every))
            except (SizeNeededError, TooLargeError):
                raise
            except MisfitError:
                return False
            except (RnnsymError, ZeroDivisionError):
                continue
            same = self.judge._same(values.scene, x, y)
            if not same and not compared:
                return False
            compared += same
            wrong += not same
            if wrong > 1:
                return False
        return compared > 0

    def _choices(self, sides: tuple[u.Term, u.Term], scene: Scene) -> list[dict[str, int]]:
        """The choices of the free indices, those inside of the steps first."""
        letters = {n for side in sides for n in self.store.letters(side)}
        ranges = (self.store.ranges(side) for side in sides) if letters else ()
        key = frozenset(letters), id(scene), frozenset().union(*ranges)
        if key not in self.choices:
            found = conditions.choices(scene, sides, self.judge.conditions)
            middle = (scene.steps + 1) / 2
            found.sort(key=lambda c: sum(abs(v - middle) for v in c.values()))
            self.choices[key] = found[:MOST_CHOICES]
        return self.choices[key]
