"""The environments that are mathematics, and those whose contents are none of the document's.

Facts about LaTeX, amsmath and common packages; used by the readers of LaTeX and Markdown.
"""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


#: environments that are a formula wherever they stand
DISPLAYS = words(
    """
    equation align gather multline eqnarray displaymath math flalign alignat xalignat xxalignat
    dmath IEEEeqnarray empheq
    """
)
#: those of them whose name is followed by arguments
WITH_ARGUMENTS = frozenset(["alignat", "xalignat", "xxalignat", "IEEEeqnarray", "empheq"])
#: environments that belong inside a formula; MathJax shows them without one, too
INNER = words(
    """
    aligned alignedat gathered split multlined cases dcases rcases array matrix pmatrix bmatrix
    Bmatrix vmatrix Vmatrix smallmatrix
    """
)
#: environments that show their contents as they are
VERBATIM = words(
    """
    verbatim Verbatim BVerbatim LVerbatim lstlisting minted alltt filecontents comment pycode
    """
)
#: environments of drawings: what is between dollars there is no statement
DRAWINGS = words(
    """
    tikzpicture tikzcd pgfpicture circuitikz forest pspicture picture
    """
)
#: environments with the format of columns as an argument, which may have dollars in it
TABLES = frozenset(["tabular", "tabularx", "tabulary", "longtable", "supertabular", "NiceTabular"])


def unstarred(name: str) -> str:
    """An environment's name without its star."""
    return name.removesuffix("*")
