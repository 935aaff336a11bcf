"""Steps of gradient descent, W ← W - η X and ΔW = -η X: they claim that X is the gradient by W.

Used by `taking`, before a relation is resolved. The rate is a letter that nothing defines; where X
is written as a derivative, nothing is claimed. What is added may be more than one step's, or a
gradient of something else with the other sign: then it is not false.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from rnnsym.reader import syntax as s
from rnnsym.reader import terms as u
from rnnsym.reader.symbols import Spelled, spell
from rnnsym.reader.table import Table

#: letters of learning rates
RATES = {"eta", "alpha", "mu", "epsilon", "gamma", "lambda", "rho", "nu", "beta", "lr"}
#: labels of a weight before and after a step
MOMENTS = {"new", "old", "neu", "alt", "next", "updated", "current"}


@dataclass(frozen=True)
class Descent:
    """A step of gradient descent: the weight, and what is said to be the gradient by it."""

    weight: s.Symbol
    gradient: s.Node
    ascends: bool = False  # X is added, W ← W + η X: it is the gradient with the other sign


def descent(node: s.Relation, table: Table) -> Descent | None:
    """The step of gradient descent that a relation is; None if it is none."""
    if len(node.sides) != 2 or node.ops[0] not in ("=", "←", ":="):
        return None
    left, right = node.sides
    terms = right.terms if isinstance(right, s.Add) else ((1, right),)
    if isinstance(left, s.Times):  # ΔW
        weight = _changed(left)
    else:
        weight = _bare(left) if isinstance(left, s.Symbol) else None
        rest = [x for x in terms if x[0] != 1 or not _is(x[1], weight)]
        if len(rest) != len(terms) - 1:
            return None
        terms = tuple(rest)
    known = table.find(spell(weight)) if weight is not None else None
    if weight is None or known is None or known.entry.kind != "parameter" or len(terms) != 1:
        return None
    sign, change = terms[0]
    gradient = _without_rate(change, table)
    return Descent(weight, gradient, sign > 0) if gradient is not None else None


def sides_of(step: Descent, resolve: Callable[[s.Node], u.Term]) -> tuple[u.Term, u.Term]:
    """The derivative of the loss by the weight, and what the step takes for it."""
    gradient = resolve(step.gradient)
    if step.ascends:
        gradient = u.Sum(((-1, gradient),))
    return u.Derivative(u.Loss(), (resolve(step.weight),), "∂"), gradient


def _changed(left: s.Times) -> s.Symbol | None:
    """The weight of ΔW."""
    if len(left.factors) != 2 or left.factors[1][0]:
        return None
    (_, mark), (_, weight) = left.factors
    marked = isinstance(mark, s.Symbol) and mark.base == "Delta" and not (mark.sub or mark.sup)
    return _bare(weight) if marked and isinstance(weight, s.Symbol) else None


def _bare(weight: s.Symbol) -> s.Symbol:
    """A weight without the label that tells it before a step from it after one."""
    moments = {x.where for x in spell(weight).scripts if x.text in MOMENTS}
    alone = [where for where in moments if len(_of(spell(weight), where)) == 1]
    sub = () if "sub" in alone else weight.sub
    return replace(weight, sub=sub, sup=() if "sup" in alone else weight.sup)


def _of(spelled: Spelled, where: str) -> list[str]:
    return [x.text for x in spelled.scripts if x.where == where]


def _is(node: s.Node, weight: s.Symbol | None) -> bool:
    if not isinstance(node, s.Symbol) or weight is None:
        return False
    a, b = spell(_bare(node)), spell(weight)
    return (a.base, a.accents, [(x.where, x.text) for x in a.scripts]) == (
        b.base, b.accents, [(x.where, x.text) for x in b.scripts]
    )  # fmt: skip


def _without_rate(change: s.Node, table: Table) -> s.Node | None:
    """η X without the η."""
    if not isinstance(change, s.Times) or len(change.factors) < 2:
        return None
    rate, rest = change.factors[0][1], change.factors[1:]
    if not isinstance(rate, s.Symbol) or rate.base not in RATES or rate.sub or rate.sup:
        return None
    if table.find(spell(rate)) is not None:
        return None
    first = rest[0][1]
    if len(rest) == 1:
        return first
    return replace(change, factors=(("", first), *rest[1:]), start=first.start)
