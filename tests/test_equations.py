"""Reading equations: every form of the grammar, every shape inferred, everything else refused."""

from __future__ import annotations

import builtins
import os
import time
from pathlib import Path
from typing import Any

import pytest
from sympy import MatAdd, MatMul, MatrixExpr, MatrixSymbol, Rational, Symbol, Transpose
from sympy.matrices.expressions import HadamardProduct, OneMatrix

from rnnsym.equations import MAX_TEXT, Equation, Reader
from rnnsym.errors import InputError
from rnnsym.nodes import Apply, Blocks, Softmax, TimeVector, parameters, t, time_vectors

n_a = Symbol("n_a", integer=True, positive=True)
n_x = Symbol("n_x", integer=True, positive=True)
a, x = TimeVector("a", n_a, t - 1), TimeVector("x", n_x, t)
W, U = MatrixSymbol("W", n_a, n_a), MatrixSymbol("U", n_a, n_x)
b, k = MatrixSymbol("b", n_a, 1), MatrixSymbol("k", 1, 1)
ONES = OneMatrix(n_a, 1)


def read(*texts: str, **options: Any) -> list[Equation]:
    reader = Reader(**options)
    for text in texts:
        reader.read(text)
    return reader.equations()


def rhs(text: str, **options: Any) -> MatrixExpr:
    return read(f"a[t] = {text}", **options)[0].rhs


# ---- the grammar -------------------------------------------------------------------------

FORMS: dict[str, MatrixExpr] = {
    "W @ a[t-1]": W * a,
    "W @ a[t-1] + U @ x[t] + b": MatAdd(W * a, U * x, b),
    "W @ a[t-1] - b": MatAdd(W * a, -1 * b),
    "-(W @ a[t-1] - b)": MatAdd(MatMul(-1, W, a), b),
    "+a[t-1]": a,
    "W @ (W @ a[t-1])": MatMul(W, W, a),
    "W @ W @ a[t-1]": MatMul(W, W, a),
    "W.T @ a[t-1]": MatMul(Transpose(W), a),
    "a[t-1] * b * a[t-1]": HadamardProduct(a, b, a),
    "a[t-1] ** 3": HadamardProduct(a, a, a),
    "a[t-1] ** 1": a,
    "b / a[t-1]": HadamardProduct(b, Apply("reciprocal", a)),
    "1 / a[t-1]": Apply("reciprocal", a),
    "a[t-1] / 4": Rational(1, 4) * a,
    "0.1 * a[t-1]": Rational(1, 10) * a,
    "2 * a[t-1] * 3": 6 * a,
    "2 + 3 * a[t-1]": MatAdd(2 * ONES, 3 * a),
    "a[t-1] * -2 * 3": -6 * a,
    "a[t-1] + 2 - 1 / 4": MatAdd(a, 2 * ONES, Rational(-1, 4) * ONES),
    "1 - a[t-1]": MatAdd(ONES, -1 * a),
    "2 / 4 * a[t-1]": Rational(1, 2) * a,
    "tanh(a[t-1])": Apply("tanh", a),
    "g(a[t-1])": Apply("g", a),
    "identity(a[t-1])": a,
    "softmax(a[t-1])": Softmax(a),
    "a[t-1].T.T": Transpose(Transpose(a)),
    "a[t - 1] ⊙ b": HadamardProduct(a, b),
    "a⟨t-1⟩ ∘ b": HadamardProduct(a, b),
    "W @ a⟨t−1⟩": W * a,
}


@pytest.mark.parametrize("text", FORMS)
def test_each_form_means_what_it_says(text: str) -> None:
    assert rhs(text, sizes={"W": ("n_a", "n_a"), "a": "n_a"}) == FORMS[text]


def test_a_list_is_a_concatenation() -> None:
    e = rhs("W @ [a[t-1], x[t], a[t-2]]")
    weight, column = e.args
    assert weight.shape == (n_a, 2 * n_a + n_x)
    assert column == Blocks([[a], [x], [a.at(t - 2)]])


