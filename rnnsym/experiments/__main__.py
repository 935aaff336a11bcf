"""``python -m rnnsym.experiments``: both tasks, all networks, as tables or JSON.

The numbers follow from the seed: a run can be repeated exactly, but for the seconds.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict

from rnnsym.errors import RnnsymError
from rnnsym.experiments.comparison import EXPERIMENTS, compare, experiment, table


def _progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0, or 2 for bad input."""
    parser = argparse.ArgumentParser(prog="python -m rnnsym.experiments", description=__doc__)
    parser.add_argument("--task", choices=[*EXPERIMENTS, "both"], default="both")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, metavar="T", help="length of the sequences")
    parser.add_argument("--updates", type=int, metavar="N", help="updates of the parameters")
    parser.add_argument("--json", action="store_true", help="all curves, as one JSON object")
    given = parser.parse_args(arguments)
    names = list(EXPERIMENTS) if given.task == "both" else [given.task]
    try:
        chosen = [experiment(name, given.steps, given.updates) for name in names]
        results = [compare(each, given.seed, progress=_progress) for each in chosen]
    except RnnsymError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if given.json:
        record = {
            name: [asdict(r) for r in runs] for name, runs in zip(names, results, strict=True)
        }
        print(json.dumps(record))
    else:
        print("\n\n".join(map(table, results)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
