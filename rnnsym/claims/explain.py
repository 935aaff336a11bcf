"""Verdicts in words and numbers: the reading, and the smallest counterexample.

Used by `check`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rnnsym.claims import conditions
from rnnsym.claims.deciding import Outcome
from rnnsym.claims.judge import Judge
from rnnsym.claims.limiting import is_limit
from rnnsym.claims.readings import Reading
from rnnsym.errors import RnnsymError
from rnnsym.reader import terms as u


def shown(left: u.Term, right: u.Term, latex: str) -> dict[int, str]:
    """How each derivative is written, by its place."""
    return {
        d.start: " ".join(latex[d.start : d.end].split())
        for side in (left, right)
        for d in u.walk(side)
        if isinstance(d, u.Derivative)
    }


def reading_in_words(outcome: Outcome, names: dict[int, str], *sides: u.Term) -> str:
    """The reading, as far as it makes a difference to what is written."""
    derivatives = [d for s in sides for d in u.walk(s) if isinstance(d, u.Derivative)]
    plain = [d for d in derivatives if d.kind in ("∂", "∂⁺")]
    matters = outcome.reading.layout != "gradient" and bool(plain)
    return outcome.reading.words(names, matters)


def counterexample(
    judge: Judge, left: u.Term, op: str, right: u.Term, outcome: Outcome
) -> dict[str, Any] | None:
    """The smallest length and sizes at which two sides differ, with the numbers there."""
    if outcome.kind == "misfit" or is_limit(left, right):
        return None
    reading = outcome.reading
    found_in = outcome.scene if outcome.numeric else None  # tried last: it may be a large one
    for steps in (1, 2, 3, 4, None):
        try:
            scene = judge.scene(steps, True, reading.zero) if steps else found_in
            if scene is None:
                break
            found = _first(judge, scene, left, op, right, reading)
        except (RnnsymError, ZeroDivisionError):
            continue
        if found is not None:
            return found
    return None


def _first(
    judge: Judge, scene: Any, left: u.Term, op: str, right: u.Term, reading: Reading
) -> dict[str, Any] | None:
    values = scene.values(reading)
    for numbers in conditions.choices(scene, (left, right), judge.conditions):
        every = {**scene.numbers, **numbers}
        a, b = values(left, every), values(right, every)
        x, y = values.pair(a, b)
        wrong = _worst(scene, x, y, op)
        if wrong is None:
            continue
        i, j = wrong
        return {
            "lengths": dict(scene.lengths),
            "sizes": {
                str(k): int(v) for k, v in scene.symbols.items() if str(k) not in scene.numbers
            },
            "at": numbers,
            "entry": [i + 1, j + 1] if x.shape != (1, 1) else None,
            "left": _number(x[i, j]),
            "right": _number(y[i, j]),
        }
    return None


def _number(x: Any) -> float | str:
    """A number for JSON, which has none that are too large for a float."""
    number = float(x)
    return number if np.isfinite(number) else str(x)


def _worst(scene: Any, x: Any, y: Any, op: str) -> tuple[int, int] | None:
    """The entry where two sides differ most."""
    if op in ("<", ">", "≤", "≥"):
        difference = (x - y) if op in ("<", "≤") else (y - x)
    else:
        difference = np.abs(x - y)
    place = np.unravel_index(int(np.argmax(difference.astype(float))), x.shape)
    if op == "≠":
        return 0, 0
    scale = max(1.0, float(np.max(np.abs(y.astype(float)), initial=0.0)))
    if float(difference[place]) <= 1e-25 * scale:
        return None
    return int(place[0]), int(place[1])
