"""What the judge keeps from one index, variable or reading is not taken for another's."""

from __future__ import annotations

from typing import Any

import pytest

import rnnsym as rs
from rnnsym.claims.check import check


def a(index: str) -> str:
    return rf"a^{{\langle {index}\rangle}}"


K, FIRST = a("k"), a("1")
BY_W = r"\frac{\partial %s}{\partial W_{aa}}"


@pytest.fixture(scope="module")
def net() -> Any:
    return rs.elman()


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        (rf"u = {K}, \sum_{{k=1}}^T u = \sum_{{k=1}}^T {K}", "true"),
        (rf"u = {K}, \sum_{{k=1}}^T u = T {FIRST}", "false"),
        (rf"u = 2 {K}, v = 3 u, \sum_{{k=1}}^T v = 6 \sum_{{k=1}}^T {K}", "true"),
        (rf"u = 2 {K}, v = 3 u, \sum_{{k=1}}^T v = 6 T {FIRST}", "false"),
        (
            rf"u = 2 {K}, \sum_{{k=1}}^T {BY_W % 'u'} = 2 \sum_{{k=1}}^T {BY_W % K}",
            "true",
        ),
        (rf"u = 2 {K}, \sum_{{k=1}}^T {BY_W % 'u'} = 2 T {BY_W % FIRST}", "false"),
    ],
)
def test_definitions_with_an_index_from_outside(claim: str, verdict: str, net: Any) -> None:
    assert check(claim, net, diagnose=False).verdict == verdict


def test_derivatives_by_different_variables(net: Any) -> None:
    right = (
        r"\frac{d}{dx} \tanh(x) = 1 - \tanh^2(x), \frac{d}{dz} \sigma(z) = \sigma(z)(1 - \sigma(z))"
    )
    assert check(right, net, diagnose=False).verdict == "true"


def test_a_claim_does_not_change_the_next(net: Any) -> None:
    claims = (f"{K} = {K}", f"{K} = {FIRST}", rf"u = {K}, u = {K}", f"u = {FIRST}, u = {K}")
    alone = [check(c, rs.elman(), diagnose=False).verdict for c in claims]
    for _ in range(2):
        assert [check(c, net, diagnose=False).verdict for c in claims] == alone
        assert [check(c, net, diagnose=False).verdict for c in reversed(claims)] == alone[::-1]
