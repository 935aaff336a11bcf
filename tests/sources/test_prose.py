"""The prose around a formula: plain, of its own block, other formulas shown as $…$."""

from __future__ import annotations

import pytest

from rnnsym.sources import harvest, read_source


def near(text: str, kind: str = "markdown") -> list[tuple[str, str]]:
    return [(formula.before, formula.after) for formula in read_source(text, kind).formulas]


def test_markup_is_removed() -> None:
    assert near("The **hidden** [state](x) $h_t$ of `code` &amp; $x$.") == [
        ("The hidden state", "of code & $…$."),
        ("The hidden state $…$ of code &", "."),
    ]
    assert near(r"The \emph{hidden} state~$h_t$ of \cite{a} 5\% $x$.", "latex") == [
        ("The hidden state", "of 5% $…$."),
        ("The hidden state $…$ of 5%", "."),
    ]


def test_prose_ends_with_its_block() -> None:
    assert near("One\n\nTwo $a$ three\n\nfour") == [("Two", "three")]
    assert near("One\n\nTwo $a$ three\n\nfour", "latex") == [("Two", "three")]
    assert near("- one $a$\n- two $b$") == [("one", ""), ("two", "")]
    assert near("\\item one $a$\n\\item two $b$", "latex") == [("one", ""), ("two", "")]


def test_a_display_sees_the_paragraphs_around_it() -> None:
    text = "zero\n\nbefore\n\n$$a$$\n\n$$b$$\n\nafter $c$\n\nlast"
    assert near(text) == [("before", "$…$"), ("$…$", "after $…$"), ("after", "")]


def test_prose_is_not_long() -> None:
    for kind in ("markdown", "latex"):
        ((before, after),) = near("word " * 100 + "$a$" + " word" * 100, kind)
        assert 190 <= len(before) <= 200
        assert 190 <= len(after) <= 200


def test_there_is_an_end_to_formulas_and_notes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harvest, "MAX_FORMULAS", 2)
    monkeypatch.setattr(harvest, "MAX_NOTES", 3)
    source = read_source("$a$\n$b$\n$c$\n$d$\n\n" + "\\)\n" * 5, "latex")
    assert [formula.latex for formula in source.formulas] == ["a", "b"]
    assert source.notes == [
        "line 3: after 2 formulas, this and the rest are not read",
        "line 6: \\) closes nothing",
        "line 7: \\) closes nothing",
        "there are more notes: these are the first",
    ]
