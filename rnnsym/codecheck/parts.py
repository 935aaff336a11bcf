"""Which summands of a gradient a function counts, and how often: dL⟨t⟩ through the use at step k.

Third part of the diagnosis, for what no mutation explains: the gradient is fitted by the parts
that the tape finds, Σ c_tk · (what the use of the parameter at step k adds to dL⟨t⟩). Where that
succeeds, the coefficients say what is left out or counted twice.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sympy import MatrixSymbol

from rnnsym.codecheck.report import Diagnosis
from rnnsym.codecheck.runs import Run
from rnnsym.evaluate.trajectory import Trajectory
from rnnsym.network import LOSS
from rnnsym.nodes import t
from rnnsym.verify.case import Case
from rnnsym.verify.tape import Node, Tape

Array = NDArray[Any]


class _Untied(Trajectory):
    """A trajectory over the tape in which one parameter is another node at each step."""

    def untie(self, name: str) -> None:
        self.name, self.uses = name, dict[int, Node]()

    def leaf(self, node: Any, time: int | None) -> Any:
        if isinstance(node, MatrixSymbol) and node.name == self.name:
            step = int(self.evaluator.symbols[t])
            if step not in self.uses:
                self.uses[step] = self.ar.array(self.point.parameters[self.name].value)
            return self.uses[step]
        return super().leaf(node, time)


def parts(case: Case, name: str) -> dict[tuple[int, int], Array]:
    """(t, k) -> what the use of a parameter at step k adds to the gradient of L⟨t⟩."""
    like = case.parameters[name]
    first, last = Trajectory(case.net, case.point(Tape()), Tape()).spans[LOSS]
    found = {}
    for step in range(first, last + 1):
        tape = Tape()
        trajectory = _Untied(case.net, case.point(tape), tape)
        trajectory.untie(name)
        tape.backward(trajectory.value((LOSS, step)))
        for k, node in sorted(trajectory.uses.items()):
            if node.gradient is not None and np.any(node.gradient):
                found[step, k] = node.gradient.reshape(like.shape)
    return found


def counted(case: Case, name: str, gradient: Array) -> dict[tuple[int, int], float] | None:
    """How often each part is in a gradient; None if it is no sum of them, or not the only one."""
    table = parts(case, name)
    if not table or len(table) >= gradient.size:
        return None
    columns = np.stack([part.ravel() for part in table.values()], axis=1)
    scales = np.linalg.norm(columns, axis=0)
    if np.linalg.matrix_rank(columns / scales, tol=1e-6) < len(table):
        return None
    found, *_ = np.linalg.lstsq(columns / scales, gradient.ravel(), rcond=None)
    found = found / scales
    if np.max(np.abs(columns @ found - gradient.ravel())) > 1e-7 * np.max(np.abs(gradient)):
        return None
    return dict(zip(table, (float(c) for c in found), strict=True))


def counted_wrongly(run: Run, name: str, own: str) -> Diagnosis | None:
    """A diagnosis in terms of summands, from a run at a point with enough entries."""
    gradient = run.gradient(name)
    if gradient is None or gradient.shape != run.point.gradients[name].shape:
        return None
    found = counted(run.point.case, name, gradient)
    if found is None:
        return None
    rounded = {key: _round(c) for key, c in found.items()}
    if all(c == 1 for c in rounded.values()) or not any(rounded.values()):
        return None
    steps = run.point.steps
    return Diagnosis(("summands",), f"{_said(rounded, own)} (seen at T = {steps})")


def _round(c: float) -> float:
    near = round(c * 12) / 12
    return near if abs(c - near) < 1e-5 else round(c, 4)


def _said(c: dict[tuple[int, int], float], own: str) -> str:
    """The coefficients as a rule, or one by one."""
    for what, key in (
        ("paths over {} steps", lambda t, k: t - k),
        ("the losses L⟨{}⟩", lambda t, k: t),
        (f"the uses of {own} at step {{}}", lambda t, k: k),
    ):
        groups: dict[int, set[float]] = {}
        for (step, k), value in c.items():
            groups.setdefault(key(step, k), set()).add(value)
        if all(len(values) == 1 for values in groups.values()):
            table = {i: next(iter(values)) for i, values in sorted(groups.items())}
            gone = [i for i, value in table.items() if value == 0]
            if (
                what.startswith("paths")
                and gone
                and all(
                    (value == 0) == (i >= min(gone)) and value in (0, 1)
                    for i, value in table.items()
                )
            ):
                reach = min(gone) - 1
                return (
                    f"truncated: what a step adds to a loss more than {reach} "
                    f"{'step' if reach == 1 else 'steps'} later is left out"
                )
            return "; ".join(
                f"{what.format(_listed([i for i in table if table[i] == v]))} count {_times(v)}"
                for v in sorted({v for v in table.values() if v != 1})
            )
    odd = [
        f"dL⟨{s}⟩ by the use at step {k} counts {_times(v)}" for (s, k), v in c.items() if v != 1
    ]
    return "; ".join(odd[:6]) + (" …" if len(odd) > 6 else "")


def _listed(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers))


def _times(value: float) -> str:
    if value == 0:
        return "not at all"
    return "twice" if value == 2 else f"{value:g} times"
