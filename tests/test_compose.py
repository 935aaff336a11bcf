"""Stacks of cells: their equations as one would write them, and that every gradient is right."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import rnnsym as rs
from rnnsym.cells import CELLS
from rnnsym.compose import ALONE, MAX_LAYERS, MAX_SHORTCUT, Plan, free_letter, stack
from rnnsym.errors import InputError
from rnnsym.models import options_of
from rnnsym.verify.steps import failures

CELL = "a[t] = tanh(W_aa @ a[t-1] + W_ax @ x[t] + b_a)"


def cell_text(name: str, **options: str) -> str:
    cell = CELLS[name]
    chosen = {key: values[0] for key, values in options_of(cell).items()} | options
    return cell.equations(chosen)


# ---- the equations -----------------------------------------------------------------------


def test_a_cell_by_itself_keeps_its_names() -> None:
    for name in CELLS:
        text = cell_text(name)
        made = stack(text)
        assert list(made.equations) == [line.strip() for line in text.strip().splitlines()]
        assert made.output == "a[t]" and made.residual is None
    assert stack(cell_text("lstm")).states == ("c", "a")


WRITTEN: dict[str, tuple[Plan, list[str], str]] = {
    "layers": (
        Plan(layers=2),
        [
            "a_l1[t] = tanh(W_aa_l1 @ a_l1[t-1] + W_ax_l1 @ x[t] + b_a_l1)",
            "a_l2[t] = tanh(W_aa_l2 @ a_l2[t-1] + W_ax_l2 @ a_l1[t] + b_a_l2)",
        ],
        "a_l2[t]",
    ),
    "bidirectional": (
        Plan(bidirectional=True),
        [
            "a_fwd[t] = tanh(W_aa_fwd @ a_fwd[t-1] + W_ax_fwd @ x[t] + b_a_fwd)",
            "a_bwd[t] = tanh(W_aa_bwd @ a_bwd[t+1] + W_ax_bwd @ x[t] + b_a_bwd)",
        ],
        "[a_fwd[t], a_bwd[t]]",
    ),
    "residual": (
        Plan(layers=3, residual=True),
        [
            "a_l1[t] = tanh(W_aa_l1 @ a_l1[t-1] + W_ax_l1 @ x[t] + b_a_l1)",
            "a_l2[t] = tanh(W_aa_l2 @ a_l2[t-1] + W_ax_l2 @ a_l1[t] + b_a_l2)",
            "h_l2[t] = a_l2[t] + a_l1[t]",
            "a_l3[t] = tanh(W_aa_l3 @ a_l3[t-1] + W_ax_l3 @ h_l2[t] + b_a_l3)",
            "h_l3[t] = a_l3[t] + h_l2[t]",
        ],
        "h_l3[t]",
    ),
    "dense": (
        Plan(layers=3, dense=True),
        [
            "a_l1[t] = tanh(W_aa_l1 @ a_l1[t-1] + W_ax_l1 @ x[t] + b_a_l1)",
            "a_l2[t] = tanh(W_aa_l2 @ a_l2[t-1] + W_ax_l2 @ [a_l1[t], x[t]] + b_a_l2)",
            "a_l3[t] = tanh(W_aa_l3 @ a_l3[t-1] + W_ax_l3 @ [a_l2[t], a_l1[t], x[t]] + b_a_l3)",
        ],
        "a_l3[t]",
    ),
    "shortcut": (
        Plan(shortcut=3),
        ["a[t] = tanh(W_aa @ a[t-1] + W_aa_lag3 @ a[t-3] + W_ax @ x[t] + b_a)"],
        "a[t]",
    ),
    "all": (
        Plan(2, bidirectional=True, residual=True, dense=True, shortcut=2),
        [
            "a_fwd_l1[t] = tanh(W_aa_fwd_l1 @ a_fwd_l1[t-1] + W_aa_lag2_fwd_l1 @ a_fwd_l1[t-2]"
            " + W_ax_fwd_l1 @ x[t] + b_a_fwd_l1)",
            "a_bwd_l1[t] = tanh(W_aa_bwd_l1 @ a_bwd_l1[t+1] + W_aa_lag2_bwd_l1 @ a_bwd_l1[t+2]"
            " + W_ax_bwd_l1 @ x[t] + b_a_bwd_l1)",
            "a_fwd_l2[t] = tanh(W_aa_fwd_l2 @ a_fwd_l2[t-1] + W_aa_lag2_fwd_l2 @ a_fwd_l2[t-2]"
            " + W_ax_fwd_l2 @ [a_fwd_l1[t], a_bwd_l1[t], x[t]] + b_a_fwd_l2)",
            "h_fwd_l2[t] = a_fwd_l2[t] + a_fwd_l1[t]",
            "a_bwd_l2[t] = tanh(W_aa_bwd_l2 @ a_bwd_l2[t+1] + W_aa_lag2_bwd_l2 @ a_bwd_l2[t+2]"
            " + W_ax_bwd_l2 @ [a_fwd_l1[t], a_bwd_l1[t], x[t]] + b_a_bwd_l2)",
            "h_bwd_l2[t] = a_bwd_l2[t] + a_bwd_l1[t]",
        ],
        "[h_fwd_l2[t], h_bwd_l2[t]]",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRITTEN)
def test_the_equations_are_those_one_would_write(name: str) -> None:
    plan, equations, output = WRITTEN[name]
    made = stack(CELL, plan)
    assert list(made.equations) == equations and made.output == output


def test_a_shortcut_is_beside_every_product_with_the_last_output_and_nowhere_else() -> None:
    made = stack(cell_text("lstm"), Plan(shortcut=4))
    assert sum(e.count("a[t-4]") for e in made.equations) == 4
    assert not any("c[t-4]" in e for e in made.equations)
    before = stack(cell_text("gru", reset="before"), Plan(shortcut=2)).equations
    assert before[2] == (
        "a_tilde[t] = tanh(W_aa @ (r[t] * a[t-1]) + W_aa_lag2 @ (r[t] * a[t-2])"
        " + W_ax @ x[t] + b_a)"
    )
    assert before[3] == "a[t] = u[t] * a[t-1] + (1 - u[t]) * a_tilde[t]"
    after = stack(cell_text("gru", reset="after"), Plan(shortcut=2)).equations
    assert "r[t] * (W_aa @ a[t-1] + W_aa_lag2 @ a[t-2] + b_aa)" in after[2]


def test_a_shortcut_goes_beside_the_inner_product_with_all_of_its_weights() -> None:
    made = stack("a[t] = tanh(V @ (W @ a[t-1])) - U @ R @ a[t-1]", Plan(shortcut=2))
    assert made.equations == (
        "a[t] = tanh(V @ (W @ a[t-1] + W_lag2 @ a[t-2]))"
        " - (U @ R @ a[t-1] + U_lag2 @ R_lag2 @ a[t-2])",
    )


def test_times_are_mirrored_and_an_input_at_another_time_is_the_lower_layer_then() -> None:
    made = stack("a[t] = W @ a[t-2] + U @ x[t-1] + V.T @ x[t+3]", Plan(2, bidirectional=True))
    assert made.equations[1] == (
        "a_bwd_l1[t] = W_bwd_l1 @ a_bwd_l1[t+2] + U_bwd_l1 @ x[t+1] + V_bwd_l1.T @ x[t-3]"
    )
    assert made.equations[2] == (
        "a_fwd_l2[t] = W_fwd_l2 @ a_fwd_l2[t-2] + U_fwd_l2 @ [a_fwd_l1[t-1], a_bwd_l1[t-1]]"
        " + V_fwd_l2.T @ [a_fwd_l1[t+3], a_bwd_l1[t+3]]"
    )


def test_two_stacks_in_one_network_have_different_names() -> None:
    encoder = stack(CELL, Plan(2, residual=True), suffix="_enc")
    assert encoder.output == "h_enc_l2[t]" and encoder.states == ("a_enc_l1", "a_enc_l2")
    decoder = stack(CELL, Plan(1), source=f"[{encoder.output}, x[t]]", suffix="_dec")
    assert decoder.equations == (
        "a_dec[t] = tanh(W_aa_dec @ a_dec[t-1] + W_ax_dec @ [h_enc_l2[t], x[t]] + b_a_dec)",
    )
    head = f"y_hat[t] = softmax(W_ya @ {decoder.output} + b_y)"
    net = rs.Network(*encoder.equations, *decoder.equations, head)
    assert set(net.states) == {*encoder.states, *decoder.states}
    assert rs.verify(net, steps=3, against=["exact"]).ok


def test_states_are_what_the_network_finds_carried() -> None:
    for name, bidirectional in itertools.product(CELLS, (False, True)):
        plan = Plan(2, bidirectional=bidirectional)
        made = stack(cell_text(name), plan)
        net = rs.Network(*made.equations, f"y_hat[t] = softmax(W_ya @ {made.output})")
        assert sorted(made.states) == sorted(net.states)


def test_functions_and_numbers_are_not_renamed() -> None:
    made = stack("a[t] = 0.5 * g(W @ a[t-1] + U @ x[t]) / 2", Plan(2))
    assert made.equations[0] == "a_l1[t] = 0.5 * g(W_l1 @ a_l1[t-1] + U_l1 @ x[t]) / 2"


# ---- letters -----------------------------------------------------------------------------


def test_residual_outputs_have_a_letter_of_their_own() -> None:
    assert free_letter({"a", "W_aa"}) == "h"
    assert free_letter({"h_tilde", "W"}) == "r" and free_letter({"h", "r^f", "W"}) == "v"
    with pytest.raises(InputError, match="uses all of the letters"):
        free_letter("hrvqpgd")
    taken = "h[t] = tanh(U @ x[t])\na[t] = tanh(W @ a[t-1] + h[t])"
    assert stack(taken, Plan(2, residual=True)).residual == "r"


@pytest.mark.parametrize("name", CELLS)
def test_residual_outputs_are_named_in_every_notation(name: str) -> None:
    for notation, names in rs.model(name, layers=2, residual=True).notations.items():
        letters = [value.split("_")[0] for key, value in names.items() if key != "h"]
        assert names["h"] not in letters, notation


# ---- what is refused ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layers": 0}, "layers=0"),
        ({"layers": MAX_LAYERS + 1}, "from 1 to 64"),
        ({"shortcut": 1}, "the recurrence itself"),
        ({"shortcut": 0}, "from 2 to 100"),
        ({"shortcut": MAX_SHORTCUT + 1}, "from 2 to 100"),
        ({"residual": True}, "residual connects .* choose layers=2 or more"),
        ({"dense": True}, "dense connects .* choose layers=2 or more"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Plan(**options)


def test_a_shortcut_without_a_product_beside_it_is_refused() -> None:
    for text in ("a[t] = W @ x[t] + u * a[t-1]", "a[t] = W @ a[t-2] + U @ x[t]"):
        with pytest.raises(InputError, match=r"no product of a weight and a\[t-1\]"):
            stack(text, Plan(shortcut=2))


def test_other_times_in_a_cell_are_refused() -> None:
    with pytest.raises(InputError, match="must be t, t-1"):
        stack("a[t] = W @ a[2*t]", ALONE)


# ---- that every gradient is right --------------------------------------------------------

COMBINATIONS = [
    "elman:layers=2",
    "elman:layers=4",
    "elman:bidirectional",
    "elman:layers=3,bidirectional",
    "elman:layers=3,residual",
    "elman:layers=3,dense",
    "elman:layers=3,residual,dense,activation=g",
    "elman:shortcut=2",
    "elman:layers=2,shortcut=2,output=sigmoid",
    "elman:layers=2,bidirectional,residual,dense,shortcut=2",
    "lstm:layers=2",
    "lstm:bidirectional,output=identity",
    "lstm:shortcut=2",
    "lstm:layers=2,residual,dense",
    "gru:layers=2,reset=after,activation=relu",
    "gru:layers=2,bidirectional,residual",
    "gru:layers=2,reset=after,shortcut=2",
]
SLOW = [
    f"{cell}:layers=2,bidirectional,residual,dense,shortcut=2" for cell in ("lstm", "gru")
] + ["lstm:layers=3,bidirectional"]  # fmt: skip


@pytest.mark.torch
@pytest.mark.parametrize(
    "spec", [*COMBINATIONS, *(pytest.param(spec, marks=pytest.mark.slow) for spec in SLOW)]
)
def test_every_gradient_agrees(spec: str) -> None:
    report = rs.verify(rs.model(spec), steps=3, against=["bptt", "exact", "torch"])
    assert report.ok, report.text()
    assert report.notes["bptt"].startswith("reference: tape")


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_a_shortcut_may_be_longer_than_the_sequence(steps: int) -> None:
    net = rs.elman(shortcut=3, bidirectional=True)
    assert rs.verify(net, steps=steps, against=["bptt", "exact"]).ok


STEPS_HOLD = ["elman:layers=3,residual,dense", "elman:layers=2,bidirectional", "lstm:shortcut=2"]
STEPS_HOLD += ["elman:layers=2,bidirectional,residual"]


@pytest.mark.parametrize("spec", STEPS_HOLD)
def test_every_step_of_a_derivation_holds(spec: str) -> None:
    net = rs.model(spec)
    for wrt in [*list(net.parameters)[:2], *list(net.parameters)[-3:], *list(net.states)[:1]]:
        assert not [f"{c.step.rule}: {c.text}" for c in failures(net.derive(wrt).check())]


def test_a_batch_is_the_sum_of_its_members() -> None:
    net = rs.gru(layers=2, bidirectional=True, residual=True, shortcut=2)
    rng = np.random.default_rng(0)
    sizes = dict.fromkeys(net.sizes.values(), 3)
    params = {
        name: rng.standard_normal([int(n.subs(sizes)) for n in w.shape if n != 1])
        for name, w in net.parameters.items()
    }
    x, y = rng.standard_normal((4, 2, 3)), rng.dirichlet(np.ones(3), (4, 2))
    f = net.gradients()
    loss, gradients = f(params, x, y)
    single = [f(params, x[:, i], y[:, i]) for i in range(2)]
    assert np.isclose(loss, sum(value for value, _ in single), rtol=1e-13)
    for name, gradient in gradients.items():
        assert np.allclose(gradient, sum(g[name] for _, g in single), rtol=1e-11, atol=1e-13)


def test_many_layers_are_built() -> None:
    net = rs.elman(layers=MAX_LAYERS)
    assert len(net.states) == MAX_LAYERS and len(net.parameters) == 3 * MAX_LAYERS + 2
    assert len(rs.lstm(layers=12, dense=True, bidirectional=True).states) == 48
