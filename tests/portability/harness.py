"""Whether others accept our LaTeX: math-core, KaTeX, MathJax and a TeX engine.

Used by tests all over. Each function returns if its tool accepts what it is given and raises
AssertionError with the place and the tool's own words if not. Tests that need Node.js carry the
marker `node`, those that need TeX the marker `tex`; without the tool they are skipped.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from math_core import LatexError, LatexToMathML

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("accepts.cjs")
TIMEOUT = 120

_MATH_CORE = LatexToMathML(fancy_error=False)


def math_core_accepts(latex: str) -> None:
    """A formula without dollar signs; math-core is strict and always there."""
    assert latex.strip(), "the formula is empty"
    try:
        _MATH_CORE.convert_with_local_state(latex, displaystyle=True)
    except LatexError as error:
        place, _, message = str(error).partition(": ")
        mark = f" at {int(place)}: …{latex[int(place) :][:30]}" if place.isdigit() else ""
        raise AssertionError(f"math-core: {message or place}{mark}\nin {latex}") from None


def katex_accepts(formulas: Sequence[str]) -> None:
    """Formulas without dollar signs, in one Node process; `strict` makes warnings errors."""
    _node("katex", formulas)


def mathjax_accepts(formulas: Sequence[str]) -> None:
    """Formulas without dollar signs, in one Node process."""
    _node("mathjax", formulas)


def latex_compiles(document: str, keep: Path | None = None) -> None:
    """A whole document; `keep` names a file for its PDF.

    A character that is missing in the font counts as an error: TeX would leave it out silently.
    """
    engine = next(filter(None, map(shutil.which, ("pdflatex", "lualatex", "xelatex"))), None)
    if engine is None:
        pytest.skip("no TeX engine is installed")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "document.tex").write_text(document, encoding="utf-8")
        run = subprocess.run(
            [engine, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape",
             "-file-line-error", "document.tex"],
            cwd=folder, env={**os.environ, "openin_any": "p", "openout_any": "p"},
            stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT, check=False,
        )  # fmt: skip
        log = Path(folder, "document.log")
        report = log.read_text("utf-8", "replace") if log.exists() else str(run.stdout)
        missing = re.search(r"^Missing character:.*$", report, re.MULTILINE)
        assert missing is None, f"TeX: {missing[0] if missing else ''}"
        if run.returncode:
            raise AssertionError(f"TeX: {_first_error(report, document)}")
        assert Path(folder, "document.pdf").exists(), "TeX: no page was written"
        if keep is not None:
            shutil.copy(Path(folder, "document.pdf"), keep)


def document_of(
    formulas: Iterable[str], packages: str = r"\usepackage{amsmath,amssymb,mathrsfs,xcolor}"
) -> str:
    """A document that shows each formula, for `latex_compiles`."""
    body = "\n".join(f"\\[ {formula} \\]" for formula in formulas)
    return (
        f"\\documentclass{{article}}\n{packages}\n\\begin{{document}}\n{body}\n\\end{{document}}\n"
    )


def _first_error(report: str, document: str) -> str:
    found = re.search(r"^\S*?:(\d+): (.*)$", report, re.MULTILINE)
    if found is None:
        lines = [line for line in report.splitlines() if line.startswith("!")]
        return lines[0] if lines else report[-500:]
    lines = document.splitlines()
    number = int(found[1])
    source = lines[number - 1] if number <= len(lines) else ""
    return f"{found[2]}\nin line {number}: {source}"


def _node(tool: str, formulas: Sequence[str]) -> None:
    folder = Path(os.environ.get("RNNSYM_NODE") or ROOT / ".node")
    package = {"katex": "katex", "mathjax": "mathjax-full"}[tool]
    node = shutil.which("node")
    if node is None or not (folder / "node_modules" / package).is_dir():
        pytest.skip(f"Node.js or {package} is missing: see `make node`")
    if isinstance(formulas, str):
        raise TypeError("pass a list of formulas: one process serves them all")
    assert all(formula.strip() for formula in formulas), "a formula is empty"
    run = subprocess.run(
        [node, str(SCRIPT), tool, str(folder.resolve())],
        input=json.dumps(list(formulas)), capture_output=True, encoding="utf-8",
        timeout=TIMEOUT, check=False,
    )  # fmt: skip
    assert run.returncode == 0, f"{tool} did not run: {run.stderr[-1000:]}"
    answers: list[Any] = json.loads(run.stdout)
    assert len(answers) == len(formulas)
    refused = [
        f"{answer}\nin {formula}"
        for formula, answer in zip(formulas, answers, strict=True)
        if answer is not None
    ]
    more = f"\n… and {len(refused) - 5} more" if len(refused) > 5 else ""
    assert not refused, f"{tool}: " + "\n".join(refused[:5]) + more
