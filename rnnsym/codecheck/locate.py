"""Where an error sits that nothing explains: the first step and the equation to look at.

Last part of the diagnosis. At T = 1 nothing is carried from step to step, so that what is wrong
there is wrong in an equation of one step; what is wrong from T = 2 on only, in what is carried.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnnsym.codecheck.report import Diagnosis
from rnnsym.codecheck.runs import Run
from rnnsym.codecheck.search import Search, carries
from rnnsym.codecheck.words import Words

UNKNOWN = "wrong in a way that is not in the catalogue"


def last_resort(
    names: Sequence[str], runs: Sequence[Run], search: Search, words: Words
) -> dict[str, Diagnosis]:
    """For each gradient: the numbers at the first point, or that it follows from others."""
    since = {n: min(r.point.steps for r in runs if not r.fits(n)) for n in names}
    first = min(since.values(), default=0)
    early = [n for n in names if since[n] == first]
    if not early:
        return {}
    smallest = min(early, key=lambda n: runs[0].point.gradients[n].size)
    lines = "; ".join(_equations(early, first, search, words))
    text = numbers(smallest, runs, words) + (f". Compare with {lines}" if lines else "")
    found = {n: Diagnosis((), text) for n in early}
    others = ", ".join(words.name(n) for n in early)
    for name in names:
        if name not in found:
            follows = f"{UNKNOWN}, from T = {since[name]} on: perhaps only through that of {others}"
            found[name] = Diagnosis((), follows)
    return found


def numbers(name: str, runs: Sequence[Run], words: Words) -> str:
    """The worst entry at the first point at which a gradient is wrong."""
    run = min((r for r in runs if not r.fits(name)), key=lambda r: r.point.steps)
    found, true = run.gradient(name), run.point.true(name)
    if found is None or found.shape != true.shape:
        shape = None if found is None else found.shape
        return f"{UNKNOWN}: of shape {shape}, should be {true.shape}"
    place = np.unravel_index(int(np.argmax(np.abs(found - true))), true.shape)
    at = ", ".join(str(int(i)) for i in place)
    return (
        f"{UNKNOWN}: at {run.point.label}, d{words.name(name)}[{at}] is {found[place]:.6g}, "
        f"should be {true[place]:.6g}{_nothing(name, runs)}"
    )


def lengths(runs: Sequence[Run]) -> str:
    """The lengths of some calls."""
    return f"T = {', '.join(map(str, sorted({r.point.steps for r in runs})))}"


def _nothing(name: str, runs: Sequence[Run]) -> str:
    """Where a gradient is zero that should not be."""
    zero = [r for r in runs if not r.fits(name) and not np.any(r.gradient(name))]
    return f"; it is zero at {lengths(zero)}" if zero else ""


def _equations(names: Sequence[str], first: int, search: Search, words: Words) -> list[str]:
    """The right equations of what is wrong first."""
    if search.catalogue is None:
        return []
    subject = search.catalogue.subject
    right = subject.system
    behind = {n for n in subject.needed if any(subject.depends(p, n) for p in names)}
    if first > 1:
        carried = [n for n in behind if carries(right, n)]
        lines = [words.adjoint(n, right.equations[n]) for n in subject.needed if n in carried]
    else:
        users = {
            node
            for node, weights in subject.derived.parameters_of.items()
            if any(w.name in names for w in weights)
        }
        chain = {d for u in users for d in search.above(u)}
        nodes = [n for n in subject.needed if n in users | chain]
        lines = [words.adjoint(n, right.equations[n]) for n in nodes]
        if len(names) == 1:
            lines = [words.gradient(names[0], right.gradients[names[0]]), *lines]
    return [line for line in lines if line][:4]
