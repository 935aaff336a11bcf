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

and, of networks and of what is proved about them::

    equations                        the equations as given, and the steps at which they hold
    compact equations                the compact form; that it is the same is checked, not shown
    compact proof                    that the compact notation says the same, without headings
    vectors, shapes, types           tables: quantities, parameters, types of networks
    examples                         several sequences, and that their gradients add up
    neighbours T=10,50               the recurrent network beside others, in numbers
    shifted T=3                      one input at one step after the other: what learns from it
    numbers T=3                      a forward pass in numbers
    lines W_aa: solution, gradient   the steps of a derivation by these rules
    padded                           that padded steps add nothing
    reversal W_aa_fwd                that the backward direction is the forward one reversed
    layer                            one layer of a stack, whichever it is
    jacobian: a_l3, a_l2             the Jacobian between two vectors of a step

and, of how gradients flow and of what helps::

    flow W_aa T=30: map, decay       what each step adds to each loss: term, map, decay, …
    flows T=30: elman, gru           several models side by side
    lyapunov T=600: elman, gru       the exact rates of their Jacobian products
    statements flow: one Jacobian    what is proved of flows or of clipping (brief: without proof)
    counterexamples: by value        what is not true of clipping
    memory task=adding results=FILE  stored results of `python -m rnnsym.experiments --json`
    truncation W_aa K                the truncated gradient and what is left out
    window W_aa K_1 K_2              the same for a window that slides
    reach chunk=3 T=7                which losses still see which inputs
    bias W_aa T=60: 1, 2, 5          the error of truncated gradients
    costs T=100 chunk=5 every=2 back=5    what truncation costs
    clipping picture                 directions before and after
    paths T=20: elman                the number of paths between states
    roots T=30: 0.5 0.4              one unit with a shortcut, for some weights
    direct path c                    what a state hands on to itself
    gates c T=60 bias=b_f: 0, 3      the same against all paths, for some biases of a gate
    errata, erratum NAME             where the post is wrong or ambiguous

each with ``model=NAME`` for another model than that of the settings. What a source has shown is
not written again but referred to; ``derive W_ax full`` writes it all the same. Inline code that
begins with an equals sign, `` `=a[t-1]` `` or `` `=lstm.c[t-1]` ``, prints a quantity of a model.

A block marked ``network NAME`` holds forward equations of one's own, and settings such as
``loss: squared_error``; the network is a model of this source by that name. Pipe tables may have
quantities in their cells. No formula is typed in a source, so none can be wrong without the build
saying so.

reading    a source as content
requests   what a source can ask for: a table that other modules extend
networks_requests, numbers_requests, proofs_requests, reversal_requests
           which add the second group above
topics, cures, shortcuts   which add the third; plain: how statements about numbers are printed
networks   the models of a source
building   a folder of sources as a book, a site and notes for Hugo
"""

from rnnsym.documents.literate import (  # noqa: F401, they register
    cures,
    networks_requests,
    numbers_requests,
    proofs_requests,
    reversal_requests,
    shortcuts,
    topics,
)
from rnnsym.documents.literate.building import build
from rnnsym.documents.literate.reading import Source
from rnnsym.documents.literate.requests import REQUESTS, Ask, request

__all__ = ["REQUESTS", "Ask", "Source", "build", "request"]
