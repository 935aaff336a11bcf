"""Lines of source, indented and kept below the line length: knows Python's layout, nothing else."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

WIDTH = 100


class Writer:
    """Collects lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.level = 0

    @contextmanager
    def indented(self) -> Iterator[None]:
        """What is written inside is one level deeper."""
        self.level += 1
        yield
        self.level -= 1

    def line(self, text: str = "") -> None:
        """One line, broken inside its brackets where it is too long."""
        pad = "    " * self.level
        self.lines += [f"{pad}{part}".rstrip() for part in broken(text, WIDTH - len(pad))]

    def comment(self, text: str) -> None:
        """A comment of one or more lines."""
        width = WIDTH - 4 * self.level - 2
        for part in textwrap.wrap(text, width, subsequent_indent="    "):
            self.line(f"# {part}")

    def block(self, text: str) -> None:
        """Source of several lines, as it is."""
        self.lines += [f"{'    ' * self.level}{part}".rstrip() for part in text.splitlines()]

    def source(self) -> str:
        """Everything written."""
        return "\n".join(self.lines) + "\n"


def broken(text: str, width: int) -> list[str]:
    """A statement as lines of at most `width` characters, as the usual formatters break it."""
    if len(text) <= width or text.startswith("#"):
        return [text]
    head, equals, tail = text.partition(" = ")
    start, stop = _outermost(text)
    if equals and (start is None or len(_operands(tail)) > 1):
        return broken(f"{head} = ({tail})", width)
    if start is None or stop is None:
        return [text]
    inside, after = text[start + 1 : stop], text[stop:]
    items = [*_split(inside, ", ")]
    if len(inside) + 4 <= width:
        inner = [inside]
    elif len(items) > 1:
        inner = [f"{item}," for item in items]
    else:
        inner = _operands(inside)
    lines = [text[: start + 1]]
    for part in inner:
        lines += [f"    {p}" for p in broken(part, width - 4)]
    return [*lines, after]


def _outermost(text: str) -> tuple[int | None, int | None]:
    """The last top-level pair of brackets that reaches the end of the statement."""
    depth, start = 0, None
    for i, c in _plain(text):
        if c in "([{":
            if depth == 0:
                start = i
            depth += 1
        elif c in ")]}":
            depth -= 1
            if depth == 0 and i >= len(text.rstrip(":")) - 1:
                return start, i
    return None, None


def _plain(text: str) -> Iterator[tuple[int, str]]:
    """The characters outside of string literals."""
    quote = ""
    skip = False
    for i, c in enumerate(text):
        if skip:
            skip = False
        elif quote:
            skip = c == "\\"
            quote = "" if c == quote else quote
        elif c in "'\"":
            quote = c
        else:
            yield i, c


def _split(text: str, separator: str) -> Iterator[str]:
    depth, last = 0, 0
    for i, c in _plain(text):
        depth += (c in "([{") - (c in ")]}")
        if depth == 0 and text.startswith(separator, i):
            yield text[last:i]
            last = i + len(separator)
    if text[last:].strip():
        yield text[last:].rstrip(",")


def _operands(text: str) -> list[str]:
    """A sum, a line each summand."""
    depth, last, result = 0, 0, []
    for i, c in _plain(text):
        depth += (c in "([{") - (c in ")]}")
        if depth == 0 and i and text[i : i + 3] in (" + ", " - "):
            result.append(text[last:i])
            last = i + 1
    return [*result, text[last:]]


def listed(names: Iterable[str]) -> str:
    """A tuple's inside: `a, b`, or `a,` for one."""
    names = list(names)
    return f"{names[0]}," if len(names) == 1 else ", ".join(names)
