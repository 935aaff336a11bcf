"""Truth at a point, shared: what does not vary with a derivative is computed once.

Used by `scene`. Values and derivatives are those of `rnnsym.evaluate`; what this adds is that a
dual trajectory begins with the plain values of all nodes that its seeds do not reach.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from sympy import MatrixSymbol

from rnnsym.evaluate.dual import Dual, DualArithmetic
from rnnsym.evaluate.expression import Evaluator
from rnnsym.evaluate.point import shape
from rnnsym.evaluate.trajectory import (
    DualTrajectory,
    Key,
    Matrix,
    Trajectory,
    Truth,
    _parts,
    _units,
)
from rnnsym.nodes import Apply, Softmax, parameters


class SharedTruth(Truth):
    """`Truth` whose dual trajectories share what is the same in all of them."""

    #: derivatives of one quantity by another, as `rnnsym.claims.scene` asks for them
    jacobians: dict[Any, Any]

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.jacobians = {}

    def trajectory(
        self, v: Any, free: frozenset[Key] | None = None, alone: bool = False
    ) -> DualTrajectory:
        """The dual trajectory in which v varies; with `free`, all other states are held, or, if
        these vary alone, all other quantities."""
        key = v, free, alone
        if key not in self._trajectories:
            shapes = [(name, *shape(node, self.point.symbols)) for node, name in _parts(v)]
            total = sum(r * c for _, r, c in shapes)
            seeds: dict[Key, tuple[Matrix, ...]] = {}
            start = 0
            for name, rows, cols in shapes:
                seeds[name] = _units(self.base, rows, cols, start, total)
                start += rows * cols
            self._trajectories[key] = _Sharing(self, seeds, free, alone)
        return self._trajectories[key]

    @cached_property
    def users(self) -> dict[Key, list[Key]]:
        """For each parameter (at time None) and each vector at a time: the nodes that use it."""
        found: dict[Key, list[Key]] = {}
        plain = self.plain
        held = {n: [w.name for w in parameters(e.rhs)] for n, e in self.net.equations.items()}
        start = {n: [w.name for w in parameters(e.rhs)] for n, e in self.net.initial.items()}
        for name, (first, last) in plain.spans.items():
            if name in self.net.equations:
                for time in range(first, last + 1):
                    self._enter(found, (name, time), held[name], plain.needs[name])
        for name in self.net.initial:
            self._enter(found, (name, plain.starts[name]), start[name], plain.before[name])
        return found

    @staticmethod
    def _enter(found: dict[Key, list[Key]], node: Key, weights: Any, uses: Any) -> None:
        for weight in weights:
            found.setdefault((weight, None), []).append(node)
        for name, at, relative in uses:
            time = at + (node[1] or 0) if relative else at
            found.setdefault((name, time), []).append(node)

    @cached_property
    def still(self) -> dict[Key, Dual]:
        """The plain values of all nodes, as dual numbers that do not vary."""
        nodes = dict.fromkeys(node for used in self.users.values() for node in used)
        return {node: Dual(self.plain.value(node)) for node in nodes}

    def reached(self, seeds: Any) -> set[Key]:
        """The nodes that vary with the seeds."""
        agenda, found = list(seeds), set(seeds)
        while agenda:
            for node in self.users.get(agenda.pop(), ()):
                if node not in found:
                    found.add(node)
                    agenda.append(node)
        return found


class _Sharing(DualTrajectory):
    """A dual trajectory that takes from the plain one what does not depend on the seeds."""

    def __init__(
        self,
        truth: SharedTruth,
        seeds: dict[Key, tuple[Matrix, ...]],
        free: frozenset[Key] | None,
        alone: bool = False,
    ) -> None:
        plain: Trajectory = truth.plain
        self.net, self.point, self.ar = plain.net, plain.point, DualArithmetic(truth.base)
        self.evaluator = Evaluator(self.ar, self.leaf, plain.point.symbols)
        self.spans, self.needs = plain.spans, plain.needs
        self.starts, self.before = plain.starts, plain.before
        self.seeds, self.free, self.alone = seeds, free, alone
        # the arguments of functions that nobody has named vary all the same
        self.named = {e.lhs.name for e in plain.net.source}
        varying = truth.reached(seeds)
        self.values = {k: v for k, v in truth.still.items() if k not in varying}

    def wrap(self, key: Key, value: Dual) -> Dual:
        held = self.alone and key not in self.seeds and key not in (self.free or ())
        if held and key[0] in self.named:
            return Dual(value.value)
        return super().wrap(key, value)


def applied(net: Any, name: str) -> bool:
    """Whether a vector is an elementwise function, or the softmax, of something."""
    equation = net.equations.get(name)
    return equation is not None and isinstance(equation.rhs, Apply | Softmax)


class Inside(DualTrajectory):
    """A dual trajectory in which the argument of the function that gives a vector varies."""

    def __init__(self, net: Any, point: Any, base: Any, key: Key) -> None:
        super().__init__(net, point, base, {})
        self.key, self.base = key, base

    def wrap(self, key: Key, value: Dual) -> Dual:
        if key != self.key:
            return value
        rhs = self.net.equations[key[0]].rhs
        argument = self.evaluator(rhs.argument).value
        rows = self.base.shape(argument)[0]
        seeded = Dual(argument, _units(self.base, rows, 1, 0, rows))
        name = MatrixSymbol("·", *rhs.argument.shape)
        symbols = self.evaluator.symbols
        outer = Evaluator(self.ar, lambda node, time: seeded, symbols)
        found: Dual = outer(rhs.xreplace({rhs.argument: name}))
        return found
