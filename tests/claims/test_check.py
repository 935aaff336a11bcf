"""Verdicts on formulas: each a sentence that somebody might write about the standard network."""

from __future__ import annotations

import pytest

import rnnsym as rs

NET = rs.elman()
A, X, Z = r"a^{\langle t\rangle}", r"x^{\langle t\rangle}", r"z^{\langle t\rangle}"
BEFORE, AFTER = r"a^{\langle t-1\rangle}", r"a^{\langle t+1\rangle}"
L_T = r"\mathscr{L}^{\langle t\rangle}"


def grad(of: str, by: str) -> str:
    return rf"\frac{{\partial {of}}}{{\partial {by}}}"


TRUE = [
    rf"{grad('L', 'W_{aa}')} = \sum_{{t=1}}^T \delta_{{z}}^{{<t>}} ({BEFORE})^\top",
    rf"{grad('L', 'b_a')} = \sum_t {grad('L', Z)}",
    rf"{grad(L_T, 'W_{aa}')} = {grad(L_T, A)} \sum_{{k=1}}^t \left(\prod_{{i=k+1}}^t "
    rf"\frac{{\partial a^{{<i>}}}}{{\partial a^{{<i-1>}}}}\right)"
    r"\frac{\partial a^{<k>}}{\partial W_{aa}}",
    rf"{grad(A, BEFORE)} = \mathrm{{diag}}(1 - {A} \odot {A}) W_{{aa}}",
    rf"{grad('L', A)} = W_{{aa}}^T \left({grad('L', AFTER)} \odot (1 - ({AFTER})^2)\right) "
    r"+ W_{ya}^T (\hat{y}^{<t>} - y^{<t>})",
    r"\frac{\partial a^{<t>}}{\partial a^{<k>}} = \prod_{i=k+1}^t "
    r"\frac{\partial a^{<i>}}{\partial a^{<i-1>}}",
    r"\tanh'(x) = 1 - \tanh^2(x) = \mathrm{sech}^2(x)",
    r"\sigma' = \sigma (1 - \sigma)",
    r"\frac{d}{dx} \tanh(x) = \frac{1}{\cosh^2 x}",
    r"\sigma(x) = \frac{1}{1 + e^{-x}}",
    r"\tanh(x) = 2 \sigma(2 x) - 1",
    r"\delta_t := \frac{\partial L}{\partial z_t},\quad "
    r"\nabla_{W_{ax}} L = \sum_{t=1}^T \delta_t x_t^\top",
    rf"\left\| {grad(A, BEFORE)} \right\| \le \| W_{{aa}} \|",
]

FALSE = [
    # the state of the same step
    rf"{grad('L', 'W_{aa}')} = \sum_{{t=1}}^T \delta_{{z}}^{{<t>}} ({A})^\top",
    # the factors of the outer product swapped
    rf"\nabla_{{W_{{aa}}}} L = \sum_{{t=1}}^T {BEFORE} (\delta_{{z}}^{{<t>}})^\top",
    # no transpose
    rf"{grad('L', A)} = W_{{aa}} \left({grad('L', AFTER)} \odot (1 - ({AFTER})^2)\right) "
    r"+ W_{ya}^T (\hat{y}^{<t>} - y^{<t>})",
    # one Jacobian too many
    r"\frac{\partial a^{<t>}}{\partial a^{<k>}} = \prod_{i=k}^t "
    r"\frac{\partial a^{<i>}}{\partial a^{<i-1>}}",
    # factors in the wrong order
    rf"{grad(A, BEFORE)} = W_{{aa}} \mathrm{{diag}}(1 - {A} \odot {A})",
    # no square
    rf"{grad(A, BEFORE)} = \mathrm{{diag}}(1 - {A}) W_{{aa}}",
    r"\tanh'(x) = 1 - \tanh(x)",
    r"\tanh'(x) = \sec^2(x)".replace("sec", "cosh"),
    # the first step left out
    rf"{grad('L', 'b_a')} = \sum_{{t=2}}^T {grad('L', Z)}",
    rf"\left\| {grad(A, BEFORE)} \right\| \ge \| W_{{aa}} \|",
]


@pytest.mark.parametrize("claim", TRUE)
def test_true(claim):
    verdict = rs.check(claim, NET)
    assert (verdict.verdict, verdict.status) == ("true", 0), verdict.text()
    assert verdict.evidence


