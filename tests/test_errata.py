"""Every erratum of the post stands on evidence, and its formulas are neither typed nor trusted."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from sympy import Integer

import rnnsym as rs
from rnnsym.derive.step import Step
from rnnsym.errata import Erratum, Finding, errata, erratum, names, reach
from rnnsym.errors import InputError
from rnnsym.nodes import TimeProduct, TimeSum, Total, leaves, t
from rnnsym.verify.steps import Checker


@pytest.mark.parametrize("name", names())
def test_all_of_the_evidence_bears_out_the_verdict(name: str) -> None:
    found = erratum(name)
    assert found.evidence and found.ok, [f.text for f in found.evidence if not f.ok]
    assert found.verdict in ("wrong", "misprint", "imprecise", "ambiguous")
    assert found.title and found.place.startswith("2.2.3") and found.why


def test_the_list_is_complete_and_in_the_order_of_the_post() -> None:
    sections = [e.place.split(",")[0].split(" ")[0] for e in errata()]
    assert sections == sorted(sections) and len(sections) == len(set(names())) == 12
    with pytest.raises(InputError, match="choose from limits"):
        erratum("nothing")


def test_an_erratum_without_evidence_does_not_hold() -> None:
    empty = Erratum("x", "x", "2", "wrong", (), (), ("",), ())
    assert not empty.ok
    assert not Erratum("x", "x", "2", "wrong", (), (), ("",), (Finding(("",), False),)).ok


@pytest.mark.parametrize("name", ["symbol", "prefactor", "zero"])
def test_what_is_printed_differs_from_what_was_derived_by_little(name: str) -> None:
    """Same left side, and what is meant is the step of the derivation itself."""
    found = erratum(name)
    derived = [
        (s.before, s.after) for s in rs.elman().derive("W_aa").section("Sum of Jacobian products")
    ]
    (printed,), meant = found.printed, found.meant[0]
    assert (meant.left, meant.right) in derived
    assert printed.left == meant.left and printed.right != meant.right


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_each_path_is_counted_once_for_each_state_with_the_other_reading(seed: int) -> None:
    """At points other than those of the evidence."""
    (counted,) = erratum("symbol").instead
    where = ((t, Integer(1), Integer(5)),)
    step = Step(counted.left, counted.right, "claim", (), "=", where)
    assert Checker(rs.elman(), 5, seed).check(step).ok


def test_the_dropped_factor_leaves_a_matrix_where_a_row_belongs() -> None:
    (printed,) = erratum("prefactor").printed
    assert printed.left.shape[0] == 1
    assert printed.right.shape == (rs.elman().sizes["n_a"], printed.left.shape[1])


def test_the_two_orders_are_spelled_out_in_opposite_ways() -> None:
    (printed,), (meant,) = erratum("order").printed, erratum("order").meant
    assert printed.right.args == tuple(reversed(meant.right.args))
    later = [leaf.of.time for leaf in meant.right.args]
    assert all(a - b == 1 for a, b in pairwise(later))
    assert isinstance(meant.left, TimeProduct)


def test_the_sum_from_zero_differs_in_its_lower_limit_only() -> None:
    (printed,), meant = erratum("zero").printed, erratum("zero").meant[0]
    (wide,), (right,) = leaves(printed.right, TimeSum), leaves(meant.right, TimeSum)
    assert (wide.lower, right.lower) == (0, 1) and wide.body == right.body


def test_the_products_that_neither_vanish_nor_explode_have_these_limits() -> None:
    """The factors of the entry in fractions, multiplied out: towards 1/2 and 2."""
    n = 2000
    below = Fraction(1)
    for i in range(1, n + 1):
        below *= 1 - Fraction(1, (i + 1) ** 2)
    assert below == Fraction(n + 2, 2 * (n + 1))
    text = "".join(str(part) for f in erratum("below-one").evidence for part in f.text)
    assert "1/2)" in text and ", 2)" in text


def test_chunks_cut_where_their_borders_are_and_nowhere_else() -> None:
    for chunk in (1, 2, 3):
        for (after, before), (full, cut) in reach("elman", chunk, 5).items():
            assert full and cut == ((after - 1) // chunk == (before - 1) // chunk)


def test_reach_agrees_with_generated_gradients() -> None:
    """The weight that only the first input uses, W_ax, with inputs that are zero later."""
    rng = np.random.default_rng(0)
    net = rs.elman(truncate=2, type="many-to-many")
    sizes = {"n_x": 2, "n_a": 3, "n_y": 2}
    params = {
        n: rng.standard_normal([sizes[str(s)] for s in w.shape if s != 1])
        for n, w in net.parameters.items()
    }
    y = np.eye(2)[[0, 1, 0]]
    late, x = np.zeros((3, 2)), np.zeros((3, 2))
    x[0], late[2] = 1.0, 1.0
    f = net.gradients()
    first = f(params, x, y)[1]["W_ax"]
    alone = f(params, x[:2], y[:2])[1]["W_ax"]
    np.testing.assert_array_equal(first, alone)  # the loss of step 3 adds exactly nothing
    assert reach("elman", 2, 3)[3, 1] == (True, False)
    assert np.abs(f(params, late, y)[1]["W_ax"]).max() > 0


def test_a_wrong_formula_has_no_total_derivative_in_place_of_the_immediate_by_accident() -> None:
    (printed,) = erratum("symbol").printed
    last = printed.right.args[-1].body.args[-1]
    assert type(last) is Total
