"""The errors that rnnsym raises on purpose; every message names the place and the fix.

First in the flow: every other module may raise these, this one imports nothing.
"""

from __future__ import annotations


class RnnsymError(Exception):
    """Base of all errors that rnnsym raises on purpose."""


class InputError(RnnsymError, ValueError):
    """What the caller gave is wrong: an equation, an option, a size, an array, a path."""


class NotSupportedError(RnnsymError, NotImplementedError):
    """The request makes sense, but no rule of rnnsym covers it."""


class UnavailableError(RnnsymError, RuntimeError):
    """An optional tool or library that this request needs is not installed."""
