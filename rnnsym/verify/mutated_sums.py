"""Mutations of the sum of Jacobian products: the index errors of textbooks and answers online.

Second half of the catalogue of `rnnsym.verify.mutations`. Each takes the formula
Σ_t ∂L⟨t⟩/∂a⟨t⟩ Σ_k (Π_i ∂a⟨i⟩/∂a⟨i-1⟩) ∂⁺a⟨k⟩/∂θ of a derivation and changes one thing in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sympy import Basic, Identity, MatrixExpr, Tuple
from sympy.matrices.expressions import KroneckerProduct

from rnnsym.algebra import factors, mul, scale, split, tr
from rnnsym.derive.calculus import Calculus
from rnnsym.derive.structure import Structure
from rnnsym.network import Network
from rnnsym.nodes import T, TimeProduct, TimeSum, TimeVector, Total, leaves

#: (place, formula)
Variant = tuple[str, MatrixExpr]


@dataclass(frozen=True)
class SumKind:
    """A kind of error in a sum of products: its name, and a sentence that explains it."""

    name: str
    sentence: str
    apply: Callable[[Formula], Iterator[Variant]]


SUM_KINDS: list[SumKind] = []


def _kind(name: str, sentence: str) -> Callable[[Any], Any]:
    def enter(apply: Callable[[Formula], Iterator[Variant]]) -> Any:
        SUM_KINDS.append(SumKind(name, sentence, apply))
        return apply

    return enter


class Formula:
    """The sum of Jacobian products of a gradient, taken apart."""

    def __init__(self, net: Network, parameter: str, whole: MatrixExpr) -> None:
        self.net, self.whole = net, whole
        self.parameter = net.parameters[parameter]
        nodes = list(_all(whole))
        self.products = [e for e in nodes if isinstance(e, TimeProduct)]
        self.sums = [e for e in nodes if isinstance(e, TimeSum)]

    @property
    def inner(self) -> Iterator[tuple[TimeSum, TimeProduct, MatrixExpr]]:
        """(sum over k, its product over i, what follows the product): Σ_k (Π …) rest."""
        for e in self.sums:
            parts = factors(e.body)
            for i, part in enumerate(parts):
                if isinstance(part, TimeProduct) and i + 1 < len(parts):
                    yield e, part, mul(*parts[i + 1 :])

    def with_product(self, change: Callable[[TimeProduct], MatrixExpr]) -> Iterator[Variant]:
        """Each ordered product replaced in turn."""
        for p in self.products:
            yield f"the product over {p.index}", self.whole.xreplace({p: change(p)})

    def with_rest(self, change: Callable[[Any, Any, Any], Any]) -> Iterator[Variant]:
        """What follows the product replaced by change(sum, product, rest), if not None."""
        for e, p, rest in self.inner:
            new = change(e, p, rest)
            if new is not None:
                body = scale(split(e.body)[0], mul(*_before(e, p), p, new))
                yield "", self.whole.xreplace({e: TimeSum(body, e.args[1])})

    def with_limits(self, sums: Any, lower: Any = None, upper: Any = None) -> Iterator[Variant]:
        """Each of some sums with other limits, functions of the sum."""
        for e in sums:
            limits = (
                e.index,
                lower(e) if lower else e.lower,
                upper(e) if upper else e.upper,
            )
            place = f"the sum over {e.index}"
            yield place, self.whole.xreplace({e: TimeSum(e.body, limits)})

    @property
    def outer_sums(self) -> list[TimeSum]:
        return [e for e in self.sums if e.upper == T]

    @property
    def inner_sums(self) -> list[TimeSum]:
        return [e for e in self.sums if e.upper != T]


def _before(e: TimeSum, p: TimeProduct) -> tuple[MatrixExpr, ...]:
    parts = factors(e.body)
    return tuple(parts[: parts.index(p)])


def _all(e: Basic) -> Iterator[Basic]:
    """Every sub-expression once, outermost first."""
    seen, agenda = set(), [e]
    while agenda:
        node = agenda.pop()
        if node not in seen:
            seen.add(node)
            yield node
            agenda += reversed(node.args)


def _limited(p: TimeProduct, lower: Any, upper: Any) -> TimeProduct:
    return TimeProduct(p.body, Tuple(p.index, lower, upper), p.order)


@_kind("product from k", "the product begins at k instead of k+1: one Jacobian too many")
def _from_k(f: Formula) -> Iterator[Variant]:
    yield from f.with_product(lambda p: _limited(p, p.lower - 1, p.upper))


@_kind("product from k+2", "the product begins at k+2 instead of k+1: one Jacobian is missing")
def _from_k2(f: Formula) -> Iterator[Variant]:
    yield from f.with_product(lambda p: _limited(p, p.lower + 1, p.upper))


@_kind("product to t-1", "the product ends at t-1 instead of t: the last Jacobian is missing")
def _to_before(f: Formula) -> Iterator[Variant]:
    yield from f.with_product(lambda p: _limited(p, p.lower, p.upper - 1))


@_kind("reversed product", "the Jacobians are multiplied in the opposite order")
def _reversed(f: Formula) -> Iterator[Variant]:
    yield from f.with_product(lambda p: TimeProduct(p.body, p.args[1], -p.order))


@_kind("transposed Jacobians", "each Jacobian in the product is transposed")
def _transposed(f: Formula) -> Iterator[Variant]:
    yield from f.with_product(lambda p: TimeProduct(tr(p.body), p.args[1], p.order))


@_kind("missing product", "the Jacobians between step k and step t are left out")
def _no_product(f: Formula) -> Iterator[Variant]:
    yield from f.with_product(lambda p: Identity(p.rows))


@_kind("Jacobians one step early", "the product runs over the Jacobians of the steps before")
def _early_jacobians(f: Formula) -> Iterator[Variant]:
    yield from f.with_product(
        lambda p: TimeProduct(p.body.xreplace({p.index: p.index - 1}), p.args[1], p.order)
    )


@_kind("one Jacobian for all", "the Jacobian at t is taken for every step: a power, no product")
def _power(f: Formula) -> Iterator[Variant]:
    yield from f.with_product(
        lambda p: TimeProduct(p.body.xreplace({p.index: p.upper}), p.args[1], p.order)
    )


@_kind("naive chain rule", "only k = t is counted: earlier steps are forgotten")
def _naive(f: Formula) -> Iterator[Variant]:
    yield from f.with_limits(f.inner_sums, lower=lambda e: e.upper)


@_kind("longest path only", "only k = 1 is counted: the path from the first step")
def _longest(f: Formula) -> Iterator[Variant]:
    yield from f.with_limits(f.inner_sums, upper=lambda e: e.lower)


@_kind("k from 2", "the sum over k begins at 2 instead of 1")
def _from_2(f: Formula) -> Iterator[Variant]:
    yield from f.with_limits(f.inner_sums, lower=lambda e: e.lower + 1)


@_kind("k to t-1", "the sum over k ends at t-1: the direct path of step t is missing")
def _short(f: Formula) -> Iterator[Variant]:
    yield from f.with_limits(f.inner_sums, upper=lambda e: e.upper - 1)


@_kind("k to T", "the sum over k runs to T: steps after t cannot change L⟨t⟩")
def _long(f: Formula) -> Iterator[Variant]:
    yield from f.with_limits(f.inner_sums, upper=lambda e: T)


@_kind("first loss only", "only the loss of the first step is counted")
def _first_loss(f: Formula) -> Iterator[Variant]:
    yield from f.with_limits(f.outer_sums, upper=lambda e: e.lower)


@_kind("last loss only", "only the loss of the last step is counted")
def _last_loss(f: Formula) -> Iterator[Variant]:
    yield from f.with_limits(f.outer_sums, lower=lambda e: e.upper)


@_kind("loss of step T missing", "the sum over t ends at T-1")
def _loss_missing(f: Formula) -> Iterator[Variant]:
    yield from f.with_limits(f.outer_sums, upper=lambda e: e.upper - 1)


@_kind("∂⁺ at t", "the immediate partial is taken at t instead of k")
def _immediate_at_t(f: Formula) -> Iterator[Variant]:
    yield from f.with_rest(lambda e, p, rest: rest.xreplace({e.index: e.upper}))


@_kind(
    "total for immediate", "da⟨k⟩/dθ stands where ∂⁺a⟨k⟩/∂θ belongs: paths are counted many times"
)
def _total(f: Formula) -> Iterator[Variant]:
    blocks = Structure(f.net).blocks

    def total(e: TimeSum, p: TimeProduct, rest: MatrixExpr) -> MatrixExpr | None:
        states = [b.state(e.index) for b in blocks]
        fitting = [s for s in states if s.rows == rest.rows]
        return Total(fitting[0], f.parameter) if len(fitting) == 1 else None

    yield from f.with_rest(total)


@_kind("a⟨k⟩ for a⟨k-1⟩ in ∂⁺", "the immediate partial holds the state of the same step")
def _same_state(f: Formula) -> Iterator[Variant]:
    def later(e: Any, p: Any, rest: MatrixExpr) -> MatrixExpr | None:
        table = {}
        for kron in leaves(rest, KroneckerProduct):
            moved = {v: v.at(v.time + 1) for v in leaves(kron, TimeVector) if v.time != e.index}
            table[kron] = kron.xreplace(moved)
        new = rest.xreplace(table)
        return None if new == rest else new

    yield from f.with_rest(later)


@_kind("Kronecker factors swapped", "I ⊗ aᵀ stands for aᵀ ⊗ I: vec by rows instead of columns")
def _swapped(f: Formula) -> Iterator[Variant]:
    table = {
        e: KroneckerProduct(*reversed(e.args))
        for e in _all(f.whole)
        if isinstance(e, KroneckerProduct) and len(e.args) == 2
    }
    if table:
        yield "", f.whole.xreplace(table)


def variants(net: Network, parameter: str, calculus: Calculus | None = None) -> Any:
    """(kind, place, formula) for every mutation of the sum of products of one gradient."""
    derivation = (calculus or Calculus(net)).derive(parameter)
    formula = Formula(net, parameter, derivation.formula)
    for kind in SUM_KINDS:
        for place, mutated in kind.apply(formula):
            if mutated != formula.whole:
                yield kind, place, mutated
