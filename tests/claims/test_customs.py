"""Customs of writing: gradients that go by a name, and readings that verdicts have to name."""

from __future__ import annotations

from functools import cache

import pytest

import rnnsym as rs
from rnnsym.network import Network


@cache
def elman() -> Network:
    return rs.read(
        r"z_t = W h_{t-1} + U x_t + b \\ h_t = \tanh(z_t) \\ o_t = V h_t + c \\"
        r"L_t = \frac{1}{2} \|o_t - y_t\|^2"
    )


@cache
def lstm() -> Network:
    return rs.model("lstm", notation="pytorch")


def verdict(claim: str, net: Network | None = None) -> str:
    return rs.check(claim, net or elman()).verdict


# ---- gradients by name ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "claim",
    [
        r"\delta_t = (V^\top \delta^o_t + W^\top \delta_{t+1}) \odot (1 - h_t^2)",
        r"\delta_{h_t} = V^\top \delta_{o_t} + W^\top \delta_{z_{t+1}}",
        r"\delta^h_t = V^\top \delta^o_t + W^\top (\delta^h_{t+1} \odot (1 - h_{t+1}^2))",
        r"\delta_{h,t} = V^\top \delta_{o,t} + W^\top \delta_{z,t+1}",
        r"\delta_T = (V^\top \delta^{out}_T) \odot (1 - h_T^2)",
        r"dh_t = V^\top do_t + dh_{next}",
        r"\mathrm{dh}_t = V^\top \mathrm{do}_t + W^\top \mathrm{dz}_{t+1}",
        r"\delta h_t = V^\top \delta o_t + W^\top \delta z_{t+1}",
        r"dz_t = dh_t \odot (1 - h_t^2)",
        r"dh_{t-1} = W^\top dz_t",
        r"dW = \sum_t dz_t h_{t-1}^\top",
        r"dW = dz_t h_{t-1}^\top",
        r"db = \sum_{t=1}^T \delta_{z_t}",
        r"\frac{\partial L}{\partial U} = \sum_{t=1}^T \delta_t x_t^\top",
        r"\frac{\partial L}{\partial U} = \sum_{t=1}^T \delta_t (x_t)^\top",
    ],
)
def test_gradients_that_go_by_a_name(claim: str) -> None:
    assert verdict(claim) == "true"


@pytest.mark.parametrize(
    "claim",
    [
        r"\delta^h_t = V^\top \delta^o_t + W (\delta^h_{t+1} \odot (1 - h_{t+1}^2))",
        r"\delta_{h_t} = V^\top \delta_{o_t} + W^\top (\delta_{h_{t+1}} \odot (1 - h_t^2))",
        r"dz_t = dh_t \odot (1 - z_t^2)",
        r"dW = \sum_t dz_t h_t^\top",
    ],
)
def test_a_wrong_formula_of_such_a_gradient(claim: str) -> None:
    found = rs.check(claim, elman())
    assert found.verdict == "false" and found.correction


def test_missing_brackets_are_told() -> None:
    claim = r"\delta_t = V^\top \delta^o_t + W^\top \delta_{t+1} \odot (1 - h_t^2)"
    found = rs.check(claim, elman())
    assert found.verdict == "false" and "brackets are missing" in found.diagnosis


@pytest.mark.parametrize(
    "claim",
    [r"\delta_t = x_t - o_t", r"\delta_t = h_t - h_{t-1}"],
)
def test_what_nobody_calls_a_gradient_is_a_definition(claim: str) -> None:
    assert verdict(claim) == "definition"


def test_what_is_meant_is_said() -> None:
    found = rs.check(
        r"\delta_t = (V^\top \delta^o_t + W^\top \delta_{t+1}) \odot (1 - h_t^2)", elman()
    )
    assert "is the derivative of the loss by" in found.reading


