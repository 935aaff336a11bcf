"""Updates of gradients, δc += …, dW ← dW + …: what is added, as an equation.

Used by `check`. Code and notes add up a gradient piece by piece. What a step adds to a gradient by
a parameter is all that it contributes; what is added to a gradient by a state comes on top of what
later steps have passed back.
"""

from __future__ import annotations

from dataclasses import dataclass

from rnnsym.reader import terms as u
from rnnsym.reader.gradients import LATER
from rnnsym.reader.indices import Index


@dataclass(frozen=True)
class Update:
    """An update as an equation; note: what the equation says, in words; partial: other updates of
    the same gradient may belong to it."""

    left: u.Term
    right: u.Term
    note: str
    partial: bool


def update(left: u.Term, op: str, right: u.Term) -> Update | None:
    """The equation that a relation updates a gradient by; None if it is no update of one."""
    added = right if op == "+=" else _added(left, op, right)
    if added is None:
        return None
    if isinstance(left, u.Adjoint) and left.names:
        later = u.Adjoint(left.label + LATER, left.names, left.time)
        note = "what is added comes on top of what later steps pass back"
        return Update(left, u.Sum(((1, later), (1, added))), note, True)
    if isinstance(left, u.Derivative) and _is_gradient(left):
        letters = sorted(u.letters(added) - {"T"})
        if len(letters) != 1:
            return None
        sum_ = u.Ranged("sum", letters[0], Index(1), Index.of("T"), added)
        return Update(left, sum_, f"the updates of all steps {letters[0]} are added up", False)
    return None


def _added(left: u.Term, op: str, right: u.Term) -> u.Term | None:
    """X of dW ← dW + X."""
    if op not in ("=", "←", ":=") or not isinstance(right, u.Sum):
        return None
    rest = [(sign, x) for sign, x in right.terms if (sign, x) != (1, left)]
    if len(rest) != len(right.terms) - 1 or not rest:
        return None
    return rest[0][1] if len(rest) == 1 and rest[0][0] == 1 else u.Sum(tuple(rest))


def _is_gradient(term: u.Derivative) -> bool:
    """Whether a term is the derivative of the loss by a parameter."""
    by = term.by[0] if len(term.by) == 1 else None
    return isinstance(term.of, u.Loss) and isinstance(by, u.Leaf) and by.time is None
