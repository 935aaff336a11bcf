"""Files and texts: which kind they are, and what is said of those that cannot be read."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from rnnsym.errors import InputError, UnavailableError
from rnnsym.sources import files, read_file, read_source


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("a.md", "$a$", "markdown"),
        ("a.Rmd", "$a$", "markdown"),
        ("a.qmd", "$a$", "markdown"),
        ("a.tex", "$a$", "latex"),
        ("a.txt", "$a$", "text"),
        ("a.rst", ":math:`a`", "text"),
        ("", '{"cells": [], "nbformat": 4, "nbformat_minor": 5, "metadata": {}}', "notebook"),
        ("", "\\documentclass{article}", "latex"),
        ("", "We see that\n\\section{A} $a$ \\emph{is}", "latex"),
        ("", "# A\n\n$a$", "markdown"),
        ("", "---\ntitle: a\n---\n$a$", "markdown"),
        ("", "h_t = a", "text"),
        ("", "of $a$", "text"),
    ],
)
def test_kinds(name: str, text: str, kind: str) -> None:
    assert read_source(text, name=name).kind == kind


@pytest.mark.parametrize("kind", ["text", "latex"])
def test_lines_without_delimiters(kind: str) -> None:
    text = "The state:\nh_t = \\tanh(W h_{t-1}) \\\\\n\n# a = b\n% c = d\n\\def\\R{r}\nL = 3,\n"
    source = read_source(text, kind)
    assert [(f.line, f.latex, f.display) for f in source.formulas] == [
        (2, "h_t = \\tanh(W h_{t-1})", True),
        (7, "L = 3", True),
    ]
    assert source.formulas[0].before == "The state:"
    assert list(source.macros) == ["R"]


def test_a_text_may_have_delimiters_and_be_indented() -> None:
    text = "    The state\n\n    .. math::\n        a = b\n\n    and :math:`c`, $d$: 5% of"
    found = [(f.line, f.latex) for f in read_source(text, "text").formulas]
    assert found == [(3, "a = b"), (6, "c"), (6, "d")]


def test_a_prose_line_with_an_equals_sign_is_prose() -> None:
    assert not read_source("this is a line of prose with n = 3 in it", "text").formulas


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.MD"
    path.write_bytes("\ufeff$a$\r\n\r\n$b$".encode())
    assert [f.line for f in read_file(path).formulas] == [1, 3]
    assert read_file(str(path)) == read_file(path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.pdf", b"", "unknown suffix '.pdf': rename it to one of .md"),
        ("a", b"", "unknown suffix ''"),
        ("a.md", None, "does not exist: check the path"),
        ("a.md", b"abc\xff\xfe", "is not UTF-8: byte 3 is 0xff: save it as UTF-8"),
        ("a.md", b"x" * (files.MAX_BYTES + 1), "is larger than 5,000,000 bytes"),
        ("a.ipynb", b"{", "is no notebook that can be read"),
        ("a\0.md", None, "cannot be read"),
    ],
)
def test_files_that_cannot_be_read(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_file(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.md").mkdir()
    with pytest.raises(InputError, match="is a folder: give one of the documents in it"):
        read_file(tmp_path / "a.md")


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("", "pdf", "unknown kind of document 'pdf': give one of markdown, latex"),
        (3, None, "a document is a text, and this is of type int"),
        ("x" * (files.MAX_BYTES + 1), None, "5,000,000 are read at most"),
    ],
)
def test_texts_that_are_refused(text: str, kind: str | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_source(text, kind)


@pytest.mark.parametrize(
    ("kind", "module"),
    [
        ("markdown", "markdown_it"),
        ("markdown", "mdit_py_plugins.footnote"),
        ("latex", "pylatexenc.latexwalker"),
        ("notebook", "nbformat"),
    ],
)
def test_a_missing_library_is_named(
    monkeypatch: pytest.MonkeyPatch, kind: str, module: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UnavailableError, match=r"pip install 'rnnsym\[audit\]'"):
        read_source("$a$" if kind != "notebook" else '{"cells": []}', kind)
