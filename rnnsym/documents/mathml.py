"""Formulas as native MathML: no script, no fonts, no network; screen readers read it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from rnnsym.errors import UnavailableError


@cache
def converter() -> Callable[[str, bool], str]:
    """The function (LaTeX, displayed) -> MathML.

    A displayed formula is as large as in a display, but stands in the line: the page places it.
    Raises UnavailableError where math-core is not installed.
    """
    try:
        from math_core import LatexToMathML
    except ImportError:
        raise UnavailableError(
            "an HTML page needs math-core for its formulas: pip install 'rnnsym[latex]'"
        ) from None
    convert = LatexToMathML(fancy_error=False).convert_with_local_state

    def mathml(latex: str, displayed: bool = False) -> str:
        text = convert(latex, displaystyle=False)
        return text.replace("<math", '<math displaystyle="true"', 1) if displayed else text

    return cache(mathml)
