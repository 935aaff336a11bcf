r"""Whether what stands between two delimiters in Markdown is mathematics, or money, or a variable.

Markdown has no rule of its own for dollars; these are the habits of authors. Used by `inlines`.
"""

from __future__ import annotations

import html
import re

#: signs that prose between two dollars does not have
SIGNS = frozenset("\\^_=<>{}")
OPERATORS = frozenset("()+*/|[]−·×")
WORD = re.compile(r"(?<![\\A-Za-z])[^\W\d_]{2,}")
PRICE = re.compile(r"\d[\d.,]*\s*(?:[kKMB]|bn|%)?(?=[\s,;:.–—-]|$)")


def is_formula(body: str, after: str) -> bool:
    """Whether the text between two single dollars is a formula; `after` is the next character."""
    body = html.unescape(body)
    inner = body.strip()
    if not inner or inner.count("`") % 2 or re.search(r"\n[ \t]*\n", body):
        return False
    tight = inner == body
    words = WORD.findall(inner)
    signs = any(sign in SIGNS for sign in inner)
    if PRICE.match(inner) and words and not (signs and tight):
        return False
    if signs:
        return True
    if not tight:
        return not words and any(c.isalpha() for c in inner) and len(inner) <= 40
    if words and any(c.isspace() for c in inner):
        return "](" not in inner and any(sign in OPERATORS for sign in inner)
    return not (after.isalnum() and (words or after.isdigit()))


def is_bracketed(body: str, *, square: bool) -> bool:
    r"""Whether the text between `\(` and `\)`, or with `square` `\[` and `\]`, is a formula.

    In Markdown these are also plain brackets, escaped: `\[1\]`, `\[x\]`, `\(see above\)`.
    """
    inner = body.strip()
    if any(sign in SIGNS for sign in inner):
        return True
    if not inner or WORD.search(inner):
        return False
    return not square or (len(inner) > 1 and any(c.isalpha() for c in inner))
