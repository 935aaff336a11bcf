"""Patches that put in a factor, or another in the place of one: g′, gates, states, weights.

One of the generators of `repair`.
"""

from __future__ import annotations

from collections.abc import Iterator

from rnnsym.claims.patches_edit import Edit, Patch
from rnnsym.claims.patches_functions import square_of
from rnnsym.claims.patches_names import Speller
from rnnsym.claims.patches_pool import Pool
from rnnsym.claims.patches_source import Piece, Site, Source
from rnnsym.latex.snippets import bracketed, coloured, diagonal
from rnnsym.reader import syntax as s

#: so many factors next to each other are replaced by one
WINDOW = 3


def patches(source: Source, speller: Speller) -> Iterator[Patch]:
    """Every factor that could be missing, or stand for another."""
    if speller.net is None:
        return
    pool = Pool(source, speller)
    places = [*source.products(), *_sums(source)]
    for site, pieces in places:
        if site.side != 1 or isinstance(site.node, s.Number | s.Empty | s.Words):
            continue
        if site.inside(s.Derivative, s.Differential):
            continue
        yield from _replaced(source, speller, pool, site, pieces)
        yield from _inserted(source, speller, pool, site, pieces)
        yield from _weights(source, speller, pool, pieces)
        yield from _named(speller, pool, pieces)
    yield from _common(source)
    yield from _complements(source, speller)


def _sums(source: Source) -> Iterator[tuple[Site, list[Piece]]]:
    """A sum that is a whole side or the body of a sum: a factor for all of it."""
    for site in source.sites:
        if isinstance(site.node, s.Add) and (not site.around or isinstance(site.around[-1], s.Big)):
            yield site, [Piece("", (site.node,), source.start(site.node), site.node.end)]


def _letter(site: Site) -> str:
    return site.letters[0] if site.letters else ""


# ---- missing factors ---------------------------------------------------------------------


def _inserted(
    source: Source, speller: Speller, pool: Pool, site: Site, pieces: list[Piece]
) -> Iterator[Patch]:
    start, end = pieces[0].start, pieces[-1].end
    times = pool.times(start, end) or [pool.time]
    found = [(text, "missing g′", 1.7) for at in times[:3] for text in pool.slopes(at)]
    found += [(text, "missing factor", 1.75) for text in pool.parts(_letter(site))]
    rows: list[str] = []
    for place, name in enumerate(pool.values):
        for at in times:
            text = speller.quantity("vector", name, at)
            row = speller.quantity("vector", name, at, True)
            found += [(text, "missing factor", 1.8 + 0.01 * place)] if text else []
            rows += [row] if row else []
    if pool.adjoint:
        for name in pool.net.equations:
            for at in times[:3]:
                text = speller.quantity("gradient", name, at)
                if text is not None:
                    found.append((text, "missing adjoint", 1.85))
                    yield from _beside(pieces, text, "missing adjoint", 1.9)
    for text, kind, rank in dict.fromkeys(found):
        yield from _elementwise(source, speller, pieces, text, kind, rank)
    for row in rows:
        yield from _beside(pieces, row, "missing factor", 2.0)


def _beside(pieces: list[Piece], text: str, kind: str, rank: float) -> Iterator[Patch]:
    """A factor before or behind all others."""
    start, end = pieces[0].start, pieces[-1].end
    told = f"the factor {text} is missing"
    if not isinstance(pieces[0].node, s.Add):
        for edit in (
            Edit(end, end, f" {text}", f" {coloured(text)}"),
            Edit(start, start, f"{text} ", f"{coloured(text)} "),
        ):
            yield Patch((edit,), kind, told, rank)


