"""Backward passes as people write them, in the layouts and styles of courses; used by the tests.

All are right as they stand; the tests spoil them. Written for these tests.
"""

from __future__ import annotations

import numpy as np

# ---- one sequence of characters, column vectors, parameters as global variables ------------

vocab_size, hidden_size = 5, 7
Wxh = Whh = Why = bh = by = None
CLIP = 5.0


def char_loss(inputs, targets, hprev):
    """Loss and gradients of a character model; inputs and targets are lists of indices."""
    xs, hs, ps, loss = {}, {-1: np.copy(hprev)}, {}, 0
    for t, character in enumerate(inputs):
        xs[t] = np.zeros((vocab_size, 1))
        xs[t][character] = 1
        hs[t] = np.tanh(Wxh @ xs[t] + Whh @ hs[t - 1] + bh)
        scores = np.exp(Why @ hs[t] + by)
        ps[t] = scores / scores.sum()
        loss -= np.log(ps[t][targets[t], 0])
    grads = [np.zeros_like(w) for w in (Wxh, Whh, Why, bh, by)]
    dWxh, dWhh, dWhy, dbh, dby = grads
    later = np.zeros_like(hs[0])
    for t in reversed(range(len(inputs))):
        dy = np.copy(ps[t])
        dy[targets[t]] -= 1
        dWhy += dy @ hs[t].T
        dby += dy
        back = (1 - hs[t] ** 2) * (Why.T @ dy + later)
        dbh += back
        dWxh += back @ xs[t].T
        dWhh += back @ hs[t - 1].T
        later = Whh.T @ back
    for grad in grads:
        np.clip(grad, -CLIP, CLIP, out=grad)
    return loss, dWxh, dWhh, dWhy, dbh, dby, hs[len(inputs) - 1]


# ---- layers: batch first, rows, upstream gradients from outside ----------------------------


def step_forward(x, h_before, Wx, Wh, b):
    """One step of a vanilla layer, for a batch in rows."""
    h = np.tanh(x @ Wx + h_before @ Wh + b)
    return h, (x, h_before, Wx, Wh, h)


def step_backward(dh, cache):
    """Its gradients."""
    x, h_before, Wx, Wh, h = cache
    dz = dh * (1 - h * h)
    return dz @ Wx.T, dz @ Wh.T, x.T @ dz, h_before.T @ dz, dz.sum(axis=0)


def layer_forward(x, h0, Wx, Wh, b):
    """x (N, T, D), h0 (N, H): h (N, T, H)."""
    h, caches, before = [], [], h0
    for t in range(x.shape[1]):
        before, cache = step_forward(x[:, t], before, Wx, Wh, b)
        h.append(before)
        caches.append(cache)
    return np.stack(h, axis=1), caches


def layer_backward(dh, caches):
    """dh (N, T, H), upstream: the gradients of x, h0, Wx, Wh, b."""
    dx, dWx, dWh, db, later = [], 0, 0, 0, 0
    for t in reversed(range(dh.shape[1])):
        dxt, later, dWxt, dWht, dbt = step_backward(dh[:, t] + later, caches[t])
        dx.insert(0, dxt)
        dWx, dWh, db = dWx + dWxt, dWh + dWht, db + dbt
    return np.stack(dx, axis=1), later, dWx, dWh, db


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def lstm_layer_forward(x, h0, Wx, Wh, b):
    """An LSTM layer in rows, gates side by side in the order i, f, o, g; c starts from zero."""
    n = h0.shape[1]
    h, c, outputs, caches = h0, np.zeros_like(h0), [], []
    for t in range(x.shape[1]):
        z = x[:, t] @ Wx + h @ Wh + b
        i, f, o = (sigmoid(z[:, k * n : (k + 1) * n]) for k in range(3))
        g = np.tanh(z[:, 3 * n :])
        new = f * c + i * g
        caches.append((x[:, t], h, c, i, f, o, g, new, Wx, Wh))
        c, h = new, o * np.tanh(new)
        outputs.append(h)
    return np.stack(outputs, axis=1), caches


