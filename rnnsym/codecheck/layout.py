"""Layout: our arrays in the form in which a user's function wants them, and back.

Between `rnnsym.codecheck.adapter`, which says what that form is, and the call. Ours: time first,
weights (out, in), biases (n,). Uses nothing but NumPy, as the adapter does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .adapter import Adapter, Shapes  # loaded without the package in a worker
from .naming import Blocks, flat

Array = NDArray[Any]


@dataclass(frozen=True)
class Values:
    """What a function is called with, in our layout.

    parameters, sequences (inputs and targets) and initial states by name, sizes and T by name;
    batch: whether sequences are (T, B, n) and states (B, n), instead of (T, n) and (n,).
    """

    parameters: Mapping[str, Array]
    sequences: Mapping[str, Array]
    initial: Mapping[str, Array]
    sizes: Mapping[str, int] = field(default_factory=dict)
    batch: bool = False


class Layout:
    """The conversions of one adapter for one network."""

    def __init__(self, adapter: Adapter, shapes: Shapes) -> None:
        self.adapter, self.shapes = adapter, shapes
        self.theirs = adapter.theirs(shapes)
        self.copies: dict[str, int] = {}
        for ours in self.theirs.values():
            for name in flat(ours):
                self.copies[name] = self.copies.get(name, 0) + 1

    # ---- parameters ----------------------------------------------------------------------

    def parameter(self, theirs: str, values: Values) -> Array:
        """The value of one of their parameters."""
        used = flat(self.theirs[theirs])
        shares = {n: values.parameters[n] * self._share(theirs, n) for n in used}
        whole = _assembled(self.theirs[theirs], shares)
        if self._turned(theirs, whole):
            whole = whole.T
        return np.array(self._stood_up(whole))

    def _stood_up(self, vector: Array) -> Array:
        """A vector as a column or a row, where the adapter says so."""
        if vector.ndim != 1 or not (self.adapter.columns or self.adapter.rows):
            return vector
        return vector.reshape((-1, 1) if self.adapter.columns else (1, -1))

    def _share(self, theirs: str, ours: str) -> float:
        """Two of their parameters that are added, such as b_ih + b_hh, make one of ours."""
        if self.copies[ours] == 1:
            return 1.0
        users = [n for n, o in self.theirs.items() if ours in flat(o)]
        weights = [i + 1.0 for i in range(len(users))]
        return weights[users.index(theirs)] / sum(weights)

    def _turned(self, theirs: str, whole: Array) -> bool:
        odd = (self.adapter.layout == "rows") != (theirs in self.adapter.transposed)
        return whole.ndim == 2 and odd

    def gradients(self, theirs: str, found: Array, like: Mapping[str, Array]) -> dict[str, Any]:
        """The gradients of our parameters in that of one of theirs; a text where it does not fit.

        like: our parameters, for their shapes. A bias may come back as (n,), (n, 1) or (1, n).
        """
        names = self.theirs[theirs]
        whole = _assembled(names, like)
        turned = self._turned(theirs, whole)
        expected = whole.T.shape if turned else whole.shape
        if found.shape != expected:
            vector = whole.ndim < 2 and found.size == whole.size and found.ndim <= 2
            if not vector:
                # a transposed gradient is told apart where it is judged
                if whole.ndim == 2 and found.shape == expected[::-1] and isinstance(names, str):
                    return {names: found.T if turned else found}
                shape = self._stood_up(whole).shape if whole.ndim == 1 else expected
                fault = f"of shape {found.shape}, should be {shape}"
                return dict.fromkeys(flat(names), fault)
            found = found.reshape(whole.shape)
        return _taken_apart(names, found.T if turned else found, like)

    # ---- data ----------------------------------------------------------------------------

    def sequence(self, name: str, values: Values) -> Any:
        """An input or a target, with its axes in their order."""
        array = values.sequences[name]
        order = self.adapter.order_of(name) or "tn"
        axes = "tbn" if values.batch else "tn"
        if "t" not in order and name in self.shapes.single:
            array, axes = array[-1], axes[1:]
        form = self.adapter.numbers(name)
        if form is not None:
            return _numbers(array.argmax(-1), form, axes[:-1], order.replace("n", ""))
        wanted = order if values.batch else order.replace("b", "")
        wanted = wanted if "b" in wanted or not values.batch else axes
        moved = np.array(_ordered(array, axes, wanted))
        if name in self.adapter.squeeze:
            bare = moved.squeeze(wanted.index("n"))
            return float(bare[0]) if name in self.shapes.single and not values.batch else bare
        return moved[..., None] if self.adapter.columns and not values.batch else moved

    def told(self, values: Values) -> str:
        """What the inputs and targets are handed over as, in words."""
        found = []
        for name in values.sequences:
            given = self.sequence(name, values)
            form = f"{np.shape(given)}" if np.ndim(given) else "one number"
            numbers = self.adapter.numbers(name)
            if numbers is not None:
                form = f" {form}" if numbers in ("array", "column") else ""
                form = "as a class number" if numbers == "number" else f"as class numbers{form}"
            found.append(f"{name} {form}")
        return ", ".join(found)

    def state(self, name: str, values: Values) -> Array:
        """The initial value of a state."""
        array = values.initial[name]
        if values.batch:
            order = (self.adapter.order or "tbn").replace("t", "")
            return np.array(_ordered(array, "bn", order if "b" in order else "bn"))
        return np.array(self._stood_up(array))

    def arrival(self, name: str, found: Array, values: Values) -> Array | str:
        """The gradient by an input or an initial state in our axes; a text where it does not fit.

        What is handed over in other axes comes back in them: found out from the places of entries.
        """
        like = values.initial[name] if name in values.initial else values.sequences[name]
        places = np.arange(like.size, dtype=float).reshape(like.shape)
        if name in values.initial:
            theirs = self.state(name, replace(values, initial={name: places}))
        elif self.adapter.numbers(name) is not None:
            return "of class numbers, by which there is none: leave it out of returns"
        else:
            theirs = self.sequence(name, replace(values, sequences={name: places}))
        if found.size != like.size or _bare(found) != _bare(theirs):
            return f"of shape {found.shape}, should be {theirs.shape}"
        ours = np.empty(like.size)
        ours[theirs.ravel().astype(int)] = found.ravel()
        if not np.all(np.isfinite(ours)):
            return "not finite"
        return ours.reshape(like.shape)


def _bare(array: Array) -> list[int]:
    return [n for n in array.shape if n != 1]


def _numbers(numbers: Array, form: str, axes: str, order: str) -> Any:
    """Class numbers of each step, as the adapter says."""
    if form == "number":
        return numbers[-1] if "b" in axes else int(numbers[-1])
    if form == "list" and "b" not in axes:
        return [int(i) for i in numbers]
    ordered = np.array(_ordered(numbers, axes, order if "b" in axes else axes))
    return ordered[..., None] if form == "column" else ordered


def _ordered(array: Array, axes: str, wanted: str) -> Array:
    return array.transpose([axes.index(letter) for letter in wanted])


def _rows(names: Blocks) -> list[list[str]]:
    """A matrix of blocks from what users write: a name, names below each other, or rows."""
    if isinstance(names, str):
        return [[names]]
    return [[row] if isinstance(row, str) else [str(n) for n in row] for row in names]


def _assembled(names: Blocks, values: Mapping[str, Array]) -> Array:
    if isinstance(names, str):
        return values[names]
    if all(values[n].ndim < 2 for n in flat(names)):
        return np.concatenate([np.atleast_1d(values[n]) for n in flat(names)])
    return np.block([[values[n] for n in row] for row in _rows(names)])


def _taken_apart(names: Blocks, whole: Array, like: Mapping[str, Array]) -> dict[str, Any]:
    if isinstance(names, str):
        return {names: whole}
    found: dict[str, Any] = {}
    top = 0
    for row in _rows(names):
        left = 0
        for name in row:
            shape = like[name].shape
            if len(shape) < 2:
                found[name] = whole[top : top + like[name].size].reshape(shape)
            else:
                found[name] = whole[top : top + shape[0], left : left + shape[1]]
                left += shape[1]
        top += like[row[0]].shape[0] if like[row[0]].ndim else 1
    return found
