"""A document audited: its network found, each formula judged in its order.

Takes the formulas from `rnnsym.sources`, the network from `rnnsym.reader`, verdicts from
`rnnsym.claims`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from itertools import chain, islice, takewhile
from pathlib import Path
from typing import Any

from rnnsym.audit import roles, slips, standing, tongues
from rnnsym.audit.networks import Networks
from rnnsym.audit.result import CLAIM, DEFINES, INFORMAL, NOTATION, Audit, Finding
from rnnsym.audit.scopes import SUPPOSED, Scopes, maker
from rnnsym.audit.together import (
    OPEN,
    asked_too_early,
    for_another,
    is_refuted,
    is_settled,
    together,
)  # fmt: skip
from rnnsym.audit.told import tell_inside, told
from rnnsym.claims.formula import Formula
from rnnsym.claims.guard import OWN_ERROR, Guard, LostError
from rnnsym.claims.taking import is_condition
from rnnsym.claims.verdict import DEFINITION, FALSE, IDLE, TRUE, UNKNOWN, UNREADABLE, Verdict
from rnnsym.claims.worked import is_computed
from rnnsym.errors import InputError, RnnsymError
from rnnsym.reader import syntax as s
from rnnsym.reader.einstein import with_sums
from rnnsym.reader.families import written_out
from rnnsym.reader.functions_of_time import with_times
from rnnsym.reader.macros import expand
from rnnsym.reader.making import Built
from rnnsym.reader.occurring import occurrences
from rnnsym.reader.placing import OF_A_STEP
from rnnsym.reader.stacked import rows_of
from rnnsym.reader.statements import Reading, Statement, read_formula
from rnnsym.reader.symbols import spell
from rnnsym.reader.table import Entry, Key, Table
from rnnsym.reader.tokens import UnreadableError

#: by how many networks a wrong claim is explained
MAX_EXPLAINED = 3
#: a text that is the name of a file
_PATH = re.compile(r"[^\s$\\]{1,200}\.(?:md|tex|ipynb)")
#: seconds for diagnoses that take two changes
PAIRS_SECONDS = 1.0
#: words that leave sums to the reader
_IMPLICIT = re.compile(
    r"Einstein|summation convention|summed[- ]over|(?:sum(?:med|mation)?|summing) over repeated|"
    r"repeated (?:indices|index)|implicit(?:ly)? sum", re.IGNORECASE
)  # fmt: skip
#: a display that has no left side
_CONTINUES = re.compile(r"[\s~&]*(?:=|\\approx)")


def audit(
    document: str | Path,
    model: Any = None,
    *,
    kind: str | None = None,
    name: str = "",
    seconds: float = 10.0,
    progress: Callable[[int, int], None] | None = None,
    guard: bool = False,
) -> Audit:
    """Judge every formula of a document.

    document: its text, or its path (.md, .tex, .ipynb); model: a network that it is about, by
    default taken from the document's own forward equations; kind: "markdown", "latex" or
    "notebook", by default told from the name or the text; seconds: the most processor time that
    one formula may take; progress: called with how many formulas are done, of how many; guard:
    judge in a process of its own, whose memory and time the system limits.

    Raises InputError for a document that cannot be opened or parsed, and for a text that is
    nothing but the name of a file.
    """
    from rnnsym.sources import read_file, read_source

    begun = time.monotonic()
    if isinstance(document, Path):
        source, name = read_file(document), name or str(document)
    elif _PATH.fullmatch(document):
        raise InputError(
            f"{document!r} is no document but its path: give pathlib.Path({document!r})"
        )
    else:
        source = read_source(document, kind, name)
    auditor = Auditor(source, model, seconds)
    found = auditor.run(progress, guard)
    return replace(found, document=name or source.kind, seconds=time.monotonic() - begun)


class Auditor:
    """One document on its way."""

    def __init__(self, source: Any, model: Any, seconds: float) -> None:
        self.source, self.model, self.seconds = source, model, seconds
        self.end = 0.0
        self.readings: list[Reading | None] = []
        self.errors: list[UnreadableError | None] = []
        self.texts = written_out([f.latex for f in source.formulas])
        for k in range(len(source.formulas)):
            try:
                latex = expand(self._continued(k), source.macros)
                self.readings.append(read_formula(latex))
                self.errors.append(None)
            except UnreadableError as error:
                self.readings.append(None)
                self.errors.append(error)
        if any(_IMPLICIT.search(f"{f.before} {f.after}") for f in source.formulas):
            self.readings = [with_sums(r) if r is not None else None for r in self.readings]
        self.readings = with_times(self.readings)
        words = told(source.formulas, self.readings)
        self.readings, self.inside = words.readings, words.inside
        self.scopes = Scopes(source.formulas, self.readings, words.naming)
        self.vocabulary = self.scopes.whole
        self.explicit = tongues.are_total(self.scopes.prose)
        self.definitions: dict[Key, tuple[Entry, Any]] = {}
        # gradients of which the document says what they are: the label, by what, in which way
        self.sure: dict[str, tuple[str, str]] = {}
        self.bounds: list[s.Relation] = []  # ranges of numbers, 0 < α < 1
        self.unsettled: set[str] = set()  # and those of which it says what was not understood
        self.by_value = standing.speaks_by_value(self.vocabulary)
        self.networks = Networks(self.scopes, model)
        self.notes: list[str] = list(source.notes)

    def _continued(self, k: int) -> str:
        """A formula; one that begins with = goes on from the display before it."""
        formulas = self.source.formulas
        latex = self.texts[k]
        if k and formulas[k].display and _CONTINUES.match(latex):
            before = next((r for r in reversed(self.readings) if r is not None), None)
            node = before.statements[0].node if before is not None and before.statements else None
            if before is not None and isinstance(node, s.Relation):
                # numbers go on from the last ones, anything else from what it is all about
                numbers = is_computed(node.sides[-1], before.latex)
                side = node.sides[-1 if numbers else 0]
                left = before.latex[side.start : side.end].replace("&", "" if not numbers else "&")
                return f"{left} {latex}"
        return latex

    def run(self, progress: Callable[[int, int], None] | None = None, guard: bool = False) -> Audit:
        """The audit of all formulas."""
        findings: list[Finding] = []
        total = len(self.source.formulas)
        with self._asking(guard) as ask:
            for k in range(total):
                findings.append(ask(k))
                if progress is not None:
                    progress(k + 1, total)
            for k in asked_too_early(findings):
                findings[k] = ask(k)
        findings = slips.found(findings, self.source.formulas, self.readings)
        main = self.networks.of_model() if self.model is not None else self.scopes.so_far(total)
        for built in [b for b in (main, *self.scopes.order) if b is not None]:
            self.notes += [n for n in built.notes if n not in self.notes]
        model = self.model.name if self.model is not None else ""
        equations: tuple[str, ...] = ()
        if main is not None and main.net is not None:
            equations = tuple(e.text for e in main.net.source)
            model = model or "from the document's own equations"
        needs = main is None or main.net is None
        if needs:
            model = "none: no forward equations were found; give --model"
        return Audit("", model, tuple(findings), tuple(self.notes), equations, 0.0, needs)

    @contextmanager
    def _asking(self, guard: bool) -> Iterator[Callable[[int], Finding]]:
        """What judges formula k: here, or in a worker that is replaced if it dies."""

        def lost(k: int, why: str) -> Finding:
            formula = self.source.formulas[k]
            return Finding(
                formula.line, formula.display, formula.latex, CLAIM, UNKNOWN, message=why,
                cell=formula.cell,
            )  # fmt: skip

        def here(k: int) -> Finding:
            try:
                return self._formula(k)
            except Exception as error:  # a fault of ours takes no other verdict with it
                return lost(k, f"{OWN_ERROR}: {type(error).__name__}")

        if not guard:
            yield here
            return

        def defines(answer: Any) -> bool:  # what later formulas build on
            return answer["role"] == DEFINES or answer["message"].startswith(OPEN)

        with Guard(lambda k: asdict(self._formula(k)), self.seconds, lasting=defines) as worker:

            def ask(k: int) -> Finding:
                try:
                    answer = worker(k)
                except LostError as error:
                    return lost(k, str(error))
                return Finding(**{**answer, "relations": tuple(answer["relations"])})

            yield ask

    # ---- formulas ------------------------------------------------------------------------

    def _formula(self, k: int) -> Finding:
        formula, reading, error = self.source.formulas[k], self.readings[k], self.errors[k]
        earlier = [f.latex for f in self.source.formulas[:k]]
        formula = replace(formula, before=tongues.without_ranges(formula.before, earlier))
        finding = Finding(formula.line, formula.display, formula.latex, NOTATION, cell=formula.cell)
        if reading is None:
            assert error is not None
            return self._unread(finding, error)
        if r"\partial^" in reading.latex:
            self.explicit = True
        self.end = time.process_time() + self.seconds  # for all its statements, of all networks
        found: list[tuple[str, Verdict | None]] = []
        early = self._said_after(k, reading, formula)
        for statement in reading.statements:
            judged = early.get(id(statement)) or self._statement(k, statement, reading, formula)
            doubtful = judged[0][1] is not None and judged[0][1].verdict != TRUE
            if doubtful and (
                roles.is_supposed(statement, formula.before)
                or (roles.follows(statement) and found and not is_settled(found[-1]))
            ):
                judged = [(INFORMAL, None)]  # a hypothesis, or what is said to follow from one
            elif is_refuted(judged) and tongues.special_case(formula.before, earlier):
                why = "it is claimed of a special case, of which the words tell"
                judged = [(CLAIM, Verdict(finding.latex, UNKNOWN, why))]
            elif is_refuted(judged) and tongues.changes_network(self.scopes.words_before(k)):
                why = "the words before it change the network"
                judged = [(CLAIM, Verdict(finding.latex, UNKNOWN, why))]
            found += judged
        return together(finding, found)

    def _said_after(
        self, k: int, reading: Reading, formula: Any
    ) -> dict[int, list[tuple[str, Verdict | None]]]:
        """The definitions of a formula that stand behind what they are for: A = B S, S = diag(…);
        they are taken first."""
        found: dict[int, list[tuple[str, Verdict | None]]] = {}
        for i, statement in enumerate(reading.statements[1:], 1):
            node = statement.node
            if not isinstance(node, s.Relation) or not isinstance(node.sides[0], s.Symbol):
                continue
            name = node.sides[0]
            if self.vocabulary.table.find(spell(name)) is not None and not self._forward(k, node):
                continue
            uses = [o.symbol.base for st in reading.statements[:i] for o in occurrences(st.node)]
            if name.base in uses:
                judged = self._statement(k, statement, reading, formula)
                if judged[0][0] == DEFINES:
                    found[id(statement)] = judged
        return found

    def _unread(self, finding: Finding, error: UnreadableError) -> Finding:
        relation = any(
            x in finding.latex for x in ("=", r"\leq", r"\le ", r"\neq", "<", ">", r"\approx")
        )
        after = " ".join(finding.latex[error.position : error.position + 20].split())
        message = f"{error.why} (at character {error.position + 1}{f': {after}' if after else ''})"
        if not relation or roles.is_prose(finding.latex):
            return replace(finding, role=INFORMAL, message=message)
        return replace(finding, role=CLAIM, verdict=UNREADABLE, message=message)

    def _statement(
        self, k: int, statement: Statement, reading: Reading, formula: Any
    ) -> list[tuple[str, Verdict | None]]:
        def known(symbol: s.Symbol) -> bool:
            return self.vocabulary.table.find(spell(symbol)) is not None

        role = roles.role(statement, formula.before, formula.display, known, reading.latex)
        node = statement.node
        if role == INFORMAL and roles.may_hold(statement, formula.before):
            likeliest = list(islice(self.networks.candidates(k, node), 1))
            if likeliest:
                verdict = self._judge(k, statement, reading, iter(likeliest), diagnose=False)[1]
                if verdict is not None and verdict.verdict == TRUE:
                    return [(CLAIM, verdict)]
        if role != CLAIM or not isinstance(node, s.Relation):
            if isinstance(node, s.Relation) and roles.is_range(node):
                self.bounds.append(node)
            return [(role, None)]
        forward = self._forward(k, node)
        if forward and len(node.sides) == 2:
            self._enter(k, statement, reading)
            return [(DEFINES, None)]
        candidates = self.networks.candidates(k, node)
        first = next(candidates, None)
        every = chain((first,), candidates) if first is not None else candidates
        return [self._judge(k, statement, reading, iter(every), forward)]

    def _enter(self, k: int, statement: Statement, reading: Reading) -> None:
        """What looks like a forward equation but is none, D_t = diag(f′(z_t)), gives a name."""
        for built in islice(self.networks.candidates(k, statement.node), 1):
            own = {
                self.vocabulary.table.entries[f.key].name
                for f in self.vocabulary.forward
                if f.formula == k and f.key in self.vocabulary.table.entries
            }
            if own & built.lost:
                judged = self._made(k, statement, reading, built)
                judged.table.forget(own & built.lost)
                with suppress(RnnsymError):
                    judged.judge()
                if judged.defined:
                    self._remember(judged.table, judged)

    def _forward(self, k: int, node: s.Relation) -> bool:
        """Whether a relation is one of the equations that networks are made of."""
        own = [f for f in self.vocabulary.forward if f.formula == k]
        return any(f.right is node.sides[1] for f in own) or (bool(own) and bool(rows_of(node)))

    def _judge(
        self,
        k: int,
        statement: Statement,
        reading: Reading,
        candidates: Iterator[Built],
        forward: bool = False,
        diagnose: bool = True,
    ) -> tuple[str, Verdict | None]:
        """The verdict under the first network that makes a claim true; else the plainest one's."""
        formula = self.source.formulas[k]
        likeliest = next(candidates, None)
        if likeliest is None and self._is_about(statement, [Built(None, self.vocabulary.table)]):
            return CLAIM, Verdict(formula.latex, UNKNOWN, "no network: give --model")
        if likeliest is None:
            likeliest = Built(_plain_network(), self.vocabulary.table)
        tried: list[Built] = []
        verdicts: list[Verdict] = []
        refuted: list[tuple[Formula, Verdict]] = []
        for built in chain((likeliest,), candidates):
            tried.append(built)
            judged = self._made(k, statement, reading, built)
            judged.skip_first, judged.thorough = forward, built is likeliest
            verdict = self._verdict(judged, statement, built, k)
            if verdict.verdict == DEFINITION:
                return DEFINES, None
            if verdict.verdict == TRUE and self.scopes.takes_as_given(built, statement.node):
                why = "it is true only if what the document computes elsewhere is given"
                verdict = Verdict(formula.latex, UNKNOWN, why)
            if verdict.verdict == TRUE:
                words = next((n for n in built.notes if n.startswith(SUPPOSED)), "")
                words = next((w for b, w in self.networks.supposed if b is built), words)
                return CLAIM, for_another(verdict, built, likeliest, words)
            if built is self.scopes.completed:
                continue  # what custom has decides nothing against a claim
            if verdict.verdict == FALSE:
                refuted.append((judged, verdict))
            verdicts.append(verdict)
        if not verdicts:
            return CLAIM, Verdict(formula.latex, UNKNOWN, "no network: give --model")
        # false of the likeliest network only, where there was no time for the others, is not false
        undecided = [v for v in verdicts if v.message.startswith("too large")]
        first = (undecided or verdicts)[0]
        known = refuted[0][0].table if refuted else likeliest.table
        if first.verdict == FALSE:
            if self.networks.hangs_on_loss(statement, likeliest) and not self.networks.says_loss():
                why = "what is the loss? no formula gives it"
                first, refuted = Verdict(formula.latex, UNKNOWN, why), []
            elif (
                (
                    standing.names_something(statement)
                    and (standing.redefines(formula.before) or forward)
                )
                or standing.says_what_it_is(statement, likeliest.table)
                or standing.says_a_loss(statement, likeliest.table)
            ):
                return DEFINES, None
            elif standing.assigns(statement, known) or standing.supposes(statement, known):
                return INFORMAL, None
        if first.verdict in (FALSE, UNKNOWN) and standing.renames(statement, known):
            return DEFINES, None
        if first.verdict == FALSE and diagnose:
            first = self._explained(first, refuted)
        if first.verdict == UNREADABLE and "nothing to judge" in first.message:
            return (DEFINES if forward else NOTATION), None
        if first.verdict == UNKNOWN and not self._is_about(statement, tried):
            return INFORMAL, None
        return CLAIM, first

    def _made(self, k: int, statement: Statement, reading: Reading, built: Built) -> Formula:
        """A statement with all that is known of its names, ready to be judged of a network."""
        formula = self.source.formulas[k]
        table = built.table.copy()
        table.said = {**self.vocabulary.table.said, **table.said}
        for key, (entry, definition) in self._usable(built):
            known = table.entries.get(key)
            if known is None or known.name in built.lost:  # no forward equation, but a name
                table.entries[key] = entry
            table.definitions[entry.name] = definition
        sure = {x: m for x, m in self.sure.items() if m[0] in built.net.vectors}
        table.sure |= set(sure)
        table.meant.update(sure)
        tell_inside(self.inside, table, built.net)
        left = max(0.0, self.end - time.process_time())
        after = reading.statements[reading.statements.index(statement) + 1 :]
        under = takewhile(lambda st: is_condition(st.link), after)  # … if |w| < 1
        one = Reading(reading.latex, (statement, *under))
        judged = Formula(formula.latex, one, built.net, table, left, False, (), self.explicit)
        judged.bounds = self.bounds
        judged.anew, judged.pairs_seconds = standing.redefines(formula.before), PAIRS_SECONDS
        return judged

    def _verdict(self, judged: Formula, statement: Statement, built: Built, k: int) -> Verdict:
        """The verdict of one network; "unknown" where it says less than it seems to."""
        try:
            verdict = judged.judge()
        except RnnsymError as error:  # a point of this network cannot be made
            return Verdict(judged.claim, UNKNOWN, str(error))
        if judged.defined:
            self._remember(judged.table, judged)
            self.sure.update({x: judged.table.meant[x] for x in judged.table.sure})
        given = self.model is not None
        # of a network that the user gives it is true all the same
        idle = verdict.verdict == TRUE and verdict.evidence == IDLE
        if idle and not (judged.thorough and (given or judged.says_zero)):
            why = "both sides vanish in the network that was found: nothing can be told"
            return Verdict(judged.claim, UNKNOWN, why)
        unknown = verdict.verdict == UNKNOWN and verdict.message.startswith(OPEN)
        if unknown and standing.says_what_it_is(statement, judged.table):
            self.unsettled |= judged.names(statement.node)
        if verdict.verdict == FALSE:
            open_ = self.unsettled & judged.labels
            if open_:
                why = f"what is ${min(open_)}$? what is said of it was not understood"
                return Verdict(judged.claim, UNKNOWN, why)
            customary = judged.passed_back() or (judged.by_value() if self.by_value else None)
            if customary is not None:
                return customary
            known = self.vocabulary.table.entries
            named = {known[key].name for key in self.definitions if key in known}
            why = standing.why_open(
                statement, built, judged.table, k, verdict.message, given, named
            )
            why = why or standing.of_few_steps(self.vocabulary, judged)
            return Verdict(judged.claim, UNKNOWN, why) if why else verdict
        return verdict

    def _explained(self, first: Verdict, refuted: list[tuple[Formula, Verdict]]) -> Verdict:
        """A refutation with what explains it, by whichever network; where it is not sure which one
        is meant, only what a small error explains is false."""
        told, doubtful = [first], self.networks.is_doubtful()
        notes = [n for b in self.scopes.order for n in b.notes]
        of_a_step = any(n.startswith(OF_A_STEP) for n in notes)
        for judged, verdict in refuted[:MAX_EXPLAINED]:
            if doubtful:  # two changes make one network's formulas of another's
                judged.pairs_seconds = 0.0
            told.append(judged.explained(verdict))
            # of A = B = C, where A = B holds of this loss, it is the loss that is meant
            first_side = judged.refuted is not None and judged.refuted[1] is judged.pairs[0]
            why = standing.of_one_step(told[-1].diagnosis, judged.table) if first_side else ""
            if not why and not self.networks.tells_loss():
                why = standing.needs_steps(judged.latex, told[-1].correction, judged.table)
            if why:
                return Verdict(first.claim, UNKNOWN, why)
            # shapes that do not fit may be due to a network that was made of single steps
            if told[-1].correction and not (of_a_step and "a matrix (" in verdict.message):
                return told[-1]
        first = told[1] if len(told) > 1 else first
        if first.verdict == FALSE and doubtful:
            why = first.message.removeprefix("false under every reading: ")
            text = (
                f"it does not hold for the network that was found ({why}), and no small change does"
            )
            return Verdict(first.claim, UNKNOWN, f"{text}: is it of another one? See --model")
        return first

    def _is_about(self, statement: Statement, candidates: list[Built]) -> bool:
        """Whether a relation speaks of what a network computes, and not of numbers and weights."""
        known = {"vector", "gradient", "definition"}
        for o in occurrences(statement.node):
            for built in candidates:
                found = built.table.find(o.spelled)
                if found is None or found.entry.kind not in known:
                    continue
                timeless = found.entry.name in (*built.table.timeless, "L")
                if found.time is not None or timeless or found.entry.kind != "vector":
                    return True
        return False

    def _usable(self, built: Built) -> list[tuple[Key, tuple[Entry, Any]]]:
        """The definitions of which a network has everything that they speak of."""
        names = {*built.net.vectors, *built.net.parameters, "L"}
        kept = dict(self.definitions)
        while True:
            own = {*built.table.definitions, *(e.name for e, _ in kept.values())}
            bad = [k for k, (_, d) in kept.items() if not standing.has_meaning(d.body, names, own)]
            if not bad:
                return list(kept.items())
            for k in bad:
                del kept[k]

    def _remember(self, table: Table, judged: Formula) -> None:
        for key, entry in table.entries.items():
            if entry.kind == "definition" and entry.name in judged.defined_names:
                self.definitions[key] = entry, table.definitions[entry.name]


def _plain_network() -> Any:
    """A network for formulas that are about functions alone."""
    return maker()("h[t] = tanh(W @ h[t-1] + U @ x[t])", "y_hat[t] = softmax(V @ h[t])")
