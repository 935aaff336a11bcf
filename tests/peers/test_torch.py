"""PyTorch's own modules: the same numbers, gradients and weights, there and back."""

from __future__ import annotations

import importlib.util
import itertools
from typing import Any

import numpy as np
import pytest

import rnnsym as rs
from rnnsym.evaluate.arithmetic import NumpyArithmetic
from rnnsym.evaluate.point import array_point
from rnnsym.evaluate.trajectory import Trajectory
from rnnsym.sizes import choose_sizes

pytestmark = pytest.mark.torch

MODULES = ("RNN", "RNN relu", "LSTM", "GRU")
STEPS, BATCH, N_X, N_A, N_Y = 6, 3, 2, 4, 3
TOLERANCE = 1e-12


@pytest.fixture(scope="module")
def torch() -> Any:
    import torch

    return torch


def made(torch: Any, kind: str, layers: int = 1, bidirectional: bool = False, **more: Any) -> Any:
    """A module and a head in float64, the same ones each time."""
    torch.manual_seed(0)
    name, *nonlinearity = kind.split()
    keywords = {"nonlinearity": nonlinearity[0]} if nonlinearity else {}
    module = getattr(torch.nn, name)(
        N_X, N_A, layers, bidirectional=bidirectional, dtype=torch.float64, **keywords, **more
    )
    head = torch.nn.Linear(N_A * (2 if bidirectional else 1), N_Y, dtype=torch.float64)
    return module, head


def data(batch: int | None) -> tuple[Any, Any]:
    rng = np.random.default_rng(1)
    shape = (STEPS,) if batch is None else (STEPS, batch)
    return rng.standard_normal((*shape, N_X)), rng.standard_normal((*shape, N_Y))


def relative(x: Any, y: Any) -> float:
    return float(np.max(np.abs(x - y)) / max(1e-30, np.max(np.abs(y))))


@pytest.mark.parametrize(
    ("kind", "layers", "bidirectional"),
    list(itertools.product(MODULES, (1, 2, 3), (False, True))),
)
def test_loss_and_all_gradients_agree(
    torch: Any, kind: str, layers: int, bidirectional: bool
) -> None:
    module, head = made(torch, kind, layers, bidirectional)
    net, params = rs.from_torch(module, head)
    function = net.gradients()
    for batch in (None, BATCH):
        x, y = data(batch)
        module.zero_grad()
        head.zero_grad()
        y_hat = head(module(torch.from_numpy(x))[0])
        loss = ((y_hat - torch.from_numpy(y)) ** 2).sum() / 2
        loss.backward()
        value, gradients = function(params, x, y)
        wanted = rs.gradients_from_torch(net, module, head)
        assert relative(value, loss.item()) <= TOLERANCE
        assert set(gradients) == set(wanted) == set(params) == set(net.parameters)
        for name, gradient in wanted.items():
            assert gradients[name].shape == gradient.shape == params[name].shape
            assert relative(gradients[name], gradient) <= TOLERANCE, name


@pytest.mark.parametrize(
    ("kind", "layers", "bidirectional"),
    list(itertools.product(MODULES, (1, 3), (False, True))),
)
def test_the_outputs_of_every_step_agree(
    torch: Any, kind: str, layers: int, bidirectional: bool
) -> None:
    module, head = made(torch, kind, layers, bidirectional)
    net, params = rs.from_torch(module, head)
    x, y = data(None)
    wanted = head(module(torch.from_numpy(x))[0]).detach().numpy()
    sizes = {n: N_X if n == "n_x" else N_Y if n == "n_y" else N_A for n in net.sizes}
    symbols, ar = choose_sizes(net, STEPS, sizes), NumpyArithmetic()
    initial = {n: np.zeros(N_A) for n in net.initial_states}
    point = array_point(ar, symbols, params, {"x": x, "y": y}, initial)
    trajectory = Trajectory(net, point, ar)
    found = [trajectory.value((net.output, t))[:, 0] for t in range(1, STEPS + 1)]
    assert relative(np.array(found), wanted) <= TOLERANCE


@pytest.mark.parametrize("kind", MODULES)
@pytest.mark.parametrize(("layers", "bidirectional"), [(1, False), (2, True)])
def test_there_and_back_is_exact(torch: Any, kind: str, layers: int, bidirectional: bool) -> None:
    net, params = rs.from_torch(*made(torch, kind, layers, bidirectional))
    module, head = rs.to_torch(net, params)
    again, same = rs.from_torch(module, head)
    assert again.equations == net.equations and again.name == net.name
    assert list(same) == list(params) and set(same) == set(net.parameters)
    for name, array in params.items():
        assert np.array_equal(same[name], array) and same[name].dtype == np.float64, name


