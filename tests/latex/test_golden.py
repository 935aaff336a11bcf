"""The derivations in LaTeX, exactly: against golden files, and against the post by eye."""

from __future__ import annotations

import pytest

from tests import golden
from tests.latex.printed import derivations, formulas, network, unchecked


@pytest.mark.parametrize("name", golden.CASES)
def test_golden(name: str) -> None:
    wanted = golden.path(name).read_text(encoding="utf-8").splitlines()
    for i, (got, line) in enumerate(zip(golden.lines(name), wanted, strict=False), 1):
        assert got == line, f"step {i}; if this is meant: python -m tests.golden"
    assert len(golden.lines(name)) == len(wanted), "a step more or less"


def test_no_golden_file_without_a_case() -> None:
    assert {p.stem for p in golden.FOLDER.glob("*.tex")} == set(golden.CASES)


# Read these beside the post: its formulas, with T instead of T_x, bold letters, and the immediate
# partial told apart from the total derivative.
OF_THE_POST = {
    "W_ya": [
        r"\frac{\partial \mathscr{L}}{\partial \mathbf{W}_{ya}} &="
        r" \sum_{t=1}^{T} \frac{\partial \mathscr{L}^{\langle t\rangle}}{\partial \mathbf{W}_{ya}}",
        r"\frac{\partial \mathscr{L}^{\langle t\rangle}}{\partial \mathbf{W}_{ya}} &="
        r" \frac{\partial \mathscr{L}^{\langle t\rangle}}"
        r"{\partial \hat{\mathbf{y}}^{\langle t\rangle}}\,"
        r"\frac{\partial^{+} \hat{\mathbf{y}}^{\langle t\rangle}}{\partial \mathbf{W}_{ya}}",
    ],
    "W_aa": [
        r"\mathbf{a}^{\langle t\rangle} &= \tanh\left(\mathbf{z}^{\langle t\rangle}\right)",
        r"\mathscr{L} &= \sum_{t=1}^{T} \mathscr{L}^{\langle t\rangle}",
        r"\frac{\partial \mathscr{L}}{\partial \mathbf{W}_{aa}} &="
        r" \sum_{t=1}^{T} \frac{\partial \mathscr{L}^{\langle t\rangle}}{\partial \mathbf{W}_{aa}}",
        r"\frac{\partial \mathscr{L}^{\langle t\rangle}}{\partial \mathbf{W}_{aa}} &\neq"
        r" \frac{\partial \mathscr{L}^{\langle t\rangle}}"
        r"{\partial \hat{\mathbf{y}}^{\langle t\rangle}}\,"
        r"\frac{\partial \hat{\mathbf{y}}^{\langle t\rangle}}"
        r"{\partial \mathbf{a}^{\langle t\rangle}}\,"
        r"\frac{\partial^{+} \mathbf{a}^{\langle t\rangle}}{\partial \mathbf{W}_{aa}}",
        r"\frac{\partial \mathbf{a}^{\langle t\rangle}}{\partial \mathbf{W}_{aa}} &="
        r" \sum_{k=1}^{t} \left(\prod_{i=k+1}^{t} \frac{\partial \mathbf{a}^{\langle i\rangle}}"
        r"{\partial \mathbf{a}^{\langle i-1\rangle}}\right)\,"
        r"\frac{\partial^{+} \mathbf{a}^{\langle k\rangle}}{\partial \mathbf{W}_{aa}}",
        r"\frac{\partial \mathbf{a}^{\langle t\rangle}}"
        r"{\partial \mathbf{a}^{\langle t-1\rangle}} &="
        r" \operatorname{diag}\left(\tanh'\left(\mathbf{z}^{\langle t\rangle}\right)\right)\,"
        r"\mathbf{W}_{aa}",
        r"\nabla_{\mathbf{W}_{aa}} \mathscr{L} &="
        r" \sum_{k=1}^{T} \boldsymbol{\delta}_{z}^{\langle k\rangle}"
        r" \mathbf{a}^{\langle k-1\rangle \top}",
    ],
}


@pytest.mark.parametrize("wrt", OF_THE_POST)
def test_the_formulas_of_the_post(wrt: str) -> None:
    printed = "\n".join(formulas(unchecked([network("elman").derive(wrt)])))
    for formula in OF_THE_POST[wrt]:
        assert formula in printed


def test_concrete_steps_are_written_out() -> None:
    printed = "\n".join(golden.lines("elman_W_aa_T3"))
    assert r"\langle t\rangle" not in printed
    assert r"\sum" not in printed and r"\prod" not in printed
    assert printed.count(r"\frac{\partial \mathscr{L}}{\partial \mathbf{W}_{aa}} =") == 2


LETTERS = {
    "post": (r"\mathbf{a}^{\langle t\rangle}", r"\mathbf{W}_{aa}", r"\mathscr{L}"),
    "goodfellow": (r"\boldsymbol{h}^{(t)}", r"\boldsymbol{W}", "L"),
    "d2l": (r"\mathbf{h}_{t}", r"\mathbf{W}_{hh}", r"\ell"),
    "pytorch": ("h_{t}", "W_{hh}", "L"),
    "karpathy": ("h_{t}", "W_{hh}", "L"),
}


@pytest.mark.parametrize("notation", LETTERS)
def test_each_notation_has_its_letters(notation: str) -> None:
    state, weight, loss = LETTERS[notation]
    printed = formulas(unchecked(derivations("elman"), notation))
    assert rf"\frac{{\partial {loss}}}{{\partial {weight}}}" in printed
    assert state in printed
    others = {w for s, w, _ in LETTERS.values() if w != weight and w not in weight}
    assert not any(w in formula for w in others - {r"\boldsymbol{W}"} for formula in printed)
