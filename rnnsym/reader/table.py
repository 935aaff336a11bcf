"""What the symbols of a document stand for.

A table is made from a network's own names (`of_network`), or from the document itself
(`rnnsym.audit.vocabulary`). `resolve` asks it; it decides which script of a symbol is a label,
which a time, a component or an exponent, by what is known, never by guessing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

from rnnsym.reader import syntax as s
from rnnsym.reader import terms
from rnnsym.reader.indices import Index
from rnnsym.reader.parser import Parser
from rnnsym.reader.symbols import Script, Spelled, spell
from rnnsym.reader.tokens import UnreadableError, tokens

#: base letter, accents, labels put together
Key = tuple[str, tuple[str, ...], str]


#: the label of a name without scripts that is another quantity than the same name at a time
BARE = "·"
#: letters that are indices by custom
INDICES = {"t", "k", "i", "j", "s", "n", "m", "r", "tau", "l", "q", "p", "t'", "k'", "i'", "tau'"}


@dataclass(frozen=True)
class Entry:
    """kind: "vector", "parameter", "loss" (of the whole sequence), "function", "definition",
    "length", "gradient" (the derivative of the loss by the quantity `name`)."""

    kind: str
    name: str


@dataclass(frozen=True)
class Found:
    """A symbol looked up: what it is, when, which entries of it, and to what power."""

    entry: Entry
    time: Index | None = None
    components: tuple[Index, ...] = ()
    power: Script | None = None


@dataclass(frozen=True)
class Naming:
    """How a document names gradients, as its words say. bars: a bar over a name makes it one;
    letters: such as are names of gradients; total: each is the total derivative of the loss;
    functions: letters of functions, and which these are."""

    bars: bool = False
    letters: frozenset[str] = frozenset()
    total: bool = False
    functions: tuple[tuple[str, str], ...] = ()


@dataclass
class Table:
    """The symbols of a document.

    styles: where times stand: "angle", "round", "square", "sub" (h_t), "sup" (h^t); letters: the
    index letters that may be times. definitions: key -> what the document says it is, with its
    index letters, for `rnnsym.claims`.
    """

    entries: dict[Key, Entry] = field(default_factory=dict)
    styles: set[str] = field(default_factory=lambda: {"angle", "round", "sub", "square"})
    letters: set[str] = field(default_factory=lambda: {"t"})
    functions: dict[str, str] = field(default_factory=dict)
    definitions: dict[str, Any] = field(default_factory=dict)
    rows: bool = False
    mean: bool = False  # the loss of the sequence is the mean over its steps
    timeless: set[str] = field(default_factory=set)  # vectors that never carry their time
    final: set[str] = field(default_factory=set)  # vectors that have a value at the last step only
    lengths: set[str] = field(default_factory=set)  # letters that stand for the length, beside T
    # what gradients with customary names have turned out to be: one for all copies of a table
    meant: dict[str, tuple[str, str]] = field(default_factory=dict)
    sure: set[str] = field(default_factory=set)  # those of which the document says it itself
    # the vectors by which the document says that such gradients are derivatives of the loss
    said: dict[str, str] = field(default_factory=dict)
    zero_based: bool = False  # the first step is step 0, the last one T - 1
    loose: bool = False  # nothing is ever transposed: the author leaves that to the reader
    naming: Naming = field(default_factory=Naming)
    # what the loss has beside what depends on the steps, λ‖W‖²
    penalties: tuple[terms.Term, ...] = ()
    copies: set[str] = field(default_factory=set)  # parameters W with copies W⟨t⟩ for single steps
    # a function -> the parameters that it is given in equations: θ of f(h, x; θ)
    given: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def copy(self) -> Table:
        return Table(
            dict(self.entries), set(self.styles), set(self.letters), dict(self.functions),
            dict(self.definitions), self.rows, self.mean,
            set(self.timeless), set(self.final), set(self.lengths), self.meant, self.sure,
            dict(self.said),
            self.zero_based, self.loose, self.naming, self.penalties,
            set(self.copies), dict(self.given),
        )  # fmt: skip

    def forget(self, names: set[str]) -> None:
        """Leave out what goes by some names, so that they may be defined."""
        self.entries = {k: e for k, e in self.entries.items() if e.name not in names}

    def find(self, spelled: Spelled, scope: Iterable[str] = ()) -> Found | None:
        """What a symbol is; None if nothing of that name is known."""
        bound = set(scope)
        bare = self.entries.get((spelled.base, spelled.accents, BARE))
        if bare is not None and not spelled.scripts:
            return Found(bare)
        if len(spelled.scripts) == 1 and "_" in spelled.scripts[0].text:  # z_{r_t} is z_{rt}
            label = re.sub(r"[\\{}_]", "", spelled.scripts[0].text)
            named = self.entries.get((spelled.base, spelled.accents, label))
            if named is not None and spelled.scripts[0].where == "sub":
                return Found(named)
        best: tuple[tuple[int, ...], Found] | None = None
        for roles in product(*(self._roles(x, bound) for x in spelled.scripts)):
            found = self._try(spelled, roles)
            if found is not None and (best is None or found[0] > best[0]):
                best = found
        if best is None and len(spelled.base) == 1 and spelled.base.islower():  # u_{ij} of U
            entry = self.find(replace(spelled, base=spelled.base.upper()), scope)
            if entry is not None and len(entry.components) == 2:
                return entry
        if best is None and spelled.base in LOSSES:  # L_{BCE}, L_total: a word says which loss
            rest = tuple(x for x in spelled.scripts if not _is_word(x))
            if rest != spelled.scripts:
                return self.find(replace(spelled, scripts=rest), scope)
        return best[1] if best else None

    def _roles(self, script: Script, bound: set[str]) -> list[str]:
        if script.style == "angle":
            return ["time"]
        if script.style == "square" and script.where == "sub":  # h_{[j]} is entry j, but x_{[t]}
            timed = script.index is not None and set(script.index.names) & {"t", *self.letters}
            return ["label", *(["time" if timed else "component"] if script.index else [])]
        if script.style == "square" and script.where == "sup":
            return ["label", *(["time"] if script.index and "square" in self.styles else [])]
        roles = ["label"]
        if script.index is not None:
            placed = script.style == "round" or script.where == "sub" or "sup" in self.styles
            known = {*bound, *self.letters, *self.lengths, *INDICES}
            if placed and all(n in known or n.split("_")[0] == "T" for n in script.index.names):
                roles.append("time")
            if script.where == "sub" and set(script.index.names) <= known:
                roles.append("component")
            if script.where == "sup" and script.style == "plain":
                roles.append("power")
        elif script.where == "sub" and script.text.isalpha() and len(script.text) == 2:
            if set(script.text) <= bound | {*"ijklmnpqrs"}:
                roles.append("components")
        elif script.where == "sup" and script.style == "plain":
            roles.append("power")
        return roles

    def _try(
        self, spelled: Spelled, roles: tuple[str, ...]
    ) -> tuple[tuple[int, ...], Found] | None:
        labels, times, components, powers = "", [], [], []
        for script, role in zip(spelled.scripts, roles, strict=True):
            if role == "label":
                labels += f"[{script.text}]" if script.style == "square" else script.text
            elif role == "time":
                times.append(script)
            elif role == "component":
                assert script.index is not None
                components.append(script.index)
            elif role == "components":
                components += [Index.of(c) for c in script.text]
            else:
                powers.append(script)
        key = spelled.base, spelled.accents, labels + spelled.star + "'" * spelled.primes
        entry = self.entries.get(key)
        if entry is None or len(times) > 1 or len(powers) > 1:
            return None
        timed = entry.kind in ("vector", "gradient") or (
            entry.kind == "definition" and self.definitions[entry.name].indexed
        )
        timed = timed or (bool(times) and entry.name in self.copies)
        # W^{(k)}: what W does at step k
        timed = timed or (entry.kind == "parameter" and any(map(_is_of_a_step, times)))
        if times and not timed:
            return None
        if times and entry.name in self.final:  # y_a is entry a of the only target
            names = set(times[0].index.names) if times[0].index is not None else set()
            if not names <= {"T", *self.lengths}:
                return None
        most = {"vector": 1, "gradient": 2, "parameter": 2, "definition": 2}.get(entry.kind, 0)
        if len(components) > most or (powers and entry.kind == "length"):
            return None
        if len(components) == 1 and entry.kind == "definition" and not timed:
            return None  # J_k is not an entry of J
        if len(components) == 1 and entry.kind == "parameter" and key[0].isupper():
            return None  # nor W_0 one of W
        time = times[0].index if times else None
        # a subscript of a vector is a time before it is a component; where times stand above, they
        # are times before they are exponents: a_i^t
        raised = -len(powers) - 2 * ("t" in _names(components)) if "sup" in self.styles else 0
        score = (
            int(bool(times) or not timed), raised, -len(components), len(labels), -len(powers)
        )  # fmt: skip
        return score, Found(entry, time, tuple(components), powers[0] if powers else None)


def _names(indices: Iterable[Index]) -> set[str]:
    return {n for i in indices for n in i.names}


def _is_of_a_step(script: Script) -> bool:
    lettered = script.index is not None and bool(script.index.letters)  # W^{(3)} is a name
    return lettered and script.where == "sup" and script.style in ("round", "angle")


def _is_word(script: Script) -> bool:
    """Whether a label is a word, upright or of several letters."""
    text = script.text
    return text.isalpha() and len(text) > (1 if text.isupper() else 2)


def key_of(latex: str) -> Key | None:
    """The key of a name as it is printed, all scripts labels; None if it is no single symbol."""
    node = symbol_in(latex)
    return key(spell(node)) if node is not None else None


def symbol_in(latex: str) -> s.Symbol | None:
    """The symbol that a piece of LaTeX is; None if it is anything else."""
    try:
        node = Parser(tokens(latex)).whole()
    except UnreadableError:
        return None
    return node if isinstance(node, s.Symbol) else None


def key(spelled: Spelled) -> Key:
    """The key of a symbol all of whose scripts are labels."""
    labels = "".join(f"[{x.text}]" if x.style == "square" else x.text for x in spelled.scripts) + (
        "T" * spelled.transposed
    )
    return spelled.base, spelled.accents, labels + spelled.star + "'" * spelled.primes


#: other words for a loss
LOSSES = ("L", "E", "J", "C", "ell", "l")


def of_network(net: Any, notation: str | None = None) -> Table:
    """The table of a network's names, as a notation prints them and as they are in code."""
    from sympy import MatrixSymbol

    from rnnsym.latex import PROFILES, LatexPrinter

    table = Table()
    chosen = notation or net.options.get("notation", "post")
    profile = PROFILES[chosen]
    printers = [LatexPrinter(chosen, net.notations.get(chosen)), LatexPrinter(chosen)]
    names: list[tuple[str, str]] = [(n, "vector") for n in net.vectors]
    names += [(n, "parameter") for n in net.parameters]
    for printer in printers:
        for name, kind in names:
            rows = net.parameters[name].shape if kind == "parameter" else (2, 1)
            found = key_of(printer.symbol(MatrixSymbol(name, *rows)))
            if found is not None:
                table.entries.setdefault(found, Entry(kind, name))
    for name, kind in names:  # a bias written as W is, plainly
        table.entries.setdefault((name, (), ""), Entry(kind, name))
    table.styles = {{"angle": "angle", "round": "round", "index": "sub"}[profile.time], "angle"}
    if profile.time == "angle":
        table.styles |= {"sub", "round"}
    for function in net.functions:
        table.functions[function] = function
        base = function.split("_")[0]
        table.functions.setdefault(base, function)
    for function in net.unknown_rows:
        table.functions[function] = function
        table.functions[f"{function}()"] = function
    for name in net.lengths:
        table.entries.setdefault((name[0], (), name[2:]), Entry("length", name))
    table.letters |= {"k", "i", "j", "s", "n", "tau"}
    add_losses(table)
    add_deltas(table, net)
    for printer in printers:
        add_printed(table, net, printer)
    return table


