"""Documents as Markdown with $…$ and $$…$$, for Hugo, Jupyter, GitHub and the like."""

from __future__ import annotations

from collections.abc import Callable
from functools import singledispatch

from sympy import Basic, MatAdd

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
from rnnsym.latex import LatexPrinter

RELATIONS = {"=": "=", "≠": r"\neq"}
#: a left-hand side longer than this (in characters of LaTeX) has a row of its own
LONG = 280
#: a sum longer than this is broken before its terms
WIDE = 420

Print = Callable[[Basic], str]


def markdown(document: Document, row_end: str = r"\\") -> str:
    """The document as Markdown.

    row_end ends the rows of aligned formulas: Hugo's Goldmark wants three backslashes unless
    its passthrough extension is on.
    """
    tex = LatexPrinter(document.notation, document.names)
    parts = [_write(Heading(1, document.title), tex, row_end)]
    parts += [_write(block, tex, row_end) for block in document.blocks]
    return "\n\n".join(parts) + "\n"


def prose(text: Prose, tex: Print) -> str:
    """Prose with its mathematics in dollars."""
    marks = {"em": "*", "strong": "**", "code": "`"}

    def write(part: str | Styled | Basic) -> str:
        if isinstance(part, Styled):
            text = part.text if part.style == "code" else escape(part.text)
            return marks[part.style] + text + marks[part.style]
        return escape(part) if isinstance(part, str) else f"${tex(part)}$"

    return "".join(map(write, text))


def escape(text: str) -> str:
    """Plain text without Markdown's and HTML's special meanings."""
    text = plain(text)
    for c in "\\`*_$[]":
        text = text.replace(c, f"\\{c}")
    return text.replace("<", "&lt;").replace(">", "&gt;")


def aligned(display: Display, tex: Print, row_end: str = r"\\") -> str:
    """The rows of a display as an aligned environment: the same string for every renderer."""
    lines = []
    for row in display.rows:
        relation = RELATIONS.get(row.relation, row.relation)
        left = "" if row.left is None else tex(row.left)
        right = "" if row.right is None else tex(row.right)
        tag = "" if row.number is None else f" && ({row.number})"
        if len(left) > LONG:
            lines.append(f"& {left}")
            left = ""
        pieces = [right] if len(right) <= WIDE or row.right is None else broken(row.right, tex)
        lines.append(f"{left} &{relation} {pieces[0]}".strip())
        lines += [rf"&\quad {piece}" for piece in pieces[1:]]
        lines[-1] += tag
    body = f" {row_end}\n".join(lines)
    return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"


def broken(e: Basic, tex: Print) -> list[str]:
    """A sum as rows of at most WIDE characters, broken before its plus and minus signs."""
    if not isinstance(e, MatAdd):
        return [tex(e)]
    rows: list[str] = []
    for term in e.args:
        text = tex(term)
        if rows:
            text = text if text.startswith("-") else f"+ {text}"
        if rows and len(rows[-1]) + len(text) <= WIDE:
            rows[-1] += f" {text}"
        else:
            rows.append(text)
    return rows


@singledispatch
def _write(block: Block, tex: Print, row_end: str) -> str:
    raise TypeError(f"no Markdown for {type(block).__name__}")


@_write.register
def _(block: Heading, tex: Print, row_end: str) -> str:
    return "#" * block.level + " " + prose(block.text, tex)


@_write.register
def _(block: Paragraph, tex: Print, row_end: str) -> str:
    return prose(block.text, tex)


@_write.register
def _(block: Bullets, tex: Print, row_end: str) -> str:
    return "\n".join(f"- {prose(item, tex)}" for item in block.items)


@_write.register
def _(block: Display, tex: Print, row_end: str) -> str:
    return f"$$\n{aligned(block, tex, row_end)}\n$$"


@_write.register
def _(block: Remarks, tex: Print, row_end: str) -> str:
    lines = []
    for r in block.items:
        mark = ("✓ " if r.ok else "✗ ") + escape(r.checked)
        lines.append(f"- ({r.number}) *{escape(r.lead)}*: {prose(r.text, tex)}. {mark}")
    return "\n".join(lines)


@_write.register
def _(block: Figure, tex: Print, row_end: str) -> str:
    return f"```mermaid\n{block.mermaid.rstrip()}\n```"


@_write.register
def _(block: Code, tex: Print, row_end: str) -> str:
    return f"```{block.language}\n{block.text.rstrip()}\n```"
