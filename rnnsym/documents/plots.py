"""Data as pictures: lines over an axis, and heat maps; as SVG, TikZ and text.

Numbers in, `content.Figure` out. Labels are text, or prose with formulas in it. Needs no library.

>>> figure = lines([Series("norm", [1, 2, 3], [1.0, 0.1, 0.01])], x="step k", log=True)
>>> figure.svg.startswith("<svg") and figure.tikz.startswith("\\\\begin{tikzpicture}")
True
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from itertools import groupby
from typing import Any

from rnnsym.documents.canvas import FAINT, INK, Canvas, Words
from rnnsym.documents.content import Figure, Prose
from rnnsym.documents.heatmap import heat_map
from rnnsym.documents.labels import BOTTOM, LEFT, TOP, Label, Labels, figures, table
from rnnsym.documents.scales import SERIES, Scale, scale
from rnnsym.errors import InputError, UnavailableError

__all__ = ["Label", "Series", "heat_map", "lines", "png"]

WIDTH, HEIGHT = 640.0, 380.0
#: more points than this are a line without marks
MARKED = 30


@dataclass(frozen=True)
class Series:
    """A line: its name, and as many ys as xs; ys that are not finite leave a gap."""

    name: Label
    xs: Sequence[float]
    ys: Sequence[float]


def lines(
    series: Sequence[Series],
    *,
    x: Label = "",
    y: Label = "",
    log: bool = False,
    caption: Prose = (),
    alt: str = "",
    notation: str = "post",
    names: Mapping[str, str] | None = None,
) -> Figure:
    """Lines over a common axis; log: a logarithmic y axis, with zeros as rings on its floor.

    Raises InputError for no lines, too many to be told apart, or a line without a point.
    """
    if not 1 <= len(series) <= len(SERIES):
        raise InputError(f"a plot shows 1 to {len(SERIES)} lines, not {len(series)}")
    if any(len(s.xs) != len(s.ys) or not len(s.xs) for s in series):
        raise InputError("a line of a plot needs as many ys as xs, and at least one")
    labels = Labels(notation, names)
    across = scale([v for s in series for v in s.xs])
    up = scale([v for s in series for v in s.ys], log)
    legend = max(len(labels.text(s.name)) for s in series) * 7.0 + 56 if len(series) > 1 else 16.0
    canvas = Canvas(WIDTH + legend, HEIGHT, alt or labels.text(caption) or "a plot")
    frame = _Frame(canvas, LEFT, TOP, WIDTH - LEFT, HEIGHT - TOP - BOTTOM, across, up)
    frame.axes(labels(x), labels(y))
    for i, one in enumerate(series):
        _draw(frame, one, i, log)
        if len(series) > 1:
            at = TOP + 14 + 22 * i
            canvas.line([(WIDTH + 14, at), (WIDTH + 40, at)], f"s{i}", 2.0, i)
            canvas.words((WIDTH + 48, at), labels(one.name), "start")
    values = _sampled(series, labels, labels.text(x))
    return Figure("", canvas.tikz(), values, canvas.svg(), caption, alt)


def _draw(frame: _Frame, series: Series, index: int, log: bool) -> None:
    points = sorted(zip(map(float, series.xs), map(float, series.ys), strict=True))

    def shown(point: tuple[float, float]) -> bool:
        return math.isfinite(point[1]) and (point[1] > 0 or not log)

    for there, run in groupby(points, shown):
        places = [(frame.x(u), frame.y(v) if there else frame.bottom) for u, v in run]
        if there and len(places) > 1:
            frame.canvas.line(places, f"s{index}", 1.8, index)
        if there and (len(points) <= MARKED or len(places) == 1):
            for place in places:
                frame.canvas.dot(place, f"s{index}")
    for u, v in points:
        if log and v == 0:
            frame.canvas.dot((frame.x(u), frame.bottom), f"s{index}", 3.0, hollow=True)


@dataclass(frozen=True)
class _Frame:
    """The area of a plot, from numbers to places."""

    canvas: Canvas
    left: float
    top: float
    width: float
    height: float
    across: Scale
    up: Scale

    @property
    def bottom(self) -> float:
        return self.top + self.height

    def x(self, value: float) -> float:
        return self.left + self.width * self.across(value)

    def y(self, value: float) -> float:
        return self.bottom - self.height * self.up(value)

    def axes(self, x: Words, y: Words) -> None:
        """Ticks with faint lines through the area, and what the axes are."""
        right = self.left + self.width
        for tick in self.up.ticks:
            at = self.y(tick)
            self.canvas.line([(self.left, at), (right, at)], FAINT)
            self.canvas.words((self.left - 8, at), figures(tick, self.up.log), "end", 12)
        for tick in self.across.ticks:
            at = self.x(tick)
            self.canvas.line([(at, self.bottom), (at, self.bottom + 4)], INK)
            self.canvas.words((at, self.bottom + 15), figures(tick), size=12)
        corners = [(self.left, self.top), (self.left, self.bottom), (right, self.bottom)]
        self.canvas.line(corners, INK)
        self.canvas.words((self.left + self.width / 2, self.bottom + 38), x)
        self.canvas.words((16, self.top + self.height / 2), y, turn=True)


def _sampled(series: Sequence[Series], labels: Labels, x: str) -> str:
    """A few values of each line, for a terminal."""
    places = sorted({float(v) for s in series for v in s.xs})
    step = math.ceil(len(places) / 12)
    chosen = [*places[::step], *([places[-1]] if (len(places) - 1) % step else [])]
    rows = [[x or "x", *(labels.text(s.name) for s in series)]]
    known = [dict(zip(map(float, s.xs), s.ys, strict=True)) for s in series]
    for place in chosen:
        values = (f"{k[place]:.3g}" if place in k else "" for k in known)
        rows.append([f"{place:g}", *values])
    return table(rows)


#: fonts to write a PNG's words in, the first that is there
SERIFS = ("DejaVu Serif", "Liberation Serif", "Times New Roman", "Noto Serif", "Georgia")


def png(svg: str, zoom: float = 2.0) -> bytes:
    """An SVG as PNG, `zoom` pixels a pixel, on white.

    Raises UnavailableError where resvg-py or a font is not installed.
    """
    try:
        resvg = import_module("resvg_py")
    except ImportError:
        raise UnavailableError("a PNG needs resvg-py: pip install 'rnnsym[plots]'") from None
    family = _serif(resvg)
    return bytes(
        resvg.svg_to_bytes(svg_string=svg, zoom=zoom, background="white", serif_family=family)
    )


@cache
def _serif(resvg: Any) -> str:
    """A font that is there: where none is, resvg leaves words out without saying so."""
    empty = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">{}</svg>'
    word = empty.format('<text x="0" y="9" font-family="serif">m</text>')
    blank = bytes(resvg.svg_to_bytes(svg_string=empty.format("")))
    for family in SERIFS:
        if bytes(resvg.svg_to_bytes(svg_string=word, serif_family=family)) != blank:
            return family
    raise UnavailableError(
        "a PNG needs a font, and none is installed: install one such as DejaVu (on Debian "
        "fonts-dejavu-core), or write .svg"
    )
