"""Judging other people's gradient code: right, wrong or missing, and why.

Beside `rnnsym.verify`, which judges what rnnsym derived itself. In the order of the flow:

adapter    how a function with other names, layouts and arguments is called in our convention
naming     what people call parameters and gradients; places in lists and objects
layout     our arrays in a user's form, and back
calling    one guarded call; results: what came back; these use NumPy only, for the worker
points     where the function is called, and the truth there; calm: where gradients are small
runs       the function at the points, with errors
survey     how it wants its sequences, what it does with its data, and all the calls
check      check_gradient(); verdicts: right, wrong or missing
clipping   bounds on gradients, and what they hide
diagnose   why a gradient is wrong, from the simplest explanation to the last resort
together   one error in all gradients: a factor of the loss
simple     a factor, a wrong name, a penalty
forward    another network of which it is the right gradient; own_loss: another loss
search     the catalogue of mutations, single and in pairs; what would have been seen
ground     the points and the mutants of a network; quick: the values of very many mutants
arrivals   the same for gradients by inputs and initial states
parts      which summands are left out or counted twice
late       what shows in long sequences only; locate: where to look when nothing explains it
words      formulas as NumPy code
layer      the network of a layer without output, or of one step, with what is sent back to it
report     CodeReport: as text, HTML and JSON
faults     why a function cannot be judged at all
remote     a function in another process, with limits; worker: that process
command    `rnnsym check-code`
trial      how many mutations are diagnosed as what they are
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rnnsym.codecheck.adapter import Adapter
from rnnsym.codecheck.report import CodeReport, Diagnosis, Judged, Sensitivity
from rnnsym.network import Network

__all__ = ["Adapter", "CodeReport", "Diagnosis", "Judged", "Sensitivity", "check_gradient"]


def check_gradient(
    function: Any,
    net: Network,
    *,
    adapter: Adapter | Mapping[str, Any] | None = None,
    seed: int = 0,
    steps: int | Sequence[int] | None = None,
    sizes: Mapping[str, int] | None = None,
    sensitivity: bool = True,
    **layout: Any,
) -> CodeReport:
    """Judge a gradient function against a network, and say what is wrong with it.

    function: called as f(params, x, y, initial), returning {parameter: gradient} or (loss,
    gradients); arrays are time first, x (T, n_x) or (T, B, n_x), weights (out, in), biases (n,),
    initial a dict of states; the loss is the sum over time and batch. Anything else is described
    by an `adapter`, or by its words as keywords: see `rnnsym.codecheck.Adapter`. A pair of
    functions (forward, backward), a class or an object needs `calls`.

    seed: of the random points; steps, sizes: the T and the sizes to use, where a function works
    with these only; sensitivity: whether to say what errors would have been seen.

    Raises InputError for an adapter that does not fit, and for a function that cannot be called or
    returns no gradients.
    """
    from rnnsym.codecheck import check  # the catalogue takes a while to import

    return check.check_gradient(
        function, net, adapter=adapter, seed=seed, steps=steps, sizes=sizes,
        sensitivity=sensitivity, **layout,
    )  # fmt: skip
