"""Random formulas: of a grammar of what people write, and mutated ones from `formulas.txt`.

Used by `fuzz`. Both take a random.Random, so that a seed says which formula it was.
"""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

FORMULAS = (Path(__file__).parent / "formulas.txt").read_text(encoding="utf-8").splitlines()

#: quantities of the standard network, which make claims that can be judged
QUANTITIES = (
    *(rf"{v}^{{\langle {t}\rangle}}" for v in ("a", "x", "z_a", "a") for t in ("t", "t-1", "k")),
    *(rf"{v}^{{\langle {t}\rangle}}" for v in ("y", r"\hat{y}", "L", "z_y") for t in ("t", "T")),
    *("L", "W_{aa}", "W_{ax}", "W_{ya}", "b_a", "b_y", r"a^{\langle 0\rangle}", "a_t", "x_k", "T"),
)
WILD_NAMES = (
    *"axyzhcLWbtTkijndefgI012∂é",
    *(r"\hat{y}", r"\delta", r"\sigma", r"\theta", r"\gamma", r"\alpha", r"\Gamma", r"\tau"),
    *(r"\ell", r"\epsilon", r"\infty", "loss", "softmax", "x'", "d x", r"\mathrm{d}"),
)
LOOKS = (
    *(r"\mathbf", r"\boldsymbol", r"\mathcal", r"\mathrm", r"\text", r"\bm", r"\operatorname"),
    *(r"\hat", r"\tilde", r"\bar", r"\overrightarrow", r"\vec", r"\dot"),
)
FUNCTIONS = (
    *(r"\tanh", r"\sigma", r"\exp", r"\log", r"\operatorname{diag}", r"\mathrm{softmax}"),
    *(r"\operatorname{vec}", r"\tanh'", r"\sigma'", r"\max", r"\tanh^2", r"\mathrm{sech}"),
)
WILD_FUNCTIONS = (
    *(r"\mathrm{tr}", "f", "g", r"\phi", r"\sqrt", r"\det", r"\sin", r"\mathrm{relu}", r"\min"),
    *(r"\operatorname{sign}", r"\operatorname{unknown}", r"\arg\max", "d", r"\tanh'''"),
)
OPERATORS = (
    " ",
    " ",
    " ",
    r" \cdot ",
    r" \odot ",
    r" \circ ",
    r" \times ",
    " * ",
    r" \otimes ",
    "/",
)
RELATIONS = ("=", "=", "=", "=", ":=", r"\neq", r"\leq", ">", r"\approx", r"\propto")
WILD_RELATIONS = (r"\in", "&=", r"\to", r"\equiv", r"\overset{!}{=}", "<", r"\ll", "+=", r"\sim")
INDICES = ("t", "t-1", "t+1", "k", "k+1", "1", "T", "T-1", "k-1", "t-k")
WILD_INDICES = (
    *("0", "2t", "T_x", "-1", "i,j", "t,i", "999999999", r"\tau", "t'", "(i)", "T+t-i", "*"),
    *(r"\lfloor t/2 \rfloor", r"\max(k,1)", r"\frac{1}{2}", "a_t", "", "t+", "{}", r"\text{x}"),
)
BRACKETS = (("(", ")"), ("(", ")"), ("[", "]"), (r"\left(", r"\right)"), (r"\|", r"\|"))
WILD_BRACKETS = (
    *((r"\{", r"\}"), ("|", "|"), (r"\langle ", r"\rangle "), (r"\lVert ", r"\rVert ")),
    *((r"\big[", r"\big]"), (r"\lfloor ", r"\rfloor "), (r"\left|", r"\right|"), ("[", ")")),
)
DERIVATIVES = (
    *(r"\frac{\partial OF}{\partial BY}", r"\frac{\partial OF}{\partial BY}"),
    *(r"\frac{\mathrm{d} OF}{\mathrm{d} BY}", r"\frac{dOF}{dBY}", r"\nabla_{BY} OF"),
)
WILD_DERIVATIVES = (
    *(r"\frac{\partial^+ OF}{\partial BY}", r"\frac{\partial}{\partial BY} OF", "dOF/dBY"),
    *(r"\partial_{BY} OF", r"\frac{\partial^2 OF}{\partial BY^2}", r"\partial OF / \partial BY"),
    *(r"\frac{\partial OF}{BY}", r"\partial OF", r"\frac{\partial}{\partial BY}", r"\delta_{OF}"),
)
JUNK = (
    *"{}()[]^_&'|%$~,;.!?\\*+-=<>#",
    *(r"\\", r"\left", r"\right.", r"\begin{cases}", r"\end{cases}", r"\begin{aligned}", "#1"),
    *(r"\end{aligned}", r"\frac", r"\sum", r"\prod", r"\partial", r"\nabla", "d", r"\mathrm{d}"),
    *(r"\text{", r"\cdots", r"\ldots", r"\over", r"\not", r"\quad", r"\Rightarrow", r"\forall"),
    *(r"\input", r"\def", r"\unknown", "\0", "\u202e", "\ud800", "³", "٣", "9" * 25, "1.5", "−"),
    *(r"\mathbb{1}", r"\top", r"\mid", r"\pm", r"\underbrace", r"\textcolor{red}", r"\label{x}"),
)


