"""Macros of the author, expanded in the text of a formula.

Before the tokens. The expanded text is what positions count in and what corrections are made to.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Protocol

from rnnsym.reader.tokens import MAX_LENGTH, check_length, fail

MAX_STEPS = 2_000

_PLACE = re.compile(r"#([1-9])")
_CALL = re.compile(r"\\(?:[A-Za-z]+|.)", re.DOTALL)


class Macro(Protocol):
    """A macro as `rnnsym.sources` finds it: body with #1, #2, …; default of the first argument."""

    arguments: int
    default: str | None
    body: str


def expand(text: str, macros: Mapping[str, Macro]) -> str:
    """The text with every macro replaced. Raises UnreadableError where that does not end."""
    if not macros:
        return text
    check_length(text)
    table = {name.lstrip("\\"): macro for name, macro in macros.items()}
    steps, start = 0, 0
    while (match := _CALL.search(text, start)) is not None:
        macro = table.get(match.group()[1:])
        if macro is None:
            start = match.end()
            continue
        steps += 1
        if steps > MAX_STEPS:
            fail(f"the macro {match.group()} does not come to an end", match.start())
        arguments, end = _arguments(text, match.end(), macro)
        if len(text) - (end - match.start()) + _size(macro.body, arguments) > MAX_LENGTH:
            fail(
                f"too large: the macro {match.group()} makes more than {MAX_LENGTH:,} characters",
                match.start(),
            )
        body = _filled(macro.body, arguments)
        if match.group()[1:].isalpha() and text[end : end + 1].isalpha() and body[-1:].isalpha():
            body += " "
        if re.search(r"\\" + re.escape(match.group()[1:]) + r"(?![A-Za-z])", body):
            fail(f"the macro {match.group()} is made of itself", match.start())
        text = text[: match.start()] + body + text[end:]
        start = match.start()
    return text


def _size(body: str, arguments: list[str]) -> int:
    """How long a body with its arguments is; a long one is not looked through."""
    if len(body) > MAX_LENGTH:
        return len(body)
    places = [int(n) for n in _PLACE.findall(body)]
    return len(body) - 2 * len(places) + sum(len(_argument(arguments, n)) for n in places)


def _filled(body: str, arguments: list[str]) -> str:
    return _PLACE.sub(lambda m: _argument(arguments, int(m.group(1))), body)


def _argument(arguments: list[str], number: int) -> str:
    return arguments[number - 1] if number <= len(arguments) else ""


def _arguments(text: str, at: int, macro: Macro) -> tuple[list[str], int]:
    found: list[str] = []
    if macro.default is not None:
        inner = re.match(r"\s*\[([^\]]*)\]", text[at:])
        found.append(inner.group(1) if inner else macro.default)
        at += inner.end() if inner else 0
    while len(found) < macro.arguments:
        while text[at : at + 1].isspace():
            at += 1
        if at >= len(text):
            fail("a macro lacks an argument", at)
        if text[at] == "{":
            end = _closing(text, at)
            found.append(text[at + 1 : end])
            at = end + 1
        else:
            match = _CALL.match(text, at)
            piece = match.group() if match else text[at]
            found.append(piece)
            at += len(piece)
    return found, at


def _closing(text: str, at: int) -> int:
    """Where the brace that opens at `at` closes."""
    depth, i = 0, at
    while i < len(text):
        if text[i] == "\\":
            i += 2
            continue
        depth += {"{": 1, "}": -1}.get(text[i], 0)
        if depth == 0:
            return i
        i += 1
    fail("a brace is not closed", at)
