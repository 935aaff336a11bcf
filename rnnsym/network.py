"""A network: its forward equations, validated once.

Second stage of the flow: `Equation`s in, a periodic graph out. A node is a time-indexed vector
with an equation; an edge carries the lag between the two times. A *state* is a node that some
equation uses at another time than its own; everything else is computed within one time step.
Nothing is known about a network but its equations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from sympy import (
    Basic,
    Lambda,
    MatAdd,
    MatMul,
    MatrixExpr,
    MatrixSymbol,
    Mul,
    S,
    Symbol,
)
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.utilities.iterables import strongly_connected_components

from rnnsym.equations import Equation, Reader
from rnnsym.errors import InputError
from rnnsym.losses import LOSSES
from rnnsym.nodes import (
    Apply,
    Softmax,
    T,
    TimeSum,
    TimeVector,
    leaves,
    parameters,
    t,
    time_vectors,
)
from rnnsym.shapes import Dim, unify

LOSS = "L"


class Network:
    """A recurrent network given by its forward equations.

    >>> net = Network(
    ...     "a[t] = tanh(W_aa @ a[t-1] + W_ax @ x[t] + b_a)",
    ...     "y_hat[t] = softmax(W_ya @ a[t] + b_y)",
    ...     loss="cross_entropy",
    ... )
    >>> list(net.states), list(net.parameters)
    (['a'], ['W_aa', 'W_ax', 'b_a', 'W_ya', 'b_y'])

    Parameters
    ----------
    equations
        Text as read by `rnnsym.equations` (one or more lines each), or pairs
        ``(TimeVector, MatrixExpr)`` of SymPy expressions at time ``t``.
    loss
        A name from `rnnsym.losses`, by default cross_entropy, which then compares the last vector
        defined (or `output`) with the target; or an equation for ``L[t]``. The total loss is the
        sum over time.
    output
        The name of the prediction, by default the last vector defined.
    inputs, targets
        Names of the vectors that are given from outside, at each time step.
    states
        Names that are meant to be states; it is an error if one is not carried through time.
        Need not be given: states are the vectors that are used at another time than their own.
    target_kind
        What the loss assumes of targets: "distribution", "probability" or "real".
    functions, scalars, sizes
        Further unknown functions, names of scalar parameters, sizes not to be inferred
        (see `rnnsym.equations.Reader`).
    name
        What the network is called in documents.
    notations
        notation profile -> {name: name in that notation}, for `rnnsym.latex`.
    options, reference
        Of a built-in model: its options, and the module of `rnnsym.reference` that computes
        its gradients by hand.

    Raises InputError that names the equation: shape mismatch, undefined name, instantaneous
    cycle, a name used twice, unknown function.
    """

    def __init__(
        self,
        *equations: str | tuple[TimeVector, Any],
        loss: str | None = None,
        output: str | None = None,
        inputs: Sequence[str] = ("x",),
        targets: Sequence[str] = ("y",),
        states: Iterable[str] = (),
        target_kind: str | None = None,
        functions: Iterable[str] = (),
        scalars: Iterable[str] = (),
        sizes: Mapping[str, Any] | None = None,
        name: str = "network",
        notations: Mapping[str, Mapping[str, str]] | None = None,
        options: Mapping[str, str] | None = None,
        reference: str | None = None,
    ) -> None:
        self.name, self.notations = name, dict(notations or {})
        self.options, self.reference = dict(options or {}), reference
        sizes = {LOSS: 1, **(sizes or {})}
        reader = Reader(functions=functions, scalars=scalars, sizes=sizes)
        given: list[Equation] = []
        for equation in equations:
            if isinstance(equation, str):
                reader.read(equation)
            elif isinstance(equation, tuple) and len(equation) == 2:
                given.append(_from_sympy(*equation))
            else:
                raise InputError(
                    f"{equation!r} is no equation: give a text 'a[t] = …', or a pair of SymPy "
                    f"expressions (left-hand side, right-hand side)"
                )
        for other in given:  # what SymPy equations say of sizes holds for the loss too
            for v in (other.lhs, *time_vectors(other.rhs)):
                unify(reader.vectors.setdefault(v.name, Dim(v.rows)), Dim(v.rows))
        defined = [e.lhs.name for e in given] + [n for n, _, _ in reader.trees]
        if not defined:
            raise InputError("a network needs at least one equation, such as a[t] = …")
        self.output = output or ([n for n in defined if n != LOSS] or [LOSS])[-1]
        if self.output not in defined:
            raise InputError(f"output {self.output!r}: no equation defines it")
        kind = "real"
        if LOSS in defined:
            if loss is not None:
                raise InputError(f"the loss is given twice: as loss={loss!r} and as {LOSS}[t] = …")
        else:
            loss = "cross_entropy" if loss is None else loss
            if loss in LOSSES:
                text, kind = LOSSES[loss].rhs, LOSSES[loss].targets
                reader.read(f"L[t] = {text}".replace("y_hat[t]", f"{self.output}[t]"))
            elif "=" in loss:
                reader.read(loss)
                if reader.trees[-1][0] != LOSS:
                    raise InputError(f"loss {loss!r}: no equation defines the loss {LOSS}[t]")
            else:
                known = ", ".join(LOSSES)
                raise InputError(f"unknown loss {loss!r}: choose from {known}, or write 'L[t] = …'")
        for name in reader.weights:
            if name in (*inputs, *targets):
                raise InputError(
                    f"equation '{reader.first_use(name)}': {name} has a value at each time: "
                    f"write {name}[t]"
                )
        self.target_kind = target_kind or kind
        used = {v.name for e in given for v in (e.lhs, *time_vectors(e.rhs))}
        for unused in [name for name in reader.unused() if name not in used | {LOSS}]:
            raise InputError(f"{unused} is declared, but no equation uses it: is it misspelt?")
        self.source = (*given, *reader.equations())
        self.inputs: dict[str, Any] = dict.fromkeys(inputs)
        self.targets: dict[str, Any] = dict.fromkeys(targets)
        self.equations = _validated(self.source, {*inputs, *targets})
        self.equations = _ordered(_named_preactivations(self.equations))
        self._collect()
        if loss in LOSSES and LOSSES[loss].logarithm:
            head = next(e for e in self.source if e.lhs.name == self.output)
            if not head.rhs.has(Apply, Softmax):
                raise InputError(
                    f"equation '{head}': {loss} takes the logarithm of {self.output}, which may be "
                    f"negative: apply softmax or sigmoid, or choose loss='squared_error'"
                )
        for missing in [name for name in states if name not in self.states]:
            raise InputError(
                f"{missing} is declared a state, but no equation uses it at another time: "
                f"write {missing}[t-1] where the value of the step before is meant"
            )

    def _collect(self) -> None:
        """Sizes, parameters, states: all read off the equations."""
        self.parameters: dict[str, MatrixSymbol] = {}
        self.states: dict[str, TimeVector] = {}
        self.lags: dict[tuple[str, str], set[int]] = {}
        seen: dict[str, TimeVector] = {e.lhs.name: e.lhs for e in self.equations.values()}
        for equation in self.equations.values():
            for w in parameters(equation.rhs):
                self.parameters.setdefault(w.name, w)
            for v in time_vectors(equation.rhs):
                lag = int(t - v.time)
                self.lags.setdefault((equation.lhs.name, v.name), set()).add(lag)
                if lag and v.name in self.equations:
                    self.states.setdefault(v.name, self.equations[v.name].lhs)
                for table in (self.inputs, self.targets):
                    if v.name in table:
                        table[v.name] = v.rows
                if seen.setdefault(v.name, v).rows != v.rows:
                    raise InputError(
                        f"equation '{equation}': {v.name} has {v.rows} entries here "
                        f"and {seen[v.name].rows} elsewhere"
                    )
        for table in (self.inputs, self.targets):
            for name in [n for n, size in table.items() if size is None]:
                del table[name]
        self.states = {n: self.states[n] for n in self.equations if n in self.states}
        self._check_directions()

    def _check_directions(self) -> None:
        """Each state runs forwards or backwards; what depends on each other runs one way."""
        for name in self.states:
            first, last = self.lag_range(name)
            if first < 0 < last:
                raise InputError(
                    f"{name} is used both at earlier and at later times: a state runs forwards "
                    f"(t-1) or backwards (t+1); '{self.equations[name]}'"
                )
        edges = [(user, used) for user, used in self.lags if used in self.equations]
        for group in strongly_connected_components((list(self.equations), edges)):
            lags = set().union(*(self.lags.get((a, b), ()) for a in group for b in group))
            if lags and min(lags) < 0 < max(lags):
                raise InputError(
                    f"{', '.join(sorted(group))} depend on each other both at earlier and at "
                    f"later times: there is no order in which they could be computed"
                )

    @cached_property
    def sizes(self) -> dict[str, Symbol]:
        """The symbolic sizes by name, in order of appearance."""
        shapes: list[Any] = [v.rows for v in self.vectors.values()]
        shapes += [s for w in self.parameters.values() for s in w.shape]
        symbols = (s for shape in shapes for s in sorted(shape.free_symbols, key=str))
        return {s.name: s for s in symbols}

    @cached_property
    def vectors(self) -> dict[str, TimeVector]:
        """Every time-indexed vector by name, at time t: inputs, targets, then nodes."""
        table = {n: TimeVector(n, size, t) for n, size in {**self.inputs, **self.targets}.items()}
        return table | {n: e.lhs for n, e in self.equations.items()}

    @property
    def loss(self) -> TimeVector:
        """L⟨t⟩."""
        return self.equations[LOSS].lhs

    @property
    def total_loss(self) -> MatrixSymbol:
        """L, defined by `objective`."""
        return MatrixSymbol(LOSS, 1, 1)

    @property
    def objective(self) -> MatrixExpr:
        """What the total loss is: Σ_t L⟨t⟩."""
        return TimeSum(self.loss, (t, S.One, T))

    @cached_property
    def named_by_us(self) -> frozenset[str]:
        """The pre-activations that have a name only because rnnsym gave it."""
        return frozenset(set(self.equations) - {e.lhs.name for e in self.source})

    @cached_property
    def functions(self) -> frozenset[str]:
        """The elementwise functions that the equations use."""
        return frozenset(f.function for e in self.equations.values() for f in _applications(e.rhs))

    def lag_range(self, name: str) -> tuple[int, int]:
        """The least and greatest lag at which a node is used: 0, 0 for one that is no state."""
        lags = {0}.union(*(v for (_, used), v in self.lags.items() if used == name))
        return min(lags), max(lags)

    def __repr__(self) -> str:
        return f"<Network {self.name}: {'; '.join(e.text for e in self.source)}>"


def _applications(expr: Basic) -> Iterable[Apply]:
    for found in leaves(expr, Apply):
        yield found
        yield from _applications(found.argument)


def _from_sympy(lhs: Any, rhs: Any) -> Equation:
    """An equation given as SymPy expressions, checked as a text would be."""
    if not isinstance(lhs, TimeVector) or lhs.time != t:
        raise InputError(f"equation '{lhs} = …': the left-hand side must be a TimeVector at t")
    text = f"{lhs.name}[t] = {rhs}"
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
        if not (t - v.time).is_Integer:
            raise InputError(f"equation '{text}': the time of {v.name} must be t plus a number")
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


def _validated(source: Iterable[Equation], given: set[str]) -> dict[str, Equation]:
    """The equations by name; every name is defined once, and every name used is defined."""
    table: dict[str, Equation] = {}
    for equation in source:
        name = equation.lhs.name
        if name in table:
            raise InputError(
                f"{name} is defined twice: '{table[name]}' and '{equation}'; rename one"
            )
        if name in given:
            raise InputError(
                f"equation '{equation}': {name} is an input or a target, given as data"
            )
        table[name] = equation
    for equation in table.values():
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
        raise InputError("no equation defines the loss L[t]")
    return table


def _named_preactivations(table: dict[str, Equation]) -> dict[str, Equation]:
    """Give every argument of an activation that holds a weight a name of its own, z_a⟨t⟩.

    With it every later expression stays local: g′(z⟨t⟩) instead of g′ of a whole equation.
    """
    result: dict[str, Equation] = {}
    taken = set(table)
    for name, equation in table.items():
        rhs = equation.rhs
        calls = [e for e in _calls(rhs) if not isinstance(e.argument, TimeVector)]
        for call in calls:
            if not parameters(call.argument) or not call.argument.has(MatMul):
                continue
            if _calls(call.argument):
                inner = _named_preactivations(
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
            node = TimeVector(z, call.argument.rows, t)
            result[z] = Equation(node, call.argument, equation.text)
            rhs = rhs.xreplace({call: call.func(*_with_argument(call, node))})
        result[name] = Equation(equation.lhs, rhs, equation.text)
    return result


def _calls(expr: Basic) -> list[Any]:
    return list(dict.fromkeys(leaves(expr, (Apply, Softmax))))  # type: ignore[arg-type]


def _with_argument(call: Any, node: TimeVector) -> tuple[Any, ...]:
    return (node,) if isinstance(call, Softmax) else (call.args[0], node, call.args[2])


def _ordered(table: dict[str, Equation]) -> dict[str, Equation]:
    """The equations so that each uses only earlier ones of its own time step."""
    waiting = {
        name: {v.name for v in time_vectors(e.rhs) if v.time == t and v.name in table}
        for name, e in table.items()
    }
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
    return result


def _cycle(waiting: dict[str, set[str]]) -> list[str]:
    """Some nodes of `waiting` that form a cycle."""
    path: list[str] = [next(iter(waiting))]
    while True:
        following = next(n for n in waiting[path[-1]] if n in waiting)
        if following in path:
            return path[path.index(following) :]
        path.append(following)
