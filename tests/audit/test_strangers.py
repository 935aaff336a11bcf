"""Documents as strangers write them: what is left to the reader is found, or left open."""

from __future__ import annotations

import pytest

import rnnsym as rs

PLAIN = r"""
$$h_t = \tanh(W h_{t-1} + U x_t)$$ $$o_t = V h_t$$ $$\hat y_t = \mathrm{softmax}(o_t)$$
"""


def last(document: str) -> str | None:
    return rs.audit(document).formulas[-1].verdict


BOOK = r"""
\[\begin{aligned}
\Va^{(t)} &= \Vb + \MW \Vh^{(t-1)} + \MU \Vx^{(t)} \\
\Vh^{(t)} &= \tanh(\Va^{(t)}) \\
\Vo^{(t)} &= \Vc + \MV \Vh^{(t)} \\
\hat\Vy^{(t)} &= \mathrm{softmax}(\Vo^{(t)})
\end{aligned}\]
The loss is the negative log-likelihood of $y^{(t)}$ given $\Vx^{(1)}, \dots, \Vx^{(t)}$, for inputs
$\Vx^{(1)}, \dots, \Vx^{(\tau)}$.
"""


@pytest.mark.parametrize(
    "claim",
    [
        r"(\nabla_{\Vo^{(t)}} L)_i = \hat y_i^{(t)} - \mathbf{1}_{i, y^{(t)}}",
        r"(\nabla_{\Vo^{(t)}} L)_i = \hat y_i^{(t)} - \mathbf{1}_{i = y^{(t)}}",
        r"\nabla_{\Vh^{(\tau)}} L = \MV^\top \nabla_{\Vo^{(\tau)}} L",
        r"\nabla_{\Vb} L = \sum_t \left(\frac{\partial \Vh^{(t)}}{\partial \Vb^{(t)}}\right)^\top "
        r"\nabla_{\Vh^{(t)}} L",
        r"\nabla_{\MW} L = \sum_t \sum_i \left(\frac{\partial L}{\partial h_i^{(t)}}\right) "
        r"\nabla_{\MW^{(t)}} h_i^{(t)}",
        r"\nabla_{\MV} L = \sum_t (\nabla_{\Vo^{(t)}} L) \Vh^{(t)^\top}",
    ],
)
def test_a_book_with_macros_that_are_elsewhere(claim: str) -> None:
    assert last(BOOK + f"\n$${claim}$$\n") == "true"


@pytest.mark.parametrize(
    "loss, claim",
    [
        (r"L_t = -y_t \log \hat y_t", r"\frac{\partial L_t}{\partial o_t} = \hat y_t - y_t"),
        (r"L_t = -\sum_c y_{t,c} \log \hat y_{t,c}",
         r"\frac{\partial L_t}{\partial o_t} = \hat y_t - y_t"),
        (r"L_t = \text{crossentropy}(\hat y_t, y_t)",
         r"\frac{\partial L_t}{\partial o_t} = \hat y_t - y_t"),
        (r"L_t = \frac12 (o_t - y_t)^2", r"\frac{\partial L_t}{\partial o_t} = o_t - y_t"),
    ],
)  # fmt: skip
def test_losses_as_they_are_written(loss: str, claim: str) -> None:
    assert last(PLAIN + f"$${loss}$$\n\n$${claim}$$\n") == "true"


def test_a_loss_that_nobody_gives_is_supposed_and_said() -> None:
    found = rs.audit(PLAIN + "$$\\frac{\\partial L_t}{\\partial o_t} = \\hat y_t - y_t$$").formulas[
        -1
    ]
    assert found.verdict == "true" and "cross entropy" in found.reading


def test_or_left_open() -> None:
    document = r"$$h_t = f(W h_{t-1} + U x_t)$$ $$g_t = k(V h_t)$$"
    claim = r"\frac{\partial L_t}{\partial g_t} = (g_t - y_t) / 7"
    assert last(f"{document}\n\n$${claim}$$\n") == "unknown"


@pytest.mark.parametrize(
    "claim",
    [
        r"\frac{\partial L}{\partial W} = \sum_{t=0}^{T-1} \frac{\partial L}{\partial z_t} "
        r"h_{t-1}^\top",
        r"\frac{\partial L}{\partial h_{T-1}} = V^\top \frac{\partial L}{\partial o_{T-1}}",
    ],
)
def test_steps_from_zero(claim: str) -> None:
    document = r"""
    $$z_t = W h_{t-1} + U x_t$$ $$h_t = \tanh(z_t)$$ $$o_t = V h_t$$
    $$L = \sum_{t=0}^{T-1} L_t$$
    """.replace("    ", "")
    assert last(f"{document}\n\n$${claim}$$\n") == "true"


