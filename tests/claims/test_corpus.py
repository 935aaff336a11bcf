"""No wrong claim of the corpus is accepted, no right one refused, and each is read and decided."""

from __future__ import annotations

import pytest

from rnnsym.claims.corpus import NETWORKS, OUTCOMES, Judged, Sample, judge, run, samples, table


def failures(found: list[Judged]) -> list[str]:
    return [f"{x.outcome}: {x.message}: {x.sample}" for x in found if not x.ok]


@pytest.mark.parametrize("right", [False, True])
@pytest.mark.parametrize("model", ["elman", "gru"])
def test_a_sample_of_the_corpus(model: str, right: bool) -> None:
    found = [judge(sample, seconds=60.0) for sample in samples(model, 60, right, seed=1)]
    assert len(found) == 60
    assert not failures(found)


@pytest.mark.slow
@pytest.mark.parametrize("right", [False, True])
@pytest.mark.parametrize("model", NETWORKS)
def test_a_fifth_of_the_corpus(model: str, right: bool) -> None:
    found = [judge(sample, seconds=120.0) for sample in samples(model, 40, right)]
    assert len(found) == 40
    assert not failures(found)


@pytest.mark.nightly
@pytest.mark.parametrize("right", [False, True])
@pytest.mark.parametrize("model", NETWORKS)
def test_the_whole_corpus(model: str, right: bool) -> None:
    found = [judge(sample, seconds=120.0) for sample in samples(model, 200, right)]
    assert len(found) == 200
    assert not failures(found)


def test_the_same_seed_makes_the_same_claims() -> None:
    first, second = (samples("elman", 20, False, seed=3) for _ in range(2))
    assert first == second
    assert first != samples("elman", 20, False, seed=4)


def test_every_source_of_errors_is_there() -> None:
    kinds = {s.kind.split(":")[0] for s in samples("elman", 60, False)}
    assert {"text", "expression"} < kinds
    assert len(kinds) > 10


def test_the_table_counts_every_outcome() -> None:
    sample = Sample("a = b", "elman", "post", "swapped", True)
    found = [Judged(sample, outcome, "", 0.5) for outcome in OUTCOMES]
    lines = table(found).splitlines()
    assert lines[-1] == "| right | **all** | 4 | 1 | 1 | 1 | 1 | 500 |"
    assert [x.ok for x in found] == [True, False, False, False]


def test_run_judges_both_sorts() -> None:
    found = list(run(4, networks=["elman"]))
    assert [x.sample.right for x in found] == [False] * 4 + [True] * 4
