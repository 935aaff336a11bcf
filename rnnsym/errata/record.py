"""What an erratum is, and the table of all of them.

First of `rnnsym.errata`. Knows nothing of networks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from rnnsym.derive.step import Prose, Step
from rnnsym.errors import InputError

WRONG, MISPRINT, IMPRECISE, AMBIGUOUS = "wrong", "misprint", "imprecise", "ambiguous"


@dataclass(frozen=True)
class Statement:
    """left relation right; a relation of numbers alone stands at the right."""

    left: Any
    relation: str
    right: Any


@dataclass(frozen=True)
class Finding:
    """A piece of evidence: what was found, with mathematics in it, and whether it bears out."""

    text: Prose
    ok: bool


@dataclass(frozen=True)
class Erratum:
    """A place of the post, what is printed there and what is meant.

    name: a short key; place: the section; verdict: "wrong", "misprint", "imprecise" or
    "ambiguous"; printed, meant: statements, perhaps none; instead: what the printed one comes to;
    why: in words; evidence: each piece was made by machine.
    """

    name: str
    title: str
    place: str
    verdict: str
    printed: tuple[Statement, ...]
    meant: tuple[Statement, ...]
    why: Prose
    evidence: tuple[Finding, ...]
    instead: tuple[Statement, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether all of the evidence bears out the verdict."""
        return bool(self.evidence) and all(finding.ok for finding in self.evidence)


_MADE: dict[str, Callable[[], Erratum]] = {}


def entry(name: str, title: str, place: str, verdict: str) -> Callable[[Any], Any]:
    """Register what makes an erratum: a function of (printed, meant, why, evidence)."""

    def enter(make: Callable[[], tuple[Any, Any, Any, Any]]) -> Any:
        _MADE[name] = cache(lambda: Erratum(name, title, place, verdict, *make()))
        return make

    return enter


def names() -> list[str]:
    """The errata by name, in the order of the post."""
    return list(_MADE)


def erratum(name: str) -> Erratum:
    """One of them. Raises InputError for a name that there is not."""
    if name not in _MADE:
        raise InputError(f"unknown erratum {name!r}: choose from {', '.join(_MADE)}")
    return _MADE[name]()


def errata() -> list[Erratum]:
    """All of them."""
    return [make() for make in _MADE.values()]


def stated(step: Step) -> Statement:
    """What a step says."""
    return Statement(step.before, step.relation, step.after)
