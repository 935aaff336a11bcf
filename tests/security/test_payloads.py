"""Known payloads: read and judged within the limits, nothing run, nothing poisoned."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import rnnsym as rs
from rnnsym.claims.check import check
from rnnsym.claims.verdict import STATUS, UNKNOWN, UNREADABLE
from rnnsym.errors import RnnsymError
from rnnsym.reader.macros import expand
from rnnsym.reader.statements import read_formula
from tests.security.fuzz import RIGHT, WRONG, timed
from tests.security.payloads import Payload, corpus, defining, expanding, judged, known

#: seconds of processor time: to read, to judge, and what a judgement may take beyond its limit
READ, JUDGE, SLACK = 0.2, 0.5, 1.0

CORPUS = corpus()
FAST = {p.name for group in (known, expanding) for p in group()} | {
    p.name for group in (judged, defining) for p in list(group())[::6]
}
#: what a formula has no business with
FORBIDDEN = {"os.system", "os.exec", "os.posix_spawn", "subprocess.Popen", "socket.connect"}

_watched: list[str] = []
_watching = False


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watching:
        return
    written = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
    if event in FORBIDDEN or written:
        _watched.append(f"{event} {arguments}")


sys.addaudithook(_hook)


@contextmanager
def watched() -> Iterator[None]:
    """Fails where something runs a program, opens a connection or writes a file."""
    global _watching
    _watched.clear()
    _watching = True
    try:
        yield
    finally:
        _watching = False
    assert not _watched


def test_payloads_are_many_and_different() -> None:
    assert len(CORPUS) > 500
    assert len({p.latex + str(p.macros) for p in CORPUS}) > 0.98 * len(CORPUS)


def reads(payload: Payload) -> str:
    """Why a payload is refused, if it is."""
    try:
        read_formula(expand(payload.latex, payload.macros))
    except RnnsymError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("payload", CORPUS, ids=lambda p: p.name)
def test_is_read_or_refused_in_time(payload: Payload) -> None:
    with watched():
        why, taken = timed(lambda: reads(payload), READ)
    assert taken < READ
    assert why.isprintable()
    assert len(why) < 500


@pytest.fixture(scope="module")
def net() -> Any:
    found = rs.elman()
    check(RIGHT, found)
    check(WRONG, found)
    return found


def _judged(payload: Payload, net: Any) -> None:
    with watched():
        verdict, taken = timed(
            lambda: check(payload.latex, net, macros=payload.macros, seconds=JUDGE), JUDGE + SLACK
        )
    assert taken < JUDGE + SLACK
    assert verdict.verdict in STATUS
    assert payload.says in verdict.message
    assert verdict.message.isprintable()
    if payload.says:
        assert verdict.verdict in (UNKNOWN, UNREADABLE)
    assert "<script" not in verdict._repr_html_()
    assert check(RIGHT, net, diagnose=False).verdict == "true"


@pytest.mark.parametrize("payload", [p for p in CORPUS if p.name in FAST], ids=lambda p: p.name)
def test_is_judged_in_time(payload: Payload, net: Any) -> None:
    _judged(payload, net)


@pytest.mark.nightly
@pytest.mark.parametrize("payload", [p for p in CORPUS if p.name not in FAST], ids=lambda p: p.name)
def test_is_judged_in_time_too(payload: Payload, net: Any) -> None:
    _judged(payload, net)


def test_right_and_wrong_are_told_apart_afterwards(net: Any) -> None:
    assert check(RIGHT, net).verdict == "true"
    assert check(WRONG, net).verdict == "false"
