"""Diagnosis of wrong claims: two errors, rows, other notations, and what nothing explains."""

from __future__ import annotations

import time

import pytest

import rnnsym as rs
from rnnsym.claims.check import check
from rnnsym.claims.formula import Formula
from rnnsym.claims.parting import parting
from rnnsym.claims.patches_edit import Edit, Patch, apply, moved
from rnnsym.claims.verdict import Verdict
from rnnsym.reader.statements import read_formula
from rnnsym.reader.table import of_network

#: (network, wrong, kinds, what the correction must contain)
CLAIMS: list[tuple[str, str, tuple[str, ...], str]] = [
    ("elman", r"\delta_a^{\langle t\rangle} = W_{aa} \delta_z^{\langle t+1\rangle} "
     r"- W_{ya}^T \delta_{zy}^{\langle t\rangle}",
     ("missing transpose", "sign of a contribution"), r"W_{aa}^{T}"),
    ("elman", r"\tanh'(x) = 1 - \tanh(x)", ("1 - a instead of 1 - a²",), r"\tanh(x)^2"),
    ("elman", r"\frac{d}{dx}\tanh(x) = \operatorname{sech}(x)", ("missing square",),
     r"\operatorname{sech}^2(x)"),
    ("elman", r"\sigma'(x) = \sigma(x)(1+\sigma(x))", ("sign inside g′",), r"(1-\sigma(x))"),
    ("elman:notation=goodfellow", r"\nabla_{\boldsymbol{W}} L = \sum_t \mathrm{diag}"
     r"(1-(\boldsymbol{h}^{(t)})^2) (\nabla_{\boldsymbol{h}^{(t)}} L) \boldsymbol{h}^{(t)\top}",
     ("a⟨k⟩ for a⟨k-1⟩",), r"\boldsymbol{h}^{(t-1)\top}"),
    ("elman:notation=d2l", r"\frac{\partial \ell}{\partial \mathbf{W}_{hh}} = \sum_{t=1}^T "
     r"\frac{\partial \ell}{\partial \mathbf{h}_t} \mathbf{h}_{t-1}^\top", ("a for z",),
     r"\mathbf{z}_{t}"),
    ("elman:notation=pytorch", r"h_t = \tanh(W_{ih} x_t + b_{h} + W_{hh} h_{t})",
     ("value of this step for the previous",), r"h_{t-1}"),
    ("lstm:notation=pytorch", r"c_t = f_t \odot c_{t} + i_t \odot g_t",
     ("value of this step for the previous",), r"c_{t-1}"),
    ("lstm:notation=pytorch", r"c_t = i_t \odot c_{t-1} + f_t \odot g_t", ("exchanged",),
     r"f_{t} \odot c_{t-1}"),
    ("lstm:notation=pytorch", r"h_t = o_t \odot c_t", ("missing activation",),
     r"\tanh\left(c_t\right)"),
    ("gru", r"a^{\langle t\rangle} = (1-u^{\langle t\rangle}) \odot a^{\langle t-1\rangle} + "
     r"u^{\langle t\rangle} \odot \tilde{a}^{\langle t\rangle}", ("exchanged",),
     r"(1-u^{\langle t\rangle}) \odot \tilde{a}"),
    ("elman", r"\frac{\partial a^{\langle t\rangle}}{\partial a^{\langle t-1\rangle}} = "
     r"\operatorname{diag}(\tanh'(a^{\langle t\rangle})) W_{aa}", ("g′ at g(z)",), "z^"),
    ("elman", r"\frac{\partial a^{\langle t\rangle}}{\partial a^{\langle k\rangle}} = "
     r"\prod_{i=k}^{t} \frac{\partial a^{\langle i\rangle}}{\partial a^{\langle i-1\rangle}}",
     ("product from k",), "i=k+1"),
    ("elman", r"\frac{\partial L}{\partial \hat{y}^{\langle t\rangle}} = \hat{y}^{\langle t\rangle}"
     r" - y^{\langle t\rangle}", ("a for z",), "z_{y}^"),
    ("elman", r"L^{\langle t\rangle} = y^{\langle t\rangle\top} \log \hat{y}^{\langle t\rangle}",
     ("sign",), r"= -y^"),
    ("elman", r"\begin{aligned} \delta_{a}^{\langle t\rangle} &= W_{aa}^\top "
     r"\delta_{z}^{\langle t+1\rangle} + W_{ya} \delta_{zy}^{\langle t\rangle} \\ "
     r"\delta_{z}^{\langle t\rangle} &= (1 - (a^{\langle t\rangle})^2) \odot "
     r"\delta_{a}^{\langle t\rangle}\end{aligned}", ("missing transpose",), r"W_{ya}^{\top}"),
    ("elman", r"\frac{\partial a^{\langle t\rangle}}{\partial W_{aa}} = "
     r"\frac{\partial^+ a^{\langle t\rangle}}{\partial W_{aa}}", ("only the direct path",),
     r"\partial a^{\langle t-1\rangle}}{\partial W_{aa}}"),
]  # fmt: skip


