"""Which states of a network recur, the Jacobian of one step, and the weights that stand in it.

Between `rnnsym.derive`, which knows all of it, and the rest of `rnnsym.flow`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sympy import MatrixExpr, MatrixSymbol

from rnnsym.derive.calculus import Calculus
from rnnsym.derive.structure import Block
from rnnsym.derive.subject import Subject
from rnnsym.errors import InputError
from rnnsym.network import Network
from rnnsym.nodes import parameters


def calculus_of(net: Network) -> Calculus:
    """What derivations of a network share; the network's own if it has one."""
    found = getattr(net, "calculus", None)
    return found if isinstance(found, Calculus) else _calculus(net)


#: blocks are told apart by identity: those of a network are made once
_calculus = lru_cache(maxsize=8)(Calculus)


@dataclass(frozen=True, eq=False)
class Recurrence:
    """A block of states that recurs.

    jacobian: ∂s⟨t⟩/∂s⟨t-1⟩ in closed form; primed: the same with g′ where functions are
    differentiated; weights: the square matrices in it, by name, in the order of the network.
    """

    block: Block
    jacobian: MatrixExpr
    primed: MatrixExpr
    weights: dict[str, MatrixSymbol]

    @property
    def name(self) -> str:
        return ", ".join(self.block.names)


def recurrences(net: Network) -> list[Recurrence]:
    """The blocks of states that recur, each after those that it uses."""
    adjoints = calculus_of(net).adjoints
    found = []
    for block in adjoints.structure.blocks:
        if block.recurrent:
            jacobian = adjoints.local.jacobian(block)
            used = set(parameters(jacobian))
            weights = {n: w for n, w in net.parameters.items() if w in used and w.rows == w.cols}
            found.append(Recurrence(block, jacobian, adjoints.primed.jacobian(block), weights))
    return found


def recurrence_of(net: Network, state: str | None = None) -> Recurrence:
    """The recurrence of a state; without a name, the only one that there is.

    Raises InputError if there is none, or none of this name, or several and no name.
    """
    found = recurrences(net)
    if not found:
        raise InputError(f"{net.name} has no recurrence: no state depends on itself through time")
    names = ", ".join(n for r in found for n in r.block.names)
    if state is None:
        if len(found) > 1:
            raise InputError(f"{net.name} has several recurrences: choose a state from {names}")
        return found[0]
    for r in found:
        if state in r.block.names:
            return r
    raise InputError(f"{state!r} is no recurrent state of {net.name}: choose from {names}")


def default_parameter(net: Network) -> str:
    """The first square matrix inside a recurrence; where there is none, the first parameter that
    enters one. Raises InputError where nothing recurs."""
    found = recurrences(net)
    first = [name for name in net.parameters for r in found if name in r.weights]
    first += [name for name, w in net.parameters.items() for r in found if r.jacobian.has(w)]
    if not first:
        raise InputError(f"{net.name} has no weight inside a recurrence: choose a parameter from "
                         f"{', '.join(net.parameters)}")  # fmt: skip
    return first[0]


def subject_of(net: Network, wrt: str) -> Subject:
    """How a parameter reaches the losses. Raises InputError for what is no parameter."""
    if wrt not in net.parameters:
        raise InputError(f"unknown parameter {wrt!r}: {net.name} has {', '.join(net.parameters)}")
    return calculus_of(net).subject(wrt)


def entered(s: Subject) -> Recurrence | None:
    """The first recurrence whose own equations hold a parameter, if any."""
    return next((r for r in recurrences(s.net) if r.block in _own(s)), None)


def alone(s: Subject) -> bool:
    """Whether a parameter reaches the losses through one recurrence and by no other way: then each
    contribution is a product row · J … J · ∂⁺s/∂W."""
    return (
        len(s.blocks) == len(s.final) == 1
        and s.blocks[0].recurrent
        and s.blocks[0] in _own(s)
        and not s.is_direct
        and not s.starters
    )


def _own(s: Subject) -> list[Any]:
    return [b for b in s.blocks if s.enters(b)]
