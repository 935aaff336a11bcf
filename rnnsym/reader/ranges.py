"""The limits of sums and products, however they are written.

Used by `resolve`: k=1 below and t above; 1 ≤ k ≤ t, k < t or t ≥ i > k below; k alone, which is
every step up to T, or every entry where k counts entries.
"""

from __future__ import annotations

from typing import Any

from rnnsym.reader import syntax as s
from rnnsym.reader.commands import (
    RELATIONS,
)
from rnnsym.reader.indices import Index, read_index
from rnnsym.reader.occurring import occurrences
from rnnsym.reader.table import INDICES
from rnnsym.reader.tokens import Token, fail

#: the upper limit of an index that counts entries: as many as there are
ENTRIES = "#"

#: words for the examples that are computed side by side
BATCHES = ("batch", "batches", "minibatch", "examples", "samples")

Limits = tuple[str, Index, Index, int]


def limits_of(node: s.Big, resolver: Any) -> Limits:
    """(index, lower, upper, step) of a sum or product."""
    chain = _chain(node.lower)
    if len(chain) == 1:
        return _alone(node, chain[0][1], resolver)
    if len(chain) == 2 and chain[1][0] == "=":
        index = _letter(chain[0][1], node)
        lower = read_index(chain[1][1])
        upper_tokens = node.upper
        if len(node.upper) > 2 and node.upper[1].text == "=":  # ^{i=m}
            upper_tokens = node.upper[2:]
        upper = read_index(upper_tokens) if upper_tokens else Index.of("T")
        if lower is None:
            fail("the lower limit is not understood", node.start)
        steps = bool(lower.names) and _known(lower, resolver)  # from a step on to a step
        if upper is None or not (
            _known(upper, resolver) or (steps and set(upper.names) <= INDICES)
        ):
            upper = Index.of(ENTRIES)
        return index, lower, upper, 1
    if len(chain) == 2 and chain[1][0] == "∈" and not node.upper:  # every class w ∈ V
        return _letter(chain[0][1], node), Index(1), Index.of(ENTRIES), 1
    return _between(node, chain)


def over_examples(node: s.Big) -> bool:
    """Whether a sum is over the examples of a batch; what is judged is one example."""
    word = "".join(x.text for x in node.lower if x.text not in "{}" and x.kind != "command")
    return node.op == "sum" and word in BATCHES


def _chain(found: s.Tokens) -> list[tuple[str, list[Token]]]:
    parts: list[tuple[str, list[Token]]] = [("", [])]
    for token in found:
        if token.text in RELATIONS:
            parts.append((RELATIONS[token.text], []))
        else:
            parts[-1][1].append(token)
    return parts


def _alone(node: s.Big, found: list[Token], resolver: Any) -> Limits:
    """Σ_k: over every step, or over every entry where k counts entries."""
    if not found:
        return _left_out(node, resolver), Index(1), Index.of("T"), 1
    names = [x.text.lstrip("\\") for x in found if x.kind in ("letter", "command")]
    if len(names) != 1:
        fail("a sum over several indices at once is not read: write one sum each", node.start)
    upper = Index.of("T") if not node.upper else read_index(node.upper)
    if upper is None:
        upper = Index.of(ENTRIES)
    return names[0], Index(1), upper, 1


def _left_out(node: s.Big, resolver: Any) -> str:
    """The index of a sum that has none, Σ L_t: the only step that its terms speak of."""
    known = {*resolver.table.letters, "t"} - {*resolver.scope}
    letters = {x if x.startswith("T") else x.rpartition("_")[2] for x in _used(node.body)}  # z_t
    times = letters & known
    if len(times) != 1 or letters - known - {"T", *resolver.table.lengths, *resolver.scope}:
        fail("over which index?", node.start)
    return times.pop()


def _letter(found: list[Token], node: s.Big) -> str:
    index = read_index(found)
    if index is None or not index.letter or index.constant:
        fail("the index of a sum must be one letter", node.start)
    return _meant(index.letter, node)


def _meant(letter: str, node: s.Big) -> str:
    """The letter of an index; k where k_k stands, and the terms speak of k only."""
    plain, used = letter.partition("_")[0], _used(node.body)
    return plain if plain in used and letter not in used else letter


def _used(body: s.Node) -> set[str]:
    """The letters that count something in what is summed."""
    scripts = (x for o in occurrences(body) for x in o.spelled.scripts)
    return {n for x in scripts if x.index is not None for n in x.index.names}


def _known(index: Index, resolver: Any) -> bool:
    known = {*resolver.scope, *resolver.table.letters, *resolver.table.lengths, "T", "t"}
    return all(name in known or name.startswith("T_") for name in index.names)


def _between(node: s.Big, chain: list[tuple[str, list[Token]]]) -> Limits:
    """1 ≤ k ≤ t, k < t, t ≥ i > k: the index is the letter in the middle, or the first."""
    bounds = [read_index(part) for _, part in chain]
    if (
        len(bounds) not in (2, 3)
        or any(b is None for b in bounds)
        or not all(op in "<>≤≥" for op, _ in chain[1:])
    ):
        fail("the limits are not understood", node.start)
    ops = [op for op, _ in chain[1:]]
    values = [b for b in bounds if b is not None]
    if len(values) == 3:
        middle, left, right = values[1], values[0], values[2]
        if ops[0] in "<≤" and ops[1] in "<≤":
            lower, upper = left.plus(Index(ops[0] == "<")), right.plus(Index(-(ops[1] == "<")))
        elif ops[0] in ">≥" and ops[1] in ">≥":
            upper, lower = left.plus(Index(-(ops[0] == ">"))), right.plus(Index(ops[1] == ">"))
        else:
            fail("the limits go in two directions", node.start)
    else:
        middle, other = values
        if ops[0] in "<≤":
            lower, upper = Index(1), other.plus(Index(-(ops[0] == "<")))
        else:
            lower = other.plus(Index(ops[0] == ">"))
            upper = read_index(node.upper) or Index.of("T")
    if not middle.letter or middle.constant:
        fail("the index of a sum must be one letter", node.start)
    return _meant(middle.letter, node), lower, upper, 1
