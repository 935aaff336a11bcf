"""The point at which the flow of gradients is looked at: what users give, and the rest by chance.

Arrays are those of the generated functions, of one sequence: x (T, n_x), y (T, n_y), weights
(rows, columns), biases (n,), initial states (n,).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sympy import Basic, Integer

from rnnsym.errors import InputError
from rnnsym.evaluate.arithmetic import Arithmetic, NumpyArithmetic
from rnnsym.evaluate.point import Point, array_point, shape, steps_of
from rnnsym.evaluate.trajectory import Trajectory
from rnnsym.flow.recurrent import recurrences
from rnnsym.network import Network
from rnnsym.nodes import length
from rnnsym.sizes import choose_lengths, choose_sizes
from rnnsym.verify.arrays import random_arrays, user_shape

Array = NDArray[Any]
#: the length of a sequence, and the size of a recurrent state, that are not given
STEPS, STATE = 30, 16


@dataclass(frozen=True, eq=False)
class Setting:
    """Values for everything that a network is given, in the shapes in which users pass them.

    symbols: value of each size and length; sequences: inputs and targets by name.
    """

    net: Network
    symbols: Mapping[Basic, Any]
    params: Mapping[str, Array]
    sequences: Mapping[str, Array]
    initial: Mapping[str, Array]

    @property
    def sizes(self) -> dict[str, int]:
        return {n: int(self.symbols[s]) for n, s in self.net.sizes.items()}

    @property
    def lengths(self) -> dict[str, int]:
        return {n: int(self.symbols[s]) for n, s in self.net.lengths.items()}

    def point(self, ar: Arithmetic) -> Point:
        """The same as matrices of an arithmetic."""
        return array_point(ar, self.symbols, self.params, self.sequences, self.initial)

    def arguments(self) -> tuple[Any, ...]:
        """(params, x, y, initial), as a generated function takes them."""

        def given(names: Mapping[str, Any]) -> Any:
            chosen = {n: self.sequences[n] for n in names}
            return next(iter(chosen.values())) if len(chosen) == 1 else chosen or None

        x, y = given(self.net.inputs), given(self.net.targets)
        return dict(self.params), x, y, dict(self.initial)


def setting(
    net: Network,
    steps: int | Mapping[str, int] | None = None,
    sizes: Mapping[str, int] | None = None,
    seed: int = 0,
    params: Mapping[str, Any] | None = None,
    x: Any = None,
    y: Any = None,
    initial: Mapping[str, Any] | None = None,
    radius: float | None = None,
    sigma: float | None = None,
) -> Setting:
    """What is given, and random arrays for all that is not.

    Sizes and lengths follow from what is given; without it sequences have 30 steps and recurrent
    states 16 entries. radius, sigma: the spectral radius, or the largest singular value, that the
    recurrent weights are scaled to where they are drawn.

    Raises InputError for a wrong name, shape or number, and for a batch of sequences.
    """
    given = _Given(net)
    given.take(_mapping(params, "params"), net.parameters, "parameter")
    given.take(_mapping(initial, "initial"), net.initial_states, "initial state")
    given.sequences(x, list(net.inputs), "x")
    given.sequences(y, list(net.targets), "y")
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise InputError(f"seed must be an integer from 0 on, not {seed!r}")
    symbols = given.symbols(steps, sizes)
    drawn = random_arrays(net, symbols, int(seed))
    weights = _scaled(net, drawn[0], set(given.found), radius, sigma)
    tables = [{n: given.found.get(n, a) for n, a in t.items()} for t in (weights, *drawn[1:])]
    return Setting(net, symbols, *tables)


def check_loss(made: Setting) -> None:
    """Raises InputError where the loss is not finite: then its gradient is not, either."""
    ar = NumpyArithmetic()
    with np.errstate(all="ignore"):
        loss = Trajectory(made.net, made.point(ar), ar).total_loss()
    if not np.isfinite(loss).all():
        raise InputError(
            f"the loss of {made.net.name} is not finite at this point: is the argument of a "
            f"logarithm or a division in its domain? Another seed, smaller weights or fewer steps "
            f"may help"
        )


def _mapping(value: Any, what: str) -> Mapping[str, Any]:
    if value is not None and not isinstance(value, Mapping):
        raise InputError(f"{what} must be a dict of arrays by name, not {type(value).__name__}")
    return value or {}


class _Given:
    """The arrays that a user gives, and what follows from their shapes."""

    def __init__(self, net: Network) -> None:
        self.net = net
        self.found: dict[str, Array] = {}
        self.known: dict[Basic, int] = {}

    def take(self, arrays: Mapping[str, Any], table: Mapping[str, Any], what: str) -> None:
        """Parameters, or initial states."""
        for name, value in arrays.items():
            if name not in table:
                raise InputError(f"unknown {what} {name!r}: {self.net.name} has {', '.join(table)}")
            self._enter(name, value, user_shape(table[name], *table[name].shape))

    def sequences(self, value: Any, names: list[str], what: str) -> None:
        """x or y: the array of the only input or target, or a dict by name."""
        if value is None:
            return
        if not isinstance(value, Mapping):
            if len(names) != 1:
                raise InputError(f"{what}: give a dict with {', '.join(names) or 'nothing'}")
            value = {names[0]: value}
        for name, array in value.items():
            if name not in names:
                raise InputError(f"unknown name {name!r} in {what}: choose from {', '.join(names)}")
            span = self.net.spans[name]
            count = Integer(1) if span.single else span.last
            self._enter(name, array, (count, self.net.vectors[name].rows))

    def _enter(self, name: str, value: Any, expected: tuple[Any, ...]) -> None:
        try:
            array = np.array(value, dtype=np.float64)
        except (TypeError, ValueError):
            raise InputError(f"{name}: an array of numbers was expected") from None
        names = "(" + ", ".join(map(str, expected)) + ")"
        if array.ndim != len(expected) or 0 in array.shape:
            more = ": one sequence, no batch" if array.ndim > len(expected) == 2 else ""
            raise InputError(f"{name}: shape {array.shape}, should be {names}{more}")
        if not np.isfinite(array).all():
            raise InputError(f"{name}: not all numbers are finite")
        for size, number in zip(expected, array.shape, strict=True):
            if size.is_Symbol and self.known.setdefault(size, number) != number:
                raise InputError(
                    f"{name}: shape {array.shape}, should be {names} with {size} = "
                    f"{self.known[size]}"
                )
        self.found[name] = array

    def symbols(self, steps: Any, sizes: Mapping[str, int] | None) -> dict[Any, Any]:
        """A value for each size and length. Raises InputError where they do not agree."""
        net = self.net
        lengths = {n: self.known[s] for n, s in net.lengths.items() if s in self.known}
        if not isinstance(steps, Mapping):
            rest = next(iter(lengths.values()), STEPS) if steps is None else steps
            steps = {n: lengths.get(n, rest) if steps is None else rest for n in net.lengths}
            steps = steps or {"T": rest}
        chosen = {n: int(v) for n, v in self._named(net.sizes).items()}
        for name, number in dict(sizes or {}).items():
            if chosen.setdefault(name, number) != number:
                raise InputError(f"{name} = {number} does not fit the arrays: there it is "
                                 f"{chosen[name]}")  # fmt: skip
        for r in recurrences(net):
            for v in r.block.vectors:
                for size in v.rows.free_symbols:
                    chosen.setdefault(size.name, STATE)
        symbols = choose_sizes(net, steps, chosen)
        choose_lengths(net, steps)
        for name, number in lengths.items():
            if int(symbols[length(name)]) != number:
                raise InputError(f"{symbols[length(name)]} steps, but the arrays have {number}")
        self._check(symbols)
        return symbols

    def _named(self, table: Mapping[str, Basic]) -> dict[str, int]:
        return {n: self.known[s] for n, s in table.items() if s in self.known}

    def _check(self, symbols: Mapping[Any, Any]) -> None:
        """Shapes that are sums of sizes, or numbers."""
        for name, array in self.found.items():
            table: Any = self.net.parameters if name in self.net.parameters else self.net.vectors
            e = table[name]
            want: tuple[int, ...] = user_shape(e, *shape(e, symbols))
            if name in (*self.net.inputs, *self.net.targets):
                want = steps_of(self.net, name, symbols), shape(e, symbols)[0]
            if array.shape != want:
                raise InputError(f"{name}: shape {array.shape}, should be {want}")


def _scaled(
    net: Network, params: Mapping[str, Array], given: set[str], radius: Any, sigma: Any
) -> dict[str, Array]:
    """The drawn parameters, recurrent weights at the scale asked for."""
    result = dict(params)
    if radius is None and sigma is None:
        return result
    if radius is not None and sigma is not None:
        raise InputError("give the spectral radius or the largest singular value, not both")
    goal = radius if sigma is None else sigma
    if isinstance(goal, bool) or not isinstance(goal, int | float) or not 0 <= goal < np.inf:
        raise InputError(f"a scale of weights is a number from 0 on, not {goal!r}")
    names = [n for r in recurrences(net) for n in r.weights if n not in given]
    if not names:
        raise InputError("no recurrent weight is drawn here, and so none is scaled")
    for name in names:
        now = spectral_radius(result[name]) if sigma is None else largest_singular(result[name])
        result[name] = result[name] * (goal / now)
    return result


def spectral_radius(w: Array) -> float:
    """The largest |eigenvalue| of a square matrix."""
    return float(np.max(np.abs(np.linalg.eigvals(w))))


def largest_singular(w: Array) -> float:
    """σ_max, the spectral norm of a matrix."""
    return float(np.linalg.norm(np.atleast_2d(w), 2))
