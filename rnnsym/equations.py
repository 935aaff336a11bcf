"""Reads equations written as Python text into SymPy, inferring every shape.

First stage of the flow: text in, `Equation`s out; nothing is ever evaluated as code. The grammar
is Python's own for expressions, and only these forms of it::

    a[t], a[t-1]          a time-indexed vector          W @ v    matrix times vector
    a[0], a[T], a[T_x-1]  the same at a fixed time       v.T      transpose
    u * v, u / v, u ** 2  elementwise                    tanh(u)  a function of functions.py
    [u, v]                concatenation [u; v]           b        a weight, bias or scalar
    0.5, 1                numbers, broadcast             detach(a[t-1], K)  see nodes.Detach

An equation stands for every step, ``a[t] = …``; or for one, ``y_hat[T] = …``; beside one for every
step, ``a[0] = …`` gives the initial value.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NoReturn

from sympy import Integer, MatAdd, MatMul, MatrixExpr, MatrixSymbol, Mul, Rational, Symbol
from sympy.matrices.expressions import HadamardProduct, OneMatrix, Transpose

from rnnsym.errors import InputError
from rnnsym.functions import KNOWN, UNKNOWN
from rnnsym.nodes import Apply, Blocks, Detach, Joined, Softmax, TimeVector, Unknown, length, t
from rnnsym.shapes import ONE, Dim, Shape, named_size, show, unify

MAX_TEXT = 20_000
MAX_POWER = 8
MAX_LAG = 100
MAX_SIZE = 2_000  # operations in one equation, powers multiplied out
MAX_DIGITS = 60

#: names that may stand for the length of a sequence
LENGTH = re.compile(r"T(_[A-Za-z0-9]+)?")


@dataclass(frozen=True)
class Equation:
    """lhs⟨t⟩ = rhs, or at a fixed time in place of t; `text` is what the user wrote."""

    lhs: TimeVector
    rhs: MatrixExpr
    text: str

    @property
    def time(self) -> Any:
        """The time of the left-hand side: t, or the one time that the equation is for."""
        return self.lhs.time

    def __str__(self) -> str:
        return self.text


@dataclass
class _Tree:
    """A parsed expression with its (possibly still unknown) shape; numbers have none."""

    kind: str
    args: tuple[Any, ...]
    shape: Shape | None = None
    scalar: bool = False  # made of numbers and scalar parameters only: broadcasts

    @cached_property
    def size(self) -> int:
        """The number of operations."""
        return 1 + sum(a.size for a in self.args if isinstance(a, _Tree))


@dataclass
class Reader:
    """Reads the equations of one network; shapes are unified over all of them.

    functions: further unknown functions, elementwise; "f()" is one of any number of arguments,
    of which nothing is known but what it depends on; scalars: names of scalar parameters;
    sizes: the size of a vector, or (rows, columns) of a weight, where it should not be inferred
    (a name or a positive integer).
    """

    functions: Iterable[str] = ()
    scalars: Iterable[str] = ()
    sizes: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.known = {*KNOWN, *UNKNOWN, *self.functions}
        # functions of several arguments: each has a column of its own length as its value
        self.unknown = {name[:-2]: Dim() for name in self.functions if name.endswith("()")}
        self.vectors: dict[str, Dim] = {}
        self.weights: dict[str, Shape] = {}
        self.trees: list[tuple[str, Any, _Tree, str]] = []
        self.lengths: set[str] = set()
        self.constants: set[str] = set()
        self.lagged: list[str] = []
        self.time: Any = None
        for name in self.scalars:
            self.weights[name] = (ONE, ONE)
        for name, size in self.sizes.items():
            if isinstance(size, tuple):
                if len(size) != 2:
                    raise InputError(f"size of {name}: a weight has (rows, columns), not {size}")
                rows, cols = (Dim(named_size(name, s)) for s in size)
                self.weights[name] = (rows, cols)
            else:
                self.vectors[name] = Dim(named_size(name, size))

    # ---- text to trees -------------------------------------------------------------------

    def read(self, text: str) -> None:
        """Parse one or several equations ``name[t] = …``, a line each."""
        if len(text) > MAX_TEXT:
            raise InputError(f"equations of {len(text)} characters: at most {MAX_TEXT} are read")
        source = textwrap.dedent(text).strip()
        for a, b in (("⟨", "["), ("⟩", "]"), ("⊙", "*"), ("∘", "*"), ("−", "-")):
            source = source.replace(a, b)
        try:
            module = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            line = getattr(error, "text", None) or source.splitlines()[0] if source else ""
            raise InputError(f"cannot read the equation {line.strip()!r}: {error}") from None
        for statement in module.body:
            self.text = " ".join((ast.get_source_segment(source, statement) or "").split())
            if not (isinstance(statement, ast.Assign) and len(statement.targets) == 1):
                self.fail("write an equation as name[t] = …")
            lhs = statement.targets[0]
            if not isinstance(lhs, ast.Subscript):
                self.fail("the left-hand side must be a vector at time t, as in a[t] = …")
            self.time = None
            name, self.time = self.index(lhs)
            if self.time != t and t in self.time.free_symbols:
                self.fail(f"the left-hand side must be {name}[t], or {name} at a fixed time")
            try:
                tree = self.tree(statement.value)
            except RecursionError:
                self.fail("the expression is nested too deeply")
            tree = self.spread(tree, (self.vector(name), ONE))
            self.join(tree, (self.vector(name), ONE), f"{name}[t]")
            self.trees.append((name, self.time, tree, self.text))

    def fail(self, why: str) -> NoReturn:
        raise InputError(f"equation '{self.text}': {why}")

    def vector(self, name: str) -> Dim:
        if name in self.weights:
            self.fail(f"{name} is used both as a parameter and as a time-indexed vector")
        return self.vectors.setdefault(name, Dim())

    def index(self, node: ast.Subscript) -> tuple[str, Any]:
        """The name and the time of ``name[t-1]``, ``name[0]`` or ``name[T]``."""
        if not isinstance(node.value, ast.Name):
            self.fail(f"cannot index {ast.unparse(node.value)!r}: only a name has a time")
        name, at, shift = node.value.id, node.slice, 0
        if (
            isinstance(at, ast.BinOp)
            and isinstance(at.op, ast.Add | ast.Sub)
            and isinstance(at.right, ast.Constant)
            and type(at.right.value) is int
        ):
            shift = at.right.value * (-1 if isinstance(at.op, ast.Sub) else 1)
            at = at.left
        if abs(shift) > MAX_LAG:
            self.fail(f"{ast.unparse(node)} is more than {MAX_LAG} steps away")
        if isinstance(at, ast.Name) and at.id == "t":
            if self.time is not None and self.time != t:
                self.fail(f"{ast.unparse(node)} has no meaning in an equation for a fixed time")
            return name, t + shift
        if isinstance(at, ast.Name) and LENGTH.fullmatch(at.id):
            if at.id in self.weights:
                self.fail(f"{at.id} is used both as a parameter and as the length of a sequence")
            self.lengths.add(at.id)
            return name, length(at.id) + shift
        if isinstance(at, ast.Constant) and type(at.value) is int and not shift:
            if at.value > MAX_LAG:
                self.fail(f"{ast.unparse(node)}: a fixed time is at most {MAX_LAG}, or T")
            return name, Integer(at.value)
        self.fail(
            f"the time in {ast.unparse(node)} must be t, t-1, t-2, …, t+1, "
            f"or fixed: 0, 1, …, T, T-1"
        )

    def tree(self, node: ast.expr) -> _Tree:
        handlers: dict[type, Callable[[Any], _Tree]] = {
            ast.Constant: self._constant,
            ast.Name: self._name,
            ast.Subscript: self._subscript,
            ast.List: self._list,
            ast.Attribute: self._attribute,
            ast.Call: self._call,
            ast.UnaryOp: self._unaryop,
            ast.BinOp: self._binop,
        }
        if type(node) not in handlers:
            self.fail(f"{ast.unparse(node)!r} is not understood here")
        return handlers[type(node)](node)

    def _constant(self, node: ast.Constant) -> _Tree:
        value = node.value
        if type(value) not in (int, float) or len(repr(value)) > 30 or value != value:
            self.fail(f"{node.value!r} is no number that can be used here")
        if value in (float("inf"), float("-inf")):
            self.fail("infinite numbers cannot be used")
        return _Tree("number", (Rational(repr(value)),), scalar=True)

    def _name(self, node: ast.Name) -> _Tree:
        name = node.id
        if name in self.vectors:
            self.fail(f"{name} has a value at each time: write {name}[t] or {name}[t-1]")
        if name in self.known or name in ("t", "T", "softmax", "detach"):
            self.fail(f"{name} cannot be used as the name of a parameter")
        if name in self.lengths | self.constants:
            self.fail(f"{name} is used both as a parameter and as a number of steps")
        shape = self.weights.setdefault(name, (Dim(), Dim()))
        return _Tree("weight", (name,), shape, scalar=shape == (ONE, ONE))

    def _subscript(self, node: ast.Subscript) -> _Tree:
        name, time = self.index(node)
        if time != self.time:
            self.lagged.append(name)
        return _Tree("vector", (name, time), (self.vector(name), ONE))

    def _list(self, node: ast.List) -> _Tree:
        parts = [self.tree(e) for e in node.elts]
        if len(parts) < 2 or any(p.shape is None for p in parts):
            self.fail("a concatenation [u, v] needs at least two vectors")
        for part in parts:
            self.join(part, (Dim(), ONE), "a column vector")
        total = Dim(parts=[p.shape[0] for p in parts if p.shape])
        return _Tree("concat", tuple(parts), (total, ONE))

    def _attribute(self, node: ast.Attribute) -> _Tree:
        if node.attr != "T":
            self.fail(f"'.{node.attr}' is not understood; only .T (transpose) is")
        tree = self.tree(node.value)
        if tree.shape is None:
            return tree
        return _Tree("transpose", (tree,), (tree.shape[1], tree.shape[0]))

    def _call(self, node: ast.Call) -> _Tree:
        name = node.func.id if isinstance(node.func, ast.Name) else ast.unparse(node.func)
        if name == "detach":
            return self._detach(node)
        if name in self.unknown and not node.keywords and node.args:
            return self._unknown(name, node)
        if len(node.args) != 1 or node.keywords:
            self.fail(f"{name}(…) takes one vector")
        if name != "softmax" and name not in self.known:
            known = ", ".join(sorted({*KNOWN, "softmax"}))
            self.fail(
                f"unknown function {name}; known are {known}; "
                f"pass functions=[{name!r}] to leave it symbolic, or register it"
            )
        tree = self.tree(node.args[0])
        if tree.shape is None:
            self.fail(f"{name}(…) needs a vector, not a number")
        return _Tree("softmax" if name == "softmax" else "apply", (tree, name), tree.shape)

    def _unknown(self, name: str, node: ast.Call) -> _Tree:
        """f(x[t], h[t-1], w): nothing is known of f but what it depends on."""
        arguments = tuple(self.tree(a) for a in node.args)
        for argument in arguments:
            if argument.kind not in ("vector", "weight"):
                self.fail(f"{name}(…) takes vectors and parameters; name what is computed first")
            self.join(argument, (Dim(), ONE), f"an argument of {name}: a column")
        return _Tree("unknown", (name, *arguments), (self.unknown[name], ONE))

    def _detach(self, node: ast.Call) -> _Tree:
        """detach(a[t-1], K): no derivative flows from one chunk of K steps to the next."""
        usage = "write detach(a[t-1], K) for a vector and the number of steps in a chunk"
        if len(node.args) != 2 or node.keywords or not isinstance(node.args[0], ast.Subscript):
            self.fail(usage)
        vector, size = self.tree(node.args[0]), node.args[1]
        if t not in vector.args[1].free_symbols:
            self.fail(f"{ast.unparse(node)}: {usage}")
        if isinstance(size, ast.Constant) and type(size.value) is int and size.value > 0:
            return _Tree("detach", (vector, Integer(size.value), self.time), vector.shape)
        if isinstance(size, ast.Name):
            self.constants.add(size.id)
            return _Tree("detach", (vector, length(size.id), self.time), vector.shape)
        self.fail(f"{ast.unparse(size)!r} is no number of steps: {usage}")

    def _unaryop(self, node: ast.UnaryOp) -> _Tree:
        tree = self.tree(node.operand)
        if isinstance(node.op, ast.UAdd):
            return tree
        if not isinstance(node.op, ast.USub):
            self.fail(f"{ast.unparse(node)!r} is not understood here")
        return self.scaled(Integer(-1), tree)

    def number(self, value: Any) -> _Tree:
        """A number that was computed, if it has not grown out of bounds."""
        if len(f"{value.p}{value.q}") > MAX_DIGITS:
            self.fail(f"a number has more than {MAX_DIGITS} digits")
        return _Tree("number", (value,), scalar=True)

    def scaled(self, number: Any, tree: _Tree) -> _Tree:
        """number · tree."""
        if tree.kind == "number":
            return self.number(number * tree.args[0])
        return _Tree("scale", (number, tree), tree.shape, tree.scalar)

    def _binop(self, node: ast.BinOp) -> _Tree:
        left, right = self.tree(node.left), self.tree(node.right)
        if isinstance(node.op, ast.Add | ast.Sub):
            if isinstance(node.op, ast.Sub):
                right = self.scaled(Integer(-1), right)
            return self.both("add", left, right, node)
        if isinstance(node.op, ast.Mult):
            return self.both("times", left, right, node)
        if isinstance(node.op, ast.Div):
            if right.kind == "number":
                if right.args[0] == 0:
                    self.fail("division by zero")
                return self.scaled(1 / right.args[0], left)
            inverse = _Tree("apply", (right, "reciprocal"), right.shape, right.scalar)
            return self.both("times", left, inverse, node)
        if isinstance(node.op, ast.Pow):
            power = right.args[0] if right.kind == "number" else None
            if not (isinstance(power, Integer) and 1 <= power <= MAX_POWER):
                self.fail(f"an exponent must be an integer from 1 to {MAX_POWER}")
            if left.kind == "number":
                return self.number(left.args[0] ** power)
            tree = left
            for _ in range(int(power) - 1):
                tree = _Tree("times", (tree, left), left.shape, left.scalar)
                if tree.size > MAX_SIZE:
                    self.fail(f"powers of powers: more than {MAX_SIZE} operations")
            return tree
        if isinstance(node.op, ast.MatMult):
            if left.shape is None or right.shape is None:
                self.fail("@ is for matrices and vectors; write * for a number")
            assert left.shape and right.shape
            if not unify(left.shape[1], right.shape[0]):
                self.fail(
                    f"shape mismatch in {ast.unparse(node)}: {show(left.shape)} @ "
                    f"{show(right.shape)}; the inner sizes must agree"
                )
            return _Tree("matmul", (left, right), (left.shape[0], right.shape[1]))
        self.fail(f"the operator in {ast.unparse(node)!r} is not understood here")

    def both(self, kind: str, left: _Tree, right: _Tree, node: ast.expr) -> _Tree:
        """An elementwise operation: scalars are spread, shapes become one."""
        if left.kind == right.kind == "number":
            a, b = left.args[0], right.args[0]
            return self.number(a + b if kind == "add" else a * b)
        left, right = self.known_scalar(left), self.known_scalar(right)
        scalar = left.scalar and right.scalar
        if not scalar:
            shape = right.shape if left.scalar else left.shape
            assert shape
            left, right = self.spread(left, shape), self.spread(right, shape)
        elif left.shape or right.shape:
            left, right = self.spread(left, (ONE, ONE)), self.spread(right, (ONE, ONE))
        if left.shape and right.shape:
            self.join(right, left.shape, ast.unparse(node))
        return _Tree(kind, (left, right), left.shape, scalar)

    def known_scalar(self, tree: _Tree) -> _Tree:
        """A product such as x[t].T @ x[t] is a number too, and is spread like one."""
        if tree.shape and not tree.scalar and all(self.size(d) == 1 for d in tree.shape):
            return replace(tree, scalar=True)
        return tree

    def spread(self, tree: _Tree, shape: Shape) -> _Tree:
        """A scalar as a vector of equal entries; anything else as it is."""
        if tree.scalar and tree.shape != shape:
            return _Tree("spread", (tree,), shape)
        return tree

    def join(self, tree: _Tree, shape: Shape, what: str) -> None:
        assert tree.shape
        if not all(map(unify, tree.shape, shape)):
            self.fail(f"shape mismatch in {what}: {show(tree.shape)} does not fit {show(shape)}")

    # ---- trees to SymPy ------------------------------------------------------------------

    def equations(self) -> list[Equation]:
        """All equations read so far, with their sizes named and filled in."""
        self.name_sizes()
        self.refuse_accidental_numbers()
        return [
            Equation(TimeVector(name, self.size(self.vectors[name]), time), self.build(tree), text)
            for name, time, tree, text in self.trees
        ]

    def refuse_accidental_numbers(self) -> None:
        """A weight or a vector that only an oversight makes a single number, as h[t-1] @ U does."""
        for name, shape in self.weights.items():
            if name not in self.scalars and all(dim.root() is ONE for dim in shape):
                self.text = self.first_use(name)
                self.fail(
                    f"{name} could only be a single number here: write {name} @ v for a matrix "
                    f"times a vector, or name it in scalars=[{name!r}] if it is a number"
                )
        for name, dim in self.vectors.items():
            if dim.root() is ONE and name not in self.sizes and self.first_use(name):
                self.text = self.first_use(name)
                self.fail(
                    f"{name} could only have a single entry here: look at the order of its "
                    f"products and at transposes, or give sizes={{{name!r}: 1}} if it has"
                )

    def first_use(self, name: str) -> str:
        """The first equation in which a name occurs, or nothing."""
        word = re.compile(rf"\b{re.escape(name)}\b")
        return next((text for *_, text in self.trees if word.search(text)), "")

    def unused(self) -> list[str]:
        """Declared names that no equation uses."""
        functions = {name.removesuffix("()") for name in self.functions}
        declared = {*self.scalars, *functions, *self.sizes}
        return [name for name in sorted(declared) if not self.first_use(name)]

    def name_sizes(self) -> None:
        """Name each open size n_v after the first lagged vector of that size, else the first."""
        defined = [name for name, *_ in self.trees]
        given = [name for name in self.vectors if name not in defined]
        for name in [*self.lagged, *given, *defined]:
            if name in self.vectors:
                dim = self.vectors[name].root()
                if dim.size is None and not dim.parts:
                    dim.size = Symbol(f"n_{name}", integer=True, positive=True)
        for name, shape in self.weights.items():
            for dim in shape:
                if self.size(dim) is None:
                    raise InputError(
                        f"the shape of {name} does not follow from the equations: "
                        f"give it, as in sizes={{{name!r}: ('n_rows', 'n_columns')}}, "
                        f"or name it in scalars=[…] if it is a number"
                    )

    def size(self, dim: Dim) -> Any:
        dim = dim.root()
        if dim.parts:
            sizes = [self.size(p) for p in dim.parts]
            return None if None in sizes else sum(sizes)
        return dim.size

    def shape(self, tree: _Tree) -> tuple[Any, Any]:
        assert tree.shape
        return self.size(tree.shape[0]), self.size(tree.shape[1])

    def build(self, tree: _Tree) -> Any:
        kind, args = tree.kind, tree.args
        if kind == "number":
            return args[0]
        if kind == "vector":
            return TimeVector(args[0], self.size(self.vectors[args[0]]), args[1])
        if kind == "weight":
            return MatrixSymbol(args[0], *self.shape(tree))
        if kind == "scale":
            return _scaled(args[0], self.build(args[1]))
        if kind == "spread":
            inner = self.build(args[0])
            one = OneMatrix(*self.shape(tree))
            if not isinstance(inner, MatrixExpr):
                return one if inner == 1 else MatMul(inner, one)
            if one.shape == (1, 1):
                return inner
            if one.cols == 1:
                return MatMul(OneMatrix(one.rows, 1), inner)
            return MatMul(inner, OneMatrix(1, one.cols))
        if kind == "add":
            return MatAdd(*_flat(MatAdd, [self.build(a) for a in args]))
        if kind == "times":
            return _times([self.build(a) for a in args])
        if kind == "matmul":
            factors = _flat(MatMul, [self.build(a) for a in args])
            number = Mul(*(a for a in factors if not isinstance(a, MatrixExpr)))
            return _scaled(number, MatMul(*(a for a in factors if isinstance(a, MatrixExpr))))
        if kind == "transpose":
            return Transpose(self.build(args[0]))
        if kind == "apply":
            inner = self.build(args[0])
            return inner if args[1] == "identity" else Apply(args[1], inner)
        if kind == "unknown":
            return Unknown(args[0], [self.build(a) for a in args[1:]], self.shape(tree)[0])
        if kind == "softmax":
            return Softmax(self.build(args[0]))
        if kind == "detach":
            vector = self.build(args[0])
            return Detach(vector, Joined(args[1], vector.time, args[2]))
        return Blocks([[self.build(a)] for a in args])


def _scaled(c: Any, e: Any) -> Any:
    if not isinstance(e, MatrixExpr):
        return c * e
    if isinstance(e, MatAdd):
        return MatAdd(*(_scaled(c, a) for a in e.args))
    factors: list[Any] = _flat(MatMul, [e])
    if not isinstance(factors[0], MatrixExpr):
        c, factors = c * factors[0], factors[1:]
    return MatMul(c, *factors) if c != 1 else (MatMul(*factors) if factors[1:] else factors[0])


def _flat(kind: Any, args: list[Any]) -> list[Any]:
    return [b for a in args for b in (a.args if isinstance(a, kind) else (a,))]


def _times(args: list[Any]) -> Any:
    """The elementwise product, numbers in front, ones left out."""
    number: Any = Integer(1)
    factors: list[Any] = []
    for arg in args:
        if isinstance(arg, MatMul) and not isinstance(arg.args[0], MatrixExpr):
            number, arg = number * arg.args[0], MatMul(*arg.args[1:])
            arg = arg.args[0] if isinstance(arg, MatMul) and len(arg.args) == 1 else arg
        if not isinstance(arg, OneMatrix):
            factors += arg.args if isinstance(arg, HadamardProduct) else [arg]
    if not factors:
        return _scaled(number, args[0])
    product = HadamardProduct(*factors) if len(factors) > 1 else factors[0]
    return _scaled(number, product) if number != 1 else product
