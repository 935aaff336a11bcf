"""What a padded step does to the gradient: nothing. The mask's zero, put into the closed forms.

Sequences of different lengths go into one batch filled up with padding, and with a mask m⟨t⟩ that
is 0 there. Where it is 0, a state's Jacobian is the identity, no parameter brings anything in, and
there is no loss: derivatives are passed on as they are.
"""

from __future__ import annotations

from typing import Any

from sympy import MatrixExpr, ZeroMatrix

from rnnsym.algebra import is_zero
from rnnsym.derive import recurrence
from rnnsym.derive.adjoint import AdjointSystem
from rnnsym.derive.step import Derivation, Scribe
from rnnsym.errors import InputError
from rnnsym.network import Network
from rnnsym.nodes import Immediate, t
from rnnsym.simplify import rebuild


def padded(net: Network, adjoints: AdjointSystem, mask: str) -> Derivation:
    """The Jacobians, immediate partials and losses of a step at which the mask is zero.

    Raises InputError if `mask` is no input of the network.
    """
    if mask not in net.inputs:
        raise InputError(f"{mask!r} is no input: {net.name} has {', '.join(net.inputs)}")
    zero = net.vectors[mask]

    def at_zero(e: MatrixExpr) -> MatrixExpr:
        def put(x: Any) -> MatrixExpr | None:
            return ZeroMatrix(*zero.shape) if x == zero else None

        return rebuild(e, put)

    local, scribe = adjoints.local, Scribe()
    scribe.section("A padded step")
    for block in adjoints.structure.blocks:
        if not block.recurrent or block.span != net.spans[mask]:
            continue
        jacobian = recurrence.transition(block, t)
        closed = at_zero(local.jacobian(block))
        scribe.step(
            jacobian, closed, "mask", "with ", zero, " zero, the state is what it was",
            where=block.span.where,
        )  # fmt: skip
        for w in net.parameters.values():
            if not is_zero(local.of(block.now, w)):
                scribe.step(
                    Immediate(block.now, w), at_zero(local.of(block.now, w)), "mask",
                    "the step brings nothing in", where=block.span.where,
                )  # fmt: skip
    loss = net.equations[net.loss.name]
    if net.spans[net.loss.name] == net.spans[mask]:
        scribe.step(
            net.loss, at_zero(loss.rhs), "mask", "a padded step has no loss",
            where=net.spans[mask].where,
        )  # fmt: skip
    result = scribe.steps[-1].after if scribe.steps else zero
    return Derivation(net, zero, tuple(scribe.steps), result, result, given={mask: 0})
