"""Runs the benchmarks and prints a table for each section; ``--json FILE`` keeps the numbers."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.benchmarks import deep, derivations, gradients

#: name -> what gives the rows of its table
SECTIONS: dict[str, Callable[[], list[dict[str, Any]]]] = {
    "gradients": gradients.run,
    "deep": deep.run,
    "derivations": derivations.run,
}


def table(rows: list[dict[str, Any]]) -> str:
    """Rows as a Markdown table."""

    def cell(value: Any) -> str:
        if value is None:
            return ""
        return (
            f"{value:.3g}"
            if isinstance(value, float) and value < 100
            else f"{value:.0f}"
            if (isinstance(value, float))
            else str(value)
        )

    lines = [list(rows[0]), *([cell(v) for v in row.values()] for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    text = [
        "| " + " | ".join(c.rjust(w) for c, w in zip(x, widths, strict=True)) + " |" for x in lines
    ]
    text.insert(1, "|" + "|".join("-" * (w + 1) + ":" for w in widths) + "|")
    return "\n".join(text)


def main() -> int:
    """Run the sections that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    unknown = [name for name in options.sections if name not in SECTIONS]
    if unknown:
        parser.error(f"unknown section {unknown[0]!r}: choose from {', '.join(SECTIONS)}")
    results = {}
    for name in options.sections or SECTIONS:
        results[name] = SECTIONS[name]()
        print(f"## {name}\n\n{table(results[name])}\n", flush=True)
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
