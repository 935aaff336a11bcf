"""Literate sources: formulas are requested, never typed; errors name file and line."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import rnnsym as rs
from rnnsym.documents import files, literate
from rnnsym.documents.content import Block, Paragraph
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
    ok, _ = build(folder, tmp_path / "out")
    assert ok
    md, tex = (tmp_path / "out" / name for name in ("s.md", "book.tex"))
    return md.read_text(encoding="utf-8"), tex.read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def no_pdf(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """TeX takes seconds: it runs only where a test is about it."""
    if request.node.get_closest_marker("tex") is None:
        monkeypatch.setattr(files, "engine", lambda: None)


def test_prose_with_quantities(tmp_path: Path) -> None:
    text = (
        "# Title\n\nThe *state* `=a[t-1]`, **the** loss `=L`, `=L[t]`, `=W_aa`, `=x[1]`, `code`.\n"
    )
    md, tex = built(tmp_path, HEAD + text + "\n- one `=b_a`\n- two\n")
    assert md.startswith('---\ntitle: "Title"\n') and "# Title" not in md
    assert r"\chapter{Title}" in tex
    assert r"The *state* $\mathbf{a}^{\langle t-1\rangle}$, **the** loss $\mathscr{L}$, " in md
    assert (
        r"$\mathscr{L}^{\langle t\rangle}$, $\mathbf{W}_{aa}$, $\mathbf{x}^{\langle 1\rangle}$"
        in md
    )
    assert "`code`" in md and r"- one $\mathbf{b}_{a}$" in md
    assert r"\emph{state}" in tex and r"\texttt{code}" in tex and r"\item two" in tex


def test_a_derivation_by_sections(tmp_path: Path) -> None:
    md, _ = built(tmp_path, HEAD + "```rnnsym\nderive W_ya: Linearity, Chain rule\n```\n")
    assert md.startswith('---\ntitle: "s"\n'), "without a title it is the name of the file"
    assert re.findall("^## (.*)$", md, re.MULTILINE) == [
        "Linearity",
        "Chain rule",
        "What was checked",
    ]
    assert "2 of 2 steps hold" in md and "&& (1.2)" in md and "&& (1.3)" not in md


def test_every_request(tmp_path: Path) -> None:
    requests = "forward pass\nconventions\n\nderive b_y\nderive b_y T=2\ncompact\ngraph T=2\n"
    md, tex = built(tmp_path, HEAD + f"```rnnsym\n{requests}```\n\n```python\nx = 1\n```\n")
    for part in (
        r"\mathscr{L} &= \sum_{t=1}^{T}",
        "Numerator layout",
        "![The graph of elman, unrolled over 2 time steps](s-1.svg)",
        "block product",
        "```python",
    ):
        assert part in md
    numbers = re.findall(r"&& \(1\.(\d+)\)", md)
    assert numbers == [str(i + 1) for i in range(len(numbers))], "numbered through the document"
    assert tex.count(r"\begin{verbatim}") == 1
    assert tex.count(r"\begin{tikzpicture}") == 1


def test_a_model_with_options_and_its_notation(tmp_path: Path) -> None:
    head = "---\nmodel: gru:reset=after,notation=d2l\n---\n"
    md, _ = built(tmp_path, head + "\nThe gate `=u[t]`.\n")
    assert r"The gate $\mathbf{z}_{t}$." in md


def test_another_model_than_that_of_the_settings(tmp_path: Path) -> None:
    body = "```rnnsym\nderive b_y: Linearity\nderive b_y model=lstm: Linearity\n```\n"
    md, _ = built(tmp_path, HEAD + body + "\n`=lstm.c[t-1]`\n")
    assert md.count(r"\frac{\partial \mathscr{L}}{\partial \mathbf{b}_{y}} &= ") == 2, (
        "what was shown of one model is not known of another"
    )
    assert r"$\mathbf{c}^{\langle t-1\rangle}$" in md


def test_each_model_has_its_own_names_in_a_notation(tmp_path: Path) -> None:
    head = "---\nmodel: gru\nnotation: d2l\n---\n"
    body = "\n`=u[t]` and `=lstm.f[t]`, `=lstm.i[t]`, `=lstm.a[t]`.\n"
    md, _ = built(tmp_path, head + body + "\n```rnnsym\nforward pass model=lstm\n```\n")
    lstm = rs.lstm(notation="d2l").latex()
    assert r"$\mathbf{z}_{t}$ and $\mathbf{f}_{t}$, $\mathbf{i}_{t}$, $\mathbf{h}_{t}$" in md
    assert all(row.removesuffix(r" \\") in md for row in lstm.splitlines()[1:-1])


NETWORK = """
```network leaky
scalars: alpha
loss: squared_error
h[t] = (1 - alpha) * h[t-1] + alpha * tanh(W @ h[t-1] + U @ x[t])
y_hat[t] = V @ h[t]
```

