"""A network from the forward equations of a document.

Last stage of the reader. Equations are written as text of `rnnsym.equations`, which checks them
and infers all shapes; what does not fit is left out, and said.
"""

from __future__ import annotations

import re
from typing import Any

from rnnsym.errors import InputError
from rnnsym.reader.families import written_out
from rnnsym.reader.functions_of_time import with_times
from rnnsym.reader.losses import LEFT_OUT, NO_LOSS
from rnnsym.reader.macros import expand
from rnnsym.reader.making import Built, Maker
from rnnsym.reader.occurring import Forward
from rnnsym.reader.statements import Reading, read_formula
from rnnsym.reader.tokens import UnreadableError
from rnnsym.reader.vocabulary import Vocabulary


def read(latex: str, macros: Any = None, make: Any = None, prose: str = "", **options: Any) -> Any:
    """The network that forward equations in LaTeX describe.

    latex: one formula, several lines of them, or a document in Markdown or LaTeX; options: of
    `rnnsym.Network`, such as `loss`. Raises InputError with the place of what cannot be read.
    """
    formulas, macros = _formulas(latex, macros)
    readings: list[Reading] = []
    errors: list[str] = []
    for formula in written_out(formulas):
        try:
            readings.append(read_formula(expand(formula, macros or {})))
        except UnreadableError as error:
            errors.append(f"{' '.join(formula.split())[:60]}: {error.why}")
    timed = [r for r in with_times(readings) if r is not None]
    vocabulary = Vocabulary(timed, prose or latex)
    if not vocabulary.forward:
        why = f" ({errors[0]})" if errors else ""
        raise InputError(
            f"no forward equation was found, such as h_t = \\tanh(W h_{{t-1}} + U x_t){why}"
        )
    built = build(vocabulary, make=make, strict=not errors, concrete=True, **options)
    if built.net is None:
        raise InputError("; ".join(built.notes) or "no network could be made of the equations")
    uses = {n for e in built.net.source for n in re.findall(r"[^\W\d]\w*", e.text)}
    if built.lost & uses or NO_LOSS in built.notes:  # it would be an input, or no loss at all
        raise InputError("; ".join(n for n in built.notes if n.startswith(LEFT_OUT)))
    built.net.reading_notes, built.net.reading_table = built.notes, built.table
    return built.net


#: an environment other than a matrix inside of a formula
_ENVIRONMENT = re.compile(r"\\begin\{(?!(?:[bpvVB]?matrix|smallmatrix|array|[dr]?cases)\})")


def _formulas(latex: str, macros: Any) -> tuple[list[str], Any]:
    if "$" in latex or r"\[" in latex or r"\(" in latex or _ENVIRONMENT.search(latex):
        from rnnsym.sources import read_source

        source = read_source(latex)
        if source.formulas:
            return [f.latex for f in source.formulas], {**source.macros, **(macros or {})}
    lines = [line for line in latex.splitlines() if line.strip()]
    if any(line.count(r"\begin{") != line.count(r"\end{") for line in lines):
        lines = [latex]
    return lines, macros


def build(
    vocabulary: Vocabulary,
    upto: int | None = None,
    make: Any = None,
    strict: bool = False,
    last: bool = False,
    concrete: bool = False,
    said: str = "",
    every: bool = False,
    **options: Any,
) -> Built:
    """The network of the equations before formula `upto` (all: None), the latest of each name.

    last: the loss is one of the last step only; concrete: a loss that has to be supposed is the
    customary one of the output, and not any function; said: σ is the activation that the words
    speak of ("words"), or functions of which nothing is known are this one; "numbers": small
    letters are numbers; every: a loss that has to be supposed is of all that no equation uses.
    """
    if make is None:
        from rnnsym.network import Network as make
    found: dict[str, list[Forward]] = {}
    for f in vocabulary.forward:
        if f.key in vocabulary.table.entries and (upto is None or f.formula <= upto):
            found.setdefault(vocabulary.table.entries[f.key].name, []).append(f)
    before = set(found)
    for f in vocabulary.forward:  # what is defined later counts where nothing was said before
        entry = vocabulary.table.entries.get(f.key)
        if entry is None:
            continue
        name = entry.name
        if name not in before:
            found.setdefault(name, []).append(f)
    maker = Maker(vocabulary, found, make, strict, dict(options), said == "numbers")
    maker.last, maker.concrete, maker.said, maker.every = last, concrete, said, every
    return maker.build()
