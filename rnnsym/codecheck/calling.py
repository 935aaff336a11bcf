"""One call of a user's function: guarded, in its own layout, on copies.

Takes values in our layout, gives an `Outcome`: loss and gradients in our layout, or what went
wrong and in which line of the user's. Uses nothing but NumPy, as the adapter does; in a worker
process it is loaded without the package.
"""

from __future__ import annotations

import inspect
import linecache
import traceback
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .adapter import Adapter, AdapterError, Shapes, plain_arguments  # see the module's docstring
from .layout import Layout, Values

Array = NDArray[Any]


@dataclass
class Outcome:
    """What a call gave.

    gradients: ours -> array, in our layout; faults: ours -> what is wrong with a gradient that is
    no array of numbers of its shape; loss: if one came back; error: the exception, with the user's
    own line; unusable: why the result as a whole is none; changed: the arguments that the call
    wrote into; extra: names of results that belong to no parameter.
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


class Caller:
    """A user's function, class, object or pair of functions, with its adapter."""

    def __init__(self, function: Any, adapter: Adapter, shapes: Shapes) -> None:
        self.function, self.adapter, self.shapes = function, adapter, shapes
        adapter.check(shapes)
        self.layout = Layout(adapter, shapes)
        if adapter.calls:
            self.arguments: tuple[str, ...] = ()
        elif adapter.arguments is not None:
            self.arguments = tuple(adapter.arguments)
        else:
            if not callable(function) or inspect.isclass(function):
                raise AdapterError(
                    "this is no function: for a class, an object or a pair, say which calls to "
                    "make: calls=[('forward', 'x', 'a'), ('backward', 'y')]"
                )
            self.arguments = plain_arguments(function, shapes)

    @property
    def started(self) -> tuple[str, ...]:
        """The states whose initial value reaches the function."""
        if self.adapter.calls or self.adapter.arguments is not None:
            return self.adapter.started(self.shapes)
        return self.shapes.states if "initial" in self.arguments else ()

    def __call__(self, values: Values) -> Outcome:
        """Call once. Whatever the function does, this returns."""
        outcome = Outcome()
        given = _Given(self.layout, values)
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                result, holder = self._run(given)
            loss, found = self._taken(result, holder)
            outcome.loss = loss
        except Unusable as reason:
            outcome.unusable = str(reason)
            return outcome
        except (KeyboardInterrupt, AdapterError):
            raise
        except BaseException as error:  # SystemExit too: it is the user's
            outcome.error = told(error)
            return outcome
        outcome.changed = given.changed()
        self._sort(found, values, outcome)
        return outcome

    # ---- calling -------------------------------------------------------------------------

    def _run(self, given: _Given) -> tuple[Any, Any]:
        function, adapter = self.function, self.adapter
        if adapter.globals:
            scope = _scope(function)
            table = {**self._parameters(given), **self._sizes(given)}
            before = {n: scope[n] for n in table if n in scope}
            scope.update(table)
            try:
                return self._calls(function, given)
            finally:
                for name in table:
                    del scope[name]
                scope.update(before)
        return self._calls(function, given)

    def _parameters(self, given: _Given) -> dict[str, Any]:
        return {n: given("parameter", n) for n in self.layout.theirs}

    def _sizes(self, given: _Given) -> dict[str, Any]:
        sizes = given.values.sizes
        return {n: sizes[str(o)] for n, o in self.adapter.names.items() if str(o) in sizes}

    def _calls(self, function: Any, given: _Given) -> tuple[Any, Any]:
        if not self.adapter.calls:
            words = [self._value(w, given, None) for w in self.arguments]
            return function(*words, **self._stand_ins(function)), None
        target = function
        if inspect.isclass(function):
            target = function(*[self._value(w, given, None) for w in self.adapter.init])
        if not isinstance(target, tuple | list | Mapping) and not self.adapter.globals:
            self._fill(target, given)
        result: Any = None
        for name, *words in self.adapter.calls:
            result = _method(target, name, self.adapter.calls)(
                *[self._value(w, given, result) for w in words]
            )
        return result, None if isinstance(target, tuple | list | Mapping) else target

    def _fill(self, target: Any, given: _Given) -> None:
        """Set the parameters of an object: its attributes, or its dict `params`."""
        table = getattr(target, "params", None)
        used = {w for call in self.adapter.calls for w in call[1:]} | {*self.adapter.init}
        for name, value in self._parameters(given).items():
            if name in used or "params" in used:
                continue
            if isinstance(table, dict) and not hasattr(target, name):
                table[name] = value
            else:
                setattr(target, name, value)

    def _value(self, word: str, given: _Given, result: Any) -> Any:
        """What a word among the arguments stands for."""
        if word == "result":
            return result
        if word == "cache":
            return result[-1] if isinstance(result, tuple | list) else result
        if word == "params":
            return self._parameters(given)
        if word == "initial":
            return {n: given("state", n) for n in self.shapes.states}
        if word in ("x", "y") and word not in given.values.sequences:
            names = self.shapes.inputs if word == "x" else self.shapes.targets
            table = {n: given("sequence", n) for n in names}
            return next(iter(table.values())) if len(table) == 1 else (table or None)
        kind = self.adapter.kind(word, self.shapes)
        if kind == "size":
            return given.values.sizes[str(self.adapter.names.get(word, word))]
        if kind in ("word", "data"):
            names = self.shapes.inputs if word in self.shapes.inputs else self.shapes.targets
            if kind == "word" and len(names) > 1:
                return {n: given("sequence", n) for n in names}
            return given("sequence", word)
        return given(kind, word.removeprefix("initial.") if kind == "state" else word)

    def _stand_ins(self, function: Any) -> dict[str, Any]:
        try:
            accepted = inspect.signature(function).parameters
        except (TypeError, ValueError):
            return {}
        return {n: _wave(*s) for n, s in self.shapes.functions.items() if n in accepted}

    # ---- what came back ------------------------------------------------------------------

    def _taken(self, result: Any, holder: Any) -> tuple[float | None, dict[str, Any]]:
        """(loss, theirs -> gradient) of a result."""
        if self.adapter.returns is not None:
            return self._by_position(result)
        if holder is not None and not _has_gradients(result):
            return None, self._attributes(holder)
        loss = None
        if isinstance(result, tuple) and len(result) >= 2:
            loss, result = _number(result[0]), result[1]
        if not isinstance(result, Mapping):
            raise Unusable(
                "the function must return the gradients as a dict by parameter name, or (loss, "
                f"gradients), not {_kind_of(result)}; an adapter with returns=… takes others"
            )
        return loss, self._renamed(result)

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
                theirs = self.adapter.returned(word, self.shapes)
                if theirs is not None:
                    found[theirs] = part
        return loss, found

    def _attributes(self, holder: Any) -> dict[str, Any]:
        table = getattr(holder, "grads", None)
        if isinstance(table, Mapping):
            return self._renamed(table)
        found = {}
        for name in self.layout.theirs:
            for attribute in (f"d{name}", f"d_{name}", f"grad_{name}", f"{name}_grad"):
                if hasattr(holder, attribute):
                    found[name] = getattr(holder, attribute)
                    break
        if not found:
            raise Unusable(
                "no gradients were found: return them from the last call, or keep them as "
                f"attributes such as d{next(iter(self.layout.theirs))}, or in a dict grads"
            )
        return found

    def _renamed(self, table: Mapping[Any, Any]) -> dict[str, Any]:
        """Their gradients by the names of their parameters; with an adapter also `dWhh`."""
        found: dict[str, Any] = {}
        prefixed = bool(self.adapter.names or self.adapter.calls)
        for key, value in table.items():
            names = (
                [key, *(key.removeprefix(p) for p in ("d_", "d") if prefixed)]
                if isinstance(key, str)
                else [str(key)]
            )
            name = next((n for n in names if n in self.layout.theirs), names[0])
            if name not in found or key == name:
                found[name] = value
        return found

    def _sort(self, found: Mapping[str, Any], values: Values, outcome: Outcome) -> None:
        """Every gradient into the outcome, as an array in our layout or as a fault."""
        missing = set(self.shapes.parameters)
        for theirs in self.layout.theirs:
            if theirs not in found:
                continue
            array, fault = _array(found[theirs])
            parts: Mapping[str, Any] = {}
            if array is not None:
                parts = self.layout.gradients(theirs, array, values.parameters)
            for ours in parts or _flat_names(self.layout, theirs):
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
        extra = [n for n in found if n not in self.layout.theirs]
        outcome.extra = extra
        for ours in missing:
            outcome.faults[ours] = _missing(ours, extra)


