"""The comparison: the four networks on a task, with settings under which it takes seconds.

Joins `memory`, `networks` and `training`; `table` says in text what came out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from rnnsym.errors import InputError
from rnnsym.experiments.memory import Adding, Copying, Task
from rnnsym.experiments.networks import CANDIDATES
from rnnsym.experiments.training import Run, Settings, train


@dataclass(frozen=True)
class Experiment:
    """A task with the settings to train on it, the same for every network."""

    task: Task
    settings: Settings


EXPERIMENTS = {
    "adding": Experiment(Adding(50), Settings(n_a=16, rate=0.01)),
    "copying": Experiment(Copying(40), Settings(n_a=24, updates=3000, rate=0.005)),
}


def experiment(name: str, steps: int | None = None, updates: int | None = None) -> Experiment:
    """The experiment of a name, with another T or number of updates where they are given.

    Raises InputError for an unknown name, and for numbers with which it makes no sense.
    """
    if name not in EXPERIMENTS:
        raise InputError(f"unknown task {name!r}: choose from {', '.join(EXPERIMENTS)}")
    found = EXPERIMENTS[name]
    task = found.task if steps is None else replace(found.task, steps=steps)
    settings = found.settings if updates is None else replace(found.settings, updates=updates)
    return Experiment(task, settings)


def compare(
    chosen: Experiment,
    seed: int = 0,
    networks: Iterable[str] = tuple(CANDIDATES),
    progress: Callable[[str], None] = lambda text: None,
) -> list[Run]:
    """Train every network on the task. Raises InputError for an unknown network."""
    names = list(networks)
    for name in names:
        if name not in CANDIDATES:
            raise InputError(f"unknown network {name!r}: choose from {', '.join(CANDIDATES)}")
    runs = []
    for name in names:
        progress(f"{chosen.task.name}, {CANDIDATES[name].title} …")
        runs.append(train(CANDIDATES[name], chosen.task, chosen.settings, seed))
    return runs


def table(runs: list[Run]) -> str:
    """What came out for one task, as a Markdown table with a line on how it was made."""
    first = runs[0]
    last = first.steps - 1
    distances = [d for d in dict.fromkeys((1, first.steps // 2, last)) if d <= last]
    titles = ["network", "parameters", "loss at start", "at end", "clipped"]
    titles += [f"gradient {d} back, start" for d in distances]
    titles += [f"{d} back, end" for d in distances]
    titles += ["seconds"]
    rows = [titles, ["---"] + ["---:"] * (len(titles) - 1)]
    for run in runs:
        before, after = run.looks[0], run.looks[-1]
        rows.append(
            [run.title, str(run.parameters), f"{before.loss:.4f}", f"{after.loss:.4f}"]
            + [f"{run.clipped:.0%}"]
            + [f"{look.at_distance(d):.1e}" for look in (before, after) for d in distances]
            + [f"{run.seconds:.1f}"]
        )
    s = first.settings
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(
        [
            f"{first.task}: T = {first.steps}, n_a = {s.n_a}, {s.updates} updates of {s.batch} "
            f"sequences, {s.optimizer}, rate {s.rate:g}, threshold {s.threshold:g}, seed "
            f"{first.seed}; loss of an answer without memory: {first.baseline:.4f}",
            "",
            *lines,
        ]
    )
