"""The graph in a form that takes less to compute, before anything is put in order.

Fourth station of the emitter: what is written twice is computed once, and what a loop adds or
multiplies that does not depend on it is computed before it.
"""

from __future__ import annotations

from sympy import Integer, S

from rnnsym.emit.graph import FRESH, TRANSPARENT, Graph, Node
from rnnsym.emit.walk import components, is_loop, reachable, uses


def rewrite(graph: Graph, outputs: list[Node]) -> None:
    """Rewrite everything that the outputs need."""
    _share(outputs)
    _look_through(outputs)
    _merge_products(outputs)
    for component in components(outputs):
        if is_loop(component):
            _hoist(graph, frozenset(component))


def _share(outputs: list[Node]) -> None:
    """Use a variable wherever its definition is written, and log softmax(z) for softmax(z)."""
    nodes = reachable(outputs)
    logs = {n.args[0]: n for n in nodes if n.op == "call" and n.data[0] == "log_softmax"}
    for n in nodes:
        if n.op == "call" and n.data[0] == "softmax" and n.args[0] in logs:
            n.args, n.data = (logs[n.args[0]],), ("exp", 0)
    owner: dict[Node, Node] = {}
    for n in nodes:
        if n.definition is not None and n.definition.op in FRESH:
            owner.setdefault(n.definition, n)
    for n in nodes:
        n.args = tuple(owner.get(a, a) for a in n.args)
        if n.definition in owner and owner[n.definition] is not n:
            n.definition = owner[n.definition]


def _look_through(outputs: list[Node]) -> None:
    """Read v⟨t+1⟩ itself where a variable is nothing else."""
    names = {n: n.definition for n in reachable(outputs) if n.definition}
    shifted = {n: v for n, v in names.items() if v.op == "at"}
    for n in reachable(outputs):
        n.args = tuple(shifted.get(a, a) for a in n.args)


def _merge_products(outputs: list[Node]) -> None:
    """u ⊙ (v ⊙ w), where v ⊙ w is a variable used nowhere else, as one product."""
    changed = True
    while changed:
        changed = False
        used = uses(outputs)
        for node in reachable(outputs):
            if node.op != "mul":
                continue
            for i, a in enumerate(node.args):
                inner = a.definition
                if inner is not None and inner.op == "mul" and used[a] == used[inner] == 1:
                    node.args = (*node.args[:i], *inner.args, *node.args[i + 1 :])
                    node.data = (node.data[0] * inner.data[0],)
                    changed = True
                    break


def _hoist(graph: Graph, component: frozenset[Node]) -> None:
    """Group the summands and the factors that do not depend on the loop, as nodes outside."""
    for node in sorted(component, key=lambda n: n.number):
        inside = [any(used in component for used, _ in _at(a)) for a in node.args]
        outside = [a for a, within in zip(node.args, inside, strict=True) if not within]
        if node.op == "add":
            constant, signs = node.data
            if len(outside) + (constant != 0) < 2:
                continue
            kept = [(s, a) for s, a, w in zip(signs, node.args, inside, strict=True) if w]
            group = [(s, a) for s, a, w in zip(signs, node.args, inside, strict=True) if not w]
            sum_ = graph.add([(1, graph.number(constant, node.size)), *group], node.size)
            node.args = (*(a for _, a in kept), sum_)
            node.data = (S.Zero, (*(s for s, _ in kept), 1))
        elif node.op == "mul":
            number = node.data[0]
            if not outside or len(outside) + (number != 1) < 2:
                continue
            product = graph.mul(number, outside, node.size)
            node.args = (*(a for a, w in zip(node.args, inside, strict=True) if w), product)
            node.data = (Integer(1),)


def _at(node: Node) -> list[tuple[Node, int]]:
    return node.reads if node.op in TRANSPARENT else [(node, 0)]
