"""Reading a text or a file: its kind is told by its suffix, or by what is in it.

The way into `rnnsym.sources`; the readers of the kinds are imported when they are needed.
"""

from __future__ import annotations

import re
from pathlib import Path

from rnnsym.errors import InputError
from rnnsym.sources.harvest import Harvest
from rnnsym.sources.model import Source

MAX_BYTES = 5_000_000
KINDS = ("markdown", "latex", "notebook", "text")
SUFFIXES = {
    **dict.fromkeys([".md", ".markdown", ".mkd", ".mdown", ".mdx", ".qmd", ".rmd"], "markdown"),
    **dict.fromkeys([".tex", ".ltx", ".latex"], "latex"),
    ".ipynb": "notebook",
    **dict.fromkeys([".txt", ".text", ".rst"], "text"),
}
LATEX = re.compile(
    r"\\(?:documentclass|usepackage|begin\s*\{(?:document|frame|theorem|itemize|enumerate)\}|"
    r"(?:sub)*section\*?\s*\{|(?:input|item|emph|textbf|cite|label)(?![A-Za-z]))"
)
MARKDOWN = re.compile(r"^(?: {0,3}(?:#{1,6} |```|[-*+] |\d+\. |> )|---$|\+\+\+$)|\$`|\*\*\w", re.M)
DELIMITER = re.compile(
    r"\$|\\[(\[]|\\begin\s*\{|\\ensuremath|:math:`|^[ \t]*\.\. math::", re.MULTILINE
)
NOTEBOOK = re.compile(r'\s*\{.{0,200}"(?:cells|nbformat|metadata|worksheets)"', re.DOTALL)


def read_source(text: str, kind: str | None = None, name: str = "") -> Source:
    """The formulas of a document, in order, with its macros and with notes on what was skipped.

    `kind` is one of KINDS; without it the suffix of `name` decides, and without that what the text
    looks like. Raises InputError for an unknown kind, a text over MAX_BYTES, and a notebook that is
    none; UnavailableError where a library is missing.
    """
    if not isinstance(text, str):
        raise InputError(f"a document is a text, and this is of type {type(text).__name__}")
    if len(text) > MAX_BYTES:
        raise InputError(
            f"{name or 'the document'} has {len(text):,} characters, and {MAX_BYTES:,} are read "
            "at most: give its chapters one by one"
        )
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if kind is None:
        kind = SUFFIXES.get(Path(name).suffix.lower()) or sniffed(text)
    harvest = Harvest()
    if kind == "notebook":
        from rnnsym.sources.notebook import read_notebook

        read_notebook(text, harvest, name)
    elif kind == "latex" and DELIMITER.search(text):
        from rnnsym.sources.latex import read_latex

        read_latex(text, harvest)
    elif kind in ("latex", "text") and not DELIMITER.search(text):
        from rnnsym.sources.plain import read_plain

        read_plain(text, harvest)
    elif kind in ("markdown", "text"):
        from rnnsym.sources.markdown import read_markdown

        read_markdown(text, harvest, indented_code=kind == "markdown")
    else:
        raise InputError(f"unknown kind of document {kind!r}: give one of {', '.join(KINDS)}")
    return harvest.source(kind, by_line=kind != "latex")


def sniffed(text: str) -> str:
    """What kind of document a text looks like."""
    if NOTEBOOK.match(text):
        return "notebook"
    if LATEX.search(text) and not MARKDOWN.search(text):
        return "latex"
    if "\\documentclass" in text or "\\begin{document}" in text:
        return "latex"
    return "markdown" if MARKDOWN.search(text) else "text"


def read_file(path: str | Path) -> Source:
    """The formulas of a file; see `read_source`.

    Raises InputError for a file that cannot be read, with what to do about it.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        known = ", ".join(SUFFIXES)
        raise InputError(f"{path}: unknown suffix {path.suffix!r}: rename it to one of {known}")
    try:
        if path.is_dir():
            raise InputError(f"{path} is a folder: give one of the documents in it")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist: check the path") from None
    except (OSError, ValueError) as fault:
        reason = getattr(fault, "strerror", None) or fault
        raise InputError(f"{path} cannot be read: {reason}") from None
    if len(data) > MAX_BYTES:
        raise InputError(f"{path} is larger than {MAX_BYTES:,} bytes: give its chapters one by one")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as fault:
        raise InputError(
            f"{path} is not UTF-8: byte {fault.start} is 0x{data[fault.start]:02x}: "
            "save it as UTF-8"
        ) from None
    return read_source(text, name=str(path))
