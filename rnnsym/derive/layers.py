"""One layer of a stack, whichever it is: its Jacobians in time and in depth, and its backward pass.

The equations that a layer between two others takes part in are its own and those of the layer
above. Derived for one layer, with the marks of the layers left open, they hold for each; `alike`
shows it, by comparing the layers of a stack with each other, expression by expression.
"""

from __future__ import annotations

import re
from itertools import pairwise

from rnnsym.derive.adjoint import AdjointSystem
from rnnsym.derive.closed import link_forms, transition_forms
from rnnsym.derive.renaming import Renaming
from rnnsym.derive.step import Derivation, Scribe
from rnnsym.errors import InputError
from rnnsym.network import Network


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


class Upwards(Renaming):
    """From a layer and its neighbours to the next layer and its neighbours."""

    def __init__(self, adjoints: AdjointSystem, layer: int) -> None:
        self.marks = {f"_l{k}": f"_l{k + 1}" for k in (layer - 1, layer, layer + 1)}
        self.pattern = re.compile("(?:" + "|".join(map(re.escape, self.marks)) + ")$")
        labels = {b.names: b.label for b in adjoints.structure.blocks}
        moved = {label: labels.get(tuple(map(self.name, names))) for names, label in labels.items()}
        self.labels = {label: other for label, other in moved.items() if other is not None}

    def name(self, name: str) -> str:
        return self.pattern.sub(lambda m: self.marks[m[0]], name)

    def label(self, name: str) -> str:
        return self.labels.get(name, name)


def alike(net: Network, adjoints: AdjointSystem, first: int, last: int) -> bool:
    """Whether the derivations for the layers `first` … `last` are the same but for their names.

    The layers must have one below and one above them.
    """
    found = [layer(net, adjoints, f"_l{k}") for k in range(first, last + 1)]
    for k, (lower, upper) in enumerate(pairwise(found), first):
        up = Upwards(adjoints, k)
        if [(up(s.before), up(s.after)) for s in lower] != [(s.before, s.after) for s in upper]:
            return False
    return True
