"""Formulas evaluated literally: the sum of Jacobian products against the gradients."""

from __future__ import annotations

import numpy as np
import pytest
from sympy import DiagMatrix, Identity, MatMul, S, Symbol, Transpose
from sympy.matrices.expressions import HadamardPower, KroneckerProduct

from rnnsym import models
from rnnsym.algebra import had, ones, subtract
from rnnsym.derive.calculus import Calculus
from rnnsym.emit import function, lambdify, sum_source
from rnnsym.errors import InputError, NotSupportedError
from rnnsym.nodes import T, TimeProduct, TimeSum, Total, t
from tests.emit.nets import ODD, Example, difference

i, k = Symbol("i", integer=True), Symbol("k", integer=True)


def test_the_sum_of_the_post_built_by_hand() -> None:
    net = models.build("elman", {})
    example = Example(net, steps=5)
    v, w = net.vectors, net.parameters
    n = v["a"].rows

    def slope(time: Symbol) -> DiagMatrix:
        a = v["a"].at(time)
        return DiagMatrix(subtract(ones(n), had(a, a)))

    formula = TimeSum(
        MatMul(
            Transpose(v["y_hat"] - v["y"]),
            w["W_ya"],
            TimeSum(
                MatMul(
                    TimeProduct(MatMul(slope(i), w["W_aa"]), (i, k + 1, t)),
                    slope(k),
                    KroneckerProduct(Transpose(v["a"].at(k - 1)), Identity(n)),
                ),
                (k, S.One, t),
            ),
        ),
        (t, S.One, T),
    )
    f = lambdify(formula, net, 5)
    row = f(*example.arguments)
    _, gradients = function(net)(*example.arguments)
    assert row.shape == (1, gradients["W_aa"].size)
    assert difference(row[0], gradients["W_aa"].ravel(order="F")) < 1e-12
    assert "_product(" in f.source
    assert "for k in range(1, t + 1)" in f.source


@pytest.mark.parametrize("cell", ["elman", "lstm", "gru:after", "second order", "two layers"])
def test_derived_formulas(cell: str) -> None:
    name, _, reset = cell.partition(":")
    net = ODD[name]() if name in ODD else models.build(name, {"reset": reset} if reset else {})
    example = Example(net, steps=3)
    _, gradients = function(net)(*example.arguments)
    calculus = Calculus(net)
    for w, gradient in gradients.items():
        row = lambdify(calculus.derive(w).formula, net, 3)(*example.arguments)
        assert difference(row[0], gradient.ravel(order="F")) < 1e-12, w


def test_what_it_refuses() -> None:
    net = models.build("elman", {})
    formula = Calculus(net).derive("W_aa").formula
    for steps in (0, -1, 1.5, True, "3"):
        with pytest.raises(InputError, match="steps must be a positive integer"):
            lambdify(formula, net, steps)  # type: ignore[arg-type]
    with pytest.raises(NotSupportedError, match="Total has no value"):
        sum_source(Total(net.total_loss, net.parameters["W_aa"]), net, 3)
    with pytest.raises(ValueError, match="expected one sequence of 3 steps"):
        lambdify(formula, net, 3)(*Example(net, steps=4).arguments)
    with pytest.raises(ValueError, match="expected one sequence of 3 steps"):
        lambdify(formula, net, 3)(*Example(net, steps=3, batch=2).arguments)


def test_a_bound_index_may_have_any_name() -> None:
    net = models.build("elman", {})
    index = Symbol("__import__('os')'", integer=True)
    example = Example(net, steps=3)
    f = lambdify(TimeSum(net.vectors["x"].at(index), (index, S.One, T)), net, 3)
    assert np.allclose(f(*example.arguments)[:, 0], example.x.sum(axis=0))
    assert "(" + "'os'" not in f.source


def test_an_elementwise_power() -> None:
    net = models.build("elman", {})
    example = Example(net, steps=3)
    f = lambdify(HadamardPower(net.vectors["x"].at(2), 2), net, 3)
    assert np.allclose(f(*example.arguments)[:, 0], example.x[1] ** 2)
