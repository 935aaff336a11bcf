"""A network as a NumPy module: the printer of schedules.

Last station of the emitter: the only place that lays out a whole source file. It prints nodes
and loops, whatever network they come from.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable

from sympy import Integer, MatrixSymbol

from rnnsym.emit.arguments import Argument, ArgumentPrinter, arguments, unpack
from rnnsym.emit.expressions import ATOM, PRODUCT, Expressions, number
from rnnsym.emit.functions import FUNCTIONS
from rnnsym.emit.graph import Node
from rnnsym.emit.loops import LoopPrinter
from rnnsym.emit.names import Names, identifier
from rnnsym.emit.program import Program, Term, program
from rnnsym.emit.schedule import Loop, schedule
from rnnsym.emit.text import text
from rnnsym.emit.writer import Writer, literal
from rnnsym.network import Network
from rnnsym.nodes import Adjoint

RESERVED = (
    *("np", "math", "T", "B", "batch", "dtype", "lead", "loss", "every", "out", "z", "name"),
    *("params", "x", "y", "initial", "arrays", "array", "shapes", "expected", "given", "keys"),
    *("PARAMETERS", "STATES", "SHAPES", "FLOAT64", "loss_and_gradients", "evaluate", "squares"),
    *("add", "subtract", "multiply", "negative", "tanh", "exp", "log", "maximum", "heaviside"),
    *("logaddexp", "reciprocal", "sum"),
)


def source(net: Network) -> str:
    """The source of a module with `loss_and_gradients(params, x, y, initial=None)`."""
    prog = program(net)
    return NumpyModule(prog, prog.outputs).source()


#: what stands beside an array that another one is written into
IN_PLACE = "# in its place: a row is read, then written"


class NumpyModule:
    """Prints one module: what its function is called, and what it returns, may be replaced."""

    entry = "loss_and_gradients"
    summary = "The loss, summed over time and batch, and its gradient by each parameter."
    returns = "Returns (loss, gradients by name)."

    def __init__(self, prog: Program, outputs: Iterable[Node]) -> None:
        self.program, self.net = prog, prog.net
        self.schedule = schedule(prog.graph, outputs)
        names = Names(RESERVED)
        for name in [*self.net.inputs, *self.net.targets]:
            if name in ("x", "y"):
                names.given["data", name] = name
        self.print = Expressions(names, self.schedule.padding)
        self.looped = [i for i in self.schedule.items if isinstance(i, Loop)]
        self.sums = False
        self.ufuncs: dict[str, None] = {}
        self.users: dict[Node, list[Node]] = {}
        self.in_loops: set[Node] = set()
        self.lenders = {v: unit for loop in self.looped for unit, v in loop.lent.items()}
        self._survey()
        self.given = arguments(self.net, self.print, list(self.net.states))
        self.arguments = ArgumentPrinter(self.net, self.print, self.given)
        self.body = Writer()
        self.body.level = 1

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

    # ---- the whole file ----------------------------------------------------------------------

    def source(self) -> str:
        self.write_body()
        out = Writer()
        self.write_header(out)
        self.arguments.write(out)
        for helper in self.helpers():
            out.line()
            out.block(helper)
        return out.source()

    def helpers(self) -> list[str]:
        found = []
        if self.looped:
            found.append(STEPS)
        return found + [FUNCTIONS[f].helper for f in self.print.functions if FUNCTIONS[f].helper]

    def write_header(self, out: Writer) -> None:
        self.write_docstring(out)
        out.line()
        out.line("import math")
        out.line()
        out.line("import numpy as np")
        out.line()
        out.line()
        out.lines += self.signature().lines
        out.lines += self.body.lines
        out.line()
        out.line()

    def write_docstring(self, out: Writer) -> None:
        out.line('"""Loss and gradients of a recurrent network. Generated by rnnsym.')
        out.line()
        out.line("Forward equations, for t = 1 … T:")
        out.line()
        for e in self.net.equations.values():
            self.prose(out, f"    {text(e.lhs)} = {text(e.rhs)}")
        out.line()
        out.line("Backward equations, with δ_v = (dL/dv)ᵀ; those beyond step T are zero:")
        out.line()
        adjoint = self.program.adjoint
        for name in adjoint.needed:
            lhs = Adjoint(self.net.equations[name].lhs)
            self.prose(out, f"    {text(lhs)} = {text(adjoint.equations[name])}")
        out.line()
        out.line("Gradients:")
        out.line()
        for w in self.net.parameters.values():
            self.prose(out, f"    ∇_{text(w)} L = {text(adjoint.gradient(w))}")
        out.line('"""')

    def prose(self, out: Writer, line: str) -> None:
        out.lines += textwrap.wrap(line, 98, subsequent_indent="        ", break_long_words=False)

    def described(self) -> list[str]:
        """What is given, a line each."""
        of = self.arguments.of
        parameters = ", ".join(f"{a.variable} {a.words()}" for a in of("parameter"))
        lines = [f"params: a dict of {parameters}"]
        for role, name in (("input", "x"), ("target", "y")):
            found = of(role)
            shapes = [f"{a.words('T')} or {a.words('T', 'B')}" for a in found]
            if len(found) == 1:
                lines.append(f"{name}: {shapes[0]}")
            elif found:
                pairs = zip(found, shapes, strict=True)
                lines.append(
                    f"{name}: a dict of " + ", ".join(f"{a.variable} {s}" for a, s in pairs)
                )
        states = [f"{identifier(a.key)} {a.words()} or {a.words('B')}" for a in of("state")]
        if states:
            lines.append(f"initial: a dict of {', '.join(states)}; zeros where left out")
        lines += [f"{f}: a function of an array, elementwise" for f in self.print.unknown.values()]
        return lines

    def signature(self) -> Writer:
        out = Writer()
        keywords = ""
        if self.print.unknown:
            keywords = ", *, " + ", ".join(self.print.unknown.values())
        out.line('@np.errstate(over="ignore")  # a function may saturate; NaN are not passed over')
        out.line(f"def {self.entry}(params, x, y, initial=None{keywords}):")
        with out.indented():
            out.line(f'"""{self.summary}')
            out.line()
            for line in self.described():
                for part in textwrap.wrap(line, 96, subsequent_indent="    "):
                    out.line(part)
            out.line()
            out.line(f"{self.returns} Raises ValueError for arrays that do not fit.")
            out.line('"""')
        return out

    # ---- the computation ---------------------------------------------------------------------

    def write_body(self) -> None:
        out = self.body
        self.name_data()
        first = len(out.lines)
        for item in self.schedule.items:
            if isinstance(item, Loop):
                self.write_loop(item)
            else:
                self.write_node(item)
        self.write_results()
        computed = out.lines[first:]
        del out.lines[first:]
        self.write_start(out, computed)
        out.lines += computed

    def write_start(self, out: Writer, computed: list[str]) -> None:
        """Take in the arguments: those, and those sizes, that the computation needs."""
        words = set(re.findall(r"\w+", "\n".join(computed)))
        timed = [a for a in self.arguments.of("input", "target") if a.variable in words]
        words |= {self.print.size(a.shape[0]) for a in timed}
        result = [
            r if r in words | {"arrays", "initial", "lead"} else "_" for r in self.arguments.result
        ]
        unpack(out, result, "_arguments(params, x, y, initial)")
        self.arguments.unpack(out, lambda a: a.variable in words)
        states = [a.variable if a.variable in words else "_" for a in self.arguments.states]
        if states:
            unpack(out, states, "initial")
        out.line("T, batch = lead[0], lead[1:]")
        out.line("B = math.prod(batch)  # the members of a batch are further rows of a step")
        if "dtype" in words:
            out.line("dtype = arrays[0].dtype")
        if timed:
            out.line("if batch:")
            with out.indented():
                for a in timed:
                    size = self.print.size(a.shape[0])
                    out.line(f"{a.variable} = {a.variable}.reshape(T * B, {size})")
        if self.ufuncs:
            names = sorted(self.ufuncs)
            out.line(f"{', '.join(names)} = {', '.join(f'np.{n}' for n in names)}")

    def name_data(self) -> None:
        for item in self.schedule.items:
            for node in [item] if isinstance(item, Node) else []:
                if node.op == "data":
                    kind = "parameter" if node.data[1] == "parameter" else "data"
                    self.print.named[node] = self.print.names.of((kind, node.name), node.name)

    def wish(self, v: Node) -> str:
        """A name that tells what a node is."""
        if v.op == "variable":
            prefix = {"value": "", "adjoint": "d_"}.get(v.data[1], f"{v.data[1]}_")
            return prefix + v.name
        if v.op == "call":
            return f"{v.data[0]}_{self.wish(v.args[0])}"
        if v.op == "data":
            return v.name
        if v.op == "matvec":
            m = v.data[0]
            matrix = m.expr.name if isinstance(m.expr, MatrixSymbol) else "M"
            return f"{matrix}{'_T' * m.transposed}_{self.wish(v.args[0])}"
        user = self.users.get(v, [v])[0]
        role = {"add": "in", "mul": "factor"}.get("mul" if user.op == "mul" else v.op, v.op)
        return f"{role}_{self.owner(v)}"

    def owner(self, v: Node) -> str:
        """The variable that a node is a part of."""
        seen = set()
        while v.op != "variable" and v in self.users and v not in seen:
            seen.add(v)
            v = self.users[v][0]
        return self.wish(v) if v.op == "variable" else "loss"

    def name(self, v: Node) -> str:
        if v not in self.print.named:
            self.print.named[v] = self.print.names.fresh(self.wish(v))
        return self.print.named[v]

    def shape(self, v: Node) -> str:
        """The shape of the array that keeps a variable, its padding included."""
        before, after = self.schedule.padding.get(v, (0, 0))
        extra = before + after
        return f"({f'(T + {extra})' if extra else 'T'} * B, {self.print.size(v.size)})"

    # ---- nodes -------------------------------------------------------------------------------

    def write_node(self, v: Node) -> None:
        """A statement for a node that needs a name; all others are written where they are used."""
        if v.op == "data":
            if any(self.schedule.padding.get(v, (0, 0))):
                self.write_padded_data(v)
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
            self.body.line(f"{self.name(v)} = {self.name(unit)}  {IN_PLACE}")
        elif self.needs_name(v):
            self.assign(v, v)

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
        self.body.line(f"{name} = {value}")
        self.add_to(name, rest)

    def must_be_complete(self, v: Node) -> bool:
        return v.timed or any(u.op == "variable" for u in self.users.get(v, []))

    def fill(self, rows: str, v: Node) -> None:
        """rows[...] = v"""
        first, rest = self.first_of_sum(v)
        if first.op == "matvec":
            call = self.print(first)
            self.body.line(f"{call[:-1]}, {rows})")
        else:
            self.body.line(f"{rows}[:] = {self.print(first)}")
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
            self.body.line(f"{name} {'-' if sign < 0 else '+'}= {self.print(a)}")

    def comment(self, v: Node) -> None:
        formula = self.program.formulas.get(v)
        if formula is None:
            return
        lhs = self.net.equations[v.name].lhs
        left = text(Adjoint(lhs) if v.data[1] == "adjoint" else lhs)
        self.body.comment(f"{left} = {text(formula)}")

    def write_padded_data(self, v: Node) -> None:
        """An input that is used at other times: zero before the first and after the last step."""
        name = self.print.everything(v)
        self.body.line(f"{name} = np.zeros({self.shape(v)}, dtype)")
        self.body.line(f"{name}[{self.print.part(v)}] = {self.print.named[v]}")

    def allocate(self, v: Node) -> None:
        """The array of a variable; beside 1 … T it has its initial state, or zeros."""
        before, after = self.schedule.padding.get(v, (0, 0))
        name = self.name(v)
        if not before and not after:
            self.body.line(f"{name} = np.empty({self.shape(v)}, dtype)")
            return
        start, last = self.initial(v), self.start(v)
        if not (after if last else before):
            start = ""
        whole = self.print.everything(v)
        kind = "empty" if start and before + after == 1 else "zeros"
        self.body.line(f"{whole} = np.{kind}({self.shape(v)}, dtype)")
        if start:
            self.body.line(f"{self.edge(v, not last)} = {start}")
        self.body.line(f"{name} = {whole}[{self.print.part(v)}]")

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
        out = self.body
        out.line()
        for unit in loop.units:
            self.comment(unit)
        for unit in loop.units:
            self.name(unit)
        printer = LoopPrinter(loop, self.print)
        for unit in loop.units:
            if unit in loop.lent:
                if not any(self.schedule.padding.get(unit, (0, 0))):
                    out.line(f"{self.name(unit)} = {self.name(loop.lent[unit])}  {IN_PLACE}")
            elif unit in loop.stored:
                self.allocate(unit)
            else:
                start = self.initial(unit) if unit in loop.carried else ""
                kind = "zeros" if unit in loop.carried else "empty"
                name, size = self.print.named[unit], self.print.size(unit.size)
                out.line(f"{name} = np.{kind}((*batch, {size}), dtype)")
                if start:
                    out.line(f"{name}[...] = {start}")
                del printer.buffers[name]
        for name, size in printer.buffers.items():
            out.line(f"{name} = np.empty((*batch, {self.print.size(size)}), dtype)")
        for name, matrix in printer.matrices.items():
            out.line(f"{name} = {matrix}")
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
        out.line()

    def edge(self, v: Node, forward: bool) -> str:
        """The rows of the step next to 1 … T: before the first, or after the last."""
        before, after = self.schedule.padding[v]
        if forward:
            rows = f"{_times(before - 1)}:{_times(before)}"
        else:
            rows = f"{_times(-after)}:{_times(1 - after)}"
        return f"{self.print.everything(v)}[{rows}]"

    # ---- results -----------------------------------------------------------------------------

    def write_results(self) -> None:
        out = self.body
        out.line(f"loss = {self.total(self.program.loss)}")
        out.line("if not math.isfinite(loss):  # because of what was given, or of an overflow")
        with out.indented():
            out.line("_check_finite(arrays)")
        gradients = [(a, self.gradient(a)) for a in self.arguments.of("parameter")]
        if self.sums:
            out.line("every = np.ones(T * B, dtype)  # one product with it sums over all rows")
        out.line("return float(loss), {")
        with out.indented():
            for a, gradient in gradients:
                out.line(f"{literal(a.key)}: {gradient},")
        out.line("}")

    def total(self, v: Node) -> str:
        """The sum of a scalar over all steps and the batch."""
        if v not in self.print.named:
            if v.op == "number":
                return f"{number(v.data[0])[0]} * T * B"
            if v.op == "add":
                constant, signs = v.data
                line = f"{number(constant)[0]} * T * B" if constant else ""
                for sign, a in zip(signs, v.args, strict=True):
                    mark = "-" if sign < 0 else "+"
                    term = self.total(a)
                    line = f"{line} {mark} {term}" if line else f"{'-' * (sign < 0)}{term}"
                    line = line.replace("- -", "+ ").replace("+ -", "- ").replace("--", "")
                return line
            if v.op == "mul" and len(v.args) == 1 and v.data[0] != 1:
                factor = v.data[0]
                inner = self.total(v.args[0])
                inner = f"({inner})" if v.args[0].op == "add" else inner
                if factor == -1:
                    return inner[1:] if inner.startswith("-") else f"-{inner}"
                return f"{number(factor)[0]} * {inner}"
            if v.op == "sum" and v.args[0].op == "mul" and v.args[0] not in self.print.named:
                product = v.args[0]
                if all(a.timed and a.full and a.size == product.size for a in product.args):
                    return self.dot(product)
        if not v.timed:
            return f"({self.print(v)}).sum() * T * B"
        return f"{self.print(v, ATOM)}.sum()"

    def dot(self, product: Node) -> str:
        """Σ u ⊙ v over all entries."""
        factor, (first, *rest) = product.data[0], product.args
        others = " * ".join(self.print(a, PRODUCT) for a in rest) or "1"
        line = f"np.vdot({self.print(first)}, {others})" if rest else f"{self.print(first)}.sum()"
        if factor in (1, -1):
            return line if factor == 1 else f"-{line}"
        return f"{number(factor)[0]} * {line}"

    def gradient(self, a: Argument) -> str:
        terms = self.program.gradients[a.key]
        if not terms:
            return f"np.zeros_like({a.variable})"
        line = " + ".join(self.term(s) for s in terms).replace("+ -", "- ")
        if len(a.shape) == 2 and a.shape[0] == 1 and all(s.v is None for s in terms):
            line = f"{_primary(line)}[np.newaxis]"
        if a.shape == (Integer(1),):
            line = f"{_primary(line)}.reshape(np.shape(params[{literal(a.key)}]))"
        return line

    def term(self, s: Term) -> str:
        factor = "" if s.number == 1 else "-" if s.number == -1 else f"{number(s.number)[0]} * "
        u = _primary(self.print.every_row(s.u))
        if s.v is None:
            self.sums = True
            return f"{factor}every.dot({self.print.every_row(s.u)})"
        return f"{factor}{u}.T @ {_primary(self.print.every_row(s.v))}"


STEPS = '''
def _steps(batch, *arrays, backward=False):
    """The rows of several arrays step by step, each of shape (n,) or (B, n)."""
    if batch:
        arrays = [array.reshape(-1, *batch, array.shape[-1]) for array in arrays]
    if backward:
        arrays = [array[::-1] for array in arrays]
    return zip(*arrays, strict=True)
'''


def _times(n: int) -> str:
    """n * B, as the bound of a slice."""
    return "" if not n else f"{'-' * (n < 0)}B" if abs(n) == 1 else f"{n} * B"


def _primary(line: str) -> str:
    """In brackets unless it is a name, a subscript or a call."""
    depth = 0
    for c in line:
        depth += (c in "([{") - (c in ")]}")
        if depth == 0 and c in " -":
            return f"({line})"
    return line
