"""`python -m tests.trial DIR [--opened | --held-out | --all] [--remarks] [NAME …]`: its table."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.trial import facts, measure, table


def main() -> int:
    """Print the table; 2 if no document of the trial is in the folder."""
    parser = argparse.ArgumentParser(prog="python -m tests.trial", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", help="documents; by default all that are there")
    parser.add_argument("--held-out", action="store_true", help="the documents held out only")
    parser.add_argument(
        "--opened", action="store_true", help="those that were, until measured once"
    )
    parser.add_argument("--all", action="store_true", help="these too")
    parser.add_argument("--remarks", action="store_true", help="every line that is not right")
    given = parser.parse_intermixed_args()
    rows = []
    for entry in facts(given.folder):
        wanted = entry["document"] in given.names if given.names else (
            given.all
            or (entry["held_out"], entry.get("opened", False)) == (given.held_out, given.opened)
        )  # fmt: skip
        if wanted and (given.folder / entry["file"]).exists():
            rows.append(measure(entry, given.folder))
            print(f"{entry['document']}: {rows[-1].seconds:.0f} s", file=sys.stderr)
    if not rows:
        print(f"no document of the trial is in {given.folder}", file=sys.stderr)
        return 2
    print(table(rows))
    if given.remarks:
        print("\n".join(f"{r.document}, {x}" for r in rows for x in r.remarks))
    return 0


if __name__ == "__main__":
    sys.exit(main())
