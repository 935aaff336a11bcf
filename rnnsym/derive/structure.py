"""The network as a derivation sees it: blocks of states that depend on each other through time,
and the chain of nodes through which everything reaches the loss.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sympy import Expr, MatrixExpr
from sympy.utilities.iterables import strongly_connected_components

from rnnsym.network import Network
from rnnsym.nodes import Stack, TimeVector, parameters, time_vectors
from rnnsym.spans import Span


@dataclass(frozen=True, eq=False)  # made once for each network
class Block:
    """States that lie on common cycles of the periodic graph: one linear recurrence.

    names: in the order of the equations; direction: +1 forward in time, -1 backward;
    depth: how many time steps the stacked state reaches back (companion form);
    label: the name of the stacked state; span: the steps at which it has a value;
    start: the time of its initial value.
    """

    names: tuple[str, ...]
    vectors: tuple[TimeVector, ...]
    direction: int
    depth: int
    recurrent: bool
    label: str
    span: Span
    start: Expr

    @property
    def time(self) -> Expr:
        """t, or the only time at which the block has a value."""
        return self.span.time

    @property
    def now(self) -> MatrixExpr:
        """s⟨t⟩."""
        return self.state(self.time)

    @property
    def last(self) -> Expr:
        """The step that the recurrence ends with: T, or 1 for one that runs backwards."""
        return self.span.last if self.direction > 0 else self.span.first

    def state(self, time: Any) -> MatrixExpr:
        """s⟨time⟩: the only state itself, or all of them stacked."""
        if time not in self._states:
            steps = (time - self.direction * d for d in range(self.depth))
            parts = [v.at(step) for step in steps for v in self.vectors]
            alone = len(parts) == 1
            self._states[time] = parts[0] if alone else Stack(self.label, parts, time)
        return self._states[time]

    @cached_property
    def _states(self) -> dict[Any, MatrixExpr]:
        return {}

    def before(self, time: Any) -> Any:
        """The time step that this block's recurrence comes from."""
        return time - self.direction


