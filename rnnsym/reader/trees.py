"""Trees of frozen dataclasses with a place in the source: what both stages of the reader have.

Used by `syntax` and `terms`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

#: where a node stands, which is no part of it
PLACES = ("start", "end")


def parts(node: Any) -> dict[str, Any]:
    """What a node is made of, by the names of its fields."""
    return {f: getattr(node, f) for f in node.__dataclass_fields__ if f not in PLACES}


def rebuilt(x: Any, change: Callable[[Any], Any], kind: type) -> Any:
    """A node, or anything in one, with parts replaced: change(part) is the new part, or None where
    it is to be looked into. What is new is not looked into again. kind: what nodes are."""
    new = change(x)
    if new is not None:
        return new
    if isinstance(x, kind):
        inner: Any = x
        return replace(inner, **{f: rebuilt(y, change, kind) for f, y in parts(x).items()})
    return tuple(rebuilt(y, change, kind) for y in x) if isinstance(x, tuple) else x
