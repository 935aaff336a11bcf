"""Points at which all gradients are small: what a bound hides elsewhere shows there.

Part of the points, used by `clipping`. The error of the output is made small, and every gradient
with it: targets near the predictions, what is sent back to a layer near zero, or classes that are
nearly certain.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from sympy import MatAdd, MatrixSymbol

from rnnsym.evaluate.arithmetic import NumpyArithmetic
from rnnsym.evaluate.trajectory import Trajectory
from rnnsym.network import Network
from rnnsym.nodes import Apply, Softmax, TimeVector
from rnnsym.verify.case import Case

#: how the error is made small: the first that works is used
WAYS = ("prediction", "zero", "certain")
#: how small, from the largest to the smallest: below, it would be lost in rounding
AMOUNTS = tuple(4.0**-k for k in range(1, 11))


def calmed(case: Case, way: str, amount: float, one_hot: frozenset[str]) -> Case:
    """The case with an output error about `amount` times as large.

    one_hot: the inputs and targets that must stay classes.
    """
    free = [n for n in case.net.targets if n not in one_hot]
    if way == "zero":
        if case.net.target_kind != "real":
            return case  # the sum of a distribution is 1, which a gradient may rely on
        return replace(case, sequences=_with(case, {n: amount * case.sequences[n] for n in free}))
    if way == "prediction":
        near = {}
        for name, there in _predictions(case).items():
            if name in free:
                near[name] = there + amount * (case.sequences[name] - there)
        return replace(case, sequences=_with(case, near))
    return _certain(case, amount, one_hot)


def _with(case: Case, new: dict[str, Any]) -> dict[str, Any]:
    return {**case.sequences, **new}


def _predictions(case: Case) -> dict[str, Any]:
    """target -> the output at each of its steps, for targets of the output's size."""
    net, ar = case.net, NumpyArithmetic()
    trajectory = Trajectory(net, case.point(ar), ar)
    trajectory.total_loss()
    rows, found = net.vectors[net.output].rows, {}
    for name in net.targets:
        first, last = trajectory.spans[name]
        if net.vectors[name].rows == rows:
            values = [trajectory.value((net.output, k)) for k in range(first, last + 1)]
            found[name] = np.reshape(values, case.sequences[name].shape)
    return found


def _certain(case: Case, amount: float, one_hot: frozenset[str]) -> Case:
    """One class at every step, and biases of the output that make it nearly certain."""
    classes: dict[str, Any] = {}
    parameters = dict(case.parameters)
    for name in one_hot & {*case.net.targets}:
        one = np.zeros_like(case.sequences[name])
        one[..., slice(None) if case.net.target_kind == "probability" else 0] = 1
        classes[name] = one
        for bias in _biases(case.net):
            if parameters[bias].size == one.shape[-1]:
                more = -2 * np.log(amount) * one[0]
                parameters[bias] = parameters[bias] + more.reshape(parameters[bias].shape)
    return replace(case, sequences=_with(case, classes), parameters=parameters)


def _biases(net: Network) -> Iterator[str]:
    """The biases that are added to the argument of the output's function."""
    rhs = net.equations[net.output].rhs
    z = rhs.argument if isinstance(rhs, Apply | Softmax) else None
    if isinstance(z, TimeVector) and z.name in net.equations:
        z = net.equations[z.name].rhs
    for term in z.args if isinstance(z, MatAdd) else ():
        if isinstance(term, MatrixSymbol) and term.cols == 1:
            yield term.name
