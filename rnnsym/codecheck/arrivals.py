"""Why a gradient by an input or an initial state is wrong: the catalogue, held against its numbers.

Part of the diagnosis, beside `search`, which explains the gradients by parameters. Inputs become
nodes of a network with the same values, so that what sends adjoints back to them is an equation
that can be mutated like any other.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sympy import Integer, MatrixExpr, Transpose

from rnnsym.algebra import add, terms
from rnnsym.codecheck.ground import SAME
from rnnsym.codecheck.points import MAIN, Point
from rnnsym.codecheck.report import Diagnosis
from rnnsym.codecheck.runs import Run
from rnnsym.codecheck.search import OF_A_TERM
from rnnsym.codecheck.words import Words
from rnnsym.errors import InputError, NotSupportedError
from rnnsym.network import Network
from rnnsym.nodes import Adjoint, TimeVector, leaves, t
from rnnsym.verify.adjoints import Circular, System
from rnnsym.verify.mutations import Catalogue

Array = NDArray[Any]

#: seconds of computing time for all mutants
SECONDS = 4.0


def with_nodes(net: Network) -> Network:
    """The same network with inputs that are nodes: x⟨t⟩ = (what is given)⟨t⟩."""
    given = {n: TimeVector(f"{n}_given", net.vectors[n].rows, t) for n in net.inputs}
    return Network(
        *((e.lhs, e.rhs) for e in net.source),
        *((net.vectors[n].at(t), v) for n, v in given.items()),
        output=net.output,
        inputs=[v.name for v in given.values()],
        targets=tuple(net.targets),
        name=net.name,
    )


class Arrivals:
    """What mutated backward passes send back to inputs and initial states."""

    def __init__(self, net: Network, runs: Sequence[Run], words: Words) -> None:
        self.net, self.words = net, words
        usable = [r for r in runs if r.outcome.error is None and (r.point.batch or 1) == 1]
        around = sorted(usable, key=lambda r: (abs(r.point.steps - MAIN), r.point.steps))
        self.runs = around[:1] + [r for r in around[1:] if r.point.steps > 1][:3]
        try:
            self.catalogue: Catalogue | None = Catalogue(with_nodes(net), sums=False)
        except (InputError, NotSupportedError):
            self.catalogue = None

    def explain(self, name: str, same: Collection[str] = ()) -> Diagnosis | None:
        """The mutation that has the values of a wrong gradient at every point, if there is one.

        same: kinds that explain gradients by parameters; of several mutations these come first.
        """
        if self.catalogue is None or not self.runs:
            return None
        right = self.catalogue.subject.system
        one = self._one_step(name)
        if one is not None:
            return one
        own = _variants(name, self._equation(name), self.catalogue)
        left = f"d{name}[t]" if name in self.net.inputs else f"d{name}0"
        fix = self.words.equation(left, self._equation(name))
        for kind, sentence, e in own:
            if all(self._fits(name, r, right, e) for r in self.runs):
                return Diagnosis((kind,), self.words.text(sentence), fix)
        found = list(self._matches(name))
        if not found:
            return None
        kind, place, sentence, system = min(found, key=lambda m: m[0] not in same)
        text = self.words.text(f"{sentence} ({place})" if place else sentence)
        if kind in OF_A_TERM:
            term = self.words.changed(right.equations, system.equations, OF_A_TERM[kind])
            text = f"{sentence}: {term}" if term else text
        return Diagnosis((kind,), text, self._fix(system))

    def _one_step(self, name: str) -> Diagnosis | None:
        """Where only the first or the last step of an input's gradient is there."""
        runs = [r for r in self.runs if r.point.steps > 1] if name in self.net.inputs else []
        for kind, word, k in (("last step only", "last", -1), ("first step only", "first", 0)):
            kept = []
            for run in runs:
                whole = run.point.true(name)
                kept.append(np.zeros_like(whole))
                kept[-1][k] = whole[k]
            if runs and all(r.equals(name, e) for r, e in zip(runs, kept, strict=True)):
                return Diagnosis((kind,), f"only the {word} step is there: the others are zero")
        return None

    def _equation(self, name: str) -> MatrixExpr:
        """What is sent back to an input at t, or to an initial state."""
        assert self.catalogue is not None
        system = self.catalogue.subject.system
        return system.equations[name] if name in self.net.inputs else system.initial[name]

    def _matches(self, name: str) -> Iterator[tuple[str, str, str, System]]:
        assert self.catalogue is not None
        stop = time.process_time() + SECONDS
        for kind, change, system in self.catalogue.changes:
            if time.process_time() > stop:
                return
            if all(self._fits(name, r, system) for r in self.runs):
                yield kind.name, change.place, kind.sentence, system

    def _fits(self, name: str, run: Run, system: System, e: MatrixExpr | None = None) -> bool:
        value = self.value(name, run.point, system, e)
        return run.distance(value, name) > SAME and run.equals(name, value)

    def value(self, name: str, point: Point, system: System, e: MatrixExpr | None = None) -> Array:
        """δ of an input at each step, or of an initial state, by a system; NaN if it has none.

        e: what is sent back, if not what the system says.
        """
        adjoints, shape = point.quick.passed(system), point.true(name).shape
        with np.errstate(all="ignore"):
            try:
                if name not in self.net.inputs:
                    sent = adjoints.before(name) if e is None else adjoints.gradient(e)
                    return np.reshape(sent, shape)
                first, last = adjoints.spans[name]
                steps = range(first, last + 1)
                if e is None:
                    return np.reshape([adjoints.value(name, i) for i in steps], shape)
                return np.reshape(
                    [adjoints.gradient(e.xreplace({t: Integer(i)})) for i in steps], shape
                )
            except Circular:
                return np.full(shape, np.nan)

    def _fix(self, system: System) -> str:
        """The right equations in the place of those that were changed, as code."""
        assert self.catalogue is not None
        right: Mapping[str, Any] = self.catalogue.subject.system.equations
        changed = [n for n, e in right.items() if system.equations[n] != e]
        return "; ".join(filter(None, (self.words.adjoint(n, right[n]) for n in changed[:3])))


def _variants(
    name: str, e: MatrixExpr, catalogue: Catalogue
) -> Iterator[tuple[str, str, MatrixExpr]]:
    """(kind, sentence, what is sent back): errors in the one equation of an arrival."""
    net = catalogue.net
    if name in net.initial_states:
        first = net.start(name) + (1 if net.lag_range(name)[1] > 0 else -1)
        yield (
            "missing weight",
            f"this is d{name} of the first step itself: it is not sent back through the equations "
            f"of that step",
            Adjoint(net.vectors[name].at(first)),
        )
    for d in leaves(e, Adjoint):
        for other in catalogue.subject.needed:
            node = net.equations[other].lhs
            if other != d.of.name and node.rows == d.of.rows and other in net.vectors:
                text = f"d{other} stands where d{d.of.name} belongs"
                yield "another adjoint", text, e.xreplace({d: Adjoint(node.at(d.of.time))})
    summands = terms(e)
    for k, term in enumerate(summands):
        others = [x for j, x in enumerate(summands) if j != k]
        if others:
            sent = ", ".join(f"d{d.of.name}" for d in leaves(term, Adjoint))
            yield "missing contribution", f"what {sent} sends back is missing", add(*others)
    for w in e.atoms(Transpose):
        if w.rows == w.cols:
            text = f"the transpose of {w.arg} is missing"
            yield "missing transpose", text, e.xreplace({w: w.arg})
