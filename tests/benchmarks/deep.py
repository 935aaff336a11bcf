"""Stacks of bidirectional layers: the emitted function against PyTorch, loss and backward pass.

`torch.nn.LSTM` and `torch.nn.GRU` are eager PyTorch's own stacks; the loop is what one writes with
`torch.nn.LSTMCell`, step by step.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from rnnsym import models
from rnnsym.emit import function
from tests.benchmarks.gradients import agree
from tests.benchmarks.timing import minima
from tests.emit.peers import Result, parameters, stack

LAYERS, SIZE, STEPS, BATCHES = 4, 64, 100, (1, 32)
CELLS: dict[str, dict[str, str]] = {"lstm": {}, "gru": {"reset": "after"}}
REPEAT = 15


def run() -> list[dict[str, Any]]:
    """A row for each cell and batch: milliseconds, and ratios to the emitted function's."""
    rows = []
    for cell, own in CELLS.items():
        net = models.build(cell, {"layers": str(LAYERS), "bidirectional": "yes"} | own)
        emitted = function(net)
        params = parameters(net, SIZE, SIZE, SIZE)
        for batch in BATCHES:
            rng = np.random.default_rng(1)
            x = rng.standard_normal((STEPS, batch, SIZE))
            y = rng.dirichlet(np.ones(SIZE), (STEPS, batch))
            ours = {"emitted": partial(emitted, params, x, y)}
            rivals: dict[str, Callable[[], Result]] = {}
            if importlib.util.find_spec("torch"):
                import torch

                torch.set_num_threads(1)
                rivals["torch.nn"] = stack(cell, LAYERS, params, x, y)
                if cell == "lstm":
                    rivals["torch loop"] = loop(params, x, y)
            assert all(agree(f(), ours["emitted"]()) for f in rivals.values())
            times = minima(ours | rivals, REPEAT)
            row: dict[str, Any] = {"cell": cell, "layers": LAYERS, "n": SIZE, "T": STEPS}
            row |= {"B": batch, "emitted_ms": 1e3 * times["emitted"]}
            for name in ("torch.nn", "torch loop"):
                row[f"emitted/{name}"] = times["emitted"] / times[name] if name in rivals else None
            rows.append(row)
    return rows


def loop(params: dict[str, Any], x: Any, y: Any) -> Callable[[], Result]:
    """The LSTM in PyTorch step by step, the gates of a step as one product."""
    import torch

    leaves = {k: torch.tensor(v, requires_grad=True) for k, v in params.items()}
    inputs, targets = torch.as_tensor(x), torch.as_tensor(y)

    def run() -> Result:
        for leaf in leaves.values():
            leaf.grad = None
        below = inputs
        for k in range(LAYERS):
            outputs = []
            for direction in ("fwd", "bwd"):
                own = f"{direction}_l{k + 1}"
                W, U, b = (
                    torch.cat([leaves[f"{name.format(g)}_{own}"] for g in "fioc"])
                    for name in ("W_{}a", "W_{}x", "b_{}")
                )
                given = below @ U.T + b
                steps = range(STEPS) if direction == "fwd" else range(STEPS - 1, -1, -1)
                a = c = torch.zeros(x.shape[1], SIZE, dtype=torch.float64)
                states: list[Any] = [None] * STEPS
                for t in steps:
                    f, i, o, g = (a @ W.T + given[t]).chunk(4, -1)
                    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
                    a = torch.sigmoid(o) * torch.tanh(c)
                    states[t] = a
                outputs.append(torch.stack(states))
            below = torch.cat(outputs, -1)
        logits = below @ leaves["W_ya"].T + leaves["b_y"]
        loss = -(targets * torch.log_softmax(logits, -1)).sum()
        loss.backward()
        return loss.item(), {k: leaf.grad.numpy() for k, leaf in leaves.items()}

    return run
