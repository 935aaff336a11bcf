"""Names of gradients by custom: δ_{h_t}, δ^h_t, dh_t, d W: a derivative of the loss by its label.

Used by the resolver for symbols that nothing defines, and by `rnnsym.claims` to tell a claim about
such names from their definition. What exactly is meant (by the quantity, by the argument of the
function that gives it, by what later steps make of it) a reading says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from rnnsym.reader import syntax as s
from rnnsym.reader import terms as u
from rnnsym.reader.cursor import split
from rnnsym.reader.indices import Index, read_index
from rnnsym.reader.parser import Parser
from rnnsym.reader.symbols import Script, Spelled, spell, spelling
from rnnsym.reader.table import INDICES, Found, Table
from rnnsym.reader.tokens import Token, UnreadableError

#: letters that by themselves are gradients
DELTAS = ("delta", "epsilon")
#: what is passed down to a cell from above, at the same step
OWN = r"\Delta"
#: letters before a name that make it a gradient; δh may be a perturbation too
BEFORE = ("d", "delta")
#: the accent that makes a gradient of a name, in documents that write gradients so
BAR = "bar"
#: labels of what a cell takes from the step before, and of what it gives to the next one
MOVED = {"prev": -1, "previous": -1, "next": 0}
#: what the label of a part of a gradient ends with: what later steps pass back, and all else
LATER, ABOVE = r"^{\leftarrow}", r"^{\uparrow}"
#: what documents call these parts
PARTS = {
    **dict.fromkeys(("next", "future", "later", "recurrent", "rec", "recur", "time"), LATER),
    **dict.fromkeys(("output", "above", "current", "當前", "当前"), ABOVE),
}
#: what the label of a gradient at an earlier step ends with: what is passed on may be less there
BACK = "_{t-1}"


def of_symbol(node: s.Symbol, table: Table, scope: Sequence[str] = ()) -> u.Term | None:
    """The gradient that a symbol by itself names: δ_{h_t}, δ^h_t, δ_t, dh_t in upright letters."""
    spelled = spell(node)
    if is_barred(spelled, table):
        return of_pair(replace(node, accents=node.accents[:-1]), table, scope, BAR)
    if spelled.accents:
        return None
    delta = spelled.base in DELTAS or spelled.base in table.naming.letters
    if delta or (spelled.base == "Delta" and len(spelled.scripts) == 1):
        found = _of_delta(spelled, table, scope)
        named = isinstance(found, u.Adjoint) and found.label == OWN
        return found if named or delta else None
    if len(spelled.base) > 1 and spelled.base[0] == "d" and node.font:
        return of_pair(replace(node, base=spelled.base[1:]), table, scope)
    return None


def is_barred(spelled: Spelled, table: Table) -> bool:
    """Whether a name carries the bar of a gradient."""
    return table.naming.bars and spelled.accents[-1:] == (BAR,)


def of_pair(
    node: s.Node, table: Table, scope: Sequence[str] = (), mark: str = "d"
) -> u.Term | None:
    """The gradient by the quantity that stands after a d or δ."""
    if not isinstance(node, s.Symbol):
        return None
    spelled = spell(node)
    part = _of_part(spelled, table, scope)
    if part is not None:
        return part
    found = table.find(spelled, scope) or moved(spelled, table, scope)
    raised = found.power.text if found is not None and found.power is not None else ""
    if mark == "d" and (found is None or (raised.isalpha() and len(raised) > 2)):  # dh^{raw}
        return _of_unknown(spelled, table, scope)
    if found is None or found.power is not None:
        return None
    label = (rf"\{mark} " if mark in (*DELTAS, BAR) else mark) + _label(spelled, found)
    term = _gradient(found, label)
    if mark == BAR and found.entry.name == "L":  # the derivative of the loss by itself
        return u.Num(Fraction(1))
    if term is None:
        return None
    if found.components:
        term = u.Component(term, found.components)
    return u.Transposed(term) if spelled.transposed % 2 else term


def _of_part(spelled: Spelled, table: Table, scope: Sequence[str]) -> u.Term | None:
    """dh_t^{next}, dh_t^{out}: what later steps pass back at a step, and what comes from above."""
    for script in spelled.scripts:
        if script.text not in PARTS or len(spelled.scripts) < 2:
            continue
        rest = tuple(x for x in spelled.scripts if x is not script)
        found = table.find(replace(spelled, scripts=rest), scope)
        if found is None or found.entry.kind != "vector" or found.entry.name == "L":
            continue
        if found.time is not None and not found.components:
            return _turned(of_part(found.entry.name, found.time, script.text), spelled)
    return None


def of_part(name: str, time: Index, word: str) -> u.Adjoint:
    """The part of the gradient by a vector at a step that goes by a word of PARTS."""
    return u.Adjoint(f"{name}{PARTS[word]}", (name,), time)


def way_of(label: str) -> str:
    """In which of the ways of `rnnsym.claims.readings` a gradient is meant, as its label says."""
    if label.endswith(LATER):
        return "carried"
    return "own" if label.endswith(ABOVE) else "total"


def compound(node: s.Node, table: Table) -> s.Symbol | None:
    """δ c^{(h)} as one name, where it is a name of the document's own; else None."""
    if not isinstance(node, s.Times) or len(node.factors) != 2:
        return None
    (_, first), (op, second) = node.factors
    if op or not isinstance(first, s.Symbol) or not isinstance(second, s.Symbol):
        return None
    if is_plain(first, "Delta", table):  # ΔW: what is added to W, or the gradient by it
        return joined(first, second)
    if not is_mark(first, table) or of_pair(second, table, (), first.base) is not None:
        return None
    return joined(first, second)


