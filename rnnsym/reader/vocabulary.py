"""What the symbols of a document stand for, found in its own equations.

Between the reader and networks. A recurrence shows which index is the time and which letters have
a value at each step; what is applied to brackets is a function; what is left in forward equations
is a parameter. `network` makes a network of it, `rnnsym.audit` judges a document with it.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import Any

from rnnsym.reader import syntax as s
from rnnsym.reader import terms
from rnnsym.reader.equations import Equations
from rnnsym.reader.gradients import BAR, is_name, of_symbol
from rnnsym.reader.indices import Index, read_index
from rnnsym.reader.meanings import CUSTOMARY
from rnnsym.reader.occurring import (
    LOSS_LETTERS,
    SURE_LOSSES,
    nodes,
    occurrences,
)
from rnnsym.reader.symbols import spell
from rnnsym.reader.table import Entry, Key

FUNCTION_WORDS = {"f", "g", "tanh", "phi", "psi", "softmax", "relu"}
#: Σ_{t=0}^{T-1}
_FROM_ZERO = r"=\s*0\s*\}\s*\^\s*\{?\s*(?:T|N|n|\\tau)\s*-\s*1"
#: x^{(1)}, …, x^{(τ)} and t = 1, …, N: what the last step of a sequence is called
_OPEN, _SHUT = r"\s*\{?\s*(?:\(|\\langle|<)?\s*", r"\s*(?:\)|\\rangle|>|\})"
_DOTS = r"\\[lc]?dots\s*,"
_LAST = re.compile(
    rf"=\s*1\s*,\s*{_DOTS}\s*(\\tau|[NMnm])\b"
    rf"|[\^_]{_OPEN}1{_SHUT}*\s*,[^=&]{{0,60}}{_DOTS}[^=&,]{{0,40}}[\^_]{_OPEN}(\\tau|[NMnm]){_SHUT}"
)


class Vocabulary(Equations):
    """The vocabulary of formulas, in their order; prose: the text around them, for what is said
    in words (which loss, what σ is)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.table.naming = self.naming
        if not self.naming.bars and self._is_barred():
            self.table.naming = replace(self.naming, bars=True)
        self._find_times()
        self._find_lengths()
        self._find_vectors()
        self._find_equations()
        self._find_functions()
        self.table.functions.update(self.naming.functions)
        self._find_told()
        self._find_losses()
        self._find_parameters()
        self._find_given()
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

    # ---- losses and lengths --------------------------------------------------------------

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
        defined |= {(x, (), "") for x in LOSS_LETTERS if self._is_jacobian(x)}
        recurrent = self.states()
        proper = any(p[0] in LOSS_LETTERS for p in numerators.keys() - defined - recurrent)
        for plain, _ in numerators.most_common():
            if plain in defined or plain in recurrent or plain[0] in self.table.functions:
                continue
            if plain[0] in CUSTOMARY or plain[0] in FUNCTION_WORDS:
                continue
            # beside ∂L/∂h, a function of which there is a derivative is no loss
            if plain[0] in LOSS_LETTERS or (not proper and plain not in self.table.entries):
                self._loss(plain)
        for f in self.forward:
            sure = f.key[0] in SURE_LOSSES and f.key not in recurrent | defined
            if sure and f.key[1:] == ((), ""):
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

    def _is_jacobian(self, base: str) -> bool:
        """Whether a letter of losses is a matrix: J is transposed, or ∂h/∂h; any is made of
        diag(…)."""
        if base == "J" and any(
            o.spelled.base == base and o.spelled.transposed for _, o in self.seen
        ):
            return True
        for _, node, _ in self.statements:
            left = node.sides[0] if isinstance(node, s.Relation) else None
            if isinstance(left, s.Symbol) and left.base == base and isinstance(node, s.Relation):
                inside = [x for side in node.sides[1:] for x in nodes(side)]
                of = [x.of for x in inside if isinstance(x, s.Derivative)]
                of_states = any(isinstance(x, s.Symbol) and x.base not in LOSS_LETTERS for x in of)
                if base == "J" and of_states:
                    return True
                if any(isinstance(x, s.Call) and x.function == "diag" for x in inside):
                    return True
        return False

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
        if key[0] in LOSS_LETTERS and key not in self.states():
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
        states = [k for k in self.states()]
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
