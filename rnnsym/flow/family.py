"""One matrix for each loss: an arithmetic in which every loss is followed by itself.

First of `rnnsym.flow`. A `Family` is what a backward pass sends from each loss, all computed at
once and never added up. It is linear in the losses, so that every operation of an adjoint equation
acts on each member alone, in whatever arithmetic lies below.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rnnsym.errors import NotSupportedError
from rnnsym.evaluate.arithmetic import Arithmetic

Matrix = Any


@dataclass(frozen=True, eq=False)
class Family:
    """A matrix for each time of a loss; zero for those that are not there.

    shape: of every member, those that are not there included.
    """

    shape: tuple[int, int]
    members: Mapping[int, Matrix]

    def map(self, function: Callable[[Matrix], Matrix], shape: tuple[int, int]) -> Family:
        """Each member by itself."""
        return Family(shape, {t: function(m) for t, m in self.members.items()})


class FamilyArithmetic:
    """An arithmetic of plain matrices of `base`, and of families of them.

    Raises NotSupportedError for what is not linear in the families: losses that depend on each
    other cannot be told apart.
    """

    def __init__(self, base: Arithmetic) -> None:
        self.base = base

    def array(self, rows: Any) -> Matrix:
        return self.base.array(rows)

    def shape(self, a: Matrix) -> tuple[int, int]:
        return a.shape if isinstance(a, Family) else self.base.shape(a)

    def full(self, rows: int, cols: int, number: Any) -> Matrix:
        return self.base.full(rows, cols, number)

    def eye(self, n: int) -> Matrix:
        return self.base.eye(n)

    def add(self, a: Matrix, b: Matrix) -> Matrix:
        if not isinstance(a, Family) and not isinstance(b, Family):
            return self.base.add(a, b)
        result = dict(self._members(a))
        for t, m in self._members(b).items():
            result[t] = self.base.add(result[t], m) if t in result else m
        return Family(self.shape(a), result)

    def _members(self, a: Matrix) -> Mapping[int, Matrix]:
        """The members of a summand beside a family: a plain matrix there can only be zero."""
        if isinstance(a, Family):
            return a.members
        if any(x != 0 for row in a.tolist() for x in row):
            raise NotSupportedError("a gradient has a part that belongs to no loss")
        return {}

    def _linear(self, f: Callable[[Matrix], Matrix], a: Matrix, shape: Any = None) -> Matrix:
        return a.map(f, shape or a.shape) if isinstance(a, Family) else f(a)

    def _bilinear(
        self, f: Callable[[Matrix, Matrix], Matrix], a: Matrix, b: Matrix, shape: tuple[int, int]
    ) -> Matrix:
        if isinstance(a, Family) and isinstance(b, Family):
            raise NotSupportedError("the loss of one step depends on that of another: no part of "
                                    "the gradient belongs to one of them alone")  # fmt: skip
        if isinstance(a, Family):
            return a.map(lambda m: f(m, b), shape)
        return b.map(lambda m: f(a, m), shape) if isinstance(b, Family) else f(a, b)

    def scale(self, number: Any, a: Matrix) -> Matrix:
        return self._linear(lambda m: self.base.scale(number, m), a)

    def matmul(self, a: Matrix, b: Matrix) -> Matrix:
        shape = self.shape(a)[0], self.shape(b)[1]
        return self._bilinear(self.base.matmul, a, b, shape)

    def hadamard(self, a: Matrix, b: Matrix) -> Matrix:
        return self._bilinear(self.base.hadamard, a, b, self.shape(a))

    def transpose(self, a: Matrix) -> Matrix:
        rows, cols = self.shape(a)
        return self._linear(self.base.transpose, a, (cols, rows))

    def blocks(self, rows: Sequence[Sequence[Matrix]]) -> Matrix:
        families = [b for row in rows for b in row if isinstance(b, Family)]
        if not families:
            return self.base.blocks(rows)
        times = dict.fromkeys(t for f in families for t in f.members)
        shape = sum(self.shape(row[0])[0] for row in rows), sum(self.shape(b)[1] for b in rows[0])
        return Family(
            shape,
            {t: self.base.blocks([[self._member(b, t) for b in row] for row in rows])
             for t in times},
        )  # fmt: skip

    def _member(self, a: Matrix, t: int) -> Matrix:
        members = self._members(a)
        return members[t] if t in members else self.base.full(*self.shape(a), 0)

    def apply(self, function: str, order: int, a: Matrix) -> Matrix:
        if isinstance(a, Family):
            raise NotSupportedError(f"{function} of a loss: the losses cannot be told apart")
        return self.base.apply(function, order, a)

    def softmax_shift(self, a: Matrix) -> Matrix | None:
        return self.base.softmax_shift(a)

    def detach(self, a: Matrix) -> Matrix:
        return self._linear(self.base.detach, a)
