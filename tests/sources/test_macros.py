r"""Definitions of macros are found in LaTeX and in Markdown's formulas, and taken out of them."""

from __future__ import annotations

import pytest

from rnnsym.sources import read_source


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"\newcommand{\R}{\mathbb{R}}", ("R", 0, None, r"\mathbb{R}")),
        (r"\newcommand\R{\mathbb{R}}", ("R", 0, None, r"\mathbb{R}")),
        (r"\newcommand*{\v}[1]{\mathbf{#1}}", ("v", 1, None, r"\mathbf{#1}")),
        (r"\renewcommand{\d}[2][x]{\frac{d #2}{d #1}}", ("d", 2, "x", r"\frac{d #2}{d #1}")),
        (r"\providecommand{\a}{b}", ("a", 0, None, "b")),
        (r"\DeclareRobustCommand{\a}{b}", ("a", 0, None, "b")),
        (r"\def\pd#1#2{\frac{\partial #1}{\partial #2}}",
         ("pd", 2, None, r"\frac{\partial #1}{\partial #2}")),
        (r"\long\def\x{y}", ("x", 0, None, "y")),
        (r"\let\eps\varepsilon", ("eps", 0, None, r"\varepsilon")),
        (r"\let\eps=\varepsilon", ("eps", 0, None, r"\varepsilon")),
        (r"\DeclareMathOperator{\diag}{diag}", ("diag", 0, None, r"\operatorname{diag}")),
        (r"\DeclareMathOperator*{\am}{arg\,max}", ("am", 0, None, r"\operatorname*{arg\,max}")),
        (r"\DeclarePairedDelimiter{\norm}{\lVert}{\rVert}",
         ("norm", 1, None, r"\lVert #1 \rVert")),
        (r"\NewDocumentCommand{\f}{O{t} m}{h_{#1} #2}", ("f", 2, "t", "h_{#1} #2")),
        (r"\newcommand{\b}{\{ x \}}", ("b", 0, None, r"\{ x \}")),
    ],
)  # fmt: skip
def test_definitions(text: str, expected: tuple[str, int, str | None, str]) -> None:
    for kind, source, line in (
        ("latex", "\n" + text + "\n$a$", 2),
        ("markdown", "\n$$\n" + text + "\n$$\n\n$a$", 3),
        ("markdown", "\n$" + text + "$ $a$", 2),
        ("markdown", "\n" + text + "\n\n$a$", 2),
    ):
        read = read_source(source, kind)
        (macro,) = read.macros.values()
        given = (macro.name, macro.arguments, macro.default, macro.body)
        assert (given, macro.line) == (expected, line), source
        assert [formula.latex for formula in read.formulas] == ["a"]
        assert read.notes == []


def test_a_formula_keeps_what_is_no_definition() -> None:
    read = read_source("$\\newcommand{\\R}{\\mathbb{R}} x \\in \\R \\def\\a{b} + \\a$", "markdown")
    assert read.formulas[0].latex == "x \\in \\R  + \\a"
    assert list(read.macros) == ["R", "a"]


def test_definitions_of_the_preamble_and_of_the_body() -> None:
    text = (
        "\\newcommand{\\a}{b} % \\newcommand{\\no}{no}\n\\begin{document}\\def\\c{d}\\end{document}"
    )
    assert list(read_source(text, "latex").macros) == ["a", "c"]


def test_of_two_definitions_the_last_holds_and_is_noted() -> None:
    read = read_source("\\newcommand{\\a}{b}\n\\renewcommand{\\a}{c}\n\\def\\a{c}$x$", "latex")
    assert read.macros["a"].body == "c"
    assert read.notes == [
        "line 2: \\a is defined again (first on line 1): the last definition is used throughout"
    ]


def test_providing_what_is_there_changes_nothing() -> None:
    for kind, text in (
        ("latex", "\\newcommand{\\a}{b}\\providecommand{\\a}{c}$x$"),
        ("markdown", "$\\newcommand{\\a}{b}\\providecommand{\\a}{c}x$"),
    ):
        assert read_source(text, kind).macros["a"].body == "b"


@pytest.mark.parametrize(
    "text",
    [
        r"\def\a(#1){b}",
        r"\newcommand{\a}{b",
        r"\newcommand",
        r"\NewDocumentCommand{\f}{s m}{a}",
        r"\let",
        r"\DeclareMathOperator{\a}",
    ],
)
def test_a_definition_that_cannot_be_read_is_noted(text: str) -> None:
    read = read_source(f"$x$\n{text}", "latex")
    assert not read.macros
    assert read.notes[0].startswith("line 2: the definition that begins with \\")
