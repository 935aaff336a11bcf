"""Closed forms: the local Jacobians in the sum of Jacobian products, and its matrix form.

The second part of a derivation. Symbols such as ∂a⟨i⟩/∂a⟨i-1⟩ give way to what the rules make
of the equations; then the row over vec(W) is brought into the shape of W.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sympy import MatrixExpr, S, Transpose, Tuple, ZeroMatrix

from rnnsym.algebra import add, blocks, factors, is_zero, mul
from rnnsym.derive import recurrence
from rnnsym.derive.adjoint import AdjointSystem, shaped
from rnnsym.derive.local import times_blocks
from rnnsym.derive.step import Prose, Scribe, Step
from rnnsym.derive.structure import Block
from rnnsym.derive.subject import Subject
from rnnsym.derive.sums import exchange, k
from rnnsym.nodes import Adjoint, Gradient, Immediate, Stack, TimeSum, Total, count, t
from rnnsym.simplify import rebuild, size

#: a Jacobian of more nodes than this keeps its symbol inside of a product
LEGIBLE = 45

#: (kind, u, v) -> the derivatives of u by v that occur, each with its closed form
Table = dict[tuple[type, str, str], list[tuple[Total, MatrixExpr]]]

#: the length of a sequence -> its value, where a formula has been written out for one
Lengths = Mapping[Any, Any]

#: symbols of a product from the loss on -> its closed form at time t
Leads = list[tuple[list[Any], MatrixExpr]]


def _key(symbol: Total) -> tuple[type, str, str]:
    return type(symbol), symbol.of.name, symbol.by.name


def _enter(table: Table, symbol: Total, form: MatrixExpr) -> None:
    table.setdefault(_key(symbol), []).append((symbol, form))


def _find(table: Table, symbol: Any, lengths: Lengths) -> MatrixExpr | None:
    """The closed form of a symbol at the times that stand in it, if it is in the table.

    A pattern fits if its times, with t as it is in the symbol, are those of the symbol; one for
    a fixed time, such as that of an initial state, goes before.
    """
    if not isinstance(symbol, Total):
        return None
    patterns = table.get(_key(symbol), ())
    for pattern, form in sorted(patterns, key=lambda p: bool(p[0].of.time == t)):
        at = {t: symbol.of.time, **lengths} if pattern.of.time == t else dict(lengths)
        if pattern.xreplace(at) == symbol:
            return form.xreplace(at)
    return None


def loss_jacobian(scribe: Scribe, s: Subject) -> MatrixExpr | None:
    """dL⟨t⟩/d(end of the chain) in closed form, simplified link by link; None for L itself."""
    row: MatrixExpr | None = None
    for u, v in zip(s.chain, s.chain[1:], strict=False):
        link = s.local.of(u, v)
        scribe.step(Total(u, v), link, "local Jacobian", "from the equation of ", u, where=s.where)
        if row is None:
            row = link
            continue
        long = mul(row, link)
        short = s.local.simplified(long)
        scribe.step(Total(s.chain[0], v), long, "chain rule", "through ", u, where=s.where)
        scribe.step(long, short, "simplification", *_why_simpler(s), where=s.where)
        row = short
    return row


def _why_simpler(s: Subject) -> Prose:
    targets = [s.net.vectors[n] for n in s.net.targets]
    if s.net.target_kind == "distribution" and targets:
        return ("multiply out; the entries of ", targets[0], " sum to one")
    return ("multiply out and cancel entry by entry",)


def closed_term(ends: Leads, table: Table, term: MatrixExpr, lengths: Lengths) -> MatrixExpr:
    """One product of the sum in closed form, at the times that stand in it.

    The factors from the loss to the state are replaced together, in their simplified form.
    """
    parts = list(factors(term))
    for symbols, form in ends:
        head = parts[: len(symbols)]
        at = {t: getattr(head[0].of, "time", None), **lengths}
        if [x.xreplace(at) for x in symbols] == head:
            parts = [form.xreplace(at), *parts[len(symbols) :]]
            break
    return mul(*(_close(part, table, None, lengths) for part in parts))


def leads(s: Subject, row: MatrixExpr | None) -> Leads:
    """(factors from the loss on, their product in closed form) for each way to end them; `row` is
    the closed form of the chain, by `loss_jacobian`."""
    last = s.chain[-1]

    def through(link: MatrixExpr) -> MatrixExpr:
        return link if row is None else times_blocks(row, link)

    result: Leads = [
        ([*s.factors(), s.at_end(b, at)], through(s.local.of(last, b.state(at))))
        for b, at in s.final
    ]
    end = Immediate(s.end, s.w)
    return [*result, ([*s.factors(), end], through(s.local.of(last, s.w)))]


def after_states(scribe: Scribe, s: Subject) -> MatrixExpr:
    """The whole of dL/dθ for a θ that is used after the states only."""
    scribe.section("Local Jacobians")
    row, last = loss_jacobian(scribe, s), s.chain[-1]
    inner = s.local.of(last, s.w)
    scribe.step(
        Immediate(last, s.w), inner, "local Jacobian",
        "the derivative by a matrix goes through vec", where=s.where,
    )  # fmt: skip
    body = inner if row is None else mul(row, inner)
    scribe.step(Total(s.loss, s.w), body, "substitution", "put together", where=s.where)
    return s.over_time(body)


def through_states(scribe: Scribe, s: Subject, symbolic: MatrixExpr) -> MatrixExpr:
    """Local Jacobians into the sum of Jacobian products; returns it in closed form."""
    scribe.section("Local Jacobians")
    row = loss_jacobian(scribe, s)
    lead = []
    for (block, at), (symbols, form) in zip(s.final, leads(s, row), strict=False):
        lead.append(scribe.step(
            mul(*symbols), form, "local Jacobian",
            "all that lies between ", s.loss, " and ", block.state(at), where=s.where,
        ))  # fmt: skip
    table = closed_forms(scribe, s)
    direct = s.local.of(s.chain[-1], s.w) if s.is_direct else None
    if direct is not None and row is not None:
        direct = mul(row, direct)

    def substituted(largest: int | None) -> MatrixExpr:
        parts = [
            mul(first, _close(s.solved(*f), table, largest))
            for first, f in zip(lead, s.final, strict=True)
        ]
        return s.over_time(add(*parts, *([] if direct is None else [direct])))

    formula, legible = substituted(None), substituted(LEGIBLE)
    scribe.section("Everything in place")
    scribe.step(
        symbolic, legible, "substitution",
        "the local Jacobians in place"
        + ("" if legible == formula else "; the large ones keep their symbols"),
    )  # fmt: skip
    if len(s.blocks) == len(s.final) == 1 and direct is None and s.users and not s.starters:
        _matrix_form(scribe, s, *s.final[0], lead[0], table)
    return formula


def each_use(scribe: Scribe, s: Subject, symbolic: MatrixExpr) -> MatrixExpr:
    """The immediate partials in the sum over the uses of θ, in closed form."""
    scribe.section("Local Jacobians")
    own = [b for b in s.blocks if s.enters(b) or set(b.names) & set(s.starters)]
    formula = _close(symbolic, closed_forms(scribe, s, own), None)
    scribe.section("Everything in place")
    return scribe.step(symbolic, formula, "substitution", "the local Jacobians in place")


def closed_forms(scribe: Scribe, s: Subject, only: list[Block] | None = None) -> Table:
    """The closed form of every symbol in the sum, each as a step of its own; of the blocks that
    are given only, without those between them."""
    table: Table = {}

    def take(forms: Forms) -> None:
        scribe.extend(forms.steps)
        for symbol, form in forms.entries:
            _enter(table, symbol, form)

    for block in s.blocks if only is None else only:
        if block.recurrent:
            take(transition_forms(s.adjoints, block))
        first = block.state(block.start)
        for other, at in s.earlier(block) if only is None else ():
            take(link_forms(s.adjoints, block, other.state(at)))
        for other, at in s.starting(block) if only is None else ():
            forms = Forms(s.adjoints)
            forms.close(first, other.state(at), "from one block of states to the next")
            take(forms)
        forms = Forms(s.adjoints)
        if set(block.names) & set(s.starters):
            forms.close(first, s.w, "the initial state is computed from it")
        if s.enters(block):
            before = block.state(block.before(block.time))
            forms.enter(
                Immediate(block.now, s.w), s.immediate(block, s.primed), s.immediate(block),
                "the immediate partial: ", before, " is held fixed", where=block.span.where,
            )  # fmt: skip
        take(forms)
    return table


class Forms:
    """Closed forms, each derived in two steps: the chain rule, then what the derivatives are."""

    def __init__(self, adjoints: AdjointSystem) -> None:
        self.local, self.primed = adjoints.local, adjoints.primed
        self.scribe = Scribe()
        self.entries: list[tuple[Total, MatrixExpr]] = []

    @property
    def steps(self) -> list[Step]:
        return self.scribe.steps

    def enter(
        self, symbol: Total, primed: MatrixExpr, form: MatrixExpr, *reason: Any, where: Any = ()
    ) -> None:
        self.entries.append((symbol, form))
        self.scribe.step(symbol, primed, "local Jacobian", *reason, where=where)
        self.scribe.step(
            primed, form, "derivative", "what the derivatives of the functions are", where=where
        )

    def close(self, u: MatrixExpr, v: MatrixExpr, *reason: Any, where: Any = ()) -> None:
        """∂⁺u/∂v from the equations."""
        self.enter(Immediate(u, v), self.primed.of(u, v), self.local.of(u, v), *reason, where=where)


def transition_forms(adjoints: AdjointSystem, block: Block) -> Forms:
    """∂s⟨t⟩/∂s⟨t-1⟩ of a block; the same for every parameter, and derived once for a network."""
    if block not in adjoints.shared:
        adjoints.shared[block] = _transition(Forms(adjoints), block)
    return adjoints.shared[block]


def link_forms(adjoints: AdjointSystem, block: Block, used: MatrixExpr) -> Forms:
    """∂⁺s⟨t⟩/∂(state of another block); derived once for a network too."""
    if (block, used) not in adjoints.shared:
        adjoints.shared[block, used] = _link(Forms(adjoints), block, used)
    return adjoints.shared[block, used]


def _link(forms: Forms, block: Block, used: MatrixExpr) -> Forms:
    where = block.span.where
    forms.close(block.now, used, "from one block of states to the next", where=where)
    return forms


def _transition(forms: Forms, block: Block) -> Forms:
    symbol = recurrence.transition(block, t)
    if isinstance(block.now, Stack):
        _block_by_block(forms, block)
        forms.entries.append((symbol, forms.local.jacobian(block)))
    else:
        forms.enter(
            symbol, forms.primed.jacobian(block), forms.local.jacobian(block),
            "one step of the recurrence, from the equations", where=block.span.where,
        )  # fmt: skip
    return forms


def _block_by_block(forms: Forms, block: Block) -> None:
    """The Jacobian of a stacked state: its blocks in immediate partials, then each of them."""
    state, before, where = block.now, block.state(block.before(t)), block.span.where
    now = {p.name: p for p in state.parts if p.time == t}
    seen: dict[MatrixExpr, tuple[MatrixExpr, MatrixExpr]] = {}

    def partial(u: MatrixExpr, v: MatrixExpr) -> MatrixExpr | None:
        if is_zero(forms.local.of(u, v)):
            return None
        symbol = Immediate(u, v)
        seen[symbol] = u, v
        return symbol

    def entry(u: MatrixExpr, v: MatrixExpr) -> MatrixExpr:
        if u == v or u.time != t:  # an earlier part of a companion state is only passed on
            return forms.local.of(u, v)
        own = partial(u, v)
        parts = [] if own is None else [own]
        for name, w in now.items():  # through states of the same step
            if name != u.name:
                link = partial(u, w)
                inner = None if link is None else entry(w, v)
                if link is not None and inner is not None and not is_zero(inner):
                    parts.append(mul(link, inner))
        return add(*parts) if parts else ZeroMatrix(count(u), count(v))

    matrix = blocks([[entry(u, v) for v in before.parts] for u in state.parts])
    forms.scribe.step(
        recurrence.transition(block, t), matrix, "block Jacobian",
        "block by block; what is stacked may act on each other within the step", where=where,
    )  # fmt: skip
    for u, v in seen.values():
        forms.close(u, v, "from the equation of ", u, where=where)


def _close(
    e: MatrixExpr, table: Table, largest: int | None, lengths: Lengths | None = None
) -> MatrixExpr:
    """Symbols replaced by their closed forms, up to a size; each at its own time."""

    def closed(symbol: Any) -> MatrixExpr | None:
        form = _find(table, symbol, lengths or {})
        if form is not None and largest is not None and size(form) > largest:
            return symbol
        return form

    return rebuild(e, closed)


def _matrix_form(
    scribe: Scribe, s: Subject, block: Block, time: Any, lead: MatrixExpr, table: Table
) -> None:
    """From vec to the shape of W, then the order of the sums, then δ."""
    limits = recurrence.span(block, time, k) if block.recurrent else None
    use = time if limits is None else k
    rows = []
    for node, to_state, local in s.uses(block):
        jacobian = to_state.xreplace({t: use})
        if size(jacobian) > LEGIBLE:
            jacobian = Immediate(block.state(use), node.at(use))
        product = _close(recurrence.product(block, time, use), table, LEGIBLE) if limits else None
        row = mul(lead, jacobian) if product is None else mul(lead, product, jacobian)
        rows.append((node, row, local.xreplace({t: use})))
    body = add(*(shaped(row, local, s.w) for _, row, local in rows))
    double = s.over_time(TimeSum(body, limits) if limits else body)
    scribe.section("From vec to matrix form")
    scribe.step(
        Gradient(s.total_loss, s.w), double, "matrix form",
        "a row times a Kronecker product holds the entries of an outer product in the shape of ",
        s.w,
    )  # fmt: skip
    if not limits:
        return
    every = Tuple(k, S.One, block.span.last)
    inside = recurrence.later(block, t, k)
    what = "the factor in front of "
    if s.where:
        what = "the inner sum"
        swapped = exchange(double, every, inside)
        scribe.step(
            double, swapped, "exchange of sums", "the same pairs, with the use of ", s.w, " outside"
        )
    for node, row, local in rows:
        column = TimeSum(Transpose(row), inside) if s.where else Transpose(row)
        reason = (what,) if s.where else (what, local.xreplace({t: k}))
        scribe.step(
            Adjoint(node.at(k)), column, "adjoint", *reason,
            " is this adjoint, the same for every parameter that enters ", node.at(k),
            where=(every,),
        )  # fmt: skip
