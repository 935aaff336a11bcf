"""Formulas of the backward pass as the NumPy that one would write: for saying what is right.

Used by the diagnosis only; nothing printed here is run. An adjoint δ_a⟨t+1⟩ is `da[t+1]`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sympy import (
    DiagMatrix,
    Identity,
    MatAdd,
    MatMul,
    MatrixExpr,
    MatrixSymbol,
    Mul,
    Transpose,
)
from sympy.matrices.expressions import HadamardProduct, OneMatrix

from rnnsym.algebra import factors, split, terms
from rnnsym.nodes import Adjoint, Apply, Blocks, Iverson, Joined, Softmax, TimeSum, TimeVector

SUM, PRODUCT, ATOM = range(3)


class NoWords(Exception):
    """An expression that is not written in one line of NumPy."""


class Words:
    """Prints expressions; names: ours -> theirs; parts: ours that have no name of theirs."""

    def __init__(self, names: Mapping[str, str] | None = None, parts: Iterable[str] = ()) -> None:
        self.names, self.parts = dict(names or {}), frozenset(parts)

    def name(self, name: str) -> str:
        """A parameter's name as the user has it."""
        return self.names.get(name, name)

    def listed(self, names: Sequence[str]) -> str:
        """Several parameters, all by the user's names, or all by ours where one has none."""
        theirs = self.parts.isdisjoint(names)
        return ", ".join(self.name(n) if theirs else n for n in names)

    def text(self, text: str) -> str:
        """A sentence with the parameters' names as the user has them."""
        return re.sub(r"[A-Za-z]\w*", lambda m: self.name(m.group()), text)

    def equation(self, left: str, right: MatrixExpr) -> str:
        """`left = right`, or nothing if it cannot be said in one line."""
        try:
            return f"{left} = {self._at(right, SUM)}"
        except NoWords:
            return ""

    def say(self, e: MatrixExpr) -> str:
        """An expression in one line."""
        try:
            return self._at(e, SUM)
        except NoWords:
            return str(e)

    def of(self, left: TimeVector, right: MatrixExpr) -> str:
        """An equation of the forward pass, as `rnnsym.Network` reads it."""
        return f"{self.say(left)} = {self.say(right)}"

    def adjoint(self, name: str, right: MatrixExpr) -> str:
        """The equation of δ_name⟨t⟩."""
        return self.equation(f"d{name}[t]", right)

    def changed(
        self,
        right: Mapping[str, MatrixExpr],
        new: Mapping[str, MatrixExpr],
        how: str,
    ) -> str:
        """The summand in which the equations of a mutant differ from the right ones, if it is one:
        `W.T @ dz[t+1] is missing in da[t]`."""
        found = [n for n, e in right.items() if new[n] != e]
        if len(found) != 1:
            return ""
        (name,) = found
        others = terms(new[name])
        gone = [term for term in terms(right[name]) if term not in others]
        try:
            return f"{self._at(gone[0], SUM)} {how} d{name}[t]" if len(gone) == 1 else ""
        except NoWords:
            return ""

    def gradient(self, name: str, right: MatrixExpr) -> str:
        """The equation of ∇ by a parameter: a sum over time of an outer product."""
        return self.equation(f"d{self.name(name)}", right)

    def _at(self, e: MatrixExpr, level: int) -> str:
        text, own = self._write(e)
        return f"({text})" if own < level else text

    def _write(self, e: MatrixExpr) -> tuple[str, int]:
        if isinstance(e, Adjoint) and isinstance(e.of, TimeVector):
            return f"d{e.of.name}[{_time(e.of.time)}]", ATOM
        if isinstance(e, TimeVector):
            return f"{e.name}[{_time(e.time)}]", ATOM
        if isinstance(e, MatrixSymbol):
            return self.name(e.name), ATOM
        if isinstance(e, Transpose):
            return f"{self._at(e.arg, ATOM)}.T", ATOM
        if isinstance(e, Identity) or (isinstance(e, OneMatrix) and e.cols == 1):
            return "1", ATOM
        if isinstance(e, Apply) and e.order == 0:
            if e.function == "reciprocal":
                return f"1 / {self._at(e.argument, ATOM)}", PRODUCT
            return f"{e.function}({self._at(e.argument, SUM)})", ATOM
        if isinstance(e, Softmax):
            return f"softmax({self._at(e.argument, SUM)})", ATOM
        if isinstance(e, Blocks) and all(len(row) == 1 for row in e.blocks):
            return f"[{', '.join(self._at(row[0], SUM) for row in e.blocks)}]", ATOM
        if isinstance(e, TimeSum):
            limits = f"{e.index} = {_time(e.lower)} … {_time(e.upper)}"
            return f"the sum over {limits} of {self._at(e.body, SUM)}", SUM
        if isinstance(e, MatAdd):
            return self._sum(e), SUM
        if isinstance(e, HadamardProduct):
            return self._elementwise(e), PRODUCT
        return self._product(e)

    def _elementwise(self, e: HadamardProduct) -> str:
        text = ""
        for a in e.args:
            if text and isinstance(a, Apply) and a.function == "reciprocal":
                text += f" / {self._at(a.argument, ATOM)}"
            else:
                text += (" * " if text else "") + self._at(a, ATOM)
        return text

    def _sum(self, e: MatAdd) -> str:
        text = ""
        for term in sorted(e.args, key=lambda a: _negative(split(a)[0])):  # what is positive first
            number, rest = split(term)
            sign = "-" if _negative(number) else "+"
            one = self._scaled(-number if sign == "-" else number, rest)
            text += f" {sign} {one}" if text else (f"-{one}" if sign == "-" else one)
        return text

    def _scaled(self, number: Any, rest: MatrixExpr) -> str:
        body = self._at(rest, PRODUCT)
        return body if number == 1 else f"{_number(number)} * {body}"

    def _product(self, e: MatrixExpr) -> tuple[str, int]:
        number, rest = split(e)
        parts = list(factors(rest))
        if number == 1 and len(parts) == 1:
            raise NoWords
        if number != 1:
            sign = "-" if _negative(number) else ""
            text = self._scaled(-number if sign else number, rest)
            return sign + text, SUM if sign else PRODUCT
        first, *others = parts
        if isinstance(first, DiagMatrix):
            inner = others[0] if len(others) == 1 else MatMul(*others)
            return f"{self._at(first.args[0], ATOM)} * {self._at(inner, ATOM)}", PRODUCT
        if len(parts) == 2 and first.cols == 1 and isinstance(parts[1], Transpose):
            return (
                f"np.outer({self._at(first, SUM)}, {self._at(parts[1].arg, SUM)})",
                ATOM,
            )
        return " @ ".join(self._at(p, ATOM) for p in parts), PRODUCT


def _negative(number: Any) -> bool:
    return bool(number.could_extract_minus_sign())


def _number(number: Any) -> str:
    """A number in front, with its conditions on times as Python has them."""
    found = []
    for factor in Mul.make_args(number):
        if isinstance(factor, Iverson):
            found.append(f"({' == '.join(map(_time, factor.args))})")
        elif isinstance(factor, Joined):
            size, *times = factor.args
            found.append(f"({' == '.join(f'({_time(i - 1)})//{_time(size)}' for i in times)})")
        else:
            found.append(str(factor))
    return " * ".join(found)


def _time(e: Any) -> str:
    return str(e).replace(" ", "")
