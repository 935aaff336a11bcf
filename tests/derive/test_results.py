"""What derivations come to: the textbook's terms, δ = ŷ - y, and no more for a longer T."""

from __future__ import annotations

import sys
import time
from collections import Counter
from functools import cache
from typing import Any

import pytest
from sympy import Integer, MatAdd, MatMul, MatrixExpr

from rnnsym.algebra import factors, split, terms
from rnnsym.derive.calculus import Calculus
from rnnsym.derive.step import Derivation, Step
from rnnsym.graph import unroll
from rnnsym.models import build
from rnnsym.network import Network
from rnnsym.nodes import Adjoint, T, TimeSum, Total, leaves, t
from rnnsym.simplify import expand, size
from rnnsym.verify.steps import Checker
from tests.derive.nets import ELMAN, HEAD, NETS, names


@cache
def calculus(name: str = "elman") -> Calculus:
    return Calculus(NETS[name]())


def written(e: Any) -> str:
    return f"{e.name}{e.time}" if hasattr(e, "time") else str(e)


def path(step: Step) -> str:
    return "".join(part if isinstance(part, str) else written(part) for part in step.reason)


# ---- T = 3 -------------------------------------------------------------------------------


def test_three_steps_have_six_terms_with_six_paths() -> None:
    listed = calculus().at("W_aa", 3).section("Term by term")
    assert len(terms(listed[0].after)) == 6
    assert [path(step).partition(": ")[2] for step in listed[1:]] == [
        "W_aa → a1 → y_hat1 → L1",
        "W_aa → a1 → a2 → y_hat2 → L2",
        "W_aa → a2 → y_hat2 → L2",
        "W_aa → a1 → a2 → a3 → y_hat3 → L3",
        "W_aa → a2 → a3 → y_hat3 → L3",
        "W_aa → a3 → y_hat3 → L3",
    ]


def multiset(e: MatrixExpr) -> Counter[Any]:
    return Counter((split(term)[0], factors(term)) for term in terms(expand(e)))


@pytest.mark.parametrize("wrt", ["W_aa", "W_ax"])
@pytest.mark.parametrize("steps", [1, 2, 3, 4])
def test_the_sum_is_the_sum_over_paths_as_normal_forms(wrt: str, steps: int) -> None:
    """Term by term, factor by factor: with a loss that needs no simplification."""
    net = build("elman", {"output": "identity", "loss": "squared_error"})
    ours = multiset(Calculus(net).at(wrt, steps).formula)
    assert ours == multiset(unroll(net, steps).total(wrt))
    assert ours.total() >= steps * (steps + 1) / 2


def test_with_softmax_the_paths_differ_in_their_first_factors_only() -> None:
    """There the derivation has (ŷ - y)ᵀ in place of two Jacobians; the rest is the same."""
    net = calculus().net
    output = net.parameters["W_ya"]

    def tails(e: MatrixExpr) -> Counter[Any]:
        parts = [factors(term) for term in terms(e)]
        return Counter(p[p.index(output) :] for p in parts)

    ours: Counter[Any] = Counter()
    for step in calculus().at("W_aa", 3).section("Term by term")[1:]:
        ours += tails(step.after)
    assert ours == tails(unroll(net, 3).total("W_aa")) and ours.total() == 6


@pytest.mark.parametrize("name", ["elman", "lstm", "stack", "shortcut", "bidirectional", "tied"])
def test_the_sum_is_the_sum_over_paths_in_the_finite_field(name: str) -> None:
    c = calculus(name)
    checker = Checker(c.net, 3)
    graph = unroll(c.net, 3)
    for wrt in list(c.net.parameters)[:3]:
        over_paths = graph.total(wrt, limit=100_000)
        claim = Step(c.at(wrt, 3).formula, over_paths, "claim", ())
        symbolic = Step(c.derive(wrt).formula, over_paths, "claim", ())
        assert checker.check(claim).ok and checker.check(symbolic).ok, wrt


# ---- size and time -----------------------------------------------------------------------


def nodes(d: Derivation) -> int:
    return sum(size(step.before) + size(step.after) for step in d)


@pytest.mark.parametrize("name", ["elman", "gru"])
def test_a_derivation_does_not_know_how_long_the_sequence_is(name: str) -> None:
    """Nothing in it depends on T but the symbol T; written out, it is linear in T."""
    c = calculus(name)
    d = c.derive("W_aa")
    assert nodes(d) == sum(
        size(s.before.xreplace({T: Integer(1000)})) + size(s.after.xreplace({T: Integer(1000)}))
        for s in d
    )
    long = [len(c.at("W_aa", steps).steps) for steps in (100, 200, 300)]
    assert long[2] - long[1] == long[1] - long[0] > 0
    assert nodes(c.at("W_aa", 200)) < 2.1 * nodes(c.at("W_aa", 100))


def test_a_thousand_steps_take_milliseconds_each_and_no_stack() -> None:
    calculus().derive("W_aa")
    depth = len(_frames())
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(depth + 300)
    try:
        start = time.perf_counter()
        d = calculus().at("W_aa", 1000)
        seconds = time.perf_counter() - start
    finally:
        sys.setrecursionlimit(limit)
    assert len(d.steps) == 3 * 1000 + 1 and len(terms(d.steps[-1].after)) == 1000
    assert seconds < 5, f"{seconds:.2f} ms a step"


def _frames() -> list[Any]:
    found, frame = [], sys._getframe()
    while frame is not None:
        found.append(frame)
        frame = frame.f_back  # type: ignore[assignment]
    return found


# ---- what comes out ----------------------------------------------------------------------


