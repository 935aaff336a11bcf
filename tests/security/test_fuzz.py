"""A short run of the fuzzer; the long one is `python -m tests.security.fuzz`."""

from __future__ import annotations

from random import Random

import pytest

from tests.security.fuzz import Fuzzer, HangError, limited, main
from tests.security.grammar import FORMULAS, source


def test_formulas_are_many_and_follow_from_the_seed() -> None:
    texts = [source(Random(f"0/{k}")) for k in range(500)]
    assert len(set(texts)) > 490
    assert texts == [source(Random(f"0/{k}")) for k in range(500)]
    assert len(FORMULAS) > 40


def test_reading_and_judging() -> None:
    result = Fuzzer(seed=0, judged=0.02).run(2_000)
    assert not result.failures, str(result)
    assert result.runs == 2_000
    assert result.read > 200  # it is not just nonsense
    assert result.verdicts


@pytest.mark.slow
def test_judging() -> None:
    result = Fuzzer(seed=1, judged=0.5).run(600)
    assert not result.failures, str(result)
    assert {"true", "false", "unknown", "unreadable"} <= set(result.verdicts)


def test_what_hangs_is_found() -> None:
    with pytest.raises(HangError), limited(0.05):
        while True:
            pass


def test_one_formula_by_its_number(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seed", "3", "--only", "7"]) == 0
    assert repr(source(Random("3/7"))) in capsys.readouterr().out
