"""Values at one time, several lengths, computed initial values: the emitted gradients."""

from __future__ import annotations

import ast
import re
from typing import Any

import numpy as np
import pytest

import rnnsym as rs
from rnnsym.emit import function, source
from rnnsym.errors import InputError, NotSupportedError
from rnnsym.network import Network
from tests.emit.nets import TANH, TIMED, Example, difference, lengths

#: a gradient below it is zero but for rounding
ZERO = 1e-14

MODELS = (
    "elman:type=many-to-one",
    "lstm:type=many-to-one,bidirectional,layers=2",
    "gru:type=many-to-one,layers=3,residual,dense",
    "elman:type=many-to-one,masked,shortcut=2",
    "lstm:type=many-to-one,masked,bidirectional",
    "gru:type=one-to-many",
    "elman:type=one-to-many,layers=2,residual",
    "lstm:type=one-to-many,feedback=target,layers=2",
    "elman:type=encoder-decoder",
    "elman:type=encoder-decoder,compact",
    "lstm:type=encoder-decoder,bidirectional,layers=2",
    "gru:type=encoder-decoder,feedback=prediction,output=identity,loss=squared_error",
    "gru:type=encoder-decoder,masked",
    "elman:masked,bidirectional",
    "gru:masked,layers=2",
    "gru:type=one-to-many,reset=after,layers=3,dense,compact",
    "elman:truncate=1",
    "elman:truncate=2,bidirectional",
    "lstm:truncate=3,layers=2,shortcut=2",
    "gru:truncate=2,type=many-to-one,bidirectional,layers=2",
    "elman:truncate=2,type=one-to-many",
    "gru:truncate=2,type=encoder-decoder,bidirectional",
    "mlp",
    "mlp:steps=1",
    "conv",
    "conv:kernel=2,layers=2",
    "attention",
)


def alike(found: dict[str, Any], expected: dict[str, Any], tolerance: float = 1e-12) -> None:
    """Whether gradients agree; those that vanish, to rounding."""
    for w, truth in expected.items():
        assert np.shape(found[w]) == np.shape(truth), w
        if np.abs(truth).max() > ZERO or np.abs(found[w]).max() > ZERO:
            assert difference(found[w], truth) < tolerance, w


def conditioned(loss: Any, expected: float, params: Any, gradients: Any) -> float:
    """The difference of two losses, relative to what a relative change of the parameters makes:
    the summands of a loss can cancel, and rounding is relative to them."""
    scale = sum(float(np.sum(np.abs(params[w] * g))) for w, g in gradients.items())
    return float(abs(np.sum(loss) - expected)) / max(abs(expected), scale)


@pytest.mark.parametrize("steps", [1, 2, 3, 5])
@pytest.mark.parametrize("name", TIMED)
def test_against_dual_numbers(name: str, steps: int) -> None:
    net = TIMED[name]()
    f = function(net)
    for chosen in lengths(net, steps):
        example = Example(net, chosen)
        loss, found = f(*example.arguments)
        expected_loss, expected = example.truth()
        assert conditioned(loss, expected_loss, example.params, expected) < 1e-12
        alike(found, expected)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("name", TIMED)
def test_a_batch_is_the_sum_of_its_members(name: str, batch: int) -> None:
    net = TIMED[name]()
    f = function(net)
    for chosen in lengths(net, 3):
        example = Example(net, chosen, batch)
        loss, found = f(*example.arguments)
        members = [f(*example.member(b)) for b in range(batch)]
        assert difference(loss, sum(member[0] for member in members)) < 1e-12
        alike(found, {w: sum(member[1][w] for member in members) for w in found})


@pytest.mark.parametrize("batch", [None, 2])
@pytest.mark.parametrize("name", TIMED)
def test_single_precision(name: str, batch: int | None) -> None:
    net = TIMED[name]()
    example = Example(net, lengths(net, 5)[0], batch)
    f = function(net)
    loss, found = f(*example.arguments)

    def single(given: Any) -> Any:
        if isinstance(given, dict):
            return {key: single(value) for key, value in given.items()}
        return None if given is None else np.asarray(given, np.float32)

    same, other = f(*map(single, example.arguments))
    assert same == pytest.approx(loss, rel=1e-4)
    for w in found:
        assert other[w].dtype == np.float32
        assert np.abs(other[w] - found[w]).max() < 1e-3 * max(1, np.abs(found[w]).max()), w


