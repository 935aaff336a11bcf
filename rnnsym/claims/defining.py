"""Definitions in formulas: δ_t := ∂L/∂a_t gives a name to what follows.

Used by `check`. A name that nothing defines yet is defined by the relation that it stands at the
left of; a name of the document's own is defined anew where := or words say so.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from rnnsym.claims.definition import Definition
from rnnsym.errors import RnnsymError
from rnnsym.reader import syntax as s
from rnnsym.reader import terms as u
from rnnsym.reader.entries import without_entries
from rnnsym.reader.gradients import compound, is_mark, joined
from rnnsym.reader.indices import Index
from rnnsym.reader.meanings import CUSTOMARY
from rnnsym.reader.resolve import Resolver
from rnnsym.reader.series import put
from rnnsym.reader.symbols import Script, Spelled, spell
from rnnsym.reader.table import INDICES, Entry, Key, Table

#: relations that say what a name stands for
DEFINING = ("=", ":=", "≈", "→")


@dataclass(frozen=True)
class Defined:
    """A definition that was entered: how it is written, its name in the table, and the sides of the
    relation after the name."""

    latex: str
    name: str
    sides: tuple[u.Term, ...]
    ops: tuple[str, ...]


def define(node: s.Relation, table: Table, latex: str, anew: bool = False) -> Defined | None:
    """Enter the definition that a relation is into the table; None if it is none.

    anew: a name that the document has defined may be defined again. Raises what resolving the
    right-hand side raises, and then enters nothing.
    """
    left, arguments = _named(node.sides[0], table, node.ops[0] == ":=")
    if left is None or node.ops[0] not in DEFINING:
        return None
    spelled = spell(left)
    found = table.find(spelled)
    own = found is not None and found.entry.kind == "definition"
    if found is not None and not (own and (anew or node.ops[0] == ":=")):
        return None
    if spelled.transposed or spelled.inverse:
        return None
    if spelled.base in CUSTOMARY or spelled.base in table.functions:
        return None
    times = [x for x in spelled.scripts if _is_time(x, table)]
    entries = _entries(times, table)
    times = [x for x in times if x not in entries]
    index = times[0].index if len(times) == 1 else None
    letters = (index.letter,) if index is not None and index.letter else ()
    key = _key(spelled, [*times[:1], *entries])
    name = latex[left.start : left.end].strip()
    undo = table.entries.get(key), table.definitions.get(name)
    table.entries[key] = Entry("definition", name)
    table.definitions[name] = Definition(
        name, name, letters or _any_index(times), u.Num(Fraction(0))
    )
    try:
        sides = tuple(Resolver(table, latex)(x) for x in node.sides[1:])
        body = sides[0]
        if entries:  # δ_i = ∂L/∂z_i defines the vector δ
            body = without_entries(body, entries[0].text)
        if letters and index is not None and index.constant:  # δ_{t+1} := … defines δ_t
            body = put(body, {letters[0]: Index.of(letters[0], -index.constant)})
        recursive = any(isinstance(x, u.Defined) and x.name == name for x in u.walk(body))
        if recursive and not letters:
            _restore(table, key, name, undo)
            return Defined(name, name, sides[:1], ())  # a fixed point: an equation, no definition
    except RnnsymError:
        _restore(table, key, name, undo)
        raise
    table.definitions[name] = Definition(name, name, letters, body, recursive, arguments)
    return Defined(name, name, sides, node.ops[1:])


def _named(left: s.Node, table: Table, own: bool) -> tuple[s.Symbol | None, bool]:
    """The symbol on the left of a definition, and whether it has arguments, as J(θ).

    own: dy is a name of the document's own, too, though custom has a meaning for it."""
    whole = compound(left, table)
    if whole is not None:
        return whole, False
    if own and isinstance(left, s.Times) and len(left.factors) == 2:
        (_, mark), (op, of) = left.factors
        plain = isinstance(of, s.Symbol) and not (of.sub or of.sup) and not op
        if plain and isinstance(mark, s.Symbol) and is_mark(mark, table):
            return joined(mark, of), False  # type: ignore[arg-type]
    if isinstance(left, s.Times) and len(left.factors) == 2 and left.factors[1][0] == "":
        (_, first), (_, inner) = left.factors
        if isinstance(inner, s.Bracket) and inner.kind == "(" and isinstance(first, s.Symbol):
            return first, True
    return (left, False) if isinstance(left, s.Symbol) else (None, False)


def _entries(times: list[Script], table: Table) -> list[Script]:
    """Of two indices that might both be times the one that counts entries, as i of δ_i^{(t)}."""
    if len(times) != 2:
        return []
    chosen = [
        x
        for x in times
        if x.where == "sub" and x.style == "plain" and x.index is not None
        if x.index.letter in ("i", "j", "k", "l", "m", "n") and x.index.letter not in table.letters
    ]
    return chosen if len(chosen) == 1 else []


def _is_time(script: Script, table: Table) -> bool:
    if script.style == "angle":
        return True
    if script.index is None or script.style == "brace":
        return False
    if script.where == "sup" and script.style == "plain" and "sup" not in table.styles:
        return False
    return bool(set(script.index.names) & {*table.letters, *INDICES, "T"})


def _key(spelled: Spelled, times: list[Script]) -> Key:
    labels = "".join(
        f"[{x.text}]" if x.style == "square" else x.text
        for x in spelled.scripts
        if not any(x is t for t in times)
    )
    return spelled.base, spelled.accents, labels + spelled.star + "'" * spelled.primes


def _any_index(times: list[Script]) -> tuple[str, ...]:
    return ("·",) if times else ()


def _restore(table: Table, key: Key, name: str, undo: tuple[Any, Any]) -> None:
    """The table as it was before a definition that failed."""
    places: tuple[tuple[dict[Any, Any], Any, Any], ...] = (
        (table.entries, key, undo[0]),
        (table.definitions, name, undo[1]),
    )
    for place, known, old in places:
        if old is None:
            place.pop(known, None)
        else:
            place[known] = old
