"""Matrix algebra for derivations: constructors that keep expressions in a readable normal form.

Used by `rnnsym.rules` and `rnnsym.derive`. Every constructor applies only identities of matrix
algebra (associativity, neutral elements, block products, diag(u) v = u ⊙ v, transposition).
SymPy's own constructors would do, but their canonical order is not the one of a textbook.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sympy import (
    DiagMatrix,
    Identity,
    MatAdd,
    MatMul,
    MatrixExpr,
    S,
    Transpose,
    ZeroMatrix,
)
from sympy.matrices.expressions import HadamardProduct, KroneckerProduct, OneMatrix

from rnnsym.nodes import Blocks, TimeSum


def is_zero(e: MatrixExpr) -> bool:
    """Whether e is written as zero."""
    return isinstance(e, ZeroMatrix)


def is_scalar(e: MatrixExpr) -> bool:
    """Whether e is 1 × 1."""
    return bool(e.rows == 1 and e.cols == 1)


def is_column(e: MatrixExpr) -> bool:
    """Whether e is written as a column vector."""
    return bool(e.cols == 1)


def split(e: MatrixExpr) -> tuple[Any, MatrixExpr]:
    """e as (number, expression without a number in front)."""
    if isinstance(e, MatMul) and not isinstance(e.args[0], MatrixExpr):
        rest = e.args[1:]
        return e.args[0], rest[0] if len(rest) == 1 else MatMul(*rest)
    return S.One, e


def factors(e: MatrixExpr) -> tuple[MatrixExpr, ...]:
    """The matrix factors of a product, without its number."""
    rest = split(e)[1]
    return rest.args if isinstance(rest, MatMul) else (rest,)


def terms(e: MatrixExpr) -> tuple[MatrixExpr, ...]:
    """The terms of a sum; none for zero."""
    if is_zero(e):
        return ()
    return e.args if isinstance(e, MatAdd) else (e,)


def scale(number: Any, e: MatrixExpr) -> MatrixExpr:
    """number · e."""
    if number == 0:
        return ZeroMatrix(*e.shape)
    if isinstance(e, MatAdd):
        return MatAdd(*(scale(number, a) for a in e.args))
    inner, rest = split(e)
    number = number * inner
    if number == 1 or is_zero(rest):
        return rest
    return MatMul(number, *factors(rest))


def add(*summands: MatrixExpr) -> MatrixExpr:
    """The sum: flat, equal terms collected, zeros left out, in order of appearance."""
    collected: dict[MatrixExpr, Any] = {}
    for summand in summands:
        for term in terms(summand):
            number, rest = split(term)
            collected[rest] = collected.get(rest, 0) + number
    diagonals = [e for e, n in collected.items() if n != 0 and isinstance(e, DiagMatrix)]
    if len(diagonals) > 1:  # diag(u) + diag(v) = diag(u + v), in the place of the first
        merged = add(*(scale(collected.pop(d), d.args[0]) for d in diagonals[1:]))
        first = scale(collected[diagonals[0]], diagonals[0].args[0])
        number, rest = split(diag(add(first, merged)))
        collected = {
            (rest if e == diagonals[0] else e): (number if e == diagonals[0] else n)
            for e, n in collected.items()
        }
    kept = [scale(n, e) for e, n in collected.items() if n != 0 and not is_zero(e)]
    if not kept:
        return ZeroMatrix(*summands[0].shape)
    return kept[0] if len(kept) == 1 else MatAdd(*kept)


def subtract(a: MatrixExpr, b: MatrixExpr) -> MatrixExpr:
    """a - b."""
    return add(a, scale(-1, b))


def mul(*args: MatrixExpr) -> MatrixExpr:
    """The product, simplified where neighbours meet; sums are not multiplied out."""
    number: Any = S.One
    result: list[MatrixExpr] = []
    shape = args[0].rows, args[-1].cols
    for arg in args:
        n, _ = split(arg)
        number *= n
        for factor in factors(arg):
            number *= _push(result, factor)
            if result and is_zero(result[-1]):
                return ZeroMatrix(*shape)
    if not result:
        e: MatrixExpr = Identity(shape[0])
    elif len(result) == 1:
        e = result[0]
    else:
        e = MatMul(*result)
    return scale(number, e)


def _push(result: list[MatrixExpr], factor: MatrixExpr) -> Any:
    """Append a factor to a product, letting it react with the last one; returns the number that
    comes out of the reaction."""
    number: Any = S.One
    while True:
        n, factor = split(factor)
        number *= n
        if isinstance(factor, Identity) or _is_one(factor):
            return number
        if isinstance(factor, MatMul):
            for part in factors(factor):
                number *= _push(result, part)
            return number
        joined = _join(result[-1], factor) if result else None
        if joined is None:
            result.append(factor)
            return number
        result.pop()
        factor = joined


def _is_one(e: MatrixExpr) -> bool:
    return isinstance(e, OneMatrix) and is_scalar(e)


def _join(a: MatrixExpr, b: MatrixExpr) -> MatrixExpr | None:
    """The product of two neighbours where an identity simplifies it, else None."""
    if is_zero(a) or is_zero(b):
        return ZeroMatrix(a.rows, b.cols)
    if isinstance(a, DiagMatrix):
        if isinstance(b, DiagMatrix):
            return diag(had(a.args[0], b.args[0]))
        if is_column(b) and not isinstance(b, Blocks):
            return had(a.args[0], b)
    if isinstance(b, DiagMatrix) and isinstance(a, Transpose) and is_column(a.arg):
        return tr(had(a.arg, b.args[0]))
    if isinstance(a, Blocks) and isinstance(b, Blocks):
        return _block_product(a, b)
    return None


def _block_product(a: Blocks, b: Blocks) -> MatrixExpr | None:
    inner_a = [block.cols for block in a.blocks[0]]
    inner_b = [row[0].rows for row in b.blocks]
    if inner_a != inner_b:
        return None
    columns = list(zip(*b.blocks, strict=True))
    return blocks(
        [
            [add(*(mul(x, y) for x, y in zip(row, col, strict=True))) for col in columns]
            for row in a.blocks
        ]
    )


def blocks(rows: Iterable[Iterable[MatrixExpr]]) -> MatrixExpr:
    """A block matrix; a single block is itself, blocks of zeros only are zero."""
    table = [list(row) for row in rows]
    if len(table) == len(table[0]) == 1:
        return table[0][0]
    result = Blocks(table)
    return ZeroMatrix(*result.shape) if all(is_zero(b) for row in table for b in row) else result


def had(*vectors: MatrixExpr) -> MatrixExpr:
    """The elementwise product: flat, ones left out, zero absorbing."""
    number: Any = S.One
    kept: list[MatrixExpr] = []
    for vector in vectors:
        n, rest = split(vector)
        number *= n
        if is_zero(rest):
            return rest
        if not isinstance(rest, OneMatrix):
            kept += rest.args if isinstance(rest, HadamardProduct) else (rest,)
    if not kept:
        return scale(number, OneMatrix(*vectors[0].shape))
    return scale(number, kept[0] if len(kept) == 1 else HadamardProduct(*kept))


def ones(size: Any) -> MatrixExpr:
    """The column of ones."""
    return OneMatrix(size, 1)


def diag(v: MatrixExpr) -> MatrixExpr:
    """diag(v) of a column vector."""
    number, rest = split(v)
    if isinstance(rest, OneMatrix):
        return scale(number, Identity(v.rows))
    if is_zero(rest):
        return ZeroMatrix(v.rows, v.rows)
    if is_scalar(v):
        return v
    return scale(number, DiagMatrix(rest))


def tr(e: MatrixExpr) -> MatrixExpr:
    """The transpose, pushed to the leaves."""
    if is_scalar(e) or isinstance(e, DiagMatrix | Identity):
        return e
    if isinstance(e, Transpose):
        return e.arg
    if is_zero(e):
        return ZeroMatrix(e.cols, e.rows)
    if isinstance(e, OneMatrix) and e.rows == e.cols:
        return e
    if isinstance(e, MatMul):
        return scale(split(e)[0], mul(*(tr(f) for f in reversed(factors(e)))))
    if isinstance(e, MatAdd) and not (is_column(e) and _elementwise(e)):
        return add(*(tr(a) for a in e.args))
    if isinstance(e, KroneckerProduct):
        return kron(*(tr(a) for a in e.args))
    if isinstance(e, TimeSum):
        return TimeSum(tr(e.body), e.args[1])
    if isinstance(e, Blocks):
        return Blocks([[tr(b) for b in column] for column in zip(*e.blocks, strict=True)])
    return Transpose(e)


def _elementwise(e: MatrixExpr) -> bool:
    """Whether a sum is made of vectors only, so that (u - v)ᵀ reads better than uᵀ - vᵀ."""
    return all(len(factors(a)) == 1 for a in terms(e))


def kron(a: MatrixExpr, b: MatrixExpr) -> MatrixExpr:
    """The Kronecker product a ⊗ b; a scalar factor 1 is left out."""
    if isinstance(a, Identity) and a.rows == 1:
        return b
    if isinstance(b, Identity) and b.rows == 1:
        return a
    if isinstance(a, Identity) and isinstance(b, Identity):
        return Identity(a.rows * b.rows)
    if is_zero(a) or is_zero(b):
        return ZeroMatrix(a.rows * b.rows, a.cols * b.cols)
    return KroneckerProduct(a, b)
