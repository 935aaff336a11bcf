"""Requests about vanishing and exploding gradients, and what is proved of them.

Registers with `requests`: flows of gradients, Lyapunov exponents, statements with their proofs,
counterexamples, stored results of training. `cures` has those about the remedies.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from sympy import Eq

from rnnsym.documents.content import Block, Bullets, Display, Paragraph, Row, Styled, Table
from rnnsym.documents.literate.plain import shown
from rnnsym.documents.literate.requests import Ask, request
from rnnsym.documents.plots import Series, lines
from rnnsym.errors import InputError

#: the sum of the exponents and the mean of log |det J| are two ways to one number
TOLERANCE = 1e-9


def number(ask: Ask, key: str) -> float | None:
    """An option that is a number, if it is there. Raises InputError if it is none."""
    text = ask.options.get(key)
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{key}={text}: a number was expected")
    return value


def given(ask: Ask, net: Any) -> dict[str, Any]:
    """The point at which numbers are computed: sizes of the states, scale, seed."""
    seed = ask.options.get("seed", "0")
    if not seed.isdecimal():
        raise InputError(f"seed={seed}: a whole number was expected")
    found: dict[str, Any] = {"seed": int(seed)}
    if "n" in ask.options:
        size = ask.whole("n")
        states = {s.name for v in net.states.values() for s in v.rows.free_symbols}
        found["sizes"] = dict.fromkeys(sorted(states), size)
    for key in ("sigma", "radius"):
        if key in ask.options:
            found[key] = number(ask, key)
    return found


def note(ask: Ask, flow: Any) -> None:
    """Note what was checked of a flow, unless that is done."""
    text = "; ".join(f"{check.name} ({check.detail})" for check in flow.checks)
    outcome = flow.ok, (f"{flow.net.name}: {text}",)
    if outcome not in ask.evidence.others:
        ask.evidence.also(outcome[0], *outcome[1])


def title(name: str) -> Styled:
    """The name of a statement at the beginning of a sentence; a Greek letter stays as it is."""
    return Styled(name[0].upper() + name[1:] if name[0].isascii() else name, "strong")


POINT = ("T", "n", "seed", "sigma", "radius")
PARTS = ("term", "map", "decay", "table", "facts")


@request(
    "flow", "flow NAME [T=N] [n=N] [seed=N] [sigma=X] [radius=X] [model=NAME][: PART, …]",
    options=POINT, arguments=1, sections=True,
)  # fmt: skip
def flow(ask: Ask) -> Iterator[Block]:
    """What the use of a parameter at each step adds to the gradient of each loss."""
    from rnnsym.flow.report import decay_table, facts

    wanted = list(ask.sections) or ["map", "decay", "facts"]
    for part in wanted:
        if part not in PARTS:
            raise InputError(f"no part {part!r} of a flow; there are {', '.join(PARTS)}")
    found = ask.net.flow(ask.arguments[0], ask.whole("T", 30), **given(ask, ask.net))
    note(ask, found)
    for part in wanted:
        if part == "term":
            t, k = found.losses[-1], max(found.losses[-1] - 2, found.uses[0].time)
            yield Paragraph((f"The term of t = {t} and k = {k}:",))
            yield Display([Row(None, "", found.symbolic(t, k, found.uses[0].sequence))])
        elif part == "facts":
            yield Bullets([(*fact, ".") for fact in facts(found)])
        elif part == "table":
            yield decay_table(found, 8)
        else:
            yield found.heat_map() if part == "map" else found.decay()


@request(
    "flows", "flows T=N [n=N] [seed=N] [sigma=X] [radius=X]: MODEL, …",
    options=POINT, sections=True,
)  # fmt: skip
def flows(ask: Ask) -> Iterator[Block]:
    """Several models side by side."""
    from rnnsym.flow import compare

    found = []
    for net in _models(ask):
        one = net.flow(None, ask.whole("T", 30), **given(ask, net))
        found.append(one)
        note(ask, one)
    yield compare(found)
    rows = []
    for one in found:
        largest = one.by_distance().largest
        bound = one.bound
        rows.append([
            (Styled(one.net.name, "code"),), (one.net.parameters[one.wrt],),
            (f"{largest[0]:.2g}",), (f"{largest[len(largest) // 2]:.1e}",), (f"{largest[-1]:.1e}",),
            (f"{one.rate:.3g}",), (f"{bound.rate:.3g}" if bound else "none",),
        ])  # fmt: skip
    far = len(found[0].by_distance().largest) - 1
    header = ("network", "weight", "at 0 steps", f"at {(far + 1) // 2}", f"at {far}",
              "a step (median)", "bound a step")  # fmt: skip
    yield Table([(h,) for h in header], rows, "ll" + "r" * 5)


def _models(ask: Ask) -> list[Any]:
    from rnnsym.api import model

    if not ask.sections:
        raise InputError("name the models after a colon")
    return [model(spec) for spec in ask.sections]


@request(
    "lyapunov", "lyapunov T=N [n=N] [seed=N] [sigma=X] [radius=X]: MODEL, …",
    options=POINT, sections=True,
)  # fmt: skip
def lyapunov(ask: Ask) -> Iterator[Block]:
    """The exact rates of Jacobian products, a row for each model."""
    from rnnsym.flow import lyapunov as exponents

    rows, ok, sums = [], True, []
    for net in _models(ask):
        found = exponents(net, ask.whole("T", 1000), **given(ask, net))
        total = float(found.exponents.sum())
        ok = ok and abs(total - found.mean_log_det) <= TOLERANCE * max(1.0, abs(total))
        sums.append(f"{found.mean_log_det:.6g} for {net.name}")
        rows.append([
            (Styled(net.name, "code"),), (f"{len(found.exponents)}",), (f"{found.largest:.4f}",),
            (f"{found.rates[0]:.4f}",), (f"{found.exponents[-1]:.3f}",),
        ])  # fmt: skip
    ask.evidence.also(ok, f"the Lyapunov exponents add up to the mean of log |det J|: "
                      f"{', '.join(sums)}")  # fmt: skip
    header = ("network", "exponents", "largest λ", "e^λ, a step", "smallest λ")
    yield Table([(h,) for h in header], rows, "lrrrr")


# ---- what is proved --------------------------------------------------------------------------


@cache
def _records(topic: str) -> tuple[Any, ...]:
    from rnnsym.flow.bounds import properties as of_flow
    from rnnsym.remedies import properties as of_clipping

    topics: dict[str, Callable[[], Sequence[Any]]] = {"flow": of_flow, "clipping": of_clipping}
    if topic not in topics:
        raise InputError(f"nothing is proved of {topic!r}; choose from {', '.join(topics)}")
    return tuple(topics[topic]())


def chosen(records: Sequence[Any], words: Sequence[str]) -> list[Any]:
    """The records whose names hold the words, in the order asked for; all of them without words.

    Raises InputError for words that stand in no name, or in several.
    """
    if not words:
        return list(records)
    result = []
    for some in words:
        found = [r for r in records if r.name == some] or [r for r in records if some in r.name]
        if len(found) != 1:
            known = "; ".join(r.name for r in records)
            raise InputError(f"{some!r} is the name of {len(found)} statements; there are {known}")
        result += found
    return result


@request("statements", "statements TOPIC [brief]: NAME, …", arguments=1, flags=("brief",),
         sections=True)  # fmt: skip
def statements(ask: Ask) -> Iterator[Block]:
    """What is proved, with the proof; brief: the claims alone."""
    (topic,) = (a for a in ask.arguments if a != "brief")
    brief = "brief" in ask.arguments
    items = []
    for p in chosen(_records(topic), ask.sections):
        ask.evidence.also(p.ok, f"{p.name}: {p.check}")
        head = title(p.name)
        if brief:
            items.append((head, ": ", shown(p.claim), "."))
            continue
        yield Paragraph((head, ". ", shown(p.claim), ". Proof:"))
        yield Bullets([(shown(e), ": ", why, ".") for e, why in p.proof])
    if items:
        yield Bullets(items)


@request("counterexamples", "counterexamples: NAME, …", sections=True)
def counterexamples(ask: Ask) -> Iterator[Block]:
    """What does not hold, with the smallest integers that show it."""
    from rnnsym.remedies import counterexamples as all_of_them

    for c in chosen(all_of_them(), ask.sections):
        ask.evidence.also(c.ok, f"{c.name}: {c.search}; computed again: {c.check}")
        head = title(c.name)
        values: list[Any] = []
        for symbol, value in c.values:
            values += [", " if values else "", shown(Eq(symbol, value, evaluate=False))]
        steps: list[Any] = []
        for relation, what in c.evaluation:
            steps += ["; " if steps else "", what, ": ", shown(relation)]
        yield Paragraph(
            (
                head,
                ". It is not so that ",
                shown(c.claim),
                ": take ",
                *values,
                "; then ",
                *steps,
                ".",
            )
        )


# ---- measured --------------------------------------------------------------------------------


def stored(path: Path) -> dict[str, Any]:
    """Stored results.

    Raises InputError if they are not there, or not what `python -m rnnsym.experiments` writes.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise InputError(f"{path}: there are no stored results of that name") from None
    except ValueError as error:
        raise InputError(f"{path}: no JSON: {error}") from None
    if not {"command", "results"} <= set(found):
        raise InputError(f"{path}: 'command' and 'results' are missing")
    return dict(found)


