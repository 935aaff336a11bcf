"""Why a term has no value: shapes, numbers that a field lacks, limits."""

from __future__ import annotations

from rnnsym.errors import RnnsymError


class MisfitError(RnnsymError):
    """Shapes that do not fit under a reading."""


class NumbersNeededError(RnnsymError):
    """A norm, an order or a root: what the finite field does not have."""


class CannotError(RnnsymError):
    """What cannot be evaluated at all; the message says why."""


class SizeNeededError(CannotError):
    """The size of an I that only a trial can find."""


class TooLargeError(RnnsymError):
    """Beyond a limit of time or size; no other reading is tried, the verdict is "unknown"."""


class NoValueError(CannotError):
    """A vector far outside of its steps."""
