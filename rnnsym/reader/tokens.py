"""From LaTeX to tokens with positions, within limits.

First stage of the reader. Unicode mathematics becomes the commands that it stands for; comments,
spaces and what only serves the looks are dropped.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from typing import NoReturn

from rnnsym.errors import InputError

#: a formula of more characters, tokens or nested groups is refused
MAX_LENGTH, MAX_TOKENS, MAX_DEPTH, MAX_DIGITS = 20_000, 6_000, 40, 30
#: a message quotes no more of a formula than this
MAX_MESSAGE = 300


def printable(text: str) -> str:
    """A text for a message: no control characters, no marks that turn or hide text, not long."""
    if len(text) > MAX_MESSAGE:
        half = MAX_MESSAGE // 2
        text = f"{text[:half]} … {text[-half:]}"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class UnreadableError(InputError):
    """A formula, or a part of it, that cannot be read; `position` counts characters from 0."""

    def __init__(self, why: str, position: int = 0) -> None:
        self.why, self.position = printable(why), position
        super().__init__(self.why)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of source at [start, end): kind is "command", "letter", "number" or "mark"."""

    kind: str
    text: str
    start: int
    end: int
    spaced: bool = False  # whether white space stands before it

    def __repr__(self) -> str:
        return self.text


#: characters that stand for commands
UNICODE = {
    "−": "-", "–": "-", "·": r"\cdot", "⋅": r"\cdot", "×": r"\times", "⊙": r"\odot",
    "∘": r"\circ", "⊗": r"\otimes", "∗": "*", "∂": r"\partial", "∇": r"\nabla", "∑": r"\sum",
    "∏": r"\prod", "⟨": r"\langle", "⟩": r"\rangle", "≤": r"\leq", "≥": r"\geq", "≠": r"\neq",
    "≈": r"\approx", "∝": r"\propto", "←": r"\leftarrow", "→": r"\rightarrow", "⇒": r"\Rightarrow",
    "∈": r"\in", "∞": r"\infty", "…": r"\ldots", "⋯": r"\cdots", "′": "'", "‖": r"\Vert",
    "∥": r"\Vert", "≔": ":=", "≡": r"\equiv", "⊤": r"\top", "ℝ": r"\mathbb{R}", "ℓ": r"\ell",
    "ŷ": r"\hat{y}", "√": r"\sqrt", "⊕": r"\oplus", "½": r"\frac{1}{2}", "²": "^2", "∀": r"\forall",
    "≜": r"\triangleq", "⌈": r"\lceil", "⌉": r"\rceil", "⌊": r"\lfloor", "⌋": r"\rfloor",
    "≪": r"\ll", "≫": r"\gg", "∼": r"\sim", "，": ",", "（": "(", "）": ")", "：": ":",
    "。": ".", "；": ";", "、": ",",
    **dict(zip("αβγδεζηθικλμνξπρστυφχψωϕϵΓΔΘΛΞΠΣΦΨΩ", (
        r"\alpha", r"\beta", r"\gamma", r"\delta", r"\epsilon", r"\zeta", r"\eta", r"\theta",
        r"\iota", r"\kappa", r"\lambda", r"\mu", r"\nu", r"\xi", r"\pi", r"\rho", r"\sigma",
        r"\tau", r"\upsilon", r"\varphi", r"\chi", r"\psi", r"\omega", r"\phi", r"\epsilon",
        r"\Gamma", r"\Delta", r"\Theta", r"\Lambda", r"\Xi", r"\Pi", r"\Sigma", r"\Phi", r"\Psi",
        r"\Omega"), strict=True)),
}  # fmt: skip

_PIECE = re.compile(
    r"(?P<nothing>\\(?:left|right|middle|[bB]igg?[lrm]?)\s*\.)"
    r"|(?P<command>\\(?:[A-Za-z]+\*?|.))|(?P<number>[0-9]+(?:\.[0-9]+)?)|(?P<letter>[^\W\d_])"
    r"|(?P<space>\s+)|(?P<comment>%[^\n]*)|(?P<mark>.)",
    re.DOTALL,
)