def lstm_layer_backward(dh, caches):
    """Its gradients by x, h0, Wx, Wh, b."""
    dx, dWx, dWh, db, dh_later, dc = [], 0, 0, 0, 0, 0
    for t in reversed(range(dh.shape[1])):
        x, h, c, i, f, o, g, new, Wx, Wh = caches[t]
        whole = dh[:, t] + dh_later
        squashed = np.tanh(new)
        dc = dc + whole * o * (1 - squashed**2)
        dz = np.hstack(
            [
                dc * g * i * (1 - i),
                dc * c * f * (1 - f),
                whole * squashed * o * (1 - o),
                dc * i * (1 - g**2),
            ]
        )
        dx.insert(0, dz @ Wx.T)
        dh_later = dz @ Wh.T
        dWx, dWh, db = dWx + x.T @ dz, dWh + h.T @ dz, db + dz.sum(axis=0)
        dc = dc * f
    return np.stack(dx, axis=1), dh_later, dWx, dWh, db


# ---- features first, examples in columns, time last ----------------------------------------


def columns_forward(x, a0, parameters):
    """x (n_x, m, T), a0 (n_a, m): a (n_a, m, T)."""
    a, caches, before = np.zeros((*a0.shape, x.shape[2])), [], a0
    for t in range(x.shape[2]):
        z = parameters["Waa"] @ before + parameters["Wax"] @ x[:, :, t] + parameters["ba"]
        after = np.tanh(z)
        caches.append((before, after, x[:, :, t], parameters))
        a[:, :, t] = before = after
    return a, caches


def columns_backward(da, caches):
    """da (n_a, m, T): a dict of gradients."""
    _, _, x, parameters = caches[0]
    found = {f"d{n}": np.zeros_like(v) for n, v in parameters.items()}
    found["dx"], later = np.zeros((x.shape[0], *da.shape[1:])), 0
    for t in reversed(range(da.shape[2])):
        before, after, x, parameters = caches[t]
        dz = (1 - after**2) * (da[:, :, t] + later)
        found["dWaa"] += dz @ before.T
        found["dWax"] += dz @ x.T
        found["dba"] += dz.sum(axis=1, keepdims=True)
        found["dx"][:, :, t] = parameters["Wax"].T @ dz
        later = parameters["Waa"].T @ dz
    found["da0"] = later
    return found


# ---- a class with forward and backward -----------------------------------------------------


class Recurrent:
    """A network that keeps its parameters U, W, V, b, c and their gradients as attributes."""

    def __init__(self, n_x, n_a, n_y):
        rng = np.random.default_rng(0)
        self.U, self.W = rng.standard_normal((n_a, n_x)), rng.standard_normal((n_a, n_a))
        self.V = rng.standard_normal((n_y, n_a))
        self.b, self.c = np.zeros(n_a), np.zeros(n_y)

    def forward(self, x, h0):
        self.x, self.h, self.p, before = x, [h0], [], h0
        for v in x:
            before = np.tanh(self.U @ v + self.W @ before + self.b)
            self.h.append(before)
            scores = np.exp(self.V @ before + self.c)
            self.p.append(scores / scores.sum())
        return self.p

    def backward(self, y):
        for name in "UWVbc":
            setattr(self, f"d{name}", np.zeros_like(getattr(self, name)))
        later = np.zeros_like(self.b)
        for t in reversed(range(len(y))):
            error = self.p[t] - y[t]
            self.dV += np.outer(error, self.h[t + 1])
            self.dc += error
            dz = (self.V.T @ error + later) * (1 - self.h[t + 1] ** 2)
            self.dU += np.outer(dz, self.x[t])
            self.dW += np.outer(dz, self.h[t])
            self.db += dz
            later = self.W.T @ dz


# ---- our own convention --------------------------------------------------------------------


def plain(params, x, y, initial):
    """Loss and gradients of the Elman network in our convention, for one sequence."""
    states, outputs, loss, a = [initial["a"]], [], 0.0, initial["a"]
    for t in range(len(x)):
        a = np.tanh(params["W_aa"] @ a + params["W_ax"] @ x[t] + params["b_a"])
        scores = np.exp(params["W_ya"] @ a + params["b_y"])
        states.append(a)
        outputs.append(scores / scores.sum())
        loss -= y[t] @ np.log(outputs[t])
    d = {name: np.zeros_like(value) for name, value in params.items()}
    carried = np.zeros_like(a)
    for t in reversed(range(len(x))):
        error = outputs[t] - y[t]
        d["W_ya"] += np.outer(error, states[t + 1])
        d["b_y"] += error
        dz = (params["W_ya"].T @ error + carried) * (1 - states[t + 1] ** 2)
        d["W_aa"] += np.outer(dz, states[t])
        d["W_ax"] += np.outer(dz, x[t])
        d["b_a"] += dz
        carried = params["W_aa"].T @ dz
    return loss, d


