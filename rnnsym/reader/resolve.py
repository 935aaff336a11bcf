"""From syntax to terms: every symbol looked up, every juxtaposition decided.

Fourth stage of the reader. A symbol that nothing defines is an error that names it; nothing is
taken for something else because that would fit.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rnnsym.reader import approach, gradients, series
from rnnsym.reader import syntax as s
from rnnsym.reader import terms as u
from rnnsym.reader.derivatives import Derivatives, Operator, leaves_of, operator
from rnnsym.reader.indices import Index, read_index
from rnnsym.reader.meanings import WHOLE, UnknownSymbolError
from rnnsym.reader.symbols import Spelled, spell
from rnnsym.reader.table import Found
from rnnsym.reader.tokens import fail, tokens

#: characters of a time in brackets, as in h(t-1)
MAX_TIME = 200


class Resolver(Derivatives):
    """Resolves the statements of one formula with one table."""

    def _add(self, node: s.Add) -> u.Term:
        if any(isinstance(x, s.Dots) for _, x in node.terms):
            return series.of_sum(self, node)
        if any(sign == 0 for sign, _ in node.terms):
            fail("± is not read: which sign is meant?", node.start)
        return u.Sum(tuple((sign, self(x)) for sign, x in node.terms))

    def _times(self, node: s.Times) -> u.Term:
        factors = list(node.factors)
        if any(isinstance(x, s.Dots) for _, x in factors):
            return series.of_product(self, node)
        return _product(self.factors(factors), node)

    def factors(self, factors: list[tuple[str, s.Node]]) -> list[tuple[str, u.Term]]:
        """The factors of a product, each function with its argument."""
        done: list[tuple[str, u.Term]] = []
        i = 0
        while i < len(factors):
            op = factors[i][0]
            term, i = self._applied(factors, i)
            if isinstance(term, Operator):
                term = term.on(self, factors, i)
                i = len(factors) if term.wide else i + 1
                term = term.term
            done.append((op, term))
        return done

    def _applied(self, factors: list[tuple[str, s.Node]], i: int) -> tuple[Any, int]:
        """The term of factor i, with the argument that follows it if it is a function."""
        _, node = factors[i]
        following = factors[i + 1] if i + 1 < len(factors) else None
        bracket = following[1] if following and following[0] == "" else None
        waiting = operator(self, node)
        if waiting is not None:
            return waiting, i + 1
        base, tail = (bracket.base, bracket) if isinstance(bracket, s.Scripted) else (bracket, None)
        if isinstance(node, s.Derivative) and isinstance(base, s.Bracket) and base.kind == "(":
            derived = self._of_bare(node, base)
            if derived is not None:
                if tail is not None:
                    derived = self._scripts(derived, tail.sub, tail.sup, tail)
                return derived, i + 2
        if isinstance(bracket, s.Symbol) and isinstance(node, s.Symbol):
            name = gradients.joined(node, bracket)  # a name of the document's own, δ c^{(h)}
            if " " in name.base and self.table.find(spell(name), self.scope) is not None:
                return self(name), i + 2
        if bracket is not None and gradients.is_mark(node, self.table):
            assert isinstance(node, s.Symbol)
            mark, last = node.base, i + 1
            if gradients.is_plain(bracket, "p", self.table) and len(factors) > i + 2:
                mark, last = mark + "p", i + 2  # dp: by what comes before the function
            inner = factors[last][1]
            named = gradients.of_pair(inner, self.table, self.scope, mark)
            if named is not None and not factors[last][0]:
                return replace(named, start=node.start, end=inner.end), last + 1
        if (
            isinstance(node, s.Symbol)
            and node.base == "d"
            and bracket is not None
            and (not node.sub and not node.sup and ("d", (), "") not in self.table.entries)
        ):
            varied = leaves_of(self(bracket))
            if varied:
                whole = u.Derivative(u.Loss(), varied, "∇", start=node.start, end=bracket.end)
                return whole, i + 2
        target = _class_of(node, base)
        if target is not None:  # log p_t[y_t], where y_t is written as a vector
            return u.Named("inner", (self(target), self(node))), i + 2
        step = _indicator(node, base)
        if step is not None:
            return self._scripts(u.Apply("step", 0, self(step)), (), (), node), i + 2
        if isinstance(node, s.Symbol) and isinstance(base, s.Bracket) and base.kind in "([{":
            call = self._call_symbol(node, base)
            if call is not None:
                call = replace(call, start=node.start, end=base.end)
                if tail is not None:
                    call = self._scripts(call, tail.sub, tail.sup, tail)
                return call, i + 2
        return self(node), i + 1

    def _call_symbol(self, node: s.Symbol, bracket: s.Bracket) -> u.Term | None:
        """f(…) as a call; None if it is a product."""
        spelled = spell(node)
        found = self.table.find(spelled, self.scope)
        if found is not None:
            if found.entry.name == "L" or found.entry.kind == "loss":
                if found.time is None:  # L(ŷ_t, y_t) and L(t) are the loss of step t
                    step = self._step_of(bracket) or self._time_in(bracket)
                    found = found if step is None else replace(found, time=step)
                return self._raise(self._leaf(node, found), found.power, spelled, node)
            if found.time is None and found.entry.kind in ("vector", "definition", "gradient"):
                index = self._time_in(bracket)
                if index is not None:
                    timed = Found(found.entry, index, found.components, found.power)
                    return self._raise(self._leaf(node, timed), found.power, spelled, node)
            entry = self._entry_of(node, found, bracket)
            if entry is not None:
                return entry
            if (
                found.entry.kind == "definition"
                and self.table.definitions[found.entry.name].arguments
            ):
                return self._leaf(node, found)
            return None
        function = self._function(spelled)
        if spelled.base == "sigma" and [x.text for x in spelled.scripts] == ["max"]:
            return self._named("norm", bracket, node)  # the largest singular value
        radius = spelled.base == "rho" and not spelled.scripts and function is None
        if radius and len(bracket.parts) == 1:
            return self._named("radius", bracket, node)  # the greatest absolute eigenvalue
        if function is None:
            if self._constant(node, spelled) is not None or self._customary(node, spelled):
                return None
            raise UnknownSymbolError(self.source(node), node.start)
        if self._bare_inside(bracket, node):
            return None
        arguments = () if function in WHOLE else tuple(self(p) for p in bracket.parts)
        term: u.Term
        if function in WHOLE:
            term = self._named(function, bracket, node)
        elif (
            len(arguments) == 1
            and (not spelled.scripts or self._is_elementwise(function) or spelled.primes)
            and f"{function}()" not in self.table.functions
        ):
            term = u.Apply(function, spelled.primes, arguments[0])
        else:
            if spelled.primes:
                fail(f"{self.source(node)}: by which of its arguments?", node.start)
            function = self.table.functions.get(f"{function},", function)
            term = u.Unknown(function, self._with_parameters(function, arguments, spelled))
        for script in spelled.scripts:
            if script.where == "sup" and script.style == "plain":
                term = self._power(term, script, node)
        return term

    def _entry_of(self, node: s.Symbol, found: Found, bracket: s.Bracket) -> u.Term | None:
        """W(i, j): an entry of a weight; None where it is no such thing."""
        if found.entry.kind != "parameter" or found.components or len(bracket.parts) != 2:
            return None
        texts = [self.latex[p.start : p.end].strip() for p in bracket.parts]
        indices = [read_index(tokens(x)) if len(x) < MAX_TIME else None for x in texts]
        if bracket.kind != "(" or bracket.separator != "," or None in indices:
            return None
        term = u.Component(self._leaf(node, found), tuple(x for x in indices if x is not None))
        return replace(term, start=node.start, end=bracket.end)

    def _with_parameters(
        self, function: str, arguments: tuple[u.Term, ...], spelled: Spelled
    ) -> tuple[u.Term, ...]:
        """The arguments of f_θ(h, x), and θ; those of f(h, x), where equations say f(h, x; θ)."""
        known = {e.name for e in self.table.entries.values() if e.kind == "parameter"}
        names = [n for n in self.table.given.get(function, ()) if n in known]
        for script in spelled.scripts:
            entry = self.table.entries.get((script.text.lstrip("\\"), (), ""))
            if script.where == "sub" and entry is not None and entry.kind == "parameter":
                names.append(entry.name)
        given = {x.name for x in arguments if isinstance(x, u.Leaf)}
        if given & set(names):
            return arguments
        return (*arguments, *(u.Leaf(n, None) for n in dict.fromkeys(names)))

    def _of_bare(self, node: s.Derivative, bracket: s.Bracket) -> u.Term | None:
        """∂f/∂h (h_{t-1}, x_t): the derivative of a function by its argument, taken there."""
        of = node.of
        if not isinstance(of, s.Symbol) or self.table.find(spell(of), self.scope) is not None:
            return None
        function = self._function(spell(of))
        if function is None:
            return None
        if len(bracket.parts) == 1 and f"{function}()" not in self.table.functions:
            part, by = bracket.parts[0], node.by[0]
            if not isinstance(part, s.Symbol) or not isinstance(by, s.Symbol):
                return None
            if (part.base, part.accents) != (by.base, by.accents):
                return None
            node = replace(node, by=(part,))
        whole = s.Times((("", of), ("", bracket)), start=node.start, end=bracket.end)
        return self(replace(node, of=whole, end=bracket.end))

    def _step_of(self, bracket: s.Bracket) -> Index | None:
        """The step of the vectors that a loss is said to be of, where it is one."""
        found = [
            self.table.find(spell(p), self.scope) if isinstance(p, s.Symbol) else None
            for p in bracket.parts
        ]
        times = {f.time for f in found if f is not None and f.time is not None}
        return times.pop() if len(times) == 1 else None

    def _bare_inside(self, bracket: s.Bracket, node: s.Symbol) -> bool:
        """Whether the same function stands by its name alone inside, as in σ (1 - σ)."""
        inner = bracket.parts[0]
        if not isinstance(inner, s.Add) or len(bracket.parts) > 1:
            return False
        return any(
            isinstance(x, s.Symbol) and x.base == node.base and not x.sub for _, x in inner.terms
        )

    def _time_in(self, bracket: s.Bracket) -> Index | None:
        if len(bracket.parts) != 1 or bracket.kind == "{":
            return None
        inner = self.latex[bracket.start : bracket.end].strip()[1:-1]
        if len(inner) > MAX_TIME:
            return None
        index = read_index(tokens(inner))
        known = {*self.scope, *self.table.letters, "T", "t"}
        if index is None or not set(index.names) <= known:
            return None
        return index

    def _big(self, node: s.Big) -> u.Term:
        from rnnsym.reader.ranges import ENTRIES, limits_of, over_examples

        if over_examples(node):
            return self(node.body)
        index, lower, upper, step = limits_of(node, self)
        with self.bound(index):
            body = self._body(node, index)
        whole = body[0] if isinstance(body, tuple) else body
        said = bool(node.upper) and not set(upper.names).isdisjoint({"T", *self.scope})
        if upper.letters and not said and u.counts_entries(whole, index):
            upper = Index.of(ENTRIES)
        if isinstance(body, tuple):
            inside, outside = body
            ranged = u.Ranged(
                node.op, index, lower, upper, inside, step, start=node.start, end=inside.end
            )
            return _product([("", ranged), *outside], node)
        return u.Ranged(node.op, index, lower, upper, body, step)

    def _limit(self, node: s.Limit) -> u.Term:
        return approach.limit(self, node)

    def _body(self, node: s.Big, index: str) -> Any:
        """The body. Factors after the last that depends on the index of a product are outside,
        unless they are weights: Π_i diag(g′(z_i)) W is a product of Jacobians."""
        whole = self(node.body)
        if node.op != "prod" or not isinstance(whole, u.Product):
            return whole
        depends = [index in u.letters(x) for _, x in whole.factors]
        last = max((i for i, d in enumerate(depends) if d), default=-1)
        while 0 <= last < len(depends) - 1 and _is_constant(whole.factors[last + 1][1]):
            last += 1
        if last < 0 or last == len(depends) - 1:
            return whole
        inside = _product(list(whole.factors[: last + 1]), node.body)
        inside = replace(inside, start=whole.start, end=whole.factors[last][1].end)
        return inside, list(whole.factors[last + 1 :])

    def _relation(self, node: s.Relation) -> u.Term:
        return u.Claim(tuple(map(self, node.sides)), node.ops)


def _is_constant(term: u.Term) -> bool:
    """Whether a term is made of weights and numbers only."""
    leaves = [x for x in u.walk(term) if not u.children(x)]
    return all(
        isinstance(x, u.Num | u.Constant) or (isinstance(x, u.Leaf) and x.time is None)
        for x in leaves
    )


def _product(factors: list[tuple[str, u.Term]], node: s.Node) -> u.Term:
    if len(factors) == 1:
        return factors[0][1]
    return u.Product(tuple(factors), start=node.start, end=node.end)


def _indicator(node: s.Node, bracket: s.Node | None) -> s.Node | None:
    """The z of 1[z > 0], which is 1 where that holds and else 0; None for anything else."""
    one = isinstance(node, s.Symbol) and node.base in ("1", "I") and node.font
    if not one or not isinstance(bracket, s.Bracket) or len(bracket.parts) != 1:
        return None
    inside = bracket.parts[0]
    if not isinstance(inside, s.Relation) or len(inside.ops) != 1:
        return None
    left, right = inside.sides
    if inside.ops[0] in ("<", "≤"):
        left, right = right, left
    zero = isinstance(right, s.Number) and right.value == 0
    return left if zero and inside.ops[0] in ("<", "≤", ">", "≥") else None


def _class_of(node: s.Node, bracket: s.Node | None) -> s.Node | None:
    """The y_t of log p_t[y_t]: the entry of a class; None for anything else."""
    one = isinstance(bracket, s.Bracket) and bracket.kind == "[" and len(bracket.parts) == 1
    if not one or not isinstance(node, s.Call) or node.function != "log":
        return None
    assert isinstance(bracket, s.Bracket)
    part = bracket.parts[0]
    timed = isinstance(part, s.Symbol) and bool(part.sub or part.sup)
    return part if timed and isinstance(node.argument, s.Symbol) else None
