"""Truncated backpropagation in numbers: windows against chunks, and against PyTorch's detach."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rnnsym as rs
from rnnsym.errors import InputError
from rnnsym.remedies.truncation import bias, costs, windowed_gradients
from rnnsym.verify.case import make_case


def arguments(net: Any, steps: int) -> tuple[Any, ...]:
    case = make_case(net, steps, None, 0, net.gradients())
    return case.parameters, case.sequences["x"], case.sequences["y"], case.initial


@pytest.mark.parametrize("size", [1, 2, 3, 5, 9])
@pytest.mark.parametrize("cell", ["elman", "lstm"])
def test_a_window_that_moves_by_its_length_is_a_chunk(cell: str, size: int) -> None:
    given = arguments(rs.model(cell), 7)
    loss, found = windowed_gradients(rs.model(cell), size, size)(*given)
    right, chunks = rs.model(cell, truncate=size).gradients()(*given)
    assert loss == pytest.approx(right, rel=1e-14)
    for name, g in chunks.items():
        np.testing.assert_allclose(found[name], g, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("every", [1, 2, 3])
def test_a_window_as_long_as_the_sequence_cuts_nothing(every: int) -> None:
    net = rs.gru()
    given = arguments(net, 6)
    _, found = windowed_gradients(net, every, 8)(*given)
    for name, g in net.gradients()(*given)[1].items():
        np.testing.assert_allclose(found[name], g, rtol=1e-11, atol=1e-14)


@pytest.mark.torch
@pytest.mark.parametrize(("every", "back"), [(1, 1), (1, 3), (2, 3), (2, 5), (3, 4)])
def test_a_window_is_what_pytorch_computes_from_detached_states(every: int, back: int) -> None:
    torch = pytest.importorskip("torch")
    net = rs.elman(output="identity")
    params, x, y, initial = arguments(net, 7)
    _, found = windowed_gradients(net, every, back)(params, x, y, initial)
    w = {n: torch.tensor(v, requires_grad=True) for n, v in params.items()}

    def step(a: Any, t: int) -> Any:
        return torch.tanh(w["W_aa"] @ a + w["W_ax"] @ torch.tensor(x[t]) + w["b_a"])

    states = [torch.tensor(initial["a"])]
    for t in range(7):
        states.append(step(states[-1], t))
    for end in range(every, 7 + every, every):
        first = max(1, end - back + 1)
        a, loss = states[first - 1].detach(), 0.0
        for t in range(first, min(end, 7) + 1):
            a = step(a, t - 1)
            error = w["W_ya"] @ a + w["b_y"] - torch.tensor(y[t - 1])
            if t > end - every:
                loss = loss + error @ error / 2
        loss.backward()
    for name, g in found.items():
        np.testing.assert_allclose(g, w[name].grad.numpy(), rtol=1e-11, atol=1e-13)


def test_the_bias_vanishes_when_nothing_is_cut() -> None:
    found = bias("elman", [1, 4, 20], 20, seed=1)
    assert [b.chunk for b in found] == [1, 4, 20]
    assert found[-1].distance == 0 and found[-1].cosine == pytest.approx(1)
    assert found[0].distance > found[1].distance > 0
    assert bias("gru:reset=after", [20], 20, wrt="W_ua")[0].ratio == pytest.approx(1)
    with pytest.raises(InputError, match="unknown parameter"):
        bias("elman", [1], 4, wrt="W")


def test_what_the_ways_cost() -> None:
    full, chunks, window = costs(20, 5, 2, 6)
    assert (full.steps, full.kept, full.updates) == (19, 20, 1)
    assert (chunks.steps, chunks.kept, chunks.updates) == (16, 5, 4)
    # every two steps, five steps back: the first two windows begin with the sequence
    assert (window.steps, window.kept, window.updates) == (1 + 3 + 8 * 5, 6, 10)
    short = costs(3, 5, 2, 6)
    assert short[1].steps == 2 and short[1].updates == 1


@pytest.mark.parametrize(
    ("spec", "window", "message"),
    [
        ("elman", (0, 2), "K1 <= K2"),
        ("elman", (3, 2), "K1 <= K2"),
        ("elman:bidirectional", (1, 2), "run forwards"),
        ("elman:type=many-to-one", (1, 2), "a loss at each step"),
        ("elman:type=encoder-decoder", (1, 2), "one sequence"),
    ],
)
def test_what_is_no_window_is_refused(spec: str, window: tuple[int, int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        windowed_gradients(rs.model(spec), *window)
