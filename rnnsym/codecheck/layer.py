"""The network of a layer or a cell alone, with what is sent back to its states given from outside.

For functions such as `rnn_forward(x, h0, …)` and `rnn_backward(dh, cache)`, which have no output
and no loss: the gradients that they return for given dh are those of Σ_t dh⟨t⟩ᵀ h⟨t⟩. A cell is
judged at one step, where every state is sent something back: dhᵀ h + dcᵀ c.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from sympy import MatAdd

from rnnsym.codecheck.faults import STAGES, ProcessFailed, Uncallable
from rnnsym.codecheck.report import CodeReport
from rnnsym.errors import InputError
from rnnsym.network import LOSS, Network
from rnnsym.nodes import Blocks, TimeVector, leaves, t, time_vectors

#: the names of what is sent back, and of the states of two directions in one vector
UPSTREAM, BOTH = "d", "h"
#: how the name of what is sent back to a state of a cell begins
SENT = "d"


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
    equations = _equations(net, states)
    at = next(e.lhs.time for e in net.source if e.lhs.name == net.output)  # every step, or the last
    output = net.vectors[states[0]].at(at)
    if len(states) > 1:  # two directions, side by side
        parts = [net.vectors[s].at(at) for s in states]
        output = TimeVector(_free(BOTH, net), sum(p.rows for p in parts), at)
        equations.append((output, Blocks([[p] for p in parts])))
    upstream = TimeVector(_free(UPSTREAM, net), output.rows, at)
    return Network(
        *equations,
        (TimeVector(LOSS, 1, at), upstream.T * output),
        output=output.name,
        inputs=_inputs(net, equations),
        targets=(upstream.name,),
        name=f"the layer of {net.name}",
    )


def cell_of(net: Network, words: Collection[str]) -> Network:
    """The network of one step: its targets are what is sent back to each state, called d and its
    name, and to the output, if its target is among the words.

    Raises InputError where a name is not free, or no state is carried on. What is sent back to an
    output that is squashed is taken as sent behind that.
    """
    ends = list(net.initial_states)
    if SENT + net.output in words and net.output not in ends:
        ends.append(net.output)
    taken = [SENT + n for n in ends if SENT + n in (*net.vectors, *net.parameters)]
    if taken or not net.initial_states:
        why = f"{taken[0]} is something else there" if taken else "no state is carried on"
        raise InputError(f"{net.name} cannot be judged as a cell: {why}")
    equations = _equations(net, ends)
    vectors = [net.vectors[n].at(t) for n in ends]
    sent = [TimeVector(SENT + v.name, v.rows, t) for v in vectors]
    first, *others = (d.T * v for d, v in zip(sent, vectors, strict=True))
    return Network(
        *equations,
        (TimeVector(LOSS, 1, t), MatAdd(first, *others) if others else first),
        output=ends[-1],
        inputs=_inputs(net, equations),
        targets=tuple(d.name for d in sent),
        name=f"the cell of {net.name}",
    )


def _equations(net: Network, ends: Sequence[str]) -> list[tuple[Any, Any]]:
    """The equations that some vectors are computed by."""
    needed, agenda = set[str](), list(ends)
    while agenda:
        name = agenda.pop()
        if name not in needed:
            needed.add(name)
            source = next((e for e in net.source if e.lhs.name == name), None)
            if source is not None:
                agenda += [v.name for v in time_vectors(source.rhs)]
    return [(e.lhs, e.rhs) for e in net.source if e.lhs.name in needed]


def _inputs(net: Network, equations: Sequence[tuple[Any, Any]]) -> tuple[str, ...]:
    used = {v.name for _, rhs in equations for v in time_vectors(rhs)}
    return tuple(n for n in net.inputs if n in used)


def _free(name: str, net: Network) -> str:
    """A name that the network does not use."""
    while name in net.vectors or name in net.parameters:
        name += "_"
    return name


def _used(net: Network, output: str) -> list[str]:
    source = next(e for e in net.source if e.lhs.name == output)
    return [v.name for v in leaves(source.rhs, TimeVector)]
