"""Why a function cannot be judged at all: the errors of codecheck, by what they are about."""

from __future__ import annotations

from rnnsym.errors import InputError

#: how far an attempt to judge a function got
STAGES = ("adapter", "call", "result")


class ProcessFailed(InputError):
    """The function could not be judged: it took too long, or its process ended."""


class Uncallable(InputError):
    """A function could not be judged: its adapter does not fit the network ("adapter"), every
    call of it fails ("call"), or what comes back is not what was announced ("result")."""

    def __init__(self, text: str, where: str) -> None:
        super().__init__(text)
        self.where = where


class OfACell(Exception):
    """The adapter says that the calls are one step; words: what they are handed."""

    def __init__(self, words: list[str]) -> None:
        super().__init__("cell")
        self.words = words
