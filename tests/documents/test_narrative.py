"""Several derivations in one document: what was shown is referred to, and nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import rnnsym as rs
from rnnsym import api
from rnnsym.documents.content import Display, Document, Paragraph, Ref, Remarks
from rnnsym.documents.narrative import chains
from rnnsym.documents.terminal import terminal


def said(d: Any) -> set[Any]:
    return {(s.before, s.after, s.relation, s.where) for s in d.steps}


def remarks(document: Document) -> list[Any]:
    return [r for b in document.blocks if isinstance(b, Remarks) for r in b.items]


def refs(document: Document) -> list[Ref]:
    paragraphs = [b for b in document.blocks if isinstance(b, Paragraph)]
    return [part for p in paragraphs for part in p.text if isinstance(part, Ref)]


@pytest.mark.parametrize("model", ["elman", "lstm", "gru"])
def test_no_chain_is_shown_twice_and_none_is_lost(model: str) -> None:
    net = rs.model(model)
    found = [net.derive(name) for name in net.parameters]
    document, ok = api.derivations_document(found)
    assert ok
    shown = [c for b in document.blocks if isinstance(b, Display) for c in b.rows if c.number]
    known: set[Any] = set()
    expected = 0
    for derivation in found:
        for section in derivation.sections:
            for chain in chains(derivation.section(section)):
                keys = {(s.before, s.after, s.relation, s.where) for s in chain}
                if not keys <= known:
                    expected += len(chain)
                    known |= keys
    assert len(shown) == expected == len(remarks(document))
    assert known == set().union(*map(said, found))
    assert len(shown) < sum(len(d.steps) for d in found)


def test_references_are_to_the_same_formulas() -> None:
    net = rs.elman()
    found = [net.derive(name) for name in ("W_aa", "W_ax")]
    document, _ = api.derivations_document(found)
    first = len(found[0].steps)
    assert [r.number for r in remarks(document)][:first] == list(range(1, first + 1))
    numbers = {n for r in refs(document) for n in range(r.first, (r.last or r.first) + 1)}
    steps = dict(enumerate(found[0].steps, 1))
    referred = {(steps[n].before, steps[n].after) for n in numbers}
    assert referred == {(s.before, s.after) for s in found[1].steps} & {
        (s.before, s.after) for s in found[0].steps
    }
    assert "As above: (" in terminal(document)


def test_a_single_derivation_has_nothing_above() -> None:
    d: Any = rs.elman().derive("W_aa")
    assert not refs(d.document()) and len(remarks(d.document())) == len(d.steps)


def test_the_same_for_another_T_is_not_the_same() -> None:
    d: Any = rs.elman().derive("W_ya")
    document, _ = api.derivations_document([d, d.at(2)])
    assert not refs(document)
    assert "at T = 2 and 4" in " ".join(terminal(document).split())


def test_what_fails_is_shown_each_time() -> None:
    net = rs.elman()
    right: Any = net.derive("W_ya")
    steps = (replace(right.steps[0], relation="≠"), *right.steps[1:])
    wrong: Any = api.Derivation.of(net, replace(right, steps=steps), "W_ya")
    document, ok = api.derivations_document([wrong, wrong])
    assert not ok and [r.ok for r in remarks(document)].count(False) == 2
