"""Relations between numbers, 0.9^{100} ≈ 2.7 · 10⁻⁵: computed, to as many digits as are written.

Used by `formula` and by the audit, before anything of a network is looked at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from rnnsym.claims.verdict import FALSE, TRUE, UNKNOWN, Verdict
from rnnsym.reader import syntax as s
from rnnsym.reader.indices import read_index
from rnnsym.reader.statements import Reading

#: how many digits of a number there may be, and how many bits of what is computed
MAX_DIGITS, MAX_BITS = 60, 40_000
#: relations that numbers may stand in
RELATIONS = {"≈", "=", "<", ">", "≤", "≥"}
#: the next three digits of a number with a comma or a space in it
_THOUSANDS = re.compile(r"(?:\{,\}|,|\\[,;! ]|~)?\s*\d{3}(?!\d)")
_COMMA = re.compile(r"\d\{,\}\d{3}(?!\d)")
#: the relative difference from which on a value is wrong, and not only rounded badly
WRONG = Fraction(1, 20)


@dataclass(frozen=True)
class Written:
    """A number, and how much its last digit is worth: 0 if it is exact."""

    value: Fraction
    digit: Fraction = Fraction(0)


def is_arithmetic(node: s.Node, latex: str) -> bool:
    """Whether a relation is one between numbers, of which one is computed; latex: its source."""
    if not isinstance(node, s.Relation) or not set(node.ops) <= RELATIONS:
        return False
    computed = any(not isinstance(x, s.Number) for x in node.sides)
    if not computed or is_ambiguous(node, latex):
        return False
    return all(_written(x, latex) is not None for x in node.sides)


def is_ambiguous(node: s.Node, latex: str) -> bool:
    """Whether a number in a relation may be 13.78 and 13780: 13,780 is read as two numbers."""
    inside = _COMMA.search(latex[node.start : node.end])
    return inside is not None or _THOUSANDS.match(latex[node.end :]) is not None


def judged(reading: Reading, claim: str) -> Verdict | None:
    """The verdict on a formula that is nothing but a relation between numbers; None for others."""
    node = reading.statements[0].node if len(reading.statements) == 1 else None
    if not isinstance(node, s.Relation) or not is_arithmetic(node, reading.latex):
        return None
    sides = [_written(x, reading.latex) for x in node.sides]
    for a, op, b in zip(sides, node.ops, sides[1:], strict=False):
        assert a is not None and b is not None
        holds = _holds(a, op, b)
        if holds is None:
            return Verdict(claim, UNKNOWN, f"it is {_shown(a.value)}: is it rounded?")
        if not holds:
            why = f"false: the left side is {_shown(a.value)}, the right side {_shown(b.value)}"
            return Verdict(claim, FALSE, why, evidence="computed in fractions")
    return Verdict(claim, TRUE, "true", evidence="computed in fractions")


def _holds(a: Written, op: str, b: Written) -> bool | None:
    """Whether a relation holds; None where only the last digits differ."""
    if op in ("<", "≤", ">", "≥"):
        less = a.value < b.value if op in "<≤" else a.value > b.value
        return less or (op in "≤≥" and a.value == b.value)
    difference = abs(a.value - b.value)
    digit = max(a.digit, b.digit)
    if op == "≈":  # 57, 13,000 and 0 are rounded, too
        digit = max(digit, _last_digit(a.value), _last_digit(b.value))
    if difference <= digit:
        return True
    return False if difference > WRONG * max(abs(a.value), abs(b.value)) else None


def _last_digit(value: Fraction) -> Fraction:
    """What the last digit of a whole number is worth that is not 0; next to nothing for 0."""
    if value.denominator != 1:
        return Fraction(0)
    digits = str(value.numerator)
    return Fraction(10 ** (len(digits) - len(digits.rstrip("0")))) if value else Fraction(1, 100)


def _shown(value: Fraction) -> str:
    return f"{float(value):.4g}" if abs(value) < 10**300 else "very large"


def _written(node: s.Node, latex: str) -> Written | None:
    """The number that a node is; None for anything else. latex: its source, for the digits."""
    match node:
        case s.Number(value):
            if len(str(value)) > MAX_DIGITS:
                return None
            text = latex[node.start : node.end]
            if re.search(r"\{,\}\d{3}$", text):  # 13{,}780 is a thousand times as much elsewhere
                return None
            text = text.replace("{", "").replace("}", "").replace(",", ".")
            decimals = len(text.partition(".")[2])
            return Written(value, Fraction(1, 10**decimals) if decimals else Fraction(0))
        case s.Bracket(_, (inner,)):
            return _exact(_written(inner, latex))
        case s.Fraction_(above, below):
            a, b = _written(above, latex), _written(below, latex)
            return Written(a.value / b.value) if a and b and b.value else None
        case s.Scripted():
            return _power(node, latex)
        case s.Times(factors):
            return _product(factors, latex)
        case s.Add(terms):
            parts = [(sign, _written(x, latex)) for sign, x in terms]
            if any(x is None or not sign for sign, x in parts):
                return None
            total = sum((sign * x.value for sign, x in parts if x is not None), Fraction(0))
            return Written(total, max((x.digit for _, x in parts if x), default=Fraction(0)))
    return None


def _exact(found: Written | None) -> Written | None:
    return Written(found.value) if found is not None else None


def _power(node: s.Scripted, latex: str) -> Written | None:
    base, exponent = _written(node.base, latex), read_index(node.sup) if node.sup else None
    if base is None or node.sub or node.primes or exponent is None or exponent.names:
        return None
    n = exponent.constant
    if abs(n) * _bits(base.value) > MAX_BITS or (n < 0 and not base.value):
        return None
    return Written(base.value**n)


def _bits(value: Fraction) -> int:
    return max(value.numerator.bit_length(), value.denominator.bit_length())


def _product(factors: tuple[tuple[str, s.Node], ...], latex: str) -> Written | None:
    """A product; 2.65 × 10⁻⁵ has the digits of its first factor."""
    value, digit = Fraction(1), Fraction(0)
    for k, (op, x) in enumerate(factors):
        found = _written(x, latex)
        if found is None or op not in ("", "·", "×", "*", "/") or (op == "" and k):
            return None
        if op == "/" and not found.value:
            return None
        value = value / found.value if op == "/" else value * found.value
        if _bits(value) > MAX_BITS:
            return None
        if k == 0:
            digit = found.digit
        elif op != "/":
            digit = digit * abs(found.value)
    ten = len(factors) == 2 and isinstance(factors[1][1], s.Scripted)
    return Written(value, digit if ten else Fraction(0))
