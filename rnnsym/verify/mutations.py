"""The catalogue of mutations: gradients that are wrong in the ways people get them wrong.

Takes the right backward pass and sum of Jacobian products of a network and spoils one thing at a
time; what `rnnsym.verify.exact` does not refute, it cannot be trusted with. The same catalogue
explains wrong formulas: one that equals a mutant has the mutant's error. `python -m
rnnsym.verify.mutations` counts who finds them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sympy import MatrixExpr

from rnnsym.derive.calculus import Calculus
from rnnsym.errors import InputError
from rnnsym.evaluate.point import shape
from rnnsym.evaluate.trajectory import Truth
from rnnsym.network import Network
from rnnsym.verify.adjoints import Adjoints, System
from rnnsym.verify.mutated_code import CODE_KINDS
from rnnsym.verify.mutated_names import NAME_KINDS
from rnnsym.verify.mutated_places import PLACE_KINDS
from rnnsym.verify.mutated_sums import SUM_KINDS, variants
from rnnsym.verify.mutated_systems import KINDS as SYSTEM_KINDS
from rnnsym.verify.mutation_subject import Change, Kind, Subject

__all__ = [
    "KINDS",
    "NAME_KINDS",
    "SUM_KINDS",
    "Catalogue",
    "Evaluation",
    "Mutant",
    "Subject",
    "mutants",
]

Matrix = Any

#: the kinds that change the backward pass
KINDS = [*SYSTEM_KINDS, *CODE_KINDS, *PLACE_KINDS]


@dataclass(frozen=True)
class Mutant:
    """A gradient by one parameter that is (nearly always) wrong.

    Either a changed adjoint system (`system`), or a changed sum of products (`formula`, a row
    dL/d vec θ). alone: whether the change is in this gradient only, and not in the adjoints.
    """

    kind: str
    sentence: str
    place: str
    parameter: str
    system: System | None = None
    formula: MatrixExpr | None = None
    alone: bool = False

    @property
    def text(self) -> str:
        """The error in words, and where it sits."""
        return f"{self.sentence} ({self.place})" if self.place else self.sentence


class Evaluation:
    """Values of mutants at one point; adjoints that several of them share are computed once."""

    def __init__(self, truth: Truth) -> None:
        self.truth = truth
        self._adjoints: dict[tuple[int, int | None], Adjoints] = {}

    def value(self, mutant: Mutant) -> Matrix:
        """The mutant's gradient, in the shape of its parameter."""
        system = mutant.system
        if system is None:
            row = self.truth.evaluator()(mutant.formula)
            return self._in_shape(mutant.parameter, row)
        # mutants that share a table of equations share its values, whatever their gradients are
        key = id(system.equations), system.chunk
        if key not in self._adjoints:
            self._adjoints[key] = Adjoints(system, self.truth.plain)
        return self._adjoints[key].evaluate(system.gradients[mutant.parameter])

    def _in_shape(self, name: str, row: Matrix) -> Matrix:
        """A row dL/d vec θ (column-major) as a matrix in the shape of θ."""
        w = self.truth.net.parameters[name]
        rows, cols = shape(w, self.truth.point.symbols)
        entries = [[row[0, j * rows + i] for j in range(cols)] for i in range(rows)]
        return self.truth.base.array(entries)


def mutants(net: Network, parameter: str) -> Iterator[Mutant]:
    """Every mutation of the catalogue that touches the gradient by a parameter.

    Some may equal the right gradient after all (a transpose of a symmetric expression, say);
    `rnnsym.verify.contest.differs` tells.
    """
    if parameter not in net.parameters:
        raise InputError(
            f"unknown parameter {parameter!r}: choose from {', '.join(net.parameters)}"
        )
    yield from Catalogue(net).of(parameter)


class Catalogue:
    """All mutants of a network; what they share is derived once."""

    def __init__(self, net: Network, kinds: Sequence[Kind] = KINDS, sums: bool = True) -> None:
        """kinds: those of the backward pass; sums: whether to add those of the sums of products."""
        self.net, self.subject = net, Subject(net)
        self.kinds, self.sums = kinds, sums
        self.calculus = Calculus(net)

    @cached_property
    def changes(self) -> list[tuple[Kind, Change, System]]:
        """Every change with the system that it leads to, shared by all parameters."""
        right = self.subject.system
        return [
            (
                kind,
                change,
                System(
                    {**right.equations, **change.equations}
                    if change.equations
                    else right.equations,
                    {**right.gradients, **change.gradients},
                    right.initial,
                    change.chunk,
                ),
            )
            for kind in self.kinds
            for change in kind.apply(self.subject)
        ]

    def of(self, parameter: str) -> Iterator[Mutant]:
        """The mutants of the gradient by one parameter."""
        for kind, change, system in self.changes:
            if self._touches(parameter, change):
                alone = not change.equations and change.chunk is None
                place = change.place
                yield Mutant(kind.name, kind.sentence, place, parameter, system, alone=alone)
        found = variants(self.net, parameter, self.calculus) if self.sums else ()
        for sum_kind, place, formula in found:
            text = sum_kind.sentence
            yield Mutant(sum_kind.name, text, place, parameter, formula=formula, alone=True)

    def _touches(self, parameter: str, change: Change) -> bool:
        if change.chunk is not None or parameter in change.gradients:
            return True
        return any(self.subject.depends(parameter, name) for name in change.equations)


if __name__ == "__main__":
    from rnnsym.verify.contest import main

    raise SystemExit(main())
