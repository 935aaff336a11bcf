"""A literate source as content: prose as it is, requests and quantities as what they stand for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rnnsym.documents import narrative
from rnnsym.documents.content import (
    Block,
    Bullets,
    Code,
    Document,
    Heading,
    Named,
    Paragraph,
    Prose,
    Styled,
    Table,
    named,
)
from rnnsym.documents.literate import requests
from rnnsym.documents.literate.networks import Models
from rnnsym.errors import InputError, UnavailableError

MARKUP = ("em", "strong")


class Source:
    """One source file: its settings, and the document that it stands for.

    Raises InputError that names file and line for whatever is not understood.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        text = path.read_text(encoding="utf-8")
        self.settings, self.lines, self.body = _front_matter(text, path)
        self.evidence = requests.Evidence()
        self.level = 1
        self._tokens = _parser().parse(self.body)
        with _At(self, self._line("notation")):
            self.models = Models(self.settings.get("notation"))
        for token in self._tokens:
            if token.type == "fence" and token.info.split()[:1] == ["network"]:
                with _At(self, token.map[0] + 1):
                    self.models.define(" ".join(token.info.split()[1:]), token.content)
        with _At(self, self._line("model")):
            self.net: Any = self.models[self.settings.get("model", "elman")]

    def _line(self, key: str) -> int:
        return self.lines.get(key, 1)

    def fail(self, line: int, why: str) -> InputError:
        """An error at a line of this source."""
        return InputError(f"{self.path}:{line}: {why}")

    # ---- requests ------------------------------------------------------------------------

    def request(self, text: str, line: int) -> list[Block]:
        """The blocks that a request stands for."""
        with _At(self, line):
            kind, arguments, options, sections = requests.parse(text)
            net = self.models[options["model"]] if "model" in options else self.net
            ask = requests.Ask(
                *(net, self.net.notation, self.evidence, self.level),
                *(arguments, options, sections, self.path.parent),
            )
            blocks = list(kind.answer(ask))
            return blocks if net is self.net else named(blocks, ask.names)

    # ---- prose ---------------------------------------------------------------------------

    def quantity(self, text: str, line: int) -> Any:
        """A quantity of a model, such as W_aa, a[t-1] or lstm.c[t]."""
        spec, dot, rest = text.partition(".")
        if not dot:
            return self._of(self.net, text, line)
        with _At(self, line):
            net = self.models[spec]
        return Named(self._of(net, rest, line), net.notations.get(self.net.notation))

    def _of(self, net: Any, text: str, line: int) -> Any:
        from sympy import Integer

        from rnnsym.nodes import t

        name, bracket, index = text.partition("[")
        if not bracket and name in net.parameters:
            return net.parameters[name]
        if not bracket and name == net.loss.name:
            return net.total_loss
        index = index.rstrip("]").replace(" ", "")
        if bracket and name in net.vectors:
            offset = index.removeprefix("t") if index.startswith("t") else index
            start: Any = t if index.startswith("t") else Integer(0)
            if offset.lstrip("+-").isdigit() or (offset == "" and index):
                return net.vectors[name].at(start + int(offset or 0))
        raise self.fail(line, f"{text!r} is no quantity of {net.name}")

    def prose(self, inline: Any) -> Prose:
        """Inline tokens as prose."""
        parts: list[Any] = []
        style: list[str] = []
        line = (inline.map or [0])[0] + 1
        for token in inline.children:
            if token.type == "text":
                parts.append(Styled(token.content, style[-1]) if style else token.content)
            elif token.type in ("softbreak", "hardbreak"):
                parts.append(" ")
                line += 1
            elif token.type == "code_inline" and token.content.startswith("="):
                parts.append(self.quantity(token.content[1:].strip(), line))
            elif token.type == "code_inline":
                parts.append(Styled(token.content, "code"))
            elif token.type.removesuffix("_open") in MARKUP:
                style.append(token.type[:-5])
            elif token.type.removesuffix("_close") in MARKUP:
                style.pop()
            else:
                raise self.fail(line, f"{token.type} is not understood in a source")
        return tuple(parts)

    # ---- blocks --------------------------------------------------------------------------

    def blocks(self) -> Iterator[Block]:
        """What the source stands for, in order."""
        tokens = iter(self._tokens)
        for token in tokens:
            if token.type == "heading_open":
                self.level = int(token.tag[1])
                yield Heading(self.level, self.prose(next(tokens)))
            elif token.type == "paragraph_open":
                yield Paragraph(self.prose(next(tokens)))
            elif token.type == "bullet_list_open":
                yield Bullets(list(self.bullets(tokens)))
            elif token.type == "table_open":
                yield self.table(tokens)
            elif token.type == "fence" and token.info.strip() == "rnnsym":
                for i, line in enumerate(token.content.splitlines()):
                    if line.strip():
                        yield from self.request(line, token.map[0] + 2 + i)
            elif token.type == "fence" and token.info.split()[:1] != ["network"]:
                yield Code(token.content, token.info.strip())
            elif token.type != "fence" and not token.type.endswith("_close"):
                what = token.type.removesuffix("_open").replace("_", " ")
                raise self.fail(token.map[0] + 1, f"{what} is not understood in a source")

    def bullets(self, tokens: Iterator[Any]) -> Iterator[Prose]:
        """The items of a list, up to its end: paragraphs, and nothing else."""
        for token in tokens:
            if token.type == "bullet_list_close":
                return
            if token.type == "inline":
                yield self.prose(token)
            elif not token.type.startswith(("list_item", "paragraph")):
                what = token.type.removesuffix("_open").replace("_", " ")
                raise self.fail(token.map[0] + 1, f"{what} in a list is not understood in a source")

    def table(self, tokens: Iterator[Any]) -> Table:
        """A pipe table, whose cells are prose."""
        rows: list[list[Prose]] = []
        alignment = ""
        for token in tokens:
            if token.type == "table_close":
                break
            if token.type == "tr_open":
                rows.append([])
            elif token.type == "th_open":
                alignment += {"center": "c", "right": "r"}.get(
                    str(token.attrs.get("style", "")).partition(":")[2], "l"
                )
            elif token.type == "inline":
                rows[-1].append(self.prose(token))
        return Table(rows[0], rows[1:], alignment)

    def document(self, prefix: str = "") -> Document:
        """The whole source; prefix: before the numbers of its rows."""
        blocks = list(self.blocks())
        title: Prose = (self.settings.get("title", self.path.stem),)
        if blocks and isinstance(blocks[0], Heading) and blocks[0].level == 1:
            title = blocks.pop(0).text
        blocks += narrative.evidence(self.evidence.numbers.checks, self.evidence.others)
        notation = self.net.notation
        return Document(title, blocks, notation, self.net.notations.get(notation), prefix)


