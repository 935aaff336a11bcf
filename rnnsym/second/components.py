"""The component equations of a network: each of its matrix equations as scalar ones, in LaTeX.

Takes a network and its derived backward pass at concrete sizes and lengths; gives for every
component of every node at every time, of every adjoint and of every gradient both sides of an
equation, each printed by itself, or the reason why it cannot be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sympy import S, Symbol

from rnnsym.network import Network
from rnnsym.nodes import Adjoint, t
from rnnsym.second.names import Kind, Names, Quantity
from rnnsym.second.plain import plain
from rnnsym.second.scalars import Scalars, Unreadable
from rnnsym.verify.adjoints import System

#: a right side of more characters is not given to the reader
LONGEST = 4000


@dataclass(frozen=True)
class Component:
    """left = right, for one component; uses: name as printed -> what it is, of both sides.

    why: the reason why there is no right side to read, else empty.
    """

    of: Quantity
    left: str
    right: str
    uses: Mapping[str, Quantity]
    why: str = ""


@dataclass(frozen=True)
class Equation:
    """One matrix equation of the network, for all its times.

    times: (time, right side), the sides of one equation at different times being the same but
    for a computed initial value; shape: rows and columns of each.
    """

    kind: Kind
    name: str
    times: tuple[tuple[int | None, Any], ...]
    shape: tuple[int, int]

    @property
    def size(self) -> int:
        """The number of component equations."""
        return len(self.times) * self.shape[0] * self.shape[1]

    def place(self, n: int) -> tuple[Quantity, Any]:
        """The n-th component, and the right side that it is a component of."""
        rows, cols = self.shape
        n, col = divmod(n, cols)
        n, row = divmod(n, rows)
        time, rhs = self.times[n]
        return Quantity(self.kind, self.name, time, row, col), rhs


class Components:
    """All component equations of a network at given sizes and lengths."""

    def __init__(self, net: Network, symbols: Mapping[Any, Any], system: System) -> None:
        self.net, self.symbols, self.system = net, symbols, system
        self.names = Names()
        self.scalars = Scalars(symbols, self._leaf)
        self.spans = {
            name: (self._number(span.first), self._number(span.last))
            for name, span in net.spans.items()
        }
        self.starts = {name: self._number(net.start(name)) for name in net.carried}
        self._uses: dict[str, Quantity] = {}
        self.equations: tuple[Equation, ...] = tuple(self._equations())

    @property
    def size(self) -> int:
        """How many component equations there are."""
        return sum(e.size for e in self.equations)

    def _number(self, e: Any) -> int:
        return int(e.xreplace(self.symbols))

    def _equations(self) -> Iterator[Equation]:
        net, system = self.net, self.system
        rows = {name: self._number(v.rows) for name, v in net.vectors.items()}
        for name, e in net.equations.items():
            times: list[tuple[int | None, Any]] = []
            if name in net.initial:
                times.append((self.starts[name], net.initial[name].rhs))
            times += [(time, e.rhs) for time in self._steps(name)]
            yield Equation("vector", name, tuple(times), (rows[name], 1))
        yield Equation("loss", net.loss.name, ((None, net.objective),), (1, 1))
        for name, rhs in system.equations.items():
            times = [(time, rhs) for time in self._steps(name)]
            if name in system.initial:
                times.append((self.starts[name], system.initial[name]))
            yield Equation("adjoint", name, tuple(times), (rows[name], 1))
        for name, rhs in system.gradients.items():
            w = net.parameters[name]
            shape = self._number(w.rows), self._number(w.cols)
            yield Equation("gradient", name, ((None, rhs),), shape)

    def _steps(self, name: str) -> range:
        first, last = self.spans[name]
        return range(first, last + 1)

    def component(self, equation: Equation, n: int) -> Component:
        """The n-th component equation of a matrix equation, printed."""
        of, _ = equation.place(n)
        left = self.names.latex(of, equation.shape[1])
        try:
            scalar, uses = self.scalar(equation, n)
            right = plain(scalar)
            if len(right) > LONGEST:
                raise Unreadable("too long")
        except Unreadable as error:
            return Component(of, left, "", {left: of}, str(error))
        return Component(of, left, right, {left: of, **uses})

    def scalar(self, equation: Equation, n: int) -> tuple[Any, dict[str, Quantity]]:
        """The n-th right side as a scalar expression, and what its symbols are.

        Raises Unreadable.
        """
        of, rhs = equation.place(n)
        self._uses = {}
        time = {} if of.time is None else {t: of.time}
        found = self.scalars.component(rhs, of.row, of.col, time)
        return found, {s.name: self._uses[s.name] for s in found.free_symbols}

    def __iter__(self) -> Iterator[Component]:
        for equation in self.equations:
            for n in range(equation.size):
                yield self.component(equation, n)

    def _leaf(self, node: Any, time: int | None, i: int, j: int) -> Any:
        """The scalar for a component; zero for states, inputs and adjoints beyond the ends."""
        kind: Kind = "parameter" if time is None else "vector"
        if isinstance(node, Adjoint):
            kind, node = "adjoint", node.of
        name, columns = node.name, self._number(node.cols)
        if time is not None and not self._exists(kind, name, time):
            return S.Zero
        quantity = Quantity(kind, name, time, i, j)
        latex = self.names.latex(quantity, columns)
        self._uses[latex] = quantity
        return Symbol(latex, real=True)

    def _exists(self, kind: str, name: str, time: int) -> bool:
        first, last = self.spans[name]
        if first <= time <= last:
            return True
        carried = self.net.initial if kind == "adjoint" else self.starts
        return name in carried and time == self.starts[name]
