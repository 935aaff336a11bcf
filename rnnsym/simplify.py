"""Simplification for derivations: multiplying out, cancelling entry by entry, rebuilding.

Used by `rnnsym.derive`, on top of the constructors of `rnnsym.algebra`. This is where softmax with
cross-entropy becomes ŷ - y, by nothing but distributivity and the algebra of single entries.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy
from sympy import Basic, DiagMatrix, MatAdd, MatMul, MatrixExpr, S, Transpose, ZeroMatrix
from sympy.matrices.expressions import HadamardProduct, KroneckerProduct, OneMatrix

from rnnsym.algebra import (
    add,
    blocks,
    diag,
    factors,
    had,
    is_column,
    is_zero,
    kron,
    mul,
    ones,
    scale,
    split,
    terms,
    tr,
)
from rnnsym.nodes import Apply, Blocks, TimeProduct, TimeSum


def expand(e: MatrixExpr) -> MatrixExpr:
    """Multiply sums out, everywhere in products: a sum of products."""
    if isinstance(e, MatAdd):
        return add(*(expand(a) for a in e.args))
    if isinstance(e, MatMul):
        number, _ = split(e)
        products: list[tuple[MatrixExpr, ...]] = [()]
        for factor in factors(e):
            parts = terms(expand(factor)) if isinstance(factor, MatAdd) else (factor,)
            products = [(*p, part) for p in products for part in parts]
        return add(*(scale(number, mul(*p)) for p in products))
    return e


def elementwise(e: MatrixExpr) -> MatrixExpr:
    """Simplify a vector built from elementwise operations, as the scalar formula that it is.

    Each entry of y ⊙ ŷ⁻¹ ⊙ ŷ obeys y · (1/ŷ) · ŷ = y; SymPy's `cancel` does the rest.
    """
    atoms: dict[MatrixExpr, sympy.Symbol] = {}

    def scalar(v: MatrixExpr) -> sympy.Expr:
        if isinstance(v, OneMatrix):
            return S.One
        if is_zero(v):
            return S.Zero
        if isinstance(v, MatAdd):
            return sympy.Add(*map(scalar, v.args))
        if isinstance(v, HadamardProduct):
            return sympy.Mul(*map(scalar, v.args))
        number, rest = split(v)
        if number != 1:
            return number * scalar(rest)
        if isinstance(v, Apply) and v.function == "reciprocal" and v.order == 0:
            return 1 / scalar(v.argument)
        return atoms.setdefault(v, sympy.Symbol(f"v{len(atoms):03d}"))

    if not e.has(Apply) or "reciprocal" not in {f.function for f in e.atoms(Apply)}:
        return e  # without a quotient there is nothing to cancel
    after = sympy.cancel(scalar(e))
    if sympy.fraction(after)[1] != 1:
        return e
    back = {symbol: v for v, symbol in atoms.items()}
    return _vector(sympy.expand(after), back, e.rows)


def fuse(e: MatrixExpr, sums_to_one: Callable[[MatrixExpr], bool]) -> MatrixExpr:
    """Multiply out and simplify entry by entry: (diag(s) - s sᵀ)(y ⊘ s) = y - (1ᵀy) s.

    `sums_to_one(v)` tells which vectors are distributions: for them 1ᵀv = 1.
    """
    if is_zero(e):
        return e
    if not is_column(e):
        return tr(fuse(tr(e), sums_to_one)) if e.rows == 1 else e
    result: list[MatrixExpr] = []
    for term in terms(expand(e)):
        number, rest = split(term)
        parts: list[MatrixExpr] = []
        for part in factors(rest):
            u = parts[-1].arg if parts and isinstance(parts[-1], Transpose) else None
            if u is not None and is_column(u) and is_column(part):
                parts.pop()
                product = elementwise(had(u, part))
                n, v = split(product)
                number *= n
                if not sums_to_one(v):
                    parts += [Transpose(ones(v.rows)), v]
            else:
                parts.append(elementwise(part) if is_column(part) else part)
        result.append(scale(number, mul(*parts)) if parts else scale(number, ones(1)))
    result.sort(key=lambda x: bool(split(x)[0].as_coeff_Mul()[0] < 0))
    return elementwise(add(*result))


def size(e: Basic) -> int:
    """How large an expression is: its number of nodes, for choosing the simpler of two."""
    return 1 + sum(map(size, e.args))


def _vector(e: sympy.Expr, back: dict[sympy.Symbol, MatrixExpr], size: Any) -> MatrixExpr:
    """A polynomial in symbols as sums of elementwise products of the vectors they stand for."""
    result: list[MatrixExpr] = []
    summands = [s.as_coeff_mul() for s in sympy.Add.make_args(e)]
    for number, monomial in sorted(summands, key=lambda s: bool(s[0] < 0)):
        parts: list[MatrixExpr] = []
        for power in monomial:
            base, exponent = power.as_base_exp()
            parts += [back[base]] * int(exponent)
        result.append(scale(number, had(*parts) if parts else ones(size)))
    return add(*result) if result else ZeroMatrix(size, 1)


def rebuild(e: MatrixExpr, replace: Callable[[Basic], MatrixExpr | None]) -> MatrixExpr:
    """Replace sub-expressions and bring what holds them back to normal form.

    `replace` gives the replacement, or None to look inside.
    """
    found = replace(e)
    if found is not None:
        return found
    if isinstance(e, MatAdd):
        return add(*(rebuild(a, replace) for a in e.args))
    if isinstance(e, MatMul):
        number, _ = split(e)
        return scale(number, mul(*(rebuild(f, replace) for f in factors(e))))
    if isinstance(e, HadamardProduct):
        return had(*(rebuild(a, replace) for a in e.args))
    if isinstance(e, Transpose):
        return tr(rebuild(e.arg, replace))
    if isinstance(e, DiagMatrix):
        return diag(rebuild(e.args[0], replace))
    if isinstance(e, KroneckerProduct):
        return kron(*(rebuild(a, replace) for a in e.args))
    if isinstance(e, Blocks):
        return blocks([[rebuild(b, replace) for b in row] for row in e.blocks])
    if isinstance(e, TimeSum):
        body = rebuild(e.body, replace)
        return ZeroMatrix(*e.shape) if is_zero(body) else TimeSum(body, e.args[1])
    if isinstance(e, TimeProduct):
        return TimeProduct(rebuild(e.body, replace), e.args[1], e.args[2])
    return e
