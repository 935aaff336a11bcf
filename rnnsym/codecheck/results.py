"""What a user's function returned: loss and gradients in our layout, or what is wrong with them.

Between the call and the verdicts. Uses nothing but NumPy, as the adapter does; in a worker process
it is loaded without the package.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .adapter import Adapter, Shapes
from .layout import Layout, Values
from .naming import flat, gradient_at, is_place, owner, steps

Array = NDArray[Any]


@dataclass
class Outcome:
    """What a call gave.

    gradients: ours -> array, in our layout; faults: ours -> what is wrong with a gradient that is
    no array of numbers of its shape; loss: if one came back; error: the exception, with the user's
    own line; unusable: why the result as a whole is none; changed: the arguments that the call
    wrote into; extra: names of results that belong to no parameter, input or initial state.
    """

    gradients: dict[str, Array] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    loss: float | None = None
    error: str | None = None
    unusable: str | None = None
    changed: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)


class Unusable(Exception):
    """What came back has not the form that was announced."""


class Results:
    """Reads the results of one adapter for one network."""

    def __init__(self, adapter: Adapter, shapes: Shapes, layout: Layout) -> None:
        self.adapter, self.shapes, self.layout = adapter, shapes, layout

    def taken(self, result: Any, holder: Any) -> tuple[float | None, dict[str, Any]]:
        """(loss, theirs -> gradient) of a result."""
        returns = self.adapter.returns
        if returns is not None:
            by_key = isinstance(returns, Mapping)
            words = returns.values() if isinstance(returns, Mapping) else returns
            loss, found = self._by_key(returns, result) if by_key else self._by_position(result)
            given = "gradients" in words
            given = given or any(name in self.layout.theirs for name in found)
            return loss, found if given or holder is None else {**self._attributes(holder), **found}
        if holder is not None and not _has_gradients(result):
            return None, self._attributes(holder)
        loss = None
        if isinstance(result, tuple) and len(result) >= 2:
            if isinstance(result[0], Mapping):
                words = ", ".join(["'gradients'", *["'_'"] * (len(result) - 1)])
                raise Unusable(
                    f"the first of the {len(result)} values that came back is a dict: if these are "
                    f"the gradients, say returns=({words}), with 'loss' where the loss is"
                )
            loss, result = _number(result[0]), result[1]
        if not isinstance(result, Mapping):
            raise Unusable(
                "the function must return the gradients as a dict by parameter name, or (loss, "
                f"gradients), not {_kind_of(result)}; an adapter with returns=… takes others"
            )
        return loss, self._renamed(result)

    def beside(self, result: Any) -> tuple[float | None, dict[str, Any]]:
        """(loss, gradients by inputs and states) in the result of a function that updates its
        parameters itself, as far as they are there."""
        if self.adapter.returns is not None:
            return self.taken(result, None)
        if result is None:
            return None, {}
        try:
            return float(np.asarray(result, dtype=float).reshape(())), {}
        except (TypeError, ValueError):
            return None, {}

    def _by_key(self, words: Any, result: Any) -> tuple[float | None, dict[str, Any]]:
        parts = result if isinstance(result, tuple | list) else [result]
        table = next((p for p in parts if isinstance(p, Mapping)), None)
        if table is None:
            raise Unusable(
                f"returns names keys, but what came back is no dict but {_kind_of(result)}"
            )
        loss: float | None = None
        found: dict[str, Any] = {}
        for key, word in words.items():
            whose = self._whose(word)
            if word == "loss" and key in table:
                loss = _number(table[key])
            elif whose is not None and key in table:
                found[whose] = table[key]
        return loss, {**self._unsaid(words, table), **found}

    def _unsaid(self, words: Any, table: Mapping[Any, Any]) -> dict[str, Any]:
        """The gradients by parameters in a dict under keys that the adapter does not name."""
        rest = {k: v for k, v in table.items() if k not in words}
        return {n: g for n, g in self._renamed(rest).items() if n in self.layout.theirs}

    def _by_position(self, result: Any) -> tuple[float | None, dict[str, Any]]:
        words = list(self.adapter.returns or ())
        parts = [result] if len(words) == 1 else result
        if not isinstance(parts, tuple | list) or len(parts) != len(words):
            count = f"{len(parts)} values" if isinstance(parts, tuple | list) else _kind_of(parts)
            raise Unusable(f"returns announces {len(words)} values, the function gave {count}")
        loss: float | None = None
        found: dict[str, Any] = {}
        for word, part in zip(words, parts, strict=True):
            if word == "loss":
                loss = _number(part)
            elif word == "gradients":
                if not isinstance(part, Mapping):
                    raise Unusable(f"the result 'gradients' is no dict but {_kind_of(part)}")
                found.update(self._renamed(part))
            else:
                whose = self._whose(word)
                if whose is not None:
                    found[whose] = part
        return loss, found

    def _whose(self, word: str) -> str | None:
        """The parameter of theirs, the input or the state that a result is the gradient by."""
        return self.adapter.returned(word, self.shapes) or self.adapter.arrival(word, self.shapes)

    def _attributes(self, holder: Any) -> dict[str, Any]:
        table = getattr(holder, "grads", None)
        if isinstance(table, Mapping):
            return self._renamed(table)
        found: dict[str, Any] = {}
        for name in self.layout.theirs:
            if is_place(name):
                value = gradient_at(holder, name)
                found |= {} if value is None else {name: value}
                continue
            usual = [f"d{name}", f"d_{name}", f"grad_{name}", f"{name}_grad"]
            every = self._named(dir(holder), name)
            for attribute in (*(a for a in usual if a in every), *every):
                found[name] = getattr(holder, attribute)
                break
        if not found:
            raise Unusable(
                "no gradients were found: return them from the last call, or keep them as "
                f"attributes such as d{next(iter(self.layout.theirs))}, or in a dict grads; where "
                f"the call updates the parameters itself, say rate=… (the learning rate)"
            )
        return found

    def _named(self, attributes: Sequence[str], name: str) -> list[str]:
        """The attributes that are the gradient by a parameter; underscores count if they must."""
        theirs, bare = self.layout.theirs, name.replace("_", "")
        others = [a for a in attributes if a.replace("_", "") != bare]
        exact = [a for a in others if owner(a, theirs) == name]
        known = [a for a in others if owner(a, theirs) is not None]
        more = (a for a in others if a not in known and owner(a, theirs, loose=True) == name)
        return [*exact, *more]

    def _renamed(self, table: Mapping[Any, Any]) -> dict[str, Any]:
        """Their gradients by the names of their parameters; with an adapter also `dWhh`."""
        found: dict[str, Any] = {}
        prefixed = bool(self.adapter.names or self.adapter.calls or self.adapter.returns)
        for name in self.layout.theirs:
            inside = gradient_at(table, name) if is_place(name) and name not in table else None
            found |= {} if inside is None else {name: inside}
        roots = {str(steps(name)[0]) for name in found}
        for key, value in table.items():
            if owner(str(key), roots):
                continue  # a list of gradients, taken apart above
            whose = owner(str(key), self.layout.theirs) if prefixed else None
            if whose is None and prefixed and self.adapter.arrival(str(key), self.shapes) is None:
                whose = owner(str(key), self.layout.theirs, loose=True)
            if whose is None and str(key) not in self.layout.theirs:
                whose = self.adapter.arrival(str(key), self.shapes)  # dx, da0
            name = str(key) if whose is None else whose
            if name not in found or key == name:
                found[name] = value
        return found

    def unread(self, result: Any) -> list[str]:
        """The keys of a dict that came back which `returns` does not speak of."""
        words = self.adapter.returns
        if not isinstance(words, Mapping):
            return []
        parts = result if isinstance(result, tuple | list) else [result]
        table = next((p for p in parts if isinstance(p, Mapping)), {})
        known = {id(g) for g in self._unsaid(words, table).values()}
        return [str(k) for k, v in table.items() if k not in words and id(v) not in known]

    def _of_else(self, name: str) -> bool:
        """Whether a result that does not fit may be of something else: of a state at each step."""
        return name in self.shapes.states or self.adapter.numbers(name) is not None

    def sort(self, found: Mapping[str, Any], values: Values, outcome: Outcome) -> None:
        """Every gradient into the outcome, as an array in our layout or as a fault."""
        missing = set(self.shapes.parameters)
        for theirs in self.layout.theirs:
            if theirs not in found:
                continue
            array, fault = _array(found[theirs])
            parts: Mapping[str, Any] = {}
            if array is not None:
                parts = self.layout.gradients(theirs, array, values.parameters)
            for ours in parts or flat(self.layout.theirs[theirs]):
                missing.discard(ours)
                part = parts.get(ours, fault)
                if isinstance(part, str):
                    outcome.faults[ours] = part
                elif not np.all(np.isfinite(part)):
                    count = int(np.sum(~np.isfinite(part)))
                    outcome.faults[ours] = f"not finite: {count} of {part.size} entries are not"
                elif ours in outcome.gradients and not _alike(part, outcome.gradients[ours]):
                    outcome.faults[ours] = "two different gradients for what is added"
                else:
                    outcome.gradients[ours] = np.array(part)
        announced = self.adapter.arrivals(self.shapes)
        known = {*self.shapes.inputs, *self.shapes.states} - {*self.layout.theirs}
        arrivals = [*announced, *(n for n in found if n in known and n not in announced)]
        for name in arrivals:
            array, fault = _array(found.get(name))
            part = fault if array is None else self.layout.arrival(name, array, values)
            if not isinstance(part, str):
                outcome.gradients[name] = part
            elif name not in announced and self._of_else(name):
                outcome.extra.append(f"that by {name}, {part}")
            else:
                outcome.faults[name] = part
        extra = [n for n in found if n not in self.layout.theirs and n not in arrivals]
        outcome.extra = [*outcome.extra, *extra]
        for ours in missing:
            outcome.faults[ours] = _missing(ours, extra)


def less(found: Any, target: Any) -> Any:
    """A result minus the target, in the form of the result: an array, a list or dict of steps."""
    if isinstance(found, Mapping):
        keys = sorted(k for k in found if isinstance(k, int) and k >= 0)
        return dict(zip(keys, less([found[k] for k in keys], target), strict=True))
    if isinstance(found, list):
        if len(found) != len(target):
            raise Unusable(
                f"'error': {len(found)} results came back for {len(target)} steps of the target"
            )
        return [less(p, v) for p, v in zip(found, target, strict=True)]
    array, target = np.asarray(found), np.asarray(target)
    if array.shape != target.shape and array.size != target.size:
        raise Unusable(
            f"'error': what came back is of shape {array.shape}, the target of shape {target.shape}"
        )
    return array - target.reshape(array.shape)


def _missing(ours: str, extra: list[str]) -> str:
    near = [n for n in extra if n.lstrip("d_∇").replace("_", "") == ours.replace("_", "")]
    hint = f"; it returns {near[0]!r}: call it {ours!r}" if near else ""
    return f"missing: the function returns no gradient of this name{hint}"


def _alike(a: Array, b: Array) -> bool:
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=1e-6, atol=0))


def _has_gradients(result: Any) -> bool:
    if isinstance(result, tuple | list) and len(result) >= 2:
        result = result[1]
    return isinstance(result, Mapping)


def _kind_of(value: Any) -> str:
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)}"
    return "nothing (None)" if value is None else type(value).__name__


def _number(value: Any) -> float:
    try:
        return float(np.asarray(value, dtype=float).reshape(()))
    except (TypeError, ValueError):
        text = f"the loss is no number but {_kind_of(value)}: say '_' for it in returns"
        raise Unusable(text) from None


def _array(value: Any) -> tuple[Array | None, str]:
    """(array of real numbers, or None; what is wrong with it)."""
    if value is None:
        return None, "missing: the gradient is None"
    try:
        array = np.asarray(value)
    except Exception as error:  # a foreign array that does not convert
        return None, f"no array of numbers: {error}"
    if not (np.issubdtype(array.dtype, np.floating) or np.issubdtype(array.dtype, np.integer)):
        return None, f"of type {array.dtype}, should be real numbers"
    return array, ""
