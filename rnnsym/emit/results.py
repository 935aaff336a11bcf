"""What a module returns: the loss as one number, and every gradient as a sum over all steps.

The gradients by matrices whose left factors lie in one pack, with the same right factor, are
parts of one product.
"""

from __future__ import annotations

from collections.abc import Collection

from sympy import Expr, Integer

from rnnsym.emit.arguments import Argument
from rnnsym.emit.expressions import ATOM, PRODUCT, Expressions, number
from rnnsym.emit.graph import TRANSPARENT, Node
from rnnsym.emit.matrices import span_of
from rnnsym.emit.names import joint
from rnnsym.emit.program import Program, Term
from rnnsym.emit.steps import axis_of
from rnnsym.emit.writer import Writer, literal

#: the pack that u is in, and v, of u vᵀ
Key = tuple[Node, Node | None]

#: a place in a pack that is a factor of a gradient
Part = tuple[Argument, Node]


class Results:
    """Prints them after everything else has been computed."""

    def __init__(
        self, program: Program, print_: Expressions, parameters: list[Argument], out: Writer
    ) -> None:
        self.program, self.print, self.parameters, self.out = program, print_, parameters, out
        self.shared: dict[Key, tuple[str, Expr]] = {}
        self.ones: dict[Expr, str] = {}
        self.found: dict[Key, list[Part]] = {}
        self.axis = axis_of(program.net, program.net.loss.name)
        for a in parameters:
            for s in program.gradients[a.key]:
                if (view := s.u.view) is not None:
                    self.found.setdefault((view.args[0], s.v), []).append((a, view))

    def write(self) -> None:
        """The loss, the gradients, and the statement that returns them."""
        out = self.out
        out.line(f"loss = {self.total(self.program.loss)}")
        out.line("if not math.isfinite(loss):  # because of what was given, or of an overflow")
        with out.indented():
            out.line("_check_finite(arrays)")
        for summands in self.program.gradients.values():
            for s in summands:
                if s.v is None:
                    self.make_ones(s.axis)
        self.share([base for base, _ in self.found])
        gradients = [(a, self.gradient(a)) for a in self.parameters]
        out.line("return float(loss), {")
        with out.indented():
            for a, gradient in gradients:
                out.line(f"{literal(a.key)}: {gradient},")
        out.line("}")

    # ---- the loss ------------------------------------------------------------------------------

    def total(self, v: Node) -> str:
        """The sum of a scalar over all steps and the batch."""
        if v not in self.print.named:
            if v.op == "number":
                return f"{number(v.data[0])[0]} * {self.print.length(self.axis)}"
            if v.op == "add":
                constant, signs = v.data
                line = f"{number(constant)[0]} * {self.print.length(self.axis)}" if constant else ""
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
                if all(
                    a.axis == self.axis and a.full and a.size == product.size for a in product.args
                ):
                    return self.dot(product)
        if v.axis != self.axis:
            return f"({self.print(v)}).sum() * {self.print.length(self.axis)}"
        return f"{self.print(v, ATOM)}.sum()"

    def dot(self, product: Node) -> str:
        """Σ u ⊙ v over all entries."""
        factor, (first, *rest) = product.data[0], product.args
        others = " * ".join(self.print(a, PRODUCT) for a in rest) or "1"
        line = f"np.vdot({self.print(first)}, {others})" if rest else f"{self.print(first)}.sum()"
        if factor in (1, -1):
            return line if factor == 1 else f"-{line}"
        return f"{number(factor)[0]} * {line}"

    # ---- the gradients -------------------------------------------------------------------------

    def make_ones(self, axis: Expr) -> None:
        """The vector that a product with sums over all rows."""
        if axis not in self.ones:
            note = "" if self.ones else "  # one product with it sums over all rows"
            self.ones[axis] = self.print.names.fresh("every") if self.ones else "every"
            length = self.print.length(axis)
            self.out.line(f"{self.ones[axis]} = np.ones({length}, dtype){note}")

    def share(self, packs: Collection[Node]) -> None:
        """The products that several gradients are parts of, as far as they are known by now."""
        for (base, v), parts in self.found.items():
            spans = {view.data for _, view in parts}
            if base not in packs or (base, v) in self.shared or len(spans) < 2 or not self.known(v):
                continue
            axis = base.axis
            assert axis is not None
            if v is None:
                self.make_ones(axis)
            start, stop = span_of(spans)
            u = self.print.rows(base)
            if (start, stop) != (0, base.size):
                u = f"{u}[:, {self.print.span(start, stop)}]"
            name = self.print.names.fresh(f"d_{joint([a.variable for a, _ in parts])}")
            self.out.line(f"{name} = {self.product(u, v, axis)}")
            self.shared[base, v] = name, start

    def known(self, v: Node | None) -> bool:
        """Whether a right factor has been computed."""
        return v is None or (v.args[0] if v.op in TRANSPARENT else v) in self.print.named

    def gradient(self, a: Argument) -> str:
        """The gradient by one parameter."""
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
        view = s.u.view
        if view is not None and (view.args[0], s.v) in self.shared:
            name, first = self.shared[view.args[0], s.v]
            start, stop = (place - first for place in view.data)
            return f"{factor}{name}[{self.print.span(start, stop)}]"
        return factor + self.product(self.print.every_row(s.u, s.axis), s.v, s.axis)

    def product(self, u: str, v: Node | None, axis: Expr) -> str:
        """Σ_t u⟨t⟩ v⟨t⟩ᵀ, or Σ_t u⟨t⟩."""
        if v is None:
            return f"{self.ones[axis]}.dot({u})"
        return f"{_primary(u)}.T @ {_primary(self.print.every_row(v, axis))}"


def _primary(line: str) -> str:
    """In brackets unless it is a name, a subscript or a call."""
    depth = 0
    for c in line:
        depth += (c in "([{") - (c in ")]}")
        if depth == 0 and c in " -":
            return f"({line})"
    return line
