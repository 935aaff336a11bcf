"""Bounds on degrees: an arithmetic whose matrices know only how large a polynomial they are.

The identity test errs with probability at most degree/p (Schwartz 1980, Zippel 1979). Evaluating
both sides of an identity in this arithmetic, by the same evaluator, bounds that degree. Every
value is a rational function of the weights, the data and the values of the oracles (each of
which is a variable of its own): numerators over one common denominator.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rnnsym.evaluate.field import FieldArithmetic, P
from rnnsym.evaluate.point import Point, shape, steps_of
from rnnsym.network import Network

#: what is reached by taking several independent points where one is not enough
REQUIRED = 2.0**-50


@dataclass(frozen=True)
class Degree:
    """A matrix: degree at most `top` in every numerator; bottom: factor -> multiplicity."""

    rows: int
    cols: int
    top: int
    bottom: Mapping[int, int] = field(default_factory=dict)

    def __getitem__(self, place: tuple[int, int]) -> Degree:
        return Degree(1, 1, self.top, self.bottom)


class DegreeArithmetic:
    """Arithmetic of `Degree`s; remembers the largest argument of each oracle."""

    def __init__(self) -> None:
        self.factors: list[int] = []
        self.arguments: dict[tuple[str, int], tuple[int, int]] = {}
        self._reciprocals: dict[int, tuple[Degree, Degree]] = {}

    def variables(self, rows: int, cols: int) -> Degree:
        """A matrix of variables."""
        return Degree(rows, cols, 1)

    def below(self, bottom: Mapping[int, int]) -> int:
        """The degree of a denominator."""
        return sum(self.factors[f] * n for f, n in bottom.items())

    def _common(self, rows: int, cols: int, parts: Sequence[Degree]) -> Degree:
        """What holds for all parts, over their least common denominator."""
        bottom: dict[int, int] = {}
        for part in parts:
            for f, n in part.bottom.items():
                bottom[f] = max(n, bottom.get(f, 0))
        whole = self.below(bottom)
        top = max((p.top + whole - self.below(p.bottom) for p in parts), default=0)
        return Degree(rows, cols, top, bottom)

    def difference(self, a: Degree, b: Degree) -> int:
        """A bound on the degree of the numerators of a - b."""
        return self._common(1, 1, [a, b]).top

    def array(self, rows: Any) -> Degree:
        table = [list(row) for row in rows]
        entries = [e if isinstance(e, Degree) else Degree(1, 1, 0) for row in table for e in row]
        return self._common(len(table), len(table[0]), entries)

    def shape(self, a: Degree) -> tuple[int, int]:
        return a.rows, a.cols

    def full(self, rows: int, cols: int, number: Any) -> Degree:
        return Degree(rows, cols, 0)

    def eye(self, n: int) -> Degree:
        return Degree(n, n, 0)

    def add(self, a: Degree, b: Degree) -> Degree:
        return self._common(a.rows, a.cols, [a, b])

    def scale(self, number: Any, a: Degree) -> Degree:
        return a

    def _product(self, rows: int, cols: int, a: Degree, b: Degree) -> Degree:
        bottom = dict(a.bottom)
        for f, n in b.bottom.items():
            bottom[f] = bottom.get(f, 0) + n
        return Degree(rows, cols, a.top + b.top, bottom)

    def matmul(self, a: Degree, b: Degree) -> Degree:
        return self._product(a.rows, b.cols, a, b)

    def hadamard(self, a: Degree, b: Degree) -> Degree:
        return self._product(a.rows, a.cols, a, b)

    def transpose(self, a: Degree) -> Degree:
        return Degree(a.cols, a.rows, a.top, a.bottom)

    def blocks(self, rows: Sequence[Sequence[Degree]]) -> Degree:
        height, width = sum(row[0].rows for row in rows), sum(b.cols for b in rows[0])
        return self._common(height, width, [b for row in rows for b in row])

    def apply(self, function: str, order: int, a: Degree) -> Degree:
        if order == 0 and function == "identity":
            return a
        if order == 0 and function == "reciprocal":
            return self._reciprocal(a)
        top, bottom = self.arguments.get((function, order), (0, 0))
        here = max(top, a.top), max(bottom, self.below(a.bottom))
        self.arguments[function, order] = here
        return Degree(a.rows, a.cols, 1)

    def _reciprocal(self, a: Degree) -> Degree:
        """1/(pᵢ/d) = d Π_{j≠i} pⱼ / Πⱼ pⱼ, whose denominator is a new factor."""
        if id(a) not in self._reciprocals:
            count = a.rows * a.cols
            self.factors.append(count * a.top)
            new = len(self.factors) - 1
            inverse = Degree(a.rows, a.cols, self.below(a.bottom) + (count - 1) * a.top, {new: 1})
            self._reciprocals[id(a)] = a, inverse  # a is kept, so that its id stays its own
        return self._reciprocals[id(a)][1]

    def softmax_shift(self, a: Degree) -> None:
        return None

    def detach(self, a: Degree) -> Degree:
        return a

    def coincidences(self, field: FieldArithmetic) -> int:
        """Σ over pairs of arguments of one oracle of the degree of their difference.

        Divided by p it bounds the probability that two different arguments took the same value
        in `field`, and so were given the same value of the function.
        """
        largest = max(self.arguments.values(), default=(0, 0), key=sum)
        return sum(
            math.comb(len(values), 2) * sum(self.arguments.get(oracle, largest))
            for oracle, values in field.oracles.items()
        )


def variable_point(net: Network, ar: DegreeArithmetic, symbols: Mapping[Any, Any]) -> Point:
    """The point whose every entry is a variable."""

    def matrix(e: Any) -> Degree:
        return ar.variables(*shape(e, symbols))

    data = (*net.inputs, *net.targets)
    return Point(
        symbols,
        {name: matrix(w) for name, w in net.parameters.items()},
        {n: [matrix(net.vectors[n]) for _ in range(steps_of(net, n, symbols))] for n in data},
        {name: matrix(v) for name, v in net.initial_states.items()},
    )


def chance(degree: int, coincidences: int) -> float:
    """A bound on the probability that a wrong identity holds at one random point."""
    return min(1.0, (degree + coincidences) / P)


def power_of_two(probability: float) -> str:
    """A probability as a power of two that is not below it."""
    if probability <= 0:
        return "0"
    exponent = str(math.ceil(math.log2(probability)))
    return "2" + exponent.translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
