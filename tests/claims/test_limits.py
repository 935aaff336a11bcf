"""Limits are followed in numbers: refuted, supported, or said to hang on the weights."""

from __future__ import annotations

import pytest

import rnnsym as rs

NET = rs.read(r"h_t = \tanh(W h_{t-1} + U x_t + b) \\ L_t = \|h_t - y_t\|^2")


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        (r"\lim_{x \to \infty} \tanh(x) = 1", "true"),
        (r"\lim_{x \to -\infty} \tanh(x) = -1", "true"),
        (r"\lim_{x \to -\infty} \tanh(x) = 1", "false"),
        (r"\lim_{x \to \pm\infty} \sigma'(x) = 0", "true"),
        (r"\lim_{x \to \pm\infty} \sigma(x) = 0", "false"),
        (r"\lim_{x \to 0} \frac{\sin x}{x} = 1", "true"),
        (r"\lim_{x \to 0^+} \log(x) = -\infty", "true"),
        (r"\lim_{x \to \infty} \max(0, x) = \infty", "true"),
        (r"\lim_{x \to \infty} \tanh(x) = \infty", "false"),
        (r"\lim_{x \to \infty} x = 5", "false"),
        (r"\underset{x \to \infty}{\lim} e^{-x} = 0", "true"),
        (r"\operatorname{lim}_{n \to \infty} 0.9^n = 0", "true"),
        (r"\lim_{n \to \infty} 1.1^n = 0", "false"),
        (r"\lim_{h \to 0} \frac{\tanh(x + h) - \tanh(x)}{h} = \tanh'(x)", "true"),
        (r"\lim_{h \to 0} \frac{\tanh(x + h) - \tanh(x - h)}{h} = \tanh'(x)", "false"),
        (r"\tanh'(x) \to 0 \text{ as } x \to \infty", "true"),
        (r"\sigma'(x) \to 1/4 \quad (x \to 0)", "true"),
        (r"\sigma'(x) \to 1, \; x \to 0", "false"),
        (r"\lim_{T \to \infty} \frac{\partial h_T}{\partial h_1} = I", "false"),
        (r"\lim_{t - k \to \infty} \frac{\partial h_t}{\partial h_k} = I", "false"),
    ],
)
def test_limits(claim: str, verdict: str) -> None:
    found = rs.check(claim, NET)
    assert found.verdict == verdict, found.message
    if verdict == "true":
        assert "supports, does not prove" in found.evidence


@pytest.mark.parametrize(
    "claim",
    [
        r"\lim_{T \to \infty} \frac{\partial h_T}{\partial h_1} = 0",
        r"\lim_{t - k \to \infty} \left\| \frac{\partial h_t}{\partial h_k} \right\| = 0",
        r"\lim_{n \to \infty} W^n = 0",
        r"\lim_{n \to \infty} \|W\|^n = \infty",
        r"\|W\|^n \to 0 \text{ as } n \to \infty",
    ],
)
def test_a_limit_that_hangs_on_the_weights_is_neither_true_nor_false(claim: str) -> None:
    found = rs.check(claim, NET)
    assert found.verdict == "unknown"
    assert "hangs on the weights" in found.message


def test_where_a_false_limit_goes_is_said() -> None:
    found = rs.check(r"\lim_{x \to 0} \sigma'(x) = 0", NET)
    assert "it is 0.25 at x = " in found.message


@pytest.mark.parametrize(
    ("claim", "why"),
    [
        (r"\lim \tanh x = 1", "where what goes to what"),
        (r"\lim_{x \to a} \tanh x = 1", "must be a number, or ∞"),
        (r"\lim_{x + z \to 0} \tanh x = 1", "must be one letter"),
        (r"1 + \lim_{x \to \infty} \tanh x = 2", "a limit within an expression"),
    ],
)
def test_what_is_no_limit_is_refused(claim: str, why: str) -> None:
    found = rs.check(claim, NET)
    assert found.verdict in ("unreadable", "unknown")
    assert why in found.message
