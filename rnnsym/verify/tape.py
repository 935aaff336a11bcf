"""A tape: reverse-mode differentiation of NumPy arrays, in one page.

An `Arithmetic` for the evaluator of `rnnsym.evaluate` that writes down every operation with its
vector-Jacobian product, and a loop that runs the tape backwards. It serves as numerical
backpropagation through time for any network; nothing in it comes from the symbolic calculus.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnsym.evaluate.arithmetic import REGISTERED, NumpyArithmetic, stand_in

Array = NDArray[np.float64]
Pullback = Callable[[Array], Array]

#: g′ from the argument z and the value a = g(z)
SLOPES: dict[str, Callable[[Array, Array], Array]] = {
    "tanh": lambda z, a: 1 - a**2,
    "sigmoid": lambda z, a: a * (1 - a),
    "softplus": lambda z, a: 0.5 + 0.5 * np.tanh(0.5 * z),
    "relu": lambda z, a: (z > 0).astype(float),
    "step": lambda z, a: np.zeros_like(z),
    "exp": lambda z, a: a,
    "log": lambda z, a: 1 / z,
    "reciprocal": lambda z, a: -(a**2),
    "identity": lambda z, a: np.ones_like(z),
}


class Node:
    """A value on the tape, with the nodes it came from and the way back to each."""

    __slots__ = ("gradient", "parents", "value")

    def __init__(self, value: Array, *parents: tuple[Node, Pullback]) -> None:
        self.value, self.parents = value, parents
        self.gradient: Array | None = None


class Tape:
    """Arithmetic of `Node`s; nodes are recorded in the order in which they are computed."""

    def __init__(self) -> None:
        self.np = NumpyArithmetic()
        self.nodes: list[Node] = []

    def _record(self, value: Array, *parents: tuple[Node, Pullback]) -> Node:
        node = Node(value, *parents)
        self.nodes.append(node)
        return node

    def backward(self, root: Node) -> None:
        """Fill in d(sum of root)/d(node) as `gradient` of every node that root depends on."""
        root.gradient = np.ones_like(root.value)
        for node in reversed(self.nodes):
            if node.gradient is not None:
                for parent, pullback in node.parents:
                    back = pullback(node.gradient)
                    parent.gradient = back if parent.gradient is None else parent.gradient + back

    def array(self, rows: Any) -> Node:
        return self._record(self.np.array(rows))

    def shape(self, a: Node) -> tuple[int, int]:
        return self.np.shape(a.value)

    def full(self, rows: int, cols: int, number: Any) -> Node:
        return self._record(self.np.full(rows, cols, number))

    def eye(self, n: int) -> Node:
        return self._record(self.np.eye(n))

    def add(self, a: Node, b: Node) -> Node:
        return self._record(a.value + b.value, (a, lambda d: d), (b, lambda d: d))

    def scale(self, number: Any, a: Node) -> Node:
        c = float(number)
        return self._record(c * a.value, (a, lambda d: c * d))

    def matmul(self, a: Node, b: Node) -> Node:
        value = a.value @ b.value
        return self._record(value, (a, lambda d: d @ b.value.T), (b, lambda d: a.value.T @ d))

    def hadamard(self, a: Node, b: Node) -> Node:
        return self._record(
            a.value * b.value, (a, lambda d: d * b.value), (b, lambda d: d * a.value)
        )

    def transpose(self, a: Node) -> Node:
        return self._record(a.value.T, (a, lambda d: d.T))

    def blocks(self, rows: Sequence[Sequence[Node]]) -> Node:
        def cut(top: int, left: int, shape: tuple[int, int]) -> Pullback:
            return lambda d: d[top : top + shape[0], left : left + shape[1]]

        parents, top = [], 0
        for row in rows:
            left = 0
            for block in row:
                parents.append((block, cut(top, left, self.shape(block))))
                left += self.shape(block)[1]
            top += self.shape(row[0])[0]
        return self._record(np.block([[b.value for b in row] for row in rows]), *parents)

    def apply(self, function: str, order: int, a: Node) -> Node:
        value = self.np.apply(function, order, a.value)
        if order == 0 and function in SLOPES:
            slope = SLOPES[function](a.value, value)
        elif order == 0 and function in REGISTERED:
            slope = REGISTERED[function][1](a.value)
        else:
            slope = stand_in(np, function, order + 1, a.value)
        return self._record(value, (a, lambda d: d * slope))

    def softmax_shift(self, a: Node) -> Node | None:
        shift = self.np.softmax_shift(a.value)
        return None if shift is None else self._record(shift)

    def detach(self, a: Node) -> Node:
        return self._record(a.value)
