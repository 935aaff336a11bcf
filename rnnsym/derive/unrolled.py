"""A derivation for a concrete T: every sum and product written out, every term with its path.

Past a number of terms that a reader could follow, the terms are not listed; the adjoint
recursion, whose length is linear in T, is written out for any T.
"""

from __future__ import annotations

from typing import Any

from sympy import Add, Expr, Identity, Integer, MatAdd, MatrixExpr, Mul, S, summation

from rnnsym.algebra import add, factors, mul, scale, split, terms
from rnnsym.derive.closed import closed_forms, closed_term, leads, loss_jacobian
from rnnsym.derive.step import Derivation, Prose, Scribe, Step
from rnnsym.derive.subject import Subject
from rnnsym.errors import InputError
from rnnsym.nodes import Adjoint, T, TimeProduct, TimeSum, Total, is_parameter, t
from rnnsym.simplify import rebuild

#: more terms than this are not listed one by one
LISTED = 60


def unrolled(s: Subject, derivation: Derivation, steps: Any) -> Derivation:
    """The derivation of a parameter's gradient for T = steps.

    Raises InputError if steps is no positive integer.
    """
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise InputError(f"steps must be a positive integer, not {steps!r}")
    scribe = Scribe()
    notes: list[Prose] = []
    formula = derivation.formula
    if is_parameter(s.w):
        count = _count(derivation, steps)
        if count <= LISTED:
            _term_by_term(scribe, s, derivation, steps)
            formula = write_out(formula.xreplace({T: Integer(steps)}))
        else:
            notes.append(
                (f"The sum has {count} terms; they are not listed. The adjoint recursion below "
                 f"needs {steps} steps.",)
            )  # fmt: skip
    result = _recursion(scribe, s, derivation, steps)
    return Derivation(s.net, s.w, tuple(scribe.steps), result, formula, steps, tuple(notes))


def _symbolic(derivation: Derivation) -> MatrixExpr:
    """The sum of Jacobian products in symbols, or dL/dθ by the plain chain rule."""
    sums = [x for x in derivation.steps if x.section == "Sum of Jacobian products"]
    if sums:
        return sums[-1].after
    rule = next(x for x in derivation.steps if x.rule == "chain rule")
    linear = derivation.steps[0].after
    return TimeSum(rule.after, linear.args[1])


def _count(derivation: Derivation, steps: int) -> int:
    """The number of terms, without writing them out: the same sums, of ones."""

    def number(e: MatrixExpr) -> Expr:
        return Add(*(Mul(*map(ways, factors(term))) for term in terms(e)))

    def ways(factor: MatrixExpr) -> Expr:
        if not isinstance(factor, TimeSum):
            return S.One
        return summation(number(factor.body), (factor.index, factor.lower, factor.upper))

    return int(number(_symbolic(derivation)).xreplace({T: Integer(steps)}))


def write_out(e: MatrixExpr) -> MatrixExpr:
    """Every sum as its summands and every ordered product as its factors."""

    def out(x: Any) -> MatrixExpr | None:
        if not isinstance(x, TimeSum | TimeProduct):
            return None
        times = range(int(x.lower), int(x.upper) + 1)
        parts = [write_out(x.body.xreplace({x.index: Integer(i)})) for i in times]
        if isinstance(x, TimeSum):
            return add(*parts)
        if not parts:
            return Identity(x.rows)
        return mul(*(reversed(parts) if x.order < 0 else parts))

    return rebuild(e, out)


def _multiply_out(e: MatrixExpr) -> list[MatrixExpr]:
    """The terms of a sum of products of sums."""
    result: list[MatrixExpr] = []
    for term in terms(e):
        products: list[tuple[MatrixExpr, ...]] = [()]
        for factor in factors(term):
            inner = _multiply_out(factor) if isinstance(factor, MatAdd) else [factor]
            products = [(*p, x) for p in products for x in inner]
        result += [mul(*p) for p in products]
    return result


def _term_by_term(scribe: Scribe, s: Subject, derivation: Derivation, steps: int) -> None:
    scribe.section("Linearity")
    total, linear = derivation.steps[0].before, derivation.steps[0].after
    scribe.step(
        total, write_out(linear.xreplace({T: Integer(steps)})), "linearity",
        f"T = {steps}: one summand for each loss",
    )  # fmt: skip
    symbolic = write_out(_symbolic(derivation).xreplace({T: Integer(steps)}))
    listed = _multiply_out(symbolic)
    scribe.section("Term by term")
    scribe.step(
        total, MatAdd(*listed) if len(listed) > 1 else listed[0], "sum over paths",
        f"{len(listed)} terms, one for each path through the states from a use of ", s.w,
        " to a loss",
    )  # fmt: skip
    table, ends = closed_forms(Scribe(), s), leads(s, loss_jacobian(Scribe(), s))
    for number, term in enumerate(listed, 1):
        closed = closed_term(ends, table, term)
        scribe.step(term, closed, "path", f"term {number}: ", *_path(term))


def _path(term: MatrixExpr) -> Prose:
    """W → a⟨1⟩ → a⟨2⟩ → … → L⟨t⟩, read off the factors from the right."""
    links: list[Total] = [f for f in factors(split(term)[1]) if isinstance(f, Total)]
    nodes = [links[-1].by, *(link.of for link in reversed(links))]
    prose: list[Any] = []
    for node in nodes:
        prose += [" → ", node] if prose else [node]
    return tuple(prose)


def _recursion(scribe: Scribe, s: Subject, derivation: Derivation, steps: int) -> MatrixExpr:
    """The backward pass written out: one equation for each node and step."""
    scribe.section("Backpropagation through time")
    last = {T: Integer(steps)}
    needed = [x for x in derivation.steps if x.rule == "reverse chain rule"]
    for time in range(steps, 0, -1):
        for step in needed:
            scribe.step(
                step.before.xreplace({t: Integer(time)}),
                _within(step.after.xreplace({t: Integer(time)}), steps),
                step.rule,
                f"step {time}",
                general=step,
            )
    final: Step = derivation.steps[-1]
    for step in derivation.steps:
        if step.rule == "gradient":
            final = step
    after = final.after.xreplace(last)
    result = write_out(after) if isinstance(after, TimeSum) else after
    if not final.where:
        scribe.step(
            final.before.xreplace(last), result, "gradient", "summed over the steps", general=final
        )
    return result


def _within(e: MatrixExpr, steps: int) -> MatrixExpr:
    """Adjoints beyond the last step (or before the first) are zero."""

    def beyond(x: Any) -> MatrixExpr | None:
        if isinstance(x, Adjoint):
            inside = 1 <= int(x.of.time) <= steps
            return x if inside else scale(0, x)
        return None

    return rebuild(e, beyond)
