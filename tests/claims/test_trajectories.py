"""What is shared between derivatives changes none of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sympy import Integer

import rnnsym as rs
from rnnsym.claims.trajectories import SharedTruth
from rnnsym.evaluate.field import FieldArithmetic
from rnnsym.evaluate.point import field_point
from rnnsym.evaluate.trajectory import Truth
from rnnsym.nodes import Gradient, Immediate, Total
from rnnsym.sizes import choose_sizes


@pytest.mark.parametrize(
    "model",
    [
        "lstm",
        "elman:bidirectional,layers=2",
        "elman:type=encoder-decoder",
        "gru:truncate=2",
        "elman:shortcut=2",
    ],
)
def test_shared_truth_is_the_truth(model: str) -> None:
    net = rs.model(model)
    ar = FieldArithmetic(3)
    point = field_point(net, ar, choose_sizes(net, 3), 3)
    plain, shared = Truth(net, point, ar), SharedTruth(net, replace(point), ar)
    derivatives = [Gradient(net.total_loss, w) for w in net.parameters.values()]
    for name, state in net.states.items():
        first, last = plain.plain.spans[name]
        for time in range(first, last + 1):
            at = state.at(Integer(time))
            derivatives += [Total(net.total_loss, at), Immediate(at, state.at(Integer(time - 1)))]
            derivatives += [Total(at, w) for w in list(net.parameters.values())[:2]]
    for e in derivatives:
        assert shared.derivative(e) == plain.derivative(e), e
