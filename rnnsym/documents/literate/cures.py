"""Requests about what helps, clipping and truncation; and the errata of the post.

Registers with `requests`, beside `topics`, which has the trouble itself, and `shortcuts`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from sympy import Symbol

from rnnsym.documents.content import Block, Bullets, Display, Heading, Paragraph, Row, Styled, Table
from rnnsym.documents.literate.plain import prose, shown
from rnnsym.documents.literate.proofs_requests import show
from rnnsym.documents.literate.requests import Ask, request
from rnnsym.documents.literate.topics import given
from rnnsym.documents.plots import Series, lines
from rnnsym.errors import InputError
from rnnsym.nodes import Total

# ---- truncation ------------------------------------------------------------------------------


@request("truncation", "truncation NAME K [model=NAME]", arguments=2)
def truncation(ask: Ask) -> Iterator[Block]:
    """The gradient as what chunks of K steps compute, and the exact remainder."""
    return _shown(ask, *ask.arguments)


@request("window", "window NAME K1 K2 [model=NAME]", arguments=3)
def window(ask: Ask) -> Iterator[Block]:
    """The same for a window that is moved by K1 steps and reaches K2 steps back."""
    return _shown(ask, *ask.arguments)


def _shown(ask: Ask, name: str, *window: str) -> Iterator[Block]:
    numbers = (int(text) if text.isdecimal() else text for text in window)
    derivation = ask.net.truncation(name, *numbers)
    return show(ask, derivation, derivation.check())


@request("reach", "reach chunk=K T=N [model=NAME]", options=("chunk", "T"))
def reach(ask: Ask) -> Iterator[Block]:
    """Which losses see which inputs, where derivatives do not leave a chunk."""
    from rnnsym.errata import reach as found_by

    chunk, steps = ask.whole("chunk"), ask.whole("T")
    found = found_by(ask.net.name, chunk, steps)
    inside = all(
        cut == ((a - 1) // chunk == (b - 1) // chunk) for (a, b), (_, cut) in found.items()
    )
    ask.evidence.also(all(full for full, _ in found.values()),
                      f"without truncation none of {len(found)} derivatives of a loss by an "
                      f"earlier input is zero, in the field of 2^61 - 1 elements")  # fmt: skip
    ask.evidence.also(inside, f"in chunks of {chunk} those are exactly zero, and only those, "
                      f"whose steps lie in different chunks")  # fmt: skip
    rows = [
        [(f"t = {a}",), *(((("✓",) if found[a, b][1] else ("0",)) if b < a else ("",))
                          for b in range(1, steps))]
        for a in range(2, steps + 1)
    ]  # fmt: skip
    header = [("",), *((f"k = {b}",) for b in range(1, steps))]
    yield Table(header, rows, "l" + "c" * (steps - 1), (
        "Whether ", Total(ask.net.loss, ask.net.vectors["x"].at(Symbol("k", integer=True))),
        f" is exactly zero in chunks of {chunk}; without them no entry is",
    ))  # fmt: skip


@request("bias", "bias NAME T=N [n=N] [seed=N] [model=NAME]: K, …", options=("T", "n", "seed"),
         arguments=1, sections=True)  # fmt: skip
def bias(ask: Ask) -> Iterator[Block]:
    """How far the truncated gradient is from the gradient, against the length of the chunks."""
    from rnnsym.remedies.truncation import bias as measured

    if not all(s.isdecimal() and int(s) > 0 for s in ask.sections) or not ask.sections:
        raise InputError("after the colon, numbers of steps in a chunk were expected")
    chunks, steps = [int(s) for s in ask.sections], ask.whole("T")
    point = given(ask, ask.net)
    (name,) = ask.arguments
    found = measured(ask.net.name, chunks, steps, point.get("sizes"), point["seed"], name)
    yield lines(
        [Series("distance", chunks, [b.distance for b in found]),
         Series("1 − cosine", chunks, [max(0.0, 1 - b.cosine) for b in found])],
        x="steps in a chunk, K", y="error of the truncated gradient", log=True,
        caption=("The truncated gradient by ", ask.net.parameters[name], " against the gradient, "
                 f"T = {steps}: the distance, relative to the gradient's length, and 1 − the "
                 "cosine of the angle between them"), notation=ask.notation, names=ask.names,
    )  # fmt: skip
    last = found[-1]
    if last.chunk >= steps:
        ask.evidence.also(last.distance == 0.0, "with a chunk as long as the sequence the "
                          "truncated gradient is the gradient")  # fmt: skip


@request("costs", "costs T=N chunk=K every=K1 back=K2", options=("T", "chunk", "every", "back"))
def costs(ask: Ask) -> Iterator[Block]:
    """What full, chunked and windowed backpropagation do on one sequence."""
    from rnnsym.remedies.truncation import costs as counted

    found = counted(*(ask.whole(key) for key in ("T", "chunk", "every", "back")))
    rows = [[(c.title,), *((f"{v}",) for v in (c.steps, c.kept, c.updates))] for c in found]
    header = ("backward pass", "steps carried back", "steps kept at once", "updates")
    yield Table([(h,) for h in header], rows, "lrrr", (f"On a sequence of {ask.whole('T')} steps",))


# ---- clipping --------------------------------------------------------------------------------


@request("clipping picture", "clipping picture")
def clipping_picture(ask: Ask) -> Iterator[Block]:
    """The direction after clipping against the direction before, for a gradient of two entries."""
    from rnnsym.remedies import clip_by_group, clip_by_norm, clip_by_value

    angles = list(range(0, 91, 3))
    ways = {
        "by the norm": lambda g: clip_by_norm(g, 1.0)[0],
        "by value": lambda g: clip_by_value(g, 1.0)[0],
        "one part only": lambda g: clip_by_group(g, {"u": 1.0})[0],
    }
    series = []
    for name, clip in ways.items():
        after = []
        for angle in angles:
            turned = math.radians(angle)
            done = clip(
                {"u": np.array([3 * math.cos(turned)]), "v": np.array([3 * math.sin(turned)])}
            )
            after.append(math.degrees(math.atan2(done["v"][0], done["u"][0])))
        series.append(Series(name, angles, after))
    kept = max(abs(a - b) for a, b in zip(angles, series[0].ys, strict=True))
    ask.evidence.also(kept < 1e-9, f"clipping by the norm turns none of {len(angles)} gradients of "
                      f"length 3, threshold 1 (by at most {kept:.0e} degrees)")  # fmt: skip
    yield lines(
        series, x="direction before, in degrees", y="direction after",
        caption=("A gradient of two entries and length 3, threshold 1: clipping by the norm keeps "
                 "its direction, the other ways do not",),
    )  # fmt: skip


# ---- errata ----------------------------------------------------------------------------------


@request("erratum", "erratum NAME", arguments=1)
def erratum(ask: Ask) -> Iterator[Block]:
    """A place where the post is wrong or ambiguous, with the evidence."""
    from rnnsym.errata import erratum as made

    found = made(ask.arguments[0])
    yield Heading(max(2, ask.level + 1), (found.title,))
    yield Paragraph((f"{found.place}: ", Styled(found.verdict, "strong"), ". ", *prose(found.why)))
    for words, statements in (
        ("Printed", found.printed),
        ("What that comes to", found.instead),
        ("Meant", found.meant),
    ):
        if statements:
            yield Paragraph((f"{words}:",))
            yield Display([
                Row(None if s.left is None else shown(s.left), s.relation, shown(s.right))
                for s in statements
            ])  # fmt: skip
    yield Bullets([(*prose(f.text), ".") for f in found.evidence])
    good = sum(f.ok for f in found.evidence)
    ask.evidence.also(found.ok, f"{found.title}: {good} of {len(found.evidence)} pieces of "
                      f"evidence bear out the verdict")  # fmt: skip


@request("errata", "errata")
def errata(ask: Ask) -> Iterator[Block]:
    """All of them as a table."""
    from rnnsym.errata import errata as all_of_them

    rows = [[(e.title,), (e.place,), (e.verdict,)] for e in all_of_them()]
    yield Table([("what",), ("section of the post",), ("verdict",)], rows)
