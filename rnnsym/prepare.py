"""Equations made ready for a network: checked, pre-activations named, in the order of computing.

Used by `rnnsym.network`, between the reader of equations and the network that is made of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sympy import Basic, Lambda, MatAdd, MatMul, MatrixExpr, MatrixSymbol, Mul
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.utilities.iterables import strongly_connected_components

from rnnsym.equations import Equation
from rnnsym.errors import InputError
from rnnsym.nodes import Apply, Softmax, TimeVector, leaves, parameters, t, time_vectors
from rnnsym.spans import Span, lag

#: the name of the loss at one step, and of the total loss
LOSS = "L"


def applications(expr: Basic) -> Iterable[Apply]:
    for found in leaves(expr, Apply):
        yield found
        yield from applications(found.argument)


def from_sympy(lhs: Any, rhs: Any) -> Equation:
    """An equation given as SymPy expressions, checked as a text would be."""
    if not isinstance(lhs, TimeVector) or (lhs.time != t and t in lhs.time.free_symbols):
        raise InputError(
            f"equation '{lhs} = …': the left-hand side must be a TimeVector at t or a fixed time"
        )
    text = f"{lhs.name}[{lhs.time}] = {rhs}"
    if not isinstance(rhs, MatrixExpr):
        raise InputError(f"equation '{text}': the right-hand side is no matrix expression")
    if rhs.shape != lhs.shape:
        raise InputError(
            f"equation '{text}': shape mismatch: {lhs.shape} on the left, {rhs.shape} on the right"
        )
    for found in leaves(rhs, ElementwiseApplyFunction):
        function = found.function
        if isinstance(function, Lambda):
            if function.expr.args != tuple(function.variables):
                raise InputError(
                    f"equation '{text}': {function} is no function with a name; "
                    f"apply named functions, such as tanh, to expressions"
                )
            function = function.expr.func
        rhs = rhs.xreplace({found: Apply(function.__name__, found.expr)})
    rhs = _flat(rhs)
    for v in time_vectors(rhs):
        if t in v.time.free_symbols and not (lhs.time == t and (t - v.time).is_Integer):
            raise InputError(
                f"equation '{text}': the time of {v.name} must be t plus a number, or fixed"
            )
    return Equation(lhs, rhs, text)


def _flat(e: Any) -> Any:
    """Products and sums inside of products and sums in one, as rnnsym's own are."""
    if not isinstance(e, MatrixExpr) or isinstance(e, TimeVector | MatrixSymbol):
        return e
    args = [_flat(a) for a in e.args]
    if isinstance(e, MatAdd):
        return MatAdd(*(b for a in args for b in (a.args if isinstance(a, MatAdd) else (a,))))
    if isinstance(e, MatMul):
        flat = [b for a in args for b in (a.args if isinstance(a, MatMul) else (a,))]
        number = Mul(*(a for a in flat if not isinstance(a, MatrixExpr)))
        matrices = [a for a in flat if isinstance(a, MatrixExpr)]
        if number != 1:
            return MatMul(number, *matrices)
        return MatMul(*matrices) if len(matrices) > 1 else matrices[0]
    return e.func(*args)


def validated(
    source: Iterable[Equation], given: set[str]
) -> tuple[dict[str, Equation], dict[str, Equation]]:
    """The equations by name, and those of initial values, which stand beside one for every step.

    Every name is defined once, and every name used is defined.
    """
    table: dict[str, Equation] = {}
    initial: dict[str, Equation] = {}
    for equation in source:
        name = equation.lhs.name
        if name in given:
            raise InputError(
                f"equation '{equation}': {name} is an input or a target, given as data; give the "
                f"vector that it defines another name, such as {name}_hat"
            )
        known = table.get(name)
        if known is None:
            table[name] = equation
        elif name in initial or (known.time == t) == (equation.time == t):
            raise InputError(f"{name} is defined twice: '{known}' and '{equation}'; rename one")
        else:
            table[name], initial[name] = sorted((known, equation), key=lambda e: e.time != t)
    for equation in (*table.values(), *initial.values()):
        for v in time_vectors(equation.rhs):
            if v.name not in table and v.name not in given:
                raise InputError(
                    f"equation '{equation}': {v.name} is not defined; add an equation for it, "
                    f"or declare it with inputs=[{v.name!r}] or targets=[{v.name!r}]"
                )
        for w in parameters(equation.rhs):
            if w.name in table or w.name in given:
                raise InputError(
                    f"equation '{equation}': {w.name} is used both as a parameter and as a "
                    f"time-indexed vector; rename one"
                )
    if LOSS not in table:
        raise InputError(f"no equation defines the loss {LOSS}[t]")
    return table, initial


