"""The component i, j of a matrix expression, as a scalar SymPy expression.

Written from the definitions in indices, (AB)_ij = Σ_k A_ik B_kj and so on, and apart from
`rnnsym.evaluate`, with which the outcome is compared. Functions that the dialect lacks are written
in those that it has: softmax as a quotient of exponentials, relu(z) as (z + |z|) / 2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from sympy import (
    Abs,
    DiagMatrix,
    Dummy,
    Identity,
    Integer,
    MatAdd,
    MatMul,
    MatrixSymbol,
    S,
    Transpose,
    ZeroMatrix,
    diff,
    exp,
    log,
    tanh,
)
from sympy.matrices.expressions import HadamardProduct, KroneckerProduct, OneMatrix

from rnnsym.nodes import Adjoint, Apply, Blocks, Detach, Softmax, TimeSum, TimeVector

#: components of sums with more leaves than this are not written out
MOST_LEAVES = 2000


class Unreadable(Exception):
    """A component that cannot be written so that latex2sympy2 reads it, with the reason."""


#: smooth functions of a real number, in exp, log, tanh and arithmetic
_SMOOTH: dict[str, Callable[[Any], Any]] = {
    "tanh": tanh,
    "sigmoid": lambda z: 1 / (1 + exp(-z)),
    "softplus": lambda z: log(1 + exp(z)),
    "exp": exp,
    "log": log,
    "reciprocal": lambda z: 1 / z,
    "identity": lambda z: z,
}

#: functions with a kink or a jump: each derivative by itself, right where z is not zero
_KINKED: dict[str, tuple[Callable[[Any], Any], ...]] = {
    "relu": (lambda z: (z + Abs(z)) / 2, lambda z: (z + Abs(z)) / (2 * z)),
    "step": (lambda z: (z + Abs(z)) / (2 * z),),
}


def function(name: str, order: int, z: Any) -> Any:
    """g⁽ᵒʳᵈᵉʳ⁾(z) as a scalar expression; derivatives are SymPy's. Raises Unreadable."""
    if name in _SMOOTH:
        variable, value = _derivative(name, order)
        return value.xreplace({variable: z})
    if name in _KINKED:
        forms = _KINKED[name]
        return forms[order](z) if order < len(forms) else S.Zero
    raise Unreadable(f"{name} is an unknown function")


@lru_cache(maxsize=100)
def _derivative(name: str, order: int) -> tuple[Any, Any]:
    z = Dummy("z", real=True)
    return z, diff(_SMOOTH[name](z), z, order)


