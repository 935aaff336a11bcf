"""The value of a term: what it is made of, and sums.

First part of `values`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from rnnsym.claims.blocks import Value, alike, closed
from rnnsym.claims.errors import (
    CannotError,
    MisfitError,
    TooLargeError,
)
from rnnsym.claims.readings import Reading
from rnnsym.evaluate.dual import Dual, DualArithmetic
from rnnsym.reader import terms as u
from rnnsym.reader.indices import Index

Matrix = Any
Numbers = Mapping[str, int]

#: entries of a matrix, terms of a sum, and the exponent of a power
MAX_ENTRIES, MAX_TERMS, MAX_POWER = 20_000, 2_000, 200
#: multiplications of numbers in one matrix product: in the field, and in 50 digits
MAX_WORK, MAX_DIGITS_WORK = 4_000_000, 40_000


class Sums:
    """Evaluates terms in one arithmetic.

    leaf(name, time) gives the value of a quantity; derivative(term, numbers, values) that of a
    derivative, as a Jacobian in numerator layout with what it varies by.
    """

    def __init__(
        self,
        scene: Any,
        ar: Any,
        leaf: Callable[[str, int | None], Matrix],
        loss: Callable[[], Matrix],
        reading: Reading,
        free: Mapping[str, Matrix] | None = None,
    ) -> None:
        self.scene, self.ar, self.leaf, self.loss = scene, ar, leaf, loss
        self.reading, self.free = reading, dict(free or {})
        self.known: dict[Any, Value] = {}  # values of what the document defines

    def __call__(self, term: u.Term, numbers: Numbers) -> Value:
        """The value. Raises MisfitError, NumbersNeededError, CannotError or TooLargeError."""
        self.scene.tick()
        method = getattr(self, f"_{type(term).__name__.lower()}")
        found: Value = method(term, numbers)
        return found

    def shape(self, v: Value) -> tuple[int, int]:
        found: tuple[int, int] = self.ar.shape(v.m)
        return found

    def afford(self, rows: int, cols: int, inner: int = 1) -> None:
        """Raises TooLargeError for a matrix, or a product of matrices, that is too large."""
        self.scene.tick()
        if rows * cols > MAX_ENTRIES:
            raise TooLargeError(f"too large: a matrix of more than {MAX_ENTRIES:,} entries")
        if rows * cols * inner > (MAX_DIGITS_WORK if self.scene.numeric else MAX_WORK):
            raise TooLargeError(f"too large: a product of matrices ({rows}, {inner}, {cols})")

    def _matmul(self, a: Matrix, b: Matrix) -> Matrix:
        (rows, inner), (_, cols) = self.ar.shape(a), self.ar.shape(b)
        self.afford(rows, cols, inner)
        return self.ar.matmul(a, b)

    def scalar(self, number: Any) -> Value:
        return Value(self.ar.full(1, 1, number))

    def is_scalar(self, v: Value) -> bool:
        return not v.kind and not v.is_open and self.shape(v) == (1, 1)

    # ---- leaves --------------------------------------------------------------------------

    def _num(self, term: u.Num, numbers: Numbers) -> Value:
        from sympy import Rational

        if term.value == 1:
            return Value(self.ar.full(1, 1, 1), kind="one")
        if term.value == 0:
            return Value(self.ar.full(1, 1, 0), kind="zero")
        return self.scalar(Rational(term.value.numerator, term.value.denominator))

    def _whole(self, term: u.Whole, numbers: Numbers) -> Value:
        return self.scalar(self.number(term.index, numbers))

    def number(self, index: Index, numbers: Numbers) -> int:
        try:
            return index.value(numbers)
        except KeyError as error:
            raise CannotError(f"what is {error.args[0]}?") from None

    def _leaf(self, term: u.Leaf, numbers: Numbers) -> Value:
        time = None if term.time is None else self.number(term.time, numbers)
        m = self.leaf(term.name, time)
        if term.name in self.scene.net.parameters:
            time = None
        if (self.scene.rows and time is not None) or self.reading.rows:
            m = self.ar.transpose(m)
        elif self.scene.rows and self.ar.shape(m)[1] == 1 and term.name not in self.scene.upright:
            m = self.ar.transpose(m)  # a bias is a row, as vectors are
        return Value(m)

    def _free(self, term: u.Free, numbers: Numbers) -> Value:
        if term.name not in self.free:
            self.free[term.name] = self.scene.variable(self.ar, term.name)
        return Value(self.free[term.name])

    def _loss(self, term: u.Loss, numbers: Numbers) -> Value:
        m = self.loss()
        if self.reading.mean != self.scene.table.mean:
            m = self.ar.scale(self.scene.fraction(1, self.scene.steps), m)
        for penalty in self.scene.table.penalties:
            m = self.ar.add(m, self(penalty, numbers).m)
        return Value(m)

    def _defined(self, term: u.Defined, numbers: Numbers) -> Value:
        index = tuple(self.number(i, numbers) for i in term.index)
        found: Value = self.scene.defined(self, term, index, numbers)
        return found

    def _constant(self, term: u.Constant, numbers: Numbers) -> Value:
        if term.kind == "infinity":
            raise CannotError("∞ is no number to compute with")
        number = 0 if term.kind == "zero" else 1
        lying = self.scene.rows or self.reading.rows
        ones = ("row" if lying else "column") if term.kind == "one" else ""
        return Value(self.ar.full(1, 1, number), kind=term.kind, ones=ones)

    # ---- sums ----------------------------------------------------------------------------

    def _sum(self, term: u.Sum, numbers: Numbers) -> Value:
        total: Value | None = None
        for sign, part in term.terms:
            v = self(part, numbers)
            if sign == -1:
                v = replace(v, m=self.ar.scale(-1, v.m))
            total = v if total is None else self.plus(total, v)
        assert total is not None
        return total

    def plus(self, a: Value, b: Value) -> Value:
        """a + b: numbers are added to every entry, I and 0 take the other's size."""
        if a.kind and b.kind:
            return self._constants(a, b)
        a, b = alike(self, self.sized(a, b), self.sized(b, a))
        if self.shape(a) == self.shape(b):
            total = self.ar.add(a.m, b.m)
            turned = a.turned or b.turned
            return replace(a, m=total, vec=a.vec or b.vec, covec=a.covec or b.covec, turned=turned)
        fitted = self._unvec(a, b)
        if fitted is not None:
            return Value(self.ar.add(*fitted))
        if self.is_scalar(a) or self.is_scalar(b):
            big, small = (closed(b), a) if self.is_scalar(a) else (closed(a), b)
            return Value(self.ar.add(big.m, self._spread(small.m, self.shape(big))), big.vec)
        fitted = self.as_diagonal(a, b) if self.reading.diagonal else None
        if fitted is not None:
            return Value(self.ar.add(*fitted), derived=True)
        raise MisfitError(f"{self._show(a)} and {self._show(b)} cannot be added")

    def as_diagonal(self, a: Value, b: Value) -> tuple[Matrix, Matrix] | None:
        """A Jacobian beside a vector that stands for its diagonal, as in ∂c/∂c⁻ = f."""
        (m, n), (p, q) = self.shape(a), self.shape(b)
        if m == n and sorted((p, q)) == [1, m] and m > 1:
            column = closed(b).m if q == 1 else self.ar.transpose(closed(b).m)
            spread = self.ar.matmul(column, self.ar.full(1, m, 1))
            return closed(a).m, self.ar.hadamard(spread, self.ar.eye(m))
        if p == q and sorted((m, n)) == [1, p] and p > 1:
            second, first = self.as_diagonal(b, a) or (None, None)
            return first, second
        return None

    def _constants(self, a: Value, b: Value) -> Value:
        """The sum of two constants whose size is open."""
        if "zero" in (a.kind, b.kind):
            return b if a.kind == "zero" else a
        if a.kind != b.kind:
            raise CannotError("the size of I beside a number is not determined")
        return Value(self.ar.add(a.m, b.m), kind=a.kind)

    def _spread(self, m: Matrix, shape: tuple[int, int]) -> Matrix:
        rows, cols = shape
        left = self.ar.matmul(self.ar.full(rows, 1, 1), m)
        return self.ar.matmul(left, self.ar.full(1, cols, 1))

    def sized(self, v: Value, other: Value) -> Value:
        """A constant in the size of its neighbour."""
        if not v.kind or other.kind:
            return v
        if other.is_open and v.kind == "zero":
            return replace(other, m=self.ar.scale(0, other.m), vec=None, covec=None)
        rows, cols = self.shape(closed(other))
        m = self._spread(v.m, (rows, cols))
        if v.kind == "identity":
            if rows != cols:
                raise MisfitError(f"I cannot be added to {self._show(other)}")
            m = self.ar.hadamard(m, self.ar.eye(rows))
        return Value(m)

    def _unvec(self, a: Value, b: Value) -> tuple[Matrix, Matrix] | None:
        """A row dL/d vec W and a matrix of W's shape, brought to one shape."""
        for x, y, turned in ((a, b, False), (b, a, True)):
            if x.vec is not None and self.shape(x)[0] == 1 and self.shape(y) == x.vec:
                m = self._reshaped(x.m, x.vec)
                return (y.m, m) if turned else (m, y.m)
            if x.covec is None or self.shape(x)[1] != 1:
                continue
            own = x.covec[::-1] if x.turned else x.covec
            if self.shape(y) == own:
                m = self._reshaped(self.ar.transpose(x.m), x.covec)
                m = self.ar.transpose(m) if x.turned else m
                return (y.m, m) if turned else (m, y.m)
        return None

    def _reshaped(self, m: Matrix, shape: tuple[int, int]) -> Matrix:
        rows, cols = shape
        return self.entries([[(0, j * rows + i) for j in range(cols)] for i in range(rows)], m)

    def entries(self, places: list[list[tuple[int, int]]], m: Matrix) -> Matrix:
        """A matrix of chosen entries of another, in any arithmetic."""

        def chosen(ar: Any, x: Matrix) -> Matrix:
            return ar.array([[x[i, j] for i, j in row] for row in places])

        if not isinstance(self.ar, DualArithmetic):
            return chosen(self.ar, m)
        base = self.ar.base
        tangents = None if m.tangents is None else tuple(chosen(base, x) for x in m.tangents)
        return Dual(chosen(base, m.value), tangents)

    def _show(self, v: Value) -> str:
        return f"a matrix ({', '.join(map(str, self.shape(v)))})"
