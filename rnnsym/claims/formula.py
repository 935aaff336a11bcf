"""A formula on its way to a verdict: its relations judged, the worst of them told in words.

Used by `check` and by `rnnsym.audit`.
"""

from __future__ import annotations

import time
from dataclasses import replace
from fractions import Fraction

from rnnsym.claims import numbers, worked
from rnnsym.claims.deciding import Outcome
from rnnsym.claims.errors import TooLargeError
from rnnsym.claims.explain import counterexample, reading_in_words, shown
from rnnsym.claims.generic import for_each
from rnnsym.claims.judge import Judge
from rnnsym.claims.limiting import is_limit
from rnnsym.claims.omitted import bare, completions
from rnnsym.claims.pairs import Pair, of_functions, of_predictions
from rnnsym.claims.taking import Taking, adjoints_of
from rnnsym.claims.trajectories import applied
from rnnsym.claims.verdict import DEFINITION, FALSE, IDLE, TRUE, UNKNOWN, UNREADABLE, Verdict
from rnnsym.errors import RnnsymError
from rnnsym.reader import syntax as s
from rnnsym.reader import terms as u
from rnnsym.reader.gradients import of_part
from rnnsym.reader.meanings import UnknownSymbolError
from rnnsym.reader.occurring import nodes, occurrences
from rnnsym.reader.statements import Reading, Statement
from rnnsym.reader.table import Table
from rnnsym.reader.tokens import UnreadableError, printable

TOO_DEEP = "too large: nested too deeply"


#: how the label of a gradient begins that is written as a perturbation is, δ h
PERTURBED = r"\delta "


def position_text(error: UnreadableError, source: str) -> str:
    """Why and where a formula cannot be read."""
    after = printable(" ".join(source[error.position : error.position + 20].split()))
    return f"{error.why} (at character {error.position + 1}{f': {after}' if after else ''})"


