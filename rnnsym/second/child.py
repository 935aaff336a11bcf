"""What a child of the worker does: reads texts under limits, answers each, and ends.

It ends at the first text that does not simply have a value, and after one that left something
behind in latex2sympy2; what is left is read in another child. Whatever opens a file, imports,
starts a process or compiles code ends it too.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn, Protocol

from rnnsym.second.values import Refused, value

#: what a child may do of all that Python reports to audit hooks
_HARMLESS = ("object.", "gc.", "array.", "builtins.id", "sys._getframe", "code.__new__")


class Reader(Protocol):
    """What a child needs of `rnnsym.second.library`."""

    def read(self, latex: str) -> Any: ...
    def state(self) -> Any: ...


def run(
    fd: int,
    requests: Iterable[Mapping[str, Any]],
    reader: Reader,
    seconds: float,
    memory: int,
) -> NoReturn:
    """Answer requests on a file descriptor, a line each, and end the process; never returns."""

    def answer(status: str, **more: Any) -> None:
        os.write(fd, json.dumps({"status": status, **more}).encode() + b"\n")

    def end(status: str, detail: str) -> NoReturn:
        try:
            answer(status, detail=detail)
        finally:
            os._exit(0)

    def audit(event: str, _: Any) -> None:
        if not event.startswith(_HARMLESS):
            end("refused", f"reading it led to the event {event!r}")

    try:
        before = reader.state()
        confine(memory, audit)
        for request in requests:
            allow(seconds)
            number = value(reader.read(request["latex"]), request["values"])
            clean = reader.state() == before
            answer("value", value=number)
            if not clean:
                break
    except Refused as error:
        end("refused", str(error))
    except MemoryError:
        end("memory", "the limit on memory was reached")
    except RecursionError:
        end("failed", "nested too deeply")
    except BaseException as error:
        # anything may come out of a parser that is given anything
        end("failed", f"{type(error).__name__}: {error}".splitlines()[0][:200])
    os._exit(0)


def confine(memory: int, audit: Callable[[str, Any], None]) -> None:
    """Limit this process for good: memory and files; from now on report every act to `audit`."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # used at every text, so that it is there before the hook is
    allow(1)
    sys.addaudithook(audit)


def allow(seconds: float) -> None:
    """The system ends this process after so many seconds more, should the worker be gone."""
    signal.setitimer(signal.ITIMER_REAL, seconds + 1)
