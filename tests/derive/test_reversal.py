"""The backward direction of a bidirectional network is the forward one with time reversed."""

from __future__ import annotations

from itertools import pairwise

import pytest
from sympy import MatMul

import rnnsym as rs
from rnnsym.derive.reversal import Reversal, same
from rnnsym.nodes import T, TimeProduct, TimeSum, TimeVector, t

#: sections in which nothing tells the two directions apart
ALIKE = ["Recurrence and its solution", "Adjoint recursion"]
#: sections in which only the half of the output layer does
BUT_FOR_THE_HEAD = ["Local Jacobians", "Backpropagation through time"]


def directions(cell: str) -> tuple[rs.Network, Reversal]:
    net = rs.model(cell, bidirectional=True)
    names = {n: n.replace("_fwd", "_bwd") for n in (*net.parameters, *net.vectors, *net.sizes)}
    labels = [b.label for b in net.calculus.adjoints.structure.blocks]
    return net, Reversal(T, {**names, **dict(pairwise(labels))})


@pytest.mark.parametrize(("cell", "weight"), [("elman", "W_aa"), ("lstm", "W_fa"), ("gru", "W_ra")])
def test_the_derivation_of_the_backward_direction_is_the_forward_one_reversed(
    cell: str, weight: str
) -> None:
    net, reversal = directions(cell)
    ahead, back = net.derive(f"{weight}_fwd"), net.derive(f"{weight}_bwd")
    for section in ALIKE:
        assert len(same(reversal, ahead, back, section)) == len(ahead.section(section)) > 0
    for section in BUT_FOR_THE_HEAD:
        steps = ahead.section(section)
        assert len(steps) > len(same(reversal, ahead, back, section)) >= len(steps) - 2


def test_reversal_twice_changes_nothing() -> None:
    net, _ = directions("elman")
    reversal = Reversal(T, {})
    for step in net.derive("W_aa_fwd"):
        twice = reversal.step(reversal.step(step))
        assert (twice.before, twice.after, twice.where) == (step.before, step.after, step.where)


def test_indices_are_counted_from_the_other_end() -> None:
    a = TimeVector("a", 2, t)
    assert Reversal(T, {"a": "b"})(a.at(t - 1)) == TimeVector("b", 2, t + 1)
    assert Reversal(T, {})(a.at(0)) == a.at(T + 1)
    product = TimeProduct(MatMul(a, a.T), (t, 2, T), -1)
    mirrored = Reversal(T, {})(product)
    assert mirrored == TimeProduct(MatMul(a, a.T), (t, 1, T - 1), 1)
    assert Reversal(T, {})(TimeSum(a.at(t - 2), (t, 3, T))) == TimeSum(a.at(t + 2), (t, 1, T - 2))


def test_another_equation_is_not_the_same_reversed() -> None:
    net = rs.Network(
        "a_fwd[t] = tanh(W_fwd @ a_fwd[t-1] + U_fwd @ x[t])",
        "a_bwd[t] = sigmoid(W_bwd @ a_bwd[t+1] + U_bwd @ x[t])",
        "y_hat[t] = V @ [a_fwd[t], a_bwd[t]]",
        loss="squared_error",
    )
    names = {n: n.replace("_fwd", "_bwd") for n in (*net.parameters, *net.vectors, *net.sizes)}
    ahead, back = net.derive("W_fwd"), net.derive("W_bwd")
    section = "Local Jacobians"
    found = same(Reversal(T, names), ahead, back, section)
    assert len(found) < len(ahead.section(section)) - 2