def explained(model: str, claim: str) -> Verdict:
    net = rs.model(model)
    return check(claim, net, net.options.get("notation", "post"))


def without_braces(latex: str) -> str:
    return latex.replace("{", "").replace("}", "").replace(" ", "")


@pytest.mark.parametrize(("model", "claim", "kinds", "part"), CLAIMS)
def test_what_people_write(model: str, claim: str, kinds: tuple[str, ...], part: str) -> None:
    verdict = explained(model, claim)
    assert verdict.verdict == "false"
    assert verdict.kinds == kinds, verdict.correction
    assert part in verdict.correction


@pytest.mark.parametrize(("model", "claim", "kinds", "part"), CLAIMS[::3])
def test_both_formulas_can_be_shown(
    model: str, claim: str, kinds: tuple[str, ...], part: str
) -> None:
    convert = pytest.importorskip("rnnsym.documents.mathml").converter()
    verdict = explained(model, claim)
    assert "<math" in convert(verdict.correction, True)
    assert "<math" in convert(verdict.marked, True)
    assert r"\textcolor{red}" in verdict.marked
    bare = verdict.marked.replace(r"\textcolor{red}", "")
    assert without_braces(bare) == without_braces(verdict.correction)


@pytest.mark.slow
def test_the_right_formula_where_no_small_change_helps() -> None:
    claim = (
        r"\delta_{z}^{\langle t\rangle} = x^{\langle t\rangle} \odot x^{\langle t\rangle} + "
        r"W_{ax}^{\top} W_{ax} x^{\langle t-1\rangle}"
    )
    verdict = explained("elman", claim)
    assert verdict.kinds == ("another formula",)
    assert check(verdict.correction, rs.elman(), "post", diagnose=False).verdict == "true"


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        (
            r"\frac{\partial a^{\langle t\rangle}}{\partial x^{\langle 1\rangle}} = "
            r"\operatorname{diag}(1 - (a^{\langle t\rangle})^2) "
            r"(W_{aa} W_{aa} + 5 W_{aa})^{t-1} W_{ax}",
            "both sides agree up to t = 1 and part at t = 2",
        ),
        (
            r"\frac{\partial L}{\partial b_{a}} = \sum_{t=1}^{T} \delta_{z}^{\langle 1\rangle}",
            "it holds for T ≤ 1 and fails from T = 2 on",
        ),
        (
            r"\delta_{a}^{\langle t\rangle} = W_{aa} \delta_{z}^{\langle t+1\rangle} + "
            r"W_{ya}^{\top} \delta_{zy}^{\langle t\rangle}",
            "it holds for T ≤ 1 and fails from T = 2 on",
        ),
        (
            r"\frac{\partial L}{\partial W_{aa}} = \sum_{t=1}^{T} a^{\langle t-1\rangle} "
            r"\delta_{z}^{\langle t\rangle \top}",
            "it holds where all sizes are 1, and for no others",
        ),
    ],
)
def test_where_both_sides_part(claim: str, words: str) -> None:
    net = rs.elman()
    formula = Formula(
        claim, read_formula(claim), net, of_network(net, "post"), 10.0, False, (), False
    )
    assert formula.judge().verdict == "false"
    assert formula.refuted is not None
    judge, pair, outcome = formula.refuted
    assert parting(judge, pair.left, pair.right, outcome) == words


@pytest.mark.slow
def test_a_diagnosis_ends_in_time() -> None:
    net = rs.lstm()
    terms = " + ".join(
        rf"W_{{fa}} W_{{ia}} W_{{{x}a}} \delta_{{z{y}}}^{{\langle t\rangle}}"
        for x in "fio"
        for y in "fio"
    )
    start = time.process_time()
    verdict = check(rf"\delta_{{a}}^{{\langle t\rangle}} = {terms}", net, "post", seconds=4.0)
    assert verdict.verdict == "false"
    assert time.process_time() - start < 6.0


def test_edits_are_made_from_the_last_to_the_first() -> None:
    edits = [Edit(0, 1, "xx"), Edit(2, 2, "+"), Edit(3, 4, "")]
    assert apply("a bc", edits) == "xx +b"
    assert apply("a bc", edits[:1], marked=True) == r"\textcolor{red}{xx} bc"
    assert moved(2, edits[:1]) == 3
    first, other = Patch((Edit(0, 2, ""),), "", ""), Patch((Edit(1, 3, ""),), "", "")
    assert first.overlaps(other)
    assert not first.overlaps(Patch((Edit(2, 3, ""),), "", ""))
