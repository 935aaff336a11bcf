"""The table of local rules against dual numbers, which know only the forward expression."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from sympy import (
    DiagMatrix,
    Identity,
    Integer,
    KroneckerProduct,
    MatAdd,
    MatMul,
    MatrixExpr,
    MatrixSymbol,
    Rational,
    Transpose,
    ZeroMatrix,
)
from sympy.matrices.expressions import HadamardProduct

from rnnsym import rules
from rnnsym.errors import NotSupportedError
from rnnsym.evaluate.arithmetic import NumpyArithmetic
from rnnsym.evaluate.dual import EQUATIONS, Dual, DualArithmetic
from rnnsym.evaluate.expression import Evaluator
from rnnsym.evaluate.field import FieldArithmetic
from rnnsym.evaluate.trajectory import _units
from rnnsym.functions import KNOWN
from rnnsym.nodes import Apply, Blocks, Softmax, TimeVector, t
from rnnsym.rules import DERIVATIVES, jacobian

N, M = Integer(3), Integer(2)
u, v = TimeVector("u", N, t), TimeVector("v", N, t)
x = TimeVector("x", M, t)
W, V, A = MatrixSymbol("W", N, N), MatrixSymbol("V", N, M), MatrixSymbol("A", N, N)
Q = MatrixSymbol("Q", 2, 5)
b, k = MatrixSymbol("b", N, 1), MatrixSymbol("k", 1, 1)
FIELD = FieldArithmetic(2)


def given(node: Any, time: int | None) -> Any:
    rows, cols = map(int, node.shape)
    entry = FIELD._oracle
    table = [[entry(node.name, 99, 10 * i + j) for j in range(cols)] for i in range(rows)]
    return FIELD.array(table)


def value(e: MatrixExpr) -> Any:
    return Evaluator(FIELD, given, {t: Integer(1)})(e)


def truth(e: MatrixExpr, by: MatrixExpr) -> Any:
    """∂vec(e)/∂vec(by), column by column, by dual numbers."""
    rows, cols = map(int, by.shape)
    units = _units(FIELD, rows, cols, 0, rows * cols)

    def leaf(node: Any, time: int | None) -> Dual:
        return Dual(given(node, time), units if node == by else None)

    dual = Evaluator(DualArithmetic(FIELD), leaf, {t: Integer(1)})(e)
    height, width = FIELD.shape(dual.value)
    tangents = dual.tangents or [FIELD.full(height, width, 0)] * (rows * cols)
    columns = [[x[i, j] for j in range(width) for i in range(height)] for x in tangents]
    return FIELD.transpose(FIELD.array(columns))


EXPRESSIONS: dict[str, tuple[MatrixExpr, MatrixExpr]] = {
    "a leaf by itself": (u, u),
    "a leaf by another": (u, v),
    "the same vector at another time": (MatAdd(u, u.at(t - 1)), u),
    "a sum": (MatAdd(u, v, u), u),
    "a multiple": (MatMul(Rational(2, 3), u), u),
    "a matrix times a vector, by the vector": (W * u, u),
    "a matrix times a vector, by the matrix": (W * u, W),
    "a rectangular matrix, by the matrix": (V * x, V),
    "a product of three, by the middle": (MatMul(A, W, V), W),
    "a product of three, by the first": (MatMul(A, W, V), A),
    "a product with a number, by the matrix": (MatMul(-3, A, V, x), V),
    "the same matrix twice": (MatMul(W, W, u), W),
    "an inner product": (MatMul(Transpose(u), v), u),
    "an inner product with itself": (MatMul(Transpose(u), u), u),
    "a quadratic form": (MatMul(Transpose(u), W, u), u),
    "a quadratic form, by the matrix": (MatMul(Transpose(u), W, v), W),
    "an outer product": (MatMul(u, Transpose(x)), x),
    "an elementwise product": (HadamardProduct(u, v, b), u),
    "an elementwise square": (HadamardProduct(u, u), u),
    "an elementwise product with a bias": (HadamardProduct(u, b), b),
    "a concatenation": (Blocks([[u], [W * u], [x]]), u),
    "a weight times a concatenation": (Q * Blocks([[u], [x]]), u),
    "a weight times a concatenation, by the weight": (Q * Blocks([[u], [x]]), Q),
    "softmax": (Softmax(u), u),
    "softmax of a product": (Softmax(MatAdd(W * u, b)), W),
    "a function of a product": (Apply("tanh", W * u), W),
    "a function of a function": (Apply("exp", Apply("tanh", u)), u),
    "a product of functions": (HadamardProduct(Apply("sigmoid", u), Apply("g", W * u)), u),
    "a transposed column": (Transpose(W * u), u),
    "a scalar spread over a vector": (HadamardProduct(MatMul(MatrixSymbol("o", 3, 1), k), u), k),
}  # fmt: skip


@pytest.mark.parametrize("what", EXPRESSIONS)
def test_the_jacobian_is_the_true_one(what: str) -> None:
    e, by = EXPRESSIONS[what]
    found = jacobian(e, by)
    assert found.shape == (e.rows * e.cols, by.rows * by.cols)
    assert value(found) == truth(e, by)


@pytest.mark.parametrize("what", EXPRESSIONS)
def test_primed_functions_say_the_same(what: str) -> None:
    e, by = EXPRESSIONS[what]
    assert value(jacobian(e, by, primed=True)) == truth(e, by)


@pytest.mark.parametrize(
    ("name", "order"),
    [(name, 0) for name in sorted({*KNOWN} - {"identity"})]  # the reader leaves the identity out
    + [("g", 0), ("g", 1), ("unheard", 2)],
)
def test_the_derivative_of_each_function(name: str, order: int) -> None:
    e = Apply(name, u, order)
    assert value(jacobian(e, u)) == truth(e, u)


@pytest.mark.parametrize("name", sorted({*KNOWN} - {"identity"}))
def test_the_derivative_of_each_function_is_the_slope_of_its_values(name: str) -> None:
    """The same rule in floats, against a complex step: rules and values are of one function."""
    points = np.array([[-1.3], [0.4], [2.1]])
    z = points[1:] if name == "log" else points
    e = Apply(name, TimeVector("u", Integer(len(z)), t))
    found = Evaluator(NumpyArithmetic(), lambda *_: z, {t: Integer(1)})(jacobian(e, e.argument))
    step = NumpyArithmetic(np.complex128).apply(name, 0, z + 1e-30j).imag / 1e-30
    np.testing.assert_allclose(np.diag(found), step.ravel(), rtol=1e-13)


def test_rules_and_dual_numbers_know_the_same_functions() -> None:
    assert set(DERIVATIVES) | {"identity"} == set(EQUATIONS) == set(KNOWN)


def test_an_unknown_function_gives_its_prime() -> None:
    assert jacobian(Apply("g", u), u) == DiagMatrix(Apply("g", u, 1))
    assert jacobian(Apply("g", u, 1), u) == DiagMatrix(Apply("g", u, 2))


def test_a_value_with_a_name_is_called_by_it() -> None:
    """tanh′(z) = 1 - a ⊙ a, not 1 - tanh(z) ⊙ tanh(z)."""
    found = jacobian(Apply("tanh", u), u, v)
    assert found.has(v) and not found.has(Apply)
    s = jacobian(Softmax(u), u, v)
    assert s == MatAdd(DiagMatrix(v), MatMul(-1, v, Transpose(v)))


def test_textbook_forms() -> None:
    assert jacobian(W * u, u) == W
    assert jacobian(W * u, W) == KroneckerProduct(Transpose(u), Identity(3))
    assert jacobian(Transpose(W) * u, W) == KroneckerProduct(Identity(3), Transpose(u))
    assert jacobian(u, v) == ZeroMatrix(3, 3)
    assert jacobian(HadamardProduct(u, v), u) == DiagMatrix(v)


@pytest.mark.parametrize(
    ("e", "by", "words"),
    [
        (MatMul(Transpose(W), W), W, "transpose of a matrix"),
        (KroneckerProduct(u, v), u, "no rule for KroneckerProduct: register one"),
        (DiagMatrix(u) * v, u, "no rule for DiagMatrix"),
    ],
)
def test_what_has_no_rule_says_so(e: MatrixExpr, by: MatrixExpr, words: str) -> None:
    with pytest.raises(NotSupportedError, match=words):
        jacobian(e, by)


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    copy = dict(DERIVATIVES)
    monkeypatch.setattr(rules, "DERIVATIVES", copy)
    yield copy


def test_a_registered_function_is_differentiated(table: dict[str, Any]) -> None:
    rules.register("square", lambda z, a: MatMul(2, z))
    assert "square" not in DERIVATIVES and table["square"]
    assert jacobian(Apply("square", u), u) == MatMul(2, DiagMatrix(u))
    found = jacobian(HadamardProduct(Apply("square", W * u), v), u)
    assert value(found) == truth(HadamardProduct(W * u, W * u, v), u)