def test_activations_that_the_words_name() -> None:
    document = r"""
The activation of the hidden layer is tanh, that of the output softmax, the loss cross entropy.

$$h^{(t)} = \sigma(z^{(t)}) = \sigma(U x^{(t)} + W h^{(t-1)} + b)$$
$$o^{(t)} = V h^{(t)} + c$$
$$\hat y^{(t)} = \sigma(o^{(t)})$$
$$\delta^{(t)} = \frac{\partial L}{\partial h^{(t)}}$$
$$\frac{\partial L}{\partial W} = \sum_{t=1}^{\tau} \mathrm{diag}(1 - (h^{(t)})^2) \delta^{(t)}
(h^{(t-1)})^T$$
"""
    found = rs.audit(document).formulas[-1]
    assert found.verdict == "true" and "tanh for h" in found.reading


def test_a_cell_with_what_comes_before_and_after() -> None:
    document = r"""
$$\Gamma_f^{\langle t \rangle} = \sigma(W_f [a^{\langle t-1 \rangle}, x^{\langle t \rangle}] +
b_f)$$
$$\Gamma_u^{\langle t \rangle} = \sigma(W_u [a^{\langle t-1 \rangle}, x^{\langle t \rangle}] +
b_u)$$
$$\Gamma_o^{\langle t \rangle} = \sigma(W_o [a^{\langle t-1 \rangle}, x^{\langle t \rangle}] +
b_o)$$
$$\tilde c^{\langle t \rangle} = \tanh(W_c [a^{\langle t-1 \rangle}, x^{\langle t \rangle}] + b_c)$$
$$c^{\langle t \rangle} = \Gamma_f^{\langle t \rangle} * c^{\langle t-1 \rangle} +
\Gamma_u^{\langle t \rangle} * \tilde c^{\langle t \rangle}$$
$$a^{\langle t \rangle} = \Gamma_o^{\langle t \rangle} * \tanh(c^{\langle t \rangle})$$

$$d\Gamma_o^{\langle t \rangle} = da_{next} * \tanh(c_{next}) * \Gamma_o^{\langle t \rangle} *
(1 - \Gamma_o^{\langle t \rangle})$$

$$dW_o = d\Gamma_o^{\langle t \rangle} * \begin{pmatrix} a_{prev} \\ x_t \end{pmatrix}^T$$

$$dc_{prev} = dc_{next} * \Gamma_f^{\langle t \rangle} + \Gamma_o^{\langle t \rangle} * (1 -
\tanh(c_{next})^2) * \Gamma_f^{\langle t \rangle} * da_{next}$$

$$dc_{prev} = dc_{next} * \Gamma_u^{\langle t \rangle} + \Gamma_o^{\langle t \rangle} * (1 -
\tanh(c_{next})^2) * \Gamma_u^{\langle t \rangle} * da_{next}$$
"""
    assert [f.verdict for f in rs.audit(document).formulas[-4:]] == [
        "true",
        "true",
        "true",
        "false",
    ]


def test_a_display_that_goes_on() -> None:
    claim = r"\frac{\partial L}{\partial V} = \sum_t \frac{\partial L}{\partial o_t} h_t^\top"
    on = r"= \sum_t \frac{\partial L_t}{\partial o_t} h_t^\top"
    found = rs.audit(PLAIN + f"$${claim}$$\n\nthat is\n\n$${on}$$\n").formulas
    assert [f.verdict for f in found[-2:]] == ["true", "true"]


def test_a_definition_that_comes_later_counts() -> None:
    claim = r"\frac{\partial L}{\partial W} = \sum_{t=1}^T \delta^h_t h_{t-1}^\top"
    where = r"\delta^h_t = \frac{\partial L}{\partial h_t}"
    found = rs.audit(PLAIN + f"$${claim}$$\n\nwhere $${where}$$\n").formulas
    assert found[-2].verdict != "true"


def test_examples_in_numbers_are_no_equations() -> None:
    document = r"""
$$a_1 = \tanh(W a_0 + U x_1)$$ $$a_1 = \begin{bmatrix} 0.5 & -0.1 \end{bmatrix}$$
$$a_2 = \tanh(W a_1 + U x_2)$$ $$a_3 = \tanh(W a_2 + U x_3)$$
$$\hat y = \sigma(V a_3)$$
"""
    assert rs.audit(document).equations[0] == "a[t] = tanh(((W @ a[t-1]) + (U @ x[t])))"


def test_the_name_of_a_file_is_no_document() -> None:
    with pytest.raises(rs.InputError, match=r"pathlib\.Path"):
        rs.audit("notes/bptt.md")
