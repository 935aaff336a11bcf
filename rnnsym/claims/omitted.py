"""Functions whose argument is left out, diag(f′) W: taken where the network applies them.

Used by `formula` for a relation that speaks of quantities and of such a function at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rnnsym.claims.pairs import Pair
from rnnsym.claims.trajectories import applied
from rnnsym.reader import terms as u
from rnnsym.reader.indices import Index

#: what stands for an argument that is left out
NOTHING = u.Free("·")
#: how many steps are tried for each vector
MOST = 6


def bare(pair: Pair) -> list[u.Apply]:
    """The functions without an argument in a relation that is about quantities."""
    inside = [x for side in (pair.left, pair.right) for x in u.walk(side)]
    if not any(isinstance(x, u.Leaf) for x in inside):
        return []
    return [x for x in inside if isinstance(x, u.Apply) and x.argument == NOTHING]


def completions(net: Any, pair: Pair) -> Iterator[Pair]:
    """The relation with f′ taken at the argument of f in each vector that is a value of f, at each
    step that the relation speaks of."""
    functions = {x.function for x in bare(pair)}
    if len(functions) != 1 or net is None:
        return
    (function,) = functions
    for name, equation in net.equations.items():
        if not applied(net, name) or getattr(equation.rhs, "function", "") != function:
            continue
        for step in _steps(pair)[:MOST]:
            there = u.Argument(name, step)
            yield Pair(
                u.exchange(pair.left, NOTHING, there), pair.op,
                u.exchange(pair.right, NOTHING, there),
                f"the argument of {function} that is left out is that of ${name}_{{{step}}}$",
            )  # fmt: skip


def _steps(pair: Pair) -> list[Index]:
    inside = [x for side in (pair.left, pair.right) for x in u.walk(side)]
    found = [x.time for x in inside if isinstance(x, u.Leaf | u.Adjoint) and x.time is not None]
    ranges = [Index.of(x.index) for x in inside if isinstance(x, u.Ranged)]
    return list(dict.fromkeys([*ranges, *found, Index.of("t")]))