class Grammar:
    """Writes formulas. `budget` bounds how much is still written; wild: how odd it may be."""

    def __init__(self, rng: Random) -> None:
        self.rng, self.budget, self.wild = rng, 0, 0.0

    def pick(self, tame: tuple[str, ...], wild: tuple[str, ...]) -> str:
        return self.rng.choice(wild if self.rng.random() < self.wild else tame)

    def formula(self) -> str:
        """One formula, mostly with a relation in it."""
        self.budget = self.rng.choice((3, 5, 8, 12, 20, 40))
        self.wild = self.rng.choice((0.0, 0.0, 0.0, 0.03, 0.1, 0.4))
        rows = [self.relation() for _ in range(self.rng.choice((1, 1, 1, 1, 2, 3)))]
        joints = (", ", r" \\ ", r", \quad ", r" \text{ and } ", "; ", r" \\ &")
        text = self.rng.choice(joints).join(rows)
        if self.rng.random() < 0.05:
            text = rf"\begin{{aligned}} {text} \end{{aligned}}"
        return self.spoiled(text) if self.rng.random() < self.wild else text

    def spoiled(self, text: str) -> str:
        at = self.rng.randrange(len(text) + 1)
        return text[:at] + self.rng.choice(JUNK) + text[at:]

    def relation(self) -> str:
        text = self.sum()
        for _ in range(self.rng.choice((0, 1, 1, 1, 1, 1, 2, 4))):
            text += f" {self.pick(RELATIONS, WILD_RELATIONS)} {self.sum()}"
        return text

    def sum(self) -> str:
        terms = [self.product() for _ in range(self.rng.choice((1, 1, 1, 2, 2, 3)))]
        if len(terms) > 2 and self.rng.random() < 0.1:
            terms.insert(-1, r"\cdots")
        return self.rng.choice(("", "", "", "-")) + self.rng.choice((" + ", " - ")).join(terms)

    def product(self) -> str:
        text = self.factor()
        for _ in range(self.rng.choice((0, 0, 0, 1, 1, 2))):
            text += self.rng.choice(OPERATORS) + self.factor()
        return text

    def factor(self) -> str:
        self.budget -= 1
        kind = self.rng.randrange(20) if self.budget > 0 else 0
        if kind < 8:
            return self.symbol() if self.rng.random() < self.wild else self.rng.choice(QUANTITIES)
        if kind < 11:
            return self.derivative()
        if kind == 11:
            return rf"\frac{{{self.sum()}}}{{{self.sum()}}}"
        if kind < 14:
            return self.bracket()
        if kind < 16:
            return f"{self.pick(FUNCTIONS, WILD_FUNCTIONS)}({self.sum()})"
        if kind < 18:
            return self.big()
        if kind == 18:
            return self.table()
        opened = self.pick(
            (r"\boxed{", "{", r"\underbrace{"),
            (r"\text{", r"\mathrm{", r"\nabla_{", "d{", r"\bar{"),
        )
        return opened + self.sum() + "}"

    def bracket(self) -> str:
        pairs = WILD_BRACKETS if self.rng.random() < self.wild else BRACKETS
        left, right = self.rng.choice(pairs)
        inner = self.sum()
        if left == "[" or self.rng.random() < self.wild:
            inner += self.rng.choice((", ", "; ")) + self.sum()
        power = self.rng.choice(("", "", "", r"^\top", "^2", "^{-1}", "^T"))
        return left + inner + right + (self.scripts() if self.rng.random() < self.wild else power)

    def symbol(self) -> str:
        text = self.rng.choice(WILD_NAMES)
        if self.rng.random() < 0.3:
            text = f"{self.rng.choice(LOOKS)}{{{text}}}"
        return text + self.scripts()

    def scripts(self) -> str:
        text = ""
        styles = ("{}", "{}", r"\langle {}\rangle", "({})", "[{}]", "<{}>", r"{}\top")
        while self.rng.random() < 0.35:
            index = self.sum() if self.rng.random() < 0.1 else self.pick(INDICES, WILD_INDICES)
            text += (
                self.rng.choice("_^^") + "{" + self.rng.choice(styles).replace("{}", index) + "}"
            )
        return text + self.rng.choice(("", "", "", "^T", r"^\top", "^{-1}", "^2", "'", "^*"))

    def derivative(self) -> str:
        of, by = (
            self.sum() if self.rng.random() < 0.1 else self.rng.choice(QUANTITIES) for _ in range(2)
        )
        form = self.pick(DERIVATIVES, WILD_DERIVATIVES)
        return form.replace("OF", of).replace("BY", by)

    def big(self) -> str:
        sign = self.pick((r"\sum", r"\sum", r"\prod"), (r"\max", r"\prod\limits", r"\min", r"\int"))
        letter = self.rng.choice("ktijn")
        low, high = (self.pick(INDICES, WILD_INDICES) for _ in range(2))
        limits = self.pick(
            (f"_{{{letter}={low}}}^{{{high}}}", f"_{letter}", f"_{{{low} \\le {letter} < {high}}}"),
            ("", f"^{{{high}}}", f"_{{{letter} \\neq {low}}}", f"_{{{letter},{low}}}"),
        )
        return f"{sign}{limits} {self.product()}"

    def table(self) -> str:
        name = self.rng.choice(("cases", "bmatrix", "matrix", "array"))
        width = self.rng.choice((1, 2))
        rows = [
            " & ".join(self.sum() for _ in range(width)) for _ in range(self.rng.choice((1, 2)))
        ]
        return rf"\begin{{{name}}} " + r" \\ ".join(rows) + rf" \end{{{name}}}"


