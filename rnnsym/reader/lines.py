"""What the equations of a network, written as text, say of each other.

Used by `making` and `losses`. Lines are "h[t] = tanh(W @ h[t-1])", filed under their names.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping

from rnnsym.functions import KNOWN, UNKNOWN

#: the equations of a network: name -> its line
Lines = Mapping[str, str]

#: what the line of an initial value is filed under, after its name
INITIAL = "⟨0⟩"
#: names of predictions, the likeliest first, where a loss has to be supposed
OUTPUTS = ("y_hat", "p", "o", "y", "q", "z_y", "s", "Y", "O", "yhat")


def uses(lines: Lines) -> dict[str, set[str]]:
    """What each line uses, at any time."""
    return {
        n: set(re.findall(r"\b([^\W\d]\w*)\[", line.partition("=")[2])) for n, line in lines.items()
    }


def recurrent(lines: Lines) -> set[str]:
    """The names that some line uses at another step."""
    every = " ".join(lines.values())
    return {n for n in lines if re.search(rf"\b{re.escape(n)}\[t[-+]", every)}


def depends(lines: Lines, name: str) -> bool:
    """Whether a name goes back to what some line uses at another step."""
    states, used = recurrent(lines), uses(lines)
    seen, agenda = set(), [name]
    while agenda:
        n = agenda.pop()
        if n in states:
            return True
        if n not in seen:
            seen.add(n)
            agenda += used.get(n, ())
    return False


def outputs(lines: Lines, every: bool = False) -> list[str]:
    """The predictions: what no other equation uses, by the customary names if some are so.

    every: all that no other equation of the step uses, and not the likeliest alone.
    """
    now = {
        n: set(re.findall(r"\b([^\W\d]\w*)\[t\]", line.partition("=")[2]))
        for n, line in lines.items()
    }
    whole, lines = lines, {n: x for n, x in lines.items() if not n.endswith(INITIAL)}
    sinks = [n for n in lines if not any(n in now[m] for m in lines if m != n)]
    if every:
        return sinks
    states = recurrent(lines)
    named = [n for n in sinks if n in OUTPUTS and n not in states]
    named = [n for n in named if depends(whole, n)] or (named if not states else [])
    if named:
        return named[-1:]
    last = [n for n in sinks if depends(whole, n)]
    return last[-1:] or sinks[-1:] or list(states)[-1:] or list(lines)[-1:]


def functions(lines: Lines, several: Container[str]) -> list[str]:
    """The functions that stay symbolic; several: those of several arguments, as `f()`."""
    called = {n for x in lines.values() for n in re.findall(r"\b([^\W\d]\w*)\(", x)}
    known = {*KNOWN, *UNKNOWN, "softmax", "detach"}
    many = {n for n in called if f"{n}()" in several or n == "loss_fn"}
    return [*sorted(called - known - many), *sorted(f"{n}()" for n in many)]


def with_names_of_parts(given: Lines) -> dict[str, str]:
    """A name for a part of another equation stands there: a = tanh(c), h = o * tanh(c)."""
    lines = dict(given)
    for name in lines:
        right = lines[name].partition("=")[2].strip()
        head = lines[name].partition("=")[0].strip()
        if not head.endswith("[t]") or len(right) < 6:
            continue
        for other, line in lines.items():
            left, _, whole = line.partition("=")
            if other != name and right in whole and f"{other}[t]" not in right:
                lines[other] = f"{left}={whole.replace(right, head)}"
    return lines
