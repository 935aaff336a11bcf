"""Mutations of hand-written code, continued: what is right, but at the wrong place.

Fifth part of the catalogue of `rnnsym.verify.mutations`: a gate beside the other factor, a
derivative at another value, a sum whose name is given to something else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sympy import Transpose

from rnnsym.algebra import add, factors, had, mul, ones, scale, split, subtract, tr
from rnnsym.nodes import Adjoint, Apply, TimeSum, TimeVector, leaves
from rnnsym.rules import derivative
from rnnsym.verify.mutation_subject import Change, Kind, Subject, parts_of

PLACE_KINDS: list[Kind] = []


def _kind(name: str, sentence: str) -> Callable[[Any], Any]:
    def enter(apply: Callable[[Subject], Iterator[Change]]) -> Any:
        PLACE_KINDS.append(Kind(name, sentence, apply))
        return apply

    return enter


@_kind("gate beside the other factor", "the gate multiplies the other factor of the outer product")
def _other_side(s: Subject) -> Iterator[Change]:
    for name, e in s.each_gradient():
        both = factors(e.body)
        if len(both) != 2 or not isinstance(both[1], Transpose) or both[0].cols != 1:
            continue
        pair = [list(parts_of(both[0])), list(parts_of(both[1].arg))]
        for side, parts in enumerate(pair):
            for i, part in enumerate(parts):
                state = isinstance(part, TimeVector) and part.name in s.net.states
                if len(parts) < 2 or state or leaves(part, Adjoint):
                    continue
                if part.rows != pair[1 - side][0].rows:
                    continue
                moved = list(pair)
                moved[side] = [*parts[:i], *parts[i + 1 :]]
                moved[1 - side] = [part, *pair[1 - side]]
                left, right = (had(*factor) for factor in moved)
                body = scale(split(e.body)[0], mul(left, tr(right)))
                place = getattr(part, "name", "")
                yield Change(place, gradients={name: TimeSum(body, e.args[1])})


@_kind("1 - 2a instead of 1 - a²", "the square in the derivative of tanh is a product with 2")
def _doubled(s: Subject) -> Iterator[Change]:
    for slope in s.slopes:
        if slope.call.function == "tanh":
            yield slope.replaced(s, subtract(ones(slope.value.rows), scale(2, slope.value)))


@_kind("g′ at the adjoint", "g′ is taken at the gradient that comes in, and stands in its place")
def _slope_of_adjoint(s: Subject) -> Iterator[Change]:
    of_gates: tuple[dict[str, Any], dict[str, Any]] = {}, {}
    for slope in s.slopes:
        number, rest = split(s.each(slope.name)[slope.index])
        parts = [p for p in parts_of(rest) if p not in slope.parts]
        if not any(leaves(p, Adjoint) for p in parts):
            continue
        sent = had(*parts)
        call = Apply(slope.call.function, sent, slope.call.order)
        values = call, sent  # g′ in terms of z, or of a = g(z)
        for value, gates in zip(values, of_gates, strict=True):
            new = scale(number, derivative(call, value))
            change = s.term(slope.name, slope.index, new, f"in δ of {slope.name}")
            if slope.call.function == "sigmoid":
                gates |= change.equations
            yield change
    for gates in of_gates:  # by one function for all of them
        if len(gates) > 1:
            yield Change(f"in δ of {' and '.join(gates)}", equations=gates)


@_kind("name given away", "the sum is overwritten by another gradient at every step, then added to")
def _given_away(s: Subject) -> Iterator[Change]:
    for name, e in s.each_gradient():
        d = e.body
        a = s.activation_of(d.of.name) if isinstance(d, Adjoint) else None
        if a is not None and isinstance(d, Adjoint) and e.lower == 1 and d.of.time == e.index:
            first = add(Adjoint(a.at(1)), Adjoint(d.of.at(1)))
            yield Change(f"δ of {a.name}", gradients={name: first})
