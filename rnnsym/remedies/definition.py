"""The definition of clipping on scalars, its notation, and how statements about it are decided.

A norm is a positive symbol. What is said of it is decided in two cases, as substitutions:
‖dθ‖ = τ + s with s > 0 and τ = ‖dθ‖ + s with s ≥ 0; there are no others. First of the symbolic
side: `proofs` and `refutations` use it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sympy import Min, Piecewise, S, Symbol, simplify

# Names are LaTeX in braces where SymPy should print them as they are.
N = Symbol(r"{\lVert d\theta\rVert}", positive=True)
N_AFTER = Symbol(r"{\lVert d\theta'\rVert}", nonnegative=True)
N_PARAMETERS = Symbol(r"{\lVert\theta\rVert}", positive=True)
ENTRY, ENTRY_AFTER = Symbol("v", real=True), Symbol("{v'}", real=True)
TAU = Symbol("tau", positive=True)
C = Symbol("c", real=True)
PARTS = tuple(Symbol(rf"{{\lVert d\theta_{i}\rVert}}", positive=True) for i in (1, 2))
PARTS_AFTER = tuple(Symbol(rf"{{\lVert d\theta_{i}'\rVert}}", nonnegative=True) for i in (1, 2))
TAUS = tuple(Symbol(f"tau_{i}", positive=True) for i in (1, 2))
FACTORS = tuple(Symbol(f"c_{i}", real=True) for i in (1, 2))
EXCESS, ROOM = Symbol("s", positive=True), Symbol("s", nonnegative=True)

HOMOGENEOUS = "‖c v‖ = |c| ‖v‖"
PYTHAGORAS = "‖(u, v)‖² = ‖u‖² + ‖v‖²"
DEFINITION = "definition of clipping"
CASES = "in either case, ‖dθ‖ > τ and ‖dθ‖ ≤ τ"
ABOVE, BELOW = "‖dθ‖ = τ + s with s > 0", "τ = ‖dθ‖ + s with s ≥ 0"

Case = Mapping[Any, Any]


def factor(n: Any = N, tau: Any = TAU, measured: Any = None) -> Any:
    """What a gradient of norm n is multiplied by: τ / n if n > τ, else 1.

    With `measured`, some other quantity in the place of the norm of the gradient.
    """
    m = n if measured is None else measured
    return Piecewise((tau / m, m > tau), (S.One, True))


def cases(n: Any = N, tau: Any = TAU) -> tuple[Case, Case]:
    """n > τ and n ≤ τ, as substitutions that let SymPy decide."""
    return {n: tau + EXCESS}, {tau: n + ROOM}


def equal(left: Any, right: Any, over: Iterable[Case]) -> bool:
    """Whether the two sides are one expression in every case."""
    return all(simplify(left.subs(case) - right.subs(case)) == 0 for case in over)


def at_most(left: Any, right: Any, over: Iterable[Case]) -> bool:
    """Whether left ≤ right in every case, by the sign of the difference."""
    return all(bool(simplify(right.subs(case) - left.subs(case)).is_nonnegative) for case in over)


def least_of(piecewise: Any) -> Any:
    """The least of the values between which a case distinction chooses."""
    return Min(*(value for value, _ in piecewise.args))


def times(number: Any, least: Any) -> Any:
    """A positive number times a minimum, taken into it."""
    return Min(*(number * value for value in least.args))
