"""Which equations of a document a claim is about.

Used by `audit`. A document may tell of several networks in which h, W and c are not the same. A
claim is first judged by the equations of its own section and of those before it, as far as its
symbols and their inputs demand; then by all equations so far; then by all of the document.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from rnnsym.functions import KNOWN
from rnnsym.reader import syntax as s
from rnnsym.reader.customary import COMPLETED, completed
from rnnsym.reader.making import ACTIVATION, NUMBERS, Built
from rnnsym.reader.network import build
from rnnsym.reader.occurring import occurrences
from rnnsym.reader.statements import Reading
from rnnsym.reader.table import Naming
from rnnsym.reader.vocabulary import Vocabulary

#: how the notes begin on what a network is supposed to be
SUPPOSED = (ACTIVATION, NUMBERS, COMPLETED)
#: how many networks a claim is judged by
MAX_NETWORKS = 7
#: at how many places a document is read again for the equations of a weight
MAX_PLACES = 3
#: letters of inputs, whose own origin is no claim's business
INPUTS = ("x", "X")


class Scopes:
    """The networks of the parts of a document."""

    def __init__(
        self,
        formulas: Sequence[Any],
        readings: Sequence[Reading | None],
        naming: Naming,
    ) -> None:
        pairs = zip(formulas, readings, strict=True)
        self.readings = [r or Reading(f.latex) for f, r in pairs]
        self.prose = " ".join(f"{f.before} {f.after}" for f in formulas)
        self.formulas = formulas
        self.sections = [(f.cell or 0, f.section) for f in formulas]
        self.starts = sorted(set(self.sections))
        self.whole = Vocabulary(self.readings, self.prose, naming=naming)
        self.order: list[Built] = []  # in which they were first needed
        self._vocabularies: dict[Any, Vocabulary] = {}
        self._built: dict[Any, Built] = {}
        self._origins: dict[int, tuple[Vocabulary, int]] = {}  # of networks, what they were made of

    def words_before(self, k: int) -> str:
        """The words of the section of a formula, as far as that."""
        here = [f for f, x in zip(self.formulas[:k], self.sections, strict=False)
                if x == self.sections[k]]  # fmt: skip
        return " ".join([*(f"{f.before} {f.after}" for f in here), self.formulas[k].before])

    def so_far(self, upto: int) -> Built | None:
        """The network of all equations before a formula; None where there are none at all."""
        return self._network(self.whole, upto, None) if self.whole.forward else None

    def of_claim(self, k: int, node: s.Node) -> Iterator[Built]:
        """The networks that a claim in formula k may be about, the likeliest first."""
        found: list[Built] = []
        for built in self._every(k, node):
            if built is not None and built.net is not None and built not in found:
                found.append(built)
                yield built
            if len(found) == MAX_NETWORKS:
                return

    def takes_as_given(self, built: Built, claim: s.Node) -> bool:
        """Whether a network has for a weight or an input what a claim speaks of, and the document
        computes elsewhere from its states: a gate z_t, of which a part repeats no equation."""
        if built.net is None:
            return False
        net, keys = built.net, {e.name: k for k, e in built.table.entries.items()}
        names = {e.name: k for k, e in self.whole.table.entries.items()}
        told = (self.whole.table.find(o.spelled) for o in occurrences(claim))
        spoken = {names.get(x.entry.name) for x in told if x is not None}
        given = {keys[n] for n in (*net.parameters, *net.inputs) if n in keys} & spoken
        states = {keys[n] for n in net.states if n in keys}
        for f in self.whole.forward:
            if f.key in given:
                found = (self.whole.table.find(o.spelled) for o in occurrences(f.right))
                if states & {names.get(x.entry.name) for x in found if x is not None}:
                    return True
        return False

    def _every(self, k: int, node: s.Node) -> Iterator[Built | None]:
        """What may be a network of a claim: of its surroundings, of all so far, of all; these with
        activations that are only said; then those of other claims."""
        plain: list[Built] = []
        for built in (*self._around(k, node), self.so_far(k), self.so_far(len(self.readings))):
            if built is not None and built.net is not None:
                plain.append(built)
            yield built
        if plain:
            yield from self._of_symbols(k, node, plain[0])
        told = any(before < k for before, _ in self.whole.told.values())
        for said in (*(["formulas"] if told else []), "numbers", "words", "tanh", "sigmoid"):
            yield from (self._as_said(b, said) for b in plain[:2])
        if self.completed is not None:
            yield self.completed
        yield from list(reversed(self.order))

    @cached_property
    def completed(self) -> Built | None:
        """The network of the whole document with what custom has where no equation stands."""
        found = completed(self.whole)
        if found is None:
            return None
        built = build(found[0], None, make=maker(), concrete=True)
        built.notes.insert(0, found[1])
        return built

    def _as_said(self, built: Built, said: str) -> Built | None:
        """The network in which σ is what the words say, or functions of which nothing is known are
        some that are; None if that makes no difference."""
        vocabulary, upto = self._origins[id(built)]
        if said == "numbers" and (vocabulary.scalar or not vocabulary.small):
            return None
        key = id(built), said
        if key not in self._built:
            self._built[key] = build(vocabulary, upto, make=maker(), concrete=True, said=said)
        found = self._built[key]
        return found if any(n.startswith(SUPPOSED) for n in found.notes) else None

    def _around(self, k: int, node: s.Node) -> list[Built]:
        """The networks of the section of a claim and as many before it as it needs: with the loss
        that the document gives, and without it."""
        here = self.starts.index(self.sections[k])
        complete: list[Built] = []
        for first in range(here, -1, -1):
            vocabulary = self._part(self.starts[first], self.starts[here])
            if not vocabulary.forward:
                continue
            built = self._network(vocabulary, k, (first, here))
            if built.net is None or not self._is_closed(built, node):
                continue
            if not complete:
                complete.append(built)
            if "L" in built.kept or not any(self._is_loss(f) for f in self.whole.forward):
                return list(dict.fromkeys([built, *complete]))
        return complete

    def _of_symbols(self, k: int, node: s.Node, likeliest: Built) -> Iterator[Built]:
        """The networks of all equations up to one that has what the likeliest network lacks of a
        claim: the weights of a cell that the document has told of before another one."""
        given = {*likeliest.net.parameters, *likeliest.net.vectors}
        used = {
            f.entry.name
            for o in occurrences(node)
            if (f := self.whole.table.find(o.spelled)) and f.entry.kind in ("vector", "parameter")
        }
        missing = used - given
        places = [
            f.formula
            for f in self.whole.forward
            if f.formula < k and missing & _read(self.whole, f)
        ]
        for place in sorted(set(places), reverse=True)[:MAX_PLACES]:
            yield self._network(self.whole, place, None)

    def _is_loss(self, f: Any) -> bool:
        return self.whole.table.entries[f.key].name == "L"

    def _part(self, first: Any, last: Any) -> Vocabulary:
        """The vocabulary of some sections."""
        if (first, last) == (self.starts[0], self.starts[-1]):
            return self.whole
        key = first, last
        if key not in self._vocabularies:
            inside = [
                r if first <= section <= last else Reading("")
                for r, section in zip(self.readings, self.sections, strict=True)
            ]
            naming = self.whole.table.naming
            part = self._vocabularies[key] = Vocabulary(inside, self.prose, naming=naming)
            part.table.lengths |= self.whole.table.lengths
            for name, function in self.whole.table.functions.items():
                if function in KNOWN:  # σ(z) = f(z) is said but once
                    part.table.functions.setdefault(name, function)
            part.told = self.whole.told
            part.table.loose = self.whole.table.loose
            part.table.zero_based = self.whole.table.zero_based
        return self._vocabularies[key]

    def _network(self, vocabulary: Vocabulary, upto: int, part: Any) -> Built:
        key = part, tuple(f.formula <= upto for f in vocabulary.forward)
        if key not in self._built:
            found = build(vocabulary, upto, make=maker())
            same = next((b for b in self.order if _alike(b, found)), None)
            self._built[key] = same or found
            self._origins.setdefault(id(same or found), (vocabulary, upto))
            if same is None:
                self.order.append(found)
        return self._built[key]

    def origin(self, built: Built) -> tuple[Vocabulary, int] | None:
        """The vocabulary that a network was made of, and up to which formula."""
        return self._origins.get(id(built))

    def _is_closed(self, built: Built, node: s.Node) -> bool:
        """Whether nothing is missing in a part: a symbol of the claim that has a meaning in the
        whole, or the equation of a vector that the part only takes from elsewhere."""
        for o in occurrences(node):
            known = self.whole.table.find(o.spelled) is not None
            if known and built.table.find(o.spelled) is None:
                return False
        names = {e.name: key for key, e in built.table.entries.items()}
        given = [names.get(n) for n in built.net.inputs]
        computed = {f.key for f in self.whole.forward if f.key[0] not in INPUTS}
        return not any(key in computed for key in given)


def _read(vocabulary: Vocabulary, f: Any) -> set[str]:
    """The names that an equation reads."""
    found = (vocabulary.table.find(o.spelled) for o in occurrences(f.right))
    return {x.entry.name for x in found if x is not None}


def maker() -> Any:
    """What makes a network that can be derived as well, which diagnoses make use of."""
    from rnnsym.api import Network

    return Network


def _alike(a: Built, b: Built) -> bool:
    return a.written == b.written and a.table.entries == b.table.entries
