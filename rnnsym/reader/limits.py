"""What is too large to be evaluated, refused before it is tried."""

from __future__ import annotations

from rnnsym.reader.indices import Index
from rnnsym.reader.tokens import fail

MAX_EXPONENT = 64
#: scripts that one symbol may carry, and tokens of its subscript or superscript
MAX_SCRIPTS, MAX_SCRIPT = 8, 300


def check_scripts(number: int, tokens: int, position: int) -> None:
    """Raises UnreadableError for a symbol with more scripts than can be told apart."""
    if tokens > MAX_SCRIPT:
        fail(f"too large: a script of more than {MAX_SCRIPT} tokens", position)
    if number > MAX_SCRIPTS:
        fail(f"too large: more than {MAX_SCRIPTS} scripts on one symbol", position)


def check_exponent(exponent: Index, position: int) -> None:
    """Raises UnreadableError for a power that nobody means."""
    if abs(exponent.constant) > MAX_EXPONENT or any(
        abs(c) > MAX_EXPONENT for _, c in exponent.letters
    ):
        fail(f"too large: an exponent beyond {MAX_EXPONENT}", position)