@request("memory", "memory task=NAME results=FILE", options=("task", "results"))
def memory(ask: Ask) -> Iterator[Block]:
    """Gradient norms before and after training, as they were stored."""
    record = stored(ask.folder / ask.options.get("results", ""))
    task = ask.options.get("task", "")
    if task not in record["results"]:
        raise InputError(f"no results of the task {task!r}: {', '.join(record['results'])}")
    runs = record["results"][task]
    s, first = runs[0]["settings"], runs[0]
    yield Paragraph((
        f"Sequences of {first['steps']} steps, states of {s['n_a']} entries, {s['updates']} "
        f"updates of {s['batch']} sequences with {s['optimizer'].capitalize()} at a "
        f"rate of {s['rate']:g}, gradients clipped at norm {s['threshold']:g}, seed "
        f"{first['seed']}. Without memory the best loss is {first['baseline']:.4f}. The command ",
        Styled(record["command"], "code"),
        " makes these numbers.",
    ))  # fmt: skip
    for which, words in ((0, "before training"), (-1, "after training")):
        series = [Series(r["title"], range(first["steps"]), _back(r["looks"][which])) for r in runs]
        yield lines(
            series, x="steps back from the answer", y="norm of the gradient", log=True,
            caption=(f"The gradient of the last loss by the state, {words}",),
        )  # fmt: skip
    rows = [
        [(r["title"],), (f"{r['parameters']}",), (f"{r['looks'][0]['loss']:.3f}",),
         (f"{r['looks'][-1]['loss']:.4f}",), (f"{_clipped(r):.0%}",),
         *((f"{_back(r['looks'][i])[-1]:.1e}",) for i in (0, -1))]
        for r in runs
    ]  # fmt: skip
    far = first["steps"] - 1
    header = ("network", "parameters", "loss before", "after", "clipped", f"{far} back, before",
              "after")  # fmt: skip
    yield Table([(h,) for h in header], rows, "l" + "r" * 6)


def _back(look: dict[str, Any]) -> list[float]:
    """The norms of the gradient by all states together, from the last step backwards."""
    return [math.hypot(*step) for step in zip(*look["flow"].values(), strict=True)][::-1]


def _clipped(run: dict[str, Any]) -> float:
    return sum(n > run["settings"]["threshold"] for n in run["norms"]) / len(run["norms"])
