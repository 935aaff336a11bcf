"""Plots: what is drawn is what was given, in SVG and TikZ alike."""

from __future__ import annotations

import math
import re
import sys
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rnnsym as rs
from rnnsym.documents.canvas import CM
from rnnsym.documents.content import Document, Figure
from rnnsym.documents.heatmap import MOST_CELLS
from rnnsym.documents.plots import Series, heat_map, lines, png
from rnnsym.documents.scales import MAP, SERIES, colour, number, scale
from rnnsym.documents.tex import whole
from rnnsym.errors import InputError, UnavailableError
from tests.portability.harness import latex_compiles

XML = "{http://www.w3.org/2000/svg}"
NAN = float("nan")


def elements(figure: Figure, tag: str, kind: str = "") -> list[Any]:
    root = ElementTree.fromstring(figure.svg)
    return [e for e in root.iter(XML + tag) if kind in str(e.get("class", "")).split() or not kind]


def points(polyline: Any) -> list[tuple[float, float]]:
    return [tuple(map(float, p.split(","))) for p in polyline.get("points").split()]  # type: ignore[misc]


# ---- scales ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "log", "ticks"),
    [
        ([0, 10], False, (0, 2, 4, 6, 8, 10)),
        ([1, 2, 3, 4], False, (1, 2, 3, 4)),
        ([0.1, 0.35], False, (0.1, 0.15, 0.2, 0.25, 0.3, 0.35)),
        ([1e-3, 1e2], True, (1e-3, 1e-2, 1e-1, 1, 10, 100)),
        ([2, 9], True, (1, 2, 5, 10)),
        ([1e-40, 1], True, (1e-42, 1e-36, 1e-30, 1e-24, 1e-18, 1e-12, 1e-6, 1)),
        ([3, 3], False, (2, 3, 4)),
        ([], True, (1, 2, 5, 10)),
        ([0, NAN, math.inf, 5], True, (1, 2, 5, 10)),
    ],
)
def test_ticks(values: list[float], log: bool, ticks: tuple[float, ...]) -> None:
    if values == [3, 3]:
        assert scale(values).low < 3 < scale(values).high
        return
    assert scale(values, log).ticks == pytest.approx(ticks)


@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=5), st.booleans())
def test_a_scale_holds_all_that_it_is_for(values: list[float], log: bool) -> None:
    values = [abs(v) for v in values] if log else values
    made = scale(values, log)
    assert 2 <= len(made.ticks) <= 12 and all(a < b for a, b in pairwise(made.ticks))
    for value in values:
        if value > 1e-300 or not log:
            assert -1e-6 <= made(value) <= 1 + 1e-6


def test_numbers_of_an_axis() -> None:
    shown = {0.0: "0", 2.5: "2.5", -1.0: "−1", 1e-9: "1·10^−9", 123456.0: "123456"}
    assert {v: "^".join(filter(None, number(v))) for v in shown} == shown
    assert number(1e-12, True) == ("10", "−12") and number(1.0, True) == ("1", "")
    assert number(50.0, True) == ("50", "")


def test_the_colours_of_the_map_grow_lighter() -> None:
    light = [
        0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in (colour(i / 63) for i in range(64))
    ]
    assert all(a < b for a, b in pairwise(light))
    assert colour(0) == MAP[0] and colour(1) == MAP[-1] and colour(7) == MAP[-1]


# ---- lines -------------------------------------------------------------------------------


def test_points_stand_where_their_numbers_say() -> None:
    figure = lines([Series("a", [0, 5, 10], [1.0, 0.01, 0.0001])], log=True)
    places = points(elements(figure, "polyline", "rs-s0")[0])
    (x0, y0), (x1, y1), (x2, y2) = places
    assert x1 - x0 == pytest.approx(x2 - x1) and y1 - y0 == pytest.approx(y2 - y1)
    assert x2 > x0 and y2 > y0, "smaller numbers stand lower"
    ticks = {e.get("y"): "".join(e.itertext()) for e in elements(figure, "text")}
    assert "1" in ticks.values() and "10−4" in ticks.values()


