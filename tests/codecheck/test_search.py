"""The search through the catalogue: quick values are the evaluator's, and what would be seen."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

import rnnsym as rs
from rnnsym.codecheck import check_gradient
from rnnsym.codecheck.ground import Ground
from rnnsym.codecheck.parts import parts
from rnnsym.codecheck.points import Point, Regime, chosen_sizes, lengths_of
from rnnsym.codecheck.trial import Trial, programs, table
from rnnsym.codecheck.words import Words
from rnnsym.evaluate.arithmetic import NumpyArithmetic
from rnnsym.evaluate.trajectory import Truth
from rnnsym.reference import elman, gru, lstm
from rnnsym.verify.mutations import NAME_KINDS, Catalogue, Evaluation, Subject
from tests.codecheck.source_mutations import outcomes

REFERENCES = {"elman": elman, "lstm": lstm, "gru": gru}


def point_of(net, steps=4, seed=0):
    return Point(net, lengths_of(net, steps), chosen_sizes(net, {}), seed)


@pytest.mark.parametrize(
    ("spec", "every"),
    [
        ("elman", 1),
        ("gru", 41),
        pytest.param("lstm", 31, marks=pytest.mark.slow),
        ("elman:truncate=2", 5),
        ("elman:bidirectional", 23),
        ("elman:type=encoder-decoder", 17),
        ("elman:activation=g", 5),
    ],
)
def test_quick_values_are_those_of_the_evaluator(spec, every):
    net = rs.model(spec)
    point = point_of(net)
    evaluation = Evaluation(Truth(net, point.case.point(NumpyArithmetic()), NumpyArithmetic()))
    names = Catalogue(net, NAME_KINDS, sums=False)
    for name in net.parameters:
        for catalogue in (Catalogue(net), names):
            for mutant in list(catalogue.of(name))[::every]:
                expected = np.reshape(evaluation.value(mutant), point.gradients[name].shape)
                assert np.allclose(point.mutant(mutant), expected, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("name", ["elman", "gru", pytest.param("lstm", marks=pytest.mark.slow)])
def test_every_kind_of_error_would_have_stood_out(name):
    module = REFERENCES[name]
    report = check_gradient(lambda *given: module.gradients(*given)[:2], rs.model(name))
    found = report.sensitivity
    assert found.looked == found.all
    assert len(found.factors) >= 65
    assert min(found.factors.values()) > 1e3
    kind, factor = found.smallest[0]
    assert factor == min(found.factors.values())
    assert kind in found.text()


@pytest.mark.parametrize("every", [3])
def test_mutations_are_diagnosed_as_what_they_are(every):
    score = Trial(rs.elman()).run(slice(None, None, every))
    assert score.seen == score.wrong > 50
    assert score.blamed == 0
    assert score.named >= 0.98 * score.wrong
    assert table([score]).splitlines()[-1].startswith("| elman | ")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_mutations_of_gates_are_diagnosed_as_what_they_are(name):
    score = Trial(rs.model(name)).run(slice(None, None, 6))
    assert score.seen == score.wrong > 200
    assert score.blamed == 0
    assert score.named >= 0.98 * score.wrong


@pytest.mark.slow
def test_wrong_names_are_diagnosed_too():
    """Typing errors: each in one gradient of the GRU, found in the second catalogue."""
    ground = Ground(rs.gru())
    trial = Trial(ground.net)
    trial.ground = ground
    seen = named = 0
    for name in ("W_ra", "b_u"):
        for mutant in list(ground.names.of(name))[::9]:
            (program,) = [type(next(programs(ground)))({name: mutant})]
            judged = trial.report(program).gradients[name]
            if point_of(ground.net).mutant(mutant) is not None and judged.verdict == "wrong":
                seen += 1
                named += trial.named(judged, mutant)
    assert seen > 20
    assert named >= 0.9 * seen


@pytest.mark.slow
@pytest.mark.parametrize(("name", "every"), [("elman", 1), ("gru", 4), ("lstm", 12)])
def test_errors_in_source_code_are_seen_and_explained(name, every):
    """Changes of the syntax tree, which know nothing of the catalogue."""
    counts = Counter(outcome for _, outcome, _ in outcomes(name, every))
    assert counts["right"] == 0
    assert counts["told"] >= 30
    assert counts["told"] >= 0.85 * (counts["told"] + counts["not told"])


def test_one_cause_is_told_for_all_gradients():
    trial = Trial(rs.elman())
    (program,) = [p for p in programs(trial.ground) if p.kind == "missing transpose"]
    report = trial.report(program)
    assert set(program.mutants) == {"W_aa", "W_ax", "b_a"}
    assert len({report.gradients[n].diagnosis for n in program.mutants}) == 1
    assert report.summary == "One error explains all 3 wrong gradients."
    assert report.gradients["W_aa"].since == 2


def test_parts_add_up_to_the_gradient():
    point = point_of(rs.lstm())
    for name in ("W_fa", "b_c"):
        found = parts(point.case, name)
        assert set(found) == {(t, k) for t in range(1, 5) for k in range(1, t + 1)}
        assert np.allclose(sum(found.values()), point.gradients[name])


def test_the_right_equations_in_words():
    words = Words({"W_aa": "Whh"})
    system = Subject(rs.gru()).system
    assert words.adjoint("z_y_hat", system.equations["z_y_hat"]) == "dz_y_hat[t] = y_hat[t] - y[t]"
    assert words.adjoint("r", system.equations["r"]) == ("dr[t] = a[t-1] * (Whh.T @ dz_a_tilde[t])")
    assert words.gradient("W_aa", system.gradients["W_aa"]) == (
        "dWhh = the sum over k = 1 … T of np.outer(dz_a_tilde[k], r[k] * a[k-1])"
    )
    assert words.text("W_aa in δ of a, not W_aaa") == "Whh in δ of a, not W_aaa"


def test_points_hide_nothing():
    net = rs.lstm()
    point = point_of(net)
    sizes = [point.sizes[n] for n in net.sizes]
    assert len(set(sizes)) == len(sizes)
    assert all(np.all(a != 0) for a in point.values.initial.values())
    weight = point.values.parameters["W_fa"]
    assert not np.allclose(weight, weight.T)
    assert np.linalg.norm(weight, 2) > 1
    batch = Point(net, 3, chosen_sizes(net, {}, turned=True), 0, Regime(), 2)
    assert batch.values.sequences["x"].shape == (3, 2, batch.sizes["n_x"])
    assert batch.values.initial["a"].shape == (2, batch.sizes["n_a"])