class Structure:
    """Reachability and blocks of a network; everything is read off its equations once."""

    def __init__(self, net: Network) -> None:
        self.net = net

    @cached_property
    def uses(self) -> dict[str, list[TimeVector]]:
        """For each node: the vectors that its equation uses."""
        return {name: time_vectors(e.rhs) for name, e in self.net.equations.items()}

    @cached_property
    def immediate(self) -> dict[str, set[tuple[str, int]]]:
        """For each node: the (state, lag) that it uses within its own time step."""
        return {
            name: {(v, lag) for v, lag, _ in found if lag is not None}
            for name, found in self._states_used.items()
        }

    @cached_property
    def fixed(self) -> dict[str, list[tuple[str, Expr]]]:
        """For each node: the (state, time) that it uses at fixed times, within its own step."""
        return {
            name: [(v, time) for v, lag, time in found if lag is None]
            for name, found in self._states_used.items()
        }

    @cached_property
    def _states_used(self) -> dict[str, list[tuple[str, int | None, Any]]]:
        """For each node: the (state, lag, fixed time) that it uses, through nodes of its step."""
        result: dict[str, list[tuple[str, int | None, Any]]] = {}
        for name, e in self.net.equations.items():  # what is used comes first
            found: list[tuple[str, int | None, Any]] = []
            for v in self.uses[name]:
                lag = self.net.lag(e.lhs, v)
                if v.name in self.net.states:
                    found.append((v.name, lag, v.time if lag is None else None))
                elif v.name in result:
                    found += result[v.name]
            result[name] = list(dict.fromkeys(found))
        return result

    @cached_property
    def initial(self) -> dict[str, list[TimeVector]]:
        """For each state whose initial value is computed: the vectors that this uses."""
        return {name: time_vectors(e.rhs) for name, e in self.net.initial.items()}

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The strongly connected components of the states, each after those that it uses."""
        states = list(self.net.states)
        edges = [(a, b) for a in states for b, _ in sorted(self.immediate[a])]
        edges += [(a, b) for a in states for b, _ in self.fixed[a]]
        edges += [(a, v.name) for a, used in self.initial.items() for v in used if v.name in states]
        components = [
            tuple(n for n in states if n in component)
            for component in strongly_connected_components((states, edges))
        ]
        depths = [self._depth(names) for names in components]
        stacked = sum(len(n) * d > 1 for n, d in zip(components, depths, strict=True))
        letter = next(c for c in ("s", "v", "q", "state") if c not in self.net.vectors)
        result: list[Block] = []
        for names, depth in zip(components, depths, strict=True):
            result.append(
                Block(
                    names,
                    tuple(self.net.states[n] for n in names),
                    -1 if any(self.net.lag_range(n)[0] < 0 for n in names) else 1,
                    depth,
                    depth > 1 or bool(self._lags(names, names) - {0}),
                    f"{letter}_{len(result) + 1}" if stacked > 1 else letter,
                    self.net.spans[names[0]],
                    self.net.start(names[0]),
                )
            )
        return tuple(result)

    def at_fixed_times(self, uses: Iterable[tuple[str, Expr]]) -> list[tuple[Block, Expr]]:
        """(block, time) for states used at fixed times."""
        pairs = [(b, time) for name, time in uses for b in self.blocks if name in b.names]
        return list(dict.fromkeys(pairs))

    def starting(self, block: Block) -> list[tuple[Block, Expr]]:
        """The blocks whose states the initial state of a block is computed from, and when."""
        used = [v for name in block.names for v in self.initial.get(name, ())]
        return self.at_fixed_times((v.name, v.time) for v in used)

    def _lags(self, names: Iterable[str], users: Iterable[str]) -> set[int]:
        return {lag for user in users for n, lag in self.immediate[user] if n in names}

    def _depth(self, names: tuple[str, ...]) -> int:
        """How many time steps of these states their own and other equations look back."""
        inner = max((abs(lag) for lag in self._lags(names, names)), default=0)
        ends = [n for n in self.net.equations if n not in names and self._is_end(n)]
        outer = max((abs(lag) + 1 for lag in self._lags(names, ends)), default=1)
        return max(inner, outer)

    def _is_end(self, name: str) -> bool:
        """Whether a node is a state, or leads to the loss without passing another state."""
        loss = self.net.loss.name
        return name in self.net.states or name == loss or name in self.within(loss)

    def within(self, name: str, barrier: str | None = None) -> set[str]:
        """The nodes that `name` uses within its time step, through nodes that are no states."""
        found, agenda = set(), [name]
        while agenda:
            user = agenda.pop()
            for v in self.uses.get(user, ()):
                same = self.net.lag(self.net.equations[user].lhs, v) == 0
                if same and v.name not in found and v.name != barrier:
                    found.add(v.name)
                    if v.name not in self.net.states:
                        agenda.append(v.name)
        return found

    def users(self, name: str) -> list[str]:
        """The nodes whose own equations hold a parameter or a time-indexed vector."""
        return [n for n, e in self.net.equations.items() if _holds(e.rhs, name)]

    def starters(self, name: str) -> list[str]:
        """The states whose initial value is computed from a parameter or a vector."""
        return [n for n, e in self.net.initial.items() if _holds(e.rhs, name)]

    def reached(self, name: str, sources: set[Any], barrier: str | None = None) -> bool:
        """Whether a node uses one of the sources, within its time step or through states."""
        seen, agenda = set(), [name]
        while agenda:
            node = agenda.pop()
            if node == barrier or node in seen:
                continue
            seen.add(node)
            if node in sources:
                return True
            agenda += [v.name for v in self.uses.get(node, ()) if v.name not in seen]
            agenda += [v.name for v in self.initial.get(node, ()) if v.name not in seen]
        return False

    def chain(self, sources: set[str]) -> list[str]:
        """L and the named nodes that every path from the sources to L⟨t⟩ passes, L first.

        Sources and states end the chain; pre-activations that rnnsym named are left out.
        """
        loss = self.net.loss.name
        inside = self.within(loss) - set(self.net.states) - set(sources)
        chain = [
            name
            for name in reversed(self.net.equations)
            if name in inside
            and self.reached(name, sources)
            and not self.reached(loss, sources, barrier=name)
        ]
        return [loss, *chain]


def _holds(e: MatrixExpr, name: str) -> bool:
    return name in {leaf.name for leaf in (*parameters(e), *time_vectors(e))}
