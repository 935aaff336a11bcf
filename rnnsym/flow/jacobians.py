"""Products of Jacobians along a recurrence, and the bound that they obey where there is one.

‖J⟨t⟩ … J⟨k+1⟩‖ for every pair of steps, of the closed form of J that the calculus has, evaluated
along a trajectory. Where J⟨i⟩ = diag(g′(z⟨i⟩)) W, no product is longer than (γ σ_max(W))^(t-k).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sympy import DiagMatrix, Integer, MatrixExpr

from rnnsym.algebra import factors, mul, split
from rnnsym.evaluate.arithmetic import NumpyArithmetic
from rnnsym.evaluate.expression import Evaluator
from rnnsym.evaluate.trajectory import Trajectory
from rnnsym.flow.recurrent import Recurrence
from rnnsym.flow.setting import Setting, largest_singular, spectral_radius
from rnnsym.flow.slopes import Slope, slope
from rnnsym.nodes import Apply, Joined, t, time_vectors

Array = NDArray[np.float64]
#: relative; norms are rounded
ROUNDING = 1e-9
OTHER = "the Jacobian of one step is not diag(g′(z)) times a matrix that stays the same"


@dataclass(frozen=True)
class Coverage:
    """Whether J⟨i⟩ = diag(g′(z⟨i⟩)) W, the form that the bound is proved for.

    weight: W, a matrix that is the same at every step; slope: γ of g (None for J⟨i⟩ = W, where it
    is 1); why: what stands in the way, or nothing if the bound applies.
    """

    weight: MatrixExpr | None
    slope: Slope | None
    why: str

    @property
    def applies(self) -> bool:
        return not self.why

    @property
    def gamma(self) -> float:
        return 1.0 if self.slope is None else float(self.slope.supremum)


def coverage(r: Recurrence) -> Coverage:
    """Read off the Jacobian of one step."""
    number, rest = split(r.primed)
    if number != 1 and not isinstance(number, Joined):  # a gate is 0 or 1, and lengthens nothing
        return Coverage(None, None, OTHER)
    first, *others = factors(rest)
    inner = first.args[0] if isinstance(first, DiagMatrix) else first
    # of one unit, diag(g′(z)) is g′(z) itself
    slopes = inner is not first or (isinstance(first, Apply) and first.shape == (1, 1))
    weight = mul(*others) if slopes and others else rest
    if time_vectors(weight) or weight.shape != rest.shape:
        return Coverage(None, None, OTHER)
    if not slopes:
        return Coverage(weight, None, "")
    if not isinstance(inner, Apply) or inner.order != 1:
        return Coverage(None, None, OTHER)
    found = slope(inner.function)
    if found is None:
        return Coverage(weight, None, f"{inner.function} may be any function: nothing bounds its "
                        "derivative")  # fmt: skip
    if not found.bounded:
        return Coverage(weight, found, f"no bound is known for the derivative of {found.function}")
    return Coverage(weight, found, "")


@dataclass(frozen=True)
class Bound:
    """‖J⟨t⟩ … J⟨k+1⟩‖ ≤ rate^(t-k), with rate = γ σ_max(W).

    weight: W; radius: its spectral radius, which is not what the bound is made of.
    """

    weight: MatrixExpr
    gamma: float
    sigma: float
    radius: float

    @property
    def rate(self) -> float:
        return self.gamma * self.sigma


@dataclass(frozen=True, eq=False)
class Jacobians:
    """The Jacobians of a recurrence along a trajectory.

    steps: the times i, in the order of the recurrence; matrices: J⟨i⟩, shape (steps, n, n).
    """

    recurrence: Recurrence
    steps: tuple[int, ...]
    matrices: Array
    coverage: Coverage
    bound: Bound | None

    @cached_property
    def log_norms(self) -> Array:
        """log ‖J⟨t⟩ … J⟨k+1⟩‖₂, a row for each t and a column for each k; NaN where k is not
        before t, zero on the diagonal (the empty product)."""
        count = len(self.steps)
        result = np.full((count, count), np.nan)
        for k in range(count):
            result[k, k] = 0.0
            product, length = np.eye(self.matrices.shape[1]), 0.0
            for i in range(k + 1, count):
                product = self.matrices[i] @ product
                norm = largest_singular(product) if np.isfinite(product).all() else np.inf
                if not 0 < norm < np.inf:  # all further ones are the same
                    result[i:, k] = -np.inf if norm == 0 else np.inf
                    break
                product, length = product / norm, length + np.log(norm)
                result[i, k] = length
        return result

    def by_distance(self) -> tuple[Array, Array]:
        """(largest, median) of log ‖J⟨t⟩ … J⟨k+1⟩‖ over t, for t - k = 0, 1, …"""
        diagonals = [np.diagonal(self.log_norms, -d) for d in range(len(self.steps))]
        return np.array([d.max() for d in diagonals]), np.array([np.median(d) for d in diagonals])

    def obeys_bound(self) -> bool | None:
        """Whether every product does; None where no bound applies."""
        if self.bound is None:
            return None
        with np.errstate(divide="ignore", invalid="ignore"):
            limits = np.arange(len(self.steps)) * np.log(self.bound.rate)
        limits[0] = 0.0
        return bool(np.all(self.by_distance()[0] <= limits + ROUNDING * np.arange(len(self.steps))))

    def __repr__(self) -> str:
        name, size = self.recurrence.name, self.matrices.shape[1]
        return f"<Jacobians of {name}: {len(self.steps)} steps, {size} × {size}>"


def jacobians(setting: Setting, r: Recurrence) -> Jacobians:
    """The Jacobians of a recurrence at a setting, in float64."""
    ar = NumpyArithmetic()
    run = Trajectory(setting.net, setting.point(ar), ar)
    covered = coverage(r)
    times = steps_of(r, run)
    state = r.block.names[0]
    with np.errstate(all="ignore"):  # states may overflow where Jacobians do not
        for time in times:  # in the order of the recurrence
            run.value((state, time))
        matrices = evaluated(r.jacobian, run, times)
    bound = None
    if covered.applies and covered.weight is not None:
        (w,) = evaluated(covered.weight, run, times[:1])
        bound = Bound(covered.weight, covered.gamma, largest_singular(w), spectral_radius(w))
    return Jacobians(r, times, np.array(matrices), covered, bound)


def steps_of(r: Recurrence, run: Trajectory) -> tuple[int, ...]:
    """The times of a recurrence in its own order."""
    first, last = run.spans[r.block.names[0]]
    times = range(first, last + 1)
    return tuple(times if r.block.direction > 0 else reversed(times))


def evaluated(e: MatrixExpr, run: Trajectory, times: Iterable[int]) -> list[Any]:
    """A closed form at each of some times."""
    found = []
    for time in times:
        symbols = {**run.point.symbols, t: Integer(time)}
        found.append(Evaluator(run.ar, run.leaf, symbols)(e))
    return found
