"""Matrices that do not change with time: parameters, parts of them, and blocks of both.

What a product in the graph multiplies by. Known here are shapes and which parts belong together;
`rnnsym.emit.expressions` prints them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from sympy import Expr, Integer, MatrixExpr, S

Span = tuple[Expr, Expr]


@dataclass(frozen=True)
class Matrix:
    """A matrix that does not change with time: an expression of parameters, or a part of one."""

    expr: MatrixExpr
    transposed: bool = False
    rows: Span | None = None  # of the matrix as it stands in `expr`
    cols: Span | None = None

    def span(self, axis: int) -> Span | None:
        """Which rows (axis 0) or columns (axis 1) of `expr` are meant, if not all."""
        return self.cols if axis else self.rows

    def cut(self, axis: int, span: Span | None) -> Matrix:
        """The same with other rows or columns."""
        return replace(self, cols=span) if axis else replace(self, rows=span)

    @property
    def height(self) -> Expr:
        """The length of its product with a vector."""
        part, whole = (self.cols, 1) if self.transposed else (self.rows, 0)
        return part[1] - part[0] if part else self.expr.shape[whole]

    def top(self, start: Expr, stop: Expr) -> Matrix:
        """The part that gives the entries start … stop of the product."""
        if self.transposed:
            return replace(self, cols=_inside(self.cols, start, stop))
        return replace(self, rows=_inside(self.rows, start, stop))

    def left(self, start: Expr, stop: Expr) -> Matrix:
        """The part that multiplies the entries start … stop of the vector."""
        if self.transposed:
            return replace(self, rows=_inside(self.rows, start, stop))
        return replace(self, cols=_inside(self.cols, start, stop))


@dataclass(frozen=True)
class Blocks:
    """Several matrices, all transposed or none: below each other, or side by side.

    Below each other they give, for one vector, the products below each other; side by side they
    give, for vectors below each other, the sum of the products.
    """

    parts: tuple[Matrix, ...]
    below: bool

    @property
    def height(self) -> Expr:
        """The length of its product with a vector."""
        heights = [m.height for m in self.parts]
        return sum(heights, S.Zero) if self.below else heights[0]

    @property
    def axis(self) -> int:
        """Along which axis the matrices, as they stand in `expr`, are concatenated."""
        return int(self.below == self.parts[0].transposed)

    @property
    def common(self) -> Matrix:
        """Which part of the concatenated matrices is used, and whether transposed."""
        first = self.parts[0].cut(self.axis, None)
        across = 1 - self.axis
        width = first.expr.shape[across]
        alike = all(
            m.span(across) == first.span(across) and m.expr.shape[across] == width
            for m in self.parts
        )
        return first if alike else first.cut(across, None)

    @property
    def concatenated(self) -> list[Matrix]:
        """What is to be concatenated: the matrices without what `common` says of all of them."""
        alike = self.common.span(1 - self.axis) is not None
        return [m.cut(1 - self.axis, None) if alike else m for m in self.parts]


def side_by_side(parts: Sequence[Matrix]) -> Matrix | Blocks:
    """[M₁ M₂ …]; neighbouring parts of one matrix are one part of it."""
    return _joined(parts, int(not parts[0].transposed)) or Blocks(tuple(parts), below=False)


def below_each_other(parts: Sequence[Matrix | Blocks]) -> Matrix | Blocks | None:
    """[M₁; M₂; …], if that can be told; neighbouring parts of one matrix are one part of it."""
    plain = [m for m in parts if isinstance(m, Matrix)]
    if len(plain) == len(parts):
        if any(m.transposed != plain[0].transposed for m in plain):
            return None
        return _joined(plain, int(plain[0].transposed)) or Blocks(tuple(plain), below=True)
    blocks = [m for m in parts if isinstance(m, Blocks) and not m.below]
    if len(blocks) < len(parts) or len({len(m.parts) for m in blocks}) > 1:
        return None
    columns = [
        _joined(c, int(c[0].transposed)) for c in zip(*(m.parts for m in blocks), strict=True)
    ]
    whole = tuple(c for c in columns if c is not None)
    return Blocks(whole, below=False) if len(whole) == len(columns) else None


def _joined(parts: Sequence[Matrix], axis: int) -> Matrix | None:
    """Parts that are neighbours along an axis of one matrix, as one part of it."""
    first, last = parts[0].span(axis), parts[-1].span(axis)
    if any(m.cut(axis, None) != parts[0].cut(axis, None) for m in parts):
        return None
    ends = [(a.span(axis), b.span(axis)) for a, b in pairwise(parts)]
    if not first or not last or any(not a or not b or a[1] != b[0] for a, b in ends):
        return None
    start, stop = first[0], last[1]
    whole = (start, stop) == (0, parts[0].expr.shape[axis])
    return parts[0].cut(axis, None if whole else (start, stop))


def span_of(spans: Iterable[Span]) -> Span:
    """From where the first begins to where the last ends, sizes being positive."""
    ordered = sorted(spans, key=lambda span: order(span[0]))
    return ordered[0][0], ordered[-1][1]


def order(e: Expr) -> int:
    """A number by which places in one array can be sorted: each size counted as 1."""
    return int(e.xreplace({s: Integer(1) for s in e.free_symbols}))


def _inside(part: Span | None, start: Expr, stop: Expr) -> Span:
    return (part[0] + start, part[0] + stop) if part else (start, stop)
