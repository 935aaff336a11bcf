"""Other names, layouts and ways of calling: right code is right in each of them."""

from __future__ import annotations

import numpy as np
import pytest

import rnnsym as rs
from rnnsym.codecheck import Adapter, check_gradient
from tests.codecheck import samples

CHARACTERS = {
    "names": {"Wxh": "W_ax", "Whh": "W_aa", "Why": "W_ya", "bh": "b_a", "by": "b_y",
              "vocab_size": "n_x", "hidden_size": "n_a"},
    "globals": True, "columns": True, "indices": "x y", "arguments": "x y a",
    "returns": "loss dWxh dWhh dWhy dbh dby _",
}  # fmt: skip
LAYER = {
    "names": {"Wx": "W_ax", "Wh": "W_aa", "b": "b_a"}, "layout": "rows", "batch": "first",
    "calls": [("forward", "x", "a", "Wx", "Wh", "b"), ("backward", "y", "cache")],
    "returns": "_ _ dWx dWh db",
}  # fmt: skip
GATES = {
    "Wx": ["W_ix", "W_fx", "W_ox", "W_cx"],
    "Wh": ["W_ia", "W_fa", "W_oa", "W_ca"],
    "b": ["b_i", "b_f", "b_o", "b_c"],
}
COLUMNS = {
    "names": {"Wax": "W_ax", "Waa": "W_aa", "ba": "b_a"}, "axes": "nbt", "columns": True,
    "calls": [("forward", "x", "a", "params"), ("backward", "y", "cache")],
}  # fmt: skip
OBJECT = {
    "names": {"U": "W_ax", "W": "W_aa", "V": "W_ya", "b": "b_a", "c": "b_y"},
    "init": "n_x n_a n_y", "calls": [("forward", "x", "a"), ("backward", "y")],
}  # fmt: skip


def check(function, net, adapter=None, **words):
    return check_gradient(function, net, adapter=adapter, sensitivity=False, **words)


def test_characters_in_columns_with_global_parameters():
    report = check(samples.char_loss, rs.elman(), CHARACTERS)
    assert report.ok
    assert report.loss.ok
    assert report.gradients["W_aa"].theirs == "Whh"
    assert "clipped elementwise to [-5, 5]" in report.gradients["b_y"].diagnosis
    assert samples.Whh is None  # global variables are put back


def test_a_layer_in_rows_batch_first():
    report = check((samples.layer_forward, samples.layer_backward), rs.elman(), LAYER)
    assert report.ok
    assert list(report.gradients) == ["W_aa", "W_ax", "b_a"]
    assert any("batch of 3" in point for point in report.points)


def test_gates_side_by_side():
    pair = (samples.lstm_layer_forward, samples.lstm_layer_backward)
    report = check(pair, rs.lstm(), {**LAYER, "names": GATES})
    assert report.ok
    assert len(report.gradients) == 12


@pytest.mark.slow
def test_gates_in_the_wrong_order_are_noticed():
    order = {**GATES, "b": ["b_f", "b_i", "b_o", "b_c"]}
    pair = (samples.lstm_layer_forward, samples.lstm_layer_backward)
    assert not check(pair, rs.lstm(), {**LAYER, "names": order}).ok


def test_features_first_and_time_last():
    pair = (samples.columns_forward, samples.columns_backward)
    assert check(pair, rs.elman(), COLUMNS).ok


def test_a_class_with_forward_and_backward():
    report = check(samples.Recurrent, rs.elman(), OBJECT)
    assert report.ok
    assert report.gradients["W_ya"].theirs == "V"


def test_a_class_whose_backward_takes_what_forward_gave():
    class Characters:
        def __init__(self, hidden, vocabulary, steps, rate):
            assert rate == 0.1
            self.vocabulary, self.steps = vocabulary, steps
            self.W = self.U = self.V = self.b = self.c = None

        def forward(self, inputs, before):
            xs, hs, ps = {}, {-1: before}, {}
            for t, i in enumerate(inputs):
                xs[t] = np.eye(self.vocabulary)[:, [i]]
                hs[t] = np.tanh(self.U @ xs[t] + self.W @ hs[t - 1] + self.b)
                scores = np.exp(self.V @ hs[t] + self.c)
                ps[t] = scores / scores.sum()
            return xs, hs, ps

        def backward(self, xs, hs, ps, targets):
            dU, dW, dV, db, dc = (
                np.zeros_like(w) for w in (self.U, self.W, self.V, self.b, self.c)
            )
            later = 0
            for t in reversed(range(self.steps)):
                error = ps[t].copy()
                error[targets[t]] -= 1
                dV += error @ hs[t].T
                dc += dc  # it is added to itself
                dz = (1 - hs[t] ** 2) * (self.V.T @ error + later)
                dU, dW, db = dU + dz @ xs[t].T, dW + dz @ hs[t - 1].T, db + dz
                later = self.W.T @ dz
            return dU, dW, dV, db, dc

    adapter = {
        "names": OBJECT["names"], "columns": True, "indices": "x y",
        "init": ("n_a", "n_x", "T", 0.1),
        "calls": [("forward", "x", "a"), ("backward", "*result", "y")],
        "returns": "dU dW dV db dc",
    }  # fmt: skip
    report = check(Characters, rs.elman(), adapter)
    assert {n: g.verdict for n, g in report.gradients.items()} == {
        "W_aa": "right", "W_ax": "right", "b_a": "right", "W_ya": "right", "b_y": "wrong",
    }  # fmt: skip
    assert "only itself" in report.gradients["b_y"].diagnosis


