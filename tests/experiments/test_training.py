"""Training follows from the seed, its gradient norms are right, and it learns."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from rnnsym import InputError
from rnnsym.experiments import CANDIDATES, Adding, Copying, Settings, train
from rnnsym.experiments.memory import Task
from rnnsym.experiments.networks import initial_parameters, network
from rnnsym.experiments.training import SGD, Adam, Flow

TINY = Settings(n_a=4, batch=5, updates=6, rate=0.02, looks=2, held_out=16, watched=3)
TASKS: list[Task] = [Adding(6), Copying(7, length=1, symbols=3)]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
@pytest.mark.parametrize("name", CANDIDATES)
def test_a_run_can_be_repeated_bit_for_bit(name: str, task: Task) -> None:
    first, again = (train(CANDIDATES[name], task, TINY, seed=5) for _ in range(2))
    assert first == again and first.losses == again.losses and first.looks == again.looks
    other = train(CANDIDATES[name], task, TINY, seed=6)
    assert first.losses != other.losses


def test_all_networks_see_the_same_data() -> None:
    """With a state that plays no part, the losses are the same, as they depend on data only."""
    plain = CANDIDATES["elman"]
    runs = [train(replace(plain, name=n), TASKS[0], TINY, seed=1) for n in ("one", "other")]
    assert runs[0].losses == runs[1].losses


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
@pytest.mark.parametrize("name", CANDIDATES)
def test_the_gradient_by_a_state_is_what_a_nudge_of_it_does(name: str, task: Task) -> None:
    """Central differences of L⟨T⟩, the nudge added to one entry of one state at one step."""
    candidate = replace(CANDIDATES[name], shortcut=3 if CANDIDATES[name].shortcut else 0)
    net, sizes = network(candidate, task), {"n_a": 4, "n_x": task.n_x, "n_y": task.n_y}
    p = initial_parameters(net, candidate, sizes, np.random.default_rng(0))
    batch = task.batch(np.random.default_rng(1), 2, late=True)
    flow = Flow(net, batch, sizes)
    vectors = flow.vectors(p)
    assert set(vectors) == set(net.states)
    h = 1e-5

    def loss(state: str, entry: int, step: int, member: int, nudge: float) -> float:
        probes = {f"P_{s}": zeros.copy() for s, zeros in flow.probes.items()}
        probes[f"P_{state}"][entry, step * 2 + member] = nudge
        return float(flow.function({**p, **probes}, flow.given, flow.y)[0])

    for state, found in vectors.items():
        assert found.shape == (task.steps, 2, 4)
        for step in range(task.steps):
            at = state, step % 4, step, step % 2
            slope = (loss(*at, h) - loss(*at, -h)) / (2 * h)
            assert found[step, step % 2, step % 4] == pytest.approx(slope, rel=1e-6, abs=1e-9)


def test_the_gradient_by_a_state_is_that_of_the_network_started_there() -> None:
    """Without probes: the rest of the sequence, from a nudged state on, by generated code."""
    candidate, task = CANDIDATES["lstm"], Adding(6)
    net, sizes = network(candidate, task), {"n_a": 4, "n_x": 2, "n_y": 1}
    p = initial_parameters(net, candidate, sizes, np.random.default_rng(0))
    batch = task.batch(np.random.default_rng(1), 1)
    flow = Flow(net, batch, sizes)
    f, rng = net.gradients(), np.random.default_rng(2)

    def sigmoid(z: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-z))

    a, c = np.zeros(4), np.zeros(4)
    for step in range(5):
        x = batch.x[step, 0]
        gates = {g: p[f"W_{g}a"] @ a + p[f"W_{g}x"] @ x + p[f"b_{g}"] for g in ("f", "i", "o", "c")}
        c = sigmoid(gates["f"]) * c + sigmoid(gates["i"]) * np.tanh(gates["c"])
        a = sigmoid(gates["o"]) * np.tanh(c)
        rest = {"x": batch.x[step + 1 :], "m": flow.given["m"][step + 1 :]}
        direction, h = rng.standard_normal(4), 1e-5
        # a⟨t⟩ moves alone: what follows from c⟨t⟩ at the same step is not part of dL/da⟨t⟩
        slope = [
            f(p, rest, batch.y[step + 1 :], {"a": (a + s * h * direction)[None], "c": c[None]})[0]
            for s in (1, -1)
        ]
        found = flow.vectors(p)["a"][step, 0] @ direction
        assert found == pytest.approx((slope[0] - slope[1]) / (2 * h), rel=1e-6)


def test_norms_are_means_over_sequences_and_distances_count_from_the_end() -> None:
    run = train(CANDIDATES["lstm"], Adding(6), TINY)
    look = run.looks[0]
    assert set(look.flow) == {"a", "c"} and {len(v) for v in look.flow.values()} == {6}
    assert look.at_distance(0) == pytest.approx(np.hypot(look.flow["a"][5], look.flow["c"][5]))
    assert look.at_distance(5) == pytest.approx(np.hypot(look.flow["a"][0], look.flow["c"][0]))
    assert [look.update for look in run.looks] == [0, 3, 6]
    assert len(run.losses) == len(run.norms) == 6


def test_the_norms_are_those_before_clipping() -> None:
    loose, tight = (
        train(CANDIDATES["elman"], TASKS[0], replace(TINY, threshold=threshold))
        for threshold in (1e9, 1e-3)
    )
    assert loose.norms[0] == tight.norms[0] > 1e-3
    assert loose.clipped == 0 and tight.clipped == 1
    assert loose.losses[1] != tight.losses[1]


@pytest.mark.parametrize(("optimizer", "rate"), [("adam", 0.02), ("sgd", 0.1)])
@pytest.mark.parametrize("name", CANDIDATES)
def test_the_loss_goes_down(name: str, optimizer: str, rate: float) -> None:
    settings = replace(TINY, n_a=8, batch=20, updates=60, optimizer=optimizer, rate=rate)
    run = train(CANDIDATES[name], Adding(5), settings)
    assert run.looks[-1].loss < 0.5 * run.looks[0].loss


@pytest.mark.torch
def test_adam_is_that_of_torch() -> None:
    import torch

    rng, adam = np.random.default_rng(0), Adam(0.03)
    p = {"W": rng.standard_normal((2, 3)), "b": rng.standard_normal(2)}
    theirs = {n: torch.tensor(v, requires_grad=True) for n, v in p.items()}
    optimizer = torch.optim.Adam(theirs.values(), lr=0.03)
    for _ in range(20):
        g = {n: rng.standard_normal(v.shape) for n, v in p.items()}
        for n, v in theirs.items():
            v.grad = torch.tensor(g[n])
        optimizer.step()
        p = adam.update(p, g)
    for n, v in theirs.items():
        np.testing.assert_allclose(p[n], v.detach().numpy(), rtol=1e-12)


def test_an_update_leaves_its_arguments_untouched() -> None:
    for optimizer in (Adam(0.1), SGD(0.1)):
        p, g = {"b": np.ones(2)}, {"b": np.full(2, 0.5)}
        assert (optimizer.update(p, g)["b"] < 1).all()
        assert (p["b"] == 1).all() and (g["b"] == 0.5).all()
    assert (SGD(0.1).update({"b": np.ones(2)}, {"b": np.ones(2)})["b"] == 0.9).all()


def test_a_run_is_plain_data() -> None:
    run = train(CANDIDATES["gru"], TASKS[1], TINY)
    record = json.loads(json.dumps(asdict(run)))
    assert record["losses"] == run.losses and record["looks"][0]["flow"] == run.looks[0].flow
    assert record["parameters"] == 3 * (4 * 4 + 4 * 5 + 4) + 3 * 4 + 3


def test_mistakes_are_named() -> None:
    for wrong, message in (
        ({"n_a": 0}, "n_a is 0"),
        ({"updates": 0}, "updates is 0"),
        ({"rate": 0.0}, "learning rate is 0"),
        ({"rate": float("nan")}, "learning rate is nan"),
        ({"optimizer": "lbfgs"}, "unknown optimizer 'lbfgs': choose from adam, sgd"),
    ):
        with pytest.raises(InputError, match=message):
            replace(TINY, **wrong)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="seed -1"):
        train(CANDIDATES["elman"], TASKS[0], TINY, seed=-1)
    wild = replace(TINY, rate=1e200, optimizer="sgd", threshold=1e200, updates=50)
    with pytest.raises(InputError, match="elman on adding diverges at update"):
        train(CANDIDATES["elman"], TASKS[0], wild)
