"""The hand-written gradients against finite differences, torch autograd and torch's own cells."""

import ast
import itertools
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rnnsym import reference
from rnnsym.reference import elman, gru, lstm
from rnnsym.reference._heads import head

Array = NDArray[Any]
Example = tuple[dict[str, Array], Array, Array, dict[str, Array]]

N_X, N_A, N_Y, STEPS, BATCH = 2, 3, 4, 5, 3

ACTIVATIONS = ("tanh", "sigmoid", "relu", "identity", "softplus")
OUTPUTS = ("softmax", "sigmoid", "identity")
LOSSES = ("cross_entropy", "binary_cross_entropy", "squared_error")
CELLS: dict[str, tuple[Callable[..., Any], dict[str, str], str, tuple[str, ...]]] = {
    # name: function, its options, the gates, the states
    "elman": (elman.gradients, {}, "a", ("a",)),
    "lstm": (lstm.gradients, {}, "fioc", ("a", "c")),
    "gru_before": (gru.gradients, {"reset": "before"}, "ura", ("a",)),
    "gru_after": (gru.gradients, {"reset": "after"}, "ura", ("a",)),
}
HEADS = list(itertools.product(OUTPUTS, LOSSES))

each_cell = pytest.mark.parametrize("cell", CELLS)
each_activation = pytest.mark.parametrize("activation", ACTIVATIONS)
each_head = pytest.mark.parametrize(("output", "loss"), HEADS)
batched_or_not = pytest.mark.parametrize("batch", [(), (BATCH,)], ids=["single", "batch"])


def example(cell: str, batch: tuple[int, ...] = (BATCH,), seed: int = 0) -> Example:
    """Random parameters, inputs, targets strictly between 0 and 1, and initial states."""
    rng = np.random.default_rng(seed)
    _, options, gates, states = CELLS[cell]
    shapes: dict[str, tuple[int, ...]] = {}
    for k in gates:
        shapes |= {f"W_{k}a": (N_A, N_A), f"W_{k}x": (N_A, N_X), f"b_{k}": (N_A,)}
    if options.get("reset") == "after":
        shapes["b_aa"] = (N_A,)
    params = {name: 0.5 * rng.normal(size=shape) for name, shape in shapes.items()}
    # A small positive output layer keeps identity outputs inside (0, 1), where every loss exists.
    params["W_ya"] = rng.uniform(-0.05, 0.05, size=(N_Y, N_A))
    params["b_y"] = rng.uniform(0.4, 0.6, size=N_Y)
    x = 0.5 * rng.normal(size=(STEPS, *batch, N_X))
    y = rng.uniform(0.1, 0.9, size=(STEPS, *batch, N_Y))
    return params, x, y, {s: 0.5 * rng.normal(size=(*batch, N_A)) for s in states}


def plain_loss(
    lib: Any, cell: str, params: Any, x: Any, y: Any, initial: Any, **options: str
) -> Any:
    """The loss by the textbook's forward equations alone; lib is numpy (complex too) or torch."""

    def sigmoid(z: Any) -> Any:
        return 1 / (1 + lib.exp(-z))

    def softmax(z: Any) -> Any:
        e = lib.exp(z)
        return e / e.sum(-1)[..., None]

    functions = {
        "tanh": lib.tanh,
        "sigmoid": sigmoid,
        "relu": lambda z: z * (z.real > 0),
        "identity": lambda z: z,
        "softplus": lambda z: lib.log(1 + lib.exp(z)),
        "softmax": softmax,
    }
    g, g_y = functions[options["activation"]], functions[options["output"]]

    def pre(k: str, a: Any, x_t: Any) -> Any:
        return a @ params[f"W_{k}a"].T + x_t @ params[f"W_{k}x"].T + params[f"b_{k}"]

    total = 0
    a, c = initial["a"], initial.get("c")
    for x_t, y_t in zip(x, y, strict=True):
        if cell == "elman":
            a = g(pre("a", a, x_t))
        elif cell == "lstm":
            f, i, o = (sigmoid(pre(k, a, x_t)) for k in "fio")
            c = f * c + i * g(pre("c", a, x_t))
            a = o * g(c)
        else:
            u, r = sigmoid(pre("u", a, x_t)), sigmoid(pre("r", a, x_t))
            if cell == "gru_before":
                candidate = g(pre("a", r * a, x_t))
            else:
                inside = a @ params["W_aa"].T + params["b_aa"]
                candidate = g(x_t @ params["W_ax"].T + params["b_a"] + r * inside)
            a = u * a + (1 - u) * candidate
        yhat = g_y(a @ params["W_ya"].T + params["b_y"])
        if options["loss"] == "cross_entropy":
            total = total - (y_t * lib.log(yhat)).sum()
        elif options["loss"] == "binary_cross_entropy":
            total = total - (y_t * lib.log(yhat) + (1 - y_t) * lib.log(1 - yhat)).sum()
        else:
            total = total + ((yhat - y_t) ** 2).sum() / 2
    return total


