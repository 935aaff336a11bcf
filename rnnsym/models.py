"""Built-in models by name and options: ``elman``, ``gru:layers=2,bidirectional,reset=after``.

Puts copies of a cell, the output layer and the loss together into a Network. No cell is treated
differently from another: what differs stands in its own file in `rnnsym.cells`; how copies are
connected, in `rnnsym.compose`; at which steps there are inputs and outputs, in `rnnsym.topology`.
The networks that recurrent ones are compared with come from `rnnsym.neighbours`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnnsym.cells import CELLS, Cell
from rnnsym.compose import Plan, Stack, free_letter
from rnnsym.errors import InputError
from rnnsym.losses import LOSSES
from rnnsym.neighbours import NEIGHBOURS, Neighbour
from rnnsym.network import Network
from rnnsym.options import (
    ANY_LAYER,
    COMMON,
    FLAG,
    FORM,
    NOTATIONS,
    STRUCTURE,
    Numbers,
    configure,
    options_of,
    parse,
)
from rnnsym.topology import FEEDBACK, Choice, Topology, topology

__all__ = [
    "COMMON",
    "FORM",
    "MODELS",
    "NOTATIONS",
    "STRUCTURE",
    "Numbers",
    "build",
    "configure",
    "options_of",
    "parse",
]

#: every model by name
MODELS: dict[str, Cell | Neighbour] = {**CELLS, **NEIGHBOURS}


def plan_of(chosen: Mapping[str, str]) -> Plan:
    """How the copies of a cell are connected, from all options with their values.

    Raises InputError for what cannot be connected (see `rnnsym.compose.Plan`).
    """
    any_layer = chosen["layers"] == ANY_LAYER
    return Plan(
        layers=3 if any_layer else int(chosen["layers"]),
        open=any_layer,
        bidirectional=chosen["bidirectional"] == FLAG[1],
        residual=chosen["residual"] == FLAG[1],
        dense=chosen["dense"] == FLAG[1],
        shortcut=None if chosen["shortcut"] == FLAG[0] else int(chosen["shortcut"]),
        truncate=None if chosen["truncate"] == FLAG[0] else int(chosen["truncate"]),
        masked=chosen["masked"] == FLAG[1],
    )


def notations_of(cell: Cell, made: Stack) -> dict[str, dict[str, str]]:
    """The names of a cell's quantities in each notation, with one for residual outputs."""
    tables = {notation: dict(names) for notation, names in cell.notations.items()}
    if made.residual is not None:
        for names in tables.values():
            names[made.residual] = free_letter({*made.names, *names, *names.values()})
    return tables


def build(name: str, options: Mapping[str, str], kind: type[Network] = Network) -> Any:
    """The network of a built-in model, as an instance of `kind`.

    Raises InputError for an unknown model or option, naming those that exist.
    """
    if name not in MODELS:
        raise InputError(f"unknown model {name!r}: choose from {', '.join(MODELS)}")
    model = MODELS[name]
    chosen = configure(model, options)
    default = {key: values[0] for key, values in options_of(model).items()}
    equations, loss, about = (
        _recurrent(model, chosen) if isinstance(model, Cell) else _other(model, chosen)
    )
    about |= {
        "name": name + "".join(f",{k}={chosen[k]}" for k in options).replace(",", ":", 1),
        "target_kind": LOSSES[chosen["loss"]].targets,
        "options": {
            k: v
            for k, v in chosen.items()
            if k not in FORM and not (k in STRUCTURE and v == default[k])
        },
    }
    net = kind(*equations, loss=loss, **about)
    if chosen["compact"] == FLAG[1]:
        from rnnsym.derive.compact import compact

        about.pop("reference", None)
        return kind(*compact(net), **{**about, "output": net.output})
    return net


#: equations, the loss, and what the network has to be told besides
Parts = tuple[tuple[str, ...], str, dict[str, Any]]


def _recurrent(cell: Cell, chosen: Mapping[str, str]) -> Parts:
    feedback = chosen["feedback"] if chosen["feedback"] in FEEDBACK else None
    choice = Choice(cell.equations(chosen), plan_of(chosen), _head(chosen), feedback)
    made = topology(chosen["type"], choice)
    notations = notations_of(cell, made.stack)
    about = {"notations": notations, "reference": cell.reference, **made.arguments}
    return made.equations, _loss(chosen, made), about


def _other(model: Neighbour, chosen: Mapping[str, str]) -> Parts:
    written = model.equations({**chosen, "head": _head(chosen)})
    return (written,), chosen["loss"], model.arguments(chosen)


def _head(chosen: Mapping[str, str]) -> str:
    return "g_y" if chosen["output"] == "g" else chosen["output"]


def _loss(chosen: Mapping[str, str], made: Topology) -> str:
    """The loss by name; of padded steps, which count for nothing, as an equation."""
    if chosen["masked"] == FLAG[0] or made.time != "t":
        return chosen["loss"]
    return f"L[t] = {made.mask}[t] * ({LOSSES[chosen['loss']].rhs})"
