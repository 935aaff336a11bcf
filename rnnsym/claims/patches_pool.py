"""What a network is made of, in the author's spelling: material for what is missing.

Used by `patches_missing` and `patches_inserted`. The right equations for the adjoints are
derived here to suggest terms and factors; whether they belong where they are put, the judge
decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from sympy import MatAdd, MatrixExpr, MatrixSymbol, Transpose
from sympy.matrices.expressions import HadamardProduct

from rnnsym.algebra import factors, split, terms
from rnnsym.claims.patches_names import Speller
from rnnsym.claims.patches_source import Source
from rnnsym.derive.adjoint import AdjointSystem
from rnnsym.errors import RnnsymError
from rnnsym.latex.snippets import derivative, ranged
from rnnsym.latex.snippets import transposed as turned
from rnnsym.nodes import Adjoint, Apply, TimeProduct, TimeSum, TimeVector, leaves, t
from rnnsym.reader import syntax as s
from rnnsym.reader.indices import Index
from rnnsym.reader.symbols import spell
from rnnsym.rules import derivative as slope_of

ONE = Index(1)
#: so many names of the document's own are put in where a factor may be missing
MOST_NAMES = 6

#: (LaTeX, the kind of error if it is missing)
Wanted = tuple[str, str]


class Pool:
    """The pieces that the right formula could be made of."""

    def __init__(self, source: Source, speller: Speller) -> None:
        self.source, self.speller, self.net = source, speller, speller.net
        self.kind, self.name, self.time, self.by = self._left()

    # ---- what is claimed -----------------------------------------------------------------

    def _left(self) -> tuple[str, str, Index, str]:
        """(kind, name, time, name of what it is varied by) of the left side."""
        node = self.source.sides[0]
        if isinstance(node, s.Scripted):
            node = node.base
        if isinstance(node, s.Bracket):
            node = node.parts[0]
        now, found = Index.of("t"), None
        if isinstance(node, s.Symbol):
            found = self.found(node)
            of = self.speller.gradient_of(found.entry) if found is not None else None
            if found is not None and of is not None:  # g_t := ∂L/∂h_t
                return "gradient", of, found.time or now, ""
            if found is not None:
                return found.entry.kind, found.entry.name, found.time or now, ""
        of, by = self._derived(node)
        if of is None or by is None:
            return "", "", now, ""
        if of.entry.name == "L" and by.entry.kind == "vector":
            return "gradient", by.entry.name, by.time or now, ""
        if of.entry.name == "L" and of.time is None:
            return "whole", "L", now, by.entry.name
        return "derivative", of.entry.name, of.time or now, by.entry.name

    def _derived(self, node: s.Node) -> tuple[Any, Any]:
        if isinstance(node, s.Derivative) and node.of is not None:
            return self.found(node.of), self.found(node.by[0])
        if isinstance(node, s.Differential) and node.of is not None:
            inner = [n.symbol for n in self.speller.named if n.site.side == 0]
            by = [x for x in inner if x is not node.of]
            return self.found(node.of), self.found(by[0]) if by else None
        return None, None

    def found(self, node: s.Node) -> Any:
        """What a symbol of the formula is."""
        return self.source.table.find(spell(node)) if isinstance(node, s.Symbol) else None

    @property
    def adjoint(self) -> bool:
        """Whether the formula is about derivatives of the loss."""
        return self.kind in ("gradient", "whole") or self.name == "L"

    # ---- quantities ----------------------------------------------------------------------

    def times(self, start: int, end: int) -> list[Index]:
        """The times in a piece of source, and their neighbours."""
        found = [
            n.found.time
            for n in self.speller.named
            if n.found.time is not None and start <= n.symbol.start < end
        ]
        near = [i.plus(step) for i in found for step in (Index(-1), ONE)]
        return list(dict.fromkeys([*found, *near]))[:4]

    @cached_property
    def calls(self) -> list[tuple[Apply, MatrixExpr]]:
        """The activations g(z) of the network, and what their values are called."""
        found: dict[Apply, MatrixExpr] = {}
        for e in self.net.equations.values():
            for call in leaves(e.rhs, Apply):
                if isinstance(call.argument, TimeVector) and call.order == 0:
                    found.setdefault(call, e.lhs if e.rhs == call else call)
        return list(found.items())

    def slopes(self, at: Index) -> Iterator[str]:
        """g′ of every activation, in terms of its value."""
        for call, value in self.calls:
            text = self.atom(slope_of(call, value), at)
            if text is not None:
                yield text

    def atom(self, e: Any, at: Index | None = None) -> str | None:
        """An expression of the engine as a factor."""
        text = self.speller.expression(e, at)
        if text is None or not isinstance(e, MatAdd):
            return text
        return rf"\left({text}\right)"

    @cached_property
    def values(self) -> list[str]:
        """The states, gates and inputs: whatever is no pre-activation."""
        before = {call.argument.name for call, value in self.calls if value != call}
        return [n for n in self.net.vectors if n not in before and n != "L"]

    @cached_property
    def weights(self) -> list[str]:
        return [n for n, w in self.net.parameters.items() if w.cols != 1]

    @cached_property
    def numbers(self) -> list[str]:
        return [n for n, w in self.net.parameters.items() if w.shape == (1, 1)]

    @cached_property
    def names(self) -> list[str]:
        """What the document has given a name at each step, D_t = diag(1 - h_t²): those of the
        formula first."""
        used = [n.entry.name for n in self.speller.named]
        table = self.source.table
        known = [
            e.name
            for e in table.entries.values()
            if e.kind == "definition" and table.definitions[e.name].indexed
        ]
        return sorted(dict.fromkeys(known), key=lambda n: n not in used)[:MOST_NAMES]

    @cached_property
    def states(self) -> list[str]:
        return [n for n in self.net.vectors if n in self.net.states]

    # ---- the right equations -------------------------------------------------------------

    @cached_property
    def derived(self) -> AdjointSystem:
        known: dict[str, AdjointSystem] = self.net.__dict__.setdefault("_claim_adjoints", {})
        if not known:
            known["system"] = AdjointSystem(self.net)
        return known["system"]

    @cached_property
    def expressions(self) -> list[tuple[MatrixExpr, str]]:
        """The terms of what the left side is, and the kind of error if one is missing."""
        if self.kind == "vector" and self.name in self.net.equations:
            return [
                (e, "missing bias" if isinstance(e, MatrixSymbol) else "missing term")
                for e in terms(self.net.equations[self.name].rhs)
            ]
        try:
            if self.kind == "gradient" and self.name in self.net.equations:
                whole = self.derived.equations[self.name]
            elif self.kind == "whole" and self.by in self.net.parameters:
                whole = self.derived.gradient(self.net.parameters[self.by])
            else:
                return []
        except RnnsymError:
            return []
        return [(e, "missing contribution") for e in terms(whole)]

    def wanted(self) -> Iterator[Wanted]:
        """The terms of the left side, written out and as a chain rule."""
        for e, kind in self.expressions:
            text = self.speller.expression(e, self.time)
            if text is not None:
                yield text, kind
        spelled, at = self.speller.quantity, self.time
        if self.kind == "gradient" and self.name in self.net.equations:
            v, loss = spelled("vector", self.name, at), spelled("vector", "L")
            for user, lag in self.derived.uses(self.name):
                u = spelled("vector", user, at.plus(Index(lag)))
                if u and v and loss:
                    edge, sent = derivative(u, v), derivative(loss, u)
                    yield f"{turned(edge, self.speller.top)} {sent}", "missing contribution"
                    yield f"{sent} {edge}", "missing contribution"
        if self.kind == "derivative" and self.name in self.states and self.by:
            now, w = spelled("vector", self.name, at), spelled("parameter", self.by)
            before = spelled("vector", self.name, at.plus(ONE, -1))
            if now and w and before:
                yield f"{derivative(now, before)}\\,{derivative(before, w)}", "only the direct path"
                yield derivative(now, w, plus=True), "missing immediate partial"

    def right(self) -> str | None:
        """The right formula as a whole."""
        texts = [self.speller.expression(e, self.time) for e, _ in self.expressions]
        if not texts or None in texts:
            return None
        text = str(texts[0])
        for part in texts[1:]:
            text += f" {part}" if str(part).startswith("-") else f" + {part}"
        return text

    def products(self, letter: str, lower: str, upper: Index) -> Iterator[str]:
        """Π of the Jacobians between two steps, of each state, and of all written out."""
        at, spelled = Index.of(letter), self.speller.quantity
        limits = self.speller.time(Index.of(lower, 1)), self.speller.time(upper)
        for name in self.states:
            now, before = spelled("vector", name, at), spelled("vector", name, at.plus(ONE, -1))
            if now and before:
                yield ranged("prod", letter, *limits, derivative(now, before))
        if self.by not in self.net.parameters or not lower:
            return
        for product in leaves(self.closed, TimeProduct)[:1]:
            text = self.speller.expression(product.body.xreplace({product.index: t}), at)
            if text is not None:
                yield ranged("prod", letter, *limits, text)

    @cached_property
    def closed(self) -> MatrixExpr:
        """The sum of Jacobian products that the derivative by the parameter is."""
        known: dict[str, MatrixExpr] = self.net.__dict__.setdefault("_claim_sums", {})
        if self.by not in known:
            known[self.by] = self.net.derive(self.by).formula
        return known[self.by]

    def parts(self, letter: str) -> Iterator[str]:
        """The factors of the right terms; in a sum, for the letter that counts its terms."""
        for e, _ in self.expressions:
            inner, at = split(e)[1], self.time
            if isinstance(inner, TimeSum):
                index, at = inner.index, Index.of(letter or "t")
                inner = inner.body.xreplace({index: t})
            for factor in factors(inner):
                args = factor.args if isinstance(factor, HadamardProduct) else (factor,)
                for arg in args:
                    bare = arg.arg if isinstance(arg, Transpose) else arg
                    if not isinstance(bare, MatrixSymbol | Adjoint):
                        text = self.atom(arg, at)
                        if text is not None:
                            yield text