def call(cell: str, data: Example, **options: str) -> tuple[float, dict[str, Array]]:
    """The reference's loss and all its gradients under one flat set of names."""
    function, cell_options, _, _ = CELLS[cell]
    loss, d_params, d_initial, d_x = function(*data, **cell_options, **options)
    assert isinstance(loss, float)
    return loss, flat(d_params, d_x, d_initial)


def flat(params: Any, x: Any, initial: Any) -> dict[str, Any]:
    return {**params, "x": x, **{f"initial {s}": value for s, value in initial.items()}}


def entries(data: Example, dtype: type) -> Iterator[tuple[str, tuple[int, ...], Array, Example]]:
    """Every number a gradient is taken in: its name, index, and array inside a copy of data."""
    params, x, y, initial = data
    params = {name: value.astype(dtype) for name, value in params.items()}
    initial = {name: value.astype(dtype) for name, value in initial.items()}
    x = x.astype(dtype)
    for name, array in flat(params, x, initial).items():
        for index in np.ndindex(array.shape):
            yield name, index, array, (params, x, y, initial)


def complex_step(cell: str, data: Example, **options: str) -> dict[str, Array]:
    """Gradients of plain_loss by d loss / d v = Im loss(v + ih) / h, exact to rounding."""
    found = {k: np.zeros(v.shape) for k, v in flat(data[0], data[1], data[3]).items()}
    for name, index, array, moved in entries(data, np.complex128):
        array[index] += 1e-30j
        found[name][index] = plain_loss(np, cell, *moved, **options).imag / 1e-30
        array[index] = array[index].real
    return found


def assert_same(
    found: dict[str, Array], expected: dict[str, Array], rtol: float = 1e-10, atol: float = 1e-13
) -> None:
    assert found.keys() == expected.keys()
    for name, value in found.items():
        assert value.dtype == np.float64
        assert value.shape == expected[name].shape, name
        np.testing.assert_allclose(value, expected[name], rtol, atol, err_msg=name)


# Against numpy alone.


@each_cell
@each_activation
@each_head
def test_every_combination_against_complex_step(
    cell: str, activation: str, output: str, loss: str
) -> None:
    data = example(cell)
    options = {"activation": activation, "output": output, "loss": loss}
    value, found = call(cell, data, **options)
    assert value == pytest.approx(plain_loss(np, cell, *data, **options), rel=1e-12)
    assert_same(found, complex_step(cell, data, **options))


@each_cell
@each_head
def test_without_a_batch_against_complex_step(cell: str, output: str, loss: str) -> None:
    data = example(cell, batch=(), seed=1)
    options = {"activation": "tanh", "output": output, "loss": loss}
    value, found = call(cell, data, **options)
    assert value == pytest.approx(plain_loss(np, cell, *data, **options), rel=1e-12)
    assert_same(found, complex_step(cell, data, **options))


@each_cell
@batched_or_not
def test_gradients_are_those_of_the_loss_it_returns(cell: str, batch: tuple[int, ...]) -> None:
    data = example(cell, batch, seed=2)
    _, found = call(cell, data)
    h = 1e-5
    for name, index, array, moved in entries(data, np.float64):
        centre = array[index]
        array[index] = centre + h
        above, _ = call(cell, moved)
        array[index] = centre - h
        below, _ = call(cell, moved)
        array[index] = centre
        assert found[name][index] == pytest.approx((above - below) / (2 * h), rel=1e-6, abs=1e-8)


