"""Texts without any delimiter of formulas: each line that is an equation is one.

So are written the models that are given as a file, and formulas pasted without their document.
"""

from __future__ import annotations

import re

from rnnsym.sources.harvest import Harvest
from rnnsym.sources.macros import DEFINERS

RELATION = re.compile(
    r"=|:=|≠|≤|≥|∝|←|\\(?:neq?|leq?|geq?|approx|propto|leftarrow|gets|equiv|coloneqq)(?![A-Za-z])"
)
WORDS = re.compile(r"(?:(?<![\\A-Za-z_{])[A-Za-z]{2,}[,;:]?\s+){4,}")
ROW_END = re.compile(r"\s*(?:\\\\|[;,])?\s*$")


def read_plain(text: str, harvest: Harvest) -> None:
    """Lines with a relation are formulas, the others prose."""
    for number, line in enumerate(text.split("\n"), start=1):
        content = line.strip()
        if not content:
            harvest.end_block()
        elif content.startswith(("#", "%", "//")):
            continue
        elif DEFINERS.match(content) or (RELATION.search(content) and not WORDS.search(content)):
            harvest.formula(ROW_END.sub("", content), number, True)
            harvest.end_block()
        else:
            harvest.prose(content + " ")
