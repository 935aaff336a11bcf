"""Networks for the tests of the flow, and the truth about each term: a parameter for each step."""

from __future__ import annotations

from typing import Any

import rnnsym as rs
from rnnsym.evaluate.dual import Dual, DualArithmetic
from rnnsym.evaluate.field import FieldArithmetic
from rnnsym.evaluate.point import Point, shape
from rnnsym.evaluate.trajectory import Trajectory
from rnnsym.flow.contributions import Use, sequence_of
from rnnsym.network import Network
from tests.emit.nets import ODD

#: built-in models of every topology
MODELS = [
    "elman",
    "elman:activation=g,output=g,loss=squared_error",
    "elman:compact",
    "elman:masked",
    "elman:shortcut=2",
    "elman:truncate=2",
    "elman:bidirectional",
    "elman:layers=2",
    "elman:layers=2,bidirectional",
    "elman:type=many-to-one",
    "elman:type=many-to-one,bidirectional",
    "elman:type=one-to-many",
    "elman:type=encoder-decoder",
    "elman:type=encoder-decoder,bidirectional,truncate=2",
    "lstm",
    "lstm:type=many-to-one",
    "gru",
    "gru:reset=after,layers=2",
]

#: weights that an encoder and a decoder share, and one that computes an initial state
SHARED = Network(
    "a[t] = tanh(W @ a[t-1] + U @ x[t])",
    "d[t] = tanh(W @ d[t-1] + V @ y[t-1])",
    "d[0] = W @ a[T_x]",
    "y_hat[t] = softmax(Q @ d[t])",
    lengths={"y": "T_y"},
    output="y_hat",
    name="shared weights",
)


def every_network() -> dict[str, Network]:
    """By name: the models, the odd networks of the emitter's tests, and shared weights."""
    table: dict[str, Network] = {name: rs.model(name) for name in MODELS}
    return table | {name: make() for name, make in ODD.items()} | {"shared": SHARED}


class OneStep(Trajectory):
    """A trajectory in which a parameter varies where one use of it is computed, and nowhere else.

    That is an unrolled copy of the network with a parameter of its own for every step.
    """

    def __init__(self, net: Network, point: Point, seed: int, wrt: str, use: Use) -> None:
        super().__init__(net, point, DualArithmetic(FieldArithmetic(seed)))
        self.wrt, self.use = wrt, use
        self.computed = "", 0

    def _equation(self, name: str, time: int | None) -> Any:
        if time is not None:  # a parameter is looked up in the midst of what is computed
            self.computed = name, time
        return super()._equation(name, time)

    def lift(self, matrix: Any) -> Dual:
        return Dual(matrix)

    def leaf(self, node: Any, time: int | None) -> Any:
        value = super().leaf(node, time)
        name, now = self.computed
        if time is not None or node.name != self.wrt or now != self.use.time:
            return value
        if sequence_of(self.net, name) != self.use.sequence:
            return value
        rows, cols = shape(node, self.point.symbols)
        ar = self.ar.base  # type: ignore[attr-defined]
        units = [
            ar.array([[int((i, j) == (r, c)) for j in range(cols)] for i in range(rows)])
            for r in range(rows)
            for c in range(cols)
        ]
        return Dual(value.value, tuple(units))


def true_terms(net: Network, point: Point, seed: int, wrt: str, use: Use) -> dict[int, list[int]]:
    """t -> the entries, row by row, of what a use adds to dL⟨t⟩; by dual numbers."""
    run = OneStep(net, point, seed, wrt, use)
    first, last = run.spans[net.loss.name]
    found = {}
    for time in range(first, last + 1):
        tangents = run.value((net.loss.name, time)).tangents
        rows, cols = shape(net.parameters[wrt], point.symbols)
        found[time] = [int(x[0, 0]) for x in tangents] if tangents else [0] * (rows * cols)
    return found


def numbers(matrix: Any) -> list[int]:
    """The entries of a matrix of residues, row by row."""
    return [int(x) for x in matrix.entries()]
