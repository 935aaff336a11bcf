"""What one derivation is about: a network and a parameter, and how the one reaches the loss."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from sympy import MatrixExpr

from rnnsym.algebra import add, is_zero, mul
from rnnsym.derive import recurrence
from rnnsym.derive.adjoint import AdjointSystem
from rnnsym.derive.local import Local
from rnnsym.derive.structure import Block
from rnnsym.network import Network
from rnnsym.nodes import Immediate, TimeVector, Total, t


class Subject:
    """A quantity θ in a network: the blocks of states and the chain of nodes up to L⟨t⟩.

    θ is a parameter, or a time-indexed vector at time t: an input, or a state whose initial
    value is meant.
    """

    def __init__(self, net: Network, adjoints: AdjointSystem, w: MatrixExpr) -> None:
        self.net, self.adjoints, self.w = net, adjoints, w
        self.local, self.structure = adjoints.local, adjoints.structure
        self.primed = adjoints.primed
        self.loss, self.total_loss = net.loss, net.total_loss

    @cached_property
    def users(self) -> list[str]:
        """The nodes whose equations hold θ."""
        return self.structure.users(self.w.name)

    @cached_property
    def blocks(self) -> list[Block]:
        """The blocks that θ reaches and that reach the loss, each after those it uses."""
        sources = set(self.users)
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
    def final(self) -> list[Block]:
        """The blocks that the end of the chain uses without passing another state."""
        names = {n for n, _ in self.structure.immediate[self.end.name]}
        return [b for b in self.blocks if names & set(b.names)]

    def at_end(self, block: Block) -> MatrixExpr:
        """The derivative of the end of the chain by a block's state, as a symbol."""
        kind = Total if len(self.blocks) == 1 else Immediate
        return kind(self.end, block.state(t))

    @cached_property
    def is_direct(self) -> bool:
        """Whether θ is also used after the states; an initial value never is."""
        return self.w.name not in self.net.states and not is_zero(self.local.of(self.end, self.w))

    def enters(self, block: Block) -> bool:
        """Whether θ stands in the equations of a block, not only in those it uses."""
        return not is_zero(self.local.of(block.state(t), self.w))

    def earlier(self, block: Block) -> list[Block]:
        """The blocks whose states enter a block's equations."""
        others = self.blocks[: self.blocks.index(block)]
        return [b for b in others if not is_zero(self.local.of(block.state(t), b.state(t)))]

    def source(self, block: Block, time: Any) -> MatrixExpr:
        """P⟨time⟩: what enters the recurrence of a block, as symbols."""
        state = block.state(time)
        parts = [Immediate(state, self.w)] if self.enters(block) else []
        for other in self.earlier(block):
            parts.append(mul(Immediate(state, other.state(time)), Total(other.state(time), self.w)))
        return add(*parts)

    def solved(self, block: Block, time: Any, level: int = 0) -> MatrixExpr:
        """ds⟨time⟩/dθ with every recurrence solved: sums inside of sums for several blocks."""

        def source(at: Any) -> MatrixExpr:
            state = block.state(at)
            parts = [Immediate(state, self.w)] if self.enters(block) else []
            for other in self.earlier(block):
                partial = Immediate(state, other.state(at))
                parts.append(mul(partial, self.solved(other, at, level + 1)))
            return add(*parts)

        return recurrence.solution(block, source, time, level)

    def row(self, derivative: Any) -> MatrixExpr:
        """dL⟨t⟩/dθ through the final blocks, given the derivative of their states by θ."""
        parts = [mul(*self.factors(), self.at_end(b), derivative(b)) for b in self.final]
        if self.is_direct:
            parts.append(mul(*self.factors(), Immediate(self.end, self.w)))
        return add(*parts)

    def uses(
        self, block: Block, local: Local | None = None
    ) -> list[tuple[TimeVector, MatrixExpr, MatrixExpr]]:
        """(u, ∂⁺s⟨t⟩/∂u⟨t⟩, ∂u⟨t⟩/∂θ) for the nodes u that use θ and enter a block."""
        local = local or self.local
        found = []
        for name in self.users:
            node = self.net.equations[name].lhs
            to_state = local.of(block.state(t), node)
            if not is_zero(to_state):
                found.append((node, to_state, local.edge(name, self.w)))
        return found

    def immediate(self, block: Block, local: Local | None = None) -> MatrixExpr:
        """∂⁺s⟨t⟩/∂θ in closed form, the node that uses θ last."""
        return add(*(mul(m, inner) for _, m, inner in self.uses(block, local)))
