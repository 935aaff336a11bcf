"""Numerical backpropagation through time, independent of what was derived.

A kind of evidence: the hand-written reference of `rnnsym.reference` where there is one for the
network and its options, else a tape over its forward equations.
"""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import numpy as np

from rnnsym.evaluate.trajectory import Trajectory
from rnnsym.network import Network
from rnnsym.verify.case import Array, Case
from rnnsym.verify.report import Findings
from rnnsym.verify.tape import Node, Tape

#: options that change how a network is written, not what it computes
PRESENTATION = {"notation"}


def reference_of(net: Network) -> Any | None:
    """`gradients` of the hand-written reference with the network's options, or None."""
    if net.reference is None:
        return None
    function = importlib.import_module(f"rnnsym.reference.{net.reference}").gradients
    accepted = inspect.signature(function).parameters
    options = {k: v for k, v in net.options.items() if k not in PRESENTATION}
    # a symbolic g has no values there, and an option it does not know makes another network
    if "g" in options.values() or not set(options) <= set(accepted):
        return None

    def gradients(*arguments: Any) -> Any:
        return function(*arguments, **options)

    return gradients


def bptt(case: Case) -> Findings:
    """The loss and every gradient by a second, numerical backward pass."""
    function = reference_of(case.net)
    if function is None:
        value, gradients, _ = tape_gradients(case)
        note = "reference: tape, a numerical reverse mode over the forward equations, float64"
        return Findings(case.compare(gradients), note, case.compare_loss(value))
    x, y = (case.sequences[next(iter(names))] for names in (case.net.inputs, case.net.targets))
    value, gradients, *_ = function(case.parameters, x, y, case.initial)
    note = f"reference: hand-written, rnnsym.reference.{case.net.reference}, float64"
    return Findings(case.compare(gradients), note, case.compare_loss(value))


def tape_gradients(case: Case) -> tuple[float, dict[str, Array], dict[str, Array]]:
    """Loss, gradients by parameter and gradients by initial state, in the shapes of the case."""
    tape = Tape()
    point = case.point(tape)
    trajectory = Trajectory(case.net, point, tape)
    loss: Node = trajectory.total_loss()
    tape.backward(loss)

    def gradient(node: Node, like: Array) -> Array:
        found = np.zeros_like(node.value) if node.gradient is None else node.gradient
        return found.reshape(like.shape)

    return (
        float(loss.value[0, 0]),
        {n: gradient(point.parameters[n], w) for n, w in case.parameters.items()},
        {n: gradient(point.initial[n], a) for n, a in case.initial.items()},
    )


def tape_arrivals(case: Case) -> dict[str, Array]:
    """What arrives at initial states and inputs: the gradients by them, in their shapes."""
    tape = Tape()
    point = case.point(tape)
    tape.backward(Trajectory(case.net, point, tape).total_loss())

    def gradient(node: Node) -> Array:
        return np.zeros_like(node.value) if node.gradient is None else node.gradient

    found = {n: gradient(point.initial[n]).reshape(a.shape) for n, a in case.initial.items()}
    for name in case.net.inputs:
        columns = [gradient(node) for node in point.sequences[name]]
        found[name] = np.reshape(columns, case.sequences[name].shape)
    return found
