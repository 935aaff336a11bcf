"""The places where patches act: the nodes of a formula's tree with what stands around them.

Used by the generators of patches for `repair`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from rnnsym.errors import RnnsymError
from rnnsym.reader import syntax as s
from rnnsym.reader.commands import OPERATORS
from rnnsym.reader.indices import Index
from rnnsym.reader.parser import Parser
from rnnsym.reader.ranges import limits_of
from rnnsym.reader.resolve import Resolver
from rnnsym.reader.tokens import Token, tokens

#: a command that lets a bracket grow, and how far before the bracket it may begin
LONGEST = 12
_STRETCH = re.compile(r"(\\left|\\[bB]igg?[lr]?)\s*$")


@dataclass(frozen=True)
class Piece:
    """A factor of a product as it is written, with the operator before it."""

    op: str
    nodes: tuple[s.Node, ...]
    start: int
    end: int

    @property
    def node(self) -> s.Node:
        return self.nodes[0]

    @property
    def alone(self) -> bool:
        return len(self.nodes) == 1


@dataclass(frozen=True)
class Site:
    """A node, the nodes around it from outside in, the ranges that bind letters there.

    side: which side of the relation it is in, 0 or 1.
    """

    node: s.Node
    around: tuple[s.Node, ...]
    bound: tuple[tuple[str, s.Big], ...]
    side: int

    @property
    def letters(self) -> tuple[str, ...]:
        """The letters that are bound here, the innermost first."""
        return tuple(name for name, _ in reversed(self.bound))

    def inside(self, *kinds: type) -> Any:
        """The innermost node around of some kinds."""
        return next((x for x in reversed(self.around) if isinstance(x, kinds)), None)


@dataclass
class Source:
    """A relation to be repaired: the text, the trees of its two sides, and its table."""

    latex: str
    sides: tuple[s.Node, s.Node]
    table: Any
    op: str = "="
    _sites: list[Site] = field(default_factory=list)

    @cached_property
    def tokens(self) -> list[Token]:
        return tokens(self.latex)

    @cached_property
    def resolver(self) -> Resolver:
        return Resolver(self.table, self.latex)

    def start(self, node: s.Node) -> int:
        """Where a node begins, with the \\left before its bracket."""
        return self.begins(node.start)

    def begins(self, place: int) -> int:
        before = max(0, place - LONGEST)
        stretch = _STRETCH.search(self.latex[before:place])
        return before + stretch.start() if stretch else place

    def text(self, node: s.Node | Piece) -> str:
        start = node.start if isinstance(node, Piece) else self.start(node)
        return self.latex[start : node.end]

    def shown(self, node: s.Node | Piece) -> str:
        """A piece of source as words quote it."""
        return " ".join(self.text(node).split())

    def short(self, node: s.Node | Piece, most: int = 60) -> str:
        """The same, cut where it is long."""
        text = self.shown(node)
        return text if len(text) <= most else f"{text[: most - 2]} …"

    def where(self, site: Site) -> str:
        """In which part a symbol stands that stands in others too: ", in …"."""
        if self._counts[site.side, self.shown(site.node)] < 2:
            return ""
        parts = (s.Derivative, s.Call, s.Times, s.Bracket)
        part = next((x for x in reversed(site.around) if isinstance(x, parts)), None)
        return f", in {self.short(part)}" if part is not None else ""

    @cached_property
    def _counts(self) -> Counter[tuple[int, str]]:
        """How often a piece stands on a side."""
        return Counter((x.side, self.shown(x.node)) for x in self.sites)

    def token_before(self, place: int) -> Token | None:
        """The last token before a place, but for those that only set rows."""
        for i in range(bisect_left(self.tokens, place, key=_start) - 1, -1, -1):
            if self.tokens[i].text not in ("&", r"\\", r"\quad", r"\qquad"):
                return self.tokens[i]
        return None

    # ---- sites ---------------------------------------------------------------------------

    def binds(self, letter: str) -> bool:
        """Whether a letter is in use as the index of a range."""
        return any(letter in site.letters for site in self.sites)

    @property
    def sites(self) -> list[Site]:
        """Every node of both sides, the right side first."""
        if not self._sites:
            for side in (1, 0):
                self._sites += self._walk(self.sides[side], (), (), side)
        return self._sites

    def _walk(
        self, node: s.Node, around: tuple[s.Node, ...], bound: Any, side: int
    ) -> Iterator[Site]:
        yield Site(node, around, bound, side)
        inner = bound
        if isinstance(node, s.Big):
            letter = self.letter(node)
            inner = (*bound, (letter, node)) if letter else bound
        for child in children(node):
            yield from self._walk(child, (*around, node), inner, side)

    def letter(self, node: s.Big) -> str:
        """The index of a sum or product; nothing where it is not understood."""
        try:
            return limits_of(node, self.resolver)[0]
        except RnnsymError:
            return ""

    def limits(self, node: s.Big, bound: tuple[str, ...]) -> tuple[Index, Index] | None:
        """The limits of a sum or product."""
        try:
            self.resolver.scope = bound
            _, lower, upper, _ = limits_of(node, self.resolver)
        except RnnsymError:
            return None
        finally:
            self.resolver.scope = ()
        return lower, upper

    def products(self) -> Iterator[tuple[Site, list[Piece]]]:
        """Every place where factors stand, with its factors: a single one is a product too."""
        for site in self.sites:
            if isinstance(site.node, s.Times):
                yield site, self.pieces(site.node)
            elif not isinstance(site.node, s.Add | s.Empty) and self._is_term(site):
                yield site, [Piece("", (site.node,), self.start(site.node), site.node.end)]

    def _is_term(self, site: Site) -> bool:
        above = site.around[-1] if site.around else None
        if above is None or isinstance(above, s.Add | s.Big):
            return True
        return (
            isinstance(above, s.Bracket) and above.kind in ("(", "[", "{") and not above.separator
        )

    def pieces(self, node: s.Times) -> list[Piece]:
        """The factors of a product; a function's name and its bracket are one."""
        found: list[Piece] = []
        skip = False
        for i, (op, factor) in enumerate(node.factors):
            if skip:
                skip = False
                continue
            following = node.factors[i + 1] if i + 1 < len(node.factors) else None
            start, end = self.start(factor), factor.end
            nodes: tuple[s.Node, ...] = (factor,)
            if following and following[0] == "" and self._calls(factor, following[1]):
                nodes, end, skip = (factor, following[1]), following[1].end, True
            found.append(Piece(op, nodes, start, end))
        return found

    def _calls(self, node: s.Node, following: s.Node) -> bool:
        inner = following.base if isinstance(following, s.Scripted) else following
        if not isinstance(node, s.Symbol) or not isinstance(inner, s.Bracket):
            return False
        if inner.kind not in ("(", "[", "{"):
            return False
        from rnnsym.reader.symbols import spell

        found = self.table.find(spell(node), ())
        return found is None or (found.time is None and found.entry.kind == "vector")

    def operator(self, a: Piece, b: Piece) -> Token | None:
        """The operator that is written between two factors."""
        first = bisect_left(self.tokens, a.end, key=_start)
        last = bisect_left(self.tokens, b.start, key=_start)
        return next((x for x in self.tokens[first:last] if x.text in OPERATORS), None)


