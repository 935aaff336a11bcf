"""Patches of functions: g for g′, tanh for σ, squares, a function applied once too often.

One of the generators of `repair`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from rnnsym.claims.patches_edit import Edit, Patch
from rnnsym.claims.patches_names import Speller
from rnnsym.claims.patches_source import Piece, Source, walk
from rnnsym.latex.snippets import bracketed, coloured
from rnnsym.nodes import TimeVector
from rnnsym.reader import syntax as s
from rnnsym.reader.meanings import ELEMENTWISE

OTHERS = {"tanh": r"\sigma", "sigmoid": r"\tanh", "sigma": r"\tanh"}


@dataclass(frozen=True)
class Applied:
    """A function with its argument, however it is written."""

    name: str
    start: int
    end: int
    head: s.Node
    inner: s.Node
    primes: int
    squared: bool


def patches(source: Source, speller: Speller) -> Iterator[Patch]:
    """Every change of a function."""
    calls = list(applied(source))
    for call in calls:
        yield from _of_a_value(source, speller, call)
        yield from _prime(source, call)
        yield from _other(source, call)
        yield from _power(source, call)
    yield from _unwrapped(source, calls)
    for site in source.sites:
        if isinstance(site.node, s.Add):
            yield from _slope(source, speller, site.node)
    for _, pieces in source.products():
        yield from _logistic(source, speller, pieces)
    yield from _squares(source, speller)


def applied(source: Source) -> Iterator[Applied]:
    """Every elementwise function of the formula."""
    for site in source.sites:
        node = site.node
        if (
            isinstance(node, s.Call)
            and node.function in ELEMENTWISE
            and not isinstance(node.argument, s.Empty)
        ):
            two = "".join(x.text for x in node.sup) == "2"
            yield Applied(
                node.function, node.start, node.end, node, node.argument, node.primes, two
            )
        if isinstance(node, s.Times):
            for piece in source.pieces(node):
                inner = piece.nodes[-1]
                symbol = piece.node
                if not piece.alone and isinstance(symbol, s.Symbol):
                    yield Applied(
                        symbol.base, piece.start, piece.end, symbol, inner, symbol.primes, False
                    )


def _prime(source: Source, call: Applied) -> Iterator[Patch]:
    """g for g′, and g′ for g."""
    shown = source.latex[call.start : call.end]
    marks = [x for x in source.tokens if call.start <= x.start < call.inner.start and x.text == "'"]
    if call.primes and marks:
        edit = Edit(marks[0].start, marks[0].end, "")
        told = f"the derivative {shown} stands where the function itself should"
        yield Patch((edit,), "g′ instead of g", told, 1.2)
    elif not call.primes:
        head = [x for x in source.tokens if call.start <= x.start < call.inner.start]
        place = head[0].end if isinstance(call.head, s.Call) else call.head.end
        edit = Edit(place, place, "'")
        told = f"{shown} stands where its derivative should"
        yield Patch((edit,), "g instead of g′", told, 1.2)


def _of_a_value(source: Source, speller: Speller, call: Applied) -> Iterator[Patch]:
    """σ′(z) where z is a value of σ already: z (1 - z) is meant, or σ′ of what σ was taken of."""
    inner = call.inner
    body = inner.parts[0] if isinstance(inner, s.Bracket) and len(inner.parts) == 1 else inner
    if call.primes != 1 or not isinstance(body, s.Symbol):
        return
    found = next((n.found for n in speller.named if n.symbol is body), None)
    equation = speller.net.equations.get(found.entry.name) if found is not None else None
    given = {e.name for e in speller.table.entries.values()}
    argument = getattr(equation.rhs, "argument", None) if equation is not None else None
    if argument is None or (isinstance(argument, TimeVector) and argument.name in given):
        return  # the argument has a name of its own
    text, shown = source.text(body), source.latex[call.start : call.end]
    if call.name == "tanh":
        new = bracketed(f"1 - {squared(source, speller, text)}")
    elif call.name in ("sigma", "sigmoid"):
        new = bracketed(f"{text} {speller.times_sign} {bracketed(f'1 - {text}')}")
    else:
        return
    told = f"{shown} is taken of {text}, which the function has been applied to already"
    yield Patch((Edit(call.start, call.end, new),), "g′ at g(z)", told, 1.0)


def _other(source: Source, call: Applied) -> Iterator[Patch]:
    """tanh for σ, and back."""
    new = OTHERS.get(call.name)
    if new is None:
        return
    first = next(x for x in source.tokens if x.start >= call.start)
    if first.kind != "command" or first.text not in (r"\tanh", r"\sigma", r"\sigmoid"):
        return
    gap = " " if source.latex[first.end : first.end + 1].isalpha() else ""
    edit = Edit(first.start, first.end, new + gap)
    told = f"{first.text} stands where {new} should"
    yield Patch((edit,), "another function", told, 1.3)


def _power(source: Source, call: Applied) -> Iterator[Patch]:
    """sech for sech², tanh for tanh²."""
    if not isinstance(call.head, s.Call):
        return
    shown = source.latex[call.start : call.end]
    if call.squared:
        sup = call.head.sup
        start = source.latex[: sup[0].start].rstrip(" {").rindex("^")
        end = sup[-1].end + (source.latex[sup[-1].end : sup[-1].end + 1] == "}")
        told = f"{shown} should not be squared"
        yield Patch((Edit(start, end, ""),), "squared", told, 1.3)
    elif not call.head.sup:
        head = [x for x in source.tokens if call.start <= x.start < call.inner.start]
        inside = [x for x in head if x.text == "}"]
        place = (inside[0] if inside and head[0].text != r"\tanh" else head[0]).end
        told = f"the square of {shown} is missing"
        yield Patch((Edit(place, place, "^2", f"^{coloured('2')}"),), "missing square", told, 1.3)


def _unwrapped(source: Source, calls: list[Applied]) -> Iterator[Patch]:
    """σ(o) where o is a value of σ already: every equal call replaced by its argument."""
    groups: dict[str, list[Applied]] = {}
    for call in calls:
        groups.setdefault("".join(source.latex[call.start : call.end].split()), []).append(call)
    for group in groups.values():
        inner = group[0].inner
        body = inner.parts[0] if isinstance(inner, s.Bracket) and len(inner.parts) == 1 else inner
        text = source.text(body)
        text = text if isinstance(body, s.Symbol) else bracketed(text)
        edits = tuple(Edit(c.start, c.end, text) for c in group)
        shown = source.latex[group[0].start : group[0].end]
        told = f"{shown} stands where {text} should: the function is applied already"
        yield Patch(edits, "g′ at g(z)", told, 1.1)
        if len(group) > 1:
            for call, edit in zip(group, edits, strict=True):
                told = f"{shown} stands where {text} should"
                yield Patch((edit,), "g applied again", told, 1.6)
                assert call


# ---- the derivative written out ----------------------------------------------------------


def _is_one(node: s.Node) -> bool:
    return (isinstance(node, s.Number) and node.value == 1) or (
        isinstance(node, s.Symbol) and node.base == "1"
    )


def square_of(source: Source, node: s.Node) -> str | None:
    """The text of x in x², x ⊙ x or x x."""
    if isinstance(node, s.Times):
        pieces = source.pieces(node)
        if len(pieces) == 2 and source.shown(pieces[0]) == source.shown(pieces[1]):
            return source.text(pieces[0])
    if isinstance(node, s.Scripted) and "".join(x.text for x in node.sup) == "2":
        inner = node.base
        if isinstance(inner, s.Bracket) and len(inner.parts) == 1:
            return source.text(inner.parts[0])
    if isinstance(node, s.Symbol) and node.sup and node.sup[-1].text == "2":
        latex = source.latex
        if "".join(x.text for x in node.sup) == "2":
            start = latex[: node.sup[0].start].rstrip(" {").rindex("^")
            return latex[node.start : start]
    return None


def squared(source: Source, speller: Speller, text: str) -> str:
    """x ⊙ x, or x² where the author writes squares."""
    if any(mark in source.latex for mark in ("^2", "^{2}")) or "⊙" not in _signs(source):
        return f"{text}^2" if "^" not in text else f"{bracketed(text)}^2"
    return f"{text} {speller.times_sign} {text}"


def _signs(source: Source) -> str:
    return "⊙" if any(x.text in (r"\odot", r"\circ") for x in source.tokens) else ""


def _slope(source: Source, speller: Speller, node: s.Add) -> Iterator[Patch]:
    """1 - a for 1 - a², and the derivatives of tanh and σ for each other."""
    if len(node.terms) != 2 or not _is_one(node.terms[0][1]):
        return
    one, x = source.text(node.terms[0][1]), node.terms[1][1]
    start, end = source.start(node), node.end
    sign = speller.times_sign if _signs(source) else ""
    root = square_of(source, x)
    shown = source.shown(node)
    if root is None:
        text = source.text(x)
        new = squared(source, speller, text)
        told = f"the square is missing: {shown} stands where {one} - {new} should"
        edit = Edit(source.start(x), x.end, new)
        yield Patch((edit,), "1 - a instead of 1 - a²", told, 1.0)
        return
    edit = Edit(source.start(x), x.end, root)
    told = f"{source.shown(x)} should not be squared"
    yield Patch((edit,), "1 - a² instead of 1 - a", told, 1.0)
    around = [n for n in _brackets(source) if n.parts[0] is node]
    new = f"{root} {sign} " + bracketed(f"{one} - {root}")
    told = f"{shown} is the derivative of tanh, where that of the sigmoid is meant"
    if around:
        edit = Edit(source.start(around[0]), around[0].end, new)
        yield Patch((edit,), "g′ of another function", told, 1.3)
    edit = Edit(start, end, new)
    yield Patch((edit,), "g′ of another function", told, 1.35)


def _brackets(source: Source) -> list[s.Bracket]:
    return [x for side in source.sides for x in walk(side) if isinstance(x, s.Bracket)]


def _logistic(source: Source, speller: Speller, pieces: list[Piece]) -> Iterator[Patch]:
    """a (1 - a) where 1 - a² is meant."""
    for a, b in pairwise(pieces):
        node = b.nodes[-1]
        if not (b.alone and isinstance(node, s.Bracket) and len(node.parts) == 1):
            continue
        inner = node.parts[0]
        if not (isinstance(inner, s.Add) and len(inner.terms) == 2 and _is_one(inner.terms[0][1])):
            continue
        if source.shown(inner.terms[1][1]) != source.shown(a):
            continue
        one, root = source.text(inner.terms[0][1]), source.text(a)
        new = bracketed(f"{one} - {squared(source, speller, root)}")
        told = (
            f"{source.shown(a)} (1 - {source.shown(a)}) is the derivative of the sigmoid, "
            "where that of tanh is meant"
        )
        yield Patch((Edit(a.start, b.end, new),), "g′ of another function", told, 1.3)


def _squares(source: Source, speller: Speller) -> Iterator[Patch]:
    """Norms and numbers squared or not squared."""
    for site in source.sites:
        node = site.node
        if isinstance(node, s.Bracket) and node.kind in ("‖", "|"):
            above = site.around[-1] if site.around else None
            if isinstance(above, s.Scripted) and "".join(x.text for x in above.sup) == "2":
                sup = above.sup
                start = source.latex[: sup[0].start].rstrip(" {").rindex("^")
                told = f"{source.shown(above)} should not be squared"
                end = sup[-1].end + (source.latex[sup[-1].end : sup[-1].end + 1] == "}")
                yield Patch((Edit(start, end, ""),), "squared", told, 1.3)
            elif not isinstance(above, s.Scripted):
                told = f"the square of {source.shown(node)} is missing"
                edit = Edit(node.end, node.end, "^2", f"^{coloured('2')}")
                yield Patch((edit,), "missing square", told, 1.3)
