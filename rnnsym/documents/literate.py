"""Literate sources: Markdown prose with requests for formulas, which are derived and checked.

A source begins with ``model: NAME`` between two lines of ``---``. A fenced block marked
``rnnsym`` holds requests, one a line::

    forward pass                     the equations of the model
    conventions                      layout and notation
    derive W_aa: Linearity           sections of a derivation (all of them without a colon)
    derive W_aa T=3: Term by term    the same for a concrete T
    compact                          the compact notation and its proof
    graph T=3                        the unrolled graph

and inline code that begins with an equals sign, `` `=a[t-1]` ``, prints a quantity of the model.
No formula is typed in a source, so none can be wrong without the build saying so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rnnsym.documents import files, narrative
from rnnsym.documents.content import (
    Block,
    Bullets,
    Code,
    Document,
    Figure,
    Heading,
    Paragraph,
    Prose,
    Styled,
)
from rnnsym.documents.markdown import markdown
from rnnsym.documents.tex import whole
from rnnsym.errors import InputError, UnavailableError
from rnnsym.latex import LatexPrinter


class _Source:
    """One source file being read."""

    def __init__(self, path: Path) -> None:
        from rnnsym.api import model

        self.path = path
        text = path.read_text(encoding="utf-8")
        head, self.body = _front_matter(text, path)
        try:
            self.net: Any = model(head.get("model", "elman"))
        except InputError as error:
            line = next(i for i, x in enumerate(text.splitlines(), 1) if x.startswith("model"))
            raise self.fail(line, str(error)) from None
        self.checks: list[Any] = []

    def fail(self, line: int, why: str) -> InputError:
        return InputError(f"{self.path}:{line}: {why}")

    # ---- requests ------------------------------------------------------------------------

    def request(self, text: str, line: int) -> list[Block]:
        """The blocks that a request stands for; every error names file and line."""
        try:
            return list(self._request(text, line))
        except InputError as error:
            if str(error).startswith(f"{self.path}:"):
                raise
            raise self.fail(line, str(error)) from None

    def _request(self, text: str, line: int) -> Iterator[Block]:
        what, _, rest = text.strip().partition(":")
        words = what.split()
        sections = [s.strip() for s in rest.split(",") if s.strip()]
        steps = next((int(w[2:]) for w in words if w.startswith("T=") and w[2:].isdigit()), None)
        if what == "forward pass":
            yield from _untitled(narrative.forward_pass(self.net))
        elif what == "conventions":
            yield from _untitled(narrative.conventions(self.net, self.net.notation))
        elif words[:1] == ["derive"] and len(words) >= 2:
            derivation = self.net.derive(words[1])
            yield from self.steps(
                derivation if steps is None else derivation.at(steps), sections, line
            )
        elif words == ["compact"]:
            yield from self.steps(self.net.block_identity(), sections, line)
        elif words[:1] == ["graph"] and steps is not None:
            graph = self.net.unroll(steps).reduced()
            printer = LatexPrinter(self.net.notation, self.net.notations.get(self.net.notation))
            yield Figure(graph.mermaid(parameters=False), graph.tikz(printer), graph.text())
        else:
            raise self.fail(line, f"{text.strip()!r} is no request; see rnnsym.documents.literate")

    def steps(self, derivation: Any, sections: Sequence[str], line: int) -> Iterator[Block]:
        unknown = [s for s in sections if s not in derivation.sections]
        if unknown:
            known = ", ".join(derivation.sections)
            raise self.fail(line, f"no section {unknown[0]!r}; there are {known}")
        checks = derivation.check()
        kept = [c for c in checks if not sections or c.step.section in sections]
        blocks = narrative.steps(derivation, checks, len(self.checks), sections or None)
        self.checks += kept
        yield from blocks

    # ---- prose ---------------------------------------------------------------------------

    def quantity(self, text: str, line: int) -> Any:
        """A quantity of the model, such as W_aa or a[t-1]."""
        from sympy import Integer

        from rnnsym.nodes import t

        name, bracket, index = text.partition("[")
        if not bracket and name in self.net.parameters:
            return self.net.parameters[name]
        if not bracket and name == self.net.loss.name:
            return self.net.total_loss
        index = index.rstrip("]").replace(" ", "")
        if bracket and name in self.net.vectors:
            offset = index.removeprefix("t") if index.startswith("t") else index
            start: Any = t if index.startswith("t") else Integer(0)
            if offset.lstrip("+-").isdigit() or (offset == "" and index):
                return self.net.vectors[name].at(start + int(offset or 0))
        raise self.fail(line, f"{text!r} is no quantity of {self.net.name}")

    def prose(self, inline: Any) -> Prose:
        parts: list[Any] = []
        style: list[str] = []
        line = (inline.map or [0])[0] + 1
        for token in inline.children:
            if token.type == "text":
                parts.append(Styled(token.content, style[-1]) if style else token.content)
            elif token.type in ("softbreak", "hardbreak"):
                parts.append(" ")
            elif token.type == "code_inline" and token.content.startswith("="):
                parts.append(self.quantity(token.content[1:].strip(), line))
            elif token.type == "code_inline":
                parts.append(Styled(token.content, "code"))
            elif token.type in ("em_open", "strong_open"):
                style.append(token.type[:-5])
            elif token.type in ("em_close", "strong_close"):
                style.pop()
            else:
                raise self.fail(line, f"{token.type} is not understood in a source")
        return tuple(parts)

    def blocks(self) -> Iterator[Block]:
        tokens = iter(_parser().parse(self.body))
        for token in tokens:
            if token.type == "heading_open":
                yield Heading(int(token.tag[1]), self.prose(next(tokens)))
            elif token.type == "paragraph_open":
                yield Paragraph(self.prose(next(tokens)))
            elif token.type == "bullet_list_open":
                yield Bullets(self.bullets(tokens))
            elif token.type == "fence" and token.info.strip() == "rnnsym":
                for i, line in enumerate(token.content.splitlines()):
                    if line.strip():
                        yield from self.request(line, token.map[0] + 2 + i)
            elif token.type == "fence":
                yield Code(token.content, token.info.strip())
            elif not token.type.endswith("_close"):
                what = token.type.removesuffix("_open").replace("_", " ")
                raise self.fail(token.map[0] + 1, f"{what} is not understood in a source")

    def bullets(self, tokens: Iterator[Any]) -> list[Prose]:
        items: list[Prose] = []
        for token in tokens:
            if token.type == "bullet_list_close":
                break
            if token.type == "inline":
                items.append(self.prose(token))
        return items

    def document(self) -> Document:
        blocks = list(self.blocks())
        title: Prose = (self.path.stem,)
        if blocks and isinstance(blocks[0], Heading) and blocks[0].level == 1:
            title = blocks.pop(0).text
        blocks += narrative.evidence(self.checks)
        names = self.net.notations.get(self.net.notation)
        return Document(title, blocks, self.net.notation, names)


def _untitled(blocks: Iterator[Block]) -> Iterator[Block]:
    """Without headings: the source has its own."""
    return (block for block in blocks if not isinstance(block, Heading))


def _front_matter(text: str, path: Path) -> tuple[dict[str, str], str]:
    """The settings between two lines of ``---``, and the rest (with its line numbers kept)."""
    lines = text.splitlines()
    if not lines or lines[0].strip() != "---" or "---" not in [x.strip() for x in lines[1:]]:
        raise InputError(f"{path}:1: a source begins with settings between two lines of ---")
    end = 1 + [x.strip() for x in lines[1:]].index("---")
    settings: dict[str, str] = {}
    for line in lines[1:end]:
        key, _, value = line.partition(":")
        settings[key.strip()] = value.strip()
    return settings, "\n" * (end + 1) + "\n".join(lines[end + 1 :])


def _parser() -> Any:
    try:
        from markdown_it import MarkdownIt
    except ImportError:
        raise UnavailableError(
            "building documents needs markdown-it-py: pip install 'rnnsym[docs]'"
        ) from None
    return MarkdownIt("commonmark")


def build(folder: str | Path, output: str | Path, row_end: str = r"\\") -> tuple[bool, list[Path]]:
    """Build every source of a folder into Markdown and LaTeX: (all steps hold, files written).

    Raises InputError that names file and line for a source that cannot be built.
    """
    sources = sorted(Path(folder).glob("*.md")) if Path(folder).is_dir() else []
    if not sources:
        raise InputError(f"{folder}: no folder with sources (*.md)")
    read = [_Source(path) for path in sources]
    documents = [source.document() for source in read]
    try:
        Path(output).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot write to {output}: {error.strerror}") from None
    written = []
    for path, document in zip(sources, documents, strict=True):
        target = Path(output) / path.name
        written.append(files.write(target, markdown(document, row_end)))
        written.append(files.write(target.with_suffix(".tex"), whole(document)))
    return all(c.ok for source in read for c in source.checks), written
