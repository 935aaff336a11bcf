"""Einstein's convention: a letter that counts entries more than once in a product is summed over.

Used where a document or a user says so, before symbols are looked up: W_{ij} h_j is read as
Σ_j W_{ij} h_j is.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from rnnsym.reader import syntax as s
from rnnsym.reader.statements import Reading
from rnnsym.reader.symbols import spell
from rnnsym.reader.tokens import Token

#: letters that count entries
ENTRIES = set("ijklmnpqrs")


def with_sums(reading: Reading) -> Reading:
    """A reading in which the sums that the convention leaves out are written."""
    return replace(
        reading,
        statements=tuple(
            replace(st, node=_of_statement(_level(st.node))) for st in reading.statements
        ),
    )


def _level(node: s.Node) -> s.Node:
    """h_{t_m} and b_{y_i} as h_{t,m} and b_{y,i}: entries that stand below what they are of."""

    def change(x: Any) -> s.Node | None:
        marks = [k for k, y in enumerate(x.sub) if y.text == "_"] if isinstance(x, s.Symbol) else []
        if len(marks) != 1 or not isinstance(x, s.Symbol):
            return None
        inner = [y for y in x.sub[marks[0] + 1 :] if y.text not in "{}"]
        if len(inner) != 1 or inner[0].text not in ENTRIES:
            return None
        comma = replace(x.sub[marks[0]], text=",")
        return replace(x, sub=(*x.sub[: marks[0]], comma, inner[0]))

    found: s.Node = s.rebuilt(node, change)
    return found


def _of_statement(node: s.Node) -> s.Node:
    if not isinstance(node, s.Relation):
        return _summed(node, set())
    free = set(_counts(node.sides[0]))
    first = _summed(node.sides[0], free)
    return replace(node, sides=(first, *(_summed(x, free) for x in node.sides[1:])))


def _summed(node: s.Node, free: set[str]) -> s.Node:
    """A node with a sum before each product in which a letter stands twice or more; free: letters
    that the left side has too, or that a sum binds."""

    def change(x: Any) -> s.Node | None:
        if isinstance(x, s.Big) and x.lower and x.lower[0].text not in free:
            return replace(x, body=_summed(x.body, free | {x.lower[0].text}))
        if not isinstance(x, s.Times):
            return None
        twice = [c for c, n in _counts(x).items() if n > 1 and c not in free]
        inside = free | set(twice)
        found: s.Node = replace(x, factors=tuple((op, _summed(y, inside)) for op, y in x.factors))
        for letter in reversed(twice):
            lower = (Token("letter", letter, x.start, x.start),)
            found = s.Big("sum", lower, (), found, start=x.start, end=x.end)
        return found

    new: s.Node = s.rebuilt(node, change)
    return new


def _counts(node: Any) -> Counter[str]:
    """How often each letter counts entries in a node, as in one product; the terms of a sum count
    once."""
    if isinstance(node, tuple):
        return sum((_counts(x) for x in node), Counter())
    if not isinstance(node, s.Node):
        return Counter()
    if isinstance(node, s.Add):
        found: Counter[str] = Counter()
        for _, term in node.terms:
            found |= _counts(term)
        return found
    if isinstance(node, s.Symbol):
        scripts = [x for x in spell(node).scripts if x.where == "sub" and x.style == "plain"]
        letters = [c for x in scripts if set(x.text) <= ENTRIES for c in x.text]
        return Counter(letters)
    return sum(map(_counts, s.values(node)), Counter())
