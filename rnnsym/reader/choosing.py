"""Which of several equations for one name a network is made of.

Used by `network`. Documents repeat themselves: h = tanh(W h + U x), then z = W h + U x and
h = tanh(z). Two equations that say the same, intermediate names put in, are one, and the one with
more names is taken; of two that differ the later one counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rnnsym.reader import terms as u
from rnnsym.reader.indices import Index

#: how deep names are put in, and how many parts a normal form may have from then on
MAX_DEPTH, MAX_PARTS = 12, 2_000


#: the equations of each name: right-hand side, index on the left, and where it stands
Alternatives = Mapping[str, Sequence[tuple[u.Term, Index | None, Any]]]


def choose(alternatives: Alternatives) -> dict[str, int]:
    """name -> which of its equations to take; each is (right-hand side, index on the left, …)."""
    chosen: dict[str, int] = {}
    expander = _Expander(alternatives)
    for name, found in alternatives.items():
        if len(found) == 1:
            chosen[name] = 0
            continue
        # f(h, x) of which nothing is known says less than an equation
        concrete = [k for k, (x, _, _) in enumerate(found) if not isinstance(x, u.Unknown)]
        # h_2 = f(W h_1 + …) is the general one written out
        general = [k for k in concrete if not _is_fixed(found[k][1])]
        concrete = general or concrete
        last = concrete[-1] if concrete else len(found) - 1
        form = expander.form(found[last][0], found[last][1], name)
        forms = [expander.form(term, index, name) for term, index, _ in found]
        alike = [k for k, other in enumerate(forms) if other == form]
        chosen[name] = max(alike, key=lambda k: (_names(found[k][0], alternatives), k))
    return chosen


def _names(term: u.Term, alternatives: Mapping[str, Any]) -> int:
    return sum(isinstance(x, u.Leaf) and x.name in alternatives for x in set(u.walk(term)))


def _is_fixed(index: Index | None) -> bool:
    return index is not None and not index.letters


def generalised(
    found: Sequence[tuple[u.Term, Index | None, Any]], begins: bool = False
) -> tuple[u.Term, Index] | None:
    """The equation for step t of which h_2 = f(h_1, x_2), h_3 = f(h_2, x_3) are instances; None if
    the last two do not agree. begins: the first step may lack what comes from a step before it."""
    fixed = {i.constant: x for x, i, _ in found if i is not None and not i.letters}
    last = sorted(fixed)[-2:]
    if len(last) < 2 or last[1] != last[0] + 1 or last[0] < 1:
        return None
    first, second = (from_step(fixed[n], n) for n in last)
    bare = _Expander({}).form
    at = Index.of("t")
    one, two = bare(first, at, ""), bare(second, at, "")
    agree = _begins(one, two) and last[0] == 1 if begins else one == two
    return (second, at) if agree else None


def _begins(first: Any, second: Any) -> bool:
    """Whether the equation of the first step is that of the second without what a state of the step
    before adds, which is zero there."""
    one, two = ((form[1] if form[:1] == ("sum",) else ((1, form),)) for form in (first, second))
    more = [x for x in two if x not in one]
    return bool(more) and all(x in two for x in one) and all("'-1'" in repr(x) for x in more)


def from_step(term: u.Term, step: int) -> u.Term:
    """The term with every fixed time n as t + n - step."""

    def moved(x: Any) -> Any:
        if isinstance(x, u.Leaf) and x.time is not None and not x.time.letters:
            return replace(x, time=Index.of("t", x.time.constant - step))
        return None

    result: u.Term = u.rebuilt(term, moved)
    return result


class _Expander:
    """Normal forms of right-hand sides: names of the same step put in, summands sorted."""

    def __init__(self, alternatives: Alternatives) -> None:
        self.alternatives = alternatives
        self.left = 0  # parts until no more names are put in

    def form(self, term: u.Term, index: Index | None, name: str, depth: int = 0) -> Any:
        """A normal form in which two equal equations are equal tuples, as far as that is easy."""
        letter = index.letter if index is not None else "t"
        at = index if index is not None else Index.of("t")
        self.left = MAX_PARTS
        return self._form(term, letter or "t", at, frozenset({name}), depth)

    def _form(self, term: u.Term, letter: str, at: Index, seen: frozenset[str], depth: int) -> Any:
        def inner(x: u.Term) -> Any:
            return self._form(x, letter, at, seen, depth)

        self.left -= 1
        match term:
            case u.Leaf(name, time) if time is not None:
                own = time.plus(at, -1)
                found = self.alternatives.get(name)
                if (
                    not own.letters
                    and not own.constant
                    and found
                    and name not in seen
                    and depth < MAX_DEPTH
                    and self.left > 0
                ):
                    body, index, _ = found[0]
                    there = index if index is not None else Index.of(letter)
                    return self._form(body, letter, there, seen | {name}, depth + 1)
                return ("leaf", name, str(own))
            case u.Leaf(name, None):
                return ("leaf", name)
            case u.Sum(terms):
                parts: list[Any] = []
                for sign, x in terms:
                    form = inner(x)
                    if isinstance(form, tuple) and form[:1] == ("sum",) and sign == 1:
                        parts += form[1]
                    else:
                        parts.append((sign, form))
                return ("sum", tuple(sorted(parts, key=repr)))
            case u.Product(factors):
                elementwise = any(op in ("⊙", "*") for op, _ in factors)
                forms = [inner(x) for _, x in factors]
                return ("product", tuple(sorted(forms, key=repr) if elementwise else forms))
            case u.Num(value):
                return ("number", value)
        fields = [getattr(term, f) for f in term.__dataclass_fields__ if f not in ("start", "end")]
        plain = tuple(str(x) for x in fields if isinstance(x, str | int))
        return (type(term).__name__, plain, tuple(inner(x) for x in u.children(term)))
