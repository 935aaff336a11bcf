"""Patches that put in what is missing: sums, products of Jacobians, links of a chain, terms.

One of the generators of `repair`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from rnnsym.claims.patches_edit import Edit, Patch, apply
from rnnsym.claims.patches_limits import write
from rnnsym.claims.patches_names import Named, Speller
from rnnsym.claims.patches_pool import Pool
from rnnsym.claims.patches_source import Piece, Source
from rnnsym.latex.snippets import bracketed, coloured, derivative, ranged
from rnnsym.reader import syntax as s
from rnnsym.reader.indices import Index

#: the rank of what is tried when all else has failed
LAST = 9.0


def patches(source: Source, speller: Speller) -> Iterator[Patch]:
    """Everything that could be missing."""
    if speller.net is None:
        return
    pool = Pool(source, speller)
    yield from _sums(source, speller, pool)
    yield from _sums_of_entries(source, speller)
    yield from _longest(source, speller, pool)
    yield from _links(source, speller, pool)
    yield from _steps(source, speller)
    yield from _terms(source, speller, pool)
    yield from _products(source, speller, pool)
    yield from _replaced(source, speller, pool)


# ---- sums and products -------------------------------------------------------------------


def _free(source: Source, speller: Speller, side: int) -> list[str]:
    """The letters of times on a side that no sum binds."""
    found = []
    for n in speller.named:
        if n.site.side == side and n.found.time is not None:
            found += [x for x in n.found.time.names if x not in n.site.letters]
    return [x for x in dict.fromkeys(found) if x not in source.table.entries and x != "T"]


def _sums(source: Source, speller: Speller, pool: Pool) -> Iterator[Patch]:
    """Σ over a letter that stands free on the right and not on the left."""
    left = _free(source, speller, 0)
    bodies = [source.sides[1]]
    bodies += [x.node.body for x in source.sites if isinstance(x.node, s.Big) and x.side == 1]
    for name in _free(source, speller, 1):
        outer = [x for x in (*left, "t") if x != name]
        uppers = dict.fromkeys([*outer, "T"] if name in left or left else ["T", *outer])
        if name in left:
            uppers = {"T": None}
        for body in bodies:  # a letter that nothing on the left explains wants a sum
            for upper in uppers:
                head = ranged("sum", name, "1", speller.time(Index.of(upper)))
                text, start = source.text(body), source.start(body)
                several = isinstance(body, s.Add)
                left_, right_ = (r"\left(", r"\right)") if several else ("", "")
                edits = [Edit(start, start, f"{head} {left_}", f"{coloured(head)} {left_}")]
                edits += [Edit(body.end, body.end, right_)] if several else []
                kind = "last step only" if upper == "T" else "naive chain rule"
                told = f"the sum over {name} is missing: {head} should stand before {_short(text)}"
                yield Patch(tuple(edits), kind, told, 1.0 if name in left else 0.5)


def _sums_of_entries(source: Source, speller: Speller) -> Iterator[Patch]:
    """Σ_i over the entries that a letter counts on the right, and nothing on the left."""
    counted: tuple[list[str], list[str]] = ([], [])
    for n in speller.named:
        names = [x for i in n.found.components for x in i.names if x not in n.site.letters]
        counted[n.site.side].extend(names)
    left, right = counted
    for name in dict.fromkeys(x for x in right if x not in left):
        head, body = rf"\sum_{{{name}}}", source.sides[1]
        if isinstance(body, s.Add):
            continue
        start = source.start(body)
        edit = Edit(start, start, f"{head} ", f"{coloured(head)} ")
        yield Patch((edit,), "missing sum", f"the sum over {name} is missing", 0.5)


def _longest(source: Source, speller: Speller, pool: Pool) -> Iterator[Patch]:
    """∂L/∂h_T … ∂h_1/∂W is the path from the first step only: the sum over all first steps."""
    letter = next(x for x in ("k", "j", "i") if not source.binds(x))
    for n in speller.named:
        derived = n.site.inside(s.Derivative)
        time = n.found.time
        if n.site.side != 1 or derived is None or derived.of is not n.symbol:
            continue
        if time is None or time.letters or len(derived.by) != 1:
            continue
        by = pool.found(derived.by[0])
        text = speller.quantity("vector", n.entry.name, Index.of(letter))
        if by is None or by.entry.kind != "parameter" or text is None:
            continue
        first = derivative(text, source.text(derived.by[0]), plus=True)
        edits = [Edit(derived.start, derived.end, first)]
        for site in source.sites:
            lower = site.node.lower if isinstance(site.node, s.Big) else ()
            if site.side == 1 and lower and lower[-1].text == str(time.constant + 1):
                edits.append(Edit(lower[-1].start, lower[-1].end, f"{letter}+1"))
        body = source.sides[1]
        head = ranged("sum", letter, str(time.constant), speller.time(pool.time))
        start = source.start(body)
        edits.append(Edit(start, start, f"{head} ", f"{coloured(head)} "))
        told = f"this is the longest path only: the sum over the steps that paths begin at, {head},"
        yield Patch(tuple(edits), "longest path only", f"{told} is missing", 1.05)


def _short(text: str, most: int = 40) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 2] + " …"


def _products(source: Source, speller: Speller, pool: Pool) -> Iterator[Patch]:
    """Π ∂a⟨i⟩/∂a⟨i-1⟩ between step k and step t."""
    for site, pieces in source.products():
        if site.side != 1 or not site.letters:
            continue
        name = site.letters[0]
        outer = [Index.of(x) for x in (*site.letters[1:], *_free(source, speller, 0), "T")]
        letter = next(x for x in ("i", "j", "m", "n") if x not in site.letters)
        for upper in list(dict.fromkeys(outer))[:2]:
            for body in pool.products(letter, name, upper):
                text = bracketed(body)
                for i, piece in enumerate(pieces):
                    told = f"the product of the Jacobians between {name} and {upper} is missing"
                    kind = "missing product"
                    if isinstance(piece.node, s.Symbol) and piece.node.base == "I":
                        edit = Edit(piece.start, piece.end, text)
                        yield Patch((edit,), kind, told, 1.2)
                    edit = Edit(piece.start, piece.start, text + r"\,", coloured(text) + r"\,")
                    yield Patch((edit,), kind, told, 1.6 + 0.1 * i)


def _links(source: Source, speller: Speller, pool: Pool) -> Iterator[Patch]:
    """The link of a chain of derivatives that is missing: ∂L⟨t⟩/∂a⟨t⟩ before the rest."""
    node = source.sides[0]
    for site, pieces in source.products():
        if site.side != 1:
            continue
        chain = [(p, p.node) for p in pieces if isinstance(p.node, s.Derivative) and p.node.of]
        ends: list[tuple[Any, Any, int]] = []
        outermost = all(isinstance(x, s.Big) for x in site.around[:1]) and len(site.around) < 2
        if isinstance(node, s.Derivative) and node.of is not None and (chain or outermost):
            for target in _targets(pool, speller, pieces):
                ends.append((source.text(node.of), target, pieces[0].start))
            last = chain[-1][1] if chain else None
            if last is not None:
                ends.append((source.text(last.by[0]), source.text(node.by[0]), -1))
        for (a, first), (_, second) in pairwise(chain):
            if second.of is not None:
                ends.append((source.text(first.by[0]), source.text(second.of), a.end))
        for of, by, place in ends:
            if "".join(of.split()) == "".join(by.split()):
                continue
            text = derivative(of, by)
            told = f"the factor {text} is missing"
            if place < 0:
                end = pieces[-1].end
                edit = Edit(end, end, r"\," + text, r"\," + coloured(text))
                told = f"{told} at the end"
            else:
                edit = Edit(place, place, text + r"\,", coloured(text) + r"\,")
            rank = 1.1 + 0.03 * len(site.around)
            yield Patch((edit,), "missing link of the chain", told, rank)


def _targets(pool: Pool, speller: Speller, pieces: list[Piece]) -> Iterator[str]:
    """What the loss can be derived by in front of a product: each state at each time."""
    times = pool.times(pieces[0].start, pieces[-1].end)
    letters = {name for i in times for name in i.names}
    plain = [Index.of(x) for x in ("t", *sorted(letters)) if x != "T"]
    for name in (*pool.states, *(n for n in pool.values if n not in pool.states)):
        if name in pool.net.equations:
            for at in dict.fromkeys(plain):
                text = speller.quantity("vector", name, at)
                if text is not None:
                    yield text


# ---- terms -------------------------------------------------------------------------------


def _terms(source: Source, speller: Speller, pool: Pool) -> Iterator[Patch]:
    """A term of the network's own equations that is left out; or all that are."""
    for text, kind in dict.fromkeys(pool.wanted()):
        for body in _sides(source):
            edit = _added(body, [text])
            told = f"the term {text.lstrip('-').strip()} is missing"
            yield Patch((edit,), kind, told, 1.5)
    whole = _plain(source.text(source.sides[1]))
    texts = [speller.expression(e, pool.time) for e, _ in pool.expressions]
    absent = [x for x in texts if x is not None and _plain(x.lstrip("-")) not in whole]
    if 1 < len(absent) < len(texts):
        told = f"{len(absent)} terms are missing"
        edit = _added(source.sides[1], absent)
        yield Patch((edit,), "nothing carried", told, 1.6)


