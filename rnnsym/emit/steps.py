"""Fixed times in a sequence: which rows they are, and whether a sequence has them at all.

Used by the emitter wherever a vector is read or written at T, 1, T-1, …: a time is a number, or
the length of the sequence plus a number.
"""

from __future__ import annotations

from sympy import Expr, Integer

from rnnsym.emit.graph import ONCE
from rnnsym.emit.names import identifier
from rnnsym.emit.text import size_text
from rnnsym.errors import InputError, NotSupportedError
from rnnsym.network import Network
from rnnsym.nodes import time_vectors


def axis_of(net: Network, name: str) -> Expr:
    """The number of steps at which a vector has a value."""
    span = net.spans[name]
    return ONCE if span.single else span.last


def from_end(time: Expr, axis: Expr) -> int | None:
    """How far a time lies after the last step, if it is counted from there."""
    distance = time - axis
    return int(distance) if isinstance(distance, Integer) else None


def outside(time: Expr, axis: Expr) -> tuple[int, int]:
    """How many steps a time may lie before the first and after the last step, at any length."""
    if isinstance(time, Integer):
        shortest = int(axis) if isinstance(axis, Integer) else 1
        return max(0, 1 - int(time)), max(0, int(time) - shortest)
    distance = from_end(time, axis)
    if distance is None:
        raise NotSupportedError(f"the time {time} in a sequence of the length {axis}")
    return max(0, -distance), max(0, distance)


def least(time: Expr, axis: Expr, side: int) -> int | None:
    """The least length at which a sequence has a value at a fixed time, if there is one.

    side: -1 or 1 where there is an initial value, before the first or after the last step.
    """
    distance = from_end(time, axis)
    if isinstance(time, Integer):
        found = int(time) - (side > 0) if time >= 1 + min(0, side) else None
    elif distance is not None:
        found = 1 - distance - (side < 0) if distance <= max(0, side) else None
    else:
        found = None
    return None if found is None else max(1, found)


def certainly_within(time: Expr, axis: Expr) -> bool:
    """Whether a sequence has a step at this fixed time, whatever its length."""
    counted = isinstance(time, Integer) or from_end(time, axis) is not None
    return counted and outside(time, axis) == (0, 0)


def bounds(time: Expr, axis: Expr, before: int = 0, after: int = 0) -> tuple[int, int]:
    """The rows of a time in units of a step, in an array with some steps before and after.

    Counted from the end, where the second bound may be 0 and is then to be left out, if the time
    is; else from the beginning.
    """
    distance = from_end(time, axis)
    if distance is None or isinstance(time, Integer):
        first = before + int(time) - 1
        return first, first + 1
    return distance - 1 - after, distance - after


def shortest(net: Network) -> dict[Expr, tuple[int, str]]:
    """For each length, the least that has all steps used at fixed times, and the one at issue.

    Raises InputError for a step that no sequence of this length has.
    """
    used = [(name, time) for (_, name), times in net.fixed.items() for time in times]
    used += [(v.name, v.time) for e in net.initial.values() for v in time_vectors(e.rhs)]
    found: dict[Expr, tuple[int, str]] = {}
    for name, time in sorted(used, key=str):
        axis = axis_of(net, name)
        if net.spans[name].single:
            continue
        side = 0
        if name in net.carried:
            side = 1 if net.lag_range(name)[0] < 0 else -1
        words = f"{identifier(name)}[{size_text(time)}]"
        steps = least(time, axis, side)
        if steps is None or (axis.is_Integer and steps > axis):
            raise InputError(f"{words} is used, but {name} has no value at that time")
        if not axis.is_Integer and steps > max(1, found.get(axis, (1, ""))[0]):
            found[axis] = steps, words
    return found
