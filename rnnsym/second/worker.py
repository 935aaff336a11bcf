"""The process in which latex2sympy2 runs: `python -m rnnsym.second.worker`.

Reads one JSON object a line, {"id", "latex", "values": {symbol: number}}, until the end of its
input; writes one a line, {"id", "status", "value", "detail"}, as they are done. latex2sympy2 keeps
global state and can hang, so texts are read in children: forks of this process, which has imported
it once and lets no text near itself. A child goes on to the next text only if the last one had a
value and left nothing behind; one that is no longer heard of is killed.

status: "value"; "refused" (what was read is not in the dialect, or the child tried what it must
not); "failed" (latex2sympy2 raised an error, or the child died); "timeout"; "memory"; "too long".
"""

from __future__ import annotations

import argparse
import json
import os
import selectors
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rnnsym.second import child
from rnnsym.second.limits import LONGEST, MEMORY, SECONDS, TOGETHER

Request = Mapping[str, Any]
Answer = dict[str, Any]


@dataclass
class _Child:
    """A child, the texts that it has not answered, and when the next answer is due."""

    pid: int
    todo: deque[Request]
    deadline: float
    data: bytearray = field(default_factory=bytearray)
    answered: int = 0


class Worker:
    """Reads texts in children, `jobs` at a time, each child at most `together` of them.

    seconds, memory: limits of each text and of each child; write is given every answer.
    """

    def __init__(
        self,
        reader: child.Reader,
        write: Callable[[Answer], None],
        seconds: float = SECONDS,
        memory: int = MEMORY,
        jobs: int = 1,
        together: int = TOGETHER,
    ) -> None:
        self.reader, self.write = reader, write
        self.seconds, self.memory = seconds, memory
        self.jobs, self.together = jobs, together
        self.waiting: deque[Request] = deque()
        self.running: dict[int, _Child] = {}
        self.selector = selectors.DefaultSelector()

    def serve(self, requests: Sequence[Request]) -> None:
        """Answer every request."""
        for request in requests:
            if len(request["latex"]) > LONGEST:
                detail = f"more than {LONGEST} characters"
                self.write({"id": request["id"], "status": "too long", "detail": detail})
            else:
                self.waiting.append(request)
        while self.waiting or self.running:
            while self.waiting and len(self.running) < self.jobs:
                self._start()
            due = min(c.deadline for c in self.running.values()) - time.monotonic()
            for key, _ in self.selector.select(max(0.0, due)):
                self._hear(key.fd)
            now = time.monotonic()
            for fd in [fd for fd, c in self.running.items() if c.deadline < now]:
                os.kill(self.running[fd].pid, signal.SIGKILL)
                self._end(fd, "timeout", f"more than {self.seconds:g} s")

    def _start(self) -> None:
        share = min(self.together, -(-len(self.waiting) // self.jobs))
        todo = deque(self.waiting.popleft() for _ in range(share))
        ours, theirs = os.pipe()
        pid = os.fork()
        if pid == 0:
            child.run(theirs, todo, self.reader, self.seconds, self.memory)
        os.close(theirs)
        self.running[ours] = _Child(pid, todo, time.monotonic() + self.seconds)
        self.selector.register(ours, selectors.EVENT_READ)

    def _hear(self, fd: int) -> None:
        """Take what a child has written; nothing means that it is gone."""
        found = self.running[fd]
        more = os.read(fd, 65536)
        if not more:
            self._end(fd, "failed", "")
            return
        *lines, rest = (found.data + more).split(b"\n")
        found.data = bytearray(rest)
        for line in lines:
            self.write({"id": found.todo.popleft()["id"], **json.loads(line)})
            found.answered += 1
            found.deadline = time.monotonic() + self.seconds

    def _end(self, fd: int, status: str, detail: str) -> None:
        """A child is over: what it died of, if it died, is the answer to its last text."""
        found = self.running.pop(fd)
        self.selector.unregister(fd)
        os.close(fd)
        _, code = os.waitpid(found.pid, 0)
        if os.WIFSIGNALED(code) and status != "timeout":
            name = signal.Signals(os.WTERMSIG(code)).name
            status = "timeout" if name == "SIGALRM" else "failed"
            detail = f"the child died of {name}"
        elif found.answered and status != "timeout":
            self.waiting.extendleft(reversed(found.todo))
            return
        if found.todo:
            request = found.todo.popleft()
            self.write({"id": request["id"], "status": status, "detail": detail or "no answer"})
        self.waiting.extendleft(reversed(found.todo))


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the requests on standard input."""
    parser = argparse.ArgumentParser(prog="python -m rnnsym.second.worker", description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="limit of one text")
    parser.add_argument("--memory", type=int, default=MEMORY, help="limit of a child, in bytes")
    parser.add_argument("--jobs", type=int, default=1, help="children at a time")
    parser.add_argument("--together", type=int, default=TOGETHER, help="texts a child at most")
    given = parser.parse_args(arguments)
    # what latex2sympy2 prints goes nowhere
    output = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    from rnnsym.second.library import Library

    requests = [json.loads(line) for line in sys.stdin.buffer.read().splitlines() if line.strip()]

    def write(answer: Answer) -> None:
        output.write(json.dumps(answer) + "\n")
        output.flush()

    limits = given.seconds, given.memory, given.jobs, given.together
    Worker(Library(), write, *limits).serve(requests)
    return 0


if __name__ == "__main__":
    sys.exit(main())
