"""The node types of rnnsym: time-indexed vectors and the operators of the calculus.

Start of the flow. Everything is a SymPy matrix expression in numerator layout; SymPy's own
MatAdd, MatMul, Transpose, HadamardProduct, KroneckerProduct and DiagMatrix serve beside these.
No node evaluates itself: `rnnsym.rules` differentiates, `rnnsym.evaluate` computes,
`rnnsym.latex` and `rnnsym.emit` print.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from sympy import Basic, Expr, Function, Integer, MatrixExpr, MatrixSymbol, S, Symbol, Tuple
from sympy.core.symbol import Str
from sympy.core.sympify import _sympify as strict  # refuses strings: text is never evaluated
from sympy.matrices.expressions.matexpr import MatrixElement

#: the time index of the forward equations, and the length of the sequence
t = Symbol("t", integer=True)
T = Symbol("T", integer=True, positive=True)


def length(name: str) -> Symbol:
    """The length of a sequence by its name: T, T_x, T_y, …"""
    return Symbol(name, integer=True, positive=True)


class Iverson(Function):
    """[a = b]: 1 where two times are equal, 0 elsewhere (Knuth 1992, Am. Math. Monthly 99)."""

    nargs = 2

    @classmethod
    def eval(cls, a: Any, b: Any) -> Any:
        """A number where it is known whether the two are equal."""
        equal = (a - b).is_zero
        return None if equal is None else Integer(int(equal))


class Joined(Function):
    """Joined(K, a, b): 1 where the times a and b lie in the same chunk of K steps, else 0.

    The chunks are 1 … K, K+1 … 2K, …; an initial value, at a time before 1, belongs to the first.
    """

    nargs = 3

    @classmethod
    def eval(cls, size: Any, a: Any, b: Any) -> Any:
        """A number where all of them are numbers."""
        if not (size.is_Integer and a.is_Integer and b.is_Integer):
            return None
        first, second = ((max(int(x), 1) - 1) // int(size) for x in (a, b))
        return Integer(int(first == second))


def _str(value: str | Str) -> Str:
    return value if isinstance(value, Str) else Str(value)


class _Node(MatrixExpr):
    """Common ground: a matrix expression that is nothing but its arguments."""

    def _entry(self, i: Any, j: Any, **_: Any) -> Expr:
        return MatrixElement(self, i, j)

    def doit(self, **hints: Any) -> Basic:
        """Nothing evaluates by itself; the parts may."""
        if not hints.get("deep", True):
            return self
        return self.func(*(a.doit(**hints) if isinstance(a, Expr) else a for a in self.args))


class TimeVector(_Node):
    """A column vector that has a value at every time step, such as ``a⟨t-1⟩``; shape (size, 1).

    >>> a = TimeVector("a", Symbol("n_a"), t - 1)
    >>> a.subs(t, 3).time
    2
    """

    def __new__(cls, name: str | Str, size: Any, time: Any) -> TimeVector:
        return Basic.__new__(cls, _str(name), strict(size), strict(time))

    @property
    def name(self) -> str:
        return str(self.args[0].name)

    @property
    def time(self) -> Expr:
        return self.args[2]

    @property
    def shape(self) -> tuple[Expr, Expr]:
        return self.args[1], S.One

    def at(self, time: Any) -> TimeVector:
        """The same vector at another time."""
        return TimeVector(self.args[0], self.args[1], time)


class Stack(_Node):
    """The state of a block of the network: its vectors below each other, under one name.

    ``Stack("s", [h⟨t⟩, c⟨t⟩], t)`` prints as ``s⟨t⟩``; shape (sum of sizes, 1).
    """

    def __new__(cls, name: str | Str, parts: Iterable[TimeVector], time: Any) -> Stack:
        return Basic.__new__(cls, _str(name), Tuple(*map(strict, parts)), strict(time))

    @property
    def name(self) -> str:
        return str(self.args[0].name)

    @property
    def parts(self) -> tuple[TimeVector, ...]:
        return tuple(self.args[1])

    @property
    def time(self) -> Expr:
        return self.args[2]

    @cached_property
    def shape(self) -> tuple[Expr, Expr]:
        return sum((p.rows for p in self.parts), S.Zero), S.One


class Apply(_Node):
    """An elementwise function ``g⁽ᵒʳᵈᵉʳ⁾(argument)``, named, of any order of derivative."""

    def __new__(cls, function: str | Str, argument: Any, order: Any = 0) -> Apply:
        return Basic.__new__(cls, _str(function), strict(argument), Integer(order))

    @property
    def function(self) -> str:
        return str(self.args[0].name)

    @property
    def argument(self) -> MatrixExpr:
        return self.args[1]

    @property
    def order(self) -> int:
        return int(self.args[2])

    @property
    def shape(self) -> tuple[Expr, Expr]:
        return self.argument.shape


class Softmax(_Node):
    """softmax(z) = exp(z) / (1ᵀ exp(z)) of a column vector."""

    def __new__(cls, argument: Any) -> Softmax:
        return Basic.__new__(cls, strict(argument))

    @property
    def argument(self) -> MatrixExpr:
        return self.args[0]

    @property
    def shape(self) -> tuple[Expr, Expr]:
        return self.argument.shape


class Unknown(_Node):
    """f(u, v, …): a column of which only is known what it depends on.

    Every argument is a column vector or a parameter; shape (rows, 1).
    """

    def __new__(cls, function: str | Str, arguments: Iterable[Any], rows: Any) -> Unknown:
        return Basic.__new__(cls, _str(function), Tuple(*map(strict, arguments)), strict(rows))

    @property
    def function(self) -> str:
        return str(self.args[0].name)

    @property
    def arguments(self) -> tuple[MatrixExpr, ...]:
        return tuple(self.args[1])

    @property
    def shape(self) -> tuple[Expr, Expr]:
        return self.args[2], S.One


class Detach(_Node):
    """v, through which derivatives flow only where `gate` is 1: detach, stop_gradient.

    Derivatives of an expression that holds it are those of v as a constant where `gate` is 0;
    truncated backpropagation is made of it. Shape of v.
    """

    def __new__(cls, argument: Any, gate: Any) -> Detach:
        return Basic.__new__(cls, strict(argument), strict(gate))

    @property
    def argument(self) -> MatrixExpr:
        return self.args[0]

    @property
    def gate(self) -> Expr:
        return self.args[1]

    @property
    def shape(self) -> tuple[Expr, Expr]:
        return self.argument.shape


class Blocks(_Node):
    """A matrix of blocks; one column of blocks is a concatenation [u; v]."""

    def __new__(cls, rows: Iterable[Iterable[Any]]) -> Blocks:
        return Basic.__new__(cls, Tuple(*(Tuple(*map(strict, row)) for row in rows)))

    @property
    def blocks(self) -> tuple[tuple[MatrixExpr, ...], ...]:
        return tuple(tuple(row) for row in self.args[0])

    @cached_property
    def shape(self) -> tuple[Expr, Expr]:
        rows = self.blocks
        height = sum((row[0].rows for row in rows), S.Zero)
        return height, sum((block.cols for block in rows[0]), S.Zero)


def count(v: MatrixExpr) -> Expr:
    """The number of entries of v: the length of vec(v)."""
    return v.rows * v.cols


class Total(_Node):
    """The total derivative dⁿu/dv: through every path; shape (entries of u, entries of v).

    v is a parameter (then d/d vec v, column-major), a TimeVector, or a Stack, whose parts are
    varied independently of each other: each is freed of its own equation.
    """

    def __new__(cls, u: Any, v: Any) -> Total:
        return Basic.__new__(cls, strict(u), strict(v))

    @property
    def of(self) -> MatrixExpr:
        return self.args[0]

    @property
    def by(self) -> MatrixExpr:
        return self.args[1]

    @cached_property
    def shape(self) -> tuple[Expr, Expr]:
        return count(self.of), count(self.by)


class Immediate(Total):
    """The immediate partial ∂⁺u/∂v (Pascanu, Mikolov & Bengio 2013).

    The derivative of u's own equation, intermediate results substituted, with every state held
    fixed that is not stacked in u itself. Same shape and arguments as `Total`.
    """


class Adjoint(_Node):
    """δ_v = (dL/dv)ᵀ, a column: the total derivative of the whole loss by a node, transposed."""

    def __new__(cls, v: Any) -> Adjoint:
        return Basic.__new__(cls, strict(v))

    @property
    def of(self) -> MatrixExpr:
        return self.args[0]

    @property
    def shape(self) -> tuple[Expr, Expr]:
        return self.of.shape


class Gradient(Total):
    """∇_v u of a scalar u: the total derivative in the shape of v itself."""

    @cached_property
    def shape(self) -> tuple[Expr, Expr]:
        return self.by.shape


class _Ranged(_Node):
    """A node that binds a time index: args (body, (index, lower, upper), …)."""

    @property
    def body(self) -> MatrixExpr:
        return self.args[0]

    @property
    def index(self) -> Symbol:
        return self.args[1][0]

    @property
    def lower(self) -> Expr:
        return self.args[1][1]

    @property
    def upper(self) -> Expr:
        return self.args[1][2]

    @property
    def bound_symbols(self) -> list[Symbol]:
        return [self.index]

    @property
    def free_symbols(self) -> set[Basic]:
        inner = set(self.body.free_symbols) - {self.index}
        return inner | self.lower.free_symbols | self.upper.free_symbols

    def _eval_subs(self, old: Basic, new: Basic) -> Basic | None:
        index, body = self.index, self.body
        lower, upper = self.lower._subs(old, new), self.upper._subs(old, new)
        if old == index:
            return self.func(body, Tuple(index, lower, upper), *self.args[2:])
        if index in getattr(new, "free_symbols", ()):
            fresh = Symbol(index.name + "'", integer=True)
            body, index = body.xreplace({index: fresh}), fresh
        return self.func(body._subs(old, new), Tuple(index, lower, upper), *self.args[2:])

    @property
    def shape(self) -> tuple[Expr, Expr]:
        return self.body.shape


class TimeSum(_Ranged):
    """Σ_{index=lower}^{upper} body; the empty sum is zero."""

    def __new__(cls, body: Any, limits: Sequence[Any] | Tuple) -> TimeSum:
        return Basic.__new__(cls, strict(body), Tuple(*map(strict, limits)))


class TimeProduct(_Ranged):
    """The ordered product of square matrices; the empty product is the identity.

    Order -1 (the default) writes the factor of the highest index first, as the chain rule
    through time does: A⟨upper⟩ … A⟨lower⟩. Order +1 writes the lowest first.
    """

    def __new__(cls, body: Any, limits: Sequence[Any] | Tuple, order: Any = -1) -> TimeProduct:
        return Basic.__new__(cls, strict(body), Tuple(*map(strict, limits)), Integer(order))

    @property
    def order(self) -> int:
        return int(self.args[2])


def is_parameter(node: Basic) -> bool:
    """Whether a leaf is a weight, a bias or a scalar parameter."""
    return isinstance(node, MatrixSymbol)


def time_vectors(expr: Basic) -> list[TimeVector]:
    """The time-indexed vectors that occur in an expression, each once, in order of appearance."""
    return list(dict.fromkeys(leaves(expr, TimeVector)))


def parameters(expr: Basic) -> list[MatrixSymbol]:
    """The parameters that occur in an expression, each once, in order of appearance."""
    return list(dict.fromkeys(leaves(expr, MatrixSymbol)))


def leaves(expr: Basic, kind: type) -> list[Any]:
    """All nodes of one type, in order of appearance, without recursion."""
    found, agenda = [], [expr]
    while agenda:
        node = agenda.pop()
        if isinstance(node, kind):
            found.append(node)
        else:
            agenda.extend(reversed(node.args))
    return found
