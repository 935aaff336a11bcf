"""Pictures of an unrolled graph, as text: Unicode, Graphviz, Mermaid, TikZ, SVG.

Names come from the user and may hold anything: each format quotes them for itself, and the
identifiers in it are numbers of our own. The output depends on the graph alone.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable
from html import escape

from sympy import MatrixExpr

from rnnsym.errors import InputError
from rnnsym.graph.layout import BEND, Layout, drawn, layout
from rnnsym.graph.unrolled import Edge, Graph, Node

MAX_TEX = 500.0  # cm; TeX has no lengths above 575 cm
_KINDS = {"initial": "initial state", "input": "input", "target": "target"}


def visible(name: str) -> str:
    """A name on one line: what cannot be printed (a line break, a control) is written out."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in name)


def title(node: Node) -> str:
    """A node as plain text: a⟨2⟩."""
    return visible(str(node))


# ---- text --------------------------------------------------------------------------------


def text(graph: Graph) -> str:
    """A line for each node at each time: what it uses."""
    lines = [
        f"{visible(graph.net.name)}, unrolled over T = {graph.steps}: "
        f"{len(graph.nodes)} nodes, {len(graph.edges)} edges",
        "",
        "given",
    ]
    given: dict[str, list[Node]] = {}
    for node, kind in graph.nodes.items():
        if kind == "parameter" or kind in _KINDS:
            given.setdefault(f"{kind} {node.name}", []).append(node)
    for nodes in given.values():
        rows, cols = graph.expr(nodes[0]).shape
        shape = f"{rows}" if cols == 1 else f"{rows} × {cols}"
        names = ", ".join(map(title, nodes))
        lines.append(f"  {names}: {_KINDS.get(graph.nodes[nodes[0]], 'parameter')}, {shape}")
    time = None
    for node, sources in graph.incoming.items():
        if node.time != time:
            time = node.time
            lines += ["", "total" if time is None else f"t = {time}"]
        uses = (title(s) + (f" (lag {use.lag})" if use.lag else "") for s, use in sources.items())
        lines.append(f"  {title(node)} ← {', '.join(uses)}".rstrip())
    return "\n".join(lines) + "\n"


# ---- Graphviz ----------------------------------------------------------------------------

_DOT_STYLE = {
    "parameter": "shape=box",
    "initial": "style=dashed",
    "total": "shape=doublecircle",
}


def dot(graph: Graph, parameters: bool = True) -> str:
    """Graphviz: time to the right, layers as rows."""
    ids = _ids(graph)
    lines = ["digraph unrolled {", "  rankdir=BT;", "  node [shape=ellipse];"]
    for node, kind in graph.nodes.items():
        if parameters or kind != "parameter":
            group = "" if node.time is None else f", group=t{node.time}"
            style = f", {_DOT_STYLE[kind]}" if kind in _DOT_STYLE else ""
            lines.append(f"  {ids[node]} [label={_dot(title(node))}{group}{style}];")
    rows = layout(graph).rows
    for row in rows:
        lines.append(f"  {{ rank=same; {' '.join(ids[n] + ';' for n in row)} }}")
        if len(row) > 1:  # keeps time running to the right
            lines.append(f"  {' -> '.join(ids[n] for n in row)} [style=invis];")
    lines.append(f"  {' -> '.join(ids[row[0]] for row in rows)} [style=invis];")  # and rows apart
    if parameters:
        weights = [ids[n] for n, kind in graph.nodes.items() if kind == "parameter"]
        lines.append(f"  {{ rank=min; {' '.join(w + ';' for w in weights)} }}")
    for edge in graph.edges if parameters else drawn(graph):
        options = []
        if edge.lag:
            options.append("constraint=false")
        if graph.nodes[edge.source] == "parameter":
            options.append("style=dotted")
        elif edge.weights and not parameters:
            # Graphviz 2.43 loses level edges with a label
            options.append(f"{'xlabel' if edge.lag else 'label'}={_dot(_weights(edge))}")
        tail = f" [{', '.join(options)}]" if options else ""
        lines.append(f"  {ids[edge.source]} -> {ids[edge.target]}{tail};")
    return "\n".join([*lines, "}"]) + "\n"


def _dot(label: str) -> str:
    """A quoted string: a backslash starts an escape in labels, an ampersand an entity."""
    label = label.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{label}"'


# ---- Mermaid -----------------------------------------------------------------------------


