"""The points at which a user's function is called, and the truth there.

All sizes differ, weights are neither symmetric nor contracting, initial states are not zero, and
T runs from 1 to 8, so that an error shows and says from which step on. The truth comes from a
tape over the forward equations; the derived formulas have no part in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnsym.codecheck.adapter import Shapes
from rnnsym.codecheck.calm import calmed
from rnnsym.codecheck.layout import Values
from rnnsym.codecheck.quick import Quick
from rnnsym.errors import InputError
from rnnsym.evaluate.arithmetic import REGISTERED, NumpyArithmetic, phase
from rnnsym.evaluate.trajectory import Truth
from rnnsym.network import LOSS, Network
from rnnsym.nodes import T
from rnnsym.sizes import choose_lengths
from rnnsym.verify.adjoints import Circular
from rnnsym.verify.backpropagation import tape_arrivals, tape_gradients
from rnnsym.verify.case import Case, make_case
from rnnsym.verify.mutations import Mutant

Array = NDArray[Any]

#: the lengths at which a function is judged; the first one that is wrong is reported
LENGTHS = (1, 2, 3, 4, 5, 8)
#: the length at which gradients are compared with mutants: long enough for every kind of them
MAIN = 4
BATCH = 3
#: the length at which a bound of np.clip shows
LONG = 40


@dataclass(frozen=True)
class Regime:
    """What the data at the points is like.

    one_hot: the inputs and targets with a single 1 in each vector; zero: the states that start
    from zero; calm: the way in which gradients are made small, and by how much.
    """

    one_hot: frozenset[str] = frozenset()
    zero: frozenset[str] = frozenset()
    calm: tuple[str, float] | None = None


class Point:
    """A network at a point, for one sequence or for several with the same parameters.

    Raises InputError for sizes or lengths that the network does not have.
    """

    def __init__(
        self,
        net: Network,
        steps: int | Mapping[str, int],
        sizes: Mapping[str, int],
        seed: int,
        regime: Regime = Regime(),
        batch: int | None = None,
    ) -> None:
        self.net, self.regime, self.batch = net, regime, batch
        self.given = steps, sizes, seed
        cases = [make_case(net, steps, sizes, seed + i, _nothing) for i in range(batch or 1)]
        first = cases[0]
        self.members = [
            _in_regime(replace(case, parameters=first.parameters), regime) for case in cases
        ]

    @property
    def case(self) -> Case:
        """The only sequence, or the first one."""
        return self.members[0]

    @property
    def steps(self) -> int:
        return int(self.case.symbols[T])

    @cached_property
    def sizes(self) -> dict[str, int]:
        """Sizes and lengths by name."""
        table = {name: int(self.case.symbols[s]) for name, s in self.net.sizes.items()}
        lengths = {name: int(self.case.symbols[s]) for name, s in self.net.lengths.items()}
        return table | lengths | {"T": self.steps}

    @property
    def equal(self) -> str:
        """Sizes that have the same value, as n_x = n_y = 4."""
        table: dict[int, list[str]] = {}
        for name in self.net.sizes:
            table.setdefault(self.sizes[name], []).append(name)
        return ", ".join(" = ".join([*n, str(v)]) for v, n in table.items() if len(n) > 1)

    @property
    def label(self) -> str:
        """The point in words."""
        lengths = {n: self.sizes[n] for n in (*self.net.lengths, "T")}
        if len(self.net.lengths) > 1:
            del lengths["T"]
        table = lengths | {n: self.sizes[n] for n in self.net.sizes}
        batch = "" if self.batch is None else f", batch of {self.batch}"
        calm = "" if self.regime.calm is None else ", gradients made small"
        return ", ".join(f"{n} = {v}" for n, v in table.items()) + batch + calm

    @cached_property
    def values(self) -> Values:
        """What the function is called with."""
        case = self.case
        if self.batch is None:
            sequences, initial = case.sequences, case.initial
        else:
            sequences = {
                n: np.stack([m.sequences[n] for m in self.members], axis=1) for n in case.sequences
            }
            initial = {n: np.stack([m.initial[n] for m in self.members]) for n in case.initial}
        return Values(case.parameters, sequences, initial, self.sizes, self.batch is not None)

    @cached_property
    def truth(self) -> tuple[float, dict[str, Array]]:
        """The loss, and the gradients by parameter, summed over the batch."""
        loss, gradients, _ = tape_gradients(self.members[0])
        for member in self.members[1:]:
            more, others, _ = tape_gradients(member)
            loss += more
            gradients = {n: g + others[n] for n, g in gradients.items()}
        return loss, gradients

    @cached_property
    def arrivals(self) -> dict[str, Array]:
        """The gradients by initial states and inputs, each sequence of a batch for itself."""
        found = [tape_arrivals(member) for member in self.members]
        if self.batch is None:
            return found[0]
        axes = {n: 1 if n in self.net.inputs else 0 for n in found[0]}
        return {n: np.stack([f[n] for f in found], axis=axis) for n, axis in axes.items()}

    def true(self, name: str) -> Array:
        """The gradient by a parameter, an initial state or an input."""
        return self.gradients[name] if name in self.gradients else self.arrivals[name]

    @property
    def loss(self) -> float:
        return self.truth[0]

    @property
    def gradients(self) -> dict[str, Array]:
        return self.truth[1]

    @cached_property
    def losses(self) -> int:
        """How many losses are summed for one sequence."""
        first, last = (self.net.spans[LOSS].first, self.net.spans[LOSS].last)
        return int((last - first).xreplace(self.case.symbols)) + 1

    @cached_property
    def quick(self) -> Quick:
        """Values of mutants here; of the first sequence."""
        ar = NumpyArithmetic()
        return Quick(Truth(self.net, self.case.point(ar), ar))

    def mutant(self, mutant: Mutant) -> Array:
        """A mutant's gradient in the shape of its parameter. NaN if it has no value."""
        return self._valued(self.quick.mutant, mutant)

    def once(self, mutant: Mutant) -> Array:
        """The same for one of very many mutants: nothing of it is kept."""
        return self._valued(self.quick.once, mutant)

    def _valued(self, value: Callable[[Mutant], Array], mutant: Mutant) -> Array:
        with np.errstate(all="ignore"):
            try:
                return value(mutant)
            except Circular:
                return np.full(self.case.parameters[mutant.parameter].shape, np.nan)


