"""The value of what latex2sympy2 made of a text: a closed set of operations, in 30 digits.

Runs in the worker, on an expression that may have been made of anybody's text. Nothing is
evaluated by SymPy, no source is made and no name is looked up anywhere but among the numbers given;
an operation that the dialect does not use is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import mpmath
from sympy import Abs, Add, Float, Mul, Pow, Rational, Symbol, exp, log, tanh

_MP = mpmath.MPContext()
_MP.dps = 30


class Refused(Exception):
    """Something that is not in the dialect was read, or something without a real value."""


def value(e: Any, numbers: Mapping[str, float]) -> float:
    """The real value of an expression whose symbols have these numbers. Raises Refused."""
    found = _value(e, numbers)
    if not isinstance(found, _MP.mpf):
        raise Refused("the value is not a real number")
    result = float(found)
    if not math.isfinite(result):
        raise Refused("the value is not a finite number")
    return result


def _value(e: Any, numbers: Mapping[str, float]) -> Any:
    if type(e) is Symbol:
        if e.name not in numbers:
            raise Refused(f"a symbol was read that was not written: {e.name[:60]}")
        return _MP.mpf(numbers[e.name])
    if isinstance(e, Rational):
        return _MP.mpf(int(e.p)) / int(e.q)
    if type(e) is Float:
        return _MP.make_mpf(e._mpf_)
    operation = _OPERATIONS.get(type(e))
    if operation is None:
        raise Refused(f"{type(e).__name__} is not in the dialect")
    try:
        return operation(*(_value(a, numbers) for a in e.args))
    except ZeroDivisionError:
        raise Refused("a division by zero") from None


_OPERATIONS: dict[Any, Callable[..., Any]] = {
    Add: lambda *terms: _MP.fsum(terms),
    Mul: lambda *factors: _MP.fprod(factors),
    Pow: lambda base, power: base**power,
    exp: _MP.exp,
    log: _MP.log,
    tanh: _MP.tanh,
    Abs: abs,
    type(exp(1)): lambda: +_MP.e,
}
