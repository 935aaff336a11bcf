"""The computation as a graph of vector operations: what a backend prints.

Stands between the equations and the schedule. A node is a column vector: at every step of a
sequence, at one time, or the same at all times; it is written down once, however often it is used.
Nodes with an equation of their own are *variables*; only they are read at other times, through
`at` and `pick` nodes, so a graph may have cycles. What has one value is joined with what has one
at every step by spreading it over the steps, as late as possible.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sympy import Expr, Integer, Rational, S

from rnnsym.emit.matrices import Matrix

Signed = tuple[int, "Node"]

#: the operations whose result is a new array
FRESH = frozenset({"add", "mul", "matvec", "call"})

#: ways to read another node, with nothing to be computed
TRANSPARENT = frozenset({"at", "spread"})

#: the axis of what has one value a sequence, at whatever time
ONCE = S.One


class Node:
    """One operation.

    op: see `Graph`; args: its operands; data: what else it needs; size: the vector's length;
    axis: the number of steps at which it has a value (ONCE: at a single time), None for what is
    the same at all times and for the whole batch; full: whether it is stored with all its entries
    (a number that stands for a vector of equal entries is not); definition: of a variable; start:
    its value at the step next to 1 … T that a loop begins from, None for zero or what is given;
    beyond: whether it may be read at a fixed time that is no step of the sequence, as where T-1 is
    0;
    members: of a pack, the nodes that it keeps side by side, each of them a slice of it.
    """

    def __init__(
        self,
        number: int,
        op: str,
        args: Sequence[Node],
        data: tuple[Any, ...],
        size: Expr,
        axis: Expr | None,
        full: bool,
    ) -> None:
        self.number, self.op, self.args, self.data = number, op, tuple(args), data
        self.size, self.axis, self.full = size, axis, full
        self.definition: Node | None = None
        self.start: Node | None = None
        self.beyond = False
        self.members: tuple[Node, ...] = ()

    @property
    def name(self) -> str:
        """The name of a variable or of data."""
        return str(self.data[0])

    @property
    def timed(self) -> bool:
        """Whether it has a row for each member of the batch, at one step or at several."""
        return self.axis is not None

    @property
    def operands(self) -> list[Node]:
        """What it is computed from, `at` and `spread` nodes included."""
        return [self.definition] if self.definition else list(self.args)

    @property
    def view(self) -> Node | None:
        """The slice of a pack that this node is, or is another name of: not to be computed."""
        v = self
        while v.op == "variable" and v.definition is not None:
            v = v.definition
        return v if v.op == "slice" and v.args[0].members else None

    @property
    def reads(self) -> list[tuple[Node, int]]:
        """What it uses, each with the step it is taken from, counted from the node's own."""
        return self.step_reads + ([(self.start, 0)] if self.start else [])

    @property
    def step_reads(self) -> list[tuple[Node, int]]:
        """The same without the value that it starts from."""
        if self.op == "at":
            return [(self.args[0], self.data[0])]
        if self.op == "spread":
            return [(self.args[0], 0)]
        return [r for a in self.operands for r in (a.reads if a.op in TRANSPARENT else [(a, 0)])]

    def __repr__(self) -> str:
        return f"<{self.number} {self.op} {self.data} {[a.number for a in self.args]}>"


