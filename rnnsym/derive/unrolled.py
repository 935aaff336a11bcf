"""A derivation for a concrete T: every sum and product written out, every term with its path.

Past a number of terms that a reader could follow, the terms are not listed; the adjoint
recursion, whose length is linear in T, is written out for any T.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from sympy import Identity, Integer, MatAdd, MatrixExpr, S

from rnnsym.algebra import add, factors, mul, scale, split, terms
from rnnsym.derive.closed import closed_forms, closed_term, leads, loss_jacobian
from rnnsym.derive.step import Derivation, Prose, Scribe, Step
from rnnsym.derive.structure import Block
from rnnsym.derive.subject import Subject
from rnnsym.network import Network
from rnnsym.nodes import Adjoint, T, TimeProduct, TimeSum, Total, is_parameter, t
from rnnsym.simplify import rebuild
from rnnsym.sizes import choose_lengths

#: the length of each sequence
Lengths = Mapping[Any, Any]

#: more terms than this are not listed one by one
LISTED = 60


def unrolled(s: Subject, derivation: Derivation, steps: Any) -> Derivation:
    """The derivation of a parameter's gradient for T = steps: one number for every length of a
    sequence, or each by its name.

    Raises InputError for lengths that are unknown or no positive integers.
    """
    lengths = choose_lengths(s.net, steps)
    scribe = Scribe()
    notes: list[Prose] = []
    formula = derivation.formula
    if is_parameter(s.w):
        count = _count(s, lengths)
        if count <= LISTED and s.nested:
            _term_by_term(scribe, s, derivation, lengths)
            formula = write_out(formula.xreplace(lengths))
        else:
            notes.append(
                (f"The sum has {count} terms; they are not listed. The adjoint recursion below "
                 f"needs {lengths[T]} steps.",)
            )  # fmt: skip
    result = _recursion(scribe, s, derivation, lengths)
    named = {str(symbol): int(n) for symbol, n in lengths.items() if str(symbol) in s.net.lengths}
    at: Any = named if isinstance(steps, Mapping) else steps
    return Derivation(s.net, s.w, tuple(scribe.steps), result, formula, at, tuple(notes))


def _symbolic(derivation: Derivation) -> MatrixExpr:
    """The sum of Jacobian products in symbols, or dL/dθ by the plain chain rule."""
    sums = [x for x in derivation.steps if x.section == "Sum of Jacobian products"]
    if sums:
        return sums[-1].after
    rule = next(x for x in derivation.steps if x.rule == "chain rule")
    linear = derivation.steps[0].after
    return TimeSum(rule.after, linear.args[1]) if isinstance(linear, TimeSum) else rule.after


def _count(s: Subject, lengths: Lengths) -> int:
    """The number of terms, without writing them out: of the ways from a use of θ to a loss."""
    known: dict[tuple[Block, int], int] = {}

    def at(time: Any, now: int) -> int:
        return int(time.xreplace({**lengths, t: Integer(now)}))

    def ways(others: list[Any], now: int) -> int:
        return sum(known[b, at(time, now)] for b, time in others)

    for block in s.blocks:
        first, last = (at(e, 0) for e in (block.span.first, block.span.last))
        steps = range(first, last + 1) if block.direction > 0 else range(last, first - 1, -1)
        starts = int(bool(set(block.names) & set(s.starters)))
        before = starts + ways(s.starting(block), 0)
        for now in steps:
            own = int(s.enters(block)) + ways(s.earlier(block), now)
            before = known[block, now] = own + (before if block.recurrent else 0)
    losses = range(1, at(s.where[0][2], 0) + 1) if s.where else (0,)
    return sum(ways(s.final, now) + int(s.is_direct) for now in losses)


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


def _term_by_term(scribe: Scribe, s: Subject, derivation: Derivation, lengths: Lengths) -> None:
    scribe.section("Linearity")
    total, linear = derivation.steps[0].before, derivation.steps[0].after
    at = ", ".join(f"{name} = {lengths[symbol]}" for name, symbol in s.net.lengths.items())
    scribe.step(
        total, write_out(linear.xreplace(dict(lengths))), "linearity",
        f"{at}: one summand for each loss" if s.where else f"{at}: there is one loss only",
    )  # fmt: skip
    symbolic = write_out(_symbolic(derivation).xreplace(dict(lengths)))
    listed = _multiply_out(symbolic)
    scribe.section("Term by term")
    scribe.step(
        total, MatAdd(*listed) if len(listed) > 1 else listed[0], "sum over paths",
        f"{len(listed)} terms, one for each path through the states from a use of ", s.w,
        " to a loss",
    )  # fmt: skip
    table, ends = closed_forms(Scribe(), s), leads(s, loss_jacobian(Scribe(), s))
    for number, term in enumerate(listed, 1):
        closed = closed_term(ends, table, term, lengths)
        scribe.step(term, closed, "path", f"term {number}: ", *_path(term))


def _path(term: MatrixExpr) -> Prose:
    """W → a⟨1⟩ → a⟨2⟩ → … → L⟨t⟩, read off the factors from the right."""
    links: list[Total] = [f for f in factors(split(term)[1]) if isinstance(f, Total)]
    nodes = [links[-1].by, *(link.of for link in reversed(links))]
    prose: list[Any] = []
    for node in nodes:
        prose += [" → ", node] if prose else [node]
    return tuple(prose)


def _recursion(scribe: Scribe, s: Subject, derivation: Derivation, lengths: Lengths) -> MatrixExpr:
    """The backward pass written out: one equation for each node and step, from the last node on."""
    scribe.section("Backpropagation through time")
    last = dict(lengths)
    needed = [x for x in derivation.steps if x.rule == "reverse chain rule"]
    for where, group in groupby(needed, key=lambda step: step.where):
        steps = list(group)
        first, end = (int(e.xreplace(last)) for e in where[0][1:]) if where else (0, 0)
        for time in range(end, first - 1, -1):
            at = {**last, t: Integer(time)} if where else last
            for step in steps:
                scribe.step(
                    step.before.xreplace(at),
                    _within(s.net, _written(step.after.xreplace(at)), last),
                    step.rule,
                    f"step {time}" if where else "",
                    general=step,
                )
    final: Step = derivation.steps[-1]
    for step in derivation.steps:
        if step.rule == "gradient":
            final = step
    result = _written(final.after.xreplace(last))
    if not final.where:
        scribe.step(
            final.before.xreplace(last), result, "gradient", "summed over the steps", general=final
        )
    return result


def _written(e: MatrixExpr) -> MatrixExpr:
    """Sums written out; what a bracket that is 0 stands before is left out."""
    parts = [split(x) for x in terms(e)] or [(S.One, e)]
    return add(*(scale(n, write_out(x) if isinstance(x, TimeSum) else x) for n, x in parts))


def _within(net: Network, e: MatrixExpr, lengths: Lengths) -> MatrixExpr:
    """Adjoints beyond the last step (or before the first) are zero, but for an initial value that
    is computed."""

    def beyond(x: Any) -> MatrixExpr | None:
        if not isinstance(x, Adjoint):
            return None
        name, time = x.of.name, x.of.time
        span = net.spans[name]
        inside = span.first.xreplace(lengths) <= time <= span.last.xreplace(lengths)
        computed = name in net.initial and time == net.start(name).xreplace(lengths)
        return x if inside or computed else scale(0, x)

    return rebuild(e, beyond)
