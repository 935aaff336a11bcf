"""Evidence: is what was derived and generated true? Nothing here derives or prints.

Last stage of the flow. What decides is `rnnsym.evaluate`; this folder draws the points, holds
what is under test against it, and reports.

kinds            verify(): every gradient against every kind of evidence
case             the point at which a network is compared, and the comparison of floats
backpropagation  numerical BPTT: the hand-written reference, or a tape
tape             reverse mode over NumPy arrays
differences      complex step and central differences
autograd         PyTorch and JAX on the forward equations
exact            identity test over a finite field, for gradients
adjoints         the derived backward pass in any arithmetic
degree           what bounds the probability that the identity test errs
steps            every step of a derivation, by the identity test
mutations        the catalogue of wrong gradients, which the verifier must refute
mutation_subject what they change; mutated_systems, mutated_code: backward passes, as they go wrong
                 in derivations and in code; mutated_sums: sums of Jacobian products;
                 mutated_names: one name for another, for diagnosis only
contest          who finds the mutants: the exact test, gradcheck, check_grads
example          a small counterexample in numbers, for readers
report           Report: as text, HTML and JSON
"""

from rnnsym.verify.kinds import KINDS, verify
from rnnsym.verify.report import Evidence, Report

__all__ = ["KINDS", "Evidence", "Report", "verify"]
