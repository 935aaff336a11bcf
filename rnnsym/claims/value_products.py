"""The value of a term: products, quotients, powers and transposes, as a reading has them.

Second part of `values`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rnnsym.claims.blocks import Value, alike, chained, closed
from rnnsym.claims.errors import (
    CannotError,
    MisfitError,
    TooLargeError,
)
from rnnsym.claims.value_sums import MAX_POWER, Matrix, Numbers, Sums
from rnnsym.reader import terms as u


class Products(Sums):
    """Evaluates products too."""

    def _product(self, term: u.Product, numbers: Numbers) -> Value:
        factors = self._factors(term, numbers)
        elementwise = {"⊙", "⊘", "*"}
        groups: list[tuple[str, list[tuple[str, Value]]]] = []
        for op, v in factors:
            if op in elementwise or not groups:
                groups.append((op, [("", v)]))
            else:
                groups[-1][1].append((op, v))
        if len(groups) == 1:
            return self._times(factors)
        try:
            parts = [(op, self._times(group)) for op, group in groups]
            return self._times(parts)
        except MisfitError:  # a ⊙ b cᵀ is (a ⊙ b) cᵀ, where a ⊙ (b cᵀ) has no meaning
            return self._times(factors)

    def _factors(self, term: u.Product, numbers: Numbers) -> list[tuple[str, Value]]:
        """The values of the factors; the I of a block [I; 0] has the height of what follows."""
        found: list[tuple[str, Value]] = []
        for op, x in reversed(term.factors):
            tried = self.scene.identity_size
            following = found[-1][1] if found else None
            settled = following is not None and not (following.is_open or following.kind)
            if settled and isinstance(x, u.Concat) and _holds_identity(x):
                assert following is not None
                self.scene.identity_size = self.shape(following)[0]
            try:
                found.append((op, self(x, numbers)))
            finally:
                self.scene.identity_size = tried
        return found[::-1]

    def _times(self, factors: list[tuple[str, Value]]) -> Value:
        result = factors[0][1]
        for op, v in factors[1:]:
            result = self.times(result, v, op)
        return result

    def times(self, a: Value, b: Value, op: str) -> Value:
        """a op b."""
        if op == "/" or op == "⊘":
            return self.over(a, b)
        if op == "⊗":
            return self._otimes(a, b)
        if "zero" in (a.kind, b.kind):
            return Value(self.ar.full(1, 1, 0), kind="zero")
        if "identity" in (a.kind, b.kind):
            return self._by_identity(a, b)
        for constant, other in ((a, b), (b, a)):
            if constant.kind == "one" and self.is_scalar(other):  # m 1: of any size
                return replace(constant, m=self._scaled(constant.m, other.m))
        if op in ("", "·") and bool(a.kind) != bool(b.kind) and (a.ones or b.ones):
            return self._by_ones(a, b)
        a = Value(a.m, a.vec) if a.kind else a
        b = Value(b.m, b.vec) if b.kind else b
        if self.is_scalar(a):
            return replace(b, m=self._scaled(a.m, b.m))
        if self.is_scalar(b):
            return replace(a, m=self._scaled(b.m, a.m))
        if op == "⊙":
            a, b = alike(self, a, b)
        elif not (op and self.reading.dot == "elementwise"):
            a, b = chained(self, a, b)
        derived = a.derived and b.derived
        (m, n), (p, q) = self.shape(a), self.shape(b)
        same = (m, n) == (p, q)
        if op == "⊙" or (op == "*" and same):
            if not same:
                spread = self._by_jacobian(a, b) if self.reading.diagonal else None
                if spread is not None:
                    return spread
                raise MisfitError(f"{self._show(a)} ⊙ {self._show(b)}")
            return replace(a, m=self.ar.hadamard(a.m, b.m), vec=None)
        if self.reading.dot == "inner" and same and 1 in (m, n) and m != n:
            return Value(total_of(self.ar, self.ar.hadamard(a.m, b.m)))
        if self.reading.dot == "elementwise" and same and (op or n != p):
            return Value(self.ar.hadamard(closed(a).m, closed(b).m))
        if self.reading.diagonal:
            scaled = self._by_diagonal(a, b)
            if scaled is not None:
                return scaled
        if n == p:
            product = self._matmul(a.m, b.m)
            return Value(
                product,
                b.vec,
                rows=a.rows,
                cols=b.cols,
                covec=a.covec,
                derived=derived,
                turned=a.turned or b.turned,
            )
        if self.reading.outer and n != p:
            turned = self._turning(a, b)
            if turned is not None:
                return turned
        if derived and self.reading.chain:
            return replace(self._chained(a, b), derived=True)
        raise MisfitError(f"{self._show(a)} times {self._show(b)}")

    def _turning(self, a: Value, b: Value) -> Value | None:
        """A product in which a vector is transposed, so that it fits: a outer product of two."""
        (m, n), (p, q) = self.shape(a), self.shape(b)
        if n == q == 1:
            return Value(self._matmul(a.m, self.ar.transpose(b.m)))
        if m == p == 1:
            return Value(self._matmul(self.ar.transpose(a.m), b.m))
        if n == 1 and m == p:
            return Value(self._matmul(self.ar.transpose(a.m), b.m), b.vec)
        if p == 1 and n == q:
            return Value(self._matmul(a.m, self.ar.transpose(b.m)), covec=a.covec)
        return None

    def _chained(self, a: Value, b: Value) -> Value:
        """The chain rule's product of two derivatives, in whatever order the layout asks for."""
        for x, y in ((a.m, b), (self.ar.transpose(a.m), b)):
            if self.ar.shape(x)[1] == self.shape(b)[0]:
                m = self.ar.matmul(x, y.m)
                if b.vec is not None:
                    return Value(m, b.vec)
                turned = self.shape(a)[1] == 1 and self.ar.shape(m)[0] == 1
                return Value(self.ar.transpose(m) if turned else m)
        raise MisfitError(f"{self._show(a)} and {self._show(b)} do not chain")

    def _by_jacobian(self, a: Value, b: Value) -> Value | None:
        """v ⊙ J, where J is the Jacobian of an elementwise function: by its diagonal."""
        for v, j in ((a, b), (b, a)):
            (m, n), (p, q) = self.shape(v), self.shape(j)
            if p != q or p == 1 or sorted((m, n)) != [1, p] or not j.derived:
                continue
            if all(j.m[i, k] == 0 for i in range(p) for k in range(p) if i != k):
                m_ = self.ar.matmul(v.m, j.m) if m == 1 else self.ar.matmul(j.m, v.m)
                return Value(m_, derived=v.derived)
        for v, j in ((a, b), (b, a)):  # v ⊙ J in a product rule is diag(v) J
            (m, n), (p, q) = self.shape(v), self.shape(j)
            if n == 1 and m == p > 1 and q > 1 and j.derived and not v.derived:
                beside = self.ar.matmul(closed(v).m, self.ar.full(1, q, 1))
                return Value(self.ar.hadamard(beside, closed(j).m), j.vec, derived=True)
        return None

    def _by_diagonal(self, a: Value, b: Value) -> Value | None:
        """v M as diag(v) M, and M v as M diag(v), where a vector may stand for its diagonal."""
        (m, n), (p, q) = self.shape(a), self.shape(b)
        if n == 1 and m == p and m > 1 and q > 1:
            beside = self.ar.matmul(closed(a).m, self.ar.full(1, q, 1))
            return Value(self.ar.hadamard(beside, closed(b).m))
        both = self.reading.diagonal == "both"
        if m > 1 and n > 1 and ((p == 1 and q == n) or (both and q == 1 and p == n)):
            row = closed(b).m if p == 1 else self.ar.transpose(closed(b).m)
            return Value(self.ar.hadamard(closed(a).m, self.ar.matmul(self.ar.full(m, 1, 1), row)))
        return None

    def _by_ones(self, a: Value, b: Value) -> Value:
        """A matrix times a vector of ones: the sums of its rows or columns."""
        if b.ones == "column" and self.shape(a)[1] > 1:
            return Value(self._matmul(a.m, self._spread(b.m, (self.shape(a)[1], 1))))
        if a.ones == "row" and self.shape(b)[0] > 1:
            return Value(self._matmul(self._spread(a.m, (1, self.shape(b)[0])), b.m))
        raise MisfitError("a product with a vector of ones that sums nothing")

    def _scaled(self, number: Matrix, m: Matrix) -> Matrix:
        rows = self.ar.shape(m)[0]
        return self.ar.hadamard(self._spread(number, (rows, self.ar.shape(m)[1])), m)

    def _by_identity(self, a: Value, b: Value) -> Value:
        constant, other = (a, b) if a.kind == "identity" else (b, a)
        if self.shape(other) == (1, 1) and not other.is_open:
            return Value(self.ar.hadamard(constant.m, other.m), kind="identity")
        return replace(other, m=self._scaled(constant.m, other.m))

    def _otimes(self, a: Value, b: Value) -> Value:
        if self.reading.otimes == "elementwise":
            return self.times(a, b, "⊙")
        if self.reading.otimes == "outer":
            if self.shape(a)[1] != self.shape(b)[1]:
                raise MisfitError(f"{self._show(a)} ⊗ {self._show(b)}")
            return Value(self._matmul(a.m, self.ar.transpose(b.m)))
        a, b = closed(a), closed(b)
        for constant, other, side in ((a, b, "left"), (b, a, "right")):
            if constant.kind == "identity":
                return Value(self._scaled(constant.m, other.m), kron=side)
        return Value(self.kron(a.m, b.m))

    def kron(self, a: Matrix, b: Matrix) -> Matrix:
        """The Kronecker product."""
        (rows, cols), (height, width) = self.ar.shape(a), self.ar.shape(b)
        self.afford(rows * height, cols * width)
        return self.ar.blocks(
            [
                [self._scaled(self.entries([[(i, j)]], a), b) for j in range(cols)]
                for i in range(rows)
            ]
        )

    def over(self, a: Value, b: Value) -> Value:
        """a divided by b: by a number, or entry by entry."""
        a, b = Value(closed(a).m, a.vec), Value(closed(b).m, b.vec)
        inverse = self.ar.apply("reciprocal", 0, b.m)
        if self.is_scalar(b) or self.is_scalar(a):
            return self.times(a, Value(inverse), "")
        if self.shape(a) != self.shape(b):
            raise MisfitError(f"{self._show(a)} divided by {self._show(b)}")
        return Value(self.ar.hadamard(a.m, inverse))

    def _quotient(self, term: u.Quotient, numbers: Numbers) -> Value:
        return self.over(self(term.above, numbers), self(term.below, numbers))

    def _power(self, term: u.Power, numbers: Numbers) -> Value:
        base, n = closed(self(term.base, numbers)), self.number(term.exponent, numbers)
        if abs(n) > MAX_POWER:
            raise TooLargeError(f"too large: an exponent beyond {MAX_POWER}")
        kind = base.kind
        rows, cols = self.shape(base)
        matrix = rows == cols and rows > 1
        if n < 0:
            base = Value(
                self.scene.inverse(self.ar, base.m)
                if matrix
                else self.ar.apply("reciprocal", 0, base.m)
            )
            n = -n
        m = self.ar.eye(rows) if matrix else self.ar.full(rows, cols, 1)
        for _ in range(n):
            m = self._matmul(m, base.m) if matrix else self.ar.hadamard(m, base.m)
        return Value(m, kind=kind if kind != "zero" or n else "one")

    def _raised(self, term: u.Raised, numbers: Numbers) -> Value:
        raise CannotError("powers with such exponents are not evaluated")

    def _transposed(self, term: u.Transposed, numbers: Numbers) -> Value:
        v = self(term.body, numbers)
        ones = {"column": "row", "row": "column"}.get(v.ones, "")
        gradient = 1 in self.shape(v) and (v.vec is not None or v.covec is not None)
        # the transpose of a gradient by W is that of a matrix of its shape; of a Jacobian it is not
        return Value(
            self.ar.transpose(v.m),
            v.covec,
            v.kind,
            v.cols,
            v.rows,
            v.kron,
            v.vec,
            v.derived,
            v.turned != gradient,
            ones,
        )

    def part(self, v: Value, shape: tuple[int, int]) -> Value:
        """The first or the last entries of a column, as many as another has."""
        (rows, cols), (own, width) = shape, self.shape(v)
        if cols != 1 or width != 1 or own <= rows or v.kind or v.is_open:
            raise MisfitError(f"{self._show(v)} has no part of that shape")
        first = 0 if self.reading.part == "first" else own - rows
        return Value(self.entries([[(first + i, 0)] for i in range(rows)], v.m))


def _holds_identity(term: u.Concat) -> bool:
    """Whether an I stands in a column of blocks, [I; 0]."""
    return not term.rows and any(
        isinstance(x, u.Constant) and x.kind == "identity" for x in term.parts
    )


def total_of(ar: Any, m: Matrix) -> Matrix:
    rows, cols = ar.shape(m)
    return ar.matmul(ar.matmul(ar.full(1, rows, 1), m), ar.full(cols, 1, 1))
