"""What reaches strangers' code and comes back: weights in dicts, axes by name, rounding."""

from __future__ import annotations

import numpy as np
import pytest

import rnnsym as rs
from rnnsym.errors import InputError

LINE = "y_hat[t] = W @ x[t] + b"


def net():
    return rs.Network(LINE, loss="squared_error")


def line(p, x, y, turn=lambda g: g):
    e = x @ p["W"].T + p["b"] - y
    return float((e**2).sum() / 2), {"W": turn(e.T @ x), "b": turn(e.sum(0))}


class InDict:
    def __init__(self, n, m):
        self.weights = {"weight": np.zeros((m, n)), "bias": np.zeros(m)}

    def grads(self, x, y):
        e = x @ self.weights["weight"].T + self.weights["bias"] - y
        return {"weight": e.T @ x, "bias": e.sum(0)}


class Elsewhere(InDict):
    def __init__(self, n, m):
        self.hidden = (np.ones((m, n)), np.zeros(m))

    def grads(self, x, y):
        e = x @ self.hidden[0].T + self.hidden[1] - y
        return {"weight": e.T @ x, "bias": e.sum(0)}


CALL = {
    "init": ["n_x", "n_y"], "calls": [("grads", "x", "y")],
    "names": {"weight": "W", "bias": "b"}, "sensitivity": False,
}  # fmt: skip


def test_weights_in_a_dict_of_an_object_are_found():
    assert rs.check_gradient(InDict, net(), **CALL).ok


def test_weights_that_are_never_read_are_no_verdict():
    with pytest.raises(InputError, match="nothing that comes back changes when weight, bias"):
        rs.check_gradient(Elsewhere, net(), **CALL)


def test_one_weight_that_is_never_read_is_noted():
    class Half(InDict):
        def grads(self, x, y):
            e = x @ self.weights["weight"].T - y
            return {"weight": e.T @ x, "bias": e.sum(0)}

    report = rs.check_gradient(Half, net(), **CALL)
    assert not report.ok
    assert any("changes with bias" in note for note in report.notes)


def test_globals_of_another_module_are_told_from_wrong_gradients():
    space = {"np": np, "W": np.ones((4, 3)), "b": np.ones(4)}
    source = "def grad(x, y):\n    e = x @ W.T + b - y\n    return e.T @ x, e.sum(0)\n"
    exec(compile(source, "elsewhere.py", "exec"), space)
    given = {"globals": True, "arguments": ["x", "y"], "returns": ["W", "b"],
             "sizes": {"n_x": 3, "n_y": 4}, "sensitivity": False}  # fmt: skip
    assert rs.check_gradient(space["grad"], net(), **given).ok
    with pytest.raises(InputError, match="is the code that reads them in another one"):
        rs.check_gradient(lambda x, y: space["grad"](x, y), net(), **given)


@pytest.mark.parametrize("digits", [3, 4, 6])
def test_rounded_gradients_are_right(digits):
    report = rs.check_gradient(
        lambda p, x, y: line(p, x, y, lambda g: np.round(g, digits)), net(), sensitivity=False
    )
    assert report.ok
    assert f"rounded to {digits} decimals" in report.gradients["W"].diagnosis


def test_a_wrong_gradient_that_is_rounded_is_wrong():
    report = rs.check_gradient(
        lambda p, x, y: line(p, x, y, lambda g: np.round(1.01 * g, 4)), net(), sensitivity=False
    )
    assert not report.gradients["W"].ok


