"""Times, layers and other whole numbers: linear expressions in index letters, such as t-1.

Used for the scripts of symbols, the limits of sums and the exponents of powers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rnnsym.reader.tokens import Token

_GREEK = {r"\tau", r"\ell", r"\eta", r"\kappa", r"\nu", r"\mu", r"\rho", r"\lambda"}


@dataclass(frozen=True)
class Rounded:
    """⌊above/below⌋ or ⌈above/below⌉, which stands in an index as a letter does."""

    up: bool
    above: Index
    below: Index

    def value(self, numbers: Mapping[str, int]) -> int:
        """The whole number; KeyError for a letter without a value, or for a division by zero."""
        above, below = self.above.value(numbers), self.below.value(numbers)
        if not below:
            raise KeyError(str(self.below))
        return -(-above // below) if self.up else above // below

    @property
    def parts(self) -> tuple[Index, ...]:
        return self.above, self.below

    def put(self, table: Mapping[str, Index]) -> Rounded:
        return Rounded(self.up, self.above.put(table), self.below.put(table))

    def __str__(self) -> str:
        left, right = "⌈⌉" if self.up else "⌊⌋"
        return f"{left}({self.above})/({self.below}){right}"


@dataclass(frozen=True)
class Extreme:
    """The greatest or the least of some, which stands in an index as a letter does."""

    greatest: bool
    parts: tuple[Index, ...]

    def value(self, numbers: Mapping[str, int]) -> int:
        values = [part.value(numbers) for part in self.parts]
        return max(values) if self.greatest else min(values)

    def put(self, table: Mapping[str, Index]) -> Extreme:
        return Extreme(self.greatest, tuple(part.put(table) for part in self.parts))

    def __str__(self) -> str:
        return f"{'max' if self.greatest else 'min'}({', '.join(map(str, self.parts))})"


@dataclass(frozen=True)
class Index:
    """constant + Σ coefficient · letter, letters in alphabetical order."""

    constant: int = 0
    letters: tuple[tuple[str | Rounded | Extreme, int], ...] = ()

    @staticmethod
    def of(letter: str, constant: int = 0) -> Index:
        """letter + constant."""
        return Index(constant, ((letter, 1),))

    @property
    def names(self) -> tuple[str, ...]:
        """The letters in it."""
        found: list[str] = []
        for name, _ in self.letters:
            if isinstance(name, str):
                found.append(name)
            else:
                found += [n for part in name.parts for n in part.names]
        return tuple(dict.fromkeys(found))

    @property
    def letter(self) -> str:
        """The only letter of letter + constant; else nothing."""
        if len(self.letters) != 1 or self.letters[0][1] != 1:
            return ""
        name = self.letters[0][0]
        return name if isinstance(name, str) else ""

    def plus(self, other: Index, sign: int = 1) -> Index:
        """The sum with another, or the difference."""
        table = dict(self.letters)
        for name, coefficient in other.letters:
            table[name] = table.get(name, 0) + sign * coefficient
        kept = tuple(sorted(((n, c) for n, c in table.items() if c), key=str))
        return Index(self.constant + sign * other.constant, kept)

    def times(self, number: int) -> Index:
        return Index(
            self.constant * number, tuple((n, c * number) for n, c in self.letters if number)
        )

    def value(self, numbers: Mapping[str, int]) -> int:
        """The whole number that it is; KeyError for a letter without a value."""
        return self.constant + sum(
            c * (numbers[name] if isinstance(name, str) else name.value(numbers))
            for name, c in self.letters
        )

    def put(self, table: Mapping[str, Index]) -> Index:
        """The same with letters replaced."""
        result = Index(self.constant)
        for name, coefficient in self.letters:
            if isinstance(name, str):
                inner = table.get(name, Index.of(name))
            else:
                inner = Index(0, ((name.put(table), 1),))
            result = result.plus(inner.times(coefficient))
        return result

    def __str__(self) -> str:
        text = ""
        for name, c in self.letters:
            sign = "-" if c < 0 else "+" if text else ""
            text += f"{sign}{'' if abs(c) == 1 else abs(c)}{name}"
        if self.constant or not text:
            text += f"{self.constant:+d}" if text else str(self.constant)
        return text


#: an index of more tokens, or of greater numbers, is none
MAX_TOKENS, MAX_NUMBER = 200, 10**12


def read_index(found: Sequence[Token]) -> Index | None:
    """The whole number that some tokens write, or None if they are something else."""
    if len(found) > MAX_TOKENS:
        return None
    result = _read_index(found)
    return result if result is not None and _is_small(result) else None


def _is_small(index: Index) -> bool:
    return all(abs(n) <= MAX_NUMBER for n in (index.constant, *(c for _, c in index.letters)))


def _read_index(found: Sequence[Token]) -> Index | None:
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
        name: str | Rounded | Extreme | None
        if i < len(tokens) and tokens[i].text in _ROUNDED:
            name, i = _rounded(tokens, i)
        elif i < len(tokens) and tokens[i].text in (r"\max", r"\min"):
            name, i = _extreme(tokens, i)
        else:
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


_ROUNDED = {r"\lfloor": r"\rfloor", r"\lceil": r"\rceil"}


def _rounded(tokens: Sequence[Token], start: int) -> tuple[Rounded | None, int]:
    """⌊…⌋ or ⌈…⌉ around a quotient of whole numbers."""
    opening, closing = tokens[start].text, _ROUNDED[tokens[start].text]
    depth = 0
    for i in range(start, len(tokens)):
        depth += {opening: 1, closing: -1}.get(tokens[i].text, 0)
        if depth == 0:
            inner = _bare(tokens[start + 1 : i])
            found = _quotient(inner)
            rounded = None if found is None else Rounded(opening == r"\lceil", *found)
            return rounded, i + 1
    return None, start


def _extreme(tokens: Sequence[Token], start: int) -> tuple[Extreme | None, int]:
    """max(…, …) or min(…, …) of whole numbers."""
    pairs = {"(": ")", r"\{": r"\}", "[": "]", "{": "}"}
    opening = tokens[start + 1].text if start + 1 < len(tokens) else ""
    depth, parts = 0, [[]]  # type: ignore[var-annotated]
    for i in range(start + 1, len(tokens)):
        if opening not in pairs:
            break
        depth += {opening: 1, pairs[opening]: -1}.get(tokens[i].text, 0)
        if depth == 0:
            found = [read_index(_bare(part)) for part in parts]
            kept = tuple(x for x in found if x is not None)
            if len(kept) != len(found):
                break
            return Extreme(tokens[start].text == r"\max", kept), i + 1
        if tokens[i].text == "," and depth == 1:
            parts.append([])
        elif i > start + 1:
            parts[-1].append(tokens[i])
    return None, start


def _bare(tokens: Sequence[Token]) -> Sequence[Token]:
    """Tokens without braces or brackets around all of them."""
    pairs = {"{": "}", "(": ")"}
    while len(tokens) > 1 and pairs.get(tokens[0].text) == tokens[-1].text:
        depth, opening, closing = 0, tokens[0].text, tokens[-1].text
        for i, token in enumerate(tokens):
            depth += {opening: 1, closing: -1}.get(token.text, 0)
            if depth == 0 and i < len(tokens) - 1:
                return tokens
        tokens = tokens[1:-1]
    return tokens


def _quotient(tokens: Sequence[Token]) -> tuple[Index, Index] | None:
    """A sum of fractions as one: what stands above, and what below."""
    parts: list[list[Token]] = [[]]
    signs, depth = [1], 0
    for token in tokens:
        depth += {"{": 1, "(": 1, "}": -1, ")": -1}.get(token.text, 0)
        if token.text in ("+", "-") and depth == 0:
            if parts[-1]:
                parts.append([])
                signs.append(1)
            signs[-1] *= 1 if token.text == "+" else -1
        else:
            parts[-1].append(token)
    above, below = Index(), Index(1)
    for sign, part in zip(signs, parts, strict=True):
        found = _fraction(part)
        if found is None:
            return None
        over, under = found
        if under == below:
            above = above.plus(over, sign)
        elif under.letters or below.letters:
            if len(parts) > 1:
                return None
            above, below = over.times(sign), under
        else:
            above = above.times(under.constant).plus(over.times(below.constant), sign)
            below = Index(below.constant * under.constant)
        if not (_is_small(above) and _is_small(below)):
            return None
    return above, below


def _fraction(tokens: Sequence[Token]) -> tuple[Index, Index] | None:
    """A fraction of two whole numbers, or one whole number."""
    sides: list[Sequence[Token]]
    if tokens and tokens[0].text in (r"\frac", r"\dfrac", r"\tfrac"):
        first, i = _group(tokens, 1)
        second, i = _group(tokens, i)
        if i != len(tokens):
            return None
        sides = [first, second]
    else:
        cut = next((i for i, x in enumerate(tokens) if x.text == "/"), len(tokens))
        sides = [tokens[:cut], tokens[cut + 1 :]]
        if not sides[1]:
            whole = read_index(_bare(tokens))
            return None if whole is None else (whole, Index(1))
    above, below = (read_index(_bare(side)) for side in sides)
    return None if above is None or below is None else (above, below)


def _group(tokens: Sequence[Token], i: int) -> tuple[Sequence[Token], int]:
    """The tokens of {…} at a place, or a single token."""
    if i >= len(tokens) or tokens[i].text != "{":
        return tokens[i : i + 1], i + 1
    depth = 0
    for j in range(i, len(tokens)):
        depth += {"{": 1, "}": -1}.get(tokens[j].text, 0)
        if depth == 0:
            return tokens[i + 1 : j], j + 1
    return (), i + 1


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
