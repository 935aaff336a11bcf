"""The backward pass of the whole network, node by node: the adjoint recursion.

δ_u⟨t⟩ = (dL/du⟨t⟩)ᵀ obeys δ_u⟨t⟩ = Σ (∂w⟨t+lag⟩/∂u⟨t⟩)ᵀ δ_w⟨t+lag⟩ over the equations w that use
u with that lag; what is used at a fixed time gets, at that time only, what those uses send back.
Both the last part of a derivation and the generated code are this system.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sympy import Expr, Identity, MatrixExpr, MatrixSymbol, Symbol, Transpose
from sympy.matrices.expressions import KroneckerProduct

from rnnsym.algebra import (
    add,
    factors,
    is_column,
    is_zero,
    mul,
    scale,
    split,
    terms,
    tr,
)
from rnnsym.derive.local import Local
from rnnsym.derive.step import Prose, Step
from rnnsym.derive.structure import Block, Structure
from rnnsym.derive.sums import index, k
from rnnsym.errors import NotSupportedError
from rnnsym.network import Network
from rnnsym.nodes import Adjoint, Gradient, Iverson, TimeSum, TimeVector, leaves, t, time_vectors
from rnnsym.simplify import size
from rnnsym.spans import Span

j = index("j")


@dataclass(frozen=True)
class Arrival:
    """What a use of a vector at a fixed time sends back to it, at that time.

    time: the fixed time; body: what is sent, over t if the user is a sequence (`where`, the range
    of t); user: the name of the node that uses it; initial: whether its initial value does.
    """

    time: Expr
    body: MatrixExpr
    where: tuple[tuple[Symbol, Any, Any], ...]
    user: str
    initial: bool

    @property
    def total(self) -> MatrixExpr:
        """What arrives, summed over all steps of the user."""
        return (
            TimeSum(self.body.xreplace({t: j}), (j, *self.where[0][1:]))
            if self.where
            else (self.body)
        )


class AdjointSystem:
    """Equations for the adjoint of every node, input and initial state, and every gradient."""

    def __init__(self, net: Network) -> None:
        self.net, self.local, self.structure = net, Local(net), Structure(net)
        self.primed = Local(net, primed=True)
        self._links: dict[Block, list[tuple[Block, Expr]]] = {}
        self.shared: dict[Any, Any] = {}
        self.parameters_of = {
            name: [w for w in net.parameters.values() if net.equations[name].rhs.has(w)]
            for name in net.equations
        }

    @cached_property
    def consumers(self) -> dict[str, list[tuple[str, int]]]:
        """For each vector: the (equation, lag) that use it."""
        table: dict[str, list[tuple[str, int]]] = {}
        for name, equation in self.net.equations.items():
            for v in time_vectors(equation.rhs):
                lag = self.net.lag(equation.lhs, v)
                if lag is not None:
                    table.setdefault(v.name, []).append((name, lag))
        return table

    def links(self, block: Block) -> list[tuple[Block, Expr]]:
        """The blocks whose states enter a block's equations, and at which time."""
        if block not in self._links:
            blocks = self.structure.blocks
            same = [
                (b, block.time)
                for b in blocks[: blocks.index(block)]
                if b.span == block.span
                and not is_zero(self.local.of(block.now, b.state(block.time)))
            ]
            uses = [use for name in block.names for use in self.structure.fixed[name]]
            self._links[block] = same + self.structure.at_fixed_times(uses)
        return self._links[block]

    def arrivals(self, name: str) -> list[Arrival]:
        """What uses of a vector at fixed times send back to it."""
        found = []
        for user, e in self.net.equations.items():
            times = self.net.fixed.get((user, name), ())  # most vectors have no such use
            for v in time_vectors(e.rhs) if times else ():
                if v.name == name and v.time in times:
                    sent = self._sent(tr(self.local.edge(user, v)), e.lhs)
                    where = self.net.spans[user].where
                    found.append(Arrival(v.time, sent, where, user, False))
        for user, e in self.net.initial.items():
            for v in time_vectors(e.rhs):
                if v.name == name:
                    sent = mul(tr(self.local.of(e.lhs, v)), Adjoint(e.lhs))
                    found.append(Arrival(v.time, sent, (), user, True))
        return found

    def _sent(self, transposed: MatrixExpr, user: TimeVector) -> MatrixExpr:
        if user.name == self.net.loss.name:
            return transposed
        return mul(transposed, Adjoint(user))

    @cached_property
    def equations(self) -> dict[str, MatrixExpr]:
        """δ of each node at time t, from the loss backwards.

        Where substituting a later adjoint makes the expression simpler (softmax with
        cross-entropy, sigmoid with binary cross-entropy), it is substituted.
        """
        table: dict[str, MatrixExpr] = {self.net.loss.name: self._one()}
        for name in reversed(self.net.equations):
            if name not in table:
                table[name] = self._adjoint(self.net.equations[name].lhs, table)
        return table

    def _one(self) -> MatrixExpr:
        return Identity(1)

    def _adjoint(self, v: TimeVector, known: dict[str, MatrixExpr]) -> MatrixExpr:
        parts = self.contributions(v, known) if self.consumers.get(v.name) else []
        for a in self.arrivals(v.name):
            if a.time != self.net.start(v.name):
                parts.append(scale(Iverson(v.time, a.time), a.total))
        return add(*parts) if parts else _zero(v)

    def contributions(
        self, v: TimeVector, known: dict[str, MatrixExpr] | None = None, later: bool = False
    ) -> list[MatrixExpr]:
        """The summands of δ_v⟨t⟩, one for each use; only uses at later times if asked."""
        known = self.equations if known is None else known
        result = []
        for name, lag in self.consumers.get(v.name, ()):
            if later and lag == 0:
                continue
            user = self.net.equations[name].lhs
            edge = self.local.edge(name, v.at(user.time - lag)).xreplace({t: t + lag})
            result.append(self._through(tr(edge), user.at(user.time + lag), lag, known))
        return result or [_zero(v)]

    def _through(
        self, transposed: MatrixExpr, user: TimeVector, lag: int, known: dict[str, MatrixExpr]
    ) -> MatrixExpr:
        """(∂w⟨t+lag⟩/∂u⟨t⟩)ᵀ δ_w⟨t+lag⟩, with δ_w substituted where that is simpler."""
        delta: MatrixExpr = Adjoint(user)
        explicit = known.get(user.name)
        if user.name == self.net.loss.name:
            return transposed if lag == 0 else mul(transposed, delta)  # no loss beyond T
        if lag == 0 and explicit is not None and not leaves(explicit, Adjoint):
            product = mul(transposed, explicit)
            simpler = self.local.simplified(product)
            if size(simpler) < size(product):
                return simpler
        return mul(transposed, delta)

    @cached_property
    def needed(self) -> list[str]:
        """The nodes whose adjoints a gradient needs, from the loss backwards."""
        roots = [name for name, ws in self.parameters_of.items() if ws]
        roots += [*self.net.initial]
        roots += [n for v in (*self.net.states, *self.net.inputs) for n, _ in self.uses(v)]
        roots += [a.user for v in self.net.inputs for a in self.arrivals(v)]
        wanted = self.behind(*roots)
        return [name for name in self.equations if name in wanted]

    def uses(self, name: str) -> list[tuple[str, int]]:
        """The (equation, lag) that use a vector."""
        return self.consumers.get(name, [])

    def gradient_terms(self, w: MatrixSymbol) -> list[tuple[str, MatrixExpr]]:
        """(u, δ_u⟨t⟩ v⟨t⟩ᵀ) for each use u = … W v …, at time t or the only time of u."""
        result = []
        for name, ws in self.parameters_of.items():
            if w in ws:
                node = self.net.equations[name].lhs
                delta: MatrixExpr = Adjoint(node)
                if name == self.net.loss.name:
                    delta = self._one()
                result.append((name, shaped(tr(delta), self.local.edge(name, w), w)))
        return result

    def gradient(self, w: MatrixSymbol) -> MatrixExpr:
        """∇_W L = Σ_k δ_u⟨k⟩ v⟨k⟩ᵀ: one sum for each sequence that uses W, and what is sent back by
        a use at a single time as it is."""
        parts: dict[Span | None, list[MatrixExpr]] = {}
        for name, term in self.gradient_terms(w):
            span = self.net.spans[name]
            parts.setdefault(None if span.single else span, []).append(term)
        for e in self.net.initial.values():
            if e.rhs.has(w):
                local = self.local.of(e.lhs, w)
                parts.setdefault(None, []).append(shaped(tr(Adjoint(e.lhs)), local, w))
        return add(
            *(
                add(*found)
                if span is None
                else TimeSum(add(*found).xreplace({t: k}), (k, span.first, span.last))
                for span, found in parts.items()
            )
        )

    def initial(self, name: str) -> MatrixExpr:
        """δ of a state's initial value: what its uses at later times send back."""
        state, start = self.net.states[name], self.net.start(name)
        parts = [e.xreplace({t: start}) for e in self.contributions(state, later=True)]
        parts += [scale(Iverson(start, a.time), a.total) for a in self.arrivals(name)]
        return add(*(scale(*split(term)) for e in parts for term in terms(e)), _zero(state))

    def input(self, name: str) -> MatrixExpr:
        """δ_x⟨t⟩ of an input."""
        return self._adjoint(self.net.vectors[name], self.equations)

    def behind(self, *names: str) -> set[str]:
        """The nodes whose adjoints those of the given nodes are computed from, and themselves."""
        agenda = [name for name in names if name != self.net.loss.name]
        found: set[str] = set()
        while agenda:
            name = agenda.pop()
            if name not in found:
                found.add(name)
                agenda += [d.of.name for d in leaves(self.equations[name], Adjoint)]
        return found

    @cached_property
    def steps(self) -> list[Step]:
        """The equations of the backward pass, as steps that can be checked one by one."""
        result = []
        for name in self.needed:
            node = self.net.equations[name].lhs
            later = [n for n, lag in self.uses(name) if lag]
            reason: Prose = ("every use of ", node, " sends back its adjoint")
            if later:
                reason = (*reason, "; those at a later step are zero beyond the last one")
            rhs, where = self.equations[name], self.net.spans[name].where
            if rhs.atoms(Iverson):
                reason = (*reason, "; a bracket is 1 at the step that it names, and 0 elsewhere")
            result.append(Step(Adjoint(node), rhs, "reverse chain rule", reason, "=", where))
        for name, e in self.net.initial.items():
            if name in self.needed:
                reason = ("the initial value is computed, and so has an adjoint",)
                rule = "reverse chain rule"
                result.append(Step(Adjoint(e.lhs), self.initial(name), rule, reason))
        return result

    def result(self, w: MatrixSymbol) -> Step:
        """∇_W L as a sum over one time index."""
        return Step(
            Gradient(self.net.total_loss, w),
            self.gradient(w),
            "gradient",
            ("one product over all steps",),
        )


