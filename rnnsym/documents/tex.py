"""Documents as LaTeX: a fragment to be included, a whole file that compiles, or a book of many."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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
)
from rnnsym.documents.formulas import Print, aligned, latex_printer, text_printer
from rnnsym.documents.raised import RAISED, RAISES
from rnnsym.documents.terminal import prose as as_text

PREAMBLE = r"""\usepackage[utf8]{inputenc}
\usepackage{amsmath,amssymb,mathrsfs,graphicx}
\usepackage[margin=2.2cm]{geometry}
\usepackage[hidelinks]{hyperref}
\renewcommand{\labelitemi}{$\bullet$}
\setlength{\parindent}{0pt}\setlength{\parskip}{6pt}
% what is wider than the line is scaled to fit it
\newsavebox{\fitbox}
\newcommand{\fittext}[1]{\sbox{\fitbox}{#1}%
  \ifdim\wd\fitbox>\linewidth\resizebox{\linewidth}{!}{\usebox{\fitbox}}\else\usebox{\fitbox}\fi}
\newcommand{\fit}[1]{\fittext{$\displaystyle #1$}}
"""
ARTICLE = "\\documentclass[11pt,a4paper]{article}\n"
BOOK = r"""\documentclass[11pt,a4paper,oneside]{book}
\renewcommand{\chaptermark}[1]{\markboth{\thechapter\quad #1}{}}
"""

#: what only some blocks need: loaded where a document has such a block
PACKAGES = {
    Figure: "\\usepackage{tikz}\\usetikzlibrary{arrows.meta}\n",
    Table: "\\usepackage{booktabs}\n",
}

SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "%": r"\%",
    "#": r"\#", "_": r"\_", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "∂": r"$\partial$", "…": r"\dots{}", "Σ": r"$\sum$", "Π": r"$\prod$", "∇": r"$\nabla$",
    "⟨": r"$\langle$", "⟩": r"$\rangle$", "→": r"$\to$", "←": r"$\leftarrow$",
    "⇒": r"$\Rightarrow$", "✓": r"\checkmark{}", "✗": r"$\times$", "×": r"$\times$", "′": "'",
    "⊙": r"$\odot$", "⊗": r"$\otimes$", "⊘": r"$\oslash$", "√": r"$\surd$", "∞": r"$\infty$",
    "≤": r"$\leq$", "≥": r"$\geq$", "≈": r"$\approx$", "≠": r"$\neq$", "∈": r"$\in$",
    "‖": r"$\Vert$", "−": "$-$", "·": r"$\cdot$", "ᵀ": r"$^{\top}$", "±": r"$\pm$",
    "–": "--", "—": "---", "‘": "`", "’": "'", "“": "``", "”": "''", "<": r"$<$", ">": r"$>$",
    "|": r"$\vert$", "`": r"\textasciigrave{}",
}  # fmt: skip
ACCENTS = {"\u0302": "hat", "\u0303": "tilde", "\u0304": "bar"}
#: letters and accents that TeX's oldest fonts have; others need packages
LETTERS = "ßæÆœŒøØłŁ§¶©£¡¿"
ACCENTED = "\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u030a\u030b\u030c\u0327"
COMMANDS = {"em": "emph", "strong": "textbf", "code": "texttt"}
SECTIONS = {1: "section*", 2: "subsection*", 3: "subsubsection*"}
BOOK_SECTIONS = {1: "section", 2: "section", 3: "subsection", 4: "subsubsection*"}


@dataclass(frozen=True)
class Page:
    """What the blocks of one document share.

    fitted: the preamble above is there, so that what is too wide is scaled and numbers are links.
    """

    tex: Print
    text: Print
    prefix: str
    fitted: bool
    sections: dict[int, str]


def fragment(document: Document) -> str:
    """The document's body, to be included in a LaTeX file that loads amsmath and mathrsfs.

    Where there are tables it needs booktabs, for pictures tikz with its library arrows.meta.
    """
    return _body(document, False, SECTIONS) + "\n"


def whole(document: Document) -> str:
    """The document as a file that compiles by itself."""
    heading = prose(document.title, _page(document, True, SECTIONS))
    return (
        f"{ARTICLE}{_preamble([document])}\\begin{{document}}\n"
        f"{{\\LARGE\\bfseries {heading}\\par}}\n\n"
        f"{_body(document, True, SECTIONS)}\n\\end{{document}}\n"
    )


def book(front: Document, chapters: Sequence[Document], author: str = "", date: str = "") -> str:
    """Documents as the chapters of one book that compiles by itself: title page, contents.

    front: the book's title, and what stands before its first chapter.
    """
    title = prose(front.title, _page(front, True, BOOK_SECTIONS))
    parts = [
        f"\\title{{{title}}}\n\\author{{{escape(author)}}}\n\\date{{{escape(date)}}}",
        "\\begin{document}\n\\frontmatter\n\\maketitle\n\\tableofcontents",
    ]
    if front.blocks:
        parts.append("\\chapter{Preface}\n\n" + _body(front, True, BOOK_SECTIONS))
    parts.append("\\mainmatter")
    for chapter in chapters:
        heading = _heading("chapter", chapter.title, _page(chapter, True, BOOK_SECTIONS))
        parts.append(f"{heading}\n\n{_body(chapter, True, BOOK_SECTIONS)}")
    body = "\n\n".join(parts)
    return f"{BOOK}{_preamble([front, *chapters])}{body}\n\n\\end{{document}}\n"


def _preamble(documents: Iterable[Document]) -> str:
    kinds = {type(block) for document in documents for block in document.blocks}
    return PREAMBLE + "".join(text for kind, text in PACKAGES.items() if kind in kinds)


def _page(document: Document, fitted: bool, sections: dict[int, str]) -> Page:
    tex, text = latex_printer(document), text_printer(document)
    return Page(tex, text, document.prefix, fitted, sections)


def _body(document: Document, fitted: bool, sections: dict[int, str]) -> str:
    page = _page(document, fitted, sections)
    return "\n\n".join(_write(block, page) for block in document.blocks)


def inline(text: Prose, document: Document | None = None) -> str:
    """Prose by itself, in the notation of a document: what a picture needs for its labels."""
    return prose(text, _page(document or Document((), ()), False, SECTIONS))


def prose(text: Prose, page: Page) -> str:
    """Prose with its mathematics in dollars."""

    def write(part: Any) -> str:
        if isinstance(part, Styled):
            return f"\\{COMMANDS[part.style]}{{{escape(part.text)}}}"
        if isinstance(part, Ref):
            words = escape(part.text(page.prefix))
            link = f"\\hyperlink{{row.{page.prefix}{part.first}}}{{{words}}}"
            return link if page.fitted else words
        return escape(part) if isinstance(part, str) else f"${page.tex(part)}$"

    return "".join(map(write, text))


def escape(text: str) -> str:
    """Plain text without LaTeX's special meanings; what no font has becomes a question mark."""
    text = unicodedata.normalize("NFC", text)
    text = "".join(c if c.isprintable() or c in ACCENTS else " " for c in text)
    written = re.sub(
        f"(.)([{''.join(ACCENTS)}])|(.)",
        lambda m: rf"$\{ACCENTS[m[2]]}{{{_character(m[1])}}}$" if m[2] else _character(m[3]),
        text,
    )
    raised = re.sub(f"[{RAISES}]+", lambda m: f"$^{{{m[0].translate(RAISED)}}}$", written)
    return raised.replace(r"$\partial$$^", r"$\partial^")


def _character(c: str) -> str:
    if c in SPECIAL or c in RAISES:
        return SPECIAL.get(c, c)
    if "α" <= c <= "ω" or c in "ΓΔΘΛΞΦΨΩ":
        words = unicodedata.name(c).split()
        letter = words[-1].lower().replace("lamda", "lambda")
        return f"$\\{letter.capitalize() if words[1] == 'CAPITAL' else letter}$"
    return c if _in_every_font(c) else "?"


def _in_every_font(c: str) -> bool:
    """Whether c is a letter that every TeX installation can set: plain, or with an accent on it."""
    apart = unicodedata.normalize("NFD", c)
    return c.isascii() or c in LETTERS or (apart[0].isascii() and apart[1] in ACCENTED)


@singledispatch
def _write(block: Block, page: Page) -> str:
    raise TypeError(f"no LaTeX for {type(block).__name__}")


@_write.register
def _(block: Heading, page: Page) -> str:
    return _heading(page.sections.get(block.level, "paragraph*"), block.text, page)


def _heading(command: str, text: Prose, page: Page) -> str:
    """A heading; one that is numbered is a bookmark, too, and that in words."""
    words = prose(text, page)
    if not command.endswith("*") and "$" in words:
        spoken = as_text(text, page.text, page.prefix)
        spoken = "".join(
            c if (c.isascii() and c.isalnum()) or c in " ,.;:()'-" else "" for c in spoken
        )
        words = f"\\texorpdfstring{{{words}}}{{{spoken}}}"
    return f"\\{command}{{{words}}}"


@_write.register
def _(block: Paragraph, page: Page) -> str:
    return prose(block.text, page)


@_write.register
def _(block: Bullets, page: Page) -> str:
    items = "\n".join(f"\\item {prose(item, page)}" for item in block.items)
    return f"\\begin{{itemize}}\n{items}\n\\end{{itemize}}"


@_write.register
def _(block: Display, page: Page) -> str:
    body = aligned(block, page.tex, prefix=page.prefix)
    return f"\\[\n\\fit{{{body}}}\n\\]" if page.fitted else f"\\[\n{body}\n\\]"


@_write.register
def _(block: Remarks, page: Page) -> str:
    lines = []
    for r in block.items:
        mark = ("" if r.ok else r"\textbf{FAILS} ") + escape(r.checked)
        number = f"{page.prefix}{r.number}"
        target = f"\\hypertarget{{row.{number}}}{{}}" if page.fitted else ""
        lines.append(
            f"{target}({number}) \\emph{{{escape(r.lead)}}}: {prose(r.text, page)}. "
            f"{{\\footnotesize [{mark}]}}"
        )
    return "\\\\\n".join(lines)


#: characters that fit on a line of a table; a longer table gets columns that break lines
TABLE_WIDTH = 90


@_write.register
def _(block: Table, page: Page) -> str:
    cells = [list(block.header), *map(list, block.rows)]
    lengths = [
        max(len(as_text(cell, page.text, page.prefix)) for cell in column)
        for column in zip(*cells, strict=True)
    ]
    shape = "".join(
        f"p{{{0.92 * length / sum(lengths):.2f}\\linewidth}}"
        if sum(lengths) > TABLE_WIDTH and length > 25
        else align
        for align, length in zip(block.alignment, lengths, strict=True)
    )
    rows = [" & ".join(prose(cell, page) for cell in row) + r" \\" for row in cells]
    table = "\n".join(
        [f"\\begin{{tabular}}{{{shape}}}", r"\toprule", rows[0], r"\midrule", *rows[1:],
         r"\bottomrule", r"\end{tabular}"]
    )  # fmt: skip
    return _centred(table, block.caption, page)


@_write.register
def _(block: Figure, page: Page) -> str:
    return _centred(block.tikz.rstrip(), block.caption, page)


def _centred(body: str, caption: Prose, page: Page) -> str:
    body = f"\\fittext{{{body}}}" if page.fitted else body
    words = f"\n\n{{\\small {prose(caption, page)}}}" if caption else ""
    return f"\\begin{{center}}\n{body}{words}\n\\end{{center}}"


@_write.register
def _(block: Code, page: Page) -> str:
    text = "".join(
        c if c == "\n" or (c.isprintable() and _in_every_font(c)) else "?"
        for c in block.text.rstrip().expandtabs()
    ).replace(r"\end{verbatim}", r"\end {verbatim}")
    return f"\\begin{{verbatim}}\n{text}\n\\end{{verbatim}}"
