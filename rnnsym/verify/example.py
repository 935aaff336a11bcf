"""A counterexample that a reader can follow: one unit of everything, small numbers, two steps.

Says of a step that claims two sides to differ what they are, in numbers. Evaluated by the trusted
base in 50-digit arithmetic.
"""

from __future__ import annotations

from typing import Any

from sympy import Integer

from rnnsym.derive.step import Step
from rnnsym.evaluate.arithmetic import MpmathArithmetic
from rnnsym.evaluate.point import Point, shape, steps_of
from rnnsym.evaluate.trajectory import Truth
from rnnsym.network import Network
from rnnsym.sizes import choose_sizes


def numbers(net: Network, step: Step, steps: int = 2) -> tuple[str, float, float] | None:
    """(the point in words, an entry of the left side, the same entry of the right side).

    Every size is 1, or 2 for targets that are a distribution; parameters and initial states are
    1/2, inputs 1. None if the sides do not differ there.
    """
    sizes = dict.fromkeys(net.sizes, 1)
    if net.target_kind == "distribution":
        for name in net.targets:
            sizes.update({s.name: 2 for s in net.vectors[name].rows.free_symbols})
    symbols = choose_sizes(net, steps, sizes)
    ar = MpmathArithmetic()

    def fill(e: Any, value: Any) -> Any:
        rows, cols = shape(e, symbols)
        spread = [
            [value + (i - j) / (4 * max(rows, cols)) for j in range(cols)] for i in range(rows)
        ]
        return ar.array(spread)

    def column(name: str, first: bool) -> Any:
        rows = shape(net.vectors[name], symbols)[0]
        return ar.array([[int(i == 0) if first else 1] for i in range(rows)])

    point = Point(
        symbols,
        {n: fill(w, 0.5) for n, w in net.parameters.items()},
        {n: [column(n, False)] * steps_of(net, n, symbols) for n in net.inputs}
        | {n: [column(n, True)] * steps_of(net, n, symbols) for n in net.targets},
        {n: fill(v, 0.5) for n, v in net.initial_states.items()},
    )
    truth = Truth(net, point, ar)
    indices = [s for s, _, _ in step.where]
    evaluate = truth.evaluator({s: Integer(steps) for s in indices})
    left, right = evaluate(step.before), evaluate(step.after)
    for x, y in zip(left.ravel(), right.ravel(), strict=True):
        if abs(x - y) > 1e-9:
            ones = ", ".join(f"{n} = {v}" for n, v in sizes.items())
            at = ", ".join(f"{s} = {steps}" for s in indices)
            lengths = ", ".join(f"{n} = {symbols[s]}" for n, s in net.lengths.items())
            where = f"with {ones}, {lengths}, weights and states about 1/2, inputs 1"
            return (f"{where}, at {at}" if at else where), float(x), float(y)
    return None
