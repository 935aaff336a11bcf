"""Audit: what was found out about each formula of a document.

End of the flow of `rnnsym.audit`; shown as a table, as JSON, or as an HTML page (`page`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

CLAIM, DEFINES, NOTATION, INFORMAL = "claim", "definition", "notation", "informal"

MARKS = {"true": "✓", "false": "✗", "unknown": "?", "unreadable": "!", None: "·"}


@dataclass(frozen=True)
class Finding:
    """One formula: where it stands, what it is, and the verdict on it.

    line counts from 1; role is "claim", "definition", "notation" or "informal"; verdict is None
    where there is nothing to judge; correction, marked: corrected LaTeX, plain and with the
    difference in colour.
    """

    line: int
    display: bool
    latex: str
    role: str
    verdict: str | None = None
    reading: str = ""
    diagnosis: str = ""
    message: str = ""
    evidence: str = ""
    correction: str = ""
    marked: str = ""
    counterexample: Mapping[str, Any] | None = None
    cell: int | None = None
    relations: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The contract's keys, and what else is known."""
        return {
            "line": self.line,
            "display": self.display,
            "latex": self.latex,
            "role": self.role,
            "verdict": self.verdict,
            "reading": self.reading or None,
            "diagnosis": self.diagnosis or None,
            "message": self.message or None,
            "correction": self.correction or None,
            "evidence": self.evidence or None,
            "counterexample": dict(self.counterexample) if self.counterexample else None,
            "relations": list(self.relations) or None,
            **({"cell": self.cell} if self.cell is not None else {}),
        }


@dataclass(frozen=True)
class Audit:
    """The outcome of `rnnsym.audit`.

    model: the forward equations that the claims were judged by, as text; notes: what was supposed
    or left out; definitions: what the document itself defines.
    """

    document: str
    model: str
    formulas: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
    equations: tuple[str, ...] = ()
    seconds: float = 0.0
    needs_model: bool = field(default=False)

    @property
    def summary(self) -> dict[str, int]:
        """How many formulas of each role and verdict."""
        roles = Counter(f.role for f in self.formulas)
        verdicts = Counter(f.verdict for f in self.formulas if f.verdict)
        names = (CLAIM, DEFINES, NOTATION, INFORMAL)
        return {
            "formulas": len(self.formulas),
            **{name: roles[name] for name in names},
            **{name: verdicts[name] for name in ("true", "false", "unknown", "unreadable")},
        }

    @property
    def ok(self) -> bool:
        """Whether no claim is false."""
        return not self.summary["false"]

    @property
    def status(self) -> int:
        """The exit status of the command: 1 if some claim is false, 3 if there was no network."""
        return 1 if not self.ok else 3 if self.needs_model else 0

    def as_json(self) -> dict[str, Any]:
        """The JSON object of `rnnsym audit --json`."""
        return {
            "document": self.document,
            "model": self.model,
            "equations": list(self.equations),
            "formulas": [f.as_json() for f in self.formulas],
            "summary": self.summary,
            "notes": list(self.notes),
            "ok": self.ok,
            "seconds": round(self.seconds, 3),
        }

    def text(self, every: bool = False) -> str:
        """A table for a terminal: the claims, and what could not be read."""
        s = self.summary
        head = (
            f"{self.document}: {s['formulas']} formulas, {s['claim']} claims: {s['true']} true, "
            f"{s['false']} false, {s['unknown']} unknown, {s['unreadable']} not read"
        )
        lines = [head, f"model: {self.model}", ""]
        for f in self.formulas:
            if f.verdict is None and not every and not f.diagnosis:
                continue
            where = f"{f.cell}:{f.line}" if f.cell is not None else str(f.line)
            formula = " ".join(f.latex.split())
            shown = formula if len(formula) <= 88 else formula[:85] + "…"
            mark = "✗" if f.diagnosis and f.verdict is None else MARKS[f.verdict]
            lines.append(f"{where:>7} {mark} {shown}")
            for name in ("reading", "diagnosis", "correction"):
                if getattr(f, name):
                    lines.append(f"{'':>9} {name}: {getattr(f, name)}")
            if f.verdict in ("unknown", "unreadable", "false") and f.message:
                lines.append(f"{'':>9} {f.message}")
        lines += ["", *(f"note: {n}" for n in self.notes)]
        return "\n".join(lines).rstrip()

    def __str__(self) -> str:
        return self.text()

    def html(self) -> str:
        """A page of its own, with the formulas as MathML."""
        from rnnsym.audit.page import page

        return page(self)

    def _repr_html_(self) -> str:
        from rnnsym.audit.page import fragment

        return fragment(self)
