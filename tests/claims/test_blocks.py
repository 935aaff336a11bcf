"""Zeros, ones and identities take their size from what stands beside them."""

from __future__ import annotations

import pytest

import rnnsym as rs
from rnnsym.claims.check import check


@pytest.fixture(scope="module")
def net() -> rs.Network:
    return rs.lstm()


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        # zeros above a block, of a height that only the other side settles
        (r"\begin{bmatrix} 0 & W_{ya} \end{bmatrix} \begin{bmatrix} c_t \\ a_t \end{bmatrix}"
         r" = W_{ya} a_t", "true"),
        (r"\begin{bmatrix} W_{ya} & 0 \end{bmatrix} \begin{bmatrix} c_t \\ a_t \end{bmatrix}"
         r" = W_{ya} a_t", "false"),
        (r"\begin{bmatrix} I & 0 \end{bmatrix} \begin{bmatrix} x_t \\ c_t \end{bmatrix} = x_t",
         "true"),
        (r"\begin{bmatrix} 0 \\ W_{fa} \end{bmatrix} + \begin{bmatrix} W_{ia} \\ 0 \end{bmatrix}"
         r" = \begin{bmatrix} W_{ia} \\ W_{fa} \end{bmatrix}", "true"),
        # a number times I, of any size
        (r"\operatorname{diag}(2 c_t) = \operatorname{diag}(c_t) \, (2 I)", "true"),
        (r"(3 I - I) c_t = 2 c_t", "true"),
        (r"(3 I - I) c_t = 3 c_t", "false"),
        # a vector of ones is no number
        (r"\operatorname{diag}(c_t) \mathbf{1} = c_t", "true"),
        (r"\mathbf{1}^\top c_t = c_t^\top \mathbf{1}", "true"),
        (r"\mathbf{1}^\top c_t = c_t", "false"),
        # the size of I in a Kronecker product follows from its neighbours
        (r"\frac{\partial^{+} z_{f,t}}{\partial W_{fa}} = a_{t-1}^\top \otimes I", "true"),
        (r"\frac{\partial^{+} z_{f,t}}{\partial W_{fa}} = I \otimes a_{t-1}^\top", "false"),
    ],
)  # fmt: skip
def test_sizes(net: rs.Network, claim: str, verdict: str) -> None:
    assert check(claim, net, "post", diagnose=False, seconds=60.0).verdict == verdict
