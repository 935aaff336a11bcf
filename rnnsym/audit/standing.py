"""How a statement stands to a network: what it takes from elsewhere, what it only defines.

Used by `audit` before "false" is said of a claim: where a network is not all that a document tells
of, or a formula gives a name, nothing is false.
"""

from __future__ import annotations

import re
from typing import Any

from rnnsym.audit.scopes import INPUTS
from rnnsym.functions import KNOWN
from rnnsym.reader import syntax as s
from rnnsym.reader import terms as u
from rnnsym.reader.equations import call_of
from rnnsym.reader.gradients import is_name
from rnnsym.reader.making import Built
from rnnsym.reader.meanings import CUSTOMARY
from rnnsym.reader.occurring import FUNCTION_LETTERS, LOSS_LETTERS, nodes, occurrences
from rnnsym.reader.statements import Statement, read_formula
from rnnsym.reader.symbols import spell
from rnnsym.reader.table import Table
from rnnsym.reader.tokens import UnreadableError
from rnnsym.reader.vocabulary import Vocabulary

#: the end of a sentence that has its formula
_OVER = re.compile(r"\$…\$[^$.!?]*[.!?](?=\s|$)")


def why_open(
    statement: Statement,
    built: Built,
    table: Table,
    k: int,
    message: str,
    given: bool,
    named: set[str],
) -> str:
    """Why a claim in formula k that is false of a network may be true of the one that is meant; ""
    if nothing says so. table: the names in the claim; message: what is wrong; given: the network is
    the user's, and whole; named: what the document only gives names to."""
    missing = lost(statement, built, table)
    if "a matrix (" in message:
        missing = sorted(built.lost - named)  # the shapes hang on all equations
    if missing:
        return f"the equations of {', '.join(missing)} could not be used"
    open_ = "" if given else not_computed(built) or varied_input(statement, built)
    if open_:
        return f"what gives {open_}?"
    later = comes_later(statement, built, k)
    return f"what is {later} here? it comes later" if later else ""


def lost(statement: Statement, built: Built, table: Table) -> list[str]:
    """The quantities of a statement whose equations are none of the network's."""
    found = (table.find(o.spelled) for o in occurrences(statement.node))
    # of the loss only that of a step may be odd
    names = {f.entry.name for f in found if f is not None and (f.entry.name != "L" or f.time)}
    return sorted(built.lost & names)


def not_computed(built: Built) -> str:
    """A quantity that equations take from another step, though none computes it: not all of the
    network was found. Inputs and targets may come from there."""
    if built.net is None:
        return ""
    given = [n for n in built.net.inputs if n[:1] not in (*INPUTS, "u", "y")]
    lines = [line for n, line in built.written.items() if n != "L"]
    return next((n for n in given if any(re.search(rf"\b{n}\[t-", x) for x in lines)), "")


def varied_input(statement: Statement, built: Built) -> str:
    """A quantity that is derived by something, though no equation computes it."""
    if built.net is None:
        return ""
    for x in nodes(statement.node):
        if isinstance(x, s.Derivative) and isinstance(x.of, s.Symbol):
            found = built.table.find(spell(x.of))
            weight = found is not None and found.entry.kind == "parameter"
            if found is not None and (weight or found.entry.name in built.net.inputs):
                return found.entry.name
    return ""


def comes_later(statement: Statement, built: Built, k: int) -> str:
    """A quantity of a statement that no formula has defined so far, and nothing else depends on."""
    for o in occurrences(statement.node):
        found = built.table.find(o.spelled)
        name = found.entry.name if found is not None else ""
        if name in built.kept and built.kept[name].formula > k and name != "L":
            lines = [line for n, line in built.written.items() if n not in (name, "L")]
            if not any(f"{name}[" in line for line in lines):
                return name
    return ""


