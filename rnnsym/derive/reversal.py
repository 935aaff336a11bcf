"""Time reversal: t becomes T + 1 - t, and what ran forwards runs backwards.

Applied to a derivation it gives the derivation for a state that runs the other way. That the two
are the same, expression by expression, shows that nothing new has to be derived for the backward
direction of a bidirectional network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sympy import MatrixExpr, Tuple
from sympy.core.sympify import _sympify as sympify

from rnnsym.derive.renaming import Renaming
from rnnsym.derive.step import Derivation, Step
from rnnsym.nodes import TimeProduct, TimeSum


@dataclass(frozen=True)
class Reversal(Renaming):
    """What becomes of an expression when time is reversed.

    last: the length of the sequence, T; names: vectors, stacked states, parameters and sizes that
    get other names, such as those of the forward direction that become those of the backward one.
    """

    last: Any
    names: Mapping[str, str]

    def time(self, time: Any) -> Any:
        """T + 1 - time, with T + 1 - i for every index i in it: t - 1 becomes t + 1."""
        indices = sympify(time).free_symbols - {self.last}
        return self.last + 1 - sympify(time).xreplace({i: self.last + 1 - i for i in indices})

    def name(self, name: str) -> str:
        return self.names.get(name, name)

    def mapped(self, e: Any) -> Any:
        return self._ranged(e) if isinstance(e, TimeSum | TimeProduct) else super().mapped(e)

    def _ranged(self, e: TimeSum | TimeProduct) -> MatrixExpr:
        """The index runs over the mirrored range, in the other order."""
        body = self.mapped(e.body)
        limits = Tuple(e.index, self.time(e.upper), self.time(e.lower))
        if isinstance(e, TimeSum):
            return TimeSum(body, limits)
        return TimeProduct(body, limits, -e.order)

    def step(self, step: Step) -> Step:
        """A step in reversed time; its index runs over the mirrored range."""
        where = tuple((i, self.time(last), self.time(first)) for i, first, last in step.where)
        return replace(super().step(step), where=where)


def same(reversal: Reversal, forward: Derivation, backward: Derivation, section: str) -> list[Step]:
    """The steps of a section of the forward derivation whose reversal is the corresponding step of
    the backward one, expression by expression; all of them, if reversal is all that differs."""
    pairs = zip(forward.section(section), backward.section(section), strict=False)
    found = []
    for ahead, back in pairs:
        mirrored = reversal.step(ahead)
        if (mirrored.before, mirrored.after) == (back.before, back.after):
            found.append(back)
    return found
