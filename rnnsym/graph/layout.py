"""Where each node of an unrolled graph stands in a picture.

Time runs to the right, one column a step; a second sequence begins where the first one ends.
Inputs are at the bottom, each node above what it uses at its own time, the loss on top. A state has
a row to itself, along which its past runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rnnsym.graph.unrolled import Edge, Graph, Node
from rnnsym.nodes import time_vectors

#: distances in cm: between nodes of one column, between columns, between rows
SLOT, GAP, ROW = 1.5, 0.9, 1.5
#: how far a bent edge runs beside the straight line
BEND = 0.75


@dataclass(frozen=True)
class Layout:
    """places: node -> (x, y) from the lower left; rows: the drawn nodes row by row, upwards."""

    places: dict[Node, tuple[float, float]]
    rows: list[list[Node]]

    def bent(self, edge: Edge) -> bool:
        """Whether a straight edge might run through other nodes."""
        (x, y), (u, v) = self.places[edge.source], self.places[edge.target]
        level = y == v and edge.lag is not None and abs(edge.lag) > 1
        return level or (x == u and abs(y - v) > ROW and edge.lag == 0)


def drawn(graph: Graph) -> Iterator[Edge]:
    """The edges of a picture in which weights are labels: those between nodes that have a place."""
    return (edge for edge in graph.edges if graph.nodes[edge.source] != "parameter")


def layout(graph: Graph) -> Layout:
    """The places of all nodes but the parameters."""
    rows = _rows(graph)
    offsets = {name: slot for row in rows for name, slot in row.items()}
    height = {name: i * ROW for i, row in enumerate(rows) for name in row}
    width = (max(offsets.values()) - min(offsets.values())) * SLOT + SLOT + GAP
    places, middle, before = {}, [], _columns_before(graph)
    for node, kind in graph.nodes.items():
        if node.time is not None:
            aside = 0.0 if kind == "initial" else offsets[node.name]
            column = node.time + before[node.name]
            places[node] = (column * width + aside * SLOT, height[node.name])
            if kind == "loss":
                middle.append(places[node][0])
    top = len(rows) * ROW
    places[graph.total_node] = (sum(middle) / len(middle), top)
    left = min(x for x, _ in places.values())
    places = {node: (round(x - left, 3), y) for node, (x, y) in places.items()}
    table: dict[float, list[Node]] = {}
    for node in sorted(places, key=lambda n: (places[n][1], places[n][0])):
        table.setdefault(places[node][1], []).append(node)
    return Layout(places, list(table.values()))


def _columns_before(graph: Graph) -> dict[str, int]:
    """How many columns each name's sequence stands to the right: as many as those have that it is
    made from, at fixed times."""
    net = graph.net
    last = {s.last: int(s.last.xreplace(graph.lengths)) for s in net.spans.values() if not s.single}
    shift = dict.fromkeys(last, 0)

    def sequence(name: str) -> Any:
        span = net.spans[name]
        if not span.single:
            return span.last
        return next((end for end in last if end.free_symbols & span.first.free_symbols), None)

    for name in net.equations:
        initial = time_vectors(net.initial[name].rhs) if name in net.initial else []
        for v in [*time_vectors(net.equations[name].rhs), *initial]:
            own, other = sequence(name), sequence(v.name)
            if own in last and other in last and own != other:
                shift[own] = max(shift[own], shift[other] + last[other])
    return {name: shift.get(sequence(name), 0) for name in net.spans}


def _rows(graph: Graph) -> list[dict[str, float]]:
    """The names in each row, upwards, with their slot within the column: 0 is the middle."""
    net, loss = graph.net, graph.net.loss.name
    used = {
        name: [use.leaf.name for use in graph.uses[name] if use.lag == 0] for name in graph.names
    }
    level = dict.fromkeys(net.inputs, 0)
    for name in graph.names:
        level[name] = 1 + max((level[u] for u in used[name] if u in level), default=0)
    level[loss] = 1 + max((level[name] for name in level if name != loss), default=0)
    users = {u: [level[n] for n in graph.names if u in used[n]] for u in (*level, *net.targets)}
    rows: list[dict[str, float]] = []
    for height in range(level[loss] + 1):
        here = [name for name in level if level[name] == height]
        states = [name for name in here if name in net.states]
        others = [name for name in here if name not in net.states]
        # edges that pass over the next row start from the right
        skips = [name for name in others if max(users[name], default=0) > height + 1]
        skips = skips if len(others) > 1 else []
        inner = [name for name in others if name not in skips]
        for i, name in enumerate(states):
            rows.append({name: i - (len(states) - 1) / 2})
        row = {name: i - (len(inner) - 1) / 2 for i, name in enumerate(inner)}
        aside = [n for n in net.targets if min(users[n], default=1) - 1 == height]
        for name in (*skips, *aside):
            row[name] = max(row.values(), default=0.0) + 1
        if row:
            rows.append(row)
    return rows
