"""Patched formulas as terms, at the price of what was changed.

Used by `repair`, which tries hundreds of patches. Only the part around a patch is read again; terms
that are equal are the same object, so that `repair_filter` computes their values once. What is
found is confirmed on the patched source as a whole, so speed is all that depends on this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from rnnsym.claims.patches_edit import Edit, apply
from rnnsym.claims.patches_source import Source, children
from rnnsym.errors import RnnsymError
from rnnsym.reader import syntax as s
from rnnsym.reader import terms as u
from rnnsym.reader.parser import Parser
from rnnsym.reader.resolve import Resolver
from rnnsym.reader.tokens import MAX_LENGTH, Token, tokens

#: a place that no source has
NOWHERE = 10 * MAX_LENGTH

_FIELDS: dict[type, tuple[str, ...]] = {}


def _names(kind: type) -> tuple[str, ...]:
    """The fields of a term that make it what it is; a derivative is also where it stands."""
    if kind not in _FIELDS:
        placed = kind in (u.Derivative, u.Ranged)
        _FIELDS[kind] = tuple(
            f.name for f in fields(kind) if f.name != "end" and (placed or f.name != "start")
        )
    return _FIELDS[kind]


class Store:
    """One object for all terms that are equal, and the index letters that are free in each."""

    def __init__(self) -> None:
        self._known: dict[Any, u.Term] = {}
        self._ids: set[int] = set()
        self._letters: dict[int, tuple[str, ...]] = {}
        self._ranges: dict[int, frozenset[Any]] = {}
        self._counts: dict[int, bool] = {}

    def __call__(self, term: u.Term) -> u.Term:
        """The one object that stands for a term."""
        if id(term) in self._ids:
            return term
        names = _names(type(term))
        values = [self._inside(getattr(term, n)) for n in names]
        key = type(term), *map(_key, values)
        found = self._known.get(key)
        if found is None:
            changed = {
                n: v for n, v in zip(names, values, strict=True) if v is not getattr(term, n)
            }
            found = replace(term, **changed) if changed else term
            self._known[key] = found
            self._ids.add(id(found))
        return found

    def _inside(self, value: Any) -> Any:
        if isinstance(value, u.Term):
            return self(value)
        if isinstance(value, tuple):
            new = tuple(map(self._inside, value))
            return value if all(a is b for a, b in zip(value, new, strict=True)) else new
        return value

    def letters(self, term: u.Term) -> tuple[str, ...]:
        """The letters that are free in a term of the store."""
        found = self._letters.get(id(term))
        if found is None:
            inner = set().union(*map(self.letters, u.children(term)))
            if isinstance(term, u.Ranged):
                inner = (inner - {term.index}) | {*term.lower.names, *term.upper.names}
            found = tuple(sorted(inner | _own(term)))
            self._letters[id(term)] = found
        return found

    def ranges(self, term: u.Term) -> frozenset[Any]:
        """The limits of the products in a term, which say for which indices it is meant."""
        found = self._ranges.get(id(term))
        if found is None:
            own = {(term.lower, term.upper)} if isinstance(term, u.Ranged) else set()
            found = frozenset(own).union(*map(self.ranges, u.children(term)))
            self._ranges[id(term)] = found
        return found

    def counts(self, term: u.Term) -> bool:
        """Whether entries are counted in a term."""
        found = self._counts.get(id(term))
        if found is None:
            found = isinstance(term, u.Component) or any(map(self.counts, u.children(term)))
            self._counts[id(term)] = found
        return found

    def merged(self, old: u.Term, a: u.Term, b: u.Term) -> u.Term | None:
        """A term with the changes of two others; None where they touch the same part."""
        found = _merged(old, a, b)
        return None if found is _CLASH else self(found)


_CLASH: Any = object()


def _own(term: u.Term) -> set[str]:
    """The letters of a term's own indices."""
    if not u.children(term):
        return u.letters(term)
    if isinstance(term, u.Power):
        return set(term.exponent.names)
    if isinstance(term, u.Component):
        return {n for i in term.indices for n in i.names}
    return set()


def _key(value: Any) -> Any:
    if isinstance(value, u.Term):
        return id(value)
    return tuple(map(_key, value)) if isinstance(value, tuple) else value


