"""The derivation of a gradient, from the loss to backpropagation through time.

Puts the parts together: `total` (symbols), `closed` (local Jacobians, matrix form), `backward`
(the two bracketings). What derivations of one network share is derived once.
"""

from __future__ import annotations

from functools import cache

from sympy import MatrixSymbol

from rnnsym.derive import backward, closed, total
from rnnsym.derive.adjoint import AdjointSystem
from rnnsym.derive.step import Derivation, Scribe
from rnnsym.derive.subject import Subject
from rnnsym.errors import InputError
from rnnsym.network import Network


class Calculus:
    """Derivations for one network."""

    def __init__(self, net: Network) -> None:
        self.net, self.adjoints = net, AdjointSystem(net)
        self.derive = cache(self._derive)

    def parameter(self, name: str) -> MatrixSymbol:
        """A parameter by name; raises InputError that lists them for any other name."""
        if name not in self.net.parameters:
            known = ", ".join(self.net.parameters)
            raise InputError(f"unknown parameter {name!r}: {self.net.name} has {known}")
        return self.net.parameters[name]

    def _derive(self, name: str) -> Derivation:
        """The derivation of ∇_W L for symbolic T."""
        w = self.parameter(name)
        s, scribe = Subject(self.net, self.adjoints, w), Scribe()
        total.linearity(scribe, s)
        if s.blocks:
            total.total_derivative(scribe, s)
            for block in s.blocks:
                total.solve(scribe, s, block)
            formula = closed.through_states(scribe, s, total.jacobian_sum(scribe, s))
        else:
            total.plain_chain_rule(scribe, s)
            formula = closed.after_states(scribe, s)
        backward.adjoint_recursion(scribe, s)
        result = backward.bptt(scribe, s)
        notes = backward.rtrl(scribe, s)
        return Derivation(self.net, w, tuple(scribe.steps), result, formula, notes=notes)
