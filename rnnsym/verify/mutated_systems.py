"""Mutations of the backward pass: the errors of hand-written code, and of derivations of it.

First half of the catalogue of `rnnsym.verify.mutations`. Each takes the right equations for the
adjoints and the right gradients of a network and changes one thing at one place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sympy import MatrixExpr, MatrixSymbol, Rational, S, Transpose

from rnnsym.algebra import add, factors, had, mul, ones, scale, split, subtract, terms, tr
from rnnsym.nodes import Adjoint, Apply, Softmax, T, TimeSum, TimeVector, leaves, t
from rnnsym.rules import derivative
from rnnsym.verify.mutation_subject import Change, Kind, Subject, parts_of

KINDS: list[Kind] = []


def _kind(name: str, sentence: str) -> Callable[[Any], Any]:
    """Enter a mutation of the backward pass into the catalogue."""

    def enter(apply: Callable[[Subject], Iterator[Change]]) -> Any:
        KINDS.append(Kind(name, sentence, apply))
        return apply

    return enter


# ---- weights in the recursion ------------------------------------------------------------


def _square(term: MatrixExpr) -> Iterator[tuple[int, MatrixSymbol]]:
    for i, factor in enumerate(factors(term)):
        weight = isinstance(factor, Transpose) and isinstance(factor.arg, MatrixSymbol)
        if weight and factor.rows == factor.cols != 1:
            yield i, factor.arg


def _with_factor(term: MatrixExpr, i: int, *new: MatrixExpr) -> MatrixExpr:
    parts = list(factors(term))
    parts[i : i + 1] = new
    return scale(split(term)[0], mul(*parts))


@_kind("missing transpose", "the adjoint is sent back through W instead of its transpose")
def _missing_transpose(s: Subject) -> Iterator[Change]:
    for name, index, term in s.each_term():
        for i, w in _square(term):
            yield s.term(name, index, _with_factor(term, i, w), f"{w} in δ of {name}")


@_kind("missing transposes", "no weight is transposed, at any gate or in any use")
def _missing_transposes(s: Subject) -> Iterator[Change]:
    for name in s.needed:
        summands = list(terms(s.system.equations[name]))
        count = 0
        for index, term in enumerate(summands):
            for i, w in _square(term):
                summands[index] = _with_factor(term, i, w)
                count += 1
        if count > 1:
            yield Change(f"in δ of {name}", equations={name: add(*summands)})
    for weight in s.net.parameters.values():
        changed: dict[str, MatrixExpr] = {}
        for name, index, term in s.each_term():
            for i, w in _square(term):
                if w == weight:
                    changed |= s.term(name, index, _with_factor(term, i, w), "").equations
        if len(changed) > 1:
            yield Change(f"{weight} in δ of {' and '.join(changed)}", equations=changed)


@_kind("missing weight", "the adjoint is sent back without the recurrent weight")
def _missing_weight(s: Subject) -> Iterator[Change]:
    for name, index, term in s.each_term():
        for i, w in _square(term):
            yield s.term(name, index, _with_factor(term, i), f"{w} in δ of {name}")


@_kind("weight twice", "the adjoint passes the recurrent weight twice in one step")
def _weight_twice(s: Subject) -> Iterator[Change]:
    for name, index, term in s.each_term():
        for i, w in _square(term):
            twice = _with_factor(term, i, Transpose(w), Transpose(w))
            yield s.term(name, index, twice, f"{w} in δ of {name}")


@_kind("weight of another gate", "the adjoint is sent back through the weight of another gate")
def _other_weight(s: Subject) -> Iterator[Change]:
    for name, index, term in s.each_term():
        for i, w in _square(term):
            others = [v for v in s.net.parameters.values() if v.shape == w.shape and v != w]
            for other in others[:1]:
                new = _with_factor(term, i, Transpose(other))
                yield s.term(name, index, new, f"{other} for {w} in δ of {name}")


@_kind("factors swapped", "two factors that do not commute stand in the wrong order")
def _swapped_factors(s: Subject) -> Iterator[Change]:
    for name, index, term in s.each_term():
        parts = list(factors(term))
        for i in range(len(parts) - 2):
            if parts[i].shape == parts[i + 1].shape:
                new = mul(*parts[:i], parts[i + 1], parts[i], *parts[i + 2 :])
                yield s.term(name, index, scale(split(term)[0], new), f"in δ of {name}")


# ---- the derivative of the activation ----------------------------------------------------


@_kind("missing g′", "the derivative of the activation is left out")
def _missing_slope(s: Subject) -> Iterator[Change]:
    yield from (slope.replaced(s, ones(slope.value.rows)) for slope in s.slopes)


@_kind("g′ twice", "the derivative of the activation is applied twice")
def _slope_twice(s: Subject) -> Iterator[Change]:
    yield from (slope.replaced(s, *slope.parts, *slope.parts) for slope in s.slopes)


@_kind("g instead of g′", "the activation stands where its derivative belongs")
def _value_for_slope(s: Subject) -> Iterator[Change]:
    yield from (slope.replaced(s, slope.value) for slope in s.slopes)


@_kind("g′ at the previous step", "the derivative of the activation is taken one step too early")
def _early_slope(s: Subject) -> Iterator[Change]:
    for slope in s.slopes:
        yield slope.replaced(s, *(p.xreplace({t: t - 1}) for p in slope.parts))


@_kind("g′ at g(z)", "the derivative is taken at the activated value instead of z")
def _slope_of_value(s: Subject) -> Iterator[Change]:
    for slope in s.slopes:
        call = Apply(slope.call.function, slope.value, slope.call.order)
        yield slope.replaced(s, derivative(call, call))


@_kind("g′ of another function", "the derivative of tanh and that of the sigmoid are mixed up")
def _other_slope(s: Subject) -> Iterator[Change]:
    others = {"tanh": "sigmoid", "sigmoid": "tanh"}
    for slope in s.slopes:
        if slope.call.function in others:
            call = Apply(others[slope.call.function], slope.call.argument)
            yield slope.replaced(s, derivative(call, slope.value))


@_kind("sign inside g′", "a plus stands where the derivative of the activation has a minus")
def _slope_sign(s: Subject) -> Iterator[Change]:
    one: Callable[[Any], Any] = lambda a: ones(a.rows)  # noqa: E731
    changed = {
        "tanh": lambda a: add(one(a), had(a, a)),
        "sigmoid": lambda a: had(a, add(one(a), a)),
    }
    for slope in s.slopes:
        if slope.call.function in changed:
            yield slope.replaced(s, changed[slope.call.function](slope.value))


@_kind("1 - a instead of 1 - a²", "the square is missing in the derivative of tanh")
def _missing_square(s: Subject) -> Iterator[Change]:
    for slope in s.slopes:
        if slope.call.function == "tanh":
            yield slope.replaced(s, subtract(ones(slope.value.rows), slope.value))


# ---- summands of the recursion -----------------------------------------------------------


@_kind("missing contribution", "one of the nodes that use this one sends nothing back")
def _missing_term(s: Subject) -> Iterator[Change]:
    for name, index, term in s.each_term():
        if leaves(term, Adjoint) and len(terms(s.system.equations[name])) > 1:
            yield s.term(name, index, scale(0, term), f"{sender(term)} in δ of {name}")


@_kind("contribution twice", "one contribution is added twice (dc += dc)")
def _double_term(s: Subject) -> Iterator[Change]:
    for name, index, term in s.each_term():
        if leaves(term, Adjoint):
            yield s.term(name, index, scale(2, term), f"{sender(term)} in δ of {name}")


@_kind("sign of a contribution", "one contribution has the wrong sign")
def _sign_of_term(s: Subject) -> Iterator[Change]:
    for name, index, term in s.each_term():
        if leaves(term, Adjoint):
            yield s.term(name, index, scale(-1, term), f"{sender(term)} in δ of {name}")


@_kind("missing factor", "one elementwise factor, a gate or a state, is left out")
def _missing_factor(s: Subject) -> Iterator[Change]:
    for name, index, term in s.each_term():
        parts = parts_of(term)
        for i, part in enumerate(parts):
            if len(parts) > 1 and not isinstance(part, Adjoint):
                new = scale(split(term)[0], had(*parts[:i], *parts[i + 1 :]))
                yield s.term(name, index, new, f"{_show(part)} in δ of {name}")


def sender(term: MatrixExpr) -> str:
    return ", ".join(f"δ of {d.of.name}" for d in leaves(term, Adjoint))


def _show(part: MatrixExpr) -> str:
    if isinstance(part, TimeVector | MatrixSymbol):
        return part.name
    names = [v.name for v in (*leaves(part, TimeVector), *leaves(part, MatrixSymbol))]
    return f"factor of {names[0]}" if names else str(part)


# ---- time indices of the recursion -------------------------------------------------------


@_kind("later adjoint", "the recursion reads an adjoint one step too late")
def _late_adjoint(s: Subject) -> Iterator[Change]:
    for name, index, term in s.each_term():
        for d in dict.fromkeys(leaves(term, Adjoint)):
            later = d.of.time - 1 if name in s.reversed else d.of.time + 1
            new = term.xreplace({d: Adjoint(d.of.at(later))})
            yield s.term(name, index, new, f"δ of {d.of.name} in δ of {name}")


def _moved(s: Subject, old: Any, new: Any) -> Iterator[Change]:
    """Every forward value at time `old` in an equation is read at time `new` instead."""
    for name, index, term in s.each_term():
        held = {d: MatrixSymbol(f"_{i}", *d.shape) for i, d in enumerate(leaves(term, Adjoint))}
        bare = term.xreplace(held)
        for v in dict.fromkeys(leaves(bare, TimeVector)):
            if v.time == old and v.name in s.net.equations:
                back = {symbol: d for d, symbol in held.items()}
                moved = bare.xreplace({v: v.at(new)}).xreplace(back)
                yield s.term(name, index, moved, f"{v.name} in δ of {name}")


@_kind("value of this step for the next", "a forward value at t stands for the one at t+1")
def _not_next(s: Subject) -> Iterator[Change]:
    yield from _moved(s, t + 1, t)


@_kind("value of this step for the previous", "a forward value at t stands for the one at t-1")
def _not_previous(s: Subject) -> Iterator[Change]:
    yield from _moved(s, t - 1, t)


@_kind("value of the previous step", "a forward value at t-1 stands for the one at t")
def _previous(s: Subject) -> Iterator[Change]:
    yield from _moved(s, t, t - 1)


@_kind("truncation", "the adjoint does not cross the border of chunks of steps")
def _truncation(s: Subject) -> Iterator[Change]:
    yield from (Change(f"chunks of {n}", chunk=n) for n in (2, 3))


@_kind("no path through time", "only the direct path of each step is counted")
def _direct_only(s: Subject) -> Iterator[Change]:
    yield Change("", chunk=1)


# ---- the output --------------------------------------------------------------------------


def _outputs(s: Subject) -> Iterator[tuple[str, MatrixExpr]]:
    """Equations that need no other adjoint: where the loss enters."""
    for name in s.needed:
        if not leaves(s.system.equations[name], Adjoint):
            yield name, s.system.equations[name]


@_kind("reversed difference", "target minus prediction stands for prediction minus target")
def _reversed(s: Subject) -> Iterator[Change]:
    for name, e in _outputs(s):
        yield Change(f"in δ of {name}", equations={name: scale(-1, e)})


@_kind("missing target", "a part of the output error is left out")
def _half_error(s: Subject) -> Iterator[Change]:
    for name, e in _outputs(s):
        for i, part in enumerate(terms(e)):
            if len(terms(e)) > 1:
                rest = add(*(p for j, p in enumerate(terms(e)) if j != i))
                yield Change(f"{_show(split(part)[1])} in δ of {name}", equations={name: rest})


@_kind("missing output derivative", "the derivative of the output layer's activation is left out")
def _no_output_slope(s: Subject) -> Iterator[Change]:
    for name, user in _prediction(s):
        direct = s.system.equations[user]
        yield Change(f"in δ of {name}", equations={name: direct})


@_kind("extra output derivative", "the error is multiplied by ŷ(1 - ŷ) once more")
def _extra_output_slope(s: Subject) -> Iterator[Change]:
    for name, user in _prediction(s):
        y = s.net.equations[user].lhs
        factor = had(y, subtract(ones(y.rows), y))
        extra = add(*(_timed(factor, e) for e in terms(s.system.equations[name])))
        yield Change(f"in δ of {name}", equations={name: extra})


@_kind("softmax as a diagonal", "softmax is differentiated as if each output saw its own z only")
def _diagonal_softmax(s: Subject) -> Iterator[Change]:
    for name, user in _prediction(s):
        y = s.net.equations[user].lhs
        if isinstance(s.net.equations[user].rhs, Softmax):
            slope = had(y, subtract(ones(y.rows), y))
            new = add(*(_timed(slope, e) for e in terms(s.system.equations[user])))
            yield Change(f"in δ of {name}", equations={name: new})


def _prediction(s: Subject) -> Iterator[tuple[str, str]]:
    """(z_y, ŷ) for a prediction ŷ⟨t⟩ that is a function of its pre-activation z_y⟨t⟩."""
    user = s.net.output
    rhs = s.net.equations[user].rhs
    z = rhs.argument if isinstance(rhs, Apply | Softmax) else None
    if isinstance(z, TimeVector) and z.name in s.needed and z.time == t:
        yield z.name, user


def _timed(factor: MatrixExpr, e: MatrixExpr) -> MatrixExpr:
    number, rest = split(e)
    return scale(number, had(factor, rest))


# ---- the gradient as a sum over time -----------------------------------------------------


def _limits(s: Subject, change: Callable[[Any, Any], tuple[Any, Any]]) -> Iterator[Change]:
    for name, e in s.each_gradient():
        lower, upper = change(e.lower, e.upper)
        yield Change("", gradients={name: TimeSum(e.body, (e.index, lower, upper))})


@_kind("last step missing", "the sum over time ends one step too early")
def _last_missing(s: Subject) -> Iterator[Change]:
    yield from _limits(s, lambda lower, upper: (lower, upper - 1))


@_kind("first step missing", "the sum over time begins one step too late")
def _first_missing(s: Subject) -> Iterator[Change]:
    yield from _limits(s, lambda lower, upper: (lower + 1, upper))


@_kind("last step only", "only the last step is counted: the gradient is not summed over time")
def _last_only(s: Subject) -> Iterator[Change]:
    yield from _limits(s, lambda lower, upper: (upper, upper))


@_kind("first step only", "only the first step is counted")
def _first_only(s: Subject) -> Iterator[Change]:
    yield from _limits(s, lambda lower, upper: (lower, lower))


def _scaled(s: Subject, number: Any) -> Iterator[Change]:
    for name, e in s.system.gradients.items():
        yield Change("", gradients={name: scale(number, e)})


@_kind("mean instead of sum", "the gradient is divided by T")
def _mean(s: Subject) -> Iterator[Change]:
    yield from _scaled(s, 1 / T)


@_kind("factor 2", "the gradient is twice as large")
def _double(s: Subject) -> Iterator[Change]:
    yield from _scaled(s, S(2))


@_kind("factor 1/2", "the gradient is half as large")
def _half(s: Subject) -> Iterator[Change]:
    yield from _scaled(s, Rational(1, 2))


@_kind("sign", "the gradient has the wrong sign")
def _sign(s: Subject) -> Iterator[Change]:
    yield from _scaled(s, S.NegativeOne)


@_kind("transposed gradient", "the factors of the outer product are swapped: a δᵀ for δ aᵀ")
def _transposed(s: Subject) -> Iterator[Change]:
    for name, e in s.each_gradient():
        if e.rows == e.cols != 1:
            yield Change("", gradients={name: TimeSum(tr(e.body), e.args[1])})


def _in_gradient(s: Subject, kind: type, change: Callable[[Any, Any], Any]) -> Iterator[Change]:
    """Every leaf of one kind in a gradient, replaced by change(leaf, index) if not None."""
    for name, e in s.each_gradient():
        for leaf in dict.fromkeys(leaves(e.body, kind)):
            new = change(leaf, e.index)
            if new is not None:
                body = e.body.xreplace({leaf: new})
                yield Change(f"{_named(leaf)}", gradients={name: TimeSum(body, e.args[1])})


def _named(leaf: Any) -> str:
    return f"δ of {leaf.of.name}" if isinstance(leaf, Adjoint) else str(leaf.name)


def _values(s: Subject, change: Callable[[Any, Any], Any]) -> Iterator[Change]:
    """The forward values in the gradients: TimeVectors that are not inside of a δ."""
    for name, e in s.each_gradient():
        held = {d: MatrixSymbol(f"_{i}", *d.shape) for i, d in enumerate(leaves(e.body, Adjoint))}
        back = {symbol: d for d, symbol in held.items()}
        bare = e.body.xreplace(held)
        for v in dict.fromkeys(leaves(bare, TimeVector)):
            new = change(v, e.index)
            if new is not None:
                body = bare.xreplace({v: new}).xreplace(back)
                yield Change(v.name, gradients={name: TimeSum(body, e.args[1])})


@_kind("a⟨k⟩ for a⟨k-1⟩", "the outer product takes the state of the same step")
def _same_state(s: Subject) -> Iterator[Change]:
    yield from _values(s, lambda v, k: v.at(k) if v.time == k - 1 else None)


@_kind("v⟨k-1⟩ for v⟨k⟩", "the outer product takes a value of the step before")
def _earlier_value(s: Subject) -> Iterator[Change]:
    yield from _values(s, lambda v, k: v.at(k - 1) if v.time == k else None)


@_kind("z for a", "the outer product takes the state before its activation")
def _unactivated(s: Subject) -> Iterator[Change]:
    def before(v: TimeVector, k: Any) -> Any:
        rhs = s.net.equations[v.name].rhs if v.name in s.net.equations else None
        if isinstance(rhs, Apply) and isinstance(rhs.argument, TimeVector):
            return rhs.argument.at(v.time)
        return None

    yield from _values(s, before)


@_kind("δ⟨k+1⟩ for δ⟨k⟩", "the gradient takes the adjoint of the next step")
def _next_adjoint(s: Subject) -> Iterator[Change]:
    yield from _in_gradient(s, Adjoint, lambda d, k: Adjoint(d.of.at(d.of.time + 1)))


@_kind("δ⟨k-1⟩ for δ⟨k⟩", "the gradient takes the adjoint of the previous step")
def _earlier_adjoint(s: Subject) -> Iterator[Change]:
    yield from _in_gradient(s, Adjoint, lambda d, k: Adjoint(d.of.at(d.of.time - 1)))


@_kind("δ_a for δ_z", "the gradient takes the adjoint of the state, so that g′ is missing there")
def _unpulled(s: Subject) -> Iterator[Change]:
    def after(d: Adjoint, k: Any) -> Any:
        a = s.activation_of(d.of.name)
        return None if a is None else Adjoint(a.at(d.of.time))

    yield from _in_gradient(s, Adjoint, after)


@_kind("adjoint of another gate", "the gradient takes the adjoint of another gate")
def _other_gate(s: Subject) -> Iterator[Change]:
    users = [n for n, ws in s.derived.parameters_of.items() if ws]
    for name, e in s.each_gradient():
        for d in dict.fromkeys(leaves(e.body, Adjoint)):
            for n in users:
                if n != d.of.name and s.net.vectors[n].rows == d.of.rows:
                    body = e.body.xreplace({d: Adjoint(s.net.vectors[n].at(d.of.time))})
                    place = f"δ of {n} for {_named(d)}"
                    yield Change(place, gradients={name: TimeSum(body, e.args[1])})
