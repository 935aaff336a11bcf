"""Judgements in a process of their own, with limits on memory and time that the system keeps.

The last line of defence of the commands: the judge keeps its own limits, the guard holds where
one of them has a hole. A worker does one task after another; one that dies, or does not answer,
is replaced, and the formula is "unknown: too large". Answers are JSON, never pickles.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import struct
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from typing import Any

from rnnsym.claims.verdict import STATUS, UNKNOWN, Verdict

#: what a formula may take: seconds, and bytes above what the process has
SECONDS, MEMORY = 10.0, 1 << 30
#: the judge's own limit, of processor time, comes first: by this factor, and this many seconds
FACTOR, GRACE = 1.2, 1.0
#: on a machine that is busy with other things, this many times as long by the clock
BUSY = 3
#: a task or an answer of more bytes is none
MAX_MESSAGE = 1 << 24
TOO_LONG = "too large: it takes too long to decide"
OWN_ERROR = "an error of rnnsym's own"
_LENGTH = struct.Struct("<Q")


class LostError(Exception):
    """There is no answer; the message says why, in the words of a verdict."""


@contextmanager
def guarded(
    judge: Callable[[Any], Verdict],
    seconds: float = SECONDS,
    memory: int = MEMORY,
    lasting: Callable[[Verdict], bool] = lambda verdict: verdict.ok,
) -> Iterator[Callable[[Any], Verdict]]:
    """A judge that does its work in a worker: `with guarded(judge) as judge: judge(task)`.

    judge(task) makes the verdict on a task, which is a text or other plain data; what it learns
    from one task it has for the next. lasting: the tasks that a new worker must be given again,
    by their verdicts, because later ones build on them.
    """
    with Guard(
        lambda task: asdict(judge(task)),
        seconds,
        memory,
        lambda answer: lasting(verdict_of(answer)),
    ) as guard:

        def ask(task: Any) -> Verdict:
            try:
                return verdict_of(guard(task))
            except LostError as error:
                return Verdict(task if isinstance(task, str) else "", UNKNOWN, str(error))

        yield ask


def verdict_of(data: Any) -> Verdict:
    """The verdict that plain data describe. Raises LostError for what describes none."""
    try:
        plain = Verdict(**data)
        found = replace(
            plain, kinds=tuple(plain.kinds), parts=tuple(verdict_of(p) for p in plain.parts)
        )
        texts = (found.claim, found.message, found.reading, found.diagnosis, found.correction)
        if found.verdict in STATUS and all(isinstance(x, str) for x in (*texts, *found.kinds)):
            return found
    except TypeError:
        pass
    raise LostError(f"{OWN_ERROR}: no verdict")


@dataclass
class _Worker:
    pid: int
    tasks: int
    answers: int


class Guard:
    """Has `work(task)` done in a worker. A context manager, called with one task after another.

    Tasks and answers are what JSON has. The worker is a fork: it starts with what this process
    holds. Where a system has no fork, the work is done here, without limits of the system.
    `lasting(answer)`: whether a new worker must be given this task again.
    """

    def __init__(
        self,
        work: Callable[[Any], Any],
        seconds: float = SECONDS,
        memory: int = MEMORY,
        lasting: Callable[[Any], bool] = lambda answer: False,
    ) -> None:
        self.work, self.seconds, self.memory, self.lasting = work, seconds, memory, lasting
        self.history: list[Any] = []
        self.started = 0  # workers so far
        self._worker: _Worker | None = None

    def __enter__(self) -> Guard:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __call__(self, task: Any) -> Any:
        """The answer to a task. Raises LostError where there is none."""
        if not hasattr(os, "fork"):
            return self.work(task)
        try:
            if self._worker is None:
                self._start()
                for earlier in self.history:
                    self._ask(earlier)
            status, answer = self._ask(task)
        except BaseException:
            self.close()
            raise
        if status != "done":
            self.close()
        if status == "failed":
            raise LostError(str(answer))
        if self.lasting(answer):
            self.history.append(task)
        return answer

    def close(self) -> int:
        """End the worker; the status with which it ended."""
        worker, self._worker = self._worker, None
        if worker is None:
            return 0
        os.close(worker.tasks)
        os.close(worker.answers)
        with suppress(ProcessLookupError):
            os.kill(worker.pid, signal.SIGKILL)
        return os.waitpid(worker.pid, 0)[1]

    # ---- this side -----------------------------------------------------------------------

    def _start(self) -> None:
        their_tasks, tasks = os.pipe()
        answers, their_answers = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        with warnings.catch_warnings():
            # The only other threads are those of a BLAS library, which expects forks.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            try:
                os.close(tasks)
                os.close(answers)
                self._serve(their_tasks, their_answers)
            finally:
                os._exit(1)
        os.close(their_tasks)
        os.close(their_answers)
        self._worker = _Worker(pid, tasks, answers)
        self.started += 1

    def _ask(self, task: Any) -> tuple[str, Any]:
        """(status, answer) of a task: "done"; "full", where the worker has grown; or "failed"."""
        worker = self._worker
        assert worker is not None
        body = json.dumps(task).encode()
        if len(body) > MAX_MESSAGE:
            raise LostError("too large: its text")
        try:
            _write(worker.tasks, body)
            end = time.monotonic() + BUSY * (FACTOR * self.seconds + GRACE)
            status, answer = json.loads(_read(worker.answers, end))
        except TimeoutError:
            raise LostError(TOO_LONG) from None
        except OverflowError:
            raise LostError("too large: its answer") from None
        except (BrokenPipeError, EOFError):
            status = self.close()
            if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU:
                raise LostError(TOO_LONG) from None
            raise LostError("too large: its process ended without an answer") from None
        return status, answer

    # ---- the worker's side ---------------------------------------------------------------

    def _serve(self, tasks: int, answers: int) -> None:
        """Answer tasks until the other side goes away."""
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGXCPU, signal.SIG_DFL)
        _limit("CORE", 0)
        start = _address_space()
        while True:
            task = json.loads(_read(tasks))
            size, cpu = _address_space(), time.process_time()
            if size:
                _limit("AS", size + self.memory)
            _limit("CPU", int(cpu + FACTOR * self.seconds + GRACE) + 1)
            answer = self._done(task)
            full = _address_space() > start + self.memory // 2
            if full and answer[0] == "done":
                answer = "full", answer[1]
            _write(answers, json.dumps(answer).encode())

    def _done(self, task: Any) -> tuple[str, Any]:
        try:
            answer = self.work(task)
            json.dumps(answer)
            return "done", answer
        except MemoryError:
            return "failed", f"too large: it takes more than {self.memory >> 20:,} MB of memory"
        except RecursionError:
            return "failed", "too large: nested too deeply"
        except Exception as error:  # a fault of ours: no verdict, and no traceback either
            return "failed", f"{OWN_ERROR}: {type(error).__name__}"


def _limit(name: str, value: int) -> None:
    """No more than this, as far as the system lets it be said."""
    import resource

    what = getattr(resource, f"RLIMIT_{name}")
    _, hard = resource.getrlimit(what)
    soft = value if hard == resource.RLIM_INFINITY else min(value, hard)
    with suppress(ValueError, OSError):
        resource.setrlimit(what, (soft, hard))


def _address_space() -> int:
    """Bytes of address space of this process; 0 where the system does not say."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _write(pipe: int, body: bytes) -> None:
    """One message: its length, then itself."""
    data = memoryview(_LENGTH.pack(len(body)) + body)
    while data:
        data = data[os.write(pipe, data) :]


def _read(pipe: int, end: float | None = None) -> bytes:
    """One message. Raises TimeoutError after `end`, EOFError where the other side is gone,
    OverflowError where it is too long."""
    (length,) = _LENGTH.unpack(_bytes(pipe, _LENGTH.size, end))
    if length > MAX_MESSAGE:
        raise OverflowError
    return _bytes(pipe, length, end)


def _bytes(pipe: int, count: int, end: float | None) -> bytes:
    parts: list[bytes] = []
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while count:
            left = None if end is None else max(0.0, end - time.monotonic())
            if not selector.select(left):
                raise TimeoutError
            part = os.read(pipe, count)
            if not part:
                raise EOFError
            parts.append(part)
            count -= len(part)
    return b"".join(parts)
