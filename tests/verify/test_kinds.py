"""verify(): what agrees, what is caught, what is refused, and what the report says."""

from __future__ import annotations

import builtins
import json

import numpy as np
import pytest

from rnnsym.errors import InputError, UnavailableError
from rnnsym.models import build
from rnnsym.network import Network
from rnnsym.verify import KINDS, verify
from rnnsym.verify.backpropagation import reference_of, tape_gradients
from rnnsym.verify.case import compare, make_case, relative_error
from rnnsym.verify.kinds import _chosen

LOCAL = ("exact", "bptt", "complex_step", "finite_difference")
SHORTCUT = "a[t] = tanh(W @ a[t-1] + S @ a[t-2] + U @ x[t] + b)"
NETS = {
    "elman": lambda: build("elman", {}),
    "lstm": lambda: build("lstm", {}),
    "gru after": lambda: build("gru", {"reset": "after"}),
    "relu": lambda: build("elman", {"activation": "relu"}),
    "squared": lambda: build("elman", {"output": "sigmoid", "loss": "squared_error"}),
    "shortcut": lambda: Network(SHORTCUT, "y_hat[t] = softmax(V @ a[t] + c)"),
    "bidirectional": lambda: Network(
        "f[t] = tanh(W_f @ f[t-1] + U_f @ x[t] + b_f)",
        "r[t] = tanh(W_r @ r[t+1] + U_r @ x[t] + b_r)",
        "y_hat[t] = softmax(V @ [f[t], r[t]] + c)",
    ),
    "scalar": lambda: Network(
        "a[t] = alpha * tanh(W @ a[t-1] + U @ x[t]) + (1 - alpha) * a[t-1]",
        "y_hat[t] = V @ a[t]",
        loss="squared_error",
        scalars=["alpha"],
    ),
}


def right(net):
    """A right gradient function that owes nothing to the calculus: the tape, at the same point."""

    def gradients(params, x, y, initial=None):
        case = make_case(net, 5, None, 0, lambda *_: {})
        value, found, _ = tape_gradients(case)
        assert all(np.array_equal(params[n], w) for n, w in case.parameters.items())
        return value, found

    return gradients


@pytest.mark.parametrize("name", NETS)
def test_right_gradients_agree(name):
    net = NETS[name]()
    report = verify(net, gradients=right(net), against=LOCAL[1:])
    assert report.ok, report.text()
    for row in report.gradients.values():
        assert row["bptt"].error <= 1e-12
        assert row["complex_step"].error <= 1e-12
        assert row["finite_difference"].error <= 1e-6


@pytest.mark.parametrize("name", NETS)
def test_exact_test_accepts_what_is_derived(name):
    report = verify(NETS[name](), against=["exact"], steps=4)
    assert report.ok, report.text()
    for row in report.gradients.values():
        assert row["exact"].error == 0
        assert row["exact"].more["probability"] < 2**-50


@pytest.mark.torch
@pytest.mark.parametrize("name", ["elman", "relu", "bidirectional", "scalar"])
def test_torch(name):
    net = NETS[name]()
    report = verify(net, gradients=right(net), against=["torch"])
    assert report.ok, report.text()


@pytest.mark.jax
@pytest.mark.parametrize("name", ["elman", "bidirectional"])
def test_jax(name):
    net = NETS[name]()
    report = verify(net, gradients=right(net), against=["jax"])
    assert report.ok, report.text()


@pytest.mark.parametrize("name", ["elman", "lstm", "gru"])
def test_reference_is_hand_written_where_there_is_one(name):
    net = build(name, {})
    assert "hand-written" in verify(net, gradients=right(net), against=["bptt"]).notes["bptt"]


@pytest.mark.parametrize("options", [{"activation": "g"}, {"output": "g"}])
def test_symbolic_functions_have_no_hand_written_reference(options):
    assert reference_of(build("elman", options)) is None


def test_symbolic_functions_are_given_to_the_function_under_test():
    net = build("elman", {"activation": "g"})
    seen = {}

    def gradients(params, x, y, initial, *, g, g_prime):
        z = np.linspace(-1, 1, 5)
        seen["slope"] = (g(z + 1e-6) - g(z - 1e-6)) / 2e-6 - g_prime(z)
        return right(net)(params, x, y)

    assert verify(net, gradients=gradients, against=["bptt", "complex_step"]).ok
    assert np.max(np.abs(seen["slope"])) < 1e-8


