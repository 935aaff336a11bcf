"""What the emitted source looks like, what it refuses, and that no name gets into it."""

from __future__ import annotations

import ast
import builtins
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sympy import MatAdd, MatMul, MatrixSymbol, Symbol

from rnnsym import functions, models, rules
from rnnsym.algebra import add, had, ones, subtract
from rnnsym.emit import BACKENDS, compiled, function, register, source
from rnnsym.emit.functions import FUNCTIONS
from rnnsym.errors import InputError
from rnnsym.network import Network
from rnnsym.nodes import Apply, TimeVector, t
from tests.emit.nets import ODD, TIMED, Example, difference

GOLDEN = Path(__file__).with_name("golden_elman.txt")
RUFF = shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff")


def test_elman_is_this_source() -> None:
    """To renew it: python -m tests.emit.test_source"""
    assert source(models.build("elman", {})) == GOLDEN.read_text(encoding="utf-8")


def test_an_unknown_backend_is_named_with_those_that_exist() -> None:
    with pytest.raises(InputError, match=r"unknown backend 'fortran': choose from .*numpy"):
        source(models.build("elman", {}), "fortran")


def test_a_backend_is_an_entry_in_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BACKENDS, "names", lambda net: " ".join(net.parameters))
    assert source(models.build("elman", {}), "names") == "W_aa W_ax b_a W_ya b_y"


@pytest.mark.parametrize("name", ODD | TIMED)
def test_the_same_source_every_time(name: str) -> None:
    make = (ODD | TIMED)[name]
    assert source(make()) == source(make())


def test_the_same_source_in_other_processes() -> None:
    code = (
        "from rnnsym import models; from rnnsym.emit import source;"
        "print(source(models.build('lstm', {})), end='')"
    )
    for seed in ("1", "2"):
        run = subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."},
            capture_output=True, text=True, check=True, encoding="utf-8",
        )  # fmt: skip
        assert run.stdout == source(models.build("lstm", {}))


def test_it_imports_numpy_only(tmp_path: Path) -> None:
    text = source(models.build("gru", {}))
    imports = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Import | ast.ImportFrom)]
    assert [a.name for n in imports for a in n.names] == ["math", "numpy"]
    (tmp_path / "net.py").write_text(text, encoding="utf-8")
    code = "import sys, net; assert not [m for m in sys.modules if m.startswith(('sym', 'rnn'))]"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)


@pytest.mark.skipif(RUFF is None, reason="ruff is not installed")
def test_ruff_has_no_complaint(tmp_path: Path) -> None:
    assert RUFF
    for i, make in enumerate(ODD.values()):
        (tmp_path / f"net_{i}.py").write_text(source(make()), encoding="utf-8")
    for i, make in enumerate(TIMED.values()):
        (tmp_path / f"timed_{i}.py").write_text(source(make()), encoding="utf-8")
    for cell in ("elman", "lstm", "gru"):
        (tmp_path / f"{cell}.py").write_text(source(models.build(cell, {})), encoding="utf-8")
    command = [RUFF, "check", "--config", "pyproject.toml", str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout


def test_comments_tell_the_equations() -> None:
    text = source(models.build("elman", {}))
    assert "# z_a⟨t⟩ = W_aa a⟨t-1⟩ + W_ax x⟨t⟩ + b_a" in text
    assert "# δ_a⟨t⟩ = W_aaᵀ δ_z_a⟨t+1⟩ + W_yaᵀ δ_z_y_hat⟨t⟩" in text


def test_what_does_not_depend_on_the_loop_is_not_in_it() -> None:
    """x⟨t⟩ and the slope of the activation come for all steps at once."""
    text = source(models.build("elman", {}))
    loops = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.For)]
    steps = [ast.unparse(n) for n in loops if "_steps" in ast.unparse(n.iter)]
    assert len(steps) == 2
    assert not any(re.search(r"\b(W_ax|W_ya)\b", s) for s in steps)
    assert [s.count(".dot(") for s in steps] == [1, 1]


def test_a_common_product_of_the_gru_is_computed_once() -> None:
    text = source(models.build("gru", {}))
    (backward,) = (
        ast.unparse(n)
        for n in ast.walk(ast.parse(text))
        if isinstance(n, ast.For) and "backward" in ast.unparse(n.iter)
    )
    assert backward.count(".dot(W_aa,") == 1


# Names of the user's.

HOSTILE = [
    "__import__('os').system('touch /tmp/rnnsym_was_here')",
    "a\nimport os",
    '"""\nraise SystemExit(1)\n"""',
    "'; raise SystemExit #",
    "{x}",
    "\\",
    "lambda",
    "np",
    "x y",
    "W_{ax}",
    "ŷ\u202e",
    "1",
    "",
    "loss",
    "T",
    "_arguments",
    "print",
]


