"""What a cell is: its equations, whose they are, and its names in other notations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Cell:
    """A recurrent cell with input ``x`` and state ``a`` (and others), as text to be read.

    equations(options) gives the text; `options` maps each option of the cell's own to its
    possible values, the default first; `source` says whose equations they are; `notations` maps
    a notation profile to LaTeX names; `reference` names the module of `rnnsym.reference` that
    computes the same gradients by hand; `torch` names the module of `torch.nn` with the same
    equations and maps its weights to ours (see `rnnsym.models`).
    """

    name: str
    title: str
    source: str
    equations: Callable[[Mapping[str, str]], str]
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    reference: str | None = None
