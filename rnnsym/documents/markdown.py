"""Documents as Markdown with $…$ and $$…$$, for Hugo, Jupyter, GitHub and the like."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import singledispatch
from typing import Any

from rnnsym.documents.content import (
    Block,
    Bullets,
    Code,
    Display,
    Document,
    Figure,
    Heading,
    Paragraph,
    Prose,
    Ref,
    Remarks,
    Styled,
    Table,
    figures,
    plain,
)
from rnnsym.documents.formulas import Print, latex_printer, text_printer
from rnnsym.documents.formulas import aligned as aligned
from rnnsym.documents.terminal import alternative

MARKS = {"em": "*", "strong": "**", "code": "`"}
RULES = {"l": ":---", "c": ":---:", "r": "---:"}


@dataclass
class Page:
    """What the blocks of one document share: how formulas and numbers are written, and what
    stands for each picture (none: it is drawn in the text)."""

    tex: Print
    text: Print
    row_end: str = r"\\"
    prefix: str = ""
    links: Mapping[int, str] = field(default_factory=dict)


def markdown(document: Document, row_end: str = r"\\", stem: str = "") -> str:
    """The document as Markdown.

    row_end ends the rows of aligned formulas: Hugo's Goldmark wants three backslashes unless
    its passthrough extension is on. With a stem, pictures are links to the files that
    `pictures(document, stem)` names, beside the Markdown; without, they are drawn in the text.
    """
    links = {id(f): name for f, name in _named(document, stem)} if stem else {}
    return "\n\n".join([title(document), *parts(document, row_end, links)]) + "\n"


def page(document: Document, settings: Mapping[str, Any], row_end: str, stem: str) -> str:
    """The document with settings in front, as Hugo, Jekyll and MyST read them; they hold the
    title, so that the text has none."""
    links = {id(f): name for f, name in _named(document, stem)}
    head = "".join(f"{key}: {_setting(key, value)}\n" for key, value in settings.items())
    return f"---\n{head}---\n\n" + "\n\n".join(parts(document, row_end, links)) + "\n"


def parts(document: Document, row_end: str, links: Mapping[int, str]) -> list[str]:
    """Each block of the document as Markdown; links: id of a picture -> where it is."""
    form = _page(document, row_end, links)
    return [_write(block, form) for block in document.blocks]


def pictures(document: Document, stem: str) -> dict[str, str]:
    """The pictures that the Markdown of this document links to: file name -> SVG."""
    return {name: figure.svg for figure, name in _named(document, stem)}


def _named(document: Document, stem: str) -> list[tuple[Figure, str]]:
    drawn = [figure for figure in figures(document) if figure.svg]
    return [(figure, f"{stem}-{i}.svg") for i, figure in enumerate(drawn, 1)]


def title(document: Document) -> str:
    """The title of a document as a heading."""
    return _write(Heading(1, document.title), _page(document))


def _page(document: Document, row_end: str = r"\\", links: Mapping[int, str] | None = None) -> Page:
    tex, text = latex_printer(document), text_printer(document)
    return Page(tex, text, row_end, document.prefix, links or {})


#: settings that are texts, whatever they look like
TEXTS = ("title", "description", "author", "url")
#: what YAML may read as something else than text, and is meant to: numbers, dates, lists
VALUE = re.compile(r"true|false|-?\d+(\.\d+)?|\d{4}-\d\d-\d\d[\dT:+Z.-]*|\[[^\n]*\]")


def _setting(key: str, value: Any) -> str:
    """A value of the front matter: text in quotes, so that nothing in it means anything."""
    text = str(value).lower() if isinstance(value, bool) else plain(str(value))
    if key not in TEXTS and VALUE.fullmatch(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def prose(text: Prose, form: Page) -> str:
    """Prose with its mathematics in dollars."""

    def write(part: Any) -> str:
        if isinstance(part, Styled):
            text = part.text if part.style == "code" else escape(part.text)
            return MARKS[part.style] + text + MARKS[part.style]
        if isinstance(part, Ref):
            return part.text(form.prefix)
        return escape(part) if isinstance(part, str) else f"${_rows(form.tex(part), form)}$"

    return "".join(map(write, text))


def escape(text: str) -> str:
    """Plain text without Markdown's and HTML's special meanings."""
    text = plain(text)
    for c in "\\`*_$[]":
        text = text.replace(c, f"\\{c}")
    return text.replace("<", "&lt;").replace(">", "&gt;")


@singledispatch
def _write(block: Block, form: Page) -> str:
    raise TypeError(f"no Markdown for {type(block).__name__}")


@_write.register
def _(block: Heading, form: Page) -> str:
    return "#" * block.level + " " + prose(block.text, form)


@_write.register
def _(block: Paragraph, form: Page) -> str:
    return prose(block.text, form)


@_write.register
def _(block: Bullets, form: Page) -> str:
    return "\n".join(f"- {prose(item, form)}" for item in block.items)


@_write.register
def _(block: Display, form: Page) -> str:
    return f"$$\n{_rows(aligned(block, form.tex, prefix=form.prefix), form)}\n$$"


def _rows(formula: str, form: Page) -> str:
    """A formula with its rows, those of matrices too, ended as the reader of the page wants."""
    return formula.replace(r"\\", form.row_end)


@_write.register
def _(block: Remarks, form: Page) -> str:
    lines = []
    for r in block.items:
        mark = ("✓ " if r.ok else "✗ ") + escape(r.checked)
        number = f"({form.prefix}{r.number})"
        lines.append(f"- {number} *{escape(r.lead)}*: {prose(r.text, form)}. {mark}")
    return "\n".join(lines)


@_write.register
def _(block: Table, form: Page) -> str:
    def row(cells: Any) -> str:
        return "| " + " | ".join(_cell(prose(cell, form)) for cell in cells) + " |"

    rule = "| " + " | ".join(RULES[a] for a in block.alignment) + " |"
    table = "\n".join([row(block.header), rule, *map(row, block.rows)])
    return table + (f"\n\n{prose(block.caption, form)}" if block.caption else "")


def _cell(text: str) -> str:
    """A cell without the sign that ends cells: in a formula it has a name, which says the same."""

    def write(found: re.Match[str]) -> str:
        if found[0].startswith("$"):
            return found[0].replace(r"\|", r"\Vert ").replace("|", r"\vert ")
        return found[0].replace("|", r"\|")

    return re.sub(r"(?<!\\)\$.*?(?<!\\)\$|[^$\\]+|\\.|\$", write, text)


@_write.register
def _(block: Figure, form: Page) -> str:
    caption = prose(block.caption, form)
    if id(block) in form.links:
        picture = f"![{escape(alternative(block, form.text))}]({form.links[id(block)]})"
    elif block.mermaid:
        picture = f"```mermaid\n{block.mermaid.rstrip()}\n```"
    else:
        picture = f"```text\n{block.text.rstrip()}\n```"
    return picture + (f"\n\n{caption}" if caption else "")


@_write.register
def _(block: Code, form: Page) -> str:
    fence = max(["```", *(run + "`" for run in re.findall("`{3,}", block.text))], key=len)
    return f"{fence}{block.language}\n{block.text.rstrip()}\n{fence}"
