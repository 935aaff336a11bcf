"""The statements of a schedule: arrays for all steps, and the loops between them.

Beside the file's frame (`rnnsym.emit.numpy_backend`) and its results: what is here gives every
node its value. A value has a name if it is used more than once, or step by step in a loop.
"""

from __future__ import annotations

from collections.abc import Callable

from rnnsym.emit.expressions import Expressions, times
from rnnsym.emit.graph import Node
from rnnsym.emit.loops import LoopPrinter
from rnnsym.emit.program import Program
from rnnsym.emit.schedule import Loop, Schedule
from rnnsym.emit.text import text
from rnnsym.emit.wishes import Wishes
from rnnsym.emit.writer import Writer
from rnnsym.nodes import Adjoint

#: what stands beside an array that another one is written into
IN_PLACE = "# in its place: a row is read, then written"


class Body:
    """Writes the statements; `ufuncs` are the functions of NumPy that the loops call."""

    def __init__(self, program: Program, schedule: Schedule, print_: Expressions) -> None:
        self.program, self.net = program, program.net
        self.schedule, self.print = schedule, print_
        self.out = Writer()
        self.out.level = 1
        self.looped = [i for i in schedule.items if isinstance(i, Loop)]
        self.ufuncs: dict[str, None] = {}
        self.shared_memory = False
        self.users: dict[Node, list[Node]] = {}
        self.in_loops: set[Node] = set()
        self.lenders = {v: unit for loop in self.looped for unit, v in loop.lent.items()}
        self.views: dict[str, str] = {}
        self.wish = Wishes(self.users)
        self._survey()

    def _survey(self) -> None:
        """Who uses whom, and what the loops take from outside."""
        for item in self.schedule.items:
            for node in self._all_of(item):
                for used, _ in node.reads:
                    self.users.setdefault(used, []).append(node)
        for loop in self.looped:
            members = set(self._all_of(loop))
            for node in members:
                self.in_loops |= {used for used, _ in node.reads} - members

    def _all_of(self, item: Node | Loop) -> list[Node]:
        """The nodes of an item, those without a place of their own included."""
        if isinstance(item, Node):
            return [item]
        elsewhere = {i for i in self.schedule.items if isinstance(i, Node)}
        elsewhere |= {u for loop in self.looped if loop is not item for u in loop.units}
        found = dict.fromkeys(item.units)
        agenda = list(item.units)
        while agenda:
            for used, _ in agenda.pop().reads:
                if used not in found and used not in elsewhere:
                    found[used] = None
                    agenda.append(used)
        return list(found)

    def write(self, after_loop: Callable[[Loop], None] = lambda loop: None) -> None:
        """Every statement; what is done after each loop may be added to."""
        for item in self.schedule.items:
            if isinstance(item, Node) and item.op == "data":
                kind = "parameter" if item.data[1] == "parameter" else "data"
                self.print.named[item] = self.print.names.of((kind, item.name), item.name)
        for item in self.schedule.items:
            if isinstance(item, Loop):
                self.write_loop(item)
                after_loop(item)
                self.out.line()
            else:
                self.write_node(item)

    @property
    def arrays(self) -> list[str]:
        """The names of the arrays that keep a value for all steps."""
        latest = {unit for loop in self.looped for unit in loop.units if unit not in loop.stored}
        named = {
            v: name
            for v, name in self.print.named.items()
            if v.timed and v.op != "data" and v not in latest and v.view is None
        }
        return [*named.values(), *(self.print.everything(v) for v in named)]

    def name(self, v: Node) -> str:
        if v not in self.print.named:
            self.print.named[v] = self.print.names.fresh(self.wish(v))
        return self.print.named[v]

    def shape(self, v: Node) -> str:
        """The shape of the array that keeps a variable, its padding included."""
        before, after = self.schedule.padding.get(v, (0, 0))
        return f"({self.print.length(before + after)}, {self.print.size(v.size)})"

    # ---- nodes -------------------------------------------------------------------------------

    def write_node(self, v: Node) -> None:
        """A statement for a node that needs a name; all others are written where they are used."""
        if v.op == "data":
            if any(self.schedule.padding.get(v, (0, 0))):
                self.write_padded_data(v)
        elif v.view is not None:
            if v in self.users:
                self.write_view(v)
        elif v.op == "variable":
            assert v.definition is not None
            self.comment(v)
            if any(self.schedule.padding.get(v, (0, 0))):
                self.allocate(v)
                self.fill(self.name(v), v.definition)
            else:
                self.assign(v, v.definition)
        elif v in self.lenders and any(self.schedule.padding.get(self.lenders[v], (0, 0))):
            unit = self.lenders[v]
            self.allocate(unit)
            self.fill(self.name(unit), v)
            self.out.line(f"{self.name(v)} = {self.name(unit)}  {IN_PLACE}")
        elif self.needs_name(v):
            self.assign(v, v)

    def write_view(self, v: Node) -> None:
        """Give the part of a pack that a node is its name, if it has none yet."""
        view = v.view
        assert view is not None
        value = self.print.slice(view)
        if value not in self.views:
            self.views[value] = self.name(v)
            self.out.line(f"{self.name(v)} = {value}")
        self.print.named[v] = self.views[value]

    def needs_name(self, v: Node) -> bool:
        """Whether a node is used more than once, or step by step."""
        several = self.schedule.uses.get(v, 0) > 1 or v in self.in_loops
        return several and v.op not in ("number", "at")

    def assign(self, target: Node, v: Node) -> None:
        """Give a variable its value, or another node a name."""
        complete = (v.timed and v.full) or not self.must_be_complete(v)
        first, rest = self.first_of_sum(v)
        value = self.print(first) if complete else self.print.every_row(v)
        name = self.name(target)
        self.out.line(f"{name} = {value}")
        self.add_to(name, rest)

    def must_be_complete(self, v: Node) -> bool:
        return v.timed or any(u.op == "variable" for u in self.users.get(v, []))

    def fill(self, rows: str, v: Node) -> None:
        """rows[...] = v"""
        first, rest = self.first_of_sum(v)
        if first.op == "matvec":
            call = self.print(first)
            self.out.line(f"{call[:-1]}, {rows})")
        else:
            self.out.line(f"{rows}[:] = {self.print(first)}")
        self.add_to(rows, rest)

    def first_of_sum(self, v: Node) -> tuple[Node, list[tuple[int, Node]]]:
        """A sum as a summand that is a new array and those to be added to it in place."""
        if v.op == "add" and v.data[0] == 0:
            items = list(zip(v.data[1], v.args, strict=True))
            for item in items:
                sign, a = item
                if sign > 0 and a.op == "matvec" and a.timed and a not in self.print.named:
                    return a, [other for other in items if other is not item]
        return v, []

    def add_to(self, name: str, items: list[tuple[int, Node]]) -> None:
        for sign, a in items:
            self.out.line(f"{name} {'-' if sign < 0 else '+'}= {self.print(a)}")

    def comment(self, v: Node) -> None:
        for member in v.members:
            self.comment(member)
        formula = self.program.formulas.get(v)
        if formula is None:
            return
        lhs = self.net.equations[v.name].lhs
        left = text(Adjoint(lhs) if v.data[1] == "adjoint" else lhs)
        self.out.comment(f"{left} = {text(formula)}")

    def write_padded_data(self, v: Node) -> None:
        """An input that is used at other times: zero before the first and after the last step."""
        name = self.print.everything(v)
        self.out.line(f"{name} = np.zeros({self.shape(v)}, dtype)")
        self.out.line(f"{name}[{self.print.part(v)}] = {self.print.named[v]}")

    def allocate(self, *nodes: Node) -> None:
        """The arrays of variables; beside 1 … T they have their initial states, or zeros."""
        empty = [v for v in nodes if self.kind(v) == "empty"]
        if len(empty) > 1:
            shapes = ", ".join(map(self.shape, empty))
            self.out.line(f"{', '.join(map(self.array, empty))} = _arrays(dtype, {shapes})")
            self.shared_memory = True
        for v in nodes:
            if v not in empty or len(empty) == 1:
                self.out.line(f"{self.array(v)} = np.{self.kind(v)}({self.shape(v)}, dtype)")
        for v in nodes:
            if any(self.schedule.padding.get(v, (0, 0))):
                if self.starts(v):
                    self.out.line(f"{self.edge(v, not self.start(v))} = {self.initial(v)}")
                self.out.line(f"{self.name(v)} = {self.array(v)}[{self.print.part(v)}]")

    def array(self, v: Node) -> str:
        """The name of the array with all that is kept of a variable."""
        self.name(v)
        padded = any(self.schedule.padding.get(v, (0, 0)))
        return self.print.everything(v) if padded else self.name(v)

    def kind(self, v: Node) -> str:
        """Whether an array must be filled with zeros because not all of it is written."""
        outside = sum(self.schedule.padding.get(v, (0, 0)))
        return "empty" if outside == self.starts(v) else "zeros"

    def starts(self, v: Node) -> bool:
        """Whether an array holds an initial state."""
        before, after = self.schedule.padding.get(v, (0, 0))
        return bool(self.initial(v)) and bool(after if self.start(v) else before)

    def start(self, v: Node) -> bool:
        """Whether the initial value stands after the last step."""
        return (
            v.op == "variable" and v.name in self.net.states and self.net.lag_range(v.name)[0] < 0
        )

    def initial(self, v: Node) -> str:
        """The initial value of a state."""
        if v.op != "variable" or v.data[1] != "value" or v.name not in self.net.states:
            return ""
        return self.print.names.of(("state", v.name), f"{v.name}_0")

    # ---- loops -------------------------------------------------------------------------------

    def write_loop(self, loop: Loop) -> None:
        out = self.out
        out.line()
        for unit in loop.units:
            self.comment(unit)
        for unit in loop.units:
            self.name(unit)
        self.make_room(loop)
        parts = [m for unit in loop.units if unit in loop.parted for m in unit.members]
        for view in dict.fromkeys((*loop.views, *parts)):
            self.write_view(view)
        printer = LoopPrinter(loop, self.print)
        for name, size in printer.buffers.items():
            out.line(f"{name} = np.empty((*batch, {self.print.size(size)}), dtype)")
        for name, matrix in printer.matrices.items():
            copy = ".copy() if batch else " + matrix if matrix.endswith(".T") else ""
            out.line(f"{name} = {matrix}{copy}")
        for unit, name in printer.previous.items():
            size = self.print.size(unit.size)
            out.line(f"{name} = {self.edge(unit, loop.forward)}.reshape(*batch, {size})")
        self.ufuncs.update(printer.ufuncs)
        views = printer.views
        direction = "" if loop.forward else ", backward=True"
        targets = ", ".join(views.values())
        targets = f"({targets},)" if len(views) == 1 else targets
        out.line(f"for {targets} in _steps(batch, {', '.join(views)}{direction}):")
        with out.indented():
            for statement in printer.statements:
                out.line(statement)
            for unit, name in printer.previous.items():
                out.line(f"{name} = {printer.row(unit)}")

    def make_room(self, loop: Loop) -> None:
        """The arrays and the buffers of what is computed in a loop."""
        self.allocate(*(u for u in loop.units if u in loop.stored and u not in loop.lent))
        for unit in loop.units:
            if unit in loop.lent and not any(self.schedule.padding.get(unit, (0, 0))):
                self.out.line(f"{self.name(unit)} = {self.name(loop.lent[unit])}  {IN_PLACE}")
            elif unit not in loop.stored:
                start = self.initial(unit) if unit in loop.carried else ""
                kind = "zeros" if unit in loop.carried else "empty"
                name, size = self.name(unit), self.print.size(unit.size)
                self.out.line(f"{name} = np.{kind}((*batch, {size}), dtype)")
                if start:
                    self.out.line(f"{name}[...] = {start}")

    def edge(self, v: Node, forward: bool) -> str:
        """The rows of the step next to 1 … T: before the first, or after the last."""
        before, after = self.schedule.padding[v]
        if forward:
            rows = f"{times(before - 1)}:{times(before)}"
        else:
            rows = f"{times(-after)}:{times(1 - after)}"
        return f"{self.print.everything(v)}[{rows}]"
