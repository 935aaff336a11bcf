"""Runs: a user's function at every point, with errors against the truth.

Between the points and the verdicts. A run is a point with what the function gave there, scaled to
the loss that is summed over time and batch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnsym.codecheck.layout import Values
from rnnsym.codecheck.points import Point
from rnnsym.codecheck.results import Outcome
from rnnsym.verify.case import relative_error

Array = NDArray[Any]
Subject = Callable[[Values], Outcome]

#: relative error up to which nothing is to be said
EXACT = 1e-10
#: up to which a gradient in float64 is right: an epsilon in a logarithm, a numerical derivative
TOLERANCE = 1e-6
#: the same for a gradient in single precision
SINGLE = 3e-4
#: a gradient smaller than this, relative to the largest of all, is as good as zero
VANISHING = 1e-9
#: an entry below this part of the bound is not clipped
INSIDE = 1 - 1e-9


@dataclass
class Run:
    """A point and the outcome of the call there; factor: of the stated loss, already applied;
    bounds: what gradients are clipped to, before that factor."""

    point: Point
    outcome: Outcome
    factor: float
    seconds: float
    bounds: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def scale(self) -> float:
        """The largest entry of all true gradients."""
        return max((float(np.max(np.abs(g))) for g in self.point.gradients.values()), default=1.0)

    def gradient(self, name: str) -> Array | None:
        """The user's gradient, as of the summed loss; None if there is none."""
        found = self.outcome.gradients.get(name)
        return None if found is None or name in self.outcome.faults else self.factor * found

    @property
    def loss(self) -> float | None:
        """The user's loss, as summed."""
        return None if self.outcome.loss is None else self.factor * self.outcome.loss

    def bound(self, name: str) -> float:
        """What a gradient is clipped to, elementwise, as of the summed loss."""
        return self.bounds.get(name, np.inf) * self.factor

    def clip(self, name: str, array: Array) -> Array:
        """An array clipped as the gradient is."""
        bound = self.bound(name)
        return np.clip(array, -bound, bound) if bound < np.inf else array

    def tolerance(self, name: str) -> float:
        """The relative error up to which a gradient is right."""
        found = self.outcome.gradients.get(name)
        return SINGLE if found is not None and in_single(found) else TOLERANCE

    def error(self, name: str) -> float:
        """The largest relative error of a gradient; infinite where there is none."""
        found = self.gradient(name)
        return np.inf if found is None else self.distance(found, name)

    def distance(self, found: Array, name: str) -> float:
        """How far an array is from the true gradient, relative to its largest entry."""
        true = self.point.true(name)
        if found.shape != true.shape:
            return np.inf
        if np.max(np.abs(true), initial=0.0) < VANISHING * self.scale:
            return float(np.max(np.abs(found - true), initial=0.0) / max(self.scale, 1e-30))
        return relative_error(found, true)

    def through(self, found: Array, name: str) -> float:
        """The same distance with both clipped as the gradient is."""
        true = self.point.true(name)
        small = np.max(np.abs(true), initial=0.0) < VANISHING * self.scale
        if self.bound(name) == np.inf or found.shape != true.shape or small:
            return self.distance(self.clip(name, found), name)
        return relative_error(self.clip(name, found), self.clip(name, true))

    def fits(self, name: str) -> bool:
        """Whether the gradient by a parameter is right here, clipped as it is."""
        return self.right(name) or (
            self.bound(name) < np.inf and self.equals(name, self.point.true(name))
        )

    def right(self, name: str) -> bool:
        """Whether the gradient by a parameter is right here."""
        return self.error(name) <= self.tolerance(name)

    def equals(self, name: str, other: Any) -> bool:
        """Whether the user's gradient is another array, clipped as it is, to its precision."""
        found = self.gradient(name)
        if found is None or np.shape(other) != found.shape:
            return False
        size = float(np.max(np.abs(other), initial=0.0))
        other = self.clip(name, other)
        if size < VANISHING * self.scale:
            return bool(np.max(np.abs(found - other), initial=0.0) <= TOLERANCE * self.scale)
        return relative_error(found, other) <= self.tolerance(name)


class Runner:
    """Calls the function at points, as the adapter says what its gradient is of."""

    def __init__(self, subject: Subject, loss: str) -> None:
        self.subject, self.loss = subject, loss
        self.calls = 0
        self.bounds: Mapping[str, float] = {}  # what gradients are clipped to, once known

    def at(self, point: Point, values: Values | None = None) -> Run:
        """Call the function at a point (or with other values there)."""
        start = time.perf_counter()
        outcome = self.subject(point.values if values is None else values)
        self.calls += 1
        seconds = time.perf_counter() - start
        return Run(point, outcome, self.factor(point), seconds, self.bounds)

    def clipped(self, bounds: Mapping[str, float], runs: Sequence[Run]) -> None:
        """Gradients are clipped to bounds: in these calls, and in those to come."""
        self.bounds = bounds
        for run in runs:
            run.bounds = bounds

    def factor(self, point: Point) -> float:
        """From the loss that the gradient is of to the sum over time and batch."""
        return factor_of(self.loss, point)


def factor_of(loss: str, point: Point) -> float:
    """How many times a stated loss is the sum over time and batch."""
    factor = 1.0
    if loss in ("mean", "mean over time"):
        factor *= point.losses
    if loss in ("mean", "mean over batch"):
        factor *= point.batch or 1
    return factor


def in_single(array: Array) -> bool:
    """Whether an array holds single-precision numbers, as they are or converted."""
    if array.dtype in (np.float32, np.float16):
        return True
    if array.dtype != np.float64 or not array.size or not np.any(array):
        return False
    with np.errstate(over="ignore"):
        return bool(np.array_equal(array.astype(np.float32).astype(np.float64), array))


def ratio(found: Array, other: Array, bound: float = np.inf) -> float | None:
    """c with found = c · other, clipped to ±bound, if there is one."""
    if found.shape != other.shape:
        return None
    inside = np.abs(found) < bound * INSIDE
    square = float(np.sum(other[inside] ** 2))
    if square == 0:
        return None
    c = float(np.sum(found[inside] * other[inside])) / square
    difference = np.abs(found - np.clip(c * other, -bound, bound))
    fits = np.max(difference) <= 1e-6 * max(abs(c), 1e-12) * np.max(np.abs(other))
    return c if fits else None