def _merged(old: Any, a: Any, b: Any) -> Any:
    if a is old:
        return b
    if b is old or a is b:
        return a
    if isinstance(old, u.Term):
        if not type(old) is type(a) is type(b):
            return _CLASH
        names = _names(type(old))
        parts = [_merged(getattr(old, n), getattr(a, n), getattr(b, n)) for n in names]
        if any(p is _CLASH for p in parts):
            return _CLASH
        return replace(old, **dict(zip(names, parts, strict=True)))
    if isinstance(old, tuple) and isinstance(a, tuple) and isinstance(b, tuple):
        if not len(old) == len(a) == len(b):
            return _CLASH
        items = tuple(_merged(x, y, z) for x, y, z in zip(old, a, b, strict=True))
        return _CLASH if any(i is _CLASH for i in items) else items
    return b if a == old else a if b == old else _CLASH


class _WholeError(RnnsymError):
    """A formula that has to be read as a whole."""


class _Cached(Resolver):
    """Resolves each node once."""

    def __init__(self, table: Any, latex: str, store: Store) -> None:
        super().__init__(table, latex)
        self.store = store
        self._done: dict[Any, tuple[s.Node, u.Term]] = {}

    def __call__(self, node: s.Node) -> u.Term:
        key = id(node), self.scope
        if key not in self._done:
            self._done[key] = node, self.store(super().__call__(node))
        return self._done[key][1]

    def _time_in(self, bracket: s.Bracket) -> Any:
        raise _WholeError("times in brackets are read from the source")


class Splicer:
    """Reads the part of a relation around some edits, and takes the rest from before."""

    def __init__(self, source: Source, store: Store) -> None:
        self.source, self.store = source, store
        self.resolver = _Cached(source.table, source.latex, store)

    def sides(self, edits: Sequence[Edit]) -> tuple[u.Term, u.Term] | None:
        """Both sides after some edits; None where that takes the whole formula."""
        found = []
        try:
            for side in self.source.sides:
                own = [e for e in edits if self._holds(side, [e])]
                node = self._spliced(side, own, True) if own else side
                if node is None:
                    return None
                found.append(self.resolver(node))
            inside = sum(any(self._holds(x, [e]) for x in self.source.sides) for e in edits)
        except _WholeError:
            return None
        return (found[0], found[1]) if inside == len(edits) else None

    def _holds(self, node: s.Node, edits: Sequence[Edit]) -> bool:
        start = self.source.start(node)
        return all(start <= e.start and e.end <= node.end for e in edits)

    def _spliced(self, node: s.Node, edits: Sequence[Edit], slot: bool) -> s.Node | None:
        for child in children(node):
            if self._holds(child, edits):
                inner = isinstance(node, s.Add | s.Big | s.Bracket)
                new = self._spliced(child, edits, inner)
                if new is None or (isinstance(new, s.Add) and isinstance(node, s.Add | s.Big)):
                    continue
                return _exchanged(node, child, new)
        return self._parsed(node, edits) if slot else None

    def _parsed(self, node: s.Node, edits: Sequence[Edit]) -> s.Node | None:
        start = self.source.start(node)
        text = self.source.latex[start : node.end]
        moved = [Edit(e.start - start, e.end - start, e.new) for e in edits]
        parser = Parser([_replaced(x, moved, start) for x in tokens(apply(text, moved))])
        new = parser.sum(start)
        return new if not parser.text else None


def _replaced(token: Token, edits: Sequence[Edit], start: int) -> Token:
    """A token of edited text where it stood before; a new one where nothing stands."""
    shift = 0
    for e in sorted(edits, key=lambda e: (e.start, e.end)):
        place = e.start + shift
        if token.start < place:
            break
        if token.start < place + len(e.new):
            start = NOWHERE
            shift = 0
            break
        shift += len(e.new) - (e.end - e.start)
    place = start - shift
    return Token(token.kind, token.text, token.start + place, token.end + place, token.spaced)


def _exchanged(node: s.Node, old: s.Node, new: s.Node) -> s.Node | None:
    """A node with one of its children replaced."""

    def inside(x: Any) -> Any:
        if x is old:
            return new
        if not isinstance(x, tuple):
            return x
        parts = tuple(map(inside, x))
        return x if all(a is b for a, b in zip(x, parts, strict=True)) else parts

    for f in fields(node):
        value = getattr(node, f.name)
        changed = inside(value)
        if changed is not value:
            return replace(node, **{f.name: changed})
    return None
