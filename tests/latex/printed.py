"""The networks whose formulas are tested, and every formula that is printed of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

from sympy import Basic

import rnnsym as rs
from rnnsym.documents import narrative
from rnnsym.documents.content import Bullets, Display, Document, Heading, Paragraph, Remarks
from rnnsym.documents.markdown import aligned
from rnnsym.latex import LatexPrinter, TextPrinter

BUILT_IN = (
    "elman",
    "elman:compact",
    "elman:activation=g",
    "elman:activation=relu",
    "elman:activation=sigmoid",
    "elman:output=g,loss=squared_error",
    "elman:output=sigmoid,loss=binary_cross_entropy",
    "elman:output=identity,loss=squared_error",
    "lstm",
    "lstm:activation=g",
    "gru",
    "gru:reset=after",
    "gru:compact",
)

HEAD = "y_hat[t] = softmax(W_y @ {} + b_y)"

EQUATIONS = {
    "two layers": (
        "a_1[t] = tanh(W_1 @ a_1[t-1] + U_1 @ x[t] + b_1)",
        "a_2[t] = tanh(W_2 @ a_2[t-1] + U_2 @ a_1[t] + b_2)",
        HEAD.format("a_2[t]"),
    ),
    "shortcut": (
        "a[t] = tanh(W @ a[t-1] + S @ a[t-2] + U @ x[t] + b)",
        HEAD.format("a[t]"),
    ),
    "bidirectional": (
        "f[t] = tanh(W_f @ f[t-1] + U_f @ x[t] + b_f)",
        "r[t] = tanh(W_r @ r[t+1] + U_r @ x[t] + b_r)",
        HEAD.format("[f[t], r[t]]"),
    ),
}

MODELS = (*BUILT_IN, *EQUATIONS)


@cache
def network(name: str) -> rs.Network:
    """A network of MODELS."""
    return rs.Network(*EQUATIONS[name]) if name in EQUATIONS else rs.model(name)


def subjects(net: rs.Network) -> list[str]:
    """All that can be derived by: parameters, initial states, inputs."""
    return [*net.parameters, *net.states, *net.inputs]


@cache
def derivations(name: str) -> tuple[rs.Derivation, ...]:
    """Every derivation of a network of MODELS."""
    net = network(name)
    return tuple(net.derive(wrt) for wrt in subjects(net))


def unchecked(found: Any, notation: str = "post") -> Document:
    """Derivations as a document without their checks, which take most of the time."""
    return narrative.derivations_document(found, [()] * len(found), notation)


def formulas(document: Document) -> list[str]:
    """Every formula of a document, displayed or in prose, as it is written in it; each once."""
    printer = LatexPrinter(document.notation, document.names)
    return list(dict.fromkeys(_written(document, printer)))


def _written(document: Document, printer: LatexPrinter) -> Iterator[str]:
    for item in contents(document):
        yield aligned(item, printer) if isinstance(item, Display) else printer(item)


def texts(document: Document) -> list[str]:
    """Every expression of a document as terminal text; each once."""
    printer = TextPrinter(document.notation, document.names)
    found: list[str] = []
    for item in contents(document):
        sides = [(r.left, r.right) for r in item.rows] if isinstance(item, Display) else [(item,)]
        found += [printer(e) for side in sides for e in side if e is not None]
    return list(dict.fromkeys(found))


def contents(document: Document) -> Iterator[Any]:
    """The displays and the expressions in prose, each once.

    Every number is 1: derivations of one network share most of their steps.
    """
    prose: list[Any] = [document.title]
    displays: dict[Any, None] = {}
    for block in document.blocks:
        if isinstance(block, Display):
            rows = (replace(row, number=row.number and 1) for row in block.rows)
            displays[tuple(rows)] = None
        elif isinstance(block, Heading | Paragraph):
            prose.append(block.text)
        elif isinstance(block, Bullets):
            prose += block.items
        elif isinstance(block, Remarks):
            prose += [remark.text for remark in block.items]
    yield from map(Display, displays)
    yield from dict.fromkeys(part for text in prose for part in text if isinstance(part, Basic))
