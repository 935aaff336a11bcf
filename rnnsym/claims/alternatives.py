"""What custom leaves open beside layouts and immediate partials: dots, rows, steps, and so on.

Used by `judge`, which tries these changes of a reading one by one, then in pairs.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

from rnnsym.reader import terms as u
from rnnsym.reader.indices import Index
from rnnsym.reader.series import from_one


def further(judge: Any, sides: tuple[u.Term, ...], fits: bool) -> Iterator[dict[str, Any]]:
    """Changes of a reading: one thing at a time, then, if the judge is thorough, two."""
    single = changes(judge, sides, fits)
    yield from single
    if not judge.thorough:
        return
    for first, second in combinations(single, 2):
        if not first.keys() & second.keys() and "diagonal" not in {*first, *second}:
            yield {**first, **second}


def changes(judge: Any, sides: tuple[u.Term, ...], fits: bool) -> list[dict[str, Any]]:
    """The single changes of a reading that custom allows; fits: the shapes fit under some reading
    so far."""
    found: list[dict[str, Any]] = []
    nodes = [x for s in sides for x in u.walk(s)]
    ops = {op for p in nodes if isinstance(p, u.Product) for op, _ in p.factors}
    ranged = any(isinstance(x, u.Ranged) and x.op == "prod" for x in nodes)
    products = any(isinstance(x, u.Product) for x in nodes)
    if (products and ops & {"·", "×", "*"}) or ((products or ranged) and not fits):
        found.append({"dot": "elementwise"})
    if products and not fits:
        found.append({"dot": "inner"})
    angles = any(isinstance(x, u.Named) and x.function == "inner" for x in nodes)
    if (products and not fits and judge.table.loose) or (angles and not fits):
        found.append({"outer": True})
    if not fits and any(isinstance(x, u.Adjoint) for x in nodes):
        found.append({"lying": True})
    derivatives = [x for x in nodes if isinstance(x, u.Derivative)]
    own = bool(derivatives) and all(map(u.of_itself, derivatives))
    if own and judge.net is not None and len(judge.net.states) > 1:
        found += [
            {"path": True},
            {"path": True, "diagonal": "left"},
            {"path": True, "diagonal": "left", "dot": "elementwise"},
        ]
    if not judge.explicit and any(map(_of_several_paths, nodes)):
        # what a whole side is stays the total derivative
        inside = [d for d in derivatives if d not in sides and not is_of_loss(d)]
        direct = frozenset(d.start for d in inside)
        found += [{"direct": direct}, {"direct": direct, "diagonal": "left"}]
    chains = sum(isinstance(x, u.Derivative) for x in nodes) > 1
    whole = [s for s in sides if isinstance(s, u.Derivative) and not is_of_loss(s)]
    if not fits and any(getattr(v, "time", 1) is None for d in whole for v in d.by):
        found.append({"factor": True})
    if not fits and chains:
        found.append({"chain": True})
    turned = [x for x in nodes if isinstance(x, u.Transposed)]
    if turned and not fits and judge.net is not None and _stacks(judge.net):
        found += [{"part": "first"}, {"part": "last"}]
    if "⊗" in ops:
        found += [{"otimes": "outer"}, {"otimes": "elementwise"}]
    if not judge.table.rows and not fits:
        found.append({"rows": True})
    ones = any(isinstance(s, u.Num) and s.value == 1 for s in sides)
    inner = any(isinstance(x, u.Derivative) and not is_of_loss(x) for x in nodes)
    if inner and (not fits or ones):
        found += [{"diagonal": "left"}, {"diagonal": "both"}]
        if not fits:  # o (1 - tanh²c) ∂c/∂h, all of them for numbers
            found.append({"diagonal": "left", "dot": "elementwise"})
    leaves = [x for x in nodes if isinstance(x, u.Leaf) and x.time is not None]
    varied = any(  # what is derived by is no constant
        isinstance(v, u.Leaf) and v.time == Index(0)
        for x in nodes if isinstance(x, u.Derivative) for v in x.by
    )  # fmt: skip
    if leaves and judge.net is not None and judge.net.carried and not varied:
        found.append({"zero": True})
    if any(isinstance(x, u.Loss | u.Adjoint) for x in nodes):
        found.append({"mean": True})
    if judge.table.zero_based and any(from_one(s, judge.lengths) != s for s in sides):
        found.append({"zero_based": True})
    if _names_the_whole(*sides):
        found.append({"whole": True})
    if any(isinstance(x, u.Ranged) and x.op == "prod" for x in nodes):
        found.append({"descending": False})
    letters = set().union(*map(u.letters, sides)) - judge.lengths
    summed = any(isinstance(x, u.Ranged) and x.op == "sum" for x in nodes)
    if any(_is_gradient(x) for x in nodes) and len(letters) == 1 and not summed:
        found.append({"step": letters.pop()})
    elif not judge.explicit and _own_step(nodes):
        found.append({"step": _own_step(nodes)})
    if any(isinstance(x, u.Apply) and x.function == "sigmoid" for x in nodes):
        found.append({"activation": "tanh"})
    return found


def _of_several_paths(term: u.Term) -> bool:
    """Whether a sum has derivatives of quantities, not of the loss, in two of its terms."""
    if not isinstance(term, u.Sum):
        return False
    inner = [
        any(isinstance(x, u.Derivative) and not is_of_loss(x) for x in u.walk(part))
        for _, part in term.terms
    ]
    return sum(inner) > 1


def _stacks(net: Any) -> bool:
    """Whether some weight of a network is that of vectors that are stacked."""
    return any("@ [" in e.text for e in net.source)


def _names_the_whole(left: u.Term, right: u.Term) -> bool:
    """Whether ∂L_t/∂W on the left is said to be a sum over the same t: the whole loss is meant."""
    if not isinstance(left, u.Derivative) or not isinstance(left.of, u.Leaf):
        return False
    time = left.of.time
    sums = {x.index for x in u.walk(right) if isinstance(x, u.Ranged) and x.op == "sum"}
    return left.of.name == "L" and time is not None and time.letter in sums


def _own_step(nodes: list[u.Term]) -> str:
    """The letter of the step of which vectors are varied by parameters, if it is one."""
    found = set()
    if any(isinstance(x, u.Derivative) and x.kind == "∂⁺" for x in nodes):
        return ""
    for x in nodes:
        by = (
            [v.body if isinstance(v, u.Component) else v for v in x.by]
            if (isinstance(x, u.Derivative))
            else []
        )
        if isinstance(x, u.Derivative) and all(getattr(v, "time", 1) is None for v in by):
            of = x.of.body if isinstance(x.of, u.Component) else x.of
            if not isinstance(of, u.Leaf) or of.name == "L" or of.time is None:
                return ""
            found.add(of.time.letter if not of.time.constant else "")
    return found.pop() if len(found) == 1 else ""


def _is_gradient(x: u.Term) -> bool:
    """Whether a term is the derivative of the loss of the sequence by a parameter."""
    return (
        isinstance(x, u.Derivative)
        and isinstance(x.of, u.Loss)
        and all(isinstance(v, u.Leaf) and v.time is None for v in x.by)
    )


def is_of_loss(x: u.Derivative) -> bool:
    """Whether a derivative is one of a loss."""
    return isinstance(x.of, u.Loss) or (isinstance(x.of, u.Leaf) and x.of.name == "L")
