"""Names at the end of a relation: A = B = γ gives B a name, A ≤ γ makes γ a bound of A.

Used by `check` where nothing else defines such a name. A bound that nobody computes is the least
one: the greatest value at the steps of the point at which a claim is tried.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from rnnsym.claims.defining import define
from rnnsym.claims.definition import Definition
from rnnsym.errors import RnnsymError
from rnnsym.reader import syntax as s
from rnnsym.reader import terms as u
from rnnsym.reader.gradients import of_symbol
from rnnsym.reader.indices import Index
from rnnsym.reader.meanings import CUSTOMARY
from rnnsym.reader.resolve import Resolver
from rnnsym.reader.symbols import spell
from rnnsym.reader.table import INDICES, Entry, Table, key

#: relations that make a bound
BELOW = ("≤", "<")


@dataclass(frozen=True)
class Ending:
    """What is left of a relation without the names at its end, None if nothing is; how the names
    are written, and what they are called in the table."""

    rest: s.Relation | None
    latex: tuple[str, ...]
    names: tuple[str, ...]


def at_the_end(node: s.Relation, table: Table, latex: str) -> Ending | None:
    """Enter what a relation says of names at its end; None if there are none."""
    *before, last = node.sides
    symbols = _symbols(last)
    if not symbols or not all(_is_open(x, table) for x in symbols):
        return None
    try:
        named: tuple[tuple[str, ...], tuple[str, ...]]
        if node.ops[-1] == "=" and isinstance(last, s.Symbol) and len(before) > 1:
            flipped = replace(node, sides=(last, before[-1]), ops=("=",))
            found = define(flipped, table, latex)
            if found is None:
                return None
            named = (found.latex,), (found.name,)
        elif node.ops[-1] in BELOW:
            parts = _parts(before[-1], len(symbols))
            if parts is None:
                return None
            terms = [Resolver(table, latex)(x) for x in parts]
            pairs = zip(symbols, terms, strict=True)
            entered = tuple(_enter(x, y, table, latex) for x, y in pairs)
            named = entered, entered
        else:
            return None
    except RnnsymError:
        return None
    rest = replace(node, sides=tuple(before), ops=node.ops[:-1]) if len(before) > 1 else None
    return Ending(rest, *named)


def _symbols(node: s.Node) -> list[s.Symbol]:
    """The names that a side is made of: γ, or β γ."""
    if isinstance(node, s.Symbol):
        return [node]
    if isinstance(node, s.Times):
        found = [x for op, x in node.factors if op in ("", "·", "×") and isinstance(x, s.Symbol)]
        return found if len(found) == len(node.factors) else []
    return []


def _is_open(symbol: s.Symbol, table: Table) -> bool:
    """Whether nothing says what a symbol is; it has no time, and is no index."""
    spelled = spell(symbol)
    if spelled.base in {*INDICES, *CUSTOMARY, *table.functions, *table.letters, "T", "1", "0", "I"}:
        return False
    times = {*INDICES, *table.letters, *table.lengths, "T"}
    timed = any(x.index is not None and set(x.index.names) & times for x in spelled.scripts)
    if spelled.transposed or spelled.inverse or timed:
        return False
    return table.find(spelled) is None and of_symbol(symbol, table) is None


def _parts(node: s.Node, count: int) -> list[s.Node] | None:
    """What several bounds are of: the factors of a side, or all of it."""
    if count == 1:
        return [node]
    found = [x for _, x in node.factors] if isinstance(node, s.Times) else []
    return found if len(found) == count else None


def _enter(symbol: s.Symbol, term: u.Term, table: Table, latex: str) -> str:
    """The greatest value of a term at any step as the meaning of a symbol."""
    for letter in sorted(u.letters(term) - {"T", *table.lengths}):
        term = u.Ranged("max", letter, Index(1), Index.of("T"), term)
    name = latex[symbol.start : symbol.end].strip()
    table.entries[key(spell(symbol))] = Entry("definition", name)
    table.definitions[name] = Definition(name, name, (), term)
    return name