def plain_lstm(params, x, y, initial):
    """The same for the LSTM."""
    W = params
    a, c = initial["a"], initial["c"]
    kept, loss = [], 0.0
    for t in range(len(x)):
        f = sigmoid(W["W_fa"] @ a + W["W_fx"] @ x[t] + W["b_f"])
        i = sigmoid(W["W_ia"] @ a + W["W_ix"] @ x[t] + W["b_i"])
        o = sigmoid(W["W_oa"] @ a + W["W_ox"] @ x[t] + W["b_o"])
        g = np.tanh(W["W_ca"] @ a + W["W_cx"] @ x[t] + W["b_c"])
        new = f * c + i * g
        after = o * np.tanh(new)
        scores = np.exp(W["W_ya"] @ after + W["b_y"])
        p = scores / scores.sum()
        loss -= y[t] @ np.log(p)
        kept.append((a, c, f, i, o, g, new, after, p))
        a, c = after, new
    d = {name: np.zeros_like(value) for name, value in params.items()}
    da_next = np.zeros_like(a)
    dc_next = np.zeros_like(c)
    for t in reversed(range(len(x))):
        a, c, f, i, o, g, new, after, p = kept[t]
        dy = p - y[t]
        d["W_ya"] += np.outer(dy, after)
        d["b_y"] += dy
        da = W["W_ya"].T @ dy + da_next
        dc = dc_next + da * o * (1 - np.tanh(new) ** 2)
        dzo = da * np.tanh(new) * o * (1 - o)
        dzf = dc * c * f * (1 - f)
        dzi = dc * g * i * (1 - i)
        dzc = dc * i * (1 - g**2)
        d["W_oa"] += np.outer(dzo, a)
        d["W_ox"] += np.outer(dzo, x[t])
        d["b_o"] += dzo
        d["W_fa"] += np.outer(dzf, a)
        d["W_fx"] += np.outer(dzf, x[t])
        d["b_f"] += dzf
        d["W_ia"] += np.outer(dzi, a)
        d["W_ix"] += np.outer(dzi, x[t])
        d["b_i"] += dzi
        d["W_ca"] += np.outer(dzc, a)
        d["W_cx"] += np.outer(dzc, x[t])
        d["b_c"] += dzc
        da_next = W["W_fa"].T @ dzf + W["W_ia"].T @ dzi + W["W_oa"].T @ dzo + W["W_ca"].T @ dzc
        dc_next = dc * f
    return loss, d


def plain_gru(params, x, y, initial):
    """The same for the GRU."""
    W = params
    a, kept, loss = initial["a"], [], 0.0
    for t in range(len(x)):
        u = sigmoid(W["W_ua"] @ a + W["W_ux"] @ x[t] + W["b_u"])
        r = sigmoid(W["W_ra"] @ a + W["W_rx"] @ x[t] + W["b_r"])
        n = np.tanh(W["W_aa"] @ (r * a) + W["W_ax"] @ x[t] + W["b_a"])
        after = u * a + (1 - u) * n
        scores = np.exp(W["W_ya"] @ after + W["b_y"])
        p = scores / scores.sum()
        loss -= y[t] @ np.log(p)
        kept.append((a, u, r, n, after, p))
        a = after
    d = {name: np.zeros_like(value) for name, value in params.items()}
    da_next = np.zeros_like(a)
    for t in reversed(range(len(x))):
        a, u, r, n, after, p = kept[t]
        dy = p - y[t]
        d["W_ya"] += np.outer(dy, after)
        d["b_y"] += dy
        da = W["W_ya"].T @ dy + da_next
        dzn = da * (1 - u) * (1 - n**2)
        dzu = da * (a - n) * u * (1 - u)
        back = W["W_aa"].T @ dzn
        dzr = back * a * r * (1 - r)
        d["W_aa"] += np.outer(dzn, r * a)
        d["W_ax"] += np.outer(dzn, x[t])
        d["b_a"] += dzn
        d["W_ua"] += np.outer(dzu, a)
        d["W_ux"] += np.outer(dzu, x[t])
        d["b_u"] += dzu
        d["W_ra"] += np.outer(dzr, a)
        d["W_rx"] += np.outer(dzr, x[t])
        d["b_r"] += dzr
        da_next = da * u + back * r + W["W_ua"].T @ dzu + W["W_ra"].T @ dzr
    return loss, d
