"""The unrolled graph: its paths, and that they add up to the true derivative."""

from __future__ import annotations

import itertools
import time
from functools import cache
from typing import Any

import numpy as np
import pytest
from sympy import Identity, Integer, MatrixSymbol, ZeroMatrix
from sympy.matrices.expressions import KroneckerProduct

from rnnsym.errors import InputError
from rnnsym.evaluate.field import FieldArithmetic
from rnnsym.evaluate.point import field_point
from rnnsym.evaluate.trajectory import Truth
from rnnsym.graph import Node, unroll
from rnnsym.models import build
from rnnsym.network import Network
from rnnsym.nodes import Total, t
from rnnsym.sizes import choose_sizes
from tests.graph.nets import nets

NETS = nets()
ELMAN = NETS["elman"]


def truth(net: Network, steps: int) -> Truth:
    field = FieldArithmetic(3)
    return Truth(net, field_point(net, field, choose_sizes(net, steps), 5), field)


# ---- derivatives -------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [1, 2, 3, 4])
@pytest.mark.parametrize("name", NETS)
def test_the_paths_add_up_to_the_total_derivative(name: str, steps: int) -> None:
    """Exactly, for every parameter and time, with the local Jacobians evaluated one by one."""
    net = NETS[name]
    true = truth(net, steps)
    evaluate = true.evaluator()
    for graph in (unroll(net, steps), unroll(net, steps).reduced()):
        local = cache(lambda source, target: evaluate(graph.local(source, target)))  # noqa: B023

        def product(path: tuple[Node, ...]) -> Any:
            pairs = [local(*pair) for pair in itertools.pairwise(path)]  # noqa: B023
            result = pairs.pop()
            while pairs:
                result = result * pairs.pop()
            return result

        for parameter, k in itertools.product(net.parameters.values(), range(1, steps + 1)):
            paths = graph.paths(parameter, k)
            assert len(set(paths)) == len(paths) == graph.count_paths(parameter, k)
            expected = true.derivative(Total(net.loss.at(Integer(k)), parameter))
            assert sum(map(product, paths), 0 * expected) == expected


@pytest.mark.parametrize("steps", [1, 2])
@pytest.mark.parametrize("name", NETS)
def test_total_is_the_total_derivative(name: str, steps: int) -> None:
    """The same as one expression, of the total loss, and by every node of the graph."""
    net = NETS[name]
    true, graph = truth(net, steps), unroll(net, steps)
    evaluate = true.evaluator()
    for node, kind in graph.nodes.items():
        if kind != "total":
            expected = true.derivative(Total(net.total_loss, graph.expr(node)))
            assert evaluate(graph.total(node)) == expected
            if kind == "parameter":
                assert evaluate(graph.reduced().total(node)) == expected


def test_between_nodes() -> None:
    true, graph = truth(ELMAN, 4), unroll(ELMAN, 4)
    a = ELMAN.states["a"]
    expected = true.derivative(Total(a.at(Integer(4)), a.at(Integer(1))))
    assert true.evaluator()(graph.total(("a", 1), ("a", 4))) == expected
    assert graph.total(("a", 3), ("a", 1)) == ZeroMatrix(a.rows, a.rows)
    assert graph.total(("a", 3), ("a", 3)) == graph.jacobian([("a", 3)]) == Identity(a.rows)


def test_hiding_gates_leaves_the_derivative() -> None:
    net = NETS["lstm"]
    graph = unroll(net, 2).reduced("f", "i", "o", "c_tilde", "y_hat")
    assert {n.name for n in graph.nodes if n.time} == {"x", "y", "c", "a", "L"}
    true = truth(net, 2)
    for w in net.parameters.values():
        expected = true.derivative(Total(net.total_loss, w))
        assert true.evaluator()(graph.total(w)) == expected


