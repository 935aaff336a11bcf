"""What a derivation prints is read back as what it was: judged true, and equal in value.

Every step of derivations, for symbolic and concrete T, every gradient and every equation of the
backward pass is printed in a notation and read with the symbols of that notation. The relation
must be true; each side alone must have the value that the trusted evaluator gives its expression.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from sympy import Integer, Symbol

import rnnsym as rs
from rnnsym.claims.blocks import Value
from rnnsym.claims.conditions import choices
from rnnsym.claims.errors import SizeNeededError
from rnnsym.claims.judge import Judge
from rnnsym.claims.readings import Reading
from rnnsym.latex import PROFILES
from rnnsym.nodes import MatrixSymbol, Total, leaves
from rnnsym.reader import terms as u
from rnnsym.reader.resolve import Resolver
from rnnsym.reader.statements import read_formula
from rnnsym.reader.table import Table, of_network
from tests.claims.printed import GRID, SAMPLE, Printed, Prints
from tests.compositions.test_compositions import compositions, said

SECONDS = 120.0


def read(latex: str, table: Table) -> u.Term:
    (statement,) = read_formula(latex).statements
    return Resolver(table, latex)(statement.node)


def check(net: Any, notation: str, equations: Iterable[Printed], values: bool = True) -> int:
    """Judge equations; returns how many."""
    table, count = of_network(net, notation), 0
    for printed in equations:
        claim = read(printed.latex, table)
        assert isinstance(claim, u.Claim)
        judge = Judge(net, table, True, printed.conditions, seconds=SECONDS)
        (left, right), (op,) = claim.sides, claim.ops
        outcome = judge.relation(left, op, right)
        assert outcome.kind == "equal", f"{outcome.kind} {outcome.why}: {printed.latex}"
        assert not outcome.limited, f"{outcome.limited}: {printed.latex}"
        if values:
            for expression, latex in zip((printed.left, printed.right), printed.sides, strict=True):
                check_value(judge, expression, read(latex, table), latex)
        count += 1
    assert count
    return count


def check_value(judge: Judge, expression: Any, term: u.Term, latex: str) -> None:
    """One side, evaluated from its LaTeX, against the trusted evaluator at the same point."""
    scene = judge.scene(judge.main)
    values = scene.values(Reading(layout="numerator"))
    letters = u.letters(term)
    for numbers in choices(scene, (term,), judge.conditions)[:3]:
        every = {**scene.numbers, **numbers}
        bindings = {Symbol(n, integer=True): Integer(every[n]) for n in letters if n in every}
        true = scene.truth.evaluator(bindings)(expression)
        by = [d.by for d in leaves(expression, Total) if isinstance(d.by, MatrixSymbol)]
        shapes = {tuple(int(n.xreplace(scene.symbols)) for n in w.shape) for w in by} or {None}
        scene.identity_size = scene.split = None
        try:
            found = values(term, every)
            pairs = [values.pair(Value(true, vec), found) for vec in shapes]
        except SizeNeededError:  # W [I; 0]: what I is, the other side of the equation says
            return
        assert any(a == b for a, b in pairs), f"at {numbers}: {latex}"


@pytest.mark.parametrize("model", SAMPLE)
def test_what_is_printed_is_read_back(model: str) -> None:
    """A sample: one subject of each network, the notations in turn."""
    net = rs.model(model)
    notation = list(PROFILES)[SAMPLE.index(model) % len(PROFILES)]
    prints = Prints(net, notation)
    subjects = list(net.parameters)[:1]
    check(net, notation, prints.derivations(subjects))
    check(net, notation, prints.adjoints())


def test_a_concrete_length_is_read_back() -> None:
    net = rs.elman()
    check(net, "post", Prints(net, "post").derivations(["W_aa"], steps=3))


@pytest.mark.nightly
@pytest.mark.parametrize("notation", list(PROFILES))
@pytest.mark.parametrize("model", GRID)
def test_every_network_in_every_notation(model: str, notation: str) -> None:
    net = rs.model(model)
    prints = Prints(net, notation)
    check(net, notation, prints.derivations(net.parameters))
    check(net, notation, prints.adjoints())
    if "=l" not in model:
        check(net, notation, prints.derivations(list(net.parameters)[:2], steps=3))


@pytest.mark.nightly
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(composition=compositions())
def test_random_networks(composition: tuple[str, dict[str, Any]]) -> None:
    cell, options = composition
    net = rs.model(cell, **said(options))
    notation = list(PROFILES)[len(net.equations) % len(PROFILES)]
    prints = Prints(net, notation)
    check(net, notation, prints.derivations(list(net.parameters)[-2:]), values=False)
    check(net, notation, prints.adjoints())
