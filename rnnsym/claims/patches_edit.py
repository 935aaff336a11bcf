"""Patches: changes of the author's own LaTeX.

First part of the search for a repair (`repair`). A patch replaces pieces of the source.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rnnsym.latex.snippets import coloured


@dataclass(frozen=True)
class Edit:
    """The source from start to end replaced; marked: the new text with its colour, if it is not
    simply the new text that is coloured."""

    start: int
    end: int
    new: str
    marked: str | None = None

    @property
    def shown(self) -> str:
        """The new text as the marked formula shows it."""
        if self.marked is not None:
            return self.marked
        inner = self.new.strip()
        return self.new.replace(inner, coloured(inner)) if inner else self.new


@dataclass(frozen=True)
class Patch:
    """A change: its edits, the kind of error that it undoes, and that error in words.

    rank: the commoner the error, the lower.
    """

    edits: tuple[Edit, ...]
    kind: str
    words: str
    rank: float = 1.0

    def overlaps(self, other: Patch) -> bool:
        """Whether two patches touch the same piece."""
        return any(
            (a.start < b.end and b.start < a.end) or (a.start, a.end) == (b.start, b.end)
            for a in self.edits
            for b in other.edits
        )


def apply(latex: str, edits: Sequence[Edit], marked: bool = False) -> str:
    """The source with some edits made."""
    for e in sorted(edits, key=lambda e: (e.start, e.end), reverse=True):
        latex = latex[: e.start] + (e.shown if marked else e.new) + latex[e.end :]
    return latex


def moved(place: int, edits: Sequence[Edit]) -> int:
    """Where a place of the source lies after some edits."""
    return place + sum(len(e.new) - (e.end - e.start) for e in edits if e.end <= place)
