r"""Which function a formula is: log(1 + e^z) is the softplus of z, max(0, z) its relu.

Used by `equations`. Both are computed at a few numbers and compared, so that 1/(1 + e^{-z}) and
e^z/(e^z + 1) are one.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from rnnsym.reader import syntax as s
from rnnsym.reader.meanings import CUSTOMARY
from rnnsym.reader.parser import Parser
from rnnsym.reader.symbols import spell
from rnnsym.reader.tokens import UnreadableError

#: where functions are compared, and how close two values of one are
POINTS, CLOSE = (-1.3, -0.2, 0.45, 2.1), 1e-9
FUNCTIONS: dict[str, Callable[[float], float]] = {
    "tanh": math.tanh, "sigmoid": lambda z: 1 / (1 + math.exp(-z)), "exp": math.exp,
    "relu": lambda z: max(z, 0.0), "softplus": lambda z: math.log1p(math.exp(z)),
    "identity": lambda z: z, "step": lambda z: float(z > 0), "log": math.log,
}  # fmt: skip


class _OtherError(Exception):
    """Something that no function of one number is made of."""


def function_of(node: s.Node, variable: s.Symbol) -> str | None:
    """The known function of the variable that a formula is; None if it is none."""
    try:
        values = [_value(node, variable, x) for x in POINTS]
    except (_OtherError, ArithmeticError, ValueError, UnreadableError):
        return None
    for name, function in FUNCTIONS.items():
        if name == "log":  # of which a negative number has none
            continue
        if all(abs(a - function(x)) < CLOSE for a, x in zip(values, POINTS, strict=True)):
            return name
    return None


def _value(node: s.Node, variable: s.Symbol, x: float) -> float:
    def of(inner: s.Node) -> float:
        return _value(inner, variable, x)

    match node:
        case s.Number(value):
            return float(value)
        case s.Symbol():
            return _symbol(node, variable, x)
        case s.Add(terms):
            return sum(sign * of(term) for sign, term in terms)
        case s.Bracket(kind, (inner,)) if kind in ("(", "[", "{"):
            return of(inner)
        case s.Fraction_(above, below):
            return of(above) / of(below)
        case s.Scripted(base, (), sup, 0):
            return float(of(base) ** of(Parser(sup).whole()))
        case s.Call(function, argument, (), sup, 0):
            return _called(function, argument, of) ** (of(Parser(sup).whole()) if sup else 1.0)
        case s.Times(factors):
            return _product(factors, of)
    raise _OtherError


def _symbol(node: s.Symbol, variable: s.Symbol, x: float) -> float:
    if node.sub or node.primes or node.accents:
        same = spell(node) == spell(variable) or looks(node) == looks(variable)
        if same:
            return x
        raise _OtherError
    power = _value(Parser(node.sup).whole(), variable, x) if node.sup else 1.0
    if node.base == "e" and variable.base != "e":
        return math.exp(power) if node.sup else math.e
    if node.base == variable.base and node.accents == variable.accents:
        return float(x**power)
    raise _OtherError


def _called(function: str, argument: s.Node, of: Callable[[s.Node], float]) -> float:
    name = CUSTOMARY.get(function, function)
    if name in ("max", "min") and isinstance(argument, s.Bracket):
        pick = max if name == "max" else min
        return pick(of(x) for x in argument.parts)
    if name not in FUNCTIONS:
        raise _OtherError
    return FUNCTIONS[name](of(argument))


def _product(factors: tuple[tuple[str, s.Node], ...], of: Callable[[s.Node], float]) -> float:
    total, k = 1.0, 0
    while k < len(factors):
        op, node = factors[k]
        following = factors[k + 1] if k + 1 < len(factors) else None
        applied = isinstance(node, s.Symbol) and CUSTOMARY.get(node.base, "") in FUNCTIONS
        if applied and following is not None and following[0] == "":
            value, k = _called(node.base, following[1], of), k + 1  # type: ignore[attr-defined]
        else:
            value = of(node)
        total = total / value if op == "/" else total * value
        k += 1
    return total


def looks(symbol: s.Symbol) -> tuple[object, ...]:
    """How a symbol is written, wherever it stands."""
    spelled = spell(symbol)
    return spelled.base, spelled.accents, tuple((x.where, x.style, x.text) for x in spelled.scripts)
