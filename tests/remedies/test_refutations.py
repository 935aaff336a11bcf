"""What clipping does not keep: the numbers are found, are smallest, and really do refute."""

from __future__ import annotations

import importlib
from itertools import product

import numpy as np
import pytest
from sympy import Gt, Le, Rational, latex

from rnnsym.remedies import Counterexample, clip_by_group, clip_by_value, counterexamples
from rnnsym.remedies.definition import N_AFTER, N_PARAMETERS, TAU, N
from tests.portability.harness import math_core_accepts

module = importlib.import_module("rnnsym.remedies.refutations")
RECORDS = counterexamples()
BY_NAME = {record.name: record for record in RECORDS}


def numbers(record: Counterexample) -> list[list[int]]:
    return [[int(x) for x in getattr(v, "flat", lambda v=v: [v])()] for _, v in record.values]


def size(record: Counterexample) -> int:
    return sum(abs(x) for v in numbers(record) for x in v)


def direction(v: np.ndarray) -> np.ndarray:
    return v / np.linalg.norm(v)


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: r.name)
def test_every_counterexample_is_confirmed_in_floating_point(record: Counterexample) -> None:
    assert record.ok
    assert "integer candidates in order of size" in record.search


def test_clipping_by_value_turns_the_smallest_vector_it_can() -> None:
    record = BY_NAME["clipping by value changes the direction"]
    g, (threshold,) = numbers(record)
    after = clip_by_value({"g": np.array(g, float)}, threshold)[0]["g"]
    assert not np.allclose(direction(after), direction(np.array(g, float)))
    for smaller in product(range(-3, 4), repeat=2):
        for tau in range(1, 4):
            v = np.array(smaller, float)
            if sum(abs(v)) + tau < size(record) and v.any():
                after = clip_by_value({"g": v}, tau)[0]["g"]
                np.testing.assert_allclose(direction(after), direction(v))


def test_clipping_of_groups_turns_the_whole_but_no_group() -> None:
    record = BY_NAME["clipping of groups changes the direction of the whole"]
    g, *taus = numbers(record)
    clipped, _ = clip_by_group(dict(zip("uv", map(float, g), strict=True)),
                               dict(zip("uv", (t[0] for t in taus), strict=True)))  # fmt: skip
    after = np.array([clipped["u"], clipped["v"]])
    assert not np.allclose(direction(after), direction(np.array(g, float)))
    assert (np.sign(after) == np.sign(g)).all()


def post(theta: list[int], g: list[int], tau: int) -> float:
    """The norm after "if ‖θ‖ > threshold: dθ ← threshold / ‖θ‖ · dθ", read to the letter."""
    p = np.linalg.norm(theta)
    return float(np.linalg.norm(np.array(g) * (tau / p if p > tau else 1.0)))


def test_measured_by_the_parameters_a_gradient_stays_too_long() -> None:
    theta, g, (tau,) = numbers(BY_NAME["measured by the parameters: not clipped, though too long"])
    assert np.linalg.norm(theta) <= tau < post(theta, g, tau) == np.linalg.norm(g)
    theta, g, (tau,) = numbers(BY_NAME["measured by the parameters: clipped, and still too long"])
    assert tau < post(theta, g, tau) < np.linalg.norm(g)


def test_measured_by_the_parameters_a_short_gradient_is_shortened() -> None:
    record = BY_NAME["measured by the parameters: a short gradient is shortened"]
    theta, g, (tau,) = numbers(record)
    assert post(theta, g, tau) < np.linalg.norm(g) <= tau


def test_tested_by_the_gradient_and_divided_by_the_parameters_it_is_lengthened() -> None:
    record = BY_NAME["tested by the gradient, divided by the parameters: longer than before"]
    theta, g, (tau,) = numbers(record)
    assert np.linalg.norm(g) > tau
    assert np.linalg.norm(g) * tau / np.linalg.norm(theta) > np.linalg.norm(g)


def test_the_parameters_never_lengthen_a_gradient() -> None:
    """The formula to the letter has a factor of one at most: the search finds nothing."""
    never = module._Misreading("", N_PARAMETERS, N_PARAMETERS, Le(N_AFTER, N), (Gt(N_AFTER, N),))
    with pytest.raises(LookupError, match="none of 324 candidates"):
        module.smallest([(1, 1)], 1, never.refutes)


@pytest.mark.parametrize(
    "record", [r for r in RECORDS if "measured" in r.name], ids=lambda r: r.name
)
def test_no_smaller_integers_refute_a_misreading(record: Counterexample) -> None:
    for theta, g in product([x for x in range(-5, 6) if x], repeat=2):
        for tau in range(1, 6):
            if abs(theta) + abs(g) + tau >= size(record):
                continue
            after = post([theta], [g], tau)
            refuted = {
                "not clipped, though too long": abs(theta) <= tau < after,
                "clipped, and still too long": abs(theta) > tau and after > tau,
                "a short gradient is shortened": abs(g) <= tau and after < abs(g),
            }
            assert not refuted[record.name.split(": ")[1]]


def test_the_evaluation_follows_from_the_values() -> None:
    record = BY_NAME["measured by the parameters: clipped, and still too long"]
    values = {e.lhs: e.rhs for e, _ in record.evaluation[:-1]}
    theta, g, (tau,) = numbers(record)
    assert values[N_AFTER] == Rational(tau * abs(g[0]), abs(theta[0]))
    opposite = record.evaluation[-1][0]
    assert opposite.xreplace({**values, TAU: Rational(tau)}) == True  # noqa: E712
    assert record.claim.xreplace({**values, TAU: Rational(tau)}) == False  # noqa: E712


def test_candidates_come_smallest_first() -> None:
    sizes = [sum(abs(x) for part in c for x in part) for c in module.candidates(1, 2, positive=1)]
    assert sizes == sorted(sizes)
    assert next(module.candidates(1, positive=1)) == ((0,), (1,))


def test_a_true_statement_has_no_counterexample() -> None:
    with pytest.raises(LookupError, match="none of 36 candidates"):
        module.smallest([(1,)], 1, lambda g, tau: False)


def test_records_print_as_portable_latex() -> None:
    for record in RECORDS:
        shown = [record.claim, *(e for e, _ in record.evaluation), *(v for _, v in record.values)]
        for text in map(latex, shown):
            math_core_accepts(text)