def _steps(source: Source, speller: Speller) -> Iterator[Patch]:
    """The same of earlier steps: of one step, or of all, where steps are told by their numbers."""
    whole = source.sides[1]
    terms = [x for _, x in whole.terms] if isinstance(whole, s.Add) else [whole]
    for term in terms:
        inside = [
            n for n in speller.named
            if n.time is not None and source.start(term) <= n.symbol.start < term.end
        ]  # fmt: skip
        times = [n.found.time for n in inside if n.found.time is not None]
        if not times or any(at.letters for at in times):
            continue
        earlier: list[str] = []
        for back in range(1, min(at.constant for at in times) + 1):
            earlier.append(_of_step(source, term, inside, back))
            edit = _added(whole, earlier)
            told = f"the term {earlier[-1]} is missing"
            if back > 1:
                told = f"the terms {', '.join(earlier)} are missing"
            yield Patch((edit,), "last step only", told, 1.1 + 0.05 * back)


def _of_step(source: Source, term: s.Node, inside: list[Named], back: int) -> str:
    """A term some steps earlier."""
    start = source.start(term)
    edits = [
        Edit(e.start - start, e.end - start, e.new)
        for n in inside
        if n.time is not None and n.found.time is not None
        for e in [write(source, n.time.tokens, n.found.time.plus(Index(back), -1))]
    ]
    return apply(source.text(term), edits)


