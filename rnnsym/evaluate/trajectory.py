"""The values of all nodes of a network at all times, and their true derivatives.

Part of the trusted base. Values come from the forward equations alone, on demand and without
recursion in time; derivatives are the same computation over dual numbers.
"""

from __future__ import annotations

from typing import Any

from sympy import Integer, MatrixSymbol

from rnnsym.evaluate.arithmetic import Arithmetic
from rnnsym.evaluate.dual import Dual, DualArithmetic
from rnnsym.evaluate.expression import Evaluator
from rnnsym.evaluate.point import Point, shape
from rnnsym.network import Network
from rnnsym.nodes import (
    Adjoint,
    Gradient,
    Immediate,
    Stack,
    TimeSum,
    TimeVector,
    Total,
    t,
    time_vectors,
)

Matrix = Any
Key = tuple[str, int | None]


class Trajectory:
    """Node values at a point, in an arithmetic; `wrap(key, value)` may replace any of them.

    held: another trajectory, from which detached values are taken: constants in a difference
    quotient, as they are for derivatives.
    """

    def __init__(
        self, net: Network, point: Point, arithmetic: Arithmetic, held: Trajectory | None = None
    ) -> None:
        self.net, self.point, self.ar = net, point, arithmetic
        self.values: dict[Key, Matrix] = {}
        self.evaluator = Evaluator(arithmetic, self.leaf, point.symbols)
        if held is not None:
            self.evaluator.held = held.leaf
        self.spans = {
            name: (point.number(span.first), point.number(span.last))
            for name, span in net.spans.items()
        }
        self.needs = {name: self._uses(e.rhs) for name, e in net.equations.items()}
        self.starts = {name: point.number(net.start(name)) for name in net.states}
        self.before = {name: self._uses(e.rhs) for name, e in net.initial.items()}

    def _uses(self, e: Any) -> list[tuple[str, int, bool]]:
        """(name, time, whether that is relative to t) of the vectors in an equation."""
        return [
            (v.name, int(v.time - t), True)
            if t in v.time.free_symbols
            else (v.name, self.point.number(v.time), False)
            for v in time_vectors(e)
        ]

    def wrap(self, key: Key, value: Matrix) -> Matrix:
        return value

    def leaf(self, node: Any, time: int | None) -> Matrix:
        """The value of a parameter, or of a vector at a time."""
        return self.value((node.name, time))

    def value(self, key: Key) -> Matrix:
        """The value of (name, time), computing whatever it needs first."""
        agenda = [key]
        while agenda:
            name, time = top = agenda[-1]
            if top in self.values:
                agenda.pop()
                continue
            found = self._equation(name, time)
            if found is None:
                self.values[top] = self.wrap(top, self._given(name, time))
                continue
            rhs, uses = found
            assert time is not None
            needed = [(v, at + time if relative else at) for v, at, relative in uses]
            waiting = [key for key in needed if key not in self.values]
            if waiting:
                agenda += waiting
            else:
                self.evaluator.symbols = {**self.point.symbols, t: Integer(time)}
                self.values[top] = self.wrap(top, self.evaluator(rhs))
        return self.values[key]

    def _equation(self, name: str, time: int | None) -> tuple[Any, list[Any]] | None:
        """What a value is computed by, and the vectors used; None for one that is given."""
        if time is None or name not in self.net.equations:
            return None
        first, last = self.spans[name]
        if first <= time <= last:
            return self.net.equations[name].rhs, self.needs[name]
        if name in self.net.initial and time == self.starts[name]:
            return self.net.initial[name].rhs, self.before[name]
        return None

    def _given(self, name: str, time: int | None) -> Matrix:
        """Parameters, data, and states before the first or after the last step.

        A state's initial value stands at time 0 (at T+1 if it runs backwards); earlier ones
        are zero, as are inputs outside the sequence.
        """
        if time is None:
            return self.lift(self.point.parameters[name])
        values = self.point.sequences.get(name)
        if values is not None and 0 <= time - self.spans[name][0] < len(values):
            return self.lift(values[time - self.spans[name][0]])
        if time == self.starts.get(name) and name in self.point.initial:
            return self.lift(self.point.initial[name])
        rows = self.evaluator.number(self.net.vectors[name].rows)
        return self.ar.full(rows, 1, 0)

    def lift(self, matrix: Matrix) -> Matrix:
        return matrix

    def total_loss(self) -> Matrix:
        """L: the value of the objective."""
        self.evaluator.symbols = dict(self.point.symbols)
        first, last = self.spans[self.net.loss.name]
        for k in range(first, last + 1):  # in the order of time, outside of the evaluator
            self.value((self.net.loss.name, k))
        return self.evaluator(self.net.objective)


