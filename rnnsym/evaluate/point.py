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
from sympy import Basic

from rnnsym.evaluate.arithmetic import Arithmetic
from rnnsym.evaluate.field import P
from rnnsym.network import Network
from rnnsym.nodes import T

Matrix = Any


@dataclass(frozen=True)
class Point:
    """Values for everything that a network is given.

    symbols: value of each size symbol and of each length (T is always there); parameters by name;
    sequences: inputs and targets by name, one column a time step; initial: columns by state name.
    """

    symbols: Mapping[Basic, Any]
    parameters: Mapping[str, Matrix]
    sequences: Mapping[str, list[Matrix]]
    initial: Mapping[str, Matrix]

    @property
    def steps(self) -> int:
        """The length of the longest sequence."""
        return int(self.symbols[T])

    def number(self, e: Basic) -> int:
        """The value of a time or a size."""
        return int(e.xreplace(self.symbols))


def steps_of(net: Network, name: str, symbols: Mapping[Basic, Any]) -> int:
    """How many values an input or a target has: its length, or 1."""
    span = net.spans[name]
    return 1 if span.single else int(span.last.xreplace(symbols))


def shape(e: Any, symbols: Mapping[Basic, Any]) -> tuple[int, int]:
    """The shape of an expression as two numbers."""
    return int(e.rows.xreplace(symbols)), int(e.cols.xreplace(symbols))


def field_point(net: Network, ar: Arithmetic, symbols: Mapping[Basic, Any], seed: int) -> Point:
    """A point of random residues; targets that are distributions sum to one."""
    rng = random.Random(seed)

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
        {n: [matrix(net.vectors[n]) for _ in range(steps_of(net, n, symbols))] for n in net.inputs}
        | {
            n: [target(net.vectors[n]) for _ in range(steps_of(net, n, symbols))]
            for n in net.targets
        },
        {name: matrix(v) for name, v in net.initial_states.items()},
    )


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
