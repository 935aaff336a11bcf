"""The networks that are compared: the cells' own equations, and what is added to them."""

from __future__ import annotations

import numpy as np
import pytest

import rnnsym as rs
from rnnsym.experiments import CANDIDATES, Adding, Candidate, Copying
from rnnsym.experiments.memory import Task
from rnnsym.experiments.networks import initial_parameters, network, probed

TASKS: list[Task] = [Adding(6), Copying(7)]
SIZES = {"n_a": 4, "n_x": 6, "n_y": 4}


@pytest.mark.parametrize("name", CANDIDATES)
def test_the_state_obeys_the_equations_of_the_cell(name: str) -> None:
    candidate = CANDIDATES[name]
    net, model = network(candidate, Adding(6)), rs.model(candidate.cell)
    ours = {e.lhs.name: e.text for e in net.source}
    theirs = {e.lhs.name: e.text for e in model.source if e.lhs.name not in ("y_hat", "L")}
    changed = {n for n, text in theirs.items() if ours[n] != text}
    assert changed == ({"a"} if candidate.shortcut else set())
    if candidate.shortcut:
        assert ours["a"].replace(f" + W_as @ a[t-{candidate.shortcut}]", "") == theirs["a"]
        assert net.lag_range("a")[1] == candidate.shortcut


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
@pytest.mark.parametrize("name", CANDIDATES)
def test_every_gradient_is_right(name: str, task: Task) -> None:
    candidate = CANDIDATES[name]
    if candidate.shortcut:
        candidate = Candidate("short", "short", candidate.cell, shortcut=2)
    net = network(candidate, task)
    assert rs.verify(net, steps=4, against=["exact", "complex_step"]).ok


def test_a_shortcut_is_added_where_there_is_a_place_for_it() -> None:
    with pytest.raises(rs.InputError, match="lstm: a shortcut is added"):
        Candidate("?", "?", "lstm", shortcut=3).equations()


@pytest.mark.parametrize("name", CANDIDATES)
def test_what_the_parameters_start_from(name: str) -> None:
    candidate = CANDIDATES[name]
    net = network(candidate, Copying(7))
    p = initial_parameters(net, candidate, SIZES, np.random.default_rng(0))
    again = initial_parameters(net, candidate, SIZES, np.random.default_rng(0))
    assert list(p) == list(net.parameters)
    assert all((p[n] == again[n]).all() for n in p)
    for n, w in net.parameters.items():
        assert p[n].shape == tuple(SIZES[str(s)] for s in w.shape if s != 1)
        if p[n].ndim == 1:
            assert (p[n] == candidate.biases.get(n, 0.0)).all()
        elif w.rows == w.cols:
            gain = candidate.gains.get(n, 1.0)
            np.testing.assert_allclose(p[n] @ p[n].T, gain**2 * np.eye(4), atol=1e-14)
        else:
            assert abs(p[n]).max() <= np.sqrt(6 / sum(p[n].shape))
    assert set(candidate.biases) | set(candidate.gains) <= set(p)


def test_the_forget_gate_starts_open() -> None:
    assert CANDIDATES["lstm"].biases == {"b_f": 1.0}


@pytest.mark.parametrize("name", CANDIDATES)
def test_probes_of_zero_change_nothing(name: str) -> None:
    candidate, task = CANDIDATES[name], Copying(12)
    net = network(candidate, task)
    p = initial_parameters(net, candidate, SIZES, np.random.default_rng(0))
    b = task.batch(np.random.default_rng(1), 3)
    loss, gradients = net.gradients()(p, {"x": b.x, "m": b.m}, b.y)
    other = probed(net)
    assert set(other.parameters) - set(net.parameters) == {f"P_{s}" for s in net.states}
    e = np.random.default_rng(2).standard_normal((12, 3, 2))
    zeros = {f"P_{s}": np.zeros((4, 2)) for s in net.states}
    again, more = other.gradients()({**p, **zeros}, {"x": b.x, "m": b.m, "e": e}, b.y)
    assert again == pytest.approx(loss, rel=1e-14)
    for n, g in gradients.items():
        np.testing.assert_allclose(more[n], g, rtol=1e-12, atol=1e-15)
