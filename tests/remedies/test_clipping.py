"""Clipped gradients: exact, safe at the ends of the range, and equal to PyTorch's."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from rnnsym import InputError
from rnnsym.remedies import clip_by_group, clip_by_norm, clip_by_value

ULPS = 4e-16
entries = st.floats(-1e6, 1e6).map(lambda x: 0.0 if abs(x) < 1e-100 else x)
tensors = arrays(np.float64, array_shapes(min_dims=0, max_dims=3, max_side=4), elements=entries)
gradients = st.dictionaries(st.sampled_from("UVWb"), tensors, min_size=1)
thresholds = st.floats(1e-6, 1e7)


def flat(given: dict[str, Any]) -> np.ndarray:
    return np.concatenate([np.ravel(a) for a in given.values()] or [np.zeros(0)])


def example() -> dict[str, np.ndarray]:
    return {"W": np.array([[3.0, 0.0], [0.0, 0.0]]), "b": np.array([0.0, 4.0])}


def test_a_long_gradient_gets_the_length_of_the_threshold_and_keeps_its_direction() -> None:
    clipped, norm = clip_by_norm(example(), 2.5)
    assert norm == 5.0
    assert clipped["W"][0, 0] == 1.5 and clipped["b"][1] == 2.0
    assert np.count_nonzero(flat(clipped)) == 2


@given(gradients, thresholds)
def test_direction_bound_and_idempotence(g: dict[str, np.ndarray], threshold: float) -> None:
    clipped, norm = clip_by_norm(g, threshold)
    assert norm == pytest.approx(np.linalg.norm(flat(g)), rel=1e-14)
    again, after = clip_by_norm(clipped, threshold)
    assert after == pytest.approx(min(norm, threshold), rel=1e-14)
    np.testing.assert_allclose(flat(again), flat(clipped), rtol=1e-14)
    c = min(1.0, threshold / norm) if norm else 1.0
    np.testing.assert_allclose(flat(clipped), c * flat(g), rtol=1e-14)
    if norm <= threshold:
        assert (flat(clipped) == flat(g)).all()


@pytest.mark.torch
@given(gradients, thresholds)
def test_eps_reproduces_torch_clip_grad_norm(g: dict[str, np.ndarray], threshold: float) -> None:
    import torch

    parameters = {name: torch.zeros(a.shape, dtype=torch.float64) for name, a in g.items()}
    for name, p in parameters.items():
        p.grad = torch.tensor(g[name])
    norm = torch.nn.utils.clip_grad_norm_(parameters.values(), threshold)
    clipped, ours = clip_by_norm(g, threshold, eps=1e-6)
    assert ours == pytest.approx(float(norm), rel=1e-15)
    for name, p in parameters.items():
        np.testing.assert_allclose(clipped[name], p.grad.numpy(), rtol=1e-15, atol=0)


@pytest.mark.torch
@given(gradients, thresholds)
def test_clip_by_value_is_torch_clip_grad_value(g: dict[str, np.ndarray], threshold: float) -> None:
    import torch

    parameters = {name: torch.zeros(a.shape, dtype=torch.float64) for name, a in g.items()}
    for name, p in parameters.items():
        p.grad = torch.tensor(g[name])
    torch.nn.utils.clip_grad_value_(parameters.values(), threshold)
    clipped, largest = clip_by_value(g, threshold)
    assert largest == abs(flat(g)).max(initial=0)
    for name, p in parameters.items():
        assert (clipped[name] == p.grad.numpy()).all()


@pytest.mark.torch
@pytest.mark.parametrize("bad", [[np.inf, 1.0], [-np.inf, np.inf], [np.nan, 1.0], [np.nan, np.inf]])
def test_what_is_not_finite_does_what_it_does_in_torch(bad: list[float]) -> None:
    import torch

    parameters = [torch.zeros(2, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)]
    parameters[0].grad, parameters[1].grad = torch.tensor(bad).double(), torch.ones(1).double()
    norm = torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    clipped, ours = clip_by_norm({"W": np.array(bad), "b": np.ones(1)}, 1.0)
    np.testing.assert_equal(ours, float(norm))
    np.testing.assert_equal(clipped["W"], parameters[0].grad.numpy())
    np.testing.assert_equal(clipped["b"], parameters[1].grad.numpy())
    for p in parameters:
        p.grad = torch.tensor(bad).double()[: len(p)]
    torch.nn.utils.clip_grad_value_(parameters, 1.0)
    np.testing.assert_equal(
        clip_by_value({"W": np.array(bad)}, 1.0)[0]["W"], parameters[0].grad.numpy()
    )


@pytest.mark.parametrize("clip", [clip_by_norm, clip_by_value])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_can_be_an_error(clip: Any, bad: float) -> None:
    with pytest.raises(InputError, match="gradient of b holds"):
        clip({"W": np.ones(2), "b": np.array([bad])}, 1.0, error_if_nonfinite=True)


def test_norms_of_what_is_not_finite() -> None:
    assert clip_by_norm({"b": np.array([np.inf, 0])}, 1.0)[1] == math.inf
    assert math.isnan(clip_by_value({"a": np.ones(1), "b": np.array([np.nan])}, 1.0)[1])
    only_b = clip_by_group({"W": np.ones(2), "b": np.array([np.nan, 1])}, {"b": 1.0, "W": 1.0})
    assert np.isfinite(only_b[0]["W"]).all() and np.isnan(only_b[0]["b"]).all()


@pytest.mark.parametrize("size", [1e-320, 1e-200, 1e-160, 1e160, 1e200, 1.7e308])
@pytest.mark.parametrize("part", [0.5, 1e-3])
def test_no_norm_overflows_or_underflows(size: float, part: float) -> None:
    g = {"W": np.array([0.6 * size, 0.0]), "b": np.array(0.8 * size)}
    clipped, norm = clip_by_norm(g, part * size)
    tiny = 5e-323 if size < 1e-300 else 0.0  # where numbers have few digits left
    assert norm == pytest.approx(size, rel=1e-15, abs=tiny)
    assert clipped["W"][0] == pytest.approx(0.6 * part * size, rel=1e-15, abs=tiny)
    assert clipped["b"] == pytest.approx(0.8 * part * size, rel=1e-15, abs=tiny)


def test_a_norm_beyond_the_range_is_clipped_all_the_same() -> None:
    clipped, norm = clip_by_norm({"W": np.full(4, 1.7e308)}, 1.0)
    assert norm == math.inf
    assert (clipped["W"] == 0.5).all()


def test_a_factor_below_the_range_does_not_vanish() -> None:
    clipped, _ = clip_by_norm({"W": np.array([3e200, 4e200])}, 1e-200)
    np.testing.assert_allclose(clipped["W"], [6e-201, 8e-201], rtol=1e-15)


def test_empty_zero_and_scalar_gradients() -> None:
    assert clip_by_norm({}, 1.0) == ({}, 0.0)
    assert clip_by_group({}, {}) == ({}, {})
    assert clip_by_value({}, 1.0) == ({}, 0.0)
    for threshold in (0.0, 1.0):
        clipped, norm = clip_by_norm({"W": np.zeros((2, 2)), "e": np.zeros((0, 3))}, threshold)
        assert norm == 0 and not clipped["W"].any() and clipped["e"].shape == (0, 3)
    clipped, norm = clip_by_norm({"alpha": 3.0, "n": 4}, 2.5)
    assert norm == 5 and clipped["alpha"] == 1.5 and clipped["n"] == 2.0
    assert clipped["alpha"].shape == () and clipped["n"].dtype == np.float64
    assert clip_by_value({"alpha": -3.0}, 1.0)[0]["alpha"] == -1.0


def test_a_threshold_of_zero_leaves_nothing_and_an_infinite_one_everything() -> None:
    assert not flat(clip_by_norm(example(), 0.0)[0]).any()
    for g in (example(), {"W": np.array([np.inf, np.nan, 1.0])}):
        np.testing.assert_equal(flat(clip_by_norm(g, math.inf)[0]), flat(g))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floating_point_types_are_kept(dtype: Any) -> None:
    g = {"W": np.array([3, 4], dtype), "b": np.array(12, dtype)}
    for clipped in (clip_by_norm(g, 1)[0], clip_by_group(g, {"W": 1})[0], clip_by_value(g, 1)[0]):
        assert {a.dtype for a in clipped.values()} == {np.dtype(dtype)}
    assert clip_by_norm(g, 1)[1] == 13
    assert clip_by_value(g, 1e300)[0]["b"] == 12


@pytest.mark.parametrize("threshold", [0.1, 100.0])
def test_the_arguments_stay_untouched_and_unshared(threshold: float) -> None:
    g, kept = example(), example()
    results = [
        clip_by_norm(g, threshold)[0],
        clip_by_group(g, {"W": threshold})[0],
        clip_by_value(g, threshold)[0],
    ]
    for clipped in results:
        for name, array in clipped.items():
            assert not np.shares_memory(array, g[name])
            array[...] = 7
    for name, array in g.items():
        assert (array == kept[name]).all()


def test_only_the_part_that_causes_the_problem_is_clipped() -> None:
    g = {"W_aa": np.array([[30.0, 40.0]]), "W_ax": np.array([3.0]), "b": np.array([4.0]), "c": 9.0}
    clipped, norms = clip_by_group(g, {"W_aa": 1.0, ("W_ax", "b"): 2.5, "c": 10.0})
    assert norms == {"W_aa": 50.0, ("W_ax", "b"): 5.0, "c": 9.0}
    np.testing.assert_allclose(clipped["W_aa"], [[0.6, 0.8]], rtol=ULPS)
    assert (clipped["W_ax"], clipped["b"], clipped["c"]) == (1.5, 2.0, 9.0)
    alone = clip_by_group(g, {"W_aa": 1.0})[0]
    assert (alone["W_ax"], alone["b"], alone["c"]) == (3.0, 4.0, 9.0)


@given(gradients, thresholds, st.floats(0, 1e-3))
def test_one_group_of_everything_is_the_norm_of_the_whole(
    g: dict[str, np.ndarray], threshold: float, eps: float
) -> None:
    clipped, norms = clip_by_group(g, {tuple(g): threshold}, eps=eps)
    whole, norm = clip_by_norm(g, threshold, eps=eps)
    assert norms == {tuple(g): norm}
    assert (flat(clipped) == flat(whole)).all()


@pytest.mark.parametrize("threshold", [-1.0, math.nan, -math.inf, "1", None, True, 1j, np.ones(2)])
def test_a_threshold_that_makes_no_sense_is_refused(threshold: Any) -> None:
    for clip in (clip_by_norm, clip_by_value):
        with pytest.raises(InputError, match="threshold is"):
            clip(example(), threshold)
    with pytest.raises(InputError, match="threshold of W is"):
        clip_by_group(example(), {"W": threshold})


def test_other_mistakes_are_named() -> None:
    with pytest.raises(InputError, match="no gradient of 'V': choose from W, b"):
        clip_by_group(example(), {"V": 1.0})
    with pytest.raises(InputError, match="W is in two groups"):
        clip_by_group(example(), {"W": 1.0, ("b", "W"): 1.0})
    with pytest.raises(InputError, match="empty group"):
        clip_by_group(example(), {(): 1.0})
    with pytest.raises(InputError, match="eps is -1"):
        clip_by_norm(example(), 1.0, eps=-1.0)
    with pytest.raises(InputError, match="gradient of W is an array of complex128"):
        clip_by_norm({"W": np.ones(2, complex)}, 1.0)
    with pytest.raises(InputError, match="gradient of W"):
        clip_by_norm({"W": [[1.0], [1.0, 2.0]]}, 1.0)
    with pytest.raises(InputError, match="give a dict"):
        clip_by_norm([np.ones(2)], 1.0)  # type: ignore[arg-type]


def test_the_gradients_of_a_network_can_be_clipped() -> None:
    import rnnsym as rs

    net, rng = rs.elman(), np.random.default_rng(0)
    sizes = {"n_x": 3, "n_a": 4, "n_y": 2}
    params = {
        name: 3 * rng.standard_normal([sizes[str(n)] for n in w.shape if n != 1])
        for name, w in net.parameters.items()
    }
    x, y = rng.standard_normal((9, 3)), np.eye(2)[rng.integers(2, size=9)]
    _, g = net.gradients()(params, x, y)
    clipped, norm = clip_by_norm(g, norm_before := 0.5)
    assert norm > norm_before
    assert np.linalg.norm(flat(clipped)) == pytest.approx(0.5, rel=1e-14)
