"""The kind of evidence `latex2sympy2`: what it reads, what it finds, and when it is left out."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import numpy as np
import pytest

import rnnsym as rs
from rnnsym.cli import main
from rnnsym.errors import UnavailableError
from rnnsym.second import kind, reading
from rnnsym.second.components import Components
from rnnsym.second.kind import Numbers, tally_of
from rnnsym.second.reading import Reading, require
from rnnsym.verify import kinds
from rnnsym.verify.adjoints import derived_system
from rnnsym.verify.kinds import KINDS, verify
from tests.second.cases import components_of, needs_reader, small_case

NAME = "latex2sympy2"


@needs_reader
def test_every_equation_of_the_standard_network_is_read_back(capsys):
    options = ["--steps", "2", "--sizes", "n_x=1,n_a=2,n_y=2", "--json"]
    status = main(["verify", "elman", "--against", NAME, *options])
    report = json.loads(capsys.readouterr().out)
    assert status == 0 and report["ok"]
    read = {name: row[NAME]["read"] for name, row in report["gradients"].items()}
    assert read == {"W_aa": 4, "W_ax": 2, "b_a": 2, "W_ya": 4, "b_y": 2}
    assert report["loss"][NAME]["ok"]
    assert "read back 53 of 53 component equations" in report["kinds"][NAME]


@needs_reader
@pytest.mark.nightly
@pytest.mark.parametrize(
    ("model", "steps"),
    [
        ("elman:activation=relu,output=sigmoid,loss=binary_cross_entropy", 3),
        ("elman:activation=identity,output=identity,loss=squared_error", 3),
        ("elman:layers=2,activation=sigmoid", 2),
        ("elman:bidirectional,type=many-to-one", 3),
        ("elman:truncate=2,shortcut=2", 3),
        ("lstm", 2),
        ("gru", 2),
        ("gru:reset=after,layers=2", 2),
        ("attention:steps=2", 2),
    ],
)
def test_every_equation_of_other_networks_is_read_back(model, steps):
    components, numbers = components_of(small_case(model, steps))
    tally = tally_of(components, numbers)
    assert not tally.disagreements
    assert not tally.unread
    assert len(tally.read) == components.size
    assert tally.worst < 1e-13


@needs_reader
@pytest.mark.nightly
def test_a_large_network_is_read_in_a_sample():
    report = verify(rs.lstm(), 20, {"n_a": 16}, against=[NAME])
    assert report.ok
    assert "drawn from" in report.notes[NAME]
    assert all(row[NAME].more["read"] >= 1 for row in report.gradients.values())


@needs_reader
def test_what_is_wrong_is_found_in_what_is_read():
    """A wrong backward pass, a wrong gradient, and unknown functions, in one network."""
    case = small_case("elman:activation=g")
    system = derived_system(case.net)
    wrong = replace(
        system,
        equations={**system.equations, "a": 2 * system.equations["a"]},
        gradients={**system.gradients, "W_ya": 3 * system.gradients["W_ya"]},
    )
    looked_at = {("vector", "a"), ("adjoint", "z_a"), ("adjoint", "a"), ("gradient", "W_ya")}
    components = Components(case.net, case.symbols, wrong)
    found = [c for c in components if (c.of.kind, c.of.name) in looked_at]
    tally = tally_of(found, Numbers(case, system))
    assert tally.unread == {"g is an unknown function": 8}
    assert len(tally.disagreements) == 8  # δ_a at two times, and one gradient
    assert sum(r"\mathit{delta:a:" in line for line in tally.disagreements) == 4
    assert sum(r"\mathit{grad:Wya:" in line for line in tally.disagreements) == 4
    assert "8 cannot be read: g is an unknown function" in tally.text()
    assert "8 of what it read DISAGREE" in tally.text()


def answers_of(monkeypatch, change):
    """Stands in for the reader: the right value of every text, but for what is changed."""
    asked = []

    def read(texts):
        found = []
        for latex, numbers in texts:
            asked.append(latex)
            right = numbers.get(latex)
            found.append(change(latex, Reading("value", right)))
        return found

    monkeypatch.setattr(kind, "read", read)
    monkeypatch.setattr(kind, "require", lambda: "1.9.1")
    return asked


def test_the_numbers_of_the_function_under_test_are_what_is_compared(monkeypatch):
    net = rs.elman()
    case = small_case(net)
    components, numbers = components_of(case)
    values = {c.right: numbers.number(c.of) for c in components}
    asked = answers_of(
        monkeypatch,
        lambda latex, r: Reading("value", values[latex]) if r.value is None else r,
    )
    right = {n: numbers.adjoints.gradient(n) for n in net.parameters}
    right = {n: np.reshape(g, np.shape(case.parameters[n])) for n, g in right.items()}
    found = kind.latex2sympy2(replace(case, gradients=right))
    assert all(e.ok and e.error == 0 for e in found.gradients.values())
    assert len(asked) == 2 * components.size
    off = {**right, "W_aa": right["W_aa"] + [[0, 0], [1e-9, 0]]}
    found = kind.latex2sympy2(replace(case, gradients=off))
    assert not found.gradients["W_aa"].ok and "entry [1, 0]" in found.gradients["W_aa"].detail
    assert all(e.ok for n, e in found.gradients.items() if n != "W_aa")


@pytest.mark.parametrize("name", ["z_a", "delta"])
def test_no_gradient_passes_where_an_equation_is_read_otherwise(monkeypatch, name):
    case = small_case("elman")
    components, numbers = components_of(case)
    values = {c.right: numbers.number(c.of) for c in components}
    target = next(
        c
        for c in components
        if (c.of.name, c.of.kind) == ("z_a", "vector" if name == "z_a" else "adjoint")
    )

    def change(latex, r):
        true = values[latex] if r.value is None else r.value
        return Reading("value", true + 1e-6 * (latex == target.right))

    answers_of(monkeypatch, change)
    right = {
        n: np.reshape(numbers.adjoints.gradient(n), np.shape(w)) for n, w in case.parameters.items()
    }
    found = kind.latex2sympy2(replace(case, gradients=right))
    assert not any(e.ok for e in found.gradients.values())
    assert all(target.left in e.detail for e in found.gradients.values())
    assert "1 of what it read DISAGREE" in found.note


def test_a_name_that_does_not_come_back_is_a_disagreement(monkeypatch):
    case = small_case("elman")
    components, numbers = components_of(case)
    first = next(iter(components))
    values = {c.right: numbers.number(c.of) for c in components}
    answers_of(
        monkeypatch,
        lambda latex, r: (
            Reading("value", 2.718)
            if latex == first.left
            else (Reading("value", values[latex]) if r.value is None else r)
        ),
    )
    tally = tally_of(components, numbers)
    assert len(tally.disagreements) == 1 and "is read as 2.718" in tally.disagreements[0]


def test_a_gradient_of_which_nothing_is_read_is_no_evidence(monkeypatch):
    answers_of(monkeypatch, lambda latex, r: Reading("timeout", None, "more than 10 s"))
    case = small_case("elman")
    with pytest.raises(UnavailableError, match="gradient by W_aa: timeout: more than 10 s"):
        kind.latex2sympy2(replace(case, gradients={"W_aa": np.zeros((2, 2))}))


def test_it_is_used_only_if_it_is_named(monkeypatch):
    assert NAME in KINDS
    assert NAME not in kinds._chosen(None, True)
    assert kinds._chosen([NAME, "exact"], True) == ["exact", NAME]
    monkeypatch.setattr(reading, "require", lambda: "1.9.1")
    assert kinds._why_not_read() == "it takes seconds: ask for it by name"


def test_where_it_is_not_installed_it_is_left_out_or_refused(monkeypatch):
    def missing(_):
        raise reading.PackageNotFoundError

    monkeypatch.setattr(reading, "_version", missing)
    with pytest.raises(UnavailableError, match=r"pip install 'rnnsym\[latex2sympy2\]'"):
        require()
    monkeypatch.setattr(sys, "version_info", (3, 13, 0))
    with pytest.raises(UnavailableError, match=r"does not run on Python 3\.13"):
        verify(rs.elman(), against=[NAME])
    assert "does not run on Python 3.13" in kinds._why_not_read()


def test_the_command_line_refuses_in_one_line(monkeypatch, capsys):
    monkeypatch.setattr(reading, "find_spec", lambda name: None)
    assert main(["verify", "elman", "--against", NAME]) == 2
    error = capsys.readouterr().err.strip()
    assert "not installed" in error and "\n" not in error
