"""What the symbols of a document stand for, found in its own equations.

Between the reader and networks. A recurrence shows which index is the time and which letters have
a value at each step; what is applied to brackets is a function; what is left in forward equations
is a parameter. `network` makes a network of it, `rnnsym.audit` judges a document with it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from rnnsym.functions import UNKNOWN
from rnnsym.reader import syntax as s
from rnnsym.reader import terms
from rnnsym.reader.gradients import BAR, is_barred, is_name, of_symbol
from rnnsym.reader.indices import Index, read_index
from rnnsym.reader.meanings import CUSTOMARY
from rnnsym.reader.parser import Parser
from rnnsym.reader.stacked import rows_of
from rnnsym.reader.statements import Reading
from rnnsym.reader.symbols import Script, Spelled, spell
from rnnsym.reader.table import INDICES, Entry, Key, Table
from rnnsym.reader.table import key as label_key
from rnnsym.reader.tokens import UnreadableError

#: letters that a loss goes by, where nothing else is known of them
LOSS_LETTERS = ("L", "E", "J", "C", "ell", "l", "loss", "Loss", "xi", "S")
#: letters that an equation makes a loss by itself
SURE_LOSSES = ("L", "E", "J", "ell", "loss", "Loss", "xi")
#: letters that are functions where they stand before a bracket
FUNCTION_LETTERS = {"f", "g", "F", "G", "phi", "psi", "sigma", "Phi", "Psi", "varphi", "h", "s",
                    "act", "activation", "a", "H", "rho", "nonlin", "cell", "RNN", "R", "O", "o",
                    "y",
                    "LSTM", "GRU", "q", "p", "l", "L", "ell", "N", "M"}  # fmt: skip
WEIGHT_LETTERS = set("WUVRKQ") | {"Theta", "w", "u", "v", "b", "theta"}
#: letters of parameters of which copies for single steps may be spoken of
COPIED_LETTERS = {"W", "U", "V", "R", "Theta", "theta", "b", "w"}
GRADIENT_LETTERS = {"delta", "Delta", "nabla", "epsilon"}
SCALAR_LETTERS = {"alpha", "beta", "gamma", "lambda", "eta", "kappa", "mu"}


@dataclass(frozen=True)
class Occurrence:
    """A symbol where it stands: its parts, what follows it, and how often around it."""

    symbol: s.Symbol
    spelled: Spelled
    applied: s.Bracket | None = None


@dataclass(frozen=True)
class Forward:
    """An equation that may be one of the network: a name at a step, and what it is computed by."""

    key: Key
    index: Index | None
    components: tuple[Index, ...]
    right: s.Node
    latex: str
    formula: int
    rest: tuple[s.Node, ...] = ()
    arguments: bool = False


def nodes(node: Any) -> Iterator[s.Node]:
    """A node of the syntax and all inside of it."""
    agenda: list[Any] = [node]
    while agenda:
        x = agenda.pop()
        if isinstance(x, s.Node):
            yield x
            agenda += reversed(s.values(x))
        elif isinstance(x, tuple):
            agenda += reversed(x)


def occurrences(node: s.Node) -> Iterator[Occurrence]:
    """Every symbol in a node, with the bracket that it is applied to, if any."""
    applied: dict[int, s.Bracket] = {}
    for x in nodes(node):
        if isinstance(x, s.Times):
            for (_, a), (op, b) in zip(x.factors, x.factors[1:], strict=False):
                inner = b.base if isinstance(b, s.Scripted) else b
                if isinstance(a, s.Symbol) and op == "" and isinstance(inner, s.Bracket):
                    applied[id(a)] = inner
    for x in nodes(node):
        if isinstance(x, s.Symbol):
            yield Occurrence(x, spell(x), applied.get(id(x)))
        elif isinstance(x, s.Differential) and x.sub:  # the W of ∇_W
            try:
                inner = Parser(x.sub).whole()
            except UnreadableError:
                continue
            yield from occurrences(inner)


@dataclass
class Vocabulary:
    """The vocabulary of formulas, in their order; prose: the text around them, for what is said
    in words (which loss, what σ is)."""

    readings: Sequence[Reading]
    prose: str = ""
    table: Table = field(default_factory=Table)
    forward: list[Forward] = field(default_factory=list)
    scalar: bool = False
    small: bool = False  # weights are small letters, which may stand for numbers

    def __post_init__(self) -> None:
        self.statements = [
            (k, node, r.latex)
            for k, r in enumerate(self.readings)
            for st in r.statements
            for node in (rows_of(st.node) or [st.node])
        ]
        self.seen = [(k, o) for k, node, _ in self.statements for o in occurrences(node)]
        self.table.barred = self._is_barred()
        self._find_times()
        self._find_vectors()
        self._find_equations()
        self._find_functions()
        self._find_losses()
        self._find_parameters()
        self._find_lengths()
        self._find_cases()
        self._find_said()
        self.table.zero_based = any(re.search(_FROM_ZERO, r.latex) for r in self.readings) or any(
            f.index == Index(0) and any(o.symbol.base == "x" for o in occurrences(f.right))
            for f in self.forward
        )
        self.table.loose = not any(o.spelled.transposed for _, o in self.seen) and not any(
            r"\top" in r.latex or "^T" in r.latex or "^{T}" in r.latex for r in self.readings
        )
        self.table.rows = self._is_rows()
        self.scalar = self._is_scalar()

    # ---- times and vectors ---------------------------------------------------------------

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
        if script.style == "angle":
            return True
        if script.index is None:
            return False
        if script.where == "sup" and script.style == "plain" and "sup" not in self.table.styles:
            return False
        return bool(set(script.index.names) & letters) and script.style != "brace"

    def _find_vectors(self) -> None:
        letters = {self.main, "t", "T", *(x for x in self.table.letters if x not in "ijklmn")}
        components = self._has_components()
        summed = set().union(*(_bound(node) for _, node, _ in self.statements)) - letters
        copied = self._copied(letters)
        for _, o in self.seen:
            if o.symbol.base in GRADIENT_LETTERS or is_barred(o.spelled, self.table):
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
            key = _key(o.spelled, kept)
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
            (timed if len(rest) < len(o.spelled.scripts) else plain).add(_key(o.spelled, rest))
        computed = {
            (o.symbol.base, o.symbol.accents)
            for _, node, _ in self.statements
            if isinstance(node, s.Relation)
            for o in occurrences(node.sides[0])
            if isinstance(node.sides[0], s.Symbol)
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
            *(_bound(node) for _, node, _ in self.statements), self.table.letters
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
        for _, node, _ in self.statements:
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
            if (key, step - 1) in others and not any(k[0] in WEIGHT_LETTERS for k, _ in others):
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
        word = "_".join(
            [base, *plain, *(["".join(c for c in labels if c.isalnum())] if labels else [])]
        )
        word = word.rstrip("_") + "_" * labels.count("'")
        word += "".join(f"_{a}" for a in arrows) + (
            f"_l{layer}" if layer.isdigit() else f"_{layer}" if layer else ""
        )
        word = "".join(c if c.isalnum() or c == "_" else "_" for c in word)
        if not word.isidentifier() or word in _RESERVED:
            word = f"v_{word}"
        taken = {e.name for e in self.table.entries.values()}
        found = word
        while found in taken:
            found += "_"
        return found

    # ---- equations -----------------------------------------------------------------------

    def _find_equations(self) -> None:
        for k, node, latex in self.statements:
            if isinstance(node, s.Relation) and node.ops[0] in ("=", ":="):
                found = self._equation(node, k, latex)
                if found is not None:
                    self.forward.append(found)
                    self.forward += self._argument(node, k, latex)

    def _argument(self, node: s.Relation, k: int, latex: str) -> list[Forward]:
        """The z = … that h = f(z) = f(…) says."""
        if len(node.sides) < 3 or node.ops[1] != "=":
            return []
        first, second = _call(node.sides[1]), _call(node.sides[2])
        if first is None or second is None or first[0] != second[0]:
            return []
        if not isinstance(first[1], s.Symbol):
            return []
        inner = replace(node, sides=(first[1], second[1]), ops=("=",))
        found = self._equation(inner, k, latex)
        return [found] if found is not None else []

    def _equation(self, node: s.Relation, k: int, latex: str) -> Forward | None:
        left, arguments = node.sides[0], False
        if isinstance(left, s.Times) and len(left.factors) == 2:
            bracket = left.factors[1][1]
            if isinstance(bracket, s.Bracket) and bracket.kind == "(" and left.factors[1][0] == "":
                left, arguments = left.factors[0][1], True
        if not isinstance(left, s.Symbol) or left.base in GRADIENT_LETTERS:
            return None
        spelled = spell(left)
        if spelled.transposed or spelled.inverse or spelled.star:
            return None
        right = node.sides[1]
        inside = list(nodes(right))
        if any(isinstance(x, s.Derivative | s.Differential | s.Dots) for x in inside):
            return None
        barred = any(is_barred(o.spelled, self.table) for side in node.sides[:2]
                     for o in occurrences(side))  # fmt: skip
        if barred or any(map(_is_backward, inside)):
            return None
        if _is_number(right) or (
            left.base not in LOSS_LETTERS and any(map(self._over_time, inside))
        ):
            return None
        found = self.table.find(spelled)
        if found is not None and found.time is not None and found.power is None:
            letter = found.time.letter
            if letter or not found.time.letters:
                key = next(key for key, e in self.table.entries.items() if e is found.entry)
                uses = (self.table.find(o.spelled) for o in occurrences(right))
                if any(x and x.entry is found.entry and x.time == found.time for x in uses):
                    return None  # h_t = W h_t: what is done to it afterwards
                return Forward(
                    key, found.time, found.components, right, latex, k, node.sides[2:], arguments
                )
            return None
        timed = any(self._timed(o) for o in occurrences(right))
        if (found is None and timed and not arguments) or (
            found is None and timed and left.base in LOSS_LETTERS
        ):
            counting = {*self.table.letters, "t", "k", "i", "j", "s", "n"}
            if any(x.index is not None and set(x.index.names) & counting for x in spelled.scripts):
                return None
            key = label_key(spelled)
            if left.base not in LOSS_LETTERS:  # z = W h_t + b: at step t, though nothing says so
                self._enter(key, "vector")
                self.table.timeless.add(self.table.entries[key].name)
            return Forward(key, None, (), right, latex, k, node.sides[2:], arguments)
        return None

    def _over_time(self, x: s.Node) -> bool:
        """Whether a sum or product runs over steps: a closed form, no equation of a network."""
        if not isinstance(x, s.Big) or not x.lower:
            return False
        index = x.lower[0].text.lstrip("\\")
        for o in occurrences(x.body):
            found = self.table.find(o.spelled, {index})
            if found is not None and found.time is not None and index in found.time.names:
                return True
        return False

    def _timed(self, o: Occurrence) -> bool:
        found = self.table.find(o.spelled)
        if found is None or found.entry.kind != "vector":
            return False
        return found.time is not None or found.entry.name in self.table.timeless

    # ---- functions, losses, parameters ---------------------------------------------------

    def _find_functions(self) -> None:
        for _, node, _ in self.statements:
            if isinstance(node, s.Relation) and len(node.sides) > 2:
                self._alias(node)
        for f in self.forward:
            for o in occurrences(f.right):
                if o.applied is None or self.table.find(o.spelled) is not None:
                    continue
                base = o.symbol.base
                several = (
                    len(o.applied.parts) > 1
                    and o.applied.separator == ","
                    and o.applied.kind == "("
                )
                labelled = any(x.where == "sub" and x.text.isalpha() for x in o.spelled.scripts)
                if base in CUSTOMARY and not several and not labelled:
                    continue
                if base in WEIGHT_LETTERS or not (
                    base in FUNCTION_LETTERS or several or o.symbol.font == "text"
                ):
                    continue
                if o.applied.kind == "{" and not several:
                    continue
                labels = "".join(x.text for x in o.spelled.scripts if x.where == "sub")
                name = self._function_name(base, labels)
                self.table.functions[f"{base}_{labels}" if labels else base] = name
                # f_θ, f_W: the label says what it depends on, so it is no elementwise function
                if several or any(c in labels for c in ("theta", "W", "Theta")):
                    self.table.functions[f"{name}()"] = name

    def _alias(self, node: s.Relation) -> None:
        """h = σ(z) = f(z): f is another name of σ."""
        calls = [_call(x) for x in node.sides[1:3]]
        if len(calls) != 2 or node.ops[1] != "=" or None in calls:
            return
        (first, inner), (second, other) = calls  # type: ignore[misc]
        if isinstance(inner, s.Symbol) and isinstance(other, s.Symbol) and first != second:
            known = CUSTOMARY.get(first) or self.table.functions.get(first)
            if known and _looks(inner) == _looks(other) and second not in self.table.functions:
                self.table.functions[second] = known

    def _function_name(self, base: str, labels: str) -> str:
        labels = "".join(c for c in labels if c.isalnum())
        name = f"{base}_{labels}" if labels else base
        taken = {e.name for e in self.table.entries.values()} | {"L"}
        reserved = name in _RESERVED and name not in UNKNOWN
        return f"{name}_fn" if name in taken or reserved else name

    def _find_losses(self) -> None:
        """The loss: what derivatives are taken of and no equation computes; or by its letter."""
        numerators: Counter[Key] = Counter()
        varied = self._varied()
        for _, node, _ in self.statements:
            for x in nodes(node):
                if isinstance(x, s.Derivative | s.Differential) and isinstance(
                    x.of, s.Symbol | s.Times
                ):
                    of = x.of.factors[0][1] if isinstance(x.of, s.Times) else x.of
                    if isinstance(of, s.Symbol):
                        found = self.table.find(spell(of))
                        plain = of.base, of.accents, ""
                        if (
                            plain not in varied
                            and (not of.accents or (of.accents == ("hat",) and of.base in "LEJ"))
                            and (found is None or of.base in LOSS_LETTERS)
                        ):
                            numerators[plain] += 1
        defined = {f.key for f in self.forward if f.key[0] not in LOSS_LETTERS}
        recurrent = self._states()
        for plain, _ in numerators.most_common():
            if plain in defined or plain in recurrent or plain[0] in self.table.functions:
                continue
            if plain[0] in CUSTOMARY or plain[0] in FUNCTION_WORDS:
                continue
            if plain[0] in LOSS_LETTERS or plain not in self.table.entries:
                self._loss(plain)
        for f in self.forward:
            if f.key[0] in SURE_LOSSES and f.key not in recurrent and f.key[1:] == ((), ""):
                self._loss(f.key)
        for k, entry in list(self.table.entries.items()):
            if (
                k[0] in ("L", "J", "E", "ell")
                and k not in recurrent
                and k not in defined
                and (entry.kind == "vector" and k[1:] == ((), ""))
            ):
                self._loss(k)

        for _, node, _ in self.statements:
            self._summed_loss(node)

    def _summed_loss(self, node: s.Node) -> None:
        """L = Σ_t l_t: what is summed up is the loss of a step."""
        if not isinstance(node, s.Relation) or len(node.sides) != 2:
            return
        left, right = node.sides
        if not isinstance(left, s.Symbol) or not isinstance(right, s.Big) or not right.lower:
            return
        whole, body = self.table.find(spell(left)), right.body
        if whole is None or whole.entry.name != "L" or whole.time is not None:
            return
        index = right.lower[0].text.lstrip("\\")
        part = self.table.find(spell(body), {index}) if isinstance(body, s.Symbol) else None
        if part is None or part.time != Index.of(index) or part.entry.kind != "vector":
            return
        key = next(key for key, e in self.table.entries.items() if e is part.entry)
        if key[0] in LOSS_LETTERS and key not in self._states():
            self._loss(key)

    def _varied(self) -> set[Key]:
        """What derivatives are taken by: no loss."""
        found: set[Key] = set()
        for _, node, _ in self.statements:
            for x in nodes(node):
                if isinstance(x, s.Derivative):
                    found |= {(y.base, y.accents, "") for y in x.by if isinstance(y, s.Symbol)}
        return found

    def _loss(self, key: Key) -> None:
        self.table.entries[key] = Entry("vector", "L")

    def _states(self) -> set[Key]:
        """What some equation uses at another time than its own."""
        found = set()
        for f in self.forward:
            for o in occurrences(f.right):
                known = self.table.find(o.spelled)
                if (
                    known is not None
                    and known.time is not None
                    and f.index is not None
                    and known.time != f.index
                ):
                    found.add(next(k for k, e in self.table.entries.items() if e is known.entry))
        return found

    def _find_parameters(self) -> None:
        for f in self.forward:
            bound = _bound(f.right) | {i.letter for i in f.components}
            for o in occurrences(f.right):
                known = self.table.find(o.spelled, bound)
                if (
                    known is not None
                    and known.power is not None
                    and not self._is_power(known.power)
                ):
                    known = None  # b^h beside b
                if known is not None or o.symbol.base in bound:
                    continue
                labels = "".join(x.text for x in o.spelled.scripts if x.where == "sub")
                base = o.symbol.base
                if base in self.table.functions or f"{base}_{labels}" in self.table.functions:
                    continue
                if (base in CUSTOMARY and not labels) or (
                    base in ("T", "t", self.main, "e") and not labels
                ):
                    continue
                if base in ("1", "0", "I"):
                    continue
                if base in ("x", "X") and label_key(o.spelled) == (base, (), ""):
                    self._enter((base, (), ""), "vector")  # an input whose step is left out
                    self.table.timeless.add(self.table.entries[base, (), ""].name)
                    continue
                entries = [
                    x for x in o.spelled.scripts if x.where == "sub" and _counts_entries(x, bound)
                ]
                kept = [x for x in o.spelled.scripts if x not in entries and not self._is_power(x)]
                self._enter(_key(o.spelled, kept), "parameter")

    def _find_lengths(self) -> None:
        """The letter that sums over steps end at, where that is not T."""
        last = re.search(_LAST, " ".join(r.latex for r in self.readings))
        if last is not None:
            self.table.lengths.add(next(x for x in last.groups() if x).lstrip("\\"))
            return
        sums = [x for _, node, _ in self.statements for x in nodes(node) if isinstance(x, s.Big)]
        used = {b.upper[0].text for b in sums if b.upper}
        if "T" in used or any(n == "T" for _, o in self.seen for x in o.spelled.scripts if x.index
                              for n in x.index.names):  # fmt: skip
            return
        bound = {x.lower[0].text.lstrip("\\") for _, node, _ in self.statements for x in nodes(node)
                 if isinstance(x, s.Big) and x.lower}  # fmt: skip
        names = {o.symbol.base for _, o in self.seen}
        for b in sums:  # Σ_{t=1}^S and Σ_{t=1}^{n_{seq}}, whatever that is
            over_time = bool(b.lower) and b.lower[0].text in (self.main, "t") and len(b.lower) > 1
            upper = read_index(b.upper) if over_time and b.upper else None
            if upper is None or not upper.letter or upper.constant:
                continue
            letter = upper.letter
            free = "_" in letter or (letter.isupper() and letter not in names)
            if free and letter not in {*bound, *self.table.letters}:
                self.table.lengths.add(letter)
                return
        for letter in ("n", "N", "m", "M", "tau", "L", "K"):
            if letter in {x.lstrip("\\") for x in used} - bound - {self.main}:
                self.table.lengths.add(letter)
                return

    @property
    def counted(self) -> str:
        """The length that the losses of the steps are summed up to, L = Σ_t L_t, if it is not T."""
        for _, node, _ in self.statements:
            if not isinstance(node, s.Relation) or not isinstance(node.sides[1], s.Big):
                continue
            big, left = node.sides[1], node.sides[0]
            if isinstance(left, s.Symbol) and isinstance(big.body, s.Symbol):
                upper = read_index(big.upper)
                one = left.base == big.body.base and left.base in LOSS_LETTERS
                if one and upper is not None and upper.letter.startswith("T_"):
                    return upper.letter
        return ""

    def _find_cases(self) -> None:
        """S_k and s_k are one, where no formula holds both: authors change their mind."""
        together: dict[Key, set[int]] = {}
        for k, o in self.seen:
            found = self.table.find(o.spelled)
            if found is not None:
                key = next(key for key, e in self.table.entries.items() if e is found.entry)
                together.setdefault(key, set()).add(k)
        for key in list(self.table.entries):
            entry, other = self.table.entries[key], (key[0].swapcase(), key[1], key[2])
            twin = self.table.entries.get(other)
            if len(key[0]) != 1 or twin is None or twin is entry or twin.kind != entry.kind:
                continue
            if "L" in (entry.name, twin.name):
                continue
            both = together.get(key, set()) & together.get(other, set())
            if both and not self._is_open(key, other):
                continue
            if entry.kind == "parameter" and not (key[2] and key[0] in "wW"):
                continue
            if entry.kind == "vector" and not self._may_be_one(key, other):
                continue
            self.table.entries[other] = entry

    def _may_be_one(self, key: Key, other: Key) -> bool:
        """Whether two vectors may be one: both are computed, or neither, or one is open."""
        defined = {f.key for f in self.forward}
        return (key in defined) == (other in defined) or self._is_open(key, other)

    def _is_open(self, key: Key, other: Key) -> bool:
        """Whether one of two is computed, and no equation uses the other, which is not."""
        defined = {f.key for f in self.forward}
        if (key in defined) == (other in defined):
            return False
        open_ = self.table.entries[other if key in defined else key]
        used = (self.table.find(o.spelled) for f in self.forward for o in occurrences(f.right))
        return not any(x is not None and x.entry is open_ for x in used)

    def _find_said(self) -> None:
        """δ^h_t = ∂L_t/∂h_t, wherever it stands: by what the derivative is that δ^h is."""
        for _, node, _ in self.statements:
            if not isinstance(node, s.Relation) or not is_name(node.sides[0], self.table):
                continue
            left, right = node.sides[0], node.sides[1]
            if isinstance(left, s.Symbol) and isinstance(right, s.Derivative):
                named = of_symbol(left, self.table)
                by = right.by[0] if len(right.by) == 1 else None
                found = self.table.find(spell(by)) if isinstance(by, s.Symbol) else None
                if found and found.entry.kind == "vector" and isinstance(named, terms.Adjoint):
                    self.table.said[named.label] = found.entry.name

    # ---- conventions ---------------------------------------------------------------------

    def _is_barred(self) -> bool:
        """Whether bars make gradients of names: they stand at the left of relations, over names
        that are computed, or weights, without any; and nothing else is computed of them."""
        twins: set[Any] = set()
        plain: set[Any] = set()
        for _, node, _ in self.statements:
            if not isinstance(node, s.Relation) or not isinstance(node.sides[0], s.Symbol):
                continue
            left = node.sides[0]
            inside = [o.symbol for side in node.sides[1:] for o in occurrences(side)]
            barred = [x for x in inside if x.accents[-1:] == (BAR,)]
            if left.accents[-1:] == (BAR,):
                twins.add((left.base, left.accents[:-1]))
            elif barred and left.base not in LOSS_LETTERS:
                return False
            else:
                plain |= {(x.base, x.accents) for x in (left, *inside)}
        return bool(twins) and len(twins & plain) > 1

    def _is_rows(self) -> bool:
        """Whether vectors stand before weights: x_t W instead of W x_t."""
        votes = 0
        for f in self.forward:
            for x in nodes(f.right):
                if isinstance(x, s.Times):
                    for (_, a), (op, b) in zip(x.factors, x.factors[1:], strict=False):
                        if op in ("⊙", "⊗", "/"):
                            continue
                        kinds = self._kind(a), self._kind(b)
                        if op == "*" and "parameter" not in kinds:
                            continue
                        votes += {("vector", "parameter"): 1, ("parameter", "vector"): -1}.get(
                            kinds, 0
                        )
        return votes > 0

    def _kind(self, node: s.Node) -> str:
        if isinstance(node, s.Bracket) and node.parts:
            return "vector" if all(self._kind(p) == "vector" for p in node.parts) else ""
        if isinstance(node, s.Symbol):
            found = self.table.find(spell(node))
            return found.entry.kind if found is not None else ""
        return ""

    def _is_scalar(self) -> bool:
        """Whether all weights of recurrences are small letters: a network of numbers."""
        kinds: dict[str, list[str]] = {}
        for k, e in self.table.entries.items():
            if e.kind == "parameter":
                kinds.setdefault(e.name, []).append(k[0])
        names = [min(letters, key=str.isupper) for letters in kinds.values()]
        states = [k for k in self._states()]
        if (
            not names
            or not states
            or self.table.functions.keys() & {f"{v}()" for v in self.table.functions.values()}
        ):
            return False
        greek = {"alpha", "beta", "gamma", "theta", "lambda", "mu", "omega"}
        small = all((len(n) == 1 and n.islower()) or n in greek for n in names)
        self.small = small
        bold = any(o.symbol.font in ("mathbf", "boldsymbol", "bm") for _, o in self.seen)
        turned = any(o.spelled.transposed for _, o in self.seen)
        return small and not bold and not turned


FUNCTION_WORDS = {"f", "g", "tanh", "phi", "psi", "softmax", "relu"}
_ENTRIES = {"i", "j", "k", "l", "m", "n"}
_RESERVED = {"T", "t", "L", "softmax", "detach", "tanh", "sigmoid", "relu", "exp", "log", "step",
             "softplus", "identity", "reciprocal", "g", "g_y", "g_1", "g_2", "in", "is", "if", "or",
             "as", "and", "not", "for", "lambda"}  # fmt: skip


#: Σ_{t=0}^{T-1}
_FROM_ZERO = r"=\s*0\s*\}\s*\^\s*\{?\s*(?:T|N|n|\\tau)\s*-\s*1"
#: x^{(1)}, …, x^{(τ)} and t = 1, …, N: what the last step of a sequence is called
_OPEN, _SHUT = r"\s*\{?\s*(?:\(|\\langle|<)?\s*", r"\s*(?:\)|\\rangle|>|\})"
_DOTS = r"\\[lc]?dots\s*,"
_LAST = re.compile(
    rf"=\s*1\s*,\s*{_DOTS}\s*(\\tau|[NMnm])\b"
    rf"|[\^_]{_OPEN}1{_SHUT}*\s*,[^=&]{{0,60}}{_DOTS}[^=&,]{{0,40}}[\^_]{_OPEN}(\\tau|[NMnm]){_SHUT}"
)


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
    return _key(spelled, kept), numbers[0].index.constant


def _is_backward(x: s.Node) -> bool:
    """Whether something is a gradient by its looks: dh_t, δ_t."""
    if isinstance(x, s.Symbol):
        return x.base == "delta"
    if not isinstance(x, s.Times):
        return False
    for (_, a), (op, b) in zip(x.factors, x.factors[1:], strict=False):
        mark = isinstance(a, s.Symbol) and a.base == "d" and not a.sub and not a.sup
        if mark and not op and isinstance(b, s.Symbol):
            return True
    return False


def _is_entry(script: Script) -> bool:
    """Whether a script may count entries: one small letter below."""
    if script.where != "sub" or script.style != "plain" or script.index is None:
        return False
    return bool(script.index.names) and set(script.index.names) <= _ENTRIES


def _call(node: s.Node) -> tuple[str, s.Node] | None:
    """The function and the argument of f(…); None for anything else."""
    if isinstance(node, s.Call) and not node.primes:
        inner, name = node.argument, node.function
    elif isinstance(node, s.Times) and len(node.factors) == 2:
        (_, head), (op, inner) = node.factors
        if op or not isinstance(head, s.Symbol) or head.sub or head.sup:
            return None
        name = head.base
    else:
        return None
    if isinstance(inner, s.Bracket) and len(inner.parts) == 1:
        inner = inner.parts[0]
    return name, inner


def _looks(symbol: s.Symbol) -> Any:
    """How a symbol is written, wherever it stands."""
    spelled = spell(symbol)
    return spelled.base, spelled.accents, [(x.where, x.style, x.text) for x in spelled.scripts]


def _is_number(node: s.Node) -> bool:
    """0, 1, a vector of zeros: a value that is supposed, not computed."""
    if isinstance(node, s.Add) and len(node.terms) == 1:
        return _is_number(node.terms[0][1])
    return isinstance(node, s.Number) or (isinstance(node, s.Symbol) and node.base in ("0", "1"))


def _style(script: Script) -> str:
    return script.where if script.style == "plain" else script.style


def _key(spelled: Spelled, kept: Iterable[Script]) -> Key:
    labels = "".join(f"[{x.text}]" if x.style == "square" else x.text for x in kept)
    return spelled.base, spelled.accents, labels + "'" * spelled.primes


def _bound(node: s.Node) -> set[str]:
    """Index letters that sums inside of a node bind."""
    found = set()
    for x in nodes(node):
        if isinstance(x, s.Big) and x.lower:
            found.add(x.lower[0].text.lstrip("\\"))
    return found


def _counts_entries(script: Script, bound: set[str]) -> bool:
    if script.index is not None:
        return bool(script.index.names) and set(script.index.names) <= bound
    return (
        len(script.text) == 2
        and bool(set(script.text) & bound)
        and set(script.text) <= bound | _ENTRIES
    )
