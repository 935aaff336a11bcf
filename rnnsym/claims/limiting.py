"""Limits, lim_{T → ∞} ∂h⟨T⟩/∂h⟨1⟩ = 0: followed in numbers, for small, large and idle weights.

Used by `judge`. What is found can refute a limit, and support it; where it holds for some weights
only, it is said so. Nothing is proved here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from rnnsym.claims.deciding import Deciding, Outcome
from rnnsym.claims.errors import CannotError, MisfitError, NoValueError, NumbersNeededError
from rnnsym.claims.readings import Reading
from rnnsym.claims.scene import Scene
from rnnsym.reader import terms as u
from rnnsym.reader.indices import Index

#: numbers of steps, each twice the one before; the others of the indices are one of FIRST
STEPS, FIRST = (5, 10, 20), (1, 2, 0)
#: how far variables go: to 10^5 (functions take no more), or as near as 10^-8
FAR, NEAR = range(1, 6), range(1, 9)
#: what has come as near as this is there; what goes on like this gets there, or nowhere
THERE, ON, NOWHERE = 1e-9, 0.75, 0.95
#: the points: how large the weights are (see `ground`), in words
WEIGHTS = {"shrinking": "small", "usual": "of usual size", "growing": "large",
           "still": "large, and nothing moves the states"}  # fmt: skip


@dataclass(frozen=True)
class Followed:
    """What came of one limit at one point: whether it is reached (None: it cannot be told), how
    large the weights are, and what the limit is of at the last place, in words."""

    holds: bool | None
    weights: str
    last: str


def is_limit(*sides: u.Term) -> bool:
    """Whether a side is a limit."""
    return any(isinstance(x, u.Limit) for x in sides)


def approached(judge: Deciding, left: u.Term, op: str, right: u.Term, reading: Reading) -> Outcome:
    """Whether a side comes to the other, where one of them is a limit."""
    limit, other = (left, right) if isinstance(left, u.Limit) else (right, left)
    assert isinstance(limit, u.Limit)
    if op not in ("=", "≠", "≈", ":="):
        return Outcome("cannot", reading, f"a limit beside {op} is not judged")
    found: list[Followed] = []
    try:
        for seed, weights in enumerate(WEIGHTS):
            scene = judge.scene(3, True, reading.zero, seed, extreme=weights)
            if scene.allows(scene.values(reading), judge.supposed):
                found.append(_followed(judge, limit, other, reading, seed, weights))
    except MisfitError as error:
        return Outcome("misfit", reading, str(error))
    except (CannotError, NumbersNeededError) as error:
        return Outcome("cannot", reading, str(error))
    except ZeroDivisionError:
        return Outcome("cannot", reading, "a denominator vanishes")
    endless = _infinite(other) != 0 and isinstance(limit.variable, Index)
    return _told(found, op, reading, endless)


def _told(found: list[Followed], op: str, reading: Reading, endless: bool) -> Outcome:
    """All points together."""
    if not found:
        return Outcome("cannot", reading, "no weights that are tried fulfil the condition")
    if any(x.holds is None for x in found):
        return Outcome("cannot", reading, "it does not settle within the steps that are tried")
    reached = [x for x in found if x.holds == (op != "≠")]
    missed = [x for x in found if x not in reached]
    if not missed:
        return Outcome("equal", reading, cases=len(found), points=1, numeric=True, why="sampled")
    if reached:
        yes, no = (", ".join(x.weights for x in part) for part in (reached, missed))
        why = f"it hangs on the weights: it holds where they are {yes}; not where they are {no}"
        return Outcome("cannot", reading, why)
    if endless:
        return Outcome("cannot", reading, "it does not grow for any of the weights that are tried")
    return Outcome("differ", reading, missed[0].last, numeric=True)


def _followed(
    judge: Deciding, limit: u.Limit, other: u.Term, reading: Reading, seed: int, weights: str
) -> Followed:
    """One limit at one point, from each of its sides."""
    sides = (1, -1) if limit.side == 0 else (limit.side,)
    holds: list[bool | None] = []
    last = ""
    for side in sides:
        gaps: list[Any] = []
        there = ""
        for place, scene, numbers in _places(judge, limit, reading, seed, weights, side):
            gap, value = _gap(scene, scene.values(reading), limit.body, other, numbers)
            gaps.append(gap)
            there = f"it is {scene.ar.mp.nstr(value, 6)} at {place}"
        holds.append(_settled(gaps, _infinite(other)))
        last = last if holds[-1] else there
    whole = None if None in holds else all(holds)
    return Followed(whole, WEIGHTS[weights], last)


def _places(
    judge: Deciding, limit: u.Limit, reading: Reading, seed: int, weights: str, side: int
) -> Iterator[tuple[str, Scene, dict[str, int]]]:
    """The places on the way in words, each with the numbers of its indices."""
    if isinstance(limit.variable, Index):
        going = {str(n): c for n, c in limit.variable.letters}
        for steps in STEPS:
            scene = judge.scene(steps, True, reading.zero, seed, extreme=weights)
            known = {n: steps if c > 0 else 1 for n, c in going.items()}
            place = ", ".join(f"{n} = {k}" for n, k in known.items())
            yield place, scene, _chosen(scene, limit.body, reading, {**scene.numbers, **known})
        return
    scene = judge.scene(3, True, reading.zero, seed, extreme=weights)
    numbers: dict[str, int] = {}
    for power in FAR if limit.towards is None else NEAR:
        if limit.towards is None:
            number: Any = side * 10**power
        else:
            number = limit.towards + side * Fraction(1, 10**power)
        exact = Fraction(number)
        scene.let(limit.variable, scene.ar.mp.mpf(exact.numerator) / exact.denominator)
        numbers = numbers or _chosen(scene, limit.body, reading, scene.numbers)
        shown = f"{float(exact):g}"
        yield f"{limit.variable} = {shown}", scene, numbers


def _chosen(
    scene: Scene, body: u.Term, reading: Reading, numbers: dict[str, int]
) -> dict[str, int]:
    """The numbers with one for each other index at which the body has a value."""
    free = sorted(u.letters(body) - set(numbers))
    for first in FIRST:
        chosen = {**numbers, **dict.fromkeys(free, first)}
        try:
            scene.values(reading)(body, chosen)
        except NoValueError:
            continue
        return chosen
    raise CannotError("no index lies in the range")


def _gap(
    scene: Scene, values: Any, body: u.Term, other: u.Term, numbers: dict[str, int]
) -> tuple[Any, Any]:
    """How far the body is from the other side (where that is ±∞: the body itself), and its entry
    that is farthest."""
    sign = _infinite(other)
    if sign:
        m = values(body, numbers).m
        if m.shape != (1, 1):
            raise MisfitError("a matrix does not go to ∞: a norm of it may")
        return sign * m[0, 0], m[0, 0]
    x, y = values.pair(values(body, numbers), values(other, numbers))
    scale = max([scene.ar.mp.mpf(1), *(abs(v) for v in np.ravel(y))])
    gaps = [abs(d) / scale for d in np.ravel(x - y)]
    worst = max(range(len(gaps)), key=gaps.__getitem__)
    return gaps[worst], np.ravel(x)[worst]


def _settled(gaps: list[Any], endless: int) -> bool | None:
    """Whether gaps close, or numbers grow without end; None where that cannot be told."""
    *_, third, second, last = gaps
    if endless:
        growing = third < second < last
        return growing and last - second >= NOWHERE * (second - third)
    if last <= THERE:
        return True
    if last <= ON * second and second <= ON * third:
        return True
    return False if last >= NOWHERE * second else None


def _infinite(term: u.Term) -> int:
    """1 for ∞, -1 for -∞, else 0."""
    if isinstance(term, u.Constant) and term.kind == "infinity":
        return 1
    if isinstance(term, u.Sum) and len(term.terms) == 1:
        sign, inner = term.terms[0]
        return sign * _infinite(inner)
    return 0
