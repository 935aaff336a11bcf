"""The computation graph of a network over a concrete number of time steps.

A network's equations, written out for each of their steps: an edge u → w says that the equation
of w uses u. The derivative of w by u through everything is the sum over the paths from u to w of
the products of local Jacobians along them. Building the graph and counting paths is linear in T.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from itertools import pairwise
from numbers import Integral
from typing import Any, NamedTuple, TypeAlias

from sympy import Basic, Identity, Integer, MatMul, MatrixExpr, MatrixSymbol, ZeroMatrix
from sympy.matrices.expressions import HadamardProduct

from rnnsym.algebra import add, mul
from rnnsym.derive.local import Local
from rnnsym.errors import InputError
from rnnsym.network import Network
from rnnsym.nodes import (
    T,
    TimeSum,
    TimeVector,
    count,
    leaves,
    parameters,
    t,
    time_vectors,
)
from rnnsym.rules import jacobian
from rnnsym.sizes import choose_lengths

MAX_STEPS = 100_000
#: how many paths are listed or added up, unless the caller says otherwise
MAX_PATHS = 10_000


class Node(NamedTuple):
    """A name and a time; parameters and the total loss have no time.

    >>> str(Node("a", 2)), str(Node("W_aa"))
    ('a⟨2⟩', 'W_aa')
    """

    name: str
    time: int | None = None

    def __str__(self) -> str:
        return self.name if self.time is None else f"{self.name}⟨{self.time}⟩"


@dataclass(frozen=True)
class Edge:
    """source → target: the equation of target uses source, `lag` steps earlier.

    weights: the parameters that multiply the source there, as in a picture's edge label.
    The lag is None where one end has no time.
    """

    source: Node
    target: Node
    lag: int | None
    weights: tuple[str, ...] = ()


class Use(NamedTuple):
    """What an equation uses, before it is written out for each time step."""

    leaf: MatrixExpr
    lag: int | None
    weights: tuple[str, ...]


#: what may stand for a node: itself, (name, time), a name, or an expression
NodeLike: TypeAlias = Node | tuple[str, int | None] | str | TimeVector | MatrixSymbol


class Graph:
    """The unrolled graph; made by `unroll`.

    nodes: each node and its kind ("parameter", "initial", "input", "target", "state", "node",
    "loss" or "total"), in order of time. Values before the initial state are zero and are no nodes.
    uses: what each equation uses, the hidden nodes replaced by what they use.
    """

    def __init__(
        self, net: Network, lengths: Mapping[Any, Any], hidden: frozenset[str] = frozenset()
    ) -> None:
        self.net, self.lengths, self.hidden = net, dict(lengths), hidden
        self.steps = int(lengths[T])
        self.spans = {
            name: range(self._number(span.first), self._number(span.last) + 1)
            for name, span in net.spans.items()
        }
        self.names = [name for name in net.equations if name not in hidden]
        self.total_node = Node(net.total_loss.name)
        self._local = Local(net)
        self._template = cache(self._derive)
        self._counts = lru_cache(maxsize=4)(self._count_to)
        self.uses = _uses(net, hidden)
        self.nodes = self._nodes()

    def _nodes(self) -> dict[Node, str]:
        net = self.net
        table = {Node(name): "parameter" for name in net.parameters}
        starts = {name: self._number(net.start(name)) for name in net.states}
        initial = [n for n in net.states if n in net.initial or n in net.initial_states]
        table |= {Node(name, 0): "initial" for name in initial if starts[name] == 0}
        kinds = dict.fromkeys(net.inputs, "input") | dict.fromkeys(net.targets, "target")
        for name in self.names:
            kinds[name] = "state" if name in net.states else "node"
        kinds[net.loss.name] = "loss"
        table |= {
            Node(name, k): kind
            for k in range(self.steps + 1)
            for name, kind in kinds.items()
            if k in self.spans[name]
        }
        table |= {Node(name, starts[name]): "initial" for name in initial if starts[name]}
        return table | {self.total_node: "total"}

    def _number(self, e: Any) -> int:
        return int(e.xreplace(self.lengths))

    def __repr__(self) -> str:
        return f"<Graph of {self.net.name}, {self.extent}: {len(self.nodes)} nodes>"

    @property
    def extent(self) -> str:
        """The lengths of the sequences, in words."""
        named = {n: self.lengths[s] for n, s in self.net.lengths.items()} or {"T": self.steps}
        return ", ".join(f"{name} = {value}" for name, value in named.items())

    # ---- nodes and edges -----------------------------------------------------------------

    def node(self, which: NodeLike) -> Node:
        """The node that a name, a pair (name, time) or an expression stands for.

        Raises InputError if the graph has no such node.
        """
        if isinstance(which, TimeVector):
            found = Node(which.name, int(which.time) if which.time.is_Integer else -1)
        elif isinstance(which, MatrixSymbol):
            found = Node(which.name)
        elif isinstance(which, str):
            found = Node(which)
        else:
            found = Node(*which)
        if found not in self.nodes:
            hint = " (merged: it is hidden here)" if found.name in self.hidden else ""
            raise InputError(
                f"{found} is no node of this graph{hint}: it has parameters such as "
                f"{next(iter(self.net.parameters), '-')!r} and pairs (name, time) "
                f"with time 1 to {self.steps}"
            )
        return found

    def expr(self, node: NodeLike) -> MatrixExpr:
        """The expression that a node stands for: a⟨2⟩, W, L."""
        node = self.node(node)
        if node.time is not None:
            return self.net.vectors[node.name].at(Integer(node.time))
        return self.net.parameters.get(node.name, self.net.total_loss)

    @cached_property
    def incoming(self) -> dict[Node, dict[Node, Use]]:
        """For each computed node: what its equation uses."""
        table: dict[Node, dict[Node, Use]] = {}
        for k in range(self.steps + 1):
            for name in self.names:
                if k in self.spans[name]:
                    table[Node(name, k)] = self._used(self.uses[name], k)
        for name, e in self.net.initial.items():
            used = [Use(v, None, ()) for v in _written(e.rhs)]
            table[Node(name, self._number(e.time))] = self._used(used, 0)
        table[self.total_node] = {
            node: Use(self.expr(node), None, ()) for node in self._moments if node in self.nodes
        }
        return table

    def _used(self, uses: Iterable[Use], k: int) -> dict[Node, Use]:
        """The nodes that are used at step k, and how."""
        table: dict[Node, Use] = {}
        for use in uses:
            time = None
            if isinstance(use.leaf, TimeVector):
                time = self._number(use.leaf.time.xreplace({t: Integer(k)}))
            node = Node(use.leaf.name, time)
            if node in self.nodes:
                table[node] = use
        return table

    @cached_property
    def _objective(self) -> tuple[MatrixExpr, Any, range]:
        """The total loss as Σ body⟨index⟩ over a range of times."""
        objective = self.net.objective
        if not isinstance(objective, TimeSum):
            return objective.xreplace(self.lengths), t, range(1)
        first, last = (self._number(e) for e in objective.args[1][1:])
        return objective.body, objective.index, range(first, last + 1)

    @cached_property
    def _moments(self) -> dict[Node, list[int]]:
        """For each node that the total loss uses: the values of the index at which it does."""
        body, index, times = self._objective
        table: dict[Node, list[int]] = {}
        for v in time_vectors(body):
            for k in times:
                node = Node(v.name, int(v.time.xreplace({index: Integer(k)})))
                table.setdefault(node, []).append(k)
        return table

    @cached_property
    def outgoing(self) -> dict[Node, list[Node]]:
        """For each node: the nodes whose equations use it."""
        table: dict[Node, list[Node]] = {node: [] for node in self.nodes}
        for target, sources in self.incoming.items():
            for source in sources:
                table[source].append(target)
        return table

    @cached_property
    def edges(self) -> list[Edge]:
        """Every edge, in the order of the nodes that they lead to."""
        return [
            Edge(source, target, use.lag, use.weights)
            for target, sources in self.incoming.items()
            for source, use in sources.items()
        ]

    @cached_property
    def order(self) -> list[Node]:
        """The nodes so that each stands after all that it uses."""
        waiting = {node: len(sources) for node, sources in self.incoming.items()}
        result = [node for node in self.nodes if not waiting.get(node)]
        for node in result:  # grows while it is read
            for target in self.outgoing[node]:
                waiting[target] -= 1
                if not waiting[target]:
                    result.append(target)
        if len(result) < len(self.nodes):
            stuck = next(node for node, n in waiting.items() if n)
            raise InputError(
                f"the value of {stuck} is needed to compute itself: states that use each other "
                f"both at earlier and at later times have no order of computation"
            )
        return result

    def reduced(self, *names: str) -> Graph:
        """The graph without the pre-activations that rnnsym named, and without `names`.

        What they did is merged into the local Jacobians of the nodes that use them.
        Raises InputError for a state, the loss, or a name that no equation defines.
        """
        for name in names:
            if name not in self.net.equations or name == self.net.loss.name:
                raise InputError(
                    f"{name!r} cannot be hidden: it is no node between inputs and loss"
                )
            if name in self.net.states:
                raise InputError(f"{name!r} cannot be hidden: other time steps use it")
        return Graph(self.net, self.lengths, self.hidden | self.net.named_by_us | {*names})

    # ---- Jacobians -----------------------------------------------------------------------

    def local(self, source: NodeLike, target: NodeLike) -> MatrixExpr:
        """The local Jacobian ∂target/∂source of an edge, in closed form.

        Raises InputError if there is no such edge.
        """
        source, target = self.node(source), self.node(target)
        use = self.incoming.get(target, {}).get(source)
        if use is None:
            raise InputError(f"no edge leads from {source} to {target}")
        if target != self.total_node:
            initial = self.net.initial.get(target.name)
            if initial is not None and target.time not in self.spans[target.name]:
                return jacobian(initial.rhs, use.leaf).xreplace(self.lengths)
            at = {**self.lengths, t: Integer(target.time)}
            return self._template(target.name, use.leaf).xreplace(at)
        body, index, _ = self._objective
        moments = (body.xreplace({index: Integer(k)}) for k in self._moments[source])
        return add(*(jacobian(e, use.leaf) for e in moments))

    def _derive(self, name: str, leaf: MatrixExpr) -> MatrixExpr:
        """The Jacobian at time t, through the nodes that are hidden."""
        size = self.net.equations[name].lhs.rows
        through: dict[str, MatrixExpr] = {name: Identity(size)}
        result: list[MatrixExpr] = []
        for user in reversed(self.net.equations):
            left = through.pop(user, None)
            if left is None:
                continue
            for v in _leaves(self.net, user):
                if v == leaf:
                    result.append(mul(left, self._local.edge(user, v)))
                elif v.name in self.hidden:
                    term = mul(left, self._local.edge(user, v))
                    through[v.name] = add(through[v.name], term) if v.name in through else term
        return add(*result)

    # ---- paths ---------------------------------------------------------------------------

    def _count_to(self, target: Node) -> dict[Node, int]:
        """How many paths lead to the target from each node that has any."""
        counts = {target: 1}
        for node in reversed(self.order):
            if node != target:
                found = sum(counts.get(user, 0) for user in self.outgoing[node])
                if found:
                    counts[node] = found
        return counts

    def _starts(self, source: Node, counts: dict[Node, int], at: int | None) -> list[Node]:
        """The first steps of the paths from a source."""
        users = self.outgoing[source]
        return [u for u in users if u in counts and (at is None or u.time == at)]

    def count_paths(
        self, source: NodeLike, target: NodeLike | int | None = None, at: int | None = None
    ) -> int:
        """The number of paths from source to target, without listing them.

        source: a parameter, or a node with its time. target: a node; a number t stands for L⟨t⟩,
        None for the total loss. at: only the paths whose first edge leads to a node at this time,
        which is how one use of a parameter is told from the others.
        """
        start, end = self.node(source), self._target(target)
        counts = self._counts(end)
        if start == end:
            return int(at is None)
        return sum(counts[node] for node in self._starts(start, counts, at))

    def paths(
        self,
        source: NodeLike,
        target: NodeLike | int | None = None,
        at: int | None = None,
        limit: int = MAX_PATHS,
    ) -> list[tuple[Node, ...]]:
        """The paths from source to target, each as its nodes; arguments as for `count_paths`.

        Raises InputError if there are more than `limit`.
        """
        start, end = self.node(source), self._target(target)
        number = self.count_paths(start, end, at)
        if number > limit:
            raise InputError(
                f"{_readable(number)} paths lead from {start} to {end}: at most {limit} are listed "
                f"(count_paths counts them; choose fewer time steps, or a greater limit)"
            )
        if start == end:
            return [(start,)] * number
        counts = self._counts(end)
        result: list[tuple[Node, ...]] = []
        agenda: list[Any] = [(u, (start, None)) for u in self._starts(start, counts, at)[::-1]]
        while agenda:
            node, before = link = agenda.pop()
            if node != end:
                agenda += [(u, link) for u in self.outgoing[node][::-1] if u in counts]
                continue
            path = [node]
            while before is not None:
                path.append(before[0])
                before = before[1]
            result.append(tuple(reversed(path)))
        return result

    def _target(self, which: NodeLike | int | None) -> Node:
        if which is None:
            return self.total_node
        if isinstance(which, Integral):  # of Python, NumPy or SymPy
            return self.node((self.net.loss.name, int(which)))
        return self.node(which)

    def jacobian(self, path: Sequence[NodeLike]) -> MatrixExpr:
        """The product of the local Jacobians along a path, the last edge's first.

        A path of one node has the identity.
        """
        nodes = [self.node(node) for node in path]
        if not nodes:
            raise InputError("a path needs at least one node")
        if len(nodes) == 1:
            return Identity(count(self.expr(nodes[0])))
        return mul(*reversed([self.local(source, target) for source, target in pairwise(nodes)]))

    def total(
        self,
        source: NodeLike,
        target: NodeLike | int | None = None,
        at: int | None = None,
        limit: int = MAX_PATHS,
    ) -> MatrixExpr:
        """The total derivative as the sum over all paths; arguments and errors as for `paths`."""
        found = self.paths(source, target, at, limit)
        if not found:
            return ZeroMatrix(count(self.expr(self._target(target))), count(self.expr(source)))
        return add(*map(self.jacobian, found))

    # ---- pictures ------------------------------------------------------------------------

    def text(self) -> str:
        """A line for each node at each time: what it uses."""
        from rnnsym.graph import draw

        return draw.text(self)

    def dot(self, parameters: bool = True) -> str:
        """Graphviz: time to the right, layers as rows; parameters as nodes or as edge labels."""
        from rnnsym.graph import draw

        return draw.dot(self, parameters)

    def mermaid(self, parameters: bool = True) -> str:
        """Mermaid: a box for each time step; parameters as nodes or as edge labels."""
        from rnnsym.graph import draw

        return draw.mermaid(self, parameters)

    def tikz(self, label: Callable[[MatrixExpr], str] | None = None) -> str:
        """A ``tikzpicture``; needs ``\\usepackage{tikz}`` and its library ``arrows.meta``.

        label: writes a node's expression as LaTeX, without dollar signs.
        """
        from rnnsym.graph import draw

        return draw.tikz(self, label or draw.latex)

    def svg(self) -> str:
        """The same picture as SVG, by itself; each node and edge names its ends in data-…"""
        from rnnsym.graph import draw

        return draw.svg(self)


def unroll(net: Network, steps: int | Mapping[str, int]) -> Graph:
    """The computation graph of a network over `steps` time steps: the length of every sequence, or
    each by its name.

    Raises InputError unless each is a positive integer up to MAX_STEPS.
    """
    lengths = choose_lengths(net, steps)
    if max(lengths.values()) > MAX_STEPS:
        raise InputError(f"steps must be a positive integer up to {MAX_STEPS}, not {steps!r}")
    return Graph(net, lengths)


def _leaves(net: Network, name: str) -> list[MatrixExpr]:
    """What is written in an equation: vectors, then parameters."""
    return _written(net.equations[name].rhs)


def _written(e: MatrixExpr) -> list[MatrixExpr]:
    return [*time_vectors(e), *parameters(e)]


def _uses(net: Network, hidden: frozenset[str]) -> dict[str, list[Use]]:
    """What each equation uses, with the hidden nodes replaced by what they use themselves."""
    table: dict[str, dict[MatrixExpr, Use]] = {}
    for name, equation in net.equations.items():  # what is used at the same time comes first
        uses: dict[MatrixExpr, Use] = {}
        for v in _leaves(net, name):
            lag = net.lag(equation.lhs, v) if isinstance(v, TimeVector) else None
            weights = _weights(equation.rhs, v) if isinstance(v, TimeVector) else ()
            inner = table[v.name].values() if v.name in hidden else [Use(v, lag, ())]
            for use in inner:
                before = uses.get(use.leaf, Use(use.leaf, use.lag, ()))
                merged = dict.fromkeys((*before.weights, *weights, *use.weights))
                uses[use.leaf] = before._replace(
                    weights=tuple(merged) if isinstance(use.leaf, TimeVector) else ()
                )
        table[name] = uses
    return {name: list(uses.values()) for name, uses in table.items()}


def _weights(e: Basic, v: MatrixExpr) -> tuple[str, ...]:
    """The parameters that multiply v somewhere in an expression."""
    found: list[str] = []
    for product in leaves(e, (MatMul, HadamardProduct)):  # type: ignore[arg-type]
        if product.has(v):
            constant = [a for a in product.args if not a.has(TimeVector)]
            found += [w.name for a in constant for w in parameters(a)]
            found += [w for a in product.args if a.has(v) for w in _weights(a, v)]
    return tuple(dict.fromkeys(found))


def _readable(number: int) -> str:
    """A number, however large; Python refuses to write out very long ones."""
    return str(number) if number < 10**15 else f"about 10^{math.floor(math.log10(number))}"
