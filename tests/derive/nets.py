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
    "many_to_one": lambda: Network(ELMAN, "y_hat[T] = softmax(W_ya @ a[T] + b_y)"),
    "both_ends": lambda: Network(
        "f[t] = tanh(W_f @ f[t-1] + U_f @ x[t] + b_f)",
        "r[t] = tanh(W_r @ r[t+1] + U_r @ x[t] + b_r)",
        "y_hat[T] = softmax(V @ [f[T], r[1]] + b_y)",
    ),
    "stacked_many_to_one": lambda: Network(
        "a_1[t] = tanh(W_1 @ a_1[t-1] + U_1 @ x[t] + b_1)",
        "a_2[t] = tanh(W_2 @ a_2[t-1] + U_2 @ a_1[t] + b_2)",
        "y_hat[T] = softmax(V @ a_2[T] + b_y)",
    ),
    "one_to_many": lambda: Network(
        "a[t] = tanh(W_aa @ a[t-1] + W_ay @ y_hat[t-1] + b_a)",
        HEAD.format("a[t]"),
        "y_hat[0] = x[1]",
    ),
    "teacher_forcing": lambda: Network(
        "v[t] = y[t]",
        "v[0] = x[1]",
        "a[t] = tanh(W_aa @ a[t-1] + W_av @ v[t-1] + b_a)",
        HEAD.format("a[t]"),
    ),
    "encoder_decoder": lambda: Network(
        "e[t] = tanh(W_e @ e[t-1] + U_e @ x[t] + b_e)",
        "a[t] = tanh(W_aa @ a[t-1] + W_ay @ y[t-1] + b_a)",
        "a[0] = e[T_x]",
        HEAD.format("a[t]"),
        lengths={"y": "T_y"},
    ),
    "context_at_every_step": lambda: Network(
        "e[t] = tanh(W_e @ e[t-1] + U_e @ x[t] + b_e)",
        "c[T_x] = tanh(W_c @ e[T_x] + b_c)",
        "a[t] = tanh(W_aa @ a[t-1] + W_ac @ c[T_x] + b_a)",
        "a[0] = c[T_x]",
        HEAD.format("a[t]"),
        lengths={"y": "T_y"},
    ),
    "masked": lambda: Network(
        "a_new[t] = tanh(W_aa @ a[t-1] + W_ax @ x[t] + b_a)",
        "a[t] = m[t] * a_new[t] + (1 - m[t]) * a[t-1]",
        "y_hat[t] = softmax(W_ya @ a[t] + b_y)",
        "L[t] = -m[t] * (y[t].T @ log(y_hat[t]))",
        inputs=["x", "m"],
        sizes={"m": 1},
        target_kind="distribution",
    ),
    "truncated": lambda: Network(
        "a[t] = tanh(W_aa @ detach(a[t-1], 2) + W_ax @ x[t] + b_a)", HEAD.format("a[t]")
    ),
    "truncated_by_any_number": lambda: Network(
        "a[t] = tanh(W_aa @ detach(a[t-1], K) + W_ax @ x[t] + b_a)", HEAD.format("a[t]")
    ),
    "truncated_shortcut": lambda: Network(
        "a[t] = tanh(W_aa @ detach(a[t-1], 2) + W_as @ detach(a[t-3], 2) + W_ax @ x[t])",
        HEAD.format("a[t]"),
    ),
    "perceptron": lambda: Network(
        "a[1] = tanh(W_1 @ x[1] + W_2 @ x[2] + b_a)", "y_hat[1] = softmax(V @ a[1] + b_y)"
    ),
    "convolution": lambda: Network(
        "a[t] = tanh(W_0 @ x[t] + W_1 @ x[t-1])",
        "c[t] = tanh(U_0 @ a[t] + U_1 @ a[t-1])",
        HEAD.format("c[t]"),
    ),
    "attention": lambda: Network(
        "q[t] = W_q @ x[t]",
        "k[t] = W_k @ x[t]",
        "v[t] = W_v @ x[t]",
        "p_1[t] = exp(q[t].T @ k[1])",
        "p_2[t] = exp(q[t].T @ k[2])",
        "a[t] = (p_1[t] * v[1] + p_2[t] * v[2]) / (p_1[t] + p_2[t])",
        HEAD.format("a[t]"),
        sizes={"p_1": 1, "p_2": 1},
        lengths={"x": 2},
    ),
    "feedforward": lambda: Network("h[t] = tanh(U @ x[t] + b)", "y_hat[t] = softmax(V @ h[t] + c)"),
}


def names(net: Network) -> list[str]:
    """All that the loss of a network can be differentiated by."""
    return [*net.parameters, *net.carried, *net.inputs]
