"""Adapter: how a function with other names, layouts and arguments is called in our convention.

First stage of the flow. Says in words and tuples what a user would write by hand: which of their
names is which parameter, where the time axis stands, what is handed over and what comes back.
Uses nothing but NumPy and the standard library, because the process that runs a stranger's code
loads this file by itself.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from .naming import Blocks, PlaceError, flat, is_place, owner, steps  # without the package, too

#: what a gradient may be of, instead of the loss summed over time and batch
LOSSES = ("sum", "mean", "mean over time", "mean over batch")
LAYOUTS = ("columns", "rows")
#: how class numbers are handed over: of T steps as a list, (T,), (T, 1), or the last one alone
NUMBERS = ("list", "array", "column", "number")
BATCH = {"first": "btn", "second": "tbn", "last": "tnb"}
#: what may be handed over besides parameters, states and sizes
WORDS = ("params", "initial", "x", "y", "result", "*result", "cache", "error")
#: how a function is called if nothing else is said
PLAIN = ("params", "x", "y", "initial")

Array = Any


class AdapterError(ValueError):
    """An adapter that contradicts itself or the network."""


@dataclass(frozen=True)
class Shapes:
    """What an adapter must know of a network: its names, and how many axes a parameter has."""

    parameters: Mapping[str, int]
    inputs: tuple[str, ...]
    targets: tuple[str, ...]
    states: tuple[str, ...]
    sizes: tuple[str, ...]
    #: keyword -> (shift, offset): stand-ins z ↦ offset + 0.3 sin(z + shift) for functions
    #: that the network leaves symbolic, handed over where a function asks for them
    functions: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    #: the inputs and targets that have one value, as the target of a whole sequence
    single: tuple[str, ...] = ()
    #: whether the network is that of one step
    cell: bool = False


@dataclass(frozen=True)
class Adapter:
    """How to call a function that does not follow our convention.

    Parameters
    ----------
    names
        Theirs -> ours, for parameters and sizes: ``{"Whh": "W_aa", "hidden_size": "n_a"}``. Several
        of ours below each other: ``{"Wx": ["W_ix", "W_fx"]}``; side by side:
        ``{"Wf": [["W_fa", "W_fx"]]}``. Two of theirs for one of ours (b_ih, b_hh) share its value.
        Places in an object are names, too: ``{"W[0]": "W_ax", "layers[0].weight": "W_aa"}``.
    layout
        "columns": a weight is (out, in) and used as W @ v; "rows": (in, out), used as v @ W.
    transposed
        Those of their names whose matrices are transposed in addition.
    columns, rows
        Biases, and states and inputs of a single sequence, are (n, 1); or biases, and states of a
        single sequence, are (1, n).
    axes
        The axes of x and y, a letter each: t time, b batch, n features. By default "tn", and
        "tbn" where the function takes it. ``batch="first"`` is short for ``axes="btn"``. Those of
        each by its name: ``axes={"x": "btn", "y": "bn"}``, where there is one target, without t.
    indices
        Of "x", "y": those given as class numbers instead of one-hot vectors. They come as a list;
        a dict says otherwise: ``{"x": "array", "y": "column"}`` for (T,) and (T, 1), "number"
        for the last one alone, as one int.
    squeeze
        Of "x", "y": those of one feature, which are given without its axis: y as (T,), or as one
        number where there is one target. Their size is then 1.
    loss
        What the gradient is of: "sum" over time and batch, "mean", "mean over time",
        "mean over batch".
    arguments
        What is handed over, in order: "params", "x", "y", "initial" (dicts of their names), or a
        single parameter, state or size by its name. What is no text is handed over as it is: a
        number, an array, None, a function.
    returns
        What comes back, in order: "loss"; "gradients", a dict of them; the gradient of one
        parameter by its name, theirs or ours, as such or as dW, dLdW, grad_W, W_grad and the
        like; that by an input or an initial state (``dx``, ``da``, ``da0``), which is judged too;
        "_" for what does not matter. Or a dict, where the keys of a dict that comes back
        name no parameter: ``{"delt_u": "W_ax", "cost": "loss"}``. By default a dict of gradients,
        or (loss, dict). ``dx`` and ``da0`` in a dict are judged too; what is not judged is noted.
    calls
        For a class, an object or a pair (forward, backward): the calls, each a tuple
        ("forward", what is handed over …). "result" stands for what the call before returned,
        "*result" for its parts one by one, "cache" for the last of them, "error" for the first of
        them (or all of it) minus the target, step by step: ŷ - y where the caller forms it.
        `returns` is about the last call; where it names no gradient, or is not there, the
        gradients are attributes ``dWhh`` or a dict ``grads``.
    init
        For a class: what its constructor is given, as in `arguments`.
    layer
        Whether a class or a pair (forward, backward) is a layer, without output and loss, whose
        backward is given what the output sends back. None: a class is the whole network; a pair
        is a layer, or the whole network where that fails.
    cell
        Whether the calls are one step: x, states and what is sent back have no time axis. What is
        sent back to a state, or to an output that is not squashed, is called d and its name:
        ``calls=[("forward", "x", "a", "c"), ("backward", "da", "dc", "cache")]``. The gradient by
        the state of the step before is ``da0``, ``dc0`` in returns.
    rate
        For a function that returns no gradients but updates its parameters: they are taken from
        (before - after) / rate. 1 keeps their digits.
    globals
        Parameters (and sizes) are set as global variables of the function's module.
    clip
        The bound that gradients are clipped to, elementwise. None: found out and reported; False:
        clipped gradients are wrong.
    """

    names: Mapping[str, Blocks] = field(default_factory=dict)
    layout: str = "columns"
    transposed: Sequence[str] = ()
    columns: bool = False
    rows: bool = False
    axes: str | Mapping[str, str] | None = None
    batch: str | None = None
    indices: Sequence[str] | Mapping[str, str] = ()
    squeeze: Sequence[str] = ()
    loss: str = "sum"
    arguments: Sequence[str] | None = None
    returns: Sequence[str] | Mapping[str, str] | None = None
    calls: Sequence[Sequence[str]] = ()
    init: Sequence[str] = ()
    layer: bool | None = None
    cell: bool = False
    rate: float | None = None
    globals: bool = False
    clip: float | bool | None = None

    @classmethod
    def of(cls, given: Adapter | Mapping[str, Any] | None) -> Adapter:
        """An adapter from what users give. Raises AdapterError for an unknown word."""
        if given is None:
            return cls()
        if isinstance(given, Mapping):
            known = [f.name for f in fields(cls)]
            for key in given:
                if key not in known:
                    raise AdapterError(
                        f"unknown word {key!r} in an adapter: choose from {', '.join(known)}"
                    )
            given = cls(**given)
        if not isinstance(given, cls):
            raise AdapterError(
                f"an adapter is a dict such as {{'columns': True}}, not {type(given).__name__}"
            )
        return given

    def __post_init__(self) -> None:
        for word, value, allowed in (
            ("layout", self.layout, LAYOUTS),
            ("loss", self.loss, LOSSES),
            ("batch", self.batch, (None, *BATCH)),
        ):
            if value not in allowed:
                choices = ", ".join(repr(a) for a in allowed if a is not None)
                raise AdapterError(f"{word}={value!r}: choose from {choices}")
        for word in ("transposed", "indices", "squeeze", "arguments", "returns", "init", "calls"):
            value = getattr(self, word)
            if isinstance(value, str):
                object.__setattr__(self, word, tuple(value.replace(",", " ").split()))
            elif isinstance(value, Mapping) and word in ("indices", "returns"):
                continue
            elif value is not None and not isinstance(value, list | tuple):
                raise AdapterError(f"{word} of an adapter is a tuple of names, not {value!r}")
        for name, form in self.indices.items() if isinstance(self.indices, Mapping) else ():
            if form not in NUMBERS:
                choices = ", ".join(map(repr, NUMBERS))
                raise AdapterError(f"indices: {name!r} as {form!r}: choose from {choices}")
        if any(isinstance(call, str) or not call for call in self.calls):
            raise AdapterError("calls are tuples: calls=[('forward', 'x', 'a'), ('backward', 'y')]")
        if not isinstance(self.names, Mapping):
            raise AdapterError("names is a dict from their names to ours: {'Whh': 'W_aa'}")
        by_name = isinstance(self.axes, Mapping) or self.cell
        for axes in self.axes.values() if isinstance(self.axes, Mapping) else (self.axes,):
            if axes is not None and not _good_axes(axes, by_name):
                raise AdapterError(
                    f"axes={axes!r}: write a letter for each axis of x, t for time, n for "
                    f"features, b for the batch where there is one, such as 'tn', 'btn', 'nbt'"
                )
        if self.axes is not None and self.batch is not None:
            raise AdapterError("say either axes or batch, which is short for it")
        if self.columns and self.rows:
            raise AdapterError("say either columns, for (n, 1), or rows, for (1, n)")
        if self.clip not in (None, False) and not _positive(self.clip):
            raise AdapterError(f"clip={self.clip!r}: give the bound, a positive number, or False")
        if self.rate is not None and not _positive(self.rate):
            raise AdapterError(f"rate={self.rate!r}: give the learning rate, a positive number")

    # ---- against a network ---------------------------------------------------------------

    @property
    def handed(self) -> list[str]:
        """The words for what is handed over."""
        every = (self.arguments or (), self.init, *(call[1:] for call in self.calls))
        return [word for words in every for word in words if isinstance(word, str)]

    def named(self, shapes: Shapes) -> Adapter:
        """The same, where "x" and "y" are called by the names of the only input and target."""
        data = (*shapes.inputs, *shapes.targets)
        table = {
            word: only[0]
            for word, only in (("x", shapes.inputs), ("y", shapes.targets))
            if len(only) == 1 and word not in data
        }

        def put(given: Any) -> Any:
            if isinstance(given, Mapping):
                return {table.get(n, n): form for n, form in given.items()}
            return (
                given
                if given is None or isinstance(given, str)
                else [table.get(n, n) for n in given]
            )

        changed = {word: put(getattr(self, word)) for word in ("axes", "indices", "squeeze")}
        return replace(self, **changed) if table else self

    def check(self, shapes: Shapes) -> None:
        """Raises AdapterError for a name that the network does not have."""
        known = {*shapes.parameters, *shapes.sizes}
        for theirs, ours in self.names.items():
            try:
                _ = steps(theirs) if is_place(str(theirs)) else ()
            except PlaceError as error:
                raise AdapterError(f"names: {error}") from None
            for name in flat(ours):
                if name not in known:
                    raise AdapterError(
                        f"names: {theirs!r} stands for {name!r}, which the model does not have: "
                        f"choose from {', '.join(sorted(known))}"
                    )
        data = (*shapes.inputs, *shapes.targets)
        for word, given in (("indices", self.indices), ("squeeze", self.squeeze)):
            for name in given:
                if name not in data:
                    raise AdapterError(f"{word}: unknown {name!r}: choose from {', '.join(data)}")
        for name, axes in self.axes.items() if isinstance(self.axes, Mapping) else ():
            if name not in data:
                raise AdapterError(f"axes: unknown {name!r}: choose from {', '.join(data)}")
            if "t" not in axes and name not in shapes.single:
                raise AdapterError(f"axes: {name!r} has a value at each step: write a t as well")
        for name in self.transposed:
            if name not in self.theirs(shapes):
                raise AdapterError(f"transposed: unknown {name!r}: say which of yours it is")
        for word in self.handed:
            self.kind(word, shapes)
        back = self.returns or ()
        for word in back.values() if isinstance(back, Mapping) else back:
            self.returned(word, shapes)

    def theirs(self, shapes: Shapes) -> dict[str, Blocks]:
        """Their names of parameters -> ours; what is not renamed keeps its name."""
        table = {
            n: o
            for n, o in self.names.items()
            if any(name in shapes.parameters for name in flat(o))
        }
        renamed = {name for o in table.values() for name in flat(o)}
        return table | {n: n for n in shapes.parameters if n not in renamed}

    def kind(self, word: str, shapes: Shapes) -> str:
        """What a word among the arguments stands for. Raises AdapterError if for nothing."""
        state = word.removeprefix("initial.")
        kinds = [
            kind
            for kind, fits in (
                ("word", word in WORDS),
                ("data", word in (*shapes.inputs, *shapes.targets) and word not in ("x", "y")),
                ("parameter", word in self.theirs(shapes)),
                ("list", any(is_place(n) and steps(n)[0] == word for n in self.theirs(shapes))),
                ("state", state in shapes.states),
                ("size", self.names.get(word, word) in shapes.sizes),
            )
            if fits
        ]
        if len(kinds) > 1:
            raise AdapterError(
                f"{word!r} is both a {' and a '.join(kinds)}: write 'initial.{word}' for the "
                f"state, or rename the parameter in `names`"
            )
        if not kinds:
            choices = (
                "params", "initial", "x", "y", *self.theirs(shapes), *shapes.states, *shapes.sizes
            )  # fmt: skip
            sent = word.removeprefix("d")
            hint = "; for what is sent back at a single step, say cell=True"
            hint = hint if sent != word and sent in shapes.states and not shapes.cell else ""
            raise AdapterError(f"unknown argument {word!r}: choose from {', '.join(choices)}{hint}")
        return kinds[0]

    def arrival(self, word: str, shapes: Shapes) -> str | None:
        """The input or initial state that a returned word is the gradient by, if of no parameter:
        dx, da, da0."""
        if word in ("loss", "_", "gradients"):
            return None
        names = {n: n for n in shapes.inputs} | {n: n for n in shapes.states}
        names |= {f"{n}0": n for n in shapes.states if f"{n}0" not in names}
        taken = self._parameter(word, shapes)
        found = owner(word, names) if taken is None else None
        if found is None and taken is None and self._parameter(word, shapes, loose=True) is None:
            found = owner(word, names, loose=True)
        return None if found is None else names[found]

    def arrivals(self, shapes: Shapes) -> list[str]:
        """The inputs and initial states by which gradients come back."""
        back = self.returns or ()
        words = back.values() if isinstance(back, Mapping) else back
        found = (self.arrival(w, shapes) for w in words)
        return list(dict.fromkeys(n for n in found if n is not None))

    def _parameter(self, word: str, shapes: Shapes, loose: bool = False) -> str | None:
        theirs = self.theirs(shapes)
        ours = {o: n for n, o in theirs.items() if isinstance(o, str)}
        found, ourselves = owner(word, theirs, loose), owner(word, ours, loose)
        return found if found is not None or ourselves is None else ours[ourselves]

    def returned(self, word: str, shapes: Shapes) -> str | None:
        """Which of their parameters a returned word is the gradient of; None for other words."""
        if word in ("loss", "_", "gradients") or self.arrival(word, shapes) is not None:
            return None
        found = self._parameter(word, shapes) or self._parameter(word, shapes, loose=True)
        if found is not None:
            return found
        data = [f"d{n}" for n in (*self.theirs(shapes), *shapes.states, *shapes.inputs)]
        raise AdapterError(
            f"unknown result {word!r}: write 'loss', 'gradients' (a dict), '_' (what does not "
            f"matter), or one of {', '.join(data)}"
        )

    def started(self, shapes: Shapes) -> tuple[str, ...]:
        """The states whose initial value reaches the function; the others start from zero."""
        given = [w for call in self.calls for w in call[1:]] if self.calls else self.arguments
        words = [w for w in given or () if isinstance(w, str)]
        if given is None or "initial" in words:
            return shapes.states
        return tuple(n for n in shapes.states if n in words or f"initial.{n}" in words)

    def numbers(self, name: str) -> str | None:
        """How the class numbers of an input or target are handed over; None if it is vectors."""
        if name not in self.indices:
            return None
        return self.indices[name] if isinstance(self.indices, Mapping) else NUMBERS[0]

    @property
    def order(self) -> str | None:
        """The axes of x as said, if said."""
        if isinstance(self.axes, Mapping):
            return max(self.axes.values(), key=len, default=None)
        return BATCH[self.batch] if self.batch else self.axes

    def order_of(self, name: str) -> str | None:
        """The axes of one input or target, if said."""
        if isinstance(self.axes, Mapping) and name in self.axes:
            return self.axes[name]
        return self.order or ("bn" if self.cell else None)


def _positive(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _good_axes(axes: Any, timeless: bool) -> bool:
    """Whether letters are axes; timeless: those of a single value have no t."""
    known = [sorted("tn"), sorted("tbn"), *([["n"], sorted("bn")] if timeless else [])]
    return isinstance(axes, str) and sorted(axes) in known


def plain_arguments(function: Callable[..., Any], shapes: Shapes) -> tuple[str, ...]:
    """What a function without an adapter is given: its initial states only if it takes them."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # written in C
        return PLAIN
    keywords = {name: None for name in shapes.functions if name in signature.parameters}
    for count in (4, 3):
        try:
            signature.bind(*PLAIN[:count], **keywords)
        except TypeError:
            continue
        return PLAIN[:count]
    return PLAIN
