"""The printers: expressions and derivations in LaTeX or Unicode text. The only place where LaTeX
is made.

profiles   how names, fonts and times are written in each notation
walker     the structure of an expression: order, brackets, signs (shared by both printers)
printer    LaTeX, in the subset that LaTeX, KaTeX, MathJax and MathML converters share
text       Unicode text for terminals
"""

from rnnsym.latex.printer import LatexPrinter
from rnnsym.latex.profiles import PROFILES, Profile
from rnnsym.latex.text import TextPrinter

__all__ = ["PROFILES", "LatexPrinter", "Profile", "TextPrinter"]
