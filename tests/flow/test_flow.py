"""Flow: the terms as an object, its numbers, its checks, and what is said of wrong input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rnnsym as rs
from rnnsym.documents.content import Table
from rnnsym.errors import InputError, NotSupportedError
from rnnsym.evaluate.arithmetic import NumpyArithmetic
from rnnsym.evaluate.trajectory import Trajectory
from rnnsym.flow.checks import TOLERANCE
from rnnsym.flow.contributions import Use
from rnnsym.flow.recurrent import default_parameter, recurrence_of
from rnnsym.flow.setting import largest_singular, setting, spectral_radius
from rnnsym.network import Network
from tests.flow.nets import MODELS, SHARED

SIZES = {"n_x": 2, "n_a": 3, "n_y": 2}


class Perturbed(Trajectory):
    """A trajectory in which W_aa is another matrix at one step."""

    step = 0
    other: Any = None

    def leaf(self, node: Any, time: int | None) -> Any:
        now = next((int(v) for s, v in self.evaluator.symbols.items() if s.name == "t"), None)
        if node.name == "W_aa" and time is None and now == self.step:
            return self.other
        return super().leaf(node, time)


def test_a_term_is_the_difference_quotient_by_the_parameter_of_one_step() -> None:
    flow = rs.elman().flow("W_aa", 5, sizes=SIZES, seed=3)
    ar, h = NumpyArithmetic(), 1e-5

    def losses(step: int, i: int, j: int, change: float) -> list[float]:
        run = Perturbed(flow.net, flow.setting.point(ar), ar)
        run.step, run.other = step, flow.setting.params["W_aa"].copy()
        run.other[i, j] += change
        return [float(run.value(("L", t))[0, 0]) for t in flow.losses]

    for step in range(1, 6):
        for i in range(3):
            for j in range(3):
                up, down = (np.array(losses(step, i, j, s * h)) for s in (1, -1))
                found = np.array([flow.term(t, step)[i, j] for t in flow.losses])
                np.testing.assert_allclose((up - down) / (2 * h), found, atol=1e-9)


@pytest.mark.parametrize("name", ["elman", "lstm", "gru"])
def test_the_sum_is_what_the_generated_code_returns(name: str) -> None:
    net = rs.model(name)
    run = net.gradients()
    for wrt in net.parameters:
        flow = rs.flow(net, wrt, 7, sizes=SIZES)
        loss, gradients = run(*flow.setting.arguments())
        assert flow.gradient.shape == gradients[wrt].shape
        np.testing.assert_allclose(flow.gradient, gradients[wrt], rtol=1e-11, atol=1e-14)
        assert loss == pytest.approx(flow.values.sum(), rel=1e-12)


@pytest.mark.parametrize("name", MODELS)
def test_every_topology_has_a_flow_whose_checks_hold(name: str) -> None:
    flow = rs.model(name).flow(steps=6)
    assert flow.ok and flow.checks[0].name == "the terms add up to the gradient"
    assert flow.wrt == default_parameter(flow.net)
    assert np.isfinite(flow.norms[flow.distances >= 0]).all()
    assert np.isnan(flow.norms[flow.distances < 0]).all()
    assert flow.text().count("✓") == len(flow.checks) and repr(flow) in repr([flow])


def test_a_wrong_term_is_noticed() -> None:
    flow = rs.elman().flow(steps=5)
    flow.terms[3, 1] *= 1 + 1e-3
    assert not flow.ok
    error = float(flow.checks[0].detail.split()[2].rstrip(","))
    assert error > TOLERANCE and "✗ fails" in flow.text()


def test_norms_are_those_of_frobenius_even_where_squares_underflow() -> None:
    flow = rs.elman().flow(steps=4, sizes=SIZES)
    for i in range(4):
        for j in range(i + 1):
            assert flow.norms[i, j] == pytest.approx(np.linalg.norm(flow.terms[i, j]))
    small = rs.elman().flow(steps=4, sizes=SIZES)
    small.terms[:] *= 1e-200
    np.testing.assert_allclose(small.norms, flow.norms * 1e-200, rtol=1e-12)
    none = rs.elman().flow(steps=4, sizes=SIZES)
    none.terms[:] = 0
    assert none.norms[3, 0] == 0 and none.rate is None


def test_norms_by_distance() -> None:
    flow = rs.elman().flow(steps=6, sizes=SIZES)
    decay = flow.by_distance()
    assert list(decay.distance) == [0, 1, 2, 3, 4, 5] and list(decay.number) == [6, 5, 4, 3, 2, 1]
    for d in range(6):
        diagonal = np.diagonal(flow.norms, -d)
        assert decay.largest[d] == diagonal.max() and decay.median[d] == np.median(diagonal)


def test_the_rate_of_a_geometric_decay_is_exact() -> None:
    net = Network("a[t] = w @ a[t-1] + u @ x[t]", "y_hat[t] = a[t]", loss="squared_error",
                  sizes={"a": 1, "x": 1, "y": 1})  # fmt: skip
    flow = rs.flow(net, "u", 8, params={"w": 0.5}, x=np.ones((8, 1)), y=np.zeros((8, 1)))
    row = flow.norms[7]
    np.testing.assert_allclose(row[1:] / row[:-1], 2.0, rtol=1e-12)
    assert flow.bound is not None and flow.bound.rate == 0.5
    assert flow.rate == pytest.approx(0.5, rel=0.2)


# ---- what may be given -----------------------------------------------------------------------


def test_given_arrays_are_used_and_say_the_sizes() -> None:
    rng = np.random.default_rng(0)
    given = {
        "params": {"W_aa": rng.standard_normal((4, 4)), "b_a": np.zeros(4)},
        "x": rng.standard_normal((6, 3)), "y": np.eye(2)[[0, 1, 1, 0, 1, 0]],
        "initial": {"a": np.ones(4)},
    }  # fmt: skip
    flow = rs.elman().flow(**given)
    assert flow.setting.sizes == {"n_x": 3, "n_a": 4, "n_y": 2} and flow.setting.lengths == {"T": 6}
    for name, value in given["params"].items():
        np.testing.assert_array_equal(flow.setting.params[name], value)
    assert flow.losses == tuple(range(1, 7)) and flow.terms.shape == (6, 6, 4, 4) and flow.ok


def test_two_seeds_are_two_points_and_one_seed_is_one() -> None:
    one, two, same = (rs.elman().flow(steps=3, seed=s).terms for s in (0, 1, 0))
    assert not np.array_equal(one, two) and np.array_equal(one, same)


def test_several_lengths_are_given_by_name() -> None:
    flow = rs.model("elman:type=encoder-decoder").flow(steps={"T_x": 5, "T_y": 3})
    assert flow.terms.shape[:2] == (3, 5) and {u.sequence for u in flow.uses} == {"T_x"}


@pytest.mark.parametrize("name", ["elman", "lstm", "gru"])
def test_recurrent_weights_are_scaled(name: str) -> None:
    net = rs.model(name)
    weights = recurrence_of(net).weights
    for key, measure in (("radius", spectral_radius), ("sigma", largest_singular)):
        made = setting(net, 3, **{key: 0.7})
        assert weights and all(
            measure(made.params[w]) == pytest.approx(0.7, rel=1e-12) for w in weights
        )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"wrt": "W"}, "unknown parameter 'W': elman has W_aa"),
        ({"steps": 0}, "steps must be a positive integer, not 0"),
        ({"steps": 2.5}, "steps must be a positive integer"),
        ({"sizes": {"n": 3}}, "unknown size 'n'"),
        ({"seed": -1}, "seed must be an integer from 0 on"),
        ({"params": [1]}, "params must be a dict of arrays by name, not list"),
        ({"params": {"V": [1]}}, "unknown parameter 'V'"),
        ({"params": {"W_aa": "no"}}, "W_aa: an array of numbers was expected"),
        ({"params": {"W_aa": [[1.0, 2.0]]}}, r"W_aa: shape \(1, 2\), should be"),
        ({"params": {"W_aa": [[np.nan]]}}, "W_aa: not all numbers are finite"),
        ({"params": {"W_aa": np.eye(3)}, "sizes": {"n_a": 4}}, "n_a = 4 does not fit"),
        ({"x": np.ones((3, 2, 2))}, r"x: shape \(3, 2, 2\), should be .* no batch"),
        ({"x": {"z": np.ones((3, 2))}}, "unknown name 'z' in x"),
        ({"x": np.ones((3, 2)), "steps": 4}, "4 steps, but the arrays have 3"),
        ({"x": np.ones((3, 2)), "y": np.ones((4, 2))}, r"y: shape \(4, 2\)"),
        ({"initial": {"h": [1.0]}}, "unknown initial state 'h': elman has a"),
        ({"radius": -1}, "a scale of weights is a number from 0 on, not -1"),
        ({"sigma": np.inf}, "a scale of weights is a number"),
        ({"radius": 1, "sigma": 1}, "not both"),
        ({"radius": 1, "params": {"W_aa": np.eye(3)}}, "no recurrent weight is drawn"),
        ({"steps": 5000}, "25000000 terms of 256 numbers each do not fit"),
    ],
)
def test_wrong_input_is_named(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        rs.elman().flow(**given)


def test_a_loss_that_is_not_finite_is_named() -> None:
    with pytest.raises(InputError, match="the loss of elman:activation=identity is not finite"):
        rs.elman(activation="identity").flow(steps=200, sigma=3.0)


def test_a_network_without_a_recurrence_needs_a_name() -> None:
    net = Network("a[t] = tanh(U @ x[t] + b)", "y_hat[t] = softmax(Q @ a[t])")
    with pytest.raises(InputError, match="no weight inside a recurrence: choose a parameter from"):
        rs.flow(net)
    flow = rs.flow(net, "U", 4)
    assert flow.ok and flow.jacobians is None and flow.lyapunov is None and flow.bound is None
    assert set(flow.distances[flow.distances >= 0]) == {0}


# ---- single terms ------------------------------------------------------------------------------


def test_terms_by_their_steps() -> None:
    flow = rs.flow(SHARED, "W", 3, sizes={"n_a": 2})
    with pytest.raises(InputError, match="k = 2: say in which sequence, sequence= one of T_x, T_y"):
        flow.term(3, 2)
    one, two = (flow.term(3, 2, sequence) for sequence in ("T_x", "T_y"))
    np.testing.assert_array_equal(one, flow.terms[2, flow.uses.index(Use("T_x", 2))])
    assert not np.array_equal(one, two)
    with pytest.raises(InputError, match="t = 4: shared weights has losses at 1, …, 3"):
        flow.term(4, 1)
    with pytest.raises(InputError, match="k = 9: W is used at 0, …, 3"):
        flow.term(3, 9)


def test_symbolic_terms() -> None:
    flow = rs.elman().flow(steps=3, sizes=SIZES)
    assert flow.symbolic(3, 1).shape == (1, flow.net.parameters["W_aa"].rows ** 2)
    with pytest.raises(InputError, match="k = 4: W_aa is used at 1, …, 3"):
        flow.symbolic(3, 4)
    deep = rs.model("elman:type=encoder-decoder,bidirectional,layers=2").flow(steps=3)
    with pytest.raises(NotSupportedError, match="sums inside of sums"):
        deep.symbolic(3, 1)


def test_the_table_is_as_small_as_asked_for_and_keeps_the_corners() -> None:
    flow = rs.elman().flow(steps=20)
    table = flow.table(6)
    assert isinstance(table, Table) and len(table.rows) == 6 and len(table.header) == 7
    assert table.rows[0][0] == ("1",) and table.rows[-1][0] == ("20",)
    assert table.header[1] == ("1",) and table.header[-1] == ("20",)
    assert table.rows[0][-1] == ("",) and float(
        table.rows[-1][1][0].replace("−", "-")
    ) == pytest.approx(flow.norms[19, 0], rel=0.05)
