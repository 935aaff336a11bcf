"""A formula judged: read, its definitions set apart, its relations tested, told in words.

The entry to `rnnsym.claims`; `rnnsym.audit` calls it for each formula of a document.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from typing import Any

from rnnsym.claims.bounds import at_the_end
from rnnsym.claims.conditions import Condition
from rnnsym.claims.defining import define
from rnnsym.claims.errors import TooLargeError
from rnnsym.claims.explain import counterexample, reading_in_words, shown
from rnnsym.claims.generic import for_each
from rnnsym.claims.judge import Judge, Outcome
from rnnsym.claims.learning import Descent, descent, sides_of
from rnnsym.claims.pairs import Pair, of_functions, pair_of
from rnnsym.claims.verdict import DEFINITION, FALSE, IDLE, TRUE, UNKNOWN, UNREADABLE, Verdict
from rnnsym.errors import RnnsymError
from rnnsym.reader import syntax as s
from rnnsym.reader import terms as u
from rnnsym.reader.einstein import with_sums
from rnnsym.reader.families import written_out
from rnnsym.reader.gradients import is_name
from rnnsym.reader.indices import Index
from rnnsym.reader.macros import expand
from rnnsym.reader.meanings import CUSTOMARY, UnknownSymbolError
from rnnsym.reader.occurring import nodes, occurrences
from rnnsym.reader.resolve import Resolver
from rnnsym.reader.statements import Reading, Statement, read_formula
from rnnsym.reader.symbols import spell
from rnnsym.reader.table import Entry, Table, of_network
from rnnsym.reader.tokens import UnreadableError, printable

#: letters that stand for a number where only functions are spoken of
VARIABLES = {"x", "z", "u", "v", "s", "y", "a", "h"}
#: relations that say what kind of thing something is, or where it goes
KINDS = ("∈", "∉", "⊂", "→", "~", "↛", "↔")
#: a formula of more relations is not judged
MAX_RELATIONS = 100
#: characters of a range of indices
MAX_CONDITION = 200
#: seconds of the processor for diagnoses that take two changes
PAIRS = 3.0
TOO_DEEP = "too large: nested too deeply"
TOO_LONG = "too large: it takes too long to decide"


#: how the label of a gradient begins that is written as a perturbation is, δ h
PERTURBED = r"\delta "
#: what the notation of a network that was read from LaTeX goes by
AS_READ = "as read"


def check(
    claim: str,
    net: Any,
    notation: str | None = None,
    macros: Mapping[str, Any] | None = None,
    seconds: float = 10.0,
    diagnose: bool = True,
    einstein: bool = False,
) -> Verdict:
    """Judge a formula of a network.

    notation: the profile that the formula is written in, by default the network's own and then
    every other in which all its symbols have a meaning; einstein: an index that stands twice in a
    product is summed over. Raises nothing for a bad formula: the
    verdict says that it is "unreadable", or "unknown" where a symbol has no meaning.
    """
    from rnnsym.latex import PROFILES

    own = net.options.get("notation", "post")
    names = [notation] if notation else [own, *(p for p in PROFILES if p != own)]
    if not notation and getattr(net, "reading_table", None) is not None:
        own = AS_READ
        names.insert(0, own)
    found: list[tuple[Verdict, str, Formula | None]] = []
    end = time.monotonic() + seconds  # for all notations together
    for name in names:
        left = end - time.monotonic()
        if found and left < 0:
            found.append((Verdict(claim, UNKNOWN, TOO_LONG), name, None))
            break
        table = _table(net, name)
        verdict, formula = _judged(claim, net, table, macros, left, einstein=einstein)
        refuted = any(v.verdict == FALSE for v, *_ in found)
        # what is false in one notation, another would only take for new names
        if verdict.verdict in (TRUE, UNREADABLE) or (verdict.verdict == DEFINITION and not refuted):
            found = [(verdict, name, formula)]
            break
        found.append((verdict, name, formula))
    # what is false in one notation may be true in another for which there was no time
    found.sort(key=lambda v: (not v[0].message.startswith("too large"), v[0].verdict != FALSE))
    verdict, name, formula = found[0]
    if formula is not None and diagnose:
        verdict = formula.explained(verdict)
    return verdict if name == own else _in_notation(verdict, name)


def _table(net: Any, notation: str) -> Table:
    """The names of a network in a notation; of one that was read, as they were written."""
    if notation != AS_READ:
        return of_network(net, notation)
    table: Table = net.reading_table.copy()
    printed = of_network(net)
    for key, entry in printed.entries.items():
        table.entries.setdefault(key, entry)
    for name, definition in printed.definitions.items():
        table.definitions.setdefault(name, definition)
    for name, function in printed.functions.items():
        table.functions.setdefault(name, function)
    return table


def _in_notation(verdict: Verdict, name: str) -> Verdict:
    if verdict.verdict not in (TRUE, FALSE):
        return verdict
    reading = "; ".join(filter(None, [verdict.reading, f"in the notation {name}"]))
    return replace(verdict, reading=reading)


def judge_formula(
    claim: str,
    net: Any,
    table: Table,
    macros: Mapping[str, Any] | None = None,
    seconds: float = 10.0,
    diagnose: bool = True,
    conditions: Sequence[Condition] = (),
    explicit: bool = False,
) -> Verdict:
    """Judge a formula whose symbols a table knows; definitions in it are entered into the table.

    What takes more than `seconds` is "unknown".
    """
    return _judged(claim, net, table, macros, seconds, diagnose, conditions, explicit)[0]


def _judged(
    claim: str,
    net: Any,
    table: Table,
    macros: Mapping[str, Any] | None,
    seconds: float,
    diagnose: bool = False,
    conditions: Sequence[Condition] = (),
    explicit: bool = False,
    einstein: bool = False,
) -> tuple[Verdict, Formula | None]:
    """The verdict, and the formula, which can give a diagnosis later."""
    try:
        reading = read_formula(written_out([expand(claim, macros or {})])[0])
        reading = with_sums(reading) if einstein else reading
    except UnreadableError as error:
        text = position_text(error, claim)
        return Verdict(claim, UNREADABLE, text, position=error.position), None
    except RecursionError:
        return Verdict(claim, UNKNOWN, TOO_DEEP), None
    formula = Formula(claim, reading, net, table, seconds, diagnose, tuple(conditions), explicit)
    return formula.judge(), formula


def position_text(error: UnreadableError, source: str) -> str:
    """Why and where a formula cannot be read."""
    after = printable(" ".join(source[error.position : error.position + 20].split()))
    return f"{error.why} (at character {error.position + 1}{f': {after}' if after else ''})"


class Formula:
    """One formula on its way to a verdict."""

    def __init__(
        self, claim: str, reading: Reading, net: Any, table: Table, seconds: float, diagnose: bool,
        conditions: tuple[Condition, ...], explicit: bool,
    ) -> None:  # fmt: skip
        self.claim, self.reading, self.net, self.table = claim, reading, net, table
        self.latex, self.seconds, self.diagnose = reading.latex, seconds, diagnose
        self.conditions, self.given = list(conditions), conditions
        self.begun = time.monotonic()
        self.explicit = explicit or r"\partial^" in self.latex
        self.pairs: list[Pair] = []
        self.defined: list[str] = []
        self.defined_names: list[str] = []
        self.refuted: tuple[Judge, Pair, Outcome] | None = None  # the first relation that is false
        self.anew = False  # names may be defined anew
        self.thorough = True  # as `Judge` has it
        self.stand_in: Formula | None = None  # with a letter entered that nothing defines
        self.pairs_seconds = PAIRS  # for diagnoses that take two changes
        self.skip_first = False  # the first relation is an equation of the network itself

    def judge(self) -> Verdict:
        """The verdict on the whole formula: that of its worst relation."""
        waiting: list[Statement] = []
        try:
            for statement in self.reading.statements:
                try:
                    self._take(statement)
                except UnknownSymbolError:  # a later statement may define it
                    waiting.append(statement)
            for statement in waiting:
                self._take(statement)
        except UnknownSymbolError as error:
            found = for_each(error.symbol, self.table, self._again, self._named())
            if found is None:
                return Verdict(self.claim, UNKNOWN, str(error), position=error.position)
            return self.explained(found) if self.diagnose else found
        except UnreadableError as error:
            return Verdict(
                self.claim, UNREADABLE, position_text(error, self.latex), position=error.position
            )
        except TooLargeError as error:
            return Verdict(self.claim, UNKNOWN, str(error))
        except RecursionError:
            return Verdict(self.claim, UNKNOWN, TOO_DEEP)
        if not self.pairs:
            if self.defined:
                names = printable(", ".join(self.defined))
                return Verdict(self.claim, DEFINITION, f"defines {names}")
            return Verdict(
                self.claim, UNREADABLE, "no relation: there is nothing to judge", position=0
            )
        judge = Judge(
            self.net, self.table, self.explicit, tuple(self.conditions), seconds=self.seconds
        )
        judge.thorough = self.thorough
        zero = u.Num(Fraction(0))
        judge.vanishing = any(zero in (p.left, p.right) for p in self.pairs)
        parts: list[Verdict] = []
        for k in range(len(self.pairs)):
            parts.append(self._in_chain(judge, k, parts))
        for kind in (FALSE, UNREADABLE, UNKNOWN, TRUE):
            worst = [p for p in parts if p.verdict == kind]
            if worst:
                break
        first = worst[0]
        if first.verdict == TRUE:
            every = [*(p.reading for p in parts), *amended(self.reading)]
            readings = list(dict.fromkeys(filter(None, every)))
            first = replace(first, reading=" | ".join(readings), evidence=parts[-1].evidence)
        found = replace(first, parts=tuple(parts) if len(parts) > 1 else ())
        return self.explained(found) if self.diagnose else found

    def _named(self) -> set[str]:
        """What the formula names."""
        seen = (o for st in self.reading.statements for o in occurrences(st.node))
        found = (self.table.find(o.spelled) for o in seen)
        return {f.entry.name for f in found if f is not None}

    def _again(self, table: Table) -> Verdict:
        """The verdict with another table; what is wrong is explained with the last of them."""
        left = max(0.0, self.begun + self.seconds - time.monotonic())
        other = Formula(
            self.claim, self.reading, self.net, table, left, False, tuple(self.given),
            self.explicit,
        )  # fmt: skip
        other.anew, other.thorough, other.skip_first = self.anew, False, self.skip_first
        other.pairs_seconds = self.pairs_seconds
        self.stand_in = other
        return other.judge()

    def _in_chain(self, judge: Judge, k: int, parts: list[Verdict]) -> Verdict:
        """The verdict on one relation. In A = B = C, C may be equal to A under another reading than
        B is: then all are equal."""
        known = self.refuted
        found = self._verdict(judge, self.pairs[k])
        first = k
        while first and self.pairs[first - 1].right is self.pairs[first].left:
            first -= 1
        ops = {p.op for p in self.pairs[first : k + 1]}
        held = first < k and ops == {"="} and all(p.verdict == TRUE for p in parts[first:])
        if found.verdict != FALSE or not held:
            return found
        mine, self.refuted = self.refuted, known
        again = self._verdict(judge, Pair(self.pairs[first].left, "=", self.pairs[k].right))
        if again.verdict == TRUE:
            return again
        self.refuted = mine
        return found

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
        if isinstance(gradient, u.Derivative):  # ∇_W L
            self.defined.append("a step of gradient descent")
            return
        note = "the step descends along the gradient"
        self.pairs.append(Pair(left, "=", gradient, note))

    def _customary(self, node: s.Relation) -> bool:
        """Whether a relation tells a gradient that goes by a customary name, and is true of what
        the name may mean, or false of what its label says; else it may be a definition."""
        left, rest = node.sides[0], node.sides[1:]
        if node.ops[0] not in ("=", "←") or self.anew or not is_name(left, self.table):
            return False
        inside = [x for side in rest[:1] for x in nodes(side)]
        derived = any(isinstance(x, s.Derivative | s.Differential) for x in inside)
        if self.net is None:
            return False
        try:
            term = self._resolve(node)
        except (UnknownSymbolError, UnreadableError):
            return False
        assert isinstance(term, u.Claim)
        known = isinstance(term.sides[0], u.Adjoint) and term.sides[0].label in self.table.sure
        if known:
            self.pairs += [
                pair_of(*x) for x in zip(term.sides, term.ops, term.sides[1:], strict=False)
            ]
            return True
        if derived:
            return isinstance(left, s.Symbol) and self._says_so(term)
        judge = Judge(
            self.net, self.table, self.explicit, tuple(self.conditions), seconds=self.seconds / 2
        )
        pairs = [pair_of(*x) for x in zip(term.sides, term.ops, term.sides[1:], strict=False)]
        outcomes = [judge.relation(p.left, p.op, p.right) for p in pairs]
        held = all(o.kind == "equal" for o in outcomes)
        vague = [x.label for x in _adjoints(*term.sides) if not x.names]
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
        assert isinstance(name, u.Adjoint)
        self.table.meant[name.label] = name.names[0], "total"
        self.table.sure.add(name.label)
        self.defined.append(f"${name.label}$")
        for a, op, b in zip(term.sides[1:], term.ops[1:], term.sides[2:], strict=False):
            self.pairs.append(Pair(a, op, b))
        return True

    def _resolve(self, node: s.Node) -> u.Term:
        return Resolver(self.table, self.latex)(node)

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
        for a, op, b in zip(found.sides, found.ops, found.sides[1:], strict=False):
            self.pairs.append(Pair(a, op, b))
        return True

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

    # ---- verdicts ------------------------------------------------------------------------

    def _verdict(self, judge: Judge, pair: Pair) -> Verdict:
        pair = of_functions(pair)
        try:
            return self._tell(judge, pair, judge.relation(pair.left, pair.op, pair.right))
        except TooLargeError as error:
            return Verdict(self.claim, UNKNOWN, str(error))
        except RecursionError:
            return Verdict(self.claim, UNKNOWN, TOO_DEEP)

    def _tell(self, judge: Judge, pair: Pair, outcome: Outcome) -> Verdict:
        names = shown(pair.left, pair.right, self.latex)
        if outcome.kind == "equal":
            self.table.meant.update(outcome.reading.meant)
            words = reading_in_words(outcome, names, pair.left, pair.right)
            words = "; ".join(filter(None, [pair.note, words]))
            message = f"true, when {words}" if words else "true"
            if outcome.limited:
                message += f", {outcome.limited}"
                words = "; ".join(filter(None, [words, outcome.limited]))
            return Verdict(self.claim, TRUE, message, words, evidence(outcome))
        if outcome.kind in ("cannot", "none"):
            return Verdict(self.claim, UNKNOWN, outcome.why)
        if pair.op == "←" and isinstance(pair.left, u.Adjoint):
            return Verdict(self.claim, UNKNOWN, f"at which step is ${pair.left.label}$ set?")
        if pair.partial:
            why = "it is not all that is added: what else is?"
            return Verdict(self.claim, UNKNOWN, why)
        bare = [
            x
            for side in (pair.left, pair.right)
            for x in u.walk(side)
            if isinstance(x, u.Apply) and x.argument == u.Free("·")
        ]
        if bare and any(isinstance(x, u.Leaf) for s in (pair.left, pair.right) for x in u.walk(s)):
            return Verdict(
                self.claim, UNKNOWN, f"{bare[0].function} of what? its argument is left out"
            )
        unsaid = {
            x.name
            for side in (pair.left, pair.right)
            for x in u.walk(side)
            if isinstance(x, u.Leaf) and x.implied
        }
        if unsaid:
            names_ = ", ".join(sorted(unsaid))
            message = f"false, if {names_} is meant at step t; at which step is it?"
            return Verdict(self.claim, UNKNOWN, message)
        found = counterexample(judge, pair.left, pair.op, pair.right, outcome)
        why = "the two sides differ" if pair.op in ("=", ":=", "≈", "←") else "it does not hold"
        why = outcome.why if outcome.kind == "misfit" else why
        message = f"false under every reading: {why}"
        self.refuted = self.refuted or (judge, pair, outcome)
        return Verdict(self.claim, FALSE, message, "", evidence(outcome), counterexample=found)

    def explained(self, verdict: Verdict) -> Verdict:
        """The verdict with the diagnosis of the first relation that is false."""
        if self.stand_in is not None:
            return self.stand_in.explained(verdict)
        if self.refuted is None or verdict.verdict != FALSE:
            return verdict
        from rnnsym.claims.repair import diagnose

        try:
            found = diagnose(self, *self.refuted, verdict)
        except (RnnsymError, RecursionError):  # it only adds to what is decided
            found = verdict
        named = [
            x
            for x in _adjoints(self.refuted[1].left, self.refuted[1].right)
            if x.label not in self.table.sure
        ]
        shaken = [x for x in named if x.label.startswith(PERTURBED)]  # or it perturbs something
        unsettled = any(x.label not in self.table.meant for x in shaken)
        if named and (not found.correction or unsettled):  # nothing but custom says what is meant
            return Verdict(
                self.claim,
                UNKNOWN,
                f"true of nothing that ${named[0].label}$ is by custom: what is it?",
            )
        return found


def _adjoints(*sides: u.Term) -> list[u.Adjoint]:
    """The gradients with customary names in some terms."""
    return [x for side in sides for x in u.walk(side) if isinstance(x, u.Adjoint)]


def _is_what_it_says(name: u.Term, derivative: u.Term) -> bool:
    """Whether a customary name, δ_{z_t}, is said to be the derivative that its label names."""
    if not isinstance(name, u.Adjoint) or not isinstance(derivative, u.Derivative):
        return False
    by = derivative.by[0] if len(derivative.by) == 1 else None
    of_loss = isinstance(derivative.of, u.Loss)
    return of_loss and isinstance(by, u.Leaf) and (by.name,) == name.names and by.time == name.time


def amended(reading: Reading) -> list[str]:
    """What had to be mended in a formula to read it, in words."""
    found = [x for st in reading.statements for x in nodes(st.node)]
    places = [x for x in found if isinstance(x, s.Derivative) and x.amended]
    shown_ = (" ".join(reading.latex[x.start : x.end].split()) for x in places)
    return [f"the denominator of ${x}$ lacks a ∂" for x in shown_]


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


def evidence(outcome: Outcome) -> str:
    """What decided, and how sure it is."""
    if outcome.kind == "equal" and outcome.why == "sampled":
        return f"sampled in 50-digit numbers ({outcome.cases} cases): supports, does not prove"
    if outcome.numeric and outcome.kind != "equal":
        return "50-digit numbers: refuted"
    if outcome.idle:
        return IDLE
    if outcome.numeric:
        return f"50-digit numbers, {outcome.points} points, {outcome.cases} cases"
    if outcome.kind == "equal":
        return (
            f"exact identity test in the field of 2^61 - 1 elements, {outcome.points} points "
            f"(several lengths and sizes), {outcome.cases} cases; P(error) < 2^-50"
        )
    return "exact identity test in the field of 2^61 - 1 elements: refuted"