class Formula(Taking):
    """One formula on its way to a verdict."""

    def judge(self) -> Verdict:
        """The verdict on the whole formula: that of its worst relation."""
        of_numbers = numbers.judged(self.reading, self.claim)
        of_numbers = of_numbers or worked.judged(self.reading, self.claim)
        if of_numbers is not None:
            return of_numbers
        waiting: list[Statement] = []
        try:
            for statement in self.reading.statements:
                try:
                    self._take(statement)
                except UnknownSymbolError:  # a later statement may define it
                    waiting.append(statement)
            for statement in waiting:
                self._take(statement)
        except UnknownSymbolError as error:
            found = for_each(error.symbol, self.table, self._again, self._named())
            if found is None:
                return Verdict(self.claim, UNKNOWN, str(error), position=error.position)
            return self.explained(found) if self.diagnose else found
        except UnreadableError as error:
            return Verdict(
                self.claim, UNREADABLE, position_text(error, self.latex), position=error.position
            )
        except TooLargeError as error:
            return Verdict(self.claim, UNKNOWN, str(error))
        except RecursionError:
            return Verdict(self.claim, UNKNOWN, TOO_DEEP)
        if not self.pairs:
            if self.defined:
                names = printable(", ".join(self.defined))
                return Verdict(self.claim, DEFINITION, f"defines {names}")
            return Verdict(
                self.claim, UNREADABLE, "no relation: there is nothing to judge", position=0
            )
        judge = Judge(
            self.net, self.table, self.explicit, tuple(self.conditions), seconds=self.seconds
        )
        judge.thorough, judge.supposed = self.thorough, tuple(self.supposed)
        judge.bounds = tuple(filter(None, map(self._known, self.bounds)))
        zero = u.Num(Fraction(0))
        judge.vanishing = any(zero in (p.left, p.right) for p in self.pairs)
        parts: list[Verdict] = []
        for k in range(len(self.pairs)):
            parts.append(self._in_chain(judge, k, parts))
        for kind in (FALSE, UNREADABLE, UNKNOWN, TRUE):
            worst = [p for p in parts if p.verdict == kind]
            if worst:
                break
        first = worst[0]
        if first.verdict == TRUE:
            self.settle()
            every = [*(p.reading for p in parts), *amended(self.reading)]
            readings = list(dict.fromkeys(filter(None, every)))
            first = replace(first, reading=" | ".join(readings), evidence=parts[-1].evidence)
        found = replace(first, parts=tuple(parts) if len(parts) > 1 else ())
        return self.explained(found) if self.diagnose else found

    def _named(self) -> set[str]:
        """What the formula names."""
        seen = (o for st in self.reading.statements for o in occurrences(st.node))
        found = (self.table.find(o.spelled) for o in seen)
        return {f.entry.name for f in found if f is not None}

    def _again(self, table: Table) -> Verdict:
        """The verdict with another table; what is wrong is explained with the last of them."""
        left = max(0.0, self.begun + self.seconds - time.process_time())
        other = Formula(
            self.claim, self.reading, self.net, table, left, False, tuple(self.given),
            self.explicit,
        )  # fmt: skip
        other.anew, other.thorough, other.skip_first = self.anew, False, self.skip_first
        other.pairs_seconds = self.pairs_seconds
        self.stand_in = other
        return other.judge()

    def _in_chain(self, judge: Judge, k: int, parts: list[Verdict]) -> Verdict:
        """The verdict on one relation. In A = B = C, C may be equal to A under another reading than
        B is: then all are equal."""
        known = self.refuted
        found = self._verdict(judge, self.pairs[k])
        first = k
        while first and self.pairs[first - 1].right is self.pairs[first].left:
            first -= 1
        ops = {p.op for p in self.pairs[first : k + 1]}
        held = first < k and ops == {"="} and all(p.verdict == TRUE for p in parts[first:])
        if found.verdict != FALSE or not held:
            return found
        mine, self.refuted = self.refuted, known
        again = self._verdict(judge, Pair(self.pairs[first].left, "=", self.pairs[k].right))
        if again.verdict == TRUE:
            return again
        self.refuted = mine
        return found

    def _verdict(self, judge: Judge, pair: Pair) -> Verdict:
        pair = of_predictions(of_functions(pair), self.net)
        try:
            return self._tell(judge, pair, judge.relation(pair.left, pair.op, pair.right))
        except TooLargeError as error:
            return Verdict(self.claim, UNKNOWN, str(error))
        except RecursionError:
            return Verdict(self.claim, UNKNOWN, TOO_DEEP)

    def _tell(self, judge: Judge, pair: Pair, outcome: Outcome) -> Verdict:
        names = shown(pair.left, pair.right, self.latex)
        if outcome.kind == "equal":
            self.table.meant.update(outcome.reading.meant)
            words = reading_in_words(outcome, names, pair.left, pair.right)
            words = "; ".join(filter(None, [pair.note, words]))
            message = f"true, when {words}" if words else "true"
            if outcome.limited:
                message += f", {outcome.limited}"
                words = "; ".join(filter(None, [words, outcome.limited]))
            return Verdict(self.claim, TRUE, message, words, evidence(outcome))
        if outcome.kind in ("cannot", "none"):
            return Verdict(self.claim, UNKNOWN, outcome.why)
        if judge.supposed and not judge.tries_weights(pair.left, pair.op, pair.right):
            why = "it is claimed under a condition on values: only limits and ≤ are tried under one"
            return Verdict(self.claim, UNKNOWN, why)
        if pair.op == "←" and isinstance(pair.left, u.Adjoint):
            return Verdict(self.claim, UNKNOWN, f"at which step is ${pair.left.label}$ set?")
        if pair.partial:
            why = "it is not all that is added: what else is?"
            return Verdict(self.claim, UNKNOWN, why)
        left_out = bare(pair)
        if left_out:
            for whole in completions(self.net, pair):
                completed = judge.relation(whole.left, whole.op, whole.right)
                if completed.kind == "equal":
                    return self._tell(judge, whole, completed)
            why = f"{left_out[0].function} of what? its argument is left out"
            return Verdict(self.claim, UNKNOWN, why)
        unsaid = {
            x.name
            for side in (pair.left, pair.right)
            for x in u.walk(side)
            if isinstance(x, u.Leaf) and x.implied
        }
        if unsaid:
            names_ = ", ".join(sorted(unsaid))
            message = f"false, if {names_} is meant at step t; at which step is it?"
            return Verdict(self.claim, UNKNOWN, message)
        found = counterexample(judge, pair.left, pair.op, pair.right, outcome)
        why = "the two sides differ" if pair.op in ("=", ":=", "≈", "←") else "it does not hold"
        told = outcome.kind == "misfit" or is_limit(pair.left, pair.right)
        why = outcome.why if told else why
        message = f"false under every reading: {why}"
        self.refuted = self.refuted or (judge, pair, outcome)
        return Verdict(self.claim, FALSE, message, "", evidence(outcome), counterexample=found)

    def passed_back(self) -> Verdict | None:
        """The verdict, where ∂L/∂h_{t-1} is told from step t: what that passes back, to which the
        loss of step t - 1 adds its own. None where nothing is told so, or it is not true."""
        words = "the gradient is what the next step passes back: a loss at its own step adds to it"
        return self._read_as([replace(p, left=self._from_later(p.left)) for p in self.pairs], words)

    def by_value(self) -> Verdict | None:
        """The verdict, where σ′(z) is written of a value z of σ; None where it is not true so."""

        def argument(x: u.Term) -> u.Term | None:
            leaf = x.argument if isinstance(x, u.Apply) and x.order else None
            if not isinstance(leaf, u.Leaf) or leaf.time is None or leaf.name not in applied_:
                return None
            return replace(x, argument=u.Argument(leaf.name, leaf.time))  # type: ignore[call-arg]

        applied_ = {n for n in self.net.equations if applied(self.net, n)}
        pairs = [
            replace(p, left=u.rebuilt(p.left, argument), right=u.rebuilt(p.right, argument))
            for p in self.pairs
        ]
        words = (
            "derivatives of functions are written of the values of these, as in all the document"
        )
        return self._read_as(pairs, words)

    def _read_as(self, pairs: list[Pair], words: str) -> Verdict | None:
        """The verdict, where the relations are read so; None where they are not true."""
        if self.refuted is None or pairs == self.pairs:
            return None
        parts = [self._verdict(self.refuted[0], p) for p in pairs]
        if any(p.verdict != TRUE for p in parts):
            return None
        reading = " | ".join(dict.fromkeys(filter(None, (words, *(p.reading for p in parts)))))
        return replace(parts[0], message=f"true, when {reading}", reading=reading)

    def _from_later(self, term: u.Term) -> u.Term:
        """∂L/∂h_{t-1} as what step t passes back."""
        by = term.by[0] if isinstance(term, u.Derivative) and len(term.by) == 1 else None
        if not isinstance(term, u.Derivative) or not isinstance(term.of, u.Loss):
            return term
        if not isinstance(by, u.Leaf) or by.time is None or by.name not in self.net.states:
            return term
        earlier = bool(by.time.letter) and by.time.constant < 0
        return of_part(by.name, by.time, "next") if earlier else term

    def explained(self, verdict: Verdict) -> Verdict:
        """The verdict with the diagnosis of the first relation that is false."""
        if self.stand_in is not None:
            return self.stand_in.explained(verdict)
        if self.refuted is None or verdict.verdict != FALSE:
            return verdict
        from rnnsym.claims.repair import diagnose

        try:
            found = diagnose(self, *self.refuted, verdict)
        except (RnnsymError, RecursionError):  # it only adds to what is decided
            found = verdict
        named = [
            x
            for x in adjoints_of(self.refuted[1].left, self.refuted[1].right)
            if x.label not in self.table.sure and not (x.names and self.table.naming.total)
        ]
        shaken = [x for x in named if x.label.startswith(PERTURBED)]  # or it perturbs something
        unsettled = any(x.label not in self.table.meant for x in shaken)
        # shapes that do not fit are wrong in whichever way a quantity is meant that is settled
        known = all(x.label in self.table.meant for x in named)
        vague = bool(named) and not (known and self.refuted[2].kind == "misfit")
        if (vague and not found.correction) or unsettled:  # nothing but custom says what is meant
            return Verdict(
                self.claim,
                UNKNOWN,
                f"true of nothing that ${named[0].label}$ is by custom: what is it?",
            )
        return found


def amended(reading: Reading) -> list[str]:
    """What had to be mended in a formula to read it, in words."""
    found = [x for st in reading.statements for x in nodes(st.node)]
    places = [x for x in found if isinstance(x, s.Derivative) and x.amended]
    shown_ = (" ".join(reading.latex[x.start : x.end].split()) for x in places)
    return [f"the denominator of ${x}$ lacks a ∂" for x in shown_]


def evidence(outcome: Outcome) -> str:
    """What decided, and how sure it is."""
    if outcome.kind == "equal" and outcome.why == "sampled":
        return f"sampled in 50-digit numbers ({outcome.cases} cases): supports, does not prove"
    if outcome.numeric and outcome.kind != "equal":
        return "50-digit numbers: refuted"
    if outcome.idle:
        return IDLE
    if outcome.numeric:
        return f"50-digit numbers, {outcome.points} points, {outcome.cases} cases"
    if outcome.kind == "equal":
        return (
            f"exact identity test in the field of 2^61 - 1 elements, {outcome.points} points "
            f"(several lengths and sizes), {outcome.cases} cases; P(error) < 2^-50"
        )
    return "exact identity test in the field of 2^61 - 1 elements: refuted"
