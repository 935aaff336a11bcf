"""The networks that are compared: the cells of rnnsym, one of them with a shortcut in time.

Takes a task and gives `rnnsym.Network`s: the cell's own equations, the task's output and loss.
`probed` is the network in which the gradient by every state at every step can be read off.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from rnnsym.api import Network
from rnnsym.cells import CELLS
from rnnsym.errors import InputError
from rnnsym.experiments.memory import Array, Task
from rnnsym.models import configure

PROBE = "P_{}"


@dataclass(frozen=True)
class Candidate:
    """A cell to train.

    shortcut: the lag of a further connection a⟨t-lag⟩ → a⟨t⟩, or 0; biases: the value at which
    a bias starts, where it is not zero; gains: what an orthogonal matrix is multiplied by at the
    start, where it is not one.
    """

    name: str
    title: str
    cell: str
    shortcut: int = 0
    biases: Mapping[str, float] = field(default_factory=dict)
    gains: Mapping[str, float] = field(default_factory=dict)

    def equations(self) -> str:
        """The forward equations of the state."""
        cell = CELLS[self.cell]
        text = cell.equations(configure(cell, {}))
        if not self.shortcut:
            return text
        first = "W_aa @ a[t-1]"
        if text.count(first) != 1:
            raise InputError(f"{self.cell}: a shortcut is added to {first!r}, which is not there")
        return text.replace(first, f"{first} + W_as @ a[t-{self.shortcut}]")


#: A forget gate that starts open (Gers, Schmidhuber & Cummins 2000; Jozefowicz et al. 2015: b = 1).
#: The two ways back of the shortcut share the gain of one, else the states would grow.
CANDIDATES = {
    c.name: c
    for c in (
        Candidate("elman", "Elman", "elman"),
        Candidate(
            "shortcut", "Elman + shortcut", "elman", shortcut=8, gains={"W_aa": 0.5, "W_as": 0.5}
        ),
        Candidate("gru", "GRU", "gru"),
        Candidate("lstm", "LSTM", "lstm", biases={"b_f": 1.0}),
    )
}


def network(candidate: Candidate, task: Task) -> Network:
    """The candidate on the task; inputs x and m, target y."""
    return Network(
        candidate.equations(),
        *task.head,
        inputs=["x", "m"],
        sizes={"m": 1},
        name=f"{candidate.name}, {task.name}",
    )


def probed(net: Network) -> Network:
    """The network with P_s e⟨t⟩ added to each state s⟨t⟩, where e is a further input.

    With P_s = 0 it computes the same. Where e⟨t⟩ is the j-th unit vector for one step of one
    sequence only, column j of dL/dP_s is the gradient dL/ds⟨t⟩ of that sequence.
    """
    texts = [
        f"{e.text} + {PROBE.format(e.lhs.name)} @ e[t]" if e.lhs.name in net.states else e.text
        for e in net.source
    ]
    return Network(*texts, inputs=[*net.inputs, "e"], sizes={"m": 1}, name=f"{net.name}, probed")


def initial_parameters(
    net: Network, candidate: Candidate, sizes: Mapping[str, int], rng: np.random.Generator
) -> dict[str, Array]:
    """Parameters to start from, drawn in the order of the names.

    From state to state: orthogonal (Saxe, McClelland & Ganguli 2014). Other matrices: uniform in
    ±√(6 / (rows + columns)) (Glorot & Bengio 2010). Biases: zero, or as the candidate says.
    """
    found: dict[str, Array] = {}
    for name, w in sorted(net.parameters.items()):
        rows, columns = (sizes.get(str(n)) or int(n) for n in w.shape)
        if w.cols == 1:
            found[name] = np.full(rows, candidate.biases.get(name, 0.0))
        elif w.rows == w.cols:
            q, r = np.linalg.qr(rng.standard_normal((rows, columns)))
            # with the signs of r's diagonal q is uniform over all orthogonal matrices
            found[name] = candidate.gains.get(name, 1.0) * q * np.sign(np.diag(r))
        else:
            bound = np.sqrt(6 / (rows + columns))
            found[name] = rng.uniform(-bound, bound, (rows, columns))
    return {name: found[name] for name in net.parameters}
