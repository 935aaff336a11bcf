"""Where the post is wrong, or can be read in two ways: each case with its proof or counterexample.

End of the flow, beside the documents that print it. What is wrong is made from what was derived:
a formula of the calculus with one thing changed, as in `rnnsym.verify.mutated_sums`; the exact test
refutes it. What is about numbers is decided by SymPy, or found by search.

record     what an erratum is, and the table of them
sums       the sum of Jacobian products, the sum over time
products   vanishing and exploding
remedies   clipping and truncation

>>> erratum("order").verdict
'ambiguous'
"""

from rnnsym.errata import sums  # isort: skip - the order of the post
from rnnsym.errata import products  # isort: skip
from rnnsym.errata import remedies  # isort: skip
from rnnsym.errata.record import Erratum, Finding, Statement, errata, erratum, names
from rnnsym.errata.remedies import reach

__all__ = [
    "Erratum", "Finding", "Statement", "errata", "erratum", "names", "products", "reach",
    "remedies", "sums",
]  # fmt: skip
