"""Notation profiles: how names, fonts and times are written.

A profile says how things look; which letter a quantity has in it stands with the cell
(`Cell.notations`).
"""

from __future__ import annotations

from dataclasses import dataclass


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


@dataclass(frozen=True)
class Name:
    """A name taken apart: y_hat is (y, hat), W_aa is (W, "", aa), z_c_tilde is z with index c̃."""

    base: str
    accent: str = ""
    sub: tuple[Name, ...] = ()
    sup: str = ""
    primes: int = 0


def parse(name: str) -> Name:
    """Take a name apart. A name that is no identifier stays whole, for the printer to escape.

    Underscores at the end, which make a name new, become primes; Greek letters get their names.
    """
    head, _, sup = name.partition("^")
    if not head.isidentifier() or (sup and not sup.isalnum()) or not head.strip("_"):
        return Name(name)
    primes = len(head) - len(head.rstrip("_"))
    base, *rest = [NAME_OF.get(part, part) for part in head.strip("_").split("_")]
    accent = rest.pop(0) if rest and rest[0] in ACCENTS else ""
    sub: list[Name] = []
    for part in rest:
        if part in ACCENTS and sub:
            sub[-1] = Name(sub[-1].base, part)
        elif part:
            sub.append(Name(part))
    return Name(base, accent, tuple(sub), sup, primes)
