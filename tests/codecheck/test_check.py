"""Verdicts and diagnoses: right code is called right, spoiled code is told why it is not."""

from __future__ import annotations

import numpy as np
import pytest

import rnnsym as rs
from rnnsym.codecheck import check_gradient
from rnnsym.reference import elman as elman_reference
from rnnsym.reference import gru as gru_reference
from rnnsym.reference import lstm as lstm_reference
from tests.codecheck import samples

NET = rs.elman()


def check(function, net=NET, **words):
    return check_gradient(function, net, sensitivity=False, **words)


def spoiled(change):
    """The right function with its result changed: change(loss, gradients, params, x, y)."""

    def function(params, x, y, initial):
        loss, gradients = samples.plain(params, x, y, initial)
        return change(loss, gradients, params, x, y)

    return function


def each(change):
    return spoiled(lambda loss, d, p, x, y: (loss, {n: change(n, g, p, x) for n, g in d.items()}))


def referenced(module, **options):
    return lambda params, x, y, initial: module.gradients(params, x, y, initial, **options)[:2]


# ---- right code --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("net", "function"),
    [
        (rs.elman(), samples.plain),
        (rs.lstm(), samples.plain_lstm),
        (rs.gru(), samples.plain_gru),
        (rs.elman(), referenced(elman_reference)),
        (rs.lstm(), referenced(lstm_reference)),
        (rs.gru(reset="after"), referenced(gru_reference, reset="after")),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_right_code_is_right(net, function):
    report = check(function, net)
    assert report.ok
    assert report.loss.ok
    assert all(g.verdict == "right" and g.error < 1e-12 for g in report.gradients.values())
    assert all(g.diagnosis is None for g in report.gradients.values())


@pytest.mark.parametrize(
    "spec",
    [
        "elman:layers=2,bidirectional",
        "gru:type=many-to-one",
        "lstm:type=encoder-decoder",
        "elman:truncate=2",
        "elman:activation=g",
        "mlp:steps=4",
        "elman:output=sigmoid,loss=binary_cross_entropy",
    ],
)
def test_generated_code_is_right(spec):
    net = rs.model(spec)
    report = check(net.gradients(), net)
    assert report.ok, report.text()


def test_batches_are_looked_at_where_they_are_supported():
    report = check(referenced(elman_reference))
    assert any("batch of 3" in point for point in report.points)
    assert not any("batch" in point for point in check(samples.plain).points)


def test_code_for_batches_only():
    def function(params, x, y, initial):
        batch = x.shape[1]
        assert x.ndim == 3 and initial["a"].shape == (batch, len(params["b_a"]))
        return referenced(elman_reference)(params, x, y, initial)

    report = check(function)
    assert report.ok
    assert all("batch of" in point for point in report.points)

    def wrong(params, x, y, initial):
        loss, d = function(params, x, y, initial)
        return loss, {**d, "b_a": -d["b_a"]}

    assert "wrong sign" in check(wrong).gradients["b_a"].diagnosis

    def last(params, x, y, initial):
        loss, d = function(params, x, y, initial)
        only = function(params, x[:, -1:], y[:, -1:], {"a": initial["a"][-1:]})[1]
        return loss, {**d, "b_y": only["b_y"]}

    judged = check(last).gradients["b_y"]
    assert judged.diagnosis == "of a batch, only the last sequence is counted"


def test_gradients_alone_are_enough():
    report = check(lambda *given: samples.plain(*given)[1])
    assert report.ok
    assert report.loss is None


def test_single_precision_and_epsilons_are_right_with_a_remark():
    report = check(each(lambda n, g, p, x: g.astype(np.float32)))
    assert report.ok
    assert report.gradients["W_aa"].diagnosis == "right, in single precision"
    report = check(each(lambda n, g, p, x: g * (1 + 1e-8)))
    assert report.ok
    assert "epsilon" in report.gradients["W_aa"].diagnosis
    assert not check(each(lambda n, g, p, x: g * (1 + 1e-5))).ok


def test_a_bias_may_come_back_as_a_row_or_a_column():
    assert check(each(lambda n, g, p, x: g[None] if g.ndim == 1 else g)).ok
    assert check(each(lambda n, g, p, x: g[:, None] if g.ndim == 1 else g)).ok


# ---- habits that are no errors -----------------------------------------------------------


def test_code_that_starts_from_zero_is_judged_as_that():
    def function(params, x, y, initial):
        return samples.plain(params, x, y, {"a": np.zeros_like(initial["a"])})

    report = check(function)
    assert report.ok
    assert any("initial state a is not used" in note for note in report.notes)
    assert check(lambda params, x, y: function(params, x, y, {"a": params["b_a"]})).ok


def test_an_error_in_the_first_step_does_not_pass_as_starting_from_zero():
    def function(params, x, y, initial):
        loss, d = samples.plain(params, x, y, initial)
        return loss, {**d, "W_aa": check_last_step_only(params, x, y, initial)}

    def check_last_step_only(params, x, y, initial):
        held = samples.plain(params, x, y, initial)[1]["W_aa"]
        zero = samples.plain(params, x, y, initial)[1]["b_a"]
        return held - np.outer(zero * 0 + 1, initial["a"])

    assert not check(function).ok


def test_code_for_classes_is_judged_with_one_hot_targets():
    def function(params, x, y, initial):
        return samples.plain(params, x, np.eye(y.shape[1])[y.argmax(1)], initial)

    report = check(function)
    assert report.ok
    assert any("only the class is used" in note for note in report.notes)


def test_clipping_is_named_and_not_blamed():
    function = each(lambda n, g, p, x: np.clip(g, -5, 5))
    report = check(function)
    assert report.ok
    assert "clipped elementwise to [-5, 5]" in report.gradients["W_ya"].diagnosis
    assert report.gradients["W_ya"].error < 1e-12
    assert check(function, clip=5).gradients["W_ya"].diagnosis is None
    strict = check(function, clip=False)
    assert strict.gradients["W_ya"].verdict == "wrong"
    assert "clipped" in strict.gradients["W_ya"].diagnosis


def test_clipping_by_norm_is_named_too():
    def change(loss, d, p, x, y):
        norm = np.sqrt(sum(np.sum(g * g) for g in d.values()))
        return loss, {n: g * min(1, 0.5 / norm) for n, g in d.items()}

    report = check(spoiled(change))
    assert report.ok
    assert "norm of all gradients exceeds 0.5" in report.gradients["W_aa"].diagnosis


def test_writing_into_arguments_is_noticed():
    def function(params, x, y, initial):
        result = samples.plain(params, x, y, initial)
        params["W_aa"] -= 0.1 * result[1]["W_aa"]
        x[:] = 0
        return result

    report = check(function)
    assert report.ok
    assert any("writes into its arguments: W_aa, x" in note for note in report.notes)


# ---- faults ------------------------------------------------------------------------------


def test_missing_gradients():
    report = check(spoiled(lambda loss, d, p, x, y: {n: g for n, g in d.items() if n != "b_y"}))
    assert not report.ok
    assert report.gradients["b_y"].verdict == "missing"
    assert report.gradients["b_y"].error is None
    assert report.gradients["W_aa"].ok
    report = check(spoiled(lambda loss, d, p, x, y: {**d, "b_y": None}))
    assert report.gradients["b_y"].verdict == "missing"


def test_a_gradient_under_another_name_is_pointed_out():
    report = check(spoiled(lambda loss, d, p, x, y: {f"d{n}": g for n, g in d.items()} | {
        "W_aa": d["W_aa"]}))  # fmt: skip
    assert report.gradients["b_a"].verdict == "missing"
    assert "'db_a'" in report.gradients["b_a"].diagnosis
    assert report.gradients["W_aa"].ok


def test_what_is_no_number():
    report = check(each(lambda n, g, p, x: g * np.nan if n == "b_a" else g))
    assert "not finite" in report.gradients["b_a"].diagnosis
    report = check(each(lambda n, g, p, x: g.astype(complex) if n == "b_a" else g))
    assert "complex" in report.gradients["b_a"].diagnosis
    report = check(each(lambda n, g, p, x: g[:-1] if n == "W_ya" else g))
    assert "should be (4, 5)" in report.gradients["W_ya"].diagnosis


def test_an_exception_at_one_length_names_call_and_line():
    def function(params, x, y, initial):
        if len(x) == 1:
            return x[1]
        return samples.plain(params, x, y, initial)

    text = check(function).gradients["W_aa"].diagnosis
    assert "T = 1" in text
    assert "IndexError" in text
    assert "return x[1]" in text


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda params, x, y, initial: 1 / 0, "ZeroDivisionError"),
        (lambda params, x, y, initial: [1, 2], "as a dict by parameter name"),
        (lambda params, x, y, initial: None, "nothing"),
        (lambda params, x, y, initial: ("a", {}), "the loss is no number"),
        (lambda params: {}, "TypeError"),
        (3, "no function"),
        (samples.Recurrent, "calls="),
    ],
)
def test_what_is_no_gradient_function_is_refused(function, message):
    with pytest.raises(rs.InputError, match=message):
        check(function)


