"""What the cells share: activations, output layers with their losses, and the array layout.

Everything acts on the last axis, so any leading axes (time, batch) pass through.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Gradients = tuple[float, dict[str, Array], dict[str, Array], Array]


def sigmoid(z: Array) -> Array:
    """1 / (1 + exp(-z)), without overflow."""
    s: Array = np.exp(-np.logaddexp(0.0, -z))
    return s


def activate(activation: str, z: Array) -> tuple[Array, Array]:
    """g(z) and its derivative g'(z), elementwise; the derivative of relu at 0 is 0."""
    if activation == "tanh":
        g: Array = np.tanh(z)
        return g, 1.0 - g**2
    if activation == "sigmoid":
        g = sigmoid(z)
        return g, g * (1.0 - g)
    if activation == "relu":
        return np.maximum(z, 0.0), np.where(z > 0.0, 1.0, 0.0)
    if activation == "identity":
        return z, np.ones_like(z)
    if activation == "softplus":
        return np.logaddexp(0.0, z), sigmoid(z)
    raise ValueError(f"unknown activation: {activation!r}")


def _log_sum_exp(z: Array) -> Array:
    total: Array = np.logaddexp.reduce(z, axis=-1)
    return total


def _log_yhat(output: str, z: Array) -> Array:
    """log(yhat), shape (..., n_y)."""
    if output == "softmax":
        return z - _log_sum_exp(z)[..., None]
    if output == "sigmoid":
        return -np.logaddexp(0.0, -z)
    return np.log(z)


def _log_rest(output: str, z: Array) -> Array:
    """log(1 - yhat), shape (..., n_y)."""
    if output == "softmax":
        # 1 - yhat_k is the share of all the other units: summing those keeps it exact near 0.
        others = np.where(np.eye(z.shape[-1], dtype=bool), -np.inf, z[..., None, :])
        return _log_sum_exp(others) - _log_sum_exp(z)[..., None]
    if output == "sigmoid":
        return -np.logaddexp(0.0, z)
    return np.log1p(-z)


def _jacobian(output: str, z: Array) -> Array:
    """J[..., k, j] = d yhat_k / d z_j, shape (..., n_y, n_y)."""
    eye = np.eye(z.shape[-1])
    if output == "identity":
        return np.broadcast_to(eye, (*z.shape, z.shape[-1]))
    yhat, rest = np.exp(_log_yhat(output, z)), np.exp(_log_rest(output, z))
    diagonal: Array = eye * (yhat * rest)[..., None]
    if output == "sigmoid":
        return diagonal
    return diagonal - (1.0 - eye) * yhat[..., :, None] * yhat[..., None, :]


def _loss_slope(output: str, loss: str, z: Array, y: Array) -> Array:
    """d loss / d yhat, shape (..., n_y)."""
    yhat = z if output == "identity" else np.exp(_log_yhat(output, z))
    if loss == "squared_error":
        return yhat - y
    if loss == "cross_entropy":
        return -y / yhat
    rest = 1.0 - z if output == "identity" else np.exp(_log_rest(output, z))
    return -y / yhat + (1.0 - y) / rest


def _loss(output: str, loss: str, z: Array, y: Array) -> float:
    if loss == "squared_error":
        yhat = z if output == "identity" else np.exp(_log_yhat(output, z))
        return float(0.5 * np.sum((yhat - y) ** 2))
    value = -np.sum(y * _log_yhat(output, z))
    if loss == "binary_cross_entropy":
        value -= np.sum((1.0 - y) * _log_rest(output, z))
    return float(value)


def head(output: str, loss: str, z: Array, y: Array) -> tuple[float, Array]:
    """Loss of yhat = g_y(z) against y, summed over every axis, and its gradient in z.

    Args:
        output: g_y, one of "softmax", "sigmoid", "identity".
        loss: "cross_entropy", -y^T log(yhat); "binary_cross_entropy",
            -(y^T log(yhat) + (1 - y)^T log(1 - yhat)); "squared_error", |yhat - y|^2 / 2.
        z: (..., n_y), the input of the output layer.
        y: (..., n_y), the targets; they need not sum to one.

    Returns:
        The loss, and dloss/dz of z's shape. Outside the domain of a logarithm they are what numpy
        makes of it, nan or inf; only an identity output or a softmax of one unit can get there.

    Source: Bishop, Pattern Recognition and Machine Learning (2006), section 5.2 and eq. 4.106.
    """
    if output not in ("softmax", "sigmoid", "identity"):
        raise ValueError(f"unknown output: {output!r}")
    if loss not in ("cross_entropy", "binary_cross_entropy", "squared_error"):
        raise ValueError(f"unknown loss: {loss!r}")
    value = _loss(output, loss, z, y)
    if (output, loss) == ("softmax", "cross_entropy"):
        # yhat - y is the special case of targets that sum to one.
        return value, np.exp(_log_yhat(output, z)) * y.sum(axis=-1, keepdims=True) - y
    if (output, loss) == ("sigmoid", "binary_cross_entropy"):
        return value, sigmoid(z) - y
    if (output, loss) == ("identity", "squared_error"):
        return value, z - y
    slope = _loss_slope(output, loss, z, y)
    return value, np.einsum("...kj,...k->...j", _jacobian(output, z), slope)


def load(
    names: Sequence[str],
    states: Sequence[str],
    params: Mapping[str, NDArray[Any]],
    x: NDArray[Any],
    y: NDArray[Any],
    initial: Mapping[str, NDArray[Any]] | None,
) -> tuple[dict[str, Array], Array, Array, dict[str, Array]]:
    """The arguments of ``gradients`` as float64, with x and y given a batch axis of their own.

    Returns:
        The parameters ``names``; x as (T, B, n_x); y as (T, B, n_y), where B = 1 if there was no
        batch; and the initial ``states`` as (n_a,) or (B, n_a), in the shape their gradient has.
    """
    p = {name: np.asarray(params[name], dtype=np.float64) for name in names}
    for name, value in p.items():
        if value.ndim != (2 if name.startswith("W") else 1):
            raise ValueError(f"{name} has shape {value.shape}")
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    n_y, n_a = p["W_ya"].shape
    if x.ndim not in (2, 3):
        raise ValueError(f"x has shape {x.shape}, not (T, n_x) or (T, B, n_x)")
    if y.shape != (*x.shape[:-1], n_y):
        raise ValueError(f"y has shape {y.shape}, not {(*x.shape[:-1], n_y)}")

    given = dict(initial or {})
    full = (*x.shape[1:-1], n_a)
    start = {s: np.asarray(given.pop(s, np.zeros(full)), dtype=np.float64) for s in states}
    if given:
        raise ValueError(f"unknown initial states: {sorted(given)}")
    for name, value in start.items():
        if value.shape not in ((n_a,), full):
            raise ValueError(f"initial {name} has shape {value.shape}, not {(n_a,)} or {full}")
    if x.ndim == 2:
        x, y = x[:, None], y[:, None]
    return p, x, y, start


def fold(gradient: Array, state: Array) -> Array:
    """The gradient (B, n_a) of an initial state in that state's own shape.

    A state (n_a,) started every member of the batch, so its gradient is the sum of theirs.
    """
    return gradient.sum(axis=0) if state.ndim == 1 else gradient
