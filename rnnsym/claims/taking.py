"""What the statements of a formula are: conditions, definitions, steps of descent, or claims.

Used by `formula`. Each is taken in its turn; what is left are pairs of terms to be judged.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from typing import Any

from rnnsym.claims.bounds import at_the_end
from rnnsym.claims.conditions import Condition
from rnnsym.claims.deciding import Outcome
from rnnsym.claims.defining import define
from rnnsym.claims.errors import TooLargeError
from rnnsym.claims.judge import Judge
from rnnsym.claims.learning import Descent, descent, sides_of
from rnnsym.claims.pairs import Pair, pair_of
from rnnsym.errors import RnnsymError
from rnnsym.reader import syntax as s
from rnnsym.reader import terms as u
from rnnsym.reader.gradients import is_name
from rnnsym.reader.indices import Index
from rnnsym.reader.meanings import CUSTOMARY, UnknownSymbolError
from rnnsym.reader.occurring import nodes, occurrences
from rnnsym.reader.resolve import Resolver
from rnnsym.reader.statements import Reading, Statement
from rnnsym.reader.symbols import spell
from rnnsym.reader.table import Entry, Table
from rnnsym.reader.tokens import UnreadableError

#: letters that stand for a number where only functions are spoken of
VARIABLES = {"x", "z", "u", "v", "s", "y", "a", "h"}
#: relations that say what kind of thing something is, or where it goes
KINDS = ("∈", "∉", "⊂", "→", "~", "↛", "↔")
#: a formula of more relations is not judged
MAX_RELATIONS = 100
#: characters of a range of indices
MAX_CONDITION = 200
#: words before what the relation before them supposes
_IF = re.compile(r"\b(if|when|whenever|provided|assuming|given(?! by))\b", re.IGNORECASE)
#: seconds of the processor for diagnoses that take two changes
PAIRS = 3.0


class Taking:
    """One formula, as far as what it says goes."""

    def __init__(
        self, claim: str, reading: Reading, net: Any, table: Table, seconds: float, diagnose: bool,
        conditions: tuple[Condition, ...], explicit: bool,
    ) -> None:  # fmt: skip
        self.claim, self.reading, self.net, self.table = claim, reading, net, table
        self.latex, self.seconds, self.diagnose = reading.latex, seconds, diagnose
        self.conditions, self.given = list(conditions), conditions
        self.begun = time.process_time()
        self.supposed: list[u.Claim] = []  # what weights are said to be like, if |w| < 1
        self.bounds: Sequence[s.Relation] = ()  # ranges of numbers that the document gives
        self.explicit = explicit or r"\partial^" in self.latex
        self.pairs: list[Pair] = []
        self.defined: list[str] = []
        self.defined_names: list[str] = []
        self.chains: dict[str, tuple[u.Term, ...]] = {}  # the sides of each definition
        self.refuted: tuple[Judge, Pair, Outcome] | None = None  # the first relation that is false
        self.anew = False  # names may be defined anew
        self.thorough = True  # as `Judge` has it
        self.stand_in: Any = None  # with a letter entered that nothing defines
        self.pairs_seconds = PAIRS  # for diagnoses that take two changes
        self.skip_first = False  # the first relation is an equation of the network itself

    # ---- statements ----------------------------------------------------------------------

    def _take(self, statement: Statement) -> None:
        if len(self.pairs) > MAX_RELATIONS:
            raise TooLargeError(f"too large: more than {MAX_RELATIONS} relations in one formula")
        if isinstance(statement.node, s.Relation):
            self._name_at_the_end(statement.node)
        node = _without_kinds(statement.node)
        if isinstance(node, s.Relation) and len(node.ops) > MAX_RELATIONS:
            raise TooLargeError(f"too large: more than {MAX_RELATIONS} relations in one formula")
        if isinstance(node, s.Relation):
            condition = self._condition(node)
            if condition is not None:
                self.conditions += condition
                return
            learned = descent(node, self.table)
            if learned is not None:
                self._learn(learned)
                return
            if self._suppose(node, statement.link):
                return
            if self.skip_first:
                rest = s.Relation(
                    node.sides[1:], node.ops[1:], start=node.sides[1].start, end=node.end
                )
                node = rest
            elif self._customary(node) or self._define(node):
                return
            try:
                term = self._resolve(node)
            except UnknownSymbolError as error:
                ending = at_the_end(node, self.table, self.latex)
                if ending is not None:
                    self.defined += ending.latex
                    self.defined_names += ending.names
                    if ending.rest is None:
                        return
                    node = ending.rest
                elif not self._variable(node, error.symbol):
                    raise
                term = self._resolve(node)
            assert isinstance(term, u.Claim)
            for left, op, right in zip(term.sides, term.ops, term.sides[1:], strict=False):
                self.pairs.append(pair_of(left, op, right))

    def _suppose(self, node: s.Relation, link: str) -> bool:
        """Whether a relation says under which condition the one before it is meant."""
        if not self.pairs or not is_condition(link):
            return False
        term = self._known(node)
        if term is not None:
            self.supposed.append(term)
        return term is not None

    def _name_at_the_end(self, node: s.Relation) -> None:
        """A = B → dz_t: what was found goes by that name from here on."""
        last = node.sides[-1]
        if node.ops[-1:] != ("→",) or len(node.sides) < 3:
            return
        flipped = replace(node, sides=(last, node.sides[-2]), ops=(":=",))
        with suppress(RnnsymError):
            if is_name(last, self.table):  # of what dz_t may be by custom, this is meant
                self._mean(flipped)
            elif isinstance(last, s.Symbol) and any(x.index for x in spell(last).scripts):
                found = define(flipped, self.table, self.latex)
                if found is not None:
                    self.defined.append(found.latex)
                    self.defined_names.append(found.name)

    def _mean(self, node: s.Relation) -> None:
        """Take for the meaning of a customary name one under which it is equal to what is found."""
        term = self._resolve(node)
        assert isinstance(term, u.Claim)
        judge = Judge(
            self.net, self.table, self.explicit, tuple(self.conditions), seconds=self.seconds / 4
        )
        outcome = judge.relation(term.sides[0], "=", term.sides[1])
        if outcome.kind == "equal":
            self.table.meant.update(outcome.reading.meant)

    def _learn(self, step: Descent) -> None:
        """A step of gradient descent: what it takes for the gradient must be that."""
        if isinstance(step.gradient, s.Derivative):
            self.defined.append("a step of gradient descent")
            return
        left, gradient = sides_of(step, self._resolve)
        if isinstance(gradient, u.Derivative) or isinstance(step.gradient, s.Differential):  # ∇_W L
            self.defined.append("a step of gradient descent")
            return
        note = "the step descends along the gradient"
        self.pairs.append(Pair(left, "=", gradient, note, step.ascends))

    def _customary(self, node: s.Relation) -> bool:
        """Whether a relation tells a gradient that goes by a customary name, and is true of what
        the name may mean, or false of what its label says; else it may be a definition."""
        left, rest = node.sides[0], node.sides[1:]
        inside = [x for side in rest[:1] for x in nodes(side)]
        derived = any(isinstance(x, s.Derivative | s.Differential) for x in inside)
        pair = derived and node.ops[0] == ":=" and isinstance(left, s.Times)  # dz_2 := ∂L/∂z_2
        if not (node.ops[0] in ("=", "←") or pair) or self.anew or not is_name(left, self.table):
            return False
        term = self._known(node) if self.net is not None else None
        if term is None:
            return False
        known = isinstance(term.sides[0], u.Adjoint) and term.sides[0].label in self.table.sure
        if known:
            self.pairs += [
                pair_of(*x) for x in zip(term.sides, term.ops, term.sides[1:], strict=False)
            ]
            return True
        if derived:
            return (isinstance(left, s.Symbol) or pair) and self._says_so(term)
        judge = Judge(
            self.net, self.table, self.explicit, tuple(self.conditions), seconds=self.seconds / 2
        )
        pairs = [pair_of(*x) for x in zip(term.sides, term.ops, term.sides[1:], strict=False)]
        outcomes = [judge.relation(p.left, p.op, p.right) for p in pairs]
        held = all(o.kind == "equal" for o in outcomes)
        vague = [x.label for x in adjoints_of(*term.sides) if not x.names]
        if not held and vague and vague.count(vague[0]) < 2:  # no recursion: who knows what it is
            return False
        if any(o.kind in ("cannot", "none") for o in outcomes):
            return False
        self.pairs += pairs
        return True

    def _says_so(self, term: u.Claim) -> bool:
        """Whether δ_{z_t} = ∂L/∂z_t = … only says what the name means by custom; what follows is
        claimed of it."""
        name, derivative = term.sides[:2]
        if not _is_what_it_says(name, derivative):
            return False
        assert isinstance(name, u.Adjoint) and isinstance(derivative, u.Derivative)
        self.table.meant[name.label] = getattr(derivative.by[0], "name", ""), "total"
        self.table.sure.add(name.label)
        self.defined.append(f"${name.label}$")
        for a, op, b in zip(term.sides[1:], term.ops[1:], term.sides[2:], strict=False):
            self.pairs.append(Pair(a, op, b))
        return True

    def _resolve(self, node: s.Node) -> u.Term:
        return Resolver(self.table, self.latex)(node)

    def _known(self, node: s.Relation) -> u.Claim | None:
        """A relation, if all of its symbols are known."""
        try:
            term = self._resolve(node)
        except (UnknownSymbolError, UnreadableError):
            return None
        assert isinstance(term, u.Claim)
        return term

    def names(self, node: s.Node) -> set[str]:
        """The customary names of gradients on the left of a relation."""
        left = node.sides[0] if isinstance(node, s.Relation) else node
        try:
            return {x.label for x in adjoints_of(self._resolve(left))}
        except (UnknownSymbolError, UnreadableError):
            return set()

    @property
    def labels(self) -> set[str]:
        """The customary names of gradients in all relations."""
        return {x.label for p in self.pairs for x in adjoints_of(p.left, p.right)}

    @property
    def says_zero(self) -> bool:
        """Whether some side of a relation is nothing but zero."""
        zeros = (u.Num(Fraction(0)), u.Constant("zero"))
        return any(x in zeros for p in self.pairs for x in (p.left, p.right))

    def _condition(self, node: s.Relation) -> list[Condition] | None:
        """A range of indices, such as k < t, if that is what a relation says."""
        sides = []
        if node.end - node.start > MAX_CONDITION:
            return None
        for side in node.sides:
            try:
                term = self._resolve(side)
            except (UnknownSymbolError, UnreadableError):
                return None
            if isinstance(term, u.Num) and term.value.denominator == 1:
                sides.append(Index(int(term.value)))
            elif isinstance(term, u.Whole):
                sides.append(term.index)
            elif isinstance(term, u.Sum) and all(
                isinstance(x, u.Whole | u.Num) for _, x in term.terms
            ):
                total = Index()
                for sign, x in term.terms:
                    part = x.index if isinstance(x, u.Whole) else Index(int(x.value))  # type: ignore[attr-defined]
                    total = total.plus(part, sign)
                sides.append(total)
            else:
                return None
        if not any(side.letters for side in sides):
            return None
        if not all(op in ("<", ">", "≤", "≥", "=", "≠") for op in node.ops):
            return None
        return [Condition(a, op, b) for a, op, b in zip(sides, node.ops, sides[1:], strict=False)]

    def _define(self, node: s.Relation) -> bool:
        """Enter a definition; what follows it, as in δ := … = …, is a claim."""
        found = define(node, self.table, self.latex, self.anew)
        if found is None:
            return False
        self.defined.append(found.latex)
        self.defined_names.append(found.name)
        self.chains[found.name] = found.sides
        for a, op, b in zip(found.sides, found.ops, found.sides[1:], strict=False):
            self.pairs.append(Pair(a, op, b))
        return True

    def settle(self) -> None:
        """Where d := ∂L/∂z ∂z/∂W = δ xᵀ has turned out true, d is what leaves nothing open."""
        for name, sides in self.chains.items():
            known = self.table.definitions.get(name)
            vague = u.Derivative | u.Adjoint
            plain = [x for x in sides if not any(isinstance(y, vague) for y in u.walk(x))]
            if known is not None and known.body == sides[0] and plain and plain[-1] != sides[0]:
                self.table.definitions[name] = replace(known, body=plain[-1])

    def _variable(self, node: s.Node, symbol: str) -> bool:
        """Whether the only unknown of a relation between functions is a variable, such as the z of
        σ′(z) = σ(z)(1 - σ(z)); it is then entered as one."""
        symbols = [o.symbol for o in occurrences(node)]
        unknown = [x for x in symbols if self.table.find(spell(x)) is None]
        names = {
            x.base
            for x in unknown
            if x.base not in CUSTOMARY and x.base not in self.table.functions
        }
        plain = len(names) == 1 and len(symbols) == len(unknown) and names <= VARIABLES
        applied = bool(calls(node)) or any(x.base in CUSTOMARY for x in symbols)
        if not (plain and applied):
            return False
        (name,) = names
        self.table.entries[(name, (), "")] = Entry("free", name)
        return True


def is_condition(link: str) -> bool:
    """Whether the words before a relation make it a condition of the one before it."""
    return bool(_IF.search(link))


def adjoints_of(*sides: u.Term) -> list[u.Adjoint]:
    """The gradients with customary names in some terms."""
    return [x for side in sides for x in u.walk(side) if isinstance(x, u.Adjoint)]


def _is_what_it_says(name: u.Term, derivative: u.Term) -> bool:
    """Whether a customary name, δ_{z_t}, is said to be the derivative that its label names."""
    if not isinstance(name, u.Adjoint) or not isinstance(derivative, u.Derivative):
        return False
    by = derivative.by[0] if len(derivative.by) == 1 else None
    if name.loss is not None and not name.names:  # δ_k^{(t)} = ∂L_t/∂s_k, whatever s is
        of_step = isinstance(derivative.of, u.Leaf) and derivative.of.time == name.loss
        return of_step and isinstance(by, u.Leaf) and by.time == name.time
    of_loss = isinstance(derivative.of, u.Loss)
    return of_loss and isinstance(by, u.Leaf) and (by.name,) == name.names and by.time == name.time


def calls(node: s.Node) -> list[s.Node]:
    """The functions of known name in a node."""
    return [x for x in nodes(node) if isinstance(x, s.Call)]


def _without_kinds(node: s.Node) -> s.Node:
    """A relation without what it says at its end of the kind of its sides, as … ∈ ℝⁿ."""
    if not isinstance(node, s.Relation):
        return node
    cut = next((i for i, op in enumerate(node.ops) if op in KINDS), len(node.ops))
    if cut == len(node.ops):
        return node
    if cut == 0:
        return node.sides[0]
    return replace(node, sides=node.sides[: cut + 1], ops=node.ops[:cut])