def delta(net: Network, name: str) -> MatrixExpr:
    return Calculus(net).adjoints.equations[name]


@pytest.mark.parametrize(
    ("output", "loss", "textbook"),
    [
        ("softmax", "cross_entropy", True),
        ("sigmoid", "binary_cross_entropy", True),
        ("softmax", "binary_cross_entropy", False),
        ("sigmoid", "cross_entropy", False),
        ("softmax", "squared_error", False),
        ("g", "cross_entropy", False),
    ],
)
def test_delta_is_prediction_minus_target_for_matching_pairs(
    output: str, loss: str, textbook: bool
) -> None:
    net = build("elman", {"output": output, "loss": loss})
    y_hat, y = net.vectors["y_hat"], net.vectors["y"]
    difference = {MatAdd(y_hat, MatMul(-1, y)), MatAdd(MatMul(-1, y), y_hat)}
    assert (delta(net, "z_y_hat") in difference) == textbook


def test_a_target_that_sums_to_nothing_in_particular_gives_no_textbook_delta() -> None:
    """δ = (1ᵀy) ŷ - y: only for a distribution is it ŷ - y."""
    net = Network(ELMAN, HEAD.format("a[t]"), target_kind="real")
    found = delta(net, "z_y_hat")
    assert len(terms(found)) == 2 and any(len(factors(term)) == 3 for term in terms(found))


def test_the_chain_rule_is_plain_where_it_is_right() -> None:
    d = calculus().derive("W_ya")
    assert [s.rule for s in d.section("Chain rule")] == ["chain rule"]
    assert not [s for s in d if not s.holds] and "Recurrence and its solution" not in d.sections


@pytest.mark.parametrize("wrt", ["W_aa", "W_ax", "b_a"])
def test_the_plain_chain_rule_is_wrong_before_a_recurrence_and_what_it_lacks_is_said(
    wrt: str,
) -> None:
    c = calculus()
    steps = c.derive(wrt).section("Chain rule and total derivative")
    rules = [(s.rule, s.relation) for s in steps]
    assert rules == [
        ("naive chain rule", "≠"),
        ("total derivative", "="),
        ("missing part", "="),
        ("missing part", "≠"),
    ]
    a, w = c.net.states["a"], c.net.parameters[wrt]
    assert steps[2].after == MatMul(Total(a, a.at(t - 1)), Total(a.at(t - 1), w))
    naive_as_equality = Step(steps[0].before, steps[0].after, "", (), "=", steps[0].where)
    assert not Checker(c.net).check(naive_as_equality).ok


def test_the_gradient_is_one_outer_product_a_step() -> None:
    net = calculus().net
    d = calculus().derive("W_aa")
    k = d.result.index
    a, z = net.states["a"], net.vectors["z_a"]
    assert d.result == TimeSum(MatMul(Adjoint(z.at(k)), a.at(k - 1).T), (k, 1, T))
    assert calculus().derive("b_a").result == TimeSum(Adjoint(z.at(k)), (k, 1, T))


# ---- everything follows from the equations -----------------------------------------------

CHANGES: dict[str, str] = {
    "sigmoid for tanh": ELMAN.replace("tanh", "sigmoid"),
    "no input": "a[t] = tanh(W_aa @ a[t-1] + b_a)",
    "a lag of two": ELMAN.replace("a[t-1]", "a[t-2]"),
    "a residual": ELMAN.replace("= ", "= a[t-1] + "),
    "a state twice": ELMAN.replace("a[t-1]", "(a[t-1] * a[t-1])"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_another_equation_has_another_gradient(change: str) -> None:
    right = calculus()
    other = Calculus(Network(CHANGES[change], HEAD.format("a[t]")))
    same = other.derive("W_aa").formula == right.derive("W_aa").formula
    assert same == (change == "no input")  # the values differ, the formula does not
    if change != "no input":
        assert other.adjoints.equations != right.adjoints.equations


@pytest.mark.parametrize(
    "equation", [ELMAN.replace("tanh", "sigmoid"), ELMAN.replace("= ", "= a[t-1] + ")]
)
def test_the_gradient_of_one_network_is_refuted_in_another(equation: str) -> None:
    other = Network(equation, HEAD.format("a[t]"))
    checker = Checker(other)
    step = next(s for s in calculus().derive("W_aa") if s.section == "Everything in place")
    assert Checker(calculus().net).check(step).ok and not checker.check(step).ok


def test_without_a_bias_there_is_no_gradient_by_it() -> None:
    net = Network("a[t] = tanh(W_aa @ a[t-1] + W_ax @ x[t])", HEAD.format("a[t]"))
    assert "b_a" not in names(net)
    assert not any("b_a" in str(step) for step in Calculus(net).derive("W_aa"))


def test_tied_weights_add_their_two_uses() -> None:
    net = calculus("tied").net
    used = {d.of.name for d in leaves(calculus("tied").derive("W").result, Adjoint)}
    assert used == {"z_a", "z_y_hat"} and "W" in net.parameters


@pytest.mark.parametrize("steps", [17, 60, 61, 200])
@pytest.mark.parametrize(("name", "parameter"), [("elman", "W_aa"), ("elman", "b_y")])
def test_terms_that_are_not_listed_are_counted(name: str, parameter: str, steps: int) -> None:
    """As many as the unrolled graph has paths, counted without the derivation."""
    net = build(name, {})
    paths = unroll(net, steps).reduced().count_paths(parameter)
    notes = Calculus(net).at(parameter, steps).notes
    if paths > 60:
        assert f"The sum has {paths} terms" in notes[0][0]
    else:
        assert not notes
