"""The exact test: is the derived gradient the gradient, as an identity of rational functions?

The strongest kind of evidence. Weights, data and initial states are random elements of the field
of p = 2^61 - 1 elements, elementwise functions are oracles with the same differential equation;
the formula is evaluated there, and so is the truth, by dual numbers through the forward
equations alone. `IdentityTest` serves mutations as well.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from rnnsym.evaluate.field import FieldArithmetic, P
from rnnsym.evaluate.point import Point, field_point, shape
from rnnsym.evaluate.trajectory import DualTrajectory, Trajectory, Truth
from rnnsym.network import Network
from rnnsym.nodes import Gradient, T
from rnnsym.verify.adjoints import Adjoints, System, derived_system
from rnnsym.verify.case import Case
from rnnsym.verify.degree import (
    REQUIRED,
    DegreeArithmetic,
    chance,
    power_of_two,
    variable_point,
)
from rnnsym.verify.report import Evidence, Findings

Matrix = Any

#: up to this many (entries · time steps) in a parameter, each entry is compared by itself
ENTRYWISE = 500
MOST_POINTS = 8


class FieldPoint:
    """One random point of the field, with what is true there."""

    def __init__(self, net: Network, symbols: Mapping[Any, Any], seed: int) -> None:
        self.net, self.symbols, self.seed = net, symbols, seed
        self.ar = FieldArithmetic(seed)
        self.point: Point = field_point(net, self.ar, symbols, seed)
        self.truth = Truth(net, self.point, self.ar)
        self._slopes: dict[str, tuple[Matrix, int]] = {}

    def gradient(self, name: str) -> Matrix:
        """The true gradient, every entry."""
        return self.truth.derivative(Gradient(self.net.total_loss, self.net.parameters[name]))

    def slope(self, name: str) -> tuple[Matrix, int]:
        """A random direction V, and the true derivative of the loss along it."""
        if name not in self._slopes:
            rng = random.Random(f"{self.seed}/{name}")
            rows, cols = shape(self.net.parameters[name], self.symbols)
            v = self.ar.array([[rng.randrange(P) for _ in range(cols)] for _ in range(rows)])
            tangent = slope(self.net, self.point, self.ar, name, v)
            self._slopes[name] = v, 0 if tangent is None else int(tangent[0, 0])
        return self._slopes[name]

    def disagreement(self, name: str, found: Matrix, entrywise: bool) -> str | None:
        """Where the gradient found differs from the true one, or None."""
        if not entrywise:
            v, true = self.slope(name)
            along = sum(x * y for x, y in zip(found.entries(), v.entries(), strict=True))
            if int(along) == true:
                return None
            return f"⟨gradient, V⟩ is {along}, should be {true} (mod p, seed {self.seed})"
        gradient = self.gradient(name)
        if found == gradient:
            return None
        rows, cols = self.ar.shape(gradient)
        i, j = next(
            (i, j) for i in range(rows) for j in range(cols) if found[i, j] != gradient[i, j]
        )
        return f"entry [{i}, {j}] is {found[i, j]}, should be {gradient[i, j]} (mod p)"


def together(net: Network, symbols: Mapping[Any, Any], system: System, seed: int = 0) -> bool:
    """Whether all gradients of a system are right, in one random direction of all parameters.

    One evaluation forwards and one backwards, however many parameters there are: Σ ⟨∇_W, V_W⟩
    against the derivative of L along V. A wrong gradient passes as rarely as in `IdentityTest`.
    """
    point = FieldPoint(net, symbols, seed)
    rng = random.Random(seed)
    along: dict[Any, Any] = {}
    for name, w in net.parameters.items():
        rows, cols = shape(w, symbols)
        v = point.ar.array([[rng.randrange(P) for _ in range(cols)] for _ in range(rows)])
        along[name, None] = (v,)
    loss = DualTrajectory(net, point.point, point.ar, along).total_loss()
    true = 0 if loss.tangents is None else int(loss.tangents[0][0, 0])
    adjoints, found = Adjoints(system, point.truth.plain), point.ar.full(1, 1, 0)[0, 0]
    for name in net.parameters:
        pairs = zip(adjoints.gradient(name).entries(), along[name, None][0].entries(), strict=True)
        found += sum(x * y for x, y in pairs)
    return int(found) == true


def slope(net: Network, point: Point, ar: Any, name: str, v: Matrix) -> Matrix | None:
    """dL along V, a 1 × 1 matrix; None if L does not depend on the parameter."""
    loss = DualTrajectory(net, point, ar, {(name, None): (v,)}).total_loss()
    return None if loss.tangents is None else loss.tangents[0]


class IdentityTest:
    """Judges gradients of one network, at fixed sizes and T, at independent random points."""

    def __init__(self, net: Network, symbols: Mapping[Any, Any], seed: int = 0) -> None:
        self.net, self.symbols, self.seed = net, symbols, seed
        self._points: list[FieldPoint] = []

    def points(self) -> Iterator[FieldPoint]:
        """One random point after another."""
        for i in range(MOST_POINTS):
            if i == len(self._points):
                self._points.append(FieldPoint(self.net, self.symbols, MOST_POINTS * self.seed + i))
            yield self._points[i]

    def entrywise(self, name: str) -> bool:
        """Whether a parameter is small enough to compare every entry."""
        rows, cols = shape(self.net.parameters[name], self.symbols)
        return rows * cols * int(self.symbols[T]) <= ENTRYWISE

    def check(self, system: System, names: list[str]) -> dict[str, Evidence]:
        """Evidence for the gradients of a system; stops at the first refutation of each."""
        bounds = {name: 1.0 for name in names}
        found: dict[str, Evidence] = {}
        degrees = _Degrees(self.net, self.symbols, system)
        used = 0
        for point in self.points():
            try:
                self._at(point, system, names, found)
            except ZeroDivisionError:  # a point where some denominator vanishes says nothing
                continue
            used += 1
            pairs = degrees.coincidences(names, point.ar)
            for name in names:
                bounds[name] *= chance(degrees.of(name), pairs)
            if all(bounds[n] < REQUIRED for n in names if n not in found):
                break
        for name in names:
            if name not in found:
                found[name] = Evidence(
                    used > 0 and bounds[name] < REQUIRED,
                    0.0,
                    f"{_count(used, 'random point')}, degree ≤ {degrees.of(name)}",
                    {"probability": bounds[name], "points": used, "degree": degrees.of(name)},
                )
        return {name: found[name] for name in names}

    def _at(
        self, point: FieldPoint, system: System, names: list[str], found: dict[str, Evidence]
    ) -> None:
        adjoints = Adjoints(system, point.truth.plain)
        for name in names:
            if name not in found:
                why = point.disagreement(name, adjoints.gradient(name), self.entrywise(name))
                if why is not None:
                    found[name] = Evidence(False, None, why)

    def refutes(self, name: str, gradient: Any) -> str | None:
        """Why a gradient is wrong, or None; gradient(point) gives its value at a FieldPoint.

        Looks at one point only: enough to refute, and to pass with a probability of error that
        `check` would bound.
        """
        for point in self.points():
            try:
                return point.disagreement(name, gradient(point), self.entrywise(name))
            except ZeroDivisionError:
                continue
        raise ZeroDivisionError("a denominator vanishes at every point tried")


class _Degrees:
    """Bounds on the degree of gradient minus truth, by evaluating both in degrees."""

    def __init__(self, net: Network, symbols: Mapping[Any, Any], system: System) -> None:
        self.net, self.symbols, self.system = net, symbols, system
        self.ar = DegreeArithmetic()
        self._known: dict[str, int] = {}

    @cached_property
    def point(self) -> Point:
        return variable_point(self.net, self.ar, self.symbols)

    @cached_property
    def adjoints(self) -> Adjoints:
        return Adjoints(self.system, Trajectory(self.net, self.point, self.ar))

    def of(self, name: str) -> int:
        """A bound for the gradient by one parameter, along a random direction."""
        if name not in self._known:
            v = self.ar.variables(*shape(self.net.parameters[name], self.symbols))
            true = slope(self.net, self.point, self.ar, name, v) or self.ar.full(1, 1, 0)
            found = self.ar.hadamard(self.adjoints.gradient(name), v)
            self._known[name] = self.ar.difference(found, true)
        return self._known[name]

    def coincidences(self, names: list[str], field: FieldArithmetic) -> int:
        for name in names:
            self.of(name)
        return self.ar.coincidences(field)


def exact(case: Case) -> Findings:
    """The derived formula of every gradient, tested as an identity."""
    test = IdentityTest(case.net, case.symbols, case.seed)
    names = list(case.parameters)
    result = test.check(derived_system(case.net), names)
    worst = max((float(e.more.get("probability", 1.0)) for e in result.values()), default=1.0)
    degree = max((int(e.more.get("degree", 0)) for e in result.values()), default=0)
    points = max((int(e.more.get("points", 1)) for e in result.values()), default=1)
    scope = "every entry" if all(map(test.entrywise, names)) else "large ones in one direction V"
    note = f"the derived formulas as identities in the field of 2^61 - 1 elements, {scope}"
    if all(e.ok for e in result.values()):
        note += (
            f"; a wrong one would pass with probability < {power_of_two(worst)} "
            f"(Schwartz–Zippel: degree ≤ {degree}, {_count(points, 'random point')})"
        )
    return Findings(result, note)


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"
