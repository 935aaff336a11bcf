"""Commands of LaTeX: fractions, derivatives, big operators, fonts, words, environments.

Part of the parser, between `factors` and `parser`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from rnnsym.reader import syntax as s
from rnnsym.reader.commands import (
    ACCENTS,
    BIG,
    FONTS,
    FRACTIONS,
    FUNCTIONS,
    GREEK,
    KEPT_GROUP,
    LAYOUTS,
    OPERATORS,
    TABLES,
    WORDS,
)
from rnnsym.reader.cursor import Cursor, split
from rnnsym.reader.factors import Factors
from rnnsym.reader.quotients import derivative_of, differential_sign, undifferential
from rnnsym.reader.tokens import Token, fail

#: a macro of one letter, as books have for vectors and matrices: \\vh, \\MW, \\bx, \\vdelta
_LETTER = re.compile(
    rf"\\(?:bm|bf|bs|mb|mat|vec|rv|gv|[vVmMbBtfu])?(?:([A-Za-z])|({'|'.join(sorted(GREEK))}))$"
)
#: words that are names of quantities, though they are upright
NAMED = {"loss", "Loss"}
#: commands of LaTeX that look so
_NO_LETTER = {r"\mp", r"\tt", r"\bot", r"\top", r"\fi"}


def bold_letter(command: str) -> str:
    """The letter that a macro stands for by its name, where the document does not define it, as
    books define theirs in another file; "" for any other command."""
    found = _LETTER.match(command)
    return (found[1] or found[2]) if found and command not in _NO_LETTER else ""


class Atoms(Factors):
    """Reads what a command begins."""

    def command(self, token: Token) -> s.Node:
        text, start = token.text, token.start
        name = text[1:].rstrip("*")
        if text in FRACTIONS:
            return self.fraction(self.group(), self.group(), start)
        if text == r"\partial" or text == r"\nabla":
            return self.differential(token)
        if text == r"\lim":
            return self.limit(start)
        if text in BIG and (text not in (r"\Sigma", r"\Pi") or self.sums()):
            return self.big(token)
        if text in FONTS:
            return self.dressed(start, font=name)
        if text in ACCENTS:
            return self.dressed(start, accent=ACCENTS[text])
        if text in WORDS:
            return self.words(start)
        if name in GREEK:  # \sigma is a letter; only the word sigma is a function
            return s.Symbol(name.replace("var", ""), start=start, end=token.end)
        if name in FUNCTIONS:
            return self.call(FUNCTIONS[name], start)
        if text == r"\sqrt":
            degree = self.bracket(self.take()) if self.text == "[" else None
            inner = self.inner(self.group(), start)
            if degree is not None:
                fail("roots other than the square root are not read", start)
            return s.Call("sqrt", inner, start=start, end=self.behind)
        if text in (r"\underbrace", r"\overbrace", r"\underbracket"):
            inner = self.inner(self.group(), start)
            self.read_scripts()
            return replace(inner, start=start, end=self.behind)
        if text in (r"\overset", r"\underset", r"\stackrel"):
            beside = self.group()
            if text == r"\underset" and self._is_limit():
                self.group()
                return self.limit(start, beside)
            return self.inner(self.group(), start)
        if text in (r"\textcolor", r"\colorbox", r"\hspace", r"\class", r"\htmlClass", r"\htmlId"):
            self.group()
            return self.inner(self.group(), start)
        if text in KEPT_GROUP:
            return self.inner(self.group(), start)
        if text in (r"\dv", r"\pdv", r"\pd", r"\derivative", r"\pderivative"):
            return self.physics(token)
        if text in (r"\norm", r"\abs"):
            inner = self.inner(self.group(), start)
            kind = "‖" if text == r"\norm" else "|"
            return s.Bracket(kind, (inner,), start=start, end=self.behind)
        if text == r"\begin":
            return self.environment(start)
        letter = bold_letter(text)
        if letter:
            return s.Symbol(letter, "mathbf", start=start, end=token.end)
        fail(f"{text} is not known to the reader", start)

    def sums(self) -> bool:
        """Whether the letter Σ or Π stands for a sum or product: limits follow."""
        if self.text != "_":
            return False
        below: list[str] = []
        for token in self.tokens[self.i : self.i + 12]:
            if token.text == "}":
                break
            below.append(token.text)
        return self.tokens[self.i - 1].text == r"\Sigma" or bool({"=", r"\leq", r"\le"} & {*below})

    def fraction(self, above: Sequence[Token], below: Sequence[Token], start: int) -> s.Node:
        """A quotient; a derivative, where both begin with a d."""
        sign = differential_sign(below)
        if sign is not None and (not above or differential_sign(above) is not None):
            above, below = undifferential(above), undifferential(below)
        top, bottom = self.inner(above, start), self.inner(below, start)
        return derivative_of(top, bottom, start, self.behind)

    def differential(self, token: Token) -> s.Node:
        """∂u, ∂_w u, ∇_w u; ∂u/∂v with a slash is put together by `product`."""
        style = "nabla" if token.text == r"\nabla" else "partial"
        plus, order = False, 1
        sub: s.Tokens = ()
        sup: s.Tokens = ()
        while self.text in ("^", "_"):
            if self.take().text == "^":
                sup = tuple(self.script_group())
            else:
                sub = tuple(self.script_group())
        spelled = "".join(x.text for x in sup)
        if spelled in ("+", r"\dagger"):
            plus = True
        elif spelled in ("1", "2", "3", "4", "5", "6", "7", "8", "9"):
            order = int(spelled)
        elif sup:
            fail(f"{token.text} with the script {spelled} is not understood", token.start)
        of: s.Node | None = None
        if not (
            self.ends() or self.text in OPERATORS or self.text in ("+", "-") or self.at_relation()
        ):
            of = self.factor()
            while self.text == "(" and isinstance(of, s.Symbol):  # ∂f(x, h)
                call = self.factor()
                of = s.Times((("", of), ("", call)), start=of.start, end=self.behind)
        found = s.Differential(style, of, plus, sub, order, start=token.start, end=self.behind)
        if (
            style == "partial"
            and not sub
            and self.text == "/"
            and self.peek() in (r"\partial", "{")
            and ("/", self.place) not in self.tried
        ):
            mark = self.i
            self.take()
            below = self.factor()
            if isinstance(below, s.Differential):
                return derivative_of(found, below, token.start, self.behind)
            self.i = mark
            self.tried.add(("/", self.place))
        return found

    def physics(self, token: Token) -> s.Node:
        """\\dv{f}{x} and \\pdv{f}{x} of the package physics."""
        style = "partial" if "p" in token.text else "d"
        first = self.inner(self.group(), token.start)
        if self.text != "{":
            return s.Derivative(None, (first,), style, start=token.start, end=self.behind)
        by = self.inner(self.group(), token.start)
        return s.Derivative(first, (by,), style, start=token.start, end=self.behind)

    def big(self, token: Token) -> s.Node:
        lower: s.Tokens = ()
        upper: s.Tokens = ()
        while self.text in ("_", "^"):
            if self.take().text == "_":
                lower = tuple(self.script_group())
            else:
                upper = tuple(self.script_group())
        op = BIG[token.text]
        if op in ("max", "min") and self.text_opens():
            argument = self.bracket(self.take()) if self.text != "{" else self.atom()
            return s.Call(op, argument, lower, (), start=token.start, end=self.behind)
        sign = self.take() if self.text in ("+", "-") else None  # Σ_t -y⟨t⟩ log ŷ⟨t⟩
        body = self.product()
        if sign is not None and sign.text == "-":
            body = s.Add(((-1, body),), start=sign.start, end=self.behind)
        return s.Big(op, lower, upper, body, start=token.start, end=self.behind)

    def _is_limit(self) -> bool:
        """Whether the word lim comes next, in braces or not."""
        found = [x.text for x in self.tokens[self.i : self.i + 6] if x.text not in "{}"]
        return found[:1] == [r"\lim"] or found[:4] == [r"\mathop", r"\lim"]

    def limit(self, start: int, below: Sequence[Token] = ()) -> s.Node:
        """\\lim_{x \\to \\infty} of what follows it."""
        if self.text == "_":
            self.take()
            below = self.script_group()
        node = self.inner([x for x in below if x.text not in (r"\atop",)], start)
        arrow = isinstance(node, s.Relation) and node.ops == ("→",)
        if not arrow:
            fail("a limit where what goes to what? write \\lim_{x \\to a}", start)
        assert isinstance(node, s.Relation)
        variable, towards = node.sides
        body = self.product()
        return s.Limit(variable, towards, body, start=start, end=self.behind)

    def dressed(self, start: int, font: str = "", accent: str = "") -> s.Node:
        """A letter in another font or with an accent; scripts may stand inside."""
        inner = self.group()
        word = "".join(x.text for x in inner)
        if font and len(word) > 1 and word.isalpha() and word in FUNCTIONS:
            return self.call(FUNCTIONS[word], start)
        if len(inner) > 1 and word.isascii() and _is_product(font, word):
            inner = self._first_of(inner, font, [[x] for x in inner[1:]])
            word = inner[0].text
        elif font and len(inner) > 1 and inner[0].text == r"\delta" and inner[1].text not in "_^":
            inner = self._first_of(inner, font, [inner[1:]])  # scripts are those of what follows
            word = inner[0].text
        if font and len(word) > 1 and word.isalpha() and word.isascii():
            return s.Symbol(word, font, start=start, end=self.behind)
        node = self.inner(inner, start)
        if isinstance(node, s.Symbol):
            return replace(
                node,
                font=font or node.font,
                accents=(*node.accents, accent) if accent else node.accents,
                start=start,
                end=self.behind,
            )
        if isinstance(node, s.Number) and font:
            if font == "mathbb" or node.value in (0, 1):
                return s.Symbol(str(node.value), font, start=start, end=self.behind)
            return node
        if accent == "bar" and isinstance(node, s.Derivative):  # the immediate partial
            return replace(node, plus=True, start=start, end=self.behind)
        if accent:
            fail("an accent over more than one letter is not read", start)
        return replace(node, start=start, end=self.behind)

    def _first_of(self, letters: list[Token], font: str, others: list[list[Token]]) -> list[Token]:
        """The first of several letters in one font; the others are put back, each in the font."""
        rest: list[Token] = []
        for x in others:
            start, end = x[0].start, x[-1].end
            before = Token("command", f"\\{font}", start, start, x[0].spaced)
            rest += [before, Token("mark", "{", start, start), *x, Token("mark", "}", end, end)]
        self.tokens[self.i : self.i] = rest
        return letters[:1]

    def words(self, start: int) -> s.Node:
        inner = self.group()
        word = "".join(
            (" " if x.spaced and i else "") + x.text for i, x in enumerate(inner)
        ).strip()
        compact = word.replace(" ", "").replace("-", "").replace("$", "")
        if compact in FUNCTIONS:
            return self.call(FUNCTIONS[compact], start)
        if compact == "lim" and self.text == "_":
            return self.limit(start)
        if len(inner) == 1 and inner[0].kind == "letter":
            if word == "d" and (derived := self.slashed(Token("letter", "d", start, start + 1))):
                return derived
            return s.Symbol(word, "rm", start=start, end=self.behind)
        if inner and inner[0].kind == "command" and inner[0].text not in (r"\-",):
            return self.inner(inner, start)
        follows = self.text in ("_", "^", "'") or (
            self.text == "(" and not self.tokens[self.i - 1].spaced  # \text{so }(…) is no call
        )
        if " " not in word and word.isalnum() and follows:
            return s.Symbol(word, "text", start=start, end=self.behind)
        if word in NAMED:
            return s.Symbol(word, "text", start=start, end=self.behind)
        return s.Words(word, start=start, end=self.behind)

    def environment(self, start: int) -> s.Node:
        name = "".join(x.text for x in self.group()).rstrip("*")
        depth, first = 1, self.i
        while self.i < len(self.tokens) and depth:
            depth += {r"\begin": 1, r"\end": -1}.get(self.text, 0)
            self.i += 1
        if depth:
            fail(f"\\begin{{{name}}} has no end", start)
        inner = self.tokens[first : self.i - 1]
        self.group()
        if name in LAYOUTS:
            fail(f"several rows inside of a formula ({name}) are not read", start)
        if name not in TABLES:
            fail(f"the environment {name} is not known to the reader", start)
        if name == "array" and inner and inner[0].text == "{":
            skip = Cursor(inner)
            skip.group()
            inner = inner[skip.i :]
        rows = tuple(
            tuple(self.inner(_unpunctuated(cell), start) for cell in split(row, "&"))
            for row in split(inner, r"\\")
            if row
        )
        if len(rows) * max(map(len, rows), default=0) > 100:
            fail("too large: a matrix of more than 100 entries", start)
        kind = "cases" if "cases" in name else name
        return s.Table(kind, rows, start=start, end=self.behind)


def _is_product(font: str, word: str) -> bool:
    """Whether letters in a bold font are a product, as in \\boldsymbol{Wx}, and no name."""
    if font not in ("boldsymbol", "bm", "pmb", "mathbf", "bf") or not word.isalpha():
        return False
    return len(word) == 2 and word[0] in "WUVRK" and word[1].islower()


def _unpunctuated(cell: list[Token]) -> list[Token]:
    """A cell of cases or of a matrix without the comma or the full stop at its end."""
    return cell[:-1] if cell and cell[-1].text in (",", ".", ";") else cell
