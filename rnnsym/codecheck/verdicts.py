"""Verdicts: right, wrong or missing, from the numbers at all points, before any diagnosis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from rnnsym.codecheck import diagnose
from rnnsym.codecheck.adapter import Adapter
from rnnsym.codecheck.clipping import Habit, Hidden, clipped
from rnnsym.codecheck.report import Diagnosis, Judged
from rnnsym.codecheck.runs import EXACT, Run
from rnnsym.codecheck.simple import OWN_LOSS
from rnnsym.network import Network

#: to how many decimals gradients may be rounded, and how large one must be, in units of what
#: rounding changes, for it to be seen
MOST_DECIMALS, SEEN = 8, 50


def arrived(net: Network, announced: Sequence[str], runs: Sequence[Run]) -> list[str]:
    """The inputs and initial states by which gradients are announced, or came back in a dict."""
    came = [{*r.outcome.gradients, *r.outcome.faults} for r in runs if r.outcome.gradients]
    some, every = set().union(*came), set.intersection(*came) if came else set()
    found = [*(n for n in net.inputs if n in some), *(n for n in net.initial_states if n in every)]
    return list(dict.fromkeys([*announced, *(n for n in found if n not in net.parameters)]))


def verdict(
    name: str,
    names: Sequence[str],
    runs: Sequence[Run],
    adapter: Adapter,
    hidden: Hidden | None = None,
) -> Judged:
    """Right, wrong or missing, from the numbers at all points; undecided where a bound hides them
    at all points."""
    for run in runs:
        outcome = run.outcome
        problem = outcome.error or outcome.unusable
        if problem is not None:
            text = f"the call at {run.point.label} raises {problem}"
            if outcome.error is None:
                text = f"the call at {run.point.label}: {problem}"
            return Judged("wrong", None, text, run.point.steps, run.point.label, why=_fault(text))
        fault = outcome.faults.get(name)
        if fault is None and name not in outcome.gradients:
            fault = "missing: the function returns it at other points only"
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
        digits = rounded(name, runs) if worst > EXACT else None
        if digits is not None:
            remark = f"right, rounded to {digits} decimals"
        elif worst > EXACT:
            single = any(r.tolerance(name) > 1e-5 for r in runs)
            remark = (
                "right, in single precision"
                if single
                else f"right, but to {worst:.0e} only: an epsilon in a logarithm or a division, or "
                f"a numerical derivative?"
            )
        return Judged("right", worst, remark)
    digits = rounded(name, runs)
    if digits is not None:
        calm = max(e for e, _ in errors)
        return Judged("right", calm, f"right, rounded to {digits} decimals")
    how = clipped(names, runs, name)
    if adapter.clip is False and how is not None:
        text = f"the right gradient, {how.text}"
        return Judged("wrong", worst, text, why=_fault(text, "clipped"))
    if adapter.clip is not False and how is not None:
        bound = adapter.clip if isinstance(adapter.clip, int | float) else None
        if bound is not None and (how.group or abs(how.bound / bound - 1) > 1e-6):
            text = f"the right gradient, {how.text}, not to [-{bound:g}, {bound:g}] as clip says"
            return Judged("wrong", worst, text, why=_fault(text, "clipped"))
        if hidden is not None and hidden.hides(name, runs):
            return _undecided(how)
        calm = max((e for e, run in errors if run.right(name)), default=0.0)
        return Judged("right", calm, None if bound else f"the right gradient, {how.text}")
    wrong = [run for run in runs if not run.fits(name)] or [r for r in runs if not r.right(name)]
    first = min(wrong, key=lambda r: r.point.steps)
    found = [(run.gradient(name), run) for run in wrong]
    worst = max(np.inf if g is None else run.through(g, name) for g, run in found)
    return Judged("wrong", worst, None, first.point.steps, first.point.label)


def rounded(name: str, runs: Sequence[Run]) -> int | None:
    """To how many decimals the right gradient is rounded in all runs; None if it is not."""
    pairs = [(run.outcome.gradients[name], run.gradient(name), run) for run in runs]
    for digits in range(2, MOST_DECIMALS + 1):
        whole = all(np.allclose(raw, np.round(raw, digits), rtol=0, atol=1e-12)
                    for raw, _, _ in pairs)  # fmt: skip
        if not whole:
            continue
        near = all(
            g is not None and g.shape == run.point.true(name).shape
            and np.max(np.abs(g - run.point.true(name)), initial=0.0) <= _unit(digits, run)
            for _, g, run in pairs
        )  # fmt: skip
        large = any(np.max(np.abs(run.point.true(name)), initial=0.0) > SEEN * _unit(digits, run)
                    for _, _, run in pairs)  # fmt: skip
        return digits if near and large else None
    return None


def _unit(digits: int, run: Run) -> float:
    """The most that rounding changes a gradient, as of the summed loss."""
    return 0.5 * 10.0**-digits * abs(run.factor) * (1 + 1e-6)


def _undecided(how: Habit) -> Judged:
    """The verdict on a gradient of which a bound leaves too little to see."""
    what = "its norm is" if how.group else "nearly every entry is"
    left = "its direction" if how.group else "signs"
    text = f"{what} at the bound wherever it is called ({how.text}): only {left} can be compared"
    return Judged("undecided", None, text, why=_fault(text, "at the bound"))


def kept_over_calls(judged: Judged) -> Judged:
    """The verdict on a gradient that a second call adds to."""
    if judged.verdict in ("missing", "undecided"):
        return judged
    text = "gradients are added up from call to call: set them to zero at the start of each"
    return Judged("wrong", judged.error, text, judged.since, why=_fault(text, "not set to zero"))


def after_others(name: str, judged: Judged, first: Run, again: Run) -> Judged:
    """The verdict on a gradient of code in which something stays from earlier calls."""
    one, other = first.gradient(name), again.gradient(name)
    if one is None or other is None or first.equals(name, other) or again.equals(name, one):
        return judged
    was = "is right" if first.right(name) else "gives one thing"
    text = (
        f"a call depends on earlier ones: the first one ({first.point.label}) {was}, the same call "
        f"after some with other sequences gives something else: is a list or a cache of the "
        f"object, or a global variable, not emptied at the start?"
    )
    why = _fault(text, "depends on earlier calls")
    worst = max(judged.error or 0.0, first.error(name), again.error(name))
    since = judged.since if judged.since is not None else first.point.steps
    return replace(judged, verdict="wrong", error=worst, diagnosis=text, since=since, why=why)


def _fault(text: str, kind: str = "fault") -> Diagnosis:
    return Diagnosis((kind,), text)


def explained(judged: Judged, found: Diagnosis | None) -> Judged:
    """A verdict with its diagnosis, if there is one."""
    if found is None:
        return judged
    return replace(judged, diagnosis=str(found), why=found)


def of_its_own_loss(judged: Judged) -> Judged:
    """The verdict on the right gradient of a returned loss that is a number times the model's."""
    if judged.why is None or judged.why.kinds != (OWN_LOSS,):
        return judged
    return replace(judged, verdict="right", error=None, since=None)


