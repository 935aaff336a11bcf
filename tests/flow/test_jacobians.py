"""Jacobian products, their bound, and Lyapunov exponents."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rnnsym as rs
from rnnsym.errors import InputError
from rnnsym.evaluate.arithmetic import NumpyArithmetic
from rnnsym.evaluate.trajectory import Truth
from rnnsym.flow.jacobians import coverage, jacobians
from rnnsym.flow.lyapunov import exponents, lyapunov
from rnnsym.flow.recurrent import recurrence_of, recurrences
from rnnsym.flow.setting import setting, spectral_radius
from rnnsym.network import Network
from rnnsym.nodes import Total
from tests.flow.nets import MODELS, SHARED

LINEAR = "elman:activation=identity,output=identity"


@pytest.mark.parametrize("name", [*MODELS, "shared"])
def test_jacobians_are_those_of_dual_numbers(name: str) -> None:
    net = SHARED if name == "shared" else rs.model(name)
    made = setting(net, 4, dict.fromkeys(net.sizes, 2))
    ar = NumpyArithmetic()
    truth = Truth(net, made.point(ar), ar)
    for r in recurrences(net):
        found = jacobians(made, r)
        for time, matrix in zip(found.steps, found.matrices, strict=True):
            now = r.block.state(time).subs(dict(made.symbols))
            before = r.block.state(r.block.before(time)).subs(dict(made.symbols))
            expected = truth.evaluator()(Total(now, before))
            np.testing.assert_allclose(matrix, expected, atol=1e-13)


def test_norms_of_products_are_those_of_the_products() -> None:
    net = rs.gru()
    found = jacobians(setting(net, 7, {"n_a": 3}), recurrence_of(net))
    for t in range(7):
        for k in range(7):
            if k > t:
                assert np.isnan(found.log_norms[t, k])
                continue
            product = np.eye(3)
            for i in range(k + 1, t + 1):
                product = found.matrices[i] @ product
            length = np.log(np.linalg.norm(product, 2))
            assert found.log_norms[t, k] == pytest.approx(length, abs=1e-12)
    largest, median = found.by_distance()
    assert largest[0] == median[0] == 0 and largest[2] == np.diagonal(found.log_norms, -2).max()


def test_long_products_neither_overflow_nor_underflow() -> None:
    net = rs.model(LINEAR)
    for scale in (1e-9, 1e9):
        w = scale * np.eye(3)
        made = setting(
            net, 100, params={"W_aa": w}, x=np.zeros((100, 2)), initial={"a": np.zeros(3)}
        )
        found = jacobians(made, recurrence_of(net))
        assert found.log_norms[99, 0] == pytest.approx(99 * np.log(scale)) and found.obeys_bound()


# ---- the bound -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "gamma"),
    [("elman", 1), ("elman:activation=sigmoid", 0.25), ("elman:activation=relu", 1),
     ("elman:activation=softplus", 1), (LINEAR, 1), ("elman:compact", 1),
     ("elman:truncate=3", 1), ("elman:bidirectional", 1)],
)  # fmt: skip
def test_where_the_bound_applies(name: str, gamma: float) -> None:
    net = rs.model(name)
    for seed in range(3):
        flow = net.flow(steps=10, seed=seed)
        assert flow.bound is not None and flow.bound.gamma == gamma and flow.uncovered == ""
        assert flow.jacobians.obeys_bound() and flow.ok
        assert flow.constant is not None and len(flow.checks) == 3


@pytest.mark.parametrize(
    ("name", "why"),
    [("lstm", "is not diag"), ("gru", "is not diag"), ("elman:shortcut=2", "is not diag"),
     ("elman:masked", "is not diag"), ("elman:activation=g", "g may be any function")],
)  # fmt: skip
def test_where_it_does_not_and_why(name: str, why: str) -> None:
    net = rs.model(name)
    flow = net.flow(steps=4)
    assert flow.bound is None and flow.constant is None and why in flow.uncovered
    assert not coverage(recurrence_of(net)).applies and flow.jacobians.obeys_bound() is None
    assert np.isnan(flow.bound_at([0, 1])).all()


def test_no_bound_of_an_unbounded_derivative() -> None:
    net = Network("a[t] = exp(W @ a[t-1] + U @ x[t])", "y_hat[t] = Q @ a[t]", loss="squared_error")
    assert coverage(recurrence_of(net)).why == "no bound is known for the derivative of exp"


def test_a_product_beyond_the_bound_is_noticed() -> None:
    flow = rs.elman().flow(steps=5, sigma=0.5)
    flow.jacobians.matrices[2] *= 10
    assert not flow.jacobians.obeys_bound()
    assert not flow.ok


def test_the_bound_of_terms_is_none_where_a_second_way_leads_to_the_loss() -> None:
    flow = rs.elman(layers=2).flow("W_aa_l1", 5)
    assert flow.bound is not None and flow.constant is None and len(flow.checks) == 2


def test_a_small_weight_vanishes_and_a_large_linear_one_explodes() -> None:
    assert rs.elman().flow(steps=20, sigma=0.5).rate < 0.5
    grown = rs.model(LINEAR).flow(steps=20, radius=1.3)
    assert grown.rate > 1.1 and grown.ok


# ---- Lyapunov exponents ----------------------------------------------------------------------


def linear(w: Any, steps: int = 2000) -> Any:
    net = rs.model(LINEAR)
    n = len(w)
    given = {"x": np.zeros((steps, 2)), "initial": {"a": np.zeros(n)}}
    return lyapunov(net, params={"W_aa": w}, **given)


def test_without_a_nonlinearity_they_are_the_logarithms_of_the_eigenvalues() -> None:
    rng = np.random.default_rng(0)
    basis = rng.standard_normal((4, 4))
    values = np.array([1.5, -0.9, 0.4, 0.1])
    found = linear(basis @ np.diag(values) @ np.linalg.inv(basis))
    np.testing.assert_allclose(found.exponents, np.log(np.abs(values)), atol=1e-10)
    np.testing.assert_allclose(found.rates, np.abs(values), rtol=1e-9)
    assert found.largest == found.exponents[0] and found.steps == 1800 and found.skipped == 200


def test_an_orthogonal_matrix_neither_vanishes_nor_explodes() -> None:
    q = np.linalg.qr(np.random.default_rng(1).standard_normal((5, 5)))[0]
    np.testing.assert_allclose(linear(q, 500).exponents, 0, atol=1e-12)


def test_complex_eigenvalues_count_by_their_size() -> None:
    turn = 0.8 * np.array([[np.cos(1), -np.sin(1)], [np.sin(1), np.cos(1)]])
    np.testing.assert_allclose(linear(turn, 200).exponents, np.log(0.8), atol=1e-12)


@pytest.mark.parametrize("name", ["elman", "lstm", "gru", "elman:shortcut=3"])
def test_their_sum_is_the_mean_logarithm_of_the_determinant(name: str) -> None:
    found = lyapunov(rs.model(name), 300, sizes={"n_a": 4}, seed=2)
    assert found.exponents.sum() == pytest.approx(found.mean_log_det, rel=1e-9)
    assert (np.diff(found.exponents) <= 0).all()
    size = {"elman": 4, "lstm": 8, "gru": 4, "elman:shortcut=3": 12}[name]
    assert found.exponents.shape == (size,)


def test_the_largest_is_the_rate_of_the_product() -> None:
    net = rs.elman()
    found = jacobians(setting(net, 300, {"n_a": 5}, 3), recurrence_of(net))
    rate = found.log_norms[-1, 100] / 199
    assert exponents(found, 101).largest == pytest.approx(rate, abs=0.02)


def test_a_direction_that_is_lost_has_minus_infinity() -> None:
    found = lyapunov(rs.elman(truncate=3), 20)
    assert (found.exponents == -np.inf).all() and (found.rates == 0).all()
    assert linear(np.diag([0.5, 0.0]), 50).exponents[1] == -np.inf


def test_a_backward_recurrence_is_followed_backwards() -> None:
    net = rs.elman(bidirectional="yes")
    with pytest.raises(InputError, match="several recurrences: choose a state from a_fwd, a_bwd"):
        lyapunov(net, 20)
    assert jacobians(setting(net, 5), recurrence_of(net, "a_bwd")).steps == (5, 4, 3, 2, 1)
    assert lyapunov(net, 50, state="a_bwd").state == "a_bwd"
    with pytest.raises(InputError, match="'h' is no recurrent state"):
        lyapunov(net, 20, state="h")


def test_wrong_requests_are_named() -> None:
    for skip in (-1, 10, True, 1.5):
        with pytest.raises(InputError, match="skip must be a number of steps from 0 to 9"):
            lyapunov(rs.elman(), 10, skip=skip)
    net = Network("a[t] = tanh(U @ x[t])", "y_hat[t] = softmax(Q @ a[t])")
    with pytest.raises(InputError, match="has no recurrence"):
        lyapunov(net, 10)


def test_a_thousand_steps_take_no_more_than_seconds() -> None:
    found = lyapunov(rs.lstm(), 1000)
    assert found.exponents.shape == (32,) and np.isfinite(found.exponents).all()
    assert "900 steps" in repr(found)
    assert spectral_radius(np.diag([1.0, -3.0])) == 3
