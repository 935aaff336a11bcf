"""Writing a document by the suffix of its name: whole, or not at all."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from rnnsym.documents.content import Document
from rnnsym.documents.markdown import markdown
from rnnsym.documents.tex import whole
from rnnsym.errors import InputError, UnavailableError

TEX_SECONDS = 120


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
    """The document as PDF. Raises UnavailableError where latexmk is not installed."""
    if shutil.which("latexmk") is None:
        raise UnavailableError(
            "a PDF needs latexmk and LaTeX (Debian: texlive-latex-recommended, "
            "texlive-fonts-recommended, latexmk); write .tex or .md instead"
        )
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "document.tex").write_text(whole(document), encoding="utf-8")
        command = [
            "latexmk", "-pdf", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape",
            "document.tex",
        ]  # fmt: skip
        try:
            run = subprocess.run(
                command, cwd=folder, capture_output=True, timeout=TEX_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise UnavailableError(f"latexmk took more than {TEX_SECONDS} s") from None
        result = Path(folder) / "document.pdf"
        if run.returncode or not result.exists():
            log = run.stdout.decode(errors="replace").splitlines()
            fault = next((line for line in log if line.startswith("!")), "see its log")
            raise UnavailableError(f"LaTeX did not accept the document: {fault}")
        return result.read_bytes()


FORMATS: dict[str, Callable[[Document, str], str | bytes]] = {
    ".tex": lambda document, row_end: whole(document),
    ".md": markdown,
    ".pdf": lambda document, row_end: pdf(document),
}


def save(document: Document, path: str | Path, row_end: str = r"\\") -> Path:
    """Write a document in the form that the suffix of `path` names; row_end is for Markdown.

    Raises InputError for an unknown suffix or a path that cannot be written.
    """
    check_path(path)
    return write(path, FORMATS[Path(path).suffix](document, row_end))


def check_path(path: str | Path) -> None:
    """Refuse an unknown suffix or a missing folder before any work is done."""
    suffix = Path(path).suffix
    if suffix not in FORMATS:
        raise InputError(f"{path}: unknown format {suffix!r}; choose from {', '.join(FORMATS)}")
    if not Path(path).parent.is_dir():
        raise InputError(f"cannot write {path}: the folder {Path(path).parent} does not exist")
