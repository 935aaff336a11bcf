"""Patches of times and limits: off by one, from the wrong step, the wrong letter.

One of the generators of `repair`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rnnsym.claims.patches_names import Named, Speller
from rnnsym.claims.patches_source import Edit, Patch, Site, Source, coloured, walk
from rnnsym.latex.snippets import index
from rnnsym.reader import syntax as s
from rnnsym.reader.indices import Index, read_index
from rnnsym.reader.commands import RELATIONS
from rnnsym.reader.tokens import Token

ONE = Index(1)


def patches(source: Source, speller: Speller) -> Iterator[Patch]:
    """Every change of an index."""
    for site in source.sites:
        if isinstance(site.node, s.Big):
            yield from _limits(source, site)
    for named in speller.named:
        if named.time is not None:
            yield from _times(source, named)
        elif len(named.found.components) == 2:
            yield from _components(source, named)
    yield from _whole(source, speller)
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


# ---- limits ------------------------------------------------------------------------------


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


# ---- times -------------------------------------------------------------------------------


def _letters(source: Source, site: Site) -> list[str]:
    """The index letters that have a meaning here: the bound ones, then the free ones."""
    free = []
    for side in source.sides:
        for x in walk(side):
            if isinstance(x, s.Symbol):
                for token in (*x.sub, *x.sup):
                    if token.text in source.table.letters:
                        free.append(token.text)
    bound = {source.letter(x.node) for x in source.sites if isinstance(x.node, s.Big)}
    return list(dict.fromkeys([*site.letters, *(x for x in free if x not in bound)]))


def _times(source: Source, named: Named) -> Iterator[Patch]:
    """One symbol at another time."""
    time, old = named.time, named.found.time
    assert time is not None and old is not None
    tried = [old.plus(ONE, -1), old.plus(ONE)]
    for name in (*_letters(source, named.site), "T"):
        for other in old.names:
            tried.append(old.put({other: Index.of(name)}))
            tried.append(Index.of(name))
    tried += [old.plus(Index(2), -1), old.plus(Index(2))]
    for rank, new in enumerate(dict.fromkeys(tried)):
        if new != old and not (new.constant > 0 and "T" in new.names):
            edit = write(source, time.tokens, new)
            far = 0.0 if new.letters and "T" not in new.names else 1.0
            yield Patch(
                (edit,), _time_kind(source, named, old, new),
                _time_words(source, named, edit), 1 + 0.03 * rank + far + 0.2 * (rank > 1),
            )  # fmt: skip


def _time_words(source: Source, named: Named, edit: Edit) -> str:
    start, end = named.symbol.start, named.symbol.end
    old = source.shown(named.symbol)
    new = source.latex[start : edit.start] + edit.new + source.latex[edit.end : end]
    return f"{old} stands where {' '.join(new.split())} should"


def _time_kind(source: Source, named: Named, old: Index, new: Index) -> str:
    """The catalogue's name of a wrong time."""
    step = old.plus(new, -1)
    summed = [x for x in named.site.around if isinstance(x, s.Big) and x.op == "sum"]
    if step.letters:
        return "wrong index letter" if old.letters else "wrong time"
    late = step.constant > 0
    if named.site.inside(s.Call):
        return "g′ at the previous step" if not late else "g′ at the next step"
    if named.entry.kind == "gradient":
        if not summed:
            return "later adjoint" if late else "earlier adjoint"
        return "δ⟨k+1⟩ for δ⟨k⟩" if late else "δ⟨k-1⟩ for δ⟨k⟩"
    if named.site.inside(s.Derivative):
        return "Jacobian of another step"
    if summed:
        return "a⟨k⟩ for a⟨k-1⟩" if late else "v⟨k-1⟩ for v⟨k⟩"
    if late:
        return "value of this step for the previous"
    return "value of the previous step" if new.constant == 0 else "value of this step for the next"


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


def _components(source: Source, named: Named) -> Iterator[Patch]:
    """W_ij for W_ji."""
    scripts = [x for x in named.spelled.scripts if x not in named.labels]
    written = [x for script in scripts for x in script.tokens if x.kind == "letter"]
    if len(written) == 2 and written[0].text != written[1].text:
        first, second = written
        edits = (
            Edit(first.start, first.end, second.text),
            Edit(second.start, second.end, first.text),
        )
        told = f"the indices of {source.shown(named.symbol)} stand in the wrong order"
        yield Patch(edits, "indices swapped", told, 1.1)


def _whole(source: Source, speller: Speller) -> Iterator[Patch]:
    """Every time in a factor, a derivative or the body of a product moved at once."""
    for site in source.sites:
        node = site.node
        if not isinstance(node, s.Derivative | s.Bracket | s.Call | s.Times | s.Scripted):
            continue
        inside = [
            n
            for n in speller.named
            if n.time is not None and node.start <= n.symbol.start and n.symbol.end <= node.end
        ]
        if len(inside) < 2 and not (inside and isinstance(node, s.Derivative)):
            continue
        yield from _moved(source, site, inside)
        yield from _same(source, site, inside)


def _moved(source: Source, site: Site, inside: list[Named]) -> Iterator[Patch]:
    shown = source.short(site.node)
    groups = [(ONE, "early"), (Index(-1), "late")]
    for step, word in groups:
        edits = tuple(write(source, n.time.tokens, n.found.time.plus(step)) for n in inside)  # type: ignore[union-attr]
        body = isinstance(site.around[-1] if site.around else None, s.Big)
        kind = "Jacobians one step early" if site.inside(s.Big) else "one step early"
        if word == "late":
            kind = kind.replace("early", "late")
        if isinstance(site.node, s.Bracket) and word == "early" and not site.inside(s.Big):
            kind = "g′ at the previous step"
        rank = 1.05 if body else 1.4
        yield Patch(edits, kind, f"{shown} is taken one step too {word}", rank)
    held = sorted({name for n in inside for name in n.found.time.names})  # type: ignore[union-attr]
    for old in held:
        for new in _letters(source, site):
            if new == old:
                continue
            table = {old: Index.of(new)}
            changed = [n for n in inside if old in n.found.time.names]  # type: ignore[union-attr]
            edits = tuple(
                write(source, n.time.tokens, n.found.time.put(table))  # type: ignore[union-attr]
                for n in changed
            )
            in_product = getattr(site.inside(s.Big), "op", "") == "prod"
            kind = "one Jacobian for all" if in_product else "∂⁺ at t"
            told = f"{shown} is taken at {old} instead of {new}"
            yield Patch(edits, kind, told, 1.15 if isinstance(site.node, s.Call) or body else 1.3)


def _same(source: Source, site: Site, inside: list[Named]) -> Iterator[Patch]:
    """Every occurrence of one quantity at one time moved at once, as both a of a ⊙ a."""
    groups: dict[object, list[Named]] = {}
    for n in inside:
        groups.setdefault((n.entry, n.found.time), []).append(n)
    for (_, old), group in groups.items():  # type: ignore[misc]
        if len(group) < 2 or len(group) == len(inside):
            continue
        for new in (old.plus(ONE), old.plus(ONE, -1)):  # type: ignore[has-type]
            edits = tuple(write(source, n.time.tokens, new) for n in group)  # type: ignore[union-attr]
            kind = _time_kind(source, group[0], old, new)  # type: ignore[has-type]
            told = _time_words(source, group[0], edits[0])
            yield Patch(edits, kind, told, 1.5)