class _Given:
    """The copies that one call is handed, kept to see what it writes into."""

    def __init__(self, layout: Layout, values: Values) -> None:
        self.layout, self.values = layout, values
        self.handed: dict[tuple[str, str], tuple[Any, Any]] = {}

    def __call__(self, kind: str, name: str) -> Any:
        key = kind, name
        if key not in self.handed:
            make = {
                "parameter": self.layout.parameter,
                "state": self.layout.state,
                "sequence": self.layout.sequence,
            }[kind]
            self.handed[key] = make(name, self.values), make(name, self.values)
        return self.handed[key][0]

    def changed(self) -> list[str]:
        """The names of what is no longer what it was."""
        found = []
        for (kind, name), (given, kept) in self.handed.items():
            same = np.array_equal(np.asarray(given), np.asarray(kept), equal_nan=True)
            if not same:
                found.append(f"initial state {name}" if kind == "state" else name)
        return found


def _flat_names(layout: Layout, theirs: str) -> list[str]:
    names = layout.theirs[theirs]
    return [names] if isinstance(names, str) else [n for row in names for n in _row(row)]


def _row(row: Any) -> list[str]:
    return [row] if isinstance(row, str) else list(row)


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
        raise Unusable(f"the loss is no number but {_kind_of(value)}") from None


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


