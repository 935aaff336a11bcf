"""Adding an elementwise function: its value, its derivative and how it is written, in one call.

The derivative is checked against the value when it is registered; from then on the function is
known to the reader, the rules, the evaluator, the printers and the generated code alike.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sympy import Integer, MatrixExpr

from rnnsym import emit, functions, rules
from rnnsym.equations import Reader
from rnnsym.errors import InputError
from rnnsym.evaluate.arithmetic import REGISTERED, Arithmetic, NumpyArithmetic
from rnnsym.evaluate.dual import EQUATIONS
from rnnsym.evaluate.expression import Evaluator
from rnnsym.nodes import TimeVector, t
from rnnsym.simplify import rebuild

STEP, TOLERANCE = 1e-20, 1e-9


def register_function(name: str, value: str, derivative: str, latex: str | None = None) -> None:
    """Make an elementwise function a = g(z) known everywhere.

    value: a NumPy expression in ``z`` and ``np`` that accepts complex numbers; derivative: g′ as
    the right-hand side of an equation in ``z[t]`` and ``a[t]``, as in equations of a network;
    latex: how the function is written.

    >>> register_function("swish", "z / (1 + np.exp(-z))",
    ...                   "a[t] + sigmoid(z[t]) * (1 - a[t])")

    Raises InputError if the name is taken, a text cannot be read, or the derivative is not that
    of the value (complex step at 40 points).
    """
    if name in functions.KNOWN or name in functions.UNKNOWN or not name.isidentifier():
        raise InputError(f"function {name!r}: the name is taken or no identifier")
    reader = Reader(sizes={"z": "n", "a": "n"})
    reader.read(f"slope[t] = {derivative}")
    (equation,) = reader.equations()
    unknown = set(reader.vectors) - {"z", "a", "slope"} | set(reader.weights)
    if unknown:
        raise InputError(f"derivative of {name}: use z[t] and a[t] only, not {', '.join(unknown)}")
    form, n = equation.rhs, equation.lhs.rows

    def slope(ar: Arithmetic, z: Any, a: Any) -> Any:
        symbols = {n: Integer(ar.shape(z)[0]), t: Integer(1)}
        return Evaluator(ar, lambda node, _: z if node.name == "z" else a, symbols)(form)

    code = emit.compiled(name, value)
    _compare(name, code, slope)

    def rule(z: MatrixExpr, a: MatrixExpr) -> MatrixExpr:
        values = {TimeVector("z", z.rows, t): z, TimeVector("a", z.rows, t): a}
        return rebuild(form.xreplace({n: z.rows}).xreplace(values), lambda e: None)

    emit.register(name, value)
    functions.register(name, latex or rf"\operatorname{{{name.replace('_', '')}}}")
    rules.register(name, rule)
    ar = NumpyArithmetic()
    REGISTERED[name] = code, lambda z: slope(ar, z, code(z))
    EQUATIONS[name] = slope


def _compare(name: str, code: Any, slope: Any) -> None:
    """Complex step of the value against the derivative at 40 points."""
    z = np.linspace(-3.1, 3.3, 40).reshape(-1, 1)
    with np.errstate(all="ignore"):
        try:
            truth = np.imag(code(z + 1j * STEP)) / STEP
        except Exception as error:  # whatever a user's expression may raise
            raise InputError(f"value of {name}: {type(error).__name__}: {error}") from None
        found = slope(NumpyArithmetic(), z, code(z))
    sound = np.isfinite(truth) & np.isfinite(found)
    scale = np.maximum(1.0, np.abs(truth))
    wrong = sound & (np.abs(truth - found) > TOLERANCE * scale)
    if wrong.any() or not sound.any():
        at = z[wrong][0] if wrong.any() else z[0, 0]
        raise InputError(
            f"derivative of {name}: at z = {float(at):.3g} it is not the slope of the value; "
            f"correct one of them (the value must accept complex numbers)"
        )
