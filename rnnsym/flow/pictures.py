"""Pictures of a flow: heat maps over t and k, norms against the distance, several side by side.

Takes `Flow`s, gives `content.Figure`s (SVG, TikZ, text).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

from rnnsym.documents.content import Figure, Prose
from rnnsym.documents.plots import Series, heat_map, lines
from rnnsym.documents.scales import SERIES
from rnnsym.errors import InputError
from rnnsym.flow.flow import Flow
from rnnsym.nodes import Total

#: cells of a heat map each way; with more steps it shows every second one, or every third …
MOST = 120
#: networks in one picture
MOST_LINES = len(SERIES)
GAP, TITLE = 24.0, 30.0
DISTANCE = "steps between use and loss, t − k"


def derivative(flow: Flow) -> Total:
    """dL⟨t⟩/dW, as the calculus writes it."""
    return Total(flow.net.loss, flow.net.parameters[flow.wrt])


def notation(flow: Flow) -> dict[str, Any]:
    """In which notation the labels of a flow are written."""
    return {"notation": flow.net.options.get("notation", "post"),
            "names": flow.net.notations.get(flow.net.options.get("notation", "post"))}  # fmt: skip


def heat(flow: Flow) -> Figure:
    """The norm of each term as a colour: t downwards, k across; nothing where no path leads."""
    down, across = (math.ceil(len(n) / MOST) for n in (flow.losses, flow.uses))
    rows, columns = range(0, len(flow.losses), down), range(0, len(flow.uses), across)
    norms, reached = flow.norms, flow.distances >= 0
    matrix = [[float(norms[i, j]) if reached[i, j] else None for j in columns] for i in rows]
    caption: Prose = (
        "What the use of ", flow.net.parameters[flow.wrt], " at step k adds to ", derivative(flow),
        ", in norm",
    )  # fmt: skip
    if down > 1 or across > 1:
        caption = (*caption, f"; one t in {down} and one k in {across} is shown")
    several = len({use.sequence for use in flow.uses}) > 1
    return heat_map(
        matrix,
        rows=[flow.losses[i] for i in rows],
        columns=[_label(flow.uses[j], several) for j in columns],
        x="step k"
        if len(flow.net.lengths) < 2 or several
        else f"step k of 1 … {flow.uses[0].sequence}",
        y="loss t",
        scale_name="norm of the term",
        caption=caption,
        alt=f"norms of {len(flow.losses)} × {len(flow.uses)} terms, {flow.net.name}",
        **notation(flow),
    )


def _label(use: Any, several: bool) -> str:
    return f"{use.sequence}:{use.time}" if several else str(use.time)


def decay(flow: Flow) -> Figure:
    """The largest and the median norm at each distance, and the bound where there is one."""
    found = flow.by_distance()
    series = [Series("largest", _listed(found.distance), _listed(found.largest)),
              Series("median", _listed(found.distance), _listed(found.median))]  # fmt: skip
    limits = flow.bound_at(found.distance)
    if np.isfinite(limits).any():
        series.append(Series("bound", _listed(found.distance), _listed(limits)))
    return lines(
        series, x=DISTANCE, y="norm of the terms", log=True, **notation(flow),
        caption=("Norms of the terms of ", derivative(flow), " against the distance"),
        alt=f"norms against t − k, {flow.net.name}",
    )  # fmt: skip


def compare(flows: Sequence[Flow]) -> Figure:
    """The largest norm at each distance, a line for each flow, and the bounds where they apply and
    there is room for them. Raises InputError for more flows than can be told apart."""
    if not 1 <= len(flows) <= MOST_LINES:
        raise InputError(f"a picture compares 1 to {MOST_LINES} networks, not {len(flows)}")
    series, bounds = [], []
    for flow, name in zip(flows, names(flows), strict=True):
        found = flow.by_distance()
        series.append(Series(name, _listed(found.distance), _listed(found.largest)))
        limits = flow.bound_at(found.distance)
        if np.isfinite(limits).any():
            bounds.append(Series(f"bound, {name}", _listed(found.distance), _listed(limits)))
    room = MOST_LINES - len(series)
    return lines(
        [*series, *bounds[:room]], x=DISTANCE, y="largest norm of a term", log=True,
        caption=("The largest contribution at each distance", *_left_out(bounds[room:])),
        alt="largest norms against t − k: " + ", ".join(names(flows)),
    )  # fmt: skip


def _left_out(rest: list[Series]) -> Prose:
    return (f"; {len(rest)} bounds are left out",) if rest else ()


def names(flows: Sequence[Flow]) -> list[str]:
    """What the flows are called beside each other: network and parameter, and a number where two
    are the same."""
    plain = [f"{f.net.name}, {f.wrt}" for f in flows]
    return [f"{n} ({i})" if plain.count(n) > 1 else n for i, n in enumerate(plain, 1)]


def _listed(values: Any) -> list[float]:
    """Numbers for a plot; what is beyond floats leaves a gap."""
    return [float(v) for v in values]


def picture(flows: Sequence[Flow]) -> Figure:
    """All in one: the heat map of each flow, and the norms against the distance below."""
    one = len(flows) == 1
    last = decay(flows[0]) if one else compare(flows)
    maps = [heat(f) for f in flows]
    titles = [*names(flows), "norms against the distance"]
    return beside([*maps, last], titles, 2 if one else min(3, len(flows)))


def beside(figures: Sequence[Figure], titles: Sequence[str], columns: int) -> Figure:
    """Several pictures in one, in rows of `columns`, each under its title."""
    sizes = [_size(f.svg) for f in figures]
    parts, top, widest = [], 0.0, 0.0
    for start in range(0, len(figures), columns):
        left, tallest = 0.0, 0.0
        for i in range(start, min(start + columns, len(figures))):
            wide, tall = sizes[i]
            parts.append(
                f'<text class="rs-word" x="{left + wide / 2:g}" y="{top + 20:g}" font-size="15" '
                f'text-anchor="middle" fill="#222222">{escape(titles[i])}</text>'
            )
            inner = f'<svg x="{left:g}" y="{top + TITLE:g}" '
            parts.append(figures[i].svg.strip().replace("<svg ", inner, 1))
            left, tallest = left + wide + GAP, max(tallest, tall)
        top, widest = top + tallest + TITLE, max(widest, left - GAP)
    alt = "; ".join(f.alt or t for f, t in zip(figures, titles, strict=True))
    svg = "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {widest:g} {top:g}" '
        f'width="{widest:g}" height="{top:g}" font-family="Charter, Georgia, DejaVu Serif, serif" '
        'role="img">',
        f"<title>{escape(alt)}</title>",
        '<rect class="rs-paper" width="100%" height="100%" fill="#ffffff" stroke="none"/>',
        *parts,
        "</svg>\n",
    ])  # fmt: skip
    tikz = "\\par\\medskip\n".join(f.tikz for f in figures)
    text = "\n\n".join(f"{t}\n{f.text}" for f, t in zip(figures, titles, strict=True))
    return Figure("", tikz, text, svg, ("How gradients flow back through time",), alt)


def _size(svg: str) -> tuple[float, float]:
    found = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    assert found is not None  # every picture of `documents.canvas` has one
    return float(found[1]), float(found[2])
