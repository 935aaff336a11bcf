"""In which order a graph is computed: loops over time where there must be one, all steps at once
everywhere else.

Sixth station of the emitter, the same for the forward and the backward pass. Strongly connected
components of the graph are loops; their direction follows from the offsets at which they read
themselves. What a loop adds or multiplies that does not depend on it is computed before it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sympy import Expr

from rnnsym.emit.graph import FRESH, TRANSPARENT, Graph, Node
from rnnsym.emit.packing import pack
from rnnsym.emit.rewrite import rewrite
from rnnsym.emit.steps import outside
from rnnsym.emit.walk import components, is_loop, users, uses
from rnnsym.errors import NotSupportedError


@dataclass(frozen=True)
class Loop:
    """Nodes that are computed step by step.

    units: the nodes that get a value of their own, in order, all others are parts of them;
    axis: the number of steps; views: slices of units; forward: whether time runs from 1 to T;
    stored: the units whose values are kept for all steps; carried: those of which only the latest
    value is needed, at the next step; lent: a stored unit -> what is kept in its rows until the
    unit itself is written there, a node from outside that only an earlier unit of the same step
    reads.
    """

    units: tuple[Node, ...]
    axis: Expr
    views: tuple[Node, ...]
    forward: bool
    stored: frozenset[Node]
    carried: frozenset[Node]
    lent: dict[Node, Node]

    @property
    def parted(self) -> list[Node]:
        """The packs among the units whose members are computed one by one, each in its place."""
        return [u for u in self.units if u.members and u.definition and u.definition.op == "concat"]


@dataclass(frozen=True)
class Schedule:
    """Nodes to be computed for all steps at once, and loops, in order.

    uses: how often each node is used; padding: for how many steps before the first and after
    the last a variable is read.
    """

    items: tuple[Node | Loop, ...]
    uses: dict[Node, int]
    padding: dict[Node, tuple[int, int]]


def schedule(graph: Graph, outputs: Iterable[Node], packed: bool = True) -> Schedule:
    """Order everything that the outputs need.

    packed: whether values that are used alike are kept side by side (`rnnsym.emit.packing`).
    """
    outputs = list(outputs)
    rewrite(graph, outputs)
    if packed:
        pack(graph, outputs)
    ordered = components(outputs)
    used, by = uses(outputs), users(ordered)
    kept = {n for o in outputs for n in ([o] if o.op not in TRANSPARENT else o.args)}
    items: list[Node | Loop] = []
    for component in ordered:
        if is_loop(component):
            items.append(_loop(component, by, used, kept))
        else:
            items += component
    return Schedule(tuple(items), used, _padding(ordered))


def _loop(
    component: list[Node], users: dict[Node, list[Node]], uses: dict[Node, int], kept: set[Node]
) -> Loop:
    members = set(component)
    offsets = {o for n in component for used, o in n.reads if used in members and o}
    if min(offsets) < 0 < max(offsets):
        names = ", ".join(sorted({n.name for n in component if n.op == "variable"}))
        raise NotSupportedError(f"{names}: a loop over time must run in one direction")
    forward = min(offsets) < 0
    axis = component[0].axis
    assert axis is not None
    needed_outside = {
        n
        for n in component
        if n in kept
        or any(u not in members and not _is_last(u, forward, axis) for u in users.get(n, ()))
    }
    views = {n: view for n in component if (view := n.view) is not None}
    needed_outside |= {view.args[0] for n, view in views.items() if n in needed_outside}
    # A definition that only its variable uses is the variable.
    bodies = {n.definition for n in component if n.definition and uses.get(n.definition) == 1}
    units = [
        n
        for n in component
        if n not in bodies
        and n not in views
        and (n.op == "variable" or uses[n] > 1 or n in needed_outside)
    ]
    needs, lagged = {}, {}
    for unit in units:
        needs[unit], lagged[unit] = _within(unit, set(units), members)
    stored = {u for u in units if u in needed_outside}
    carried: set[Node] = set()
    order = {u: set(needs[u]) for u in units}
    for unit in units:
        readers = {r for r in units if unit in lagged[r]}
        if not readers or unit in stored:
            continue
        if all(lagged[r][unit] == {-1 if forward else 1} for r in readers):
            trial = {u: set(n) for u, n in order.items()}
            trial[unit] |= readers
            if unit not in readers and _sorted(units, trial) is not None:
                order, carried = trial, carried | {unit}
                continue
        stored.add(unit)
    ordered = _sorted(units, order)
    assert ordered is not None
    lent = _lent(ordered, stored, members, uses, kept)
    return Loop(
        tuple(ordered), axis, tuple(views), forward, frozenset(stored), frozenset(carried), lent
    )


def _is_last(pick: Node, forward: bool, axis: Expr) -> bool:
    """Whether a node is the value that a loop ends with, which is at hand after it."""
    return pick.op == "pick" and bool(pick.data[0] == (axis if forward else 1))


def _lent(
    units: list[Node], stored: set[Node], members: set[Node], uses: dict[Node, int], kept: set[Node]
) -> dict[Node, Node]:
    """Pairs of a stored unit and a node that can be kept in its rows before."""
    lent: dict[Node, Node] = {}
    for i, reader in enumerate(units):
        for v in _outside(reader, set(units), members):
            if uses[v] > 1 or v in kept or v.op not in FRESH or not (v.timed and v.full):
                continue
            for unit in units[i + 1 :]:
                alike = unit.size == v.size and unit.axis == v.axis
                if unit in stored and unit not in lent and alike:
                    lent[unit] = v
                    break
    return lent


def _outside(unit: Node, units: set[Node], members: set[Node]) -> list[Node]:
    """What the unit reads from outside the loop, at its own step."""
    found, agenda = [], [unit]
    while agenda:
        for used, offset in agenda.pop().reads:
            if used not in members:
                found += [] if offset else [used]
            elif used not in units and not offset:
                agenda.append(used)
    return found


def _within(
    unit: Node, units: set[Node], members: set[Node]
) -> tuple[set[Node], dict[Node, set[int]]]:
    """What a unit needs of its own step, and of other steps (with the offsets)."""
    now: set[Node] = set()
    other: dict[Node, set[int]] = {}
    agenda = [unit]
    while agenda:
        for used, offset in agenda.pop().reads:
            if used not in members:
                continue
            if offset:
                other.setdefault(used, set()).add(offset)
            elif used in units:
                now.add(used)
            else:
                agenda.append(used)
    return now, other


def _sorted(units: list[Node], needs: dict[Node, set[Node]]) -> list[Node] | None:
    """The units so that each comes after what it needs; None if there is no such order."""
    done: list[Node] = []
    waiting = list(units)
    while waiting:
        ready = next((u for u in waiting if not needs[u] - set(done)), None)
        if ready is None:
            return None
        done.append(ready)
        waiting.remove(ready)
    return done


def _padding(components: list[list[Node]]) -> dict[Node, tuple[int, int]]:
    padding: dict[Node, tuple[int, int]] = {}
    for node in (n for c in components for n in c):
        for used, offset in node.reads:
            before, after = padding.get(used, (0, 0))
            own = (-offset, offset)
            if node.op == "pick" and used.axis is not None:
                own = outside(node.data[0], used.axis) if used.beyond else (0, 0)
            padding[used] = max(before, own[0]), max(after, own[1])
    return padding