@pytest.mark.parametrize("kind", MODULES)
def test_a_module_made_of_our_weights_computes_the_same(torch: Any, kind: str) -> None:
    module, head = made(torch, kind, 2, True)
    copy, its_head = rs.to_torch(*rs.from_torch(module, head))
    x = torch.from_numpy(data(BATCH)[0])
    ours, theirs = its_head(copy(x)[0]).detach(), head(module(x)[0]).detach()
    assert relative(ours.numpy(), theirs.numpy()) <= TOLERANCE
    redundant = copy.bias_hh_l0.detach().numpy()
    assert np.any(redundant) == (kind == "GRU")  # b_hn is inside of a product


def test_initial_states_are_those_of_the_module(torch: Any) -> None:
    module, head = made(torch, "LSTM", 2, True)
    net, params = rs.from_torch(module, head)
    x, y = data(BATCH)
    rng = np.random.default_rng(2)
    h, c = rng.standard_normal((2, 4, BATCH, N_A))  # layer by layer, forwards before backwards
    y_hat = head(module(torch.from_numpy(x), tuple(map(torch.from_numpy, (h, c))))[0])
    loss = float(((y_hat.detach() - torch.from_numpy(y)) ** 2).sum() / 2)
    ends = ("fwd_l1", "bwd_l1", "fwd_l2", "bwd_l2")
    initial = {f"a_{end}": h[i] for i, end in enumerate(ends)}
    initial |= {f"c_{end}": c[i] for i, end in enumerate(ends)}
    assert relative(net.gradients()(params, x, y, initial)[0], loss) <= TOLERANCE


def test_an_output_and_a_loss_are_the_users_to_choose(torch: Any) -> None:
    module, head = made(torch, "GRU")
    net, params = rs.from_torch(module, head, output="softmax", notation="pytorch")
    assert net.options["loss"] == "cross_entropy" and net.notation == "pytorch"
    x, _ = data(None)
    classes = np.array([0, 2, 1, 1, 0, 2])
    loss = torch.nn.functional.cross_entropy(
        head(module(torch.from_numpy(x))[0]), torch.from_numpy(classes), reduction="sum"
    )
    loss.backward()
    value, gradients = net.gradients()(params, x, np.eye(N_Y)[classes])
    assert relative(value, float(loss.detach())) <= TOLERANCE
    for name, gradient in rs.gradients_from_torch(net, module, head).items():
        assert relative(gradients[name], gradient) <= TOLERANCE, name


def test_without_a_head_the_output_is_the_modules_own(torch: Any) -> None:
    module, _ = made(torch, "RNN", 1, True)
    net, params = rs.from_torch(module)
    x, _ = data(None)
    y = np.random.default_rng(3).standard_normal((STEPS, 2 * N_A))
    loss = ((module(torch.from_numpy(x))[0] - torch.from_numpy(y)) ** 2).sum() / 2
    loss.backward()
    value, gradients = net.gradients()(params, x, y)
    wanted = rs.gradients_from_torch(net, module)
    assert relative(value, float(loss.detach())) <= TOLERANCE
    assert set(wanted) == set(gradients) - {"W_ya", "b_y"}
    for name, gradient in wanted.items():
        assert relative(gradients[name], gradient) <= TOLERANCE, name


def test_weights_of_other_precision_become_float64_exactly(torch: Any) -> None:
    module, head = made(torch, "LSTM")
    for dtype in (torch.float32, torch.bfloat16):
        _, params = rs.from_torch(module.to(dtype), head.to(dtype))
        assert {array.dtype for array in params.values()} == {np.dtype(np.float64)}
        assert np.array_equal(params["W_ya"], head.weight.detach().double().numpy())


def test_weights_are_copies(torch: Any) -> None:
    module, head = made(torch, "GRU")
    net, params = rs.from_torch(module, head)
    before = module.weight_hh_l0.detach().clone()
    for array in params.values():
        array[...] = 7.0
    assert torch.equal(module.weight_hh_l0.detach(), before)
    copy, _ = rs.to_torch(net, params)
    params["W_ra"][...] = 8.0
    assert float(copy.weight_hh_l0.detach().max()) == 7.0


# ---- what is refused ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bias": False}, "bias=False"),
        ({"proj_size": 2}, "proj_size=2"),
        ({"dropout": 0.5, "num_layers": 2}, "dropout=0.5 in training"),
    ],
)
def test_modules_that_compute_something_else_are_refused(
    torch: Any, change: dict[str, Any], message: str
) -> None:
    module = torch.nn.LSTM(N_X, N_A, **change)
    with pytest.raises(rs.InputError, match=message):
        rs.from_torch(module)


