"""Fixed times in a sequence: rows, and whether there are such steps at every length."""

from __future__ import annotations

import numpy as np
import pytest
from sympy import Expr, Integer

from rnnsym.emit.steps import bounds, certainly_within, least, outside
from rnnsym.errors import NotSupportedError
from rnnsym.nodes import T, length


@pytest.mark.parametrize(
    ("time", "axis", "expected"),
    [
        (T, T, (0, 0)),
        (T - 2, T, (2, 0)),
        (T + 1, T, (0, 1)),
        (Integer(1), T, (0, 0)),
        (Integer(0), T, (1, 0)),
        (Integer(3), T, (0, 2)),
        (Integer(3), Integer(4), (0, 0)),
        (Integer(6), Integer(4), (0, 2)),
    ],
)
def test_how_far_a_time_may_lie_outside(time: Expr, axis: Expr, expected: tuple[int, int]) -> None:
    assert outside(time, axis) == expected
    assert certainly_within(time, axis) == (expected == (0, 0))


@pytest.mark.parametrize(
    ("time", "side", "expected"),
    [
        (T, 0, 1),
        (T - 2, 0, 3),
        (T - 2, -1, 2),
        (T - 1, -1, 1),
        (T - 1, 1, 2),
        (T + 1, 1, 1),
        (T + 1, -1, None),
        (Integer(0), -1, 1),
        (Integer(0), 0, None),
        (Integer(3), 0, 3),
        (Integer(3), 1, 2),
    ],
)
def test_the_least_length_with_a_value_at_a_time(
    time: Expr, side: int, expected: int | None
) -> None:
    def is_there(steps: int) -> bool:
        values = range(1 - (side < 0), steps + 1 + (side > 0))
        return int(time.subs(T, steps)) in values

    assert least(time, T, side) == expected
    assert next((steps for steps in range(1, 6) if is_there(steps)), None) == expected


@pytest.mark.parametrize("steps", [1, 2, 5])
@pytest.mark.parametrize("time", [T, T - 1, T + 1, Integer(0), Integer(1), Integer(2)])
def test_the_rows_of_a_time(time: Expr, steps: int) -> None:
    before, after = outside(time, T)
    start, stop = bounds(time, T, before, after)
    rows = np.arange(1 - before, steps + after + 1)
    found = rows[start : stop or None] if start < 0 else rows[start:stop]
    assert found.tolist() == [int(time.subs(T, steps))]


def test_times_of_another_sequence() -> None:
    with pytest.raises(NotSupportedError, match="the time T_y in a sequence of the length T"):
        outside(length("T_y"), T)
    assert not certainly_within(length("T_y"), T)
