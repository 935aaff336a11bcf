"""One call of a user's function: guarded, in its own layout, on copies.

Takes values in our layout, gives an `Outcome`: loss and gradients in our layout, or what went
wrong and in which line of the user's. Uses nothing but NumPy, as the adapter does; in a worker
process it is loaded without the package.
"""

from __future__ import annotations

import builtins
import inspect
import linecache
import sys
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .adapter import Adapter, AdapterError, Shapes, plain_arguments  # see the module's docstring
from .layout import Layout, Values
from .naming import PlaceError, is_place, nested, put, reach, steps
from .results import Outcome, Results, Unusable, less

Array = NDArray[Any]


class Caller:
    """A user's function, class, object or pair of functions, with its adapter."""

    def __init__(self, function: Any, adapter: Adapter, shapes: Shapes) -> None:
        adapter = adapter.named(shapes)
        self.function, self.adapter, self.shapes = function, adapter, shapes
        adapter.check(shapes)
        self.layout = Layout(adapter, shapes)
        self.results = Results(adapter, shapes, self.layout)
        if adapter.calls:
            self.arguments: tuple[str, ...] = ()
        elif adapter.arguments is not None:
            self.arguments = tuple(adapter.arguments)
        else:
            if not callable(function) or is_class(function):
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

    @property
    def arrivals(self) -> tuple[str, ...]:
        """The inputs and initial states by which gradients are announced."""
        return tuple(self.adapter.arrivals(self.shapes))

    def __call__(self, values: Values) -> Outcome:
        """Call once. Whatever the function does, this returns."""
        outcome = Outcome()
        given = _Given(self.layout, values)
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                result, holder = self._run(given)
            if self.adapter.rate is None:
                loss, found = self.results.taken(result, holder)
            else:
                loss, more = self.results.beside(result)
                found = {**more, **self._updates(holder, given)}
            outcome.loss = loss
            outcome.extra = self.results.unread(result)
        except Unusable as reason:
            outcome.unusable = str(reason)
            return outcome
        except (KeyboardInterrupt, AdapterError):
            raise
        except BaseException as error:  # SystemExit too: it is the user's
            outcome.error = told(error)
            return outcome
        outcome.changed = given.changed(parameters=self.adapter.rate is None)
        self.results.sort(found, values, outcome)
        return outcome

    # ---- calling -------------------------------------------------------------------------

    def _run(self, given: _Given) -> tuple[Any, Any]:
        function, adapter = self.function, self.adapter
        if adapter.globals:
            scope = _scope(function)
            table = {**nested(self._parameters(given)), **self._sizes(given)}
            before = {n: scope[n] for n in table if n in scope}
            scope.update(table)
            try:
                result, holder = self._calls(function, given)
                given.table |= {n: scope[n] for n in self.layout.theirs if n in scope}
                return result, holder
            finally:
                for name in table:
                    scope.pop(name, None)
                scope.update(before)
        return self._calls(function, given)

    def _updates(self, holder: Any, given: _Given) -> dict[str, Any]:
        """(before - after) / rate, by their names, of what the call has updated."""
        found = {}
        for name in self.layout.theirs:
            table = holder if isinstance(holder, Mapping) else table_of(holder, name)
            handed, before = given.pair("parameter", name)
            if is_place(name):
                path = steps(name)
                inside = isinstance(table, Mapping) and path[0] in table
                after = reach(table if inside else holder or given.table, path, name)
            elif holder is None:
                after = given.table.get(name, handed)
            elif isinstance(table, Mapping) and name in table:
                after = table[name]
            else:
                after = getattr(holder, name, handed)
            found[name] = (before - np.asarray(after)) / self.adapter.rate
        if not any(np.any(g) for g in found.values()):
            raise Unusable(
                "rate is given, but the call has updated no parameter, neither the arrays that it "
                "was handed nor attributes of the object"
            )
        return found

    def _parameters(self, given: _Given) -> dict[str, Any]:
        return {n: given("parameter", n) for n in self.layout.theirs}

    def _sizes(self, given: _Given) -> dict[str, Any]:
        sizes = given.values.sizes
        return {n: sizes[str(o)] for n, o in self.adapter.names.items() if str(o) in sizes}

    def _calls(self, function: Any, given: _Given) -> tuple[Any, Any]:
        if not self.adapter.calls:
            words = self._values(self.arguments, given, None)
            return function(*words, **self._stand_ins(function)), None
        target = function
        if is_class(function):
            target = function(*self._values(self.adapter.init, given, None))
        if not isinstance(target, tuple | list | Mapping):
            self._fill(target, given)
        result: Any = None
        for name, *words in self.adapter.calls:
            call = _method(target, name, self.adapter.calls)
            result = call(*self._values(words, given, result))
        return result, None if isinstance(target, tuple | list | Mapping) else target

    def _fill(self, target: Any, given: _Given) -> None:
        """Set the parameters of an object: its attributes, or the entries of a dict of it."""
        words = [*self.adapter.init, *(w for call in self.adapter.calls for w in call[1:])]
        used = {w for w in words if isinstance(w, str)}
        for name, value in self._parameters(given).items():
            if name in used or "params" in used or (is_place(name) and steps(name)[0] in used):
                continue
            table = table_of(target, name)
            if is_place(name):
                self._put(target, name, value)
            elif table is not None:
                table[name] = value
            else:
                setattr(target, name, value)

    def _put(self, target: Any, name: str, value: Any) -> None:
        """Set a place of an object, or of its dict `params`."""
        table = getattr(target, "params", None)
        inside = isinstance(table, dict) and steps(name)[0] in table
        try:
            put(table if inside else target, name, value)
        except PlaceError as error:
            raise AdapterError(f"names: {error}, where {name!r} is to be set") from None

    def _values(self, words: Sequence[Any], given: _Given, result: Any) -> list[Any]:
        """What the words stand for; anything but a word stands for itself."""
        found: list[Any] = []
        for word in words:
            if not isinstance(word, str):
                found.append(word)
            elif word == "*result":
                found += result if isinstance(result, tuple | list) else [result]
            else:
                found.append(self._value(word, given, result))
        return found

    def _value(self, word: str, given: _Given, result: Any) -> Any:
        """What a word among the arguments stands for."""
        if word == "result":
            return result
        if word == "cache":
            return result[-1] if isinstance(result, tuple | list) else result
        if word == "params":
            given.table = nested(self._parameters(given))
            return given.table
        if word == "error":
            return self._error(result, given)
        if word == "initial":
            return {n: given("state", n) for n in self.shapes.states}
        if word in ("x", "y") and word not in given.values.sequences:
            names = self.shapes.inputs if word == "x" else self.shapes.targets
            table = {n: given("sequence", n) for n in names}
            return next(iter(table.values())) if len(table) == 1 else (table or None)
        kind = self.adapter.kind(word, self.shapes)
        if kind == "list":
            return nested(self._parameters(given))[word]
        if kind == "size":
            return given.values.sizes[str(self.adapter.names.get(word, word))]
        if kind in ("word", "data"):
            names = self.shapes.inputs if word in self.shapes.inputs else self.shapes.targets
            if kind == "word" and len(names) > 1:
                return {n: given("sequence", n) for n in names}
            return given("sequence", word)
        return given(kind, word.removeprefix("initial.") if kind == "state" else word)

    def _error(self, result: Any, given: _Given) -> Any:
        """The result of the call before minus the target, which is taken as vectors."""
        if len(self.shapes.targets) != 1:
            raise AdapterError("'error' needs a network with one target")
        vectors = Layout(replace(self.adapter, indices=()), self.shapes)
        target = vectors.sequence(self.shapes.targets[0], given.values)
        return less(result[0] if isinstance(result, tuple) and result else result, target)

    def _stand_ins(self, function: Any) -> dict[str, Any]:
        try:
            accepted = inspect.signature(function).parameters
        except (TypeError, ValueError):
            return {}
        return {n: _wave(*s) for n, s in self.shapes.functions.items() if n in accepted}


