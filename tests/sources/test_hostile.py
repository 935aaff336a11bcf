"""Whatever a document is made of: no exception, no hang, right lines, the same result twice."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rnnsym.errors import InputError
from rnnsym.sources import read_source
from rnnsym.sources.files import KINDS

SIZE = 200_000
#: processor time for that many characters; generous, for machines slower than ours
SECONDS = 15

PIECES = r"""
$ $$ \[ \] \( \) \\[ \\] \\( \\) \begin{align} \end{align} \begin{equation*} \begin{aligned}
\end{aligned} \begin{verbatim} \begin{tabular} \begin{tikzpicture} \begin{ \begin{document}
\end{document} { } {} \newcommand{ \newcommand{\a}{ \newcommand{\be}{\begin{align}} \be
\def\x#1 \let \text{ $\text{ \text{$ \item \section{ \footnote{ \verb| \iffalse \fi \input{a}
\ensuremath{ \label{ \\ \ % \% [ ![ [a]( [a] ]( * **a _ ` `a ``$ $` `$ < <a <!-- --> <div>
<code> <script> > - 1. | |a |$x| & &lt; &#1; {{<katex>}} {{</katex>}} {%raw%} {%highlight%}
{math}` :math:` [^a] [^a]: # === --- +++ ```math ``` ~~~ :::{math} a= word 5 $5 a $a$ $x_t$ 😀 é
"""
ATOMS = [
    *PIECES.split(),
    "\n",
    "\n\n",
    " ",
    "\t",
    "    ",
    "\x00",
    "\x0b",
    "\u2028",
    "- ",
    "> ",
    "# ",
]
#: the pieces of which a large text takes longest
SLOWEST = [
    *(
        "$",
        "$$",
        "$a ",
        "$a$ ",
        "``$",
        "$\\text{",
        "\\text{$",
        "{",
        "{}",
        "[",
        "![",
        "[a](",
        "**a ",
    ),
    *(
        "<",
        "<!--",
        "&",
        "\n",
        "\\[\n",
        "$$\n",
        "$x$\n",
        "% \n",
        "|a\n",
        "[^a]: x\n",
        "{%highlight%}\n",
    ),
]
LINES = [piece + "\n" for piece in ATOMS]
PAIRS = [
    "|a|\n|-|\n",
    "a|b\n-|-\n",
    "\t- a\n$$\nx\n$$\n",
    "$$\na\n\n",
    "> $$\n",
    "- $$\n",
    ".. math::\n",
]


def words(**sizes: int) -> st.SearchStrategy[str]:
    pieces = st.one_of(st.sampled_from(ATOMS), st.text(max_size=3))
    return st.lists(pieces, **sizes).map("".join)


@given(words(max_size=40), st.sampled_from(["markdown", "latex", "text", None]))
@settings(max_examples=400)
@example("$" * 7, "markdown")
@example("\\", "latex")
@example("\\", "markdown")
def test_nothing_is_raised_and_lines_are_those_of_the_document(text: str, kind: str | None) -> None:
    try:
        source = read_source(text, kind)
    except InputError:
        assert kind is None
        return
    assert source == read_source(text, source.kind)
    count = text.replace("\r\n", "\n").replace("\r", "\n").count("\n") + 1
    for formula in source.formulas:
        assert 1 <= formula.line <= count
        assert formula.latex.strip() == formula.latex != ""
        assert len(formula.before) <= 200
        assert len(formula.after) <= 200
    lines = [formula.line for formula in source.formulas]
    assert source.kind == "latex" or lines == sorted(lines)


@given(st.text(max_size=200), st.sampled_from(KINDS))
@settings(max_examples=200)
def test_any_text(text: str, kind: str) -> None:
    try:
        read_source(text, kind)
    except InputError:
        assert kind == "notebook"


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5) | st.just("markdown"),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(
                    ["cells", "cell_type", "source", "nbformat", "metadata", "worksheets"]
                ),
                inner,
                max_size=5,
            )
        ),
        max_leaves=20,
    )
)
@settings(max_examples=200)
def test_any_json(content: object) -> None:
    if isinstance(content, dict):
        content.setdefault("nbformat", 4)
    try:
        read_source(json.dumps(content), "notebook")
    except InputError as fault:
        assert "notebook" in str(fault)


@given(words(max_size=12), st.sampled_from(["markdown", "latex"]), st.integers(0, 30))
@settings(max_examples=200)
def test_a_formula_after_anything_that_is_closed_is_found_on_its_line(
    prose: str, kind: str, blank: int
) -> None:
    prose = "".join(c for c in prose if c.isalnum() or c in " \n.,")
    prose = "\n".join(line.strip() for line in prose.split("\n"))
    text = prose + "\n" * (blank + 2) + "We see $x_t$."
    line = text.count("\n") + 1
    assert [(f.line, f.latex) for f in read_source(text, kind).formulas][-1:] == [(line, "x_t")]


def took(text: str, kind: str) -> float:
    start = time.process_time()
    read_source(text, kind)
    return time.process_time() - start


@pytest.mark.parametrize("kind", ["markdown", "latex"])
def test_a_small_text_of_one_piece_takes_no_time(kind: str) -> None:
    for piece in ATOMS + LINES + PAIRS:
        assert took(piece * (1_500 // len(piece)), kind) < SECONDS / 10, piece


@pytest.mark.nightly
@pytest.mark.parametrize("kind", ["markdown", "latex", "text"])
@pytest.mark.parametrize("piece", [*SLOWEST, *PAIRS])
def test_a_large_text_of_one_piece_takes_seconds(piece: str, kind: str) -> None:
    assert took(piece * (SIZE // len(piece)), kind) < SECONDS


@pytest.mark.nightly
@given(words(min_size=2, max_size=4), st.sampled_from(["markdown", "latex", "text"]))
@settings(max_examples=40)
def test_a_large_text_of_some_pieces_takes_seconds(piece: str, kind: str) -> None:
    assert took(piece * (SIZE // len(piece) if piece else 0), kind) < SECONDS


def test_deep_nesting_is_no_recursion() -> None:
    for kind in ("markdown", "latex"):
        for opening, closing in (
            ("{", "}"),
            ("\\begin{a}", "\\end{a}"),
            ("\\[\\begin{cases}", "\\end{cases}\\]"),
            ("$\\text{", "}$"),
            ("> ", ""),
            ("- ", ""),
            ("[", "](a)"),
        ):
            for size in (50, 3_000):
                text = opening * size + "$x_t$" + closing * size + "\n\n$y_t$"
                assert read_source(text, kind).formulas[-1].latex == "y_t", (kind, opening, size)
