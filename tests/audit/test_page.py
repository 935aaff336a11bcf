"""The HTML page of an audit: it reads well, and nothing of the document is more than text in it."""

from __future__ import annotations

import re

import rnnsym as rs
from rnnsym.audit.result import Audit, Finding

HOSTILE = [
    r"<script>alert(1)</script>",
    r"\text{<img src=x onerror=alert(1)>}",
    r"\href{javascript:alert(1)}{x}",
    "]]><script>",
    '" onmouseover="alert(1)',
    r"\htmlData{a=b}{x} = \class{x}{y}",
    r"x \text{&lt;b&gt;}",
]


def page_of(*latex: str) -> str:
    findings = tuple(
        Finding(i + 1, True, x, "claim", "false", x, x, x, x, x, x) for i, x in enumerate(latex)
    )
    return Audit(HOSTILE[0], HOSTILE[4], findings, (HOSTILE[1],), (HOSTILE[0],)).html()


def test_nothing_of_a_document_becomes_markup():
    page = page_of(*HOSTILE)
    tags = {t.lower() for t in re.findall(r"<\s*/?\s*([A-Za-z!][\w-]*)", page)}
    assert not tags & {"script", "img", "a", "iframe", "object", "svg", "link", "base", "form"}
    inside = re.findall(r"<[^>]*>", page)
    assert not [t for t in inside if re.search(r"\son\w+\s*=", t)]
    assert "javascript:" not in "".join(inside)


def test_policy_allows_nothing_but_styles():
    page = page_of("x = y")
    assert "default-src 'none'" in page
    assert "script-src" not in page


def test_wrong_formulas_come_first_with_their_correction():
    text = r"""
$$h_t = \tanh(W h_{t-1} + U x_t)$$
$$\hat y_t = \mathrm{softmax}(V h_t)$$
$$\frac{\partial L}{\partial V} = \sum_t \frac{\partial L}{\partial V}$$
$$\frac{\partial L}{\partial h_t} = \frac{\partial L}{\partial h_{t+1}}
  \frac{\partial h_{t+1}}{\partial h_t} + \frac{\partial L_t}{\partial h_t}$$
"""
    audit = rs.audit(text, kind="markdown")
    page = audit.html()
    assert page.index("✗ false") < page.index("✓ true")
    assert "<math" in page


def test_formulas_that_mathml_does_not_know_are_shown_as_source():
    assert "<code>\\unknowncommand{x}</code>" in page_of(r"\unknowncommand{x}")
