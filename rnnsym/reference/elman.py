"""The simple recurrent network (Elman 1990) and its backpropagation through time."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnsym.reference._heads import Gradients, activate, fold, head, load

_NAMES = ("W_aa", "W_ax", "b_a", "W_ya", "b_y")


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
    """Loss of an Elman network, summed over time and batch, and all its gradients.

        z<t>    = W_aa a<t-1> + W_ax x<t> + b_a
        a<t>    = g(z<t>)
        yhat<t> = g_y(W_ya a<t> + b_y)

    Args:
        params: W_aa (n_a, n_a), W_ax (n_a, n_x), b_a (n_a,), W_ya (n_y, n_a), b_y (n_y,).
        x: inputs, (T, n_x) or (T, B, n_x).
        y: targets, (T, n_y) or (T, B, n_y).
        initial: state "a" before the first step, (n_a,) or (B, n_a); zeros if left out. With a
            batch, (n_a,) starts every member.
        activation: g, one of "tanh", "sigmoid", "relu", "identity", "softplus".
        output: g_y, one of "softmax", "sigmoid", "identity".
        loss: one of "cross_entropy", "binary_cross_entropy", "squared_error".

    Returns:
        The loss; the gradients by parameter, each of its parameter's shape; the gradient of the
        initial state under "a", of that state's shape (one left out counts as (B, n_a) with a
        batch); and the gradient of x, of x's shape.

    Sources: Elman, Finding structure in time, Cognitive Science 14 (1990), for the network;
    Goodfellow, Bengio and Courville, Deep Learning (2016), section 10.2.2, for the gradients.
    """
    p, xs, ys, start = load(_NAMES, ("a",), params, x, y, initial)
    steps, batch, _ = xs.shape

    # The members of a batch are rows, so W v for every member at once is v @ W.T.
    # a[t] is the state before step t and a[t + 1] the one after it, with t counted from 0.
    a = np.zeros((steps + 1, batch, len(p["b_a"])))
    slope = np.zeros_like(a[1:])
    a[0] = start["a"]
    for t in range(steps):
        z = a[t] @ p["W_aa"].T + xs[t] @ p["W_ax"].T + p["b_a"]
        a[t + 1], slope[t] = activate(activation, z)
    value, dz_y = head(output, loss, a[1:] @ p["W_ya"].T + p["b_y"], ys)

    d = {name: np.zeros_like(p[name]) for name in _NAMES}
    dx = np.zeros_like(xs)
    da = np.zeros_like(a[0])
    for t in reversed(range(steps)):
        # a<t> reaches the loss through its own output and, by the da carried here, the next step.
        d["W_ya"] += dz_y[t].T @ a[t + 1]
        d["b_y"] += dz_y[t].sum(axis=0)
        da = da + dz_y[t] @ p["W_ya"]

        dz = da * slope[t]
        d["W_aa"] += dz.T @ a[t]
        d["W_ax"] += dz.T @ xs[t]
        d["b_a"] += dz.sum(axis=0)
        dx[t] = dz @ p["W_ax"]
        da = dz @ p["W_aa"]
    return value, d, {"a": fold(da, start["a"])}, dx.reshape(np.shape(x))
