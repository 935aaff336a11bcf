"""Diagnosis of wrong claims: errors put in by hand, each undone in the author's own spelling."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

import rnnsym as rs
from rnnsym.claims.check import check

A = r"a^{\langle t\rangle}"
BEFORE = r"a^{\langle t-1\rangle}"
CHAIN = (
    r"\frac{\partial L^{\langle t\rangle}}{\partial W_{aa}} = \frac{\partial L^{\langle t\rangle}}"
    r"{\partial a^{\langle t\rangle}} \sum_{k=1}^{t} \left(\prod_{i=k+1}^{t} \frac{\partial "
    r"a^{\langle i\rangle}}{\partial a^{\langle i-1\rangle}}\right) \frac{\partial^{+} "
    r"a^{\langle k\rangle}}{\partial W_{aa}}"
)
OUTER = (
    r"\frac{\partial L}{\partial W_{aa}} = \sum_{t=1}^{T} \delta_{z}^{\langle t\rangle} "
    r"a^{\langle t-1\rangle \top}"
)
ADJOINT = (
    r"\delta_{a}^{\langle t\rangle} = W_{aa}^{\top} \delta_{z}^{\langle t+1\rangle} + "
    r"W_{ya}^{\top} \delta_{zy}^{\langle t\rangle}"
)
SLOPE = (
    r"\delta_{z}^{\langle t\rangle} = \left(1 - a^{\langle t\rangle} \odot a^{\langle t\rangle}"
    r"\right) \odot \delta_{a}^{\langle t\rangle}"
)
FORWARD = (
    r"z^{\langle t\rangle} = W_{aa} a^{\langle t-1\rangle} + W_{ax} x^{\langle t\rangle} + b_{a}"
)
CELL = (
    r"\delta_{c}^{\langle t\rangle} = f^{\langle t+1\rangle} \odot \delta_{c}^{\langle t+1\rangle} "
    r"+ o^{\langle t\rangle} \odot (1 - \tanh^2(c^{\langle t\rangle})) \odot "
    r"\delta_{a}^{\langle t\rangle}"
)
GATE = (
    r"\delta_{zo}^{\langle t\rangle} = o^{\langle t\rangle} \odot (1 - o^{\langle t\rangle}) \odot "
    r"\delta_{o}^{\langle t\rangle}"
)

#: (network, right, what is written instead of what, kind)
ERRORS: list[tuple[str, str, str, str, str]] = [
    ("elman", OUTER, r"a^{\langle t-1", r"a^{\langle t", "a⟨k⟩ for a⟨k-1⟩"),
    ("elman", OUTER, r"\sum_{t=1}^{T}", r"\sum_{t=1}^{T-1}", "last step missing"),
    ("elman", OUTER, r"rangle \top}", r"rangle}", "missing transpose"),
    ("elman", OUTER, r"\delta_{z}^", r"\delta_{a}^", "δ_a for δ_z"),
    ("elman", OUTER, r"\sum_{t", r"-\sum_{t", "sign"),
    ("elman", OUTER, r"\sum_{t", r"\frac{1}{T} \sum_{t", "mean instead of sum"),
    ("elman", OUTER, r"\sum_{t", r"2 \sum_{t", "factor 2"),
    ("elman", OUTER, r"\delta_{z}^{\langle t\rangle}", r"\delta_{z}^{\langle t+1\rangle}",
     "δ⟨k+1⟩ for δ⟨k⟩"),
    ("elman", OUTER, r"\delta_{z}^{\langle t\rangle} a^{\langle t-1\rangle \top}",
     r"a^{\langle t-1\rangle} \delta_{z}^{\langle t\rangle \top}", "transposed gradient"),
    ("elman", CHAIN, "i=k+1", "i=k", "product from k"),
    ("elman", CHAIN, "i=k+1", "i=k+2", "product from k+2"),
    ("elman", CHAIN, "{t} \\left", r"{t-1} \left", "k to t-1"),
    ("elman", CHAIN, r"\frac{\partial L^{\langle t\rangle}}{\partial a^{\langle t\rangle}} \sum",
     r"\sum", "missing link of the chain"),
    ("elman", CHAIN, r"\partial^{+} a^{\langle k", r"\partial^{+} a^{\langle t", "∂⁺ at t"),
    ("elman", ADJOINT, r"W_{aa}^{\top}", "W_{aa}", "missing transpose"),
    ("elman", ADJOINT, r" + W_{ya}", r" - W_{ya}", "sign of a contribution"),
    ("elman", ADJOINT, r"W_{aa}^{\top} \delta_{z}^{\langle t+1\rangle} + ", "",
     "missing contribution"),
    ("elman", ADJOINT, r"\delta_{z}^{\langle t+1", r"\delta_{z}^{\langle t", "earlier adjoint"),
    ("elman", ADJOINT, r"W_{aa}^{\top} ", "", "missing weight"),
    ("elman", SLOPE, rf" \odot {A}\right", r"\right", "1 - a instead of 1 - a²"),
    ("elman", SLOPE, "1 - ", "1 + ", "sign inside g′"),
    ("elman", SLOPE, rf"\left(1 - {A} \odot {A}\right) \odot ", "", "missing g′"),
    ("elman", SLOPE, rf"\left(1 - {A} \odot {A}\right)", A, "g instead of g′"),
    ("elman", SLOPE, rf"{A} \odot {A}", rf"{BEFORE} \odot {BEFORE}", "g′ at the previous step"),
    ("elman", SLOPE, rf"\left(1 - {A} \odot {A}\right)", rf"{A} \odot \left(1 - {A}\right)",
     "g′ of another function"),
    ("elman", SLOPE, rf"{A} \odot {A}", rf"\tanh\left({A}\right) \odot \tanh\left({A}\right)",
     "g′ at g(z)"),
    ("elman", FORWARD, r" + b_{a}", "", "missing bias"),
    ("elman", FORWARD, r"a^{\langle t-1", r"a^{\langle t", "value of this step for the previous"),
    ("elman", FORWARD, r"W_{ax} x", r"x", "missing weight"),
    ("lstm", CELL, r"f^{\langle t+1", r"f^{\langle t", "value of this step for the next"),
    ("lstm", CELL, r"f^{\langle t+1", r"i^{\langle t+1", "another gate"),
    ("lstm", CELL, r"o^{\langle t\rangle} \odot", "", "missing factor"),
    ("lstm", CELL, r"\tanh^2(", r"\tanh(", "1 - a instead of 1 - a²"),
    ("lstm", CELL, r"f^{\langle t+1\rangle} \odot \delta_{c}^{\langle t+1\rangle} + ", "",
     "missing contribution"),
    ("lstm", GATE, r"(1 - o^{\langle t\rangle}) \odot ", "", "g instead of g′"),
    ("lstm", GATE, r"\delta_{o}", r"\delta_{f}", "adjoint of another gate"),
    ("lstm", GATE, r"\odot (1 - o", r"\odot (1 + o", "sign inside g′"),
]  # fmt: skip


@cache
def network(name: str) -> Any:
    return rs.model(name)


def plain(latex: str) -> str:
    for mark in (r"\left", r"\right", r"\,", " ", "{", "}"):
        latex = latex.replace(mark, "")
    return latex


@pytest.mark.parametrize(("net", "right", "old", "new", "kind"), ERRORS)
def test_an_error_is_named_and_undone(net: str, right: str, old: str, new: str, kind: str) -> None:
    wrong = right.replace(old, new, 1)
    assert wrong != right
    verdict = check(wrong, network(net), "post")
    assert verdict.verdict == "false", verdict
    assert verdict.correction, verdict
    assert check(verdict.correction, network(net), "post", diagnose=False).verdict == "true"
    assert kind in verdict.kinds[0], (verdict.kinds, verdict.correction)
    assert len(verdict.kinds) == 1
    assert verdict.diagnosis and verdict.diagnosis in verdict.message


@pytest.mark.parametrize(("net", "right"), dict.fromkeys((e[0], e[1]) for e in ERRORS))
def test_the_right_formulas_are_right(net: str, right: str) -> None:
    assert check(right, network(net), "post", diagnose=False).verdict == "true"
