"""How many steps in time lie between a use of a parameter and a loss.

The length of the shortest way back from the loss through the equations, an edge counting its lag:
|t - k| within one sequence, and T_x - k + t from a decoder back into its encoder.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from heapq import heappop, heappush

from rnnsym.evaluate.trajectory import Trajectory

#: a node at a time
Place = tuple[str, int]


def distances(trajectory: Trajectory, loss: Place) -> Mapping[Place, int]:
    """The distance of every node and time that a loss is computed from."""
    found: dict[Place, int] = {}
    agenda: list[tuple[int, Place]] = [(0, loss)]
    while agenda:
        far, place = heappop(agenda)
        if place in found:
            continue
        found[place] = far
        for steps, before in _used(trajectory, *place):
            if before not in found:
                heappush(agenda, (far + steps, before))
    return found


def _used(trajectory: Trajectory, name: str, time: int) -> Iterable[tuple[int, Place]]:
    """(steps back, node and time) for what a value is computed from; data is left out."""
    first, last = trajectory.spans[name]
    inside = first <= time <= last
    if inside:
        uses = trajectory.needs[name]
    elif time == trajectory.starts.get(name) and name in trajectory.before:
        uses = trajectory.before[name]
    else:
        return
    for v, at, relative in uses:
        if v in trajectory.net.equations:
            yield (abs(at), (v, time + at)) if relative else (0, (v, at))