_PIECE = re.compile(r"\\(?:[A-Za-z]+|.)|[A-Za-z]|\d+|\s+|.", re.DOTALL)
_CLOSING = {"{": "}", "(": ")", "[": "]"}


def pieces(formula: str) -> list[str]:
    """The tokens of a formula, more or less; not by the reader's own hand."""
    return _PIECE.findall(formula)


def _span(found: list[str], i: int) -> int:
    """Where the token at i ends, with all that is in the bracket that it opens."""
    closing = _CLOSING.get(found[i])
    depth = 0
    for j in range(i, len(found)):
        depth += (found[j] == found[i]) - (found[j] == closing)
        if depth == 0 or closing is None:
            return j + 1
    return i + 1


def mutated(rng: Random) -> str:
    """A formula of the list with tokens or groups deleted, doubled, swapped, inserted, spliced."""
    found = pieces(rng.choice(FORMULAS))
    wild = rng.choice((0.0, 0.0, 0.3, 1.0))
    for _ in range(rng.choice((1, 1, 2, 3, 6, 12))):
        i, j = rng.randrange(len(found)), rng.randrange(len(found))
        odd = rng.random() < wild
        i_end, j_end = (i + 1, j + 1) if odd else (_span(found, i), _span(found, j))
        kind = rng.randrange(8)
        if not odd and found[i] in "{}()[]&_^\\ " and kind != 1 and i_end == i + 1:
            continue
        if kind == 0 and len(found) > i_end - i:
            del found[i:i_end]
        elif kind == 1:
            found[i:i] = found[j:j_end]
        elif kind == 2 and (odd or i_end <= j):
            found[i:i_end], found[j:j_end] = found[j:j_end], found[i:i_end]
        elif kind == 3:
            found.insert(i, rng.choice(JUNK if odd else QUANTITIES))
        elif kind == 4:
            other = pieces(rng.choice(FORMULAS))
            at = rng.randrange(len(other))
            end = at + rng.randrange(40) if odd else _span(other, at)
            found[i:i_end] = other[at:end]
        elif kind == 5:
            found[i:i] = found[i:i_end] * rng.choice((1, 1, 2, 5))
        elif kind == 6 and found[i].isalnum():
            found[i] = rng.choice(WILD_NAMES if odd else INDICES)
        elif kind == 7:
            found[i:i_end] = [rng.choice(JUNK if odd else QUANTITIES)]
        found = found[:1_500] or ["x"]
    return "".join(found)


def source(rng: Random) -> str:
    """A formula of either kind."""
    return mutated(rng) if rng.random() < 0.4 else Grammar(rng).formula()
