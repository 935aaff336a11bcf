"""50-digit numbers that stay within bounds.

Used by `scene`. mpmath computes exp of a number of any size, in memory and time that grow with
it, and leaves the real numbers where a root or a logarithm does; both end a reading here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rnnsym.claims.errors import CannotError, TooLargeError
from rnnsym.claims.value_sums import Matrix
from rnnsym.evaluate.arithmetic import MpmathArithmetic

#: arguments of functions beyond this are refused, as are larger matrices to invert
MAX_ARGUMENT, MAX_ROWS = 10**6, 40
#: what has a value for an argument of any size
PLAIN = {"reciprocal", "identity", "relu", "step"}


class BoundedArithmetic(MpmathArithmetic):
    """Arithmetic of 50 digits. Raises CannotError where a function has no real, finite value.

    steep: by how much the slopes of unknown functions are greater than those of the stand-ins.
    """

    def __init__(self, steep: int = 1) -> None:
        super().__init__()
        self.steep = steep

    def apply(self, function: str, order: int, a: Matrix) -> Matrix:
        if self.steep != 1 and function not in self.functions:
            middle = self.mp.mpf(1) / 2 if order == 0 else 0
            return self.steep * (super().apply(function, order, a) - middle) + middle
        if function in PLAIN and order == 0:
            return super().apply(function, order, a)
        return self._bounded(function, lambda z: super(BoundedArithmetic, self).apply(
            function, order, z), a)  # fmt: skip

    def each(self, function: str, f: Callable[[Any], Any], a: Matrix) -> Matrix:
        """A function of mpmath applied to every entry."""
        return self._bounded(function, np.frompyfunc(f, 1, 1), a)

    def _bounded(self, function: str, f: Callable[[Matrix], Matrix], a: Matrix) -> Matrix:
        if any(abs(z) > MAX_ARGUMENT for z in np.ravel(a)):
            raise CannotError(f"too large: {function} of a number beyond {MAX_ARGUMENT:,}")
        found = f(a)
        if any(isinstance(z, self.mp.mpc) or not self.mp.isfinite(z) for z in np.ravel(found)):
            raise CannotError(f"{function} has no value there")
        return found

    def square(self, m: Matrix) -> Any:
        """A matrix of mpmath, to invert or to decompose. Raises TooLargeError."""
        if max(m.shape) > MAX_ROWS:
            raise TooLargeError(f"too large: a matrix of more than {MAX_ROWS} rows to decompose")
        return self.mp.matrix(m.tolist())
