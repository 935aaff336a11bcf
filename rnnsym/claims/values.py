"""The value of a term under a reading, at a point of a network.

Between the reader and the judge. Values are matrices of an arithmetic of `rnnsym.evaluate`;
derivatives are asked of a `Scene`, which knows the forward equations only. Nothing of the
calculus is used.
"""

from __future__ import annotations

from dataclasses import replace

from rnnsym.claims.blocks import Value, alike, closed, joined
from rnnsym.claims.errors import (
    CannotError,
    MisfitError,
    NoValueError,
    NumbersNeededError,
    TooLargeError,
)
from rnnsym.claims.value_products import Products, total_of
from rnnsym.claims.value_sums import MAX_TERMS, Matrix, Numbers
from rnnsym.reader import terms as u
from rnnsym.reader.gradients import way_of
from rnnsym.reader.ranges import ENTRIES


class Values(Products):
    """Evaluates terms in one arithmetic.

    leaf(name, time) gives the value of a quantity; derivative(term, numbers, values) that of a
    derivative, as a Jacobian in numerator layout with what it varies by.
    """

    # ---- functions -----------------------------------------------------------------------

    def _apply(self, term: u.Apply, numbers: Numbers) -> Value:
        v = closed(self(term.argument, numbers))
        return Value(self.scene.apply(self.ar, self.function(term.function), term.order, v.m))

    def _argument(self, term: u.Argument, numbers: Numbers) -> Value:
        if self.ar is not self.scene.ar:
            raise CannotError("an argument that is left out, within a derivative")
        m = self.scene.argument(term.name, self.number(term.time, numbers))
        return Value(self.ar.transpose(m) if self.scene.rows or self.reading.rows else m)

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
                return Value(total_of(ar, self.entries([[(i, i)] for i in range(rows)], v.m)))
            case "total":
                return Value(total_of(ar, v.m))
            case "crossentropy" if len(arguments) == 2:
                y, p = arguments
                if getattr(term.arguments[0], "name", "") in self.scene.net.equations:
                    y, p = p, y
                product = self.times(y, Value(ar.apply("log", 0, p.m)), "⊙").m
                return Value(ar.scale(-1, total_of(ar, product)))
            case "inner" if self.reading.outer:  # ⟨a, b⟩ as a bᵀ
                turned = self._turning(v, arguments[1])
                if turned is None:
                    raise MisfitError(f"⟨{self._show(v)}, {self._show(arguments[1])}⟩")
                return turned
            case "inner":
                return Value(total_of(ar, self.times(v, arguments[1], "⊙").m))
            case "detach":
                return Value(ar.detach(v.m))
            case "chain":
                result = v
                for other in arguments[1:]:
                    result = self._chained(result, other)
                return result
            case "abs" if (rows, cols) != (1, 1) and self.scene.numeric:
                return Value(self.scene.norm(ar, "norm", v.m))
            case (
                "norm"
                | "frobenius"
                | "norm1"
                | "norminf"
                | "abs"
                | "det"
                | "max"
                | "min"
                | "radius"
            ):
                if not self.scene.numeric:
                    if term.function == "norm" and 1 in (rows, cols):
                        raise NumbersNeededError("a norm")
                    raise NumbersNeededError(term.function)
                matrices = [a.m for a in arguments]
                return Value(self.scene.norm(ar, term.function, *matrices))
        raise CannotError(f"{term.function} is not evaluated")

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
        upright = [v for v in term.by if isinstance(v, u.Leaf) and v.name in self.scene.upright]
        if upright and vector and scalar and self.scene.rows:
            return Value(ar.transpose(jacobian))  # as that weight stands
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
        name, way = meant or (term.names[0], way_of(term.label))
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

    def _limit(self, term: u.Limit, numbers: Numbers) -> Value:
        raise CannotError("a limit within an expression is not evaluated")

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
            fitted = self.as_diagonal(a, b)
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
