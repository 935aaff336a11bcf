"""CodeReport: which gradients of a user's function are right, and what is wrong with the others.

Last stage of the flow. Filled by `rnnsym.codecheck.check`; shown as text, as HTML or as JSON.
"""

from __future__ import annotations

import html
import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH = 100
MARKS = {"right": "✓", "wrong": "✗", "missing": "–", "undecided": "?"}


@dataclass(frozen=True)
class Diagnosis:
    """Why a gradient is wrong: the smallest error that explains every number.

    kinds: names of mutations, or of what else was found; text: in words; fix: what to write
    instead, as code; mutants: the mutants of the catalogue that it equals, where there are any.
    """

    kinds: tuple[str, ...]
    text: str
    fix: str = ""
    mutants: tuple[Any, ...] = ()

    def __str__(self) -> str:
        stop = "" if self.text.endswith("?") else "."
        return f"{self.text}{stop} Write {self.fix}" if self.fix else self.text


@dataclass(frozen=True)
class Judged:
    """The verdict on one gradient, or on the loss.

    verdict: "right", "wrong", "missing", or "undecided" where a bound hides what it is; error: the
    largest relative error max|x - y| / max(1e-30, max|y|) over all points, with both clipped where
    the gradient is, None where it has no number; diagnosis: in
    words, for a right one a remark or None; since: the smallest T at which it is wrong;
    theirs: the name that the user's function gives it; why: the diagnosis taken apart.
    """

    verdict: str
    error: float | None
    diagnosis: str | None = None
    since: int | None = None
    where: str = ""
    theirs: str = ""
    why: Diagnosis | None = None

    @property
    def ok(self) -> bool:
        return self.verdict == "right"

    def as_json(self) -> dict[str, Any]:
        """The contract's keys, and more."""
        finite = self.error is not None and math.isfinite(self.error)
        return {
            "verdict": self.verdict,
            "error": self.error if finite else None,
            "diagnosis": self.diagnosis,
            "kinds": list(self.why.kinds) if self.why else [],
            "fix": (self.why.fix or None) if self.why else None,
            "wrong_from_T": self.since,
            "where": self.where or None,
            "yours": self.theirs or None,
        }


@dataclass(frozen=True)
class Sensitivity:
    """By what factor each kind of error would have stood out at the points used.

    factors: kind -> the smallest factor over its mutants; looked, all: how many mutants were
    computed, of how many; tolerance: what the factors are relative to.
    """

    factors: Mapping[str, float]
    looked: int
    all: int
    tolerance: float

    @property
    def smallest(self) -> list[tuple[str, float]]:
        """The kinds that come closest to being missed."""
        return sorted(self.factors.items(), key=lambda item: item[1])[:3]

    def text(self) -> str:
        """One line for a report."""
        if not self.factors:
            return ""
        least = ", ".join(f"{kind} {factor:.0e}×" for kind, factor in self.smallest)
        part = "" if self.looked == self.all else f" ({self.looked} of {self.all} looked at)"
        return (
            f"sensitivity: each of {len(self.factors)} kinds of error would have exceeded the "
            f"tolerance {self.tolerance:g} at these points{part}; closest: {least}"
            if self.smallest[0][1] > 1
            else f"sensitivity: not every kind of error would have shown at these points{part}: "
            f"{least}"
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "kinds": len(self.factors),
            "tolerance": self.tolerance,
            "mutants": self.looked,
            "of": self.all,
            "smallest": [{"kind": kind, "factor": factor} for kind, factor in self.smallest],
        }