def named_preactivations(table: dict[str, Equation]) -> dict[str, Equation]:
    """Give every argument of an activation that holds a weight a name of its own, z_a⟨t⟩.

    With it every later expression stays local: g′(z⟨t⟩) instead of g′ of a whole equation.
    """
    result: dict[str, Equation] = {}
    taken = set(table)
    for name, equation in table.items():
        rhs = equation.rhs
        found = [e for e in calls(rhs) if not isinstance(e.argument, TimeVector)]
        for call in found:
            if not parameters(call.argument) or not call.argument.has(MatMul):
                continue
            if calls(call.argument):
                inner = named_preactivations(
                    {f"{name}": Equation(equation.lhs, call.argument, equation.text)}
                )
                if len(inner) > 1:
                    raise InputError(
                        f"equation '{equation}': one activation inside another; "
                        f"give the inner one an equation of its own"
                    )
            z = f"z_{name}"
            while z in taken:
                z += "_"
            taken.add(z)
            node = TimeVector(z, call.argument.rows, equation.time)
            result[z] = Equation(node, call.argument, equation.text)
            rhs = rhs.xreplace({call: call.func(*_with_argument(call, node))})
        result[name] = Equation(equation.lhs, rhs, equation.text)
    return result


def calls(expr: Basic) -> list[Any]:
    return list(dict.fromkeys(leaves(expr, (Apply, Softmax))))  # type: ignore[arg-type]


def _with_argument(call: Any, node: TimeVector) -> tuple[Any, ...]:
    return (node,) if isinstance(call, Softmax) else (call.args[0], node, call.args[2])


def ordered(
    table: dict[str, Equation], initial: Mapping[str, Equation], spans: Mapping[str, Span]
) -> dict[str, Equation]:
    """The equations so that each uses only earlier ones: of its own time step, of those used at
    fixed times, and of those that its initial value is made of."""
    waiting = {
        name: {v.name for v in time_vectors(e.rhs) if v.name in table and _first(e, v, spans)}
        for name, e in table.items()
    }
    for name, e in initial.items():
        waiting[name] |= {v.name for v in time_vectors(e.rhs) if v.name in table}
    result: dict[str, Equation] = {}
    while waiting:
        ready = [name for name, needs in waiting.items() if not needs - set(result)]
        if not ready:
            texts = "; ".join(dict.fromkeys(f"'{table[name]}'" for name in _cycle(waiting)))
            raise InputError(
                f"instantaneous cycle: a value is needed to compute itself at the same time, "
                f"in {texts}; use an earlier time such as [t-1] in one of them"
            )
        for name in ready:
            result[name] = table[name]
            del waiting[name]
    _refuse_cycles(result, initial, spans)
    return result


def _first(e: Equation, v: TimeVector, spans: Mapping[str, Span]) -> bool:
    """Whether v is computed before e's left-hand side."""
    return lag(spans[e.lhs.name], spans[v.name], e.time, v.time) in (0, None)


def _refuse_cycles(
    table: dict[str, Equation], initial: Mapping[str, Equation], spans: Mapping[str, Span]
) -> None:
    """What is used at a fixed time must not depend on its user, not even through other steps."""
    users = (*table.values(), *initial.values())
    edges = [(e.lhs.name, v.name) for e in users for v in time_vectors(e.rhs) if v.name in table]
    group = {
        name: i
        for i, names in enumerate(strongly_connected_components((list(table), edges)))
        for name in names
    }
    for e in users:
        for v in time_vectors(e.rhs):
            same = v.name in table and group[v.name] == group[e.lhs.name]
            steps = lag(spans[e.lhs.name], spans[v.name], e.time, v.time)
            if same and (steps is None or (e.lhs.name in initial and initial[e.lhs.name] is e)):
                raise InputError(
                    f"equation '{e}': {v.name}[{v.time}] depends on {e.lhs.name} itself, at "
                    f"another step: there is no order in which they could be computed"
                )


def _cycle(waiting: dict[str, set[str]]) -> list[str]:
    """Some nodes of `waiting` that form a cycle."""
    path: list[str] = [next(iter(waiting))]
    while True:
        following = next(n for n in waiting[path[-1]] if n in waiting)
        if following in path:
            return path[path.index(following) :]
        path.append(following)
