"""The networks that claims of a document may be about, and what of them is only supposed.

Used by `audit`. A network is the user's own, or one of the document's parts (`scopes`), or one of
these with a loss that custom supposes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rnnsym.audit import tongues
from rnnsym.audit.scopes import Scopes, maker
from rnnsym.reader import syntax as s
from rnnsym.reader.lines import outputs
from rnnsym.reader.losses import LEFT_OUT
from rnnsym.reader.making import Built
from rnnsym.reader.network import build
from rnnsym.reader.occurring import occurrences
from rnnsym.reader.placing import OF_A_STEP
from rnnsym.reader.statements import Statement
from rnnsym.reader.symbols import spell
from rnnsym.reader.table import Table, of_network

#: what is supposed of a loss that no formula gives
LAST = "the loss is one of the last step only"


#: how notes end on equations that only give a name to something: D_t = diag(1 - h²)
ONLY_NAMES = tuple(f": {x} has no place in a forward equation" for x in ("diag", "a derivative"))


class Networks:
    """The networks of one document; model: the user's, or None."""

    def __init__(self, scopes: Scopes, model: Any) -> None:
        self.scopes, self.model = scopes, model
        self.vocabulary = scopes.whole
        self.given: Built | None = None  # the model, with the names of the document
        # where no formula says what the loss is: the network with one of the last step only, and
        # with the customary ones
        self.supposed: list[tuple[Built, str]] = []
        self.whole_supposed = False  # whether those of the whole document are among them
        self.variants: dict[Any, Built] = {}  # networks of the document with other losses

    def of_model(self) -> Built:
        """The given model, with its names in the notation that most symbols fit."""
        from rnnsym.latex import PROFILES

        def fits(table: Table) -> int:
            return sum(table.find(o.spelled) is not None for _, o in self.vocabulary.seen)

        if self.given is None:
            tables = [of_network(self.model, profile) for profile in PROFILES]
            self.given = Built(self.model, max(tables, key=fits))
        return self.given

    def candidates(self, k: int, node: s.Node) -> Iterator[Built]:
        """The networks that a claim may be about, the likeliest first."""
        if self.model is not None:
            yield self.of_model()
            return
        likeliest: Built | None = None
        for built in self.scopes.of_claim(k, node):
            likeliest = likeliest or built
            yield built
        if likeliest is None:
            return
        if tongues.of_the_last_step(self.scopes.words_before(k)) or self._ends_by_number(k):
            yield from self._of_the_last_step(likeliest, said=True)
        if likeliest.supposed:
            yield from (built for built, _ in self._supposed())
            yield from self._of_the_last_step(likeliest)
            yield from self._of_all(likeliest)

    def _of_the_last_step(self, built: Built, said: bool = False) -> Iterator[Built]:
        """The network of the same equations with a loss of the last step only."""
        origin = self.scopes.origin(built)
        if origin is None:
            return
        if not said and (origin[0] is self.vocabulary or self._stepwise()):
            return
        yield from self._variant(built, last=True)
        if said and origin[0].small and not origin[0].scalar:  # a worked example in numbers
            yield from self._variant(built, last=True, said="numbers")

    def _variant(self, built: Built, **options: Any) -> Iterator[Built]:
        """The network of the same equations with another loss, made once; none if there is none."""
        key = id(built), *options.items()
        if key not in self.variants:
            origin = self.scopes.origin(built)
            assert origin is not None
            found = self.variants[key] = build(*origin, make=maker(), **options)
            self.supposed.append((found, LAST if "last" in options else _loss_of(found)))
        if self.variants[key].net is not None:
            yield self.variants[key]

    def _ends_by_number(self, k: int) -> bool:
        """Whether a formula before gives the loss of one numbered step: L = (y_2 - y_2^*)^2 / 2."""
        find = self.vocabulary.table.find
        for j, node, _ in self.vocabulary.statements:
            left = node.sides[0] if isinstance(node, s.Relation) else None
            if j > k or not isinstance(left, s.Symbol) or not isinstance(node, s.Relation):
                continue
            loss = find(spell(left))
            if loss is None or loss.entry.name != "L" or loss.time is not None:
                continue
            found = [find(o.spelled) for side in node.sides[1:] for o in occurrences(side)]
            times = {x.time for x in found if x is not None and x.time is not None}
            if len(times) == 1 and not any(t.letters or t.constant < 2 for t in times):
                return True
        return False

    def _of_all(self, built: Built) -> Iterator[Built]:
        """The network of the same equations with a loss of all that none of them uses, where that
        is more than one: what leads to its output may not be told yet."""
        origin = self.scopes.origin(built)
        if origin is None or len(outputs(built.written, every=True)) < 2:
            return
        yield from self._variant(built, every=True)

    def _supposed(self) -> list[tuple[Built, str]]:
        """The networks with a loss that custom supposes, and what is supposed."""
        if not self.whole_supposed:
            self.whole_supposed = True
            ways: list[tuple[dict[str, Any], str]] = [({"concrete": True}, "")]
            if not self._stepwise():
                ways.append(({"last": True}, LAST))
            for options, words in ways:
                built = build(self.vocabulary, None, make=maker(), **options)
                words = words or _loss_of(built)
                if built.net is not None:
                    self.supposed.append((built, words.replace("is taken to be", "is")))
        return self.supposed

    def _stepwise(self) -> bool:
        """Whether the document speaks of the loss of a single step; of the last one, too, where it
        speaks of others."""
        table = self.vocabulary.table
        last = {"T", *table.lengths}
        for _, o in self.vocabulary.seen:
            found = table.find(o.spelled)
            if found is None or found.entry.name != "L" or found.time is None:
                continue
            if found.time.constant or not set(found.time.names) <= last:
                return True
        return False

    def is_doubtful(self) -> bool:
        """Whether the document tells of several networks, or not all equations could be used."""
        if self.model is not None:
            return False
        built = [b for b in self.scopes.order if b.net is not None]
        several = len({tuple(sorted(b.written.items())) for b in built}) > 1
        partly = (LEFT_OUT, OF_A_STEP)
        notes = [n for b in built for n in b.notes if not n.endswith(ONLY_NAMES)]
        return several or any(n.startswith(partly) for n in notes)

    def hangs_on_loss(self, statement: Statement, built: Built) -> bool:
        """Whether a relation speaks of the target of a loss that no formula gives."""
        if not built.supposed or built.net is None:
            return False
        found = (built.table.find(o.spelled) for o in occurrences(statement.node))
        return any(f is not None and f.entry.name in built.net.targets for f in found)

    def tells_loss(self) -> bool:
        """Whether a formula says what the loss is, or speaks of that of a step."""
        given = any("L" in b.kept for b in self.scopes.order)
        return given or self.model is not None or self._stepwise()

    def says_loss(self) -> bool:
        """Whether the words of the document say of the loss what custom supposes."""
        prose, words = self.scopes.prose.lower(), " ".join(w for _, w in self._supposed())
        return "entropy" in words and ("entropy" in prose or "likelihood" in prose)


def _loss_of(built: Built) -> str:
    """What is supposed of the loss of a network, in words."""
    return next((n for n in built.notes if n.startswith("the loss is")), "")
