"""The emitted gradients against the hand-written ones and against dual numbers."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from rnnsym import models, reference
from rnnsym.emit import function, source
from rnnsym.evaluate.arithmetic import stand_in
from rnnsym.network import Network
from tests.emit.nets import ODD, Example, difference

CELLS = [("elman", {}), ("lstm", {}), ("gru", {"reset": "before"}), ("gru", {"reset": "after"})]
OUTPUTS = ("softmax", "sigmoid", "identity")
LOSSES = ("cross_entropy", "binary_cross_entropy", "squared_error")
ACTIVATIONS = ("tanh", "sigmoid", "relu", "identity", "softplus")

each_cell = pytest.mark.parametrize(("cell", "own"), CELLS, ids=str)
batched = pytest.mark.parametrize("batch", [None, 3], ids=["single", "batch"])


def compare(cell: str, options: dict[str, str], batch: int | None) -> None:
    net = models.build(cell, options)
    example = Example(net, batch=batch)
    params, x, y, initial = example.arguments
    expected_loss, expected, _, _ = getattr(reference, cell).gradients(
        params, x, y, initial, **options
    )
    loss, found = function(net)(params, x, y, initial)
    assert difference(loss, expected_loss) < 1e-12
    assert list(found) == list(params)
    for name in params:
        assert found[name].shape == params[name].shape
        assert difference(found[name], expected[name]) < 1e-12, name


@each_cell
@batched
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_against_the_reference(
    cell: str, own: dict[str, str], batch: int | None, activation: str
) -> None:
    compare(cell, {**own, "activation": activation}, batch)


@each_cell
@batched
@pytest.mark.parametrize(
    ("output", "loss"),
    [
        (output, loss)
        for output, loss in itertools.product(OUTPUTS, LOSSES)
        if output != "identity" or loss == "squared_error"  # no logarithm of any real number
    ],
)
def test_every_head_against_the_reference(
    cell: str, own: dict[str, str], batch: int | None, output: str, loss: str
) -> None:
    compare(cell, {**own, "output": output, "loss": loss}, batch)


@pytest.mark.parametrize("steps", [1, 2, 5])
@pytest.mark.parametrize("name", ODD)
def test_odd_networks_against_dual_numbers(name: str, steps: int) -> None:
    example = Example(ODD[name](), steps)
    loss, found = function(example.net)(*example.arguments)
    expected_loss, expected = example.truth()
    assert difference(loss, expected_loss) < 1e-12
    for w in expected:
        assert found[w].shape == example.params[w].shape
        assert difference(found[w], expected[w]) < 1e-12, w


@pytest.mark.parametrize("name", ODD)
def test_a_batch_is_the_sum_of_its_members(name: str) -> None:
    example = Example(ODD[name](), steps=3, batch=2)
    f = function(example.net)
    loss, found = f(*example.arguments)
    one, other = f(*example.member(0)), f(*example.member(1))
    assert difference(loss, one[0] + other[0]) < 1e-12
    for w in found:
        assert difference(found[w], one[1][w] + other[1][w]) < 1e-12, w


def test_unknown_functions_are_arguments() -> None:
    net = models.build("elman", {"activation": "g", "output": "g"})
    example = Example(net)

    def value(name: str, order: int) -> Any:
        return lambda z: stand_in(np, name, order, z)

    loss, found = function(net)(
        *example.arguments,
        g=value("g", 0), g_prime=value("g", 1), g_y=value("g_y", 0), g_y_prime=value("g_y", 1),
    )  # fmt: skip
    expected_loss, expected = example.truth()
    assert difference(loss, expected_loss) < 1e-12
    assert max(difference(found[w], expected[w]) for w in found) < 1e-12
    assert "g_prime: a function of an array" in source(net)


def test_initial_states_left_out_are_zero() -> None:
    example = Example(models.build("lstm", {}))
    params, x, y, initial = example.arguments
    zero = {name: np.zeros_like(v) for name, v in initial.items()}
    f = function(example.net)
    for left_out in [*([name] for name in initial), list(initial)]:
        some = {name: v for name, v in initial.items() if name not in left_out}
        for given in (some, some or None):
            loss, found = f(params, x, y, given)
            same, expected = f(params, x, y, zero | some)
            assert loss == same
            assert all(np.array_equal(found[w], expected[w]) for w in found)


def test_one_initial_state_for_the_whole_batch() -> None:
    example = Example(models.build("gru", {}), batch=3)
    params, x, y, initial = example.arguments
    one = {name: v[0] for name, v in initial.items()}
    every = {name: np.tile(v, (3, 1)) for name, v in one.items()}
    f = function(example.net)
    assert f(params, x, y, one)[0] == f(params, x, y, every)[0]


def test_arguments_are_left_unchanged() -> None:
    example = Example(models.build("lstm", {}), batch=2)
    copy = Example(models.build("lstm", {}), batch=2)
    function(example.net)(*example.arguments)
    for mine, original in zip(example.arguments, copy.arguments, strict=True):
        np.testing.assert_equal(mine, original)


@pytest.mark.parametrize("cell", ["elman", "lstm", "gru"])
def test_float32_stays_float32(cell: str) -> None:
    example = Example(models.build(cell, {}), batch=2)
    exact, gradients = function(example.net)(*example.arguments)

    def single(arrays: dict[str, Any]) -> dict[str, Any]:
        return {name: v.astype(np.float32) for name, v in arrays.items()}

    loss, found = function(example.net)(
        single(example.params), np.float32(example.x), np.float32(example.y),
        single(example.initial),
    )  # fmt: skip
    assert loss == pytest.approx(exact, rel=1e-5)
    for w in found:
        assert found[w].dtype == np.float32
        assert difference(found[w], gradients[w]) < 1e-4


def test_integers_and_lists_are_computed_in_float64() -> None:
    net = Network("a[t] = W @ a[t-1] + U @ x[t]", "y_hat[t] = a[t]", loss="squared_error")
    loss, found = function(net)({"W": [[2]], "U": np.array([[3]])}, [[1], [2]], [[1], [3]])
    assert loss == 0.5 * 2**2 + 0.5 * 9**2
    assert {w: g.tolist() for w, g in found.items()} == {"W": [[27.0]], "U": [[2 + 18 + 18.0]]}


def test_arrays_in_any_order_of_memory() -> None:
    example = Example(models.build("elman", {}), batch=2)
    params, x, y, initial = example.arguments
    loss, found = function(example.net)(params, x, y, initial)
    params = {name: np.asfortranarray(v) for name, v in params.items()}
    x, y = np.asfortranarray(x), np.repeat(y, 2, axis=2)[..., ::2]
    same, other = function(example.net)(params, x, y, initial)
    assert same == pytest.approx(loss, rel=1e-14)
    assert max(difference(other[w], found[w]) for w in found) < 1e-13


def test_a_thousand_steps() -> None:
    example = Example(models.build("elman", {}), steps=1000)
    loss, found = function(example.net)(*example.arguments)
    expected_loss, expected, _, _ = reference.elman.gradients(*example.arguments)
    assert difference(loss, expected_loss) < 1e-11
    assert max(difference(found[w], expected[w]) for w in found) < 1e-10


# Far from zero, where the plain formulas overflow or cancel.


def test_large_logits_of_a_softmax() -> None:
    net = Network("y_hat[t] = softmax(W @ x[t])")
    loss, found = function(net)({"W": np.diag([1e4, -1e4])}, np.ones((1, 2)), np.array([[0, 1.0]]))
    assert loss == 2e4
    np.testing.assert_array_equal(found["W"], [[1, 1], [-1, -1]])


def test_large_logits_of_a_sigmoid() -> None:
    net = Network("y_hat[t] = sigmoid(W @ x[t])", loss="binary_cross_entropy")
    loss, found = function(net)({"W": np.diag([1e4, -1e4])}, np.ones((1, 2)), np.array([[0, 1.0]]))
    assert loss == 2e4
    np.testing.assert_array_equal(found["W"], [[1, 1], [-1, -1]])


def test_softmax_with_binary_cross_entropy_where_the_prediction_rounds_to_one() -> None:
    net = Network("y_hat[t] = softmax(W @ x[t])", loss="binary_cross_entropy")
    f = function(net)
    loss, found = f({"W": np.array([[50.0], [0.0]])}, np.ones((1, 1)), np.array([[0.0, 1.0]]))
    assert loss == pytest.approx(2 * (50 + np.exp(-50)), rel=1e-15)
    assert np.isfinite(found["W"]).all()


def test_a_sigmoid_of_large_numbers() -> None:
    net = Network("y_hat[t] = sigmoid(W @ x[t])", loss="squared_error")
    f = function(net)
    z = np.array([[-1e4], [-700.0], [-40.0], [40.0], [1e4]])
    loss, _ = f({"W": np.eye(1)}, z, np.zeros((5, 1)))
    assert loss == pytest.approx(0.5 * (np.exp(-80) + 2), rel=1e-15)
