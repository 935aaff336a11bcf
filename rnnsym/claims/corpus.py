"""A corpus of claims whose truth is known, and how the judge does on it.

Wrong claims are right ones with an error in them: the mutations of `rnnsym.verify.mutations`, and
others made independently of these (`corpus_wrong`). Right ones are rewritten by identities and in
other ways of writing (`corpus_right`, `corpus_writing`). What is right and what is wrong is decided
by the exact test of `rnnsym.verify` on the expressions, not by the judge, which sees the text only.
`python -m rnnsym.claims.corpus` prints how many of each kind are accepted, refused and left open.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any

#: networks in whose claims errors are put
NETWORKS = (
    "elman",
    "gru",
    "lstm",
    "elman:layers=2",
    "elman:bidirectional",
    "gru:reset=after",
    "elman:type=encoder-decoder",
    "elman:output=sigmoid,loss=binary_cross_entropy",
    "elman:output=identity,activation=g",
    "lstm:type=many-to-one",
)
OUTCOMES = ("accepted", "refused", "unknown", "unreadable")
_OUTCOME = {"true": 0, "definition": 0, "false": 1, "unknown": 2, "unreadable": 3}


@dataclass(frozen=True)
class Sample:
    """A claim of which it is known whether it is right.

    model: the network, as `rnnsym.model` reads it; kind: the error that was made, or the identity
    that was used; explicit: ∂⁺ is written where it is meant.
    """

    latex: str
    model: str
    notation: str
    kind: str
    right: bool
    explicit: bool = True


@dataclass(frozen=True)
class Judged:
    """A sample with what the judge says: outcome is one of OUTCOMES."""

    sample: Sample
    outcome: str
    message: str
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether a right claim was accepted, or a wrong one refused."""
        return self.outcome == ("accepted" if self.sample.right else "refused")


@cache
def network(model: str) -> Any:
    """A network, made once in each process."""
    import rnnsym as rs

    return rs.model(model)


@cache
def _table(model: str, notation: str) -> Any:
    from rnnsym.reader.table import of_network

    return of_network(network(model), notation)


def judge(sample: Sample, seconds: float = 10.0) -> Judged:
    """Judge one sample by its text."""
    from rnnsym.claims.check import judge_formula

    table = _table(sample.model, sample.notation).copy()
    start = time.process_time()
    verdict = judge_formula(
        sample.latex, network(sample.model), table, seconds=seconds, diagnose=False,
        explicit=sample.explicit,
    )  # fmt: skip
    spent = time.process_time() - start
    message = verdict.message if not verdict.reading else f"{verdict.message}"
    return Judged(sample, OUTCOMES[_OUTCOME[verdict.verdict]], message, spent)


def samples(model: str, count: int, right: bool, seed: int = 0) -> list[Sample]:
    """About so many samples of one network, in all notations; the same ones for the same seed."""
    from rnnsym.claims.corpus_right import right_samples
    from rnnsym.claims.corpus_wrong import wrong_samples

    rng = random.Random(f"{seed}/{model}/{right}")
    made = (right_samples if right else wrong_samples)(network(model), model, rng)
    found: dict[tuple[str, str], Sample] = {}
    for sample in made:
        found.setdefault((sample.notation, sample.latex), sample)
        if len(found) >= count:
            break
    return list(found.values())


def _work(job: tuple[str, int, bool, int]) -> list[Judged]:
    return [judge(sample) for sample in samples(*job)]


def run(
    count: int, seed: int = 0, processes: int = 1, networks: Iterable[str] = NETWORKS
) -> Iterator[Judged]:
    """Judge about `count` wrong and as many right claims."""
    models = list(networks)
    each = -(-count // len(models))
    jobs = [(model, each, right, seed) for model in models for right in (False, True)]
    if processes == 1:
        for job in jobs:
            yield from _work(job)
        return
    with ProcessPoolExecutor(processes) as pool:
        for found in pool.map(_work, jobs):
            yield from found


def table(found: Iterable[Judged]) -> str:
    """How many of each kind were accepted, refused, left open and not read, as Markdown."""
    counts: dict[tuple[bool, str], Counter[str]] = {}
    spent: Counter[tuple[bool, str]] = Counter()
    for x in found:
        for kind in (x.sample.kind, "all"):
            key = x.sample.right, kind
            counts.setdefault(key, Counter())[x.outcome] += 1
            spent[key] += x.seconds  # type: ignore[assignment]
    lines = [
        "| claims | kind | n | " + " | ".join(OUTCOMES) + " | ms each |",
        "|---|---|---:" + "|---:" * (len(OUTCOMES) + 1) + "|",
    ]
    for key in sorted(counts, key=lambda k: (k[0], k[1] == "all", k[1])):
        right, kind = key
        n = sum(counts[key].values())
        cells = [str(counts[key][o]) for o in OUTCOMES]
        name = f"**{kind}**" if kind == "all" else kind
        lines.append(
            f"| {'right' if right else 'wrong'} | {name} | {n} | {' | '.join(cells)} | "
            f"{1000 * spent[key] / n:.0f} |"
        )
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Print the table; 1 if a wrong claim is accepted, or a right one not."""
    import argparse

    parser = argparse.ArgumentParser(prog="python -m rnnsym.claims.corpus", description=__doc__)
    parser.add_argument("-n", type=int, default=2000, help="claims of each sort (2000)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--failures", action="store_true", help="print every claim judged wrongly")
    options = parser.parse_args(arguments)
    found = list(run(options.n, options.seed, options.processes))
    print(table(found))
    failed = [x for x in found if not x.ok]
    if options.failures:
        for x in failed:
            s = x.sample
            print(f"\n{s.model} {s.notation}, {s.kind}: {x.outcome}: {x.message}\n  {s.latex}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
