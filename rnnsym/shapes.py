"""Sizes to be found: union-find over the dimensions of shapes.

Used by `rnnsym.equations`: every use of a name says that some dimensions are equal; the shapes of
all weights and vectors follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sympy import Integer, Symbol

from rnnsym.errors import InputError


class Dim:
    """A size to be found: a node of a union-find forest, possibly a sum of others."""

    def __init__(self, size: Any = None, parts: Sequence[Dim] = ()) -> None:
        self.parent: Dim | None = None
        self.size, self.parts = size, tuple(parts)

    def root(self) -> Dim:
        dim = self
        while dim.parent is not None:
            dim = dim.parent
        return dim


def unify(a: Dim, b: Dim) -> bool:
    """Make two sizes one; False if they are known to differ."""
    a, b = a.root(), b.root()
    if a is b:
        return True
    if a.parts and b.parts:
        return len(a.parts) == len(b.parts) and all(map(unify, a.parts, b.parts))
    if a.size is not None and b.size is not None:
        return bool(a.size == b.size)
    if (a.size is not None and b.parts) or (a.parts and b.size is not None):
        return False
    if a.size is not None or a.parts:
        a, b = b, a
    if _within(a, b):  # n = n + m has no solution in sizes
        return False
    a.parent = b
    return True


def _within(a: Dim, b: Dim) -> bool:
    return any(part.root() is a or _within(a, part.root()) for part in b.parts)


ONE = Dim(Integer(1))

Shape = tuple[Dim, Dim]


def show(shape: Shape) -> str:
    """A shape for a message; what is not known yet is a question mark."""

    def one(dim: Dim) -> str:
        dim = dim.root()
        if dim.parts:
            return "+".join(one(p) for p in dim.parts)
        return "?" if dim.size is None else str(dim.size)

    return f"({one(shape[0])}, {one(shape[1])})"


def named_size(name: str, size: Any) -> Any:
    """A size as the user gives it, a name or a positive integer. Raises InputError otherwise."""
    if str(size) in ("t", "T"):
        raise InputError(f"size of {name}: {size} is the name of a time; choose another, n_{name}")
    if isinstance(size, str) and size.isidentifier():
        return Symbol(size, integer=True, positive=True)
    if isinstance(size, int) and not isinstance(size, bool) and size > 0:
        return Integer(size)
    if isinstance(size, Symbol):
        return size
    raise InputError(f"size of {name}: {size!r} is neither a name nor a positive integer")
