"""One unit: what its Jacobian product comes to, derived from the network and proved.

The Jacobian ∂a⟨t⟩/∂a⟨t-1⟩ is that of the calculus for a network with a single unit; all further
statements are about products of such numbers. Every record says how it was checked.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from itertools import count
from typing import Any

import mpmath
from sympy import (
    Abs,
    And,
    Eq,
    Function,
    Ge,
    Implies,
    IndexedBase,
    Integer,
    Le,
    Limit,
    Lt,
    Mul,
    Product,
    Sum,
    Symbol,
    expand,
    expand_log,
    limit,
    log,
    oo,
    powsimp,
    symbols,
)

from rnnsym.evaluate.field import FieldArithmetic
from rnnsym.evaluate.field import P as PRIME
from rnnsym.evaluate.point import field_point
from rnnsym.evaluate.trajectory import Truth
from rnnsym.flow.recurrent import recurrence_of
from rnnsym.flow.slopes import Z, scalar, slope
from rnnsym.network import Network
from rnnsym.nodes import Apply, Total, leaves
from rnnsym.remedies import Property
from rnnsym.sizes import choose_sizes

TRIALS, STEPS = 200, 6
W = Symbol("w", real=True)
T_, K = symbols("t k", integer=True, positive=True)
I = Symbol("i", integer=True)  # noqa: E741 - the index of the product, as everywhere
N = Symbol("n", integer=True, positive=True)
Q = Symbol("q", positive=True)
GAIN = Symbol("s", positive=True)
SLOPES, FACTORS = IndexedBase("{g'}"), IndexedBase("J")
P = Symbol("P", real=True)
EXACT = "in the field of 2^61 - 1 elements against dual numbers through the forward equations"


def unit(activation: str) -> Network:
    """The network of one unit, every size one."""
    return Network(
        f"a[t] = {activation}(w @ a[t-1] + u @ x[t] + b)", "y_hat[t] = a[t]",
        loss="squared_error", sizes={"a": 1, "x": 1, "y": 1}, name=f"one unit, {activation}",
    )  # fmt: skip


@cache
def factor(activation: str) -> Any:
    """∂a⟨i⟩/∂a⟨i-1⟩ of one unit in SymPy's scalars: what the calculus derives, translated."""
    found = recurrence_of(unit(activation)).primed
    slopes = {f"{f.function}'": SLOPES[I] for f in leaves(found, Apply)}
    return scalar(found, {"w": W, **slopes})


class _Exact:
    """True derivatives of one unit in the finite field, for a random point."""

    def __init__(self, activation: str, seed: int) -> None:
        self.net = unit(activation)
        self.ar = FieldArithmetic(seed)
        lengths = choose_sizes(self.net, STEPS)
        self.truth = Truth(self.net, field_point(self.net, self.ar, lengths, seed), self.ar)
        self.state = self.net.states["a"]
        self.w = int(self.truth.point.parameters["w"][0, 0])

    def derivative(self, last: int, first: int) -> int:
        """∂a⟨last⟩/∂a⟨first⟩, by dual numbers."""
        total = Total(self.state.at(Integer(last)), self.state.at(Integer(first)))
        return int(self.truth.derivative(total)[0, 0])

    def slope(self, time: int) -> int:
        """g′(z⟨time⟩), by the oracle of g."""
        z = self.net.vectors["z_a"].at(Integer(time))
        return int(self.truth.evaluator()(Apply("g", z, 1))[0, 0])


def _exactly(formula: Callable[[_Exact, int, int], int], activation: str) -> tuple[str, bool]:
    """A formula (point, last, first) against the truth, for all pairs of steps of 20 points."""
    points = [_Exact(activation, seed) for seed in range(20)]
    pairs = [(last, first) for last in range(STEPS + 1) for first in range(last)]
    ok = all(formula(p, *pair) % PRIME == p.derivative(*pair) for p in points for pair in pairs)
    return f"{len(points) * len(pairs)} products, {EXACT}", ok


def _tried(trial: Callable[[random.Random], bool], what: str) -> tuple[str, bool]:
    rng = random.Random(0)
    ok = all(trial(rng) for _ in range(TRIALS))
    return f"{what}, at {TRIALS} random products of rational numbers, without rounding", ok


def _number(rng: random.Random, low: int, high: int) -> Fraction:
    return Fraction(rng.randint(low, high), 100) * rng.choice((-1, 1))


def _factor() -> Property:
    derived = factor("g")

    def formula(p: _Exact, last: int, first: int) -> int:
        return math.prod(p.w * p.slope(i) for i in range(first + 1, last + 1))

    check, ok = _exactly(formula, "g")
    product = Product(derived, (I, K + 1, T_))
    constant = W ** (T_ - K) * Product(SLOPES[I], (I, K + 1, T_))
    step = Mul(derived.subs(I, T_ + 1), constant)
    longer = W ** (T_ + 1 - K) * SLOPES[T_ + 1] * Product(SLOPES[I], (I, K + 1, T_))
    proof = (
        (Eq(FACTORS[I], derived), "the closed form of the Jacobian, every size one; g′ at z⟨i⟩"),
        (Eq(P, product), "the ordered product of numbers"),
        (Eq(P, constant), "w is the same at every step: by induction, from the empty product 1"),
        (Eq(derived.subs(I, T_ + 1) * P, longer), "the step of the induction"),
    )
    ok = ok and powsimp(step / longer) == 1 and constant.subs(T_, K).doit() == 1
    return Property("the product of one unit", Eq(P, constant), proof, check, bool(ok))


