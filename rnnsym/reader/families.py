r"""Families of names: W_\star with \star \in \{i, f, o\} is a formula for each of the three.

First stage of the reader for documents. The names are those of a set that is written out; those of
a star that no set explains are the labels that stand elsewhere in its place. A layer l that no
formula counts is each of those that go by a number elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rnnsym.errors import RnnsymError
from rnnsym.reader.tokens import Token, tokens

#: signs that stand for names where no set says which
STARS = (r"\star", r"\ast", r"\bullet")
#: so many names make a family
MAX_NAMES = 12
_ITEMS = r"\\(?:left\s*\\)?\{([^&=<>]{3,200}?)\\(?:right\s*\\)?\}"
_MARK = r"(\\star|\\ast|\\bullet|\*|\\[a-z]+|[A-Za-z])"
_SET = re.compile(rf"{_MARK}\s*\\in\s*{_ITEMS}")
_ALONE = re.compile(rf"\s*{_ITEMS}\s*")
_FONT = re.compile(r"\\(?:mathbf|boldsymbol|bm|mathit|mathrm|text)(?![A-Za-z])|[{}\s]|\\,")
_NAME = re.compile(r"(\\(?:bar|overline|tilde|widetilde|hat))?([A-Za-z])")

#: letters of layers; a letter and the layer that it is of
LAYERS = ("l", r"\ell")
_RAISED = re.compile(
    r"(\\[A-Za-z]+|[A-Za-z])\}*\s*\^\s*\{?\s*(?:\(|\[)?\s*(\d|l|\\ell)\s*(?:\)|\])?\s*(?:\}|(?=[_\s,=]|$))"
)
_LABELLED = re.compile(r"([A-Za-z])\}?_\s*\{?\s*(\\[a-z]+|[A-Za-z])\s*\}?")


def written_out(formulas: Sequence[str]) -> list[str]:
    """The formulas of a document with those of families written out, a row for each name."""
    formulas = _of_each_layer(formulas)
    sets = _sets(formulas)
    starred = [s for s in STARS if s not in sets and any(s in f for f in formulas)]
    if not sets and not starred:
        return list(formulas)
    for star in starred:
        names = _labels(formulas, star)
        if names:
            sets[star] = names
    return [_written_out(f, sets) for f in formulas]


def _of_each_layer(formulas: Sequence[str]) -> Sequence[str]:
    """The formulas in which δ^{(l)} stands beside δ^{(1)} and δ^{(2)} elsewhere, for each layer."""
    numbered: dict[str, set[str]] = {}
    for f in formulas:
        for base, mark in _RAISED.findall(f):
            if mark.isdigit():
                numbered.setdefault(base, set()).add(mark)
    every = " ".join(formulas)
    layers: dict[str, list[str]] = {}
    for mark in LAYERS:
        counted = re.search(rf"{re.escape(mark)}\s*(?:[-+=]|\\in|\\le)", every)
        bases = {base for f in formulas for base, m in _RAISED.findall(f) if m == mark}
        found = [numbered[b] for b in bases if {"1", "2"} <= numbered.get(b, set())]
        if found and not counted:
            layers[mark] = sorted(set.union(*found), key=int)

    def of_each(formula: str) -> str:
        for mark, names in layers.items():
            if any(m == mark for _, m in _RAISED.findall(formula)):
                one = rf"(\^\s*\{{?\s*[(\[]?\s*){re.escape(mark)}(?![A-Za-z])"
                rows = [re.sub(one, rf"\g<1>{n}", formula) for n in names[:MAX_NAMES]]
                return " \\\\ ".join(r.strip().rstrip(",") for r in rows)
        return formula

    return [of_each(f) for f in formulas]


def _sets(formulas: Sequence[str]) -> dict[str, list[str]]:
    """The names that a mark stands for, where they are given: in one formula, or in two in a row,
    as of "⋆ can be any of {z, i, f, o}"."""
    found: dict[str, list[str]] = {}
    for k, formula in enumerate(formulas):
        pairs = [(m[1], m[2]) for m in _SET.finditer(formula)]
        after = _ALONE.fullmatch(formulas[k + 1]) if k + 1 < len(formulas) else None
        if after is not None and formula.strip() in STARS:
            pairs.append((formula.strip(), after[1]))
        for mark, items in pairs:
            names = [_NAME.fullmatch(_FONT.sub("", x)) for x in items.split(",")]
            if len(names) > 1 and all(names):
                found[mark] = [x.group() for x in names if x is not None]
    return found


def _written_out(formula: str, sets: dict[str, list[str]]) -> str:
    plain = _SET.sub("", formula)
    for mark, names in sets.items():
        if not 1 < len(names) <= MAX_NAMES or mark in names:
            continue
        rows = _rows(plain, mark, names)
        if rows:
            return " \\\\ ".join(rows)
    return formula


def _rows(formula: str, mark: str, names: list[str]) -> list[str]:
    """The formula for each name; nothing where the mark does not stand for one."""
    try:
        found = tokens(formula)
    except RnnsymError:
        return []
    places = [(x, _in_script(found, k)) for k, x in enumerate(found) if x.text == mark]
    if mark not in STARS:  # a letter is a name where it is a label
        places = [(x, script) for x, script in places if script]
    if not any(script for _, script in places) or _is_alone(formula, mark):
        return []
    rows = []
    for name in names:
        text = formula
        for token, script in reversed(places):
            new = name[-1] if script else f"{{{_accented(name)}}}"
            text = f"{text[: token.start]}{new}{text[token.end :]}"
        rows.append(text.strip().rstrip(","))
    return rows


def _accented(name: str) -> str:
    """A name with its accent, as LaTeX has it."""
    return f"{name[:-1]} {name[-1]}".strip()


def _is_alone(formula: str, mark: str) -> bool:
    """Whether a star is an operator or an optimum, as in W^\\star or a \\ast b."""
    return bool(re.search(rf"\^\s*\{{?\s*{re.escape(mark)}", formula))


def _in_script(found: list[Token], k: int) -> bool:
    """Whether a token stands in a subscript."""
    depth = 0
    for i in range(k - 1, -1, -1):
        text = found[i].text
        if text == "}":
            depth += 1
        elif text == "{":
            if depth == 0:
                return i > 0 and found[i - 1].text == "_"
            depth -= 1
        elif depth == 0 and i == k - 1 and text == "_":
            return True
    return False


def _labels(formulas: Sequence[str], star: str) -> list[str]:
    """The labels of the letters that a star is a label of."""
    order: dict[str, None] = {}
    bases: set[str] = set()
    seen: dict[str, set[str]] = {}
    for formula in formulas:
        for match in _LABELLED.finditer(formula):
            base, label = match.groups()
            if label == star:
                bases.add(base)
            elif label.isalpha():
                seen.setdefault(base, set()).add(label)
                order.setdefault(label)
    common = set.intersection(*(seen.get(b, set()) for b in bases)) if bases else set()
    return [x for x in order if x in common]
