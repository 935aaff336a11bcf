"""When each vector of a network has a value: at the steps 1 … T of a sequence, or at one time.

Used by `rnnsym.network`. Vectors that are used at the same step as each other have one length;
every length is found from that, from fixed times such as T_x, and from what the user declares.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sympy import Expr, Integer, S, Symbol

from rnnsym.equations import LENGTH, Equation
from rnnsym.errors import InputError
from rnnsym.nodes import T, length, t, time_vectors


@dataclass(frozen=True)
class Span:
    """The steps first … last; one and the same for a vector with a single value."""

    first: Expr
    last: Expr

    @property
    def single(self) -> bool:
        return bool(self.first == self.last)

    @property
    def time(self) -> Expr:
        """The time at which formulas speak of the vector: t, or the only one."""
        return self.first if self.single else t

    @property
    def where(self) -> tuple[tuple[Symbol, Expr, Expr], ...]:
        """The range of t, where there is one."""
        return () if self.single else ((t, self.first, self.last),)


def sequence(last: Expr) -> Span:
    """1 … last."""
    return Span(S.One, last)


class _Lengths:
    """Names that have one length: union-find, with the symbol of each group if known."""

    def __init__(self) -> None:
        self.parent: dict[str, str] = {}
        self.symbol: dict[str, Expr] = {}

    def root(self, name: str) -> str:
        self.parent.setdefault(name, name)
        while self.parent[name] != name:
            name = self.parent[name]
        return name

    def join(self, a: str, b: str) -> None:
        a, b = self.root(a), self.root(b)
        if a != b:
            self.parent[a] = b
            if a in self.symbol:
                self.call(b, self.symbol.pop(a))

    def call(self, name: str, symbol: Expr) -> None:
        """Say that the sequence of a vector has this length."""
        known = self.symbol.setdefault(self.root(name), symbol)
        if known != symbol:
            raise InputError(
                f"{name} has two lengths, {known} and {symbol}: vectors used at the same step "
                f"belong to one sequence; use one of them at a fixed time, such as {name}[{known}]"
            )

    def of(self, name: str) -> Expr:
        return self.symbol.get(self.root(name), T)


def spans(
    equations: Mapping[str, Equation],
    initial: Iterable[Equation],
    given: Iterable[str],
    declared: Mapping[str, Any],
) -> dict[str, Span]:
    """The span of every vector: of those defined by equations, and of those given as data.

    initial: the equations of initial values; declared: vector -> the name of its length.
    Raises InputError where a vector has two lengths, or a fixed time belongs to no sequence.
    """
    lengths = _Lengths()
    timed = {name for name, e in equations.items() if e.time == t}
    fixed: dict[str, set[Expr]] = {}
    for e in (*equations.values(), *initial):
        for v in time_vectors(e.rhs):
            if t in v.time.free_symbols:
                own = equations.get(v.name)
                if own is not None and own.time != t:
                    raise InputError(
                        f"equation '{e}': {v.name}[{v.time}] is used at every step, but '{own}' "
                        f"gives a value at one time only"
                    )
                timed.add(v.name)
                lengths.join(v.name, e.lhs.name)
            else:
                fixed.setdefault(v.name, set()).add(v.time)
    for name, given_length in declared.items():
        lengths.call(name, _named(name, given_length))
    for name, times in fixed.items():
        for symbol in {s for time in times for s in time.free_symbols}:
            if name in timed or (name not in equations and len(times) > 1):
                lengths.call(name, symbol)
    result: dict[str, Span] = {}
    for name, e in equations.items():
        result[name] = sequence(lengths.of(name)) if name in timed else Span(e.time, e.time)
    for name in given:
        times = fixed.get(name, set())
        if name in timed or not times:
            result[name] = sequence(lengths.of(name))
        elif len(times) == 1:
            result[name] = Span(*times, *times)
        elif all(time.is_Integer for time in times):
            result[name] = sequence(max(times, key=int))
        else:
            result[name] = sequence(lengths.of(name))
    _check(result, equations, fixed)
    return result


def _named(name: str, value: Any) -> Expr:
    """A length as the user gives it, a name or a positive integer."""
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return Integer(value)
    if isinstance(value, str) and LENGTH.fullmatch(value):
        return length(value)
    raise InputError(f"length of {name}: {value!r} is no positive integer, and no name such as T_y")


def _check(
    found: Mapping[str, Span], equations: Mapping[str, Equation], fixed: Mapping[str, set[Expr]]
) -> None:
    known = {s.last for s in found.values() if not s.single}
    for name, times in fixed.items():
        if name in equations and name in found and found[name].single:
            for time in times - {found[name].first}:
                raise InputError(
                    f"{name}[{time}] has no value: '{equations[name]}' is its only equation"
                )
    used = {time for times in fixed.values() for time in times}
    used |= {s.first for s in found.values() if s.single}
    for time in sorted(used, key=str):
        for symbol in time.free_symbols - known:
            if known:
                names = ", ".join(sorted(map(str, known)))
                raise InputError(
                    f"{symbol} is the length of no sequence here: lengths are {names}; "
                    f"declare it, as in lengths={{'x': {str(symbol)!r}}}"
                )


def lag(user: Span, used: Span, user_time: Expr, used_time: Expr) -> int | None:
    """How many steps before its user a vector is used; None where it is used at a fixed time."""
    difference = user_time - used_time
    if user == used and isinstance(difference, Integer):
        return int(difference)
    return None
