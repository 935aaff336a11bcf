"""Where symbols stand in the formulas of a document, and letters with a customary meaning.

Used by `times`, `equations` and `vocabulary`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from rnnsym.reader import syntax as s
from rnnsym.reader.indices import Index
from rnnsym.reader.parser import Parser
from rnnsym.reader.symbols import Script, Spelled, spell
from rnnsym.reader.table import Key
from rnnsym.reader.tokens import UnreadableError

#: letters that a loss goes by, where nothing else is known of them
LOSS_LETTERS = ("L", "E", "J", "C", "ell", "l", "loss", "Loss", "xi", "S")
#: letters that an equation makes a loss by itself
SURE_LOSSES = ("L", "E", "J", "ell", "loss", "Loss", "xi")
#: letters that are functions where they stand before a bracket
FUNCTION_LETTERS = {"f", "g", "F", "G", "phi", "psi", "sigma", "Phi", "Psi", "varphi", "h", "s",
                    "act", "activation", "a", "H", "rho", "nonlin", "cell", "RNN", "R", "O", "o",
                    "y",
                    "LSTM", "GRU", "q", "p", "l", "L", "ell", "N", "M"}  # fmt: skip
WEIGHT_LETTERS = set("WUVRKQ") | {"Theta", "w", "u", "v", "b", "theta"}
#: letters of parameters of which copies for single steps may be spoken of
COPIED_LETTERS = {"W", "U", "V", "R", "Theta", "theta", "b", "w"}
GRADIENT_LETTERS = {"delta", "Delta", "nabla", "epsilon"}
SCALAR_LETTERS = {"alpha", "beta", "gamma", "lambda", "eta", "kappa", "mu"}
#: letters that count entries
ENTRY_LETTERS = {"i", "j", "k", "l", "m", "n"}
#: words that no quantity can be called by
RESERVED = {"T", "t", "L", "softmax", "detach", "tanh", "sigmoid", "relu", "exp", "log", "step",
            "softplus", "identity", "reciprocal", "g", "g_y", "g_1", "g_2", "in", "is", "if", "or",
            "as", "and", "not", "for", "lambda"}  # fmt: skip


@dataclass(frozen=True)
class Occurrence:
    """A symbol where it stands: its parts, what follows it, and how often around it."""

    symbol: s.Symbol
    spelled: Spelled
    applied: s.Bracket | None = None


@dataclass(frozen=True)
class Forward:
    """An equation that may be one of the network: a name at a step, and what it is computed by."""

    key: Key
    index: Index | None
    components: tuple[Index, ...]
    right: s.Node
    latex: str
    formula: int
    rest: tuple[s.Node, ...] = ()
    arguments: bool = False


def nodes(node: Any) -> Iterator[s.Node]:
    """A node of the syntax and all inside of it."""
    agenda: list[Any] = [node]
    while agenda:
        x = agenda.pop()
        if isinstance(x, s.Node):
            yield x
            agenda += reversed(s.values(x))
        elif isinstance(x, tuple):
            agenda += reversed(x)


def occurrences(node: s.Node) -> Iterator[Occurrence]:
    """Every symbol in a node, with the bracket that it is applied to, if any."""
    applied: dict[int, s.Bracket] = {}
    for x in nodes(node):
        if isinstance(x, s.Times):
            for (_, a), (op, b) in zip(x.factors, x.factors[1:], strict=False):
                inner = b.base if isinstance(b, s.Scripted) else b
                if isinstance(a, s.Symbol) and op == "" and isinstance(inner, s.Bracket):
                    applied[id(a)] = inner
    for x in nodes(node):
        if isinstance(x, s.Symbol):
            yield Occurrence(x, spell(x), applied.get(id(x)))
        elif isinstance(x, s.Differential) and x.sub:  # the W of ∇_W
            try:
                inner = Parser(x.sub).whole()
            except UnreadableError:
                continue
            yield from occurrences(inner)


def key_of_kept(spelled: Spelled, kept: Iterable[Script]) -> Key:
    """The key of a symbol with the labels that are kept."""
    labels = "".join(f"[{x.text}]" if x.style == "square" else x.text for x in kept)
    return spelled.base, spelled.accents, labels + spelled.star + "'" * spelled.primes


def bound_letters(node: s.Node) -> set[str]:
    """Index letters that sums inside of a node bind."""
    found = set()
    for x in nodes(node):
        if isinstance(x, s.Big) and x.lower:
            found.add(x.lower[0].text.lstrip("\\"))
    return found
