"""dL by what a network is given: the initial value of a state, or an input at step k.

The same recurrence as for a parameter, with another beginning: nothing enters it but at the
start, so its solution is a single ordered product.
"""

from __future__ import annotations

from typing import Any

from sympy import MatrixExpr, S

from rnnsym.algebra import is_zero, mul
from rnnsym.derive import recurrence
from rnnsym.derive.step import Derivation, Scribe
from rnnsym.derive.structure import Block
from rnnsym.derive.subject import Subject
from rnnsym.derive.sums import k
from rnnsym.nodes import Adjoint, Immediate, TimeSum, TimeVector, Total, leaves, t


def derive_initial(s: Subject, name: str) -> Derivation:
    """dL/da⟨0⟩ (da⟨T+1⟩ for a state that runs backwards)."""
    start = s.net.start(name)
    v = s.net.states[name].at(start)
    scribe = Scribe()
    block = next(b for b in s.structure.blocks if name in b.names)
    formula: MatrixExpr = Total(s.total_loss, v)
    if _alone(s, block):
        scribe.section("Linearity")
        scribe.step(
            Total(s.total_loss, v), s.over_time(Total(s.loss, v)), "linearity",
            "the loss is the sum of the losses ", s.loss,
        )  # fmt: skip
        scribe.section("Recurrence and its solution")
        state, before = block.now, block.state(block.before(t))

        def solved(_: Block, at: Any) -> MatrixExpr:
            product = recurrence.product(block, at, start)
            return mul(product, Total(block.state(start), v))

        scribe.step(
            Total(state, v), mul(recurrence.transition(block, t), Total(before, v)),
            "recurrence", "the initial state acts through the state before only",
            where=block.span.where,
        )  # fmt: skip
        scribe.step(
            Total(state, v), solved(block, t), "solution",
            "by induction: each step adds a factor on the left", where=block.span.where,
        )  # fmt: skip
        scribe.section("Sum of Jacobian products")
        scribe.step(
            Total(s.loss, v), s.row(solved), "chain rule",
            "through ", s.final[0][0].state(s.final[0][1]), where=s.where,
        )  # fmt: skip
        formula = scribe.step(
            Total(s.total_loss, v), s.over_time(s.row(solved)),
            "substitution", "one product for each loss",
        )  # fmt: skip
    result = s.adjoints.initial(name)
    _backward(scribe, s, v, result)
    return Derivation(s.net, v, tuple(scribe.steps), result, formula)


def derive_input(s: Subject, name: str) -> Derivation:
    """dL/dx⟨k⟩ of an input at step k."""
    span = s.net.spans[name]
    v = s.net.vectors[name] if span.single else s.net.vectors[name].at(k)
    at_k = () if span.single else ((k, span.first, span.last),)
    scribe = Scribe()
    blocks = [b for b in s.structure.blocks if not is_zero(s.local.of(b.now, v.at(b.time)))]
    formula: MatrixExpr = Total(s.total_loss, v)
    lagged = any(lags != {0} for (_, used), lags in s.net.lags.items() if used == name)
    lagged = lagged or bool(s.adjoints.arrivals(name)) or s.net.loss.time != t
    if len(blocks) == 1 and _alone(s, blocks[0]) and blocks[0].direction > 0 and not lagged:
        (block,) = blocks
        last = span.last
        pairs = ((k, S.One, last), (t, k, last))
        scribe.section("Linearity")
        scribe.step(
            Total(s.total_loss, v), TimeSum(Total(s.loss, v), (t, k, last)), "linearity",
            "an input changes no earlier loss", where=at_k,
        )  # fmt: skip
        scribe.section("Recurrence and its solution")
        state = block.now
        solved = mul(recurrence.product(block, t, k), Immediate(block.state(k), v))
        scribe.step(
            Total(state, v), solved, "solution",
            "it enters at step ", k, " and is carried on by every later one", where=pairs,
        )  # fmt: skip
        if not s.is_direct:
            scribe.section("Sum of Jacobian products")
            row = s.row(lambda b, at: solved)
            scribe.step(Total(s.loss, v), row, "chain rule", "through ", state, where=pairs)
            formula = scribe.step(
                Total(s.total_loss, v), TimeSum(row, (t, k, last)), "substitution",
                "one product for each later loss", where=at_k,
            )  # fmt: skip
    result = s.adjoints.input(name).xreplace({t: k})
    _backward(scribe, s, v, result, at_k)
    return Derivation(s.net, v, tuple(scribe.steps), result, formula)


def _alone(s: Subject, block: Block) -> bool:
    """Whether the loss depends on a block by no other state."""
    reached = [
        b
        for b in s.structure.blocks
        if any(s.structure.reached(n, set(block.names)) for n in b.names)
    ]
    return reached == [block] and block.recurrent and [b for b, _ in s.final] == [block]


def _backward(
    scribe: Scribe, s: Subject, v: TimeVector, result: MatrixExpr, where: Any = ()
) -> None:
    scribe.section("Backpropagation through time")
    found = s.adjoints.behind(*(d.of.name for d in leaves(result, Adjoint)))
    scribe.extend(step for step in s.adjoints.steps if step.before.of.name in found)
    scribe.step(
        Adjoint(v), result, "gradient", "what the equations that use it send back", where=where
    )