def test_svg_and_tikz_are_the_same_picture() -> None:
    series = [Series("a", [1, 2, 3], [1.0, 4.0, 2.0]), Series("b", [1, 3], [3.0, 3.5])]
    figure = lines(series)
    height = float(str(ElementTree.fromstring(figure.svg).get("height")))
    for i in range(2):
        place = points(elements(figure, "polyline", f"rs-s{i}")[0])
        path = " -- ".join(f"({x * CM:.3f},{(height - y) * CM:.3f})" for x, y in place)
        routes = [
            re.findall(r"\((.*?),(.*?)\)", r) for r in re.findall("rss.*] (.*);", figure.tikz)
        ]
        drawn = [[(float(x), float(y)) for x, y in route] for route in routes if len(route) > 1]
        expected = [tuple(map(float, p)) for p in re.findall(r"\((.*?),(.*?)\)", path)]
        assert any(
            len(d) == len(expected)
            and all(math.dist(p, q) < 0.002 for p, q in zip(d, expected, strict=True))
            for d in drawn
        )


def test_what_has_no_place_leaves_a_gap() -> None:
    figure = lines([Series("a", range(7), [1, 2, NAN, 4, 5, math.inf, 7])])
    drawn = [points(e) for e in elements(figure, "polyline", "rs-s0")]
    assert [len(d) for d in drawn] == [2, 2]
    assert len(elements(figure, "circle")) == 5


def test_zeros_of_a_logarithmic_axis_are_rings_on_its_floor() -> None:
    figure = lines([Series("a", [1, 2, 3, 4], [0.0, -1.0, 1.0, 10.0])], log=True)
    rings = elements(figure, "circle", "hollow")
    assert len(rings) == 1 and len(elements(figure, "circle", "dot")) == 2
    floor = max(y for e in elements(figure, "polyline") for _, y in points(e))
    assert float(rings[0].get("cy")) == pytest.approx(floor, abs=5)


def test_series_are_told_apart_without_colour() -> None:
    series = [Series(str(i), [1, 2], [i, i + 1]) for i in range(len(SERIES))]
    figure = lines(series)
    dashes = [elements(figure, "polyline", f"rs-s{i}")[0].get("stroke-dasharray") for i in range(6)]
    assert len(set(dashes)) == len(SERIES)
    with pytest.raises(InputError, match="1 to 6 lines, not 7"):
        lines([*series, series[0]])


@pytest.mark.parametrize(
    "series", [[], [Series("a", [], [])], [Series("a", [1], [])]], ids=["none", "empty", "uneven"]
)
def test_lines_that_cannot_be_drawn_are_refused(series: list[Series]) -> None:
    with pytest.raises(InputError):
        lines(series)


def test_labels_hold_formulas_in_the_notation() -> None:
    a = rs.elman().vectors["a"]
    figure = lines([Series("n", [1, 2], [1, 2])], x=("step of ", a), notation="d2l")
    assert "step of a⟨t⟩" in figure.svg and r"step of $\mathbf{a}_{t}$" in figure.tikz


def test_no_label_breaks_out() -> None:
    word = '</text><script>"&\x00$\\end{tikzpicture}%_^#'
    for figure in (
        lines([Series(word, [1], [1]), Series(word, [1], [2])], x=word, y=word, alt=word),
        heat_map([[1.0]], rows=[word], columns=[word], x=word, scale_name=word, alt=word),
    ):
        root = ElementTree.fromstring(figure.svg)
        assert not list(root.iter(XML + "script"))
        assert figure.tikz.count(r"\end{tikzpicture}") == 1


