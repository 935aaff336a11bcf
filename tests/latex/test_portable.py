"""Every formula is accepted by LaTeX, KaTeX, MathJax and math-core, and has no debris in it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from rnnsym.documents.tex import whole
from rnnsym.latex import PROFILES
from tests.latex.printed import MODELS, derivations, formulas, network, texts, unchecked
from tests.portability.harness import (
    document_of,
    katex_accepts,
    latex_compiles,
    math_core_accepts,
    mathjax_accepts,
)

#: the commands that formulas may use: the portable subset, and no more of it than is needed
ALLOWED = {
    *(r"\frac", r"\dfrac", r"\partial", r"\nabla", r"\sum", r"\prod", r"\odot", r"\oslash"),
    *(r"\otimes", r"\top", r"\neq", r"\left", r"\right", r"\langle", r"\rangle", r"\begin"),
    *(r"\end", r"\mathbf", r"\boldsymbol", r"\mathrm", r"\mathscr", r"\ell", r"\hat", r"\tilde"),
    *(r"\text", r"\operatorname", r"\tanh", r"\sigma", r"\log", r"\delta"),
    *(r"\quad", r"\,", r"\\"),
}
ENVIRONMENTS = {"aligned", "bmatrix"}
DEBRIS = (
    "Matrix",
    "Lambda",
    "TimeVector",
    "Hadamard",
    "Kronecker",
    "Identity",
    "Symbol",
    r"\circ",
    r"\cdot",
    r"\mapsto",
    r"\mathbb",
    r"\label",
    r"\bm",
    "None",
    "?",
    "__",
    "^^",
    "{}",
    "  ",
    "--",
    "+ -",
    "- -",
    "- +",
    "(+",
)
COMMAND = re.compile(r"\\(?:[A-Za-z]+|.)", re.DOTALL)

#: what the tables of gradients use seldom: each is shown to pass everywhere by itself
SELDOM = (
    r"\mathbf{y} \oslash \hat{\mathbf{y}}",
    r"\begin{bmatrix} \dfrac{\partial a}{\partial b} & 0 \\[8pt] 0 & \dfrac{a}{b} \end{bmatrix}",
    r"\left[\mathbf{a};\, \mathbf{x}\right]",
    r"\boldsymbol{\mathrm{hidden}}_{\tilde{c}}^{2 \langle t\rangle \top}",
    r"\frac{\partial^{+} \mathbf{a}}{\partial \mathbf{b}}, \mathscr{L}, \ell, \nabla_{W} L",
    r"\vec{x}, \bar{x}, \boldsymbol{\alpha}, \text{a b?}, \sum_{k'=1}^{k} x",
)

ALL = [(model, notation) for model in MODELS for notation in PROFILES]


@pytest.mark.parametrize(("model", "notation"), ALL)
def test_every_formula_is_portable(model: str, notation: str) -> None:
    for formula in formulas(unchecked(derivations(model), notation)):
        math_core_accepts(formula)
        assert set(COMMAND.findall(formula)) <= ALLOWED, formula
        assert set(re.findall(r"\\begin\{(.*?)\}", formula)) <= ENVIRONMENTS
        found = [word for word in DEBRIS if word in formula]
        assert not found, f"{found} in {formula}"


@pytest.mark.parametrize("model", MODELS)
def test_terminal_text_has_no_latex_and_no_debris(model: str) -> None:
    for text in texts(unchecked(derivations(model))):
        assert not {"\\", "$", "?"} & set(text), text
        assert not any(word in text for word in DEBRIS if word != "{}"), text


def test_concrete_steps_are_portable() -> None:
    for model, wrt in (("elman", "W_aa"), ("lstm", "W_fa"), ("bidirectional", "W_f")):
        for formula in formulas(unchecked([network(model).derive(wrt).at(3)])):
            math_core_accepts(formula)


@pytest.mark.parametrize("formula", SELDOM)
def test_what_is_seldom_used_is_portable(formula: str) -> None:
    math_core_accepts(formula)


def sample() -> list[str]:
    """All of the three cells in the notation of the post; some of all others."""
    every = [formulas(unchecked(derivations(m), n)) for m, n in ALL if n != "post"]
    cells = [formulas(unchecked(derivations(m))) for m in ("elman", "lstm", "gru")]
    few = [formula for printed in every for formula in printed[::40]]
    return list(dict.fromkeys([*SELDOM, *few, *(f for printed in cells for f in printed)]))


@pytest.mark.node
@pytest.mark.parametrize("accepts", [katex_accepts, mathjax_accepts])
def test_browsers_take_every_formula(accepts: Callable[[list[str]], None]) -> None:
    accepts(sample())


@pytest.mark.tex
def test_tex_takes_what_is_seldom_used() -> None:
    latex_compiles(document_of(SELDOM))


@pytest.mark.tex
@pytest.mark.parametrize("notation", PROFILES)
def test_documents_of_the_elman_network_compile(notation: str) -> None:
    latex_compiles(whole(unchecked(derivations("elman"), notation)))


@pytest.mark.tex
def test_other_documents_compile() -> None:
    latex_compiles(_whole("lstm", "W_fa"))
    latex_compiles(_whole("elman", "W_aa", 3))


def _whole(model: str, wrt: str, steps: int | None = None) -> str:
    derivation = network(model).derive(wrt)
    return whole((derivation if steps is None else derivation.at(steps)).document())
