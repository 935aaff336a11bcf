"""Networks for the tests of the emitter, and their true gradients by dual numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rnnsym.errors import InputError
from rnnsym.evaluate.arithmetic import NumpyArithmetic
from rnnsym.evaluate.point import array_point
from rnnsym.evaluate.trajectory import Truth
from rnnsym.network import Network
from rnnsym.nodes import Gradient
from rnnsym.sizes import choose_lengths, choose_sizes
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

TANH = "a[t] = tanh(W @ a[t-1] + U @ x[t] + b)"
ENCODER = "e[t] = tanh(W_e @ e[t-1] + U_e @ x[t])"
DECODED = {"lengths": {"y": "T_y"}, "output": "y_hat"}
SECOND = {"inputs": ("x", "u"), "lengths": {"u": "T_u"}}

#: what is odd about when its vectors have values -> the network
TIMED: dict[str, Callable[[], Network]] = {
    "many to one": lambda: Network(TANH, "y_hat[T] = softmax(V @ a[T] + c)"),
    "bidirectional, many to one": lambda: Network(
        "f[t] = tanh(W_f @ f[t-1] + U_f @ x[t])",
        "r[t] = tanh(W_r @ r[t+1] + U_r @ x[t])",
        "y_hat[T] = softmax(V @ [f[T], r[1]] + c)",
    ),
    "encoder and decoder": lambda: Network(
        ENCODER, "s[0] = e[T_x]", "s[t] = tanh(W_s @ s[t-1] + U_s @ y[t-1])",
        "y_hat[t] = softmax(V @ s[t])", **DECODED,
    ),
    "a bridge, and a context at each step": lambda: Network(
        ENCODER,
        "c[T_x] = tanh(C @ e[T_x] + b_c)",
        "s[0] = c[T_x]",
        "s[t] = tanh(W_s @ s[t-1] + U_s @ y[t-1] + C_s @ c[T_x])",
        "y_hat[t] = softmax(V @ s[t] + V_c @ c[T_x])",
        **DECODED,
    ),
    "a context that multiplies": lambda: Network(
        ENCODER,
        "s[0] = W_0 @ e[T_x] + b_0",
        "s[t] = tanh(W_s @ s[t-1] + C_s @ e[T_x]) * e[T_x] + U_s @ y[t-1]",
        "y_hat[t] = softmax(V @ [s[t], e[T_x]])",
        **DECODED,
    ),
    "three lengths": lambda: Network(
        ENCODER,
        "f[t] = tanh(W_f @ f[t-1] + U_f @ u[t])",
        "s[t] = tanh(W_s @ s[t-1] + C @ e[T_x] + D @ f[T_u])",
        "y_hat[t] = softmax(V @ s[t])",
        inputs=("x", "u"), lengths={"u": "T_u", "y": "T_y"},
    ),
    "a decoder after a decoder": lambda: Network(
        ENCODER,
        "f[0] = e[T_x]",
        "f[t] = tanh(W_f @ f[t-1] + U_f @ u[t])",
        "s[0] = f[T_u]",
        "s[t] = tanh(W_s @ s[t-1])",
        "y_hat[t] = softmax(V @ s[t])",
        inputs=("x", "u"), lengths={"u": "T_u", "y": "T_y"}, output="y_hat",
    ),
    "convolution, one output": lambda: Network(
        "a[t] = tanh(W_0 @ x[t] + W_1 @ x[t-1] + b)", "y_hat[T] = softmax(V @ a[T] + c)"
    ),
    "the last steps but one": lambda: Network(
        TANH, "y_hat[T] = softmax(V @ a[T] + V_1 @ a[T-1] + V_2 @ x[T-1] + V_3 @ x[T-2])"
    ),
    "the first steps": lambda: Network(
        TANH, "y_hat[T] = softmax(V @ a[2] + V_1 @ a[1] + V_2 @ x[3])"
    ),
    "a step that may be the initial value after the last": lambda: Network(
        "r[t] = tanh(W_r @ r[t+1] + U_r @ x[t])", "r[T+1] = W_0 @ x[1]",
        "y_hat[T] = softmax(V @ r[1] + V_2 @ r[2])", output="y_hat",
    ),
    "the initial value itself": lambda: Network(
        TANH, "y_hat[T] = softmax(V @ a[T] + V_1 @ a[0])"
    ),
    "the last step but one may be the initial value": lambda: Network(
        ENCODER,
        "s[0] = W_0 @ e[T_x]",
        "s[t] = tanh(W_s @ s[t-1] + U_s @ u[t])",
        "y_hat[T_u] = softmax(V @ s[T_u] + V_1 @ s[T_u-1])",
        **SECOND,
    ),
    "a computed initial value itself": lambda: Network(
        ENCODER,
        "s[0] = W_0 @ e[T_x]",
        "s[t] = tanh(W_s @ s[t-1] + U_s @ u[t])",
        "y_hat[T_u] = softmax(V @ s[T_u] + V_1 @ s[0])",
        **SECOND,
    ),
    "a learned initial value": lambda: Network(
        "a[t] = tanh(W @ a[t-1] + W_2 @ a[t-2] + U @ x[t] + b)", "a[0] = b_0",
        "y_hat[t] = softmax(V @ a[t])", output="y_hat",
    ),
    "a learned initial value after the last step": lambda: Network(
        "r[t] = tanh(W_r @ r[t+1] + U_r @ x[t])", "r[T+1] = W_0 @ x[1]",
        "y_hat[t] = softmax(V @ r[t])", output="y_hat",
    ),
    "one input": lambda: Network(
        "a[t] = tanh(W @ a[t-1] + U @ x[1])", "y_hat[t] = softmax(V @ a[t])"
    ),
    "several uses of the last state": lambda: Network(
        TANH,
        "p[T] = tanh(P @ a[T])",
        "q[T] = tanh(Q @ a[T]) * a[T]",
        "y_hat[T] = V @ (p[T] + q[T]) + V_1 @ a[T]",
        **SQUARED,
    ),
    "losses of every step on the last state": lambda: Network(
        TANH,
        "y_hat[t] = Q @ a[t]",
        loss="L[t] = (y[t] - y_hat[t]).T @ (y[t] - y_hat[t]) + v.T @ a[T] + v.T @ v"
        " + (a[t] - a[T]).T @ (a[t] - a[T])",
        output="y_hat",
    ),
    "a penalty beside one loss": lambda: Network(
        TANH, "y_hat[T] = Q @ a[T]", output="y_hat", sizes={"v": (2, 1)},
        loss="L[T] = (y[T] - y_hat[T]).T @ (y[T] - y_hat[T]) + v.T @ v + 0.5",
    ),
    "adjoints that are the same at each step": lambda: Network(
        "a[t] = tanh(U @ x[t])", "y_hat[t] = a[t]", output="y_hat",
        loss="L[t] = v.T @ a[t] + q.T @ a[T] + 0.5 * (y[t].T @ a[1])",
        sizes={"v": ("n_a", 1), "q": ("n_a", 1)},
    ),
    "products with fixed steps": lambda: Network(
        "k[t] = K @ x[t]", "q[t] = Q @ x[t]", "a[t] = q[t] * k[T] + k[1]",
        "y_hat[t] = softmax(V @ a[t])",
    ),
    "attention to states": lambda: Network(
        "h[t] = tanh(W_h @ h[t-1] + U_h @ x[t])",
        "e_1[t] = exp(q.T @ h[1])",
        "e_2[t] = exp(q.T @ h[2])",
        "c[t] = (e_1[t] * h[1] + e_2[t] * h[2]) / (e_1[t] + e_2[t])",
        "y_hat[t] = softmax(V @ c[t] + Q @ h[t])",
        sizes={"e_1": 1, "e_2": 1, "q": ("n_h", 1)},
    ),
    "a number of steps": lambda: Network(
        TANH, "y_hat[t] = softmax(V @ a[t])", lengths={"x": 4}
    ),
    "a number for the whole sequence": lambda: Network(
        TANH, "n[T] = tanh(w @ a[T])", "y_hat[t] = a[t] * n[T]", sizes={"n": 1}, **SQUARED
    ),
    "one of two products detached": lambda: Network(
        "a[t] = tanh(W @ detach(a[t-1], 2) + V @ a[t-1] + U @ x[t])",
        "y_hat[t] = softmax(Q @ a[t])",
    ),
    "detached, with a computed initial value": lambda: Network(
        "a[t] = tanh(W @ detach(a[t-1], 2) + U @ x[t])", "a[0] = W_0 @ x[1] + b_0",
        "y_hat[T] = softmax(V @ a[T])", output="y_hat",
    ),
    "detached backwards, with a computed initial value": lambda: Network(
        "r[t] = tanh(W_r @ detach(r[t+1], 2) + U_r @ x[t])", "r[T+1] = W_0 @ x[1] + b_0",
        "y_hat[t] = softmax(V @ r[t])", output="y_hat",
    ),
}  # fmt: skip


def lengths(net: Network, longest: int) -> list[Any]:
    """The lengths to try a network at, if it has steps then: one number, or lengths that differ."""
    names = list(net.lengths)
    tried: list[Any] = [longest]
    if len(names) > 1:
        tried = [dict(zip(names, n, strict=False)) for n in ((longest, 4, 2), (3, longest, 1))]
    return [steps for steps in tried if _has_steps(net, steps)]


def _has_steps(net: Network, steps: Any) -> bool:
    try:
        choose_lengths(net, steps)
    except InputError:
        return False
    return True


class Example:
    """A network with random arrays, in the form of the emitted function's arguments."""

    def __init__(self, net: Network, steps: Any = 4, batch: int | None = None) -> None:
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