def joined(mark: s.Symbol, node: s.Symbol) -> s.Symbol:
    """δ and c^{(h)} as one symbol."""
    return replace(node, base=f"{mark.base} {node.base}", start=mark.start)


def _of_unknown(spelled: Spelled, table: Table, scope: Sequence[str]) -> u.Term | None:
    """dγ_o, dtanh, dz^{raw}: by something that no equation names, such as an argument."""
    word = len(spelled.base) > 1 or (bool(spelled.scripts) and spelled.base.islower())
    if not word or spelled.base[0].isupper() or spelled.base in {*INDICES, *table.letters}:
        return None
    if spelled.inverse or spelled.primes or spelled.base in {*table.functions, "theta"}:
        return None
    times = [x for x in spelled.scripts if _is_time(x, table, scope)]
    times = [x for x in times if x.style == "angle"] or times  # Γ_i^{⟨t⟩}
    if len(times) > 1:
        return None
    rest = [x.text for x in spelled.scripts if x not in times]
    label = "d" + "".join([*spelled.accents, spelled.base, *rest])
    time = times[0].index if times and times[0].index is not None else Index.of("t")
    return _turned(u.Adjoint(label, (), time), spelled)


def moved(spelled: Spelled, table: Table, scope: Sequence[str] = ()) -> Found | None:
    """What h_prev and c_next name: a state at the step before, and at this one."""
    for script in spelled.scripts:
        if script.text in MOVED:
            rest = tuple(x for x in spelled.scripts if x is not script)
            found = table.find(replace(spelled, scripts=rest), scope)
            if found is not None and found.entry.kind == "vector" and found.time is None:
                return replace(found, time=Index.of("t", MOVED[script.text]))
    return None


def is_name(node: s.Node, table: Table) -> bool:
    """Whether a side is nothing but a gradient by its customary name."""
    if isinstance(node, s.Symbol):
        return table.find(spell(node)) is None and of_symbol(node, table) is not None
    if not isinstance(node, s.Times):
        return False
    factors = [x for x in node.factors if not is_plain(x[1], "p", table)]
    if len(factors) != 2:
        return False
    (_, first), (op, second) = factors
    return not op and is_mark(first, table) and of_pair(second, table) is not None


def is_mark(node: s.Node, table: Table) -> bool:
    """Whether this is the d or δ that stands before what a gradient is of."""
    return any(is_plain(node, x, table) for x in BEFORE)


def is_plain(node: s.Node, base: str, table: Table) -> bool:
    """Whether a node is a letter by itself that nothing defines."""
    return (
        isinstance(node, s.Symbol)
        and node.base == base
        and not node.sub
        and not node.sup
        and not node.accents
        and table.find(spell(node)) is None
    )


def _of_delta(spelled: Spelled, table: Table, scope: Sequence[str]) -> u.Term | None:
    """δ with a label, a time, or both, in any order."""
    times: list[Script] = []
    labels: list[Script] = []
    mark = f"\\{spelled.base}" if len(spelled.base) > 1 else spelled.base
    spelled = replace(
        spelled, scripts=tuple(y for x in spelled.scripts for y in _parted(x, table, scope))
    )
    part = next((x for x in spelled.scripts if x.text in PARTS), None)
    if part is not None:  # δ^{h, future}_t
        rest = tuple(x for x in spelled.scripts if x is not part)
        whole = _of_delta(replace(spelled, scripts=rest, transposed=0), table, scope)
        if isinstance(whole, u.Adjoint) and len(whole.names) == 1:
            return _turned(of_part(whole.names[0], whole.time, part.text), spelled)
    for script in spelled.scripts:
        inside = _quantity(script, table, scope)
        if inside is not None and inside.time is not None:  # δ_{h_t}
            if len(spelled.scripts) > 1:
                return None
            return _turned(_gradient(inside, f"{mark}_{{{_inner(script, inside)}}}"), spelled)
        (times if _is_time(script, table, scope) else labels).append(script)
    if len(labels) == 2:  # δ^r_{a,t} is by a^r_t
        labels = _joined(labels, table, scope)
    loss = _loss_step(times)
    if loss is not None:  # δ_{t,k}: of the loss of step t
        times.remove(loss)
    if len(times) > 1 or len(labels) > 1:
        return None
    time = times[0].index if times else None
    if not labels:
        of = loss.index if loss is not None else None
        label = mark + ("_{t,\\cdot}" if of is not None else "")
        return _turned(u.Adjoint(label, (), time or Index.of("t"), of), spelled)
    found = _quantity(labels[0], table, scope)
    if found is None and len(labels[0].text) > 2 and labels[0].text.isalpha():  # δ^{out}
        label = f"{mark}_{{{labels[0].text}}}"
        return _turned(u.Adjoint(label, (), time or Index.of("t")), spelled)
    if found is None:
        return None
    found = replace(found, time=time)
    return _turned(_gradient(found, f"{mark}_{{{labels[0].text}}}"), spelled)


