"""Symbols by themselves: quantities, index letters, constants, functions by their name alone.

Part of the resolver, the first of `meanings`, `brackets`, `derivatives`, `resolve`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from typing import Any

from rnnsym.errors import InputError
from rnnsym.reader import gradients, limits
from rnnsym.reader import syntax as s
from rnnsym.reader import terms as u
from rnnsym.reader.cursor import split
from rnnsym.reader.indices import Index, read_index
from rnnsym.reader.parser import Parser
from rnnsym.reader.symbols import Script, Spelled, spell
from rnnsym.reader.table import Found, Table
from rnnsym.reader.tokens import Token, fail, printable

ELEMENTWISE = {
    "tanh", "sigmoid", "relu", "exp", "log", "softplus", "sech", "cosh", "sinh", "coth", "sign",
    "step", "identity", "sqrt", "sin", "cos",
}  # fmt: skip
WHOLE = {"softmax", "diag", "vec", "trace", "max", "min", "total", "chain", "logsoftmax", "detach",
         "det", "abs", "norm", "radius", "concat", "transpose", "crossentropy"}  # fmt: skip
#: letters that stand for a function wherever they are applied
CUSTOMARY = {"sigma": "sigmoid"}


class UnknownSymbolError(InputError):
    """A symbol that nothing defines."""

    def __init__(self, symbol: str, position: int) -> None:
        super().__init__(f"what is {printable(symbol)}?")
        self.symbol, self.position = symbol, position


class Meanings:
    """Resolves the statements of one formula with one table."""

    def __init__(self, table: Table, latex: str = "") -> None:
        self.table, self.latex = table, latex
        self.scope: tuple[str, ...] = ()

    def __call__(self, node: s.Node) -> u.Term:
        """The term of a node. Raises UnreadableError or UnknownSymbolError."""
        method = getattr(self, f"_{type(node).__name__.lower().strip('_')}", None)
        if method is None:
            fail("this is not understood here", node.start)
        term: u.Term = method(node)
        if term.start == term.end == 0:
            return replace(term, start=node.start, end=node.end)
        return term

    @contextmanager
    def bound(self, name: str) -> Any:
        """An index letter that is bound in what is read inside."""
        self.scope, before = (*self.scope, name), self.scope
        try:
            yield
        finally:
            self.scope = before

    def source(self, node: s.Node) -> str:
        return self.latex[node.start : node.end].strip() or "this symbol"

    def _number(self, node: s.Number) -> u.Term:
        if node.value > 10**12 or node.value.denominator > 10**12:
            fail("too large: a number beyond 10¹²", node.start)
        return u.Num(node.value)

    def _empty(self, node: s.Empty) -> u.Term:
        fail("something is missing here", node.start)

    def _dots(self, node: s.Dots) -> u.Term:
        fail("… stands for what the neighbours do not determine: can't tell", node.start)

    def _words(self, node: s.Words) -> u.Term:
        word = "".join(node.text.split())
        return self._symbol(s.Symbol(word, "text", start=node.start, end=node.end))

    def _symbol(self, node: s.Symbol) -> u.Term:
        spelled = spell(node)
        special = self._special(node, spelled)
        if special is not None:
            return special
        found = self.table.find(spelled, self.scope)
        if found is None:
            index = self._index_of(node)
            if index is not None:
                return u.Whole(index)
            bare = self._bare_function(node, spelled)
            if bare is not None:
                return bare
            constant = self._constant(node, spelled) or self._everything(node, spelled)
            if constant is not None:
                return constant
            custom = self._customary(node, spelled)
            if custom is not None:
                return custom
            found = gradients.moved(spelled, self.table, self.scope)
            if found is not None:
                return self._raise(self._leaf(node, found), found.power, spelled, node)
            raise UnknownSymbolError(self.source(node), node.start)
        return self._raise(self._leaf(node, found), found.power, spelled, node)

    def _special(self, node: s.Symbol, spelled: Spelled) -> u.Term | None:
        """A bound index by itself; e to some power; the indicator of a class."""
        if not spelled.scripts and not spelled.accents and node.base in self.scope:
            return u.Whole(Index.of(node.base))
        if node.base == "e" and node.sup and ("e", (), "") not in self.table.entries:
            return u.Apply("exp", 0, self._script_expression(node.sup, node.start))
        if node.base in ("1", "I") and len(node.sub) > 2 and not node.sup:
            return self._indicator(node)
        return None

    def _customary(self, node: s.Symbol, spelled: Spelled) -> u.Term | None:
        """What a symbol that nothing defines is by custom: a gradient, or Kronecker's delta."""
        named = gradients.of_symbol(node, self.table, self.scope)
        return named if named is not None else self._kronecker(node, spelled)

    def _kronecker(self, node: s.Symbol, spelled: Spelled) -> u.Term | None:
        """δ_{ij}: one where the indices are the same, else zero."""
        if node.base != "delta" or node.sup or spelled.accents:
            return None
        letters = [x.text for x in node.sub if x.text not in "{},"]
        if len(letters) != 2 or not all(x.isalpha() and x in "ijklmnpqrs" for x in letters):
            return None
        same = u.Claim(tuple(u.Whole(Index.of(x)) for x in letters), ("=",))
        return u.Choice(((u.Num(Fraction(1)), same), (u.Num(Fraction(0)), None)))

    def _indicator(self, node: s.Symbol) -> u.Term | None:
        """1_{i, y} and 1_{i = y}, which is entry i of the target where that is written as the
        vector that has a one at its class, and 1_{y_t}, which is that vector; None for anything
        else."""
        mark = next((x for x in (",", "=") if any(y.text == x for y in node.sub)), None)
        parts = split(node.sub, mark) if mark else []
        if not mark:
            whole = Parser(node.sub).whole()
            found = self.table.find(spell(whole)) if isinstance(whole, s.Symbol) else None
            return self(whole) if found is not None and found.entry.kind == "vector" else None
        if len(parts) != 2:
            return None
        for index, target in (parts, parts[::-1]):
            at = read_index(index)
            if at is None or not at.letter or at.constant:
                continue
            whole = Parser(target).whole()
            found = self.table.find(spell(whole)) if isinstance(whole, s.Symbol) else None
            if found is not None and found.entry.kind == "vector":
                return u.Component(self(whole), (at,))
        return None

    def _index_of(self, node: s.Symbol) -> Index | None:
        """A letter that is a whole number: an index, or the length of the sequence."""
        if node.accents or node.primes or node.font not in ("", "rm"):
            return None
        name = node.base
        if node.sub:
            name += "_" + "".join(x.text for x in node.sub if x.text not in "{}")
        if node.sup:
            return None
        known = {*self.scope, *self.table.letters, *self.table.lengths, "T", "t", "tau"}
        return Index.of(name) if name in known or name.startswith("T_") else None

    def _constant(self, node: s.Symbol, spelled: Spelled) -> u.Term | None:
        plain = {"1": "one", "0": "zero", "I": "identity", "Id": "identity", "infty": "infinity"}
        if (
            node.base in plain
            and not spelled.accents
            and all(x.style == "plain" for x in spelled.scripts)
        ):  # I_n too
            constant: u.Term = u.Constant(plain[node.base])
            return u.Transposed(constant) if spelled.transposed % 2 else constant
        return None

    def _everything(self, node: s.Symbol, spelled: Spelled) -> u.Term | None:
        """θ, where nothing else is said: all parameters, one below the other."""
        if node.base not in ("theta", "Theta") or spelled.scripts or spelled.accents:
            return None
        names = dict.fromkeys(e.name for e in self.table.entries.values() if e.kind == "parameter")
        if not names:
            return None
        return u.Concat(tuple(u.Named("vec", (u.Leaf(n, None),)) for n in names))

    def _bare_function(self, node: s.Symbol, spelled: Spelled) -> u.Term | None:
        """A function by its name alone, as in σ′ = σ (1 - σ)."""
        function = self._function(spelled)
        if function is None or (
            function in self.table.functions.values()
            and (
                function not in ELEMENTWISE
                and function not in CUSTOMARY.values()
                and not spelled.primes
                and not self._is_elementwise(function)
            )
        ):
            return None
        applied: u.Term = u.Apply(function, spelled.primes, u.Free("·"))
        for script in spelled.scripts:
            if script.where == "sup":
                applied = self._power(applied, script, node)
        return applied

    def _is_elementwise(self, function: str) -> bool:
        return function in ELEMENTWISE or function.startswith("g")

    def _function(self, spelled: Spelled) -> str | None:
        """The function that a symbol names, if it does."""
        labels = "".join(x.text for x in spelled.scripts if x.where == "sub")
        for name in (f"{spelled.base}_{labels}" if labels else spelled.base, spelled.base):
            if name in self.table.functions:
                return self.table.functions[name]
        if (spelled.base, spelled.accents, labels) in self.table.entries:
            return None
        return CUSTOMARY.get(spelled.base) if not spelled.accents else None

    def _leaf(self, node: s.Symbol, found: Found) -> u.Term:
        name, kind, time = found.entry.name, found.entry.kind, found.time
        term: u.Term
        if kind == "vector":
            if name == "L" and time is None:
                term = u.Loss()
            else:
                now = Index.of("T" if name in self.table.final else "t")
                implied = time is None and name not in self.table.timeless
                term = u.Leaf(name, time if time is not None else now, implied)
        elif kind == "parameter":
            term = u.Leaf(name, time)
        elif kind == "gradient":
            time = time if time is not None else Index.of("t")
            term = u.Derivative(u.Loss(), (u.Leaf(name, time),), "δ")
        elif kind == "definition":
            known = self.table.definitions[name]
            default = (Index.of("t"),) if known.indexed else ()
            term = u.Defined(name, (time,) if time is not None else default)
        elif kind == "length":
            term = u.Whole(Index.of(name))
        elif kind == "loss":
            term = u.Loss()
        elif kind == "free":
            term = u.Free(name)
        else:
            fail(f"{self.source(node)} is a {kind}, which has no value by itself", node.start)
        if found.components:
            term = u.Component(term, found.components)
        return replace(term, start=node.start, end=node.end)

    def _raise(self, term: u.Term, power: Script | None, spelled: Spelled, node: s.Node) -> u.Term:
        """A leaf with its power, inverse and transposes."""
        if power is not None:
            term = self._power(term, power, node)
        if spelled.inverse:
            term = u.Power(term, Index(-1))
        if spelled.transposed % 2:
            term = u.Transposed(term)
        return replace(term, start=node.start, end=node.end)

    def _power(self, term: u.Term, script: Script, node: s.Node) -> u.Term:
        if script.index is not None:
            limits.check_exponent(script.index, node.start)
            return u.Power(term, script.index)
        return u.Raised(term, self._script_expression(script.tokens, node.start))

    def _script_expression(self, found: Sequence[Token], start: int) -> u.Term:
        return self(Parser(found).whole())
