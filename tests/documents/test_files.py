"""Files are written whole or not at all, and what cannot be written is said in one line."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from rnnsym.documents import files
from rnnsym.documents.content import Document, Figure, Paragraph
from rnnsym.documents.files import check_path, pdf, save, write
from rnnsym.documents.tex import book
from rnnsym.errors import InputError, UnavailableError

DOCUMENT = Document(("Title",), [Paragraph(("Text.",))])


@pytest.mark.parametrize("suffix", [".tex", ".md", ".html", ".ipynb"])
def test_the_suffix_says_the_form(tmp_path: Path, suffix: str) -> None:
    path = save(DOCUMENT, tmp_path / f"d{suffix}")
    start = {
        ".tex": "\\documentclass", ".md": "# Title", ".html": "<!DOCTYPE html>", ".ipynb": "{",
    }[suffix]  # fmt: skip
    assert path.read_text(encoding="utf-8").startswith(start)
    assert os.listdir(tmp_path) == [path.name]


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "d.md"
    path.write_text("old " * 1000)
    save(DOCUMENT, path)
    assert path.read_text() == "# Title\n\nText.\n"


@pytest.mark.parametrize("name", ["d.xyz", "d", "d.TEX", ".tex", "d.html.gz", ""])
def test_an_unknown_suffix_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(
        InputError, match=r"unknown format .*choose from \.tex, \.md, \.pdf, \.html, \.ipynb"
    ):
        save(DOCUMENT, f"{tmp_path}/{name}" if name else "")
    assert os.listdir(tmp_path) == []


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="missing does not exist"):
        save(DOCUMENT, tmp_path / "missing" / "d.md")
    assert os.listdir(tmp_path) == []


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="does not exist"):
        save(DOCUMENT, tmp_path / "file" / "d.md")
    with pytest.raises(InputError, match="cannot write"):
        write(tmp_path / "file" / "d.md", "x")


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "d.md").mkdir()
    with pytest.raises(InputError, match="it is a folder"):
        save(DOCUMENT, tmp_path / "d.md")
    assert os.listdir(tmp_path) == ["d.md"] and os.listdir(tmp_path / "d.md") == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write all")
def test_a_folder_that_is_not_writable_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(InputError, match="Permission denied"):
            save(DOCUMENT, tmp_path / "d.md")
    finally:
        tmp_path.chmod(0o700)
    assert os.listdir(tmp_path) == []


def refuse(*_: Any, **__: Any) -> Any:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("call", ["tempfile.mkstemp", "os.fdopen", "os.chmod", "os.replace"])
def test_nothing_is_left_when_the_system_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    (tmp_path / "d.md").write_text("old")
    module, name = call.split(".")
    monkeypatch.setattr(getattr(files, module), name, refuse)
    with pytest.raises(InputError, match=r"cannot write .*d\.md: No space left on device"):
        save(DOCUMENT, tmp_path / "d.md")
    monkeypatch.undo()
    assert os.listdir(tmp_path) == ["d.md"]
    assert (tmp_path / "d.md").read_text() == "old"


def test_nothing_is_left_when_the_writer_crashes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(document: Document, row_end: str, stem: str) -> str:
        raise RuntimeError("midway")

    monkeypatch.setitem(files.FORMATS, ".md", crash)
    (tmp_path / "d.md").write_text("old")
    with pytest.raises(RuntimeError, match="midway"):
        save(DOCUMENT, tmp_path / "d.md")
    assert os.listdir(tmp_path) == ["d.md"] and (tmp_path / "d.md").read_text() == "old"


def test_nothing_is_left_after_an_interrupt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "d.md", "x")
    monkeypatch.undo()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_permissions_are_those_of_any_new_file(tmp_path: Path, mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        path = write(tmp_path / "d.md", "x")
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == mode


def test_bytes_and_unicode_are_written_as_they_are(tmp_path: Path) -> None:
    assert write(tmp_path / "a", b"\x00\xff").read_bytes() == b"\x00\xff"
    assert write(tmp_path / "b", "∂⁺\r\n").read_bytes() == "∂⁺\r\n".encode()


def test_paths_are_checked_before_any_work(tmp_path: Path) -> None:
    check_path(tmp_path / "d.tex")
    with pytest.raises(InputError):
        check_path(tmp_path / "d.doc")


# ---- PDF ---------------------------------------------------------------------------------


def test_without_latex_a_pdf_is_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(UnavailableError, match=r"needs LaTeX .*write \.tex, \.md or \.html"):
        save(DOCUMENT, tmp_path / "d.pdf")
    assert os.listdir(tmp_path) == []


def test_what_latex_refuses_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: Any, **__: Any) -> Any:
        return subprocess.CompletedProcess([], 12, b"This is TeX\n! Undefined control\nl.3", b"")

    monkeypatch.setattr(shutil, "which", lambda name: name)
    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(UnavailableError, match="! Undefined control"):
        pdf(DOCUMENT)


def test_latex_that_does_not_end_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: Any, timeout: float, **__: Any) -> Any:
        raise subprocess.TimeoutExpired("pdflatex", timeout)

    monkeypatch.setattr(shutil, "which", lambda name: name)
    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(UnavailableError, match="more than 120 s"):
        pdf(DOCUMENT)


TEX = pytest.mark.skipif(files.engine() is None, reason="LaTeX is not installed")


@pytest.mark.tex
@TEX
def test_a_pdf_is_made(tmp_path: Path) -> None:
    path = save(DOCUMENT, tmp_path / "d.pdf")
    assert path.read_bytes().startswith(b"%PDF-")
    assert os.listdir(tmp_path) == ["d.pdf"]


@pytest.mark.tex
@TEX
def test_a_pdf_is_the_same_each_time_and_its_contents_are_settled() -> None:
    text = book(DOCUMENT, [DOCUMENT, DOCUMENT])
    assert files.compiled(text) == files.compiled(text)


@pytest.mark.tex
@TEX
def test_latex_is_run_until_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = []
    run = subprocess.run

    def counted(*args: Any, **kwargs: Any) -> Any:
        runs.append(args)
        return run(*args, **kwargs)

    monkeypatch.setattr(subprocess, "run", counted)
    files.compiled(book(DOCUMENT, [DOCUMENT]))
    assert 2 <= len(runs) <= files.MOST_RUNS


# ---- pictures beside Markdown ------------------------------------------------------------

SVG = '<svg xmlns="http://www.w3.org/2000/svg"/>'


def test_pictures_of_markdown_are_files_beside_it(tmp_path: Path) -> None:
    figure = Figure("", "", "text", SVG, ("What it shows",))
    document = Document(("Title",), [figure, Figure("", "", "t", SVG, (), "Another")])
    save(document, tmp_path / "d.md")
    assert sorted(os.listdir(tmp_path)) == ["d-1.svg", "d-2.svg", "d.md"]
    text = (tmp_path / "d.md").read_text()
    assert "![What it shows](d-1.svg)" in text and "![Another](d-2.svg)" in text
    assert (tmp_path / "d-1.svg").read_text() == SVG


@pytest.mark.parametrize("suffix", [".html", ".ipynb", ".tex"])
def test_other_forms_are_one_file(tmp_path: Path, suffix: str) -> None:
    document = Document(("Title",), [Figure("", r"\tikz;", "text", SVG)])
    save(document, tmp_path / f"d{suffix}")
    assert os.listdir(tmp_path) == [f"d{suffix}"]