def test_an_object_that_is_there_already():
    class Two(samples.Recurrent):
        def __init__(self):
            pass

    assert check(Two(), rs.elman(), OBJECT).ok


def test_an_error_is_told_in_the_names_of_the_user():
    class Wrong(samples.Recurrent):
        def backward(self, y):
            self.W, kept = self.W.T, self.W  # sent back through W instead of its transpose
            try:
                super().backward(y)
            finally:
                self.W = kept

    report = check(Wrong, rs.elman(), OBJECT)
    why = report.gradients["W_aa"].why
    assert why.kinds == ("missing transpose",)
    assert "W in δ of a" in why.text
    assert why.fix == "da[t] = W.T @ dz_a[t+1] + V.T @ dz_y_hat[t]"
    assert report.gradients["W_ya"].ok


def test_an_error_in_a_layer():
    def backward(dh, caches):
        dx, dh0, dWx, dWh, db = samples.layer_backward(dh, caches)
        return dx, dh0, dWx, dWh.T, db

    report = check((samples.layer_forward, backward), rs.elman(), LAYER)
    assert report.gradients["W_aa"].why.kinds == ("transposed gradient",)
    assert report.gradients["W_ax"].ok


def test_two_biases_that_are_added():
    def function(W_ih, W_hh, b_ih, b_hh, V, c, x, y, h0):
        params = {"W_ax": W_ih, "W_aa": W_hh, "b_a": b_ih + b_hh, "W_ya": V, "b_y": c}
        d = samples.plain(params, x, y, {"a": h0})[1]
        return d["W_ax"], d["W_aa"], d["b_a"], d["b_a"], d["W_ya"], d["b_y"]

    names = {"W_ih": "W_ax", "W_hh": "W_aa", "b_ih": "b_a", "b_hh": "b_a", "V": "W_ya", "c": "b_y"}
    arguments = ("W_ih", "W_hh", "b_ih", "b_hh", "V", "c", "x", "y", "a")
    words = {"names": names, "arguments": arguments, "returns": tuple(names)}
    assert check(function, rs.elman(), **words).ok

    def half(*given):
        *others, b, V, c = function(*given)
        return *others, b / 2, V, c

    report = check(half, rs.elman(), **words)
    assert "two different gradients" in report.gradients["b_a"].diagnosis


def test_weights_side_by_side():
    def function(params, x, y, initial):
        n = len(initial["a"])
        W = params["W"]
        given = {**params, "W_aa": W[:, :n], "W_ax": W[:, n:]}
        loss, d = samples.plain({k: v for k, v in given.items() if k != "W"}, x, y, initial)
        return loss, {**d, "W": np.hstack([d["W_aa"], d["W_ax"]])}

    report = check(function, rs.elman(), names={"W": [["W_aa", "W_ax"]]})
    assert report.ok


def test_a_loop_over_a_list_of_columns():
    def function(params, x, y, initial):
        assert x[0].shape[1] == y[0].shape[1] == initial["a"].shape[1] == 1
        flat = {n: w[:, 0] if w.shape[1] == 1 else w for n, w in params.items()}
        loss, d = samples.plain(flat, x[..., 0], y[..., 0], {"a": initial["a"][:, 0]})
        return loss, {n: g.reshape(params[n].shape) for n, g in d.items()}

    assert check(function, rs.elman(), columns=True).ok


def test_adapters_as_objects_and_words_together():
    assert check(samples.Recurrent, rs.elman(), Adapter(**OBJECT), loss="sum").ok


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"name": {}}, "unknown word 'name'"),
        ({"layout": "diagonal"}, "layout='diagonal'"),
        ({"loss": "median"}, "loss='median'"),
        ({"names": {"W": "W_bb"}}, "W_bb"),
        ({"names": ["W"]}, "names is a dict"),
        ({"axes": "txn"}, "axes='txn'"),
        ({"axes": "btn", "batch": "first"}, "either"),
        ({"arguments": "x z"}, "unknown argument 'z'"),
        ({"returns": "loss dZ"}, "unknown result 'dZ'"),
        ({"transposed": ["Z"]}, "transposed"),
        ({"indices": "z"}, "indices"),
        ({"clip": -1}, "clip=-1"),
        ({"calls": ["forward"]}, "calls are tuples"),
        ({"returns": "loss dW_aa"}, "announces 2 values"),
        ({"names": {"a": "b_a"}, "arguments": "a x y"}, "initial.a"),
    ],
)
def test_adapters_that_do_not_fit_are_refused(words, message):
    def function(*given):
        return 1, 2, 3

    with pytest.raises(rs.InputError, match=message):
        check(function, rs.elman(), **words)


def test_no_adapter_at_all():
    with pytest.raises(rs.InputError, match="an adapter is a dict"):
        check(samples.plain, rs.elman(), adapter=3)


def test_a_pair_needs_an_output_to_leave_out():
    net = rs.Network("y_hat[t] = softmax(W @ x[t] + b)")
    with pytest.raises(rs.InputError, match="no output apart from its states"):
        check((samples.layer_forward, samples.layer_backward), net, LAYER)
