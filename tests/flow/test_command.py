"""`rnnsym flow`: a summary on stdout, a picture or a page in a file, clear answers to mistakes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from rnnsym import cli
from rnnsym.flow import checks

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*argv: str) -> tuple[int, str, str]:
        status = cli.main(argv)
        return status, *capsys.readouterr()

    return run


def test_a_picture_and_a_summary(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "flow.svg"
    status, out, err = run("flow", "elman", "--steps", "6", "-o", str(path))
    assert status == 0 and err == f"rnnsym: wrote {path}\n"
    for words in ("elman: contributions to dL⟨t⟩/dW_aa, T = 6", "Lyapunov", "σ_max", "✓ the terms"):
        assert words in out
    ElementTree.parse(path)


def test_several_models_side_by_side(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "flow.html"
    status, out, _ = run("flow", "elman", "lstm", "gru", "--steps", "5", "-o", str(path))
    assert status == 0 and out.count("contributions to") == 3
    page = path.read_text()
    assert "Side by side" in page and page.count("<svg") == 7 and "<script" not in page


def test_json_alone_on_stdout(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "flow.png"
    status, out, _ = run(
        "flow", "elman:type=encoder-decoder", "--steps", "T_x=4,T_y=3", "--sizes", "n_a_enc=5",
        "--seed", "3", "--sigma", "0.9", "--wrt", "W_aa_enc", "--json", "-o", str(path),
    )  # fmt: skip
    table = json.loads(out)
    (model,) = table["models"]
    assert status == 0 and table["ok"] is True and table["figure"] == str(path) and path.exists()
    assert model["lengths"] == {"T_x": 4, "T_y": 3} and model["sizes"]["n_a_enc"] == 5
    assert model["bound"]["sigma_max"] == pytest.approx(0.9)
    assert [u["sequence"] for u in model["uses"]] == ["T_x"] * 4


def test_the_figure_may_be_left_out(run: Run) -> None:
    status, out, err = run("flow", "gru", "--steps", "4", "--wrt", "b_u")
    assert status == 0 and err == "" and "dL⟨t⟩/db_u" in out


def test_what_is_refuted_has_status_one(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "TOLERANCE", 0.0)
    status, out, _ = run("flow", "elman", "--steps", "4")
    assert status == 1 and "✗ fails: the terms add up" in out


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["flow"], "required: MODEL"),
        (["flow", "nothing"], "unknown model"),
        (["flow", "elman", "-o", "flow.gif"], "unknown format '.gif'"),
        (["flow", "elman", "-o", "no/such/folder/flow.svg"], "does not exist"),
        (["flow", "elman", "--wrt", "W_q"], "unknown parameter 'W_q'"),
        (["flow", "elman", "gru", "--wrt", "W_aa,b_a,b_u"], "3 parameters for 2 models"),
        (["flow", "elman", "--steps", "x"], "no whole number"),
        (["flow", "elman", "--steps", "0"], "steps must be a positive integer"),
        (["flow", "elman", "--sizes", "n_a"], "write n_x=3,n_a=4"),
        (["flow", "elman", "--seed", "-1"], "seed must be an integer from 0 on"),
        (["flow", "elman", "--radius", "nan"], "a scale of weights is a number"),
        (["flow", "elman", "--radius", "1", "--sigma", "1"], "not both"),
        (["flow", "elman", "--steps", "100000"], "do not fit"),
    ],
)
def test_mistakes_have_one_line_and_status_two(
    run: Run, argv: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    status, out, err = run(*argv)
    assert status == 2 and out == "" and message in err and err.count("\n") == 1
    assert not list(tmp_path.iterdir())