def test_a_scalar_parameter_broadcasts() -> None:
    def spread(e: MatrixExpr) -> MatrixExpr:
        return MatMul(OneMatrix(n_a, 1), e)

    assert rhs("k * a[t-1]", scalars=["k"]) == HadamardProduct(spread(k), a)
    assert rhs("a[t-1] + k", scalars=["k"]) == MatAdd(a, spread(k))
    assert rhs("(1 - k) * a[t-1]", scalars=["k"]).shape == (n_a, 1)


def test_several_lines_comments_and_indentation_are_read() -> None:
    found = read("""
        # a gate
        f[t] = sigmoid(W @ a[t-1])   # forget
        a[t] = f[t] * a[t-1]
    """)
    assert [e.lhs.name for e in found] == ["f", "a"]
    assert str(found[1]) == "a[t] = f[t] * a[t-1]"


@pytest.mark.parametrize(("text", "value"), [("2 ** 3", 8), ("(3 - 1)", 2), ("(-1) * 2", -2)])
def test_numbers_are_computed(text: str, value: int) -> None:
    assert rhs(f"{text} * a[t-1]") == value * a


# ---- shapes ------------------------------------------------------------------------------


def shapes(*texts: str, **options: Any) -> dict[str, tuple[str, ...]]:
    table: dict[str, tuple[str, ...]] = {}
    for e in read(*texts, **options):
        for v in (e.lhs, *time_vectors(e.rhs), *parameters(e.rhs)):
            table[v.name] = tuple(map(str, v.shape))
    return table


@pytest.mark.parametrize(
    ("texts", "name", "shape"),
    [
        (["a[t] = W @ a[t-1] + U @ x[t] + b"], "U", ("n_a", "n_x")),
        (["a[t] = W @ a[t-1] + b"], "b", ("n_a", "1")),
        (["h[t] = U @ x[t]", "y[t] = V @ h[t]"], "V", ("n_y", "n_h")),
        (["a[t] = f[t] * a[t-1]", "f[t] = tanh(W @ x[t])"], "W", ("n_a", "n_x")),
        (["a[t] = W @ [a[t-1], x[t]]"], "W", ("n_a", "n_a + n_x")),
        (["c[t] = [a[t-1], x[t]] * d", "a[t] = V @ c[t]"], "d", ("n_a + n_x", "1")),
        (["a[t] = tanh(x[t])", "y[t] = softmax(a[t])"], "y", ("n_x", "1")),
        (["L[t] = x[t].T @ Q @ x[t]"], "Q", ("n_x", "n_x")),
        (["a[t] = W.T @ x[t] + a[t-1]"], "W", ("n_x", "n_a")),
        (["a[t] = a[t-1] ** 2 + b / c"], "c", ("n_a", "1")),
    ],
)
def test_shapes_follow_from_the_equations(
    texts: list[str], name: str, shape: tuple[str, str]
) -> None:
    sizes = {"L": 1} if "L[t]" in texts[0] else {}
    assert shapes(*texts, sizes=sizes)[name] == shape


def test_a_computed_number_broadcasts_or_is_refused() -> None:
    try:
        found = shapes("a[t] = (x[t].T @ Q @ x[t]) * a[t-1]", "y[t] = tanh(W @ a[t])")
    except InputError:
        return
    assert found["a"] == ("n_a", "1")


def test_sizes_can_be_given() -> None:
    found = shapes("a[t] = W @ a[t-1] + U @ x[t]", sizes={"a": "n", "U": ("n", "m")})
    assert found == {"a": ("n", "1"), "x": ("m", "1"), "W": ("n", "n"), "U": ("n", "m")}


# ---- errors ------------------------------------------------------------------------------

