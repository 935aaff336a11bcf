"""Which steps have an input and which an output: the types of recurrent networks.

Between `rnnsym.compose`, which connects copies of a cell, and `rnnsym.models`. Each type is the
text of equations around one or two stacks of cells: an output at every step (many-to-many), after
the last one (many-to-one), from one input on (one-to-many), or from a second sequence that begins
where the first one ended (encoder-decoder; Sutskever, Vinyals & Le 2014, arXiv 1409.3215; Cho et
al. 2014). What a generated sequence continues from is its own prediction, or the given target
(teacher forcing; Williams & Zipser 1989).
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from rnnsym.compose import MASK, Plan, Stack, detached, stack
from rnnsym.errors import InputError

TYPES = ("many-to-many", "many-to-one", "one-to-many", "encoder-decoder")
FEEDBACK = ("prediction", "target")

#: what a type continues from unless it is told
CONTINUES = {"one-to-many": "prediction", "encoder-decoder": "target"}


@dataclass(frozen=True)
class Choice:
    """What is to be built: the cell's equations, how its copies are connected, the output's
    function, the type, and what a generated sequence continues from."""

    cell: str
    plan: Plan
    output: str
    feedback: str | None = None


@dataclass(frozen=True)
class Topology:
    """Equations, and what `rnnsym.network.Network` has to be told besides.

    stack: the stack that the output is read from; time: when there is an output, "t" or "T";
    mask: the input that is 0 where an output is padding, if there are masks.
    """

    equations: tuple[str, ...]
    stack: Stack
    time: str = "t"
    mask: str = MASK
    arguments: Mapping[str, Any] = field(default_factory=dict)


def topology(kind: str, choice: Choice) -> Topology:
    """The equations of a type. Raises InputError for what it cannot be combined with."""
    if choice.feedback is not None and kind not in CONTINUES:
        raise InputError(
            f"feedback={choice.feedback}: a network of type={kind} is given its whole input; it is "
            f"for type={' or '.join(CONTINUES)}"
        )
    made = BUILDERS[kind](choice)
    if choice.plan.masked:
        masks = dict.fromkeys((MASK, made.mask))
        inputs = {"inputs": ("x", *masks), "sizes": dict.fromkeys(masks, 1)}
        made = replace(made, arguments={**made.arguments, **inputs})
    return made


def _head(choice: Choice, source: str, time: str = "t") -> str:
    return f"y_hat[{time}] = {choice.output}(W_ya @ {source} + b_y)"


def _many_to_many(choice: Choice) -> Topology:
    made = stack(choice.cell, choice.plan)
    return Topology((*made.equations, _head(choice, made.output)), made)


def _many_to_one(choice: Choice) -> Topology:
    made = stack(choice.cell, choice.plan)
    return Topology((*made.equations, _head(choice, made.at_the_end("T"), "T")), made, "T")


def _one_to_many(choice: Choice) -> Topology:
    _refuse(choice, "one-to-many", "bidirectional", "the steps to come have not been generated yet")
    _refuse(choice, "one-to-many", "masked", "there is one input only")
    made = stack(choice.cell, choice.plan, _fed_back(choice))
    equations = [*made.equations, _head(choice, made.output)]
    if _continues(choice, "one-to-many") == "prediction":
        equations.append("y_hat[0] = x[1]")
    else:
        equations += ["v[t] = y[t]", "v[0] = x[1]"]
    return Topology(tuple(equations), made, arguments={"output": "y_hat"})


def _encoder_decoder(choice: Choice) -> Topology:
    encoder = stack(choice.cell, choice.plan, suffix="_enc")
    forwards = replace(choice.plan, bidirectional=False, masked=False)
    source = "y[t-1]"
    if _continues(choice, "encoder-decoder") == "prediction":
        source = _detached("y_hat[t-1]", choice.plan)
    decoder = stack(choice.cell, forwards, source, "_dec")
    states = [
        f"{name}_dec{forwards.suffix(layer)}[0] = {encoder.final(name, layer, 'T_x')}"
        for layer in range(1, forwards.layers + 1)
        for name in decoder.carried
    ]
    equations = (*encoder.equations, *decoder.equations, *states, _head(choice, decoder.output))
    lengths = {"y": "T_y"}
    return Topology(
        equations, decoder, mask=f"{MASK}_y", arguments={"lengths": lengths, "output": "y_hat"}
    )


def _continues(choice: Choice, kind: str) -> str:
    return choice.feedback or CONTINUES[kind]


def _fed_back(choice: Choice) -> str:
    if _continues(choice, "one-to-many") == "prediction":
        return _detached("y_hat[t-1]", choice.plan)
    return "v[t-1]"


def _detached(vector: str, plan: Plan) -> str:
    if plan.truncate is None:
        return vector
    return ast.unparse(detached(ast.parse(vector, mode="eval").body, plan.truncate))


def _refuse(choice: Choice, kind: str, option: str, why: str) -> None:
    if getattr(choice.plan, option):
        raise InputError(f"{option} does not go with type={kind}: {why}")


BUILDERS: dict[str, Callable[[Choice], Topology]] = {
    "many-to-many": _many_to_many,
    "many-to-one": _many_to_one,
    "one-to-many": _one_to_many,
    "encoder-decoder": _encoder_decoder,
}
