"""Matrices of which a size is open: blocks of zeros beside others, and the I of a ⊗ I.

Used by `values`. `[0; X]` is X with a place above it where rows of zeros are missing; how many is
settled by what it is multiplied with, added to or compared with.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from rnnsym.claims.errors import CannotError, MisfitError, SizeNeededError

Matrix = Any


@dataclass(frozen=True)
class Value:
    """A matrix; vec, covec: its columns, or rows, are those of vec(W) for a W of this shape; kind:
    a constant that takes its size from its neighbours ("one", "identity", "zero"), of which m
    is the number that it is multiplied by; rows, cols: before which rows and columns of m zeros
    are missing; kron: m ⊗ I ("right") or I ⊗ m ("left") is meant, where the size of I is open.
    """

    m: Matrix
    vec: tuple[int, int] | None = None
    kind: str = ""
    rows: tuple[int, ...] = ()
    cols: tuple[int, ...] = ()
    kron: str = ""
    covec: tuple[int, int] | None = None
    derived: bool = False  # a derivative, or a product of some
    turned: bool = False  # vec, covec: what is meant is the transpose of that matrix
    ones: str = ""  # of a "one": a vector of ones is meant, a "column" or a "row"

    @property
    def is_open(self) -> bool:
        """Whether its size is not settled."""
        return bool(self.rows or self.cols or self.kron)


def closed(v: Value) -> Value:
    """The same; raises CannotError if its size is open."""
    if v.is_open:
        raise CannotError("the size of a block of zeros, or of I, is not determined")
    return v


def fit(values: Any, v: Value, rows: int | None = None, cols: int | None = None) -> Value:
    """The value with so many rows or columns, where these are open. Raises MisfitError."""
    if v.kron:
        return _with_identity(values, v, rows, cols)
    if rows is not None and v.rows:
        height, width = values.ar.shape(v.m)
        parts, start = [], 0
        for place, missing in _spread(values, v.rows, rows - height):
            parts += _lines(values, v.m, start, place)
            start = place
            if missing:
                parts.append(values.ar.full(missing, width, 0))
        parts += _lines(values, v.m, start, height)
        v = replace(v, m=values.ar.blocks([[x] for x in parts]), rows=())
    if cols is not None and v.cols:
        turned = Value(values.ar.transpose(v.m), rows=v.cols)
        v = replace(v, m=values.ar.transpose(fit(values, turned, cols).m), cols=())
    return v


def _lines(values: Any, m: Matrix, start: int, end: int) -> list[Matrix]:
    """Some rows of a matrix, as a list of one matrix or none."""
    width = values.ar.shape(m)[1]
    if start == end:
        return []
    return [values.entries([[(i, j) for j in range(width)] for i in range(start, end)], m)]


def _spread(values: Any, places: tuple[int, ...], missing: int) -> list[tuple[int, int]]:
    """How many of the missing lines belong to each place: where several blocks of zeros are open,
    the judge tries the sizes that there are."""
    if missing < 0:
        raise MisfitError("blocks that are larger together than what they stand beside")
    if missing < len(places):
        raise MisfitError("there is no room for a block of zeros")
    if len(places) == 1:
        return [(places[0], missing)]
    scene = values.scene
    if scene.split is None:
        raise SizeNeededError("the sizes of several blocks of zeros are not determined")
    found = [x for x in product(scene.block_sizes, repeat=len(places)) if sum(x) == missing]
    if not found:
        raise MisfitError("no sizes of the blocks of zeros fit")
    scene.splits = max(scene.splits, len(found))
    return list(zip(places, found[scene.split % len(found)], strict=True))


def _with_identity(values: Any, v: Value, rows: int | None, cols: int | None) -> Value:
    if rows is None and cols is None:
        return v
    height, width = values.ar.shape(v.m)
    whole, part = (rows, height) if rows is not None else (cols, width)
    assert whole is not None
    if whole % part:
        raise MisfitError(f"a Kronecker product with I has no {whole} rows or columns")
    size = whole // part
    return Value(
        values.kron(v.m, values.ar.eye(size))
        if v.kron == "right"
        else values.kron(values.ar.eye(size), v.m),
        (size, width) if v.kron == "right" and height == 1 else None,
        covec=(size, height) if v.kron == "right" and width == 1 else None,
    )


def chained(values: Any, a: Value, b: Value) -> tuple[Value, Value]:
    """The factors of a matrix product with one inner size."""
    if a.kron and b.kron:
        raise CannotError("the size of I is not determined")
    if b.kron:
        return a, fit(values, b, rows=_cols(values, a))
    if a.kron:
        return fit(values, a, cols=_rows(values, b)), b
    if a.cols and b.rows:
        if a.cols != b.rows or _cols(values, a) != _rows(values, b):
            raise CannotError("the sizes of blocks of zeros are not determined")
        return replace(a, cols=()), replace(b, rows=())
    if a.cols:
        return fit(values, a, cols=_rows(values, b)), b
    if b.rows:
        return a, fit(values, b, rows=_cols(values, a))
    return a, b


def _rows(values: Any, v: Value) -> int:
    found: int = values.ar.shape(v.m)[0]
    return found


def _cols(values: Any, v: Value) -> int:
    found: int = values.ar.shape(v.m)[1]
    return found


def alike(values: Any, a: Value, b: Value) -> tuple[Value, Value]:
    """Two matrices that are added, compared or multiplied entry by entry, in one shape."""
    if a.kron and b.kron:
        if a.kron != b.kron:
            raise CannotError("the size of I is not determined")
        return a, b
    if a.kron or b.kron:
        if a.kron:
            return fit(values, a, rows=_rows(values, closed(b))), b
        return a, fit(values, b, rows=_rows(values, closed(a)))
    for axis, size in (("rows", _rows), ("cols", _cols)):
        x, y = getattr(a, axis), getattr(b, axis)
        n, k = size(values, a), size(values, b)
        if x and y:
            if (x, n) == (y, k):
                continue
            n = k = n + k  # [X; 0] beside [0; Y]: one block each
        if x:
            a = fit(values, a, **{axis: k})
        if y:
            b = fit(values, b, **{axis: n})
    return a, b


def joined(values: Any, grid: list[list[Value]]) -> Value:
    """A matrix of blocks; constants in it take the size that the others leave them."""
    if len({len(row) for row in grid}) != 1:
        raise MisfitError("rows of blocks of different lengths")
    columns = list(zip(*grid, strict=True))
    heights = [_known(values, row, 0) for row in grid]
    widths = [_known(values, column, 1) for column in columns]
    for i, row in enumerate(grid):
        for j, v in enumerate(row):
            if v.kind == "identity":
                heights[i] = heights[i] or widths[j]
                widths[j] = widths[j] or heights[i]
    plain = not any(heights + widths) and all(v.kind != "identity" for row in grid for v in row)
    for sizes, lines in ((heights, grid), (widths, columns)):
        for i, line in enumerate(lines):
            if not sizes[i] and any(v.kind == "identity" for v in line):
                sizes[i] = _assumed(values)
            if not sizes[i] and (plain or any(v.kind == "one" for v in line)):
                sizes[i] = 1
    below, beside = _open_lines(grid, "rows"), _open_lines(columns, "cols")
    rows = [
        [_block(values, v, heights[i], widths[j]) for j, v in enumerate(row) if widths[j]]
        for i, row in enumerate(grid)
        if heights[i]
    ]
    if not rows or not rows[0]:
        return Value(values.ar.full(1, 1, 0), kind="zero")
    shapes = [[values.ar.shape(m) for m in row] for row in rows]
    if any(len({height for height, _ in row}) != 1 for row in shapes):
        raise MisfitError("blocks of different heights side by side")
    if len({tuple(width for _, width in row) for row in shapes}) != 1:
        raise MisfitError("blocks of different widths on top of each other")
    return Value(values.ar.blocks(rows), rows=_gaps(heights, below), cols=_gaps(widths, beside))


def _open_lines(lines: Any, axis: str) -> list[tuple[int, ...]]:
    """Where zeros are missing inside of the blocks of each line."""
    found = []
    for line in lines:
        patterns = {getattr(v, axis) for v in line if not v.kind}
        if len(patterns) > 1:
            raise CannotError("the sizes of blocks of zeros are not determined")
        found.append(patterns.pop() if patterns else ())
    return found


def _assumed(values: Any) -> int:
    """The size that the judge tries for an I that nothing beside it determines."""
    size: int | None = values.scene.identity_size
    if size is None:
        raise SizeNeededError("the size of I is not determined")
    return size


def _known(values: Any, line: Any, axis: int) -> int:
    """The height of a row of blocks, or the width of a column; 0 if nothing in it has one."""
    for v in line:
        if not v.kind and not v.kron:
            found: int = values.ar.shape(v.m)[axis]
            return found
    return 0


def _block(values: Any, v: Value, height: int, width: int) -> Matrix:
    if v.kind:
        return values.sized(v, Value(values.ar.full(height, width, 0))).m
    return fit(values, v, height, width).m if v.kron else v.m


def _gaps(sizes: list[int], inner: list[tuple[int, ...]]) -> tuple[int, ...]:
    """Where lines are missing, counted in the lines that are there."""
    places, at = [], 0
    for size, within in zip(sizes, inner, strict=True):
        places += [at + place for place in within] if size else [at]
        at += size
    return tuple(places)
