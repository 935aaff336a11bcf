"""Gates side by side: fewer products and calls, the same numbers."""

from __future__ import annotations

import ast
import re

import numpy as np
import pytest

from rnnsym import models
from rnnsym.emit import function, source
from rnnsym.emit.names import joint
from rnnsym.emit.numpy_backend import NumpyModule
from rnnsym.network import Network
from tests.emit.nets import ODD, TIMED, Example, difference
from tests.emit.peers import parameters, stack

DEEP = {"layers": "2", "bidirectional": "yes"}
AFTER = {"reset": "after"}
MODELS = {
    "lstm": lambda: models.build("lstm", {}),
    "gru": lambda: models.build("gru", {}),
    "gru, reset after": lambda: models.build("gru", AFTER),
    "lstm of sigmoids": lambda: models.build("lstm", {"activation": "sigmoid"}),
    "deep elman": lambda: models.build("elman", DEEP),
    "deep lstm": lambda: models.build("lstm", DEEP),
    "deep gru": lambda: models.build("gru", DEEP | AFTER),
    "truncated gru": lambda: models.build("gru", {"truncate": "2", "bidirectional": "yes"}),
    "lstm, many to one": lambda: models.build("lstm", DEEP | {"type": "many-to-one"}),
    "gru, encoder and decoder": lambda: models.build("gru", DEEP | {"type": "encoder-decoder"}),
    **ODD,
    **TIMED,
}


def loops(text: str) -> list[str]:
    """The loops over time of a source."""
    found = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.For)]
    return [ast.unparse(n) for n in found if "_steps" in ast.unparse(n.iter)]


@pytest.mark.parametrize("batch", [None, 1, 3])
@pytest.mark.parametrize("name", MODELS)
def test_the_same_numbers_as_one_by_one(
    name: str, batch: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    example = Example(MODELS[name](), steps=4, batch=batch)
    loss, found = function(example.net)(*example.arguments)
    monkeypatch.setattr(NumpyModule, "packed", False)
    same, expected = function(MODELS[name]())(*example.arguments)
    assert difference(loss, same) < 1e-13
    assert list(found) == list(expected)
    for w in expected:
        assert found[w].shape == expected[w].shape
        assert difference(found[w], expected[w]) < 1e-12, w


def test_a_step_of_an_lstm_is_one_product_in_each_direction() -> None:
    forward, backward = loops(source(models.build("lstm", {})))
    assert forward.count(".dot(") == backward.count(".dot(") == 1
    assert (forward.count("_sigmoid("), forward.count("tanh(")) == (1, 2)


def test_a_step_of_a_gru_is_as_few_products_as_its_gates_allow() -> None:
    forward, backward = loops(source(models.build("gru", {})))
    assert (forward.count(".dot("), backward.count(".dot(")) == (2, 2)
    assert (forward.count("_sigmoid("), forward.count("tanh(")) == (1, 1)
    forward, backward = loops(source(models.build("gru", AFTER)))
    assert (forward.count(".dot("), backward.count(".dot(")) == (1, 1)


def test_a_layer_of_a_stack_is_as_few_products_as_one_alone() -> None:
    text = source(models.build("lstm", DEEP))
    assert [loop.count(".dot(") for loop in loops(text)] == [1] * 8
    outside = [line for line in text.splitlines() if re.search(r"^    \w+ \+?= .*\.dot\(", line)]
    # for each direction of each layer: the inputs; for each of the second one: what it sends
    # down; the output's; and the sums for the biases
    assert len([line for line in outside if "every.dot" not in line]) == 4 + 2 + 2


def test_gates_are_found_by_what_is_done_with_them() -> None:
    """Forward [A; E; C] h, [P R] [p; r] and Q q, backward [P; R; Q]ᵀ and [A; E; C]ᵀ."""
    net = Network(
        "p[t] = sigmoid(A @ h[t-1] + B @ x[t])",
        "q[t] = tanh(C @ h[t-1] + D @ x[t])",
        "r[t] = sigmoid(E @ h[t-1] + F @ x[t])",
        "h[t] = P @ p[t] + Q @ q[t] + R @ r[t]",
        "y_hat[t] = softmax(V @ h[t])",
    )
    forward, backward = loops(source(net))
    assert forward.count("_sigmoid(") == 1
    assert (forward.count(".dot("), backward.count(".dot(")) == (3, 2)
    example = Example(net, steps=5, batch=2)
    loss, found = function(net)(*example.arguments)
    expected = [function(net)(*example.member(b)) for b in range(2)]
    assert difference(loss, sum(e[0] for e in expected)) < 1e-12
    for w in found:
        assert difference(found[w], sum(e[1][w] for e in expected)) < 1e-12


def test_what_is_read_at_other_steps_keeps_an_array_of_its_own() -> None:
    net = Network(
        "u[t] = sigmoid(A @ h[t-1] + B @ x[t])",
        "v[t] = sigmoid(C @ h[t-1] + D @ x[t])",
        "h[t] = u[t] * v[t-1] + v[t]",
        "y_hat[t] = softmax(V @ h[t])",
    )
    example = Example(net, steps=5)
    loss, found = function(net)(*example.arguments)
    expected_loss, expected = example.truth()
    assert difference(loss, expected_loss) < 1e-12
    assert max(difference(found[w], expected[w]) for w in expected) < 1e-12


def test_a_name_for_several_things() -> None:
    assert joint(["W_fa", "W_ia"]) == "W_f_i_a"
    assert joint(["z_f", "z_c_tilde"]) == "z_f_c_tilde"
    assert joint(["f_fwd_l1", "i_fwd_l1"]) == "f_i_fwd_l1"
    assert joint(["a", "a"]) == "a"


@pytest.mark.torch
@pytest.mark.parametrize("batch", [None, 1, 3])
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_bidirectional_stack_against_torch(cell: str, batch: int | None) -> None:
    pytest.importorskip("torch")
    net = models.build(cell, DEEP | (AFTER if cell == "gru" else {}))
    lead = (6,) if batch is None else (6, batch)
    rng = np.random.default_rng(0)
    params = parameters(net, 3, 4, 2)
    x, y = rng.standard_normal((*lead, 3)), rng.dirichlet([1, 1], lead)
    loss, found = function(net)(params, x, y)
    expected_loss, expected = stack(cell, 2, params, x, y)()
    assert found.keys() == expected.keys()
    assert difference(loss, expected_loss) < 1e-12
    for name in expected:
        assert difference(found[name], expected[name]) < 1e-12, name
