"""Axes and colours of plots: where ticks stand, how numbers are written, which colours are used.

Used by `plots`; numbers in, positions and labels out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

#: Okabe & Ito 2008: told apart with every kind of colour blindness; (on light, on dark)
SERIES = (
    ("#0072b2", "#56b4e9"),
    ("#d55e00", "#ff8f40"),
    ("#009e73", "#2fd0a0"),
    ("#a8447f", "#e79fc8"),
    ("#8a6d00", "#f0e442"),
    ("#4d4d4d", "#bdbdbd"),
)
#: series are told apart without colour, too
DASHES = ("", "7 3", "2 3", "9 3 2 3", "12 4", "4 2")

#: viridis (van der Walt & Smith 2015) at five places: lightness grows evenly
MAP = ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37))
LEVELS = 64


@dataclass(frozen=True)
class Scale:
    """Numbers between `low` and `high` as places between 0 and 1, with ticks."""

    low: float
    high: float
    log: bool
    ticks: tuple[float, ...]

    def __call__(self, value: float) -> float:
        low, high = (math.log10(v) if self.log else v for v in (self.low, self.high))
        return ((math.log10(value) if self.log else value) - low) / (high - low)


def scale(values: Iterable[float], log: bool = False, most: int = 7) -> Scale:
    """A scale for these numbers with about `most` ticks; what is not finite does not count, on a
    logarithmic scale neither what is not above zero."""
    kept = [float(v) for v in values if math.isfinite(v) and (v > 0 or not log)]
    low, high = (min(kept), max(kept)) if kept else (1.0, 1.0)
    if log:
        return _log_scale(low, high, most)
    return _linear_scale(low, high, most, all(v.is_integer() for v in kept))


def _linear_scale(low: float, high: float, most: int, whole: bool) -> Scale:
    if high - low <= 1e-12 * max(abs(low), abs(high), 1e-300):
        spread = abs(low) / 2 or 0.5
        low, high = low - spread, high + spread
    raw = (high - low) / most
    raw = max(raw, 1.0) if whole else raw  # what is counted has no ticks in between
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(f * power for f in (1, 2, 5, 10) if f * power >= raw * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = tuple(float(f"{i * step:.12g}") for i in range(first, last + 1))
    return Scale(ticks[0], ticks[-1], False, ticks)


def _log_scale(low: float, high: float, most: int) -> Scale:
    first, last = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
    if last <= first:
        last = first + 1
    if last - first == 1:  # within a decade, its parts are marked
        ticks: tuple[float, ...] = tuple(f * 10.0**first for f in (1, 2, 5, 10))
        return Scale(ticks[0], ticks[-1], True, ticks)
    step = math.ceil((last - first) / most)
    start = step * math.floor(first / step)
    powers = range(start, last + step, step)
    # at the ends of what a float can be, the scale has no tick at its end
    ticks = tuple(10.0**p for p in powers if -307 <= p <= 308)
    return Scale(min(ticks[0], low), max(ticks[-1], high), True, ticks)


def number(value: float, log: bool = False) -> tuple[str, str]:
    """A number of an axis: in figures, and the power of ten that it stands before or is."""
    if value == 0:
        return "0", ""
    power = round(math.log10(abs(value)))
    if log and math.isclose(abs(value), 10.0**power, rel_tol=1e-9):
        return ("1", "") if power == 0 else ("10", _minus(str(power)))
    if 1e-4 <= abs(value) < 1e6:
        return _minus(f"{value:.6g}"), ""
    figures, _, power_text = f"{value:.3e}".partition("e")
    figures = figures.rstrip("0").rstrip(".")
    return f"{_minus(figures)}·10", _minus(str(int(power_text)))


def _minus(text: str) -> str:
    return text.replace("-", "−")


def colour(place: float) -> tuple[int, int, int]:
    """The colour of the map at a place between 0 and 1, in one of LEVELS steps."""
    place = round(min(max(place, 0.0), 1.0) * (LEVELS - 1)) / (LEVELS - 1) * (len(MAP) - 1)
    i = min(int(place), len(MAP) - 2)
    (r, g, b), (u, v, w) = list(pairwise(MAP))[i]
    s = place - i
    return round(r + s * (u - r)), round(g + s * (v - g)), round(b + s * (w - b))