def mermaid(graph: Graph, parameters: bool = True) -> str:
    """Mermaid: a box for each time step."""
    ids = _ids(graph)
    boxes: dict[int | None, list[Node]] = {}
    for node, kind in graph.nodes.items():
        if parameters or kind != "parameter":
            boxes.setdefault(node.time, []).append(node)
    lines = ["flowchart LR"]
    for time, nodes in sorted(boxes.items(), key=lambda item: (item[0] is None, item[0])):
        if time is not None:
            lines.append(f'  subgraph t{time}["t = {time}"]')
        for node in nodes:
            left, right = ("[", "]") if graph.nodes[node] == "parameter" else ("([", "])")
            lines.append(f'    {ids[node]}{left}"{_mermaid(title(node))}"{right}')
        if time is not None:
            lines.append("  end")
    for edge in graph.edges if parameters else drawn(graph):
        arrow = "-.->" if graph.nodes[edge.source] == "parameter" else "-->"
        label = f'|"{_mermaid(_weights(edge))}"|' if edge.weights and not parameters else ""
        lines.append(f"  {ids[edge.source]} {arrow}{label} {ids[edge.target]}")
    return "\n".join(lines) + "\n"


def _mermaid(label: str) -> str:
    """Every character that might mean something as an entity code."""
    return "".join(c if c.isalnum() or c in "_⟨⟩ ," else f"#{ord(c)};" for c in label)


# ---- TikZ --------------------------------------------------------------------------------

_TIKZ_STYLE = {
    "initial": "state, dashed",
    "input": "given",
    "target": "given",
    "state": "state",
    "node": "cell",
    "loss": "loss",
    "total": "loss",
}


def tikz(graph: Graph, label: Callable[[MatrixExpr], str]) -> str:
    """A ``tikzpicture`` that needs the library ``arrows.meta``."""
    where, ids = layout(graph), _ids(graph)
    _check_width(where)
    lines = [
        r"\begin{tikzpicture}[",
        r"  cell/.style={circle, draw, minimum size=9mm, inner sep=1pt, font=\small},",
        r"  given/.style={cell, fill=black!6}, state/.style={cell, fill=blue!10},",
        r"  loss/.style={cell, fill=red!10},",
        r"  weight/.style={midway, fill=white, inner sep=1pt, font=\scriptsize},",
        r"  use/.style={-{Stealth}, semithick}]",
    ]
    for node, (x, y) in where.places.items():
        style, content = _TIKZ_STYLE[graph.nodes[node]], label(graph.expr(node))
        lines.append(rf"  \node[{style}] ({ids[node]}) at ({x:g},{y:g}) {{${content}$}};")
    for edge in sorted(drawn(graph), key=where.bent, reverse=True):  # labels over long edges
        weights = ", ".join(label(graph.expr(Node(name))) for name in edge.weights)
        middle, to = f" node[weight] {{${weights}$}}" if weights else "", "--"
        if where.bent(edge):
            # TikZ puts the middle of a bent edge at 0.29 sin(angle) of its length beside it
            sine = BEND / (0.29 * math.dist(where.places[edge.source], where.places[edge.target]))
            to = f"to[bend left={math.degrees(math.asin(min(sine, 0.95))):.0f}]"
            middle = middle.replace("[weight]", "[weight, pos=0.25]")
        lines.append(rf"  \draw[use] ({ids[edge.source]}) {to}{middle} ({ids[edge.target]});")
    return "\n".join([*lines, r"\end{tikzpicture}"]) + "\n"


def _check_width(where: Layout) -> None:
    width = max(x for x, _ in where.places.values())
    if width > MAX_TEX:
        raise InputError(
            f"the picture would be {width:.0f} cm wide, and TeX draws at most {MAX_TEX:.0f} cm: "
            f"unroll over fewer time steps"
        )


def latex(e: MatrixExpr) -> str:
    r"""A name as LaTeX, where `rnnsym.latex` is not asked: W_{aa}, \hat{y}^{\langle 2 \rangle}."""
    name = _latex_name(e.name)
    return name if not hasattr(e, "time") else rf"{name}^{{\langle {e.time} \rangle}}"


def _latex_name(name: str) -> str:
    stem = name.rstrip("_")
    parts: list[str] = []
    for part in filter(None, stem.split("_")):
        if part in ("hat", "tilde", "bar") and parts:
            parts[-1] = rf"\{part}{{{parts[-1]}}}"
        else:
            parts.append(_letters(part))
    base, *below = parts or [_letters(name)]
    if parts and stem != name:  # z_, z__: z′, z″
        base = f"{{{base}{chr(39) * (len(name) - len(stem))}}}"
    return base + (f"_{{{' '.join(below)}}}" if below else "")


def _letters(part: str) -> str:
    content = "".join(map(_letter, visible(part)))
    single = len(part) == 1 or part.isdigit() or _greek(part)
    lower = part.isascii() and part.isalpha() and len(part) == 2
    return _greek(part) or (content if single or lower else rf"\mathrm{{{content}}}")


_GREEK = frozenset({
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa",
    "lambda", "mu", "nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi",
    "omega", "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi",
    "Omega",
})  # fmt: skip
_SPECIAL = {
    "\\": r"\backslash ", "^": r"\hat{\ }", "~": r"{\sim}", " ": r"\ ", "'": "{'}", '"': "{''}",
    "{": r"\{", "}": r"\}", "#": r"\#", "$": r"\$", "%": r"\%", "&": r"\&", "_": r"\_",
}  # fmt: skip


