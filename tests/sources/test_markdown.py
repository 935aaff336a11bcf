r"""Markdown: formulas are found in every dialect, on the right line, and nothing else is."""

from __future__ import annotations

import pytest

from rnnsym.sources import Formula, read_source


def read(text: str) -> list[Formula]:
    return read_source(text, "markdown").formulas


def found(text: str) -> list[tuple[int, str]]:
    return [(formula.line, formula.latex) for formula in read(text)]


@pytest.mark.parametrize(
    ("text", "formulas"),
    [
        ("a $x_t$ b\n$y$", [(1, "x_t"), (2, "y")]),
        ("spaces $ h_t $ and $ t $", [(1, "h_t"), (1, "t")]),
        ("over $a\nb_t$ lines $c$", [(1, "a\nb_t"), (2, "c")]),
        ("\n$$\na = b\n$$\n", [(2, "a = b")]),
        ("$$a = b$$", [(1, "a = b")]),
        (r"\(a\) and \[b = c\]", [(1, "a"), (1, "b = c")]),
        ("\\[\na\n= b\n\\]", [(1, "a\n= b")]),
        (r"\\(a\\) and \\[ b\_t \\]", [(1, "a"), (1, "b_t")]),
        ("```math\na\n```\ntext $b$", [(1, "a"), (4, "b")]),
        ("~~~ katex\na\n~~~", [(1, "a")]),
        ("```{math}\n:label: eq\n\na = b\n```", [(1, "a = b")]),
        (":::{math}\n:label: eq\na = b\n:::\n$c$", [(1, "a = b"), (5, "c")]),
        ("We see {math}`x_t` and {eq}`one` here", [(1, "x_t")]),
        (
            "See :math:`x_t`:\n\n.. math::\n    a = b\n\nand $c$",
            [(1, "x_t"), (3, "a = b"), (6, "c")],
        ),
        ("$`a_t`$ and $`W`$$`h`$", [(1, "a_t"), (1, "W"), (1, "h")]),
        ("{{< katex >}}h_t{{< /katex >}}", [(1, "h_t")]),
        ("{% katex display %}\nh_t\n{% endkatex %}", [(1, "h_t")]),
        ("{% raw %}$$a_{{t}}$${% endraw %}", [(1, "a_{{t}}")]),
        ("$$ {% raw %}a_{{t}}{% endraw %} $$", [(1, "a_{{t}}")]),
        ("$$ a $$ {#eq-one}\n\nand $b$", [(1, "a"), (3, "b")]),
        ("$$\na\n$$ (eq-one)\n", [(1, "a")]),
        ("$$\na\n$$\n:eqlabel:`eq_a`\n", [(1, "a")]),
        ("***\n# Of $h_t$\n\nOf $c$\n===\n$d$", [(2, "h_t"), (4, "c"), (6, "d")]),
        ("| $a$ | b |\n|---|---|\n| $c$ | $d$ |", [(1, "a"), (3, "c"), (3, "d")]),
        ("|a|b|\n|-|-|\n|$p(y|x)$|$d$|", [(3, "p(y|x)"), (3, "d")]),
        ("- a $b$\n\t- c $d$\n  $$e$$\n1. $f$", [(1, "b"), (2, "d"), (3, "e"), (4, "f")]),
        ("> $a$\n> $$\n> b\n> - c\n> $$\n> $d$", [(1, "a"), (2, "b\n- c"), (6, "d")]),
        ("Note[^1].\n\n[^1]: $a$\n\nand $b$", [(3, "a"), (5, "b")]),
        ("![the state $h_t$](a.png) [of $x$](b)", [(1, "h_t"), (1, "x")]),
        ("**bold $a_1 * b_1$** _it $c_2$_", [(1, "a_1 * b_1"), (1, "c_2")]),
        ("<div>\n$a$ <b>$b$</b>\n</div>\n\n$c$", [(2, "a"), (2, "b"), (5, "c")]),
        ("<details>\n\n$$\na\n$$\n\n</details>", [(3, "a")]),
        ("```{note}\nHere $a$\n```", [(2, "a")]),
        ("::: {.callout-tip}\nHere $a$\n:::", [(2, "a")]),
        ("```{=latex}\n\\begin{equation} a \\end{equation}\n```", [(2, "a")]),
        ("---\ntitle: $no$\n---\n$a$", [(4, "a")]),
        ('+++\ntitle = "$no$"\n+++\n\n$a$', [(5, "a")]),
        ("---\n\n$a$\n\n---\n$b$", [(3, "a"), (6, "b")]),
        ("\ufeff$a$\r\n$b$\r$c$", [(1, "a"), (2, "b"), (3, "c")]),
        (r"\$5 and $\$x = \$2$ ", [(1, r"\$x = \$2")]),
        ("$a &lt; b$ and $x^{&lt;t&gt;}$", [(1, "a < b"), (1, "x^{<t>}")]),
        ("$x^{<t>}$ and $x^{<t-1>}$", [(1, "x^{<t>}"), (1, "x^{<t-1>}")]),
    ],
)
def test_formulas_in_all_dialects(text: str, formulas: list[tuple[int, str]]) -> None:
    assert found(text) == formulas


