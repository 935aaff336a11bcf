"""The gated recurrent unit (Cho et al. 2014) and its backpropagation through time."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnsym.reference._heads import Gradients, activate, fold, head, load, sigmoid

_NAMES = (
    *("W_ua", "W_ux", "b_u"),
    *("W_ra", "W_rx", "b_r"),
    *("W_aa", "W_ax", "b_a"),
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
    reset: str = "before",
) -> Gradients:
    """Loss of a GRU network, summed over time and batch, and all its gradients.

        u<t>       = sigmoid(W_ua a<t-1> + W_ux x<t> + b_u)
        r<t>       = sigmoid(W_ra a<t-1> + W_rx x<t> + b_r)
        a_tilde<t> = g(W_aa (r<t> * a<t-1>) + W_ax x<t> + b_a)           reset "before"
        a_tilde<t> = g(W_ax x<t> + b_a + r<t> * (W_aa a<t-1> + b_aa))    reset "after"
        a<t>       = u<t> * a<t-1> + (1 - u<t>) * a_tilde<t>
        yhat<t>    = g_y(W_ya a<t> + b_y)

    Args:
        params: for each k of u, r, a: W_ka (n_a, n_a), W_kx (n_a, n_x), b_k (n_a,);
            W_ya (n_y, n_a), b_y (n_y,); with reset "after" also b_aa (n_a,).
        x: inputs, (T, n_x) or (T, B, n_x).
        y: targets, (T, n_y) or (T, B, n_y).
        initial: state "a" before the first step, (n_a,) or (B, n_a); zeros if left out. With a
            batch, (n_a,) starts every member.
        activation: g, one of "tanh", "sigmoid", "relu", "identity", "softplus".
        output: g_y, one of "softmax", "sigmoid", "identity".
        loss: one of "cross_entropy", "binary_cross_entropy", "squared_error".
        reset: whether r<t> acts "before" the product with W_aa (the paper) or "after" it (cuDNN
            and PyTorch).

    Returns:
        The loss; the gradients by parameter, each of its parameter's shape; the gradient of the
        initial state under "a", of that state's shape (one left out counts as (B, n_a) with a
        batch); and the gradient of x, of x's shape.

    Source: Cho et al., Learning phrase representations using RNN encoder-decoder for statistical
    machine translation (2014), eqs. 5 to 8, where the biases are left out; the gradients are the
    chain rule applied to them.
    """
    if reset not in ("before", "after"):
        raise ValueError(f"unknown reset: {reset!r}")
    names = _NAMES if reset == "before" else (*_NAMES, "b_aa")
    p, xs, ys, start = load(names, ("a",), params, x, y, initial)
    steps, batch, _ = xs.shape

    # The members of a batch are rows, so W v for every member at once is v @ W.T.
    # a[t] is the state before step t and a[t + 1] the one after it, with t counted from 0.
    a = np.zeros((steps + 1, batch, len(p["b_a"])))
    u, r = np.zeros_like(a[1:]), np.zeros_like(a[1:])
    a_tilde, slope = np.zeros_like(a[1:]), np.zeros_like(a[1:])
    a[0] = start["a"]
    for t in range(steps):
        u[t] = sigmoid(a[t] @ p["W_ua"].T + xs[t] @ p["W_ux"].T + p["b_u"])
        r[t] = sigmoid(a[t] @ p["W_ra"].T + xs[t] @ p["W_rx"].T + p["b_r"])
        if reset == "before":
            recurrent = (r[t] * a[t]) @ p["W_aa"].T
        else:
            recurrent = r[t] * (a[t] @ p["W_aa"].T + p["b_aa"])
        a_tilde[t], slope[t] = activate(activation, recurrent + xs[t] @ p["W_ax"].T + p["b_a"])
        a[t + 1] = u[t] * a[t] + (1.0 - u[t]) * a_tilde[t]
    value, dz_y = head(output, loss, a[1:] @ p["W_ya"].T + p["b_y"], ys)

    d = {name: np.zeros_like(p[name]) for name in names}
    dx = np.zeros_like(xs)
    da = np.zeros_like(a[0])
    for t in reversed(range(steps)):
        # a<t> reaches the loss through its own output and, by the da carried here, the next step.
        d["W_ya"] += dz_y[t].T @ a[t + 1]
        d["b_y"] += dz_y[t].sum(axis=0)
        da = da + dz_y[t] @ p["W_ya"]

        dz = {
            "u": da * (a[t] - a_tilde[t]) * u[t] * (1.0 - u[t]),
            "a": da * (1.0 - u[t]) * slope[t],
        }
        da = da * u[t]
        if reset == "before":
            d["W_aa"] += dz["a"].T @ (r[t] * a[t])
            d_product = dz["a"] @ p["W_aa"]
            dr = d_product * a[t]
            da += d_product * r[t]
        else:
            d_product = dz["a"] * r[t]
            d["W_aa"] += d_product.T @ a[t]
            d["b_aa"] += d_product.sum(axis=0)
            dr = dz["a"] * (a[t] @ p["W_aa"].T + p["b_aa"])
            da += d_product @ p["W_aa"]
        dz["r"] = dr * r[t] * (1.0 - r[t])

        for k in ("u", "r"):
            d[f"W_{k}a"] += dz[k].T @ a[t]
            da += dz[k] @ p[f"W_{k}a"]
        for k in ("u", "r", "a"):
            d[f"W_{k}x"] += dz[k].T @ xs[t]
            d[f"b_{k}"] += dz[k].sum(axis=0)
            dx[t] += dz[k] @ p[f"W_{k}x"]
    return value, d, {"a": fold(da, start["a"])}, dx.reshape(np.shape(x))
