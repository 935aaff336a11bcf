"""A network: its forward equations, validated once.

Second stage of the flow: `Equation`s in, a periodic graph out. A node is a time-indexed vector
with an equation, for every step of a sequence or for one time; an edge carries the lag between
the two times, or the fixed time at which a node is used. A *state* is a node that some equation
uses at another time than its own; everything else is computed within one time step. Nothing is
known about a network but its equations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from sympy import MatrixExpr, MatrixSymbol, S, Symbol
from sympy.utilities.iterables import strongly_connected_components

from rnnsym.equations import Equation, Reader
from rnnsym.errors import InputError
from rnnsym.losses import LOSSES
from rnnsym.nodes import (
    Apply,
    Detach,
    Joined,
    Softmax,
    TimeSum,
    TimeVector,
    Unknown,
    leaves,
    parameters,
    t,
    time_vectors,
)
from rnnsym.prepare import (
    LOSS,
    applications,
    calls,
    from_sympy,
    named_preactivations,
    ordered,
    validated,
)
from rnnsym.shapes import Dim, unify
from rnnsym.spans import lag, spans

__all__ = ["LOSS", "Network"]


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
    lengths
        vector -> the length of its sequence, by name or as a number: ``{"y": "T_y", "x": 4}``;
        vectors that are used at the same step share one, and T is the default.
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
        lengths: Mapping[str, str | int] | None = None,
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
                given.append(from_sympy(*equation))
            else:
                raise InputError(
                    f"{equation!r} is no equation: give a text 'a[t] = …', or a pair of SymPy "
                    f"expressions (left-hand side, right-hand side)"
                )
        for other in given:  # what SymPy equations say of sizes holds for the loss too
            for v in (other.lhs, *time_vectors(other.rhs)):
                unify(reader.vectors.setdefault(v.name, Dim(v.rows)), Dim(v.rows))
        defined = [e.lhs.name for e in given] + [n for n, *_ in reader.trees]
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
                at = self._time_of_output(given, reader)
                text = text.replace("y_hat[t]", f"{self.output}[t]")
                reader.read(f"L[t] = {text}".replace("[t]", f"[{at}]"))
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
        table, self.initial = validated(self.source, {*inputs, *targets})
        table = named_preactivations(table)
        self.spans = spans(table, self.initial.values(), (*inputs, *targets), dict(lengths or {}))
        self.equations = ordered(table, self.initial, self.spans)
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

    def _time_of_output(self, given: Sequence[Equation], reader: Reader) -> Any:
        """The time at which the prediction is defined: t, or a fixed one."""
        times = [e.time for e in given if e.lhs.name == self.output]
        times += [time for name, time, *_ in reader.trees if name == self.output]
        return t if t in times else times[0]

    def _collect(self) -> None:
        """Sizes, parameters, states: all read off the equations."""
        self.parameters: dict[str, MatrixSymbol] = {}
        self.states: dict[str, TimeVector] = {}
        self.lags: dict[tuple[str, str], set[int]] = {}
        self.fixed: dict[tuple[str, str], set[Any]] = {}
        seen: dict[str, TimeVector] = {e.lhs.name: e.lhs for e in self.equations.values()}
        for equation in (*self.equations.values(), *self.initial.values()):
            initial = self.initial.get(equation.lhs.name) is equation
            for w in parameters(equation.rhs):
                self.parameters.setdefault(w.name, w)
            for v in time_vectors(equation.rhs):
                edge = equation.lhs.name, v.name
                steps = None if initial else self.lag(equation.lhs, v)
                if steps is not None:
                    self.lags.setdefault(edge, set()).add(steps)
                elif not initial:
                    self.fixed.setdefault(edge, set()).add(v.time)
                if steps != 0 and v.name in self.equations:
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
        self._check_initial()
        self._check_fixed()

    def lag(self, user: TimeVector, used: TimeVector) -> int | None:
        """How many steps before its user a vector is used; None for a use at a fixed time."""
        return lag(self.spans[user.name], self.spans[used.name], user.time, used.time)

    def _check_initial(self) -> None:
        """An initial value is that of a state, at the time before its first step."""
        for name, equation in self.initial.items():
            if name not in self.states or self.lag_range(name) == (0, 0):
                raise InputError(
                    f"equation '{equation}': {name} is not carried from step to step, so it has "
                    f"no initial value"
                )
            if equation.time != self.start(name):
                raise InputError(
                    f"equation '{equation}': beside an equation for every step, only the initial "
                    f"value {name}[{self.start(name)}] can be given"
                )
            if calls(equation.rhs):
                raise InputError(
                    f"equation '{equation}': give what is computed here a name and an equation of "
                    f"its own, for a fixed time"
                )

    @cached_property
    def initial_states(self) -> dict[str, TimeVector]:
        """The states whose initial value is given as data: no equation gives it."""
        return {n: v for n, v in self.carried.items() if n not in self.initial}

    @cached_property
    def carried(self) -> dict[str, TimeVector]:
        """The states that are used from step to step, and so have an initial value; the others
        are used at fixed times only."""
        return {n: v for n, v in self.states.items() if self.lag_range(n) != (0, 0)}

    @cached_property
    def chunks(self) -> frozenset[Any]:
        """The numbers of steps in the chunks that derivatives are cut into."""
        detached = (d for e in self.equations.values() for d in leaves(e.rhs, Detach))
        return frozenset(g.args[0] for d in detached for g in d.gate.atoms(Joined))

    def _check_fixed(self) -> None:
        """What is used at a fixed time must be there at every length of the sequence."""
        for (user, name), times in self.fixed.items():
            for time in times - {self.start(name)}:
                if (time - self.spans[name].last).is_positive:
                    raise InputError(
                        f"equation '{self.equations[user]}': {name}[{time}] is beyond the last "
                        f"value, {name}[{self.spans[name].last}]"
                    )

    def start(self, name: str) -> Any:
        """The time of a state's initial value: 0, or T + 1 for one that runs backwards."""
        return self.spans[name].last + 1 if self.lag_range(name)[0] < 0 else S.Zero

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
        """The symbolic sizes by name, in order of appearance; that of a chunk is one of them."""
        shapes: list[Any] = [v.rows for v in self.vectors.values()]
        shapes += [s for w in self.parameters.values() for s in w.shape]
        shapes += sorted(self.chunks, key=str)
        symbols = (s for shape in shapes for s in sorted(shape.free_symbols, key=str))
        return {s.name: s for s in symbols}

    @cached_property
    def vectors(self) -> dict[str, TimeVector]:
        """Every vector by name, at time t or its only time: inputs, targets, then nodes."""
        given = {**self.inputs, **self.targets}
        table = {n: TimeVector(n, size, self.spans[n].time) for n, size in given.items()}
        return table | {n: e.lhs for n, e in self.equations.items()}

    @cached_property
    def lengths(self) -> dict[str, Symbol]:
        """The symbols for the lengths of sequences by name, in order of appearance."""
        last = (s for n in self.vectors for s in (self.spans[n].first, self.spans[n].last))
        return {s.name: s for e in last for s in sorted(e.free_symbols, key=str)}

    @property
    def loss(self) -> TimeVector:
        """L⟨t⟩, or L⟨T⟩ where the loss stands at one time only."""
        return self.equations[LOSS].lhs

    @property
    def total_loss(self) -> MatrixSymbol:
        """L, defined by `objective`."""
        return MatrixSymbol(LOSS, 1, 1)

    @property
    def objective(self) -> MatrixExpr:
        """What the total loss is: Σ_t L⟨t⟩, or the only loss that there is."""
        where = self.spans[LOSS].where
        return TimeSum(self.loss, where[0]) if where else self.loss

    @cached_property
    def named_by_us(self) -> frozenset[str]:
        """The pre-activations that have a name only because rnnsym gave it."""
        return frozenset(set(self.equations) - {e.lhs.name for e in self.source})

    @cached_property
    def functions(self) -> frozenset[str]:
        """The elementwise functions that the equations use."""
        return frozenset(f.function for e in self.equations.values() for f in applications(e.rhs))

    @cached_property
    def unknown_rows(self) -> dict[str, Any]:
        """The number of rows of each function of which only its arguments are known."""
        found = (f for e in self.equations.values() for f in leaves(e.rhs, Unknown))
        return {f.function: f.rows for f in found}

    def lag_range(self, name: str) -> tuple[int, int]:
        """The least and greatest lag at which a node is used: 0, 0 for one that is no state."""
        lags = {0}.union(*(v for (_, used), v in self.lags.items() if used == name))
        return min(lags), max(lags)

    def __repr__(self) -> str:
        return f"<Network {self.name}: {'; '.join(e.text for e in self.source)}>"
