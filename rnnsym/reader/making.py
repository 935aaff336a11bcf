"""Makes a network of chosen equations: writes each as text, completes what is left open.

Used by `network`. What does not fit is left out, and said; names that no equation gives become
inputs and targets; a loss that the document does not write is supposed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from rnnsym.claims.definition import Definition
from rnnsym.errors import InputError
from rnnsym.functions import KNOWN
from rnnsym.reader import syntax as s
from rnnsym.reader import terms as u
from rnnsym.reader.choosing import choose, from_step, generalised
from rnnsym.reader.entries import without_entries
from rnnsym.reader.indices import Index
from rnnsym.reader.lines import (
    INITIAL,
    OUTPUTS,
    depends,
    functions,
    recurrent,
    uses,
    with_names_of_parts,
)
from rnnsym.reader.losses import NO_LOSS, is_entropy, of_a_step, over_time, suppose
from rnnsym.reader.occurring import SCALAR_LETTERS, Forward, nodes, occurrences
from rnnsym.reader.resolve import Resolver
from rnnsym.reader.table import Entry, Table
from rnnsym.reader.table import key as label_key
from rnnsym.reader.vocabulary import Vocabulary
from rnnsym.reader.writing import Writer

#: how a note begins that says what an activation is supposed to be
ACTIVATION = "the activation is supposed to be"
#: the note on a network of small letters that are read as numbers
NUMBERS = "all quantities are numbers"
#: how the note begins on equations of single steps that are read as those of every step
OF_A_STEP = "taken for every step"
#: labels that make a target of the name of an output: y_true
TARGETS = {"true", "target", "real", "vrai", "gt", "obs", "ref", "label", "des", "desired", "soll"}
#: how often a network is tried again without an equation that does not fit
MAX_TRIALS = 40


@dataclass(eq=False)
class Built:
    """A network with the table of its symbols; notes: what was left out or supposed.

    written: vector -> the text of its equation; kept: vector -> where it was defined.
    """

    net: Any
    table: Table
    notes: list[str] = field(default_factory=list)
    written: dict[str, str] = field(default_factory=dict)
    supposed: bool = False  # the document does not say what the loss is
    kept: dict[str, Forward] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)  # vectors whose equations could not be used


def _initial(alternatives: dict[str, list[Any]]) -> dict[str, tuple[u.Term, Forward]]:
    """Initial values that are computed, a⟨0⟩ = b⟨T_x⟩, taken from the equations of their names."""
    found: dict[str, tuple[u.Term, Forward]] = {}
    for name, equations in alternatives.items():
        for equation in list(equations):
            term, index, f = equation
            if index is not None and index == Index(0) and len(equations) > 1:
                found[name] = term, f
                equations.remove(equation)
    return found


def _of_several(forwards: list[Forward]) -> bool:
    """Whether one letter stands for several vectors, which only their indices tell apart: a_h of
    the hidden units and a_k of the outputs."""
    uses = {
        frozenset((o.symbol.base, o.symbol.accents) for o in occurrences(f.right))
        for f in forwards
        if f.components and any(isinstance(x, s.Big) for x in nodes(f.right))
    }
    return len(uses) > 1


def _is_example(term: u.Term) -> bool:
    """Whether numbers stand for quantities: nothing else, or a matrix of them."""
    names = u.Leaf | u.Unknown

    def spoken(x: u.Term) -> bool:
        return any(isinstance(y, names) for y in u.walk(x))

    return not spoken(term) or any(isinstance(x, u.Concat) and not spoken(x) for x in u.walk(term))


def _of_one_step(found: list[Any]) -> tuple[u.Term, Index] | None:
    """z_3 = V h_3, the only equation for z, as one for every step."""
    if len(found) != 1 or found[0][1] is None or found[0][1].letters:
        return None
    term, index, _ = found[0]
    times = {x.time for x in u.walk(term) if isinstance(x, u.Leaf) and x.time is not None}
    if index.constant < 1 or times != {index}:
        return None
    return from_step(term, index.constant), Index.of("t")


class Maker:
    def __init__(
        self,
        vocabulary: Vocabulary,
        found: dict[str, list[Forward]],
        make: Any,
        strict: bool,
        options: dict[str, Any],
        numbers: bool = False,
    ) -> None:
        self.vocabulary, self.found, self.make = vocabulary, found, make
        self.scalar = vocabulary.scalar or numbers
        self.strict, self.options = strict, options
        self.table = vocabulary.table.copy()
        self.notes: list[str] = []
        self.lines: dict[str, str] = {}
        self.terms: dict[str, u.Term] = {}
        self.taken: dict[str, Forward] = {}
        self.said = ""  # what σ, or any function, is
        self.odd_loss = False  # the loss with a time is not that of one step
        self.last = False  # a supposed loss is one of the last step only
        self.concrete = False  # … and the customary one of its output
        self.scalars = frozenset(
            e.name
            for key, e in self.table.entries.items()
            if e.kind == "parameter" and (self.scalar or key[0] in SCALAR_LETTERS)
        )

    def build(self) -> Built:
        self._write_all()
        if self.said:
            self._as_said()
        self._check_loss()
        for trial in range(MAX_TRIALS):
            try:
                net = self._network()
                break
            except InputError as error:
                culprit = self._culprit(str(error))
                if trial == MAX_TRIALS - 1:
                    culprit = None
                if culprit is None or (self.strict and culprit != "L"):
                    self.notes.append(str(error))
                    net = None
                    break
                self.notes.append(f"left out: {error}")
                self.lines.pop(culprit)
                self.terms.pop(culprit, None)
        kept = {n: f for n, f in self.taken.items() if n in self.lines}
        supposed = "L" not in self.lines and self.options.get("loss") is None
        lost = {n for n in self.found if n not in self.lines and n != "L"}
        lost |= {"L"} if self.odd_loss else set()
        lost |= self._several_weights()
        return Built(net, self.table, self.notes, self.lines, supposed, kept, lost)

    def _several_weights(self) -> set[str]:
        """Letters that stand for several weights, which only their indices tell apart: w_{ih} from
        inputs to hidden units, w_{hk} on to outputs."""
        pairs: dict[str, set[tuple[str, str]]] = {}
        for _, o in self.vocabulary.seen:
            found = self.table.find(o.spelled, "hijklmnpqr")
            if found is not None and found.entry.kind == "parameter" and len(found.components) == 2:
                first, second = (i.letter for i in found.components)
                pairs.setdefault(found.entry.name, set()).add((first, second))
        return {
            name
            for name, every in pairs.items()
            if any(b == c and a != d != b for a, b in every for c, d in every)
        }

    def _as_said(self) -> None:
        """σ as tanh, and as softmax at the output, where the words of the document say so; or
        functions of which nothing is known as one that is."""
        if self.said == "numbers":
            self.notes.append(NUMBERS)
            return
        if self.said == "formulas":
            self._as_told()
            return
        prose, used = self.vocabulary.prose.lower(), []
        hidden = "tanh" in prose and not any("tanh(" in line for line in self.lines.values())
        unknown = {*self.table.functions.values()} - {*KNOWN}
        for name, line in self.lines.items():
            left, _, right = line.partition(" = ")
            function = right.partition("(")[0]
            free = function in unknown and f"{function}()" not in self.table.functions
            if not (function == "sigmoid" and self.said == "words") and not free:
                continue
            word = self.said if self.said != "words" else "tanh" if hidden else ""
            if name in OUTPUTS:
                word = "softmax" if "softmax" in prose else ""
            if word:
                self.lines[name] = f"{left} = {word}{right.removeprefix(function)}"
                used.append(f"{word} for {name}")
        if used:
            self.notes.append(f"{ACTIVATION} {', '.join(used)}")

    def _as_told(self) -> None:
        """Functions as formulas say that they are: φ(x) = x."""
        used = []
        for name, (_, known) in self.vocabulary.told.items():
            call = re.compile(rf"\b{re.escape(name)}\(")
            if any(call.search(line) for line in self.lines.values()):
                used.append(f"{known} for {name}")
            self.lines = {n: call.sub(f"{known}(", line) for n, line in self.lines.items()}
        if used:
            self.notes.append(f"{ACTIVATION} {', '.join(used)}")

    def _check_loss(self) -> None:
        """A loss of which no equation says how it depends on the states says nothing of them."""
        if "L" in self.lines and recurrent(self.lines) and not depends(self.lines, "L"):
            self.notes.append(NO_LOSS)
            del self.lines["L"]

    def _culprit(self, message: str) -> str | None:
        """The equation that an error is about; the last one if it does not say."""
        match = re.search(r"equation '([^']*)'", message)
        for name, line in self.lines.items():
            if match and (" ".join(line.split()) == match.group(1)):
                return name
        others = [n for n in self.lines if n != "L"]
        named = [n for n in others if re.search(rf"\b{re.escape(n)}\b", message)]
        if named:
            return named[-1]
        return None

    # ---- equations -----------------------------------------------------------------------

    def _write_all(self) -> None:
        """The equation of each name, chosen among those that the document gives."""
        alternatives: dict[str, list[tuple[u.Term, Index | None, Forward]]] = {}
        for name, forwards in self.found.items():
            if _of_several(forwards):
                self.notes.append(f"left out: {name}: its entries have several equations")
                continue
            for f in forwards:
                try:
                    term = Resolver(self.table, f.latex)(f.right)
                    if name != "L":
                        term = without_entries(term, f.components[0].letter if f.components else "")
                except InputError as error:
                    self.notes.append(f"left out: {' '.join(f.latex.split())[:60]}: {error}")
                    continue
                if name != "L" and _is_example(term):
                    continue
                alternatives.setdefault(name, []).append((term, f.index, f))
        initial = _initial(alternatives)
        for found in alternatives.values():
            general = generalised(found)
            if general is None:
                general = generalised(found, True) or _of_one_step(found)
                if general is not None:
                    self.notes.append(f"{OF_A_STEP}: {found[-1][2].key[0]}")
            if general is not None:
                found.append((*general, replace(found[-1][2], index=general[1])))
        for name, k in choose(alternatives).items():
            # the chosen one first, then the others: one that cannot be written is no loss
            order = [k, *(j for j in reversed(range(len(alternatives[name]))) if j != k)]
            for j in order:
                term, _, f = alternatives[name][j]
                try:
                    if name != "L":
                        self._add(name, term, f)
                    elif not self._loss(term, f) and j != order[-1]:
                        continue  # another equation says what the loss of a step is
                    self.taken[name] = f
                    break
                except InputError as error:
                    self.notes.append(f"left out: {' '.join(f.latex.split())[:60]}: {error}")
                    timed = f.index is not None and bool(f.index.letters)
                    self.odd_loss |= name == "L" and timed and over_time(term)[1] is not None
        every = dict(self.lines)
        for name, (term, f) in initial.items():
            try:
                self._add(name, term, f)
                every[name + INITIAL] = self.lines[name]
            except InputError as error:
                self.notes.append(f"left out: {' '.join(f.latex.split())[:60]}: {error}")
        self.lines = every
        self._free_target()
        self.lines = with_names_of_parts(self.lines)
        self._split_blocks()

    def _free_target(self) -> None:
        """Beside ŷ, y is the target, though another part of a document may call an output so."""
        rest = " ".join(line for n, line in self.lines.items() if n not in ("y", "L"))
        if {"y", "y_hat"} <= self.lines.keys() and not re.search(r"\by\[", rest):
            self.notes.append(f"left out: {self.lines.pop('y')}: y is the target of y_hat")

    def _split_blocks(self) -> None:
        """W_a [a; x] as W_aa a + W_ax x, where the document speaks of W_aa and W_ax."""
        seen = {label_key(o.spelled) for _, o in self.vocabulary.seen}
        base = {e.name: k for k, e in self.table.entries.items()}
        for name, line in self.lines.items():
            for match in re.finditer(
                r"\((\w+) @ \[([^\[\]]+\[[^\]]*\](?:, [^\[\]]+\[[^\]]*\])+)\]\)", line
            ):
                weight, parts = match.group(1), match.group(2).split(", ")
                if weight not in base or not all(p.split("[")[0] in base for p in parts):
                    continue
                letter, accents, labels = base[weight]
                keys = [(letter, accents, labels + base[p.split("[")[0]][0]) for p in parts]
                if not all(k in seen for k in keys):
                    continue
                names = []
                for k in keys:
                    if k not in self.table.entries:
                        self.table.entries[k] = Entry("parameter", self.vocabulary._name(k))
                    names.append(self.table.entries[k].name)
                whole = u.Concat(tuple(u.Leaf(n, None) for n in names), rows=True)
                latex = f"{letter}_{{{labels}}}"
                self.table.entries[base[weight]] = Entry("definition", latex)
                self.table.definitions[latex] = Definition(latex, latex, (), whole)
                split = " + ".join(f"({n} @ {p})" for n, p in zip(names, parts, strict=True))
                self.lines[name] = line = line.replace(match.group(), f"({split})")

    def _add(self, name: str, term: u.Term, f: Forward) -> None:
        index = f.index
        main = self.vocabulary.main
        letter = index.letter if index is not None and index.letter else main
        if letter.split("_")[0] == "T" and letter != main:  # ŷ_T = …, for the last step only
            letter = main
        shift = -index.constant if index is not None and index.letter == letter else 0
        copies = frozenset(self.table.copies)
        writer = Writer(letter, shift, self.table.rows, self.scalars, copies)
        right = writer(term)
        time = "t"
        fixed = set(re.findall(r"\[(\w[^\]]*)\]", right))
        if index is None and len(fixed) == 1 and fixed <= {str(n) for n in range(2, 100)}:
            time, right = "T", right.replace(f"[{fixed.pop()}]", "[T]")  # ŷ = V h_3, the last one
        if index is not None and not index.letter:
            if index.constant > 0:
                raise InputError(f"it is for step {index.constant} only")
            time = str(index.constant)
        elif index is not None and index.letter != letter:
            time, right = writer.time(index), right
        self.lines[name] = f"{name}[{time}] = {right}"
        self.terms[name] = term

    def _loss(self, term: u.Term, f: Forward) -> bool:
        """The loss of a step, or of the sequence as a sum over its steps; False where that is the
        sum of what is told elsewhere."""
        if f.index is None:
            number, inner = over_time(term)
            if inner is not None:
                if number:
                    self.table.mean = True
                if _is_loss(inner.body):  # (1/4) Σ L_t is the mean of four
                    self.table.mean |= not isinstance(inner.body, u.Leaf)
                    return False
                body = without_entries(inner.body)
                f = replace(f, index=Index.of(inner.index))
                term = body
        term = of_a_step(term, self.found, self._is_vector)
        self._add("L", term, f)
        return True

    def _is_vector(self, term: u.Term) -> bool:
        """Whether a term is a vector as it stands, with no transpose in it."""
        if self.scalar:
            return False
        if any(isinstance(x, u.Transposed) for x in u.walk(term)):
            return False
        at = [x.time for x in u.walk(term) if isinstance(x, u.Leaf) and x.time is not None]
        letter = at[0].letter if at and at[0].letter else self.vocabulary.main
        try:
            return Writer(letter, 0, self.table.rows, self.scalars).write(term).kind == "v"
        except InputError:
            return False

    # ---- the network ---------------------------------------------------------------------

    def _network(self) -> Any:
        lines = dict(self.lines)
        names = {n for line in lines.values() for n in re.findall(r"\b([^\W\d]\w*)\[", line)}
        loss = {n for n in re.findall(r"\b([^\W\d]\w*)\[", lines.get("L", ""))} - {"L"}
        given = names - set(lines)
        # a target that is fed back at the next step is one all the same
        used = set().union(*uses(lines).values())
        elsewhere = {
            n
            for k, line in lines.items()
            if k in used  # r = ŷ - y only gives a name
            for n in re.findall(r"\b([^\W\d]\w*)\[(?!t-)", line)
        }
        targets = {n for n in given & loss if n not in elsewhere}
        options = {"loss": None, **self.options}
        if "L" not in lines and options["loss"] is None:
            targets.add(self._suppose(lines))
        if "L" in lines and is_entropy(lines["L"], lines):
            options["target_kind"] = "distribution"
        inputs = sorted(given - targets - set(lines))
        symbolic = functions(lines, self.table.functions)
        sizes = self._sizes(lines, {*names, *targets, *inputs})
        options["inputs"], options["targets"] = inputs, sorted(targets)
        if options.get("loss") is None:
            options.pop("loss")
        length = self.vocabulary.counted
        if length and targets:
            options.setdefault("lengths", {sorted(targets)[0]: length})
        scalars = sorted(
            n for n in self.scalars if any(re.search(rf"\b{n}\b", x) for x in lines.values())
        )
        texts = [lines[n] for n in lines if n != "L"] + ([lines["L"]] if "L" in lines else [])
        net = self.make(
            *texts, functions=symbolic, sizes=sizes, scalars=scalars,
            name=options.pop("name", "network"), **options,
        )  # fmt: skip
        self._letters(net)
        return net

    def _numbers(self, lines: dict[str, str]) -> set[str]:
        """Inputs that are numbers: m_t h_t without an operator multiplies a vector by a number."""
        found: set[str] = set()
        vectors: set[str] = set()
        for term in self.terms.values():
            for x in u.walk(term):
                if not isinstance(x, u.Product):
                    continue
                for (_, a), (op, b) in zip(x.factors, x.factors[1:], strict=False):
                    if isinstance(a, u.Leaf) and a.time is None and isinstance(b, u.Leaf):
                        vectors.add(b.name)
                    if op == "" and _is_timed(a) and _is_timed(b):
                        found |= {y.name for y in u.walk(a) if isinstance(y, u.Leaf)}
        return found - vectors - set(lines)

    def _sizes(self, lines: dict[str, str], vectors: Iterable[str]) -> dict[str, Any]:
        if self.scalar:
            return {
                **{n: 1 for n in vectors if any(re.search(rf"\b{n}\[", x) for x in lines.values())}
            }
        found: dict[str, Any] = dict.fromkeys(self._numbers(lines), 1)
        for entry in self.table.entries.values():
            if entry.kind != "parameter":
                continue
            uses = [x for x in lines.values() if re.search(rf"\b{re.escape(entry.name)}\b", x)]
            inside = rf"\w\([^()]*\b{re.escape(entry.name)}\b[^()@*+-]*\)"
            if uses and all(re.search(inside, x) and "@" not in x for x in uses):
                found[entry.name] = f"n_{entry.name}", 1
        return found

    def _suppose(self, lines: dict[str, str]) -> str:
        """A loss where the document writes none; its target."""
        loss = suppose(lines, self.vocabulary.prose, self.last, self.concrete)
        if loss is None:
            raise InputError("no forward equation is left")
        lines["L"] = loss.line
        self.notes.append(loss.note)
        if loss.output in ("y_hat", "p", "o") or loss.target == "y":
            self.table.entries.setdefault(("y", (), ""), Entry("vector", loss.target))
            self.table.timeless.add(loss.target)
        for key in list(self.table.entries):
            if key[2] in TARGETS and key[0] in ("y", "t", "d", loss.output[:1]):
                self.table.entries[key] = Entry("vector", loss.target)
        return loss.target

    def _letters(self, net: Any) -> None:
        """What the table says of functions and lengths, once the network is known."""
        self.table.functions.setdefault("loss_fn", "loss_fn")
        if not any(e.name == "L" for e in self.table.entries.values()):
            self.table.entries.setdefault(("L", (), ""), Entry("vector", "L"))
        for key, entry in list(self.table.entries.items()):
            known = entry.name in net.vectors or entry.name in net.parameters or entry.name == "L"
            if entry.kind in ("vector", "parameter") and not known:
                del self.table.entries[key]
        if list(net.lengths) == ["T"]:  # T_x and T_y are one, where there is one length only
            seen = {n for _, o in self.vocabulary.seen for x in o.spelled.scripts if x.index
                    for n in x.index.names}  # fmt: skip
            ends = {"".join(x.text for x in big.upper if x.text not in "{}")
                    for _, node, _ in self.vocabulary.statements for big in nodes(node)
                    if isinstance(big, s.Big)}  # fmt: skip
            self.table.lengths |= {n for n in {*seen, *ends} if n.startswith("T_")}
        for name in net.lengths:
            self.table.entries.setdefault((name[0], (), name[2:]), Entry("length", name))


def _is_loss(term: u.Term) -> bool:
    """Whether a term is the loss of a step, perhaps times a number."""
    if isinstance(term, u.Product):
        losses = [x for _, x in term.factors if isinstance(x, u.Leaf) and x.name == "L"]
        numbers = [x for _, x in term.factors if isinstance(x, u.Num | u.Quotient | u.Whole)]
        return len(losses) == 1 and len(numbers) == len(term.factors) - 1
    return isinstance(term, u.Leaf) and term.name == "L"


def _is_timed(term: u.Term) -> bool:
    """A vector at a step, or 1 minus one."""
    if isinstance(term, u.Sum):
        return all(isinstance(x, u.Num | u.Constant) or _is_timed(x) for _, x in term.terms)
    return isinstance(term, u.Leaf) and term.time is not None
