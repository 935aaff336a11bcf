"""A function in another process: called like one here, with limits on its time and memory.

Between the command and the check. Starts `rnnsym.codecheck.worker`, which knows nothing of
rnnsym, sends it values and reads what the function gave.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from rnnsym.codecheck import worker
from rnnsym.codecheck.adapter import Adapter, Shapes
from rnnsym.codecheck.faults import OfACell, ProcessFailed, Uncallable
from rnnsym.codecheck.layout import Layout, Values
from rnnsym.codecheck.results import Outcome
from rnnsym.errors import InputError

#: seconds until a file must be imported, for one call, and for everything
IMPORT_SECONDS, CALL_SECONDS, ALL_SECONDS = 30.0, 10.0, 60.0
#: address space beyond which the function gets a MemoryError
MEMORY = 2 << 30


class Remote:
    """The function FUNCTION of a file, in a process of its own. A context manager."""

    def __init__(
        self,
        path: str,
        name: str,
        shapes: Shapes,
        memory: int = MEMORY,
    ) -> None:
        self.path, self.name, self.memory = path, name, memory
        self.shapes = shapes
        self.folder = tempfile.TemporaryDirectory(prefix="rnnsym-")
        self.stop = time.monotonic() + ALL_SECONDS
        self.process = self._start()
        try:
            told = self._first()
        except BaseException:
            self.close()
            raise
        self.started = tuple(told["started"])
        self.arrivals = tuple(told["arrivals"])
        given = told["adapter"]
        self.names: Mapping[str, Any] = given["names"]
        self.adapter = Adapter(**given)

    def __enter__(self) -> Remote:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self) -> subprocess.Popen[bytes]:
        kept = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "VIRTUAL_ENV")
        environment = {k: os.environ[k] for k in kept if k in os.environ}
        # threads reserve address space, and a small matrix gains nothing from them
        threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        environment |= dict.fromkeys(threads, "1") | {"HOME": self.folder.name}
        environment["MPLBACKEND"] = "agg"
        arguments = [worker.__file__, str(Path(self.path).resolve()), self.name, self.folder.name]
        arguments += [str(self.memory), str(int(ALL_SECONDS) + 1)]
        return subprocess.Popen(
            [sys.executable, "-I", "-B", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self.folder.name,
            env=environment,
            start_new_session=True,
        )

    def _first(self) -> dict[str, Any]:
        header, _ = self._exchange(
            {"shapes": asdict(self.shapes)},
            {},
            IMPORT_SECONDS,
            f"{Path(self.path).name} is not imported after {IMPORT_SECONDS:.0f} s: does it train "
            f"at the top level? Put that under if __name__ == '__main__'",
        )
        if "cell" in header:
            raise OfACell(header["cell"])
        if header.get("unfit"):
            raise Uncallable(str(header["failed"]), "adapter")
        if "failed" in header:
            raise InputError(str(header["failed"]))
        return header

    def __call__(self, values: Values) -> Outcome:
        """Call the function. Raises ProcessFailed if it takes too long or its process ends."""
        arrays: dict[str, Any] = {}
        names = []
        for table in ("parameters", "sequences", "initial"):
            for name, array in getattr(values, table).items():
                names.append([table, name])
                arrays[f"{table} {name}"] = np.asarray(array)
        header, found = self._exchange(
            {"names": names, "sizes": dict(values.sizes), "batch": values.batch},
            arrays,
            CALL_SECONDS,
            f"{self.name} takes more than {CALL_SECONDS:.0f} s for a call: {self._where(values)}",
        )
        if "failed" in header:
            raise InputError(str(header["failed"]))
        order = header.pop("gradients")
        outcome = Outcome(gradients=dict(zip(order, found, strict=True)), **header)
        if isinstance(outcome.loss, str):  # JSON knows no infinity
            outcome.loss = float(outcome.loss)
        return outcome

    def _where(self, values: Values) -> str:
        return Layout(self.adapter, self.shapes).told(values)

    # ---- messages ------------------------------------------------------------------------

    def _exchange(
        self, header: dict[str, Any], arrays: dict[str, Any], seconds: float, late: str
    ) -> tuple[dict[str, Any], list[Any]]:
        process = self.process
        assert process.stdin is not None and process.stdout is not None
        with contextlib.suppress(BrokenPipeError):  # then its end is told below
            worker.send(process.stdin, header, arrays)  # type: ignore[arg-type]
        stop = min(self.stop, time.monotonic() + seconds)
        all_late = f"{self.name} takes more than {ALL_SECONDS:.0f} s for all calls"
        reader = _Reader(process.stdout.fileno(), stop)
        try:
            message = worker.receive(reader)  # type: ignore[arg-type]
        except TimeoutError:
            raise ProcessFailed(all_late if stop == self.stop else late) from None
        except (ValueError, OSError, KeyError) as error:
            raise ProcessFailed(f"{self.name} gave no message that can be read: {error}") from None
        if message is None:
            raise ProcessFailed(self._end())
        return message

    def _end(self) -> str:
        """Why the process ended."""
        try:
            status = self.process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            return f"the process of {self.name} closed its output"
        if status >= 0:
            return f"the process of {self.name} ended by itself, with status {status}"
        if -status == signal.SIGXCPU:
            return f"{self.name} takes more than {ALL_SECONDS:.0f} s of computing time"
        try:
            name = signal.Signals(-status).name
        except ValueError:
            name = str(-status)
        return f"the process of {self.name} was killed by {name}: out of memory, or a crash"

    def close(self) -> None:
        """End the process and all that it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        for stream in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()
        self.process.wait()
        self.folder.cleanup()


class _Reader:
    """Reads a pipe until a moment; then raises TimeoutError."""

    def __init__(self, number: int, stop: float) -> None:
        self.number, self.stop = number, stop

    def read(self, count: int) -> bytes:
        parts = []
        while count > 0:
            left = self.stop - time.monotonic()
            if left <= 0 or not select.select([self.number], [], [], left)[0]:
                raise TimeoutError
            part = os.read(self.number, min(count, 1 << 20))
            if not part:
                break
            parts.append(part)
            count -= len(part)
        return b"".join(parts)
