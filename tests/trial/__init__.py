"""Audits of documents that others wrote, against truths written down by hand before any run.

`python -m tests.trial DIR` reads the documents from DIR, a file of the name `file` of each entry of
`facts.json`, and prints a table. The documents are public, at the repository, path and commit that
their entries name; their texts are not part of this project. Of each formula `facts.json` has the
line, the start of a SHA-256 of its LaTeX without whitespace, its role, its truth, what else would
be right to say of it, and why.

The folder `notes` has documents of its own, with their facts beside them: short notes in many
notations, written for this trial by somebody who had not seen the reader, with errors that people
make; truths were verified by automatic differentiation.

Of documents that are marked as held out no formula was looked at while the reader was made; those
that are marked as opened were held out too, until they had been measured once.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rnnsym.audit import Finding, audit
from rnnsym.reader.macros import expand
from rnnsym.reader.statements import read_formula
from rnnsym.reader.tokens import UnreadableError
from rnnsym.sources import read_file

FACTS = Path(__file__).with_name("facts.json")
DIGITS = 16


def identity(latex: str) -> str:
    """What a formula is known by: the start of a hash of its LaTeX, whitespace left out."""
    return hashlib.sha256("".join(latex.split()).encode()).hexdigest()[:DIGITS]


@dataclass
class Row:
    """What came out for one document.

    right: claims with a verdict that is right; alarms: right formulas, claims or not, that are
    called false; accepted: wrong claims that are called true; unjudged: claims that were taken for
    definitions or for words.
    """

    document: str
    formulas: int = 0
    read: int = 0
    claims: int = 0
    right: int = 0
    alarms: int = 0
    accepted: int = 0
    unknown: int = 0
    unreadable: int = 0
    unjudged: int = 0
    seconds: float = 0.0
    remarks: list[str] = field(default_factory=list)

    def cells(self) -> list[str]:
        """The cells of a row of the table."""
        numbers = (
            self.formulas, self.read, self.claims, self.right, self.alarms, self.accepted,
            self.unknown, self.unreadable, self.unjudged,
        )  # fmt: skip
        return [self.document, *map(str, numbers), f"{self.seconds:.0f}"]


HEAD = (
    "document", "formulas", "read", "claims", "right", "false alarms", "accepted wrong", "unknown",
    "unreadable", "not judged", "seconds",
)  # fmt: skip


def facts(folder: Path | None = None) -> list[dict[str, Any]]:
    """The entries of all documents; of a folder that brings its own facts, those."""
    own = folder / FACTS.name if folder is not None else FACTS
    found: list[dict[str, Any]] = json.loads((own if own.exists() else FACTS).read_text())
    return found


def measure(entry: Mapping[str, Any], folder: Path) -> Row:
    """Audit one document and compare what is found with the truth."""
    path = folder / entry["file"]
    begun = time.monotonic()
    findings = audit(path).formulas
    row = Row(entry["document"], seconds=time.monotonic() - begun)
    row.formulas, row.read = len(findings), _readable(path)
    for fact, finding in _matched(entry["formulas"], findings):
        if fact["role"] == "claim":
            row.claims += 1
            _count(row, fact, finding)
        elif finding is not None and finding.verdict == "false" and fact["truth"] != "false":
            row.alarms += 1
            row.remarks.append(f"line {fact['line']}: no claim, and called false")
    return row


def _readable(path: Path) -> int:
    source, count = read_file(path), 0
    macros: Any = source.macros
    for formula in source.formulas:
        try:
            read_formula(expand(formula.latex, macros))
            count += 1
        except UnreadableError:
            pass
    return count


def _count(row: Row, fact: Mapping[str, Any], finding: Finding | None) -> None:
    verdict = finding.verdict if finding is not None else "unreadable"
    if verdict in {fact["truth"], *fact.get("accept", [])} and verdict is not None:
        row.right += 1
        return
    if verdict is None:
        row.unjudged += 1
    elif verdict == "false":
        row.alarms += 1
    elif verdict == "true":
        row.accepted += 1
    elif verdict == "unknown":
        row.unknown += 1
    else:
        row.unreadable += 1
    row.remarks.append(f"line {fact['line']}: {fact['truth']}, and called {verdict or 'no claim'}")


def _matched(
    given: Sequence[Mapping[str, Any]], findings: Sequence[Finding]
) -> Iterator[tuple[Mapping[str, Any], Finding | None]]:
    """Each fact with the finding of the same formula, the nearest line first."""
    left = list(findings)
    for fact in given:
        same = [f for f in left if identity(f.latex) == fact["sha256"]]
        found = min(same, key=lambda f: abs(f.line - fact["line"]), default=None)
        if found is not None:
            left.remove(found)
        yield fact, found


def table(rows: Sequence[Row]) -> str:
    """Rows as a Markdown table, with their sum."""
    total = Row("together")
    for row in rows:
        for name in ("formulas", "read", "claims", "right", "alarms", "accepted", "unknown",
                     "unreadable", "unjudged", "seconds"):  # fmt: skip
            setattr(total, name, getattr(total, name) + getattr(row, name))
    lines = [HEAD, ["---", *["---:"] * (len(HEAD) - 1)], *(r.cells() for r in (*rows, total))]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
