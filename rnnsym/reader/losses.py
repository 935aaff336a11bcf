"""The loss of a network: what a document writes, as a formula for each step, or a supposed one.

Used by `making`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container
from dataclasses import dataclass, replace

from rnnsym.reader import terms as u
from rnnsym.reader.entries import without_entries
from rnnsym.reader.indices import Index
from rnnsym.reader.lines import Lines, outputs

#: how notes begin on equations that are not part of the network
LEFT_OUT = "not in the network"
#: the note on a loss of which the equations found do not say how it depends on the states
NO_LOSS = f"{LEFT_OUT}: the loss, which does not depend on the states so far"


def over_time(term: u.Term) -> tuple[bool, u.Ranged | None]:
    """(whether it is a mean, the sum over time) of a loss; signs and factors are put inside."""
    if isinstance(term, u.Ranged) and term.op == "sum" and not _is_entries(term):
        return False, term
    if isinstance(term, u.Sum) and len(term.terms) == 1:
        mean, inner = over_time(term.terms[0][1])
        if inner is not None:
            return mean, replace(inner, body=u.Sum(((term.terms[0][0], inner.body),)))
    if isinstance(term, u.Product):
        rest = [x for _, x in term.factors]
        mean, inner = over_time(rest[-1])
        if inner is not None:
            others = rest[:-1]
            by_length = [x for x in others if _is_one_over_length(x)]
            kept = [x for x in others if x not in by_length]
            body = inner.body
            if kept:
                body = u.Product((*(("", x) for x in kept), ("", body)))
            return mean or bool(by_length), replace(inner, body=body)
    return False, None


def without_penalties(term: u.Term) -> tuple[u.Term, tuple[u.Term, ...]]:
    """A loss as what depends on the steps, and what depends on weights alone."""
    if not isinstance(term, u.Sum):
        return term, ()
    of_weights = [x for x in term.terms if _is_of_weights(x[1])]
    rest = tuple(x for x in term.terms if x not in of_weights)
    if not of_weights or not rest:
        return term, ()
    kept = rest[0][1] if len(rest) == 1 and rest[0][0] == 1 else u.Sum(rest)
    return kept, tuple(u.Sum(((sign, _squared(x)),)) for sign, x in of_weights)


def _is_of_weights(term: u.Term) -> bool:
    leaves = [x for x in u.walk(term) if isinstance(x, u.Leaf)]
    ranged = any(isinstance(x, u.Ranged | u.Loss | u.Unknown) for x in u.walk(term))
    return bool(leaves) and all(x.time is None for x in leaves) and not ranged


def _squared(term: u.Term) -> u.Term:
    """‖W‖² as the sum of the squares of all entries, of which there is a derivative."""
    match term:
        case u.Power(u.Named("norm" | "abs" | "frobenius", (inner,)), exponent) if (
            exponent == Index(2)
        ):
            return u.Named("inner", (inner, inner))
        case u.Product(factors):
            return u.Product(tuple((op, _squared(x)) for op, x in factors))
        case u.Sum(terms):
            return u.Sum(tuple((sign, _squared(x)) for sign, x in terms))
        case u.Quotient(above, below):
            return u.Quotient(_squared(above), below)
    return term


def _is_entries(term: u.Ranged) -> bool:
    return any(
        isinstance(x, u.Component) and any(term.index in i.names for i in x.indices)
        for x in u.walk(term.body)
    )


def _is_one_over_length(term: u.Term) -> bool:
    return isinstance(term, u.Quotient) and isinstance(term.below, u.Whole)


def of_a_step(term: u.Term, found: Container[str], is_vector: Callable[[u.Term], bool]) -> u.Term:
    """A loss as the grammar of equations has it; found: what the equations compute."""
    return _summed(_scaled_norms(without_entries(_entropy(term, found))), is_vector)


def _entropy(term: u.Term, found: Container[str]) -> u.Term:
    """CrossEntropy(p, y) as -y · log p, whichever of the two the equations compute."""
    if isinstance(term, u.Named) and term.function == "crossentropy" and len(term.arguments) == 2:
        p, y = term.arguments
        if isinstance(y, u.Leaf) and y.name in found:
            p, y = y, p
        return u.Sum(((-1, u.Named("inner", (y, u.Apply("log", 0, p)))),))
    return term


def _summed(term: u.Term, is_vector: Callable[[u.Term], bool]) -> u.Term:
    """A loss that is written as if vectors were numbers, -y log ŷ or (y - ŷ)²: its sum over
    the entries is meant."""
    match term:
        case u.Sum(terms):
            parts = [(sign, _summed(x, is_vector)) for sign, x in terms]
            if not any(is_vector(x) for _, x in parts) or len(parts) == 1:
                return u.Sum(tuple(parts))
        case u.Quotient(above, below):
            return u.Quotient(_summed(above, is_vector), below)
        case u.Power(base, exponent) if exponent == Index(2) and is_vector(base):
            return u.Named("inner", (base, base))
        case u.Product(factors):
            parts_ = [_summed(x, is_vector) for _, x in factors]
            vectors = [x for x in parts_ if is_vector(x)]
            if len(vectors) == 2 and not any(op == "/" for op, _ in factors):
                rest = tuple(("", x) for x in parts_ if x not in vectors)
                return u.Product((*rest, ("", u.Named("inner", (vectors[0], vectors[1])))))
            return u.Product(tuple((op, x) for (op, _), x in zip(factors, parts_, strict=True)))
    return term


def _scaled_norms(term: u.Term) -> u.Term:
    """‖u‖² as uᵀ u."""
    match term:
        case u.Power(u.Named("norm" | "abs" | "frobenius", (inner,)), exponent) if (
            exponent.constant == 2
        ):
            return u.Product((("", u.Transposed(inner)), ("", inner)))
        case u.Sum(terms):
            return u.Sum(tuple((sign, _scaled_norms(x)) for sign, x in terms))
        case u.Product(factors):
            return u.Product(tuple((op, _scaled_norms(x)) for op, x in factors))
        case u.Quotient(above, below):
            return u.Quotient(_scaled_norms(above), below)
    return term


def is_entropy(loss: str, lines: Lines) -> bool:
    """Whether a loss is the cross-entropy of a softmax, whose target is a distribution."""
    if re.search(r"\.T @ (?:log\(softmax\(|logsoftmax\()", loss):
        return True
    match = re.search(r"\.T @ log\((\w+)\[", loss)
    return match is not None and "softmax(" in lines.get(match.group(1), "")


@dataclass
class Supposed:
    """A loss that a document leaves to its readers: its line, its target, and what is said."""

    line: str
    target: str
    output: str
    note: str


def suppose(
    lines: Lines, prose: str, last: bool, concrete: bool, every: bool = False
) -> Supposed | None:
    """A loss, where the document gives none in a formula: what its words say, or any.

    last: of the last step only; concrete: the customary one of the output, not any function;
    every: a function of all that no other equation uses.
    None if there is nothing it could be of.
    """
    predictions = outputs(lines, every)
    if not predictions:
        return None
    output = predictions[-1]
    rhs = lines[output].partition("=")[2].strip()
    time = re.match(r"[^\[]*\[([^\]]*)\]", lines[output])
    at = "T" if last else time.group(1) if time else "t"
    taken = any(re.search(r"\by\b", x) for x in lines.values())
    target = "y_target" if taken else "y"
    y, p = f"{target}[{at}]", f"{output}[{at}]"
    customary = concrete or "entropy" in prose.lower()
    if customary and rhs.startswith("softmax("):
        right, note = f"-{y}.T @ log({p})", "taken to be the cross entropy"
    elif customary and rhs.startswith("sigmoid("):
        right = f"-({y}.T @ log({p}) + (1 - {y}).T @ log(1 - {p}))"
        note = "taken to be the binary cross entropy"
    elif concrete:
        right, note = f"({p} - {y}).T @ ({p} - {y}) / 2", "taken to be half the squared error"
    else:
        names = ", ".join(f"{n}[{at}]" for n in predictions)
        right = f"loss_fn({names}, {y})"
        note = f"any function of {', '.join(predictions)} and the target"
    return Supposed(f"L[{at}] = {right}", target, output, f"the loss is {note}")
