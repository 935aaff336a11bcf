"""The tree of a formula before anybody knows what its symbols stand for.

Made by `parser`, read by `resolve`. Every node knows its place [start, end) in the source.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from rnnsym.reader import trees
from rnnsym.reader.tokens import Token

Tokens = tuple[Token, ...]


@dataclass(frozen=True)
class Node:
    """Common ground: the place in the source."""

    start: int = field(kw_only=True, default=0, compare=False)
    end: int = field(kw_only=True, default=0, compare=False)


@dataclass(frozen=True)
class Number(Node):
    value: Fraction


@dataclass(frozen=True)
class Symbol(Node):
    """A letter or a word with its looks and scripts, as in \\hat{\\mathbf{y}}_t^{(i)}."""

    base: str
    font: str = ""
    accents: tuple[str, ...] = ()
    sub: Tokens = ()
    sup: Tokens = ()
    primes: int = 0


@dataclass(frozen=True)
class Scripted(Node):
    """Anything else with scripts: a bracket squared or transposed, a function with a prime."""

    base: Node
    sub: Tokens = ()
    sup: Tokens = ()
    primes: int = 0


@dataclass(frozen=True)
class Add(Node):
    """Terms with their signs, +1 or -1; 0 stands before one of which ± is meant."""

    terms: tuple[tuple[int, Node], ...]


@dataclass(frozen=True)
class Times(Node):
    """Factors with the operator before each ("" where nothing stands)."""

    factors: tuple[tuple[str, Node], ...]


@dataclass(frozen=True)
class Bracket(Node):
    """What stands in brackets: kind is the opening one; parts were separated by , or ;"""

    kind: str
    parts: tuple[Node, ...]
    separator: str = ""


@dataclass(frozen=True)
class Fraction_(Node):
    above: Node
    below: Node


@dataclass(frozen=True)
class Derivative(Node):
    """∂of/∂by, or an operator that waits for what it acts on (of is None).

    style: "partial", "d", "nabla" or "subscript"; plus: ∂⁺ was written.
    """

    of: Node | None
    by: tuple[Node, ...]
    style: str
    plus: bool = False
    order: int = 1
    divided: Node | None = None  # a factor in the denominator beside ∂by
    amended: bool = False  # the ∂ of the denominator was left out
    step: Tokens = ()  # the index of ∂u/∂W|_{(i)}: only what W does at step i counts


@dataclass(frozen=True)
class Differential(Node):
    """∂u, d u or ∇u by itself: half of a derivative."""

    style: str
    of: Node | None
    plus: bool = False
    sub: Tokens = ()
    order: int = 1


@dataclass(frozen=True)
class Big(Node):
    """A sum or product over an index: op is "sum", "prod", "max" or "min"."""

    op: str
    lower: Tokens
    upper: Tokens
    body: Node


@dataclass(frozen=True)
class Limit(Node):
    """What body comes to, where variable goes to towards."""

    variable: Node
    towards: Node
    body: Node


@dataclass(frozen=True)
class Call(Node):
    """A function of known name, such as \\tanh, of its argument."""

    function: str
    argument: Node
    sub: Tokens = ()
    sup: Tokens = ()
    primes: int = 0


@dataclass(frozen=True)
class Table(Node):
    """A matrix, or the rows of cases."""

    kind: str
    rows: tuple[tuple[Node, ...], ...]


@dataclass(frozen=True)
class Dots(Node):
    """…: what the neighbours say."""


@dataclass(frozen=True)
class Words(Node):
    """Text inside of a formula."""

    text: str


@dataclass(frozen=True)
class Empty(Node):
    """Nothing, as before the sign of a row that goes on."""


@dataclass(frozen=True)
class Relation(Node):
    """sides[0] ops[0] sides[1] ops[1] …; a single side with no operator is an expression."""

    sides: tuple[Node, ...]
    ops: tuple[str, ...]


def values(node: Node) -> list[Any]:
    """What a node is made of: nodes, tuples of them, tokens, names."""
    return list(trees.parts(node).values())


def rebuilt(x: Any, change: Callable[[Any], Any]) -> Any:
    """A node, or anything in one, with parts replaced (see `trees.rebuilt`)."""
    return trees.rebuilt(x, change, Node)
