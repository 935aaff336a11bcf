"""From tokens to the tree of a formula.

Second stage of the reader: recursive descent. What stands next to each other stays next to each
other here; whether f(x) is a product or a call is decided in `resolve`, by a table of symbols.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from rnnsym.reader import syntax as s
from rnnsym.reader.tokens import MAX_DEPTH, Token, fail

FONTS = {
    r"\mathbf", r"\boldsymbol", r"\bm", r"\mathcal", r"\mathscr", r"\mathit", r"\mathsf",
    r"\mathtt", r"\mathbb", r"\mathfrak", r"\pmb", r"\symbf", r"\bf", r"\textbf", r"\textit",
    r"\mathnormal", r"\cal", r"\bb", r"\vb", r"\vb*", r"\symbfit", r"\mathbfit", r"\emph",
}  # fmt: skip
ACCENTS = {
    r"\hat": "hat", r"\widehat": "hat", r"\tilde": "tilde", r"\widetilde": "tilde",
    r"\bar": "bar", r"\overline": "bar", r"\vec": "vec", r"\overrightarrow": "fwd",
    r"\overleftarrow": "bwd", r"\dot": "dot", r"\ddot": "ddot", r"\check": "check",
    r"\underline": "line", r"\breve": "breve", r"\va": "vec",
}  # fmt: skip
#: functions that are written as commands or words, and what they are called here
FUNCTIONS = {
    "tanh": "tanh", "sigmoid": "sigmoid", "sigm": "sigmoid", "sigma": "sigmoid", "logistic": "sigmoid",
    "softmax": "softmax", "Softmax": "softmax", "relu": "relu", "ReLU": "relu", "RELU": "relu",
    "Tanh": "tanh", "Sigmoid": "sigmoid", "th": "tanh", "sech": "sech", "cosh": "cosh",
    "sinh": "sinh", "coth": "coth", "exp": "exp", "log": "log", "ln": "log", "diag": "diag",
    "Diag": "diag", "max": "max", "min": "min", "sup": "max", "vec": "vec", "tr": "trace",
    "Tr": "trace", "trace": "trace", "softplus": "softplus", "concat": "concat", "sign": "sign",
    "prod": "chain", "det": "det", "abs": "abs", "norm": "norm", "detach": "detach",
    "logsoftmax": "logsoftmax", "sin": "sin", "cos": "cos", "step": "step",
    "stopgrad": "detach", "rank": "rank", "identity": "identity", "id": "identity",
    "sum": "total", "sgn": "sign", "dim": "dim", "argmax": "argmax", "arg": "arg", "lim": "lim",
    "Var": "var", "Pr": "Pr", "transpose": "transpose", "Concat": "concat", "CrossEntropy": "crossentropy",
}  # fmt: skip
WORDS = {r"\text", r"\textrm", r"\mathrm", r"\operatorname", r"\operatorname*", r"\mbox", r"\textsf",
         r"\texttt", r"\textnormal", r"\hbox", r"\mathop", r"\rm", r"\textsc", r"\mathrm*"}  # fmt: skip
DROPPED_WITH_GROUP = {r"\label", r"\tag", r"\tag*", r"\hspace", r"\hspace*", r"\vspace", r"\phantom",
                      r"\hphantom", r"\eqref", r"\ref", r"\vspace*", r"\color", r"\cite",
                      r"\footnote", r"\intertext", r"\shortintertext"}  # fmt: skip
KEPT_GROUP = {r"\boxed", r"\fbox", r"\mathbin", r"\mathrel", r"\mathord", r"\ensuremath", r"\qty",
              r"\smash", r"\mathclap", r"\mathrlap", r"\mathllap", r"\cancel", r"\bcancel",
              r"\substack", r"\mathinner"}  # fmt: skip
BIG = {r"\sum": "sum", r"\prod": "prod", r"\Sigma": "sum", r"\max": "max", r"\min": "min",
       r"\sup": "max"}  # fmt: skip
RELATIONS = {
    "=": "=", r"\neq": "≠", r"\ne": "≠", "<": "<", ">": ">", r"\lt": "<", r"\gt": ">",
    r"\leq": "≤", r"\le": "≤", r"\leqslant": "≤", r"\geq": "≥", r"\ge": "≥", r"\geqslant": "≥",
    r"\approx": "≈", r"\simeq": "≈", r"\equiv": "=", r"\triangleq": ":=", r"\coloneqq": ":=",
    r"\doteq": ":=", r"\propto": "∝", r"\in": "∈", r"\leftarrow": "←", r"\gets": "←",
    r"\sim": "~", r"\ll": "≪", r"\gg": "≫", r"\to": "→", r"\rightarrow": "→", r"\mapsto": "→",
    r"\longrightarrow": "→", r"\subset": "⊂", r"\subseteq": "⊂", r"\cong": "≈", r"\notin": "∉",
    r"\lesssim": "≲", r"\gtrsim": "≳", r"\longleftarrow": "←", r"\nrightarrow": "↛",
    r"\leftrightarrow": "↔", r"\rightsquigarrow": "→", r"\longmapsto": "→", r"\hookrightarrow": "→",
}  # fmt: skip
IMPLICATIONS = {r"\Rightarrow", r"\implies", r"\iff", r"\Leftrightarrow", r"\Longrightarrow",
                r"\land", r"\wedge", r"\therefore", r"\because", r"\impliedby", r"\Leftarrow",
                r"\forall", r"\exists", r"\lor", r"\vee", r"\Longleftrightarrow"}  # fmt: skip
SPACES = {r"\quad", r"\qquad", r"\enspace", r"\enskip"}
OPERATORS = {
    r"\cdot": "·", r"\times": "×", "*": "*", r"\odot": "⊙", r"\circ": "⊙", r"\otimes": "⊗",
    "/": "/", r"\ast": "*", r"\bullet": "·", r"\div": "/", r"\star": "*", r"\cdotp": "·",
    r"\oslash": "⊘", r"\oplus": "⊕",
}  # fmt: skip
DOTS = {r"\cdots", r"\ldots", r"\dots", r"\dotsb", r"\dotsc", r"\dotsm", r"\vdots", r"\ddots",
        r"\dotsi", r"\hdots"}  # fmt: skip
OPENING = {"(": ")", "[": "]", r"\{": r"\}", r"\lbrace": r"\rbrace", r"\langle": r"\rangle",
           r"\lvert": r"\rvert", r"\lVert": r"\rVert", "|": "|", r"\|": r"\|", r"\Vert": r"\Vert",
           r"\vert": r"\vert", r"\lceil": r"\rceil", r"\lfloor": r"\rfloor",
           r"\lbrack": r"\rbrack", r"\parallel": r"\parallel", r"\llbracket": r"\rrbracket",
           r"\lgroup": r"\rgroup"}  # fmt: skip
KINDS = {r"\{": "{", r"\lbrace": "{", r"\langle": "<", r"\lvert": "|", r"\vert": "|",
         r"\lVert": "‖", r"\|": "‖", r"\Vert": "‖", r"\parallel": "‖", r"\lceil": "⌈",
         r"\lfloor": "⌊", r"\lbrack": "[", r"\llbracket": "[", r"\lgroup": "("}  # fmt: skip
CLOSING = {*OPENING.values(), "}"} - {"|", r"\|", r"\Vert", r"\vert", r"\parallel"}
GREEK = {
    "alpha", "beta", "gamma", "delta", "epsilon", "varepsilon", "zeta", "eta", "theta",
    "vartheta", "iota", "kappa", "lambda", "mu", "nu", "xi", "pi", "rho", "varrho", "sigma",
    "varsigma", "tau", "upsilon", "phi", "varphi", "chi", "psi", "omega", "Gamma", "Delta",
    "Theta", "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega", "ell", "mathscr",
    "hbar", "infty", "imath", "jmath", "aleph", "emptyset", "Re", "Im", "wp", "top", "bot",
    "intercal", "dagger", "prime", "perp",
}  # fmt: skip
LAYOUTS = {"aligned", "align", "split", "gathered", "gather", "equation", "multline", "eqnarray",
           "alignedat", "alignat", "displaymath", "math", "flalign", "multlined", "subequations",
           "IEEEeqnarray", "empheq", "dmath"}  # fmt: skip
TABLES = {"matrix", "bmatrix", "pmatrix", "vmatrix", "Vmatrix", "Bmatrix", "smallmatrix", "array",
          "cases", "dcases", "rcases"}  # fmt: skip


#: bars that may stand between parts
BARS = {"|", r"\vert", r"\mid"}
#: words between formulas
CONJUNCTIONS = {
    "and", "or", "if", "where", "when", "for", "with", "so", "thus", "hence", "then", "since",
    "otherwise", "as", "which", "is", "are", "because", "that", "iff", "such that", "for all",
    "for every", "so that", "e.g.", "i.e.", "but", "else", "given", "let", "by", "from", "to", "in",
}  # fmt: skip


class Parser:
    """Reads one run of tokens, a row or a script; `outer` reads what it stands in.

    tried: places where something was looked for in vain, so that it is looked for only once.
    """

    def __init__(self, tokens: Sequence[Token], outer: Parser | None = None) -> None:
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
                first = replace(token, text=token.text[0], end=token.start + 1)
                self.i -= 1
                self.tokens[self.i] = replace(token, text=token.text[1:], start=token.start + 1)
                return [first]
            return [token]
        opening = self.take()
        depth, first = 1, self.i
        while self.i < len(self.tokens):
            depth += {"{": 1, "}": -1}.get(self.text, 0)
            self.i += 1
            if depth == 0:
                return self.tokens[first : self.i - 1]
        fail("a brace is not closed", opening.start)

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
        first = self.tokens[self.i + 2].spaced if self.i + 2 < len(self.tokens) else False
        return (
            len(words) > 2
            or " ".join(words).strip().lower() in CONJUNCTIONS
            or (first and not words[0][:1].isupper() and words[0] not in FUNCTIONS and len(words[0]) > 1
                and words[0].lower() in CONJUNCTIONS)
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
            if self.ends() or self.text in ("+", "-", r"\pm") or self._at_relation():
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
            factors.append((op, self.factor()))
            op = ""
        if len(factors) == 1:
            return factors[0][1]
        return s.Times(tuple(factors), start=start, end=self.behind)

    def _at_relation(self) -> bool:
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

    # ---- factors -------------------------------------------------------------------------

    def factor(self) -> s.Node:
        """An atom with its scripts."""
        self.depth += 1
        if self.depth > 3 * MAX_DEPTH:
            fail(f"nested more than {MAX_DEPTH} deep", self.place)
        if next(self.steps, None) is None:
            fail("too large: it takes too many steps to read", self.place)
        node = self.atom()
        self.depth -= 1
        while self.text in ("^", "_", "'", "!"):
            if self.text == "!":
                fail("factorials are not read", self.place)
            node = self.scripts(node)
        return node

    def scripts(self, node: s.Node) -> s.Node:
        sub, sup, primes = self.read_scripts()
        if isinstance(node, s.Symbol) and not (node.sup and sup):
            return replace(
                node, sub=node.sub + _comma(node.sub, sub) + sub, sup=node.sup + sup,
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
                sub += _comma(sub, inner) + inner
            elif inner and all(x.text == r"\prime" for x in inner):
                primes += len(inner)
            elif inner and inner[0].text == r"\prime":
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
                if name in FUNCTIONS and len(name) > 2 and (cut == len(word) or cut > 3):
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
        elif self.ends() or self.text in OPERATORS or self._at_relation() or self.text in "+-":
            argument = s.Empty(start=self.behind, end=self.behind)
        else:
            argument = self.juxtaposed()
        return s.Call(function, argument, sub, sup, primes, start=start, end=self.behind)

    def text_opens(self) -> bool:
        return self.text in OPENING or self.text == "{"

    def juxtaposed(self) -> s.Node:
        """Factors up to the next operator, as in \\tanh W x."""
        start = self.place
        found = [self.factor()]
        while not (
            self.ends() or self.text in OPERATORS or self.text in ("+", "-", r"\pm")
            or self._at_relation() or self.text in OPENING or self.text in BIG
            or self.text.lstrip("\\") in FUNCTIONS or self.text in WORDS
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
        parts, separator = [], ""
        while True:
            while self.text in SPACES or self.text in ("&",):
                self.take()
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

    # ---- commands ------------------------------------------------------------------------

    def command(self, token: Token) -> s.Node:
        text, start = token.text, token.start
        name = text[1:].rstrip("*")
        if text in (r"\frac", r"\dfrac", r"\tfrac", r"\cfrac", r"\nicefrac", r"\sfrac"):
            return self.fraction(self.group(), self.group(), start)
        if text == r"\partial" or text == r"\nabla":
            return self.differential(token)
        if text in BIG and (text != r"\Sigma" or self.text == "_"):
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
            self.group()
            return self.inner(self.group(), start)
        if text in (r"\textcolor", r"\colorbox", r"\hspace", r"\class", r"\htmlClass", r"\htmlId"):
            self.group()
            return self.inner(self.group(), start)
        if text in KEPT_GROUP:
            return self.inner(self.group(), start)
        if text in (r"\dv", r"\pdv", r"\derivative", r"\pderivative"):
            return self.physics(token)
        if text in (r"\norm", r"\abs"):
            inner = self.inner(self.group(), start)
            kind = "‖" if text == r"\norm" else "|"
            return s.Bracket(kind, (inner,), start=start, end=self.behind)
        if text == r"\begin":
            return self.environment(start)
        fail(f"{text} is not known to the reader", start)

    def fraction(self, above: Sequence[Token], below: Sequence[Token], start: int) -> s.Node:
        """A quotient; a derivative, where both begin with a d."""
        sign = _differential_sign(below)
        if sign is not None and (not above or _differential_sign(above) is not None):
            above, below = _undifferential(above), _undifferential(below)
        top, bottom = self.inner(above, start), self.inner(below, start)
        return derivative_of(top, bottom, start, self.behind)

    def differential(self, token: Token) -> s.Node:
        """∂u, ∂_w u, ∇_w u; ∂u/∂v with a slash is put together by `product`."""
        style = "nabla" if token.text == r"\nabla" else "partial"
        plus, order, sub, sup = False, 1, (), ()
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
            self.ends() or self.text in OPERATORS or self.text in ("+", "-") or self._at_relation()
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
        if op in ("max", "min") and (not lower or self.text_opens()):
            if self.text_opens():
                argument = self.bracket(self.take()) if self.text != "{" else self.atom()
                return s.Call(op, argument, lower, (), start=token.start, end=self.behind)
        body = self.product()
        return s.Big(op, lower, upper, body, start=token.start, end=self.behind)

    def dressed(self, start: int, font: str = "", accent: str = "") -> s.Node:
        """A letter in another font or with an accent; scripts may stand inside."""
        inner = self.group()
        word = "".join(x.text for x in inner)
        if font and len(word) > 1 and word.isalpha() and word in FUNCTIONS:
            return self.call(FUNCTIONS[word], start)
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
        if accent:
            fail("an accent over more than one letter is not read", start)
        return replace(node, start=start, end=self.behind)

    def words(self, start: int) -> s.Node:
        inner = self.group()
        word = "".join(
            (" " if x.spaced and i else "") + x.text for i, x in enumerate(inner)
        ).strip()
        compact = word.replace(" ", "").replace("-", "").replace("$", "")
        if compact in FUNCTIONS:
            return self.call(FUNCTIONS[compact], start)
        if len(inner) == 1 and inner[0].kind == "letter":
            if word == "d" and (derived := self.slashed(Token("letter", "d", start, start + 1))):
                return derived
            return s.Symbol(word, "rm", start=start, end=self.behind)
        if inner and inner[0].kind == "command" and inner[0].text not in (r"\-",):
            return self.inner(inner, start)
        if " " not in word and word.isalnum() and self.text in ("_", "^", "(", "'"):
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
            skip = Parser(inner)
            skip.group()
            inner = inner[skip.i :]
        rows = tuple(
            tuple(self.inner(cell, start) for cell in split(row, "&"))
            for row in split(inner, r"\\")
            if row
        )
        if len(rows) * max(map(len, rows), default=0) > 100:
            fail("too large: a matrix of more than 100 entries", start)
        kind = "cases" if "cases" in name else name
        return s.Table(kind, rows, start=start, end=self.behind)


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


def _comma(first: s.Tokens, second: s.Tokens) -> s.Tokens:
    """A comma between two scripts that were written apart."""
    if not first or not second:
        return ()
    return (Token("mark", ",", second[0].start, second[0].start),)


_D = ({"d"}, {r"\partial"}, {r"\mathrm", r"\text", r"\textrm", r"\operatorname"})


def _differential_sign(tokens: Sequence[Token]) -> int | None:
    """How many tokens spell the upright or italic d that a differential begins with."""
    if tokens and tokens[0].text == "d":
        return 1
    if (
        len(tokens) >= 4
        and tokens[0].text in _D[2]
        and [x.text for x in tokens[1:4]] == ["{", "d", "}"]
    ):
        return 4
    return None


def _undifferential(tokens: Sequence[Token]) -> list[Token]:
    """The d of dL as a ∂ of its own kind, which the parser knows how to read."""
    count = _differential_sign(tokens)
    if count is None:
        return list(tokens)
    first = tokens[0]
    return [Token("command", r"\partial", first.start, first.end), *tokens[count:]]


def derivative_of(top: s.Node, bottom: s.Node, start: int, end: int) -> s.Node:
    """A derivative, if the parts of a fraction are differentials; else the fraction."""
    by, divided = _by(bottom)
    if by is None:
        return s.Fraction_(top, bottom, start=start, end=end)
    sign, factor, whole = _of(top)
    if whole is None:
        return s.Fraction_(top, bottom, start=start, end=end)
    if len(by) > 1 or whole.order > 1:
        fail("second derivatives are not read", start)
    found: s.Node = s.Derivative(
        whole.of, by, "partial", whole.plus, divided=divided, start=start, end=end
    )
    if factor is not None:
        found = s.Times((("", factor), ("", found)), start=start, end=end)
    return found if sign == 1 else s.Add(((sign, found),), start=start, end=end)


def _by(bottom: s.Node) -> tuple[tuple[s.Node, ...] | None, s.Node | None]:
    """What ∂v in a denominator varies, and a factor beside it."""
    if isinstance(bottom, s.Differential) and bottom.of is not None:
        return (bottom.of,), None
    if isinstance(bottom, s.Times):
        last = bottom.factors[-1][1]
        if isinstance(last, s.Differential) and last.of is not None:
            rest = bottom.factors[:-1]
            if any(isinstance(f, s.Differential) for _, f in rest):
                return (last.of, last.of), None
            return (last.of,), rest[0][1] if len(rest) == 1 else s.Times(
                rest, start=bottom.start, end=last.start
            )
        first = bottom.factors[0][1]
        if isinstance(first, s.Differential) and first.of is not None:
            # ∂ W x: what varies is the whole product
            parts = (("", first.of), *bottom.factors[1:])
            return (s.Times(parts, start=first.of.start, end=bottom.end),), None
    return None, None


def _of(top: s.Node) -> tuple[int, s.Node | None, s.Differential | None]:
    """Sign, a factor in front, and the differential, in a numerator."""
    if isinstance(top, s.Add) and len(top.terms) == 1:
        sign, inner = top.terms[0]
        below, factor, found = _of(inner)
        return sign * below, factor, found
    if isinstance(top, s.Differential):
        return 1, None, top
    if isinstance(top, s.Times):
        first = top.factors[0][1]
        if isinstance(first, s.Differential):
            rest = top.factors[1:]
            of: Any = (
                s.Times((("", first.of), *rest), start=top.start, end=top.end)
                if first.of
                else (rest[0][1] if len(rest) == 1 else s.Times(rest, start=top.start, end=top.end))
            )
            return 1, None, replace(first, of=of)
        last = top.factors[-1][1]
        if isinstance(last, s.Differential):
            before = top.factors[:-1]
            factor = (
                before[0][1]
                if len(before) == 1
                else s.Times(before, start=top.start, end=last.start)
            )
            return 1, factor, last
    return 1, None, None
