"""Errata about products that vanish or explode.

Decided by SymPy's products and limits, by dual numbers in 50 digits, and by what is proved in
`rnnsym.flow`.
"""

from __future__ import annotations

from typing import Any

from sympy import Abs, Eq, Gt, Implies, Integer, Limit, Lt, limit, oo, product
from sympy import Product as NumberProduct

from rnnsym.errata.record import IMPRECISE, MISPRINT, Finding, Statement, entry
from rnnsym.evaluate.arithmetic import MpmathArithmetic
from rnnsym.evaluate.point import array_point
from rnnsym.evaluate.trajectory import Truth
from rnnsym.flow.bounds import properties as proved
from rnnsym.flow.scalar_case import FACTORS, I, N, W, factor, unit
from rnnsym.nodes import Total
from rnnsym.sizes import choose_sizes

#: steps of the numerical example
LONG = 50


@entry("below-one", "Below one is not yet exponentially fast", "2.2.3.3, vanishing gradients",
        IMPRECISE)  # fmt: skip
def _below_one() -> Any:
    evidence, printed, size = [], [], Abs(FACTORS[I])
    below = 1 - 1 / (I + 1) ** 2
    for each, side in ((below, "below"), ((1 / below).together(), "above")):
        whole = product(each, (I, 1, N)).simplify()
        end = limit(whole, N, oo)
        written = (NumberProduct(each, (I, 1, n)).doit() - whole.subs(N, n) for n in (1, 2, 5, 20))
        exact = all(difference.simplify() == 0 for difference in written)
        printed.append(Statement(None, "", Implies(
            Lt(size, 1) if side == "below" else Gt(size, 1),
            Eq(Limit(NumberProduct(size, (I, 1, N)), N, oo, "-"), 0 if side == "below" else oo),
        )))  # fmt: skip
        evidence.append(Finding(
            (f"all of these factors are {side} one, and their product has a limit: ",
             Eq(Limit(NumberProduct(each, (I, 1, N)), N, oo, "-"), end, evaluate=False)),
            bool(exact and 0 < end < oo),
        ))  # fmt: skip
    words = "where every factor"
    meant = tuple(Statement(None, "", p.claim) for p in proved() if words in p.name)
    why = ("J with an index is the factor at that step, P the product of n of them. Factors that "
           "come nearer and nearer to one need neither vanish nor explode. The product is at most "
           "the n-th power of a bound on its factors; that goes to zero if the bound is below one "
           "and the same at every step. Likewise for exploding.",)  # fmt: skip
    return tuple(printed), meant, why, tuple(evidence)


@entry("eleven", "Greater than 11", "2.2.3.3, exploding gradients", MISPRINT)
def _eleven() -> Any:
    weight = 2
    grown = product(factor("identity").subs(W, weight), (I, 1, N))
    found = _derivative(weight, LONG)
    evidence = (
        Finding((f"a unit whose factor is {weight} at every step: ",
                 Eq(Limit(grown, N, oo, "-"), limit(grown, N, oo))), limit(grown, N, oo) == oo),
        Finding((f"in numbers, by dual numbers through the forward equation over {LONG} steps in "
                 f"50 digits: {float(found):.4g}",), found == weight**LONG),
    )  # fmt: skip
    why = ("A factor between 1 and 11 explodes just as well; the bound is 1, as the post says "
           "itself a few lines later.",)  # fmt: skip
    size = Abs(FACTORS[I])
    return (Statement(None, "", size > 11),), (Statement(None, "", size > 1),), why, evidence


def _derivative(weight: int, steps: int) -> Any:
    """∂a⟨steps⟩/∂a⟨0⟩ of one unit without a nonlinearity, by dual numbers."""
    net, ar = unit("identity"), MpmathArithmetic()
    one: list[list[int]] = [[1]]
    data = {name: [one] * steps for name in (*net.inputs, *net.targets)}
    given = {name: [[weight]] if name == "w" else one for name in net.parameters}
    symbols = choose_sizes(net, steps)
    point = array_point(ar, symbols, given, data, {"a": one})
    state = net.states["a"]
    total = Total(state.at(Integer(steps)), state.at(Integer(0)))
    return Truth(net, point, ar).derivative(total)[0, 0]


@entry("matrices", "A norm above one does not suffice", "2.2.3.3, exploding gradients", IMPRECISE)
def _matrices() -> Any:
    chosen = [p for p in proved() if p.name.startswith("σ_max")]
    evidence = tuple(
        Finding((f"{p.name}: ", p.proof[0][0], ", ", p.proof[1][0], "; ", p.proof[-1][0],
                 f" ({p.proof[-1][1]})"), p.ok)
        for p in chosen
    )  # fmt: skip
    why = ("For one unit the size of the factor decides, once it is bounded away from one. For a "
           "matrix a norm below 1/γ suffices for vanishing, but a norm above it is only necessary "
           "for exploding: products of large matrices may vanish.",)  # fmt: skip
    return (), (), why, evidence
