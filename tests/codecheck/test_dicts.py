"""Gradients by inputs and initial states in a dict that comes back; keys that are of nothing."""

from __future__ import annotations

import numpy as np
import pytest

import rnnsym as rs
from rnnsym.codecheck import check_gradient

NET = rs.elman()


def arrivals(params, x, y, initial, transposed=True):
    """The gradients of the Elman network by its parameters, its inputs and its initial state."""
    states, errors = [initial["a"]], []
    for v, target in zip(x, y, strict=True):
        z = params["W_aa"] @ states[-1] + params["W_ax"] @ v + params["b_a"]
        states.append(np.tanh(z))
        e = np.exp(params["W_ya"] @ states[-1] + params["b_y"])
        errors.append(e / e.sum() - target)
    d, back, dx = {n: 0 * w for n, w in params.items()}, 0 * states[0], 0 * x
    for k in range(len(x), 0, -1):
        dz = (params["W_ya"].T @ errors[k - 1] + back) * (1 - states[k] ** 2)
        d["W_ya"] += np.outer(errors[k - 1], states[k])
        d["b_y"] += errors[k - 1]
        d["W_aa"] += np.outer(dz, states[k - 1])
        d["W_ax"] += np.outer(dz, x[k - 1])
        d["b_a"] += dz
        dx[k - 1] = params["W_ax"].T @ dz
        back = (params["W_aa"].T if transposed else params["W_aa"]) @ dz
    return d, dx, back


def in_a_dict(change=lambda dx, da0: {"dx": dx, "da0": da0}, loss=False):
    def function(params, x, y, initial):
        d, dx, da0 = arrivals(params, x, y, initial)
        found = {**d, **change(dx, da0)}
        return (0.0, found) if loss else found

    return function


def check(function, **words):
    return check_gradient(function, NET, sensitivity=False, **words)


@pytest.mark.parametrize("loss", [False, True])
def test_gradients_by_inputs_and_initial_states_in_a_dict_are_judged(loss):
    report = check(in_a_dict(loss=loss))
    assert report.ok
    assert list(report.gradients) == [*NET.parameters, "x", "a"]
    report = check(in_a_dict(lambda dx, da0: {"dx": 7 * dx, "da0": da0}, loss=loss))
    assert [n for n, g in report.gradients.items() if not g.ok] == ["x"]
    assert "7 times the right one" in report.gradients["x"].diagnosis
    report = check(in_a_dict(lambda dx, da0: {"dx": dx, "da0": -da0}, loss=loss))
    assert [n for n, g in report.gradients.items() if not g.ok] == ["a"]


def test_they_are_judged_in_columns_and_in_batches_too():
    def function(params, x, y, initial):
        flat = {n: w[:, 0] if w.shape[1] == 1 else w for n, w in params.items()}
        d, dx, da0 = arrivals(flat, x[..., 0], y[..., 0], {"a": initial["a"][:, 0]})
        return {**d, "dx": dx[..., None], "da0": da0[:, None]}

    assert len(check(function, columns=True).gradients) == 7
    assert check(function, columns=True).ok


def test_an_input_gradient_of_another_shape_is_wrong():
    report = check(in_a_dict(lambda dx, da0: {"dx": dx.sum(0)}))
    assert "of shape (4,)" in report.gradients["x"].diagnosis or not report.gradients["x"].ok
    assert not report.ok


def test_what_is_not_judged_is_noted():
    report = check(in_a_dict(lambda dx, da0: {"dq": dx, "da": np.ones((len(dx), len(da0))), 3: 1}))
    assert report.ok
    (note,) = (n for n in report.notes if n.startswith("not judged"))
    assert "dq" in note and "3" in note and "that by a, of shape" in note
    words = {f"d{n}": n for n in NET.parameters}

    def renamed(params, x, y, initial):
        d, dx, _ = arrivals(params, x, y, initial)
        return {**{f"d{n}": g for n, g in d.items()}, "cost": 1.0, "dx": 5 * dx}

    report = check(renamed, returns=words)
    assert any(n.endswith(": cost, dx") for n in report.notes)
    assert not check(renamed, returns={**words, "dx": "dx"}).ok


def test_parameters_that_add_up_are_told_beside_inputs_that_do_not():
    kept = {}

    def function(params, x, y, initial):
        d, dx, _ = arrivals(params, x, y, initial)
        for n, g in d.items():
            kept[n] = kept[n] + g if n in kept and kept[n].shape == g.shape else g
        return {**kept, "dx": dx}

    report = check(function)
    assert "added up from call to call" in report.gradients["W_aa"].diagnosis
    assert not report.undecided
