"""What is checked of every flow: that its terms add up, and that nothing exceeds its bound.

The gradient is computed once more by a tape over the forward equations, which knows nothing of the
calculus.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnsym.evaluate.trajectory import Trajectory
from rnnsym.verify.case import relative_error
from rnnsym.verify.tape import Tape

#: two computations of one gradient in float64 differ by less, relative to its largest entry
TOLERANCE = 1e-10
ROUNDING = 1e-9


@dataclass(frozen=True)
class Check:
    """Something that was checked of a flow: what, whether it holds, and by what numbers."""

    name: str
    ok: bool
    detail: str


def checks(flow: Any) -> tuple[Check, ...]:
    """The checks of a `rnnsym.flow.Flow`."""
    error = relative_error(flow.gradient, taped(flow))
    found = [
        Check(
            "the terms add up to the gradient", error <= TOLERANCE,
            f"relative error {error:.1e}, against a tape over the forward equations",
        )
    ]  # fmt: skip
    if flow.bound is not None:
        found.append(Check(
            "no product of Jacobians exceeds (γ σ_max)^(t−k)", bool(flow.jacobians.obeys_bound()),
            f"{len(flow.jacobians.steps)} Jacobians, all products of them",
        ))  # fmt: skip
    if flow.constant is not None:
        limits = flow.bound_at(flow.distances.clip(0))
        below = (flow.norms <= limits * (1 + ROUNDING)) | (flow.distances < 0)
        found.append(Check("no term exceeds C (γ σ_max)^(t−k)", bool(below.all()),
                           f"{int((flow.distances >= 0).sum())} terms"))  # fmt: skip
    return tuple(found)


def taped(flow: Any) -> NDArray[np.float64]:
    """The gradient of the whole loss by the tape; shape of the parameter."""
    tape = Tape()
    point = flow.setting.point(tape)
    tape.backward(Trajectory(flow.net, point, tape).total_loss())
    node = point.parameters[flow.wrt]
    found = np.zeros_like(node.value) if node.gradient is None else node.gradient
    return found.reshape(flow.terms.shape[2:])
