"""The backward pass of the whole network, node by node: the adjoint recursion.

δ_u⟨t⟩ = (dL/du⟨t⟩)ᵀ obeys δ_u⟨t⟩ = Σ (∂w⟨t+lag⟩/∂u⟨t⟩)ᵀ δ_w⟨t+lag⟩ over the equations w that use
u with that lag. Both the last part of a derivation and the generated code are this system.
"""

from __future__ import annotations

from functools import cached_property

from sympy import Identity, MatrixExpr, MatrixSymbol, S, Transpose
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
from rnnsym.derive.structure import Structure
from rnnsym.derive.sums import k
from rnnsym.errors import NotSupportedError
from rnnsym.network import Network
from rnnsym.nodes import Adjoint, Gradient, T, TimeSum, TimeVector, leaves, t, time_vectors
from rnnsym.simplify import size


class AdjointSystem:
    """Equations for the adjoint of every node, input and initial state, and every gradient."""

    def __init__(self, net: Network) -> None:
        self.net, self.local, self.structure = net, Local(net), Structure(net)
        self.primed = Local(net, primed=True)
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
                table.setdefault(v.name, []).append((name, int(t - v.time)))
        return table

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
        return add(*self.contributions(v, known)) if self.consumers.get(v.name) else _zero(v)

    def contributions(
        self, v: TimeVector, known: dict[str, MatrixExpr] | None = None, later: bool = False
    ) -> list[MatrixExpr]:
        """The summands of δ_v⟨t⟩, one for each use; only uses at later times if asked."""
        known = self.equations if known is None else known
        result = []
        for name, lag in self.consumers.get(v.name, ()):
            if later and lag == 0:
                continue
            edge = self.local.edge(name, v.at(t - lag)).xreplace({t: t + lag})
            result.append(self._through(tr(edge), name, lag, known))
        return result or [_zero(v)]

    def _through(
        self, transposed: MatrixExpr, name: str, lag: int, known: dict[str, MatrixExpr]
    ) -> MatrixExpr:
        """(∂w⟨t+lag⟩/∂u⟨t⟩)ᵀ δ_w⟨t+lag⟩, with δ_w substituted where that is simpler."""
        delta: MatrixExpr = Adjoint(self.net.equations[name].lhs.at(t + lag))
        explicit = known.get(name)
        if name == self.net.loss.name:
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
        roots += [n for v in (*self.net.states, *self.net.inputs) for n, _ in self.uses(v)]
        wanted = self.behind(*roots)
        return [name for name in self.equations if name in wanted]

    def uses(self, name: str) -> list[tuple[str, int]]:
        """The (equation, lag) that use a vector."""
        return self.consumers.get(name, [])

    def gradient_terms(self, w: MatrixSymbol) -> list[MatrixExpr]:
        """The summands of ∇_W L at time t: δ_u⟨t⟩ v⟨t⟩ᵀ for each use u = … W v …"""
        result = []
        for name, ws in self.parameters_of.items():
            if w in ws:
                node = self.net.equations[name].lhs
                delta: MatrixExpr = Adjoint(node)
                if name == self.net.loss.name:
                    delta = self._one()
                result.append(shaped(tr(delta), self.local.edge(name, w), w))
        return result

    def gradient(self, w: MatrixSymbol) -> MatrixExpr:
        """∇_W L = Σ_k δ_u⟨k⟩ v⟨k⟩ᵀ."""
        body = add(*self.gradient_terms(w))
        return TimeSum(body.xreplace({t: k}), (k, S.One, T))

    def initial(self, name: str) -> MatrixExpr:
        """δ of a state's initial value: what its uses at later times send back."""
        state = self.net.states[name]
        start = self.start(name)
        return add(*self.contributions(state, later=True)).xreplace({t: start})

    def start(self, name: str) -> MatrixExpr:
        """The time of a state's initial value: 0, or T + 1 for one that runs backwards."""
        return T + 1 if self.net.lag_range(name)[0] < 0 else S.Zero

    def input(self, name: str) -> MatrixExpr:
        """δ_x⟨t⟩ of an input."""
        return add(*self.contributions(self.net.vectors[name]))

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

    def steps(self) -> list[Step]:
        """The equations of the backward pass, as steps that can be checked one by one."""
        where = ((t, S.One, T),)
        result = []
        for name in self.needed:
            node = self.net.equations[name].lhs
            later = [n for n, lag in self.uses(name) if lag]
            reason: Prose = ("every use of ", node, " sends back its adjoint")
            if later:
                reason = (*reason, "; those at a later step are zero beyond the last one")
            result.append(
                Step(Adjoint(node), self.equations[name], "reverse chain rule", reason, "=", where)
            )
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
        result.append(scale(number, mul(tr(b), inner, a)))
    return add(*result)


def _zero(v: MatrixExpr) -> MatrixExpr:
    return scale(0, v)
