"""What a symbol is called and which scripts it carries, each by its kind.

Between the syntax and the table of symbols. A script is a label, as in W_{hh}; an index, which
may be a time, a component, a layer or an exponent; a transpose, an inverse or a star.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rnnsym.reader import limits
from rnnsym.reader import syntax as s
from rnnsym.reader.indices import Index, read_index
from rnnsym.reader.tokens import Token

_BRACKETS = {r"\langle": r"\rangle", "<": ">", "(": ")", "[": "]", r"\{": r"\}"}
_STYLES = {r"\langle": "angle", "<": "angle", "(": "round", "[": "square", r"\{": "brace"}
_TRANSPOSE = {"T", r"\top", r"\intercal", r"\dagger", r"\mathsf{T}", r"\mathrm{T}", r"\text{T}",
              r"\mathbf{T}", r"\mathit{T}", r"\mathtt{T}", r"\mathcal{T}",
              r"\mathbb{T}", r"\rm T", "⊺", r"\operatorname{T}", r"\textsf{T}",
              r"\textrm{T}", r"\textbf{T}", r"\mathscr{T}", r"\mathop{T}", r"\mathsf{\top}",
              r"\tran", r"\transpose", r"\text{⊤}", r"\T", r"\Tr", r"\tr", r"\tp", r"\trp",
              r"\trans", r"\transp", r"\Transpose"}  # fmt: skip


@dataclass(frozen=True)
class Script:
    """One script: style is "plain", "angle", "round", "square"; where is "sub" or "sup".

    index is set where it can be read as a whole number; text is its spelling without spaces.
    """

    where: str
    style: str
    text: str
    index: Index | None
    tokens: tuple[Token, ...] = ()


@dataclass(frozen=True)
class Spelled:
    """A symbol taken apart. key names it: base, accents, and the labels that are surely labels."""

    base: str
    accents: tuple[str, ...]
    scripts: tuple[Script, ...]
    transposed: int = 0
    inverse: bool = False
    star: str = ""
    primes: int = 0
    font: str = ""


Key = tuple[str, tuple[str, ...], tuple[str, ...]]


def spell(symbol: s.Symbol) -> Spelled:
    """Take a symbol apart. Raises UnreadableError where it has too many scripts."""
    limits.check_scripts(0, max(len(symbol.sub), len(symbol.sup)), symbol.start)
    scripts: list[Script] = []
    transposed, inverse, star = 0, False, ""
    for item in _items(symbol.sub):
        scripts += [_script("sub", x) for x in _labelled(item)]
    for item in _pieces(symbol.sup):
        text = spelling(item)
        if text in _TRANSPOSE:
            transposed += 1
        elif text == "-1":
            inverse = True
        elif text in (r"-\top", "-T"):
            transposed, inverse = transposed + 1, True
        elif text in ("*", r"\star", r"\ast", "+", "-", r"\dagger", r"\infty", r"\circ"):
            star += "*" if text in (r"\star", r"\ast") else text.lstrip("\\")
        else:
            scripts.append(_script("sup", item))
    limits.check_scripts(len(scripts), 0, symbol.start)
    return Spelled(
        symbol.base, symbol.accents, tuple(scripts), transposed, inverse, star, symbol.primes,
        symbol.font,
    )  # fmt: skip


def spelling(found: Sequence[Token]) -> str:
    """How some tokens are written, without spaces and fonts around single letters."""
    return "".join(x.text for x in found)


def label(found: Sequence[Token]) -> str:
    """The letters of a label, without the commands that only change its looks."""
    kept = []
    for token in found:
        text = token.text
        looks = token.kind == "command" and len(text) > 2 and text[1:] in _LOOKS
        if text in ("{", "}", "_") or looks:
            continue
        kept.append(text.lstrip("\\") if token.kind == "command" else text)
    return "".join(kept)


_LOOKS = {"mathrm", "text", "mathbf", "boldsymbol", "mathit", "textrm", "bm", "mathsf",
          "operatorname",
          "rm", "bf", "textit", "textbf", "mathcal", "mbox", "mathtt", "texttt"}  # fmt: skip


def _items(found: Sequence[Token]) -> list[list[Token]]:
    """The parts of a subscript between commas."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in found:
        depth += {"{": 1, "(": 1, "[": 1, "}": -1, ")": -1, "]": -1}.get(token.text, 0)
        if token.text in (",", ";") and depth == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return [p for p in parts if p]


def _labelled(item: list[Token]) -> list[list[Token]]:
    """A subscript; a word with a time in brackets, O_{\\text{in}(t)}, is two, and a label with the
    entries in brackets, W_{f[i, j]}, is several."""
    if len(item) > 3 and item[-1].text == "]" and item[0].text != "[":
        opening = next((i for i, x in enumerate(item) if x.text == "["), 0)
        inside = _items(item[opening + 1 : -1])
        if opening and all(read_index(x) is not None for x in inside):
            return [item[:opening], *([item[opening], *x, item[-1]] for x in inside)]
    if len(item) < 4 or item[-1].text != ")":
        return [item]
    opening = next((i for i, x in enumerate(item) if x.text == "("), 0)
    word = label(item[:opening])
    if len(word) < 2 or not word.isalpha() or _close(item, opening, "(", ")") != len(item) - 1:
        return [item]
    return [item[:opening], item[opening:]]


