"""The algebra: every constructor keeps the value and brings the expression into normal form."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import (
    DiagMatrix,
    Identity,
    Integer,
    MatAdd,
    MatMul,
    MatrixExpr,
    MatrixSymbol,
    Rational,
    Transpose,
    ZeroMatrix,
)
from sympy.matrices.expressions import HadamardProduct, KroneckerProduct, OneMatrix

from rnnsym import simplify
from rnnsym.algebra import (
    add,
    blocks,
    diag,
    had,
    kron,
    mul,
    ones,
    scale,
    subtract,
    tr,
)
from rnnsym.evaluate.expression import Evaluator
from rnnsym.evaluate.field import FieldArithmetic
from rnnsym.nodes import Apply, Blocks, TimeProduct, TimeSum, TimeVector, t
from rnnsym.simplify import elementwise, expand, fuse, rebuild

N = Integer(3)
A, B, C = (MatrixSymbol(name, N, N) for name in "ABC")
u, v, w = (MatrixSymbol(name, N, 1) for name in "uvw")
EYE, ZERO, ONE = Identity(N), ZeroMatrix(N, N), ones(N)
HALF = Rational(1, 2)

FIELD = FieldArithmetic(1)


def leaf(node: Any, time: int | None) -> Any:
    """Random residues, the same for the same leaf."""
    rows, cols = (int(s) for s in node.shape)

    def entry(i: int, j: int) -> int:
        return FIELD._oracle(node.name, 99, 10_000 * (time or 0) + 100 * i + j)

    return FIELD.array([[entry(i, j) for j in range(cols)] for i in range(rows)])


def value(e: MatrixExpr) -> Any:
    return Evaluator(FIELD, leaf, {t: Integer(3)})(e)


def sums_to_one(e: MatrixExpr) -> bool:
    return False


# ---- random expressions ------------------------------------------------------------------

NUMBERS = st.sampled_from([Integer(-1), Integer(0), Integer(1), Integer(2), HALF, -HALF])
SQUARES = st.sampled_from([A, B, EYE, ZERO, DiagMatrix(u), DiagMatrix(v), Transpose(C)])
COLUMNS = st.sampled_from(
    [u, v, w, ONE, ZeroMatrix(N, 1), Apply("tanh", u), Apply("reciprocal", v)]
)


def trees(squares: Any, columns: Any, depth: int) -> tuple[Any, Any]:
    """Strategies for (naive SymPy expression, built by the algebra) pairs: squares, columns."""
    if depth == 0:
        return squares.map(lambda e: (e, e)), columns.map(lambda e: (e, e))
    s, c = trees(squares, columns, depth - 1)

    def pair(strategy: Any, *parts: Any) -> Any:
        naive, ours = strategy
        return st.tuples(*parts).map(
            lambda ps: (naive(*(p[0] for p in ps)), ours(*(p[1] for p in ps)))
        )

    def scaled(part: Any) -> Any:
        return st.tuples(NUMBERS, part).map(lambda p: (MatMul(p[0], p[1][0]), scale(p[0], p[1][1])))

    square = st.one_of(
        s,
        pair((MatMul, mul), s, s),
        pair((MatMul, mul), s, s, s),
        pair((MatAdd, add), s, s),
        pair((MatAdd, add), s, s, s),
        pair((lambda a, b: MatAdd(a, MatMul(-1, b)), subtract), s, s),
        pair((Transpose, tr), s),
        pair((DiagMatrix, diag), c),
        pair((lambda a, b: MatMul(a, Transpose(b)), lambda a, b: mul(a, tr(b))), c, c),
        pair((lambda a: a, expand), s),
        scaled(s),
    )
    column = st.one_of(
        c,
        pair((MatMul, mul), s, c),
        pair((MatMul, mul), s, s, c),
        pair((MatAdd, add), c, c),
        pair((HadamardProduct, had), c, c),
        pair((HadamardProduct, had), c, c, c),
        pair((lambda a: a, elementwise), c),
        pair((lambda a: a, expand), c),
        scaled(c),
    )
    return square, column


SQUARE, COLUMN = trees(SQUARES, COLUMNS, 3)


@settings(max_examples=150)
@given(st.one_of(SQUARE, COLUMN))
def test_every_constructor_keeps_the_value(pair: tuple[MatrixExpr, MatrixExpr]) -> None:
    naive, ours = pair
    assert ours.shape == naive.shape
    assert value(ours) == value(naive)


@settings(max_examples=80)
@given(st.one_of(SQUARE, COLUMN))
def test_rebuilding_keeps_the_value_and_has_an_end(pair: tuple[MatrixExpr, MatrixExpr]) -> None:
    naive, _ = pair
    again = rebuild(naive, lambda _: None)
    assert value(again) == value(naive)
    assert rebuild(again, lambda _: None) == again


@settings(max_examples=60)
@given(COLUMN, SQUARE, SQUARE)
def test_fusing_a_row_or_a_column_keeps_the_value(c: Any, s: Any, r: Any) -> None:
    column = mul(s[1], subtract(r[1], A), c[1])
    for e in (column, tr(column)):
        assert value(fuse(e, sums_to_one)) == value(e)


@settings(max_examples=60)
@given(st.lists(SQUARE, min_size=8, max_size=8))
def test_block_products_keep_the_value(pairs: list[tuple[MatrixExpr, MatrixExpr]]) -> None:
    naive = [[[p[0] for p in pairs[i : i + 2]] for i in range(j, j + 4, 2)] for j in (0, 4)]
    ours = [blocks([[p[1] for p in pairs[i : i + 2]] for i in range(j, j + 4, 2)]) for j in (0, 4)]
    assert value(mul(*ours)) == value(Blocks(naive[0])) * value(Blocks(naive[1]))
    assert value(tr(mul(*ours))) == value(mul(*ours)).transpose()


@given(SQUARE, COLUMN)
@settings(max_examples=30)
def test_kronecker_products_keep_the_value(s: Any, c: Any) -> None:
    assert value(kron(tr(c[1]), s[1])) == value(KroneckerProduct(Transpose(c[0]), s[0]))
    both = mul(kron(tr(u), A), kron(B, s[1]))
    assert value(tr(both)) == value(both).transpose()


# ---- the normal form ---------------------------------------------------------------------


NORMAL: dict[str, tuple[MatrixExpr, Any]] = {
    "diag(u) v = u ⊙ v": (mul(diag(u), v), HadamardProduct(u, v)),
    "diag(u) diag(v) = diag(u ⊙ v)": (mul(diag(u), diag(v)), DiagMatrix(HadamardProduct(u, v))),
    "uᵀ diag(v) = (u ⊙ v)ᵀ": (mul(tr(u), diag(v)), Transpose(HadamardProduct(u, v))),
    "diag(u) + diag(v) = diag(u + v)": (add(diag(u), diag(v)), DiagMatrix(MatAdd(u, v))),
    "diag(1) = I": (diag(ONE), EYE),
    "identities are left out": (mul(EYE, A, EYE, B, EYE), MatMul(A, B)),
    "I I = I": (mul(EYE, EYE), EYE),
    "zero takes all": (mul(A, ZERO, B), ZERO),
    "zero is left out": (add(ZERO, A, ZERO), A),
    "0 A = 0": (scale(0, A), ZERO),
    "A - A = 0": (subtract(A, A), ZERO),
    "equal terms are collected": (add(A, B, A), MatAdd(MatMul(2, A), B)),
    "sums are flat, in order": (add(C, add(B, A)).args, (C, B, A)),
    "products are flat, in order": (mul(C, mul(B, A)).args, (C, B, A)),
    "numbers go to the front": (mul(A, scale(2, B), scale(HALF, C)), MatMul(A, B, C)),
    "sums are not multiplied out": (mul(A, add(B, C)), MatMul(A, MatAdd(B, C))),
    "(A B)ᵀ = Bᵀ Aᵀ": (tr(mul(A, B)), MatMul(Transpose(B), Transpose(A))),
    "Aᵀᵀ = A": (tr(tr(A)), A),
    "(u - v)ᵀ stays": (tr(subtract(u, v)), Transpose(MatAdd(u, MatMul(-1, v)))),
    "(A ⊗ B)ᵀ = Aᵀ ⊗ Bᵀ": (tr(kron(A, B)), KroneckerProduct(Transpose(A), Transpose(B))),
    "1 ⊗ A = A": (kron(Identity(1), A), A),
    "I ⊗ I = I": (kron(EYE, Identity(2)), Identity(6)),
    "1 ⊙ u = u": (had(ONE, u), u),
    "0 ⊙ u = 0": (had(u, ZeroMatrix(N, 1)), ZeroMatrix(N, 1)),
    "2 u ⊙ 3 v = 6 u ⊙ v": (
        had(scale(2, u), scale(3, v)), MatMul(6, HadamardProduct(u, v)),
    ),
    "A (B + C) = A B + A C": (
        expand(mul(A, add(B, C))), MatAdd(MatMul(A, B), MatMul(A, C)),
    ),
    "(A + B)² in order": (
        expand(mul(add(A, B), add(A, B))),
        MatAdd(MatMul(A, A), MatMul(A, B), MatMul(B, A), MatMul(B, B)),
    ),
    "y ⊙ (1 ⊘ y) ⊙ u = u": (elementwise(had(u, Apply("reciprocal", u), v)), v),
    "blocks of zeros are zero": (blocks([[ZERO, ZERO]]), ZeroMatrix(3, 6)),
    "one block is itself": (blocks([[A]]), A),
    "[A B] [u; v] = A u + B v": (
        mul(blocks([[A, B]]), blocks([[u], [v]])), MatAdd(MatMul(A, u), MatMul(B, v)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("identity", NORMAL)
def test_normal_forms(identity: str) -> None:
    found, expected = NORMAL[identity]
    assert found == expected


def test_a_product_of_blocks_keeps_the_sign_of_its_result() -> None:
    """[0, -A] [B; C] = -A C, wherever it stands."""
    product = mul(A, blocks([[ZERO, scale(-1, A)]]), blocks([[B], [C]]), u)
    assert value(product) == value(MatMul(-1, A, A, C, u))


def test_a_product_of_blocks_with_a_sign_is_multiplied_out() -> None:
    product = mul(blocks([[ZERO, scale(-1, A)]]), blocks([[B], [C]]))
    assert product == MatMul(-1, A, C)


def test_products_in_products_keep_their_numbers() -> None:
    """As users write them, who give equations as SymPy expressions."""
    e = MatMul(A, MatMul(2, B))
    assert value(mul(e)) == value(e)


def test_fusing_softmax_with_cross_entropy() -> None:
    """(diag(s) - s sᵀ)(y ⊘ s) = y - (1ᵀy) s, and y - s for a distribution y."""
    s, y = u, v
    jacobian = subtract(diag(s), mul(s, tr(s)))
    e = mul(jacobian, had(y, Apply("reciprocal", s)))
    assert fuse(e, lambda q: q == y) == MatAdd(y, MatMul(-1, s))
    assert value(fuse(e, sums_to_one)) == value(e)
    assert len(fuse(e, sums_to_one).args) == 2


def test_fusing_zero_is_zero() -> None:
    assert fuse(ZeroMatrix(N, 1), sums_to_one) == ZeroMatrix(N, 1)


def test_rebuilding_replaces_inside_of_sums_over_time() -> None:
    a, k = TimeVector("a", N, t), TimeVector("k", N, t).args[2]
    e = TimeSum(mul(TimeProduct(A, (k, 1, 3)), B, a), (k, 1, 3))
    replaced = rebuild(e, lambda x: EYE if x == B else None)
    assert replaced == TimeSum(MatMul(TimeProduct(A, (k, 1, 3)), a), (k, 1, 3))
    assert rebuild(e, lambda x: ZERO if x == B else None) == ZeroMatrix(N, 1)
    assert value(tr(e)) == value(e).transpose()


def test_the_size_of_an_expression_is_its_number_of_nodes() -> None:
    assert simplify.size(A) < simplify.size(MatMul(A, B)) < simplify.size(MatMul(A, B, A))


def test_a_square_of_ones_is_no_number_one() -> None:
    assert value(mul(OneMatrix(N, N), A)) == value(MatMul(OneMatrix(N, N), A))
    assert mul(OneMatrix(1, 1), tr(u), v) == MatMul(Transpose(u), v)
