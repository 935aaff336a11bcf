"""Where the two sides of a wrong claim part: up to which step, which length, for which sizes.

Used by `repair` where no change explains a claim.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from rnnsym.claims import conditions
from rnnsym.claims.deciding import MAIN, Outcome
from rnnsym.claims.judge import Judge
from rnnsym.claims.scene import Scene
from rnnsym.errors import RnnsymError
from rnnsym.reader import terms as u

#: lengths that are tried, the shortest first
LENGTHS = (1, 2, 3, 4)


def parting(judge: Judge, left: u.Term, right: u.Term, outcome: Outcome) -> str:
    """From where on both sides differ, in words; nothing if they do from the first step on."""
    if outcome.kind != "differ" or outcome.numeric:
        return ""
    with suppress(RnnsymError, ZeroDivisionError, ValueError):
        found = _by_length(judge, left, right, outcome) or _by_step(judge, left, right, outcome)
        if found:
            return found
        if _for_scalars(judge, left, right, outcome):
            return "it holds where all sizes are 1, and for no others"
    return ""


def _by_length(judge: Judge, left: u.Term, right: u.Term, outcome: Outcome) -> str:
    """Up to which length of the sequence a claim is true."""
    last = 0
    for steps in LENGTHS:
        scene = judge.scene(steps, zero=outcome.reading.zero)
        found = judge._at(scene, left, right, outcome.reading)
        if found.kind == "differ":
            break
        if found.kind == "equal":
            last = steps
    return f"it holds for T ≤ {last} and fails from T = {last + 1} on" if last else ""


def _by_step(judge: Judge, left: u.Term, right: u.Term, outcome: Outcome) -> str:
    """From which step on a claim fails, where it is about a step t."""
    scene = judge.scene(MAIN, zero=outcome.reading.zero)
    values = scene.values(outcome.reading)
    right_: set[int] = set()
    wrong: set[int] = set()
    name = ""
    for numbers in conditions.choices(scene, (left, right), judge.conditions):
        if len(numbers) != 1:
            return ""
        ((name, step),) = numbers.items()
        every = {**scene.numbers, **numbers}
        with suppress(RnnsymError):
            x, y = values.pair(values(left, every), values(right, every))
            (right_ if judge._same(scene, x, y) else wrong).add(step)
    wrong -= {0} if right_ - {0} else set()  # what is given at the start is no step
    if not right_ or not wrong:
        return ""
    if max(right_) < min(wrong):
        return f"both sides agree up to {name} = {max(right_)} and part at {name} = {min(wrong)}"
    if max(wrong) < min(right_):
        back = scene.steps - max(wrong)
        which = f"T - {back}" if back else "T"
        return f"both sides agree for {name} > {which} only" if back else ""
    return ""


def _for_scalars(judge: Judge, left: u.Term, right: u.Term, outcome: Outcome) -> bool:
    """Whether a claim is true where every vector has one entry."""
    sizes = {str(name): 1 for name in judge.net.sizes}
    scene: Any = Scene(judge.net, judge.table, MAIN, judge.seed, sizes=sizes)
    scene.deadline = judge._deadline
    found = judge._at(scene, left, right, outcome.reading)
    return found.kind == "equal"