def test_dropout_is_no_matter_out_of_training(torch: Any) -> None:
    module = torch.nn.LSTM(N_X, N_A, 2, dropout=0.5).eval()
    assert rs.from_torch(module)[0].name == "lstm:layers=2,output=identity"


def test_other_modules_and_heads_are_refused(torch: Any) -> None:
    nn = torch.nn

    class Mine(nn.LSTM):  # may compute anything
        pass

    for other in (nn.Linear(2, 3), nn.LSTMCell(2, 3), Mine(2, 3), None, "LSTM"):
        with pytest.raises(rs.InputError, match=r"none of .* nn\.RNN, nn\.LSTM, nn\.GRU"):
            rs.from_torch(other)
    module = nn.GRU(N_X, N_A)
    for head in (nn.Linear(N_A, 2, bias=False), nn.Identity(), 3):
        with pytest.raises(rs.InputError, match=r"nn\.Linear with a bias"):
            rs.from_torch(module, head)
    with pytest.raises(rs.InputError, match=r"in_features=5: nn\.GRU returns 4"):
        rs.from_torch(module, nn.Linear(5, 2))
    with pytest.raises(rs.InputError, match="'layers': the module decides"):
        rs.from_torch(module, layers=2)


def test_gradients_that_are_not_there_are_refused(torch: Any) -> None:
    module, head = made(torch, "RNN")
    net, _ = rs.from_torch(module, head)
    with pytest.raises(rs.InputError, match="weight_ih_l0 has no gradient"):
        rs.gradients_from_torch(net, module, head)
    head(module(torch.zeros(2, N_X, dtype=torch.float64))[0]).sum().backward()
    with pytest.raises(rs.InputError, match=r"not the network of this module.*W_fa"):
        rs.gradients_from_torch(rs.lstm(), module, head)


SIZES = {"n_x": 2, "n_a": 3, "n_y": 2}


def zeros(net: rs.Network, **sizes: int) -> dict[str, Any]:
    """Weights of the sizes given, all others 3."""
    values = {symbol: {**SIZES, **sizes}.get(name, 3) for name, symbol in net.sizes.items()}
    return {
        name: np.zeros([int(n.subs(values)) for n in (w.shape if w.cols != 1 else w.shape[:1])])
        for name, w in net.parameters.items()
    }


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("elman:layers=2,residual", "no residual=yes, only residual=no"),
        ("lstm:layers=2,dense", "no dense=yes"),
        ("elman:shortcut=3", "no shortcut=3"),
        ("elman:compact", "no compact=yes"),
        ("elman:activation=sigmoid", "only activation=tanh or activation=relu"),
        ("lstm:activation=relu", "nn.LSTM has no activation=relu"),
        ("gru", "nn.GRU has no reset=before, only reset=after"),
    ],
)
def test_networks_that_no_module_computes_are_refused(spec: str, message: str) -> None:
    net = rs.model(spec)
    with pytest.raises(rs.InputError, match=message):
        rs.to_torch(net, zeros(net))


@pytest.mark.parametrize("name", ["network", "elman", "elman:layers=2", "lstm:no", ":"])
def test_networks_that_only_bear_the_name_are_refused(name: str) -> None:
    net = rs.Network("h[t] = tanh(W @ h[t-1] + U @ x[t])", "y[t] = V @ h[t]",
                     loss="L[t] = y[t].T @ y[t]", targets=[], name=name)  # fmt: skip
    with pytest.raises(rs.InputError, match="none of the built-in networks"):
        rs.to_torch(net, zeros(net))


def test_weights_that_do_not_fit_are_refused() -> None:
    net = rs.elman(layers=2, bidirectional=True)
    right = zeros(net)
    rs.to_torch(net, right)
    with pytest.raises(rs.InputError, match="W_aa_bwd_l2 is missing"):
        rs.to_torch(net, {n: w for n, w in right.items() if n != "W_aa_bwd_l2"})
    for wrong in (np.zeros((3, 4)), np.zeros(3), np.zeros((1, 3, 3))):
        with pytest.raises(rs.InputError, match="W_aa_fwd_l2 has the shape"):
            rs.to_torch(net, right | {"W_aa_fwd_l2": wrong})
    for nothing in (None, "weights", [[1.0], [1.0, 2.0]]):
        with pytest.raises(rs.InputError, match="W_aa_fwd_l2"):
            rs.to_torch(net, right | {"W_aa_fwd_l2": nothing})
    with pytest.raises(rs.InputError, match="one hidden_size"):
        rs.to_torch(net, zeros(net, n_a_fwd_l2=4))


def test_without_pytorch_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    for call in (lambda: rs.from_torch(None), lambda: rs.to_torch(rs.elman(), {})):
        with pytest.raises(rs.UnavailableError, match=r"pip install 'rnnsym\[torch\]'"):
            call()
