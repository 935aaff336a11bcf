"""A network's forward equations and its adjoint equations as one graph with outputs.

Third station of the emitter. Both kinds of equation become variables of the same sort. What a
step sends to other times is a variable of its own: the part of δ_u⟨t⟩ that comes from time t+1 is
`back_u⟨t+1⟩`, a function of step t+1 alone, which is zero outside 1 … T. What arrives at one step
only, from a use at a fixed time, is put in its place; at the step where the backward pass begins,
it is what that begins from.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sympy import Expr, MatrixExpr, MatrixSymbol, S

from rnnsym.algebra import is_column, is_zero, split, terms, tr
from rnnsym.derive.adjoint import AdjointSystem, shaped
from rnnsym.emit.graph import ONCE, Graph, Node, Signed
from rnnsym.emit.lower import Lowering, outer, split_gates
from rnnsym.emit.steps import axis_of, certainly_within
from rnnsym.network import Network
from rnnsym.nodes import Adjoint, Iverson, TimeVector, t
from rnnsym.simplify import expand


@dataclass(frozen=True)
class Term:
    """A summand of a gradient: number · Σ_t u⟨t⟩ v⟨t⟩ᵀ, or number · Σ_t u⟨t⟩ without v.

    axis: the number of steps that are summed over.
    """

    number: Any
    u: Node
    v: Node | None
    axis: Expr


@dataclass
class Program:
    """What is to be computed: the loss's summands over time and every gradient."""

    net: Network
    adjoint: AdjointSystem
    graph: Graph
    loss: Node
    gradients: dict[str, list[Term]]
    variables: dict[tuple[str, str], Node]
    formulas: dict[Node, tuple[MatrixExpr, MatrixExpr]] = field(default_factory=dict)

    @property
    def outputs(self) -> list[Node]:
        """All nodes that the results are made of."""
        found = [self.loss]
        for summands in self.gradients.values():
            found += [n for s in summands for n in (s.u, s.v) if n is not None]
        return found


def program(net: Network) -> Program:
    """The graph of a network's loss and gradients."""
    return _Builder(net).build()


def forward(net: Network, vectors: Iterable[TimeVector]) -> tuple[Program, list[Node], list[Node]]:
    """The graph of a network's forward equations, the nodes of some of its vectors, and those of
    their initial values, where they have one."""
    builder = _Builder(net)
    vectors = list(vectors)
    nodes = [builder.variable("value", v) for v in vectors]
    states = {**net.initial_states, **net.initial}
    starts = [
        builder.graph.pick(n, net.start(v.name))
        for n, v in zip(nodes, vectors, strict=True)
        if v.name in states
    ]
    builder.define()
    loss = builder.graph.number(0, S.One)
    return Program(
        net, builder.adjoint, builder.graph, loss, {}, builder.variables, builder.formulas
    ), nodes, starts  # fmt: skip