def test_a_target_of_the_whole_sequence_has_its_own_axes():
    def last(p, x, y):  # x is (B, T, n), y is (B, n)
        h = np.zeros((len(x), len(p["b"])))
        states = [h]
        for t in range(x.shape[1]):
            states.append(np.tanh(x[:, t] @ p["U"].T + states[-1] @ p["W"].T + p["b"]))
        e = states[-1] @ p["V"].T - y
        g = {n: np.zeros_like(v) for n, v in p.items()}
        g["V"], d = e.T @ states[-1], e @ p["V"]
        for t in reversed(range(x.shape[1])):
            z = d * (1 - states[t + 1] ** 2)
            g["W"] += z.T @ states[t]
            g["U"] += z.T @ x[:, t]
            g["b"] += z.sum(0)
            d = z @ p["W"]
        return g

    net = rs.Network(
        "h[t] = tanh(W @ h[t-1] + U @ x[t] + b)", "y_hat[T] = V @ h[T]", loss="squared_error"
    )
    words = {"arguments": ["params", "x", "y"], "sensitivity": False}
    assert rs.check_gradient(last, net, axes={"x": "btn", "y": "bn"}, **words).ok
    with pytest.raises(InputError, match=r"say axes=\{'x': 'btn', 'y': 'bn'\}"):
        rs.check_gradient(last, net, batch="first", **words)
    for axes, why in (
        ({"z": "tn"}, "unknown 'z'"),
        ({"x": "bn"}, "write a t"),
        ({"x": "k"}, "axes"),
    ):
        with pytest.raises(InputError, match=why):
            rs.check_gradient(last, net, axes=axes, **words)


def test_a_layer_that_updates_itself_may_return_the_gradient_by_its_input():
    class Layer:
        def train(self, x, y):
            e = x @ self.W.T + self.b - y
            dx = e @ self.W
            self.W, self.b = self.W - e.T @ x, self.b - e.sum(0)
            return dx

    report = rs.check_gradient(
        Layer, net(), calls=[("train", "x", "y")], rate=1, returns="dx", sensitivity=False
    )
    assert report.ok and list(report.gradients) == ["W", "b", "x"]


def test_keys_that_are_named_add_to_those_that_are_known():
    def grads(p, x, y):
        e = x @ p["W"].T + p["b"] - y
        return {"dW": e.T @ x, "b": e.sum(0), "back": e @ p["W"]}

    report = rs.check_gradient(grads, net(), returns={"back": "dx"}, sensitivity=False)
    assert report.ok and list(report.gradients) == ["W", "b", "x"]
    assert not any("not judged" in note for note in report.notes)


MANY_TO_ONE = ("h[t] = tanh(W @ h[t-1] + U @ x[t] + b)", "y_hat[T] = V @ h[T]")


def last_output(p, x, y, every=False, product=np.outer):
    h = [np.zeros(len(p["b"]))]
    for v in x:
        h.append(np.tanh(p["W"] @ h[-1] + p["U"] @ v + p["b"]))
    e = p["V"] @ h[-1] - y.reshape(-1)
    g = {n: np.zeros_like(v) for n, v in p.items()}
    g["V"], d = np.outer(e, h[-1]), p["V"].T @ e
    for t in reversed(range(len(x))):
        z = d * (1 - h[t + 1] ** 2)
        g["W"] += product(z, h[t])
        g["U"] += np.outer(z, x[t])
        g["b"] += z
        d = p["W"].T @ z + (p["V"].T @ e if every else 0)
    return g


def judged(**words):
    net = rs.Network(*MANY_TO_ONE, loss="squared_error")
    return rs.check_gradient(
        lambda p, x, y: last_output(p, x, y, **words), net, arguments=["params", "x", "y"],
        sensitivity=False,
    )  # fmt: skip


def test_an_output_error_at_every_step():
    assert judged().ok
    report = judged(every=True)
    assert [n for n, g in report.gradients.items() if not g.ok] == ["W", "U", "b"]
    assert report.gradients["W"].why.kinds == ("output at every step",)


def test_a_dot_product_where_an_outer_product_belongs():
    report = judged(product=np.dot)
    assert [n for n, g in report.gradients.items() if not g.ok] == ["W"]
    assert report.gradients["W"].why.kinds == ("dot for outer",)
