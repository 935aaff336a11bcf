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

    def words(self, *lead: str) -> str:
        """The shape in words."""
        return f"({listed([*lead, *map(size_text, self.shape)])})"


def arguments(net: Network, print_: Expressions, states: Sequence[str]) -> list[Argument]:
    """Everything that the caller gives, in order: parameters, inputs, targets, initial states."""
    found = []
    for name, w in net.parameters.items():
        shape = tuple(w.shape) if w.cols != 1 else (w.rows,)
        variable = print_.names.of(("parameter", name), name)
        found.append(Argument(name, variable, shape, "parameter"))
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
    """The arrays as float64, or as float32 where no wider floating-point numbers are given."""
    arrays = [np.asarray(array) for array in arrays]
    for array in arrays:
        if array.dtype.kind not in "biuf":
            raise ValueError(f"an array of {array.dtype} was given, expected real numbers")
    kinds = [array.dtype for array in arrays if array.dtype.kind == "f"]
    dtype = np.result_type(*kinds, np.float32) if kinds else FLOAT64
    return [array.astype(dtype, copy=False) for array in arrays]


def _check(name, array, shape, expected):
    """Raise a ValueError unless the array has this shape and holds finite numbers only."""
    if array.shape != shape:
        raise ValueError(f"{name} has shape {array.shape}, expected {expected} = {shape}")
    if not math.isfinite(np.vdot(array, array)) and not np.isfinite(array).all():
        raise ValueError(f"{name} holds a NaN or an infinite number, expected finite {expected}")
'''

DISTRIBUTION = '''
def _check_distribution(name, array):
    """Raise a ValueError unless every row is a distribution."""
    excess = array.dot(np.ones(array.shape[-1], array.dtype))
    excess -= 1
    if np.vdot(excess, excess) > 1e-12 and abs(excess).max() > 1e-6:
        raise ValueError(f"{name}: the entries of each step must sum to 1 within 1e-6")
    if array.min() < 0:
        raise ValueError(f"{name}: the entries of each step are a distribution, none below 0")
