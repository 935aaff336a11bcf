"""Ground: what the checks of all functions against one network share, made once.

The points with their truth, the catalogue, and the values of its mutants at the points. One check
makes its own; many functions for the same network may share one.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from numpy.typing import NDArray

from rnnsym.codecheck.layout import Values
from rnnsym.codecheck.points import Point, Regime
from rnnsym.errors import NotSupportedError
from rnnsym.network import Network
from rnnsym.verify.case import relative_error
from rnnsym.verify.mutations import NAME_KINDS, Catalogue, Mutant

Array = NDArray[Any]

#: seconds of computing time for the values of all mutants at one point
SECONDS = 8.0
#: relative difference below which a mutant is the right gradient after all
SAME = 1e-9


#: what is the same error in several gradients: kind, place, the parameter if it is in one only
Change = tuple[str, str, str]


def change_of(mutant: Mutant) -> Change:
    """What identifies a change in the gradients by all parameters that it touches."""
    return mutant.kind, mutant.place, mutant.parameter if mutant.alone else ""


class Table:
    """Every mutant of a network with its value at one point, as far as time allows."""

    def __init__(self, catalogue: Catalogue | None, point: Point, seconds: float) -> None:
        self.point = point
        self.values: dict[str, list[tuple[int, Mutant, Array]]] = {n: [] for n in point.gradients}
        self.all = 0
        stop = time.process_time() + seconds
        for name, found in self.values.items():
            for rank, mutant in enumerate(catalogue.of(name) if catalogue else ()):
                self.all += 1
                if time.process_time() < stop:
                    found.append((rank, mutant, point.mutant(mutant)))

    @cached_property
    def touched(self) -> dict[Change, set[str]]:
        """A change in the backward pass -> the gradients that it makes wrong."""
        table: dict[Change, set[str]] = {}
        for name, found in self.values.items():
            true = self.point.gradients[name]
            for _, mutant, value in found:
                if mutant.system is not None and relative_error(value, true) > SAME:
                    table.setdefault(change_of(mutant), set()).add(name)
        return table


class Ground:
    """A network with its points and its catalogue."""

    def __init__(self, net: Network) -> None:
        self.net = net
        self._points: dict[Any, Point] = {}
        self._tables: dict[tuple[int, bool], Table] = {}

    def point(
        self,
        steps: int | Mapping[str, int],
        sizes: Mapping[str, int],
        seed: int,
        regime: Regime,
        batch: int | None,
    ) -> Point:
        """A point; the same one for the same arguments."""
        lengths = tuple(steps.items()) if isinstance(steps, Mapping) else steps
        key = lengths, tuple(sizes.items()), seed, regime, batch
        if key not in self._points:
            self._points[key] = Point(self.net, steps, sizes, seed, regime, batch)
        return self._points[key]

    def holding(self, values: Values) -> Point | None:
        """The point that has these very values."""
        found = (p for p in self._points.values() if p.values is values)
        return next(found, None)

    @cached_property
    def catalogue(self) -> Catalogue | None:
        """The mutants of the network; None if it has no derived backward pass."""
        try:
            return Catalogue(self.net)
        except NotSupportedError:
            return None

    @cached_property
    def names(self) -> Catalogue | None:
        """The mutants that put one name in the place of another."""
        return None if self.catalogue is None else Catalogue(self.net, NAME_KINDS, sums=False)

    def table(self, point: Point, names: bool = False) -> Table:
        """The values of all mutants at a point of this ground; or of those with wrong names."""
        key = id(point), names
        if key not in self._tables:
            self._tables[key] = Table(self.names if names else self.catalogue, point, SECONDS)
        return self._tables[key]
