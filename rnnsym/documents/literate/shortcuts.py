"""Requests about shortcuts in time and about gates.

Registers with `requests`, beside `cures`, which has clipping and truncation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from sympy import Integer, Matrix, Symbol, eye

from rnnsym.documents.content import Block, Display, Row, Styled, Table
from rnnsym.documents.literate.plain import shown
from rnnsym.documents.literate.proofs_requests import show
from rnnsym.documents.literate.requests import Ask, request
from rnnsym.documents.literate.topics import given
from rnnsym.documents.plots import Series, lines
from rnnsym.errors import InputError
from rnnsym.nodes import Blocks, TimeProduct, Total, t


@request("paths", "paths T=N: MODEL, …", options=("T",), sections=True)
def paths(ask: Ask) -> Iterator[Block]:
    """The number of paths between two states, counted in the unrolled graph."""
    from rnnsym.api import model

    steps, good = ask.whole("T"), []
    times = sorted({1, 2, 3, 4, 5, 6, steps // 2, steps - 1, steps})
    rows = []
    for spec in ask.sections:
        net = model(spec)
        graph, name = net.unroll(steps).reduced(), next(iter(net.states))
        counts = [graph.count_paths((name, 0), (name, n)) for n in range(steps + 1)]
        lags = sorted(net.lags[name, name]) if (name, name) in net.lags else _lags(net, name)
        again = all(counts[n] == sum(counts[n - d] for d in lags if n >= d)
                    for n in range(1, steps + 1))  # fmt: skip
        rule = " + ".join(f"N(n − {d})" for d in lags)
        good.append((again, f"N(n) = {rule} for {spec}"))
        growth = counts[steps] / counts[steps - 1]
        rows.append([(Styled(spec, "code"),), *((f"{counts[n]}",) for n in times),
                     (f"{growth:.4f}",)])  # fmt: skip
    words = ", ".join(text for _, text in good)
    ask.evidence.also(all(ok for ok, _ in good), "the numbers of paths counted in the graph obey "
                      f"{words}, up to n = {steps}")  # fmt: skip
    header = [("paths over n steps",), *((f"{n}",) for n in times), ("growth",)]
    yield Table(header, rows, "l" + "r" * (len(times) + 1))


def _lags(net: Any, name: str) -> list[int]:
    """The lags at which a state uses itself, through nodes of its own step."""
    from rnnsym.derive.structure import Structure

    return sorted(lag for used, lag in Structure(net).immediate[name] if used == name)


@request("roots", "roots T=N [model=NAME]: W V, …", options=("T",), sections=True)
def roots(ask: Ask) -> Iterator[Block]:
    """The eigenvalues of the companion Jacobian of one unit with a shortcut.

    After the colon pairs of values: of the weight of one step back, and of that of the shortcut.
    """
    from rnnsym.flow.recurrent import recurrence_of
    from rnnsym.flow.slopes import scalar

    r = recurrence_of(ask.net)
    if not isinstance(r.jacobian, Blocks) or len(r.weights) != 2:
        raise InputError(f"{ask.net.name} is no network of one state with one shortcut")
    w, v, lam = (Symbol(s, real=True) for s in ("w", "v", "lambda"))
    near = dict(zip(r.weights, (w, v), strict=True))
    companion = Matrix([[scalar(e, near) for e in row] for row in r.jacobian.blocks])
    n = companion.rows
    polynomial = (lam * eye(n) - companion).det().expand()
    yield Display([
        Row(shown(Symbol("J")), "=", shown(companion)),
        Row(shown(Symbol(r"{\det(\lambda I - J)}")), "=", shown(polynomial)),
    ])  # fmt: skip
    steps, rows, good = ask.whole("T"), [], True
    for pair in ask.sections:
        try:
            values = dict(zip((w, v), map(float, pair.split()), strict=True))
        except ValueError:
            raise InputError(f"{pair!r}: a pair of numbers was expected") from None
        matrix = np.array(companion.subs(values).tolist(), dtype=float)
        radius = float(np.abs(np.linalg.eigvals(matrix)).max())
        found = float(np.linalg.matrix_power(matrix, steps)[0, 0])
        true = _derivative(ask.net, dict(zip(r.weights, values.values(), strict=True)), steps)
        good = good and abs(found - true) <= 1e-12 * abs(true)
        rows.append([(f"{values[w]:g}",), (f"{values[v]:g}",), (f"{radius:.4f}",),
                     (f"{found:.2e}",), (f"{values[w] ** steps:.2e}",)])  # fmt: skip
    ask.evidence.also(good, f"the first entry of the {steps}th power of J is the derivative over "
                      f"{steps} steps by dual numbers through the forward equations, in 50 digits, "
                      f"for {len(rows)} pairs of weights")  # fmt: skip
    header = ("w", "v", "largest |λ|", f"over {steps} steps", "without shortcut")
    yield Table([(h,) for h in header], rows, "rrrrr")


def _derivative(net: Any, weights: dict[str, float], steps: int) -> float:
    """∂a⟨steps⟩/∂a⟨0⟩ of one unit, by dual numbers."""
    from rnnsym.evaluate.arithmetic import MpmathArithmetic
    from rnnsym.evaluate.trajectory import Truth
    from rnnsym.flow.setting import setting

    (state,) = net.states.values()
    sizes = {s.name: 1 for s in state.rows.free_symbols}
    params = {name: [[value]] for name, value in weights.items()}
    made, ar = setting(net, steps, sizes, params=params), MpmathArithmetic()
    total = Total(state.at(Integer(steps)), state.at(Integer(0)))
    return float(Truth(net, made.point(ar), ar).derivative(total)[0, 0])


# ---- gates -----------------------------------------------------------------------------------


@request("direct path", "direct path STATE [full] [model=NAME]", arguments=1, flags=("full",))
def direct_path(ask: Ask) -> Iterator[Block]:
    """What a state hands on to itself while all else is held fixed, and over many steps; full:
    the whole Jacobian as well."""
    from rnnsym.api import Derivation as Checked
    from rnnsym.derive.step import Derivation, Scribe
    from rnnsym.flow.recurrent import recurrence_of

    (name,), net = [a for a in ask.arguments if a != "full"], ask.net
    frozen, edge = _frozen(net, name)
    state, scribe = frozen.states[name], Scribe()
    k, i = (Symbol(s, integer=True) for s in ("k", "i"))
    where = frozen.spans[name].where
    scribe.step(
        Total(state, state.at(t - 1)), edge, "local Jacobian",
        "of the equation of ", state, " alone: ", *_joined(frozen), " are held fixed", where=where,
    )  # fmt: skip
    scribe.step(
        Total(state, state.at(k)), TimeProduct(edge.xreplace({t: i}), (i, k + 1, t), -1),
        "chain rule", "from one step to the next there is this one path", where=(*where, (k, 0, t)),
    )  # fmt: skip
    made = Derivation(frozen, state, tuple(scribe.steps), edge, scribe.steps[-1].after)
    yield Display([Row(state, "=", frozen.equations[name].rhs)])
    checked = Checked.of(frozen, made, name)
    yield from show(ask, checked, checked.check())
    if "full" in ask.arguments:
        r, both = recurrence_of(net, name), Scribe()
        before, whole = r.block.state(r.block.before(t)), r.jacobian
        both.step(
            Total(r.block.now, before), whole, "whole Jacobian",
            "with all that depends on ", before, where=where,
        )  # fmt: skip
        made = Derivation(net, state, tuple(both.steps), whole, whole)
        checked = Checked.of(net, made, name)
        yield from show(ask, checked, checked.check())


def _frozen(net: Any, name: str) -> tuple[Any, Any]:
    """A network of one state's equation, in which all else is data, and its own Jacobian."""
    from rnnsym.api import Network
    from rnnsym.derive.local import Local
    from rnnsym.nodes import time_vectors

    if name not in net.states:
        raise InputError(f"{name!r} is no state of {net.name}: {', '.join(net.states)}")
    e = net.equations[name]
    others = [v.name for v in time_vectors(e.rhs) if v.name != name]
    frozen = Network(
        (e.lhs, e.rhs), loss="squared_error", inputs=list(dict.fromkeys(others)), name=net.name,
        options=net.options, notations=net.notations,
    )  # fmt: skip
    return frozen, Local(frozen).edge(name, e.lhs.at(t - 1))


