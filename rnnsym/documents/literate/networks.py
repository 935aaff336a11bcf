"""The models of a source: those it names, and the networks that it writes out as equations."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from rnnsym.errors import InputError

#: settings of a network in a source: name -> how its text is read
SETTINGS: dict[str, Callable[[str], Any]] = {
    "loss": str,
    "output": str,
    "target_kind": str,
    **dict.fromkeys(("inputs", "targets", "functions", "scalars"), str.split),
}


class Models:
    """Models by name, made once each; those that the source defines come first."""

    def __init__(self, notation: str | None) -> None:
        from rnnsym.api import check_notation

        if notation is not None:
            check_notation(notation)
        self.notation = notation
        self._made: dict[str, Any] = {}

    def define(self, name: str, text: str) -> None:
        """A network of the source's own. Raises InputError for a name taken, or wrong equations."""
        from rnnsym.api import Network

        if not re.fullmatch(r"[A-Za-z]\w*", name):
            raise InputError(f"{name!r} is no name for a network: letters, figures and _")
        if name in self._made:
            raise InputError(f"there are two networks {name}")
        settings, equations = {}, []
        for line in text.splitlines():
            key, colon, value = (part.strip() for part in line.partition(":"))
            if colon and re.fullmatch(r"\w+", key):
                if key not in SETTINGS:
                    raise InputError(f"{key!r} is no setting: choose from {', '.join(SETTINGS)}")
                settings[key] = SETTINGS[key](value)
            else:
                equations.append(line)
        options = {"notation": self.notation} if self.notation else {}
        self._made[name] = Network("\n".join(equations), name=name, options=options, **settings)

    def __getitem__(self, spec: str) -> Any:
        """A model by name and options. Raises InputError for one that does not exist."""
        from rnnsym.api import model

        if spec not in self._made:
            options = {} if self.notation is None else {"notation": self.notation}
            self._made[spec] = model(spec, **options)
        return self._made[spec]