def _geometric(explodes: bool) -> Property:
    """|J_i| ≤ q for all i implies |P| ≤ q^n, and the same with ≥."""
    relation = Ge if explodes else Le
    small, rest, other = symbols("p r s", nonnegative=True)
    # the larger of two positive numbers is the smaller plus a rest: |P| and q^n, |J| and q
    one, more = small + rest, Symbol("j", nonnegative=True) + other
    difference = expand(one * more - small * Symbol("j", nonnegative=True))
    base = 1 + GAIN if explodes else 1 / (1 + GAIN)
    end = limit(base**N, N, oo)
    low, high = (101, 300) if explodes else (0, 99)

    def trial(rng: random.Random) -> bool:
        numbers = [_number(rng, low, high) for _ in range(rng.randint(1, 12))]
        sizes = [abs(x) for x in numbers]
        product = abs(math.prod(numbers, start=Fraction(1)))
        least, largest = min(sizes) ** len(sizes), max(sizes) ** len(sizes)
        return product >= least > 1 if explodes else product <= largest < 1

    check, agreed = _tried(trial, "|product| ≥ q^n > 1" if explodes else "|product| ≤ q^n < 1")
    sign = "≥" if explodes else "≤"
    each, whole = relation(Abs(FACTORS[I]), Q), relation(Abs(P), Q**N)
    proof = (
        (Eq(Abs(P), Product(Abs(FACTORS[I]), (I, K + 1, T_))), "|x y| = |x| |y|; n = t - k"),
        (relation(Abs(P), Q**N), f"by induction: of numbers that are not negative, x {sign} y and "
         f"x' {sign} y' give x x' {sign} y y'"),
        (Ge(difference, 0, evaluate=False), "as the difference of the products shows, with the "
         "larger ones written as the smaller plus r and s"),
        (Eq(Limit(base**N, N, oo, "-"), end), f"q = {base} with s > 0: geometrically, so "
         "exponentially fast"),
    )  # fmt: skip
    ok = agreed and bool(difference.is_nonnegative) and end == (oo if explodes else 0)
    name = "explodes where every factor is at least q > 1" if explodes else (
        "vanishes where every factor is at most q < 1")  # fmt: skip
    side = Lt(1, Q) if explodes else Lt(Q, 1)
    return Property(name, Implies(And(each, side), whole), proof, check, ok)


def _rate() -> Property:
    positive = symbols("j_1:7", positive=True)
    ok = all(
        expand_log(log(Mul(*positive[:n]))) == sum(map(log, positive[:n])) for n in range(1, 7)
    )
    exact = Eq(log(Abs(P)), Sum(log(Abs(W * SLOPES[I])), (I, K + 1, T_)))
    mp = mpmath.MPContext()
    mp.dps = 50
    rng = random.Random(0)
    for _ in range(TRIALS):
        numbers = [_number(rng, 1, 300) for _ in range(30)]
        logs = sum(mp.log(mp.mpf(abs(x).numerator) / abs(x).denominator) for x in numbers)
        product = math.prod(map(abs, numbers), start=Fraction(1))
        ok = ok and abs(logs - mp.log(mp.mpf(product.numerator) / product.denominator)) < 1e-40
    proof = (
        (Eq(P, Product(W * SLOPES[I], (I, K + 1, T_))), "the product of one unit"),
        (exact, "the logarithm of a product; its mean over the steps is the exponent: |P| = "
         "e^(n · mean)"),
    )  # fmt: skip
    check = f"SymPy for up to 6 factors; {TRIALS} products of 30 random numbers, 50 digits"
    return Property("the exact rate", exact, proof, check, bool(ok))


def _linear() -> Property:
    derived = factor("identity")
    claim = Eq(P, W ** (T_ - K))
    check, ok = _exactly(lambda p, last, first: pow(p.w, last - first, PRIME), "identity")
    proof = (
        (Eq(FACTORS[I], derived), "the closed form of the Jacobian where g(z) = z"),
        (claim, "t - k equal factors: exactly |w| a step"),
    )
    return Property("without a nonlinearity", claim, proof, check, ok and derived == W)


def _necessary(function: str) -> Property:
    """|w| > 1/γ is needed for explosion, and is not enough."""
    found = slope(function)
    assert found is not None and found.bounded
    gamma = found.supremum
    steep = Function("{g'}")
    bound = Le(Abs(FACTORS[I]), gamma * Abs(W))
    weight, at = _not_enough(found.expression, gamma)
    value = weight * found.expression.subs(Z, at)
    proof = (
        (Eq(steep(Z), found.expression), f"the derivative of {function}"),
        (bound, f"|g′| ≤ γ = {gamma}, its supremum"),
        (Implies(Lt(gamma * Abs(W), 1), Lt(Abs(FACTORS[I]), 1)), "so |w| < 1/γ vanishes, and "
         "explosion needs |w| > 1/γ"),
        (Lt(value, 1, evaluate=False), f"it is not enough: w = {weight} and z = {at} make "
         f"{float(value):.4g}, the smallest whole numbers that do"),
    )  # fmt: skip
    ok = found.ok and bool(value < 1) and bool(gamma * weight > 1)
    return Property(f"{function}: what explosion needs", bound, proof, found.check, ok)


def _not_enough(expression: Any, gamma: Any) -> tuple[int, int]:
    """The smallest w > 1/γ and then z ≥ 0, whole numbers, with |w g′(z)| < 1: found by search."""
    for total in count(1):
        for at in range(total + 1):
            weight = total - at
            if gamma * weight > 1 and weight * expression.subs(Z, at) < 1:
                return weight, at
    raise AssertionError


def scalar_properties() -> list[Property]:
    """What holds of the Jacobian product of one unit; every record says how it was checked."""
    return [
        _factor(),
        _geometric(False),
        _geometric(True),
        _rate(),
        _linear(),
        _necessary("tanh"),
        _necessary("sigmoid"),
    ]
