"""Raised figures of Unicode, which TeX and HTML write in their own way."""

RAISES = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻"
RAISED = str.maketrans(RAISES, "0123456789+-")
