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


def broken(text: str, width: int, inside: bool = False) -> list[str]:
    """Code as lines of at most `width` characters, as the usual formatters break it.

    inside: whether it stands in brackets, where a line may end after any operand.
    """
    if len(text) <= width or text.startswith("#"):
        return [text]
    if inside:
        for separators in ((" for ",), (" + ", " - "), (" @ ", " * ")):
            parts = _split(text, separators)
            if len(parts) > 1:
                return [line for part in parts for line in broken(part, width, True)]
    head, equals, tail = text.partition(" = ")
    if equals and len(head) > width - 9:
        return ["(", *_filled(head, width), f") = {tail}"]
    if text.startswith("for ") and text.index(" in ") > width - 20:
        targets, rest = text.removeprefix("for ").split(" in ", 1)
        opening, *others = [rest] if len(rest) < width - 5 else _call(rest, width)
        return ["for (", *_filled(targets, width), f") in {opening}", *others]
    if text.startswith("del "):
        return ["del (", *_filled(text.removeprefix("del "), width), ")"]
    if text.startswith("return ") and len(_split(text, (", ",))) > 2:
        return ["return (", *_filled(text.removeprefix("return "), width), ")"]
    pair = _outermost(text, width)
    if equals and (pair is None or len(_split(tail, (" + ", " - "))) > 1):
        return broken(f"{head} = ({tail})", width)
    if pair is None:
        return [text]
    start, stop = pair
    content = text[start + 1 : stop]
    items = _split(content, (", ",))
    if len(content) + 4 <= width:
        items = [content]
    elif len(items) > 1:
        items = [item.removeprefix(", ").rstrip(",") + "," for item in items]
    lines = [text[: start + 1]]
    for item in items:
        last = "," if item.endswith(",") and len(items) > 1 else ""
        *first, end = broken(item.removesuffix(last), width - 5, True)
        lines += [f"    {line}" for line in (*first, end + last)]
    return [*lines, text[stop:]]


def _filled(items: str, width: int) -> list[str]:
    """A tuple's inside as full lines."""
    return [f"    {line}" for line in textwrap.wrap(items + ",", width - 4)]


def _call(text: str, width: int) -> list[str]:
    """A call followed by a colon, its arguments as full lines."""
    name, arguments = text.removesuffix("):").split("(", 1)
    return [f"{name}(", *_filled(arguments, width), "):"]


def _outermost(text: str, width: int) -> tuple[int, int] | None:
    """The brackets to break a line in: those that end it if that suffices, else the widest."""
    depth, start, pairs = 0, 0, []
    for i, c in _plain(text):
        if c in "([{":
            start = i if depth == 0 else start
            depth += 1
        elif c in ")]}":
            depth -= 1
            if depth == 0:
                pairs.append((start, i))
    if not pairs:
        return None
    start, stop = pairs[-1]
    if stop >= len(text.rstrip(":")) - 1 and start < width:
        return start, stop
    return max(pairs, key=lambda pair: pair[1] - pair[0])


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


def _split(text: str, separators: tuple[str, ...]) -> list[str]:
    """The parts between separators outside of brackets, each with the one that it begins with."""
    depth, last, result = 0, 0, []
    for i, c in _plain(text):
        depth += (c in "([{") - (c in ")]}")
        if depth == 0 and i and text.startswith(separators, i):
            result.append(text[last:i])
            last = i + 1 if c == " " else i
    return [*result, text[last:]]


def listed(names: Iterable[str]) -> str:
    """A tuple's inside: `a, b`, or `a,` for one."""
    names = list(names)
    return f"{names[0]}," if len(names) == 1 else ", ".join(names)


def literal(text: str) -> str:
    """A string literal: in double quotes where that is safe, else as `repr` has it."""
    return f'"{text}"' if text.isascii() and text.replace(" ", "_").isidentifier() else repr(text)
