"""Networks of cells: layers, two directions, connections between layers, shortcuts in time.

Between `rnnsym.cells` and `rnnsym.models` in the flow: the text of a cell's equations in, the text
of a whole stack's equations out, by transforming Python's syntax tree of the text. Nothing is known
about a cell but that ``x[t]`` is its input and ``a[t]`` its output.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass

from rnnsym.errors import InputError

INPUT, OUTPUT, MASK, NEW = "x", "a", "m", "_new"
MAX_LAYERS = 64

#: the marks of the layers in a stack of which the middle one stands for any
OPEN = ("below", "this", "above")
MIN_SHORTCUT, MAX_SHORTCUT = 2, 100

#: letters for the output of a layer with a residual connection; the first that is free is taken
RESIDUAL = "hrvqpgd"


@dataclass(frozen=True)
class Plan:
    """How the copies of a cell are connected.

    layers: copies above each other, each with the output of the one below as its input;
    bidirectional: each layer is two copies, of which the second runs backwards in time, and their
    concatenation (Schuster & Paliwal 1997); residual: from the second layer on, the output of the
    layer below is added to a layer's own (He et al. 2016; for recurrent networks Wu et al. 2016,
    arXiv 1609.08144); dense: a layer's input is the outputs of all lower layers, the nearest
    first, and the network's input (Huang et al. 2017; for recurrent networks Godin et al. 2017,
    arXiv 1707.06130); shortcut: every product with a⟨t-1⟩ gets a companion with a⟨t-shortcut⟩
    and a weight of its own; truncate: no derivative flows along a state from one chunk of so many
    steps to the next; masked: where the input m⟨t⟩ is 0, a state stays what it was; open:
    of three layers the middle one stands for any layer l, between l-1 and l+1.

    Raises InputError for numbers out of bounds, and for residual or dense with one layer.
    """

    layers: int = 1
    bidirectional: bool = False
    residual: bool = False
    dense: bool = False
    shortcut: int | None = None
    truncate: int | None = None
    masked: bool = False
    open: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.layers <= MAX_LAYERS:
            raise InputError(f"layers={self.layers}: from 1 to {MAX_LAYERS} are possible")
        if self.shortcut == 1:
            raise InputError("shortcut=1 is the recurrence itself: choose 2 or more")
        if self.shortcut is not None and not MIN_SHORTCUT <= self.shortcut <= MAX_SHORTCUT:
            raise InputError(
                f"shortcut={self.shortcut}: from {MIN_SHORTCUT} to {MAX_SHORTCUT} are possible"
            )
        for name in ("residual", "dense"):
            if getattr(self, name) and self.layers == 1:
                raise InputError(
                    f"{name} connects a layer with those below it, and layers=1 has none: "
                    f"choose layers=2 or more"
                )

    @property
    def directions(self) -> tuple[str, ...]:
        """The marks of the copies in a layer: one without a mark, or "fwd" and "bwd"."""
        return ("fwd", "bwd") if self.bidirectional else ("",)

    def suffix(self, layer: int, direction: str = "") -> str:
        """What the names of a copy end in: "_fwd_l2"; nothing where there is one copy only."""
        mark = OPEN[layer - 1] if self.open else str(layer)
        return (f"_{direction}" if direction else "") + (f"_l{mark}" if self.layers > 1 else "")


#: a cell by itself
ALONE = Plan()


@dataclass(frozen=True)
class Stack:
    """Copies of a cell that are connected: the text of their equations, one each.

    output: the top output as an expression at time t, ``a_l2[t]`` or ``[a_fwd[t], a_bwd[t]]``;
    tops: the vectors that this is made of; states: the vectors carried through time, layer by
    layer, forwards before backwards; names: the cell's own names, without suffixes; carried: those
    of its states; residual: the letter of the residual outputs, if there are any; plan: how the
    copies are connected; suffix: what their names have besides.
    """

    equations: tuple[str, ...]
    output: str
    tops: tuple[str, ...]
    states: tuple[str, ...]
    names: frozenset[str]
    carried: tuple[str, ...]
    plan: Plan
    suffix: str = ""
    residual: str | None = None

    def at_the_end(self, last: str) -> str:
        """The top output after the whole sequence: of a copy that runs backwards, that at 1."""
        return _ends(self.tops, self.plan, last)

    def final(self, name: str, layer: int, last: str) -> str:
        """The last value of a state of the cell in a layer, both directions concatenated."""
        marks = (self.suffix + self.plan.suffix(layer, d) for d in self.plan.directions)
        return _ends([name + mark for mark in marks], self.plan, last)


def _ends(names: Iterable[str], plan: Plan, last: str) -> str:
    times = {"fwd": last, "bwd": "1", "": last}
    parts = [f"{n}[{times[d]}]" for n, d in zip(names, plan.directions, strict=True)]
    return parts[0] if len(parts) == 1 else f"[{', '.join(parts)}]"


def stack(cell: str, plan: Plan = ALONE, source: str = "x[t]", suffix: str = "") -> Stack:
    """The equations of copies of a cell, connected as planned.

    Every name of the cell but functions, numbers and ``x`` gets the suffix of its copy: W_aa of
    the backward cell in layer 2 is ``W_aa_bwd_l2``. `source` is the expression that the lowest
    layer has for ``x[t]``; `suffix` goes before all other suffixes, so that two stacks in one
    network have different names. A cell by itself keeps its names.

    Raises InputError for a shortcut in a cell without a product of a weight and a⟨t-1⟩.
    """
    equations = ast.parse(textwrap.dedent(cell).strip()).body
    carried = _carried(equations)
    if plan.shortcut is not None:
        equations = _with_shortcut(equations, plan.shortcut)
    if plan.masked:
        equations = _with_mask(equations, carried)
    names = _names(equations)
    letter = free_letter(names) if plan.residual else None
    lowest = _parts(ast.parse(source, mode="eval").body)
    written: list[str] = []
    states: list[str] = []
    outputs: list[list[ast.expr]] = []  # of each layer, the lowest first
    for layer in range(1, plan.layers + 1):
        below = outputs[-1] if outputs else lowest
        if plan.dense:
            below = [part for output in reversed(outputs) for part in output] + lowest
        top: list[ast.expr] = []
        for direction in plan.directions:
            mark = suffix + plan.suffix(layer, direction)
            copy = _Copy(mark, _joined(below), direction == "bwd", plan.truncate, carried)
            written += [_text(copy.visit(deepcopy(equation))) for equation in equations]
            states += [name + mark for name in carried]
            output = _vector(OUTPUT + mark)
            if letter and outputs:
                whole = ast.BinOp(output, ast.Add(), outputs[-1][len(top)])
                output = _vector(letter + mark)
                written.append(_text(ast.Assign([output], whole)))
            top.append(output)
        outputs.append(top)
    tops = tuple(_name(part) for part in outputs[-1] if isinstance(part, ast.Subscript))
    output_text = _text(_joined(outputs[-1]))
    return Stack(
        tuple(written),
        output_text,
        tops,
        tuple(states),
        names,
        tuple(carried),
        plan,
        suffix,
        letter,
    )


def free_letter(names: Iterable[str]) -> str:
    """A letter for residual outputs that none of the names begins with.

    Raises InputError if they begin with all of them.
    """
    taken = {re.split("[_^]", name)[0] for name in names}
    for letter in RESIDUAL:
        if letter not in taken:
            return letter
    raise InputError(f"residual: the cell uses all of the letters {', '.join(RESIDUAL)}")


# ---- transformations of the syntax tree --------------------------------------------------


class _Copy(ast.NodeTransformer):
    """One copy of a cell: its names marked, its times mirrored, its input put in, its states
    detached where a chunk of `truncate` steps begins."""

    def __init__(
        self,
        mark: str,
        source: ast.expr,
        mirrored: bool,
        truncate: int | None = None,
        carried: Iterable[str] = (),
    ) -> None:
        self.mark, self.source, self.sign = mark, source, -1 if mirrored else 1
        self.truncate, self.carried = truncate, frozenset(carried)

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        lag = _lag(node)
        if _name(node) == INPUT:
            return _later(self.source, -self.sign * lag) if lag else deepcopy(self.source)
        if _name(node) == MASK:
            return node
        vector = _vector(_name(node) + self.mark, self.sign * lag)
        if self.truncate is None or not lag or _name(node) not in self.carried:
            return vector
        return detached(vector, self.truncate)

    def visit_Call(self, node: ast.Call) -> ast.Call:
        node.args = [self.visit(argument) for argument in node.args]  # not the function's name
        return node

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(node.id + self.mark)


class _Shifted(ast.NodeTransformer):
    """An expression some steps later."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        return _vector(_name(node), _lag(node) - self.steps)


