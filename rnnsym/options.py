"""The options of the built-in models: which there are, and the text that chooses them.

Used by `rnnsym.models`, which builds a network from them.
"""

from __future__ import annotations

from collections.abc import Mapping

from rnnsym.cells import Cell
from rnnsym.compose import MAX_LAYERS, MAX_SHORTCUT, MIN_SHORTCUT
from rnnsym.errors import InputError
from rnnsym.losses import LOSSES
from rnnsym.neighbours import Neighbour
from rnnsym.topology import FEEDBACK, TYPES

MAX_CHUNK = 10_000
MAX_SPEC = 500
NOTATIONS = ("post", "goodfellow", "d2l", "pytorch", "karpathy")

#: the values of an option that is named without a value to switch it on; Python's are taken too
FLAG = ("no", "yes")
TRUTH = {"False": "no", "True": "yes"}


class Numbers(tuple[str, ...]):
    """The values of an option that is a whole number from `first` to `last`.

    As a tuple they are listed in short, the default first, ("1", "2", "…", "64"); `in` asks whether
    a text is one of them. `other` is a value that is no number, then the default, `also` another
    one; `why` says of values that could be expected here why they are none.
    """

    every: frozenset[str]
    why: Mapping[str, str]

    def __new__(
        cls,
        first: int,
        last: int,
        other: str | None = None,
        default: int | None = None,
        why: Mapping[str, str] | None = None,
        also: str | None = None,
    ) -> Numbers:
        start = () if other is None else (other,)
        listed = dict.fromkeys([default or first, first, first + 1])
        end = () if also is None else (also,)
        numbers = super().__new__(cls, (*start, *map(str, listed), "…", str(last), *end))
        numbers.every = frozenset((*start, *end, *map(str, range(first, last + 1))))
        numbers.why = dict(why or {})
        return numbers

    def __contains__(self, value: object) -> bool:
        return value in self.every


#: layers=l: a stack of which one layer stands for any
ANY_LAYER = "l"

#: the options that every cell has; the first value is the default
COMMON: dict[str, tuple[str, ...]] = {
    "activation": ("tanh", "sigmoid", "relu", "identity", "softplus", "g"),
    "output": ("softmax", "sigmoid", "identity", "g"),
    "loss": tuple(LOSSES),
    "notation": NOTATIONS,
    "compact": FLAG,
    "layers": Numbers(1, MAX_LAYERS, also=ANY_LAYER),
    "bidirectional": FLAG,
    "residual": FLAG,
    "dense": FLAG,
    "shortcut": Numbers(
        MIN_SHORTCUT, MAX_SHORTCUT, FLAG[0], why={"1": "one step back is the recurrence itself"}
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


def options_of(model: Cell | Neighbour) -> dict[str, tuple[str, ...]]:
    """The options of a model and their values, the default first."""
    if isinstance(model, Cell):
        return {**COMMON, **model.options}
    own = {k: Numbers(first, last, None, default) for k, (first, last, default) in
           model.options.items()}  # fmt: skip
    return {**{k: v for k, v in COMMON.items() if k not in STRUCTURE}, **own}


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


def configure(model: Cell | Neighbour, options: Mapping[str, str]) -> dict[str, str]:
    """All options of a model with their values; raises InputError for unknown ones.

    Where no loss is named, it is the one that belongs to the output.
    """
    table = options_of(model)
    chosen = {key: values[0] for key, values in table.items()}
    for key, value in options.items():
        if key not in table:
            raise InputError(f"unknown option {key!r}: {model.name} has {', '.join(table)}")
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
