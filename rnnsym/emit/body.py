"""The statements of a schedule: arrays for all steps, and the loops between them.

Beside the file's frame (`rnnsym.emit.numpy_backend`) and its results: what is here gives every
node its value. A value has a name if it is used more than once, or step by step in a loop.
"""

from __future__ import annotations

from collections.abc import Callable

from rnnsym.emit.expressions import ATOM, Expressions, times
from rnnsym.emit.graph import FRESH, ONCE, TRANSPARENT, Node
from rnnsym.emit.loops import LoopPrinter
from rnnsym.emit.program import Program
from rnnsym.emit.schedule import Loop, Schedule
from rnnsym.emit.text import text
from rnnsym.emit.wishes import Wishes
from rnnsym.emit.writer import Writer

#: what stands beside an array that another one is written into
IN_PLACE = "# in its place: a row is read, then written"


class Body:
    """Writes the statements; `ufuncs` are the functions of NumPy that the loops call."""

    def __init__(self, program: Program, schedule: Schedule, print_: Expressions) -> None:
        self.program, self.net = program, program.net
        self.schedule, self.print = schedule, print_
        self.out = Writer()
        self.out.level = 1
        self.scheduled = {
            node
            for item in schedule.items
            for node in (item.units if isinstance(item, Loop) else (item,))
        }
        self.looped = [i for i in schedule.items if isinstance(i, Loop)]
        self.ufuncs: dict[str, None] = {}
        self.shared_memory = False
        self.users: dict[Node, list[Node]] = {}
        self.in_loops: set[Node] = set()
        self.lenders = {v: unit for loop in self.looped for unit, v in loop.lent.items()}
        self.views: dict[str, str] = {}
        self.wish = Wishes(self.users)
        print_.latest = {u for loop in self.looped for u in loop.units if u not in loop.stored}
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
                self.in_loops |= {used for used, _ in node.step_reads} - members

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
        named = {
            v: name
            for v, name in self.print.named.items()
            if v.timed and v.op != "data" and v not in self.print.latest and v.view is None
        }
        return [*named.values(), *(self.print.everything(v) for v in named)]

    def name(self, v: Node) -> str:
        if v not in self.print.named:
            self.print.named[v] = self.print.names.fresh(self.wish(v))
        return self.print.named[v]

    def shape(self, v: Node) -> str:
        """The shape of the array that keeps a variable, its padding included."""
        assert v.axis is not None
        extra = sum(self.schedule.padding.get(v, (0, 0)))
        return f"({self.print.length(v.axis, extra)}, {self.print.size(v.size)})"

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
                self.begin(v)
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
        placed = bool(self.placed(v)) and not self.is_definition(v)
        return (several or placed) and v.op not in ("number", *TRANSPARENT)

    def is_definition(self, v: Node) -> bool:
        """Whether a node is what a variable is equal to."""
        return any(u.definition is v for u in self.users.get(v, []))

    def assign(self, target: Node, v: Node) -> None:
        """Give a variable its value, or another node a name."""
        if placed := self.placed(v):
            self.assign_placed(target, v, placed)
            return
        complete = (v.axis == target.axis and v.full) or not self.must_be_complete(v)
        first, rest = self.first_of_sum(v)
        axis = target.axis
        value = self.print(first) if complete or axis is None else self.print.every_row(v, axis)
        name = self.name(target)
        self.out.line(f"{name} = {value}")
        self.add_to(name, rest)

    def placed(self, v: Node) -> list[tuple[int, Node]]:
        """The summands that have a value at one step only, which they certainly have."""
        if v.op != "add" or v.data[0] != 0:
            return []
        items = zip(v.data[1], v.args, strict=True)
        return [(s, a) for s, a in items if a.op == "place" and a.data[-1]]

    def assign_placed(self, target: Node, v: Node, placed: list[tuple[int, Node]]) -> None:
        """A sum with such summands: those are added where they belong."""
        items = [i for i in zip(v.data[1], v.args, strict=True) if i not in placed]
        first = next((i for i in items if self.is_new(i)), None)
        if first is None and items:
            whole = self.program.graph.add(items, v.size)
            assert v.axis is not None
            value = self.print.every_row(whole, v.axis)
            new = whole.op in FRESH - {"call"}  # a user's function may return what it is given
            fresh = new and whole.full and whole.axis == v.axis and whole not in self.print.named
            value, items = value if fresh else f"np.array({value})", []
        else:
            sign, a = first or placed.pop(0)
            value = f"{'-' * (sign < 0)}{self.print(a)}"
        name = self.name(target)
        self.out.line(f"{name} = {value}")
        self.add_to(name, [*(i for i in items if i != first), *placed])

    def is_new(self, item: tuple[int, Node]) -> bool:
        """Whether a summand is an array that is used for nothing else."""
        sign, a = item
        return sign > 0 and a.op == "matvec" and a.timed and a not in self.print.named

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
                if self.is_new(item):
                    return item[1], [other for other in items if other is not item]
        return v, []

    def add_to(self, name: str, items: list[tuple[int, Node]]) -> None:
        for sign, a in items:
            rows, value = "", a
            if a.op == "place" and a not in self.print.named and a.data[-1]:
                rows, (value,) = f"[{self.print.place(*a.data[:2])}]", a.args
            self.out.line(f"{name}{rows} {'-' if sign < 0 else '+'}= {self.print(value)}")

    def comment(self, v: Node) -> None:
        for member in v.members:
            self.comment(member)
        if v.op == "variable" and v.data[1] == "back":
            adjoint = self.program.variables.get(("adjoint", v.name))
            if adjoint is not None and adjoint not in self.scheduled:
                self.comment(adjoint)
        if v in self.program.formulas:
            left, right = self.program.formulas[v]
            self.out.comment(f"{text(left)} = {text(right)}")

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
                if self.starts(v) and v.start is None:
                    self.out.line(f"{self.edge(v, not self.start(v))} = {self.initial(v)}")
                self.out.line(f"{self.name(v)} = {self.array(v)}[{self.print.part(v)}]")

    def begin(self, v: Node) -> None:
        """Write the value that is computed for a variable to begin from beside 1 … T."""
        if v.start is not None and self.starts(v):
            self.out.line(f"{self.edge(v, not self.start(v))} = {self.print(v.start)}")

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
        given = v.start is not None or bool(self.initial(v))
        return given and bool(after if self.start(v) else before)

    def start(self, v: Node) -> bool:
        """Whether the initial value stands after the last step."""
        if v.start and v.data[1] != "value":
            return bool(v.data[2] > 0)
        return (
            v.op == "variable" and v.name in self.net.states and self.net.lag_range(v.name)[0] < 0
        )

    def initial(self, v: Node) -> str:
        """The initial value of a state, where that is given."""
        if v.op != "variable" or v.data[1] != "value" or v.name not in self.net.initial_states:
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
        for v, name in printer.constants.items():
            size = self.print.size(v.size)
            out.line(f"{name} = {self.print.named[v]}.reshape(*batch, {size})")
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
            if unit in loop.stored:
                self.begin(unit)
        for unit in loop.units:
            if unit in loop.lent and not any(self.schedule.padding.get(unit, (0, 0))):
                self.out.line(f"{self.name(unit)} = {self.name(loop.lent[unit])}  {IN_PLACE}")
            elif unit not in loop.stored:
                start = self.initial(unit) if unit in loop.carried else ""
                kind = "zeros" if unit in loop.carried else "empty"
                name, size = self.name(unit), self.print.size(unit.size)
                self.out.line(f"{name} = np.{kind}((*batch, {size}), dtype)")
                if unit in loop.carried and unit.start is not None:
                    complete = unit.start.axis == ONCE and unit.start.full
                    rows = self.print(unit.start, ATOM) if complete else ""
                    rows = rows or self.print.every_row(unit.start, ONCE)
                    start = f"{rows}.reshape(*batch, {size})"
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
