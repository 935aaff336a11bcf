"""Asks the worker what latex2sympy2 reads, and says whether it can be asked at all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as _version
from importlib.util import find_spec

from rnnsym.errors import UnavailableError
from rnnsym.second.limits import MEMORY, SECONDS, TOGETHER

#: what starting the worker and reading ordinary texts may take in all, beside the limits of each
PATIENCE = 60.0


@dataclass(frozen=True)
class Reading:
    """What became of a text: status "value" with the value, else the reason in `detail`."""

    status: str
    value: float | None = None
    detail: str = ""


def require() -> str:
    """The version of latex2sympy2. Raises UnavailableError where it cannot run, with the reason."""
    try:
        version = _version("latex2sympy2")
    except PackageNotFoundError:
        version = ""
    if find_spec("latex2sympy2") is None or not version:
        if sys.version_info >= (3, 13):
            raise UnavailableError(
                "latex2sympy2 does not run on Python 3.13 and later: use Python 3.12 or earlier"
            )
        raise UnavailableError("latex2sympy2 is not installed: pip install 'rnnsym[latex2sympy2]'")
    if not hasattr(os, "fork"):
        raise UnavailableError("latex2sympy2 is read in forked processes, which this system lacks")
    return version


def read(
    texts: Sequence[tuple[str, Mapping[str, float]]],
    seconds: float = SECONDS,
    memory: int = MEMORY,
    jobs: int | None = None,
    together: int = TOGETHER,
) -> list[Reading]:
    """The value of each LaTeX text at numbers for its symbols, as latex2sympy2 reads it.

    seconds, memory: limits for each text; jobs: processes that read at a time, by default one a
    core, at most four; together: texts that one of them reads as long as each has a value. The
    texts may be anybody's: one that cannot be read has a `Reading` that says so.
    Raises UnavailableError where latex2sympy2 cannot run.
    """
    require()
    jobs = jobs or min(4, os.cpu_count() or 1)
    lines = (
        json.dumps({"id": i, "latex": latex, "values": dict(numbers)})
        for i, (latex, numbers) in enumerate(texts)
    )
    command = [sys.executable, "-m", "rnnsym.second.worker"]
    command += ["--seconds", str(seconds), "--memory", str(memory), "--jobs", str(jobs)]
    command += ["--together", str(together)]
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **one_thread},
        start_new_session=True,
    ) as worker:
        try:
            limit = PATIENCE + (seconds + 1) * len(texts)
            output, errors = worker.communicate("\n".join(lines).encode(), timeout=limit)
        except BaseException:
            os.killpg(worker.pid, signal.SIGKILL)  # it and its children, in their own session
            raise
    if worker.returncode:
        last = (errors.decode(errors="replace").strip().splitlines() or ["no message"])[-1]
        raise UnavailableError(f"latex2sympy2 does not start here: {last[:200]}")
    found = [Reading("failed", None, "no answer")] * len(texts)
    for line in output.splitlines():
        answer = json.loads(line)
        found[answer["id"]] = Reading(
            answer["status"], answer.get("value"), answer.get("detail", "")
        )
    return found