def test_two_steps_by_hand() -> None:
    # a<0> = 1; a<1> = 2*1 + 3*1 + 1 = 6; a<2> = 2*6 + 3*2 + 1 = 19; yhat = 6, 19; errors 1, 2.
    # dL/da<2> = 2; dL/da<1> = 1 + 2*2 = 5.
    params = {
        "W_aa": np.array([[2.0]]),
        "W_ax": np.array([[3.0]]),
        "b_a": np.array([1.0]),
        "W_ya": np.array([[1.0]]),
        "b_y": np.array([0.0]),
    }
    value, d, d_initial, d_x = elman.gradients(
        params,
        np.array([[1.0], [2.0]]),
        np.array([[5.0], [17.0]]),
        {"a": np.array([1.0])},
        activation="identity",
        output="identity",
        loss="squared_error",
    )
    assert value == 2.5
    assert {name: g.item() for name, g in d.items()} == {
        "W_aa": 5 * 1 + 2 * 6,
        "W_ax": 5 * 1 + 2 * 2,
        "b_a": 5 + 2,
        "W_ya": 1 * 6 + 2 * 19,
        "b_y": 1 + 2,
    }
    np.testing.assert_array_equal(d_initial["a"], [10.0])
    np.testing.assert_array_equal(d_x, [[15.0], [6.0]])


# The layout: batches, and initial states of every allowed shape.


@each_cell
def test_a_batch_is_the_sum_of_its_members(cell: str) -> None:
    params, x, y, initial = example(cell)
    value, found = call(cell, (params, x, y, initial))
    members = [
        call(cell, (params, x[:, b], y[:, b], {s: v[b] for s, v in initial.items()}))
        for b in range(BATCH)
    ]
    assert value == pytest.approx(sum(member[0] for member in members))
    for name, gradient in found.items():
        each = [member[1][name] for member in members]
        if name in params:
            expected = np.sum(each, axis=0)
        else:
            expected = np.stack(each, axis=1 if name == "x" else 0)
        np.testing.assert_allclose(gradient, expected, rtol=1e-12, atol=1e-14)


@each_cell
def test_one_initial_state_for_the_whole_batch(cell: str) -> None:
    params, x, y, initial = example(cell)
    one = {s: v[0] for s, v in initial.items()}
    repeated = {s: np.tile(v, (BATCH, 1)) for s, v in one.items()}
    value, found = call(cell, (params, x, y, one))
    expected_value, expected = call(cell, (params, x, y, repeated))
    for s in one:
        expected[f"initial {s}"] = expected[f"initial {s}"].sum(axis=0)
    assert value == expected_value
    assert_same(found, expected)


@each_cell
@batched_or_not
def test_initial_states_left_out_are_zero(cell: str, batch: tuple[int, ...]) -> None:
    params, x, y, initial = example(cell, batch)
    zero = {s: np.zeros_like(v) for s, v in initial.items()}
    for left_out in [*([s] for s in initial), list(initial)]:
        some = {s: v for s, v in initial.items() if s not in left_out}
        value, found = call(cell, (params, x, y, some))
        expected_value, expected = call(cell, (params, x, y, zero | some))
        assert value == expected_value
        assert_same(found, expected, rtol=0, atol=0)
    function, options, _, _ = CELLS[cell]
    assert function(params, x, y, **options)[0] == call(cell, (params, x, y, zero))[0]


@each_cell
@batched_or_not
def test_arguments_are_left_unchanged(cell: str, batch: tuple[int, ...]) -> None:
    data, untouched = example(cell, batch), example(cell, batch)
    call(cell, data)
    for mine, original in zip(data, untouched, strict=True):
        np.testing.assert_equal(mine, original)


