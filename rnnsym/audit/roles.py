"""Whether a formula claims something, defines it, or only names it.

Used by `audit`, statement by statement, before anything is judged.
"""

from __future__ import annotations

import re
from typing import Any

from rnnsym.audit import tongues
from rnnsym.audit.result import CLAIM, INFORMAL, NOTATION
from rnnsym.claims.judge import ORDERS
from rnnsym.claims.numbers import is_arithmetic
from rnnsym.claims.worked import is_worked
from rnnsym.reader import syntax as s
from rnnsym.reader.occurring import nodes
from rnnsym.reader.statements import Statement

#: relations that only say what kind of thing something is, or where it leads
NAMING = {"∈", "→", "~", "⊂", "∉", "↔", "↛"}
#: words after which an inequality is supposed, not claimed
SUPPOSING = re.compile(
    r"\b(if|when|whenever|where|suppose|assume|assuming|given(?! by)|for(?! any| all| every)|"
    r"provided|let|say|case|unless|with(?! any)|while|iff|such that|so that|until|range|"
    r"threshold)\b"
    r"(?!.*\bwe (?:even |also |then |always )?(?:have|get|obtain|find)\b)[^.;]{0,60}$",
    re.IGNORECASE,
)  # fmt: skip
#: words right before a formula that suppose it
ASSUMING = re.compile(
    r"\b(if|when|whenever|suppose|assume|assumes|assuming|given(?! by)|let|say|imagine|unless|"
    r"consider|"
    r"such that|e\.g\.)\b(?!.*\b(then|get|have|obtain|yields|gives|becomes|is|are)\b)"
    r"[^.;,:]{0,60}:?$",
    re.IGNORECASE,
)
#: "is small if $‖W‖ < 1$:"
_UNDER = re.compile(r"\w\s+(?:if|when|whenever|provided(?: that)?)\s+\$…\$\s*:\s*$", re.IGNORECASE)
IMPLIES = (
    "\\Rightarrow",
    "\\implies",
    "\\iff",
    "\\Leftrightarrow",
    "\\Longrightarrow",
    "\\Longleftrightarrow",
)
#: letters of probability and of order, which are no network's business
_CHANCE = {"P", "p", "Pr", "E", "Var", "O", "mathcal", "Cov", "N"}


def role(statement: Statement, before: str, display: bool, known: Any, latex: str = "") -> str:
    """CLAIM where there is something to judge; NOTATION or INFORMAL where there is not.

    known(symbol) says whether a symbol has a meaning in the document's network; latex: the source
    of the statement.
    """
    node = statement.node
    if not isinstance(node, s.Relation):
        return NOTATION
    if set(node.ops) <= NAMING or (len(node.ops) > 1 and set(node.ops) <= {"←", *NAMING}):
        return NOTATION
    node = _without_naming(node)
    computed = is_arithmetic(node, latex) or is_worked(node, latex)
    if computed and (set(node.ops) <= {"=", "≈"} or not SUPPOSING.search(before.strip()[-80:])):
        return CLAIM
    if any(_is_chance(x, known) for x in nodes(node)):
        return INFORMAL
    if node.ops[0] in ORDERS and _is_condition(node, statement, before, display):
        return INFORMAL
    if "≈" in node.ops or "∝" in node.ops:
        return INFORMAL
    if any(isinstance(x, s.Words) and _is_phrase(x) for x in _outside_cases(node)):
        return INFORMAL
    if any(isinstance(side, s.Words) for side in node.sides) or _is_example(node):
        return INFORMAL
    if all(isinstance(x, s.Number | s.Empty) for x in node.sides):
        return NOTATION
    if set(node.ops) <= {"=", ":=", "≠"} and all(map(_is_setting, node.sides)):
        return INFORMAL
    return CLAIM


def _without_naming(node: s.Relation) -> s.Relation:
    """A ≤ B → 0 as A ≤ B: where something leads, or what it is in, makes no claim a supposition."""
    cut = next((i for i, op in enumerate(node.ops) if op in NAMING), len(node.ops))
    if cut in (0, len(node.ops)):
        return node
    return s.Relation(node.sides[: cut + 1], node.ops[:cut], start=node.start, end=node.end)


def _outside_cases(node: s.Node) -> list[s.Node]:
    """What stands in a relation, without the conditions of cases, which may be words."""
    conditions = {
        id(y)
        for x in nodes(node)
        if isinstance(x, s.Table) and x.kind == "cases"
        for row in x.rows
        for cell in row[1:]
        for y in nodes(cell)
    }
    return [x for x in nodes(node) if id(x) not in conditions]


def is_supposed(statement: Statement, before: str) -> bool:
    """Whether the words before a relation suppose it."""
    words = " ".join(filter(None, [before.strip()[-80:] if not statement.link.strip(", ") else "",
                                   statement.link]))  # fmt: skip
    words = words.strip(" ,")
    if _is_of_nothing(statement.node) and tongues.is_conditional(before):
        return True  # if only the last step has a loss, then ∂ℓ_t/∂h_t = 0
    return bool(ASSUMING.search(words)) or tongues.supposes(words)


