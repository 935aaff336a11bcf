"""One error in all gradients at once, bounds on them, and gradients that are nothing."""

from __future__ import annotations

import numpy as np
import pytest

import rnnsym as rs
from rnnsym.codecheck import check_gradient
from rnnsym.reference import elman as elman_reference
from tests.codecheck import samples

NET = rs.elman()
SQUARED = rs.lstm(type="many-to-one", output="identity", loss="squared_error")


def check(function, net=NET, **words):
    return check_gradient(function, net, sensitivity=False, **words)


def each(change, right=samples.plain, loss=lambda loss: loss):
    """A right function with every gradient changed: change(name, gradient)."""

    def function(params, x, y, initial):
        value, d = right(params, x, y, initial)
        return loss(value), {n: change(n, g) for n, g in d.items()}

    return function


def alone(function):
    """The gradients without the loss."""
    return lambda *given: function(*given)[1]


def only(report):
    """The one diagnosis of all wrong gradients."""
    (text,) = {g.diagnosis for g in report.gradients.values()}
    return text


def test_a_factor_of_all_gradients_is_told_as_one():
    text = only(check(alone(each(lambda n, g: 2 * g))))
    assert text.startswith("all gradients are twice the right ones")
    text = only(check(alone(each(lambda n, g: g / 3))))
    assert text.startswith("all gradients are 1/3 times the right ones")
    text = only(check(alone(each(lambda n, g: -0.1 * g))))
    assert "-1/10 times the right ones: the step of an update" in text
    text = only(check(each(lambda n, g: 2 * g)))
    assert text.endswith("though the loss that is returned is the model's")
    report = check(each(lambda n, g: 2 * g, loss=lambda loss: 2 * loss))
    assert report.ok and not report.loss.ok  # right of its own loss
    text = only(report)
    assert (
        text == "the right gradient of the loss that is returned, which is twice that of the model"
    )


def test_a_factor_that_follows_from_the_loss_is_told_as_that():
    """(ŷ - y)² in the place of ½(ŷ - y)²."""
    text = only(check(alone(each(lambda n, g: 2 * g, SQUARED.gradients())), SQUARED))
    assert "twice the right ones: the loss of the code is (y_hat[T] - y[T]).T @" in text
    assert "that of the model 1/2 * (y_hat[T] - y[T]).T @" in text


def test_a_wrong_sign_is_still_explained_by_where_it_comes_from():
    report = check(each(lambda n, g: -g))
    assert report.gradients["W_aa"].why.kinds == ("reversed difference",)


def test_a_factor_and_a_bound_at_once():
    report = check(alone(each(lambda n, g: np.clip(2 * g, -1, 1))))
    assert only(report).startswith("all gradients are twice the right ones")
    assert "gradients are clipped elementwise to [-1, 1]" in report.notes


def test_an_error_is_explained_under_a_bound():
    right = elman_reference.gradients

    def function(params, x, y, initial):
        d = right(params, x, y, initial)[1]
        return {n: np.clip(g.T if n == "W_aa" else g, -0.7, 0.7) for n, g in d.items()}

    report = check(function)
    judged = report.gradients["W_aa"]
    assert [n for n, g in report.gradients.items() if not g.ok] == ["W_aa"]
    assert "factors of the outer product are swapped" in judged.diagnosis
    assert "gradients are clipped elementwise to [-0.7, 0.7]" in report.notes


def test_a_gradient_that_is_always_the_same_is_no_bound():
    report = check(each(lambda n, g: 9 + 0 * g if n == "b_y" else 2 * g if n == "W_aa" else g))
    assert not any("clipped" in note for note in report.notes)
    assert "twice" in report.gradients["W_aa"].diagnosis


def test_what_is_said_about_clipping_is_looked_at():
    def clip(bound):
        return each(lambda n, g: np.clip(g, -bound, bound))

    function = clip(5)
    assert not any("clip" in note for note in check(function, clip=5).notes)
    wrong = check(function, clip=3).gradients["W_ya"]
    assert wrong.verdict == "wrong"
    assert "clipped elementwise to [-5, 5], not to [-3, 3]" in wrong.diagnosis
    report = check(each(lambda n, g: 0 * g if n == "b_y" else np.clip(g, -5, 5)), clip=False)
    assert "clipped elementwise to [-5, 5]" in report.gradients["W_ya"].diagnosis
    assert "zero everywhere" in report.gradients["b_y"].diagnosis
    report = check(clip(1000), clip=1000)
    assert report.ok
    assert any("clip=1000 does not show: the largest entry" in note for note in report.notes)
    report = check(clip(1000), clip=False)
    assert report.ok
    assert any("nothing is clipped up to" in note for note in report.notes)
    assert any("entries up to" in note for note in check(clip(1000), clip=1).notes)


