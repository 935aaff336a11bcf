"""Gradient clipping: by the norm of the whole, by the norms of parts, by the values of entries.

Stands after everything that makes gradients and before whatever updates parameters: takes a dict
of arrays, as the generated code returns it, and gives a new one. Pascanu, Mikolov & Bengio 2013,
"On the difficulty of training recurrent neural networks", ICML (arXiv 1211.5063), algorithm 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from rnnsym.errors import InputError

Array = Any
Group = str | tuple[str, ...]


def clip_by_norm(
    gradients: Mapping[str, Array],
    threshold: float,
    *,
    eps: float = 0.0,
    error_if_nonfinite: bool = False,
) -> tuple[dict[str, Array], float]:
    """Gradients scaled so that their norm, over all entries of all arrays, is ≤ the threshold.

    gradients: name -> array of any shape. Returns (new gradients, norm before). A norm up to the
    threshold changes nothing; a longer gradient is multiplied by threshold / norm, so that its
    norm is the threshold, up to rounding. With eps > 0 the factor is
    min(1, threshold / (norm + eps)); eps=1e-6 is what `torch.nn.utils.clip_grad_norm_` does.

    The arrays given stay untouched; each result has the floating-point type of its array
    (integers become float64). The norm neither overflows nor underflows on the way: entries of
    1e200 are clipped, where a sum of squares is infinite. An infinite threshold changes nothing.

    Entries that are not finite do what they do in PyTorch: with a NaN, all results are NaN; with
    an infinite entry (and no NaN), it becomes NaN and the finite ones 0. Raises InputError
    instead with error_if_nonfinite=True; also for a threshold or eps that is negative or NaN, and
    for an array that is not of real numbers.
    """
    limit, slack = _threshold("threshold", threshold), _threshold("eps", eps)
    arrays = _arrays(gradients, error_if_nonfinite)
    length = _Length.of(arrays.values())
    return {name: length.clip(a, limit, slack) for name, a in arrays.items()}, length.value


def clip_by_group(
    gradients: Mapping[str, Array],
    thresholds: Mapping[Group, float],
    *,
    eps: float = 0.0,
    error_if_nonfinite: bool = False,
) -> tuple[dict[str, Array], dict[Group, float]]:
    """Gradients of which some parts are clipped, each by its own norm and threshold.

    thresholds: the name of a parameter, or a tuple of names whose norm is taken together -> the
    threshold. ``{"W_aa": 1.0}`` clips only what is multiplied once a step and may explode;
    parameters that are not named stay as they are. Returns (new gradients, norm before of each
    group). The rest is as in `clip_by_norm`.

    Raises InputError also for an unknown name, a name in two groups, and an empty group.
    """
    slack = _threshold("eps", eps)
    arrays = _arrays(gradients, error_if_nonfinite)
    result = {name: array.copy() for name, array in arrays.items()}
    norms: dict[Group, float] = {}
    seen: set[str] = set()
    for group, threshold in thresholds.items():
        limit = _threshold(f"threshold of {group}", threshold)
        names = (group,) if isinstance(group, str) else tuple(group)
        if not names:
            raise InputError("an empty group: name the parameters that are clipped together")
        for name in names:
            if name not in arrays:
                raise InputError(f"no gradient of {name!r}: choose from {', '.join(arrays)}")
            if name in seen:
                raise InputError(f"{name} is in two groups: give it one threshold")
            seen.add(name)
        length = _Length.of(arrays[name] for name in names)
        result |= {name: length.clip(arrays[name], limit, slack) for name in names}
        norms[group] = length.value
    return result, norms


def clip_by_value(
    gradients: Mapping[str, Array], threshold: float, *, error_if_nonfinite: bool = False
) -> tuple[dict[str, Array], float]:
    """Gradients with every entry brought into [-threshold, threshold].

    Returns (new gradients, largest absolute value before). This changes the direction of the
    gradient (see `rnnsym.remedies.refutations`). As `torch.nn.utils.clip_grad_value_`: an
    infinite entry becomes ±threshold, a NaN stays. Types, untouched arguments and errors are as
    in `clip_by_norm`.
    """
    limit = _threshold("threshold", threshold)
    arrays = _arrays(gradients, error_if_nonfinite)
    largest = max((float(np.abs(a).max()) for a in arrays.values() if a.size), default=0.0)
    if any(np.isnan(a).any() for a in arrays.values()):  # max() passes over a NaN
        largest = math.nan
    with np.errstate(over="ignore"):  # a threshold beyond the range of float32 is none
        clipped = {n: np.clip(a, -a.dtype.type(limit), a.dtype.type(limit))
                   for n, a in arrays.items()}  # fmt: skip
    return {name: np.asarray(array) for name, array in clipped.items()}, largest


@dataclass(frozen=True)
class _Length:
    """The norm 2^exponent · reduced of some arrays, kept in two parts lest it overflow.

    For entries that are not finite, reduced is infinite or NaN.
    """

    exponent: int
    reduced: float

    @classmethod
    def of(cls, arrays: Iterable[Array]) -> _Length:
        wide = [a.astype(np.result_type(a, np.float64)) for a in arrays if a.size]
        largest = max((abs(a).max() for a in wide), default=0.0)
        if not all(np.isfinite(a).all() for a in wide):
            return cls(0, math.nan if any(np.isnan(a).any() for a in wide) else math.inf)
        exponent = int(np.frexp(largest)[1])
        squares = (float(np.square(np.ldexp(a, -exponent)).sum()) for a in wide)
        return cls(exponent, math.sqrt(math.fsum(squares)))

    @property
    def value(self) -> float:
        """The norm; infinite if it is beyond the range of float64."""
        try:
            return math.ldexp(self.reduced, self.exponent)
        except OverflowError:
            return math.inf

    def clip(self, array: Array, limit: float, slack: float) -> Array:
        """min(1, limit / (norm + slack)) times the array, which is one of those measured."""
        if limit == math.inf or self.value + slack <= limit:
            return array.copy()
        wide = array.astype(np.result_type(array, np.float64))
        if not math.isfinite(self.reduced):
            with np.errstate(invalid="ignore"):
                scaled = wide * (0.0 if self.reduced == math.inf else math.nan)
        else:
            with np.errstate(over="ignore"):  # slack against a gradient that is next to nothing
                divisor = self.reduced + float(np.ldexp(slack, -self.exponent))
            # small times moderate: the factor itself, limit / norm, might underflow
            scaled = np.ldexp(wide, -self.exponent) * (limit / divisor if divisor else 1.0)
        return np.asarray(scaled).astype(array.dtype)


def _threshold(what: str, value: float) -> float:
    """The number; refused where there is none, or it is negative or NaN."""
    if not isinstance(value, Real | np.number) or isinstance(value, bool | np.complexfloating):
        raise InputError(f"{what} is {value!r}: give a number")
    number = float(value)
    if not number >= 0:
        raise InputError(f"{what} is {number}: give a number that is not negative")
    return number


def _arrays(gradients: Mapping[str, Array], error_if_nonfinite: bool) -> dict[str, Array]:
    """The gradients as arrays of floating-point numbers."""
    if not isinstance(gradients, Mapping):
        raise InputError(f"gradients are a {type(gradients).__name__}: give a dict name -> array")
    arrays = {}
    for name, value in gradients.items():
        try:
            array = np.asarray(value)
        except ValueError as error:
            raise InputError(f"gradient of {name}: {error}") from None
        if array.dtype.kind not in "biuf":
            raise InputError(f"gradient of {name} is an array of {array.dtype}: real numbers only")
        arrays[name] = array if array.dtype.kind == "f" else array.astype(np.float64)
        if error_if_nonfinite and not np.isfinite(arrays[name]).all():
            raise InputError(f"gradient of {name} holds a NaN or an infinite number")
    return arrays
