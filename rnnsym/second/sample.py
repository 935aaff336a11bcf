"""Which component equations are read where there are too many: some of each, drawn at random."""

from __future__ import annotations

import random
from collections.abc import Iterator

from rnnsym.second.components import Component, Components

#: up to this many component equations, and up to this many characters of them, are read
MOST = 400
MOST_CHARACTERS = 60_000


def chosen(
    components: Components, seed: int, most: int = MOST, characters: int = MOST_CHARACTERS
) -> Iterator[Component]:
    """All component equations if they are few, else a sample with at least one of each equation.

    The equations of the network take turns, each with a component and a time that are drawn at
    random, until there are enough.
    """
    rng = random.Random(seed)
    equations = components.equations
    draws = [rng.sample(range(e.size), min(e.size, most)) for e in equations]
    turns = (
        (equation, draw[turn])
        for turn in range(most)
        for equation, draw in zip(equations, draws, strict=True)
        if turn < len(draw)
    )
    written = 0
    for count, (equation, n) in enumerate(turns):
        if count >= len(equations) and (count >= most or written >= characters):
            return
        found = components.component(equation, n)
        written += len(found.right)
        yield found
