"""Documents as HTML: one self-contained file, formulas as MathML, pictures as SVG, no script."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import singledispatch
from html import escape as _escape
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
    plain,
)
from rnnsym.documents.formulas import Print, latex_printer, lines, text_printer
from rnnsym.documents.mathml import converter
from rnnsym.documents.raised import RAISED, RAISES
from rnnsym.documents.style import CSS
from rnnsym.documents.terminal import alternative
from rnnsym.documents.terminal import prose as as_text

#: the page may use what is in it, and nothing else
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
TAGS = {"em": "em", "strong": "strong", "code": "code"}
#: more letters than this in a row are set smaller on paper, where nothing can be scrolled
WIDE = 70
MORE = {"l": "", "c": ' class="c"', "r": ' class="r"'}


@dataclass(frozen=True)
class Link:
    """Another page: its file, beside this one, and its name."""

    href: str
    text: str


@dataclass(frozen=True)
class Navigation:
    """Where a page stands in a book."""

    previous: Link | None = None
    contents: Link | None = None
    following: Link | None = None


@dataclass
class Page:
    """What the blocks of one document share; anchors: the names that headings have taken."""

    latex: Print
    text: Print
    prefix: str
    anchors: dict[str, str] = field(default_factory=dict)
    pictures: int = 0

    def math(self, e: Any, displayed: bool = False) -> str:
        """An expression as MathML."""
        return converter()(self.latex(e), displayed)


def html(document: Document, navigation: Navigation | None = None, end: str = "") -> str:
    """The document as a page of its own; needs no other file, no script and no network.

    end: HTML to stand after it.
    Raises UnavailableError where math-core is not installed.
    """
    page = _page(document)
    title = as_text(document.title, page.text, document.prefix)
    body = [_write(Heading(1, document.title), page)]
    body += [*(_write(block, page) for block in document.blocks), end]
    links = "" if navigation is None else _navigation(navigation)
    main = "\n".join(body)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n<style>\n{CSS}</style>\n</head>\n<body>\n"
        f"{links}<main>\n{main}\n</main>\n{links}</body>\n</html>\n"
    )


def heads(document: Document) -> list[tuple[str, str]]:
    """The headings of level 2, for a table of contents: anchor and HTML."""
    page = _page(document)
    found = []
    for block in document.blocks:
        if isinstance(block, Heading):
            anchor = _anchor(block, page)
            if block.level == 2:
                found.append((anchor, prose(block.text, page)))
    return found


def title(document: Document) -> str:
    """The title of a document as HTML."""
    return prose(document.title, _page(document))


def _page(document: Document) -> Page:
    return Page(latex_printer(document), text_printer(document), document.prefix)


def _navigation(navigation: Navigation) -> str:
    def link(to: Link | None, rel: str, before: str, after: str) -> str:
        if to is None:
            return "<span></span>"
        return f'<a href="{escape(to.href)}" rel="{rel}">{before}{escape(to.text)}{after}</a>'

    return (
        '<nav aria-label="pages">'
        + link(navigation.previous, "prev", "← ", "")
        + link(navigation.contents, "contents", "", "")
        + link(navigation.following, "next", "", " →")
        + "</nav>\n"
    )


def escape(text: str) -> str:
    """Plain text without HTML's special meanings."""
    return _escape(plain(text))


def words(text: str) -> str:
    """The same with raised figures as HTML has them: fonts draw those of Unicode unevenly."""
    return re.sub(
        f"[{RAISES}]+",
        lambda m: f"<sup>{m[0].translate(RAISED).replace('-', '−')}</sup>",
        escape(text),
    )


def prose(text: Prose, page: Page) -> str:
    """Prose with its mathematics as MathML."""

    def write(part: Any) -> str:
        if isinstance(part, Styled):
            tag = TAGS[part.style]
            return f"<{tag}>{escape(part.text)}</{tag}>"
        if isinstance(part, Ref):
            target = f"#{_row(page, part.first)}"
            return f'<a href="{target}">{escape(part.text(page.prefix))}</a>'
        return words(part) if isinstance(part, str) else page.math(part)

    return "".join(map(write, text))


def _row(page: Page, number: int) -> str:
    return f"eq-{page.prefix}{number}"


def _anchor(block: Heading, page: Page) -> str:
    """A name for a heading that no other heading of the page has."""
    spoken = as_text(block.text, page.text, page.prefix).lower()
    name = re.sub(r"[^\w]+", "-", spoken).strip("-") or "section"
    anchor, i = name, 1
    while anchor in page.anchors:
        i += 1
        anchor = f"{name}-{i}"
    page.anchors[anchor] = spoken
    return anchor


@singledispatch
def _write(block: Block, page: Page) -> str:
    raise TypeError(f"no HTML for {type(block).__name__}")


