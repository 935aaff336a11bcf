"""Expressions as plain text, for comments and docstrings: δ_a⟨t⟩ = W_yaᵀ δ_z⟨t⟩ + …

Names are passed through `rnnsym.emit.names.identifier`, so no text of a user's gets into source.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sympy import (
    Basic,
    DiagMatrix,
    Expr,
    Identity,
    MatAdd,
    MatMul,
    MatrixSymbol,
    Symbol,
    Transpose,
    ZeroMatrix,
)
from sympy.matrices.expressions import HadamardProduct, KroneckerProduct, OneMatrix

from rnnsym.algebra import split
from rnnsym.emit.names import identifier
from rnnsym.nodes import (
    Adjoint,
    Apply,
    Blocks,
    Softmax,
    Stack,
    TimeProduct,
    TimeSum,
    TimeVector,
)

# how tightly an operation binds
SUM, PRODUCT, ATOM = range(3)

Printed = tuple[str, int]


def text(e: Basic) -> str:
    """An expression as one line of text."""
    return _printed(e)[0]


def size_text(e: Any) -> str:
    """A size or a time: n_a, n_f + n_b, t-1."""
    if isinstance(e, Symbol):
        return identifier(e.name.replace("'", "_"))
    if e.is_Integer:
        return str(int(e))
    if e.is_Add:
        return _joined([(-1, -a) if _negative(a) else (1, a) for a in _symbols_first(e)])
    if e.is_Mul:
        return " * ".join(size_text(a) if not a.is_Add else f"({size_text(a)})" for a in e.args)
    return identifier(str(e))


def _joined(parts: list[tuple[int, Any]]) -> str:
    line = ""
    for sign, part in parts:
        mark = "-" if sign < 0 else "+"
        line += f" {mark} {size_text(part)}" if line else f"{'-' * (sign < 0)}{size_text(part)}"
    return line


def _symbols_first(e: Expr) -> list[Expr]:
    return sorted(e.args, key=lambda a: (bool(a.is_Integer), str(a)))


def _negative(e: Any) -> bool:
    return bool(e.could_extract_minus_sign())


def _time(e: Any) -> str:
    return "⟨" + size_text(e).replace(" ", "") + "⟩"


def _printed(e: Any) -> Printed:
    for kind in type(e).__mro__:
        if kind in PRINTERS:
            return PRINTERS[kind](e)
    return identifier(str(e)), ATOM


def _in(e: Any, least: int) -> str:
    """e in brackets if it binds less tightly than `least`."""
    line, level = _printed(e)
    return line if level >= least else f"({line})"


def _add(e: MatAdd) -> Printed:
    line = ""
    for a in sorted(e.args, key=lambda a: bool(split(a)[0] < 0)):
        number, rest = split(a)
        part = _in(a if number >= 0 else _scaled(-number, rest), PRODUCT)
        minus = bool(number < 0)
        line += (" - " if minus else " + ") + part if line else "-" * minus + part
    return line, SUM


def _scaled(number: Any, rest: Any) -> Any:
    return rest if number == 1 else MatMul(number, rest)


def _mul(e: MatMul) -> Printed:
    number, rest = split(e)
    parts = rest.args if isinstance(rest, MatMul) else (rest,)
    parts = [p for p in parts if not (isinstance(p, OneMatrix) and p.cols == 1)] or parts
    line = " ".join(_in(p, ATOM) for p in parts)
    if number == 1:
        return line, PRODUCT
    return (f"-{line}", SUM) if number == -1 else (f"{number} {line}", PRODUCT)


def _hadamard(e: HadamardProduct) -> Printed:
    return " ⊙ ".join(_in(a, ATOM) for a in e.args), PRODUCT


def _apply(e: Apply) -> Printed:
    return f"{identifier(e.function)}{'′' * e.order}({text(e.argument)})", ATOM


def _adjoint(e: Adjoint) -> Printed:
    return f"δ_{text(e.of)}", ATOM


def _vector(e: TimeVector | Stack) -> Printed:
    return identifier(e.name) + _time(e.time), ATOM


def _blocks(e: Blocks) -> Printed:
    return "[" + "; ".join(", ".join(map(text, row)) for row in e.blocks) + "]", ATOM


def _ranged(sign: str) -> Callable[[Any], Printed]:
    def printed(e: Any) -> Printed:
        limits = f"{size_text(e.index)}={size_text(e.lower)}…{size_text(e.upper)}"
        return f"{sign}_({limits}) {_in(e.body, PRODUCT)}", PRODUCT

    return printed


PRINTERS: dict[type, Callable[[Any], Printed]] = {
    TimeVector: _vector,
    Stack: _vector,
    MatrixSymbol: lambda e: (identifier(e.name), ATOM),
    Adjoint: _adjoint,
    Apply: _apply,
    Softmax: lambda e: (f"softmax({text(e.argument)})", ATOM),
    Blocks: _blocks,
    MatAdd: _add,
    MatMul: _mul,
    HadamardProduct: _hadamard,
    KroneckerProduct: lambda e: (" ⊗ ".join(_in(a, ATOM) for a in e.args), PRODUCT),
    DiagMatrix: lambda e: (f"diag({text(e.args[0])})", ATOM),
    Transpose: lambda e: (f"{_in(e.arg, ATOM)}ᵀ", ATOM),
    Identity: lambda e: ("I" if e.rows != 1 else "1", ATOM),
    OneMatrix: lambda e: ("1", ATOM),
    ZeroMatrix: lambda e: ("0", ATOM),
    TimeSum: _ranged("Σ"),
    TimeProduct: _ranged("Π"),
}
