"""A point of a network: its values, and what a document defines there.

First part of `scene`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from sympy import Add, Integer, MatAdd, MatrixSymbol, Rational, Transpose, preorder_traversal

from rnnsym.claims.blocks import Value
from rnnsym.claims.digits import BoundedArithmetic
from rnnsym.claims.errors import (
    CannotError,
    NoValueError,
    TooLargeError,
)
from rnnsym.claims.readings import Reading
from rnnsym.claims.trajectories import SharedTruth, applied
from rnnsym.claims.value_sums import Matrix, Numbers
from rnnsym.claims.values import Values
from rnnsym.evaluate.field import FieldArithmetic
from rnnsym.evaluate.point import Point, array_point, field_point
from rnnsym.nodes import t, time_vectors
from rnnsym.reader import terms as u
from rnnsym.reader.table import Table
from rnnsym.sizes import choose_sizes
from rnnsym.verify.arrays import random_arrays

#: by how much unknown functions are steeper where an inequality is tried, and what weights are
#: multiplied by there, and where they are small
STEEP, LARGE_WEIGHTS, SMALL_WEIGHTS = 20, 3, 0.125
#: how large weights are, whatever the length, at the points where limits are tried; at the last
#: of them nothing moves the states away from zero
SCALES = {"shrinking": 0.3, "usual": 1.0, "growing": 4.0, "still": 30.0}


class Ground:
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
        self.upright = _upright(net) if table.rows else frozenset()
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
        if time.process_time() > self.deadline:
            raise TooLargeError("too large: it takes too long to decide")

    def _point(self, zero: bool) -> Point:
        if self.numeric:
            parameters, sequences, initial = random_arrays(self.net, self.symbols, self.seed)
            scale = {"steep": LARGE_WEIGHTS, "small": SMALL_WEIGHTS}.get(self.extreme)
            if scale is not None:
                parameters = {n: scale * w for n, w in parameters.items()}
            if self.extreme in SCALES:
                scale = SCALES[self.extreme] / (1 + 1 / self.steps)  # they are drawn for T steps
                parameters = {n: scale * w for n, w in parameters.items()}
            if self.extreme == "still":
                added = _added(self.net)
                parameters = {n: 0 * w if n in added else w for n, w in parameters.items()}
                initial = {n: 0 * v for n, v in initial.items()}
                kept = self.net.targets
                sequences = {n: v if n in kept else 0 * v for n, v in sequences.items()}
            point = array_point(self.ar, self.symbols, parameters, sequences, initial)
            if self.net.target_kind == "distribution":  # floats sum to one up to 1e-16 only
                exact = {n: [y / y.sum() for y in point.sequences[n]] for n in self.net.targets}
                point = replace(point, sequences={**point.sequences, **exact})
        else:
            point = field_point(self.net, self.ar, self.symbols, self.seed)
        if self.net.target_kind == "distribution":
            tokens = {
                n: list(map(self._of_sum_one, point.sequences[n])) for n in _predicted(self.net)
            }
            point = replace(point, sequences={**point.sequences, **tokens})
        if not zero:
            return point
        zeros = {n: self.ar.full(*self.ar.shape(v), 0) for n, v in point.initial.items()}
        return replace(point, initial=zeros)

    def _of_sum_one(self, v: Matrix) -> Matrix:
        """A vector with its last entry such that all sum to one."""
        rows, ar = self.ar.shape(v)[0], self.ar
        total = ar.matmul(ar.full(1, rows, 1), v)
        rest = ar.add(ar.full(1, 1, 1), ar.scale(-1, total))
        last = ar.full(rows - 1, 1, 0)
        return ar.add(v, ar.blocks([[last], [rest]]) if rows > 1 else rest)

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

    def argument(self, name: str, time: int) -> Matrix:
        """The argument of the function that gives a vector at a step."""
        trajectory = self.truth.plain
        first, last = trajectory.spans[name]
        if not applied(self.net, name) or not first <= time <= last:
            raise NoValueError(f"{name} is no value of a function at step {time}")
        trajectory.value((name, time))  # and before it what it needs
        trajectory.evaluator.symbols = {**trajectory.point.symbols, t: Integer(time)}
        found: Matrix = trajectory.evaluator(self.net.equations[name].rhs.argument)
        return found

    def check_time(self, name: str, time: int | None) -> None:
        """A vector far outside of its steps has no value."""
        if time is not None and not -2 <= time <= self.steps + 2:
            raise NoValueError(f"{name} has no value at step {time}")

    def is_zero(self, m: Matrix) -> bool:
        """Whether all entries of a matrix are zero."""
        return not np.any(m) if self.numeric else bool(m == self.ar.full(*self.ar.shape(m), 0))

    def fraction(self, a: int, b: int) -> Any:
        return Rational(a, b)

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

    # ---- the network --------------------------------------------------------------------

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


def _added(net: Any) -> set[str]:
    """The parameters that are added to something, as biases are."""
    sums = [x for e in net.equations.values() for x in e.rhs.atoms(MatAdd, Add)]
    terms = {x for s in sums for x in s.args}
    return {n for n, w in net.parameters.items() if w in terms}


def _predicted(net: Any) -> list[str]:
    """The inputs that the loss compares with: the next word of a text."""
    loss = next(e.rhs for e in net.source if e.lhs.name == net.loss.name)
    used = {v.name for v in time_vectors(loss)}
    return [n for n in net.inputs if n in used]


def _upright(net: Any) -> frozenset[str]:
    """Weights of one column that vectors are multiplied by, the v of h v, in a document that writes
    vectors as rows: they stand upright there, while biases lie."""
    return frozenset(
        x.arg.name
        for e in net.source
        for x in preorder_traversal(e.rhs)
        if isinstance(x, Transpose) and isinstance(x.arg, MatrixSymbol) and x.arg.cols == 1
        if x.arg.name in net.parameters
    )
