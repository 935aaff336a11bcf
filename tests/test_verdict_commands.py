"""The commands check, check-code and audit, and files of equations as models: the contract."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from rnnsym import cli

TRUE = r"\frac{\partial L}{\partial b_y} = \sum_t (\hat{y}_t - y_t)"
FALSE = r"\frac{\partial L}{\partial b_y} = \sum_t (y_t - \hat{y}_t)"
EQUATIONS = r"""
h_t = \tanh(W h_{t-1} + U x_t + b)
\hat{y}_t = \mathrm{softmax}(V h_t + c)
"""
NOTES = r"""# Notes

A network: $$h_t = \tanh(W h_{t-1} + U x_t), \qquad \hat{y}_t = \mathrm{softmax}(V h_t)$$

Its loss is the cross entropy. Then
$\frac{\partial L}{\partial V} = \sum_t (\hat{y}_t - y_t) h_t^\top$, but not

$$\frac{\partial L}{\partial V} = \sum_t (\hat{y}_t - y_t) h_{t-1}^\top .$$
"""
CODE = """
import numpy as np

def right(params, x, y, initial):
    from rnnsym import elman
    return elman().gradients()(params, x, y, initial)

def wrong(params, x, y, initial):
    loss, found = right(params, x, y, initial)
    return {name: 2 * g for name, g in found.items()}

def silent(params, x, y, initial):
    return {}
"""


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        status = cli.main(arguments)
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return status, out, err

    return run


@pytest.mark.parametrize(
    ("claim", "verdict", "status"),
    [
        (TRUE, "true", 0),
        (FALSE, "false", 1),
        (r"\frac{\partial L}{\partial b_y} = \gamma_c", "unknown", 3),
        (r"\frac{\partial L", "unreadable", 2),
        (r"\delta_t := \frac{\partial L}{\partial z_t}", "definition", 0),
    ],
)
def test_check(run, claim, verdict, status):
    found, out, _err = run("check", claim, "--model", "elman", "--json")
    answer = json.loads(out)
    assert (found, answer["verdict"], answer["claim"]) == (status, verdict, claim)
    keys = {"claim", "verdict", "reading", "evidence", "diagnosis", "counterexample", "message"}
    assert keys <= set(answer)
    assert run("check", claim, "--model", "elman")[0] == status


def test_check_diagnoses(run):
    status, out, _ = run("check", FALSE, "--model", "elman")
    assert status == 1
    assert "diagnosis" in out and "correction" in out


def test_check_reads_stdin(run, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(TRUE))
    assert run("check", "-", "--model", "elman")[0] == 0


def test_a_formula_that_cannot_be_read_is_told_in_a_line(run):
    status, out, err = run("check", "a = (b", "--model", "elman")
    assert (status, out) == (2, "")
    assert err.count("\n") == 1 and "character" in err


@pytest.mark.parametrize("suffix", [".tex", ".md", ".txt"])
def test_files_of_equations_are_models(run, suffix):
    text = EQUATIONS
    if suffix == ".md":
        text = "\n\n".join(f"$${line}$$" for line in EQUATIONS.strip().splitlines())
    Path(f"net{suffix}").write_text(text)
    claim = r"\frac{\partial L}{\partial V} = \sum_t (\hat{y}_t - y_t) h_t^\top"
    assert run("check", claim, "--model", f"net{suffix}")[0] == 0
    assert run("verify", f"net{suffix}", "--against", "exact,bptt")[0] == 0
    assert run("derive", f"net{suffix}", "--wrt", "W")[0] == 0
    assert "def loss_and_gradients" in run("emit", f"net{suffix}")[1]


GRAMMAR = """# the same in the grammar of Network
h[t] = tanh(W @ h[t-1] + U @ x[t] + b)   # the state
y_hat[t] = V @ h[t] + c

