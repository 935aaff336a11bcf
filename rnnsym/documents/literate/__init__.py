"""Literate sources: Markdown prose with requests for formulas, which are derived and checked.

A source begins with settings between two lines of ``---``: ``model: NAME``, ``notation: NAME``,
and whatever else a site wants of a page (title, weight, date, …), which is handed on. A fenced
block marked ``rnnsym`` holds requests, one a line::

    forward pass                     the equations of the model
    conventions                      layout and notation
    derive W_aa: Linearity           sections of a derivation (all of them without a colon)
    derive W_aa T=3: Term by term    the same for a concrete T
    compact                          the compact notation and its proof
    graph T=3                        the unrolled graph

each with ``model=NAME`` for another model than that of the settings. What a source has shown is
not written again but referred to; ``derive W_ax full`` writes it all the same. Inline code that
begins with an equals sign, `` `=a[t-1]` `` or `` `=lstm.c[t-1]` ``, prints a quantity of a model.

A block marked ``network NAME`` holds forward equations of one's own, and settings such as
``loss: squared_error``; the network is a model of this source by that name. Pipe tables may have
quantities in their cells. No formula is typed in a source, so none can be wrong without the build
saying so.

reading    a source as content
requests   what a source can ask for: a table that other modules extend
networks   the models of a source
building   a folder of sources as a book, a site and notes for Hugo
"""

from rnnsym.documents.literate.building import build
from rnnsym.documents.literate.reading import Source
from rnnsym.documents.literate.requests import REQUESTS, Ask, request

__all__ = ["REQUESTS", "Ask", "Source", "build", "request"]
