r"""LaTeX as a flat stream of tokens, as pylatexenc's tokenizer sees them.

Its parser proper is recursive and expects documents that compile; only the tokenizer is used here,
so that no nesting is too deep and what is broken stays local. Used by `latex` and `displays`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Any

from rnnsym.sources.libraries import load

#: what is not plain prose: the rest is skipped at once
MARKUP = re.compile(r"[\\${}%]|\n[ \t]*\n")
BLANK = "\n\n"


class Exhausted(Exception):
    """More tokens were asked for than a document of this size has: it is read over and over."""


class Tokens:
    """The tokens of a text, asked for by their place; and the lines of places."""

    def __init__(self, text: str, first_line: int = 1) -> None:
        self._module: Any = load("pylatexenc.latexwalker")
        self.text = text
        self._walker = self._module.LatexWalker(text)
        self._state = self._walker.make_parsing_state()
        self._left = 50_000 + 2 * len(text)
        self._ends = [place for place, sign in enumerate(text) if sign == "\n"]
        self._first = first_line

    def line(self, place: int) -> int:
        """The line of a place, from 1."""
        return self._first + bisect_right(self._ends, place - 1)

    def next_markup(self, at: int) -> int | None:
        """The place of the next token that is no plain text."""
        found = MARKUP.search(self.text, at)
        return None if found is None else found.start()

    def at(self, place: int) -> tuple[str, str, int]:
        r"""The token at a place: its kind, its text and where it ends.

        Kinds are blank (the end of a paragraph), comment, open, close, begin, end (with the name
        of the environment), math (`$`, `$$`, `\(`, …) and macro (with its name).
        """
        self._left -= 1
        if self._left < 0:
            raise Exhausted
        if self.text[place] == "\n":
            return "blank", BLANK, self.text.index("\n", place + 1)
        if self.text[place] == "\\" and place + 1 >= len(self.text):
            return "macro", "", place + 1
        token = self._walker.get_token(place, parsing_state=self._state)
        kind, end = token.tok, token.pos + token.len
        if kind == "comment":
            return "comment", token.arg, place + 1 + len(token.arg)
        if kind == "macro":
            return "macro", token.arg, place + 1 + len(token.arg)
        if kind.startswith("mathmode"):
            return "math", token.arg, end
        if kind.endswith("environment"):
            return kind[: -len("_environment")], token.arg, end
        if kind.startswith("brace"):
            return kind[len("brace_") :], token.arg, end
        return "macro", token.arg.lstrip("\\"), max(end, place + 1)
