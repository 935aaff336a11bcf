"""The libraries that parse containers, loaded when a document of their kind is read."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from rnnsym.errors import UnavailableError


def load(module: str) -> ModuleType:
    """A module of an optional library.

    Raises UnavailableError where it is not installed, with the command that installs it.
    """
    try:
        return import_module(module)
    except ImportError:
        library = module.partition(".")[0]
        raise UnavailableError(
            f"reading this document needs {library}: pip install 'rnnsym[audit]'"
        ) from None