class Scalars:
    """Components of expressions at given sizes and lengths.

    leaf(node, time, i, j) gives the scalar for a component of a parameter (time None), of a
    time-indexed vector or of an adjoint; zero where there is none at that time.
    """

    def __init__(
        self, symbols: Mapping[Any, Any], leaf: Callable[[Any, int | None, int, int], Any]
    ) -> None:
        self.symbols, self.leaf = symbols, leaf
        self._where: Mapping[Any, Any] = symbols
        self._leaves = 0

    def component(self, e: Any, i: int, j: int, time: Mapping[Any, int]) -> Any:
        """Component i, j (from 0) with the time symbols bound. Raises Unreadable."""
        self._where = {**self.symbols, **{s: Integer(n) for s, n in time.items()}}
        self._leaves = 0
        return self.entry(e, i, j)

    def number(self, e: Any) -> int:
        """A time or a size."""
        value = e.xreplace(self._where)
        if not value.is_Integer:
            raise Unreadable(f"{e} has no value here")
        return int(value)

    def entry(self, e: Any, i: int, j: int) -> Any:
        for kind in type(e).__mro__:
            method = _METHODS.get(kind)
            if method is not None:
                return method(self, e, i, j)
        raise Unreadable(f"{type(e).__name__} has no component form")

    def _leaf(self, e: Any, i: int, j: int) -> Any:
        self._leaves += 1
        if self._leaves > MOST_LEAVES:
            raise Unreadable("too long")
        if isinstance(e, MatrixSymbol):
            return self.leaf(e, None, i, j)
        v = e.of if isinstance(e, Adjoint) else e
        return self.leaf(e, self.number(v.time), i, j)

    def _add(self, e: MatAdd, i: int, j: int) -> Any:
        return sum((self.entry(a, i, j) for a in e.args), S.Zero)

    def _mul(self, e: MatMul, i: int, j: int) -> Any:
        number, matrices = S.One, []
        for a in e.args:
            if getattr(a, "is_Matrix", False):
                matrices.append(a)
            else:
                number *= a.xreplace(self._where)
        if number.free_symbols:
            raise Unreadable(f"{number} has no value here")
        return number * self._chain(matrices, i, j) if number else S.Zero

    def _chain(self, factors: list[Any], i: int, j: int) -> Any:
        """(A B …)_ij = Σ_k A_ik (B …)_kj; what a zero stands before is not looked at."""
        if len(factors) == 1:
            return self.entry(factors[0], i, j)
        total = S.Zero
        for k in range(self.number(factors[0].cols)):
            first = self.entry(factors[0], i, k)
            if first != 0:
                total += first * self._chain(factors[1:], k, j)
        return total

    def _hadamard(self, e: HadamardProduct, i: int, j: int) -> Any:
        product = S.One
        # from the right, where the adjoints are: beyond the last step they are zero
        for a in reversed(e.args):
            product *= self.entry(a, i, j)
            if product == 0:
                break
        return product

    def _transpose(self, e: Transpose, i: int, j: int) -> Any:
        return self.entry(e.arg, j, i)

    def _apply(self, e: Apply, i: int, j: int) -> Any:
        return function(e.function, e.order, self.entry(e.argument, i, j))

    def _softmax(self, e: Softmax, i: int, j: int) -> Any:
        powers = [exp(self.entry(e.argument, k, 0)) for k in range(self.number(e.rows))]
        return powers[i] / sum(powers)

    def _detach(self, e: Detach, i: int, j: int) -> Any:
        return self.entry(e.argument, i, j)  # it has the value of what it holds

    def _blocks(self, e: Blocks, i: int, j: int) -> Any:
        for row in e.blocks:
            height = self.number(row[0].rows)
            if i < height:
                for block in row:
                    width = self.number(block.cols)
                    if j < width:
                        return self.entry(block, i, j)
                    j -= width
            i -= height
        raise Unreadable("a block that is not there")

    def _one(self, e: OneMatrix, i: int, j: int) -> Any:
        return S.One

    def _zero(self, e: ZeroMatrix, i: int, j: int) -> Any:
        return S.Zero

    def _identity(self, e: Identity, i: int, j: int) -> Any:
        return S.One if i == j else S.Zero

    def _diag(self, e: DiagMatrix, i: int, j: int) -> Any:
        return self.entry(e.args[0], i, 0) if i == j else S.Zero

    def _kron(self, e: KroneckerProduct, i: int, j: int) -> Any:
        product = S.One
        for a in reversed(e.args):
            rows, cols = self.number(a.rows), self.number(a.cols)
            product *= self.entry(a, i % rows, j % cols)
            i, j = i // rows, j // cols
        return product

    def _sum(self, e: TimeSum, i: int, j: int) -> Any:
        outer, total = self._where, S.Zero
        for k in range(self.number(e.lower), self.number(e.upper) + 1):
            self._where = {**outer, e.index: Integer(k)}
            total += self.entry(e.body, i, j)
        self._where = outer
        return total


_METHODS: dict[type, Callable[[Scalars, Any, int, int], Any]] = {
    TimeVector: Scalars._leaf,
    MatrixSymbol: Scalars._leaf,
    Adjoint: Scalars._leaf,
    MatAdd: Scalars._add,
    MatMul: Scalars._mul,
    HadamardProduct: Scalars._hadamard,
    Transpose: Scalars._transpose,
    Apply: Scalars._apply,
    Softmax: Scalars._softmax,
    Detach: Scalars._detach,
    Blocks: Scalars._blocks,
    OneMatrix: Scalars._one,
    ZeroMatrix: Scalars._zero,
    Identity: Scalars._identity,
    DiagMatrix: Scalars._diag,
    KroneckerProduct: Scalars._kron,
    TimeSum: Scalars._sum,
}
