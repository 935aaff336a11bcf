"""Derivations: every step is true, for every kind of network, for symbolic T and small ones."""

from __future__ import annotations

from functools import cache

import pytest
from sympy import MatAdd, MatMul, MatrixSymbol, Symbol

from rnnsym.derive.calculus import Calculus
from rnnsym.errors import InputError
from rnnsym.network import Network
from rnnsym.nodes import Apply, TimeVector, t
from rnnsym.verify.steps import Checker, check, failures
from tests.derive.nets import ELMAN, HEAD, NETS, names

SECTIONS = [
    "Linearity", "Chain rule and total derivative", "Recurrence and its solution",
    "Sum of Jacobian products", "Local Jacobians", "Everything in place",
    "From vec to matrix form", "Adjoint recursion", "Backpropagation through time",
    "Real-time recurrent learning",
]  # fmt: skip


@cache
def calculus(name: str) -> Calculus:
    return Calculus(NETS[name]())


#: networks of many equations, for which T = 3 has to do in a quick run
LARGE = ("lstm", "peephole", "gru", "gru_after")


def refuted(
    c: Calculus, wrt: str, steps: int | None = None, checker: Checker | None = None
) -> list[str]:
    derivation = c.derive(wrt) if steps is None else c.at(wrt, steps)
    checks = check(derivation, checker=checker)
    assert len(checks) == len(derivation.steps) > 0
    return [f"{wrt}: {x.step.section}, {x.step.rule}: {x.text}" for x in failures(checks)]


@pytest.mark.parametrize("name", NETS)
def test_every_step_is_true_for_symbolic_t(name: str) -> None:
    """By every parameter, initial state and input."""
    c = calculus(name)
    checker = Checker(c.net)
    assert not [x for wrt in names(c.net) for x in refuted(c, wrt, None, checker)]


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        pytest.param(name, steps, marks=[pytest.mark.slow] if name in LARGE and steps < 3 else [])
        for name in NETS
        for steps in (1, 2, 3)
    ],
)
def test_every_step_is_true_for_a_concrete_t(name: str, steps: int) -> None:
    c = calculus(name)
    checker = Checker(c.net, steps)
    assert not [x for wrt in names(c.net) for x in refuted(c, wrt, steps, checker)]


# ---- networks with a trap of their own ---------------------------------------------------