def test_a_path_reads_like_the_chain_rule() -> None:
    graph = unroll(ELMAN, 3).reduced()
    w, a = ELMAN.parameters["W_aa"], ELMAN.states["a"]
    (path,) = graph.paths(w, 3, at=2)
    assert [str(node) for node in path] == ["W_aa", "a⟨2⟩", "a⟨3⟩", "y_hat⟨3⟩", "L⟨3⟩"]
    first = unroll(ELMAN, 3).local(w, ("z_a", 2))
    assert first == KroneckerProduct(a.at(Integer(1)).T, Identity(a.rows))
    assert graph.jacobian(path).args[-1] == first
    assert not graph.jacobian(path).has(t)


# ---- paths -------------------------------------------------------------------------------


def test_one_path_from_each_use_of_elman() -> None:
    graph = unroll(ELMAN, 5)
    for k, end in itertools.product(range(1, 6), repeat=2):
        assert graph.count_paths("W_aa", end, at=k) == (1 if k <= end else 0)
        assert graph.count_paths("W_ya", end, at=k) == (1 if k == end else 0)
    assert graph.count_paths("W_aa") == 15


@pytest.mark.parametrize("name", NETS)
def test_counting_agrees_with_listing(name: str) -> None:
    graph = unroll(NETS[name], 3)
    edges = {(edge.source, edge.target) for edge in graph.edges}
    for source in graph.nodes:
        for end, at in ((3, None), (3, 1), (2, 2), (None, None)):
            paths = graph.paths(source, end, at)
            assert graph.count_paths(source, end, at) == len(paths) == len(set(paths))
            for path in paths:
                assert set(itertools.pairwise(path)) <= edges
                assert path[0] == source and path[-1].name == "L"
                assert at is None or path[1].time == at
    assert graph.paths(source) == [(source,)]


def test_many_steps_are_fast() -> None:
    for name, net in NETS.items():
        start = time.perf_counter()
        graph = unroll(net, 1000)
        assert len(graph.order) == len(graph.nodes)
        counts = [graph.count_paths(w, 1000, at=1) for w in net.parameters.values()]
        assert time.perf_counter() - start < 2, name  # 2 ms a step
        assert max(counts) > 2**2000 if name == "lstm" else max(counts) >= 1
        with pytest.raises(InputError, match=r"^about 10\^|^[0-9]+ paths"):
            graph.paths(next(iter(net.parameters)), limit=10)
    (path,) = unroll(ELMAN, 1000).paths("W_aa", 1000, at=1)
    assert len(path) == 2004
    assert len(unroll(ELMAN, 1000).jacobian(path).args) > 1000


def test_the_largest_numbers_can_be_told() -> None:
    with pytest.raises(InputError, match=r"about 10\^\d{4}"):  # Python writes 4300 digits at most
        unroll(NETS["lstm"], 7000).total("W_fa")


# ---- nodes and edges ---------------------------------------------------------------------


def test_nodes_and_edges_of_elman() -> None:
    graph = unroll(ELMAN, 2).reduced()
    kinds = {str(node): kind for node, kind in graph.nodes.items()}
    assert kinds["a⟨0⟩"] == "initial" and kinds["a⟨1⟩"] == "state" and kinds["x⟨2⟩"] == "input"
    assert kinds["L"] == "total" and kinds["L⟨1⟩"] == "loss" and kinds["W_aa"] == "parameter"
    assert kinds["y_hat⟨1⟩"] == "node" and kinds["y⟨1⟩"] == "target"
    edges = {(str(e.source), str(e.target)): e for e in graph.edges}
    assert edges["a⟨0⟩", "a⟨1⟩"].lag == 1 and edges["a⟨0⟩", "a⟨1⟩"].weights == ("W_aa",)
    assert edges["x⟨1⟩", "a⟨1⟩"].lag == 0 and edges["x⟨1⟩", "a⟨1⟩"].weights == ("W_ax",)
    assert edges["W_aa", "a⟨2⟩"].lag is None and edges["L⟨2⟩", "L"].lag is None
    assert len(edges) == len(graph.edges) == 22


