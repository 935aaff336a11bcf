"""A point at which a network is evaluated: sizes, T, parameters, inputs, targets, initial states.

Part of the trusted base. Random points are drawn so that they hide nothing: every size differs
where the caller does not say otherwise, weights are neither symmetric nor contracting.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sympy import Basic, Integer

from rnnsym.errors import InputError
from rnnsym.evaluate.arithmetic import Arithmetic
from rnnsym.evaluate.field import P
from rnnsym.network import Network
from rnnsym.nodes import T

Matrix = Any


@dataclass(frozen=True)
class Point:
    """Values for everything that a network is given.

    symbols: value of each size symbol and of T; parameters by name; sequences: inputs and
    targets by name, one column a time step; initial: columns by state name.
    """

    symbols: Mapping[Basic, Any]
    parameters: Mapping[str, Matrix]
    sequences: Mapping[str, list[Matrix]]
    initial: Mapping[str, Matrix]

    @property
    def steps(self) -> int:
        return int(self.symbols[T])


def choose_sizes(
    net: Network, steps: int, sizes: Mapping[str, int] | None = None
) -> dict[Any, Any]:
    """A value for each size and for T: 2, 3, 4, … for the sizes that are not given.

    Raises InputError for T < 1, an unknown size, or one that is no positive integer.
    """
    given = dict(sizes or {})
    if isinstance(steps, bool) or not isinstance(steps, int | np.integer) or steps < 1:
        raise InputError(f"steps must be a positive integer, not {steps!r}")
    for name, value in given.items():
        if name not in net.sizes:
            raise InputError(f"unknown size {name!r}: {net.name} has {', '.join(net.sizes)}")
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            raise InputError(f"size {name} must be a positive integer, not {value!r}")
    free = (n for n in range(2, 10**6) if n not in given.values())
    symbols: dict[Any, Any] = {
        symbol: Integer(int(given[name]) if name in given else next(free))
        for name, symbol in net.sizes.items()
    }
    return symbols | {T: Integer(int(steps))}


def shape(e: Any, symbols: Mapping[Basic, Any]) -> tuple[int, int]:
    """The shape of an expression as two numbers."""
    return int(e.rows.xreplace(symbols)), int(e.cols.xreplace(symbols))


def field_point(net: Network, ar: Arithmetic, symbols: Mapping[Basic, Any], seed: int) -> Point:
    """A point of random residues; targets that are distributions sum to one."""
    rng = random.Random(seed)
    steps = int(symbols[T])

    def matrix(e: Any) -> Matrix:
        rows, cols = shape(e, symbols)
        return ar.array([[rng.randrange(P) for _ in range(cols)] for _ in range(rows)])

    def target(e: Any) -> Matrix:
        column = [rng.randrange(P) for _ in range(shape(e, symbols)[0])]
        if net.target_kind == "distribution":
            column[-1] = 1 - sum(column[:-1])
        return ar.array([[v] for v in column])

    return Point(
        symbols,
        {name: matrix(w) for name, w in net.parameters.items()},
        {n: [matrix(net.vectors[n]) for _ in range(steps)] for n in net.inputs}
        | {n: [target(net.vectors[n]) for _ in range(steps)] for n in net.targets},
        {name: matrix(v) for name, v in net.states.items()},
    )


def random_arrays(
    net: Network, symbols: Mapping[Basic, Any], seed: int, batch: int | None = None
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Random float64 parameters, sequences and initial states, in the shapes users pass.

    Weights are scaled so that products of T Jacobians neither vanish nor explode: a growth of
    (1 + 1/T)^T, about e, leaves no term of the sum over time too small to be seen.
    """
    rng = np.random.default_rng(seed)
    steps = int(symbols[T])

    def parameter(e: Any) -> Any:
        rows, cols = shape(e, symbols)
        scale = 0.5 if e.cols == 1 else (1 + 1 / steps) / np.sqrt(cols)
        return scale * rng.standard_normal(user_shape(e, rows, cols))

    def series(name: str) -> tuple[int, ...]:
        n = shape(net.vectors[name], symbols)[0]
        return (steps, n) if batch is None else (steps, batch, n)

    def target(name: str) -> Any:
        draw = rng.standard_normal(series(name))
        if net.target_kind == "distribution":
            e = np.exp(draw)
            return e / e.sum(-1, keepdims=True)
        return 1 / (1 + np.exp(-draw)) if net.target_kind == "probability" else draw

    def initial(e: Any) -> Any:
        n = shape(e, symbols)[0]
        return 0.5 * rng.standard_normal(n if batch is None else (batch, n))

    return (
        {name: parameter(w) for name, w in net.parameters.items()},
        {n: rng.standard_normal(series(n)) for n in net.inputs}
        | {n: target(n) for n in net.targets},
        {name: initial(v) for name, v in net.states.items()},
    )


def user_shape(e: Any, rows: int, cols: int) -> tuple[int, ...]:
    """The shape of a parameter as users pass it: (rows, columns), (rows,) or () for a number.

    What counts is what it is in the equations: a matrix of one column stays a matrix.
    """
    if e.cols != 1:
        return rows, cols
    return () if e.rows == 1 else (rows,)


def array_point(
    ar: Arithmetic,
    symbols: Mapping[Basic, Any],
    parameters: Mapping[str, Any],
    sequences: Mapping[str, Any],
    initial: Mapping[str, Any],
) -> Point:
    """The point of users' arrays (no batch axis), as matrices of an arithmetic."""

    def column(v: Any) -> Matrix:
        return ar.array(np.reshape(v, (-1, 1)))

    return Point(
        symbols,
        {n: ar.array(w) if np.ndim(w) == 2 else column(w) for n, w in parameters.items()},
        {n: [column(v) for v in values] for n, values in sequences.items()},
        {n: column(v) for n, v in initial.items()},
    )
