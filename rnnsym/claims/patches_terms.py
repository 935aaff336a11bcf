"""Patches of sums: signs, terms that are too many or counted twice, constant factors.

One of the generators of `repair`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from rnnsym.claims.patches_edit import Edit, Patch
from rnnsym.claims.patches_names import Speller
from rnnsym.claims.patches_source import Site, Source
from rnnsym.latex.snippets import bracketed, coloured
from rnnsym.reader import syntax as s

#: factors are exchanged between so many terms
MOST_TERMS = 4


def patches(source: Source, speller: Speller) -> Iterator[Patch]:
    """Every change of the terms of a sum."""
    for site in source.sites:
        if isinstance(site.node, s.Add):
            yield from _signs(source, site, site.node)
            yield from _carried(source, speller, site.node)
            yield from _terms(source, site, site.node)
            yield from _exchanged(source, site.node)
            yield from _unbracketed(source, site.node)
    for side in source.sides[1:]:
        yield from _whole(source, side)
    for site in source.sites:
        if isinstance(site.node, s.Number):
            yield from _numbers(source, site.node)


def _is_slope(source: Source, site: Site, node: s.Add) -> bool:
    """Whether a sum is 1 ± something, as in the derivative of an activation."""
    first = node.terms[0][1]
    one = (isinstance(first, s.Number) and first.value == 1) or (
        isinstance(first, s.Symbol) and first.base == "1"
    )
    return one and len(node.terms) == 2


def _signs(source: Source, site: Site, node: s.Add) -> Iterator[Patch]:
    slope = _is_slope(source, site, node)
    for i, (sign, term) in enumerate(node.terms):
        new = "-" if sign > 0 else "+"
        start = source.start(term)
        before = source.token_before(start)
        shown = source.shown(term)
        kind = "sign inside g′" if slope and i else "sign of a contribution"
        told = f"the sign before {shown} should be {'minus' if sign > 0 else 'plus'}"
        if before is not None and before.text in ("+", "-") and before.start >= _from(source, node):
            text = "" if new == "+" and not i else new
            yield Patch((Edit(before.start, before.end, text),), kind, told, 1.0)
        elif sign > 0:
            yield Patch((Edit(start, start, "-"),), kind, told, 1.1)
    if len(node.terms) == 2 and node.terms[0][0] * node.terms[1][0] < 0:
        (_, a), (_, b) = node.terms
        first, second = source.text(a), source.text(b)
        edits = (
            Edit(source.start(a), a.end, second),
            Edit(source.start(b), b.end, first),
        )
        told = f"the difference of {source.shown(a)} and {source.shown(b)} is reversed"
        yield Patch(edits, "reversed difference", told, 0.9)


def _unbracketed(source: Source, node: s.Add) -> Iterator[Patch]:
    """A + B ⊙ g′, where the factor of the last term belongs to the whole sum."""
    last = node.terms[-1][1]
    if len(node.terms) < 2 or not isinstance(last, s.Times):
        return
    for i, (op, factor) in enumerate(last.factors):
        if not i or op not in ("⊙", "*", "·"):
            continue
        begin, end = last.factors[i - 1][1].end, source.start(factor)
        first = source.start(node.terms[0][1])
        inner, outer = source.latex[first:begin], source.latex[begin : last.end]
        edits = (Edit(first, last.end, rf"\left({inner}\right){outer}"),)
        rest = source.latex[end : last.end].strip()
        told = f"the factor {rest} belongs to the whole sum: brackets are missing"
        yield Patch(edits, "brackets missing", told, 0.95)


def _carried(source: Source, speller: Speller, node: s.Add) -> Iterator[Patch]:
    """The signs of all terms that come from the next step."""
    edits = []
    for sign, term in node.terms:
        later = any(
            n.found.time is not None
            and n.found.time.constant > 0
            and term.start <= n.symbol.start < term.end
            for n in speller.named
        )
        before = source.token_before(source.start(term))
        if later and before is not None and before.text in ("+", "-"):
            edits.append(Edit(before.start, before.end, "+" if sign < 0 else "-"))
        elif later:
            edits.append(Edit(source.start(term), source.start(term), "-"))
    if len(edits) > 1:
        told = "what comes from the next step has the wrong sign"
        yield Patch(tuple(edits), "sign of what is carried", told, 1.0)


def _from(source: Source, node: s.Add) -> int:
    """Where a sum begins, with the sign of its first term."""
    first = source.start(node.terms[0][1])
    before = source.token_before(first)
    if node.terms[0][0] < 0 and before is not None and before.text in ("-", "+"):
        return before.start
    return first


def _terms(source: Source, site: Site, node: s.Add) -> Iterator[Patch]:
    """Each term left out; each term doubled or halved."""
    texts = [source.shown(t) for _, t in node.terms]
    for i, (_, term) in enumerate(node.terms):
        edit = _cut(source, node, i)
        if edit is not None:
            twice = texts.count(texts[i]) > 1
            kind = "contribution twice" if twice else "extra term"
            told = f"the term {texts[i]} " + ("stands there twice" if twice else "is too much")
            yield Patch((edit,), kind, told, 1.2)
        start = source.start(term)
        two = Edit(start, start, "2 ", f"{coloured('2')} ")
        yield Patch((two,), "term halved", f"the factor 2 of {texts[i]} is missing", 1.8)


def _exchanged(source: Source, node: s.Add) -> Iterator[Patch]:
    """A factor of one term and a factor of another, each where the other belongs."""
    products = [source.pieces(t) for _, t in node.terms[:MOST_TERMS] if isinstance(t, s.Times)]
    for first, other in combinations(products, 2):
        for a in first:
            for b in other:
                one, two = source.text(a), source.text(b)
                if source.shown(a) != source.shown(b):
                    edits = (Edit(a.start, a.end, two), Edit(b.start, b.end, one))
                    told = f"{source.short(a)} and {source.short(b)} are exchanged"
                    yield Patch(edits, "exchanged", told, 1.44)


def _cut(source: Source, node: s.Add, i: int) -> Edit | None:
    terms = [t for _, t in node.terms]
    start, end = source.start(terms[i]), terms[i].end
    before = source.token_before(start)
    if before is not None and before.text in ("+", "-") and (i or node.terms[0][0] < 0):
        start = before.start
    if i == 0:
        after = source.token_before(source.start(terms[1])) if len(terms) > 1 else None
        if after is None:
            return None
        # a plus that comes first is left out, a minus stays
        end = after.end if node.terms[1][0] > 0 else after.start
        cut = source.latex[start:end]
        if r"\\" in cut or "&" in cut:
            return None
    return Edit(start, end, "")


def _whole(source: Source, side: s.Node) -> Iterator[Patch]:
    """The sign of everything, 2, 1/2 and 1/T before everything."""
    start, end = source.start(side), side.end
    text = source.latex[start:end]
    if isinstance(side, s.Empty):
        return
    first = source.token_before(start + 1)
    wrap = bracketed(text) if isinstance(side, s.Add) else text
    if first is not None and first.text == "-" and not isinstance(side, s.Add):
        yield Patch((Edit(first.start, first.end, ""),), "sign", "the sign is wrong", 0.85)
    told = "everything has the wrong sign"
    if isinstance(side, s.Add) and len(side.terms) == 1:
        inner = side.terms[0][1]
        negative = Edit(start, source.start(inner), "")
        yield Patch((negative,), "sign", told, 0.85)
    else:
        minus = f"-{wrap}"
        edit = Edit(start, end, minus) if wrap != text else Edit(start, start, "-")
        yield Patch((edit,), "sign", told, 0.95)
    for number, kind, told in (
        ("2", "factor 1/2", "the factor 2 is missing"),
        (r"\frac{1}{2}", "factor 2", "it is twice as large as it should be"),
        (r"\frac{1}{T}", "sum instead of mean", "the factor 1/T is missing"),
        ("T", "mean instead of sum", "it is divided by T, where the loss is a sum"),
    ):
        new = Edit(start, end, f"{number} {wrap}", f"{coloured(number)} {wrap}")
        if wrap == text:
            new = Edit(start, start, f"{number} ", f"{coloured(number)} ")
        yield Patch((new,), kind, told, 1.3)


def _numbers(source: Source, node: s.Number) -> Iterator[Patch]:
    value, text = node.value, source.latex[node.start : node.end]
    tried = [str(value + 1), str(value - 1)] if value.denominator == 1 else []
    if len(text) == 2 and text[0] == text[1]:
        tried.append(text[0])
    for new in tried:
        if not new.startswith("-"):
            told = f"{text} stands where {new} should"
            yield Patch((Edit(node.start, node.end, new),), "number", told, 1.7)
