"""Training with generated gradients, and a look at how far back in time the gradient reaches.

Takes a network of `networks` and a task of `memory`; everything follows from one seed. The
gradients come from `Network.gradients`, clipped by `remedies.clip_by_norm`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rnnsym.api import Network
from rnnsym.errors import InputError
from rnnsym.experiments.memory import Array, Batch, Task
from rnnsym.experiments.networks import (
    PROBE,
    Candidate,
    initial_parameters,
    network,
    probed,
)
from rnnsym.remedies.clipping import clip_by_norm

Arrays = dict[str, Array]


@dataclass(frozen=True)
class Settings:
    """How to train.

    n_a: size of the state; batch: sequences an update; rate: learning rate; threshold: of the
    gradient's norm; looks: how often, beside the start, the network is looked at; held_out:
    sequences for the loss of a look; watched: sequences for its gradient norms.
    """

    n_a: int = 16
    batch: int = 20
    updates: int = 2000
    rate: float = 0.01
    optimizer: str = "adam"
    threshold: float = 1.0
    looks: int = 10
    held_out: int = 256
    watched: int = 16

    def __post_init__(self) -> None:
        for name in ("n_a", "batch", "updates", "looks", "held_out", "watched"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}: take 1 or more")
        if not (self.rate > 0 and math.isfinite(self.rate)):
            raise InputError(f"the learning rate is {self.rate}: take a positive number")
        if self.optimizer not in OPTIMIZERS:
            known = ", ".join(OPTIMIZERS)
            raise InputError(f"unknown optimizer {self.optimizer!r}: choose from {known}")


@dataclass(frozen=True)
class Look:
    """A network after some updates.

    loss: on held-out sequences; flow: state -> the norms of dL⟨T⟩/ds⟨t⟩ for t = 1 … T, each the
    mean over the watched sequences, all of which have an answer at step T.
    """

    update: int
    loss: float
    flow: dict[str, list[float]]

    def at_distance(self, steps: int) -> float:
        """The norm of the gradient by all states of step T - steps taken together."""
        return math.hypot(*(norms[len(norms) - 1 - steps] for norms in self.flow.values()))


@dataclass(frozen=True)
class Run:
    """A training from start to end.

    parameters: how many numbers were trained; losses, norms: of each update's batch before it,
    the norm of the whole gradient before clipping; looks: at the start, in between, at the end.
    """

    network: str
    title: str
    task: str
    steps: int
    seed: int
    settings: Settings
    baseline: float
    parameters: int
    losses: list[float]
    norms: list[float]
    looks: list[Look]
    seconds: float = field(compare=False)

    @property
    def clipped(self) -> float:
        """The share of updates whose gradient was clipped."""
        return sum(n > self.settings.threshold for n in self.norms) / len(self.norms)


class Adam:
    """Kingma & Ba 2015, "Adam: a method for stochastic optimization", ICLR, algorithm 1."""

    def __init__(self, rate: float, decay: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8):
        self.rate, self.decay, self.eps = rate, decay, eps
        self.first: Arrays = {}
        self.second: Arrays = {}
        self.updates = 0

    def update(self, parameters: Arrays, gradients: Arrays) -> Arrays:
        """New parameters; the given ones stay untouched."""
        self.updates += 1
        b1, b2 = self.decay
        result = {}
        for name, g in gradients.items():
            m = self.first[name] = b1 * self.first.get(name, 0.0) + (1 - b1) * g
            v = self.second[name] = b2 * self.second.get(name, 0.0) + (1 - b2) * g * g
            m, v = m / (1 - b1**self.updates), v / (1 - b2**self.updates)
            result[name] = parameters[name] - self.rate * m / (np.sqrt(v) + self.eps)
        return result


class SGD:
    """Stochastic gradient descent."""

    def __init__(self, rate: float):
        self.rate = rate

    def update(self, parameters: Arrays, gradients: Arrays) -> Arrays:
        """New parameters; the given ones stay untouched."""
        return {name: parameters[name] - self.rate * g for name, g in gradients.items()}


OPTIMIZERS: dict[str, Callable[[float], Any]] = {"adam": Adam, "sgd": SGD}


class Flow:
    """How much of the gradient of L⟨T⟩ arrives at each step: dL⟨T⟩/ds⟨t⟩ for all t at once.

    Exact, by the generated code of the `probed` network: its input e is a unit vector of its own
    for each step of each sequence, so the columns of dL/dP_s are the gradients asked for.
    """

    def __init__(self, net: Network, batch: Batch, sizes: Mapping[str, int]) -> None:
        self.shape = steps, size = batch.x.shape[:2]
        self.function = probed(net).gradients()
        m = np.zeros_like(batch.m)
        m[-1] = 1.0
        e = np.eye(steps * size).reshape(steps, size, steps * size)
        self.given, self.y = {"x": batch.x, "m": m, "e": e}, batch.y
        self.probes = {
            name: np.zeros((sizes[str(state.rows)], steps * size))
            for name, state in net.states.items()
        }

    def vectors(self, parameters: Arrays) -> Arrays:
        """State s -> dL⟨T⟩/ds⟨t⟩ of each sequence, (T, B, n_s)."""
        probes = {PROBE.format(name): p for name, p in self.probes.items()}
        _, gradients = self.function({**parameters, **probes}, self.given, self.y)
        return {
            name: gradients[PROBE.format(name)].T.reshape(*self.shape, -1) for name in self.probes
        }

    def norms(self, parameters: Arrays) -> dict[str, list[float]]:
        """State -> the norm at each step, the mean over the sequences."""
        return {
            name: np.linalg.norm(v, axis=-1).mean(axis=-1).tolist()
            for name, v in self.vectors(parameters).items()
        }


def train(candidate: Candidate, task: Task, settings: Settings, seed: int = 0) -> Run:
    """Train one network; the same arguments give the same Run (but for `seconds`).

    All candidates see the same data. Raises InputError for a negative seed, and where the
    training diverges.
    """
    if seed < 0:
        raise InputError(f"seed {seed}: take 0 or more")
    begin = time.perf_counter()
    start, data, held_out, watched = (np.random.default_rng([seed, i]) for i in range(4))
    net = network(candidate, task)
    function = net.gradients()
    sizes = {"n_a": settings.n_a, "n_x": task.n_x, "n_y": task.n_y}
    parameters = initial_parameters(net, candidate, sizes, start)
    test = task.batch(held_out, settings.held_out)
    flow = Flow(net, task.batch(watched, settings.watched, late=True), sizes)

    def look(update: int) -> Look:
        loss = function(parameters, {"x": test.x, "m": test.m}, test.y)[0]
        return Look(update, loss, flow.norms(parameters))

    optimizer = OPTIMIZERS[settings.optimizer](settings.rate)
    at = {round(i * settings.updates / settings.looks) for i in range(1, settings.looks + 1)}
    looks, losses, norms = [look(0)], [], []
    for update in range(1, settings.updates + 1):
        batch = task.batch(data, settings.batch)
        with np.errstate(over="ignore", invalid="ignore"):  # it is reported below
            loss, gradients = function(parameters, {"x": batch.x, "m": batch.m}, batch.y)
            clipped, norm = clip_by_norm(gradients, settings.threshold)
            parameters = optimizer.update(parameters, clipped)
        if not all(np.isfinite(p).all() for p in (loss, norm, *parameters.values())):
            raise InputError(
                f"{candidate.name} on {task.name} diverges at update {update}: take a smaller rate"
            )
        losses.append(loss)
        norms.append(norm)
        if update in at:
            looks.append(look(update))
    return Run(
        network=candidate.name,
        title=candidate.title,
        task=task.name,
        steps=task.steps,
        seed=seed,
        settings=settings,
        baseline=task.baseline,
        parameters=sum(p.size for p in parameters.values()),
        losses=losses,
        norms=norms,
        looks=looks,
        seconds=time.perf_counter() - begin,
    )
