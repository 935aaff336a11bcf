"""Case: one random point at which a network's gradients are compared, and the gradients there.

Made by `rnnsym.verify.kinds`, read by every kind of evidence. It knows the forward equations and
the numbers of the function under test; it knows nothing of how those were derived.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnsym.errors import InputError
from rnnsym.evaluate.arithmetic import Arithmetic, NumpyArithmetic, stand_in
from rnnsym.evaluate.point import Point, array_point
from rnnsym.evaluate.trajectory import Trajectory
from rnnsym.network import Network
from rnnsym.nodes import Detach
from rnnsym.sizes import choose_sizes
from rnnsym.verify.arrays import random_arrays
from rnnsym.verify.report import Evidence

Array = NDArray[Any]
Function = Callable[..., Any]

#: relative error up to which two float64 computations of the same number agree
TOLERANCE = 1e-12


@dataclass(frozen=True)
class Case:
    """A point of a network, and what the function under test returned there.

    loss is None if the function returns gradients only; faults: parameter -> what is wrong with
    its gradient before any number is compared (missing, or of a wrong shape).
    """

    net: Network
    symbols: Mapping[Any, Any]
    seed: int
    parameters: Mapping[str, Array]
    sequences: Mapping[str, Array]
    initial: Mapping[str, Array]
    loss: float | None
    gradients: Mapping[str, Array]
    faults: Mapping[str, str]

    def point(self, ar: Arithmetic, parameters: Mapping[str, Any] | None = None) -> Point:
        """The point in an arithmetic; with other values of the parameters if given."""
        given = self.parameters if parameters is None else parameters
        return array_point(ar, self.symbols, given, self.sequences, self.initial)

    def value(self, ar: Arithmetic, parameters: Mapping[str, Any] | None = None) -> Any:
        """The total loss in an arithmetic, by the forward equations alone; a 1 × 1 matrix.

        What the network detaches keeps the value that it has at the case's own parameters.
        """
        held = None if parameters is None else self._held
        return Trajectory(self.net, self.point(ar, parameters), ar, held).total_loss()

    @cached_property
    def _held(self) -> Trajectory | None:
        if not any(e.rhs.has(Detach) for e in self.net.equations.values()):
            return None
        ar = NumpyArithmetic()
        found = Trajectory(self.net, self.point(ar), ar)
        found.total_loss()
        return found

    def compare(
        self, truth: Mapping[str, Any], tolerance: float = TOLERANCE
    ) -> dict[str, Evidence]:
        """Evidence for every gradient under test, against arrays in the parameters' shapes."""
        return {
            name: compare(g, np.reshape(truth[name], g.shape), tolerance)
            for name, g in self.gradients.items()
        }

    def compare_loss(self, truth: float, tolerance: float = TOLERANCE) -> Evidence | None:
        """Evidence for the loss, if the function under test returns one."""
        return None if self.loss is None else compare(self.loss, truth, tolerance)


def relative_error(x: Any, y: Any) -> float:
    """max|x - y| / max(1e-30, max|y|); infinite where either is not finite."""
    x, y = np.asarray(x), np.asarray(y)
    if not (np.all(np.isfinite(x)) and np.all(np.isfinite(y))):
        return float("inf")
    return float(np.max(np.abs(x - y), initial=0.0) / max(1e-30, np.max(np.abs(y), initial=0.0)))


def compare(x: Any, y: Any, tolerance: float = TOLERANCE, **more: Any) -> Evidence:
    """Evidence that x (under test) equals y (the truth); names the worst entry if it does not."""
    error = relative_error(x, y)
    if error <= tolerance:
        return Evidence(True, error, more=more)
    x, y = np.atleast_1d(x), np.atleast_1d(y)
    with np.errstate(invalid="ignore"):
        worst = np.unravel_index(int(np.argmax(np.nan_to_num(np.abs(x - y), nan=np.inf))), x.shape)
    place = ", ".join(str(int(i)) for i in worst)
    detail = f"entry [{place}] is {x[worst]:.10g}, should be {y[worst]:.10g}"
    return Evidence(False, error, detail, more)


