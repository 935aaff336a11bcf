"""What a loop computes at one step, as statements that write into buffers made beforehand.

Every operation gets its place: the row of an array that keeps the value for all steps, or a
buffer that the next step uses again. Operations that only one other uses have no place of their
own but are computed in that of their user.
"""

from __future__ import annotations

import re

from sympy import Expr

from rnnsym.emit.expressions import Expressions, number
from rnnsym.emit.functions import WHOLE
from rnnsym.emit.graph import Node
from rnnsym.emit.matrices import Matrix
from rnnsym.emit.schedule import Loop

Place = str

#: the operations that compute something
COMPUTED = frozenset({"add", "mul", "matvec", "call", "sum", "concat", "slice"})


class LoopPrinter:
    """Prints the body of one loop, and collects what must be there before it.

    views: array rows -> the name of the row in the loop; previous: a stored unit -> the name of
    its row of the step before; ufuncs: the functions of NumPy called; buffers: name -> size;
    matrices: the name of a matrix -> its source; constants: a value that is the same at each step
    -> its name in the loop.
    """

    def __init__(self, loop: Loop, print_: Expressions) -> None:
        self.loop, self.print = loop, print_
        self.members = set(loop.units)
        self.statements: list[str] = []
        self.views: dict[str, str] = {}
        self.previous: dict[Node, str] = {}
        self.ufuncs: dict[str, None] = {}
        self.buffers: dict[str, Expr] = {}
        self.matrices: dict[str, str] = {}
        self.constants: dict[Node, str] = {}
        self.free: dict[Expr, list[str]] = {}
        self.local: dict[Node, str] = {}
        for unit in loop.units:
            if unit not in loop.stored:
                self.local[unit] = print_.named[unit]
        parts = [m for unit in loop.parted for m in unit.members]
        for view in (*loop.views, *parts):
            if self._in_buffer(view):
                self.local[view] = print_.named[view]
        for unit in loop.units:
            self.compute(unit)

    def _in_buffer(self, v: Node) -> bool:
        """Whether a node is a part of a buffer, or a part of such a part."""
        slice_ = v.view
        if slice_ is None:
            return False
        return slice_.args[0] in self.local or self._in_buffer(slice_.args[0])

    def compute(self, unit: Node) -> None:
        """The statements that give a unit its value; what a pack is made of, each in its part."""
        definition = unit.definition or unit
        if unit in self.loop.parted:
            for member, part in zip(unit.members, definition.args, strict=True):
                self.into(part, self.row(member), top=True)
        else:
            self.into(definition, self.row(unit), top=True)

    # ---- places ----------------------------------------------------------------------------

    def row(self, v: Node, offset: int = 0) -> str:
        """The name, in the loop, of v⟨t + offset⟩."""
        if v in self.local:
            return self.local[v]
        if not v.timed:
            return self.print.named[v]
        if v in self.loop.stored and offset == (-1 if self.loop.forward else 1):
            self.row(v)
            if v not in self.previous:
                self.previous[v] = self.print.names.fresh(f"{self.print.named[v]}_before")
            return self.previous[v]
        rows = self.print.rows(v, offset)
        if rows not in self.views:
            suffix = "_before" if offset < 0 else "_after" if offset else "_t"
            suffix += "" if abs(offset) < 2 else f"_{abs(offset)}"
            self.views[rows] = self.print.names.fresh(self.print.named[v] + suffix)
        return self.views[rows]

    def constant(self, v: Node) -> str:
        """The name, in the loop, of a single value that is used at each step."""
        if v not in self.constants:
            wish = f"{self.print.named[v]}_each"
            self.constants[v] = self.print.names.fresh(wish)
        return self.constants[v]

    def leaf(self, v: Node) -> str | None:
        """The source of a value that is there already."""
        if v.op == "at":
            return self.row(v.args[0], v.data[0])
        if v.op == "spread":
            return self.constant(v.args[0])
        if v.op == "number":
            return number(v.data[0])[0]
        if v in self.print.named:
            return self.row(v)
        if v.op == "slice" and (whole := self.leaf(v.args[0])) is not None:
            return f"{whole}[..., {self.print.span(*v.data)}]"
        if v.op == "row":
            return self.print(v)
        return None

    def value(self, v: Node) -> tuple[str, str | None]:
        """The source of a value, computed first in a scratch buffer if need be."""
        found = self.leaf(v)
        if found is not None:
            return found, None
        scratch = self.scratch(v.size)
        self.into(v, scratch)
        return scratch, scratch

    def whole(self, v: Node) -> tuple[str, str | None]:
        """The same with every entry there."""
        if v.full:
            return self.value(v)
        scratch = self.scratch(v.size)
        self.into(v, scratch)
        return scratch, scratch

    def scratch(self, size: Expr) -> str:
        free = self.free.setdefault(size, [])
        if free:
            return free.pop()
        name = self.print.names.fresh("part")
        self.buffers[name] = size
        return name

    def release(self, name: str | None) -> None:
        """A scratch buffer may be used again."""
        if name is not None:
            self.free[self.buffers[name]].append(name)

    def say(self, line: str) -> None:
        """A statement; NumPy's functions are called by their bare names."""
        called = re.match(r"np\.(\w+)\(", line)
        if called:
            self.ufuncs[called[1]] = None
            line = line.removeprefix("np.")
        self.statements.append(line)

    # ---- operations ------------------------------------------------------------------------

    def into(self, v: Node, place: Place, top: bool = False) -> None:
        """Compute v in a place. With `top`, v is computed here even if it has a name."""
        found = None if top and v.op in COMPUTED else self.leaf(v)
        if found is not None and found != place:
            self.say(f"{place}[...] = {found}")
        elif found is None:
            getattr(self, f"_{v.op}")(v, place)

    def _add(self, v: Node, place: Place) -> None:
        constant, signs = v.data
        items = [(s, a, self.leaf(a)) for s, a in zip(signs, v.args, strict=True)]
        leaves = [(s, found) for s, _, found in items if found is not None]
        parts = [(s, a) for s, a, found in items if found is None]
        if constant != 0:
            leaves.append((1, number(constant)[0]))
        if parts:
            sign, first = parts.pop(0)
            self.into(first, place)
            current: tuple[int, str] = (sign, place)
        else:
            current = leaves.pop(0)
        if current[0] < 0 or current[1] != place:
            self._start_sum(current, leaves, place)
        for sign, found in leaves:
            self.say(f"{place} {'-' if sign < 0 else '+'}= {found}")
        for sign, a in parts:
            found, scratch = self.value(a)
            self.say(f"{place} {'-' if sign < 0 else '+'}= {found}")
            self.release(scratch)

    def _start_sum(
        self, current: tuple[int, str], leaves: list[tuple[int, str]], place: Place
    ) -> None:
        """The first operation of a sum, which writes into the place; takes from `leaves`."""
        sign, source = current
        positive = next((item for item in leaves if item[0] > 0), None)
        if sign > 0 and leaves:
            other_sign, other = leaves.pop(0)
            operation = "add" if other_sign > 0 else "subtract"
            self.say(f"np.{operation}({source}, {other}, {place})")
        elif sign < 0 and positive:
            leaves.remove(positive)
            self.say(f"np.subtract({positive[1]}, {source}, {place})")
        elif sign < 0:
            self.say(f"np.negative({source}, {place})")
        elif source != place:  # a sum that became one product, kept elsewhere
            self.say(f"{place}[...] = {source}")

    def _mul(self, v: Node, place: Place) -> None:
        factor = v.data[0]
        leaves = [found for a in v.args if (found := self.leaf(a)) is not None]
        parts = [a for a in v.args if self.leaf(a) is None]
        if factor not in (1, -1):
            leaves.append(number(factor)[0])
        fitting = next((a for a in parts if a.size == v.size), None)
        if fitting is not None:
            parts.remove(fitting)
            self.into(fitting, place)
        elif len(leaves) > 1:
            self.say(f"np.multiply({leaves.pop(0)}, {leaves.pop(0)}, {place})")
        else:
            self.say(f"{place}[...] = {leaves.pop(0) if leaves else 1}")
        for found in leaves:
            self.say(f"{place} *= {found}")
        for a in parts:
            found, scratch = self.value(a)
            self.say(f"{place} *= {found}")
            self.release(scratch)
        if factor == -1:
            self.say(f"np.negative({place}, {place})")

    def _matvec(self, v: Node, place: Place) -> None:
        vector, scratch = self.whole(v.args[0])
        self.say(f"{vector}.dot({self.matrix(v.data[0])}, {place})")
        self.release(scratch)

    def matrix(self, m: Matrix) -> str:
        source = self.print.matrix(m)
        if source.isidentifier():
            return source
        name = self.print.names.of(("matrix", source), source.replace(".T", "_T"))
        self.matrices[name] = source
        return name

    def _call(self, v: Node, place: Place) -> None:
        function, order = v.data
        (a,) = v.args
        call = self.print.function(function, order)
        whole = function in WHOLE
        if self.leaf(a) is None and a.size == v.size:
            self.into(a, place)
            argument, scratch = place, None
        else:
            argument, scratch = self.whole(a) if whole else self.value(a)
        if self.print.takes_out(function, order):
            out = place if call.endswith("({z})") else f"out={place}"
            self.say(f"{call.format(z=argument)[:-1]}, {out})")
        else:
            self.say(f"{place}[...] = {call.format(z=argument)}")
        self.release(scratch)

    def _sum(self, v: Node, place: Place) -> None:
        argument, scratch = self.whole(v.args[0])
        self.say(f"np.sum({argument}, axis=-1, keepdims=True, out={place})")
        self.release(scratch)

    def _concat(self, v: Node, place: Place) -> None:
        start = v.size * 0
        for a in v.args:
            part = f"{place}[..., {self.print.span(start, start + a.size)}]"
            found, scratch = self.value(a)
            self.say(f"{part} = {found}")
            self.release(scratch)
            start += a.size

    def _slice(self, v: Node, place: Place) -> None:
        found, scratch = self.value(v.args[0])
        self.say(f"{place}[...] = {found}[..., {self.print.span(*v.data)}]")
        self.release(scratch)
