"""What one derivation is about: a network and a parameter, and how the one reaches the loss."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from sympy import MatrixExpr, ZeroMatrix

from rnnsym.algebra import add, is_zero, mul
from rnnsym.derive import recurrence
from rnnsym.derive.adjoint import AdjointSystem
from rnnsym.derive.local import Local
from rnnsym.derive.structure import Block
from rnnsym.network import Network
from rnnsym.nodes import Immediate, Joined, TimeSum, TimeVector, Total, count, t

#: a block of states at a time
At = tuple[Block, Any]

#: more sums than this are not put into each other, but stand one by one
MOST_SUMS = 5


class Subject:
    """A quantity θ in a network: the blocks of states and the chain of nodes up to L⟨t⟩.

    θ is a parameter, or a time-indexed vector at time t: an input, or a state whose initial
    value is meant.
    """

    def __init__(self, net: Network, adjoints: AdjointSystem, w: MatrixExpr) -> None:
        self.net, self.adjoints, self.w = net, adjoints, w
        self.local, self.structure = adjoints.local, adjoints.structure
        self.primed = adjoints.primed
        self._enters: dict[Block, bool] = {}
        self.loss, self.total_loss = net.loss, net.total_loss

    @cached_property
    def users(self) -> list[str]:
        """The nodes whose equations hold θ."""
        return self.structure.users(self.w.name)

    @cached_property
    def starters(self) -> list[str]:
        """The states whose initial value is computed from θ."""
        return self.structure.starters(self.w.name)

    @cached_property
    def blocks(self) -> list[Block]:
        """The blocks that θ reaches and that reach the loss, each after those it uses."""
        sources = {*self.users, *self.starters}
        return [
            b
            for b in self.structure.blocks
            if any(self.structure.reached(n, sources) for n in b.names)
            and self.structure.reached(self.loss.name, set(b.names))
        ]

    @cached_property
    def chain(self) -> list[TimeVector]:
        """L⟨t⟩ and the nodes through which everything reaches it, pre-activations included."""
        sources = {n for b in self.blocks for n in b.names} | set(self.users)
        return [self.net.equations[n].lhs for n in self.structure.chain(sources)]

    @property
    def where(self) -> tuple[tuple[Any, Any, Any], ...]:
        """The steps at which there is a loss."""
        return self.net.spans[self.loss.name].where

    @cached_property
    def named(self) -> list[TimeVector]:
        """The chain without the pre-activations that rnnsym named."""
        return [v for v in self.chain if v.name not in self.net.named_by_us]

    @property
    def end(self) -> TimeVector:
        """The last named node before the states."""
        return self.named[-1]

    def factors(self) -> list[MatrixExpr]:
        """∂L⟨t⟩/∂ŷ⟨t⟩ … along the named chain."""
        return [Total(u, v) for u, v in zip(self.named, self.named[1:], strict=False)]

    @cached_property
    def final(self) -> list[At]:
        """The blocks that the end of the chain uses without passing another state, with the time
        at which it uses them."""
        names = {n for n, _ in self.structure.immediate[self.end.name]}
        found = [(b, self.end.time) for b in self.blocks if names & set(b.names)]
        at = self.structure.at_fixed_times(self.structure.fixed[self.end.name])
        return found + [(b, time) for b, time in at if b in self._reached]

    def at_end(self, block: Block, time: Any) -> MatrixExpr:
        """The derivative of the end of the chain by a block's state, as a symbol."""
        kind = Total if len(self.blocks) == len(self.final) == 1 else Immediate
        return kind(self.end, block.state(time))

    @cached_property
    def is_direct(self) -> bool:
        """Whether θ is also used after the states; an initial value never is."""
        return self.w.name not in self.net.states and not is_zero(self.local.of(self.end, self.w))

    def enters(self, block: Block) -> bool:
        """Whether θ stands in the equations of a block, not only in those it uses."""
        if block not in self._enters:
            self._enters[block] = not is_zero(self.local.of(block.now, self.w))
        return self._enters[block]

    def carries(self, block: Block) -> bool:
        """Whether anything of one step reaches the next: not where chunks have one step."""
        if not block.recurrent:
            return False
        return self.chunk(block) != 1

    def chunk(self, block: Block) -> Any:
        """The number of steps in the chunks that derivatives of a block do not leave, or None."""
        if not self.net.chunks:
            return None
        gates = self.local.jacobian(block).atoms(Joined)
        return next((g.args[0] for g in gates), None)

    def earlier(self, block: Block) -> list[At]:
        """The blocks whose states enter a block's equations, and at which time."""
        return [(b, time) for b, time in self.adjoints.links(block) if b in self._reached]

    def starting(self, block: Block) -> list[At]:
        """The blocks whose states the initial state of a block is computed from."""
        return [(b, time) for b, time in self.structure.starting(block) if b in self._reached]

    @cached_property
    def _reached(self) -> set[Block]:
        return set(self.blocks)

    @cached_property
    def nested(self) -> bool:
        """Whether the solutions of all blocks fit into one formula: few sums, inside each other."""
        count = {b: 0 for b in self.blocks}
        for b in self.blocks:
            inner = [other for other, _ in (*self.earlier(b), *self.starting(b))]
            count[b] = 1 + sum(count[other] for other in inner)
        return sum(count[b] for b, _ in self.final) <= MOST_SUMS

    def source(self, block: Block, time: Any) -> MatrixExpr:
        """P⟨time⟩: what enters the recurrence of a block, as symbols."""
        return self._source(block, time, self._symbol)

    def _symbol(self, block: Block, time: Any) -> MatrixExpr:
        return Total(block.state(time), self.w)

    def _source(self, block: Block, time: Any, solved: Any) -> MatrixExpr:
        state = block.state(time)
        parts = [Immediate(state, self.w)] if self.enters(block) else []
        for other, at in self.earlier(block):
            when = time if at == t else at
            parts.append(mul(Immediate(state, other.state(when)), solved(other, when)))
        return add(*parts) if parts else ZeroMatrix(state.rows, count(self.w))

    def begin(self, block: Block) -> MatrixExpr | None:
        """D⟨0⟩: the derivative of an initial state that is computed, as symbols; None for one
        that is given."""
        return self._begin(block, self._symbol)

    def _begin(self, block: Block, solved: Any) -> MatrixExpr | None:
        state = block.state(block.start)
        parts = [Immediate(state, self.w)] if set(block.names) & set(self.starters) else []
        for other, at in self.starting(block):
            parts.append(mul(Immediate(state, other.state(at)), solved(other, at)))
        return add(*parts) if parts else None

    def solved(self, block: Block, time: Any) -> MatrixExpr:
        """ds⟨time⟩/dθ with every recurrence solved: sums inside of sums for several blocks."""
        level = len(self.blocks) - 1 - self.blocks.index(block)
        return recurrence.solution(
            block,
            lambda at: self._source(block, at, self.solved),
            time,
            level,
            self._begin(block, self.solved),
        )

    def row(self, derivative: Any) -> MatrixExpr:
        """dL⟨t⟩/dθ through the final blocks, given the derivative of their states by θ."""
        parts = [mul(*self.factors(), self.at_end(*f), derivative(*f)) for f in self.final]
        if self.is_direct:
            parts.append(mul(*self.factors(), Immediate(self.end, self.w)))
        return add(*parts)

    def over_time(self, body: MatrixExpr) -> MatrixExpr:
        """Σ_t body, or the body itself where there is a loss at one time only."""
        return TimeSum(body, self.where[0]) if self.where else body

    def uses(
        self, block: Block, local: Local | None = None
    ) -> list[tuple[TimeVector, MatrixExpr, MatrixExpr]]:
        """(u, ∂⁺s⟨t⟩/∂u⟨t⟩, ∂u⟨t⟩/∂θ) for the nodes u that use θ and enter a block."""
        local = local or self.local
        found = []
        for name in self.users:
            node = self.net.equations[name].lhs
            to_state = local.of(block.now, node)
            if not is_zero(to_state):
                found.append((node, to_state, local.edge(name, self.w)))
        return found

    def immediate(self, block: Block, local: Local | None = None) -> MatrixExpr:
        """∂⁺s⟨t⟩/∂θ in closed form, the node that uses θ last."""
        return add(*(mul(m, inner) for _, m, inner in self.uses(block, local)))
