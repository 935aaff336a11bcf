"""Networks from forward equations, in the notations of others."""

from __future__ import annotations

import pytest

import rnnsym as rs
from rnnsym.errors import InputError
from rnnsym.reader.network import read

ELMAN = ["a[t] = tanh(W_aa @ a[t-1] + W_ax @ x[t] + b_a)", "y_hat[t] = softmax(W_ya @ a[t] + b_y)"]

#: LaTeX, states, parameters with their shapes as (rows, columns)
NOTATIONS = {
    "post": (
        r"$a^{\langle t \rangle} = \tanh(W_{aa} a^{\langle t-1 \rangle} "
        r"+ W_{ax} x^{\langle t \rangle} + b_a)$",
        {"a"},
        {"W_aa": ("n_a", "n_a"), "W_ax": ("n_a", "n_x"), "b_a": ("n_a", "1")},
    ),
    "goodfellow": (
        r"\boldsymbol{h}^{(t)} = \tanh(\boldsymbol{b} + \boldsymbol{W} \boldsymbol{h}^{(t-1)} "
        r"+ \boldsymbol{U} \boldsymbol{x}^{(t)})",
        {"h"},
        {"W": ("n_h", "n_h"), "U": ("n_h", "n_x"), "b": ("n_h", "1")},
    ),
    "rows": (
        r"\mathbf{H}_t = \tanh(\mathbf{X}_t \mathbf{W}_{xh} "
        r"+ \mathbf{H}_{t-1} \mathbf{W}_{hh} + \mathbf{b}_h)",
        {"H"},
        {"W_xh": ("n_X", "n_H"), "W_hh": ("n_H", "n_H"), "b_h": ("n_H", "1")},
    ),
    "docstring": (
        r"h_t = \tanh(x_t W_{ih}^T + b_{ih} + h_{t-1} W_{hh}^T + b_{hh})",
        {"h"},
        {"W_ih": ("n_h", "n_x"), "W_hh": ("n_h", "n_h"), "b_ih": ("n_h", "1")},
    ),
    "components": (
        r"h_i^{(t)} = \tanh(\sum_j W_{ij} h_j^{(t-1)} + \sum_j U_{ij} x_j^{(t)})",
        {"h"},
        {"W": ("n_h", "n_h"), "U": ("n_h", "n_x")},
    ),
    "scalar": (r"s_k = w s_{k-1} + u x_k", {"s"}, {"w": ("1", "1"), "u": ("1", "1")}),
    "superscript": (
        r"s^t = \sigma(U x^t + W s^{t-1})",
        {"s"},
        {"U": ("n_s", "n_x"), "W": ("n_s", "n_s")},
    ),
    "system behind a brace": (
        r"\left\{\begin{array}{l} z_t = W h_{t-1} + U x_t \\ h_t = \tanh(z_t) \end{array}\right.",
        {"h"},
        {"W": ("n_h", "n_h")},
    ),
    "steps written out": (
        r"\begin{cases} h_1 = \tanh(W h_0 + U x_1) \\ h_2 = \tanh(W h_1 + U x_2) \end{cases}",
        {"h"},
        {"W": ("n_h", "n_h"), "U": ("n_h", "n_x")},
    ),
    "pascanu": (
        r"\mathbf{x}_t = \mathbf{W}_{rec} \sigma(\mathbf{x}_{t-1}) "
        r"+ \mathbf{W}_{in} \mathbf{u}_t + \mathbf{b}",
        {"x"},
        {"W_rec": ("n_x", "n_x"), "W_in": ("n_x", "n_u")},
    ),
}


@pytest.mark.parametrize("name", NOTATIONS)
def test_notation(name):
    latex, states, shapes = NOTATIONS[name]
    net = read(latex)
    assert {n for n in net.states if n in net.carried} == states
    assert {n: tuple(str(d) for d in net.parameters[n].shape) for n in shapes} == shapes


def test_a_document_is_the_built_in_network():
    found = read(
        r"$$a^{<t>} = \tanh(W_{aa} a^{<t-1>} + W_{ax} x^{<t>} + b_a)$$"
        "\n\n"
        r"$$\hat{y}^{<t>} = \operatorname{softmax}(W_{ya} a^{<t>} + b_y)$$",
        make=rs.Network,
    )
    own = rs.elman()
    assert {n: str(p.shape) for n, p in found.parameters.items()} == {
        n: str(p.shape) for n, p in own.parameters.items()
    }
    assert rs.verify(found, steps=3, against=["exact"]).ok


def test_gates_without_a_time_are_vectors():
    net = read(
        r"""\Gamma_u = \sigma(W_u[c^{<t-1>}, x^{<t>}] + b_u)
\tilde{c}^{<t>} = \tanh(W_c[c^{<t-1>}, x^{<t>}] + b_c)
c^{<t>} = \Gamma_u * \tilde{c}^{<t>} + (1 - \Gamma_u) * c^{<t-1>}"""
    )
    assert {"Gamma_u", "c_tilde", "c"} <= set(net.equations)
    assert str(net.parameters["W_u"].shape) == "(n_c, n_c + n_x)"


def test_two_names_for_one_expression():
    net = read("a_t = W h_{t-1} + U x_t\nh_t = W h_{t-1} + U x_t")
    assert {"a", "h"} <= set(net.equations)


def test_bidirectional_and_deep():
    net = read(
        r"""\overrightarrow{h}_t = f(\overrightarrow{W} x_t + V' \overrightarrow{h}_{t-1})
\overleftarrow{h}_t = f(\overleftarrow{W} x_t + \overleftarrow{V} \overleftarrow{h}_{t+1})
\hat{y}_t = g(U [\overrightarrow{h}_t; \overleftarrow{h}_t] + c)"""
    )
    assert net.lag_range("h_bwd")[0] < 0 < net.lag_range("h_fwd")[1]


def test_a_loss_is_taken():
    net = read(
        r"""h_t = \tanh(W h_{t-1} + U x_t)
o_t = V h_t
L_t = \frac{1}{2} \|o_t - y_t\|^2"""
    )
    assert "y" in net.targets


@pytest.mark.parametrize(
    "latex", [r"E = m c^2", r"W = 0.5", r"h_t", "", r"P(x_t \mid x_1, \ldots, x_{t-1})"]
)
def test_no_network_is_said(latex):
    with pytest.raises(InputError, match="no forward equation"):
        read(latex)


def test_a_loss_is_never_replaced_because_an_output_could_not_be_read() -> None:
    equations = (
        "m_t = \\tanh(A m_{t-1} + B x_t + k)\nq_t = C m_t + e\nL_t = \\frac{1}{2} \\|q_t - y_t\\|^2"
    )
    with pytest.raises(InputError, match=r"q_t = C m_t \+ e: what is e\?"):
        rs.read(equations)
