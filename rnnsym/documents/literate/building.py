"""A folder of sources as one book, a site of pages, and Markdown for Hugo.

A source is a chapter, in the order of the file names (2-… before 10-…). A file ``_index.md`` is
no chapter: its title, author, date and text are those of the book.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnsym.documents import files, markdown, tex
from rnnsym.documents.content import Document
from rnnsym.documents.formulas import text_printer
from rnnsym.documents.literate.reading import Source
from rnnsym.documents.literate.site import Chapter, index, pages
from rnnsym.documents.terminal import prose
from rnnsym.errors import InputError, UnavailableError

FRONT = "_index.md"
TITLE = "Derivations"
Tell = Callable[[str], None]


@dataclass(frozen=True)
class _Built:
    """A source with its document, and how long that took."""

    source: Source
    document: Document
    seconds: float

    @property
    def outcomes(self) -> list[tuple[bool, str]]:
        return self.source.evidence.outcomes

    @property
    def failures(self) -> list[str]:
        return [what for ok, what in self.outcomes if not ok]

    @property
    def title(self) -> str:
        return prose(self.document.title, text_printer(self.document))


def build(
    folder: str | Path, output: str | Path, row_end: str = r"\\", tell: Tell = lambda line: None
) -> tuple[bool, list[Path]]:
    """Build every source of a folder: (everything that was checked holds, files written).

    Written are book.tex (and book.pdf where there is a TeX engine), for each source NAME.html and
    NAME.md with its pictures beside it, index.html and _index.md, and build.json, which says what
    was checked. `tell` gets a line for each thing done. Raises InputError that names file and line
    for a source that cannot be built; then nothing is written.
    """
    out = Path(output)
    there = next(path for path in (out, *out.absolute().parents) if path.exists())
    if not there.is_dir():
        raise InputError(f"cannot write to {out}: {there} is no folder")
    front_path, paths = _sources(Path(folder))
    started = time.perf_counter()
    front = None if front_path is None else _build(front_path, "", tell)
    built = [_build(path, f"{i}.", tell) for i, path in enumerate(paths, 1)]
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot write to {out}: {error.strerror}") from None
    everything = [*([front] if front else []), *built]
    book, settings = _front(front)
    text = tex.book(
        book,
        [b.document for b in built],
        str(settings.get("author", "")),
        str(settings.get("date", "")),
    )
    data: dict[str, str | bytes] = {"book.tex": text}
    pdf = _pdf(text, out / "book.pdf", tell)
    if pdf is not None:
        data["book.pdf"] = pdf
    for i, one in enumerate(built, 1):
        data |= _hugo(one, i, row_end)
    data |= _hugo_front(book, settings, row_end)
    chapters = [Chapter(b.source.path.stem, b.document, len(b.outcomes), b.failures) for b in built]
    data |= pages(book, chapters)
    data["index.html"] = index(book, chapters, pdf is not None)
    data["build.json"] = _summary(everything, time.perf_counter() - started)
    written = [files.write(out / name, content) for name, content in data.items()]
    return not any(one.failures for one in everything), written


def _sources(folder: Path) -> tuple[Path | None, list[Path]]:
    """The front and the chapters."""
    paths = sorted(folder.glob("*.md"), key=_natural) if folder.is_dir() else []
    front = next((path for path in paths if path.name == FRONT), None)
    chapters = [path for path in paths if path != front]
    if not chapters:
        raise InputError(f"{folder}: no folder with sources (*.md)")
    taken = {"index", "book", "build"} & {path.stem for path in chapters}
    if taken:
        raise InputError(f"{folder}/{min(taken)}.md: the name is taken, choose another")
    return front, chapters


def _natural(path: Path) -> list[Any]:
    """A key by which 2 comes before 10."""
    parts = re.split(r"(\d+)", path.name)
    return [(int(p), "") if p.isdecimal() else (-1, p) for p in parts]


def _build(path: Path, prefix: str, tell: Tell) -> _Built:
    started = time.perf_counter()
    source = Source(path)
    one = _Built(source, source.document(prefix), time.perf_counter() - started)
    outcomes, failures = one.outcomes, one.failures
    what = f"{len(outcomes) - len(failures)} of {len(outcomes)} checks hold" if outcomes else "read"
    tell(f"{path}: {what} ({one.seconds:.1f} s)")
    for failure in failures:
        tell(f"{path}: FAILS: {failure}")
    return one


def _front(front: _Built | None) -> tuple[Document, dict[str, str]]:
    """The book's title and preface, and its settings."""
    if front is None:
        return Document((TITLE,), []), {}
    document = front.document
    if document.title == (FRONT.removesuffix(".md"),):
        document = Document((TITLE,), document.blocks, document.notation, document.names)
    return document, front.source.settings


def _pdf(text: str, path: Path, tell: Tell) -> bytes | None:
    """The book as PDF, where that can be made; an older one does not stay beside a newer book."""
    try:
        return files.compiled(text)
    except UnavailableError as error:
        tell(f"no {path.name}: {error}")
        path.unlink(missing_ok=True)
        return None


OWN = ("model", "notation")


def _hugo(one: _Built, weight: int, row_end: str) -> dict[str, str | bytes]:
    """A chapter as Markdown, with the settings that Hugo wants, and its pictures.

    The url makes the links to them right, which are relative to the file.
    """
    stem = one.source.path.stem
    given = {k: v for k, v in one.source.settings.items() if k not in OWN}
    settings = {
        "title": one.title, "weight": weight, "math": True, "url": f"/:sections/{stem}.html",
    }  # fmt: skip
    settings |= {key: value for key, value in given.items() if key != "title"}
    page = markdown.page(one.document, settings, row_end, stem)
    return {f"{stem}.md": page, **markdown.pictures(one.document, stem)}


def _hugo_front(book: Document, given: dict[str, str], row_end: str) -> dict[str, str | bytes]:
    title = prose(book.title, text_printer(book))
    kept = {k: v for k, v in given.items() if k not in OWN}
    page = markdown.page(book, {"math": True, **kept, "title": title}, row_end, "_index")
    return {FRONT: page, **markdown.pictures(book, "_index")}


def _summary(built: list[_Built], seconds: float) -> str:
    sections = [
        {
            "name": one.source.path.stem,
            "title": one.title,
            "model": one.source.net.name,
            "checked": len(one.outcomes),
            "failures": one.failures,
            "seconds": round(one.seconds, 3),
        }
        for one in built
    ]
    summary = {
        "ok": not any(one.failures for one in built),
        "checked": sum(len(one.outcomes) for one in built),
        "failures": sum(len(one.failures) for one in built),
        "seconds": round(seconds, 3),
        "sections": sections,
    }
    return json.dumps(summary, indent=2, ensure_ascii=False) + "\n"
