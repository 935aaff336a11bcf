"""The derivation of a gradient, from the loss to backpropagation through time.

Puts the parts together: `total` (symbols), `closed` (local Jacobians, matrix form), `backward`
(the two bracketings). What derivations of one network share is derived once.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from rnnsym.derive import backward, closed, total
from rnnsym.derive.adjoint import AdjointSystem
from rnnsym.derive.compact import block_identity
from rnnsym.derive.layers import layer
from rnnsym.derive.leaves import derive_initial, derive_input
from rnnsym.derive.padding import padded
from rnnsym.derive.step import Derivation, Scribe
from rnnsym.derive.subject import Subject
from rnnsym.derive.truncation import truncation
from rnnsym.derive.unrolled import unrolled
from rnnsym.errors import InputError
from rnnsym.network import Network


class Calculus:
    """Derivations for one network."""

    def __init__(self, net: Network) -> None:
        self.net, self.adjoints = net, AdjointSystem(net)
        self.derive = cache(self._derive)

    def at(self, name: str, steps: int | Mapping[str, int]) -> Derivation:
        """The same for a concrete T, written out. Raises InputError for T < 1."""
        return unrolled(self.subject(name), self.derive(name), steps)

    def block_identity(self) -> Derivation:
        """That the compact notation W_a [a; x] says the same (see `rnnsym.derive.compact`)."""
        return block_identity(self.net, self.adjoints)

    def padded(self, mask: str) -> Derivation:
        """That a step at which the mask is zero adds nothing (see `rnnsym.derive.padding`)."""
        return padded(self.net, self.adjoints, mask)

    def layer(self, mark: str) -> Derivation:
        """What holds for one layer of a stack (see `rnnsym.derive.layers`)."""
        return layer(self.net, self.adjoints, mark)

    def truncation(self, name: str, every: Any = "K", back: Any = None) -> Derivation:
        """The truncated gradient and its exact remainder (see `rnnsym.derive.truncation`)."""
        return truncation(self.subject(name), every, back)

    def subject(self, name: str) -> Subject:
        """What `name` stands for; raises InputError that lists parameters, states and inputs."""
        net = self.net
        w = net.parameters.get(name) or net.carried.get(name)
        if name in net.inputs:
            w = net.vectors[name]
        if w is None:
            raise InputError(
                f"unknown parameter {name!r}: {net.name} has {', '.join(net.parameters)}; "
                f"initial states {', '.join(net.carried)}; inputs {', '.join(net.inputs)}"
            )
        return Subject(net, self.adjoints, w)

    def _derive(self, name: str) -> Derivation:
        """The gradient by a parameter, a state's initial value or an input, for symbolic T."""
        s, scribe = self.subject(name), Scribe()
        if name in self.net.states:
            return derive_initial(s, name)
        if name in self.net.inputs:
            return derive_input(s, name)
        total.linearity(scribe, s)
        if s.blocks:
            total.total_derivative(scribe, s)
            for block in s.blocks if s.nested else filter(s.enters, s.blocks):
                total.solve(scribe, s, block)
            if s.nested:
                formula = closed.through_states(scribe, s, total.jacobian_sum(scribe, s))
            else:
                formula = closed.each_use(scribe, s, total.sum_over_uses(scribe, s))
        else:
            total.plain_chain_rule(scribe, s)
            formula = closed.after_states(scribe, s)
        backward.adjoint_recursion(scribe, s)
        result = backward.bptt(scribe, s)
        notes = backward.rtrl(scribe, s)
        return Derivation(self.net, s.w, tuple(scribe.steps), result, formula, notes=notes)
