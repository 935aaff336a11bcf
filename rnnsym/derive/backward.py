"""The two bracketings of the sum: from the left BPTT, from the right RTRL. The third part."""

from __future__ import annotations

from typing import Any

from sympy import MatrixExpr, S

from rnnsym.algebra import add, mul
from rnnsym.derive import recurrence
from rnnsym.derive.closed import LEGIBLE
from rnnsym.derive.recurrence import EVERY
from rnnsym.derive.step import Prose, Scribe
from rnnsym.derive.subject import Subject
from rnnsym.derive.sums import index, k
from rnnsym.nodes import Immediate, T, TimeSum, Total, count, t
from rnnsym.simplify import size

j = index("j")


def adjoint_recursion(scribe: Scribe, s: Subject) -> None:
    """λ⟨k⟩ᵀ = dL/ds⟨k⟩ by induction from the last step, for a single block of states."""
    if len(s.blocks) != 1 or not s.blocks[0].recurrent:
        return
    (block,) = s.blocks
    scribe.section("Adjoint recursion")

    def unknown(time: Any) -> MatrixExpr:
        if block.depth == 1:
            return Total(s.total_loss, block.state(time))
        # earlier states stacked in s⟨k⟩ also reach earlier losses, which do not count here
        later = (j, time, T) if block.direction > 0 else (j, S.One, time)
        return Total(TimeSum(s.loss.at(j), later), block.state(time))

    def row(time: Any) -> MatrixExpr:
        return Total(s.loss.at(time), block.state(time))

    recurrence.certify_adjoint(scribe, block, unknown, row, k)


def bptt(scribe: Scribe, s: Subject) -> MatrixExpr:
    """The backward pass node by node, and the gradient as one sum."""
    scribe.section("Backpropagation through time")
    needed = s.adjoints.behind(*s.users)
    scribe.extend(step for step in s.adjoints.steps() if step.before.of.name in needed)
    final = s.adjoints.result(s.w)
    return scribe.step(
        final.before, final.after, "gradient",
        "one term for each use of ", s.w, ": a single matrix product over all steps",
    )  # fmt: skip


def rtrl(scribe: Scribe, s: Subject) -> tuple[Prose, ...]:
    """The recurrence carried forward with the state (Williams & Zipser 1989), and what each
    bracketing costs."""
    if len(s.blocks) != 1 or not s.blocks[0].recurrent or s.blocks[0].direction < 0:
        return ()
    (block,) = s.blocks
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
        where=EVERY,
    )
    scribe.step(
        Total(s.total_loss, s.w),
        TimeSum(s.row(lambda b: Total(b.state(t), s.w)), (t, S.One, T)),
        "RTRL",
        "the gradient is summed up on the way; nothing is stored over time",
    )
    n, m = state.rows, count(s.w)
    return (
        (
            "BPTT brackets the products from the left, a row times a Jacobian in each step: ",
            T * n**2,
            " multiplications for them.",
        ),
        (
            "RTRL brackets them from the right, a Jacobian times a matrix in each step: ",
            T * n**2 * m,
            " multiplications.",
        ),
        (
            "Without brackets there are ",
            T * (T + 1) / 2,
            " products, of up to ",
            T - 1,
            " Jacobians each.",
        ),
    )