def _unbraced(found: Sequence[Token]) -> list[Token]:
    """The tokens without braces that hold nothing together, as in ^{{\\top}}."""
    kept: list[Token] = []
    silent: list[bool] = []
    for i, token in enumerate(found):
        if token.text == "{":
            before = found[i - 1] if i else None
            argument = before is not None and (before.text in "_^}" or before.kind == "command")
            silent.append(not argument or (before is not None and before.text in _PLAIN))
            if silent[-1]:
                continue
        elif token.text == "}" and silent and silent.pop():
            continue
        kept.append(token)
    return kept


#: fonts that a T of transposes may have
_FONTS = {r"\mathsf", r"\mathrm", r"\text", r"\textrm", r"\mathtt", r"\sf", r"\mathit"}
#: commands without an argument, after which a brace is no argument
_PLAIN = {r"\rangle", r"\top", r"\intercal", r"\prime", r"\langle"}


def _pieces(found: Sequence[Token]) -> list[list[Token]]:
    """The parts of a superscript: bracketed groups, transposes, and what is between them."""
    parts: list[list[Token]] = []
    plain: list[Token] = []
    i, tokens = 0, _unbraced(found)

    def flush() -> None:
        if plain:
            parts.append(plain.copy())
            plain.clear()

    while i < len(tokens):
        text = tokens[i].text
        closing = _BRACKETS.get(text)
        end = _close(tokens, i, text, closing) if closing else None
        if end is not None and (text != "(" or not _in_index(plain, tokens[end + 1 :])):
            flush()
            parts.append(tokens[i : end + 1])
            i = end + 1
            continue
        if (
            text in (r"\top", r"\intercal")
            or (text == "T" and not _in_index(plain, tokens[i + 1 :]) and (not plain or parts))
            or (text == "T" and i == len(tokens) - 1 and _is_label(plain))
        ):
            if [x.text for x in plain] == ["-"]:  # ^{-\top}
                parts.append([*plain, tokens[i]])
                plain.clear()
                i += 1
                continue
            flush()
            parts.append([tokens[i]])
        elif text in (r"\mathsf", r"\mathrm", r"\text", r"\textrm", r"\operatorname") and (
            spelling(tokens[i : i + 4]) in _TRANSPOSE
        ):
            flush()
            parts.append(tokens[i : i + 4])
            i += 4
            continue
        elif text in _FONTS and i == len(tokens) - 2 and tokens[-1].text == "T":  # ^{\\mathsf T}
            flush()
            parts.append([tokens[-1]])
            break
        elif text in (",", ";"):
            flush()
        elif text == "^" and parts and not plain and _is_transpose(tokens[i + 1 :]):
            parts.append([x for x in tokens[i + 1 :] if x.text not in "{}"])  # h^{(t)^{\\top}}
            break
        else:
            plain.append(tokens[i])
        i += 1
    flush()
    return parts


def _is_transpose(found: Sequence[Token]) -> bool:
    """Whether some tokens, in braces or not, are the sign of a transpose and nothing else."""
    return spelling(found).removeprefix("{").removesuffix("}") in _TRANSPOSE


def _is_label(found: Sequence[Token]) -> bool:
    """Whether a T after this transposes what has this label, W^{f T}: no power is f times T."""
    return len(found) == 1 and found[0].kind == "letter"


def _in_index(before: Sequence[Token], after: Sequence[Token]) -> bool:
    """Whether a piece belongs to an expression such as T - i or k(t+1)."""
    return bool(before) or (bool(after) and after[0].text in ("+", "-") and len(after) > 1)


def _close(tokens: Sequence[Token], start: int, opening: str, closing: str | None) -> int | None:
    depth = 0
    for i in range(start, len(tokens)):
        if tokens[i].text == opening:
            depth += 1
        elif tokens[i].text == closing:
            depth -= 1
            if depth == 0:
                return i
    return None


def _script(where: str, item: Sequence[Token]) -> Script:
    style = _STYLES.get(item[0].text, "plain") if len(item) > 2 else "plain"
    if style != "plain" and item[-1].text == _BRACKETS[item[0].text]:
        item = item[1:-1]
    else:
        style = "plain"
    text, index = label(item), read_index(item)
    plain = where == "sub" and style == "plain" and len(item) == 2
    if plain and text[:1] == "t" and text[1:].isdigit():  # h_{t1}, h_{t2}: steps by their numbers
        index = Index(int(text[1:]))
    return Script(where, style, text, index, tuple(item))
