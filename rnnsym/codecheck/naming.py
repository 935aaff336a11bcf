"""What people call parameters and their gradients: dW, dLdW, grad_W, W_grad; Wf[0], layers[1].w.

Beside the adapter, which says what is called how. A name may be a place in an object: attributes
and positions in lists, which are read here letter by letter and never evaluated. Uses nothing but
the standard library, as the adapter does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

#: one of our names; several below each other; or a matrix of blocks
Blocks = str | Sequence[Any]
#: what people write around the name of a parameter for its gradient
BEFORE = re.compile(r"(d|D|d[A-Z]_?d|g|grad|gradient|del|delt|delta|nabla|∇)_?")
AFTER = re.compile(r"_?(g|grad|grads|gradient)")
#: a step of a place: an attribute, or a position in a list
STEP = re.compile(r"\.?([^\W\d]\w*)|\[(\d+)\]")


class PlaceError(ValueError):
    """A name that is no place in an object."""


def owner(word: str, names: Iterable[str], loose: bool = False) -> str | None:
    """The parameter that a word is the gradient of, by its name: W, dW, dLdW, grad_W, W_grad.

    loose: underscores do not count, dWhh for W_hh, unless two names differ in nothing else.
    """
    names = sorted(names, key=len, reverse=True)
    if loose:
        bare: dict[str, list[str]] = {}
        for name in names:
            bare.setdefault(name.replace("_", ""), []).append(name)
        found = owner(word, bare) or owner(word.replace("_", ""), bare)
        return bare[found][0] if found is not None and len(bare[found]) == 1 else None
    if word in names:
        return word
    for name in names:
        start, end = word.removesuffix(name), word.removeprefix(name)
        if start != word and BEFORE.fullmatch(start):
            return name
        if end != word and AFTER.fullmatch(end):
            return name
    return None


def flat(blocks: Blocks) -> list[str]:
    """The names in a matrix of blocks."""
    return [blocks] if isinstance(blocks, str) else [name for part in blocks for name in flat(part)]


# ---- places in objects -------------------------------------------------------------------


def steps(name: str) -> list[str | int]:
    """The attributes (texts) and positions (numbers) of a name. Raises PlaceError for others."""
    found: list[str | int] = []
    at = 0
    while at < len(name):
        step = STEP.match(name, at)
        dotted = step is not None and step.group().startswith(".")
        if step is None or dotted != (at > 0 and step.group(1) is not None):
            raise PlaceError(f"{name!r} is no name: write W, W[0] or layers[0].weight")
        found.append(int(step.group(2)) if step.group(2) else step.group(1))
        at = step.end()
    if not found or isinstance(found[0], int) or any(str(s).startswith("__") for s in found):
        raise PlaceError(f"{name!r} is no name: write W, W[0] or layers[0].weight")
    return found


def is_place(name: str) -> bool:
    """Whether a name is more than one word."""
    return "[" in name or "." in name


def reach(target: Any, path: Sequence[str | int], name: str) -> Any:
    """What stands at a place of an object. Raises PlaceError if there is none."""
    for step in path:
        try:
            if isinstance(step, int) or isinstance(target, Mapping):
                target = target[step]
            else:
                target = getattr(target, step)
        except (AttributeError, KeyError, IndexError, TypeError):
            where = f"position {step}" if isinstance(step, int) else repr(step)
            raise PlaceError(f"{name!r}: a {type(target).__name__} has no {where}") from None
    return target


def put(target: Any, name: str, value: Any) -> None:
    """Set a place of an object. Raises PlaceError if it has none of that name."""
    *path, last = steps(name)
    holder = reach(target, path, name)
    if isinstance(last, int):
        reach(holder, [last], name)
        try:
            holder[last] = value
        except (TypeError, ValueError) as error:
            raise PlaceError(f"{name!r} cannot be set: {error}") from None
    elif isinstance(holder, dict):
        holder[last] = value
    else:
        setattr(holder, last, value)


def gradient_at(target: Any, name: str) -> Any:
    """The gradient by a parameter that is a place: dW[0], layers[0].dweight. None if there is
    none."""
    path = steps(name)
    for k in reversed(range(len(path))):
        word = path[k]
        if isinstance(word, int):
            continue
        try:
            holder = reach(target, path[:k], name)
        except PlaceError:
            continue
        table = isinstance(holder, Mapping)
        for attribute in [a for a in holder if isinstance(a, str)] if table else dir(holder):
            same = attribute.replace("_", "") == word.replace("_", "")
            if (same and not table) or owner(attribute, [word], loose=True) != word:
                continue
            try:
                return reach(holder, [attribute, *path[k + 1 :]], name)
            except PlaceError:
                continue
    return None


def nested(table: Mapping[str, Any]) -> dict[str, Any]:
    """A dict by names in which W[0], W[1] are a list W, and layers[0].weight stands in dicts."""
    found: dict[str, Any] = {}
    for name, value in table.items():
        path = steps(name) if is_place(name) else [name]
        holder: Any = found
        for step, after in zip(path, [*path[1:], None], strict=True):
            new = value if after is None else ([] if isinstance(after, int) else {})
            if isinstance(step, int):
                holder += [None] * (step + 1 - len(holder))
                holder[step] = new if holder[step] is None or after is None else holder[step]
            elif after is None or step not in holder:
                holder[step] = new
            holder = holder[step]
    return found
