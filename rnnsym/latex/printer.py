"""LaTeX of expressions, in the subset that LaTeX, KaTeX, MathJax and MathML converters share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sympy import MatrixExpr, MatrixSymbol
from sympy.printing.latex import LatexPrinter as ScalarPrinter

from rnnsym.functions import KNOWN, UNKNOWN, latex_of
from rnnsym.latex.profiles import GREEK, PROFILES, Name, Profile, named, parse
from rnnsym.latex.walker import HADAMARD, Walker
from rnnsym.network import LOSS
from rnnsym.nodes import Adjoint, Detach, Joined, Stack, TimeVector, Total, t

ARROWS = {"fwd": "overrightarrow", "bwd": "overleftarrow"}


def _shown(c: str) -> str:
    """A character of a name: as it is, or what stands for it; letters keep their number."""
    if c.isascii():
        return c if c.isalnum() or c in " .,:()=+-" else "?"
    return f"u{ord(c):x}" if c.isalpha() else "?"


class _Scalars(ScalarPrinter):
    """SymPy's printer of scalars, and the brackets of Iverson, which are 1 or 0."""

    def _print_Iverson(self, e: Any, **_: Any) -> str:
        first, second = map(self.doprint, e.args)
        return rf"[{first} = {second}]"

    def _print_Joined(self, e: Any, **_: Any) -> str:
        size, *times = e.args
        first, second = (self._chunk(time, self.doprint(size)) for time in times)
        return rf"\left[{first} = {second}\right]"

    def _chunk(self, time: Any, size: str) -> str:
        text = self.doprint(time)
        if (time - t).is_negative:  # an initial value belongs to the first chunk
            text = rf"\max({text},1)"
        return rf"\left\lceil \frac{{{text}}}{{{size}}} \right\rceil"