def hostile(name: str, other: str) -> Network:
    """a = tanh(W a⟨t-1⟩ + U x): the state has one hostile name, the weight another."""
    n, m = Symbol(f"n {name}", integer=True, positive=True), Symbol("n_x", positive=True)
    state = TimeVector(name, n, t)
    w, u = MatrixSymbol(other, n, n), MatrixSymbol("U", n, m)
    rhs = MatAdd(MatMul(w, state.at(t - 1)), MatMul(u, TimeVector("x", m, t)))
    output = TimeVector("y_hat", n, t), MatMul(2, state)
    return Network((state, Apply("tanh", rhs)), output, loss="squared_error")


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_harmless(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builtins, "input", lambda: pytest.fail("code of the name was run"))
    net = hostile(name, f"{name}'")
    example = Example(net)
    loss, found = function(net)(*example.arguments)
    expected_loss, expected = example.truth()
    assert difference(loss, expected_loss) < 1e-12
    assert found.keys() == expected.keys() == {f"{name}'", "U"}
    assert max(difference(found[w], expected[w]) for w in found) < 1e-12
    assert not Path("/tmp/rnnsym_was_here").exists()


@pytest.mark.parametrize("name", HOSTILE[:7])
def test_hostile_names_stay_in_string_literals(name: str) -> None:
    text = source(hostile(name, f"{name}'"))
    tree = ast.parse(text)
    names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    assert all(n.isascii() and n.isidentifier() for n in names)
    assert "system" not in {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    strings = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)}
    assert name in strings


def test_names_that_look_alike_stay_apart() -> None:
    n = Symbol("n", positive=True)
    a = TimeVector("a", n, t)
    first, second = MatrixSymbol("W a", n, n), MatrixSymbol("W_a", n, n)
    rhs = MatAdd(MatMul(first, a.at(t - 1)), MatMul(second, TimeVector("x", n, t)))
    example = Example(Network((a, rhs), loss="squared_error"))
    _, found = function(example.net)(*example.arguments)
    _, expected = example.truth()
    assert max(difference(found[w], expected[w]) for w in expected) < 1e-12


# Arguments that do not fit.


def elman(batch: int | None = None) -> tuple[Any, list[Any]]:
    example = Example(models.build("elman", {}), batch=batch)
    return function(example.net), list(example.arguments)


def refused(message: str, place: int, value: Any, batch: int | None = None) -> None:
    f, given = elman(batch)
    given[place] = value(given[place]) if callable(value) else value
    with pytest.raises(ValueError, match=message) as caught:
        f(*given)
    assert "\n" not in str(caught.value)


def test_parameters_of_the_wrong_shape_or_name() -> None:
    refused(r"b_a has shape \(4, 1\), expected \(n_a,\)", 0, lambda p: p | {"b_a": np.ones((4, 1))})
    refused(r"W_ax has shape \(2, 4\), expected \(n_a, n_x\) = \(4,", 0, lambda p: p | {
        "W_ax": p["W_ax"].T.copy()})  # fmt: skip
    refused(r"W_aa has shape \(4,\), expected \(n_a, n_a\)", 0, lambda p: p | {"W_aa": np.ones(4)})
    refused(r"params holds \['W_aa'.*'extra'\], expected", 0, lambda p: p | {"extra": 1.0})
    refused("params holds .*, expected", 0, lambda p: {"W_aa": p["W_aa"]})
    refused("b_y is an array of complex128", 0, lambda p: p | {"b_y": 1j * p["b_y"]})


def test_sequences_of_the_wrong_shape() -> None:
    refused(r"x has shape \(2,\), expected \(T, n_x\) or \(T, B, n_x\)", 1, lambda x: x[0])
    refused(r"y has shape \(3, 3\), expected .* = \(4, 3\)", 2, lambda y: y[:-1])
    refused(r"x has shape \(0, 2\): expected a step", 1, lambda x: x[:0])
    refused(r"y has shape \(4, 3\), expected .* = \(4, 5, 3\)", 2, lambda y: y[:, 0], batch=5)
    refused(r"x has shape \(4, 5, 2, 1\), expected", 1, lambda x: x[..., None], batch=5)
    f, (params, x, y, initial) = elman(batch=5)
    with pytest.raises(ValueError, match=r"x has shape \(4, 0, 2\): expected a step"):
        f(params, x[:, :0], y[:, :0], initial)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_numbers_that_are_not_finite() -> None:
    def with_a(number: float) -> Any:
        def change(array: Any) -> Any:
            array = array.copy()
            array.flat[1] = number
            return array

        return change

    def in_parameter(name: str, number: float) -> Any:
        return lambda p: p | {name: with_a(number)(p[name])}

    refused("W_aa .*holds a NaN", 0, in_parameter("W_aa", np.nan))
    for number in (np.nan, np.inf, -np.inf):
        refused("x .*holds a NaN or an infinite", 1, with_a(number))
        refused("y.* must sum to 1", 2, with_a(number))
        for name in ("W_ya", "b_a", "b_y"):
            refused(f"{name} .*holds a NaN or an infinite", 0, in_parameter(name, number))
        refused("initial a: expected 4 finite", 3, lambda i, n=number: {"a": with_a(n)(i["a"])})
    f, given = elman()
    given[1] = 1e200 * given[1]  # its squares overflow, which is no reason to refuse it
    assert np.isfinite(f(*given)[0])