def _wave(shift: float, offset: float) -> Callable[[Any], Any]:
    return lambda z: offset + 0.3 * np.sin(z + shift)


def _scope(function: Any) -> dict[str, Any]:
    if isinstance(function, tuple | list):
        function = function[0]
    scope = getattr(inspect.unwrap(function), "__globals__", None)
    if scope is None:
        raise AdapterError("globals=True needs a function written in Python")
    return scope


def _method(target: Any, name: str, calls: Any) -> Any:
    if isinstance(target, Mapping):
        return target[name]
    if isinstance(target, tuple | list):  # a pair: the first call is the first function
        return target[[call[0] for call in calls].index(name)]
    found = getattr(target, name, None)
    if found is None:
        raise Unusable(f"{type(target).__name__} has no {name!r}: see calls in the adapter")
    return found


def told(error: BaseException) -> str:
    """An exception in one line, with the last line of the user's own code that it came through."""
    text = " ".join(str(error).split())[:300]
    head = f"{type(error).__name__}: {text}" if text else type(error).__name__
    if isinstance(error, SyntaxError) and error.lineno:
        return (
            f"{type(error).__name__}: {error.msg} ({_short(error.filename or '')}, "
            f"line {error.lineno}: {(error.text or '').strip()})"
        )
    every = [f for f in traceback.extract_tb(error.__traceback__) if not _ours(f.filename)]
    frames = [f for f in every if "site-packages" not in f.filename] or every
    if not frames:
        return head
    last = frames[-1]
    line = (linecache.getline(last.filename, last.lineno or 0) or last.line or "").strip()
    code = f": {line}" if line else ""
    return f"{head} ({_short(last.filename)}, line {last.lineno}{code})"


def _ours(filename: str) -> bool:
    return filename.startswith((__file__.rpartition("calling.py")[0], "<frozen"))


def _short(filename: str) -> str:
    return filename.replace("\\", "/").rpartition("/")[2]
