"""What has a value at each step: index letters that are times, and the vectors that carry them.

First part of `vocabulary`. A recurrence shows which index is the time.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from rnnsym.reader import syntax as s
from rnnsym.reader.gradients import is_barred
from rnnsym.reader.indices import Index
from rnnsym.reader.occurring import (
    COPIED_LETTERS,
    ENTRY_LETTERS,
    GRADIENT_LETTERS,
    RESERVED,
    WEIGHT_LETTERS,
    Forward,
    Occurrence,
    bound_letters,
    key_of_kept,
    nodes,
    occurrences,
)
from rnnsym.reader.stacked import rows_of
from rnnsym.reader.statements import Reading
from rnnsym.reader.symbols import Script, Spelled, spell
from rnnsym.reader.table import INDICES, Entry, Key, Naming, Table

#: the number of a step, z_2 or z_{2}
_NUMBER = re.compile(r"_\{?(\d)\}?(?!\d)")


@dataclass
class Times:
    """The vocabulary as far as times and vectors go."""

    readings: Sequence[Reading]
    prose: str = ""
    table: Table = field(default_factory=Table)
    forward: list[Forward] = field(default_factory=list)
    scalar: bool = False
    #: a function of which equations say nothing -> the formula that says which one it is, and which
    told: dict[str, tuple[int, str]] = field(default_factory=dict)
    naming: Naming = field(default_factory=Naming)  # of gradients, as is known from elsewhere
    small: bool = False  # weights are small letters, which may stand for numbers

    def __post_init__(self) -> None:
        self.statements = [
            (k, node, r.latex)
            for k, r in enumerate(self.readings)
            for st in r.statements
            for node in (rows_of(st.node) or [st.node])
        ]
        self.seen = [(k, o) for k, node, _ in self.statements for o in occurrences(node)]

    def _find_times(self) -> None:
        """Index letters of recurrences: x_s on the left, something at s - 1 on the right."""
        votes: Counter[tuple[str, str]] = Counter()
        for _, node, _ in self.statements:
            if not isinstance(node, s.Relation) or node.ops[0] not in ("=", ":="):
                continue
            left = node.sides[0]
            if isinstance(left, s.Times) and isinstance(left.factors[0][1], s.Symbol):
                left = left.factors[0][1]
            if not isinstance(left, s.Symbol):
                continue
            for script in spell(left).scripts:
                if script.index is None or not script.index.letter:
                    continue
                letter = script.index.letter
                for side in node.sides[1:]:
                    for o in occurrences(side):
                        for other in o.spelled.scripts:
                            if (
                                other.index
                                and other.index.letter == letter
                                and _style(other) == _style(script)
                                and (abs(other.index.constant - script.index.constant) in (1, 2))
                            ):
                                votes[letter, _style(script)] += 1
        for (letter, style), _ in votes.items():
            if letter not in ("l", "L", "m") or style in ("sub", "angle"):
                self.table.letters.add(letter)
                self.table.styles.add(style)
        self.table.letters |= {"t", "tau"}
        self.styles = Counter(style for (_, style), n in votes.items() for _ in range(n))
        main = Counter(letter for (letter, _), n in votes.items() for _ in range(n))
        self.main = main.most_common(1)[0][0] if main and not main["t"] else "t"
        if not self.styles["sup"]:
            self.table.styles.discard("sup")
            if self._has_raised_times():
                self.table.styles.add("sup")

    def _has_raised_times(self) -> bool:
        """z_g^t = …, beside h_t: whether a time stands above where a label stands below."""
        for _, node, _ in self.statements:
            left = node.sides[0] if isinstance(node, s.Relation) and node.ops[0] == "=" else None
            if not isinstance(left, s.Symbol) or left.base in WEIGHT_LETTERS:
                continue
            scripts = spell(left).scripts
            raised = [x for x in scripts if x.where == "sup" and x.style == "plain"]
            labels = [x for x in scripts if x.where == "sub" and x.index != Index.of(self.main)]
            if labels and len(scripts) == 2 and [x.index for x in raised] == [Index.of(self.main)]:
                return True
        return False

    def _is_time(self, script: Script, letters: set[str]) -> bool:
        if script.style == "angle" or (script.text[:1] == "t" and script.text[1:].isdigit()):
            return True  # ⟨t⟩, and t1 or t2 for steps by their numbers
        if script.index is None:
            return False
        if script.where == "sup" and script.style == "plain" and "sup" not in self.table.styles:
            return False
        return bool(set(script.index.names) & letters) and script.style != "brace"

    def _find_vectors(self) -> None:
        letters = {self.main, "t", "T", *(x for x in self.table.letters if x not in "ijklmn")}
        components = self._has_components()
        summed = set().union(*(bound_letters(node) for _, node, _ in self.statements)) - letters
        copied = self._copied(letters)
        for _, o in self.seen:
            if o.symbol.base in {*GRADIENT_LETTERS, *self.naming.letters} or is_barred(
                o.spelled, self.table
            ):
                continue
            times = [x for x in o.spelled.scripts if self._is_time(x, letters)]
            if len(times) != 1:
                continue
            rest = [x for x in o.spelled.scripts if x is not times[0] and not self._is_square(o, x)]
            # x_{t,j}: what stands beside a time in the same script counts entries
            beside = components or times[0].where == "sub"
            kept = [
                x
                for x in rest
                if not (beside and (_is_entry(x) or x.text in summed)) or self._is_gate(x)
            ]
            key = key_of_kept(o.spelled, kept)
            if key in copied:
                self._enter(key, "parameter")
                self.table.copies.add(self.table.entries[key].name)
            else:
                self._enter(key, "vector")
        self._find_numbered()
        self._find_initial()

    def _is_square(self, o: Occurrence, script: Script) -> bool:
        """Whether a 2 is an exponent: h_t^2, where no h_t^1 says that it counts layers."""
        plain = script.where == "sup" and script.style == "plain"
        return plain and script.text == "2" and o.symbol.base not in self._layered

    @cached_property
    def _layered(self) -> set[str]:
        """Letters whose superscript 1 counts something."""
        return {
            o.symbol.base
            for _, o in self.seen
            for x in o.spelled.scripts
            if x.where == "sup" and x.style == "plain" and x.text == "1"
        }

    def _copied(self, letters: set[str]) -> set[Key]:
        """Parameters that also stand with a time, W⟨t⟩ for the copy of W that step t uses."""
        timed: set[Key] = set()
        plain: set[Key] = set()
        for _, o in self.seen:
            if o.symbol.base not in COPIED_LETTERS:
                continue
            rest = [x for x in o.spelled.scripts if not self._is_time(x, letters)]
            (timed if len(rest) < len(o.spelled.scripts) else plain).add(
                key_of_kept(o.spelled, rest)
            )
        computed = {
            (left.base, left.accents)
            for _, node, _ in self.statements
            if isinstance(node, s.Relation)
            for left in node.sides[:1]
            if isinstance(left, s.Symbol) and not _updates(left, node)
        }
        return {k for k in timed & plain if k[:2] not in computed}

    def _find_initial(self) -> None:
        """ŷ_0 = x_1: what an initial value is taken from has a time, though it stands but once."""
        for _, node, _ in self.statements:
            if not isinstance(node, s.Relation) or node.ops[0] != "=":
                continue
            left, right = node.sides[0], node.sides[1]
            if not isinstance(left, s.Symbol) or not isinstance(right, s.Symbol):
                continue
            start, value = _numbered(spell(left), True), _numbered(spell(right), True)
            if start is None or value is None or start[1] != 0:
                continue
            if start[0] in self.table.entries and right.base not in WEIGHT_LETTERS:
                self._enter(value[0], "vector")

    @cached_property
    def _gates(self) -> set[str]:
        """Letters that carry a time and that no sum runs over: beside i_t, the i of W_{hi} and of
        z_{i,t} is a label and no index."""
        timed = {
            o.symbol.base
            for _, o in self.seen
            if len(o.symbol.base) == 1
            and set(o.symbol.accents) <= {"fwd", "bwd"}
            and any(self._is_time(x, {self.main, "t", "T"}) for x in o.spelled.scripts)
        }
        return timed - set().union(
            *(bound_letters(node) for _, node, _ in self.statements), self.table.letters
        )

    def _is_gate(self, script: Script) -> bool:
        return script.text in self._gates

    def _is_power(self, script: Script) -> bool:
        """W^k, W^2, W^{t-k}; the o of W^o counts nothing, and the h of W^h is a name beside h_t."""
        if script.where != "sup" or script.style != "plain" or script.index is None:
            return False
        counts = {*self.table.letters, *INDICES, "d", "N", "M", "K", "T"}
        return set(script.index.names) <= counts and not self._is_gate(script)

    def _has_components(self) -> bool:
        """Whether entries are written out: Σ_j W_ij h_j, with the letter of the sum at both."""
        for _, node, _ in self.statements:
            for big in nodes(node):
                if not isinstance(big, s.Big) or not big.lower:
                    continue
                letter = big.lower[0].text.lstrip("\\")
                inside = [
                    x.text
                    for o in occurrences(big.body)
                    for x in o.spelled.scripts
                    if x.where == "sub" and letter in x.text and len(x.text) <= 2
                ]
                if {len(x) for x in inside} == {1, 2}:
                    return True
        return False

    def _find_numbered(self) -> None:
        """y_1 = V h_1, y_2 = V h_2: names that are computed at several steps, one by one."""
        steps: dict[Key, set[int]] = {}
        again = self._said_again()
        for _, node, latex in self.statements:
            if not isinstance(node, s.Relation) or node.ops[0] != "=":
                continue
            left = node.sides[0]
            if not isinstance(left, s.Symbol) or left.base in WEIGHT_LETTERS:
                continue
            numbered, inside = _numbered(spell(left)), list(occurrences(node.sides[1]))
            if numbered is None:
                continue
            key, step = numbered
            others = [x for x in map(_numbered, (o.spelled for o in inside)) if x is not None]
            recurs = (key, step - 1) in others or _bare(node, latex) in again
            if recurs and not any(k[0] in WEIGHT_LETTERS for k, _ in others):
                for k, n in others:  # h_2 = f(h_1, x_2): what else is numbered is so too
                    steps.setdefault(k, set()).add(n)
                self._enter(key, "vector")
            elif any(self._timed(o) for o in inside):
                steps.setdefault(key, set()).add(step)
                if step and {n for k, n in others if k in self.table.entries} == {step}:
                    self._enter(key, "vector")  # z_3 = V h_3
        for key, found in steps.items():
            if len(found) > 1:
                self._enter(key, "vector")
        for numbered in (_numbered(o.spelled) for _, o in self.seen if o.spelled.star):
            if numbered and (numbered[0][0], (), "") in self.table.entries:
                self._enter(numbered[0], "vector")  # y_2^*, the target of y_2

    def _said_again(self) -> set[str]:
        """Equations of one step that stand for the next step, too, where no recurrence has an
        index: z_1 = w h_0 + u x_1 beside z_2 = w h_1 + u x_2."""
        if self.styles:
            return set()
        found = {_bare(n, latex) for _, n, latex in self.statements if isinstance(n, s.Relation)}
        plain = {_NUMBER.sub(r"_{\1}", x): x for x in found}
        pairs = [(x, plain.get(_NUMBER.sub(_next, x))) for x in found if _NUMBER.search(x)]
        return {x for pair in pairs if pair[1] for x in pair if x}

    def _enter(self, key: Key, kind: str, name: str = "") -> None:
        if key not in self.table.entries:
            self.table.entries[key] = Entry(kind, name or self._name(key))

    def _name(self, key: Key) -> str:
        """An identifier for a symbol, as rnnsym's own equations would call it."""
        base, accents, labels = key
        arrows = [a for a in accents if a in ("fwd", "bwd")]
        plain = [a for a in accents if a not in ("fwd", "bwd")]
        layer = ""
        if "[" in labels:
            start, end = labels.index("["), labels.index("]") if "]" in labels else len(labels)
            inner = labels[start + 1 : end]
            layer, labels = (inner if inner.isalnum() else ""), labels[:start] + labels[end + 1 :]
        labels = labels.replace("*", "star")  # y_t^*, a target
        word = "_".join(
            [base, *plain, *(["".join(c for c in labels if c.isalnum())] if labels else [])]
        )
        word = word.rstrip("_") + "_" * labels.count("'")
        word += "".join(f"_{a}" for a in arrows) + (
            f"_l{layer}" if layer.isdigit() else f"_{layer}" if layer else ""
        )
        word = "".join(c if c.isalnum() or c == "_" else "_" for c in word)
        if not word.isidentifier() or word in RESERVED:
            word = f"v_{word}"
        taken = {e.name for e in self.table.entries.values()}
        found = word
        while found in taken:
            found += "_"
        return found

    def _timed(self, o: Occurrence) -> bool:
        found = self.table.find(o.spelled)
        if found is None or found.entry.kind != "vector":
            return False
        return found.time is not None or found.entry.name in self.table.timeless


