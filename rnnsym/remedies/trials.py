"""Trying a property at random rational vectors, exactly: `proofs` derives, this checks.

Vectors come from `exact`; formulas are evaluated in Fractions, as plain Python.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from sympy import lambdify

from rnnsym.remedies import exact

POINTS = 200


def exactly(expression: Any) -> Callable[[Mapping[Any, Fraction]], Any]:
    """The expression as a function of Fractions, which is computed without rounding.

    The function raises ArithmeticError where that cannot be done.
    """
    symbols = sorted(expression.free_symbols, key=str)
    function = lambdify(symbols, expression, modules="math")

    def value(at: Mapping[Any, Fraction]) -> Any:
        result = function(*(at[s] for s in symbols))
        if not isinstance(result, int | Fraction):
            raise ArithmeticError(f"{expression} is not computed exactly")
        return result

    return value


def tried(trial: Callable[[random.Random], bool | None], what: str) -> tuple[str, bool]:
    """A trial at POINTS random points: what to say of it, and whether all agreed.

    A trial that says None does not apply at its point and is not counted.
    """
    rng = random.Random(0)
    outcomes = [outcome for _ in range(POINTS) if (outcome := trial(rng)) is not None]
    ok = bool(outcomes) and all(outcomes)
    return f"{what}, at {len(outcomes)} random rational vectors, without rounding", ok


def draw(rng: random.Random) -> tuple[exact.Vector, Any]:
    """A vector and a threshold; about as often above as below."""
    v = exact.vector(rng)
    return v, exact.norm(v) * exact.number(rng) / exact.number(rng)
