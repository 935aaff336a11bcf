"""From tokens to the tree of a formula.

Second stage of the reader: recursive descent. What stands next to each other stays next to each
other here; whether f(x) is a product or a call is decided in `resolve`, by a table of symbols.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rnnsym.reader import syntax as s
from rnnsym.reader.atoms import Atoms
from rnnsym.reader.commands import (
    BARS,
    CLOSING,
    CONJUNCTIONS,
    DROPPED_WITH_GROUP,
    FUNCTIONS,
    IMMEDIATE,
    IMPLICATIONS,
    OPERATORS,
    RELATIONS,
    SPACES,
    WORDS,
)
from rnnsym.reader.tokens import MAX_DEPTH, Token, fail


class Parser(Atoms):
    """Reads one run of tokens, a row or a script."""

    def inner(self, tokens: Sequence[Token], start: int) -> s.Node:
        """The expression that some tokens are, all of them."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            fail(f"nested more than {MAX_DEPTH} deep", start)
        if not tokens:
            self.depth -= 1
            return s.Empty(start=start, end=start)
        node = Parser(tokens, self).whole()
        self.depth -= 1
        return node

    def whole(self) -> s.Node:
        """An expression up to the end."""
        node = self.listed()
        if self.i < len(self.tokens):
            fail(f"{self.text} is not expected here", self.place)
        return node

    def listed(self) -> s.Node:
        """An expression, or several with commas between them, or a relation."""
        start = self.place
        parts = [self.relation()]
        while self.text in (",", ";") and self.i < len(self.tokens):
            self.take()
            parts.append(self.relation())
        if len(parts) == 1:
            return parts[0]
        return s.Bracket("", tuple(parts), ",", start=start, end=self.behind)

    # ---- relations and sums --------------------------------------------------------------

    def relation_op(self) -> str | None:
        """The relation that comes next, taken; None if none does."""
        text = self.text
        if text == "<" and self._angle():
            return None
        if text == ":" and self.peek() == "=":
            self.i += 2
            return ":="
        if text == "=" and self.peek() == ":" and not self.tokens[self.i + 1].spaced:
            self.i += 2
            return "=:"
        if text in ("+", "-") and self.peek() == "=" and not self.tokens[self.i + 1].spaced:
            self.i += 2
            return text + "="
        if text in (r"\overset", r"\stackrel", r"\underset"):
            mark, start = self.i, self.take()
            self.group()
            below = self.group()
            if len(below) == 1 and below[0].text in RELATIONS:
                op = RELATIONS[below[0].text]
                return ":=" if op == "=" else op
            self.i = mark
            del start
            return None
        if text == r"\not" and self.peek() in RELATIONS:
            self.i += 2
            return "≠"
        if text in (r"\xrightarrow", r"\xleftarrow"):
            self.take()
            self.group()
            return "→"
        if text == r"\parallel" and r"\parallel" not in self.bars:
            return None
        if text in RELATIONS:
            self.take()
            return RELATIONS[text]
        return None

    def _angle(self) -> bool:
        """Whether < … > are angle brackets, as in the time of a^{<t>}; only in scripts."""
        return False

    def relation(self) -> s.Node:
        start = self.place
        sides, ops = [self.sum(start)], []
        while (op := self.relation_op()) is not None:
            ops.append(op)
            sides.append(self.sum(self.place))
        if len(sides) > 2 and isinstance(sides[-1], s.Dots) and ops[-1] == "=":
            sides.pop()  # A = B = …: it goes on in the next formula
            ops.pop()
        if not ops:
            return sides[0]
        return s.Relation(tuple(sides), tuple(ops), start=start, end=self.behind)

    def ends(self) -> bool:
        """Whether nothing that belongs to an expression comes next."""
        text = self.text
        if text == "." and self.peek() == "." and self.peek(2) == ".":
            return False
        return (
            not text
            or text in CLOSING
            or (text in BARS and self._separates())
            or (text in WORDS and self._conjunction())
            or text in (",", ";", "&", r"\\", ".", ":", "!", "?", r"\mid")
            or text in IMPLICATIONS
            or text in SPACES
            or (text in self.bars[-1:])
            or text == r"\end"
        )

    def _separates(self) -> bool:
        """Whether a bar inside of brackets stands between two parts, as in (x | h)."""
        if self.bars[-1:] != [""]:
            return False
        depth, bars = 0, 0
        for token in self.tokens[self.i :]:
            if token.text in ("(", "[", "{", r"\{"):
                depth += 1
            elif token.text in (")", "]", "}", r"\}"):
                depth -= 1
                if depth < 0:
                    break
            elif token.text == self.text and depth == 0:
                bars += 1
                if bars > 1:
                    return False
        return bars == 1

    def _conjunction(self) -> bool:
        """Whether words come next that end a formula: "and", "if", several words."""
        if self.depth or self.bars or self.peek() != "{":
            return False
        words: list[str] = []
        for token in self.tokens[self.i + 2 :]:
            if token.text == "}":
                break
            if token.spaced or not words:
                words.append("")
            words[-1] += token.text
        first = bool(words) and self.tokens[self.i + 2].spaced
        return (
            len(words) > 2
            or " ".join(words).strip().lower() in CONJUNCTIONS
            or (
                first
                and not words[0][:1].isupper()
                and words[0] not in FUNCTIONS
                and len(words[0]) > 1
                and words[0].lower() in CONJUNCTIONS
            )
        )

    def sum(self, start: int) -> s.Node:
        terms: list[tuple[int, s.Node]] = []
        sign = 1
        if self.ends() or self.text in RELATIONS:
            return s.Empty(start=start, end=start)
        if self.text in ("+", "-", r"\pm"):
            sign = {"+": 1, "-": -1}.get(self.take().text, 0)
        while True:
            while self.text in ("+", "-"):
                sign *= 1 if self.take().text == "+" else -1
            terms.append((sign, self.product()))
            if self.text not in ("+", "-", r"\pm") or (
                self.text in ("+", "-") and self.peek() == "="
            ):
                break
            sign = {"+": 1, "-": -1}.get(self.take().text, 0)
        if len(terms) == 1 and terms[0][0] == 1:
            return terms[0][1]
        return s.Add(tuple(terms), start=start, end=self.behind)

    def product(self) -> s.Node:
        start = self.place
        factors: list[tuple[str, s.Node]] = []
        op = ""
        while True:
            if self.ends() or self.text in ("+", "-", r"\pm") or self.at_relation():
                if not factors or op:
                    fail(
                        f"a factor is missing{f' before {self.text}' if self.text else ''}",
                        self.place,
                    )
                break
            if self.text in OPERATORS and not op:
                if not factors:
                    fail(f"a factor is missing before {self.text}", self.place)
                op = OPERATORS[self.take().text]
                if self.text in ("+", "-") and op not in ("", "⊕"):
                    sign = self.take().text
                    inner = self.factor()
                    if sign == "-":
                        inner = s.Add(((-1, inner),), start=inner.start, end=inner.end)
                    factors.append((op, inner))
                    op = ""
                continue
            if self.text in OPERATORS:
                fail(f"{self.text} is not expected here", self.place)
            dropped = self.skip()
            if dropped:
                continue
            node = self._at_step(self.factor())
            if not op and factors and _is_numbered(factors[-1][1], node):
                before = factors.pop()
                name = f"{before[1].base} {node.value}"  # type: ignore[attr-defined]
                node = s.Symbol(name, start=before[1].start, end=node.end)
                op = before[0]
            factors.append((op, node))
            op = ""
        if len(factors) == 1:
            return factors[0][1]
        return s.Times(tuple(factors), start=start, end=self.behind)

    def _at_step(self, node: s.Node) -> s.Node:
        """A derivative with the bar that says at which step a weight is varied, ∂u/∂W|_{(i)}."""
        bar = self.text in ("|", r"\vert", r"\rvert") and self.peek() == "_"
        if not bar or not isinstance(node, s.Derivative) or self.text in self.bars[-1:]:
            return node
        self.take()
        self.take()
        step = tuple(self.group())
        said = "".join(x.text for x in step).lower()
        if any(word in said for word in IMMEDIATE):
            return replace(node, plus=True, step=step, end=self.behind)
        return replace(node, step=step, end=self.behind)

    def at_relation(self) -> bool:
        text = self.text
        if text in (r"\overset", r"\stackrel", r"\underset"):
            mark = self.i
            found = self.relation_op()
            self.i = mark
            return found is not None
        if text == r"\parallel":
            return False
        return text in RELATIONS or text in (r"\not", r"\xrightarrow", r"\xleftarrow")

    def skip(self) -> bool:
        """Leave out a label, a phantom and the like."""
        if self.text in DROPPED_WITH_GROUP:
            self.take()
            self.group()
            return True
        return False


def _is_numbered(node: s.Node, number: s.Node) -> bool:
    """Whether a number belongs to the name before it: δ 13, the thirteenth error of a figure."""
    plain = isinstance(node, s.Symbol) and node.base in ("delta", "Delta", "epsilon")
    bare = plain and isinstance(node, s.Symbol) and not (node.sub or node.sup or node.accents)
    return bare and isinstance(number, s.Number) and number.value.denominator == 1
