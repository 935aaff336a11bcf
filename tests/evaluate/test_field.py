"""The finite field: arithmetic modulo p, oracles that are functions, and their derivatives."""

from __future__ import annotations

import pytest
from sympy import Rational

from rnnsym.evaluate.dual import Dual, DualArithmetic
from rnnsym.evaluate.field import FieldArithmetic, P


def entries(a):
    return [int(x) for x in a.entries()]


def test_p_is_a_mersenne_prime():
    assert P == 2**61 - 1
    assert pow(3, P - 1, P) == 1


def test_matrices():
    ar = FieldArithmetic()
    a, b = ar.array([[1, 2], [3, -4]]), ar.array([[5], [6]])
    assert entries(ar.matmul(a, b)) == [17, P - 9]
    assert entries(ar.hadamard(a, a)) == [1, 4, 9, 16]
    assert entries(ar.transpose(a)) == [1, 3, 2, P - 4]
    assert entries(ar.blocks([[a, b]])) == [1, 2, 5, 3, P - 4, 6]
    assert entries(ar.scale(Rational(1, 2), ar.scale(2, a))) == entries(a)
    assert ar.shape(ar.blocks([[a], [a]])) == (4, 2)


def test_an_oracle_is_a_function():
    ar, other = FieldArithmetic(1), FieldArithmetic(2)
    z = ar.array([[7], [8], [7]])
    first = entries(ar.apply("g", 0, z))
    assert first == entries(ar.apply("g", 0, z))
    assert first[0] == first[2] != first[1]
    assert first != entries(ar.apply("g", 1, z)) != entries(ar.apply("h", 0, z))
    assert first != entries(other.apply("g", 0, z))
    assert ar.oracles["g", 0].keys() == {7, 8}


def test_reciprocal():
    ar = FieldArithmetic()
    z = ar.array([[3], [5]])
    assert entries(ar.hadamard(z, ar.apply("reciprocal", 0, z))) == [1, 1]
    with pytest.raises(ZeroDivisionError):
        ar.apply("reciprocal", 0, ar.array([[0]]))


@pytest.mark.parametrize(
    ("function", "slope"),
    [
        ("tanh", lambda z, a: 1 - a * a),
        ("sigmoid", lambda z, a: a * (1 - a)),
        ("exp", lambda z, a: a),
        ("reciprocal", lambda z, a: -a * a),
        ("log", lambda z, a: pow(z, P - 2, P)),
    ],
)
def test_dual_numbers_follow_the_differential_equation(function, slope):
    ar = FieldArithmetic()
    dual = DualArithmetic(ar)
    found = dual.apply(function, 0, Dual(ar.array([[11]]), (ar.array([[1]]),)))
    a = int(found.value[0, 0])
    assert int(found.tangents[0][0, 0]) == slope(11, a) % P
