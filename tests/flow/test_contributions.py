"""Every term of the double sum is what one use adds to one loss, exactly, in every network."""

from __future__ import annotations

from typing import Any
from unicodedata import normalize

import pytest

import rnnsym as rs
from rnnsym.errors import InputError, NotSupportedError
from rnnsym.evaluate.arithmetic import NumpyArithmetic
from rnnsym.evaluate.field import FieldArithmetic
from rnnsym.evaluate.point import field_point
from rnnsym.evaluate.trajectory import Trajectory, Truth
from rnnsym.flow.contributions import Use, contributions, gated
from rnnsym.flow.family import Family, FamilyArithmetic
from rnnsym.flow.recurrent import default_parameter, subject_of
from rnnsym.flow.symbolic import symbolic_term
from rnnsym.latex import TextPrinter
from rnnsym.network import Network
from rnnsym.nodes import Gradient
from rnnsym.sizes import choose_sizes
from rnnsym.verify.adjoints import Adjoints, derived_system
from tests.flow.nets import SHARED, every_network, numbers, true_terms

NETWORKS = every_network()
STEPS = 3


def setup(net: Network, seed: int = 1) -> tuple[Any, Any]:
    ar = FieldArithmetic(seed)
    return ar, field_point(net, ar, choose_sizes(net, STEPS), seed)


@pytest.mark.parametrize("name", NETWORKS)
def test_terms_are_the_derivatives_by_a_parameter_of_each_step(name: str) -> None:
    net = NETWORKS[name]
    ar, point = setup(net)
    chosen = {*list(net.parameters)[:2], list(net.parameters)[-1]}
    for wrt in chosen:
        found = contributions(net, wrt, point, ar)
        for use in found.uses:
            for t, entries in true_terms(net, point, 1, wrt, use).items():
                term = found.terms.get((t, use))
                assert entries == (numbers(term) if term is not None else [0] * len(entries))


@pytest.mark.parametrize("name", NETWORKS)
def test_terms_add_up_to_the_gradient_exactly(name: str) -> None:
    net = NETWORKS[name]
    ar, point = setup(net)
    derived = Adjoints(derived_system(net), Trajectory(net, point, ar))
    for wrt in net.parameters:
        found = contributions(net, wrt, point, ar)
        assert numbers(found.total()) == numbers(derived.gradient(wrt))
        assert set(found.terms) <= set(found.distances)


@pytest.mark.parametrize("name", ["elman", "lstm", "elman:truncate=2", "shared"])
def test_terms_add_up_to_what_dual_numbers_say(name: str) -> None:
    net = NETWORKS[name]
    ar, point = setup(net, 7)
    wrt = default_parameter(net)
    truth = Truth(net, point, ar).derivative(Gradient(net.total_loss, net.parameters[wrt]))
    assert numbers(contributions(net, wrt, point, ar).total()) == numbers(truth)


@pytest.mark.parametrize("name", NETWORKS)
def test_formulas_of_terms_have_the_values_of_the_terms(name: str) -> None:
    net = NETWORKS[name]
    ar, point = setup(net)
    evaluate = Truth(net, point, ar).evaluator()
    lengths = {s: point.symbols[s] for s in net.lengths.values()}
    for wrt in list(net.parameters)[:3]:
        found, subject = contributions(net, wrt, point, ar), subject_of(net, wrt)
        for t in found.losses:
            for use in found.uses:
                try:
                    row = evaluate(symbolic_term(subject, t, use, lengths))
                except NotSupportedError as error:
                    assert "sums inside of sums" in str(error)
                    continue
                term = found.terms.get((t, use))
                if term is None:
                    assert not any(numbers(row))
                else:  # a row over vec(W), column by column
                    assert numbers(row) == numbers(term.transpose())


def test_a_formula_is_the_summand_of_the_derived_sum() -> None:
    found = symbolic_term(subject_of(rs.elman(), "W_aa"), 4, Use("T", 2), {})
    assert normalize("NFC", TextPrinter()(found)) == (
        "∂L⟨4⟩/∂ŷ⟨4⟩ · ∂ŷ⟨4⟩/∂a⟨4⟩ · ∂a⟨4⟩/∂a⟨3⟩ · ∂a⟨3⟩/∂a⟨2⟩ · ∂⁺a⟨2⟩/∂W_aa"
    )


# ---- which pairs there are -----------------------------------------------------------------


def pairs(net: Network, wrt: str, steps: int = STEPS) -> Any:
    ar = NumpyArithmetic()
    made = rs.flow(net, wrt, steps, sizes=dict.fromkeys(net.sizes, 2)).setting
    return contributions(net, wrt, made.point(ar), ar)


