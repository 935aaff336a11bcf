"""latex2sympy2 as an independent second reader of the equations that rnnsym prints.

A witness beside the flow: equations are written as scalar equations in plain LaTeX, one a
component, and somebody else's program says what it reads there. Nothing else of rnnsym uses it but
`rnnsym.verify.kinds`, on demand.

scalars     the component i, j of an expression, as a scalar SymPy expression
plain       a scalar expression as plain LaTeX
names       names of components that come back as they were written
components  the component equations of a network: forward, adjoint, gradients
sample      which of them are read where there are too many
values      the value of what was read, in a closed set of operations
library     latex2sympy2 itself
child       reads texts in a process with limits; limits: which
worker      has texts read in children, and outlives them
reading     asks the worker
kind        the kind of evidence `latex2sympy2`
"""
