"""Expressions as plain text, for comments and docstrings: δ_a⟨t⟩ = W_yaᵀ δ_z⟨t⟩ + …

The terminal's printer with the names of the code: each goes through
`rnnsym.emit.names.identifier`, so no text of a user's gets into source.
"""

from __future__ import annotations

from typing import Any

from sympy import Basic, MatrixExpr, Symbol

from rnnsym.emit.names import identifier
from rnnsym.latex.text import TextPrinter
from rnnsym.nodes import Adjoint, Stack, TimeVector


class _CodePrinter(TextPrinter):
    """Unicode text in which everything is called what it is called in the code."""

    def symbol(self, e: MatrixExpr, transposed: bool = False) -> str:
        node = e.of if isinstance(e, Adjoint) else e
        name = identifier(node.name)
        if isinstance(e, Adjoint):
            name = f"δ_{name}"
        if isinstance(node, TimeVector | Stack):
            name += f"⟨{self.scalar(node.time)}⟩"
        return name + ("ᵀ" if transposed else "")

    def call(self, function: str, order: int, argument: str) -> str:
        return f"{identifier(function)}{'′' * order}({argument})"

    def scalar(self, e: Any) -> str:
        safe = {s: Symbol(identifier(s.name)) for s in getattr(e, "free_symbols", ())}
        return super().scalar(e.xreplace(safe) if safe else e)


_PRINTER = _CodePrinter()


def text(e: Basic) -> str:
    """An expression as one line of text."""
    return _PRINTER(e)


def size_text(e: Any) -> str:
    """A size or a time: n_a, n_f+n_b, t-1."""
    return _PRINTER.scalar(e)