def test_code_for_certain_sizes_says_so_and_is_judged_there():
    def function(params, x, y, initial):
        assert params["W_aa"].shape == (6, 6), "made for 6"
        return samples.plain(params, x, y, initial)

    report = check(function)
    assert report.ok
    assert any("made for 6" in note for note in report.notes)
    with pytest.raises(rs.InputError, match="AssertionError"):
        check(function, sizes={"n_a": 7})
    assert check(function, sizes={"n_a": 6}, steps=3).ok
    with pytest.raises(rs.InputError, match="n_b"):
        check(function, sizes={"n_b": 5})
    with pytest.raises(rs.InputError, match="steps"):
        check(function, steps=0)


def test_a_function_of_chance_is_undecided():
    rng = np.random.default_rng(0)
    report = check(each(lambda n, g, p, x: g * (1 + 0.1 * rng.standard_normal())))
    assert not report.ok
    assert "two equal calls" in report.undecided


def test_gradients_that_are_never_set_to_zero():
    kept = {}

    def function(params, x, y, initial):
        for name, g in samples.plain(params, x, y, initial)[1].items():
            old = kept.get(name)
            kept[name] = g if old is None or old.shape != g.shape else old + g
        return dict(kept)

    report = check(function)
    assert not report.ok
    assert "added up from call to call" in report.gradients["W_aa"].diagnosis


