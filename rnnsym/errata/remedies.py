"""Errata about clipping and truncation.

Counterexamples are those that `rnnsym.remedies` finds by search; what truncation cuts off is
computed exactly in the finite field.
"""

from __future__ import annotations

from typing import Any

from sympy import Eq, Integer, Symbol

import rnnsym.api as rs
from rnnsym.derive.truncation import window_start
from rnnsym.errata.record import IMPRECISE, WRONG, Finding, Statement, entry
from rnnsym.nodes import Total
from rnnsym.remedies import counterexamples
from rnnsym.remedies.definition import N_AFTER, N_PARAMETERS, TAU, N, factor
from rnnsym.remedies.truncation import costs
from rnnsym.verify.steps import Checker


@entry("clipping-norm", "The norm of the parameters for that of the gradient",
        "2.2.3.4, gradient clipping", WRONG)  # fmt: skip
def _clipping_norm() -> Any:
    wrong = [c for c in counterexamples() if "parameters" in c.name]
    evidence = tuple(
        Finding((f"{c.name}: ", *_listed([Eq(s, v, evaluate=False) for s, v in c.values]),
                 "; then ", *_listed([e for e, _ in c.evaluation[:-1]])), c.ok)
        for c in wrong
    )  # fmt: skip
    c = Symbol("c", real=True)
    printed = Statement(None, "", Eq(c, factor(N, TAU, N_PARAMETERS)))
    meant = Statement(None, "", Eq(c, factor()))
    why = ("The gradient is multiplied by ", c, " in order that its own norm, ", N_AFTER, ", stays "
           "below the threshold ", TAU, ". The norm of the parameters does not tell how long the "
           "gradient is.")  # fmt: skip
    return (printed,), (meant,), why, evidence


@entry("clipping-part", "Clipping a part turns the whole", "2.2.3.4, gradient clipping", IMPRECISE)
def _clipping_part() -> Any:
    found = next(c for c in counterexamples() if "groups" in c.name)
    evidence = (
        Finding((*_listed([Eq(s, v, evaluate=False) for s, v in found.values]), "; then ",
                 *_listed([e for e, _ in found.evaluation[:-1]])), found.ok),
    )  # fmt: skip
    why = ("That clipping keeps the direction holds for the norm of the whole gradient. The next "
           "line of the post advises to clip only the part which causes the problem: each part "
           "keeps its direction, the whole does not.",)  # fmt: skip
    return (Statement(None, "", found.claim),), (), why, evidence


def _listed(relations: list[Any]) -> list[Any]:
    parts: list[Any] = []
    for relation in relations:
        parts += [", " if parts else "", relation]
    return parts


@entry("border", "Not only what is longer than a chunk", "2.2.3.4, truncated BPTT", IMPRECISE)
def _border() -> Any:
    chunk, steps = 3, 6
    found = reach("elman", chunk, steps)
    near = found[chunk + 1, chunk]
    every, back = 2, 5
    starts = [(time, int(window_start(every, back, Integer(time)))) for time in range(1, 50)]
    least = min(time - start for time, start in starts if start > 1)
    evidence = (
        Finding((f"in chunks of {chunk}, the loss of step {chunk + 1} has an exactly zero "
                 f"derivative by the input of step {chunk}, one step before it",),
                near == (True, False)),
        Finding((f"while the input changes the loss: the same derivative without truncation is "
                 f"not zero; of {len(found)} pairs of steps up to {steps}, "
                 f"{sum(f and not c for f, c in found.values())} are cut off, "
                 f"{sum(f and not c and a - b < chunk for (a, b), (f, c) in found.items())} of "
                 f"them nearer than {chunk} steps",),
                all(full for full, _ in found.values())),
        Finding((f"a window that moves by {every} steps and reaches {back} back sees everything "
                 f"up to {least} steps before a loss",), least == back - every),
    )  # fmt: skip
    why = ("Dependencies longer than the chunk size, says the post, do not affect the training. "
           "That is so; but neither do shorter ones that cross the border of a chunk. A window "
           "sees at least all that are not longer than its reach minus its move.",)  # fmt: skip
    return (), (), why, evidence


def reach(spec: str, chunk: int, steps: int) -> dict[tuple[int, int], tuple[bool, bool]]:
    """(t, k) for k < t -> whether dL⟨t⟩/dx⟨k⟩ is not zero: without truncation, and in chunks.

    Exact, in the field of 2^61 - 1 elements, by dual numbers through the forward equations.
    """
    found: list[dict[tuple[int, int], bool]] = []
    for options in ({}, {"truncate": chunk}):
        net = rs.model(spec, **options)
        truth = Checker(net, steps).truth(0)
        x = net.vectors[next(iter(net.inputs))]
        pairs = [(a, b) for a in range(2, steps + 1) for b in range(1, a)]
        rows = {
            (a, b): truth.derivative(Total(net.loss.at(Integer(a)), x.at(Integer(b))))
            for a, b in pairs
        }
        found.append({at: any(int(v) for v in row.entries()) for at, row in rows.items()})
    return {at: (found[0][at], found[1][at]) for at in found[0]}


@entry("faster", "Much faster", "2.2.3.4, truncated BPTT", IMPRECISE)
def _faster() -> Any:
    steps, chunk = 1000, 20
    full, cut, window = costs(steps, chunk, 1, chunk)
    evidence = (
        Finding((f"over {steps} steps, {full.steps} derivatives are carried back a step by the "
                 f"full pass and {cut.steps} in chunks of {chunk}: "
                 f"{1 - cut.steps / full.steps:.0%} less work",), cut.steps < full.steps),
        Finding((f"what shrinks is memory, {cut.kept} steps to be kept instead of {full.kept}; "
                 f"and there are {cut.updates} updates instead of {full.updates}",),
                cut.kept < full.kept and cut.updates > full.updates),
        Finding((f"a window that moves by one step and reaches {chunk} steps back carries "
                 f"{window.steps} of them: slower than the full pass",), window.steps > full.steps),
    )  # fmt: skip
    why = ("Truncation, says the post, is much faster. A pass over a sequence in chunks does "
           "nearly the same work as one full pass: each step is still visited once, forwards and "
           "backwards. It is faster by the update, not by the sequence, and it needs less "
           "memory.",)  # fmt: skip
    return (), (), why, evidence
