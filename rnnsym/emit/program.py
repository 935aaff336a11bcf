"""A network's forward equations and its adjoint equations as one graph with outputs.

Third station of the emitter. Both kinds of equation become variables of the same sort. What a
step sends to other times is a variable of its own: the part of δ_u⟨t⟩ that comes from time t+1 is
`back_u⟨t+1⟩`, a function of step t+1 alone, which is zero outside 1 … T.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sympy import MatrixExpr, MatrixSymbol, S

from rnnsym.algebra import is_column, is_zero, terms, tr
from rnnsym.derive.adjoint import AdjointSystem
from rnnsym.emit.graph import Graph, Node, Signed
from rnnsym.emit.lower import Lowering, outer
from rnnsym.network import Network
from rnnsym.nodes import TimeVector, t
from rnnsym.simplify import expand


@dataclass(frozen=True)
class Term:
    """A summand of a gradient: number · Σ_t u⟨t⟩ v⟨t⟩ᵀ, or number · Σ_t u⟨t⟩ without v."""

    number: Any
    u: Node
    v: Node | None


@dataclass
class Program:
    """What is to be computed: the loss's summands over time and every gradient."""

    net: Network
    adjoint: AdjointSystem
    graph: Graph
    loss: Node
    gradients: dict[str, list[Term]]
    variables: dict[tuple[str, str], Node]
    formulas: dict[Node, MatrixExpr] = field(default_factory=dict)

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


def forward(net: Network, vectors: Iterable[TimeVector]) -> tuple[Program, list[Node]]:
    """The graph of a network's forward equations, and the nodes of some of its vectors."""
    builder = _Builder(net)
    nodes = [builder.variable("value", v) for v in vectors]
    builder.define()
    loss = builder.graph.number(0, S.One)
    return Program(
        net, builder.adjoint, builder.graph, loss, {}, builder.variables, builder.formulas
    ), nodes


class _Builder:
    def __init__(self, net: Network) -> None:
        self.net, self.adjoint, self.graph = net, AdjointSystem(net), Graph()
        self.variables: dict[tuple[str, str], Node] = {}
        self.formulas: dict[Node, MatrixExpr] = {}
        self.agenda: list[tuple[str, TimeVector]] = []
        self.lower = Lowering(self.graph, self.variable, self.right_hand_side)

    def build(self) -> Program:
        loss = self.lower.column(self.net.equations[self.net.loss.name].rhs)
        self.define()
        gradients = {}
        for name, w in self.net.parameters.items():
            gradients[name] = self.gradient(w)
            self.define()
        return Program(
            self.net, self.adjoint, self.graph, loss, gradients, self.variables, self.formulas
        )

    def right_hand_side(self, v: TimeVector) -> MatrixExpr | None:
        equation = self.net.equations.get(v.name)
        return None if equation is None else equation.rhs

    def variable(self, kind: str, v: TimeVector) -> Node:
        """The node of a vector or of its adjoint; its definition is written later."""
        if kind == "adjoint" and v.name == self.net.loss.name:
            return self.graph.number(1, v.rows)  # each L⟨t⟩ is a summand of L
        key = (kind, v.name)
        if key not in self.variables:
            if kind == "value" and v.name not in self.net.equations:
                what = "input" if v.name in self.net.inputs else "target"
                node = self.graph.node("data", (), (v.name, what), v.rows, True)
            else:
                node = self.graph.node("variable", (), (v.name, kind), v.rows, True)
                self.agenda.append((kind, v.at(t)))
            self.variables[key] = node
        return self.variables[key]

    def define(self) -> None:
        """Write down the definitions of all variables met so far, and of those they use."""
        while self.agenda:
            kind, v = self.agenda.pop(0)
            node = self.variables[kind, v.name]
            if kind == "value":
                self.formulas[node] = self.net.equations[v.name].rhs
                node.definition = self.lower.column(self.net.equations[v.name].rhs)
            else:
                self.formulas[node] = self.adjoint.equations[v.name]
                node.definition = self.backward(v)

    def backward(self, v: TimeVector) -> Node:
        """δ_v⟨t⟩: what uses of v at time t send back, and what other steps have sent."""
        here: list[Signed] = []
        there: dict[int, list[Signed]] = {}
        uses = self.adjoint.consumers.get(v.name, [])
        for (_, lag), e in zip(uses, self.adjoint.contributions(v), strict=False):
            sent = self.lower.column(e.xreplace({t: t - lag}))
            if lag == 0:
                here.append((1, sent))
            elif not is_zero(e):
                there.setdefault(lag, []).append((1, sent))
        for lag, summands in there.items():
            far = "" if abs(lag) == 1 else str(abs(lag))
            back = self.graph.node("variable", (), (v.name, f"back{far}", lag), v.rows, True)
            back.definition = self.graph.add(summands, v.rows)
            self.variables[f"back{lag}", v.name] = back
            here.append((1, self.graph.at(back, lag)))
        return self.graph.add(here, v.rows)

    def gradient(self, w: MatrixSymbol) -> list[Term]:
        """The summands of ∇_W L, as nodes."""
        result = []
        for _, e in self.adjoint.gradient_terms(w):
            for term in terms(e):
                result += self.summands(w, term)
        return [s for s in result if not _zero(s)]

    def summands(self, w: MatrixSymbol, e: MatrixExpr) -> list[Term]:
        if is_column(w):
            return [Term(1, self.lower.column(e), None)]
        if w.rows == 1:
            return [Term(1, self.lower.column(tr(e)), None)]
        result = []
        for term in terms(expand(e)):
            number, u, row = outer(term)
            result.append(Term(number, self.lower.column(u), self.lower.row(row)))
        return result


def _zero(s: Term) -> bool:
    return any(n is not None and n.op == "number" and n.data[0] == 0 for n in (s.u, s.v))
