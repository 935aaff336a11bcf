"""… in sums and products: the general term, where the neighbours determine it.

Used by `resolve`. In a product, A … B is what leads from A to B when B is A at another time, or
the chain of Jacobians that leads to what B is a derivative of. In a sum, the last term with its
last index made free must give the first terms. Anything else can't be told.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any, NoReturn

from rnnsym.reader import syntax as s
from rnnsym.reader import terms as u
from rnnsym.reader.indices import Index
from rnnsym.reader.tokens import fail

Factors = list[tuple[str, u.Term]]

#: the most factors that come round together
MAX_GROUP = 4


def _cannot(node: s.Node) -> NoReturn:
    fail("… stands for what the neighbours do not determine: can't tell", node.start)


def of_product(resolver: Any, node: s.Times) -> u.Term:
    """A product with … in it."""
    at = [i for i, (_, x) in enumerate(node.factors) if isinstance(x, s.Dots)]
    if len(at) != 1 or at[0] == 0 or at[0] == len(node.factors) - 1:
        _cannot(node)
    k = at[0]
    before = resolver.factors(list(node.factors[:k]))
    after = resolver.factors(list(node.factors[k + 1 :]))
    after[0] = "", after[0][1]
    before, after = _in_groups(before, after)
    begin, step = _first_alike(before)
    first, last = before[begin][1], after[0][1]
    index = _fresh(before + after)
    ranged = _chain_to(first, last, index) or _from_to(first, last, index, node, step)
    inner, used = ranged
    kept = before[:begin]
    factors = [*kept, (before[begin][0] if not kept else "", inner), *after[used:]]
    if len(factors) == 1:
        return factors[0][1]
    return u.Product(tuple(factors), start=node.start, end=node.end)


def _in_groups(before: Factors, after: Factors) -> tuple[Factors, Factors]:
    """Factors that come round together, W D_2 … W D_t, as one each: the smallest group that stands
    on both sides of the dots at two times."""
    for size in range(1, min(len(before), len(after), MAX_GROUP) + 1):
        first, last = _as_one(before[-size:]), _as_one(after[:size])
        distance = _step(first[1], last[1])
        if distance is None or not distance[0]:
            continue
        groups = [first]
        rest = before[:-size]
        while len(rest) >= size and _step(_as_one(rest[-size:])[1], groups[0][1]):
            groups.insert(0, _as_one(rest[-size:]))
            rest = rest[:-size]
        return [*rest, *groups], [last, *after[size:]]
    return before, after


def _as_one(factors: Factors) -> tuple[str, u.Term]:
    if len(factors) == 1:
        return factors[0]
    inner = (("", factors[0][1]), *factors[1:])
    return factors[0][0], u.Product(inner, start=factors[0][1].start, end=factors[-1][1].end)


def _first_alike(before: list[tuple[str, u.Term]]) -> tuple[int, int]:
    """Where the factors begin that lead up to the dots, and the step from each to the next: 1 or
    -1, or 0 if there is one only."""
    begin = len(before) - 1
    steps: set[int] = set()
    while begin > 0:
        distance = _step(before[begin - 1][1], before[begin][1])
        if distance is None or len(distance[0]) != 1 or distance[0][0].letters:
            break
        steps.add(distance[0][0].constant)
        if steps not in ({1}, {-1}):
            break
        begin -= 1
    return begin, next(iter(steps)) if begin < len(before) - 1 else 0


def _fresh(factors: list[tuple[str, u.Term]]) -> str:
    taken = set().union(*(u.letters(x) for _, x in factors))
    return next(n for n in ("m", "q", "r", "p", "v") if n not in taken)


def _chain_to(first: u.Term, last: u.Term, index: str) -> tuple[u.Term, int] | None:
    """∂a⟨t⟩/∂a⟨t-1⟩ … ∂a⟨k⟩/∂W: Jacobians down to k + 1."""
    if not (isinstance(first, u.Derivative) and isinstance(last, u.Derivative)):
        return None
    top, bottom = first.of, first.by[0]
    end, varied = last.of, last.by[0]
    if not all(isinstance(x, u.Leaf) for x in (top, bottom, end)):
        return None
    assert isinstance(top, u.Leaf) and isinstance(bottom, u.Leaf) and isinstance(end, u.Leaf)
    if top.name != bottom.name or top.name != end.name or top.time is None or end.time is None:
        return None
    same = isinstance(varied, u.Leaf) and varied.name == top.name and varied.time is not None
    assert bottom.time is not None
    lag = top.time.plus(bottom.time, -1)
    if lag != Index(1):
        return None
    lower = end.time if same else end.time.plus(Index(1))
    body = _moved(first, top.time, index)
    ranged = u.Ranged("prod", index, lower, top.time, body, start=first.start, end=last.end)
    return ranged, 1 if same else 0


def _from_to(
    first: u.Term, last: u.Term, index: str, node: s.Node, step: int = 0
) -> tuple[u.Term, int]:
    distance = _step(first, last)
    if distance is None or not distance[0]:
        _cannot(node)
    body, lower, upper = _general(first, last, index, node, step)
    return u.Ranged("prod", index, lower, upper, body, start=first.start, end=last.end), 1


def _pairs(a: u.Term, b: u.Term) -> list[tuple[Index, Index]] | None:
    """The indices that stand at the same places of two terms of one form; None if they differ."""
    if type(a) is not type(b):
        return None
    found: list[tuple[Index, Index]] = []
    for name in a.__dataclass_fields__:
        if name in ("start", "end"):
            continue
        x, y = getattr(a, name), getattr(b, name)
        if isinstance(x, Index) and isinstance(y, Index):
            found.append((x, y))
        elif isinstance(x, u.Term) and isinstance(y, u.Term):
            inner = _pairs(x, y)
            if inner is None:
                return None
            found += inner
        elif isinstance(x, tuple) and isinstance(y, tuple) and len(x) == len(y):
            for p, q in zip(x, y, strict=True):
                p, q = (p[1], q[1]) if isinstance(p, tuple) and isinstance(q, tuple) else (p, q)
                if isinstance(p, u.Term) and isinstance(q, u.Term):
                    inner = _pairs(p, q)
                    if inner is None:
                        return None
                    found += inner
                elif isinstance(p, Index) and isinstance(q, Index):
                    found.append((p, q))
                elif p != q:
                    return None
        elif x != y:
            return None
    return found


def _step(a: u.Term, b: u.Term) -> tuple[tuple[Index, ...]] | None:
    """How far apart in time two terms of one form are; None if that is not one distance."""
    pairs = _pairs(a, b)
    if pairs is None:
        return None
    distances = {y.plus(x, -1) for x, y in pairs if x != y}
    return (tuple(distances),) if len(distances) == 1 else None


def _general(
    first: u.Term, last: u.Term, index: str, node: s.Node, step: int = 0
) -> tuple[u.Term, Index, Index]:
    """The term between two of one form, and the range of its index, ascending; step: of the index
    from each term to the next, where more than one is shown."""
    pairs = _pairs(first, last)
    if pairs is None:
        _cannot(node)
    differing = [(x, y) for x, y in pairs if x != y]
    anchor, end = differing[0]
    body = _running(first, last, anchor, index)
    if step:
        return (body, end, anchor) if step < 0 else (body, anchor, end)
    if end.constant <= anchor.constant and not end.letters and anchor.letters:
        return body, end, anchor
    if not anchor.letters or not end.letters:
        return body, anchor, end
    gap = end.plus(anchor, -1)
    down = "T" in anchor.names or ("t" in anchor.names and "T" not in end.names)
    if not gap.letters:
        down = gap.constant < 0
    return (body, end, anchor) if down else (body, anchor, end)


def _running(first: Any, last: Any, anchor: Index, name: str) -> Any:
    """The first term with each index x at which the last one differs as (name + x - anchor)."""
    if isinstance(first, Index):
        return first if first == last else Index.of(name).plus(first.plus(anchor, -1))
    if isinstance(first, u.Term):
        fields = [f for f in first.__dataclass_fields__ if f not in ("start", "end")]
        return replace(
            first,
            **{f: _running(getattr(first, f), getattr(last, f), anchor, name) for f in fields},
        )
    if isinstance(first, tuple):
        return tuple(_running(x, y, anchor, name) for x, y in zip(first, last, strict=True))
    return first


def _shifted(term: u.Term, indices: set[Index], anchor: Index, name: str) -> u.Term:
    """The term with each of some indices x as (name + x - anchor)."""

    def moved(x: Any) -> Any:
        if isinstance(x, Index):
            return Index.of(name).plus(x.plus(anchor, -1)) if x in indices else x
        return None

    result: u.Term = u.rebuilt(term, moved)
    return result


def _moved(term: u.Term, time: Index, name: str) -> u.Term:
    """A Jacobian ∂a⟨t⟩/∂a⟨t-1⟩ at the time `name`."""
    return _shifted(term, {time, time.plus(Index(-1))}, time, name)


# ---- sums ----------------------------------------------------------------------------------


def of_sum(resolver: Any, node: s.Add) -> u.Term:
    """A sum with … in it."""
    at = [i for i, (_, x) in enumerate(node.terms) if isinstance(x, s.Dots)]
    if len(at) != 1 or at[0] == 0 or at[0] != len(node.terms) - 2:
        _cannot(node)
    k = at[0]
    shown = [(sign, resolver(x)) for sign, x in node.terms[:k]]
    sign, last = node.terms[k + 1][0], resolver(node.terms[k + 1][1])
    index = _fresh([("", x) for _, x in shown] + [("", last)])
    found = _shift_sum([x for _, x in shown], last, index, node) or _chain_sum(
        [x for _, x in shown], last, index
    )
    if found is None or any(s_ != sign for s_, _ in shown):
        _cannot(node)
    general = replace(found, start=node.start, end=node.end)
    return general if sign == 1 else u.Sum(((sign, general),))


def _shift_sum(shown: list[u.Term], last: u.Term, index: str, node: s.Node) -> u.Term | None:
    if _step(shown[0], last) is None:
        return None
    steps = set()
    for a, b in itertools.pairwise(shown):
        gap = _step(a, b)
        if gap is None or abs(gap[0][0].constant) != 1 or gap[0][0].letters:
            return None
        steps.add(gap[0][0].constant)
    body, lower, upper = _general(
        shown[0], last, index, node, steps.pop() if len(steps) == 1 else 0
    )
    return u.Ranged("sum", index, lower, upper, body)


def _chain_sum(shown: list[u.Term], last: u.Term, index: str) -> u.Term | None:
    """∂a⟨t⟩/∂W + J⟨t⟩ ∂a⟨t-1⟩/∂W + … + J⟨t⟩ … J⟨k+1⟩ ∂a⟨k⟩/∂W."""
    if not isinstance(last, u.Product) or len(last.factors) != 2:
        return None
    product, tail = last.factors[0][1], last.factors[1][1]
    if not (isinstance(product, u.Ranged) and isinstance(tail, u.Derivative)):
        return None
    if not isinstance(tail.of, u.Leaf) or tail.of.time is None:
        return None
    end = tail.of.time
    free = Index.of(index)
    inner = replace(product, lower=product.lower.plus(end, -1).plus(free))
    general = u.Product((("", inner), ("", replace(tail, of=replace(tail.of, time=free)))))
    for k, term in enumerate(shown):
        if not _is_instance(general, index, product.upper.plus(Index(-k)), term):
            return None
    return u.Ranged("sum", index, end, product.upper, general)


def _is_instance(general: u.Product, index: str, time: Index, term: u.Term) -> bool:
    """Whether the general term at a time is the term shown: its product written out."""
    product, tail = general.factors[0][1], general.factors[1][1]
    assert isinstance(product, u.Ranged) and isinstance(tail, u.Derivative)
    at_time = {index: time}
    lower = product.lower.put(at_time)
    count = product.upper.plus(lower, -1).constant + 1
    written = [x for _, x in term.factors] if isinstance(term, u.Product) else [term]
    if max(0, count) + 1 != len(written):
        return False
    factors: list[u.Term] = []
    for k in range(count):
        at = product.upper.plus(Index(-k))
        factors.append(put(product.body, {product.index: at}))
    factors.append(put(tail, at_time))
    return factors == written


def from_one(term: u.Term, lengths: set[str]) -> u.Term:
    """A term whose steps are counted from 0 to T - 1, with steps from 1 to T: times that are
    numbers, or T and a number, are one more."""

    def moved(x: Any) -> Any:
        if isinstance(x, Index):
            return x.plus(Index(1)) if set(x.names) <= lengths else x
        if isinstance(x, u.Whole | u.Power | u.Component):
            inner = [f for f in x.__dataclass_fields__ if isinstance(getattr(x, f), u.Term)]
            changes: dict[str, Any] = {f: from_one(getattr(x, f), lengths) for f in inner}
            return replace(x, **changes)
        if isinstance(x, u.Ranged) and u.counts_entries(x.body, x.index):
            return replace(x, body=from_one(x.body, lengths))
        return None

    result: u.Term = u.rebuilt(term, moved)
    return result


def put(term: u.Term, table: dict[str, Index]) -> u.Term:
    """The term with index letters replaced."""
    result: u.Term = u.rebuilt(term, lambda x: x.put(table) if isinstance(x, Index) else None)
    return result