def _greek(part: str) -> str:
    return f"\\{part} ".rstrip() if part in _GREEK else ""


def _letter(c: str) -> str:
    if c.isascii():
        return _SPECIAL.get(c, c)
    words = unicodedata.name(c, "").split()
    if words[:1] == ["GREEK"] and len(words) == 4:
        letter = words[3].lower()
        letter = letter.capitalize() if words[1] == "CAPITAL" else letter
        if letter in _GREEK:
            return rf"{{\{letter}}}"
    return rf"\mathrm{{U{ord(c):X}}}"  # TeX engines do not agree on other letters


# ---- SVG ---------------------------------------------------------------------------------

_FILL = {"input": "#f0f0f0", "target": "#f0f0f0", "initial": "#e6eeff", "state": "#e6eeff"}
_FILL |= {"loss": "#ffe9e6", "total": "#ffe9e6"}
_CM, _MARGIN, _RADIUS = 48, 40, 22


def svg(graph: Graph) -> str:
    """The picture as SVG, by itself."""
    where = layout(graph)
    width = max(x for x, _ in where.places.values()) * _CM + 2 * _MARGIN
    top = max(y for _, y in where.places.values()) * _CM
    at = {n: (x * _CM + _MARGIN, top - y * _CM + _MARGIN) for n, (x, y) in where.places.items()}
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {top + 2 * _MARGIN:g}" '
        f'width="{width:g}" height="{top + 2 * _MARGIN:g}" font-family="serif" font-size="14" '
        f'text-anchor="middle" role="img">',
        f"<title>{_xml(graph.net.name)}, unrolled over T = {graph.steps}</title>",
        '<defs><marker id="arrow" markerUnits="userSpaceOnUse" markerWidth="9" markerHeight="8" '
        'refX="8" refY="4" orient="auto"><path d="M0,0 L9,4 L0,8 z"/></marker></defs>',
    ]
    for edge in drawn(graph):
        (x, y), (u, v) = at[edge.source], at[edge.target]
        length = ((u - x) ** 2 + (v - y) ** 2) ** 0.5
        dx, dy = (u - x) / length, (v - y) / length
        bend = BEND * _CM if where.bent(edge) else 0.0
        mx, my = (x + u) / 2 + 2 * bend * dy, (y + v) / 2 - 2 * bend * dx
        ends = (mx - x, my - y), (u - mx, v - my)
        (ax, ay), (bx, by) = (
            (p / (p * p + q * q) ** 0.5, q / (p * p + q * q) ** 0.5) for p, q in ends
        )
        path = (
            f"M{x + _RADIUS * ax:.1f},{y + _RADIUS * ay:.1f} Q{mx:.1f},{my:.1f} "
            f"{u - _RADIUS * bx:.1f},{v - _RADIUS * by:.1f}"
        )
        lines.append(
            f'<g class="edge" data-from="{_xml(str(edge.source))}" '
            f'data-to="{_xml(str(edge.target))}">'
            f'<path d="{path}" fill="none" stroke="black" marker-end="url(#arrow)"/>'
        )
        if edge.weights:
            s = 0.25 if bend else 0.5  # how far along the curve
            first, second, third = (1 - s) ** 2, 2 * s * (1 - s), s**2
            lx = first * x + second * mx + third * u
            ly = first * y + second * my + third * v
            lines.append(
                f'<text x="{lx:.1f}" y="{ly:.1f}" font-size="11" stroke="white" '
                f'stroke-width="4" paint-order="stroke" dominant-baseline="central">'
                f"{_xml(_weights(edge))}</text>"
            )
        lines.append("</g>")
    for node, (x, y) in at.items():
        kind, name = graph.nodes[node], title(node)
        size = min(14.0, 3.4 * _RADIUS / len(name))
        dashed = ' stroke-dasharray="4 3"' if kind == "initial" else ""
        lines.append(
            f'<g class="node {kind}" data-node="{_xml(str(node))}">'
            f'<circle cx="{x:g}" cy="{y:g}" r="{_RADIUS}" fill="{_FILL.get(kind, "white")}" '
            f'stroke="black"{dashed}/><text x="{x:g}" y="{y:g}" font-size="{size:.3g}" '
            f'dominant-baseline="central">{escape(name)}</text></g>'
        )
    return "\n".join([*lines, "</svg>"]) + "\n"


def _xml(value: str) -> str:
    return escape(visible(value))


# ---- shared ------------------------------------------------------------------------------


def _ids(graph: Graph) -> dict[Node, str]:
    return {node: f"n{i}" for i, node in enumerate(graph.nodes)}


def _weights(edge: Edge) -> str:
    return ", ".join(map(visible, edge.weights))