class LatexPrinter(Walker):
    """LaTeX in a notation.

    profile: the name of a notation profile; names: what each quantity is called in it (see
    `Cell.notations`), by default its own name.
    """

    hadamard, otimes, oslash = r"\odot", r"\otimes", r"\oslash"

    def __init__(self, profile: str = "post", names: Mapping[str, str] | None = None) -> None:
        self.profile: Profile = PROFILES[profile]
        self.names = dict(names or {})
        self.one = self._font("vector", "1")
        self.identity = self._font("matrix", "I")
        self.zero = self._font("matrix", "0")

    # ---- names ---------------------------------------------------------------------------

    def _font(self, kind: str, letter: str) -> str:
        command = self.profile.vector if kind == "vector" else self.profile.matrix
        if not command:
            return letter
        if letter.startswith("\\"):
            command = "boldsymbol"
        return f"\\{command}{{{letter}}}"

    def _letter(self, base: str) -> str:
        if base in GREEK:
            return f"\\{base}"
        if base.isascii() and base.isalnum():
            return base if len(base) == 1 else rf"\mathrm{{{base}}}"
        kept = "".join(map(_shown, base))
        return rf"\text{{{kept}}}"

    def _accented(self, name: Name, kind: str | None) -> str:
        letter = self._letter(name.base)
        core = letter if kind is None or letter.startswith(r"\text") else self._font(kind, letter)
        return self._over(name, core)

    @staticmethod
    def _over(name: Name, core: str) -> str:
        """A letter with the accent and the arrow of its name."""
        core = f"\\{name.accent}{{{core}}}" if name.accent else core
        return f"\\{ARROWS[name.direction]}{{{core}}}" if name.direction else core

    def _index(self, name: Name) -> str:
        """A name as an index: plain letters, W_aa as aa."""
        letters = name.base if name.base.isascii() and name.base.isalnum() else None
        # the i of W_xi is an index, not a ξ: short names stay letters here
        if letters is None or (name.base in GREEK and len(name.base) > 2):
            letters = self._letter(name.base)
        text = self._over(name, letters)
        inner = ",".join(self._index(s) for s in name.sub)
        above = self._above(name)
        return (
            text + (f"_{{{inner}}}" if inner else "") + (f"^{{{' '.join(above)}}}" if above else "")
        )

    @staticmethod
    def _above(name: Name) -> list[str]:
        """What stands above a name at its right, but for the time."""
        primes = [r"\prime" * name.primes] if name.primes else []
        return primes + [s for s in (name.sup, name.marks) if s]

    def _pieces(self, e: MatrixExpr) -> tuple[str, list[str], list[str]]:
        """Core, subscripts and superscripts of a symbol."""
        if isinstance(e, Adjoint):
            node = e.of
            name = named(node.name, self.names)
            core = r"\boldsymbol{\delta}" if self.profile.vector else r"\delta"
            below = replace(name, sup="", primes=0, lag="", layer="")
            sub, sup, time = [self._index(below)], self._above(name), node.time
        else:
            time = e.time if isinstance(e, TimeVector | Stack) else None
            name = named(e.name, self.names)
            sub, sup = [self._index(s) for s in name.sub], self._above(name)
            if e.name == LOSS:
                core = self.profile.loss
            elif isinstance(e, MatrixSymbol | TimeVector) and e.shape == (1, 1):
                core = self._accented(name, None)
            else:
                kind = "matrix" if isinstance(e, MatrixSymbol) and e.cols != 1 else "vector"
                core = self._accented(name, kind)
        if time is not None:
            text = self.scalar(time)
            if self.profile.time == "index":
                sub.append(text)
            else:
                stamp = rf"\langle {text}\rangle" if self.profile.time == "angle" else f"({text})"
                layer = sup.pop() if name.marks else ""  # close to the time, [2]⟨t⟩
                sup.append(layer + stamp)
        return core, sub, sup

    def symbol(self, e: MatrixExpr, transposed: bool = False) -> str:
        core, sub, sup = self._pieces(e)
        if transposed:
            sup.append(r"\top")
        return (
            core
            + (f"_{{{','.join(sub)}}}" if sub else "")
            + (f"^{{{' '.join(sup)}}}" if sup else "")
        )

    # ---- syntax --------------------------------------------------------------------------

    def scalar(self, e: Any) -> str:
        """A size, a time or a count; spaces left out as in an index."""
        names = {s: self._size(s.name) for s in getattr(e, "free_symbols", ())}
        text: str = _Scalars({"symbol_names": names}).doprint(e)
        return text.replace(" + ", "+").replace(" - ", "-")

    def _size(self, name: str) -> str:
        stem = name.rstrip("'")  # an index that was renamed, such as k'
        return self._index(parse(stem)) + name[len(stem) :]

    def number(self, value: Any) -> str:
        text = self.scalar(value).replace("- ", "-")
        return self.brackets(text) if getattr(value, "is_Add", False) else text

    def detached(self, e: Detach) -> str:
        (size, *_) = (g.args[0] for g in e.gate.atoms(Joined))
        return rf"\operatorname{{detach}}_{{{self.scalar(size)}}}\left({self(e.argument)}\right)"

    def brackets(self, text: str) -> str:
        return rf"\left({text}\right)"

    def transpose(self, e: MatrixExpr) -> str:
        if isinstance(e, TimeVector | Stack | MatrixSymbol | Adjoint):
            return self.symbol(e, transposed=True)
        text = self(e)
        if isinstance(e, Total):
            return rf"\left({text}\right)^{{\top}}"
        long = len(text) > 60 or text.startswith(r"\left(")
        return (rf"\left[{text}\right]" if long else rf"\left({text}\right)") + r"^{\top}"

    def fraction(self, e: Total, kind: str) -> str:
        if kind == "gradient":
            return rf"\nabla_{{{self(e.by)}}} {self(e.of)}"
        d = r"\partial^{+}" if kind == "immediate" else r"\partial"
        of = self.at(e.of, HADAMARD)
        return rf"\frac{{{d} {of}}}{{\partial {self(e.by)}}}"

    def product(self, parts: list[str]) -> str:
        text = parts[0]
        for part in parts[1:]:
            tight = not (
                part.startswith((r"\frac", r"\sum", r"\left")) or text.endswith(r"\right)")
            )
            text += (" " if tight else r"\,") + part
        return text

    def call(self, function: str, order: int, argument: str) -> str:
        name = {"diag": r"\operatorname{diag}", "softmax": r"\operatorname{softmax}"}.get(function)
        if name is None:  # a name that came with a SymPy expression may be anything
            known = function in KNOWN or function in UNKNOWN
            name = latex_of(function if known else re.sub(r"[^A-Za-z0-9_]", "", function) or "f")
        name += "'" * order
        return rf"{name}\left({argument}\right)"

    def table(self, rows: list[list[str]]) -> str:
        if len(rows[0]) == 1 and max(len(r[0]) for r in rows) < 40:
            joined = r";\, ".join(row[0] for row in rows)
            return rf"\left[{joined}\right]"
        tall = any(r"\frac" in cell for row in rows for cell in row)
        end = r" \\[8pt] " if tall else r" \\ "
        body = end.join(" & ".join(row) for row in rows).replace(r"\frac", r"\dfrac")
        return rf"\begin{{bmatrix}} {body} \end{{bmatrix}}"

    def ranged(self, sign: str, e: Any, body: str) -> str:
        if sign == "sum":
            lower = f"{self.scalar(e.index)}={self.scalar(e.lower)}"
            return rf"\sum_{{{lower}}}^{{{self.scalar(e.upper)}}} {body}"
        lower = f"{self.scalar(e.index)}={self.scalar(e.lower)}"
        return rf"\prod_{{{lower}}}^{{{self.scalar(e.upper)}}} {body}"
