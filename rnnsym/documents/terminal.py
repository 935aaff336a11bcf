"""Documents as Unicode text that reads well in a terminal."""

from __future__ import annotations

import textwrap
from functools import singledispatch

from sympy import Basic

from rnnsym.documents.content import (
    Block,
    Bullets,
    Code,
    Display,
    Document,
    Figure,
    Heading,
    Paragraph,
    Prose,
    Remarks,
    Styled,
    plain,
)
from rnnsym.latex import TextPrinter

WIDTH = 100


def terminal(document: Document) -> str:
    """The document as text, wrapped at 100 columns; formulas are not wrapped."""
    text = TextPrinter(document.notation, document.names)
    parts = [_write(Heading(1, document.title), text)]
    parts += [_write(block, text) for block in document.blocks]
    return "\n\n".join(parts) + "\n"


def prose(words: Prose, text: TextPrinter) -> str:
    """Prose with its mathematics written out."""

    def write(part: str | Styled | Basic) -> str:
        if isinstance(part, Styled):
            return part.text
        return plain(part) if isinstance(part, str) else text(part)

    return "".join(map(write, words))


@singledispatch
def _write(block: Block, text: TextPrinter) -> str:
    raise TypeError(f"no text for {type(block).__name__}")


@_write.register
def _(block: Heading, text: TextPrinter) -> str:
    line = prose(block.text, text)
    return line + "\n" + ("=" if block.level == 1 else "-") * len(line)


@_write.register
def _(block: Paragraph, text: TextPrinter) -> str:
    return textwrap.fill(prose(block.text, text), WIDTH)


@_write.register
def _(block: Bullets, text: TextPrinter) -> str:
    return "\n".join(
        textwrap.fill("• " + prose(item, text), WIDTH, subsequent_indent="  ")
        for item in block.items
    )


@_write.register
def _(block: Display, text: TextPrinter) -> str:
    lines = []
    for row in block.rows:
        left = "" if row.left is None else text(row.left)
        right = "" if row.right is None else text(row.right)
        tag = "" if row.number is None else f"   ({row.number})"
        lines.append(f"    {left} {row.relation} {right}{tag}")
    return "\n".join(lines)


@_write.register
def _(block: Remarks, text: TextPrinter) -> str:
    return "\n".join(
        textwrap.fill(
            f"({r.number}) {r.lead}: {prose(r.text, text)}. [{'✓' if r.ok else '✗'} {r.checked}]",
            WIDTH,
            subsequent_indent="    ",
        )
        for r in block.items
    )


@_write.register
def _(block: Figure, text: TextPrinter) -> str:
    return textwrap.indent(block.text.rstrip(), "    ")


@_write.register
def _(block: Code, text: TextPrinter) -> str:
    return textwrap.indent(block.text.rstrip(), "    ")
