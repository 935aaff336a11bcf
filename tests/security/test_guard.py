"""The guard: whatever a judgement does, the next one is judged."""

from __future__ import annotations

import faulthandler
import mmap
import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest

import rnnsym as rs
from rnnsym.claims.check import check, judge_formula
from rnnsym.claims.guard import Guard, LostError, guarded, verdict_of
from rnnsym.claims.verdict import Verdict
from rnnsym.reader.table import of_network
from tests.security.fuzz import RIGHT, WRONG

SECONDS, MEMORY = 0.2, 1 << 28


def misbehave(task: Any) -> Any:
    match task:
        case "memory":
            return len(bytearray(1 << 30))
        case "much memory in small pieces":
            return len([[k] for k in range(10**8)])
        case "processor":
            while True:
                pass
        case "sleep":
            time.sleep(60)
        case "stopped":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "crash":
            faulthandler.disable()
            os.kill(os.getpid(), signal.SIGSEGV)
        case "exit":
            os._exit(0)
        case "raises":
            raise KeyError(task)
        case "recursion":
            return misbehave(task)
        case "no JSON":
            return object()
        case "long answer":
            return "x" * (1 << 11)
    return task


@pytest.fixture
def guard() -> Iterator[Guard]:
    with Guard(misbehave, seconds=SECONDS, memory=MEMORY) as found:
        yield found


@pytest.mark.parametrize(
    ("task", "why"),
    [
        ("memory", "too large: it takes more than 256 MB of memory"),
        ("much memory in small pieces", "too large: "),
        ("processor", "too large: it takes too long to decide"),
        ("sleep", "too large: it takes too long to decide"),
        ("stopped", "too large: it takes too long to decide"),
        ("killed", "too large: its process ended without an answer"),
        ("crash", "too large: its process ended without an answer"),
        ("exit", "too large: its process ended without an answer"),
        ("raises", "an error of rnnsym's own: KeyError"),
        ("recursion", "too large: nested too deeply"),
        ("no JSON", "an error of rnnsym's own: TypeError"),
    ],
)
def test_lost_tasks(guard: Guard, task: str, why: str) -> None:
    assert guard("first") == "first"
    with pytest.raises(LostError, match=why):
        guard(task)
    assert guard({"second": [1, 2.5, None, "é"]}) == {"second": [1, 2.5, None, "é"]}
    assert guard.started == 2


def test_a_long_answer_is_none(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnnsym.claims.guard.MAX_MESSAGE", 1 << 10)
    with pytest.raises(LostError, match="too large: its answer"):
        guard("long answer")
    with pytest.raises(LostError, match="too large: its text"):
        guard("x" * (1 << 11))


def test_one_worker_for_many_tasks(guard: Guard) -> None:
    pids = {guard(k) for k in range(20)}
    assert pids == set(range(20))
    assert guard.started == 1


def test_nothing_is_left(guard: Guard) -> None:
    guard(1)
    worker = guard._worker
    assert worker is not None
    guard.close()
    guard.close()
    with pytest.raises(ProcessLookupError):
        os.kill(worker.pid, 0)
    with pytest.raises(OSError):
        os.fstat(worker.tasks)


def test_a_worker_that_has_grown_is_replaced() -> None:
    kept: list[mmap.mmap] = []

    def grow(task: int) -> int:
        kept.append(mmap.mmap(-1, task))  # what malloc gives may come from memory that was freed
        return len(kept)

    with Guard(grow, memory=1 << 26) as guard:
        assert [guard(17 << 20) for _ in range(4)] == [1, 2, 1, 2]
        assert guard.started == 2


def test_lasting_tasks_are_done_again() -> None:
    names: list[str] = []

    def name(task: str) -> list[str]:
        if task == "die":
            os._exit(3)
        names.append(task)
        return names

    with Guard(name, lasting=lambda answer: answer[-1].isupper()) as guard:
        for task in ("A", "b", "C"):
            guard(task)
        with pytest.raises(LostError):
            guard("die")
        assert guard("d") == ["A", "C", "d"]


def test_verdicts_are_the_same_as_without() -> None:
    net = rs.elman()
    both = rf"{RIGHT}, \quad L = L"
    with guarded(lambda claim: check(claim, net)) as judge:
        for claim in (RIGHT, WRONG, both, r"\input{x} = 1", "q = 1", "L = u"):
            plain, found = check(claim, net), judge(claim)
            assert found.as_json() == plain.as_json()
            assert found.parts == plain.parts
            assert found == plain


def test_definitions_outlive_a_worker() -> None:
    net = rs.elman()
    table = of_network(net)

    def judge(claim: str) -> Verdict:
        if claim == "die":
            os._exit(3)
        return judge_formula(claim, net, table)

    with guarded(judge) as ask:
        assert ask(r"u_t := 2 a^{\langle t\rangle}").verdict == "definition"
        lost = ask("die")
        assert (lost.claim, lost.verdict) == ("die", "unknown")
        assert ask(r"u_t = a^{\langle t\rangle} + a^{\langle t\rangle}").verdict == "true"
    assert not table.definitions  # of this process


@pytest.mark.parametrize(
    "data",
    [None, {}, {"claim": 1}, {"claim": "x", "verdict": "yes"}, {"claim": "x", "verdict": "true",
     "more": 1}, {"claim": "x", "verdict": "true", "message": 3}, [1, 2], {"claim": "x",
     "verdict": "true", "parts": [3]}],
)  # fmt: skip
def test_what_is_no_verdict_is_none(data: Any) -> None:
    with pytest.raises(LostError, match="no verdict"):
        verdict_of(data)


def test_overhead() -> None:
    with Guard(lambda task: task) as guard:
        start = time.perf_counter()
        guard(RIGHT)
        first = time.perf_counter() - start
        times = []
        for _ in range(50):
            start = time.perf_counter()
            guard(RIGHT)
            times.append(time.perf_counter() - start)
    assert first < 0.3
    assert sorted(times)[25] < 0.005
