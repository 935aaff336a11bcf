"""A request for what time reversal shows: nothing new is derived for the backward direction.

reversal NAME            the derivation for a weight of the forward direction, reversed, beside
                         that of the backward direction
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from sympy import MatrixSymbol

from rnnsym.derive.step import Step
from rnnsym.documents.content import Block, Paragraph, Prose, Table
from rnnsym.documents.literate.proofs_requests import show
from rnnsym.documents.literate.requests import Ask, request
from rnnsym.errors import InputError
from rnnsym.nodes import Blocks, T
from rnnsym.simplify import rebuild
from rnnsym.verify.steps import check

AHEAD, BACK = "_fwd", "_bwd"


@request("reversal", "reversal NAME [model=NAME]", arguments=1)
def reversal(ask: Ask) -> Iterator[Block]:
    """The derivation for a weight of the forward direction, reversed in time, beside that of the
    backward direction: section by section, and one step of it as an example."""
    from rnnsym.derive.reversal import Reversal

    net, name = ask.net, ask.arguments[0]
    if not name.endswith(AHEAD) or name not in net.parameters:
        ahead = ", ".join(n for n in net.parameters if n.endswith(AHEAD))
        raise InputError(
            f"{name!r} is no weight of a forward direction: there are {ahead or 'none'}"
        )
    names = {n: n.replace(AHEAD, BACK) for n in (*net.parameters, *net.vectors, *net.sizes)}
    labels = {b.names: b.label for b in net.calculus.adjoints.structure.blocks}
    for block, label in labels.items():
        mirrored = labels.get(tuple(names[n] for n in block))
        if mirrored is not None and mirrored != label:
            names[label] = mirrored
    mirror = Reversal(T, names)
    ahead, back = net.derive(name), net.derive(names[name])
    sections = [section for section in ahead.sections if section in back.sections]
    outcomes = {
        section: [
            _alike(mirror, *pair)
            for pair in zip(ahead.section(section), back.section(section), strict=True)
        ]
        for section in sections
    }
    rows: list[list[Prose]] = [
        [(section,), *((str(found.count(kind)),) for kind in KINDS)]
        for section, found in outcomes.items()
    ]
    yield Table([("section",), *((kind,) for kind in KINDS)], rows, "l" + "r" * len(KINDS))
    yield from _example(ask, mirror, ahead, back)
    every = [kind for found in outcomes.values() for kind in found]
    numbers = [every.count(kind) for kind in KINDS]
    ask.evidence.also(
        sum(numbers) == len(every),
        f"Of {len(every)} steps for the backward direction {numbers[0]} are those for the forward "
        f"one with time reversed, and {numbers[1]} more but for the half of the output layer, "
        "compared expression by expression",
    )


#: how a step of the backward direction is like the reversed one
KINDS = ("the same", "but for the half")


def _alike(mirror: Any, ahead: Step, back: Step) -> str:
    """The kind of likeness, or nothing."""
    mirrored = mirror.step(ahead)
    pairs = [(mirrored.before, back.before), (mirrored.after, back.after)]
    if all(one == other for one, other in pairs):
        return KINDS[0]
    same = all(_halves(mirror, one) == _halves(mirror, other) for one, other in pairs)
    return KINDS[1] if same else ""


def _halves(mirror: Any, e: Any) -> Any:
    """An expression with one symbol for [I; 0] and [0; I], and sizes as in one direction."""

    def put(x: Any) -> Any:
        parts = [part for row in x.blocks for part in row] if isinstance(x, Blocks) else []
        kinds = sorted(type(part).__name__ for part in parts)
        return MatrixSymbol("half", *x.shape) if kinds == ["Identity", "ZeroMatrix"] else None

    return mirror.resized(rebuild(e, put))


def _example(ask: Ask, mirror: Any, ahead: Any, back: Any) -> Iterator[Block]:
    """The adjoint recursion of the forward direction, and of the backward one."""
    pairs = [
        (one, other)
        for one, other in zip(*(d.section("Adjoint recursion") for d in (ahead, back)), strict=True)
        if one.rule == "adjoint recursion" and _alike(mirror, one, other) == KINDS[0]
    ]
    for text, derivation, step in zip(
        ("A step of the forward direction:", "Reversed, it is the one that is derived:"),
        (ahead, back),
        pairs[0] if pairs else (),
        strict=False,
    ):
        yield Paragraph((text,))
        excerpt = replace(derivation, steps=(step,))
        yield from show(ask, excerpt, check(excerpt, 0, ask.net.checker))
