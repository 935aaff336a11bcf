"""Who finds the mutants: the exact test, PyTorch's gradcheck, JAX's check_grads.

Takes the catalogue of mutations and prints a table. Every mutant that really differs from the
gradient (decided in floating point against a tape, at several random points) must be refuted by
the exact test; the gradient checkers look at it at the small initial weights of tutorials, with
their default tolerances.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnsym.evaluate.arithmetic import NumpyArithmetic
from rnnsym.evaluate.trajectory import Trajectory, Truth
from rnnsym.network import Network
from rnnsym.sizes import choose_sizes
from rnnsym.verify.arrays import random_arrays
from rnnsym.verify.autograd import double
from rnnsym.verify.backpropagation import tape_gradients
from rnnsym.verify.case import Array, Case, relative_error
from rnnsym.verify.exact import IdentityTest
from rnnsym.verify.mutations import Catalogue, Evaluation, Mutant

#: relative difference from which on two gradients in float64 are different ones
DIFFERENT = 1e-9
#: (T, seed) of the points at which a mutant is compared in floating point
POINTS = ((4, 1), (5, 2))
TUTORIAL_STEPS = 6


class FloatPoint:
    """A network at a point in float64: mutants there, and the right gradients by a tape."""

    def __init__(self, net: Network, symbols: Mapping[Any, Any], arrays: Any) -> None:
        self.net, self.symbols = net, symbols
        parameters, sequences, initial = arrays
        self.case = Case(net, symbols, 0, parameters, sequences, initial, None, {}, {})
        ar = NumpyArithmetic()
        truth = Truth(net, self.case.point(ar), ar)
        self.evaluation = Evaluation(truth)
        self.loss, self.right, _ = tape_gradients(self.case)

    def value(self, mutant: Mutant) -> Array:
        """The mutant's gradient in the shape in which users pass the parameter."""
        like = self.case.parameters[mutant.parameter]
        return np.reshape(np.asarray(self.evaluation.value(mutant), dtype=float), like.shape)

    def error(self, mutant: Mutant) -> float:
        """How far the mutant is from the right gradient."""
        return relative_error(self.value(mutant), self.right[mutant.parameter])


def random_points(net: Network) -> list[FloatPoint]:
    """Points that hide nothing."""
    points = []
    for steps, seed in POINTS:
        symbols = choose_sizes(net, steps)
        points.append(FloatPoint(net, symbols, random_arrays(net, symbols, seed)))
    return points


def differs(mutant: Mutant, points: Iterable[FloatPoint]) -> bool:
    """Whether a mutant really is another gradient: its value is, at some point."""
    return any(not point.error(mutant) < DIFFERENT for point in points)


def tutorial_point(
    net: Network, scale: float, steps: int = TUTORIAL_STEPS, seed: int = 0
) -> FloatPoint:
    """Weights scale · randn, zero biases and initial states, one-hot inputs and targets."""
    symbols = choose_sizes(net, steps)
    parameters, sequences, initial = random_arrays(net, symbols, seed)
    rng = np.random.default_rng(seed)
    weights = {
        n: scale * rng.standard_normal(w.shape) if w.ndim == 2 else np.zeros_like(w)
        for n, w in parameters.items()
    }
    hot = {
        n: np.eye(v.shape[-1])[rng.integers(v.shape[-1], size=len(v))] for n, v in sequences.items()
    }
    zero = {n: np.zeros_like(a) for n, a in initial.items()}
    return FloatPoint(net, symbols, (weights, hot, zero))


class Losses:
    """The loss at a point as a function of one parameter; equal arguments are computed once."""

    def __init__(self, point: FloatPoint) -> None:
        self.point = point
        self._known: dict[tuple[str, bytes], float] = {}

    def __call__(self, name: str, value: Any) -> float:
        value = np.asarray(value, dtype=np.float64)
        key = name, value.tobytes()
        if key not in self._known:
            ar = NumpyArithmetic()
            case = self.point.case
            like = case.parameters[name].shape
            moved = {**case.parameters, name: value.reshape(like)}
            point = case.point(ar, moved)
            self._known[key] = float(Trajectory(case.net, point, ar).total_loss()[0, 0])
        return self._known[key]


def torch_passes(point: FloatPoint, losses: Losses, name: str, gradient: Array) -> bool:
    """Whether torch.autograd.gradcheck, with its defaults, accepts a gradient."""
    import torch

    class Loss(torch.autograd.Function):  # type: ignore[misc, name-defined, unused-ignore]
        @staticmethod
        def forward(ctx: Any, w: Any) -> Any:
            return torch.tensor(losses(name, w.detach().numpy()), dtype=torch.float64)

        @staticmethod
        def backward(ctx: Any, d: Any) -> Any:
            return d * torch.from_numpy(gradient)

    w = torch.tensor(point.case.parameters[name], dtype=torch.float64, requires_grad=True)
    return bool(torch.autograd.gradcheck(Loss.apply, (w,), raise_exception=False))


