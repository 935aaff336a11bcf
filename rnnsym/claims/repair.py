"""Diagnosis: the smallest change of a wrong formula that makes it true."""

from __future__ import annotations

from typing import Any

from rnnsym.claims.verdict import Verdict


def diagnose(formula: Any, judge: Any, pair: Any, outcome: Any, verdict: Verdict) -> Verdict:
    """The verdict with what is wrong in words, and the corrected LaTeX, if a change explains it."""
    return verdict