#: commands that only serve the looks
SILENT = {
    r"\,", r"\;", r"\:", r"\!", r"\ ", r"\>", r"\displaystyle", r"\textstyle", r"\scriptstyle",
    r"\scriptscriptstyle", r"\limits", r"\nolimits", r"\nonumber", r"\notag", r"\left", r"\right",
    r"\middle", r"\big", r"\Big", r"\bigg", r"\Bigg", r"\bigl", r"\bigr", r"\Bigl", r"\Bigr",
    r"\biggl", r"\biggr", r"\Biggl", r"\Biggr", r"\bigm", r"\Bigm", r"\thinspace", r"\negthinspace",
    r"\small", r"\large", r"\Large", r"\normalsize", r"\footnotesize", r"\scriptsize",
    r"\allowbreak",
    r"\displaylimits", r"\null", r"\protect", r"\relax", r"\centering", r"\noindent", r"\strut",
    r"\medspace", r"\thickspace", r"\break", r"\linebreak", r"\newline", r"\smallskip",
    r"\medskip", r"\bigskip", r"\bf", r"\rm", r"\it", r"\boldmath", r"\hline", r"\mathstrut",
    r"\qed", r"\blacksquare", r"\square", r"\Box", r"\hfill", r"\/", r"\vphantom", r"\bold",
    r"\mit", r"\space", r"\LARGE", r"\huge", r"\Huge", r"\tiny",
}  # fmt: skip


#: letters without a dot, for accents
DOTLESS = {r"\imath": "i", r"\jmath": "j"}


#: commands that begin no factor
NO_FACTORS = {r"\quad", r"\qquad", r"\text", r"\textrm", r"\mbox", r"\end", r"\\", r"\label",
              r"\tag", r"\dots", r"\ldots", r"\cdots", r"\enspace", r"\hspace",
              r"\eqno"}  # fmt: skip
#: a bar of which \\left or \\right says what side it is on
BARS = {"|": r"\{}vert", r"\|": r"\{}Vert", r"\Vert": r"\{}Vert", r"\vert": r"\{}vert"}


#: brackets that Markdown needed an escape for
_ESCAPED = {r"\(": "(", r"\)": ")", r"\[": "[", r"\]": "]"}


def _side(looks: str) -> str:
    if looks == r"\left" or looks.endswith("l"):
        return "l"
    return "r" if looks == r"\right" or (looks.endswith("r") and "big" in looks.lower()) else ""


def fail(why: str, position: int = 0) -> NoReturn:
    """Refuse a formula."""
    raise UnreadableError(why, position)


def check_length(source: str) -> None:
    """Raises UnreadableError for a formula of too many characters."""
    if len(source) > MAX_LENGTH:
        fail(f"too large: {len(source):,} characters, at most {MAX_LENGTH:,} are read", MAX_LENGTH)


def tokens(source: str) -> list[Token]:
    """The tokens of a formula. Raises UnreadableError beyond the limits."""
    check_length(source)
    found: list[Token] = []
    spaced, looks = False, ""
    for match in _PIECE.finditer(source):
        kind, text = match.lastgroup or "mark", match.group()
        if kind in ("space", "comment", "nothing") or text == "~" or text in SILENT:
            spaced = True
            looks = text if text in SILENT else looks
            continue
        side = _side(looks)
        looks = ""
        text = _ESCAPED.get(text, text)
        if text in DOTLESS:
            kind, text = "letter", DOTLESS[text]
        if kind == "number" and len(text) > MAX_DIGITS:
            fail(f"a number of more than {MAX_DIGITS} digits", match.start())
        if side and text in BARS:
            found.append(
                Token("command", BARS[text].format(side), match.start(), match.end(), spaced)
            )
        elif text in UNICODE:
            for piece in _PIECE.finditer(UNICODE[text]):
                inner = piece.lastgroup or "mark"
                found.append(Token(inner, piece.group(), match.start(), match.end(), spaced))
        elif "\U0001d400" <= text <= "\U0001d7ff":  # 𝐚, 𝑊: letters that bring their font
            plain = unicodedata.normalize("NFKC", text)
            letter = UNICODE.get(plain, plain)
            kind = "command" if letter[0] == "\\" else "number" if plain.isdigit() else "letter"
            found.append(Token(kind, letter, match.start(), match.end(), spaced))
        elif text.isalnum() or text.isascii():
            found.append(Token(kind, text, match.start(), match.end(), spaced))
        else:
            found.append(Token("mark", text, match.start(), match.end(), spaced))
        spaced = False
        if len(found) > MAX_TOKENS:
            fail(f"too large: more than {MAX_TOKENS:,} tokens", match.start())
    _check_depth(found)
    return _with_norms(found, source)


