"""The harness itself: each tool accepts what is good and refuses what is bad."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.portability import harness
from tests.portability.harness import document_of, latex_compiles, math_core_accepts

GOOD = [
    r"\frac{\partial L^{\langle t \rangle}}{\partial W_{aa}}",
    r"\sum_{k=1}^{T} \left( \prod_{i=k+1}^{t} \operatorname{diag}(g'(z_{i})) \right)",
    r"\begin{aligned} a &= b \odot c \\ &= \hat{y}^{\top} \otimes I \end{aligned}",
    r"\begin{bmatrix} \mathbf{h} \\ \boldsymbol{c} \end{bmatrix}, \mathbb{R}, \mathscr{L}",
    r"\textcolor{red}{\underbrace{\tilde{c}}_{\text{zero}}} + \lVert \overrightarrow{h} \rVert",
]
BAD = [r"\frac{a", r"a^b^c", r"\undefinedcommand x", r"x}", r"\left( x", r"a & b"]


def one_by_one(accepts: Callable[[str], None]) -> Callable[[Sequence[str]], None]:
    def all_of(formulas: Sequence[str]) -> None:
        for formula in formulas:
            accepts(formula)

    return all_of


TOOLS = [
    pytest.param(one_by_one(math_core_accepts), id="math-core"),
    pytest.param(harness.katex_accepts, id="katex", marks=pytest.mark.node),
    pytest.param(harness.mathjax_accepts, id="mathjax", marks=pytest.mark.node),
    pytest.param(lambda f: latex_compiles(document_of(f)), id="tex", marks=pytest.mark.tex),
]


@pytest.mark.parametrize("accepts", TOOLS)
def test_accepts_the_portable_subset(accepts: Callable[[Sequence[str]], None]) -> None:
    accepts(GOOD)


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("accepts", TOOLS)
def test_refuses(accepts: Callable[[Sequence[str]], None], bad: str) -> None:
    with pytest.raises(AssertionError):
        accepts([GOOD[0], bad])


def test_math_core_names_the_place() -> None:
    with pytest.raises(AssertionError, match=r"Unknown command .* at 4: …\\foo"):
        math_core_accepts(r"a + \foo")
    with pytest.raises(AssertionError, match="empty"):
        math_core_accepts(" ")


@pytest.mark.node
@pytest.mark.parametrize("accepts", [harness.katex_accepts, harness.mathjax_accepts])
def test_node_tools_name_the_formula(accepts: Callable[[Sequence[str]], None]) -> None:
    with pytest.raises(AssertionError) as info:
        accepts([r"x_1", r"\foo + 1", r"x_2", r"\bar{"])
    assert r"in \foo + 1" in str(info.value) and r"in \bar{" in str(info.value)
    assert "x_1" not in str(info.value)
    accepts([])
    with pytest.raises(TypeError):
        accepts("x")


@pytest.mark.node
def test_node_tools_are_strict() -> None:
    with pytest.raises(AssertionError):
        harness.katex_accepts(["é"])  # only a warning otherwise
    for command in (r"\bm{x}", r"\cancel{x}", r"\require{cancel} x"):  # not without extensions
        with pytest.raises(AssertionError):
            harness.mathjax_accepts([command])


def test_missing_tools_skip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RNNSYM_NODE", str(tmp_path))
    with pytest.raises(pytest.skip.Exception):
        harness.katex_accepts(["x"])
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(pytest.skip.Exception):
        latex_compiles(document_of(["x"]))


@pytest.mark.tex
def test_tex_reports_and_keeps(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"(?s)Undefined control sequence.*in line 5: .*\\foo"):
        latex_compiles(document_of(["x", r"\foo"]))
    with pytest.raises(AssertionError, match="Missing character"):
        latex_compiles(
            document_of(["x"], packages=r"\AtBeginDocument{x \font\f=cmsy10 \f\char200}")
        )
    with pytest.raises(AssertionError, match="no page"):
        latex_compiles(r"\documentclass{article}\begin{document}\end{document}")
    latex_compiles(document_of(GOOD), keep=tmp_path / "good.pdf")
    assert (tmp_path / "good.pdf").read_bytes().startswith(b"%PDF")
