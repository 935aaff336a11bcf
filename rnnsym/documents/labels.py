"""What stands beside a picture: labels, figures at ticks, and its numbers as a table of text.

Used by `plots` and `heatmap`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rnnsym.documents.canvas import Words
from rnnsym.documents.content import Document, Prose
from rnnsym.documents.formulas import text_printer
from rnnsym.documents.scales import number
from rnnsym.documents.terminal import prose as as_text
from rnnsym.documents.tex import inline

Label = str | Prose
LEFT, TOP, BOTTOM = 72.0, 16.0, 52.0


class Labels:
    """Writes labels in both forms, in a notation."""

    def __init__(self, notation: str, names: Mapping[str, str] | None) -> None:
        self.document = Document((), (), notation, names)
        self.printer = text_printer(self.document)

    def __call__(self, label: Label) -> Words:
        return Words(self.text(label), inline(_prose(label), self.document))

    def text(self, label: Label) -> str:
        """A label for a terminal."""
        return as_text(_prose(label), self.printer)


def _prose(label: Label) -> Prose:
    return (label,) if isinstance(label, str) else label


def figures(value: float, log: bool = False) -> Words:
    """A number as an axis shows it."""
    figures, power = number(value, log)
    tex = figures.replace("−", "-").replace("·", r" \cdot ")
    return Words(figures, f"${tex}$", power)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Cells in columns, aligned right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
