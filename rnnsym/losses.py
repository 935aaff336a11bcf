"""The built-in losses: one equation each, over a prediction ŷ⟨t⟩ and a target y⟨t⟩.

Read by `rnnsym.network`; a loss of your own is written as an equation ``L[t] = …`` instead.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Loss:
    """A loss: its right-hand side in terms of ``y`` and ``y_hat``, and what targets it is for.

    ``targets`` is "distribution" (entries sum to one), "probability" (each in [0, 1]) or "real";
    ``logarithm`` says that it takes the logarithm of the prediction.
    """

    rhs: str
    targets: str
    logarithm: bool = False


LOSSES = {
    # Goodfellow, Bengio & Courville 2016, eq. 6.12 ff.: -Σ_j y_j log ŷ_j
    "cross_entropy": Loss("-y[t].T @ log(y_hat[t])", "distribution", True),
    "binary_cross_entropy": Loss(
        "-(y[t].T @ log(y_hat[t]) + (1 - y[t]).T @ log(1 - y_hat[t]))", "probability", True
    ),
    "squared_error": Loss("(y_hat[t] - y[t]).T @ (y_hat[t] - y[t]) / 2", "real"),
}
