"""Built-in models by name and options: ``elman``, ``gru:layers=2,bidirectional,reset=after``.

Puts copies of a cell, the output layer and the loss together into a Network. No cell is treated
differently from another: what differs stands in its own file in `rnnsym.cells`; how copies are
connected, in `rnnsym.compose`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnnsym.cells import CELLS, Cell
from rnnsym.compose import MAX_LAYERS, MAX_SHORTCUT, MIN_SHORTCUT, Plan, Stack, free_letter
from rnnsym.errors import InputError
from rnnsym.losses import LOSSES
from rnnsym.network import Network
from rnnsym.topology import FEEDBACK, TYPES, Choice, Topology, topology

MAX_CHUNK = 10_000
MAX_SPEC = 500
NOTATIONS = ("post", "goodfellow", "d2l", "pytorch", "karpathy")

#: the values of an option that is named without a value to switch it on; Python's are taken too
FLAG = ("no", "yes")
TRUTH = {"False": "no", "True": "yes"}


class Numbers(tuple[str, ...]):
    """The values of an option that is a whole number from `first` to `last`.

    As a tuple they are listed in short, ("1", "2", "…", "64"); `in` asks whether a text is one of
    them. `other` is a value that is no number, then the default; `why` says of values that could
    be expected here why they are none.
    """

    every: frozenset[str]
    why: Mapping[str, str]

    def __new__(
        cls, first: int, last: int, other: str | None = None, why: Mapping[str, str] | None = None
    ) -> Numbers:
        start = () if other is None else (other,)
        numbers = super().__new__(cls, (*start, str(first), str(first + 1), "…", str(last)))
        numbers.every = frozenset((*start, *map(str, range(first, last + 1))))
        numbers.why = dict(why or {})
        return numbers

    def __contains__(self, value: object) -> bool:
        return value in self.every


#: the options that every cell has; the first value is the default
COMMON: dict[str, tuple[str, ...]] = {
    "activation": ("tanh", "sigmoid", "relu", "identity", "softplus", "g"),
    "output": ("softmax", "sigmoid", "identity", "g"),
    "loss": tuple(LOSSES),
    "notation": NOTATIONS,
    "compact": FLAG,
    "layers": Numbers(1, MAX_LAYERS),
    "bidirectional": FLAG,
    "residual": FLAG,
    "dense": FLAG,
    "shortcut": Numbers(
        MIN_SHORTCUT, MAX_SHORTCUT, FLAG[0], {"1": "one step back is the recurrence itself"}
    ),
    "type": TYPES,
    "feedback": ("by type", *FEEDBACK),
    "truncate": Numbers(1, MAX_CHUNK, FLAG[0]),
    "masked": FLAG,
}

#: options that say how the same equations are written: no part of `Network.options`
FORM = ("compact",)

#: options that say how copies of the cell are connected: part of it where they are not the default
STRUCTURE = (
    *("layers", "bidirectional", "residual", "dense", "shortcut"),
    *("type", "feedback", "truncate", "masked"),
)

#: the loss that belongs to an output, where it is not the default
NATURAL = {"identity": "squared_error", "sigmoid": "binary_cross_entropy"}


def options_of(cell: Cell) -> dict[str, tuple[str, ...]]:
    """The options of a cell and their values, the default first."""
    return {**COMMON, **cell.options}


def parse(spec: str) -> tuple[str, dict[str, str]]:
    """``NAME[:key=value,…]`` as a name and options. Raises InputError for anything else."""
    if not isinstance(spec, str) or len(spec) > MAX_SPEC:
        raise InputError(f"a model is a text NAME[:key=value,…] of at most {MAX_SPEC} characters")
    name, _, rest = spec.partition(":")
    options: dict[str, str] = {}
    for item in filter(None, (part.strip() for part in rest.split(","))):
        key, equals, value = (s.strip() for s in item.partition("="))
        if not equals:  # a flag
            value = FLAG[1]
        if key in options:
            raise InputError(f"option {key!r} is given twice")
        options[key] = value
    return name.strip(), options


def configure(cell: Cell, options: Mapping[str, str]) -> dict[str, str]:
    """All options of a cell with their values; raises InputError for unknown ones.

    Where no loss is named, it is the one that belongs to the output.
    """
    table = options_of(cell)
    chosen = {key: values[0] for key, values in table.items()}
    for key, value in options.items():
        if key not in table:
            raise InputError(f"unknown option {key!r}: {cell.name} has {', '.join(table)}")
        if table[key] == FLAG:
            value = TRUTH.get(value, value)
        if value not in table[key]:
            if value == FLAG[1]:  # named as a flag is
                raise InputError(f"option {key} needs a value: {key}={'|'.join(table[key])}")
            why = getattr(table[key], "why", {}).get(value, "")
            choice = f"choose from {', '.join(table[key])}"
            raise InputError(f"{key}={value!r}: " + (f"{why}; {choice}" if why else choice))
        chosen[key] = value
    if "loss" not in options:
        chosen["loss"] = NATURAL.get(chosen["output"], chosen["loss"])
    return chosen


def plan_of(chosen: Mapping[str, str]) -> Plan:
    """How the copies of a cell are connected, from all options with their values.

    Raises InputError for what cannot be connected (see `rnnsym.compose.Plan`).
    """
    return Plan(
        layers=int(chosen["layers"]),
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
    if name not in CELLS:
        raise InputError(f"unknown model {name!r}: choose from {', '.join(CELLS)}")
    cell = CELLS[name]
    chosen = configure(cell, options)
    output = "g_y" if chosen["output"] == "g" else chosen["output"]
    feedback = chosen["feedback"] if chosen["feedback"] in FEEDBACK else None
    choice = Choice(cell.equations(chosen), plan_of(chosen), output, feedback)
    made = topology(chosen["type"], choice)
    default = {key: values[0] for key, values in options_of(cell).items()}
    about: dict[str, Any] = {
        "name": name + "".join(f",{k}={chosen[k]}" for k in options).replace(",", ":", 1),
        "notations": notations_of(cell, made.stack),
        "options": {
            k: v
            for k, v in chosen.items()
            if k not in FORM and not (k in STRUCTURE and v == default[k])
        },
    }
    about |= made.arguments
    about["target_kind"] = LOSSES[chosen["loss"]].targets
    loss = _loss(chosen, made)
    net = kind(*made.equations, loss=loss, reference=cell.reference, **about)
    if chosen["compact"] == FLAG[1]:
        from rnnsym.derive.compact import compact

        return kind(*compact(net), **{**about, "output": net.output})
    return net


def _loss(chosen: Mapping[str, str], made: Topology) -> str:
    """The loss by name; of padded steps, which count for nothing, as an equation."""
    if chosen["masked"] == FLAG[0] or made.time != "t":
        return chosen["loss"]
    return f"L[t] = {made.mask}[t] * ({LOSSES[chosen['loss']].rhs})"