WRONG: dict[str, str] = {
    "a[t] = W @ a[t-1] + [a[t-1], x[t]]": "shape mismatch",
    "a[t] = [a[t], x[t]]": "shape mismatch",
    "a[t] = unheard(a[t-1])": "unknown function unheard",
    "a[t-1] = x[t]": "left-hand side must be a[t]",
    "a = x[t]": "left-hand side must be a vector",
    "a[t], b[t] = x[t]": "left-hand side must be a vector",
    "a[t] = b[t] = x[t]": "write an equation as",
    "a[t] += x[t]": "write an equation as",
    "a[t] = a @ x[t]": "both as a parameter and as a time-indexed vector",
    "a[t] = a[t-1].real": "only .T",
    "a[t] = tanh(x=a[t-1])": "takes one vector",
    "a[t] = tanh(a[t-1], x[t])": "takes one vector",
    "a[t] = tanh(1)": "needs a vector",
    "a[t] = W @ 2": "write * for a number",
    "a[t] = a[t-1] / 0": "division by zero",
    "a[t] = a[t-1] ** 999": "from 1 to 8",
    "a[t] = a[t-1] ** 0.5": "from 1 to 8",
    "a[t] = a[t-1] ** -1": "from 1 to 8",
    "a[t] = 2**10**10 * a[t-1]": "from 1 to 8",
    "a[t] = 1e999 * a[t-1]": "infinite",
    "a[t] = " + "9" * 400 + " * a[t-1]": "no number that can be used",
    "a[t] = 1j * a[t-1]": "no number that can be used",
    "a[t] = True * a[t-1]": "no number that can be used",
    "a[t] = 'a' + a[t-1]": "no number that can be used",
    "a[t] = ... + a[t-1]": "no number that can be used",
    "a[t] = f'{a}' + a[t-1]": "not understood",
    "a[t] = (lambda: a[t-1])()": "takes one vector",
    "a[t] = lambda: 1": "not understood",
    "a[t] = [a[t-1] for i in x[t]]": "not understood",
    "a[t] = (q := a[t-1])": "not understood",
    "a[t] = a[t-1] if 1 else x[t]": "not understood",
    "a[t] = a[t-1] % 2": "not understood",
    "a[t] = not a[t-1]": "not understood",
    "a[t] = {a[t-1]}": "not understood",
    "a[t] = *a[t-1]": "",
    "a[t] = (a[t-1], x[t])": "not understood",
    "a[t] = [a[t-1]]": "at least two vectors",
    "a[t] = a[0+1]": "must be t, t-1",
    "a[t] = a[t*2]": "must be t, t-1",
    "a[t] = a[t-1:t]": "must be t, t-1",
    "a[t] = a[t-1][t]": "only a name has a time",
    "a[t] = T * a[t-1]": "cannot be used as the name of a parameter",
    "a[t] = tanh * a[t-1]": "cannot be used as the name of a parameter",
    "import os": "write an equation as",
    "print(1)": "write an equation as",
    "del a": "write an equation as",
    "a[t] = (": "never closed",
    "a[t] = a[t-1]\x00": "null bytes",
}


@pytest.mark.parametrize("text", WRONG, ids=lambda s: s[:40])
def test_an_error_names_the_equation_and_what_is_wrong(text: str) -> None:
    with pytest.raises(InputError) as error:
        read("h[t] = tanh(x[t])", text)
    assert WRONG[text] in str(error.value)
    start = text.split("\x00")[0]
    assert start in str(error.value).replace("\\x00", "")


def test_an_unknown_function_lists_the_known_ones_and_the_way_out() -> None:
    with pytest.raises(InputError, match=r"tanh.*functions=\['swish'\]"):
        rhs("swish(a[t-1])")
    assert rhs("swish(a[t-1])", functions=["swish"]) == Apply("swish", a)


def test_a_shape_that_does_not_follow_is_asked_for() -> None:
    with pytest.raises(InputError, match=r"shape of A does not follow.*sizes="):
        rhs("A @ B @ a[t-1]")
    assert rhs("A @ B @ a[t-1]", sizes={"A": ("n_a", "r")}).shape == (n_a, 1)


