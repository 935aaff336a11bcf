"""How displayed formulas are laid out, for every form that prints LaTeX.

Between `content` and the writers: a display as lines, those that are too long broken in two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sympy import Basic, MatAdd

from rnnsym.documents.content import Display, Document, Named
from rnnsym.latex import LatexPrinter, TextPrinter

RELATIONS = {"=": "=", "≠": r"\neq"}
#: a left-hand side longer than this (in characters of LaTeX) has a row of its own
LONG = 280
#: a sum longer than this is broken before its terms
WIDE = 420

Print = Callable[[Any], str]


class Printer:
    """Prints the expressions of a document, each in the names of its network.

    kind: LatexPrinter or TextPrinter.
    """

    def __init__(
        self,
        kind: type[LatexPrinter] | type[TextPrinter],
        notation: str = "post",
        names: Mapping[str, str] | None = None,
    ) -> None:
        self.kind, self.notation = kind, notation
        self.own = kind(notation, names)

    def __call__(self, e: Basic | Named) -> str:
        if isinstance(e, Named):
            return self.kind(self.notation, e.names)(e.expr)
        return self.own(e)


def latex_printer(document: Document) -> Printer:
    """What prints the expressions of a document as LaTeX."""
    return Printer(LatexPrinter, document.notation, document.names)


def text_printer(document: Document) -> Printer:
    """What prints the expressions of a document as Unicode text."""
    return Printer(TextPrinter, document.notation, document.names)


@dataclass(frozen=True)
class Line:
    """A line of a display in LaTeX, without ends and marks of alignment.

    whole: the left side has the line to itself, from the place of the relation on.
    """

    left: str
    relation: str
    right: str
    number: int | None = None
    whole: bool = False


def lines(display: Display, tex: Print) -> Iterator[Line]:
    """The lines of a display: a row each, but for what is too long."""
    for row in display.rows:
        relation = RELATIONS.get(row.relation, row.relation)
        left = "" if row.left is None else tex(row.left)
        right = "" if row.right is None else tex(row.right)
        if len(left) > LONG:
            yield Line(left, "", "", whole=True)
            left = ""
        pieces = [right] if len(right) <= WIDE or row.right is None else broken(row.right, tex)
        rows = [Line(left, relation, pieces[0])]
        rows += [Line("", "", piece) for piece in pieces[1:]]
        rows[-1] = replace(rows[-1], number=row.number)
        yield from rows


def aligned(display: Display, tex: Print, row_end: str = r"\\", prefix: str = "") -> str:
    """The rows of a display as an aligned environment: the same string for every renderer."""
    rows = []
    for line in lines(display, tex):
        tag = "" if line.number is None else f" && ({prefix}{line.number})"
        if line.whole:
            rows.append(f"& {line.left}")
        elif line.relation:
            rows.append(f"{line.left} &{line.relation} {line.right}".strip() + tag)
        else:
            rows.append(rf"&\quad {line.right}{tag}")
    body = f" {row_end}\n".join(rows)
    return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"


def broken(e: Basic | Named, tex: Print) -> list[str]:
    """A sum as rows of at most WIDE characters, broken before its plus and minus signs."""
    sum_ = e.expr if isinstance(e, Named) else e
    if not isinstance(sum_, MatAdd):
        return [tex(e)]
    rows: list[str] = []
    for term in sum_.args:
        text = tex(Named(term, e.names) if isinstance(e, Named) else term)
        if rows:
            text = text if text.startswith("-") else f"+ {text}"
        if rows and len(rows[-1]) + len(text) <= WIDE:
            rows[-1] += f" {text}"
        else:
            rows.append(text)
    return rows