@_write.register
def _(block: Heading, page: Page) -> str:
    level, inside = min(block.level, 6), prose(block.text, page)
    if level == 1:
        return f"<h1>{inside}</h1>"
    anchor = escape(_anchor(block, page))
    link = f'<a class="anchor" href="#{anchor}" aria-label="link to this section">#</a>'
    return f'<h{level} id="{anchor}">{inside} {link}</h{level}>'


@_write.register
def _(block: Paragraph, page: Page) -> str:
    return f"<p>{prose(block.text, page)}</p>"


@_write.register
def _(block: Bullets, page: Page) -> str:
    items = "\n".join(f"<li>{prose(item, page)}</li>" for item in block.items)
    return f"<ul>\n{items}\n</ul>"


@_write.register
def _(block: Display, page: Page) -> str:
    mathml, rows, widest = converter(), [], 0
    for line in lines(block, page.latex):
        left = mathml(line.left, True) if line.left else ""
        if line.whole:
            rows.append(f'<tr><td colspan="2" class="whole">{left}</td><td></td></tr>')
            continue
        right = f"{{}}{line.relation} {line.right}" if line.relation else rf"\quad {line.right}"
        widest = max(widest, _letters(line.left) + _letters(line.right))
        number, target = "", ""
        if line.number is not None:
            target = f' id="{escape(_row(page, line.number))}"'
            number = f"({escape(page.prefix)}{line.number})"
        rows.append(
            f'<tr{target}><td class="r">{left}</td><td>{mathml(right, True)}</td>'
            f'<td class="number">{number}</td></tr>'
        )
    table, kind = "\n".join(rows), "display wide" if widest > WIDE else "display"
    return (
        f'<div class="{kind}" tabindex="0" role="group" aria-label="formulas">'
        f'<table role="presentation">\n{table}\n</table></div>'
    )


def _letters(latex: str) -> int:
    """About how many letters a formula has in a row."""
    return len(re.sub(r"\\[A-Za-z]+|[{}^_\s]", "", latex))


@_write.register
def _(block: Remarks, page: Page) -> str:
    items = []
    for r in block.items:
        kind, mark = ("ok", "✓") if r.ok else ("bad", "✗ fails:")
        number = f'<a href="#{escape(_row(page, r.number))}">({escape(page.prefix)}{r.number})</a>'
        items.append(
            f"<li>{number} <em>{escape(r.lead)}</em>: {prose(r.text, page)}. "
            f'<span class="{kind}">{mark} {words(r.checked)}</span></li>'
        )
    body = "\n".join(items)
    return f'<ul class="remarks">\n{body}\n</ul>'


@_write.register
def _(block: Table, page: Page) -> str:
    def row(cells: Sequence[Prose], tag: str) -> str:
        written = "".join(
            f"<{tag}{MORE[align]}>{prose(cell, page)}</{tag}>"
            for cell, align in zip(cells, block.alignment, strict=True)
        )
        return f"<tr>{written}</tr>"

    caption = f"<caption>{prose(block.caption, page)}</caption>" if block.caption else ""
    body = "\n".join(row(cells, "td") for cells in block.rows)
    return (
        f'<div class="table"><table>{caption}\n<thead>{row(block.header, "th")}</thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


@_write.register
def _(block: Figure, page: Page) -> str:
    if block.svg:
        page.pictures += 1
        label = escape(alternative(block, page.text))
        picture = inlined(block.svg, f"p{page.pictures}-", label)
    else:
        picture = f"<pre>{_escape(block.text.rstrip())}</pre>"
    caption = f"<figcaption>{prose(block.caption, page)}</figcaption>" if block.caption else ""
    return f'<figure><div class="picture">{picture}</div>{caption}</figure>'


def inlined(svg: str, prefix: str, label: str) -> str:
    """An SVG to stand in a page: its identifiers are made its own, and it says what it shows."""
    svg = svg[svg.index("<svg") :].rstrip()
    for name in set(re.findall(r'\bid="([^"]+)"', svg)):
        found = re.escape(name)
        svg = re.sub(rf'\bid="{found}"', f'id="{prefix}{name}"', svg)
        svg = re.sub(rf"url\(#{found}\)", f"url(#{prefix}{name})", svg)
        svg = re.sub(rf'href="#{found}"', f'href="#{prefix}{name}"', svg)
    return svg.replace("<svg", f'<svg aria-label="{label}"', 1)


@_write.register
def _(block: Code, page: Page) -> str:
    kind = re.sub(r"[^\w+-]", "", block.language)
    name = f' class="language-{kind}"' if kind else ""
    return f"<pre><code{name}>{_escape(block.text.rstrip())}</code></pre>"
