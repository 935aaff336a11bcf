"""Safe names: what a user calls a symbol never enters the source, only an identifier made of it.

Used by every module that prints source. A name may hold anything, `__import__('os')` or a
newline: all but ASCII letters, digits and underscores is replaced, and no two names collide.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable, Sequence


def identifier(name: str) -> str:
    """A Python identifier of ASCII characters that resembles the name.

    None begins with an underscore: such names are the helpers' in the source.
    """
    plain = re.sub(r"[^A-Za-z0-9_]+", "_", name)[:40] or "_"
    return f"v{plain}" if plain[0].isdigit() or plain[0] == "_" else plain


def joint(names: Sequence[str]) -> str:
    """A name for several things: W_f_i_a for W_fa and W_ia."""
    names = list(dict.fromkeys(names))
    if len(names) == 1:
        return names[0]
    start = _shared(names)
    rest = [name[len(start) :] for name in names]
    stop = _shared([name[::-1] for name in rest])[::-1]
    middle = "_".join(name.removesuffix(stop) for name in rest if name != stop)
    return f"{start}{middle}_{stop}" if stop and stop[0] != "_" else f"{start}{middle}{stop}"


def _shared(names: Sequence[str]) -> str:
    """What all names begin with."""
    length = 0
    for letters in zip(*names, strict=False):
        if len(set(letters)) > 1:
            break
        length += 1
    return names[0][:length]


class Names:
    """Gives every key one identifier, different from all others and from what is reserved."""

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        self.taken = {*keyword.kwlist, *keyword.softkwlist, *dir(builtins), *reserved}
        self.given: dict[object, str] = {}

    def of(self, key: object, wish: str) -> str:
        """The identifier of `key`: at first use one that resembles `wish`, later the same."""
        if key not in self.given:
            self.given[key] = self.fresh(wish)
        return self.given[key]

    def fresh(self, wish: str) -> str:
        """An identifier that is nobody's yet."""
        base = name = identifier(wish)
        count = 1
        while name in self.taken:
            count += 1
            name = f"{base}_{count}"
        self.taken.add(name)
        return name
