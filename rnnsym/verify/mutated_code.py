"""Mutations of the backward pass that hand-written code shows, beside those of derivations.

Third part of the catalogue of `rnnsym.verify.mutations`: what goes wrong when a loop over time
carries values from one step to the next, stores gates under similar names, and reads lists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sympy import DiagMatrix, MatAdd, MatrixExpr, S, preorder_traversal

from rnnsym.algebra import add, factors, had, mul, ones, scale, split, subtract, terms
from rnnsym.nodes import Adjoint, Apply, T, TimeSum, TimeVector, leaves, t
from rnnsym.rules import derivative
from rnnsym.verify.mutated_systems import Change, Kind, Subject, _parts, _values

CODE_KINDS: list[Kind] = []


def _kind(name: str, sentence: str) -> Callable[[Any], Any]:
    def enter(apply: Callable[[Subject], Iterator[Change]]) -> Any:
        CODE_KINDS.append(Kind(name, sentence, apply))
        return apply

    return enter


# ---- the derivative of the activation ----------------------------------------------------


@_kind("g′ at the next step", "the derivative of the activation is taken one step too late")
def _late_slope(s: Subject) -> Iterator[Change]:
    for slope in s.slopes:
        yield slope.replaced(s, *(p.xreplace({t: t + 1}) for p in slope.parts))


@_kind("z inside g′", "g′ is written in terms of a = g(z), and z is put in for a")
def _slope_of_argument(s: Subject) -> Iterator[Change]:
    for slope in s.slopes:
        if slope.call.function in ("tanh", "sigmoid"):
            yield slope.replaced(s, derivative(slope.call, slope.call.argument))


# ---- what a loop carries -----------------------------------------------------------------


def _later(e: MatrixExpr) -> list[Adjoint]:
    """The adjoints of other steps in a term."""
    return [d for d in dict.fromkeys(leaves(e, Adjoint)) if _shift(d)]


def _shift(d: Adjoint) -> Any:
    """How many steps after t an adjoint is read; 0 also for fixed times."""
    shift = d.of.time - t
    return shift if shift.is_Integer else S.Zero


@_kind("carried without g′", "the adjoint is carried to the step before without the factor g′")
def _unpulled_carry(s: Subject) -> Iterator[Change]:
    for name, index, term in s.each_term():
        for d in _later(term):
            a = s.activation_of(d.of.name)
            if a is not None:
                new = term.xreplace({d: Adjoint(a.at(d.of.time))})
                yield s.term(name, index, new, f"δ of {a.name} in δ of {name}")


@_kind("+= for =", "what is carried to the step before is added up and never replaced")
def _kept(s: Subject) -> Iterator[Change]:
    for name in s.needed:
        e = s.system.equations[name]
        shifts = {_shift(d) for d in _later(e)}
        if len(shifts) != 1:
            continue
        node, (shift,) = s.net.equations[name].lhs, shifts
        own = [term for term in terms(e) if not _later(term)]
        kept = Adjoint(node.at(t + shift))
        yield Change(f"in δ of {name}", equations={name: add(e, kept)})
        if own and all(leaves(term, Adjoint) for term in own):
            less = [scale(-1, term.xreplace({t: t + shift})) for term in own]
            carried = f"what is carried, in δ of {name}"
            yield Change(carried, equations={name: add(e, kept, *less)})


@_kind("loop runs forwards", "the loop of the backward pass runs from the first step to the last")
def _forwards(s: Subject) -> Iterator[Change]:
    changed = {}
    for name in s.needed:
        new = []
        for term in terms(s.system.equations[name]):
            if _later(term):
                moved = {v: v.at(2 * t - v.time) for v in _vectors(term) if (v.time - t).is_Integer}
                term = term.xreplace(moved)
            new.append(term)
        if tuple(new) != terms(s.system.equations[name]):
            changed[name] = add(*new)
    if changed:
        yield Change("", equations=changed)


def _vectors(e: MatrixExpr) -> list[TimeVector]:
    return list(dict.fromkeys(leaves(e, TimeVector)))


# ---- gates and states under similar names ------------------------------------------------


@_kind("missing gate", "a gate that multiplies a product is left out")
def _missing_diagonal(s: Subject) -> Iterator[Change]:
    for name, index, term in s.each_term():
        parts = list(factors(term))
        for i, part in enumerate(parts):
            if isinstance(part, DiagMatrix):
                new = scale(split(term)[0], mul(*parts[:i], *parts[i + 1 :]))
                yield s.term(name, index, new, f"{_names(part)} in δ of {name}")


@_kind("another gate", "a gate or a state stands where another one belongs")
def _another(s: Subject) -> Iterator[Change]:
    alike = [
        e.lhs
        for e in s.net.equations.values()
        if isinstance(e.rhs, Apply) and e.rhs.function in ("sigmoid", "tanh")
    ]
    for name, index, term in s.each_term():
        for factor in _loose_factors(s, term):
            for other in alike:
                if other.name != factor.name and other.rows == factor.rows:
                    new = _without_adjoints(term, {factor: other.at(factor.time)})
                    yield s.term(name, index, new, f"{other.name} for {factor.name} in δ of {name}")


def _loose_factors(s: Subject, term: MatrixExpr) -> list[TimeVector]:
    """The gates and states that are factors by themselves, not inside of a g′."""
    parts = [*_parts(term), *(p.args[0] for p in factors(term) if isinstance(p, DiagMatrix))]
    return [p for p in parts if isinstance(p, TimeVector) and p.name in s.net.equations]


def _without_adjoints(term: MatrixExpr, table: dict[Any, Any]) -> MatrixExpr:
    """A replacement in the factors of a term that leaves its adjoints alone."""
    parts = [p if isinstance(p, Adjoint) else p.xreplace(table) for p in _parts(term)]
    if len(parts) > 1:
        return scale(split(term)[0], had(*parts))
    parts = [p if isinstance(p, Adjoint) else p.xreplace(table) for p in factors(term)]
    return scale(split(term)[0], mul(*parts))


@_kind("gate for its complement", "1 - u stands for the gate u, or u for 1 - u")
def _complement(s: Subject) -> Iterator[Change]:
    complements = {
        part
        for e in s.net.equations.values()
        for part in preorder_traversal(e.rhs)
        if isinstance(part, MatAdd)
        and len(_vectors(part)) == 1
        and part == _one_minus(_vectors(part)[0])
    }
    gates = {v.name for part in complements for v in _vectors(part)}
    for name, index, term in s.each_term():
        parts = list(_parts(term))
        for i, part in enumerate(parts):
            vectors = _vectors(part)
            if isinstance(part, Adjoint) or len(vectors) != 1 or vectors[0].name not in gates:
                continue
            if part == vectors[0] and _one_minus(part) not in parts:
                new = _one_minus(part)
            elif part == _one_minus(vectors[0]) and vectors[0] not in parts:
                new = vectors[0]
            else:
                continue
            whole = scale(split(term)[0], had(*parts[:i], new, *parts[i + 1 :]))
            yield s.term(name, index, whole, f"{vectors[0].name} in δ of {name}")


def _one_minus(v: MatrixExpr) -> MatrixExpr:
    return subtract(ones(v.rows), v)


@_kind("part of a factor missing", "one of two terms inside of a factor is left out")
def _partial_factor(s: Subject) -> Iterator[Change]:
    for name, index, term, i, part in _sums_inside(s):
        parts = list(_parts(term))
        for j, _ in enumerate(part.args):
            left = add(*(a for k, a in enumerate(part.args) if k != j))
            new = scale(split(term)[0], had(*parts[:i], left, *parts[i + 1 :]))
            yield s.term(name, index, new, f"{_names(part.args[j]) or '1'} in δ of {name}")


@_kind("sign inside a factor", "one of two terms inside of a factor has the wrong sign")
def _factor_sign(s: Subject) -> Iterator[Change]:
    for name, index, term, i, part in _sums_inside(s):
        parts = list(_parts(term))
        last = scale(-1, part.args[-1])
        new = scale(split(term)[0], had(*parts[:i], add(*part.args[:-1], last), *parts[i + 1 :]))
        yield s.term(name, index, new, f"in δ of {name}")


def _sums_inside(s: Subject) -> Iterator[tuple[str, int, MatrixExpr, int, MatAdd]]:
    """Sums among the elementwise factors of a term, but those of a g′."""
    slopes = {(slope.name, p) for slope in s.slopes for p in slope.parts}
    for name, index, term in s.each_term():
        parts = _parts(term)
        for i, part in enumerate(parts):
            if isinstance(part, MatAdd) and len(parts) > 1 and (name, part) not in slopes:
                yield name, index, term, i, part


@_kind("argument for value", "the state stands where its activation belongs: c for tanh(c)")
def _argument(s: Subject) -> Iterator[Change]:
    for name, index, term in s.each_term():
        parts = list(_parts(term))
        for i, part in enumerate(parts):
            if isinstance(part, Apply) and isinstance(part.argument, TimeVector):
                new = scale(split(term)[0], had(*parts[:i], part.argument, *parts[i + 1 :]))
                yield s.term(name, index, new, f"{_names(part)} in δ of {name}")


def _names(e: MatrixExpr) -> str:
    return ", ".join(v.name for v in _vectors(e))


# ---- lists that are read at the wrong place ----------------------------------------------


@_kind("v⟨k+1⟩ for v⟨k⟩", "the outer product takes a value of the step after")
def _later_value(s: Subject) -> Iterator[Change]:
    yield from _values(s, lambda v, k: v.at(k + 1) if v.time == k else None)


@_kind("reversed list", "the adjoints are collected backwards, and paired with values forwards")
def _reversed_list(s: Subject) -> Iterator[Change]:
    for name, e in s.each_gradient():
        if e.lower != 1 or not _vectors_beside(e.body):
            continue
        moved = {
            d: Adjoint(d.of.at(T + 1 - d.of.time)) for d in dict.fromkeys(leaves(e.body, Adjoint))
        }
        yield Change("", gradients={name: TimeSum(e.body.xreplace(moved), e.args[1])})


def _vectors_beside(body: MatrixExpr) -> bool:
    """Whether a summand holds more than adjoints."""
    inside = {d.of for d in leaves(body, Adjoint)}
    return any(v not in inside for v in _vectors(body))


@_kind("target of another step", "the output error takes the target of the step before or after")
def _shifted_target(s: Subject) -> Iterator[Change]:
    for name in s.needed:
        e = s.system.equations[name]
        for v in _vectors(e):
            if v.name in s.net.targets and v.time == t:
                for shift in (1, -1):
                    place = f"{v.name}⟨t{shift:+d}⟩ in δ of {name}"
                    yield Change(place, equations={name: e.xreplace({v: v.at(t + shift)})})
