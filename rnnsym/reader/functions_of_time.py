"""Functions of time, y(t+1) = w y(t): where a document writes times so, they become scripts.

Used for whole documents, before their vocabulary is found: y(t) is read as y^{(t)} is. What is
applied to anything else, as f is in f(a(t)), is a function and stays one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from rnnsym.reader import syntax as s
from rnnsym.reader.indices import read_index
from rnnsym.reader.meanings import CUSTOMARY
from rnnsym.reader.occurring import nodes
from rnnsym.reader.statements import Reading
from rnnsym.reader.tokens import Token, tokens

#: letters that are times where they are an argument, and those that are only in recurrences
ALWAYS, IN_RECURRENCES = ("t", "T"), ("n", "k")
#: of what has a time elsewhere, the first and the last steps are meant: a number, or a length
NUMBER = "0"
ENDS = {"N", "K", NUMBER}
#: characters of an argument that may be a time
MAX_ARGUMENT = 24


def with_times(readings: Sequence[Reading | None]) -> list[Reading | None]:
    """The readings of a document with its functions of time as names with times."""
    pairs = [p for r in readings if r is not None for p in _applications(r)]
    letters = _letters(pairs)
    timed = {base for base, letter, _ in pairs if letter in letters}
    functions = {
        base
        for base, letter, _ in pairs
        if letter not in letters and not (base in timed and letter in ENDS)
    }
    names = {b for b, letter, _ in pairs if letter in letters} - functions - {*CUSTOMARY}
    letters |= ENDS
    if not any(b in names and letter in letters and left for b, letter, left in pairs):
        return list(readings)
    return [_rewritten(r, names, letters) if r is not None else None for r in readings]


def _applications(reading: Reading) -> list[tuple[str, str, bool]]:
    """(letter of the function, letter of its argument or "", whether that is what is claimed)."""
    found: list[tuple[str, str, bool]] = []
    for statement in reading.statements:
        node = statement.node
        lefts = nodes(node.sides[0]) if isinstance(node, s.Relation) else ()
        claimed = {id(x) for x in lefts if isinstance(x, s.Times) and len(x.factors) == 2}
        products = [x for x in nodes(node) if isinstance(x, s.Times)]
        for x in products:
            for (_, a), (op, b) in zip(x.factors, x.factors[1:], strict=False):
                if isinstance(a, s.Symbol) and op == "" and _bracket(b) is not None:
                    index = _time(b, reading.latex)
                    letter = index[0].text if index else ""
                    found.append((a.base, letter, id(x) in claimed))
    return found


def _letters(pairs: list[tuple[str, str, bool]]) -> set[str]:
    """The letters that are times."""
    claimed = {letter for _, letter, left in pairs if left}
    return {x for x in (*ALWAYS, *IN_RECURRENCES) if x in claimed} | {"T"}


def _bracket(node: s.Node) -> s.Bracket | None:
    inner = node.base if isinstance(node, s.Scripted) else node
    return inner if isinstance(inner, s.Bracket) and inner.kind in ("(", "[") else None


def _time(node: s.Node, latex: str) -> list[Token]:
    """The tokens of a time in brackets, its letter first; nothing for anything else."""
    bracket = _bracket(node)
    if bracket is None or len(bracket.parts) != 1 or bracket.end - bracket.start > MAX_ARGUMENT:
        return []
    inner = tokens(latex[bracket.start : bracket.end].strip())
    index = read_index(inner[1:-1])
    if index is None:
        return []
    if not index.letters and index.constant >= 0:
        return [Token("number", NUMBER, 0, 0), *inner]
    once = [str(n) for n, times in index.letters if times == 1]
    if len(index.names) > 1:  # t - z - 1
        once = [n for n in once if n in (*ALWAYS, *IN_RECURRENCES)]
    return [Token("letter", once[0], 0, 0), *inner] if once else []


def _rewritten(reading: Reading, names: set[str], letters: set[str]) -> Reading:
    def merged(x: Any) -> s.Node | None:
        if isinstance(x, s.Symbol) and x.base == "e" and x.sup:
            return replace(x, sup=_raised(x.sup, names, letters))
        if not isinstance(x, s.Times):
            return None
        factors: list[tuple[str, s.Node]] = []
        for op, factor in x.factors:
            before = factors[-1][1] if factors else None
            time = _time(factor, reading.latex) if op == "" else []
            slashed = isinstance(before, s.Derivative) and before.by  # dJ/dx[k]
            symbol = before.by[-1] if slashed and isinstance(before, s.Derivative) else before
            named = isinstance(symbol, s.Symbol) and symbol.base in names
            if isinstance(symbol, s.Symbol) and named and time and time[0].text in letters:
                scripted = factor if isinstance(factor, s.Scripted) else None
                sub = (*symbol.sub, *(scripted.sub if scripted else ()))
                sup = (*symbol.sup, *time[1:], *(scripted.sup if scripted else ()))
                new: s.Node = replace(symbol, sub=sub, sup=sup, end=factor.end)
                if isinstance(before, s.Derivative):
                    new = replace(before, by=(*before.by[:-1], new), end=factor.end)
                factors[-1] = factors[-1][0], new
            else:
                factors.append((op, factor))
        inner = tuple((op, changed(y)) for op, y in factors)
        return inner[0][1] if len(inner) == 1 else replace(x, factors=inner)

    def changed(node: s.Node) -> s.Node:
        found: s.Node = s.rebuilt(node, merged)
        return found

    statements = tuple(replace(st, node=changed(st.node)) for st in reading.statements)
    return replace(reading, statements=statements)


def _raised(found: s.Tokens, names: set[str], letters: set[str]) -> s.Tokens:
    """The tokens of an exponent, e^{-s_i(t)}, with each time as a script of its name."""
    kept: list[Token] = []
    i, named = 0, False
    while i < len(found):
        token = found[i]
        if token.text.lstrip("\\") in names:
            named = True
        elif token.text == "_" and named:  # an index of the name
            end = _group_end(found, i + 1)
            kept += found[i:end]
            i = end
            continue
        elif token.text == "(" and named:
            end = next((k for k in range(i, len(found)) if found[k].text == ")"), len(found) - 1)
            index = read_index(found[i + 1 : end])
            if index is not None and set(map(str, index.names)) <= letters:
                mark = replace(token, kind="mark")
                group = (replace(mark, text="{"), *found[i : end + 1], replace(mark, text="}"))
                kept += [replace(mark, text="^"), *group]
                i, named = end + 1, False
                continue
            named = False
        else:
            named = False
        kept.append(token)
        i += 1
    return tuple(kept)


def _group_end(found: s.Tokens, start: int) -> int:
    """Where a script ends that begins at a place: after a group in braces, or one token."""
    if start < len(found) and found[start].text == "{":
        return next((k for k in range(start, len(found)) if found[k].text == "}"), start) + 1
    return start + 1
