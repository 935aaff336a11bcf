"""Equations that may be a network's, and the functions and parameters in them.

Second part of `vocabulary`: what is applied to brackets is a function; what is left in forward
equations is a parameter.
"""

from __future__ import annotations

from dataclasses import replace

from rnnsym.functions import KNOWN, UNKNOWN
from rnnsym.reader import syntax as s
from rnnsym.reader.elementwise import function_of, looks
from rnnsym.reader.gradients import is_barred
from rnnsym.reader.indices import Index
from rnnsym.reader.meanings import CUSTOMARY
from rnnsym.reader.occurring import (
    COPIED_LETTERS,
    ENTRY_LETTERS,
    FUNCTION_LETTERS,
    GRADIENT_LETTERS,
    LOSS_LETTERS,
    RESERVED,
    WEIGHT_LETTERS,
    Forward,
    Occurrence,
    bound_letters,
    key_of_kept,
    nodes,
    occurrences,
)
from rnnsym.reader.symbols import Script, spell
from rnnsym.reader.table import BARE, Key
from rnnsym.reader.table import key as label_key
from rnnsym.reader.times import Times

#: labels of functions that are parameters of theirs: f_θ
PARAMETERS = ("theta", "Theta", "phi", "psi", "omega", "W", "w")


class Equations(Times):
    """The vocabulary with the forward equations."""

    def _find_equations(self) -> None:
        self.derived = self._find_derived()
        for k, node, latex in self.statements:
            if isinstance(node, s.Relation) and node.ops[0] in ("=", ":="):
                found = self._equation(node, k, latex)
                if found is not None:
                    self.forward.append(found)
                    self.forward += self._argument(node, k, latex)
        given = {f.key for f in self.forward}
        for k, node, latex in self.statements:
            now = self._at_this_step(node, k, latex) if isinstance(node, s.Relation) else None
            if now is not None and now.key not in given:
                self.forward.append(now)

    def _find_derived(self) -> dict[str, int]:
        """Names that some formula gives to a derivative of a loss, g_t = ∂L/∂h_t: the first one."""
        found: dict[str, int] = {}
        for k, node, _ in self.statements:
            if not isinstance(node, s.Relation) or len(node.sides) < 2:
                continue
            left, right = node.sides[:2]
            derivative = s.Derivative | s.Differential
            if not isinstance(left, s.Symbol) or not isinstance(right, derivative):
                continue
            loss = isinstance(right.of, s.Symbol) and right.of.base in LOSS_LETTERS
            named = self.table.find(spell(left))
            if loss and named is not None:
                found.setdefault(named.entry.name, k)
        return found

    def _at_this_step(self, node: s.Relation, k: int, latex: str) -> Forward | None:
        """h = x U + s_{t-1} W, s = tanh(h): an equation for one step, where the time of that step
        is left out of what carries it elsewhere."""
        left, right = node.sides[0], node.sides[1]
        if node.ops[0] != "=" or not isinstance(left, s.Symbol) or left.sub or left.sup:
            return None
        found = self.table.find(spell(left))
        plain = s.Symbol | s.Call | s.Times | s.Add | s.Bracket | s.Number
        if found is None or found.entry.kind != "vector" or left.base in LOSS_LETTERS:
            return None
        if isinstance(right, s.Symbol | s.Number) or not all(
            isinstance(x, plain) for x in nodes(right)
        ):
            return None
        used = [self.table.find(o.spelled) for o in occurrences(right)]
        vectors = [x for x in used if x is not None and x.entry.kind == "vector"]
        now = Index.of(self.main)
        if not vectors or any(
            (x.entry is found.entry and x.time in (None, now))
            or x.time not in (None, now, now.plus(Index(1), -1))
            for x in vectors
        ):
            return None
        key = next(key for key, e in self.table.entries.items() if e is found.entry)
        return Forward(key, None, (), right, latex, k, node.sides[2:])

    def _argument(self, node: s.Relation, k: int, latex: str) -> list[Forward]:
        """The z = … that h = f(z) = f(…) says."""
        if len(node.sides) < 3 or node.ops[1] != "=":
            return []
        first, second = call_of(node.sides[1]), call_of(node.sides[2])
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
        if not isinstance(left, s.Symbol):
            return None
        if left.base in GRADIENT_LETTERS or left.base in self.naming.letters:
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
        if self._is_of_gradients(right, k):
            if found is not None:  # γ_t = g_t ⊙ (1 - h_t²), where g_t = ∂L/∂h_t, is one, too
                self.derived.setdefault(found.entry.name, k)
            return None
        if found is not None and found.time is not None and found.power is None:
            letter = found.time.letter
            if letter or not found.time.letters:
                key = next(key for key, e in self.table.entries.items() if e is found.entry)
                uses = (self.table.find(o.spelled) for o in occurrences(right))
                if any(x and x.entry is found.entry and x.time == found.time for x in uses):
                    return None  # h_t = W h_t: what is done to it afterwards
                if self.derived.get(found.entry.name, k) < k:
                    return None  # a recursion of a gradient
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
            if left.start > right.start:
                return None  # A = B =: e only gives a name
            key = label_key(spelled)
            if left.base not in LOSS_LETTERS:  # z = W h_t + b: at step t, though nothing says so
                self._enter(key, "vector")
                self.table.timeless.add(self.table.entries[key].name)
            return Forward(key, None, (), right, latex, k, node.sides[2:], arguments)
        return None

    def _is_of_gradients(self, node: s.Node, k: int) -> bool:
        """Whether some formula so far has given the name of a derivative to what stands here."""
        found = (self.table.find(o.spelled) for o in occurrences(node))
        return any(x is not None and self.derived.get(x.entry.name, k + 1) <= k for x in found)

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

    def states(self) -> set[Key]:
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

    def _find_functions(self) -> None:
        for _, node, _ in self.statements:
            if isinstance(node, s.Relation) and len(node.sides) > 2:
                self._alias(node)
        uses: dict[str, set[bool]] = {}
        given = self._given_functions()
        for f in self.forward:
            for o in occurrences(f.right):
                if o.applied is None or self.table.find(o.spelled) is not None:
                    continue
                base = o.symbol.base
                several = (
                    len(o.applied.parts) > 1
                    and o.applied.separator in (",", ";")
                    and o.applied.kind == "("
                )
                labelled = any(x.where == "sub" and x.text.isalpha() for x in o.spelled.scripts)
                if base in CUSTOMARY and not several and not labelled:
                    continue
                theta = base == "theta" and f.right is self._call_of(o, f)
                text = o.symbol.font == "text"
                if (base in WEIGHT_LETTERS and not theta) or not (
                    base in FUNCTION_LETTERS or several or theta or text or base in given
                ):
                    continue
                if o.applied.kind == "{" and not several:
                    continue
                labels = "".join(x.text for x in o.spelled.scripts if x.where == "sub")
                name = self._function_name(base, labels)
                self.table.functions[f"{base}_{labels}" if labels else base] = name
                # f_θ, f_W: the label says what it depends on, so it is no elementwise function
                if any(c in labels for c in ("theta", "W", "Theta")):
                    self.table.functions[f"{name}()"] = name
                    if labels.lstrip("\\") in PARAMETERS:
                        self._enter((labels.lstrip("\\"), (), ""), "parameter")
                uses.setdefault(name, set()).add(several)
        for name, ways in uses.items():
            if ways == {True, False}:  # f(W h + U x), and f(h, x) elsewhere: two functions
                self.table.functions[f"{name},"] = f"{name}_of"
                self.table.functions[f"{name}_of()"] = f"{name}_of"
            elif ways == {True}:
                self.table.functions[f"{name}()"] = name

    def _given_functions(self) -> set[str]:
        """The letters that are said to be a function, ζ(a) = log(1 + e^a), or that have a prime."""
        found = {o.symbol.base for _, o in self.seen if o.symbol.primes and o.applied is not None}
        for _, node, _ in self.statements:
            if not isinstance(node, s.Relation):
                continue
            head = call_of(node.sides[0], True)
            if head is None or not isinstance(head[1], s.Symbol):
                continue
            variable = head[1].base
            inside = {o.symbol.base for o in occurrences(node.sides[1])}
            if variable not in {*self.table.letters, "t", "T"} and variable in inside:
                found.add(head[0])
        return found

    def _find_told(self) -> None:
        """φ(x) = x, σ_h(z) = tanh(z): what functions of which nothing else is known are from some
        formula on."""
        for k, node, _ in self.statements:
            if not isinstance(node, s.Relation) or len(node.sides) != 2 or node.ops != ("=",):
                continue
            head, right = call_of(node.sides[0], True), node.sides[1]
            if head is None or not isinstance(head[1], s.Symbol):
                continue
            name = self.table.functions.get(head[0])
            known = function_of(right, head[1])
            if name is not None and known is not None and name not in KNOWN:
                self.told[name] = k, known

    def _call_of(self, o: Occurrence, f: Forward) -> s.Node | None:
        """The right side of an equation, if it is a symbol applied to a vector and nothing else."""
        right = f.right
        if not isinstance(right, s.Times) or len(right.factors) != 2 or o.applied is None:
            return None
        whole = right.factors[0][1] is o.symbol and right.factors[1][1] is o.applied
        inner = o.applied.parts[0] if len(o.applied.parts) == 1 else None
        found = self.table.find(spell(inner)) if isinstance(inner, s.Symbol) else None
        vector = found is not None and found.entry.kind == "vector"
        return right if whole and vector else None

    def _alias(self, node: s.Relation) -> None:
        """h = σ(z) = f(z): f is another name of σ."""
        calls = [call_of(x) for x in node.sides[1:3]]
        if len(calls) != 2 or node.ops[1] != "=" or None in calls:
            return
        (first, inner), (second, other) = calls  # type: ignore[misc]
        if isinstance(inner, s.Symbol) and isinstance(other, s.Symbol) and first != second:
            known = CUSTOMARY.get(first) or self.table.functions.get(first)
            if known and looks(inner) == looks(other) and second not in self.table.functions:
                self.table.functions[second] = known

    def _function_name(self, base: str, labels: str) -> str:
        labels = "".join(c for c in labels if c.isalnum())
        name = f"{base}_{labels}" if labels else base
        taken = {e.name for e in self.table.entries.values()} | {"L"}
        reserved = name in RESERVED and name not in UNKNOWN
        return f"{name}_fn" if name in taken or reserved else name

    def _find_given(self) -> None:
        """The parameters that functions are given in equations, as θ of f(h, x; θ)."""
        for f in self.forward:
            for o in occurrences(f.right):
                labels = "".join(x.text for x in o.spelled.scripts if x.where == "sub")
                name = f"{o.symbol.base}_{labels}" if labels else o.symbol.base
                function = self.table.functions.get(name)
                if o.applied is None or function is None:
                    continue
                found = [
                    self.table.find(spell(x)) for x in o.applied.parts if isinstance(x, s.Symbol)
                ]
                names = [x.entry.name for x in found if x and x.entry.kind == "parameter"]
                if names:
                    self.table.given[function] = tuple(names)

    def _find_biases(self) -> None:
        """The c of o_t = V h_t + c, where c_t is something else: the cell of an LSTM."""
        for f in self.forward:
            terms = [x for _, x in f.right.terms] if isinstance(f.right, s.Add) else []
            read = [self.table.find(o.spelled) for o in occurrences(f.right)]
            if not any(x and x.entry.kind == "vector" and x.time is not None for x in read):
                continue
            for term in terms:
                if not isinstance(term, s.Symbol) or term.sub or term.sup or term.base not in "bcd":
                    continue
                found = self.table.find(spell(term))
                known = found is not None and found.entry.kind == "vector"
                if found is None or not known or found.entry.name in self.table.timeless:
                    continue
                bare = term.base, term.accents, BARE
                self._enter(bare, "parameter", f"{found.entry.name}_bias")

    def _find_parameters(self) -> None:
        self._find_biases()
        derived = (
            x for _, node, _ in self.statements for x in nodes(node) if isinstance(x, s.Derivative)
        )
        if any(
            isinstance(y, s.Symbol) and y.base == "I" and not y.sub for x in derived for y in x.by
        ):
            self._enter(("I", (), ""), "parameter")  # ∂L/∂I: no identity, but a weight
        for f in self.forward:
            bound = bound_letters(f.right) | {i.letter for i in f.components}
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
                key = label_key(o.spelled)
                # an input, or the argument of f_t = σ(a_f), whose step is left out
                if (base in ("x", "X") and key == (base, (), "")) or _is_argument(o, f):
                    self._enter(key, "vector")
                    self.table.timeless.add(self.table.entries[key].name)
                    continue
                entries = [
                    x for x in o.spelled.scripts if x.where == "sub" and _counts_entries(x, bound)
                ]
                kept = [x for x in o.spelled.scripts if x not in entries and not self._is_power(x)]
                self._enter(key_of_kept(o.spelled, kept), "parameter")


