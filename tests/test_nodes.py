"""The nodes: time-indexed vectors substitute, bind, compare and hash as SymPy objects should."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from sympy import (
    Basic,
    Identity,
    Integer,
    MatMul,
    MatrixExpr,
    MatrixSymbol,
    S,
    Symbol,
    SympifyError,
    Tuple,
)

from rnnsym.nodes import (
    Adjoint,
    Apply,
    Blocks,
    Gradient,
    Immediate,
    Softmax,
    Stack,
    T,
    TimeProduct,
    TimeSum,
    TimeVector,
    Total,
    leaves,
    parameters,
    t,
    time_vectors,
)

n, m = Symbol("n", integer=True, positive=True), Symbol("m", integer=True, positive=True)
i, k = Symbol("i", integer=True), Symbol("k", integer=True)
W = MatrixSymbol("W", n, m)


def a(time: Any) -> TimeVector:
    return TimeVector("a", n, time)


def b(time: Any) -> TimeVector:
    return TimeVector("b", m, time)


def state(time: Any) -> Stack:
    return Stack("s", [a(time), a(time - 1), b(time)], time)


def step(time: Any) -> Total:
    return Total(a(time), a(time - 1))


def path(last: Any, first: Any, order: int = -1) -> TimeProduct:
    return TimeProduct(step(i), (i, first + 1, last), order)


def double(time: Any) -> TimeSum:
    return TimeSum(MatMul(path(time, k), Immediate(a(k), W)), (k, 1, time))


# ---- substitution ------------------------------------------------------------------------

AT: dict[str, Any] = {
    "vector": a,
    "stack": state,
    "function": lambda at: Apply("tanh", a(at), 1),
    "softmax": lambda at: Softmax(a(at)),
    "blocks": lambda at: Blocks([[a(at)], [b(at - 1)]]),
    "total derivative": step,
    "immediate partial": lambda at: Immediate(state(at), W),
    "adjoint": lambda at: Adjoint(a(at)),
    "gradient": lambda at: Gradient(TimeVector("L", 1, at), W),
    "product": lambda at: path(at, Integer(0)),
    "ascending product": lambda at: path(at, Integer(0), 1),
    "sum of products": double,
    "sum of sums": lambda at: TimeSum(double(i), (i, 1, at)),
}


@pytest.mark.parametrize("kind", AT)
def test_a_number_for_the_time_simply_works(kind: str) -> None:
    build = AT[kind]
    assert build(t).subs(t, 3) == build(t).xreplace({t: Integer(3)}) == build(Integer(3))
    j = Symbol("j", integer=True)
    assert build(t).subs(t, j + 5).subs(j, 1) == build(Integer(6))


@pytest.mark.parametrize("kind", AT)
def test_an_expression_is_made_of_its_arguments(kind: str) -> None:
    e = AT[kind](t)
    again = AT[kind](t)
    assert e.func(*e.args) == e and e == again and hash(e) == hash(again)
    assert e != AT[kind](t + 1) and e.doit() == e


def test_the_derivatives_of_one_pair_are_different_things() -> None:
    kinds = {kind(TimeVector("L", 1, t), W) for kind in (Total, Immediate, Gradient)}
    assert len(kinds) == 3
    assert a(t) != Stack("a", [a(t)], t) and path(t, k) != path(t, k, 1)
    assert a(t) != TimeVector("a", m, t) and Apply("g", a(t)) != Apply("g", a(t), 1)


# ---- bound indices -----------------------------------------------------------------------


@pytest.mark.parametrize("make", [TimeSum, TimeProduct])
def test_a_bound_index_is_not_replaced(make: type) -> None:
    e = make(step(i), (i, 1, t))
    assert e.subs(i, 7) == e
    assert i not in e.free_symbols and e.free_symbols >= {t, n}


@pytest.mark.parametrize("make", [TimeSum, TimeProduct])
def test_a_limit_that_holds_the_name_of_the_index_is_replaced(make: type) -> None:
    """Σ_{i=1}^{i}: the limit's i is another i."""
    e = make(step(i), (i, 1, i))
    assert e.subs(i, 7) == make(step(i), (i, 1, 7))
    assert i in e.free_symbols


