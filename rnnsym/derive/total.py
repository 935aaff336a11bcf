"""From the loss to the sum of Jacobian products, in symbols: the first half of a derivation.

Linearity, the chain rule where it is right, the total derivative where it is not, the
recurrence of every block of states and its solution. In the order of the post.
"""

from __future__ import annotations

from typing import Any

from sympy import MatrixExpr

from rnnsym.algebra import add, is_zero, mul, scale, subtract
from rnnsym.derive import recurrence
from rnnsym.derive.step import Prose, Scribe
from rnnsym.derive.structure import Block
from rnnsym.derive.subject import Subject
from rnnsym.derive.sums import k
from rnnsym.nodes import Blocks, Immediate, Stack, TimeSum, Total, t


def linearity(scribe: Scribe, s: Subject) -> None:
    """dL/dθ = Σ_t dL⟨t⟩/dθ."""
    scribe.section("Linearity")
    if s.where:
        reason: Prose = ("the loss is the sum of the losses ", s.loss)
    else:
        reason = ("there is one loss only, ", s.loss, ": the sum over time has a single term")
    whole = Total(s.total_loss, s.w)
    scribe.step(whole, s.over_time(Total(s.loss, s.w)), "linearity", *reason)


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
        where=s.where,
    )


def total_derivative(scribe: Scribe, s: Subject) -> None:
    """Why the plain chain rule fails, what is true, and what was missing."""
    scribe.section("Chain rule and total derivative")
    for block in s.blocks:
        state = block.now
        if isinstance(state, Stack):
            scribe.step(
                state, Blocks([[part] for part in state.parts]), "definition",
                "the states that depend on each other through time, stacked",
                where=block.span.where,
            )  # fmt: skip
    own = [f for f in s.final if s.enters(f[0]) and s.carries(f[0])]
    if own:
        block, time = own[0]

        def naive(b: Block, at: Any) -> MatrixExpr:
            whole = Total(b.state(at), s.w)
            return Immediate(b.state(at), s.w) if (b, at) in own else scale(0, whole)

        scribe.step(
            Total(s.loss, s.w),
            s.row(naive),
            "naive chain rule",
            "the plain chain rule is wrong: ",
            block.state(time),
            " depends on ",
            s.w,
            " also through ",
            block.state(block.before(time)),
            relation="≠",
            where=s.where,
        )
    scribe.step(
        Total(s.loss, s.w),
        s.row(lambda b, at: Total(b.state(at), s.w)),
        "total derivative",
        "with the total derivative of the state the chain rule holds",
        where=s.where,
    )
    for block in dict.fromkeys(b for b, _ in own):
        _missing_part(scribe, s, block)


def _missing_part(scribe: Scribe, s: Subject, block: Block) -> None:
    now, before = block.now, block.state(block.before(t))
    missing = mul(recurrence.transition(block, t), Total(before, s.w))
    others = subtract(s.source(block, t), Immediate(now, s.w))
    scribe.step(
        subtract(Total(now, s.w), Immediate(now, s.w)),
        add(missing, others),
        "missing part",
        "this is what the plain chain rule leaves out",
        where=block.span.where,
    )
    scribe.step(
        missing, scale(0, missing), "missing part", "and it is not zero",
        relation="≠", where=block.span.where,
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

    begin = s.begin(block)
    if not block.recurrent:
        scribe.step(
            unknown(block.time), source(block.time), "total derivative",
            "no path leads from this state back to itself", where=block.span.where,
        )  # fmt: skip
        return
    scribe.step(
        unknown(t),
        add(mul(recurrence.transition(block, t), unknown(block.before(t))), source(t)),
        "recurrence",
        *_recurrence_reason(s, block),
        where=block.span.where,
    )
    scribe.step(
        unknown(t),
        recurrence.solution(block, source, t, begin=begin),
        "solution",
        "a linear recurrence, solved by the induction below",
        where=block.span.where,
    )
    recurrence.certify(scribe, block, unknown, source, begin)
    _truncated(scribe, s, block, unknown, begin)


def _truncated(
    scribe: Scribe, s: Subject, block: Block, unknown: Any, begin: MatrixExpr | None
) -> None:
    """Where derivatives are cut between chunks: the solution with the terms that are left."""
    size = s.chunk(block)
    if size is None or block.depth > 1 or begin is not None:
        return
    whole: Any = recurrence.solution(block, lambda at: s.source(block, at), t)
    limits = recurrence.chunk(block, size, whole)
    scribe.step(
        unknown(t), TimeSum(whole.body, limits), "truncation",
        "the Jacobian from one chunk of ", size, " steps to the next is zero, and with it every "
        "product that holds one: only the uses in the chunk of this step are left",
        where=block.span.where,
    )  # fmt: skip


def _recurrence_reason(s: Subject, block: Block) -> Prose:
    before = block.state(block.before(t))
    if is_zero(s.source(block, t)):
        return (s.w, " reaches these states through their initial value only, so through ", before)
    return ("what ", s.w, " brings in at this step, and what comes from ", before)


def jacobian_sum(scribe: Scribe, s: Subject) -> MatrixExpr:
    """The solutions in place: the sum of Jacobian products."""
    scribe.section("Sum of Jacobian products")
    row = s.row(s.solved)
    block, time = s.final[0]
    whole = Total(s.total_loss, s.w)
    scribe.step(
        Total(s.loss, s.w), row, "substitution", "the solution in place of ",
        Total(block.state(time), s.w), where=s.where,
    )  # fmt: skip
    return scribe.step(
        whole,
        s.over_time(row),
        "substitution",
        "one term for each way through the states from a use of ",
        s.w,
        " to a loss" if s.where else " to the loss",
    )


def sum_over_uses(scribe: Scribe, s: Subject) -> MatrixExpr:
    """Where sums inside of sums would be too many: one term for each step at which θ is used.

    What a use brings into its own block of states reaches the losses through time and through
    all blocks above; the derivative of the loss by that state holds all of these paths.
    """
    scribe.section("Sum over the uses")
    parts = []
    for block in s.blocks:
        first = block.state(block.start)
        if s.enters(block):
            at = k if not block.span.single else block.time
            state = block.state(at)
            body = mul(Total(s.total_loss, state), Immediate(state, s.w))
            limits = (k, block.span.first, block.span.last)
            parts.append(body if block.span.single else TimeSum(body, limits))
        if set(block.names) & set(s.starters):
            parts.append(mul(Total(s.total_loss, first), Immediate(first, s.w)))
    if s.is_direct:
        parts.append(s.over_time(mul(*s.factors(), Immediate(s.end, s.w))))
    return scribe.step(
        Total(s.total_loss, s.w), add(*parts), "sum over uses",
        "each use acts through the state of its step; every way from there to a loss, through time "
        "and through the layers above, is in the derivative of the loss by that state, which "
        "backpropagation finds for all steps at once",
    )  # fmt: skip
