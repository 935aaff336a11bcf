"""Values of very many mutants at one point in float64, by closures that are made once.

The evaluator of `rnnsym.evaluate` reads an expression anew each time; here every sub-expression
becomes a function of the time indices, which mutants that share it share too, with its values.
Used by the search for a diagnosis only. A test holds each value against the evaluator's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import add, matmul, mul
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sympy import (
    Basic,
    DiagMatrix,
    Identity,
    Integer,
    MatAdd,
    MatMul,
    MatrixExpr,
    MatrixSymbol,
    Transpose,
    ZeroMatrix,
)
from sympy.matrices.expressions import HadamardProduct, KroneckerProduct, OneMatrix

from rnnsym.errors import NotSupportedError
from rnnsym.evaluate.expression import Evaluator
from rnnsym.evaluate.trajectory import Truth
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
    leaves,
    t,
)
from rnnsym.verify.adjoints import Circular, System
from rnnsym.verify.arrays import user_shape
from rnnsym.verify.mutations import Mutant

Array = NDArray[Any]
Now = dict[Basic, int]
#: a value, from the time indices and the adjoints of the system at hand
Value = Callable[[Now, "Pass | None"], Any]
Number = Callable[[Now], int]


class Quick:
    """Expressions at a point; what has been compiled or computed once stays."""

    def __init__(self, truth: Truth) -> None:
        self.truth, self.trajectory = truth, truth.plain
        self.ar, self.net = truth.base, truth.net
        self.symbols = truth.point.symbols
        self.fixed: Now = {s: int(v) for s, v in self.symbols.items()}
        self._compiled: dict[Any, Value] = {}
        self._numbers: dict[Any, Number] = {}
        self._summands: dict[Any, list[Any]] = {}
        self._free: dict[Any, tuple[Any, ...]] = {}
        self.passes: dict[tuple[int, int | None], Pass] = {}

    def system(self, system: System) -> Pass:
        """The adjoints of a system; those of systems with the same equations are shared."""
        key = id(system.equations), system.chunk
        if key not in self.passes:
            self.passes[key] = Pass(self, system)
        return self.passes[key]

    def value(self, e: MatrixExpr, adjoints: Pass | None = None) -> Array:
        """The value of an expression without free time indices."""
        return np.asarray(self.compiled(e)(dict(self.fixed), adjoints))

    def mutant(self, mutant: Mutant) -> Array:
        """A mutant's gradient in the shape in which users pass its parameter.

        Raises Circular for a system that defines nothing.
        """
        w = self.net.parameters[mutant.parameter]
        rows, cols = (self.number(s)(self.fixed) for s in w.shape)
        if mutant.system is None:  # a row dL/d vec θ, column-major
            found = np.reshape(self.value(mutant.formula), (rows, cols), order="F")
        else:
            adjoints = self.system(mutant.system)
            found = adjoints.gradient(mutant.system.gradients[mutant.parameter])
        return found.reshape(user_shape(w, rows, cols))

    def once(self, mutant: Mutant) -> Array:
        """The same for one of very many systems: its adjoints are not kept.

        Raises Circular for a system that defines nothing.
        """
        assert mutant.system is not None
        value = self.passed(mutant.system).gradient(mutant.system.gradients[mutant.parameter])
        w = self.net.parameters[mutant.parameter]
        return value.reshape(user_shape(w, *value.shape))

    def passed(self, system: System) -> Pass:
        """The adjoints of one of very many systems, which are not kept."""
        return Pass(self, system)

    def number(self, e: Any) -> Number:
        """A time or a size: linear in the indices, or anything that comes out as a number."""
        if isinstance(e, int):
            return lambda now: e
        if e not in self._numbers:
            self._numbers[e] = self._number(e)
        return self._numbers[e]

    def _number(self, e: Any) -> Number:
        if e.is_Integer:
            constant = int(e)
            return lambda now: constant
        if e.is_Symbol:
            return lambda now: now[e]
        free = tuple(e.free_symbols)
        base = e.xreplace(dict.fromkeys(free, 0 * free[0]))
        slopes = [(s, e.coeff(s)) for s in free]
        linear = base + sum(c * s for s, c in slopes)
        if all(c.is_Integer for _, c in slopes) and base.is_Integer and (linear - e).expand() == 0:
            terms, offset = [(s, int(c)) for s, c in slopes], int(base)
            if len(terms) == 1 and terms[0][1] == 1:
                only = terms[0][0]
                return lambda now: now[only] + offset
            return lambda now: offset + sum(c * now[s] for s, c in terms)
        return lambda now: int(e.xreplace({s: _integer(now[s]) for s in free}))

    # ---- expressions ---------------------------------------------------------------------

    def compiled(self, e: MatrixExpr) -> Value:
        """The function that gives an expression's value; computed once for the same indices."""
        if e not in self._compiled:
            self._compiled[e] = self._remembered(e, self._compile(e))
        return self._compiled[e]

    def _remembered(self, e: MatrixExpr, value: Value) -> Value:
        if isinstance(e, TimeVector | MatrixSymbol | Adjoint) or leaves(e, Adjoint):
            return value
        free = [s for s in e.free_symbols if isinstance(s, Basic) and s not in self.fixed]
        indices = tuple(s for s in free if getattr(s, "is_Symbol", False))
        known: dict[tuple[int | None, ...], Any] = {}

        def remembered(now: Now, adjoints: Pass | None) -> Any:
            key = tuple([now.get(s) for s in indices])
            if key not in known:
                known[key] = value(now, adjoints)
            return known[key]

        return remembered

    def _compile(self, e: MatrixExpr) -> Value:
        if isinstance(e, Adjoint) and isinstance(e.of, TimeVector):
            name, time = e.of.name, self.number(e.of.time)

            def adjoint(now: Now, adjoints: Pass | None) -> Any:
                assert adjoints is not None
                return adjoints.value(name, time(now))

            return adjoint
        if isinstance(e, TimeVector):
            name, time, values = e.name, self.number(e.time), self.trajectory.values

            def vector(now: Now, _: Any) -> Any:
                key = name, time(now)
                return values[key] if key in values else self.trajectory.value(key)

            return vector
        if isinstance(e, MatrixSymbol):
            weight = self.trajectory.value((e.name, None))
            return lambda now, _: weight
        if isinstance(e, Total):
            return self._total(e)
        if isinstance(e, TimeSum | TimeProduct):
            return self._ranged(e)
        if isinstance(e, MatMul):
            return self._product(e)
        if isinstance(e, OneMatrix | ZeroMatrix | Identity):
            rows, cols = (self.number(s)(self.fixed) for s in e.shape)
            constant = np.eye(rows) if isinstance(e, Identity) else np.zeros((rows, cols))
            constant = constant + isinstance(e, OneMatrix)
            return lambda now, _: constant
        if isinstance(e, Blocks | Stack):
            table = e.blocks if isinstance(e, Blocks) else tuple((p,) for p in e.parts)
            parts = [[self.compiled(b) for b in row] for row in table]
            return lambda now, d: np.block([[p(now, d) for p in row] for row in parts])
        return self._elementary(e)

    def _elementary(self, e: MatrixExpr) -> Value:
        ar = self.ar
        if isinstance(e, MatAdd | HadamardProduct | KroneckerProduct):
            args = [self.compiled(a) for a in e.args]
            pairs = ((MatAdd, add), (HadamardProduct, mul), (KroneckerProduct, np.kron))
            operation = next(op for kind, op in pairs if isinstance(e, kind))
            return lambda now, d: reduce(operation, [a(now, d) for a in args])
        if isinstance(e, Transpose):
            inner = self.compiled(e.arg)
            return lambda now, d: inner(now, d).T
        if isinstance(e, Detach):
            return self.compiled(e.argument)  # of interest to derivatives only
        if isinstance(e, DiagMatrix):
            inner = self.compiled(e.args[0])
            return lambda now, d: np.diag(inner(now, d)[:, 0])
        if isinstance(e, Apply | Softmax):
            # rare and delicate: left to the evaluator, which asks for the value of the argument
            held = MatrixSymbol("_", *e.argument.shape)
            inner = self.compiled(e.argument)
            whole = e.xreplace({e.argument: held})

            def applied(now: Now, d: Pass | None) -> Any:
                z = inner(now, d)
                return Evaluator(ar, lambda node, time: z, self.symbols)(whole)

            return applied
        raise NotSupportedError(f"no quick value for {type(e).__name__}")

    def _product(self, e: MatMul) -> Value:
        numbers = [a for a in e.args if not isinstance(a, MatrixExpr)]
        parts = [self.compiled(a) for a in e.args if isinstance(a, MatrixExpr)]

        def product(now: Now, d: Pass | None) -> Any:  # from the right: vectors stay vectors
            return reduce(lambda right, left: matmul(left(now, d), right), parts[-2::-1],
                          parts[-1](now, d))  # fmt: skip

        if not numbers:
            return product
        whole = reduce(mul, numbers)
        if not whole.free_symbols:
            factor = float(whole)
            return lambda now, d: factor * product(now, d)
        free = tuple(whole.free_symbols)

        def scaled(now: Now, d: Pass | None) -> Any:
            return float(whole.xreplace({s: _integer(now[s]) for s in free})) * product(now, d)

        return scaled

    def _ranged(self, e: TimeSum | TimeProduct) -> Value:
        body, index = self.compiled(e.body), e.index
        lower, upper = self.number(e.lower), self.number(e.upper)
        rows, cols = (self.number(s)(self.fixed) for s in e.shape)

        def ranged(now: Now, d: Pass | None) -> Any:
            first, last = lower(now), upper(now)
            values = [body({**now, index: i}, d) for i in range(first, last + 1)]
            if isinstance(e, TimeSum):
                return reduce(add, values, np.zeros((rows, cols)))
            if e.order < 0:
                values.reverse()
            return reduce(matmul, values, np.eye(rows))

        return ranged

    def _total(self, e: Total) -> Value:
        free = tuple(s for s in e.free_symbols if s.is_Symbol)

        def total(now: Now, _: Any) -> Any:
            return self.truth.derivative(
                e.xreplace({s: _integer(now[s]) for s in free if s in now})
            )

        return total

    def summands(self, e: MatrixExpr) -> list[tuple[list[tuple[str, Number]], Value]]:
        """Each term of an adjoint's equation, with the adjoints at times relative to t in it."""
        if e not in self._summands:
            found = []
            for term in e.args if isinstance(e, MatAdd) else (e,):
                uses = [
                    (d.of.name, self.number(d.of.time))
                    for d in leaves(term, Adjoint)
                    if (d.of.time - t).is_Integer
                ]
                found.append((uses, self.compiled(term)))
            self._summands[e] = found
        return self._summands[e]


