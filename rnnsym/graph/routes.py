"""How the edges of a picture run: past the nodes between their ends, their labels apart.

Between `layout` and `draw`; lengths in centimetres, as in `layout`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from rnnsym.graph.layout import BEND, Layout, drawn
from rnnsym.graph.unrolled import Edge, Graph

Point = tuple[float, float]
Places = np.ndarray[Any, Any]

#: an edge keeps this far from the middle of a node, whose radius is 0.45; labels, from each other
CLEAR, APART = 0.6, 0.5
#: how far the middle of an edge may stand aside, nearest first; to the left if above zero
BENDS = (0.0, 0.4, -0.4, BEND, -BEND, 1.1, -1.1, 1.5, -1.5)
#: where a label may stand along its edge, best first
LABELS = (0.5, 0.4, 0.6, 0.3, 0.7, 0.25, 0.8)
ALONG = np.linspace(0.06, 0.94, 15)


@dataclass(frozen=True)
class Route:
    """An edge as a curve of second degree; label: where along it its weights are written."""

    edge: Edge
    start: Point
    end: Point
    bend: float
    label: float = 0.5

    @property
    def control(self) -> Point:
        """The point that the curve is drawn towards."""
        (x, y), (u, v) = self.start, self.end
        length = math.hypot(u - x, v - y)
        aside = 2 * self.bend / length
        return (x + u) / 2 - aside * (v - y), (y + v) / 2 + aside * (u - x)

    def at(self, s: float) -> Point:
        """The point a part s of the way along."""
        weights = (1 - s) ** 2, 2 * s * (1 - s), s**2
        ends = zip(self.start, self.control, self.end, strict=True)
        x, y = (sum(w * c for w, c in zip(weights, one, strict=True)) for one in ends)
        return x, y


def routed(graph: Graph, where: Layout) -> list[Route]:
    """The drawn edges in their order, each by the straightest way that passes no other node."""
    places = np.array(list(where.places.values()))
    labels: list[Point] = []
    routes = []
    for edge in drawn(graph):
        start, end = where.places[edge.source], where.places[edge.target]
        near = _between(places, start, end)
        options = (Route(edge, start, end, bend) for bend in BENDS)
        route = _first(options, partial(_distance, near), CLEAR)
        if edge.weights:
            spots = (Route(edge, start, end, route.bend, s) for s in LABELS)
            route = _first(spots, partial(_apart, labels, places), APART)
            labels.append(route.at(route.label))
        routes.append(route)
    return routes


def _first(options: Iterator[Route], measure: Callable[[Route], float], enough: float) -> Route:
    """The first option with enough room, else the one with most."""
    best, most = None, -1.0
    for option in options:
        room = measure(option)
        if room >= enough:
            return option
        if room > most:
            best, most = option, room
    assert best is not None
    return best


def _between(places: Places, start: Point, end: Point) -> Places:
    """The nodes that an edge might meet, without its ends."""
    low, high = np.minimum(start, end) - 2.2, np.maximum(start, end) + 2.2
    inside = ((places >= low) & (places <= high)).all(axis=1)
    ends = (places == start).all(axis=1) | (places == end).all(axis=1)
    return places[inside & ~ends]


def _distance(nodes: Places, route: Route) -> float:
    """How near the edge comes to a node."""
    if not len(nodes):
        return math.inf
    s = ALONG[:, None]
    start, control, end = map(np.array, (route.start, route.control, route.end))
    curve = (1 - s) ** 2 * start + 2 * s * (1 - s) * control + s**2 * end
    return float(np.sqrt(((curve[:, None] - nodes) ** 2).sum(axis=2).min()))


def _apart(labels: list[Point], nodes: Places, route: Route) -> float:
    """How near the label of an edge comes to another one or to a node."""
    at = route.at(route.label)
    others = [math.dist(at, label) for label in labels]
    return min([*others, float(np.sqrt(((nodes - at) ** 2).sum(axis=1).min()))])