The state `=leaky.h[t]` decays.

```rnnsym
forward pass model=leaky
derive W model=leaky: Linearity, Recurrence and its solution
graph T=2 model=leaky
```
"""


def test_a_network_of_the_source(tmp_path: Path) -> None:
    md, _ = built(tmp_path, HEAD + NETWORK)
    assert r"The state $\mathbf{h}^{\langle t\rangle}$ decays." in md
    assert r"\alpha" in md and "The graph of leaky" in md and "scalars:" not in md
    assert "```" not in md, "the network is a definition, not a piece of code"
    assert re.search(r"\d+ of \d+ steps hold", md)


def test_a_network_may_be_the_model_of_the_source(tmp_path: Path) -> None:
    text = "---\nmodel: n\n---\n\n`=h[t]`\n\n```network n\nh[t] = tanh(W @ h[t-1] + U @ x[t])\n"
    md, _ = built(tmp_path, text + "y_hat[t] = softmax(V @ h[t])\n```\n")
    assert r"$\mathbf{h}^{\langle t\rangle}$" in md


def test_two_networks_of_one_name_are_refused(tmp_path: Path) -> None:
    block = "```network n\nh[t] = tanh(W @ h[t-1] + x[t])\n```\n"
    with pytest.raises(InputError, match=r"s\.md:9: there are two networks n"):
        built(tmp_path, HEAD + block + "\n" + block)


def test_tables_hold_quantities(tmp_path: Path) -> None:
    table = "| Type | `=x[t]` | T |\n| :--- | :-: | --: |\n| many *to* one | `=W_aa` | 1 |\n"
    md, tex = built(tmp_path, HEAD + table)
    assert r"| Type | $\mathbf{x}^{\langle t\rangle}$ | T |" in md
    assert "| :--- | :---: | ---: |" in md and r"| many *to* one | $\mathbf{W}_{aa}$ | 1 |" in md
    assert r"\begin{tabular}{lcr}" in tex and r"\usepackage{booktabs}" in tex


def test_what_was_shown_is_referred_to(tmp_path: Path) -> None:
    requests = "derive W_ya: Local Jacobians\nderive b_y: Local Jacobians\n"
    md, _ = built(tmp_path, HEAD + f"```rnnsym\n{requests}```\n")
    assert md.count("As above: (1.1).") == 1
    assert "5 of 5 steps hold" in md
    (tmp_path / "full").mkdir()
    full, _ = built(
        tmp_path / "full", HEAD + f"```rnnsym\n{requests.replace('b_y', 'b_y full')}```\n"
    )
    assert "As above" not in full and "6 of 6 steps hold" in full


def test_headings_of_a_derivation_stand_below_the_one_of_the_source(tmp_path: Path) -> None:
    body = "# T\n\n## Part\n\n```rnnsym\nderive b_y: Linearity\n```\n"
    md, _ = built(tmp_path, HEAD + body)
    assert re.findall("^#+ .*$", md, re.MULTILINE) == [
        "## Part", "### Linearity", "## What was checked",
    ]  # fmt: skip


def test_other_modules_add_requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(literate.requests, "REQUESTS", dict(literate.REQUESTS))

    @literate.request("greet", "greet NAME [times=N]", options=("times",), arguments=1)
    def greet(ask: literate.Ask) -> Iterator[Block]:
        ask.evidence.also(True, f"{ask.arguments[0]} was greeted")
        yield Paragraph((f"Hello {ask.arguments[0]}! " * ask.whole("times", 1),))

    md, _ = built(tmp_path, HEAD + "```rnnsym\ngreet Ada times=2\n```\n")
    assert "Hello Ada! Hello Ada!" in md and "- Ada was greeted." in md
    assert "What was checked" in md and "steps hold" not in md


@pytest.mark.parametrize(
    ("body", "line", "why"),
    [
        ("```rnnsym\nsolve W_aa\n```\n", 6, "'solve W_aa' is no request"),
        ("```rnnsym\n\nforward pass\nforward\n```\n", 8, "'forward' is no request"),
        ("```rnnsym\ngraph\n```\n", 6, "T=: a whole number of at least 1"),
        ("```rnnsym\nderive\n```\n", 6, "'derive' is no request; it is written derive NAME"),
        ("```rnnsym\nderive W_aa b_a\n```\n", 6, "is no request; it is written derive NAME"),
        ("```rnnsym\nderive W_aa S=3\n```\n", 6, "is no request; it is written derive NAME"),
        ("```rnnsym\nderive W_aa T=3 T=4\n```\n", 6, "gives an option twice"),
        ("```rnnsym\nderive W_aa T=x\n```\n", 6, "T=x: a whole number of at least 1"),
        ("```rnnsym\nforward pass: Linearity\n```\n", 6, "it is written forward pass"),
        ("```rnnsym\nforward pass model=nope\n```\n", 6, "unknown model 'nope'"),
        ("Text\n`=nope.a[t]`.\n", 6, "unknown model 'nope'"),
        ("Text `=lstm.Q`.\n", 5, "'Q' is no quantity of lstm"),
        ("- one\n\n  ```python\n  x\n  ```\n", 7, "fence in a list is not understood"),
        ("- one\n  - two\n", 6, "bullet list in a list is not understood"),
        ("1. one\n", 5, "ordered list is not understood"),
        ("| a |\n| - |\n| `=Q` |\n", 7, "'Q' is no quantity"),
        ("```network\nh[t] = x[t]\n```\n", 5, "'' is no name for a network"),
        ("```network 2b\nh[t] = x[t]\n```\n", 5, "'2b' is no name for a network"),
        ("```network n\nh[t] = nope(\n```\n", 5, "h"),
        ("```network n\nlos: squared_error\nh[t] = x[t]\n```\n", 5, "'los' is no setting"),
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
        ("---\ntitle: a\nnotation: nope\n---\n", 3),
        ("---\ntitle: a\ntags:\n  - b\n---\n", 4),
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
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "engine", lambda: None)
        ok, written = build(SOURCES, out)
    assert ok, "a step of derivations/ does not hold"
    names = {path.name for path in written}
    assert names == {path.name for path in out.iterdir()}
    assert names >= {"book.tex", "index.html", "_index.md", "build.json"}
    for source in SOURCES.glob("*.md"):
        assert names >= {source.name, f"{source.stem}.html"} or source.stem == "_index"
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
    latex_compiles((documents / "book.tex").read_text(encoding="utf-8"))


def test_no_formula_is_typed_in_derivations() -> None:
    for path in SOURCES.glob("*.md"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"[$\\∂∇Σ]", text), f"{path.name} holds a formula"


@pytest.mark.nightly
def test_derivations_are_built_alike_in_every_run(documents: Path, tmp_path: Path) -> None:
    subprocess.run(  # with sets in another order than here
        [sys.executable, "-m", "rnnsym.cli", "build", str(SOURCES), "-o", str(tmp_path)],
        env={**os.environ, "PYTHONHASHSEED": "7"}, check=True, capture_output=True,
    )  # fmt: skip
    for path in documents.iterdir():
        again = (tmp_path / path.name).read_bytes()
        seconds = rb'"seconds": [\d.]+'
        assert re.sub(seconds, b"", again) == re.sub(seconds, b"", path.read_bytes())


def test_the_documentation_of_requests_is_complete() -> None:
    for request in literate.REQUESTS:
        assert request in (literate.__doc__ or "")