def batched(params, x, y, initial):
    return elman_reference.gradients(params, x, y, initial)[:2]


@pytest.mark.parametrize(
    ("stated", "formula"), [("mean", "T·B"), ("mean over time", "T"), ("mean over batch", "B")]
)
def test_a_sum_that_was_announced_as_a_mean(stated, formula):
    report = check(alone(batched), loss=stated, axes="tbn", arguments="params x y initial")
    assert not report.ok
    wrong = {g.diagnosis for g in report.gradients.values()}
    assert len(wrong) == 1
    if formula == "B":  # one sequence is its own mean
        assert "the sum over the batch, not of the mean that is stated" in wrong.pop()
    else:
        text = f"sum over time and batch, which is {formula} times that of loss={stated!r}"
        assert text in wrong.pop()
        assert "say loss='sum'" in report.summary


def test_nothing_is_told_before_any_other_reason():
    text = only(check(alone(each(lambda n, g: 0 * g))))
    assert text.startswith("all gradients are zero everywhere")

    def function(params, x, y):
        d = SQUARED.gradients()(params, x, y)[1]
        return {n: 0 * g if n in ("W_ca", "W_cx") else g for n, g in d.items()}

    report = check(function, SQUARED, arguments="params x y")
    for name in ("W_ca", "W_cx"):  # with a⟨0⟩ = 0 the first step adds nothing to the one by W_ca
        assert f"the gradient by {name} is zero everywhere" in report.gradients[name].diagnosis


def test_a_gradient_that_is_nothing_at_one_length_only():
    def function(params, x, y, initial):
        loss, d = samples.plain(params, x, y, initial)
        return loss, {**d, "W_ax": 0 * d["W_ax"] if len(x) == 4 else d["W_ax"]}

    text = check(function).gradients["W_ax"].diagnosis
    assert "zero at T = 4, where it should not be; it is right at every other length" in text

    def worse(params, x, y, initial):
        loss, d = samples.plain(params, x, y, initial)
        g = 0 * d["W_ax"] if len(x) > 2 else np.sin(9 * d["W_ax"])
        return loss, {**d, "W_ax": g}

    text = check(worse).gradients["W_ax"].diagnosis
    assert "-1 step" not in text
    assert "it is zero at T = 3, 4, 5, 8" in text


def test_code_without_biases_is_told_as_that():
    net = rs.Network("a[t] = tanh(W_aa @ a[t-1] + W_ax @ x[t])", "y_hat[t] = softmax(W_ya @ a[t])")
    right = net.gradients()

    def function(params, x, y, initial):
        return right({n: w for n, w in params.items() if w.ndim > 1}, x, y, initial)[1]

    report = check(function)
    verdicts = {n: g.verdict for n, g in report.gradients.items()}
    assert verdicts.pop("b_a") == verdicts.pop("b_y") == "missing"
    assert set(verdicts.values()) == {"wrong"}
    assert "b_a, b_y are left out, as of a network" in report.gradients["W_aa"].diagnosis
    (note,) = [n for n in report.notes if "no biases" in n]
    told = eval(note.partition("the model is ")[2], {"rs": rs})
    assert check(function, told, names={"W_aa": "W_aa"}).ok


def test_an_initial_state_that_is_taken_as_zero_in_one_gradient():
    def function(params, x, y, initial):
        d = samples.plain(params, x, y, initial)[1]
        first = elman_adjoint(params, x, y, initial)
        return {**d, "W_aa": d["W_aa"] - np.outer(first, initial["a"])}

    def elman_adjoint(params, x, y, initial):
        """The adjoint of z at the first step: that of b_a, less those of the later steps."""
        d = samples.plain(params, x, y, initial)[1]["b_a"]
        moved = np.tanh(params["W_aa"] @ initial["a"] + params["W_ax"] @ x[0] + params["b_a"])
        if len(x) == 1:
            return d
        return d - samples.plain(params, x[1:], y[1:], {"a": moved})[1]["b_a"]

    text = check(function).gradients["W_aa"].diagnosis
    assert "is the initial value of a taken as zero there?" in text

    def shorter(params, x, y, initial):
        d = samples.plain(params, x, y, initial)[1]
        first = elman_adjoint(params, x, y, initial)
        less = {"W_aa": np.outer(first, initial["a"]), "W_ax": np.outer(first, x[0]), "b_a": first}
        return {n: g - less.get(n, 0) for n, g in d.items()}

    report = check(shorter)
    for name in ("W_aa", "W_ax", "b_a"):
        assert "does the loop leave out the first step?" in report.gradients[name].diagnosis
