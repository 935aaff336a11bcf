"""Writing a document by the suffix of its name: whole, or not at all."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from rnnsym.documents.content import Document
from rnnsym.documents.html import html
from rnnsym.documents.markdown import markdown, pictures
from rnnsym.documents.notebook import notebook
from rnnsym.documents.tex import whole
from rnnsym.errors import InputError, UnavailableError

TEX_SECONDS = 120
ENGINES = ("pdflatex", "lualatex", "xelatex")
#: what a run of TeX notes for the next one, and how many runs there are at most
NOTES = ("document.aux", "document.toc", "document.out")
MOST_RUNS = 4


def write(path: str | Path, data: str | bytes) -> Path:
    """Write a file whole: beside its place first, then moved into it.

    Raises InputError if the path cannot be written; nothing half-written is left.
    """
    path = Path(path)
    data = data.encode() if isinstance(data, str) else data
    try:
        if path.is_dir():
            raise InputError(f"cannot write {path}: it is a folder")
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(name, 0o666 & ~mask)
        os.replace(name, path)
    except BaseException as error:
        Path(name).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise InputError(f"cannot write {path}: {error.strerror}") from None
        raise
    return path


def pdf(document: Document) -> bytes:
    """The document as PDF. Raises UnavailableError where LaTeX is not installed."""
    return compiled(whole(document))


def engine() -> str | None:
    """The TeX engine that is there, if any."""
    return next(filter(None, map(shutil.which, ENGINES)), None)


def compiled(text: str) -> bytes:
    """A LaTeX file as PDF: run until its table of contents and its references stay the same.

    The same text gives the same bytes. Raises UnavailableError where there is no TeX engine, or
    where it does not accept the text (a package is missing, say).
    """
    program = engine()
    if program is None:
        raise UnavailableError(
            "a PDF needs LaTeX (Debian: texlive-latex-recommended, "
            "texlive-fonts-recommended, texlive-pictures); write .tex, .md or .html instead"
        )
    command = [
        program, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "document.tex",
    ]  # fmt: skip
    # no dates in it, and no files from elsewhere
    settings = {"SOURCE_DATE_EPOCH": "0", "FORCE_SOURCE_DATE": "1", "openin_any": "p"}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "document.tex").write_text(text, encoding="utf-8")
        before: list[bytes] = []
        for _ in range(MOST_RUNS):
            try:
                run = subprocess.run(
                    command, cwd=folder, env={**os.environ, **settings},
                    stdin=subprocess.DEVNULL, capture_output=True, timeout=TEX_SECONDS, check=False,
                )  # fmt: skip
            except subprocess.TimeoutExpired:
                raise UnavailableError(f"LaTeX took more than {TEX_SECONDS} s") from None
            result = folder / "document.pdf"
            if run.returncode or not result.exists():
                log = run.stdout.decode(errors="replace").splitlines()
                fault = next((line for line in log if line.startswith("!")), "see its log")
                raise UnavailableError(f"LaTeX did not accept the document: {fault}")
            notes = [f.read_bytes() for f in map(folder.joinpath, NOTES) if f.exists()]
            if notes == before:
                break
            before = notes
        return result.read_bytes()


#: suffix -> the document in that form; row_end and the stem of the file's name are for Markdown
FORMATS: dict[str, Callable[[Document, str, str], str | bytes]] = {
    ".tex": lambda document, row_end, stem: whole(document),
    ".md": markdown,
    ".pdf": lambda document, row_end, stem: pdf(document),
    ".html": lambda document, row_end, stem: html(document),
    ".ipynb": lambda document, row_end, stem: notebook(document),
}


def save(document: Document, path: str | Path, row_end: str = r"\\") -> Path:
    """Write a document in the form that the suffix of `path` names; row_end is for Markdown.

    The pictures of a Markdown document are written beside it, NAME-1.svg and so on. Raises
    InputError for an unknown suffix or a path that cannot be written, UnavailableError where
    a form needs something that is not installed.
    """
    check_path(path)
    path = Path(path)
    data = FORMATS[path.suffix](document, row_end, path.stem)
    if path.suffix == ".md":
        for name, svg in pictures(document, path.stem).items():
            write(path.with_name(name), svg)
    return write(path, data)


def check_path(path: str | Path) -> None:
    """Refuse an unknown suffix or a missing folder before any work is done."""
    suffix = Path(path).suffix
    if suffix not in FORMATS:
        raise InputError(f"{path}: unknown format {suffix!r}; choose from {', '.join(FORMATS)}")
    if not Path(path).parent.is_dir():
        raise InputError(f"cannot write {path}: the folder {Path(path).parent} does not exist")