def _updates(left: s.Symbol, node: s.Relation) -> bool:
    """W = W - η dW, W_new = W_old - η dW: what a weight is after it has learned."""
    symbols = (o.symbol for side in node.sides[1:] for o in occurrences(side))
    return any((x.base, x.accents) == (left.base, left.accents) for x in symbols)


def _numbered(spelled: Spelled, brackets: bool = False) -> tuple[Key, int] | None:
    """The name and the number of h_2; with brackets, of h^{(2)} too."""
    numbers = [
        x
        for x in spelled.scripts
        if (x.where == "sub" or (brackets and x.style in ("round", "angle")))
        and x.index
        and not x.index.names
    ]
    if len(numbers) != 1 or numbers[0].index is None:
        return None
    kept = [x for x in spelled.scripts if x is not numbers[0]]
    return key_of_kept(spelled, kept), numbers[0].index.constant


def _bare(node: s.Node, latex: str) -> str:
    return "".join(latex[node.start : node.end].split())


def _next(number: re.Match[str]) -> str:
    return f"_{{{int(number.group(1)) + 1}}}"


def _is_entry(script: Script) -> bool:
    """Whether a script may count entries: one small letter below."""
    if script.where != "sub" or script.style != "plain" or script.index is None:
        return False
    return bool(script.index.names) and set(script.index.names) <= ENTRY_LETTERS


def _style(script: Script) -> str:
    return script.where if script.style == "plain" else script.style
