"""Nodes as NumPy expressions: what the loops and everything around them print alike.

Knows where each value is kept: under which name, with how many rows, and which rows are
v⟨t⟩, v⟨t-1⟩, … Arrays hold one row for each step and each member of the batch, step by step;
B is the number of rows of a step.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sympy import Expr, MatAdd, MatMul, MatrixExpr, MatrixSymbol, Rational, S, Transpose
from sympy.matrices.expressions import HadamardProduct

from rnnsym.emit.functions import FUNCTIONS, WHOLE
from rnnsym.emit.graph import ONCE, Node
from rnnsym.emit.matrices import Blocks, Matrix
from rnnsym.emit.names import Names, joint
from rnnsym.emit.steps import bounds, outside
from rnnsym.errors import NotSupportedError
from rnnsym.nodes import Apply, Iverson, t

# how tightly an expression binds: a sum, a product, a unary minus, a name or a call
SUM, PRODUCT, UNARY, ATOM = range(4)

Code = tuple[str, int]


class Expressions:
    """Prints nodes; remembers the names of those that have one and the functions used.

    latest: variables of loops of which only the value of the last step is kept; helpers: the names
    of those that the expressions call.
    """

    def __init__(self, names: Names, padding: dict[Node, tuple[int, int]]) -> None:
        self.names, self.padding = names, padding
        self.named: dict[Node, str] = {}
        self.functions: dict[str, None] = {}
        self.unknown: dict[str, str] = {}
        self.concatenated: dict[str, str] = {}
        self.latest: set[Node] = set()
        self.helpers: dict[str, None] = {}

    # ---- what everything is called ---------------------------------------------------------

    def size(self, e: Expr) -> str:
        """A size as source."""
        if e.is_Integer:
            return str(int(e))
        if e.is_Symbol:
            return self.names.of(e, e.name)
        if e.is_Add or e.is_Mul:
            parts = [f"({self.size(a)})" if a.is_Add else self.size(a) for a in e.args]
            return (" + " if e.is_Add else " * ").join(parts)
        raise NotSupportedError(f"no code for the size {e}")

    def function(self, name: str, order: int) -> str:
        """The call of a function, with {z} for its argument."""
        if name in FUNCTIONS and order == 0:
            self.functions[name] = None
            return FUNCTIONS[name].call
        key = name + "_prime" * order
        self.unknown[key] = self.names.of(("function", key), key)
        return self.unknown[key] + "({z})"

    def takes_out(self, name: str, order: int) -> bool:
        """Whether a function takes out=…"""
        return name in FUNCTIONS and order == 0 and FUNCTIONS[name].out

    def rows(self, v: Node, offset: int = 0) -> str:
        """The rows of v⟨t + offset⟩ for t = 1 … T, of the array that keeps v.

        v⟨1⟩ … v⟨T⟩ have the name of v; if there are values before or after them, it is a part of
        the array `everything(v)`.
        """
        if not offset:
            return self.named[v]
        return f"{self.everything(v)}[{self.part(v, offset)}]"

    def everything(self, v: Node) -> str:
        """The array that also keeps the values of v at times outside 1 … T."""
        return self.names.of(("all", v), f"{self.named[v]}_all")

    def part(self, v: Node, offset: int = 0) -> str:
        """Which rows of that array are v⟨t + offset⟩ for t = 1 … T."""
        before, after = self.padding[v]
        return f"{times(before + offset)}:{times(offset - after)}"

    def length(self, axis: Expr, extra: int = 0) -> str:
        """The number of rows of an array that keeps a value for all steps, and for some more."""
        if axis.is_Integer:
            return times(int(axis) + extra)
        return f"({self.size(axis)} + {extra}) * B" if extra else f"{self.size(axis)} * B"

    def place(self, time: Expr, axis: Expr, before: int = 0, after: int = 0) -> str:
        """The slice of the rows of a fixed time, in an array with some steps before and after."""
        start, stop = bounds(time, axis, before, after)
        return f"{times(start)}:{times(stop)}"

    def time(self, e: Expr) -> str:
        """A fixed time as source."""
        if e.is_Add:
            terms = sorted(e.args, key=lambda a: bool(a.is_Integer))
            return " + ".join(map(self.time, terms)).replace("+ -", "- ")
        return self.size(e)

    # ---- expressions -----------------------------------------------------------------------

    def __call__(self, v: Node, least: int = SUM) -> str:
        """The value of a node for all steps, in brackets if it binds less than `least`."""
        line, level = self.code(v)
        return line if level >= least else f"({line})"

    def code(self, v: Node) -> Code:
        """The value of a node for all steps, and how tightly it binds."""
        if v in self.named:
            return self.rows(v), ATOM
        v = v.view or v
        return getattr(self, f"_{v.op}")(v)

    def whole(self, v: Node, least: int = SUM) -> str:
        """The same with all entries and, if the node changes with time, all rows there."""
        if v.full or v.op == "concat":
            return self(v, least)
        size = self.size(v.size)
        shape = f"({size},)" if v.axis is None else f"({self.length(v.axis)}, {size})"
        return f"np.broadcast_to({self.array(v)}, {shape})"

    def array(self, v: Node) -> str:
        """The same where a number must be of the right type."""
        return f"dtype.type({self(v)})" if v.op == "number" else self(v)

    def every_row(self, v: Node, axis: Expr) -> str:
        """The same with a row for each step, even of what does not change with time."""
        if v.axis == axis:
            return self.whole(v)
        if v.axis == ONCE:
            return self.tiled(v, axis)
        return f"np.broadcast_to({self.array(v)}, ({self.length(axis)}, {self.size(v.size)}))"

    def tiled(self, v: Node, axis: Expr) -> str:
        """A single value as often as there are steps."""
        return f"np.tile({self.whole(v)}, ({self.size(axis)}, 1))"

    def _at(self, v: Node) -> Code:
        return self.rows(v.args[0], v.data[0]), ATOM

    def _pick(self, v: Node) -> Code:
        (a,), (time,) = v.args, v.data
        assert a.axis is not None
        if a in self.latest:
            return f"{self.named[a]}.reshape(B, {self.size(a.size)})", ATOM
        if not a.beyond or outside(time, a.axis) == (0, 0):
            return f"{self.rows(a)}[{self.place(time, a.axis)}]", ATOM
        return f"{self.everything(a)}[{self.place(time, a.axis, *self.padding[a])}]", ATOM

    def _spread(self, v: Node) -> Code:
        return self.tiled(v.args[0], v.data[0]), ATOM

    def _place(self, v: Node) -> Code:
        time, axis, _ = v.data
        self.helpers["_placed"] = None
        value, before = self.every_row(v.args[0], ONCE), self.time(time - 1)
        return f"_placed({value}, {before}, {self.size(axis)})", ATOM

    def _collapse(self, v: Node) -> Code:
        (a,), (axis,) = v.args, v.data
        rows = self.every_row(a, axis)
        rows = rows if a in self.named else f"({rows})"
        return f"{rows}.reshape(-1, B, {self.size(v.size)}).sum(axis=0)", ATOM

    def _gate(self, v: Node) -> Code:
        e, axis = v.data
        if isinstance(e, Iverson):
            first, second = (self.moments(a, axis) for a in e.args)
            same = f"{first} == {second}"
        else:
            self.helpers["_joined"] = None
            chunk, *moments = e.args
            times_ = ", ".join(self.moments(a, axis) for a in moments)
            same = f"_joined({self.size(chunk)}, {times_})"
        return f"np.repeat({same}, B).astype(dtype)[:, np.newaxis]", ATOM

    def moments(self, e: Expr, axis: Expr) -> str:
        """A time as an array, for all steps of an axis."""
        first, last = (e.xreplace({t: time}) for time in (ONCE, axis))
        return f"np.arange({self.time(first)}, {self.time(last + 1)})"

    def _number(self, v: Node) -> Code:
        return number(v.data[0])

    def _row(self, v: Node) -> Code:
        return f"{self(v.args[0], ATOM)}[0]", ATOM

    def _add(self, v: Node) -> Code:
        constant, signs = v.data
        line = "" if constant == 0 else number(constant)[0]
        for sign, a in zip(signs, v.args, strict=True):
            if line:
                line += f" {'-' if sign < 0 else '+'} {self(a, PRODUCT)}"
            else:
                line = f"-{self(a, UNARY)}" if sign < 0 else self(a, SUM)
        return line, SUM

    def _mul(self, v: Node) -> Code:
        factor = v.data[0]
        if factor == -1:
            rest = " * ".join(self(a, UNARY) for a in v.args)
            return f"-{rest}", UNARY if len(v.args) == 1 else PRODUCT
        parts = [self(a, UNARY) for a in v.args]
        if factor != 1:
            parts.insert(0, number(factor)[0])
        return (" * ".join(parts), PRODUCT) if len(parts) > 1 else self.code(v.args[0])

    def _matvec(self, v: Node) -> Code:
        return f"{self.whole(v.args[0], ATOM)}.dot({self.matrix(v.data[0])})", ATOM

    def _call(self, v: Node) -> Code:
        function, order = v.data
        argument = self.whole(v.args[0]) if function in WHOLE else self.array(v.args[0])
        return self.function(function, order).format(z=argument), ATOM

    def _sum(self, v: Node) -> Code:
        (a,) = v.args
        if not a.full:
            return f"{self(a, PRODUCT)} * {_bracketed(self.size(a.size))}", PRODUCT
        return f"{self(a, ATOM)}.sum(axis=-1, keepdims=True)", ATOM

    def _concat(self, v: Node) -> Code:
        parts = [self.whole(a) if v.axis is None else self.every_row(a, v.axis) for a in v.args]
        return f"np.concatenate(({', '.join(parts)}), axis=-1)", ATOM

    def _slice(self, v: Node) -> Code:
        return self.slice(v), ATOM

    def slice(self, v: Node) -> str:
        """The part of its argument that a slice is."""
        return f"{self(v.args[0], ATOM)}[..., {self.span(*v.data)}]"

    def span(self, start: Expr, stop: Expr) -> str:
        """A slice start:stop."""
        return f"{'' if start == 0 else self.size(start)}:{self.size(stop)}"

    # ---- matrices --------------------------------------------------------------------------

    def matrix(self, m: Matrix | Blocks) -> str:
        """What a row vector is multiplied by from the right, to give (M v)ᵀ = vᵀ Mᵀ."""
        line = self.blocks(m) if isinstance(m, Blocks) else self.matrix_expression(m.expr)
        if isinstance(m, Blocks):
            m = m.common
        if m.rows or m.cols:
            rows = self.span(*m.rows) if m.rows else ":"
            line = f"{line}[{rows}, {self.span(*m.cols)}]" if m.cols else f"{line}[{rows}]"
        return line if m.transposed else f"{line}.T"

    def blocks(self, m: Blocks) -> str:
        """The name of several matrices as one, which is made once."""
        parts = [self.matrix(replace(part, transposed=True)) for part in m.concatenated]
        value = f"np.concatenate(({', '.join(parts)}){', axis=1' if m.axis else ''})"
        if value not in self.concatenated:
            self.concatenated[value] = self.names.fresh(joint(parts))
        return self.concatenated[value]

    def matrix_expression(self, e: MatrixExpr) -> str:
        """A matrix made of parameters, in brackets unless it is one."""
        if isinstance(e, MatrixSymbol):
            return self.names.of(("parameter", e.name), e.name)
        if isinstance(e, Transpose):
            return f"{self.matrix_expression(e.arg)}.T"
        if isinstance(e, MatAdd | HadamardProduct | MatMul):
            sign = {MatAdd: " + ", MatMul: " @ "}.get(type(e), " * ")
            parts = [
                self.matrix_expression(a) if isinstance(a, MatrixExpr) else number(a)[0]
                for a in e.args
            ]
            if isinstance(e, MatMul) and not isinstance(e.args[0], MatrixExpr):
                return f"({parts[0]} * {sign.join(parts[1:])})"
            return f"({sign.join(parts)})"
        if isinstance(e, Apply):
            return self.function(e.function, e.order).format(z=self.matrix_expression(e.argument))
        raise NotSupportedError(f"no code for the matrix {e}")


def number(value: Any) -> Code:
    """A number as source, and how tightly it binds."""
    value = Rational(value)
    line = str(int(value)) if value.is_Integer else repr(float(value))
    return line, SUM if value < S.Zero else ATOM


def times(n: int) -> str:
    """n * B, as the bound of a slice."""
    return "" if not n else f"{'-' * (n < 0)}B" if abs(n) == 1 else f"{n} * B"


def _bracketed(line: str) -> str:
    return line if line.isidentifier() or line.isdigit() else f"({line})"
