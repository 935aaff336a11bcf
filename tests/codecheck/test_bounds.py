"""Bounds on gradients: one for each, and what they hide is looked at where gradients are small."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import rnnsym as rs
from rnnsym.codecheck import Adapter, check_gradient
from rnnsym.codecheck.check import judge
from rnnsym.codecheck.trial import Function, Trial
from tests.codecheck import samples
from tests.codecheck.test_dicts import arrivals

NET = rs.elman()
SQUARED = rs.elman(output="identity", loss="squared_error")
WITHOUT_BIASES = rs.Network(
    "s[t] = tanh(W @ s[t-1] + U @ x[t])", "y_hat[t] = softmax(V @ s[t])", loss="cross_entropy"
)


def check(function, net=NET, **words):
    return check_gradient(function, net, sensitivity=False, **words)


def clipped(net, bound, change=lambda n, g: g):
    """The right gradients, changed, and then clipped."""
    right = net.gradients()

    def function(params, x, y, initial):
        d = right(params, x, y, initial)[1]
        return {n: np.clip(change(n, g), -bound, bound) for n, g in d.items()}

    return function


def doubled(name):
    return lambda n, g: 2 * g if n == name else g


@pytest.mark.parametrize("words", [{}, {"clip": 0.5}])
def test_a_gradient_that_is_not_clipped_does_not_hide_the_bound_of_the_others(words):
    def function(params, x, y, initial):
        d, dx, _ = arrivals(params, x, y, initial, transposed=False)
        return {n: np.clip(g, -0.5, 0.5) for n, g in d.items()}, dx

    report = check(function, returns=["gradients", "dx"], **words)
    assert [n for n, g in report.gradients.items() if not g.ok] == ["W_aa", "W_ax", "b_a", "x"]
    for name in ("W_aa", "W_ax", "b_a", "x"):
        assert report.gradients[name].why.kinds == ("missing transpose",)
        assert report.gradients[name].since == 2  # at T = 1 they are right, but for the bound
    assert any("W_ya, b_y are clipped elementwise to [-0.5" in n for n in report.notes)


def test_a_stated_bound_is_used_where_no_two_calls_show_it():
    function = clipped(NET, 3.5, lambda n, g: g.T if n == "W_aa" else g)
    report = check(function, clip=3.5)
    assert [n for n, g in report.gradients.items() if not g.ok] == ["W_aa"]
    assert "outer product are swapped" in report.gradients["W_aa"].diagnosis


@pytest.mark.parametrize("bound", [1, 0.1, 1e-3])
@pytest.mark.parametrize("net", [SQUARED, NET, rs.elman(type="many-to-one")], ids=lambda n: n.name)
def test_an_error_that_only_a_bound_hides_is_found(net, bound):
    for seed in (0, 1):
        report = check(clipped(net, bound, doubled("b_y")), net, seed=seed, sizes={"n_y": 2})
        assert [n for n, g in report.gradients.items() if not g.ok] == ["b_y"]
        assert "twice" in report.gradients["b_y"].diagnosis
    assert check(clipped(net, bound), net).ok


@pytest.mark.parametrize("output", ["softmax", "sigmoid"])
def test_classes_are_made_nearly_certain(output):
    loss = "cross_entropy" if output == "softmax" else "binary_cross_entropy"
    net = rs.elman(output=output, loss=loss)
    right = net.gradients()

    def function(change):
        def inner(params, x, y, initial):
            classes = np.eye(y.shape[-1])[y.argmax(-1)] if output == "softmax" else np.round(y)
            d = right(params, x, classes, initial)[1]
            return {n: np.clip(change(n, g), -1e-3, 1e-3) for n, g in d.items()}

        return inner

    assert check(function(lambda n, g: g), net).ok
    report = check(function(doubled("b_y")), net)
    assert [n for n, g in report.gradients.items() if not g.ok] == ["b_y"]
    assert report.gradients["b_y"].verdict == "wrong"


def test_what_stays_hidden_is_undecided():
    right = WITHOUT_BIASES.gradients()

    def function(factor):
        def inner(params, x, y, initial):
            classes = np.eye(y.shape[-1])[y.argmax(-1)]
            d = right(params, x, classes, initial)[1]
            return {n: np.clip(factor * g, -1e-6, 1e-6) for n, g in d.items()}

        return inner

    for factor in (1, 2):
        report = check(function(factor), WITHOUT_BIASES)
        assert not report.ok
        assert {g.verdict for g in report.gradients.values()} == {"undecided"}
        assert "only signs can be compared" in report.gradients["W"].diagnosis
        assert report.headline.endswith("3 undecided")
        assert "? undecided" in report.text()


def test_a_factor_before_a_bound_on_the_norm_is_found():
    def rescaled(factor):
        def function(params, x, y, initial):
            d = {n: factor * g for n, g in samples.plain(params, x, y, initial)[1].items()}
            norm = np.sqrt(sum(np.sum(g * g) for g in d.values()))
            return {n: g * min(1, 0.01 / norm) for n, g in d.items()}

        return function

    assert check(rescaled(1)).ok
    report = check(rescaled(3))
    assert not any(g.ok for g in report.gradients.values())
    assert "3 times" in report.gradients["W_aa"].diagnosis


def test_a_bound_on_a_mean_is_seen():
    def function(params, x, y, initial):
        d = samples.plain(params, x, y, initial)[1]
        return {n: np.clip(g / len(x), -0.2, 0.2) for n, g in d.items()}

    report = check(function, loss="mean over time")
    assert report.ok
    assert "[-0.2, 0.2]" in report.gradients["W_ya"].diagnosis


def test_a_layer_is_sent_small_errors_back():
    def forward(x, h, Wx, Wh, b):
        return samples.layer_forward(x, h, Wx, Wh, b)

    def backward(factor):
        def inner(dh, cache):
            found = samples.layer_backward(dh, cache)
            return tuple(np.clip(factor * g, -0.01, 0.01) for g in found)

        return inner

    words = {
        "names": {"Wx": "W_ax", "Wh": "W_aa", "b": "b_a"}, "layout": "rows", "batch": "first",
        "calls": [("forward", "x", "a", "Wx", "Wh", "b"), ("backward", "y", "cache")],
        "returns": "dx da0 dWx dWh db",
    }  # fmt: skip
    assert check((forward, backward(1)), **words).ok
    report = check((forward, backward(2)), **words)
    assert not any(g.ok for g in report.gradients.values())


def test_an_error_of_batches_alone_is_seen_through_a_bound():
    right = rs.elman().gradients()

    def function(params, x, y, initial):
        d = right(params, x, y, initial)[1]
        factor = 1 / x.shape[1] if x.ndim == 3 else 1
        return {n: np.clip(factor * g, -1e-2, 1e-2) for n, g in d.items()}

    report = check(function)
    assert "mean over the batch" in report.gradients["W_aa"].diagnosis


def test_what_would_have_shown_is_measured_through_the_bound():
    report = check_gradient(clipped(SQUARED, 1e-2), SQUARED)
    assert report.ok
    assert report.sensitivity.smallest[0][1] > 1
    report = check_gradient(clipped(NET, 1e-9), NET)
    assert {g.verdict for g in report.gradients.values()} == {"undecided"}
    assert report.sensitivity.text().startswith("sensitivity: not every kind")


def test_errors_are_measured_through_the_bound():
    report = check(clipped(SQUARED, 0.5, lambda n, g: g * (1 + 1e-3) if n == "b_y" else g), SQUARED)
    assert report.gradients["b_y"].error == pytest.approx(1e-3, rel=0.01)
    loud = check(lambda *given: {n: 1.01 * g for n, g in samples.plain(*given)[1].items()})
    assert loud.gradients["W_ya"].error == pytest.approx(0.01, rel=0.01)


def test_a_gradient_that_should_be_zero_is_measured_against_the_largest():
    def function(params, x, y, initial):
        d = SQUARED.gradients()(params, x, y, {"a": 0 * initial["a"]})[1]
        wrong = {**d, "W_aa": d["W_aa"] + 0.3 * (len(x) == 1)}
        return {n: np.clip(g, -0.5, 0.5) for n, g in wrong.items()}

    judged = check(function, SQUARED).gradients["W_aa"]
    assert judged.verdict == "wrong"
    assert judged.since == 1
    assert 1e-3 < judged.error < 1e3


class Clipped(Trial):
    """The trial of the catalogue with every gradient clipped to a small bound."""

    def report(self, program):
        function = Function(self.ground, program)

        def clipped(values):
            outcome = function(values)
            found = {n: np.clip(g, -1e-2, 1e-2) for n, g in outcome.gradients.items()}
            return replace(outcome, gradients=found)

        net, adapter = self.ground.net, Adapter(indices=self.indices)
        return judge(
            clipped, net, adapter, tuple(net.initial_states), sensitivity=False, ground=self.ground
        )


@pytest.mark.parametrize("indices", [(), ("y",)], ids=["vectors", "classes"])
def test_no_mutation_passes_under_a_bound(indices):
    trial = Clipped(NET)
    trial.indices = indices
    score = trial.run(slice(None, None, 9))
    assert score.seen == score.wrong > 25
    assert score.blamed == 0
    assert score.named >= 0.95 * score.wrong
