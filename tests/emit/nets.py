"""Networks for the tests of the emitter, and their true gradients by dual numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rnnsym.evaluate.arithmetic import NumpyArithmetic
from rnnsym.evaluate.point import array_point
from rnnsym.evaluate.trajectory import Truth
from rnnsym.network import Network
from rnnsym.nodes import Gradient
from rnnsym.sizes import choose_sizes
from rnnsym.verify.arrays import random_arrays

Y = "y_hat[t] = softmax(W_ya @ a[t] + b_y)"
SQUARED = {"loss": "squared_error"}

#: what is odd about it -> the network
ODD: dict[str, Callable[[], Network]] = {
    "second order": lambda: Network("a[t] = tanh(W @ a[t-1] + V @ a[t-2] + U @ x[t] + b)", Y),
    "first and third order": lambda: Network("a[t] = tanh(W @ a[t-1] + V @ a[t-3] + U @ x[t])", Y),
    "only second order": lambda: Network("a[t] = tanh(V @ a[t-2] + U @ x[t])", Y),
    "two layers": lambda: Network(
        "a[t] = tanh(W_aa @ a[t-1] + W_ax @ x[t] + b_a)",
        "c[t] = tanh(W_cc @ c[t-1] + W_ca @ a[t] + b_c)",
        "y_hat[t] = softmax(W_y @ c[t] + b)",
    ),
    "bidirectional": lambda: Network(
        "f[t] = tanh(W_f @ f[t-1] + U_f @ x[t] + b_f)",
        "r[t] = tanh(W_r @ r[t+1] + U_r @ x[t] + b_r)",
        "y_hat[t] = softmax(W_y @ [f[t], r[t]] + b_y)",
    ),
    "bidirectional, stacked": lambda: Network(
        "f[t] = tanh(W_f @ f[t-1] + U_f @ x[t])",
        "r[t] = tanh(W_r @ r[t+1] + U_r @ f[t])",
        "s[t] = tanh(W_s @ s[t-1] + U_s @ r[t])",
        "y_hat[t] = softmax(W_y @ s[t])",
    ),
    "peephole LSTM": lambda: Network(
        """
        i[t] = sigmoid(W_ia @ a[t-1] + W_ix @ x[t] + p_i * c[t-1] + b_i)
        f[t] = sigmoid(W_fa @ a[t-1] + W_fx @ x[t] + p_f * c[t-1] + b_f)
        c[t] = f[t] * c[t-1] + i[t] * tanh(W_ca @ a[t-1] + W_cx @ x[t] + b_c)
        o[t] = sigmoid(W_oa @ a[t-1] + W_ox @ x[t] + p_o * c[t] + b_o)
        a[t] = o[t] * tanh(c[t])
        """,
        Y,
    ),
    "minimal gated unit": lambda: Network(
        "f[t] = sigmoid(W_f @ a[t-1] + U_f @ x[t] + b_f)",
        "h[t] = tanh(W_h @ (f[t] * a[t-1]) + U_h @ x[t] + b_h)",
        "a[t] = (1 - f[t]) * a[t-1] + f[t] * h[t]",
        Y,
    ),
    "multiplicative": lambda: Network(
        "m[t] = (A @ x[t]) * (B @ a[t-1])", "a[t] = tanh(C @ m[t] + D @ x[t] + b)", Y
    ),
    "leaky echo state": lambda: Network(
        "a[t] = (1 - alpha) * a[t-1] + alpha * relu(W @ a[t-1] + U @ x[t])", Y, scalars=["alpha"]
    ),
    "compact weights": lambda: Network("a[t] = tanh(W_a @ [a[t-1], x[t]] + b_a)", Y),
    "compact weights of a product": lambda: Network(
        "u[t] = sigmoid(W_u @ a[t-1] + p * a[t-1])",
        "a[t] = tanh(W_a @ [u[t] * a[t-1], x[t]] + b_a)",
        Y,
    ),
    "output fed back": lambda: Network(
        "a[t] = tanh(W @ a[t-1] + V @ y_hat[t-1] + U @ x[t])", Y
    ),
    "teacher forcing": lambda: Network("a[t] = tanh(W @ a[t-1] + V @ y[t-1] + b)", Y),
    "input of other steps": lambda: Network(
        "a[t] = tanh(W @ a[t-1] + U @ x[t-2] + V @ x[t+1] + b)", Y
    ),
    "two inputs": lambda: Network(
        "a[t] = tanh(W @ a[t-1] + U @ x[t] + V @ u[t])", Y, inputs=("x", "u")
    ),
    "linear": lambda: Network("a[t] = W @ a[t-1] + U @ x[t]", "y_hat[t] = a[t]", **SQUARED),
    "integrator": lambda: Network("a[t] = a[t-1] + U @ x[t]", "y_hat[t] = a[t]", **SQUARED),
    "no recurrence": lambda: Network("a[t] = tanh(U @ x[t] + b)", Y),
    "weights used twice": lambda: Network(
        "a[t] = tanh(W @ a[t-1] + U @ x[t])", "y_hat[t] = softmax(W @ a[t] + b)"
    ),
    "loss over two steps": lambda: Network(
        "a[t] = tanh(W @ a[t-1] + U @ x[t])",
        "y_hat[t] = Q @ a[t]",
        loss="L[t] = (y[t] - y_hat[t]).T @ (y[t] - y_hat[t])"
        " + 0.1 * ((a[t] - a[t-1]).T @ (a[t] - a[t-1]))",
    ),
    "weighted penalty": lambda: Network(
        "a[t] = tanh(W @ a[t-1] + U @ x[t])",
        "y_hat[t] = softmax(Q @ a[t])",
        output="y_hat",
        loss="L[t] = -y[t].T @ log(y_hat[t]) + m * (a[t].T @ a[t]) + v.T @ v",
        scalars=["m"],
        sizes={"v": (2, 1)},
    ),
    "scalar state": lambda: Network(
        "n[t] = tanh(w @ x[t] + 0.5 * n[t-1])",
        "a[t] = tanh(W @ a[t-1] + v @ n[t])",
        Y,
        sizes={"n": 1},
    ),
    "scalar spread": lambda: Network(
        "a[t] = relu(W @ a[t-1] + U @ x[t] + c * b)", "y_hat[t] = Q @ a[t] + c",
        scalars=["c"], **SQUARED,
    ),
    "softmax, binary cross-entropy": lambda: Network(
        "a[t] = sigmoid(W @ a[t-1] + U @ x[t])", Y, loss="binary_cross_entropy"
    ),
    "softmax, squared error": lambda: Network(
        "a[t] = softplus(W @ a[t-1] + U @ x[t])", Y, **SQUARED
    ),
    "sigmoid, cross-entropy": lambda: Network(
        "a[t] = tanh(W @ a[t-1] + U @ x[t])", "y_hat[t] = sigmoid(Q @ a[t] + b)"
    ),
    "softmax inside the loop": lambda: Network(
        "s[t] = softmax(W @ a[t-1] + U @ x[t])", "a[t] = s[t] * a[t-1] + V @ x[t]", Y
    ),
}  # fmt: skip


class Example:
    """A network with random arrays, in the form of the emitted function's arguments."""

    def __init__(self, net: Network, steps: int = 4, batch: int | None = None) -> None:
        self.net, self.symbols = net, choose_sizes(net, steps)
        self.params, self.sequences, self.initial = random_arrays(net, self.symbols, 0, batch)

    @property
    def x(self) -> Any:
        return self._given(list(self.net.inputs))

    @property
    def y(self) -> Any:
        return self._given(list(self.net.targets))

    def _given(self, names: list[str]) -> Any:
        if len(names) == 1:
            return self.sequences[names[0]]
        return {n: self.sequences[n] for n in names} or None

    @property
    def arguments(self) -> tuple[Any, ...]:
        return self.params, self.x, self.y, self.initial

    def member(self, b: int) -> tuple[Any, ...]:
        """The arguments of one member of the batch."""
        cut = {n: v[:, b] for n, v in self.sequences.items()}
        alone = Example.__new__(Example)
        alone.net, alone.params, alone.sequences = self.net, self.params, cut
        alone.initial = {n: v[b] for n, v in self.initial.items()}
        return alone.arguments

    def truth(self) -> tuple[float, dict[str, Any]]:
        """Loss and gradients by dual numbers through the forward equations."""
        arithmetic = NumpyArithmetic()
        point = array_point(arithmetic, self.symbols, self.params, self.sequences, self.initial)
        truth = Truth(self.net, point, arithmetic)
        gradients = {
            name: np.reshape(
                truth.derivative(Gradient(self.net.total_loss, w)), np.shape(self.params[name])
            )
            for name, w in self.net.parameters.items()
        }
        return float(truth.plain.total_loss()[0, 0]), gradients


def difference(a: Any, b: Any) -> float:
    """The largest relative difference, as reports have it."""
    return float(np.max(np.abs(np.asarray(a) - b)) / max(1e-30, float(np.max(np.abs(b)))))
