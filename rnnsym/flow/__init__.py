"""How gradients flow back through time: where they vanish, where they explode, and why.

contributions, family, distance   dL⟨t⟩/dW itemised by the step k of the use; any arithmetic
setting                           the point: given arrays, the rest at random
flow                              the terms as an object: norms, decay, formulas, checks
symbolic                          one term as a formula of the calculus
recurrent, jacobians, lyapunov    Jacobian products of a recurrence, their bound, exact rates
slopes                            γ = sup |g′| of an activation
scalar_case, matrix_case, spectral, bounds   the mathematics of the bounds, derived and checked
pictures, report                  figures, tables, text, documents
"""

from rnnsym.flow.contributions import contributions
from rnnsym.flow.flow import Flow, flow
from rnnsym.flow.jacobians import Jacobians, jacobians
from rnnsym.flow.lyapunov import Lyapunov, lyapunov
from rnnsym.flow.pictures import compare, picture

__all__ = [
    "Flow",
    "Jacobians",
    "Lyapunov",
    "compare",
    "contributions",
    "flow",
    "jacobians",
    "lyapunov",
    "picture",
]
