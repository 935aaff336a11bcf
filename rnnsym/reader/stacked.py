"""Equations for several vectors at once: [i; f; o; g] = [σ; σ; σ; tanh] W [h; x], row by row.

Used by `vocabulary`. A product of a matrix of blocks and a column of vectors is written out; of a
weight without visible blocks each row gets a block that is named after the vector it gives.
"""

from __future__ import annotations

from dataclasses import replace

from rnnsym.reader import syntax as s
from rnnsym.reader.tokens import Token


def rows_of(node: s.Node) -> list[s.Node]:
    """The equations that an equation between columns amounts to; none if it is no such equation."""
    if not isinstance(node, s.Relation) or len(node.sides) != 2 or node.ops[0] not in ("=", ":="):
        return []
    names = _column(node.sides[0])
    if names is None or len(names) < 2 or not all(isinstance(x, s.Symbol) for x in names):
        return []
    found = _rows(node.sides[1], names)
    if found is None or len(found) != len(names):
        return []
    return [replace(node, sides=pair) for pair in zip(names, found, strict=True)]


def _column(node: s.Node) -> list[s.Node] | None:
    """The entries of a column."""
    if isinstance(node, s.Bracket) and len(node.parts) == 1 and node.kind in "([":
        node = node.parts[0]
    if not isinstance(node, s.Table) or node.kind == "cases":
        return None
    return [row[0] for row in node.rows] if all(len(row) == 1 for row in node.rows) else None


def _rows(node: s.Node, names: list[s.Node]) -> list[s.Node] | None:
    """The rows of a right-hand side."""
    whole = _column(node)
    if whole is not None:
        return whole
    if isinstance(node, s.Bracket) and len(node.parts) == 1:
        return _rows(node.parts[0], names)
    if isinstance(node, s.Add):
        parts = [_rows(x, names) for _, x in node.terms]
        if any(p is None or len(p) != len(names) for p in parts):
            return None
        signs = [sign for sign, _ in node.terms]
        return [
            replace(node, terms=tuple(zip(signs, row, strict=True)))
            for row in zip(*(p for p in parts if p is not None), strict=True)
        ]
    if isinstance(node, s.Times):
        return _of_product(node, names)
    return _blocks(node, names)


def _of_product(node: s.Times, names: list[s.Node]) -> list[s.Node] | None:
    (_, first), rest = node.factors[0], node.factors[1:]
    functions = _column(first)
    if functions is not None and all(map(_is_function, functions)):
        inner = rest[0][1]
        if len(rest) > 1:
            inner = replace(node, factors=(("", inner), *rest[1:]))
        found = _rows(inner, names)
        if found is None or len(found) != len(functions):
            return None
        return [_applied(f, x) for f, x in zip(functions, found, strict=True)]
    vector = _column(rest[0][1]) if len(rest) == 1 else None
    if isinstance(first, s.Table) and vector is not None:
        if any(len(row) != len(vector) for row in first.rows):
            return None
        pairs = [zip(row, vector, strict=True) for row in first.rows]
        return [_sum([_times(w, v) for w, v in row]) for row in pairs]
    if isinstance(first, s.Symbol) and len(rest) == 1:
        argument = rest[0][1]
        if vector is not None:
            parts = tuple(vector)
            argument = s.Bracket("[", parts, ";", start=argument.start, end=argument.end)
        return [_times(_block(first, name), argument) for name in names]
    return None


def _blocks(node: s.Node, names: list[s.Node]) -> list[s.Node] | None:
    """A bias without visible blocks."""
    return [_block(node, n) for n in names] if isinstance(node, s.Symbol) else None


def _block(weight: s.Symbol, name: s.Node) -> s.Symbol:
    """The block of a weight that gives one vector: W_i of W."""
    assert isinstance(name, s.Symbol)
    at = weight.end
    letters = (Token("letter", name.base, at, at),)
    comma = (Token("mark", ",", at, at),) if weight.sub else ()
    return replace(weight, sub=(*weight.sub, *comma, *letters))


def _is_function(node: s.Node) -> bool:
    plain = isinstance(node, s.Symbol) and not node.sub and not node.sup
    return plain or (isinstance(node, s.Call) and isinstance(node.argument, s.Empty))


def _applied(function: s.Node, argument: s.Node) -> s.Node:
    if isinstance(function, s.Call):
        return replace(function, argument=argument)
    bracket = s.Bracket("(", (argument,), "", start=argument.start, end=argument.end)
    return _times(function, bracket)


def _times(a: s.Node, b: s.Node) -> s.Node:
    return s.Times((("", a), ("", b)), start=a.start, end=b.end)


def _sum(parts: list[s.Node]) -> s.Node:
    if len(parts) == 1:
        return parts[0]
    return s.Add(tuple((1, x) for x in parts), start=parts[0].start, end=parts[-1].end)
