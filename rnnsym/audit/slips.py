"""Slips that no relation by itself shows: an odd threshold, a norm of the wrong thing.

Used by `audit` after all formulas were judged.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from fractions import Fraction
from typing import Any

from rnnsym.audit.result import CLAIM, Finding
from rnnsym.reader import syntax as s

#: how many comparisons of one quantity show what it is usually compared with
ENOUGH = 3


def found(findings: list[Finding], formulas: list[Any], readings: list[Any]) -> list[Finding]:
    """The findings, with the slips entered."""
    result = list(findings)
    for k, diagnosis in {**_thresholds(findings, readings), **_clipping(readings)}.items():
        result[k] = replace(
            result[k], role=CLAIM, verdict="false", diagnosis=diagnosis, message=diagnosis
        )
    return result


def _source(node: s.Node, latex: str) -> str:
    """How a node is written, looks left out."""
    text = "".join(latex[node.start : node.end].split())
    for looks in (r"\left", r"\right", r"\mathbf", r"\boldsymbol", "{", "}"):
        text = text.replace(looks, "")
    return text


def _thresholds(findings: list[Finding], readings: list[Any]) -> dict[int, str]:
    """A quantity compared with one number again and again, and once with another."""
    table: dict[str, list[tuple[int, Fraction, str]]] = defaultdict(list)
    for k, reading in enumerate(readings):
        for statement in reading.statements if reading is not None else ():
            node = statement.node
            if isinstance(node, s.Relation) and len(node.ops) == 1 and node.ops[0] in "<>≤≥":
                left, right = node.sides
                if isinstance(right, s.Number) and not isinstance(left, s.Symbol | s.Number):
                    table[_source(left, reading.latex)].append((k, right.value, node.ops[0]))
    slips = {}
    for uses in table.values():
        numbers = Counter(value for _, value, _ in uses)
        usual, count = numbers.most_common(1)[0]
        odd = [(k, value, op) for k, value, op in uses if value != usual]
        if len(odd) != 1 or count < ENOUGH:
            continue
        k, value, op = odd[0]
        lines = ", ".join(str(findings[j].line) for j, v, _ in uses if v == usual)
        slips[k] = (
            f"{op} {value} stands here, where the same quantity is compared with {usual} elsewhere "
            f"(lines {lines}): {usual} is meant, not {value}"
        )
    return slips


def _clipping(readings: list[Any]) -> dict[int, str]:
    """v ← (c / ‖u‖) v rescales v to the length c only if u is v."""
    slips: dict[int, str] = {}
    for k, reading in enumerate(readings):
        for statement in reading.statements if reading is not None else ():
            wrong = _rescaled(statement.node, reading.latex)
            if wrong is None:
                continue
            norm, vector = wrong
            slips[k] = (
                f"$\\|{norm}\\|$ should be $\\|{vector}\\|$: what is rescaled to the threshold is "
                f"${vector}$, so its own norm belongs in the denominator"
            )
            for j in range(max(0, k - 3), k):
                condition = _norm_in_condition(readings[j])
                if condition == norm:
                    slips[j] = (
                        f"$\\|{norm}\\|$ should be $\\|{vector}\\|$, the norm of what is clipped"
                    )
    return slips


def _rescaled(node: s.Node, latex: str) -> tuple[str, str] | None:
    """(u, v) of v ← c / ‖u‖ · v where u is not v."""
    if not isinstance(node, s.Relation) or node.ops[0] not in ("←", "=", ":="):
        return None
    left, right = node.sides[0], node.sides[1]
    if not isinstance(right, s.Times) or not isinstance(right.factors[0][1], s.Fraction_):
        return None
    below = right.factors[0][1].below
    if isinstance(below, s.Scripted):
        below = below.base
    if not isinstance(below, s.Bracket) or below.kind not in ("‖", "|"):
        return None
    vector = _source(left, latex)
    rest = "".join(_source(x, latex) for _, x in right.factors[1:])
    norm = "".join(_source(x, latex) for x in below.parts)
    return (norm, vector) if rest == vector and norm != vector else None


def _norm_in_condition(reading: Any) -> str | None:
    """u of a formula ‖u‖, or of a condition ‖u‖ > c."""
    if reading is None or len(reading.statements) != 1:
        return None
    node = reading.statements[0].node
    if isinstance(node, s.Relation):
        node = node.sides[0]
    if isinstance(node, s.Bracket) and node.kind == "‖" and len(node.parts) == 1:
        return _source(node.parts[0], reading.latex)
    return None
