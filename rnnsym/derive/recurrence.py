"""The linear recurrence D⟨t⟩ = J⟨t⟩ D⟨t-1⟩ + P⟨t⟩ of a block of states, and its solution.

Both directions of time, forwards for the derivative of a state (D⟨0⟩ = 0) and backwards for the
derivative by a state; each solution comes with its certificate of induction, in which every
line is one identity of `rnnsym.derive.sums`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sympy import Expr, MatrixExpr, S, Symbol, Tuple, ZeroMatrix

from rnnsym.algebra import add, mul
from rnnsym.derive.step import Scribe
from rnnsym.derive.structure import Block
from rnnsym.derive.sums import absorb, absorb_right, append, expect, index, into_sum, normal
from rnnsym.nodes import T, TimeProduct, TimeSum, Total, t

At = Callable[[Any], MatrixExpr]
EVERY = ((t, S.One, T),)


def transition(block: Block, time: Any) -> MatrixExpr:
    """J⟨time⟩ = ∂s⟨time⟩/∂s⟨time-1⟩, as a symbol."""
    return Total(block.state(time), block.state(block.before(time)))


def product(block: Block, last: Expr, first: Expr, level: int = 0) -> MatrixExpr:
    """J⟨last⟩ … J⟨first+1⟩: how s⟨last⟩ changes with s⟨first⟩ (first comes before last)."""
    i = index("i", level)
    body = transition(block, i)
    if block.direction > 0:
        return TimeProduct(body, (i, first + 1, last), -1)
    return TimeProduct(body, (i, last, first - 1), 1)


def solution(block: Block, source: At, time: Expr = t, level: int = 0) -> MatrixExpr:
    """Σ_k J⟨time⟩ … J⟨k+1⟩ P⟨k⟩ over the steps k up to `time`."""
    k = index("k", level)
    if not block.recurrent:
        return source(time)
    return TimeSum(mul(product(block, time, k, level), source(k)), span(block, time, k))


def span(block: Block, time: Expr, k: Symbol) -> Tuple:
    """The range of the steps k that reach s⟨time⟩."""
    return Tuple(k, S.One, time) if block.direction > 0 else Tuple(k, time, T)


def certify(
    scribe: Scribe, block: Block, unknown: At, source: At, written: At | None = None
) -> None:
    """Induction: the solution is zero before the first step, and each step keeps it.

    `unknown(t)` is D⟨t⟩, `source(t)` is P⟨t⟩. Raises AssertionError if it does not hold.
    """
    d = block.direction
    start = S.Zero if d > 0 else T + 1
    zero = ZeroMatrix(*unknown(start).shape)
    scribe.step(
        unknown(start),
        zero,
        "base case",
        "the initial state ",
        block.state(start),
        " is a constant, and so its derivative, a term for k = ",
        start,
        ", would add nothing; the sum of the solution is empty there, and zero as well",
    )
    lead, side = transition(block, t), "before" if d > 0 else "after"
    before = solution(block, source, t - d)
    begin = add(mul(lead, before), source(t))
    inside = into_sum(lead, before)
    absorbed = TimeSum(absorb(inside.body, lead, t), inside.args[1])
    middle = add(absorbed, source(t))
    scribe.step(
        begin,
        middle,
        "induction step",
        f"put the solution at the step {side} into the recurrence and take the factor ",
        lead,
        " into the product, for any t",
        where=EVERY,
    )
    end = append(absorbed, source(t), t)
    expect(end == solution(block, source))
    scribe.step(
        middle,
        end,
        "induction step",
        "the added summand is the one whose product is empty: the solution at this step, for any t",
        where=EVERY,
    )


def adjoint_sum(block: Block, row: At, time: Expr) -> MatrixExpr:
    """Σ_t r⟨t⟩ J⟨t⟩ … J⟨time+1⟩ over the steps t from `time` on."""
    limits = (t, time, T) if block.direction > 0 else (t, S.One, time)
    return TimeSum(mul(row(t), product(block, t, time)), limits)


def certify_adjoint(scribe: Scribe, block: Block, unknown: At, row: At, k: Symbol) -> None:
    """Induction from the last step: λ⟨k⟩ᵀ = r⟨k⟩ + λ⟨k+1⟩ᵀ J⟨k+1⟩ sums up all later losses."""
    after = k + block.direction
    last = transition(block, after)
    recursion = add(row(k), mul(unknown(after), last))
    later = adjoint_sum(block, row, after)
    begin = add(row(k), mul(later, last))
    body = absorb_right(mul(later.body, last), last, after)
    inside = TimeSum(body, later.args[1])
    whole = append(inside, row(k), k)
    expect(normal(whole) == adjoint_sum(block, row, k))
    where = ((k, S.One, T),)
    scribe.step(
        unknown(k),
        adjoint_sum(block, row, k),
        "adjoint",
        "what the losses from this step on send back to ",
        block.state(k),
        where=where,
    )
    scribe.step(
        begin,
        whole,
        "induction step",
        "the factor ",
        last,
        " belongs to every later product; the first summand is the one whose product is empty",
        where=where,
    )
    scribe.step(
        unknown(k),
        recursion,
        "adjoint recursion",
        "hence one step back in time needs one product with one Jacobian; beyond the last step ",
        unknown(T + 1 if block.direction > 0 else S.Zero),
        " is zero",
        where=where,
    )