def _is_argument(o: Occurrence, f: Forward) -> bool:
    """Whether a symbol is all that the function of an equation is taken of."""
    call = call_of(f.right)
    small = o.symbol.base[:1].islower() and o.symbol.base not in COPIED_LETTERS
    return call is not None and call[1] is o.symbol and small and f.index is not None


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


def call_of(node: s.Node, labelled: bool = False) -> tuple[str, s.Node] | None:
    """The function and the argument of f(…); None for anything else.

    labelled: f may have a label, as σ_h has.
    """
    if isinstance(node, s.Call) and not node.primes:
        inner, name = node.argument, node.function
    elif isinstance(node, s.Times) and len(node.factors) == 2:
        (_, head), (op, inner) = node.factors
        if op or not isinstance(head, s.Symbol) or head.sup or (head.sub and not labelled):
            return None
        labels = "".join(x.text for x in spell(head).scripts if x.where == "sub")
        name = f"{head.base}_{labels}" if labels else head.base
    else:
        return None
    if isinstance(inner, s.Bracket) and len(inner.parts) == 1:
        inner = inner.parts[0]
    return name, inner


def _is_number(node: s.Node) -> bool:
    """0, 1, a vector of zeros: a value that is supposed, not computed."""
    if isinstance(node, s.Add) and len(node.terms) == 1:
        return _is_number(node.terms[0][1])
    if isinstance(node, s.Add | s.Times | s.Call) and all(o.applied for o in occurrences(node)):
        return True  # σ(0.1 · 2), a worked example
    return isinstance(node, s.Number) or (isinstance(node, s.Symbol) and node.base in ("0", "1"))


def _counts_entries(script: Script, bound: set[str]) -> bool:
    if script.index is not None:
        return bool(script.index.names) and set(script.index.names) <= bound
    return (
        len(script.text) == 2
        and bool(set(script.text) & bound)
        and set(script.text) <= bound | ENTRY_LETTERS
    )
