"""What is right, but at the wrong place: gates, derivatives and names in hand-written code."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import rnnsym as rs
from rnnsym.codecheck import check_gradient
from tests.codecheck import samples


def spoiled(function, old, new):
    """A sample with one piece of its source replaced."""
    source = inspect.getsource(function)
    assert source.count(old) == 1
    scope = {"np": np, "sigmoid": samples.sigmoid}
    exec(source.replace(old, new), scope)
    return scope[function.__name__]


@pytest.mark.parametrize(
    ("net", "right", "old", "new", "wrong", "kind"),
    [
        (rs.gru(), samples.plain_gru, "np.outer(dzn, r * a)", "np.outer(dzn * r, a)",
         "W_aa", "gate beside the other factor"),
        (rs.lstm(), samples.plain_lstm, "dzc = dc * i * (1 - g**2)", "dzc = dc * i * (1 - 2 * g)",
         "b_c", "1 - 2a instead of 1 - a²"),
        (rs.lstm(), samples.plain_lstm, "dzo = da * np.tanh(new) * o * (1 - o)",
         "dzo = sigmoid(da * np.tanh(new)) * (1 - sigmoid(da * np.tanh(new)))",
         "b_o", "g′ at the adjoint"),
        (rs.elman(), samples.plain, 'd["b_a"] += dz',
         'd["b_a"] = params["W_ya"].T @ error + carried; d["b_a"] += dz',
         "b_a", "name given away"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)  # fmt: skip
def test_what_stands_at_the_wrong_place_is_explained(net, right, old, new, wrong, kind):
    report = check_gradient(spoiled(right, old, new), net, sensitivity=False)
    assert report.gradients[wrong].why.kinds == (kind,)
    assert report.gradients[wrong].why.fix
