"""latex2sympy2 itself: imported, warmed up, and watched for what it keeps between two texts.

Imported by the worker alone. Nothing is changed in how it reads but the order in which its parser
looks: in the two stages that ANTLR's documentation recommends, first with SLL prediction, which
finds the same tree as the full LL prediction or a syntax error, and in that case again with LL.
"""

from __future__ import annotations

import gc
import warnings
from typing import Any

from rnnsym.second.values import value

_A, _B, _D = r"\mathit{zctilde:1:1}", r"\mathit{Wl2aa:1:1}", r"\mathit{delta:yhat:1:1}"
#: read at the start: the parser learns its grammar on the way
_WARM = (
    rf"{_B} \cdot {_A}-{_D} \cdot {_B}+{_A}-{_A}+1",
    rf"{_D} \cdot {_A} \cdot ({_D} \cdot {_B}+{_A})-{_D} \cdot (1-{_A} \cdot {_A})",
    rf"-{_D} \cdot \ln({_D})-(1-{_D}) \cdot \ln(1-{_A})+\ln({_A}) \cdot {_A}",
    rf"\tanh({_A})+\tanh({_D}) \cdot {_A}-{_D} \cdot \tanh({_A})",
    rf"\frac{{1}}{{1+\exp(-{_A})}}+\frac{{{_A}}}{{{_A} \cdot {_A}}}",
    rf"-\frac{{\exp({_A})}}{{\exp({_A})+\exp({_D})+\exp({_A})}}-\frac{{{_D}}}{{{_A}}}",
    rf"\frac{{1-{_A}}}{{1-{_D}}}-\frac{{{_D}}}{{{_A}}}+\frac{{|{_A}|}}{{2}}",
)
#: the globals of latex2sympy2 that outlive a text and change how the next one is read
_STATE = ("is_real", "variances", "var", "VARIABLE_VALUES")


class Library:
    """The reader. Raises ImportError where it is not installed."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import latex2sympy2 as module
            from antlr4.atn.PredictionMode import PredictionMode

        self._module, self._thorough = module, module.PSParser

        class Quick(module.PSParser):
            def __init__(self, *arguments: Any) -> None:
                super().__init__(*arguments)
                self._interp.predictionMode = PredictionMode.SLL

        self._quick = Quick
        for latex in _WARM:
            value(self.read(latex), _Any())
        gc.collect()
        gc.freeze()  # what forks of this process share is left alone

    def read(self, latex: str) -> Any:
        """What latex2sympy2 makes of a text; raises whatever it raises."""
        self._module.PSParser = self._quick
        try:
            return self._module.latex2sympy(latex)
        except Exception:
            self._module.PSParser = self._thorough
            return self._module.latex2sympy(latex)

    def state(self) -> list[Any]:
        """A copy of what it keeps; equal to an earlier one if nothing was kept since."""
        found = (getattr(self._module, name) for name in _STATE)
        return [dict(v) if isinstance(v, dict) else v for v in found]


class _Any(dict[str, float]):
    """A number for every symbol."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> float:
        return 0.5