@pytest.mark.parametrize("name", ["elman", "shortcut", "bidirectional"])
def test_tape_agrees_with_dual_numbers_on_initial_states(name):
    from rnnsym.evaluate.arithmetic import NumpyArithmetic
    from rnnsym.evaluate.trajectory import Truth
    from rnnsym.nodes import Adjoint
    from rnnsym.verify.adjoints import Adjoints, derived_system

    net = NETS[name]()
    case = make_case(net, 5, None, 0, lambda *_: {})
    _, _, initial = tape_gradients(case)
    truth = Truth(net, case.point(NumpyArithmetic()), NumpyArithmetic())
    derived = Adjoints(derived_system(net), truth.plain)
    for state, gradient in initial.items():
        start = 6 if net.lag_range(state)[0] < 0 else 0
        forward = truth.derivative(Adjoint(net.states[state].at(start)))
        assert relative_error(gradient, np.reshape(forward, gradient.shape)) < 1e-14
        assert relative_error(derived.initial(state).ravel(), gradient) < 1e-14


def test_every_wrong_entry_is_found():
    net = build("elman", {})

    def wrong(params, x, y, initial=None):
        value, found = right(net)(params, x, y)
        found["W_aa"][1, 2] += 1e-5
        return value, found

    report = verify(net, gradients=wrong, against=LOCAL[1:])
    assert not report.ok
    for kind in LOCAL[1:]:
        assert not report.gradients["W_aa"][kind].ok
        assert "[1, 2]" in report.gradients["W_aa"][kind].detail
        assert report.gradients["W_ax"][kind].ok


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.pop("W_aa"), "missing"),
        (lambda d: d.update(W_aa=d["W_aa"].ravel()), "shape"),
        (lambda d: d.update(W_aa=np.full((4, 4), np.nan)), "nan"),
        (lambda d: d.update(W_aa=d["W_aa"] + 0j), "complex"),
    ],
)
def test_faults_are_named(change, words):
    net = build("elman", {})

    def wrong(params, x, y, initial=None):
        value, found = right(net)(params, x, y)
        change(found)
        return value, found

    report = verify(net, gradients=wrong, against=["bptt"])
    assert not report.ok
    assert words in report.gradients["W_aa"]["bptt"].detail
    json.dumps(report.as_json(), allow_nan=False)


def test_a_function_cannot_change_the_point():
    net = build("elman", {})

    def vandal(params, x, y, initial=None):
        result = right(net)(params, x, y)
        for array in (*params.values(), x, y, *initial.values()):
            array[...] = 0
        return result

    assert verify(net, gradients=vandal, against=["bptt"]).ok


def test_gradients_alone_are_enough():
    net = build("elman", {})
    report = verify(net, gradients=lambda *a, **k: right(net)(*a, **k)[1], against=["bptt"])
    assert report.ok
    assert not report.loss


def test_a_wrong_loss_fails():
    net = build("elman", {})

    def wrong(*arguments):
        value, found = right(net)(*arguments)
        return value * (1 + 1e-9), found

    report = verify(net, gradients=wrong, against=["bptt"])
    assert not report.ok
    assert all(row["bptt"].ok for row in report.gradients.values())


def test_observed_order_is_two():
    net = build("elman", {})
    report = verify(net, gradients=right(net), against=["finite_difference"])
    for row in report.gradients.values():
        assert row["finite_difference"].more["order"] == pytest.approx(2, abs=0.1)
    assert "order of convergence 2.0" in report.notes["finite_difference"]


def test_a_quadratic_loss_has_no_order_to_observe():
    net = Network("y_hat[t] = W @ x[t] + b", loss="squared_error")
    report = verify(net, gradients=right(net), against=["finite_difference"])
    assert report.ok
    assert "exact to rounding" in report.notes["finite_difference"]


def test_large_networks_are_probed_along_directions():
    net = build("elman", {})
    sizes = {"n_x": 20, "n_a": 30, "n_y": 10}

    def gradients(params, x, y, initial=None):
        case = make_case(net, 20, sizes, 0, lambda *_: {})
        return tape_gradients(case)[:2]

    report = verify(net, 20, sizes, gradients=gradients, against=["complex_step"])
    assert report.ok
    assert "random directions" in report.notes["complex_step"]
    assert report.gradients["W_aa"]["complex_step"].more["directions"] == 6