def with_batch(name: str, judged: Judged, run: Run, all_judged: Mapping[str, Judged]) -> Judged:
    """The verdict in the light of a batch of several sequences."""
    if not judged.ok or (run.gradient(name) is not None and run.fits(name)):
        return judged
    found, size = run.gradient(name), run.point.batch or 1
    if found is None:
        text = run.outcome.error or run.outcome.unusable or run.outcome.faults.get(name, "nothing")
        text = f"with a batch of {size} sequences: {text}"
        return replace(judged, verdict="wrong", diagnosis=text, why=_fault(text))
    error = run.through(found, name)
    reason = diagnose.batch(name, run)
    if reason is None:
        if not any(run.fits(n) for n in all_judged) and run.point.members and not _means(run):
            return judged  # what it does with a third axis is no gradient of anything
        reason = (
            f"right for one sequence, wrong for a batch of {size}: the gradient must be the sum "
            f"over its members"
        )
    label = run.point.label
    return Judged("wrong", error, reason, judged.since, label, why=Diagnosis(("batch",), reason))


def _means(run: Run) -> bool:
    return any(diagnose.batch(n, run) is not None for n in run.point.gradients)


def noticed(runs: Sequence[Run], batches: Run | None) -> list[str]:
    """What the calls did besides giving gradients."""
    changed = dict.fromkeys(name for r in runs for name in r.outcome.changed)
    extra = dict.fromkeys(name for r in runs for name in r.outcome.extra)
    lines = []
    if extra:
        few = ", ".join([*list(extra)[:6], *(["…"] if len(extra) > 6 else [])])
        lines.append(f"not judged, of what comes back: {few}")
    if changed:
        lines.append(f"it writes into its arguments: {', '.join(changed)}; work on copies")
    return lines
