"""Derivatives: of what, by what, and whether an argument of a function is varied alone.

Part of the resolver, between `brackets` and `resolve`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from rnnsym.reader import syntax as s
from rnnsym.reader import terms as u
from rnnsym.reader.brackets import Brackets
from rnnsym.reader.gradients import PARTS, of_part
from rnnsym.reader.indices import Index, read_index
from rnnsym.reader.meanings import UnknownSymbolError
from rnnsym.reader.occurring import LOSS_LETTERS
from rnnsym.reader.parser import Parser
from rnnsym.reader.symbols import spell
from rnnsym.reader.table import INDICES
from rnnsym.reader.tokens import UnreadableError, fail


class Derivatives(Brackets):
    """Resolves derivatives."""

    def _derivative(self, node: s.Derivative) -> u.Term:
        if node.of is None:
            fail("a derivative of what?", node.start)
        return self.derived(node.of, node.by, node.plus, node)

    def derived(
        self, of: s.Node, by: Sequence[s.Node], plus: bool, node: s.Derivative | s.Differential
    ) -> u.Term:
        bare = self._unprimed(of)
        if bare is not None:  # ∂h′_t/∂W: of h as an equation, with what it reads held
            of, plus = bare, True
        part = self._part(of, by, node)
        if part is not None:
            return part
        value = self._value_at(node)
        weights = all(map(self._is_weight, by))
        # |_{h_{t-1}} and |_{fixed}: what else there is, is held
        if isinstance(node, s.Derivative) and (plus or (value is not None and weights)):
            node, plus = replace(node, step=()), True
        elif value is not None:
            return self._derived_at(of, value, node)
        inner = self(of)
        step = self._step(node)
        varied = [pair for x in by for pair in self._all_varied(inner, x)]
        if len(varied) == 1:  # dσ/dx is dσ(x)/dx
            inner = u.exchange(inner, u.Free("·"), varied[0][0])
        kind = "∂⁺" if plus or any(slot for _, slot in varied) else "∂"
        divided = getattr(node, "divided", None)
        quantities = tuple(x for x, _ in varied)
        if step is not None:
            if not all(isinstance(x, u.Leaf) and x.time is None for x in quantities):
                fail("what stands below the bar is understood of weights only", node.start)
            quantities = tuple(replace(x, time=step) for x in quantities)  # type: ignore[call-arg]
        return u.Derivative(
            inner, quantities, kind,
            self(divided) if divided is not None else None, start=node.start, end=node.end,
        )  # fmt: skip

    def _unprimed(self, of: s.Node) -> s.Symbol | None:
        """The state whose name a prime marks, where that is no name of its own; None for others."""
        if not isinstance(of, s.Symbol) or of.primes != 1:
            return None
        bare = replace(of, primes=0)
        found = self.table.find(spell(bare), self.scope)
        own = self.table.find(spell(of), self.scope)
        state = found is not None and found.entry.kind == "vector" and found.time is not None
        return bare if state and own is None else None

    def _part(
        self, of: s.Node, by: Sequence[s.Node], node: s.Derivative | s.Differential
    ) -> u.Term | None:
        """∂L_future/∂c_t, ∂L/∂h_t |_output: a part of the gradient by a state."""
        found = self.table.find(spell(of), self.scope) if isinstance(of, s.Symbol) else None
        if found is None or found.entry.name != "L" or len(by) != 1:
            return None
        labels = [x.text for x in spell(of).scripts] if isinstance(of, s.Symbol) else []
        below = "".join(x.text for x in getattr(node, "step", ()) if x.text.isalpha())
        named = [w for w in (*labels, below) if w in PARTS]
        varied = self(by[0])
        if not isinstance(varied, u.Leaf) or varied.time is None:
            return None
        if named:
            return of_part(varied.name, varied.time, named[0])
        if len(below) > 3 or not below.isascii():  # by which of its paths?
            raise UnknownSymbolError(self.source(node), node.start)
        return None

    def _is_weight(self, by: s.Node) -> bool:
        found = self.table.find(spell(by), self.scope) if isinstance(by, s.Symbol) else None
        return found is not None and found.entry.kind == "parameter"

    def _value_at(self, node: s.Derivative | s.Differential) -> u.Term | None:
        """The quantity that stands below a bar, dσ/dz|_{z_t}; None where there is none."""
        found: Any = getattr(node, "step", ())
        if len(found) < 2 or found[0].text == "(":
            return None
        if "=" in [x.text for x in found]:  # |_{z = z_t}
            found = found[[x.text for x in found].index("=") + 1 :]
        try:
            term = self(Parser(found).whole())
        except (UnreadableError, UnknownSymbolError):
            return None
        return term if isinstance(term, u.Leaf) and term.time is not None else None

    def _derived_at(self, of: s.Node, value: u.Term, node: s.Derivative | s.Differential) -> u.Term:
        """A derivative at a value: g′ of it, or by it."""
        function = self._function(spell(of)) if isinstance(of, s.Symbol) else None
        if isinstance(of, s.Symbol) and function is not None and self.table.find(spell(of)) is None:
            return u.Apply(function, spell(of).primes + 1, value, start=node.start, end=node.end)
        return u.Derivative(self(of), (value,), "∂", start=node.start, end=node.end)

    def _step(self, node: s.Derivative | s.Differential) -> Index | None:
        """The step that a bar names, ∂u/∂W|_{(i)}; None without a bar."""
        found = getattr(node, "step", ())
        if not found:
            return None
        if len(found) > 2 and found[0].text == "(" and found[-1].text == ")":
            found = found[1:-1]
        if len(found) > 2 and found[1].text == "=":  # |_{t=i}
            found = found[2:]
        index = read_index(found)
        known = {*self.scope, *self.table.letters, *self.table.lengths, *INDICES, "T", "t"}
        if index is None or not set(index.names) <= known:
            fail("what stands below the bar is no step", node.start)
        return index

    def _all_varied(self, of: u.Term, by: s.Node) -> list[tuple[u.Term, bool]]:
        """What is varied; of a concatenation, each of its parts."""
        term, slot = self._varied(of, by)
        leaves = leaves_of(term)
        return [(x, slot) for x in leaves] if len(leaves) > 1 else [(term, slot)]

    def _varied(self, of: u.Term, by: s.Node) -> tuple[u.Term, bool]:
        """What is varied; True if it is an argument of a function, the others held fixed."""
        if isinstance(by, s.Bracket) and len(by.parts) == 1:
            by = by.parts[0]
        arguments = of.arguments if isinstance(of, u.Unknown) else ()
        if arguments and isinstance(by, s.Symbol):
            found = self.table.find(spell(by), self.scope)
            if found is not None and found.time is None and found.entry.kind == "vector":
                for argument in arguments:
                    if isinstance(argument, u.Leaf) and argument.name == found.entry.name:
                        return argument, True
        term = self(by)
        while isinstance(term, u.Transposed):
            term = term.body
        if isinstance(term, u.Whole) and isinstance(by, s.Symbol):
            raise UnknownSymbolError(self.source(by), by.start)
        return term, any(term == a for a in arguments)

    def _differential(self, node: s.Differential) -> u.Term:
        if node.of is None:
            fail("a derivative of what?", node.start)
        if node.sub:
            by = Parser(node.sub).whole()
            found = self.derived(node.of, (by,), node.plus, node)
            assert isinstance(found, u.Derivative)
            return replace(found, kind="∇") if node.style == "nabla" else found
        of_at = _at_a_place(node.of)
        if node.style == "nabla" and of_at is not None:
            found = self.derived(*of_at, node.plus, node)
            assert isinstance(found, u.Derivative)
            return replace(found, kind="∇")
        if node.style == "nabla":
            inner = self(node.of)
            if isinstance(inner, u.Leaf) and inner.name != "L":
                return u.Derivative(u.Loss(), (inner,), "∇")
        fail("a differential by itself is not read: by what is it divided?", node.start)


def _at_a_place(node: s.Node) -> tuple[s.Symbol, tuple[s.Node]] | None:
    """The ℓ_t and the h_t of ∇ℓ_t(h_t)."""
    if not isinstance(node, s.Times) or len(node.factors) != 2:
        return None
    (_, name), (op, bracket) = node.factors
    plain = isinstance(bracket, s.Bracket) and bracket.kind == "(" and len(bracket.parts) == 1
    if op or not isinstance(name, s.Symbol) or name.base not in LOSS_LETTERS or not plain:
        return None
    assert isinstance(bracket, s.Bracket)
    part = bracket.parts[0]
    return (name, (part,)) if isinstance(part, s.Symbol) else None


class Operator:
    """A derivative that waits for what it acts on: ∂/∂W, ∂_w, ∇_W."""

    def __init__(self, node: s.Derivative | s.Differential) -> None:
        self.node, self.wide = node, False
        self.term: Any = None

    def on(self, resolver: Any, factors: list[tuple[str, s.Node]], i: int) -> Operator:
        if i >= len(factors):
            fail("a derivative of what?", self.node.start)
        rest = factors[i:]
        node = rest[0][1]
        if len(rest) > 1:
            self.wide = True
            node = s.Times(tuple(rest), start=node.start, end=rest[-1][1].end)
        by = (
            self.node.by
            if isinstance(self.node, s.Derivative)
            else (Parser(self.node.sub).whole(),)
        )
        found = resolver.derived(node, by, self.node.plus, self.node)
        nabla = isinstance(self.node, s.Differential) and self.node.style == "nabla"
        assert isinstance(found, u.Derivative)
        self.term = replace(found, kind="∇" if nabla else found.kind, end=node.end)
        return self


def operator(resolver: Any, node: s.Node) -> Operator | None:
    if isinstance(node, s.Derivative) and node.of is None:
        return Operator(node)
    if isinstance(node, s.Differential) and node.of is None and node.sub:
        return Operator(node)
    return None


def leaves_of(term: u.Term) -> tuple[u.Term, ...]:
    """A quantity by itself, or the quantities in a concatenation; nothing for anything else."""
    if isinstance(term, u.Leaf):
        return (term,)
    if isinstance(term, u.Named) and term.function == "vec":
        return leaves_of(term.arguments[0])
    if isinstance(term, u.Concat):
        parts = [leaves_of(p) for p in term.parts]
        return tuple(x for p in parts for x in p) if all(parts) else ()
    return ()
