"""The two bracketings of the sum: from the left BPTT, from the right RTRL. The third part."""

from __future__ import annotations

from typing import Any

from sympy import MatrixExpr

from rnnsym.algebra import add, mul
from rnnsym.derive import recurrence
from rnnsym.derive.closed import LEGIBLE
from rnnsym.derive.step import Prose, Scribe
from rnnsym.derive.subject import Subject
from rnnsym.derive.sums import index, k
from rnnsym.nodes import Immediate, TimeSum, Total, count, t
from rnnsym.simplify import size

j = index("j")


def adjoint_recursion(scribe: Scribe, s: Subject) -> None:
    """λ⟨k⟩ᵀ = dL/ds⟨k⟩ by induction from the last step, for a single block of states."""
    if not _simple(s):
        return
    ((block, at),) = s.final
    if at not in (t, block.last):
        return
    scribe.section("Adjoint recursion")
    if at != t:

        def single(time: Any) -> MatrixExpr:
            return Total(s.total_loss, block.state(time))

        return recurrence.certify_single(scribe, block, single, Total(s.loss, block.state(at)), k)

    def unknown(time: Any) -> MatrixExpr:
        if block.depth == 1:
            return Total(s.total_loss, block.state(time))
        # earlier states stacked in s⟨k⟩ also reach earlier losses, which do not count here
        later = recurrence.later(block, j, time)
        return Total(TimeSum(s.loss.at(j), later), block.state(time))

    def row(time: Any) -> MatrixExpr:
        return Total(s.loss.at(time), block.state(time))

    recurrence.certify_adjoint(scribe, block, unknown, row, k)


def _simple(s: Subject) -> bool:
    """Whether one recurrent block of states is all that lies between θ and the loss."""
    return len(s.blocks) == len(s.final) == 1 and s.blocks[0].recurrent and not s.starters


def bptt(scribe: Scribe, s: Subject) -> MatrixExpr:
    """The backward pass node by node, and the gradient as one sum."""
    scribe.section("Backpropagation through time")
    needed = s.adjoints.behind(*s.users, *s.starters)
    scribe.extend(step for step in s.adjoints.steps if step.before.of.name in needed)
    final = s.adjoints.result(s.w)
    summed = isinstance(final.after, TimeSum)
    return scribe.step(
        final.before, final.after, "gradient", "one term for each use of ", s.w,
        ": a single matrix product over all steps" if summed else "",
    )  # fmt: skip


def rtrl(scribe: Scribe, s: Subject) -> tuple[Prose, ...]:
    """The recurrence carried forward with the state (Williams & Zipser 1989), and what each
    bracketing costs."""
    if not _simple(s) or s.blocks[0].direction < 0 or s.final[0][1] not in (t, s.blocks[0].last):
        return ()
    (block,) = s.blocks
    length = block.span.last
    scribe.section("Real-time recurrent learning")
    state, before = block.state(t), block.state(block.before(t))
    jacobian, source = s.local.jacobian(block), s.immediate(block)
    if size(jacobian) > LEGIBLE:
        jacobian, source = recurrence.transition(block, t), Immediate(state, s.w)
    scribe.step(
        Total(state, s.w),
        add(mul(jacobian, Total(before, s.w)), source),
        "RTRL",
        "carried forward together with the state",
        where=block.span.where,
    )
    scribe.step(
        Total(s.total_loss, s.w),
        s.over_time(s.row(lambda b, at: Total(b.state(at), s.w))),
        "RTRL",
        "the gradient is summed up on the way; nothing is stored over time"
        if s.where
        else "the gradient is there when the last step is reached; nothing is stored over time",
    )
    n, m = state.rows, count(s.w)
    return (
        (
            "BPTT brackets the products from the left, a row times a Jacobian in each step: ",
            length * n**2,
            " multiplications for them.",
        ),
        (
            "RTRL brackets them from the right, a Jacobian times a matrix in each step: ",
            length * n**2 * m,
            " multiplications.",
        ),
        (
            "Without brackets there are ",
            length * (length + 1) / 2 if s.where else length,
            " products, of up to ",
            length - 1,
            " Jacobians each.",
        ),
    )
