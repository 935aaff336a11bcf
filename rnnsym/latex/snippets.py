"""Small pieces of LaTeX in somebody else's spelling, for corrections of their formulas.

A printer that asks its owner what each quantity is called, and the few forms that are put around
pieces of source: brackets, transposes, indices.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sympy import MatrixExpr, MatrixSymbol

from rnnsym.latex.printer import LatexPrinter
from rnnsym.latex.profiles import GREEK
from rnnsym.network import LOSS
from rnnsym.nodes import Adjoint, Stack, TimeVector
from rnnsym.reader.indices import Extreme, Index, Rounded

#: (kind, name, time, whether it is transposed) -> LaTeX
Names = Callable[[str, str, Any, bool], str]


@dataclass(frozen=True)
class Parts:
    """A symbol taken apart as it is written: core, primes, labels; where and how its time stands.

    time: "angle", "round", "square", "sub" or "sup".
    """

    core: str
    primes: int = 0
    sub: tuple[str, ...] = ()
    sup: tuple[str, ...] = ()
    time: str = "angle"

    def write(self, time: str = "", transposed: str = "") -> str:
        """The symbol at a time (nothing: without one), transposed by the sign given."""
        sub, sup = list(self.sub), list(self.sup)
        if time and self.time == "sub":
            sub.append(time)
        elif time:
            stamp = {"angle": r"\langle %s\rangle", "round": "(%s)", "square": "[%s]"}
            sup.append(stamp.get(self.time, "%s") % time)
        if transposed:
            sup.append(transposed)
        text = self.core + "'" * self.primes
        if sub:
            text += f"_{{{','.join(sub)}}}"
        return text + (f"^{{{' '.join(sup)}}}" if sup else "")


def letter(name: str) -> str:
    """A letter, or the command of a Greek one."""
    return f"\\{name}" if name in GREEK or name in ("ell",) else name


def index(at: Index) -> str:
    """A time or another whole number, constant + Σ coefficient · letter."""
    text = ""
    for name, c in at.letters:
        sign = "-" if c < 0 else "+" if text else ""
        text += sign + ("" if abs(c) == 1 else str(abs(c))) + _counted(name)
    if at.constant or not text:
        text += f"{at.constant:+d}" if text else str(at.constant)
    return text


def _counted(name: str | Rounded | Extreme) -> str:
    """What stands in an index as a letter does."""
    if isinstance(name, Rounded):
        left, right = (r"\lceil", r"\rceil") if name.up else (r"\lfloor", r"\rfloor")
        return rf"{left} \frac{{{index(name.above)}}}{{{index(name.below)}}} {right}"
    if isinstance(name, Extreme):
        sign = r"\max" if name.greatest else r"\min"
        return rf"{sign}\left({', '.join(map(index, name.parts))}\right)"
    return letter(name)


def coloured(latex: str) -> str:
    """A piece in red."""
    return rf"\textcolor{{red}}{{{latex}}}"


def diagonal(latex: str) -> str:
    """diag of a piece."""
    return rf"\operatorname{{diag}}\left({latex}\right)"


def bracketed(latex: str) -> str:
    """A piece in brackets that grow with it."""
    return rf"\left({latex}\right)"


def transposed(latex: str, sign: str = r"\top") -> str:
    """A piece in brackets, transposed."""
    return rf"{bracketed(latex)}^{{{sign}}}"


def derivative(of: str, by: str, plus: bool = False) -> str:
    """∂of/∂by."""
    return rf"\frac{{\partial{'^{+}' if plus else ''} {of}}}{{\partial {by}}}"


def ranged(op: str, name: str, lower: str, upper: str, body: str = "") -> str:
    """A sum or product, op is "sum" or "prod"."""
    return rf"\{op}_{{{letter(name)}={lower}}}^{{{upper}}} {body}".rstrip()


class SnippetPrinter(LatexPrinter):
    """Prints expressions of the engine with names that somebody else chose."""

    def __init__(self, names: Names, one: str = "1", identity: str = "I") -> None:
        super().__init__("pytorch")
        self.asked = names
        self.one, self.identity = one, identity

    def symbol(self, e: MatrixExpr, transposed: bool = False) -> str:
        if isinstance(e, Adjoint):
            return self.asked("gradient", e.of.name, e.of.time, transposed)
        if isinstance(e, TimeVector):
            kind = "loss" if e.name == LOSS else "vector"
            return self.asked(kind, e.name, e.time, transposed)
        if isinstance(e, Stack) or not isinstance(e, MatrixSymbol):
            return super().symbol(e, transposed)
        return self.asked("parameter", e.name, None, transposed)
