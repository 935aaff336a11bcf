"""Documents: what is said once, what each row carries, and that failure is never hidden."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from sympy import MatAdd, MatMul

import rnnsym as rs
from rnnsym import api
from rnnsym.derive.step import Step
from rnnsym.documents import content
from rnnsym.documents.content import (
    Bullets,
    Code,
    Display,
    Document,
    Heading,
    Paragraph,
    Ref,
    Remark,
    Remarks,
    Row,
    Styled,
    Table,
)
from rnnsym.documents.formulas import LONG, WIDE, aligned, broken
from rnnsym.documents.html import html
from rnnsym.documents.markdown import _cell, markdown
from rnnsym.documents.notebook import notebook
from rnnsym.documents.terminal import terminal
from rnnsym.documents.tex import book, escape, fragment, whole
from rnnsym.latex import LatexPrinter
from rnnsym.nodes import Immediate, Total
from tests.portability.harness import latex_compiles, math_core_accepts

WRITERS = {
    "markdown": markdown, "terminal": terminal, "fragment": fragment, "whole": whole,
    "html": html, "notebook": notebook,
}  # fmt: skip


@pytest.fixture(scope="module")
def elman() -> rs.Network:
    return rs.elman()


@pytest.fixture(scope="module")
def document(elman: rs.Network) -> Document:
    found = [elman.derive(name) for name in elman.parameters]
    return api.derivations_document(found)[0]


@pytest.mark.parametrize("writer", WRITERS)
def test_the_layout_is_stated_exactly_once(document: Document, writer: str) -> None:
    text = " ".join(WRITERS[writer](document).split())
    assert text.count("Numerator layout") == 1
    assert text.count("immediate partial (Pascanu") == 1
    assert text.count("What was checked") == 1
    assert text.count("Forward pass") == 1


def test_every_numbered_row_has_exactly_one_remark(document: Document) -> None:
    rows = [r.number for b in document.blocks if isinstance(b, Display) for r in b.rows if r.number]
    remarks = [r.number for b in document.blocks if isinstance(b, Remarks) for r in b.items]
    assert rows == remarks == list(range(1, len(rows) + 1))


def test_the_remarks_follow_their_display(document: Document) -> None:
    for display, after in zip(document.blocks, document.blocks[1:], strict=False):
        if isinstance(display, Display) and any(row.number for row in display.rows):
            assert isinstance(after, Remarks)
            assert [r.number for r in after.items] == [r.number for r in display.rows]


def test_every_remark_prints_its_check(document: Document) -> None:
    remarks = [r for b in document.blocks if isinstance(b, Remarks) for r in b.items]
    assert all(r.ok and r.checked.startswith("exact test, T=4") for r in remarks)
    for text in (markdown(document), terminal(document)):
        flat = " ".join(text.split())
        assert flat.count("✓ exact test, T=4") == len(remarks)
        assert "✗" not in flat
    assert fragment(document).count("[exact test, T=4") == len(remarks)


def test_numbers_are_those_of_the_rows(document: Document) -> None:
    text = markdown(document)
    tags = re.findall(r"&& \((\d+)\)", text)
    assert tags == re.findall(r"^- \((\d+)\) \*", text, re.MULTILINE)
    assert tags == re.findall(r"^\((\d+)\) \\emph", fragment(document), re.MULTILINE)


def test_a_claimed_inequality_is_shown_in_numbers(elman: rs.Network) -> None:
    text = " ".join(elman.derive("W_aa").text().split())
    assert "an entry is 0.01328 on the left, 0.01227 on the right" in text
    assert "differs, as claimed, at t=2" in text


def test_the_two_derivatives_are_explained_and_used(elman: rs.Network) -> None:
    text = elman.derive("W_aa").text()
    assert "∂ is the total derivative" in text
    assert "∂⁺ is the immediate partial" in " ".join(text.split())
    tex = elman.derive("W_aa").latex()
    assert r"\frac{\partial^{+} \mathbf{a}^{\langle k\rangle}}" in tex
    assert r"\frac{\partial \mathbf{a}^{\langle i\rangle}}" in tex


# ---- a wrong step ------------------------------------------------------------------------


def wrong(net: rs.Network, right: rs.Derivation) -> rs.Derivation:
    """A derivation with one step made wrong: an immediate partial in place of a total one."""
    steps = list(right.steps)
    index = next(i for i, s in enumerate(steps) if s.rule == "total derivative")
    after = steps[index].after.replace(
        lambda e: isinstance(e, Total) and not isinstance(e, Immediate) and e.by == right.subject,
        lambda e: Immediate(e.of, e.by),
    )
    assert after != steps[index].after
    steps[index] = replace(steps[index], after=after)
    return api.Derivation.of(net, replace(right, steps=tuple(steps)), "W_aa")


@pytest.mark.parametrize(
    ("writer", "mark"),
    [("markdown", "✗ exact test"), ("terminal", "[✗ exact test"), ("fragment", r"\textbf{FAILS}"),
     ("whole", r"\textbf{FAILS}"), ("html", "✗ fails: exact test"), ("notebook", "✗ exact test")],
)  # fmt: skip
def test_a_wrong_step_is_marked_by_every_writer(elman: rs.Network, writer: str, mark: str) -> None:
    document, ok = api.derivations_document([wrong(elman, elman.derive("W_aa"))])
    assert not ok
    text = " ".join(WRITERS[writer](document).split())
    assert text.count(mark) == 1
    assert "fails at t=2" in text
    assert "33 of 34 steps hold" in text


def test_an_equality_that_is_claimed_unequal_is_marked(elman: rs.Network) -> None:
    right = elman.derive("W_ya")
    steps = (replace(right.steps[0], relation="≠"), *right.steps[1:])
    document, ok = api.derivations_document(
        [api.Derivation.of(elman, replace(right, steps=steps), "W_ya")]
    )
    assert not ok
    assert "✗ exact test, T=4, 1 equation: both sides are equal everywhere" in markdown(document)


def test_a_step_without_a_check_is_not_shown_as_holding(elman: rs.Network) -> None:
    from rnnsym.documents.narrative import derivations_document

    text = markdown(derivations_document([elman.derive("b_y")], [()]))
    assert "✗ not checked" in text and "✓" not in text


def test_a_step_that_tests_nothing_does_not_hold(elman: rs.Network) -> None:
    right = elman.derive("W_ya")
    first: Step = right.steps[1]
    index, low, high = first.where[0]
    steps = (replace(first, where=((index, high + 1, low),)),)
    broken_one = api.Derivation.of(elman, replace(right, steps=steps), "W_ya")
    document, ok = api.derivations_document([broken_one])
    assert not ok and "nothing was tested" in markdown(document)


# ---- forms -------------------------------------------------------------------------------


def small(net: rs.Network) -> Document:
    a = net.vectors["a"]
    blocks = [
        Heading(2, ("One & two", a)),
        Paragraph(("50% of ", a, " <b> a_b ", Styled("so", "em"), Styled("very", "strong"))),
        Bullets([("first ", a), (Styled("x_1", "code"),)]),
        Display([Row(a, "=", a, 1), Row(None, "≠", MatAdd(a, a), 2)]),
        Remarks([Remark(1, "rule", ("why",), "tested"), Remark(2, "r", ("no",), "bad", False)]),
        Code("x = 1 & 2"),
    ]
    return Document(("The title",), blocks)


MARKDOWN = r"""# The title

