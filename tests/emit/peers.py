"""PyTorch's stacks of recurrent layers, both directions, with the parameters of our models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rnnsym.network import Network

#: the gates of our cells in the order of PyTorch's rows
GATES = {"lstm": "ifco", "gru": "rua"}

Result = tuple[float, dict[str, Any]]


def rows(cell: str, layers: int) -> dict[str, list[str | None]]:
    """What each tensor of torch.nn.LSTM or torch.nn.GRU is made of; None: of zeros."""
    found: dict[str, list[str | None]] = {}
    for k in range(layers):
        for direction, suffix in (("fwd", ""), ("bwd", "_reverse")):
            own, theirs = f"{direction}_l{k + 1}", f"l{k}{suffix}"
            found[f"weight_ih_{theirs}"] = [f"W_{g}x_{own}" for g in GATES[cell]]
            found[f"weight_hh_{theirs}"] = [f"W_{g}a_{own}" for g in GATES[cell]]
            found[f"bias_ih_{theirs}"] = [f"b_{g}_{own}" for g in GATES[cell]]
            zeros: list[str | None] = [None] * len(GATES[cell])
            found[f"bias_hh_{theirs}"] = zeros
            if cell == "gru":
                found[f"bias_hh_{theirs}"] = [None, None, f"b_aa_{own}"]
    return found


def parameters(net: Network, n_x: int, n_a: int, n_y: int) -> dict[str, Any]:
    """Random parameters, all states of the same size."""
    rng = np.random.default_rng(0)
    sizes = {s: {"n_x": n_x, "n_y": n_y}.get(s.name, n_a) for s in net.sizes.values()}
    found = {}
    for name, w in net.parameters.items():
        shape = [int(size.xreplace(sizes)) for size in w.shape]
        found[name] = rng.standard_normal(shape if w.cols != 1 else shape[:1]) / np.sqrt(n_a)
    return found


def stack(cell: str, layers: int, params: dict[str, Any], x: Any, y: Any) -> Callable[[], Result]:
    """Loss and gradients of a softmax on a bidirectional stack, by eager PyTorch."""
    import torch

    n = params[f"W_{GATES[cell][0]}a_fwd_l1"].shape[0]
    make = torch.nn.LSTM if cell == "lstm" else torch.nn.GRU
    net = make(x.shape[-1], n, layers, bidirectional=True).double()
    head = torch.nn.Linear(2 * n, y.shape[-1]).double()
    parts = rows(cell, layers)
    with torch.no_grad():
        for name, blocks in parts.items():
            target = getattr(net, name)
            zeros = np.zeros((n, *target.shape[1:]))
            values = [zeros if block is None else params[block] for block in blocks]
            target.copy_(torch.as_tensor(np.concatenate(values)))
        head.weight.copy_(torch.as_tensor(params["W_ya"]))
        head.bias.copy_(torch.as_tensor(params["b_y"]))
    inputs, targets = torch.as_tensor(x), torch.as_tensor(y)
    leaves = [*net.parameters(), *head.parameters()]

    def run() -> Result:
        for leaf in leaves:
            leaf.grad = None
        loss = -(targets * torch.log_softmax(head(net(inputs)[0]), -1)).sum()
        loss.backward()
        found = {"W_ya": head.weight.grad.numpy(), "b_y": head.bias.grad.numpy()}
        for name, blocks in parts.items():
            gradient = getattr(net, name).grad.numpy()
            for i, block in enumerate(blocks):
                if block is not None:
                    found[block] = gradient[i * n : (i + 1) * n]
        return loss.item(), found

    return run
