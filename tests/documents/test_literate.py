"""Literate sources: formulas are requested, never typed; errors name file and line."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rnnsym.documents import literate
from rnnsym.documents.literate import build
from rnnsym.errors import InputError, UnavailableError
from tests.portability.harness import ROOT, latex_compiles, math_core_accepts

SOURCES = ROOT / "derivations"
HEAD = "---\nmodel: elman\n---\n\n"


def built(tmp_path: Path, text: str) -> tuple[str, str]:
    """Markdown and LaTeX of a source."""
    folder = tmp_path / "sources"
    folder.mkdir()
    (folder / "s.md").write_text(text, encoding="utf-8")
    ok, (md, tex) = build(folder, tmp_path / "out")
    assert ok
    return md.read_text(encoding="utf-8"), tex.read_text(encoding="utf-8")


def test_prose_with_quantities(tmp_path: Path) -> None:
    text = (
        "# Title\n\nThe *state* `=a[t-1]`, **the** loss `=L`, `=L[t]`, `=W_aa`, `=x[1]`, `code`.\n"
    )
    md, tex = built(tmp_path, HEAD + text + "\n- one `=b_a`\n- two\n")
    assert md.startswith("# Title\n")
    assert r"The *state* $\mathbf{a}^{\langle t-1\rangle}$, **the** loss $\mathscr{L}$, " in md
    assert (
        r"$\mathscr{L}^{\langle t\rangle}$, $\mathbf{W}_{aa}$, $\mathbf{x}^{\langle 1\rangle}$"
        in md
    )
    assert "`code`" in md and r"- one $\mathbf{b}_{a}$" in md
    assert r"\emph{state}" in tex and r"\texttt{code}" in tex and r"\item two" in tex


def test_a_derivation_by_sections(tmp_path: Path) -> None:
    md, _ = built(tmp_path, HEAD + "```rnnsym\nderive W_ya: Linearity, Chain rule\n```\n")
    assert md.startswith("# s\n"), "without a title it is the name of the file"
    assert re.findall("^## (.*)$", md, re.MULTILINE) == [
        "Linearity",
        "Chain rule",
        "What was checked",
    ]
    assert "2 of 2 steps hold" in md and "&& (2)" in md and "&& (3)" not in md


def test_every_request(tmp_path: Path) -> None:
    requests = "forward pass\nconventions\n\nderive b_y\nderive b_y T=2\ncompact\ngraph T=2\n"
    md, tex = built(tmp_path, HEAD + f"```rnnsym\n{requests}```\n\n```python\nx = 1\n```\n")
    for part in (
        r"\mathscr{L} &= \sum_{t=1}^{T}",
        "Numerator layout",
        "```mermaid",
        "block product",
        "```python",
    ):
        assert part in md
    numbers = re.findall(r"&& \((\d+)\)", md)
    assert numbers == [str(i + 1) for i in range(len(numbers))], "numbered through the document"
    assert tex.count(r"\begin{verbatim}") == 1
    assert tex.count(r"\begin{tikzpicture}") == 1


def test_a_model_with_options_and_its_notation(tmp_path: Path) -> None:
    head = "---\nmodel: gru:reset=after,notation=d2l\n---\n"
    md, _ = built(tmp_path, head + "\nThe gate `=u[t]`.\n")
    assert r"The gate $\mathbf{z}_{t}$." in md


@pytest.mark.parametrize(
    ("body", "line", "why"),
    [
        ("```rnnsym\nsolve W_aa\n```\n", 6, "'solve W_aa' is no request"),
        ("```rnnsym\n\nforward pass\nforward\n```\n", 8, "'forward' is no request"),
        ("```rnnsym\ngraph\n```\n", 6, "'graph' is no request"),
        ("```rnnsym\nderive\n```\n", 6, "'derive' is no request"),
        ("```rnnsym\nderive W_ya: Linearity, Magic\n```\n", 6, "no section 'Magic'; there are Lin"),
        ("# Title\n\nText `=Q`.\n", 7, "'Q' is no quantity of elman"),
        ("Text `=a`.\n", 5, "'a' is no quantity"),
        ("Text `=a[s]`.\n", 5, r"'a\[s\]' is no quantity"),
        ("Text `=a[t*2]`.\n", 5, r"'a\[t\*2\]' is no quantity"),
        ("Text `=W_aa[t]`.\n", 5, r"'W_aa\[t\]' is no quantity"),
        ("Text `=__import__('os')`.\n", 5, "is no quantity"),
        ("A [link](x).\n", 5, "link_open is not understood"),
        ("An ![image](x).\n", 5, "image is not understood"),
        ("A <b>tag</b>.\n", 5, "html_inline is not understood"),
    ],
)
def test_errors_name_file_and_line(tmp_path: Path, body: str, line: int, why: str) -> None:
    with pytest.raises(InputError, match=rf"s\.md:{line}: .*{why}"):
        built(tmp_path, HEAD + body)
    assert not (tmp_path / "out").exists(), "nothing is written if one source is wrong"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (HEAD + "```rnnsym\nderive Q\n```\n", 6),
        (HEAD + "```rnnsym\nderive W_aa T=0\n```\n", 6),
        ("---\nmodel: nope\n---\n", 2),
    ],
)
def test_every_error_names_file_and_line(tmp_path: Path, text: str, line: int) -> None:
    with pytest.raises(InputError, match=rf"s\.md:{line}: "):
        built(tmp_path, text)


@pytest.mark.parametrize("body", ["<div>html</div>\n", "    code\n"])
def test_no_block_is_left_out_silently(tmp_path: Path, body: str) -> None:
    try:
        md, _ = built(tmp_path, HEAD + body)
    except InputError:
        return
    assert all(word in md for word in re.findall(r"[a-z]{3,}", body))


@pytest.mark.parametrize(
    "text", ["", "# No settings\n", "---\nmodel: elman\n", "model: elman\n---\n"]
)
def test_a_source_begins_with_settings(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match=r"s\.md:1: a source begins with settings"):
        built(tmp_path, text)


@pytest.mark.parametrize("where", ["missing", "empty", "file"])
def test_a_folder_without_sources_is_refused(tmp_path: Path, where: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match=r"no folder with sources"):
        build(tmp_path / where, tmp_path / "out")


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s.md").write_text(HEAD + "Text.\n")
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="cannot write to"):
        build(tmp_path, tmp_path / "file" / "out")


def test_without_markdown_it_building_is_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "markdown_it", None)
    with pytest.raises(UnavailableError, match=r"pip install 'rnnsym\[docs\]'"):
        built(tmp_path, HEAD + "Text.\n")


# ---- the sources of the repository -------------------------------------------------------


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("docs")
    ok, written = build(SOURCES, out)
    assert ok, "a step of derivations/ does not hold"
    assert {p.suffix for p in written} == {".md", ".tex"}
    assert len(written) == 2 * len(list(SOURCES.glob("*.md")))
    return out


def test_derivations_hold(documents: Path) -> None:
    for path in documents.iterdir():
        text = path.read_text(encoding="utf-8")
        assert "✗" not in text and "FAILS" not in text and "not checked" not in text


def test_formulas_of_derivations_are_portable(documents: Path) -> None:
    for path in documents.glob("*.md"):
        text = path.read_text(encoding="utf-8")
        for formula in re.findall(r"\$\$(.+?)\$\$|\$([^$]+)\$", text, re.DOTALL):
            math_core_accepts("".join(formula))


@pytest.mark.tex
def test_derivations_compile(documents: Path) -> None:
    for path in documents.glob("*.tex"):
        latex_compiles(path.read_text(encoding="utf-8"))


def test_no_formula_is_typed_in_derivations() -> None:
    for path in SOURCES.glob("*.md"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"[$\\∂∇Σ]", text), f"{path.name} holds a formula"


@pytest.mark.slow
def test_derivations_are_built_alike_in_every_run(tmp_path: Path) -> None:
    for seed in ("0", "1", "7"):
        subprocess.run(
            [sys.executable, "-m", "rnnsym.cli", "build", str(SOURCES), "-o", str(tmp_path / seed)],
            env={**os.environ, "PYTHONHASHSEED": seed}, check=True, capture_output=True,
        )  # fmt: skip
    for path in (tmp_path / "0").iterdir():
        for seed in ("1", "7"):
            assert (tmp_path / seed / path.name).read_bytes() == path.read_bytes()


def test_the_documentation_of_requests_is_complete() -> None:
    for request in ("forward pass", "conventions", "derive", "compact", "graph"):
        assert request in (literate.__doc__ or "")