## One & two$\mathbf{a}^{\langle t\rangle}$

50% of $\mathbf{a}^{\langle t\rangle}$ &lt;b&gt; a\_b *so***very**

- first $\mathbf{a}^{\langle t\rangle}$
- `x_1`

$$
\begin{aligned}
\mathbf{a}^{\langle t\rangle} &= \mathbf{a}^{\langle t\rangle} && (1) \\
&\neq \mathbf{a}^{\langle t\rangle} + \mathbf{a}^{\langle t\rangle} && (2)
\end{aligned}
$$

- (1) *rule*: why. ✓ tested
- (2) *r*: no. ✗ bad

```python
x = 1 & 2
```
"""

TERMINAL = """The title
=========

One & twoa⟨t⟩
-------------

50% of a⟨t⟩ <b> a_b sovery

• first a⟨t⟩
• x_1

    a⟨t⟩ = a⟨t⟩   (1)
     ≠ a⟨t⟩ + a⟨t⟩   (2)

(1) rule: why. [✓ tested]
(2) r: no. [✗ bad]

    x = 1 & 2
"""

FRAGMENT = r"""\subsection*{One \& two$\mathbf{a}^{\langle t\rangle}$}

50\% of $\mathbf{a}^{\langle t\rangle}$ $<$b$>$ a\_b \emph{so}\textbf{very}

