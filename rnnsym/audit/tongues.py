"""What documents say in words, in the languages that they are written in.

Used by `audit`: words that make a relation a supposition, words that give the last step alone a
loss, and words that call something a gradient. Nothing here decides anything by itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

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


# ---- gradients -----------------------------------------------------------------------------

_KINDS = (
    r"(?:gradients?|derivatives?|adjoints?|sensitivit(?:y|ies)|co-?states?|error signals?|"
    r"error terms?|gradientes?|derivadas?|dérivées?|gradiente[ns]?|ableitung(?:en)?|derivata|"
    r"градиент\w*|производн\w*)"
)
#: between a gradient and what it is by, and between it and what it is of
_BY = (
    r"(?:with respect to|w\.?\s?r\.?\s?t\.?|in|at|by|for|con respecto [ad]e?l?|respecto [ad]e?l?|"
    r"em relação a[o]?|par rapport [àa]|nach|bezüglich|rispetto a|по)"
)
_OF = r"(?:of|de|von|di|от|von)"
_THE = r"(?:\s+(?:the|a|an|el|la|le|les|der|die|das|o|il))?(?:\s+[\w-]+){0,3}?"
#: where a sentence ends: not at w.r.t.
_END = re.compile(r"(?<!\bw\.r\.t)(?<!\bi\.e)(?<!\be\.g)(?<!\bresp)\.(?:\s|$)|[。!?！？]")
_GRADIENT = re.compile(_KINDS, re.IGNORECASE)
#: "be the total gradient of $C$ in $h_n$": the loss, if it is named, and by what
_NAMED = re.compile(
    rf"^\s*(?:\([^)$]*\)\s*)?[,:–—]?(?:\s*[\w']+){{0,6}}?\s+{_KINDS}"
    rf"(?:\s+{_OF}{_THE}\s*(?P<of>\$…\$))?"
    rf"(?:\s+{_OF}(?:\s+\w+){{1,4}}?)?(?:\s+\w+){{0,2}}?\s*\(?"
    rf"(?:\s+{_BY}{_THE}|\s*{_OF}{_THE})\s*(?P<by>\$…\$)", re.IGNORECASE
)  # fmt: skip
#: 为 $L$ 对 $h_t$ 的梯度
_NAMED_ZH = re.compile(
    r"^\s*(?:为|為|是|表示|定义为|即)?[^$。；;]{0,12}(?P<of>\$…\$)?\s*[^$。；;]{0,6}(?:对|對|关于|關於)\s*"
    r"[^$。；;]{0,8}(?P<by>\$…\$)\s*的\s*[总總全偏]*(?:梯度|导数|導數|偏导)"
)
#: "Gradients: $η_t$ at $h_t$, …"
_PAIRED = re.compile(rf"^\s*{_BY}{_THE}\s*(?P<by>\$…\$)", re.IGNORECASE)
#: the other names of a list, before what is said of them all
_LISTED = re.compile(r"^(?:\s*(?:,\s*and|,|and)\s*\$…\$)*")
_ARGUMENTS = re.compile(
    r"\b(?:arguments?|pre-?activations?|net inputs?)\s+(?:of|to)\b|\bpre-?activation\s+gradients?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class OfGradients:
    """That a name is called a gradient. by, of: at which of the formulas that follow it stands by
    what and of what, counted from 0; arguments: it is by the argument of some function."""

    by: int | None = None
    of: int | None = None
    arguments: bool = False


def of_gradients(before: str, after: str) -> OfGradients | None:
    """What the sentence around a formula says of it, if it calls it a gradient."""
    tail, head = _END.split(after)[0], _END.split(before)[-1]
    called = bool(_GRADIENT.search(head)) and "=" not in head
    arguments = _ARGUMENTS.search(tail)
    if arguments is not None:
        words = _LISTED.sub("", tail[: arguments.start()], count=1)
        if "$…$" not in words and (called or _GRADIENT.search(words)):
            return OfGradients(arguments=True)
    found = _NAMED.match(tail) or _NAMED_ZH.match(tail) or (_PAIRED.match(tail) if called else None)
    if found is not None:
        of = found.groupdict().get("of")
        places = [m.start() for m in re.finditer(re.escape("$…$"), tail)]
        by = places.index(found.start("by"))
        return OfGradients(by, places.index(found.start("of")) if of else None)
    near = tail.split("$…$")[0], head.split("$…$")[-1]
    return OfGradients() if any(map(_GRADIENT.search, near)) else None
