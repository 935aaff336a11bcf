"""What a source can ask for about networks: their equations, and tables of what is in them.

Registered beside `requests`.

    equations                the equations as given, with the steps at which they hold
    types                    inputs and outputs of each type of the cell, as a table
    shapes                   the parameters with their shapes, counted
    vectors                  the vectors with their sizes and steps
    examples                 several sequences: how they are told apart, and that gradients add up
    compact equations        the compact form, its equality checked but not shown
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sympy import Expr, S, Symbol

from rnnsym.documents.content import Block, Display, Named, Paragraph, Prose, Row, Table
from rnnsym.documents.literate.requests import Ask, request
from rnnsym.network import Network
from rnnsym.nodes import Gradient, TimeSum, length, t
from rnnsym.simplify import rebuild

# ---- equations ---------------------------------------------------------------------------


@request("equations", "equations [model=NAME]")
def equations(ask: Ask) -> Iterator[Block]:
    """The equations as they were given, without names for pre-activations; steps; given values."""
    net = ask.net
    rows = [Row(e.lhs, "=", rebuild(e.rhs, lambda _: None)) for e in net.source]
    if net.total_loss != net.objective:
        rows.append(Row(net.total_loss, "=", net.objective))
    yield Display(rows)
    yield Paragraph((*_steps(net), *_given(net)))


def _steps(net: Network) -> Prose:
    """At which steps the equations hold."""
    ranges: dict[Expr, list[Any]] = {}
    for e in net.source:
        span = net.spans[e.lhs.name]
        if e.lhs.time == t:
            ranges.setdefault(span.last, []).append(e.lhs)
    text: list[Any] = []
    for last, vectors in ranges.items():
        text += [f"{'; ' if text else 'For '}t = 1, …, ", last]
        if len(ranges) > 1:
            text += [" in the equations of ", *_listed(vectors)]
    return tuple(text)


def _given(net: Network) -> Prose:
    """The initial values that are data, and what lies before them."""
    states = [v.at(net.start(name)) for name, v in net.initial_states.items()]
    text: list[Any] = []
    if states:
        text += [", with ", *_listed(states), " given"]
    if any(max(map(abs, net.lag_range(name))) > 1 for name in net.states):
        text.append("; what lies before is zero")
    return (*text, ".")


def _listed(parts: list[Any]) -> Prose:
    text: list[Any] = []
    for i, part in enumerate(parts):
        text += [" and " if i and i == len(parts) - 1 else ", " if i else "", part]
    return tuple(text)


@request("compact equations", "compact equations [model=NAME]")
def compact_equations(ask: Ask) -> Iterator[Block]:
    """The network with one weight for each sum of products; that it is the same is checked."""
    from rnnsym.derive.compact import compact

    yield Display([Row(lhs, "=", rhs) for lhs, rhs in compact(ask.net) if lhs != ask.net.loss])
    checks = ask.net.block_identity().check()
    good = sum(c.ok for c in checks)
    ask.evidence.also(
        good == len(checks),
        f"{good} of {len(checks)} identities that join the compact form of {ask.net.name} to its "
        "own, for the products and for the gradients, hold in the exact test",
    )


# ---- tables ------------------------------------------------------------------------------


def _steps_of(net: Network, name: str) -> Prose:
    """1, …, T, or the only step."""
    span = net.spans[name]
    return (span.first,) if span.single else ("1, …, ", span.last)


@request("types", "types [model=NAME]")
def types(ask: Ask) -> Iterator[Block]:
    """Each type of network made of the cell of the model: at which steps it has what."""
    from rnnsym.api import model
    from rnnsym.models import parse
    from rnnsym.topology import TYPES

    rows: list[list[Prose]] = []
    for kind in TYPES:
        net = model(parse(ask.net.name)[0], type=kind, notation=ask.notation)
        names = net.notations.get(ask.notation)

        def own(e: Any, names: Mapping[str, str] | None = names) -> Named:
            return Named(e, names)

        starts = [own(v.at(net.start(n))) for n, v in net.initial_states.items()]
        starts += [own(e.lhs) for e in net.initial.values()]
        x, y = net.vectors["x"], net.vectors[net.output]
        rows.append(
            [
                (kind,),
                (own(x), ", " if not net.spans["x"].single else "", *_range(net, "x")),
                (
                    own(y),
                    ", " if not net.spans[net.output].single else "",
                    *_range(net, net.output),
                ),
                _listed(starts),
                (own(net.objective),),
            ]
        )
    yield Table([("type",), ("input",), ("prediction",), ("begins with",), ("loss",)], rows)


def _range(net: Network, name: str) -> Prose:
    return () if net.spans[name].single else ("t = ", *_steps_of(net, name))


@request("shapes", "shapes [model=NAME]")
def shapes(ask: Ask) -> Iterator[Block]:
    """The parameters, their shapes and how many entries they have."""
    rows: list[list[Prose]] = [
        [(w,), (w.rows, " × ", w.cols), (w.rows * w.cols,)] for w in ask.net.parameters.values()
    ]
    rows.append(
        [("all",), (), (sum((w.rows * w.cols for w in ask.net.parameters.values()), S.Zero),)]
    )
    yield Table([("parameter",), ("rows × columns",), ("entries",)], rows)


@request("vectors", "vectors [model=NAME]")
def vectors(ask: Ask) -> Iterator[Block]:
    """What has a value at each step: what it is, its size and its steps."""
    net = ask.net
    hidden = {*net.named_by_us}
    kinds = dict.fromkeys(net.inputs, "input") | dict.fromkeys(net.targets, "target")
    kinds |= {n: "state" if n in net.carried else "" for n in net.equations if n not in hidden}
    kinds[net.output], kinds[net.loss.name] = "prediction", "loss"
    rows: list[list[Prose]] = [
        [(net.vectors[n],), (kind,), (net.vectors[n].rows,), _steps_of(net, n)]
        for n, kind in kinds.items()
    ]
    yield Table([("vector",), ("",), ("entries",), ("at the steps",)], rows)


# ---- several sequences -------------------------------------------------------------------

EXAMPLES = (1, 2)


@request("examples", "examples [model=NAME]")
def examples(ask: Ask) -> Iterator[Block]:
    """Two examples of a training set, each with its lengths; their losses and gradients add up."""
    net = ask.net
    own = dict(ask.names or {})

    def of(e: Any, i: int) -> Named:
        marked = {n: f"{own.get(n, n)}_lag{i}" for n in (*net.vectors, net.loss.name)}
        return Named(e, {**own, **marked})

    def last(i: int) -> Symbol:
        return length(f"T_y_lag{i}")

    x = net.vectors[next(iter(net.inputs))]
    text: list[Any] = ["The examples ", of(x, 1), " and ", of(x, 2), " have the lengths "]
    text += [length("T_x_lag1"), " and ", length("T_x_lag2"), "; their predictions "]
    text += [of(net.vectors[net.output], 1), " and ", of(net.vectors[net.output], 2)]
    yield Paragraph((*text, " have the lengths ", last(1), " and ", last(2), "."))
    loss, w = net.total_loss, next(iter(net.parameters.values()))
    yield Display(
        [Row(of(loss, i), "=", of(TimeSum(net.loss, (t, S.One, last(i))), i)) for i in EXAMPLES]
    )
    gradients = [of(Gradient(loss, w), i) for i in EXAMPLES]
    yield Paragraph(
        ("The loss ", loss, " is the sum of ", *_listed([of(loss, i) for i in EXAMPLES]),
         ", and the gradient ", Gradient(loss, w), " that of ", *_listed(gradients), ".")
    )  # fmt: skip
    ask.evidence.also(
        _adds_up(net),
        f"The gradients of {net.name} for a batch of three random sequences are the sums of those "
        "of the sequences one by one, to twelve places",
    )


def _adds_up(net: Any) -> bool:
    """Whether generated code has the gradient of a batch as the sum over its sequences."""
    import numpy as np

    from rnnsym.sizes import choose_sizes

    rng, sizes = np.random.default_rng(0), choose_sizes(net, 5)

    def array(*shape: Any) -> Any:
        return rng.standard_normal([int(S(n).xreplace(sizes)) for n in shape if n != 1])

    params = {name: array(*w.shape) for name, w in net.parameters.items()}
    x = array(5, 3, net.vectors["x"].rows)
    y = rng.dirichlet(np.ones(array(net.vectors["y"].rows).size), (5, 3))
    f = net.gradients()
    _, whole = f(params, x, y)
    each = [f(params, x[:, b], y[:, b])[1] for b in range(3)]
    return all(
        np.allclose(whole[n], sum(g[n] for g in each), rtol=1e-12, atol=1e-12) for n in params
    )
