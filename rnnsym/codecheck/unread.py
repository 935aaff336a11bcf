"""Whether the weights that are set ever reach the code.

Beside `check`. Where they are set as attributes of an object or as global variables, code that
keeps them elsewhere computes with its own; its gradients are then no verdict's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from rnnsym.codecheck.adapter import Adapter
from rnnsym.codecheck.faults import Uncallable
from rnnsym.codecheck.points import Point, shapes_of
from rnnsym.codecheck.results import Outcome
from rnnsym.codecheck.runs import Run, Runner
from rnnsym.codecheck.words import Words
from rnnsym.verify.backpropagation import tape_gradients

#: by how much a parameter is changed at most; by the same everywhere, softmax would not see it
CHANGE = 0.25


def see_that_weights_are_read(
    runner: Runner, run: Run, adapter: Adapter, words: Words
) -> list[str]:
    """Notes on the parameters that nothing depends on. Raises Uncallable where that is so of all
    that were set somewhere, and not handed over."""
    handed = [w for w in (adapter.arguments or ()) if isinstance(w, str)]
    handed += [w for call in adapter.calls for w in call[1:] if isinstance(w, str)]
    handed += [w for w in adapter.init if isinstance(w, str)]
    plain = not (adapter.calls or adapter.globals)
    if plain or "params" in handed or run.outcome.error or run.outcome.unusable:
        return []
    net = run.point.net
    same = [n for n in net.parameters if not _changes(runner, run, n)]
    unread = [n for n in same if _matters(run.point, n)]
    if not unread:
        return []
    told = ", ".join(words.names.get(n, n) for n in unread)
    if len(unread) < len(net.parameters):
        return [f"nothing that comes back changes with {told}: is it read under another name?"]
    if adapter.globals:
        where = (
            "they are set as global variables of the module of the function that is called: is the "
            "code that reads them in another one?"
        )
    else:
        where = (
            "they are set as attributes of the object, or in a dict of it that has such keys: say "
            "in names where they are, such as {'p.W': …}"
        )
    raise Uncallable(f"nothing that comes back changes when {told} change; {where}", "adapter")


def with_a_time_axis(point: Point, adapter: Adapter) -> list[str]:
    """What to say where nothing fits, and a target of the whole sequence has a time axis."""
    shapes = shapes_of(point.net)
    told = adapter.axes if isinstance(adapter.axes, Mapping) else {}
    names = [
        n for n in shapes.targets if n in shapes.single and n not in told
        and n not in adapter.squeeze and n not in adapter.indices
    ]  # fmt: skip
    if not names:
        return []
    order = adapter.order or ("tn" if point.batch is None else "tbn")
    bare = order.replace("t", "")
    axes = ", ".join(f"'{n}': '{order}'" for n in shapes.inputs)
    return [
        f"{names[0]} has one value, and is handed over with a time axis all the same: if it is "
        f"taken without, say axes={{{axes}, '{names[0]}': '{bare}'}}"
    ]


def _changes(runner: Runner, run: Run, name: str) -> bool:
    """Whether a call depends on a parameter."""
    values = run.point.values
    moved = _moved(values.parameters, name)
    other = runner.at(run.point, replace(values, parameters=moved)).outcome
    return not _alike(run.outcome, other)


def _matters(point: Point, name: str) -> bool:
    """Whether a true gradient depends on a parameter: none does on the last bias of a cell."""
    case = point.case
    _, before, _ = tape_gradients(case)
    _, after, _ = tape_gradients(replace(case, parameters=_moved(case.parameters, name)))
    return not all(_close(before[n], after[n]) for n in before)


def _moved(parameters: Mapping[str, Any], name: str) -> dict[str, Any]:
    old = parameters[name]
    change = CHANGE * np.cos(np.arange(np.size(old))).reshape(np.shape(old))
    return {**parameters, name: old + change}


def _alike(a: Outcome, b: Outcome) -> bool:
    if a.error != b.error or a.loss != b.loss or a.gradients.keys() != b.gradients.keys():
        return False
    return all(_close(a.gradients[n], b.gradients[n]) for n in a.gradients)


def _close(a: Any, b: Any) -> bool:
    return np.shape(a) == np.shape(b) and bool(np.allclose(a, b, rtol=1e-9, atol=1e-12))
