"""What truncated backpropagation leaves out: the sum of Jacobian products, cut in two.

The full sum over the steps k ≤ t at which θ is used is split at the first step c⟨t⟩ that the
truncated backward pass from step t still reaches. One part is the truncated gradient, the other the
exact remainder. In chunks of K steps c is the first step of t's chunk; with a sliding window
(Williams & Peng 1990, Neural Computation 2: every K1 steps, K2 steps back) it is K2 steps before
the end of t's stretch of K1 steps.
"""

from __future__ import annotations

from typing import Any

from sympy import Expr, Integer, MatrixExpr, Max, S, Symbol, ceiling

from rnnsym.algebra import add, mul, subtract
from rnnsym.derive.recurrence import chunk_start
from rnnsym.derive.step import Derivation, Scribe
from rnnsym.derive.subject import Subject
from rnnsym.errors import InputError
from rnnsym.nodes import TimeSum, Total, length, t


def window_start(every: Any, back: Any, time: Any = t) -> Expr:
    """The first step that is reached from `time`: every `every` steps, `back` steps back."""
    return Max(1, every * ceiling(time / every) - back + 1)


def truncation(s: Subject, every: Any = "K", back: Any = None) -> Derivation:
    """The gradient by θ as its truncated form and the remainder, for symbolic T.

    every: the number of steps in a chunk, a number or a name; with `back`, how far the backward
    pass goes that is run every so many steps. Raises InputError for networks with more than one
    block of states between θ and the loss, for states that run backwards, and for numbers below 1
    or a window that is shorter than its stride.
    """
    if not s.blocks:
        raise InputError(
            f"{s.w.name} is used after the states only: truncated backpropagation leaves out "
            f"nothing of its gradient"
        )
    if len(s.blocks) != 1 or not s.blocks[0].recurrent or s.blocks[0].direction < 0 or not s.where:
        raise InputError(
            f"the remainder of a truncated gradient is derived for one block of states that runs "
            f"forwards to a loss at each step; {s.net.name} has another form for {s.w.name}"
        )
    (block,) = s.blocks
    size, reach = _number(every), None if back is None else _number(back)
    tested = {n: Integer(2 + i) for i, n in enumerate(x for x in (size, reach) if _open(x))}
    if reach is not None and size.is_Integer and reach.is_Integer and reach < size:
        raise InputError(f"a window of {reach} steps, moved by {size}, leaves out steps: K2 >= K1")
    first = chunk_start(size) if reach is None else window_start(size, reach)
    scribe = Scribe()
    whole: Any = s.solved(block, t)
    kept = TimeSum(whole.body, (whole.index, first, t))
    left = TimeSum(whole.body, (whole.index, S.One, first - 1))

    def summed(part: MatrixExpr) -> MatrixExpr:
        return s.over_time(mul(*s.factors(), s.at_end(*s.final[0]), part))

    total = Total(s.total_loss, s.w)
    scribe.section("The sum, cut in two")
    scribe.step(
        total, s.over_time(s.row(s.solved)), "substitution", "the full sum of Jacobian products"
    )
    scribe.step(
        Total(block.state(t), s.w), add(left, kept), "splitting the sum",
        "at the first step that the backward pass from step ", t, " still reaches",
        where=block.span.where,
    )  # fmt: skip
    direct = [] if not s.is_direct else [s.over_time(_direct(s))]
    scribe.step(
        total, add(summed(left), summed(kept), *direct), "linearity",
        "the later part is what truncated backpropagation computes",
    )  # fmt: skip
    scribe.section("What is left out")
    remainder = scribe.step(
        subtract(total, add(summed(kept), *direct)), summed(left), "remainder",
        "the full gradient minus the truncated one: every use of ", s.w, " that lies further "
        "back than the truncated backward pass goes; nothing of it is estimated",
    )  # fmt: skip
    truncated = add(summed(kept), *direct)
    return Derivation(s.net, s.w, tuple(scribe.steps), truncated, remainder, tested_at=tested)


def _direct(s: Subject) -> MatrixExpr:
    """The part of dL⟨t⟩/dθ that does not pass the states."""
    row = s.row(lambda b, at: Total(b.state(at), s.w))
    through = mul(*s.factors(), s.at_end(*s.final[0]), Total(s.final[0][0].state(t), s.w))
    return subtract(row, through)


def _number(value: Any) -> Any:
    """A number of steps, given as a number or by name. Raises InputError otherwise."""
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return Integer(value)
    if isinstance(value, str) and value.isidentifier():
        return length(value)
    raise InputError(
        f"{value!r} is no number of steps: give a positive integer or a name such as K"
    )


def _open(value: Any) -> bool:
    return isinstance(value, Symbol)
