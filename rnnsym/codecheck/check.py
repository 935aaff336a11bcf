"""check_gradient: is a user's backward pass right, and if not, what is wrong with it?

The middle of the flow: points → calls → verdicts → diagnosis → report. The function may be any
callable, or a stand-in for one that runs in another process (`rnnsym.codecheck.remote`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from rnnsym.codecheck import diagnose
from rnnsym.codecheck.adapter import Adapter, AdapterError
from rnnsym.codecheck.calling import Caller, Outcome
from rnnsym.codecheck.ground import Ground
from rnnsym.codecheck.layer import layer_of
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
    shortest,
)
from rnnsym.codecheck.report import CodeReport, Diagnosis, Judged
from rnnsym.codecheck.runs import EXACT, Run, Runner
from rnnsym.codecheck.search import Search
from rnnsym.codecheck.simple import clipped
from rnnsym.codecheck.words import Words
from rnnsym.errors import InputError
from rnnsym.network import Network

#: a function that needs longer than this for a call is called at fewer points
SLOW = 1.0


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
    given = adapter
    if layout:
        given = {**(_words(adapter)), **layout}
    try:
        chosen = Adapter.of(given)
        if isinstance(function, tuple | list | Mapping) and chosen.calls:
            net = layer_of(net)
        shapes = shapes_of(net)
        caller = Caller(function, chosen, shapes)
    except AdapterError as error:
        raise InputError(str(error)) from None
    name = getattr(function, "__name__", None) or type(function).__name__
    if isinstance(function, tuple | list):
        name = ", ".join(getattr(f, "__name__", "a function") for f in function)
    return judge(
        caller, net, chosen, caller.started, seed=seed, steps=steps, sizes=sizes,
        sensitivity=sensitivity, name=name,
    )  # fmt: skip


def _words(adapter: Adapter | Mapping[str, Any] | None) -> dict[str, Any]:
    if adapter is None:
        return {}
    if isinstance(adapter, Adapter):
        return dict(vars(adapter))
    return dict(adapter)


@dataclass
class _Setting:
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
        return self.ground.point(
            lengths_of(self.net, steps),
            chosen_sizes(self.net, self.sizes, turned),
            self.seed,
            self.regime if regime is None else regime,
            self.one if batch is None else batch,
        )


def judge(
    subject: Any,
    net: Network,
    adapter: Adapter,
    started: Sequence[str],
    *,
    seed: int = 0,
    steps: int | Sequence[int] | None = None,
    sizes: Mapping[str, int] | None = None,
    sensitivity: bool = True,
    name: str = "the function",
    ground: Ground | None = None,
) -> CodeReport:
    """The report on a subject: anything that maps `Values` to an `Outcome`."""
    start = time.perf_counter()
    for size in sizes or {}:
        if size not in net.sizes:
            raise InputError(f"unknown size {size!r}: {net.name} has {', '.join(net.sizes)}")
    ground = Ground(net) if ground is None else ground
    setting = _Setting(
        ground,
        Runner(subject, adapter.loss),
        adapter,
        seed,
        dict(sizes or {}),
        Regime(
            frozenset(adapter.indices),
            frozenset(n for n in net.initial_states if n not in started),
        ),
    )
    lengths = _lengths(net, steps)
    probe = _probe(setting, lengths)
    _habits(setting, probe)
    runs = _runs(setting, lengths, probe)
    names = list(net.parameters)
    words = Words(_own_names(adapter, subject))
    judged = {n: _verdict(n, names, runs, adapter) for n in names}
    if setting.kept:
        judged = {n: _kept(g) for n, g in judged.items()}
    batches = _batches(setting, runs)
    if batches is not None:
        judged = {n: _with_batch(n, g, batches, judged, words) for n, g in judged.items()}
    loud = _loud(setting, lengths, runs, judged) if all(g.ok for g in judged.values()) else None
    if loud is not None:
        runs.append(loud)
        judged = {n: _verdict(n, names, runs, adapter) for n in names}
    search = Search([r for r in runs if r is not loud], words, ground)
    wrong = [n for n, g in judged.items() if g.verdict == "wrong" and g.why is None]
    plain = [r for r in runs if r is not loud]
    found = diagnose.all_of(wrong, plain, search, setting.runner, words)
    judged = {n: _explained(n, g, found.diagnoses.get(n), runs) for n, g in judged.items()}
    own = _own_names(adapter, subject)
    judged = {n: replace(g, theirs=own.get(n, "")) for n, g in judged.items()}
    report = CodeReport(
        model=net.name,
        gradients=judged,
        loss=diagnose.loss(plain),
        summary=found.summary,
        notes=[*setting.notes, *_noticed(runs, batches), *found.notes],
        points=[r.point.label for r in [*runs, *([batches] if batches else [])]],
        sensitivity=search.sensitivity() if sensitivity else None,
        function=name,
        undecided="two equal calls gave different gradients" if setting.random else "",
    )
    return replace(report, seconds=time.perf_counter() - start)


def _lengths(net: Network, steps: int | Sequence[int] | None) -> list[int]:
    if steps is not None:
        chosen = [steps] if isinstance(steps, int) else list(steps)
        if not chosen or any(
            isinstance(n, bool) or not isinstance(n, int) or n < 1 for n in chosen
        ):
            raise InputError(f"steps must be a positive integer, or several, not {steps!r}")
        return sorted(set(chosen))
    found = shortest(net, LENGTHS)
    if not found:
        raise InputError(f"{net.name} does not exist at any of the lengths {LENGTHS}: give steps")
    return found if net.lengths else found[:1]


def _own_names(adapter: Adapter, subject: Any) -> dict[str, str]:
    """Ours -> theirs, where a parameter of theirs is one of ours."""
    names = getattr(subject, "names", None) or adapter.names
    return {ours: theirs for theirs, ours in names.items() if isinstance(ours, str)}


# ---- calling -----------------------------------------------------------------------------


def _probe(setting: _Setting, lengths: Sequence[int]) -> Run:
    """The first call that works, and with it how a single sequence is given.

    Raises InputError if none does.
    """
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
        if _usable(run.outcome):
            return run
        first = first or run
    assert first is not None
    setting.one = ways[0]
    for other in lengths:  # perhaps it is only this length
        if other != steps and first.outcome.unusable is None:
            run = setting.runner.at(setting.point(other))
            if _usable(run.outcome):
                return run
    outcome = first.outcome
    if outcome.unusable is not None:
        raise InputError(outcome.unusable)
    if outcome.error is not None:
        sized = not setting.sizes and outcome.error.startswith(("ValueError", "IndexError"))
        hint = "; if it is made for certain sizes, give them: sizes={…}" if sized else ""
        raise InputError(f"the function raises {outcome.error}, called with {_given(first)}{hint}")
    return first


def _usable(outcome: Outcome) -> bool:
    return outcome.error is None and outcome.unusable is None and bool(outcome.gradients)


def _given(run: Run) -> str:
    values = run.point.values
    data = ", ".join(f"{n} {v.shape}" for n, v in values.sequences.items())
    return f"{data} at {run.point.label}"


def _habits(setting: _Setting, probe: Run) -> None:
    """What the function makes of initial states and of targets, and whether it repeats itself.

    A function that does not look at an initial state starts from zero, one that looks at the
    class of a target only is for one-hot targets; both are right where they are right there.
    """
    if not _usable(probe.outcome):
        return
    values, runner, net = probe.point.values, setting.runner, setting.net
    again = runner.at(probe.point)
    if not _same(probe.outcome, again.outcome):
        setting.kept = _accumulates(probe.outcome, again.outcome)
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


def _accumulates(a: Outcome, b: Outcome) -> bool:
    return all(
        np.allclose(2 * g, b.gradients.get(n, 0), rtol=1e-9, atol=1e-12)
        for n, g in a.gradients.items()
    )


def _runs(setting: _Setting, lengths: Sequence[int], probe: Run) -> list[Run]:
    """The function at every length, in sizes of another order at those after the main one."""
    slow = probe.seconds > SLOW
    chosen = [n for n in lengths if n in (1, MAIN, min(lengths))] if slow else lengths
    runs = [setting.runner.at(setting.point(n, turned=n > MAIN)) for n in chosen]
    if not _usable(runs[-1].outcome) and any(_usable(r.outcome) for r in runs[:-1]):
        # made for certain sizes, perhaps: then they are the same everywhere
        plain = [setting.runner.at(setting.point(n)) for n in chosen if n > MAIN]
        if plain and all(_usable(r.outcome) for r in plain):
            setting.notes.append(
                f"with other sizes it raises {runs[-1].outcome.error} "
                f"({runs[-1].point.label}): it is judged at one choice of sizes"
            )
            runs = [*runs[: len(chosen) - len(plain)], *plain]
    return runs


def _loud(
    setting: _Setting, lengths: Sequence[int], runs: Sequence[Run], judged: Mapping[str, Judged]
) -> Run | None:
    """A long sequence, at which gradients are so large that a bound on them shows."""
    if max(lengths) < max(LENGTHS) or len(runs) < len(LENGTHS) or not setting.net.lengths:
        return None
    run = setting.runner.at(setting.point(LONG))
    if not _usable(run.outcome):
        return None
    return run


# ---- verdicts ----------------------------------------------------------------------------


def _verdict(name: str, names: Sequence[str], runs: Sequence[Run], adapter: Adapter) -> Judged:
    """Right, wrong or missing, from the numbers at all points."""
    for run in runs:
        outcome = run.outcome
        problem = outcome.error or outcome.unusable
        if problem is not None:
            text = f"the call at {run.point.label} raises {problem}"
            if outcome.error is None:
                text = f"the call at {run.point.label}: {problem}"
            return Judged("wrong", None, text, run.point.steps, run.point.label, why=_fault(text))
        fault = outcome.faults.get(name)
        if fault is not None:
            if fault.startswith("missing"):
                return Judged(
                    "missing", None, fault, where=run.point.label, why=_fault(fault, "missing")
                )
            text = f"the gradient is {fault} (at {run.point.label})"
            return Judged("wrong", None, text, run.point.steps, run.point.label, why=_fault(text))
    errors = [(run.error(name), run) for run in runs]
    worst = max(e for e, _ in errors)
    if all(run.right(name) for run in runs):
        remark = None
        if worst > EXACT:
            single = any(r.tolerance(name) > 1e-5 for r in runs)
            remark = (
                "right, in single precision"
                if single
                else f"right, but to {worst:.0e} only: an epsilon in a logarithm or a division, or "
                f"a numerical derivative?"
            )
        return Judged("right", worst, remark)
    if adapter.clip is not False:
        how = clipped(names, runs, name)
        bound = adapter.clip if isinstance(adapter.clip, int | float) else None
        if how is not None and (bound is None or f"{bound:g}]" in how):
            return Judged("right", worst, None if bound else f"the right gradient, {how}")
    wrong = [run for run in runs if not run.right(name)]
    first = min(wrong, key=lambda r: r.point.steps)
    return Judged("wrong", worst, None, first.point.steps, first.point.label)


def _kept(judged: Judged) -> Judged:
    """The verdict on a gradient that a second call adds to."""
    if judged.verdict == "missing":
        return judged
    text = "gradients are added up from call to call: set them to zero at the start of each"
    return Judged("wrong", judged.error, text, judged.since, why=_fault(text, "not set to zero"))


def _fault(text: str, kind: str = "fault") -> Diagnosis:
    return Diagnosis((kind,), text)


def _explained(name: str, judged: Judged, found: Diagnosis | None, runs: Sequence[Run]) -> Judged:
    if found is None:
        return judged
    return replace(judged, diagnosis=str(found), why=found)


def _batches(setting: _Setting, runs: Sequence[Run]) -> Run | None:
    """The function on several sequences at once; None where it does not take them."""
    order = setting.adapter.order
    if (order is not None and "b" not in order) or (setting.adapter.columns and order is None):
        return None
    if not all(_usable(r.outcome) for r in runs):
        return None
    steps = min((r.point.steps for r in runs), key=lambda n: (abs(n - 3), n))
    run = setting.runner.at(setting.point(steps, batch=BATCH))
    if _usable(run.outcome) and not run.outcome.faults:
        return run
    if order is not None:
        return run
    if setting.one is None:
        setting.notes.append("with a batch axis (T, B, n) it gives no gradients: judged without")
    return None


def _with_batch(
    name: str, judged: Judged, run: Run, all_judged: Mapping[str, Judged], words: Words
) -> Judged:
    """The verdict in the light of a batch of several sequences."""
    if not judged.ok or (run.gradient(name) is not None and run.right(name)):
        return judged
    found, size = run.gradient(name), run.point.batch or 1
    if found is None:
        text = run.outcome.error or run.outcome.unusable or run.outcome.faults.get(name, "nothing")
        text = f"with a batch of {size} sequences: {text}"
        return replace(judged, verdict="wrong", diagnosis=text, why=_fault(text))
    error = run.error(name)
    reason = diagnose.batch(name, run)
    if reason is None:
        if not any(run.right(n) for n in all_judged) and run.point.members and not _means(run):
            return judged  # what it does with a third axis is no gradient of anything
        reason = (
            f"right for one sequence, wrong for a batch of {size}: the gradient must be the sum "
            f"over its members"
        )
    label = run.point.label
    return Judged("wrong", error, reason, judged.since, label, why=Diagnosis(("batch",), reason))


def _means(run: Run) -> bool:
    return any(diagnose.batch(n, run) is not None for n in run.point.gradients)


def _noticed(runs: Sequence[Run], batches: Run | None) -> list[str]:
    """What the calls did besides giving gradients."""
    changed = dict.fromkeys(name for r in runs for name in r.outcome.changed)
    lines = []
    if changed:
        lines.append(f"it writes into its arguments: {', '.join(changed)}; work on copies")
    return lines
