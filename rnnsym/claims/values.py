"""The value of a term under a reading, at a point of a network.

Between the reader and the judge. Values are matrices of an arithmetic of `rnnsym.evaluate`;
derivatives are asked of a `Scene`, which knows the forward equations only. Nothing of the
calculus is used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from rnnsym.claims.blocks import Value, alike, chained, closed, joined
from rnnsym.claims.errors import (
    CannotError,
    MisfitError,
    NoValueError,
    NumbersNeededError,
    TooLargeError,
)
from rnnsym.claims.readings import Reading
from rnnsym.evaluate.dual import Dual, DualArithmetic
from rnnsym.reader import terms as u
from rnnsym.reader.indices import Index
from rnnsym.reader.ranges import ENTRIES

Matrix = Any
Numbers = Mapping[str, int]

#: entries of a matrix, terms of a sum, and the exponent of a power
MAX_ENTRIES, MAX_TERMS, MAX_POWER = 20_000, 2_000, 200
#: multiplications of numbers in one matrix product: in the field, and in 50 digits
MAX_WORK, MAX_DIGITS_WORK = 4_000_000, 40_000


class Values:
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
        elif self.scene.rows and self.ar.shape(m)[1] == 1:
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
        return Value(m)

    def _defined(self, term: u.Defined, numbers: Numbers) -> Value:
        index = tuple(self.number(i, numbers) for i in term.index)
        found: Value = self.scene.defined(self, term, index, numbers)
        return found

    def _constant(self, term: u.Constant, numbers: Numbers) -> Value:
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
        raise MisfitError(f"{self._show(a)} and {self._show(b)} cannot be added")

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

    # ---- products ------------------------------------------------------------------------

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
            return Value(_total(self.ar, self.ar.hadamard(a.m, b.m)))
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

    def _by_jacobian(self, a: Value, b: Value) -> Value | None:
        """v ⊙ J, where J is the Jacobian of an elementwise function: by its diagonal."""
        for v, j in ((a, b), (b, a)):
            (m, n), (p, q) = self.shape(v), self.shape(j)
            if p != q or p == 1 or sorted((m, n)) != [1, p] or not j.derived:
                continue
            if j.m == self.ar.hadamard(j.m, self.ar.eye(p)):
                m_ = self.ar.matmul(v.m, j.m) if m == 1 else self.ar.matmul(j.m, v.m)
                return Value(m_, derived=v.derived)
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

    # ---- functions -----------------------------------------------------------------------

    def _apply(self, term: u.Apply, numbers: Numbers) -> Value:
        v = closed(self(term.argument, numbers))
        return Value(self.scene.apply(self.ar, self.function(term.function), term.order, v.m))

    def function(self, name: str) -> str:
        """What a function is under the reading."""
        return self.reading.activation if name == "sigmoid" and self.reading.activation else name

    def _unknown(self, term: u.Unknown, numbers: Numbers) -> Value:
        arguments = [closed(self(a, numbers)).m for a in term.arguments]
        return Value(self.scene.unknown(self.ar, term.function, arguments))

    def _named(self, term: u.Named, numbers: Numbers) -> Value:
        arguments = [closed(self(a, numbers)) for a in term.arguments]
        v = arguments[0]
        ar = self.ar
        rows, cols = self.shape(v)
        match term.function:
            case "softmax" | "logsoftmax":
                column = cols == 1
                m = self.scene.softmax(ar, v.m if column else ar.transpose(v.m))
                if term.function == "logsoftmax":
                    m = ar.apply("log", 0, m)
                return Value(m if column else ar.transpose(m))
            case "diag" if v.kind:
                return replace(v, kind="identity" if v.kind == "one" else v.kind)
            case "diag":
                m = v.m if cols == 1 else ar.transpose(v.m)
                if 1 not in (rows, cols):
                    if rows != cols:
                        raise MisfitError(f"the diagonal of {self._show(v)}")
                    m = self.entries([[(i, i)] for i in range(rows)], v.m)
                    return Value(m)
                n = ar.shape(m)[0]
                self.afford(n, n)
                return Value(ar.hadamard(ar.matmul(m, ar.full(1, n, 1)), ar.eye(n)))
            case "vec":
                return Value(
                    ar.blocks(
                        [[self.entries([[(i, j)]], v.m)] for j in range(cols) for i in range(rows)]
                    )
                )
            case "trace":
                if rows != cols:
                    raise MisfitError(f"the trace of {self._show(v)}")
                return Value(_total(ar, self.entries([[(i, i)] for i in range(rows)], v.m)))
            case "total":
                return Value(_total(ar, v.m))
            case "crossentropy" if len(arguments) == 2:
                y, p = arguments
                if getattr(term.arguments[0], "name", "") in self.scene.net.equations:
                    y, p = p, y
                product = self.times(y, Value(ar.apply("log", 0, p.m)), "⊙").m
                return Value(ar.scale(-1, _total(ar, product)))
            case "inner" if self.reading.outer:  # ⟨a, b⟩ as a bᵀ
                turned = self._turning(v, arguments[1])
                if turned is None:
                    raise MisfitError(f"⟨{self._show(v)}, {self._show(arguments[1])}⟩")
                return turned
            case "inner":
                return Value(_total(ar, self.times(v, arguments[1], "⊙").m))
            case "detach":
                return Value(ar.detach(v.m))
            case "chain":
                result = v
                for other in arguments[1:]:
                    result = self._chained(result, other)
                return result
            case "abs" if (rows, cols) != (1, 1) and self.scene.numeric:
                return Value(self.scene.norm(ar, "norm", v.m))
            case "norm" | "frobenius" | "norm1" | "norminf" | "abs" | "det" | "max" | "min":
                if not self.scene.numeric:
                    if term.function == "norm" and 1 in (rows, cols):
                        raise NumbersNeededError("a norm")
                    raise NumbersNeededError(term.function)
                matrices = [a.m for a in arguments]
                return Value(self.scene.norm(ar, term.function, *matrices))
        raise CannotError(f"{term.function} is not evaluated")

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

    # ---- derivatives ---------------------------------------------------------------------

    def _derivative(self, term: u.Derivative, numbers: Numbers) -> Value:
        v = replace(self._laid_out(term, numbers), derived=True)
        if term.divided is not None:
            return self.over(v, self(term.divided, numbers))
        return v

    def _laid_out(self, term: u.Derivative, numbers: Numbers) -> Value:
        jacobian, of, by = self.scene.jacobian(self, term, numbers)
        ar, layout = self.ar, self.reading.layout
        scalar = of == (1, 1)
        vector = 1 in by
        if scalar and by == (1, 1):
            return Value(jacobian)
        own_row = self.scene.rows or self.reading.rows
        if scalar:
            m = jacobian if vector else self._reshaped(jacobian, by)
            if vector:
                if term.kind in ("∇", "δ") or layout in ("gradient", "denominator"):
                    return Value(m if own_row else ar.transpose(m))
                return Value(m)
            turned = self.reading.rows != (layout == "strict" and term.kind not in ("∇", "δ"))
            return Value(ar.transpose(m) if turned else m)
        shape = None if vector else by
        if layout == "denominator":
            return Value(ar.transpose(jacobian), covec=shape)
        return Value(jacobian, shape)

    def _adjoint(self, term: u.Adjoint, numbers: Numbers) -> Value:
        """A gradient by its customary name."""
        meant = dict(self.reading.meant).get(term.label)
        if meant is None and not term.names:
            raise CannotError(f"what is {term.label}?")
        name, way = meant or (term.names[0], "total")
        step = None if term.loss is None else self.number(term.loss, numbers)
        row = self.scene.adjoint(self, name, self.number(term.time, numbers), way, step)
        lying = (self.scene.rows or self.reading.rows) != self.reading.lying
        return Value(row if lying else self.ar.transpose(row))

    # ---- ranges --------------------------------------------------------------------------

    def _ranged(self, term: u.Ranged, numbers: Numbers) -> Value:
        lower, upper = self.scene.range(self, term, numbers)
        down = self.scene.is_descending(self, term, numbers)
        if abs(upper - lower) > MAX_TERMS:
            raise TooLargeError(f"too large: a sum of more than {MAX_TERMS:,} terms")
        values = range(lower, upper - 1, -1) if down else range(lower, upper + 1)
        if not values:
            return self._empty(term, numbers)
        total: Value | None = None
        for i in values:
            try:
                v = self(term.body, {**numbers, term.index: i})
            except NoValueError:
                if term.op != "sum" or i != 0 or upper == 0:
                    raise
                continue  # Σ_{t=0}: no step comes before the first
            if total is None:
                total = v
            elif term.op == "sum":
                total = self.plus(total, v)
            elif term.op == "prod":
                later_left = self.reading.descending == self.scene.descends(term) and not down
                total = self.times(v, total, "") if later_left else self.times(total, v, "")
            elif not self.scene.numeric:
                raise NumbersNeededError(f"the {term.op} of some")
            else:
                total = Value(self.scene.norm(self.ar, term.op, total.m, v.m))
        assert total is not None
        return total

    def _empty(self, term: u.Ranged, numbers: Numbers) -> Value:
        if term.op == "sum":
            return Value(self.ar.full(1, 1, 0), kind="zero")
        if term.op == "prod":
            return Value(self.ar.full(1, 1, 1), kind="identity")
        raise CannotError("the greatest of nothing")

    # ---- parts ---------------------------------------------------------------------------

    def _concat(self, term: u.Concat, numbers: Numbers) -> Value:
        table = not term.rows and all(isinstance(p, u.Concat) and p.rows for p in term.parts)
        rows = term.parts if table else (term,)
        grid = [[self(x, numbers) for x in row.parts] for row in rows]  # type: ignore[attr-defined]
        flat = [v for row in grid for v in row]
        lying = all(self.shape(v)[0] == 1 and self.shape(v)[1] > 1 for v in flat)
        if not (table or term.rows or lying):
            grid = [[v] for v in flat]
        return joined(self, grid)

    def _component(self, term: u.Component, numbers: Numbers) -> Value:
        v = closed(self(term.body, numbers))
        indices = [self.number(i, numbers) for i in term.indices]
        rows, cols = self.shape(v)
        if len(indices) == 1:
            if 1 not in (rows, cols):
                raise MisfitError("one index for a matrix")
            indices = [indices[0], 1] if cols == 1 else [1, indices[0]]
        if len(indices) != 2:
            raise MisfitError("more than two indices for a matrix")
        i, j = indices
        if not (1 <= i <= rows and 1 <= j <= cols):
            raise MisfitError(f"there is no entry ({i}, {j}) in {self._show(v)}")
        return Value(self.entries([[(i - 1, j - 1)]], v.m))

    def _choice(self, term: u.Choice, numbers: Numbers) -> Value:
        for value, condition in term.cases:
            if condition is None or self.scene.holds(self, condition, numbers):
                return self(value, numbers)
        raise CannotError("no case applies")

    def _claim(self, term: u.Claim, numbers: Numbers) -> Value:
        raise CannotError("a relation has no value")

    # ---- comparison ----------------------------------------------------------------------

    def pair(self, a: Value, b: Value) -> tuple[Matrix, Matrix]:
        """Two sides as matrices of one shape. Raises MisfitError if they have none."""
        if self.reading.diagonal:  # ∂z/∂b = 1 says that it is I
            a, b = self._one_as_identity(a, b), self._one_as_identity(b, a)
        a, b = alike(self, self.sized(a, b), self.sized(b, a))
        if self.shape(a) == self.shape(b):
            return a.m, b.m
        fitted = self._unvec(a, b)
        if fitted is None and self.reading.factor:
            fitted = self._as_factor(a, b)
        if fitted is None and self.reading.diagonal:
            fitted = self._as_diagonal(a, b)
        flipped = 1 in self.shape(a) and self.shape(a) == self.shape(b)[::-1]
        if fitted is None and self.reading.outer and flipped:
            fitted = closed(a).m, self.ar.transpose(closed(b).m)
        if fitted is not None:
            return fitted
        raise MisfitError(f"{self._show(a)} on the left, {self._show(b)} on the right")

    def _one_as_identity(self, v: Value, other: Value) -> Value:
        rows, cols = self.shape(other)
        square = not other.kind and not other.is_open and rows == cols > 1
        return replace(v, kind="identity", ones="") if v.kind == "one" and square else v

    def _as_factor(self, a: Value, b: Value) -> tuple[Matrix, Matrix] | None:
        """∂z/∂W beside the x that it puts after ∂L/∂z: it is xᵀ ⊗ I."""
        if a.vec is None:
            found = self._as_factor(b, a) if b.vec is not None else None
            return None if found is None else found[::-1]
        (rows, columns), (height, width) = self.shape(b), a.vec
        if sorted((rows, columns)) != [1, width] or self.shape(a)[0] != height or width == 1:
            return None
        row = closed(b).m if rows == 1 else self.ar.transpose(closed(b).m)
        return a.m, self.kron(row, self.ar.eye(height))

    def _as_diagonal(self, a: Value, b: Value) -> tuple[Matrix, Matrix] | None:
        """A Jacobian beside a vector that stands for its diagonal, as in ∂c/∂c⁻ = f."""
        (m, n), (p, q) = self.shape(a), self.shape(b)
        if m == n and sorted((p, q)) == [1, m] and m > 1:
            column = closed(b).m if q == 1 else self.ar.transpose(closed(b).m)
            spread = self.ar.matmul(column, self.ar.full(1, m, 1))
            return closed(a).m, self.ar.hadamard(spread, self.ar.eye(m))
        if p == q and sorted((m, n)) == [1, p] and p > 1:
            second, first = self._as_diagonal(b, a) or (None, None)
            return first, second
        return None


def _holds_identity(term: u.Concat) -> bool:
    """Whether an I stands in a column of blocks, [I; 0]."""
    return not term.rows and any(
        isinstance(x, u.Constant) and x.kind == "identity" for x in term.parts
    )


def _total(ar: Any, m: Matrix) -> Matrix:
    rows, cols = ar.shape(m)
    return ar.matmul(ar.matmul(ar.full(1, rows, 1), m), ar.full(cols, 1, 1))


def dimension_of(term: u.Term, index: str) -> u.Term | None:
    """The quantity whose entries an index counts, and in which place (1 or 2)."""
    for node in u.walk(term):
        if isinstance(node, u.Component) and any(index in i.names for i in node.indices):
            return node
    return None


__all__ = [
    "ENTRIES",
    "CannotError",
    "MisfitError",
    "NumbersNeededError",
    "TooLargeError",
    "Value",
    "Values",
]