loss = squared_error
"""


@pytest.mark.parametrize("suffix", [".tex", ".md", ".txt"])
def test_files_in_the_grammar_are_models_too(run, suffix):
    Path(f"net{suffix}").write_text(GRAMMAR)
    claim = r"\frac{\partial L}{\partial V} = \sum_t (\hat{y}_t - y_t) h_t^\top"
    assert run("check", claim, "--model", f"net{suffix}")[0] == 0
    assert run("verify", f"net{suffix}", "--against", "exact,bptt")[0] == 0
    assert run("emit", f"net{suffix}", "-o", "made.py")[0] == 0
    source = Path("made.py").read_text()
    name = "loss_and_gradients"
    assert f"def {name}" in source
    assert run("check-code", f"made.py:{name}", "--model", f"net{suffix}")[0] == 0


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("h[t] = tanh(W @@ x[t])", "net.txt"),
        ("h[t] = tanh(W @ x[t])\nloss = median", "unknown loss 'median'"),
        ("h[t] = tanh(W @ x[t])\noutput = q", "output 'q'"),
        ("h[t] = tanh(W @ x[t])\noutput = h\noutput = h", "output is given twice"),
        ("h[t] = __import__('os').system('ls') @ x[t]", "net.txt"),
        ("h[t] = W @ x[t] + 9**9**9", "net.txt"),
    ],
)
def test_files_in_the_grammar_that_are_no_models(run, text, why):
    Path("net.txt").write_text(text)
    status, out, err = run("derive", "net.txt")
    assert (status, out) == (2, "")
    assert why in err


def test_the_help_says_that_a_model_may_be_a_file(run, capsys):
    with pytest.raises(SystemExit):
        run("check-code", "--help")
    assert "a file .tex, .md or .txt" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "no forward equation"),
        (b"\xff\xfe", "UTF-8"),
        (b"h_t = \\frac{", "no forward equation"),
        (b"h_t = \\tanh(W h_{t-1} + W x_t)\nh_t = W", ""),
    ],
)
def test_files_that_are_no_models(run, text, why):
    Path("net.tex").write_bytes(text)
    status, out, err = run("derive", "net.tex")
    assert (status, out) == (2, "") or (status == 0 and not why)
    assert why in err
    assert run("derive", "missing.tex")[0] == 2


def test_check_code(run):
    Path("code.py").write_text(CODE)
    status, out, _ = run("check-code", "code.py:right", "--model", "elman", "--json")
    answer = json.loads(out)
    assert (status, answer["ok"], answer["model"]) == (0, True, "elman")
    for found in answer["gradients"].values():
        assert {"verdict", "error", "diagnosis"} <= set(found)
        assert found["verdict"] == "right"
    status, out, _ = run("check-code", "code.py:wrong", "--model", "elman", "--json")
    verdicts = {g["verdict"] for g in json.loads(out)["gradients"].values()}
    assert (status, verdicts) == (1, {"wrong"})
    status, out, _ = run("check-code", "code.py:silent", "--model", "elman", "--json")
    assert {g["verdict"] for g in json.loads(out)["gradients"].values()} == {"missing"}
    assert status == 1


@pytest.mark.parametrize("spec", ["code.py", "code.py:nothing", "missing.py:f", "code.txt:f", ":"])
def test_code_that_is_not_there(run, spec):
    Path("code.py").write_text(CODE)
    status, out, err = run("check-code", spec, "--model", "elman")
    assert (status, out) == (2, "")
    assert err.startswith("rnnsym: ")


def test_audit(run):
    Path("notes.md").write_text(NOTES)
    status, out, _err = run("audit", "notes.md", "--json", "-o", "report.html")
    answer = json.loads(out)
    assert status == 1
    assert {"document", "model", "formulas", "summary"} <= set(answer)
    keys = {
        "line", "display", "latex", "role", "verdict", "reading", "diagnosis", "message",
    }  # fmt: skip
    assert all(keys <= set(f) for f in answer["formulas"])
    verdicts = [f["verdict"] for f in answer["formulas"]]
    assert verdicts.count("true") == 1 and verdicts.count("false") == 1
    assert answer["formulas"][0]["role"] == "definition"
    assert Path("report.html").read_text().startswith("<!DOCTYPE html>")


def test_audit_without_a_network_asks_for_one(run):
    Path("notes.md").write_text(r"$$\frac{\partial L}{\partial b_y} = \sum_t (\hat{y}_t - y_t)$$")
    status, out, err = run("audit", "notes.md")
    assert status == 3 and "--model" in err
    status, out, err = run("audit", "notes.md", "--model", "elman", "--json")
    assert (status, json.loads(out)["formulas"][0]["verdict"]) == (0, "true")


@pytest.mark.parametrize("name", ["missing.md", "notes.pdf", "folder.md"])
def test_documents_that_cannot_be_read(run, name):
    Path("notes.pdf").write_text("x")
    Path("folder.md").mkdir()
    status, out, err = run("audit", name)
    assert (status, out) == (2, "") and err.count("\n") <= 2