def _with_norms(found: list[Token], source: str) -> list[Token]:
    """Two bars side by side as the sign of a norm, except those that end |a| and begin |b|; W.T, as
    NumPy has it, as a transpose; a hyphen in \\text as a minus; \\mathrel{+} as +; no bullet before
    it all."""
    kept: list[Token] = []
    open_: list[str] = []
    skip = 0
    for k, token in enumerate(found):
        following = found[k + 1] if k + 1 < len(found) else None
        if skip:
            skip -= 1
        elif token.text == r"\bullet" and not kept:
            continue  # an item of a list
        elif token.text == r"\text" and [x.text for x in found[k + 1 : k + 4]] == ["{", "-", "}"]:
            kept.append(found[k + 2])
            skip = 3
        elif token.kind == "number" and _is_decimal(found[k : k + 5]):  # 0{,}5
            whole, part = token.text, found[k + 4]
            text = f"{whole}.{part.text}"
            kept.append(Token("number", text, token.start, part.end, token.spaced))
            skip = 4
        elif token.text == "+" and [x.text for x in found[k + 1 : k + 3]] == ["&", "="]:
            kept += [found[k + 1], token, replace(found[k + 2], spaced=False)]  # +&= is +=
            skip = 2
        elif token.text in (r"\mathrel", r"\mathbin") and _inside(found[k + 1 : k + 5]):
            kept += _inside(found[k + 1 : k + 5])
            skip = len(_inside(found[k + 1 : k + 5])) + 2
        elif token.text == "." and _multiplies(kept[-1:], token, following):  # ∂L/∂y.∂y/∂h
            kept.append(Token("command", r"\cdot", token.start, token.end))
        elif token.text == "{" and _is_nothing(kept[-1:], found[k : k + 3]):
            skip = 1
        elif token.text == "$":
            continue  # of a display within a display
        elif token.text == "|":
            double = following is not None and following.text == "|" and not following.spaced
            if double and (not open_ or open_[-1] == "||"):
                assert following is not None
                open_.pop() if open_ else open_.append("||")
                kept.append(Token("command", r"\|", token.start, following.end, token.spaced))
                skip = 1
                continue
            open_.pop() if open_ and open_[-1] == "|" else open_.append("|")
            kept.append(token)
        elif token.text == "." and source[token.start - 1 : token.start + 2].endswith(".T"):
            if not kept or source[token.start - 1 : token.start].isspace():
                kept.append(token)
                continue
            kept.append(Token("mark", "^", token.start, token.end))
        else:
            kept.append(token)
    return kept


def _multiplies(before: list[Token], dot: Token, after: Token | None) -> bool:
    """Whether a dot between two factors, with no space around it, is a product and no full stop."""
    if not before or after is None or dot.spaced or after.spaced:
        return False
    begins = after.kind in ("letter", "command") or after.text == "("
    return before[0].text in ("}", ")", "]") and begins and after.text not in NO_FACTORS


def _is_nothing(before: list[Token], group: list[Token]) -> bool:
    """Whether {} stands behind a letter, where it does nothing; {}_T w has a label on the left."""
    ended = bool(before) and (before[0].kind in ("letter", "number") or before[0].text in ")]")
    apart = group[0].spaced and [x.text for x in group[2:]] in (["_"], ["^"])
    return ended and [x.text for x in group[1:2]] == ["}"] and not apart


def _is_decimal(found: list[Token]) -> bool:
    """Whether a comma in braces separates the digits of a number."""
    if len(found) < 5 or found[4].kind != "number":
        return False
    return [x.text for x in found[1:4]] == ["{", ",", "}"] and found[4].text.isdigit()


def _inside(found: list[Token]) -> list[Token]:
    """The signs in braces: the + of \\mathrel{+}=, or +=."""
    texts = [x.text for x in found]
    for inner in (["+"], ["-"], ["+", "="], ["-", "="], [":", "="]):
        if texts[: len(inner) + 2] == ["{", *inner, "}"]:
            return found[1 : len(inner) + 1]
    return []


def _check_depth(found: list[Token]) -> None:
    depth = 0
    for token in found:
        if token.text in ("{", "(", "[", r"\{", r"\langle", r"\lVert", r"\begin"):
            depth += 1
            if depth > MAX_DEPTH:
                fail(f"nested more than {MAX_DEPTH} deep", token.start)
        elif token.text in ("}", ")", "]", r"\}", r"\rangle", r"\rVert", r"\end"):
            depth = max(0, depth - 1)
