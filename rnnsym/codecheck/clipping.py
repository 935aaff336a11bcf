"""Bounds on gradients: whether they are clipped, to what, and whether that could be seen.

Part of the verdict, since clipping is a habit and no error, and of the diagnosis: wrong gradients
that are clipped too are compared with what a mutant gives after the same clipping. Where nearly
all entries lie at the bound, only signs could be compared: the function is called where gradients
are small, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnsym.codecheck.calm import AMOUNTS, WAYS
from rnnsym.codecheck.points import Point
from rnnsym.codecheck.runs import INSIDE, VANISHING, Run, ratio
from rnnsym.codecheck.survey import Setting, usable
from rnnsym.codecheck.words import Words
from rnnsym.errors import InputError
from rnnsym.network import Network
from rnnsym.verify.case import relative_error

Array = NDArray[Any]

#: the largest entry relative to its bound where gradients are small: what is a few times as large
#: is not clipped there either
QUIET = 0.2


@dataclass(frozen=True)
class Habit:
    """How gradients are clipped that are right otherwise: in words, to what, and whether that is
    the norm of all those in `group`, or each entry."""

    text: str
    bound: float
    group: tuple[str, ...] = ()


def bounds_of(
    names: Sequence[str], net: Network, runs: Sequence[Run], clip: float | bool | None
) -> dict[str, float]:
    """gradient -> the bound to which it is clipped elementwise, as returned, for those that are.

    A bound that is stated holds for every gradient that nowhere exceeds it. Else the largest
    entries of two calls with other data agree in all their digits by a bound only, unless the
    gradient is the same number always; where one is seen, smaller gradients by parameters have it.
    """
    found: dict[str, float] = {}
    stated = clip if isinstance(clip, int | float) and not isinstance(clip, bool) else np.inf
    for name in names:
        arrays = [r.outcome.gradients[name] for r in runs if name in r.outcome.gradients]
        top = max(map(_largest, arrays), default=0.0)
        if stated < np.inf and top <= stated * (1 + 1e-6):
            found[name] = stated
        elif top > 0 and _is_bound(top, arrays, name, runs):
            found[name] = top
    usual = Counter(found[n] for n in net.parameters if n in found).most_common(1)
    for name in net.parameters:
        if usual and name in names and name not in found:
            (bound, _), top = usual[0], max((_entry(r, name) for r in runs), default=0.0)
            if 0 < top <= bound:
                found[name] = bound
    return found


def _is_bound(top: float, arrays: Sequence[Array], name: str, runs: Sequence[Run]) -> bool:
    """Whether the largest entry of several calls is no chance."""
    there = [a for a in arrays if _largest(a) == top]
    if len(there) < 2 or all(np.array_equal(there[0], a) for a in there[1:]):
        return False
    if len({float(v) for a in arrays for v in np.abs(a).ravel()}) > 1:
        return True
    true = [r.point.true(name) / r.factor for r in runs if name in r.outcome.gradients]
    return all(
        a.shape == b.shape and relative_error(a, np.clip(b, -top, top)) < 1e-6
        for a, b in zip(arrays, true, strict=True)
    )


def _largest(array: Array) -> float:
    return float(np.max(np.abs(array), initial=0.0))


def _entry(run: Run, name: str) -> float:
    return _largest(run.outcome.gradients.get(name, np.zeros(0)))


def told_bounds(runs: Sequence[Run], names: Sequence[str], words: Words) -> list[str]:
    """Notes on what is clipped to what, as far as it is seen."""
    bounds = {n: float(f"{b:.8g}") for n, b in runs[0].bounds.items()}
    lines = []
    for bound in dict.fromkeys(bounds.values()):
        those = [n for n in names if bounds.get(n) == bound]
        if max((_entry(r, n) for r in runs for n in those), default=0.0) >= bound * (1 - 1e-6):
            by = "" if those == [*names] else f" by {words.listed(those)}"
            lines.append(f"gradients{by} are clipped elementwise to [-{bound:g}, {bound:g}]")
    return lines


def clipped(names: Sequence[str], runs: Sequence[Run], name: str) -> Habit | None:
    """How a gradient is clipped that is right otherwise; None if it is not."""
    odd = [r for r in runs if not r.right(name)]
    if not odd or any(r.gradient(name) is None for r in odd):
        return None
    bounds = {float(f"{_entry(r, name):.8g}") for r in odd}
    if len(bounds) == 1:
        (c,) = bounds
        if c > 0 and all(_equals(r, name, c) for r in runs):
            return Habit(f"clipped elementwise to [-{c:g}, {c:g}]", c)
    parameters = [n for n in names if n in runs[0].point.gradients]
    for group, whose in ((names, "all gradients"), (parameters, "all gradients by parameters"),
                         ([name], "each gradient")):  # fmt: skip
        norms = {float(f"{_norm(r, group):.6g}") for r in odd}
        shrunk = [ratio(r.gradient(name), r.point.true(name)) for r in odd]  # type: ignore[arg-type]
        if len(norms) == 1 and all(s is not None and 0 < s < 1 for s in shrunk):
            calm = [r for r in runs if r.right(name)]
            (c,) = norms
            if len(odd) > 1 or (calm and all(_norm(r, group) <= c for r in calm)):
                text = f"rescaled where the norm of {whose} exceeds {c:g}"
                return Habit(text, c, tuple(group))
    return None


def _equals(run: Run, name: str, bound: float) -> bool:
    bound *= run.factor
    return run.equals(name, np.clip(run.point.true(name), -bound, bound))


def _norm(run: Run, names: Sequence[str]) -> float:
    """The norm of what came back."""
    found = [run.outcome.gradients.get(n) for n in names]
    return float(np.sqrt(sum(float(np.sum(g * g)) for g in found if g is not None)))


def unseen(clip: float | bool | None, runs: Sequence[Run], words: Words) -> list[str]:
    """A note where what was said about clipping does not show at the points, or is not so."""
    tops: dict[str, float] = {}
    for run in runs:
        for name in run.outcome.gradients:
            tops[name] = max(tops.get(name, 0.0), _entry(run, name))
    if clip is None or not tops:
        return []
    largest = max(tops.values())
    if clip is False:
        return [f"nothing is clipped up to {largest:.3g}, the largest entry that comes back"]
    above = [n for n, top in tops.items() if top > clip * (1 + 1e-6)]
    if above:
        text = f"clip={clip:g} is stated, but entries up to {largest:.3g} come back"
        return [f"{text}: {words.listed(above)}"]
    if largest >= clip * (1 - 1e-6):
        return []
    return [f"clip={clip:g} does not show: the largest entry that comes back is {largest:.3g}"]


# ---- what a bound hides ------------------------------------------------------------------


class Hidden:
    """What cannot be seen of gradients because of their bounds, and points where it can."""

    def __init__(self, names: Sequence[str], runs: Sequence[Run]) -> None:
        self.names, self.runs = names, list(runs)
        self.bounds = {
            n: b
            for n, b in (runs[0].bounds if runs else {}).items()
            if max(_entry(r, n) for r in runs) >= b * (1 - 1e-6)
        }
        norms = {n: clipped(names, runs, n) for n in names if n not in self.bounds}
        self.norms = {n: h for n, h in norms.items() if h is not None and h.group}

    def clear(self, name: str, run: Run) -> bool | None:
        """Whether most entries of a gradient are below the bound at a point, or the norm is; None
        where the gradient is zero."""
        true = run.point.true(name)
        if name in self.norms:
            return _true_norm(run.point, self.norms[name]) <= self.norms[name].bound * run.factor
        counted = np.abs(true[np.abs(true) > VANISHING * run.scale])
        if name not in self.bounds or not counted.size:
            return None
        return float(np.mean(counted < self.bounds[name] * run.factor * INSIDE)) >= 0.5

    def calm_runs(self, setting: Setting) -> list[Run]:
        """The calls at which entries are at their bounds once more, where gradients are small."""
        found = []
        for run in self.runs:
            if any(self.clear(n, run) is False for n in self.names):
                factor = setting.runner.factor(run.point)
                point = _calm(setting, run.point, lambda p, f=factor: self._loudness(p, f))  # type: ignore[misc]
                again = None if point is None else setting.runner.at(point)
                if again is not None and usable(again.outcome):
                    found.append(again)
        return found

    def _loudness(self, point: Point, factor: float) -> float:
        """The largest entry or norm, relative to its bound."""
        entries = [_largest(point.true(n)) / b for n, b in self.bounds.items()]
        norms = [_true_norm(point, h) / h.bound for h in self.norms.values()]
        return max([*entries, *norms], default=0.0) / factor

    def hides(self, name: str, runs: Sequence[Run]) -> bool:
        """Whether a gradient is at its bound nearly everywhere, so that it cannot be judged."""
        seen = [(self.clear(name, r), r) for r in runs]
        told = [r for clear, r in seen if clear is not None]
        clear = [r for clear, r in seen if clear]
        if not told:
            return False
        long = any(r.point.steps > 1 for r in told) and all(r.point.steps == 1 for r in clear)
        return len(clear) < min(2, len(told)) or long


def _true_norm(point: Point, habit: Habit) -> float:
    return float(np.sqrt(sum(float(np.sum(point.true(n) ** 2)) for n in habit.group)))


def _calm(setting: Setting, point: Point, loudness: Callable[[Point], float]) -> Point | None:
    """A point like another one at which all gradients are well below their bounds, or as far
    below them as can be."""
    start = loudness(point)
    best, least = None, start
    for way in WAYS:
        before = start
        for amount in AMOUNTS:
            regime = replace(setting.regime, calm=(way, amount))
            try:
                other = setting.ground.point(*point.given, regime, point.batch)
                loud = loudness(other)
            except (InputError, ArithmeticError, ValueError):
                break
            if not loud < before:
                break  # this way leads nowhere
            before = loud
            if loud < least:
                best, least = other, loud
            if loud <= QUIET:
                return other
    return best
