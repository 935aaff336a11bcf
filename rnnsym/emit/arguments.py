"""The part of a NumPy source that takes its arguments in and says what is wrong with them.

One check of each kind for each array; nothing is known here of what is computed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sympy import Expr

from rnnsym.emit.checks import CHECK_LENGTHS, CHECK_SHAPES, DISTRIBUTION, HELPERS, STATE_HELPERS
from rnnsym.emit.expressions import Expressions
from rnnsym.emit.graph import ONCE
from rnnsym.emit.steps import axis_of, shortest
from rnnsym.emit.text import size_text
from rnnsym.emit.writer import Writer, listed, literal
from rnnsym.errors import NotSupportedError
from rnnsym.network import Network
from rnnsym.nodes import T


@dataclass(frozen=True)
class Argument:
    """An array that the caller gives.

    key: the name that the caller uses; variable: its identifier in the source; shape: without
    axes for time and batch; role: "parameter", "input", "target" or "state"; axis: the number of
    steps, of an input or a target.
    """

    key: str
    variable: str
    shape: tuple[Expr, ...]
    role: str
    axis: Expr = ONCE

    @property
    def steps(self) -> str:
        """The number of steps in words."""
        return size_text(self.axis)

    def words(self, *lead: str) -> str:
        """The shape in words."""
        return f"({listed([*lead, *map(size_text, self.shape)])})"


def arguments(net: Network, print_: Expressions) -> list[Argument]:
    """Everything that the caller gives, in order: parameters, inputs, targets, initial states."""
    found = []
    for name, w in net.parameters.items():
        shape = tuple(w.shape) if w.cols != 1 else (w.rows,)
        variable = print_.names.of(("parameter", name), name)
        found.append(Argument(name, variable, shape, "parameter"))
    for role, table in (("input", net.inputs), ("target", net.targets)):
        for name, size in table.items():
            variable = print_.names.of(("data", name), name)
            found.append(Argument(name, variable, (size,), role, axis_of(net, name)))
    for name, v in net.initial_states.items():
        variable = print_.names.of(("state", name), f"{name}_0")
        found.append(Argument(name, variable, (v.rows,), "state"))
    return found


def unpack(out: Writer, names: list[str], value: str) -> None:
    """Give the parts of a value their names; none of them may be needed."""
    if set(names) != {"_"}:
        if len(names) == 1:
            out.line(f"({names[0]},) = {value}")
        else:
            out.line(f"{', '.join(names)} = {value}")


class ArgumentPrinter:
    """Prints the function `_arguments`."""

    def __init__(self, net: Network, print_: Expressions, given: list[Argument]) -> None:
        self.net, self.print, self.given = net, print_, given
        self.states = self.of("state")
        self.arrays = self.of("parameter", "input", "target")
        self.series = self.of("input", "target")
        self.plain = all(a.axis == T for a in self.series)
        if not self.series:
            raise NotSupportedError("a network without inputs and targets has no length T")
        missing = set(net.lengths.values()) - {a.axis for a in self.series}
        if missing:
            names = ", ".join(sorted(map(str, missing)))
            raise NotSupportedError(f"no input or target has the length {names}: declare one")

    def of(self, *roles: str) -> list[Argument]:
        """The arguments of these roles."""
        return [a for a in self.given if a.role in roles]

    @property
    def result(self) -> list[str]:
        """What `_arguments` returns."""
        states = ["initial"] if self.states else []
        lead = ["lead"] if self.plain else ["batch", *map(self.print.size, self.lengths)]
        return ["arrays", *states, *lead, *map(self.print.size, self.sizes())]

    @property
    def lengths(self) -> dict[Expr, Argument]:
        """For each length that is no number, the first array that shows it."""
        found: dict[Expr, Argument] = {}
        for a in self.series:
            if a.axis.is_Symbol:
                found.setdefault(a.axis, a)
        return found

    def sizes(self) -> dict[Expr, tuple[Argument, int]]:
        """For each size, the first array that shows it, and on which axis."""
        found: dict[Expr, tuple[Argument, int]] = {}
        for a in self.arrays:
            for i, size in enumerate(a.shape):
                if size.is_Symbol:
                    found.setdefault(size, (a, i))
        missing = {s for a in self.given for e in a.shape for s in e.free_symbols} - set(found)
        if missing:
            raise NotSupportedError(f"no array shows the size {', '.join(map(str, missing))}")
        return found

    def write(self, out: Writer) -> None:
        """The tables, the function and its helpers."""
        out.line(
            "# The arrays to be given, and their shapes; inputs and targets may have a batch axis."
        )
        out.line("SHAPES = {")
        with out.indented():
            for a in self.arrays:
                words = a.words() if a.role == "parameter" else a.words(a.steps, "B")
                out.line(f'{literal(a.key)}: "{words}",')
        out.line("}")
        parameters = self.of("parameter")
        out.line(f"PARAMETERS = frozenset(({listed(literal(a.key) for a in parameters)}))")
        if self.states:
            out.line(f"STATES = ({listed(literal(a.key) for a in self.states)})")
        out.line('FLOAT64 = np.dtype("float64")')
        out.line()
        out.line()
        out.line("def _arguments(params, x, y, initial):")
        with out.indented():
            out.line(
                '"""All arrays, of one floating-point type, and the sizes; checks everything."""'
            )
            self._collect(out)
            self._check(out)
            self._states(out)
            out.line(f"return {', '.join(self.result)}")
        out.line()
        out.block(HELPERS)
        out.line()
        out.block(CHECK_SHAPES if self.plain else CHECK_LENGTHS)
        if self.states:
            out.line()
            out.block(STATE_HELPERS)
        if self._distributions:
            out.line()
            out.block(DISTRIBUTION)

    @property
    def _distributions(self) -> list[Argument]:
        return self.of("target") if self.net.target_kind == "distribution" else []

    def _collect(self, out: Writer) -> None:
        out.line("if params.keys() != PARAMETERS:")
        with out.indented():
            out.line("given, expected = sorted(map(str, params)), sorted(PARAMETERS)")
            out.line('raise ValueError(f"params holds {given}, expected {expected}")')
        values = []
        for a in self.of("parameter"):
            value = f"params[{literal(a.key)}]"
            values.append(f"np.reshape({value}, -1)" if a.shape == (1,) else value)
        for role, name in (("input", "x"), ("target", "y")):
            found = self.of(role)
            if len(found) == 1:
                values.append(name)
            elif found:
                keys = ", ".join(literal(a.key) for a in found)
                out.line(f"keys = [{keys}]")
                out.line(f"if not isinstance({name}, dict) or {name}.keys() != set(keys):")
                with out.indented():
                    out.line(f'raise ValueError(f"{name}: expected a dict of the arrays {{keys}}")')
                values += [f"{name}[{literal(a.key)}]" for a in found]
        out.line(f"arrays = [{', '.join(values)}]")
        out.line("for array in arrays:")
        with out.indented():
            out.line("if type(array) is not np.ndarray or array.dtype is not FLOAT64:")
            with out.indented():
                out.line("arrays = _converted(arrays)")
                out.line("break")
        self.unpack(out, lambda a: bool(self._square(a)) or a in self._distributions)
        squares = " + ".join(self._square(a) for a in self.arrays if self._square(a))
        out.line(f"squares = {squares}")
        out.line("if not math.isfinite(squares):")
        with out.indented():
            out.line("_check_finite(arrays)")

    def unpack(self, out: Writer, used: Callable[[Argument], bool]) -> None:
        """Give each array that is used its name."""
        unpack(out, [a.variable if used(a) else "_" for a in self.arrays], "arrays")

    def _square(self, a: Argument) -> str:
        """The sum of squares of an array that is to be finite, as a check of its own.

        Matrices are left out, since reading them takes as long as a step: a number in them that
        is not finite shows in the loss. Distributions are checked otherwise.
        """
        if a in self._distributions or (a.role == "parameter" and len(a.shape) > 1):
            return ""
        return f"np.vdot({a.variable}, {a.variable})"

    def _check(self, out: Writer) -> None:
        if self.plain:
            self._check_plain(out)
        else:
            self._check_lengths(out)
        for axis, (fewest, words) in shortest(self.net).items():
            message = f"{words} is used: at least {fewest} steps are needed, not "
            steps = "lead[0]" if self.plain else self.print.size(axis)
            out.line(f"if {steps} < {fewest}:")
            with out.indented():
                out.line(f'raise ValueError({literal(message)} f"{{{steps}}}")')
        for a in self._distributions:
            out.line(f"_check_distribution({literal(a.key)}, {a.variable})")

    def _check_lengths(self, out: Writer) -> None:
        """The shapes where there are several lengths; the first array that shows a length, and
        the first with an axis for the batch, say what the others are to have."""
        sizes = {place: self.print.size(size) for size, place in self.sizes().items()}
        patterns, shapes = [], []
        for a in self.arrays:
            names = [sizes.get((a, i), "_") for i in range(len(a.shape))]
            start, own = [], []
            if a.role != "parameter":
                shown = self.lengths.get(a.axis) is a
                start = [self.print.size(a.axis) if shown else "_"]
                start.append("*batch" if a is self.series[0] else "*_")
                own = [self.print.size(a.axis), "*batch"]
            patterns.append(f"({listed([*start, *names])})")
            shapes.append(f"({listed([*own, *map(self.print.size, a.shape)])})")
        out.line("shapes = [array.shape for array in arrays]")
        out.line("try:")
        with out.indented():
            out.line(f"{listed(patterns)} = shapes")
        out.line("except ValueError:")
        with out.indented():
            out.line("_check_shapes(shapes)")
            out.line("raise")
        out.line(f"expected = [{', '.join(shapes)}]")
        out.line("if shapes != expected or len(batch) > 1:")
        with out.indented():
            out.line("_check_shapes(shapes)")
            out.line("_check_shapes(shapes, expected)")
        for a in self.series:
            zeros = [self.print.size(a.axis)] if self.lengths.get(a.axis) is a else []
            zeros += ["*batch"] if a is self.series[0] else []
            if zeros:
                out.line(f"if 0 in ({listed(zeros)}):")
                with out.indented():
                    message = (
                        f'f"{{shapes[{self.arrays.index(a)}]}}: '
                        f'expected a step and a sequence at least"'
                    )
                    out.line(f"raise ValueError({literal(a.key + ' has shape ')} {message})")

    def _check_plain(self, out: Writer) -> None:
        """The shapes where every array has the length T."""
        sizes = {place: self.print.size(size) for size, place in self.sizes().items()}
        lead = self.series[0]
        patterns, shapes = [], []
        for a in self.arrays:
            names = [sizes.get((a, i), "_") for i in range(len(a.shape))]
            start = [] if a.role == "parameter" else ["*lead" if a is lead else "*_"]
            patterns.append(f"({listed([*start, *names])})")
            own = [] if a.role == "parameter" else ["*lead"]
            shapes.append(f"({listed([*own, *map(self.print.size, a.shape)])})")
        out.line("shapes = [array.shape for array in arrays]")
        out.line("try:")
        with out.indented():
            out.line(f"{listed(patterns)} = shapes")
        out.line("except ValueError:")
        with out.indented():
            out.line("_check_shapes(shapes)")
            out.line("raise")
        out.line(f"expected = [{', '.join(shapes)}]")
        out.line("if len(lead) not in (1, 2):")
        with out.indented():
            out.line("_check_shapes(shapes)")
        out.line("if 0 in lead:")
        with out.indented():
            message = (
                f'f"{{shapes[{self.arrays.index(lead)}]}}: expected a step and a sequence at least"'
            )
            out.line(f"raise ValueError({literal(lead.key + ' has shape ')} {message})")
        out.line("if shapes != expected:")
        with out.indented():
            out.line("_check_shapes(shapes, expected)")

    def _states(self, out: Writer) -> None:
        if not self.states:
            out.line("if initial:")
            with out.indented():
                which = "states that are given" if self.net.states else "states"
                out.line(f'raise ValueError("initial: this network has no {which}")')
            return
        sizes = ", ".join(self.print.size(a.shape[0]) for a in self.states)
        zeros = f"({listed(['0.0'] * len(self.states))})"
        batch = "lead[1:]" if self.plain else "batch"
        states = f"_initial_states(initial, {batch}, {sizes})"
        out.line(f"initial = {states} if initial else {zeros}")
