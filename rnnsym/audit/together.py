"""The verdicts on a document's statements put together: a finding of each formula, and which
formulas to judge again.

Last part of `audit`. A statement is judged as (role, verdict), the verdict None where its role
claims nothing.
"""

from __future__ import annotations

import re
from dataclasses import replace

from rnnsym.audit.result import CLAIM, DEFINES, INFORMAL, NOTATION, Finding
from rnnsym.claims.verdict import FALSE, TRUE, UNKNOWN, UNREADABLE, Verdict
from rnnsym.reader.making import Built

#: how a verdict asks for a name, and the letter that it asks for
OPEN = "what is "
_WHAT_IS = re.compile(OPEN + r"(\\?[A-Za-z]+)")
_DELTA = re.compile(r"(\\delta|\\epsilon|\\varepsilon)(?![A-Za-z])")


def asked_too_early(findings: list[Finding]) -> list[int]:
    """The formulas with a name that nothing had defined, or that custom had given a meaning, and
    that a later formula defines."""
    found = []
    for k, finding in enumerate(findings):
        name = _WHAT_IS.match(finding.message) if finding.verdict == UNKNOWN else None
        if finding.verdict == FALSE:
            name = _DELTA.search(finding.latex)
        if name is None:
            continue
        own = re.compile(r"[\s&]*" + re.escape(name.group(1)) + r"(?![A-Za-z])[^=]*=")
        later = (f.latex for f in findings[k + 1 :] if f.role == DEFINES)
        if any(own.match(latex) for latex in later):
            found.append(k)
    return found


def for_another(verdict: Verdict, built: Built, first: Built, words: str) -> Verdict:
    """A verdict that holds for another network than the one so far, with that said."""
    if built is first:
        return verdict
    which = words or "by the equations elsewhere in the document"
    return replace(verdict, reading="; ".join(filter(None, [verdict.reading, which])))


def is_refuted(judged: list[tuple[str, Verdict | None]]) -> bool:
    verdict = judged[0][1]
    return verdict is not None and verdict.verdict == FALSE


def is_settled(found: tuple[str, Verdict | None]) -> bool:
    """Whether something may be concluded from a statement: it is true, or a definition."""
    role, verdict = found
    return role == DEFINES or (verdict is not None and verdict.verdict == TRUE)


def together(finding: Finding, found: list[tuple[str, Verdict | None]]) -> Finding:
    """One finding of all statements of a formula: the worst verdict, the weightiest role."""
    kinds = [role for role, _ in found]
    role = next((r for r in (CLAIM, DEFINES, INFORMAL) if r in kinds), NOTATION)
    verdicts = [v for _, v in found if v is not None]
    if not verdicts:
        return replace(finding, role=role)
    worst = next(
        v for kind in (FALSE, UNREADABLE, UNKNOWN, TRUE) for v in verdicts if v.verdict == kind
    )
    parts = [p.verdict for v in verdicts for p in (v.parts or (v,))]
    readings = list(dict.fromkeys(v.reading for v in verdicts if v.reading))
    return replace(
        finding, role=CLAIM, verdict=worst.verdict, reading=" | ".join(readings),
        diagnosis=worst.diagnosis, message=worst.message,
        evidence=worst.evidence, correction=worst.correction,
        marked=worst.marked, counterexample=worst.counterexample, relations=tuple(parts),
    )  # fmt: skip
