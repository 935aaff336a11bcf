"""Expressions in other names: of another layer, or of the other direction of time.

Used by `layers` and `reversal`, which compare derivations expression by expression.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sympy import MatrixExpr, MatrixSymbol, Symbol, Tuple

from rnnsym.derive.step import Step
from rnnsym.nodes import Stack, TimeVector


class Renaming:
    """Renames vectors, parameters, stacked states and sizes; times stay, unless `time` is another.

    A subclass says what becomes of a name (of a stacked state: `label`) and of a time.
    """

    def name(self, name: str) -> str:
        raise NotImplementedError

    def label(self, name: str) -> str:
        return self.name(name)

    def time(self, time: Any) -> Any:
        return time

    def __call__(self, e: MatrixExpr) -> MatrixExpr:
        return self.resized(self.mapped(e))

    def resized(self, e: MatrixExpr) -> MatrixExpr:
        """The expression with its sizes renamed only."""
        sizes = {
            s: s.func(self.name(s.name), **s.assumptions0)
            for s in e.atoms(Symbol)
            if self.name(s.name) != s.name
        }
        renamed: MatrixExpr = e.xreplace(sizes)
        return renamed

    def step(self, step: Step) -> Step:
        """A step in the other names."""
        return replace(step, before=self(step.before), after=self(step.after))

    def mapped(self, e: Any) -> Any:
        """The expression with its leaves renamed; sizes are left."""
        if isinstance(e, TimeVector):
            return TimeVector(self.name(e.name), e.shape[0], self.time(e.time))
        if isinstance(e, MatrixSymbol):
            return MatrixSymbol(self.name(e.name), *e.shape)
        if isinstance(e, Stack):
            return Stack(self.label(e.name), map(self.mapped, e.parts), self.time(e.time))
        if not isinstance(e, MatrixExpr | Tuple):
            return e
        return e.func(*map(self.mapped, e.args))
