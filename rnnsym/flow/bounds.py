"""All that is proved of vanishing and exploding gradients, and where the bounds end.

`properties` puts together the case of one unit, that of many, powers of one matrix, and what a
bound of this kind does not cover: cells whose Jacobian has parts that no recurrent weight is in.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from sympy import Gt

from rnnsym.cells import CELLS
from rnnsym.flow.jacobians import coverage, jacobians
from rnnsym.flow.matrix_case import GAMMA, ONE, SIGMA, matrix_properties
from rnnsym.flow.recurrent import recurrence_of
from rnnsym.flow.scalar_case import scalar_properties
from rnnsym.flow.setting import setting
from rnnsym.flow.spectral import spectral_properties
from rnnsym.models import build
from rnnsym.remedies import Property

STEPS = 20


@cache
def properties() -> tuple[Property, ...]:
    """Every statement, derived and checked: `Property(name, claim, proof, check, ok)`.

    Takes some seconds the first time.
    """
    return (*scalar_properties(), *matrix_properties(), *spectral_properties(), *uncovered())


def uncovered() -> list[Property]:
    """The built-in cells that no bound (γ σ_max)^(t-k) holds for, with the proof by numbers."""
    found = []
    for name in CELLS:
        net = build(name, {})
        r = recurrence_of(net)
        covered = coverage(r)
        if covered.applies:
            continue
        drawn = setting(net, STEPS, {n: 4 for n in net.sizes}, 0)
        none = {n: np.zeros_like(drawn.params[n]) for n in r.weights}
        there = setting(net, STEPS, drawn.sizes, 0, params=none)
        lengths = jacobians(there, r).by_distance()[0]
        rate = float(np.exp(lengths[-1] / (STEPS - 1)))
        check = (f"with all of {', '.join(r.weights)} zero the product of {STEPS - 1} Jacobians "
                 f"still has norm {rate:.3g}^{STEPS - 1}, where the bound would be 0")  # fmt: skip
        proof = (
            (r.jacobian, f"the Jacobian of one step of {name}: {covered.why}"),
            (Gt(ONE, GAMMA * SIGMA), "where the weights are zero, and σ_max with them: gates that "
             "are open hand on what they hold"),
        )  # fmt: skip
        claim = f"the bound does not cover {name}"
        found.append(Property(claim, r.jacobian, proof, check, bool(np.isfinite(lengths[-1]))))
    return found