\begin{itemize}
\item first $\mathbf{a}^{\langle t\rangle}$
\item \texttt{x\_1}
\end{itemize}

\[
\begin{aligned}
\mathbf{a}^{\langle t\rangle} &= \mathbf{a}^{\langle t\rangle} && (1) \\
&\neq \mathbf{a}^{\langle t\rangle} + \mathbf{a}^{\langle t\rangle} && (2)
\end{aligned}
\]

(1) \emph{rule}: why. {\footnotesize [tested]}\\
(2) \emph{r}: no. {\footnotesize [\textbf{FAILS} bad]}

\begin{verbatim}
x = 1 & 2
\end{verbatim}
"""


@pytest.mark.parametrize(
    ("writer", "text"), [("markdown", MARKDOWN), ("terminal", TERMINAL), ("fragment", FRAGMENT)]
)
def test_every_block_in_every_form(elman: rs.Network, writer: str, text: str) -> None:
    assert WRITERS[writer](small(elman)) == text


@pytest.mark.tex
def test_every_block_compiles(elman: rs.Network) -> None:
    latex_compiles(whole(small(elman)))


@pytest.mark.parametrize("writer", WRITERS)
def test_an_unknown_block_is_an_error(writer: str) -> None:
    with pytest.raises(TypeError, match="for int"):
        WRITERS[writer](Document(("x",), [1]))


def test_row_end_changes_nothing_but_row_ends(document: Document) -> None:
    plain, hugo = markdown(document), markdown(document, "\\\\\\")
    assert hugo != plain
    assert hugo.replace(" \\\\\\\n", " \\\\\n") == plain
    changed = [
        line for line in hugo.splitlines() if line not in set(plain.splitlines())
    ]  # fmt: skip
    assert all(line.endswith(" \\\\\\") for line in changed)
    inside = re.findall(r"\\begin\{aligned\}.*?\\end\{aligned\}", hugo, re.DOTALL)
    assert len(changed) == sum(len(re.findall(r" \\\\\\$", e, re.MULTILINE)) for e in inside)


def test_long_sums_are_broken_before_their_signs(elman: rs.Network) -> None:
    w, a, tex = elman.parameters["W_aa"], elman.vectors["a"], LatexPrinter()
    terms = [MatMul((-1) ** i * (i + 2), *[w] * 8, a) for i in range(9)]
    rows = broken(MatAdd(*terms), tex)
    assert len(rows) > 1 and all(len(row) <= WIDE for row in rows)
    assert all(re.match(r"[+-] ?", row) for row in rows[1:])
    text = aligned(Display([Row(a, "=", MatAdd(*terms), 1)]), tex)
    assert text.count("&& (1)") == 1 and text.endswith("&& (1)\n\\end{aligned}")
    math_core_accepts(text)


def test_a_long_left_side_has_a_row_of_its_own(elman: rs.Network) -> None:
    w, a, tex = elman.parameters["W_aa"], elman.vectors["a"], LatexPrinter()
    left = MatMul(*[w] * 20, a)
    assert len(tex(left)) > LONG
    lines = aligned(Display([Row(left, "=", a)]), tex).splitlines()
    assert lines[1] == f"& {tex(left)} \\\\" and lines[2] == f"&= {tex(a)}"


def test_terminal_text_is_wrapped_but_formulas_are_not(document: Document) -> None:
    lines = terminal(document).splitlines()
    assert all(
        len(line) <= 100 for line in lines if not line.startswith("    ") or " = " not in line
    )


def test_no_document_is_empty_of_evidence(elman: rs.Network) -> None:
    d: Any = elman.derive("W_ya")
    last = [b for b in d.document().blocks if isinstance(b, Paragraph)][-1]
    assert last.text[0].startswith(f"{len(d.steps)} of {len(d.steps)} steps hold")
    assert isinstance(d.document(), content.Document)


TEXT = (
    "é ü ñ ç ß Å č ő ę ð Ж 漢 c\u0303 ŷ Σ Π ∇ αβΩ ∂⁺ 2⁻⁵¹ ≤ ≈ ‖x‖ “q” ‘q’ "
    "a|b `c` <t> ⟨t⟩ \\end{x} %#&_^~$ \x00\u202e"
)


def test_text_is_written_in_letters_that_every_font_has() -> None:
    assert escape("c\u0303 y\u0302 Ж ð α ∂⁺ 2⁻⁵") == (
        r"$\tilde{c}$ ŷ ? ? $\alpha$ $\partial^{+}$ 2$^{-5}$"
    )


@pytest.mark.tex
def test_any_text_compiles() -> None:
    blocks = [
        Heading(2, (TEXT,)),
        Paragraph((TEXT, Styled(TEXT, "code"), Styled(TEXT, "em"))),
        Table([(TEXT,), ("b",)], [[("long " * 30,), (TEXT,)]], "lr", (TEXT,)),
        Code(TEXT + "\n\\end{verbatim}\n"),
        Paragraph((Ref(1, 3),)),
    ]
    document = Document((TEXT,), blocks, prefix="2.")
    latex_compiles(whole(document))
    latex_compiles(book(document, [document, document], TEXT, TEXT))


@pytest.mark.parametrize("writer", WRITERS)
def test_tables_in_every_form(elman: rs.Network, writer: str) -> None:
    a = elman.vectors["a"]
    table = Table([("Name",), ("T",)], [[(a, " | b"), ("12",)]], "lr", ("What it is",))
    text = WRITERS[writer](Document(("x",), [table]))
    wanted = {
        "markdown": "| :--- | ---: |\n| $\\mathbf{a}^{\\langle t\\rangle}$ \\| b | 12 |",
        "terminal": "    Name       T\n    ────────  ──\n    a⟨t⟩ | b  12",
        "fragment": "\\toprule\nName & T \\\\\n\\midrule",
        "whole": "\\begin{tabular}{lr}",
        "html": '<th>Name</th><th class="r">T</th>',
        "notebook": "| :--- | ---: |",
    }[writer]
    assert wanted in text and "What it is" in text


def test_formulas_in_a_table_of_markdown_hold_no_bars() -> None:
    assert _cell(r"$|x| + \left|y\right| + \|z\|$ a|b \$ c|d") == (
        r"$\vert x\vert  + \left\vert y\right\vert  + \Vert z\Vert $ a\|b \$ c\|d"
    )


@pytest.mark.parametrize(
    ("header", "rows", "alignment"),
    [([("a",)], [[("b",), ("c",)]], ""), ([("a",)], [], "lr"), ([("a",)], [], "x")],
)
def test_a_table_that_is_none_is_refused(header: Any, rows: Any, alignment: str) -> None:
    with pytest.raises(ValueError, match=r"table|columns"):
        Table(header, rows, alignment)


def test_a_fence_is_longer_than_what_it_holds() -> None:
    text = markdown(Document(("x",), [Code("a\n```\nb\n````\n", "md")]))
    assert text.endswith("`````md\na\n```\nb\n````\n`````\n")


@pytest.mark.parametrize("writer", WRITERS)
def test_expressions_of_another_network_have_its_names(writer: str) -> None:
    net = rs.lstm(notation="d2l")
    names = {"a": "zebra"}
    blocks = [
        Paragraph((net.vectors["a"],)), Display([Row(net.vectors["a"], "=", net.vectors["a"])]),
    ]  # fmt: skip
    document = Document(("x",), content.named(blocks, names), "d2l", net.notations["d2l"])
    assert "zebra" in WRITERS[writer](document)


def test_every_row_ends_as_hugo_wants_it_those_of_matrices_too() -> None:
    from rnnsym.api import lstm
    from rnnsym.documents import markdown

    text = markdown.markdown(lstm().derive("W_fa").document(), "\\\\\\")
    inside = [line for line in text.splitlines() if "bmatrix" in line or line.endswith("\\")]
    assert inside and not any(r"\\" in line.replace(r"\\\\"[:3], "") for line in inside)