'''


class ArgumentPrinter:
    """Prints the function `_arguments`."""

    def __init__(self, net: Network, print_: Expressions, given: list[Argument]) -> None:
        self.net, self.print, self.given = net, print_, given
        if not self.of("input", "target"):
            raise NotSupportedError("a network without inputs and targets has no length T")

    def of(self, *roles: str) -> list[Argument]:
        """The arguments of these roles."""
        return [a for a in self.given if a.role in roles]

    @property
    def result(self) -> str:
        """What `_arguments` returns."""
        sizes = [self.print.size(s) for s in self.sizes()]
        return ", ".join([*(a.variable for a in self.given), *sizes, "batch"])

    def sizes(self) -> dict[Expr, tuple[Argument, int]]:
        """For each size, the first array that shows it, and on which axis from the end."""
        found: dict[Expr, tuple[Argument, int]] = {}
        for a in self.of("parameter", "input", "target"):
            for i, size in enumerate(a.shape):
                if size.is_Symbol:
                    found.setdefault(size, (a, i - len(a.shape)))
        missing = {s for a in self.given for e in a.shape for s in e.free_symbols} - set(found)
        if missing:
            raise NotSupportedError(f"no array shows the size {', '.join(map(str, missing))}")
        return found

    def write(self, out: Writer) -> None:
        """The tables, the helpers and the function."""
        out.line(f"PARAMETERS = ({listed(repr(a.key) for a in self.of('parameter'))})")
        if self.of("state"):
            out.line(f"STATES = ({listed(repr(a.key) for a in self.of('state'))})")
        out.line('FLOAT64 = np.dtype("float64")')
        out.line()
        out.line()
        out.line("def _arguments(params, x, y, initial):")
        with out.indented():
            out.line('"""All arguments as arrays of one type, and the sizes; checks everything."""')
            self._collect(out)
            self._read_sizes(out)
            self._check(out)
            out.line(f"return {self.result}")
        out.line()
        out.block(HELPERS)
        if self.net.target_kind == "distribution" and self.of("target"):
            out.line()
            out.block(DISTRIBUTION)

    def _collect(self, out: Writer) -> None:
        out.line("if params.keys() != set(PARAMETERS):")
        with out.indented():
            out.line('raise ValueError(f"params: {sorted(params)}, expected {sorted(PARAMETERS)}")')
        states = self.of("state")
        out.line("initial = initial or {}")
        out.line(f"if not initial.keys() <= {'set(STATES)' if states else 'set()'}:")
        with out.indented():
            expected = "a choice of {STATES}" if states else "nothing: there is no state"
            out.line(f'raise ValueError(f"initial: {{sorted(initial)}}, expected {expected}")')
        values = ["*map(params.__getitem__, PARAMETERS)"]
        for role, name in (("input", "x"), ("target", "y")):
            found = self.of(role)
            if len(found) == 1:
                values.append(name)
            elif found:
                keys = f"{{{', '.join(repr(a.key) for a in found)}}}"
                out.line(f"if not isinstance({name}, dict) or {name}.keys() != {keys}:")
                with out.indented():
                    out.line(f'raise ValueError("{name}: expected a dict of arrays, " + str({keys}))')
                values += [f"{name}[{a.key!r}]" for a in found]
        out.line(f"arrays = [{', '.join(values)}, *initial.values()]")
        out.line("if any(type(a) is not np.ndarray or a.dtype is not FLOAT64 for a in arrays):")
        with out.indented():
            out.line("arrays = _converted(arrays)")
        names = [a.variable for a in self.of("parameter", "input", "target")]
        rest = ", *initial_values" if states else ""
        out.line(f"{', '.join(names)}{rest} = arrays")
        if states:
            out.line("initial = dict(zip(initial, initial_values, strict=True))")
            for a in states:
                out.line(f"{a.variable} = initial.get({a.key!r}, np.float32(0))")

    def _read_sizes(self, out: Writer) -> None:
        """The sizes, after a check that the arrays that show them have the axes for it."""
        known: set[Argument] = set()
        sizes = self.sizes()
        lead = self.of("input", "target")[0]
        for a in [*dict.fromkeys(a for a, _ in sizes.values()), lead]:
            if a in known:
                continue
            known.add(a)
            timed = a.role != "parameter"
            axes = "not in (2, 3)" if timed else f"!= {len(a.shape)}"
            words = a.words("T") + " or " + a.words("T", "B") if timed else a.words()
            out.line(f"if {a.variable}.ndim {axes}:")
            with out.indented():
                message = f'" has shape {{}}, expected {words}"'
                out.line(f"raise ValueError({a.key!r} + {message}.format({a.variable}.shape))")
        for size, (a, axis) in sizes.items():
            out.line(f"{self.print.size(size)} = {a.variable}.shape[{axis}]")
        out.line(f"T, *batch = lead = {lead.variable}.shape[:-1]")
        out.line("if 0 in lead:")
        with out.indented():
            message = f'" has shape {{}}: there must be a step and a sequence at least"'
            out.line(f"raise ValueError({lead.key!r} + {message}.format({lead.variable}.shape))")

    def _check(self, out: Writer) -> None:
        for a in self.given:
            shape = [self.print.size(s) for s in a.shape]
            if a.role == "state":
                continue
            if a.role == "parameter":
                if shape == ["1"]:
                    out.line(f"{a.variable} = {a.variable}.reshape({a.variable}.shape or 1)")
                out.line(f"_check({a.key!r}, {a.variable}, ({listed(shape)}), {a.words()!r})")
            else:
                words = f"{a.words('T')!r} if not batch else {a.words('T', 'B')!r}"
                out.line(f"_check({a.key!r}, {a.variable}, (*lead, {shape[0]}), {words})")
                if a.role == "target" and self.net.target_kind == "distribution":
                    out.line(f"_check_distribution({a.key!r}, {a.variable})")
        for a in self.of("state"):
            size = self.print.size(a.shape[0])
            out.line(f"if {a.variable}.ndim:")
            with out.indented():
                wide = f"(*batch, {size}) if {a.variable}.ndim > 1 else ({size},)"
                words = a.words() if a.role else ""
                out.line(
                    f"_check({f'initial {a.key}'!r}, {a.variable}, {wide}, {words!r})"
                )
