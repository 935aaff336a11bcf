"""The networks that the tests of the calculus use: all as equations, one for each difficulty."""

from __future__ import annotations

from collections.abc import Callable

from rnnsym.models import build
from rnnsym.network import Network

HEAD = "y_hat[t] = softmax(W_ya @ {} + b_y)"
ELMAN = "a[t] = tanh(W_aa @ a[t-1] + W_ax @ x[t] + b_a)"

#: name -> how it is made; built when a test asks for it
NETS: dict[str, Callable[[], Network]] = {
    "elman": lambda: build("elman", {}),
    "lstm": lambda: build("lstm", {}),
    "gru": lambda: build("gru", {}),
    "gru_after": lambda: build("gru", {"reset": "after"}),
    "compact": lambda: build("elman", {"compact": "yes"}),
    "unknown": lambda: build("elman", {"activation": "g", "output": "g"}),
    "shortcut": lambda: Network(
        "a[t] = tanh(W @ a[t-1] + S @ a[t-2] + U @ x[t] + b)", HEAD.format("a[t]")
    ),
    "stack": lambda: Network(
        "a_1[t] = tanh(W_1 @ a_1[t-1] + U_1 @ x[t] + b_1)",
        "a_2[t] = tanh(W_2 @ a_2[t-1] + U_2 @ a_1[t] + b_2)",
        HEAD.format("a_2[t]"),
    ),
    "bidirectional": lambda: Network(
        "f[t] = tanh(W_f @ f[t-1] + U_f @ x[t] + b_f)",
        "r[t] = tanh(W_r @ r[t+1] + U_r @ x[t] + b_r)",
        HEAD.format("[f[t], r[t]]"),
    ),
    "peephole": lambda: Network(
        "f[t] = sigmoid(W_f @ a[t-1] + U_f @ x[t] + p_f * c[t-1] + b_f)",
        "i[t] = sigmoid(W_i @ a[t-1] + U_i @ x[t] + p_i * c[t-1] + b_i)",
        "c[t] = f[t] * c[t-1] + i[t] * tanh(W_c @ a[t-1] + U_c @ x[t] + b_c)",
        "o[t] = sigmoid(W_o @ a[t-1] + U_o @ x[t] + p_o * c[t] + b_o)",
        "a[t] = o[t] * tanh(c[t])",
        HEAD.format("a[t]"),
    ),
    "minimal_gated": lambda: Network(
        "f[t] = sigmoid(W_f @ a[t-1] + U_f @ x[t] + b_f)",
        "h[t] = tanh(W_h @ (f[t] * a[t-1]) + U_h @ x[t] + b_h)",
        "a[t] = (1 - f[t]) * a[t-1] + f[t] * h[t]",
        HEAD.format("a[t]"),
    ),
    "leaky": lambda: Network(
        "z[t] = W @ a[t-1] + U @ x[t] + b",
        "a[t] = alpha * z[t] + (1 - alpha) * relu(z[t])",
        HEAD.format("a[t]"),
        scalars=["alpha"],
    ),
    "multiplicative": lambda: Network(
        "m[t] = (W_mx @ x[t]) * (W_ma @ a[t-1])",
        "a[t] = tanh(W_am @ m[t] + W_ax @ x[t])",
        HEAD.format("a[t]"),
    ),
    "tied": lambda: Network(
        "a[t] = tanh(W @ a[t-1] + U @ x[t] + b)", "y_hat[t] = softmax(W @ a[t] + b_y)"
    ),
    "late_output": lambda: Network(ELMAN, HEAD.format("a[t-1]")),
    "own_loss": lambda: Network(
        ELMAN,
        "y_hat[t] = W_ya @ a[t] + b_y",
        loss="L[t] = (y_hat[t] - y[t]).T @ Q @ (y_hat[t] - y[t]) / 2 + c * (a[t].T @ a[t])",
        scalars=["c"],
    ),
    "feedforward": lambda: Network("h[t] = tanh(U @ x[t] + b)", "y_hat[t] = softmax(V @ h[t] + c)"),
}


def names(net: Network) -> list[str]:
    """All that the loss of a network can be differentiated by."""
    return [*net.parameters, *net.states, *net.inputs]
