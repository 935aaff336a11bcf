"""Errors in the LaTeX of a formula, made without looking at what it means.

Used by `corpus_wrong`. Only errors that leave no formula right by chance: a change after the sign
of equality, in a place where the value depends on what was changed.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

_EQUALS = " = "
_ZERO = re.compile(r"0|\\(?:mathbf|boldsymbol)\{0\}")


def spoiled(latex: str, rng: random.Random) -> tuple[str, str] | None:
    """(kind, text) with one error in the right-hand side; None if it offers no place for it."""
    left, sign, right = latex.partition(_EQUALS)
    if not sign or _EQUALS in right:
        return None
    kind, error = rng.choice(ERRORS)
    if _ZERO.fullmatch(right):
        return None  # twice nothing is nothing
    if kind == "transpose lost" and r"\frac" in latex:
        return None  # a row or a column: a matter of layout
    if kind in ("limit above", "time") and "overleftarrow" in latex:
        return None  # the last step adds nothing where the state after it is zero
    found = error(right, rng)
    if found is None or found == right:
        return None
    return kind, left + sign + found


def _one_of(pattern: str, replace: Callable[[re.Match[str]], str]) -> Callable[..., str | None]:
    """One match of a pattern, chosen at random, replaced."""
    compiled = re.compile(pattern)

    def error(text: str, rng: random.Random) -> str | None:
        matches = list(compiled.finditer(text))
        if not matches:
            return None
        m = rng.choice(matches)
        return text[: m.start()] + replace(m) + text[m.end() :]

    return error


def _later(m: re.Match[str]) -> str:
    """⟨t-1⟩ becomes ⟨t⟩, ⟨t⟩ becomes ⟨t-1⟩."""
    text = m.group()
    return re.sub(r"([a-z])([-+]1)?", lambda x: x[1] if x[2] else f"{x[1]}-1", text, count=1)


ERRORS: list[tuple[str, Callable[..., str | None]]] = [
    ("time", _one_of(
        r"(?<=\\langle )[a-z](?:[-+]1)?(?=\\rangle)|(?<=\()[a-z](?:[-+]1)?(?=\))", _later)),
    ("limit above", _one_of(r"(?<=\}\^\{)T(?=\})", lambda m: "T-1")),
    ("limit of a product", _one_of(r"(?<=\\prod_\{[a-z]=)([a-z])\+1(?=\})", lambda m: m[1])),
    ("transpose lost", _one_of(r"\s*\\top", lambda m: "")),
    ("prime lost", _one_of(r"(?<=[a-z])'(?=\\left)", lambda m: "")),
    ("sign", _one_of(r" \+ ", lambda m: " - ")),
    ("sign of a difference", _one_of(r"(?<=[\s}\d]) - (?=\\|[a-z])", lambda m: " + ")),
    ("minus sign", lambda text, rng: f"-{text}" if text[0] != "-" and "+" not in text else None),
    ("factor 2", lambda text, rng:
        f"2 {text}" if " + " not in text and " - " not in text else None),
]  # fmt: skip
