"""One gradient of the Elman network by hand, in NumPy: what the emitted code is measured with.

`opt` is what ANCHORS calls so: hoisted input GEMM, forward loop, backward loop, one GEMM a weight
gradient, written as one writes NumPy. `best` has in addition every trick that I know which is no
special case of a size: buffers instead of temporaries, no lookups in loops, `ndarray.dot`, which
has less overhead than `np.dot`, and rows from iterators. Neither checks its arguments.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Result = tuple[float, dict[str, Any]]


def opt(p: dict[str, Any], x: Any, y: Any) -> Result:
    """Loss and gradients, in the usual style."""
    W, U, b, V, c = p["W_aa"], p["W_ax"], p["b_a"], p["W_ya"], p["b_y"]
    T, n = len(x), len(b)
    u = x @ U.T + b
    a = np.zeros((T + 1, n))
    for t in range(T):
        a[t + 1] = np.tanh(W @ a[t] + u[t])
    h = a[1:]
    z = h @ V.T + c
    z -= z.max(axis=1, keepdims=True)
    e = np.exp(z)
    s = e.sum(axis=1, keepdims=True)
    loss = -np.vdot(y, z - np.log(s))
    d_y = e / s - y
    g = d_y @ V
    slope = 1 - h * h
    d = np.empty((T, n))
    d[-1] = g[-1] * slope[-1]
    for t in range(T - 2, -1, -1):
        d[t] = (g[t] + d[t + 1] @ W) * slope[t]
    return loss, {
        "W_aa": d.T @ a[:-1],
        "W_ax": d.T @ x,
        "b_a": d.sum(axis=0),
        "W_ya": d_y.T @ h,
        "b_y": d_y.sum(axis=0),
    }


def best(p: dict[str, Any], x: Any, y: Any) -> Result:
    """Loss and gradients, as fast as plain NumPy gets."""
    W, U, b, V, c = p["W_aa"], p["W_ax"], p["b_a"], p["W_ya"], p["b_y"]
    T, n = len(x), len(b)
    add, multiply, tanh = np.add, np.multiply, np.tanh
    u = x.dot(U.T)
    u += b
    a = np.zeros((T + 1, n))
    z = np.empty(n)
    for before, now, given in zip(a, a[1:], u):  # noqa: B905
        W.dot(before, z)
        add(z, given, z)
        tanh(z, now)
    h = a[1:]
    z = h.dot(V.T)
    z += c
    z -= z.max(axis=1, keepdims=True)
    d_y = np.exp(z)
    s = d_y.sum(axis=1, keepdims=True)
    z -= np.log(s)
    loss = -np.vdot(y, z)
    d_y /= s
    d_y -= y
    g = d_y.dot(V)
    slope = 1 - h * h
    d = np.empty((T, n))
    back = np.zeros(n)
    for g_t, slope_t, d_t in zip(g[::-1], slope[::-1], d[::-1]):  # noqa: B905
        add(back, g_t, back)
        multiply(back, slope_t, d_t)
        d_t.dot(W, back)
    every = np.ones(T)
    return loss, {
        "W_aa": d.T @ a[:-1],
        "W_ax": d.T @ x,
        "b_a": every.dot(d),
        "W_ya": d_y.T @ h,
        "b_y": every.dot(d_y),
    }
