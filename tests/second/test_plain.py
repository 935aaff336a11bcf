"""The dialect: how scalar expressions and names are written, and what has no form in it."""

from __future__ import annotations

import pytest
from sympy import Abs, Float, Rational, Symbol, exp, log, oo, sin, sqrt, symbols, sympify, tanh, zoo

from rnnsym.second.names import Names, Quantity
from rnnsym.second.plain import plain
from rnnsym.second.scalars import Unreadable, function
from rnnsym.second.values import Refused, value

x, y, z = symbols("x y z", real=True)


@pytest.mark.parametrize(
    ("expression", "latex"),
    [
        (x * y - z, r"-z+x \cdot y"),
        (-(x + y) * z, r"z \cdot (-x-y)"),
        (x / y, r"\frac{x}{y}"),
        (-x / (y * z), r"-\frac{x}{y \cdot z}"),
        (Rational(-3, 2) * x, r"-\frac{3 \cdot x}{2}"),
        (Rational(2, 3), r"\frac{2}{3}"),
        (1 / (1 + exp(-x)), r"\frac{1}{1+\exp(-x)}"),
        (1 - tanh(x) ** 2, r"1-\tanh(x) \cdot \tanh(x)"),
        (x**7, "x^{7}"),
        (tanh(x) ** 5, r"(\tanh(x))^{5}"),
        ((x + y) ** 5, "(x+y)^{5}"),
        (1 / (x + y) ** 2, r"\frac{1}{(x+y) \cdot (x+y)}"),
        (log(1 - x), r"\ln(1-x)"),
        (Abs(x) / 2, r"\frac{|x|}{2}"),
        (Float(0.5) * x, r"\frac{1}{2} \cdot x"),
    ],
)
def test_forms(expression, latex):
    assert plain(expression) == latex


@pytest.mark.parametrize("e", [sin(x), sqrt(x), x**y, Abs(x + Abs(y))])
def test_what_has_no_form_is_refused(e):
    with pytest.raises(Unreadable):
        plain(e)


@pytest.mark.parametrize(
    ("name", "derivative"),
    [
        ("tanh", lambda u: 1 - tanh(u) ** 2),
        ("exp", exp),
        ("log", lambda u: 1 / u),
        ("reciprocal", lambda u: -1 / u**2),
        ("identity", lambda u: 1),
        ("relu", lambda u: 1),
        ("step", lambda u: 0),
    ],
)
def test_derivatives_of_functions(name, derivative):
    found = value(function(name, 1, x), {"x": 0.7})
    assert abs(found - value(sympify(derivative(x)), {"x": 0.7})) < 1e-15


def test_a_function_with_a_kink_has_a_value_on_both_sides():
    for at, relu, step in ((0.3, 0.3, 1.0), (-0.3, 0.0, 0.0)):
        assert value(function("relu", 0, x), {"x": at}) == relu
        assert value(function("relu", 1, x), {"x": at}) == step
        assert value(function("step", 0, x), {"x": at}) == step
    assert function("relu", 2, x) == function("step", 1, x) == 0


def test_names_never_become_the_same():
    names = Names()
    quantities = [Quantity("vector", n, 1, 0) for n in ("W_aa", "Waa", "W_a_a", "Waan2", "E", "ee")]
    assert len({names.latex(q) for q in quantities}) == len(quantities)
    assert names.latex(Quantity("parameter", "W_aa", None, 0, 11), 12) == r"\mathit{Waa:1:12}"
    assert names.latex(Quantity("adjoint", "W_aa", 3, 1)) == r"\mathit{delta:Waa:3:2}"
    assert names.latex(Quantity("vector", "ä", 1, 0)) == r"\mathit{ue4:1:1}"
    assert "E" not in names.latex(Quantity("vector", "E", 1, 0))


@pytest.mark.parametrize(
    ("e", "why"),
    [
        (Symbol("q"), "not written"),
        (sin(x), "sin is not in the dialect"),
        (log(x - 1), "not a real number"),
        (exp(exp(x + 9)), "not a finite number"),
        (zoo, "not in the dialect"),
        (oo, "not in the dialect"),
    ],
)
def test_values_that_are_refused(e, why):
    with pytest.raises(Refused, match=why):
        value(e, {"x": 0.5})


def test_a_division_by_zero_is_refused():
    with pytest.raises(Refused, match="division by zero"):
        value(1 / x, {"x": 0.0})
