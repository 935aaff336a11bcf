"""What gradients with customary names may be: δ_h by h, by the argument of its function, and so on.

Used by `judge`. What a formula of the document has settled comes first.
"""

from __future__ import annotations

from itertools import product
from typing import Any

from rnnsym.claims.trajectories import applied
from rnnsym.reader import terms as u
from rnnsym.reader.gradients import ABOVE, BACK, LATER, OWN, way_of
from rnnsym.reader.table import Table

#: how many combinations are tried, and from how many on names are not taken one by one
MAX_COMBINATIONS, MAX_SINGLE = 120, 4

Meant = tuple[tuple[str, tuple[str, str]], ...]


def meanings(net: Any, table: Table, *sides: u.Term) -> list[Meant]:
    """The combinations of what the customary names in a claim may mean, the likeliest first."""
    named = {x.label: x.names for s in sides for x in u.walk(s) if isinstance(x, u.Adjoint)}
    if not named or net is None:
        return [()]
    parts = {x: n for x, n in named.items() if x.endswith((LATER, ABOVE))}
    named = {x: n for x, n in named.items() if x not in parts}
    back = {x: n for x, n in named.items() if x.removesuffix(BACK) in named and x.endswith(BACK)}
    named = {x: n for x, n in named.items() if x not in back}
    first = next(iter(named.values()), ())
    options = [_options(net, table, label, names, first) for label, names in named.items()]
    found: list[tuple[int, Meant]] = []
    if len(options) <= MAX_SINGLE:
        for chosen in product(*(range(len(o)) for o in options)):
            pairs = zip(named, options, chosen, strict=True)
            found.append((sum(chosen), tuple((label, o[k]) for label, o, k in pairs)))
    else:  # the states in one way, all else in another
        kinds = [bool(set(names) & set(net.states)) for names in named.values()]
        for ways in product(("", "total", "inside", "carried"), repeat=2):
            pairs_ = zip(named, options, kinds, strict=True)
            meant = tuple((label, _in_way(o, ways[kind])) for label, o, kind in pairs_)
            found.append((sum(map(bool, ways)), meant))
    for label in back:  # as at the other steps, or what is passed on to the step before
        found += [
            (n + 1, (*meant, (label, (name, "carried"))))
            for n, meant in found
            for name, way in [dict(meant)[label.removesuffix(BACK)]]
            if way == "total" and name in net.states
        ]
        found = [
            (
                n,
                meant
                if label in dict(meant)
                else (*meant, (label, dict(meant)[label[: -len(BACK)]])),
            )
            for n, meant in found
        ]
    fixed = tuple((label, (names[0], way_of(label))) for label, names in parts.items())
    found = [(n, (*meant, *fixed)) for n, meant in found]
    found.sort(key=lambda x: x[0])
    return list(dict.fromkeys(m for _, m in found))[:MAX_COMBINATIONS]


def _in_way(options: list[tuple[str, str]], way: str) -> tuple[str, str]:
    return next((o for o in options if o[1] == way), options[0])


def _options(
    net: Any, table: Table, label: str, names: tuple[str, ...], first: tuple[str, ...]
) -> list[tuple[str, str]]:
    """What one name may mean; first: what the first name of a claim is of."""
    loss = net.loss.name
    states = [n for n in net.equations if n in net.states]
    others = [n for n in net.equations if n not in net.states and n != loss]
    found: list[tuple[str, str]] = []
    if label in table.sure and table.meant[label][0] in net.vectors:
        return [table.meant[label]]
    if label == OWN:  # what comes from above to that which is told
        return [(name, "own") for name in first or (*states, *others)]
    said = table.said.get(label.removesuffix(BACK))
    if said is not None and said in net.vectors:
        names = (said,)
    if names and table.naming.total:
        return [(name, "total") for name in names]
    for name in names or (*states, *others):
        found.append((name, "total"))
        if applied(net, name) and said is None:
            found.append((name, "inside"))
        if name in net.states:
            found.append((name, "carried"))
    known = table.meant.get(label)
    if known in found:
        found.remove(known)
        found.insert(0, known)
    return found
