"""Report: what was compared with what, how far they agree, and what that can miss.

Last stage of the flow. Filled by `rnnsym.verify.kinds`; shown as text, as HTML or as JSON.
"""

from __future__ import annotations

import html
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Evidence:
    """One kind of evidence for one gradient (or for the loss).

    error: the largest relative error max|x - y| / max(1e-30, max|y|), x under test, y the truth;
    None where the answer is yes or no. more: further numbers, such as an observed order.
    """

    ok: bool
    error: float | None = None
    detail: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The contract's keys ok and error, detail, and all of `more`."""
        finite = self.error is not None and math.isfinite(self.error)
        return {
            "ok": self.ok,
            "error": self.error if finite else None,
            "detail": self.detail,
            **self.more,
        }

    def cell(self) -> str:
        """A few characters for a table."""
        mark = "✓" if self.ok else "✗"
        if self.error is None:
            return mark
        return f"{mark} {self.error:.1e}" if self.error else f"{mark} 0"


@dataclass(frozen=True)
class Findings:
    """What one kind found: evidence by parameter, for the loss, and what the kind is."""

    gradients: Mapping[str, Evidence]
    note: str
    loss: Evidence | None = None


@dataclass(frozen=True)
class Report:
    """The outcome of `rnnsym.verify.verify`.

    gradients: parameter -> kind -> Evidence; loss: kind -> Evidence; notes: what each kind is
    and how it looked; skipped: kind -> why it was left out; seconds: kind -> time taken;
    legend: what the numbers mean and what they can miss.
    """

    model: str
    steps: int | Mapping[str, int]
    sizes: Mapping[str, int]
    seed: int
    gradients: Mapping[str, Mapping[str, Evidence]]
    loss: Mapping[str, Evidence]
    notes: Mapping[str, str]
    skipped: Mapping[str, str]
    seconds: Mapping[str, float]
    subject: str = "derived gradients"
    legend: str = ""

    @property
    def ok(self) -> bool:
        """Whether every comparison agrees; a report without one does not pass."""
        rows = [e for row in self.gradients.values() for e in row.values()]
        return bool(rows) and all(e.ok for e in (*rows, *self.loss.values()))

    def as_json(self) -> dict[str, Any]:
        """The JSON object of `rnnsym verify --json`."""
        return {
            "model": self.model,
            "steps": dict(self.steps) if isinstance(self.steps, Mapping) else self.steps,
            "sizes": dict(self.sizes),
            "seed": self.seed,
            "ok": self.ok,
            "gradients": {
                name: {kind: e.as_json() for kind, e in row.items()}
                for name, row in self.gradients.items()
            },
            "loss": {kind: e.as_json() for kind, e in self.loss.items()},
            "subject": self.subject,
            "kinds": dict(self.notes),
            "skipped": dict(self.skipped),
            "seconds": {kind: round(s, 4) for kind, s in self.seconds.items()},
        }

    def rows(self) -> list[list[str]]:
        """The table: a header, one row a parameter, one for the loss."""
        kinds = list(self.notes)
        table = [["", *kinds]]
        table += [[n, *_cells(row, kinds)] for n, row in self.gradients.items()]
        if self.loss:
            table.append(["loss", *_cells(self.loss, kinds)])
        return table

    @property
    def headline(self) -> str:
        """One line: what was verified, where, and the verdict."""
        sizes = ", ".join(f"{n}={v}" for n, v in self.sizes.items())
        verdict = "all agree" if self.ok else "DISAGREEMENT"
        steps = self.steps if isinstance(self.steps, Mapping) else {"T": self.steps}
        lengths = ", ".join(f"{n}={v}" for n, v in steps.items())
        return f"{self.model}, {lengths}, {sizes}, seed {self.seed}: {self.subject}: {verdict}"

    def remarks(self) -> list[str]:
        """What each kind is and can miss, what disagrees, and what was left out."""
        lines = [f"{kind}: {note}" for kind, note in self.notes.items()]
        rows = {**self.gradients, "loss": self.loss}
        lines += [
            f"✗ {name}, {kind}: {e.detail}"
            for name, row in rows.items()
            for kind, e in row.items()
            if not e.ok and e.detail
        ]
        lines += [f"{kind}: left out: {why}" for kind, why in self.skipped.items()]
        return [*lines, self.legend] if self.legend else lines

    def text(self) -> str:
        """A Unicode table for the terminal, with footnotes."""
        table = self.rows()
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = [
            "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
            for row in table
        ]
        rule = "─" * (sum(widths) + 2 * (len(widths) - 1))
        return "\n".join([self.headline, "", lines[0], rule, *lines[1:], rule, *self.remarks()])

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        def row(cells: list[str], tag: str) -> str:
            return "<tr>" + "".join(f"<{tag}>{html.escape(c)}</{tag}>" for c in cells) + "</tr>"

        header, *body = self.rows()
        items = "".join(f"<li>{html.escape(line)}</li>" for line in self.remarks())
        return (
            f"<table><caption>{html.escape(self.headline)}</caption>"
            f"<thead>{row(header, 'th')}</thead>"
            f"<tbody>{''.join(row(r, 'td') for r in body)}</tbody></table><ul>{items}</ul>"
        )


def _cells(row: Mapping[str, Evidence], kinds: list[str]) -> list[str]:
    return [row[kind].cell() if kind in row else "–" for kind in kinds]
