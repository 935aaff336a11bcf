"""Statements about numbers in a document: printed as SymPy prints them, names and all.

Between `rnnsym.flow`, `rnnsym.remedies`, `rnnsym.errata`, whose records hold relations of SymPy's
scalars, and the requests that show them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from sympy import Basic, latex, sstr, sympify

from rnnsym.nodes import TimeVector, is_parameter

#: what SymPy writes, and what all who read LaTeX know
PORTABLE = (
    (r"\begin{matrix}", r"\begin{matrix} "),
    (r"\text{for}\:", r"\text{for } "),
    (r"\\1 ", r"\\ 1 "),
)
#: names that are LaTeX in braces, as text
WORDS = (
    (r"\lVert", "‖"), (r"\rVert", "‖"), (r"\theta", "θ"), (r"\sigma", "σ"), (r"\cdots", "⋯"),
    (r"\operatorname", ""), (r"\max_i", "max "), (r"\max", "max"), ("{", ""), ("}", ""),
)  # fmt: skip


class Plain(Basic):
    """A relation or expression of SymPy's own, which no notation of rnnsym renames."""

    def __new__(cls, e: Any) -> Plain:
        return Basic.__new__(cls, sympify(e))

    @property
    def free_symbols(self) -> set[Basic]:
        """None: the printers leave its names as they are."""
        return set()

    def _latex(self, printer: Any) -> str:
        text = str(latex(self.args[0]))
        for theirs, ours in PORTABLE:
            text = text.replace(theirs, ours)
        return text

    def _sympystr(self, printer: Any) -> str:
        text = re.sub(r"\s+", " ", sstr(self.args[0]))
        for theirs, ours in WORDS:
            text = text.replace(theirs, ours)
        return text


def shown(e: Any) -> Any:
    """An expression as it is to be printed: `Plain` if nothing of the calculus is in it."""
    if isinstance(e, str):
        return e
    if not isinstance(e, Basic):
        e = sympify(e).as_immutable() if hasattr(e, "as_immutable") else sympify(e)
    ours = e.has(TimeVector) or any(is_parameter(node) for node in _nodes(e))
    return e if ours or isinstance(e, Plain) else Plain(e)


def prose(parts: Iterable[Any]) -> tuple[Any, ...]:
    """Text with mathematics in it, each expression as it is to be printed."""
    return tuple(map(shown, parts))


def _nodes(e: Basic) -> Iterable[Basic]:
    agenda = [e]
    while agenda:
        node = agenda.pop()
        yield node
        agenda += node.args
