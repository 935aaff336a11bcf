"""Patches of symbols: another weight, gate, state or adjoint of the same shape; ∂ for ∂⁺.

One of the generators of `repair`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

from rnnsym.claims.patches_edit import Edit, Patch
from rnnsym.claims.patches_names import Named, Speller
from rnnsym.claims.patches_source import Site, Source
from rnnsym.latex.snippets import bracketed
from rnnsym.nodes import Apply, Softmax, leaves
from rnnsym.reader import syntax as s
from rnnsym.reader.table import Entry


def patches(source: Source, speller: Speller) -> Iterator[Patch]:
    """Every symbol replaced by one of its kind."""
    net = speller.net
    plus = r"\partial^" in source.latex
    for site in source.sites:
        if isinstance(site.node, s.Derivative) and site.side == 1:
            yield from _partial(source, site, plus)
    if net is None:
        return
    groups: dict[Any, list[Named]] = {}
    loss = any(n.entry.kind == "gradient" or n.entry.name == "L" for n in speller.named)
    for n in speller.named:
        if n.found.power is None and not n.found.components and not n.spelled.inverse:
            if n.entry.kind in ("vector", "parameter", "gradient") and n.entry.name != "L":
                yield from _others(source, speller, [n])
                groups.setdefault((n.entry, n.site.side), []).append(n)
                if n.entry.kind == "vector" and n.site.side == 1 and loss:
                    yield from _adjoints(source, speller, n)
            elif n.entry.name == "L":
                yield from _loss(source, speller, n)
    for group in groups.values():
        if len(group) > 1:
            yield from _others(source, speller, group)
            for k in range(len(group) - 1):
                if len(group) > 2:
                    yield from _others(source, speller, group[k : k + 2])
    yield from _activated(source, speller)
    yield from _exchanged(source, speller)


def alike(net: Any, entry: Entry) -> list[str]:
    """The quantities of the same kind and shape, those with a similar name first."""
    if entry.kind == "parameter":
        shape = net.parameters[entry.name].shape
        names = [n for n, w in net.parameters.items() if w.shape == shape]
    else:
        rows = net.vectors[entry.name].rows
        names = [n for n, v in net.vectors.items() if v.rows == rows]
        if entry.kind == "gradient":
            names = [n for n in names if n in net.equations]
    return [n for n in names if n != entry.name]


def argument_of(net: Any, name: str) -> str | None:
    """The z of a = g(z)."""
    e = net.equations.get(name)
    if e is not None and isinstance(e.rhs, Apply | Softmax):
        return getattr(e.rhs.argument, "name", None)
    return None


def _others(source: Source, speller: Speller, group: list[Named]) -> Iterator[Patch]:
    entry, net = group[0].entry, speller.net
    for rank, name in enumerate(alike(net, entry)):
        edits = []
        for n in group:
            text = speller.quantity(
                entry.kind, name, n.found.time if n.time else None, n.spelled.transposed % 2 == 1
            )
            if text is None:
                break
            edits.append(Edit(n.symbol.start, n.symbol.end, text))
        else:
            kind = _kind(net, entry, name, group[0])
            close = kind in ("δ_a for δ_z", "z for a", "a for z", "δ_z for δ_a", "g′ at g(z)")
            told = f"{source.shown(group[0].symbol)} stands where {edits[0].new} should"
            told += source.where(group[0].site) if len(group) == 1 else ""
            first = 1.2 if close else 1.5
            extra = 0.2 if len(group) > 1 else 0.0
            yield Patch(tuple(edits), kind, told, first + extra + 0.02 * rank)


def _adjoints(source: Source, speller: Speller, n: Named) -> Iterator[Patch]:
    """A state where the derivative of the loss by something of its size belongs."""
    rows = speller.net.vectors[n.entry.name].rows
    for name in speller.net.equations:
        if speller.net.vectors[name].rows == rows and n.time is not None:
            turned = n.spelled.transposed % 2 == 1
            text = speller.quantity("gradient", name, n.found.time, turned)
            if text is not None:
                told = f"{source.shown(n.symbol)} stands where {text} should"
                edit = Edit(n.symbol.start, n.symbol.end, text)
                yield Patch((edit,), "state for its adjoint", told, 1.9)


def _kind(net: Any, entry: Entry, new: str, named: Named) -> str:
    """The catalogue's name of a wrong symbol."""
    if entry.kind == "parameter":
        return "weight of another gate" if not _bias(net, new) else "bias of another gate"
    if argument_of(net, entry.name) == new:
        call = named.site.inside(s.Call)
        if entry.kind != "gradient" and call is not None and call.primes:
            return "g′ at g(z)"
        return "δ_a for δ_z" if entry.kind == "gradient" else "a for z"
    if argument_of(net, new) == entry.name:
        return "δ_z for δ_a" if entry.kind == "gradient" else "z for a"
    if named.site.inside(s.Derivative):
        return "derivative of another quantity"
    return "adjoint of another gate" if entry.kind == "gradient" else "another gate"


