"""The elementwise functions that equations may use, by name.

Only their names and how they are written; their derivatives stand in `rnnsym.rules`, their
values in `rnnsym.evaluate`, their NumPy source in `rnnsym.emit`.
"""

from __future__ import annotations

from rnnsym.errors import InputError

#: name -> LaTeX; the functions whose values and derivatives rnnsym knows
KNOWN: dict[str, str] = {
    "tanh": r"\tanh",
    "sigmoid": r"\sigma",
    "relu": r"\operatorname{relu}",
    "step": r"\operatorname{step}",
    "softplus": r"\operatorname{softplus}",
    "identity": r"\operatorname{id}",
    "exp": r"\exp",
    "log": r"\log",
    "reciprocal": r"\operatorname{reciprocal}",
}

#: name -> LaTeX; functions that stay symbolic: g and its derivative g′ are all that is known
UNKNOWN: dict[str, str] = {"g": "g", "g_y": "g_{y}", "g_1": "g_{1}", "g_2": "g_{2}"}


def register(name: str, latex: str) -> None:
    """Make a new elementwise function known to the reader and the LaTeX printer.

    Raises InputError if the name is taken or is no identifier.
    """
    if not name.isidentifier():
        raise InputError(f"function name {name!r}: use a Python identifier")
    if name in KNOWN or name in UNKNOWN or name == "softmax":
        raise InputError(f"function {name!r} exists already: choose another name")
    KNOWN[name] = latex


def latex_of(name: str) -> str:
    """How a function is written."""
    return KNOWN.get(name) or UNKNOWN.get(name) or r"\operatorname{" + name.replace("_", "") + "}"
