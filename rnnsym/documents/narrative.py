"""A derivation as content: the forward equations, the conventions, the steps, the evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sympy import Transpose

from rnnsym.derive.step import Derivation, Step
from rnnsym.derive.structure import Structure
from rnnsym.documents.content import (
    Block,
    Bullets,
    Display,
    Document,
    Heading,
    Paragraph,
    Prose,
    Ref,
    Remark,
    Remarks,
    Row,
)
from rnnsym.latex.profiles import PROFILES
from rnnsym.network import Network
from rnnsym.nodes import Adjoint, Blocks, Gradient, Stack, Total, t
from rnnsym.verify.example import numbers
from rnnsym.verify.steps import StepCheck


def derivations_document(
    derivations: Sequence[Derivation],
    checks: Sequence[Sequence[StepCheck]],
    notation: str = "post",
) -> Document:
    """A whole document for derivations of one network, with what checked each step."""
    net = derivations[0].network
    blocks: list[Block] = [*forward_pass(net), *conventions(net, notation)]
    numbers = Numbers()
    for derivation, checked in zip(derivations, checks, strict=True):
        if len(derivations) > 1:
            blocks.append(Heading(1, (_loss(derivation),)))
        blocks += steps(derivation, checked, numbers)
    blocks += evidence(numbers.checks)
    return Document(_title(derivations), blocks, notation, net.notations.get(notation))


def _loss(derivation: Derivation) -> Total:
    return Total(derivation.network.total_loss, derivation.subject)


def _title(derivations: Sequence[Derivation]) -> Prose:
    first = derivations[0]
    end = "" if first.steps_in_time is None else f" for T = {first.steps_in_time}"
    if len(derivations) > 1:
        return (f"The gradients of {first.network.name}{end}",)
    return ("The gradient ", _loss(first), f" of {first.network.name}{end}")


def forward_pass(net: Network) -> Iterator[Block]:
    """The forward equations and the total loss, as they are differentiated."""
    yield Heading(2, ("Forward pass",))
    equations = [*net.equations.values(), *net.initial.values()]
    rows = [Row(e.lhs, "=", e.rhs) for e in equations]
    rows.append(Row(net.total_loss, "=", net.objective))
    yield Display(rows)
    yield Paragraph((*_ranges(net), *_given(net), "."))
    if net.chunks:
        yield Paragraph((
            "What is detached keeps its value and is a constant for derivatives where a chunk of ",
            *sorted(net.chunks, key=str), " steps begins: the gradient of a network with such a "
            "use is truncated backpropagation.",
        ))  # fmt: skip


def _ranges(net: Network) -> list[Any]:
    """For which steps the equations hold: one range, or one for each sequence."""
    groups: dict[Any, list[Any]] = {}
    for name, e in net.equations.items():
        if not net.spans[name].single and name not in net.named_by_us:
            groups.setdefault(net.spans[name].last, []).append(e.lhs)
    if not groups:
        return ["Each at the one time that is written"]
    if len(groups) == 1:
        return ["For t = 1, …, ", *groups]
    text: list[Any] = []
    for last, vectors in groups.items():
        text.append("; " if text else "")
        for i, v in enumerate(vectors):
            text += [", " if i else "", v]
        text += [" for t = 1, …, ", last]
    return text


def _given(net: Network) -> list[Any]:
    """Which initial states are given."""
    text: list[Any] = []
    for name, state in net.initial_states.items():
        text += [" and " if text else ", with ", state.at(net.start(name))]
    if text:
        text.append(" given")
    if any(max(abs(lag) for lag in net.lag_range(name)) > 1 for name in net.states):
        text.append("; values of states before that are zero")
    return text


def conventions(net: Network, notation: str) -> Iterator[Block]:
    """Layout, the two kinds of derivative, the order of products: said once."""
    yield Heading(2, ("Conventions",))
    loss, state = net.total_loss, next(iter(net.states.values()), None)
    text: list[Any] = [
        "Numerator layout: the derivative of a vector by a vector has a row for each entry of "
        "the numerator. A derivative by a matrix goes through vec, which stacks its columns; ",
    ]
    if net.parameters:
        w = next(iter(net.parameters.values()))
        text += ["a gradient, such as ", Gradient(loss, w), ", has the shape of its parameter. "]
    text += ["∂ is the total derivative, along every path."]
    if state is not None:
        before = state.at(t - 1)
        text += [
            " ∂⁺ is the immediate partial (Pascanu, Mikolov & Bengio 2013): every other state, "
            "such as ",
            before,
            ", is held fixed. A product over time is written in the order of the chain rule, for "
            "a state that runs forwards the latest step on the left; an empty one is the "
            "identity. ",
            Adjoint(state),
            " is the adjoint ",
            Transpose(Total(loss, state)),
            ".",
        ]
    for block in Structure(net).blocks:
        stack = block.state(t)
        if isinstance(stack, Stack):
            text += [
                " States that depend on each other are stacked: ",
                stack,
                " is ",
                Blocks([[part] for part in stack.parts]),
                ". A derivative by ",
                stack,
                " varies its entries independently of each other, and ∂⁺ of it holds the states "
                "of other steps fixed only; so ",
                Total(loss, stack),
                " is not made of the adjoints of its parts, which follow every path.",
            ]
    yield Paragraph((*text, f" Notation: {PROFILES[notation].source}."))


@dataclass
class Numbers:
    """The numbers that the steps of a document have got, so that none is shown twice.

    last: the last number given; checks: of the steps that have one; shown: what a step says, and
    of which network, with its number.
    """

    last: int = 0
    checks: list[StepCheck] = field(default_factory=list)
    shown: dict[Any, int] = field(default_factory=dict)

    def known(self, derivation: Derivation, chain: Sequence[Step], of: Checked) -> list[int]:
        """The numbers of a chain that was shown before, and holds; none if it was not."""
        if not all(id(step) in of and of[id(step)].ok for step in chain):
            return []
        found = [self.shown.get(_key(derivation, step)) for step in chain]
        return [] if None in found else [n for n in found if n is not None]

    def give(self, derivation: Derivation, step: Step, check: StepCheck | None) -> int:
        """The number of a step that is now shown."""
        self.last += 1
        if check is not None:
            self.checks.append(check)
        self.shown.setdefault(_key(derivation, step), self.last)
        return self.last


Checked = Mapping[int, StepCheck]


def _key(derivation: Derivation, step: Step) -> Any:
    said = step.before, step.after, step.relation, step.where
    return id(derivation.network), derivation.steps_in_time, said


def steps(
    derivation: Derivation,
    checks: Sequence[StepCheck],
    numbers: Numbers,
    sections: Sequence[str] | None = None,
    level: int = 2,
) -> Iterator[Block]:
    """Section by section: the steps as aligned rows, then a remark on each.

    Rows go on from the last of `numbers`; what it has seen is not written again but referred to.
    `sections` picks some, by name; level: of their headings.
    """
    of = {id(c.step): c for c in checks}
    for section in derivation.sections if sections is None else sections:
        yield Heading(level, (section,))
        before: list[int] = []
        for chain in chains(derivation.section(section)):
            known = numbers.known(derivation, chain, of)
            before += known
            if known:
                continue
            yield from _as_above(before)
            before, rows, remarks = [], [], []
            for i, step in enumerate(chain):
                check = of.get(id(step))
                number = numbers.give(derivation, step, check)
                rows.append(Row(step.before if i == 0 else None, step.relation, step.after, number))
                remarks.append(_remark(derivation.network, number, step, check))
            yield Display(rows)
            yield Remarks(remarks)
        yield from _as_above(before)
        if sections is None and section == derivation.sections[-1]:
            yield from (Paragraph(note) for note in derivation.notes)


def _as_above(numbers: Sequence[int]) -> Iterator[Block]:
    """Rows that were shown before, in the place where they would stand."""
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    text: list[Any] = []
    for run in runs:
        text += [", " if text else "As above: ", Ref(run[0], run[-1])]
    if text:
        yield Paragraph((*text, "."))


def chains(section: Sequence[Step]) -> Iterator[list[Step]]:
    """Steps that go on from one another."""
    chain: list[Step] = []
    for step in section:
        if chain and chain[-1].holds and step.holds and step.before == chain[-1].after:
            chain.append(step)
            continue
        if chain:
            yield chain
        chain = [step]
    if chain:
        yield chain


def _remark(net: Network, number: int, step: Step, check: StepCheck | None) -> Remark:
    if check is None:
        return Remark(number, step.rule, step.reason, "not checked", False)
    reason = step.reason
    example = None if step.holds else numbers(net, step)
    if example is not None:
        where, left, right = example
        reason = (
            *reason,
            f": {where}, an entry is {left:.4g} on the left, {right:.4g} on the right",
        )
    return Remark(number, step.rule, reason, check.text, check.ok)


def evidence(
    checks: Sequence[StepCheck], others: Sequence[tuple[bool, Prose]] = ()
) -> Iterator[Block]:
    """What the checks of the steps are, what they assure and what they can miss.

    others: what else was checked, whether it holds and how it was found.
    """
    if not checks and not others:
        return
    yield Heading(2, ("What was checked",))
    if checks:
        yield Paragraph((_exact(checks),))
    if others:
        yield Bullets([(*text, "." if ok else ". ✗ It does not hold.") for ok, text in others])


def _exact(checks: Sequence[StepCheck]) -> str:
    failed = [c for c in checks if not c.ok]
    worst = max((c.probability for c in checks if c.ok), default=0.0)
    lengths = " and ".join(map(str, sorted({c.steps for c in checks})))
    return (
        f"{len(checks) - len(failed)} of {len(checks)} steps hold in the exact test: both "
        "sides were computed at random points of the field of 2⁶¹ - 1 elements, with "
        "derivatives by dual numbers through the forward equations alone, for every choice "
        f"of the free indices at T = {lengths}, all sizes different. A wrong step "
        f"passes with a probability below {worst:.0e}. The test sees "
        + ("one T" if lengths.isdigit() else "these T only")
        + (
            "; that the sums hold for every T is what the induction shows, whose lines are "
            "identities of sums and products."
            if any(c.step.rule == "induction step" for c in checks)
            else "."
        )
    )
