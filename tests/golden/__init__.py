"""Golden files: derivations in LaTeX, one formula a line, compared exactly.

``python -m tests.golden`` writes them anew; what a change of the printer or of the calculus does
to the formulas is then seen in the diff. A line is ``left relation right`` of one step.
"""

from __future__ import annotations

from pathlib import Path

import rnnsym as rs
from rnnsym.latex import PROFILES, LatexPrinter

FOLDER = Path(__file__).parent
RELATIONS = {"=": "=", "≠": r"\neq"}

#: file -> (model, parameter, notation, T or None for symbolic T)
CASES: dict[str, tuple[str, str, str, int | None]] = {
    **{f"elman_{p}": ("elman", p, "post", None) for p in ("W_aa", "W_ax", "b_a", "W_ya", "b_y")},
    **{f"elman_W_aa_{n}": ("elman", "W_aa", n, None) for n in PROFILES if n != "post"},
    "elman_W_aa_T3": ("elman", "W_aa", "post", 3),
    "lstm_W_fa": ("lstm", "W_fa", "post", None),
    "gru_W_ra": ("gru", "W_ra", "post", None),
}


def lines(name: str) -> list[str]:
    """The formulas of a case, a step each."""
    model, parameter, notation, steps = CASES[name]
    net = rs.model(model, notation=notation)
    derivation = net.derive(parameter)
    if steps is not None:
        derivation = derivation.at(steps)
    tex = LatexPrinter(notation, net.notations.get(notation))
    return [f"{tex(s.before)} {RELATIONS[s.relation]} {tex(s.after)}" for s in derivation.steps]


def path(name: str) -> Path:
    """Where the golden file of a case lies."""
    return FOLDER / f"{name}.tex"


def write() -> list[Path]:
    """Write every golden file; returns their paths."""
    for name in CASES:
        path(name).write_text("\n".join(lines(name)) + "\n", encoding="utf-8")
    return [path(name) for name in CASES]
