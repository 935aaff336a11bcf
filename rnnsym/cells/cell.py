"""What a cell is: its equations, whose they are, and its names in other notations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Gate:
    """A block of rows in the weights of a module of `torch.nn`, and what we call it.

    source, state: our weights of x⟨t⟩ and a⟨t-1⟩; bias: ours, the sum of PyTorch's b_ih and b_hh,
    or b_ih alone if `state_bias` names ours for b_hh.
    """

    source: str
    state: str
    bias: str
    state_bias: str | None = None


@dataclass(frozen=True)
class TorchModule:
    """The module of `torch.nn` with the same equations as a cell.

    name: the class; gates: its blocks of rows from above; options: the values that options of the
    cell must have; keywords: option of the cell -> (keyword of the module, its possible values).
    """

    name: str
    gates: tuple[Gate, ...]
    options: Mapping[str, str] = field(default_factory=dict)
    keywords: Mapping[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Cell:
    """A recurrent cell with input ``x`` and state ``a`` (and others), as text to be read.

    equations(options) gives the text; `options` maps each option of the cell's own to its
    possible values, the default first; `source` says whose equations they are; `notations` maps
    a notation profile to LaTeX names; `reference` names the module of `rnnsym.reference` that
    computes the same gradients by hand; `torch` says which module of `torch.nn` has the same
    equations and which of its rows are which of our weights (see `rnnsym.torch_weights`).
    """

    name: str
    title: str
    source: str
    equations: Callable[[Mapping[str, str]], str]
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    reference: str | None = None
    torch: TorchModule | None = None