@pytest.mark.parametrize(
    "text",
    [
        "It costs $5 and $6, or $20,000 and USD$30,000.",
        "It costs $5, or 5$ each; US$5/$10; $ 5 and $ 6.",
        "`$a$` and ``$b`$`` and <code>$c$</code>",
        "```\n$a$\n```\n\n~~~python\n$$b$$\n~~~",
        "```{code-cell} python\nx = '$a$'\n```",
        "    $a$\n",
        "<!-- $a$ -->\n\n<!--\n$$\nb\n$$\n\n$c$\n-->",
        "<script>\n$a$\n\n$$b$$\n</script>",
        "text <!-- $a$ --> more",
        "{% highlight tex %}\n$a$\n\n$b$\n{% endhighlight %}",
        "$HOME/bin:$PATH and $HOME and $USER",
        r"see \[1\] and \(see there\), \[x\] done",
        r"a \$5 and \$6",
        "$$ $$ and $ $",
        "[$](a) and [b]($)",
    ],
)
def test_what_is_no_formula(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "display"),
    [
        ("$a$", False),
        ("$$a$$", True),
        (r"\(a\)", False),
        (r"\[a=b\]", True),
        ("```math\na\n```", True),
        ("so $$a$$ is, as $b$ is", True),
        # kramdown knows two dollars only: within a line they are no display.
        ("so $$a$$ is", False),
        ("so\n$$a$$\nis", True),
    ],
)
def test_what_is_a_display(text: str, display: bool) -> None:
    assert read(text)[0].display is display


@pytest.mark.parametrize("name", ["align", "equation", "gather", "multline", "eqnarray", "flalign"])
@pytest.mark.parametrize("star", ["", "*"])
@pytest.mark.parametrize("outer", ["{}", "$$\n{}\n$$", "$${}$$", "\\[{}\\]", "so {} is"])
def test_an_environment_is_taken_off(name: str, star: str, outer: str) -> None:
    (formula,) = read(
        outer.replace("{}", f"\\begin{{{name}{star}}}\na &= b\n\\end{{{name}{star}}}")
    )
    assert (formula.latex, formula.environment, formula.display) == ("a &= b", name, True)


def test_an_environment_within_a_formula_stays() -> None:
    text = "$$\\begin{aligned} a &= b \\\\ c \\end{aligned}$$\n\\begin{cases} a \\end{cases}"
    first, second = read(text)
    assert first.latex == "\\begin{aligned} a &= b \\\\ c \\end{aligned}"
    assert second.latex == "\\begin{cases} a \\end{cases}"
    assert (first.environment, second.environment) == ("", "")


def test_two_environments_in_one_display_stay() -> None:
    text = "$$\\begin{align} a \\end{align} \\begin{align} b \\end{align}$$"
    assert read(text)[0].latex == text.strip("$")


@pytest.mark.parametrize("end", ["\\\\", "\\\\\\", "\\\\\\\\"])
def test_rows_end_in_two_backslashes(end: str) -> None:
    (formula,) = read(f"$$\n\\begin{{aligned}}\na {end}\n- b {end}\n= c\n\\end{{aligned}}\n$$")
    assert formula.latex == "\\begin{aligned}\na \\\\\n- b \\\\\n= c\n\\end{aligned}"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"h\_t", "h_t"),
        (r"a \* b", "a * b"),
        (r"\\{ h \\}", r"\{ h \}"),
        (r"\\|g\\|", r"\|g\|"),
        (r"\text{a\_b}_t", r"\text{a\_b}_t"),
        (r"\|g\| \, \{a\}", r"\|g\| \, \{a\}"),
        ("a % a comment\n= b", "a \n= b"),
        (r"5\% = b", r"5\% = b"),
        (r"a \\% b", r"a \% b"),
    ],
)
def test_escapes_for_the_processor_are_undone(written: str, meant: str) -> None:
    assert read(f"${written}$")[0].latex == meant


def test_a_display_in_a_list_does_not_make_code_of_what_follows() -> None:
    text = "- a\n$$\nb\n$$\n\t- because $c_t$\n\n\t\t- deeper $d$\n\n- then $e$\n"
    assert found(text) == [(2, "b"), (5, "c_t"), (7, "d"), (9, "e")]


@pytest.mark.parametrize("row", ["- b", "+ b", "= b", "===", "---", "> b", "# b", "1. b", "| b |"])
def test_rows_of_a_display_are_no_blocks(row: str) -> None:
    for before, after in (("", ""), ("text ", ""), ("", " text"), ("- item ", ""), ("> ", "")):
        if before == "> ":
            row = row.replace("\n", "\n> ")
            text = f"> $$ a\n> {row}\n> $$\n\n$c$"
        else:
            text = f"{before}$$ a\n{row}\n$$ {after}\n\n$c$"
        if row == "# b":
            # A heading between two delimiters: the first of them is stray.
            assert found(text)[-1] == (5, "c")
        else:
            assert found(text) == [(1, f"a\n{row}"), (5, "c")], text


def test_what_is_never_closed_is_noted_and_harms_nothing_else() -> None:
    source = read_source("stray $$ here\n\nand $a$\n\n\\begin{align} b\n\n$c$", "markdown")
    assert [formula.latex for formula in source.formulas] == ["a", "c"]
    assert source.notes == [
        "line 1: $$ is never closed",
        "line 5: \\begin{align} is never closed",
    ]


def test_code_by_indentation_is_noted() -> None:
    assert read_source("a\n\n    $b$\n", "markdown").notes == [
        "line 3: indented by four or more: this is code, and is skipped"
    ]


def test_headings_count_sections() -> None:
    text = "$a$\n# One\n$b$\n\nTwo\n---\n$c$"
    assert [formula.section for formula in read(text)] == [0, 1, 2]
