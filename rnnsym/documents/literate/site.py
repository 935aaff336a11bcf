"""The pages of a built folder as a site: each chapter with its neighbours, and the contents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rnnsym.documents.content import Document
from rnnsym.documents.formulas import text_printer
from rnnsym.documents.html import Link, Navigation, escape, heads, html, title
from rnnsym.documents.terminal import prose


@dataclass(frozen=True)
class Chapter:
    """A page: the stem of its file, its document, how many checks it made and which failed."""

    stem: str
    document: Document
    checked: int
    failures: Sequence[str]

    @property
    def link(self) -> Link:
        """The page, by its title."""
        return Link(f"{self.stem}.html", prose(self.document.title, text_printer(self.document)))


def pages(book: Document, chapters: Sequence[Chapter]) -> dict[str, str | bytes]:
    """File name -> page, for every chapter."""
    contents = Link("index.html", prose(book.title, text_printer(book)))
    links = [None, *(chapter.link for chapter in chapters), None]
    return {
        f"{chapter.stem}.html": html(chapter.document, Navigation(links[i], contents, links[i + 2]))
        for i, chapter in enumerate(chapters)
    }


def index(book: Document, chapters: Sequence[Chapter], pdf: bool) -> str:
    """The first page: what the book says of itself, and its chapters with their sections."""
    items = []
    for chapter in chapters:
        file = escape(chapter.link.href)
        sections = "".join(
            f'<li><a href="{file}#{escape(anchor)}">{words}</a></li>'
            for anchor, words in heads(chapter.document)
        )
        good = chapter.checked - len(chapter.failures)
        kind = "bad" if chapter.failures else "ok"
        mark = f' <span class="{kind}">{good} of {chapter.checked} checks hold</span>'
        items.append(
            f'<li><a href="{file}">{title(chapter.document)}</a>'
            f"{mark if chapter.checked else ''}<ul>{sections}</ul></li>"
        )
    body = "\n".join(items)
    book_link = '<a href="book.pdf">PDF</a>, ' if pdf else ""
    lead = f'<p class="lead">The whole book: {book_link}<a href="book.tex">LaTeX</a>.</p>'
    return html(book, end=f'{lead}\n<ol class="contents">\n{body}\n</ol>')
