r"""Where a formula of a LaTeX document ends, also where its author forgot to close it.

Used by `latex`. Dollars inside `\text{…}` are formulas within the formula and do not end it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from rnnsym.sources.names import unstarred, words
from rnnsym.sources.tidy import is_display
from rnnsym.sources.tokens import Tokens

CLOSING = {"$": "$", "$$": "$$", "\\(": "\\)", "\\[": "\\]"}
#: macros whose argument is prose
PROSE = words(
    """
    text textrm textbf textit textsf texttt textnormal textup textsc mbox hbox intertext
    shortintertext makebox fbox parbox tag
    """
)
#: macros that no formula contains: where one comes, a formula was left open
OUTSIDE = words(
    """
    part chapter section subsection subsubsection paragraph item maketitle bibliography newpage
    clearpage footnote
    """
)
DEEPEST = 60


@dataclass(frozen=True)
class End:
    """Where a formula's body ends, where the text goes on, and what is wrong with it, if anything.

    `found` is False where it was never closed: the body then ends where the formula must have.
    """

    body: int
    after: int
    fault: str = ""
    found: bool = True


@dataclass
class _Search:
    """The groups, environments and formulas that are open inside a formula, innermost last."""

    tokens: Tokens
    closing: str
    inline: bool
    start: int
    open: list[str] = field(default_factory=list)
    blank: int | None = None
    prose_at: int = -1
    fault: str = ""

    def run(self, stop: int) -> End:
        at = self.start
        while (place := self.tokens.next_markup(at)) is not None and place < stop:
            if self.tokens.text[at:place].strip():
                self.prose_at = -1
            kind, text, at = self.tokens.at(place)
            ended = self._take(kind, text, place, at)
            if ended is not None:
                return ended
        return self._unclosed(min(stop, len(self.tokens.text)))

    def _take(self, kind: str, text: str, place: int, end: int) -> End | None:
        """One token; the end of the formula, if it is that."""
        prose_at, self.prose_at = self.prose_at, -1
        if kind == "open":
            self.open.append("prose" if prose_at >= 0 else "group")
        elif kind == "close":
            if self.open and self.open[-1] in ("group", "prose"):
                self.open.pop()
        elif kind == "blank":
            if self.inline:
                return self._unclosed(place)
            self.blank = place if self.blank is None else self.blank
        elif kind == "macro":
            if text in OUTSIDE:
                return self._unclosed(place)
            if text in PROSE:
                self.prose_at = place
        elif kind == "math":
            return self._dollar(text, place, end)
        elif kind == "begin":
            if is_display(text) and (self.inline or self._same(text) or self.blank is not None):
                return self._unclosed(place)
            self.open.append(f"environment {text}")
        elif kind == "end":
            return self._end(text, place, end)
        return self._too_deep(place) if len(self.open) > DEEPEST else None

    def _fault(self) -> str:
        return "braces or environments in it are not closed" if self.open else self.fault

    def _same(self, name: str) -> bool:
        return self.closing == f"\\end {name}"

    def _dollar(self, text: str, place: int, end: int) -> End | None:
        innermost = self.open[-1] if self.open else ""
        if innermost == "prose" and text in CLOSING:
            self.open.append(f"formula {CLOSING[text]}")
        elif innermost.startswith("formula "):
            if innermost != f"formula {text}":
                return self._unclosed(place)
            self.open.pop()
        elif "prose" in self.open and text == "$":
            # A formula in words, whose braces do not match: it goes on.
            pass
        elif text == self.closing:
            return End(place, end, self._fault())
        elif self.closing == "$" and text == "$$":
            # $a$$b$: the end of one and the beginning of the next
            return End(place, place + 1)
        elif self.closing == "$$" and text == "$":
            return End(place, end, "it begins with $$ and ends with $")
        elif not self.inline and text in ("$", "$$"):
            self.fault = f"there is a {text} in it"
        else:
            return self._unclosed(place)
        return None

    def _end(self, name: str, place: int, end: int) -> End | None:
        for depth in range(len(self.open) - 1, -1, -1):
            if self.open[depth] == f"environment {name}":
                del self.open[depth:]
                return None
            if self.open[depth].startswith(("environment", "formula")):
                break
        if self._same(name):
            return End(place, end, self._fault())
        return self._unclosed(place)

    def _too_deep(self, place: int) -> End:
        # What is inside is not looked at again: each of its openings would lead here once more.
        return End(place, place, "it is nested too deeply", found=False)

    def _unclosed(self, place: int) -> End:
        """It must have ended before a place; of an inline formula it is not known where."""
        if self.inline:
            return End(self.start, self.start, "it is never closed", found=False)
        body = place if self.blank is None else self.blank
        return End(body, body, "it is never closed", found=False)


def end_of_formula(tokens: Tokens, start: int, opening: str, stop: int) -> End:
    r"""The end of the formula whose body begins at `start`.

    `opening` is `$`, `$$`, `\(`, `\[`, or the name of an environment; `stop` is where the document
    ends.
    """
    closing = CLOSING.get(opening) or f"\\end {opening}"
    inline = opening in ("$", "\\(") or unstarred(opening) == "math"
    return _Search(tokens, closing, inline, start).run(stop)
