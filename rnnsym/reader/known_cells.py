"""The forward equations of well-known cells in the names of a document that gives none.

Part of `customary`: posts that go on from another one, or show the cell as a picture, name its
gates and weights, and never say how they are computed. Equations are LaTeX, as the document would
write them; nothing else is known of a cell here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

#: how a vector is written at step t, by its letter and accents; "" where it is not spoken of
Written = Callable[[str, tuple[str, ...]], str]
#: whether a weight of this letter and label is spoken of
Weights = Callable[[str, str], bool]


@dataclass(frozen=True)
class Names:
    """How a document writes the vectors of a cell at step t."""

    parts: dict[str, str]

    def before(self, name: str) -> str:
        """The same at step t - 1."""
        latex = self.parts[name]
        latex = re.sub(r"_t(?![A-Za-z])", "_{t}", latex)
        return re.sub(r"(?<![A-Za-z\\])t(?![A-Za-z])", "t-1", latex)


#: the words that name a cell; the letters of its vectors, with what else they are called
LSTM = {"f": "f", "i": "i", "o": "o", "g": "g", "c": "cCs", "h": "h"}
GRU = {"z": "zu", "r": "r", "n": "n", "h": "hs"}
PLAIN = {"h": "hsa"}


def equations(prose: str, written: Written, weights: Weights) -> list[str]:
    """The equations of the cell that the words name; [] where they name none, or the document
    speaks of too few of its vectors."""
    words = prose.lower()
    x = written("x", ()) or "x_t"
    if "lstm" in words or "long short" in words:
        found = _named(LSTM, written)
        if len(found.parts) >= 4 and {"c", "f"} <= found.parts.keys():
            return _lstm(_filled(found, LSTM), x, weights)
    if "gru" in words or "gated recurrent" in words:
        found = _named(GRU, written)
        if len(found.parts) >= 3 and "h" in found.parts:
            return _gru(_filled(found, GRU), x, weights)
    return []


def _named(letters: dict[str, str], written: Written) -> Names:
    """Those vectors of a cell that a document speaks of; c̃ and h̃ are candidates."""
    found: dict[str, str] = {}
    for name, others in letters.items():
        for letter in others:
            latex = written(letter, ())
            if latex:
                found[name] = latex
                break
    for name, base in (("g", "c"), ("g", "C"), ("n", "h")):
        if name in letters and (latex := written(base, ("tilde",)) or written(base, ("hat",))):
            found[name] = latex
    return Names(found)


def _filled(names: Names, letters: dict[str, str]) -> Names:
    """With those that the document does not speak of, written as the others are."""
    model = next(iter(names.parts.items()))
    parts = dict(names.parts)
    for name in letters:
        if name not in parts:
            parts[name] = model[1].replace(model[0], name, 1)
    return Names(parts)


def _argument(label: str, x: str, h: str, weights: Weights) -> str:
    """W_f x + U_f h + b_f, with the weights that the document speaks of."""
    if weights("W", f"x{label}") or weights("W", f"h{label}"):
        product = rf"W_{{x{label}}} {x} + W_{{h{label}}} {h}"
    elif weights("W", f"{label}x") or weights("W", f"{label}h"):
        product = rf"W_{{{label}x}} {x} + W_{{{label}h}} {h}"
    elif weights("U", label) or not weights("W", label):
        product = rf"W_{{{label}}} {x} + U_{{{label}}} {h}"
    else:
        product = rf"W_{{{label}}} [{h}, {x}]"
    return rf"{product} + b_{{{label}}}"


def _label(names: tuple[str, ...], weights: Weights) -> str:
    """The label of a candidate's weights: c, C, g or h."""
    used = (n for n in names if any(weights(w, n) for w in "WUb"))
    return next(used, names[0])


def _lstm(names: Names, x: str, weights: Weights) -> list[str]:
    p, h = names.parts, names.before("h")
    gates = [rf"{p[g]} = \sigma({_argument(g, x, h, weights)})" for g in ("f", "i", "o")]
    candidate = _label(("c", "C", "g", "a", "z"), weights)
    return [
        *gates,
        rf"{p['g']} = \tanh({_argument(candidate, x, h, weights)})",
        rf"{p['c']} = {p['f']} \odot {names.before('c')} + {p['i']} \odot {p['g']}",
        rf"{p['h']} = {p['o']} \odot \tanh({p['c']})",
    ]


def _gru(names: Names, x: str, weights: Weights) -> list[str]:
    p, h = names.parts, names.before("h")
    gates = [
        rf"{p[g]} = \sigma({_argument(_label((g, *others), weights), x, h, weights)})"
        for g, others in (("z", ("u",)), ("r", ()))
    ]
    candidate = _label(("h", "n", "c"), weights)
    inner = _argument(candidate, x, rf"({p['r']} \odot {h})", weights)
    return [
        *gates,
        rf"{p['n']} = \tanh({inner})",
        rf"{p['h']} = (1 - {p['z']}) \odot {h} + {p['z']} \odot {p['n']}",
    ]
