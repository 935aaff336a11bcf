r"""What the words of a document say that its names of gradients are.

First step of `audit`, before any equation is looked at. "Let $g_n$ be the gradient of $C$ in $h_n$"
is read as if it were written g_n := ∂C/∂h_n; "$\alpha^i_t$, the gradient at the argument of the
sigmoid" makes α a letter of gradients, and its label tells of what. What words leave open stays
open.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from rnnsym.audit import tongues
from rnnsym.claims.trajectories import applied
from rnnsym.reader import syntax as s
from rnnsym.reader import terms as u
from rnnsym.reader.gradients import of_symbol
from rnnsym.reader.occurring import LOSS_LETTERS, nodes
from rnnsym.reader.statements import Reading, read_formula
from rnnsym.reader.symbols import spell
from rnnsym.reader.table import Naming, Table, symbol_in
from rnnsym.reader.tokens import UnreadableError

#: a name that stands for any: \bar v, \delta v^t, d(\cdot), by the letters of which none else goes
_ANY = re.compile(
    r"^\s*(?:\\mathrm\s*\{?\s*)?(\\bar|\\overline|\\delta|d)\s*\}?\s*"
    r"(?:\(\s*\\cdot\s*\)|\\cdot|\{?\s*([vqX])\s*\}?\s*(?:[_^].*)?)$"
)
#: the longest formula that is a name, or several
MAX_NAME = 60


@dataclass
class Told:
    """What the words say: readings, with definitions where a name stood; naming, for the
    vocabulary; inside: labels of gradients by the argument of the function of a quantity."""

    readings: list[Reading | None]
    naming: Naming = field(default_factory=Naming)
    inside: list[str] = field(default_factory=list)


def told(formulas: Sequence[Any], readings: Sequence[Reading | None]) -> Told:
    """The words of a document taken at their word."""
    found = Told(list(readings))
    bars, total, letters = False, False, set[str]()
    functions: dict[str, str] = {}
    defined, derived = _defined(readings), _derived(readings)
    for k, formula in enumerate(formulas):
        if formula.display or len(formula.latex) > MAX_NAME:
            continue
        function = tongues.function_of(formula.before, formula.after)
        letter = _letter(found.readings[k])
        if function and letter:
            functions[letter] = function
            continue
        speech = tongues.of_gradients(formula.before, formula.after)
        if speech is None:
            continue
        every = _ANY.match(formula.latex)
        if every is not None and (every.group(2) is None or every.group(2) not in defined):
            bars |= "bar" in every.group(1) or "over" in every.group(1)
            total = True
            continue
        names = _names(found.readings[k])
        if not names:
            continue
        if speech.arguments:
            letters |= {spell(n).base for n in names}
            found.inside += [_source(n, found.readings[k]) for n in names]
        elif len(names) == 1 and speech.by is not None:
            by = _formula(formulas, k + 1 + speech.by)
            of = _formula(formulas, k + 1 + speech.of) if speech.of is not None else ""
            of = of or _loss(readings)
            if _is_of_a_step(names[0], derived) and _is_by_a_step(by):
                found.readings[k] = _defining(formula.latex, of, by) or found.readings[k]
    found.naming = Naming(bars, frozenset(letters), total, tuple(functions.items()))
    return found


def tell_inside(names: Sequence[str], table: Table, net: Any) -> None:
    """Enter for sure that some gradients are by the argument of a function: of which quantity, the
    label tells, h of ε^h of those that go by that letter and are made by one."""
    for latex in names:
        node = symbol_in(latex)
        term = of_symbol(node, table) if node is not None else None
        if not isinstance(term, u.Adjoint) or term.label in table.sure:
            continue
        known = {e.name: key[0] for key, e in table.entries.items() if e.kind == "vector"}
        bases = {known.get(n, n) for n in term.names}
        made = [n for n in net.equations if known.get(n) in bases and applied(net, n)]
        if len(made) == 1:
            table.meant[term.label] = made[0], "inside"
            table.sure.add(term.label)


def _formula(formulas: Sequence[Any], k: int) -> str:
    return formulas[k].latex if k < len(formulas) and not formulas[k].display else ""


def _defining(name: str, of: str, by: str) -> Reading | None:
    """name := ∂of/∂by, if that can be read."""
    try:
        reading = read_formula(rf"{name} := \frac{{\partial {of}}}{{\partial {by}}}")
    except UnreadableError:
        return None
    return reading if len(reading.statements) == 1 else None


def _names(reading: Reading | None) -> list[s.Symbol]:
    """The symbols of a formula that is nothing but a list of them."""
    found: list[s.Symbol] = []
    for statement in reading.statements if reading is not None else ():
        if not isinstance(statement.node, s.Symbol):
            return []
        found.append(statement.node)
    return found


def _letter(reading: Reading | None) -> str:
    """The letter of a formula that names a function, H or H(·)."""
    node = reading.statements[0].node if reading is not None and reading.statements else None
    if isinstance(node, s.Times) and len(node.factors) == 2:
        bracket = node.factors[1][1]
        if isinstance(bracket, s.Bracket) and isinstance(bracket.parts[0], s.Empty | s.Symbol):
            node = node.factors[0][1]
    plain = isinstance(node, s.Symbol) and not (node.sub or node.sup or node.accents)
    return node.base if plain and isinstance(node, s.Symbol) else ""


def _source(node: s.Symbol, reading: Reading | None) -> str:
    assert reading is not None
    return reading.latex[node.start : node.end]


def _defined(readings: Sequence[Reading | None]) -> set[str]:
    """The letters that have an equation."""
    return {
        node.sides[0].base
        for r in readings
        if r is not None
        for st in r.statements
        for node in [st.node]
        if isinstance(node, s.Relation) and isinstance(node.sides[0], s.Symbol)
    }


def _losses(readings: Sequence[Reading | None]) -> Iterator[str]:
    """What derivatives are taken of that goes by a letter of losses; then what is called so."""
    every = [(st.node, r) for r in readings if r is not None for st in r.statements]
    derived = [(x.of, r) for n, r in every for x in nodes(n) if isinstance(x, s.Derivative)]
    called = [(n.sides[0], r) for n, r in every if isinstance(n, s.Relation)]
    for node, r in (*derived, *called):
        if isinstance(node, s.Symbol) and _names_a_loss(node):
            yield _source(node, r)


def _names_a_loss(node: s.Symbol) -> bool:
    return node.base in LOSS_LETTERS and not node.sub and not node.sup


def _loss(readings: Sequence[Reading | None]) -> str:
    return next(_losses(readings), "L")


def _derived(readings: Sequence[Reading | None]) -> set[str]:
    """The letters that stand in derivatives, or that functions are taken of: no names of
    gradients."""
    found: set[str] = set()
    for r in readings:
        for st in r.statements if r is not None else ():
            for x in nodes(st.node):
                parts: tuple[Any, ...] = ()
                if isinstance(x, s.Derivative):
                    parts = (x.of, *x.by)
                elif isinstance(x, s.Call):
                    parts = (x.argument,)
                for part in parts:
                    inside = nodes(part) if part is not None else ()
                    found |= {y.base for y in inside if isinstance(y, s.Symbol)}
    return found


def _is_of_a_step(node: s.Symbol, derived: set[str]) -> bool:
    """Whether a symbol may be the name of a gradient: small, with an index, and nothing that is
    derived itself."""
    small = node.base.islower() or node.base == "Delta"
    return small and bool(node.sub or node.sup) and node.base not in {*derived, *LOSS_LETTERS}


def _is_by_a_step(latex: str) -> bool:
    """Whether a formula is a quantity with an index, by which a gradient may be."""
    try:
        statements = read_formula(latex).statements
    except UnreadableError:
        return False
    node = statements[0].node if len(statements) == 1 else None
    return isinstance(node, s.Symbol) and bool(node.sub or node.sup) and not _names_a_loss(node)
