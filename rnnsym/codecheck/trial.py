"""How many errors are diagnosed as what they are: every mutation of the catalogue as a function.

Each mutation becomes a gradient function, wrong in all the gradients that it touches; the check
looks at it from outside, and its diagnosis is right if it names the mutation, or another one that
has the same values. `python -m rnnsym.codecheck.trial` prints the table.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from rnnsym.codecheck.adapter import Adapter
from rnnsym.codecheck.check import judge
from rnnsym.codecheck.ground import SAME, Ground
from rnnsym.codecheck.layout import Values
from rnnsym.codecheck.points import Point, Regime, chosen_sizes, lengths_of
from rnnsym.codecheck.report import CodeReport, Judged
from rnnsym.codecheck.results import Outcome
from rnnsym.network import Network
from rnnsym.verify.case import relative_error
from rnnsym.verify.mutations import Mutant

MODELS = ("elman", "lstm", "gru")
#: where a diagnosis is compared with the mutation, away from the points of the check
STEPS, SEED = 6, 77
#: what the simple part of the diagnosis calls some mutations
SYNONYMS = {"adjoint of another gate": "gradient of another parameter"}


@dataclass(frozen=True)
class Program:
    """A function with one error: the gradients that it touches, as mutants; the others right."""

    mutants: Mapping[str, Mutant]

    @property
    def kind(self) -> str:
        return next(iter(self.mutants.values())).kind


class Function:
    """A program as a function under test; it computes at the points of the ground it is for."""

    def __init__(self, ground: Ground, program: Program) -> None:
        self.ground, self.program = ground, program

    def __call__(self, values: Values) -> Outcome:
        point = self.ground.holding(values)
        if point is None or point.batch is not None:
            return Outcome(error="ValueError: for one sequence only")
        gradients = dict(point.gradients)
        for name, mutant in self.program.mutants.items():
            gradients[name] = point.mutant(mutant)
        return Outcome(gradients=gradients, loss=point.loss)


def programs(ground: Ground) -> Iterator[Program]:
    """One program for each change in the backward pass, and for each changed sum of products."""
    table: dict[tuple[str, str], dict[str, Mutant]] = {}
    assert ground.catalogue is not None
    for name in ground.net.parameters:
        for mutant in ground.catalogue.of(name):
            if mutant.system is None:
                yield Program({name: mutant})
            else:
                table.setdefault((mutant.kind, mutant.place), {})[name] = mutant
    for found in table.values():
        yield Program(found)


@dataclass
class Score:
    """Counts for one network.

    programs: functions with an error; wrong: their wrong gradients; seen: those that were called
    wrong; named: those whose diagnosis is the mutation or equals it; blamed: right gradients that
    were called wrong; missed: kinds of those that were diagnosed as something else.
    """

    model: str
    programs: int = 0
    wrong: int = 0
    seen: int = 0
    named: int = 0
    blamed: int = 0
    missed: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0


class Trial:
    """The trial of one network."""

    def __init__(self, net: Network) -> None:
        self.ground = Ground(net)

    @cached_property
    def elsewhere(self) -> Point:
        """A point at which no check looks."""
        net = self.ground.net
        return Point(net, lengths_of(net, STEPS), chosen_sizes(net, {}), SEED, Regime())

    def report(self, program: Program) -> CodeReport:
        """The check of one program."""
        net = self.ground.net
        return judge(
            Function(self.ground, program), net, Adapter(), tuple(net.initial_states),
            sensitivity=False, ground=self.ground,
        )  # fmt: skip

    def named(self, judged: Judged, mutant: Mutant) -> bool:
        """Whether a diagnosis is the mutation, or one with the same values."""
        why = judged.why
        if why is None:
            return False
        if why.kinds in ((mutant.kind,), (SYNONYMS.get(mutant.kind),)):
            return True
        planted = self.elsewhere.mutant(mutant)
        if len(why.mutants) == 1 == len(why.kinds):
            return relative_error(self.elsewhere.mutant(why.mutants[0]), planted) < SAME
        return why.kinds == ("zero",) and not np.any(planted)

    def run(self, part: slice = slice(None)) -> Score:
        """Every program (or some of them), judged."""
        score = Score(self.ground.net.name)
        start = time.perf_counter()
        for program in list(programs(self.ground))[part]:
            report = self.report(program)
            score.programs += 1
            for name, judged in report.gradients.items():
                mutant = program.mutants.get(name)
                true = self.elsewhere.gradients[name]
                if mutant is None or relative_error(self.elsewhere.mutant(mutant), true) < SAME:
                    score.blamed += judged.verdict == "wrong"
                    continue
                score.wrong += 1
                score.seen += judged.verdict == "wrong"
                if self.named(judged, mutant):
                    score.named += 1
                else:
                    score.missed[mutant.kind] += 1
        score.seconds = time.perf_counter() - start
        return score


def table(scores: list[Score]) -> str:
    """The outcome as a Markdown table."""
    lines = [
        "| model | functions with an error | wrong gradients | called wrong | diagnosed as what "
        "they are | right ones blamed |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for s in scores:
        share = f"{s.named} ({100 * s.named / max(s.wrong, 1):.1f} %)"
        lines.append(f"| {s.model} | {s.programs} | {s.wrong} | {s.seen} | {share} | {s.blamed} |")
    return "\n".join(lines)


def main() -> int:
    """Print the table; 1 if a wrong gradient passes or a right one is blamed."""
    from rnnsym.models import build

    scores = []
    for name in sys.argv[1:] or MODELS:
        print(f"{name} …", file=sys.stderr, flush=True)
        scores.append(Trial(build(name, {})).run())
    print(table(scores))
    for s in scores:
        if s.missed:
            print(f"\n{s.model}, diagnosed as something else: {dict(s.missed)}")
    return int(any(s.seen < s.wrong or s.blamed for s in scores))


if __name__ == "__main__":
    raise SystemExit(main())