# ---- another loss ------------------------------------------------------------------------


def test_the_mean_loss_is_told_and_may_be_stated():
    function = spoiled(
        lambda loss, d, p, x, y: (loss / len(x), {n: g / len(x) for n, g in d.items()})
    )
    report = check(function)
    assert not report.ok
    assert {g.verdict for g in report.gradients.values()} == {"wrong"}
    assert "right gradient of the mean loss (1/T)" in report.gradients["W_aa"].diagnosis
    assert "mean loss (1/T)" in report.summary
    assert check(function, loss="mean over time").ok
    assert check(function, loss="mean").ok


def test_the_mean_over_a_batch():
    def function(params, x, y, initial):
        loss, d = referenced(elman_reference)(params, x, y, initial)
        size = x.shape[1] if x.ndim == 3 else 1
        return loss / size, {n: g / size for n, g in d.items()}

    report = check(function)
    assert not report.ok
    assert "mean over the batch (1/B)" in report.gradients["W_aa"].diagnosis
    assert check(function, loss="mean over batch").ok


@pytest.mark.parametrize(
    ("function", "net", "words"),
    [
        (referenced(elman_reference, activation="relu"), NET, "relu stands for tanh"),
        (referenced(elman_reference, loss="squared_error"), NET, "squared error"),
        (
            lambda *given: referenced(elman_reference, activation="sigmoid")(*given)[1],
            NET,
            "sigmoid stands for tanh",
        ),
        (samples.plain, rs.elman(truncate=2), "nothing is truncated"),
    ],
)
def test_the_right_gradient_of_another_network(function, net, words):
    report = check(function, net)
    assert not report.ok
    assert "the right gradient of another network" in report.gradients["W_aa"].diagnosis
    assert words in report.gradients["W_aa"].diagnosis


def test_another_convention_of_the_update_gate():
    def function(params, x, y, initial):
        gate = ("W_ua", "W_ux", "b_u")
        loss, d = samples.plain_gru(
            {n: -w if n in gate else w for n, w in params.items()}, x, y, initial
        )
        return loss, {n: -g if n in gate else g for n, g in d.items()}

    report = check(function, rs.gru())
    assert "u and 1 - u are exchanged" in report.gradients["W_ua"].diagnosis


def test_a_gradient_of_the_own_loss_has_its_error_in_the_forward_pass():
    def function(params, x, y, initial):
        a, states = initial["a"], [initial["a"]]
        for v in x:  # without the bias, and with half of the recurrent weight
            a = np.tanh(0.5 * params["W_aa"] @ a + params["W_ax"] @ v)
            states.append(a)
        d = {n: np.zeros_like(w) for n, w in params.items()}
        loss, carried = 0.0, 0.0
        for t in reversed(range(len(x))):
            scores = np.exp(params["W_ya"] @ states[t + 1] + params["b_y"])
            p = scores / scores.sum()
            loss -= y[t] @ np.log(p)
            dz = (params["W_ya"].T @ (p - y[t]) + carried) * (1 - states[t + 1] ** 2)
            d["W_ya"] += np.outer(p - y[t], states[t + 1])
            d["b_y"] += p - y[t]
            d["W_aa"] += 0.5 * np.outer(dz, states[t])
            d["W_ax"] += np.outer(dz, x[t])
            carried = 0.5 * params["W_aa"].T @ dz
        return loss, d

    report = check(function)
    assert report.loss.verdict == "wrong"
    assert "the error is in the forward pass" in report.gradients["W_aa"].diagnosis


