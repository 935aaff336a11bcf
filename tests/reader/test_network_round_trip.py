"""A network, printed in any notation and read again, is the same network up to names.

Both are put at one random point of the field of 2^61 - 1 elements: every vector has the same value
at every step, and so has its derivative in one random direction of all the parameters.
"""

from __future__ import annotations

import os
import random
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from sympy import Integer

import rnnsym as rs
from rnnsym.evaluate.field import FieldArithmetic
from rnnsym.evaluate.point import Point, field_point
from rnnsym.evaluate.trajectory import DualTrajectory
from rnnsym.latex import PROFILES
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


def tokens_of(latex: str) -> list[str]:
    return re.findall(r"\\[A-Za-z]+|\S", latex)


def read_again(net: Any, notation: str) -> tuple[Any, dict[str, str]]:
    """The network read from the LaTeX of one, and what its names are by those of the other."""
    latex = net.latex(notation)
    rows = latex.splitlines()
    if len(tokens_of(latex)) > 5000 or len(latex) > 15000:  # too long for one formula
        lines: list[str] = []
        for row in (row.removesuffix(r" \\") for row in rows[1:-1]):
            if "&=" in row:
                lines.append(row.replace("&=", "="))
            else:  # a long sum goes on
                lines[-1] += row.replace("&", " ")
        latex = "\n".join(lines)
    again = rs.read(latex)
    formulas = latex.splitlines() if "aligned" not in latex else [latex]
    built = build(Vocabulary([read_formula(x) for x in formulas]), strict=True, concrete=True)
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
    there = moved(net, again, names, point)
    way = {name: direction(ar, w) for name, w in point.parameters.items()}
    mine = DualTrajectory(net, point, ar, {(n, None): (v,) for n, v in way.items()})
    other = DualTrajectory(again, there, ar, {(names[n], None): (v,) for n, v in way.items()})
    for name, (first, last) in mine.spans.items():
        for time in range(first, last + 1):
            value = other.value((names[name], time))
            assert equal(ar, mine.value((name, time)), value), f"{name} at {time}"
    assert equal(ar, mine.total_loss(), other.total_loss())


def direction(ar: FieldArithmetic, weight: Any) -> Any:
    """A random direction: derivatives along it are the same only where all gradients are."""
    rows, cols = ar.shape(weight)
    draw = random.Random(rows * 100 + cols)
    return ar.array([[draw.randrange(2**61 - 1) for _ in range(cols)] for _ in range(rows)])


def equal(ar: FieldArithmetic, a: Any, b: Any) -> bool:
    """Whether two dual numbers are the same: the values and the derivatives along the direction."""
    zero = ar.full(*ar.shape(a.value), 0)
    mine, other = (x.tangents[0] if x.tangents else zero for x in (a, b))
    return bool(a.value == b.value and mine == other)


@pytest.mark.parametrize("notation", list(PROFILES))
@pytest.mark.parametrize("model", SAMPLE)
def test_a_network_is_read_back(model: str, notation: str) -> None:
    same(rs.model(model), notation)


@pytest.mark.nightly
@pytest.mark.parametrize("notation", list(PROFILES))
@pytest.mark.parametrize("model", [m for m in GRID if m not in SAMPLE])
def test_every_network_is_read_back(model: str, notation: str) -> None:
    same(rs.model(model), notation)


@pytest.mark.slow
@settings(
    max_examples=int(os.environ.get("RNNSYM_COMPOSITIONS", "200")) // 15,
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
