"""Single steps and layers as classes: what is sent back comes from outside."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

import rnnsym as rs
from rnnsym.codecheck.command import run
from rnnsym.errors import InputError
from tests.codecheck.samples import step_backward, step_forward

STEP = {
    "cell": True, "layout": "rows", "names": {"Wx": "W_ax", "Wh": "W_aa", "b": "b_a"},
    "calls": [("forward", "x", "a", "Wx", "Wh", "b"), ("backward", "da", "cache")],
    "returns": "dx da0 Wx Wh b",
}  # fmt: skip


def test_a_step_of_a_plain_network():
    report = rs.check_gradient((step_forward, step_backward), rs.elman(), adapter=STEP)
    assert report.ok and set(report.gradients) == {"W_aa", "W_ax", "b_a", "x", "a"}


def test_what_is_wrong_in_a_step():
    def backward(dh, cache):
        dx, _, dWx, dWh, db = step_backward(dh, cache)
        *_, Wh, new = cache
        return dx, ((1 - new**2) * dh) @ Wh, dWx, dWh, db

    report = rs.check_gradient((step_forward, backward), rs.elman(), adapter=STEP)
    assert [n for n, g in report.gradients.items() if not g.ok] == ["a"]
    assert "transpose of Wh" in report.gradients["a"].why.text


class Cell:
    """An LSTM with its gates side by side: one step, columns are the sequences of a batch."""

    def forward(self, x, h, c, W, b):
        z = W @ np.vstack([h, x]) + b
        n = len(h)
        f, i, o = 1 / (1 + np.exp(-z[: 3 * n].reshape(3, n, -1)))
        g = np.tanh(z[3 * n :])
        new = f * c + i * g
        self.kept = x, h, c, W, f, i, o, g, new
        return o * np.tanh(new), new

    def backward(self, dh, dc):
        x, h, c, W, f, i, o, g, new = self.kept
        dc = dc + dh * o * (1 - np.tanh(new) ** 2)
        dz = np.vstack([
            dc * c * f * (1 - f), dc * g * i * (1 - i), dh * np.tanh(new) * o * (1 - o),
            dc * i * (1 - g**2),
        ])  # fmt: skip
        self.dW, self.db = dz @ np.vstack([h, x]).T, dz.sum(1, keepdims=True)
        return (W.T @ dz)[: len(h)], dc * f


class Forgetful(Cell):
    """The cell gradient that comes from the next step is left out."""

    def backward(self, dh, dc):
        return super().backward(dh, 0 * dc)


@pytest.mark.parametrize("cls, right", [(Cell, True), (Forgetful, False)])
def test_a_step_of_an_lstm_is_sent_two_gradients(cls, right):
    names = {"W": [[f"W_{g}a", f"W_{g}x"] for g in "fioc"], "b": [f"b_{g}" for g in "fioc"]}
    report = rs.check_gradient(
        cls, rs.lstm(), cell=True, columns=True, axes="nb", names=names, returns="da0 dc0",
        calls=[("forward", "x", "a", "c", "W", "b"), ("backward", "da", "dc")],
    )  # fmt: skip
    assert report.ok == right
    assert {n: g.ok for n, g in report.gradients.items() if n in ("W_oa", "a", "c")} == {
        "W_oa": True, "a": right, "c": right
    }  # fmt: skip


class Output:
    """A step with its output, which is sent something back as well; gradients are added up."""

    def __init__(self, n, m):
        self.dV, self.db = np.zeros((n, m)), np.zeros(n)
        self.dW, self.dU, self.dc = np.zeros((m, m)), 0.0, np.zeros(m)

    def forward(self, x, h):
        self.x, self.past, self.h = x, h, np.tanh(self.W @ h + self.U @ x + self.c)
        return self.V @ self.h + self.b, self.h

    def backward(self, dy, dh):
        self.dV, self.db = self.dV + np.outer(dy, self.h), self.db + dy
        dz = (self.V.T @ dy + dh) * (1 - self.h**2)
        self.dW, self.dU = self.dW + np.outer(dz, self.past), self.dU + np.outer(dz, self.x)
        self.dc = self.dc + dz
        return self.W.T @ dz


def test_a_step_with_its_output():
    net = rs.elman(output="identity", loss="squared_error")
    names = {"W": "W_aa", "U": "W_ax", "c": "b_a", "V": "W_ya", "b": "b_y"}
    report = rs.check_gradient(
        Output, net, cell=True, names=names, init=("n_y", "n_a"), returns="da0",
        calls=[("forward", "x", "a"), ("backward", "dy_hat", "da")],
    )  # fmt: skip
    assert report.ok and len(report.gradients) == 6
    assert not any("changes with" in n for n in report.notes)  # no gradient depends on b


def test_what_no_step_is_sent():
    calls = [("f", "x", "a", "Wx", "Wh", "b"), ("b", "da", "cache")]
    with pytest.raises(InputError, match="cell=True"):
        rs.check_gradient(
            (step_forward, step_backward), rs.elman(), adapter={**STEP, "cell": False}
        )
    with pytest.raises(InputError, match="unknown argument 'db'"):
        wrong = [calls[0], ("b", "db", "cache")]
        pair = step_forward, step_backward
        rs.check_gradient(pair, rs.elman(), adapter={**STEP, "calls": wrong})


def test_a_step_from_the_command_line(tmp_path, capsys):
    path = tmp_path / "step.py"
    path.write_text(
        "import numpy as np\n"
        "def forward(x, h, Wx, Wh, b):\n"
        "    new = np.tanh(x @ Wx + h @ Wh + b)\n"
        "    return new, (x, Wx, h, Wh, new)\n"
        "def backward(dh, cache):\n"
        "    x, Wx, h, Wh, new = cache\n"
        "    dz = (1 - new ** 2) * dh\n"
        "    return dz @ Wx.T, dz @ Wh.T, x.T @ dz, h.T @ dz, dz.sum(0)\n"
        f"ADAPTER = {STEP!r}\n"
    )
    assert run(f"{path}:forward,backward", "elman", json=True) == 0
    answer = json.loads(capsys.readouterr().out)
    assert set(answer["gradients"]) == {"W_aa", "W_ax", "b_a", "x", "a"}


class Layer:
    """Batch first, as in Keras: forward gives all states or the last one, backward dx."""

    def __init__(self, W, U, b):
        self.W, self.U, self.b = W, U, b

    def forward(self, x, every):
        h, self.kept, self.every = np.zeros((len(x), len(self.U))), [], every
        for t in range(x.shape[1]):
            past, h = h, np.tanh(x[:, t] @ self.W + h @ self.U + self.b)
            self.kept.append((x[:, t], past, h))
        return np.stack([h for _, _, h in self.kept], 1) if every else h

    def backward(self, sent):
        self.dW, self.dU, self.db, later, dx = 0.0, 0.0, 0.0, 0.0, []
        last = len(self.kept) - 1
        for t in range(last, -1, -1):
            x, past, h = self.kept[t]
            above = sent[:, t] if self.every else sent if t == last else 0
            dz = (above + later) * (1 - h**2)
            self.dW, self.dU = self.dW + x.T @ dz, self.dU + past.T @ dz
            self.db, later = self.db + dz.sum(0), dz @ self.U.T
            dx.append(dz @ self.W.T)
        return np.stack(dx[::-1], 1)


@pytest.mark.parametrize("every", [True, False])
def test_a_layer_that_is_a_class_and_returns_dx(every):
    net = rs.elman() if every else rs.elman(type="many-to-one")
    report = rs.check_gradient(
        Layer, net, layer=True, layout="rows", init=("W", "U", "b"),
        names={"W": "W_ax", "U": "W_aa", "b": "b_a"},
        axes="btn" if every else {"x": "btn", "y": "bn"},
        calls=[("forward", "x", every), ("backward", "y")], returns="dx",
    )  # fmt: skip
    assert report.ok and set(report.gradients) == {"W_aa", "W_ax", "b_a", "x"}


def test_a_weight_that_softmax_does_not_see_is_read_all_the_same():
    """The same number added to all of V changes no softmax: that is no reason to say V is not
    read."""

    def wrong(p, x, y):
        h, past, d = 0 * p.W[0], [], SimpleNamespace(U=0.0, W=0.0, V=0.0)
        for v in x:
            before, h = h, np.tanh(p.W @ h + p.U @ v)
            e = np.exp(p.V @ h)
            past.append((v, before, h, e / e.sum()))
        for (v, before, h, q), target in zip(past, y, strict=True):
            dz = p.V.T @ (q - target)  # without 1 - h²
            d.U, d.W = d.U + np.outer(dz, v), d.W + np.outer(dz, before)
            d.V = d.V + np.outer(q - target, h)
        return d.U, d.W, d.V

    class Net:
        def bptt(self, x, y):
            return wrong(self, x, y)

    net = rs.Network(
        "a[t] = tanh(W_aa @ a[t-1] + W_ax @ x[t])", "y_hat[t] = softmax(W_ya @ a[t])",
        loss="cross_entropy",
    )  # fmt: skip
    report = rs.check_gradient(
        Net, net, names={"U": "W_ax", "W": "W_aa", "V": "W_ya"}, calls=[("bptt", "x", "y")],
        returns="U W V",
    )  # fmt: skip
    assert report.gradients["W_ya"].ok and not report.gradients["W_aa"].ok
    assert not any("changes with" in n for n in report.notes)
