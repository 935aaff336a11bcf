"""From syntax to terms: every symbol looked up, every juxtaposition decided.

Fourth stage of the reader. A symbol that nothing defines is an error that names it; nothing is
taken for something else because that would fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from typing import Any

from rnnsym.errors import InputError
from rnnsym.reader import limits, series
from rnnsym.reader import syntax as s
from rnnsym.reader import terms as u
from rnnsym.reader.indices import Index, read_index
from rnnsym.reader.parser import Parser
from rnnsym.reader.symbols import Script, Spelled, spell
from rnnsym.reader.table import Found, Table
from rnnsym.reader.tokens import Token, fail, printable, tokens

ELEMENTWISE = {
    "tanh", "sigmoid", "relu", "exp", "log", "softplus", "sech", "cosh", "sinh", "coth", "sign",
    "step", "identity", "sqrt", "sin", "cos",
}  # fmt: skip
WHOLE = {"softmax", "diag", "vec", "trace", "max", "min", "total", "chain", "logsoftmax", "detach",
         "det", "abs", "norm", "concat", "transpose"}  # fmt: skip
#: characters of a time in brackets, as in h(t-1)
MAX_TIME = 200
#: letters that stand for a function wherever they are applied
CUSTOMARY = {"sigma": "sigmoid"}


class UnknownSymbolError(InputError):
    """A symbol that nothing defines."""

    def __init__(self, symbol: str, position: int) -> None:
        super().__init__(f"what is {printable(symbol)}?")
        self.symbol, self.position = symbol, position


class Resolver:
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

    # ---- leaves --------------------------------------------------------------------------

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
            raise UnknownSymbolError(self.source(node), node.start)
        return self._raise(self._leaf(node, found), found.power, spelled, node)

    def _special(self, node: s.Symbol, spelled: Spelled) -> u.Term | None:
        """A bound index by itself; e to some power."""
        if not spelled.scripts and not spelled.accents and node.base in self.scope:
            return u.Whole(Index.of(node.base))
        if node.base == "e" and node.sup and ("e", (), "") not in self.table.entries:
            return u.Apply("exp", 0, self._script_expression(node.sup, node.start))
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
        plain = {"1": "one", "0": "zero", "I": "identity", "Id": "identity"}
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
                now = Index.of("t")
                implied = time is None and name not in self.table.timeless
                term = u.Leaf(name, time if time is not None else now, implied)
        elif kind == "parameter":
            term = u.Leaf(name, None)
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

    # ---- sums and products ---------------------------------------------------------------

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
        done: list[tuple[str, u.Term]] = []
        i = 0
        while i < len(factors):
            op, factor = factors[i]
            term, i = self._applied(factors, i)
            if isinstance(term, _Operator):
                term = term.on(self, factors, i)
                i = len(factors) if term.wide else i + 1
                term = term.term
            done.append((op, term))
        return _product(done, node)

    def _applied(self, factors: list[tuple[str, s.Node]], i: int) -> tuple[Any, int]:
        """The term of factor i, with the argument that follows it if it is a function."""
        _, node = factors[i]
        following = factors[i + 1] if i + 1 < len(factors) else None
        bracket = following[1] if following and following[0] == "" else None
        operator = _operator(self, node)
        if operator is not None:
            return operator, i + 1
        if (
            isinstance(node, s.Symbol)
            and node.base == "d"
            and bracket is not None
            and (not node.sub and not node.sup and ("d", (), "") not in self.table.entries)
        ):
            varied = _leaves(self(bracket))
            if varied:
                whole = u.Derivative(u.Loss(), varied, "∇", start=node.start, end=bracket.end)
                return whole, i + 2
        base, tail = (bracket.base, bracket) if isinstance(bracket, s.Scripted) else (bracket, None)
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
                return self._raise(self._leaf(node, found), found.power, spelled, node)
            if found.time is None and found.entry.kind in ("vector", "definition", "gradient"):
                index = self._time_in(bracket)
                if index is not None:
                    timed = Found(found.entry, index, found.components, found.power)
                    return self._raise(self._leaf(node, timed), found.power, spelled, node)
            if (
                found.entry.kind == "definition"
                and self.table.definitions[found.entry.name].arguments
            ):
                return self._leaf(node, found)
            return None
        function = self._function(spelled)
        if function is None:
            if self._constant(node, spelled) is not None:
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
            and (not spelled.scripts or self._is_elementwise(function))
            and f"{function}()" not in self.table.functions
        ):
            term = u.Apply(function, spelled.primes, arguments[0])
        else:
            if spelled.primes:
                fail(f"{self.source(node)}: by which of its arguments?", node.start)
            term = u.Unknown(function, arguments)
        for script in spelled.scripts:
            if script.where == "sup" and script.style == "plain":
                term = self._power(term, script, node)
        return term

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

    # ---- brackets, calls, scripts --------------------------------------------------------

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
        if any(isinstance(x, s.Dots) or isinstance(x, s.Empty) for row in node.rows for x in row):
            fail("a matrix with … in it is not read: can't tell its entries", node.start)
        rows = [u.Concat(tuple(self(x) for x in row), rows=True) for row in node.rows]
        flat = [r.parts[0] if len(r.parts) == 1 else r for r in rows]
        return flat[0] if len(flat) == 1 else u.Concat(tuple(flat))

    def _cases(self, node: s.Table) -> u.Term:
        found: list[tuple[u.Term, u.Claim | None]] = []
        for row in node.rows:
            value = self(row[0])
            condition: u.Claim | None = None
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
        return u.Named(function, tuple(map(self, parts)))

    def _scripted(self, node: s.Scripted) -> u.Term:
        if isinstance(node.base, s.Bracket) and node.base.kind == "‖" and node.sub:
            kind = "".join(x.text for x in node.sub)
            names = {"2": "norm", "F": "frobenius", "1": "norm1", r"\infty": "norminf"}
            if kind not in names:
                fail(f"a norm with the index {kind} is not known", node.start)
            term: u.Term = u.Named(names[kind], (self(node.base.parts[0]),))
            return self._scripts(term, (), node.sup, node)
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

    # ---- derivatives ---------------------------------------------------------------------

    def _derivative(self, node: s.Derivative) -> u.Term:
        if node.of is None:
            fail("a derivative of what?", node.start)
        return self.derived(node.of, node.by, node.plus, node)

    def derived(
        self, of: s.Node, by: Sequence[s.Node], plus: bool, node: s.Derivative | s.Differential
    ) -> u.Term:
        inner = self(of)
        varied = [pair for x in by for pair in self._all_varied(inner, x)]
        if len(varied) == 1:  # dσ/dx is dσ(x)/dx
            inner = u.exchange(inner, u.Free("·"), varied[0][0])
        kind = "∂⁺" if plus or any(slot for _, slot in varied) else "∂"
        divided = getattr(node, "divided", None)
        return u.Derivative(
            inner, tuple(x for x, _ in varied), kind, self(divided) if divided is not None else None,
            start=node.start, end=node.end,
        )  # fmt: skip

    def _all_varied(self, of: u.Term, by: s.Node) -> list[tuple[u.Term, bool]]:
        """What is varied; of a concatenation, each of its parts."""
        term, slot = self._varied(of, by)
        leaves = _leaves(term)
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
        if node.style == "nabla":
            inner = self(node.of)
            if isinstance(inner, u.Leaf) and inner.name != "L":
                return u.Derivative(u.Loss(), (inner,), "∇")
        fail("a differential by itself is not read: by what is it divided?", node.start)

    # ---- ranges and relations ------------------------------------------------------------

    def _big(self, node: s.Big) -> u.Term:
        from rnnsym.reader.ranges import limits_of

        index, lower, upper, step = limits_of(node, self)
        with self.bound(index):
            body = self._body(node, index)
        if isinstance(body, tuple):
            inside, outside = body
            ranged = u.Ranged(
                node.op, index, lower, upper, inside, step, start=node.start, end=inside.end
            )
            return _product([("", ranged), *outside], node)
        return u.Ranged(node.op, index, lower, upper, body, step)

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


class _Operator:
    """A derivative that waits for what it acts on: ∂/∂W, ∂_w, ∇_W."""

    def __init__(self, node: s.Derivative | s.Differential) -> None:
        self.node, self.wide = node, False
        self.term: Any = None

    def on(self, resolver: Resolver, factors: list[tuple[str, s.Node]], i: int) -> _Operator:
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


def _operator(resolver: Resolver, node: s.Node) -> _Operator | None:
    if isinstance(node, s.Derivative) and node.of is None:
        return _Operator(node)
    if isinstance(node, s.Differential) and node.of is None and node.sub:
        return _Operator(node)
    return None


def _leaves(term: u.Term) -> tuple[u.Term, ...]:
    """A quantity by itself, or the quantities in a concatenation; nothing for anything else."""
    if isinstance(term, u.Leaf):
        return (term,)
    if isinstance(term, u.Named) and term.function == "vec":
        return _leaves(term.arguments[0])
    if isinstance(term, u.Concat):
        parts = [_leaves(p) for p in term.parts]
        return tuple(x for p in parts for x in p) if all(parts) else ()
    return ()


def _is_parameter(term: u.Term) -> bool:
    return isinstance(term, u.Leaf) and term.time is None


def _is_constant(term: u.Term) -> bool:
    """Whether a term is made of weights and numbers only."""
    leaves = [x for x in u.walk(term) if not u.children(x)]
    return all(isinstance(x, u.Num) or (isinstance(x, u.Leaf) and x.time is None) for x in leaves)


def _product(factors: list[tuple[str, u.Term]], node: s.Node) -> u.Term:
    if len(factors) == 1:
        return factors[0][1]
    return u.Product(tuple(factors), start=node.start, end=node.end)