def table_of(target: Any, name: str) -> dict[str, Any] | None:
    """The dict of an object that a parameter stands in, `params` or any that has it as a key; None
    where it is an attribute."""
    usual = getattr(target, "params", None)
    if isinstance(usual, dict) and (name in usual or not hasattr(target, name)):
        return usual
    if target is None or hasattr(target, name):
        return None
    every = vars(target).values() if hasattr(target, "__dict__") else ()
    return next((x for x in every if isinstance(x, dict) and name in x), None)


class _Given:
    """The copies that one call is handed, kept to see what it writes into."""

    def __init__(self, layout: Layout, values: Values) -> None:
        self.layout, self.values = layout, values
        self.handed: dict[tuple[str, str], tuple[Any, Any]] = {}
        self.table: dict[str, Any] = {}  # the dict of parameters, where one was handed over

    def __call__(self, kind: str, name: str) -> Any:
        return self.pair(kind, name)[0]

    def pair(self, kind: str, name: str) -> tuple[Any, Any]:
        """What is handed over, and a copy that nobody writes into."""
        key = kind, name
        if key not in self.handed:
            make = {
                "parameter": self.layout.parameter,
                "state": self.layout.state,
                "sequence": self.layout.sequence,
            }[kind]
            self.handed[key] = make(name, self.values), make(name, self.values)
        return self.handed[key]

    def changed(self, parameters: bool = True) -> list[str]:
        """The names of what is no longer what it was; of parameters, if that is no habit."""
        found = []
        for (kind, name), (given, kept) in self.handed.items():
            if kind == "parameter" and not parameters:
                continue
            same = np.array_equal(np.asarray(given), np.asarray(kept), equal_nan=True)
            if not same:
                found.append(f"initial state {name}" if kind == "state" else name)
        return found


def is_class(function: Any) -> bool:
    """Whether something is a class, as it is or with arguments given by functools.partial."""
    return inspect.isclass(whole(function))


def whole(function: Any) -> Any:
    """What functools.partial was given, or the function itself."""
    return function.func if isinstance(function, partial) else function


def _wave(shift: float, offset: float) -> Callable[[Any], Any]:
    return lambda z: offset + 0.3 * np.sin(z + shift)


def _scope(function: Any) -> dict[str, Any]:
    """The global variables that a function sees, or the methods of a class or an object."""
    if isinstance(function, tuple | list):
        function = function[0]
    function = whole(function)
    scope = getattr(inspect.unwrap(function), "__globals__", None)
    if scope is None:
        kind = function if inspect.isclass(function) else type(function)
        module = sys.modules.get(kind.__module__)
        if module is None or module is builtins:
            raise AdapterError("globals=True needs a function or a class written in Python")
        scope = vars(module)
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
