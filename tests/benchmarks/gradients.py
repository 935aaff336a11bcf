"""One gradient: the emitted function against hand-written NumPy and against PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from rnnsym import models
from rnnsym.emit import function
from tests.benchmarks import handwritten
from tests.benchmarks.timing import medians

SIZES, STEPS = (2, 8, 64, 256), (10, 50, 200)
SECONDS = 1.0

Row = dict[str, Any]
Rivals = dict[str, Callable[[], Any]]


def case(n: int, steps: int, names: dict[str, tuple[int, ...]]) -> tuple[dict[str, Any], Any, Any]:
    """Parameters of these shapes, inputs and targets, all sizes n."""
    rng = np.random.default_rng(0)
    params = {k: rng.standard_normal(shape) / np.sqrt(n) for k, shape in names.items()}
    x = rng.standard_normal((steps, n))
    y = np.exp(rng.standard_normal((steps, n)))
    return params, x, y / y.sum(axis=1, keepdims=True)


def agree(a: tuple[float, dict[str, Any]], b: tuple[float, dict[str, Any]]) -> bool:
    """Whether two results are the same numbers."""
    return bool(np.isclose(a[0], b[0], rtol=1e-9)) and all(
        np.allclose(a[1][k], b[1][k], rtol=1e-7, atol=1e-9) for k in b[1]
    )


def run() -> list[Row]:
    """A row for each size and length: microseconds, and ratios to the emitted function's."""
    emitted = function(models.build("elman", {}))
    rows = []
    for n in SIZES:
        shapes: dict[str, tuple[int, ...]] = {
            "W_aa": (n, n), "W_ax": (n, n), "b_a": (n,), "W_ya": (n, n), "b_y": (n,)
        }  # fmt: skip
        for steps in STEPS:
            p, x, y = case(n, steps, shapes)
            ours: Rivals = {"emitted": partial(emitted, p, x, y)}
            numpy: Rivals = {
                "opt": partial(handwritten.opt, p, x, y),
                "best": partial(handwritten.best, p, x, y),
            }
            row: Row = {"n": n, "T": steps}
            for rivals in (numpy, torch_rivals(p, x, y)):
                assert all(agree(f(), ours["emitted"]()) for f in rivals.values())
                times = medians(ours | rivals, SECONDS)
                row.setdefault("emitted_us", 1e6 * times["emitted"])
                row |= {f"emitted/{name}": times["emitted"] / times[name] for name in rivals}
            rows.append(row)
    return rows


def torch_rivals(p: dict[str, Any], x: Any, y: Any) -> Rivals:
    """torch.nn.RNN and a loop in PyTorch, forward and backward, where PyTorch is installed."""
    try:
        import torch
    except ImportError:
        return {}
    torch.set_num_threads(1)
    n = x.shape[1]
    layer, head = torch.nn.RNN(n, n).double(), torch.nn.Linear(n, n).double()
    with torch.no_grad():
        for target, value in (
            (layer.weight_hh_l0, p["W_aa"]), (layer.weight_ih_l0, p["W_ax"]),
            (layer.bias_ih_l0, p["b_a"]), (layer.bias_hh_l0, 0 * p["b_a"]),
            (head.weight, p["W_ya"]), (head.bias, p["b_y"]),
        ):  # fmt: skip
            target.copy_(torch.as_tensor(value))
    inputs, targets = torch.as_tensor(x), torch.as_tensor(y)
    ours = {
        "W_aa": layer.weight_hh_l0, "W_ax": layer.weight_ih_l0, "b_a": layer.bias_ih_l0,
        "W_ya": head.weight, "b_y": head.bias,
    }  # fmt: skip

    def finish(logits: Any, leaves: dict[str, Any]) -> tuple[float, dict[str, Any]]:
        for leaf in leaves.values():
            leaf.grad = None
        loss = -(targets * torch.log_softmax(logits, -1)).sum()
        loss.backward()
        return loss.item(), {k: leaf.grad.numpy() for k, leaf in leaves.items()}

    def rnn() -> tuple[float, dict[str, Any]]:
        layer.bias_hh_l0.grad = None
        return finish(head(layer(inputs)[0]), ours)

    leaves = {k: torch.tensor(v, requires_grad=True) for k, v in p.items()}

    def loop() -> tuple[float, dict[str, Any]]:
        W, U, b, V, c = leaves.values()
        given = inputs @ U.T + b
        a = torch.zeros(n, dtype=torch.float64)
        states = []
        for t in range(len(inputs)):
            a = torch.tanh(W @ a + given[t])
            states.append(a)
        return finish(torch.stack(states) @ V.T + c, leaves)

    return {"torch.nn.RNN": rnn, "torch loop": loop}
