"""From the loss to the sum of Jacobian products, in symbols: the first half of a derivation.

Linearity, the chain rule where it is right, the total derivative where it is not, the
recurrence of every block of states and its solution. In the order of the post.
"""

from __future__ import annotations

from typing import Any

from sympy import MatrixExpr, S

from rnnsym.algebra import add, mul, scale, subtract
from rnnsym.derive import recurrence
from rnnsym.derive.recurrence import EVERY
from rnnsym.derive.step import Scribe
from rnnsym.derive.structure import Block
from rnnsym.derive.subject import Subject
from rnnsym.nodes import Blocks, Immediate, Stack, T, TimeSum, Total, t


def linearity(scribe: Scribe, s: Subject) -> None:
    """dL/dθ = Σ_t dL⟨t⟩/dθ."""
    scribe.section("Linearity")
    scribe.step(
        Total(s.total_loss, s.w),
        TimeSum(Total(s.loss, s.w), (t, S.One, T)),
        "linearity",
        "the loss is the sum of the losses ",
        s.loss,
    )


def plain_chain_rule(scribe: Scribe, s: Subject) -> None:
    """θ is used after the states: one place in each step, and the chain rule says it all."""
    scribe.section("Chain rule")
    scribe.step(
        Total(s.loss, s.w),
        mul(*s.factors(), Immediate(s.end, s.w)),
        "chain rule",
        s.end,
        " depends on ",
        s.w,
        " at this step only, not through earlier ones",
        where=EVERY,
    )


def total_derivative(scribe: Scribe, s: Subject) -> None:
    """Why the plain chain rule fails, what is true, and what was missing."""
    scribe.section("Chain rule and total derivative")
    for block in s.blocks:
        state = block.state(t)
        if isinstance(state, Stack):
            scribe.step(
                state, Blocks([[part] for part in state.parts]), "definition",
                "the states that depend on each other through time, stacked", where=EVERY,
            )  # fmt: skip
    own = [b for b in s.final if s.enters(b)]
    if own:
        scribe.step(
            Total(s.loss, s.w),
            s.row(
                lambda b: (
                    Immediate(b.state(t), s.w) if b in own else scale(0, Total(b.state(t), s.w))
                )
            ),
            "naive chain rule",
            "the plain chain rule is wrong: ",
            own[0].state(t),
            " depends on ",
            s.w,
            " also through ",
            own[0].state(own[0].before(t)),
            relation="≠",
            where=EVERY,
        )
    scribe.step(
        Total(s.loss, s.w),
        s.row(lambda b: Total(b.state(t), s.w)),
        "total derivative",
        "with the total derivative of the state the chain rule holds",
        where=EVERY,
    )
    for block in own:
        _missing_part(scribe, s, block)


def _missing_part(scribe: Scribe, s: Subject, block: Block) -> None:
    if not block.recurrent:
        return
    now, before = block.state(t), block.state(block.before(t))
    missing = mul(recurrence.transition(block, t), Total(before, s.w))
    others = subtract(s.source(block, t), Immediate(now, s.w))
    scribe.step(
        subtract(Total(now, s.w), Immediate(now, s.w)),
        add(missing, others),
        "missing part",
        "this is what the plain chain rule leaves out",
        where=EVERY,
    )
    scribe.step(
        missing, scale(0, missing), "missing part", "and it is not zero",
        relation="≠", where=EVERY,
    )  # fmt: skip


def solve(scribe: Scribe, s: Subject, block: Block) -> None:
    """The recurrence of a block, its solution for symbolic t, and the certificate."""
    title = "Recurrence and its solution"
    if len(s.blocks) > 1:
        title += f", block {s.blocks.index(block) + 1} of {len(s.blocks)}"
    scribe.section(title)

    def unknown(time: Any) -> MatrixExpr:
        return Total(block.state(time), s.w)

    def source(time: Any) -> MatrixExpr:
        return s.source(block, time)

    if not block.recurrent:
        scribe.step(
            unknown(t), source(t), "total derivative",
            "no path leads from this state back to itself", where=EVERY,
        )  # fmt: skip
        return
    scribe.step(
        unknown(t),
        add(mul(recurrence.transition(block, t), unknown(block.before(t))), source(t)),
        "recurrence",
        "what ",
        s.w,
        " brings in at this step, and what comes from ",
        block.state(block.before(t)),
        where=EVERY,
    )
    scribe.step(
        unknown(t),
        recurrence.solution(block, source),
        "solution",
        "a linear recurrence, solved by the induction below",
        where=EVERY,
    )
    recurrence.certify(scribe, block, unknown, source)


def jacobian_sum(scribe: Scribe, s: Subject) -> MatrixExpr:
    """The solutions in place: the sum of Jacobian products."""
    scribe.section("Sum of Jacobian products")
    row = s.row(lambda b: s.solved(b, t))
    scribe.step(
        Total(s.loss, s.w), row, "substitution", "the solution in place of ",
        Total(s.final[0].state(t), s.w), where=EVERY,
    )  # fmt: skip
    return scribe.step(
        Total(s.total_loss, s.w),
        TimeSum(row, (t, S.One, T)),
        "substitution",
        "one term for each way through the states from a use of ",
        s.w,
        " to a loss",
    )