@pytest.mark.parametrize(
    "arguments",
    [
        {"steps": 0},
        {"steps": 2.5},
        {"steps": True},
        {"sizes": {"n_a": 0}},
        {"sizes": {"n_a": 1.5}},
        {"sizes": {"n_b": 3}},
        {"seed": -1},
        {"seed": "1"},
        {"against": ["proof"]},
        {"against": []},
        {"against": ["exact"], "gradients": lambda *_: {}},
    ],
)
def test_bad_input_is_refused(arguments):
    arguments = {"gradients": right(build("elman", {})), **arguments}
    if arguments.get("against") == ["proof"]:
        arguments.pop("gradients")
    with pytest.raises(InputError):
        verify(build("elman", {}), **arguments)


def test_a_function_that_returns_no_gradients_is_refused():
    with pytest.raises(InputError, match="dict by parameter name"):
        verify(build("elman", {}), gradients=lambda *_: 3.0)


def test_a_loss_that_is_defined_nowhere_is_refused():
    net = Network("y_hat[t] = W @ x[t]", loss="L[t] = y[t].T @ log(0 * y_hat[t] - 1)")
    with pytest.raises(InputError, match="finite"):
        verify(net, gradients=lambda *_: {})


def test_the_point_lies_in_the_domain_of_the_loss():
    net = Network("y_hat[t] = tanh(W @ x[t])", loss="binary_cross_entropy")
    case = make_case(net, 3, {"n_y": 1}, 0, lambda *_: {})
    assert np.isfinite(tape_gradients(case)[0])


def test_missing_libraries_are_left_out_or_refused_by_name(monkeypatch):
    from rnnsym.verify import autograd

    monkeypatch.setattr(autograd.importlib.util, "find_spec", lambda name: None)
    net = build("elman", {})
    report = verify(net, gradients=right(net))
    assert report.ok
    assert "not installed" in report.skipped["torch"]
    assert {"torch", "jax", "latex2sympy2", "exact"} == set(report.skipped)
    with pytest.raises(UnavailableError, match="pip install"):
        verify(net, gradients=right(net), against=["torch"])


def test_neither_library_is_imported_unasked(monkeypatch):
    imported = []
    original = builtins.__import__

    def spy(name, *arguments, **keywords):
        imported.append(name)
        return original(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", spy)
    net = build("elman", {})
    verify(net, gradients=right(net), against=LOCAL[1:])
    assert not {"torch", "jax"} & set(imported)


def test_all_kinds_of_the_contract():
    assert set(KINDS) == {*LOCAL, "torch", "jax", "latex2sympy2"}
    assert _chosen("bptt", True) == ["bptt"]


def test_report_as_json_and_text():
    net = build("elman", {})
    report = verify(net, gradients=right(net), against=LOCAL[1:], steps=5)
    found = json.loads(json.dumps(report.as_json(), allow_nan=False))
    assert {"model", "steps", "sizes", "seed", "ok", "gradients"} <= set(found)
    assert found["steps"] == 5
    assert found["sizes"] == {"n_x": 2, "n_y": 3, "n_a": 4}
    assert found["gradients"]["W_aa"]["bptt"].keys() >= {"ok", "error", "detail"}
    text = str(report)
    assert "all agree" in text
    for name in (*net.parameters, *LOCAL[1:], "loss"):
        assert name in text
    assert report._repr_html_().count("<tr>") == 7


def test_a_report_of_nothing_does_not_pass():
    from dataclasses import replace

    net = build("elman", {})
    report = verify(net, gradients=right(net), against=["bptt"])
    assert not replace(report, gradients={}).ok


def test_relative_error():
    assert relative_error([1.0, 2.0], [1.0, 4.0]) == 0.5
    assert relative_error([0.0], [0.0]) == 0
    assert relative_error([np.nan], [0.0]) == np.inf
    assert not compare(np.array([np.nan]), np.array([1.0])).ok


@pytest.mark.slow
def test_the_benchmark_of_the_brief_is_fast():
    import time

    start = time.perf_counter()
    net = build("elman", {})
    assert verify(net, 50, {"n_x": 32, "n_a": 64, "n_y": 32}, against=LOCAL).ok
    assert time.perf_counter() - start < 10