@dataclass(frozen=True)
class CodeReport:
    """The outcome of `rnnsym.codecheck.check_gradient`.

    gradients: parameter -> Judged; loss: of the returned loss, None where there is none;
    summary: the one cause of several wrong gradients, if there is one; notes: what else was
    noticed; points: where the function was called; equal: sizes that were given the same value;
    undecided: why nothing can be said, if so.
    """

    model: str
    gradients: Mapping[str, Judged]
    loss: Judged | None = None
    summary: str = ""
    notes: Sequence[str] = ()
    points: Sequence[str] = ()
    sensitivity: Sensitivity | None = None
    seconds: float = 0.0
    function: str = "the function"
    equal: str = ""
    undecided: str = ""

    @property
    def ok(self) -> bool:
        """Whether every gradient is right."""
        return (
            bool(self.gradients)
            and not self.undecided
            and all(g.ok for g in self.gradients.values())
        )

    @property
    def open(self) -> list[str]:
        """The gradients that could not be decided."""
        return [n for n, g in self.gradients.items() if g.verdict == "undecided"]

    def as_json(self) -> dict[str, Any]:
        """The JSON object of `rnnsym check-code --json`."""
        return {
            "model": self.model,
            "ok": self.ok,
            "gradients": {name: g.as_json() for name, g in self.gradients.items()},
            "summary": self.summary or None,
            "loss": None if self.loss is None else self.loss.as_json(),
            "undecided": self.undecided or None,
            "notes": list(self.notes),
            "points": list(self.points),
            "sensitivity": None if self.sensitivity is None else self.sensitivity.as_json(),
            "seconds": round(self.seconds, 3),
        }

    @property
    def headline(self) -> str:
        """One line: what was checked, against what, and the verdict."""
        wrong = [n for n, g in self.gradients.items() if g.verdict == "wrong"]
        missing = [n for n, g in self.gradients.items() if g.verdict == "missing"]
        parts = [f"{len(wrong)} of {len(self.gradients)} gradients wrong"] if wrong else []
        parts += [f"{len(missing)} missing"] if missing else []
        parts += [f"{len(self.open)} undecided"] if self.open else []
        verdict = ", ".join(parts) or "every gradient is right"
        if self.undecided:
            verdict = f"undecided: {self.undecided}"
        return f"{self.function} against {self.model}: {verdict}"

    def rows(self) -> list[list[str]]:
        """The table: a header, one row a gradient, one for the loss."""
        named = any(g.theirs and g.theirs != n for n, g in self.gradients.items())
        table = [["gradient", *(["yours"] if named else []), "verdict", "error", "wrong from"]]
        rows = {**self.gradients, **({"loss": self.loss} if self.loss else {})}
        for name, g in rows.items():
            error = "–" if g.error is None or not math.isfinite(g.error) else f"{g.error:.1e}"
            since = f"T = {g.since}" if g.since is not None else ""
            row = [name, *([g.theirs] if named else []), f"{MARKS[g.verdict]} {g.verdict}", error]
            table.append([*row, since])
        return table if any(row[-1] for row in table[1:]) else [row[:-1] for row in table]

    def explained(self) -> list[tuple[str, str]]:
        """(the gradients concerned, the diagnosis): what is the same is said once."""
        table: dict[str, list[str]] = {}
        rows = {**self.gradients, **({"loss": self.loss} if self.loss else {})}
        for name, g in rows.items():
            if g.diagnosis:
                table.setdefault(g.diagnosis, []).append(name)
        return [(", ".join(names), text) for text, names in table.items()]

    def remarks(self) -> list[str]:
        """What was noticed besides, where the function was called, what would have shown."""
        lines = [f"note: {note}" for note in self.notes]
        if self.points:
            hidden = f"{self.equal}: exchanging these would not show" if self.equal else ""
            lines.append(f"called at {self._where()}; {hidden or 'all sizes different'}")
        if self.sensitivity is not None and self.sensitivity.factors:
            lines.append(self.sensitivity.text())
        return lines

    def _where(self) -> str:
        """The points in a few words: the lengths, and the batches."""
        table: dict[str, list[str]] = {}
        for label in self.points:
            parts = label.split(", ")
            batch = next((p for p in parts if p.startswith("batch")), "")
            length = ", ".join(p for p in parts if p.startswith("T"))
            lengths = table.setdefault(batch, [])
            if length.removeprefix("T = ") not in lengths:
                lengths.append(length.removeprefix("T = "))
        return "; ".join(
            f"T = {', '.join(lengths)}" + (f" with a {batch}" if batch else "")
            for batch, lengths in table.items()
        )

    def text(self) -> str:
        """A Unicode table for the terminal, then the diagnoses and the remarks."""
        table = self.rows()
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = [
            "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
            for row in table
        ]
        rule = "─" * (sum(widths) + 2 * (len(widths) - 1))
        parts = ["\n".join([self.headline, "", lines[0], rule, *lines[1:], rule])]
        if self.summary:
            parts.append(_wrapped(self.summary))
        parts += [_wrapped(f"{names}: {text}") for names, text in self.explained()]
        if self.remarks():
            parts.append("\n".join(map(_wrapped, self.remarks())))
        return "\n\n".join(parts)

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        def row(cells: list[str], tag: str) -> str:
            return "<tr>" + "".join(f"<{tag}>{html.escape(c)}</{tag}>" for c in cells) + "</tr>"

        header, *body = self.rows()
        said = [self.summary] if self.summary else []
        said += [f"{names}: {text}" for names, text in self.explained()]
        items = "".join(f"<li>{html.escape(line)}</li>" for line in (*said, *self.remarks()))
        return (
            f"<table><caption>{html.escape(self.headline)}</caption>"
            f"<thead>{row(header, 'th')}</thead>"
            f"<tbody>{''.join(row(r, 'td') for r in body)}</tbody></table><ul>{items}</ul>"
        )


def _wrapped(text: str) -> str:
    return textwrap.fill(text, WIDTH, subsequent_indent="  ", break_long_words=False)
