r"""LaTeX: formulas of every kind are found wherever they stand; what is broken stays local."""

from __future__ import annotations

import pytest

from rnnsym.sources import Formula, read_source

DOCUMENT = r"""\documentclass{beamer}
\title{Of $no$}
\begin{document}
%s
\end{document}
"""


def read(text: str) -> list[Formula]:
    return read_source(text, "latex").formulas


def found(text: str) -> list[tuple[int, str]]:
    return [(formula.line, formula.latex) for formula in read(text)]


@pytest.mark.parametrize(
    ("text", "formulas"),
    [
        (r"a $x_t$ b \(y\) \[z\] $$w$$", [(1, "x_t"), (1, "y"), (1, "z"), (1, "w")]),
        ("$a$$b$", [(1, "a"), (1, "b")]),
        ("\n\\begin{equation}\n a = b\n\\end{equation}\n$c$", [(2, "a = b"), (5, "c")]),
        ("\\begin {align*}\na\n\\end {align*}", [(1, "a")]),
        (r"\begin{alignat}{2} a &= b \end{alignat}", [(1, "a &= b")]),
        (r"\begin{IEEEeqnarray}{rCl} a &=& b \end{IEEEeqnarray}", [(1, "a &=& b")]),
        (r"\begin{subequations}\begin{gather} a \end{gather}\end{subequations}", [(1, "a")]),
        (r"\begin{equation}\begin{split} a \end{split}\end{equation}",
         [(1, r"\begin{split} a \end{split}")]),
        (r"\begin{multline} a \label{b} \tag{1} \nonumber \\ c \notag \end{multline}",
         [(1, r"a \label{b} \tag{1} \nonumber \\ c \notag")]),
        (r"\begin{math} a \end{math} \begin{displaymath} b \end{displaymath}",
         [(1, "a"), (1, "b")]),
        (r"\[ a \text{ if $b > \text{$c$}$} \]", [(1, r"a \text{ if $b > \text{$c$}$}")]),
        (r"$a \mbox{ for \(b\)}$ $c$", [(1, r"a \mbox{ for \(b\)}"), (1, "c")]),
        (r"\begin{align} a \tag{$*$} \\ \intertext{and $b$} c \end{align}",
         [(1, r"a \tag{$*$} \\ \intertext{and $b$} c")]),
        ("\\[\na % of $b$ \\]\n= 5\\% \n\\]", [(1, "a \n= 5\\%")]),
        ("% $no$\n$a$ % $no$\n\\% $b$", [(2, "a"), (3, "b")]),
        (r"\$5 or \$6 $a$ \verb|$no$| \verb*+$no$+ \lstinline{$no$}", [(1, "a")]),
        (r"\url{a$b} \href{a$b}{of $c$}", [(1, "c")]),
        ("\\begin{verbatim}\n$no$ % \\end{verbatim}\n$a$", [(3, "a")]),
        ("\\begin{lstlisting}[language=C]\n$no$\n\\end{lstlisting}\n$a$", [(4, "a")]),
        ("\\begin{minted}{python}\n$no$\n\\end{minted}", []),
        ("\\begin{comment}\n$no$\n\\end{comment}", []),
        ("\\iffalse $no$ \\ifx a b \\fi $no$ \\fi $a$", [(1, "a")]),
        (r"\footnote{Of $a$} \caption[b $c$]{d $e$} \textbf{f $g$}",
         [(1, "a"), (1, "c"), (1, "e"), (1, "g")]),
        ("\\begin{itemize}\n\\item $a$\n\\item[$b$] c\n\\end{itemize}", [(2, "a"), (3, "b")]),
        ("\\begin{frame}[fragile]{Of $a$}\n$b$\n\\end{frame}", [(1, "a"), (2, "b")]),
        (r"\begin{tabular}{c>{$}c<{$}|r@{$\pm$}l} $a$ & $b$ \\ \end{tabular}",
         [(1, "a"), (1, "b")]),
        (r"\begin{theorem}[Of $a$] $b$ \end{theorem}\begin{strange} $c$ \end{strange}",
         [(1, "a"), (1, "b"), (1, "c")]),
        (r"\unknown{of $a$}[$b$] {\small $c$}", [(1, "a"), (1, "b"), (1, "c")]),
        (r"\ensuremath{a_t}", [(1, "a_t")]),
        (r"\section*{Of $a$}", [(1, "a")]),
        (r"\begin{aligned} a \end{aligned}", [(1, r"\begin{aligned} a \end{aligned}")]),
    ],
)  # fmt: skip
def test_formulas_wherever_they_stand(text: str, formulas: list[tuple[int, str]]) -> None:
    assert found(text) == formulas
    lines = [(line + 3, latex) for line, latex in formulas]
    assert found(DOCUMENT % text) == lines