def of_one_step(diagnosis: str, table: Table) -> str:
    """What to ask, where a claim about the loss is right of that of one step, ∂L_t/∂h_t: before
    later steps are spoken of, L is often meant so. "" for any other diagnosis."""
    told = re.fullmatch(r"(\S+) stands where (\S+) should", diagnosis)
    if told is None:
        return ""
    found = []
    for latex in told.groups():
        try:
            node = read_formula(latex).statements[0].node
        except (UnreadableError, IndexError):
            return ""
        found.append(table.find(spell(node)) if isinstance(node, s.Symbol) else None)
    plain, timed = found
    if plain is None or timed is None or plain.entry.name != "L" or timed.entry.name != "L":
        return ""
    if plain.time is not None or timed.time is None:
        return ""
    return f"it is right of {told.group(2)}, the loss of one step: is that what {told.group(1)} is?"


def needs_steps(latex: str, correction: str, table: Table) -> str:
    """What to ask, where a correction speaks of the loss of a step, of which a claim does not."""

    def steps(text: str) -> bool:
        try:
            found = [o for st in read_formula(text).statements for o in occurrences(st.node)]
        except UnreadableError:
            return False
        known = (table.find(o.spelled) for o in found)
        return any(f is not None and f.entry.name == "L" and f.time is not None for f in known)

    if correction and steps(correction) and not steps(latex):
        return "it is right if the loss is one of the last step only: is there one at each step?"
    return ""


def redefines(before: str) -> bool:
    """Whether the words before a formula announce a definition."""
    tail = _OVER.split(before.strip().lower())[-1][-40:]
    return any(
        w in tail
        for w in ("let ", "let us", "define", "denote", "write ", "where", "set ", "call ")
    )


def of_few_steps(vocabulary: Vocabulary, judged: Any) -> str:
    """What to ask of a claim about the loss where a document writes that out for some steps, L =
    (L_1 + L_2)/2: it may be meant of so many only."""
    sides = [side for p in judged.pairs for side in (p.left, p.right)]
    about = any(isinstance(x, u.Loss | u.Adjoint) for side in sides for x in u.walk(side))
    for _, node, _ in vocabulary.statements if about else ():
        left = node.sides[0] if isinstance(node, s.Relation) else None
        if not isinstance(left, s.Symbol) or left.base not in LOSS_LETTERS or left.sub or left.sup:
            continue
        assert isinstance(node, s.Relation)
        inside = [o.spelled for o in occurrences(node.sides[1]) if o.symbol.base == left.base]
        steps = {x.text for spelled in inside for x in spelled.scripts if x.text.isdigit()}
        if len(steps) > 1:
            return f"the loss is written out for {len(steps)} steps: is it of these only?"
    return ""


def says_a_loss(statement: Statement, table: Table) -> bool:
    """Whether a relation says what a loss is, Σ_t L(y_t, ŷ_t) = …: that may be another one."""
    node = statement.node
    if not isinstance(node, s.Relation) or node.ops[0] not in ("=", ":="):
        return False
    quotients = s.Derivative | s.Differential | s.Fraction_
    if any(isinstance(x, quotients) for x in nodes(node.sides[0])):
        return False
    if any(isinstance(x, s.Derivative | s.Differential) for x in nodes(node)):
        return False
    left = [table.find(o.spelled) for o in occurrences(node.sides[0])]
    return any(x is not None and x.entry.name == "L" for x in left)


def names_something(statement: Statement) -> bool:
    node = statement.node
    return isinstance(node, s.Relation) and isinstance(node.sides[0], s.Symbol)


def says_what_it_is(statement: Statement, table: Table) -> bool:
    """Whether a gradient by its customary name is said to be some derivative, δh_t = ∂ℓ_t/∂h_t:
    that may be what it is, whatever custom has."""
    node = statement.node
    if not isinstance(node, s.Relation) or len(node.sides) != 2 or node.ops[0] not in ("=", ":="):
        return False
    return is_name(node.sides[0], table) and isinstance(node.sides[1], s.Derivative)


