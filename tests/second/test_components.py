"""Component equations: what is written out has the values that the evaluator gives it.

No reader is needed here: the scalar expressions are evaluated as they are, before printing.
"""

from __future__ import annotations

import re

import pytest
from math_core import LatexToMathML
from sympy import Symbol

import rnnsym as rs
from rnnsym.second.components import LONGEST
from rnnsym.second.sample import chosen
from rnnsym.second.scalars import Unreadable
from rnnsym.second.values import value
from tests.second.cases import components_of, small_case

MODELS = [
    "elman",
    "elman:activation=relu",
    "elman:activation=sigmoid,output=sigmoid,loss=binary_cross_entropy",
    "elman:activation=identity,output=identity,loss=squared_error",
    "elman:layers=2,residual",
    "elman:layers=3,dense",
    "elman:bidirectional",
    "elman:type=many-to-one,masked",
    "elman:type=one-to-many",
    "elman:type=encoder-decoder",
    "elman:shortcut=2",
    "elman:truncate=2",
    "lstm",
    "lstm:layers=2,bidirectional",
    "gru",
    "gru:reset=after",
    "mlp:steps=2",
    "conv:kernel=3",
    "attention:steps=3",
]


@pytest.mark.parametrize("model", MODELS)
def test_every_component_has_the_value_of_the_evaluator(model):
    case = small_case(model, steps=3)
    components, numbers = components_of(case)
    count = 0
    for equation in components.equations:
        for n in range(equation.size):
            of, _ = equation.place(n)
            e, uses = components.scalar(equation, n)
            given = {latex: numbers.number(q) for latex, q in uses.items()}
            assert {s.name for s in e.free_symbols} <= set(given)
            scale = abs(numbers.matrix(of)).max()
            assert abs(value(e, given) - numbers.number(of)) <= 1e-13 * max(scale, 1e-30)
            count += 1
    assert count == components.size > 10


@pytest.mark.parametrize("model", ["elman", "elman:activation=relu", "lstm", "gru:reset=after"])
def test_what_is_printed_is_portable_and_plain(model):
    components, _ = components_of(small_case(model))
    check = LatexToMathML(fancy_error=False)
    for c in components:
        assert not c.why
        check.convert_with_local_state(f"{c.left}={c.right}", displaystyle=True)
        for text in (c.left, c.right):
            commands = set(re.findall(r"\\[a-z]+", text))
            assert commands <= {r"\mathit", r"\cdot", r"\frac", r"\ln", r"\exp", r"\tanh"}
            assert not set("_^E~,;") & set(text) and "--" not in text
        assert set(re.findall(r"\\mathit{[^}]*}", c.left + c.right)) == set(c.uses)


def test_names_are_different_for_different_components():
    components, _ = components_of(small_case("lstm:layers=2"))
    names: dict[str, object] = {}
    for c in components:
        for latex, quantity in c.uses.items():
            assert names.setdefault(latex, quantity) == quantity


def test_an_unknown_function_cannot_be_read_and_the_rest_can():
    components, _ = components_of(small_case("elman:activation=g"))
    found = list(components)
    unread = [c for c in found if c.why]
    assert {(c.of.kind, c.of.name) for c in unread} == {("vector", "a"), ("adjoint", "z_a")}
    assert {c.why for c in unread} == {"g is an unknown function"}
    assert all(c.right for c in found if not c.why)


def test_what_is_detached_has_the_value_that_it_holds():
    plain, _ = components_of(small_case("elman", steps=3))
    cut, _ = components_of(small_case("elman:truncate=2", steps=3))
    forward = [
        [(c.left, c.right) for c in components if c.of.kind == "vector"]
        for components in (plain, cut)
    ]
    assert forward[0] == forward[1]
    backward = [
        [(c.left, c.right) for c in components if c.of.kind == "adjoint"]
        for components in (plain, cut)
    ]
    assert backward[0] != backward[1]


def test_states_beyond_the_ends_are_zero():
    components, _ = components_of(small_case("elman:shortcut=2"))
    first = next(c for c in components if (c.of.name, c.of.time) == ("z_a", 1))
    # a⟨0⟩ is given, a⟨-1⟩ is not there
    assert "a:0:" in first.right and "Waalag2" not in first.right


def test_long_sums_are_not_given_to_the_reader():
    net = rs.Network("y_hat[t] = W @ x[t]", loss="squared_error")
    components, _ = components_of(small_case(net, size=300))
    equation = components.equations[0]
    found = components.component(equation, 0)
    assert found.why == "too long" and not found.right
    assert len(next(iter(components_of(small_case(net))[0])).right) < LONGEST
    shapes = {"V": ("n_y", "m"), "W": ("m", "n_x")}
    deep = rs.Network("y_hat[t] = V @ (W @ x[t])", loss="squared_error", sizes=shapes)
    components, _ = components_of(small_case(deep, size=60))
    assert components.component(components.equations[0], 0).why == "too long"


def test_a_sample_has_some_of_every_equation():
    components, _ = components_of(small_case("lstm", steps=20, size=3))
    found = list(chosen(components, 0, 200, 10**9))
    assert len(found) == 200 < components.size
    drawn = {(c.of.kind, c.of.name) for c in found}
    assert drawn == {(e.kind, e.name) for e in components.equations}
    assert len({(c.of) for c in found}) == 200
    assert [c.of for c in chosen(components, 0, 200, 10**9)] == [c.of for c in found]
    # never fewer than one of each
    assert len(list(chosen(components, 0, characters=1))) == len(components.equations)
    small, _ = components_of(small_case("elman"))
    assert {c.of for c in chosen(small, 0)} == {c.of for c in small}


def test_a_size_without_a_value_is_refused():
    components, _ = components_of(small_case("elman"))
    with pytest.raises(Unreadable, match="no value"):
        components.scalars.number(Symbol("n_other"))