@pytest.mark.parametrize(
    ("text", "environment", "display"),
    [
        ("$a$", "", False),
        (r"\(a\)", "", False),
        ("$$a$$", "", True),
        (r"\[a\]", "", True),
        (r"\begin{math}a\end{math}", "math", False),
        (r"\begin{equation*}a\end{equation*}", "equation", True),
        (r"\begin{eqnarray}a\end{eqnarray}", "eqnarray", True),
        (r"\[\begin{align*}a\end{align*}\]", "align", True),
        (r"\begin{equation}\begin{align}a\end{align}\end{equation}", "align", True),
    ],
)
def test_environments_are_named_without_their_star(
    text: str, environment: str, display: bool
) -> None:
    (formula,) = read(text)
    assert (formula.latex, formula.environment, formula.display) == ("a", environment, display)


@pytest.mark.parametrize(
    "definition",
    [
        "\\newcommand{\\be}{\\begin{equation}}\\newcommand{\\ee}{\\end{equation}}\n\\be a \\ee",
        "\\def\\be{\\begin{equation}}\\def\\ee{\\end{equation}}\n\\be a \\ee",
        "\\newenvironment{eq}{\\begin{equation}}{\\end{equation}}\n\\begin{eq} a \\end{eq}",
        "\\newcommand{\\eq}[1]{\\begin{equation}#1\\end{equation}}\n\\eq{ a }",
    ],
)
def test_an_authors_own_name_of_an_environment(definition: str) -> None:
    (formula,) = read(definition)
    assert (formula.latex, formula.environment, formula.line) == ("a", "equation", 2)


@pytest.mark.parametrize(
    ("text", "formulas", "note"),
    [
        ("a $b\n\nc $d$", ["d"], "line 1: $: it is never closed"),
        ("a $b \\section{c} $d$", ["d"], "line 1: $: it is never closed"),
        ("\\(b\n\n\\(c\\)", ["c"], "line 1: \\(: it is never closed"),
        ("\\[a = b\n\nThen \\[c\\]", ["a = b", "c"], "line 1: \\[: it is never closed"),
        ("\n\\begin{align} a\n\nThen $c$. \\section{d} $e$", ["a", "c", "e"],
         "line 2: \\begin{align}: it is never closed"),
        ("\\begin{equation} a\n\\begin{equation} b \\end{equation}", ["a", "b"],
         "line 1: \\begin{equation}: it is never closed"),
        ("$$a$ and $b$", ["a", "b"], "line 1: $$: it begins with $$ and ends with $"),
        ("$a_{b$ and $c$", ["a_{b", "c"],
         "line 1: $: braces or environments in it are not closed"),
        ("\\begin{equation} $a$ \\end{equation}", ["$a$"],
         "line 1: \\begin{equation}: there is a $ in it"),
        ("$a$ \\)", ["a"], "line 1: \\) closes nothing"),
        ("$a$ \\end{foo} $b$", ["a", "b"], ""),
        ("}} $a$ {{{ $b$", ["a", "b"], ""),
        ("\\begin{verbatim} $a$", ["a"], "line 1: \\begin{verbatim} is never closed"),
        ("$a$ \\input{other} \\include{more}", ["a"], "line 1: \\input of {other} is not followed"),
        ("\\begin{tikzpicture} $(a)$ \\end{tikzpicture} $b$", ["b"],
         "line 1: what is in \\begin{tikzpicture} is skipped"),
        ("\\begin{algorithmic} $a$ \\end{algorithmic}$b$", ["a", "b"], ""),
        ("\\iffalse $a$", ["a"], "line 1: \\iffalse is never closed"),
        ("\\begin{document}$a$\n\\end{document}\n$b$", ["a"],
         "line 2: what follows \\end{document} is not read"),
        ("$a$ \\", ["a"], ""),
    ],
)  # fmt: skip
def test_broken_documents_give_what_can_be_had(text: str, formulas: list[str], note: str) -> None:
    source = read_source(text, "latex")
    assert [formula.latex for formula in source.formulas] == formulas
    assert source.notes[:1] == ([note] if note else [])


def test_a_document_in_a_comment_is_none() -> None:
    assert found("% \\begin{document}\n$a$\n% \\end{document}\n$b$") == [(2, "a"), (4, "b")]


def test_headings_count_sections() -> None:
    text = "$a$ \\section{One} $b$ \\subsection*{Two} $c$"
    assert [formula.section for formula in read(text)] == [0, 1, 2]
