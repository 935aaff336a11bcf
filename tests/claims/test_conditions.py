"""Conditions on weights: limits and inequalities are tried where they hold."""

from __future__ import annotations

import pytest

import rnnsym as rs

NET = rs.read(r"h_t = \tanh(W h_{t-1} + U x_t + b) \\ L_t = \|h_t - y_t\|^2")
SCALAR = rs.read(r"h_t = w h_{t-1} + u x_t \\ L_t = (h_t - y_t)^2")


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        (r"\lim_{n \to \infty} W^n = 0 \quad \text{if} \quad \|W\| < 1", "true"),
        (r"\|W\|^n \to 0 \text{ as } n \to \infty \text{ when } \|W\| < 1", "true"),
        (r"\lim_{T \to \infty} \left\| \frac{\partial h_T}{\partial h_1} \right\| = 0 "
         r"\text{ if } \|W\| < 1", "true"),
        (r"\left\| \frac{\partial h_t}{\partial h_{t-1}} \right\| \le 1 \text{ if } \|W\| \le 1",
         "true"),
        (r"\left\| \frac{\partial h_t}{\partial h_{t-1}} \right\| \ge 1 \text{ if } \|W\| \ge 1",
         "false"),
        (r"\frac{\partial h_t}{\partial h_{t-1}} = W \text{ if } b = 0", "unknown"),
        (r"\lim_{n \to \infty} W^n = 0 \text{ if } \|W\| < 0", "unknown"),
    ],
)  # fmt: skip
def test_conditions(claim: str, verdict: str) -> None:
    found = rs.check(claim, NET)
    assert found.verdict == verdict, found.message


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        (r"\lim_{t \to \infty} w^t = 0 \text{ if } |w| < 1", "true"),
        (r"\lim_{t \to \infty} |w|^t = \infty \text{ if } |w| > 1", "true"),
        (r"\lim_{t \to \infty} w^t = 0 \text{ if } |w| > 1", "false"),
        (r"\frac{\partial h_t}{\partial h_k} < 1 \text{ if } |w| < 0.5", "true"),
    ],
)
def test_conditions_on_numbers(claim: str, verdict: str) -> None:
    found = rs.check(claim, SCALAR)
    assert found.verdict == verdict, found.message
