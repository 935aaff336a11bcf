"""Patches of limits: sums and products over the wrong steps.

One of the generators of `repair`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rnnsym.claims.patches_edit import Edit, Patch
from rnnsym.claims.patches_names import Speller
from rnnsym.claims.patches_source import Site, Source
from rnnsym.latex.snippets import coloured, index
from rnnsym.reader import syntax as s
from rnnsym.reader.commands import RELATIONS
from rnnsym.reader.indices import Index, read_index
from rnnsym.reader.tokens import Token

ONE = Index(1)


def patches(source: Source, speller: Speller) -> Iterator[Patch]:
    """Every change of a limit."""
    for site in source.sites:
        if isinstance(site.node, s.Big):
            yield from _limits(source, site)
    yield from _wrapped(source, speller)


def write(source: Source, found: Sequence[Token], new: Index) -> Edit:
    """An index replaced; in braces where it was a script without any."""
    start, end = found[0].start, found[-1].end
    text = index(new)
    bare = source.latex[:start].rstrip()[-1:] in ("^", "_")
    if bare and (len(text) > 1 or text.startswith("\\")):
        return Edit(start, end, f"{{{text}}}", f"{{{coloured(text)}}}")
    if bare:
        return Edit(start, end, text, f"{{{coloured(text)}}}")
    if text[0].isalpha() and source.latex[:start][-1:].isalpha() and start:
        return Edit(start, end, f" {text}", f" {coloured(text)}")
    return Edit(start, end, text)


def _runs(node: s.Big) -> list[tuple[str, list[Token]]]:
    """("lower" or "upper", tokens) of the limits of a sum or product."""
    parts: list[list[Token]] = [[]]
    for token in node.lower:
        if token.text in RELATIONS:
            parts.append([])
        else:
            parts[-1].append(token)
    found = []
    if len(parts) == 2:
        found.append(("lower", parts[1]))
    elif len(parts) == 3:
        found += [("lower", parts[0]), ("upper", parts[2])]
    upper = list(node.upper)
    if len(upper) > 2 and upper[1].text == "=":
        upper = upper[2:]
    if upper:
        found.append(("upper", upper))
    return [(where, run) for where, run in found if run]


def _limits(source: Source, site: Site) -> Iterator[Patch]:
    node = site.node
    assert isinstance(node, s.Big)
    runs = [(w, run, read_index(run)) for w, run in _runs(node)]
    values = {w: v for w, _, v in runs if v is not None}
    name = source.letter(node)
    what = {"sum": "sum", "prod": "product"}.get(node.op, node.op)
    outer = [Index.of(x) for x in site.letters if x != name]
    for where, run, value in runs:
        if value is None:
            continue
        other = values.get("upper" if where == "lower" else "lower")
        tried = [value.plus(ONE), value.plus(ONE, -1)]
        if where == "lower":
            tried += [Index(1), Index(0), Index(2), *(x.plus(ONE) for x in outer), *outer]
        else:
            tried += [*outer, Index.of("t"), Index.of("T"), Index.of("t", -1), Index.of("T", -1)]
        tried += [other] if other is not None and not other.letters else []
        tried += [value.plus(Index(2), k) for k in (1, -1)]
        for rank, new in enumerate(dict.fromkeys(tried)):
            if new != value and name not in new.names:
                kind, told = _limit_words(what, name, where, value, new, other)
                beyond = new.constant > 0 and "T" in new.names
                far = 1.0 if beyond or new == Index(0) else 0.0
                yield Patch((write(source, run, new),), kind, told, 1 + 0.02 * rank + far)
    if len(runs) == 2 and None not in (runs[0][2], runs[1][2]):
        for step in (ONE, Index(-1)):
            edits = tuple(write(source, run, v.plus(step)) for _, run, v in runs)  # type: ignore[union-attr]
            kind = f"{what} one step off"
            yield Patch(edits, kind, f"the {what} over {name} runs over the wrong steps", 1.6)


def _limit_words(
    what: str, name: str, where: str, old: Index, new: Index, other: Index | None
) -> tuple[str, str]:
    """The kind of an error in a limit, and the error in words."""
    verb = "begins" if where == "lower" else "ends"
    told = f"the {what} over {name} {verb} at {old} instead of {new}"
    if what == "product":
        step = old.plus(new, -1)
        many = {("lower", -1): "one Jacobian too many", ("lower", 1): "one Jacobian is missing",
                ("upper", -1): "the last Jacobian is missing",
                ("upper", 1): "one Jacobian too many"}.get(
            (where, step.constant) if not step.letters else ("", 0))  # fmt: skip
        kinds = {"one Jacobian too many": "product from k", "one Jacobian is missing":
                 "product from k+2", "the last Jacobian is missing": "product to t-1"}  # fmt: skip
        kind = kinds.get(many or "", "limit of a product")
        if where == "upper" and step.constant == 1 and not step.letters:
            kind = "product to t+1"
        return kind, f"{told}: {many}" if many else told
    return _sum_kind(where, old, new, other), told


def _sum_kind(where: str, old: Index, new: Index, other: Index | None) -> str:
    """The catalogue's name of an error in the limit of a sum."""
    last = new if where == "upper" else other
    over_time = last is not None and last.letter == "T"
    if other is not None and old == other:
        if where == "lower":
            return "last step only" if over_time else "naive chain rule"
        return "first step only" if over_time else "longest path only"
    step = old.plus(new, -1)
    if not step.letters and where == "lower" and step.constant == 1:
        return "first step missing" if over_time else "k from 2"
    if not step.letters and where == "upper" and step.constant == -1:
        return "last step missing" if over_time else "k to t-1"
    if where == "upper" and old.letter == "T":
        return "k to T"
    return "limit of a sum"


def _wrapped(source: Source, speller: Speller) -> Iterator[Patch]:
    """What is before the first step taken from the last: a sum from 2 on, and a term for 1."""
    for site in source.sites:
        node = site.node
        if not isinstance(node, s.Add) or len(node.terms) != 2:
            continue
        first, other = node.terms[0][1], node.terms[1][1]
        if not isinstance(first, s.Big) or not _runs(first):
            continue
        where, run = _runs(first)[0]
        if where != "lower" or read_index(run) != Index(2):
            continue
        constant = [
            n
            for n in speller.named
            if n.found.time is not None
            and other.start <= n.symbol.start < other.end
            and n.found.time in (Index(1), Index.of("T"))
        ]
        sign = source.token_before(source.start(other))
        if len(constant) < 2 or sign is None:
            continue
        edits = (write(source, run, Index(1)), Edit(sign.start, other.end, ""))
        told = f"what stands before the first step is taken from the last: {source.shown(other)}"
        yield Patch(edits, "index -1", told, 1.2)
        for n in speller.named:
            if n.time is not None and first.start <= n.symbol.start < first.end:
                later = write(source, n.time.tokens, n.found.time.plus(ONE))  # type: ignore[union-attr]
                kind = "v⟨k-1⟩ for v⟨k⟩, index -1"
                yield Patch((*edits, later), kind, told, 1.25)
