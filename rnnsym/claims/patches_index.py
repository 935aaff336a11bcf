"""Patches of times: off by one, from the wrong step, the wrong letter.

One of the generators of `repair`.
"""

from __future__ import annotations

from collections.abc import Iterator

from rnnsym.claims.patches_edit import Edit, Patch
from rnnsym.claims.patches_limits import ONE, write
from rnnsym.claims.patches_names import Named, Speller
from rnnsym.claims.patches_source import Site, Source, walk
from rnnsym.reader import syntax as s
from rnnsym.reader.indices import Index


def patches(source: Source, speller: Speller) -> Iterator[Patch]:
    """Every change of an index."""
    for named in speller.named:
        if named.time is not None:
            yield from _times(source, named)
        elif len(named.found.components) == 2:
            yield from _components(source, named)
    yield from _whole(source, speller)
    yield from _tails(source, speller)


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
            near = not old.letters if not new.letters else "T" not in new.names
            far = 0.0 if near else 1.0
            yield Patch(
                (edit,), _time_kind(source, named, old, new),
                _time_words(source, named, edit), 1 + 0.03 * rank + far + 0.2 * (rank > 1),
            )  # fmt: skip


def _time_words(source: Source, named: Named, edit: Edit) -> str:
    start, end = named.symbol.start, named.symbol.end
    old = source.shown(named.symbol)
    new = source.latex[start : edit.start] + edit.new + source.latex[edit.end : end]
    return f"{old} stands where {' '.join(new.split())} should{source.where(named.site)}"


def _time_kind(source: Source, named: Named, old: Index, new: Index) -> str:
    """The catalogue's name of a wrong time."""
    step = old.plus(new, -1)
    summed = [x for x in named.site.around if isinstance(x, s.Big) and x.op == "sum"]
    if step.letters:
        return "wrong index letter" if old.letters else "wrong time"
    late = step.constant > 0
    if _in_slope(named.site):
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


def _in_slope(site: Site) -> bool:
    """Whether a symbol stands in the derivative of an activation: g′(z), diag(1 - a²)."""
    return any(isinstance(x, s.Call) and (x.primes or x.function == "diag") for x in site.around)


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
        if not isinstance(node, s.Derivative | s.Bracket | s.Call | s.Times | s.Scripted | s.Table):
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


def _tails(source: Source, speller: Speller) -> Iterator[Patch]:
    """Every time behind the product of a sum over k taken at t instead: ∂⁺ at t."""
    for site, pieces in source.products():
        if site.side != 1 or not site.letters:
            continue
        for i in range(1, len(pieces) - 1):
            start, end = pieces[i].start, pieces[-1].end
            named = [
                n
                for n in speller.named
                if n.time and start <= n.symbol.start and n.symbol.end <= end
            ]
            held = {x for n in named for x in n.found.time.names}  # type: ignore[union-attr]
            for old in sorted(held - {site.letters[0]}):
                table = {old: Index.of(site.letters[0])}
                edits = tuple(
                    write(source, n.time.tokens, n.found.time.put(table))  # type: ignore[union-attr]
                    for n in named
                )
                told = f"what follows the product is taken at {old} instead of {site.letters[0]}"
                yield Patch(edits, "∂⁺ at t", told, 0.85)


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
        rank = 0.85 if body else 1.4
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
            yield Patch(
                edits, kind, told, 0.85 if body else 1.15 if isinstance(site.node, s.Call) else 1.3
            )


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