@pytest.mark.parametrize("size", [0, -1, True, 1.5, "1; exit(7)", "", None])
def test_a_size_is_a_name_or_a_positive_integer(size: Any) -> None:
    with pytest.raises(InputError, match="neither a name nor a positive integer"):
        read("a[t] = x[t]", sizes={"a": size})


# ---- hostile input -----------------------------------------------------------------------

HUGE: dict[str, str] = {
    "too long": "a[t] = " + "x[t] + " * MAX_TEXT + "x[t]",
    "200,000 characters": "9" * 200_000,
    "10,000 parentheses": "a[t] = " + "(" * 9_990 + "x[t]" + ")" * 9_990,
    "a sum of 2,000": "a[t] = " + "+".join(["x[t]"] * 2_000),
    "5,000 signs": "a[t] = " + "-" * 5_000 + "x[t]",
    "2,000 transposes": "a[t] = x[t]" + ".T" * 2_000,
    "powers of powers": "a[t] = " + "(" * 60 + "x[t]" + "**9)" * 60,
}


@pytest.mark.parametrize("text", HUGE.values(), ids=list(HUGE))
def test_what_is_too_large_is_refused_at_once(text: str) -> None:
    start = time.perf_counter()
    with pytest.raises(InputError):
        read(text)
    assert time.perf_counter() - start < 2


def test_powers_of_powers_are_refused() -> None:
    with pytest.raises(InputError):
        Reader().read("a[t] = " + "(" * 30 + "x[t]" + "**8)" * 30)


def test_a_lag_without_end_is_refused() -> None:
    with pytest.raises(InputError):
        read("a[t] = W @ a[t-999999999999]")


def test_sixty_parentheses_are_no_nesting() -> None:
    assert rhs("(" * 60 + "a[t-1]" + ")" * 60) == a


def test_sixty_nested_functions_are_read_in_no_time() -> None:
    """SymPy's own tanh(tanh(…)) would take time exponential in the depth."""
    start = time.perf_counter()
    e = rhs("tanh(" * 60 + "a[t-1]" + ")" * 60)
    assert e.shape == (n_a, 1) and time.perf_counter() - start < 1


PAYLOADS = [
    "__import__('os').system('touch {}')",
    "open('{}', 'w')",
    "exec(\"open('{}', 'w')\")",
    "eval(\"open('{}', 'w')\")",
    "[open('{}', 'w') for q in x[t]]",
    "(lambda: open('{}', 'w'))()",
    "f\"{{open('{}', 'w')}}\"",
    "x[open('{}', 'w')]",
    "x[t].__class__.__base__.__subclasses__()",
    "tanh.__globals__['open']('{}', 'w')",
]


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("place", ["a[t] = {}", "{}", "a[{}] = x[t]", "a[t] = tanh(x[t] + {})"])
def test_nothing_is_executed(
    payload: str, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "written"
    text = place.format(payload.format(target))

    def caught(*args: Any, **_: Any) -> Any:
        raise SystemExit(f"executed: {args}")

    with monkeypatch.context() as patch:
        patch.setattr(os, "system", caught)
        patch.setattr(builtins, "eval", caught)
        patch.setattr(builtins, "exec", caught)
        with pytest.raises(InputError):
            read(text)
    assert not target.exists()


@pytest.mark.parametrize("name", ["__import__", "exec", "lambda_", "_", "E", "I", "S", "λ", "W_ax"])
def test_a_name_is_just_a_name(name: str) -> None:
    e = rhs(f"{name} @ a[t-1]", sizes={"a": "n_a"})
    assert e == MatrixSymbol(name, n_a, n_a) * a
    assert rhs(f"a[t-1] * {name}[t]") == HadamardProduct(a, TimeVector(name, n_a, t))
