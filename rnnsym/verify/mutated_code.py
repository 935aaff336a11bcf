"""Mutations of the backward pass that hand-written code shows, beside those of derivations.

Third part of the catalogue of `rnnsym.verify.mutations`: what goes wrong when a loop over time
carries values from one step to the next, stores gates under similar names, and reads lists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sympy import DiagMatrix, Integer, MatAdd, MatrixExpr, MatrixSymbol, S, preorder_traversal
from sympy.matrices.expressions import HadamardProduct

from rnnsym.algebra import add, factors, had, mul, ones, scale, split, subtract, terms
from rnnsym.nodes import Adjoint, Apply, Iverson, T, TimeSum, TimeVector, leaves, t
from rnnsym.rules import derivative
from rnnsym.verify.mutated_systems import _outputs, _values, sender
from rnnsym.verify.mutation_subject import Change, Kind, Subject, parts_of

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


@_kind("1 missing in g′", "g′ is 1 minus something, and the 1 is left out")
def _missing_one(s: Subject) -> Iterator[Change]:
    for slope in s.slopes:
        parts = [_less_one(p) for p in slope.parts]
        for sign, word in ((1, ""), (-1, ", and the minus, ")):
            if any(new is not None for new in parts):
                pairs = zip(slope.parts, parts, strict=True)
                found = slope.replaced(
                    s, *(p if new is None else scale(sign, new) for p, new in pairs)
                )
                yield Change(f"{word}{found.place}".lstrip(", "), equations=found.equations)


def _less_one(e: MatrixExpr) -> MatrixExpr | None:
    """e without its 1, if it is 1 minus something."""
    one = ones(e.rows)
    if isinstance(e, MatAdd) and one in e.args:
        return add(*(a for a in e.args if a != one))
    return None


# ---- the output and what comes from above ------------------------------------------------


@_kind("sign in the output error", "a part of the output error has the wrong sign")
def _output_sign(s: Subject) -> Iterator[Change]:
    for name, e in _outputs(s):
        parts = terms(e)
        for i, part in enumerate(parts):
            if len(parts) > 1:
                others = (p for j, p in enumerate(parts) if j != i)
                place = f"{_names(part)} in δ of {name}"
                yield Change(place, equations={name: add(*others, scale(-1, part))})


@_kind("missing adjoint", "the adjoint that comes from above is left out of a product")
def _missing_adjoint(s: Subject) -> Iterator[Change]:
    for name, index, term in s.each_term():
        parts = parts_of(term)
        rest = [p for p in parts if not isinstance(p, Adjoint)]
        if rest and len(rest) < len(parts):
            new = scale(split(term)[0], had(*rest))
            sender = ", ".join(d.of.name for d in leaves(term, Adjoint))
            yield s.term(name, index, new, f"δ of {sender} in δ of {name}")


# ---- what a loop carries -----------------------------------------------------------------


def later_adjoints(e: MatrixExpr) -> list[Adjoint]:
    """The adjoints of other steps in a term."""
    return [d for d in dict.fromkeys(leaves(e, Adjoint)) if steps_after(d)]


def steps_after(d: Adjoint) -> Any:
    """How many steps after t an adjoint is read; 0 also for fixed times."""
    shift = d.of.time - t
    return shift if shift.is_Integer else S.Zero


@_kind("carried without g′", "the adjoint is carried to the step before without the factor g′")
def _unpulled_carry(s: Subject) -> Iterator[Change]:
    for name, index, term in s.each_term():
        for d in later_adjoints(term):
            a = s.activation_of(d.of.name)
            if a is not None:
                new = term.xreplace({d: Adjoint(a.at(d.of.time))})
                yield s.term(name, index, new, f"δ of {a.name} in δ of {name}")


@_kind("+= for =", "what is carried to the step before is added up and never replaced")
def _kept(s: Subject) -> Iterator[Change]:
    for name in s.needed:
        e = s.system.equations[name]
        shifts = {steps_after(d) for d in later_adjoints(e)}
        if len(shifts) != 1:
            continue
        node, (shift,) = s.net.equations[name].lhs, shifts
        own = [term for term in terms(e) if not later_adjoints(term)]
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
            if later_adjoints(term):
                moved = {
                    v: v.at(2 * t - v.time) for v in vectors_in(term) if (v.time - t).is_Integer
                }
                term = term.xreplace(moved)
            new.append(term)
        if tuple(new) != terms(s.system.equations[name]):
            changed[name] = add(*new)
    if changed:
        yield Change("", equations=changed)


def vectors_in(e: MatrixExpr) -> list[TimeVector]:
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


@_kind("sign of what is carried", "what comes from the next step is subtracted instead of added")
def _carried_sign(s: Subject) -> Iterator[Change]:
    for name in s.needed:
        parts = terms(s.system.equations[name])
        carried = [term for term in parts if later_adjoints(term)]
        if len(carried) > 1:
            own = [term for term in parts if term not in carried]
            new = add(*own, *(scale(-1, term) for term in carried))
            yield Change(f"in δ of {name}", equations={name: new})


@_kind("nothing carried", "nothing of the next step is added to an adjoint")
def _nothing_carried(s: Subject) -> Iterator[Change]:
    for name in s.needed:
        parts = terms(s.system.equations[name])
        own = [term for term in parts if not later_adjoints(term)]
        if own and len(parts) - len(own) > 1:
            yield Change(f"in δ of {name}", equations={name: add(*own)})
            for term in parts:
                if later_adjoints(term):
                    sender = ", ".join(d.of.name for d in later_adjoints(term))
                    place = f"but what comes from {sender}, in δ of {name}"
                    yield Change(place, equations={name: add(term, *own)})


@_kind("another gate", "a gate stands where another one belongs")
def _another(s: Subject) -> Iterator[Change]:
    gates = [e.lhs for e in s.net.equations.values() if isinstance(e.rhs, Apply)]
    for name, index, term in s.each_term():
        for factor in (p for p in parts_of(term) if isinstance(p, TimeVector)):
            for gate in gates:
                if factor.name in s.net.equations and gate.rows == factor.rows:
                    other = gate.at(factor.time)
                    if other != factor:
                        new = without_adjoints(term, {factor: other})
                        place = f"{other.name} for {factor.name} in δ of {name}"
                        yield s.term(name, index, new, place)


def without_adjoints(term: MatrixExpr, table: dict[Any, Any]) -> MatrixExpr:
    """A replacement in the factors of a term that leaves its adjoints alone."""
    parts = parts_of(term)
    split_ = len(parts) > 1
    found = [
        p if isinstance(p, Adjoint) or leaves(p, Adjoint) else p.xreplace(table)
        for p in (parts if split_ else factors(term))
    ]
    return scale(split(term)[0], had(*found) if split_ else mul(*found))


@_kind("gate for its complement", "1 - u stands for the gate u, or u for 1 - u")
def _complement(s: Subject) -> Iterator[Change]:
    complements = {
        part
        for e in s.net.equations.values()
        for part in preorder_traversal(e.rhs)
        if isinstance(part, MatAdd)
        and len(vectors_in(part)) == 1
        and part == _one_minus(vectors_in(part)[0])
    }
    gates = {v.name for part in complements for v in vectors_in(part)}
    for name, index, term in s.each_term():
        parts = list(parts_of(term))
        for i, part in enumerate(parts):
            vectors = vectors_in(part)
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
        parts = list(parts_of(term))
        for j, _ in enumerate(part.args):
            left = add(*(a for k, a in enumerate(part.args) if k != j))
            new = scale(split(term)[0], had(*parts[:i], left, *parts[i + 1 :]))
            yield s.term(name, index, new, f"{_names(part.args[j]) or '1'} in δ of {name}")


@_kind("sign inside a factor", "one of two terms inside of a factor has the wrong sign")
def _factor_sign(s: Subject) -> Iterator[Change]:
    for name, index, term, i, part in _sums_inside(s):
        parts = list(parts_of(term))
        last = scale(-1, part.args[-1])
        new = scale(split(term)[0], had(*parts[:i], add(*part.args[:-1], last), *parts[i + 1 :]))
        yield s.term(name, index, new, f"in δ of {name}")


def _sums_inside(s: Subject) -> Iterator[tuple[str, int, MatrixExpr, int, MatAdd]]:
    """Sums among the elementwise factors of a term, but those of a g′."""
    slopes = {(slope.name, p) for slope in s.slopes for p in slope.parts}
    for name, index, term in s.each_term():
        parts = parts_of(term)
        for i, part in enumerate(parts):
            if isinstance(part, MatAdd) and len(parts) > 1 and (name, part) not in slopes:
                yield name, index, term, i, part


@_kind("argument for value", "the state stands where its activation belongs: c for tanh(c)")
def _argument(s: Subject) -> Iterator[Change]:
    for name, index, term in s.each_term():
        parts = list(parts_of(term))
        for i, part in enumerate(parts):
            if isinstance(part, Apply) and isinstance(part.argument, TimeVector):
                new = scale(split(term)[0], had(*parts[:i], part.argument, *parts[i + 1 :]))
                yield s.term(name, index, new, f"{_names(part)} in δ of {name}")


def _names(e: MatrixExpr) -> str:
    return ", ".join(v.name for v in vectors_in(e))


# ---- lists that are read at the wrong place ----------------------------------------------


@_kind("factor missing in the outer product", "a gate or a state is left out of the outer product")
def _missing_in_outer(s: Subject) -> Iterator[Change]:
    for name, e in s.each_gradient():
        for product in dict.fromkeys(leaves(e.body, HadamardProduct)):
            for i, part in enumerate(product.args):
                if not leaves(part, Adjoint):
                    left = had(*product.args[:i], *product.args[i + 1 :])
                    body = e.body.xreplace({product: left})
                    yield Change(_names(part), gradients={name: TimeSum(body, e.args[1])})


@_kind("v⟨k+1⟩ for v⟨k⟩", "the outer product takes a value of the step after")
def _later_value(s: Subject) -> Iterator[Change]:
    yield from _values(s, lambda v, k: v.at(k + 1) if v.time == k else None)


@_kind("index -1", "at the first step the value before it is read at index -1: the last one")
def _wrapped(s: Subject) -> Iterator[Change]:
    for name, e in s.each_gradient():
        for v in outside(e.body):
            if (e.lower, e.upper) == (1, T) and v.name in s.net.equations and v.time == e.index - 1:
                yield Change(v.name, gradients={name: _first_read(e, e.body, v)})


@_kind("v⟨k-1⟩ for v⟨k⟩, index -1", "a value is read one step early, at the first step the last")
def _early_wrapped(s: Subject) -> Iterator[Change]:
    for name, e in s.each_gradient():
        for v in outside(e.body):
            if (e.lower, e.upper) == (1, T) and v.time == e.index:
                early = v.at(e.index - 1)
                body = replaced_outside(e.body, v, early)
                yield Change(v.name, gradients={name: _first_read(e, body, early)})
    for name in s.needed:
        e = s.system.equations[name]
        for v in outside(e):
            if v.name in s.net.targets and v.time == t:
                wrapped = add(v.at(t - 1), scale(Iverson(t, 1), v.at(T)))
                place = f"{v.name} in δ of {name}"
                yield Change(place, equations={name: _flat(e.xreplace({v: wrapped}))})


def _flat(e: MatrixExpr) -> MatrixExpr:
    """A sum of products of sums as a sum."""
    parts = []
    for term in terms(e):
        number, rest = split(term)
        parts += [scale(number, a) for a in terms(rest)]
    return add(*parts)


def outside(e: MatrixExpr) -> list[TimeVector]:
    """The vectors in an expression that stand outside of adjoints."""
    inside = {d.of for d in leaves(e, Adjoint)}
    return [v for v in vectors_in(e) if v not in inside]


def replaced_outside(body: MatrixExpr, v: TimeVector, new: MatrixExpr) -> MatrixExpr:
    held = {d: MatrixSymbol(f"_{i}", *d.shape) for i, d in enumerate(leaves(body, Adjoint))}
    back = {symbol: d for d, symbol in held.items()}
    return body.xreplace(held).xreplace({v: new}).xreplace(back)


def _first_read(e: TimeSum, body: MatrixExpr, v: TimeVector) -> MatrixExpr:
    """The sum over a body in which v⟨0⟩ is v⟨T⟩."""
    rest = TimeSum(body, (e.index, 2, T))
    return add(rest, replaced_outside(body, v, v.at(T)).xreplace({e.index: Integer(1)}))


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
    return any(v not in inside for v in vectors_in(body))


@_kind("output at every step", "the output error of one step is sent back at every step")
def _at_every_step(s: Subject) -> Iterator[Change]:
    for name, index, term in s.each_term():
        now = {i: S.One for i in term.atoms(Iverson) if t in i.args}
        if now and any(t not in d.of.time.free_symbols for d in leaves(term, Adjoint)):
            place = f"{sender(term)} in δ of {name}"
            yield s.term(name, index, term.xreplace(now), place)


@_kind("target of another step", "the output error takes the target of the step before or after")
def _shifted_target(s: Subject) -> Iterator[Change]:
    for name in s.needed:
        e = s.system.equations[name]
        for v in vectors_in(e):
            if v.name in s.net.targets and v.time == t:
                for shift in (1, -1):
                    place = f"{v.name}⟨t{shift:+d}⟩ in δ of {name}"
                    yield Change(place, equations={name: e.xreplace({v: v.at(t + shift)})})
