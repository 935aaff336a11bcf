"""Every limit has its own message, and what lies within is not refused."""

from __future__ import annotations

from typing import Any

import pytest

import rnnsym as rs
from rnnsym.claims.check import check
from rnnsym.claims.conditions import MAX_TRIED, Condition
from rnnsym.claims.errors import TooLargeError
from rnnsym.claims.judge import Judge
from rnnsym.claims.taking import MAX_RELATIONS
from rnnsym.claims.value_sums import MAX_ENTRIES, MAX_TERMS
from rnnsym.reader import limits, tokens
from rnnsym.reader import terms as u
from rnnsym.reader.indices import Index
from rnnsym.reader.macros import expand
from rnnsym.reader.statements import read_formula
from rnnsym.reader.table import of_network
from rnnsym.reader.tokens import UnreadableError, printable
from tests.security.payloads import A, Definition, nested


@pytest.fixture(scope="module")
def net() -> Any:
    return rs.elman()


def refused(latex: str) -> str:
    with pytest.raises(UnreadableError) as caught:
        read_formula(latex)
    return str(caught.value)


def message(latex: str, net: Any, seconds: float = 10.0) -> str:
    return check(latex, net, seconds=seconds, diagnose=False).message


def test_characters() -> None:
    fitting = "x" * tokens.MAX_DIGITS + " " * (tokens.MAX_LENGTH - tokens.MAX_DIGITS)
    read_formula(fitting)
    assert "20,001 characters, at most 20,000" in refused(fitting + " ")


def test_tokens() -> None:
    fitting = "x+" * (tokens.MAX_TOKENS // 2 - 1) + "x"
    read_formula(fitting)
    assert f"more than {tokens.MAX_TOKENS:,} tokens" in refused(fitting + "+x+")


def test_digits() -> None:
    read_formula("1" * tokens.MAX_DIGITS)
    assert "a number of more than 30 digits" in refused("1" * (tokens.MAX_DIGITS + 1))


@pytest.mark.parametrize(("left", "right"), [("(", ")"), ("{", "}"), (r"\{", r"\}"), ("[", "]")])
def test_depth(left: str, right: str) -> None:
    read_formula(nested(left, "x", right, 15))
    assert "nested more than 40 deep" in refused(nested(left, "x", right, tokens.MAX_DEPTH + 1))


def test_depth_without_brackets() -> None:
    assert "nested more than 40 deep" in refused(r"\tanh " * 500 + "x")
    assert "nested more than 40 deep" in refused(nested(r"\lfloor ", "x", r"\rfloor ", 200))


def test_scripts(net: Any) -> None:
    most = ",".join("1" * limits.MAX_SCRIPTS)
    assert "scripts" not in message(f"q_{{{most}}} = a_t", net)
    assert "more than 8 scripts on one symbol" in message(f"q_{{{most},1}} = a_t", net)
    assert "a script of more than 300 tokens" in message(f"q_{{{'k' * 301}}} = a_t", net)


def test_exponents(net: Any) -> None:
    assert message(f"{A}^{{64}} = {A}^{{64}}".replace(A, "a_t"), net).startswith("true")
    assert "an exponent beyond 64" in message("a_t^{65} = a_t^{65}", net)


def test_numbers(net: Any) -> None:
    assert message("1000000000000 = 1000000000000", net).startswith("true")
    assert "a number beyond 10" in message("1000000000001 = 1000000000001", net)


def test_entries_of_a_matrix() -> None:
    row = "&".join("x" * 10)
    read_formula(rf"\begin{{matrix}}{chr(92) * 2}{(row + chr(92) * 2) * 10}\end{{matrix}}")
    assert "a matrix of more than 100 entries" in refused(
        rf"\begin{{matrix}}{(row + chr(92) * 2) * 11}\end{{matrix}}"
    )


def test_relations(net: Any) -> None:
    assert message("=".join(["x_t"] * MAX_RELATIONS), net).startswith("true")
    too_many = "=".join(["x_t"] * (MAX_RELATIONS + 2))
    assert message(too_many, net) == "too large: more than 100 relations in one formula"


def test_terms_of_a_sum(net: Any) -> None:
    assert message(rf"\sum_{{k=1}}^{{{MAX_TERMS}}} 1 = {MAX_TERMS}", net).startswith("true")
    assert message(rf"\sum_{{k=0}}^{{{MAX_TERMS + 1}}} 1 = 1", net) == (
        "too large: a sum of more than 2,000 terms"
    )


def test_size_of_a_product(net: Any) -> None:
    assert MAX_ENTRIES == 20_000
    found = message(r" \otimes ".join(["W_{aa}"] * 9) + " = 1", net)
    assert found == "too large: a matrix of more than 20,000 entries"


def test_choices_of_indices(net: Any) -> None:
    judge = Judge(net, of_network(net))
    terms = tuple((1, u.Leaf("a", Index.of(c))) for c in "ijklmnopqr")
    with pytest.raises(TooLargeError, match=f"more than {MAX_TRIED:,} choices of the indices"):
        judge.relation(u.Sum(terms), "=", u.Num(1))


def test_a_contradiction_leaves_no_choice(net: Any) -> None:
    never = (Condition(Index.of("i"), "<", Index.of("i")),)
    judge = Judge(net, of_network(net), conditions=never)
    for op in ("=", "<"):
        outcome = judge.relation(u.Leaf("a", Index.of("i")), op, u.Num(1))
        assert (outcome.kind, outcome.why) == ("none", "no index lies in the range")


def test_time(net: Any) -> None:
    sums = "".join(rf"\sum_{{k_{{{i}}}=1}}^{{T}}" for i in range(12))
    assert message(f"{sums} {A} = {A}", net, 0.2) == "too large: it takes too long to decide"


def test_time_is_over_for_every_reading(net: Any) -> None:
    # a difference under one reading says nothing where there was no time for the others
    judge = Judge(net, of_network(net), seconds=0)
    with pytest.raises(TooLargeError):
        judge.relation(u.Leaf("a", Index.of("t")), "=", u.Leaf("a", Index.of("t")))


@pytest.mark.parametrize(
    ("macros", "words"),
    [
        ({r"\a": Definition(r"\a")}, "made of itself"),
        ({r"\a": Definition(r"\b"), r"\b": Definition(r"\a")}, "does not come to an end"),
        ({r"\a": Definition("#1", 1)}, "lacks an argument"),
        ({r"\a": Definition("x" * 30_000)}, "more than 20,000 characters"),
    ],
)
def test_macros(macros: dict[str, Any], words: str) -> None:
    with pytest.raises(UnreadableError, match=words):
        expand(r"\a", macros)


def test_functions_of_great_numbers(net: Any) -> None:
    found = message(nested(r"\exp(", A, ")", 6) + r" \le 1", net)
    assert found == "too large: exp of a number beyond 1,000,000"


def test_functions_without_a_value(net: Any) -> None:
    assert message(r"\sqrt{-1} \le 1", net) == "sqrt has no value there"
    assert message(r"\log(0) \le 1", net) == "log has no value there"
    assert message(r"\frac{1}{0} \le 1", net) == "a denominator vanishes"


def test_messages_can_be_printed() -> None:
    hidden = "a\x1b[2J\u202e\ud800b"
    assert printable(hidden) == r"a\x1b[2J\u202e\ud800b"
    assert len(printable("x" * 10_000)) < 400
    assert "\\x1b" in refused("\x1b")