@pytest.mark.parametrize("claim", FALSE)
def test_false(claim):
    from rnnsym.claims.check import check

    verdict = check(claim, NET, diagnose=False)
    assert (verdict.verdict, verdict.status) == ("false", 1), verdict.text()
    assert verdict.counterexample or "matrix" in verdict.message


def test_the_reading_is_named():
    claim = (
        rf"{grad(L_T, 'W_{aa}')} = {grad(L_T, A)} \sum_{{k=1}}^t "
        r"\frac{\partial a^{<t>}}{\partial a^{<k>}} \frac{\partial a^{<k>}}{\partial W_{aa}}"
    )
    verdict = rs.check(claim, NET)
    assert "immediate partial" in verdict.reading
    assert "numerator layout" in verdict.reading


def test_with_the_immediate_partial_written_the_other_is_total():
    product = r"\left(\prod_{i=k+1}^t \frac{\partial a^{<i>}}{\partial a^{<i-1>}}\right)"
    total = r"\frac{\partial a^{<t>}}{\partial W_{aa}} = \sum_{k=1}^t " + product
    right = total + r"\frac{\partial^+ a^{<k>}}{\partial W_{aa}}"
    wrong = total.replace(r"\partial a^{<t>}", r"\partial^+ a^{<t>}", 1)
    wrong += r"\frac{\partial a^{<k>}}{\partial W_{aa}}"
    assert rs.check(right, NET).verdict == "true"
    assert rs.check(wrong, NET).verdict == "false"


def test_true_of_the_mean_loss():
    verdict = rs.check(rf"{grad('L', 'b_y')} = \frac{{1}}{{T}} \sum_t (\hat{{y}}_t - y_t)", NET)
    assert verdict.verdict == "true"
    assert "mean" in verdict.reading


def test_unknown_symbols_are_asked_for():
    verdict = rs.check(rf"{grad('L', 'W_{aa}')} = \gamma_c", NET)
    assert (verdict.verdict, verdict.status) == ("unknown", 3)
    assert r"\gamma_c" in verdict.message


def test_definitions_are_no_claims():
    verdict = rs.check(r"\delta_t = \frac{\partial L}{\partial z_t}", NET)
    assert (verdict.verdict, verdict.status) == ("definition", 0)


@pytest.mark.parametrize("claim", ["a =", r"\frac{a", r"a = \foo", "", "x + y", r"a = (b"])
def test_unreadable_formulas_say_where(claim):
    verdict = rs.check(claim, NET)
    assert (verdict.verdict, verdict.status) == ("unreadable", 2)
    assert verdict.message


def test_other_notations_are_recognised():
    claim = (
        r"\nabla_{\boldsymbol{W}} L = \sum_t \mathrm{diag}(1 - (\boldsymbol{h}^{(t)})^2) "
        r"(\nabla_{\boldsymbol{h}^{(t)}} L) \boldsymbol{h}^{(t-1)\top}"
    )
    verdict = rs.check(claim, NET)
    assert verdict.verdict == "true"
    assert "goodfellow" in verdict.reading


def test_json_has_the_keys_of_the_contract():
    keys = {"claim", "verdict", "reading", "evidence", "diagnosis", "counterexample", "message"}
    assert keys <= set(rs.check(FALSE[0], NET).as_json())


def test_a_formula_right_for_early_steps_only_is_false():
    """Two paths written out are all that there are up to t = 2."""
    claim = (
        r"\frac{\partial a^{<t>}}{\partial W_{aa}} = \frac{\partial^+ a^{<t>}}{\partial W_{aa}} + "
        r"\frac{\partial a^{<t>}}{\partial a^{<t-1>}} "
        r"\frac{\partial^+ a^{<t-1>}}{\partial W_{aa}}"
    )
    assert rs.check(claim, NET).verdict == "false"


def test_einsteins_convention_when_told() -> None:
    net = rs.read("""
        z_i^t = \\sum_j W_{ij} h_j^{t-1} + \\sum_j U_{ij} x_j^t
        h_i^t = \\tanh(z_i^t)
    """)
    inner = r"\frac{\partial h_j^t}{\partial z_k^t}"
    claim = rf"\frac{{\partial z_i^{{t+1}}}}{{\partial z_k^t}} = W_{{ij}} {inner}"
    assert rs.check(claim, net).verdict == "false"
    assert rs.check(claim, net, einstein=True).verdict == "true"