def _is_of_nothing(node: s.Node) -> bool:
    """Whether something is said to be zero."""
    return isinstance(node, s.Relation) and any(
        isinstance(x, s.Number) and x.value == 0 for x in node.sides
    )


def follows(statement: Statement) -> bool:
    """Whether a relation is said to follow from the one before it."""
    return any(x in statement.link for x in IMPLIES)


def is_prose(latex: str) -> bool:
    """Whether what cannot be read is words, or numbers only."""
    phrases = re.findall(r"\\(?:text|mathrm|textrm|mbox|operatorname)\s*\{([^{}]*)\}", latex)
    if any(len(p.split()) > 1 and len(p.strip()) > 6 for p in phrases):
        return True
    return not re.search(r"[A-Za-z]", re.sub(r"\\[A-Za-z]+", "", latex))


def _is_phrase(x: s.Words) -> bool:
    """Several words in the place of a quantity."""
    return len(x.text.split()) > 1 and len(x.text.strip()) > 6


def _is_example(node: s.Relation) -> bool:
    """Numbers for quantities: a matrix, a list or a decimal number as a side or a factor."""
    ops = [*node.ops, "∈"]
    for side in node.sides[: next(i for i, op in enumerate(ops) if op in NAMING) + 1]:
        parts = [x for _, x in side.factors] if isinstance(side, s.Times) else [side]
        if any(map(_is_numeric, parts)):
            return True
    return False


def _is_numeric(node: s.Node) -> bool:
    """A table or a list of numbers."""
    if isinstance(node, s.Scripted):
        node = node.base
    listed = isinstance(node, s.Table) or (isinstance(node, s.Bracket) and len(node.parts) > 1)
    inside = [x for x in nodes(node) if isinstance(x, s.Symbol | s.Call | s.Words)]
    return listed and not inside


def may_hold(statement: Statement, before: str) -> bool:
    """Whether an inequality that nobody supposes might hold by itself, as |tanh′| ≤ 1 does."""
    node = statement.node
    if not isinstance(node, s.Relation) or not set(node.ops) <= {"≤", "≥", "<", ">"}:
        return False
    if any(isinstance(x, s.Derivative | s.Differential) for x in nodes(node)):
        return False  # small at the points that were tried is not small
    return not SUPPOSING.search(before.strip()[-80:]) and not statement.link.strip(", ")


def _is_chance(node: s.Node, known: Any) -> bool:
    """P(… | …), E[…], O(…): probabilities, expectations, orders."""
    if not isinstance(node, s.Times):
        return isinstance(node, s.Bracket) and node.separator in ("|", r"\mid") and node.kind == "("
    for (_, a), (op, b) in zip(node.factors, node.factors[1:], strict=False):
        if not isinstance(a, s.Symbol) or not isinstance(b, s.Bracket) or op:
            continue
        if (
            a.base in _CHANCE
            and not known(a)
            and (a.font in ("mathbb", "mathcal", "text", "rm", "mathbf") or a.base in "PpO")
        ):
            return True
    return False


def _of_parameters(node: s.Node) -> bool:
    """Whether a side is a name, or the norm of one: nothing that is computed."""
    if isinstance(node, s.Bracket) and len(node.parts) == 1:
        return _of_parameters(node.parts[0])
    return isinstance(node, s.Symbol)


def is_range(node: s.Relation) -> bool:
    """Whether a relation says nothing but between which numbers a number lies: 0 < α < 1."""
    symbols = [x for x in node.sides if isinstance(x, s.Symbol)]
    plain = all(isinstance(x, s.Number | s.Symbol) for x in node.sides)
    return plain and len(symbols) == 1 and set(node.ops) <= {"<", ">", "≤", "≥"}


def _is_setting(node: s.Node) -> bool:
    """A name or a number: h_0 = 0, w = 1 suppose a value."""
    if isinstance(node, s.Add) and len(node.terms) == 1:
        node = node.terms[0][1]
    return isinstance(node, s.Number | s.Symbol)


def _is_condition(node: s.Relation, statement: Statement, before: str, display: bool) -> bool:
    """An inequality that is supposed: after "if", or against a plain number in running text."""
    words = f"{before} {statement.link}"
    if re.search(r"\b(if|when|where|suppose|assume|for|case)\b", statement.link, re.IGNORECASE):
        return True
    number = any(isinstance(x, s.Number) for x in node.sides)
    if number and all(isinstance(x, s.Number) or _of_parameters(x) for x in node.sides):
        return True  # nothing but a choice of parameters
    bound = display and not number and _UNDER.search(before)  # what holds anyhow, holds then too
    if SUPPOSING.search(before.strip()[-80:]) and not statement.link.strip(", ") and not bound:
        return True
    return number and not display and bool(words is not None)


__all__ = ["CLAIM", "INFORMAL", "NOTATION", "role"]
