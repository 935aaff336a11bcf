"""Notation profiles: how names, fonts and times are written.

A profile says how things look; which letter a quantity has in it stands with the cell
(`Cell.notations`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Profile:
    """One notation.

    time: "angle" a^{⟨t⟩}, "round" a^{(t)}, "index" a_t; vector, matrix: the font commands;
    loss: the letter of the loss; source: whose notation it is.
    """

    name: str
    time: str
    vector: str
    matrix: str
    loss: str
    source: str


PROFILES: dict[str, Profile] = {
    p.name: p
    for p in (
        Profile("post", "angle", "mathbf", "mathbf", r"\mathscr{L}", "Ng's course, as in the post"),
        Profile("goodfellow", "round", "boldsymbol", "boldsymbol", "L",
                "Goodfellow, Bengio & Courville 2016, chapter 10"),
        Profile("d2l", "index", "mathbf", "mathbf", r"\ell",
                "Zhang et al., Dive into Deep Learning, in columns"),
        Profile("pytorch", "index", "", "", "L", "the docstrings of torch.nn"),
        Profile("karpathy", "index", "", "", "L", "Karpathy's min-char-rnn"),
    )
}  # fmt: skip

ACCENTS = {"hat", "tilde", "bar", "vec"}
GREEK = [
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa",
    "lambda", "mu", "nu", "xi", "pi", "rho", "sigma", "tau", "phi", "chi", "psi", "omega",
    "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Phi", "Psi", "Omega",
]  # fmt: skip
LETTERS = dict(zip(GREEK, "αβγδεζηθικλμνξπρστφχψωΓΔΘΛΞΠΣΦΨΩ", strict=True))
NAME_OF = {letter: name for name, letter in LETTERS.items()}


#: what names of copies of a cell end in (see `rnnsym.compose`), in this order
MARKS = re.compile(
    r"(?P<stem>.*?[^_])(?:_lag(?P<lag>[1-9][0-9]*))?(?:_(?P<part>enc|dec))?"
    r"(?:_(?P<direction>fwd|bwd))?(?:_l(?P<layer>[1-9][0-9]*|below|this|above))?",
    re.DOTALL,
)


#: layers of a stack of any depth, counted from one of them (see `rnnsym.derive.layers`)
ANY_LAYER = {"below": "l-1", "this": "l", "above": "l+1"}


@dataclass(frozen=True)
class Name:
    """A name taken apart: y_hat is (y, hat), W_aa is (W, "", aa), z_c_tilde is z with index c̃.

    Of W_aa_lag3_fwd_l2 lag is "3", direction "fwd", layer "2".
    """

    base: str
    accent: str = ""
    sub: tuple[Name, ...] = ()
    sup: str = ""
    primes: int = 0
    lag: str = ""
    direction: str = ""
    layer: str = ""

    @property
    def marks(self) -> str:
        """Layer and lag as they stand in the superscript, [2](3)."""
        layer = ANY_LAYER.get(self.layer, self.layer)
        return (f"[{layer}]" if layer else "") + (f"({self.lag})" if self.lag else "")

    def marked(self, marks: Mapping[str, str]) -> Name:
        """The name with the marks of a copy."""
        part = (Name(marks["part"]),) if marks["part"] else ()
        return replace(
            self,
            sub=self.sub + part,
            lag=marks["lag"],
            direction=marks["direction"],
            layer=marks["layer"],
        )


def parse(name: str) -> Name:
    """Take a name apart. A name that is no identifier stays whole, for the printer to escape.

    Underscores at the end, which make a name new, become primes; Greek letters get their names.
    """
    head, _, sup = name.partition("^")
    if not head.isidentifier() or (sup and not sup.isalnum()) or not head.strip("_"):
        return Name(name)
    primes = len(head) - len(head.rstrip("_"))
    stem, marks = split(head.rstrip("_"))
    base, *rest = [NAME_OF.get(part, part) for part in stem.strip("_").split("_")]
    accent = rest.pop(0) if rest and rest[0] in ACCENTS else ""
    sub: list[Name] = []
    for part in rest:
        if part in ACCENTS and sub:
            sub[-1] = Name(sub[-1].base, part)
        elif part:
            sub.append(Name(part))
    return Name(base, accent, tuple(sub), sup, primes).marked(marks)


def split(name: str) -> tuple[str, dict[str, str]]:
    """A name without the marks of a copy, and these: "lag", "part", "direction", "layer"."""
    match = MARKS.fullmatch(name)
    if match is None:
        return name, dict.fromkeys(("lag", "part", "direction", "layer"), "")
    stem, *_ = match.groups()
    return stem, {k: v or "" for k, v in match.groupdict().items() if k != "stem"}


def named(name: str, table: Mapping[str, str]) -> Name:
    """What a quantity is called in a notation, taken apart.

    table: its names by ours; the name of a copy is that of the cell's own quantity, marked.
    """
    if name in table:
        return parse(table[name])
    stem, marks = split(name)
    return parse(table[stem]).marked(marks) if stem in table else parse(name)
