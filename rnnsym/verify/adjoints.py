"""The backward pass as it was derived, run by the trusted evaluator in any arithmetic.

What is under test is a `System` of equations for adjoints δ; the values are computed on demand,
from the last step backwards, without recursion in time. Used by the exact test and by mutations.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sympy import Expr, Integer, MatAdd, MatrixExpr

from rnnsym.derive.adjoint import AdjointSystem
from rnnsym.evaluate.expression import Evaluator
from rnnsym.evaluate.trajectory import Trajectory
from rnnsym.network import Network
from rnnsym.nodes import Adjoint, TimeSum, leaves, t

Matrix = Any
Key = tuple[str, int]


class Circular(ArithmeticError):
    """A changed system in which an adjoint depends on itself: it defines nothing."""


@dataclass(frozen=True, eq=False)  # as a key it is itself
class System:
    """Equations for δ of every node at time t, and gradients made of them.

    gradients: parameter -> ∇ as a sum over time; initial: state -> δ of its initial value;
    chunk: adjoints do not cross the border of chunks of this many steps (None: no borders).
    """

    equations: Mapping[str, MatrixExpr]
    gradients: Mapping[str, MatrixExpr]
    initial: Mapping[str, MatrixExpr]
    chunk: int | None = None


def derived_system(net: Network) -> System:
    """The system that rnnsym derives for a network."""
    derived = AdjointSystem(net)
    return System(
        derived.equations,
        {name: derived.gradient(w) for name, w in net.parameters.items()},
        {name: derived.initial(name) for name in (*net.initial_states, *net.initial)},
    )


class Adjoints:
    """Values of the adjoints of a system along a trajectory; zero outside of their steps."""

    def __init__(self, system: System, trajectory: Trajectory) -> None:
        self.system, self.trajectory = system, trajectory
        self.symbols = trajectory.point.symbols
        self.values: dict[Key, Matrix] = {}
        self.evaluator = Evaluator(trajectory.ar, trajectory.leaf, self.symbols, self._known)
        self.terms = {name: _summands(e) for name, e in system.equations.items()}
        net = trajectory.net
        self.starts = {(name, trajectory.starts[name]) for name in net.initial}

    def gradient(self, name: str) -> Matrix:
        """∇ by a parameter."""
        return self.evaluate(self.system.gradients[name])

    def initial(self, name: str) -> Matrix:
        """δ of the initial value of a state."""
        return self.evaluate(self.system.initial[name])

    def evaluate(self, e: MatrixExpr) -> Matrix:
        """The value of any expression in forward values and adjoints."""
        evaluator = Evaluator(
            self.trajectory.ar, self.trajectory.leaf, self.symbols, lambda d: self.value(_key(d))
        )
        return evaluator(e)

    def _known(self, d: Any) -> Matrix:
        key = _key(d)
        return self.values[key] if self._exists(key) else self._zero(key[0])

    def _exists(self, key: Key) -> bool:
        name, time = key
        first, last = self.trajectory.spans[name]
        return first <= time <= last or key in self.starts

    def _zero(self, name: str) -> Matrix:
        rows = self.evaluator.number(self.trajectory.net.vectors[name].rows)
        return self.trajectory.ar.full(rows, 1, 0)

    def value(self, key: Key) -> Matrix:
        """δ of (name, time), computing the later ones that it needs first.

        Raises Circular if it is needed for itself.
        """
        if not self._exists(key):
            return self._zero(key[0])
        agenda, opened = [key], set[Key]()
        while agenda:
            top = agenda[-1]
            if top in self.values:
                agenda.pop()
                continue
            symbols = {**self.symbols, t: Integer(top[1])}
            summands = [e for e in self._equation(top) if self._flows(e, top[1], symbols)]
            needed = [k for e in summands for k in self._needs(e, symbols)]
            waiting = [k for k in needed if k not in self.values]
            if waiting:
                if top in opened:  # all that it waited for has been computed by then
                    raise Circular(f"δ of {top[0]} at {top[1]} depends on itself")
                opened.add(top)
                agenda += waiting
            else:
                self.values[top] = self._sum(top[0], summands, symbols)
        return self.values[key]

    def _equation(self, key: Key) -> tuple[MatrixExpr, ...]:
        if key in self.starts:
            return _summands(self.system.initial[key[0]])
        return self.terms[key[0]]

    def _flows(self, e: MatrixExpr, time: int, symbols: Mapping[Any, Any]) -> bool:
        """Whether a summand of δ⟨time⟩ is there: it is not, if all its δ lie outside, or if its
        number is zero."""
        if e.args and not isinstance(e.args[0], MatrixExpr):
            number = e.args[0].xreplace(symbols) if isinstance(e.args[0], Expr) else 1
            if number == 0:
                return False
        uses = [d.of for d in leaves(e, Adjoint) if _relative(d)]
        return not uses or any(
            self._exists((v.name, at)) and self._same_chunk(time, at)
            for v in uses
            for at in [int(v.time.xreplace(symbols))]
        )

    def _same_chunk(self, a: int, b: int) -> bool:
        chunk = self.system.chunk
        return chunk is None or (a - 1) // chunk == (b - 1) // chunk

    def _needs(self, e: MatrixExpr, symbols: Mapping[Any, Any]) -> Iterator[Key]:
        """The adjoints in a summand, those of each step where it is a sum over time."""
        if isinstance(e, TimeSum):
            number = self.evaluator.number
            self.evaluator.symbols = dict(symbols)
            for i in range(number(e.lower), number(e.upper) + 1):
                yield from self._needs(e.body, {**symbols, e.index: Integer(i)})
        elif isinstance(e, Adjoint):
            key = e.of.name, int(e.of.time.xreplace(symbols))
            if self._exists(key):
                yield key
        else:
            for a in e.args:
                if isinstance(a, MatrixExpr):
                    yield from self._needs(a, symbols)

    def _sum(self, name: str, summands: list[Any], symbols: Mapping[Any, Any]) -> Matrix:
        self.evaluator.symbols = dict(symbols)
        total = self._zero(name)
        for e in summands:
            total = self.trajectory.ar.add(total, self.evaluator(e))
        return total


def _summands(e: MatrixExpr) -> tuple[MatrixExpr, ...]:
    return e.args if isinstance(e, MatAdd) else (e,)


def _relative(d: Adjoint) -> bool:
    return bool((d.of.time - t).is_Integer)


def _key(d: Any) -> Key:
    return d.of.name, int(d.of.time)
