"""The reader of LaTeX: formulas that people write, into trees that claims and networks are made of.

A way in, beside `rnnsym.equations`. Text is never evaluated; what cannot be read whole is refused
with the position and the reason.

tokens    text to tokens with positions; limits
macros    macros of the document, expanded
syntax    the tree of a formula, before anybody knows what its symbols are
parser    tokens to that tree, with cursor, factors, atoms, quotients; commands: what they do
statements  what a formula says, row by row
series    … in sums and products; ranges: limits of sums; limits: what is too large
indices   times, layers and other whole numbers in scripts and limits
symbols   what a symbol with its scripts is called, and when
table     what the symbols of a document stand for
terms     the tree of a formula whose symbols are known
resolve   from syntax to terms, with meanings, brackets, derivatives
vocabulary  what the symbols of a document stand for, found in its own equations
choosing  which of several equations for one name counts
entries   equations between entries as equations between matrices
writing   terms in the text of `rnnsym.equations`
placing   these texts: which equation of each name counts; lines, losses: what they say
making    what they leave open, completed to a network
customary   what custom has where a document leaves equations out; known_cells: whole cells
network   forward equations to a network, of all these
"""
