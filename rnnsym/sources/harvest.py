"""The formulas of a document as they come in, and the prose around each.

Filled by the readers of containers, piece by piece in the order of the document.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field

from rnnsym.sources.macros import definitions
from rnnsym.sources.model import Formula, Macro, Source
from rnnsym.sources.tidy import unwrapped, without_comments

PROSE = 200
WINDOW = 2 * PROSE
MAX_NOTES = 200
MAX_FORMULAS = 10_000
SHOWN = "$…$"


@dataclass(frozen=True)
class _Found:
    """A formula without its prose; it stands from `start` to `end` in the whole of the prose."""

    latex: str
    line: int
    display: bool
    environment: str
    cell: int | None
    start: int
    end: int
    section: int


@dataclass
class Harvest:
    """The prose in pieces, with the places where blocks end, and the formulas, in order."""

    notes: list[str] = field(default_factory=list)
    macros: dict[str, Macro] = field(default_factory=dict)
    cell: int | None = None
    _pieces: list[str] = field(default_factory=list)
    _size: int = 0
    _block_ends: list[int] = field(default_factory=lambda: [0])
    _found: list[_Found] = field(default_factory=list)
    _full: bool = False
    section: int = 0  # how many headings there were

    def prose(self, text: str) -> None:
        """Text of the current block, without markup."""
        if text:
            self._pieces.append(text)
            self._size += len(text)

    def end_block(self) -> None:
        """The paragraph, list item, cell or heading ends here."""
        if self._block_ends[-1] < self._size:
            self._block_ends.append(self._size)

    def note(self, line: int, message: str) -> None:
        """Something was skipped or could not be parsed."""
        if len(self.notes) >= MAX_NOTES:
            if len(self.notes) == MAX_NOTES:
                self.notes.append("there are more notes: these are the first")
            return
        where = f"line {line}" if self.cell is None else f"cell {self.cell}, line {line}"
        self.notes.append(f"{where}: {message}")

    def define(self, macro: Macro) -> None:
        r"""A definition; the last one of a name holds."""
        old = self.macros.pop(macro.name, None)
        if old is not None and (old.body, old.arguments) != (macro.body, macro.arguments):
            self.note(
                macro.line,
                f"\\{macro.name} is defined again (first on line {old.line}): "
                "the last definition is used throughout",
            )
        self.macros[macro.name] = macro

    def formula(self, latex: str, line: int, display: bool, environment: str = "") -> None:
        """A formula: the source between its delimiters, of which the first stands on `line`.

        Definitions of macros in it are taken out; if nothing else is in it, it is no formula.
        """
        latex = without_comments(latex)
        latex, macros, faults = definitions(latex, line, self.macros)
        for macro in macros:
            self.define(macro)
        for place, fault in faults:
            self.note(place, fault)
        latex, environment = unwrapped(latex, environment)
        if not latex:
            return
        display = (display or bool(environment)) and environment != "math"
        if len(self._found) >= MAX_FORMULAS:
            if not self._full:
                self.note(line, f"after {MAX_FORMULAS:,} formulas, this and the rest are not read")
            self._full = True
            return
        start = self._size
        self.prose(f" {SHOWN} " if display else SHOWN)
        self._found.append(
            _Found(latex, line, display, environment, self.cell, start, self._size, self.section)
        )

    def source(self, kind: str, *, by_line: bool = False) -> Source:
        """All that came in; `by_line` puts formulas in the order of their lines."""
        text = "".join(self._pieces)
        self.end_block()
        formulas = [
            Formula(
                found.latex,
                found.line,
                found.display,
                found.environment,
                before=self._before(text, found)[-PROSE:].lstrip(),
                after=self._after(text, found)[:PROSE].rstrip(),
                cell=found.cell,
                section=found.section,
            )
            for found in self._found
        ]
        if by_line:
            formulas.sort(key=lambda formula: (formula.cell or 0, formula.line))
        return Source(kind, formulas, self.macros, self.notes)

    def _before(self, text: str, found: _Found) -> str:
        """The prose before a formula in its block.

        A display is a block of its own in most documents: the end of a block next to it does not
        cut it off from the paragraph that introduces it.
        """
        block = bisect_right(self._block_ends, found.start) - 1
        while True:
            start = max(self._block_ends[block], found.start - WINDOW)
            prose = " ".join(text[start : found.start].split())
            if prose or not found.display or not block:
                return prose
            block -= 1

    def _after(self, text: str, found: _Found) -> str:
        """The prose after a formula in its block; see `_before`."""
        block = bisect_left(self._block_ends, found.end)
        while True:
            end = self._block_ends[min(block, len(self._block_ends) - 1)]
            prose = " ".join(text[found.end : min(end, found.end + WINDOW)].split())
            if prose or not found.display or block >= len(self._block_ends) - 1:
                return prose
            block += 1
