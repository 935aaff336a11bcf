"""Truncated backpropagation: what is cut, what is left, and what is left out, exactly."""

from __future__ import annotations

from typing import Any

import pytest
from sympy import Integer

import rnnsym as rs
from rnnsym.derive.recurrence import chunk_start
from rnnsym.derive.truncation import window_start
from rnnsym.errors import InputError
from rnnsym.nodes import Joined, TimeSum, t


@pytest.mark.parametrize("window", [("K",), (2,), (3,), ("K_1", "K_2"), (1, 3), (2, 3)], ids=str)
@pytest.mark.parametrize(("cell", "weight"), [("elman", "W_aa"), ("lstm", "W_ia"), ("gru", "b_r")])
def test_the_truncated_gradient_and_the_remainder_are_the_gradient(
    cell: str, weight: str, window: tuple[Any, ...]
) -> None:
    derivation = rs.model(cell).truncation(weight, *window)
    assert all(check.ok for check in derivation.check()) and len(derivation.steps) == 4


def test_what_a_truncated_network_has_for_its_gradient_is_the_part_that_is_kept() -> None:
    """The sum of the derivation of `truncate=3` has the limits of the cut sum."""
    truncated = rs.elman(truncate=3).derive("W_aa")
    cut = next(step for step in truncated if step.rule == "truncation").after
    kept: Any = rs.elman().truncation("W_aa", 3).steps[1].after.args[-1]
    assert isinstance(cut, TimeSum) and cut.args[1][1:] == kept.args[1][1:]


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_a_chunk_begins_where_the_last_one_ended(size: int) -> None:
    for time in range(1, 12):
        start = int(chunk_start(size, Integer(time)))
        assert start <= time < start + size and (start - 1) % size == 0
        for before in range(start, time):
            assert Joined(Integer(size), Integer(before), Integer(time)) == 1
        assert start == 1 or Joined(Integer(size), Integer(start - 1), Integer(time)) == 0


@pytest.mark.parametrize(("every", "back"), [(1, 1), (1, 4), (2, 2), (2, 5), (3, 4)])
def test_a_window_reaches_back_from_the_end_of_its_stretch(every: int, back: int) -> None:
    for time in range(1, 12):
        end = -(-time // every) * every
        assert int(window_start(every, back, Integer(time))) == max(1, end - back + 1)
    if every == back:
        assert window_start(every, back, Integer(7)) == chunk_start(every, Integer(7))


def test_a_loss_does_not_see_beyond_its_chunk() -> None:
    """dL⟨t⟩/dx⟨k⟩ is zero across a border: the exact field, while the values do depend on x⟨k⟩."""
    from rnnsym.evaluate.field import FieldArithmetic
    from rnnsym.evaluate.point import field_point
    from rnnsym.evaluate.trajectory import Truth
    from rnnsym.nodes import Total
    from rnnsym.sizes import choose_sizes

    found = {}
    for truncate in ("no", 2):
        net = rs.elman(truncate=truncate)
        symbols, ar = choose_sizes(net, 6), FieldArithmetic(0)
        truth = Truth(net, field_point(net, ar, symbols, 0), ar)
        x, loss = net.vectors["x"], net.loss
        for at, k in [(6, 5), (6, 4), (4, 3), (4, 2), (2, 1)]:
            row = truth.derivative(Total(loss.at(at), x.at(k)))
            found[truncate, at, k] = any(int(v) for v in row.entries())
    assert all(found["no", at, k] for at, k in [(6, 5), (6, 4), (4, 3), (4, 2), (2, 1)])
    assert found[2, 6, 5] and found[2, 4, 3] and found[2, 2, 1]
    assert not found[2, 6, 4] and not found[2, 4, 2]


@pytest.mark.parametrize(
    ("spec", "weight", "window", "message"),
    [
        ("elman", "b_y", ("K",), "leaves out nothing"),
        ("elman:layers=2", "W_aa_l1", ("K",), "one block of states"),
        ("elman:bidirectional", "W_aa_bwd", ("K",), "runs forwards"),
        ("elman:type=many-to-one", "W_aa", ("K",), "loss at each step"),
        ("elman", "W_aa", (0,), "no number of steps"),
        ("elman", "W_aa", ("2K",), "no number of steps"),
        ("elman", "W_aa", (4, 2), "K2 >= K1"),
    ],
)
def test_what_has_no_such_form_is_refused(
    spec: str, weight: str, window: tuple[Any, ...], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        rs.model(spec).truncation(weight, *window)


@pytest.mark.parametrize("text", ["detach(a[t-1])", "detach(a[t-1], 0)", "detach(W, 2)",
                                  "detach(a[t-1], 2.5)", "detach(a[0], 2)"])  # fmt: skip
def test_detach_needs_a_vector_and_a_number_of_steps(text: str) -> None:
    with pytest.raises(InputError):
        rs.Network(f"a[t] = tanh(W @ {text} + U @ x[t])", "y_hat[t] = softmax(V @ a[t])")


def test_chunks_of_one_step_carry_nothing() -> None:
    derivation = rs.elman(truncate=1).derive("W_aa")
    assert all(check.ok for check in derivation.check())
    assert not any(step.rule in ("naive chain rule", "missing part") for step in derivation)
    assert t in derivation.steps[0].after.bound_symbols
