"""Long short-term memory with a forget gate and its full backpropagation through time."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnsym.reference._heads import Gradients, activate, fold, head, load, sigmoid

_GATES = ("f", "i", "o", "c")
_NAMES = (
    *(name for k in _GATES for name in (f"W_{k}a", f"W_{k}x", f"b_{k}")),
    *("W_ya", "b_y"),
)


def gradients(
    params: Mapping[str, NDArray[Any]],
    x: NDArray[Any],
    y: NDArray[Any],
    initial: Mapping[str, NDArray[Any]] | None = None,
    *,
    activation: str = "tanh",
    output: str = "softmax",
    loss: str = "cross_entropy",
) -> Gradients:
    """Loss of an LSTM network, summed over time and batch, and all its gradients.

        f<t>       = sigmoid(W_fa a<t-1> + W_fx x<t> + b_f)
        i<t>       = sigmoid(W_ia a<t-1> + W_ix x<t> + b_i)
        o<t>       = sigmoid(W_oa a<t-1> + W_ox x<t> + b_o)
        c_tilde<t> = g(W_ca a<t-1> + W_cx x<t> + b_c)
        c<t>       = f<t> * c<t-1> + i<t> * c_tilde<t>
        a<t>       = o<t> * g(c<t>)
        yhat<t>    = g_y(W_ya a<t> + b_y)

    Args:
        params: for each k of f, i, o, c: W_ka (n_a, n_a), W_kx (n_a, n_x), b_k (n_a,);
            W_ya (n_y, n_a), b_y (n_y,).
        x: inputs, (T, n_x) or (T, B, n_x).
        y: targets, (T, n_y) or (T, B, n_y).
        initial: states "a" and "c" before the first step, (n_a,) or (B, n_a); each is zeros if
            left out. With a batch, (n_a,) starts every member.
        activation: g, one of "tanh", "sigmoid", "relu", "identity", "softplus".
        output: g_y, one of "softmax", "sigmoid", "identity".
        loss: one of "cross_entropy", "binary_cross_entropy", "squared_error".

    Returns:
        The loss; the gradients by parameter, each of its parameter's shape; the gradients of the
        initial states under "a" and "c", each of its state's shape (one left out counts as
        (B, n_a) with a batch); and the gradient of x, of x's shape.

    Sources: Hochreiter and Schmidhuber, Long short-term memory, Neural Computation 9 (1997), and
    Gers, Schmidhuber and Cummins, Learning to forget, Neural Computation 12 (2000), for the cell;
    Greff et al., LSTM: a search space odyssey (2017), section II, for the gradients, here without
    peepholes.
    """
    p, xs, ys, start = load(_NAMES, ("a", "c"), params, x, y, initial)
    steps, batch, _ = xs.shape

    # The members of a batch are rows, so W v for every member at once is v @ W.T.
    # a[t], c[t] are the states before step t and a[t + 1], c[t + 1] those after it.
    a = np.zeros((steps + 1, batch, len(p["b_c"])))
    c, f, i, o = np.zeros_like(a), np.zeros_like(a[1:]), np.zeros_like(a[1:]), np.zeros_like(a[1:])
    c_tilde, slope_tilde = np.zeros_like(a[1:]), np.zeros_like(a[1:])
    g_c, slope_c = np.zeros_like(a[1:]), np.zeros_like(a[1:])
    a[0], c[0] = start["a"], start["c"]
    for t in range(steps):
        z = {k: a[t] @ p[f"W_{k}a"].T + xs[t] @ p[f"W_{k}x"].T + p[f"b_{k}"] for k in _GATES}
        f[t], i[t], o[t] = sigmoid(z["f"]), sigmoid(z["i"]), sigmoid(z["o"])
        c_tilde[t], slope_tilde[t] = activate(activation, z["c"])
        c[t + 1] = f[t] * c[t] + i[t] * c_tilde[t]
        g_c[t], slope_c[t] = activate(activation, c[t + 1])
        a[t + 1] = o[t] * g_c[t]
    value, dz_y = head(output, loss, a[1:] @ p["W_ya"].T + p["b_y"], ys)

    d = {name: np.zeros_like(p[name]) for name in _NAMES}
    dx = np.zeros_like(xs)
    da, dc = np.zeros_like(a[0]), np.zeros_like(c[0])
    for t in reversed(range(steps)):
        # da and dc arrive from the next step; a<t> also feeds its output, c<t> also feeds a<t>.
        d["W_ya"] += dz_y[t].T @ a[t + 1]
        d["b_y"] += dz_y[t].sum(axis=0)
        da = da + dz_y[t] @ p["W_ya"]
        dc = dc + da * o[t] * slope_c[t]

        dz = {
            "f": dc * c[t] * f[t] * (1.0 - f[t]),
            "i": dc * c_tilde[t] * i[t] * (1.0 - i[t]),
            "o": da * g_c[t] * o[t] * (1.0 - o[t]),
            "c": dc * i[t] * slope_tilde[t],
        }
        da, dc = np.zeros_like(da), dc * f[t]
        for k in _GATES:
            d[f"W_{k}a"] += dz[k].T @ a[t]
            d[f"W_{k}x"] += dz[k].T @ xs[t]
            d[f"b_{k}"] += dz[k].sum(axis=0)
            dx[t] += dz[k] @ p[f"W_{k}x"]
            da += dz[k] @ p[f"W_{k}a"]
    d_initial = {"a": fold(da, start["a"]), "c": fold(dc, start["c"])}
    return value, d, d_initial, dx.reshape(np.shape(x))
