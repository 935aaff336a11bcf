"""How NumPy computes the elementwise functions, and those that act on a whole vector.

A table for the printer: what a function is called in source, and the source of helpers that
NumPy has no function for. `register` adds a function of one's own.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnsym.errors import InputError


@dataclass(frozen=True)
class Code:
    """A function in source.

    call: with {z} for the argument; out: whether it takes out=…; helper: source to be put in
    front; needs: the names of other helpers that it calls.
    """

    call: str
    out: bool = True
    helper: str = ""
    needs: tuple[str, ...] = ()


SIGMOID = '''
def _sigmoid(z, out=None):
    """1 / (1 + exp(-z)); where exp overflows, the quotient is the zero that it should be."""
    out = np.negative(z, out)
    np.exp(out, out)
    out += 1
    return np.reciprocal(out, out)
'''

SOFTMAX = '''
def _softmax(z):
    """exp(z) / Σ exp(z) along the last axis, without overflow."""
    e = z - z.max(axis=-1, keepdims=True)
    np.exp(e, e)
    e /= e.sum(axis=-1, keepdims=True)
    return e
'''

LOG_SOFTMAX = '''
def _log_softmax(z):
    """log softmax(z) along the last axis, without overflow."""
    z = z - z.max(axis=-1, keepdims=True)
    z -= np.log(np.exp(z).sum(axis=-1, keepdims=True))
    return z
'''

LOG_REST = '''
def _log_rest_of_softmax(z):
    """log(1 - softmax(z)), the share of all other entries, without overflow or cancellation."""
    z = z - z.max(axis=-1, keepdims=True)
    e = np.exp(z)
    total = e.sum(axis=-1, keepdims=True)
    top = z.argmax(axis=-1)[..., np.newaxis]
    with np.errstate(divide="ignore"):  # of a single entry there are no others
        others = np.where(np.arange(z.shape[-1]) == top, -np.inf, z)
        shift = np.maximum(others.max(axis=-1, keepdims=True), np.finfo(z.dtype).min)
        rest = shift + np.log(np.exp(others - shift).sum(axis=-1, keepdims=True))
        others = np.log(np.where(others == z, total - e, 1))
    return np.where(np.arange(z.shape[-1]) == top, rest, others) - np.log(total)
'''

FUNCTIONS: dict[str, Code] = {
    "tanh": Code("np.tanh({z})"),
    "sigmoid": Code("_sigmoid({z})", helper=SIGMOID),
    "relu": Code("np.maximum({z}, 0)"),
    "step": Code("np.heaviside({z}, 0)"),
    "softplus": Code("np.logaddexp({z}, 0)"),
    "exp": Code("np.exp({z})"),
    "log": Code("np.log({z})"),
    "reciprocal": Code("np.reciprocal({z})"),
    "softmax": Code("_softmax({z})", out=False, helper=SOFTMAX),
    "log_softmax": Code("_log_softmax({z})", out=False, helper=LOG_SOFTMAX),
    "log_rest_of_softmax": Code("_log_rest_of_softmax({z})", out=False, helper=LOG_REST),
}

#: the functions that need every entry of a vector, not only their own
WHOLE = frozenset({"softmax", "log_softmax", "log_rest_of_softmax"})


def register(name: str, source: str) -> None:
    """Say how NumPy computes an elementwise function: an expression in `z` and `np`.

    >>> register("swish", "z / (1 + np.exp(-z))")

    Raises InputError if the name is taken or the text is no such expression.
    """
    if name in FUNCTIONS:
        raise InputError(f"there is code for {name!r} already: choose another name")
    FUNCTIONS[name] = Code(f"_{name}({{z}})", out=False, helper=_helper(name, source))


def compiled(name: str, source: str) -> Callable[[Any], Any]:
    """The function of such a source, on arrays. Raises InputError as `register` does."""
    module: dict[str, Any] = {"np": np}
    exec(compile(_helper(name, source), f"<{name}>", "exec"), module)
    return module[f"_{name}"]


def _helper(name: str, source: str) -> str:
    """The source of a function of z, from an expression that was read and written anew."""
    if not name.isidentifier() or not name.isascii():
        raise InputError(f"function name {name!r}: use an ASCII Python identifier")
    try:
        tree = ast.parse(source.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise InputError(f"source of {name}: {source!r} is no expression: {error}") from None
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    if not names <= {"z", "np"}:
        others = ", ".join(sorted(names - {"z", "np"}))
        raise InputError(f"source of {name}: use z and np only, not {others}")
    return (
        f'\ndef _{name}(z):\n    """{name}(z), as registered."""\n    return {ast.unparse(tree)}\n'
    )
