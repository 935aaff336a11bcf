"""What a flow comes to, in words, numbers and documents.

Takes `Flow`s; gives text for a terminal, plain data for JSON, a table, a `content.Document`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rnnsym.documents import files
from rnnsym.documents.content import (
    Bullets,
    Display,
    Document,
    Heading,
    Paragraph,
    Prose,
    Row,
    Table,
)
from rnnsym.documents.html import escape
from rnnsym.documents.plots import png
from rnnsym.documents.terminal import prose as as_text
from rnnsym.errors import InputError, NotSupportedError
from rnnsym.flow.flow import Flow
from rnnsym.flow.pictures import (
    MOST_LINES,
    compare,
    decay,
    derivative,
    heat,
    names,
    notation,
    picture,
)
from rnnsym.latex import TextPrinter

#: pictures by themselves; every other suffix is that of a document
PICTURES = (".svg", ".png")


def norms_table(flow: Flow, most: int = 12) -> Table:
    """Norms of the terms, a row for each t and a column for each k, at most `most` of each."""
    rows, columns = (_some(len(n), most) for n in (flow.losses, flow.uses))
    several = len({u.sequence for u in flow.uses}) > 1
    header = [f"{u.sequence}:{u.time}" if several else str(u.time) for u in flow.uses]
    cells: list[list[Prose]] = [
        [(str(flow.losses[i]),), *((_number(flow, i, j),) for j in columns)] for i in rows
    ]
    return Table(
        [("t ↓ k →",), *((header[j],) for j in columns)],
        cells,
        "r" * (1 + len(columns)),
        ("Norms of the terms of ", derivative(flow)),
    )


def _some(count: int, most: int) -> list[int]:
    """At most `most` of the places 0 … count - 1, the first and the last among them."""
    if count <= most:
        return list(range(count))
    return sorted({round(i * (count - 1) / (most - 1)) for i in range(most)})


def _number(flow: Flow, i: int, j: int) -> str:
    return _written(flow.norms[i, j], 1) if flow.distances[i, j] >= 0 else ""


def _written(value: float, digits: int) -> str:
    """A number that no line is broken in."""
    return f"{value:.{digits}e}".replace("-", "−")


def decay_table(flow: Flow, most: int = 16) -> Table:
    """The largest and the median norm at each distance."""
    found = flow.by_distance()
    limits = flow.bound_at(found.distance)
    bounded = bool(flow.constant)
    rows: list[list[Prose]] = []
    for i in _some(len(found.distance), most):
        numbers = [found.largest[i], found.median[i], *([limits[i]] if bounded else [])]
        row = [f"{found.distance[i]:g}", *(_written(v, 3) for v in numbers)]
        rows.append([(cell,) for cell in row])
    header: list[Prose] = [("t − k",), ("largest",), ("median",)]
    header += [("bound",)] if bounded else []
    return Table(header, rows, "r" * len(header), ("Norms against the distance",))


def facts(flow: Flow) -> list[Prose]:
    """What a flow comes to: the rate, the bound or why there is none, the exponents."""
    found: list[Prose] = []
    if flow.rate is not None:
        word = "shrinks" if flow.rate < 1 else "enlarges"
        found.append((f"each step between use and loss {word} the median term by a factor of "
                      f"{flow.rate:.4g}",))  # fmt: skip
    bound = flow.bound
    if bound is not None:
        verdict = "they must vanish" if bound.rate < 1 else "they may explode, and need not"
        found.append((
            "a product of t − k Jacobians has norm at most (γ σ_max)^(t−k) = "
            f"{bound.rate:.4g}^(t−k), with γ = {bound.gamma:g} and σ_max = {bound.sigma:.4g} of ",
            bound.weight,
            f": {verdict}; its spectral radius is {bound.radius:.4g}",
        ))  # fmt: skip
    else:
        found.append((f"no bound (γ σ_max)^(t−k) here: {flow.uncovered}",))
    if flow.lyapunov is not None:
        low, high = flow.lyapunov.exponents[-1], flow.lyapunov.largest
        found.append((
            f"the Lyapunov exponents of {flow.lyapunov.state} over {flow.lyapunov.steps} steps lie "
            f"between {low:.4g} and {high:.4g}: a long product changes by a factor of "
            f"{math.exp(high):.4g} a step, along the direction that lasts longest",
        ))  # fmt: skip
    return found


def checked(flow: Flow) -> list[Prose]:
    """What was checked, with the outcome."""
    return [(f"{'✓' if c.ok else '✗ fails:'} {c.name} ({c.detail})",) for c in flow.checks]


def summary(flow: Flow) -> str:
    """A few lines for a terminal."""
    printer = TextPrinter(*notation(flow).values())
    sizes = ", ".join(
        f"{k} = {v}" for k, v in {**flow.setting.lengths, **flow.setting.sizes}.items()
    )
    lines = [f"{flow.net.name}: contributions to dL⟨t⟩/d{flow.wrt}, {sizes}"]
    for item in (*facts(flow), *checked(flow)):
        lines.append("  " + as_text(item, printer))
    return "\n".join(lines)


def document(flows: Sequence[Flow]) -> Document:
    """A page: the comparison where there are several flows, and a section for each of them."""
    several = len(flows) > 1
    blocks: list[Any] = [Paragraph((
        "The gradient of the loss of one step is a sum over the steps at which the parameter is "
        "used; the picture shows how much each of them adds. Terms far from the loss vanish where "
        "the Jacobians in between shorten what passes through them, and explode where they "
        "lengthen it.",
    ))]  # fmt: skip
    if several:
        blocks += [Heading(2, ("Side by side",)), compare(flows)]
    for flow, name in zip(flows, names(flows), strict=True):
        if several:
            blocks.append(Heading(2, (name,)))
        blocks += section(flow)
    title = "How gradients flow in " + ", ".join(dict.fromkeys(f.net.name for f in flows))
    chosen = notation(flows[0])
    same = all(notation(f) == chosen for f in flows)
    return Document((title,), blocks, *(chosen.values() if same else ()))


def section(flow: Flow) -> list[Any]:
    """The blocks of one flow."""
    blocks: list[Any] = []
    t, k = flow.losses[-1], max(flow.losses[-1] - 2, flow.uses[0].time)
    try:
        term = flow.symbolic(t, k, flow.uses[0].sequence)
        blocks += [
            Paragraph((f"The term of t = {t} and k = {k}, as it was derived:",)),
            Display([Row(None, "", term)]),
        ]
    except NotSupportedError as error:
        blocks.append(Paragraph((f"{error}.",)))
    blocks += [
        heat(flow),
        decay(flow),
        Bullets(facts(flow)),
        decay_table(flow),
        norms_table(flow, 8),
    ]
    return [*blocks, Paragraph(("What was checked:",)), Bullets(checked(flow))]


def pairs(nets: Sequence[Any], wrt: Sequence[str]) -> list[tuple[Any, str | None]]:
    """Which flows are asked for: one parameter for all networks, one for each of them, or several
    of a single network. Raises InputError where they do not match, or are too many."""
    if not wrt:
        found: list[tuple[Any, str | None]] = [(net, None) for net in nets]
    elif len(nets) == 1 or len(wrt) == 1:
        found = [(net, name) for net in nets for name in wrt]
    elif len(nets) == len(wrt):
        found = list(zip(nets, wrt, strict=True))
    else:
        raise InputError(f"{len(wrt)} parameters for {len(nets)} models: give one, or one each")
    if len(found) > MOST_LINES:
        raise InputError(f"{len(found)} flows side by side: choose at most {MOST_LINES}")
    return found


def check_path(path: str | Path) -> None:
    """Raises InputError for a suffix that no picture and no document has, or a missing folder."""
    suffix = Path(path).suffix
    if suffix not in (*PICTURES, *files.FORMATS):
        known = ", ".join((*PICTURES, *files.FORMATS))
        raise InputError(f"{path}: unknown format {suffix!r}; choose from {known}")
    if not Path(path).parent.is_dir():
        raise InputError(f"cannot write {path}: the folder {Path(path).parent} does not exist")


def save(flows: Sequence[Flow], path: str | Path) -> Path:
    """Write the picture of flows, or the document, by the suffix of the path.

    Raises InputError as `check_path` does, UnavailableError where a form needs something that is
    not installed.
    """
    check_path(path)
    if Path(path).suffix not in PICTURES:
        return files.save(document(flows), path)
    svg = picture(flows).svg
    return files.write(path, png(svg) if Path(path).suffix == ".png" else svg)


def as_json(flow: Flow) -> dict[str, Any]:
    """Numbers only; None for what is not there or not finite."""
    found, bound = flow.by_distance(), flow.bound
    return {
        "model": flow.net.name,
        "wrt": flow.wrt,
        "lengths": flow.setting.lengths,
        "sizes": flow.setting.sizes,
        "losses": list(flow.losses),
        "uses": [{"sequence": u.sequence, "step": u.time} for u in flow.uses],
        "norms": [[_plain(v) for v in row] for row in flow.norms],
        "distances": [[None if d < 0 else int(d) for d in row] for row in flow.distances],
        "by_distance": {
            "distance": [int(d) for d in found.distance],
            "largest": [_plain(v) for v in found.largest],
            "median": [_plain(v) for v in found.median],
        },
        "rate": None if flow.rate is None else _plain(flow.rate),
        "bound": None if bound is None else {
            "weight": TextPrinter()(bound.weight), "gamma": bound.gamma,
            "sigma_max": bound.sigma, "spectral_radius": bound.radius, "rate": bound.rate,
            "constant": flow.constant,
        },
        "no_bound_because": flow.uncovered or None,
        "lyapunov": None if flow.lyapunov is None
        else [_plain(v) for v in flow.lyapunov.exponents],
        "checks": [{"name": c.name, "ok": c.ok, "detail": c.detail} for c in flow.checks],
        "ok": flow.ok,
    }  # fmt: skip


def _plain(value: Any) -> float | None:
    return float(value) if math.isfinite(value) else None


def notebook_html(flow: Flow) -> str:
    """Both pictures and what they come to, for a notebook."""
    pictures = "".join(f"<figure>{figure.svg}</figure>" for figure in (heat(flow), decay(flow)))
    words = "\n".join(map(escape, summary(flow).splitlines()))
    return f"<div>{pictures}<pre>{words}</pre></div>"