def jax_passes(point: FloatPoint, losses: Losses, name: str, gradient: Array) -> bool:
    """Whether jax.test_util.check_grads, in float64 with its defaults, accepts a gradient."""
    import jax
    from jax.test_util import check_grads

    with double(jax):

        @jax.custom_vjp
        def loss(w: Any) -> Any:
            return jax.numpy.float64(losses(name, w))

        loss.defvjp(lambda w: (loss(w), None), lambda _, d: (d * gradient,))
        try:
            check_grads(loss, (point.case.parameters[name],), order=1, modes=["rev"])
        except AssertionError:
            return False
    return True


Checker = Callable[[FloatPoint, Losses, str, Array], bool]
CHECKERS: dict[str, Checker] = {"torch": torch_passes, "jax": jax_passes}
TITLES = {"torch": "gradcheck", "jax": "check_grads"}
SCALES = (0.01, 0.001)
MODELS = ("elman", "lstm", "gru")


def judged(net: Network, steps: int = 4) -> Iterator[tuple[Mutant, bool, bool]]:
    """(mutant, whether it really differs, whether the exact test refutes it)."""
    catalogue = Catalogue(net)
    points = random_points(net)
    test = IdentityTest(net, choose_sizes(net, steps))
    fields: dict[int, Evaluation] = {}

    def in_field(mutant: Mutant) -> Callable[[Any], Any]:
        return lambda p: fields.setdefault(p.seed, Evaluation(p.truth)).value(mutant)

    for name in net.parameters:
        for mutant in catalogue.of(name):
            yield mutant, differs(mutant, points), test.refutes(name, in_field(mutant)) is not None


@dataclass
class Score:
    """Counts for one network: mutants that differ, and who lets how many of them pass.

    equal: mutants that turn out to be the right gradient; wronged: those of them that the exact
    test refutes all the same; missed: (library, scale of the weights) -> wrong gradients passed.
    """

    model: str
    kinds: int
    mutants: int
    refuted: int
    equal: int
    wronged: int
    missed: dict[tuple[str, float], int]


def contest(
    net: Network, libraries: Iterable[str] = tuple(CHECKERS), scales: Iterable[float] = SCALES
) -> Score:
    """Let everyone judge every mutant of a network."""
    outcome = list(judged(net))
    wrong = [mutant for mutant, different, _ in outcome if different]
    missed = {}
    for scale in scales:
        point = tutorial_point(net, scale)
        offered = [(mutant.parameter, point.value(mutant)) for mutant in wrong]
        for library in libraries:
            missed[library, scale] = _missed(point, library, offered)
    return Score(
        model=net.name,
        kinds=len({m.kind for m in wrong}),
        mutants=len(wrong),
        refuted=sum(different and refuted for _, different, refuted in outcome),
        equal=len(outcome) - len(wrong),
        wronged=sum(refuted and not different for _, different, refuted in outcome),
        missed=missed,
    )


def _missed(point: FloatPoint, library: str, offered: Iterable[tuple[str, Array]]) -> int:
    """How many of the wrong gradients (parameter, array) a library's checker accepts."""
    losses = Losses(point)
    known: dict[tuple[str, bytes], bool] = {}
    count = 0
    for name, gradient in offered:
        key = name, gradient.tobytes()
        if key not in known:
            known[key] = CHECKERS[library](point, losses, name, gradient)
        count += known[key]
    return count


def installed() -> list[str]:
    """The libraries whose checkers are there."""
    return [name for name in CHECKERS if importlib.util.find_spec(name) is not None]


def table(scores: Iterable[Score], libraries: Iterable[str]) -> str:
    """The outcome as a Markdown table."""
    columns = [(library, scale) for library in libraries for scale in SCALES]
    titles = [f"{TITLES[library]} misses at {scale:g}·randn" for library, scale in columns]
    lines = [
        "| " + " | ".join(["model", "kinds", "wrong gradients", "exact misses", *titles]) + " |",
        "|---" + "|---:" * (3 + len(titles)) + "|",
    ]
    for s in scores:
        counts = [s.kinds, s.mutants, s.mutants - s.refuted, *(s.missed[c] for c in columns)]
        lines.append(f"| {s.model} | " + " | ".join(map(str, counts)) + " |")
    return "\n".join(lines)


def main() -> int:
    """Print the table for the built-in models; 1 if the exact test misses or wrongs one."""
    from rnnsym.models import build

    libraries = installed()
    scores = []
    for name in MODELS:
        print(f"{name} …", file=sys.stderr, flush=True)
        scores.append(contest(build(name, {}), libraries))
    print(table(scores, libraries))
    equal = sum(s.equal for s in scores)
    wronged = sum(s.wronged for s in scores)
    print(
        f"\nT = {TUTORIAL_STEPS}, zero biases and initial states, one-hot inputs and targets, "
        f"float64, default tolerances. {equal} further mutants equal the right gradient; "
        f"the exact test refutes {wronged} of these."
    )
    return int(wronged > 0 or any(s.refuted < s.mutants for s in scores))
