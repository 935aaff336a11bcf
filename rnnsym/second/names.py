"""Names of components that latex2sympy2 gives back as they were written.

What survives was found by trying: `\\mathit{…}` with letters, digits and colons does, and is read
four times as fast as a subscript. `e_{1}`, `I_{1}` and `\\pi_{1}` come back as constants, without
their subscript; a capital E is no letter to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["parameter", "vector", "adjoint", "gradient", "loss"]

_PREFIX: dict[str, str] = {"adjoint": "delta", "gradient": "grad"}


@dataclass(frozen=True)
class Quantity:
    """One component of something of a network: a number at a point.

    kind "vector" is a node, an input or a target at a time, "adjoint" its δ, "gradient" that of
    a parameter, "loss" the total loss. time is None for what has none; row and col count from 0.
    """

    kind: Kind
    name: str
    time: int | None
    row: int
    col: int = 0


class Names:
    """Quantity -> LaTeX, different for different quantities."""

    def __init__(self) -> None:
        self._bases: dict[str, str] = {}
        self._taken: set[str] = set()

    def latex(self, q: Quantity, columns: int = 1) -> str:
        """`\\mathit{a:2:1}` for entry 1 of a⟨2⟩, `\\mathit{Waa:1:2}` for an entry of W_aa.

        columns: how many the quantity has; a single one is not counted.
        """
        parts = [_PREFIX[q.kind]] if q.kind in _PREFIX else []
        parts.append(self._base(q.name))
        if q.time is not None:
            parts.append(str(q.time))
        if q.kind != "loss":
            parts.append(str(q.row + 1))
        if columns > 1:
            parts.append(str(q.col + 1))
        return r"\mathit{" + ":".join(parts) + "}"

    def _base(self, name: str) -> str:
        """Letters and digits only; two names of a network never become the same."""
        if name not in self._bases:
            letters = "".join(_letter(c) for c in name) or "x"
            base, count = letters, 1
            while base in self._taken:
                count += 1
                base = f"{letters}n{count}"
            self._taken.add(base)
            self._bases[name] = base
        return self._bases[name]


def _letter(c: str) -> str:
    if c == "_":
        return ""
    if c.isascii() and c.isalnum() and c != "E":
        return c
    return "ee" if c == "E" else f"u{ord(c):x}"
