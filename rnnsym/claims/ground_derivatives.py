"""Derivatives at a point of a network: dual numbers through its forward equations.

Third part of `scene`. No rule of the calculus takes part.
"""

from __future__ import annotations

from typing import Any

from sympy import Integer, MatrixSymbol

from rnnsym.claims.errors import (
    CannotError,
    MisfitError,
    NoValueError,
)
from rnnsym.claims.ground_functions import Functions
from rnnsym.claims.readings import Reading
from rnnsym.claims.trajectories import Inside, applied
from rnnsym.claims.value_sums import Matrix, Numbers
from rnnsym.claims.values import Values
from rnnsym.evaluate.dual import Dual, DualArithmetic
from rnnsym.evaluate.point import Point
from rnnsym.evaluate.trajectory import DualTrajectory
from rnnsym.nodes import Stack, TimeVector, t
from rnnsym.reader import terms as u
from rnnsym.reader.indices import Index


class Derivatives(Functions):
    """A point at which derivatives have values."""

    def jacobian(self, values: Values, term: u.Derivative, numbers: Numbers) -> Any:
        """(∂u/∂v in numerator layout, shape of u, shape of v)."""
        if isinstance(values.ar, DualArithmetic):
            raise CannotError("derivatives of derivatives are not evaluated")
        immediate = self.is_immediate(term, values.reading)
        used = tuple(sorted((n, numbers[n]) for n in self.letters(term) if n in numbers))
        reading = values.reading
        key: tuple[Any, ...] = (
            term.of,
            term.by,
            immediate,
            used,
            reading.with_(layout="", immediate=frozenset(), direct=frozenset()),
            term.start in reading.direct,
            frozenset(self.down),
            (self.identity_size, self.split),
            numbers.get(reading.step),
        )
        known = self._jacobians
        quantities = [self._quantity(values, x, numbers) for x in (term.of, *term.by)]
        if None not in quantities:
            known = self.truth.jacobians  # depends on nothing but the network
            key = (
                *quantities,
                immediate,
                reading.mean != self.table.mean,
                reading.rows,
                reading.path and immediate,
                term.start in reading.direct and _is_of_a_quantity(term),
                self.rows,
                key[-1],
            )
        if key not in known:
            known[key] = self._jacobian(values, term, numbers, immediate)
        return known[key]

    def _quantity(self, values: Values, term: u.Term, numbers: Numbers) -> Any:
        """What identifies a quantity of the network here, or stacked ones; None for others."""
        if isinstance(term, u.Defined):
            numbers = {**numbers, **self.numbers}
            term = self.table.definitions[term.name].meaning(term)
        if isinstance(term, u.Concat):
            parts = tuple(self._quantity(values, p, numbers) for p in term.parts)
            return None if None in parts or term.rows else parts
        if isinstance(term, u.Loss):
            return ("the loss",)
        if isinstance(term, u.Leaf):
            return term.name, None if term.time is None else values.number(term.time, numbers)
        return None

    def is_immediate(self, term: u.Derivative, reading: Reading) -> bool:
        """Whether a derivative is read as the immediate partial; of a loss it never is."""
        if isinstance(term.of, u.Loss) or (isinstance(term.of, u.Leaf) and term.of.name == "L"):
            return False
        if reading.path and term.kind == "∂" and u.of_itself(term):
            return True
        return term.kind == "∂⁺" or (term.kind == "∂" and term.start in reading.immediate)

    def _jacobian(
        self, values: Values, term: u.Derivative, numbers: Numbers, immediate: bool
    ) -> Any:
        columns, shapes, of = [], [], (1, 1)
        alone = term.start in values.reading.direct and _is_of_a_quantity(term)
        for by in term.by:
            matrix, of, shape = self._one(values, term.of, by, numbers, immediate or alone, alone)
            if alone and self._vanishes(matrix):  # its equation does not speak of it
                matrix, of, shape = self._one(values, term.of, by, numbers, immediate)
            columns.append(matrix)
            shapes.append(shape)
        if len(shapes) == 1:
            return columns[0], of, shapes[0]
        beside = len({r for r, _ in shapes}) == 1 and any(c > 1 for _, c in shapes)
        weights = isinstance(term.by[0], u.Leaf) and term.by[0].time is None and of == (1, 1)
        if beside and weights and len(shapes) < len(self.net.parameters):  # [W_aa | W_ax], not θ
            return self.ar.blocks([columns]), of, (shapes[0][0], sum(c for _, c in shapes))
        total = sum(r * c for r, c in shapes)
        return self.ar.blocks([columns]), of, (total, 1)

    def _one(
        self,
        values: Values,
        of: u.Term,
        by: u.Term,
        numbers: Numbers,
        immediate: bool,
        alone: bool = False,
    ) -> Any:
        chosen: list[int] | None = None
        if isinstance(by, u.Component):
            indices = [values.number(i, numbers) for i in by.indices]
            by = by.body
            chosen = indices
        if isinstance(by, u.Defined):
            by = self.table.definitions[by.name].meaning(by)
        if isinstance(by, u.Free):
            one = self.ar.full(1, 1, 1)
            seeded = {by.name: Dual(self.variable(self.ar, by.name), (one,))}
            lifted = DualArithmetic(self.ar)
            inner = Values(
                self,
                lifted,
                lambda n, at: Dual(self._leaf(n, at)),
                self._no_loss,
                values.reading,
                seeded,
            )
            return *self._columns(inner(of, numbers).m, 1), (1, 1)
        node, shape = self._node(by, values, numbers)
        free = self._free_keys(of, values, numbers) if immediate else None
        if free is not None and values.reading.path and getattr(by, "name", "") in self.net.states:
            names = {name for name, _ in free}
            free = frozenset((n, k) for n in names for k in range(-2, self.steps + 3))
        trajectory = self.truth.trajectory(node, free, alone)
        weight = isinstance(by, u.Leaf) and by.name in self.net.parameters
        step: int | None = None
        if weight and isinstance(by, u.Leaf) and by.time is not None:
            step = values.number(by.time, numbers)
        elif weight and not (isinstance(of, u.Leaf) and of.name == "L"):
            step = numbers.get(values.reading.step)
        if step is not None:
            trajectory = _OneStep(self.net, self.point, self.ar, trajectory.seeds, step)
        dual = trajectory.ar

        def leaf(name: str, time: int | None) -> Matrix:
            self.check_time(name, time)
            return trajectory.value((name, None if name in self.net.parameters else time))

        inner = Values(self, dual, leaf, trajectory.total_loss, values.reading, {
            n: Dual(m) for n, m in self._variables.items()
        })  # fmt: skip
        found = inner(of, numbers)
        directions = shape[0] * shape[1]
        matrix, of_shape = self._columns(found.m, directions)
        if chosen is not None:
            rows, cols = shape
            if len(chosen) == 1:
                chosen = [chosen[0], 1]
            i, j = chosen
            if not (1 <= i <= rows and 1 <= j <= cols):
                raise MisfitError("there is no such entry to vary")
            matrix = values.entries(
                [[(k, (j - 1) * rows + i - 1)] for k in range(self.ar.shape(matrix)[0])], matrix
            )
            shape = (1, 1)
        return matrix, of_shape, shape

    def adjoint(
        self, values: Values, name: str, time: int, way: str, step: int | None = None
    ) -> Matrix:
        """The derivative of the loss by a vector, as a row, in one of the ways of `readings.WAYS`;
        step: of the loss of that step alone.

        Raises NoValueError where the vector is not computed by a function at that time.
        """
        if isinstance(values.ar, DualArithmetic):
            raise CannotError("derivatives of derivatives are not evaluated")
        if way == "total":
            of = u.Loss() if step is None else u.Leaf("L", Index(step))
            by = u.Derivative(of, (u.Leaf(name, Index(time)),), "δ")
            return self.jacobian(values, by, {})[0]
        if way == "own":  # what is left of it without what later steps pass back
            total, later = (self.adjoint(values, name, time, w, step) for w in ("total", "carried"))
            return self.ar.add(total, self.ar.scale(-1, later))
        if step is not None and way == "carried":
            raise CannotError("the loss of one step is all that is carried")
        mean = step is None and values.reading.mean != self.table.mean
        key = "adjoint", name, time, way, mean, step
        known = self.truth.jacobians
        if key not in known:
            self.check_time(name, time)
            carried = way == "carried"
            found = self._carried(name, time) if carried else self._inside(name, time, step)
            known[key] = self.ar.scale(self.fraction(1, self.steps), found) if mean else found
        return known[key]

    def _carried(self, name: str, time: int) -> Matrix:
        """What comes from the steps after this one: its own states and its own loss are held."""
        v = self.net.vectors[name]
        back = self._runs_back(name) and not self._runs_forth(name)
        later = range(-2, time) if back else range(time + 1, self.steps + 3)
        free = frozenset((state, k) for state in self.net.states for k in later)
        node = TimeVector(name, v.rows, Integer(time))
        trajectory = self.truth.trajectory(node, free)
        size = int(v.rows.xreplace(self.symbols))
        every, _ = self._columns(trajectory.total_loss(), size)
        loss = self.net.loss.name
        first, last = trajectory.spans[loss]
        if not first <= time <= last:
            return every
        own, _ = self._columns(trajectory.value((loss, time)), size)
        return self.ar.add(every, self.ar.scale(-1, own))

    def _inside(self, name: str, time: int, step: int | None = None) -> Matrix:
        """By the argument of the function that gives the vector."""
        if not applied(self.net, name):
            raise CannotError(f"{name} is not the value of a function")
        first, last = self.truth.plain.spans[name]
        rows = int(self.net.vectors[name].rows.xreplace(self.symbols))
        if time > last:
            return self.ar.full(1, rows, 0)
        if time < first:
            raise NoValueError(f"{name} is not computed at step {time}")
        trajectory = Inside(self.net, self.point, self.truth.base, (name, time))
        loss = (
            trajectory.total_loss() if step is None
            else trajectory.value((self.net.loss.name, step))
        )  # fmt: skip
        return self._columns(loss, rows)[0]

    def _no_loss(self) -> Matrix:
        raise CannotError("the loss does not depend on that variable")

    def _node(self, by: u.Term, values: Values, numbers: Numbers) -> tuple[Any, tuple[int, int]]:
        def size(e: Any) -> int:
            return int(e.xreplace(self.symbols))

        if isinstance(by, u.Concat) and all(isinstance(p, u.Leaf) and p.time for p in by.parts):
            nodes = [self._node(p, values, numbers) for p in by.parts]
            rows = sum(shape[0] for _, shape in nodes)
            return Stack("·", [node for node, _ in nodes], nodes[0][0].time), (rows, 1)
        if not isinstance(by, u.Leaf):
            raise CannotError("a derivative by something that is no quantity of the network")
        if by.name in self.net.parameters:
            w = self.net.parameters[by.name]
            return MatrixSymbol(by.name, *w.shape), (size(w.rows), size(w.cols))
        assert by.time is not None
        time = values.number(by.time, numbers)
        self.check_time(by.name, time)
        v = self.net.vectors[by.name]
        return TimeVector(by.name, v.rows, Integer(time)), (size(v.rows), 1)

    def _free_keys(self, of: u.Term, values: Values, numbers: Numbers) -> frozenset[Any]:
        """What varies with an immediate partial: the quantity itself, no other state."""
        if isinstance(of, u.Component):
            of = of.body
        if isinstance(of, u.Defined):
            of = self.table.definitions[of.name].meaning(of)
        parts = of.parts if isinstance(of, u.Concat) else (of,)
        found = [(p.name, values.number(p.time, numbers))
                 for p in parts if isinstance(p, u.Leaf) and p.time is not None]  # fmt: skip
        # of stacked states, those of the same step vary
        return frozenset(key for key in found if key[1] == found[0][1])

    def _vanishes(self, matrix: Matrix) -> bool:
        rows, cols = self.ar.shape(matrix)
        return all(matrix[i, j] == 0 for i in range(rows) for j in range(cols))

    def _columns(self, dual: Dual, directions: int) -> tuple[Matrix, tuple[int, int]]:
        """The Jacobian of a dual matrix: one column a direction."""
        rows, cols = self.ar.shape(dual.value)
        if dual.tangents is None:
            return self.ar.full(rows * cols, directions, 0), (rows, cols)
        entries = [(i, j) for j in range(cols) for i in range(rows)]
        return self.ar.array([[x[e] for x in dual.tangents] for e in entries]), (rows, cols)


def _is_of_a_quantity(term: u.Derivative) -> bool:
    """Whether a vector of the network is derived, and not the loss."""
    of = term.of.body if isinstance(term.of, u.Component) else term.of
    return term.kind == "∂" and isinstance(of, u.Leaf) and of.time is not None and of.name != "L"


class _OneStep(DualTrajectory):
    """A trajectory in which parameters vary where they are used at one step only."""

    def __init__(self, net: Any, point: Point, base: Any, seeds: Any, step: int) -> None:
        super().__init__(net, point, base, seeds)
        self.step = step

    def leaf(self, node: Any, time: int | None) -> Matrix:
        value = super().leaf(node, time)
        if time is None and self.evaluator.symbols.get(t) != self.step:
            return Dual(value.value)
        return value
