"""Clipping of vectors of rational numbers, and random vectors whose norms are rational.

The independent side of the checks in `proofs` and `refutations`: no SymPy, no scalars
that stand for norms, but vectors, entry by entry, without rounding.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from fractions import Fraction

Vector = tuple[Fraction, ...]


def norm(v: Sequence[Fraction]) -> Fraction:
    """The Euclidean norm. Raises ArithmeticError if it is irrational."""
    square = sum((Fraction(x) * x for x in v), Fraction(0))
    root = Fraction(math.isqrt(square.numerator), math.isqrt(square.denominator))
    if root * root != square:
        raise ArithmeticError(f"the norm of {v} is irrational")
    return root


def clip(v: Sequence[Fraction], threshold: Fraction) -> Vector:
    """The vector scaled to the threshold if it is longer."""
    length = norm(v)
    return tuple(x * threshold / length for x in v) if length > threshold else tuple(v)


def clip_entries(v: Sequence[Fraction], threshold: Fraction) -> Vector:
    """Every entry brought into [-threshold, threshold]."""
    return tuple(min(max(x, -threshold), threshold) for x in v)


def same_direction(u: Sequence[Fraction], v: Sequence[Fraction]) -> bool:
    """Whether u = c v for some c ≥ 0."""
    parallel = all(u[i] * v[j] == u[j] * v[i] for i in range(len(v)) for j in range(i))
    return parallel and sum(a * b for a, b in zip(u, v, strict=True)) >= 0


def number(rng: random.Random) -> Fraction:
    """A random positive rational number."""
    return Fraction(rng.randint(1, 60), rng.randint(1, 12))


def vector(rng: random.Random, size: int = 3) -> Vector:
    """A random vector whose norm is rational.

    A rational point p of R^(size-1) goes to (2 p, |p|² - 1) / (|p|² + 1) on the unit sphere
    (stereographic projection), which is then stretched.
    """
    p = [number(rng) * rng.choice((-1, 1)) for _ in range(size - 1)]
    square = sum((x * x for x in p), Fraction(0))
    length = number(rng)
    unit = [2 * x / (square + 1) for x in p] + [(square - 1) / (square + 1)]
    return tuple(length * x for x in unit)
