"""Times of several functions side by side."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any


def medians(functions: Mapping[str, Callable[[], Any]], seconds: float) -> dict[str, float]:
    """The median time of each in seconds; they take turns, so that noise meets all alike.

    Each is called once more before it is timed: what another left in the caches is not its fault.
    """
    took: dict[str, list[float]] = {name: [] for name in functions}
    for f in functions.values():
        f()
    gc.collect()
    gc.disable()
    try:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end or len(next(iter(took.values()))) < 7:
            for name, f in functions.items():
                f()
                start = time.perf_counter()
                f()
                took[name].append(time.perf_counter() - start)
    finally:
        gc.enable()
    return {name: statistics.median(times) for name, times in took.items()}


def minima(functions: Mapping[str, Callable[[], Any]], repeat: int) -> dict[str, float]:
    """The shortest time of each in seconds; they take turns."""
    took = dict.fromkeys(functions, float("inf"))
    gc.collect()
    gc.disable()
    try:
        for _ in range(repeat):
            for name, f in functions.items():
                f()
                start = time.perf_counter()
                f()
                took[name] = min(took[name], time.perf_counter() - start)
    finally:
        gc.enable()
    return took


def best(f: Callable[[], Any], repeat: int = 5) -> float:
    """The shortest of a few times in seconds."""
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        f()
        times.append(time.perf_counter() - start)
    return min(times)
