"""A folder is built into one book, a site and Markdown for Hugo; failures are told and counted."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rnnsym import api, cli
from rnnsym.documents import files
from rnnsym.documents.literate import build
from rnnsym.errors import InputError
from tests.documents.test_html import Page

HEAD = "---\nmodel: elman\n---\n\n"
SOURCES = {
    "1-a.md": HEAD + "# First `=a[t]`\n\n```rnnsym\nderive b_y: Linearity\n```\n",
    "2-b.md": '---\nmodel: gru\ntitle: "Second"\ndate: 2023-12-27\nweight: 7\ntags: [a, b]\n---\n\n'
    "```rnnsym\ngraph T=1\n```\n\n| a |\n| - |\n| b |\n",
    "10-c.md": HEAD + "# Third\n\n```rnnsym\nderive W_ya: Linearity, Local Jacobians\n```\n",
}


@pytest.fixture(autouse=True)
def no_pdf(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("tex") is None:
        monkeypatch.setattr(files, "engine", lambda: None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in SOURCES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def built(folder: Path) -> tuple[Path, list[str]]:
    told: list[str] = []
    ok, written = build(folder, folder / "out", tell=told.append)
    assert ok and {p.name for p in written} == {p.name for p in (folder / "out").iterdir()}
    return folder / "out", told


def test_every_form_is_written(folder: Path) -> None:
    out, _ = built(folder)
    assert {p.name for p in out.iterdir()} == {
        "book.tex", "build.json", "index.html", "_index.md", "2-b-1.svg",
        *(f"{stem}{suffix}" for stem in ("1-a", "2-b", "10-c") for suffix in (".md", ".html")),
    }  # fmt: skip


def test_the_book_has_a_chapter_a_section_in_order(folder: Path) -> None:
    text = (built(folder)[0] / "book.tex").read_text(encoding="utf-8")
    chapters = re.findall(r"\\chapter\{(.*)\}", text)
    assert [c[:5] for c in chapters] == [r"\texo", "Secon", "Third"]
    assert r"\texorpdfstring{First $\mathbf{a}^{\langle t\rangle}$}{First at}" in text
    assert text.count(r"\documentclass") == text.count(r"\tableofcontents") == 1
    assert re.findall(r"&& \((.*?)\)", text)[0] == "1.1", "numbered by chapter"
    assert {n.split(".")[0] for n in re.findall(r"&& \((.*?)\)", text)} == {"1", "3"}
    for package in ("tikz", "booktabs"):
        assert text.count(f"\\usepackage{{{package}}}") == 1


def test_a_book_without_pictures_and_tables_asks_for_no_package(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(HEAD + "Text.\n")
    text = (built(tmp_path)[0] / "book.tex").read_text(encoding="utf-8")
    assert "tikz" not in text and "booktabs" not in text


def test_markdown_has_the_settings_of_hugo(folder: Path) -> None:
    out, _ = built(folder)
    head = (out / "2-b.md").read_text(encoding="utf-8").split("---\n")[1].splitlines()
    assert head == [
        'title: "Second"', "weight: 7", "math: true", 'url: "/:sections/2-b.html"',
        "date: 2023-12-27", "tags: [a, b]",
    ]  # fmt: skip
    assert (
        (out / "10-c.md")
        .read_text(encoding="utf-8")
        .startswith('---\ntitle: "Third"\nweight: 3\nmath: true\n')
    )
    assert 'title: "First a⟨t⟩"' in (out / "1-a.md").read_text(encoding="utf-8")
    assert 'title: "Derivations"' in (out / "_index.md").read_text(encoding="utf-8")
    assert "(2-b-1.svg)" in (out / "2-b.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("title", ['a "b" \\ c', "yes", "12", "a: b # c", "[x]"])
def test_no_title_breaks_the_settings(tmp_path: Path, title: str) -> None:
    (tmp_path / "a.md").write_text(f"---\ntitle: {title}\n---\n\nText.\n")
    line = (built(tmp_path)[0] / "a.md").read_text(encoding="utf-8").splitlines()[1]
    assert line.startswith('title: "') and json.loads(line.removeprefix("title: ")) == title


def test_pages_lead_from_one_to_the_next(folder: Path) -> None:
    out, _ = built(folder)
    pages = {p.name: Page(p.read_text(encoding="utf-8")) for p in out.glob("*.html")}
    for name, page in pages.items():
        for href in page.all("href"):
            file, _, anchor = href.partition("#")
            assert (out / (file or name)).exists(), href
            if anchor:
                assert anchor in pages[file or name].all("id")
    second = [href for href in pages["2-b.html"].all("href") if not href.startswith("#")]
    assert second == ["1-a.html", "index.html", "10-c.html"] * 2
    index = [h for h in pages["index.html"].all("href") if h.endswith(".html")]
    assert index == ["1-a.html", "2-b.html", "10-c.html"]
    assert "1 of 1 checks hold" in pages["index.html"].text


def test_the_front_is_the_title_page_and_the_first_page(folder: Path) -> None:
    (folder / "_index.md").write_text(
        "---\ntitle: The book\nauthor: A & B\ndate: 2026\n---\n\nWhat it is about: `=a[t]`.\n"
    )
    out, _ = built(folder)
    tex, html, md = ((out / f).read_text("utf-8") for f in ("book.tex", "index.html", "_index.md"))
    for part in (r"\title{The book}", r"\author{A \& B}", r"\date{2026}", r"\chapter{Preface}"):
        assert part in tex
    assert len(re.findall(r"\\chapter\{", tex)) == 4
    assert "<h1>The book</h1>" in html and "What it is about" in html
    assert 'title: "The book"' in md and r"$\mathbf{a}^{\langle t\rangle}$" in md


def test_the_summary_says_what_was_checked(folder: Path) -> None:
    out, told = built(folder)
    summary = json.loads((out / "build.json").read_text(encoding="utf-8"))
    assert (summary["ok"], summary["checked"], summary["failures"]) == (True, 5, 0)
    assert [(s["name"], s["checked"]) for s in summary["sections"]] == [
        ("1-a", 1), ("2-b", 0), ("10-c", 4),
    ]  # fmt: skip
    assert all(s["seconds"] >= 0 and s["failures"] == [] for s in summary["sections"])
    assert summary["sections"][1]["title"] == "Second" and summary["sections"][1]["model"] == "gru"
    assert any(re.search(r"10-c\.md: 4 of 4 checks hold \(\d+\.\d s\)", line) for line in told)
    assert any(line.startswith("no book.pdf: a PDF needs LaTeX") for line in told)


@pytest.fixture
def wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """Derivations whose first step claims a difference where there is none."""
    right: Any = api.Network.derive

    def derive(self: Any, wrt: str) -> Any:
        found = right(self, wrt)
        steps = (replace(found.steps[0], relation="≠"), *found.steps[1:])
        return api.Derivation.of(self, replace(found, steps=steps), wrt)

    monkeypatch.setattr(api.Network, "derive", derive)


@pytest.mark.usefixtures("wrong")
def test_what_fails_is_told_counted_and_marked(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = cli.main(["build", str(folder), "-o", str(folder / "out")])
    done = capsys.readouterr()
    assert status == 1
    assert re.search(r"1-a\.md: 0 of 1 checks hold", done.err)
    assert re.search(r"1-a\.md: FAILS: Linearity: linearity: exact test, T=4", done.err)
    assert "10-c.html" in done.out, "the rest is built, so that one can read what failed"
    summary = json.loads((folder / "out" / "build.json").read_text(encoding="utf-8"))
    assert not summary["ok"] and summary["failures"] == 2
    assert summary["sections"][0]["failures"][0].startswith("Linearity: linearity: exact test")
    assert "✗ fails" in (folder / "out" / "1-a.html").read_text(encoding="utf-8")
    assert "FAILS" in (folder / "out" / "book.tex").read_text(encoding="utf-8")


@pytest.mark.parametrize("stem", ["index", "book"])
def test_a_name_that_is_taken_is_refused(folder: Path, stem: str) -> None:
    (folder / f"{stem}.md").write_text(HEAD + "Text.\n")
    with pytest.raises(InputError, match=rf"{stem}\.md: the name is taken"):
        build(folder, folder / "out")
    assert not (folder / "out").exists()


def test_a_book_that_latex_does_not_accept_leaves_no_old_pdf(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "out").mkdir()
    (folder / "out" / "book.pdf").write_text("of yesterday")
    out, _ = built(folder)
    assert not (out / "book.pdf").exists()


@pytest.mark.tex
@pytest.mark.skipif(files.engine() is None, reason="LaTeX is not installed")
def test_the_book_is_a_pdf(folder: Path) -> None:
    out, told = built(folder)
    assert (out / "book.pdf").read_bytes().startswith(b"%PDF-"), told
    assert '<a href="book.pdf">' in (out / "index.html").read_text(encoding="utf-8")
