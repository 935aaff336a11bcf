"""The part of a NumPy source that takes its arguments in and says what is wrong with them.

One check of each kind for each array; nothing is known here of what is computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sympy import Expr

from rnnsym.emit.expressions import Expressions
from rnnsym.emit.text import size_text
from rnnsym.emit.writer import Writer, listed
from rnnsym.errors import NotSupportedError
from rnnsym.network import Network


@dataclass(frozen=True)
class Argument:
    """An array that the caller gives.

    key: the name that the caller uses; variable: its identifier in the source; shape: without
    axes for time and batch; role: "parameter", "input", "target" or "state".
    """

    key: str
    variable: str
    shape: tuple[Expr, ...]
    role: str

    def dims(self) -> list[str]:
        """The shape in words, with the axes of time and batch."""
        lead = {"parameter": [], "state": []}.get(self.role, ["T"])
        return [*lead, *map(size_text, self.shape)]


def arguments(net: Network, print_: Expressions, states: Sequence[str]) -> list[Argument]:
    """Everything that the caller gives, in order: parameters, inputs, targets, initial states."""
    found = []
    for name, w in net.parameters.items():
        shape = tuple(w.shape) if w.cols != 1 else (w.rows,)
        found.append(Argument(name, print_.names.of(("parameter", name), name), shape, "parameter"))
    for role, table in (("input", net.inputs), ("target", net.targets)):
        for name, size in table.items():
            variable = print_.names.of(("data", name), name)
            found.append(Argument(name, variable, (size,), role))
    for name in states:
        variable = print_.names.of(("state", name), f"{name}_0")
        found.append(Argument(name, variable, (net.states[name].rows,), "state"))
    return found


HELPERS = '''
def _converted(arrays):
    """What is no array of float64 as one, or all as float32 if no wider numbers are given."""
    arrays = [np.asarray(array) for array in arrays]
    for array in arrays:
        if array.dtype.kind not in "biuf":
            raise ValueError(f"an array of {array.dtype} was given, expected real numbers")
    kinds = [array.dtype for array in arrays if array.dtype.kind == "f"]
    dtype = np.result_type(*kinds, np.float32) if kinds else np.dtype(np.float64)
    return [array.astype(dtype, copy=False) for array in arrays]


def _finite(name, array):
    """Whether all numbers are finite: one pass, and a second one only if squares overflow."""
    return math.isfinite(np.vdot(array, array)) or bool(np.isfinite(array).all())
'''


class ArgumentPrinter:
    """Prints the function `_arguments`."""

    def __init__(self, net: Network, print_: Expressions, given: list[Argument]) -> None:
        self.net, self.print, self.given = net, print_, given

    def of(self, *roles: str) -> list[Argument]:
        """The arguments of these roles."""
        return [a for a in self.given if a.role in roles]

    @property
    def lead(self) -> Argument:
        """The array that T and B are read from."""
        timed = self.of("input", "target")
        if not timed:
            raise NotSupportedError("a network without inputs and targets has no length")
        return timed[0]

    def write(self, out: Writer) -> None:
        """The tables and the function."""
        out.line(f"PARAMETERS = ({listed(repr(a.key) for a in self.of('parameter'))})")
        if self.of("state"):
            out.line(f"STATES = ({listed(repr(a.key) for a in self.of('state'))})")
        out.line()
        out.line()
        out.line("def _arguments(params, x, y, initial):")
        with out.indented():
            out.line('"""All arguments as arrays of one type; a ValueError says what is wrong."""')
            self.collect(out)
            self.sizes(out)
            self.check(out)
            out.line(f"return {self.result()}")

    def result(self) -> str:
        """What `_arguments` returns."""
        return f"{', '.join(a.variable for a in self.given)}, batch"

    def collect(self, out: Writer) -> None:
        """Every array by its name."""
        out.line("if params.keys() != set(PARAMETERS):")
        with out.indented():
            out.line('given, expected = sorted(map(str, params)), ", ".join(PARAMETERS)')
            out.line('raise ValueError(f"params holds {\', \'.join(given)}, expected {expected}")')
        states = self.of("state")
        if states:
            out.line("initial = initial or {}")
            out.line("if not initial.keys() <= set(STATES):")
        else:
            out.line("if initial:")
        with out.indented():
            expected = '{", ".join(STATES)}' if states else "nothing"
            out.line(
                "raise ValueError("
                f"f\"initial holds {{', '.join(map(str, initial))}}, expected {expected}\")"
            )
        values = ["*map(params.__getitem__, PARAMETERS)"]
        for role, name in (("input", "x"), ("target", "y")):
            found = self.of(role)
            if len(found) == 1:
                values.append(name)
            elif found:
                keys = ", ".join(repr(a.key) for a in found)
                out.line(f"if not isinstance({name}, dict) or {name}.keys() != {{{keys}}}:")
                with out.indented():
                    listed_ = ", ".join(repr(repr(a.key))[1:-1] for a in found)
                    message = f"{name} must be a dict of {listed_}".replace("{", "{{")
                    out.line(f"raise ValueError({message!r})")
                values += [f"{name}[{a.key!r}]" for a in found]
        values += [f"initial.get({a.key!r}, 0.0)" for a in states]
        out.line(f"arrays = [{', '.join(values)}]")
        out.line("if any(type(a) is not np.ndarray or a.dtype is not FLOAT64 for a in arrays):")
        with out.indented():
            out.line("arrays = _converted(arrays)")
        out.line(f"{listed(a.variable for a in self.given)} = arrays")

    def sizes(self, out: Writer) -> None:
        """The value of each size, read off the first array that shows it."""
        known: set[Expr] = set()
        for a in self.given:
            fresh = [(i, s) for i, s in enumerate(a.shape) if s.is_Symbol and s not in known]
            known.update(s for _, s in fresh)
