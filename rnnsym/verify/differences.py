"""Complex step and central differences: derivatives from values of the forward equations alone.

Two kinds of evidence. Small networks are probed entry by entry, large ones along random
directions: a gradient G is compared with the derivative along V through ⟨G, V⟩.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from rnnsym.evaluate.arithmetic import NumpyArithmetic
from rnnsym.verify.case import Array, Case, compare
from rnnsym.verify.report import Evidence, Findings

#: up to this many (forward evaluations · time steps), every entry is probed by itself
ENTRYWISE = 1000
DIRECTIONS = 6
#: far below any rounding: the complex step has no subtraction that could lose digits
COMPLEX_STEP = 1e-30
#: step sizes of central differences: to observe the order, and then for the single entries
LADDER = tuple(2.0**-k for k in range(4, 17, 2))
FINE = (1e-3, 1e-4, 1e-5)
FINEST = (1e-4, 1e-5, 1e-6, 1e-7)
FINITE_TOLERANCE = 1e-6


def entrywise(case: Case) -> bool:
    """Whether the network is small enough to probe every entry of every parameter."""
    entries = sum(w.size for w in case.parameters.values())
    return bool(entries * case.point(NumpyArithmetic()).steps <= ENTRYWISE)


def directions(case: Case, name: str, count: int | None = None) -> Iterator[Array]:
    """Directions V in the shape of a parameter: all unit ones if count is None, else random."""
    shape = case.parameters[name].shape
    if count is None:
        for place in np.ndindex(shape):
            unit = np.zeros(shape)
            unit[place] = 1.0
            yield unit
    else:
        rng = np.random.default_rng([case.seed, len(name), *name.encode()])
        for _ in range(count):
            v = rng.standard_normal(shape)
            yield v / np.linalg.norm(v)


def complex_step(case: Case) -> Findings:
    """Im L(θ + ihV) / h with h = 1e-30 (Squire & Trapp 1998, SIAM Review 40): no cancellation."""
    ar = NumpyArithmetic(np.complex128)
    count = None if entrywise(case) else DIRECTIONS
    result = {}
    for name, gradient in case.gradients.items():
        truth, found = [], []
        for v in directions(case, name, count):
            moved = case.parameters[name] + 1j * COMPLEX_STEP * v
            value = case.value(ar, {**case.parameters, name: moved})
            truth.append(float(value[0, 0].imag) / COMPLEX_STEP)
            found.append(float(np.sum(gradient * v)))
        evidence = compare(np.array(found), np.array(truth))
        result[name] = _reshaped(evidence, gradient, found, truth, count)
    note = f"complex step h = {COMPLEX_STEP:g} of the forward equations, {_probed(count)}"
    value = float(case.value(ar)[0, 0].real)
    return Findings(result, note, case.compare_loss(value))


def _reshaped(
    evidence: Evidence, gradient: Array, found: list[float], truth: list[float], count: int | None
) -> Evidence:
    """The same evidence, its detail naming the entry of the parameter instead of a position."""
    more = {**evidence.more, "directions": len(found)}
    if evidence.ok or count is not None:
        return Evidence(evidence.ok, evidence.error, evidence.detail, more)
    tolerance = 0.0  # the worst entry is wanted, not another verdict
    shaped = compare(gradient, np.reshape(truth, gradient.shape), tolerance)
    return Evidence(False, evidence.error, shaped.detail, more)


def _probed(count: int | None) -> str:
    return "every entry" if count is None else f"{count} random directions for each parameter"


def finite_difference(case: Case) -> Findings:
    """(L(θ + hV) - L(θ - hV)) / 2h, with the order of convergence that is observed."""
    ar = NumpyArithmetic()
    count = None if entrywise(case) else DIRECTIONS // 2
    smooth = not case.net.functions & {"relu", "step"}
    scale = abs(float(case.value(ar)[0, 0]))
    orders: list[float] = []
    result = {}
    for name, gradient in case.gradients.items():
        order = []
        truth, found = [], []
        for v in directions(case, name, count or 2):
            ladder = LADDER if smooth else (*LADDER, *FINEST)
            quotients = [_central(case, ar, name, v, h) for h in ladder]
            order += observed_orders(quotients, ladder, scale)
            truth.append(plateau(quotients))
            found.append(float(np.sum(gradient * v)))
        if count is None:
            truth, found = [], []
            for v in directions(case, name):
                steps = FINE if smooth else FINEST
                truth.append(plateau([_central(case, ar, name, v, h) for h in steps]))
                found.append(float(np.sum(gradient * v)))
        orders += order
        evidence = compare(np.array(found), np.array(truth), FINITE_TOLERANCE)
        evidence = _reshaped(evidence, gradient, found, truth, count)
        median = float(np.median(order)) if order else None
        more = {**evidence.more, "order": median}
        result[name] = Evidence(evidence.ok, evidence.error, evidence.detail, more)
    note = (
        f"central differences in float64, {_probed(count)}, tolerance {FINITE_TOLERANCE:g}; "
        f"{_order_text(orders, smooth)}"
    )
    return Findings(result, note)


def _central(case: Case, ar: NumpyArithmetic, name: str, v: Array, h: float) -> float:
    with np.errstate(invalid="ignore", divide="ignore"):
        up, down = (
            case.value(ar, {**case.parameters, name: case.parameters[name] + sign * h * v})
            for sign in (1, -1)
        )
    return float((up - down)[0, 0]) / (2 * h)


def plateau(quotients: list[float]) -> float:
    """The quotient where two neighbouring step sizes agree best.

    Above it the truncation error h² dominates (or a kink of relu lies within h), below it the
    rounding error 1/h.
    """
    # a step that leaves the domain of a logarithm gives no number
    gaps = np.nan_to_num([abs(a - b) for a, b in pairwise(quotients)], nan=np.inf)
    return quotients[int(np.argmin(gaps)) + 1]


def observed_orders(quotients: list[float], ladder: Any, scale: float) -> list[float]:
    """log(gap / next gap) / log(ratio of steps), where both gaps are well above rounding."""
    orders = []
    gaps = [a - b for a, b in pairwise(quotients)]
    for i in range(len(gaps) - 1):
        rounding = 1000 * np.finfo(float).eps * max(scale, 1e-3) / ladder[i + 2]
        if min(abs(gaps[i]), abs(gaps[i + 1])) > rounding:  # false for NaN
            ratio = math.log(ladder[i + 1] / ladder[i + 2])
            orders.append(math.log(abs(gaps[i] / gaps[i + 1])) / ratio)
    # the last ones are the asymptotic ones
    return orders[-2:]


def _order_text(orders: list[float], smooth: bool) -> str:
    if not orders:
        return "exact to rounding at every step size, so no order is observed"
    text = f"observed order of convergence {np.median(orders):.2f} (2 expected)"
    return text if smooth else f"{text}; relu has kinks, which lower it where one lies within h"
