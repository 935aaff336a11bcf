r"""Definitions of macros: `\newcommand` and its kin, `\def`, `\let`, `\DeclareMathOperator`.

Read here and never expanded: that is the business of whoever reads the formulas.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from rnnsym.sources.model import Macro

DEFINERS = re.compile(
    r"\\(newcommand|renewcommand|providecommand|DeclareRobustCommand|DeclareMathOperator|"
    r"DeclarePairedDelimiter|NewDocumentCommand|RenewDocumentCommand|def|gdef|edef|xdef|let)"
    r"(?![A-Za-z@])\*?"
)
TEX = frozenset(["def", "gdef", "edef", "xdef"])
PREFIX = re.compile(r"(?:\\(?:global|long|protected|outer)\s*)+$")
NAME = re.compile(r"\s*(?:\{\s*(\\(?:[A-Za-z@]+|.))\s*\}|(\\(?:[A-Za-z@]+|[^\s])))", re.DOTALL)
COUNT = re.compile(r"\s*\[\s*([0-9])\s*\]")
OPTIONAL = re.compile(r"\s*\[([^\[\]{}]*(?:\{[^{}]*\}[^\[\]{}]*)*)\]")
PARAMETERS = re.compile(r"\s*((?:#[1-9]\s*)*)(?=\{)")
GIVEN = re.compile(r"\s*=?\s*(\\(?:[A-Za-z@]+|[^\s])|[^\s\\{}])")
OPEN = re.compile(r"\s*(?=\{)")
BRACE = re.compile(r"\\.|(?<!\\)%[^\n]*|[{}]", re.DOTALL)
STANDARD = re.compile(r"\s*(?:O\{([^{}]*)\}\s*)?((?:m\s*)*)$")


def braces(text: str) -> dict[int, int]:
    """Where each group ends: the place of its opening brace → that of its closing one."""
    ends: dict[int, int] = {}
    opened: list[int] = []
    for sign in BRACE.finditer(text):
        if sign[0] == "{":
            opened.append(sign.start())
        elif sign[0] == "}" and opened:
            ends[opened.pop()] = sign.start()
    return ends


def definition(
    text: str, found: re.Match[str], ends: Mapping[int, int], line: int
) -> tuple[Macro | None, int]:
    r"""The definition that begins with `found`, a match of DEFINERS, and where it ends.

    None where it defines nothing that can be used; the end is then that of what was read.
    """
    kind = found[1]
    starred = found[0].endswith("*")
    name = NAME.match(text, found.end())
    if name is None:
        return None, found.end()
    title = (name[1] or name[2])[1:]
    at = name.end()
    if kind == "let":
        given = GIVEN.match(text, at)
        if given is None:
            return None, at
        return Macro(title, 0, None, given[1], line), given.end()
    arguments, default = 0, None
    if kind in TEX:
        parameters = PARAMETERS.match(text, at)
        if parameters is None:
            return None, at
        arguments, at = parameters[1].count("#"), parameters.end()
    elif kind.endswith("DocumentCommand"):
        signature, at = _group(text, at, ends)
        read = STANDARD.match(signature) if signature is not None else None
        if read is None:
            return None, _group(text, at, ends)[1]
        default = read[1]
        arguments = read[2].count("m") + (default is not None)
    elif kind.startswith("Declare") and kind != "DeclareRobustCommand":
        pass
    else:
        if count := COUNT.match(text, at):
            arguments, at = int(count[1]), count.end()
        if arguments and (optional := OPTIONAL.match(text, at)):
            default, at = optional[1], optional.end()
    body, at = _group(text, at, ends)
    if body is None:
        # \newcommand\R\mathbb is legal, if rare: one token is a body, too.
        given = GIVEN.match(text, at)
        if given is None or kind not in ("newcommand", "renewcommand", "providecommand"):
            return None, at
        body, at = given[1], given.end()
    if kind == "DeclareMathOperator":
        body = f"\\operatorname{'*' if starred else ''}{{{body}}}"
    elif kind == "DeclarePairedDelimiter":
        right, at = _group(text, at, ends)
        if right is None:
            return None, at
        arguments, body = 1, f"{body} #1 {right}"
    return Macro(title, arguments, default, body, line), at


def _group(text: str, at: int, ends: Mapping[int, int]) -> tuple[str | None, int]:
    """The contents of the group at a place, after spaces, and where it ends; or None."""
    start = OPEN.match(text, at)
    if start is None or start.end() not in ends:
        return None, at
    end = ends[start.end()]
    return text[start.end() + 1 : end].strip(), end + 1


def definitions(
    latex: str, line: int, known: Iterable[str] = ()
) -> tuple[str, list[Macro], list[tuple[int, str]]]:
    r"""A formula without the definitions in it, these definitions, and faults with their lines.

    `line` is that of the formula. `\providecommand` defines nothing that is `known`.
    """
    if "\\" not in latex or DEFINERS.search(latex) is None:
        return latex, [], []
    ends = braces(latex)
    kept, macros, faults = [], [], []
    at = 0
    names = set(known)
    for found in DEFINERS.finditer(latex):
        if found.start() < at:
            continue
        place = line + latex.count("\n", 0, found.start())
        macro, end = definition(latex, found, ends, place)
        if macro is None:
            faults.append((place, unread(found)))
        elif found[1] != "providecommand" or macro.name not in names:
            macros.append(macro)
            names.add(macro.name)
        kept.append(PREFIX.sub("", latex[at : found.start()]))
        at = end
    return "".join([*kept, latex[at:]]), macros, faults


def unread(found: re.Match[str]) -> str:
    """What to say of a definition that could not be read."""
    return f"the definition that begins with {found[0]} could not be read and is skipped"
