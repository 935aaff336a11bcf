"""A formula judged in each notation that its symbols fit.

The entry to `rnnsym.claims`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rnnsym.claims.conditions import Condition
from rnnsym.claims.formula import Formula, position_text
from rnnsym.claims.verdict import DEFINITION, FALSE, TRUE, UNKNOWN, UNREADABLE, Verdict
from rnnsym.reader.einstein import with_sums
from rnnsym.reader.families import written_out
from rnnsym.reader.macros import expand
from rnnsym.reader.statements import read_formula
from rnnsym.reader.table import Table, of_network
from rnnsym.reader.tokens import UnreadableError

TOO_DEEP = "too large: nested too deeply"
TOO_LONG = "too large: it takes too long to decide"


#: what the notation of a network that was read from LaTeX goes by
AS_READ = "as read"


def check(
    claim: str,
    net: Any,
    notation: str | None = None,
    macros: Mapping[str, Any] | None = None,
    seconds: float = 10.0,
    diagnose: bool = True,
    einstein: bool = False,
) -> Verdict:
    """Judge a formula of a network.

    notation: the profile that the formula is written in, by default the network's own and then
    every other in which all its symbols have a meaning; einstein: an index that stands twice in a
    product is summed over. Raises nothing for a bad formula: the
    verdict says that it is "unreadable", or "unknown" where a symbol has no meaning.
    """
    from rnnsym.latex import PROFILES

    own = net.options.get("notation", "post")
    names = [notation] if notation else [own, *(p for p in PROFILES if p != own)]
    if not notation and getattr(net, "reading_table", None) is not None:
        own = AS_READ
        names.insert(0, own)
    found: list[tuple[Verdict, str, Formula | None]] = []
    end = time.process_time() + seconds  # for all notations together
    for name in names:
        left = end - time.process_time()
        if found and left < 0:
            found.append((Verdict(claim, UNKNOWN, TOO_LONG), name, None))
            break
        table = _table(net, name)
        verdict, formula = _judged(claim, net, table, macros, left, einstein=einstein)
        refuted = any(v.verdict == FALSE for v, *_ in found)
        # what is false in one notation, another would only take for new names
        if verdict.verdict in (TRUE, UNREADABLE) or (verdict.verdict == DEFINITION and not refuted):
            found = [(verdict, name, formula)]
            break
        found.append((verdict, name, formula))
    # what is false in one notation may be true in another for which there was no time
    found.sort(key=lambda v: (not v[0].message.startswith("too large"), v[0].verdict != FALSE))
    verdict, name, formula = found[0]
    if formula is not None and diagnose:
        verdict = formula.explained(verdict)
    return verdict if name == own else _in_notation(verdict, name)


def _table(net: Any, notation: str) -> Table:
    """The names of a network in a notation; of one that was read, as they were written."""
    if notation != AS_READ:
        return of_network(net, notation)
    table: Table = net.reading_table.copy()
    printed = of_network(net)
    for key, entry in printed.entries.items():
        table.entries.setdefault(key, entry)
    for name, definition in printed.definitions.items():
        table.definitions.setdefault(name, definition)
    for name, function in printed.functions.items():
        table.functions.setdefault(name, function)
    return table


def _in_notation(verdict: Verdict, name: str) -> Verdict:
    if verdict.verdict not in (TRUE, FALSE):
        return verdict
    reading = "; ".join(filter(None, [verdict.reading, f"in the notation {name}"]))
    return replace(verdict, reading=reading)


def judge_formula(
    claim: str,
    net: Any,
    table: Table,
    macros: Mapping[str, Any] | None = None,
    seconds: float = 10.0,
    diagnose: bool = True,
    conditions: Sequence[Condition] = (),
    explicit: bool = False,
) -> Verdict:
    """Judge a formula whose symbols a table knows; definitions in it are entered into the table.

    What takes more than `seconds` of processor time is "unknown".
    """
    return _judged(claim, net, table, macros, seconds, diagnose, conditions, explicit)[0]


def _judged(
    claim: str,
    net: Any,
    table: Table,
    macros: Mapping[str, Any] | None,
    seconds: float,
    diagnose: bool = False,
    conditions: Sequence[Condition] = (),
    explicit: bool = False,
    einstein: bool = False,
) -> tuple[Verdict, Formula | None]:
    """The verdict, and the formula, which can give a diagnosis later."""
    try:
        reading = read_formula(written_out([expand(claim, macros or {})])[0])
        reading = with_sums(reading) if einstein else reading
    except UnreadableError as error:
        text = position_text(error, claim)
        return Verdict(claim, UNREADABLE, text, position=error.position), None
    except RecursionError:
        return Verdict(claim, UNKNOWN, TOO_DEEP), None
    formula = Formula(claim, reading, net, table, seconds, diagnose, tuple(conditions), explicit)
    return formula.judge(), formula
