"""Equations as graphs: one method a node type of the calculus.

Second station of the emitter. Matrices are never formed: a product is taken from the right, so
that every factor acts on a vector (diag(u) v = u ⊙ v, u vᵀ w = u (vᵀ w)), and a row is kept as
the column it is the transpose of.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sympy import (
    DiagMatrix,
    Expr,
    Identity,
    Integer,
    MatAdd,
    MatMul,
    MatrixExpr,
    MatrixSymbol,
    Mul,
    S,
    Transpose,
    ZeroMatrix,
    sympify,
)
from sympy.matrices.expressions import HadamardProduct, KroneckerProduct, OneMatrix

from rnnsym.algebra import factors, is_scalar, split, tr
from rnnsym.emit.graph import ONCE, Graph, Node
from rnnsym.emit.matrices import Matrix
from rnnsym.emit.steps import certainly_within
from rnnsym.errors import NotSupportedError
from rnnsym.nodes import (
    Adjoint,
    Apply,
    Blocks,
    Detach,
    Iverson,
    Joined,
    Softmax,
    TimeVector,
    t,
    time_vectors,
)

Rule = Callable[["Lowering", Any], Node]


class Lowering:
    """Writes column vectors down as nodes of a graph.

    variable(kind, v) gives the node of a vector ("value") or of its adjoint ("adjoint");
    forward(v) gives the right-hand side of a vector's equation, or None; axis: the number of
    steps for which the equations hold that are written down.
    """

    def __init__(
        self,
        graph: Graph,
        variable: Callable[[str, TimeVector], Node],
        forward: Callable[[TimeVector], MatrixExpr | None],
        axis: Expr,
    ) -> None:
        self.graph, self.variable, self.forward, self.axis = graph, variable, forward, axis

    def column(self, e: MatrixExpr) -> Node:
        """A column vector, or a scalar, at time t or the only time of the equation."""
        rule = COLUMNS.get(type(e))
        if rule is None or e.cols != 1:
            raise NotSupportedError(f"no code for {type(e).__name__} in {e}")
        return rule(self, e)

    def row(self, e: MatrixExpr) -> Node:
        """A row vector, as the column it is the transpose of."""
        if isinstance(e, MatrixSymbol):
            return self.graph.node("row", (self._matrix_data(e),), (), e.cols)
        if isinstance(e, Blocks):
            return self.graph.concat([self.row(b) for b in e.blocks[0]])
        return self.column(tr(e))

    def apply(self, m: MatrixExpr, v: Node) -> Node:
        """The product m v."""
        if m.cols == 1:
            return self.graph.mul(1, [self.column(m), v], m.rows)
        if m.rows == 1:
            return self.graph.sum(self.graph.mul(1, [self.row(m), v], v.size))
        if not time_vectors(m) and not isinstance(m, Blocks | Identity | DiagMatrix | MatAdd):
            return self._constant(m, v)
        rule = MATRICES.get(type(m))
        if rule is None:
            raise NotSupportedError(f"no code for {type(m).__name__} in {m}")
        return rule(self, m, v)

    # ---- columns ---------------------------------------------------------------------------

    def _vector(self, e: TimeVector) -> Node:
        return self._at(self.variable("value", e), e.time)

    def _adjoint(self, e: Adjoint) -> Node:
        return self._at(self.variable("adjoint", e.of), e.of.time)

    def _at(self, v: Node, time: Expr) -> Node:
        """The value of a vector at a time relative to the equation's, or at a fixed one."""
        if t in time.free_symbols:
            return self.graph.at(v, int(time - t))
        return self.graph.pick(v, time)

    def _detach(self, e: Detach) -> Node:
        return self.column(e.argument)

    def _parameter(self, e: MatrixSymbol) -> Node:
        return self.graph.node("data", (), (e.name, "parameter"), e.rows)

    def _matrix_data(self, e: MatrixSymbol) -> Node:
        return self.graph.node("data", (), (e.name, "parameter"), e.rows)

    def _add(self, e: MatAdd) -> Node:
        return self.graph.add([(1, self.column(a)) for a in e.args], e.rows)

    def _mul(self, e: MatMul) -> Node:
        factor, (*left, last) = number_and_factors(e)
        number, gates = split_gates(factor)
        bracket = next((g for g in gates if isinstance(g, Iverson) and t in g.free_symbols), None)
        if bracket is not None:  # [t = τ] v⟨t⟩ is v⟨τ⟩, at that step
            time = bracket.args[1] if bracket.args[0] == t else bracket.args[0]
            rest = MatMul(factor / bracket, *left, last).xreplace({t: time})
            sure = certainly_within(time, self.axis)
            return self.graph.place(self._once.column(rest), time, self.axis, sure)
        v = self.column(last)
        for m in reversed(left):
            v = self.apply(m, v)
        return self.graph.mul(number, [*map(self.gate, gates), v], e.rows)

    @property
    def _once(self) -> Lowering:
        """The same for equations at one time."""
        return Lowering(self.graph, self.variable, self.forward, ONCE)

    def gate(self, e: Expr) -> Node:
        """A number that is 0 or 1, whichever the time. Raises NotSupportedError for chunks whose
        length is not known."""
        if isinstance(e, Joined) and not e.args[0].is_Integer:
            raise NotSupportedError(
                f"detach(…, {e.args[0]}): code needs the number of steps in a chunk as a number"
            )
        return self.graph.gate(e, self.axis if t in e.free_symbols else ONCE)

    def _hadamard(self, e: HadamardProduct) -> Node:
        return self.graph.mul(1, [self.column(a) for a in e.args], e.rows)

    def _transpose(self, e: Transpose) -> Node:
        return self.column(e.arg) if is_scalar(e) else self.row(e.arg)

    def _apply(self, e: Apply) -> Node:
        """A function of a vector; of a squashed one, where that is more exact, as one step.

        log softmax(z), log σ(z) = -softplus(-z), and 1 - σ(z) = σ(-z) beside them: computed from
        z, they neither overflow nor cancel.
        """
        g, inner = self.graph, self.column(e.argument)
        if e.function == "identity":
            return inner if e.order == 0 else g.number(int(e.order == 1), e.rows)
        if e.function in ("log", "reciprocal") and e.order == 0:
            squashed, rest = self._squashed(e.argument)
            if squashed is not None:
                log = self._log(squashed, rest)
                if e.function == "log":
                    return log
                return g.call("exp", 0, g.mul(-1, [log], e.rows), e.rows)
        return g.call(e.function, e.order, inner, e.rows)

    def _squashed(self, e: MatrixExpr) -> tuple[MatrixExpr | None, bool]:
        """What e is as softmax(z), σ(z), or 1 minus one of them: the function, and whether 1 -."""
        rest = False
        if isinstance(e, MatAdd) and len(e.args) == 2:
            one, other = sorted(e.args, key=lambda a: not isinstance(a, OneMatrix))
            number, inner = split(other)
            if isinstance(one, OneMatrix) and number == -1:
                rest, e = True, inner
        if isinstance(e, TimeVector):
            value = self.forward(e)
            e = value.xreplace({t: e.time}) if value is not None else e
        if isinstance(e, Softmax) or (
            isinstance(e, Apply) and e.function == "sigmoid" and e.order == 0
        ):
            return e, rest
        return None, False

    def _log(self, squashed: MatrixExpr, rest: bool) -> Node:
        """log s or log(1 - s) of a squashed vector s."""
        g, z = self.graph, self.column(squashed.argument)
        if isinstance(squashed, Softmax):
            return g.call("log_rest_of_softmax" if rest else "log_softmax", 0, z, z.size)
        z = z if rest else g.mul(-1, [z], z.size)
        return g.mul(-1, [g.call("softplus", 0, z, z.size)], z.size)

    def _softmax(self, e: Softmax) -> Node:
        return self.graph.call("softmax", 0, self.column(e.argument), e.rows)

    def _blocks(self, e: Blocks) -> Node:
        return self.graph.concat([self.column(row[0]) for row in e.blocks])

    def _ones(self, e: OneMatrix) -> Node:
        return self.graph.number(1, e.rows)

    def _zeros(self, e: ZeroMatrix) -> Node:
        return self.graph.number(0, e.rows)

    # ---- matrices that act on a vector ---------------------------------------------------------

    def _constant(self, m: MatrixExpr, v: Node) -> Node:
        if isinstance(m, ZeroMatrix):
            return self.graph.number(0, m.rows)
        if isinstance(m, OneMatrix):
            return self.graph.mul(1, [self.graph.sum(v)], m.rows)
        if isinstance(m, MatMul):
            return self._product(m, v)
        if isinstance(m, Transpose):
            return self.graph.matvec(Matrix(m.arg, transposed=True), v)
        if isinstance(m, KroneckerProduct):
            return self._kronecker(m, v)
        return self.graph.matvec(Matrix(m), v)

    def _product(self, m: MatMul, v: Node) -> Node:
        factor, parts = number_and_factors(m)
        number, gates = split_gates(factor)
        for part in reversed(parts):
            v = self.apply(part, v)
        return self.graph.mul(number, [*map(self.gate, gates), v], m.rows)

    def _sum(self, m: MatAdd, v: Node) -> Node:
        return self.graph.add([(1, self.apply(a, v)) for a in m.args], m.rows)

    def _diag(self, m: DiagMatrix, v: Node) -> Node:
        return self.graph.mul(1, [self.column(m.args[0]), v], m.rows)

    def _identity(self, m: Identity, v: Node) -> Node:
        return v

    def _transposed(self, m: Transpose, v: Node) -> Node:
        pushed = tr(m.arg)
        if pushed == m:
            raise NotSupportedError(f"no code for the transpose of {m.arg}")
        return self.apply(pushed, v)

    def _kronecker(self, m: KroneckerProduct, v: Node) -> Node:
        scalars = [a for a in m.args if is_scalar(a)]
        others = [a for a in m.args if not is_scalar(a)]
        if len(others) != 1:
            raise NotSupportedError(f"no code for the Kronecker product {m}")
        return self.graph.mul(1, [*map(self.column, scalars), self.apply(others[0], v)], m.rows)

    def _block_rows(self, m: Blocks, v: Node) -> Node:
        parts = []
        for row in m.blocks:
            start, summands = Integer(0), []
            for block in row:
                piece = self.graph.slice(v, start, start + block.cols)
                summands.append((1, self.apply(block, piece)))
                start += block.cols
            parts.append(self.graph.add(summands, row[0].rows))
        return self.graph.concat(parts)


