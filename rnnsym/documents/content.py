"""What a document is made of: headings, paragraphs, displayed formulas, remarks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sympy import Basic


@dataclass(frozen=True)
class Styled:
    """Text in a style: "em", "strong" or "code"."""

    text: str
    style: str


#: text with mathematics in it: strings, styled strings and expressions in turn
Prose = tuple[str | Styled | Basic, ...]


def plain(text: str) -> str:
    """Text in one line, without control characters: names of a network may be anything."""
    return "".join(c if c.isprintable() else " " for c in text)


@dataclass(frozen=True)
class Heading:
    """A heading; level 1 is the document's title."""

    level: int
    text: Prose


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of prose."""

    text: Prose


@dataclass(frozen=True)
class Bullets:
    """A list of short paragraphs."""

    items: Sequence[Prose]


@dataclass(frozen=True)
class Row:
    """One row of a displayed formula: left relation right, with a number at the end.

    No left side: the row goes on from the one above it.
    """

    left: Basic | None
    relation: str
    right: Basic | None
    number: int | None = None


@dataclass(frozen=True)
class Display:
    """Displayed formulas, aligned at their relations."""

    rows: Sequence[Row]


@dataclass(frozen=True)
class Remark:
    """What is said of one numbered row: the rule, the reason, and what checked it."""

    number: int
    lead: str
    text: Prose
    checked: str = ""
    ok: bool = True


@dataclass(frozen=True)
class Remarks:
    """Remarks on the rows of the display before them."""

    items: Sequence[Remark]


@dataclass(frozen=True)
class Code:
    """Source code."""

    text: str
    language: str = "python"


@dataclass(frozen=True)
class Figure:
    """A picture, in the form that each kind of document can draw."""

    mermaid: str
    tikz: str
    text: str


Block = Any


@dataclass(frozen=True)
class Document:
    """Blocks in order, with the notation in which their formulas are to be printed.

    names: what each quantity is called in the notation (see `Cell.notations`).
    """

    title: Prose
    blocks: Sequence[Block]
    notation: str = "post"
    names: Any = None