def make_case(
    net: Network,
    steps: int | Mapping[str, int],
    sizes: Mapping[str, int] | None,
    seed: int,
    function: Function,
) -> Case:
    """Draw the point and call f(params, x, y, initial) there.

    x and y are arrays (T, n) if the network has one input and one target, else dicts of them.
    Raises InputError for bad sizes, steps or seed, and for a function that returns no gradients.
    """
    symbols = choose_sizes(net, steps, sizes)
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise InputError(f"seed must be an integer from 0 on, not {seed!r}")
    parameters, sequences, initial = _arrays(net, symbols, int(seed))

    def copies(arrays: Mapping[str, Array]) -> dict[str, Array]:
        # a function under test may write into what it is given
        return {n: np.array(a) for n, a in arrays.items()}

    x, y = (_given(names, copies(sequences)) for names in (net.inputs, net.targets))
    result = function(copies(parameters), x, y, copies(initial), **_stand_ins(net, function))
    loss, found = split_result(result)
    gradients, faults = {}, {}
    for name, value in parameters.items():
        g = np.asarray(found[name]) if name in found else None
        if g is None:
            faults[name] = "missing: the function returns no gradient of this name"
        elif g.shape != value.shape and not g.size == value.size == 1:
            faults[name] = f"shape {g.shape}, should be {value.shape}"
        elif not np.issubdtype(g.dtype, np.floating):
            faults[name] = f"of type {g.dtype}, should be real numbers"
        else:
            gradients[name] = g.reshape(value.shape)
    return Case(net, symbols, int(seed), parameters, sequences, initial, loss, gradients, faults)


def _arrays(net: Network, symbols: Mapping[Any, Any], seed: int) -> Any:
    """Random arrays at which the loss is defined: inside the domain of its logarithms.

    An output without squashing may leave that domain at most points; then biases are drawn
    between 0 and 1, and weights are made smaller until it does not.
    """
    for attempt in range(40):
        parameters, sequences, initial = random_arrays(net, symbols, seed)
        if attempt:
            rng = np.random.default_rng([seed, attempt])
            parameters = {
                n: rng.standard_normal(w.shape) * 2.0 ** (-attempt / 4) / np.sqrt(w.shape[-1])
                if w.ndim == 2
                else rng.uniform(0.35, 0.65, w.shape)
                for n, w in parameters.items()
            }
        case = Case(net, symbols, seed, parameters, sequences, initial, None, {}, {})
        with np.errstate(all="ignore"):
            if np.isfinite(case.value(NumpyArithmetic())).all():
                return parameters, sequences, initial
    raise InputError(
        f"the loss of {net.name} is not a finite number at any of 40 random points: "
        f"is the argument of a logarithm or a division in its domain?"
    )


def _stand_ins(net: Network, function: Function) -> dict[str, Any]:
    """Values for functions that the network leaves symbolic, where a function asks for them.

    g and g_prime are given as keyword arguments, the same stand-ins that the evaluator uses.
    """
    accepted = inspect.signature(function).parameters
    table: dict[str, Any] = {}
    for name in sorted(net.functions):
        for order, keyword in enumerate((name, f"{name}_prime")):
            if keyword in accepted:
                table[keyword] = partial(stand_in, np, name, order)
    return table


def _given(names: Mapping[str, Any], arrays: Mapping[str, Array]) -> Any:
    chosen = {n: arrays[n] for n in names}
    if not chosen:
        return None
    return next(iter(chosen.values())) if len(chosen) == 1 else chosen


def split_result(result: Any) -> tuple[float | None, Mapping[str, Any]]:
    """(loss, gradients) of what a gradient function returned: both, or the gradients alone."""
    loss = None
    if isinstance(result, tuple) and len(result) >= 2:
        loss, result = float(np.asarray(result[0]).reshape(())), result[1]
    if not isinstance(result, Mapping):
        raise InputError(
            "the function must return the gradients as a dict by parameter name, or (loss, "
            f"gradients), not {type(result).__name__}"
        )
    return loss, result
