"""Lyapunov exponents of the Jacobian product of a recurrence: the exact rates, one a direction.

λ_i = lim 1/T · log of the i-th singular value of J⟨T⟩ … J⟨1⟩: gradients vanish along directions of
λ < 0 and explode along those of λ > 0. By the method of Benettin, Galgani, Giorgilli & Strelcyn
(1980, Meccanica 15): a frame of orthonormal directions is carried along and made orthonormal again
at every step, J⟨i⟩ Q⟨i-1⟩ = Q⟨i⟩ R⟨i⟩, and λ is the mean of log of the diagonal of |R⟨i⟩|.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnsym.errors import InputError
from rnnsym.flow.jacobians import Jacobians, jacobians
from rnnsym.flow.recurrent import recurrence_of
from rnnsym.flow.setting import setting
from rnnsym.network import Network

Array = NDArray[np.float64]
STEPS = 1000


@dataclass(frozen=True, eq=False)
class Lyapunov:
    """Lyapunov exponents, in nats a step.

    exponents: all n of them, largest first; minus infinity where a direction is lost altogether;
    steps: how many steps they are the mean of; skipped: how many before were left out, in which
    the frame turns to where it belongs; mean_log_det: the mean of log |det J⟨i⟩|, which their sum
    equals.
    """

    state: str
    exponents: Array
    steps: int
    skipped: int
    mean_log_det: float

    @property
    def largest(self) -> float:
        """The rate of the longest products: e^largest a step."""
        return float(self.exponents[0])

    @property
    def rates(self) -> Array:
        """e^λ: what a direction is multiplied by at a step, in the geometric mean."""
        return np.exp(self.exponents)

    def __repr__(self) -> str:
        few = ", ".join(f"{x:.4g}" for x in self.exponents[:4])
        more = ", …" if len(self.exponents) > 4 else ""
        return f"<Lyapunov exponents of {self.state} over {self.steps} steps: {few}{more}>"


def lyapunov(
    net: Network, steps: int | None = None, *, state: str | None = None, skip: int | None = None,
    **given: Any,
) -> Lyapunov:  # fmt: skip
    """The Lyapunov exponents of a network's recurrence along one sequence.

    state: which recurrence, by one of its states, where there are several; skip: how many steps
    to leave out at the beginning, a tenth by default. Other arguments are those of `flow`: sizes,
    seed, params, x, y, initial, radius, sigma. Inputs that are not given are random.

    Raises InputError as `flow` does, and where nothing would be left to take the mean of.
    """
    r = recurrence_of(net, state)
    if steps is None and given.get("x") is None and given.get("y") is None:
        steps = STEPS
    return exponents(jacobians(setting(net, steps, **given), r), skip)


def exponents(found: Jacobians, skip: int | None = None) -> Lyapunov:
    """The exponents of Jacobians that are known already. Raises InputError for a bad `skip`."""
    count, n = found.matrices.shape[:2]
    skip = count // 10 if skip is None else skip
    if isinstance(skip, bool) or not isinstance(skip, int) or not 0 <= skip < count:
        raise InputError(f"skip must be a number of steps from 0 to {count - 1}, not {skip!r}")
    if not np.isfinite(found.matrices).all():
        raise InputError("a Jacobian is not finite: choose smaller weights")
    frame, total, volume = np.eye(n), np.zeros(n), 0.0
    with np.errstate(divide="ignore"):
        for i, matrix in enumerate(found.matrices):
            frame, triangle = np.linalg.qr(matrix @ frame)
            if i >= skip:
                total += np.log(np.abs(np.diagonal(triangle)))
                volume += float(np.linalg.slogdet(matrix)[1])
    kept = count - skip
    ordered = np.sort(total / kept)[::-1]
    return Lyapunov(found.recurrence.name, ordered, kept, skip, volume / kept)
