"""What is too large to be evaluated, refused before it is tried."""

from __future__ import annotations

from rnnsym.reader.indices import Index
from rnnsym.reader.tokens import fail

MAX_EXPONENT = 64


def check_exponent(exponent: Index, position: int) -> None:
    """Raises UnreadableError for a power that nobody means."""
    if abs(exponent.constant) > MAX_EXPONENT or any(
        abs(c) > MAX_EXPONENT for _, c in exponent.letters
    ):
        fail(f"too large: an exponent beyond {MAX_EXPONENT}", position)
