"""The value of an expression in an arithmetic.

Part of the trusted base. One method a node type; derivatives (Total, Immediate, …) are asked
of `truth`, which knows only the forward equations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, reduce
from random import Random
from typing import Any

from sympy import (
    Basic,
    DiagMatrix,
    Identity,
    Integer,
    MatAdd,
    MatMul,
    MatrixExpr,
    MatrixSymbol,
    Rational,
    Transpose,
    ZeroMatrix,
)
from sympy.matrices.expressions import HadamardProduct, KroneckerProduct, OneMatrix

from rnnsym.errors import NotSupportedError
from rnnsym.evaluate.arithmetic import Arithmetic
from rnnsym.evaluate.dual import EQUATIONS
from rnnsym.nodes import (
    Adjoint,
    Apply,
    Blocks,
    Detach,
    Softmax,
    Stack,
    TimeProduct,
    TimeSum,
    TimeVector,
    Total,
    Unknown,
)

Matrix = Any


class Evaluator:
    """Evaluates expressions.

    leaf(node, time) gives the value of a parameter (time None) or of a time-indexed vector at a
    whole time; sizes and bindings say what the symbols in shapes and times stand for; truth, if
    given, answers for derivatives: truth(node, u, v) with numbers for times. `held` is asked for
    what is detached, and may answer with values that stay as they are while others are varied.
    """

    def __init__(
        self,
        arithmetic: Arithmetic,
        leaf: Callable[[Any, int | None], Matrix],
        symbols: Mapping[Basic, Any],
        truth: Callable[[Any], Matrix] | None = None,
    ) -> None:
        self.ar, self.leaf, self.truth = arithmetic, leaf, truth
        self.held = leaf
        self.symbols: dict[Basic, Any] = dict(symbols)
        self._numbers: tuple[Any, dict[Any, int]] = None, {}

    def number(self, e: Any) -> int:
        """A time or a size, which must come out as a whole number."""
        if isinstance(e, int):
            return e
        if self._numbers[0] is not self.symbols:  # other bindings: nothing known any more
            self._numbers = self.symbols, {}
        known = self._numbers[1]
        if e not in known:
            value = e if e.is_Integer else e.xreplace(self.symbols)
            if not value.is_Integer:
                raise NotSupportedError(f"{e} has no value here: bind {value.free_symbols}")
            known[e] = int(value)
        return known[e]

    def __call__(self, e: MatrixExpr) -> Matrix:
        for kind in type(e).__mro__:
            method = _METHODS.get(kind)
            if method is not None:
                return method(self, e)
        raise NotSupportedError(f"no evaluation for {type(e).__name__}")

    def shape(self, e: MatrixExpr) -> tuple[int, int]:
        return self.number(e.rows), self.number(e.cols)

    def _leaf(self, e: Any) -> Matrix:
        return self.leaf(e, None if isinstance(e, MatrixSymbol) else self.number(e.time))

    def _stack(self, e: Stack) -> Matrix:
        return self.ar.blocks([[self(p)] for p in e.parts])

    def _add(self, e: MatAdd) -> Matrix:
        return reduce(self.ar.add, map(self, e.args))

    def _mul(self, e: MatMul) -> Matrix:
        number: Any = None
        product: Matrix = None
        # from the right: vectors stay vectors
        for a in reversed(e.args):
            if isinstance(a, MatrixExpr):
                product = self(a) if product is None else self.ar.matmul(self(a), product)
            else:
                number = a if number is None else number * a
        if number is None:
            return product
        return self.ar.scale(number.xreplace(self.symbols), product)

    def _hadamard(self, e: HadamardProduct) -> Matrix:
        return reduce(self.ar.hadamard, map(self, e.args))

    def _transpose(self, e: Transpose) -> Matrix:
        return self.ar.transpose(self(e.arg))

    def _apply(self, e: Apply) -> Matrix:
        z = self(e.argument)
        if e.order == 1 and e.function in EQUATIONS:
            return EQUATIONS[e.function](self.ar, z, self.ar.apply(e.function, 0, z))
        return self.ar.apply(e.function, e.order, z)

    def _softmax(self, e: Softmax) -> Matrix:
        z = self(e.argument)
        shift = self.ar.softmax_shift(z)
        powers = self.ar.apply("exp", 0, z if shift is None else self.ar.add(z, shift))
        n = self.ar.shape(powers)[0]
        total = self.ar.matmul(self.ar.full(n, n, 1), powers)
        return self.ar.hadamard(powers, self.ar.apply("reciprocal", 0, total))

    def _unknown(self, e: Unknown) -> Matrix:
        """f_0 + f_1 of fixed mixtures of all arguments: nothing else is known of f."""
        u, rng = self.ar.blocks([[self(a)] for a in e.arguments]), Random(e.function)
        total = self.ar.full(*self.shape(e), 0)
        for k in range(2):
            size = range(self.ar.shape(total)[0]), range(self.ar.shape(u)[0])
            share = self.ar.array([[rng.randint(-99, 99) for _ in size[1]] for _ in size[0]])
            mixed = self.ar.scale(Rational(1, 64), self.ar.matmul(share, u))
            total = self.ar.add(total, self.ar.apply(f"{e.function}_{k}", 0, mixed))
        return total

    def _detach(self, e: Detach) -> Matrix:
        if self.number(e.gate):
            return self(e.argument)
        return self.ar.detach(self.held(e.argument, self.number(e.argument.time)))

    def _blocks(self, e: Blocks) -> Matrix:
        return self.ar.blocks([[self(b) for b in row] for row in e.blocks])

    def _constant(self, e: OneMatrix | ZeroMatrix) -> Matrix:
        return self.ar.full(*self.shape(e), int(isinstance(e, OneMatrix)))

    def _identity(self, e: Identity) -> Matrix:
        return self.ar.eye(self.number(e.rows))

    def _diag(self, e: DiagMatrix) -> Matrix:
        v = self(e.args[0])
        n = self.ar.shape(v)[0]
        spread = self.ar.matmul(v, self.ar.full(1, n, 1))
        return self.ar.hadamard(spread, self.ar.eye(n))

    def _kron(self, e: KroneckerProduct) -> Matrix:
        return reduce(self._kron2, map(self, e.args))

    def _kron2(self, a: Matrix, b: Matrix) -> Matrix:
        """(a ⊗ 1)(1 ⊗ b) entrywise: spread both to the size of the product and multiply."""
        (m, n), (p, q) = self.ar.shape(a), self.ar.shape(b)
        wide = self.ar.matmul(a, self.ar.transpose(_selector(self.ar, n, q)))
        left = self.ar.matmul(_selector(self.ar, m, p), wide)
        right = self.ar.blocks([[b] * n] * m)
        return self.ar.hadamard(left, right)

    def _sum(self, e: TimeSum) -> Matrix:
        total = self.ar.full(*self.shape(e), 0)
        for value in self._bodies(e):
            total = self.ar.add(total, value)
        return total

    def _product(self, e: TimeProduct) -> Matrix:
        product = self.ar.eye(self.number(e.rows))
        for value in self._bodies(e):
            pair = (value, product) if e.order < 0 else (product, value)
            product = self.ar.matmul(*pair)
        return product

    def _bodies(self, e: TimeSum | TimeProduct) -> Any:
        """The values of the body for each value of the bound index, in ascending order."""
        lower, upper = self.number(e.lower), self.number(e.upper)
        outer = self.symbols
        for i in range(lower, upper + 1):
            self.symbols = {**outer, e.index: Integer(i)}
            yield self(e.body)
        self.symbols = outer

    def _truth(self, e: Any) -> Matrix:
        if self.truth is None:
            raise NotSupportedError(f"a {type(e).__name__} cannot be evaluated here")
        free = _free_symbols(e)  # a bound index of the same name is another variable
        return self.truth(e.xreplace({s: v for s, v in self.symbols.items() if s in free}))


def _selector(ar: Arithmetic, m: int, p: int) -> Matrix:
    """(mp × m): repeats each row p times."""
    return ar.array([[int(i // p == j) for j in range(m)] for i in range(m * p)])


@lru_cache(maxsize=10_000)
def _free_symbols(e: Any) -> frozenset[Basic]:
    return frozenset(e.free_symbols)


_METHODS: dict[type, Callable[[Evaluator, Any], Matrix]] = {
    TimeVector: Evaluator._leaf,
    MatrixSymbol: Evaluator._leaf,
    Stack: Evaluator._stack,
    MatAdd: Evaluator._add,
    MatMul: Evaluator._mul,
    HadamardProduct: Evaluator._hadamard,
    Transpose: Evaluator._transpose,
    Apply: Evaluator._apply,
    Softmax: Evaluator._softmax,
    Unknown: Evaluator._unknown,
    Detach: Evaluator._detach,
    Blocks: Evaluator._blocks,
    OneMatrix: Evaluator._constant,
    ZeroMatrix: Evaluator._constant,
    Identity: Evaluator._identity,
    DiagMatrix: Evaluator._diag,
    KroneckerProduct: Evaluator._kron,
    TimeSum: Evaluator._sum,
    TimeProduct: Evaluator._product,
    Total: Evaluator._truth,
    Adjoint: Evaluator._truth,
}
