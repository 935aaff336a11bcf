"""From the command line: a process with limits, exit statuses, and messages in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import rnnsym as rs
from rnnsym.cli import main
from rnnsym.codecheck import remote
from rnnsym.codecheck.command import run
from tests.codecheck import samples

RIGHT = """
import sys
import numpy as np
print("printed at import")

def gradients(params, x, y, initial):
    print("printed by the function")
    print("to stderr", file=sys.stderr)
    a, states, outputs = initial["a"], [initial["a"]], []
    for v in x:
        a = np.tanh(params["W_aa"] @ a + params["W_ax"] @ v + params["b_a"])
        scores = np.exp(params["W_ya"] @ a + params["b_y"])
        states.append(a)
        outputs.append(scores / scores.sum())
    d = {n: np.zeros_like(w) for n, w in params.items()}
    carried = 0.0
    for t in reversed(range(len(x))):
        error = outputs[t] - y[t]
        d["W_ya"] += np.outer(error, states[t + 1])
        d["b_y"] += error
        dz = (params["W_ya"].T @ error + carried) * (1 - states[t + 1] ** 2)
        d["W_aa"] += np.outer(dz, states[t])
        d["W_ax"] += np.outer(dz, x[t])
        d["b_a"] += dz
        carried = params["W_aa"].T @ dz
    return -sum(v @ np.log(p) for v, p in zip(y, outputs)), d
"""


@pytest.fixture
def code(tmp_path):
    def write(text, function="gradients"):
        path = tmp_path / "their code.py"
        path.write_text(text)
        return f"{path}:{function}"

    return write


def test_right_code(code, capfd):
    assert run(code(RIGHT), "elman", json=False) == 0
    out, err = capfd.readouterr()
    assert "gradients against elman: every gradient is right" in out
    assert "printed" not in out + err


def test_wrong_code_as_json(code, capfd):
    wrong = RIGHT.replace('params["W_aa"].T @ dz', 'params["W_aa"] @ dz')
    assert run(code(wrong), "elman:notation=karpathy", json=True) == 1
    answer = json.loads(capfd.readouterr().out)
    assert answer["model"] == "elman:notation=karpathy"
    assert answer["ok"] is False
    verdicts = {n: g["verdict"] for n, g in answer["gradients"].items()}
    assert verdicts == {
        "W_aa": "wrong", "W_ax": "wrong", "b_a": "wrong", "W_ya": "right", "b_y": "right",
    }  # fmt: skip
    assert "instead of its transpose" in answer["gradients"]["W_aa"]["diagnosis"]
    assert answer["gradients"]["W_aa"]["error"] > 0
    assert answer["gradients"]["W_ya"]["error"] < 1e-12
    assert answer["gradients"]["W_aa"]["wrong_from_T"] == 2


def test_an_adapter_beside_the_function(code):
    adapter = """
def theirs(params, x, y, initial):
    given = {"W_aa": params["Whh"], "W_ax": params["Wxh"]}
    loss, d = gradients({**params, **given}, x, y, initial)
    return loss, {"b_a": d["b_a"], "W_ya": d["W_ya"], "b_y": d["b_y"],
                  "dWhh": d["W_aa"], "dWxh": d["W_ax"]}

ADAPTER = {"theirs": {"names": {"Whh": "W_aa", "Wxh": "W_ax"}}}
"""
    assert run(code(RIGHT + adapter, "theirs"), "elman", json=False) == 0
    assert run(code(RIGHT + adapter, "gradients"), "elman", json=False) == 0
    bad = adapter.replace('"W_aa", "Wxh"', '"W_bb", "Wxh"')
    with pytest.raises(rs.InputError, match="ADAPTER"):
        run(code(RIGHT + bad, "theirs"), "elman", json=False)


def test_a_pair_from_a_file(tmp_path, capfd):
    path = tmp_path / "layers.py"
    text = (
        Path(samples.__file__).read_text(encoding="utf-8")
        + """
ADAPTER = {"layer_forward,layer_backward": {
    "names": {"Wx": "W_ax", "Wh": "W_aa", "b": "b_a"}, "layout": "rows", "batch": "first",
    "calls": [("forward", "x", "a", "Wx", "Wh", "b"), ("backward", "y", "cache")],
    "returns": "dx da0 dWx dWh db"}}
"""
    )
    path.write_text(text, encoding="utf-8")
    assert run(f"{path}:layer_forward,layer_backward", "elman", json=False) == 0
    assert "against the layer of elman: every gradient is right" in capfd.readouterr().out


def test_constants_of_any_type_in_a_file(code):
    text = (
        "import numpy as np\n"
        + RIGHT
        + """
START = np.zeros((2, 3))

class Model:
    def __init__(self, start):
        self.kept = start

    def run(self, x, y, h, start, number):
        assert start is START and self.kept is START and number == 0.5
        return gradients(self.W, x, y, {"a": h})

ADAPTER = {
    "init": [START], "calls": [("take", "params"), ("run", "x", "y", "a", START, np.float64(0.5))]}

Model.take = lambda self, params: setattr(self, "W", params)
"""
    )
    assert run(code(text, "Model"), "elman", json=False) == 0


def test_what_a_bound_hides_is_undecided(code, capfd):
    text = (
        RIGHT
        + """
import numpy as np

def clipped(params, x, y, initial):
    loss, d = gradients(params, x, y, initial)
    return loss, {n: np.clip(g, -1e-9, 1e-9) for n, g in d.items()}
