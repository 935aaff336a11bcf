"""Errors that need no catalogue: a factor, a wrong name, a bound, a penalty on the weights.

First part of the diagnosis. Each looks at the numbers of one gradient at all points and says what
they are instead of the true ones, or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnsym.codecheck.report import Diagnosis
from rnnsym.codecheck.runs import INSIDE, VANISHING, Run, ratio
from rnnsym.codecheck.words import Words

Array = NDArray[Any]


@dataclass(frozen=True)
class Factor:
    """A number that a gradient is too large by: how it is said, and its value at a point."""

    kind: str
    text: str
    value: Callable[[Run], float]


#: the kind of a gradient that is right of the returned loss, which is a number times the model's
OWN_LOSS = "another factor of the loss"
MEAN = Factor("mean instead of sum", "1/T", lambda r: 1.0 / r.point.losses)


def factors(runs: Sequence[Run]) -> Iterator[Factor]:
    """The factors that have a name, the most usual first."""
    yield Factor("sign", "-1", lambda r: -1.0)
    yield Factor("factor 2", "2", lambda r: 2.0)
    yield Factor("factor 1/2", "1/2", lambda r: 0.5)
    if len({r.point.losses for r in runs}) > 1:
        yield MEAN
        yield Factor("T times", "T", lambda r: float(r.point.losses))
        yield Factor("2/T", "2/T", lambda r: 2.0 / r.point.losses)
        yield Factor("-1/T", "-1/T", lambda r: -1.0 / r.point.losses)
    for name in runs[0].point.net.sizes:
        if len({r.point.sizes[name] for r in runs}) > 1:
            yield Factor(f"1/{name}", f"1/{name}", lambda r, n=name: 1.0 / r.point.sizes[n])  # type: ignore[misc]
            yield Factor(
                f"1/(T {name})",
                f"1/(T·{name})",
                lambda r, n=name: 1.0 / (r.point.sizes[n] * r.point.losses),  # type: ignore[misc]
            )


def named_factor(runs: Sequence[Run], others: Sequence[Array], name: str) -> Factor | None:
    """What a gradient is times other arrays, one for each run; None if nothing, or 1."""
    found: list[tuple[Run, float]] = []
    for run, other in zip(runs, others, strict=True):
        gradient = run.gradient(name)
        if gradient is None:
            return None
        if np.max(np.abs(other), initial=0.0) < VANISHING * run.scale:
            continue
        if np.all(np.abs(gradient) >= run.bound(name) * INSIDE):
            continue  # clipped everywhere: it may be any large number of times
        c = ratio(gradient, other, run.bound(name))
        if c is None:
            return None
        found.append((run, c))
    if not found or all(abs(c - 1) < 1e-6 for _, c in found):
        return None
    for factor in factors([run for run, _ in found]):
        if all(abs(c / factor.value(run) - 1) < 1e-5 for run, c in found):
            clipped = [(r, o) for r, o in zip(runs, others, strict=True) if r.bound(name) < np.inf]
            if all(r.equals(name, factor.value(r) * o) for r, o in clipped):
                return factor
    numbers = [c for _, c in found]
    if len(found) > 1 and abs(numbers[0]) > 1e-9 and np.ptp(numbers) < 1e-5 * abs(numbers[0]):
        text = f"{numbers[0]:.6g}"
        return Factor(f"factor {text}", text, lambda r: numbers[0])
    return None


def of_own_loss(name: str, runs: Sequence[Run]) -> Diagnosis | None:
    """A gradient that is too large by the factor by which the returned loss is."""
    runs = [r for r in runs if r.gradient(name) is not None and r.loss is not None]
    if not runs or any(abs(r.point.loss) < 1e-9 for r in runs):
        return None
    factor = named_factor(runs, [r.point.gradients[name] for r in runs], name)
    if factor is None or factor.kind == MEAN.kind:
        return None
    if any(abs((r.loss or 0) / (r.point.loss * factor.value(r)) - 1) > 1e-6 for r in runs):
        return None
    text = (
        f"the right gradient of the loss that is returned, which is {factor.text} times that of "
        f"the model"
    )
    return Diagnosis((OWN_LOSS,), text)


def arrived(name: str, runs: Sequence[Run], words: Words) -> Diagnosis | None:
    """What a wrong gradient by an input or an initial state is, if it is a multiple."""
    return _scaled(name, runs, words.name(name), words)


def simple(name: str, runs: Sequence[Run], words: Words) -> Diagnosis | None:
    """What a wrong gradient is, if that can be said without a catalogue."""
    runs = [r for r in runs if r.gradient(name) is not None]
    if not runs:
        return None
    own = words.name(name)
    for look in (_transposed, _scaled, _another, _with_weights, _updated, _one_number):
        found = look(name, runs, own, words)
        if found is not None:
            return found
    return None


def _transposed(name: str, runs: Sequence[Run], own: str, words: Words) -> Diagnosis | None:
    for run in runs:
        found, true = run.gradient(name), run.point.gradients[name]
        assert found is not None
        if found.ndim != 2 or found.shape != true.T.shape or run.distance(found.T, name) > 1e-6:
            return None
    if all(r.gradient(name).shape == r.point.gradients[name].shape for r in runs):  # type: ignore[union-attr]
        return None  # of a square matrix: the catalogue says it better
    text = f"the gradient by {own} is right, but transposed: it must have the shape of {own}"
    return Diagnosis(("transposed gradient",), text, f"d{own}.T")


def _scaled(name: str, runs: Sequence[Run], own: str, words: Words) -> Diagnosis | None:
    factor = named_factor(runs, [r.point.true(name) for r in runs], name)
    if factor is None:
        return None
    if factor.kind == MEAN.kind:
        text = "the right gradient of the mean loss (1/T): the model's loss is the sum over time"
    elif factor.kind.startswith(("1/n", "1/(")):
        text = f"the right gradient times {factor.text}: that of a loss averaged over entries"
    elif factor.kind == "sign":
        text = f"the gradient by {own} has the wrong sign: it is that of -L"
    elif factor.kind in ("factor 2", "factor 1/2"):
        more = "twice" if factor.kind == "factor 2" else "half"
        text = (
            f"the gradient by {own} is {more} the right one: added twice, or of a loss with "
            f"another factor in front"
            if more == "twice"
            else f"the gradient by {own} is half the right one, as of a loss with a factor 1/2"
        )
    else:
        text = f"the gradient by {own} is {factor.text} times the right one"
        if float(factor.value(runs[0])) < 0:
            text += ": the step of an update rather than the gradient?"
    return Diagnosis((factor.kind,), text)


def _one_number(name: str, runs: Sequence[Run], own: str, words: Words) -> Diagnosis | None:
    """np.dot of two vectors, added to a matrix: all of its entries are one number."""
    found = [r.gradient(name) for r in runs]
    matrices = [g for g in found if g is not None and g.ndim == 2 and g.size > 1 and np.any(g)]
    if not matrices or any(np.ptp(g) > 1e-9 * np.max(np.abs(g)) for g in matrices):
        return None
    text = (
        f"every entry of the gradient by {own} is the same number: is a dot product taken where an "
        f"outer product belongs?"
    )
    return Diagnosis(("dot for outer",), text)


def _another(name: str, runs: Sequence[Run], own: str, words: Words) -> Diagnosis | None:
    for other in runs[0].point.gradients:
        if other != name and all(r.equals(name, r.point.gradients[other]) for r in runs):
            text = f"the gradient by {words.name(other)} is returned as that by {own}"
            return Diagnosis(("gradient of another parameter",), text)
    return None


def _with_weights(name: str, runs: Sequence[Run], own: str, words: Words) -> Diagnosis | None:
    c = _constant(runs, lambda r: (r.gradient(name) - r.point.gradients[name], _value(r, name)))
    if c is None:
        return None
    text = f"the right gradient plus {c:.4g}·{own}: that of a loss with a penalty on the weights"
    return Diagnosis(("weight decay",), text)


def _updated(name: str, runs: Sequence[Run], own: str, words: Words) -> Diagnosis | None:
    c = _constant(runs, lambda r: (r.gradient(name) - _value(r, name), r.point.gradients[name]))
    if c is None:
        return None
    text = f"these are the parameters after an update, {own} {c:+.4g}·d{own}, not the gradient"
    return Diagnosis(("updated parameter",), text)


def _value(run: Run, name: str) -> Array:
    return run.point.case.parameters[name]


def _constant(runs: Sequence[Run], pair: Callable[[Run], tuple[Array, Array]]) -> float | None:
    """c with a = c · b at all points, where (a, b) = pair(run)."""
    numbers = []
    for run in runs:
        a, b = pair(run)
        c = ratio(a, b)
        if c is None or abs(c) < 1e-9:
            return None
        numbers.append(c)
    if len(numbers) < 2 or np.ptp(numbers) > 1e-4 * abs(numbers[0]):
        return None
    return numbers[0]
