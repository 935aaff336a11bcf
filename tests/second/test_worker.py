"""The worker: whatever it is given, it answers in time, runs nothing, and goes on.

Children are processes that fork, so each test asks a worker of its own; stand-ins for latex2sympy2
that misbehave run in a Python of their own too.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from rnnsym.second.reading import Reading, read
from tests.second.cases import needs_reader

A, B = r"\mathit{a:1:1}", r"\mathit{b:1:1}"
NUMBERS = {A: 0.25, B: 0.5}
GOOD = (rf"{A} \cdot {B}", NUMBERS), 0.125

#: what broke the parsers that were tried: hang, memory, code, poisoned state
HOSTILE = [
    "1E999999999",
    r"\binom{100000000}{50000000}",
    r"\gcd(9^{9^{9}},3)",
    "9^{9^{9^9}}",
    "99999999!",
    "10!!!!!!",
    r"\exp(9^{9^{9}})",
    "x^{x}|_{x=999999999}",
    "x^{" * 20 + "x" + "}" * 20,
    r"\begin{vmatrix}"
    + r"\\".join("&".join(f"a_{{{i}{j}}}" for j in range(8)) for i in range(8))
    + r"\end{vmatrix}",
    "(" * 60 + "1",
    "{" * 1000 + "1" + "}" * 1000,
    r"\frac{1}{" * 200 + "1" + "}" * 200,
    r"\tanh(" * 10 + "x" + ")" * 10,
    "|" * 20 + "x" + "|" * 20,
    "x " * 1000,
    "x+y=3",
    "x = 3",
    "dx",
    "i=I",
    "h_{t,exit(7)}",
    "\\mathrm{__import__('os').system('touch\tTRACE')}",
    "h_{\\mathrm{__import__('os').system('touch\tTRACE')}}",
    r"\variable{__import__('os').system('touch TRACE')}",
    r"\operatorname{zeros}(100000)",
    r"\sum_{n=1}^{999999999} n",
    r"\int_{0}^{1} \exp(x^{x}) dx",
    "x" * 200_000,
    "\\",
    "",
    "\x00",
    "\ud800",
]


@needs_reader
def test_a_text_that_misbehaves_is_answered_and_the_next_is_read():
    """Two that hang, and those that leave something behind, between texts that are well."""
    poison = ["9^{9^{9^9}}", "dx", "x = 3", "x+y=3", "x" * 200_000, "i=I"]
    texts = [GOOD[0]]
    for latex in poison:
        texts += [(latex, NUMBERS), GOOD[0]]
    start = time.monotonic()
    found = read(texts, seconds=1.5)
    assert time.monotonic() - start < 60
    assert found[0::2] == [Reading("value", GOOD[1])] * len(found[0::2])
    assert found[1].status == "timeout"
    assert all(r.status != "value" or r.value is not None for r in found[1::2])
    assert found[9].status == "too long"


@needs_reader
@pytest.mark.slow
@pytest.mark.parametrize("together", [1, 25])
def test_hostile_texts_do_no_harm(tmp_path, monkeypatch, together):
    monkeypatch.chdir(tmp_path)
    texts = [GOOD[0]]
    for latex in HOSTILE:
        texts += [(latex.replace("TRACE", str(tmp_path / "trace")), NUMBERS), GOOD[0]]
    start = time.monotonic()
    found = read(texts, seconds=2, memory=2**29, together=together)
    assert time.monotonic() - start < 60 + 3 * len(texts)
    assert found[0::2] == [Reading("value", GOOD[1])] * (len(HOSTILE) + 1)
    for latex, reading in zip(HOSTILE, found[1::2], strict=True):
        if latex == "x = 3":  # has a value; what it leaves behind stays in that child
            assert reading == Reading("value", 3.0)
            continue
        assert reading.status in {"refused", "failed", "timeout", "memory", "too long"}, latex
        assert reading.detail and reading.value is None
    assert not list(tmp_path.iterdir())


MISBEHAVE = """
import json, os, signal, sys
import sympy
from rnnsym.second.worker import Worker

class Reader:
    kept = 0
    def state(self):
        return self.kept
    def read(self, latex):
        word, _, n = latex.partition(" ")
        return globals()["act" + n](self) if word == "do" else sympy.Integer(len(latex))

{actions}
requests = [{{"id": i, "latex": text, "values": {{}}}} for i, text in enumerate({texts})]
Worker(Reader(), lambda a: print(json.dumps(a), flush=True), **{limits}).serve(requests)
"""


def misbehave(actions: list[str], texts: list[str], **limits) -> list[dict]:
    """The answers of a worker whose reader does what it is told to: `do 0`, `do 1`, …"""
    functions = "\n".join(f"def act{n}(reader):\n    {a}" for n, a in enumerate(actions))
    script = MISBEHAVE.format(actions=functions, texts=texts, limits=limits)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    return sorted(answers, key=lambda a: a["id"])


def test_a_child_that_misbehaves_is_answered_for():
    cases = [
        ("return eval('1 + 1')", "refused", "'compile'"),
        ("return sympy.sympify('1 + 1')", "refused", "'compile'"),
        ("return sympy.lambdify(sympy.Symbol('x'), 1)", "refused", "'compile'"),
        ("open(sys.executable)", "refused", "'open'"),
        ("import wave", "refused", "'import'"),
        ("os.system('true')", "refused", "'os.system'"),
        ("os.kill(1, 0)", "refused", "'os.kill'"),
        ("x = bytearray(2**31)", "memory", "memory"),
        ("raise ValueError('no\\nsecond line')", "failed", "ValueError: no"),
        ("raise SystemExit(0)", "failed", "SystemExit"),
        ("os._exit(3)", "failed", "no answer"),
        ("signal.raise_signal(9)", "failed", "SIGKILL"),
        ("return act12(reader)", "failed", "nested"),
        ("while True: pass", "timeout", "more than 0.5 s"),
    ]
    texts = ["a"]
    for n in range(len(cases)):
        texts += [f"do {n}", "a" * (n + 2)]
    found = misbehave([action for action, _, _ in cases], texts, seconds=0.5)
    assert [a["value"] for a in found[0::2]] == list(range(1, len(cases) + 2))
    for answer, (action, status, detail) in zip(found[1::2], cases, strict=True):
        assert answer["status"] == status, action
        assert detail in answer["detail"] and "\n" not in answer["detail"]


def test_after_a_text_that_left_something_behind_there_is_a_new_child():
    act = "reader.kept += 1; return sympy.Integer(reader.kept)"
    answers = misbehave([act], ["abc", "do 0", "abcd", "do 0", "abcde"])
    assert [a["status"] for a in answers] == ["value"] * 5
    # each of them starts from what the worker itself has kept, which is nothing
    assert [a["value"] for a in answers] == [3, 1, 4, 1, 5]


@pytest.mark.parametrize("together", [1, 3])
def test_every_text_is_answered_once(together):
    texts = ["do 0" if n % 4 == 2 else "a" * n for n in range(12)]
    answers = misbehave(["raise ValueError('no')"], texts, together=together, jobs=2)
    assert [a["id"] for a in answers] == list(range(12))
    assert [a["status"] == "failed" for a in answers] == [n % 4 == 2 for n in range(12)]


@needs_reader
def test_the_worker_says_what_it_is():
    done = subprocess.run(
        [sys.executable, "-m", "rnnsym.second.worker", "--help"], capture_output=True, timeout=60
    )
    assert done.returncode == 0 and b"latex2sympy2" in done.stdout
