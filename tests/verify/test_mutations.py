"""The catalogue of mutations: every one that is really wrong is refuted, no right one is."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from rnnsym.errors import InputError
from rnnsym.models import build
from rnnsym.sizes import choose_sizes
from rnnsym.verify.contest import (
    FloatPoint,
    Losses,
    contest,
    jax_passes,
    judged,
    random_points,
    table,
    torch_passes,
    tutorial_point,
)
from rnnsym.verify.exact import IdentityTest
from rnnsym.verify.mutated_sums import SUM_KINDS
from rnnsym.verify.mutations import KINDS, Catalogue, Mutant, Subject, mutants

#: at least this many mutants of every kind that a network can have
FEWEST = {"elman": 290, "lstm": 3000, "gru": 1700}
#: kinds that need a gate, a stack or an outer product that a network may not have
ABSENT = {
    "elman": {
        "output at every step",
        "weight of another gate",
        "factors swapped",
        "missing transposes",
        "value of this step for the next",
        "value of this step for the previous",
        "adjoint of another gate",
        "another gate",
        "argument for value",
        "factor missing in the outer product",
        "gate beside the other factor",
        "gate for its complement",
        "missing gate",
        "nothing carried",
        "sign of what is carried",
        "part of a factor missing",
        "sign inside a factor",
    },
    "lstm": {
        "output at every step",
        "factors swapped",
        "z for a",
        "factor missing in the outer product",
        "gate beside the other factor",
        "gate for its complement",
        "missing gate",
        "part of a factor missing",
        "sign inside a factor",
    },
    "gru": {"argument for value", "output at every step"},
}


@pytest.fixture(
    scope="module", params=["elman", "gru", pytest.param("lstm", marks=pytest.mark.slow)]
)
def outcome(request):
    net = build(request.param, {})
    return request.param, list(judged(net))


def test_every_wrong_gradient_is_refuted_and_no_right_one(outcome):
    _, found = outcome
    disagreements = [
        (mutant.kind, mutant.text, mutant.parameter, different, refuted)
        for mutant, different, refuted in found
        if different != refuted
    ]
    assert not disagreements


def test_every_kind_has_wrong_mutants(outcome):
    name, found = outcome
    counts = Counter(mutant.kind for mutant, different, _ in found if different)
    kinds = {k.name for k in KINDS} | {k.name for k in SUM_KINDS}
    assert len(kinds) >= 80
    assert set(counts) == kinds - ABSENT[name]
    assert sum(counts.values()) >= FEWEST[name]


def test_an_output_at_the_last_step_may_be_sent_back_at_every_step():
    found = [x for x in judged(build("elman", {"type": "many-to-one"}))
             if x[0].kind == "output at every step"]  # fmt: skip
    assert {mutant.parameter for mutant, *_ in found} >= {"W_aa", "W_ax", "b_a"}
    assert all(different and refuted for _, different, refuted in found)


def test_the_few_that_are_right_are_understood(outcome):
    """Only gradients that do not pass through time survive a truncation, and a sum of all targets
    is the same in any order."""
    _, found = outcome
    right = [mutant for mutant, different, _ in found if not different]
    truncated = [m for m in right if m.kind in ("truncation", "no path through time")]
    assert {m.parameter for m in truncated} == {"W_ya", "b_y"}
    (rotated,) = (m for m in right if m not in truncated)
    assert rotated.kind == "v⟨k-1⟩ for v⟨k⟩, index -1"
    assert rotated.parameter == "b_y"


def test_float_points_hide_no_mutant(outcome):
    """The points of the numerical kinds: each wrong gradient is off by far more than rounding."""
    name, found = outcome
    net = build(name, {})
    (point, *_) = random_points(net)
    errors = {m: point.error(m) for m, different, _ in found if different}
    hidden = [m.text for m, error in errors.items() if error < 1e-6]
    assert not hidden


@pytest.mark.parametrize("name", ["elman", "lstm", "gru"])
def test_the_right_formulas_pass(name):
    """Both the backward pass and the sum of products, offered as if they were mutants."""
    from rnnsym.derive.calculus import Calculus
    from rnnsym.verify.mutations import Evaluation

    net = build(name, {})
    test = IdentityTest(net, choose_sizes(net, 4))
    system, calculus = Subject(net).system, Calculus(net)
    for parameter in net.parameters:
        formula = calculus.derive(parameter).formula
        for right in (
            Mutant("", "", "", parameter, system),
            Mutant("", "", "", parameter, formula=formula),
        ):
            assert test.refutes(parameter, lambda p, m=right: Evaluation(p.truth).value(m)) is None


def test_kinds_have_different_names_and_sentences():
    kinds = [*KINDS, *SUM_KINDS]
    assert len({k.name for k in kinds}) == len({k.sentence for k in kinds}) == len(kinds)


def test_mutants_say_what_is_wrong_and_where():
    net = build("elman", {})
    texts = [m.text for m in mutants(net, "W_aa")]
    assert "the adjoint is sent back through W instead of its transpose (W_aa in δ of a)" in texts
    assert len(set(texts)) > 0.95 * len(texts)
    with pytest.raises(InputError, match="W_aa"):
        next(mutants(net, "W"))


def test_catalogue_covers_networks_without_a_recursion():
    from rnnsym.network import Network

    net = Network("y_hat[t] = softmax(W @ x[t] + b)")
    found = [m for name in net.parameters for m in Catalogue(net).of(name)]
    assert found


@pytest.mark.torch
def test_gradcheck_accepts_truncation_at_small_weights():
    net = build("elman", {})
    point = tutorial_point(net, 0.001)
    wrong = next(m for m in mutants(net, "W_aa") if m.kind == "missing transpose")
    assert point.error(wrong) > 0
    gradient = point.value(wrong)
    assert torch_passes(point, Losses(point), "W_aa", gradient)
    (elsewhere, *_) = random_points(net)
    assert not torch_passes(elsewhere, Losses(elsewhere), "W_aa", elsewhere.value(wrong))
    assert torch_passes(elsewhere, Losses(elsewhere), "W_aa", elsewhere.right["W_aa"])


@pytest.mark.jax
def test_check_grads_accepts_it_too():
    net = build("elman", {})
    wrong = next(m for m in mutants(net, "W_aa") if m.kind == "missing transpose")
    point = tutorial_point(net, 0.001)
    assert jax_passes(point, Losses(point), "W_aa", point.value(wrong))
    (elsewhere, *_) = random_points(net)
    assert not jax_passes(elsewhere, Losses(elsewhere), "W_aa", elsewhere.value(wrong))
    assert jax_passes(elsewhere, Losses(elsewhere), "W_aa", elsewhere.right["W_aa"])


def test_table_without_libraries():
    net = build("elman", {})
    score = contest(net, libraries=())
    assert score.refuted == score.mutants
    assert score.wronged == 0
    assert table([score], ()).splitlines()[-1].startswith("| elman | ")


def test_tutorial_point_is_what_it_says():
    net = build("elman", {})
    point = tutorial_point(net, 0.01)
    case = point.case
    assert isinstance(point, FloatPoint)
    assert not case.parameters["b_a"].any()
    assert np.array_equal(case.sequences["y"].sum(-1), np.ones(6))
    assert 0 < np.abs(case.parameters["W_aa"]).max() < 0.05
