"""Whether a user's gradients are those of the loss that the same function returns.

Part of the diagnosis: where they are, the backward pass is right and the forward pass is that of
another network. Central differences of the returned loss, along random directions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rnnsym.codecheck.runs import Run, Runner

STEP = 1e-5
AGREEMENT = 1e-5
DIRECTIONS = 3


def consistent(runner: Runner, run: Run, names: Sequence[str]) -> list[str]:
    """The parameters whose gradients are derivatives of the returned loss."""
    rng = np.random.default_rng(0)
    found = []
    for name in names:
        gradient = run.gradient(name)
        if gradient is None or run.loss is None:
            continue
        size = float(np.max(np.abs(gradient), initial=0.0))
        pairs = []
        for _ in range(DIRECTIONS):
            v = rng.standard_normal(gradient.shape)
            slope = _slope(runner, run, name, v)
            if slope is None:
                return []
            pairs.append((float(np.sum(gradient * v)), slope))
        worst = max(abs(a - b) for a, b in pairs)
        if size > 0 and worst <= AGREEMENT * max(size, *(abs(b) for _, b in pairs)):
            found.append(name)
    return found


def _slope(runner: Runner, run: Run, name: str, v: np.ndarray) -> float | None:
    """The derivative of the returned loss along v."""
    values = run.point.values
    losses = []
    for sign in (1, -1):
        moved = {**values.parameters, name: values.parameters[name] + sign * STEP * v}
        loss = runner.at(run.point, replace(values, parameters=moved)).loss
        if loss is None or not np.isfinite(loss):
            return None
        losses.append(loss)
    return (losses[0] - losses[1]) / (2 * STEP)
