"""Heat maps: a matrix as colours, with a scale beside it.

Part of `plots`, which users import it from.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rnnsym.documents.canvas import INK, Canvas, Words
from rnnsym.documents.content import Figure, Prose
from rnnsym.documents.labels import BOTTOM, LEFT, TOP, Label, Labels, figures, table
from rnnsym.documents.scales import Scale, colour, scale
from rnnsym.documents.tex import inline
from rnnsym.errors import InputError

#: cells in each direction
MOST_CELLS = 150
ZERO, NOTHING = (190, 190, 190), (255, 255, 255)


def heat_map(
    matrix: Sequence[Sequence[float | None]],
    *,
    rows: Sequence[Any],
    columns: Sequence[Any],
    x: Label = "",
    y: Label = "",
    scale_name: Label = "",
    log: bool = True,
    caption: Prose = (),
    alt: str = "",
    notation: str = "post",
    names: Mapping[str, str] | None = None,
) -> Figure:
    """A matrix as colours, its first row on top; log: the colours are those of the logarithm.

    Zeros are grey where the scale is logarithmic, None is left empty, NaN and infinities are
    crossed out. Raises InputError for labels that do not fit, too many cells, or a negative
    number on a logarithmic scale.
    """
    _check_cells(matrix, rows, columns, log)
    labels = Labels(notation, names)
    known = [float(v) for row in matrix for v in row if v is not None and math.isfinite(v)]
    bar = scale(known, log)
    side = min(26.0, 560.0 / max(len(rows), len(columns)))
    left = max(LEFT, 7.5 * max(len(str(r)) for r in rows) + 44)
    width, height = side * len(columns), side * len(rows)
    tall = max(height, 150.0)
    name = labels(scale_name)
    canvas = Canvas(left + width + 150, TOP + tall + BOTTOM, alt or labels.text(caption) or "a map")
    kinds = set()
    for i, row in enumerate(matrix):
        for j, value in enumerate(row):
            kinds.add(_cell(canvas, (left + side * j, TOP + side * i), side, value, bar))
    _labels_beside(canvas, rows, columns, left, side, height)
    canvas.words((left + width / 2, TOP + height + 38), labels(x))
    canvas.words((16, TOP + height / 2), labels(y), turn=True)
    _colour_bar(
        canvas, left + width + 28, tall - 24 * len(kinds & {"zero", "bad"}), bar, name, kinds
    )
    return Figure("", canvas.tikz(), _shades(matrix, rows, columns), canvas.svg(), caption, alt)


def _check_cells(
    matrix: Sequence[Sequence[float | None]], rows: Sequence[Any], columns: Sequence[Any], log: bool
) -> None:
    if not rows or not columns or len(matrix) != len(rows):
        raise InputError(f"a heat map of {len(matrix)} rows needs as many labels, and at least one")
    if any(len(row) != len(columns) for row in matrix):
        raise InputError(f"every row of a heat map needs {len(columns)} cells, as it has labels")
    if max(len(rows), len(columns)) > MOST_CELLS:
        raise InputError(f"a heat map has at most {MOST_CELLS} rows and columns")
    if log and any(v is not None and v < 0 for row in matrix for v in row):
        raise InputError("a negative number has no place on a logarithmic scale: take its size")


def _cell(
    canvas: Canvas, corner: tuple[float, float], side: float, value: float | None, bar: Scale
) -> str:
    """Draw a cell; returns its kind."""
    if value is None:
        return "empty"
    if not math.isfinite(value):
        _crossed(canvas, corner, side)
        return "bad"
    if bar.log and value == 0:
        canvas.box(corner, side, side, ZERO)
        return "zero"
    canvas.box(corner, side, side, colour(bar(value)))
    return "number"


def _crossed(canvas: Canvas, corner: tuple[float, float], side: float) -> None:
    x, y = corner
    canvas.box(corner, side, side, NOTHING)
    canvas.line([(x, y), (x + side, y + side)], "s1", 1.2)
    canvas.line([(x + side, y), (x, y + side)], "s1", 1.2)


def _labels_beside(
    canvas: Canvas, rows: Sequence[Any], columns: Sequence[Any], left: float, side: float,
    height: float,
) -> None:  # fmt: skip
    for i in range(0, len(rows), math.ceil(16 / side)):
        at = TOP + side * (i + 0.5)
        canvas.words((left - 8, at), Words(str(rows[i]), inline((str(rows[i]),))), "end", 12)
    wide = 8.0 * max(len(str(c)) for c in columns) + 6
    for j in range(0, len(columns), math.ceil(wide / side)):
        at = left + side * (j + 0.5)
        words = Words(str(columns[j]), inline((str(columns[j]),)))
        canvas.words((at, TOP + height + 14), words, size=12)


def _colour_bar(
    canvas: Canvas, x: float, height: float, bar: Scale, name: Words, kinds: set[str]
) -> None:
    levels = 48
    for i in range(levels):
        corner = x, TOP + height * (levels - 1 - i) / levels
        # each a little longer than its part: no light shows between them
        canvas.box(corner, 14, height / levels + (0.5 if i else 0), colour((i + 0.5) / levels))
    for tick in bar.ticks:
        at = TOP + height * (1 - bar(tick))
        canvas.line([(x + 14, at), (x + 18, at)], INK)
        canvas.words((x + 23, at), figures(tick, bar.log), "start", 12)
    canvas.words((x + 92, TOP + height / 2), name, turn=True)
    at = TOP + height + 14
    if "zero" in kinds:
        canvas.box((x, at), 14, 14, ZERO)
        canvas.words((x + 23, at + 7), Words("zero", "zero"), "start", 12)
        at += 22
    if "bad" in kinds:
        _crossed(canvas, (x, at), 14)
        canvas.words((x + 23, at + 7), Words("not finite", "not finite"), "start", 12)


def _shades(
    matrix: Sequence[Sequence[float | None]], rows: Sequence[Any], columns: Sequence[Any]
) -> str:
    """The numbers of a heat map, at most twelve each way, for a terminal."""
    down, along = (range(0, len(n), math.ceil(len(n) / 12)) for n in (rows, columns))
    written = [["", *(str(columns[j]) for j in along)]]
    for i in down:
        cells = (matrix[i][j] for j in along)
        written.append([str(rows[i]), *("" if v is None else f"{v:.1e}" for v in cells)])
    return table(written)
