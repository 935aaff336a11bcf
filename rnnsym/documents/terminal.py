"""Documents as Unicode text that reads well in a terminal."""

from __future__ import annotations

import textwrap
import unicodedata
from functools import singledispatch
from typing import Any

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
    Ref,
    Remarks,
    Styled,
    Table,
    plain,
)
from rnnsym.documents.formulas import Print, text_printer

WIDTH = 100


def terminal(document: Document) -> str:
    """The document as text, wrapped at 100 columns; formulas are not wrapped."""
    text = text_printer(document)
    parts = [_write(Heading(1, document.title), text, document.prefix)]
    parts += [_write(block, text, document.prefix) for block in document.blocks]
    return "\n\n".join(parts) + "\n"


def prose(words: Prose, text: Print, prefix: str = "") -> str:
    """Prose with its mathematics written out."""

    def write(part: Any) -> str:
        if isinstance(part, Styled):
            return part.text
        if isinstance(part, Ref):
            return part.text(prefix)
        return plain(part) if isinstance(part, str) else text(part)

    return "".join(map(write, words))


def alternative(figure: Figure, text: Print) -> str:
    """A picture in words, for those who do not see it."""
    return plain(figure.alt) or prose(figure.caption, text) or "a picture"


def columns(text: str) -> int:
    """How many columns of a terminal a text takes: accents take none."""
    return sum(not unicodedata.combining(c) for c in text)


@singledispatch
def _write(block: Block, text: Print, prefix: str) -> str:
    raise TypeError(f"no text for {type(block).__name__}")


@_write.register
def _(block: Heading, text: Print, prefix: str) -> str:
    line = prose(block.text, text, prefix)
    return line + "\n" + ("=" if block.level == 1 else "-") * len(line)


@_write.register
def _(block: Paragraph, text: Print, prefix: str) -> str:
    return textwrap.fill(prose(block.text, text, prefix), WIDTH)


@_write.register
def _(block: Bullets, text: Print, prefix: str) -> str:
    return "\n".join(
        textwrap.fill("• " + prose(item, text, prefix), WIDTH, subsequent_indent="  ")
        for item in block.items
    )


@_write.register
def _(block: Display, text: Print, prefix: str) -> str:
    lines = []
    for row in block.rows:
        left = "" if row.left is None else text(row.left)
        right = "" if row.right is None else text(row.right)
        tag = "" if row.number is None else f"   ({prefix}{row.number})"
        lines.append(f"    {left} {row.relation} {right}{tag}")
    return "\n".join(lines)


@_write.register
def _(block: Remarks, text: Print, prefix: str) -> str:
    return "\n".join(
        textwrap.fill(
            f"({prefix}{r.number}) {r.lead}: {prose(r.text, text, prefix)}. "
            f"[{'✓' if r.ok else '✗'} {r.checked}]",
            WIDTH,
            subsequent_indent="    ",
        )
        for r in block.items
    )


@_write.register
def _(block: Table, text: Print, prefix: str) -> str:
    table = [[prose(cell, text, prefix) for cell in row] for row in (block.header, *block.rows)]
    widths = [max(map(columns, column)) for column in zip(*table, strict=True)]

    def row(cells: list[str]) -> str:
        parts = []
        for cell, width, align in zip(cells, widths, block.alignment, strict=True):
            missing = width - columns(cell)
            before = {"l": 0, "c": missing // 2, "r": missing}[align]
            parts.append(" " * before + cell + " " * (missing - before))
        return ("    " + "  ".join(parts)).rstrip()

    rule = "    " + "  ".join("─" * width for width in widths)
    return _captioned("\n".join([row(table[0]), rule, *map(row, table[1:])]), block, text, prefix)


@_write.register
def _(block: Figure, text: Print, prefix: str) -> str:
    return _captioned(textwrap.indent(block.text.rstrip(), "    "), block, text, prefix)


def _captioned(body: str, block: Table | Figure, text: Print, prefix: str) -> str:
    caption = textwrap.fill(prose(block.caption, text, prefix), WIDTH - 4)
    return body + ("\n\n" + textwrap.indent(caption, "    ") if caption else "")


@_write.register
def _(block: Code, text: Print, prefix: str) -> str:
    return textwrap.indent(block.text.rstrip(), "    ")
