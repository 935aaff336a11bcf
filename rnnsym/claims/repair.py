"""Diagnosis: the smallest change of a wrong formula that makes it true.

Last part of a verdict. Patches of the author's own LaTeX are tried, the commonest errors first,
then pairs of them; each patched formula is read again and judged like any other, so that a
correction is true and can be read by construction.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations
from typing import Any

from rnnsym.claims import (
    patches_factors,
    patches_functions,
    patches_index,
    patches_inserted,
    patches_limits,
    patches_missing,
    patches_symbols,
    patches_terms,
)
from rnnsym.claims.deciding import Outcome
from rnnsym.claims.explain import reading_in_words, shown
from rnnsym.claims.ground_functions import EXTRA
from rnnsym.claims.judge import Judge
from rnnsym.claims.learning import descent, sides_of
from rnnsym.claims.meanings import meanings
from rnnsym.claims.pairs import Pair, of_functions
from rnnsym.claims.parting import parting
from rnnsym.claims.patches_edit import Edit, Patch, apply, moved
from rnnsym.claims.patches_missing import LAST
from rnnsym.claims.patches_names import Speller
from rnnsym.claims.patches_source import Source
from rnnsym.claims.readings import Reading
from rnnsym.claims.repair_filter import Filter
from rnnsym.claims.repair_terms import Splicer, Store
from rnnsym.claims.updates import update
from rnnsym.claims.verdict import Verdict
from rnnsym.errors import RnnsymError
from rnnsym.reader import syntax as s
from rnnsym.reader import terms as u
from rnnsym.reader.resolve import Resolver
from rnnsym.reader.statements import read_formula
from rnnsym.reader.tokens import MAX_LENGTH

Sides = tuple[u.Term, u.Term]

#: seconds of the processor for single changes
SINGLE = 3.0
#: seconds by the clock that are kept for the last resort
RESERVE = 1.0
#: patches of a lower rank undo the common errors
COMMON = 1.45
MOST_PAIRED, MOST_READINGS = 200, 24
EQUALITIES = ("=", ":=", "≈", "←")

#: from the common errors to the rare ones: the second are made only if the first do not help
GENERATORS = (
    patches_limits.patches,
    patches_index.patches,
    patches_factors.patches,
    patches_terms.patches,
    patches_functions.patches,
    patches_symbols.patches,
    patches_missing.patches,
)


def diagnose(formula: Any, judge: Judge, pair: Any, outcome: Outcome, verdict: Verdict) -> Verdict:
    """The verdict with what is wrong in words, and the corrected LaTeX, if a change explains it.

    formula: the `formula.Formula` that is judged; pair: its relation that is wrong; outcome: what
    the judge said of it. Raises nothing: where nothing fits, the verdict says from which step on
    the two sides part.
    """
    try:
        found = Repair(formula, judge, pair, outcome).find()
    except (RnnsymError, RecursionError):
        found = None
    if found is None:
        return _parting(judge, pair, outcome, verdict)
    words = "; ".join(p.words for p in found.patches)
    edits = [e for p in found.patches for e in p.edits]
    correction = apply(formula.latex, edits)
    reading = reading_in_words(found.outcome, shown(*found.sides, correction), *found.sides)
    conditions = ", ".join(filter(None, [reading and f"when {reading}", found.outcome.limited]))
    message = f"{verdict.message}; {words}"
    return replace(
        verdict,
        message=f"{message}; corrected, it is true {conditions}" if conditions else message,
        diagnosis=words,
        correction=correction.strip(),
        marked=apply(formula.latex, edits, marked=True).strip(),
        kinds=tuple(p.kind for p in found.patches),
    )


@dataclass(frozen=True)
class Found:
    """Patches that make a relation true, what it is then, and the judge's word on it."""

    patches: tuple[Patch, ...]
    sides: Sides
    outcome: Outcome


@dataclass(frozen=True)
class Place:
    """Where a relation stands: its statement, and the number of its left side in it."""

    statement: int
    side: int


