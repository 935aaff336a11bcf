"""The tree of a formula whose symbols are known: what `rnnsym.claims` evaluates.

Made by `resolve`. Shapes are not settled here: a reading (`rnnsym.claims.readings`) says whether
vectors are columns or rows and how derivatives are laid out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from rnnsym.reader import trees
from rnnsym.reader.indices import Index


@dataclass(frozen=True)
class Term:
    """Common ground: the place in the source."""

    start: int = field(kw_only=True, default=0, compare=False)
    end: int = field(kw_only=True, default=0, compare=False)


@dataclass(frozen=True)
class Num(Term):
    value: Fraction


@dataclass(frozen=True)
class Whole(Term):
    """A whole number made of index letters, such as T in 1/T."""

    index: Index


@dataclass(frozen=True)
class Leaf(Term):
    """A quantity of the network: a vector at a time, or a parameter (time None).

    implied: no time was written, and the present one is supposed.
    """

    name: str
    time: Index | None
    implied: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class Free(Term):
    """A variable that ranges over all numbers, such as x in tanh′(x) = 1 - tanh²(x)."""

    name: str


@dataclass(frozen=True)
class Loss(Term):
    """The loss of the whole sequence."""


@dataclass(frozen=True)
class Defined(Term):
    """A quantity that the document defines, at an index."""

    name: str
    index: tuple[Index, ...] = ()


@dataclass(frozen=True)
class Adjoint(Term):
    """A gradient by a customary name, such as δ_h at a time: the derivative of the loss by the
    vector `names`, or of what nobody says (); a reading says what exactly is meant.

    label: the name without its time; loss: the step whose loss alone is meant, as t of δ_{t,k}.
    """

    label: str
    names: tuple[str, ...]
    time: Index
    loss: Index | None = None


@dataclass(frozen=True)
class Constant(Term):
    """1, I or 0 of whatever size fits: kind is "one", "identity" or "zero"; or "infinity"."""

    kind: str


@dataclass(frozen=True)
class Sum(Term):
    """Terms with signs."""

    terms: tuple[tuple[int, Term], ...]


@dataclass(frozen=True)
class Product(Term):
    """Factors from left to right, the operator before each: "", "·", "×", "*", "⊙", "⊗", "/"."""

    factors: tuple[tuple[str, Term], ...]


@dataclass(frozen=True)
class Quotient(Term):
    above: Term
    below: Term


@dataclass(frozen=True)
class Power(Term):
    """base to the power of a whole number, or an inverse; elementwise for vectors."""

    base: Term
    exponent: Index


@dataclass(frozen=True)
class Raised(Term):
    """base to the power of an expression, as e^{-x}."""

    base: Term
    exponent: Term


@dataclass(frozen=True)
class Transposed(Term):
    body: Term


@dataclass(frozen=True)
class Apply(Term):
    """An elementwise function, or its derivative of some order; argument None: the bare name."""

    function: str
    order: int
    argument: Term


@dataclass(frozen=True)
class Argument(Term):
    """The argument of the function that gives a vector at a time, whatever it is called."""

    name: str
    time: Index


@dataclass(frozen=True)
class Named(Term):
    """A function of its own: softmax, diag, norm, vec, max, min, trace, abs, total, chain …"""

    function: str
    arguments: tuple[Term, ...]


@dataclass(frozen=True)
class Unknown(Term):
    """A function of which nothing is known but what it depends on: f(x⟨t⟩, h⟨t-1⟩, w)."""

    function: str
    arguments: tuple[Term, ...]


@dataclass(frozen=True)
class Derivative(Term):
    """∂of/∂by; kind is "∂", "∂⁺" or "∇" (the shape of `by`)."""

    of: Term
    by: tuple[Term, ...]
    kind: str
    divided: Term | None = None


@dataclass(frozen=True)
class Ranged(Term):
    """A sum or product over an index; step -1 counts down. op: "sum", "prod", "max"."""

    op: str
    index: str
    lower: Index
    upper: Index
    body: Term
    step: int = 1


@dataclass(frozen=True)
class Limit(Term):
    """What body comes to, where a free variable or what an index counts goes to a number (to ±∞:
    None), from above (1), from below (-1) or from both sides (0)."""

    variable: str | Index
    towards: Fraction | None
    side: int
    body: Term


@dataclass(frozen=True)
class Concat(Term):
    parts: tuple[Term, ...]
    rows: bool = False


@dataclass(frozen=True)
class Component(Term):
    """Entries of a vector or a matrix, counted from 1."""

    body: Term
    indices: tuple[Index, ...]


@dataclass(frozen=True)
class Choice(Term):
    """Cases: values with conditions; a condition is None for "otherwise"."""

    cases: tuple[tuple[Term, Claim | None], ...]


@dataclass(frozen=True)
class Claim(Term):
    """sides[0] ops[0] sides[1] …"""

    sides: tuple[Term, ...]
    ops: tuple[str, ...]


def children(term: Term) -> tuple[Term, ...]:
    """The terms inside of a term."""
    match term:
        case Sum(terms):
            return tuple(x for _, x in terms)
        case Product(factors):
            return tuple(x for _, x in factors)
        case Quotient(above, below):
            return above, below
        case Power(base):
            return (base,)
        case Raised(base, exponent):
            return base, exponent
        case Transposed(body) | Component(body):
            return (body,)
        case Apply(_, _, argument):
            return (argument,)
        case Named(_, arguments) | Unknown(_, arguments):
            return arguments
        case Derivative(of, by, _, divided):
            return (of, *by, *((divided,) if divided is not None else ()))
        case Ranged() | Limit():
            return (term.body,)
        case Concat(parts):
            return parts
        case Claim(sides):
            return sides
        case Choice(cases):
            return tuple(
                x for value, condition in cases for x in (value, condition) if x is not None
            )
    return ()


def walk(term: Term) -> list[Term]:
    """A term and all inside of it, outermost first."""
    found, agenda = [], [term]
    while agenda:
        node = agenda.pop()
        found.append(node)
        agenda.extend(reversed(children(node)))
    return found


def counts_entries(term: Term, index: str) -> bool:
    """Whether an index letter counts entries, and no steps."""
    entries = False
    for x in walk(term):
        entries |= isinstance(x, Component) and any(index in i.names for i in x.indices)
        times = (x.time,) if isinstance(x, Leaf) else x.index if isinstance(x, Defined) else ()
        if any(t is not None and index in t.names for t in times):
            return False
    return entries


def letters(term: Term) -> set[str]:
    """The index letters that are free in a term."""
    own: set[str] = set()
    match term:
        case Whole(index):
            own = set(index.names)
        case Leaf(_, time) | Argument(_, time) if time is not None:
            own = set(time.names)
        case Adjoint(_, _, time, loss):
            own = {*time.names, *(loss.names if loss is not None else ())}
        case Defined(_, index):
            own = {n for i in index for n in i.names}
        case Power(_, exponent):
            own = set(exponent.names)
        case Component(_, indices):
            own = {n for i in indices for n in i.names}
    inner = set().union(*(letters(x) for x in children(term))) if children(term) else set()
    if isinstance(term, Limit) and isinstance(term.variable, Index):
        inner = inner - set(term.variable.names)
    if isinstance(term, Ranged):
        inner = (inner - {term.index}) | set(term.lower.names) | set(term.upper.names)
    return own | inner


def rebuilt(x: Any, change: Callable[[Any], Any]) -> Any:
    """A term, or anything in one, with parts replaced (see `trees.rebuilt`)."""
    return trees.rebuilt(x, change, Term)


def of_itself(d: Derivative) -> bool:
    """Whether a derivative is of a vector by itself at another step."""
    names = [getattr(x, "name", "") for x in (d.of, *d.by)]
    return len(names) == 2 and names[0] == names[1] != ""


def exchange(term: Term, old: Term, new: Term) -> Term:
    """The term with one of its parts replaced wherever it stands."""
    found: Term = rebuilt(term, lambda x: new if x == old else None)
    return found
