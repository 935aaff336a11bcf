"""Makes a network of chosen equations: completes what they leave open, and says what it supposes.

Used by `network`. Names that no equation gives become inputs and targets; a loss that the document
does not write is supposed; an equation that does not fit is left out, and said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from rnnsym.errors import InputError
from rnnsym.functions import KNOWN
from rnnsym.reader import syntax as s
from rnnsym.reader import terms as u
from rnnsym.reader.lines import (
    OUTPUTS,
    depends,
    functions,
    recurrent,
    uses,
)
from rnnsym.reader.losses import LEFT_OUT, NO_LOSS, is_entropy, suppose
from rnnsym.reader.occurring import Forward, nodes
from rnnsym.reader.placing import Placing
from rnnsym.reader.symbols import spell
from rnnsym.reader.table import Entry, Key, Table

#: how a note begins that says what an activation is supposed to be
ACTIVATION = "the activation is supposed to be"
#: the note on a network of small letters that are read as numbers
NUMBERS = "all quantities are numbers"
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


class Maker(Placing):
    """Makes one network."""

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
                self.notes.append(f"{LEFT_OUT}: {error}")
                self.lines.pop(culprit)
                self.terms.pop(culprit, None)
        kept = {n: f for n, f in self.taken.items() if n in self.lines}
        supposed = "L" not in self.lines and self.options.get("loss") is None
        lost = {n for n in self.found if n not in self.lines and n != "L"}
        lost |= {"L"} if self.odd_loss else set()
        lost |= {n for n in self._several_weights() if net is None or not _is_square(net, n)}
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
        if self.last and "L" in lines:
            lines["L"] = lines["L"].replace("[t]", "[T]")
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
        return found | dict.fromkeys(self._scores(lines), 1)

    def _scores(self, lines: dict[str, str]) -> set[str]:
        """What is a number because it is computed by a vector of weights, o = wᵀ s: beside
        matrices in capitals a small letter is one."""
        keys = {e.name: key[0] for key, e in self.table.entries.items() if e.kind == "parameter"}
        if not any(base[:1].isupper() for base in keys.values()):
            return set()
        small = "|".join(re.escape(n) for n, base in keys.items() if re.fullmatch("[a-z]", base))
        product = re.compile(
            rf"(?:\w+\()*\(*(?:(?:{small})\.T @ \w+\[\w+\]|\w+\[\w+\](?:\.T)? @ (?:{small}))\)*"
            rf"(?: \+ \w+)?\)*"
        )
        sides = {n: line.partition(" = ")[2] for n, line in lines.items() if n != "L"}
        return {n for n, right in sides.items() if small and product.fullmatch(right)}

    def _suppose(self, lines: dict[str, str]) -> str:
        """A loss where the document writes none; its target."""
        loss = suppose(lines, self.vocabulary.prose, self.last, self.concrete, self.every)
        if loss is None:
            raise InputError("no forward equation is left")
        lines["L"] = loss.line
        self.notes.append(loss.note)
        if loss.output in ("y_hat", "p", "o") or loss.target == "y":
            self.table.entries.setdefault(("y", (), ""), Entry("vector", loss.target))
            self.table.timeless.add(loss.target)
        for key in set(self._compared(loss.output)):
            self.table.entries[key] = Entry("vector", loss.target)
        for key in list(self.table.entries):
            if key[2] in TARGETS and key[0] in ("y", "t", "d", loss.output[:1]):
                self.table.entries[key] = Entry("vector", loss.target)
        return loss.target

    def _compared(self, output: str) -> Iterator[Key]:
        """What stands beside the output in a difference, q_t - s_t, and no equation computes: the
        target."""
        keys = {id(e): k for k, e in self.table.entries.items()}
        for _, node, _ in self.vocabulary.statements:
            for x in nodes(node):
                if not isinstance(x, s.Add) or len(x.terms) != 2 or x.terms[0][0] == x.terms[1][0]:
                    continue
                found = [
                    self.table.find(spell(y)) if isinstance(y, s.Symbol) else None
                    for _, y in x.terms
                ]
                for a, b in (found, found[::-1]):
                    if a is None or b is None or a.entry.name != output or a.time != b.time:
                        continue
                    if b.entry.kind == "vector" and b.entry.name not in self.lines:
                        yield keys[id(b.entry)]

    def _letters(self, net: Any) -> None:
        """What the table says of functions and lengths, once the network is known."""
        self.table.functions.setdefault("loss_fn", "loss_fn")
        beside = {x.name for p in self.table.penalties for x in u.walk(p) if isinstance(x, u.Leaf)}
        if not any(e.name == "L" for e in self.table.entries.values()):
            self.table.entries.setdefault(("L", (), ""), Entry("vector", "L"))
        self.table.penalties = tuple(
            u.rebuilt(p, lambda x: _free(x, net)) for p in self.table.penalties
        )
        for key, entry in list(self.table.entries.items()):
            known = entry.name in net.vectors or entry.name in net.parameters or entry.name == "L"
            if entry.name in beside and not known:
                self.table.entries[key] = Entry("free", entry.name)
            elif entry.kind in ("vector", "parameter") and not known:
                del self.table.entries[key]
        if list(net.lengths) == ["T"]:  # T_x and T_y are one, where there is one length only
            seen = {n for _, o in self.vocabulary.seen for x in o.spelled.scripts if x.index
                    for n in x.index.names}  # fmt: skip
            ends = {"".join(x.text for x in big.upper if x.text not in "{}")
                    for _, node, _ in self.vocabulary.statements for big in nodes(node)
                    if isinstance(big, s.Big)}  # fmt: skip
            self.table.lengths |= {n for n in {*seen, *ends} if n.startswith("T_")}
        singles = {
            n for n in (*net.vectors, *net.targets) if n in net.spans and net.spans[n].single
        }
        self.table.final |= singles & self.table.timeless
        for name in net.lengths:
            self.table.entries.setdefault((name[0], (), name[2:]), Entry("length", name))


def _free(x: Any, net: Any) -> u.Term | None:
    """The λ of a penalty, of which no equation of the network speaks, as any number."""
    return u.Free(x.name) if isinstance(x, u.Leaf) and x.name not in net.parameters else None


def _is_square(net: Any, name: str) -> bool:
    """Whether a weight leads from a state to itself: J_{ik} J_{kj} are two of its entries."""
    w = net.parameters.get(name)
    return w is not None and w.rows == w.cols


def _is_timed(term: u.Term) -> bool:
    """A vector at a step, or 1 minus one."""
    if isinstance(term, u.Sum):
        return all(isinstance(x, u.Num | u.Constant) or _is_timed(x) for _, x in term.terms)
    return isinstance(term, u.Leaf) and term.time is not None
