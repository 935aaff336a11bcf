"""Ranges that are written as lists: t = 1, …, T is 1 ≤ t ≤ T.

Used by `statements`. Without this the first value alone would be taken for the condition.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from rnnsym.reader import syntax as s
from rnnsym.reader.tokens import fail

if TYPE_CHECKING:
    from rnnsym.reader.statements import Statement


def with_ranges(found: Sequence[Statement]) -> tuple[Statement, ...]:
    """The statements, each list of values of an index put together to a range."""
    result: list[Statement] = []
    i = 0
    while i < len(found):
        statement, more = found[i], i + 1
        while more < len(found) and _is_value(found[more]):
            more += 1
        values = [x.node for x in found[i + 1 : more]]
        if values and _begins(statement.node):
            result.append(replace(statement, node=_range(statement.node, values)))
            i = more
        else:
            result.append(replace(statement, node=_bounded(statement.node)))
            i += 1
    return tuple(result)


def _bounded(node: s.Node) -> s.Node:
    """σ′(z) ∈ [0, 1/4] as 0 ≤ σ′(z) ≤ 1/4; open ends are not told from closed ones. A name by
    itself, z ∈ [0, 1], is only said to be of a kind."""
    if not isinstance(node, s.Relation) or node.ops != ("∈",):
        return node
    left, interval = node.sides
    if not isinstance(interval, s.Bracket) or interval.kind not in ("(", "["):
        return node
    numbers = len(interval.parts) == 2 and all(map(_is_number, interval.parts))
    if not numbers or isinstance(left, s.Symbol) or interval.separator != ",":
        return node
    low, high = interval.parts
    return replace(node, sides=(low, left, high), ops=("≤", "≤"))


def _is_number(node: s.Node) -> bool:
    if isinstance(node, s.Add) and len(node.terms) == 1:  # -1
        node = node.terms[0][1]
    if isinstance(node, s.Fraction_):
        return _is_number(node.above) and _is_number(node.below)
    return isinstance(node, s.Number)


def _is_value(statement: Statement) -> bool:
    node = statement.node
    if isinstance(node, s.Add):
        return all(isinstance(x, s.Number | s.Symbol) for _, x in node.terms)
    plain = isinstance(node, s.Number | s.Dots) or (isinstance(node, s.Symbol) and not node.sup)
    return plain and statement.link.strip() in (",", "")


def _begins(node: s.Node) -> bool:
    """Whether a relation gives an index its first value."""
    return (
        isinstance(node, s.Relation)
        and node.ops == ("=",)
        and isinstance(node.sides[0], s.Symbol)
        and node.sides[0].base.islower()
        and not (node.sides[0].sub or node.sides[0].sup or node.sides[0].accents)
        and isinstance(node.sides[1], s.Number | s.Symbol | s.Add)
    )


def _range(node: s.Node, values: list[s.Node]) -> s.Node:
    assert isinstance(node, s.Relation)
    index, first = node.sides
    end = values[-1].end
    numbers = [x for x in values if not isinstance(x, s.Dots)]
    if not numbers:  # t = 1, 2, …
        return s.Relation((first, index), ("≤",), start=node.start, end=end)
    if len(numbers) == len(values) and len(values) > 1:
        _check_steps([first, *numbers])
    low, high = first, values[-1]
    if isinstance(high, s.Dots):
        return s.Relation((first, index), ("≤",), start=node.start, end=end)
    if _descends(first, numbers):
        low, high = high, low
    return s.Relation((low, index, high), ("≤", "≤"), start=node.start, end=end)


def _check_steps(values: list[s.Node]) -> None:
    """Refuses t = 1, 3, 7: a list that is no range."""
    steps = [_number(b) - _number(a) for a, b in itertools.pairwise(values)]
    if any(abs(step) != 1 for step in steps):
        fail("a list of values that is no range is not read", values[0].start)


def _number(node: s.Node) -> Fraction:
    return node.value if isinstance(node, s.Number) else Fraction(0)


def _descends(first: s.Node, values: list[s.Node]) -> bool:
    """Whether the list counts down: T, T-1, …, 1."""
    last = values[-1]
    if isinstance(first, s.Number) and isinstance(last, s.Number):
        return first.value > last.value
    if isinstance(first, s.Number) or isinstance(last, s.Number):
        return isinstance(last, s.Number)
    second = values[0]
    if isinstance(second, s.Add) and len(values) > 1:
        return second.terms[-1][0] == -1 and second.terms[0][1] == first
    return _base(first) == "T"


def _base(node: s.Node) -> str:
    if isinstance(node, s.Add):
        node = node.terms[0][1]
    return node.base if isinstance(node, s.Symbol) else ""
