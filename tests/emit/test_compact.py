"""One weight for all that enters a sum, in stacks and with shortcuts: products of its parts."""

from __future__ import annotations

import numpy as np
import pytest

import rnnsym as rs
from rnnsym.verify.backpropagation import tape_gradients
from rnnsym.verify.case import TOLERANCE, make_case

NETS = {
    "a stack of gates": lambda: rs.lstm(compact=True, layers=2),
    "parts of buffers": lambda: rs.gru(
        compact=True, layers=2, bidirectional=True, shortcut=3, reset="after"
    ),
    "weights of different widths": lambda: rs.Network(
        "f[t] = tanh(W_a @ [a[t-1], x[t]])",
        "a[t] = f[t] * tanh(W_b @ [a[t-1], a[t-3], x[t]])",
        "y_hat[t] = softmax(V @ a[t])",
    ),
    "an encoder and a decoder": lambda: rs.lstm(
        compact=True, layers=2, type="encoder-decoder", feedback="prediction"
    ),
}


@pytest.mark.parametrize("steps", [1, 2, 5])
@pytest.mark.parametrize("name", NETS)
def test_the_code_of_a_compact_network_is_right(name: str, steps: int) -> None:
    net = NETS[name]()
    case = make_case(net, dict.fromkeys(net.lengths, steps), None, 0, net.gradients())
    loss, gradients, _ = tape_gradients(case)
    scale = max(float(np.max(np.abs(g))) for g in gradients.values())
    assert case.loss == pytest.approx(loss, rel=TOLERANCE)
    for parameter, gradient in gradients.items():
        assert np.max(np.abs(case.gradients[parameter] - gradient)) <= TOLERANCE * scale