def _start(token: Token) -> int:
    return token.start


def children(node: s.Node) -> list[s.Node]:
    """The nodes inside of a node, in the order of the source."""
    match node:
        case s.Add(terms):
            return [x for _, x in terms]
        case s.Times(factors):
            return [x for _, x in factors]
        case s.Bracket(_, parts):
            return list(parts)
        case s.Fraction_(above, below):
            return [above, below]
        case s.Derivative(of, by):
            divided = [node.divided] if node.divided is not None else []
            return [*([of] if of is not None else []), *divided, *by]
        case s.Differential(_, of):
            sub = _parsed(node.sub)
            return [*([sub] if sub is not None else []), *([of] if of is not None else [])]
        case s.Big() | s.Call():
            return [node.body if isinstance(node, s.Big) else node.argument]
        case s.Scripted(base):
            return [base]
        case s.Table(_, rows):
            return [x for row in rows for x in row]
        case s.Relation(sides):
            return list(sides)
    return []


def _parsed(found: s.Tokens) -> s.Node | None:
    if not found:
        return None
    try:
        return Parser(found).whole()
    except RnnsymError:
        return None


def walk(node: s.Node) -> list[s.Node]:
    """A node and all inside of it."""
    found = [node]
    for child in children(node):
        found += walk(child)
    return found
