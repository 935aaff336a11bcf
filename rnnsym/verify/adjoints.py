"""The backward pass as it was derived, run by the trusted evaluator in any arithmetic.

What is under test is a `System` of equations for adjoints δ; the values are computed on demand,
from the last step backwards, without recursion in time. Used by the exact test and by mutations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sympy import Integer, MatAdd, MatrixExpr

from rnnsym.derive.adjoint import AdjointSystem
from rnnsym.evaluate.expression import Evaluator
from rnnsym.evaluate.trajectory import Trajectory
from rnnsym.network import Network
from rnnsym.nodes import Adjoint, leaves, t

Matrix = Any
Key = tuple[str, int]


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
        {name: derived.initial(name) for name in net.states},
    )


class Adjoints:
    """Values of the adjoints of a system along a trajectory; zero outside of 1 … T."""

    def __init__(self, system: System, trajectory: Trajectory) -> None:
        self.system, self.trajectory = system, trajectory
        self.symbols = trajectory.point.symbols
        self.values: dict[Key, Matrix] = {}
        self.evaluator = Evaluator(trajectory.ar, trajectory.leaf, self.symbols, self._known)
        self.terms = {name: _terms(e) for name, e in system.equations.items()}

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
        name, time = _key(d)
        return self.values[name, time] if self._inside(time) else self._zero(name)

    def _inside(self, time: int) -> bool:
        return 1 <= time <= self.trajectory.point.steps

    def _zero(self, name: str) -> Matrix:
        rows = self.evaluator.number(self.trajectory.net.vectors[name].rows)
        return self.trajectory.ar.full(rows, 1, 0)

    def value(self, key: Key) -> Matrix:
        """δ of (name, time), computing the later ones that it needs first."""
        if not self._inside(key[1]):
            return self._zero(key[0])
        agenda = [key]
        while agenda:
            name, time = top = agenda[-1]
            if top in self.values:
                agenda.pop()
                continue
            summands = [s for s in self.terms[name] if self._flows(s[1], time)]
            waiting = [
                (user, time + lag)
                for _, uses in summands
                for user, lag in uses
                if self._inside(time + lag) and (user, time + lag) not in self.values
            ]
            if waiting:
                agenda += waiting
            else:
                self.values[top] = self._sum(name, time, summands)
        return self.values[key]

    def _flows(self, uses: list[tuple[str, int]], time: int) -> bool:
        """Whether a summand of δ⟨time⟩ is there: it is not, if all its δ lie outside."""
        return not uses or any(
            self._inside(time + lag) and self._same_chunk(time, time + lag) for _, lag in uses
        )

    def _same_chunk(self, a: int, b: int) -> bool:
        chunk = self.system.chunk
        return chunk is None or (a - 1) // chunk == (b - 1) // chunk

    def _sum(self, name: str, time: int, summands: list[Any]) -> Matrix:
        self.evaluator.symbols = {**self.symbols, t: Integer(time)}
        total = self._zero(name)
        for e, _ in summands:
            total = self.trajectory.ar.add(total, self.evaluator(e))
        return total


def _terms(e: MatrixExpr) -> list[tuple[MatrixExpr, list[tuple[str, int]]]]:
    """The summands of an equation, each with the (name, lag) of the adjoints in it."""
    summands = e.args if isinstance(e, MatAdd) else (e,)
    return [(s, [(d.of.name, int(d.of.time - t)) for d in leaves(s, Adjoint)]) for s in summands]


def _key(d: Any) -> Key:
    return d.of.name, int(d.of.time)
