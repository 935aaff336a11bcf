"""The network of a file of forward equations: LaTeX, Markdown, or the grammar of `Network`.

Between the command line and the two readers. A file in the grammar has an equation a line, as
`h[t] = tanh(W @ h[t-1] + U @ x[t] + b)`; lines such as `loss = squared_error` give what `Network`
takes besides, and what follows a # is left out.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from rnnsym.errors import InputError

#: the endings of files of equations
ENDINGS = (".tex", ".md", ".txt")
EQUATION = re.compile(r"\s*[^\W\d]\w*\[[^\[\]=]*\]\s*=")
#: what may be said of a network beside its equations, and whether it is several names
OPTIONS = {"loss": False, "output": False, "inputs": True, "targets": True}
OPTION = re.compile(rf"\s*({'|'.join(OPTIONS)})\s*=\s*([\w\s,]*\w)\s*")


def read_model(path: Path) -> Any:
    """The network of a file. Raises InputError with the path and the place of what is wrong."""
    from rnnsym.api import Network
    from rnnsym.reader.network import read

    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot open {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8: byte {error.start}") from None
    try:
        if is_grammar(text):
            equations, options = _parted(text)
            return Network(equations, name=path.stem, **options)
        return read(text, make=Network, name=path.stem)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def is_grammar(text: str) -> bool:
    """Whether a text is equations in the grammar of `Network`, and not LaTeX or Markdown."""
    lines = [line for line in _lines(text) if not OPTION.fullmatch(line)]
    plain = not any(sign in line for line in lines for sign in "\\$")
    return bool(lines) and plain and EQUATION.match(lines[0]) is not None


def _lines(text: str) -> list[str]:
    """The lines that say something."""
    bare = (line.partition("#")[0].rstrip() for line in text.splitlines())
    return [line for line in bare if line.strip()]


def _parted(text: str) -> tuple[str, dict[str, Any]]:
    """(the equations, the options) of a text in the grammar."""
    options: dict[str, Any] = {}
    equations = []
    for line in _lines(text):
        option = OPTION.fullmatch(line)
        if option is None:
            equations.append(line)
            continue
        key, value = option.group(1), option.group(2).strip()
        if key in options:
            raise InputError(f"{key} is given twice: leave one out")
        options[key] = [n.strip() for n in value.split(",")] if OPTIONS[key] else value
    return "\n".join(equations), options
