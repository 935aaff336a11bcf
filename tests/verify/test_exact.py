"""The exact test: what it proves, what it refutes, and how likely it is to err."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sympy import Integer

from rnnsym.evaluate.field import FieldArithmetic, P
from rnnsym.models import build
from rnnsym.network import Network
from rnnsym.nodes import T
from rnnsym.sizes import choose_sizes
from rnnsym.verify.adjoints import derived_system
from rnnsym.verify.degree import Degree, DegreeArithmetic, chance, power_of_two
from rnnsym.verify.exact import IdentityTest


def evidence(net, system=None, steps=4, sizes=None):
    test = IdentityTest(net, choose_sizes(net, steps, sizes))
    return test.check(system or derived_system(net), list(net.parameters))


def test_a_term_as_small_as_one_likes_is_seen():
    """Truncated after 11 of 12 steps: at small weights no float could show the difference."""
    net = build("elman", {})
    found = evidence(net, replace(derived_system(net), chunk=11), steps=12)
    assert not found["W_aa"].ok
    assert found["W_aa"].error is None
    assert "should be" in found["W_aa"].detail
    assert found["W_ya"].ok  # does not go through time


def test_truncation_longer_than_the_sequence_is_no_error():
    net = build("elman", {})
    assert all(e.ok for e in evidence(net, replace(derived_system(net), chunk=4), steps=4).values())


def test_large_networks_are_tested_along_one_direction():
    net = build("elman", {})
    sizes = {"n_x": 12, "n_a": 15, "n_y": 11}
    right = derived_system(net)
    test = IdentityTest(net, choose_sizes(net, 6, sizes))
    assert not test.entrywise("W_aa")
    assert all(e.ok for e in test.check(right, list(net.parameters)).values())
    wrong = test.check(replace(right, chunk=5), list(net.parameters))
    assert not wrong["W_aa"].ok
    assert "⟨gradient, V⟩" in wrong["W_aa"].detail


@pytest.mark.parametrize("name", ["elman", "lstm", "gru"])
@pytest.mark.parametrize("steps", [1, 4, 9])
def test_probability_of_error_is_below_the_bound(name, steps):
    for e in evidence(build(name, {}), steps=steps).values():
        assert e.ok
        assert e.more["probability"] < 2**-50


def test_points_are_added_until_the_bound_is_reached():
    net = build("lstm", {})
    assert evidence(net, steps=8)["W_fa"].more["points"] == 2


def test_degrees_of_polynomials():
    ar = DegreeArithmetic()
    v, m = ar.variables(3, 1), ar.variables(3, 3)
    assert ar.matmul(m, ar.matmul(m, v)).top == 3
    assert ar.add(ar.hadamard(v, v), v).top == 2
    assert ar.scale(2, ar.eye(3)).top == 0
    assert ar.apply("tanh", 0, ar.matmul(m, v)).top == 1  # an oracle's value is a new variable
    assert ar.arguments["tanh", 0] == (2, 0)


def test_degrees_of_fractions():
    ar = DegreeArithmetic()
    v = ar.variables(3, 1)
    inverse = ar.apply("reciprocal", 0, v)  # 1/vᵢ = Π_{j≠i} vⱼ / Π vⱼ
    assert inverse.top == 2
    assert ar.below(inverse.bottom) == 3
    total = ar.add(inverse, inverse)
    assert ar.below(total.bottom) == 3  # the same denominator counts once in a sum
    assert ar.below(ar.hadamard(inverse, inverse).bottom) == 6
    assert ar.difference(inverse, v) == 4


def test_degree_is_a_true_bound():
    """A net whose state squares itself has degree 2^T: the bound must follow."""
    net = Network("a[t] = a[t-1] ** 2 + W @ x[t]", "y_hat[t] = V @ a[t]", loss="squared_error")
    degrees = [evidence(net, steps=n)["W"].more["degree"] for n in (2, 4, 6)]
    assert degrees[1] > 3 * degrees[0]
    assert degrees[2] > 3 * degrees[1]


def test_chance():
    assert chance(P, 0) == 1
    assert chance(1, 1) == 2 / P
    assert power_of_two(2.0**-50) == "2⁻⁵⁰"
    assert power_of_two(1.1 * 2.0**-50) == "2⁻⁴⁹"
    assert power_of_two(0) == "0"


def test_coincidences_count_pairs_of_arguments():
    ar, field = DegreeArithmetic(), FieldArithmetic()
    ar.apply("g", 0, Degree(1, 1, 5))
    field.apply("g", 0, field.array([[1], [2], [3], [3]]))
    assert ar.coincidences(field) == 3 * 5


def test_unit_sizes_and_one_step():
    net = build("elman", {})
    found = evidence(net, steps=1, sizes={"n_x": 1, "n_a": 1, "n_y": 1})
    assert all(e.ok for e in found.values())
    assert choose_sizes(net, 1)[T] == Integer(1)
