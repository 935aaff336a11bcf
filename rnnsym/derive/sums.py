"""Ordered products and sums over time: the few identities that the induction certificate needs.

Each function applies one identity and raises AssertionError where it does not apply, so that a
wrong certificate cannot be written down.
"""

from __future__ import annotations

from typing import Any

from sympy import Expr, Identity, MatrixExpr, Symbol, Tuple

from rnnsym.algebra import add, factors, mul, scale, split
from rnnsym.nodes import TimeProduct, TimeSum


def index(letter: str, level: int = 0) -> Symbol:
    """A bound index: k, i, … and k_2, i_2, … for sums inside of others."""
    return Symbol(letter if level == 0 else f"{letter}_{level + 1}", integer=True)


#: the step at which a parameter is used, and the index of a product of Jacobians
k, i = index("k"), index("i")


def expect(condition: Any) -> None:
    """An identity that does not apply is an error of ours, never of the user."""
    if not condition:
        raise AssertionError("an identity of sums was applied where it does not hold")


def substitute(e: MatrixExpr, index: Symbol, value: Any) -> MatrixExpr:
    """e with a free time index replaced, empty products becoming the identity."""
    return normal(e.xreplace({index: value}))


def normal(e: MatrixExpr) -> MatrixExpr:
    """Drop empty ordered products; products of one factor become it."""
    if isinstance(e, TimeProduct):
        length = e.upper - e.lower + 1
        if length == 0:
            return Identity(e.rows)
        return e.body.xreplace({e.index: e.lower}) if length == 1 else e
    if e.is_MatMul:
        return scale(split(e)[0], mul(*(normal(f) for f in factors(e))))
    if e.is_MatAdd:
        return add(*(normal(a) for a in e.args))
    return e


def into_sum(left: MatrixExpr, total: MatrixExpr) -> MatrixExpr:
    """A Σ_k B⟨k⟩ = Σ_k A B⟨k⟩."""
    expect(isinstance(total, TimeSum) and total.index not in left.free_symbols)
    return TimeSum(mul(left, total.body), total.args[1])


def absorb(e: MatrixExpr, lead: MatrixExpr, new_end: Expr) -> MatrixExpr:
    """J⟨end+1⟩ Π_{i}^{end} J⟨i⟩ = Π_{i}^{end+1} J⟨i⟩, for a factor to the left of a product.

    `new_end` is the index of the factor taken in; works for products of either order.
    """
    parts = factors(e)
    expect(parts[0] == lead and isinstance(parts[1], TimeProduct))
    product = parts[1]
    expect(product.body.xreplace({product.index: new_end}) == lead)
    if product.order < 0:
        expect(product.upper + 1 == new_end)
        longer = TimeProduct(product.body, (product.index, product.lower, new_end), -1)
    else:
        expect(product.lower - 1 == new_end)
        longer = TimeProduct(product.body, (product.index, new_end, product.upper), 1)
    return mul(longer, *parts[2:])


def absorb_right(e: MatrixExpr, last: MatrixExpr, new_end: Expr) -> MatrixExpr:
    """The mirror image of `absorb`: a factor to the right of an ordered product is taken in."""
    parts = factors(e)
    expect(parts[-1] == last and isinstance(parts[-2], TimeProduct))
    product = parts[-2]
    expect(product.body.xreplace({product.index: new_end}) == last)
    if product.order < 0:
        expect(product.lower - 1 == new_end)
        longer = TimeProduct(product.body, (product.index, new_end, product.upper), -1)
    else:
        expect(product.upper + 1 == new_end)
        longer = TimeProduct(product.body, (product.index, product.lower, new_end), 1)
    return mul(*parts[:-2], longer)


def append(total: MatrixExpr, term: MatrixExpr, at: Expr) -> MatrixExpr:
    """Σ_{k=l}^{u} B⟨k⟩ + B⟨u+1⟩ = Σ_{k=l}^{u+1} B⟨k⟩, or the same at the lower end."""
    expect(isinstance(total, TimeSum))
    expect(substitute(total.body, total.index, at) == term)
    if at == total.upper + 1:
        limits = (total.index, total.lower, at)
    else:
        expect(at == total.lower - 1)
        limits = (total.index, at, total.upper)
    return TimeSum(total.body, limits)


def exchange(double: TimeSum, outer_limits: Tuple, inner_limits: Tuple) -> TimeSum:
    """Σ_{t=1}^{T} Σ_{k=1}^{t} = Σ_{k=1}^{T} Σ_{t=k}^{T}: the same pairs (t, k), the other way."""
    inner = double.body
    expect(isinstance(inner, TimeSum))
    expect(outer_limits[0] == inner.index and inner_limits[0] == double.index)
    return TimeSum(TimeSum(inner.body, inner_limits), outer_limits)
