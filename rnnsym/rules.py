"""The table of local rules: the derivative of each node type by its own arguments.

Used by `rnnsym.derive` only. A rule gives the Jacobian of a node by one of its arguments, in
numerator layout, through `vec` (column-major) where either is a matrix. A new operation is a
new node type with one rule here; a new elementwise function is one line of DERIVATIVES.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sympy import Identity, MatAdd, MatMul, MatrixExpr, Transpose, ZeroMatrix
from sympy.matrices.expressions import HadamardProduct

from rnnsym.algebra import (
    add,
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
    subtract,
    tr,
)
from rnnsym.errors import NotSupportedError
from rnnsym.nodes import Apply, Blocks, Detach, Softmax, count

#: name -> g′ as a function of the argument z and the value a = g(z)
DERIVATIVES: dict[str, Callable[[MatrixExpr, MatrixExpr], MatrixExpr]] = {
    "tanh": lambda z, a: subtract(ones(a.rows), had(a, a)),  # 1 - tanh²
    "sigmoid": lambda z, a: had(a, subtract(ones(a.rows), a)),  # σ (1 - σ)
    "softplus": lambda z, a: Apply("sigmoid", z),
    "relu": lambda z, a: Apply("step", z),
    "step": lambda z, a: ZeroMatrix(*z.shape),
    "exp": lambda z, a: a,
    "log": lambda z, a: Apply("reciprocal", z),
    "reciprocal": lambda z, a: scale(-1, had(a, a)),  # -1/z²
}


def derivative(e: Apply, value: MatrixExpr) -> MatrixExpr:
    """g′(z) of an elementwise node e = g(z) whose value also goes by the name `value`."""
    rule = DERIVATIVES.get(e.function)
    if rule is not None and e.order == 0:
        return rule(e.argument, value)
    return Apply(e.function, e.argument, e.order + 1)


def _apply(e: Apply, i: int, value: MatrixExpr) -> MatrixExpr:
    """∂g(z)/∂z = diag(g′(z))"""
    return diag(derivative(e, value))


def _primed(e: Apply, i: int, value: MatrixExpr) -> MatrixExpr:
    """∂g(z)/∂z = diag(g′(z)), whatever g is"""
    return diag(Apply(e.function, e.argument, e.order + 1))


def _softmax(e: Softmax, i: int, value: MatrixExpr) -> MatrixExpr:
    """∂softmax(z)/∂z = diag(s) - s sᵀ"""
    return subtract(diag(value), mul(value, tr(value)))


def _hadamard(e: HadamardProduct, i: int, value: MatrixExpr) -> MatrixExpr:
    """∂(u ⊙ v)/∂u = diag(v)"""
    return diag(had(*(a for j, a in enumerate(e.args) if j != i)))


def _sum(e: MatAdd, i: int, value: MatrixExpr) -> MatrixExpr:
    """∂(u + v)/∂u = I"""
    return Identity(count(e.args[i]))


def _product(e: MatMul, i: int, value: MatrixExpr) -> MatrixExpr:
    """∂vec(A X B)/∂vec X = Bᵀ ⊗ A"""
    number, rest = split(e)
    parts = factors(rest)
    j = i - (len(e.args) - len(parts))
    left = mul(*parts[:j]) if j else Identity(parts[j].rows)
    right = tr(mul(*parts[j + 1 :])) if j + 1 < len(parts) else Identity(parts[j].cols)
    return scale(number, kron(right, left))


def _transposed_factor(e: MatMul, i: int) -> MatrixExpr:
    """∂(A Xᵀ b)/∂vec X = A ⊗ bᵀ"""
    number, rest = split(e)
    parts = factors(rest)
    j = i - (len(e.args) - len(parts))
    left = mul(*parts[:j]) if j else Identity(parts[j].rows)
    return scale(number, kron(left, tr(mul(*parts[j + 1 :]))))


def _transpose(e: Transpose, i: int, value: MatrixExpr) -> MatrixExpr:
    """∂vec(uᵀ)/∂u = I for a vector u"""
    if not (is_column(e.arg) or is_column(e)):
        raise NotSupportedError(f"no rule for the transpose of a matrix: {e}")
    return Identity(count(e))


def _detach(e: Detach, i: int, value: MatrixExpr) -> MatrixExpr:
    """∂detach(u)/∂u = [gate] I"""
    return scale(e.gate, Identity(count(e)))


RULES: dict[type, Callable[[Any, int, MatrixExpr], MatrixExpr]] = {
    Apply: _apply,
    Softmax: _softmax,
    HadamardProduct: _hadamard,
    MatAdd: _sum,
    MatMul: _product,
    Transpose: _transpose,
    Detach: _detach,
}


def jacobian(
    e: MatrixExpr, v: MatrixExpr, value: MatrixExpr | None = None, primed: bool = False
) -> MatrixExpr:
    """∂vec(e)/∂vec(v): v varies where it is written in e, all other leaves are held fixed.

    `value` is another name of e's value (the left-hand side of its equation), which the rules
    may use; with `primed`, elementwise functions are differentiated to g′ and no further.
    Raises NotSupportedError for a node without a rule.
    """
    if e == v:
        return Identity(count(v))
    zero = ZeroMatrix(count(e), count(v))
    if not e.has(v):
        return zero
    if isinstance(e, Blocks) and is_column(e):  # ∂[u; w]/∂v = [∂u/∂v; ∂w/∂v]
        return Blocks([[jacobian(row[0], v, None, primed)] for row in e.blocks])
    rule = _primed if primed and isinstance(e, Apply) else RULES.get(type(e))
    if rule is None:
        raise NotSupportedError(f"no rule for {type(e).__name__}: register one in rnnsym.rules")
    total: list[MatrixExpr] = []
    for i, argument in enumerate(e.args):
        factor = isinstance(e, MatMul) and isinstance(argument, Transpose) and is_column(e)
        if factor and argument.arg == v and not is_column(v):
            total.append(_transposed_factor(e, i))
            continue
        if isinstance(argument, MatrixExpr):
            inner = jacobian(argument, v, None, primed)
            if not is_zero(inner):
                total.append(mul(rule(e, i, e if value is None else value), inner))
    return add(*total) if total else zero


def register(function: str, rule: Callable[[MatrixExpr, MatrixExpr], MatrixExpr]) -> None:
    """Add the derivative g′(z, a) of an elementwise function g, a = g(z)."""
    DERIVATIVES[function] = rule
