"""Experiments: what shortcuts and gates do for memory, measured on real training.

memory      the tasks: adding and copying
networks    the networks: Elman, Elman with a shortcut, GRU, LSTM
training    Adam or SGD on generated gradients, clipped; how far back the gradient reaches
comparison  all networks on a task, and the table of what came out

End of the flow: uses the networks and the generated code as any user would. `python -m
rnnsym.experiments` prints the tables; the curves come back as dataclasses of lists of floats.
"""

from rnnsym.experiments.comparison import EXPERIMENTS, Experiment, compare, experiment, table
from rnnsym.experiments.memory import TASKS, Adding, Copying
from rnnsym.experiments.networks import CANDIDATES, Candidate
from rnnsym.experiments.training import Look, Run, Settings, train

__all__ = [
    "CANDIDATES",
    "EXPERIMENTS",
    "TASKS",
    "Adding",
    "Candidate",
    "Copying",
    "Experiment",
    "Look",
    "Run",
    "Settings",
    "compare",
    "experiment",
    "table",
    "train",
]
