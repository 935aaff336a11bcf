"""Fractions that are derivatives: ∂u/∂v, dL/dW, ∂(T u)/∂v.

Used by `parser`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from rnnsym.reader import syntax as s
from rnnsym.reader.tokens import Token, fail

_D = ({"d"}, {r"\partial"}, {r"\mathrm", r"\text", r"\textrm", r"\operatorname"})


def differential_sign(tokens: Sequence[Token]) -> int | None:
    """How many tokens spell the upright or italic d that a differential begins with."""
    if tokens and tokens[0].text == "d":
        return 1
    if len(tokens) > 1 and tokens[0].text == r"\delta":
        plus = [x.text for x in tokens[1:3]] == ["^", "+"]
        return 1 if plus or tokens[1].text not in ("_", "^") else None
    if len(tokens) > 1 and tokens[0].text in _D[2] and tokens[1].text == "d":
        return 2
    if (
        len(tokens) >= 4
        and tokens[0].text in _D[2]
        and [x.text for x in tokens[1:4]] == ["{", "d", "}"]
    ):
        return 4
    return None


def undifferential(tokens: Sequence[Token]) -> list[Token]:
    """The d of dL as a ∂ of its own kind, which the parser knows how to read."""
    count = differential_sign(tokens)
    if count is None:
        return list(tokens)
    first = tokens[0]
    return [Token("command", r"\partial", first.start, first.end), *tokens[count:]]


def derivative_of(top: s.Node, bottom: s.Node, start: int, end: int) -> s.Node:
    """A derivative, if the parts of a fraction are differentials; else the fraction."""
    by, divided = _by(bottom)
    amended = by is None and isinstance(bottom, s.Symbol) and _is_whole(top)
    by = (bottom,) if amended else by
    if by is None:
        return s.Fraction_(top, bottom, start=start, end=end)
    sign, factor, whole = _of(top)
    if whole is None:
        return s.Fraction_(top, bottom, start=start, end=end)
    if len(by) > 1 or whole.order > 1:
        fail("second derivatives are not read", start)
    found: s.Node = s.Derivative(
        whole.of, by, "partial", whole.plus, divided=divided, amended=amended,
        start=start, end=end,
    )  # fmt: skip
    if factor is not None:
        found = s.Times((("", factor), ("", found)), start=start, end=end)
    return found if sign == 1 else s.Add(((sign, found),), start=start, end=end)


def _is_whole(top: s.Node) -> bool:
    """Whether a numerator is ∂u and nothing else: above a v, a ∂ was forgotten."""
    if isinstance(top, s.Add) and len(top.terms) == 1:
        top = top.terms[0][1]
    return isinstance(top, s.Differential) and top.of is not None and not top.sub


def _by(bottom: s.Node) -> tuple[tuple[s.Node, ...] | None, s.Node | None]:
    """What ∂v in a denominator varies, and a factor beside it."""
    if isinstance(bottom, s.Differential) and bottom.of is not None:
        return (bottom.of,), None
    if isinstance(bottom, s.Times):
        last = bottom.factors[-1][1]
        if isinstance(last, s.Differential) and last.of is not None:
            rest = bottom.factors[:-1]
            if any(isinstance(f, s.Differential) for _, f in rest):
                return (last.of, last.of), None
            return (last.of,), rest[0][1] if len(rest) == 1 else s.Times(
                rest, start=bottom.start, end=last.start
            )
        first = bottom.factors[0][1]
        if isinstance(first, s.Differential) and first.of is not None:
            # ∂ W x: what varies is the whole product
            parts = (("", first.of), *bottom.factors[1:])
            return (s.Times(parts, start=first.of.start, end=bottom.end),), None
    return None, None


def _of(top: s.Node) -> tuple[int, s.Node | None, s.Differential | None]:
    """Sign, a factor in front, and the differential, in a numerator."""
    if isinstance(top, s.Add) and len(top.terms) == 1:
        sign, inner = top.terms[0]
        below, factor, found = _of(inner)
        return sign * below, factor, found
    if isinstance(top, s.Differential):
        return 1, None, top
    if isinstance(top, s.Times):
        first = top.factors[0][1]
        if isinstance(first, s.Differential):
            rest = top.factors[1:]
            of: Any = (
                s.Times((("", first.of), *rest), start=top.start, end=top.end)
                if first.of
                else (rest[0][1] if len(rest) == 1 else s.Times(rest, start=top.start, end=top.end))
            )
            return 1, None, replace(first, of=of)
        last = top.factors[-1][1]
        if isinstance(last, s.Differential):
            before = top.factors[:-1]
            factor = (
                before[0][1]
                if len(before) == 1
                else s.Times(before, start=top.start, end=last.start)
            )
            return 1, factor, last
    return 1, None, None