def renames(statement: Statement, table: Table) -> bool:
    """Whether a relation says what a quantity is, in another example or another model: its name
    alone on the left, no derivative and no sum over steps on the right, or a derivative that
    the name stands for from here on."""
    node = statement.node
    if not isinstance(node, s.Relation) or node.ops[0] not in ("=", ":=") or len(node.sides) != 2:
        return False
    left, right = node.sides
    if is_name(left, table):
        return False
    if (
        isinstance(left, s.Times)
        and len(left.factors) == 2
        and isinstance(left.factors[1][1], s.Bracket)
    ):
        left = left.factors[0][1]
    if not isinstance(left, s.Symbol):
        return False
    found = table.find(spell(left))
    if found is not None and found.entry.kind not in ("vector", "parameter"):
        return False
    inside = list(nodes(right))
    return not any(isinstance(x, s.Big) for x in inside)


def assigns(statement: Statement, table: Table) -> bool:
    """Whether a step of a program gives a value to what the network computes: C ← f ⊙ C, after
    which something may be added."""
    node = statement.node
    if not isinstance(node, s.Relation) or node.ops not in (("←",), ("=",)):
        return False
    left = node.sides[0]
    if node.ops == ("=",):  # J = J J_t
        return isinstance(left, s.Symbol) and any(
            isinstance(x, s.Symbol) and x == left for x in nodes(node.sides[1])
        )
    found = table.find(spell(left)) if isinstance(left, s.Symbol) else None
    return found is not None and found.entry.kind == "vector"


def speaks_by_value(vocabulary: Vocabulary) -> bool:
    """Whether a document writes the derivatives of functions of their values throughout: σ′(z_t)
    and tanh′(c_t), where z_t = σ(…) and c_t = tanh(…)."""
    gives: dict[str, str] = {}
    for f in vocabulary.forward:
        entry, call = vocabulary.table.entries.get(f.key), call_of(f.right)
        if entry is not None and call is not None:
            gives[entry.name] = CUSTOMARY.get(call[0], call[0])
    found: set[str] = set()
    primed: list[tuple[str, s.Node]] = []
    for _, node, _ in vocabulary.statements:
        calls = [x for x in nodes(node) if isinstance(x, s.Call) and x.primes == 1]
        primed += [(x.function, x.argument) for x in calls]
        primed += [
            (o.symbol.base, o.applied)
            for o in occurrences(node)
            if o.applied is not None and o.spelled.primes == 1
        ]
    for function, inner in primed:
        if isinstance(inner, s.Bracket) and len(inner.parts) == 1:
            inner = inner.parts[0]
        of = vocabulary.table.find(spell(inner)) if isinstance(inner, s.Symbol) else None
        if of is None or of.entry.kind != "vector" or of.time is None:
            continue
        if gives.get(of.entry.name) != CUSTOMARY.get(function, function):
            return False
        found.add(of.entry.name)
    return len(found) > 1


def supposes(statement: Statement, table: Table) -> bool:
    """Whether an equation speaks of nothing but weights, or says of a function that it is another
    one: Wᵀ W = I, g′ = 1 - tanh². It may be a choice, so that it is not false."""
    node = statement.node
    if not isinstance(node, s.Relation) or set(node.ops) - {"=", "≈", "∈"}:
        return False
    found = [table.find(o.spelled) for o in occurrences(node)]
    # z without a time is no step's: the variable of a function
    kinds = {f.entry.kind for f in found if f is not None and (f.time or f.entry.kind != "vector")}
    if kinds & {"vector", "gradient", "definition"} or any(
        isinstance(x, s.Derivative | s.Differential) for x in nodes(node)
    ):
        return False
    if "parameter" in kinds:
        return True
    named = {x.function for x in nodes(node) if isinstance(x, s.Call) and x.function in KNOWN}
    return bool(named) and any(o.symbol.base in FUNCTION_LETTERS for o in occurrences(node))


def has_meaning(body: u.Term, names: set[str], defined: set[str]) -> bool:
    """Whether everything that a definition speaks of is known."""
    return all(
        x.name in (names if isinstance(x, u.Leaf) else defined)
        for x in u.walk(body)
        if isinstance(x, u.Leaf | u.Defined)
    )
