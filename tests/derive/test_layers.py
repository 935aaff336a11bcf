"""One layer of a stack: what is derived for it holds for every layer, and of any depth."""

from __future__ import annotations

import pytest

import rnnsym as rs
from rnnsym.derive.layers import alike
from rnnsym.errors import InputError
from rnnsym.latex import TextPrinter
from rnnsym.verify.steps import check


@pytest.mark.parametrize("cell", ["elman", "lstm", "gru"])
def test_the_layers_of_a_stack_are_alike(cell: str) -> None:
    net = rs.model(cell, layers=5)
    assert alike(net, net.calculus.adjoints, 2, 4)


def test_layers_that_are_not_alike_are_told_apart() -> None:
    """With dense connections a layer uses all of those below it: more and more."""
    for options in ({"dense": True}, {"residual": True}):
        net = rs.elman(layers=5, **options)
        assert not alike(net, net.calculus.adjoints, 2, 4)


@pytest.mark.parametrize("cell", ["elman", "lstm", "gru"])
def test_every_step_for_one_layer_is_true(cell: str) -> None:
    derivation = rs.model(cell, layers="l").calculus.layer("_lthis")
    assert all(c.ok for c in check(derivation)) and len(derivation.sections) == 4


def test_the_layer_index_is_a_symbol_in_print() -> None:
    net = rs.elman(layers="l")
    printer = TextPrinter("post", net.notations["post"])
    rows = [f"{printer(s.before)} = {printer(s.after)}" for s in net.calculus.layer("_lthis")]
    assert "δ_a^[l]⟨t⟩ = W_aa^[l]ᵀ δ_z^[l]⟨t+1⟩ + W_ax^[l+1]ᵀ δ_z^[l+1]⟨t⟩" in rows
    assert "∇_W_ax^[l] L = Σ_{k=1..T} δ_z^[l]⟨k⟩ a^[l-1]⟨k⟩ᵀ" in rows


def test_a_layer_that_is_not_there_is_refused() -> None:
    with pytest.raises(InputError, match="no states whose names end in '_l9'"):
        rs.elman(layers=3).calculus.layer("_l9")


@pytest.mark.parametrize(
    "spec", ["elman:masked", "lstm:masked,bidirectional", "gru:masked,type=many-to-one"]
)
def test_a_padded_step_adds_nothing(spec: str) -> None:
    derivation = rs.model(spec).padded()
    assert derivation.steps and all(c.ok for c in derivation.check())
    for step in derivation:
        assert str(step.after).startswith(("I", "0", "Blocks"))


def test_without_the_mask_a_step_does_add() -> None:
    """The same steps, with the mask left as it is, are refuted: the check looks at the mask."""
    from rnnsym.verify.steps import Checker

    derivation = rs.elman(masked=True).padded()
    checker = Checker(derivation.network)
    assert not any(checker.check(step).ok for step in derivation)


def test_padding_needs_a_mask() -> None:
    with pytest.raises(InputError, match="'m' is no input"):
        rs.elman().padded()


@pytest.mark.parametrize("cell", ["elman", "lstm", "gru"])
@pytest.mark.parametrize("kind", ["many-to-many", "many-to-one"])
def test_a_padded_sequence_has_the_gradient_of_the_sequence(cell: str, kind: str) -> None:
    """Exactly, in the field: three padded steps after four, with whatever numbers in them."""
    from dataclasses import replace

    from rnnsym.evaluate.field import FieldArithmetic
    from rnnsym.evaluate.point import field_point
    from rnnsym.evaluate.trajectory import Truth
    from rnnsym.nodes import Gradient
    from rnnsym.sizes import choose_sizes

    net, ar = rs.model(cell, masked=True, type=kind, bidirectional=True), FieldArithmetic(0)
    long = field_point(net, ar, choose_sizes(net, 7), 0)
    mask = [ar.full(1, 1, int(step < 4)) for step in range(7)]
    long = replace(long, sequences={**long.sequences, "m": mask})
    kept = {n: v[:4] if len(v) > 1 else v for n, v in long.sequences.items()}
    short = replace(long, symbols=choose_sizes(net, 4), sequences=kept)
    assert {str(k): v for k, v in short.symbols.items() if str(k) != "T"} == {
        str(k): v for k, v in long.symbols.items() if str(k) != "T"
    }
    for w in net.parameters.values():
        a, b = (
            Truth(net, point, ar).derivative(Gradient(net.total_loss, w)) for point in (long, short)
        )
        assert a == b, w.name


@pytest.mark.parametrize(
    ("spec", "weights"),
    [
        ("elman:layers=3,bidirectional", ["W_aa_fwd_l1", "W_ax_bwd_l1", "W_ya"]),
        ("elman:layers=4,dense,shortcut=2", ["W_aa_l1", "W_aa_lag2_l1"]),
        ("elman:layers=3,bidirectional,type=encoder-decoder", ["W_aa_enc_fwd_l1"]),
    ],
)
def test_of_many_blocks_each_use_is_one_term(spec: str, weights: list[str]) -> None:
    """Where sums inside of sums would be too many, the derivation does not grow with them."""
    net = rs.model(spec)
    for weight in weights:
        derivation = net.derive(weight)
        assert all(c.ok for c in derivation.check()), weight
        assert all(c.ok for c in derivation.at(2).check()), weight
        if weight != "W_ya":
            assert "Sum over the uses" in derivation.sections
