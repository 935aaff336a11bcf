"""Unicode text of expressions, for terminals and for comments in generated code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from sympy import MatrixExpr, MatrixSymbol
from sympy.printing.str import StrPrinter

from rnnsym.latex.profiles import LETTERS, Name, named
from rnnsym.latex.walker import ATOM, Walker
from rnnsym.nodes import Adjoint, Detach, Joined, Stack, TimeVector, Total, t

ARROWS = {"fwd": "→", "bwd": "←", "": ""}
COMBINING = {"hat": "\u0302", "tilde": "\u0303", "bar": "\u0304", "vec": "\u20d7"}
FUNCTIONS = {"sigmoid": "σ", "diag": "diag", "softmax": "softmax"}


class _Scalars(StrPrinter):
    """SymPy's printer of scalars, and the brackets of Iverson, which are 1 or 0."""

    def _print_Iverson(self, e: Any) -> str:
        first, second = map(self.doprint, e.args)
        return f"[{first}={second}]"

    def _print_Joined(self, e: Any) -> str:
        size, *times = e.args
        first, second = (self._chunk(time, self.doprint(size)) for time in times)
        return f"[{first}={second}]"

    def _chunk(self, time: Any, size: str) -> str:
        text = self.doprint(time)
        if (time - t).is_negative:  # an initial value belongs to the first chunk
            text = f"max({text}, 1)"
        return f"⌈{text}/{size}⌉" if text.isalnum() or ", " in text else f"⌈({text})/{size}⌉"


class TextPrinter(Walker):
    """Unicode text; `names` renames quantities as in `LatexPrinter`."""

    hadamard, otimes, oslash, one, identity, zero = "⊙", "⊗", "⊘", "1", "I", "0"

    def __init__(self, profile: str = "post", names: Mapping[str, str] | None = None) -> None:
        self.names = dict(names or {})

    def _name(self, name: Name) -> str:
        base = LETTERS.get(name.base, name.base)
        base = "".join(c if c.isalnum() or c in "_-+()" else "?" for c in base)
        text = base + COMBINING.get(name.accent, "") + ARROWS[name.direction]
        if name.sub:
            text += "_" + ",".join(self._index(s) for s in name.sub)
        above = name.sup + name.marks
        return text + "′" * name.primes + (f"^{above}" if above else "")

    def _index(self, name: Name) -> str:
        """As `_name`, but the i of W_xi is an index, not a ξ: short names stay letters."""
        if len(name.base) == 2:
            return name.base + COMBINING.get(name.accent, "")
        return self._name(name)

    def symbol(self, e: MatrixExpr, transposed: bool = False) -> str:
        node = e.of if isinstance(e, Adjoint) else e
        text = self._name(named(node.name, self.names))
        if isinstance(e, Adjoint):
            text = f"δ_{text}"
        if isinstance(node, TimeVector | Stack):
            text += f"⟨{self.scalar(node.time)}⟩"
        return text + ("ᵀ" if transposed else "")

    def scalar(self, e: Any) -> str:
        shown = _Scalars().doprint(e)
        written = "".join(c if c.isprintable() else "?" for c in shown if c != " ")
        text = re.sub(r"\*\*2(?![0-9])", "²", written)
        return text.replace("**", "^").replace("*", " ")

    def number(self, value: Any) -> str:
        text = self.scalar(value)
        return self.brackets(text) if getattr(value, "is_Add", False) else text

    def detached(self, e: Detach) -> str:
        (size, *_) = (g.args[0] for g in e.gate.atoms(Joined))
        return f"detach({self(e.argument)}, {self.scalar(size)})"

    def brackets(self, text: str) -> str:
        return f"({text})"

    def transpose(self, e: MatrixExpr) -> str:
        if isinstance(e, TimeVector | Stack | MatrixSymbol | Adjoint):
            return self.symbol(e, transposed=True)
        return f"[{self(e)}]ᵀ"

    def fraction(self, e: Total, kind: str) -> str:
        if kind == "gradient":
            return f"∇_{self(e.by)} {self(e.of)}"
        d = "∂⁺" if kind == "immediate" else "∂"
        of = self.at(e.of, ATOM)
        return f"{d}{of}/∂{self(e.by)}"

    def product(self, parts: list[str]) -> str:
        text = parts[0]
        for last, part in pairwise(parts):
            derivative = "/∂" in last or "/∂" in part
            text += (" · " if derivative else " ") + part
        return text

    def call(self, function: str, order: int, argument: str) -> str:
        name = FUNCTIONS.get(function) or "".join(c for c in function if c.isalnum() or c == "_")
        return name + "′" * order + f"({argument})"

    def table(self, rows: list[list[str]]) -> str:
        return "[" + "; ".join(", ".join(row) for row in rows) + "]"

    def ranged(self, sign: str, e: Any, body: str) -> str:
        symbol = "Σ" if sign == "sum" else "Π"
        first, last = self.scalar(e.lower), self.scalar(e.upper)
        return f"{symbol}_{{{self.scalar(e.index)}={first}..{last}}} {body}"
