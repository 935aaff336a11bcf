"""Functions at a point of a network, in the arithmetic that a claim is tried in.

Second part of `scene`, between `ground` and `ground_derivatives`.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
from sympy import MatrixSymbol, Rational

from rnnsym.claims.errors import (
    CannotError,
    MisfitError,
    NumbersNeededError,
)
from rnnsym.claims.ground import Ground
from rnnsym.claims.value_sums import Matrix
from rnnsym.evaluate.dual import EQUATIONS, Dual, DualArithmetic
from rnnsym.evaluate.expression import Evaluator
from rnnsym.evaluate.field import P
from rnnsym.nodes import Unknown

#: how far out a free variable lies, beside the usual, at the points where inequalities are tried
FREE = {"steep": 8.0, "small": 1e-6}
#: functions made of exp, whose relations the field's oracles do not know
EXTRA = {"sech", "cosh", "sinh", "coth", "sqrt", "sign", "sin", "cos"}


class Functions(Ground):
    """A point at which functions have values."""

    def apply(self, ar: Any, function: str, order: int, z: Matrix) -> Matrix:
        """An elementwise function or its derivative, by its differential equation."""
        if function in EXTRA:
            if order:
                raise CannotError(f"the derivative of {function} is not evaluated")
            return self._made_of_exp(ar, function, z)
        if order == 1 and function in EQUATIONS:
            if isinstance(ar, DualArithmetic):
                return _slope_of_dual(ar, function, z)
            return EQUATIONS[function](ar, z, ar.apply(function, 0, z))
        if order > 1 and function in EQUATIONS:
            raise CannotError("second derivatives are not evaluated")
        return ar.apply(function, order, z)

    def _made_of_exp(self, ar: Any, function: str, z: Matrix) -> Matrix:
        if not self.numeric:
            raise NumbersNeededError(function)
        if function in ("sin", "cos", "sqrt", "sign"):
            if isinstance(ar, DualArithmetic):
                raise CannotError(f"the derivative of {function} is not evaluated")
            f = {"sin": self.ar.mp.sin, "cos": self.ar.mp.cos, "sqrt": self.ar.mp.sqrt,
                 "sign": self.ar.mp.sign}[function]  # fmt: skip
            return self.ar.each(function, f, z)
        up, down = ar.apply("exp", 0, z), ar.apply("exp", 0, ar.scale(-1, z))
        half = Rational(1, 2)
        cosh, sinh = (
            ar.scale(half, ar.add(up, down)),
            ar.scale(half, ar.add(up, ar.scale(-1, down))),
        )
        if function == "cosh":
            return cosh
        if function == "sinh":
            return sinh
        if function == "sech":
            return ar.apply("reciprocal", 0, cosh)
        return ar.hadamard(cosh, ar.apply("reciprocal", 0, sinh))

    def softmax(self, ar: Any, z: Matrix) -> Matrix:
        powers = ar.apply("exp", 0, z)
        n = ar.shape(powers)[0]
        return ar.hadamard(powers, ar.apply("reciprocal", 0, ar.matmul(ar.full(n, n, 1), powers)))

    def unknown(self, ar: Any, function: str, arguments: Sequence[Matrix]) -> Matrix:
        """A function of which only the arguments are known."""
        rows = self.net.unknown_rows.get(function)
        if rows is None:
            raise CannotError(f"what is {function}?")
        arguments = [a if ar.shape(a)[1] == 1 else ar.transpose(a) for a in arguments]
        if any(ar.shape(a)[1] != 1 for a in arguments):
            raise CannotError(f"{function} takes vectors")
        names = [MatrixSymbol(f"_{i}", *ar.shape(a)) for i, a in enumerate(arguments)]
        table = dict(zip((n.name for n in names), arguments, strict=True))
        evaluator = Evaluator(ar, lambda node, _: table[node.name], self.symbols)
        return evaluator(Unknown(function, names, rows))

    def inverse(self, ar: Any, m: Matrix) -> Matrix:
        if isinstance(ar, DualArithmetic):
            raise CannotError("the derivative of an inverse is not evaluated")
        if not self.numeric:
            return m.inv()
        found = self.ar.square(m) ** -1
        return self.ar.array(found.tolist())

    def norm(self, ar: Any, kind: str, *matrices: Matrix) -> Matrix:
        """Norms, absolute values and the greatest of some, in numbers."""
        if isinstance(ar, DualArithmetic):
            raise CannotError("the derivative of a norm is not evaluated")
        if not self.numeric:
            raise NumbersNeededError(kind)
        mp, m = self.ar.mp, matrices[0]
        entries = [x for a in matrices for x in np.ravel(a)]
        if kind in ("max", "min"):
            return self.ar.array([[max(entries) if kind == "max" else min(entries)]])
        if kind == "abs" and m.shape == (1, 1):
            return self.ar.array([[abs(m[0, 0])]])
        if kind == "det" and m.shape[0] != m.shape[1]:
            raise MisfitError("the determinant of a matrix that is not square")
        if kind == "det" or (kind == "abs" and m.shape[0] == m.shape[1]):
            return self.ar.array([[mp.det(self.ar.square(m))]])
        if kind == "radius":
            if m.shape[0] != m.shape[1]:
                raise MisfitError("the eigenvalues of a matrix that is not square")
            found = mp.eig(self.ar.square(m), left=False, right=False)
            return self.ar.array([[max(map(abs, found))]])
        if 1 in m.shape or kind == "frobenius":
            if kind == "norm1":
                return self.ar.array([[sum(map(abs, entries))]])
            if kind == "norminf":
                return self.ar.array([[max(map(abs, entries))]])
            return self.ar.array([[mp.sqrt(sum(x * x for x in entries))]])
        if kind == "norm1":
            return self.ar.array([[max(sum(map(abs, column)) for column in m.T)]])
        if kind == "norminf":
            return self.ar.array([[max(sum(map(abs, row)) for row in m)]])
        singular = mp.svd_r(self.ar.square(m), compute_uv=False)
        return self.ar.array([[max(singular)]])

    def let(self, name: str, number: Any) -> None:
        """Give a free variable a value."""
        self._variables[name] = self.ar.array([[self.ar.mp.mpf(number)]])

    def variable(self, ar: Any, name: str) -> Matrix:
        """The value of a free variable; the same wherever it stands."""
        if name not in self._variables:
            rng = random.Random(f"{self.seed}/{name}")
            number: Any = rng.randrange(P)
            if self.numeric:  # bounds of functions are reached far out, or at zero
                number = rng.uniform(-1.5, 1.5) * FREE.get(self.extreme, 1.0)
            self._variables[name] = self.ar.array([[number]])
        m = self._variables[name]
        return Dual(m) if isinstance(ar, DualArithmetic) else m


def _slope_of_dual(ar: DualArithmetic, function: str, z: Dual) -> Dual:
    """g′(z) as a dual number: its differential equation in dual arithmetic."""
    found: Dual = EQUATIONS[function](ar, z, ar.apply(function, 0, z))
    return found
