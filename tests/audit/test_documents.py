"""Documents of our own writing, in the notations that others use, audited.

A comment in the line before a formula says what it is; every other formula must be left alone.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from rnnsym.audit import Audit, audit
from rnnsym.audit.audit import Auditor

FOLDER = Path(__file__).with_name("documents")
DOCUMENTS = sorted(p.name for p in FOLDER.iterdir())
MARK = re.compile(r"^(?:<!-- (true|false) -->|% (true|false)|\.\. (true|false))$")


def marks(text: str) -> dict[int, str]:
    """Line of a formula -> its truth."""
    found = {}
    for number, line in enumerate(text.split("\n"), start=2):
        mark = MARK.match(line)
        if mark:
            found[number] = next(filter(None, mark.groups()))
    return found


def verdicts(found: Audit) -> dict[int, str | None]:
    """Line -> the verdict on the formula there: the worst, where there are several."""
    order = ("false", "unreadable", "unknown", "true", None)
    result: dict[int, str | None] = {}
    for f in found.formulas:
        result[f.line] = min(f.verdict, result.get(f.line), key=order.index)
    return result


@pytest.mark.parametrize("name", DOCUMENTS)
def test_document(name):
    text = (FOLDER / name).read_text()
    got = verdicts(audit(FOLDER / name))
    given = marks(text)
    assert given
    assert {n: got[n] for n in given} == given
    others = {n: v for n, v in got.items() if n not in given and v not in (None, "true")}
    assert not others


def test_notebook_says_the_same():
    text = (FOLDER / "scalar.md").read_text()
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": text},
        {"cell_type": "code", "metadata": {}, "source": "1 / 0", "outputs": [],
         "execution_count": None},
    ]  # fmt: skip
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    found = audit(json.dumps(notebook), kind="notebook")
    assert {n: verdicts(found)[n] for n in marks(text)} == marks(text)
    assert {f.cell for f in found.formulas} == {1}


def test_slips_are_explained():
    found = {f.line: f for f in audit(FOLDER / "post.md").formulas if f.verdict == "false"}
    said = [f.diagnosis for _, f in sorted(found.items())]
    assert len(said) == 3
    assert "11" in said[1]
    assert "should be" in said[2]


def test_a_document_without_a_network_asks_for_a_model():
    found = audit(r"The gradient is $\frac{\partial L}{\partial W} = 0$.")
    assert found.needs_model
    assert found.status == 3
    assert "--model" in found.model


def test_a_given_model_is_taken():
    import rnnsym as rs

    claim = r"$$\frac{\partial L}{\partial b_y} = \sum_{t=1}^T (\hat{y}^{<t>} - y^{<t>})$$"
    found = audit(claim, model=rs.elman())
    assert [f.verdict for f in found.formulas] == ["true"]
    assert found.status == 0


def test_an_error_of_our_own_costs_one_verdict_only(monkeypatch):
    judge = Auditor._formula

    def failing(self, k):
        if "W^\\top" in self.source.formulas[k].latex:
            raise ZeroDivisionError("nobody foresaw this")
        return judge(self, k)

    monkeypatch.setattr(Auditor, "_formula", failing)
    text = """$$h_t = \\tanh(W h_{t-1} + U x_t)$$

$$\\frac{\\partial h_t}{\\partial h_{t-1}} = W^\\top \\mathrm{diag}(1 - h_t^2)$$

$$\\frac{\\partial h_t}{\\partial h_{t-1}} = \\mathrm{diag}(1 - h_t^2) W$$
"""
    lost, kept = [f for f in audit(text).formulas if f.verdict is not None]
    assert lost.verdict == "unknown"
    assert lost.message == "an error of rnnsym's own: ZeroDivisionError"
    assert kept.verdict == "true"
