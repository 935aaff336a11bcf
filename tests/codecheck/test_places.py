"""What is right, but at the wrong place: gates, derivatives and names in hand-written code."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import rnnsym as rs
from rnnsym.codecheck import check_gradient
from rnnsym.codecheck.words import Words
from rnnsym.verify.mutations import Subject
from tests.codecheck import samples


def spoiled(function, old, new):
    """A sample with one piece of its source replaced."""
    source = inspect.getsource(function)
    assert source.count(old) == 1
    scope = {"np": np, "sigmoid": samples.sigmoid}
    exec(source.replace(old, new), scope)
    return scope[function.__name__]


@pytest.mark.parametrize(
    ("net", "right", "old", "new", "wrong", "kind"),
    [
        (rs.gru(), samples.plain_gru, "np.outer(dzn, r * a)", "np.outer(dzn * r, a)",
         "W_aa", "gate beside the other factor"),
        (rs.lstm(), samples.plain_lstm, "dzc = dc * i * (1 - g**2)", "dzc = dc * i * (1 - 2 * g)",
         "b_c", "1 - 2a instead of 1 - a²"),
        (rs.lstm(), samples.plain_lstm, "dzo = da * np.tanh(new) * o * (1 - o)",
         "dzo = sigmoid(da * np.tanh(new)) * (1 - sigmoid(da * np.tanh(new)))",
         "b_o", "g′ at the adjoint"),
        (rs.elman(), samples.plain, 'd["b_a"] += dz',
         'd["b_a"] = params["W_ya"].T @ error + carried; d["b_a"] += dz',
         "b_a", "name given away"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)  # fmt: skip
def test_what_stands_at_the_wrong_place_is_explained(net, right, old, new, wrong, kind):
    report = check_gradient(spoiled(right, old, new), net, sensitivity=False)
    assert report.gradients[wrong].why.kinds == (kind,)
    assert report.gradients[wrong].why.fix


def test_of_a_missing_summand_it_is_said_which():
    function = spoiled(samples.plain_gru, "da_next = da * u + back", "da_next = back")
    text = check_gradient(function, rs.gru(), sensitivity=False).gradients["b_u"].diagnosis
    assert "sends nothing back: u[t+1] * da[t+1] is missing in da[t]. Write da[t] = " in text
    function = spoiled(samples.plain_gru, "da_next = da * u", "da_next = 2 * da * u")
    text = check_gradient(function, rs.gru(), sensitivity=False).gradients["b_u"].diagnosis
    assert "added twice (dc += dc): u[t+1] * da[t+1] in da[t]. Write" in text


def test_conditions_on_times_are_said_as_in_python():
    words = Words()
    last = Subject(rs.elman(type="many-to-one")).system.equations["a"]
    assert "(t == T) * W_ya.T @ dz_y_hat[T]" in words.adjoint("a", last)
    cut = Subject(rs.elman(truncate=3)).system.equations["a"]
    assert "((t-1)//3 == (t)//3) * W_aa.T @ dz_a[t+1]" in words.adjoint("a", cut)


def test_names_in_one_list_are_all_of_one_kind():
    words = Words({"b_a": "b", "W_ya": "V"}, ["W_aa", "W_ax"])
    assert words.listed(["b_a", "W_ya", "x"]) == "b, V, x"
    assert words.listed(["b_a", "W_aa"]) == "b_a, W_aa"


def test_one_function_for_the_derivative_of_all_gates_is_one_error():
    source = inspect.getsource(samples.plain_lstm)
    for old, new in (
        ("da * np.tanh(new) * o * (1 - o)", "slope(da * np.tanh(new))"),
        ("dc * c * f * (1 - f)", "slope(dc * c)"),
        ("dc * g * i * (1 - i)", "slope(dc * g)"),
    ):
        assert source.count(old) == 1
        source = source.replace(old, new)
    scope = {"np": np, "sigmoid": samples.sigmoid, "slope": lambda v: samples.sigmoid(v) * (
        1 - samples.sigmoid(v))}  # fmt: skip
    exec(source, scope)
    report = check_gradient(scope["plain_lstm"], rs.lstm(), sensitivity=False)
    assert report.gradients["b_o"].why.kinds == ("g′ at the adjoint",)
    assert report.gradients["W_ca"].diagnosis == report.gradients["b_f"].diagnosis
    assert report.summary.startswith("One error explains all 12")
