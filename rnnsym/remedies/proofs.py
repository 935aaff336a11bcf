"""What clipping keeps and bounds: each property derived from the definition, then tried exactly.

Takes the definition (`definition.factor`) and two rules of norms, ‖c v‖ = |c| ‖v‖ and
‖(u, v)‖² = ‖u‖² + ‖v‖², and gives records that documents print. What was derived is tried on
vectors of rational numbers (`trials`, `exact`), which know nothing of it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from sympy import (
    Abs,
    Derivative,
    Eq,
    Gt,
    Implies,
    Le,
    Max,
    Min,
    Symbol,
    diff,
    piecewise_fold,
    simplify,
    sqrt,
)

from rnnsym.remedies import exact
from rnnsym.remedies.definition import (
    ABOVE,
    BELOW,
    CASES,
    DEFINITION,
    ENTRY,
    ENTRY_AFTER,
    EXCESS,
    FACTORS,
    HOMOGENEOUS,
    N_AFTER,
    N_PARAMETERS,
    PARTS,
    PARTS_AFTER,
    PYTHAGORAS,
    ROOM,
    TAU,
    TAUS,
    C,
    N,
    at_most,
    cases,
    equal,
    factor,
    least_of,
    times,
)
from rnnsym.remedies.trials import draw, exactly, tried


@dataclass(frozen=True)
class Property:
    """A statement about clipping.

    claim: what is stated; proof: (expression or relation, why it follows from the one before);
    check: what was tried, how often, and by what; ok: whether the proof went through in SymPy
    and every trial agreed.
    """

    name: str
    claim: Any
    proof: tuple[tuple[Any, str], ...]
    check: str
    ok: bool


def _formula() -> Property:
    c = factor()
    least = least_of(c)
    ok = equal(N * c, times(N, least), cases())  # so the factors too: the norm is positive
    formula = exactly(least)

    def trial(rng: random.Random) -> bool:
        v, tau = draw(rng)
        value = formula({N: exact.norm(v), TAU: tau})
        return all(a == b * value for a, b in zip(exact.clip(v, tau), v, strict=True))

    check, agreed = tried(trial, "clipped vector = factor · vector")
    proof = ((Eq(C, c), DEFINITION), (Eq(C, least), f"the smaller of the two {CASES}"))
    return Property("one formula", Eq(C, least), proof, check, ok and agreed)


def _direction() -> Property:
    c = factor()
    above, below = cases()
    values = [simplify(c.subs(case)) for case in (above, below)]
    unit = ENTRY / N
    after = C * ENTRY / (Abs(C) * N)
    positive = Symbol(C.name, positive=True)
    ok = all(v.is_positive for v in values) and simplify(after.subs(C, positive) - unit) == 0

    def trial(rng: random.Random) -> bool:
        v, tau = draw(rng)
        w = exact.clip(v, tau)
        units = ([x / exact.norm(u) for x in u] for u in (v, w))
        return exact.same_direction(w, v) and next(units) == next(units)

    check, agreed = tried(trial, "clipped vector / its norm = vector / its norm")
    proof = (
        (Eq(C, c), DEFINITION),
        (Gt(values[0], 0, evaluate=False), f"for {ABOVE}"),
        (Gt(values[1], 0, evaluate=False), f"for {BELOW}"),
        (Eq(ENTRY_AFTER / N_AFTER, after, evaluate=False), f"each entry v′ = c v; {HOMOGENEOUS}"),
        (Eq(ENTRY_AFTER / N_AFTER, unit, evaluate=False), "|c| = c, since c > 0"),
    )
    return Property("direction kept", proof[-1][0], proof, check, ok and agreed)


def _length() -> Property:
    c = factor()
    folded = piecewise_fold(N * c)
    least = times(N, least_of(c))
    ok = equal(Abs(c) * N, folded, cases()) and equal(folded, least, cases())
    formula = exactly(least)

    def trial(rng: random.Random) -> bool:
        v, tau = draw(rng)
        return bool(formula({N: exact.norm(v), TAU: tau}) == exact.norm(exact.clip(v, tau)))

    check, agreed = tried(trial, "norm of the clipped vector")
    proof = (
        (Eq(N_AFTER, Abs(C) * N), HOMOGENEOUS),
        (Eq(N_AFTER, folded), DEFINITION),
        (Eq(N_AFTER, least), f"the smaller of the two {CASES}"),
    )
    return Property("length", Eq(N_AFTER, least), proof, check, ok and agreed)


def _bounded() -> Property:
    after = times(N, least_of(factor()))
    above, below = cases()
    slack = [simplify((TAU - after).subs(case)) for case in (above, below)]
    ok = at_most(after, TAU, (above, below))

    def trial(rng: random.Random) -> bool:
        v, tau = draw(rng)
        return exact.norm(exact.clip(v, tau)) <= tau

    check, agreed = tried(trial, "norm of the clipped vector ≤ threshold")
    proof = (
        (Eq(N_AFTER, after), "length"),
        (Eq(TAU - N_AFTER, slack[0]), f"for {ABOVE}"),
        (Eq(TAU - N_AFTER, slack[1]), f"for {BELOW}"),
    )
    return Property("bounded", Le(N_AFTER, TAU), proof, check, ok and agreed)


def _idempotent() -> Property:
    c = factor()
    both = factor(c * N) * c
    lengths = [simplify((c * N).subs(case)) for case in cases()]
    results = [simplify(both.subs(case)) for case in cases()]
    ok = equal(both, c, cases())

    def trial(rng: random.Random) -> bool:
        v, tau = draw(rng)
        once = exact.clip(v, tau)
        return exact.clip(once, tau) == once

    check, agreed = tried(trial, "clipping twice = clipping once")
    second = Symbol("{c'}", real=True)
    proof = (
        (Eq(second, factor(N_AFTER)), f"{DEFINITION}, of the clipped gradient"),
        (Eq(N_AFTER, lengths[0]), f"length, for {ABOVE}"),
        (Eq(second * C, results[0]), "the condition is false, and c′ = 1"),
        (Eq(N_AFTER, lengths[1]), f"length, for {BELOW}"),
        (Eq(second * C, results[1]), "the condition is false, and c′ = 1"),
        (Eq(second * C, C), "the same as c in either case"),
    )
    return Property("idempotent", proof[-1][0], proof, check, ok and agreed)


def _unchanged() -> Property:
    c = factor()
    (_, below) = cases()
    value, at_zero = simplify(c.subs(below)), c.subs(N, 0)
    ok = value == 1 and at_zero == 1

    def trial(rng: random.Random) -> bool | None:
        v, tau = draw(rng)
        zero = tuple(0 * x for x in v)
        fixed = exact.clip(zero, tau) == zero
        return fixed and exact.clip(v, tau) == v if exact.norm(v) <= tau else None

    check, agreed = tried(trial, "clipped vector = vector where ‖v‖ ≤ τ, and 0 stays 0")
    proof = (
        (Eq(C, c), DEFINITION),
        (Eq(C, value), f"the condition is false for {BELOW}"),
        (Eq(C, at_zero), "at ‖dθ‖ = 0 too: nothing is divided by it"),
    )
    claim = Implies(N <= TAU, Eq(C, value))
    return Property("unchanged up to the threshold", claim, proof, check, ok and agreed)


def _groups_apart() -> Property:
    own = [factor(n, tau) for n, tau in zip(PARTS, TAUS, strict=True)]
    least = [times(n, least_of(c)) for n, c in zip(PARTS, own, strict=True)]
    slopes = [diff(own[0], PARTS[1]), diff(own[1], PARTS[0])]
    over = [cases(n, tau) for n, tau in zip(PARTS, TAUS, strict=True)]
    ok = slopes == [0, 0]
    ok &= all(equal(Abs(own[i]) * PARTS[i], least[i], over[i]) for i in range(2))
    formulas = [exactly(a) for a in least]

    def trial(rng: random.Random) -> bool:
        (u, tau), (v, sigma) = draw(rng), draw(rng)
        at = {PARTS[0]: exact.norm(u), PARTS[1]: exact.norm(v), TAUS[0]: tau, TAUS[1]: sigma}
        pairs = ((u, tau), (v, sigma))
        lengths = [exact.norm(exact.clip(*pair)) for pair in pairs]
        kept = all(exact.same_direction(exact.clip(*pair), pair[0]) for pair in pairs)
        return kept and all(formulas[i](at) == lengths[i] for i in range(2))

    check, agreed = tried(trial, "norm and direction of each of two clipped groups")
    proof = (
        (Eq(FACTORS[0], own[0]), f"{DEFINITION}, of the first group by its own norm"),
        (
            Eq(Derivative(own[0], PARTS[1]), slopes[0], evaluate=False),
            "the other group plays no part",
        ),
        (Eq(PARTS_AFTER[0], least[0]), "length, of the first group; the second likewise"),
    )
    return Property("groups apart", Eq(PARTS_AFTER[0], least[0]), proof, check, ok and agreed)


def _groups_bounded() -> Property:
    least = [times(n, least_of(factor(n, tau))) for n, tau in zip(PARTS, TAUS, strict=True)]
    whole = sqrt(sum(a**2 for a in PARTS_AFTER))
    after = whole.subs(dict(zip(PARTS_AFTER, least, strict=True)))
    bound = sqrt(sum(tau**2 for tau in TAUS))
    pairs = zip(least, TAUS, PARTS, strict=True)
    ok = all(at_most(a**2, tau**2, cases(n, tau)) for a, tau, n in pairs)
    formula = exactly(after**2)

    def trial(rng: random.Random) -> bool:
        (u, tau), (v, sigma) = draw(rng), draw(rng)
        square = sum(x * x for x in (*exact.clip(u, tau), *exact.clip(v, sigma)))
        at = {PARTS[0]: exact.norm(u), PARTS[1]: exact.norm(v), TAUS[0]: tau, TAUS[1]: sigma}
        return bool(formula(at) == square) and square <= tau**2 + sigma**2

    check, agreed = tried(trial, "square of the norm of two clipped groups together")
    proof = (
        (Eq(N_AFTER, whole), PYTHAGORAS),
        (Eq(N_AFTER, after), "length, of each group"),
        (Le(N_AFTER, bound), "bounded, of each group: no square is more than that of its τ"),
    )
    return Property("groups bounded together", proof[-1][0], proof, check, ok and agreed)


def _value() -> Property:
    after = Max(-TAU, Min(ENTRY, TAU))
    least = Min(Abs(ENTRY), TAU)
    size = Symbol("e", nonnegative=True)
    over = (
        {ENTRY: TAU + EXCESS},
        {ENTRY: -TAU - EXCESS},
        {ENTRY: size, TAU: size + ROOM},
        {ENTRY: -size, TAU: size + ROOM},
    )
    ok = equal(Abs(after), least, over)
    formula = exactly(least)

    def trial(rng: random.Random) -> bool:
        v, tau = draw(rng)
        pairs = list(zip(exact.clip_entries(v, tau), v, strict=True))
        fits = all(formula({ENTRY: x, TAU: tau}) == abs(y) for y, x in pairs)
        return fits and all(y * x >= 0 for y, x in pairs)

    check, agreed = tried(trial, "each entry clipped by value: its size, and that its sign stays")
    proof = (
        (Eq(ENTRY_AFTER, after), "definition of clipping by value, for each entry"),
        (Eq(Abs(ENTRY_AFTER), least), "for v > τ, v < -τ, 0 ≤ v ≤ τ and -τ ≤ v ≤ 0 alike"),
    )
    return Property("value clipping", proof[-1][0], proof, check, ok and agreed)


def _by_parameters() -> Property:
    """Of the formula that measures ‖θ‖ in place of ‖dθ‖, as the source text has it."""
    wrong = factor(N, TAU, N_PARAMETERS)
    over = cases(N_PARAMETERS, TAU)
    after = piecewise_fold(N * wrong)
    shorter = [simplify((N - after).subs(case)) for case in over]
    ok = at_most(after, N, over) and equal(Abs(wrong) * N, after, over)
    formula = exactly(after)

    def trial(rng: random.Random) -> bool:
        (theta, tau), v = draw(rng), exact.vector(rng)
        p = exact.norm(theta)
        w = tuple(x * tau / p for x in v) if p > tau else v
        value = formula({N: exact.norm(v), N_PARAMETERS: p, TAU: tau})
        return bool(value == exact.norm(w)) and exact.norm(w) <= exact.norm(v)

    check, agreed = tried(trial, "norm of the gradient scaled by the norm of the parameters")
    proof = (
        (Eq(N_AFTER, after), f"‖θ‖ in the test and in the quotient; {HOMOGENEOUS}"),
        (Eq(N - N_AFTER, shorter[0]), "‖θ‖ = τ + s with s > 0"),
        (Eq(N - N_AFTER, shorter[1]), "‖θ‖ ≤ τ"),
        (Le(N_AFTER, N), "neither difference is negative"),
    )
    return Property(
        "measured by the parameters: never longer", Le(N_AFTER, N), proof, check, ok and agreed
    )


PROPERTIES = (
    _formula,
    _direction,
    _length,
    _bounded,
    _idempotent,
    _unchanged,
    _groups_apart,
    _groups_bounded,
    _value,
    _by_parameters,
)


def properties() -> list[Property]:
    """What holds of clipping; every record says how it was checked, and whether it is so."""
    return [prove() for prove in PROPERTIES]
