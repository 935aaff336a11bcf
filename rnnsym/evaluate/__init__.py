"""The trusted base: what decides truth in rnnsym, and nothing else.

Forward evaluation of equations, dual numbers, the identity test and the comparison of floats.
It knows the node types and the equations of a network; it imports nothing of the calculus
(`rnnsym.algebra`, `rnnsym.rules`, `rnnsym.derive`), which it checks.

arithmetic  matrices of floats, complex numbers, 50-digit numbers
field       matrices over the field of 2^61 - 1 elements, with oracles for functions
dual        dual numbers over any arithmetic: forward-mode derivatives
expression  the value of an expression in an arithmetic
trajectory  the values of all nodes of a network at all times, and their true derivatives
point       where to evaluate: sizes, T, parameters, inputs, targets, initial states
"""
