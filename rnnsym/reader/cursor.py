"""A run of tokens and where the parser stands in it.

Used by `factors`, `atoms` and `parser`, which read one inside of the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rnnsym.reader import syntax as s
from rnnsym.reader.tokens import Token, fail


class Cursor:
    """Reads one run of tokens, a row or a script; `outer` reads what it stands in.

    tried: places where something was looked for in vain, so that it is looked for only once.
    """

    def __init__(self, tokens: Sequence[Token], outer: Cursor | None = None) -> None:
        self.tokens, self.i = list(tokens), 0
        self.depth: int = outer.depth if outer else 0
        self.bars: list[str] = []
        self.tried: set[tuple[str, int]] = outer.tried if outer else set()
        self.steps: Iterator[int] = outer.steps if outer else iter(range(4 * len(tokens) + 1_000))

    # ---- tokens --------------------------------------------------------------------------

    @property
    def text(self) -> str:
        """The next token, or nothing at the end."""
        return self.tokens[self.i].text if self.i < len(self.tokens) else ""

    def peek(self, ahead: int = 1) -> str:
        i = self.i + ahead
        return self.tokens[i].text if i < len(self.tokens) else ""

    @property
    def place(self) -> int:
        if self.i < len(self.tokens):
            return self.tokens[self.i].start
        return self.tokens[-1].end if self.tokens else 0

    @property
    def behind(self) -> int:
        """Where the last token that was read ends."""
        return self.tokens[self.i - 1].end if self.i else 0

    def take(self) -> Token:
        if self.i >= len(self.tokens):
            fail("the formula ends where more was expected", self.place)
        self.i += 1
        return self.tokens[self.i - 1]

    def group(self) -> list[Token]:
        """The tokens of {…}, without the braces, or of a single token; a single digit of 12."""
        if self.text != "{":
            token = self.take()
            if token.kind == "number" and len(token.text) > 1 and token.text.isdigit():
                digit = replace(token, text=token.text[0], end=token.start + 1)
                self.i -= 1
                self.tokens[self.i] = replace(token, text=token.text[1:], start=token.start + 1)
                return [digit]
            return [token]
        opening = self.take()
        depth, first = 1, self.i
        while self.i < len(self.tokens):
            depth += {"{": 1, "}": -1}.get(self.text, 0)
            self.i += 1
            if depth == 0:
                return self.tokens[first : self.i - 1]
        fail("a brace is not closed", opening.start)

    # ---- what is read one inside of the other ------------------------------------------------

    def inner(self, tokens: Sequence[Token], start: int) -> s.Node:
        """The expression that some tokens are, all of them."""
        raise NotImplementedError

    def relation(self) -> s.Node:
        raise NotImplementedError

    def product(self) -> s.Node:
        raise NotImplementedError

    def factor(self) -> s.Node:
        raise NotImplementedError

    def command(self, token: Token) -> s.Node:
        raise NotImplementedError

    def fraction(self, above: Sequence[Token], below: Sequence[Token], start: int) -> s.Node:
        raise NotImplementedError

    def ends(self) -> bool:
        raise NotImplementedError

    def at_relation(self) -> bool:
        raise NotImplementedError


def split(tokens: Sequence[Token], mark: str) -> list[list[Token]]:
    """Tokens between marks that stand outside of braces, brackets of environments and groups."""
    found: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += {"{": 1, r"\begin": 1, "}": -1, r"\end": -1}.get(token.text, 0)
        if token.text == mark and depth == 0:
            found.append([])
        else:
            found[-1].append(token)
    return found


def comma(first: s.Tokens, second: s.Tokens) -> s.Tokens:
    """A comma between two scripts that were written apart."""
    if not first or not second:
        return ()
    return (Token("mark", ",", second[0].start, second[0].start),)
