"""The tasks: data as described, the loss only where the answer is due, baselines that are right."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rnnsym import InputError
from rnnsym.experiments import TASKS, Adding, Copying
from rnnsym.experiments.memory import Task

SMALL: list[Task] = [Adding(7), Copying(9), Copying(6, length=3, symbols=2)]


def rng() -> np.random.Generator:
    return np.random.default_rng(3)


@pytest.mark.parametrize("task", SMALL, ids=str)
@pytest.mark.parametrize("late", [False, True])
def test_arrays_are_time_first_and_the_weights_sum_to_one(task: Task, late: bool) -> None:
    b = task.batch(rng(), 11, late)
    assert b.x.shape == (task.steps, 11, task.n_x)
    assert b.y.shape == (task.steps, 11, task.n_y)
    assert b.m.shape == (task.steps, 11, 1)
    np.testing.assert_allclose(b.m.sum(axis=(0, 2)), 1 / 11)
    assert not late or (b.m[-1] > 0).all()


@pytest.mark.parametrize("task", SMALL, ids=str)
def test_data_follow_from_the_generator(task: Task) -> None:
    first, again = task.batch(rng(), 5), task.batch(rng(), 5)
    other = task.batch(np.random.default_rng(4), 5)
    assert (first.x == again.x).all() and (first.y == again.y).all() and (first.m == again.m).all()
    assert (first.x != other.x).any()


def test_the_sum_of_the_two_marked_numbers_is_due_at_the_end() -> None:
    b = Adding(8).batch(rng(), 200)
    numbers, marked = b.x[..., 0], b.x[..., 1]
    assert set(np.unique(marked)) == {0.0, 1.0}
    assert (marked[:4].sum(axis=0) == 1).all() and (marked[4:].sum(axis=0) == 1).all()
    np.testing.assert_allclose(b.y[-1, :, 0], (numbers * marked).sum(axis=0))
    assert (b.m[:-1] == 0).all() and (b.m[-1] == 1 / 200).all()
    assert (numbers >= 0).all() and (numbers < 1).all()
    assert (marked.sum(axis=1) > 0).all()  # every step is marked at times


def test_the_symbols_are_recalled_from_the_signal_on() -> None:
    task = Copying(10, length=3, symbols=4)
    b = task.batch(rng(), 300)
    seen = b.x.argmax(axis=-1)
    signals = set()
    for i in range(300):
        (signal,) = np.flatnonzero(seen[:, i] == 5)
        signals.add(int(signal))
        due = slice(signal, signal + 3)
        assert (b.y[due, i].argmax(axis=-1) == seen[:3, i]).all()
        assert (b.m[due, i] > 0).all() and np.count_nonzero(b.m[:, i]) == 3
        assert set(seen[3:, i]) <= {4, 5} and (seen[:3, i] < 4).all()
    assert signals == {5, 6, 7}
    late = task.batch(rng(), 20, late=True)
    assert (late.x[7].argmax(axis=-1) == 5).all()


def test_the_baseline_is_what_answering_without_memory_costs() -> None:
    adding = Adding(6).batch(rng(), 200_000)
    assert np.var(adding.y[-1]) == pytest.approx(Adding(6).baseline, rel=0.01)
    assert Adding(6).baseline == pytest.approx(1 / 6)
    task = Copying(6, length=1, symbols=5)
    copying = task.batch(rng(), 50_000)
    shares = (copying.m * copying.y).sum(axis=(0, 1))
    assert -(shares * np.log(shares)).sum() == pytest.approx(task.baseline, rel=0.001)
    assert task.baseline == math.log(5)


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(InputError, match="adding: T = 1"):
        Adding(1)
    with pytest.raises(InputError, match="copying: T = 3 leaves no time"):
        Copying(3)
    for wrong in ({"length": 0}, {"symbols": 1}):
        with pytest.raises(InputError, match="copying: take a length"):
            Copying(9, **wrong)


def test_the_tasks_are_listed_with_their_sources() -> None:
    assert set(TASKS) == {"adding", "copying"}
    assert all(task.title and task.source and len(task.head) == 2 for task in TASKS.values())
