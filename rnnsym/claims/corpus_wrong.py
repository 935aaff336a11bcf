"""Wrong claims made from right ones.

Used by `corpus`. Three sources: the catalogue of `rnnsym.verify.mutations`, printed as equations;
errors put into the expressions of derivations at a random place; errors put into their LaTeX.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from sympy import Basic, Integer, MatAdd, MatMul, MatrixExpr, MatrixSymbol, Transpose
from sympy.matrices.expressions import HadamardProduct

from rnnsym.claims.corpus import Sample
from rnnsym.claims.corpus_text import spoiled
from rnnsym.claims.corpus_truth import Equation, Ground, decided, equations
from rnnsym.claims.corpus_writing import written
from rnnsym.latex import PROFILES, LatexPrinter
from rnnsym.nodes import Adjoint, Apply, Gradient, TimeProduct, TimeSum, TimeVector, Total
from rnnsym.verify.mutations import Catalogue

#: mutations that are right under a reading: a mean over time, a product in ascending order
READINGS = {"mean instead of sum", "reversed product"}


def wrong_samples(net: Any, model: str, rng: random.Random) -> Iterator[Sample]:
    """Wrong claims without end, from the three sources in turn."""
    ground = Ground(net)
    base = list(equations(net))
    printers = {n: LatexPrinter(n, net.notations.get(n)) for n in PROFILES}
    sources = [
        catalogued(net, ground, rng),
        mutated(base, ground, rng),
    ]
    text = _texts(base, printers, model, rng)
    for sample in _plain(sources, base, printers, model, rng, text):
        if rng.random() < 0.5:
            sample = replace(sample, latex=written(sample.latex, sample.notation, rng)[0])
        yield sample


def _plain(
    sources: list[Iterator[tuple[str, Equation]]], base: list[Equation],
    printers: dict[str, LatexPrinter], model: str, rng: random.Random, text: Iterator[Sample],
) -> Iterator[Sample]:  # fmt: skip
    """As the printer writes them."""
    while True:
        for source in sources:
            found = next(source, None)
            if found is None:
                continue
            kind, equation = found
            notation = rng.choice(list(PROFILES))
            latex = printed(printers[notation], equation)
            if latex != printed(printers[notation], right_of(base, equation)):
                yield Sample(latex, model, notation, kind, False)
        yield next(text)


def printed(printer: LatexPrinter, equation: Equation) -> str:
    return f"{printer(equation.left)} = {printer(equation.right)}"


def right_of(base: list[Equation], equation: Equation) -> Equation:
    """The right equation of the same left-hand side."""
    return next((e for e in base if e.left == equation.left), equation)


def _texts(
    base: list[Equation], printers: dict[str, LatexPrinter], model: str, rng: random.Random
) -> Iterator[Sample]:
    while True:
        equation, notation = rng.choice(base), rng.choice(list(PROFILES))
        latex = printed(printers[notation], equation)
        found = spoiled(latex, rng)
        if found is not None:
            kind, text = found
            yield Sample(text, model, notation, f"text: {kind}", False)


# ---- the catalogue -------------------------------------------------------------------------


def catalogued(net: Any, ground: Ground, rng: random.Random) -> Iterator[tuple[str, Equation]]:
    """The mutations of the catalogue as equations: of an adjoint, of a gradient, of a sum."""
    catalogue = Catalogue(net)
    system = catalogue.subject.system
    found: list[tuple[str, Equation]] = []
    for kind, change, _ in catalogue.changes:
        if kind.name in READINGS or change.chunk is not None:
            continue
        for name, e in change.equations.items():
            if e != system.equations[name]:
                span = net.spans[name]
                left = Adjoint(net.vectors[name].at(span.time))
                found.append((kind.name, Equation(left, e, span.where)))
        for name, e in change.gradients.items():
            left = Gradient(net.total_loss, net.parameters[name])
            found.append((kind.name, Equation(left, e)))
    for name in net.parameters:
        for mutant in catalogue.of(name):
            if mutant.formula is not None and mutant.kind not in READINGS:
                left = Total(net.total_loss, net.parameters[name])
                found.append((mutant.kind, Equation(left, mutant.formula)))
    rng.shuffle(found)
    for name, equation in found:
        if decided(ground.wrong, equation):
            yield name, equation


# ---- errors in expressions -----------------------------------------------------------------


def mutated(
    base: list[Equation], ground: Ground, rng: random.Random
) -> Iterator[tuple[str, Equation]]:
    """An error at a random place of a random equation."""
    while True:
        equation = rng.choice(base)
        name, error = rng.choice(ERRORS)
        if error in (_order, _transpose) and not isinstance(equation.left, Adjoint | Gradient):
            continue  # in another layout the factors stand in another order, transposed
        if error is _order and not isinstance(equation.right, MatAdd):
            continue  # right, if vectors are rows
        places = [p for p in _places(equation.right) if error(rng, ground, p[1]) is not None]
        if not places:
            continue
        path, node = rng.choice(places)
        try:
            new = _put(equation.right, path, error(rng, ground, node))
        except (ValueError, TypeError):  # shapes that do not fit
            continue
        wrong = Equation(equation.left, new, equation.where)
        if new != equation.right and decided(ground.wrong, wrong):
            yield name, wrong


Path = tuple[int, ...]


def _places(e: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    yield path, e
    for i, a in enumerate(e.args):
        if isinstance(a, Basic) and not isinstance(e, TimeVector | MatrixSymbol | Total | Adjoint):
            yield from _places(a, (*path, i))


def _put(e: Any, path: Path, new: Any) -> Any:
    if not path:
        return new
    args = list(e.args)
    args[path[0]] = _put(args[path[0]], path[1:], new)
    return e.func(*args)


def _shift(rng: random.Random, ground: Ground, e: Any) -> Any:
    if isinstance(e, TimeVector) and not _at_one_time(ground, e):
        return e.at(e.time + rng.choice((-1, 1)))
    return None


def _at_one_time(ground: Ground, e: Any) -> bool:
    """Whether a vector has no value at other times than this."""
    return isinstance(e.time, Integer) or ground.net.spans[e.name].single


def _shift_derivative(rng: random.Random, ground: Ground, e: Any) -> Any:
    if isinstance(e, Total) and isinstance(e.by, TimeVector) and not _at_one_time(ground, e.by):
        return e.func(e.of, e.by.at(e.by.time - 1))
    if isinstance(e, Adjoint) and not _at_one_time(ground, e.of):
        return Adjoint(e.of.at(e.of.time + rng.choice((-1, 1))))
    return None


def _limit(rng: random.Random, ground: Ground, e: Any) -> Any:
    if not isinstance(e, TimeSum | TimeProduct):
        return None
    first, last = rng.choice(((1, 0), (0, -1), (0, 1), (-1, 0)))
    return e.func(e.body, (e.index, e.lower + first, e.upper + last), *e.args[2:])


def _transpose(rng: random.Random, ground: Ground, e: Any) -> Any:
    if isinstance(e, Transpose):
        return e.arg
    return Transpose(e) if isinstance(e, MatrixSymbol) and e.cols != 1 else None


def _slope(rng: random.Random, ground: Ground, e: Any) -> Any:
    if isinstance(e, Apply) and e.order < 2 and e.function != "reciprocal":
        return Apply(e.function, e.argument, 1 - e.order)
    return None


def _sign(rng: random.Random, ground: Ground, e: Any) -> Any:
    if not isinstance(e, MatAdd):
        return None
    i = rng.randrange(len(e.args))
    return MatAdd(*(MatMul(-1, a) if k == i else a for k, a in enumerate(e.args)))


def _order(rng: random.Random, ground: Ground, e: Any) -> Any:
    if not isinstance(e, MatMul) or len(e.args) < 2:
        return None
    i = rng.randrange(len(e.args) - 1)
    args = list(e.args)
    args[i], args[i + 1] = args[i + 1], args[i]
    return MatMul(*args) if all(isinstance(a, MatrixExpr) for a in args) else None


def _missing(rng: random.Random, ground: Ground, e: Any) -> Any:
    if not isinstance(e, MatAdd | HadamardProduct | MatMul) or len(e.args) < 2:
        return None
    args = list(e.args)
    del args[rng.randrange(len(args))]
    return args[0] if len(args) == 1 else e.func(*args)


def _double(rng: random.Random, ground: Ground, e: Any) -> Any:
    if isinstance(e, MatAdd | HadamardProduct):
        return e.func(*e.args, rng.choice(e.args))
    return None


def _weight(rng: random.Random, ground: Ground, e: Any) -> Any:
    if isinstance(e, Total) and isinstance(e.by, MatrixSymbol):
        other = _weight(rng, ground, e.by)
        return None if other is None else e.func(e.of, other)
    if not isinstance(e, MatrixSymbol):
        return None
    others = [w for w in ground.net.parameters.values() if w.shape == e.shape and w != e]
    return rng.choice(others) if others else None


def _vector(rng: random.Random, ground: Ground, e: Any) -> Any:
    if not isinstance(e, TimeVector):
        return None
    others = [v for v in ground.net.vectors.values() if v.rows == e.rows and v.name != e.name]
    return rng.choice(others).at(e.time) if others else None


def _sum_to_last(rng: random.Random, ground: Ground, e: Any) -> Any:
    return e.body.xreplace({e.index: e.upper}) if isinstance(e, TimeSum) else None


Error = Callable[[random.Random, Ground, Any], Any]
ERRORS: list[tuple[str, Error]] = [
    ("expression: time of a vector", _shift),
    ("expression: time of a derivative", _shift_derivative),
    ("expression: limit", _limit),
    ("expression: transpose", _transpose),
    ("expression: prime", _slope),
    ("expression: sign", _sign),
    ("expression: order", _order),
    ("expression: missing term or factor", _missing),
    ("expression: term or factor twice", _double),
    ("expression: another weight", _weight),
    ("expression: another vector", _vector),
    ("expression: last term for the sum", _sum_to_last),
]
