"""Source code from networks: the only place where code is made.

program   forward and adjoint equations as one graph of vector operations (graph, matrices, lower)
rewrite   what is written twice is computed once, what does not depend on a loop before it (walk)
steps     fixed times in a sequence: its rows, and the lengths at which there are such steps
packing   what is used alike, as the gates of a cell, is kept side by side and computed as one
schedule  loops over time where there must be one, all steps at once everywhere else
numpy_backend  prints a schedule as a NumPy module: arguments (checks), body (expressions, loops,
          wishes), results, release; writer and text know how lines look
lambdify  a formula of a derivation, evaluated literally
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rnnsym.emit import numpy_backend
from rnnsym.emit.functions import compiled, register
from rnnsym.emit.lambdify import lambdify, sum_source
from rnnsym.errors import InputError
from rnnsym.network import Network

__all__ = ["BACKENDS", "compiled", "function", "lambdify", "register", "source", "sum_source"]

#: name -> what makes the source of a network
BACKENDS: dict[str, Callable[[Network], str]] = {"numpy": numpy_backend.source}


def source(net: Network, backend: str = "numpy") -> str:
    """A standalone source file with `loss_and_gradients(params, x, y, initial=None)`.

    Raises InputError for an unknown backend, naming those that exist.
    """
    if backend not in BACKENDS:
        raise InputError(f"unknown backend {backend!r}: choose from {', '.join(BACKENDS)}")
    return BACKENDS[backend](net)


def function(net: Network, backend: str = "numpy") -> Callable[..., Any]:
    """The compiled function of `source`, which it keeps as its attribute `source`."""
    text = source(net, backend)
    module: dict[str, Any] = {"__name__": "rnnsym_emitted"}
    exec(compile(text, f"<rnnsym {backend} source>", "exec"), module)
    f: Any = module["loss_and_gradients"]
    f.source = text
    return f