class _Builder:
    def __init__(self, net: Network) -> None:
        self.net, self.adjoint, self.graph = net, AdjointSystem(net), Graph()
        self.variables: dict[tuple[str, str], Node] = {}
        self.formulas: dict[Node, tuple[MatrixExpr, MatrixExpr]] = {}
        self.agenda: list[tuple[str, TimeVector]] = []

    def build(self) -> Program:
        name = self.net.loss.name
        loss = self.lower(axis_of(self.net, name)).column(self.net.equations[name].rhs)
        self.define()
        gradients = {}
        for name, w in self.net.parameters.items():
            gradients[name] = self.gradient(w)
            self.define()
        return Program(
            self.net, self.adjoint, self.graph, loss, gradients, self.variables, self.formulas
        )

    def lower(self, axis: Expr) -> Lowering:
        """What writes equations down that hold for so many steps."""
        return Lowering(self.graph, self.variable, self.right_hand_side, axis)

    def right_hand_side(self, v: TimeVector) -> MatrixExpr | None:
        """What a vector is equal to at its time, if it is certain that its equation holds then."""
        equation = self.net.equations.get(v.name)
        if equation is None:
            return None
        if v.time == equation.time or (t not in v.time.free_symbols and self.sure(v.name, v.time)):
            return equation.rhs
        return None

    def sure(self, name: str, time: Expr) -> bool:
        """Whether a fixed time at which a vector is used is a step of its sequence, and not that
        of its initial value."""
        return name not in self.net.carried or certainly_within(time, axis_of(self.net, name))

    def variable(self, kind: str, v: TimeVector) -> Node:
        """The node of a vector or of its adjoint; its definition is written later."""
        if kind == "adjoint" and v.name == self.net.loss.name:
            return self.graph.number(1, v.rows)  # each L⟨t⟩ is a summand of L
        if kind == "adjoint" and v.name in self.net.initial and v.time == self.net.start(v.name):
            kind = "start"
        key = (kind, v.name)
        if key not in self.variables:
            axis = ONCE if kind == "start" else axis_of(self.net, v.name)
            if kind == "value" and v.name not in self.net.equations:
                what = "input" if v.name in self.net.inputs else "target"
                node = self.graph.node("data", (), (v.name, what), v.rows, axis)
            else:
                node = self.graph.node("variable", (), (v.name, kind), v.rows, axis)
                node.beyond = kind == "value" and v.name in self.net.carried
                self.agenda.append((kind, self.net.vectors[v.name]))
            self.variables[key] = node
        return self.variables[key]

    def define(self) -> None:
        """Write down the definitions of all variables met so far, and of those they use."""
        while self.agenda:
            kind, v = self.agenda.pop(0)
            node = self.variables[kind, v.name]
            if kind == "value":
                equation = self.net.equations[v.name]
                self.formulas[node] = equation.lhs, equation.rhs
                definition = self.lower(axis_of(self.net, v.name)).column(equation.rhs)
                if v.name in self.net.initial:
                    node.start = self.lower(ONCE).column(self.net.initial[v.name].rhs)
            elif kind == "adjoint":
                self.formulas[node] = Adjoint(v), self.adjoint.equations[v.name]
                definition = self.backward(v)
            else:
                lhs = Adjoint(self.net.initial[v.name].lhs)
                self.formulas[node] = lhs, self.adjoint.initial(v.name)
                definition = self.backward_to_start(v)
            axis = node.axis
            assert axis is not None
            node.definition = self.graph.spread(definition, axis)

    # ---- the backward pass -------------------------------------------------------------------

    def backward(self, v: TimeVector) -> Node:
        """δ_v⟨t⟩: what uses of v at time t send back, and what other steps have sent."""
        here, backs = self.sent(v)
        axis = axis_of(self.net, v.name)
        for arrival in self.adjoint.arrivals(v.name):
            if arrival.time == self.net.start(v.name):
                continue
            node = self.arrived(arrival)
            # The step before 1 … T that sends something to where the loop begins does not exist.
            first = backs.get(1 if arrival.time == axis else -1 if arrival.time == 1 else 0)
            if first is not None and not _zero_node(node):
                summands = [(1, node)] + ([(1, first.start)] if first.start else [])
                first.start = self.graph.add(summands, v.rows)
            else:
                sure = self.sure(v.name, arrival.time)
                here.append((1, self.graph.place(node, arrival.time, axis, sure)))
        here += [(1, self.graph.at(back, lag)) for lag, back in backs.items()]
        return self.graph.add(here, v.rows)

    def sent(self, v: TimeVector) -> tuple[list[Signed], dict[int, Node]]:
        """What uses of v at time t send back, and lag -> what those at other steps do."""
        axis = axis_of(self.net, v.name)
        lower = self.lower(axis)
        here: list[Signed] = []
        there: dict[int, dict[tuple[Expr, ...], list[Signed]]] = {}
        backs: dict[int, Node] = {}
        uses = self.adjoint.consumers.get(v.name, [])
        for (_, lag), e in zip(uses, self.adjoint.contributions(v), strict=False):
            if lag == 0:
                here.append((1, lower.column(e)))
                continue
            if is_zero(e):
                continue
            for term in terms(e.xreplace({t: t - lag})):
                factor, rest = split(term)
                number, gates = split_gates(factor)
                node = self.graph.mul(number, [lower.column(rest)], v.rows)
                by_gates = there.setdefault(lag, {})
                by_gates.setdefault(tuple(gates), []).append((1, node))
        for lag, by_gates in there.items():
            key = f"back{lag}", v.name
            if key not in self.variables:
                far = "" if abs(lag) == 1 else str(abs(lag))
                data = (v.name, f"back{far}", lag)
                back = self.graph.node("variable", (), data, v.rows, axis)
                back.beyond = True
                summands: list[Signed] = []
                for shared, found in by_gates.items():  # a gate is applied to all it is for
                    inner = self.graph.add(found, v.rows)
                    factors = [*map(lower.gate, shared), inner]
                    summands.append((1, self.graph.mul(1, factors, v.rows)))
                back.definition = self.graph.spread(self.graph.add(summands, v.rows), axis)
                self.variables[key] = back
            backs[lag] = self.variables[key]
        return here, backs

    def backward_to_start(self, v: TimeVector) -> Node:
        """δ of an initial value: what its uses at the first steps, and at its own time, send."""
        start = self.net.start(v.name)
        _, backs = self.sent(v)
        found = [(1, self.graph.pick(back, start + lag)) for lag, back in backs.items()]
        for arrival in self.adjoint.arrivals(v.name):
            same = Iverson(start, arrival.time)
            if same != 0:
                gates = [] if same == 1 else [self.lower(ONCE).gate(same)]
                found.append((1, self.graph.mul(1, [*gates, self.arrived(arrival)], v.rows)))
        return self.graph.add(found, v.rows)

    def arrived(self, arrival: Any) -> Node:
        """What a use at a fixed time sends back, summed over all steps of the user."""
        axis = ONCE if arrival.initial else axis_of(self.net, arrival.user)
        return self.graph.collapse(self.lower(axis).column(arrival.body), axis)

    # ---- gradients ---------------------------------------------------------------------------

    def gradient(self, w: MatrixSymbol) -> list[Term]:
        """The summands of ∇_W L, as nodes."""
        result = []
        for name, e in self.adjoint.gradient_terms(w):
            for term in terms(e):
                result += self.summands(w, term, axis_of(self.net, name))
        for equation in self.net.initial.values():
            if equation.rhs.has(w):
                local = self.adjoint.local.of(equation.lhs, w)
                for term in terms(shaped(tr(Adjoint(equation.lhs)), local, w)):
                    result += self.summands(w, term, ONCE)
        return [s for s in result if not any(n and _zero_node(n) for n in (s.u, s.v))]

    def summands(self, w: MatrixSymbol, e: MatrixExpr, axis: Expr) -> list[Term]:
        lower = self.lower(axis)
        if is_column(w):
            return [Term(1, lower.column(e), None, axis)]
        if w.rows == 1:
            return [Term(1, lower.column(tr(e)), None, axis)]
        result = []
        for term in terms(expand(e)):
            factor, u, row = outer(term)
            number, gates = split_gates(factor)
            left = self.graph.mul(1, [*map(lower.gate, gates), lower.column(u)], u.rows)
            right = lower.row(row)
            if right.axis == ONCE != axis:  # Σ_t u⟨t⟩ v⟨τ⟩ᵀ is the sum of u, times v⟨τ⟩ᵀ
                result.append(Term(number, self.graph.collapse(left, axis), right, ONCE))
            else:
                result.append(Term(number, left, right, axis))
        return result


def _zero_node(v: Node) -> bool:
    return v.op == "number" and bool(v.data[0] == 0)
