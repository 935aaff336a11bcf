"""Many units: when products of Jacobians must vanish, and what explosion needs; derived, proved.

J⟨i⟩ = diag(g′(z⟨i⟩)) W is read off the calculus; the rest is submultiplicativity of the spectral
norm. What σ_max(W) > 1 does not say stands in `spectral`.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
from sympy import (
    Eq,
    Ge,
    Gt,
    Implies,
    Le,
    Limit,
    Lt,
    Symbol,
    expand,
    limit,
    oo,
    symbols,
)

from rnnsym.flow.jacobians import coverage, jacobians
from rnnsym.flow.recurrent import recurrence_of
from rnnsym.flow.setting import setting
from rnnsym.flow.slopes import slope
from rnnsym.network import Network
from rnnsym.nodes import is_parameter
from rnnsym.remedies import Property

TRIALS, STEPS = 200, 12
#: γ, σ_max(W), and the norms of one Jacobian and of a product of n of them
GAMMA = Symbol("gamma", positive=True)
SIGMA = Symbol(r"{\sigma_{\max}}", positive=True)
ONE = Symbol(r"{\lVert J_i\rVert}", nonnegative=True)
LARGEST = Symbol(r"{\max_i \lVert J_i\rVert}", nonnegative=True)
PRODUCT = Symbol(r"{\lVert J_t \cdots J_{k+1}\rVert}", nonnegative=True)
SLOPES = Symbol(r"{\lVert\operatorname{diag}(g')\rVert}", nonnegative=True)
N = Symbol("n", integer=True, positive=True)
ROOM = Symbol("s", positive=True)

#: activations whose γ is shown
FUNCTIONS = ("tanh", "sigmoid", "relu", "softplus", "identity")


def standard(activation: str) -> Network:
    """The standard recurrent network with an activation."""
    return Network(
        f"a[t] = {activation}(W @ a[t-1] + U @ x[t] + b)", "y_hat[t] = V @ a[t]",
        loss="squared_error", name=f"standard network, {activation}",
    )  # fmt: skip


def _steepness(function: str) -> Property:
    found: Any = slope(function)
    proof = (
        (Eq(Symbol("{g'(z)}"), found.expression), "the registered derivative, the value put in"),
        (Eq(GAMMA, found.supremum), "its supremum over the real line"),
    )
    return Property(f"γ of {function}", proof[-1][0], proof, found.check, found.ok)


def _factor() -> Property:
    """‖J‖ ≤ γ σ_max(W)."""
    slopes, room, entry = symbols("d r u", nonnegative=True)
    # an entry of diag(g′) W v: γ² u² - d² u² with γ = d + r
    difference = expand((slopes + room) ** 2 * entry**2 - slopes**2 * entry**2)
    covered = [coverage(recurrence_of(standard(f))) for f in FUNCTIONS]
    reads = all(c.applies and is_parameter(c.weight) for c in covered)

    def trial(rng: random.Random) -> bool:
        size, gamma = rng.randint(1, 4), Fraction(rng.randint(1, 100), 50)
        w = [[_number(rng) for _ in range(size)] for _ in range(size)]
        d, v = ([_number(rng) for _ in range(size)] for _ in range(2))
        d = [x * gamma / 100 for x in d]  # at most γ
        inner = [sum(a * b for a, b in zip(row, v, strict=True)) for row in w]
        return sum((a * b) ** 2 for a, b in zip(d, inner, strict=True)) <= gamma**2 * sum(
            a * a for a in inner
        )

    rng = random.Random(0)
    agreed = all(trial(rng) for _ in range(TRIALS))
    proof = (
        (Le(ONE, SLOPES * SIGMA), "J⟨i⟩ = diag(g′(z⟨i⟩)) W, as the calculus has it, and "
         "submultiplicativity: ‖A B v‖ ≤ ‖A‖ ‖B v‖ ≤ ‖A‖ ‖B‖ ‖v‖; ‖W‖ = σ_max"),
        (Le(SLOPES, GAMMA), "a diagonal matrix is as long as its largest entry, |g′| ≤ γ"),
        (Ge(difference, 0, evaluate=False), "entry by entry: γ² u² - d² u² with γ = d + r"),
        (Le(ONE, GAMMA * SIGMA), "put together"),
    )  # fmt: skip
    check = f"{TRIALS} random rational diagonal matrices, weights and vectors, without rounding"
    ok = agreed and reads and bool(difference.is_nonnegative)
    return Property("one Jacobian", proof[-1][0], proof, check, ok)


def _number(rng: random.Random) -> Fraction:
    return Fraction(rng.randint(-100, 100), 1)


def _trajectories(sigmas: list[float]) -> Iterator[tuple[Any, float]]:
    """Jacobians along trajectories of networks, with σ_max(W) = s / γ for each s."""
    for function in FUNCTIONS:
        net = standard(function)
        gamma = coverage(recurrence_of(net)).gamma
        for seed, s in enumerate(sigmas):
            made = setting(net, STEPS, {"n_a": 3 + seed % 3}, seed, sigma=s / gamma)
            yield jacobians(made, recurrence_of(net)), s


SIGMAS = [0.3, 0.9, 1.0, 1.2, 2.0, 5.0]


def _product() -> Property:
    found = list(_trajectories(SIGMAS))
    ok = all(j.obeys_bound() for j, _ in found)
    x, y, r, s = symbols("x y r s", nonnegative=True)
    difference = expand((x + r) * (y + s) - x * y)
    claim = Le(PRODUCT, (GAMMA * SIGMA) ** N)
    proof = (
        (Le(PRODUCT, LARGEST**N), "submultiplicativity, n - 1 times; n = t - k"),
        (Ge(difference, 0, evaluate=False), "each may be replaced by what is not less than it: "
         "x ≤ x + r and y ≤ y + s give x y ≤ (x + r) (y + s)"),
        (claim, "one Jacobian"),
    )  # fmt: skip
    pairs = STEPS * (STEPS - 1) // 2
    check = f"all {len(found) * pairs} products along {len(found)} trajectories, float64"
    return Property("a product of Jacobians", claim, proof, check,
                    ok and bool(difference.is_nonnegative))  # fmt: skip


def _vanishing() -> Property:
    base = 1 / (1 + ROOM)
    end = limit(base**N, N, oo)
    found = list(_trajectories([0.2, 0.5, 0.9]))
    ok = all(j.by_distance()[0][-1] <= (STEPS - 1) * np.log(s) + 1e-9 for j, s in found)
    claim = Implies(Lt(SIGMA, 1 / GAMMA), Eq(Limit((GAMMA * SIGMA) ** N, N, oo, "-"), 0))
    proof = (
        (Le(PRODUCT, (GAMMA * SIGMA) ** N), "a product of Jacobians"),
        (Eq(Limit(base**N, N, oo, "-"), end), "γ σ_max = 1 / (1 + s) with s > 0: exponentially "
         "fast, whatever the inputs are"),
    )  # fmt: skip
    check = f"SymPy's limit; {len(found)} trajectories with γ σ_max of 0.2, 0.5 and 0.9"
    return Property("sufficient for vanishing", claim, proof, check, ok and end == 0)


def _exploding() -> Property:
    found = list(_trajectories(SIGMAS))
    grown = [s for j, s in found if np.nanmax(j.log_norms) > 1e-9]
    ok = bool(grown) and all(s > 1 for s in grown)
    claim = Implies(Gt(PRODUCT, 1), Gt(SIGMA, 1 / GAMMA))
    proof = (
        (Implies(Le(GAMMA * SIGMA, 1), Le(PRODUCT, 1)), "a product of Jacobians, and x^n ≤ 1 for "
         "0 ≤ x ≤ 1"),
        (claim, "the same, read backwards: a product that grows needs σ_max > 1/γ"),
    )  # fmt: skip
    check = (f"{len(grown)} of {len(found)} trajectories have a product longer than 1: all of them "
             f"with γ σ_max > 1")  # fmt: skip
    return Property("necessary for explosion", claim, proof, check, ok)


def matrix_properties() -> list[Property]:
    """What holds of products of Jacobians; every record says how it was checked."""
    steep = [_steepness(f) for f in FUNCTIONS]
    return [
        *steep,
        _factor(),
        _product(),
        _vanishing(),
        _exploding(),
    ]
