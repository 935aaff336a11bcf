"""Limits: what goes where in \\lim_{x \\to \\infty}, and what is said with an arrow.

Used by `resolve` and `statements`.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any, TypeGuard

from rnnsym.reader import syntax as s
from rnnsym.reader import terms as u
from rnnsym.reader.indices import Index, read_index
from rnnsym.reader.symbols import spell
from rnnsym.reader.table import INDICES, Entry, key
from rnnsym.reader.tokens import fail, tokens


def limit(resolver: Any, node: s.Limit) -> u.Limit:
    """A limit with its variable bound: a number of steps, or a number that varies freely."""
    towards, side = _target(node.towards)
    counted = _steps(resolver, node.variable) if towards is None and side >= 0 else None
    if counted is not None:
        before = resolver.scope
        resolver.scope = (*before, *counted.names)
        try:
            return u.Limit(counted, towards, 1, resolver(node.body))
        finally:
            resolver.scope = before
    variable = node.variable
    if not isinstance(variable, s.Symbol) or variable.sub or variable.sup:
        fail("what goes to a limit must be one letter, or a number of steps", variable.start)
    name = key(spell(variable))
    entries = resolver.table.entries
    known = entries.get(name)
    entries[name] = Entry("free", variable.base)
    try:
        return u.Limit(variable.base, towards, side, resolver(node.body))
    finally:
        del entries[name]
        if known is not None:
            entries[name] = known


def _target(node: s.Node) -> tuple[Fraction | None, int]:
    """Where something goes: a number, or None for ∞; and from which side, or on which."""
    if isinstance(node, s.Number):
        return node.value, 0
    if isinstance(node, s.Add) and len(node.terms) == 1:
        sign, inner = node.terms[0]
        value, side = _target(inner)
        return (None if value is None else sign * value), sign if value is None else -side
    if isinstance(node, s.Scripted) and isinstance(node.base, s.Number) and not node.sub:
        sides = {"+": 1, "-": -1}
        mark = "".join(x.text for x in node.sup)
        if mark in sides:
            return node.base.value, sides[mark]
    if isinstance(node, s.Symbol) and node.base == "infty" and not node.sub:
        mark = "".join(x.text for x in node.sup)
        if mark in ("", "+", "-"):
            return None, -1 if mark == "-" else 1
    fail("where something goes must be a number, or ∞", node.start)


def _steps(resolver: Any, node: s.Node) -> Index | None:
    """A number of steps, T or |t - k|; None for a number that varies freely."""
    text = resolver.latex[node.start : node.end].strip().strip("|()")
    index = read_index(tokens(text)) if len(text) < 40 else None
    if index is None or not index.letters:
        return None
    table = resolver.table
    known = {*table.letters, *table.lengths, *INDICES, "T", "t", "n", "m"} - {"x", "z"}
    entry = table.entries.get((index.letter, (), ""))
    free = entry is not None and entry.kind != "length"
    return index if set(index.names) <= known and not free else None


def said(found: Iterable[Any]) -> list[Any]:
    """Statements, A → b as x → ∞ made one: the limit of A is b."""
    result: list[Any] = []
    for statement in found:
        node = _unwrapped(statement.node)
        before = result[-1].node if result else None
        if _is_arrow(before) and _is_arrow(node) and _goes(node):
            *first, last, value = before.sides
            variable, towards = node.sides
            body = s.Limit(variable, towards, last, start=last.start, end=last.end)
            whole = s.Relation(
                (*first, body, value), (*before.ops[:-1], "="), start=before.start, end=node.end
            )
            result[-1] = type(statement)(whole, result[-1].link, result[-1].from_row)
            continue
        result.append(statement)
    return result


def _unwrapped(node: s.Node) -> s.Node:
    """What stands in brackets by itself, (x → ∞)."""
    alone = isinstance(node, s.Bracket) and node.kind in "([" and len(node.parts) == 1
    return node.parts[0] if alone and isinstance(node, s.Bracket) else node


def _is_arrow(node: Any) -> TypeGuard[s.Relation]:
    return isinstance(node, s.Relation) and node.ops[-1] == "→" and "→" not in node.ops[:-1]


def _goes(node: s.Relation) -> bool:
    """Whether a letter, or a number of steps, goes to a number or to ∞."""
    towards = node.sides[1]
    if len(node.sides) > 2:
        return False
    plain = isinstance(node.sides[0], s.Symbol | s.Add | s.Bracket)
    inner = towards.terms[0][1] if isinstance(towards, s.Add) else towards
    base = inner.base if isinstance(inner, s.Scripted) else inner
    return plain and (
        isinstance(base, s.Number) or (isinstance(base, s.Symbol) and base.base == "infty")
    )