def shaped(row: MatrixExpr, local: MatrixExpr, w: MatrixSymbol) -> MatrixExpr:
    """row · (Aᵀ ⊗ B), which is vec(Bᵀ rowᵀ Aᵀ)ᵀ, in the shape of W: the step from vec to matrix.

    Raises NotSupportedError where W enters its equation in a form without such a product.
    """
    column = row.arg if isinstance(row, Transpose) else Transpose(row)
    if is_zero(local):
        return scale(0, w)
    if is_column(w):
        return mul(tr(local), column)
    if w.rows == 1:
        return mul(row, local)
    result = []
    for term in terms(local):
        number, rest = split(term)
        *left, last = factors(rest)
        if not isinstance(last, KroneckerProduct):
            raise NotSupportedError(
                f"the gradient by {w.name} has no product form here: use it as a matrix times a "
                f"vector, {w.name} @ v, in an equation of its own"
            )
        a, b = last.args
        inner = mul(*(tr(f) for f in reversed(left)), column) if left else column
        if a.rows != 1 and b.rows == 1:  # of Wᵀ v, with I ⊗ vᵀ: v times a row
            inner = tr(inner)
        result.append(scale(number, mul(tr(b), inner, a)))
    return add(*result)


def _zero(v: MatrixExpr) -> MatrixExpr:
    return scale(0, v)
