"""The structure of a printed expression: order, brackets and signs, for any syntax.

A printer is this walker with a syntax: how to write a symbol, a fraction, a sum. Levels say how
tightly an expression holds together, so that brackets stand where they are needed and nowhere
else.
"""

from __future__ import annotations

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
    ZeroMatrix,
)
from sympy.matrices.expressions import HadamardProduct, KroneckerProduct, OneMatrix

from rnnsym.nodes import (
    Adjoint,
    Apply,
    Blocks,
    Detach,
    Gradient,
    Immediate,
    Softmax,
    Stack,
    TimeProduct,
    TimeSum,
    TimeVector,
    Total,
)

#: levels: a sum binds least, then elementwise products, products, and atoms
SUM, HADAMARD, PRODUCT, ATOM = range(4)


class Walker:
    """Prints expressions; subclasses supply the syntax."""

    def __call__(self, e: Any) -> str:
        """The expression in this syntax."""
        return self.write(e)[0]

    def write(self, e: Any) -> tuple[str, int]:
        """The printed expression and its level."""
        for kind in type(e).__mro__:
            method = getattr(self, f"_{kind.__name__.lower()}", None)
            if method is not None:
                return method(e)
        return self.scalar(e), ATOM

    def at(self, e: Any, level: int) -> str:
        """The expression, in brackets if it binds less than `level`."""
        text, own = self.write(e)
        return self.brackets(text) if own < level else text

    # ---- syntax, to be supplied ----------------------------------------------------------

    def scalar(self, e: Any) -> str:
        raise NotImplementedError

    def brackets(self, text: str) -> str:
        raise NotImplementedError

    def symbol(self, e: MatrixExpr, transposed: bool = False) -> str:
        raise NotImplementedError

    def transpose(self, e: MatrixExpr) -> str:
        raise NotImplementedError

    def fraction(self, e: Total, kind: str) -> str:
        raise NotImplementedError

    def number(self, value: Any) -> str:
        raise NotImplementedError

    def product(self, parts: list[str]) -> str:
        raise NotImplementedError

    def call(self, function: str, order: int, argument: str) -> str:
        raise NotImplementedError

    def detached(self, e: Detach) -> str:
        raise NotImplementedError

    def table(self, rows: list[list[str]]) -> str:
        raise NotImplementedError

    def ranged(self, sign: str, e: Any, body: str) -> str:
        raise NotImplementedError

    hadamard = otimes = oslash = one = identity = zero = ""

    # ---- the node types ------------------------------------------------------------------

    def _timevector(self, e: TimeVector) -> tuple[str, int]:
        return self.symbol(e), ATOM

    def _stack(self, e: Stack) -> tuple[str, int]:
        return self.symbol(e), ATOM

    def _matrixsymbol(self, e: MatrixSymbol) -> tuple[str, int]:
        return self.symbol(e), ATOM

    def _adjoint(self, e: Adjoint) -> tuple[str, int]:
        return self.symbol(e), ATOM

    def _total(self, e: Total) -> tuple[str, int]:
        return self.fraction(e, "total"), ATOM

    def _immediate(self, e: Immediate) -> tuple[str, int]:
        return self.fraction(e, "immediate"), ATOM

    def _gradient(self, e: Gradient) -> tuple[str, int]:
        return self.fraction(e, "gradient"), PRODUCT

    def _onematrix(self, e: OneMatrix) -> tuple[str, int]:
        return ("1" if e.shape == (1, 1) else self.one), ATOM

    def _identity(self, e: Identity) -> tuple[str, int]:
        return ("1" if e.shape == (1, 1) else self.identity), ATOM

    def _zeromatrix(self, e: ZeroMatrix) -> tuple[str, int]:
        return ("0" if e.shape == (1, 1) else self.zero), ATOM

    def _matadd(self, e: MatAdd) -> tuple[str, int]:
        terms = list(e.args)
        if _negative(terms[0]):  # a sum begins with a plus where it can
            terms.sort(key=_negative)
        text = ""
        for term in terms:
            if _negative(term):
                rest = _flip(term)
                piece = self.at(rest, PRODUCT if _negative(rest) else HADAMARD)
                text += f" - {piece}" if text else f"-{piece}"
            else:
                text += (" + " if text else "") + self.at(term, HADAMARD)
        return text, SUM

    def _matmul(self, e: MatMul) -> tuple[str, int]:
        flat = [b for a in e.args for b in (a.args if isinstance(a, MatMul) else (a,))]
        args = [a for a in flat if isinstance(a, MatrixExpr)]
        numbers = [a for a in flat if not isinstance(a, MatrixExpr)]
        number = Mul(*numbers) if numbers else None
        number = None if number == 1 else number
        spread = isinstance(args[0], OneMatrix) and len(args) == 2 and args[1].shape == (1, 1)
        if spread:  # a scalar spread over a vector
            args.reverse()
        if len(args) == 1 and number is not None:
            inner, level = self.write(args[0])
            if level < PRODUCT and level != HADAMARD:
                inner, level = self.brackets(inner), ATOM
            if number == -1:
                return f"-{inner}", min(level, HADAMARD)
            loosest = HADAMARD if _below(number) else PRODUCT
            return self.product([self.number(number), inner]), min(level, loosest)
        parts = []
        for i, a in enumerate(args):
            text, level = self.write(a)
            open_end = isinstance(a, TimeSum) and i + 1 < len(args)
            if level < PRODUCT or open_end or (isinstance(a, TimeProduct) and len(args) > 1):
                text = self.brackets(text)
            parts.append(text)
        if number == -1:
            return f"-{self.product(parts)}", HADAMARD
        if number is not None:
            parts.insert(0, self.number(number))
        return self.product(parts), HADAMARD if number is not None and _below(number) else PRODUCT

    def _hadamardproduct(self, e: HadamardProduct) -> tuple[str, int]:
        text, last_scalar = "", False
        for a in e.args:
            if isinstance(a, Apply) and a.function == "reciprocal" and a.order == 0 and text:
                text += f" {self.oslash} {self.at(a.argument, ATOM)}"
                continue
            scalar = _spread_scalar(a)
            piece = self.at(a if scalar is None else scalar, ATOM)
            if text:
                text += " " if last_scalar else f" {self.hadamard} "
            text += piece
            last_scalar = scalar is not None
        return text, HADAMARD

    def _kroneckerproduct(self, e: KroneckerProduct) -> tuple[str, int]:
        return f" {self.otimes} ".join(self.at(a, PRODUCT) for a in e.args), HADAMARD

    def _transpose(self, e: Transpose) -> tuple[str, int]:
        return self.transpose(e.arg), ATOM

    def _diagmatrix(self, e: DiagMatrix) -> tuple[str, int]:
        scalar = _spread_scalar(e.args[0])
        if scalar is not None:
            return self.product([self.at(scalar, PRODUCT), self.identity]), PRODUCT
        return self.call("diag", 0, self(e.args[0])), ATOM

    def _apply(self, e: Apply) -> tuple[str, int]:
        if e.function == "reciprocal" and e.order == 0:
            return f"{self.one} {self.oslash} {self.at(e.argument, ATOM)}", HADAMARD
        return self.call(e.function, e.order, self(e.argument)), ATOM

    def _softmax(self, e: Softmax) -> tuple[str, int]:
        return self.call("softmax", 0, self(e.argument)), ATOM

    def _detach(self, e: Detach) -> tuple[str, int]:
        return self.detached(e), ATOM

    def _blocks(self, e: Blocks) -> tuple[str, int]:
        return self.table([[self(b) for b in row] for row in e.blocks]), ATOM

    def _timesum(self, e: TimeSum) -> tuple[str, int]:
        body = self.at(e.body, HADAMARD)
        return self.ranged("sum", e, body), PRODUCT

    def _timeproduct(self, e: TimeProduct) -> tuple[str, int]:
        body = self.at(e.body, PRODUCT)
        return self.ranged("product", e, body), PRODUCT


def _negative(e: MatrixExpr) -> bool:
    return isinstance(e, MatMul) and not isinstance(e.args[0], MatrixExpr) and _below(e.args[0])


def _below(number: Any) -> bool:
    """Whether a number is written with a minus sign."""
    return bool(number.as_coeff_Mul()[0] < 0)


def _flip(e: MatMul) -> MatrixExpr:
    rest = e.args[1:]
    if e.args[0] == -1:
        return rest[0] if len(rest) == 1 else MatMul(*rest)
    return MatMul(-e.args[0], *rest)


def _spread_scalar(e: MatrixExpr) -> MatrixExpr | None:
    """α, if e is a scalar spread over a vector, 1 α."""
    if isinstance(e, MatMul) and len(e.args) == 2 and isinstance(e.args[0], OneMatrix):
        return e.args[1] if e.args[1].shape == (1, 1) else None
    return None
