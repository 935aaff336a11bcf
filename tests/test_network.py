"""Networks: what is read off the equations, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from sympy import Function, MatMul, MatrixSymbol, Symbol, exp, tanh
from sympy.matrices.expressions import HadamardProduct
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction

from rnnsym.errors import InputError
from rnnsym.losses import LOSSES
from rnnsym.network import Network
from rnnsym.nodes import Apply, T, TimeSum, TimeVector, t
from tests.derive.nets import ELMAN, HEAD, NETS

OUT = HEAD.format("a[t]")
n, m = Symbol("n", integer=True, positive=True), Symbol("m", integer=True, positive=True)


def vector(name: str, size: Any = n, time: Any = t) -> TimeVector:
    return TimeVector(name, size, time)


# ---- what is read off --------------------------------------------------------------------


def test_roles_sizes_and_lags_of_the_elman_network() -> None:
    net = Network(ELMAN, OUT)
    assert list(net.states) == ["a"]
    assert {name: str(w.shape) for name, w in net.parameters.items()} == {
        "W_aa": "(n_a, n_a)", "W_ax": "(n_a, n_x)", "b_a": "(n_a, 1)",
        "W_ya": "(n_y, n_a)", "b_y": "(n_y, 1)",
    }  # fmt: skip
    assert {name: str(size) for name, size in net.inputs.items()} == {"x": "n_x"}
    assert {name: str(size) for name, size in net.targets.items()} == {"y": "n_y"}
    assert list(net.equations) == ["z_a", "a", "z_y_hat", "y_hat", "L"]
    assert net.lags[("z_a", "a")] == {1} and net.lag_range("a") == (0, 1)
    assert list(net.sizes) == ["n_x", "n_y", "n_a"]
    assert net.output == "y_hat" and net.loss.shape == (1, 1)
    assert net.objective == TimeSum(net.loss, (t, 1, T))
    assert net.functions == {"tanh", "log"}


@pytest.mark.parametrize(
    ("name", "states"),
    {
        "lstm": ["c", "a"],
        "gru_after": ["a"],
        "shortcut": ["a"],
        "stack": ["a_1", "a_2"],
        "bidirectional": ["f", "r"],
        "feedforward": [],
    }.items(),
)
def test_a_state_is_what_is_used_at_another_time(name: str, states: list[str]) -> None:
    assert list(NETS[name]().states) == states


def test_lags_in_both_directions_are_told_apart() -> None:
    assert NETS["shortcut"]().lag_range("a") == (0, 2)
    assert NETS["bidirectional"]().lag_range("r") == (-1, 0)
    delayed = Network("a[t] = tanh(W @ a[t-1] + V @ y[t-1] + U @ x[t-2])", OUT)
    assert list(delayed.states) == ["a"]  # what is given is no state


def test_equations_may_come_in_any_order() -> None:
    lines = [
        "y_hat[t] = softmax(W_ya @ a[t] + b_y)",
        "a[t] = u[t] * a[t-1]",
        "u[t] = sigmoid(W @ a[t-1] + U @ x[t])",
    ]
    net = Network(*lines, output="y_hat")
    assert list(net.equations) == ["z_u", "u", "a", "z_y_hat", "y_hat", "L"]
    assert Network("\n".join(lines), output="y_hat").equations == net.equations


def test_preactivations_get_names_of_their_own() -> None:
    net = Network(
        "a[t] = tanh(W @ a[t-1]) + sigmoid(V @ a[t-1])", "z_a_[t] = U @ a[t]", loss="squared_error"
    )
    assert net.named_by_us == {"z_a", "z_a__"}
    assert net.named_by_us.isdisjoint(e.lhs.name for e in net.source)
    for name in net.named_by_us:
        assert isinstance(net.equations[name].rhs, MatMul)


def test_a_function_of_a_vector_needs_no_name() -> None:
    assert not Network("a[t] = tanh(x[t] * x[t])", loss="squared_error").named_by_us


# ---- losses ------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", LOSSES)
def test_a_loss_by_name_compares_the_output_with_the_target(loss: str) -> None:
    net = Network(ELMAN, OUT, "q[t] = V @ a[t]", loss=loss, output="y_hat")
    assert net.target_kind == LOSSES[loss].targets
    assert net.lags[("L", "y_hat")] == {0} and ("L", "q") not in net.lags
    assert net.targets["y"] == net.vectors["y_hat"].rows


def test_a_loss_is_an_equation_like_any_other() -> None:
    text = "L[t] = (y_hat[t] - y[t]).T @ (y_hat[t] - y[t])"
    given, written = Network(ELMAN, OUT, loss=text), Network(ELMAN, OUT, text)
    assert given.equations == written.equations and given.target_kind == "real"


@pytest.mark.parametrize(
    ("equations", "options", "words"),
    [
        ([ELMAN, OUT], {"loss": "mse"}, "'mse'.*cross_entropy.*L\\[t\\] ="),
        ([ELMAN, OUT], {"loss": "Q[t] = a[t].T @ a[t]"}, "no equation defines the loss"),
        ([ELMAN, OUT], {"loss": "L[t] = [a[t], a[t]]"}, "L.*shape mismatch"),
        ([ELMAN, OUT], {"output": "z"}, "output 'z'"),
        ([ELMAN, OUT], {"sizes": {"a": 2, "W_aa": (2, 3)}}, "a\\[t\\].*shape mismatch"),
        ([ELMAN, OUT], {"sizes": {"x": -1}}, "size of x"),
        ([ELMAN, OUT], {"inputs": ["a"]}, "a is an input or a target"),
        ([ELMAN, OUT], {"inputs": []}, "x is not defined.*inputs=\\['x'\\]"),
        ([ELMAN, OUT], {"targets": []}, "y is not defined"),
        ([ELMAN, OUT, ELMAN], {}, "a is defined twice"),
        ([ELMAN, "x[t] = W @ a[t]"], {}, "x is an input or a target"),
        (["a[t] = W @ q[t-1]"], {}, "W @ q.*q is not defined"),
        (["a[t] = W @ a[t]"], {}, "instantaneous cycle.*W @ a\\[t\\]"),
        (["a[t] = W @ b[t]", "b[t] = V @ a[t]"], {}, "cycle.*a\\[t\\] = .*b\\[t\\] ="),
        (["a[t] = W @ a[t-1] + V @ a[t+1]"], {}, "both at earlier and at later.*V @ a"),
        (["a[t] = W @ b[t-1]", "b[t] = V @ a[t+1]"], {}, "a, b depend on each other"),
        (["a[t] = tanh(a[t-1] + W @ tanh(W @ a[t-1]))"], {}, "one activation inside another"),
        ([], {}, "at least one equation"),
        ([""], {}, "at least one equation"),
    ],
)
def test_what_is_wrong_is_named(equations: list[str], options: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Network(*equations, **options)


def test_sizes_may_be_names_or_numbers() -> None:
    net = Network(ELMAN, OUT, sizes={"a": 7, "x": "d"})
    assert net.parameters["W_aa"].shape == (7, 7)
    assert [str(s) for s in net.parameters["W_ax"].shape] == ["7", "d"]
    assert list(net.sizes) == ["d", "n_y"]


@pytest.mark.parametrize("name", ["t", "T"])
def test_a_size_is_not_called_as_time_is(name: str) -> None:
    with pytest.raises(InputError):
        assert not {t, T} & set(Network(ELMAN, OUT, sizes={"a": name}).sizes.values())


def test_a_loss_alone_is_a_network() -> None:
    assert Network("L[t] = w.T @ x[t]").output == "L"


@pytest.mark.parametrize(
    "arguments",
    [{"equation": 3}, {"equation": ("a", 1, 2)}, {"sizes": {"W_aa": ("n",)}}],
    ids=str,
)
def test_other_types_are_refused_with_a_message(arguments: dict[str, Any]) -> None:
    try:
        Network(arguments.get("equation", ELMAN), OUT, sizes=arguments.get("sizes"))
    except InputError:
        return


# ---- equations as SymPy expressions ------------------------------------------------------

W, U = MatrixSymbol("W", n, n), MatrixSymbol("U", n, m)
SUM = W * vector("a", n, t - 1) + U * vector("x", m)


def test_sympy_expressions_and_text_may_be_mixed() -> None:
    net = Network((vector("a"), Apply("tanh", SUM)), OUT)
    assert list(net.states) == ["a"] and net.inputs == {"x": m}
    assert net.parameters["W_ya"].shape[1] == n


@pytest.mark.parametrize("function", [tanh, exp, Function("g")], ids=str)
def test_sympys_elementwise_functions_are_ours(function: Any) -> None:
    given = Network((vector("a"), ElementwiseApplyFunction(function, SUM)), OUT)
    ours = Network((vector("a"), Apply(str(function), SUM)), OUT)
    assert [e.rhs for e in given.equations.values()] == [e.rhs for e in ours.equations.values()]


@pytest.mark.parametrize("function", [lambda z: z**2, lambda z: tanh(2 * z), lambda z: 1 + exp(z)])
def test_what_is_no_function_by_itself_is_refused(function: Any) -> None:
    with pytest.raises(InputError):
        Network((vector("a"), ElementwiseApplyFunction(function, SUM)), OUT)


@pytest.mark.parametrize(
    ("lhs", "rhs", "words"),
    [
        (vector("a", n, t - 1), SUM, "TimeVector at t"),
        ("a", SUM, "TimeVector at t"),
        (vector("a"), 3, "no matrix expression"),
        (vector("a"), "exit(7)", "no matrix expression"),
        (vector("a", m), SUM, "shape mismatch.*m.*n"),
        (vector("a"), W * vector("a", n, 2 * t), "time of a must be t plus a number"),
        (vector("a"), W * vector("a", n, t - n), "time of a must be t plus a number"),
        (vector("a"), HadamardProduct(vector("a", n, t - 1), vector("q")), "q is not defined"),
    ],
)
def test_sympy_equations_are_checked_as_text_is(lhs: Any, rhs: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Network((lhs, rhs), OUT)


def test_one_name_has_one_size() -> None:
    with pytest.raises(InputError, match="a has"):
        Network((vector("a"), W * vector("a", n, t - 1)), (vector("y_hat", m), vector("a", m)))


# ---- fixed times, initial values, several lengths ------------------------------------------

STATE = "a[t] = tanh(W @ a[t-1] + U @ x[t])"


def test_spans_and_uses_at_fixed_times_are_read_off_the_equations() -> None:
    net = Network(
        "e[t] = tanh(W_e @ e[t-1] + U_e @ x[t])",
        "a[t] = tanh(W @ a[t-1] + U @ y[t-1] + C @ e[1])",
        "a[0] = e[T_x]",
        "y_hat[t] = softmax(V @ a[t])",
        lengths={"y": "T_y"},
    )
    assert {str(s.last) for s in net.spans.values()} == {"T_x", "T_y"}
    assert list(net.lengths) == ["T_x", "T_y"]
    assert net.fixed == {("z_a", "e"): {1}} and list(net.initial) == ["a"]
    assert list(net.initial_states) == ["e"] and net.lag_range("e") == (0, 1)
    assert str(net.objective.upper) == "T_y"


def test_a_loss_at_one_time_is_the_whole_loss() -> None:
    net = Network(STATE, "y_hat[T] = softmax(V @ a[T])")
    assert net.objective == net.loss and str(net.loss.time) == "T"
    assert net.spans["y"].single and not net.spans["x"].single


def test_data_used_at_numbers_only_is_as_long_as_the_greatest() -> None:
    net = Network("a[1] = tanh(U @ x[1] + V @ x[3])", "y_hat[1] = softmax(W @ a[1])")
    assert net.spans["x"].last == 3 and not net.lengths


WRONG_TIMES = {
    ("y_hat[T] = V @ a[t]",): "no meaning in an equation for a fixed time",
    ("a[T] = V @ x[T]",): "only the initial value a\\[0\\] can be given",
    ("y_hat[T] = V @ a[T]", "y_hat[1] = V @ a[1]"): "defined twice",
    ("y_hat[T] = V @ a[T_x]",): "T is the length of no sequence here",
    ("y_hat[t] = V @ a[T+1]",): "beyond the last value",
    ("y_hat[T] = V @ a[T-1]", "L[t] = y_hat[t].T @ y_hat[t]"): "gives a value at one time only",
    ("b[T] = a[T]", "y_hat[t] = V @ b[1]"): "has no value",
    ("y_hat[t] = V @ a[T_x] + Q @ a[T_y]",): "two lengths",
    ("c[t] = V @ a[T]", "y_hat[T] = Q @ c[T]", "a[0] = c[1]"): "needed to compute itself",
    ("a[t-1] = V @ x[t]",): "at a fixed time",
    ("y_hat[t] = V @ a[1000]",): "at most 100",
    ("a[0] = tanh(V @ x[1])", "y_hat[t] = Q @ a[t]"): "an equation of its own",
    ("c[t] = V @ x[t]", "c[0] = V @ x[1]", "y_hat[t] = Q @ c[t]"): "no initial value",
}


@pytest.mark.parametrize("equations", WRONG_TIMES, ids=lambda e: e[0])
def test_a_time_that_makes_no_sense_is_refused(equations: tuple[str, ...]) -> None:
    loss = None if any("L[" in e for e in equations) else "squared_error"
    with pytest.raises(InputError, match=WRONG_TIMES[equations]):
        Network(STATE, *equations, loss=loss)


@pytest.mark.parametrize("length", [0, -1, True, 2.5, "x", "t", "T y"])
def test_a_length_is_a_number_or_a_name(length: object) -> None:
    with pytest.raises(InputError, match="length of x"):
        Network(STATE, "y_hat[t] = softmax(V @ a[t])", lengths={"x": length})  # type: ignore[dict-item]
