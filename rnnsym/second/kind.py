"""Kind of evidence `latex2sympy2`: what is printed, read by somebody else's reader, is meant.

Component equations of the forward pass, of the derived backward pass and of the gradients are
printed, read back by latex2sympy2 in another process, and evaluated there at the case's numbers;
the outcome is held against `rnnsym.evaluate`, and the gradients against those under test.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rnnsym.errors import UnavailableError
from rnnsym.evaluate.arithmetic import NumpyArithmetic
from rnnsym.evaluate.trajectory import Trajectory
from rnnsym.second.components import Component, Components
from rnnsym.second.names import Quantity
from rnnsym.second.reading import Reading, read, require
from rnnsym.second.sample import chosen
from rnnsym.verify.adjoints import Adjoints, System, derived_system
from rnnsym.verify.case import TOLERANCE, Case, compare
from rnnsym.verify.report import Evidence, Findings

Array = Any


class Numbers:
    """The value of every quantity at a case's point, by the trusted evaluator."""

    def __init__(self, case: Case, system: System) -> None:
        ar = NumpyArithmetic()
        self.trajectory = Trajectory(case.net, case.point(ar), ar)
        self.adjoints = Adjoints(system, self.trajectory)
        self.total = self.trajectory.total_loss()
        self._known: dict[tuple[str, str, int | None], Array] = {}

    def matrix(self, q: Quantity) -> Array:
        """What q is a component of."""
        key = q.kind, q.name, q.time
        if key not in self._known:
            self._known[key] = self._matrix(q)
        return self._known[key]

    def _matrix(self, q: Quantity) -> Array:
        if q.kind == "loss":
            return self.total
        if q.kind == "gradient":
            return self.adjoints.gradient(q.name)
        if q.kind == "adjoint" and q.time is not None:
            first, last = self.trajectory.spans[q.name]
            if first <= q.time <= last:
                return self.adjoints.value((q.name, q.time))
            return self.adjoints.initial(q.name)
        return self.trajectory.value((q.name, q.time))

    def number(self, q: Quantity) -> float:
        return float(self.matrix(q)[q.row, q.col])


@dataclass
class Tally:
    """What was read with which value, what was not and why, and what disagrees."""

    read: list[tuple[Component, float]] = field(default_factory=list)
    unread: Counter[str] = field(default_factory=Counter)
    disagreements: list[str] = field(default_factory=list)
    worst: float = 0.0

    @property
    def count(self) -> int:
        return len(self.read) + self.unread.total()

    def text(self) -> str:
        """The counts in words."""
        parts = [f"read back {len(self.read)} of {self.count} component equations"]
        parts += [f"{n} cannot be read: {why}" for why, n in self.unread.most_common()]
        if self.disagreements:
            parts.append(f"{len(self.disagreements)} of what it read DISAGREE")
        return "; ".join(parts)


def latex2sympy2(case: Case) -> Findings:
    """Component equations, read back by latex2sympy2: all of them, or a sample if they are many.

    Raises UnavailableError where it cannot run, or can read no component of some gradient.
    """
    version = require()
    system = derived_system(case.net)
    components = Components(case.net, case.symbols, system)
    tally = tally_of(chosen(components, case.seed), Numbers(case, system))
    gradients = {n: _gradient(case, tally, n) for n in case.gradients}
    scope = f"drawn from {components.size}" if tally.count < components.size else "all there are"
    note = (
        f"latex2sympy2 {version}, a reader that shares no code with rnnsym, {tally.text()}; "
        f"forward equations, adjoints and gradients, {scope}"
    )
    return Findings(gradients, note, _loss(case, tally))


def tally_of(components: Iterable[Component], numbers: Numbers) -> Tally:
    """Have component equations read, both sides, and compare them with the evaluator's numbers."""
    tally, printed = Tally(), []
    for c in components:
        if c.why:
            tally.unread[c.why] += 1
        else:
            printed.append(c)
    texts = []
    for c in printed:
        values = {latex: numbers.number(q) for latex, q in c.uses.items()}
        texts += [(c.left, values), (c.right, values)]
    answers = iter(read(texts))
    for c, left, right in zip(printed, answers, answers, strict=True):
        _judge(c, left, right, numbers, tally)
    return tally


def _judge(c: Component, left: Reading, right: Reading, numbers: Numbers, tally: Tally) -> None:
    for side in (left, right):
        if side.value is None:
            tally.unread[f"{side.status}: {side.detail}"] += 1
            return
    assert left.value is not None and right.value is not None
    tally.read.append((c, right.value))
    ours = np.array(numbers.matrix(c.of), dtype=float)
    true = float(ours[c.of.row, c.of.col])
    theirs = ours.copy()
    theirs[c.of.row, c.of.col] = right.value
    found = compare(theirs, ours)
    tally.worst = max(tally.worst, found.error or 0.0)
    if left.value != true:
        tally.disagreements.append(f"{c.left} is read as {left.value:.10g}, is {true:.10g}")
    elif not found.ok:
        text = f"the right side of {c.left} is read as {right.value:.10g}, is {true:.10g}"
        tally.disagreements.append(text)


def _gradient(case: Case, tally: Tally, name: str) -> Evidence:
    """The components of one gradient that were read, against the gradient under test.

    Where some equation on the way to it disagrees, no gradient passes.
    """
    g = case.gradients[name]
    rows = case.net.parameters[name].rows.xreplace(case.symbols)
    truth = np.array(g, dtype=float).reshape(int(rows), -1)
    count = 0
    for c, value in tally.read:
        if (c.of.kind, c.of.name) == ("gradient", name):
            truth[c.of.row, c.of.col] = value
            count += 1
    if not count:
        why = "; ".join(tally.unread) or "no component was drawn"
        raise UnavailableError(f"latex2sympy2 cannot read the gradient by {name}: {why}")
    found = compare(g, truth.reshape(g.shape), read=count)
    if found.ok and tally.disagreements:
        error = max(found.error or 0.0, tally.worst)
        return Evidence(False, error, tally.disagreements[0], found.more)
    return found


def _loss(case: Case, tally: Tally) -> Evidence | None:
    for c, value in tally.read:
        if c.of.kind == "loss":
            return case.compare_loss(value, TOLERANCE)
    return None
