"""One error in all gradients together: a factor of the loss, or nothing at all in any of them.

First part of the diagnosis. What is the same number times the right gradient everywhere has one
cause, in front of the loss; taken one by one the gradients would be explained in pieces.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from sympy import Mul, Rational

from rnnsym.algebra import split
from rnnsym.codecheck.report import Diagnosis
from rnnsym.codecheck.runs import INSIDE, VANISHING, Run, factor_of, ratio
from rnnsym.codecheck.simple import MEAN, OWN_LOSS
from rnnsym.codecheck.words import Words
from rnnsym.network import LOSS

#: what the losses are called that an adapter may state, the simplest first
CALLED = {
    "sum": "the sum over time and batch",
    "mean over time": "the mean loss (1/T)",
    "mean over batch": "the mean over the batch (1/B)",
    "mean": "the mean loss (1/(T·B))",
}
#: why there is a factor, where the returned loss has it, too
OWN = ", and so is the loss that is returned"
#: (run, by what number all its gradients are too large)
Multiples = list[tuple[Run, float]]


def together(
    wrong: Sequence[str], runs: Sequence[Run], stated: str, words: Words
) -> tuple[Diagnosis, str] | None:
    """(the diagnosis of all gradients, what to do), if they have one factor in common.

    stated: what the gradient is said to be of. At least two gradients must agree on the factor.
    """
    if not runs or len(wrong) < 2:
        return None
    names = [n for n in runs[0].point.gradients if n not in runs[0].outcome.faults]
    if any(r.gradient(n) is None for r in runs for n in names) or not set(wrong) <= set(names):
        return None
    if not any(np.any(r.gradient(n)) for r in runs for n in names):
        text = "all gradients are zero everywhere: are these the arrays that are added to?"
        return Diagnosis(("zero",), text), ""
    found = _multiples(names, runs)
    if found is None or all(abs(c - 1) < 1e-6 for _, c in found):
        return None
    for loss in CALLED:
        fits = (
            abs(c * factor_of(loss, r.point) / factor_of(stated, r.point) - 1) < 1e-6
            for r, c in found
        )
        if all(fits):
            return _of_stated(loss, stated, found)
    formula = _formula(found)
    if formula is None:
        return None
    number, text = formula
    if text == "-1":
        return None  # the catalogue knows from where a sign comes
    how = {"2": "twice", "1/2": "half"}.get(text, f"{text} times")
    kind = f"factor {text}"
    why = _why(found, number, words)
    if why == OWN:
        text = f"the right gradient of the loss that is returned, which is {how} that of the model"
        return Diagnosis((OWN_LOSS,), text), ""
    text = f"all gradients are {how} the right ones{why}"
    return Diagnosis((kind,), text), ""


def _multiples(names: Sequence[str], runs: Sequence[Run]) -> Multiples | None:
    """c for each run, where all gradients are c times the right ones, clipped to the bound."""
    found = []
    for run in runs:
        numbers = []
        for name in names:
            gradient, true = run.gradient(name), run.point.gradients[name]
            assert gradient is not None
            if np.max(np.abs(true), initial=0.0) < VANISHING * run.scale:
                continue
            if np.all(np.abs(gradient) >= run.bound(name) * INSIDE):
                continue
            c = ratio(gradient, true, run.bound(name))
            if c is None:
                return None
            numbers.append(c)
        if not numbers or np.ptp(numbers) > 1e-5 * abs(numbers[0]):
            return None
        c = float(np.median(numbers))
        if not all(run.equals(n, c * run.point.gradients[n]) for n in names):
            return None
        found.append((run, c))
    return found


def _of_stated(loss: str, stated: str, found: Multiples) -> tuple[Diagnosis, str]:
    """The right gradient of another of the losses that may be stated."""
    formula = _formula(found)
    text = f"the right gradient of {CALLED[loss]}"
    if stated == "sum":
        text += f": the model's loss is {CALLED[stated]}"
    elif formula is not None:
        text += f", which is {formula[1]} times that of loss={stated!r}"
    kind = MEAN.kind if loss == "mean over time" and stated == "sum" else "another loss"
    return Diagnosis((kind,), text), (
        f"All of these are right gradients of {CALLED[loss]}. If that is what is meant, say "
        f"loss={loss!r}."
    )


def _formula(found: Multiples) -> tuple[float | None, str] | None:
    """A number times powers of T and B that gives the factor at every point: (the number, if it
    stands alone; the formula)."""
    for p, q in product((0, 1, -1), repeat=2):
        numbers = [c / (r.point.losses**p * float(r.point.batch or 1) ** q) for r, c in found]
        if np.ptp(numbers) > 1e-5 * abs(numbers[0]):
            continue
        number = float(np.median(numbers))
        near = Rational(number).limit_denominator(100)
        exact = near if near and abs(number / float(near) - 1) < 1e-5 else Rational(0)
        top = [n for n, power in (("T", p), ("B", q)) if power > 0]
        low = [n for n, power in (("T", p), ("B", q)) if power < 0]
        if exact:
            top = [*([str(exact.p)] if abs(exact.p) != 1 or not top else []), *top]
            low = [*([str(exact.q)] if exact.q != 1 else []), *low]
            sign = "-" if exact.p == -1 and top[0] != "-1" else ""
        else:
            top, sign = [f"{number:.6g}", *top], ""
        under = "·".join(low)
        text = sign + "·".join(top)
        if low:
            text += f"/({under})" if len(low) > 1 else f"/{under}"
        return (number if p == q == 0 else None), text
    return None


def _why(found: Multiples, number: float | None, words: Words) -> str:
    """What is known of where a factor comes from."""
    runs = [r for r, _ in found]
    losses = [r.loss for r in runs]
    if all(x is not None for x in losses):
        if all(abs(r.loss / (c * r.point.loss) - 1) < 1e-6 for r, c in found):  # type: ignore[operator]
            return OWN
        if all(abs(r.loss / r.point.loss - 1) < 1e-6 for r in runs):  # type: ignore[operator]
            return ", though the loss that is returned is the model's"
    if number is not None and number < 0:
        return ": the step of an update rather than the gradient?"
    net = runs[0].point.net
    source = next((e.rhs for e in net.source if e.lhs.name == LOSS), None)
    if source is None or number is None:
        return ""
    front, rest = split(source)
    if Mul(front, 1).is_Rational and abs(front) != 1 and abs(number * float(front)) == 1:
        theirs = words.say(rest if number * front > 0 else -rest)
        return f": the loss of the code is {theirs}, that of the model {words.say(source)}"
    return ": of a loss with another factor in front?"
