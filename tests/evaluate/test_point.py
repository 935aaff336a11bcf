"""Points: shapes, sizes and targets, and that random points hide nothing."""

from __future__ import annotations

import numpy as np
import pytest

from rnnsym.errors import InputError
from rnnsym.evaluate.field import FieldArithmetic, P
from rnnsym.evaluate.point import field_point
from rnnsym.models import build
from rnnsym.network import Network
from rnnsym.sizes import choose_sizes
from rnnsym.verify.arrays import random_arrays


@pytest.mark.parametrize("name", ["elman", "lstm", "gru"])
def test_sizes_all_differ(name):
    net = build(name, {})
    sizes = [int(v) for v in choose_sizes(net, 5).values()]
    assert len(set(sizes)) == len(sizes)  # T = 5 among them
    chosen = choose_sizes(net, 5, {"n_x": 3})
    assert len({int(chosen[s]) for s in net.sizes.values()}) == 3


@pytest.mark.parametrize("sizes", [{"n_a": 0}, {"n_a": -1}, {"n_a": 2.0}, {"n_a": True}, {"n": 1}])
def test_bad_sizes(sizes):
    with pytest.raises(InputError, match=next(iter(sizes))):
        choose_sizes(build("elman", {}), 5, sizes)


@pytest.mark.parametrize("steps", [0, -3, 1.5, "5", None, True])
def test_bad_steps(steps):
    with pytest.raises(InputError, match="steps"):
        choose_sizes(build("elman", {}), steps)


def test_shapes_are_those_of_users():
    net = Network(
        "a[t] = alpha * tanh(W @ a[t-1] + U @ x[t] + b)",
        "y_hat[t] = V @ a[t]",
        loss="squared_error",
        scalars=["alpha"],
    )
    parameters, sequences, initial = random_arrays(net, choose_sizes(net, 5, {"n_x": 1}), 0)
    assert parameters["U"].shape == (3, 1)  # one input, but still a matrix
    assert parameters["b"].shape == (3,)
    assert parameters["alpha"].shape == ()
    assert sequences["x"].shape == (5, 1)
    assert initial["a"].shape == (3,)
    assert random_arrays(net, choose_sizes(net, 5), 0, batch=7)[1]["x"].shape[:2] == (5, 7)


def test_targets_are_what_the_loss_assumes():
    softmax = build("elman", {})
    y = random_arrays(softmax, choose_sizes(softmax, 5), 0)[1]["y"]
    assert np.allclose(y.sum(-1), 1)
    sigmoid = build("elman", {"output": "sigmoid", "loss": "binary_cross_entropy"})
    y = random_arrays(sigmoid, choose_sizes(sigmoid, 5), 0)[1]["y"]
    assert np.all((y > 0) & (y < 1))


def test_field_targets_sum_to_one():
    net = build("elman", {})
    point = field_point(net, FieldArithmetic(), choose_sizes(net, 3), 0)
    for y in point.sequences["y"]:
        assert sum(int(v) for v in y.entries()) % P == 1


@pytest.mark.parametrize("steps", [3, 5, 20, 50])
@pytest.mark.parametrize("n", [4, 64])
def test_weights_neither_vanish_nor_explode(steps, n):
    """‖W^T v‖/‖v‖ over all T steps stays within three powers of ten, and W is not symmetric."""
    net = build("elman", {})
    symbols = choose_sizes(net, steps, {"n_a": n})
    growths = []
    for seed in range(5):
        w = random_arrays(net, symbols, seed)[0]["W_aa"]
        assert not np.allclose(w, w.T)
        growths.append(np.linalg.norm(np.linalg.matrix_power(w, steps)) / np.sqrt(n))
    assert 1e-3 < np.median(growths) < 1e3