def test_dark_readers_get_other_colours_of_everything() -> None:
    figure = lines([Series("a", [1, 2], [1, 2])])
    style = elements(figure, "style")[0].text
    kinds = {
        c for e in ElementTree.fromstring(figure.svg).iter() for c in e.get("class", "").split()
    }
    assert "prefers-color-scheme: dark" in style
    assert all(f".{kind}" in style for kind in kinds)


def test_the_text_is_a_table_of_at_most_thirteen_rows() -> None:
    text = lines([Series("a", range(100), range(100)), Series("b", [3], [7])], x="k").text
    rows = text.splitlines()
    assert (
        rows[0].split() == ["k", "a", "b"] and 8 <= len(rows) <= 14 and rows[-1].split()[0] == "99"
    )


# ---- heat maps ---------------------------------------------------------------------------


def cells(figure: Figure) -> list[str]:
    return [e.get("fill") for e in elements(figure, "rect") if e.get("x")]


def test_cells_have_the_colour_of_their_number() -> None:
    figure = heat_map([[1.0, 1e-2], [1e-4, None]], rows=[1, 2], columns=[1, 2])
    expected = ["#" + "".join(f"{c:02x}" for c in colour(s)) for s in (1, 0.5, 0)]
    assert cells(figure)[:3] == expected
    assert figure.text.split() == ["1", "2", "1", "1.0e+00", "1.0e-02", "2", "1.0e-04"]


def test_zeros_and_what_is_not_finite_are_shown_and_explained() -> None:
    plain = heat_map([[1.0, 0.1]], rows=[1], columns=[1, 2])
    odd = heat_map([[1.0, 0.0, NAN, math.inf, None]], rows=[1], columns=range(5))
    words = ["".join(e.itertext()) for e in elements(odd, "text")]
    assert "zero" in words and "not finite" in words and cells(odd)[1] == "#bebebe"
    assert len(elements(odd, "polyline", "rs-s1")) == 6, "two crosses and the one that is explained"
    assert not {"zero", "not finite"} & {"".join(e.itertext()) for e in elements(plain, "text")}


@pytest.mark.parametrize(
    ("matrix", "rows", "columns", "why"),
    [
        ([], [], [], "at least one"),
        ([[1.0]], [1, 2], [1], "as many labels"),
        ([[1.0], [1.0, 2.0]], [1, 2], [1], "needs 1 cells"),
        ([[-1.0]], [1], [1], "negative number"),
        ([[1.0] * 151], [1], range(151), f"at most {MOST_CELLS}"),
    ],
)
def test_maps_that_cannot_be_drawn_are_refused(
    matrix: Any, rows: Any, columns: Any, why: str
) -> None:
    with pytest.raises(InputError, match=why):
        heat_map(matrix, rows=rows, columns=columns)


def test_a_map_of_all_zeros_is_drawn() -> None:
    assert cells(heat_map([[0.0]], rows=[1], columns=[1]))[0] == "#bebebe"
    assert heat_map([[-1.0, 0.0, 1.0]], rows=[1], columns=[1, 2, 3], log=False).svg


@pytest.mark.tex
def test_latex_draws_every_plot() -> None:
    a = rs.elman().vectors["a"]
    figures = [
        lines([Series(("of ", a), [1, 2, 3], [1, 0, 1e-9]), Series("b%", [1], [5])], log=True),
        lines([Series("a", range(200), [math.sin(i / 9) for i in range(200)])], x="x", y=("y ", a)),
        heat_map([[1.0, 0.0], [NAN, None]], rows=["a_1", 2], columns=[1, 2], scale_name="norm"),
    ]
    latex_compiles(whole(Document(("Plots",), figures)))


def test_png() -> None:
    pytest.importorskip("resvg_py")
    data = png(lines([Series("a", [1, 2], [1, 2])]).svg)
    assert data.startswith(b"\x89PNG") and len(data) > 2000


def test_without_resvg_a_png_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(UnavailableError, match=r"pip install 'rnnsym\[plots\]'"):
        png("<svg/>")
