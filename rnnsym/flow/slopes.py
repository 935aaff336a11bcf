"""How steep an activation gets: γ = sup |g′|, found from the registered derivative.

The derivative is that of `rnnsym.rules`, with the function's value put in for its name; SymPy
finds its supremum over the real line, and a grid finds nothing above it. A function that SymPy has
no value for (one that a user registered) is searched on the grid alone, which proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from sympy import (
    DiagMatrix,
    Expr,
    Integer,
    MatAdd,
    MatMul,
    Mul,
    Piecewise,
    S,
    Symbol,
    ZeroMatrix,
    diff,
    exp,
    log,
    oo,
    simplify,
    tanh,
)
from sympy.calculus.util import maximum
from sympy.matrices.expressions import HadamardProduct, OneMatrix

from rnnsym.evaluate.arithmetic import NumpyArithmetic
from rnnsym.evaluate.dual import EQUATIONS
from rnnsym.evaluate.expression import Evaluator
from rnnsym.functions import KNOWN
from rnnsym.nodes import Apply, TimeVector, t
from rnnsym.rules import derivative

Z = Symbol("z", real=True)
#: the values of the functions on the real line, as far as SymPy has them
VALUES: dict[str, Callable[[Any], Any]] = {
    "tanh": tanh,
    "sigmoid": lambda z: 1 / (1 + exp(-z)),
    "softplus": lambda z: log(1 + exp(z)),
    "relu": lambda z: Piecewise((z, z > 0), (0, True)),
    "step": lambda z: Piecewise((1, z > 0), (0, True)),
    "exp": exp,
    "identity": lambda z: z,
}
GRID = np.concatenate([np.linspace(-40, 40, 16001), np.linspace(-1, 1, 4001)])
#: what is between them on the grid is rounding
ROUNDING = 1e-12


@dataclass(frozen=True)
class Slope:
    """The steepness of an elementwise function.

    expression: g′(z) on SymPy's scalars; supremum: γ, perhaps infinite (both None where SymPy has
    no value for the function); on_grid: the largest |g′| of the grid; ok: whether the grid agrees,
    and SymPy's own derivative of the value with the registered one.
    """

    function: str
    expression: Any
    supremum: Any
    on_grid: float
    ok: bool

    @property
    def bounded(self) -> bool:
        """Whether γ is known and finite."""
        return self.supremum is not None and self.supremum != oo

    @property
    def check(self) -> str:
        """What was compared, in words."""
        grid = f"the largest of {GRID.size} points is {self.on_grid:.10g}"
        if self.supremum is None:
            return f"searched only: {grid}"
        return f"SymPy: the derivative of the value, and its supremum over the reals; {grid}"


@cache
def slope(function: str) -> Slope | None:
    """γ of a function; None for one that is left symbolic, of which nothing is known."""
    if function not in KNOWN:
        return None
    size = Symbol("n", integer=True, positive=True)
    z = TimeVector("z", size, t)
    form = derivative(Apply(function, z), Apply(function, z))
    plain = isinstance(form, Apply) and form.order > 0  # no line of the rules
    ar, column = NumpyArithmetic(), GRID.reshape(-1, 1)
    with np.errstate(all="ignore"):
        if plain:
            values = EQUATIONS[function](ar, column, ar.apply(function, 0, column))
        else:
            symbols = {t: S.One, size: Integer(GRID.size)}
            values = Evaluator(ar, lambda node, time: column, symbols)(form)
    largest = float(np.max(np.abs(values[np.isfinite(values)]), initial=0.0))
    if function not in VALUES:
        return Slope(function, None, None, largest, True)
    expression = diff(VALUES[function](Z), Z) if plain else scalar(form, {"z": Z})
    highest = _supremum(expression)
    agrees = _same(diff(VALUES[function](Z), Z), expression)
    below = highest == oo or largest <= float(highest) * (1 + ROUNDING)
    close = highest == oo or largest >= float(highest) * (1 - 1e-6)
    return Slope(function, expression, highest, largest, bool(agrees and below and close))


def _supremum(e: Expr) -> Any:
    """sup |e| over the reals, for an e that is nowhere negative."""
    if isinstance(e, Piecewise):
        return max(maximum(value, Z, S.Reals) for value, _ in e.args)
    highest, lowest = maximum(e, Z, S.Reals), -maximum(-e, Z, S.Reals)
    return max(highest, -lowest)


def _same(a: Expr, b: Expr) -> bool:
    if a.has(Piecewise) or b.has(Piecewise):
        return all(simplify(a.subs(Z, v) - b.subs(Z, v)) == 0 for v in (-2, -1, 1, 2))
    return bool(simplify((a - b).rewrite(exp)) == 0)


def scalar(e: Any, names: dict[str, Any]) -> Any:
    """A formula of the calculus where every size is one, as SymPy's own scalars.

    names: what stands for each vector and parameter by its name, and for a function that is left
    symbolic with a prime for each derivative, such as g'.
    """
    match e:
        case MatMul():
            return Mul(*(scalar(a, names) if hasattr(a, "shape") else a for a in e.args))
        case HadamardProduct():
            return Mul(*(scalar(a, names) for a in e.args))
        case MatAdd():
            return sum((scalar(a, names) for a in e.args), S.Zero)
        case DiagMatrix():
            return scalar(e.args[0], names)
        case OneMatrix():
            return S.One
        case ZeroMatrix():
            return S.Zero
        case Apply() if e.order == 0 and e.function in VALUES:
            return VALUES[e.function](scalar(e.argument, names))
        case Apply():
            return names[e.function + "'" * e.order]
    if e.is_Identity:
        return S.One
    return names[e.name]
