"""Errors that show in long sequences only: backpropagation that is truncated after many steps.

Part of the diagnosis. Between the last length that is right and the long one that is wrong, the
first wrong one is found by halving; then truncations of that reach are tried.
"""

from __future__ import annotations

from collections.abc import Callable

from rnnsym.codecheck.ground import Ground
from rnnsym.codecheck.parts import parts
from rnnsym.codecheck.report import Diagnosis
from rnnsym.codecheck.runs import Run
from rnnsym.verify.adjoints import System
from rnnsym.verify.mutations import Mutant


def first_wrong(name: str, low: int, loud: Run, call: Callable[[int], Run]) -> Run:
    """The run at the smallest length that is wrong, if all above it are: `low` is right."""
    found, high = loud, loud.point.steps
    while high - low > 1:
        middle = (low + high) // 2
        run = call(middle)
        if run.fits(name):
            low = middle
        else:
            found, high = run, middle
    return found


def late(name: str, run: Run, loud: Run, ground: Ground) -> Diagnosis:
    """Why a gradient is wrong from the length of `run` on."""
    steps = run.point.steps
    text = f"right up to T = {steps - 1}, wrong from T = {steps} on"
    reach = steps - 1
    if ground.catalogue is not None:
        right = ground.catalogue.subject.system
        cut = System(right.equations, right.gradients, right.initial, reach)
        mutant = Mutant("truncation", "", "", name, cut)
        if loud.equals(name, loud.point.mutant(mutant)):
            why = f"{text}: the right gradient of the loss truncated in chunks of {reach} steps"
            return Diagnosis(("truncation",), why)
    near = [part for (t, k), part in parts(run.point.case, name).items() if t - k < reach]
    if near and run.equals(name, sum(near[1:], near[0])):
        why = f"{text}: truncated, what a step adds to a loss {reach} steps later is left out"
        return Diagnosis(("truncation",), why)
    return Diagnosis((), f"{text}: is it truncated, or is a value bounded?")