def _elementwise(
    source: Source, speller: Speller, pieces: list[Piece], text: str, kind: str, rank: float
) -> Iterator[Patch]:
    """A factor before everything, before each single piece, and as a diagonal matrix."""
    sign = speller.times_sign
    start, end = pieces[0].start, pieces[-1].end
    told = f"the factor {text} is missing"
    new = f"{text} {sign} "
    if isinstance(pieces[0].node, s.Add):
        whole = bracketed(source.latex[start:end])
        edit = Edit(start, end, f"{whole} {sign} {text}", f"{whole} {sign} {coloured(text)}")
        yield Patch((edit,), kind, told, rank)
        return
    if isinstance(pieces[0].node, s.Number) and len(pieces) > 1:
        start = pieces[1].start
    yield Patch((Edit(start, start, new, coloured(new.strip()) + " "),), kind, told, rank)
    matrix, is_matrix = diagonal(text), text.startswith(r"\operatorname{diag}")
    for piece in pieces:
        if isinstance(piece.node, s.Derivative | s.Number):
            continue
        if "diag" in source.latex and not is_matrix:
            edit = Edit(piece.start, piece.start, matrix + r"\,", coloured(matrix) + r"\,")
            yield Patch((edit,), kind, told, rank + 0.3)
        elif is_matrix:
            edit = Edit(piece.start, piece.start, text + r"\,", coloured(text) + r"\,")
            yield Patch((edit,), kind, told, rank + 0.1)
        elif len(pieces) > 1:
            inner = source.text(piece)
            edit = Edit(piece.start, piece.end, bracketed(f"{text} {sign} {inner}"))
            yield Patch((edit,), kind, told, rank + 0.3)
    last = pieces[-1].node
    if isinstance(last, s.Call) and last.function == "diag":
        argument = last.argument
        inner_ = argument.parts[0] if isinstance(argument, s.Bracket) else argument
        place = source.start(inner_)
        edit = Edit(place, place, new, coloured(new.strip()) + " ")
        yield Patch((edit,), kind, told, rank)


def _weights(source: Source, speller: Speller, pool: Pool, pieces: list[Piece]) -> Iterator[Patch]:
    if isinstance(pieces[0].node, s.Add):
        return
    for name in pool.weights:
        for turn in (True, False):
            text = speller.quantity("parameter", name, None, turn)
            if text is None:
                continue
            told = f"the factor {text} is missing"
            for piece in (*pieces, None):
                place = piece.start if piece is not None else pieces[-1].end
                new = f"{text} " if piece is not None else f" {text}"
                edit = Edit(place, place, new, new.replace(text, coloured(text)))
                yield Patch((edit,), "missing weight", told, 1.9)


def _named(speller: Speller, pool: Pool, pieces: list[Piece]) -> Iterator[Patch]:
    """A number of the network, α or 1 - α, before all; a name of the document's own, D_k, before
    any factor or behind them all."""
    if isinstance(pieces[0].node, s.Add):
        return
    for name in pool.numbers:
        number = speller.quantity("parameter", name)
        for text in (number, rf"\left(1 - {number}\right)") if number else ():
            place = pieces[0].start
            edit = Edit(place, place, rf"{text}\,", rf"{coloured(text)}\,")
            yield Patch((edit,), "missing factor", f"the factor {text} is missing", 1.6)
    times = [n.found.time for n in speller.named if n.site.side == 0 and n.found.time is not None]
    times += pool.times(pieces[0].start, pieces[-1].end)
    for name in pool.names:
        for at in dict.fromkeys(times):
            for turn in (False, True):
                called = speller.quantity("definition", name, at, turn)
                if called is None:
                    continue
                told = f"the factor {called} is missing"
                for place in (*(p.start for p in pieces[::-1]), pieces[-1].end):
                    edit = Edit(place, place, rf" {called}\,", rf" {coloured(called)}\,")
                    yield Patch((edit,), "missing factor", told, 1.65 + 0.2 * turn)


# ---- another factor ----------------------------------------------------------------------