@each_cell
def test_mistaken_arguments_are_refused(cell: str) -> None:
    params, x, y, initial = example(cell)
    function, options, _, _ = CELLS[cell]
    for option in ("activation", "output", "loss"):
        with pytest.raises(ValueError, match=f"unknown {option}: 'cosine'"):
            function(params, x, y, **options, **{option: "cosine"})
    with pytest.raises(ValueError, match="unknown initial states"):
        function(params, x, y, {"h": initial["a"]}, **options)
    with pytest.raises(ValueError, match="initial a has shape"):
        function(params, x, y, {"a": initial["a"][:2]}, **options)
    with pytest.raises(ValueError, match="initial a has shape"):
        function(params, x[:, 0], y[:, 0], {"a": initial["a"]}, **options)
    with pytest.raises(ValueError, match="x has shape"):
        function(params, x[0, 0], y[0, 0], **options)
    with pytest.raises(ValueError, match="y has shape"):
        function(params, x, y[:, 0], **options)
    with pytest.raises(ValueError, match="b_y has shape"):
        function(params | {"b_y": params["b_y"][:, None]}, x, y, **options)
    with pytest.raises(KeyError, match="W_ya"):
        function({k: v for k, v in params.items() if k != "W_ya"}, x, y, **options)


def test_gru_refuses_an_unknown_reset() -> None:
    with pytest.raises(ValueError, match="unknown reset: 'never'"):
        gru.gradients(*example("gru_before"), reset="never")


# The output layers far from zero, where the plain formulas overflow or cancel.


def test_softmax_cross_entropy_of_large_inputs() -> None:
    value, dz = head("softmax", "cross_entropy", np.array([1e4, 0.0, -1e4]), np.array([0, 0, 1.0]))
    assert value == 2e4
    np.testing.assert_array_equal(dz, [1.0, 0.0, -1.0])


def test_softmax_cross_entropy_of_targets_that_do_not_sum_to_one() -> None:
    _, dz = head("softmax", "cross_entropy", np.zeros(2), np.array([2.0, 3.0]))
    np.testing.assert_allclose(dz, [0.5, -0.5], rtol=1e-14)


def test_sigmoid_binary_cross_entropy_of_large_inputs() -> None:
    z, y = np.array([1e4, -1e4]), np.array([0.0, 1.0])
    value, dz = head("sigmoid", "binary_cross_entropy", z, y)
    assert value == 2e4
    np.testing.assert_array_equal(dz, [1.0, -1.0])


def test_softmax_binary_cross_entropy_where_yhat_rounds_to_one() -> None:
    # Two units: yhat_2 = 1 - yhat_1, so this is twice the logistic loss of z_1 - z_2 = 50.
    z, y = np.array([50.0, 0.0]), np.array([0.0, 1.0])
    value, dz = head("softmax", "binary_cross_entropy", z, y)
    assert value == pytest.approx(2 * (50 + math.exp(-50)), rel=1e-15)
    np.testing.assert_allclose(dz, [2.0, -2.0], rtol=1e-12)


def test_sigmoid_cross_entropy_where_yhat_rounds_to_one() -> None:
    value, dz = head("sigmoid", "cross_entropy", np.array([50.0]), np.array([1.0]))
    assert value == pytest.approx(math.exp(-50), rel=1e-12)
    np.testing.assert_allclose(dz, [-math.exp(-50)], rtol=1e-12)


# Against torch.


@pytest.fixture(name="torch")
def torch_module() -> ModuleType:
    module: ModuleType = pytest.importorskip("torch")
    return module


def leaf(torch: Any, value: Array) -> Any:
    return torch.tensor(value, dtype=torch.float64, requires_grad=True)


@pytest.mark.torch
@each_cell
@batched_or_not
@each_activation
@each_head
def test_against_autograd_of_plain_forward_code(
    torch: Any, cell: str, batch: tuple[int, ...], activation: str, output: str, loss: str
) -> None:
    data = example(cell, batch, seed=3)
    options = {"activation": activation, "output": output, "loss": loss}
    params = {name: leaf(torch, value) for name, value in data[0].items()}
    initial = {name: leaf(torch, value) for name, value in data[3].items()}
    x, y = leaf(torch, data[1]), torch.tensor(data[2])
    total = plain_loss(torch, cell, params, x, y, initial, **options)
    total.backward()
    value, found = call(cell, data, **options)
    assert value == pytest.approx(total.item(), rel=1e-12)
    expected = {k: v.grad.numpy() for k, v in flat(params, x, initial).items()}
    assert_same(found, expected)


