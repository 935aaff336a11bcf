"""A name for any of several weights: the W of ∂L/∂W where the network has W_hh and W_xh.

Used by `check` for a symbol that nothing defines. A claim is judged for each weight of that letter;
the verdict says for which of them it is true.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from rnnsym.claims.verdict import DEFINITION, FALSE, IDLE, TRUE, UNKNOWN, Verdict
from rnnsym.reader.symbols import spell
from rnnsym.reader.table import Entry, Key, Table, symbol_in

#: so many weights of one letter are tried
MAX_WEIGHTS = 12


def weights(symbol: str, table: Table) -> tuple[Key, list[str]] | None:
    """The key of a letter by itself, and the names of the weights that it may stand for."""
    node = symbol_in(symbol)
    if node is None:
        return None
    spelled = spell(node)
    if spelled.scripts or spelled.accents or spelled.star or spelled.primes:
        return None
    found = dict.fromkeys(
        e.name
        for (base, _, labels), e in table.entries.items()
        if e.kind == "parameter" and labels and base.lower() == spelled.base.lower()
    )
    key = spelled.base, (), ""
    return (key, list(found)) if 0 < len(found) <= MAX_WEIGHTS else None


def for_each(
    symbol: str, table: Table, judged: Callable[[Table], Verdict], named: Collection[str] = ()
) -> Verdict | None:
    """The verdict on a claim about a letter that stands for any weight; None if there is none.

    named: the weights that the claim itself names; beside two of them the letter is all of them.
    judged(table) gives the verdict with the letter entered as one of them.
    """
    candidates = weights(symbol, table)
    if candidates is None:
        return None
    key, names = candidates
    if len({*names} & {*named}) > 1:
        return None
    tables = {name: table.copy() for name in names}
    for name, own in tables.items():
        own.entries[key] = Entry("parameter", name)
    verdicts = {name: judged(own) for name, own in tables.items()}
    told = {n: v for n, v in verdicts.items() if v.evidence != IDLE}
    true = [n for n, v in told.items() if v.verdict == TRUE]
    letter = symbol.strip()
    if true:
        every = len(true) == len(names) > 1
        words = f"${letter}$ is {'any of ' if every else ''}{', '.join(true)}"
        first = told[true[0]]
        reading = "; ".join(filter(None, [words, first.reading]))
        return replace(first, reading=reading, message=f"true, when {reading}")
    if any(v.verdict == DEFINITION for v in verdicts.values()):
        return None
    wrong = [n for n, v in told.items() if v.verdict == FALSE]
    if wrong and len(wrong) == len(verdicts):  # what fits in shape is what was meant
        meant = min(wrong, key=lambda n: "a matrix (" in verdicts[n].message)
        return judged(tables[meant])
    known = next((v for v in verdicts.values() if v.verdict == UNKNOWN), None)
    return known if len(names) == 1 else None