def _later(e: ast.expr, steps: int) -> ast.expr:
    shifted: ast.expr = _Shifted(steps).visit(deepcopy(e))
    return shifted


class _Shortcut(ast.NodeTransformer):
    """A companion, with a⟨t-lag⟩, to every product of a weight with what holds a⟨t-1⟩."""

    def __init__(self, lag: int) -> None:
        self.lag, self.found = lag, False

    def visit_BinOp(self, node: ast.BinOp) -> ast.BinOp:
        node.left, node.right = self.visit(node.left), self.visit(node.right)
        if not isinstance(node.op, ast.MatMult) or not _holds_last_output(node.right):
            return node
        self.found = True
        weight = _Weights(f"_lag{self.lag}").visit(deepcopy(node.left))
        companion = ast.BinOp(weight, ast.MatMult(), _Further(self.lag).visit(deepcopy(node.right)))
        return ast.BinOp(node, ast.Add(), companion)


class _Weights(_Copy):
    """The weights of a factor under other names; its vectors stay."""

    def __init__(self, mark: str) -> None:
        super().__init__(mark, _vector(INPUT), mirrored=False)

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        return node


class _Further(ast.NodeTransformer):
    """a⟨t-lag⟩ for a⟨t-1⟩."""

    def __init__(self, lag: int) -> None:
        self.lag = lag

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        return _vector(OUTPUT, self.lag) if _is_last_output(node) else node


