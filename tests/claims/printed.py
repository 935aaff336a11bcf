"""Networks, and everything that a derivation of them prints: equations with their ranges."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sympy import MatrixExpr

from rnnsym.claims.conditions import Condition
from rnnsym.latex import LatexPrinter
from rnnsym.nodes import Adjoint, t
from rnnsym.reader.indices import Index, read_index
from rnnsym.reader.tokens import tokens
from rnnsym.verify.adjoints import derived_system

#: one network of each kind
SAMPLE = (
    "elman",
    "lstm:layers=2",
    "gru:reset=after,activation=g",
    "elman:layers=2,bidirectional,residual",
    "elman:type=encoder-decoder",
    "lstm:truncate=2,masked",
)
GRID = (
    *SAMPLE,
    "lstm",
    "gru",
    "elman:layers=2",
    "lstm:layers=3,dense",
    "elman:shortcut=3",
    "lstm:shortcut=2",
    "lstm:type=many-to-one",
    "gru:type=one-to-many",
    "elman:type=one-to-many,feedback=target",
    "elman:activation=g,output=g,loss=squared_error",
    "elman:activation=relu,output=sigmoid,loss=binary_cross_entropy",
    "elman:activation=softplus,output=identity",
    "elman:compact",
    "gru:compact,layers=2",
    "elman:layers=l",
    "lstm:layers=l,residual",
    "elman:bidirectional,masked,truncate=3",
    "gru:type=encoder-decoder,layers=2",
    "lstm:type=encoder-decoder,bidirectional",
)


@dataclass(frozen=True)
class Printed:
    """left relation right, as expressions and as LaTeX, for the stated choices of the indices."""

    left: MatrixExpr
    relation: str
    right: MatrixExpr
    sides: tuple[str, str]
    where: tuple[tuple[Any, Any, Any], ...]
    conditions: tuple[Condition, ...]

    @property
    def latex(self) -> str:
        return self.sides[0] + (" = " if self.relation == "=" else r" \neq ") + self.sides[1]


class Prints:
    """Prints equations of a network in a notation."""

    def __init__(self, net: Any, notation: str) -> None:
        self.net = net
        self.printer = LatexPrinter(notation, net.notations.get(notation))

    def equation(
        self, left: Any, relation: str, right: Any, where: Any = (), fixed: Any = None
    ) -> Printed:
        conditions = [c for index, first, last in where for c in self._range(index, first, last)]
        if fixed is not None:
            lengths = self.net.lengths or ["T"]
            conditions += [Condition(Index.of(n), "=", Index(fixed)) for n in lengths]
        sides = self.printer(left), self.printer(right)
        return Printed(left, relation, right, sides, tuple(where), tuple(conditions))

    def _range(self, *limits: Any) -> Iterator[Condition]:
        index, first, last = (read_index(tokens(self.printer.scalar(x))) for x in limits)
        assert index is not None
        # a limit such as ⌊t/2⌋ + 1 may be met at the border only
        if first is not None:
            yield Condition(first, "≤", index)
        if last is not None:
            yield Condition(index, "≤", last)

    def derivations(self, subjects: Any, steps: int | None = None) -> Iterator[Printed]:
        """The steps of derivations, each equation once."""
        seen = set()
        for subject in subjects:
            derivation = self.net.derive(subject)
            if steps is not None:
                derivation = derivation.at(steps)
            for step in derivation.steps:
                key = step.before, step.relation, step.after, step.where
                if key not in seen:
                    seen.add(key)
                    yield self.equation(
                        step.before, step.relation, step.after, step.where, fixed=steps
                    )

    def adjoints(self) -> Iterator[Printed]:
        """The equations of the backward pass, and the gradients made of it."""
        net, system = self.net, derived_system(self.net)
        for name, e in system.equations.items():
            span = net.spans[name]
            where = span.where
            yield self.equation(Adjoint(net.vectors[name].at(span.time)), "=", e, where)
        for name, e in system.gradients.items():
            from rnnsym.nodes import Gradient

            yield self.equation(Gradient(net.total_loss, net.parameters[name]), "=", e)
        for name, e in system.initial.items():
            yield self.equation(Adjoint(net.vectors[name].at(net.start(name))), "=", e)


__all__ = ["GRID", "SAMPLE", "Printed", "Prints", "t"]
