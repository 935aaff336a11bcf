"""The equations of a network, as text: which of those of a document, and what they stand for.

Used by `making`. What cannot be written is left out, and said.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from rnnsym.claims.definition import Definition
from rnnsym.errors import InputError
from rnnsym.reader import syntax as s
from rnnsym.reader import terms as u
from rnnsym.reader.choosing import choose, from_step, generalised
from rnnsym.reader.entries import without_entries
from rnnsym.reader.indices import Index
from rnnsym.reader.lines import (
    INITIAL,
    with_names_of_parts,
)
from rnnsym.reader.losses import LEFT_OUT, of_a_step, over_time, without_penalties
from rnnsym.reader.occurring import SCALAR_LETTERS, Forward, nodes, occurrences
from rnnsym.reader.resolve import Resolver
from rnnsym.reader.table import Entry
from rnnsym.reader.table import key as label_key
from rnnsym.reader.vocabulary import Vocabulary
from rnnsym.reader.writing import Writer

#: how the note begins on equations of single steps that are read as those of every step
OF_A_STEP = "taken for every step"


def _initial(alternatives: dict[str, list[Any]]) -> dict[str, tuple[u.Term, Forward]]:
    """Initial values that are computed, a⟨0⟩ = b⟨T_x⟩, taken from the equations of their names."""
    found: dict[str, tuple[u.Term, Forward]] = {}
    for name, equations in alternatives.items():
        for equation in list(equations):
            term, index, f = equation
            if index is not None and index == Index(0) and len(equations) > 1:
                found[name] = term, f
                equations.remove(equation)
    return found


def _of_several(forwards: list[Forward]) -> bool:
    """Whether one letter stands for several vectors, which only their indices tell apart: a_h of
    the hidden units and a_k of the outputs."""
    uses = {
        frozenset((o.symbol.base, o.symbol.accents) for o in occurrences(f.right))
        for f in forwards
        if f.components and any(isinstance(x, s.Big) for x in nodes(f.right))
    }
    return len(uses) > 1


def _is_example(term: u.Term) -> bool:
    """Whether numbers stand for quantities: nothing else, or a matrix of them."""
    names = u.Leaf | u.Unknown

    def spoken(x: u.Term) -> bool:
        return any(isinstance(y, names) for y in u.walk(x))

    return not spoken(term) or any(isinstance(x, u.Concat) and not spoken(x) for x in u.walk(term))


def _of_one_step(found: list[Any]) -> tuple[u.Term, Index] | None:
    """z_3 = V h_3, the only equation for z, as one for every step."""
    if len(found) != 1 or found[0][1] is None or found[0][1].letters:
        return None
    term, index, _ = found[0]
    times = {x.time for x in u.walk(term) if isinstance(x, u.Leaf) and x.time is not None}
    if index.constant < 1 or times != {index}:
        return None
    return from_step(term, index.constant), Index.of("t")


def _is_loss(term: u.Term) -> bool:
    """Whether a term is the loss of a step, perhaps times a number."""
    if isinstance(term, u.Product):
        losses = [x for _, x in term.factors if isinstance(x, u.Leaf) and x.name == "L"]
        numbers = [x for _, x in term.factors if isinstance(x, u.Num | u.Quotient | u.Whole)]
        return len(losses) == 1 and len(numbers) == len(term.factors) - 1
    return isinstance(term, u.Leaf) and term.name == "L"


#: letters of targets
TARGET_LETTERS = ("y", "d", "r", "t")


class Placing:
    """The equations of a document on their way to those of a network."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        found: dict[str, list[Forward]],
        make: Any,
        strict: bool,
        options: dict[str, Any],
        numbers: bool = False,
    ) -> None:
        self.vocabulary, self.found, self.make = vocabulary, found, make
        self.scalar = vocabulary.scalar or numbers
        self.strict, self.options = strict, options
        self.table = vocabulary.table.copy()
        self.notes: list[str] = []
        self.lines: dict[str, str] = {}
        self.terms: dict[str, u.Term] = {}
        self.taken: dict[str, Forward] = {}
        self.said = ""  # what σ, or any function, is
        self.odd_loss = False  # the loss with a time is not that of one step
        self.last = False  # a supposed loss is one of the last step only
        self.concrete = False  # … and the customary one of its output
        self.every = False  # … or one of all that no other equation uses
        self.scalars = frozenset(
            e.name
            for key, e in self.table.entries.items()
            if e.kind == "parameter" and (self.scalar or key[0] in SCALAR_LETTERS)
        )

    def _write_all(self) -> None:
        """The equation of each name, chosen among those that the document gives."""
        alternatives: dict[str, list[tuple[u.Term, Index | None, Forward]]] = {}
        for name, forwards in self.found.items():
            if _of_several(forwards):
                self.notes.append(f"{LEFT_OUT}: {name}: its entries have several equations")
                continue
            for f in forwards:
                try:
                    term = Resolver(self.table, f.latex)(f.right)
                    if name != "L":
                        term = without_entries(term, f.components[0].letter if f.components else "")
                except InputError as error:
                    self.notes.append(f"{LEFT_OUT}: {' '.join(f.latex.split())[:60]}: {error}")
                    continue
                if name != "L" and _is_example(term):
                    continue
                alternatives.setdefault(name, []).append((term, f.index, f))
        initial = _initial(alternatives)
        for found in alternatives.values():
            general = generalised(found)
            if general is None:
                general = generalised(found, True) or _of_one_step(found)
                if general is not None:
                    self.notes.append(f"{OF_A_STEP}: {found[-1][2].key[0]}")
            if general is not None:
                found.append((*general, replace(found[-1][2], index=general[1])))
        for name, k in choose(alternatives).items():
            # the chosen one first, then the others: one that cannot be written is no loss
            order = [k, *(j for j in reversed(range(len(alternatives[name]))) if j != k)]
            for j in order:
                term, _, f = alternatives[name][j]
                try:
                    if name != "L":
                        self._add(name, term, f)
                    elif not self._loss(term, f) and j != order[-1]:
                        continue  # another equation says what the loss of a step is
                    self.taken[name] = f
                    break
                except InputError as error:
                    self.notes.append(f"{LEFT_OUT}: {' '.join(f.latex.split())[:60]}: {error}")
                    timed = f.index is not None and bool(f.index.letters)
                    self.odd_loss |= name == "L" and timed and over_time(term)[1] is not None
        every = dict(self.lines)
        for name, (term, f) in initial.items():
            try:
                self._add(name, term, f)
                every[name + INITIAL] = self.lines[name]
            except InputError as error:
                self.notes.append(f"{LEFT_OUT}: {' '.join(f.latex.split())[:60]}: {error}")
        self.lines = every
        self._free_target()
        self._of_the_end()
        self.lines = with_names_of_parts(self.lines)
        self._split_blocks()

    def _of_the_end(self) -> None:
        """What is computed of the last step alone is of that step, L = -y log p, p = σ(v · h_T);
        a letter of targets without a step is its target."""
        while True:
            ends = {n for n, line in self.lines.items() if line.startswith(f"{n}[T] ")}
            for name, line in self.lines.items():
                used = set(re.findall(r"\b([^\W\d]\w*)\[t\]", line)) - {name}
                if name not in ends and used & ends and not (used & {*self.lines}) - ends:
                    self.lines[name] = line.replace("[t]", "[T]")
                    break
            else:
                break
        loss = self.lines.get("L", "")
        if not loss.startswith("L[T] "):
            return
        others = " ".join(line for n, line in self.lines.items() if n != "L")
        for key, entry in list(self.table.entries.items()):
            bare = rf"\b{re.escape(entry.name)}\b(?!\[)"
            target = entry.kind == "parameter" and key[0] in TARGET_LETTERS
            if target and re.search(bare, loss) and not re.search(bare, others):
                loss = re.sub(bare, f"{entry.name}[T]", loss)
                self.table.entries[key] = replace(entry, kind="vector")
                self.table.timeless.add(entry.name)
                self.scalars -= {entry.name}
        self.lines["L"] = loss

    def _free_target(self) -> None:
        """Beside ŷ, y is the target, though another part of a document may call an output so."""
        rest = " ".join(line for n, line in self.lines.items() if n not in ("y", "L"))
        if {"y", "y_hat"} <= self.lines.keys() and not re.search(r"\by\[", rest):
            self.notes.append(f"{LEFT_OUT}: {self.lines.pop('y')}: y is the target of y_hat")

    def _split_blocks(self) -> None:
        """W_a [a; x] as W_aa a + W_ax x, where the document speaks of W_aa and W_ax."""
        seen = {label_key(o.spelled) for _, o in self.vocabulary.seen}
        base = {e.name: k for k, e in self.table.entries.items()}
        for name, line in self.lines.items():
            for match in re.finditer(
                r"\((\w+) @ \[([^\[\]]+\[[^\]]*\](?:, [^\[\]]+\[[^\]]*\])+)\]\)", line
            ):
                weight, parts = match.group(1), match.group(2).split(", ")
                if weight not in base or not all(p.split("[")[0] in base for p in parts):
                    continue
                letter, accents, labels = base[weight]
                keys = [(letter, accents, labels + base[p.split("[")[0]][0]) for p in parts]
                if not all(k in seen for k in keys):
                    continue
                names = []
                for k in keys:
                    if k not in self.table.entries:
                        self.table.entries[k] = Entry("parameter", self.vocabulary._name(k))
                    names.append(self.table.entries[k].name)
                whole = u.Concat(tuple(u.Leaf(n, None) for n in names), rows=True)
                latex = f"{letter}_{{{labels}}}"
                self.table.entries[base[weight]] = Entry("definition", latex)
                self.table.definitions[latex] = Definition(latex, latex, (), whole)
                split = " + ".join(f"({n} @ {p})" for n, p in zip(names, parts, strict=True))
                self.lines[name] = line = line.replace(match.group(), f"({split})")

    def _add(self, name: str, term: u.Term, f: Forward) -> None:
        index = f.index
        main = self.vocabulary.main
        letter = index.letter if index is not None and index.letter else main
        if letter.split("_")[0] == "T" and letter != main:  # ŷ_T = …, for the last step only
            letter = main
        shift = -index.constant if index is not None and index.letter == letter else 0
        ends = frozenset(self.table.lengths)
        if letter in ends and letter != main:
            letter, shift = main, 0
        copies = frozenset(self.table.copies)
        writer = Writer(letter, shift, self.table.rows, self.scalars, copies, ends)
        right = writer(term)
        time = "t"
        fixed = set(re.findall(r"\[(\w[^\]]*)\]", right))
        if index is None and len(fixed) == 1 and fixed <= {str(n) for n in range(2, 100)}:
            time, right = "T", right.replace(f"[{fixed.pop()}]", "[T]")  # ŷ = V h_3, the last one
        elif index is None and fixed == {"T"}:
            time = "T"
        if index is not None and not index.letter:
            if index.constant > 0:
                raise InputError(f"it is for step {index.constant} only")
            time = str(index.constant)
        elif index is not None and index.letter != letter:
            time, right = writer.time(index), right
        self.lines[name] = f"{name}[{time}] = {right}"
        self.terms[name] = term

    def _loss(self, term: u.Term, f: Forward) -> bool:
        """The loss of a step, or of the sequence as a sum over its steps; False where that is the
        sum of what is told elsewhere."""
        if f.index is None:
            term, self.table.penalties = without_penalties(term)
            number, inner = over_time(term)
            if inner is not None:
                if number:
                    self.table.mean = True
                if _is_loss(inner.body):  # (1/4) Σ L_t is the mean of four
                    self.table.mean |= not isinstance(inner.body, u.Leaf)
                    return False
                body = without_entries(inner.body)
                f = replace(f, index=Index.of(inner.index))
                term = body
        term = of_a_step(term, self.found, self._is_vector)
        self._add("L", term, f)
        return True

    def _is_vector(self, term: u.Term) -> bool:
        """Whether a term is a vector as it stands, with no transpose in it."""
        if self.scalar:
            return False
        if any(isinstance(x, u.Transposed) for x in u.walk(term)):
            return False
        at = [x.time for x in u.walk(term) if isinstance(x, u.Leaf) and x.time is not None]
        letter = at[0].letter if at and at[0].letter else self.vocabulary.main
        try:
            return Writer(letter, 0, self.table.rows, self.scalars).write(term).kind == "v"
        except InputError:
            return False
