"""Whatever is put together is derived right, and its code computes what was derived.

100 networks are drawn: cell, layers, directions, type, shortcut, residual and dense connections,
activation, output, loss, truncation, masks, sizes and lengths. For each, all derived gradients are
an identity in the field of 2^61 - 1 elements (in a random direction of all parameters), and the
generated code agrees with a numerical backward pass over the forward equations. A combination that
makes no sense is refused with a reason.

RNNSYM_COMPOSITIONS sets how many are drawn: 10000 in the nightly run.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

import rnnsym as rs
from rnnsym.errors import InputError
from rnnsym.evaluate.arithmetic import MpmathArithmetic
from rnnsym.evaluate.trajectory import Truth
from rnnsym.nodes import Gradient
from rnnsym.verify.backpropagation import tape_gradients
from rnnsym.verify.case import TOLERANCE, Case, make_case
from rnnsym.verify.exact import derived_system, together

COUNT = int(os.environ.get("RNNSYM_COMPOSITIONS", "100"))

#: what a network may be made of; the first of each is drawn more often than chance has it
CHOICES: dict[str, st.SearchStrategy[Any]] = {
    "layers": st.sampled_from([1, 1, 1, 2, 2, 3, 4]),
    "bidirectional": st.booleans(),
    "type": st.sampled_from(["many-to-many", "many-to-one", "one-to-many", "encoder-decoder"]),
    "feedback": st.sampled_from(["by type", "by type", "prediction", "target"]),
    "shortcut": st.sampled_from(["no", "no", 2, 3]),
    "residual": st.booleans(),
    "dense": st.booleans(),
    "activation": st.sampled_from(["tanh", "sigmoid", "softplus", "identity", "relu"]),
    "output": st.sampled_from(["softmax", "sigmoid", "identity"]),
    "loss": st.sampled_from(["by output", "squared_error", "cross_entropy"]),
    "truncate": st.sampled_from(["no", "no", 1, 2, 3, 5]),
    "masked": st.sampled_from([False, False, True]),
    "compact": st.sampled_from([False, False, False, True]),
}


def refused(options: dict[str, Any]) -> bool:
    """Whether a combination makes no sense."""
    generated = options["type"] in ("one-to-many", "encoder-decoder")
    return (
        (options["layers"] == 1 and (options["residual"] or options["dense"]))
        or (options["type"] == "one-to-many" and (options["bidirectional"] or options["masked"]))
        or (options["feedback"] != "by type" and not generated)
        or (options["output"] == "identity" and options["loss"] == "cross_entropy")
    )


def mended(options: dict[str, Any]) -> dict[str, Any]:
    """The same without what makes no sense."""
    found = dict(options)
    if found["layers"] == 1:
        found |= {"residual": False, "dense": False}
    if found["type"] == "one-to-many":
        found |= {"bidirectional": False, "masked": False}
    if found["type"] not in ("one-to-many", "encoder-decoder"):
        found["feedback"] = "by type"
    if found["output"] == "identity":
        found["loss"] = "by output"
    return found


@st.composite
def compositions(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    cell = draw(st.sampled_from(["elman", "gru", "lstm"]))
    options = mended({key: draw(values) for key, values in CHOICES.items()})
    if cell == "gru":
        options["reset"] = draw(st.sampled_from(["before", "after"]))
    return cell, options


@settings(
    max_examples=COUNT,
    deadline=None,
    derandomize=True,
    # a failure says what was drawn; to make it smaller first takes many minutes
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(
    composition=compositions(),
    steps=st.integers(1, 6),
    other=st.integers(1, 4),
    sizes=st.lists(st.integers(1, 4), min_size=24, max_size=24),
    seed=st.integers(0, 2**16),
)
@pytest.mark.slow
def test_every_composition(
    composition: tuple[str, dict[str, Any]], steps: int, other: int, sizes: list[int], seed: int
) -> None:
    cell, options = composition
    event(options["type"])
    net = rs.model(cell, **said(options))
    lengths = dict(zip(net.lengths, (steps, other), strict=False))
    chosen = dict(zip(net.sizes, sizes, strict=False))
    case = make_case(net, lengths, chosen, seed, net.gradients())
    assert together(net, case.symbols, derived_system(net), seed)
    loss, gradients, _ = tape_gradients(case)
    assert case.loss is not None and not case.faults
    found = {**case.gradients, "the loss": np.array(case.loss)}
    right = {**gradients, "the loss": np.array(loss)}
    # one scale for all: some gradients of a truncated or saturated network are zero to rounding
    scale = max(float(np.max(np.abs(g), initial=0.0)) for g in gradients.values()) or 1.0
    apart = [n for n in right if not close(found[n], right[n], scale if n in gradients else loss)]
    for name in apart:  # is it ours that is wrong, or are the numbers ill-conditioned?
        truth = exactly(case, name)
        ours, other = (np.max(np.abs(v - truth)) for v in (found[name], right[name]))
        assert ours <= 10 * other, f"{name}: off by {ours:.1e}, the reference by {other:.1e}"


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    cell=st.sampled_from(["elman", "gru", "lstm"]),
    options=st.fixed_dictionaries(CHOICES).filter(refused),
)
def test_what_makes_no_sense_is_refused_with_a_reason(cell: str, options: dict[str, Any]) -> None:
    with pytest.raises(InputError) as error:
        rs.model(cell, **said(options))
    assert len(str(error.value)) > 40


def said(options: dict[str, Any]) -> dict[str, Any]:
    """The options that are not left to be chosen."""
    return {k: v for k, v in options.items() if v not in ("by type", "by output")}


def close(a: Any, b: Any, scale: float) -> bool:
    return bool(np.max(np.abs(a - b), initial=0.0) <= TOLERANCE * abs(scale))


def exactly(case: Case, name: str) -> Any:
    """A gradient, or the loss, to fifty digits, by the forward equations alone."""
    net, ar = case.net, MpmathArithmetic()
    truth = Truth(net, case.point(ar), ar)
    if name not in net.parameters:
        return float(truth.plain.total_loss()[0, 0])
    gradient = truth.derivative(Gradient(net.total_loss, net.parameters[name]))
    return np.array(gradient, dtype=float).reshape(np.shape(case.gradients[name]))
