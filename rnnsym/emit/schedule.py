"""In which order a graph is computed: loops over time where there must be one, all steps at once
everywhere else.

Fourth station of the emitter, the same for the forward and the backward pass. Strongly connected
components of the graph are loops; their direction follows from the offsets at which they read
themselves. What a loop adds or multiplies that does not depend on it is computed before it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sympy import Integer, S
from sympy.utilities.iterables import strongly_connected_components

from rnnsym.emit.graph import Graph, Node
from rnnsym.errors import NotSupportedError


@dataclass(frozen=True)
class Loop:
    """Nodes that are computed step by step.

    units: the nodes that get a value of their own, in order; all others are parts of them.
    forward: whether time runs from 1 to T; stored: the units whose values are kept for all
    steps; carried: those of which only the latest value is needed, at the next step;
    lent: a stored unit -> what is kept in its rows until the unit itself is written there, a
    node from outside that only an earlier unit of the same step reads.
    """

    units: tuple[Node, ...]
    forward: bool
    stored: frozenset[Node]
    carried: frozenset[Node]
    lent: dict[Node, Node]


@dataclass(frozen=True)
class Schedule:
    """Nodes to be computed for all steps at once, and loops, in order.

    uses: how often each node is used; padding: for how many steps before the first and after
    the last a variable is read.
    """

    items: tuple[Node | Loop, ...]
    uses: dict[Node, int]
    padding: dict[Node, tuple[int, int]]


def schedule(graph: Graph, outputs: Iterable[Node]) -> Schedule:
    """Order everything that the outputs need."""
    outputs = list(outputs)
    _share(graph, outputs)
    _merge_products(outputs)
    for component in _components(outputs):
        if _is_loop(component):
            _hoist(graph, frozenset(component))
    components = _components(outputs)
    uses = _uses(outputs)
    users = _users(components)
    items: list[Node | Loop] = []
    for component in components:
        if _is_loop(component):
            items.append(_loop(component, users, uses, set(outputs)))
        else:
            items += component
    return Schedule(tuple(items), uses, _padding(components))


def _reachable(outputs: Iterable[Node]) -> list[Node]:
    """Everything that the outputs need, in the order in which it was written down."""
    found: dict[int, Node] = {}
    agenda = list(outputs)
    while agenda:
        node = agenda.pop()
        if node.number not in found:
            found[node.number] = node
            agenda += [used for used, _ in node.reads]
    return [found[n] for n in sorted(found)]


def _components(outputs: Iterable[Node]) -> list[list[Node]]:
    """The strongly connected components, each after those that it uses."""
    nodes = [n for n in _reachable(outputs) if n.op != "at"]
    edges = [(n, used) for n in nodes for used, _ in n.reads]
    components = strongly_connected_components((nodes, edges))
    return [sorted(c, key=lambda n: n.number) for c in components]


def _is_loop(component: list[Node]) -> bool:
    return len(component) > 1 or any(used is component[0] for used, _ in component[0].reads)


def _uses(outputs: list[Node]) -> dict[Node, int]:
    uses: dict[Node, int] = {}
    for used in [*outputs, *(u for n in _reachable(outputs) for u, _ in n.reads)]:
        uses[used] = uses.get(used, 0) + 1
    return uses


def _users(components: list[list[Node]]) -> dict[Node, list[Node]]:
    users: dict[Node, list[Node]] = {}
    for node in (n for c in components for n in c):
        for used, _ in node.reads:
            users.setdefault(used, []).append(node)
    return users


def _share(graph: Graph, outputs: list[Node]) -> None:
    """Use a variable wherever its definition is written, and log softmax(z) for softmax(z)."""
    nodes = _reachable(outputs)
    logs = {n.args[0]: n for n in nodes if n.op == "call" and n.data[0] == "log_softmax"}
    for n in nodes:
        if n.op == "call" and n.data[0] == "softmax" and n.args[0] in logs:
            n.args, n.data = (logs[n.args[0]],), ("exp", 0)
    owner: dict[Node, Node] = {}
    for n in nodes:
        if n.definition is not None and n.definition.op in FRESH:
            owner.setdefault(n.definition, n)
    for n in nodes:
        n.args = tuple(owner.get(a, a) for a in n.args)
        if n.definition in owner and owner[n.definition] is not n:
            n.definition = owner[n.definition]


def _merge_products(outputs: list[Node]) -> None:
    """u ⊙ (v ⊙ w), where v ⊙ w is a variable used nowhere else, as one product."""
    changed = True
    while changed:
        changed = False
        uses = _uses(outputs)
        for node in _reachable(outputs):
            if node.op != "mul":
                continue
            for i, a in enumerate(node.args):
                inner = a.definition
                if inner is not None and inner.op == "mul" and uses[a] == uses[inner] == 1:
                    node.args = (*node.args[:i], *inner.args, *node.args[i + 1 :])
                    node.data = (node.data[0] * inner.data[0],)
                    changed = True
                    break


def _hoist(graph: Graph, component: frozenset[Node]) -> None:
    """Group the summands and the factors that do not depend on the loop, as nodes outside."""
    for node in sorted(component, key=lambda n: n.number):
        inside = [any(used in component for used, _ in _at(a)) for a in node.args]
        outside = [a for a, within in zip(node.args, inside, strict=True) if not within]
        if node.op == "add":
            constant, signs = node.data
            if len(outside) + (constant != 0) < 2:
                continue
            kept = [(s, a) for s, a, w in zip(signs, node.args, inside, strict=True) if w]
            group = [(s, a) for s, a, w in zip(signs, node.args, inside, strict=True) if not w]
            sum_ = graph.add([(1, graph.number(constant, node.size)), *group], node.size)
            node.args = (*(a for _, a in kept), sum_)
            node.data = (S.Zero, (*(s for s, _ in kept), 1))
        elif node.op == "mul":
            number = node.data[0]
            if not outside or len(outside) + (number != 1) < 2:
                continue
            product = graph.mul(number, outside, node.size)
            node.args = (*(a for a, w in zip(node.args, inside, strict=True) if w), product)
            node.data = (Integer(1),)


def _at(node: Node) -> list[tuple[Node, int]]:
    return node.reads if node.op == "at" else [(node, 0)]


def _loop(
    component: list[Node], users: dict[Node, list[Node]], uses: dict[Node, int], kept: set[Node]
) -> Loop:
    members = set(component)
    offsets = {o for n in component for used, o in n.reads if used in members and o}
    if min(offsets) < 0 < max(offsets):
        names = ", ".join(sorted({n.name for n in component if n.op == "variable"}))
        raise NotSupportedError(f"{names}: a loop over time must run in one direction")
    forward = min(offsets) < 0
    needed_outside = {
        n for n in component if n in kept or any(u not in members for u in users.get(n, ()))
    }
    # A definition that only its variable uses is the variable.
    bodies = {n.definition for n in component if n.definition and uses[n.definition] == 1}
    units = [
        n
        for n in component
        if n not in bodies and (n.op == "variable" or uses[n] > 1 or n in needed_outside)
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
    return Loop(tuple(ordered), forward, frozenset(stored), frozenset(carried), lent)


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
                if unit in stored and unit not in lent and unit.size == v.size:
                    lent[unit] = v
                    break
    return lent


#: the operations whose result is a new array
FRESH = frozenset({"add", "mul", "matvec", "call"})


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
            padding[used] = max(before, -offset), max(after, offset)
    return padding