COLUMNS: dict[type, Rule] = {
    TimeVector: Lowering._vector,
    Adjoint: Lowering._adjoint,
    MatrixSymbol: Lowering._parameter,
    MatAdd: Lowering._add,
    MatMul: Lowering._mul,
    HadamardProduct: Lowering._hadamard,
    Transpose: Lowering._transpose,
    Apply: Lowering._apply,
    Softmax: Lowering._softmax,
    Detach: Lowering._detach,
    Blocks: Lowering._blocks,
    OneMatrix: Lowering._ones,
    ZeroMatrix: Lowering._zeros,
    Identity: Lowering._ones,  # of one row
}

MATRICES: dict[type, Callable[[Lowering, Any, Node], Node]] = {
    MatMul: Lowering._product,
    MatAdd: Lowering._sum,
    DiagMatrix: Lowering._diag,
    Identity: Lowering._identity,
    Transpose: Lowering._transposed,
    KroneckerProduct: Lowering._kronecker,
    Blocks: Lowering._block_rows,
}


def number_and_factors(e: MatMul) -> tuple[Any, list[MatrixExpr]]:
    """A product as its number, wherever that stands, and its matrices."""
    number, parts = S.One, []
    for a in e.args:
        if isinstance(a, MatrixExpr):
            parts.append(a)
        else:
            number = number * a
    return number, parts


def split_gates(factor: Any) -> tuple[Any, list[Expr]]:
    """A scalar as its number and the numbers in it that depend on time, which are 0 or 1."""
    factors = Mul.make_args(sympify(factor))
    gates = [f for f in factors if isinstance(f, Iverson | Joined)]
    return Mul(*(f for f in factors if f not in gates)), gates


def outer(e: MatrixExpr) -> tuple[Any, MatrixExpr, MatrixExpr]:
    """A matrix at one time step as (number, u, vᵀ) with u a column: number · u vᵀ."""
    number, _ = split(e)
    parts = factors(e)
    for i, part in enumerate(parts[:-1]):
        if part.cols == 1:
            left = parts[0] if i == 0 else MatMul(*parts[: i + 1])
            right = parts[-1] if i == len(parts) - 2 else MatMul(*parts[i + 1 :])
            return number, left, right
    raise NotSupportedError(f"a gradient must be a product of a column and a row, not {e}")
