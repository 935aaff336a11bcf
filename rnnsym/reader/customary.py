"""Forward equations that a document leaves to its readers, written in its own names.

Beside `vocabulary`. Notes on backpropagation often give the recurrence alone, and speak of ŷ_t and
W_hy, or of the z_{f,t} of a gate, as known. What custom has in their place is one more network that
a claim may be about: it can be true of that, and is never false for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rnnsym.reader import known_cells
from rnnsym.reader import syntax as s
from rnnsym.reader.indices import Index
from rnnsym.reader.occurring import Forward, Occurrence, occurrences
from rnnsym.reader.statements import Reading, read_formula
from rnnsym.reader.symbols import spell
from rnnsym.reader.table import Key
from rnnsym.reader.tokens import UnreadableError
from rnnsym.reader.vocabulary import Vocabulary

#: how predictions are called, the likeliest first
PREDICTIONS = (("y", ("hat",)), ("p", ()), ("o", ()), ("y", ()), ("q", ()), ("hat", ()))
#: labels of an output's weight and bias
OUTPUT_LABELS = {"y", "hy", "yh", "ya", "ay", "o", "ho", "oh", "out", "output", "hq", "q", "qh",
                 "sy", "ys", "so", "os", "S", "s", "p", "hp", "ph"}  # fmt: skip
#: weights of an output that carry no label
OUTPUT_WEIGHTS = ("V", "U", "W")
#: what arguments of functions are called, with the name of what the function gives as a label
ARGUMENTS = {"z", "Z", "a", "s", "u", "g", "net", "v", "hat"}
#: the note on a network that was completed
COMPLETED = "completed by custom: "


@dataclass(frozen=True)
class _Seen:
    """A symbol as it stands somewhere at step t: its key and its LaTeX."""

    key: Key
    latex: str


def completed(vocabulary: Vocabulary) -> tuple[Vocabulary, str] | None:
    """The vocabulary with the equations that custom has for what no equation gives, and these in
    words; None where nothing is missing that custom knows of."""
    lines = [
        *_cell(vocabulary),
        *_transition(vocabulary),
        *_arguments(vocabulary),
        *_activation(vocabulary),
        *_output(vocabulary),
    ]
    readings: list[Reading] = []
    for line in lines:
        try:
            readings.append(read_formula(line))
        except UnreadableError:
            return None
    if not readings:
        return None
    every = [*vocabulary.readings, *readings]
    found = Vocabulary(every, vocabulary.prose, naming=vocabulary.table.naming)
    words = "; ".join(f"${line}$" for line in lines)
    return found, COMPLETED + words


def _missing(vocabulary: Vocabulary) -> Iterator[tuple[int, Occurrence, Key]]:
    """The vectors that have no equation, and that none but the loss reads, wherever they stand."""
    table = vocabulary.table
    given = {f.key for f in vocabulary.forward}
    keys = {id(e): k for k, e in table.entries.items()}
    read = {
        keys.get(id(found.entry))
        for f in vocabulary.forward
        if f.key not in table.entries or table.entries[f.key].name != "L"
        for o in occurrences(f.right)
        if (found := table.find(o.spelled)) is not None
    }
    for k, o in vocabulary.seen:
        found = table.find(o.spelled)
        if found is None or found.entry.kind != "vector" or found.time is None:
            continue
        key = keys[id(found.entry)]
        if key not in given and key not in read and found.time == Index.of(vocabulary.main):
            yield k, o, key


def _written(vocabulary: Vocabulary, k: int, symbol: s.Symbol) -> str:
    return vocabulary.readings[k].latex[symbol.start : symbol.end]


def _cell(vocabulary: Vocabulary) -> list[str]:
    """The equations of a cell that words name, where no equation of the document is recurrent."""
    general = {f.key for f in vocabulary.forward if f.index is None or f.index.letters}
    if general & vocabulary.states():
        return []

    def written(base: str, accents: tuple[str, ...]) -> str:
        numbered = ""
        for k, o in vocabulary.seen:
            same = o.spelled.accents in (accents, (*accents, "vec")) and o.spelled.base == base
            times = [x for x in o.spelled.scripts if x.index is not None]
            if not same or len(times) != 1 or len(o.spelled.scripts) > 1 or o.spelled.transposed:
                continue
            latex, index = _written(vocabulary, k, o.symbol), times[0].index
            if index == Index.of(vocabulary.main):
                return latex
            if index is not None and not index.letters:
                numbered = _numbered(latex, index.constant, vocabulary.main)
        return numbered

    def weights(base: str, label: str) -> bool:
        for _, o in vocabulary.seen:
            if o.spelled.base == base:
                text = "".join(x.text for x in o.spelled.scripts if x.where == "sub")
                if re.sub(r"\\(?:mathrm|text)|[{},\s]", "", text) == label:
                    return True
        return False

    return known_cells.equations(vocabulary.prose, written, weights)


def _transition(vocabulary: Vocabulary) -> list[str]:
    """h_t = g(…), where f(x_t, h_{t-1}) = g(…) is all that is said of a state."""
    given = {f.key for f in vocabulary.forward}
    keys = {id(e): k for k, e in vocabulary.table.entries.items()}
    for _, node, latex in vocabulary.statements:
        left = node.sides[0] if isinstance(node, s.Relation) else None
        if not isinstance(left, s.Times) or len(left.factors) != 2:
            continue
        (_, name), (op, bracket) = left.factors
        if op or not isinstance(name, s.Symbol) or not isinstance(bracket, s.Bracket):
            continue
        parts = [p for p in bracket.parts if isinstance(p, s.Symbol)]
        found = [vocabulary.table.find(spell(p)) for p in parts]
        past = [x for x in found if x is not None and x.time == Index.of(vocabulary.main, -1)]
        if len(bracket.parts) < 2 or len(past) != 1 or keys[id(past[0].entry)] in given:
            continue
        state = _at_t(vocabulary, keys[id(past[0].entry)])
        right = node.sides[1]  # type: ignore[attr-defined]
        if state:
            return [f"{state} = {latex[right.start : right.end]}"]
    return []


# ---- the output --------------------------------------------------------------------------


def _output(vocabulary: Vocabulary) -> list[str]:
    """ŷ_t = softmax(V h_t + c), where claims speak of ŷ_t and of a weight that nothing defines."""
    state = _state(vocabulary)
    seen: dict[tuple[str, tuple[str, ...]], _Seen] = {}
    for k, o, (base, accents, labels) in _missing(vocabulary):
        if not labels:
            seen.setdefault(
                (base, accents), _Seen((base, accents, labels), _written(vocabulary, k, o.symbol))
            )
    prediction = next((seen[p] for p in PREDICTIONS if p in seen), None)
    weight = _unknown(vocabulary, "WUVR", OUTPUT_WEIGHTS)
    computed = {f.key[:2] for f in vocabulary.forward if not f.key[2]}
    if prediction is None or computed & set(PREDICTIONS):
        return []
    scores = _scores(vocabulary)
    if scores:
        return [rf"{prediction.latex} = \mathrm{{softmax}}({scores})"]
    if state is None or not weight:
        return []
    bias = _unknown(vocabulary, "bc", ("c",))
    product = f"{state} {weight}" if vocabulary.table.rows else f"{weight} {state}"
    argument = f"{product} + {bias}" if bias else product
    words = vocabulary.prose.lower()
    if "softmax" in words or "entropy" in words or prediction.key[:2] == ("p", ()):
        return [rf"{prediction.latex} = \mathrm{{softmax}}({argument})"]
    return [f"{prediction.latex} = {argument}"]


def _scores(vocabulary: Vocabulary) -> str:
    """The sum W h_t + b that some equation gives and none reads: what the softmax is taken of."""
    table, states = vocabulary.table, vocabulary.states()
    read = {id(x.entry) for f in vocabulary.forward for o in occurrences(f.right)
            if (x := table.find(o.spelled)) is not None}  # fmt: skip
    for f in reversed(vocabulary.forward):
        entry = table.entries.get(f.key)
        if entry is None or entry.name == "L" or id(entry) in read or f.key in states:
            continue
        used = [table.find(o.spelled) for o in occurrences(f.right)]
        now = all(x is None or x.time in (None, Index.of(vocabulary.main)) for x in used)
        if now and isinstance(f.right, s.Add | s.Times):
            return _at_t(vocabulary, f.key)
    return ""


def _at_t(vocabulary: Vocabulary, key: Key) -> str:
    """How a vector is written at step t, or would be; "" if it never is."""
    entry, numbered = vocabulary.table.entries[key], ""
    for k, o in vocabulary.seen:
        known = vocabulary.table.find(o.spelled)
        if known is None or known.entry is not entry or o.spelled.transposed:
            continue
        if known.time == Index.of(vocabulary.main):
            return _written(vocabulary, k, o.symbol)
        if known.time is not None and not known.time.letters and not numbered:  # h^{(10)}
            latex = _written(vocabulary, k, o.symbol)
            numbered = _numbered(latex, known.time.constant, vocabulary.main)
    return numbered


def _numbered(latex: str, number: int, letter: str) -> str:
    """h^{(10)} at step t."""
    return re.sub(rf"(?<!\d){number}(?!\d)", letter, latex)


def _activation(vocabulary: Vocabulary) -> list[str]:
    """h_t = tanh(z_t), where z_t = W h_{t-1} + … is all that is given of h."""
    table = vocabulary.table
    given = {f.key for f in vocabulary.forward}
    before = Index.of(vocabulary.main, -1)
    for f in vocabulary.forward:
        if not isinstance(f.right, s.Add) or f.index != Index.of(vocabulary.main):
            continue
        read = [table.find(o.spelled) for o in occurrences(f.right)]
        past = [x.entry for x in read if x is not None and x.time == before]
        keys = [k for k, e in table.entries.items() if past and e is past[0]]
        if len(past) != 1 or not keys or keys[0] in given or keys[0][0] in ("x", "X"):
            continue
        state, argument = _at_t(vocabulary, keys[0]), _at_t(vocabulary, f.key)
        if state and argument:
            squared = re.search(
                r"1\s*-[^=+]*\^\{?2", " ".join(r.latex for r in vocabulary.readings)
            )
            function = r"\tanh" if squared or "tanh" in vocabulary.prose.lower() else r"\sigma"
            return [f"{state} = {function}({argument})"]
    return []


def _state(vocabulary: Vocabulary) -> str | None:
    """The state that an output reads, at step t: the last one that some equation gives."""
    states = {key for key in vocabulary.states() if key[0] not in ("c", "C")}
    found: str | None = None
    for k, o in vocabulary.seen:
        known = vocabulary.table.find(o.spelled)
        if known is None or known.time != Index.of(vocabulary.main) or o.spelled.transposed:
            continue
        if any(vocabulary.table.entries.get(key) is known.entry for key in states):
            found = _written(vocabulary, k, o.symbol)
    return found


def _unknown(vocabulary: Vocabulary, bases: str, plain: tuple[str, ...]) -> str:
    """A weight or bias of an output of which no equation speaks; "" if there is none."""
    found: dict[str, str] = {}
    for k, o in vocabulary.seen:
        if o.spelled.base not in bases or vocabulary.table.find(o.spelled) is not None:
            continue
        labels = "".join(x.text for x in o.spelled.scripts if x.where == "sub")
        labels = re.sub(r"\\(?:mathrm|text)|[{},\s]", "", labels)
        if any(x.where == "sup" for x in o.spelled.scripts):
            continue
        if labels in OUTPUT_LABELS or (not labels and o.spelled.base in plain):
            latex = _written(vocabulary, k, o.symbol)
            found.setdefault(labels, re.sub(r"\^(?:\\top|T|\{\s*(?:\\top|T)\s*\})", "", latex))
    return next(iter(found.values()), "")


# ---- arguments of functions --------------------------------------------------------------


def _arguments(vocabulary: Vocabulary) -> list[str]:
    """z_{f,t} = …, where f_t = σ(…) is given and claims speak of z_{f,t}."""
    lines: dict[Key, str] = {}
    for k, o, key in _missing(vocabulary):
        base, _, label = key
        if base in ARGUMENTS and label and key not in lines:
            of = [f for f in vocabulary.forward if _names(label, f)]
            inner = [x for x in map(_argument, of) if x is not None]
            if inner:
                lines[key] = f"{_written(vocabulary, k, o.symbol)} = {inner[-1]}"
    return list(lines.values())


def _names(label: str, f: Forward) -> bool:
    """Whether a label names what an equation gives: f, h for h̃."""
    base, accents, _ = f.key
    return label in (base, *(f"{a}{base}" for a in accents), f"{base}tilde")


def _argument(f: Forward) -> str | None:
    """The LaTeX of the argument of the function that an equation is."""
    right = f.right
    inner: s.Node | None = None
    if isinstance(right, s.Call):
        inner = right.argument
    elif isinstance(right, s.Times) and len(right.factors) == 2:
        inner = right.factors[1][1]
    if not isinstance(inner, s.Bracket) or len(inner.parts) != 1:
        return None
    part = inner.parts[0]
    return f.latex[part.start : part.end]
