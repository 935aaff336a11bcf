"""One term of the double sum as a formula: t and k put into what was derived.

The solution of the recurrences holds the immediate partials ∂⁺s⟨k⟩/∂W; a term (t, k) is what is
left of dL⟨t⟩/dW when of these only those of step k are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sympy import Integer, MatMul, MatrixExpr, MatrixSymbol

from rnnsym.algebra import add, factors, is_zero, mul, scale, split, terms
from rnnsym.derive.subject import Subject
from rnnsym.derive.unrolled import write_out
from rnnsym.errors import NotSupportedError
from rnnsym.flow.contributions import Use, sequence_of
from rnnsym.nodes import Immediate, Stack, TimeSum, Total, t

#: the lengths of sequences, as numbers
Lengths = Mapping[Any, Any]


def symbolic_term(s: Subject, time: int, use: Use, lengths: Lengths) -> MatrixExpr:
    """The contribution of a use to dL⟨time⟩/d vec W.

    A row of the calculus, (1, entries of W): products of ∂ŷ⟨t⟩/∂a⟨t⟩ and the like, Jacobians and
    an immediate partial. Zero where no path leads from the one to the other. Raises
    NotSupportedError where the solutions of the recurrences do not fit into one formula.
    """
    if not s.nested:
        raise NotSupportedError(
            f"the terms of dL/d{s.w.name} are sums inside of sums, one for every way through the "
            f"layers: they have no formula of their own"
        )
    row = s.row(s.solved) if s.blocks else mul(*s.factors(), Immediate(s.end, s.w))
    at = {**lengths, t: Integer(time)}

    def is_it(node: Any, when: Any) -> bool:
        name = node.parts[0].name if isinstance(node, Stack) else node.name
        return when == use.time and sequence_of(s.net, name) == use.sequence

    def kept(e: MatrixExpr, bound: Lengths) -> MatrixExpr:
        """What of an expression belongs to the use."""
        if isinstance(e, TimeSum):
            first, last = (int(x.xreplace(bound)) for x in (e.lower, e.upper))
            found = [kept(e.body, {**bound, e.index: Integer(i)}) for i in range(first, last + 1)]
            return _sum(found, e)
        if e.is_MatAdd:
            return _sum([kept(part, bound) for part in terms(e)], e)
        if isinstance(e, MatMul):
            number, rest = split(e)
            *left, last_factor = factors(rest)
            inner = kept(last_factor, bound)
            if is_zero(inner):
                return scale(0, e.xreplace(bound))
            return scale(number, mul(*(_put(x, bound) for x in left), inner))
        own = isinstance(e, Total) and isinstance(e.by, MatrixSymbol)
        if own and is_it(e.of, e.of.time.xreplace(bound)):
            return e.xreplace(bound)
        return scale(0, e.xreplace(bound))

    found = kept(row, at)
    return found if not is_zero(found) else scale(0, Total(s.loss, s.w).xreplace(at))


def _sum(parts: list[MatrixExpr], like: MatrixExpr) -> MatrixExpr:
    rest = [p for p in parts if not is_zero(p)]
    return add(*rest) if rest else scale(0, parts[0] if parts else like)


def _put(e: MatrixExpr, bound: Lengths) -> MatrixExpr:
    """Numbers for times; an ordered product is written out, an empty one left away."""
    return write_out(e.xreplace(dict(bound)))
