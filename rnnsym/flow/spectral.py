"""What governs the linear case: the spectral radius, not the largest singular value.

σ_max(W) > 1 says nothing by itself: there are such W whose powers vanish, at once or after growing
for a while. ρ(W) > 1 explodes and ρ(W) < 1 vanishes (Gelfand 1941: ρ = lim ‖W^n‖^(1/n)). The
examples are found by search, and are the smallest of their kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
from sympy import (
    Abs,
    And,
    Eq,
    Ge,
    Gt,
    Implies,
    IndexedBase,
    Le,
    Limit,
    Lt,
    Matrix,
    Max,
    Rational,
    Symbol,
    limit,
    oo,
    sqrt,
    zeros,
)

from rnnsym.flow.matrix_case import ROOM, SIGMA, N
from rnnsym.flow.setting import largest_singular, spectral_radius
from rnnsym.remedies import Property

POWERS = 1024
RADIUS = Symbol("rho", positive=True)
WEIGHT = Symbol("W", commutative=False)
#: ν_n = ‖W^n‖
POWER = IndexedBase("nu", nonnegative=True)[N]


def matrices(entries: list[Any]) -> Iterator[Matrix]:
    """All 2 × 2 matrices of these entries, those with small entries and many zeros first."""
    found = [Matrix(2, 2, list(e)) for e in product(entries, repeat=4)]
    yield from sorted(found, key=lambda m: (sum(map(abs, m)), [-abs(x) for x in m], list(-m)))


def sigma_max(w: Matrix) -> Any:
    """σ_max of a rational matrix, exactly."""
    return sqrt(Max(*(w.T * w).eigenvals()))


def radius(w: Matrix) -> Any:
    """The spectral radius of a rational matrix, exactly."""
    return Max(*(Abs(x) for x in w.eigenvals()))


def nilpotent() -> Matrix:
    """The smallest whole-number matrix with σ_max > 1 and W² = 0."""
    return next(w for w in matrices([0, 1, 2, -1, -2]) if w**2 == zeros(2) and sigma_max(w) > 1)


def transient() -> Matrix:
    """The smallest matrix of quarters, up to 1, with ρ < 1 whose powers grow before they vanish:
    1 < ‖W‖ < ‖W²‖."""
    quarters = [Rational(i, 4) for i in range(5)]
    for w in matrices(quarters):
        if 0 < radius(w) < 1 and 1 < sigma_max(w) < sigma_max(w**2):
            return w
    raise AssertionError


def growing() -> Matrix:
    """The smallest matrix of zeros and ones with ρ > 1."""
    return next(w for w in matrices([0, 1]) if radius(w) > 1)


def _norms(w: Matrix, powers: list[int]) -> list[float]:
    exact = (w**n for n in powers)  # rational numbers: no rounding but the last
    return [largest_singular(np.array(m.tolist(), dtype=float)) for m in exact]


def _nilpotent() -> Property:
    w = nilpotent()
    proof = (
        (Eq(WEIGHT, w, evaluate=False), "the smallest whole-number 2 × 2 matrix of its kind"),
        (Gt(SIGMA, 1), f"σ_max = {sigma_max(w)}: the bound grows as {sigma_max(w)}^n"),
        (Eq(WEIGHT**2, w**2, evaluate=False), "and yet every product of two is zero: its only "
         "eigenvalue is 0"),
    )  # fmt: skip
    ok = sigma_max(w) > 1 and w**2 == zeros(2) and radius(w) == 0
    return Property("σ_max > 1 and nothing explodes", proof[-1][0], proof,
                    "exact whole numbers", bool(ok))  # fmt: skip


def _transient() -> Property:
    w = transient()
    powers = [1, 2, 4, 8, 16, 32, 64]
    norms = _norms(w, powers)
    shown = ", ".join(f"{x:.3g}" for x in norms)
    rho = radius(w)
    proof = (
        (Eq(WEIGHT, w, evaluate=False), "the smallest 2 × 2 matrix of quarters of its kind"),
        (Eq(RADIUS, rho), "its eigenvalues"),
        (Eq(SIGMA, sigma_max(w)), f"about {float(sigma_max(w)):.4g}"),
        (Lt(rho, 1, evaluate=False), "so the powers vanish; ‖W^n‖ for n = "
         f"{', '.join(map(str, powers))}: {shown}: it grows for some steps and then vanishes"),
    )  # fmt: skip
    high = max(norms)
    ok = rho < 1 and norms[0] > 1 and norms[1] > norms[0] and norms[-1] < 1e-3 < high
    claim = And(Gt(SIGMA, 1), Lt(RADIUS, 1))
    return Property("σ_max > 1, growth for a while, then vanishing", claim, proof,
                    "exact eigenvalues, powers without rounding", bool(ok))  # fmt: skip


def _growing() -> Property:
    w = growing()
    rho = radius(w)
    powers = list(range(1, 41))
    ok = bool(rho > 1)
    for n, norm in zip(powers, _norms(w, powers), strict=True):
        ok = ok and norm >= float(rho) ** n * (1 - 1e-12)
    claim = Implies(Gt(RADIUS, 1), Ge(POWER, RADIUS**N))
    proof = (
        (Ge(POWER, RADIUS**N), "ν_n = ‖W^n‖; for an eigenvector v of the largest |λ|, ‖W^n v‖ = "
         "|λ|^n ‖v‖"),
        (Eq(Limit((1 + ROOM) ** N, N, oo, "-"), limit((1 + ROOM) ** N, N, oo)), "ρ = 1 + s, s > 0"),
        (Eq(WEIGHT, w, evaluate=False), f"the smallest matrix of zeros and ones: ρ = {rho}"),
    )  # fmt: skip
    return Property("ρ > 1 explodes without a nonlinearity", claim, proof,
                    "exact eigenvalues; ‖W^n‖ ≥ ρ^n for n up to 40", ok)  # fmt: skip


def gelfand(w: Any, powers: int = POWERS) -> list[float]:
    """‖W^n‖^(1/n) for n = 1, 2, 4, … `powers`, by squaring; lengths are kept as logarithms."""
    matrix, length, n = np.array(w, dtype=float), 0.0, 1
    found: list[float] = []
    while n <= powers:
        norm = largest_singular(matrix)
        if norm == 0:
            return [*found, 0.0]
        found.append(float(np.exp((length + np.log(norm)) / n)))
        matrix, length = matrix / norm, length + np.log(norm)
        matrix, length, n = matrix @ matrix, 2 * length, 2 * n
    return found


def _gelfand() -> Property:
    rng = np.random.default_rng(0)
    worst = 0.0
    cases = [np.array(transient().tolist(), dtype=float), np.array(growing().tolist(), dtype=float)]
    cases += [rng.standard_normal((n, n)) for n in (2, 3, 5, 8)]
    above = True
    for w in cases:
        rho = spectral_radius(w)
        found = gelfand(w)
        above = above and all(x >= rho * (1 - 1e-9) for x in found)
        worst = max(worst, abs(found[-1] / rho - 1))
    claim = Eq(Limit(POWER ** (1 / N), N, oo, "-"), RADIUS)
    proof = (
        (Ge(POWER ** (1 / N), RADIUS), "ν_n = ‖W^n‖; from ‖W^n v‖ = |λ|^n ‖v‖"),
        (claim, "Gelfand 1941: for every norm; so it is ρ, not σ_max, that decides in the end"),
    )
    check = f"{len(cases)} matrices: never below ρ, and within {worst:.1%} of it at n = {POWERS}"
    return Property("Gelfand's formula", claim, proof, check, above and worst < 0.02)


def _order() -> Property:
    """ρ ≤ σ_max: why a small σ_max is more than needed."""
    rng = np.random.default_rng(0)
    pairs = []
    for n in range(1, 9):
        for _ in range(25):
            w = rng.standard_normal((n, n))
            pairs.append((spectral_radius(w), largest_singular(w)))
    ok = all(r <= s * (1 + 1e-12) for r, s in pairs)
    w = nilpotent()
    proof = (
        (Le(RADIUS, SIGMA), "|λ| ‖v‖ = ‖W v‖ ≤ σ_max ‖v‖ for an eigenvector v"),
        (
            Lt(radius(w), sigma_max(w), evaluate=False),
            "and they differ, as for the matrix W of which W² = 0",
        ),
    )
    return Property("ρ ≤ σ_max", proof[0][0], proof, f"{len(pairs)} random matrices, float64", ok)


def spectral_properties() -> list[Property]:
    """What holds of the powers of a matrix; every record says how it was checked."""
    return [_nilpotent(), _transient(), _growing(), _order(), _gelfand()]
