"""Expressions in float64 against NumPy: every node type, ordered products, time indices."""

from __future__ import annotations

import numpy as np
import pytest
from sympy import DiagMatrix, Identity, Integer, MatAdd, MatMul, MatrixSymbol, Symbol, Transpose
from sympy.matrices.expressions import HadamardProduct, KroneckerProduct, OneMatrix

from rnnsym.errors import NotSupportedError
from rnnsym.evaluate.arithmetic import MpmathArithmetic, NumpyArithmetic
from rnnsym.evaluate.expression import Evaluator
from rnnsym.nodes import (
    Adjoint,
    Apply,
    Blocks,
    Softmax,
    Stack,
    T,
    TimeProduct,
    TimeSum,
    TimeVector,
    t,
)

n, m = Symbol("n", integer=True), Symbol("m", integer=True)
k = Symbol("k", integer=True)
A, B = MatrixSymbol("A", n, n), MatrixSymbol("B", m, n)
a = TimeVector("a", n, t)
RNG = np.random.default_rng(0)
VALUES = {"A": RNG.standard_normal((3, 3)), "B": RNG.standard_normal((2, 3))}
SERIES = RNG.standard_normal((6, 3, 1))


def leaf(node, time):
    return VALUES[node.name] if time is None else SERIES[time]


@pytest.fixture
def evaluate():
    symbols = {n: Integer(3), m: Integer(2), T: Integer(4), t: Integer(2)}
    return Evaluator(NumpyArithmetic(), leaf, symbols)


now, before = SERIES[2], SERIES[1]
va, vb = VALUES["A"], VALUES["B"]
diagonals = {i: np.diagflat(SERIES[i]) @ va for i in range(6)}
J = MatMul(DiagMatrix(a.at(k)), A)


@pytest.mark.parametrize(
    ("e", "value"),
    [
        (MatAdd(a, a.at(t - 1)), now + before),
        (MatMul(2, B, A, a), 2 * vb @ va @ now),
        (MatMul(1 / T, a), now / 4),
        (Transpose(a), now.T),
        (HadamardProduct(a, a, a.at(t - 1)), now * now * before),
        (DiagMatrix(a), np.diagflat(now)),
        (KroneckerProduct(Transpose(a), Identity(m)), np.kron(now.T, np.eye(2))),
        (KroneckerProduct(A, B, a), np.kron(np.kron(va, vb), now)),
        (OneMatrix(n, m), np.ones((3, 2))),
        (Blocks([[A, a], [B, OneMatrix(m, 1)]]), np.block([[va, now], [vb, np.ones((2, 1))]])),
        (Stack("s", [a, a.at(t - 1)], t), np.vstack([now, before])),
        (Apply("tanh", a), np.tanh(now)),
        (Apply("tanh", a, 1), 1 - np.tanh(now) ** 2),
        (Apply("exp", a, 1), np.exp(now)),
        (Softmax(a), np.exp(now) / np.exp(now).sum()),
        (TimeSum(a.at(k), (k, 1, T)), SERIES[1:5].sum(0)),
        (TimeSum(a.at(k), (k, 3, 2)), np.zeros((3, 1))),
        (TimeProduct(J, (k, 1, 3)), diagonals[3] @ diagonals[2] @ diagonals[1]),
        (TimeProduct(J, (k, 1, 3), 1), diagonals[1] @ diagonals[2] @ diagonals[3]),
        (TimeProduct(J, (k, t + 1, t)), np.eye(3)),
    ],
)
def test_value(evaluate, e, value):
    assert np.allclose(evaluate(e), value, rtol=1e-14, atol=1e-14)


def test_nested_sums_bind_their_own_index(evaluate):
    i = Symbol("i", integer=True)
    e = TimeSum(TimeSum(HadamardProduct(a.at(k), a.at(i)), (i, k, T)), (k, 1, T))
    value = sum(SERIES[x] * SERIES[y] for x in range(1, 5) for y in range(x, 5))
    assert np.allclose(evaluate(e), value)
    assert np.allclose(evaluate(a), now)  # t means what it meant before


def test_new_bindings_are_seen(evaluate):
    assert np.allclose(evaluate(a), now)
    evaluate.symbols = {**evaluate.symbols, t: Integer(5)}
    assert np.allclose(evaluate(a), SERIES[5])


def test_unbound_times_and_truths_are_refused(evaluate):
    with pytest.raises(NotSupportedError, match="k"):
        evaluate(a.at(k))
    with pytest.raises(NotSupportedError, match="Adjoint"):
        evaluate(Adjoint(a))


def test_fifty_digits():
    ar = MpmathArithmetic()
    z = ar.array([["0.3"]])
    slope = 1 - ar.apply("tanh", 0, z) ** 2
    h = ar.mp.mpf(10) ** -20
    difference = (ar.apply("tanh", 0, z + h) - ar.apply("tanh", 0, z - h)) / (2 * h)
    assert abs(slope[0, 0] - difference[0, 0]) < ar.mp.mpf(10) ** -28