def _replaced(
    source: Source, speller: Speller, pool: Pool, site: Site, pieces: list[Piece]
) -> Iterator[Patch]:
    """One factor, or some next to each other, where a g′ or a factor of the right term belongs."""
    if isinstance(pieces[0].node, s.Add):
        return
    above = site.around[-1] if site.around else None
    minus = isinstance(above, s.Add) and any(x is site.node and n < 0 for n, x in above.terms)
    alone = isinstance(above, s.Call | s.Bracket) and len(pieces) == 1
    names = {
        speller.quantity("vector", name, at)
        for name in pool.values
        for at in pool.times(pieces[0].start, pieces[-1].end)
    }
    for i in range(len(pieces)):
        for j in range(i + 1, min(len(pieces), i + WINDOW) + 1):
            start, end = pieces[i].start, pieces[j - 1].end
            old = " ".join(source.latex[start:end].split())
            times = pool.times(start, end) or [pool.time]
            texts = [text for at in times[:1] for text in pool.slopes(at)]
            slopes = len(texts)
            texts += [t for t in pool.parts(_letter(site)) if not t.startswith(r"\operatorname")]
            for n, text in enumerate(dict.fromkeys(texts)):
                kind = _kind(source, pieces[i:j], n < slopes)
                if kind == "another factor" and text in names:
                    kind = "another gate"
                told = f"{old} stands where {text} should"
                edit = Edit(start, end, _bare(text) if alone else text)
                yield Patch((edit,), kind, told, 1.45 + 0.2 * (j - i - 1))
                before = source.token_before(pieces[0].start)
                if minus and before is not None and before.text == "-":
                    lead = source.token_before(before.start)
                    plus = "+" if lead is not None and lead.text not in ("=", "(") else ""
                    edits = (Edit(before.start, before.end, plus), edit)
                    yield Patch(edits, kind, told, 1.6 + 0.2 * (j - i - 1))


def _bare(text: str) -> str:
    """A piece without the brackets around it, where others are around it already."""
    inner = text.removeprefix(r"\left(").removesuffix(r"\right)")
    return inner if bracketed(inner) == text and r"\right)" not in inner else text


def _kind(source: Source, window: list[Piece], slope: bool) -> str:
    if not slope:
        return "another factor"
    if len(window) == 1 and isinstance(window[0].node, s.Symbol):
        return "g instead of g′"
    if len(window) == 1 and square_of(source, window[0].node):
        return "1 missing in g′"
    if len(window) == 2 and source.shown(window[0]) == source.shown(window[1]):
        return "1 missing in g′"
    return "g′ of another function"


def _common(source: Source) -> Iterator[Patch]:
    """A factor, or two next to each other, that every term has and none should."""
    for site in source.sites:
        node = site.node
        if not isinstance(node, s.Add) or len(node.terms) < 2:
            continue
        if not all(isinstance(t, s.Times) for _, t in node.terms):
            continue
        products = [source.pieces(t) for _, t in node.terms if isinstance(t, s.Times)]
        for n in (1, 2):
            for i in range(len(products[0]) - n):
                wanted = [source.shown(p) for p in products[0][i : i + n]]
                edits = []
                for pieces in products:
                    shown = [source.shown(p) for p in pieces]
                    k = next((k for k in range(len(shown) - n) if shown[k : k + n] == wanted), None)
                    if k is None:
                        break
                    edits.append(Edit(pieces[k].start, pieces[k + n].start, ""))
                else:
                    what = " ".join(wanted)
                    told = f"the factor {what} of all terms does not belong there"
                    yield Patch(tuple(edits), "extra factor", told, 1.6)


def _complements(source: Source, speller: Speller) -> Iterator[Patch]:
    """u for 1 - u, and 1 - u for u."""
    one = speller.printer.one
    for site, pieces in source.products():
        for piece in pieces:
            node, shown = piece.node, source.shown(piece)
            if not piece.alone or site.inside(s.Derivative, s.Differential):
                continue
            if isinstance(node, s.Symbol):
                new = bracketed(f"{one} - {source.text(piece)}")
            elif isinstance(node, s.Bracket) and isinstance(node.parts[0], s.Add):
                terms = node.parts[0].terms
                if len(terms) != 2 or terms[0][0] < 0 or terms[1][0] > 0:
                    continue
                new = source.text(terms[1][1])
                if source.shown(terms[0][1]) not in ("1", one):
                    continue
            else:
                continue
            told = f"{shown} stands where {new} should"
            edit = Edit(piece.start, piece.end, new)
            yield Patch((edit,), "gate for its complement", told, 1.5)
