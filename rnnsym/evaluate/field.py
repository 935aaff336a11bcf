"""Exact arithmetic over the field of p = 2^61 - 1 elements, with oracles for functions.

Part of the trusted base. An elementwise function that is no polynomial becomes an oracle: a
random residue for each argument, the same one whenever the argument is the same. Identities
that hold for every function with the same differential equation hold here; others fail with
probability at least 1 - degree/p (Schwartz 1980, Zippel 1979).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from operator import mul
from typing import Any

from flint import nmod, nmod_mat

P = 2**61 - 1
Matrix = Any


class FieldArithmetic:
    """nmod_mat matrices; `seed` chooses the oracles."""

    def __init__(self, seed: int = 0) -> None:
        self.key = seed.to_bytes(8, "little", signed=True)
        #: (function, order) -> argument -> value: the oracles as far as they were asked
        self.oracles: dict[tuple[str, int], dict[int, int]] = {}

    def array(self, rows: Any) -> Matrix:
        rows = [list(row) for row in rows]
        return nmod_mat(len(rows), len(rows[0]), [int(x) % P for r in rows for x in r], P)

    def shape(self, a: Matrix) -> tuple[int, int]:
        return a.nrows(), a.ncols()

    def full(self, rows: int, cols: int, number: Any) -> Matrix:
        return nmod_mat(rows, cols, [self._number(number)] * (rows * cols), P)

    def _number(self, number: Any) -> nmod:
        if hasattr(number, "q"):
            return nmod(int(number.p) % P, P) / nmod(int(number.q) % P, P)
        return nmod(int(number) % P, P)

    def eye(self, n: int) -> Matrix:
        return nmod_mat(n, n, [int(i == j) for i in range(n) for j in range(n)], P)

    def add(self, a: Matrix, b: Matrix) -> Matrix:
        return a + b

    def scale(self, number: Any, a: Matrix) -> Matrix:
        return a * self._number(number)

    def matmul(self, a: Matrix, b: Matrix) -> Matrix:
        return a * b

    def hadamard(self, a: Matrix, b: Matrix) -> Matrix:
        return nmod_mat(*self.shape(a), list(map(mul, a.entries(), b.entries())), P)

    def transpose(self, a: Matrix) -> Matrix:
        return a.transpose()

    def blocks(self, rows: Sequence[Sequence[Matrix]]) -> Matrix:
        table: list[list[Any]] = [
            [x for block in row for x in block.tolist()[i]]
            for row in rows
            for i in range(row[0].nrows())
        ]
        return nmod_mat(len(table), len(table[0]), [x for row in table for x in row], P)

    def apply(self, function: str, order: int, a: Matrix) -> Matrix:
        if function == "identity" and order == 0:
            return a
        if function == "reciprocal" and order == 0:
            values: list[Any] = [1 / x for x in a.entries()]
        else:
            values = [self._oracle(function, order, int(x)) for x in a.entries()]
        return nmod_mat(a.nrows(), a.ncols(), values, P)

    def _oracle(self, function: str, order: int, argument: int) -> int:
        known = self.oracles.setdefault((function, order), {})
        if argument not in known:
            text = f"{function}/{order}/{argument}".encode()
            digest = hashlib.blake2b(text, digest_size=16, key=self.key).digest()
            known[argument] = int.from_bytes(digest, "big") % P
        return known[argument]

    def softmax_shift(self, a: Matrix) -> Matrix | None:
        return None

    def detach(self, a: Matrix) -> Matrix:
        return a