class Repair:
    """The search for one relation."""

    def __init__(self, formula: Any, judge: Judge, pair: Any, outcome: Outcome) -> None:
        self.formula, self.judge, self.pair, self.outcome = formula, judge, pair, outcome
        self.start = time.process_time()
        self.end = min(judge._deadline, self.start + formula.seconds) - 0.5
        self.tried: set[str] = {formula.latex}
        self.op = "="  # what stands between both sides in the source
        self.numbers = False  # whether what is claimed is one of functions of a number
        self.descends = False  # whether it is a step of gradient descent
        self.place = self._place()

    def _place(self) -> Place | None:
        for i, statement in enumerate(self.formula.reading.statements):
            node = statement.node
            if isinstance(node, s.Relation):
                for k, self.op in enumerate(node.ops):
                    for self.numbers in (False, True):
                        try:
                            if self._terms(node, k, self.formula.latex) == self._both(self.pair):
                                return Place(i, k)
                        except RnnsymError:
                            continue
        return None

    def _both(self, pair: Any) -> Sides:
        return pair.left, pair.right

    def _terms(self, node: s.Relation, k: int, latex: str) -> Sides:
        """The two sides of a relation as the judge sees them."""
        resolver = Resolver(self.formula.table, latex)
        step = descent(node, self.formula.table)
        if step is not None:
            return sides_of(step, resolver)
        return self._seen((resolver(node.sides[k]), resolver(node.sides[k + 1])))

    def _seen(self, sides: Sides) -> Sides:
        """Two sides as the judge has them: an update as an equation; where all is made of one
        vector, functions of a number; of a step of gradient descent, the gradient."""
        if self.descends:
            return self.pair.left, sides[1]
        updated = update(sides[0], self.op, sides[1])
        sides = (updated.left, updated.right) if updated is not None else sides
        if not self.numbers:
            return sides
        return self._both(of_functions(Pair(sides[0], self.pair.op, sides[1])))

    # ---- the search ----------------------------------------------------------------------

    def find(self) -> Found | None:
        """One patch or two that make the relation true; None where none do."""
        if self.place is None or self.pair.op not in EQUALITIES:
            return None
        source = self._source()
        self.store = Store()
        self.splicer = Splicer(source, self.store)
        self.sides = self.store(self.pair.left), self.store(self.pair.right)
        self.length = 0
        self.filter = self._filter()
        self.changed: dict[Patch, Sides] = {}
        self.second: Found | None = None  # true but for the first or last step
        speller = Speller(source, self.formula.net)
        known = self._patches(source, speller, GENERATORS)
        common = [p for p in known if p.rank < COMMON]
        found = self._single(common, self.end) or self._of_some_length()
        if found is not None:
            return found
        known += self._patches(source, speller, (patches_inserted.patches,))
        rare = sorted((p for p in known if COMMON <= p.rank < LAST), key=lambda p: p.rank)
        last = [p for p in known if p.rank >= LAST]
        return (
            self._single(rare, self.end - RESERVE)
            or self._of_some_length()
            or self.second
            or self._pairs([*common, *rare], self.end - RESERVE)
            or self._single(last, self.end)
        )

    def _single(self, singles: Sequence[Patch], end: float) -> Found | None:
        limit = min(time.process_time() + SINGLE, end)
        for patch in singles:
            if time.process_time() > limit:
                break
            sides = self._patched(patch.edits)
            if sides is not None:
                self.changed[patch] = sides
                found = self._judged((patch,), sides)
                if found is not None:
                    return found
        return None

    def _of_some_length(self) -> Found | None:
        """A single change that is right of as many steps as are spoken of in numbers."""
        self.length = self.judge.length(*self.sides)
        if not self.length:
            return None
        usual, self.filter = self.filter, self._filter()
        found = (self._judged((p,), sides) for p, sides in self.changed.items())
        first = next(filter(None, found), None)
        self.filter, self.length = usual, 0
        return first

    def _filter(self) -> Filter:
        numeric, readings = self._numeric(), self._readings()
        return Filter(self.judge, self.sides, readings, self.store, numeric, self.length)

    def _pairs(self, singles: Sequence[Patch], end: float) -> Found | None:
        limit = min(time.process_time() + self.formula.pairs_seconds, end)
        few = [p for p in singles if p in self.changed][:MOST_PAIRED]
        for first, other in sorted(combinations(few, 2), key=lambda p: p[0].rank + p[1].rank):
            if time.process_time() > limit:
                break
            sides = None if first.overlaps(other) else self._together(first, other)
            found = self._judged((first, other), sides) if sides is not None else None
            if found is not None:
                return found
        return self.second

    def _together(self, first: Patch, other: Patch) -> Sides | None:
        """Both sides with two patches: from the sides with one each, where that can be."""
        a, b = self.changed[first], self.changed[other]
        found = [self.store.merged(old, x, y) for old, x, y in zip(self.sides, a, b, strict=True)]
        if found[0] is not None and found[1] is not None:
            return found[0], found[1]
        return self._patched(first.edits + other.edits)

    def _patches(self, source: Source, speller: Speller, generators: Any) -> list[Patch]:
        """All patches of some generators, the commonest errors first."""
        found: list[Patch] = []
        for generate in generators:
            for patch in generate(source, speller):
                found.append(patch)
                if time.process_time() > self.end:
                    break
        right = source.start(source.sides[1])
        ranked = [replace(p, rank=p.rank + _on_the_left(p, right)) for p in found]
        return sorted(dict.fromkeys(ranked), key=lambda p: p.rank)

    def _source(self) -> Source:
        assert self.place is not None
        node = self.formula.reading.statements[self.place.statement].node
        k = self.place.side
        sides = node.sides[k], node.sides[k + 1]
        step = descent(node, self.formula.table)
        if step is not None:
            self.descends, sides = True, (step.weight, step.gradient)
        return Source(self.formula.latex, sides, self.formula.table, node.ops[k])

    def _numeric(self) -> bool:
        """Whether the field of residues does not know what is claimed."""
        nodes = [x for side in self.sides for x in u.walk(side)]
        alone = not any(isinstance(x, u.Leaf | u.Loss | u.Defined) for x in nodes)
        extra = any(isinstance(x, u.Apply) and x.function in EXTRA for x in nodes)
        return self.outcome.numeric or alone or extra

    def _readings(self) -> list[Reading]:
        """The readings to try, those under which the shapes fit first."""
        found = [self.outcome.reading] if self.outcome.kind == "differ" else []
        base = self.judge.base(self.pair.left, self.pair.right)
        meant = meanings(self.judge.net, self.judge.table, self.pair.left, self.pair.right)
        found += [r.with_(meant=m) for m in meant for r in base[: None if len(meant) == 1 else 2]]
        return list(dict.fromkeys(found))[:MOST_READINGS]

    # ---- one candidate -------------------------------------------------------------------

    def _patched(self, edits: Sequence[Edit]) -> Sides | None:
        """Both sides after some edits; None where they cannot be read, or were tried."""
        latex = apply(self.formula.latex, edits)
        if latex in self.tried or len(latex) > MAX_LENGTH:
            return None
        self.tried.add(latex)
        try:
            sides = self.splicer.sides(edits) or self._read(latex)
            if sides is None:
                return None
            seen = self._seen(sides)
        except (RnnsymError, RecursionError):
            return None
        return self.store(seen[0]), self.store(seen[1])

    def _read(self, latex: str) -> Sides | None:
        """Both sides of the relation in another source."""
        assert self.place is not None
        reading = read_formula(latex)
        if len(reading.statements) != len(self.formula.reading.statements):
            return None
        node = reading.statements[self.place.statement].node
        old = self.formula.reading.statements[self.place.statement].node
        if not isinstance(node, s.Relation) or node.ops != old.ops:
            return None
        return self._terms(node, self.place.side, latex)

    def _judged(self, patches: tuple[Patch, ...], sides: Sides) -> Found | None:
        """A candidate if it is true: at a small point first, then as the judge decides."""
        if sides[0] == sides[1] or _trivial(*sides) or (_idle(*sides) and not _idle(*self.sides)):
            return None
        edits = [e for p in patches for e in p.edits]
        readings = self.filter.passing(sides, any(r"\partial" in e.new for e in edits))
        if not readings:
            return None
        try:
            whole = self._read(apply(self.formula.latex, edits))
        except (RnnsymError, RecursionError):
            return None
        if whole is None:
            return None
        for reading in readings:
            places = frozenset(moved(p, edits) for p in reading.immediate)
            outcome = self._outcome(whole, reading.with_(immediate=places))
            if outcome is None:
                continue
            vain = outcome.idle and u.Num(Fraction(0)) not in whole  # both sides vanish: no claim
            if outcome.kind == "equal" and not vain:
                found = Found(patches, whole, outcome)
                if not outcome.limited:
                    return found
                self.second = self.second or found
        return None

    def _outcome(self, sides: Sides, reading: Reading) -> Outcome | None:
        if self.length:
            return self.judge.of_some_length(*sides, [reading])
        return self.judge.test(*sides, reading)


def _on_the_left(patch: Patch, right: int) -> float:
    """What is claimed stands on the left: a change there comes after the same on the right."""
    return 0.0 if all(right <= e.start for e in patch.edits) else 0.9


def _trivial(left: u.Term, right: u.Term) -> bool:
    """Whether nothing of the network is left on a side: 0 = 0."""
    return all(isinstance(x, u.Num | u.Constant) for x in (left, right))


def _idle(*sides: u.Term) -> bool:
    """Whether something is derived by itself: nobody means that."""
    return any(
        isinstance(x, u.Derivative) and x.by == (x.of,) for side in sides for x in u.walk(side)
    )


def _parting(judge: Judge, pair: Any, outcome: Outcome, verdict: Verdict) -> Verdict:
    """The verdict with the step from which both sides part."""
    words = parting(judge, pair.left, pair.right, outcome)
    return replace(verdict, message=f"{verdict.message}; {words}") if words else verdict
