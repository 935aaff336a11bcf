"""A scalar SymPy expression as plain LaTeX: the dialect that latex2sympy2 reads as it is meant.

`\\cdot` between factors, `\\frac`, `\\ln(x)`, `\\exp(x)`, `\\tanh(x)`, `|x|`, whole powers in
braces; no `\\left`, no spacing, nothing left to conventions. A symbol prints as its name.
"""

from __future__ import annotations

from typing import Any

from sympy import Abs, Add, Float, Mul, Pow, Rational, Symbol, exp, log, tanh

from rnnsym.second.scalars import Unreadable

#: up to this power, a factor is written as many times
REPEATED = 4

_FUNCTIONS: dict[type, str] = {exp: r"\exp", log: r"\ln", tanh: r"\tanh"}


def plain(e: Any) -> str:
    """LaTeX of a scalar expression. Raises Unreadable for what the dialect has no form for."""
    if isinstance(e, Add):
        first, *others = map(plain, e.args)
        return first + "".join(s if s.startswith("-") else f"+{s}" for s in others)
    if e.could_extract_minus_sign():
        return f"-{_unsigned(-e)}"
    return _unsigned(e)


def _unsigned(e: Any) -> str:
    """A term without a sign in front."""
    if isinstance(e, Symbol):
        return e.name
    if isinstance(e, Float):
        e = Rational(e)  # the number that the float is, without an exponent
    if isinstance(e, Rational):
        return str(e.p) if e.q == 1 else rf"\frac{{{e.p}}}{{{e.q}}}"
    if isinstance(e, Mul | Pow):
        return _product(e)
    if type(e) in _FUNCTIONS and len(e.args) == 1:
        return f"{_FUNCTIONS[type(e)]}({plain(e.args[0])})"
    if isinstance(e, Abs):
        if e.args[0].has(Abs):
            raise Unreadable("|…| inside |…|")
        return f"|{plain(e.args[0])}|"
    if isinstance(e, Add):
        return f"({plain(e)})"
    raise Unreadable(f"{type(e).__name__} has no form in the dialect")


def _product(e: Any) -> str:
    """A product or a power; what has a negative exponent goes below the line."""
    above: list[tuple[Any, int]] = []
    below: list[tuple[Any, int]] = []
    for factor in Mul.make_args(e):
        base, power = factor.args if isinstance(factor, Pow) else (factor, Rational(1))
        if not power.is_Integer:
            raise Unreadable("a power that is no whole number")
        if isinstance(base, Rational) and base.q != 1:
            pairs = [(Rational(base.p), int(power)), (Rational(base.q), -int(power))]
        else:
            pairs = [(base, int(power))]
        for b, n in pairs:
            if n > 0 and b != 1:
                above.append((b, n))
            elif n < 0:
                below.append((b, -n))
    if not below:
        return _factors(above)
    over = _factors(above, alone=True) if above else "1"
    return rf"\frac{{{over}}}{{{_factors(below, alone=True)}}}"


def _factors(pairs: list[tuple[Any, int]], alone: bool = False) -> str:
    """Powers side by side; a sum needs no brackets if it is alone in its braces."""
    if alone and len(pairs) == 1 and pairs[0][1] == 1:
        return plain(pairs[0][0])
    return r" \cdot ".join(_power(base, power) for base, power in pairs)


def _power(base: Any, power: int) -> str:
    text = plain(base)
    bare = power <= REPEATED and not isinstance(base, Add) and not text.startswith("-")
    if not bare and not isinstance(base, Symbol):
        text = f"({text})"
    if power <= REPEATED:  # read faster than a power
        return r" \cdot ".join([text] * power)
    return f"{text}^{{{power}}}"
