"""Sources: the formulas of a document that somebody wrote, in order, with their lines and prose.

First stage of the flow towards a verdict: `rnnsym.sources` finds formulas and reads no mathematics.
The containers are parsed by markdown-it-py, nbformat and pylatexenc, loaded when they are needed.

model      what is found: formulas, macros, notes
files      reading a text or a file, and telling what kind of document it is
markdown   Markdown in its dialects (blocks, inlines: the rules added to the parser; dialects)
latex      LaTeX, read as a flat stream of tokens (displays: where a formula ends)
notebook   Jupyter notebooks: their Markdown cells
plain      text without markup
harvest    the formulas as they come in, with the prose around them
tidy       the source of one formula without what its container added
macros     definitions of macros
names      environments that are mathematics, and those that hide it
dollars    whether what stands between two dollars is mathematics or money
"""

from rnnsym.sources.files import read_file, read_source
from rnnsym.sources.model import Formula, Macro, Source

__all__ = ["Formula", "Macro", "Source", "read_file", "read_source"]
