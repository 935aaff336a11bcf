"""Documents: derivations with their evidence, as LaTeX, Markdown, HTML, notebooks, PDF or text.

Last stage of the flow beside `rnnsym.verify`; formulas are printed by `rnnsym.latex` only.

content    what a document is made of
narrative  a derivation, or a network's forward pass, as content
plots      data as pictures: lines and heat maps (canvas, scales, labels, heatmap)
formulas   how displayed formulas are laid out
tex, markdown, html, notebook, terminal   the same content in five forms
files      writing a document by the suffix of its name, whole or not at all
literate   the sources in derivations/, which mix prose with requests, built into a book
"""