TRAPS: dict[str, list[str]] = {
    "the output is fed back": ["a[t] = tanh(W @ y_hat[t-1] + V @ a[t-1])", HEAD.format("a[t]")],
    "the target is fed back": ["a[t] = tanh(W @ a[t-1] + V @ y[t-1])", HEAD.format("a[t]")],
    "an input is delayed": [
        "a[t] = tanh(W @ a[t-1] + V @ x[t-1] + U @ x[t])", HEAD.format("a[t]"),
    ],
    "an input is seen ahead": ["a[t] = tanh(W @ a[t-1] + U @ x[t+1])", HEAD.format("a[t]")],
    "the loss looks back": [
        ELMAN, "y_hat[t] = W_ya @ a[t]",
        "L[t] = (a[t] - a[t-1]).T @ (a[t] - a[t-1]) + (y_hat[t] - y[t]).T @ y_hat[t]",
    ],
    "the loss holds a weight of the recurrence": [
        "a[t] = tanh(W @ a[t-1] + b)", "y_hat[t] = V @ a[t]", "L[t] = y[t].T @ y_hat[t] + b.T @ b",
    ],
    "the loss holds the input": [
        "a[t] = tanh(W @ a[t-1] + U @ x[t])", "L[t] = a[t].T @ V @ x[t]",
    ],
    "a state without a recurrence": [
        "h[t] = tanh(U @ x[t])", "y_hat[t] = softmax(V @ h[t] + Z @ h[t-1])",
    ],
    "a node that nothing uses": [ELMAN, "q[t] = tanh(Z @ a[t])", HEAD.format("a[t]")],
    "a state that nothing uses": [
        ELMAN, "q[t] = tanh(Z @ q[t-1] + U @ x[t])", HEAD.format("a[t]"),
    ],
    "a weight twice in one equation": [
        "a[t] = tanh(W @ a[t-1] + W @ (a[t-1] * a[t-1]) + U @ x[t])", HEAD.format("a[t]"),
    ],
    "a square of a weight": ["a[t] = tanh(W @ W @ a[t-1] + U @ x[t])", HEAD.format("a[t]")],
    "only a lag of two": ["a[t] = tanh(W @ a[t-2] + U @ x[t])", HEAD.format("a[t-1]")],
    "two layers that share a weight": [
        "a[t] = tanh(W @ a[t-1] + U @ x[t])", "h[t] = tanh(W @ h[t-1] + V @ a[t])",
        HEAD.format("h[t]"),
    ],
    "feedback from the upper layer": [
        "a[t] = tanh(W @ a[t-1] + F @ h[t-1] + U @ x[t])", "h[t] = tanh(Z @ h[t-1] + V @ a[t])",
        HEAD.format("h[t]"),
    ],
    "a recurrence over both directions": [
        "f[t] = tanh(W_f @ f[t-1] + U_f @ x[t])", "r[t] = tanh(W_r @ r[t+1] + U_r @ x[t])",
        "a[t] = tanh(W @ a[t-1] + V @ [f[t], r[t]])", HEAD.format("a[t]"),
    ],
    "a function of a parameter": [
        "a[t] = sigmoid(w) * a[t-1] + (1 - sigmoid(w)) * (U @ x[t])", HEAD.format("a[t]"),
    ],
    "a quotient of states": [
        "z[t] = W @ a[t-1] + U @ x[t]", "a[t] = z[t] / (1 + z[t] * z[t])", HEAD.format("a[t]"),
    ],
    "an outer product": [
        "a[t] = tanh(W @ a[t-1])", "y_hat[t] = softmax(V @ (a[t] @ a[t].T @ u))",
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    "trap",
    [
        pytest.param(trap, marks=[pytest.mark.slow] if "both directions" in trap else [])
        for trap in TRAPS
    ],
)
def test_every_step_is_true_where_it_is_easy_to_go_wrong(trap: str) -> None:
    output = "y_hat" if any(text.startswith("y_hat[t] =") for text in TRAPS[trap]) else None
    c = Calculus(Network(*TRAPS[trap], output=output))
    checkers = {steps: Checker(c.net, steps or 4) for steps in (None, 1, 3)}
    wrong = [x for s, ck in checkers.items() for w in names(c.net) for x in refuted(c, w, s, ck)]
    assert not wrong


def test_products_in_products_are_differentiated() -> None:
    n, m = Symbol("n", integer=True, positive=True), Symbol("m", integer=True, positive=True)
    a, x = TimeVector("a", n, t), TimeVector("x", m, t)
    inner = MatMul(-1, MatrixSymbol("W", n, n), a.at(t - 1))
    rhs = MatAdd(MatMul(-1, inner), MatrixSymbol("U", n, m) * x)
    c = Calculus(Network((a, Apply("tanh", rhs)), HEAD.format("a[t]")))
    assert not [x for wrt in names(c.net) for x in refuted(c, wrt)]


def test_a_lag_of_three_is_tested_long_enough() -> None:
    c = Calculus(Network("a[t] = tanh(W @ a[t-3] + U @ x[t])", HEAD.format("a[t]")))
    assert not refuted(c, "W")


@pytest.mark.parametrize(
    "equation",
    [
        "a[t] = tanh(W.T @ a[t-1])",
        "a[t] = tanh(U @ W.T @ a[t-1])",
        "a[t] = tanh(W @ W.T @ a[t-1])",
    ],
)
def test_a_transposed_weight_is_differentiated(equation: str) -> None:
    c = Calculus(Network(equation, HEAD.format("a[t]"), sizes={"W": ("n_a", "n_a")}))
    assert not refuted(c, "W")


# ---- what a derivation says --------------------------------------------------------------


def test_the_sections_are_those_of_the_post() -> None:
    assert calculus("elman").derive("W_aa").sections == SECTIONS


def test_an_unknown_name_is_told_which_exist() -> None:
    with pytest.raises(InputError) as error:
        calculus("elman").derive("W_xx")
    for name in ("'W_xx'", *names(calculus("elman").net)):
        assert name in str(error.value)


@pytest.mark.parametrize("steps", [0, -1, True, 2.0, "3", None])
def test_t_is_a_positive_integer(steps: object) -> None:
    with pytest.raises(InputError, match="positive integer"):
        calculus("elman").at("W_aa", steps)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["elman", "lstm", "stack"])
def test_each_step_begins_and_ends_in_the_same_shape(name: str) -> None:
    c = calculus(name)
    for wrt in names(c.net):
        for step in c.derive(wrt):
            assert step.before.shape == step.after.shape, step
            assert step.rule and step.reason and step.before != step.after
