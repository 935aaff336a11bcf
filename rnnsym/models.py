"""Built-in models by name and options: ``elman``, ``gru:reset=after,loss=squared_error``.

Puts a cell's equations, the output layer and the loss together into a Network. No cell is
treated differently from another: what differs stands in its own file in `rnnsym.cells`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnnsym.cells import CELLS, Cell
from rnnsym.errors import InputError
from rnnsym.losses import LOSSES
from rnnsym.network import Network

MAX_SPEC = 500
NOTATIONS = ("post", "goodfellow", "d2l", "pytorch", "karpathy")

#: the values of an option that is named without a value to switch it on
FLAG = ("no", "yes")

#: the options that every cell has; the first value is the default
COMMON: dict[str, tuple[str, ...]] = {
    "activation": ("tanh", "sigmoid", "relu", "identity", "softplus", "g"),
    "output": ("softmax", "sigmoid", "identity", "g"),
    "loss": tuple(LOSSES),
    "notation": NOTATIONS,
    "compact": FLAG,
    "layers": ("1",),
}

#: options that say how many and in what form, not which equations: no part of `Network.options`
FORM = ("compact", "layers")


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
    for key, value in options.items():
        if key not in table:
            raise InputError(f"unknown option {key!r}: {cell.name} has {', '.join(table)}")
        if value not in table[key]:
            if value == FLAG[1]:  # named as a flag is
                raise InputError(f"option {key} needs a value: {key}={'|'.join(table[key])}")
            raise InputError(f"{key}={value!r}: choose from {', '.join(table[key])}")
    chosen = {key: str(options.get(key, values[0])) for key, values in table.items()}
    if "loss" not in options:
        chosen["loss"] = NATURAL.get(chosen["output"], chosen["loss"])
    return chosen


def build(name: str, options: Mapping[str, str], kind: type[Network] = Network) -> Any:
    """The network of a built-in model, as an instance of `kind`.

    Raises InputError for an unknown model or option, naming those that exist.
    """
    if name not in CELLS:
        raise InputError(f"unknown model {name!r}: choose from {', '.join(CELLS)}")
    cell = CELLS[name]
    chosen = configure(cell, options)
    output = "g_y" if chosen["output"] == "g" else chosen["output"]
    about: dict[str, Any] = {
        "name": name + "".join(f",{k}={v}" for k, v in options.items()).replace(",", ":", 1),
        "notations": cell.notations,
        "options": {k: v for k, v in chosen.items() if k not in FORM},
    }
    head = f"y_hat[t] = {output}(W_ya @ a[t] + b_y)"
    net = kind(cell.equations(chosen), head, loss=chosen["loss"], reference=cell.reference, **about)
    if chosen["compact"] == FLAG[1]:
        from rnnsym.derive.compact import compact

        return kind(*compact(net), output=net.output, target_kind=net.target_kind, **about)
    return net