def test_what_no_step_is_blamed_for() -> None:
    """A gradient that is zero throughout proves nothing."""
    document = "$$h_t = \\tanh(W h_{t-1})$$ $$y_t = g(V x_t)$$ $$dh_{t-1} = W dh_t$$"
    assert rs.audit(document).formulas[-1].verdict != "true"


# ---- layouts and shapes --------------------------------------------------------------------


@pytest.mark.parametrize(
    "claim",
    [
        # denominator layout, by a matrix that is square and by one that is not
        r"\frac{\partial L}{\partial W} = \sum_{t=1}^T \frac{\partial z_t}{\partial W} "
        r"\frac{\partial L}{\partial z_t}",
        r"\frac{\partial L}{\partial V} = \sum_{t=1}^T \frac{\partial o_t}{\partial V} "
        r"\frac{\partial L}{\partial o_t}",
        # the factor that a weight leaves
        r"\frac{\partial z_t}{\partial W} = h_{t-1}^\top",
        r"\frac{\partial o_t}{\partial V} = h_t^\top",
        r"\frac{\partial z_t}{\partial b} = 1",
        # factors in an order that no one layout gives
        r"\frac{\partial L_t}{\partial V} = \left(\frac{\partial L_t}{\partial o_t} "
        r"\frac{\partial o_t}{\partial h_t} \frac{\partial h_t}{\partial z_t}\right) "
        r"\frac{\partial z_t}{\partial V} + (o_t - y_t) h_t^\top",
        # each member by its own layout
        r"\frac{\partial L}{\partial V} = \sum_t \frac{\partial L_t}{\partial o_t} "
        r"\frac{\partial o_t}{\partial V} = \sum_t \frac{\partial L_t}{\partial o_t} h_t^\top",
        # entries
        r"\frac{\partial L_t}{\partial V} = \sum_i \frac{\partial L_t}{\partial o_{t,i}} "
        r"\frac{\partial o_{t,i}}{\partial V}",
        r"\frac{\partial z_{t,k}}{\partial U_{pq}} = \delta_{kp} x_{t,q}",
        r"\frac{\partial o_{t,i}}{\partial U_{pq}} = V_{ip} (1 - h_{t,p}^2) x_{t,q}",
        r"\frac{\partial L_t}{\partial c_i} = \sum_{k=0}^{n} \delta_{ik} (o_{t,k} - y_{t,k})",
    ],
)
def test_layouts(claim: str) -> None:
    assert verdict(claim) == "true"


@pytest.mark.parametrize(
    "claim",
    [
        r"\frac{\partial z_t}{\partial W} = h_t^\top",
        r"\frac{\partial z_{t,k}}{\partial U_{pq}} = \delta_{kq} x_{t,p}",
        r"\frac{\partial L}{\partial W} = \sum_{t=1}^T \frac{\partial z_t}{\partial U} "
        r"\frac{\partial L}{\partial z_t}",
    ],
)
def test_wrong_shapes(claim: str) -> None:
    assert verdict(claim) == "false"


def test_terms_between_dots_run_where_first_and_last_differ() -> None:
    claim = (
        r"\frac{\partial h_t}{\partial W} = \frac{\partial h_t}{\partial h_t}"
        r"\frac{\partial h_t}{\partial W} + \frac{\partial h_t}{\partial h_{t-1}}"
        r"\frac{\partial h_{t-1}}{\partial W} + \dots + \frac{\partial h_t}{\partial h_1}"
        r"\frac{\partial h_1}{\partial W}"
    )
    assert verdict(claim) == "true"


