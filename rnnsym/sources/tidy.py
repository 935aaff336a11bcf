r"""The source of one formula without what its container added to it.

Comments and outer environments for every container; escapes, entities and row ends for Markdown.
"""

from __future__ import annotations

import html
import re

from rnnsym.sources.names import DISPLAYS, INNER, WITH_ARGUMENTS, unstarred

COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)%[^\n]*")
OPENING = re.compile(r"\s*\\begin\s*\{([A-Za-z0-9]+\*?)\}")
ARGUMENTS = re.compile(r"\s*(?:\[[^\[\]]*\]\s*)?\{[^{}]*\}")
ENTITY = re.compile(r"&(?:lt|gt|amp|quot|nbsp|#[0-9]{1,6}|#[xX][0-9A-Fa-f]{1,5});")
TEMPLATE = re.compile(r"\{%-?\s*(?:end)?raw\s*-?%\}")
# Four backslashes, or three to six where the row ends: a Markdown that eats every second one.
DOUBLED_ROW = re.compile(r"(?<!\\)(?:\\{4}(?!\\)|\\{3,6}(?=\s*(?:\n|$)))")
# \[ … \] or \( … \) between dollar signs, as some programs write it.
DELIMITED = re.compile(r"\s*(?:\\\[((?:(?!\\\[).)*)\\\]|\\\(((?:(?!\\\().)*)\\\))\s*", re.DOTALL)
TEXT = re.compile(r"\\(?:text\w*|mathrm|mathtt|mathit|operatorname|mbox|label|tag)\s*\{[^{}]*\}")
ESCAPED_SCRIPT = re.compile(r"(?<!\\)\\([_*])")
DOUBLED_SIGN = re.compile(r"(?<!\\)\\\\(?=[{}|,;!%#&_])")


def without_comments(latex: str) -> str:
    r"""LaTeX without comments; lines stay where they are."""
    return COMMENT.sub(r"\1", latex) if "%" in latex else latex


def unwrapped(latex: str, environment: str = "") -> tuple[str, str]:
    r"""A display's body and its environment, where it is nothing but `\begin{align}…\end{align}`.

    Environments that are part of a formula, such as `aligned`, stay. Arguments of `alignat` and
    the like are taken off.
    """
    latex = latex.strip()
    if unstarred(environment) in WITH_ARGUMENTS:
        latex = _without_arguments(latex)
    while opening := OPENING.match(latex):
        name = opening[1]
        closing = f"\\end{{{name}}}"
        if (
            unstarred(name) not in DISPLAYS
            or not latex.endswith(closing)
            or latex.count(closing) > 1
        ):
            break
        environment = name
        latex = latex[opening.end() : -len(closing)].strip()
        if unstarred(name) in WITH_ARGUMENTS:
            latex = _without_arguments(latex)
    return latex, unstarred(environment)


def _without_arguments(latex: str) -> str:
    found = ARGUMENTS.match(latex)
    return latex[found.end() :].strip() if found else latex


def of_markdown(latex: str, *, doubled: bool = False) -> str:
    r"""Undo what an author did to bring LaTeX through a Markdown processor.

    `doubled` says that the delimiters were `\\(` or `\\[`: then backslashes before signs are, too.
    """
    if "&" in latex:
        latex = ENTITY.sub(lambda entity: html.unescape(entity[0]), latex)
    if "{%" in latex:
        latex = TEMPLATE.sub("", latex)
    inner = DELIMITED.fullmatch(latex)
    if inner is not None:
        latex = inner[1] or inner[2]
    latex = DOUBLED_ROW.sub(r"\\\\", latex)
    if doubled or "\\begin" not in latex:
        latex = DOUBLED_SIGN.sub(r"\\", latex)
    if "\\_" in latex or "\\*" in latex:
        latex = _outside_text(latex)
    return latex


def _outside_text(latex: str) -> str:
    r"""`\_` and `\*` as `_` and `*`, but in words, where an underscore is meant."""
    parts, start = [], 0
    for words in TEXT.finditer(latex):
        parts += [ESCAPED_SCRIPT.sub(r"\1", latex[start : words.start()]), words[0]]
        start = words.end()
    return "".join(parts) + ESCAPED_SCRIPT.sub(r"\1", latex[start:])


def is_display(name: str) -> bool:
    """Whether an environment is a formula by itself."""
    return unstarred(name) in DISPLAYS


def is_mathematics(name: str) -> bool:
    """Whether an environment is a formula or a part of one."""
    return unstarred(name) in DISPLAYS or name in INNER