def _bias(net: Any, name: str) -> bool:
    return bool(net.parameters[name].cols == 1)


def _exchanged(source: Source, speller: Speller) -> Iterator[Patch]:
    """Two quantities of one kind and shape, each where the other belongs."""
    groups: dict[Entry, list[Named]] = {}
    for n in speller.named:
        simple = n.found.power is None and not n.found.components and not n.spelled.inverse
        if n.site.side == 1 and n.entry.kind in ("vector", "parameter", "gradient") and simple:
            groups.setdefault(n.entry, []).append(n)
    for (first, some), (other, others) in combinations(groups.items(), 2):
        if first.kind != other.kind or other.name not in alike(speller.net, first):
            continue
        edits = []
        for entry, group in ((other, some), (first, others)):
            for n in group:
                at = n.found.time if n.time else None
                text = speller.quantity(entry.kind, entry.name, at, n.spelled.transposed % 2 == 1)
                if text is not None:
                    edits.append(Edit(n.symbol.start, n.symbol.end, text))
        if len(edits) == len(some) + len(others):
            shown = source.shown(some[0].symbol), source.shown(others[0].symbol)
            told = f"{shown[0]} and {shown[1]} are exchanged"
            yield Patch(tuple(edits), "exchanged", told, 1.4)


def _partial(source: Source, site: Site, plus: bool) -> Iterator[Patch]:
    """∂ for ∂⁺ and ∂⁺ for ∂, where the author tells them apart."""
    node = site.node
    assert isinstance(node, s.Derivative)
    inside = [x for x in source.tokens if node.start <= x.start < node.end]
    mark = next((i for i, x in enumerate(inside) if x.text == r"\partial"), None)
    if mark is None or not plus:
        return
    shown = source.shown(node)
    place = inside[mark].end
    if node.plus:
        end = next(x.end for x in inside[mark + 1 :] if x.text in ("+", r"\dagger"))
        end += source.latex[end : end + 1] == "}"
        told = f"{shown} should be the total derivative"
        yield Patch((Edit(place, end, ""),), "immediate for total", told, 1.0)
    else:
        told = (
            f"{shown} should be the immediate partial ∂⁺: the total derivative counts paths twice"
        )
        yield Patch((Edit(place, place, "^{+}"),), "total for immediate", told, 1.0)


def _loss(source: Source, speller: Speller, n: Named) -> Iterator[Patch]:
    """L⟨t⟩ for L, and back."""
    parts = speller.parts("vector", "L")
    if parts is None:
        return
    times = [parts.write(speller.time(i)) for i in _times(speller)] if n.time is None else []
    for text in [parts.write()] if n.time is not None else dict.fromkeys(times):
        told = f"{source.shown(n.symbol)} stands where {text} should"
        edit = Edit(n.symbol.start, n.symbol.end, text)
        kind = "loss of all steps" if n.time is None else "loss of one step"
        yield Patch((edit,), kind, told, 1.3)


def _times(speller: Speller) -> Iterator[Any]:
    for n in speller.named:
        if n.found.time is not None and n.found.time.letter and not n.found.time.constant:
            yield n.found.time


def _activated(source: Source, speller: Speller) -> Iterator[Patch]:
    """A value that should have gone through a function: c for tanh(c)."""
    calls = {
        call.argument.name: call.function
        for e in speller.net.equations.values()
        for call in leaves(e.rhs, Apply)
        if hasattr(call.argument, "name")
    }
    for n in speller.named:
        function = calls.get(n.entry.name)
        if function not in ("tanh", "sigmoid") or n.entry.kind != "vector":
            continue
        if n.found.power is not None or n.found.components or n.site.inside(s.Derivative, s.Call):
            continue
        if n.spelled.transposed:
            continue
        command = r"\tanh" if function == "tanh" else r"\sigma"
        text = command + bracketed(source.latex[n.symbol.start : n.symbol.end])
        told = f"{source.shown(n.symbol)} stands where {text} should"
        edit = Edit(n.symbol.start, n.symbol.end, text)
        yield Patch((edit,), "missing activation", told, 1.4)