@pytest.mark.parametrize(
    "claim, truth",
    [
        (r"\frac{\partial L}{\partial W} = \sum_{t=1}^3 \frac{\partial L_t}{\partial W}", "true"),
        (r"\frac{\partial L}{\partial V} = \frac{\partial L_1}{\partial V} + "
         r"\frac{\partial L_2}{\partial V} + \frac{\partial L_3}{\partial V}", "true"),
        (r"\frac{\partial L}{\partial V} = \frac{\partial L_2}{\partial V} + "
         r"\frac{\partial L_3}{\partial V}", "false"),
        (r"\frac{\partial L_t}{\partial V} = \sum_t \frac{\partial L_t}{\partial V}", "true"),
    ],
)  # fmt: skip
def test_sequences_that_are_written_out(claim: str, truth: str) -> None:
    assert verdict(claim) == truth


@pytest.mark.parametrize(
    "claim, truth",
    [
        (r"\frac{\partial c_t}{\partial c_k} = \prod_{i=k+1}^t f_i", "true"),
        (r"\frac{\partial c_t}{\partial c_k} = \prod_{i=k+1}^t \mathrm{diag}(f_i)", "true"),
        (r"\frac{\partial c_t}{\partial c_k} = \prod_{i=k}^t f_i", "false"),
        (r"\frac{\partial f_t}{\partial c_{t-1}} = \frac{\partial i_t}{\partial c_{t-1}} = 0",
         "true"),
    ],
)  # fmt: skip
def test_direct_paths(claim: str, truth: str) -> None:
    assert verdict(claim, lstm()) == truth


@pytest.mark.parametrize(
    ("claim", "truth"),
    [
        (r"\frac{\partial h_t}{\partial h_{t-1}} = \mathrm{diag}(\tanh') W", "true"),
        (r"\frac{\partial h_t}{\partial h_{t-1}} = W^\top \mathrm{diag}(\tanh')", "true"),
        (r"\frac{\partial h_t}{\partial h_k} = \prod_{i=k+1}^t \mathrm{diag}(\tanh') W", "true"),
        (r"\frac{\partial h_t}{\partial h_{t-1}} = \mathrm{diag}(\tanh') U", "unknown"),
    ],
)
def test_a_function_by_its_name_alone_is_taken_where_the_network_applies_it(
    claim: str, truth: str
) -> None:
    assert verdict(claim) == truth


def test_a_network_that_was_read_keeps_its_names() -> None:
    net = rs.read(r"h_t = \tanh(W h_{t-1} + U x_t) \\ g_t = V h_t \\ L_t = \|g_t - y_t\|^2")
    assert (
        verdict(
            r"\frac{\partial L}{\partial V} = \sum_t \frac{\partial L}{\partial g_t} h_t^\top", net
        )
        == "true"
    )


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        (r"\sigma'(x) \in [0, 0.25]", "true"),
        (r"\sigma'(x) \in [0, 0.24]", "false"),
        (r"\tanh'(x) \in (0, 1]", "true"),
        (r"\tanh'(x) \in [0, 0.9]", "false"),
        (r"|\tanh(x)| < 1", "true"),
    ],
)
def test_ranges_of_functions(claim: str, verdict: str) -> None:
    assert rs.check(claim, rs.elman()).verdict == verdict


def test_a_step_of_gradient_descent_is_explained() -> None:
    net = rs.read(r"h_t = \tanh(W h_{t-1} + U x_t + b)" "\n" r"\hat{y}_t = \mathrm{softmax}(V h_t)")
    assert (
        rs.check(r"W \leftarrow W - \eta \frac{\partial L}{\partial W}", net).verdict
        == "definition"
    )
    right = r"W \leftarrow W - \eta \sum_t \delta_t h_{t-1}^\top"
    assert rs.check(right, net).verdict == "true"
    wrong = rs.check(right.replace("t-1", "t"), net)
    assert wrong.verdict == "false"
    assert "h_{t-1}" in wrong.correction


def gated() -> Network:
    return rs.read(
        r"r_t = \sigma(W_r h_{t-1} + U_r x_t) \\ s_t = W_h (r_t \odot h_{t-1}) + U_h x_t \\"
        r"h_t = \tanh(s_t)"
    )


