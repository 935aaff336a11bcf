"""Closed forms of immediate partials: the chain rule within one time step, over the rules.

A node's equation is differentiated by the table of `rnnsym.rules`; intermediate results of the
same time step are passed through, states that are held fixed are not.
"""

from __future__ import annotations

from functools import cache

from sympy import MatrixExpr, ZeroMatrix

from rnnsym.algebra import add, blocks, is_zero, mul
from rnnsym.derive.structure import Block
from rnnsym.network import Network
from rnnsym.nodes import Blocks, Stack, TimeVector, count, time_vectors
from rnnsym.rules import jacobian
from rnnsym.simplify import fuse, size


class Local:
    """Immediate partials of a network's nodes at time t, in closed form; each is derived once.

    With `primed`, elementwise functions are left as g′(z).
    """

    def __init__(self, net: Network, primed: bool = False) -> None:
        self.net, self.primed = net, primed
        self.edge = cache(self._edge)
        self.partial = cache(self._partial)

    def _edge(self, name: str, v: MatrixExpr) -> MatrixExpr:
        """The derivative of a node's own equation by what is written in it."""
        equation = self.net.equations[name]
        return jacobian(equation.rhs, v, equation.lhs, self.primed)

    def _partial(self, name: str, v: MatrixExpr, free: frozenset[str]) -> MatrixExpr:
        """∂⁺u/∂v of node u at its time; the states in `free` vary at that time, others do not."""
        lhs = self.net.equations[name].lhs
        if isinstance(v, TimeVector) and v == lhs:
            return jacobian(v, v)
        summands = [self.edge(name, v)]
        for w in time_vectors(self.net.equations[name].rhs):
            if self.net.lag(lhs, w) != 0 or w == v or w.name not in self.net.equations:
                continue
            if w.name not in self.net.states or w.name in free:
                inner = self.partial(w.name, v, free)
                if not is_zero(inner):
                    summands.append(mul(self.edge(name, w), inner))
        return add(*summands)

    def of(self, u: MatrixExpr, v: MatrixExpr) -> MatrixExpr:
        """∂⁺u/∂v with u at time t or its only time, for nodes, stacks and parameters: block by
        block. For an initial state u, the derivative of the equation that it is computed by."""
        if isinstance(v, Stack):
            column = self._rows(u)
            return blocks([[self._entry(p, w, u) for w in v.parts] for p in column])
        if isinstance(u, Stack):
            return blocks([[self._entry(p, v, u)] for p in u.parts])
        return self._entry(u, v, u)

    def _rows(self, u: MatrixExpr) -> tuple[TimeVector, ...]:
        return u.parts if isinstance(u, Stack) else (u,)

    def _entry(self, part: TimeVector, v: MatrixExpr, whole: MatrixExpr) -> MatrixExpr:
        if part == v:
            return jacobian(v, v)
        initial = self.net.initial.get(part.name)
        if initial is not None and part == initial.lhs:
            return jacobian(initial.rhs, v, initial.lhs, self.primed)
        time = self.net.equations[part.name].time
        if part.time != time:  # an earlier part of a companion state is held fixed
            return ZeroMatrix(count(part), count(v))
        free = frozenset(p.name for p in self._rows(whole) if p.time == time)
        return self.partial(part.name, v, free)

    def jacobian(self, block: Block) -> MatrixExpr:
        """J⟨t⟩ = ∂s⟨t⟩/∂s⟨t-1⟩ of a block of states."""
        return self.of(block.now, block.state(block.before(block.time)))

    def sums_to_one(self, v: MatrixExpr) -> bool:
        """Whether v is a target that is a distribution."""
        return (
            isinstance(v, TimeVector)
            and v.name in self.net.targets
            and self.net.target_kind == "distribution"
        )

    def simplified(self, e: MatrixExpr) -> MatrixExpr:
        """e multiplied out and simplified entry by entry, where that makes it smaller."""
        fused = fuse(e, self.sums_to_one)
        return fused if size(fused) < size(e) else e


def times_blocks(row: MatrixExpr, matrix: MatrixExpr) -> MatrixExpr:
    """A product in which a block matrix takes in a factor that is not one."""
    if isinstance(matrix, Blocks) and len(matrix.blocks) == 1 and not isinstance(row, Blocks):
        return blocks([[mul(row, b) for b in r] for r in matrix.blocks])
    return mul(row, matrix)
