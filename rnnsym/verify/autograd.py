"""The same forward equations on PyTorch and JAX arrays, differentiated by their autograd.

Two arithmetics for the evaluator of `rnnsym.evaluate`. Neither library is imported before it is
asked for; both see forward operations only.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rnnsym.errors import UnavailableError
from rnnsym.evaluate.arithmetic import REGISTERED, Arithmetic, numpy_functions, stand_in
from rnnsym.evaluate.trajectory import Trajectory
from rnnsym.verify.case import Case
from rnnsym.verify.report import Findings

Matrix = Any


class _Library:
    """What the two have in common: operators, and the functions of a NumPy-like namespace."""

    def __init__(self, namespace: Any, stop: Callable[[Any], Any]) -> None:
        self.xp, self.stop = namespace, stop
        self.functions = numpy_functions(namespace)

    def array(self, rows: Any) -> Matrix:
        return self.xp.asarray(np.array(rows, dtype=np.float64, ndmin=2))

    def shape(self, a: Matrix) -> tuple[int, int]:
        rows, cols = a.shape
        return int(rows), int(cols)

    def full(self, rows: int, cols: int, number: Any) -> Matrix:
        return self.array(np.full((rows, cols), float(number)))

    def eye(self, n: int) -> Matrix:
        return self.array(np.eye(n))

    def add(self, a: Matrix, b: Matrix) -> Matrix:
        return a + b

    def scale(self, number: Any, a: Matrix) -> Matrix:
        return float(number) * a

    def matmul(self, a: Matrix, b: Matrix) -> Matrix:
        return a @ b

    def hadamard(self, a: Matrix, b: Matrix) -> Matrix:
        return a * b

    def transpose(self, a: Matrix) -> Matrix:
        return a.T

    def blocks(self, rows: Sequence[Sequence[Matrix]]) -> Matrix:
        return self.xp.concatenate([self.xp.concatenate(list(row), 1) for row in rows], 0)

    def apply(self, function: str, order: int, a: Matrix) -> Matrix:
        if function in self.functions and order == 0:
            return self.functions[function](a)
        return stand_in(self.xp, function, order, a)

    def softmax_shift(self, a: Matrix) -> Matrix | None:
        return self.stop(-a.max() + 0 * a)

    def detach(self, a: Matrix) -> Matrix:
        return self.stop(a)


def _loss(case: Case, ar: Arithmetic, parameters: Mapping[str, Matrix]) -> Matrix:
    """L as a 1 × 1 array; the parameters are matrices of the library already."""
    point = replace(case.point(ar, {}), parameters=parameters)
    return Trajectory(case.net, point, ar).total_loss()


def _require(library: str) -> None:
    if importlib.util.find_spec(library) is None:
        raise UnavailableError(f"{library} is not installed: pip install 'rnnsym[{library}]'")


def _refuse_registered(case: Case, library: str) -> None:
    for name in sorted(case.net.functions & set(REGISTERED)):
        raise UnavailableError(f"{name} is registered for NumPy arrays only, not for {library}")


def torch(case: Case) -> Findings:
    """PyTorch's reverse mode, float64, on the processor."""
    _require("torch")
    _refuse_registered(case, "torch")
    import torch as library

    ar = _Library(library, lambda a: a.detach())
    weights = case.point(ar).parameters
    for w in weights.values():
        w.requires_grad_(True)
    loss = _loss(case, ar, weights)
    names = list(weights)
    found = library.autograd.grad(loss.sum(), [weights[n] for n in names], allow_unused=True)
    truth = {
        n: np.zeros(tuple(weights[n].shape)) if g is None else g.numpy()
        for n, g in zip(names, found, strict=True)
    }
    note = f"autograd of PyTorch {library.__version__} on the forward equations, float64"
    return Findings(case.compare(truth), note, case.compare_loss(float(loss.detach().sum())))


def jax(case: Case) -> Findings:
    """JAX's reverse mode, float64, operation by operation."""
    _require("jax")
    _refuse_registered(case, "jax")
    import jax as library

    with double(library):
        ar = _Library(library.numpy, library.lax.stop_gradient)

        def loss(weights: Mapping[str, Matrix]) -> Matrix:
            return _loss(case, ar, weights)[0, 0]

        value, found = library.value_and_grad(loss)(dict(case.point(ar).parameters))
        truth = {n: np.asarray(g) for n, g in found.items()}
    note = f"autograd of JAX {library.__version__} on the forward equations, float64"
    return Findings(case.compare(truth), note, case.compare_loss(float(value)))


def double(library: Any) -> Any:
    """A context in which JAX computes in float64; it has moved between versions."""
    if hasattr(library, "enable_x64"):
        return library.enable_x64(True)
    from jax.experimental import enable_x64

    return enable_x64()
