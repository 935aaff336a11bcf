"""Hand-written backpropagation through time: the numerical truth that derivations are checked with.

Every module holds one cell and one function, ``gradients``, written out from the chain rule with
numpy alone. Nothing here uses the rest of the package, so an agreement is between two independent
computations.
"""

from rnnsym.reference import elman, gru, lstm

__all__ = ["elman", "gru", "lstm"]