def test_initial_states_stand_where_a_direction_starts() -> None:
    kinds = unroll(NETS["bidirectional"], 3).nodes
    assert [n for n, kind in kinds.items() if kind == "initial"] == [Node("f", 0), Node("r", 4)]
    shortcut = unroll(NETS["shortcut"], 3)  # a⟨-1⟩ is zero: no node
    assert [n for n, kind in shortcut.nodes.items() if kind == "initial"] == [Node("a", 0)]
    assert Node("a", 1) in shortcut.incoming[Node("z_a", 3)]


def test_weights_are_those_that_multiply_the_source() -> None:
    net = Network(
        "a[t] = tanh(w * a[t-1] + r[t] * (W @ a[t-1] + V @ x[t] + b))",
        "r[t] = sigmoid(A @ (B @ x[t] + c))",
        "y_hat[t] = a[t]",
        loss="squared_error",
        sizes={"B": ("m", "n_x")},
    )
    labels = {(str(e.source), str(e.target)): e.weights for e in unroll(net, 1).reduced("r").edges}
    assert labels["a⟨0⟩", "a⟨1⟩"] == ("w", "W")
    assert labels["x⟨1⟩", "a⟨1⟩"] == ("A", "B", "V")
    assert labels["a⟨1⟩", "y_hat⟨1⟩"] == ()
    assert unroll(net, 1).count_paths("A") == 1


def test_nodes_by_name_pair_and_expression() -> None:
    graph = unroll(ELMAN, 3)
    a, w = ELMAN.states["a"], ELMAN.parameters["W_aa"]
    assert graph.node("W_aa") == graph.node(w) == Node("W_aa")
    assert graph.node(("a", 2)) == graph.node(a.at(Integer(2))) == Node("a", 2)
    assert graph.expr(("a", 2)) == a.at(Integer(2)) and graph.expr("W_aa") == w
    assert graph.expr("L") == ELMAN.total_loss
    for wrong in ("b_x", ("a", 4), ("a", -1), a, ("a", None), MatrixSymbol("Q", 1, 1)):
        with pytest.raises(InputError, match="is no node of this graph"):
            graph.node(wrong)
    with pytest.raises(InputError, match="hidden here"):
        graph.reduced().node(("z_a", 1))
    with pytest.raises(InputError, match="no edge leads from a⟨1⟩ to a⟨3⟩"):
        graph.local(("a", 1), ("a", 3))


@pytest.mark.parametrize("steps", [0, -1, 1.0, 2.5, "3", None, True, 10**9, float("nan")])
def test_steps_must_be_a_whole_number(steps: Any) -> None:
    with pytest.raises(InputError, match="steps must be a positive integer"):
        unroll(ELMAN, steps)


def test_whole_numbers_of_any_kind() -> None:
    graph = unroll(ELMAN, Integer(2))
    assert graph.steps == 2
    assert graph.paths("W_aa", np.int64(1)) == graph.paths("W_aa", Integer(1), at=Integer(1))


@pytest.mark.parametrize("name", ["a", "L", "x", "W_aa", "nonsense"])
def test_what_cannot_be_hidden(name: str) -> None:
    with pytest.raises(InputError, match="cannot be hidden"):
        unroll(ELMAN, 2).reduced(name)


def test_too_many_paths() -> None:
    graph = unroll(build("lstm", {}), 8)
    number = graph.count_paths("W_fa")
    with pytest.raises(InputError, match=rf"^{number} paths lead from W_fa to L: at most 10000"):
        graph.total("W_fa")
    with pytest.raises(InputError, match="at most 3 are listed"):
        graph.paths("W_fa", 3, limit=3)


def test_a_network_without_an_order_of_computation() -> None:
    with pytest.raises(InputError, match="no order in which they could be computed"):
        Network(
            "a[t] = tanh(W @ b[t+1])",
            "b[t] = tanh(V @ a[t-1])",
            "y_hat[t] = softmax(U @ a[t])",
            sizes={"a": "n", "b": "m"},
        )
