"""A point of a network at which terms are evaluated, and what is true there.

Used by `values`. Derivatives are dual numbers through the forward equations
(`rnnsym.evaluate`); no rule of the calculus takes part.
"""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from sympy import Integer, MatrixSymbol, Rational

from rnnsym.claims.digits import BoundedArithmetic
from rnnsym.claims.errors import (
    CannotError,
    MisfitError,
    NoValueError,
    NumbersNeededError,
    TooLargeError,
)
from rnnsym.claims.readings import Reading
from rnnsym.claims.trajectories import Inside, SharedTruth, applied
from rnnsym.claims.values import ENTRIES, Matrix, Numbers, Value, Values, dimension_of
from rnnsym.evaluate.dual import EQUATIONS, Dual, DualArithmetic
from rnnsym.evaluate.expression import Evaluator
from rnnsym.evaluate.field import FieldArithmetic, P
from rnnsym.evaluate.point import Point, array_point, field_point
from rnnsym.evaluate.trajectory import DualTrajectory
from rnnsym.nodes import Stack, TimeVector, Unknown, t
from rnnsym.reader import terms as u
from rnnsym.reader.indices import Index
from rnnsym.reader.table import Table
from rnnsym.sizes import choose_sizes
from rnnsym.verify.arrays import random_arrays

#: by how much unknown functions are steeper where an inequality is tried, and what weights are
#: multiplied by there, and where they are small
STEEP, LARGE_WEIGHTS, SMALL_WEIGHTS = 20, 3, 0.125
#: functions made of exp, whose relations the field's oracles do not know
EXTRA = {"sech", "cosh", "sinh", "coth", "sqrt", "sign", "sin", "cos"}


