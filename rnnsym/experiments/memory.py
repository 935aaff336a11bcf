"""Two tasks that cannot be solved without memory: adding and copying.

Start of the experiments: a task draws its data from a random generator and says how the answer
is read off the state and what counts as loss. The answer is due at some steps only: the input
``m``, a weight for each step, is zero elsewhere.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from rnnsym.errors import InputError

Array = Any


@dataclass(frozen=True)
class Batch:
    """Data, time first: x (T, B, n_x), y (T, B, n_y), and the weight of each step m (T, B, 1).

    The weights sum to one, so that the total loss is the mean over all answers.
    """

    x: Array
    y: Array
    m: Array


@dataclass(frozen=True)
class Task(ABC):
    """A task of T = `steps` time steps.

    `head` are the equations for ŷ⟨t⟩ and L⟨t⟩, from the state a⟨t⟩ on.
    """

    steps: int

    name: ClassVar[str]
    title: ClassVar[str]
    source: ClassVar[str]
    head: ClassVar[tuple[str, ...]]

    @property
    @abstractmethod
    def n_x(self) -> int:
        """The size of x⟨t⟩."""

    @property
    @abstractmethod
    def n_y(self) -> int:
        """The size of y⟨t⟩."""

    @property
    @abstractmethod
    def baseline(self) -> float:
        """The least mean loss of an answer that does not depend on the inputs."""

    @abstractmethod
    def batch(self, rng: np.random.Generator, size: int, late: bool = False) -> Batch:
        """`size` sequences, drawn from `rng`; if `late`, each has an answer at the last step."""


@dataclass(frozen=True)
class Adding(Task):
    """Each step shows a number in [0, 1) and a marker; the answer is the sum of the two marked.

    One number of each half is marked; the sum is due at the last step, with its squared error as
    loss. Hochreiter & Schmidhuber 1997 (section 5.4), in the form of Le, Jaitly & Hinton 2015
    (arXiv 1504.00941): numbers in [0, 1) and the plain sum. Raises InputError for T < 2.
    """

    name = "adding"
    title = "adding problem"
    source = "Hochreiter & Schmidhuber 1997; Le, Jaitly & Hinton 2015"
    head = (
        "y_hat[t] = W_ya @ a[t] + b_y",
        "L[t] = m[t] * ((y_hat[t] - y[t]).T @ (y_hat[t] - y[t]))",
    )

    def __post_init__(self) -> None:
        if self.steps < 2:
            raise InputError(f"adding: T = {self.steps} leaves no two numbers; take 2 or more")

    @property
    def n_x(self) -> int:
        """The number and the marker."""
        return 2

    @property
    def n_y(self) -> int:
        """The sum."""
        return 1

    @property
    def baseline(self) -> float:
        """The variance of a sum of two independent uniform numbers: twice E u² - (E u)²."""
        return 2 * (1 / 3 - 1 / 4)

    def batch(self, rng: np.random.Generator, size: int, late: bool = False) -> Batch:
        numbers = rng.random((self.steps, size))
        half, each = self.steps // 2, np.arange(size)
        marked = np.zeros((self.steps, size))
        marked[rng.integers(0, half, size), each] = 1
        marked[rng.integers(half, self.steps, size), each] = 1
        y, m = np.zeros((self.steps, size, 1)), np.zeros((self.steps, size, 1))
        y[-1, :, 0] = (numbers * marked).sum(axis=0)
        m[-1] = 1 / size
        return Batch(np.stack([numbers, marked], axis=-1), y, m)


@dataclass(frozen=True)
class Copying(Task):
    """Some symbols are shown, then blanks, then a signal: from there on they are to be recalled.

    `length` symbols of `symbols` kinds; the signal comes with the step at which the first answer
    is due. Hochreiter & Schmidhuber 1997 in the form of Arjovsky, Shah & Bengio 2016
    (arXiv 1511.06464), with two differences: only what is recalled counts as loss (cross-entropy),
    and the delay is random, so that it is not enough to wait for a fixed time (which was tried
    first: an Elman network that starts orthogonal then learned it, and gated ones mostly had not
    within 1000 updates; a ranking of cells is not meant). The signal comes at
    any step from the middle of the sequence to the last at which there is time for the answer.

    Raises InputError for T < 2 · length, no symbol to show, or one kind of symbol.
    """

    length: int = 2
    symbols: int = 4

    name = "copying"
    title = "copying problem"
    source = "Arjovsky, Shah & Bengio 2016, after Hochreiter & Schmidhuber 1997"
    head = (
        "y_hat[t] = softmax(W_ya @ a[t] + b_y)",
        "L[t] = -m[t] * (y[t].T @ log(y_hat[t]))",
    )

    def __post_init__(self) -> None:
        if self.length < 1 or self.symbols < 2:
            raise InputError("copying: take a length of 1 or more, and 2 symbols or more")
        if self.steps < 2 * self.length:
            raise InputError(
                f"copying: T = {self.steps} leaves no time to show and recall {self.length} "
                f"symbols; take {2 * self.length} or more"
            )

    @property
    def n_x(self) -> int:
        """A unit vector for each symbol, for the blank, and for the signal."""
        return self.symbols + 2

    @property
    def n_y(self) -> int:
        """A probability for each symbol."""
        return self.symbols

    @property
    def baseline(self) -> float:
        """The entropy of a symbol: all are equally likely."""
        return math.log(self.symbols)

    def batch(self, rng: np.random.Generator, size: int, late: bool = False) -> Batch:
        blank, signal = self.symbols, self.symbols + 1
        shown = rng.integers(0, self.symbols, (self.length, size))
        latest = self.steps - self.length
        due = rng.integers(latest if late else self.steps // 2, latest + 1, size)
        each = np.arange(size)
        seen = np.full((self.steps, size), blank)
        seen[: self.length] = shown
        seen[due, each] = signal
        y, m = np.zeros((self.steps, size, self.n_y)), np.zeros((self.steps, size, 1))
        for i, symbol in enumerate(shown):
            y[due + i, each] = np.eye(self.n_y)[symbol]
            m[due + i, each] = 1 / (self.length * size)
        return Batch(np.eye(self.n_x)[seen], y, m)


#: the tasks by name
TASKS: dict[str, type[Task]] = {task.name: task for task in (Adding, Copying)}
