"""The catalogue of mutations, held against the numbers of a user's gradients.

Second part of the diagnosis. A mutant explains a gradient if it has its value at one point, and
then at others; of several that do, the one that explains most of the wrong gradients and no right
one is told. Where none does, two mutations at once are tried for a limited time.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnsym.codecheck.ground import SAME, Change, Ground, Table, change_of
from rnnsym.codecheck.points import MAIN
from rnnsym.codecheck.report import Diagnosis, Sensitivity
from rnnsym.codecheck.runs import TOLERANCE, Run
from rnnsym.codecheck.simple import Factor, named_factor
from rnnsym.codecheck.words import Words
from rnnsym.nodes import Adjoint, TimeSum, TimeVector, leaves, t
from rnnsym.verify.adjoints import System
from rnnsym.verify.mutations import KINDS, Catalogue, Mutant

Array = NDArray[Any]

#: seconds of computing time for pairs of mutations
PAIR_SECONDS = 4.0


#: the kinds that are about one summand of an equation, and what is said of it
OF_A_TERM = {
    "missing contribution": "is missing in",
    "contribution twice": "in",
    "sign of a contribution": "in",
}
#: what some errors look like in code
HINTS = {
    "first step only": ": is it = where += belongs?",
    "last step only": ": is it = where += belongs?",
    "last step missing": ": does the loop end too early?",
    "first step missing": ": does the loop leave out the first step?",
}


@dataclass(frozen=True)
class Match:
    """A mutant that has the values of a gradient, perhaps up to a factor."""

    mutant: Mutant
    factor: Factor | None
    rank: int

    @property
    def change(self) -> Change:
        """What identifies the same change in the gradients by other parameters."""
        return change_of(self.mutant)


class Search:
    """Explains the wrong gradients of a function; the values of all mutants are computed once."""

    def __init__(self, runs: Sequence[Run], words: Words, ground: Ground) -> None:
        self.runs, self.words, self.ground = list(runs), words, ground
        around = sorted(runs, key=lambda r: (abs(r.point.steps - MAIN), r.point.steps))
        self.main = around[0]
        # other lengths and other sizes: a chance match at one point does not hold at another
        self.others = [r for r in around[1:] if r.point.steps > 1][:3] or around[1:2]

    @property
    def catalogue(self) -> Catalogue | None:
        """The mutants of the network; None if it has no derived backward pass."""
        return self.ground.catalogue

    @cached_property
    def table(self) -> Table:
        """Every mutant with its value at the main point."""
        return self.ground.table(self.main.point)

    @cached_property
    def touched(self) -> dict[Change, set[str]]:
        """A change -> the gradients that it makes wrong."""
        return self.table.touched

    def sensitivity(self) -> Sensitivity:
        """By what factor each kind of error would have stood out at the points used, clipped as
        the gradients are."""
        factors: dict[str, float] = {}
        looked = 0
        for name, found in self.table.values.items():
            for _, mutant, value in found:
                looked += 1
                seen, differs = self.main.through(value, name), self.main.distance(value, name)
                if seen < 1e6 * TOLERANCE:  # another point may show it better
                    for run in self.others:
                        other = run.point.mutant(mutant)
                        seen = max(seen, run.through(other, name))
                        differs = max(differs, run.distance(other, name))
                if differs > SAME:  # else it is the right gradient
                    factor = min(seen / TOLERANCE, 1e30)
                    factors[mutant.kind] = min(factor, factors.get(mutant.kind, np.inf))
        return Sensitivity(factors, looked, self.table.all, TOLERANCE)

    # ---- one mutation --------------------------------------------------------------------

    def matches(self, name: str, table: Table) -> list[Match]:
        """The mutants of a table that have the values of a gradient at every point."""
        found = [
            Match(mutant, None, rank)
            for rank, mutant, value in table.values[name]
            if self.main.equals(name, value)
            and all(r.equals(name, r.point.mutant(mutant)) for r in self.others)
        ]
        return found or self._scaled(name, table)

    def _scaled(self, name: str, table: Table) -> list[Match]:
        """The same up to a factor that has a name, such as 1/T."""
        found = []
        gradient = self.main.gradient(name)
        for rank, mutant, value in table.values[name]:
            if gradient is None or not _parallel(gradient, value):
                continue
            runs = [self.main, *self.others]
            others = [value, *(r.point.mutant(mutant) for r in self.others)]
            factor = named_factor(runs, others, name)
            if factor is not None:
                found.append(Match(mutant, factor, rank))
        return found

    def explain(
        self,
        wrong: Sequence[str],
        known: Mapping[str, Diagnosis] | None = None,
        rather: Mapping[str, Diagnosis] | None = None,
    ) -> dict[str, Diagnosis]:
        """A diagnosis for each gradient that one mutation explains, as few causes as possible.

        Where there is a simpler one already (`known`), only a single cause of several wrong
        gradients, which makes no right one wrong, is better than that. What is in `rather`, if it
        says as much of other gradients, is better than a mutation that explains fewer of them, or
        that makes a right gradient wrong.
        """
        matches = {name: self.matches(name, self.table) for name in wrong}
        names = (
            self.ground.table(self.main.point, names=True) if not all(matches.values()) else None
        )
        if names is not None:
            matches = {n: found or self.matches(n, names) for n, found in matches.items()}
            self.touched = {**names.touched, **self.touched}
        explained: dict[Change, set[str]] = {}
        for name, found in matches.items():
            for match in found:
                explained.setdefault(match.change, set()).add(name)
        result = {}
        for name, found in matches.items():
            if found:
                best = min(found, key=lambda m: self._cost(m, explained[m.change]))
                against, size, *_ = self._cost(best, explained[best.change])
                if name in (known or {}) and (against or size > -2):
                    continue
                if name in (rather or {}) and (against or -size < max(2, len(rather or {}))):
                    continue
                result[name] = self._told(name, (best.mutant,), best.factor)
        return result

    def _cost(self, match: Match, explained: set[str]) -> tuple[int, int, bool, int]:
        """What is right or of another kind speaks against a change, what it explains for it."""
        touched = self.touched.get(match.change, set())
        against = len(touched - explained)
        return against, -len(explained), match.mutant.formula is not None, match.rank

    def _told(
        self, name: str, chosen: tuple[Mutant, ...], factor: Factor | None = None
    ) -> Diagnosis:
        texts = [self._sentence(m) + self._hint(name, m.kind) for m in chosen]
        if factor is not None:
            texts.append(
                "of the mean loss (1/T)"
                if factor.kind == "mean instead of sum"
                else f"times {factor.text}"
            )
        kinds = [m.kind for m in chosen] + ([factor.kind] if factor else [])
        text = ", and ".join(texts)
        return Diagnosis(tuple(kinds), text, "; ".join(self._fixes(name, chosen)), chosen)

    def _sentence(self, mutant: Mutant) -> str:
        """The error in words; of a summand, which one."""
        assert self.catalogue is not None
        if mutant.kind in OF_A_TERM and mutant.system is not None:
            right = self.catalogue.subject.system.equations
            term = self.words.changed(right, mutant.system.equations, OF_A_TERM[mutant.kind])
            if term:
                return f"{mutant.sentence}: {term}"
        return self.words.text(mutant.text)

    def _hint(self, name: str, kind: str) -> str:
        """What an error looks like in code: a first step that only lacks what is read before it
        is not left out."""
        states = self._read_before(name)
        if kind != "first step missing" or not states:
            return HINTS.get(kind, "")
        assert self.catalogue is not None
        gradients = self.catalogue.subject.system.gradients
        used = set(leaves(gradients[name], Adjoint))
        beside = [n for n, e in gradients.items() if used & {*leaves(e, Adjoint)} and n != name]
        if not any(all(r.fits(n) for r in self.runs) for n in beside):
            return HINTS[kind]
        return f": is the initial value of {' and '.join(states)} taken as zero there?"

    def _read_before(self, name: str) -> list[str]:
        """The states that a gradient reads at the step before each summand's."""
        assert self.catalogue is not None
        e = self.catalogue.subject.system.gradients[name]
        if not isinstance(e, TimeSum):
            return []
        states = self.catalogue.net.states
        read = (v for v in leaves(e.body, TimeVector) if v.time == e.index - 1)
        return list(dict.fromkeys(v.name for v in read if v.name in states))

    def _fixes(self, name: str, chosen: Sequence[Mutant]) -> list[str]:
        """The right equations in the place of those that were changed, as code."""
        assert self.catalogue is not None
        right = self.catalogue.subject.system
        lines: list[str] = []
        for mutant in chosen:
            system = mutant.system
            if system is None or system.gradients[name] != right.gradients[name]:
                lines.append(self.words.gradient(name, right.gradients[name]))
            if system is None or system.chunk is not None:
                for node in self.catalogue.subject.needed:
                    if carries(right, node) and self.catalogue.subject.depends(name, node):
                        lines.append(self.words.adjoint(node, right.equations[node]))
            else:
                lines += [
                    self.words.adjoint(node, e)
                    for node, e in right.equations.items()
                    if system.equations[node] != e
                ]
        return [line for line in dict.fromkeys(lines) if line][:3]

    def above(self, node: str) -> list[str]:
        """The nodes of the same step whose adjoints are used by that of a node."""
        assert self.catalogue is not None
        e = self.catalogue.subject.system.equations[node]
        return [d.of.name for d in leaves(e, Adjoint) if d.of.time == t]

    # ---- two mutations -------------------------------------------------------------------

    def pair(self, name: str, stop: float) -> Diagnosis | None:
        """Two mutations at once that have the values of a gradient, if found in time."""
        if self.catalogue is None:
            return None
        for first in self._first(name, stop):
            for second in self._second(name, first):
                if time.process_time() > stop:
                    return None
                if self.main.equals(name, self.main.point.once(second)) and all(
                    r.equals(name, r.point.once(second)) for r in self.others
                ):
                    return self._told(name, (first, second))
        return None

    def _first(self, name: str, stop: float) -> list[Mutant]:
        """The first of two mutations: at the shortest length one of them often shows alone."""
        system = [m for _, m, _ in self.table.values[name] if m.system is not None]
        short = min(self.runs, key=lambda r: r.point.steps)
        if short is self.main or short.gradient(name) is None:
            return system
        alone, visible = [], []
        for mutant in system:
            if time.process_time() > stop:
                break
            value = short.point.mutant(mutant)
            if short.equals(name, value):
                alone.append(mutant)
            elif short.distance(value, name) > TOLERANCE:
                visible.append(mutant)
        if not alone:  # both show there
            return _different(visible, short)
        return _different(alone, self.main)

    def _second(self, name: str, first: Mutant) -> Iterator[Mutant]:
        """Every mutation of what the first one has left."""
        assert self.catalogue is not None and first.system is not None
        subject = self.catalogue.subject.of(first.system)
        changed = first.system
        for kind in KINDS:
            try:
                changes = list(kind.apply(subject))
            except (IndexError, KeyError, ValueError):  # what it would change is gone
                continue
            for change in changes:
                if not (
                    change.chunk is not None
                    or name in change.gradients
                    or any(subject.depends(name, n) for n in change.equations)
                ):
                    continue
                yield Mutant(
                    kind.name,
                    kind.sentence,
                    change.place,
                    name,
                    System(
                        {**changed.equations, **change.equations}
                        if change.equations
                        else changed.equations,
                        {**changed.gradients, **change.gradients},
                        changed.initial,
                        change.chunk or changed.chunk,
                    ),
                )


def carries(system: System, node: str) -> bool:
    """Whether the adjoint of a node takes something from another step."""
    found = leaves(system.equations[node], Adjoint)
    return any((d.of.time - t).is_Integer and d.of.time != t for d in found)


def _parallel(a: Array, b: Array) -> bool:
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    return norm > 0 and abs(abs(float(np.sum(a * b))) / norm - 1) < 1e-9


def _different(mutants: Sequence[Mutant], run: Run) -> list[Mutant]:
    """One mutant of each value at a run, in their order."""
    kept: list[Mutant] = []
    seen: set[bytes] = set()
    for mutant in mutants:
        key = np.round(run.point.mutant(mutant) / run.scale, 9).tobytes()
        if key not in seen:
            seen.add(key)
            kept.append(mutant)
    return kept
