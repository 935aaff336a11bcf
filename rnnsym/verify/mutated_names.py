"""Mutations that put one name in the place of another, a state, a gate or an adjoint.

Fourth part of the catalogue of `rnnsym.verify.mutations`, for diagnosis only: a typing error can
put any name anywhere, so that there are as many of these as of all others together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sympy import DiagMatrix, MatrixExpr

from rnnsym.algebra import factors, had, scale, split
from rnnsym.nodes import Adjoint, Apply, TimeSum, TimeVector, leaves, t
from rnnsym.verify.mutated_code import (
    outside,
    replaced_outside,
    steps_after,
    vectors_in,
    without_adjoints,
)
from rnnsym.verify.mutation_subject import Change, Kind, Subject, parts_of

NAME_KINDS: list[Kind] = []


def _kind(name: str, sentence: str) -> Callable[[Any], Any]:
    def enter(apply: Callable[[Subject], Iterator[Change]]) -> Any:
        NAME_KINDS.append(Kind(name, sentence, apply))
        return apply

    return enter


@_kind("another value", "a gate or a state stands where another one belongs")
def _another_factor(s: Subject) -> Iterator[Change]:
    for name, index, term in s.each_term():
        for factor in _forward_factors(s, term):
            parts = parts_of(term)
            places = [i for i, p in enumerate(parts) if not leaves(p, Adjoint) and p.has(factor)]
            for other in _alike(s, factor):
                place = f"{_at(other, factor)} in δ of {name}"
                yield s.term(name, index, without_adjoints(term, {factor: other}), place)
                for i in places if len(places) > 1 else ():  # at one of two places
                    part = parts[i].xreplace({factor: other})
                    new = scale(split(term)[0], had(*parts[:i], part, *parts[i + 1 :]))
                    yield s.term(name, index, new, f"{place}, once")


def _forward_factors(s: Subject, term: MatrixExpr) -> list[TimeVector]:
    """The gates and states in the elementwise factors of a term."""
    parts = [*parts_of(term), *(p for p in factors(term) if isinstance(p, DiagMatrix))]
    loose = [p for p in parts if not isinstance(p, Adjoint) and not leaves(p, Adjoint)]
    return list(dict.fromkeys(v for p in loose for v in vectors_in(p) if v.name in s.net.equations))


def _alike(s: Subject, v: TimeVector, now: Any = t) -> list[TimeVector]:
    """The gates and states that have the size of a vector, at its step, at `now` and before."""
    nodes = [
        e.lhs
        for e in s.net.equations.values()
        if e.lhs.rows == v.rows and (isinstance(e.rhs, Apply) or e.lhs.name in s.net.states)
    ]
    found = [n.at(v.time) for n in nodes]
    found += [n.at(v.time - 1) for n in nodes if n.name in s.net.states]
    if v.time == now - 1:
        found += [n.at(now) for n in nodes]
    return [n for n in dict.fromkeys(found) if n.name != v.name]


def _at(new: TimeVector, old: TimeVector) -> str:
    return f"{new.name}⟨{new.time}⟩ for {old.name}⟨{old.time}⟩"


@_kind("another adjoint in the recursion", "an adjoint stands where another one belongs")
def _another_above(s: Subject) -> Iterator[Change]:
    for name, index, term in s.each_term():
        for d in dict.fromkeys(leaves(term, Adjoint)):
            for other in s.needed:
                # of the same step only what is computed before, from the loss backwards
                before = s.needed.index(other) < s.needed.index(name)
                node = s.net.equations[other].lhs
                fits = node.rows == d.of.rows and other != d.of.name
                if fits and (steps_after(d) or before):
                    new = term.xreplace({d: Adjoint(node.at(d.of.time))})
                    place = f"δ of {other} for δ of {d.of.name} in δ of {name}"
                    yield s.term(name, index, new, place)


@_kind("state for an adjoint above", "a state or gate stands where an adjoint belongs, on the way")
def _state_above(s: Subject) -> Iterator[Change]:
    for name, index, term in s.each_term():
        for d in dict.fromkeys(leaves(term, Adjoint)):
            for v in _alike(s, d.of):
                new = term.xreplace({d: v})
                place = f"{v.name}⟨{v.time}⟩ for δ of {d.of.name} in δ of {name}"
                yield s.term(name, index, new, place)


@_kind("another value in the outer product", "the outer product takes another state or gate")
def _another_value(s: Subject) -> Iterator[Change]:
    for name, e in s.each_gradient():
        for v in outside(e.body):
            for other in _alike(s, v, e.index) if v.name in s.net.equations else ():
                gradients = {name: TimeSum(replaced_outside(e.body, v, other), e.args[1])}
                yield Change(_at(other, v), gradients=gradients)


@_kind("another adjoint", "the gradient takes the adjoint of a node that does not use the weight")
def _another_adjoint(s: Subject) -> Iterator[Change]:
    users = {n for n, ws in s.derived.parameters_of.items() if ws}
    for name, e in s.each_gradient():
        for d in dict.fromkeys(leaves(e.body, Adjoint)):
            own = s.activation_of(d.of.name)
            for other in s.needed:
                node = s.net.equations[other].lhs
                if node.rows == d.of.rows and other not in {*users, own and own.name}:
                    body = e.body.xreplace({d: Adjoint(node.at(d.of.time))})
                    place = f"δ of {other} for δ of {d.of.name}"
                    yield Change(place, gradients={name: TimeSum(body, e.args[1])})


@_kind("state for its adjoint", "a state or gate stands where an adjoint belongs")
def _state_for_adjoint(s: Subject) -> Iterator[Change]:
    for name, e in s.each_gradient():
        for d in dict.fromkeys(leaves(e.body, Adjoint)):
            for v in _alike(s, d.of):
                body = e.body.xreplace({d: v})
                place = f"{v.name}⟨{v.time}⟩ for δ of {d.of.name}"
                yield Change(place, gradients={name: TimeSum(body, e.args[1])})
