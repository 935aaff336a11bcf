"""The command line: results on stdout, messages on stderr, exit statuses 0, 1 and 2."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rnnsym import api, cli
from rnnsym.verify.report import Evidence
from tests.documents.test_writers import wrong
from tests.portability.harness import ROOT, math_core_accepts

RNNSYM = [sys.executable, "-m", "rnnsym.cli"]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*argv: str) -> tuple[int, str, str]:
        status = cli.main(argv)
        return status, *capsys.readouterr()

    return run


def shell(*argv: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*RNNSYM, *argv], capture_output=True, text=True, timeout=100, **options)


# ---- models ------------------------------------------------------------------------------


def test_models_lists_all_that_one_may_write(run: Run) -> None:
    status, out, err = run("models")
    assert status == 0 and err == ""
    for word in ("elman", "lstm", "gru", "W_aa (n_a, n_a)", "b_a (n_a)", "reset=before|after"):
        assert word in out


def test_models_as_json(run: Run) -> None:
    status, out, _ = run("models", "--json")
    table = {m["name"]: m for m in json.loads(out)["models"]}
    assert status == 0 and {"elman", "lstm", "gru"} <= set(table)
    elman = table["elman"]
    assert elman["parameters"] == {
        "W_aa": ["n_a", "n_a"], "W_ax": ["n_a", "n_x"], "b_a": ["n_a"],
        "W_ya": ["n_y", "n_a"], "b_y": ["n_y"],
    }  # fmt: skip
    assert elman["initial"] == {"a": ["n_a"]} and set(elman["sizes"]) == {"n_x", "n_a", "n_y"}
    assert set(table["lstm"]["initial"]) == {"a", "c"}
    assert elman["options"]["notation"][0] == "post"


#: what an option goes with only
NEEDED = {"residual": ",layers=2", "dense": ",layers=2", "feedback": ",type=one-to-many"}


def test_every_option_that_is_listed_is_accepted(run: Run) -> None:
    for table in json.loads(run("models", "--json")[1])["models"]:
        for key, values in table["options"].items():
            more = NEEDED.get(key, "")
            for value in set(values) - {"…"}:
                assert api.model(f"{table['name']}:{key}={value}{more}").parameters


# ---- derive ------------------------------------------------------------------------------


def test_derive_prints_a_fragment(run: Run) -> None:
    status, out, err = run("derive", "elman", "--wrt", "W_aa")
    assert status == 0 and err == ""
    assert r"\begin{document}" not in out and out.startswith(r"\subsection*{Forward pass}")
    assert r"\nabla_{\mathbf{W}_{aa}} \mathscr{L} &=" in out


def test_derive_takes_all_parameters_unless_told(run: Run) -> None:
    out = run("derive", "elman", "--text")[1]
    for name in ("W_aa", "W_ax", "b_a", "W_ya", "b_y"):
        assert f"∂L/∂{name} = " in out


def test_derive_takes_several(run: Run) -> None:
    status, out, _ = run("derive", "elman", "--text", "--wrt", "b_y, W_ya")
    assert status == 0 and out.index("∂L/∂b_y") < out.index("∂L/∂W_ya") and "W_aa =" not in out


@pytest.mark.parametrize(("wrt", "formula"), [("a", "∂L/∂a⟨0⟩"), ("x", "∂L/∂x⟨k⟩")])
def test_derive_by_an_initial_state_and_an_input(run: Run, wrt: str, formula: str) -> None:
    status, out, _ = run("derive", "elman", "--text", "--wrt", wrt)
    assert status == 0 and formula in out


def test_derive_for_a_concrete_length(run: Run) -> None:
    status, out, _ = run("derive", "elman", "--text", "--wrt", "W_aa", "--steps", "3")
    assert status == 0 and "for T = 3" in out
    assert "∂L/∂W_aa = ∂L⟨1⟩/∂W_aa + ∂L⟨2⟩/∂W_aa + ∂L⟨3⟩/∂W_aa" in out


@pytest.mark.parametrize(("name", "start"), [("d.tex", "\\documentclass"), ("d.md", "# The gr")])
def test_derive_writes_a_file_by_its_suffix(
    run: Run, tmp_path: Path, name: str, start: str
) -> None:
    path = tmp_path / name
    status, out, err = run("derive", "elman", "--wrt", "b_y", "-o", str(path))
    assert (status, out, err) == (0, f"{path}\n", "")
    assert path.read_text(encoding="utf-8").startswith(start)
    assert os.listdir(tmp_path) == [name]


def test_derive_ends_rows_as_hugo_wants(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "d.md"
    assert run("derive", "elman", "--wrt", "b_y", "-o", str(path), "--row-end", r"\\\\"[:3])[0] == 0
    assert " \\\\\\\n" in path.read_text(encoding="utf-8")


def test_derive_in_a_notation(run: Run) -> None:
    out = run("derive", "elman:notation=karpathy", "--wrt", "W_aa")[1]
    assert r"\nabla_{W_{hh}} L" in out and r"\mathbf" not in out


def test_derive_reports_a_step_that_is_refuted(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    derive = api.Network.derive
    monkeypatch.setattr(api.Network, "derive", lambda net, name: wrong(net, derive(net, name)))
    status, out, err = run("derive", "elman", "--wrt", "W_aa", "--text")
    assert status == 1 and "✗" in out
    assert err == "rnnsym: a step was refuted, see above\n"


# ---- verify, emit, build -----------------------------------------------------------------

QUICK = ("--steps", "2", "--against", "bptt,complex_step")


def test_verify_as_json_keeps_the_contract() -> None:
    pytest.importorskip("rnnsym.emit")
    sizes = "n_x=3,n_a=4,n_y=2"
    done = shell("verify", "elman", *QUICK, "--sizes", sizes, "--seed", "3", "--json")
    assert done.returncode == 0 and done.stderr == ""
    found = json.loads(done.stdout)
    assert {"model", "steps", "sizes", "seed", "ok", "gradients"} <= set(found)
    assert found["model"] == "elman" and found["steps"] == 2 and found["seed"] == 3
    assert found["sizes"] == {"n_x": 3, "n_a": 4, "n_y": 2} and found["ok"] is True
    assert set(found["gradients"]) == {"W_aa", "W_ax", "b_a", "W_ya", "b_y"}
    for row in found["gradients"].values():
        assert set(row) == {"bptt", "complex_step"}
        assert all(e["ok"] is True and 0 <= e["error"] < 1e-12 for e in row.values())


def test_verify_as_text(run: Run) -> None:
    pytest.importorskip("rnnsym.emit")
    status, out, err = run("verify", "elman", *QUICK)
    assert status == 0 and err == "" and "all agree" in out and "bptt" in out


def test_verify_names_the_model_as_it_was_given(run: Run) -> None:
    pytest.importorskip("rnnsym.emit")
    spec = "gru:reset=after"
    assert json.loads(run("verify", spec, *QUICK, "--json")[1])["model"] == spec


def test_verify_that_disagrees_has_status_1(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("rnnsym.emit")
    right = api.verify

    def disagree(*args: Any, **options: Any) -> Any:
        report = right(*args, **options)
        object.__setattr__(report, "gradients", {"W_aa": {"bptt": Evidence(False, float("inf"))}})
        return report

    monkeypatch.setattr(api, "verify", disagree)
    status, out, _ = run("verify", "elman", *QUICK, "--json")
    found = json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert status == 1 and found["ok"] is False
    assert found["gradients"]["W_aa"]["bptt"]["error"] is None


def test_emit_writes_a_program(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("rnnsym.emit")
    status, out, err = run("emit", "elman")
    assert status == 0 and err == "" and "def loss_and_gradients(" in out
    compile(out, "emitted", "exec")
    path = tmp_path / "gradients.py"
    assert run("emit", "elman", "--backend", "numpy", "-o", str(path)) == (0, f"{path}\n", "")
    assert path.read_text(encoding="utf-8") == out


def test_build_writes_the_documents(run: Run, tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    text = (ROOT / "derivations" / "08-output-weights.md").read_text(encoding="utf-8")
    (source / "one.md").write_text(text, encoding="utf-8")
    status, out, err = run("build", str(source), "-o", str(tmp_path / "out"))
    assert status == 0 and "one" in err
    written = {Path(line).name for line in out.split()}
    assert {"one.md", "one.html", "book.tex", "index.html", "build.json"} <= written


def test_build_of_a_wrong_derivation_has_status_1(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rnnsym.documents import literate

    monkeypatch.setattr(literate, "build", lambda *_: (False, [tmp_path / "x.md"]))
    assert run("build", str(tmp_path))[0] == 1


# ---- bad input ---------------------------------------------------------------------------

BAD = [
    "",
    "derive",
    "verify",
    "emit",
    "nonsense",
    "derive elman extra",
    "derive elman --unknown",
    "derive elman --steps",
    "models --steps 3",
    # models
    "derive nope",
    "derive ''",
    "derive elman:depth=3",
    "derive elman:activation=cube",
    "derive elman:activation",
    "derive elman:activation=tanh,activation=tanh",
    "derive elman:=tanh",
    "derive lstm:reset=after",
    "derive __import__('os').system('id')",
    "derive missing.tex",
    "verify missing.md",
    "emit /nowhere/missing.txt",
    # what to derive by
    "derive elman --wrt Q",
    "derive elman --wrt W_aa,Q",
    "derive elman --wrt ''",
    "derive elman --wrt ,",
    "derive elman --wrt W_aa,",
    "derive elman --wrt y",
    "derive elman --wrt L",
    # numbers
    "derive elman --steps 0",
    "derive elman --steps -1",
    "derive elman --steps 1.5",
    "derive elman --steps three",
    "verify elman --steps 0",
    "verify elman --steps 2.0",
    "verify elman --seed x",
    "verify elman --seed -1",
    "verify elman --sizes n_a=0",
    "verify elman --sizes n_a=-2",
    "verify elman --sizes n_a=1.5",
    "verify elman --sizes n_a=n",
    "verify elman --sizes n_a",
    "verify elman --sizes n_q=3",
    "verify elman --sizes n_a=2,n_a=3",
    "verify elman --sizes =3",
    # kinds and backends
    "verify elman --against faith",
    "verify elman --against ''",
    "verify elman --against bptt,",
    "emit elman --backend fortran",
    "emit elman --backend ''",
    # files
    "derive elman --wrt b_y -o FOLDER/d.xyz",
    "derive elman --wrt b_y -o FOLDER/d",
    "derive elman --wrt b_y -o ''",
    "derive elman --wrt b_y -o FOLDER/missing/d.tex",
    "derive elman --wrt b_y -o FOLDER/folder.tex",
    "derive elman --wrt b_y -o FOLDER/file/d.tex",
    "emit elman -o FOLDER/missing/d.py",
    "emit elman -o FOLDER/folder.tex",
    "emit elman -o ''",
    "build FOLDER",
    "build FOLDER/missing",
    "build SOURCES -o FOLDER/file",
]


@pytest.mark.parametrize("line", BAD)
def test_bad_input_is_one_line_on_stderr(run: Run, tmp_path: Path, line: str) -> None:
    (tmp_path / "folder.tex").mkdir()
    (tmp_path / "file").write_text("x")
    words = line.replace("FOLDER", str(tmp_path)).replace("SOURCES", str(ROOT / "derivations"))
    before = sorted(tmp_path.rglob("*"))
    status, out, err = run(*("" if word == "''" else word for word in words.split()))
    assert status == 2, f"status {status}: {err}"
    assert out == "", "nothing may be printed that looks like a result"
    assert err.startswith("rnnsym: ") and err.count("\n") == 1 and len(err) < 700
    assert "Traceback" not in err and "rnnsym: \n" not in err
    assert sorted(tmp_path.rglob("*")) == before, "nothing may be left behind"


def test_messages_name_what_there_is(run: Run) -> None:
    for line, wanted in {
        "derive nope": "choose from elman, lstm, gru",
        "derive elman --wrt Q": "W_aa, W_ax, b_a, W_ya, b_y; initial states a; inputs x",
        "derive elman:activation=cube": "choose from tanh, sigmoid, relu",
        "verify elman --sizes n_q=3": "n_x, n_y, n_a",
        "verify elman --against faith": "choose from exact, bptt",
        "derive elman -o d.xyz": "choose from .tex, .md, .pdf",
    }.items():
        assert wanted in run(*line.split())[2]


def test_a_path_is_refused_before_the_work(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "model", lambda _: pytest.fail("the model was built first"))
    assert run("derive", "elman", "-o", "d.xyz")[0] == 2


def test_messages_show_no_internals(run: Run) -> None:
    assert "_integer" not in run("derive", "elman", "--steps", "x")[2]


# ---- as a process ------------------------------------------------------------------------


def test_status_2_as_a_process() -> None:
    done = shell("derive", "nope")
    assert (done.returncode, done.stdout) == (2, "")
    models = "elman, lstm, gru, mlp, conv, attention"
    assert done.stderr == f"rnnsym: unknown model 'nope': choose from {models}\n"


def test_bytes_that_are_no_text() -> None:
    done = subprocess.run([*RNNSYM, "derive", b"\xff\xfe"], capture_output=True, timeout=60)
    assert done.returncode == 2 and done.stdout == b"" and b"Traceback" not in done.stderr


def test_a_terminal_without_unicode_is_no_traceback() -> None:
    done = shell("models", env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    done = shell("derive", "elman", "--text", env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.returncode in (0, 2) and "Traceback" not in done.stderr


def test_help_is_help() -> None:
    done = shell("--help")
    assert done.returncode == 0 and done.stderr == ""
    assert all(c in done.stdout for c in ("models", "derive", "verify", "emit", "build"))


@pytest.mark.parametrize("command", ["models", "--help", "derive elman --text"])
def test_a_reader_that_goes_away_is_no_error(command: str) -> None:
    env = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    process = subprocess.Popen(
        [*RNNSYM, *command.split()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env
    )
    assert process.stdout and process.stderr
    process.stdout.close()
    with process.stderr:
        assert process.stderr.read() == b""
    assert process.wait(timeout=60) == 0


def test_an_interrupt_is_no_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: str) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(api, "model", interrupt)
    assert run("derive", "elman") == (130, "", "rnnsym: interrupted\n")


def test_formulas_of_the_fragment_are_portable(run: Run) -> None:
    out = run("derive", "gru", "--wrt", "W_ra")[1]
    for formula in out.split("\\[\n")[1:]:
        math_core_accepts(formula.partition("\n\\]")[0])
