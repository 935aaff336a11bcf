"""Documents as LaTeX: a fragment to be included, or a whole file that compiles."""

from __future__ import annotations

import re
from functools import singledispatch

from sympy import Basic

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
    Remarks,
    Styled,
    plain,
)
from rnnsym.documents.markdown import Print, aligned
from rnnsym.latex import LatexPrinter

PREAMBLE = r"""\documentclass[11pt,a4paper]{article}
\usepackage[utf8]{inputenc}
\usepackage{amsmath,amssymb,mathrsfs,graphicx}
\usepackage[margin=2.2cm]{geometry}
\usepackage[hidelinks]{hyperref}
\renewcommand{\labelitemi}{$\bullet$}
\setlength{\parindent}{0pt}\setlength{\parskip}{6pt}
% a formula wider than the line is scaled to fit it
\newsavebox{\fitbox}
\newcommand{\fit}[1]{\sbox{\fitbox}{$\displaystyle #1$}%
  \ifdim\wd\fitbox>\linewidth\resizebox{\linewidth}{!}{\usebox{\fitbox}}\else\usebox{\fitbox}\fi}
"""

TIKZ = "\\usepackage{tikz}\\usetikzlibrary{arrows.meta}\n"

SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "%": r"\%",
    "#": r"\#", "_": r"\_", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "∂": r"$\partial$", "…": r"\dots{}",
    "λ": r"$\lambda$", "δ": r"$\delta$", "⟨": r"$\langle$", "⟩": r"$\rangle$", "→": r"$\to$",
    "✓": r"\checkmark", "✗": r"$\times$", "′": "'", "⊙": r"$\odot$", "⊗": r"$\otimes$",
    "≤": r"$\leq$", "≥": r"$\geq$",
    "–": "--", "—": "---", "’": "'", "<": r"$<$", ">": r"$>$", "≠": r"$\neq$",
}  # fmt: skip
RAISES = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻"
RAISED = str.maketrans(RAISES, "0123456789+-")


def fragment(document: Document) -> str:
    """The document's body, to be included in a LaTeX file that loads amsmath and mathrsfs."""
    tex = LatexPrinter(document.notation, document.names)
    return "\n\n".join(_write(block, tex) for block in document.blocks) + "\n"


def whole(document: Document) -> str:
    """The document as a file that compiles by itself."""
    tex = LatexPrinter(document.notation, document.names)
    body = "\n\n".join(_write(block, lambda e: tex(e), fitted=True) for block in document.blocks)
    heading = prose(document.title, tex)
    pictures = any(isinstance(block, Figure) for block in document.blocks)
    return (
        f"{PREAMBLE}{TIKZ if pictures else ''}\\begin{{document}}\n"
        f"{{\\LARGE\\bfseries {heading}\\par}}\n\n{body}\n\\end{{document}}\n"
    )


def prose(text: Prose, tex: Print) -> str:
    """Prose with its mathematics in dollars."""
    commands = {"em": "emph", "strong": "textbf", "code": "texttt"}

    def write(part: str | Styled | Basic) -> str:
        if isinstance(part, Styled):
            return f"\\{commands[part.style]}{{{escape(part.text)}}}"
        return escape(part) if isinstance(part, str) else f"${tex(part)}$"

    return "".join(map(write, text))


def escape(text: str) -> str:
    """Plain text without LaTeX's special meanings."""
    written = "".join(
        SPECIAL.get(c) or (c if ord(c) < 0x370 or c in RAISES else "?") for c in plain(text)
    )
    raised = re.sub(f"[{RAISES}]+", lambda m: f"$^{{{m[0].translate(RAISED)}}}$", written)
    return raised.replace(r"$\partial$$^", r"$\partial^")


@singledispatch
def _write(block: Block, tex: Print, fitted: bool = False) -> str:
    raise TypeError(f"no LaTeX for {type(block).__name__}")


@_write.register
def _(block: Heading, tex: Print, fitted: bool = False) -> str:
    command = {1: "section*", 2: "subsection*", 3: "subsubsection*"}.get(block.level, "paragraph*")
    return f"\\{command}{{{prose(block.text, tex)}}}"


@_write.register
def _(block: Paragraph, tex: Print, fitted: bool = False) -> str:
    return prose(block.text, tex)


@_write.register
def _(block: Bullets, tex: Print, fitted: bool = False) -> str:
    items = "\n".join(f"\\item {prose(item, tex)}" for item in block.items)
    return f"\\begin{{itemize}}\n{items}\n\\end{{itemize}}"


@_write.register
def _(block: Display, tex: Print, fitted: bool = False) -> str:
    body = aligned(block, tex)
    return f"\\[\n\\fit{{{body}}}\n\\]" if fitted else f"\\[\n{body}\n\\]"


@_write.register
def _(block: Remarks, tex: Print, fitted: bool = False) -> str:
    lines = []
    for r in block.items:
        mark = ("" if r.ok else r"\textbf{FAILS} ") + escape(r.checked)
        lines.append(
            f"({r.number}) \\emph{{{escape(r.lead)}}}: {prose(r.text, tex)}. "
            f"{{\\footnotesize [{mark}]}}"
        )
    return "\\\\\n".join(lines)


@_write.register
def _(block: Figure, tex: Print, fitted: bool = False) -> str:
    return f"\\begin{{center}}\n{block.tikz.rstrip()}\n\\end{{center}}"


@_write.register
def _(block: Code, tex: Print, fitted: bool = False) -> str:
    return f"\\begin{{verbatim}}\n{block.text.rstrip()}\n\\end{{verbatim}}"
