"""Calling a function at every point: how it wants its sequences, what it does with its data.

Between the points and the verdicts of `rnnsym.codecheck.check`. Finds out first whether single
sequences are taken, whether initial states are used, and whether equal calls give equal results.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from rnnsym.codecheck.adapter import Adapter
from rnnsym.codecheck.faults import Uncallable
from rnnsym.codecheck.ground import Ground
from rnnsym.codecheck.layout import Layout
from rnnsym.codecheck.points import (
    BATCH,
    LENGTHS,
    LONG,
    MAIN,
    Point,
    Regime,
    chosen_sizes,
    lengths_of,
    shapes_of,
    sizes_of_states,
)
from rnnsym.codecheck.results import Outcome
from rnnsym.codecheck.runs import Run, Runner
from rnnsym.codecheck.unread import with_a_time_axis
from rnnsym.network import Network

#: a function that needs longer than this for a call is called at fewer points
SLOW = 1.0


@dataclass
class Setting:
    """What stays the same from point to point."""

    ground: Ground
    runner: Runner
    adapter: Adapter
    seed: int
    sizes: Mapping[str, int]
    regime: Regime
    one: int | None = None  # how a single sequence is given: without a batch axis, or B = 1
    notes: list[str] = field(default_factory=list)
    random: bool = False  # whether equal calls give different results
    kept: bool = False  # whether gradients are added up from call to call
    alike: bool = False  # whether all states have the same size
    remembers: bool = False  # whether a call depends on earlier ones with other sequences

    @property
    def net(self) -> Network:
        return self.ground.net

    def point(
        self,
        steps: int,
        turned: bool = False,
        batch: int | None = None,
        regime: Regime | None = None,
    ) -> Point:
        lengths = lengths_of(self.net, steps)
        avoid = {steps, *(lengths.values() if isinstance(lengths, dict) else ())}
        avoid |= {BATCH} if batch is not None else set()
        return self.ground.point(
            lengths,
            chosen_sizes(self.net, self.sizes, turned, avoid, self.alike),
            self.seed,
            self.regime if regime is None else regime,
            self.one if batch is None else batch,
        )


def probe_call(setting: Setting, lengths: Sequence[int]) -> Run:
    """The first call that works, and with it how a single sequence is given.

    Where none does, all states are given the same size. Raises Uncallable if that is no help.
    """
    try:
        return _probe_call(setting, lengths)
    except Uncallable:
        if setting.alike or len(set(sizes_of_states(setting.net)) - set(setting.sizes)) < 2:
            raise
        setting.alike = True
        try:
            return _probe_call(setting, lengths)
        except Uncallable:
            setting.alike = False
        raise


def _probe_call(setting: Setting, lengths: Sequence[int]) -> Run:
    order = setting.adapter.order
    ways = (
        [1]
        if order and "b" in order
        else ([None] if order or setting.adapter.columns else [None, 1])
    )
    steps = min(lengths, key=lambda n: (abs(n - 3), n))
    first: Run | None = None
    for one in ways:
        setting.one = one
        run = setting.runner.at(setting.point(steps))
        if usable(run.outcome):
            return run
        first = first or run
    assert first is not None
    setting.one = ways[0]
    for other in lengths:  # perhaps it is only this length
        if other != steps and first.outcome.unusable is None:
            run = setting.runner.at(setting.point(other))
            if usable(run.outcome):
                return run
    outcome = first.outcome
    if outcome.unusable is not None:
        raise Uncallable(outcome.unusable, "result")
    if outcome.error is not None:
        given = _given(setting.adapter, first)
        text = f"the function raises {outcome.error}, called with {given}"
        raise Uncallable(text + _hint(setting, first), "call")
    return first


def usable(outcome: Outcome) -> bool:
    return outcome.error is None and outcome.unusable is None and bool(outcome.gradients)


def _given(adapter: Adapter, run: Run) -> str:
    """What the function was called with, in its own layout."""
    given = Layout(adapter, shapes_of(run.point.net, adapter.cell)).told(run.point.values)
    return f"{given} at {run.point.label}"


def _hint(setting: Setting, run: Run) -> str:
    """What may have to be said of a function that arrays do not fit."""
    outcome = run.outcome
    if outcome.error is None or not outcome.error.startswith(("ValueError", "IndexError")):
        return ""
    adapter = setting.adapter
    may = []
    if adapter.columns and adapter.layout == "rows":
        may = ["rows=True in place of columns, if its vectors are (1, n)"]
    elif not (adapter.columns or adapter.rows):
        may = ["columns=True or rows=True, if its vectors are (n, 1) or (1, n)"]
    if not setting.sizes:
        may.append("sizes={…} or steps=…, if it is made for certain ones")
    hints = [f"say {'; '.join(may)}"] if may else []
    hints += with_a_time_axis(run.point, adapter)
    return "".join(f"; {x}" for x in hints)


def habits(setting: Setting, probe: Run) -> None:
    """What the function makes of initial states and of targets, and whether it repeats itself.

    A function that does not look at an initial state starts from zero, one that looks at the
    class of a target only is for one-hot targets; both are right where they are right there.
    """
    if not usable(probe.outcome):
        return
    values, runner, net = probe.point.values, setting.runner, setting.net
    again = runner.at(probe.point)
    if not _same(probe.outcome, again.outcome):
        setting.kept = _accumulates(probe.outcome, again.outcome, net.parameters)
        setting.random = not setting.kept
        return
    zero = set(setting.regime.zero)
    for state in net.initial_states:
        if state not in zero:
            moved = {**values.initial, state: np.zeros_like(values.initial[state])}
            if _same(probe.outcome, runner.at(probe.point, replace(values, initial=moved)).outcome):
                zero.add(state)
                setting.notes.append(
                    f"the initial state {state} is not used: judged as a network that starts "
                    f"from {state} = 0"
                )
    hot = set(setting.regime.one_hot)
    for name in net.targets if net.target_kind in ("distribution", "probability") else ():
        target = values.sequences[name]
        if name in hot or target.shape[-1] < 2:
            continue
        classes = np.eye(target.shape[-1])[target.argmax(-1)]
        if net.target_kind == "probability":
            classes = np.round(target)
        moved = {**values.sequences, name: classes}
        if _same(probe.outcome, runner.at(probe.point, replace(values, sequences=moved)).outcome):
            hot.add(name)
            setting.notes.append(
                f"of a target only the class is used (the largest entry of {name}): judged with "
                f"one-hot targets"
            )
    setting.regime = Regime(frozenset(hot), frozenset(zero))


def _same(a: Outcome, b: Outcome) -> bool:
    """Whether two calls gave the same gradients."""
    return a.gradients.keys() == b.gradients.keys() and all(
        np.allclose(g, b.gradients[n], rtol=1e-9, atol=1e-12) for n, g in a.gradients.items()
    )


def _accumulates(a: Outcome, b: Outcome, names: Iterable[str]) -> bool:
    return all(
        np.allclose(2 * a.gradients[n], b.gradients.get(n, 0), rtol=1e-9, atol=1e-12)
        for n in names
        if n in a.gradients
    )


def survey(setting: Setting, lengths: Sequence[int], probe: Run) -> list[Run]:
    """The function at every length, in sizes of another order at those after the main one."""
    slow = probe.seconds > SLOW
    chosen = [n for n in lengths if n in (1, MAIN, min(lengths))] if slow else lengths
    runs = [setting.runner.at(setting.point(n, turned=n > MAIN)) for n in chosen]
    if setting.adapter.cell:
        runs.append(setting.runner.at(setting.point(lengths[-1], turned=True)))
    bad = next((r for r in runs if not usable(r.outcome)), None)
    if bad is not None and not setting.sizes and usable(probe.outcome):
        # made for certain sizes, perhaps: then they are the same everywhere
        setting.sizes = {n: probe.point.sizes[n] for n in setting.net.sizes}
        plain = [setting.runner.at(setting.point(n)) for n in chosen]
        if all(usable(r.outcome) for r in plain):
            setting.notes.append(
                f"with other sizes it raises {bad.outcome.error or bad.outcome.unusable} "
                f"({bad.point.label}): it is judged at one choice of sizes"
            )
            return plain
        setting.sizes = {}
    return _of_one_length(setting, runs) or runs


def _of_one_length(setting: Setting, runs: Sequence[Run]) -> list[Run] | None:
    """The calls of code that is made for one length, if it is: it fails at several others, and at
    those at which it does not fail, gradients are wrong that are right at this one."""
    failed = [r for r in runs if not usable(r.outcome)]
    fine = sorted((r for r in runs if usable(r.outcome)), key=lambda r: r.point.steps)
    if len(failed) < 2 or not fine:
        return None
    first, *others = fine
    if first.point.steps == 1:
        return None  # nothing is carried there
    right = [n for n in first.point.gradients if first.right(n)]
    if not right or any(all(run.right(n) for n in right) for run in others):
        return None
    steps = first.point.steps
    bad = failed[0].outcome.error or failed[0].outcome.unusable
    setting.notes.append(
        f"it works for sequences of one length only, T = {steps} (at {failed[0].point.label} it "
        f"raises {bad}), and is judged there; if the length is an argument, hand over 'T' (init, "
        f"arguments), if it is another one, say steps=…"
    )
    return [first, setting.runner.at(setting.point(steps, turned=steps <= MAIN))]


def remembers(setting: Setting, probe: Run) -> Run | None:
    """The first call once more, if after those with other sequences it gives something else."""
    if not usable(probe.outcome) or setting.random or setting.kept:
        return None
    again = setting.runner.at(probe.point)
    if _same(probe.outcome, again.outcome):
        return None
    setting.remembers = True
    return again


def long_run(setting: Setting, lengths: Sequence[int], runs: Sequence[Run]) -> Run | None:
    """A long sequence: gradients are so large there that a bound on them shows, and what is
    truncated after many steps."""
    if max(lengths) < max(LENGTHS) or len(runs) < len(LENGTHS) or not setting.net.lengths:
        return None
    run = setting.runner.at(setting.point(LONG))
    if not usable(run.outcome):
        return None
    return run


def batch_run(setting: Setting, runs: Sequence[Run]) -> Run | None:
    """The function on several sequences at once; None where it does not take them."""
    order = setting.adapter.order
    if (order is not None and "b" not in order) or (setting.adapter.columns and order is None):
        return None
    if not all(usable(r.outcome) for r in runs):
        return None
    steps = min((r.point.steps for r in runs), key=lambda n: (abs(n - 3), n))
    run = setting.runner.at(setting.point(steps, batch=BATCH))
    if usable(run.outcome) and not run.outcome.faults:
        return run
    if order is not None:
        return run
    if setting.one is None:
        setting.notes.append("with a batch axis (T, B, n) it gives no gradients: judged without")
    return None