class Graph:
    """Makes nodes, each only once, in the simplest form.

    op        args     data                meaning
    variable           name, kind          a vector with an equation, kept in `definition`
    data               name, kind          an input, target or parameter
    at        v        offset              v⟨t + offset⟩
    pick      v        time                v⟨time⟩, at a fixed time
    spread    v        axis                the single value of v at every step
    place     v        time, axis, sure    the single value of v at one step, zero at all others;
                                           sure: whether there certainly is this step
    collapse  v        axis                Σ_t v⟨t⟩ over all steps
    gate               expression, axis    a number for each step, 0 or 1, that depends on t only
    number             value               a vector of equal entries
    add       u, v, …  constant, signs     constant ± u ± v …
    mul       u, v, …  number              number · u ⊙ v …
    matvec    v        Matrix or Blocks    M v
    call      v        function, order     a function of the vector
    sum       v                            1ᵀ v
    concat    u, v, …                      [u; v; …]
    slice     v        start, stop         the entries start … stop
    """

    def __init__(self) -> None:
        self.known: dict[Any, Node] = {}
        self.count = 0

    def node(
        self,
        op: str,
        args: Sequence[Node],
        data: tuple[Any, ...],
        size: Expr,
        axis: Expr | None = None,
        full: bool = True,
    ) -> Node:
        """The node of this form; data is part of its identity; its axis is that of its operands
        where it is not given."""
        key = (op, tuple(a.number for a in args), data, size)
        if key not in self.known:
            if axis is None:
                axis = next((a.axis for a in args if a.axis is not None), None)
            self.count += 1
            full = full or size == 1
            self.known[key] = Node(self.count, op, args, data, size, axis, full)
        return self.known[key]

    def pack(self, definition: Node, members: Sequence[Node]) -> Node:
        """A variable that keeps the members side by side; each of them becomes a slice of it."""
        axis = definition.axis
        pack = self.node("variable", (), (self.count, "pack"), definition.size, axis)
        pack.definition, pack.members = definition, tuple(members)
        start: Expr = Integer(0)
        for member in members:
            stop = start + member.size
            if member.op == "variable":
                member.definition = self.node("slice", (pack,), (start, stop), member.size)
            else:
                member.op, member.args, member.data = "slice", (pack,), (start, stop)
            start = stop
        return pack

    def copy(self, v: Node) -> Node:
        """A node of the same form that is not known: for one that is about to become a slice."""
        self.count += 1
        return Node(self.count, v.op, v.args, v.data, v.size, v.axis, v.full)

    def number(self, value: Any, size: Expr) -> Node:
        return self.node("number", (), (Rational(value),), size, full=False)

    # ---- other times -------------------------------------------------------------------------

    def at(self, v: Node, offset: int) -> Node:
        if offset == 0 or not v.timed:
            return v
        return self.node("at", (v,), (offset,), v.size)

    def pick(self, v: Node, time: Expr) -> Node:
        if v.axis in (None, ONCE):
            return v
        return self.node("pick", (v,), (time,), v.size, ONCE)

    def spread(self, v: Node, axis: Expr) -> Node:
        """v at every step of an axis; what is the same at all times is that already."""
        if v.axis in (None, axis):
            return v
        assert v.axis == ONCE, f"{v} in a sequence of another length"
        return self.node("spread", (v,), (axis,), v.size, axis)

    def place(self, v: Node, time: Expr, axis: Expr, sure: bool) -> Node:
        if axis == ONCE or _zero(v):
            return v
        return self.node("place", (v,), (time, axis, sure), v.size, axis)

    def collapse(self, v: Node, axis: Expr) -> Node:
        """Σ_t v⟨t⟩ over the steps of an axis; a product M v is taken of the sum."""
        if axis == ONCE or _zero(v):
            return v
        if v.op == "matvec" and v.axis == axis:
            return self.matvec(v.data[0], self.collapse(v.args[0], axis))
        return self.node("collapse", (v,), (axis,), v.size, ONCE)

    def gate(self, expression: Expr, axis: Expr) -> Node:
        return self.node("gate", (), (expression, axis), S.One, axis)

    def _alike(self, args: Sequence[Node]) -> Expr | None:
        """The axis to which single values have to be spread, if there are both kinds."""
        axes = {a.axis for a in args} - {None}
        return next(iter(axes - {ONCE})) if len(axes) > 1 else None

    # ---- operations --------------------------------------------------------------------------

    def add(self, items: Iterable[Signed], size: Expr) -> Node:
        constant = S.Zero
        kept: list[Signed] = []
        for sign, v in items:
            if v.op == "number":
                constant += sign * v.data[0]
            elif v.op == "add":
                constant += sign * v.data[0]
                kept += [(sign * s, a) for s, a in zip(v.data[1], v.args, strict=True)]
            elif v.op == "mul" and v.data[0] < 0:
                kept.append((-sign, self.mul(-v.data[0], v.args, size)))
            else:
                kept.append((sign, v))
        if not kept:
            return self.number(constant, size)
        if len(kept) == 1 and constant == 0:
            sign, v = kept[0]
            return v if sign > 0 else self.mul(-1, [v], size)
        axis = self._alike([v for _, v in kept])
        if axis is not None:
            once = self.add([item for item in kept if item[1].axis == ONCE], size)
            kept = [item for item in kept if item[1].axis != ONCE]
            kept.append((1, self.spread(once, axis)))
        kept.sort(key=lambda item: -item[0])
        signs, args = zip(*kept, strict=True)
        full = any(a.full for a in args)
        return self.node("add", args, (constant, signs), size, full=full)

    def mul(self, number: Any, args: Iterable[Node], size: Expr) -> Node:
        number = Rational(number)
        kept: list[Node] = []
        for v in args:
            if v.op == "number":
                number *= v.data[0]
            elif v.op == "mul":
                number *= v.data[0]
                kept += v.args
            else:
                kept.append(v)
        if number == 0 or not kept:
            return self.number(number, size)
        axis = self._alike(kept)
        if axis is not None:
            once = [v for v in kept if v.axis == ONCE]
            width = size if any(v.size == size for v in once) else S.One
            rest = [v for v in kept if v.axis != ONCE]
            kept = [*rest, self.spread(self.mul(1, once, width), axis)]
        full = any(a.full and a.size == size for a in kept)
        if number == 1 and len(kept) == 1 and kept[0].size == size:
            return kept[0]
        return self.node("mul", kept, (number,), size, full=full)

    def matvec(self, m: Matrix, v: Node) -> Node:
        if v.op == "number" and v.data[0] == 0:
            return self.number(0, m.height)
        if v.op == "concat":  # [A B] [u; v] = A u + B v
            start, parts = Integer(0), []
            for a in v.args:
                parts.append((1, self.matvec(m.left(start, start + a.size), a)))
                start += a.size
            return self.add(parts, m.height)
        if v.op == "spread":
            return self.matvec(m, v.args[0])
        return self.node("matvec", (v,), (m,), m.height)

    def call(self, function: str, order: int, v: Node, size: Expr) -> Node:
        if v.op == "spread":
            return self.call(function, order, v.args[0], size)
        return self.node("call", (v,), (function, order), size, full=v.full)

    def sum(self, v: Node) -> Node:
        if v.op == "number" and v.data[0] == 0:
            return v if v.size == 1 else self.number(0, S.One)
        if v.op == "spread":
            return self.sum(v.args[0])
        return v if v.size == 1 else self.node("sum", (v,), (), S.One)

    def concat(self, parts: Sequence[Node]) -> Node:
        size = sum((p.size for p in parts), S.Zero)
        if all(p.op == "number" and p.data == parts[0].data for p in parts):
            return self.number(parts[0].data[0], size)
        axis = self._alike(parts)
        if axis is not None:
            parts = [self.spread(p, axis) for p in parts]
        return parts[0] if len(parts) == 1 else self.node("concat", parts, (), size)

    def slice(self, v: Node, start: Expr, stop: Expr) -> Node:
        size = stop - start
        if size == v.size:
            return v
        if v.op == "number":
            return self.number(v.data[0], size)
        if v.op == "spread":
            return self.slice(v.args[0], start, stop)
        if v.op == "matvec":
            return self.matvec(v.data[0].top(start, stop), v.args[0])
        if v.op in ("add", "mul"):
            parts = [a if a.size == 1 else self.slice(a, start, stop) for a in v.args]
            if v.op == "mul":
                return self.mul(v.data[0], parts, size)
            constant = (1, self.number(v.data[0], size))
            return self.add([constant, *zip(v.data[1], parts, strict=True)], size)
        return self.node("slice", (v,), (start, stop), size)


def _zero(v: Node) -> bool:
    return v.op == "number" and bool(v.data[0] == 0)