def test_targets_that_are_no_distribution() -> None:
    refused("y: the entries of each step must sum to 1", 2, lambda y: y + 0.01)
    refused("y: .*none below 0", 2, lambda y: y + np.array([1, -1, 0]))
    f, given = elman()
    given[2] = given[2] + 2e-7
    f(*given)
    free = models.build("elman", {"output": "sigmoid", "loss": "binary_cross_entropy"})
    function(free)(given[0], given[1], np.full_like(given[2], 0.9))


def test_initial_states_that_do_not_fit() -> None:
    refused(r"initial: \['h'\], expected some of \('a',\)", 3, {"h": np.zeros(4)})
    refused(r"initial a has shape \(3,\), expected \(4,\)", 3, {"a": np.zeros(3)})
    refused(r"initial a has shape \(5, 4\), expected \(4,\)$", 3, {"a": np.zeros((5, 4))})
    refused(r"expected \(4,\) or \(5, 4\)", 3, {"a": np.zeros((4, 4))}, batch=5)
    net = Network("y_hat[t] = softmax(W @ x[t])")
    with pytest.raises(ValueError, match="no states"):
        function(net)({"W": np.eye(2)}, np.ones((1, 2)), np.eye(2)[:1], {"a": np.zeros(2)})


def test_several_inputs_are_a_dict() -> None:
    example = Example(ODD["two inputs"]())
    with pytest.raises(ValueError, match=r"x: expected a dict of the arrays \['x', 'u'\]"):
        function(example.net)(example.params, example.sequences["x"], example.y)


def test_scalars_with_or_without_an_axis() -> None:
    example = Example(ODD["leaky echo state"]())
    f = function(example.net)
    loss, found = f(*example.arguments)
    alpha = example.params["alpha"]
    for value in (float(np.squeeze(alpha)), np.reshape(alpha, 1)):
        example.params["alpha"] = value
        same, other = f(*example.arguments)
        assert loss == same
        assert other["alpha"].shape == np.shape(value)
        assert np.squeeze(other["alpha"]) == np.squeeze(found["alpha"])


# Functions of the user's.


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("tanh", "z", "code for 'tanh' already"),
        ("a b", "z", "identifier"),
        ("hard_swish", "z +", "no expression"),
        ("hard_swish", "__import__('os')", "use z and np only, not __import__"),
        ("hard_swish", "z\nimport os", "no expression"),
    ],
)
def test_functions_that_cannot_be_registered(name: str, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        register(name, text)
    if name == "hard_swish":
        with pytest.raises(InputError, match=message):
            compiled(name, text)


def test_a_registered_function(monkeypatch: pytest.MonkeyPatch) -> None:
    assert compiled("twice", "2 * z")(np.arange(2)).tolist() == [0, 2]
    for table in (FUNCTIONS, functions.KNOWN, rules.DERIVATIVES):
        for name in ("hard_swish", "slope_of_hard_swish"):
            monkeypatch.setitem(table, name, None)
            monkeypatch.delitem(table, name)
    register("hard_swish", "z / (1 + np.exp(-z))")
    functions.register("hard_swish", "\\operatorname{swish}")
    rules.register(
        "hard_swish",
        lambda z, a: add(a, had(Apply("sigmoid", z), subtract(ones(z.rows), a))),
    )
    net = Network("a[t] = hard_swish(W @ a[t-1] + U @ x[t])", "y_hat[t] = softmax(V @ a[t])")
    plain = Network(
        "z[t] = W @ a[t-1] + U @ x[t]",
        "a[t] = z[t] * sigmoid(z[t])",
        "y_hat[t] = softmax(V @ a[t])",
    )
    example = Example(plain)
    loss, found = function(net)(*example.arguments)
    expected_loss, expected = example.truth()
    assert difference(loss, expected_loss) < 1e-12
    assert max(difference(found[w], expected[w]) for w in found) < 1e-12


if __name__ == "__main__":
    GOLDEN.write_text(source(models.build("elman", {})), encoding="utf-8")