# The losses as torch has them, of the output layer's input, and the output they belong to.
TORCH_HEADS: dict[tuple[str, str], Callable[[Any, Any, Any], Any]] = {
    ("softmax", "cross_entropy"): lambda f, z, y: f.cross_entropy(
        z.flatten(0, -2), y.flatten(0, -2), reduction="sum"
    ),
    ("sigmoid", "binary_cross_entropy"): lambda f, z, y: f.binary_cross_entropy_with_logits(
        z, y, reduction="sum"
    ),
    ("identity", "squared_error"): lambda f, z, y: f.mse_loss(z, y, reduction="sum") / 2,
}


@pytest.mark.torch
@pytest.mark.parametrize(
    ("cell", "activation"),
    [("elman", "tanh"), ("elman", "relu"), ("lstm", "tanh"), ("gru_after", "tanh")],
)
@batched_or_not
@pytest.mark.parametrize(("output", "loss"), TORCH_HEADS)
def test_against_the_cells_of_torch(
    torch: Any, cell: str, activation: str, batch: tuple[int, ...], output: str, loss: str
) -> None:
    data = example(cell, batch, seed=4)
    params, x_value, y, initial_value = data
    # torch stacks the gates: LSTM as input, forget, cell, output; GRU as reset, update, new.
    order = {"elman": "a", "lstm": "ifco", "gru_after": "rua"}[cell]
    if cell == "elman":
        layer = torch.nn.RNN(N_X, N_A, nonlinearity=activation)
    else:
        layer = (torch.nn.LSTM if cell == "lstm" else torch.nn.GRU)(N_X, N_A)
    layer, linear = layer.double(), torch.nn.Linear(N_A, N_Y).double()
    # b_k goes into the input bias; in the hidden one only GRU's b_aa has a place of its own.
    b_hidden = {k: np.zeros(N_A) for k in order}
    if cell == "gru_after":
        b_hidden["a"] = params["b_aa"]
    values = {
        layer.weight_ih_l0: np.concatenate([params[f"W_{k}x"] for k in order]),
        layer.weight_hh_l0: np.concatenate([params[f"W_{k}a"] for k in order]),
        layer.bias_ih_l0: np.concatenate([params[f"b_{k}"] for k in order]),
        layer.bias_hh_l0: np.concatenate([b_hidden[k] for k in order]),
        linear.weight: params["W_ya"],
        linear.bias: params["b_y"],
    }
    with torch.no_grad():
        for parameter, array in values.items():
            parameter.copy_(torch.tensor(array))

    x = leaf(torch, x_value)
    initial = {s: leaf(torch, value) for s, value in initial_value.items()}
    states = tuple(state[None] for state in initial.values())  # torch counts the layers first
    hidden, _ = layer(x, states if cell == "lstm" else states[0])
    total = TORCH_HEADS[output, loss](torch.nn.functional, linear(hidden), torch.tensor(y))
    total.backward()

    def split(parameter: Any) -> dict[str, Array]:
        return dict(zip(order, np.split(parameter.grad.numpy(), len(order)), strict=True))

    expected = {"W_ya": linear.weight.grad.numpy(), "b_y": linear.bias.grad.numpy()}
    expected |= {f"W_{k}x": value for k, value in split(layer.weight_ih_l0).items()}
    expected |= {f"W_{k}a": value for k, value in split(layer.weight_hh_l0).items()}
    expected |= {f"b_{k}": value for k, value in split(layer.bias_ih_l0).items()}
    if cell == "gru_after":
        expected["b_aa"] = split(layer.bias_hh_l0)["a"]
    expected = flat(expected, x.grad.numpy(), {s: v.grad.numpy() for s, v in initial.items()})

    value, found = call(cell, data, activation=activation, output=output, loss=loss)
    assert value == pytest.approx(total.item(), rel=1e-12)
    assert_same(found, expected)


# The independence that makes an agreement with the rest of the package mean something.


def test_imports_nothing_but_numpy_and_itself() -> None:
    allowed = ("collections.abc", "typing", "numpy", "numpy.typing")
    files = sorted(Path(reference.__path__[0]).glob("*.py"))
    assert {file.stem for file in files} == {"__init__", "_heads", "elman", "gru", "lstm"}
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert all(alias.name in allowed for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0
                assert node.module in allowed or str(node.module).startswith("rnnsym.reference")
