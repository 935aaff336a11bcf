"""A function of one's own: one call, then it is known to every stage."""

import pytest

import rnnsym as rs
from rnnsym import functions

SWISH = "z / (1 + np.exp(-z))"


@pytest.fixture(scope="module")
def net():
    if "swish" not in functions.KNOWN:
        rs.register_function("swish", SWISH, "a[t] + sigmoid(z[t]) * (1 - a[t])", r"\mathrm{swish}")
    return rs.Network(
        "h[t] = swish(W @ h[t-1] + U @ x[t] + b)",
        "y_hat[t] = softmax(V @ h[t])",
    )


def test_a_registered_function_derives_prints_generates_and_verifies(net):
    d = net.derive("W")
    assert all(check.ok for check in d.check())
    assert r"\mathrm{swish}\left(" in d.latex()
    kinds = ["exact", "bptt", "complex_step", "finite_difference"]
    assert rs.verify(net, against=kinds).ok


def test_its_derivative_is_written_as_it_was_given(net):
    assert "σ(z_h⟨t⟩)" in net.derive("W").text()


@pytest.mark.parametrize(
    ("name", "value", "derivative", "why"),
    [
        ("swish2", SWISH, "a[t]", "not the slope"),
        ("swish2", "z / (1 + q)", "a[t]", "use z and np only"),
        ("swish2", "z /", "a[t]", "no expression"),
        ("swish2", "np.nothing(z)", "a[t]", "value of swish2"),
        ("swish2", SWISH, "a[t] + w[t]", r"use z\[t\] and a\[t\] only"),
        ("tanh", SWISH, "a[t]", "taken"),
        ("not a name", SWISH, "a[t]", "identifier"),
    ],
)
def test_what_does_not_fit_is_refused_and_leaves_nothing_behind(name, value, derivative, why):
    known = set(functions.KNOWN)
    with pytest.raises(rs.InputError, match=why):
        rs.register_function(name, value, derivative)
    assert set(functions.KNOWN) == known
    with pytest.raises(rs.InputError, match="unknown function swish2"):
        rs.Network("a[t] = swish2(W @ a[t-1])")
