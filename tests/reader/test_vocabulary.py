"""What the symbols of a document stand for, told from its own equations."""

from __future__ import annotations

import pytest

from rnnsym.reader.statements import read_formula
from rnnsym.reader.vocabulary import Vocabulary


def vocabulary(*latex: str, prose: str = "") -> Vocabulary:
    return Vocabulary([read_formula(x) for x in latex], prose)


def kinds(found: Vocabulary) -> dict[str, str]:
    return {e.name: e.kind for e in found.table.entries.values()}


def test_vectors_parameters_functions():
    found = vocabulary(r"h_t = \phi(W h_{t-1} + U x_t + b)", r"o_t = V h_t + c")
    assert kinds(found) == {
        **dict.fromkeys(["h", "x", "o"], "vector"),
        **dict.fromkeys(["W", "U", "b", "V", "c"], "parameter"),
    }
    assert found.table.functions == {"phi": "phi"}
    assert not found.table.rows


def test_rows():
    assert vocabulary(r"H_t = \phi(X_t W_{xh} + H_{t-1} W_{hh})").table.rows


@pytest.mark.parametrize(
    ("latex", "style"),
    [
        (r"h^{\langle t \rangle} = W h^{\langle t-1 \rangle}", "angle"),
        (r"h^{(t)} = W h^{(t-1)}", "round"),
        (r"h[t] = W h[t-1]", ""),
        (r"h_t = W h_{t-1}", "sub"),
        (r"h^t = W h^{t-1}", "sup"),
    ],
)
def test_where_times_stand(latex, style):
    found = vocabulary(latex)
    assert not style or style in found.table.styles


def test_the_letter_of_the_time():
    assert vocabulary(r"s_k = w s_{k-1} + u x_k").main == "k"
    assert vocabulary(r"h_t = W h_{t-1}").main == "t"


def test_the_loss_is_what_is_differentiated():
    found = vocabulary(
        r"h_t = W h_{t-1} + U x_t", r"\frac{\partial E_t}{\partial W} = 0", r"C_t = D h_t"
    )
    assert found.table.entries["E", (), ""].name == "L"
    assert found.table.entries["C", (), ""].name != "L"


def test_what_derivatives_are_taken_by_is_no_loss():
    found = vocabulary(
        r"S_t = w S_{t-1} + u x_t",
        r"\frac{\partial \xi}{\partial S_t} = \frac{\partial \xi}{\partial S_{t+1}} w",
        r"\frac{\partial S_t}{\partial S_{t-1}} = w",
    )
    assert found.table.entries["S", (), ""].name == "S"
    assert found.table.entries["xi", (), ""].name == "L"


def test_an_accent_is_no_loss():
    found = vocabulary(
        r"C_t = f_t C_{t-1} + \tilde{C}_t",
        r"\frac{\partial \tilde{C}_t}{\partial C_{t-1}} = 0",
    )
    assert found.table.entries["C", ("tilde",), ""].name == "C_tilde"


def test_entries_and_times_apart():
    found = vocabulary(r"h_i^{(t)} = f(\sum_j W_{ij} h_j^{(t-1)})")
    assert set(kinds(found)) == {"h", "W"}


def test_a_state_that_is_changed_afterwards():
    found = vocabulary(r"h_t = \tanh(W h_{t-1} + U x_t)", r"h_t = P h_t")
    assert [f.formula for f in found.forward] == [0]


def test_numbered_steps():
    found = vocabulary(r"h_t = W h_{t-1}", r"y_1 = V h_1", r"y_2 = V h_2")
    assert kinds(found)["y"] == "vector"


def test_a_closed_form_is_no_equation_of_the_network():
    found = vocabulary(r"h_t = W h_{t-1} + U x_t", r"h_t = \sum_{k=1}^{t} W^{t-k} U x_k")
    assert [f.formula for f in found.forward] == [0]


def test_a_scalar_network():
    assert vocabulary(r"s_k = w s_{k-1} + u x_k").scalar
    assert not vocabulary(r"h_t = W h_{t-1} + U x_t").scalar
