"""Steps of derivations: right ones pass with a stated probability of error, wrong ones do not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sympy import Integer, S, Symbol

from rnnsym.derive.calculus import Calculus
from rnnsym.derive.step import Step
from rnnsym.errors import InputError
from rnnsym.models import build
from rnnsym.network import Network
from rnnsym.nodes import Adjoint, Immediate, T, TimeProduct, TimeSum, Total, leaves, t
from rnnsym.verify.steps import Checker, check, check_step, equal, failures

k = Symbol("k", integer=True)
EVERY = ((t, S.One, T),)


@pytest.fixture(scope="module")
def elman():
    net = build("elman", {})
    return net, Checker(net), net.states["a"], net.parameters["W_aa"]


@pytest.mark.parametrize("name", ["elman", "lstm", "gru"])
def test_every_step_of_every_derivation_holds(name):
    net = build(name, {})
    calculus, checker = Calculus(net), Checker(net)
    for parameter in net.parameters:
        checks = check(calculus.derive(parameter), checker=checker)
        assert len(checks) > 3
        assert not list(failures(checks))
        assert all(c.probability < 2**-50 for c in checks)
        assert all("P(error) <" in c.text for c in checks if c.step.holds)


def test_derivations_for_a_concrete_number_of_steps(elman):
    net, *_ = elman
    derivation = Calculus(net).at("W_aa", 3)
    checks = check(derivation)
    assert not list(failures(checks))
    assert {c.steps for c in checks} == {3}


def test_recurrence_and_naive_chain_rule(elman):
    _, checker, a, w = elman
    row = Total(a, a.at(t - 1)) * Total(a.at(t - 1), w)
    right = Step(Total(a, w), Immediate(a, w) + row, "", (), "=", EVERY)
    naive = Step(Total(a, w), Immediate(a, w), "", (), "=", EVERY)
    assert checker.check(right).ok
    wrong = checker.check(naive)
    assert not wrong.ok
    assert wrong.counterexample == {t: 2}  # at t = 1 it is still true
    assert "fails at t=2" in wrong.text
    unequal = checker.check(replace(naive, relation="≠"))
    assert unequal.ok
    assert "differs" in unequal.text


def test_a_claimed_difference_that_is_none_fails(elman):
    _, checker, a, w = elman
    same = Step(Total(a, w), Total(a, w) + 0 * Total(a, w), "", (), "≠", EVERY)
    found = checker.check(same)
    assert not found.ok
    assert "equal everywhere" in found.text


def test_ranges_may_depend_on_earlier_indices(elman):
    _, checker, *_ = elman
    assert len(checker.bindings(((t, S.One, T), (k, S.One, t)))) == 10
    assert len(checker.bindings(((t, 1, T), (k, t + 1, T)))) == 6
    assert checker.bindings(()) == [{}]
    with pytest.raises(InputError, match="bind"):
        checker.bindings(((k, 1, t),))


def test_an_empty_range_tests_nothing_and_does_not_pass(elman):
    _, checker, a, w = elman
    found = checker.check(Step(Total(a, w), Total(a, w), "", (), "=", ((t, T + 1, T),)))
    assert not found.ok
    assert "nothing was tested" in found.text


def test_true_at_most_times_is_not_true(elman):
    """At t = T the last adjoint has no successor, so leaving it out is right there only."""
    net, checker, a, _ = elman
    direct = Total(net.loss, a).T
    found = equal(checker, Adjoint(a), direct, EVERY)
    assert not found.ok
    assert equal(checker, Adjoint(a), direct, ((t, T, T),)).ok


def test_each_side_of_every_equation_can_be_spoiled(elman):
    """Every derived step that shifts one time index, or one limit, is refuted."""
    net, checker, *_ = elman
    refuted = 0
    for step in Calculus(net).derive("W_aa").steps:
        if not step.holds:
            continue
        for e in leaves(step.after, TimeSum):
            spoiled = step.after.xreplace({e: TimeSum(e.body, (e.index, e.lower + 1, e.upper))})
            refuted += not checker.check(replace(step, after=spoiled)).ok
            for p in leaves(e.body, TimeProduct):
                other = TimeProduct(p.body, (p.index, p.lower - 1, p.upper), p.order)
                spoiled = step.after.xreplace({p: other})
                assert not checker.check(replace(step, after=spoiled)).ok
    assert refuted > 10


def test_shared_checker_checks_a_step_once(elman):
    net, *_ = elman
    checker = Checker(net)
    step = Step(net.total_loss, TimeSum(net.loss, (t, S.One, T)), "objective", ())
    first = checker.check(step)
    again = checker.check(replace(step, rule="another"))
    assert again.ok and again.step.rule == "another"
    assert first.probability == again.probability
    assert check_step(step, net).ok


def test_a_vanishing_denominator_leads_to_another_point():
    net = Network("a[t] = W @ a[t-1] + x[t]", "y_hat[t] = a[t] / (a[t] - a[t])")
    found = equal(Checker(net), net.loss, net.loss, EVERY)
    assert not found.ok
    assert "denominator" in found.text


def test_time_may_be_a_number(elman):
    _, checker, a, w = elman
    assert equal(checker, Total(a.at(1), w), Immediate(a.at(Integer(1)), w)).ok
