"""Recursions of every kind are judged, and no verdict is lost to a fault or to an earlier call."""

from __future__ import annotations

import numpy as np
import pytest

import rnnsym as rs
from rnnsym.codecheck import check_gradient
from tests.codecheck import samples


def check(function, net, **words):
    return check_gradient(function, net, sensitivity=False, **words)


# ---- the verdict comes first -------------------------------------------------------------

VECTOR = rs.Network("h[t] = tanh(W @ x[t] + u * h[t-1])", "y_hat[t] = softmax(V @ h[t])")
PEEPHOLE = rs.Network(
    "f[t] = sigmoid(W_f @ h[t-1] + U_f @ x[t] + p * c[t-1])",
    "c[t] = f[t] * c[t-1] + (1 - f[t]) * tanh(U_g @ x[t])",
    "h[t] = sigmoid(U_o @ x[t] + p_o * c[t]) * tanh(c[t])",
    "y_hat[t] = softmax(V @ h[t])",
)
REVERSED = rs.Network("g[t] = tanh(W @ x[t] + U @ g[t+1])", "y_hat[t] = softmax(V @ g[t])")


@pytest.mark.parametrize(
    ("net", "weight"),
    [
        (rs.elman(bidirectional=True), "W_aa_bwd"),
        (REVERSED, "U"),
        (VECTOR, "u"),
        (PEEPHOLE, "p_o"),
    ],
    ids=["bidirectional", "backwards only", "vector times state", "peephole"],
)
def test_every_kind_of_recursion_is_judged_and_explained(net, weight):
    right = net.gradients()
    report = check_gradient(right, net)
    assert report.ok
    assert report.sensitivity.looked == report.sensitivity.all > 100
    assert not any("fault of rnnsym" in note for note in report.notes)

    def wrong(params, x, y, initial):
        loss, d = right(params, x, y, initial)
        return loss, {**d, weight: 0 * d[weight]}

    judged = check(wrong, net).gradients
    assert [n for n, g in judged.items() if not g.ok] == [weight]
    assert "zero" in judged[weight].diagnosis


def test_an_adjoint_too_late_in_a_state_that_runs_backwards_is_explained():
    def function(params, x, y, initial):
        states = [*[None] * len(x), initial["g"]]
        for t in reversed(range(len(x))):
            states[t] = np.tanh(params["W"] @ x[t] + params["U"] @ states[t + 1])
        d = {n: np.zeros_like(w) for n, w in params.items()}
        before = [np.zeros_like(initial["g"])] * 2
        for t in range(len(x)):
            scores = np.exp(params["V"] @ states[t])
            error = scores / scores.sum() - y[t]
            dz = (params["V"].T @ error + params["U"].T @ before[t]) * (1 - states[t] ** 2)
            before.append(dz)  # before[t + 1] is that of the step before
            d["V"] += np.outer(error, states[t])
            d["W"] += np.outer(dz, x[t])
            d["U"] += np.outer(dz, states[t + 1])
        return d

    judged = check(function, REVERSED).gradients
    assert judged["V"].ok
    assert judged["W"].why.kinds == ("later adjoint",)
    assert judged["U"].diagnosis == judged["W"].diagnosis


def test_a_fault_while_explaining_takes_no_verdict_with_it(monkeypatch):
    def broken(*_):
        raise IndexError("list index out of range")

    monkeypatch.setattr("rnnsym.codecheck.ground.Ground.table", broken)

    def function(params, x, y, initial):
        d = samples.plain(params, x, y, initial)[1]
        return {n: g + np.sin(g) if n == "W_aa" else g for n, g in d.items()}

    report = check_gradient(function, rs.elman())
    assert {n for n, g in report.gradients.items() if not g.ok} == {"W_aa"}
    assert sum("not found: IndexError" in note for note in report.notes) == 2
    assert report.sensitivity is None


class Stale(samples.Recurrent):
    """Its list of inputs is emptied where an object is made only, so that old ones stay."""

    def __init__(self, *sizes):
        if sizes:
            super().__init__(*sizes)
        self.seen = {}

    def forward(self, x, a):
        self.seen |= dict(enumerate(x))
        padded = [self.seen[t] for t in range(len(self.seen))]
        return super().forward(np.array(padded), a)

    def backward(self, y):
        steps = len(self.seen)
        return super().backward(np.array([y[min(t, len(y) - 1)] for t in range(steps)]))


def test_what_stays_from_earlier_calls_is_named():
    words = {"names": {"U": "W_ax", "W": "W_aa", "V": "W_ya", "b": "b_a", "c": "b_y"},
             "calls": [("forward", "x", "a"), ("backward", "y")]}  # fmt: skip
    same = {"n_x": 3, "n_a": 5, "n_y": 4}
    report = check(Stale(), rs.elman(), **words, sizes=same)
    assert not report.ok
    (text,) = {g.diagnosis for g in report.gradients.values()}
    assert text.startswith("a call depends on earlier ones: the first one (T = 3")
    assert "is right, the same call after some with other sequences gives something else" in text
    assert check(Stale, rs.elman(), **words, init="n_x n_a n_y").ok


def test_no_network_is_told_that_is_the_model():
    def function(params, x, y, initial):
        d = samples.plain(params, x, y, initial)[1]
        return {n: g * (1 if len(x) > 2 else 1 + np.sin(g)) for n, g in d.items()}

    for judged in check(function, rs.elman()).gradients.values():
        assert "another network" not in (judged.diagnosis or "")
