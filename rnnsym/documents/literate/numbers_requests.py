"""What a source can ask for in numbers: networks beside each other, and one network's values.

Registered beside `requests`. Values are computed by the trusted base.

    neighbours T=N,N         the recurrent network beside others: parameters, paths, shared weights
    shifted T=N              the same input at another step: which weights learn from it
    numbers T=N              a forward pass in numbers
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from sympy import Integer, Symbol

from rnnsym.documents.content import Block, Paragraph, Prose, Table
from rnnsym.documents.literate.requests import Ask, request
from rnnsym.errors import InputError
from rnnsym.evaluate.arithmetic import MpmathArithmetic, NumpyArithmetic
from rnnsym.evaluate.field import FieldArithmetic
from rnnsym.evaluate.point import Point, field_point, shape, steps_of
from rnnsym.evaluate.trajectory import Truth
from rnnsym.network import Network
from rnnsym.nodes import Gradient, T, TimeVector
from rnnsym.sizes import choose_sizes


@request("neighbours", "neighbours T=N,N,…", options=("T",))
def neighbours(ask: Ask) -> Iterator[Block]:
    """Parameters, and the way of the gradient, of networks that read sequences."""
    from rnnsym.compare import SAMPLES, SIZES, compare, table

    given = ask.options.get("T", "10,50").split(",")
    if not all(n.isdecimal() and int(n) for n in given):
        raise InputError(f"T={','.join(given)}: whole numbers above zero were expected")
    found = compare(steps=[int(n) for n in given])
    yield table(found, "parameters")
    values: list[Any] = []
    for name, value in SIZES.items():
        values += [", " if values else "", Symbol(name), f" = {value}"]
    inner = Symbol("n_a")
    text = ("The numbers are those for ", *values, ", where every inner vector has ", inner)
    yield Paragraph((*text, " entries."))
    yield table(found, "paths")
    ask.evidence.also(
        all(c.path.xreplace({T: Integer(at.steps)}) == at.path for c in found for at in c.counts),
        "Parameters, inputs and edges were counted in the equations and unrolled graphs of "
        f"{len(found)} networks for each T from {SAMPLES[0]} to {SAMPLES[-1]} and for "
        f"T = {', '.join(given)}; a formula in T is the one that has all these values",
    )


@request("shifted", "shifted T=N [model=NAME]", options=("T",))
def shifted(ask: Ask) -> Iterator[Block]:
    """The same vector as the only input that is not zero, at one step after the other."""
    steps = ask.whole("T", 3)
    weights = _input_weights(ask.net, steps)
    norms = [_norms(ask.net, weights, steps, at) for at in range(1, steps + 1)]
    header: list[Prose] = [
        ("gradient by",), *(("input at step ", Integer(k)) for k in range(1, steps + 1))
    ]  # fmt: skip
    rows: list[list[Prose]] = [
        [(ask.net.parameters[w],), *((f"{norm[w]:.3g}",) for norm in norms)] for w in weights
    ]
    yield Table(header, rows, "l" + "r" * steps)
    zeros = [(w, at) for at, norm in enumerate(norms, 1) for w in weights if norm[w] == 0]
    if zeros:
        ask.evidence.also(
            all(_vanishes(ask.net, w, steps, at) for w, at in zeros),
            f"The {len(zeros)} gradients of {ask.net.name} that are 0 in the table are zero for "
            "all parameters: exact test",
        )


def _input_weights(net: Network, steps: int) -> list[str]:
    from rnnsym.graph import unroll

    edges = unroll(net, steps).reduced().edges
    met = [w for e in edges if e.source.name in net.inputs for w in e.weights]
    return [w for w in net.parameters if w in met]


def _truth(net: Network, steps: int, at: int, exact: bool) -> Any:
    """What is true with one input vector at step `at`, zeros elsewhere: the same for every `at`."""
    symbols = choose_sizes(net, steps)
    ar: Any = FieldArithmetic(0) if exact else NumpyArithmetic()
    name = next(iter(net.inputs))
    if exact:
        point = field_point(net, ar, symbols, 0)
        word = point.sequences[name][0]
    else:
        point = _random_truth(net, symbols).point
        word = point.sequences[name][0]
    rows = ar.shape(word)[0]
    sequence = [word if k == at else ar.full(rows, 1, 0) for k in range(1, steps + 1)]
    return Truth(net, replace(point, sequences={**point.sequences, name: sequence}), ar)


def _random_truth(net: Network, symbols: Any, arithmetic: Any = None) -> Any:
    """What is true at random parameters and inputs, each target the first unit vector, initial
    states zero."""
    rng, ar = random.Random(0), arithmetic or NumpyArithmetic()

    def matrix(e: Any) -> Any:
        rows, cols = shape(e, symbols)
        return ar.array([[rng.uniform(-1, 1) for _ in range(cols)] for _ in range(rows)])

    def unit(e: Any) -> Any:
        return ar.array([[float(i == 0)] for i in range(shape(e, symbols)[0])])

    parameters = {n: matrix(w) for n, w in net.parameters.items()}
    vectors = {n: [net.vectors[n]] * steps_of(net, n, symbols) for n in (*net.inputs, *net.targets)}
    sequences = {n: [(matrix if n in net.inputs else unit)(v) for v in vectors[n]] for n in vectors}
    zeros = {n: ar.full(*shape(v, symbols), 0) for n, v in net.initial_states.items()}
    return Truth(net, Point(symbols, parameters, sequences, zeros), ar)


def _norms(net: Network, weights: list[str], steps: int, at: int) -> dict[str, float]:
    truth = _truth(net, steps, at, exact=False)
    return {
        w: float(np.linalg.norm(truth.derivative(Gradient(net.total_loss, net.parameters[w]))))
        for w in weights
    }


def _vanishes(net: Network, weight: str, steps: int, at: int) -> bool:
    truth = _truth(net, steps, at, exact=True)
    value = truth.derivative(Gradient(net.total_loss, net.parameters[weight]))
    return bool(value == truth.base.full(*truth.base.shape(value), 0))


@request("numbers", "numbers T=N [model=NAME]", options=("T",))
def numbers(ask: Ask) -> Iterator[Block]:
    """The vectors of a forward pass at random weights, every size 2: a row for each step."""
    net, steps = ask.net, ask.whole("T", 3)
    truth = _random_truth(net, choose_sizes(net, steps, dict.fromkeys(net.sizes, 2)))
    shown = [*net.inputs, *(e.lhs.name for e in net.source if e.lhs != net.loss), *net.targets]
    shown.append(net.loss.name)

    def value(name: str, k: int) -> Prose:
        entries = np.ravel(truth.evaluator()(TimeVector(name, net.vectors[name].rows, k)))
        text = ", ".join(f"{v:.4f}" for v in entries)
        return (text if len(entries) == 1 else f"({text})",)

    header: list[Prose] = [("t",), *((net.vectors[n],) for n in shown)]
    rows: list[list[Prose]] = [
        [(str(k),), *(value(n, k) for n in shown)] for k in range(1, steps + 1)
    ]
    yield Table(header, rows, "r" + "l" * len(shown))
    total = truth.evaluator()(net.total_loss)[0, 0]
    yield Paragraph(("The total loss ", net.total_loss, f" is {total:.4f}."))
    exact = _random_truth(net, truth.point.symbols, MpmathArithmetic()).evaluator()(net.total_loss)
    ask.evidence.also(
        abs(total - exact[0, 0]) < 1e-12,
        "The numbers of the forward pass were computed twice, and the total loss in 50 digits "
        "agrees with the one in 16 to twelve places",
    )
