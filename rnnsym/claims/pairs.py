"""Two sides of a relation, ready to be judged.

Between `check` and `repair`, which judges corrected ones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from rnnsym.claims.updates import update
from rnnsym.reader import terms as u


@dataclass(frozen=True)
class Pair:
    """Two sides of a relation, with the place of their statement."""

    left: u.Term
    op: str
    right: u.Term
    note: str = ""  # what it was made of, in words
    partial: bool = False  # nothing but part of what is claimed: true, or it tells nothing


def pair_of(left: u.Term, op: str, right: u.Term) -> Pair:
    """A relation to judge; an update as the equation that it amounts to."""
    found = update(left, op, right)
    if found is None:
        return Pair(left, op, right)
    return Pair(found.left, "=", found.right, found.note, found.partial)


def of_predictions(pair: Pair, net: Any) -> Pair:
    """∂y_t/∂h_t, where y is the target: nobody derives that, so that the prediction ŷ is meant."""
    if net is None:
        return pair
    derivatives = [x for s in (pair.left, pair.right) for x in u.walk(s)
                   if isinstance(x, u.Derivative)]  # fmt: skip
    derived = {v for d in derivatives for v in (d.of, *d.by) if isinstance(v, u.Leaf)}
    for name in sorted({v.name for v in derived} & set(net.targets)):
        if f"{name}_hat" not in net.equations:
            continue

        def prediction(x: Any, target: str = name) -> Any:
            told = isinstance(x, u.Leaf) and x.name == target
            return replace(x, name=f"{target}_hat") if told else None

        note = f"${name}$ is the prediction where it is derived"
        left, right = (u.rebuilt(x, prediction) for x in (pair.left, pair.right))
        pair = replace(
            pair, left=left, right=right, note="; ".join(filter(None, (pair.note, note)))
        )
    return pair


def of_functions(pair: Pair) -> Pair:
    """d/dx tanh(x) = 1 - tanh²(x): where all is made of one vector, it is a number that varies."""
    nodes = [x for side in (pair.left, pair.right) for x in u.walk(side)]
    leaves = {x for x in nodes if isinstance(x, u.Leaf | u.Loss | u.Defined)}
    varied = {v for d in nodes if isinstance(d, u.Derivative) for v in d.by}
    plain: Any = u.Apply | u.Sum | u.Product | u.Power | u.Num | u.Quotient | u.Leaf | u.Constant
    plain = plain | u.Limit | u.Free
    alone = all(isinstance(x, plain) or _is_absolute(x) for x in nodes) and any(
        isinstance(x, u.Apply) for x in nodes
    )
    if len(leaves) != 1 or not (leaves == varied or (alone and _time(leaves))):
        return pair
    (leaf,) = leaves
    free = u.Free(str(getattr(leaf, "name", "x")))
    return Pair(u.exchange(pair.left, leaf, free), pair.op, u.exchange(pair.right, leaf, free))


def _is_absolute(x: u.Term) -> bool:
    return isinstance(x, u.Named) and x.function == "abs"


def _time(leaves: set[Any]) -> Any:
    """The time of the only quantity."""
    (leaf,) = leaves
    return getattr(leaf, "time", None)