def _joined(net: Any) -> list[Any]:
    parts: list[Any] = []
    for name in net.inputs:
        parts += [" and " if parts else "", net.vectors[name]]
    return parts


@request("gates", "gates STATE T=N bias=NAME [n=N] [seed=N] [model=NAME]: VALUE, …",
         options=("T", "n", "seed", "bias"), arguments=1, sections=True)  # fmt: skip
def gates(ask: Ask) -> Iterator[Block]:
    """The direct path against all paths, for some values of the bias of a gate."""
    from rnnsym.flow.setting import setting

    net, (name,), wanted = ask.net, ask.arguments, ask.options.get("bias", "")
    if wanted not in net.parameters:
        raise InputError(f"bias={wanted}: {net.name} has {', '.join(net.parameters)}")
    steps, (frozen, edge) = ask.whole("T", 60), _frozen(net, name)
    series, rows, good = [], [], True
    for text in ask.sections:
        try:
            value = float(text)
        except ValueError:
            raise InputError(f"{text!r}: a number was expected") from None
        point = given(ask, net)
        drawn = setting(net, steps, **point).params
        fixed = {**drawn, wanted: np.full_like(drawn[wanted], value)}
        made = setting(net, steps, params=fixed, **point)
        whole, direct, factor, ok = _products(made, name, frozen, edge)
        good = good and ok
        series += [Series(f"all paths, bias {text}", range(steps), whole),
                   Series(f"direct, bias {text}", range(steps), direct)]  # fmt: skip
        rows.append([(text,), (f"{factor:.3f}",), (f"{direct[-1]:.1e}",), (f"{whole[-1]:.1e}",)])
    ask.evidence.also(good, f"{net.name}: the products over {steps - 1} steps, of all Jacobians "
                      "and along the direct path, are the derivatives by dual numbers through the "
                      "forward equations")  # fmt: skip
    state = net.states[name]
    yield lines(series, x="steps", y="norm of the product", log=True, notation=ask.notation,
                names=ask.names, caption=("Products of Jacobians of ", Styled(net.name, "code"),
                ": along the direct path of ", state, " alone, and along all paths"))  # fmt: skip
    header: list[Any] = [("value of ", net.parameters[wanted]), ("mean of the direct factor",),
                         (f"direct path, {steps - 1} steps",), ("all paths",)]  # fmt: skip
    yield Table(header, rows, "rrrr")


