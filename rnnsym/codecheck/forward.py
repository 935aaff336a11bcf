"""Other networks of which a user's gradients may be the right ones.

Fourth part of the diagnosis. The error may be in the forward pass: a gradient that is wrong for
the model may be the right one of a network with another activation, another loss, without a bias,
or with u and 1 - u exchanged. The truth of these comes from the tape, as that of the model does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sympy import MatAdd, MatrixExpr, MatrixSymbol, preorder_traversal
from sympy.matrices.expressions import HadamardProduct

from rnnsym.algebra import add, ones, subtract
from rnnsym.codecheck.runs import Run
from rnnsym.codecheck.words import Words
from rnnsym.errors import RnnsymError
from rnnsym.evaluate.point import shape
from rnnsym.losses import LOSSES
from rnnsym.network import LOSS, Network
from rnnsym.nodes import Apply, Detach, Softmax, TimeVector, leaves, t
from rnnsym.verify.backpropagation import tape_gradients

Array = NDArray[Any]
NO_BIASES = "a network without biases"
ACTIVATIONS = ("tanh", "sigmoid", "relu", "identity")


@dataclass(frozen=True)
class Other:
    """Another network, and in what it differs from the model."""

    text: str
    net: Network


def others(net: Network) -> Iterator[Other]:
    """Networks that differ from a network in one thing, as far as they can be built."""
    for text, equations, loss in _variants(net):
        try:
            other = Other(text, _built(net, equations, loss))
        except (RnnsymError, ValueError, TypeError):
            continue
        if [(e.lhs, e.rhs) for e in other.net.source] != [(e.lhs, e.rhs) for e in net.source]:
            yield other  # a loss of that name may be the model's
    yield from _options(net)


def _built(net: Network, equations: Sequence[tuple[Any, Any]], loss: str | None) -> Network:
    return Network(
        *equations,
        loss=loss,
        output=net.output,
        inputs=tuple(net.inputs),
        targets=tuple(net.targets),
        target_kind=net.target_kind,
        name=net.name,
    )


Variant = tuple[str, list[tuple[Any, Any]], str | None]


def _variants(net: Network) -> Iterator[Variant]:
    source = [(e.lhs, e.rhs) for e in net.source]

    def changed(i: int, new: MatrixExpr) -> list[tuple[Any, Any]]:
        return [(lhs, new if i == j else rhs) for j, (lhs, rhs) in enumerate(source)]

    for name, loss in LOSSES.items():
        equations = [(lhs, rhs) for lhs, rhs in source if lhs.name != LOSS]
        if len(equations) == len(source) - 1:
            yield f"the loss is {name.replace('_', ' ')}: {loss.rhs}", equations, name
    yield from _without_biases(source)
    for i, (lhs, rhs) in enumerate(source):
        if lhs.name == LOSS:
            continue
        where = f"in the equation of {lhs.name}"
        for old in _distinct(rhs, Apply):
            for function in ACTIVATIONS:
                if function != old.function and old.function in ACTIVATIONS:
                    new = Apply(function, old.argument) if function != "identity" else old.argument
                    text = f"{function} stands for {old.function} {where}"
                    yield text, changed(i, rhs.xreplace({old: new})), None
        for old in _distinct(rhs, Softmax):
            for function in ("sigmoid", "identity"):
                new = Apply(function, old.argument) if function != "identity" else old.argument
                yield (
                    f"{function} stands for softmax {where}",
                    changed(i, rhs.xreplace({old: new})),
                    None,
                )
        for part in _distinct(rhs, MatAdd):
            for term in part.args:
                if isinstance(term, MatrixSymbol):
                    left = add(*(a for a in part.args if a != term))
                    yield (
                        f"{term.name} is left out {where}",
                        changed(i, rhs.xreplace({part: left})),
                        None,
                    )
        for part in _distinct(rhs, MatAdd):
            vectors = [v for v in leaves(part, TimeVector)]
            if len(vectors) == 1 and part == subtract(ones(part.rows), vectors[0]):
                (v,) = vectors
                text = f"{v.name} and 1 - {v.name} are exchanged {where}"
                yield text, changed(i, rhs.xreplace({part: v, v: part})), None
        for part in _distinct(rhs, HadamardProduct):
            for factor in part.args:
                rest = [a for a in part.args if a != factor]
                new = rest[0] if len(rest) == 1 else HadamardProduct(*rest)
                yield (
                    f"a factor is left out {where}: {Words().say(factor)}",
                    changed(i, rhs.xreplace({part: new})),
                    None,
                )
        for v in dict.fromkeys(leaves(rhs, TimeVector)):
            for time, word in ((t - 1, "one step early"), (t, "at the same step")):
                if v.time != time and (v.time - time).is_Integer and v.name not in net.targets:
                    text = f"{v.name} is read {word} {where}"
                    yield text, changed(i, rhs.xreplace({v: v.at(time)})), None
        gates = [
            e.lhs for e in net.source if isinstance(e.rhs, Apply) and e.rhs.function == "sigmoid"
        ]
        used = [v for v in dict.fromkeys(leaves(rhs, TimeVector)) if v.at(t) in gates]
        for a, v in enumerate(used):
            for w in used[a + 1 :]:
                text = f"{v.name} and {w.name} are exchanged {where}"
                yield text, changed(i, rhs.xreplace({v: w, w: v})), None


def _without_biases(source: Sequence[tuple[Any, Any]]) -> Iterator[Variant]:
    """The equations without all that is only added in them."""
    table: dict[Any, Any] = {}
    for _, rhs in source:
        for part in _distinct(rhs, MatAdd):
            left = [a for a in part.args if not isinstance(a, MatrixSymbol)]
            if len(left) < len(part.args):
                table[part] = add(*left)
    biases = dict.fromkeys(a.name for p in table for a in p.args if isinstance(a, MatrixSymbol))
    if len(biases) > 1:
        changed = [(lhs, rhs.xreplace(table)) for lhs, rhs in source]
        yield f"{', '.join(biases)} are left out, as of {NO_BIASES}", changed, None


def untruncated(net: Network) -> Other | None:
    """The network through which derivatives flow everywhere, if there is another."""
    if not any(e.rhs.has(Detach) for e in net.source):
        return None
    equations = []
    for e in net.source:
        table = {d: d.argument for d in _distinct(e.rhs, Detach)}
        equations.append((e.lhs, e.rhs.xreplace(table)))
    try:
        return Other("nothing is truncated", _built(net, equations, None))
    except RnnsymError:
        return None


def _distinct(e: Any, kind: type) -> list[Any]:
    return list(dict.fromkeys(node for node in preorder_traversal(e) if isinstance(node, kind)))


def _options(net: Network) -> Iterator[Other]:
    """Other values of the options of a built-in cell, such as reset=after."""
    from rnnsym import models

    name, _, _ = net.name.partition(":")
    if name not in models.MODELS or not net.options:
        return
    model = models.MODELS[name]
    for key, values in getattr(model, "options", {}).items():
        for value in values:
            if net.options.get(key) != value and key in net.options:
                chosen = {k: v for k, v in net.options.items() if k in models.options_of(model)}
                try:
                    built = models.build(name, {**chosen, key: value})
                except RnnsymError:
                    continue
                yield Other(f"the option {key}={value}", built)


def written(net: Network, model: Network) -> str:
    """The arguments of `rnnsym.Network` for a network that has the loss of a model."""
    parts = [repr(Words().of(e.lhs, e.rhs)) for e in net.source if e.lhs.name != LOSS]
    for equation in (e for e in model.source if e.lhs.name == LOSS):
        text, at = equation.text, f"[{equation.lhs.time}]"
        named = (n for n, s in LOSSES.items() if text.endswith(f" = {s.rhs.replace('[t]', at)}"))
        name = next(named, None)
        parts.append(repr(text) if name is None else f"loss={name!r}")
    return ", ".join(parts)


def gradients(other: Other, run: Run) -> tuple[float, dict[str, Array]] | None:
    """The loss and the gradients of another network at the point of a run, summed over the batch;
    None if it has no values there."""
    total = 0.0
    found: dict[str, Array] = {}
    for member in run.point.members:
        names = other.net.parameters
        # a bias that only the other network has may be zero; a weight may not
        new = {n: w for n, w in names.items() if n not in member.parameters}
        states = set(other.net.initial_states)
        if any(w.cols != 1 for w in new.values()) or not states <= set(member.initial):
            return None
        rows = {n: shape(w, member.symbols)[0] for n, w in new.items()}
        case = replace(
            member,
            net=other.net,
            parameters={n: np.zeros(rows[n]) if n in new else member.parameters[n] for n in names},
            initial={n: member.initial[n] for n in other.net.initial_states},
        )
        try:
            with np.errstate(all="ignore"):
                loss, here, _ = tape_gradients(case)
        except (KeyError, ValueError, RnnsymError):
            return None
        if not np.isfinite(loss):
            return None
        total += loss
        found = {n: g + found[n] if found else g for n, g in here.items()}
    unused = {n: np.zeros_like(w) for n, w in run.point.case.parameters.items() if n not in found}
    return total, {**unused, **found}


def found(runs: Sequence[Run], wrong: Sequence[str]) -> tuple[Other, list[str]] | None:
    """(the other network, which wrong gradients it explains), if there is one.

    Every gradient that the function returns must be the other network's, so that one number that
    happens to agree explains nothing.
    """
    net = runs[0].point.net
    names = [n for n in net.parameters if runs[0].gradient(n) is not None]
    best: tuple[Other, list[str]] | None = None
    for other in others(net):
        agreeing = set(names)
        for run in runs:
            truth = gradients(other, run)
            if truth is None:
                agreeing = set()
                break
            agreeing &= {n for n in names if run.equals(n, truth[1][n])}
            if len(agreeing) < max(2, len(names) - 1) and not agreeing >= set(wrong):
                break
        explained = [n for n in wrong if n in agreeing]
        if len(agreeing) == len(names) and explained:
            return other, explained
        many = len(explained) >= 2 and len(agreeing) > len(names) / 2
        if many and (best is None or len(explained) > len(best[1])):
            best = other, explained
    return best
