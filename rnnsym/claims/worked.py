"""Worked examples, tanh([1.0, -0.5]) = [0.76, -0.46]: computed, to as many digits as are written.

Used by `formula` and by the audit, after `numbers`, which knows plain numbers only. What stands
beside numbers in a chain, as h_1 does in h_1 = tanh(0.5) = 0.46, is not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnsym.claims.numbers import is_ambiguous
from rnnsym.claims.verdict import FALSE, TRUE, UNKNOWN, Verdict
from rnnsym.reader import syntax as s
from rnnsym.reader.indices import read_index
from rnnsym.reader.occurring import nodes
from rnnsym.reader.parser import Parser
from rnnsym.reader.statements import Reading
from rnnsym.reader.tokens import UnreadableError

#: how many numbers there may be in all
MAX_NUMBERS = 400
#: numbers beyond this are left to exact arithmetic: doubles would not tell neighbours apart
BIGGEST = 1e9
#: within how many units of the last digit two numbers are equal (they may be cut off), and from
#: which relative difference on one is wrong, and not only rounded badly
UNITS, WRONG = 1.0, 0.05
RELATIONS = ("=", "≈")
FUNCTIONS: dict[str, Any] = {
    "tanh": np.tanh, "exp": np.exp, "log": np.log, "sqrt": np.sqrt, "abs": np.abs,
    "cosh": np.cosh, "sinh": np.sinh, "identity": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)), "relu": lambda z: np.maximum(z, 0),
    "softmax": lambda z: np.exp(z) / np.exp(z).sum(), "sech": lambda z: 1 / np.cosh(z),
}  # fmt: skip
_LETTER = re.compile(r"\\sigma|σ")


@dataclass(frozen=True)
class Computed:
    """Numbers in rows and columns; what the last digit of each is worth, 0 where it is computed."""

    values: Any
    units: Any

    @property
    def turned(self) -> Computed:
        """Columns for rows."""
        return Computed(self.values.T, self.units.T)


class NoNumbersError(Exception):
    """A node is no expression in numbers."""


def is_worked(node: s.Node, latex: str) -> bool:
    """Whether a relation has neighbours that are numbers, of which one is computed."""
    return isinstance(node, s.Relation) and any(True for _ in _neighbours(node, latex))


def is_computed(node: s.Node, latex: str) -> bool:
    """Whether a side is made of numbers that are yet to be computed."""
    found = _numbers(node, latex)
    return found is not None and not found.units.all()


def judged(reading: Reading, claim: str) -> Verdict | None:
    """The verdict on what is computed in a formula; None where nothing is."""
    found = [
        pair
        for statement in reading.statements
        if isinstance(statement.node, s.Relation)
        for pair in _neighbours(statement.node, reading.latex)
    ]
    if not found:
        return None
    doubtful = ""
    for left, right in found:
        holds, worst = _agree(left, right)
        a, b = (f"{x.values[worst]:.6g}" for x in (left, right))
        if holds is False and _LETTER.search(reading.latex):
            return Verdict(claim, UNKNOWN, f"it is {a} where {b} is written, if σ is the sigmoid")
        if holds is False:
            why = f"false: it is {a} where {b} is written"
            return Verdict(claim, FALSE, why, evidence="computed in double precision")
        if holds is None:
            doubtful = f"it is {a} where {b} is written: is it rounded?"
    if doubtful:
        return Verdict(claim, UNKNOWN, doubtful)
    return Verdict(claim, TRUE, "true", evidence="computed in double precision")


def _neighbours(node: s.Relation, latex: str) -> Iterator[tuple[Computed, Computed]]:
    """The sides beside each other that are numbers, not both of them only written."""
    if sum(isinstance(x, s.Number) for x in nodes(node)) > MAX_NUMBERS:
        return
    if is_ambiguous(node, latex):
        return
    sides = [_numbers(x, latex) for x in node.sides]
    for a, op, b in zip(sides, node.ops, sides[1:], strict=False):
        if op not in RELATIONS or a is None or b is None:
            continue
        if a.values.shape != b.values.shape:
            b = b.turned
        if a.values.shape == b.values.shape and not (a.units.all() and b.units.all()):
            yield a, b


def _agree(a: Computed, b: Computed) -> tuple[bool | None, tuple[int, int]]:
    """Whether numbers are equal as far as they are written, None for doubt; and where they differ
    most."""
    apart = np.abs(a.values - b.values)
    size = np.maximum(np.abs(a.values), np.abs(b.values))
    unit = UNITS * np.maximum(a.units, b.units)
    over = apart - np.maximum(unit * (1 - 1e-6), 1e-12 * size)
    place = np.unravel_index(int(np.argmax(over)), over.shape)
    worst = int(place[0]), int(place[1])
    if over[worst] <= 0:
        return True, worst
    wrong = (apart > WRONG * size) & (apart > 1.5 * unit)
    if wrong.any():
        place = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
        return False, (int(place[0]), int(place[1]))
    return None, worst


def _numbers(node: s.Node, latex: str) -> Computed | None:
    try:
        with np.errstate(all="ignore"):
            found = _value(node, latex)
    except (NoNumbersError, UnreadableError, OverflowError, ValueError):
        return None
    return found if (np.abs(found.values) <= BIGGEST).all() else None


def _value(node: s.Node, latex: str) -> Computed:
    match node:
        case s.Number(value):
            decimals = len(latex[node.start : node.end].strip("{} ").partition(".")[2])
            return _one(float(value), 10.0**-decimals if decimals else 0.0)
        case s.Add(terms):
            if len(terms) == 1:  # -0.5
                sign, inner = terms[0]
                one = _value(inner, latex)
                return Computed(sign * one.values, one.units)
            return _sum([(sign, _value(x, latex)) for sign, x in terms])
        case s.Times(factors):
            return _product(factors, latex)
        case s.Fraction_(above, below):
            a, b = _value(above, latex), _value(below, latex)
            if b.values.size > 1:
                raise NoNumbersError
            return _plain(a.values / b.values)
        case s.Bracket(kind, parts) if kind in ("(", "[", "{", ""):
            found = [_value(x, latex) for x in parts]
            if len(found) == 1 and kind != "[":
                return found[0]
            return _table([found])
        case s.Table(kind, rows) if kind != "cases":
            return _table([[_value(x, latex) for x in row] for row in rows])
        case s.Symbol("e", sup=sup) if sup and not (node.sub or node.primes):
            return _plain(np.exp(_value(Parser(sup).whole(), latex).values))
        case s.Scripted():
            return _scripted(node, latex)
        case s.Call():
            return _called(node, latex)
    raise NoNumbersError


def _one(value: float, unit: float = 0.0) -> Computed:
    return Computed(np.array([[value]]), np.array([[unit]]))


def _plain(values: Any) -> Computed:
    """What is computed: its digits are not written."""
    return Computed(values, np.zeros(values.shape))


def _table(rows: list[list[Computed]]) -> Computed:
    if not rows or any(x.values.size != 1 for row in rows for x in row):
        raise NoNumbersError
    if len({len(row) for row in rows}) != 1:
        raise NoNumbersError
    values, units = ([[x[k] for x in row] for row in _entries(rows)] for k in (0, 1))
    return Computed(np.array(values), np.array(units))


def _entries(rows: list[list[Computed]]) -> list[list[tuple[float, float]]]:
    return [[(float(x.values[0, 0]), float(x.units[0, 0])) for x in row] for row in rows]


def _sum(terms: list[tuple[int, Computed]]) -> Computed:
    total = None
    for sign, x in terms:
        if not sign:
            raise NoNumbersError
        values = sign * x.values
        if total is None:
            total = values
            continue
        if values.shape != total.shape and values.T.shape == total.shape:
            values = values.T
        if values.shape != total.shape and 1 not in (values.size, total.size):
            raise NoNumbersError
        total = total + values
    return _plain(total)


def _product(factors: tuple[tuple[str, s.Node], ...], latex: str) -> Computed:
    """A product; 2.65 × 10⁻⁵ has the digits of its first factor."""
    first = factors[0][1]
    if isinstance(first, s.Symbol) and first.base == "sigma" and not (first.sub or first.sup):
        if len(factors) < 2 or not isinstance(factors[1][1], s.Bracket) or factors[1][0]:
            raise NoNumbersError
        inner = _value(factors[1][1], latex)
        found = _plain(FUNCTIONS["sigmoid"](inner.values))
        factors = factors[1:]
    else:
        found = _value(first, latex)
    ten = len(factors) == 2 and isinstance(factors[1][1], s.Scripted) and found.values.size == 1
    unit = found.units
    for op, node in factors[1:]:
        if op == "" and isinstance(node, s.Number):
            raise NoNumbersError  # 13 780 is one number
        found = _plain(_times(found.values, op, _value(node, latex).values))
    if ten and factors[1][0] in ("×", "·", "*") and unit[0, 0]:
        size = abs(_value(factors[1][1], latex).values)
        return Computed(found.values, unit * size) if size.size == 1 else found
    return found


def _times(a: Any, op: str, b: Any) -> Any:
    if op == "/":
        if b.size > 1:
            raise NoNumbersError
        return a / b
    if 1 in (a.size, b.size):
        return a * b
    if op in ("⊙", "*"):
        b = b if a.shape == b.shape else b.T
        if a.shape != b.shape:
            raise NoNumbersError
        return a * b
    if op not in ("", "·", "×"):
        raise NoNumbersError
    if a.shape[1] != b.shape[0] and 1 in b.shape:
        b = b.T  # W [0, 0]: a list is a column there
    if a.shape[1] != b.shape[0]:
        raise NoNumbersError
    return a @ b


def _scripted(node: s.Scripted, latex: str) -> Computed:
    if node.sub or node.primes:
        raise NoNumbersError
    base = _value(node.base, latex)
    text = "".join(x.text for x in node.sup)
    if text in ("T", r"\top", r"\intercal", r"{\top}"):
        return base.turned
    exponent = read_index(node.sup)
    if exponent is None or exponent.names:
        raise NoNumbersError
    n, square = exponent.constant, base.values.shape[0] == base.values.shape[1]
    if abs(n) > 10_000:
        raise NoNumbersError
    if base.values.size > 1 and square:
        return _plain(np.linalg.matrix_power(base.values, n)) if n >= 0 else _inverse(base, n)
    return _plain(base.values ** float(n))


def _inverse(base: Computed, n: int) -> Computed:
    try:
        return _plain(np.linalg.matrix_power(np.linalg.inv(base.values), -n))
    except np.linalg.LinAlgError:
        raise NoNumbersError from None


def _called(node: s.Call, latex: str) -> Computed:
    function = FUNCTIONS.get(node.function)
    if function is None or node.sub or node.primes or node.sup:
        raise NoNumbersError
    return _plain(function(_value(node.argument, latex).values))
