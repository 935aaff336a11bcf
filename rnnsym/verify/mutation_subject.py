"""What mutations change: the right backward pass of a network, and places in it.

Used by the parts of the catalogue of `rnnsym.verify.mutations`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from sympy import MatrixExpr
from sympy.matrices.expressions import HadamardProduct
from sympy.utilities.iterables import strongly_connected_components

from rnnsym.algebra import add, had, scale, split, terms
from rnnsym.derive.adjoint import AdjointSystem
from rnnsym.network import Network
from rnnsym.nodes import Adjoint, Apply, TimeSum, TimeVector, leaves
from rnnsym.rules import derivative
from rnnsym.verify.adjoints import System, derived_system


@dataclass(frozen=True)
class Change:
    """One place at which a mutation acts: what it replaces there."""

    place: str
    equations: Mapping[str, MatrixExpr] = field(default_factory=dict)
    gradients: Mapping[str, MatrixExpr] = field(default_factory=dict)
    chunk: int | None = None


@dataclass(frozen=True)
class Kind:
    """A kind of error: its name, and a sentence that explains it."""

    name: str
    sentence: str
    apply: Callable[[Subject], Iterator[Change]]


class Subject:
    """The right backward pass of a network, and what mutations need to know about it."""

    def __init__(self, net: Network) -> None:
        self.net = net
        self.derived = AdjointSystem(net)
        self.system = derived_system(net)
        self.needed = self.derived.needed
        self._behind: dict[str, frozenset[str]] = {}

    def of(self, system: System) -> Subject:
        """The same with another system in the place of the right one: for a second mutation."""
        other = copy.copy(self)
        other.system, other._behind = system, {}
        other.__dict__.pop("slopes", None)
        return other

    @cached_property
    def slopes(self) -> list[Slope]:
        """Every g′(z) that stands as a factor in an equation."""
        return [s for name in self.needed for s in self._slopes(name)]

    @cached_property
    def reversed(self) -> frozenset[str]:
        """The nodes of states that run backwards in time: their adjoints run forwards."""
        net = self.net
        edges = [(user, used) for user, used in net.lags if used in net.equations]
        groups = strongly_connected_components((list(net.equations), edges))
        return frozenset(
            name
            for group in groups
            if any(lag < 0 for a in group for b in group for lag in net.lags.get((a, b), ()))
            for name in group
        )

    def _slopes(self, name: str) -> Iterator[Slope]:
        for user, lag in self.derived.uses(name):
            equation = self.net.equations[user]
            for call in dict.fromkeys(leaves(equation.rhs, Apply)):
                if lag == 0 and call.argument == self.net.equations[name].lhs:
                    value = equation.lhs if equation.rhs == call else call
                    parts = parts_of(derivative(call, value))
                    for index, term in enumerate(terms(self.system.equations[name])):
                        if set(parts) <= set(parts_of(term)):
                            yield Slope(name, index, call, value, parts)

    def term(self, name: str, index: int, new: MatrixExpr, place: str) -> Change:
        """The equation of δ_name with one summand replaced."""
        summands = list(terms(self.system.equations[name]))
        summands[index] = new
        return Change(place, equations={name: add(*summands)})

    def each(self, name: str) -> tuple[MatrixExpr, ...]:
        """The summands of the equation of δ_name."""
        return tuple(terms(self.system.equations[name]))

    def each_term(self) -> Iterator[tuple[str, int, MatrixExpr]]:
        """(name, position, summand) of every equation that some gradient needs."""
        for name in self.needed:
            for index, term in enumerate(terms(self.system.equations[name])):
                yield name, index, term

    def each_gradient(self) -> Iterator[tuple[str, TimeSum]]:
        """(parameter, ∇) with the sum over time in the open."""
        for name, gradient in self.system.gradients.items():
            if isinstance(gradient, TimeSum):
                yield name, gradient

    def activation_of(self, name: str) -> TimeVector | None:
        """The node a⟨t⟩ = g(z⟨t⟩) of a pre-activation z."""
        node = self.net.equations[name].lhs
        for equation in self.net.equations.values():
            if isinstance(equation.rhs, Apply) and equation.rhs.argument == node:
                return equation.lhs
        return None

    def depends(self, parameter: str, name: str) -> bool:
        """Whether the gradient by a parameter uses the adjoint of a node."""
        if parameter not in self._behind:
            seen: set[str] = set()
            agenda = [d.of.name for d in leaves(self.system.gradients[parameter], Adjoint)]
            while agenda:
                node = agenda.pop()
                if node not in seen:
                    seen.add(node)
                    agenda += [d.of.name for d in leaves(self.system.equations[node], Adjoint)]
            self._behind[parameter] = frozenset(seen)
        return name in self._behind[parameter]


@dataclass(frozen=True)
class Slope:
    """g′(z) in a summand of the equation of δ_name: its function, value g(z) and factors."""

    name: str
    index: int
    call: Apply
    value: MatrixExpr
    parts: tuple[MatrixExpr, ...]

    def replaced(self, subject: Subject, *new: MatrixExpr) -> Change:
        """The equation with other factors in the place of g′."""
        number, rest = split(terms(subject.system.equations[self.name])[self.index])
        others = [p for p in parts_of(rest) if p not in self.parts]
        return subject.term(
            self.name, self.index, scale(number, had(*new, *others)), f"in δ of {self.name}"
        )


def parts_of(e: MatrixExpr) -> tuple[MatrixExpr, ...]:
    """The elementwise factors of a term."""
    rest = split(e)[1]
    return rest.args if isinstance(rest, HadamardProduct) else (rest,)
