"""Induction: identities of sums that do not apply, and wrong solutions, cannot be written down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sympy import Identity, Integer, MatMul, MatrixExpr, MatrixSymbol, S, Tuple, ZeroMatrix

from rnnsym.algebra import add, mul, scale
from rnnsym.derive import recurrence, sums
from rnnsym.derive.step import Scribe
from rnnsym.derive.structure import Block, Structure
from rnnsym.derive.sums import absorb, absorb_right, append, exchange, into_sum, k, normal
from rnnsym.nodes import Immediate, T, TimeProduct, TimeSum, Total, t
from tests.derive.nets import NETS

WRONG = pytest.raises(AssertionError, match="identity of sums")
ELMAN, BIDIRECTIONAL = NETS["elman"](), NETS["bidirectional"]()
W = MatrixSymbol("W", 2, 2)


def block(name: str) -> Block:
    net = ELMAN if name == "a" else BIDIRECTIONAL
    return next(b for b in Structure(net).blocks if b.names == (name,))


def lead(b: Block, time: Any) -> MatrixExpr:
    return recurrence.transition(b, time)


# ---- identities --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a", "r"])
def test_a_factor_goes_into_the_product_that_it_continues(name: str) -> None:
    b = block(name)
    last, before = (t, t - 1) if b.direction > 0 else (t, t + 1)
    e = mul(lead(b, last), recurrence.product(b, before, k), W)
    assert absorb(e, lead(b, t), t) == mul(recurrence.product(b, t, k), W)


@pytest.mark.parametrize("name", ["a", "r"])
def test_a_factor_does_not_go_into_another_product(name: str) -> None:
    b = block(name)
    d = b.direction
    right = recurrence.product(b, t - d, k)
    for product, first, end in [
        (right, lead(b, t - d), t - d),  # a step twice
        (right, lead(b, t + d), t + d),  # a gap
        (right, lead(b, t), t + d),  # another name for the end
        (recurrence.product(b, t - 2 * d, k), lead(b, t), t),
        (TimeProduct(right.body, right.args[1], -right.order), lead(b, t), t),  # reversed
        (TimeProduct(W, right.args[1], right.order), lead(b, t), t),  # of something else
    ]:
        with WRONG:
            absorb(mul(first, product, W), first, end)
    with WRONG:
        absorb(mul(right, lead(b, t), W), lead(b, t), t)  # from the other side


@pytest.mark.parametrize("name", ["a", "r"])
def test_on_the_right_too(name: str) -> None:
    b = block(name)
    d = b.direction
    later, last = recurrence.product(b, t, k + d), lead(b, k + d)
    assert absorb_right(mul(W, later, last), last, k + d) == mul(W, recurrence.product(b, t, k))
    for product, factor, end in [
        (later, lead(b, k), k),
        (later, lead(b, k + 2 * d), k + 2 * d),
        (later, last, k),
        (TimeProduct(later.body, later.args[1], -later.order), last, k + d),
    ]:
        with WRONG:
            absorb_right(mul(W, product, factor), factor, end)
    with WRONG:
        absorb_right(mul(W, last, later), last, k + d)


def test_a_term_is_appended_only_at_the_ends() -> None:
    body = Immediate(ELMAN.states["a"].at(k), W)
    total = TimeSum(body, (k, 2, t))
    assert append(total, body.xreplace({k: t + 1}), t + 1) == TimeSum(body, (k, 2, t + 1))
    assert append(total, body.xreplace({k: Integer(1)}), S.One) == TimeSum(body, (k, 1, t))
    for term, at in [
        (body.xreplace({k: t}), t),
        (body.xreplace({k: t + 2}), t + 2),
        (body.xreplace({k: t}), t + 1),
        (scale(-1, body.xreplace({k: t + 1})), t + 1),
        (body.xreplace({k: S.Zero}), S.Zero),
    ]:
        with WRONG:
            append(total, term, at)
    with WRONG:
        append(body, body, k)


def test_a_factor_with_the_index_does_not_go_into_the_sum() -> None:
    total = TimeSum(MatMul(W, W), (k, 1, t))
    assert into_sum(W, total) == TimeSum(MatMul(W, W, W), (k, 1, t))
    with WRONG:
        into_sum(lead(block("a"), k), total)
    with WRONG:
        into_sum(W, W)


def test_sums_are_exchanged_with_the_indices_that_they_have() -> None:
    double = TimeSum(TimeSum(W, (k, 1, t)), (t, 1, T))
    swapped = exchange(double, Tuple(k, 1, T), Tuple(t, k, T))
    assert swapped == TimeSum(TimeSum(W, (t, k, T)), (k, 1, T))
    with WRONG:
        exchange(double, Tuple(t, 1, T), Tuple(k, t, T))
    with WRONG:
        exchange(TimeSum(W, (t, 1, T)), Tuple(k, 1, T), Tuple(t, k, T))


def test_an_empty_product_is_the_identity_and_one_of_one_factor_is_it() -> None:
    b = block("a")
    n = b.state(t).rows
    assert normal(recurrence.product(b, t, t)) == Identity(n)
    assert normal(recurrence.product(b, t, t - 1)) == lead(b, t)
    assert normal(recurrence.product(b, t, t - 2)) == recurrence.product(b, t, t - 2)
    assert sums.substitute(mul(recurrence.product(b, t, k), W), k, t) == W


# ---- the certificate ---------------------------------------------------------------------


def unknown(b: Block) -> Callable[[Any], MatrixExpr]:
    return lambda time: Total(b.state(time), W)


def source(b: Block) -> Callable[[Any], MatrixExpr]:
    return lambda time: Immediate(b.state(time), W)


@pytest.mark.parametrize("name", ["a", "r"])
def test_the_certificate_ends_in_the_solution(name: str) -> None:
    b, scribe = block(name), Scribe()
    recurrence.certify(scribe, b, unknown(b), source(b))
    base, _, last = scribe.steps
    assert base.after == ZeroMatrix(*base.before.shape)
    assert base.before == unknown(b)(0 if b.direction > 0 else T + 1)
    assert last.after == recurrence.solution(b, source(b), t)


Change = Callable[[Block, Any, Any], MatrixExpr]
RIGHT = recurrence.solution


def _product_from(offset: int) -> Change:
    """Π from k + 1 + offset on."""

    def change(b: Block, time: Any, s: Any) -> MatrixExpr:
        right = RIGHT(b, s, time)
        product = recurrence.product(b, time, k + offset)
        return TimeSum(mul(product, s(k)), right.args[1])

    return change


SOLUTIONS: dict[str, Change] = {
    "the product starts at k": _product_from(-1),
    "the product starts at k+2": _product_from(1),
    "the last product is missing": lambda b, time, s: TimeSum(
        mul(recurrence.product(b, time - 1, k), s(k)), (k, 1, time)
    ),
    "the last summand is missing": lambda b, time, s: TimeSum(
        RIGHT(b, s, time).body, (k, 1, time - 1)
    ),
    "one summand too many": lambda b, time, s: TimeSum(RIGHT(b, s, time).body, (k, 1, time + 1)),
    "the product runs upwards": lambda b, time, s: TimeSum(
        mul(TimeProduct(*recurrence.product(b, time, k).args[:2], 1), s(k)), (k, 1, time)
    ),
    "the factors are exchanged": lambda b, time, s: TimeSum(
        mul(Total(b.state(k), W), recurrence.product(b, time, k)), (k, 1, time)
    ),
    "the source is one step late": lambda b, time, s: TimeSum(
        mul(recurrence.product(b, time, k), s(k - 1)), (k, 1, time)
    ),
    "the source is twice what it is": lambda b, time, s: TimeSum(
        mul(recurrence.product(b, time, k), scale(2, s(k))), (k, 1, time)
    ),
    "the source is total": lambda b, time, s: TimeSum(
        mul(recurrence.product(b, time, k), Total(b.state(k), W)), (k, 1, time)
    ),
    "no recurrence at all": lambda b, time, s: s(time),
}


@pytest.mark.parametrize("what", SOLUTIONS)
def test_a_wrong_solution_has_no_certificate(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    b = block("a")
    wrong = SOLUTIONS[what]
    monkeypatch.setattr(
        recurrence, "solution", lambda b, s, time, level=0, begin=None: wrong(b, time, s)
    )
    with pytest.raises((AssertionError, IndexError)):
        recurrence.certify(Scribe(), b, unknown(b), source(b))


def test_a_source_that_knows_its_number_has_no_certificate() -> None:
    """P⟨t⟩ must be one expression in t."""
    b = block("a")
    calls: list[Any] = []

    def fickle(time: Any) -> MatrixExpr:
        calls.append(time)
        return scale(len(calls), Immediate(b.state(time), W))

    with WRONG:
        recurrence.certify(Scribe(), b, unknown(b), fickle)


@pytest.mark.parametrize("name", ["a", "r"])
def test_the_adjoint_recursion_has_its_own_certificate(name: str) -> None:
    b, scribe = block(name), Scribe()
    net = ELMAN if name == "a" else BIDIRECTIONAL

    def row(time: Any) -> MatrixExpr:
        return Total(net.loss.at(time), b.state(time))

    def later(time: Any) -> MatrixExpr:
        return Total(net.total_loss, b.state(time))

    recurrence.certify_adjoint(scribe, b, later, row, k)
    assert scribe.steps[-1].after == add(
        row(k), mul(later(k + b.direction), lead(b, k + b.direction))
    )
    numbers = iter(range(1, 100))
    with WRONG:  # a row that is another one each time
        recurrence.certify_adjoint(Scribe(), b, later, lambda at: scale(next(numbers), row(at)), k)