@pytest.mark.parametrize("make", [TimeSum, TimeProduct])
def test_what_is_put_in_is_not_captured(make: type) -> None:
    """A t replaced by i stays free inside of a sum over i."""
    e = make(Total(a(t), a(i)), (i, 1, 3)).subs(t, i)
    assert i in e.free_symbols and e.index != i
    assert e.subs(i, 9) == make(Total(a(9), a(e.index)), (e.index, 1, 3))


def test_the_same_letter_in_two_sums_is_two_indices() -> None:
    inner = TimeSum(a(i), (i, 1, t))
    outer = TimeSum(MatMul(Total(inner, a(i)), b(t)), (i, 1, 3))
    assert outer.subs(t, 2) == TimeSum(
        MatMul(Total(TimeSum(a(i), (i, 1, 2)), a(i)), b(2)), (i, 1, 3)
    )


def test_free_symbols_are_times_sizes_and_parameters() -> None:
    assert double(t).free_symbols == {t, n, W}
    assert TimeSum(a(t), (t, 1, T)).free_symbols == {n, T}


# ---- shapes ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("e", "shape"),
    [
        (a(t), (n, 1)),
        (state(t), (2 * n + m, 1)),
        (Apply("tanh", W), (n, m)),
        (Softmax(a(t)), (n, 1)),
        (Blocks([[W, a(t)], [Identity(m), b(t)]]), (n + m, m + 1)),
        (Total(a(t), W), (n, n * m)),
        (Immediate(state(t), b(t)), (2 * n + m, m)),
        (Adjoint(a(t)), (n, 1)),
        (Gradient(TimeVector("L", 1, t), W), (n, m)),
        (path(t, k), (n, n)),
        (double(t), (n, n * m)),
    ],
    ids=str,
)
def test_shapes_are_symbolic(e: MatrixExpr, shape: tuple[Any, Any]) -> None:
    assert e.shape == shape
    numbers = {n: Integer(3), m: Integer(4)}
    assert e.xreplace(numbers).shape == tuple(Integer(1) * x.subs(numbers) for x in map(S, shape))


# ---- text is never evaluated -------------------------------------------------------------

HOSTILE = ["__import__('os').system('exit 7')", "n", "E", "t", "1E999999999", "a b", "\\alpha", ""]


@pytest.mark.parametrize("text", ["n", "__import__('os')", "1"])
@pytest.mark.parametrize(
    "make",
    [
        lambda s: TimeVector("a", s, t),
        lambda s: TimeVector("a", n, s),
        lambda s: Stack("s", [a(t)], s),
        lambda s: Apply("tanh", s),
        lambda s: Softmax(s),
        lambda s: Total(s, a(t)),
        lambda s: Total(a(t), s),
        lambda s: Adjoint(s),
        lambda s: TimeSum(s, (k, 1, t)),
        lambda s: TimeProduct(s, (k, 1, t)),
    ],
)
def test_text_is_refused_where_an_expression_belongs(make: Any, text: str) -> None:
    with pytest.raises(SympifyError):
        make(text)


@pytest.mark.parametrize("make", [TimeSum, TimeProduct])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_text_is_refused_in_limits(make: type, place: int) -> None:
    limits: list[Any] = [k, 1, t]
    limits[place] = "exit(7)"
    with pytest.raises(SympifyError):
        make(step(k), limits)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_just_a_name(name: str) -> None:
    v = TimeVector(name, n, t)
    assert v.name == name and v.subs(t, 3) == TimeVector(name, n, 3)
    assert v.free_symbols == {n, t} and v == TimeVector(name, n, t)
    assert Apply(name, v).function == name and Stack(name, [v], t).name == name
    str(v), repr(v)


# ---- size --------------------------------------------------------------------------------


def test_a_sum_of_a_thousand_steps_does_not_recurse() -> None:
    """What is read off an expression takes no stack, however deep it is."""
    e: Basic = a(0)
    for j in range(1, 1001):  # Tuple: SymPy's own nodes compute a shape from their parts'
        e = Tuple(e, a(j), W)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(400)
    try:
        assert len(time_vectors(e)) == len(leaves(e, TimeVector)) == 1001
        assert parameters(e) == [W]
        wide = TimeSum(double(t), (t, 1, T)).subs(T, 1000)
        assert wide.upper == 1000 and wide.shape == (n, n * m)
    finally:
        sys.setrecursionlimit(limit)
