"""Arithmetics: what a matrix is and how it is computed with.

Part of the trusted base. One interface, implemented for NumPy (float64, complex128), mpmath
(50 digits), the finite field (`field`), dual numbers (`dual`), and outside of the base for
PyTorch, JAX and a tape.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import mpmath
import numpy as np

Matrix = Any


class Arithmetic(Protocol):
    """Matrices and what the evaluator does with them; every matrix has two dimensions."""

    def array(self, rows: Any) -> Matrix: ...
    def shape(self, a: Matrix) -> tuple[int, int]: ...
    def full(self, rows: int, cols: int, number: Any) -> Matrix: ...
    def eye(self, n: int) -> Matrix: ...
    def add(self, a: Matrix, b: Matrix) -> Matrix: ...
    def scale(self, number: Any, a: Matrix) -> Matrix: ...
    def matmul(self, a: Matrix, b: Matrix) -> Matrix: ...
    def hadamard(self, a: Matrix, b: Matrix) -> Matrix: ...
    def transpose(self, a: Matrix) -> Matrix: ...
    def blocks(self, rows: Sequence[Sequence[Matrix]]) -> Matrix: ...
    def apply(self, function: str, order: int, a: Matrix) -> Matrix: ...
    def softmax_shift(self, a: Matrix) -> Matrix | None: ...
    def detach(self, a: Matrix) -> Matrix: ...


def phase(name: str) -> float:
    """A number that tells unknown functions of different names apart."""
    return zlib.crc32(name.encode()) % 1000 / 1000.0


def stand_in(xp: Any, name: str, order: int, z: Any) -> Any:
    """An unknown function where numbers are needed: g(z) = 1/2 + 3/10 sin(z + phase).

    Smooth, neither odd nor monotone, and between 0 and 1, so that a loss may take its logarithm.
    """
    wave = 0.3 * xp.sin(z + (phase(name) + order * 1.5707963267948966))
    return wave + 0.5 if order == 0 else wave


def numpy_functions(xp: Any) -> dict[str, Callable[[Any], Any]]:
    """The known functions in a NumPy-like namespace; they accept complex numbers too."""

    def sigmoid(z: Any) -> Any:
        return 0.5 + 0.5 * xp.tanh(0.5 * z)

    def softplus(z: Any) -> Any:
        positive = xp.real(z) > 0
        return xp.where(positive, z, 0 * z) + xp.log1p(xp.exp(xp.where(positive, -z, z)))

    return {
        "tanh": xp.tanh,
        "sigmoid": sigmoid,
        "softplus": softplus,
        "relu": lambda z: xp.where(xp.real(z) > 0, z, 0 * z),
        "step": lambda z: xp.where(xp.real(z) > 0, 1.0 + 0 * z, 0 * z),
        "exp": xp.exp,
        "log": xp.log,
        "reciprocal": lambda z: 1 / z,
        "identity": lambda z: z,
    }


#: functions that users registered: name -> (value, derivative) on NumPy arrays
REGISTERED: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {}


class NumpyArithmetic:
    """float64 or complex128 matrices."""

    def __init__(self, dtype: Any = np.float64) -> None:
        self.dtype = dtype
        self.functions = numpy_functions(np)

    def array(self, rows: Any) -> Matrix:
        return np.array(rows, dtype=self.dtype, ndmin=2)

    def shape(self, a: Matrix) -> tuple[int, int]:
        return a.shape

    def full(self, rows: int, cols: int, number: Any) -> Matrix:
        return np.full((rows, cols), self._number(number))

    def _number(self, number: Any) -> Any:
        return self.dtype(float(number))

    def eye(self, n: int) -> Matrix:
        return np.eye(n, dtype=self.dtype)

    def add(self, a: Matrix, b: Matrix) -> Matrix:
        return a + b

    def scale(self, number: Any, a: Matrix) -> Matrix:
        return self._number(number) * a

    def matmul(self, a: Matrix, b: Matrix) -> Matrix:
        return a @ b

    def hadamard(self, a: Matrix, b: Matrix) -> Matrix:
        return a * b

    def transpose(self, a: Matrix) -> Matrix:
        return a.T

    def blocks(self, rows: Sequence[Sequence[Matrix]]) -> Matrix:
        return np.block([list(row) for row in rows])

    def apply(self, function: str, order: int, a: Matrix) -> Matrix:
        if function in self.functions and order == 0:
            return self.functions[function](a)
        if function in REGISTERED and order < 2:
            return REGISTERED[function][order](a)
        return stand_in(np, function, order, a)

    def softmax_shift(self, a: Matrix) -> Matrix | None:
        return np.full(a.shape, -np.max(a.real), dtype=self.dtype)

    def detach(self, a: Matrix) -> Matrix:
        return a


class MpmathArithmetic(NumpyArithmetic):
    """50-digit numbers in object arrays; slow and exact enough for identities of functions."""

    def __init__(self, digits: int = 50) -> None:
        self.mp = mpmath.MPContext()
        self.mp.dps = digits
        mp = self.mp

        scalar: dict[str, Callable[[Any], Any]] = {
            "tanh": mp.tanh,
            "sigmoid": lambda z: 1 / (1 + mp.exp(-z)),
            "softplus": lambda z: mp.log(1 + mp.exp(z)),
            "relu": lambda z: z if z > 0 else mp.mpf(0),
            "step": lambda z: mp.mpf(1 if z > 0 else 0),
            "exp": mp.exp,
            "log": mp.log,
            "reciprocal": lambda z: 1 / z,
            "identity": lambda z: z,
        }
        self.functions = {name: np.frompyfunc(f, 1, 1) for name, f in scalar.items()}

    def array(self, rows: Any) -> Matrix:
        a = np.array(rows, dtype=object, ndmin=2)
        return np.frompyfunc(self._number, 1, 1)(a)

    def _number(self, number: Any) -> Any:
        if hasattr(number, "p") and hasattr(number, "q"):
            return self.mp.mpf(int(number.p)) / int(number.q)
        return self.mp.mpf(number)

    def full(self, rows: int, cols: int, number: Any) -> Matrix:
        return np.full((rows, cols), self._number(number), dtype=object)

    def eye(self, n: int) -> Matrix:
        return self.array(np.eye(n, dtype=int).tolist())

    def apply(self, function: str, order: int, a: Matrix) -> Matrix:
        if function in self.functions and order == 0:
            return self.functions[function](a)
        shift = self.mp.mpf(phase(function)) + order * self.mp.pi / 2
        wave = np.frompyfunc(lambda z: self.mp.sin(z + shift) * 3 / 10, 1, 1)(a)
        return wave + self.mp.mpf(1) / 2 if order == 0 else wave

    def softmax_shift(self, a: Matrix) -> Matrix | None:
        return None
