"""What a source can ask for about derivations, besides whole ones. Registered beside `requests`.

lines NAME: RULE, …      the steps of a derivation by these rules, or of these sections; with
                             RULE of VECTOR those about one vector; NAME,NAME for several
compact proof            that the compact notation says the same
padded                   that a padded step adds nothing, and what a padded sequence has
reversal NAME            that the backward direction is the forward one with time reversed
layer                    one layer of a stack, whichever it is
jacobian: U, V, …        the Jacobian of U by V at the same step, through everything between
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from sympy import MatMul, S

from rnnsym.algebra import mul
from rnnsym.derive.step import Derivation, Step
from rnnsym.documents import narrative
from rnnsym.documents.content import (
    Block,
    Display,
    Heading,
    Named,
    Prose,
    Remark,
    Remarks,
    Row,
)
from rnnsym.documents.literate.requests import Ask, request
from rnnsym.errors import InputError
from rnnsym.latex import TextPrinter
from rnnsym.nodes import Gradient, T, Total, t
from rnnsym.simplify import expand
from rnnsym.verify.steps import StepCheck, check

# ---- excerpts ----------------------------------------------------------------------------

#: characters of the text of a row that shares a display with others
NARROW = 90
#: rows in one display, before what is said of them
MOST_ROWS = 12


def show(ask: Ask, derivation: Derivation, checks: Sequence[StepCheck]) -> Iterator[Block]:
    """The steps of a derivation in one place, without headings; short rows in one display."""
    if "full" in ask.arguments:
        ask.evidence.numbers.shown.clear()
    excerpt = replace(derivation, steps=tuple(replace(s, section="") for s in derivation.steps))
    again = [replace(c, step=s) for s, c in zip(excerpt.steps, checks, strict=True)]
    written = narrative.steps(excerpt, again, ask.evidence.numbers, [""])
    printer = TextPrinter(ask.notation, ask.names)
    rows: list[Row] = []
    remarks: list[Remark] = []

    def gathered() -> Iterator[Block]:
        if rows:
            yield Display(tuple(rows))
            yield Remarks(tuple(remarks))
        rows.clear()
        remarks.clear()

    for block in written:
        if isinstance(block, Display):
            narrow = all(_width(row, printer) < NARROW for row in block.rows)
            if rows and (not narrow or len(rows) + len(block.rows) > MOST_ROWS):
                yield from gathered()
            rows += block.rows
        elif isinstance(block, Remarks):
            remarks += block.items
            if not narrow:
                yield from gathered()
        elif not isinstance(block, Heading):
            yield from gathered()
            yield block
    yield from gathered()


def _width(row: Row, printer: TextPrinter) -> int:
    return sum(len(printer(e)) for e in (row.left, row.right) if e is not None)


@request(
    "lines", "lines NAME,… [full] [model=NAME]: SECTION, RULE or RULE of VECTOR, …",
    arguments=1, flags=("full",), sections=True,
)  # fmt: skip
def lines(ask: Ask) -> Iterator[Block]:
    """The steps of derivations by some rules, or of some sections, in their order; each once."""
    names = next(a for a in ask.arguments if a != "full").split(",")
    derivations = [ask.net.derive(name) for name in names]
    every = [s for d in derivations for s in d.steps]
    unknown = [i for i in ask.sections if not any(_is(s, i) for s in every)]
    if unknown or not ask.sections:
        what = repr(unknown[0]) if unknown else "nothing"
        known = dict.fromkeys([*derivations[0].sections, *(s.rule for s in every)])
        raise InputError(f"{what} is no rule or section; there are {', '.join(known)}")
    chosen: dict[Any, StepCheck] = {}
    for derivation in derivations:
        for c in derivation.check():
            if any(_is(c.step, item) for item in ask.sections):
                chosen.setdefault((c.step.before, c.step.after, c.step.where), c)
    checks = list(chosen.values())
    kept = {c.step.rule for c in checks}
    if SOLUTION in kept and INDUCTION not in kept:
        checks = [replace(c, step=_unproved(c.step)) for c in checks]
        for derivation in derivations:
            _by_induction(ask, derivation)
    return show(ask, replace(derivations[0], steps=tuple(c.step for c in checks)), checks)


def _is(step: Step, item: str) -> bool:
    """Whether a step is by a rule or of a section, or by a rule and about a vector."""
    if item in (step.rule, step.section):
        return True
    rule, _, name = item.rpartition(" of ")
    return rule == step.rule and name == getattr(getattr(step.before, "of", None), "name", None)


SOLUTION, BASE, INDUCTION = "solution", "base case", "induction step"


def _unproved(step: Step) -> Step:
    """A solution whose induction does not stand below it."""
    if step.rule != SOLUTION:
        return step
    return replace(step, reason=("a linear recurrence, solved; the induction was checked",))


def _by_induction(ask: Ask, derivation: Any) -> None:
    """Note whether the inductions hold that are not shown."""
    every = [
        c.ok
        for c in derivation.check()
        if c.step.rule in (BASE, INDUCTION) and c.step.section.startswith(RECURRENCE)
    ]
    ask.evidence.also(
        bool(every) and all(every),
        f"{sum(every)} of {len(every)} rows of the inductions behind the solutions for ",
        Named(derivation.subject, ask.names),
        f" in {derivation.network.name}, not shown here, hold in the exact test",
    )


RECURRENCE = "Recurrence and its solution"


@request("compact proof", "compact proof [full] [model=NAME]", flags=("full",))
def compact_proof(ask: Ask) -> Iterator[Block]:
    """That the compact notation says the same, without headings."""
    derivation = ask.net.block_identity()
    return show(ask, derivation, derivation.check())


# ---- padding -----------------------------------------------------------------------------

LONG, SHORT = 7, 4


@request("padded", "padded [model=NAME]")
def padded(ask: Ask) -> Iterator[Block]:
    """What a step does at which the mask is zero; a padded sequence against the sequence."""
    derivation = ask.net.padded()
    yield from show(ask, derivation, derivation.check())
    names = list(ask.net.parameters)
    ask.evidence.also(
        all(_padding_is_nothing(ask.net, name) for name in names),
        f"The {len(names)} gradients of {ask.net.name} for {SHORT} steps and {LONG - SHORT} padded "
        f"ones, whatever numbers stand in these, are those for the {SHORT} steps: exact test",
    )


def _padding_is_nothing(net: Any, name: str) -> bool:
    """Whether a gradient is the same with and without padded steps, exactly."""
    from rnnsym.evaluate.field import FieldArithmetic
    from rnnsym.evaluate.point import field_point
    from rnnsym.evaluate.trajectory import Truth
    from rnnsym.sizes import choose_sizes

    ar = FieldArithmetic(0)
    long = field_point(net, ar, choose_sizes(net, LONG), 0)
    mask = [ar.full(1, 1, int(step < SHORT)) for step in range(LONG)]
    long = replace(long, sequences={**long.sequences, "m": mask})
    kept = {n: v[:SHORT] if len(v) > 1 else v for n, v in long.sequences.items()}
    last = {s: S(SHORT) for s in (T, *net.lengths.values())}
    short = replace(long, symbols={**long.symbols, **last}, sequences=kept)
    gradient = Gradient(net.total_loss, net.parameters[name])
    one, other = (Truth(net, point, ar).derivative(gradient) for point in (long, short))
    return bool(one == other)


# ---- stacks ------------------------------------------------------------------------------

THIS, DEPTH = "_lthis", 5


@request("layer", "layer [model=NAME]", sections=True)
def layer(ask: Ask) -> Iterator[Block]:
    """What holds for one layer of a stack, whichever it is; that all are alike is checked."""
    from rnnsym.api import model
    from rnnsym.derive.layers import alike
    from rnnsym.models import parse
    from rnnsym.options import ANY_LAYER

    name, options = parse(ask.net.name)
    if options.get("layers") != ANY_LAYER:
        raise InputError(f"layer is about a stack with layers={ANY_LAYER}, not {ask.net.name}")
    derivation = ask.net.calculus.layer(THIS)
    if unknown := [s for s in ask.sections if s not in derivation.sections]:
        raise InputError(f"no section {unknown[0]!r}; there are {', '.join(derivation.sections)}")
    checks = check(derivation, 0, ask.net.checker)
    pairs = [
        (s, c)
        for s, c in zip(derivation.steps, checks, strict=True)
        if s.section in (ask.sections or derivation.sections)
    ]
    steps, found = zip(*pairs, strict=True)
    yield from show(ask, replace(derivation, steps=steps), found)
    stack = model(name, **{**options, "layers": str(DEPTH)})
    ask.evidence.also(
        alike(stack, stack.calculus.adjoints, 2, DEPTH - 1),
        f"The derivations for the layers 2 to {DEPTH - 1} of {stack.name} are the same but for the "
        "number of the layer, compared expression by expression",
    )


@request("jacobian", "jacobian [full] [model=NAME]: U, V, …", flags=("full",), sections=True)
def jacobian(ask: Ask) -> Iterator[Block]:
    """∂U/∂V at the same step, in closed form; of more than two, link by link."""
    net, names = ask.net, list(ask.sections)
    unknown = [n for n in names if n not in net.equations]
    if unknown or len(names) < 2:
        known = ", ".join(n for n in net.equations if n not in net.named_by_us)
        raise InputError(f"a Jacobian needs two or more of {known}")
    local, free = net.calculus.adjoints.local, frozenset(net.states)
    where = net.spans[names[0]].where
    links = [Total(net.vectors[u], net.vectors[v]) for u, v in pairwise(names)]
    steps = []
    if len(links) > 1:
        whole = Total(net.vectors[names[0]], net.vectors[names[-1]])
        why: Any = ("every path runs through ", *_between(net, names))
        steps.append(Step(whole, MatMul(*links), "chain rule", why, where=where))
    why = ("through everything between, within step ", t)
    forms = _closed(local, links, free)
    steps += [
        Step(link, form, "local Jacobian", why, where=where)
        for link, form in zip(links, forms, strict=True)
    ]
    if len(links) > 1:
        why = ("the links in their places, multiplied out",)
        steps.append(Step(whole, expand(mul(*forms)), "substitution", why, where=where))
    first = steps[0]
    derivation = Derivation(net, first.before, tuple(steps), first.after, first.after)
    return show(ask, derivation, check(derivation, 0, net.checker))


def _closed(local: Any, links: Sequence[Total], free: frozenset[str]) -> list[Any]:
    """Each link in closed form."""
    return [local.partial(link.of.name, link.by, free) for link in links]


def _between(net: Any, names: Sequence[str]) -> Prose:
    text: list[Any] = []
    for name in names[1:-1]:
        text += [" and " if text else "", net.vectors[name]]
    return tuple(text)
