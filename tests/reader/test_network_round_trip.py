"""A network, printed in any notation and read again, is the same network up to names.

Both are put at one random point of the field of 2^61 - 1 elements: every vector has the same value
at every step, and every gradient is the same.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from sympy import Integer

import rnnsym as rs
from rnnsym.evaluate.field import FieldArithmetic
from rnnsym.evaluate.point import Point, field_point
from rnnsym.evaluate.trajectory import Truth
from rnnsym.latex import PROFILES
from rnnsym.nodes import Gradient
from rnnsym.reader.network import build
from rnnsym.reader.statements import read_formula
from rnnsym.reader.table import of_network
from rnnsym.reader.vocabulary import Vocabulary
from rnnsym.sizes import choose_sizes
from tests.claims.printed import GRID
from tests.compositions.test_compositions import compositions, said

SAMPLE = (
    "elman",
    "lstm",
    "gru:reset=after",
    "elman:type=encoder-decoder",
    "lstm:masked,truncate=2",
)


def read_again(net: Any, notation: str) -> tuple[Any, dict[str, str]]:
    """The network read from the LaTeX of one, and what its names are by those of the other."""
    again = rs.read(net.latex(notation))
    built = build(Vocabulary([read_formula(net.latex(notation))]), strict=True, concrete=True)
    assert [e.text for e in again.source] == [e.text for e in built.net.source]
    mine, theirs = of_network(net, notation).entries, built.table.entries
    names = {
        e.name: theirs[key].name
        for key, e in mine.items()
        if e.kind in ("vector", "parameter") and key in theirs
    }
    return again, names


def moved(net: Any, again: Any, names: dict[str, str], point: Point) -> Point:
    """A point of one network as one of the other."""
    symbols = {s: v for s, v in point.symbols.items() if str(s) in ("T", *net.lengths)}
    for name, other in names.items():
        before = net.parameters.get(name, net.vectors.get(name))
        after = again.parameters.get(other, again.vectors.get(other))
        for old, new in zip(before.shape, after.shape, strict=True):
            if new.is_Symbol:
                symbols[new] = Integer(int(old.xreplace(point.symbols)))
    return Point(
        symbols,
        {names[n]: v for n, v in point.parameters.items()},
        {names[n]: v for n, v in point.sequences.items()},
        {names[n]: v for n, v in point.initial.items()},
    )


def same(net: Any, notation: str) -> None:
    again, names = read_again(net, notation)
    assert {names[n] for n in net.parameters} == set(again.parameters)
    assert {names[n] for n in net.equations} == set(again.equations)
    assert list(again.lengths) == list(net.lengths)
    ar = FieldArithmetic(1)
    lengths = {name: 3 + i for i, name in enumerate(net.lengths)} or 3
    point = field_point(net, ar, choose_sizes(net, lengths), 1)
    here, there = Truth(net, point, ar), Truth(again, moved(net, again, names, point), ar)
    for name, (first, last) in here.plain.spans.items():
        for time in range(first, last + 1):
            value = there.plain.value((names[name], time))
            assert here.plain.value((name, time)) == value, f"{name} at {time}"
    for name, w in net.parameters.items():
        mine = here.derivative(Gradient(net.total_loss, w))
        other = again.parameters[names[name]]
        assert mine == there.derivative(Gradient(again.total_loss, other)), name


@pytest.mark.parametrize("notation", list(PROFILES))
@pytest.mark.parametrize("model", SAMPLE)
def test_a_network_is_read_back(model: str, notation: str) -> None:
    same(rs.model(model), notation)


@pytest.mark.slow
@pytest.mark.parametrize("notation", list(PROFILES))
@pytest.mark.parametrize("model", [m for m in GRID if m not in SAMPLE])
def test_every_network_is_read_back(model: str, notation: str) -> None:
    same(rs.model(model), notation)


@pytest.mark.slow
@settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(composition=compositions())
def test_random_networks_are_read_back(composition: tuple[str, dict[str, Any]]) -> None:
    cell, options = composition
    net = rs.model(cell, **said(options))
    for notation in PROFILES:
        same(net, notation)