class DualTrajectory(Trajectory):
    """A trajectory of dual numbers: the seeded nodes vary freely, in unit directions.

    seeds: key -> tangents; free: the only states that are not held fixed (None: all vary).
    """

    def __init__(
        self,
        net: Network,
        point: Point,
        base: Arithmetic,
        seeds: dict[Key, tuple[Matrix, ...]],
        free: frozenset[Key] | None = None,
    ) -> None:
        super().__init__(net, point, DualArithmetic(base))
        self.seeds, self.free = seeds, free

    def lift(self, matrix: Matrix) -> Dual:
        return Dual(matrix)

    def wrap(self, key: Key, value: Dual) -> Dual:
        if key in self.seeds:
            return Dual(value.value, self.seeds[key])
        if self.free is not None and key[0] in self.net.states and key not in self.free:
            return Dual(value.value)
        return value


class Truth:
    """What is true of a network at a point: values and derivatives, by forward equations only."""

    def __init__(self, net: Network, point: Point, base: Arithmetic) -> None:
        self.net, self.point, self.base = net, point, base
        self.plain = Trajectory(net, point, base)
        self._trajectories: dict[Any, DualTrajectory] = {}
        self._derivatives: dict[Any, Matrix] = {}

    def evaluator(self, bindings: dict[Any, Any] | None = None) -> Evaluator:
        """Evaluates any expression of the calculus at this point."""
        symbols = {**self.point.symbols, **(bindings or {})}
        return Evaluator(self.base, self._leaf, symbols, self.derivative)

    def _leaf(self, node: Any, time: int | None) -> Matrix:
        if node == self.net.total_loss:
            return self.plain.total_loss()
        return self.plain.leaf(node, time)

    def derivative(self, e: Any) -> Matrix:
        """The value of a Total, Immediate, Gradient or Adjoint whose times are numbers."""
        if e not in self._derivatives:
            self._derivatives[e] = self._derivative(e)
        return self._derivatives[e]

    def _derivative(self, e: Any) -> Matrix:
        if isinstance(e, Adjoint):
            return self.base.transpose(self.derivative(Total(self.net.total_loss, e.of)))
        if isinstance(e, Gradient):
            row = self.derivative(Total(e.of, e.by))
            rows, cols = shape(e.by, self.point.symbols)
            return self.base.array(
                [[row[0, j * rows + i] for j in range(cols)] for i in range(rows)]
            )
        free = None
        if isinstance(e, Immediate):  # only states of the same time vary with e.of
            time = getattr(e.of, "time", None)
            free = frozenset(key for _, key in _parts(e.of) if key[1] == time)
        return self.jacobian(e.of, self.trajectory(e.by, free))

    def trajectory(self, v: Any, free: frozenset[Key] | None = None) -> DualTrajectory:
        """The dual trajectory in which v varies; with `free`, all other states are held."""
        key = v, free
        if key not in self._trajectories:
            shapes = [(name, *shape(node, self.point.symbols)) for node, name in _parts(v)]
            total = sum(r * c for _, r, c in shapes)
            seeds, start = {}, 0
            for name, rows, cols in shapes:
                seeds[name] = _units(self.base, rows, cols, start, total)
                start += rows * cols
            self._trajectories[key] = DualTrajectory(self.net, self.point, self.base, seeds, free)
        return self._trajectories[key]

    def jacobian(self, u: Any, trajectory: DualTrajectory) -> Matrix:
        """The Jacobian of u along a dual trajectory: one column a direction."""
        directions = len(next(iter(trajectory.seeds.values())))
        if isinstance(u, TimeSum):  # a sum of losses
            total = self.base.full(int(u.rows), directions, 0)
            for time in range(int(u.lower), int(u.upper) + 1):
                summand = u.body.xreplace({u.index: Integer(time)})
                total = self.base.add(total, self.jacobian(summand, trajectory))
            return total
        if u == self.net.total_loss:
            duals = [trajectory.total_loss()]
        else:
            duals = [trajectory.value(name) for _, name in _parts(u)]
        columns = []
        for d in range(directions):
            column: list[list[Any]] = []
            for dual in duals:
                rows, cols = self.base.shape(dual.value)
                if dual.tangents is None:
                    column += [[0]] * (rows * cols)
                else:
                    x = dual.tangents[d]
                    column += [[x[i, j]] for j in range(cols) for i in range(rows)]
            columns.append(self.base.array(column))
        return self.base.blocks([columns])


def _parts(v: Any) -> list[tuple[Any, Key]]:
    if isinstance(v, Stack):
        return [part for p in v.parts for part in _parts(p)]
    if isinstance(v, MatrixSymbol):
        return [(v, (v.name, None))]
    assert isinstance(v, TimeVector)
    return [(v, (v.name, int(v.time)))]


def _units(ar: Arithmetic, rows: int, cols: int, start: int, total: int) -> tuple[Matrix, ...]:
    """The unit directions of one seed among all: E_ij in column-major order, zero elsewhere."""
    return tuple(
        ar.array([[int(start + j * rows + i == d) for j in range(cols)] for i in range(rows)])
        for d in range(total)
    )
