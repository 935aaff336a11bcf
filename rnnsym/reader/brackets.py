"""Brackets, tables, calls of known functions, scripts of what is no symbol.

Part of the resolver, between `meanings` and `derivatives`.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from rnnsym.reader import syntax as s
from rnnsym.reader import terms as u
from rnnsym.reader.indices import Index, read_index
from rnnsym.reader.meanings import ELEMENTWISE, WHOLE, Meanings
from rnnsym.reader.symbols import spell
from rnnsym.reader.tokens import fail, tokens


class Brackets(Meanings):
    """Resolves what stands in brackets, and what carries scripts."""

    def _bracket(self, node: s.Bracket) -> u.Term:
        if node.kind in ("|", "‖"):
            kind = "abs" if node.kind == "|" else "norm"
            if len(node.parts) != 1:
                fail("conditional probabilities are not read", node.start)
            return u.Named(kind, (self(node.parts[0]),))
        if node.kind in ("⌈", "⌊"):
            return u.Whole(self._whole(node))
        if len(node.parts) == 1 and node.kind == "[" and isinstance(node.parts[0], s.Relation):
            return self._iverson(node.parts[0])
        if len(node.parts) == 1:
            inner = self(node.parts[0])
            return replace(inner, start=node.start, end=node.end)
        if node.kind == "<" and len(node.parts) == 2:
            left, right = map(self, node.parts)
            return u.Named("inner", (left, right))
        parts = tuple(self(p) for p in node.parts)
        if node.kind in ("[", "(", "{") and node.separator in (",", ";", r"\\"):
            return u.Concat(parts)
        if node.separator in ("|", r"\mid", r"\vert"):
            return u.Concat(parts, rows=node.kind == "[" and all(map(_is_parameter, parts)))
        fail("a list is not a quantity", node.start)

    def _whole(self, node: s.Node) -> Index:
        """An index, from what is written."""
        index = read_index(tokens(self.latex[node.start : node.end]))
        known = {*self.scope, *self.table.letters, "T", "t", "K"}
        if index is None or not all(n in known or n.startswith("T_") for n in index.names):
            fail("this is no whole number made of indices", node.start)
        return index

    def _iverson(self, node: s.Relation) -> u.Term:
        """[a = b]: 1 where it holds, else 0."""
        sides = tuple(u.Whole(self._whole(side)) for side in node.sides)
        claim = u.Claim(sides, node.ops)
        return u.Choice(((u.Whole(Index(1)), claim), (u.Whole(Index(0)), None)))

    def _table(self, node: s.Table) -> u.Term:
        if node.kind == "cases":
            return self._cases(node)
        if any(isinstance(x, (s.Dots, s.Empty)) for row in node.rows for x in row):
            fail("a matrix with … in it is not read: can't tell its entries", node.start)
        rows = [u.Concat(tuple(self(x) for x in row), rows=True) for row in node.rows]
        flat = [r.parts[0] if len(r.parts) == 1 else r for r in rows]
        return flat[0] if len(flat) == 1 else u.Concat(tuple(flat))

    def _cases(self, node: s.Table) -> u.Term:
        found: list[tuple[u.Term, u.Claim | None]] = []
        for k, row in enumerate(node.rows):
            value = self(row[0])
            condition: u.Claim | None = None
            if len(row) > 1 and isinstance(row[1], s.Words) and k + 1 < len(node.rows):
                fail("words for a condition are understood in the last case only", row[1].start)
            if len(row) > 1 and not isinstance(row[1], s.Words | s.Empty):
                inner = row[1]
                if isinstance(inner, s.Times) and isinstance(inner.factors[0][1], s.Words):
                    rest = inner.factors[1:]
                    inner = rest[0][1] if len(rest) == 1 else replace(inner, factors=rest)
                if isinstance(inner, s.Relation):
                    if isinstance(inner.sides[0], s.Times) and isinstance(
                        inner.sides[0].factors[0][1], s.Words
                    ):
                        left = inner.sides[0].factors[1:]
                        first = (
                            left[0][1] if len(left) == 1 else replace(inner.sides[0], factors=left)
                        )
                        inner = replace(inner, sides=(first, *inner.sides[1:]))
                    claim = self(inner)
                    assert isinstance(claim, u.Claim)
                    condition = claim
                else:
                    fail("the condition of a case is not understood", row[1].start)
            found.append((value, condition))
        return u.Choice(tuple(found))

    def _call(self, node: s.Call) -> u.Term:
        function, argument = node.function, node.argument
        order = node.primes
        if isinstance(argument, s.Bracket) and isinstance(argument.parts[0], s.Empty):
            argument = argument.parts[0]  # tanh(·)
        if isinstance(argument, s.Empty):
            if function not in ELEMENTWISE:
                fail(f"{self.source(node)} of what?", node.start)
            inner: u.Term = u.Free("·")
        elif function in WHOLE or (function == "max" and node.sub):
            term = self._named(function, argument, node)
            return self._scripts(term, (), node.sup, node)
        elif function in ELEMENTWISE:
            inner = self(argument)
        else:
            fail(f"{function} is not known to the reader", node.start)
        term = u.Apply(function, order, inner)
        return self._scripts(term, (), node.sup, node)

    def _named(self, function: str, argument: s.Node, node: s.Node) -> u.Term:
        parts = argument.parts if isinstance(argument, s.Bracket) else (argument,)
        if function == "concat":
            return u.Concat(tuple(map(self, parts)))
        if function in ("softmax", "diag", "vec", "trace", "abs", "norm", "detach", "total",
                        "logsoftmax", "transpose") and len(parts) != 1:  # fmt: skip
            parts = (argument,)
        if function == "transpose":
            return u.Transposed(self(parts[0]))
        if isinstance(argument, s.Bracket) and argument.kind in ("|", "‖") and function == "max":
            parts = (argument,)
        arguments = tuple(map(self, parts))
        if function == "max" and len(arguments) == 2 and u.Num(Fraction(0)) in arguments:
            return u.Apply("relu", 0, next(x for x in arguments if x != u.Num(Fraction(0))))
        size = read_index(getattr(node, "sub", ())) if function == "detach" else None
        if size is not None:
            arguments = (*arguments, u.Whole(size))
        return u.Named(function, arguments)

    def _scripted(self, node: s.Scripted) -> u.Term:
        if isinstance(node.base, s.Bracket) and node.base.kind == "‖" and node.sub:
            kind = "".join(x.text for x in node.sub)
            names = {"2": "norm", "F": "frobenius", "1": "norm1", r"\infty": "norminf"}
            if kind not in names:
                fail(f"a norm with the index {kind} is not known", node.start)
            term: u.Term = u.Named(names[kind], (self(node.base.parts[0]),))
            return self._scripts(term, (), node.sup, node)
        if isinstance(node.base, s.Derivative) and not (node.sub or node.primes or node.base.step):
            inner = [x.text for x in node.sup]
            if inner[:1] == ["("] and inner[-1:] == [")"]:  # ∂L/∂W^{(t)}: what step t adds
                return self(replace(node.base, step=node.sup, end=node.end))
        if node.primes:
            fail("a prime after a bracket is not read", node.start)
        return self._scripts(self(node.base), node.sub, node.sup, node)

    def _scripts(self, term: u.Term, sub: s.Tokens, sup: s.Tokens, node: s.Node) -> u.Term:
        """A bracket or a call with scripts: entries, powers, transposes."""
        spelled = spell(s.Symbol("·", sub=sub, sup=sup))
        entries = [x for x in spelled.scripts if x.where == "sub"]
        if entries:
            indices = []
            for entry in entries:
                if entry.index is not None:
                    indices.append(entry.index)
                elif entry.text.isalpha() and len(entry.text) == 2:
                    indices += [Index.of(c) for c in entry.text]
                else:
                    fail(f"the index {entry.text} is not understood", node.start)
            if len(indices) > 2:
                fail("more than two indices are not read", node.start)
            term = u.Component(term, tuple(indices))
        for script in spelled.scripts:
            if script.where == "sup":
                if script.style != "plain":
                    fail(f"the script ({script.text}) is not understood here", node.start)
                term = self._power(term, script, node)
        if spelled.star:
            fail(f"the script {spelled.star} is not understood here", node.start)
        if spelled.inverse:
            term = u.Power(term, Index(-1))
        if spelled.transposed % 2:
            term = u.Transposed(term)
        return replace(term, start=node.start, end=node.end)

    def _fraction(self, node: s.Fraction_) -> u.Term:
        above, below = self(node.above), self(node.below)
        if isinstance(above, u.Num) and isinstance(below, u.Num) and below.value:
            return u.Num(Fraction(above.value, below.value))
        return u.Quotient(above, below)


def _is_parameter(term: u.Term) -> bool:
    return isinstance(term, u.Leaf) and term.time is None
