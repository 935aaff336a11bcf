"""Equations between entries as equations between matrices: Σ_j W_ij h_j is W h.

Used by `network`, for forward equations in components and for losses that are sums over classes.
"""

from __future__ import annotations

from dataclasses import replace

from rnnsym.errors import InputError
from rnnsym.reader import terms as u
from rnnsym.reader.indices import Index


def without_entries(term: u.Term, free: str = "") -> u.Term:
    """The term with the entry `free` taken of all of it, and sums over entries as products."""
    match term:
        case u.Component(body, indices):
            names = [i.letter for i in indices]
            if names == [free]:
                return body
            raise InputError("an entry by itself has no place in a forward equation")
        case u.Ranged("sum", index, _, _, body) if _counts(body, index):
            return _contracted(body, index, free)
        case u.Sum(terms):
            return u.Sum(tuple((s, without_entries(x, free)) for s, x in terms))
        case u.Product(factors):
            inner = [without_entries(x, free) for _, x in factors]
            done = []
            for k, ((op, x), y) in enumerate(zip(factors, inner, strict=True)):
                both = k > 0 and x != y and factors[k - 1][1] != inner[k - 1]
                done.append(("⊙" if both and op in ("", "·", "×", "*") and free else op, y))
            return u.Product(tuple(done))
        case u.Apply(function, order, argument):
            return u.Apply(function, order, without_entries(argument, free))
        case u.Named(function, arguments):
            return u.Named(function, tuple(without_entries(x, free) for x in arguments))
        case u.Derivative():
            return replace(term, by=tuple(without_entries(x, free) for x in term.by))
        case u.Quotient(above, below):
            return _quotient(without_entries(above, free), without_entries(below, free))
        case u.Power(base, exponent):
            return u.Power(without_entries(base, free), exponent)
        case u.Ranged("sum", index, lower, upper, body):
            return u.Ranged("sum", index, lower, upper, without_entries(body, free))
    return term


def _quotient(above: u.Term, below: u.Term) -> u.Term:
    """A quotient of entries; e^z divided by the sum of its entries is the softmax of z."""
    match above, below:
        case u.Apply("exp", 0, z), u.Named("total", (u.Apply("exp", 0, other),)) if z == other:
            return u.Named("softmax", (z,))
    return u.Quotient(above, below)


def _counts(body: u.Term, index: str) -> bool:
    return any(
        isinstance(x, u.Component) and any(index in i.names for i in x.indices)
        for x in u.walk(body)
    )


def _contracted(body: u.Term, index: str, free: str) -> u.Term:
    """Σ_index of a product of entries."""
    if isinstance(body, u.Sum):
        parts = tuple((s, _contracted(x, index, free)) for s, x in body.terms)
        return u.Sum(parts)
    factors = [x for _, x in body.factors] if isinstance(body, u.Product) else [body]
    matrices, vectors, others = [], [], []
    for x in factors:
        if not _counts(x, index):
            others.append(x)
        elif isinstance(x, u.Component) and len(x.indices) == 2:
            matrices.append(x)
        else:
            vectors.append(without_entries(x, index))
    if len(matrices) > 1 or not vectors:
        raise InputError("a sum over entries that is no product of a matrix and a vector")
    inner = vectors[0]
    for v in vectors[1:]:
        inner = u.Product((("", inner), ("⊙", v)))
    if matrices:
        w = matrices[0]
        first, second = (i.letter for i in w.indices)
        if {first, second} != {index, free}:
            raise InputError("the indices of a weight do not fit the sum")
        matrix = w.body if second == index else u.Transposed(w.body)
        product: u.Term = u.Product((("", matrix), ("", inner)))
    elif len(vectors) == 1:
        product = u.Named("total", (inner,))
    else:
        rest = vectors[1]
        for v in vectors[2:]:
            rest = u.Product((("", rest), ("⊙", v)))
        product = u.Named("inner", (vectors[0], rest))
    if others:
        return u.Product((*(("", x) for x in others), ("", product)))
    return product


def shifted(term: u.Term, letter: str, by: int) -> u.Term:
    """The term with an index letter moved."""
    from rnnsym.reader.series import put

    return put(term, {letter: Index.of(letter, by)}) if by else term
