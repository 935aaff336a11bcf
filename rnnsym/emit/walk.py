"""Ways through the graph: what is needed, who needs it, and which nodes are loops over time."""

from __future__ import annotations

from collections.abc import Iterable

from sympy.utilities.iterables import strongly_connected_components

from rnnsym.emit.graph import TRANSPARENT, Node


def reachable(outputs: Iterable[Node]) -> list[Node]:
    """Everything that the outputs need, in the order in which it was written down."""
    found: dict[int, Node] = {}
    agenda = list(outputs)
    while agenda:
        node = agenda.pop()
        if node.number not in found:
            found[node.number] = node
            agenda += [used for used, _ in node.reads]
    return [found[n] for n in sorted(found)]


def components(outputs: Iterable[Node]) -> list[list[Node]]:
    """The strongly connected components, each after those that it uses."""
    nodes = [n for n in reachable(outputs) if n.op not in TRANSPARENT]
    edges = [(n, used) for n in nodes for used, _ in n.reads]
    found = strongly_connected_components((nodes, edges))
    return [sorted(c, key=lambda n: n.number) for c in found]


def is_loop(component: list[Node]) -> bool:
    """Whether a component uses itself."""
    return len(component) > 1 or any(used is component[0] for used, _ in component[0].reads)


def uses(outputs: list[Node]) -> dict[Node, int]:
    """How often each node is used."""
    found: dict[Node, int] = {}
    for used in [*outputs, *(u for n in reachable(outputs) for u, _ in n.reads)]:
        found[used] = found.get(used, 0) + 1
    return found


def users(components: list[list[Node]]) -> dict[Node, list[Node]]:
    """Who uses each node."""
    found: dict[Node, list[Node]] = {}
    for node in (n for c in components for n in c):
        for used, _ in node.reads:
            found.setdefault(used, []).append(node)
    return found
