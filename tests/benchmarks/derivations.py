"""Importing, deriving and emitting: what a user waits for."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from functools import partial
from typing import Any

from rnnsym import models
from rnnsym.derive.calculus import Calculus
from rnnsym.emit import source
from tests.benchmarks.timing import best

#: what is measured -> its limit in seconds
LIMITS = {
    "import rnnsym, beyond sympy": 0.3,
    "derive elman": 0.15,
    "derive lstm": 0.6,
    "derive gru": 0.6,
    "derive lstm:layers=4,bidirectional": 3.0,
    "elman, T = 1000, per step": 0.002,
    "lstm, T = 1000, per step": 0.002,
    "rnnsym derive elman": 2.0,
    "rnnsym verify elman, T = 50, n = 64": 10.0,
}

#: the command of the last row
VERIFY = (
    "verify elman --steps 50 --sizes n_x=32,n_a=64,n_y=32 "
    "--against bptt,complex_step,exact,finite_difference"
)


def run() -> list[dict[str, Any]]:
    """A row for each measurement."""
    took = {"import rnnsym, beyond sympy": _import("rnnsym") - _import("sympy")}
    for cell in ("elman", "lstm", "gru", "lstm:layers=4,bidirectional"):
        took[f"derive {cell}"] = _fresh(cell)
    for cell in ("elman", "lstm", "gru"):
        took[f"emit {cell}"] = best(partial(_emit, cell))
    for cell, name in (("elman", "W_aa"), ("lstm", "W_fa")):
        took[f"{cell}, T = 1000, per step"] = best(partial(_unrolled, cell, name)) / 1000
    took["rnnsym derive elman"] = _command("derive elman")
    took["rnnsym verify elman, T = 50, n = 64"] = _command(VERIFY)
    return [
        {"what": name, "seconds": seconds, "limit": LIMITS.get(name)}
        for name, seconds in took.items()
    ]


def _unrolled(cell: str, name: str) -> None:
    """A derivation for T = 1000, every step of the backward pass written out."""
    Calculus(models.build(cell, {})).at(name, 1000)


def _command(arguments: str) -> float:
    """The time of a whole process."""
    command = [sys.executable, "-m", "rnnsym.cli", *arguments.split()]
    start = time.perf_counter()
    subprocess.run(command, capture_output=True, check=True)
    return time.perf_counter() - start


def _emit(cell: str) -> str:
    return source(models.build(cell, {}))


def derive(cell: str) -> None:
    """All gradients of a model, for symbolic T."""
    net = models.build(*models.parse(cell))
    calculus = Calculus(net)
    for name in net.parameters:
        calculus.derive(name)


def _import(module: str) -> float:
    """The median time of importing a module in a new process."""
    code = f"import time; s = time.perf_counter(); import {module}; print(time.perf_counter() - s)"
    return statistics.median(_measured(code) for _ in range(7))


def _fresh(cell: str) -> float:
    """The first derivation in a process, after the import: nothing is cached."""
    code = (
        "import time; from tests.benchmarks.derivations import derive; s = time.perf_counter();"
        f"derive({cell!r}); print(time.perf_counter() - s)"
    )
    return statistics.median(_measured(code) for _ in range(3))


def _measured(code: str) -> float:
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(run.stdout)
