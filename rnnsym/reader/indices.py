"""Times, layers and other whole numbers: linear expressions in index letters, such as t-1.

Used for the scripts of symbols, the limits of sums and the exponents of powers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rnnsym.reader.tokens import Token

_GREEK = {r"\tau", r"\ell", r"\eta", r"\kappa", r"\nu", r"\mu", r"\rho", r"\lambda"}


@dataclass(frozen=True)
class Index:
    """constant + Σ coefficient · letter, letters in alphabetical order."""

    constant: int = 0
    letters: tuple[tuple[str, int], ...] = ()

    @staticmethod
    def of(letter: str, constant: int = 0) -> Index:
        """letter + constant."""
        return Index(constant, ((letter, 1),))

    @property
    def names(self) -> tuple[str, ...]:
        """The letters in it."""
        return tuple(name for name, _ in self.letters)

    @property
    def letter(self) -> str:
        """The only letter of letter + constant; else nothing."""
        return self.letters[0][0] if len(self.letters) == 1 and self.letters[0][1] == 1 else ""

    def plus(self, other: Index, sign: int = 1) -> Index:
        """The sum with another, or the difference."""
        table = dict(self.letters)
        for name, coefficient in other.letters:
            table[name] = table.get(name, 0) + sign * coefficient
        kept = tuple(sorted((n, c) for n, c in table.items() if c))
        return Index(self.constant + sign * other.constant, kept)

    def times(self, number: int) -> Index:
        return Index(
            self.constant * number, tuple((n, c * number) for n, c in self.letters if number)
        )

    def value(self, numbers: Mapping[str, int]) -> int:
        """The whole number that it is; KeyError for a letter without a value."""
        return self.constant + sum(c * numbers[name] for name, c in self.letters)

    def put(self, table: Mapping[str, Index]) -> Index:
        """The same with letters replaced."""
        result = Index(self.constant)
        for name, coefficient in self.letters:
            result = result.plus(table.get(name, Index.of(name)).times(coefficient))
        return result

    def __str__(self) -> str:
        text = ""
        for name, c in self.letters:
            sign = "-" if c < 0 else "+" if text else ""
            text += sign + ("" if abs(c) == 1 else str(abs(c))) + name
        if self.constant or not text:
            text += f"{self.constant:+d}" if text else str(self.constant)
        return text


def read_index(found: Sequence[Token]) -> Index | None:
    """The whole number that some tokens write, or None if they are something else."""
    result, sign, i, empty = Index(), 1, 0, True
    tokens = list(found)
    while i < len(tokens):
        text = tokens[i].text
        if text in ("+", "-"):
            if empty and i and tokens[i - 1].text in ("+", "-"):
                return None
            sign, empty = (1 if text == "+" else -1), True
            i += 1
            continue
        if not empty:
            return None
        number = 1
        if tokens[i].kind == "number":
            if "." in text:
                return None
            number = int(text)
            if number > 10**9:
                return None
            i += 1
            if i == len(tokens) or tokens[i].text in ("+", "-"):
                result = result.plus(Index(number), sign)
                empty = False
                continue
        if i < len(tokens) and tokens[i].text == "(":
            end = _closing(tokens, i)
            inner = read_index(tokens[i + 1 : end]) if end else None
            if inner is None or end is None:
                return None
            result, empty, i = result.plus(inner.times(number), sign), False, end + 1
            continue
        name, i = _letter(tokens, i)
        if not name:
            return None
        result = result.plus(Index(0, ((name, number),)), sign)
        empty = False
    return None if empty else result


def _closing(tokens: Sequence[Token], start: int) -> int | None:
    depth = 0
    for i in range(start, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[i].text, 0)
        if depth == 0:
            return i
    return None


def _letter(tokens: Sequence[Token], i: int) -> tuple[str, int]:
    """An index letter, perhaps with a subscript of its own, as T_x."""
    if i >= len(tokens):
        return "", i
    token = tokens[i]
    if (
        token.text in (r"\mathrm", r"\mathit", r"\text")
        and i + 3 < len(tokens)
        and (tokens[i + 1].text == "{" and tokens[i + 3].text == "}")
    ):
        token, i = tokens[i + 2], i + 3
    if not (token.kind == "letter" and token.text.isascii()) and token.text not in _GREEK:
        return "", i
    name, i = token.text.lstrip("\\"), i + 1
    while i < len(tokens) and tokens[i].text == "'":
        name, i = name + "'", i + 1
    if i < len(tokens) and tokens[i].text == "_":
        inner, i = _script(tokens, i + 1)
        if not inner.isalnum():
            return "", i
        name = f"{name}_{inner}"
    return name, i


def _script(tokens: Sequence[Token], i: int) -> tuple[str, int]:
    if i < len(tokens) and tokens[i].text == "{":
        end = next((j for j in range(i, len(tokens)) if tokens[j].text == "}"), None)
        if end is None:
            return "", i
        return "".join(x.text for x in tokens[i + 1 : end]), end + 1
    return (tokens[i].text if i < len(tokens) else ""), i + 1
