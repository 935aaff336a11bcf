"""One layer of a stack, whichever it is: its Jacobians in time and in depth, and its backward pass.

The equations that a layer between two others takes part in are its own and those of the layer
above. Derived for one layer, with the marks of the layers left open, they hold for each; `alike`
shows it, by comparing the layers of a stack with each other, expression by expression.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise

from sympy import MatrixExpr, MatrixSymbol, Symbol, Tuple

from rnnsym.derive.adjoint import AdjointSystem
from rnnsym.derive.closed import link_forms, transition_forms
from rnnsym.derive.step import Derivation, Scribe, Step
from rnnsym.errors import InputError
from rnnsym.network import Network
from rnnsym.nodes import Stack, TimeVector


def layer(net: Network, adjoints: AdjointSystem, mark: str) -> Derivation:
    """The derivation for the layer whose names end in `mark`, such as "_l2".

    Sections: one step in time, one step in depth, the backward pass, the gradients. Raises
    InputError if no state has that mark.
    """
    blocks = [b for b in adjoints.structure.blocks if all(n.endswith(mark) for n in b.names)]
    if not blocks:
        raise InputError(f"{net.name} has no states whose names end in {mark!r}")
    scribe = Scribe()
    scribe.section("One step in time")
    for block in blocks:
        scribe.extend(transition_forms(adjoints, block).steps)
    scribe.section("One step in depth")
    for block in blocks:
        for other, at in adjoints.links(block):
            scribe.extend(link_forms(adjoints, block, other.state(at)).steps)
    scribe.section("Backpropagation through time and depth")
    scribe.extend(s for s in adjoints.steps if s.before.of.name.endswith(mark))
    scribe.section("Gradients of the layer")
    results = [adjoints.result(w) for n, w in net.parameters.items() if n.endswith(mark)]
    scribe.extend(results)
    last = results[-1]
    return Derivation(net, last.before.by, tuple(scribe.steps), last.after, last.after)


class Renaming:
    """Expressions of one layer in the names of another."""

    def __init__(self, marks: Mapping[str, str], blocks: Mapping[str, str]) -> None:
        self.marks, self.blocks = dict(marks), dict(blocks)
        self.pattern = re.compile("(?:" + "|".join(map(re.escape, marks)) + ")$")

    @classmethod
    def up(cls, adjoints: AdjointSystem, layer: int) -> Renaming:
        """From a layer and its neighbours to the next layer and its neighbours."""
        marks = {f"_l{k}": f"_l{k + 1}" for k in (layer - 1, layer, layer + 1)}
        labels = {tuple(b.names): b.label for b in adjoints.structure.blocks}
        renaming = cls(marks, {})
        for names, label in labels.items():
            moved = tuple(map(renaming.name, names))
            if moved in labels:
                renaming.blocks[label] = labels[moved]
        return renaming

    def name(self, name: str) -> str:
        return self.pattern.sub(lambda m: self.marks[m[0]], name)

    def step(self, step: Step) -> tuple[MatrixExpr, MatrixExpr]:
        return self(step.before), self(step.after)

    def __call__(self, e: MatrixExpr) -> MatrixExpr:
        sizes = {s: s.func(self.name(s.name), **s.assumptions0) for s in e.atoms(Symbol)}
        renamed: MatrixExpr = self._mapped(e).xreplace(sizes)
        return renamed

    def _mapped(self, e: MatrixExpr) -> MatrixExpr:
        if isinstance(e, TimeVector):
            return TimeVector(self.name(e.name), e.shape[0], e.time)
        if isinstance(e, MatrixSymbol):
            return MatrixSymbol(self.name(e.name), *e.shape)
        if isinstance(e, Stack):
            return Stack(self.blocks.get(e.name, e.name), map(self._mapped, e.parts), e.time)
        if not isinstance(e, MatrixExpr | Tuple):
            return e
        return e.func(*map(self._mapped, e.args))


def alike(net: Network, adjoints: AdjointSystem, first: int, last: int) -> bool:
    """Whether the derivations for the layers `first` … `last` are the same but for their names.

    The layers must have one below and one above them.
    """
    found = [layer(net, adjoints, f"_l{k}") for k in range(first, last + 1)]
    for k, (lower, upper) in enumerate(pairwise(found), first):
        up = Renaming.up(adjoints, k)
        if [up.step(s) for s in lower] != [(s.before, s.after) for s in upper]:
            return False
    return True
