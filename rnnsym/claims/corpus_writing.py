"""Other ways of writing a formula: spaces, brackets, fonts, scripts, environments, words.

Used by `corpus_right`. Everything here leaves the meaning as it is.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

Change = Callable[[str, random.Random], str]


def written(latex: str, notation: str, rng: random.Random) -> tuple[str, list[str]]:
    """A formula in a style drawn at random, and what was changed."""
    names = []
    for name, change in rng.sample(CHANGES, rng.choice((0, 1, 2, 3, 5))):
        new = change(latex, rng)
        if new != latex:
            latex = new
            names.append(name)
    if notation == "post" and rng.random() < 0.4 and "[" not in latex:
        name, change = rng.choice(TIMES)
        new = change(latex, rng)
        if new != latex:
            latex = new
            names.append(name)
    if rng.random() < 0.4:
        name, change = rng.choice(FRAMES)
        latex = change(latex, rng)
        names.append(name)
    return latex, names


def chain(sides: list[str], rng: random.Random) -> str:
    """a = b = c, in one row or in several without the left-hand side."""
    if rng.random() < 0.4:
        return " = ".join(sides)
    start, end = rng.choice(
        ((r"\begin{aligned}", r"\end{aligned}"), (r"\begin{align*}", r"\end{align*}"))
    )
    rows = r" \\ ".join(f"&= {side}" for side in sides[1:])
    return f"{start} {sides[0]} {rows} {end}"


def define(latex: str, rng: random.Random) -> str | None:
    """A part of the formula under a name of its own, which is introduced before it."""
    found = _jacobian.search(latex)
    if found is not None:
        index = found["t"]
        name = rf"\mathbf{{M}}_{{{index}}}"
        sign = rng.choice((" = ", " := ", r" \equiv "))
        text = latex.replace(found.group(), name)
        between = rng.choice((r", \qquad ", r" \\ ", r", \quad \text{so that} \quad "))
        return f"{name}{sign}{found.group()}{between}{text}"
    return None


_jacobian = re.compile(
    r"\\frac\{\\partial (?P<a>[^{}]*(?:\{[^{}]*\}[^{}]*)*?)\^\{\\langle (?P<t>[im])\\rangle\}\}"
    r"\{\\partial (?P=a)\^\{\\langle (?P=t)-1\\rangle\}\}"
)


def _sub(pattern: str, *choices: str) -> Change:
    """Every match of a pattern replaced by one choice."""

    def change(text: str, rng: random.Random) -> str:
        return (
            re.sub(pattern, lambda m: m.expand(rng_choice), text)
            if (rng_choice := rng.choice(choices))
            else text
        )

    return change


def _literal(old: str, *choices: str) -> Change:
    return lambda text, rng: text.replace(old, rng.choice(choices))


def _brackets(text: str, rng: random.Random) -> str:
    size = rng.choice(("", "big", "Big", "bigg"))
    left, right = (rf"\{size}l", rf"\{size}r") if size else ("", "")
    return text.replace(r"\left", left).replace(r"\right", right).replace(r"\rightarrow", r"\to")


def _loose(text: str, rng: random.Random) -> str:
    return re.sub(r"(?<=\}) (?=\\)", lambda _: rng.choice((" ", "", r"\,", r"\; ", "  ")), text)


def _fonts(text: str, rng: random.Random) -> str:
    font = rng.choice((r"\mathbf", r"\boldsymbol", r"\bm", r"\mathbf", ""))
    pattern = r"\\(?:mathbf|boldsymbol)\{([A-Za-z])\}"
    return re.sub(pattern, (lambda m: f"{font}{{{m[1]}}}" if font else m[1]), text)


TRANSPOSES = ("T", r"\intercal", r"\mathsf{T}", r"\mathrm{T}", r"{\top}")


def _transposes(text: str, rng: random.Random) -> str:
    return text.replace(r"\top", rng.choice(TRANSPOSES))


def _slash(text: str, rng: random.Random) -> str:
    """The first derivative with a slash instead of a fraction."""
    pattern = r"\\frac\{(\\partial \\mathscr\{L\})\}\{(\\partial [^{}]*(?:\{[^{}]*\}[^{}]*)*)\}"
    return re.sub(pattern, lambda m: f"{m[1]} / {m[2]}", text, count=1)


CHANGES: list[tuple[str, Change]] = [
    ("brackets", _brackets),
    ("spaces", _loose),
    ("fonts", _fonts),
    ("transposes", _transposes),
    ("fractions", _literal(r"\frac", r"\dfrac", r"\tfrac", r"\cfrac")),
    ("∂L with a slash", _slash),
    ("⊙", _literal(r"\odot", r"\circ", r"\odot ", r"\ast", "*")),
    ("diag", _literal(
        r"\operatorname{diag}", r"\mathrm{diag}", r"\text{diag}", r"\operatorname{Diag}")),
    ("the loss", _literal(r"\mathscr{L}", r"\mathcal{L}", "L", r"\mathrm{L}", "J", "E")),
    ("δ", _literal(r"\boldsymbol{\delta}", r"\delta", r"\bm{\delta}")),
    ("primes", _sub(r"(?<=[a-z])'(?=\\left|\\[bB]igg?l|\()", r"^{\\prime}", r"^\\prime")),
    ("limits", _literal(r"\sum_", r"\sum\limits_", r"\displaystyle\sum_")),
    ("limits in one", _sub(r"\\sum_\{([a-z])=1\}\^\{([a-zT])\}", r"\\sum_{1 \\leq \1 \\leq \2}")),
    ("Σ over all steps", _sub(r"\\sum_\{([a-z])=1\}\^\{T\}", r"\\sum_{\1}", r"\\sum_{\1=1}^T")),
    ("1", _sub(r"\\mathbf\{1\}", "1")),
    ("·", _sub(r"(?<=\\rangle\}\})\\,(?=\\frac)", r" \\cdot ", r" \\, ", r"\\;")),
]  # fmt: skip

#: times in other scripts, where the notation is that of the post
TIMES: list[tuple[str, Change]] = [
    ("times <t>", _sub(r"\\langle ([^\\]*)\\rangle", r"<\1>")),
    ("times (t)", _sub(r"\\langle ([^\\]*)\\rangle", r"(\1)")),
]  # fmt: skip


def _subscripts(text: str, rng: random.Random) -> str:
    def script(m: re.Match[str]) -> str:
        label = f"{m[1]}," if m[1] else ""
        return f"_{{{label}{m[2]}}}" + (r"^{\top}" if m[3] else "")

    return re.sub(r"(?:_\{([^{}]*)\})?\^\{\\langle ([^\\]*)\\rangle( \\top)?\}", script, text)


TIMES.append(("times _t", _subscripts))


def _aligned(text: str, rng: random.Random) -> str:
    if r"\begin{align" in text or r"\\" in text:
        return text
    name = rng.choice(("aligned", "align*", "split", "gathered", "equation", "align"))
    return rf"\begin{{{name}}} {text.replace(' = ', ' &= ', 1)} \end{{{name}}}"


def _broken(text: str, rng: random.Random) -> str:
    """A long sum in two rows."""
    if r"\begin" in text or r"\\" in text or r"\left" in text or r"\bigl" in text.lower():
        return text
    left, sign, right = text.partition(" = ")
    if not sign or " = " in right or right.count(" + ") != 1 or "(" in right or r"\sum" in right:
        return text
    rows = right.replace(" + ", r" \\ &\quad + ")
    return rf"\begin{{aligned}} {left} &= {rows} \end{{aligned}}"


FRAMES: list[tuple[str, Change]] = [
    ("rows", _aligned),
    ("a sum in two rows", _broken),
    ("\\tag", lambda text, rng: rf"{text} \tag{{{rng.randrange(1, 40)}}}"),
    ("\\label", lambda text, rng: rf"{text} \label{{eq:{rng.randrange(9)}}}"),
    ("full stop", lambda text, rng: text + rng.choice((".", ",", r"\,.", r"\;,"))),
    ("words", lambda text, rng:
        rng.choice((r"\text{Then} \quad ", r"\text{so } ", r"\Rightarrow ")) + text),
    ("range", lambda text, rng: text + r", \quad t = 1, \ldots, T" if "t" in text else text),
    ("boxed", lambda text, rng: rf"\boxed{{{text}}}"),
]  # fmt: skip