def detached(vector: ast.expr, steps: int) -> ast.Call:
    """detach(vector, steps)"""
    return ast.Call(ast.Name("detach"), [vector, ast.Constant(steps)], [])


def _with_mask(equations: list[ast.stmt], carried: list[str]) -> list[ast.stmt]:
    """Each state as m ⊙ (what the cell makes of it) + (1 - m) ⊙ (what it was)."""
    result: list[ast.stmt] = []
    for equation in deepcopy(equations):
        result.append(equation)
        if not (
            isinstance(equation, ast.Assign) and isinstance(equation.targets[0], ast.Subscript)
        ):
            continue
        name = _name(equation.targets[0])
        if name in carried:
            equation.targets = [_vector(name + NEW)]
            text = f"{name}[t] = {MASK}[t] * {name}{NEW}[t] + (1 - {MASK}[t]) * {name}[t-1]"
            result += ast.parse(text).body
    return result


def _with_shortcut(equations: list[ast.stmt], lag: int) -> list[ast.stmt]:
    shortcut = _Shortcut(lag)
    result = [shortcut.visit(deepcopy(equation)) for equation in equations]
    if not shortcut.found:
        raise InputError(
            f"shortcut={lag}: the cell has no product of a weight and {OUTPUT}[t-1] beside which "
            f"one with {OUTPUT}[t-{lag}] could stand"
        )
    return result


def _is_last_output(node: ast.AST) -> bool:
    return isinstance(node, ast.Subscript) and (_name(node), _lag(node)) == (OUTPUT, 1)


def _holds_last_output(e: ast.AST) -> bool:
    """Whether a⟨t-1⟩ is in an expression, and not only in a product inside of it."""
    if isinstance(e, ast.BinOp) and isinstance(e.op, ast.MatMult):
        return False
    return _is_last_output(e) or any(map(_holds_last_output, ast.iter_child_nodes(e)))


# ---- reading and writing the tree --------------------------------------------------------


def _name(node: ast.Subscript) -> str:
    return ast.unparse(node.value)


def _lag(node: ast.Subscript) -> int:
    """d of ``name[t-d]``. Raises InputError for any other index."""
    match node.slice:
        case ast.Name("t"):
            return 0
        case ast.BinOp(ast.Name("t"), ast.Sub(), ast.Constant(int(steps))):
            return steps
        case ast.BinOp(ast.Name("t"), ast.Add(), ast.Constant(int(steps))):
            return -steps
    raise InputError(f"{ast.unparse(node)} in a cell: its times must be t, t-1, t-2, … or t+1")


def _vector(name: str, lag: int = 0) -> ast.Subscript:
    time: ast.expr = ast.Name("t")
    if lag:
        time = ast.BinOp(time, ast.Sub() if lag > 0 else ast.Add(), ast.Constant(abs(lag)))
    return ast.Subscript(ast.Name(name), time)


def _parts(e: ast.expr) -> list[ast.expr]:
    return e.elts if isinstance(e, ast.List) else [e]


def _joined(parts: list[ast.expr]) -> ast.expr:
    return parts[0] if len(parts) == 1 else ast.List(parts)


def _text(node: ast.AST) -> str:
    """The text of a tree, with times written as we write them: a[t-1], not a[t - 1]."""
    return re.sub(r"\[t ([+-]) (\d+)\]", r"[t\1\2]", ast.unparse(ast.fix_missing_locations(node)))


def _subscripts(equations: list[ast.stmt]) -> list[ast.Subscript]:
    return [n for e in equations for n in ast.walk(e) if isinstance(n, ast.Subscript)]


def _carried(equations: list[ast.stmt]) -> list[str]:
    """The vectors that a cell uses at another time than their own, in the order of definition."""
    used = {_name(node) for node in _subscripts(equations) if _lag(node)}
    defined = (_name(t) for e in equations if isinstance(e, ast.Assign) for t in e.targets
               if isinstance(t, ast.Subscript))  # fmt: skip
    return [name for name in defined if name in used]


def _names(equations: list[ast.stmt]) -> frozenset[str]:
    return frozenset(n.id for e in equations for n in ast.walk(e) if isinstance(n, ast.Name))
