"""Documents: derivations with their evidence, as LaTeX, Markdown, PDF or terminal text.

Last stage of the flow beside `rnnsym.verify`; formulas are printed by `rnnsym.latex` only.

content    what a document is made of
narrative  a derivation, or a network's forward pass, as content
tex, markdown, terminal   the same content in three forms
files      writing a document by the suffix of its name, whole or not at all
literate   the sources in derivations/, which mix prose with requests for formulas
"""
