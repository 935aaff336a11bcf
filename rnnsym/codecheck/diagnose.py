"""The diagnosis of all wrong gradients together, from the simplest explanation to the last resort.

Order: a factor, a name or a penalty (`simple`); the forward pass (`own_loss`, `forward`); one
mutation (`search`); summands (`parts`); two mutations; else the numbers at the first point.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from rnnsym.codecheck import forward
from rnnsym.codecheck.arrivals import Arrivals
from rnnsym.codecheck.locate import last_resort, lengths, numbers
from rnnsym.codecheck.own_loss import consistent
from rnnsym.codecheck.parts import counted_wrongly
from rnnsym.codecheck.points import MAIN, Point
from rnnsym.codecheck.report import Diagnosis, Judged
from rnnsym.codecheck.runs import Run, Runner, ratio
from rnnsym.codecheck.search import PAIR_SECONDS, Search
from rnnsym.codecheck.simple import MEAN, arrived, of_own_loss, simple
from rnnsym.codecheck.together import together
from rnnsym.codecheck.words import Words
from rnnsym.network import Network
from rnnsym.verify.case import relative_error


@dataclass
class Found:
    """A diagnosis for each wrong gradient, and the one cause of several, if there is one."""

    diagnoses: dict[str, Diagnosis] = field(default_factory=dict)
    summary: str = ""
    notes: list[str] = field(default_factory=list)


def all_of(
    wrong: Sequence[str],
    runs: Sequence[Run],
    search: Search,
    runner: Runner,
    words: Words,
    found: Found,
    batches: Run | None = None,
) -> None:
    """Explain every gradient that is wrong in its numbers; `found` is filled on the way."""
    if not wrong:
        return
    good = [r for r in runs if r.outcome.error is None and r.outcome.unusable is None]
    every = [*good, *([batches] if batches else [])]
    one = together(wrong, every, runner.loss, words) or together(wrong, good, runner.loss, words)
    if one is not None:
        found.diagnoses |= dict.fromkeys(wrong, one[0])
        found.summary = one[1]
        return
    for name in wrong:
        diagnosis = _untruncated(name, good) or of_own_loss(name, good) or simple(name, good, words)
        if diagnosis is not None:
            found.diagnoses[name] = diagnosis
    left = [n for n in wrong if n not in found.diagnoses]
    if left:
        _forward(left, good, runner, words, found)
    open_ = [n for n in wrong if _may_be_better(found.diagnoses.get(n))]
    zero = {n: _zero(words.name(n)) for n in left if not any(np.any(r.gradient(n)) for r in good)}
    found.diagnoses |= search.explain(open_, found.diagnoses, zero)
    found.diagnoses = zero | found.diagnoses
    left = [n for n in left if n not in found.diagnoses]
    stop = time.process_time() + PAIR_SECONDS
    for name in left:
        diagnosis = (
            _zero_where_wrong(name, good, words)
            or _summands(name, search, runner, words)
            or search.pair(name, stop)
        )
        if diagnosis is not None:
            found.diagnoses[name] = diagnosis
    left = [n for n in left if n not in found.diagnoses]
    found.diagnoses |= last_resort(left, good, search, words)
    _summarise(wrong, found)


def _untruncated(name: str, runs: Sequence[Run]) -> Diagnosis | None:
    """The gradient without the truncation that the model has."""
    whole = forward.untruncated(runs[0].point.net) if runs else None
    if whole is None:
        return None
    for run in runs:
        truth = forward.gradients(whole, run)
        if truth is None or not run.equals(name, truth[1][name]):
            return None
    return Diagnosis(("not truncated",), f"the right gradient of another network: {whole.text}")


def _zero(own: str) -> Diagnosis:
    text = f"the gradient by {own} is zero everywhere: nothing, or only itself, is added to it"
    return Diagnosis(("zero",), text)


def _zero_where_wrong(name: str, runs: Sequence[Run], words: Words) -> Diagnosis | None:
    """A gradient that is right at some lengths and nothing at others."""
    wrong = [r for r in runs if not r.fits(name)]
    if any(np.any(r.gradient(name)) for r in wrong):
        return None
    text = f"the gradient by {words.name(name)} is zero at {lengths(wrong)}, where it should not be"
    return Diagnosis(("zero at times",), f"{text}; it is right at every other length")


def _may_be_better(known: Diagnosis | None) -> bool:
    """Whether the catalogue may have a better explanation: of the sign, or of a factor 2."""
    return known is None or known.kinds[0] in ("sign", "factor 2", "factor 1/2")


def _forward(
    wrong: Sequence[str], runs: Sequence[Run], runner: Runner, words: Words, found: Found
) -> None:
    """Gradients that are right for another forward pass."""
    judged = loss(runs)
    if judged is not None and judged.ok:
        return  # the forward pass is the model's
    telling = [r for r in runs if not all(r.fits(n) for n in wrong)]
    some = sorted(telling, key=lambda r: (abs(r.point.steps - MAIN), r.point.steps))[:3]
    own: list[str] = []
    if judged is not None:
        own = consistent(runner, some[0], list(wrong))
    elif len(wrong) < 2:
        return
    other = forward.found(some, wrong)
    if other is not None:
        network, explained = other
        say = f"the right gradient of another network: {words.text(network.text)}"
        if network.text.endswith(forward.NO_BIASES):
            model = forward.written(network.net, runs[0].point.net)
            found.notes.append(f"if it is to have no biases, the model is rs.Network({model})")
        for name in explained:
            found.diagnoses[name] = Diagnosis(("another network",), say)
        return
    for name in own:
        text = (
            "the right gradient of the loss that the function returns, which is not the loss of "
            "the model: the error is in the forward pass"
        )
        found.diagnoses[name] = Diagnosis(("forward pass",), text)


def of_arrivals(
    names: Sequence[str], net: Network, runs: Sequence[Run], words: Words, found: Found
) -> None:
    """Why gradients by inputs and initial states are wrong: a factor, the catalogue, or where."""
    good = [r for r in runs if r.outcome.error is None and r.outcome.unusable is None]
    same = {kind for d in found.diagnoses.values() for kind in d.kinds}
    catalogue: Arrivals | None = None
    for name in names:
        known = arrived(name, good, words)
        if known is None:
            catalogue = catalogue or Arrivals(net, good, words)
            known = catalogue.explain(name, same)
        found.diagnoses[name] = known or Diagnosis((), numbers(name, good, words))


def _summands(name: str, search: Search, runner: Runner, words: Words) -> Diagnosis | None:
    """What is left out or counted twice, at a point with enough entries to tell."""
    point = search.main.point
    entries = point.gradients[name].size
    run = search.main
    if entries <= point.steps * (point.steps + 1) // 2:
        sizes = {n: 4 * point.sizes[n] for n in point.net.sizes}
        if point.net.chunks:
            return None
        large = Point(point.net, _lengths(point), sizes, point.case.seed, point.regime, point.batch)
        run = runner.at(large)
        if run.outcome.error is not None or run.gradient(name) is None:
            return None
    return counted_wrongly(run, name, words.name(name))


def _lengths(point: Point) -> int | dict[str, int]:
    names = list(point.net.lengths)
    return {n: point.sizes[n] for n in names} if len(names) > 1 else point.steps


def _summarise(wrong: Sequence[str], found: Found) -> None:
    """One sentence where all wrong gradients have the same cause."""
    kinds = {found.diagnoses[n].kinds for n in wrong if n in found.diagnoses}
    if len(wrong) < 2 or len(kinds) != 1 or not set(wrong) <= set(found.diagnoses):
        return
    (only,) = kinds
    if only == (MEAN.kind,):
        found.summary = (
            "All of these are right gradients of the mean loss (1/T). If that is what is meant, "
            "say loss='mean over time'."
        )
    elif only and len({found.diagnoses[n].text for n in wrong}) == 1:
        number = "both" if len(wrong) == 2 else f"all {len(wrong)}"
        found.summary = f"One error explains {number} wrong gradients."


def batch(name: str, run: Run) -> str | None:
    """What a gradient is of, that is right for one sequence and not for a batch of several."""
    found = run.gradient(name)
    if found is None:
        return None
    size = run.point.batch or 1
    c = ratio(found, run.point.true(name))
    if c is not None and abs(c * size - 1) < 1e-6:
        return "the right gradient of the mean over the batch (1/B): the model's loss is the sum"
    if c is not None and abs(c / size - 1) < 1e-6 and run.factor % size == 0:
        return "the right gradient of the sum over the batch, not of the mean that is stated (loss)"
    from rnnsym.verify.backpropagation import tape_gradients

    if name not in run.point.gradients:
        return None
    for word, member in (("first", run.point.members[0]), ("last", run.point.members[-1])):
        if run.equals(name, tape_gradients(member)[1][name]):
            return f"of a batch, only the {word} sequence is counted"
    return None


def loss(runs: Sequence[Run]) -> Judged | None:
    """The verdict on the returned loss; None if there is none."""
    pairs = [(r.loss, r.point.loss, r) for r in runs if r.loss is not None]
    if not pairs:
        return None
    errors = [relative_error(x, y) for x, y, _ in pairs]
    if max(errors) <= 1e-6:
        return Judged("right", max(errors))
    ratios = [x / y for x, y, _ in pairs]
    text = "the returned loss is not that of the model"
    if all(abs(c * r.point.losses - 1) < 1e-6 for c, (_, _, r) in zip(ratios, pairs, strict=True)):
        text = "the returned loss is the mean over time (1/T), the model's the sum"
    elif np.ptp(ratios) < 1e-6 * abs(ratios[0]):
        text = f"the returned loss is {ratios[0]:.6g} times that of the model"
    return Judged("wrong", max(errors), text)
