"""The network of a layer alone: its states, with what is sent back to them given from outside.

For functions such as `rnn_forward(x, h0, …)` and `rnn_backward(dh, cache)`, which have no output
and no loss: the gradients that they return for given dh are those of Σ_t dh⟨t⟩ᵀ h⟨t⟩.
"""

from __future__ import annotations

from collections.abc import Callable

from rnnsym.codecheck.faults import STAGES, ProcessFailed, Uncallable
from rnnsym.codecheck.report import CodeReport
from rnnsym.errors import InputError
from rnnsym.network import LOSS, Network
from rnnsym.nodes import Blocks, TimeVector, leaves, t, time_vectors

#: the names of what is sent back, and of the states of two directions in one vector
UPSTREAM, BOTH = "d", "h"


def either(judged: Callable[[bool], CodeReport], layer: bool | None) -> CodeReport:
    """The report on a pair of functions as a layer (True) or as the whole network, as is said.

    If nothing is said: as the whole network, if it cannot be judged as a layer. Raises InputError
    with the message of the attempt that got further.
    """
    if layer is not None:
        return judged(layer)
    try:
        return judged(True)
    except ProcessFailed:
        raise
    except InputError as error:
        as_layer = error
    try:
        return judged(False)
    except Uncallable as as_network:
        if not isinstance(as_layer, Uncallable):
            raise as_layer from None
        one, other = STAGES.index(as_layer.where), STAGES.index(as_network.where)
        if one > other or as_layer.where == as_network.where == "result":
            raise as_layer from None
        if other > one or as_layer.where == "adapter":
            raise
        raise InputError(
            f"as a layer without output {as_layer}; as the whole network {as_network}; "
            f"layer=True or layer=False gives one of the two messages"
        ) from None


def layer_of(net: Network) -> Network:
    """The network without its output and loss; its target is what the output sends back.

    The states that the output is computed from are the layer's output, those of two directions
    side by side. Raises InputError where there is no such layer.
    """
    if net.output in net.states or not any(v in net.states for v in _used(net, net.output)):
        raise InputError(
            f"{net.name} has no output apart from its states: a pair (forward, backward) is "
            f"checked as a layer, without the output"
        )
    states = [v for v in dict.fromkeys(_used(net, net.output)) if v in net.states]
    needed, agenda = set[str](), list(states)
    while agenda:
        name = agenda.pop()
        if name not in needed:
            needed.add(name)
            source = next((e for e in net.source if e.lhs.name == name), None)
            if source is not None:
                agenda += [v.name for v in time_vectors(source.rhs)]
    equations = [(e.lhs, e.rhs) for e in net.source if e.lhs.name in needed]
    output = net.vectors[states[0]].at(t)
    if len(states) > 1:  # two directions, side by side
        parts = [net.vectors[s].at(t) for s in states]
        output = TimeVector(_free(BOTH, net), sum(p.rows for p in parts), t)
        equations.append((output, Blocks([[p] for p in parts])))
    upstream = TimeVector(_free(UPSTREAM, net), output.rows, t)
    return Network(
        *equations,
        (TimeVector(LOSS, 1, t), upstream.T * output),
        output=output.name,
        inputs=tuple(n for n in net.inputs if n in needed),
        targets=(upstream.name,),
        name=f"the layer of {net.name}",
    )


def _free(name: str, net: Network) -> str:
    """A name that the network does not use."""
    while name in net.vectors or name in net.parameters:
        name += "_"
    return name


def _used(net: Network, output: str) -> list[str]:
    source = next(e for e in net.source if e.lhs.name == output)
    return [v.name for v in leaves(source.rhs, TimeVector)]