# ---- errors of the backward pass ---------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda n, g, p, x: -g, "wrong sign"),
        (lambda n, g, p, x: g * 0, "zero everywhere"),
        (lambda n, g, p, x: g + 0.01 * p[n], "penalty on the weights"),
        (lambda n, g, p, x: p[n] - 0.01 * g, "after an update"),
        (lambda n, g, p, x: -0.1 * g, "-0.1 times"),
    ],
)
def test_simple_errors_are_named(change, words):
    report = check(each(lambda n, g, p, x: change(n, g, p, x) if n == "W_ax" else g))
    assert words in report.gradients["W_ax"].diagnosis
    assert all(g.ok for n, g in report.gradients.items() if n != "W_ax")


def test_a_transposed_gradient():
    report = check(each(lambda n, g, p, x: g.T))
    assert "transposed" in report.gradients["W_ax"].diagnosis
    assert "factors of the outer product are swapped" in report.gradients["W_aa"].diagnosis


def test_gradients_of_each_other():
    def function(params, x, y, initial):
        loss, d = samples.plain_lstm(params, x, y, initial)
        return loss, {**d, "b_f": d["b_i"], "b_i": d["b_f"]}

    report = check(function, rs.lstm())
    assert report.gradients["b_f"].diagnosis == "the gradient by b_i is returned as that by b_f"
    assert report.gradients["W_fa"].ok


def windows(reach):
    """Truncated backpropagation with a window of `reach` steps at each loss."""

    def function(params, x, y, initial):
        states, a = [initial["a"]], initial["a"]
        d = {n: np.zeros_like(w) for n, w in params.items()}
        for t in range(len(x)):
            a = np.tanh(params["W_aa"] @ a + params["W_ax"] @ x[t] + params["b_a"])
            states.append(a)
            scores = np.exp(params["W_ya"] @ a + params["b_y"])
            error = scores / scores.sum() - y[t]
            d["W_ya"] += np.outer(error, a)
            d["b_y"] += error
            da = params["W_ya"].T @ error
            for k in range(t, max(-1, t - reach), -1):
                dz = da * (1 - states[k + 1] ** 2)
                d["W_aa"] += np.outer(dz, states[k])
                d["W_ax"] += np.outer(dz, x[k])
                d["b_a"] += dz
                da = params["W_aa"].T @ dz
        return d

    return function


def test_a_window_is_told_by_its_summands():
    assert check(windows(100)).ok
    report = check(windows(3))
    assert report.gradients["W_aa"].since == 4
    for name in ("W_aa", "W_ax", "b_a"):
        assert "more than 2 steps later is left out" in report.gradients[name].diagnosis
    assert report.gradients["W_ya"].ok


def test_a_long_window_shows_in_a_long_sequence():
    report = check(windows(12))
    judged = report.gradients["W_aa"]
    assert judged.verdict == "wrong"
    assert judged.since == 13
    assert "what a step adds to a loss 12 steps later is left out" in judged.diagnosis
    assert report.gradients["W_ya"].ok


def test_two_errors_at_once():
    def function(params, x, y, initial):
        states, outputs, a = [initial["a"]], [], initial["a"]
        for v in x:
            a = np.tanh(params["W_aa"] @ a + params["W_ax"] @ v + params["b_a"])
            scores = np.exp(params["W_ya"] @ a + params["b_y"])
            states.append(a)
            outputs.append(scores / scores.sum())
        d = {n: np.zeros_like(w) for n, w in params.items()}
        carried = 0.0
        for t in reversed(range(len(x))):
            error = outputs[t] - y[t]
            d["W_ya"] += np.outer(error, states[t + 1])
            d["b_y"] += error
            dz = (params["W_ya"].T @ error + carried) * (1 - states[t + 1])  # the square
            d["W_aa"] += np.outer(dz, states[t])
            d["W_ax"] += np.outer(dz, x[t])
            d["b_a"] += dz
            carried = params["W_aa"] @ dz  # the transpose
        return d

    why = check(function).gradients["b_a"].why
    assert set(why.kinds) == {"1 - a instead of 1 - a²", "missing transpose"}


def test_what_nothing_explains_says_where_to_look():
    def wrong(*names):
        return each(lambda n, g, p, x: g + np.sin(100 * g) * (len(x) > 2) if n in names else g)

    judged = check(wrong("b_a", "W_aa", "W_ax")).gradients["b_a"]
    assert judged.since == 3
    assert "not in the catalogue" in judged.diagnosis
    assert "should be" in judged.diagnosis
    assert "da[t] = W_aa.T @ dz_a[t+1]" in judged.diagnosis
    judged = check(wrong("b_a")).gradients["b_a"]  # the others are right: so is the adjoint
    assert judged.since == 3
    assert judged.diagnosis.endswith("Compare with db_a = the sum over k = 1 … T of dz_a[k]")
