"""What a document is made of: headings, paragraphs, displayed formulas, remarks, pictures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sympy import Basic


@dataclass(frozen=True)
class Styled:
    """Text in a style: "em", "strong" or "code"."""

    text: str
    style: str


@dataclass(frozen=True)
class Named:
    """An expression of another network than the document's, with what its quantities are called
    in the document's notation (see `Cell.notations`)."""

    expr: Basic
    names: Mapping[str, str] | None


@dataclass(frozen=True)
class Ref:
    """A reference to the numbered rows `first` to `last` of the document."""

    first: int
    last: int | None = None

    def text(self, prefix: str) -> str:
        """(12) or (12)–(20), each number after the document's prefix."""
        end = "" if self.last in (None, self.first) else f"–({prefix}{self.last})"
        return f"({prefix}{self.first}){end}"


#: text with mathematics in it: strings, styled strings, references and expressions in turn
Prose = tuple[str | Styled | Ref | Named | Basic, ...]


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

    left: Basic | Named | None
    relation: str
    right: Basic | Named | None
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
class Table:
    """A table: a header, rows of as many cells, and a letter l, c or r for each column.

    No alignment: all columns are aligned left.
    """

    header: Sequence[Prose]
    rows: Sequence[Sequence[Prose]]
    alignment: str = ""
    caption: Prose = ()

    def __post_init__(self) -> None:
        width = len(self.header)
        if any(len(row) != width for row in self.rows):
            raise ValueError(f"every row of a table must have {width} cells, as its header has")
        if not self.alignment:
            object.__setattr__(self, "alignment", "l" * width)
        if len(self.alignment) != width or set(self.alignment) - set("lcr"):
            raise ValueError(f"{self.alignment!r}: a letter l, c or r for each of {width} columns")


@dataclass(frozen=True)
class Code:
    """Source code."""

    text: str
    language: str = "python"


@dataclass(frozen=True)
class Figure:
    """A picture, in the form that each kind of document can draw.

    svg: a whole SVG, for HTML, Markdown and notebooks (without it Markdown takes `mermaid`);
    tikz: for LaTeX; text: for terminals, and in place of what is not there; alt: the picture in
    words, by default its caption.
    """

    mermaid: str
    tikz: str
    text: str
    svg: str = ""
    caption: Prose = ()
    alt: str = ""


Block = Any


@dataclass(frozen=True)
class Document:
    """Blocks in order, with the notation in which their formulas are to be printed.

    names: what each quantity is called in the notation (see `Cell.notations`); prefix: written
    before the numbers of rows, such as "3." in the third chapter of a book.
    """

    title: Prose
    blocks: Sequence[Block]
    notation: str = "post"
    names: Any = None
    prefix: str = ""


def figures(document: Document) -> list[Figure]:
    """The pictures of a document, in order."""
    return [block for block in document.blocks if isinstance(block, Figure)]


def named(blocks: Iterable[Block], names: Mapping[str, str] | None) -> list[Block]:
    """The same blocks with their formulas in the names of another network."""

    def prose(text: Prose) -> Prose:
        return tuple(Named(p, names) if isinstance(p, Basic) else p for p in text)

    def expr(e: Any) -> Any:
        return Named(e, names) if isinstance(e, Basic) else e

    def block(b: Block) -> Block:
        match b:
            case Heading() | Paragraph():
                return replace(b, text=prose(b.text))
            case Bullets():
                return Bullets([prose(item) for item in b.items])
            case Display():
                return Display([replace(r, left=expr(r.left), right=expr(r.right)) for r in b.rows])
            case Remarks():
                return Remarks([replace(r, text=prose(r.text)) for r in b.items])
            case Table():
                return replace(
                    b,
                    header=[prose(cell) for cell in b.header],
                    rows=[[prose(cell) for cell in row] for row in b.rows],
                    caption=prose(b.caption),
                )
            case Figure():
                return replace(b, caption=prose(b.caption))
        return b

    return [block(b) for b in blocks]
