"""The contribution of each use of a parameter to the gradient of each loss.

dL⟨t⟩/dW = Σ_k (what the use of W at step k adds): the (t, k) of the double sum. Each loss is
multiplied by an input of its own, the derived adjoint equations are those of this network, and the
input of step t holds the unit of loss t (`family`): all losses are followed back at once, and none
is mixed with another. Any network, any arithmetic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from sympy import Integer, MatrixExpr, S

from rnnsym.algebra import mul, tr
from rnnsym.derive.adjoint import AdjointSystem, shaped
from rnnsym.errors import InputError
from rnnsym.evaluate.arithmetic import Arithmetic
from rnnsym.evaluate.point import Point
from rnnsym.evaluate.trajectory import Trajectory
from rnnsym.flow.distance import distances
from rnnsym.flow.family import Family, FamilyArithmetic
from rnnsym.network import Network
from rnnsym.nodes import Adjoint, TimeVector, t
from rnnsym.verify.adjoints import Adjoints, System

Matrix = Any


class Use(NamedTuple):
    """A step at which a parameter is used, and the name of the length of its sequence."""

    sequence: str
    time: int

    def __str__(self) -> str:
        return str(self.time)


@dataclass(frozen=True, eq=False)
class Contributions:
    """The double sum, term by term, in an arithmetic.

    losses: the times t of the losses; uses: the steps k, sequence by sequence; terms: (t, use) ->
    a matrix in the shape of the parameter, for those pairs that a path connects; distances:
    (t, use) -> the number of steps between them; values: t -> L⟨t⟩.
    """

    losses: tuple[int, ...]
    uses: tuple[Use, ...]
    terms: Mapping[tuple[int, Use], Matrix]
    distances: Mapping[tuple[int, Use], int]
    values: Mapping[int, Matrix]
    ar: Arithmetic

    def total(self) -> Matrix:
        """The sum of all terms: the gradient of the whole loss; None if there are no terms."""
        result: Matrix = None
        for term in self.terms.values():
            result = term if result is None else self.ar.add(result, term)
        return result


def contributions(net: Network, wrt: str, point: Point, ar: Arithmetic) -> Contributions:
    """Every term of the gradient by a parameter, at a point in an arithmetic.

    Raises InputError for what is no parameter, NotSupportedError where the losses of different
    steps depend on each other.
    """
    if wrt not in net.parameters:
        raise InputError(f"unknown parameter {wrt!r}: {net.name} has {', '.join(net.parameters)}")
    with_gates, gate = gated(net)
    w, loss = with_gates.parameters[wrt], with_gates.loss.name
    first, last = (point.number(e) for e in (net.spans[loss].first, net.spans[loss].last))
    losses = tuple(range(first, last + 1))
    units = [Family((1, 1), {time: ar.eye(1)}) for time in losses]
    point = replace(point, sequences={**point.sequences, gate: units})
    trajectory = Trajectory(with_gates, point, FamilyArithmetic(ar))
    values = {time: trajectory.value((loss, time)).members[time] for time in losses}
    derived = AdjointSystem(with_gates)
    initial = {name: derived.initial(name) for name in with_gates.initial}
    adjoints = Adjoints(System(derived.equations, {}, initial), trajectory)
    places: dict[Use, list[tuple[str, int]]] = {}
    terms: dict[tuple[int, Use], Matrix] = {}
    # the last step first: what it needs is what the one before needs, too
    for name, time, expression in reversed(_uses(derived, w, trajectory)):
        use = Use(sequence_of(with_gates, name), time)
        places.setdefault(use, []).append((name, time))
        value = adjoints.evaluate(expression)
        for t_, term in getattr(value, "members", {}).items():
            key = t_, use
            terms[key] = ar.add(terms[key], term) if key in terms else term
    order = {name: i for i, name in enumerate(net.lengths)}
    uses = tuple(sorted(places, key=lambda use: (order.get(use.sequence, -1), use.time)))
    far: dict[tuple[int, Use], int] = {}
    for time in losses:
        ways = distances(trajectory, (loss, time))
        for use in uses:
            reached = [ways[place] for place in places[use] if place in ways]
            if reached:
                far[time, use] = min(reached)
    return Contributions(losses, uses, terms, far, values, ar)


def gated(net: Network) -> tuple[Network, str]:
    """The network with its loss multiplied by a further input, a number, and the input's name."""
    gate = "m_loss"
    while gate in net.vectors or gate in net.parameters:
        gate += "_"
    loss = net.loss
    number = TimeVector(gate, S.One, loss.time)
    equations = [
        (e.lhs, mul(number, e.rhs) if e.lhs.name == loss.name else e.rhs) for e in net.source
    ]
    made = Network(
        *equations,
        output=net.output,
        inputs=[*net.inputs, gate],
        targets=list(net.targets),
        target_kind=net.target_kind,
        lengths={n: span.last.name for n, span in net.spans.items() if span.last.is_Symbol
                 and not span.single},
        name=net.name,
    )  # fmt: skip
    return made, gate


def _uses(derived: AdjointSystem, w: Any, run: Trajectory) -> list[tuple[str, int, MatrixExpr]]:
    """(node, time, what this use adds to the gradient) for every use of a parameter."""
    net = derived.net
    found = []
    for name, e in net.initial.items():
        if e.rhs.has(w):
            term = shaped(tr(Adjoint(e.lhs)), derived.local.of(e.lhs, w), w)
            found.append((name, run.starts[name], term))
    terms = derived.gradient_terms(w)
    spans = {name: run.spans[name] for name, _ in terms}
    for time in sorted({i for first, last in spans.values() for i in range(first, last + 1)}):
        for name, term in terms:
            if spans[name][0] <= time <= spans[name][1]:
                found.append((name, time, term.xreplace({t: Integer(time)})))
    return found


def sequence_of(net: Network, name: str) -> str:
    """The name of the length of the sequence that a node belongs to."""
    span = net.spans[name]
    symbols = sorted(map(str, span.last.free_symbols))
    return symbols[0] if symbols else next(iter(net.lengths), "T")
