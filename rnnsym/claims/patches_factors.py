"""Patches of products: transposes, order, factors that are too many, kinds of product.

One of the generators of `repair`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from rnnsym.claims.patches_edit import Edit, Patch
from rnnsym.claims.patches_names import Speller
from rnnsym.claims.patches_source import Piece, Site, Source
from rnnsym.latex.snippets import bracketed, coloured
from rnnsym.latex.snippets import transposed as turned
from rnnsym.reader import syntax as s
from rnnsym.reader.tokens import Token

_TOPS = (r"\top", r"\intercal", "T")


def patches(source: Source, speller: Speller) -> Iterator[Patch]:
    """Every change of the factors of a product."""
    for site, pieces in source.products():
        for piece in pieces:
            yield from _transpose(source, speller, site, piece)
        if len(pieces) > 1:
            yield from _dropped(source, site, pieces)
            yield from _order(source, speller, site, pieces)
            yield from _operators(source, speller, pieces)
            yield from _turned_whole(source, speller, site, pieces)
            yield from _across(source, speller, pieces)
    yield from _all_weights(source, speller)


# ---- transposes --------------------------------------------------------------------------


def toggle(source: Source, speller: Speller, piece: Piece) -> tuple[Edit, bool] | None:
    """A factor transposed, or not transposed any more: the edit, and whether it adds a sign."""
    node = piece.nodes[-1]
    if isinstance(node, s.Symbol | s.Scripted) or (isinstance(node, s.Bracket) and piece.alone):
        sup = node.sup if isinstance(node, s.Symbol | s.Scripted) else ()
        sign = next((x for x in reversed(sup) if x.text in _TOPS), None)
        if sign is not None and _is_sign(sup, sign):
            return _without(source, sup, sign), False
        return _with(source, node, sup, speller.top), True
    if isinstance(node, s.Number | s.Fraction_ | s.Dots | s.Words | s.Empty):
        return None
    if isinstance(node, s.Call) and node.function == "diag":
        return None
    text = source.text(piece)
    if isinstance(node, s.Big):
        text = bracketed(text)
        return Edit(piece.start, piece.end, f"{text}^{{{speller.top}}}"), True
    return Edit(piece.start, piece.end, turned(text, speller.top)), True


def _is_sign(sup: s.Tokens, sign: Token) -> bool:
    """Whether a T is a transpose and not the last step."""
    return sign.text != "T" or len(sup) == 1 or sup[-1] is sign


def _without(source: Source, sup: s.Tokens, sign: Token) -> Edit:
    """The sign taken away, with its empty script."""
    latex = source.latex
    if len(sup) > 1:
        start = sign.start
        while latex[start - 1 : start].isspace():
            start -= 1
        return Edit(start, sign.end, "")
    start, end = sign.start, sign.end
    if latex[:start].rstrip().endswith("{"):
        start = latex[:start].rstrip().rindex("{")
        end = latex.index("}", end) + 1
    start = latex[:start].rstrip().rindex("^")
    return Edit(start, end, "")


def _with(source: Source, node: s.Node, sup: s.Tokens, top: str) -> Edit:
    """The sign put behind what stands above already."""
    if not sup:
        return Edit(node.end, node.end, f"^{{{top}}}", f"^{{{coloured(top)}}}")
    last, latex = sup[-1], source.latex
    if latex[: sup[0].start].rstrip().endswith("^"):  # a single token without braces
        text = latex[sup[0].start : last.end]
        return Edit(sup[0].start, last.end, f"{{{text}{top}}}", f"{{{text}{coloured(top)}}}")
    space = " " if top == "T" and last.text[-1:].isalpha() else ""
    return Edit(last.end, last.end, space + top)


def _transpose(source: Source, speller: Speller, site: Site, piece: Piece) -> Iterator[Patch]:
    if piece.nodes[0] is source.sides[0]:
        return
    found = toggle(source, speller, piece)
    if found is None:
        return
    edit, added = found
    shown = source.shown(piece)
    if added:
        kind, told = "missing transpose", f"the transpose of {shown} is missing"
        if isinstance(piece.node, s.Derivative):
            kind = "transposed Jacobian"
        if getattr(site.inside(s.Big), "op", "") == "prod" and not isinstance(piece.node, s.Symbol):
            kind = "transposed Jacobians"
    else:
        kind, told = "extra transpose", f"{shown} should stand without its transpose"
        if getattr(site.inside(s.Big), "op", "") == "prod":
            kind = "transposed Jacobians"
    body = isinstance(site.around[-1] if site.around else None, s.Big)
    rank = 1.0 if isinstance(piece.node, s.Symbol) else 1.1 if body else 1.3
    yield Patch((edit,), kind, told, rank)


def _all_weights(source: Source, speller: Speller) -> Iterator[Patch]:
    """No weight is transposed, at any gate; or every one is."""
    for missing in (True, False):
        edits = []
        for n in speller.named:
            if (
                n.entry.kind == "parameter"
                and n.site.side == 1
                and not n.site.inside(s.Derivative, s.Differential)
            ):
                piece = Piece("", (n.symbol,), n.symbol.start, n.symbol.end)
                found = toggle(source, speller, piece)
                if found is not None and found[1] == missing:
                    edits.append(found[0])
        if len(edits) > 1:
            told = (
                "the transposes of the weights are missing"
                if missing
                else ("the weights should stand without transposes")
            )
            kind = "missing transposes" if missing else "extra transposes"
            yield Patch(tuple(edits), kind, told, 1.5)


# ---- factors that are too many -----------------------------------------------------------


def _dropped(source: Source, site: Site, pieces: list[Piece]) -> Iterator[Patch]:
    texts = [source.shown(p) for p in pieces]
    for i, piece in enumerate(pieces):
        edit = _cut(source, pieces, i)
        if edit is None:
            continue
        shown, twice = texts[i], texts.count(texts[i]) > 1
        kind = "extra factor"
        told = f"the factor {shown} does not belong there"
        if twice:
            kind = "factor twice"
            told = f"the factor {shown} stands there twice"
        elif isinstance(piece.node, s.Number):
            kind, told = f"factor {shown}", f"the factor {shown} is too much"
        elif isinstance(piece.node, s.Fraction_):
            kind = "mean instead of sum" if "T" in shown else "factor 1/2"
            told = f"the factor {shown} is too much"
        yield Patch((edit,), kind, told, 1.2)


def _cut(source: Source, pieces: list[Piece], i: int) -> Edit | None:
    """A factor taken out, with its operator."""
    if i:
        start, end = pieces[i - 1].end, pieces[i].end
    else:
        start, end = pieces[0].start, pieces[1].start
    between = source.latex[start : pieces[i].start] + source.latex[pieces[i].end : end]
    if r"\\" in between or "&" in between or "{" in between or "}" in between:
        return None
    return Edit(start, end, "")


# ---- order -------------------------------------------------------------------------------


def _order(source: Source, speller: Speller, site: Site, pieces: list[Piece]) -> Iterator[Patch]:
    for a, b in pairwise(pieces):
        between = source.latex[a.end : b.start]
        if b.op == "/" or isinstance(a.node, s.Number):
            continue
        text = source.text(b) + (between or " ") + source.text(a)
        told = f"{source.shown(a)} and {source.shown(b)} stand in the wrong order"
        if isinstance(b.node, s.Big):
            text = bracketed(source.text(b)) + r"\," + source.text(a)
        kind, rank = ("factors swapped", 1.4)
        if b.op == "⊗":
            kind, rank = ("Kronecker factors swapped", 1.1)
        yield Patch((Edit(a.start, b.end, text),), kind, told, rank)
        yield from _turned(source, speller, a, b)
    n = len(pieces)
    if n > 2 and all(p.op == "" for p in pieces):
        text = " ".join(source.text(p) for p in reversed(pieces))
        edit = Edit(pieces[0].start, pieces[-1].end, text)
        yield Patch((edit,), "reversed order", "the factors stand in the opposite order", 1.5)
        for i in range(n) if n <= 6 else ():
            for j in range(n):
                if abs(i - j) > 1:
                    rest = [p for p in pieces if p is not pieces[i]]
                    rest.insert(j, pieces[i])
                    text = " ".join(source.text(p) for p in rest)
                    told = f"{source.shown(pieces[i])} stands at the wrong place"
                    edit = Edit(pieces[0].start, pieces[-1].end, text)
                    yield Patch((edit,), "factors swapped", told, 1.9)


def _turned(source: Source, speller: Speller, a: Piece, b: Piece) -> Iterator[Patch]:
    """a bᵀ for b aᵀ: the factors exchanged, the transpose stays where it is."""
    first, second = toggle(source, speller, a), toggle(source, speller, b)
    if first is None or second is None or first[1] == second[1]:
        return
    left = _edited(source, b, second[0])
    right = _edited(source, a, first[0])
    between = source.latex[a.end : b.start] or " "
    told = f"the factors of the outer product {source.shown(a)} {source.shown(b)} are swapped"
    edit = Edit(a.start, b.end, left + between + right)
    yield Patch((edit,), "transposed gradient", told, 1.05)


def _across(source: Source, speller: Speller, pieces: list[Piece]) -> Iterator[Patch]:
    """A (v ⊙ b) for v ⊙ A b, and back."""
    sign = speller.times_sign
    for i, (a, b) in enumerate(pairwise(pieces)):
        inner = b.node.parts[0] if isinstance(b.node, s.Bracket) and b.alone else None
        if b.op == "" and isinstance(inner, s.Times):
            parts = source.pieces(inner)
            if len(parts) == 2 and parts[1].op == "⊙":
                v, rest = source.text(parts[0]), source.text(parts[1])
                text = f"{v} {sign} {source.text(a)} {rest}"
                told = f"{v} stands behind {source.shown(a)}, where it should stand before it"
                yield Patch((Edit(a.start, b.end, text),), "factors swapped", told, 1.3)
        if b.op == "⊙" and i + 2 < len(pieces) and pieces[i + 2].op == "":
            c = pieces[i + 2]
            v, rest = source.text(a), source.text(c)
            text = f"{source.text(b)} " + bracketed(f"{v} {sign} {rest}")
            told = f"{v} stands before {source.shown(b)}, where it should stand behind it"
            yield Patch((Edit(a.start, c.end, text),), "factors swapped", told, 1.4)


def _turned_whole(
    source: Source, speller: Speller, site: Site, pieces: list[Piece]
) -> Iterator[Patch]:
    """(A B)ᵀ for A B: written Bᵀ Aᵀ where that is short."""
    start, end = pieces[0].start, pieces[-1].end
    whole = source.latex[start:end]
    in_product = isinstance(site.around[-1] if site.around else None, s.Big) and (
        site.inside(s.Big).op == "prod"
    )
    kind = "transposed Jacobians" if in_product else "transposed product"
    told = f"{source.short(site.node)} is transposed"
    turned_ = [toggle(source, speller, p) for p in pieces]
    diagonal = [isinstance(p.node, s.Call) and p.node.function == "diag" for p in pieces]
    short = all(t is not None or d for t, d in zip(turned_, diagonal, strict=True))
    if short and all(p.op == "" for p in pieces):
        texts = [
            source.text(p) if t is None else _edited(source, p, t[0])
            for p, t in zip(pieces, turned_, strict=True)
        ]
        edit = Edit(start, end, " ".join(reversed(texts)))
        yield Patch((edit,), kind, told, 1.1 if in_product else 1.4)
    else:
        yield Patch((Edit(start, end, turned(whole, speller.top)),), kind, told, 1.5)


def _edited(source: Source, piece: Piece, edit: Edit) -> str:
    return source.latex[piece.start : edit.start] + edit.new + source.latex[edit.end : piece.end]


# ---- kinds of product --------------------------------------------------------------------


def _operators(source: Source, speller: Speller, pieces: list[Piece]) -> Iterator[Patch]:
    for a, b in pairwise(pieces):
        sign = source.operator(a, b)
        told = f"between {source.shown(a)} and {source.shown(b)}"
        if b.op == "⊙" and sign is not None:
            edit = Edit(sign.start, sign.end, " ")
            told = f"{told} a matrix product is meant, not an elementwise one"
            yield Patch((edit,), "⊙ for a matrix product", told, 1.4)
        elif b.op in ("", "·", "×", "*"):
            times = speller.times_sign
            new = f" {times} "
            start, end = (sign.start, sign.end) if sign else (a.end, b.start)
            if r"\\" in source.latex[start:end] or "&" in source.latex[start:end]:
                continue
            told = f"{told} the elementwise product {times} is meant"
            edit = Edit(start, end, new)
            yield Patch((edit,), "matrix product for ⊙", told, 1.4)