def test_a_chain_rule_along_several_paths() -> None:
    net = gated()
    paths = [
        rf"\frac{{\partial L}}{{\partial {g}_t}}\frac{{\partial {g}_t}}{{\partial x_t}}"
        for g in "sr"
    ]
    left = r"\frac{\partial L}{\partial x_t}"
    # by s alone, whatever it depends on; or by s and r, each by its own equation
    assert rs.check(f"{left} = {paths[0]}", net).verdict == "true"
    both = rs.check(f"{left} = {' + '.join(paths)}", net)
    assert both.verdict == "true"
    assert "by its own equation, with all others held" in both.reading
    assert rs.check(f"{left} = {paths[0]} - {paths[1]}", net).verdict == "false"
    assert rs.check(f"{left} = {paths[1]}", net).verdict == "false"


def test_a_block_of_zeros_needs_room() -> None:
    net = rs.read(r"h_t = \tanh(W [h_{t-1}; x_t])")
    identity = r"\begin{bmatrix} I \\ 0 \end{bmatrix}"
    claim = r"\frac{{\partial [h_{{t-1}}; x_t]}}{{\partial h_{{t-1}}}} = {}"
    assert rs.check(claim.format(identity), net).verdict == "true"
    square = r"\begin{bmatrix} I & 0 \\ 0 & 0 \end{bmatrix}"
    assert rs.check(claim.format(square), net).verdict != "true"


@cache
def lstm_of_two_matrices() -> Network:
    gates = r" \\ ".join(rf"{g}_t = \sigma(W_{g} x_t + U_{g} h_{{t-1}} + b_{g})" for g in "fio")
    return rs.read(
        gates + r" \\ \tilde{c}_t = \tanh(W_c x_t + U_c h_{t-1} + b_c) \\"
        r"c_t = f_t \odot c_{t-1} + i_t \odot \tilde{c}_t \\ h_t = o_t \odot \tanh(c_t)"
    )


@pytest.mark.parametrize(
    "claim",
    [
        # the product rule, with Jacobians in the place of vectors
        r"\frac{\partial c_t}{\partial c_{t-1}} = "
        r"\frac{\partial f_t}{\partial c_{t-1}} \odot c_{t-1}"
        r"+ f_t + \frac{\partial i_t}{\partial c_{t-1}} \odot \tilde{c}_t"
        r"+ i_t \odot \frac{\partial \tilde{c}_t}{\partial c_{t-1}}",
        # the chain rule along every path, f_t for its diagonal
        r"\frac{\partial c_t}{\partial c_{t-1}} = f_t + "
        + " + ".join(
            rf"\frac{{\partial c_t}}{{\partial {g}}}\frac{{\partial {g}}}{{\partial h_{{t-1}}}}"
            rf"\frac{{\partial h_{{t-1}}}}{{\partial c_{{t-1}}}}"
            for g in ("f_t", "i_t", r"\tilde{c}_t")
        ),
        r"\frac{\partial h_t}{\partial h_{t-1}} = "
        r"\frac{\partial h_t}{\partial o_t}\frac{\partial o_t}{\partial h_{t-1}}"
        r"+ \frac{\partial h_t}{\partial c_t}\frac{\partial c_t}{\partial h_{t-1}}",
        r"\frac{\partial L}{\partial x_t} = "
        + " + ".join(
            rf"\frac{{\partial L}}{{\partial {g}}}\frac{{\partial {g}}}{{\partial x_t}}"
            for g in ("f_t", "i_t", "o_t", r"\tilde{c}_t")
        ),
    ],
)
def test_product_and_chain_rules_of_gates(claim: str) -> None:
    assert rs.check(claim, lstm_of_two_matrices()).verdict == "true"
    wrong = claim.replace(r"\tilde{c}_t", "o_t") if "tilde" in claim else claim.replace("+ ", "- ")
    assert rs.check(wrong, lstm_of_two_matrices()).verdict == "false"