def chosen_steps(net: Network, steps: int) -> Any:
    """One length, or two that differ; a network of a fixed length has none."""
    if "T_y" in net.lengths:
        return {"T_x": steps, "T_y": 5 - steps if steps < 5 else 3}
    return steps


@pytest.mark.torch
@pytest.mark.parametrize("steps", [1, 2, 3, 5])
@pytest.mark.parametrize("spec", MODELS)
def test_models_against_every_kind_of_evidence(spec: str, steps: int) -> None:
    pytest.importorskip("torch")
    net = rs.model(spec)
    against = ["bptt", "complex_step", "torch"] + (["exact"] if steps == 3 else [])
    report = rs.verify(net, steps=chosen_steps(net, steps), against=against)
    assert report.ok, report


@pytest.mark.parametrize("spec", ["lstm:type=many-to-one", "gru:type=encoder-decoder,masked"])
def test_models_with_a_batch(spec: str) -> None:
    net = rs.model(spec)
    example = Example(net, chosen_steps(net, 3), batch=4)
    f = function(net)
    loss, found = f(*example.arguments)
    members = [f(*example.member(b)) for b in range(4)]
    assert difference(loss, sum(member[0] for member in members)) < 1e-12
    alike(found, {w: sum(member[1][w] for member in members) for w in found})


@pytest.mark.parametrize(
    ("spec", "steps"),
    [
        ("elman:type=many-to-one", 1000),
        ("elman:type=encoder-decoder", {"T_x": 1000, "T_y": 700}),
        ("elman:truncate=20", 1000),
    ],
)
def test_a_thousand_steps(spec: str, steps: Any) -> None:
    report = rs.verify(rs.model(spec), steps=steps, against=["bptt"])
    errors = [kinds["bptt"].error for kinds in report.gradients.values()]
    assert max(e for e in errors if e is not None) < 1e-10
    assert report.loss["bptt"].error is not None
    assert report.loss["bptt"].error < 1e-11


# What is computed, and when.


def loops(net: Network) -> list[str]:
    """The loops over time of the source, as text."""
    tree = ast.parse(source(net))
    return [
        ast.unparse(n)
        for n in ast.walk(tree)
        if isinstance(n, ast.For) and "_steps" in ast.unparse(n.iter)
    ]


def test_many_to_one_computes_one_output() -> None:
    text = source(rs.model("elman:type=many-to-one"))
    assert "z_y_hat = a_T.dot(W_ya.T)" in text
    assert "a_T = a[-B:]" in text
    forward, backward = loops(rs.model("elman:type=many-to-one"))
    assert "W_ya" not in forward + backward
    # the product with the slope, and that with W_aa: what arrives at T is where it begins
    assert backward.count("\n") == 2


def test_a_decoder_begins_where_the_encoder_ended() -> None:
    net = rs.model("elman:type=encoder-decoder")
    text = source(net)
    assert "a_dec_all[:B] = a_enc[-B:]" in text
    assert "a_dec⟨0⟩ = a_enc⟨T_x⟩" in text
    assert "δ_a_dec⟨0⟩ = W_aa_decᵀ δ_z_a_dec⟨1⟩" in text
    assert [loop.count(".dot(") for loop in loops(net)] == [1, 1, 1, 1]


def test_a_context_is_multiplied_by_its_weight_once() -> None:
    text = source(TIMED["a bridge, and a context at each step"]())
    (line,) = re.findall(r".*\(c\.dot\(C_s\.T\).*", text)
    assert "np.tile" in line
    for loop in loops(TIMED["a context that multiplies"]()):
        assert loop.count(".dot(") == 1
        assert "np.tile" not in loop


def test_gates_of_a_truncated_lstm_are_still_one_product() -> None:
    for loop in loops(rs.model("lstm:truncate=3")):
        assert loop.count(".dot(") == 1


# Arguments.