class _At:
    """Errors within get the file and the line, unless they have them."""

    def __init__(self, source: Source, line: int) -> None:
        self.source, self.line = source, line

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, InputError) and not str(error).startswith(f"{self.source.path}:"):
            raise self.source.fail(self.line, str(error)) from None


def _front_matter(text: str, path: Path) -> tuple[dict[str, str], dict[str, int], str]:
    """The settings between two lines of ``---``, the lines they stand on, and the rest (with its
    line numbers kept)."""
    lines = text.splitlines()
    if not lines or lines[0].strip() != "---" or "---" not in [x.strip() for x in lines[1:]]:
        raise InputError(f"{path}:1: a source begins with settings between two lines of ---")
    end = 1 + [x.strip() for x in lines[1:]].index("---")
    settings: dict[str, str] = {}
    where: dict[str, int] = {}
    for i, line in enumerate(lines[1:end], 2):
        key, colon, value = (part.strip() for part in line.partition(":"))
        if not line.strip():
            continue
        if not colon or not key.replace("_", "").isalnum():
            raise InputError(f"{path}:{i}: a setting is a line KEY: VALUE")
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        settings[key], where[key] = value, i
    return settings, where, "\n" * (end + 1) + "\n".join(lines[end + 1 :])


def _parser() -> Any:
    try:
        from markdown_it import MarkdownIt
    except ImportError:
        raise UnavailableError(
            "building documents needs markdown-it-py: pip install 'rnnsym[docs]'"
        ) from None
    return MarkdownIt("commonmark").enable("table")
