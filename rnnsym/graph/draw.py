"""Pictures of an unrolled graph, as text: Unicode, Graphviz, Mermaid, TikZ, SVG.

Names come from the user and may hold anything: each format quotes them for itself, and the
identifiers in it are numbers of our own. The output depends on the graph alone.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable
from html import escape

from sympy import MatrixExpr

from rnnsym.errors import InputError
from rnnsym.graph.layout import Layout, drawn, layout
from rnnsym.graph.routes import Point, Route, routed
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
        f"{visible(graph.net.name)}, unrolled over {graph.extent}: "
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
    routes = routed(graph, where)
    for route in sorted(routes, key=lambda r: r.bend != 0, reverse=True):  # labels over long edges
        weights = ", ".join(label(graph.expr(Node(name))) for name in route.edge.weights)
        place = "" if route.label == 0.5 else f", pos={route.label:g}"
        middle, to = f" node[weight{place}] {{${weights}$}}" if weights else "", "--"
        if route.bend:
            to = f".. controls {_cubic(route.start, route)} and {_cubic(route.end, route)} .."
        source, target = ids[route.edge.source], ids[route.edge.target]
        lines.append(rf"  \draw[use] ({source}) {to}{middle} ({target});")
    return "\n".join([*lines, r"\end{tikzpicture}"]) + "\n"


def _cubic(end: Point, route: Route) -> str:
    """TikZ draws with two points of control: the one next to an end of the curve."""
    x, y = (e + 2 / 3 * (c - e) for e, c in zip(end, route.control, strict=True))
    return f"({x:.2f},{y:.2f})"


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
#: the same on dark ground, for readers who chose that
_DARK = (
    "@media screen and (prefers-color-scheme: dark){.ground,.node circle{fill:#1a1a1c}"
    ".node circle,.edge path{stroke:#d8d4cc}marker path,.node text,.edge text{fill:#e6e2da}"
    ".edge text{stroke:#1a1a1c}.input circle,.target circle{fill:#333336}"
    ".initial circle,.state circle{fill:#24344f}.loss circle,.total circle{fill:#4f2a26}}"
)


def svg(graph: Graph, label: Callable[[MatrixExpr], str] | None = None) -> str:
    """The picture as SVG, by itself; it follows the reader's choice of light or dark.

    label: writes a node's expression as text, in which W_aa has an index; by default its name.
    """
    where = layout(graph)
    width = max(x for x, _ in where.places.values()) * _CM + 2 * _MARGIN
    top = max(y for _, y in where.places.values()) * _CM
    at = {n: (x * _CM + _MARGIN, top - y * _CM + _MARGIN) for n, (x, y) in where.places.items()}
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {top + 2 * _MARGIN:g}" '
        f'width="{width:g}" height="{top + 2 * _MARGIN:g}" font-family="serif" font-size="14" '
        f'text-anchor="middle" role="img">',
        f"<title>{_xml(graph.net.name)}, unrolled over {graph.extent}</title>",
        f"<style>{_DARK}</style>",
        '<rect class="ground" width="100%" height="100%" fill="white"/>',
        '<defs><marker id="arrow" markerUnits="userSpaceOnUse" markerWidth="9" markerHeight="8" '
        'refX="8" refY="4" orient="auto"><path d="M0,0 L9,4 L0,8 z"/></marker></defs>',
    ]
    for route in routed(graph, where):
        edge, (cx, cy) = route.edge, route.control
        (x, y), (u, v) = at[edge.source], at[edge.target]
        mx, my = cx * _CM + _MARGIN, top - cy * _CM + _MARGIN
        (ax, ay), (bx, by) = (
            (p / math.hypot(p, q), q / math.hypot(p, q))
            for p, q in ((mx - x, my - y), (u - mx, v - my))
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
            lx, ly = route.at(route.label)
            words = _xml(_weights(edge))
            if label is not None:
                words = ", ".join(_indexed(label(graph.expr(Node(n)))) for n in edge.weights)
            lines.append(
                f'<text x="{lx * _CM + _MARGIN:.1f}" y="{top - ly * _CM + _MARGIN:.1f}" '
                f'font-size="11" stroke="white" stroke-width="7" stroke-linejoin="round" '
                f'paint-order="stroke" dominant-baseline="central">{words}</text>'
            )
        lines.append("</g>")
    for node, (x, y) in at.items():
        kind, name = graph.nodes[node], title(node)
        shown = _xml(name) if label is None else _indexed(label(graph.expr(node)))
        width = len(name) if label is None else len(re.sub("<[^>]*>|[\u0302\u0303]", "", shown))
        size = min(14.0, 3.4 * _RADIUS / width)
        dashed = ' stroke-dasharray="4 3"' if kind == "initial" else ""
        lines.append(
            f'<g class="node {kind}" data-node="{_xml(str(node))}">'
            f'<circle cx="{x:g}" cy="{y:g}" r="{_RADIUS}" fill="{_FILL.get(kind, "white")}" '
            f'stroke="black"{dashed}/><text x="{x:g}" y="{y:g}" font-size="{size:.3g}" '
            f'dominant-baseline="central">{shown}</text></g>'
        )
    return "\n".join([*lines, "</svg>"]) + "\n"


def _xml(value: str) -> str:
    return escape(visible(value))


def _indexed(text: str) -> str:
    """A name such as W_aa with its index lowered."""
    lower = r'\1<tspan dy=".3em" font-size="75%">\2</tspan>'
    return re.sub(r"^([^\W_]+)_([^\W_]+)$", lower, _xml(text))


# ---- shared ------------------------------------------------------------------------------


def _ids(graph: Graph) -> dict[Node, str]:
    return {node: f"n{i}" for i, node in enumerate(graph.nodes)}


def _weights(edge: Edge) -> str:
    return ", ".join(map(visible, edge.weights))
