"""`rnnsym check-code FILE.py:FUNCTION --model MODEL`: the check from the command line.

End of the flow. The function runs in another process; here are only the words around it.
"""

from __future__ import annotations

import json as json_module
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rnnsym.codecheck.calling import told
from rnnsym.codecheck.check import judge
from rnnsym.codecheck.faults import OfACell, Uncallable
from rnnsym.codecheck.layer import cell_of, either, layer_of
from rnnsym.codecheck.points import shapes_of
from rnnsym.codecheck.remote import Remote
from rnnsym.codecheck.report import CodeReport
from rnnsym.errors import InputError, RnnsymError

HOLDS, REFUTED, BAD_INPUT, UNDECIDED = range(4)


def run(
    spec: str,
    model: Any,
    json: bool,
    *,
    seed: int = 0,
    steps: int | Sequence[int] | None = None,
    sizes: Mapping[str, int] | None = None,
) -> int:
    """Check FILE.py:FUNCTION against a model, print the report, return the exit status.

    model: a network, or the text of a built-in one. Status 0 every gradient is right, 1 one is
    wrong or missing, 3 it could not be decided, because the function is not deterministic, a bound
    hides a gradient, or rnnsym itself failed. Raises InputError, for the caller to print with
    status 2, where there is no such file or function, it cannot be imported or called, takes too
    long, or ends its process.
    """
    try:
        report, label = _judged(spec, model, seed, steps, sizes)
    except RnnsymError:
        raise
    except Exception as error:  # status 1 would say that the code is refuted
        print(f"rnnsym: not decided, by a fault of rnnsym itself: {told(error)}", file=sys.stderr)
        return UNDECIDED
    if json:
        answer = {**report.as_json(), "model": label}
        print(json_module.dumps(answer, indent=2, ensure_ascii=False))
    else:
        print(report.text())
    if report.undecided:
        return UNDECIDED
    if report.open and all(g.ok for n, g in report.gradients.items() if n not in report.open):
        return UNDECIDED
    return HOLDS if report.ok else REFUTED


def _judged(
    spec: str,
    model: Any,
    seed: int,
    steps: int | Sequence[int] | None,
    sizes: Mapping[str, int] | None,
) -> tuple[CodeReport, str]:
    """The report on a function in a file, and what the model is called."""
    path, name = split(spec)
    net, label = model, getattr(model, "name", model)
    if isinstance(model, str):
        from rnnsym.api import model as built

        net = built(model)
        net.name = label  # with its options, as it was asked for

    def of(network: Any, as_layer: bool | None, cell: bool = False) -> CodeReport:
        with Remote(path, name, shapes_of(network, cell)) as remote:
            stated = remote.adapter.layer
            if as_layer is not None and stated not in (None, as_layer):
                raise Uncallable(f"the adapter says layer={stated}", "adapter")
            return judge(
                remote, network, remote.adapter, remote.started,
                seed=seed, steps=steps, sizes=sizes, name=name,
            )  # fmt: skip

    def judged(as_layer: bool) -> CodeReport:
        return of(layer_of(net) if as_layer else net, as_layer)

    try:
        report = either(judged, None) if "," in name else judged(False)
    except OfACell as told_by_adapter:
        report = of(cell_of(net, told_by_adapter.words), None, cell=True)
    return report, str(label)


def split(spec: str) -> tuple[str, str]:
    """(path, function) of FILE.py:FUNCTION. Raises InputError if there is no such file."""
    path, colon, name = spec.rpartition(":")
    usage = "write FILE.py:FUNCTION"
    if not colon or not path or not name:
        raise InputError(f"{spec!r} names no function: {usage}")
    if not all(part.isidentifier() for part in name.split(",")):
        raise InputError(f"{name!r} is no name of a function: {usage}")
    if not Path(path).is_file():
        raise InputError(f"there is no file {path}")
    if Path(path).suffix != ".py":
        raise InputError(f"{path} is no Python file: {usage}")
    return path, name


def main() -> int:
    """`python -m rnnsym.codecheck.command FILE.py:FUNCTION MODEL [--json]`."""
    words = [w for w in sys.argv[1:] if w != "--json"]
    try:
        if len(words) != 2:
            raise InputError("usage: FILE.py:FUNCTION MODEL [--json]")
        return run(words[0], words[1], "--json" in sys.argv)
    except RnnsymError as error:
        print(f"rnnsym: {' '.join(str(error).split())}", file=sys.stderr)
        return BAD_INPUT


if __name__ == "__main__":
    raise SystemExit(main())