class Scene:
    """One point: T, sizes, random numbers. numeric: in 50-digit numbers instead of the field.

    down: places of ranges that count down; trace: place -> the limits that occurred.
    """

    def __init__(
        self,
        net: Any,
        table: Table,
        steps: int,
        seed: int = 0,
        numeric: bool = False,
        zero: bool = False,
        sizes: Mapping[str, int] | None = None,
        extreme: str = "",
    ) -> None:
        self.net, self.table, self.numeric, self.rows = net, table, numeric, table.rows
        # where all sizes are chosen, so are the lengths: no two are equal
        self.lengths = {
            name: steps + (i if sizes else 0) for i, name in enumerate(net.lengths)
        } or {"T": steps}
        steps = max(self.lengths.values())
        self.steps, self.seed, self.extreme = steps, seed, extreme
        self.symbols = choose_sizes(net, self.lengths, sizes)
        self.ar: Any = (
            BoundedArithmetic(STEEP if extreme == "steep" else 1)
            if numeric
            else FieldArithmetic(seed)
        )
        self.truth = self._shared((steps, seed, numeric, zero, str(sizes), extreme), zero)
        self.point = self.truth.point
        self.deadline = float("inf")
        self.down: set[int] = set()
        self.trace: dict[int, set[tuple[int, int]]] = {}
        # sizes that the judge tries: of an I, and which division of zeros among several blocks
        self.identity_size: int | None = None
        self.split: int | None = None
        self.splits = 1
        self._jacobians: dict[Any, Any] = {}
        self._variables: dict[str, Any] = {}
        self._open: set[Any] = set()
        self._letters: dict[str, frozenset[str]] = {}

    def _shared(self, key: Any, zero: bool) -> SharedTruth:
        """What is true at a point of a network is computed once for all claims about it."""
        known: dict[Any, SharedTruth] = self.net.__dict__.setdefault("_claim_points", {})
        if key not in known:
            known[key] = SharedTruth(self.net, self._point(zero), self.ar)
        self.ar = known[key].base
        return known[key]

    @cached_property
    def block_sizes(self) -> list[int]:
        """The sizes that blocks of a matrix may have."""
        return sorted({int(v) for k, v in self.symbols.items() if str(k) not in self.numbers})

    def tick(self) -> None:
        """Raises TooLargeError when the time for a formula is over."""
        if time.monotonic() > self.deadline:
            raise TooLargeError("too large: it takes too long to decide")

    def _point(self, zero: bool) -> Point:
        if self.numeric:
            parameters, sequences, initial = random_arrays(self.net, self.symbols, self.seed)
            scale = {"steep": LARGE_WEIGHTS, "small": SMALL_WEIGHTS}.get(self.extreme)
            if scale is not None:
                parameters = {n: scale * w for n, w in parameters.items()}
            point = array_point(self.ar, self.symbols, parameters, sequences, initial)
            if self.net.target_kind == "distribution":  # floats sum to one up to 1e-16 only
                exact = {n: [y / y.sum() for y in point.sequences[n]] for n in self.net.targets}
                point = replace(point, sequences={**point.sequences, **exact})
        else:
            point = field_point(self.net, self.ar, self.symbols, self.seed)
        if not zero:
            return point
        zeros = {n: self.ar.full(*self.ar.shape(v), 0) for n, v in point.initial.items()}
        return replace(point, initial=zeros)

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The lengths of the sequences by name."""
        return {"T": self.steps, **self.lengths, **dict.fromkeys(self.table.lengths, self.steps)}

    def values(self, reading: Reading) -> Values:
        """What evaluates terms here under a reading."""
        return Values(self, self.ar, self._leaf, self.truth.plain.total_loss, reading)

    def _leaf(self, name: str, time: int | None) -> Matrix:
        self.check_time(name, time)
        time = None if name in self.net.parameters else time  # a copy is as all others
        return self.truth.plain.value((name, time))

    def check_time(self, name: str, time: int | None) -> None:
        """A vector far outside of its steps has no value."""
        if time is not None and not -2 <= time <= self.steps + 2:
            raise NoValueError(f"{name} has no value at step {time}")

    def is_zero(self, m: Matrix) -> bool:
        """Whether all entries of a matrix are zero."""
        return not np.any(m) if self.numeric else bool(m == self.ar.full(*self.ar.shape(m), 0))

    def fraction(self, a: int, b: int) -> Any:
        return Rational(a, b)

    # ---- functions -----------------------------------------------------------------------

    def apply(self, ar: Any, function: str, order: int, z: Matrix) -> Matrix:
        """An elementwise function or its derivative, by its differential equation."""
        if function in EXTRA:
            if order:
                raise CannotError(f"the derivative of {function} is not evaluated")
            return self._made_of_exp(ar, function, z)
        if order == 1 and function in EQUATIONS:
            if isinstance(ar, DualArithmetic):
                return _slope_of_dual(ar, function, z)
            return EQUATIONS[function](ar, z, ar.apply(function, 0, z))
        if order > 1 and function in EQUATIONS:
            raise CannotError("second derivatives are not evaluated")
        return ar.apply(function, order, z)

    def _made_of_exp(self, ar: Any, function: str, z: Matrix) -> Matrix:
        if not self.numeric:
            raise NumbersNeededError(function)
        if function in ("sin", "cos", "sqrt", "sign"):
            if isinstance(ar, DualArithmetic):
                raise CannotError(f"the derivative of {function} is not evaluated")
            f = {"sin": self.ar.mp.sin, "cos": self.ar.mp.cos, "sqrt": self.ar.mp.sqrt,
                 "sign": self.ar.mp.sign}[function]  # fmt: skip
            return self.ar.each(function, f, z)
        up, down = ar.apply("exp", 0, z), ar.apply("exp", 0, ar.scale(-1, z))
        half = Rational(1, 2)
        cosh, sinh = (
            ar.scale(half, ar.add(up, down)),
            ar.scale(half, ar.add(up, ar.scale(-1, down))),
        )
        if function == "cosh":
            return cosh
        if function == "sinh":
            return sinh
        if function == "sech":
            return ar.apply("reciprocal", 0, cosh)
        return ar.hadamard(cosh, ar.apply("reciprocal", 0, sinh))

    def softmax(self, ar: Any, z: Matrix) -> Matrix:
        powers = ar.apply("exp", 0, z)
        n = ar.shape(powers)[0]
        return ar.hadamard(powers, ar.apply("reciprocal", 0, ar.matmul(ar.full(n, n, 1), powers)))

    def unknown(self, ar: Any, function: str, arguments: Sequence[Matrix]) -> Matrix:
        """A function of which only the arguments are known."""
        rows = self.net.unknown_rows.get(function)
        if rows is None:
            raise CannotError(f"what is {function}?")
        arguments = [a if ar.shape(a)[1] == 1 else ar.transpose(a) for a in arguments]
        if any(ar.shape(a)[1] != 1 for a in arguments):
            raise CannotError(f"{function} takes vectors")
        names = [MatrixSymbol(f"_{i}", *ar.shape(a)) for i, a in enumerate(arguments)]
        table = dict(zip((n.name for n in names), arguments, strict=True))
        evaluator = Evaluator(ar, lambda node, _: table[node.name], self.symbols)
        return evaluator(Unknown(function, names, rows))

    def inverse(self, ar: Any, m: Matrix) -> Matrix:
        if isinstance(ar, DualArithmetic):
            raise CannotError("the derivative of an inverse is not evaluated")
        if not self.numeric:
            return m.inv()
        found = self.ar.square(m) ** -1
        return self.ar.array(found.tolist())

    def norm(self, ar: Any, kind: str, *matrices: Matrix) -> Matrix:
        """Norms, absolute values and the greatest of some, in numbers."""
        if isinstance(ar, DualArithmetic):
            raise CannotError("the derivative of a norm is not evaluated")
        if not self.numeric:
            raise NumbersNeededError(kind)
        mp, m = self.ar.mp, matrices[0]
        entries = [x for a in matrices for x in np.ravel(a)]
        if kind in ("max", "min"):
            return self.ar.array([[max(entries) if kind == "max" else min(entries)]])
        if kind == "abs" and m.shape == (1, 1):
            return self.ar.array([[abs(m[0, 0])]])
        if kind == "det" and m.shape[0] != m.shape[1]:
            raise MisfitError("the determinant of a matrix that is not square")
        if kind == "det" or (kind == "abs" and m.shape[0] == m.shape[1]):
            return self.ar.array([[mp.det(self.ar.square(m))]])
        if 1 in m.shape or kind == "frobenius":
            if kind == "norm1":
                return self.ar.array([[sum(map(abs, entries))]])
            if kind == "norminf":
                return self.ar.array([[max(map(abs, entries))]])
            return self.ar.array([[mp.sqrt(sum(x * x for x in entries))]])
        if kind == "norm1":
            return self.ar.array([[max(sum(map(abs, column)) for column in m.T)]])
        if kind == "norminf":
            return self.ar.array([[max(sum(map(abs, row)) for row in m)]])
        singular = mp.svd_r(self.ar.square(m), compute_uv=False)
        return self.ar.array([[max(singular)]])

    def variable(self, ar: Any, name: str) -> Matrix:
        """The value of a free variable; the same wherever it stands."""
        if name not in self._variables:
            rng = random.Random(f"{self.seed}/{name}")
            number: Any = rng.uniform(-1.5, 1.5) if self.numeric else rng.randrange(P)
            self._variables[name] = self.ar.array([[number]])
        m = self._variables[name]
        return Dual(m) if isinstance(ar, DualArithmetic) else m

    # ---- what the document defines -------------------------------------------------------

    def defined(
        self, values: Values, term: u.Defined, index: tuple[int, ...], around: Numbers
    ) -> Value:
        """The value of a defined quantity; outside of the steps a recursion gives zero."""
        definition = self.table.definitions[term.name]
        outer = tuple(sorted((n, around[n]) for n in self.letters(term) if n in around))
        # the arithmetic and the leaves themselves: the id of what is gone may be another's
        key = values.ar, values.leaf, term.name, index, outer, values.reading
        if key in values.known:
            return values.known[key]
        if key in self._open:
            raise CannotError(f"{definition.latex} is defined by itself")
        if definition.recursive and index and not 1 <= index[0] <= self.steps:
            return Value(values.ar.full(1, 1, 0), kind="zero")
        self._open.add(key)
        try:
            numbers = {
                **around,
                **self.numbers,
                **dict(zip(definition.letters, index, strict=False)),
            }
            found = values(definition.at(index), numbers)
        finally:
            self._open.discard(key)
        values.known[key] = found
        return found

    def letters(self, term: u.Term) -> frozenset[str]:
        """The index letters that a term depends on, those in definitions that it uses too."""
        found = set(u.letters(term))
        for name in {x.name for x in u.walk(term) if isinstance(x, u.Defined)}:
            if name not in self._letters:
                self._letters[name] = frozenset()  # of itself it gets no more
                definition = self.table.definitions[name]
                bodies = (definition.body, *definition.fixed.values())
                inside = frozenset().union(*map(self.letters, bodies))
                self._letters[name] = inside - {*definition.letters}
            found |= self._letters[name]
        return frozenset(found)

    # ---- derivatives ---------------------------------------------------------------------

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
            reading.with_(layout="", immediate=frozenset()),
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
        for by in term.by:
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
        self, values: Values, of: u.Term, by: u.Term, numbers: Numbers, immediate: bool
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
        trajectory = self.truth.trajectory(node, free)
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

    def _columns(self, dual: Dual, directions: int) -> tuple[Matrix, tuple[int, int]]:
        """The Jacobian of a dual matrix: one column a direction."""
        rows, cols = self.ar.shape(dual.value)
        if dual.tangents is None:
            return self.ar.full(rows * cols, directions, 0), (rows, cols)
        entries = [(i, j) for j in range(cols) for i in range(rows)]
        return self.ar.array([[x[e] for x in dual.tangents] for e in entries]), (rows, cols)

    # ---- ranges and conditions -----------------------------------------------------------

    def range(self, values: Values, term: u.Ranged, numbers: Numbers) -> tuple[int, int]:
        """The limits of a sum or product here."""
        lower = values.number(term.lower, numbers)
        counted = dimension_of(term.body, term.index)
        if ENTRIES in term.upper.names or (
            counted is not None and not set(term.upper.names) <= {"T", *numbers}
        ):
            if counted is None:
                raise CannotError(f"up to what does {term.index} run?")
            assert isinstance(counted, u.Component)
            inner = {**numbers, **{n: 1 for n in u.letters(counted.body) if n not in numbers}}
            shape = values.shape(values(counted.body, inner))
            place = next(k for k, i in enumerate(counted.indices) if term.index in i.names)
            upper = max(shape) if len(counted.indices) == 1 else shape[place]
            return max(lower, 1), upper  # entries may be counted from 0
        upper = values.number(term.upper, numbers)
        if term.upper != term.lower:
            self.trace.setdefault(term.start, set()).add((lower, upper))
        return lower, upper

    def is_descending(self, values: Values, term: u.Ranged, numbers: Numbers) -> bool:
        return term.start in self.down

    def descends(self, term: u.Ranged) -> bool:
        """Whether a product is written with the highest index first, where nothing else is said:
        its factors chain so, ∂a⟨i⟩/∂a⟨i-1⟩; those of states that run backwards do not."""
        index = Index.of(term.index)
        steps = set()
        for node in u.walk(term.body):
            if isinstance(node, u.Derivative) and len(node.by) == 1:
                above, below = (_time(self, x, index) for x in (node.of, node.by[0]))
                if above is not None and below is not None and above != below:
                    steps.add(above > below)
        if len(steps) == 1:
            return steps.pop()
        names = {x.name for x in u.walk(term.body) if isinstance(x, u.Leaf) and x.time is not None}
        return not any(map(self._runs_back, names)) or any(map(self._runs_forth, names))

    def _runs_back(self, name: str) -> bool:
        return any(lag < 0 for lag in self._lags(name))

    def _runs_forth(self, name: str) -> bool:
        return any(lag > 0 for lag in self._lags(name))

    def _lags(self, name: str) -> set[int]:
        """At which distances a node uses states, through nodes of its own step."""
        found: set[int] = set()
        agenda, seen = [name], set()
        while agenda:
            node = agenda.pop()
            for (user, used), lags in self.net.lags.items():
                if user == node and used not in seen:
                    found |= {lag for lag in lags if used in self.net.states}
                    if used not in self.net.states and 0 in lags:
                        seen.add(used)
                        agenda.append(used)
        if name in self.net.states:
            found |= set(self.net.lag_range(name))
        return found

    def holds(self, values: Values, claim: u.Claim, numbers: Numbers) -> bool:
        """Whether a condition between whole numbers holds."""
        found = []
        for side in claim.sides:
            if isinstance(side, u.Whole):
                found.append(values.number(side.index, numbers))
            elif isinstance(side, u.Num):
                found.append(int(side.value))
            elif self.numeric:
                found.append(values(side, numbers).m[0, 0])
            else:
                raise NumbersNeededError("a condition between values")
        return all(compare(a, op, b) for a, op, b in zip(found, claim.ops, found[1:], strict=False))


def _time(scene: Scene, term: u.Term, index: Index) -> int | None:
    """How far from an index the time of a quantity is."""
    found: tuple[Index, ...] = ()
    if isinstance(term, u.Leaf) and term.time is not None:
        found = (term.time,)
    elif isinstance(term, u.Defined):
        found = term.index
    gap = found[0].plus(index, -1) if found else None
    return None if gap is None or gap.letters else gap.constant


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


def compare(a: Any, op: str, b: Any) -> bool:
    """a op b between numbers."""
    table = {"=": a == b, "≠": a != b, "<": a < b, ">": a > b, "≤": a <= b, "≥": a >= b}
    if op not in table:
        raise CannotError(f"the relation {op} is not evaluated")
    return bool(table[op])


def _slope_of_dual(ar: DualArithmetic, function: str, z: Dual) -> Dual:
    """g′(z) as a dual number: its differential equation in dual arithmetic."""
    found: Dual = EQUATIONS[function](ar, z, ar.apply(function, 0, z))
    return found


def digest(text: str) -> int:
    """A number made of a text."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
