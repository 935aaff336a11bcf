"""What a source can ask for: a table from the name of a request to the function that answers it.

A module that has more to show registers a function; it is given what was asked and yields blocks::

    @request("flow", "flow NAME T=N", options=("T",), arguments=1)
    def flow(ask: Ask) -> Iterator[Block]:
        yield Paragraph((f"{ask.arguments[0]} over {ask.whole('T')} steps",))
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rnnsym.documents import narrative
from rnnsym.documents.content import Block, Figure, Heading, Prose
from rnnsym.errors import InputError
from rnnsym.latex import LatexPrinter, TextPrinter


@dataclass
class Evidence:
    """What was checked in a source: steps, which have numbers, and whatever else was claimed."""

    numbers: narrative.Numbers = field(default_factory=narrative.Numbers)
    others: list[tuple[bool, Prose]] = field(default_factory=list)

    def also(self, ok: bool, *text: Any) -> None:
        """Note another check: whether it holds, what it was and how it was made (no full stop)."""
        self.others.append((ok, text))

    @property
    def outcomes(self) -> list[tuple[bool, str]]:
        """Every check: whether it holds, and what is said of it."""
        steps = [(c.ok, f"{c.step.section}: {c.step.rule}: {c.text}") for c in self.numbers.checks]
        words = [(ok, " ".join(map(str, text))) for ok, text in self.others]
        return steps + words


@dataclass
class Ask:
    """A request: the network it is about, what it says, and where checks are noted.

    notation: of the document; level: of the heading that the answer stands under; folder: of the
    source.
    """

    net: Any
    notation: str
    evidence: Evidence
    level: int
    arguments: Sequence[str] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    sections: Sequence[str] = ()
    folder: Path = Path()

    def whole(self, key: str, default: int | None = None) -> int:
        """An option that is a whole number above zero. Raises InputError if it is not."""
        text = self.options.get(key)
        if text is None and default is not None:
            return default
        if text is None or not text.isdecimal() or int(text) < 1:
            raise InputError(f"{key}={text or ''}: a whole number of at least 1 was expected")
        return int(text)

    @property
    def names(self) -> Mapping[str, str] | None:
        """What the network's quantities are called in the notation."""
        return self.net.notations.get(self.notation)


Answer = Callable[[Ask], Iterator[Block]]


@dataclass(frozen=True)
class Request:
    """A kind of request; usage: how it is written, for messages."""

    usage: str
    answer: Answer
    options: tuple[str, ...] = ()
    arguments: int = 0
    flags: tuple[str, ...] = ()
    sections: bool = False


REQUESTS: dict[str, Request] = {}


def request(
    name: str,
    usage: str,
    *,
    options: Sequence[str] = (),
    arguments: int = 0,
    flags: Sequence[str] = (),
    sections: bool = False,
) -> Callable[[Answer], Answer]:
    """Register the answer to a request of one or more words.

    options: keys of KEY=VALUE; arguments: how many further words there must be; flags: words
    that may be there; sections: whether names after a colon are allowed.
    """

    def register(answer: Answer) -> Answer:
        REQUESTS[name] = Request(usage, answer, tuple(options), arguments, tuple(flags), sections)
        return answer

    return register


def parse(text: str) -> tuple[Request, list[str], dict[str, str], list[str]]:
    """A line as its kind of request, arguments (with flags), options and sections.

    Raises InputError that says how the request is written.
    """
    head, *rest = re.split(r":(?=\s|$)", text.strip(), maxsplit=1)
    words = head.split()
    name = next(
        (
            n
            for n in sorted(REQUESTS, key=len, reverse=True)
            if words[: n.count(" ") + 1] == n.split()
        ),
        None,
    )
    if name is None:
        raise InputError(f"{text.strip()!r} is no request; there are {', '.join(REQUESTS)}")
    kind, words = REQUESTS[name], words[name.count(" ") + 1 :]
    pairs = [w.partition("=")[::2] for w in words if "=" in w]
    arguments = [w for w in words if "=" not in w]
    sections = [s.strip() for s in "".join(rest).split(",") if s.strip()]
    unknown = [key for key, _ in pairs if key not in (*kind.options, "model")]
    plain = [a for a in arguments if a not in kind.flags]
    if unknown or len(plain) != kind.arguments or (sections and not kind.sections):
        raise InputError(f"{text.strip()!r} is no request; it is written {kind.usage}")
    if len(dict(pairs)) < len(pairs):
        raise InputError(f"{text.strip()!r} gives an option twice")
    return kind, arguments, dict(pairs), sections


# ---- the requests ------------------------------------------------------------------------


@request("forward pass", "forward pass [model=NAME]")
def forward_pass(ask: Ask) -> Iterator[Block]:
    """The forward equations and the loss."""
    return _untitled(narrative.forward_pass(ask.net))


@request("conventions", "conventions [model=NAME]")
def conventions(ask: Ask) -> Iterator[Block]:
    """Layout, the kinds of derivative, the order of products."""
    return _untitled(narrative.conventions(ask.net, ask.notation))


@request(
    "derive", "derive NAME [T=N] [full] [model=NAME][: SECTION, …]",
    options=("T",), arguments=1, flags=("full",), sections=True,
)  # fmt: skip
def derive(ask: Ask) -> Iterator[Block]:
    """A derivation, all of it or some sections."""
    flags = ("full",)
    name = next(a for a in ask.arguments if a not in flags)
    derivation = ask.net.derive(name)
    if "T" in ask.options:
        derivation = derivation.at(ask.whole("T"))
    return _steps(ask, derivation)


@request("compact", "compact [full] [model=NAME]", flags=("full",))
def compact(ask: Ask) -> Iterator[Block]:
    """That the compact notation says the same."""
    return _steps(ask, ask.net.block_identity())


@request("graph", "graph T=N [model=NAME]", options=("T",))
def graph(ask: Ask) -> Iterator[Block]:
    """The unrolled graph."""
    from rnnsym.graph.draw import svg

    steps = ask.whole("T")
    unrolled = ask.net.unroll(steps).reduced()
    tex, text = (kind(ask.notation, ask.names) for kind in (LatexPrinter, TextPrinter))
    yield Figure(
        unrolled.mermaid(parameters=False),
        unrolled.tikz(tex),
        unrolled.text(),
        svg(unrolled, text),
        alt=f"The graph of {ask.net.name}, unrolled over {steps} time steps",
    )


def _steps(ask: Ask, derivation: Any) -> Iterator[Block]:
    unknown = [s for s in ask.sections if s not in derivation.sections]
    if unknown:
        known = ", ".join(derivation.sections)
        raise InputError(f"no section {unknown[0]!r}; there are {known}")
    numbers = ask.evidence.numbers
    if "full" in ask.arguments:
        numbers.shown.clear()
    level = max(2, ask.level + 1)
    return narrative.steps(derivation, derivation.check(), numbers, ask.sections or None, level)


def _untitled(blocks: Iterator[Block]) -> Iterator[Block]:
    """Without headings: the source has its own."""
    return (block for block in blocks if not isinstance(block, Heading))
