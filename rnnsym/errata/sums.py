"""Errata about the sum of Jacobian products and the sum over time.

Every formula shown as printed is the derived one with one thing changed, by the catalogue of
mutations where it has the change; the exact test decides.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from sympy import Integer, Symbol

import rnnsym.api as rs
from rnnsym.algebra import factors, mul, scale
from rnnsym.derive.step import Step
from rnnsym.errata.record import AMBIGUOUS, IMPRECISE, WRONG, Finding, Statement, entry, stated
from rnnsym.nodes import Immediate, TimeProduct, TimeSum, t
from rnnsym.verify.example import numbers
from rnnsym.verify.mutated_sums import SUM_KINDS, Formula
from rnnsym.verify.steps import Checker


@cache
def _net() -> Any:
    return rs.elman()


@cache
def _right() -> Step:
    """∂L⟨t⟩/∂W_aa as the sum of Jacobian products, as it was derived."""
    steps = _net().derive("W_aa").section("Sum of Jacobian products")
    return next(s for s in steps if s.where)


@cache
def _checker(one_unit: bool = False) -> Checker:
    return Checker(_net(), sizes={"n_a": 1}) if one_unit else Checker(_net())


def _mutant(kind: str) -> Any:
    """The right sum with one thing changed, by the catalogue of mutations."""
    apply = next(k.apply for k in SUM_KINDS if k.name == kind)
    return next(apply(Formula(_net(), "W_aa", _right().after)))[1]


def _claim(after: Any) -> Step:
    return Step(_right().before, after, "claim", (), "=", _right().where)


def _refuted(step: Step, checker: Checker, *what: Any) -> Finding:
    found = checker.check(step)
    at = ", ".join(f"{s} = {v}" for s, v in (found.counterexample or {}).items())
    text = f"the exact test refutes it{f' at {at}' if at else ''}"
    if what:
        return Finding((*what, text), not found.ok and found.counterexample is not None)
    unequal = Step(step.before, step.after, step.rule, (), "≠", step.where)
    example = numbers(checker.net, unequal)
    if example is not None:
        where, left, right = example
        text += f"; {where}, the left side is {left:.4g} and the right side {right:.4g}"
    return Finding((text,), not found.ok and found.counterexample is not None)


def _holds(step: Step, checker: Checker, *what: Any) -> Finding:
    found = checker.check(step)
    return Finding((*what, f": {found.text}"), found.ok)


@entry("limits", "A sum over t without limits", "2.2.3.2 and 2.2.3.3", AMBIGUOUS)
def _limits() -> Any:
    net = rs.model("elman:type=encoder-decoder")
    bias = next(n for n in net.parameters if n.startswith("b_y"))
    step = net.derive(bias).section("Linearity")[0]
    first, second = (net.lengths[n] for n in ("T_x", "T_y"))
    sum_ = step.after
    claim = Step(step.before, TimeSum(sum_.body, (sum_.index, 1, first)), "claim", ())
    single = rs.model("elman:type=many-to-one")
    evidence = (
        _refuted(claim, Checker(net), "with ", first, " for the limit, "),
        _holds(step, Checker(net), "with ", second),
        Finding(("where only the last step has an output, there is no sum at all: ",
                 single.total_loss, " = ", single.objective),
                not isinstance(single.objective, TimeSum)),
    )  # fmt: skip
    why = ("The section writes the sum over t without limits, and later up to T. Input and output "
           "may differ in length, as the post says itself: the sum is over the steps that have an "
           "output, from 1 to ", second, ".")  # fmt: skip
    return (stated(claim),), (stated(step),), why, evidence


@entry("symbol", "One symbol for two derivatives", "2.2.3.3, item 2", AMBIGUOUS)
def _symbol() -> Any:
    claim = _claim(_mutant("total for immediate"))
    (sum_,) = (f for f in factors(_right().after) if isinstance(f, TimeSum))
    j = Symbol("j", integer=True)
    times = TimeSum(TimeSum(sum_.body, (j, sum_.index, t)), sum_.args[1])
    counted = Step(claim.after, _right().after.xreplace({sum_: times}), "claim", (), "=",
                   _right().where)  # fmt: skip
    evidence = (
        _refuted(claim, _checker()),
        _holds(counted, _checker(), "what it comes to instead, the use at step k counted once for "
               "each j, t − k + 1 times"),
        _holds(_right(), _checker(), "with the immediate partial"),
    )  # fmt: skip
    why = ("The last factor under the sum is written with the same ∂ as the left side. Read as "
           "what it is on the left, the total derivative, it counts every path again for each "
           "state that the path passes; meant is the immediate partial, with the state before "
           "held fixed.")  # fmt: skip
    return (stated(claim),), (stated(_right()),), why, evidence, (stated(counted),)


@entry("order", "The order of the product", "2.2.3.3, item 2", AMBIGUOUS)
def _order() -> Any:
    claim = _claim(_mutant("reversed product"))
    evidence = (
        _refuted(claim, _checker(), "with the factor of the smallest index on the left, "),
        _holds(claim, _checker(True), "with one unit there is no difference"),
        _holds(_right(), _checker(), "with the factor of the largest index on the left"),
    )
    (p,) = (e for e in Formula(_net(), "W_aa", claim.after).products)
    shown = _spelled(p)
    meant = _spelled(TimeProduct(p.body, p.args[1], -1))
    why = ("Matrices do not commute, and the sign of a product is commonly read with the smallest "
           "index first. The chain rule wants the latest step on the left, as the line above it "
           "has it.")  # fmt: skip
    return (shown,), (meant,), why, evidence


def _spelled(p: TimeProduct) -> Statement:
    """The product from k + 1 to k + 3, written out in its order."""
    k = p.lower - 1
    times = [k + 3, k + 2, k + 1] if p.order < 0 else [k + 1, k + 2, k + 3]
    short = TimeProduct(p.body, (p.index, k + 1, k + 3), -1)
    return Statement(short, "=", mul(*(p.body.xreplace({p.index: i}) for i in times)))


@entry("zero", "The sum from k = 0", "2.2.3.3, item 2", IMPRECISE)
def _zero() -> Any:
    (sum_,) = (f for f in factors(_right().after) if isinstance(f, TimeSum))
    wide = TimeSum(sum_.body, (sum_.index, sum_.lower - 1, sum_.upper))
    claim = _claim(_right().after.xreplace({sum_: wide}))
    first = _net().states["a"].at(Integer(0))
    empty = Immediate(first, _net().parameters["W_aa"])
    learned = rs.Network(
        "a[t] = tanh(W_aa @ a[t-1] + W_ax @ x[t] + b_a)", "a[0] = a_0",
        "y_hat[t] = softmax(W_ya @ a[t] + b_y)", name="elman with a learned initial state",
    )  # fmt: skip
    whole = next(s for s in learned.derive("a_0").section("Sum of Jacobian products") if s.where)
    nothing = Step(whole.before, scale(0, whole.before), "claim", (), "=", whole.where)
    evidence = (
        _holds(Step(empty, scale(0, empty), "claim", ()), _checker(), "the added term is zero, as "
               "the initial state is a constant"),
        _holds(claim, _checker(), "so the sum from 0 is right as well"),
        _refuted(nothing, Checker(learned), "where the initial state is learned, its term is all "
                 "that there is: leave it out, and "),
        _holds(whole, Checker(learned), "with it"),
    )  # fmt: skip
    why = ("The state ", first, " is given: no weight enters it. The term for k = 0 does no harm; "
           "the sum that is derived here begins at 1. It is otherwise where the initial state is "
           "computed or learned: then the term carries the whole gradient of what it is computed "
           "from.")  # fmt: skip
    return (stated(claim),), (stated(_right()), stated(whole)), why, evidence


@entry("prefactor", "Two factors are lost on the way", "2.2.3.3, the last display", WRONG)
def _prefactor() -> Any:
    right = _right()
    (sum_,) = (f for f in factors(right.after) if isinstance(f, TimeSum))
    claim = _claim(sum_)
    (m, n), (p, q) = claim.before.shape, claim.after.shape
    evidence = (
        Finding(("the left side has the shape ", m, " × ", n, ", the right side ", p, " × ", q),
                claim.before.shape != claim.after.shape),
        _refuted(claim, _checker(True), "even with one unit, where both are numbers, "),
        _holds(right, _checker(), "with them"),
    )  # fmt: skip
    lost = mul(*(f for f in factors(right.after) if f is not sum_))
    why = ("The factor ", lost, " stands before the bracket one display earlier and is gone in "
           "the next. What is left is the derivative of the state, not of the loss.")  # fmt: skip
    return (stated(claim),), (stated(right),), why, evidence