def refused(message: str, spec: str, change: Any, batch: int | None = None) -> None:
    net = rs.model(spec)
    example = Example(net, chosen_steps(net, 3), batch)
    given = [example.params, example.x, example.y, example.initial]
    change(given)
    with pytest.raises(ValueError, match=message) as caught:
        function(net)(*given)
    assert "\n" not in str(caught.value)


def cut(place: int, name: str | None = None, what: Any = np.s_[:-1]) -> Any:
    """What makes an argument shorter."""

    def change(given: list[Any]) -> None:
        if name is None:
            given[place] = given[place][what]
        else:
            given[place] = {**given[place], name: given[place][name][what]}

    return change


def test_sequences_of_lengths_that_differ() -> None:
    spec = "gru:type=encoder-decoder,masked"
    refused(r"m has shape \(2, 1\), expected .* = \(3, 1\), as many steps as x", spec, cut(1, "m"))
    refused(r"y has shape \(1, 3\), .* = \(2, 3\), as many steps as m_y", spec, cut(2))
    refused(r"y .*expected \(1, n_y\) or \(1, B, n_y\) = \(1, 3\)", "elman:type=many-to-one",
            lambda given: given.__setitem__(2, np.tile(given[2], (2, 1))))  # fmt: skip
    refused(r"x has shape \(3, 2\), expected .* = \(4, 2\)", "mlp", cut(1))
    refused(r"x has shape \(0, 2\): expected a step", "elman:type=many-to-one",
            cut(1, what=np.s_[:0]))  # fmt: skip
    refused(r"y has shape \(0, 3\): expected a step", "elman:type=encoder-decoder",
            cut(2, what=np.s_[:0]))  # fmt: skip


def test_batches_that_differ() -> None:
    spec = "elman:type=encoder-decoder"
    refused(r"y has shape \(2, 2, 3\), .* = \(2, 4, 3\), a batch like that of x", spec,
            cut(2, what=np.s_[:, :2]), 4)  # fmt: skip
    refused(r"y has shape \(2, 3\), .* = \(2, 4, 3\), a batch like that of x", spec,
            cut(2, what=np.s_[:, 0]), 4)  # fmt: skip
    refused(r"x has shape \(3, 4, 2, 1\), expected", spec, cut(1, what=np.s_[..., None]), 4)
    refused(r"x has shape \(2,\), expected", spec, cut(1, what=np.s_[0]))


def test_initial_values_that_are_computed_are_not_given() -> None:
    net = rs.model("elman:type=encoder-decoder")
    example = Example(net, {"T_x": 3, "T_y": 2})
    with pytest.raises(ValueError, match=r"initial: \['a_dec'\], expected some of \('a_enc',\)"):
        function(net)(example.params, example.x, example.y, {"a_dec": np.zeros(2)})
    net = TIMED["a learned initial value"]()
    example = Example(net)
    with pytest.raises(ValueError, match="no states that are given"):
        function(net)(example.params, example.x, example.y, {"a": np.zeros(2)})


def test_sequences_too_short_for_the_steps_that_are_used() -> None:
    def run(name: str, steps: int) -> None:
        net = TIMED[name]()
        given = Example(net, 5)
        function(net)(given.params, given.x[:steps], given.y, given.initial)

    with pytest.raises(ValueError, match=r"x\[3\] is used: at least 3 steps are needed, not 2"):
        run("the first steps", 2)
    run("the first steps", 3)
    with pytest.raises(ValueError, match=r"x\[T-2\] is used: at least 3 steps are needed, not 2"):
        run("the last steps but one", 2)
    never = Network(TANH, "y_hat[T] = softmax(V @ a[T] + V_1 @ x[0])")
    with pytest.raises(InputError, match=r"x\[0\] is used, but x has no value at that time"):
        source(never)


def test_what_there_is_no_code_for() -> None:
    chunks = Network(
        "a[t] = tanh(W @ detach(a[t-1], K) + U @ x[t])", "y_hat[t] = softmax(V @ a[t])"
    )
    with pytest.raises(NotSupportedError, match="number of steps in a chunk as a number"):
        source(chunks)
    unseen = Network(TANH.replace("x[t]", "x[1]"), "y_hat[T] = softmax(V @ a[T])")
    with pytest.raises(NotSupportedError, match="no input or target has the length T"):
        source(unseen)
