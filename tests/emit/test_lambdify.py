"""Formulas evaluated literally: the sum of Jacobian products against the gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sympy import DiagMatrix, Identity, MatMul, S, Symbol, Transpose
from sympy.matrices.expressions import HadamardPower, KroneckerProduct

import rnnsym as rs
from rnnsym import models
from rnnsym.algebra import had, ones, subtract
from rnnsym.derive.calculus import Calculus
from rnnsym.emit import function, lambdify, sum_source
from rnnsym.errors import InputError, NotSupportedError
from rnnsym.network import Network
from rnnsym.nodes import Adjoint, T, TimeProduct, TimeSum, Total, t
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


@pytest.mark.parametrize(
    ("spec", "steps"),
    [
        ("elman:type=many-to-one", 4),
        ("lstm:type=many-to-one,bidirectional", 3),
        ("gru:type=one-to-many", 3),
        ("elman:type=encoder-decoder,layers=2", {"T_x": 3, "T_y": 2}),
        ("gru:type=encoder-decoder,bidirectional,truncate=2", {"T_x": 2, "T_y": 3}),
        ("elman:type=encoder-decoder", 3),
        ("lstm:truncate=2,shortcut=2", 4),
        ("elman:masked", 3),
        ("elman:layers=5", 3),
        ("attention:steps=3", 3),
        ("mlp", 1),
    ],
)
def test_derived_formulas_of_models(spec: str, steps: Any) -> None:
    net = rs.model(spec)
    example = Example(net, steps)
    _, gradients = function(net)(*example.arguments)
    for w in (*list(gradients)[:3], list(gradients)[-1]):
        row = net.lambdify(w, steps)(*example.arguments)
        assert difference(row[0], gradients[w].ravel(order="F")) < 1e-12, w


def test_a_formula_of_too_many_layers_says_what_to_use_instead() -> None:
    net = rs.model("elman:layers=7")
    with pytest.raises(InputError, match=r"sums of too many layers; gradients\(\) computes"):
        net.lambdify("W_aa_l1", 3)
    net.lambdify("W_aa_l7", 3)


def test_an_initial_state_that_only_the_formula_uses() -> None:
    net = Network("a[t] = tanh(U @ x[t])", "h[t] = W @ a[t-1]", "y_hat[t] = softmax(V @ h[t])")
    example = Example(net, 3)
    f = lambdify(net.vectors["a"].at(S.Zero), net, 3)
    assert np.array_equal(f(*example.arguments)[:, 0], example.initial["a"])


def test_lengths_by_name() -> None:
    net = rs.model("elman:type=encoder-decoder")
    f = net.lambdify("W_aa_enc", {"T_x": 3, "T_y": 2})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"expected sequences of T_x = 3, T_y = 2 steps"):
        f(*Example(net, {"T_x": 2, "T_y": 3}).arguments)
    with pytest.raises(InputError, match="the length T_y is missing"):
        net.lambdify("W_aa_enc", {"T_x": 3})  # type: ignore[arg-type]


def test_what_it_refuses() -> None:
    net = models.build("elman", {})
    formula = Calculus(net).derive("W_aa").formula
    for steps in (0, -1, 1.5, True, "3"):
        with pytest.raises(InputError, match="steps must be a positive integer"):
            lambdify(formula, net, steps)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"∂L/∂W_aa is left as a symbol .* gradients\(\)"):
        sum_source(Total(net.total_loss, net.parameters["W_aa"]), net, 3)
    with pytest.raises(NotSupportedError, match="Adjoint has no value"):
        sum_source(Adjoint(net.vectors["a"]), net, 3)
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