def _nothing(*_: Any, **__: Any) -> dict[str, Any]:
    """A function under test that is only asked for a point."""
    return {}


def _in_regime(case: Case, regime: Regime) -> Case:
    sequences = dict(case.sequences)
    rng = np.random.default_rng([case.seed, 7])
    for name in sorted(regime.one_hot):
        array = sequences[name]
        if case.net.target_kind == "probability" and name in case.net.targets:
            sequences[name] = np.round(array)
        else:
            n = array.shape[-1]
            sequences[name] = np.eye(n)[rng.integers(n, size=array.shape[:-1])]
    initial = {n: np.zeros_like(a) if n in regime.zero else a for n, a in case.initial.items()}
    case = replace(case, sequences=sequences, initial=initial)
    return case if regime.calm is None else calmed(case, *regime.calm, regime.one_hot)


def shapes_of(net: Network, cell: bool = False) -> Shapes:
    """What an adapter must know of a network, or of the network of a cell."""
    shifts = {}
    for name in sorted(net.functions - {*NumpyArithmetic().functions, *REGISTERED}):
        shifts[name] = phase(name), 0.5
        shifts[f"{name}_prime"] = phase(name) + np.pi / 2, 0.0
    return Shapes(
        {n: 2 if w.cols != 1 else int(w.rows != 1) for n, w in net.parameters.items()},
        tuple(net.inputs),
        tuple(net.targets),
        tuple(net.initial_states),
        (*net.sizes, *net.lengths, *(() if "T" in net.lengths else ("T",))),
        shifts,
        tuple(n for n in (*net.inputs, *net.targets) if cell or net.spans[n].single),
        cell,
    )


def lengths_of(net: Network, steps: int) -> int | dict[str, int]:
    """A length for each sequence, all different: one that is taken for another shows."""
    if len(net.lengths) < 2:
        return steps
    return {name: max(1, steps - i) for i, name in enumerate(net.lengths)}


def chosen_sizes(
    net: Network,
    given: Mapping[str, int],
    turned: bool = False,
    avoid: Iterable[int] = (),
    alike: bool = False,
) -> dict[str, int]:
    """Sizes from 3 on, all different, and different from the lengths to `avoid`.

    In another order if `turned`; those of all states the same if `alike`. Two classes would hide
    errors, because ŷ - y has then only one free entry.
    """
    chunks = {s.name for s in net.chunks if not s.is_Integer}
    names = [n for n in net.sizes if n not in given and n not in chunks]
    same = [n for n in names if n in sizes_of_states(net)] if alike else []
    names = [n for n in names if n not in same[1:]]
    taken = {*given.values(), *avoid}
    numbers = [n for n in range(3, 3 + len(names) + len(taken)) if n not in taken][: len(names)]
    if turned:
        names.reverse()
    found = {**given, **dict(zip(names, numbers, strict=False))}
    return found | {n: found[same[0]] for n in same[1:]}


def sizes_of_states(net: Network) -> list[str]:
    """The sizes of the states by name, each once."""
    rows = dict.fromkeys(str(net.vectors[n].rows) for n in net.states)
    return [n for n in rows if n in net.sizes]


def shortest(net: Network, lengths: Iterable[int]) -> list[int]:
    """The lengths at which the network exists: what it uses at a fixed time must be there."""
    found = []
    for steps in lengths:
        try:
            choose_lengths(net, lengths_of(net, steps))
        except InputError:
            continue
        found.append(steps)
    return found
