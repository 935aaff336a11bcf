"""A fuzzer of the reader and the judge of formulas.

    python -m tests.security.fuzz --runs 100000 [--seed 0] [--judge 0.05]

Formulas of a grammar and mutated real ones are read, each with the table of some network; a part
of them is judged. Nothing may be raised but rnnsym's own errors, nothing may take longer than it
is allowed to, and what is true must still be judged true afterwards.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar

import rnnsym as rs
from rnnsym.claims.check import check
from rnnsym.errors import RnnsymError
from rnnsym.reader.resolve import Resolver
from rnnsym.reader.statements import read_formula
from rnnsym.reader.table import Table, of_network
from tests.security.grammar import source

T = TypeVar("T")

#: seconds of processor time
READ, JUDGE, SLACK = 0.2, 1.0, 1.0
#: formulas between two looks at whether right and wrong are still told apart
BETWEEN = 2_000

OUTPUT, TARGET = r"\hat{y}^{\langle t\rangle}", r"y^{\langle t\rangle}"
RIGHT = rf"\frac{{\partial L}}{{\partial b_y}} = \sum_{{t}} ({OUTPUT} - {TARGET})"
WRONG = rf"\frac{{\partial L}}{{\partial b_y}} = \sum_{{t}} ({TARGET} - {OUTPUT})"


class HangError(BaseException):
    """More processor time than is allowed; no handler of the judge may take it."""


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raises HangError in what takes more processor time than that."""

    def stop(*_: Any) -> None:
        raise HangError(f"more than {seconds} s")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def timed(act: Callable[[], T], seconds: float) -> tuple[T, float]:
    """What something gives, and its processor time; the least of three, where it is too much.

    Other processes make this one slower than it is. Raises HangError after some times `seconds`.
    """
    least = float("inf")
    for _ in range(3):
        start = time.process_time()
        with limited(max(1.0, 4 * seconds)):
            found = act()
        least = min(least, time.process_time() - start)
        if least <= seconds:
            break
    return found, least


@dataclass
class Result:
    """What came out of a run."""

    runs: int = 0
    read: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    slowest_read: float = 0.0
    slowest_judgement: float = 0.0
    failures: list[tuple[str, str]] = field(default_factory=list)

    def __str__(self) -> str:
        told = ", ".join(f"{n} {kind}" for kind, n in self.verdicts.most_common())
        lines = [
            f"{self.runs} formulas, {self.read} read, the others refused; judged: {told or 'none'}",
            f"slowest: read {self.slowest_read:.3f} s, judged {self.slowest_judgement:.2f} s",
            f"{len(self.failures)} failures",
        ]
        return "\n".join(lines + [f"{why}\n    {text!r}" for text, why in self.failures[:40]])


class Fuzzer:
    """Reads and judges formulas, and keeps what went wrong."""

    def __init__(self, seed: int, judged: float) -> None:
        self.seed, self.judged, self.result = seed, judged, Result()
        self.nets = [rs.elman(), rs.elman(activation="g"), rs.gru(), rs.elman(layers=2)]
        profiles = ("post", "goodfellow", "d2l", "pytorch")
        self.tables = [of_network(net, p) for net in self.nets for p in profiles]

    def run(self, runs: int, progress: bool = False) -> Result:
        """Formulas 0 … runs - 1 of this seed."""
        for k in range(runs):
            self.one(k)
            if k % BETWEEN == 0:
                self._sane()
                if progress and k:
                    print(f"{k}: {len(self.result.failures)} failures", file=sys.stderr, flush=True)
            if len(self.result.failures) > 200:
                break
        self._sane()
        return self.result

    def one(self, number: int) -> str:
        """One formula by its number."""
        rng = Random(f"{self.seed}/{number}")
        text = source(rng)
        self.result.runs += 1
        table = rng.choice(self.tables)
        if self._timed(text, lambda: self._read(text, table), READ):
            self.result.read += 1
        if rng.random() < self.judged:
            net = rng.choice(self.nets)
            self._timed(text, lambda: self._judge(text, net), JUDGE + SLACK)
        return text

    def _timed(self, text: str, act: Callable[[], bool], seconds: float) -> bool:
        try:
            found, taken = timed(act, seconds)
        except (Exception, HangError) as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{where.filename.rsplit('/', 1)[-1]}:{where.lineno}"
            self.result.failures.append((text, f"{type(error).__name__}: {error} ({place})"))
            return False
        if taken > seconds:
            self.result.failures.append((text, f"{taken:.2f} s, allowed are {seconds} s"))
        if seconds == READ:
            self.result.slowest_read = max(self.result.slowest_read, taken)
        else:
            self.result.slowest_judgement = max(self.result.slowest_judgement, taken)
        return found

    def _read(self, text: str, table: Table) -> bool:
        try:
            for statement in read_formula(text).statements:
                Resolver(table, text)(statement.node)
        except RnnsymError as error:
            str(error).encode()  # a message that can be printed
            return False
        return True

    def _judge(self, text: str, net: Any) -> bool:
        verdict = check(text, net, seconds=JUDGE)
        verdict.text().encode()
        self.result.verdicts[verdict.verdict] += 1
        return True

    def _sane(self) -> None:
        for claim, expected in ((RIGHT, "true"), (WRONG, "false")):
            found = check(claim, self.nets[0], diagnose=False).verdict
            if found != expected:
                self.result.failures.append((claim, f"judged {found} after {self.result.runs}"))


def main(arguments: list[str] | None = None) -> int:
    """The command; status 1 where something failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.security.fuzz", description=__doc__)
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--judge", type=float, default=0.05, help="which part is judged")
    parser.add_argument("--only", type=int, help="the number of one formula")
    given = parser.parse_args(arguments)
    fuzzer = Fuzzer(given.seed, given.judge)
    if given.only is not None:
        print(repr(fuzzer.one(given.only)))
        print(fuzzer.result)
        return 0
    start = time.monotonic()
    result = fuzzer.run(given.runs, progress=True)
    print(result)
    print(f"{time.monotonic() - start:.0f} s")
    return 1 if result.failures else 0


if __name__ == "__main__":
    sys.exit(main())
