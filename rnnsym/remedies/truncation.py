"""Truncated backpropagation in numbers: the sliding window, what truncation costs and distorts.

Beside `rnnsym.derive.truncation`, which derives what is cut: here gradients are computed and
compared. Chunks of K steps are a network of their own (the option truncate=K, or `detach` in an
equation); a window that moves by K1 steps and reaches K2 steps back (Williams & Peng 1990) is put
together from gradients of pieces of the sequence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sympy import Integer

from rnnsym.derive.truncation import window_start
from rnnsym.errors import InputError
from rnnsym.evaluate.arithmetic import NumpyArithmetic
from rnnsym.evaluate.point import array_point
from rnnsym.evaluate.trajectory import Trajectory
from rnnsym.sizes import choose_sizes
from rnnsym.verify.arrays import random_arrays

Array = NDArray[Any]
Gradients = dict[str, Array]


def windowed_gradients(net: Any, every: int, back: int) -> Callable[..., tuple[float, Gradients]]:
    """f(params, x, y, initial=None) -> (loss, gradients): every `every` steps, `back` steps back.

    Each loss counts once; what it sends back stops `back` steps before the end of its stretch.
    For one sequence, without a batch. Raises InputError for numbers that make no window, and for a
    network with states that run backwards or with more than one length.
    """
    if not 1 <= every <= back:
        raise InputError(f"a window of {back} steps, moved by {every}: 1 <= K1 <= K2 is needed")
    backwards = [n for n in net.states if net.lag_range(n)[0] < 0]
    if backwards or len(net.lengths) != 1 or net.spans[net.loss.name].single:
        raise InputError(
            f"a sliding window needs one sequence, with a loss at each step and states that run "
            f"forwards: {net.name} is another network"
        )
    whole = net.gradients()

    def gradients(
        params: Mapping[str, Array], x: Any, y: Any, initial: Mapping[str, Array] | None = None
    ) -> tuple[float, Gradients]:
        data = _sequences(net, x, y)
        steps = len(next(iter(data.values())))
        states = _states(net, params, data, initial or {})
        total = {name: np.zeros(np.shape(w)) for name, w in params.items()}

        def add(first: int, last: int, sign: int) -> None:
            if last >= first:
                part = {n: v[first - 1 : last] for n, v in data.items()}
                arguments = _arguments(net, part)
                for name, g in whole(params, *arguments, states[first - 1])[1].items():
                    total[name] += sign * g

        for end in range(every, steps + every, every):
            first = int(window_start(every, back, Integer(end)))
            add(first, min(end, steps), 1)
            add(first, end - every, -1)
        return float(whole(params, *_arguments(net, data), initial)[0]), total

    return gradients


def _sequences(net: Any, x: Any, y: Any) -> dict[str, Array]:
    table: dict[str, Array] = {}
    for names, given in ((net.inputs, x), (net.targets, y)):
        parts = given if isinstance(given, Mapping) else dict.fromkeys(names, given)
        table |= {name: np.asarray(parts[name]) for name in names}
    return table


def _arguments(net: Any, data: Mapping[str, Array]) -> tuple[Any, Any]:
    x, y = ({n: data[n] for n in names} for names in (net.inputs, net.targets))
    return tuple(next(iter(t.values())) if len(t) == 1 else t or None for t in (x, y))  # type: ignore[return-value]


def _states(
    net: Any, params: Mapping[str, Array], data: Mapping[str, Array], initial: Mapping[str, Array]
) -> list[Gradients]:
    """The states after 0, 1, …, T steps, by the forward equations."""
    steps = len(next(iter(data.values())))
    sizes = {s: Integer(n) for s, n in _sizes(net, params, data).items()}
    symbols = choose_sizes(net, steps, {str(s): int(n) for s, n in sizes.items()})
    start = {
        n: np.asarray(initial.get(n, np.zeros(int(v.rows.xreplace(symbols)))))
        for n, v in net.initial_states.items()
    }
    ar = NumpyArithmetic()
    trajectory = Trajectory(net, array_point(ar, symbols, params, data, start), ar)
    names = list(net.initial_states)
    return [
        {n: trajectory.value((n, time)).reshape(-1) for n in names} for time in range(steps + 1)
    ]


def _sizes(net: Any, params: Mapping[str, Array], data: Mapping[str, Array]) -> dict[Any, int]:
    """The sizes that the arrays have."""
    found: dict[Any, int] = {}
    for name, w in net.parameters.items():
        found |= dict(zip(w.shape, (*np.shape(params[name]), 1), strict=False))
    found |= {net.vectors[n].rows: np.shape(v)[-1] for n, v in data.items()}
    return {s: n for s, n in found.items() if s.is_Symbol}


@dataclass(frozen=True)
class Bias:
    """How the gradient of truncated backpropagation differs from the gradient.

    chunk: the steps in a chunk; distance: ‖truncated - full‖ / ‖full‖; cosine: of the angle
    between the two; ratio: ‖truncated‖ / ‖full‖.
    """

    chunk: int
    distance: float
    cosine: float
    ratio: float


def bias(
    spec: str,
    chunks: Sequence[int],
    steps: int,
    sizes: Mapping[str, int] | None = None,
    seed: int = 0,
    wrt: str | None = None,
    params: Mapping[str, Array] | None = None,
) -> list[Bias]:
    """The bias of the gradient of a built-in model, for each number of steps in a chunk.

    At one random point, or at `params`; of all parameters together, or of one (`wrt`). Raises
    InputError for an unknown model, parameter or size.
    """
    from rnnsym.api import model

    net = model(spec)
    if wrt is not None and wrt not in net.parameters:
        raise InputError(f"unknown parameter {wrt!r}: choose from {', '.join(net.parameters)}")
    drawn, data, initial = random_arrays(net, choose_sizes(net, steps, sizes), seed)
    arguments = (params or drawn, *_arguments(net, data), initial)

    def gradient(network: Any) -> Array:
        found = network.gradients()(*arguments)[1]
        names = net.parameters if wrt is None else (wrt,)
        return np.concatenate([np.ravel(found[n]) for n in names])

    full = gradient(net)
    join = "," if ":" in spec else ":"
    result = []
    for chunk in chunks:
        cut = gradient(model(f"{spec}{join}truncate={chunk}"))
        norm, other = np.linalg.norm(full), np.linalg.norm(cut)
        cosine = float(full @ cut / (norm * other)) if norm and other else float("nan")
        result.append(
            Bias(chunk, float(np.linalg.norm(cut - full) / norm), cosine, float(other / norm))
        )
    return result


@dataclass(frozen=True)
class Cost:
    """What one way of backpropagation does on a sequence.

    steps: how many times a derivative is carried from one step to the one before; kept: for how
    many steps the states have to be there at once; updates: after how many stretches of the
    sequence there is a gradient.
    """

    title: str
    steps: int
    kept: int
    updates: int


def costs(steps: int, chunk: int, every: int, back: int) -> list[Cost]:
    """Full backpropagation, chunks of `chunk` steps, and a window, on a sequence of `steps`."""
    ends = range(every, steps + every, every)
    reach = [min(end, steps) - int(window_start(every, back, Integer(end))) for end in ends]
    borders = len(range(0, steps, chunk))
    return [
        Cost("full", steps - 1, steps, 1),
        Cost(f"chunks of {chunk}", steps - borders, min(chunk, steps), borders),
        Cost(f"window ({every}, {back})", sum(reach), min(back, steps), len(reach)),
    ]