def test_a_forward_network_has_the_pairs_with_k_up_to_t() -> None:
    found = pairs(rs.elman(), "W_aa", 5)
    assert {(t, u.time) for t, u in found.terms} == {
        (t, k) for t in range(1, 6) for k in range(1, t + 1)
    }
    assert all(d == t - u.time for (t, u), d in found.distances.items())


def test_a_backward_state_has_the_pairs_with_k_from_t_on() -> None:
    found = pairs(rs.elman(bidirectional="yes"), "W_aa_bwd", 4)
    assert {(t, u.time) for t, u in found.terms} == {
        (t, k) for t in range(1, 5) for k in range(t, 5)
    }
    assert all(d == u.time - t for (t, u), d in found.distances.items())


def test_a_second_layer_over_both_directions_has_all_pairs() -> None:
    found = pairs(rs.elman(layers=2, bidirectional="yes"), "W_aa_fwd_l1", 4)
    assert len(found.terms) == 16
    assert all(d == abs(t - u.time) for (t, u), d in found.distances.items())


def test_a_decoder_is_the_further_away_the_earlier_the_encoder() -> None:
    found = pairs(rs.model("elman:type=encoder-decoder"), "W_aa_enc")
    assert {u.sequence for u in found.uses} == {"T_x"}
    assert all(d == STEPS - u.time + t for (t, u), d in found.distances.items())


def test_one_loss_at_the_end_has_one_row_of_terms() -> None:
    found = pairs(rs.model("elman:type=many-to-one,bidirectional"), "W_aa_bwd", 4)
    assert found.losses == (4,)
    assert {u.time: d for (_, u), d in found.distances.items()} == {1: 0, 2: 1, 3: 2, 4: 3}


def test_what_is_cut_off_by_truncation_is_no_term() -> None:
    found = pairs(rs.elman(truncate=2), "W_aa", 4)
    assert {(t, u.time) for t, u in found.terms} == {(1, 1), (2, 1), (2, 2), (3, 3), (4, 3), (4, 4)}
    assert (3, Use("T", 2)) in found.distances


def test_a_shared_weight_has_uses_in_both_sequences() -> None:
    found = pairs(SHARED, "W")
    assert found.uses == (
        *(Use("T_x", k) for k in range(1, STEPS + 1)), *(Use("T_y", k) for k in range(STEPS + 1))
    )  # fmt: skip
    assert [str(u) for u in found.uses][:2] == ["1", "2"]


# ---- families ------------------------------------------------------------------------------


def test_the_gate_has_a_name_that_is_free() -> None:
    net = Network("a[t] = tanh(m_loss @ a[t-1] + U @ x[t])", "y_hat[t] = softmax(Q @ a[t])")
    assert gated(net)[1] == "m_loss_"


def test_an_unknown_parameter_is_named() -> None:
    ar, point = setup(rs.elman())
    with pytest.raises(InputError, match="unknown parameter 'W': elman has W_aa, W_ax"):
        contributions(rs.elman(), "W", point, ar)


def test_losses_that_depend_on_each_other_are_refused() -> None:
    net = Network(
        "a[t] = tanh(W @ a[t-1] + U @ x[t])", "y_hat[t] = Q @ a[t]",
        loss="L[t] = (y[t] - y_hat[t]).T @ (y[t] - y_hat[t]) + L[t-1] * L[t-1]",
    )  # fmt: skip
    ar, point = setup(net)
    with pytest.raises(NotSupportedError, match="depend"):
        contributions(net, "W", point, ar)


def test_a_family_is_linear_and_nothing_else() -> None:
    ar = FamilyArithmetic(NumpyArithmetic())
    a, b = ar.array([[1.0, 2.0]]), ar.array([[3.0], [4.0]])
    f = Family((2, 1), {1: b, 3: 2 * b})
    assert ar.matmul(a, f).members[3][0, 0] == 22 and ar.matmul(a, f).shape == (1, 1)
    assert ar.transpose(f).shape == (1, 2)
    assert ar.add(f, ar.full(2, 1, 0)).members.keys() == {1, 3}
    assert ar.add(f, Family((2, 1), {1: b, 2: b})).members[1][1, 0] == 8
    both = ar.blocks([[f], [ar.full(2, 1, 0)]])
    assert both.shape == (4, 1) and both.members[1][3, 0] == 0
    with pytest.raises(NotSupportedError, match="belongs to no loss"):
        ar.add(f, b)
    with pytest.raises(NotSupportedError, match="depends on that of another"):
        ar.hadamard(f, f)
    with pytest.raises(NotSupportedError, match="tanh of a loss"):
        ar.apply("tanh", 0, f)
