"""What clipping does not keep, and where other formulas fail: the smallest integers that show it.

Nothing is typed but the statements: the numbers are found by going through all integer vectors in
order of size. A find is computed again in floating point by NumPy, by `clipping` where the
statement is about what that does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
from sympy import Eq, Gt, Implies, Integer, Le, Lt, Matrix, Ne, Rational, Symbol, sqrt

from rnnsym.remedies import exact
from rnnsym.remedies.clipping import Group, clip_by_group, clip_by_norm, clip_by_value
from rnnsym.remedies.definition import N_AFTER, N_PARAMETERS, TAU, TAUS, N

GRADIENT, GRADIENT_AFTER = Symbol(r"{d\theta}"), Symbol(r"{d\theta'}")
THETA = Symbol("theta")

LARGEST = 4  # entries of the vectors searched
LONGEST = 2  # entries a vector
TOLERANCE = 1e-12

Numbers = tuple[int, ...]


@dataclass(frozen=True)
class Counterexample:
    """Numbers at which a statement fails.

    claim: what is said, and is false; values: (symbol, exact value) of what was chosen;
    evaluation: (relation, what it is) computed from them, the last one the opposite of the claim;
    search: among what it is the smallest; check: what computed it again; ok: whether that agrees.
    """

    name: str
    claim: Any
    values: tuple[tuple[Any, Any], ...]
    evaluation: tuple[tuple[Any, str], ...]
    search: str
    check: str
    ok: bool


def candidates(*sizes: int, positive: int = 0) -> Iterator[tuple[Numbers, ...]]:
    """Integer vectors of the given sizes, then `positive` positive integers, smallest first.

    Ordered by the sum of absolute values; among equal ones by the numbers, 0 1 -1 2 -2 ….
    """
    entries = sorted(range(-LARGEST, LARGEST + 1), key=lambda x: (abs(x), x < 0))
    choices = [entries] * sum(sizes) + [range(1, LARGEST + 1)] * positive
    for numbers in sorted(product(*choices), key=lambda v: sum(map(abs, v))):
        rest, parts = list(numbers), []
        for size in (*sizes, *[1] * positive):
            parts.append(tuple(rest[:size]))
            rest = rest[size:]
        yield tuple(parts)


def smallest(
    shapes: Sequence[tuple[int, ...]], positive: int, refutes: Callable[..., bool]
) -> tuple[tuple[Numbers, ...], str]:
    """The first candidate, over the shapes in order, that refutes; and among how many.

    Raises LookupError if there is none.
    """
    tried = 0
    for sizes in shapes:
        for found in candidates(*sizes, positive=positive):
            tried += 1
            if refutes(*found):
                return found, f"the first of {tried} integer candidates in order of size"
    raise LookupError(f"none of {tried} candidates refutes the statement")


def _exact(x: int | Fraction) -> Any:
    return Rational(x.numerator, x.denominator)


def _column(v: Sequence[Any]) -> Any:
    return Matrix([_exact(x) for x in v])


def _norm(v: Sequence[Any]) -> Any:
    return sqrt(sum((_exact(x) ** 2 for x in v), Integer(0)))


def _close(a: Any, b: Any) -> bool:
    return bool(np.allclose(np.array(a, float), np.array(b, float), rtol=TOLERANCE, atol=0))


def _by_value() -> Counterexample:
    def clipped(g: Numbers, tau: Numbers) -> exact.Vector:
        return exact.clip_entries([Fraction(x) for x in g], Fraction(tau[0]))

    def refutes(g: Numbers, tau: Numbers) -> bool:
        return not exact.same_direction(clipped(g, tau), [Fraction(x) for x in g])

    (g, tau), search = smallest([(n,) for n in range(1, LONGEST + 1)], 1, refutes)
    after = clipped(g, tau)
    got = clip_by_value({"g": np.array(g, float)}, tau[0])[0]["g"]
    return Counterexample(
        "clipping by value changes the direction",
        Eq(GRADIENT_AFTER / N_AFTER, GRADIENT / N),
        ((GRADIENT, _column(g)), (TAU, Integer(tau[0]))),
        _directions(g, after),
        search,
        "clip_by_value",
        _close(got, after),
    )


def _by_group() -> Counterexample:
    def clipped(g: Numbers, taus: Sequence[Numbers]) -> list[Fraction]:
        parts = zip(g, taus, strict=True)  # each entry is a group
        return [exact.clip([Fraction(x)], Fraction(tau[0]))[0] for x, tau in parts]

    def refutes(g: Numbers, *taus: Numbers) -> bool:
        return not exact.same_direction(clipped(g, taus), [Fraction(x) for x in g])

    (g, *taus), search = smallest([(2,)], 2, refutes)
    after = clipped(g, taus)
    groups = {f"g_{i}": float(x) for i, x in enumerate(g)}
    thresholds: dict[Group, float] = {f"g_{i}": tau[0] for i, tau in enumerate(taus)}
    got = clip_by_group(groups, thresholds)[0]
    return Counterexample(
        "clipping of groups changes the direction of the whole",
        Eq(GRADIENT_AFTER / N_AFTER, GRADIENT / N),
        (
            (GRADIENT, _column(g)),
            *((s, Integer(tau[0])) for s, tau in zip(TAUS, taus, strict=True)),
        ),
        _directions(g, after),
        search,
        "clip_by_group, each entry a group",
        _close(list(got.values()), after),
    )


def _directions(before: Sequence[Any], after: Sequence[Any]) -> tuple[tuple[Any, str], ...]:
    """Gradient after clipping, and the two unit vectors, which differ."""
    u, v = _column(after) / _norm(after), _column(before) / _norm(before)
    return (
        (Eq(GRADIENT_AFTER, _column(after), evaluate=False), "after clipping"),
        (Eq(GRADIENT_AFTER / N_AFTER, u, evaluate=False), "direction after"),
        (Eq(GRADIENT / N, v, evaluate=False), "direction before"),
        (Ne(u, v, evaluate=False), "they differ"),
    )


@dataclass(frozen=True)
class _Misreading:
    """A formula with ‖θ‖ where ‖dθ‖ is meant, and a statement about it that may be wrong.

    tested: which norm is compared with the threshold; divisor: which one is divided by; claim: a
    relation of the norms and the threshold; opposites: relations that hold where it fails, the
    last of them its opposite.
    """

    name: str
    tested: Any
    divisor: Any
    claim: Any
    opposites: tuple[Any, ...]

    def norms(self, theta: Numbers, g: Numbers, tau: Numbers) -> dict[Any, Any]:
        """The norms before, of the parameters, and after."""
        norms = {N: _norm(g), N_PARAMETERS: _norm(theta), TAU: Integer(tau[0])}
        scaled = norms[self.tested] > norms[TAU]
        factor = norms[TAU] / norms[self.divisor] if scaled else Integer(1)
        return norms | {N_AFTER: factor * norms[N]}

    def refutes(self, theta: Numbers, g: Numbers, tau: Numbers) -> bool:
        """Whether this is a counterexample; vectors of norm zero are none, or too easy."""
        if not any(theta) or not any(g):
            return False
        norms = self.norms(theta, g, tau)
        # all at once: a relation left half substituted would be decided by the symbols' signs
        return all(bool(o.xreplace(norms)) for o in self.opposites)

    def again(self, theta: Numbers, g: Numbers, tau: Numbers) -> float:
        """The norm after in floating point, computed by NumPy on the vectors."""
        given = {N: np.array(g, float), N_PARAMETERS: np.array(theta, float)}
        lengths = {s: float(np.linalg.norm(v)) for s, v in given.items()}
        scaled = lengths[self.tested] > tau[0]
        return float(np.linalg.norm(given[N] * (tau[0] / lengths[self.divisor] if scaled else 1.0)))

    def counterexample(self) -> Counterexample:
        """The smallest one. Raises LookupError if there is none."""
        shapes = [(n, n) for n in range(1, LONGEST + 1)]
        (theta, g, tau), search = smallest(shapes, 1, self.refutes)
        norms = self.norms(theta, g, tau)
        clipped = clip_by_norm({"g": np.array(g, float)}, tau[0])[0]["g"]
        right = np.linalg.norm(clipped) <= tau[0] * (1 + TOLERANCE)
        return Counterexample(
            self.name,
            self.claim,
            ((THETA, _column(theta)), (GRADIENT, _column(g)), (TAU, norms[TAU])),
            (
                (Eq(N_PARAMETERS, norms[N_PARAMETERS], evaluate=False), "norm of the parameters"),
                (Eq(N, norms[N], evaluate=False), "norm of the gradient"),
                (Eq(N_AFTER, norms[N_AFTER], evaluate=False), "norm after the formula"),
                (self.opposites[-1], "the claim is false"),
            ),
            search,
            "the formula on arrays; and clip_by_norm, which keeps to the threshold",
            _close(self.again(theta, g, tau), float(norms[N_AFTER])) and bool(right),
        )


def _misreadings() -> list[_Misreading]:
    literal = {"tested": N_PARAMETERS, "divisor": N_PARAMETERS}
    half = {"tested": N, "divisor": N_PARAMETERS}
    within, longer = Le(N_AFTER, TAU), Gt(N_AFTER, TAU)
    return [
        _Misreading(
            "measured by the parameters: not clipped, though too long",
            **literal, claim=within, opposites=(Le(N_PARAMETERS, TAU), longer),
        ),
        _Misreading(
            "measured by the parameters: clipped, and still too long",
            **literal, claim=within, opposites=(Gt(N_PARAMETERS, TAU), longer),
        ),
        _Misreading(
            "measured by the parameters: a short gradient is shortened",
            **literal, claim=Implies(N <= TAU, Eq(N_AFTER, N)),
            opposites=(Le(N, TAU), Lt(N_AFTER, N)),
        ),
        _Misreading(
            "tested by the gradient, divided by the parameters: longer than before",
            **half, claim=Le(N_AFTER, N), opposites=(Gt(N_AFTER, N),),
        ),
    ]  # fmt: skip


def counterexamples() -> list[Counterexample]:
    """What does not hold, each with the smallest integers that show it."""
    return [_by_value(), _by_group(), *(m.counterexample() for m in _misreadings())]
