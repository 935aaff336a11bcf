"""Edges of a picture pass no node but their ends, and their labels can be read."""

from __future__ import annotations

import math

import pytest

import rnnsym as rs
from rnnsym.graph import unroll
from rnnsym.graph.layout import layout
from rnnsym.graph.routes import CLEAR, routed
from tests.graph.nets import nets

NETS = {**nets(), "the lstm": rs.lstm(), "the gru": rs.gru()}
RADIUS = 0.45


@pytest.mark.parametrize("name", NETS)
def test_edges_pass_beside_other_nodes(name: str) -> None:
    graph = unroll(NETS[name], 3).reduced()
    where = layout(graph)
    for route in routed(graph, where):
        ends = {route.start, route.end}
        others = [place for place in where.places.values() if place not in ends]
        nearest = min(math.dist(route.at(i / 50), place) for i in range(3, 48) for place in others)
        assert nearest > RADIUS, f"{route.edge.source} -> {route.edge.target}"


def test_an_edge_that_can_is_straight() -> None:
    graph = unroll(NETS["elman"], 3).reduced()
    assert all(route.bend == 0 and route.label == 0.5 for route in routed(graph, layout(graph)))


@pytest.mark.parametrize("name", ["the lstm", "the gru"])
def test_labels_keep_apart(name: str) -> None:
    graph = unroll(NETS[name], 2).reduced()
    where = layout(graph)
    labels = [r.at(r.label) for r in routed(graph, where) if r.edge.weights]
    assert all(math.dist(p, q) > 0.3 for i, p in enumerate(labels) for q in labels[:i])


def test_a_curve_ends_where_its_nodes_are() -> None:
    graph = unroll(NETS["the lstm"], 2).reduced()
    routes = [r for r in routed(graph, layout(graph)) if r.bend]
    assert routes
    for route in routes:
        assert route.at(0) == pytest.approx(route.start) and route.at(1) == pytest.approx(route.end)
        middle = [(a + b) / 2 for a, b in zip(route.start, route.end, strict=True)]
        assert math.dist(route.at(0.5), middle) == pytest.approx(abs(route.bend))
    assert CLEAR > RADIUS
