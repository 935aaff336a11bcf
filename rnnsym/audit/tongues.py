"""What documents say in words, in the languages that they are written in.

Used by `audit`: words that make a relation a supposition, and words that give the last step alone
a loss. Nothing here decides anything by itself.
"""

from __future__ import annotations

import re

#: words after which something is supposed, in languages other than English
_IF = (
    r"如果|假设|假定|若|当|設|假設|若是|のとき|ならば|もし|仮定|만약|가정|때|"
    r"\b(?:si|cuando|supong\w*|supuest\w*|sea|soit|suppos\w*|lorsque|quand|se|quando|supon\w*|seja|"
    r"wenn|falls|angenommen|sei|если|пусть|предполож\w*|когда|при|nếu|giả sử|khi|jika|"
    r"bila|misalkan|eğer|jeśli|gdy|niech)\b"
)
#: "only" and "last" in some language, in either order
_ONLY_LAST = (
    (r"\b(?:only|solely|just)\b", r"\b(?:last|final)\b"),
    (r"(?:只|仅|僅|才)", r"(?:最后|最後|末|最终)"),
    (r"(?:のみ|だけ)", r"(?:最後|最終|末尾)"),
    (r"(?:만|에서만|오직)", r"마지막"),
    (r"\b(?:s[oó]lo|solamente|[uú]nicamente|[uú]nica?)\b", r"\b(?:[uú]ltim[oa]|final)\b"),
    (r"\b(?:seul\w*|uniquement)\b", r"\b(?:derni[eè]re?|finale?)\b"),
    (r"\b(?:apenas|somente|s[oó])\b", r"\b(?:[uú]ltim[oa]|final)\b"),
    (r"\b(?:nur|allein)\b", r"\b(?:letzte\w*|ende)\b"),
    (r"(?:только|лишь)", r"(?:последн|конечн)"),
    (r"chỉ", r"cuối"),
    (r"\bhanya\b", r"\bterakhir\b"),
    (r"\b(?:yalnızca|sadece)\b", r"\bson\b"),
    (r"\btylko\b", r"\b(?:ostatni\w*|końc\w*)"),
)  # fmt: skip
#: characters between both
_GAP = r"[^.。;；$]{0,60}"
_LAST = re.compile(
    "|".join(f"{a}{_GAP}{b}|{b}{_GAP}{a}" for a, b in _ONLY_LAST) + r"|many[- ]to[- ]one",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[.。;；!?！？]\s*(?=\S)")
_SUPPOSED = re.compile(
    r"\b(?:if|when|whenever|suppose|assume|assuming|unless)\b|" + _IF, re.IGNORECASE
)
_RIGHT_BEFORE = re.compile(rf"(?:{_IF})[^，,。.;；:：$]{{0,30}}$", re.IGNORECASE)


def of_the_last_step(prose: str) -> bool:
    """Whether words say that nothing but the last step has a loss, or may be read so."""
    return bool(_LAST.search(prose))


def is_conditional(before: str) -> bool:
    """Whether the sentence that leads to a formula names a condition, in any language."""
    return bool(_SUPPOSED.search(_SENTENCE.split(before.strip())[-1]))


def supposes(before: str) -> bool:
    """Whether the words right before a formula suppose it, in a language other than English."""
    return bool(_RIGHT_BEFORE.search(before.strip()))