"""
    )
    assert run(code(text, "clipped"), "elman", json=True) == 3
    assert '"undecided"' in capfd.readouterr().out


def test_modules_beside_the_file_are_found(code, tmp_path):
    (tmp_path / "helper.py").write_text("ONE = 1.0\n")
    assert run(code("from helper import ONE\n" + RIGHT), "elman", json=False) == 0


@pytest.mark.parametrize(
    ("text", "function", "message"),
    [
        (RIGHT, "gradient", "has no function 'gradient': it has gradients"),
        ("import nowhere", "f", r"ModuleNotFoundError.*line 1: import nowhere"),
        ("x = (", "f", r"SyntaxError.*line 1"),
        ("def f(p, x, y, i):\n    return x @ x @ x", "f", r"ValueError.*line 2: return x @ x @ x"),
        ("def f(p, x, y, i):\n    return 3", "f", "as a dict by parameter name"),
        ("def f(p, x, y, i):\n    raise SystemExit(3)", "f", "SystemExit: 3"),
        ("import os\ndef f(p, x, y, i):\n    os._exit(3)", "f", "ended by itself, with status 3"),
        ("import os\ndef f(p, x, y, i):\n    os.kill(os.getpid(), 11)", "f", "SIGSEGV"),
        ("raise SystemExit", "f", "SystemExit"),
        ("import os\nos._exit(0)", "f", "ended by itself"),
        ("def f(p, x, y, i):\n    bytearray(1 << 33)", "f", "MemoryError"),
        ("f = 3", "f", "no function"),
        ("import os\ndef f(p, x, y, i):\n    os.write(1, b'x' * 99)\n    return 3", "f", "dict"),
    ],
)
def test_what_goes_wrong_is_told_in_a_line(code, text, function, message):
    with pytest.raises(rs.InputError, match=message):
        run(code(text, function), "elman", json=True)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("nowhere.py:f", "there is no file nowhere.py"),
        ("nowhere.py", "names no function"),
        (":f", "names no function"),
        ("a.py:f()", "no name of a function"),
        (f"{__file__}c:f", "there is no file"),
        ("pyproject.toml:f", "no Python file"),
    ],
)
def test_what_is_no_function_of_a_file(spec, message):
    with pytest.raises(rs.InputError, match=message):
        run(spec, "elman", json=False)


def test_endless_code_is_stopped(code, monkeypatch):
    monkeypatch.setattr(remote, "CALL_SECONDS", 0.5)
    with pytest.raises(rs.InputError, match="takes more than 0 s for a call"):
        run(code("def f(p, x, y, i):\n    while True: pass", "f"), "elman", json=False)
    monkeypatch.setattr(remote, "IMPORT_SECONDS", 1.0)
    with pytest.raises(rs.InputError, match="does it train at the top level"):
        run(code("while True: pass", "f"), "elman", json=False)


def test_files_go_to_a_folder_that_is_removed(code, tmp_path):
    text = RIGHT.replace(
        'print("printed by the function")',
        'open("left.txt", "w").write("x"); open(HERE, "w").write(__import__("os").getcwd())',
    )
    note = tmp_path / "where"
    assert run(code(f"HERE = {str(note)!r}\n" + text), "elman", json=False) == 0
    folder = note.read_text()
    assert "rnnsym-" in folder
    assert not Path(folder).exists()


def test_chance_is_undecided(code, capfd):
    text = RIGHT.replace("return -sum", "d['b_y'] *= np.random.rand()\n    return -sum")
    assert run(code(text), "elman", json=True) == 3
    answer = json.loads(capfd.readouterr().out)
    assert answer["ok"] is False
    assert "two equal calls" in answer["undecided"]


def test_a_fault_of_our_own_is_not_taken_for_a_refutation(code, capfd, monkeypatch):
    def broken(*_, **__):
        raise IndexError("list index out of range")

    monkeypatch.setattr("rnnsym.codecheck.command.judge", broken)
    assert run(code(RIGHT), "elman", json=False) == 3
    out, err = capfd.readouterr()
    assert not out
    assert "fault of rnnsym" in err
    assert len(err.splitlines()) == 1


def test_points_from_the_command_line(code, capfd):
    words = ["--model", "elman", "--steps", "3,5", "--sizes", "n_x=4,n_a=6", "--seed", "3"]
    assert main(["check-code", code(RIGHT), *words]) == 0
    assert "called at T = 3, 5;" in capfd.readouterr().out
    assert main(["check-code", code(RIGHT), "--model", "elman", "--steps", "0"]) == 2
    assert main(["check-code", code(RIGHT), "--model", "elman", "--sizes", "n_q=2"]) == 2
    assert "n_q" in capfd.readouterr().err


def test_a_pair_of_a_whole_network_from_a_file(tmp_path, capfd):
    """Found out in the other process too: its adapter names no weight of the output."""
    path = tmp_path / "whole.py"
    adapter = """
def forward(params, x, a):
    return params, x, a

def backward(y, params, x, a):
    return gradients(params, x, y, {"a": a})[1]

ADAPTER = {"calls": [("forward", "params", "x", "a"), ("backward", "y", "*result")]}
"""
    path.write_text(RIGHT + adapter, encoding="utf-8")
    assert run(f"{path}:forward,backward", "elman", json=False) == 0
    assert "forward,backward against elman: every gradient is right" in capfd.readouterr().out
    stated = adapter.replace('{"calls"', '{"layer": True, "calls"')
    path.write_text(RIGHT + stated, encoding="utf-8")
    with pytest.raises(rs.InputError, match="KeyError: 'W_ya'"):
        run(f"{path}:forward,backward", "elman", json=False)
