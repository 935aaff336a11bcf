"""The compact notation W_a [a; x] for W_aa a + W_ax x, and the proof that it is the same.

`compact` rewrites any network; `block_identity` derives, in the original network, that with
W_a = [W_aa | W_ax] the products and the gradients agree.
"""

from __future__ import annotations

from itertools import takewhile
from typing import Any

from sympy import Identity, MatAdd, MatMul, MatrixExpr, MatrixSymbol

from rnnsym.algebra import add, blocks, factors, mul, tr
from rnnsym.derive.adjoint import AdjointSystem
from rnnsym.derive.step import Derivation, Scribe
from rnnsym.errors import InputError
from rnnsym.network import Network
from rnnsym.nodes import Adjoint, Blocks, Gradient, TimeSum, TimeVector, leaves


def _groups(e: MatrixExpr) -> list[tuple[MatAdd, list[MatMul]]]:
    """The sums in an expression with two or more terms W v: (sum, those terms)."""
    found = []
    for total in leaves(e, MatAdd):
        linear = [a for a in total.args if _is_linear(a)]
        if len(linear) > 1:
            found.append((total, linear))
    return found


def _is_linear(e: MatrixExpr) -> bool:
    parts = factors(e)
    return (
        isinstance(e, MatMul)
        and len(parts) == len(e.args) == 2
        and isinstance(parts[0], MatrixSymbol)
        and bool(parts[1].cols == 1)
    )


def _name(weights: list[str], node: str, taken: set[str]) -> str:
    """W_a for W_aa and W_ax, W_a_l2 for W_aa_l2 and W_ax_l2; W_node where they have nothing in
    common."""
    ends = [w.split("_") for w in weights]
    shared = 0
    while min(map(len, ends)) > shared + 2 and len({e[-1 - shared] for e in ends}) == 1:
        shared += 1
    suffix = "".join(f"_{part}" for part in ends[0][len(ends[0]) - shared :])
    stems = [w.removesuffix(suffix) for w in weights]
    letters = takewhile(lambda c: len(set(c)) == 1, zip(*stems, strict=False))
    stem = "".join(c[0] for c in letters).rstrip("_")
    name = stem + suffix if len(stem) > 1 else f"W_{node}"
    while name in taken:
        name += "_"
    return name


def compact(net: Network) -> list[tuple[TimeVector, MatrixExpr]]:
    """The equations of a network with one weight for each sum of products W v."""
    result, taken = [], set(net.parameters) | set(net.equations)
    for equation in net.source:
        rhs = equation.rhs
        for total, linear in _groups(rhs):
            name = _name([factors(x)[0].name for x in linear], equation.lhs.name, taken)
            taken.add(name)
            column = Blocks([[factors(x)[1]] for x in linear])
            weight = MatrixSymbol(name, linear[0].rows, column.rows)
            rest = [a for a in total.args if a not in linear]
            rhs = rhs.xreplace({total: MatAdd(MatMul(weight, column), *rest)})
        result.append((equation.lhs, rhs))
    return result


def block_identity(net: Network, adjoints: AdjointSystem) -> Derivation:
    """W_a = [W_aa | W_ax]: the products agree, and so do the gradients, block by block.

    Raises InputError for a network without a sum of two products W v.
    """
    scribe = Scribe()
    pairs = [(e.lhs, linear) for e in net.equations.values() for _, linear in _groups(e.rhs)]
    if not pairs:
        raise InputError(f"{net.name} has no sum of two products W v to be made compact")
    for node, linear in pairs:
        weights = [factors(x)[0] for x in linear]
        row = Blocks([weights])
        column = Blocks([[factors(x)[1]] for x in linear])
        scribe.section(f"Compact form of {node.name}")
        scribe.step(
            MatMul(row, column), mul(row, column), "block product",
            "a row of blocks times a column of blocks", where=net.spans[node.name].where,
        )  # fmt: skip
        where = net.spans[node.name].where

        def summed(e: MatrixExpr, where: Any = where) -> MatrixExpr:
            return TimeSum(e, where[0]) if where else e

        whole = summed(MatMul(Adjoint(node), tr(column)))
        each = [
            add(*(mul(Adjoint(node), tr(factors(x)[1])) for x in linear if factors(x)[0] == w))
            for w in weights
        ]
        parts = blocks([[summed(e) for e in each]])
        scribe.step(
            whole, parts, "block product",
            "the adjoint ", Adjoint(node), " of the compact weight meets each block by itself",
        )  # fmt: skip
        users = {w: adjoints.structure.users(w.name) for w in weights}
        if all(len(u) == 1 for u in users.values()):
            gradients = blocks([[Gradient(net.total_loss, w) for w in weights]])
            scribe.step(
                parts, gradients, "gradient",
                "so the gradient by the compact weight is the gradients by its blocks, in a row",
            )  # fmt: skip
    result = scribe.steps[-1].after
    return Derivation(net, Identity(1), tuple(scribe.steps), result, result)
