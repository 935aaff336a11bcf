"""Numbers for the sizes of a network and the lengths of its sequences.

Used wherever a network is taken at concrete sizes: by the checks, and by what counts.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

from sympy import Integer

from rnnsym.errors import InputError
from rnnsym.network import Network
from rnnsym.nodes import T, length, time_vectors


def choose_lengths(net: Network, steps: int | Mapping[str, int]) -> dict[Any, Any]:
    """A value for each length of a sequence: the same for all, or by name; T is the greatest.

    Raises InputError for a length that is missing, unknown, or no positive integer.
    """
    named = dict(steps) if isinstance(steps, Mapping) else dict.fromkeys(net.lengths, steps)
    if not isinstance(steps, Mapping):
        named = named or {"T": steps}
    for name in [n for n in net.lengths if n not in named]:
        raise InputError(f"the length {name} is missing: {net.name} has {', '.join(net.lengths)}")
    for name, value in named.items():
        if _whole(value) < 1:
            raise InputError(f"steps must be a positive integer, not {value!r}")
        if name != "T" and name not in net.lengths:
            raise InputError(f"unknown length {name!r}: {net.name} has {', '.join(net.lengths)}")
    symbols: dict[Any, Any] = {length(n): Integer(int(v)) for n, v in named.items()}
    symbols = {T: max(symbols.values(), key=int)} | symbols
    _check_fixed_times(net, symbols)
    return symbols


def _check_fixed_times(net: Network, symbols: Mapping[Any, Any]) -> None:
    """What is used at a fixed time must be there at that length."""
    used = [(name, time) for (_, name), times in net.fixed.items() for time in times]
    used += [(v.name, v.time) for e in net.initial.values() for v in time_vectors(e.rhs)]
    for name, time in used:
        first, last, at = (
            int(e.xreplace(symbols)) for e in (net.spans[name].first, net.spans[name].last, time)
        )
        start = int(net.start(name).xreplace(symbols)) if name in net.carried else first
        if not (first <= at <= last or at == start):
            raise InputError(
                f"{name}[{time}] is used, and there is none: {name} has values from {first} to "
                f"{last} at this length"
            )


def choose_sizes(
    net: Network, steps: int | Mapping[str, int], sizes: Mapping[str, int] | None = None
) -> dict[Any, Any]:
    """A value for each size and each length: 2, 3, 4, … for the sizes that are not given.

    steps: the length of every sequence, or each by its name. Raises InputError for a length or
    size that is unknown or no positive integer.
    """
    given = dict(sizes or {})
    lengths = choose_lengths(net, steps)
    for name, value in given.items():
        if name not in net.sizes:
            raise InputError(f"unknown size {name!r}: {net.name} has {', '.join(net.sizes)}")
        if _whole(value) < 1:
            raise InputError(f"size {name} must be a positive integer, not {value!r}")
    given = {s.name: 2 for s in net.chunks if not s.is_Integer} | given  # the least with a border
    free = (n for n in range(2, 10**6) if n not in given.values())
    symbols: dict[Any, Any] = {
        symbol: Integer(int(given[name]) if name in given else next(free))
        for name, symbol in net.sizes.items()
    }
    return symbols | lengths


def _whole(value: Any) -> int:
    """A whole number of any kind; 0 for anything else, a truth value included."""
    try:
        return 0 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        return 0
