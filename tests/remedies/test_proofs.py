"""What is said of clipping is derived and checked, and a wrong definition is found out."""

from __future__ import annotations

import importlib
import random
from fractions import Fraction
from typing import Any

import pytest
from sympy import Min, Piecewise, S, Symbol, latex, sqrt

from rnnsym.remedies import Property, exact, properties
from rnnsym.remedies import definition as d
from rnnsym.remedies.trials import draw, exactly
from tests.portability.harness import math_core_accepts

module = importlib.import_module("rnnsym.remedies.proofs")
RECORDS = properties()


@pytest.fixture
def rng() -> random.Random:
    return random.Random(7)


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: r.name)
def test_every_property_is_derived_and_agrees_with_rational_vectors(record: Property) -> None:
    assert record.ok
    assert record.proof and all(reason for _, reason in record.proof)
    assert "random rational vectors" in record.check
    assert not any(expression in (S.true, S.false) for expression, _ in record.proof)


def test_the_claims_are_those_of_the_textbooks() -> None:
    claims = {record.name: record.claim for record in RECORDS}
    assert claims["length"].rhs == Min(d.N, d.TAU)
    assert claims["one formula"].rhs == Min(1, d.TAU / d.N)
    assert claims["bounded"] == (d.N_AFTER <= d.TAU)
    assert claims["groups bounded together"].rhs == sqrt(d.TAUS[0] ** 2 + d.TAUS[1] ** 2)
    assert len(claims) == len(RECORDS)


WRONG = {
    "the square of the norm": lambda m, tau: Piecewise((tau / m**2, m > tau), (S.One, True)),
    "too early a test": lambda m, tau: Piecewise((tau / m, 2 * m > tau), (S.One, True)),
    "the other way round": lambda m, tau: Piecewise((m / tau, m > tau), (S.One, True)),
    "the test reversed": lambda m, tau: Piecewise((tau / m, m < tau), (S.One, True)),
    "twice the threshold": lambda m, tau: Piecewise((2 * tau / m, m > tau), (S.One, True)),
    "negative": lambda m, tau: Piecewise((-tau / m, m > tau), (S.One, True)),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_definition_is_found_out(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def factor(n: Any = d.N, tau: Any = d.TAU, measured: Any = None) -> Any:
        return WRONG[name](n if measured is None else measured, tau)

    monkeypatch.setattr(module, "factor", factor)
    outcome = {prove.__name__: prove().ok for prove in (module._formula, module._length)}
    assert outcome == {"_formula": False, "_length": False}


def test_the_trials_alone_refute_a_wrong_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the symbolic side right and the vectors clipped wrongly."""
    monkeypatch.setattr(exact, "clip", lambda v, tau: tuple(2 * x for x in v))
    refuted = [r.name for r in properties() if not r.ok]
    assert {"length", "bounded", "idempotent", "groups apart"} <= set(refuted)


def test_cases_decide_what_symbols_alone_do_not() -> None:
    assert d.equal(d.factor() * d.N, Min(d.N, d.TAU), d.cases())
    assert not d.equal(d.factor() * d.N, d.TAU, d.cases())
    assert d.at_most(Min(d.N, d.TAU), d.TAU, d.cases())
    assert not d.at_most(d.N, d.TAU, d.cases())


def test_random_vectors_are_rational_have_rational_norms_and_fall_on_either_side(
    rng: random.Random,
) -> None:
    above = 0
    for _ in range(100):
        v, tau = draw(rng)
        assert all(isinstance(x, Fraction) for x in v)
        assert exact.norm(v) ** 2 == sum(x * x for x in v)
        above += exact.norm(v) > tau
    assert 30 < above < 70


def test_formulas_are_tried_without_rounding() -> None:
    f = exactly(Min(d.N, d.TAU) / d.N)
    third = f({d.N: Fraction(6), d.TAU: Fraction(2)})
    assert isinstance(third, Fraction) and third == Fraction(1, 3)
    with pytest.raises(ArithmeticError, match="not computed exactly"):
        exactly(sqrt(d.N))({d.N: Fraction(2)})


def test_vectors_in_fractions() -> None:
    v = (Fraction(3), Fraction(-4))
    assert exact.norm(v) == 5
    assert exact.clip(v, Fraction(1)) == (Fraction(3, 5), Fraction(-4, 5))
    assert exact.clip(v, Fraction(5)) == v
    assert exact.clip_entries(v, Fraction(2)) == (2, -2)
    assert exact.same_direction((Fraction(6), Fraction(-8)), v)
    assert exact.same_direction((Fraction(0), Fraction(0)), v)
    assert not exact.same_direction((Fraction(-3), Fraction(4)), v)
    assert not exact.same_direction((Fraction(3), Fraction(4)), v)
    with pytest.raises(ArithmeticError, match="irrational"):
        exact.norm((Fraction(1), Fraction(1)))


def test_records_print_as_portable_latex() -> None:
    written = [latex(e) for r in RECORDS for e in (r.claim, *(e for e, _ in r.proof))]
    for text in dict.fromkeys(written):
        assert "Piecewise" not in text and "__" not in text
        math_core_accepts(text)
    assert latex(Symbol(d.N.name)) == r"{\lVert d\theta\rVert}"
