"""The process that runs a stranger's function: started by `rnnsym.codecheck.remote`.

Run by its path, not as a module: it needs NumPy and the few files beside it that use nothing else,
so it starts fast and holds nothing of rnnsym. Messages go over two pipes as arrays without pickles;
what the function prints goes nowhere.

    worker.py FILE FUNCTION FOLDER MEMORY SECONDS
"""

from __future__ import annotations

import importlib.util
import json
import os
import resource
import struct
import sys
import types
from dataclasses import fields
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

HERE = Path(__file__).resolve().parent
PACKAGE = "_rnnsym_worker"
#: a file may say in this variable how its function is to be called
ADAPTER = "ADAPTER"
FILE_BYTES = 1 << 24
MOST_BYTES = 1 << 28


def limit(memory: int, seconds: int) -> None:
    """No more memory, time and files than this."""
    for what, value in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        soft = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(what, (soft, hard))


def load(name: str) -> Any:
    """A module of this folder, without the package around it."""
    if PACKAGE not in sys.modules:
        package = types.ModuleType(PACKAGE)
        package.__path__ = [str(HERE)]
        sys.modules[PACKAGE] = package
    return importlib.import_module(f"{PACKAGE}.{name}")


def send(stream: BinaryIO, header: dict[str, Any], arrays: dict[str, Any]) -> None:
    """One message: a length, and an npz of arrays with the header as JSON."""
    import numpy as np

    buffer = BytesIO()
    text = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
    table: dict[str, Any] = {f"a{i}": a for i, a in enumerate(arrays.values())}
    np.savez(buffer, header=text, **table)
    body = buffer.getvalue()
    stream.write(struct.pack("<Q", len(body)))
    stream.write(body)
    stream.flush()


def receive(stream: BinaryIO) -> tuple[dict[str, Any], list[Any]] | None:
    """(header, arrays in their order), or None at the end. No pickles are read."""
    import numpy as np

    start = stream.read(8)
    if len(start) < 8:
        return None
    (length,) = struct.unpack("<Q", start)
    if length > MOST_BYTES:
        raise ValueError("the message is too long")
    body = stream.read(length)
    if len(body) < length:
        return None
    with np.load(BytesIO(body), allow_pickle=False) as table:
        header = json.loads(bytes(table["header"]).decode())
        return header, [table[f"a{i}"] for i in range(len(table.files) - 1)]


def function_of(path: str, name: str) -> tuple[Any, Any]:
    """(the function, the adapter that its file gives it or None); raises what the file raises."""
    sys.path.insert(0, str(Path(path).parent))
    spec = importlib.util.spec_from_file_location(Path(path).stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    parts = [_found(module, part, path) for part in name.split(",")]
    adapter = getattr(module, ADAPTER, None)
    words = {f.name for f in fields(load("adapter").Adapter)}
    if isinstance(adapter, dict) and not words & set(adapter):  # one for each function
        adapter = adapter.get(name)
    return (parts[0] if len(parts) == 1 else tuple(parts)), adapter


class Absent(Exception):
    """The file has no function of this name."""


def _found(module: Any, name: str, path: str) -> Any:
    if not hasattr(module, name):
        public = [
            n
            for n, v in vars(module).items()
            if callable(v) and n[0] != "_" and getattr(v, "__module__", "") == module.__name__
        ]
        there = f": it has {', '.join(public[:8])}" if public else " and no other function"
        raise Absent(f"{Path(path).name} has no function {name!r}{there}")
    return getattr(module, name)


def main() -> None:
    """Answer calls until the other side goes away."""
    path, name, folder, memory, seconds = sys.argv[1:]
    incoming = os.fdopen(os.dup(0), "rb")
    outgoing = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):  # the function reads and prints nothing of ours
        os.dup2(nothing, number)
    import numpy as np  # before the limits: what it maps counts for nobody's function

    limit(int(memory), int(seconds))
    os.chdir(folder)
    calling, adapter = load("calling"), load("adapter")
    values_type = load("layout").Values
    first = receive(incoming)
    assert first is not None
    shapes = adapter.Shapes(**_tuples(first[0]["shapes"]))
    try:
        function, given = function_of(path, name)
        chosen = adapter.Adapter.of(given)
        if chosen.cell and not shapes.cell:
            return send(outgoing, {"cell": chosen.handed}, {})
        caller = calling.Caller(function, chosen, shapes)
    except (Absent, adapter.AdapterError, KeyError) as error:
        text = f"{ADAPTER}: {error}" if isinstance(error, adapter.AdapterError) else str(error)
        unfit = isinstance(error, adapter.AdapterError)
        return send(outgoing, {"failed": text, "unfit": unfit}, {})
    except BaseException as error:
        file = Path(path).name
        return send(outgoing, {"failed": f"{file} cannot be imported: {calling.told(error)}"}, {})
    send(outgoing, _description(caller), {})
    while True:
        message = receive(incoming)
        if message is None:
            return None
        header, arrays = message
        tables: dict[str, dict[str, Any]] = {"parameters": {}, "sequences": {}, "initial": {}}
        for (table, key), array in zip(header["names"], arrays, strict=True):
            tables[table][key] = array
        values = values_type(**tables, sizes=header["sizes"], batch=header["batch"])
        try:
            outcome = caller(values)
        except adapter.AdapterError as error:
            send(outgoing, {"failed": str(error)}, {})
            continue
        told = {k: v for k, v in vars(outcome).items() if k != "gradients"}
        told["gradients"] = list(outcome.gradients)
        if outcome.loss is not None and not np.isfinite(outcome.loss):
            told["loss"] = str(outcome.loss)
        send(outgoing, told, outcome.gradients)


def _tuples(shapes: dict[str, Any]) -> dict[str, Any]:
    """JSON has no tuples."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in shapes.items()}


def _description(caller: Any) -> dict[str, Any]:
    """What the other side must know of the function and its adapter."""
    own = ("init", "arguments", "returns", "calls")  # with constants of any type
    plain = {k: v for k, v in vars(caller.adapter).items() if k not in own}
    return {"adapter": plain, "started": list(caller.started), "arrivals": caller.arrivals}


if __name__ == "__main__":
    main()
