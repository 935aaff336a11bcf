"""What helps against gradients that explode: clipping, and what can be proved of it.

clipping         gradients of bounded length, as NumPy code
definition       the definition on scalars, and its notation
proofs           what clipping keeps and bounds, derived and checked
refutations      what it does not keep, and where formulas of others fail, found by search
trials, exact    rational vectors with rational norms: where properties are tried exactly

Uses nothing of the calculus: a gradient is here a dict of arrays, wherever it comes from.
"""

from rnnsym.remedies.clipping import clip_by_group, clip_by_norm, clip_by_value
from rnnsym.remedies.proofs import Property, properties
from rnnsym.remedies.refutations import Counterexample, counterexamples

__all__ = [
    "Counterexample",
    "Property",
    "clip_by_group",
    "clip_by_norm",
    "clip_by_value",
    "counterexamples",
    "properties",
]
