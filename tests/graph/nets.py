"""The networks that the tests of the graph use: all as equations."""

from __future__ import annotations

from sympy import MatrixSymbol, Symbol

from rnnsym.models import build
from rnnsym.network import Network
from rnnsym.nodes import Apply, Softmax, TimeVector, t

SOFTMAX = "y_hat[t] = softmax(W_y @ {} + b_y)"


def nets() -> dict[str, Network]:
    """The networks by name."""
    return {
        "elman": build("elman", {}),
        "lstm": build("lstm", {}),
        "gru": build("gru", {}),
        "gru_after": build("gru", {"reset": "after"}),
        "stack": Network(
            "a_1[t] = tanh(W_1 @ a_1[t-1] + U_1 @ x[t] + b_1)",
            "a_2[t] = tanh(W_2 @ a_2[t-1] + U_2 @ a_1[t] + b_2)",
            SOFTMAX.format("a_2[t]"),
        ),
        "shortcut": Network(
            "a[t] = tanh(W @ a[t-1] + S @ a[t-2] + U @ x[t] + b)", SOFTMAX.format("a[t]")
        ),
        "bidirectional": Network(
            "f[t] = tanh(W_f @ f[t-1] + U_f @ x[t] + b_f)",
            "r[t] = tanh(W_r @ r[t+1] + U_r @ x[t] + b_r)",
            SOFTMAX.format("[f[t], r[t]]"),
        ),
    }


def hostile(*names: str) -> Network:
    """An Elman network whose state, input, weights and own name are anything."""
    n, m = Symbol("n", integer=True, positive=True), Symbol("m", integer=True, positive=True)
    a, x, w, u = (names * 4)[:4] if len(names) < 4 else names[:4]
    a, x, w, u = a, x + " ", w + "  ", u + "   "  # four different ones
    state, given = TimeVector(a, n, t), TimeVector(x, m, t)
    rhs = MatrixSymbol(w, n, n) * state.at(t - 1) + MatrixSymbol(u, n, m) * given
    return Network(
        (state, Apply("tanh", rhs)),
        (TimeVector("y_hat", n, t), Softmax(state)),
        loss="L[t] = y[t].T @ log(y_hat[t])",
        inputs=[x],
        name=names[0],
    )