def _plain(latex: str) -> str:
    """A piece without what makes no difference in print."""
    for mark in (r"\left", r"\right", r"\,", " ", "{", "}"):
        latex = latex.replace(mark, "")
    return latex


def _added(body: s.Node, texts: list[str]) -> Edit:
    """Terms put at the end of a sum."""
    new = "".join(f" - {x[1:].strip()}" if x.startswith("-") else f" + {x}" for x in texts)
    return Edit(body.end, body.end, new, f" {coloured(new.strip())}")


def _replaced(source: Source, speller: Speller, pool: Pool) -> Iterator[Patch]:
    """A term that should be another; as the last resort, the whole right side."""
    node = source.sides[1]
    if isinstance(node, s.Add) and len(node.terms) > 1:
        for text, _ in dict.fromkeys(pool.wanted()):
            for sign, term in node.terms:
                start = source.start(term)
                new = text
                edits = [Edit(start, term.end, new)]
                if text.startswith("-") and sign < 0:
                    edits = [Edit(start, term.end, text[1:].strip())]
                elif text.startswith("-") or sign < 0:
                    before = source.token_before(start)
                    if before is None or before.text not in ("+", "-"):
                        continue
                    opposite = "+" if before.text == "-" else "-"
                    edits = [
                        Edit(before.start, before.end, opposite),
                        Edit(start, term.end, text.lstrip("-").strip()),
                    ]
                told = f"{source.shown(term)} stands where {text} should"
                yield Patch(tuple(edits), "another term", told, 2.4)
    right = pool.right()
    if right is not None and not isinstance(node, s.Empty):
        told = f"no small change of it is right: {right} should stand there"
        edit = Edit(source.start(node), node.end, right)
        yield Patch((edit,), "another formula", told, LAST)


def _sides(source: Source) -> list[s.Node]:
    node = source.sides[1]
    found = [node]
    for site in source.sites:
        above = site.around[-1] if site.around else None
        if site.side == 1 and isinstance(site.node, s.Add) and isinstance(above, s.Bracket):
            found.append(site.node)
    return found
