"""What documents say in words, in the languages that they are written in.

Used by `audit`: words that make a relation a supposition, words that give the last step alone a
loss, and words that call something a gradient. Nothing here decides anything by itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
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


#: where a clause begins that sets something
_CLAUSE = re.compile(
    r"(?:^|[(,;:–—-]\s*|\band\s+|\bthat\s+)(?:if|when|whenever|suppose|assume|assuming|let|with|unless|"
    r"replace|replacing|imagine|consider)\b|" + _IF, re.IGNORECASE,
)  # fmt: skip
#: a display, after which a sentence begins
_AFTER_DISPLAY = re.compile(r"\$…\$\s+(?=[A-Z][a-z]+\s)")
_RANGE = re.compile(
    r"[\s,(]*\b(?:for|with|where|when|if|given)\s+(?:all|every|any|each|fixed|some|steps?|times?)?\s*"
    r"\$…\$\s*[,:)]?\s*$", re.IGNORECASE
)  # fmt: skip
_SPECIAL = re.compile(
    r"\b(?:be|is|are|by|were|as)\s+(?:an?\s+|the\s+)?(?:orthogonal|unitary|diagonal|symmetric|identity|"
    r"linear|normal|scalar|invertible|zero|constant|saturated|closed|open|ones?)\b", re.IGNORECASE
)  # fmt: skip
_TOTAL = re.compile(
    r"\b(?:all|every|the|these)\b[^.;]{0,20}\bderivatives?\b[^.;$]{0,30}\b(?:are|is)\b[^.;$]{0,20}\btotal\b",
    re.IGNORECASE,
)  # fmt: skip
#: so many characters around a formula are looked at
MAX_WORDS = 3000
_REPLACED = re.compile(
    r"\blinear (?:rnns?|recurren\w+|case|network|activation)\b|"
    r"\breplac(?:e|es|ed|ing)\b[^.]{0,60}\$…\$[^.]{0,60}\b(?:by|with)\b[^.]{0,40}\$…\$",
    re.IGNORECASE,
)
#: f_t = 1, i_t → 0: but no first or last step, h_0 = 0 or δ_{T+1} = 0
_SETTING = re.compile(
    r"^(?!.*(?:_\s*\{?\s*0\b|T\s*\+\s*1))[^=<>]*?(?:=|\\equiv|\\approx|\\to|\\rightarrow|\\simeq)\s*"
    r"(?:\\(?:mathbf|boldsymbol|bm|vec|mathbb|mathrm)\s*\{?\s*)?[01I]\s*\}?\s*$"
)


def of_the_last_step(prose: str) -> bool:
    """Whether words say that nothing but the last step has a loss, or may be read so."""
    return bool(_LAST.search(prose))


def is_conditional(before: str) -> bool:
    """Whether the sentence that leads to a formula names a condition, in any language."""
    return bool(_SUPPOSED.search(_SENTENCE.split(before.strip())[-1]))


def without_ranges(before: str, formulas: Sequence[str]) -> str:
    """The words before a formula since the last display, without a range of steps at their end,
    "Hence for $k<t$", which supposes nothing. formulas: those before it."""
    before = _AFTER_DISPLAY.split(_before(before))[-1]
    found = _RANGE.search(before)
    if found is None or not formulas:
        return before
    plain = re.sub(r"\\(?:leq?|geq?|l?dots|cdots|in|tau|quad|,|;|text\{[^}]*\})", "", formulas[-1])
    steps = re.fullmatch(r"[\s\dkjismnlt<>=,+\-{}()\[\]TNKL]*", plain)
    return before[: found.start()].rstrip() if steps else before


def _before(words: str) -> str:
    """The words before a formula, as many as are looked at, with single spaces."""
    return " ".join(words[-MAX_WORDS:].split())


def _after(words: str) -> str:
    return " ".join(words[:MAX_WORDS].split())


def are_total(prose: str) -> bool:
    """Whether words say that all derivatives are total ones."""
    return bool(_TOTAL.search(" ".join(prose.split())))


def changes_network(before: str) -> bool:
    """Whether words say that something in the equations is replaced by something else, or that the
    network is a linear one."""
    return bool(_REPLACED.search(_before(before)))


def special_case(before: str, formulas: Sequence[str]) -> bool:
    """Whether the sentence that leads to a formula sets something: when f_t = 1, let W be
    orthogonal. formulas: those before it, of which the last stand in the sentence."""
    sentence = _END.split(_before(before).rstrip(":"))[-1]
    if not (_CLAUSE.search(sentence) or _RIGHT_BEFORE.search(sentence)):
        return False
    count = sentence.count("$…$")
    inside = formulas[-count:] if count else []
    return bool(_SPECIAL.search(sentence)) or any(map(_SETTING.match, inside))


def supposes(before: str) -> bool:
    """Whether the words right before a formula suppose it, in a language other than English."""
    return bool(_RIGHT_BEFORE.search(before.strip()))


# ---- functions -----------------------------------------------------------------------------

_FUNCTIONS = {
    "step": r"heaviside|unit step|step function",
    "relu": r"re-?lu\b|rectifie[dr]|rectifier|ramp function",
    "softplus": r"softplus",
    "tanh": r"hyperbolic tangent|tanh\b",
}
_IS = (
    r"^\s*(?:\([^)$]*\)\s*)?(?:is|be|denotes?|stands for|means|for|=|,|:|–|—)?\s*(?:the|an?)?\s*"
    r"(?:elementwise\s+)?"
)
_IN_A_CASE = re.compile(r"\b(?:if|when|for|unless|suppose|assume)\s*$", re.IGNORECASE)
_CALLED = {n: re.compile(f"{_IS}(?:{words})", re.IGNORECASE) for n, words in _FUNCTIONS.items()}


def function_of(before: str, after: str) -> str:
    """The function that a letter is said to be, "$H$ the Heaviside step"; "" if it is not."""
    before, after = _before(before), _after(after)
    if _IN_A_CASE.search(before):
        return ""
    return next((n for n, words in _CALLED.items() if words.match(after)), "")


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
    rf"^\s*(?:\([^)$]*\)\s*)?[,:–—]?(?:\s*(?<![\w'])[\w']+(?![\w'])){{0,6}}?\s+{_KINDS}"
    rf"(?:\s+{_OF}{_THE}\s*(?P<of>\$…\$))?"
    rf"(?:\s+{_OF}(?:\s+\w+){{1,4}}?)?(?:\s+\w+){{0,2}}?\s*\(?"
    rf"(?:\s+{_BY}{_THE}|\s*{_OF}{_THE})\s*(?P<by>\$…\$)", re.IGNORECASE
)  # fmt: skip
#: 为 $L$ 对 $h_t$ 的梯度
_NAMED_ZH = re.compile(
    r"^\s*(?:为|為|是|表示|定义为|即)[^$。；;]{0,12}(?P<of>\$…\$)?\s*[^$。；;]{0,6}(?:对|對|关于|關於)\s*"
    r"[^$。；;]{0,8}(?P<by>\$…\$)\s*的\s*[总總全偏]*(?:梯度|导数|導數|偏导)"
)
#: "Gradients: $η_t$ at $h_t$, …"
_PAIRED = re.compile(rf"^\s*{_BY}{_THE}\s*(?P<by>\$…\$)", re.IGNORECASE)
#: words for a part of a gradient
_PARTLY = re.compile(
    r"\b(?:above|upstream|incoming|arriving|coming|immediate|direct|local|instantaneous|partial)\b",
    re.IGNORECASE,
)
_LIST = re.compile(
    rf"{_KINDS}\s*:\s*(?:\$…\$\s+{_BY}\s+\$…\$\s*[,;]?\s*(?:and\s+)?)*$", re.IGNORECASE
)
_DERIVED = re.compile(
    rf"\b(?:{_OF}|{_BY})(?:\s+(?:the|a|an|el|la|le|les|der|die|das|o|il|our|its))?(?:\s+[\w-]+){{0,2}}\s*$",
    re.IGNORECASE,
)  # fmt: skip
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
    tail, head = _END.split(_after(after))[0], _END.split(_before(before))[-1]
    if _DERIVED.search(head):
        return None  # "the derivative of $E_t$ with respect to …": it is what is derived
    called = bool(_GRADIENT.search(head)) and "=" not in head
    arguments = _ARGUMENTS.search(tail)
    if arguments is not None:
        words = _LISTED.sub("", tail[: arguments.start()], count=1)
        if "$…$" not in words and (called or _GRADIENT.search(words)):
            return OfGradients(arguments=True)
    listed = _LIST.search(head)  # "Gradients: $…$ at $…$, "
    found = _NAMED.match(tail) or _NAMED_ZH.match(tail) or (_PAIRED.match(tail) if listed else None)
    if found is not None and _PARTLY.search(tail):
        return None
    if found is not None:
        of = found.groupdict().get("of")
        places = [m.start() for m in re.finditer(re.escape("$…$"), tail)]
        by = places.index(found.start("by"))
        return OfGradients(by, places.index(found.start("of")) if of else None)
    near = tail.split("$…$")[0], head.split("$…$")[-1]
    return OfGradients() if any(map(_GRADIENT.search, near)) else None