def _products(
    made: Any, name: str, frozen: Any, edge: Any
) -> tuple[list[float], list[float], float, bool]:
    """Norms of products over 0, 1, … steps, of all Jacobians (the median) and of the direct ones;
    the mean of a direct factor; whether the longest products are what dual numbers give."""
    from rnnsym.evaluate.arithmetic import NumpyArithmetic
    from rnnsym.evaluate.point import Point
    from rnnsym.evaluate.trajectory import Trajectory, Truth
    from rnnsym.flow.jacobians import evaluated, jacobians
    from rnnsym.flow.recurrent import recurrence_of

    net, ar, r = made.net, NumpyArithmetic(), recurrence_of(made.net, name)
    point, found = made.point(ar), jacobians(made, r)
    run, steps = Trajectory(net, point, ar), len(found.steps)
    kept = evaluated(edge, run, range(1, steps + 1))
    direct = [_product(kept[steps - d :], kept[0]) for d in range(steps)]
    sequences = {v: [run.value((v, i)) for i in range(1, steps + 1)] for v in frozen.inputs}
    sequences |= dict.fromkeys(frozen.targets, sequences[next(iter(frozen.inputs))])
    alone = Point(point.symbols, {}, sequences, {name: run.value((name, 0))})
    ends = Integer(steps), Integer(1)
    pairs = [
        (_product(found.matrices[1:], found.matrices[0]), Truth(net, point, ar), r.block.state),
        (direct[-1], Truth(frozen, alone, ar), frozen.states[name].at),
    ]
    ok = all(
        np.allclose(
            truth.derivative(Total(*map(state, ends))), m, rtol=1e-8, atol=1e-14 * _largest(m)
        )
        for m, truth, state in pairs
    )
    whole = [float(v) for v in np.exp(found.by_distance()[1])]
    factor = float(np.mean([np.diag(m).mean() for m in kept]))
    return whole, [float(np.linalg.norm(m, 2)) for m in direct], factor, ok


def _largest(matrix: Any) -> float:
    """The largest entry, in absolute value."""
    return float(np.abs(matrix).max())


def _product(matrices: Any, like: Any) -> Any:
    product = np.eye(len(like))
    for matrix in matrices:
        product = matrix @ product
    return product
