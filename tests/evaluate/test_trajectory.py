"""What is true of a network: forward values and derivatives, against the references."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
from sympy import Integer

from rnnsym.evaluate.arithmetic import NumpyArithmetic
from rnnsym.evaluate.point import array_point
from rnnsym.evaluate.trajectory import Trajectory, Truth
from rnnsym.models import build
from rnnsym.network import Network
from rnnsym.nodes import Adjoint, Gradient, Immediate, Total, t
from rnnsym.sizes import choose_sizes
from rnnsym.verify.arrays import random_arrays


def at_random(net, steps=5, seed=0):
    symbols = choose_sizes(net, steps)
    arrays = random_arrays(net, symbols, seed)
    ar = NumpyArithmetic()
    return Truth(net, array_point(ar, symbols, *arrays), ar), arrays


@pytest.mark.parametrize("name", ["elman", "lstm", "gru"])
def test_forward_mode_agrees_with_the_references(name):
    net = build(name, {})
    truth, (parameters, sequences, initial) = at_random(net)
    gradients = importlib.import_module(f"rnnsym.reference.{name}").gradients
    loss, by_parameter, by_state, by_input = gradients(
        parameters, sequences["x"], sequences["y"], initial
    )
    assert np.isclose(truth.plain.total_loss()[0, 0], loss, rtol=1e-14)
    for n, w in net.parameters.items():
        found = truth.derivative(Gradient(net.total_loss, w))
        assert np.allclose(np.reshape(found, by_parameter[n].shape), by_parameter[n], atol=1e-13)
    for n, state in net.states.items():
        assert np.allclose(truth.derivative(Adjoint(state.at(0))).ravel(), by_state[n], atol=1e-13)
    x = net.vectors["x"]
    for i in range(5):
        found = truth.derivative(Adjoint(x.at(i + 1)))
        assert np.allclose(found.ravel(), by_input[i], atol=1e-13)


def test_total_and_immediate_are_different_operators():
    net = build("elman", {})
    truth, _ = at_random(net)
    a, w = net.states["a"], net.parameters["W_aa"]
    evaluate = truth.evaluator({t: Integer(3)})
    total, immediate = evaluate(Total(a, w)), evaluate(Immediate(a, w))
    through = evaluate(Total(a, a.at(t - 1))) @ evaluate(Total(a.at(t - 1), w))
    assert not np.allclose(total, immediate)
    assert np.allclose(total, immediate + through)
    z = truth.plain.value(("z_a", 3))
    before = truth.plain.value(("a", 2))
    expected = np.diagflat(1 - np.tanh(z) ** 2) @ np.kron(before.T, np.eye(4))
    assert np.allclose(immediate, expected)


def test_a_thousand_steps_need_no_recursion():
    net = build("elman", {})
    truth, _ = at_random(net, steps=1000)
    assert np.isfinite(truth.plain.total_loss()[0, 0])
    assert truth.plain.value(("a", 1000)).shape == (4, 1)
    fresh = Trajectory(net, truth.point, truth.base)
    assert np.array_equal(fresh.value(("a", 1000)), truth.plain.value(("a", 1000)))


def test_states_that_run_backwards_start_after_the_last_step():
    net = Network("r[t] = tanh(W @ r[t+1] + U @ x[t])", "y_hat[t] = softmax(V @ r[t])")
    truth, (_, _, initial) = at_random(net)
    assert np.array_equal(truth.plain.value(("r", 6)).ravel(), initial["r"])
    assert not truth.plain.value(("r", 7)).any()
    assert not truth.derivative(Adjoint(net.states["r"].at(0))).any()
