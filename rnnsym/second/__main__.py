"""`python -m rnnsym.second MODEL…`: how much of each model's equations latex2sympy2 reads back.

Prints a Markdown table: all component equations at sizes 2 and T = 2, how many are read back with
the value that rnnsym gives them, and why the others are not.
"""

from __future__ import annotations

import argparse
import sys
import time

from rnnsym.api import model
from rnnsym.errors import RnnsymError
from rnnsym.second.components import Components
from rnnsym.second.kind import Numbers, tally_of
from rnnsym.verify.adjoints import derived_system
from rnnsym.verify.case import make_case

DEFAULT = (
    "elman",
    "elman:activation=relu,output=sigmoid,loss=binary_cross_entropy",
    "elman:activation=g",
    "lstm",
    "gru",
    "gru:reset=after,layers=2",
)


def main() -> int:
    """Print the table; the exit status is 1 if something was read otherwise than it is meant."""
    parser = argparse.ArgumentParser(prog="python -m rnnsym.second", description=__doc__)
    parser.add_argument("model", nargs="*", default=DEFAULT)
    parser.add_argument("--steps", type=int, default=2)
    given = parser.parse_args()
    print("| model | component equations | read back | read wrong | cannot be read | seconds |")
    print("|---|---:|---:|---:|---|---:|", flush=True)
    wrong = 0
    for spec in given.model:
        start = time.perf_counter()
        net = model(spec)
        case = make_case(net, given.steps, dict.fromkeys(net.sizes, 2), 0, lambda *_: {})
        system = derived_system(net)
        tally = tally_of(Components(net, case.symbols, system), Numbers(case, system))
        wrong += len(tally.disagreements)
        why = "; ".join(f"{n}: {reason}" for reason, n in tally.unread.most_common()) or "–"
        print(
            f"| `{spec}` | {tally.count} | {len(tally.read)} | {len(tally.disagreements)} | {why} "
            f"| {time.perf_counter() - start:.0f} |",
            flush=True,
        )
        for line in tally.disagreements:
            print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RnnsymError as error:
        sys.exit(f"rnnsym: {error}")
