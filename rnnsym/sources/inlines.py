r"""Rules for formulas within a line that are added to the Markdown parser. Used by `dialects`.

Each puts the place of its formula in the text of the paragraph into the token, as `meta["at"]`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

from rnnsym.sources.blocks import closing, closing_tag, plausible
from rnnsym.sources.dollars import is_bracketed, is_formula
from rnnsym.sources.macros import DEFINERS, braces, definition
from rnnsym.sources.tidy import is_mathematics

#: the signs with which formulas, code, emphasis, links, tags, escapes and entities begin
SIGN = re.compile(r"[\n!$&*:<\[\]\\_`{]")
Rule = Callable[[Any, bool], bool]
OPENING = re.compile(r"\\\\\[|\\\[|\\\\\(|\\\(|\\begin\{([A-Za-z]+\*?)\}")
TAG = re.compile(r"\{%-?\s*(\w+)[^%{}]*%\}|\{\{[<%]\s*(\w+)[^<>%{}]*[>%]\}\}")
TAGS = frozenset(["katex", "math", "mathjax", "latex"])
ROLE = re.compile(r"(?::math:|\{math\})(`{1,3})([^`]{1,4000})\1")
TICKED = re.compile(r"\$(`{1,3})([^`$]{1,4000})\1\$")


def text(state: Any, silent: bool) -> bool:
    """Plain text up to the next sign with which one of the rules begins."""
    found = SIGN.search(state.src, state.pos, state.posMax)
    end = found.start() if found else state.posMax
    if end == state.pos:
        return False
    if not silent:
        state.pending += state.src[state.pos : end]
    state.pos = end
    return True


def _push(state: Any, body: str, markup: str, end: int, silent: bool, info: str = "") -> bool:
    if not silent:
        token = state.push("formula", "math", 0)
        token.content, token.markup, token.info = body, markup, info
        token.meta = {"at": state.pos, "end": end}
    state.pos = end
    return True


def dollars(rule: Rule) -> Rule:
    """dollarmath's rule for `$` and `$$`, but for what is money, and with GitLab's ticks."""

    def checked(state: Any, silent: bool) -> bool:
        start = state.pos
        if state.src[start] != "$":
            return False
        if ticked := TICKED.match(state.src, start, state.posMax):
            return _push(state, ticked[2], "$", ticked.end(), silent)
        if state.src.startswith("$$", start):
            found = closing(state.src, start + 2, "$$", None, state.env)
            if found is None or found[1] > state.posMax:
                return _stray(state, "$$", silent)
            body = state.src[start + 2 : found[0]]
            if not body.strip():
                return _stray(state, "$$", silent)
            return _push(state, body, "$$", found[1], silent)
        if not rule(state, True):
            return False
        end = state.pos
        state.pos = start
        body = state.src[start + 1 : end - 1]
        if end > state.posMax or not is_formula(body, state.src[end : end + 1]):
            return False
        return _push(state, body, "$", end, silent)

    return checked


def _stray(state: Any, text: str, silent: bool) -> bool:
    """A delimiter that closes nowhere is text."""
    if not silent:
        token = state.push("stray", "", 0)
        token.content, token.meta = text, {"at": state.pos}
    state.pos += len(text)
    return True


def tex(state: Any, silent: bool) -> bool:
    r"""`\(`, `\[`, the same with two backslashes, environments, and definitions of macros."""
    if state.src[state.pos] != "\\":
        return False
    start = state.pos
    if found := DEFINERS.match(state.src, start):
        return _definition(state, found, silent)
    opening = OPENING.match(state.src, start)
    if opening is None or (opening[1] and not is_mathematics(opening[1])):
        return False
    ended = closing(state.src, opening.end(), opening[0], opening[1], state.env)
    if ended is None or ended[1] > state.posMax:
        return bool(opening[1]) and _stray(state, opening[0], silent)
    body = state.src[opening.end() : ended[0]]
    square = "[" in opening[0]
    if not plausible(body) or (opening[1] is None and not is_bracketed(body, square=square)):
        return False
    return _push(state, body, opening[0], ended[1], silent, opening[1] or "")


def _definition(state: Any, found: re.Match[str], silent: bool) -> bool:
    groups = state.env.setdefault("groups", {})
    if state.src not in groups:
        groups[state.src] = braces(state.src)
    macro, end = definition(state.src, found, groups[state.src], 0)
    if macro is None or end > state.posMax:
        return False
    return _push(state, state.src[state.pos : end], "", end, silent)


def template(state: Any, silent: bool) -> bool:
    """Tags of Jekyll and Hugo: `{{< katex >}}` … `{{< /katex >}}` is a formula, others nothing."""
    if state.src[state.pos] != "{":
        return False
    tag = TAG.match(state.src, state.pos, state.posMax)
    if tag is None:
        return False
    name = tag[1] or tag[2]
    if name in TAGS:
        end = closing_tag(state.src, tag.end(), name, state.env)
        if end and end[1] <= state.posMax and "$" not in (body := state.src[tag.end() : end[0]]):
            display = "$$" if "display" in tag[0] or "\n" in body else "$"
            return _push(state, body, display, end[1], silent)
    state.pos = tag.end()
    return True


def role(state: Any, silent: bool) -> bool:
    """reStructuredText's `:math:` and MyST's `{math}`, followed by ticks."""
    found = ROLE.match(state.src, state.pos, state.posMax)
    return found is not None and _push(state, found[2], "$", found.end(), silent)


def brief(rule: Rule, seconds: float = 0.2) -> Rule:
    """A rule of a library that gives up when all its calls in a document took too long.

    The parser's search for the ends of links takes quadratic time in a text full of brackets;
    without it they are text, in which formulas are found all the same.
    """

    def limited(state: Any, silent: bool) -> bool:
        spent: dict[int, float] = state.env.setdefault("spent", {})
        if state.src[state.pos] not in "![" or spent.get(id(rule), 0) > seconds:
            return False
        start = time.process_time()
        done = rule(state, silent)
        spent[id(rule)] = spent.get(id(rule), 0) + time.process_time() - start
        return done

    return limited


def placed(rule: Rule) -> Rule:
    """A rule of a library, whose tokens are told where they are."""

    def placing(state: Any, silent: bool) -> bool:
        start, count = state.pos, len(state.tokens)
        if not rule(state, silent):
            return False
        for token in state.tokens[count:]:
            token.meta = {**(token.meta or {}), "at": start}
        return True

    return placing
