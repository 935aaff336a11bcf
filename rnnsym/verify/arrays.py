"""Random arrays for a network, in the shapes in which users pass them.

Used by `rnnsym.verify` where code is compared in floating point. Points are drawn so that they
hide nothing: weights are neither symmetric nor contracting.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sympy import Basic

from rnnsym.evaluate.point import shape, steps_of
from rnnsym.network import Network
from rnnsym.nodes import T


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
        n, count = shape(net.vectors[name], symbols)[0], steps_of(net, name, symbols)
        return (count, n) if batch is None else (count, batch, n)

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
        {name: initial(v) for name, v in net.initial_states.items()},
    )


def user_shape(e: Any, rows: int, cols: int) -> tuple[int, ...]:
    """The shape of a parameter as users pass it: (rows, columns), (rows,) or () for a number.

    What counts is what it is in the equations: a matrix of one column stays a matrix.
    """
    if e.cols != 1:
        return rows, cols
    return () if e.rows == 1 else (rows,)