def add_printed(table: Table, net: Any, printer: Any) -> None:
    """The adjoints and the stacked states, as derivations print them."""
    from rnnsym.claims.definition import Definition
    from rnnsym.derive.structure import Structure
    from rnnsym.nodes import Adjoint, Stack, t

    for name in net.equations:
        found = _untimed(printer(Adjoint(net.vectors[name].at(t))))
        if found is not None:
            table.entries.setdefault(found, Entry("gradient", name))
    for block in Structure(net).blocks:
        state = block.state(t)
        if isinstance(state, Stack):
            found = _untimed(printer(state))
            if found is not None and found not in table.entries:
                parts = tuple(
                    terms.Leaf(v.name, Index.of("t", int(v.time - t))) for v in state.parts
                )
                name = printer(state)
                table.entries[found] = Entry("definition", name)
                table.definitions[name] = Definition(name, name, ("t",), terms.Concat(parts))


def _untimed(latex: str) -> Key | None:
    """The key of a symbol that is printed with the time t."""
    node = Parser(tokens(latex)).whole()
    if not isinstance(node, s.Symbol):
        return None
    spelled = spell(node)
    scripts = tuple(x for x in spelled.scripts if x.index != Index.of("t"))
    return key(replace(spelled, scripts=scripts))


def add_losses(table: Table, names: Iterable[str] = LOSSES) -> None:
    """Letters that stand for the loss: with a time of one step, without one of all."""
    taken = {key[0] for key, e in table.entries.items() if key[1:] == ((), "") and e.name != "L"}
    for name in names:
        if name not in taken:
            table.entries[(name, (), "")] = Entry("vector", "L")


def add_deltas(table: Table, net: Any) -> None:
    """δ with the name of a node as its label: the derivative of the loss by that node."""
    for (base, accents, labels), entry in list(table.entries.items()):
        if entry.kind == "vector" and entry.name in net.equations and base != "delta":
            label = "".join(accents) + base + labels
            table.entries.setdefault(("delta", (), label), Entry("gradient", entry.name))