class Pass:
    """The adjoints of one system, computed on demand; what `rnnsym.verify.adjoints` computes."""

    def __init__(self, quick: Quick, system: System) -> None:
        self.quick, self.system = quick, system
        self.values: dict[tuple[str, int], Any] = {}
        self.open: set[tuple[str, int]] = set()
        self.spans = quick.trajectory.spans
        self.starts = {(n, quick.trajectory.starts[n]) for n in quick.net.initial}

    def gradient(self, e: MatrixExpr) -> Array:
        """The value of a gradient."""
        return self.quick.value(e, self)

    def exists(self, name: str, time: int) -> bool:
        first, last = self.spans[name]
        return first <= time <= last or (name, time) in self.starts

    def value(self, name: str, time: int) -> Any:
        """δ of a node at a time; zero where there is none."""
        key = name, time
        if key not in self.values:
            if key in self.open:
                raise Circular(f"δ of {name} at {time} depends on itself")
            self.open.add(key)
            self.values[key] = self._computed(name, time)
        return self.values[key]

    def _computed(self, name: str, time: int) -> Any:
        rows = self.quick.number(self.quick.net.vectors[name].rows)(self.quick.fixed)
        total = np.zeros((rows, 1))
        if not self.exists(name, time):
            return total
        first = (name, time) in self.starts
        e = self.system.initial[name] if first else self.system.equations[name]
        now = {**self.quick.fixed, t: time}
        for uses, value in self.quick.summands(e):
            if not uses or any(self._flows(time, n, at(now)) for n, at in uses):
                total = total + value(now, self)
        return total

    def before(self, name: str) -> Any:
        """δ of the initial value of a state: what the steps that read it send back."""
        start = self.quick.trajectory.starts[name]
        total = np.zeros(
            (self.quick.number(self.quick.net.vectors[name].rows)(self.quick.fixed), 1)
        )
        now = {**self.quick.fixed, t: start}
        for uses, value in self.quick.summands(self.system.equations[name]):
            if any(at(now) != start and self._flows(start, n, at(now)) for n, at in uses):
                total = total + value(now, self)
        return total

    def _flows(self, time: int, name: str, at: int) -> bool:
        chunk = self.system.chunk
        same = chunk is None or (time - 1) // chunk == (at - 1) // chunk
        return same and self.exists(name, at)


def _integer(i: int) -> Any:
    return Integer(i)
