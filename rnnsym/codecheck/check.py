"""Is a user's backward pass right, and if not, what is wrong with it?

The middle of the flow: points → calls → verdicts → diagnosis → report. The function may be any
callable, or a stand-in for one that runs in another process (`rnnsym.codecheck.remote`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from rnnsym.codecheck import diagnose
from rnnsym.codecheck.adapter import Adapter, AdapterError
from rnnsym.codecheck.calling import Caller, told, whole
from rnnsym.codecheck.clipping import Hidden, bounds_of, told_bounds, unseen
from rnnsym.codecheck.faults import Uncallable
from rnnsym.codecheck.ground import Ground
from rnnsym.codecheck.late import first_wrong, late
from rnnsym.codecheck.layer import cell_of, either, layer_of
from rnnsym.codecheck.naming import flat
from rnnsym.codecheck.points import LENGTHS, Regime, shapes_of, shortest
from rnnsym.codecheck.report import CodeReport
from rnnsym.codecheck.runs import Runner
from rnnsym.codecheck.search import Search
from rnnsym.codecheck.survey import (
    Setting,
    batch_run,
    habits,
    long_run,
    probe_call,
    remembers,
    survey,
)
from rnnsym.codecheck.unread import see_that_weights_are_read, with_a_time_axis
from rnnsym.codecheck.verdicts import (
    after_others,
    arrived,
    explained,
    kept_over_calls,
    noticed,
    of_its_own_loss,
    verdict,
    with_batch,
)
from rnnsym.codecheck.words import Words
from rnnsym.errors import InputError
from rnnsym.network import Network


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
    """`rnnsym.codecheck.check_gradient`, which says what the arguments are."""
    given = adapter
    if layout:
        given = {**(_words(adapter)), **layout}
    try:
        chosen = Adapter.of(given)
    except AdapterError as error:
        raise InputError(str(error)) from None
    name = getattr(whole(function), "__name__", None) or type(function).__name__
    if isinstance(function, tuple | list):
        name = ", ".join(getattr(f, "__name__", "a function") for f in function)

    def judged(as_layer: bool) -> CodeReport:
        network = layer_of(net) if as_layer else net
        network = cell_of(net, chosen.handed) if chosen.cell else network
        try:
            caller = Caller(function, chosen, shapes_of(network, chosen.cell))
            return judge(
                caller, network, caller.adapter, caller.started, seed=seed, steps=steps,
                sizes=sizes, sensitivity=sensitivity, name=name,
            )  # fmt: skip
        except AdapterError as error:
            raise Uncallable(str(error), "adapter") from None

    pair = isinstance(function, tuple | list | Mapping) and bool(chosen.calls) and not chosen.cell
    try:
        return either(judged, chosen.layer) if pair else judged(bool(chosen.layer))
    except Uncallable as error:
        raise InputError(str(error)) from None


def _words(adapter: Adapter | Mapping[str, Any] | None) -> dict[str, Any]:
    if adapter is None:
        return {}
    if isinstance(adapter, Adapter):
        return dict(vars(adapter))
    return dict(adapter)


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
    for size, number in (sizes or {}).items():
        if size not in net.sizes:
            text = f"unknown size {size!r}: {net.name} has {', '.join(net.sizes)}"
            raise Uncallable(text, "adapter")
        if number != _ones(net, adapter).get(size, number):
            raise Uncallable(f"{size} is 1: what `squeeze` names has one feature", "adapter")
    ground = Ground(net) if ground is None else ground
    setting = Setting(
        ground,
        Runner(subject, adapter.loss),
        adapter,
        seed,
        {**_ones(net, adapter), **(sizes or {})},
        Regime(
            frozenset(adapter.indices),
            frozenset(n for n in net.initial_states if n not in started),
        ),
    )
    lengths = [1] if adapter.cell else _lengths(net, steps)
    probe = probe_call(setting, lengths)
    habits(setting, probe)
    runs = survey(setting, lengths, probe)
    names = [*net.parameters, *arrived(net, getattr(subject, "arrivals", ()), runs)]
    words = Words(_own_names(adapter, subject), _parts(adapter, subject))
    setting.runner.clipped(bounds_of(names, net, runs, adapter.clip), runs)
    hidden = Hidden(names, runs)
    calm = [] if setting.random or setting.kept else hidden.calm_runs(setting)
    judged = {n: verdict(n, names, [*runs, *calm], adapter, hidden) for n in names}
    if setting.kept:
        judged |= {n: kept_over_calls(judged[n]) for n in net.parameters}
    again = remembers(setting, probe)
    if again is not None:
        judged = {n: after_others(n, g, probe, again) for n, g in judged.items()}
    batches = batch_run(setting, runs)
    if batches is not None:
        batches = next(iter(Hidden(names, [batches]).calm_runs(setting)), batches)
        judged = {n: with_batch(n, g, batches, judged) for n, g in judged.items()}
    right = [n for n, g in judged.items() if g.ok]
    long = len(right) == len(names) or adapter.clip is not None
    loud = long_run(setting, lengths, runs) if long else None
    plain = [*calm, *(r for r in runs if not any(hidden.clear(n, r) is False for n in names))]
    if loud is not None:
        runs.append(loud)
        setting.runner.clipped(bounds_of(names, net, runs, adapter.clip), [*runs, *calm])
        hidden = Hidden(names, runs)
        judged |= {n: verdict(n, names, [*runs, *calm], adapter, hidden) for n in right}
        for n in [n for n in right if judged[n].verdict == "wrong" and judged[n].why is None]:
            if n not in net.parameters:
                continue
            run = first_wrong(n, lengths[-1], loud, lambda t: setting.runner.at(setting.point(t)))
            judged[n] = replace(judged[n], since=run.point.steps)
            with verdict_first(setting.notes, "the explanation"):
                judged[n] = explained(judged[n], late(n, run, loud, ground))
    runs += calm
    if not setting.random and any(g.verdict != "right" for g in judged.values()):
        setting.notes += see_that_weights_are_read(setting.runner, probe, adapter, words)
    if not any(g.ok for g in judged.values()):
        setting.notes += with_a_time_axis(probe.point, adapter)
    search = Search(plain or runs, words, ground)
    wrong = [n for n, g in judged.items() if g.verdict == "wrong" and g.why is None]
    if setting.random:
        wrong = []  # there are no numbers to explain
    if not any(g.why is not None and g.why.kinds == ("clipped",) for g in judged.values()):
        setting.notes += unseen(adapter.clip, runs, words)
    if wrong:
        setting.notes += told_bounds(runs, names, words)
    if calm:
        setting.notes.append(
            "where bounds hide most entries, it is called with a small output error, too, and so "
            "with small gradients"
        )
    found = diagnose.Found()
    sent = [n for n in wrong if n not in net.parameters]
    wrong = [n for n in wrong if n in net.parameters]
    with verdict_first(setting.notes, "the explanation"):
        diagnose.all_of(wrong, plain or runs, search, setting.runner, words, found, batches)
        diagnose.of_arrivals(sent, net, plain or runs, words, found)
    judged = {n: explained(g, found.diagnoses.get(n)) for n, g in judged.items()}
    judged = {n: of_its_own_loss(g) for n, g in judged.items()}
    own = _parts(adapter, subject) | words.names
    judged = {n: replace(g, theirs=own.get(n, "")) for n, g in judged.items()}
    seen = None
    with verdict_first(setting.notes, "the sensitivity"):
        seen = search.sensitivity() if sensitivity else None
    report = CodeReport(
        model=net.name,
        gradients=judged,
        loss=diagnose.loss(runs),
        summary=found.summary,
        notes=[*setting.notes, *noticed(runs, batches), *found.notes],
        points=[r.point.label for r in [*runs, *([batches] if batches else [])]],
        sensitivity=seen,
        equal=runs[0].point.equal,
        function=name,
        undecided="two equal calls gave different gradients" if setting.random else "",
    )
    return replace(report, seconds=time.perf_counter() - start)


@contextmanager
def verdict_first(notes: list[str], what: str) -> Iterator[None]:
    """What fails while a verdict is explained is noted, and takes no verdict with it."""
    try:
        yield
    except InputError as error:  # the function's process has ended, perhaps
        notes.append(f"{what} was not found: {error}")
    except Exception as error:
        notes.append(f"{what} was not found: {told(error)}; this is a fault of rnnsym, not yours")


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


def _ones(net: Network, adapter: Adapter) -> dict[str, int]:
    """The sizes of what is given without the axis of its one feature."""
    rows = (str(net.vectors[n].rows) for n in adapter.squeeze)
    return {n: 1 for n in rows if n in net.sizes}


def _own_names(adapter: Adapter, subject: Any) -> dict[str, str]:
    """Ours -> theirs, where a parameter of theirs is one of ours."""
    names = getattr(subject, "names", None) or adapter.names
    return {ours: theirs for theirs, ours in names.items() if isinstance(ours, str)}


def _parts(adapter: Adapter, subject: Any) -> dict[str, str]:
    """Ours -> that it is a part of a parameter of theirs."""
    names = getattr(subject, "names", None) or adapter.names
    whole = [(n, o) for n, o in names.items() if not isinstance(o, str)]
    return {ours: f"part of {theirs}" for theirs, blocks in whole for ours in flat(blocks)}
