r"""Rules for blocks that are added to the Markdown parser: displays, and paragraphs with displays.

A display is taken before anything else that could begin in one of its lines: rows that begin with
`-`, `+`, `=` or `>` are no lists, headings or quotations. Used by `dialects`.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import Any

from rnnsym.sources.tidy import is_mathematics

Rule = Callable[[Any, int, int, bool], bool]
MAX_DISPLAY = 20_000
MAX_ROWS = 3_000
OPENING = re.compile(r"\$\$|\\\\\[|\\\[|\\begin\{([A-Za-z]+\*?)\}")
OPENINGS = re.compile(
    r"(?<!\\)(?:\\\\)*?(?P<opening>\$\$|\\\\\[|\\\[|\\begin\{(?P<name>[A-Za-z]+\*?)\})|`+"
)
CLOSING = {
    "$$": r"(?<!\\)(?:\\\\)*(\$\$)",
    "\\[": r"(?<!\\)(?:\\\\)*(\\\])",
    "\\\\[": r"(?<!\\)(\\\\\])",
    "\\(": r"(?<!\\)(?:\\\\)*(\\\))",
    "\\\\(": r"(?<!\\)(\\\\\))",
}
#: how the blocks begin that can end a paragraph
MARKS = frozenset("`~>#-*+_<$\\:.{[|0123456789")
#: what follows a display on its line and is a label of it
LABEL = re.compile(r"\s*(?:\([\w:.,*\- ]{1,40}\)|\{#[^{}\n]*\}|\{:[^{}\n]*\}|[.,;])?\s*$")
#: what no display contains: it was never closed, then
FOREIGN = re.compile(r"^ {0,3}(?:```|~~~|#{1,6} |<!--)|<!--", re.MULTILINE)
SENTENCE = re.compile(r"(?:(?<![\\A-Za-z{])[A-Za-z]{2,}[,;]?[ \n]+){5}")
BLANK = re.compile(r"\n[ \t>]*\n")
DIRECTIVE = re.compile(r"(:{3,})\s*\{math\}\s*(.*)$")
RST = re.compile(r"\.\. math::[ \t]*(.*)$")
OPTION = re.compile(r"^:[\w-]+:.*$")
TEMPLATE = re.compile(
    r"\{%-?\s*(highlight|comment|mermaid)\b.*?%\}|\{\{[<%]\s*(highlight|mermaid|tikz)\b"
)


def _places(src: str, pattern: str, env: dict[str, Any]) -> list[tuple[int, int]]:
    """Where a text matches a pattern, as (start, end); looked up once for each text."""
    known: dict[tuple[str, str], list[tuple[int, int]]] = env.setdefault("places", {})
    key = (src, pattern)
    if key not in known:
        known[key] = [found.span(1) for found in re.finditer(pattern, src)]
    return known[key]


def _next(places: list[tuple[int, int]], start: int) -> tuple[int, int] | None:
    index = bisect_left(places, (start, start))
    return places[index] if index < len(places) else None


def closing(
    src: str, start: int, opening: str, name: str | None, env: dict[str, Any]
) -> tuple[int, int] | None:
    """The next end of a display whose body begins at `start`: its place, and what comes after.

    None if it is opened again before, or too far away: then it was never closed.
    """
    pattern = CLOSING[opening] if name is None else rf"(\\end\{{{re.escape(name)}\}})"
    found = _next(_places(src, pattern, env), start)
    if found is None or found[0] - start > MAX_DISPLAY:
        return None
    return None if opening != "$$" and src.find(opening, start, found[0]) >= 0 else found


def closing_tag(src: str, start: int, name: str, env: dict[str, Any]) -> tuple[int, int] | None:
    """The next tag of Jekyll or Hugo that closes one of this name."""
    pattern = rf"(\{{%-?\s*end{name}\s*-?%\}}|\{{\{{[<%]\s*/\s*{name}\s*[>%]\}}\}})"
    return _next(_places(src, pattern, env), start)


def _spanning(state: Any) -> list[int]:
    """The places of all openings in the text whose display may end on a later line."""
    if "spanning" not in state.env:
        places = []
        for found in OPENINGS.finditer(state.src):
            if found["opening"] is None or (found["name"] and not is_mathematics(found["name"])):
                continue
            ended = closing(state.src, found.end(), found["opening"], found["name"], state.env)
            if ended and "\n" in state.src[found.end() : ended[0]]:
                places.append(found.start("opening"))
        state.env["spanning"] = places
    return state.env["spanning"]


def plausible(body: str) -> bool:
    """Whether what stands between two delimiters can be one display, and no stray delimiter."""
    if not body.strip() or FOREIGN.search(body):
        return False
    return not (BLANK.search(body) and ("$" in body or SENTENCE.search(body)))


def _opened(
    state: Any, place: int, end_line: int
) -> tuple[int, int, int, int, re.Match[str]] | None:
    """The display that is opened at a place: its body, its end, its last line, its opening."""
    opening = OPENING.match(state.src, place)
    if opening is None or (opening[1] and not is_mathematics(opening[1])):
        return None
    found = closing(state.src, opening.end(), opening[0], opening[1], state.env)
    if found is None:
        return None
    body, after = found
    last = bisect_right(state.bMarks, body, 0, len(state.bMarks) - 1) - 1
    if last >= end_line or not plausible(state.src[opening.end() : body]):
        return None
    return opening.end(), body, after, last, opening


def shallow(rule: Rule) -> Rule:
    """A rule for blocks within blocks that stops at a depth at which the parser drops the rest."""

    def limited(state: Any, start_line: int, end_line: int, silent: bool) -> bool:
        too_deep = state.level >= state.md.options["maxNesting"] - 4
        return not too_deep and rule(state, start_line, end_line, silent)

    return limited


def short(rule: Rule) -> Rule:
    """The rule for tables, but for very long ones, whose rows are read as lines of text."""

    def limited(state: Any, start_line: int, end_line: int, silent: bool) -> bool:
        second = start_line + 1
        if second >= end_line or _first(state, second) not in ("|", "-", ":"):
            return False
        if start_line >= state.env.get("long until", 0):
            line = start_line
            while line < end_line and not state.isEmpty(line):
                line += 1
            if line <= start_line + MAX_ROWS:
                return rule(state, start_line, end_line, silent)
            state.env["long until"] = line
        return False

    return limited


def display(state: Any, start_line: int, end_line: int, silent: bool) -> bool:
    """A display that has its lines to itself; a label may follow it."""
    place = state.bMarks[start_line] + state.tShift[start_line]
    if state.is_code_block(start_line) or state.src[place : place + 1] not in ("$", "\\"):
        return False
    found = _opened(state, place, end_line)
    if found is None:
        return False
    start, body, after, last, opening = found
    if not LABEL.match(state.src[after : state.eMarks[last]]):
        return False
    if silent:
        return True
    _push(state, _lines(state, start, body, start_line, last), start_line, last + 1, opening)
    return True


def _lines(state: Any, start: int, end: int, first: int, last: int) -> str:
    """The text from one place to another, without the marks of quotations around it."""
    if first == last:
        return str(state.src[start:end])
    middle = state.getLines(first + 1, last, 0, False) if last > first + 1 else None
    parts = [state.src[start : state.eMarks[first]]]
    if middle is not None:
        parts.append(middle)
    parts.append(state.src[min(state.bMarks[last], end) : end])
    return "\n".join(parts)


def _push(state: Any, body: str, first: int, after: int, opening: re.Match[str] | None) -> None:
    token = state.push("display", "math", 0)
    token.block = True
    token.content = body
    token.map = [first, after]
    token.markup = opening[0] if opening else "$$"
    token.info = (opening[1] if opening else "") or ""
    state.line = after


def paragraph(state: Any, start_line: int, end_line: int, silent: bool) -> bool:
    """A paragraph or an underlined heading, in one go; lines inside a display do not end it."""
    parent, state.parentType = state.parentType, "paragraph"
    line, after = _last_line(state, start_line, end_line) + 1, -1
    while line < end_line and not state.isEmpty(line):
        if 0 <= state.sCount[line] <= state.blkIndent + 3:
            if state.sCount[line] >= state.blkIndent and _underline(state, line):
                after = line + 1
                break
            if any(rule(state, line, end_line, True) for rule in _enders(state, line, end_line)):
                break
        line = _last_line(state, line, end_line) + 1
    state.parentType = parent
    if silent:
        return True
    content = state.getLines(start_line, line, state.blkIndent, False).strip()
    state.line = max(line, after)
    kind, tag = ("paragraph", "p") if after < 0 else ("heading", "h1")
    state.push(f"{kind}_open", tag, 1).map = [start_line, state.line]
    token = state.push("inline", "", 0)
    token.content, token.map, token.children = content, [start_line, line], []
    state.push(f"{kind}_close", tag, -1)
    return True


def _enders(state: Any, line: int, end_line: int) -> Sequence[Rule]:
    """The rules for what can end a paragraph before a line, by the mark that it begins with."""
    mark = _first(state, line)
    if line + 1 < end_line and _first(state, line + 1) in ("|", "-", ":"):
        return state.md.block.ruler.getRules("paragraph")
    if mark in ("$", "\\"):
        return (display,)
    return state.md.block.ruler.getRules("paragraph") if mark in MARKS else ()


def _first(state: Any, line: int) -> str:
    place = state.bMarks[line] + state.tShift[line]
    return str(state.src[place : place + 1])


def _underline(state: Any, line: int) -> bool:
    """Whether a line makes a heading of the lines above."""
    mark = _first(state, line)
    return mark in ("=", "-") and not _text(state, line).rstrip().strip(mark)


def _last_line(state: Any, line: int, end_line: int) -> int:
    """The line on which the displays that begin on a line have ended."""
    places = _spanning(state)
    first = bisect_left(places, state.bMarks[line])
    if first == len(places) or places[first] >= state.eMarks[line]:
        return line
    at = state.bMarks[line] + state.tShift[line]
    ticks = ""
    while found := OPENINGS.search(state.src, at, state.eMarks[line]):
        at = found.end()
        if found["opening"] is None:
            # Code: what is in it opens nothing.
            ticks = found[0] if not ticks else ("" if ticks == found[0] else ticks)
        elif not ticks and (opened := _opened(state, found.start("opening"), end_line)):
            at, line = opened[2], opened[3]
    return line


def directive(state: Any, start_line: int, end_line: int, silent: bool) -> bool:
    """MyST's `:::{math}` and reStructuredText's `.. math::`."""
    place = state.bMarks[start_line] + state.tShift[start_line]
    if state.src[place : place + 1] not in (":", ".") or state.is_code_block(start_line):
        return False
    first = state.src[place : state.eMarks[start_line]]
    if colons := DIRECTIVE.match(first):
        line = start_line + 1
        while line < end_line and not _text(state, line).startswith(colons[1]):
            line += 1
        after, given = min(line + 1, end_line), colons[2]
    elif rst := RST.match(first):
        line = start_line + 1
        while line < end_line and (
            state.isEmpty(line) or state.sCount[line] > state.sCount[start_line]
        ):
            line += 1
        after, given = line, rst[1]
    else:
        return False
    if silent:
        return True
    rows = [given, *state.getLines(start_line + 1, line, 0, False).split("\n")]
    _push(state, without_options("\n".join(rows)), start_line, after, None)
    return True


def _text(state: Any, line: int) -> str:
    return str(state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]])


def without_options(body: str) -> str:
    """The body of a directive without the lines `:label: …` at its beginning."""
    rows = body.split("\n")
    for index, row in enumerate(rows):
        if OPTION.match(row.strip()):
            rows[index] = ""
        elif row.strip():
            break
    return "\n".join(rows)


def template(state: Any, start_line: int, end_line: int, silent: bool) -> bool:
    """Code in the tags of Jekyll or Hugo: `{% highlight %}` … `{% endhighlight %}`; skipped."""
    text = _text(state, start_line)
    if not text.startswith("{") or not (found := TEMPLATE.match(text)):
        return False
    name = found[1] or found[2]
    ended = closing_tag(state.src, state.bMarks[start_line], name, state.env)
    if ended is None:
        return False
    line = bisect_right(state.bMarks, ended[0], 0, len(state.bMarks) - 1) - 1
    if line >= end_line:
        return False
    if not silent:
        state.line = line + 1
        state.push("skipped", "", 0).map = [start_line, state.line]
    return True
