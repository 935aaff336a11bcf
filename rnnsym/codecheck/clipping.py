"""Bounds on gradients: whether they are clipped, to what, and whether that could be seen.

Part of the verdict, since clipping is a habit and no error, and of the diagnosis: wrong gradients
that are clipped too are compared with what a mutant gives after the same clipping.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnsym.codecheck.runs import Run, ratio

Array = NDArray[Any]


def bound_of(runs: Sequence[Run]) -> float | None:
    """The bound to which all gradients are clipped elementwise, as returned; None if there is none.

    The largest entries of two calls with other data agree in all their digits by a bound only,
    unless a gradient is the same number always.
    """
    outcomes = [r.outcome.gradients for r in runs]
    constant = {
        name
        for name in set().union(*outcomes)
        if len({float(v) for d in outcomes for v in np.abs(d.get(name, ())).ravel()}) < 2
    }
    largest = [
        max((_largest(g) for n, g in d.items() if n not in constant), default=0.0) for d in outcomes
    ]
    top = max(largest, default=0.0)
    return top if top > 0 and largest.count(top) > 1 else None


def _largest(array: Array) -> float:
    return float(np.max(np.abs(array), initial=0.0))


def clipped(names: Sequence[str], runs: Sequence[Run], name: str) -> str | None:
    """In words, how a gradient is clipped that is right otherwise; None if it is not."""
    odd = [r for r in runs if not r.right(name)]
    if not odd or any(r.gradient(name) is None for r in odd):
        return None
    bounds = {round(float(np.max(np.abs(r.gradient(name)))), 9) for r in odd}  # type: ignore[arg-type]
    if len(bounds) == 1:
        (c,) = bounds
        if c > 0 and all(r.equals(name, np.clip(r.point.true(name), -c, c)) for r in runs):
            return f"clipped elementwise to [-{c:g}, {c:g}]"
    for group, whose in ((names, "all gradients"), ([name], "each gradient")):
        norms = {round(_norm(r, group), 6) for r in odd}
        shrunk = [ratio(r.gradient(name), r.point.true(name)) for r in odd]  # type: ignore[arg-type]
        if len(norms) == 1 and all(s is not None and 0 < s < 1 for s in shrunk):
            calm = [r for r in runs if r.right(name)]
            (c,) = norms
            if len(odd) > 1 or (calm and all(_norm(r, group) <= c for r in calm)):
                return f"rescaled where the norm of {whose} exceeds {c:g}"
    return None


def unseen(clip: float | bool | None, runs: Sequence[Run]) -> list[str]:
    """A note where what was said about clipping does not show at the points, or is not so."""
    found = [g for r in runs for g in r.outcome.gradients.values()]
    if clip is None or not found:
        return []
    largest = max(map(_largest, found))
    if clip is False:
        return [f"nothing is clipped up to {largest:.3g}, the largest entry that comes back"]
    if abs(largest / clip - 1) < 1e-6:
        return []
    if largest > clip:
        return [f"clip={clip:g} is stated, but entries up to {largest:.3g} come back"]
    return [f"clip={clip:g} does not show: the largest entry that comes back is {largest:.3g}"]


def _norm(run: Run, names: Sequence[str]) -> float:
    found = [run.gradient(n) for n in names]
    return float(np.sqrt(sum(float(np.sum(g * g)) for g in found if g is not None)))