def _parted(script: Script, table: Table, scope: Sequence[str]) -> list[Script]:
    """δ_{ht} as δ_{h,t}: the name of a vector and a time without anything between them."""
    pieces = split(script.tokens, ",")
    words = ["".join(x.text for x in p if x.text.isalpha()) for p in pieces]
    if len(pieces) == 2 and words[1] in PARTS:
        first = tuple(pieces[0])
        label = replace(script, text=spelling(first), index=read_index(first), tokens=first)
        return [label, replace(script, text=words[1], index=None, tokens=tuple(pieces[1]))]
    *name, last = script.tokens or (None,)
    if (
        script.style != "plain"
        or not name
        or last is None
        or last.text not in {*table.letters, "T"}
    ):
        return [script]
    label = replace(script, text=spelling(name), index=None, tokens=tuple(name))
    if any(x.text in "_^+-" for x in name) or _quantity(label, table, scope) is None:
        return [script]
    return [label, replace(script, text=last.text, index=Index.of(last.text), tokens=(last,))]


def _loss_step(times: list[Script]) -> Script | None:
    """Of two times the one of the loss: the first below, or the one above."""
    if len(times) != 2 or not any({"t", "T"} & set(x.index.names) for x in times if x.index):
        return None
    above = [x for x in times if x.where == "sup"]
    return above[0] if len(above) == 1 else times[0]


def _joined(labels: list[Script], table: Table, scope: Sequence[str]) -> list[Script]:
    """Two labels as the name of one vector, the one a label of the other, if there is just one."""
    found = []
    for first, second in (labels, labels[::-1]):
        mark = [Token("mark", "_", 0, 0), Token("mark", "{", 0, 0)]
        tokens = (*first.tokens, *mark, *second.tokens, Token("mark", "}", 0, 0))
        joined = replace(first, text=f"{first.text}_{second.text}", tokens=tokens, index=None)
        if _quantity(joined, table, scope) is not None:
            found.append(joined)
    return found if len(found) == 1 else labels


def _turned(term: u.Term | None, spelled: Spelled) -> u.Term | None:
    return u.Transposed(term) if term is not None and spelled.transposed % 2 else term


def _gradient(found: Found, label: str) -> u.Term | None:
    name, kind, time = found.entry.name, found.entry.kind, found.time
    if kind == "parameter":
        return u.Derivative(u.Loss(), (u.Leaf(name, time),), "δ")
    if kind != "vector" or name == "L":
        return None
    time = time if time is not None else Index.of("t")
    return u.Adjoint(label + (BACK if time.letter and time.constant < 0 else ""), (name,), time)


def _quantity(script: Script, table: Table, scope: Sequence[str]) -> Found | None:
    """The vector or parameter that a label names."""
    try:
        inner: Any = Parser(script.tokens).whole()
    except UnreadableError:
        return None
    if not isinstance(inner, s.Symbol) or inner.base in {*table.letters, *scope}:
        return None
    found = table.find(spell(inner), scope)
    return found if found is not None and found.entry.kind in ("vector", "parameter") else None


def _is_time(script: Script, table: Table, scope: Sequence[str]) -> bool:
    if script.style == "angle":
        return True
    if script.index is None or script.style in ("brace", "square"):
        return False
    vectors = {k[0] for k, e in table.entries.items() if e.kind == "vector"}
    known = {*scope, *table.letters, *table.lengths, *(INDICES - vectors), "T"}
    return all(n in known or n.startswith("T_") for n in script.index.names)


def _inner(script: Script, found: Found) -> str:
    """A label that is a name with a time, without that time."""
    node: Any = Parser(script.tokens).whole()
    return _label(spell(node), found)


def _label(spelled: Spelled, found: Found) -> str:
    """The name of a quantity without its time: the same at each step."""
    kept = [x.text for x in spelled.scripts if x.index is None or x.index != found.time]
    return "".join([*spelled.accents, spelled.base, *kept])
