"""Where an error sits that nothing explains: not in what other right gradients certify."""

from __future__ import annotations

import numpy as np
import pytest

import rnnsym as rs
from rnnsym.codecheck import check_gradient
from tests.codecheck import samples


@pytest.fixture(autouse=True)
def _in_short(monkeypatch):
    """No time for pairs of mutations, which explain nothing here."""
    monkeypatch.setattr("rnnsym.codecheck.diagnose.PAIR_SECONDS", 0.1)


def check(function, net, **words):
    return check_gradient(function, net, sensitivity=False, **words)


def spoiled(right, change):
    def function(params, x, y, initial):
        d = right(params, x, y, initial)[1]
        return {n: change(n, g, len(x)) for n, g in d.items()}

    return function


def test_a_sum_of_what_is_certified_is_all_that_is_to_be_compared():
    function = spoiled(samples.plain_gru, lambda n, g, T: g**3 if n == "W_aa" else g)
    expected = "dW_aa = the sum over k = 1 … T of np.outer(dz_a_tilde[k], r[k] * a[k-1])"
    text = check(function, rs.gru()).gradients["W_aa"].diagnosis
    assert text.endswith(f"Compare with {expected}")

    def from_zero(params, x, y):
        return function(params, x, y, {"a": np.zeros_like(params["b_a"])})

    text = check(from_zero, rs.gru(), arguments=["params", "x", "y"]).gradients["W_aa"].diagnosis
    assert "at T = 2" in text
    assert text.endswith(f"Compare with {expected}")


def test_adjoints_that_are_certified_are_left_out():
    wrong = ("W_fa", "W_fx", "b_f")
    function = spoiled(samples.plain_lstm, lambda n, g, T: g**3 if n in wrong else g)
    text = check(function, rs.lstm()).gradients["b_f"].diagnosis
    assert "dz_f[t] = " in text or "df[t] = " in text
    assert "da[t] = " not in text  # the other gates have it too
    assert "dc[t] = " not in text


def test_gradients_that_share_nothing_are_located_each_for_itself():
    net = rs.elman(bidirectional=True)

    def change(n, g, T):
        late = n in ("W_ax_fwd", "b_a_fwd") and T > 1
        return g**3 if late or n.endswith("_bwd") else g

    report = check(spoiled(net.gradients(), change), net)
    forward, backward = report.gradients["W_ax_fwd"], report.gradients["W_ax_bwd"]
    assert forward.since == 2 and backward.since == 1
    assert "only through that of" not in forward.diagnosis
    assert "at T = 2" in forward.diagnosis and "_bwd[" not in forward.diagnosis.split("Compare")[1]
    assert "at T = 1" in backward.diagnosis


def test_a_gradient_may_follow_from_another_that_shares_an_equation():
    wrong = {"b_a": 1, "W_ax": 1, "W_aa": 2}
    late = spoiled(samples.plain, lambda n, g, T: g**3 if wrong.get(n, 9) <= T else g)
    report = check(late, rs.elman())
    assert "only through that of W_ax, b_a" in report.gradients["W_aa"].diagnosis
