"""Truncated backpropagation against PyTorch's, with `detach` written into a loop by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rnnsym as rs
from rnnsym.emit import function
from tests.emit.nets import Example, difference

STEPS = 7
each_chunk = pytest.mark.parametrize("chunk", [1, 2, 3, 10])

pytestmark = pytest.mark.torch


def tensors(arrays: dict[str, Any], gradients: bool = False) -> dict[str, Any]:
    torch = pytest.importorskip("torch")
    return {n: torch.tensor(v, requires_grad=gradients) for n, v in arrays.items()}


def compare(spec: str, run: Any, batch: int | None = None) -> None:
    """The emitted gradients against those of a forward pass run(parameters, x, initial)."""
    torch = pytest.importorskip("torch")
    net = rs.model(spec)
    example = Example(net, STEPS, batch)
    loss, found = function(net)(*example.arguments)
    leaves = tensors(example.params, gradients=True)
    logits = run(leaves, torch.tensor(example.x), tensors(example.initial))
    expected = -(torch.tensor(example.y) * torch.log_softmax(logits, -1)).sum()
    expected.backward()
    assert difference(loss, expected.item()) < 1e-12
    for name, leaf in leaves.items():
        assert difference(found[name], leaf.grad.numpy()) < 1e-12, name


@each_chunk
@pytest.mark.parametrize("batch", [None, 3])
def test_elman(chunk: int, batch: int | None) -> None:
    import torch

    def run(w: Any, x: Any, initial: Any) -> Any:
        a, states = initial["a"], []
        for t in range(STEPS):
            if t and t % chunk == 0:
                a = a.detach()
            a = torch.tanh(a @ w["W_aa"].T + x[t] @ w["W_ax"].T + w["b_a"])
            states.append(a)
        return torch.stack(states) @ w["W_ya"].T + w["b_y"]

    compare(f"elman:truncate={chunk}", run, batch)


@each_chunk
def test_a_shortcut_does_not_leave_its_chunk_either(chunk: int) -> None:
    import torch

    def run(w: Any, x: Any, initial: Any) -> Any:
        last, before, states = initial["a"], torch.zeros_like(initial["a"]), []
        for t in range(STEPS):
            if t and t % chunk == 0:
                last, before = last.detach(), before.detach()
            z = w["W_aa"] @ last + w["W_aa_lag2"] @ before + w["W_ax"] @ x[t] + w["b_a"]
            last, before = torch.tanh(z), last
            states.append(last)
        return torch.stack(states) @ w["W_ya"].T + w["b_y"]

    compare(f"elman:truncate={chunk},shortcut=2", run)


@each_chunk
def test_both_directions_have_the_same_chunks(chunk: int) -> None:
    import torch

    def run(w: Any, x: Any, initial: Any) -> Any:
        outputs = []
        for direction in ("fwd", "bwd"):
            steps = range(STEPS) if direction == "fwd" else range(STEPS - 1, -1, -1)
            a, last = initial[f"a_{direction}"], None
            states: list[Any] = [None] * STEPS
            for t in steps:
                if last is not None and t // chunk != last // chunk:
                    a = a.detach()
                z = w[f"W_aa_{direction}"] @ a + w[f"W_ax_{direction}"] @ x[t]
                states[t] = a = torch.tanh(z + w[f"b_a_{direction}"])
                last = t
            outputs.append(torch.stack(states))
        return torch.cat(outputs, -1) @ w["W_ya"].T + w["b_y"]

    compare(f"elman:truncate={chunk},bidirectional", run)


@each_chunk
def test_lstm(chunk: int) -> None:
    import torch

    def run(w: Any, x: Any, initial: Any) -> Any:
        a, c, states = initial["a"], initial["c"], []
        for t in range(STEPS):
            if t and t % chunk == 0:
                a, c = a.detach(), c.detach()
            f, i, o, g = (
                w[f"W_{gate}a"] @ a + w[f"W_{gate}x"] @ x[t] + w[f"b_{gate}"] for gate in "fioc"
            )
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            a = torch.sigmoid(o) * torch.tanh(c)
            states.append(a)
        return torch.stack(states) @ w["W_ya"].T + w["b_y"]

    compare(f"lstm:truncate={chunk}", run)


def test_chunks_longer_than_the_sequence_change_nothing() -> None:
    whole, cut = rs.model("gru"), rs.model("gru:truncate=10")
    example = Example(whole, STEPS)
    loss, expected = function(whole)(*example.arguments)
    same, found = function(cut)(*example.arguments)
    assert same == loss
    assert all(np.allclose(found[w], expected[w], rtol=1e-13, atol=0) for w in expected)
