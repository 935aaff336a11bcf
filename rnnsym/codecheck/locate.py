"""Where an error sits that nothing explains: the first step and the equation to look at.

Last part of the diagnosis. At T = 1 nothing is carried from step to step, so that what is wrong
there is wrong in an equation of one step; what is wrong from T = 2 on only, in what is carried.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sympy import MatrixExpr

from rnnsym.codecheck.report import Diagnosis
from rnnsym.codecheck.runs import Run
from rnnsym.codecheck.search import Search, carries
from rnnsym.codecheck.words import Words
from rnnsym.nodes import Adjoint, leaves

UNKNOWN = "wrong in a way that is not in the catalogue"


def last_resort(
    names: Sequence[str], runs: Sequence[Run], search: Search, words: Words
) -> dict[str, Diagnosis]:
    """For each gradient: the numbers at the first point, or that it follows from others.

    Gradients that share no equation in which the error may sit are located each for itself.
    """
    since = {n: min(r.point.steps for r in runs if not r.fits(n)) for n in names}
    suspects = Suspects(names, runs, search)
    found: dict[str, Diagnosis] = {}
    left = list(names)
    while left:
        first = min(since[n] for n in left)
        smallest = min(
            (n for n in left if since[n] == first), key=lambda n: runs[0].point.gradients[n].size
        )
        alike = [n for n in left if n == smallest or suspects.shared(n, smallest)]
        early = [n for n in alike if since[n] == first]
        lines = "; ".join(suspects.equations(early, first, words))
        text = numbers(smallest, runs, words) + (f". Compare with {lines}" if lines else "")
        others = words.listed(early)
        for name in alike:
            follows = f"{UNKNOWN}, from T = {since[name]} on: perhaps only through that of {others}"
            found[name] = Diagnosis((), text if name in early else follows)
        left = [n for n in left if n not in found]
    return found


def numbers(name: str, runs: Sequence[Run], words: Words) -> str:
    """The worst entry at the first point at which a gradient is wrong."""
    run = min((r for r in runs if not r.fits(name)), key=lambda r: r.point.steps)
    found, true = run.gradient(name), run.clip(name, run.point.true(name))
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


class Suspects:
    """The equations in which the errors of wrong gradients may sit.

    What other gradients read that are right everywhere is right; what is behind that, too.
    """

    def __init__(self, names: Sequence[str], runs: Sequence[Run], search: Search) -> None:
        self.search = search
        self.behind: dict[str, set[str]] = {n: set() for n in names}
        if search.catalogue is None:
            return
        self.subject = search.catalogue.subject
        gradients = self.subject.system.gradients
        right = [n for n in gradients if all(r.fits(n) for r in runs)]
        self.certain = {node for n in right for node in self._read(gradients[n])}
        for name in names:
            agenda = list(self._read(gradients[name]))
            while agenda:
                node = agenda.pop()
                if node not in self.behind[name] | self.certain:
                    self.behind[name].add(node)
                    agenda += self._read(self.subject.system.equations[node])

    @staticmethod
    def _read(e: MatrixExpr) -> list[str]:
        """The nodes whose adjoints stand in an expression."""
        return [d.of.name for d in dict.fromkeys(leaves(e, Adjoint))]

    def shared(self, one: str, other: str) -> bool:
        """Whether the errors of two gradients may be one error; unknown without equations."""
        if self.search.catalogue is None:
            return True
        return bool(self.behind[one] & self.behind[other])

    def _seen_before(self, name: str, first: int) -> bool:
        """Whether a gradient is right at a shorter length without being zero there."""
        shorter = [r.point for r in self.search.runs if r.point.steps < first]
        return any(np.any(point.gradients[name]) for point in shorter)

    def equations(self, names: Sequence[str], first: int, words: Words) -> list[str]:
        """The right equations of what is wrong first: in the gradients alone, where all that
        they read is certain."""
        if self.search.catalogue is None:
            return []
        right = self.subject.system
        behind = set[str]().union(*(self.behind[n] for n in names))
        own = [words.gradient(n, right.gradients[n]) for n in names]
        if not behind:
            return [line for line in own if line]
        if first > 1:
            nodes = [n for n in behind if carries(right, n)]
        else:
            users = [n for name in names for n in self._read(right.gradients[name])]
            nodes = [n for u in users for n in (u, *self.search.above(u)) if n in behind]
        lines = [words.adjoint(n, right.equations[n]) for n in self.subject.needed if n in nodes]
        if len(names) == 1 and not self._seen_before(names[0], first):
            lines = [*own, *lines]
        return [line for line in lines or own if line][:4]
