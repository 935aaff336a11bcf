"""Recurrent networks beside the others that read sequences: counts, read off equations and graphs.

Beside the flow, at its end: builds networks by name (`rnnsym.models`), unrolls them
(`rnnsym.graph`), and counts parameters, the inputs that one equation reads, the edges that the
gradient of the last prediction passes on its way to the first input, and the weights that two
steps share. Nothing is known about a network but that; a formula in T is found from the counts at
several T and must hold at all of them.

>>> print(compare(["elman:type=many-to-one"], steps=[10])[0].path)
T + 1
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from sympy import Expr, Integer, MatrixSymbol, S, expand, floor

from rnnsym.documents.content import Named, Prose, Table
from rnnsym.errors import InputError
from rnnsym.graph import unroll
from rnnsym.graph.unrolled import Graph, Node
from rnnsym.models import MODELS, build, parse
from rnnsym.network import Network
from rnnsym.nodes import T

#: values of an option that differ with T: T itself, and the least number with which the first
#: input reaches the last prediction
LENGTH, ENOUGH = "T", "enough"
#: the networks of the post's question, why not a perceptron
NEIGHBOURS = (
    "elman:type=many-to-one",
    "mlp:steps=T",
    "conv:kernel=3,layers=enough",
    "attention:steps=T",
)
#: the T at which is counted: a formula is found from the first of them and must hold at all
SAMPLES = tuple(range(8, 21))
SIZES = {"n_x": 100, "n_a": 64, "n_y": 10}
MOST_LAYERS = 64


@dataclass(frozen=True)
class Count:
    """What was counted at one T: parameters at the given sizes, and edges of the shortest path."""

    steps: int
    parameters: int
    path: int


@dataclass(frozen=True)
class Comparison:
    """A network, or a family with a network for each T, in numbers.

    model: as asked for; title; parameters: how many, in T and the sizes, where every inner vector
    has n_a entries; inputs: the most entries of the input that one equation reads; path: the edges
    from the first input to the last prediction in the unrolled graph, pre-activations merged;
    shared: weights that meet the input at more than one step, by name; alone: how many meet it at
    one step only; counts: at the T asked for; verified: every T at which the formulas were
    compared with what was counted.
    """

    model: str
    title: str
    parameters: Expr
    inputs: Expr
    path: Expr
    shared: tuple[str, ...]
    alone: Expr
    counts: tuple[Count, ...]
    verified: tuple[int, ...]
    names: Mapping[str, str] | None = None

    @property
    def any_length(self) -> bool:
        """Whether one network serves for every T."""
        return T not in self.parameters.free_symbols

    def json(self) -> dict[str, Any]:
        """The same in what JSON has: formulas as text."""
        formulas = ("parameters", "inputs", "path", "alone")
        return {
            "model": self.model,
            "title": self.title,
            **{name: str(getattr(self, name)) for name in formulas},
            "shared": list(self.shared),
            "any_length": self.any_length,
            "counts": [vars(c) for c in self.counts],
            "verified": list(self.verified),
        }


def compare(
    specs: Sequence[str] = NEIGHBOURS,
    steps: Sequence[int] = (10, 50),
    sizes: Mapping[str, int] | None = None,
) -> list[Comparison]:
    """Each network in numbers: formulas in T and the sizes, and counts at each T in `steps`.

    specs: models by name and options, where the value of an option may be T, or `enough` for the
    least number with which the first input reaches the prediction of step T; sizes: n_x, n_a, n_y.
    Raises InputError for a model or T that does not exist, or counts that follow no formula.
    """
    chosen = {**SIZES, **(sizes or {})}
    if set(chosen) != set(SIZES) or any(
        isinstance(n, bool) or not isinstance(n, int) or n < 1 for n in chosen.values()
    ):
        raise InputError(f"sizes: {', '.join(SIZES)} can be given, as whole numbers above zero")
    if any(isinstance(n, bool) or not isinstance(n, int) or n < 1 for n in steps):
        raise InputError("steps: whole numbers above zero were expected")
    return [_compared(spec, steps, chosen) for spec in specs]


def _compared(spec: str, steps: Sequence[int], sizes: Mapping[str, int]) -> Comparison:
    name, options = parse(spec)
    every = sorted({*SAMPLES, *steps})
    measured = {n: _measured(name, options, n) for n in every}
    first = measured[every[0]]

    def formula(of: Callable[[_Measured], Any], what: str) -> Expr:
        return fitted({n: of(m) for n, m in measured.items()}, f"{what} of {spec}")

    least = formula(lambda m: Integer(m.least), "the least number")
    by_least = {m.least: m.parameters for m in measured.values()}
    grows = T in least.free_symbols  # then what is counted is a polynomial in that number
    parameters = (
        expand(fitted(by_least, f"parameters of {spec}").xreplace({T: least}))
        if grows
        else formula(lambda m: m.parameters, "parameters")
    )
    at = {s: Integer(sizes[s.name]) for s in parameters.free_symbols - {T}}
    counts = [Count(n, int(measured[n].parameters.xreplace(at)), measured[n].path) for n in steps]
    return Comparison(
        spec,
        MODELS[name].title,
        parameters,
        formula(lambda m: m.inputs, "inputs"),
        formula(lambda m: Integer(m.path), "path"),
        first.shared,
        formula(lambda m: Integer(m.alone), "weights"),
        tuple(counts),
        tuple(every),
        first.names,
    )


# ---- counting ----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Measured:
    """What is counted in one network, at one T."""

    least: int
    parameters: Expr
    inputs: Expr
    path: int
    shared: tuple[str, ...]
    alone: int
    names: Mapping[str, str] | None


def _measured(name: str, options: Mapping[str, str], steps: int) -> _Measured:
    """What is counted at T = steps, with the least number where that is asked for."""
    for least in range(1, MOST_LAYERS + 1):
        at = {LENGTH: str(steps), ENOUGH: str(least)}
        net = build(name, {key: at.get(value, value) for key, value in options.items()})
        graph = unroll(net, steps).reduced()
        path = shortest(graph)
        if path is not None:
            met = _met(graph)
            shared = tuple(w for w, times in met.items() if len(times) > 1)
            alone, names = len(met) - len(shared), net.notations.get("post")
            return _Measured(least, parameters(net), _inputs(graph), path, shared, alone, names)
        if ENOUGH not in options.values():
            break
    raise InputError(
        f"{net.name}: no path leads from the first input to the prediction of step {steps}"
    )


def parameters(net: Network) -> Expr:
    """The number of parameters: the sum of the products of their shapes, in n_x, n_a and n_y.

    Every size that is not that of an input or a target is called n_a.
    """
    outer = {s for n in (*net.inputs, *net.targets) for s in net.vectors[n].rows.free_symbols}
    inner = {s: s.func("n_a", **s.assumptions0) for s in net.sizes.values() if s not in outer}
    return expand(sum((w.rows * w.cols for w in net.parameters.values()), S.Zero).xreplace(inner))


def shortest(graph: Graph) -> int | None:
    """The number of edges on a shortest path from the first input to the last prediction."""
    net = graph.net
    start = Node(next(iter(net.inputs)), 1)
    end = Node(net.output, graph.spans[net.output][-1])
    far, agenda = {start: 0}, deque([start])
    while agenda:
        node = agenda.popleft()
        if node == end:
            return far[node]
        for user in graph.outgoing[node]:
            if user not in far:
                far[user] = far[node] + 1
                agenda.append(user)
    return None


def _inputs(graph: Graph) -> Expr:
    """The most entries of the input that one equation reads."""
    most = max(
        sum(node.name in graph.net.inputs for node in used) for used in graph.incoming.values()
    )
    return most * graph.net.vectors[next(iter(graph.net.inputs))].rows


def _met(graph: Graph) -> dict[str, set[int | None]]:
    """For each weight that multiplies an input: the steps at which it does."""
    found: dict[str, set[int | None]] = {}
    for edge in graph.edges:
        if edge.source.name in graph.net.inputs:
            for weight in edge.weights:
                found.setdefault(weight, set()).add(edge.source.time)
    return found


# ---- formulas ----------------------------------------------------------------------------


def fitted(values: Mapping[int, Any], what: str = "the values") -> Expr:
    """The formula in T that has these values: a polynomial of degree 2 at most, or one with a
    remainder, c + d T + m ⌊(T - b) / q⌋ with d = 0 or 1.

    Found from the first values, compared with all. Raises InputError if there is none.
    """
    points = sorted(values)
    for candidate in _candidates(values, points[0], len(points) // 2):
        if all(expand(candidate.xreplace({T: Integer(n)}) - v) == 0 for n, v in values.items()):
            return candidate
    raise InputError(f"{what}: no formula in T has these values, {dict(values)}")


def _candidates(values: Mapping[int, Any], first: int, longest: int) -> Iterator[Expr]:
    """The polynomial, then formulas with a remainder, the shortest periods first."""
    yield _polynomial({n: values[n] for n in sorted(values)[:3]})
    for q in range(2, longest + 1):
        if first + q not in values:
            continue
        rise = values[first + q] - values[first]
        for d, b in product((0, 1), range(q)):
            form = d * T + (rise - d * q) * floor((T - b) / q)
            yield form + values[first] - form.xreplace({T: Integer(first)})


def _polynomial(values: Mapping[int, Any]) -> Expr:
    """The polynomial in T through the points (Lagrange)."""
    total: Expr = S.Zero
    for n, value in values.items():
        term = value
        for m in values:
            if m != n:
                term *= (T - m) * S.One / (n - m)
        total += term
    return expand(total)


# ---- tables ------------------------------------------------------------------------------


def table(comparisons: Sequence[Comparison], kind: str = "parameters") -> Table:
    """What was counted as a table: of kind "parameters" or "paths"."""
    if kind not in TABLES:
        raise InputError(f"unknown table {kind!r}: choose from {', '.join(TABLES)}")
    return TABLES[kind](comparisons)


def _parameters(comparisons: Sequence[Comparison]) -> Table:
    lengths = [c.steps for c in comparisons[0].counts]
    header: list[Prose] = [("network",), ("parameters",), *((f"T = {n}",) for n in lengths)]
    rows: list[list[Prose]] = [
        [
            (c.title,),
            (c.parameters,),
            *((f"{at.parameters:,}".replace(",", " "),) for at in c.counts),
        ]
        for c in comparisons
    ]
    return Table(header, rows, "ll" + "r" * len(lengths))


def _paths(comparisons: Sequence[Comparison]) -> Table:
    lengths = [c.steps for c in comparisons[0].counts]
    header: list[Prose] = [
        ("network",), ("input read at once",), ("weights shared by steps",), ("edges",),
        *((f"T = {n}",) for n in lengths),
    ]  # fmt: skip
    rows: list[list[Prose]] = [
        [(c.title,), (c.inputs,), _shared(c), (c.path,), *((str(at.path),) for at in c.counts)]
        for c in comparisons
    ]
    return Table(header, rows, "llll" + "r" * len(lengths))


def _shared(c: Comparison) -> Prose:
    if not c.shared:
        return ("none of ", c.alone)
    text: list[Any] = []
    for name in c.shared:
        text += [", " if text else "", Named(MatrixSymbol(name, 2, 2), c.names)]
    return tuple(text)


TABLES: dict[str, Callable[[Sequence[Comparison]], Table]] = {
    "parameters": _parameters,
    "paths": _paths,
}
