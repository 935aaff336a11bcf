"""Limits for what latex2sympy2 is given."""

from __future__ import annotations

#: for one text
SECONDS = 10.0
#: bytes, for the process that reads it
MEMORY = 2**30
#: characters of a text that is given to it at all
LONGEST = 20_000
#: texts that one process reads, as long as nothing happens
TOGETHER = 25
