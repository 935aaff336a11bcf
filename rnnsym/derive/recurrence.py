"""The linear recurrence D⟨t⟩ = J⟨t⟩ D⟨t-1⟩ + P⟨t⟩ of a block of states, and its solution.

Both directions of time, forwards for the derivative of a state (D⟨0⟩ = 0) and backwards for the
derivative by a state; each solution comes with its certificate of induction, in which every
line is one identity of `rnnsym.derive.sums`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sympy import Expr, MatrixExpr, Min, S, Symbol, Tuple, ZeroMatrix, floor

from rnnsym.algebra import add, is_zero, mul, terms
from rnnsym.derive.step import Scribe
from rnnsym.derive.structure import Block
from rnnsym.derive.sums import absorb, absorb_right, append, expect, index, into_sum, normal
from rnnsym.nodes import TimeProduct, TimeSum, Total, t

At = Callable[[Any], MatrixExpr]


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


def solution(
    block: Block, source: At, time: Expr, level: int = 0, begin: MatrixExpr | None = None
) -> MatrixExpr:
    """Σ_k J⟨time⟩ … J⟨k+1⟩ P⟨k⟩ over the steps k up to `time`, and J⟨time⟩ … J⟨1⟩ D⟨0⟩ where the
    initial state is computed (`begin`, D⟨0⟩)."""
    k = index("k", level)
    if not block.recurrent:
        return source(time)
    parts = []
    if not is_zero(source(k)):
        parts.append(TimeSum(mul(product(block, time, k, level), source(k)), span(block, time, k)))
    if begin is not None:
        parts.append(mul(product(block, time, block.start, level), begin))
    return add(*parts)


def span(block: Block, time: Expr, k: Symbol) -> Tuple:
    """The range of the steps k that reach s⟨time⟩."""
    return Tuple(k, S.One, time) if block.direction > 0 else Tuple(k, time, block.span.last)


def chunk_start(size: Any, time: Any = t) -> Expr:
    """The first step of the chunk of `size` steps that `time` lies in."""
    return size * floor((time - 1) / size) + 1


def chunk(block: Block, size: Any, whole: TimeSum) -> Tuple:
    """The range of a sum over k up to t, within the chunk of `size` steps that t lies in."""
    first = chunk_start(size)
    if block.direction > 0:
        return Tuple(whole.index, first, whole.upper)
    return Tuple(whole.index, whole.lower, Min(block.span.last, first + size - 1))


def certify(
    scribe: Scribe, block: Block, unknown: At, source: At, begin: MatrixExpr | None = None
) -> None:
    """Induction: the solution begins as it must, and each step keeps it.

    `unknown(t)` is D⟨t⟩, `source(t)` is P⟨t⟩, `begin` D⟨0⟩ where that is not zero. Raises
    AssertionError if it does not hold.
    """
    d, start = block.direction, block.start
    if begin is None:
        scribe.step(
            unknown(start),
            ZeroMatrix(*unknown(start).shape),
            "base case",
            "the initial state ",
            block.state(start),
            " is a constant, and so its derivative, a term for k = ",
            start,
            ", would add nothing; the sum of the solution is empty there, and zero as well",
        )
    else:
        scribe.step(
            unknown(start), begin, "base case",
            "the initial state is computed; the sum of the solution is empty there, and the "
            "product of Jacobians the identity",
        )  # fmt: skip
    lead, side = transition(block, t), "before" if d > 0 else "after"
    before = solution(block, source, t - d, begin=begin)
    first = add(mul(lead, before), source(t))
    middle, last = [], []
    for part in terms(before):
        if isinstance(part, TimeSum):
            inside = into_sum(lead, part)
            absorbed = TimeSum(absorb(inside.body, lead, t), inside.args[1])
            middle.append(absorbed)
            last.append(append(absorbed, source(t), t))
        else:
            carried = absorb(mul(lead, part), lead, t)
            middle.append(carried)
            last.append(carried)
    whole = add(*middle, source(t))
    scribe.step(
        first,
        whole,
        "induction step",
        f"put the solution at the step {side} into the recurrence and take the factor ",
        lead,
        " into the product, for any t",
        where=block.span.where,
    )
    expect(add(*last) == solution(block, source, t, begin=begin))
    scribe.step(
        whole,
        add(*last),
        "induction step",
        "the added summand is the one whose product is empty: the solution at this step, for any t",
        where=block.span.where,
    )


def adjoint_sum(block: Block, row: At, time: Expr) -> MatrixExpr:
    """Σ_t r⟨t⟩ J⟨t⟩ … J⟨time+1⟩ over the steps t from `time` on."""
    return TimeSum(mul(row(t), product(block, t, time)), later(block, t, time))


def later(block: Block, j: Symbol, time: Expr) -> Tuple:
    """The range of the steps j that s⟨time⟩ reaches."""
    return Tuple(j, time, block.span.last) if block.direction > 0 else Tuple(j, S.One, time)


def certify_adjoint(scribe: Scribe, block: Block, unknown: At, row: At, k: Symbol) -> None:
    """Induction from the last step: λ⟨k⟩ᵀ = r⟨k⟩ + λ⟨k+1⟩ᵀ J⟨k+1⟩ sums up all later losses."""
    after = k + block.direction
    last = transition(block, after)
    recursion = add(row(k), mul(unknown(after), last))
    rest = adjoint_sum(block, row, after)
    begin = add(row(k), mul(rest, last))
    body = absorb_right(mul(rest.body, last), last, after)
    inside = TimeSum(body, rest.args[1])
    whole = append(inside, row(k), k)
    expect(normal(whole) == adjoint_sum(block, row, k))
    where = ((k, S.One, block.span.last),)
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
        unknown(block.last + block.direction),
        " is zero",
        where=where,
    )


def certify_single(scribe: Scribe, block: Block, unknown: At, row: MatrixExpr, k: Symbol) -> None:
    """The same for a loss at the last step only: λ⟨k⟩ᵀ = λ⟨k+1⟩ᵀ J⟨k+1⟩, beginning with r."""
    end, after = block.last, k + block.direction
    last = transition(block, after)
    rest = mul(row, product(block, end, after))
    whole = absorb_right(mul(rest, last), last, after)
    expect(whole == mul(row, product(block, end, k)))
    first, final = (S.One, end - 1) if block.direction > 0 else (S(2), block.span.last)
    scribe.step(unknown(end), row, "base case", "the only loss uses the last state")
    scribe.step(
        unknown(k), whole, "adjoint", "every path to the loss runs through all later states",
        where=((k, S.One, block.span.last),),
    )  # fmt: skip
    scribe.step(
        mul(rest, last), whole, "induction step", "the factor ", last, " belongs to the product",
        where=((k, first, final),),
    )  # fmt: skip
    scribe.step(
        unknown(k), mul(unknown(after), last), "adjoint recursion",
        "hence one step back in time is one product with one Jacobian, and nothing is added",
        where=((k, first, final),),
    )  # fmt: skip
