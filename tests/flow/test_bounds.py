"""What is proved of vanishing and exploding gradients: every record, and that it could fail."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from sympy import Rational, exp, oo, simplify, sqrt, tanh

import rnnsym as rs
from rnnsym import rules
from rnnsym.errors import InputError
from rnnsym.flow import slopes
from rnnsym.flow.bounds import properties
from rnnsym.flow.scalar_case import SLOPES, I, W, factor
from rnnsym.flow.slopes import Z, slope
from rnnsym.flow.spectral import gelfand, growing, nilpotent, radius, sigma_max, transient
from rnnsym.nodes import Apply
from rnnsym.remedies import Property

RECORDS = properties()


@pytest.mark.parametrize("record", RECORDS, ids=[r.name for r in RECORDS])
def test_every_statement_is_derived_and_agrees_with_numbers(record: Property) -> None:
    assert record.ok and record.check and record.proof
    assert all(reason for _, reason in record.proof)


def test_names_are_different() -> None:
    names = [r.name for r in RECORDS]
    assert len(set(names)) == len(names) > 20


# ---- the slope of an activation ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "gamma", "derivative"),
    [("tanh", 1, 1 - tanh(Z) ** 2), ("sigmoid", Rational(1, 4), exp(-Z) / (1 + exp(-Z)) ** 2),
     ("softplus", 1, 1 / (1 + exp(-Z))), ("identity", 1, 1), ("step", 0, 0), ("exp", oo, exp(Z))],
)  # fmt: skip
def test_gamma_of_known_functions(function: str, gamma: object, derivative: object) -> None:
    found = slope(function)
    assert found is not None and found.supremum == gamma and found.ok
    assert simplify((found.expression - derivative).rewrite(exp)) == 0
    assert found.bounded == (gamma != oo)


def test_relu_has_slope_one_at_most() -> None:
    found = slope("relu")
    assert found is not None and found.supremum == 1 and found.ok and found.on_grid == 1


def test_unknown_functions_have_none() -> None:
    assert slope("g") is None
    found = slope("log")
    assert found is not None and not found.bounded and found.check.startswith("searched only")


def test_a_wrong_registered_derivative_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(rules.DERIVATIVES, "tanh", lambda z, a: Apply("sigmoid", z))
    found = slopes.slope.__wrapped__("tanh")
    assert not found.ok


# ---- one unit, and the spectral radius -----------------------------------------------------------


def test_the_factor_of_one_unit_comes_out_of_the_calculus() -> None:
    assert factor("g") == W * SLOPES[I] and factor("identity") == W


def test_the_examples_are_the_smallest_and_are_what_they_are_said_to_be() -> None:
    w = nilpotent()
    assert w**2 == 0 * w and sigma_max(w) == 2 and radius(w) == 0
    w = transient()
    norms = [np.linalg.norm(np.linalg.matrix_power(np.array(w, float), n), 2) for n in (1, 2, 99)]
    assert 1 < norms[0] < norms[1] and norms[2] < 1e-6 and radius(w) < 1
    assert radius(growing()) == (1 + sqrt(5)) / 2


def test_gelfand_comes_down_to_the_spectral_radius() -> None:
    w = [[0.9, 5.0], [0.0, 0.8]]
    found = gelfand(w, 2**14)
    assert found[0] > 5 and all(a >= b for a, b in pairwise(found))
    assert found[-1] == pytest.approx(0.9, rel=1e-3) and gelfand([[0, 2], [0, 0]])[-1] == 0


def test_a_nilpotent_weight_has_flow_over_one_step_only() -> None:
    net = rs.model("elman:activation=identity,output=identity")
    w = np.array(nilpotent(), float)
    flow = net.flow(steps=6, params={"W_aa": w})
    assert flow.bound is not None and flow.bound.rate == 2 and flow.bound.radius == 0
    assert (flow.by_distance().largest[2:] == 0).all() and flow.by_distance().largest[1] > 0
    with pytest.raises(InputError):
        net.flow(steps=6, params={"W_aa": w[:1]})
