"""Verdict: what was decided about a formula, how, and why.

End of the flow of `rnnsym.claims`.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

TRUE, FALSE, UNKNOWN, UNREADABLE, DEFINITION = (
    "true",
    "false",
    "unknown",
    "unreadable",
    "definition",
)

#: evidence that tells little: the network found may be one in which nothing depends on anything
IDLE = "exact identity test, at which both sides vanish"

#: verdict -> exit status of the command `check`
STATUS = {TRUE: 0, FALSE: 1, UNKNOWN: 3, UNREADABLE: 2, DEFINITION: 0}


@dataclass(frozen=True)
class Verdict:
    """The verdict on one formula.

    reading: under which reading it is true, in words; evidence: what decided; diagnosis: what is
    wrong and what should stand there; correction: the corrected LaTeX, plain; marked: the same
    with the difference in colour; counterexample: lengths, sizes, indices and both sides there;
    message: one sentence.
    """

    claim: str
    verdict: str
    message: str = ""
    reading: str = ""
    evidence: str = ""
    diagnosis: str = ""
    correction: str = ""
    marked: str = ""
    kinds: tuple[str, ...] = ()
    counterexample: Mapping[str, Any] | None = None
    position: int | None = None
    parts: tuple[Verdict, ...] = field(default=(), repr=False)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.verdict in (TRUE, DEFINITION)

    @property
    def status(self) -> int:
        """The exit status of the command."""
        return STATUS[self.verdict]

    def as_json(self) -> dict[str, Any]:
        """The JSON object of `rnnsym check --json`."""
        return {
            "claim": self.claim,
            "verdict": self.verdict,
            "reading": self.reading or None,
            "evidence": self.evidence or None,
            "diagnosis": self.diagnosis or None,
            "correction": self.correction or None,
            "counterexample": dict(self.counterexample) if self.counterexample else None,
            "message": self.message,
        }

    def text(self) -> str:
        """A few lines for a terminal."""
        lines = [f"{self.verdict}: {self.message}" if self.message else self.verdict]
        for name in ("reading", "diagnosis", "correction", "evidence"):
            value = getattr(self, name)
            if value:
                lines.append(f"  {name:<11} {value}")
        if self.counterexample:
            lines.append(f"  {'at':<11} {counterexample_text(self.counterexample)}")
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(self.text())}</pre>"


def counterexample_text(found: Mapping[str, Any]) -> str:
    """A counterexample in one line."""
    at = ", ".join(
        f"{k}={v}" for k, v in {**found.get("lengths", {}), **found.get("at", {})}.items()
    )
    sizes = ", ".join(f"{k}={v}" for k, v in found.get("sizes", {}).items())
    sides = ""
    if "left" in found:
        sides = f": left {found['left']}, right {found['right']}"
        if found.get("entry"):
            sides = f": entry {found['entry']}{sides[1:].replace('left', ' left', 1)}"
    return f"{at}{f' ({sizes})' if sizes else ''}{sides}"
