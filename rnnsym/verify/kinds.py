"""verify: every gradient of a network against every kind of evidence.

Takes a network and the function under test (by default the code that rnnsym generates for it),
draws one point that hides nothing, and asks each kind in turn.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from rnnsym.errors import InputError, UnavailableError
from rnnsym.network import Network
from rnnsym.nodes import T
from rnnsym.verify.autograd import jax, torch
from rnnsym.verify.backpropagation import bptt
from rnnsym.verify.case import TOLERANCE, Case, Function, make_case
from rnnsym.verify.differences import FINITE_TOLERANCE, complex_step, finite_difference
from rnnsym.verify.exact import exact
from rnnsym.verify.report import Evidence, Findings, Report


def latex2sympy2(case: Case) -> Findings:
    """The equations as they are printed, read back by a reader that is not ours."""
    from rnnsym.second.kind import latex2sympy2 as found

    return found(case)


#: every kind of evidence, in the order in which it is shown
KINDS: dict[str, Callable[[Case], Findings]] = {
    "exact": exact,
    "bptt": bptt,
    "complex_step": complex_step,
    "finite_difference": finite_difference,
    "torch": torch,
    "jax": jax,
    "latex2sympy2": latex2sympy2,
}

#: the kinds that look at the derived formula instead of the function under test
OF_THE_FORMULA = ("exact",)

#: the kinds that take seconds, and so are used only if they are asked for by name
BY_NAME = ("latex2sympy2",)


def verify(
    net: Network,
    steps: int | Mapping[str, int] = 5,
    sizes: Mapping[str, int] | None = None,
    seed: int = 0,
    against: Sequence[str] | None = None,
    gradients: Function | None = None,
) -> Report:
    """Compare every gradient of a network with every kind of evidence.

    steps: T, or the length of each sequence by name; sizes: size by name, all different where
    not given; against: the kinds to use (by default all that are installed, but latex2sympy2,
    which takes seconds); gradients: the function under test, f(params, x, y, initial) -> (loss,
    {parameter: array}) or the gradients alone, by default the code that rnnsym generates for the
    network. `exact` tests the derived formula itself, so it is used only where the function under
    test is rnnsym's own.

    Raises InputError for unknown kinds and for steps, sizes or a seed that are no positive
    integers; UnavailableError if a kind asked for by name is not installed.
    """
    chosen = _chosen(against, gradients is None)
    function, subject = gradients, "function under test"
    if set(chosen) <= set(OF_THE_FORMULA):
        function, subject = _nothing, "derived formulas"
    elif function is None:
        from rnnsym.emit import function as generated

        function, subject = generated(net), "generated code"
    case = make_case(net, steps, sizes, seed, function)
    found: dict[str, Findings] = {}
    skipped: dict[str, str] = {}
    seconds: dict[str, float] = {}
    for kind in chosen:
        start = time.perf_counter()
        try:
            found[kind] = KINDS[kind](case)
        except UnavailableError as error:
            if against is not None:
                raise
            skipped[kind] = str(error)
            continue
        seconds[kind] = time.perf_counter() - start
    if gradients is not None and against is None:
        skipped["exact"] = "it tests a formula, not a function"
    if against is None:
        skipped["latex2sympy2"] = _why_not_read()
    return Report(
        model=net.name,
        steps=_lengths(case),
        sizes={name: int(case.symbols[s]) for name, s in net.sizes.items()},
        seed=case.seed,
        gradients=_by_parameter(case, found),
        loss={kind: f.loss for kind, f in found.items() if f.loss is not None},
        notes={kind: f.note for kind, f in found.items()},
        skipped=skipped,
        seconds=seconds,
        subject=subject,
        legend=_legend(found),
    )


def _lengths(case: Case) -> int | dict[str, int]:
    """T, or the length of each sequence where there are several."""
    found = {name: int(case.symbols[s]) for name, s in case.net.lengths.items()}
    return found if len(found) > 1 else int(case.symbols[T])


def _legend(found: Mapping[str, Findings]) -> str:
    """What the numbers in the table mean, and what the kinds used can miss."""
    lines = []
    if set(found) - set(OF_THE_FORMULA):
        lines.append(
            f"numbers: largest relative error, at most {TOLERANCE:g} (finite_difference "
            f"{FINITE_TOLERANCE:g}); at one random point, so an error that vanishes there is missed"
        )
    if "exact" in found:
        lines.append(
            "exact judges the formula for every activation with the same differential equation, "
            "not rounding, and not the code made from it"
        )
    return "; ".join(lines)


def _why_not_read() -> str:
    """Why latex2sympy2 is left out where no kind is named."""
    from rnnsym.second.reading import require

    try:
        require()
    except UnavailableError as error:
        return str(error)
    return "it takes seconds: ask for it by name"


def _nothing(*_: object) -> dict[str, object]:
    """Where only formulas are tested, no function is."""
    return {}


def _chosen(against: Sequence[str] | None, ours: bool) -> list[str]:
    """The kinds to use, in the order of KINDS. Raises InputError for ones that do not exist."""
    if against is None:
        wanted = [kind for kind in KINDS if kind not in BY_NAME]
        return [kind for kind in wanted if ours or kind not in OF_THE_FORMULA]
    names = [against] if isinstance(against, str) else list(against)
    for name in names:
        if name not in KINDS:
            raise InputError(f"unknown kind of evidence {name!r}: choose from {', '.join(KINDS)}")
        if not ours and name in OF_THE_FORMULA:
            raise InputError(f"{name} tests a formula, not a function: leave it out")
    if not names:
        raise InputError(f"no kind of evidence chosen: choose from {', '.join(KINDS)}")
    return [kind for kind in KINDS if kind in names]


def _by_parameter(case: Case, found: Mapping[str, Findings]) -> dict[str, dict[str, Evidence]]:
    """parameter -> kind -> evidence; a gradient with a fault fails every comparison of numbers."""
    table: dict[str, dict[str, Evidence]] = {}
    for name in case.parameters:
        fault = Evidence(False, None, case.faults.get(name, "not compared"))
        table[name] = {kind: f.gradients.get(name, fault) for kind, f in found.items()}
    return table
