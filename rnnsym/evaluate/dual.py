"""Dual numbers over any arithmetic: values with their derivatives in a few directions.

Part of the trusted base. This is the whole of differentiation that the base knows: sums, the
product rule, and one differential equation a function. A tangent is None where it is zero.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rnnsym.evaluate.arithmetic import Arithmetic

Matrix = Any


@dataclass(frozen=True)
class Dual:
    """A matrix and its derivative in each direction (None: zero in all of them)."""

    value: Matrix
    tangents: tuple[Matrix, ...] | None = None


#: g′ from the argument z and the value a = g(z), by the function's differential equation
EQUATIONS: dict[str, Callable[[Arithmetic, Matrix, Matrix], Matrix]] = {
    "tanh": lambda ar, z, a: _one_minus(ar, ar.hadamard(a, a)),
    "sigmoid": lambda ar, z, a: ar.hadamard(a, _one_minus(ar, a)),
    "softplus": lambda ar, z, a: ar.apply("sigmoid", 0, z),
    "relu": lambda ar, z, a: ar.apply("step", 0, z),
    "step": lambda ar, z, a: ar.full(*ar.shape(z), 0),
    "exp": lambda ar, z, a: a,
    "log": lambda ar, z, a: ar.apply("reciprocal", 0, z),
    "reciprocal": lambda ar, z, a: ar.scale(-1, ar.hadamard(a, a)),
    "identity": lambda ar, z, a: ar.full(*ar.shape(z), 1),
}


def _one_minus(ar: Arithmetic, a: Matrix) -> Matrix:
    return ar.add(ar.full(*ar.shape(a), 1), ar.scale(-1, a))


class DualArithmetic:
    """Arithmetic of `Dual`s over the arithmetic `base`."""

    def __init__(self, base: Arithmetic) -> None:
        self.base = base

    def array(self, rows: Any) -> Dual:
        return Dual(self.base.array(rows))

    def shape(self, a: Dual) -> tuple[int, int]:
        return self.base.shape(a.value)

    def full(self, rows: int, cols: int, number: Any) -> Dual:
        return Dual(self.base.full(rows, cols, number))

    def eye(self, n: int) -> Dual:
        return Dual(self.base.eye(n))

    def add(self, a: Dual, b: Dual) -> Dual:
        return Dual(self.base.add(a.value, b.value), self._plus(a.tangents, b.tangents))

    def _plus(self, a: Any, b: Any) -> Any:
        if a is None or b is None:
            return b if a is None else a
        return tuple(self.base.add(x, y) for x, y in zip(a, b, strict=True))

    def _bilinear(self, op: Callable[[Matrix, Matrix], Matrix], a: Dual, b: Dual) -> Dual:
        """The product rule d(ab) = da b + a db."""
        left = None if a.tangents is None else tuple(op(x, b.value) for x in a.tangents)
        right = None if b.tangents is None else tuple(op(a.value, y) for y in b.tangents)
        return Dual(op(a.value, b.value), self._plus(left, right))

    def matmul(self, a: Dual, b: Dual) -> Dual:
        return self._bilinear(self.base.matmul, a, b)

    def hadamard(self, a: Dual, b: Dual) -> Dual:
        return self._bilinear(self.base.hadamard, a, b)

    def _linear(self, op: Callable[[Matrix], Matrix], a: Dual) -> Dual:
        return Dual(op(a.value), None if a.tangents is None else tuple(map(op, a.tangents)))

    def scale(self, number: Any, a: Dual) -> Dual:
        return self._linear(lambda x: self.base.scale(number, x), a)

    def transpose(self, a: Dual) -> Dual:
        return self._linear(self.base.transpose, a)

    def blocks(self, rows: Sequence[Sequence[Dual]]) -> Dual:
        value = self.base.blocks([[b.value for b in row] for row in rows])
        count = next((len(b.tangents) for row in rows for b in row if b.tangents), 0)
        tangents = tuple(
            self.base.blocks([[self._tangent(b, i) for b in row] for row in rows])
            for i in range(count)
        )
        return Dual(value, tangents or None)

    def _tangent(self, a: Dual, i: int) -> Matrix:
        return a.tangents[i] if a.tangents else self.base.full(*self.shape(a), 0)

    def apply(self, function: str, order: int, a: Dual) -> Dual:
        value = self.base.apply(function, order, a.value)
        if a.tangents is None:
            return Dual(value)
        rule = EQUATIONS.get(function) if order == 0 else None
        if rule is not None:
            slope = rule(self.base, a.value, value)
        else:
            slope = self.base.apply(function, order + 1, a.value)
        return Dual(value, tuple(self.base.hadamard(slope, x) for x in a.tangents))

    def softmax_shift(self, a: Dual) -> Dual | None:
        shift = self.base.softmax_shift(a.value)
        return None if shift is None else Dual(shift)

    def detach(self, a: Dual) -> Dual:
        return Dual(a.value)
