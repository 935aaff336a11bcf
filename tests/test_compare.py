"""Recurrent networks beside others: what is counted is there, and formulas hold at each T."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from sympy import Integer, S, floor

import rnnsym as rs
from rnnsym.compare import NEIGHBOURS, SIZES, Comparison, compare, fitted, shortest, table
from rnnsym.documents.content import Document
from rnnsym.documents.terminal import terminal
from rnnsym.errors import InputError
from rnnsym.nodes import T


@pytest.fixture(scope="module")
def found() -> dict[str, Comparison]:
    return {c.model.partition(":")[0]: c for c in compare(NEIGHBOURS, steps=[10, 30])}


@pytest.mark.parametrize("spec", ["elman", "lstm", "gru:layers=2", "mlp:steps=T"])
def test_parameters_are_as_many_as_the_arrays_have_entries(spec: str) -> None:
    net = rs.model(spec.replace("T", "7"))
    at = {s: Integer(SIZES.get(name, SIZES["n_a"])) for name, s in net.sizes.items()}
    entries = [
        np.zeros([int(S(n).xreplace(at)) for n in w.shape]).size for w in net.parameters.values()
    ]
    [one] = compare([spec], steps=[7])
    assert one.counts[0].parameters == sum(entries)


def test_elman_has_as_many_parameters_as_in_pytorch() -> None:
    torch = pytest.importorskip("torch")
    rnn = torch.nn.RNN(SIZES["n_x"], SIZES["n_a"])
    head = torch.nn.Linear(SIZES["n_a"], SIZES["n_y"])
    entries = sum(p.numel() for p in (*rnn.parameters(), *head.parameters()))
    [one] = compare(["elman"], steps=[3])
    assert one.counts[0].parameters == entries - SIZES["n_a"], "PyTorch has a second bias"


def test_the_way_of_the_gradient(found: dict[str, Comparison]) -> None:
    """T - 1 steps in time, the layers that it takes, one look: and an edge in and an edge out."""
    assert found["elman"].path == T + 1
    assert found["mlp"].path == 2 and found["attention"].path == 3
    for n in range(2, 40):
        layers = math.ceil((n - 1) / 2)
        assert found["conv"].path.xreplace({T: Integer(n)}) == layers + 1


@pytest.mark.parametrize("kernel", [2, 3, 4, 6])
def test_a_convolution_needs_as_many_layers_as_its_kernel_says(kernel: int) -> None:
    [conv] = compare([f"conv:kernel={kernel},layers=enough"], steps=[9])
    for n in conv.verified:
        assert conv.path.xreplace({T: Integer(n)}) == math.ceil((n - 1) / (kernel - 1)) + 1


def test_with_a_layer_less_the_first_input_is_out_of_reach() -> None:
    """T = 10 takes ⌈9/2⌉ = 5 layers."""
    reached = {
        n: shortest(rs.model("conv", kernel=3, layers=n).unroll(10).reduced()) for n in (4, 5)
    }
    assert reached == {4: None, 5: 6}


def test_the_shortest_path_is_among_all_paths() -> None:
    for spec in ("elman:type=many-to-one", "lstm:shortcut=2", "elman:layers=2"):
        graph = rs.model(spec).unroll(4).reduced()
        lengths = [len(p) - 1 for p in graph.paths(("x", 1), ("y_hat", 4))]
        assert shortest(graph) == min(lengths)


def test_a_shortcut_shortens_the_way() -> None:
    plain, short = compare(["elman", "elman:shortcut=3"], steps=[16])
    assert (plain.counts[0].path, short.counts[0].path) == (17, 7)
    for n in short.verified:
        steps, rest = divmod(n - 1, 3)
        assert short.path.xreplace({T: Integer(n)}) == steps + rest + 2


def test_inputs_and_shared_weights(found: dict[str, Comparison]) -> None:
    assert [str(found[n].inputs) for n in ("elman", "mlp", "conv", "attention")] == [
        "n_x", "T*n_x", "3*n_x", "n_x",
    ]  # fmt: skip
    assert found["elman"].shared == ("W_ax",) and found["mlp"].shared == ()
    assert found["mlp"].alone == T and found["elman"].alone == 0
    assert set(found["attention"].shared) == {"W_q", "W_k", "W_v"}
    assert [found[n].any_length for n in ("elman", "mlp", "attention")] == [True, False, True]


def test_formulas_hold_at_a_length_that_they_were_not_made_from(
    found: dict[str, Comparison],
) -> None:
    for one in found.values():
        at = {T: Integer(30)} | {
            s: Integer(SIZES[s.name]) for s in one.parameters.free_symbols - {T}
        }
        assert one.parameters.xreplace(at) == one.counts[1].parameters
        assert one.path.xreplace(at) == one.counts[1].path


def test_a_formula_is_found_and_a_wrong_one_is_not() -> None:
    values = range(5, 16)
    assert fitted({n: n * n - 3 for n in values}) == T**2 - 3
    assert fitted({n: n // 4 + 7 for n in values}) == floor(T / 4) + 7
    assert fitted({n: n // 3 + n % 3 for n in values}) == T - 2 * floor(T / 3)
    with pytest.raises(InputError, match="the values: no formula in T"):
        fitted({n: n**3 for n in values})
    with pytest.raises(InputError, match="no formula"):
        fitted({n: 2 * n + (n == 15) for n in values})


def test_comparisons_are_json(found: dict[str, Comparison]) -> None:
    for one in found.values():
        again = json.loads(json.dumps(one.json()))
        assert again["path"] == str(one.path) and again["counts"][0]["steps"] == 10


def test_tables(found: dict[str, Comparison]) -> None:
    blocks = [table(list(found.values()), kind) for kind in ("parameters", "paths")]
    text = terminal(Document(("Table",), blocks))
    assert "T n_a n_x" in text and "none of T" in text and "W_q, W_k, W_v" in text
    assert text.count("T = 30") == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"specs": ["elmann"]}, "unknown model 'elmann'"),
        ({"specs": ["mlp:steps=T"], "steps": [1000]}, "steps='1000'"),
        ({"steps": [0]}, "whole numbers above zero"),
        ({"sizes": {"n_z": 3}}, "n_x, n_a, n_y can be given"),
        ({"sizes": {"n_x": 0}}, "above zero"),
        ({"specs": ["conv:kernel=2"]}, "no path leads from the first input"),
    ],
)
def test_bad_input(arguments: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        compare(**arguments)


def test_an_unknown_table_is_refused(found: dict[str, Comparison]) -> None:
    with pytest.raises(InputError, match="unknown table 'x': choose from parameters, paths"):
        table(list(found.values()), "x")
