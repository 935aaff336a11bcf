"""Factors: letters and words, brackets, calls, and their scripts.

Part of the parser, between `cursor` and `atoms`.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from rnnsym.reader import syntax as s
from rnnsym.reader.commands import (
    ACCENTS,
    BIG,
    DOTS,
    FONTS,
    FRACTIONS,
    FUNCTIONS,
    KEPT_GROUP,
    KINDS,
    OPENING,
    OPERATORS,
    SPACES,
    WORDS,
)
from rnnsym.reader.cursor import Cursor, comma
from rnnsym.reader.tokens import MAX_DEPTH, Token, fail

_PRIMES = {r"\prime", "'"}


class Factors(Cursor):
    """Reads a factor, an atom with its scripts."""

    def factor(self) -> s.Node:
        """An atom with its scripts."""
        self.depth += 1
        if self.depth > 3 * MAX_DEPTH:
            fail(f"nested more than {MAX_DEPTH} deep", self.place)
        if next(self.steps, None) is None:
            fail("too large: it takes too many steps to read", self.place)
        before = self._scripts_before()
        node = self.atom()
        if before and not isinstance(node, s.Symbol):
            fail("scripts stand before what can carry none", node.start)
        if before and isinstance(node, s.Symbol):
            node = replace(node, sub=before)
        self.depth -= 1
        while self.text in ("^", "_", "'", "!"):
            if self.text == "!":
                fail("factorials are not read", self.place)
            node = self.scripts(node)
        return node

    def _scripts_before(self) -> s.Tokens:
        """The label of {}_T w, which stands on the left of what it is a label of."""
        if [self.text, self.peek(), self.peek(2)] != ["{", "}", "_"]:
            return ()
        self.i += 3
        return tuple(self.script_group())

    def scripts(self, node: s.Node) -> s.Node:
        sub, sup, primes = self.read_scripts()
        if isinstance(node, s.Symbol) and not (node.sup and sup):
            return replace(
                node, sub=node.sub + comma(node.sub, sub) + sub, sup=node.sup + sup,
                primes=node.primes + primes, end=self.behind,
            )  # fmt: skip
        if isinstance(node, s.Words) and len(node.text) > 1:
            return s.Symbol(
                "".join(node.text.split()),
                "text",
                (),
                sub,
                sup,
                primes,
                start=node.start,
                end=self.behind,
            )
        return s.Scripted(node, sub, sup, primes, start=node.start, end=self.behind)

    def read_scripts(self) -> tuple[s.Tokens, s.Tokens, int]:
        """Subscript, superscript and number of primes; several of a kind are put together."""
        sub: s.Tokens = ()
        sup: s.Tokens = ()
        primes = 0
        while self.text in ("^", "_", "'"):
            mark = self.take()
            if mark.text == "'":
                primes += 1
                continue
            if self.text in ("^", "_") or not self.text:
                fail(f"a script is missing after {mark.text}", mark.start)
            inner = tuple(self.script_group())
            if mark.text == "_":
                sub += comma(sub, inner) + inner
            elif inner and all(x.text in _PRIMES for x in inner):
                primes += len(inner)
            elif inner and inner[0].text in _PRIMES:
                primes += 1
                sup += inner[1:]
            else:
                sup += inner
        return sub, sup, primes

    def script_group(self) -> list[Token]:
        """The tokens of a script: a group, or one token with the arguments of its command."""
        if self.text == "{":
            return self.group()
        first = self.take()
        if first.text in WORDS | FONTS | set(ACCENTS) | KEPT_GROUP and self.text == "{":
            mark = self.i
            self.group()
            return [first, *self.tokens[mark : self.i]]
        if first.text in (r"\frac", r"\dfrac"):
            mark = self.i
            self.group()
            self.group()
            return [first, *self.tokens[mark : self.i]]
        return [first]

    def atom(self) -> s.Node:
        token = self.take()
        text, start = token.text, token.start
        if token.kind == "number":
            return s.Number(Fraction(text), start=start, end=token.end)
        if text == "{":
            self.i -= 1
            inner = self.group()
            over = next((k for k, x in enumerate(inner) if x.text == r"\over"), None)
            if over is not None:
                return self.fraction(inner[:over], inner[over + 1 :], start)
            node = self.inner(inner, start)
            return replace(node, start=start, end=self.behind)
        if text in OPENING:
            return self.bracket(token)
        if token.kind == "letter":
            return self.letters(token)
        if text in DOTS:
            return s.Dots(start=start, end=token.end)
        if text == "." and self.text == "." and self.peek() == ".":
            self.i += 2
            return s.Dots(start=start, end=self.behind)
        if token.kind == "command":
            return self.command(token)
        fail(f"{text} is not understood here", start)

    def letters(self, token: Token) -> s.Node:
        """A letter; or a word, where letters without a space between them spell a function."""
        if token.text == "d" and (derived := self.slashed(token)) is not None:
            return derived
        word, last = token.text, self.i
        while (
            last < len(self.tokens)
            and self.tokens[last].kind == "letter"
            and not self.tokens[last].spaced
            and word.isascii()
        ):
            word += self.tokens[last].text
            last += 1
        if len(word) > 1 and word.isascii():
            for cut in range(len(word), 1, -1):
                name = word[:cut]
                long_ = len(name) > 2 or (name in ("CE", "tr") and self.peek(cut - 1) in ("(", "["))
                if name in FUNCTIONS and long_ and (cut == len(word) or cut > 3):
                    self.i += cut - 1
                    return self.call(FUNCTIONS[name], token.start)
            if len(word) > 3:  # a name of its own, such as Perplexity
                self.i = last
                return s.Symbol(word, "text", start=token.start, end=self.behind)
        return s.Symbol(token.text, start=token.start, end=token.end)

    def slashed(self, token: Token) -> s.Node | None:
        """dL/dW, written with a slash; None if it is something else."""
        mark, depth, bars = self.i, self.depth, self.bars.copy()
        if ("d", token.start) in self.tried:
            return None
        if self.tokens[self.i : self.i + 1] and not self.ends() and self.text not in OPERATORS:
            try:
                of = self.factor()
                if self.text == "/" and self.peek() == "d":
                    self.i += 2
                    by = self.factor()
                    return s.Derivative(of, (by,), "d", start=token.start, end=self.behind)
            except Exception as error:
                if not hasattr(error, "position"):
                    raise
        self.i, self.depth, self.bars = mark, depth, bars
        self.tried.add(("d", token.start))
        return None

    def call(self, function: str, start: int) -> s.Node:
        """A function with its scripts and its argument, in brackets or not."""
        sub, sup, primes = self.read_scripts()
        if function in ("max", "min") and sub and not self.text_opens():
            body = self.product()
            return s.Big(function, sub, (), body, start=start, end=self.behind)
        if self.text == "(" or (self.text in OPENING and self.text not in ("|", r"\|", r"\Vert")):
            argument: s.Node = self.bracket(self.take())
        elif self.text == "{" and function != "exp":
            argument = self.atom()
        elif self.ends() or self.text in OPERATORS or self.at_relation() or self.text in "+-":
            argument = s.Empty(start=self.behind, end=self.behind)
        else:
            argument = self.juxtaposed()
        return s.Call(function, argument, sub, sup, primes, start=start, end=self.behind)

    def text_opens(self) -> bool:
        return self.text in OPENING or self.text == "{"

    def juxtaposed(self) -> s.Node:
        """Factors up to the next operator or derivative, as in \\tanh W x."""
        start = self.place
        found = [self.factor()]
        while not (
            self.ends() or self.text in OPERATORS or self.text in ("+", "-", r"\pm")
            or self.at_relation() or self.text in OPENING or self.text in BIG
            or self.text.lstrip("\\") in FUNCTIONS or self.text in WORDS
            or (self.text in FRACTIONS and [self.peek(1), self.peek(2)] == ["{", r"\partial"])
        ):  # fmt: skip
            found.append(self.factor())
        if len(found) == 1:
            return found[0]
        return s.Times(tuple(("", f) for f in found), start=start, end=self.behind)

    def bracket(self, token: Token) -> s.Node:
        closing = OPENING[token.text]
        kind = KINDS.get(token.text, token.text)
        bar = token.text == closing
        self.depth += 1
        if self.depth > 3 * MAX_DEPTH:
            fail(f"nested more than {MAX_DEPTH} deep", token.start)
        if bar:
            self.bars.append(closing)
        else:
            self.bars.append("")
        parts: list[s.Node] = []
        separator = ""
        while True:
            while self.text in SPACES or self.text in ("&",):
                self.take()
            if self.text == r"\cdot" and self.peek() == closing:
                self.take()  # f(·): whatever it is taken of
            if self.closes(closing, token.text):
                parts.append(s.Empty(start=self.place, end=self.place))
            else:
                parts.append(self.relation())
            while self.text in SPACES:
                self.take()
            if self.closes(closing, token.text):
                self.take()
                break
            if self.text in (",", ";", ":", "|", r"\mid", r"\vert", r"\\") and self.text:
                separator = self.take().text
                continue
            fail(f"the bracket {token.text} is not closed", token.start)
        self.bars.pop()
        self.depth -= 1
        return s.Bracket(kind, tuple(parts), separator, start=token.start, end=self.behind)

    def closes(self, closing: str, opening: str) -> bool:
        """Whether the next token closes a bracket; an interval may close with another."""
        if opening in ("(", "["):
            return self.text in (")", "]") or (
                self.text in OPENING.values() and self.text == closing
            )
        if opening in (r"\lvert", r"\lVert"):
            return self.text in (closing, "|", r"\|")
        return self.text == closing
